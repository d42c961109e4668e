use std::time::Duration;

use tokio_tungstenite::tungstenite::Message;

use super::listener::{Listener, WITH_CONTENT, WITHOUT_CONTENT, gateway};
use super::*;
use crate::until;

#[test]
fn a_bot_that_identifies_learns_of_everything_it_sees() -> Outcome {
    let discord = FakeDiscord::start()?;
    let message = discord.say(CHANNEL, ADA, "before");
    discord.start_thread(CHANNEL, &message, "thread");
    let bot = Listener::ready(&discord, WITH_CONTENT)?;
    let hello = bot.wait_for_op(10)?;
    assert_eq!(hello["d"]["heartbeat_interval"], 41_250);
    let ready = bot.wait_for("READY")?;
    assert_eq!((&ready["user"]["id"], &ready["application"]["id"]), (&json!(BOT_USER), &json!(APP_ID)));
    assert_eq!(ready["guilds"], json!([{"id": GUILD, "unavailable": true}]));
    let guild = bot.wait_for("GUILD_CREATE")?;
    assert_eq!((&guild["channels"][0]["id"], &guild["threads"][0]["id"]), (&json!(CHANNEL), &json!(message)));
    assert_eq!(guild["channels"][0]["last_message_id"], json!(message));
    bot.say(&json!({"op": 1, "d": bot.seq()}));
    bot.wait_for_op(11)?;

    let said = discord.say(CHANNEL, ADA, "hello");
    let heard = bot.wait_for("MESSAGE_CREATE")?;
    assert_eq!((&heard["id"], &heard["content"], &heard["guild_id"]), (&json!(said), &json!("hello"), &json!(GUILD)));
    assert_eq!((&heard["author"]["id"], &heard["member"]["roles"]), (&json!(ADA), &json!([])));
    post(&discord, &json!({"content": "mine", "nonce": "n1"}))?;
    let own = until("its own words", || Ok(bot.heard("MESSAGE_CREATE").get(1).cloned()))?;
    assert_eq!((&own["d"]["nonce"], &own["d"]["author"]["id"]), (&json!("n1"), &json!(BOT_USER)));
    discord.edit(CHANNEL, &said, "hello again");
    assert_eq!(bot.wait_for("MESSAGE_UPDATE")?["content"], "hello again");
    discord.delete(CHANNEL, &said);
    assert_eq!(bot.wait_for("MESSAGE_DELETE")?["id"], json!(said));
    assert_eq!((discord.connections(), discord.open_sockets(), discord.paths()), (1, 1, vec!["/".to_owned()]));
    Ok(())
}

#[test]
fn what_people_write_is_hidden_from_who_may_not_read_it() -> Outcome {
    let discord = FakeDiscord::start()?;
    discord.allow_message_content(false);
    let refused = Listener::open(&gateway(&discord)?);
    refused.identify(WITH_CONTENT);
    assert_eq!(refused.closed()?, 4014);
    let bot = Listener::ready(&discord, WITHOUT_CONTENT)?;
    let secret = discord.say_with_files(CHANNEL, ADA, "secret", &[("app.log", b"ERROR".to_vec())]);
    discord.say(CHANNEL, ADA, &format!("for you <@{BOT_USER}>"));
    discord.direct(ADA, "between us");
    post(&discord, &json!({"content": "mine"}))?;
    discord.reply(CHANNEL, &secret, ADA, &format!("<@{BOT_USER}> this one"));
    let heard = until("five messages", || {
        let heard = bot.heard("MESSAGE_CREATE");
        Ok((heard.len() == 5).then_some(heard))
    })?;
    let contents: Vec<&str> = heard.iter().filter_map(|heard| heard["d"]["content"].as_str()).collect();
    let mention = format!("<@{BOT_USER}>");
    assert_eq!(contents, ["", &format!("for you {mention}"), "between us", "mine", &format!("{mention} this one")]);
    assert_eq!(heard[0]["d"]["attachments"], json!([]));
    assert_eq!(heard[4]["d"]["referenced_message"]["content"], "", "what is answered is not meant for the bot");
    let (_, told) = call(&discord, "GET", &format!("{}/{secret}", messages_path()), &Value::Null)?;
    assert_eq!(told["content"], "", "nor is it told over the REST API");
    Ok(())
}

#[test]
fn a_bot_hears_what_it_asked_for() -> Outcome {
    let discord = FakeDiscord::start()?;
    let bot = Listener::ready(&discord, 1 << 12 | 1 << 15)?;
    discord.say(CHANNEL, ADA, "in the channel");
    discord.add_channel("1000000000000000041", "more");
    discord.direct(ADA, "direct");
    assert_eq!(bot.wait_for("MESSAGE_CREATE")?["content"], "direct");
    assert_eq!((bot.heard("GUILD_CREATE").len(), bot.heard("CHANNEL_CREATE").len()), (0, 0));
    Ok(())
}

#[test]
fn nothing_is_told_of_channels_that_the_bot_does_not_see() -> Outcome {
    let discord = FakeDiscord::start()?;
    let bot = Listener::ready(&discord, WITH_CONTENT)?;
    discord.forbid(CHANNEL, "view");
    discord.say(CHANNEL, ADA, "unseen");
    discord.direct(ADA, "seen");
    assert_eq!(bot.wait_for("MESSAGE_CREATE")?["content"], "seen");
    Ok(())
}

#[test]
fn a_session_goes_on_where_it_was_cut() -> Outcome {
    let discord = FakeDiscord::start()?;
    let bot = Listener::ready(&discord, WITH_CONTENT)?;
    let ready = bot.wait_for("READY")?;
    let (session, url) =
        (ready["session_id"].as_str().unwrap_or(""), ready["resume_gateway_url"].as_str().unwrap_or(""));
    discord.say(CHANNEL, ADA, "one");
    bot.wait_for("MESSAGE_CREATE")?;
    let seq = bot.seq();
    discord.drop_sockets();
    assert_eq!(bot.closed()?, 0);
    discord.say(CHANNEL, ADA, "two");
    discord.say(CHANNEL, ADA, "three");
    let again = Listener::open(url);
    again.resume(session, seq);
    again.wait_for("RESUMED")?;
    let missed: Vec<Value> = again.heard("MESSAGE_CREATE").iter().map(|heard| heard["d"]["content"].clone()).collect();
    assert_eq!(missed, ["two", "three"]);
    assert_eq!(
        again.all().iter().filter_map(|heard| heard["s"].as_u64()).collect::<Vec<_>>(),
        [seq + 1, seq + 2, seq + 3]
    );
    assert_eq!(discord.resumes()[0]["path"], "/resume-1");
    assert_eq!(discord.identifies().len(), 1);
    discord.say(CHANNEL, ADA, "four");
    until("what comes after", || Ok(again.heard("MESSAGE_CREATE").get(2).cloned()))?;
    Ok(())
}

#[test]
fn a_dead_connection_loses_nothing() -> Outcome {
    let discord = FakeDiscord::start()?;
    let bot = Listener::ready(&discord, WITH_CONTENT)?;
    let ready = bot.wait_for("READY")?;
    let seq = until("the server", || Ok((!bot.heard("GUILD_CREATE").is_empty()).then(|| bot.seq())))?;
    discord.freeze_sockets();
    discord.say(CHANNEL, ADA, "unheard");
    bot.say(&json!({"op": 1, "d": null}));
    let again = Listener::open(&gateway(&discord)?);
    again.resume(ready["session_id"].as_str().unwrap_or(""), seq);
    assert_eq!(again.wait_for("MESSAGE_CREATE")?["content"], "unheard");
    assert!(bot.all().iter().all(|heard| heard["op"] != 11 && heard["t"] != "MESSAGE_CREATE"));
    assert_eq!(discord.open_sockets(), 2, "the dead one is still open");
    Ok(())
}

#[test]
fn sessions_end() -> Outcome {
    let discord = FakeDiscord::start()?;
    let resumes = |session: &str| -> Result<Value, Failure> {
        let again = Listener::open(&gateway(&discord)?);
        again.resume(session, 1);
        let told = until("an outcome", || {
            Ok(again.all().into_iter().find(|heard| heard["op"] == 9 || heard["t"] == "RESUMED"))
        });
        again.send(Message::Close(None));
        told
    };
    let begin = || -> Result<(Listener, String), Failure> {
        discord.let_time_pass(Duration::from_secs(6));
        let bot = Listener::ready(&discord, WITH_CONTENT)?;
        let session = bot.wait_for("READY")?["session_id"].as_str().unwrap_or("").to_owned();
        Ok((bot, session))
    };
    assert_eq!(resumes("unknown")?, json!({"op": 9, "d": false}));
    let (bot, session) = begin()?;
    discord.drop_sockets();
    bot.closed()?;
    discord.let_time_pass(Duration::from_mins(1));
    assert_eq!(resumes(&session)?["t"], "RESUMED");
    discord.let_time_pass(Duration::from_mins(10));
    until("the end of the connection", || Ok((discord.open_sockets() == 0).then_some(())))?;
    discord.let_time_pass(Duration::from_mins(10));
    assert_eq!(resumes(&session)?, json!({"op": 9, "d": false}), "it was gone for too long");
    // Who says goodbye does not come back.
    let (bot, session) = begin()?;
    bot.send(Message::Close(Some(tokio_tungstenite::tungstenite::protocol::CloseFrame {
        code: 1000.into(),
        reason: "".into(),
    })));
    bot.closed()?;
    until("the end of the connection", || Ok((discord.open_sockets() == 0).then_some(())))?;
    assert_eq!(resumes(&session)?, json!({"op": 9, "d": false}));
    let (_bot, session) = begin()?;
    discord.forget_sessions();
    assert_eq!(resumes(&session)?, json!({"op": 9, "d": false}));
    Ok(())
}

#[test]
fn what_a_bot_may_not_say_ends_the_connection() -> Outcome {
    let discord = FakeDiscord::start()?;
    let ends = |payload: &str| -> Result<u64, Failure> {
        let bot = Listener::open(&gateway(&discord)?);
        bot.send(Message::text(payload.to_owned()));
        bot.closed()
    };
    let identify = |token: &str, intents: u64| {
        json!({"op": 2, "d": {"token": token, "intents": intents, "properties": {}}}).to_string()
    };
    assert_eq!(ends("no JSON")?, 4002);
    assert_eq!(ends(r#"{"op": 99, "d": null}"#)?, 4001);
    assert_eq!(ends(r#"{"op": 3, "d": {}}"#)?, 4003);
    assert_eq!(ends(&identify("other", 1))?, 4004);
    assert_eq!(ends(&identify(TOKEN, 1 << 40))?, 4013);
    assert_eq!(ends(&identify(TOKEN, 1 << 1))?, 4014);
    let bot = Listener::ready(&discord, WITH_CONTENT)?;
    bot.identify(WITH_CONTENT);
    assert_eq!(bot.closed()?, 4005);
    let hasty = Listener::open(&gateway(&discord)?);
    hasty.identify(WITH_CONTENT);
    assert_eq!(hasty.wait_for_op(9)?["d"], false, "one IDENTIFY in five seconds");
    (0..121).for_each(|_| hasty.say(&json!({"op": 1, "d": null})));
    assert_eq!(hasty.closed()?, 4008);
    Ok(())
}

#[test]
fn who_sends_no_heartbeat_is_thought_to_be_gone() -> Outcome {
    let discord = FakeDiscord::start()?;
    discord.set_heartbeat(Duration::from_millis(200));
    let bot = Listener::ready(&discord, WITH_CONTENT)?;
    assert_eq!(bot.wait_for_op(10)?["d"]["heartbeat_interval"], 200);
    assert_eq!(bot.closed()?, 4009);
    Ok(())
}

#[test]
fn the_gateway_asks_bots_to_go() -> Outcome {
    let discord = FakeDiscord::start()?;
    let bot = Listener::ready(&discord, WITH_CONTENT)?;
    discord.ask_to_reconnect();
    bot.wait_for_op(7)?;
    discord.invalidate_sessions(true);
    assert_eq!((bot.wait_for_op(9)?["d"].clone(), discord.sessions()), (json!(true), 1));
    discord.invalidate_sessions(false);
    assert_eq!(discord.sessions(), 0);
    // It may begin anew on the same connection.
    discord.let_time_pass(Duration::from_secs(6));
    bot.identify(WITH_CONTENT);
    until("a new session", || Ok((bot.heard("READY").len() == 2).then_some(())))?;
    discord.close_sockets(4000);
    assert_eq!(bot.closed()?, 4000);
    Ok(())
}
