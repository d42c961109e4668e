use std::time::Duration;

use super::listener::{Listener, ticket};
use super::*;
use crate::until;

/// Short enough not to wait for, long enough for a round on a busy machine to be worth its while.
const SHORT: Duration = Duration::from_millis(400);

fn all_acknowledged(slack: &FakeSlack) -> Outcome {
    until("nothing waits for an acknowledgement", || Ok((slack.unacknowledged() == 0).then_some(())))
}

#[test]
fn what_is_said_is_heard_and_acknowledged() -> Outcome {
    let slack = FakeSlack::start()?;
    let bot = Listener::polite(&slack)?;
    let hello = bot.heard("hello");
    assert_eq!(hello[0]["num_connections"], 1);
    assert_eq!(hello[0]["connection_info"]["app_id"], APP_ID);
    bot.ping();
    until("a pong", || Ok(bot.heard("pong").pop()))?;

    let ts = slack.say(CHANNEL, None, "U0ADA", "<@U0CLEWBOT> 1 < 2\n```\nERROR\n```");
    all_acknowledged(&slack)?;
    let heard = bot.heard("events_api");
    assert_eq!(heard.len(), 2);
    for (envelope, kind) in heard.iter().zip(["message", "app_mention"]) {
        let payload = &envelope["payload"];
        assert_eq!(payload["type"], "event_callback");
        assert_eq!(payload["authorizations"][0]["user_id"], BOT_USER);
        let event = &payload["event"];
        assert_eq!((&event["type"], &event["ts"], &event["channel"]), (&json!(kind), &json!(ts), &json!(CHANNEL)));
        assert_eq!(event["text"], "<@U0CLEWBOT> 1 &lt; 2\n```\nERROR\n```");
        assert_eq!(event["blocks"][0]["elements"][1]["type"], "rich_text_preformatted");
        assert_eq!(envelope["retry_attempt"], 0);
    }
    assert_ne!(heard[0]["payload"]["event_id"], heard[1]["payload"]["event_id"]);
    assert_eq!(heard[0]["payload"]["event"]["channel_type"], "channel");
    let deliveries = slack.deliveries();
    assert!(deliveries.iter().all(|one| one.acked_after.is_some() && one.answer.is_null()), "{deliveries:#?}");

    // Nobody tells the bot of channels that it is not in.
    slack.add_channel("C0OTHER", "other");
    slack.remove_bot("C0OTHER");
    slack.say("C0OTHER", None, "U0ADA", "<@U0CLEWBOT>");
    assert_eq!(slack.deliveries().len(), 2);
    Ok(())
}

#[test]
fn what_is_not_acknowledged_comes_again() -> Outcome {
    let slack = FakeSlack::start()?;
    slack.wait_for_acks(SHORT);
    let bot = Listener::start(&slack, |envelope| (envelope["retry_attempt"] != 0).then_some(Value::Null))?;
    slack.say(CHANNEL, None, "U0ADA", "hello");
    all_acknowledged(&slack)?;
    let heard = bot.heard("events_api");
    assert!(heard.len() >= 2, "{heard:#?}");
    assert_eq!(heard[0]["envelope_id"], heard[1]["envelope_id"]);
    assert_eq!(heard[0]["payload"], heard[1]["payload"]);
    assert_eq!((&heard[1]["retry_attempt"], &heard[1]["retry_reason"]), (&json!(1), &json!("timeout")));
    Ok(())
}

#[test]
fn in_the_end_it_gives_up() -> Outcome {
    let slack = FakeSlack::start()?;
    slack.wait_for_acks(SHORT);
    let bot = Listener::start(&slack, |_| None)?;
    slack.say(CHANNEL, None, "U0ADA", "hello");
    all_acknowledged(&slack)?;
    assert_eq!(slack.deliveries()[0].sent, 4);
    assert_eq!(slack.deliveries()[0].acked_after, None);
    // A command is a person waiting: it is not tried again.
    let command = slack.command(CHANNEL, "U0ADA", "help");
    assert_eq!((command.sent, command.acked_after), (1, None));
    assert_eq!(bot.heard("slash_commands").len(), 1);
    Ok(())
}

#[test]
fn events_wait_for_a_socket_and_people_do_not() -> Outcome {
    let slack = FakeSlack::start()?;
    slack.say(CHANNEL, None, "U0ADA", "hello");
    assert_eq!(slack.command(CHANNEL, "U0ADA", "help").sent, 0);
    let bot = Listener::polite(&slack)?;
    all_acknowledged(&slack)?;
    assert_eq!(bot.heard("events_api").len(), 1);
    assert_eq!(bot.heard("slash_commands").len(), 0);
    Ok(())
}

#[test]
fn a_frozen_socket_swallows_everything() -> Outcome {
    let slack = FakeSlack::start()?;
    slack.wait_for_acks(SHORT);
    let dead = Listener::polite(&slack)?;
    slack.freeze_sockets();
    let alive = Listener::polite(&slack)?;
    assert_eq!((slack.open_sockets(), slack.connections()), (2, 2));
    // One of them goes to the dead one first.
    slack.say(CHANNEL, None, "U0ADA", "one");
    slack.say(CHANNEL, None, "U0ADA", "two");
    all_acknowledged(&slack)?;
    assert!(slack.deliveries().iter().any(|one| one.sent > 1));
    for text in ["one", "two"] {
        let heard = || alive.heard("events_api").into_iter().find(|heard| heard["payload"]["event"]["text"] == text);
        until(text, || Ok(heard()))?;
    }
    dead.ping();
    alive.ping();
    until("a pong of the other", || Ok(alive.heard("pong").pop()))?;
    assert_eq!((dead.heard("events_api").len(), dead.heard("pong").len()), (0, 0));
    drop(dead);
    until("the dead one is let go", || Ok((slack.open_sockets() == 1).then_some(())))
}

#[test]
fn a_refresh_is_announced_and_nothing_new_comes_before_it() -> Outcome {
    let slack = FakeSlack::start()?;
    let old = Listener::polite(&slack)?;
    slack.disconnect_sockets("refresh_requested", SHORT);
    slack.say(CHANNEL, None, "U0ADA", "hello");
    let new = Listener::polite(&slack)?;
    all_acknowledged(&slack)?;
    until("the old one is closed", || Ok(old.heard("end").pop()))?;
    assert_eq!(old.heard("disconnect")[0]["reason"], "refresh_requested");
    assert_eq!((old.heard("close").len(), old.heard("events_api").len()), (1, 0));
    assert_eq!(new.heard("events_api").len(), 1);
    until("one is left", || Ok((slack.open_sockets() == 1).then_some(())))?;

    slack.drop_sockets();
    until("the new one is cut", || Ok(new.heard("end").pop()))?;
    assert_eq!(new.heard("close").len(), 0);
    assert_eq!(slack.open_sockets(), 0);
    Ok(())
}

#[test]
fn everything_can_come_twice() -> Outcome {
    let slack = FakeSlack::start()?;
    slack.deliver_twice(true);
    let bots = [Listener::polite(&slack)?, Listener::polite(&slack)?];
    slack.say(CHANNEL, None, "U0ADA", "hello");
    all_acknowledged(&slack)?;
    until("both hear it", || Ok(bots.iter().all(|bot| !bot.heard("events_api").is_empty()).then_some(())))?;
    assert_eq!(slack.deliveries()[0].sent, 2);
    assert_eq!(bots[0].heard("events_api"), bots[1].heard("events_api"));
    Ok(())
}

#[test]
fn a_ticket_is_good_for_one_connection() -> Outcome {
    let slack = FakeSlack::start()?;
    let url = ticket(&slack)?;
    let first = Listener::open(url.clone(), |_| None)?;
    assert!(Listener::open(url, |_| None).is_err());
    drop(first);
    for (method, token, error) in [
        ("apps.connections.open", TOKEN, "not_allowed_token_type"),
        ("apps.connections.open", "xapp-forged", "invalid_auth"),
        ("auth.test", APP_TOKEN, "not_allowed_token_type"),
    ] {
        assert_eq!(call(&slack, method, token, &json!({}))?.1["error"], error);
    }
    slack.fail_next("apps.connections.open", Fault::ServerError(503));
    assert!(ticket(&slack).is_err());
    Ok(())
}

#[test]
fn the_bot_hears_its_own_words_once_it_listens() -> Outcome {
    let slack = FakeSlack::start()?;
    post(&slack, &json!({"channel": CHANNEL, "text": "before"}))?;
    assert_eq!(slack.deliveries().len(), 0);
    let bot = Listener::polite(&slack)?;
    let ts = post(&slack, &json!({"channel": CHANNEL, "text": "after <@U0CLEWBOT>"}))?["ts"].clone();
    call(&slack, "chat.update", TOKEN, &json!({"channel": CHANNEL, "ts": ts, "text": "later"}))?;
    all_acknowledged(&slack)?;
    let events: Vec<_> = bot.heard("events_api").iter().map(|one| one["payload"]["event"].clone()).collect();
    assert_eq!(events.len(), 2);
    assert_eq!(
        (&events[0]["bot_id"], &events[0]["app_id"], &events[0]["user"], &events[0]["ts"]),
        (&json!(BOT_ID), &json!(APP_ID), &json!(BOT_USER), &ts)
    );
    assert_eq!(events[1]["subtype"], "message_changed");
    assert_eq!((&events[1]["message"]["text"], &events[1]["message"]["ts"]), (&json!("later"), &ts));
    assert_eq!(slack.posted_at(CHANNEL).len(), 2);
    Ok(())
}
