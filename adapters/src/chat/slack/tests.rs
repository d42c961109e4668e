use clew_tests::Failure;
use clew_tests::fakes::faults::{Fault, Faults};
use clew_tests::fakes::slack::{CHANNEL, FakeSlack, TOKEN};

use super::*;
use crate::chat::{Span, conformance};

type Outcome = Result<(), Failure>;

fn channel() -> Place {
    Place { channel: CHANNEL.into(), thread: None }
}

fn hello() -> Rich {
    vec![Span::Text("hello".into())]
}

fn settings(api_url: &str, bot_token: &str) -> Settings {
    let set = |key: &str| match key {
        "api_url" => Some(api_url.to_owned()),
        "bot_token" => Some(bot_token.to_owned()),
        _ => None,
    };
    Settings::read(&set)
}

fn slack(fake: &FakeSlack) -> Result<Slack, Error> {
    Slack::new(settings(&fake.url(), TOKEN))
}

#[tokio::test]
async fn it_does_what_every_platform_must() -> Outcome {
    let fake = FakeSlack::start()?;
    let shown = |at: &MessageRef| fake.message(CHANNEL, &at.id).map(|message| message.shown()).unwrap_or_default();
    conformance::conformance(&slack(&fake)?, &channel(), shown).await;
    Ok(())
}

#[tokio::test]
async fn a_message_whose_answer_was_lost_is_found_again() -> Outcome {
    let fake = FakeSlack::start()?;
    let slack = slack(&fake)?;
    fake.fail_next("chat.postMessage", Fault::DroppedAfter);
    let lost = slack.say(&channel(), &hello(), "said-12").await;
    assert!(matches!(lost, Err(Error::Transient { .. })), "{lost:?}");
    let found = slack.find(&channel(), "said-12").await?;
    assert_eq!(found.map(|at| at.id), fake.messages(CHANNEL).first().map(|message| message.ts.clone()));
    Ok(())
}

#[tokio::test]
async fn what_may_work_later_is_transient() -> Outcome {
    let fake = FakeSlack::start()?;
    let slack = slack(&fake)?.hurried(Duration::from_millis(200))?;
    for (fault, wait) in [
        (Fault::RateLimited(7), Some(Duration::from_secs(7))),
        (Fault::ServerError(503), None),
        (Fault::DroppedBefore, None),
        (Fault::Slow(Duration::from_secs(1)), None),
        (Fault::Refused("internal_error".into()), None),
    ] {
        fake.fail_next("chat.postMessage", fault.clone());
        match slack.say(&channel(), &hello(), "said-12").await {
            Err(Error::Transient { retry_after, .. }) => assert_eq!(retry_after, wait, "{fault:?}"),
            other => return Err(format!("{fault:?}: {other:?}").into()),
        }
    }
    Ok(())
}

#[tokio::test]
async fn refusals_say_what_to_do() -> Outcome {
    let fake = FakeSlack::start()?;
    let slack = slack(&fake)?;
    let nowhere = Place { channel: "C0NOWHERE".into(), thread: None };
    let error = slack.say(&nowhere, &hello(), "k").await.err();
    assert!(
        matches!(&error, Some(Error::Closed(why)) if why.contains("/invite @clew") && why.contains("C0NOWHERE")),
        "{error:?}"
    );

    let thread = Place { thread: Some("1.1".into()), ..channel() };
    assert!(matches!(slack.say(&thread, &hello(), "k").await, Err(Error::Gone(_))));
    assert_eq!(slack.find(&thread, "k").await?, None);

    let foreign = MessageRef { place: channel(), id: fake.write(CHANNEL, None, "U1", "mine") };
    assert!(matches!(slack.update(&foreign, &card()).await, Err(Error::Gone(_))));

    for code in ["invalid_blocks", "msg_too_long"] {
        fake.fail_next("chat.postMessage", Fault::Refused(code.into()));
        let error = slack.say(&channel(), &hello(), "k").await.err();
        assert!(matches!(&error, Some(Error::Permanent(why)) if why.contains(code)), "{error:?}");
    }

    slack.reaches(&channel()).await?;
    fake.remove_bot(CHANNEL);
    assert!(matches!(slack.reaches(&channel()).await, Err(Error::Closed(why)) if why.contains("/invite @clew")));

    fake.set_scopes(&["chat:write"]);
    let error = slack.find(&channel(), "k").await.err();
    assert!(matches!(&error, Some(Error::Auth(why)) if why.contains("channels:history")), "{error:?}");
    fake.revoke_token();
    assert!(matches!(slack.inner.people.introduce(&slack.inner.api).await, Err(Error::Auth(_))));
    Ok(())
}

#[tokio::test]
async fn a_card_is_found_behind_many_other_messages() -> Outcome {
    let fake = FakeSlack::start()?;
    let slack = slack(&fake)?;
    let at = slack.post(&channel(), &card(), "card-12").await?;
    for n in 0..450 {
        drop(fake.write(CHANNEL, None, "U1", &format!("message {n}")));
        drop(fake.write(CHANNEL, Some(&at.id), "U1", &format!("reply {n}")));
    }
    let reply = slack.say(&at.thread(), &hello(), "said-12").await?;
    assert_eq!(slack.find(&channel(), "card-12").await?, Some(at.clone()));
    assert_eq!(fake.calls("conversations.history").len(), 3);
    assert_eq!(slack.find(&at.thread(), "said-12").await?, Some(reply));
    assert_eq!(slack.find(&channel(), "card-13").await?, None);
    Ok(())
}

#[tokio::test]
async fn metadata_of_other_apps_may_be_anything() -> Outcome {
    let fake = FakeSlack::start()?;
    let slack = slack(&fake)?;
    let at = slack.say(&channel(), &hello(), "said-12").await?;
    for payload in [json!({"key": ["said-12"]}), json!({"deep": {"key": 1}})] {
        let metadata = json!({"event_type": "other", "event_payload": payload});
        let request = json!({"channel": CHANNEL, "text": "x", "metadata": metadata});
        let _: Posted = slack.inner.api.send("chat.postMessage", CHANNEL, &request).await?;
    }
    assert_eq!(slack.find(&channel(), "said-12").await?, Some(at));
    Ok(())
}

#[tokio::test]
async fn nothing_is_posted_twice_or_lost_when_half_of_the_calls_go_wrong() -> Outcome {
    let fake = FakeSlack::start()?;
    let slack = slack(&fake)?;
    let faults =
        Faults { rate_limited: 0.1, server_error: 0.1, dropped_before: 0.15, dropped_after: 0.15, ..Faults::default() };
    fake.fail(faults, 42);
    for n in 0..30 {
        let key = format!("said-{n}");
        while slack.say(&channel(), &hello(), &key).await.is_err() {
            let found = loop {
                if let Ok(found) = slack.find(&channel(), &key).await {
                    break found;
                }
            };
            if found.is_some() {
                break;
            }
        }
    }
    assert_eq!(fake.messages(CHANNEL).len(), 30);
    Ok(())
}

#[test]
fn the_token_is_never_shown_and_wrong_settings_are_refused() -> Outcome {
    let slack = Slack::new(settings(API, "xoxb-secret"))?;
    assert_eq!(format!("{slack:?}"), r#"Slack { api: Api { address: "https://slack.com/api", .. }, .. }"#);
    let refused = |url: &str, token: &str| Slack::new(settings(url, token)).err().map(|e| e.to_string());
    let plain = refused("http://proxy.example/api", "xoxb-secret").unwrap_or_default();
    assert!(plain.contains("SLACK_API_URL") && plain.contains("https"), "{plain}");
    for token in ["", "  ", "xoxb-\nsecret", "xapp-secret"] {
        let why = refused(API, token).unwrap_or_default();
        assert!(why.contains("SLACK_BOT_TOKEN") && !why.contains("secret"), "{token}: {why}");
    }
    Ok(())
}

#[tokio::test]
async fn errors_never_hold_the_token() -> Outcome {
    let fake = FakeSlack::start()?;
    let slack = Slack::new(settings(&fake.url(), "xoxb-secret"))?;
    let error = slack.inner.people.introduce(&slack.inner.api).await.err();
    assert!(matches!(error, Some(Error::Auth(_))), "{error:?}");
    assert!(!format!("{error:?}").contains("xoxb-secret"));
    drop(fake);
    let error = slack.inner.people.introduce(&slack.inner.api).await.err();
    assert!(matches!(error, Some(Error::Transient { .. })), "{error:?}");
    Ok(())
}

fn card() -> Card {
    Card {
        tone: crate::chat::Tone::Neutral,
        title: "Checkout is down".into(),
        lead: vec![hello()],
        facts: vec![],
        sections: vec![],
        controls: vec![],
        footer: String::new(),
    }
}
