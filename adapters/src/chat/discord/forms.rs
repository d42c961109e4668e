//! Forms as modals.
//!
//! A modal asks for texts, one a row: that is what every client of Discord shows, and what serenity makes. What is chosen
//! elsewhere is written here, with the choices before one's eyes; where an incident is shown is where the form was asked
//! for.

use std::collections::BTreeMap;

use serde_json::Value;
use serenity::all::InputTextStyle;
use serenity::builder::{CreateActionRow, CreateInputText, CreateInteractionResponse, CreateModal};

use super::controls::label;
use super::escape::size;
use crate::chat::{Field, FieldKind, Form, text};

/// Longest title of a form, and of a question.
const TITLE: usize = 45;
/// Longest hint.
const HINT: usize = 100;
/// Most questions of a form.
const FIELDS: usize = 5;
/// Longest text that somebody may write, in UTF-16 code units.
pub const INPUT_CHARS: u16 = 4_000;
/// Beginning of the custom id of a form; behind it stands the command, which has at most 60 bytes of the 100.
const FORM: &str = "form ";

/// A form that says `command` when it is sent, as the answer to an interaction.
pub fn modal(form: &Form, command: &str) -> CreateInteractionResponse {
    let rows = asked(&form.fields).map(|field| CreateActionRow::InputText(question(field))).collect();
    let modal = CreateModal::new(format!("{FORM}{command}"), label(&form.title, command, TITLE)).components(rows);
    CreateInteractionResponse::Modal(modal)
}

/// The command that a form says, from its custom id. Nothing when it is no form of ours.
pub fn command(custom_id: &str) -> Option<&str> {
    custom_id.strip_prefix(FORM).filter(|command| !command.trim().is_empty())
}

/// The answers of a form that was sent, by the names of the fields. What stayed empty is not among them.
pub fn answers(data: &Value) -> BTreeMap<String, String> {
    let mut answers = BTreeMap::new();
    for row in data["components"].as_array().into_iter().flatten() {
        // A row holds its inputs; a label, which newer forms have, one.
        let inputs = row["components"].as_array().into_iter().flatten();
        for input in row.get("component").into_iter().chain(inputs) {
            let answer = input["value"].as_str().or_else(|| input["values"][0].as_str());
            if let (Some(name), Some(answer)) =
                (input["custom_id"].as_str(), answer.filter(|answer| !answer.is_empty()))
            {
                answers.insert(name.to_owned(), answer.to_owned());
            }
        }
    }
    answers
}

/// The questions that there is room for. What must be answered comes before what may stay empty.
fn asked(fields: &[Field]) -> impl Iterator<Item = &Field> {
    let fields = || fields.iter().filter(|field| field.kind != FieldKind::Channel);
    let needed = fields().filter(|field| !field.is_optional).count();
    let mut spare = FIELDS.saturating_sub(needed);
    let fits = move |field: &&Field| {
        if !field.is_optional {
            return true;
        }
        let is_room = spare > 0;
        spare = spare.saturating_sub(1);
        is_room
    };
    fields().filter(fits).take(FIELDS)
}

fn question(field: &Field) -> CreateInputText {
    let style = if field.kind == FieldKind::Lines { InputTextStyle::Paragraph } else { InputTextStyle::Short };
    let mut input = CreateInputText::new(style, label(&field.label, &field.name, TITLE), &field.name)
        .max_length(INPUT_CHARS)
        .required(!field.is_optional);
    let hint = match &field.kind {
        FieldKind::Choice(choices) => choices.iter().map(|(_, value)| value.as_str()).collect::<Vec<_>>().join(", "),
        _ => field.hint.clone(),
    };
    let hint = label(&hint, "", HINT);
    if !hint.is_empty() {
        input = input.placeholder(hint);
    }
    let value = text::cut(&text::clean(&field.value), INPUT_CHARS.into(), size);
    if value.is_empty() { input } else { input.value(value) }
}

#[cfg(test)]
mod tests {
    use clew_tests::fakes::discord::check_modal;
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn field(name: &str, kind: FieldKind, value: &str) -> Field {
        Field {
            name: name.into(),
            label: format!("{name}?"),
            kind,
            value: value.into(),
            is_optional: true,
            hint: String::new(),
        }
    }

    fn sent(form: &Form, command: &str) -> Value {
        json!(modal(form, command))["data"].clone()
    }

    #[test]
    fn a_form_asks_what_is_asked() {
        let mut logs = field("logs", FieldKind::Lines, "");
        logs.is_optional = false;
        logs.hint = "Up to 3,000 characters.".into();
        let bad = FieldKind::Choice(vec![("Critical".into(), "critical".into()), ("Low".into(), "low".into())]);
        let form = Form {
            title: "Triage logs".into(),
            submit: "Triage".into(),
            fields: vec![logs, field("severity", bad, "low"), field("where", FieldKind::Channel, "")],
        };
        let asked = sent(&form, "triage");
        let inputs: Vec<&Value> =
            asked["components"].as_array().into_iter().flatten().map(|row| &row["components"][0]).collect();
        assert_eq!(asked["custom_id"], "form triage");
        assert_eq!(inputs.len(), 2, "{asked}");
        assert_eq!((&inputs[0]["style"], &inputs[0]["required"]), (&json!(2), &json!(true)));
        assert_eq!(inputs[0]["placeholder"], "Up to 3,000 characters.");
        assert_eq!((&inputs[1]["placeholder"], &inputs[1]["value"]), (&json!("critical, low"), &json!("low")));
    }

    #[test]
    fn what_must_be_answered_is_asked_first_when_there_is_too_much() {
        let mut fields: Vec<Field> = (0..6).map(|n| field(&format!("f{n}"), FieldKind::Line, "")).collect();
        fields[5].is_optional = false;
        let modal = sent(&Form { title: String::new(), submit: String::new(), fields }, "close 12");
        let rows = modal["components"].as_array().into_iter().flatten();
        let names: Vec<_> = rows.map(|row| &row["components"][0]["custom_id"]).collect();
        assert_eq!(names, ["f0", "f1", "f2", "f3", "f5"]);
        assert_eq!(modal["title"], "close 12");
    }

    #[test]
    fn a_form_that_was_sent_says_its_command_with_the_answers() {
        let labels = json!({"custom_id": "form resolve 12", "components": [
            {"type": 18, "id": 1, "component": {"type": 4, "id": 2, "custom_id": "fix", "value": "Grew the *volume*"}},
            {"type": 18, "id": 3, "component": {"type": 3, "id": 4, "custom_id": "cause", "values": ["disk_full"]}},
            {"type": 18, "id": 5, "component": {"type": 8, "id": 6, "custom_id": "where", "values": []}},
            {"type": 10, "id": 7},
        ]});
        let rows = json!({"components": [
            {"type": 1, "components": [{"type": 4, "custom_id": "fix", "value": "Grew the *volume*"}]},
            {"type": 1, "components": [{"type": 4, "custom_id": "note", "value": ""}]},
        ]});
        assert_eq!(command(labels["custom_id"].as_str().unwrap_or_default()), Some("resolve 12"));
        let answer = |name: &str, text: &str| (name.to_owned(), text.to_owned());
        let fix = answer("fix", "Grew the *volume*");
        assert_eq!(answers(&labels), BTreeMap::from([answer("cause", "disk_full"), fix.clone()]));
        assert_eq!(answers(&rows), BTreeMap::from([fix]));
        for foreign in ["", "form", "form  ", "say0.5 form x"] {
            assert_eq!(command(foreign), None);
        }
    }

    fn any_field() -> impl Strategy<Value = Field> {
        let choices = proptest::collection::vec((".{0,120}", "[a-z]{0,20}"), 0..40).prop_map(FieldKind::Choice);
        let kind = prop_oneof![Just(FieldKind::Line), Just(FieldKind::Lines), choices];
        (".{0,300}", kind, "(?s).{0,5000}", any::<bool>(), ".{0,400}").prop_map(
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
        #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn every_form_keeps_the_limits_of_discord(
            fields in proptest::collection::vec(any_field(), 1..8), title in ".{0,80}",
        ) {
            let named = |(n, field): (usize, Field)| Field { name: format!("field{n}"), ..field };
            let fields = fields.into_iter().enumerate().map(named).collect();
            let modal = sent(&Form { title, submit: String::new(), fields }, "resolve INC-1");
            prop_assert_eq!(check_modal(&modal), Vec::<String>::new(), "{}", modal);
        }
    }
}
