//! Forms and the bot's own page as views.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::blocks;
use super::escape::escape_to;
use crate::chat::{Ask, Card, Field, FieldKind, Form, Place, text};

/// Name of our forms.
const CALLBACK: &str = "clew_form";
/// Name of the input in each block of a form.
const INPUT: &str = "answer";
/// Longest title and button of a form.
const TITLE: usize = 24;
/// Longest label. Slack takes 2,000.
const LABEL: usize = 200;
/// Longest hint. Slack takes 2,000.
const HINT: usize = 300;
/// Longest option.
const OPTION: usize = 75;
/// Most options of a menu.
const OPTIONS: usize = 100;
/// Longest text that somebody may write.
pub const INPUT_CHARS: usize = 3_000;

/// What stands behind a form, unseen: what is said when it is sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Behind {
    /// The command.
    pub command: String,
    /// Where it was asked.
    pub place: Place,
    /// The message that a control stands on.
    pub message: Option<String>,
}

/// A form.
pub fn modal(form: &Form, ask: &Ask, message: Option<String>) -> Value {
    let behind = Behind { command: ask.command.clone(), place: ask.place.clone(), message };
    json!({
        "type": "modal",
        "callback_id": CALLBACK,
        // A command has at most 60 bytes and ids are short: far below the 3,000 that are allowed.
        "private_metadata": serde_json::to_string(&behind).unwrap_or_default(),
        "title": plain(&form.title, TITLE),
        "submit": plain(&form.submit, TITLE),
        "close": plain("Cancel", TITLE),
        "blocks": form.fields.iter().map(|field| input(field, &ask.place)).collect::<Vec<_>>(),
    })
}

/// The bot's own page.
pub fn home(card: &Card) -> Value {
    json!({ "type": "home", "blocks": blocks::card(card).blocks })
}

/// What stands behind a form that was sent. Nothing when it is no form of ours.
pub fn behind(view: &Value) -> Option<Behind> {
    let is_ours = view["callback_id"] == CALLBACK;
    is_ours.then(|| serde_json::from_str(view["private_metadata"].as_str()?).ok()).flatten()
}

/// The answers, by the names of the fields.
pub fn answers(view: &Value) -> BTreeMap<String, String> {
    let blocks = view["state"]["values"].as_object();
    let answered = blocks.into_iter().flatten().filter_map(|(name, inputs)| {
        let input = &inputs[INPUT];
        let given = [&input["value"], &input["selected_option"]["value"], &input["selected_conversation"]];
        let answer = given.into_iter().find_map(Value::as_str)?;
        Some((name.clone(), answer.to_owned()))
    });
    answered.collect()
}

/// Plain text, which Slack refuses when it is empty.
fn plain(text: &str, limit: usize) -> Value {
    let escaped = escape_to(text, limit);
    let text = if escaped.is_empty() { "…".to_owned() } else { escaped };
    json!({"type": "plain_text", "text": text, "emoji": false})
}

fn input(field: &Field, place: &Place) -> Value {
    let mut block = json!({
        "type": "input",
        "block_id": field.name,
        "optional": field.is_optional,
        "label": plain(&field.label, LABEL),
        "element": element(field, place),
    });
    if !field.hint.is_empty() {
        block["hint"] = plain(&field.hint, HINT);
    }
    block
}

fn element(field: &Field, place: &Place) -> Value {
    match &field.kind {
        FieldKind::Line | FieldKind::Lines => {
            let mut element = json!({
                "type": "plain_text_input",
                "action_id": INPUT,
                "multiline": field.kind == FieldKind::Lines,
                "max_length": INPUT_CHARS,
            });
            let value = text::cut(&text::clean(&field.value), INPUT_CHARS, char::len_utf16);
            if !value.is_empty() {
                element["initial_value"] = json!(value);
            }
            element
        }
        FieldKind::Choice(choices) => {
            let option = |(label, value): &(String, String)| json!({"text": plain(label, OPTION), "value": value});
            let mut element = json!({
                "type": "static_select",
                "action_id": INPUT,
                "options": choices.iter().take(OPTIONS).map(option).collect::<Vec<_>>(),
            });
            if let Some(chosen) = choices.iter().take(OPTIONS).find(|(_, value)| *value == field.value) {
                element["initial_option"] = option(chosen);
            }
            element
        }
        FieldKind::Channel => {
            let mut element = json!({
                "type": "conversations_select",
                "action_id": INPUT,
                "filter": {"include": ["public", "private"], "exclude_bot_users": true},
            });
            // Where nothing is known, the conversation in which the form was opened.
            match [field.value.as_str(), place.channel.as_str()].into_iter().find(|id| id.starts_with(['C', 'G'])) {
                Some(channel) => element["initial_conversation"] = json!(channel),
                None => element["default_to_current_conversation"] = json!(true),
            }
            element
        }
    }
}

#[cfg(test)]
mod tests {
    use clew_tests::fakes::slack::check_view;
    use proptest::prelude::*;

    use super::*;
    use crate::chat::Person;

    fn any_field() -> impl Strategy<Value = Field> {
        let choices = proptest::collection::vec((".{0,100}", "[a-z]{1,20}"), 1..120).prop_map(|choices| {
            // A choice is told from the others by its value.
            FieldKind::Choice(
                choices.into_iter().enumerate().map(|(n, (label, value))| (label, format!("{value}{n}"))).collect(),
            )
        });
        let kind = prop_oneof![Just(FieldKind::Line), Just(FieldKind::Lines), Just(FieldKind::Channel), choices];
        (".{0,300}", kind, "(?s).{0,4000}", any::<bool>(), ".{0,400}").prop_map(
            |(label, kind, value, is_optional, hint)| Field {
                name: String::new(),
                label,
                kind,
                value,
                is_optional,
                hint,
            },
        )
    }

    proptest! {
        #[test]
        fn every_form_keeps_the_limits_of_slack(
            fields in proptest::collection::vec(any_field(), 1..8),
            title in ".{0,80}",
            submit in ".{0,80}",
        ) {
            let named = |(n, field): (usize, Field)| Field { name: format!("field{n}"), ..field };
            let form = Form { title, submit, fields: fields.into_iter().enumerate().map(named).collect() };
            let ask = Ask {
                platform: "slack".into(),
                command: "resolve INC-1".into(),
                place: Place { channel: "C1".into(), thread: None },
                person: Person { id: "U1".into(), name: "ada".into() },
            };
            let view = modal(&form, &ask, None);
            prop_assert_eq!(check_view(&view), Vec::<String>::new(), "{}", view);
        }
    }
}
