use proptest::prelude::*;
use serde_json::json;

use super::*;

const BOT: &str = "U0CLEW";

fn delivery(event: Value) -> Value {
    json!({
        "type": "event_callback", "api_app_id": "A0CLEW", "event_id": "Ev1", "event": event,
        "authorizations": [{"team_id": "T1", "user_id": BOT, "is_bot": true}],
    })
}

fn message(more: Value) -> Value {
    let mut event =
        json!({"type": "message", "channel": "C1", "channel_type": "channel", "ts": "1.1", "user": "U0ADA"});
    if let (Value::Object(event), Value::Object(more)) = (&mut event, more) {
        event.extend(more);
    }
    event
}

fn heard(kind: Kind, payload: &Value) -> Option<ChatEvent> {
    match read(kind, payload, None) {
        Heard::Event(event) | Heard::Words(event, _) => Some(*event),
        _ => None,
    }
}

fn said(event: Option<ChatEvent>) -> Message {
    match event.map(|event| event.said) {
        Some(Said::Message(message)) => message,
        other => panic!("no message: {other:?}"),
    }
}

#[test]
fn a_message_that_mentions_the_bot_comes_twice_under_one_key() {
    let text = "<@U0CLEW> what is this?";
    let overheard = heard(Kind::Event, &delivery(message(json!({"text": text}))));
    let mention = heard(Kind::Event, &delivery(message(json!({"type": "app_mention", "text": text}))));
    assert_eq!(overheard, mention);
    let said = said(mention);
    assert_eq!((said.to, said.text.trim()), (Addressee::Bot, "what is this?"));
}

#[test]
fn whom_a_message_is_for_is_told_from_where_it_stands() {
    let to = |more: Value| said(heard(Kind::Event, &delivery(message(more)))).to;
    assert_eq!(to(json!({"text": "it is broken"})), Addressee::People);
    assert_eq!(to(json!({"text": "it is broken", "channel": "D1", "channel_type": "im"})), Addressee::Bot);
    assert_eq!(to(json!({"text": "<@U0BOB> look"})), Addressee::People);
}

#[test]
fn what_the_bot_itself_writes_is_not_heard() {
    for own in [
        json!({"text": "INC-1", "user": BOT}),
        json!({"text": "INC-1", "bot_id": "B1", "app_id": "A0CLEW"}),
        json!({"text": "INC-1", "bot_id": "B1", "bot_profile": {"app_id": "A0CLEW"}}),
    ] {
        assert_eq!(read(Kind::Event, &delivery(message(own.clone())), None), Heard::Nothing, "{own}");
    }
    let own = json!({"type": "event_callback", "event": message(json!({"text": "x", "user": "U9"}))});
    assert_eq!(read(Kind::Event, &own, Some("U9")), Heard::Nothing);
}

#[test]
fn what_happens_to_messages_is_not_what_people_say() {
    for subtype in ["message_changed", "message_deleted", "channel_join", "channel_topic", "reminder_add"] {
        let event = message(json!({"text": "2024-05-01 ERROR x", "subtype": subtype}));
        assert_eq!(read(Kind::Event, &delivery(event), None), Heard::Nothing, "{subtype}");
    }
    let event = message(json!({"text": "2024-05-01 ERROR x", "subtype": "thread_broadcast", "thread_ts": "1.0"}));
    let broadcast = heard(Kind::Event, &delivery(event));
    assert_eq!(broadcast.and_then(|event| event.place.thread).as_deref(), Some("1.0"));
}

#[test]
fn another_bot_that_changes_its_post_is_heard_again() {
    let changed = |text: &str, more: Value| {
        let mut now = json!({"type": "message", "ts": "1.1", "bot_id": "B9", "subtype": "bot_message", "attachments": [
            {"title": text, "fallback": text, "color": "danger"}], "edited": {"user": "U9", "ts": "2.2"}});
        if let (Value::Object(now), Value::Object(more)) = (&mut now, more) {
            now.extend(more);
        }
        let event = json!({"type": "message", "subtype": "message_changed", "hidden": true, "channel": "C1", "message": now,
            "event_ts": "2.2"});
        heard(Kind::Event, &delivery(event))
    };
    let over = changed("[RESOLVED] DiskFull", json!({}));
    assert!(over.is_some_and(|event| event.key == "message-C1-1.1-2.2"
        && event.message.as_deref() == Some("1.1")
        && matches!(event.said, Said::Alert(alert) if alert.status == crate::alerts::AlertStatus::Resolved)));
    assert_eq!(changed("[RESOLVED] DiskFull", json!({"app_id": "A0CLEW"})), None, "our own cards change all the time");
    let by_a_person = json!({"type": "message", "subtype": "message_changed", "channel": "C1",
        "message": {"type": "message", "user": "U0ADA", "ts": "1.1", "text": "2024-05-01 ERROR x"}});
    assert_eq!(heard(Kind::Event, &delivery(by_a_person)), None);
}

#[test]
fn a_slash_command_is_said_to_the_bot_and_seen_by_nobody_else() {
    let payload = json!({
        "command": "/triage", "text": " ```ERROR x``` ", "channel_id": "C1", "user_id": "U0ADA", "user_name": "ada",
        "trigger_id": "9.9",
    });
    let event = heard(Kind::Command, &payload);
    assert!(
        event.as_ref().is_some_and(|event| event.is_private && event.message.is_none() && event.key == "command-9.9")
    );
    let said = said(event);
    assert_eq!((said.to, said.code), (Addressee::Bot, vec!["ERROR x".to_owned()]));
}

#[test]
fn a_control_says_its_command_or_asks_first() {
    let press = |action: Value| {
        json!({
            "type": "block_actions", "trigger_id": "9.9", "user": {"id": "U0ADA", "name": "ada"},
            "channel": {"id": "C1"}, "container": {"type": "message", "message_ts": "1.2", "channel_id": "C1"},
            "message": {"ts": "1.2", "thread_ts": "1.1"}, "actions": [action],
        })
    };
    let event = heard(Kind::Interaction, &press(json!({"action_id": "say-0", "value": "acknowledge INC-1"})));
    let command = Said::Command { text: "acknowledge INC-1".into(), answers: BTreeMap::new() };
    assert!(event.is_some_and(|event| event.said == command
        && event.place == Place { channel: "C1".into(), thread: Some("1.1".into()) }
        && event.message.as_deref() == Some("1.2")));
    let menu =
        json!({"action_id": "say-4", "type": "static_select", "selected_option": {"value": "wrong INC-1 disk_full"}});
    assert!(matches!(heard(Kind::Interaction, &press(menu)).map(|event| event.said),
        Some(Said::Command { text, .. }) if text == "wrong INC-1 disk_full"));
    let ask = read(Kind::Interaction, &press(json!({"action_id": "ask-2", "value": "resolve INC-1"})), None);
    assert!(matches!(ask, Heard::Ask(ask, trigger) if ask.command == "resolve INC-1" && trigger.id == "9.9"));
    assert_eq!(read(Kind::Interaction, &press(json!({"action_id": "other", "value": "x"})), None), Heard::Nothing);
}

#[test]
fn a_form_brings_back_what_stood_behind_it() {
    let form = crate::chat::Form { title: "t".into(), submit: "s".into(), fields: vec![] };
    let place = Place { channel: "C1".into(), thread: Some("1.1".into()) };
    let person = Person { id: "U0ADA".into(), name: "ada".into() };
    let ask = Ask { platform: NAME.into(), command: "resolve INC-1".into(), place: place.clone(), person };
    let mut view = views::modal(&form, &ask, Some("1.2".into()));
    view["id"] = json!("V1");
    view["state"] = json!({"values": {
        "fix": {"answer": {"type": "plain_text_input", "value": "grew it"}},
        "empty": {"answer": {"type": "plain_text_input", "value": null}},
        "severity": {"answer": {"type": "static_select", "selected_option": {"value": "high"}}},
        "channel": {"answer": {"type": "conversations_select", "selected_conversation": "C2"}},
    }});
    let payload = json!({"type": "view_submission", "user": {"id": "U0ADA", "name": "ada"}, "view": view});
    let event = heard(Kind::Interaction, &payload);
    let answers: BTreeMap<String, String> =
        [("fix", "grew it"), ("severity", "high"), ("channel", "C2")].map(|(k, v)| (k.into(), v.into())).into();
    assert!(event.is_some_and(|event| event.said == Said::Command { text: "resolve INC-1".into(), answers }
        && event.place == place
        && event.key == "form-V1"));
    let foreign =
        json!({"type": "view_submission", "user": {"id": "U1"}, "view": {"id": "V1", "callback_id": "other"}});
    assert_eq!(read(Kind::Interaction, &foreign, None), Heard::Nothing);
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "[ -~]{0,20}".prop_map(Value::from)
    ];
    let keys = [
        "type",
        "event",
        "text",
        "channel",
        "ts",
        "user",
        "actions",
        "view",
        "message",
        "container",
        "id",
        "value",
        "action_id",
        "state",
        "values",
        "bot_id",
        "attachments",
        "blocks",
        "files",
        "trigger_id",
        "callback_id",
    ];
    leaf.prop_recursive(4, 40, 6, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            proptest::collection::btree_map(proptest::sample::select(keys.to_vec()), inner, 0..8).prop_map(|fields| {
                fields.into_iter().map(|(k, v)| (k.to_owned(), v)).collect::<serde_json::Map<_, _>>().into()
            }),
        ]
    })
}

proptest! {
    #[test]
    fn nothing_that_comes_panics(payload in any_json(), kind in 0..3_u8, name in "(block_actions|view_submission|message_action|event_callback)") {
        let kind = [Kind::Event, Kind::Command, Kind::Interaction][usize::from(kind)];
        let mut payload = payload;
        if payload.is_object() {
            payload["type"] = json!(name);
        }
        let _ = read(kind, &payload, Some("U1"));
    }
}
