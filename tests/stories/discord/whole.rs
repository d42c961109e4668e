//! The whole way from an alert to its end, in Discord and in Slack at once.

use clew_tests::fakes::discord::{CHANNEL, DiscordMessage, FakeDiscord};
use clew_tests::fakes::slack::{self, APP_TOKEN, FakeSlack};
use clew_tests::{Bot, Failure, until};
use serde_json::json;

use super::{ADA, BOB, Outcome, Team};
use crate::FULL_DISK;

#[test]
fn from_alert_to_resolved_in_one_thread_and_the_next_one_knows_what_fixed_it() -> Outcome {
    let team = Team::with(FakeDiscord::start()?, &[("CLEW_INCIDENTS_REOPEN_HOURS", "0")])?;
    let (root, card) = team.incident()?;
    team.discord.press(&card.channel_id, &card.id, ADA, "Acknowledge")?;
    let shown = team.shows(&card, "Acknowledged")?;
    assert!(shown.contains("Ada"), "{shown}");

    // The connection is cut in the middle of it; more logs in the thread make the verdict anew.
    team.discord.drop_sockets();
    let thread = team.discord.thread_of(&root).ok_or("no thread")?;
    let more = FULL_DISK.lines().rev().collect::<Vec<_>>().join("\n");
    team.discord.say(&thread, BOB, &format!("```{more}```"));
    team.reply(&root, "The card is up to date")?;

    team.discord.press(&card.channel_id, &card.id, BOB, "Resolve")?;
    let form = until("the form", || Ok(team.discord.modal(BOB)))?;
    assert!(form.to_string().contains("What fixed it?"), "{form}");
    team.discord.drop_sockets();
    team.discord.submit(BOB, &[("cause", "the volume was full of old WAL"), ("fix", "grew the volume to 200 GiB")])?;
    let shown = team.shows(&card, "Resolved")?;
    assert!(shown.contains("by Bob") && shown.contains("grew the volume to 200 GiB"), "{shown}");
    let said = team.reply(&root, "What fixed it: grew the volume to 200 GiB")?;
    assert!(said.shown().contains("Bob"), "{}", said.shown());
    team.shows(&card, "Reopen|")?;
    team.quiet()?;
    let replies = team.replies(&root).iter().map(DiscordMessage::shown).collect::<Vec<_>>();
    let own = replies.iter().filter(|shown| !shown.contains("PANIC:  could") || shown.contains("Root cause")).count();
    assert_eq!(own, 3, "card, new verdict, resolved: {replies:#?}");

    // It is knowledge: the same failure elsewhere names this incident, and how it was fixed.
    let other = FULL_DISK.replace("app@shop", "app@books").replace("xlogtemp.913", "xlogtemp.77");
    let body = json!({"title": "books is down", "logs": other.lines().collect::<Vec<_>>(), "service": "books"});
    until("it to be known", || {
        let found = team.bot.post_json("/search", &json!({"query": "volume full of old WAL"}))?;
        Ok(found.text.contains("INC-1").then_some(()))
    })?;
    assert_eq!(team.bot.post_json("/incidents", &body)?.status, 201);
    let next = team.message(CHANNEL, "INC-2")?;
    let shown = team.shows(&next, "grew the volume to 200 GiB")?;
    assert!(shown.contains("{link https://discord.com/channels/"), "{shown}");
    Ok(())
}

/// A team that is in Slack as well.
fn in_both() -> Result<(FakeSlack, Team), Failure> {
    let slack = FakeSlack::start()?;
    let at_slack = [
        ("SLACK_API_URL", slack.url()),
        ("SLACK_BOT_TOKEN", slack::TOKEN.to_owned()),
        ("SLACK_APP_TOKEN", APP_TOKEN.to_owned()),
        ("SLACK_CHANNEL", slack::CHANNEL.to_owned()),
    ];
    let more: Vec<(&str, &str)> = at_slack.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let team = Team::with(FakeDiscord::start()?, &more)?;
    until("the bot to connect", || Ok((slack.open_sockets() >= 2).then_some(())))?;
    Ok((slack, team))
}

#[test]
fn the_same_failure_said_in_the_other_place_is_the_same_incident_with_a_card_there_too() -> Outcome {
    let (slack, team) = in_both()?;
    let root = slack.say(slack::CHANNEL, None, "U0BOB", FULL_DISK);
    let there = until("the card in Slack", || {
        let messages = slack.messages(slack::CHANNEL).into_iter();
        let mut replies = messages.filter(|message| message.thread_ts.as_deref() == Some(&root));
        Ok(replies.find(|message| message.shown().contains("INC-1")))
    })?;
    let (here_root, here) = team.incident()?;
    assert!(here.shown().contains("INC-1"), "{}", here.shown());
    team.discord.press(&here.channel_id, &here.id, ADA, "Acknowledge")?;
    until("the card in Slack to change", || {
        let shown = slack.message(slack::CHANNEL, &there.ts).map(|message| message.shown());
        Ok(shown.filter(|shown| shown.contains("Acknowledged") && shown.contains("Ada")))
    })?;
    team.quiet()?;
    assert_eq!((team.incidents()?, team.replies(&here_root).len()), (1, 1));
    Ok(())
}

#[test]
fn one_incident_lives_in_slack_and_in_discord_and_buttons_work_on_either_side() -> Outcome {
    let (slack, team) = in_both()?;
    alert(&team.bot, "firing")?;
    let here = team.message(CHANNEL, "INC-1")?;
    let there = until("the card in the other place", || {
        Ok(slack.messages(slack::CHANNEL).into_iter().find(|message| message.shown().contains("INC-1")))
    })?;
    let shows_there = |part: &str| {
        until(&format!("the other card to show {part:?}"), || {
            let shown = slack.message(slack::CHANNEL, &there.ts).map(|message| message.shown());
            Ok(shown.filter(|shown| shown.contains(part)))
        })
    };
    team.discord.press(CHANNEL, &here.id, ADA, "Acknowledge")?;
    assert!(shows_there("Acknowledged")?.contains("Ada"));
    assert!(team.shows(&here, "Acknowledged")?.contains("Ada"));
    slack.press(slack::CHANNEL, &there.ts, "U0BOB", "Mitigated")?;
    team.shows(&here, "Mitigated")?;
    shows_there("Mitigated")?;
    slack.press(slack::CHANNEL, &there.ts, "U0BOB", "Resolve")?;
    until("the form", || Ok(slack.modal_of("U0BOB")))?;
    slack.submit("U0BOB", &[("cause", ""), ("fix", "grew the volume")])?;
    for shown in [team.shows(&here, "Resolved")?, shows_there("Resolved")?] {
        assert!(shown.contains("grew the volume") && shown.contains("Bob"), "{shown}");
    }
    let said = team.reply(&here.id, "What fixed it: grew the volume")?;
    assert!(said.shown().contains("Bob (slack)"), "{}", said.shown());
    team.discord.press(CHANNEL, &here.id, BOB, "Reopen")?;
    shows_there("Open")?;
    team.quiet()?;
    assert_eq!(team.incidents()?, 1);
    Ok(())
}

fn alert(bot: &Bot, status: &str) -> Outcome {
    let body = json!({
        "receiver": "clew", "status": status, "groupKey": "{}:{alertname=\"PostgresDiskFull\"}",
        "alerts": [{
            "status": status,
            "labels": {"alertname": "PostgresDiskFull", "severity": "critical", "instance": "db-1"},
            "annotations": {"summary": "The volume of db-1 is full", "description": "No space left on device"},
            "startsAt": "2026-11-23T10:42:44Z",
        }],
    });
    assert_eq!(bot.post_json("/webhooks/alertmanager", &body)?.status, 202);
    Ok(())
}
