//! What people press, and what everybody sees of it.

use clew_tests::fakes::slack::{CHANNEL, FakeSlack, SlackMessage, shown_view};
use clew_tests::{Failure, until};
use serde_json::json;

use super::{ADA, BOB, Outcome, Team};
use crate::FULL_DISK;

/// A card in the thread of logs that Ada pasted, and the message with the logs.
fn incident(team: &Team) -> Result<(String, SlackMessage), Failure> {
    let root = team.slack.say(CHANNEL, None, ADA, &format!("```{FULL_DISK}```"));
    let card = team.reply(CHANNEL, &root, "Root cause: Disk full")?;
    Ok((root, card))
}

#[test]
fn from_alert_to_resolved_in_one_thread_and_the_next_one_knows_what_fixed_it() -> Outcome {
    let team = Team::with(FakeSlack::start()?, &[("CLEW_INCIDENTS_REOPEN_HOURS", "0")])?;
    let (root, card) = incident(&team)?;
    team.slack.press(CHANNEL, &card.ts, ADA, "Acknowledge")?;
    let shown = team.shows(CHANNEL, &card.ts, "Acknowledged")?;
    assert!(shown.contains("Ada"), "{shown}");

    // More logs in the thread make the verdict anew.
    team.slack.say(
        CHANNEL,
        Some(&root),
        BOB,
        &format!("```{}```", FULL_DISK.lines().rev().collect::<Vec<_>>().join("\n")),
    );
    team.reply(CHANNEL, &root, "The card is up to date")?;

    team.slack.press(CHANNEL, &card.ts, BOB, "Resolve")?;
    let form = until("the form", || Ok(team.slack.modal_of(BOB)))?;
    assert!(shown_view(&form).contains("What fixed it?"), "{}", shown_view(&form));
    team.slack.submit(BOB, &[("cause", "the volume was full of old WAL"), ("fix", "grew the volume to 200 GiB")])?;
    let shown = team.shows(CHANNEL, &card.ts, "Resolved")?;
    assert!(shown.contains("by Bob") && shown.contains("grew the volume to 200 GiB"), "{shown}");
    let said = team.reply(CHANNEL, &root, "What fixed it: grew the volume to 200 GiB")?;
    assert!(said.shown().contains("Bob"), "{}", said.shown());
    assert!(team.shows(CHANNEL, &card.ts, "Reopen|")?.contains("Reopen|"));

    // It is knowledge: the same failure elsewhere names this incident, and how it was fixed.
    let other = FULL_DISK.replace("app@shop", "app@books").replace("xlogtemp.913", "xlogtemp.77");
    let body = json!({"title": "books is down", "logs": other.lines().collect::<Vec<_>>(), "service": "books"});
    until("it to be known", || {
        let found = team.bot.post_json("/search", &json!({"query": "volume full of old WAL"}))?;
        Ok(found.text.contains("INC-1").then_some(()))
    })?;
    assert_eq!(team.bot.post_json("/incidents", &body)?.status, 201);
    let next = team.message(CHANNEL, "INC-2")?;
    let shown = team.shows(CHANNEL, &next.ts, "grew the volume to 200 GiB")?;
    assert!(shown.contains("{link https://team.slack.example/archives/"), "{shown}");
    Ok(())
}

#[test]
fn a_second_click_and_a_second_person_are_told_in_private_and_change_nothing() -> Outcome {
    let team = Team::start()?;
    let (root, card) = incident(&team)?;
    let first = team.slack.press(CHANNEL, &card.ts, ADA, "Acknowledge")?;
    team.slack.press_as_sent(&first.payload);
    team.shows(CHANNEL, &card.ts, "Acknowledged")?;
    // Bob still sees the old card and presses what Ada pressed.
    let mut late = first.payload.clone();
    late["user"] = json!({"id": BOB, "username": "bob", "name": "bob", "team_id": "T0TEAM"});
    late["trigger_id"] = json!("1.2.late");
    team.slack.press_as_sent(&late);
    let told = team.whisper(CHANNEL, BOB, "acknowledged already")?;
    assert!(told.shown().contains("Ada"), "{}", told.shown());
    team.quiet()?;
    let timeline = team.bot.get("/incidents/INC-1/events")?.text;
    assert_eq!(timeline.matches("\"acknowledged\"").count(), 1, "{timeline}");
    assert_eq!(team.replies(CHANNEL, &root).len(), 1, "the thread stays quiet");
    assert!(team.slack.ephemerals(CHANNEL, ADA).is_empty(), "the same press twice is one");
    Ok(())
}

#[test]
fn two_people_resolve_at_once_and_one_of_them_is_told() -> Outcome {
    let team = Team::start()?;
    let (root, card) = incident(&team)?;
    for user in [ADA, BOB] {
        team.slack.press(CHANNEL, &card.ts, user, "Resolve")?;
        until("the form", || Ok(team.slack.modal_of(user)))?;
    }
    team.slack.submit(ADA, &[("cause", ""), ("fix", "grew the volume")])?;
    team.slack.submit(BOB, &[("cause", ""), ("fix", "grew the volume")])?;
    team.whisper(CHANNEL, BOB, "resolved already")?;
    team.quiet()?;
    let said = team.replies(CHANNEL, &root).iter().filter(|reply| reply.shown().contains("What fixed it")).count();
    // The card shows it, too.
    assert_eq!(said, 2, "card and sentence");
    Ok(())
}

#[test]
fn details_come_into_the_thread_once() -> Outcome {
    let team = Team::start()?;
    let (root, card) = incident(&team)?;
    team.slack.press(CHANNEL, &card.ts, ADA, "Show details")?;
    team.slack.press(CHANNEL, &card.ts, BOB, "Show details")?;
    let lines = team.reply(CHANNEL, &root, "what the lines say")?;
    assert!(lines.shown().contains("Root causes that were weighed"), "{}", lines.shown());
    let rest = team.reply(CHANNEL, &root, "what to do, and what happened")?;
    assert!(rest.shown().contains("Timeline") && rest.shown().contains("opened"), "{}", rest.shown());
    team.quiet()?;
    assert_eq!(team.replies(CHANNEL, &root).len(), 3);
    Ok(())
}

#[test]
fn a_wrong_cause_is_corrected_by_choosing_the_right_one() -> Outcome {
    let team = Team::start()?;
    let (root, card) = incident(&team)?;
    team.slack.press(CHANNEL, &card.ts, BOB, "Memory exhaustion")?;
    let shown = team.shows(CHANNEL, &card.ts, "as a person says")?;
    assert!(shown.contains("Memory exhaustion"), "{shown}");
    team.reply(CHANNEL, &root, "Bob (slack) says the root cause is Memory exhaustion")?;
    Ok(())
}

#[test]
fn only_the_group_that_is_named_may_resolve() -> Outcome {
    let slack = FakeSlack::start()?;
    slack.add_usergroup("S0ONCALL", "oncall", &[ADA]);
    let team = Team::with(slack, &[("CLEW_SLACK_GROUP", "@oncall")])?;
    let (_, card) = incident(&team)?;
    team.slack.press(CHANNEL, &card.ts, BOB, "Resolve")?;
    team.whisper(CHANNEL, BOB, "only members of the group")?;
    assert_eq!(team.slack.modal_of(BOB), None);
    team.slack.command(CHANNEL, BOB, "resolve INC-1 it was nothing");
    until("the refusal", || {
        let told = team.slack.ephemerals(CHANNEL, BOB);
        Ok((told.iter().filter(|told| told.shown().contains("only members")).count() == 2).then_some(()))
    })?;
    // Anybody may take it on.
    team.slack.press(CHANNEL, &card.ts, BOB, "Acknowledge")?;
    team.shows(CHANNEL, &card.ts, "Acknowledged")?;
    team.slack.press(CHANNEL, &card.ts, ADA, "Resolve")?;
    until("the form", || Ok(team.slack.modal_of(ADA)))?;
    team.slack.submit(ADA, &[("cause", ""), ("fix", "grew the volume")])?;
    team.shows(CHANNEL, &card.ts, "Resolved")?;
    Ok(())
}

#[test]
fn a_form_that_comes_too_late_says_so() -> Outcome {
    let team = Team::start()?;
    let (_, card) = incident(&team)?;
    team.slack.fail_next("views.open", clew_tests::fakes::faults::Fault::Refused("expired_trigger_id".into()));
    team.slack.press(CHANNEL, &card.ts, ADA, "Resolve")?;
    team.whisper(CHANNEL, ADA, "again")?;
    Ok(())
}
