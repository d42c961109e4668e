//! The ways in: each is answered.

use std::io::Write;

use clew_tests::fakes::slack::{BOT_USER, CHANNEL, FakeSlack, shown_view};
use serde_json::json;

use super::{ADA, BOB, Outcome, Team};
use crate::{FULL_DISK, HEALTHY};

#[test]
fn logs_that_somebody_pastes_in_an_incident_channel_are_answered_in_their_thread() -> Outcome {
    let team = Team::start()?;
    let root = team.slack.say(CHANNEL, None, ADA, &format!("checkout is down:\n```{FULL_DISK}```"));
    let card = team.reply(CHANNEL, &root, "Root cause: Disk full")?;
    let shown = card.shown();
    assert!(shown.contains("No space left on device"), "{shown}");
    assert!(shown.contains("almost certain") || shown.contains("likely"), "{shown}");
    assert!(!shown.contains("hunter2") && !shown.contains("jane@example.com"), "{shown}");
    assert!(shown.contains("lines") && shown.contains("templates") && shown.contains("redacted"), "{shown}");
    for button in ["Acknowledge|", "Resolve|", "Show details|", "Mitigated|"] {
        assert!(shown.contains(button), "{button}: {shown}");
    }
    team.quiet()?;
    assert_eq!(team.replies(CHANNEL, &root).len(), 1);
    Ok(())
}

#[test]
fn chatter_is_left_alone() -> Outcome {
    let team = Team::start()?;
    for text in ["looking at it now", "ok", "<@U0BOB> can you roll back?", "lunch?", "```SELECT 1```"] {
        team.slack.say(CHANNEL, None, ADA, text);
    }
    let about = json!({"text": "Deployed shop v1.2.3 to production :rocket:"});
    team.slack.post_as_app(CHANNEL, None, "A0DEPLOY", "B0DEPLOY", "deploys", &about);
    // A channel that is no incident channel.
    team.slack.add_channel("C0RANDOM", "random");
    team.slack.say("C0RANDOM", None, ADA, FULL_DISK);
    let asked = team.slack.say("C0RANDOM", None, ADA, &format!("<@{BOT_USER}> help"));
    team.reply("C0RANDOM", &asked, "acknowledge INC-1")?;
    team.quiet()?;
    assert_eq!(team.slack.messages(CHANNEL).len(), 6);
    assert_eq!(team.incidents()?, 0);
    Ok(())
}

#[test]
fn the_slash_command_answers_and_without_words_it_asks() -> Outcome {
    let team = Team::start()?;
    let text = "2024-05-01 10:02:12 PANIC: could not write to file: No space left on device";
    let delivered = team.slack.command(CHANNEL, ADA, text);
    assert!(delivered.acked_after.is_some());
    let card = team.message(CHANNEL, "Root cause: Disk full")?;
    assert_eq!(card.thread_ts, None);

    team.slack.command(CHANNEL, BOB, "");
    let modal = clew_tests::until("the form", || Ok(team.slack.modal_of(BOB)))?;
    let shown = shown_view(&modal);
    for part in ["Log lines", "Service", "Severity", "Channel"] {
        assert!(shown.contains(&format!("{{input {part}|")), "{part}: {shown}");
    }
    let logs = "java.lang.OutOfMemoryError: Java heap space\n\tat com.shop.Cart.add(Cart.java:17)";
    let answers = [("logs", logs), ("service", "cart"), ("severity", "critical"), ("channel", CHANNEL)];
    team.slack.submit(BOB, &answers)?;
    let card = team.message(CHANNEL, "Root cause: Memory exhaustion")?;
    assert!(card.shown().contains("critical") && card.shown().contains("cart"), "{}", card.shown());
    assert_eq!(team.slack.modal_of(BOB), None);
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
        team.slack.command(CHANNEL, ADA, words);
        team.whisper(CHANNEL, ADA, part)?;
    }
    team.slack.command(CHANNEL, ADA, "diff");
    clew_tests::until("the form", || Ok(team.slack.modal_of(ADA)))?;
    team.slack.submit(ADA, &[("before", HEALTHY), ("after", FULL_DISK)])?;
    team.whisper(CHANNEL, ADA, "records before")?;
    team.quiet()?;
    assert!(team.slack.messages(CHANNEL).is_empty(), "nobody else saw any of it");
    Ok(())
}

#[test]
fn a_command_where_the_bot_is_not_says_so_and_opens_nothing() -> Outcome {
    let team = Team::start()?;
    team.slack.add_channel("C0ELSEWHERE", "elsewhere");
    team.slack.remove_bot("C0ELSEWHERE");
    team.slack.command("C0ELSEWHERE", ADA, "2024-05-01 10:02:12 ERROR No space left on device");
    let between = team.slack.direct_channel(ADA);
    let said = team.message(&between, "/invite @clew")?;
    assert!(said.shown().contains("#elsewhere"), "{}", said.shown());
    // The shortcut is offered everywhere, too.
    let foreign = team.slack.say("C0ELSEWHERE", None, BOB, FULL_DISK);
    team.slack.shortcut("C0ELSEWHERE", &foreign, BOB, "triage_message")?;
    team.message(&team.slack.direct_channel(BOB), "/invite @clew")?;
    assert_eq!(team.incidents()?, 0);
    Ok(())
}

#[test]
fn a_message_that_somebody_points_to_is_triaged() -> Outcome {
    let team = Team::start()?;
    team.slack.add_channel("C0RANDOM", "random");
    // With the shortcut.
    let root = team.slack.say("C0RANDOM", None, BOB, FULL_DISK);
    team.slack.shortcut("C0RANDOM", &root, ADA, "triage_message")?;
    team.reply("C0RANDOM", &root, "Root cause: Disk full")?;
    // Once more: the answer is that it was done.
    team.slack.shortcut("C0RANDOM", &root, BOB, "triage_message")?;
    team.whisper("C0RANDOM", BOB, "INC-1")?;

    // With a mention in reply to it.
    let other = "java.lang.OutOfMemoryError: Java heap space\n\tat com.shop.Cart.add(Cart.java:17)";
    let root = team.slack.say("C0RANDOM", None, BOB, &format!("```{other}```"));
    team.slack.say("C0RANDOM", Some(&root), ADA, &format!("<@{BOT_USER}> what is this?"));
    team.reply("C0RANDOM", &root, "Root cause: Memory exhaustion")?;

    // In the words that come to mind.
    let root = team.slack.share_file(
        "C0RANDOM",
        None,
        BOB,
        "",
        "app.log",
        b"2024-05-01 10:02:12 ERROR x509: certificate has expired\n",
    );
    team.slack.say("C0RANDOM", Some(&root), ADA, &format!("<@{BOT_USER}> triage this"));
    team.reply("C0RANDOM", &root, "Root cause: TLS")?;

    // With logs in the mention itself.
    let third = "2024-05-01 10:02:12 ERROR too many connections for role \"shop\"\n".repeat(3);
    let root = team.slack.say("C0RANDOM", None, ADA, &format!("<@{BOT_USER}> ```{third}```"));
    team.reply("C0RANDOM", &root, "onnection")?;
    Ok(())
}

#[test]
fn files_are_read_whatever_they_are_packed_in() -> Outcome {
    let team = Team::start()?;
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gzip.write_all(FULL_DISK.as_bytes())?;
    let root = team.slack.share_file(CHANNEL, None, ADA, "", "db.log.gz", &gzip.finish()?);
    team.reply(CHANNEL, &root, "Root cause: Disk full")?;

    // A picture that somebody shares is none of our business, until somebody asks.
    let picture = team.slack.share_file(CHANNEL, None, ADA, "look", "graph.png", b"\x89PNG\r\n\x1a\n");
    team.slack.say(CHANNEL, Some(&picture), ADA, &format!("<@{BOT_USER}>"));
    team.reply(CHANNEL, &picture, "graph.png is no log file")?;

    let mut bomb = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    let line = "2024-05-01 10:02:12 INFO nothing happened here at all, and it goes on like this\n".repeat(1_000);
    for _ in 0..1_000 {
        bomb.write_all(line.as_bytes())?;
    }
    let root = team.slack.share_file(CHANNEL, None, ADA, "", "app.log.gz", &bomb.finish()?);
    team.reply(CHANNEL, &root, "64 MiB")?;
    Ok(())
}

#[test]
fn a_post_of_an_alert_bot_is_answered_once_and_ends_with_it() -> Outcome {
    let slack = FakeSlack::start()?;
    let team = Team::with(slack, &[])?;
    let post = |status: &str, color: &str| {
        let text = "*Alert:* PostgreSQL volume is full on db-1 - `critical`\n*Description:* No space left on device\n\
                    *Details:*\n • *alertname:* `PostgresDiskFull`\n • *instance:* `db-1`\n • *severity:* `critical`";
        let attachment = json!({
            "color": color,
            "title": format!("[{status}] PostgresDiskFull"),
            "title_link": "https://alertmanager.example/#/alerts",
            "text": text,
            "fallback": format!("[{status}] PostgresDiskFull"),
            "mrkdwn_in": ["text"],
        });
        let content = json!({"text": "", "attachments": [attachment]});
        team.slack.post_as_app(CHANNEL, None, "A0AM", "B0AM", "Alertmanager", &content)
    };
    let first = post("FIRING:1", "danger");
    let card = team.reply(CHANNEL, &first, "PostgresDiskFull")?;
    // Told again: one card, and no word more.
    let again = post("FIRING:1", "danger");
    team.quiet()?;
    assert_eq!(team.replies(CHANNEL, &again).len(), 0, "it is known");
    assert_eq!(team.replies(CHANNEL, &first).len(), 1);
    post("RESOLVED", "good");
    team.shows(CHANNEL, &card.ts, "Resolved")?;
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
    let card = team.message(CHANNEL, "INC-1")?;
    let content = json!({"attachments": [{
        "color": "danger", "title": "[FIRING:1] PostgresDiskFull", "title_link": "https://alertmanager.example/",
        "text": "*severity:* critical\n*instance:* db-1", "fallback": "[FIRING:1] PostgresDiskFull"
    }]});
    let post = team.slack.post_as_app(CHANNEL, None, "A0AM", "B0AM", "Alertmanager", &content);
    let reply = team.reply(CHANNEL, &post, "INC-1")?;
    assert!(reply.shown().contains("{link https://team.slack.example/archives/"), "{}", reply.shown());
    team.quiet()?;
    assert_eq!(team.incidents()?, 1);
    assert!(card.shown().contains("No space left on device") || card.shown().contains("volume"), "{}", card.shown());
    Ok(())
}

#[test]
fn talk_in_the_thread_of_an_incident_is_left_alone() -> Outcome {
    let team = Team::start()?;
    let root = team.slack.say(CHANNEL, None, ADA, FULL_DISK);
    team.reply(CHANNEL, &root, "Root cause: Disk full")?;
    team.slack.say(CHANNEL, Some(&root), BOB, "```kubectl rollout undo deploy/shop```");
    team.slack.say(CHANNEL, Some(&root), BOB, "looking better now");
    team.quiet()?;
    assert_eq!(team.replies(CHANNEL, &root).len(), 3, "the card and what Bob said");
    // A command in the thread needs no number.
    team.slack.say(CHANNEL, Some(&root), BOB, &format!("<@{BOT_USER}> ack"));
    let card = team.reply(CHANNEL, &root, "INC-1")?;
    team.shows(CHANNEL, &card.ts, "Acknowledged")?;
    // Said elsewhere, it is answered.
    let elsewhere = team.slack.say(CHANNEL, None, BOB, &format!("<@{BOT_USER}> mitigate INC-1"));
    team.reply(CHANNEL, &elsewhere, "mitigated")?;
    team.slack.say(CHANNEL, Some(&root), BOB, &format!("<@{BOT_USER}> assign <@{ADA}>"));
    team.shows(CHANNEL, &card.ts, "· Ada")?;
    Ok(())
}

#[test]
fn hostile_logs_neither_call_nor_link() -> Outcome {
    let team = Team::start()?;
    let hostile =
        "2024-05-01 10:02:12 ERROR No space left on device <!channel> <@U0ADA> <https://evil.example|sign in> \
                   `*bold*` https://evil.example/?a=1&b=2 &lt;!here&gt;\n"
            .repeat(3);
    let root = team.slack.say(CHANNEL, None, ADA, &format!("```{hostile}```"));
    let shown = team.reply(CHANNEL, &root, "No space left on device")?.shown();
    assert!(!shown.contains("{calls"), "{shown}");
    assert!(!shown.contains("{link https://evil"), "{shown}");
    Ok(())
}

#[test]
fn the_home_tab_shows_what_is_open_and_whose_it_is() -> Outcome {
    let team = Team::start()?;
    team.slack.open_home(ADA);
    let home = clew_tests::until("the page", || Ok(team.slack.home_of(ADA)))?;
    assert!(shown_view(&home).contains("No incident is open."), "{}", shown_view(&home));

    let root = team.slack.say(CHANNEL, None, ADA, FULL_DISK);
    let card = team.reply(CHANNEL, &root, "Root cause: Disk full")?;
    team.slack.press(CHANNEL, &card.ts, ADA, "Acknowledge")?;
    team.shows(CHANNEL, &card.ts, "Acknowledged")?;
    team.slack.open_home(ADA);
    let shown = clew_tests::until("the page", || {
        Ok(team.slack.home_of(ADA).map(|view| shown_view(&view)).filter(|shown| shown.contains("it is yours")))
    })?;
    assert!(shown.contains("{link https://team.slack.example/archives/"), "{shown}");
    team.slack.press_home(ADA, "Triage logs")?;
    clew_tests::until("the form", || Ok(team.slack.modal_of(ADA)))?;
    team.slack.submit(ADA, &[("logs", "java.lang.OutOfMemoryError: Java heap space"), ("channel", CHANNEL)])?;
    team.message(CHANNEL, "Root cause: Memory exhaustion")?;
    Ok(())
}
