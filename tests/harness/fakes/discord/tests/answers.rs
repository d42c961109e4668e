use std::time::Duration;

use super::*;

#[test]
fn it_refuses_as_discord_does() -> Outcome {
    let discord = FakeDiscord::start()?;
    let hello = json!({"content": "hello"});
    for authorization in ["Bot other", TOKEN, "Bearer x", ""] {
        let refused = call_as(&discord, authorization, "POST", &messages_path(), &hello)?;
        assert_eq!(refused, (401, json!({"message": "401: Unauthorized", "code": 0})), "{authorization:?}");
    }
    let nowhere = format!("channels/{NOTHING}/messages");
    for (method, path, body, status, code) in [
        ("POST", &nowhere, &hello, 404, 10_003),
        ("GET", &nowhere, &Value::Null, 404, 10_003),
        ("GET", &format!("{}/{NOTHING}", messages_path()), &Value::Null, 404, 10_008),
        ("POST", &messages_path(), &json!({"content": " \n "}), 400, 50_006),
        ("POST", &messages_path(), &json!({"content": 7}), 400, 50_035),
        ("POST", &messages_path(), &json!({"content": "x", "embeds": {}}), 400, 50_035),
        ("POST", &messages_path(), &json!([]), 400, 50_035),
        ("GET", &format!("guilds/{GUILD}/members/{NOTHING}"), &Value::Null, 404, 10_013),
        ("GET", &format!("guilds/{NOTHING}"), &Value::Null, 404, 10_004),
        ("GET", &format!("applications/{GUILD}/commands"), &Value::Null, 403, 20_012),
        ("GET", &"nothing/here".to_owned(), &Value::Null, 404, 0),
        ("PUT", &messages_path(), &hello, 405, 0),
    ] {
        let (got, refused) = call(&discord, method, path, body)?;
        assert_eq!((got, &refused["code"]), (status, &json!(code)), "{method} {path} {body}: {refused}");
    }
    let (_, refused) = call(&discord, "POST", &messages_path(), &json!({"content": "x".repeat(2_001)}))?;
    assert_eq!(
        refused,
        json!({
            "message": "Invalid Form Body", "code": 50_035, "errors": {"content": {"_errors": [
                {"code": "BASE_TYPE_MAX_LENGTH", "message": "Must be 2000 or fewer in length."},
            ]}},
        })
    );
    assert!(discord.messages(CHANNEL).is_empty());
    Ok(())
}

#[test]
fn what_is_forbidden_is_refused() -> Outcome {
    let discord = FakeDiscord::start()?;
    let hello = json!({"content": "hello"});
    let embed = json!({"embeds": [{"title": "hello"}]});
    for (permission, body, code) in
        [("embed links", &embed, 50_013), ("send", &hello, 50_013), ("VIEW_CHANNEL", &hello, 50_001)]
    {
        assert_eq!(call(&discord, "POST", &messages_path(), body)?.0, 200, "{permission}");
        discord.forbid(CHANNEL, permission);
        let (status, refused) = call(&discord, "POST", &messages_path(), body)?;
        assert_eq!((status, &refused["code"]), (403, &json!(code)), "{permission}");
        discord.allow(CHANNEL, permission);
    }
    discord.forbid(CHANNEL, "send");
    let (_, channel) = call(&discord, "GET", &format!("guilds/{GUILD}/channels"), &Value::Null)?;
    assert_eq!(channel[0]["permission_overwrites"][0]["id"], BOT_USER);
    Ok(())
}

#[test]
fn every_answer_tells_of_its_bucket_and_limits_hold_when_they_are_to() -> Outcome {
    let discord = FakeDiscord::start()?;
    let post = || request(&discord, &format!("Bot {TOKEN}"), "POST", &messages_path(), &json!({"content": "x"}));
    let header = |answer: &ureq::http::Response<ureq::Body>, name: &str| {
        answer.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or("").to_owned()
    };
    for _ in 0..7 {
        let answer = post()?;
        assert_eq!((answer.status().as_u16(), header(&answer, "x-ratelimit-remaining").as_str()), (200, "4"));
    }
    discord.let_time_pass(Duration::from_secs(6));
    discord.enforce_limits(true);
    for left in ["4", "3", "2", "1", "0"] {
        let answer = post()?;
        assert_eq!((answer.status().as_u16(), header(&answer, "x-ratelimit-remaining").as_str()), (200, left));
        assert!(!header(&answer, "x-ratelimit-bucket").is_empty());
    }
    let refused = post()?;
    assert_eq!((refused.status().as_u16(), header(&refused, "x-ratelimit-scope").as_str()), (429, "user"));
    let wait: f64 = header(&refused, "x-ratelimit-reset-after").parse()?;
    let body = document(refused)?;
    let told = body["retry_after"].as_f64().unwrap_or(0.0);
    assert!(wait > 0.0 && (wait - told).abs() < 0.01, "{wait} {body}");
    assert_eq!(body["global"], false);
    let elsewhere = call(&discord, "GET", &format!("channels/{CHANNEL}"), &Value::Null)?;
    assert_eq!(elsewhere.0, 200, "another route has another bucket");
    discord.let_time_pass(Duration::from_secs(6));
    assert_eq!(post()?.status().as_u16(), 200);
    Ok(())
}

#[test]
fn things_go_wrong_as_they_are_to() -> Outcome {
    let discord = FakeDiscord::start()?;
    let route = "POST channels/{}/messages";
    let hello = json!({"content": "hello"});
    discord.fail_next(route, Fault::RateLimited(2));
    let (status, limited) = call(&discord, "POST", &messages_path(), &hello)?;
    assert_eq!((status, &limited["retry_after"]), (429, &json!(2.0)));
    discord.fail_next(route, Fault::ServerError(502));
    assert_eq!(call(&discord, "POST", &messages_path(), &hello)?.0, 502);
    discord.fail_next(route, Fault::Refused("50013".to_owned()));
    assert_eq!(call(&discord, "POST", &messages_path(), &hello)?.1["code"], 50_013);
    discord.fail_next(route, Fault::DroppedBefore);
    assert!(call(&discord, "POST", &messages_path(), &hello).is_err());
    assert!(discord.messages(CHANNEL).is_empty());
    discord.fail_next(route, Fault::DroppedAfter);
    assert!(call(&discord, "POST", &messages_path(), &hello).is_err());
    assert_eq!(discord.messages(CHANNEL).len(), 1);
    discord.fail_next("PATCH channels/{}/messages/{}", Fault::Refused("30046".to_owned()));
    let path = format!("{}/{}", messages_path(), discord.messages(CHANNEL)[0].id);
    let (status, refused) = call(&discord, "PATCH", &path, &hello)?;
    assert_eq!((status, &refused["code"]), (429, &json!(30_046)));
    let outcomes: Vec<String> = discord.calls(route).into_iter().map(|call| call.outcome).collect();
    assert_eq!(outcomes, ["429", "502", "50013", "cut before", "cut after"]);
    Ok(())
}

#[test]
fn it_tells_who_is_who() -> Outcome {
    let discord = FakeDiscord::start()?;
    discord.add_role("1000000000000000031", "on call");
    discord.add_member("1000000000000000023", "Cleo", &["1000000000000000031"]);
    discord.set_nick("1000000000000000023", "cl30");
    let get = |path: &str| call(&discord, "GET", path, &Value::Null).map(|(_, told)| told);
    let member = get(&format!("guilds/{GUILD}/members/1000000000000000023"))?;
    assert_eq!((&member["nick"], &member["user"]["global_name"]), (&json!("cl30"), &json!("Cleo")));
    assert_eq!(member["roles"], json!(["1000000000000000031"]));
    discord.remove_member("1000000000000000023");
    assert_eq!(get(&format!("guilds/{GUILD}/members/1000000000000000023"))?["code"], 10_007);
    assert_eq!(get("users/1000000000000000023")?["username"], "cleo");
    assert_eq!(get("users/@me")?["id"], BOT_USER);
    assert_eq!(get("applications/@me")?["verify_key"], discord.public_key());
    let roles = get(&format!("guilds/{GUILD}/roles"))?;
    assert!(roles.as_array().is_some_and(|roles| roles.iter().any(|role| role["id"] == GUILD)), "{roles}");
    Ok(())
}
