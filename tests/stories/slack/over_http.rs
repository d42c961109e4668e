//! Signed HTTP instead of sockets: the same things happen.

use clew_tests::fakes::slack::{CHANNEL, FakeSlack, SIGNING_SECRET, TOKEN, sign};
use clew_tests::{Bot, Failure, until};

use super::{ADA, Outcome};
use crate::{CLEW, FULL_DISK};

fn start() -> Result<(FakeSlack, Bot), Failure> {
    let slack = FakeSlack::start()?;
    let bot = Bot::start(
        CLEW,
        &[
            ("SLACK_API_URL", &slack.url()),
            ("SLACK_BOT_TOKEN", TOKEN),
            ("SLACK_SIGNING_SECRET", SIGNING_SECRET),
            ("SLACK_CHANNEL", CHANNEL),
            ("CLEW_API_KEYS", "some-key"),
        ],
    )?;
    slack.deliver_to(&format!("http://{}", bot.host_and_port()));
    Ok((slack, bot))
}

#[test]
fn what_people_do_arrives_signed_and_is_done_once() -> Outcome {
    let (slack, bot) = start()?;
    let verified = slack.verify_url(&format!("http://{}", bot.host_and_port()))?;
    assert_eq!(verified.status, 200);
    slack.deliver_twice(true);
    let root = slack.say(CHANNEL, None, ADA, FULL_DISK);
    let replies = || -> Vec<_> {
        slack.messages(CHANNEL).into_iter().filter(|m| m.thread_ts.as_deref() == Some(root.as_str())).collect()
    };
    let card = until("the card", || Ok(replies().into_iter().next()))?;
    slack.press(CHANNEL, &card.ts, ADA, "Acknowledge")?;
    until("the card to change", || {
        Ok(slack.message(CHANNEL, &card.ts).filter(|card| card.shown().contains("Acknowledged")))
    })?;
    slack.deliver_twice(false);
    slack.command(CHANNEL, ADA, "");
    until("the form", || Ok(slack.modal_of(ADA)))?;
    slack.submit(ADA, &[("logs", "java.lang.OutOfMemoryError: Java heap space"), ("channel", CHANNEL)])?;
    until("the second card", || {
        Ok(slack
            .messages(CHANNEL)
            .into_iter()
            .find(|message| message.shown().contains("Root cause: Memory exhaustion")))
    })?;
    assert_eq!(replies().len(), 1);
    Ok(())
}

#[test]
fn what_slack_did_not_sign_is_refused() -> Outcome {
    let (slack, bot) = start()?;
    let body = r#"{"type":"event_callback","event_id":"Ev1","event":{"type":"message"}}"#;
    let now = clew_tests::fakes::clock::since_epoch().as_secs();
    let send = |timestamp: u64, signature: &str| {
        let timestamp = timestamp.to_string();
        let headers = [("x-slack-request-timestamp", timestamp.as_str()), ("x-slack-signature", signature)];
        bot.post_as_stranger("/slack/events", "application/json", body.as_bytes(), &headers)
    };
    let signature = |timestamp: u64| sign(body, timestamp).1;
    assert_eq!(send(now, &signature(now))?.status, 200);
    assert_eq!(send(now, "v0=00")?.status, 401);
    assert_eq!(send(now + 1, &signature(now))?.status, 401);
    let old = send(now - 600, &signature(now - 600))?;
    assert_eq!(old.status, 401);
    assert!(old.text.contains("five minutes"), "{}", old.text);
    assert_eq!(bot.post_as_stranger("/slack/events", "application/json", body.as_bytes(), &[])?.status, 401);
    drop(slack);
    Ok(())
}
