use std::time::Duration;

use super::listener::Listener;
use super::*;
use crate::until;

fn get(slack: &FakeSlack, method: &str, parameters: &[(&str, &str)]) -> Result<Value, Failure> {
    let request = ureq::get(format!("{}/{method}", slack.url())).header("authorization", format!("Bearer {TOKEN}"));
    let mut response = request.query_pairs(parameters.iter().copied()).call()?;
    Ok(serde_json::from_str(&response.body_mut().read_to_string()?)?)
}

fn download(url: &Value, token: Option<&str>) -> Result<crate::Answer, Failure> {
    let mut request = ureq::get(url.as_str().ok_or("no url")?);
    if let Some(token) = token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    crate::answer(request.call()?)
}

fn events(slack: &FakeSlack) -> Vec<Value> {
    slack.deliveries().into_iter().map(|one| one.payload["event"].clone()).collect()
}

#[test]
fn a_file_is_for_those_who_may_read_it() -> Outcome {
    let slack = FakeSlack::start()?;
    let ts = slack.share_file(CHANNEL, None, "U0ADA", "look, <@U0CLEWBOT>", "app 1.log", b"\xff\x00ERROR");
    let heard = events(&slack);
    assert_eq!((&heard[0]["subtype"], &heard[0]["ts"]), (&json!("file_share"), &json!(ts)));
    assert_eq!((&heard[1]["type"], &heard[1]["files"]), (&json!("app_mention"), &heard[0]["files"]));
    let file = &heard[0]["files"][0];
    assert_eq!((&file["size"], &file["mode"], &file["name"]), (&json!(7), &json!("snippet"), &json!("app 1.log")));
    let id = file["id"].as_str().unwrap_or("");
    assert_eq!(get(&slack, "files.info", &[("file", id)])?["file"], *file);
    let history = get(&slack, "conversations.history", &[("channel", CHANNEL)])?;
    assert_eq!(history["messages"][0]["files"], heard[0]["files"]);
    for url in ["url_private", "url_private_download"] {
        assert_eq!(download(&file[url], Some(TOKEN))?.bytes, b"\xff\x00ERROR");
        let page = download(&file[url], None)?;
        assert_eq!((page.status, page.content_type.as_str()), (200, "text/html; charset=utf-8"));
        assert!(page.text.contains("Sign in"));
    }
    assert_eq!(download(&file["url_private"], Some("xoxb-forged"))?.content_type, "text/html; charset=utf-8");
    slack.fail_next("files.download", Fault::ServerError(503));
    assert!(download(&file["url_private"], Some(TOKEN)).is_err());
    slack.set_scopes(&["channels:history"]);
    assert!(download(&file["url_private"], Some(TOKEN))?.text.contains("Sign in"));
    assert_eq!(get(&slack, "files.info", &[("file", id)])?["needed"], "files:read");
    let outcomes: Vec<_> = slack.calls("files.download").into_iter().map(|call| call.outcome).collect();
    assert_eq!(outcomes, ["ok", "login page", "ok", "login page", "login page", "503", "login page"]);
    Ok(())
}

#[test]
fn messages_of_other_apps_are_edited_and_deleted_as_those_of_people() -> Outcome {
    let slack = FakeSlack::start()?;
    let content = json!({"text": "", "attachments": [{"fallback": "down", "title": "down", "color": "d00000"}]});
    let old = slack.post_as_app(CHANNEL, None, "A0GRAFANA", "B0GRAFANA", "Grafana", &content);
    let content = json!({"text": "down", "modern": true});
    let modern = slack.post_as_app(CHANNEL, None, "A0GRAFANA", "B0GRAFANA", "Grafana", &content);
    let said = slack.say(CHANNEL, Some(&old), "U0ADA", "I look");
    slack.edit(CHANNEL, &said, "I looked");
    slack.delete(CHANNEL, &said);
    let heard = events(&slack);
    assert_eq!(
        (&heard[0]["subtype"], &heard[0]["username"], &heard[0]["user"]),
        (&json!("bot_message"), &json!("Grafana"), &Value::Null)
    );
    assert_eq!(heard[0]["attachments"][0]["title"], "down");
    assert_eq!((&heard[1]["subtype"], &heard[1]["bot_profile"]["name"]), (&Value::Null, &json!("Grafana")));
    assert_eq!((&heard[1]["ts"], &heard[1]["user"]), (&json!(modern), &json!("U0GRAFANA")));
    assert_eq!(heard[2]["thread_ts"], json!(old));
    let subtypes: Vec<_> = heard.iter().map(|event| &event["subtype"]).skip(3).collect();
    assert_eq!(subtypes, ["message_changed", "message_deleted"]);
    assert_eq!(heard[3]["message"]["edited"]["user"], "U0ADA");
    assert_eq!(heard[3]["previous_message"]["text"], "I look");
    assert_eq!(heard[4]["deleted_ts"], json!(said));
    let history = get(&slack, "conversations.history", &[("channel", CHANNEL), ("oldest", &old)])?;
    assert_eq!(history["messages"].as_array().map(Vec::len), Some(1));
    Ok(())
}

#[test]
fn buttons_and_menus_are_pressed_by_what_they_say() -> Outcome {
    let slack = FakeSlack::start()?;
    let bot = Listener::polite(&slack)?;
    let plain = |text: &str| json!({"type": "plain_text", "text": text});
    let blocks = json!([{"type": "actions", "elements": [
        {"type": "button", "action_id": "ack", "text": plain("Acknowledge"), "value": "ack INC-1"},
        {"type": "static_select", "action_id": "severity", "options": [
            {"text": plain("High"), "value": "sev1"}, {"text": plain("Low"), "value": "sev3"},
        ]},
    ]}]);
    let card = json!({"channel": CHANNEL, "text": "card", "blocks": blocks});
    let ts = post(&slack, &card)?["ts"].as_str().unwrap_or("").to_owned();
    let pressed = slack.press(CHANNEL, &ts, "U0ADA", "Acknowledge")?;
    assert!(pressed.acked_after.is_some());
    let payload = &pressed.payload;
    assert_eq!((&payload["type"], &payload["user"]["id"]), (&json!("block_actions"), &json!("U0ADA")));
    let action = &payload["actions"][0];
    assert_eq!((&action["action_id"], &action["value"]), (&json!("ack"), &json!("ack INC-1")));
    assert_eq!(action["block_id"], payload["message"]["blocks"][0]["block_id"]);
    let chosen = slack.press(CHANNEL, &ts, "U0BOB", "sev3")?.payload;
    assert_eq!(chosen["actions"][0]["selected_option"]["text"]["text"], "Low");
    let block = chosen["actions"][0]["block_id"].as_str().unwrap_or("");
    assert_eq!(chosen["state"]["values"][block]["severity"]["selected_option"]["value"], "sev3");
    assert!(slack.press(CHANNEL, &ts, "U0ADA", "Delete").is_err());
    assert!(slack.press(CHANNEL, "1.1", "U0ADA", "Acknowledge").is_err());
    assert_eq!(slack.press_as_sent(&chosen).payload, chosen);
    assert_eq!(bot.heard("interactive").len(), 3);

    // What only one person sees is pressed by that person only.
    let whisper = json!({"channel": CHANNEL, "user": "U0ADA", "text": "sure?", "blocks": blocks});
    let ts = call(&slack, "chat.postEphemeral", TOKEN, &whisper)?.1["message_ts"].as_str().unwrap_or("").to_owned();
    assert_eq!(slack.ephemerals(CHANNEL, "U0ADA")[0].ts, ts);
    assert!(slack.press(CHANNEL, &ts, "U0BOB", "Acknowledge").is_err());
    let payload = slack.press(CHANNEL, &ts, "U0ADA", "Acknowledge")?.payload;
    assert_eq!((&payload["container"]["is_ephemeral"], &payload["message"]), (&json!(true), &Value::Null));
    let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
    let gone = json!({"delete_original": true}).to_string();
    agent.post(payload["response_url"].as_str().unwrap_or("")).content_type("application/json").send(gone)?;
    assert!(slack.ephemerals(CHANNEL, "U0ADA").is_empty());
    Ok(())
}

#[test]
fn whispers_go_to_people_who_are_there() -> Outcome {
    let slack = FakeSlack::start()?;
    slack.add_channel("C0OTHER", "other");
    slack.remove_bot("C0OTHER");
    slack.remove_person(CHANNEL, "U0BOB");
    for (channel, user, error) in [
        ("C0NOWHERE", "U0ADA", "channel_not_found"),
        ("C0OTHER", "U0ADA", "not_in_channel"),
        (CHANNEL, "U0BOB", "user_not_in_channel"),
        (CHANNEL, "U0NOBODY", "user_not_in_channel"),
    ] {
        let whisper = json!({"channel": channel, "user": user, "text": "psst"});
        assert_eq!(call(&slack, "chat.postEphemeral", TOKEN, &whisper)?.1["error"], error);
    }
    let direct = post(&slack, &json!({"channel": "U0ADA", "text": "hello"}))?["channel"].clone();
    assert_eq!(direct, json!(slack.direct_channel("U0ADA")));
    let info = get(&slack, "conversations.info", &[("channel", direct.as_str().unwrap_or(""))])?;
    assert_eq!((&info["channel"]["is_im"], &info["channel"]["user"]), (&json!(true), &json!("U0ADA")));
    slack.say(direct.as_str().unwrap_or(""), None, "U0ADA", "hi <@U0CLEWBOT>");
    let heard = events(&slack);
    assert_eq!((heard.len(), &heard[0]["channel_type"]), (1, &json!("im")));
    slack.archive(CHANNEL);
    assert_eq!(post(&slack, &json!({"channel": CHANNEL, "text": "hello"}))?["error"], "is_archived");
    Ok(())
}

#[test]
fn a_response_address_is_good_for_five_answers_in_half_an_hour() -> Outcome {
    let slack = FakeSlack::start()?;
    let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
    let respond = |url: &Value, body: &Value| -> Result<(u16, String), Failure> {
        let url = url.as_str().ok_or("no url")?;
        let answer = crate::answer(agent.post(url).content_type("application/json").send(body.to_string())?)?;
        Ok((answer.status, answer.text))
    };
    let url = slack.command("C0ELSEWHERE", "U0ADA", "help").payload["response_url"].clone();
    assert_eq!(respond(&url, &json!({}))?.0, 400);
    for n in 0..5 {
        assert_eq!(respond(&url, &json!({"text": format!("answer {n}")}))?, (200, "ok".to_owned()));
    }
    let (status, answer) = respond(&url, &json!({"text": "more"}))?;
    assert!(status == 404 && answer.contains("used_url"), "{status} {answer}");
    assert_eq!(slack.ephemerals("C0ELSEWHERE", "U0ADA").len(), 5);
    let url = slack.command(CHANNEL, "U0ADA", "help").payload["response_url"].clone();
    respond(&url, &json!({"text": "for all", "response_type": "in_channel"}))?;
    assert_eq!(slack.messages(CHANNEL)[0].text, "for all");
    slack.let_time_pass(Duration::from_mins(31));
    assert!(respond(&url, &json!({"text": "late"}))?.1.contains("expired_url"));
    Ok(())
}

#[test]
fn people_and_groups_are_known() -> Outcome {
    let slack = FakeSlack::start()?;
    slack.add_person("U0EVE", "Eve");
    slack.add_usergroup("S0ONCALL", "oncall", &["U0ADA", "U0EVE"]);
    assert_eq!(get(&slack, "users.info", &[("user", "U0EVE")])?["user"]["profile"]["display_name"], "Eve");
    assert_eq!(get(&slack, "users.info", &[("user", "U0NOBODY")])?["error"], "user_not_found");
    assert_eq!(get(&slack, "usergroups.list", &[])?["usergroups"][0]["handle"], "oncall");
    let users = get(&slack, "usergroups.users.list", &[("usergroup", "S0ONCALL")])?;
    assert_eq!(users["users"], json!(["U0ADA", "U0EVE"]));
    let root = slack.write(CHANNEL, None, "U0ADA", "root");
    let reply = slack.write(CHANNEL, Some(&root), "U0ADA", "reply");
    let link = get(&slack, "chat.getPermalink", &[("channel", CHANNEL), ("message_ts", &reply)])?;
    assert!(link["permalink"].as_str().unwrap_or("").ends_with(&format!("?thread_ts={root}&cid={CHANNEL}")));
    slack.add_private_channel("G0SECRET", "secret");
    slack.set_scopes(&["channels:history"]);
    assert_eq!(get(&slack, "conversations.history", &[("channel", "G0SECRET")])?["needed"], "groups:history");
    assert_eq!(get(&slack, "users.info", &[("user", "U0EVE")])?["needed"], "users:read");
    Ok(())
}

#[test]
fn stories_may_use_it_from_anywhere() -> Outcome {
    fn shared<T: Send + Sync + 'static>(_: &T) {}
    let slack = FakeSlack::start()?;
    shared(&slack);
    let _bot = Listener::polite(&slack)?;
    std::thread::scope(|scope| {
        for n in 0..4 {
            let slack = &slack;
            scope.spawn(move || slack.say(CHANNEL, None, "U0ADA", &format!("from thread {n}")));
        }
    });
    until("all are acknowledged", || Ok((slack.unacknowledged() == 0).then_some(())))?;
    let mut times: Vec<_> = slack.messages(CHANNEL).into_iter().map(|message| message.ts).collect();
    times.dedup();
    assert_eq!(times.len(), 4);
    Ok(())
}
