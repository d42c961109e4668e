use std::time::Duration;

use super::listener::Listener;
use super::*;

fn plain(text: &str) -> Value {
    json!({"type": "plain_text", "text": text})
}

fn input(id: &str, element: Value) -> Value {
    json!({"type": "input", "block_id": id, "label": plain(id), "element": element})
}

fn text_input() -> Value {
    json!({"type": "plain_text_input", "action_id": "value", "multiline": true, "max_length": 3_000})
}

fn menu() -> Value {
    let option = |text: &str, value: &str| json!({"text": plain(text), "value": value});
    json!({"type": "static_select", "action_id": "value", "options": [option("High", "sev1"), option("Low", "sev3")]})
}

fn modal(blocks: Value) -> Value {
    json!({
        "type": "modal", "callback_id": "triage", "private_metadata": "C1", "title": plain("Triage"),
        "submit": plain("Send"), "blocks": blocks,
    })
}

fn open(slack: &FakeSlack, trigger: &Value, view: &Value) -> Result<Value, Failure> {
    Ok(call(slack, "views.open", TOKEN, &json!({"trigger_id": trigger, "view": view}))?.1)
}

#[test]
fn a_trigger_opens_one_modal_within_three_seconds() -> Outcome {
    let slack = FakeSlack::start()?;
    let view = modal(json!([input("log", text_input())]));
    // Nobody acknowledges it; its trigger is good all the same.
    let trigger = || slack.command(CHANNEL, "U0ADA", "help").payload["trigger_id"].clone();
    let first = trigger();
    assert_eq!(open(&slack, &first, &modal(json!([{"type": "header"}])))?["error"], "invalid_arguments");
    let answer = open(&slack, &first, &view)?;
    assert_eq!(answer["ok"], true, "{answer}");
    assert_eq!(slack.modal_of("U0ADA").as_ref(), Some(&answer["view"]));
    assert_eq!(open(&slack, &first, &view)?["error"], "exchanged_trigger_id");
    assert_eq!(open(&slack, &json!("1.2.3"), &view)?["error"], "invalid_trigger_id");
    let late = trigger();
    slack.let_time_pass(Duration::from_secs(4));
    assert_eq!(open(&slack, &late, &view)?["error"], "expired_trigger_id");
    Ok(())
}

#[test]
fn views_that_slack_refuses_are_refused() {
    let with = |mut value: Value, member: &str, new: Value| {
        value[member] = new;
        value
    };
    let options = |count: usize| {
        let options: Vec<_> = (0..count).map(|n| json!({"text": plain("x"), "value": n.to_string()})).collect();
        modal(json!([input("a", json!({"type": "static_select", "options": options}))]))
    };
    let both = modal(json!([input("log", text_input()), input("severity", menu())]));
    let channels = modal(json!([
        input("a", json!({"type": "channels_select"})),
        input("b", json!({"type": "conversations_select", "filter": {"include": ["public"]}})),
    ]));
    let home = json!({"type": "home", "blocks": [{"type": "divider"}]});
    for good in [&both, &channels, &home, &options(100), &modal(json!(vec![json!({"type": "divider"}); 100]))] {
        assert_eq!(check_view(good), Vec::<String>::new());
    }
    let mut no_submit = both.clone();
    no_submit.as_object_mut().map(|view| view.remove("submit"));
    let long = |length: usize| "x".repeat(length);
    for bad in [
        no_submit,
        with(both.clone(), "title", plain(&long(25))),
        with(both.clone(), "submit", plain(&long(25))),
        with(both.clone(), "close", plain(&long(25))),
        with(both.clone(), "title", json!({"type": "mrkdwn", "text": "x"})),
        with(both.clone(), "callback_id", json!(long(256))),
        with(both.clone(), "private_metadata", json!(long(3_001))),
        with(both.clone(), "colour", json!("red")),
        modal(json!(vec![json!({"type": "divider"}); 101])),
        modal(json!([input("a", text_input()), input("a", text_input())])),
        modal(json!([input(&long(256), text_input())])),
        modal(json!([with(input("a", text_input()), "label", plain(&long(2_001)))])),
        modal(json!([with(input("a", text_input()), "hint", plain(&long(2_001)))])),
        modal(json!([input("a", with(text_input(), "placeholder", plain(&long(151))))])),
        modal(json!([input("a", with(text_input(), "max_length", json!(3_001)))])),
        modal(json!([input("a", with(text_input(), "initial_value", json!(long(3_001))))])),
        modal(json!([input("a", with(menu(), "initial_option", json!({"text": plain("x"), "value": "x"})))])),
        modal(json!([input("a", json!({"type": "button", "text": plain("x")}))])),
        options(0),
        options(101),
    ] {
        assert!(!check_view(&bad).is_empty(), "{bad}");
    }
}

#[test]
fn a_modal_is_filled_in_and_sent() -> Outcome {
    let slack = FakeSlack::start()?;
    let bot = Listener::start(&slack, |envelope| {
        let values = &envelope["payload"]["view"]["state"]["values"];
        let wrong = values["log"]["value"]["value"] == "wrong";
        let errors = json!({"response_action": "errors", "errors": {"log": "no log"}});
        Some(if wrong { errors } else { Value::Null })
    })?;
    let mut more = input("more", text_input());
    more["optional"] = json!(true);
    let blocks = json!([input("log", text_input()), input("severity", menu()), more]);
    let trigger = slack.command(CHANNEL, "U0ADA", "").payload["trigger_id"].clone();
    open(&slack, &trigger, &modal(blocks))?;
    let shown = slack.modal_of("U0ADA").map(|view| shown_view(&view)).unwrap_or_default();
    for part in ["Triage\n", "{input log|log}\n", "{control High|sev1}\n", "{submit Send}"] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    for refused in [
        &[("log", "ERROR")][..],
        &[("log", ""), ("severity", "High")],
        &[("log", "ERROR"), ("severity", "Unknown")],
        &[("log", "ERROR"), ("nothing", "x")],
    ] {
        assert!(slack.submit("U0ADA", refused).is_err(), "{refused:?}");
    }
    assert!(slack.submit("U0BOB", &[]).is_err());
    let answer = slack.submit("U0ADA", &[("log", "wrong"), ("severity", "High")])?.answer;
    assert_eq!(answer["response_action"], "errors");
    assert!(slack.modal_of("U0ADA").is_some());
    let sent = slack.submit("U0ADA", &[("log", "ERROR\nat x"), ("severity", "sev3")])?.payload;
    assert_eq!((&sent["type"], &sent["view"]["private_metadata"]), (&json!("view_submission"), &json!("C1")));
    let values = &sent["view"]["state"]["values"];
    assert_eq!(values["log"]["value"], json!({"type": "plain_text_input", "value": "ERROR\nat x"}));
    assert_eq!(values["severity"]["value"]["selected_option"]["value"], "sev3");
    assert_eq!(values["more"]["value"]["value"], Value::Null);
    assert_eq!(slack.modal_of("U0ADA"), None);
    assert_eq!(bot.heard("interactive").len(), 2);
    // The same once more finds nothing to close.
    assert!(slack.press_as_sent(&sent).acked_after.is_some());
    Ok(())
}

#[test]
fn a_modal_becomes_another() -> Outcome {
    let slack = FakeSlack::start()?;
    let next = modal(json!([{"type": "section", "text": plain("thanks")}]));
    let answers = [
        json!({"response_action": "push", "view": next}),
        json!({"response_action": "update", "view": next}),
        json!({"response_action": "clear"}),
    ];
    let asked = Mutex::new(answers.into_iter());
    let _bot = Listener::start(&slack, move |envelope| {
        let next = || asked.lock().unwrap_or_else(PoisonError::into_inner).next();
        if envelope["payload"]["type"] == "view_submission" { next() } else { Some(Value::Null) }
    })?;
    let trigger = slack.command(CHANNEL, "U0ADA", "").payload["trigger_id"].clone();
    let first = open(&slack, &trigger, &modal(json!([{"type": "divider"}])))?["view"]["id"].clone();
    slack.submit("U0ADA", &[])?;
    let second = slack.modal_of("U0ADA").unwrap_or_default();
    assert_eq!((&second["previous_view_id"], &second["root_view_id"]), (&first, &first));
    assert_eq!(shown_view(&second), "Triage\nthanks\n{submit Send}");
    slack.submit("U0ADA", &[])?;
    assert_eq!(slack.modal_of("U0ADA").unwrap_or_default()["id"], second["id"]);
    let update = json!({"view_id": second["id"], "view": modal(json!([])), "hash": "another"});
    assert_eq!(call(&slack, "views.update", TOKEN, &update)?.1["error"], "hash_conflict");
    let update = json!({"view_id": second["id"], "view": modal(json!([]))});
    assert_eq!(call(&slack, "views.update", TOKEN, &update)?.1["ok"], true);
    slack.submit("U0ADA", &[])?;
    assert_eq!(slack.modal_of("U0ADA"), None);
    assert_eq!(call(&slack, "views.update", TOKEN, &update)?.1["error"], "not_found");
    Ok(())
}

#[test]
fn a_modal_is_used_and_closed_without_being_sent() -> Outcome {
    let slack = FakeSlack::start()?;
    let _bot = Listener::polite(&slack)?;
    let button = json!({"type": "button", "text": plain("More"), "value": "more"});
    let mut view = modal(json!([{"type": "section", "text": plain("x"), "accessory": button}]));
    view["notify_on_close"] = json!(true);
    let trigger = slack.command(CHANNEL, "U0ADA", "").payload["trigger_id"].clone();
    let id = open(&slack, &trigger, &view)?["view"]["id"].clone();
    let pressed = slack.press_in_modal("U0ADA", "More")?.payload;
    assert_eq!((&pressed["actions"][0]["value"], &pressed["view"]["id"]), (&json!("more"), &id));
    let closed = slack.dismiss("U0ADA")?.map(|told| told.payload).unwrap_or_default();
    assert_eq!((&closed["type"], &closed["view"]["id"]), (&json!("view_closed"), &id));
    assert!(slack.dismiss("U0ADA").is_err());
    Ok(())
}

#[test]
fn the_home_tab_is_published_and_pressed() -> Outcome {
    let slack = FakeSlack::start()?;
    let bot = Listener::polite(&slack)?;
    slack.open_home("U0ADA");
    let buttons = json!([{"type": "actions", "block_id": "b", "elements": [
        {"type": "button", "action_id": "a", "text": plain("Refresh"), "value": "home refresh"}
    ]}]);
    let home = json!({"user_id": "U0ADA", "view": {"type": "home", "blocks": buttons}});
    assert_eq!(call(&slack, "views.publish", TOKEN, &home)?.1["ok"], true);
    let stranger = json!({"user_id": "U0NOBODY", "view": {"type": "home", "blocks": buttons}});
    assert_eq!(call(&slack, "views.publish", TOKEN, &stranger)?.1["error"], "invalid_arguments");
    assert_eq!(slack.home_of("U0ADA").unwrap_or_default()["blocks"], buttons);
    assert!(slack.press_home("U0ADA", "Delete").is_err());
    let pressed = slack.press_home("U0ADA", "Refresh")?.payload;
    assert_eq!(pressed["actions"][0]["value"], "home refresh");
    assert_eq!((&pressed["container"]["type"], &pressed["message"]), (&json!("view"), &Value::Null));
    assert_eq!(bot.heard("events_api")[0]["payload"]["event"]["type"], "app_home_opened");
    Ok(())
}
