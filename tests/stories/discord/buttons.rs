//! What people press, and what everybody sees of it.

use clew_tests::fakes::discord::{CHANNEL, FakeDiscord};
use clew_tests::fakes::faults::Fault;
use clew_tests::until;

use super::{ADA, BOB, Outcome, Team};
use crate::FULL_DISK;

/// A role.
pub const ON_CALL: &str = "1000000000000000088";

#[test]
fn a_second_click_and_a_second_person_are_told_alone_and_change_nothing() -> Outcome {
    let team = Team::start()?;
    let (root, card) = team.incident()?;
    // The card is not drawn anew for a while, so Bob presses what Ada pressed before him.
    team.discord.fail_next("PATCH channels/{}/messages/{}", Fault::RateLimited(3));
    team.discord.press(&card.channel_id, &card.id, ADA, "Acknowledge")?;
    until("Ada to have it", || {
        let incident = team.bot.get("/incidents/INC-1")?.json();
        Ok((incident["state"] == "acknowledged").then_some(()))
    })?;
    team.discord.press(&card.channel_id, &card.id, BOB, "Acknowledge")?;
    let told = team.whisper(BOB, "acknowledged already")?;
    assert!(told.shown().contains("Ada"), "{}", told.shown());
    team.shows(&card, "Acknowledged")?;
    team.quiet()?;
    let timeline = team.bot.get("/incidents/INC-1/events")?.text;
    assert_eq!(timeline.matches("\"acknowledged\"").count(), 1, "{timeline}");
    assert_eq!(team.replies(&root).len(), 1, "the thread stays quiet");
    assert!(team.discord.ephemerals(ADA).is_empty(), "who sees the card change needs no words");
    Ok(())
}

#[test]
fn two_people_resolve_at_once_and_one_of_them_is_told() -> Outcome {
    let team = Team::start()?;
    let (root, card) = team.incident()?;
    for user in [ADA, BOB] {
        team.discord.press(&card.channel_id, &card.id, user, "Resolve")?;
        until("the form", || Ok(team.discord.modal(user)))?;
    }
    team.discord.submit(ADA, &[("cause", ""), ("fix", "grew the volume")])?;
    team.discord.submit(BOB, &[("cause", ""), ("fix", "grew the volume")])?;
    until("one of them to be told", || {
        let told = [ADA, BOB].map(|user| team.discord.ephemerals(user).len());
        Ok((told.iter().sum::<usize>() == 1).then_some(()))
    })?;
    team.quiet()?;
    let said = team.replies(&root).iter().filter(|reply| reply.shown().contains("What fixed it")).count();
    assert_eq!(said, 2, "card and sentence");
    Ok(())
}

#[test]
fn details_come_into_the_thread_once() -> Outcome {
    let team = Team::start()?;
    let (root, card) = team.incident()?;
    team.discord.press(&card.channel_id, &card.id, ADA, "Show details")?;
    team.discord.press(&card.channel_id, &card.id, BOB, "Show details")?;
    let lines = team.reply(&root, "what the lines say")?;
    assert!(lines.shown().contains("Root causes that were weighed"), "{}", lines.shown());
    let rest = team.reply(&root, "what to do, and what happened")?;
    assert!(rest.shown().contains("Timeline") && rest.shown().contains("opened"), "{}", rest.shown());
    team.quiet()?;
    assert_eq!(team.replies(&root).len(), 3);
    Ok(())
}

#[test]
fn a_wrong_cause_is_corrected_by_choosing_the_right_one() -> Outcome {
    let team = Team::start()?;
    let (root, card) = team.incident()?;
    team.discord.choose(&card.channel_id, &card.id, BOB, "Memory exhaustion")?;
    let shown = team.shows(&card, "as a person says")?;
    assert!(shown.contains("Memory exhaustion"), "{shown}");
    team.reply(&root, "Bob (discord) says the root cause is Memory exhaustion")?;
    Ok(())
}

#[test]
fn only_the_role_that_is_named_may_resolve() -> Outcome {
    let discord = FakeDiscord::start()?;
    discord.add_role(ON_CALL, "On Call");
    let team = Team::with(discord, &[("CLEW_DISCORD_ROLE", "@on call")])?;
    team.discord.set_roles(ADA, &[ON_CALL]);
    let (_, card) = team.incident()?;
    team.discord.press(&card.channel_id, &card.id, BOB, "Resolve")?;
    team.whisper(BOB, "only members of the group")?;
    assert_eq!(team.discord.modal(BOB), None);
    team.discord.command(CHANNEL, BOB, Some("resolve INC-1 it was nothing"), None)?;
    until("the refusal", || {
        let told = team.discord.ephemerals(BOB);
        Ok((told.iter().filter(|told| told.shown().contains("only members")).count() == 2).then_some(()))
    })?;
    // Anybody may take it on.
    team.discord.press(&card.channel_id, &card.id, BOB, "Acknowledge")?;
    team.shows(&card, "Acknowledged")?;
    team.discord.press(&card.channel_id, &card.id, ADA, "Resolve")?;
    until("the form", || Ok(team.discord.modal(ADA)))?;
    team.discord.submit(ADA, &[("cause", ""), ("fix", "grew the volume")])?;
    team.shows(&card, "Resolved")?;
    Ok(())
}

#[test]
fn in_a_direct_message_the_card_answers_the_message() -> Outcome {
    let team = Team::start()?;
    let said = team.discord.direct(ADA, FULL_DISK);
    let channel = team.discord.direct_channel(ADA);
    let card = team.message(&channel, "Root cause: Disk full")?;
    assert_eq!(card.raw["message_reference"]["message_id"], said.as_str());
    team.discord.press(&channel, &card.id, ADA, "Acknowledge")?;
    team.shows(&card, "Acknowledged")?;
    // The command works there as well.
    let file = ("app.log", b"2024-05-01 10:02:12 ERROR x509: certificate has expired\n".to_vec());
    team.discord.command(&channel, ADA, None, Some(file))?;
    team.message(&channel, "Root cause: TLS")?;
    // A reply to the card is about it.
    team.discord.reply(&channel, &card.id, ADA, "mitigate");
    team.shows(&card, "Mitigated")?;
    Ok(())
}
