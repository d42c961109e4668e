//! Signed HTTP instead of the gateway: the same things happen.

use std::time::Duration;

use clew_tests::fakes::discord::{CHANNEL, FakeDiscord};
use clew_tests::{Bot, Failure, until};

use super::buttons::ON_CALL;
use super::{ADA, BOB, Outcome, borrowed, environment};
use crate::CLEW;

fn start() -> Result<(FakeDiscord, Bot), Failure> {
    let discord = FakeDiscord::start()?;
    discord.add_role(ON_CALL, "On Call");
    discord.add_member(ADA, "Ada", &[ON_CALL]);
    discord.add_member(BOB, "Bob", &[]);
    let key = discord.public_key();
    let more = [
        ("DISCORD_PUBLIC_KEY", key.as_str()),
        ("CLEW_DISCORD_GATEWAY", "off"),
        ("CLEW_API_KEYS", "some-key"),
        ("CLEW_DISCORD_ROLE", "On Call"),
    ];
    let bot = Bot::start(CLEW, &borrowed(&environment(&discord, &more)))?;
    discord.deliver_interactions_to(&format!("http://{}/discord/interactions", bot.host_and_port()));
    until("the commands", || Ok((discord.commands().len() >= 2).then_some(())))?;
    Ok((discord, bot))
}

#[test]
fn what_people_do_arrives_signed_and_is_answered() -> Outcome {
    let (discord, _bot) = start()?;
    discord.command(CHANNEL, ADA, Some("2024-05-01 10:02:12 PANIC: No space left on device"), None)?;
    let card = until("the card", || {
        Ok(discord.messages(CHANNEL).into_iter().find(|message| message.shown().contains("Root cause: Disk full")))
    })?;
    discord.press(CHANNEL, &card.id, ADA, "Acknowledge")?;
    until("the card to change", || {
        Ok(discord.message(CHANNEL, &card.id).filter(|card| card.shown().contains("Acknowledged")))
    })?;
    discord.press(CHANNEL, &card.id, BOB, "Resolve")?;
    until("the refusal", || {
        let mut told = discord.ephemerals(BOB).into_iter();
        Ok(told.find(|told| told.shown().contains("only members of the group")))
    })?;
    discord.press(CHANNEL, &card.id, ADA, "Resolve")?;
    until("the form", || Ok(discord.modal(ADA)))?;
    discord.submit(ADA, &[("fix", "grew the volume")])?;
    until("the card to change", || {
        Ok(discord.message(CHANNEL, &card.id).filter(|card| card.shown().contains("Resolved")))
    })?;
    discord.command(CHANNEL, ADA, None, None)?;
    until("the form", || Ok(discord.modal(ADA)))?;
    discord.submit(ADA, &[("logs", "java.lang.OutOfMemoryError: Java heap space")])?;
    until("the second card", || {
        let mut messages = discord.messages(CHANNEL).into_iter();
        Ok(messages.find(|message| message.shown().contains("Root cause: Memory exhaustion")))
    })?;
    discord.command(CHANNEL, ADA, Some("list"), None)?;
    until("the answer", || Ok(discord.ephemerals(ADA).into_iter().find(|message| message.shown().contains("INC-2"))))?;
    assert_eq!(discord.connections(), 0, "no gateway was opened");
    assert!(discord.interactions().iter().all(|interaction| !interaction.failed));
    Ok(())
}

#[test]
fn what_discord_did_not_sign_is_refused() -> Outcome {
    let (discord, bot) = start()?;
    let url = format!("http://{}/discord/interactions", bot.host_and_port());
    let pong = discord.ping(&url)?;
    assert_eq!((pong.status, pong.json()["type"].as_u64()), (200, Some(1)), "{}", pong.text);
    assert_eq!(discord.post_with_bad_signature(&url)?.status, 401, "Discord tries this, and wants to be refused");
    let old = discord.post_signed_before(&url, Duration::from_mins(10))?;
    assert_eq!(old.status, 401);
    assert!(old.text.contains("five minutes"), "{}", old.text);
    let body = br#"{"type":1}"#;
    assert_eq!(bot.post_as_stranger("/discord/interactions", "application/json", body, &[])?.status, 401);
    Ok(())
}
