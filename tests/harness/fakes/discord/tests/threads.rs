use super::*;

#[test]
fn a_thread_has_the_id_of_its_message_and_there_is_one_only() -> Outcome {
    let discord = FakeDiscord::start()?;
    let message = id(&post(&discord, &json!({"content": "card"}))?)?;
    assert_eq!(discord.thread_of(&message), None);
    let path = format!("{}/{message}/threads", messages_path());
    let (status, thread) = call(&discord, "POST", &path, &json!({"name": "Disk full", "auto_archive_duration": 1440}))?;
    assert_eq!((status, &thread["id"], &thread["type"]), (201, &json!(message), &json!(11)));
    assert_eq!((&thread["parent_id"], &thread["name"]), (&json!(CHANNEL), &json!("Disk full")));
    assert_eq!(discord.thread_of(&message).as_deref(), Some(message.as_str()));
    let (status, refused) = call(&discord, "POST", &path, &json!({"name": "again"}))?;
    assert_eq!((status, &refused["code"]), (400, &json!(160_004)));
    // The message tells of its thread, and the thread begins with a pointer that says nothing.
    let (_, told) = call(&discord, "GET", &format!("{}/{message}", messages_path()), &Value::Null)?;
    assert_eq!((&told["flags"], &told["thread"]["name"]), (&json!(32), &json!("Disk full")));
    call(&discord, "POST", &format!("channels/{message}/messages"), &json!({"content": "in it"}))?;
    let (_, history) = call(&discord, "GET", &format!("channels/{message}/messages"), &Value::Null)?;
    assert_eq!((&history[0]["content"], &history[1]["type"]), (&json!("in it"), &json!(21)));
    assert_eq!(discord.messages(&message).len(), 1, "a story sees what was written");
    let (_, active) = call(&discord, "GET", &format!("guilds/{GUILD}/threads/active"), &Value::Null)?;
    assert_eq!(active["threads"][0]["id"], json!(message));
    Ok(())
}

#[test]
fn threads_begin_only_where_they_can() -> Outcome {
    let discord = FakeDiscord::start()?;
    let message = id(&post(&discord, &json!({"content": "card"}))?)?;
    let begin = |channel: &str, message: &str, name: &str| -> Result<Value, Failure> {
        let path = format!("channels/{channel}/messages/{message}/threads");
        Ok(call(&discord, "POST", &path, &json!({"name": name}))?.1["code"].clone())
    };
    assert_eq!(begin(CHANNEL, &message, "")?, 50_035);
    assert_eq!(begin(CHANNEL, &message, &"x".repeat(101))?, 50_035);
    assert_eq!(begin(CHANNEL, NOTHING, "x")?, 10_008);
    discord.forbid(CHANNEL, "create public threads");
    assert_eq!(begin(CHANNEL, &message, "x")?, 50_013);
    discord.allow(CHANNEL, "create public threads");
    discord.start_thread(CHANNEL, &message, "by a person");
    let inside = discord.say(&message, ADA, "inside");
    assert_eq!(begin(&message, &inside, "x")?, 50_024, "no thread in a thread");
    discord.forbid(CHANNEL, "send in threads");
    let (_, refused) = call(&discord, "POST", &format!("channels/{message}/messages"), &json!({"content": "x"}))?;
    assert_eq!(refused["code"], 50_013, "a thread is as its channel");
    Ok(())
}

#[test]
fn an_archived_thread_opens_when_somebody_writes() -> Outcome {
    let discord = FakeDiscord::start()?;
    let message = id(&post(&discord, &json!({"content": "card"}))?)?;
    discord.start_thread(CHANNEL, &message, "thread");
    let path = format!("channels/{message}/messages");
    let inside = id(&call(&discord, "POST", &path, &json!({"content": "one"}))?.1)?;
    discord.archive(&message, false);
    let (status, refused) = call(&discord, "PATCH", &format!("{path}/{inside}"), &json!({"content": "two"}))?;
    assert_eq!((status, &refused["code"]), (400, &json!(50_083)));
    assert_eq!(call(&discord, "POST", &path, &json!({"content": "three"}))?.0, 200);
    assert_eq!(call(&discord, "PATCH", &format!("{path}/{inside}"), &json!({"content": "two"}))?.0, 200);
    discord.archive(&message, true);
    discord.forbid(CHANNEL, "manage threads");
    assert_eq!(call(&discord, "POST", &path, &json!({"content": "four"}))?.1["code"], 50_083);
    discord.allow(CHANNEL, "manage threads");
    let (_, open) =
        call(&discord, "PATCH", &format!("channels/{message}"), &json!({"archived": false, "locked": false}))?;
    assert_eq!(open["thread_metadata"]["archived"], false);
    Ok(())
}

#[test]
fn a_thread_of_its_own_is_announced() -> Outcome {
    let discord = FakeDiscord::start()?;
    let path = format!("channels/{CHANNEL}/threads");
    let (status, thread) = call(&discord, "POST", &path, &json!({"name": "War room", "type": 11}))?;
    assert_eq!((status, &thread["type"]), (201, &json!(11)));
    assert_eq!(discord.messages(CHANNEL)[0].raw["type"], 18);
    let (_, private) = call(&discord, "POST", &path, &json!({"name": "War room"}))?;
    assert_eq!(private["type"], 12);
    Ok(())
}
