use proptest::prelude::*;
use serde_json::json;

use super::*;

fn me() -> Identity {
    Identity { application: "500".into(), user: "501".into(), name: "Clew".into(), roles: vec!["600".into()] }
}

fn here() -> Place {
    Place { channel: "10".into(), thread: None }
}

fn written_by(author: Value, content: &str) -> Value {
    json!({"id": "99", "type": 0, "channel_id": "10", "author": author, "content": content, "mentions": [],
           "embeds": [], "attachments": [], "edited_timestamp": null})
}

fn heard(message: &Value) -> Option<ChatEvent> {
    super::message(message, here(), false, &me())
}

#[test]
fn what_the_bot_itself_and_discord_write_is_not_heard() {
    let own = written_by(json!({"id": "501", "bot": true, "username": "Clew"}), "hello");
    assert_eq!(heard(&own), None);
    let mut answer = written_by(json!({"id": "700", "bot": true, "username": "other"}), "[FIRING:1] Disk");
    answer["application_id"] = "500".into();
    assert_eq!(heard(&answer), None);
    let mut note = written_by(json!({"id": "11", "username": "ada"}), "");
    note["type"] = 18.into();
    assert_eq!(heard(&note), None, "that a thread was made is said by nobody");
}

#[test]
fn somebody_is_called_as_on_this_server() {
    let mut message = written_by(json!({"id": "11", "username": "ada_l", "global_name": "Ada"}), "hello");
    assert_eq!(heard(&message).map(|event| event.person.name), Some("Ada".into()));
    message["member"] = json!({"nick": "Countess", "roles": []});
    assert_eq!(heard(&message).map(|event| event.person.name), Some("Countess".into()));
}

#[test]
fn a_mention_of_the_bot_or_of_its_own_role_is_for_the_bot() {
    let mut message = written_by(json!({"id": "11", "username": "ada"}), "<@501> list");
    message["mentions"] = json!([{"id": "501", "username": "Clew"}]);
    let mut by_role = written_by(json!({"id": "11", "username": "ada"}), "<@&600> list");
    by_role["mention_roles"] = json!(["600"]);
    for message in [message, by_role] {
        let Some(Said::Message(said)) = heard(&message).map(|event| event.said) else { panic!("{message}") };
        assert_eq!((said.text.as_str(), said.to), ("list", Addressee::Bot));
    }
}

#[test]
fn who_answers_a_message_speaks_in_its_thread() {
    let mut message = written_by(json!({"id": "11", "username": "ada"}), "what is this?");
    message["type"] = 19.into();
    message["message_reference"] = json!({"type": 0, "message_id": "77", "channel_id": "10"});
    assert_eq!(heard(&message).and_then(|event| event.place.thread), Some("77".into()));
    // Of another channel, or forwarded, it is no answer.
    message["message_reference"]["channel_id"] = "12".into();
    assert_eq!(heard(&message).and_then(|event| event.place.thread), None);
    message["message_reference"]["channel_id"] = "10".into();
    message["type"] = 0.into();
    assert_eq!(heard(&message).and_then(|event| event.place.thread), None);
}

fn interaction_of(kind: u64, data: Value) -> Option<Does> {
    let payload = json!({
        "id": "88", "application_id": "500", "type": kind, "token": "secret", "channel_id": "10", "data": data,
        "member": {"user": {"id": "11", "username": "ada"}, "roles": [], "permissions": "0"},
    });
    super::interaction(&payload, here())
}

#[test]
fn the_command_brings_its_words_and_its_file() {
    let data = json!({
        "id": "1", "type": 1, "name": "triage",
        "options": [{"type": 3, "name": "text", "value": "assign INC-1 <@12> <@!13> <@x"}, {"type": 11, "name": "file", "value": "7"}],
        "resolved": {"attachments": {"7": {"id": "7", "filename": "app.log", "size": 12, "url": "https://cdn.discordapp.com/x"}}},
    });
    let Some(Does::Words(event)) = interaction_of(2, data) else { panic!("no words") };
    let Said::Message(message) = &event.said else { panic!("no message") };
    assert_eq!(message.text, "assign INC-1 @12 @13 <@x");
    assert_eq!(
        message.files.iter().map(|file| (file.name.as_str(), file.bytes)).collect::<Vec<_>>(),
        [("app.log", 12)]
    );
    assert_eq!((event.key.as_str(), event.is_private), ("command-88", true));
    assert_eq!(interaction_of(2, json!({"type": 1, "name": "other"})), None);
}

#[test]
fn no_event_holds_the_token_of_an_interaction() {
    for (kind, data) in [
        (2, json!({"type": 1, "name": "triage"})),
        (3, json!({"custom_id": "say0.ab resolve INC-1", "component_type": 2})),
        (5, json!({"custom_id": "form resolve INC-1", "components": []})),
    ] {
        let Some(does) = interaction_of(kind, data) else { panic!("nothing to do") };
        assert!(!format!("{does:?}").contains("secret"), "{does:?}");
    }
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        ".{0,20}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        let keys =
            "(id|type|data|name|options|value|author|member|user|custom_id|components|message|embeds|resolved|values)";
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            proptest::collection::btree_map(keys, inner, 0..8).prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn nothing_that_comes_makes_it_panic(payload in any_json(), kind in 0_u64..8) {
        let mut payload = payload;
        if payload.is_object() {
            payload["type"] = kind.into();
        }
        drop(super::interaction(&payload, here()));
        drop(heard(&payload));
        drop(content(&payload, "10"));
    }
}
