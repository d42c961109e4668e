use std::time::Duration;

use super::*;

#[test]
fn a_post_is_kept_and_told_of_whole() -> Outcome {
    let discord = FakeDiscord::start()?;
    let button = json!([{"type": 2, "style": 1, "label": "Resolve", "custom_id": "clew resolve 12"}]);
    let body = json!({
        "content": "**Disk full**", "embeds": [{"title": "db-1", "fields": [{"name": "where", "value": "here"}]}],
        "components": row(&button), "nonce": "n1",
    });
    let (status, told) = call(&discord, "POST", &messages_path(), &body)?;
    assert_eq!((status, &told["content"], &told["nonce"]), (200, &json!("**Disk full**"), &json!("n1")));
    assert_eq!((&told["author"]["id"], &told["author"]["bot"]), (&json!(BOT_USER), &json!(true)));
    assert_eq!(told["embeds"][0]["fields"][0]["inline"], false);
    assert_eq!(told["components"][0]["components"][0]["custom_id"], "clew resolve 12");
    let id = id(&told)?;
    let kept = discord.message(CHANNEL, &id).ok_or("not kept")?;
    assert_eq!((kept.author.as_str(), kept.content.as_str()), (BOT_USER, "**Disk full**"));
    assert_eq!(kept.shown(), "Disk full\ndb-1\nwhere\nhere\n{control Resolve|resolve 12}");
    // Who asks again does not learn the nonce.
    let (_, again) = call(&discord, "GET", &format!("channels/{CHANNEL}/messages/{id}"), &Value::Null)?;
    assert_eq!((&again["id"], again.get("nonce")), (&json!(id), None));
    let calls = discord.calls("POST channels/{}/messages");
    assert_eq!((calls.len(), calls[0].body["nonce"].as_str(), calls[0].outcome.as_str()), (1, Some("n1"), "ok"));
    Ok(())
}

#[test]
fn a_nonce_that_is_to_be_used_once_makes_one_message() -> Outcome {
    let discord = FakeDiscord::start()?;
    let body = json!({"content": "card", "nonce": "incident-12", "enforce_nonce": true});
    let first = post(&discord, &body)?;
    let second = post(&discord, &json!({"content": "other", "nonce": "incident-12", "enforce_nonce": true}))?;
    assert_eq!((&second["id"], &second["content"]), (&first["id"], &json!("card")));
    assert_eq!(discord.messages(CHANNEL).len(), 1);
    // Without the wish the nonce is only a name.
    post(&discord, &json!({"content": "card", "nonce": "incident-12"}))?;
    assert_eq!(discord.messages(CHANNEL).len(), 2);
    discord.let_time_pass(Duration::from_mins(10));
    post(&discord, &body)?;
    assert_eq!(discord.messages(CHANNEL).len(), 3, "it is remembered for a few minutes only");
    Ok(())
}

#[test]
fn an_edit_changes_what_it_names() -> Outcome {
    let discord = FakeDiscord::start()?;
    let told = post(&discord, &json!({"content": "one", "embeds": [{"title": "first"}]}))?;
    let path = format!("{}/{}", messages_path(), id(&told)?);
    let (status, edited) = call(&discord, "PATCH", &path, &json!({"embeds": [{"title": "second"}]}))?;
    assert_eq!((status, &edited["content"], &edited["embeds"][0]["title"]), (200, &json!("one"), &json!("second")));
    assert!(edited["edited_timestamp"].is_string());
    let (status, refused) = call(&discord, "PATCH", &path, &json!({"content": "", "embeds": []}))?;
    assert_eq!((status, &refused["code"]), (400, &json!(50_006)));
    let said = discord.say(CHANNEL, ADA, "hello");
    let (status, refused) =
        call(&discord, "PATCH", &format!("{}/{said}", messages_path()), &json!({"content": "mine"}))?;
    assert_eq!((status, &refused["code"]), (403, &json!(50_005)));
    assert_eq!(call(&discord, "DELETE", &path, &Value::Null)?.0, 204);
    assert_eq!(call(&discord, "PATCH", &path, &json!({"content": "late"}))?.1["code"], 10_008);
    Ok(())
}

#[test]
fn history_is_told_newest_first_by_pages() -> Outcome {
    let discord = FakeDiscord::start()?;
    let said: Vec<String> = (0..6).map(|n| discord.say(CHANNEL, ADA, &format!("line {n}"))).collect();
    let page = |query: &str| -> Result<Vec<String>, Failure> {
        let (status, page) = call(&discord, "GET", &format!("{}?{query}", messages_path()), &Value::Null)?;
        assert_eq!(status, 200, "{query}: {page}");
        Ok(page.as_array().into_iter().flatten().filter_map(|one| one["id"].as_str().map(str::to_owned)).collect())
    };
    let expected = |at: &[usize]| at.iter().map(|at| said[*at].clone()).collect::<Vec<_>>();
    assert_eq!(page("limit=2")?, expected(&[5, 4]));
    assert_eq!(page(&format!("limit=2&before={}", said[4]))?, expected(&[3, 2]));
    assert_eq!(page(&format!("limit=2&after={}", said[1]))?, expected(&[3, 2]));
    assert_eq!(page(&format!("limit=3&around={}", said[2]))?, expected(&[3, 2, 1]));
    let (status, refused) = call(&discord, "GET", &format!("{}?limit=101", messages_path()), &Value::Null)?;
    assert_eq!((status, &refused["code"]), (400, &json!(50_035)));
    discord.forbid(CHANNEL, "read history");
    assert!(page("limit=2")?.is_empty());
    Ok(())
}

#[test]
fn an_answer_points_to_what_it_answers() -> Outcome {
    let discord = FakeDiscord::start()?;
    let said = discord.say(CHANNEL, ADA, "help");
    let reference = json!({"content": "here", "message_reference": {"message_id": said}});
    let told = post(&discord, &reference)?;
    assert_eq!((&told["type"], &told["referenced_message"]["content"]), (&json!(19), &json!("help")));
    let id = id(&told)?;
    let shown = |id: &str| discord.message(CHANNEL, id).map(|message| message.shown());
    assert_eq!(shown(&id), Some(format!("here\n{{calls user {ADA}}}")));
    let quiet = json!({
        "content": "here", "message_reference": {"message_id": said}, "allowed_mentions": {"parse": []},
    });
    assert_eq!(shown(&super::id(&post(&discord, &quiet)?)?).as_deref(), Some("here"));
    let refused = post(&discord, &json!({"content": "here", "message_reference": {"message_id": NOTHING}}))?;
    assert_eq!(refused["errors"]["message_reference"]["_errors"][0]["code"], "REPLIES_UNKNOWN_MESSAGE");
    let lenient = json!({"message_id": NOTHING, "fail_if_not_exists": false});
    assert_eq!(post(&discord, &json!({"content": "here", "message_reference": lenient}))?["type"], 0);
    Ok(())
}

#[test]
fn only_who_may_be_called_is_called() -> Outcome {
    let discord = FakeDiscord::start()?;
    discord.add_role("1000000000000000031", "on call");
    let content = format!("<@{ADA}> <@{BOB}> <@&1000000000000000031> @everyone `<@{ADA}>`");
    let called = |body: &Value| -> Result<(usize, usize, bool), Failure> {
        let told = post(&discord, body)?;
        let count = |name: &str| told[name].as_array().map_or(0, Vec::len);
        Ok((count("mentions"), count("mention_roles"), told["mention_everyone"] == true))
    };
    assert_eq!(called(&json!({"content": content}))?, (2, 1, true));
    assert_eq!(called(&json!({"content": content, "allowed_mentions": {"parse": []}}))?, (0, 0, false));
    let one = json!({"content": content, "allowed_mentions": {"parse": ["roles"], "users": [BOB]}});
    assert_eq!(called(&one)?, (1, 1, false));
    let shown = discord.messages(CHANNEL)[2].shown();
    assert_eq!(
        shown,
        format!(
            "{{mentions user {ADA}}} {{calls user {BOB}}} {{calls role 1000000000000000031}} {{mentions everyone}} \
             <@{ADA}>"
        )
    );
    Ok(())
}

#[test]
fn direct_messages_have_a_channel_of_their_own() -> Outcome {
    let discord = FakeDiscord::start()?;
    let (_, opened) = call(&discord, "POST", "users/@me/channels", &json!({"recipient_id": ADA}))?;
    assert_eq!((&opened["type"], &opened["recipients"][0]["id"]), (&json!(1), &json!(ADA)));
    let channel = id(&opened)?;
    assert_eq!(channel, discord.direct_channel(ADA));
    discord.direct(ADA, "hello");
    call(&discord, "POST", &format!("channels/{channel}/messages"), &json!({"content": "hi"}))?;
    let said: Vec<String> = discord.messages(&channel).into_iter().map(|message| message.content).collect();
    assert_eq!(said, ["hello", "hi"]);
    discord.close_direct(ADA);
    let (status, refused) = call(&discord, "POST", &format!("channels/{channel}/messages"), &json!({"content": "hi"}))?;
    assert_eq!((status, &refused["code"]), (403, &json!(50_007)));
    Ok(())
}
