//! Nothing is lost and nothing is done twice, whatever happens to the connection or to the bot.

use std::time::Duration;

use clew_tests::fakes::discord::{BOT_USER, CHANNEL, DiscordMessage, FakeDiscord};
use clew_tests::fakes::faults::Fault;
use clew_tests::until;

use super::{ADA, BOB, Outcome, Team};
use crate::FULL_DISK;

const POST: &str = "POST channels/{}/messages";

/// Logs of a failure of its own.
fn logs(number: usize) -> String {
    let words = ["amber", "birch", "cedar", "delta", "ember", "fjord", "grove", "heath", "inlet", "jetty"];
    let name = format!("{} {} {}", words[number % 10], words[number / 10 % 10], words[number / 100 % 10]);
    format!("2024-05-01 10:02:12 ERROR the {name} service failed: connection refused by {name}")
}

/// Every message of `roots` is answered once.
fn all_once(team: &Team, roots: &[String]) -> Outcome {
    for root in roots {
        team.reply(root, "INC-")?;
    }
    team.quiet()?;
    for root in roots {
        let shown: Vec<_> = team.replies(root).iter().map(DiscordMessage::shown).collect();
        assert_eq!(shown.len(), 1, "{shown:#?}");
    }
    assert_eq!(team.incidents()?, roots.len());
    Ok(())
}

#[test]
fn a_gateway_that_is_cut_in_the_middle_is_resumed_and_nothing_is_missing() -> Outcome {
    let team = Team::start()?;
    let mut roots = Vec::new();
    for number in 0..6 {
        if number % 2 == 1 {
            team.discord.drop_sockets();
        }
        roots.push(team.discord.say(CHANNEL, ADA, &logs(number)));
    }
    all_once(&team, &roots)?;
    assert_eq!(team.discord.identifies().len(), 1, "no new session was needed");
    let resumes = team.discord.resumes();
    assert!(!resumes.is_empty());
    assert!(resumes.iter().all(|resume| resume.to_string().contains("resume")), "{resumes:?}");
    Ok(())
}

#[test]
fn a_connection_that_died_in_silence_is_resumed() -> Outcome {
    let discord = FakeDiscord::start()?;
    discord.set_heartbeat(Duration::from_millis(1_500));
    let team = Team::with(discord, &[])?;
    team.discord.freeze_sockets();
    let root = team.discord.say(CHANNEL, ADA, FULL_DISK);
    all_once(&team, &[root])?;
    assert_eq!(team.discord.identifies().len(), 1);
    assert_eq!(team.discord.resumes().len(), 1);
    Ok(())
}

#[test]
fn discord_may_ask_to_reconnect_or_end_the_session() -> Outcome {
    let team = Team::start()?;
    let mut roots = vec![team.discord.say(CHANNEL, ADA, &logs(0))];
    team.reply(&roots[0], "INC-")?;
    team.discord.ask_to_reconnect();
    roots.push(team.discord.say(CHANNEL, ADA, &logs(1)));
    until("the session to be resumed", || Ok((team.discord.resumes().len() == 1).then_some(())))?;
    team.discord.invalidate_sessions(true);
    roots.push(team.discord.say(CHANNEL, ADA, &logs(2)));
    until("the session to be resumed", || Ok((team.discord.resumes().len() == 2).then_some(())))?;
    for (number, code) in [(3, 4_000), (4, 1_001)] {
        team.discord.close_sockets(code);
        roots.push(team.discord.say(CHANNEL, ADA, &logs(number)));
    }
    // A session that is over is begun anew, and what was said in between is read from the channel.
    team.discord.invalidate_sessions(false);
    roots.push(team.discord.say(CHANNEL, ADA, &logs(5)));
    let thread = team.discord.thread_of(&roots[0]).ok_or("no thread")?;
    team.discord.say(&thread, BOB, &format!("<@{BOT_USER}> ack"));
    for root in &roots {
        team.reply(root, "INC-")?;
    }
    let card = team.reply(&roots[0], "INC-")?;
    team.shows(&card, "Acknowledged")?;
    team.quiet()?;
    assert_eq!(team.incidents()?, roots.len());
    Ok(())
}

#[test]
fn what_is_said_while_the_bot_is_dead_is_answered_when_it_is_back() -> Outcome {
    let team = Team::start()?;
    let first = team.discord.say(CHANNEL, ADA, &logs(0));
    let card = team.reply(&first, "INC-1")?;
    team.quiet()?;
    // How far it has heard is noted every second.
    std::thread::sleep(Duration::from_millis(1_500));
    let mut roots = vec![first];
    // The session is resumed by the next process.
    let team = team.crash(|discord| roots.push(discord.say(CHANNEL, ADA, &logs(1))))?;
    team.reply(&roots[1], "INC-2")?;
    assert_eq!(team.discord.identifies().len(), 1, "{:?}", team.discord.identifies());
    // When it is gone, what was said is read from the channel.
    let team = team.crash(|discord| {
        discord.forget_sessions();
        // A second session within five seconds is refused, and asked for again.
        discord.let_time_pass(Duration::from_secs(6));
        roots.push(discord.say(CHANNEL, ADA, &logs(2)));
    })?;
    all_once(&team, &roots)?;
    assert_eq!(team.discord.identifies().len(), 2);
    team.discord.press(&card.channel_id, &card.id, ADA, "Acknowledge")?;
    team.shows(&card, "Acknowledged")?;
    Ok(())
}

#[test]
fn a_crash_between_the_post_and_its_note_doubles_nothing() -> Outcome {
    let team = Team::start()?;
    // It is posted, but the bot does not learn of it before it dies.
    team.discord.fail_next(POST, Fault::Slow(Duration::from_secs(8)));
    let root = team.discord.say(CHANNEL, ADA, FULL_DISK);
    until("the post", || Ok((!team.replies(&root).is_empty()).then_some(())))?;
    // So long that Discord no longer knows the nonce.
    let team = team.crash(|discord| {
        discord.forget_sessions();
        discord.let_time_pass(Duration::from_mins(10));
    })?;
    let card = team.reply(&root, "Root cause: Disk full")?;
    team.quiet()?;
    assert_eq!(team.replies(&root).len(), 1);
    team.discord.press(&card.channel_id, &card.id, ADA, "Acknowledge")?;
    team.shows(&card, "Acknowledged")?;
    Ok(())
}

#[test]
fn an_answer_that_gets_lost_is_no_second_message() -> Outcome {
    let team = Team::start()?;
    team.discord.fail_next(POST, Fault::DroppedAfter);
    let (root, card) = team.incident()?;
    team.discord.press(&card.channel_id, &card.id, ADA, "Mitigated")?;
    team.shows(&card, "Mitigated")?;
    team.discord.fail_next(POST, Fault::DroppedAfter);
    team.discord.command(CHANNEL, ADA, Some("resolve INC-1 grew the volume"), None)?;
    team.reply(&root, "What fixed it: grew the volume")?;
    team.quiet()?;
    assert_eq!(team.replies(&root).len(), 2, "card and sentence");
    Ok(())
}

#[test]
fn a_crash_after_a_press_does_what_was_pressed_and_answers_who_asked() -> Outcome {
    let team = Team::start()?;
    let (_, card) = team.incident()?;
    team.quiet()?;
    for _ in 0..3 {
        team.discord.fail_next("PATCH webhooks/{}/{}/messages/@original", Fault::ServerError(500));
    }
    team.discord.press(&card.channel_id, &card.id, ADA, "Acknowledge")?;
    team.discord.command(CHANNEL, BOB, Some("status INC-1"), None)?;
    until("all to be answered at once", || {
        Ok(team.discord.interactions().iter().all(|interaction| interaction.answer.is_some()).then_some(()))
    })?;
    let team = team.crash(|_| {})?;
    team.shows(&card, "Acknowledged")?;
    team.whisper(BOB, "INC-1")?;
    assert_eq!(team.discord.awaits(BOB), 0);
    Ok(())
}

#[test]
fn interactions_are_answered_in_time_while_the_analysis_is_busy() -> Outcome {
    let team = Team::start()?;
    let heavy: String =
        (0..40_000).map(|n| format!("2024-05-01 10:02:12 ERROR request {n} of user{n} failed\n")).collect();
    std::thread::scope(|scope| -> Outcome {
        for _ in 0..6 {
            scope.spawn(|| (0..3).for_each(|_| drop(team.bot.post("/triage", "text/plain", heavy.as_bytes()))));
        }
        for _ in 0..15 {
            team.discord.command(CHANNEL, ADA, Some("status"), None)?;
            std::thread::sleep(Duration::from_millis(100));
        }
        until("all to be answered", || {
            Ok(team.discord.interactions().iter().all(|interaction| interaction.answer.is_some()).then_some(()))
        })
    })?;
    let slowest = team.discord.interactions().iter().map(|interaction| interaction.after).max();
    eprintln!("the slowest first answer took {slowest:?}");
    assert!(team.discord.interactions().iter().all(|interaction| !interaction.failed));
    Ok(())
}

#[test]
fn many_messages_at_once_are_all_answered_at_the_pace_of_discord() -> Outcome {
    const MESSAGES: usize = 20;
    let team = Team::start()?;
    team.discord.enforce_limits(true);
    let roots: Vec<String> = (0..MESSAGES).map(|number| team.discord.say(CHANNEL, ADA, &logs(number))).collect();
    until("all cards", || {
        let answered = roots.iter().filter(|root| !team.replies(root).is_empty()).count();
        Ok((answered == MESSAGES).then_some(()))
    })?;
    let refused = team.discord.calls(POST).iter().filter(|call| call.outcome == "429").count();
    assert_eq!(refused, 0, "the limits were kept, so nobody had to be told");
    Ok(())
}

#[test]
fn a_discord_that_asks_to_wait_gets_what_it_asks_for() -> Outcome {
    let team = Team::start()?;
    team.discord.fail_next(POST, Fault::RateLimited(1));
    team.discord.fail_next(POST, Fault::ServerError(502));
    let (root, _) = team.incident()?;
    team.quiet()?;
    assert_eq!(team.replies(&root).len(), 1);
    Ok(())
}
