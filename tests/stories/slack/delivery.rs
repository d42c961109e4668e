//! Nothing is lost and nothing is done twice, whatever happens to the connection or to the bot.

use std::time::{Duration, Instant};

use clew_tests::fakes::faults::Fault;
use clew_tests::fakes::slack::{CHANNEL, FakeSlack};
use clew_tests::until;

use super::{ADA, Outcome, Team};
use crate::FULL_DISK;

/// Logs of a failure of its own.
fn logs(number: usize) -> String {
    let words = ["amber", "birch", "cedar", "delta", "ember", "fjord", "grove", "heath", "inlet", "jetty"];
    let name = format!("{} {} {}", words[number % 10], words[number / 10 % 10], words[number / 100 % 10]);
    format!("2024-05-01 10:02:12 ERROR the {name} service failed: connection refused by {name}")
}

#[test]
fn what_is_delivered_twice_is_done_once() -> Outcome {
    let team = Team::start()?;
    team.slack.deliver_twice(true);
    let root = team.slack.say(CHANNEL, None, ADA, FULL_DISK);
    let card = team.reply(CHANNEL, &root, "Root cause: Disk full")?;
    team.slack.press(CHANNEL, &card.ts, ADA, "Acknowledge")?;
    team.shows(CHANNEL, &card.ts, "Acknowledged")?;
    team.quiet()?;
    assert_eq!(team.replies(CHANNEL, &root).len(), 1);
    assert!(team.slack.ephemerals(CHANNEL, ADA).is_empty());
    assert!(team.slack.deliveries().iter().filter(|delivered| delivered.sent > 1).count() >= 2);
    Ok(())
}

#[test]
fn a_socket_that_is_refreshed_leaves_no_gap() -> Outcome {
    let team = Team::start()?;
    let before = team.slack.connections();
    team.slack.disconnect_sockets("warning", Duration::from_secs(3));
    let root = team.slack.say(CHANNEL, None, ADA, FULL_DISK);
    team.reply(CHANNEL, &root, "Root cause: Disk full")?;
    until("both sockets to be replaced", || Ok((team.slack.connections() >= before + 2).then_some(())))?;
    let slow = team.slack.deliveries().iter().filter(|delivered| delivered.sent > 1).count();
    assert_eq!(slow, 0, "nothing had to be delivered again");
    Ok(())
}

#[test]
fn connections_that_are_cut_or_die_in_silence_are_replaced() -> Outcome {
    let team = Team::start()?;
    team.slack.drop_sockets();
    let root = team.slack.say(CHANNEL, None, ADA, &logs(1));
    team.reply(CHANNEL, &root, "INC-1")?;
    until("two sockets", || Ok((team.slack.open_sockets() >= 2).then_some(())))?;

    let (before, since) = (team.slack.connections(), Instant::now());
    team.slack.freeze_sockets();
    let root = team.slack.say(CHANNEL, None, ADA, &logs(2));
    until("new sockets", || Ok((team.slack.connections() >= before + 2).then_some(())))?;
    eprintln!("dead sockets were replaced after {:?}", since.elapsed());
    team.reply(CHANNEL, &root, "INC-2")?;
    team.quiet()?;
    assert_eq!(team.replies(CHANNEL, &root).len(), 1);
    Ok(())
}

#[test]
fn a_slack_that_refuses_connections_is_asked_again() -> Outcome {
    let slack = FakeSlack::start()?;
    for fault in [Fault::ServerError(500), Fault::RateLimited(1), Fault::DroppedBefore] {
        slack.fail_next("apps.connections.open", fault);
    }
    let team = Team::with(slack, &[])?;
    let root = team.slack.say(CHANNEL, None, ADA, FULL_DISK);
    team.reply(CHANNEL, &root, "Root cause: Disk full")?;
    Ok(())
}

#[test]
fn a_crash_between_the_answer_to_slack_and_the_post_loses_nothing() -> Outcome {
    let team = Team::start()?;
    // The post fails as long as the bot lives, so the crash comes between.
    for _ in 0..3 {
        team.slack.fail_next("chat.postMessage", Fault::ServerError(500));
    }
    let root = team.slack.say(CHANNEL, None, ADA, FULL_DISK);
    until("the event to be acknowledged", || Ok((team.slack.unacknowledged() == 0).then_some(())))?;
    let team = team.crash()?;
    team.reply(CHANNEL, &root, "Root cause: Disk full")?;
    team.quiet()?;
    assert_eq!(team.replies(CHANNEL, &root).len(), 1);
    Ok(())
}

#[test]
fn a_crash_between_the_post_and_its_note_doubles_nothing() -> Outcome {
    let team = Team::start()?;
    // It is posted, but the bot does not learn of it before it dies.
    team.slack.fail_next("chat.postMessage", Fault::Slow(Duration::from_secs(8)));
    let root = team.slack.say(CHANNEL, None, ADA, FULL_DISK);
    until("the post", || Ok((!team.replies(CHANNEL, &root).is_empty()).then_some(())))?;
    let team = team.crash()?;
    let card = team.reply(CHANNEL, &root, "Root cause: Disk full")?;
    team.quiet()?;
    assert_eq!(team.replies(CHANNEL, &root).len(), 1);
    team.slack.press(CHANNEL, &card.ts, ADA, "Acknowledge")?;
    team.shows(CHANNEL, &card.ts, "Acknowledged")?;
    Ok(())
}

#[test]
fn a_crash_after_a_press_does_what_was_pressed() -> Outcome {
    let team = Team::start()?;
    let root = team.slack.say(CHANNEL, None, ADA, FULL_DISK);
    let card = team.reply(CHANNEL, &root, "Root cause: Disk full")?;
    team.quiet()?;
    let pressed = team.slack.press(CHANNEL, &card.ts, ADA, "Acknowledge")?;
    assert!(pressed.acked_after.is_some());
    let team = team.crash()?;
    team.shows(CHANNEL, &card.ts, "Acknowledged")?;
    Ok(())
}

#[test]
fn events_are_acknowledged_in_time_while_the_analysis_is_busy() -> Outcome {
    let team = Team::start()?;
    let heavy: String =
        (0..40_000).map(|n| format!("2024-05-01 10:02:12 ERROR request {n} of user{n} failed\n")).collect();
    std::thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| (0..3).for_each(|_| drop(team.bot.post("/triage", "text/plain", heavy.as_bytes()))));
        }
        for number in 0..20 {
            team.slack.say(CHANNEL, None, ADA, &logs(number));
            std::thread::sleep(Duration::from_millis(100));
        }
        until("all to be acknowledged", || Ok((team.slack.unacknowledged() == 0).then_some(())))
    })?;
    let delivered = team.slack.deliveries();
    let slowest = delivered.iter().filter_map(|delivered| delivered.acked_after).max();
    eprintln!("the slowest acknowledgement took {slowest:?}");
    assert!(delivered.iter().all(|delivered| delivered.sent == 1), "nothing had to be delivered again");
    Ok(())
}

#[test]
fn many_events_at_once_are_all_answered_in_time_and_at_the_pace_of_slack() -> Outcome {
    const EVENTS: usize = 60;
    let team = Team::start()?;
    team.slack.enforce_pace(true);
    let roots: Vec<String> = (0..EVENTS).map(|number| team.slack.say(CHANNEL, None, ADA, &logs(number))).collect();
    until("all to be acknowledged", || Ok((team.slack.unacknowledged() == 0).then_some(())))?;
    let slowest = team.slack.deliveries().iter().filter_map(|delivered| delivered.acked_after).max();
    assert!(slowest.is_some_and(|slowest| slowest < Duration::from_secs(3)), "{slowest:?}");
    let again = team.slack.deliveries().iter().filter(|delivered| delivered.sent > 1).count();
    assert_eq!(again, 0);
    until("all cards", || {
        let answered = roots.iter().filter(|root| !team.replies(CHANNEL, root).is_empty()).count();
        Ok((answered == EVENTS).then_some(()))
    })?;
    let refused = team.slack.calls("chat.postMessage").iter().filter(|call| call.outcome == "429").count();
    assert_eq!(refused, 0, "the pace was kept, so nobody had to be told");
    Ok(())
}
