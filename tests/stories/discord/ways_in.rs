//! The ways in: each is answered.

use std::io::Write;

use clew_tests::fakes::discord::{BOT_USER, CHANNEL, DiscordMessage, FakeDiscord};
use clew_tests::until;
use serde_json::json;

use super::{ADA, BOB, Outcome, Team};
use crate::{FULL_DISK, HEALTHY};

const HEAP: &str = "java.lang.OutOfMemoryError: Java heap space\n\tat com.shop.Cart.add(Cart.java:17)";
const ELSEWHERE: &str = "1000000000000000077";

#[test]
fn logs_that_somebody_pastes_in_an_incident_channel_are_answered_in_a_thread_below_them() -> Outcome {
    let team = Team::start()?;
    let root = team.discord.say(CHANNEL, ADA, &format!("checkout is down:\n```{FULL_DISK}```"));
    let card = team.reply(&root, "Root cause: Disk full")?;
    let shown = card.shown();
    assert!(shown.contains("No space left on device"), "{shown}");
    assert!(shown.contains("almost certain") || shown.contains("likely"), "{shown}");
    assert!(!shown.contains("hunter2") && !shown.contains("jane@example.com"), "{shown}");
    for button in ["Acknowledge|", "Resolve|", "Show details|", "Mitigated|"] {
        assert!(shown.contains(button), "{button}: {shown}");
    }
    team.quiet()?;
    assert_eq!(team.replies(&root).len(), 1);
    // Plain, without a code block, too; Discord takes what it writes for form out of nothing that is a log.
    let plain = team.discord.say(
        CHANNEL,
        ADA,
        "2024-05-01 10:02:12 ERROR __init__ of *pool* failed: x509: certificate has expired",
    );
    let shown = team.reply(&plain, "Root cause: TLS")?.shown();
    assert!(shown.contains("__init__ of *pool* failed"), "{shown}");
    Ok(())
}

#[test]
fn chatter_is_left_alone() -> Outcome {
    let team = Team::start()?;
    for text in ["looking at it now", "ok", &format!("<@{BOB}> can you roll back?"), "lunch?", "```SELECT 1```"] {
        team.discord.say(CHANNEL, ADA, text);
    }
    team.discord.post_by_webhook(CHANNEL, "deploys", json!({"content": "Deployed shop v1.2.3 to production :rocket:"}));
    // A channel that is no incident channel.
    team.discord.add_channel(ELSEWHERE, "random");
    team.discord.say(ELSEWHERE, ADA, FULL_DISK);
    let asked = team.discord.say(ELSEWHERE, ADA, &format!("<@{BOT_USER}> help"));
    team.reply(&asked, "acknowledge INC-1")?;
    team.quiet()?;
    assert_eq!(team.discord.messages(CHANNEL).len(), 6);
    assert_eq!(team.incidents()?, 0);
    Ok(())
}

#[test]
fn the_command_takes_words_a_file_or_asks() -> Outcome {
    let team = Team::start()?;
    let text = "2024-05-01 10:02:12 PANIC: could not write to file: No space left on device";
    team.discord.command(CHANNEL, ADA, Some(text), None)?;
    team.message(CHANNEL, "Root cause: Disk full")?;
    until("nothing to be awaited", || Ok((team.discord.awaits(ADA) == 0).then_some(())))?;

    let file = ("app.log", b"2024-05-01 10:02:12 ERROR x509: certificate has expired\n".to_vec());
    team.discord.command(CHANNEL, ADA, None, Some(file))?;
    team.message(CHANNEL, "Root cause: TLS")?;

    team.discord.command(CHANNEL, BOB, None, None)?;
    let modal = until("the form", || Ok(team.discord.modal(BOB)))?.to_string();
    for part in ["Log lines", "Service", "Severity"] {
        assert!(modal.contains(part), "{part}: {modal}");
    }
    team.discord.submit(BOB, &[("logs", HEAP), ("service", "cart"), ("severity", "critical")])?;
    let card = team.message(CHANNEL, "Root cause: Memory exhaustion")?;
    assert!(card.shown().contains("critical") && card.shown().contains("cart"), "{}", card.shown());
    until("nothing to be awaited", || Ok((team.discord.awaits(BOB) == 0).then_some(())))?;
    assert!(team.discord.interactions().iter().all(|interaction| !interaction.failed));
    assert_eq!(team.discord.leaked_tokens(), 0, "files are fetched without the bot's token");
    Ok(())
}

#[test]
fn questions_are_answered_to_those_who_ask_them_alone() -> Outcome {
    let team = Team::start()?;
    for (words, part) in [
        ("help", "search <words>"),
        ("status", "No incident is open."),
        ("search postgres disk full", "fixed by"),
        ("status INC-77", "there is no INC-77"),
        ("resolve", "say which incident"),
    ] {
        team.discord.command(CHANNEL, ADA, Some(words), None)?;
        team.whisper(ADA, part)?;
    }
    team.discord.command(CHANNEL, ADA, Some("diff"), None)?;
    until("the form", || Ok(team.discord.modal(ADA)))?;
    team.discord.submit(ADA, &[("before", HEALTHY), ("after", FULL_DISK)])?;
    team.whisper(ADA, "records before")?;
    team.quiet()?;
    assert!(team.discord.messages(CHANNEL).is_empty(), "nobody else saw any of it");
    assert_eq!(team.discord.awaits(ADA), 0);
    Ok(())
}

#[test]
fn a_command_where_the_bot_may_not_write_says_so_and_opens_nothing() -> Outcome {
    let team = Team::start()?;
    team.discord.add_channel(ELSEWHERE, "elsewhere");
    team.discord.forbid(ELSEWHERE, "send");
    team.discord.command(ELSEWHERE, ADA, Some("2024-05-01 10:02:12 ERROR No space left on device"), None)?;
    team.whisper(ADA, "Send Messages")?;
    assert_eq!(team.incidents()?, 0);
    Ok(())
}

#[test]
fn a_message_that_somebody_points_to_is_triaged() -> Outcome {
    let team = Team::start()?;
    team.discord.add_channel(ELSEWHERE, "random");
    // In its menu.
    let root = team.discord.say(ELSEWHERE, BOB, FULL_DISK);
    team.discord.message_command(ELSEWHERE, &root, ADA, "Triage this message")?;
    team.reply(&root, "Root cause: Disk full")?;
    // Once more: the answer is that it was done.
    team.discord.message_command(ELSEWHERE, &root, BOB, "Triage this message")?;
    team.whisper(BOB, "INC-1")?;

    // With a mention in reply to it.
    let root = team.discord.say(ELSEWHERE, BOB, &format!("```{HEAP}```"));
    team.discord.reply(ELSEWHERE, &root, ADA, &format!("<@{BOT_USER}> what is this?"));
    team.reply(&root, "Root cause: Memory exhaustion")?;

    // A file, in a reply.
    let file = b"2024-05-01 10:02:12 ERROR x509: certificate has expired\n".to_vec();
    let root = team.discord.say_with_files(ELSEWHERE, BOB, "", &[("app.log", file)]);
    team.discord.reply(ELSEWHERE, &root, ADA, &format!("<@{BOT_USER}> triage this"));
    team.reply(&root, "Root cause: TLS")?;

    // With logs in the mention itself, and in a direct message.
    let lines = "2024-05-01 10:02:12 ERROR too many connections for role \"shop\"\n".repeat(3);
    let root = team.discord.say(ELSEWHERE, ADA, &format!("<@{BOT_USER}> ```{lines}```"));
    team.reply(&root, "onnection")?;
    team.discord.direct(ADA, "2024-05-01 10:02:12 ERROR Name or service not known: db.internal");
    team.message(&team.discord.direct_channel(ADA), "INC-")?;
    Ok(())
}

#[test]
fn without_the_message_content_intent_people_ask_and_are_answered() -> Outcome {
    let discord = FakeDiscord::start()?;
    discord.allow_message_content(false);
    let team = Team::with(discord, &[])?;
    let overheard = team.discord.say(CHANNEL, BOB, &format!("```{FULL_DISK}```"));
    // In its menu, with the command, with a mention.
    team.discord.message_command(CHANNEL, &overheard, ADA, "Triage this message")?;
    team.reply(&overheard, "Root cause: Disk full")?;
    team.discord.command(CHANNEL, ADA, Some(&HEAP.replace('\n', " ")), None)?;
    team.message(CHANNEL, "Root cause: Memory exhaustion")?;
    let asked = team.discord.say(CHANNEL, ADA, &format!("<@{BOT_USER}> ERROR x509: certificate has expired"));
    team.reply(&asked, "Root cause: TLS")?;
    assert_eq!(team.incidents()?, 3);
    let intents: Vec<_> = team.discord.identifies().iter().filter_map(|sent| sent["intents"].as_u64()).collect();
    assert_eq!(intents, [(1 << 0) | (1 << 9) | (1 << 12) | (1 << 15), (1 << 0) | (1 << 9) | (1 << 12)]);
    Ok(())
}

#[test]
fn files_are_read_whatever_they_are_packed_in() -> Outcome {
    let team = Team::start()?;
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gzip.write_all(FULL_DISK.as_bytes())?;
    let root = team.discord.say_with_files(CHANNEL, ADA, "", &[("db.log.gz", gzip.finish()?)]);
    team.reply(&root, "Root cause: Disk full")?;

    // A picture that somebody shares is none of our business, until somebody asks.
    let picture = team.discord.say_with_files(CHANNEL, ADA, "look", &[("graph.png", b"\x89PNG\r\n\x1a\n".to_vec())]);
    team.discord.reply(CHANNEL, &picture, ADA, &format!("<@{BOT_USER}>"));
    team.reply(&picture, "graph.png is no log file")?;

    let mut bomb = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    let line = "2024-05-01 10:02:12 INFO nothing happened here at all, and it goes on like this\n".repeat(1_000);
    for _ in 0..1_000 {
        bomb.write_all(line.as_bytes())?;
    }
    let root = team.discord.say_with_files(CHANNEL, ADA, "", &[("app.log.gz", bomb.finish()?)]);
    team.reply(&root, "64 MiB")?;
    assert_eq!(team.discord.leaked_tokens(), 0);
    Ok(())
}

#[test]
fn a_post_of_an_alert_bot_is_answered_once_and_ends_with_it() -> Outcome {
    let team = Team::start()?;
    let post = |status: &str, color: u32| {
        let description = "**Alerts Firing:**\nLabels:\n - alertname = PostgresDiskFull\n - instance = db-1\n - severity = \
                           critical\nAnnotations:\n - description = No space left on device\n - summary = PostgreSQL \
                           volume is full\nSource: https://prometheus.example/graph?g0.expr=x";
        let embed = json!({
            "title": format!("[{status}] PostgresDiskFull (db-1 critical)"),
            "url": "https://alertmanager.example/#/alerts?receiver=clew",
            "description": description,
            "color": color,
        });
        team.discord.post_by_webhook(CHANNEL, "Alertmanager", json!({ "embeds": [embed] }))
    };
    let first = post("FIRING:1", 0x0099_2d22);
    let card = team.reply(&first, "PostgresDiskFull")?;
    // Told again: one card, and no word more.
    let again = post("FIRING:1", 0x0099_2d22);
    team.quiet()?;
    assert_eq!(team.replies(&again).len(), 0, "it is known");
    assert_eq!(team.replies(&first).len(), 1);
    post("RESOLVED", 0x002e_cc71);
    team.shows(&card, "Resolved")?;
    assert_eq!(team.incidents()?, 1);
    Ok(())
}

#[test]
fn an_alert_that_comes_by_webhook_and_as_a_post_is_one_incident() -> Outcome {
    let team = Team::start()?;
    let body = json!({
        "receiver": "clew", "status": "firing", "groupKey": "{}:{alertname=\"PostgresDiskFull\"}",
        "alerts": [{
            "status": "firing",
            "labels": {"alertname": "PostgresDiskFull", "severity": "critical", "instance": "db-1"},
            "annotations": {"summary": "The volume of db-1 is full", "description": "No space left on device"},
            "startsAt": "2026-11-23T10:42:44Z",
        }],
    });
    assert_eq!(team.bot.post_json("/webhooks/alertmanager", &body)?.status, 202);
    team.message(CHANNEL, "INC-1")?;
    let embed = json!({
        "title": "[FIRING:1] PostgresDiskFull (db-1 critical)", "color": 0x0099_2d22,
        "url": "https://alertmanager.example/#/alerts?receiver=clew", "description": "Labels:\n - severity = critical",
    });
    let post = team.discord.post_by_webhook(CHANNEL, "Alertmanager", json!({ "embeds": [embed] }));
    let reply = team.reply(&post, "INC-1")?;
    assert!(reply.shown().contains("{link https://discord.com/channels/"), "{}", reply.shown());
    team.quiet()?;
    assert_eq!(team.incidents()?, 1);
    Ok(())
}

#[test]
fn talk_in_the_thread_of_an_incident_is_left_alone() -> Outcome {
    let team = Team::start()?;
    let (root, card) = team.incident()?;
    let thread = team.discord.thread_of(&root).ok_or("no thread")?;
    team.discord.say(&thread, BOB, "```kubectl rollout undo deploy/shop```");
    team.discord.say(&thread, BOB, "looking better now");
    team.quiet()?;
    assert_eq!(team.replies(&root).len(), 3, "the card and what Bob said");
    // A command in the thread needs no number; nor does one in reply to the card.
    team.discord.say(&thread, BOB, &format!("<@{BOT_USER}> ack"));
    team.shows(&card, "Acknowledged")?;
    team.discord.say(&thread, BOB, &format!("<@{BOT_USER}> assign <@{ADA}>"));
    team.shows(&card, "· Ada")?;
    // Said elsewhere, it is answered.
    let elsewhere = team.discord.say(CHANNEL, BOB, &format!("<@{BOT_USER}> mitigate INC-1"));
    team.reply(&elsewhere, "mitigated")?;
    Ok(())
}

#[test]
fn who_is_not_on_the_server_is_told_nothing_in_direct_messages() -> Outcome {
    let team = Team::start()?;
    team.incident()?;
    team.discord.remove_member(BOB);
    let between = team.discord.direct_channel(BOB);
    team.discord.direct(BOB, "status INC-1");
    team.discord.command(&between, BOB, Some("status INC-1"), None)?;
    team.whisper(BOB, "for the people on it")?;
    team.quiet()?;
    let shown: Vec<String> = team.discord.messages(&between).iter().map(DiscordMessage::shown).collect();
    assert!(!shown.iter().any(|shown| shown.contains("Disk full")), "{shown:?}");
    Ok(())
}

#[test]
fn hostile_logs_neither_call_nor_link() -> Outcome {
    let team = Team::start()?;
    let hostile = format!(
        "2024-05-01 10:02:12 ERROR No space left on device @everyone @here <@{ADA}> <@&1000000000000000099> \
         [sign in](https://evil.example) https://evil.example/?a=1 ||hidden|| **bold** `code` <t:1:R>\n"
    )
    .repeat(3);
    let root = team.discord.say(CHANNEL, ADA, &hostile);
    let shown = team.reply(&root, "No space left on device")?.shown();
    assert!(!shown.contains("{calls") && !shown.contains("{mentions"), "{shown}");
    assert!(!shown.contains("{link https://evil") && !shown.contains("{spoiler"), "{shown}");
    Ok(())
}
