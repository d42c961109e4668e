//! Forms that people fill in.

use serde_json::{Value, json};

use super::controls::{STRING_SELECT, TEXT_INPUT, kind};
use super::interactions::SUBMIT;
use super::limits::{length, list};
use super::state::State;
use super::{FakeDiscord, shown};
use crate::Failure;

/// A form that somebody has open.
#[derive(Debug, Clone)]
pub struct Form {
    pub modal: Value,
    pub channel: String,
    /// The message of the control that opened it.
    pub source: Option<String>,
    /// The interaction with which it was sent.
    pub submitted: Option<String>,
}

impl FakeDiscord {
    /// The form that this person has open. One that was sent is open again when nobody answers.
    #[must_use]
    pub fn modal(&self, user: &str) -> Option<Value> {
        self.state().open_form(user).map(|form| form.modal.clone())
    }

    /// A person fills the form in and sends it; each answer is for the input with this custom id. Of a menu it is the
    /// label or value of an option, or several with commas in between. What is not answered stays as it was at first.
    ///
    /// # Errors
    /// When no form is open, it has no such input or option, or something is missing or too long: then Discord does not
    /// let the person send it.
    pub fn submit(&self, user: &str, answers: &[(&str, &str)]) -> Result<(), Failure> {
        self.interact(|state| {
            let form = state.open_form(user).ok_or("no form is open")?.clone();
            let data = json!({
                "custom_id": form.modal["custom_id"], "components": filled(&form.modal, answers)?, "resolved": {},
            });
            let message = form.source.as_deref().and_then(|id| state.place_of(id));
            let message = message.map(|(channel, kept)| state.told(channel, kept));
            let payload = state.ask(SUBMIT, user, &form.channel, data, message);
            if let Some(form) = state.forms.get_mut(user) {
                form.submitted = payload["id"].as_str().map(str::to_owned);
            }
            Ok(payload)
        })
    }

    /// A person closes the form; the bot hears nothing of it.
    pub fn dismiss(&self, user: &str) {
        self.change(|state| state.forms.remove(user));
    }
}

impl State {
    fn open_form(&self, user: &str) -> Option<&Form> {
        let now = self.now();
        let form = self.forms.get(user)?;
        let sent = form.submitted.as_ref();
        let pending = sent.and_then(|id| self.interactions.iter().find(|pending| pending.id == *id));
        pending.is_none_or(|pending| pending.failed(now)).then_some(form)
    }
}

/// What is sent of a form with these answers.
fn filled(modal: &Value, answers: &[(&str, &str)]) -> Result<Value, String> {
    let inputs: Vec<&Value> = list(&modal["components"]).iter().flat_map(inputs).collect();
    for (id, _) in answers {
        if !inputs.iter().any(|input| input["custom_id"] == *id) {
            return Err(format!("no input {id:?}:\n{}", shown::form(modal)));
        }
    }
    let mut number = 0_u64;
    let mut sent = Vec::new();
    for component in list(&modal["components"]) {
        number += 1;
        let own = component["id"].as_u64().unwrap_or(number);
        let mut answered = Vec::new();
        for input in inputs_of(component) {
            number += 1;
            let given = answers.iter().rev().find(|(id, _)| input["custom_id"] == *id).map(|(_, answer)| *answer);
            let mut held = held(input, given)?;
            held["id"] = json!(input["id"].as_u64().unwrap_or(number));
            answered.push(held);
        }
        sent.push(match kind(component) {
            18 => json!({"type": 18, "id": own, "component": answered.pop()}),
            1 => json!({"type": 1, "id": own, "components": answered}),
            other => json!({"type": other, "id": own}),
        });
    }
    Ok(Value::Array(sent))
}

fn inputs(component: &Value) -> Vec<&Value> {
    inputs_of(component).iter().collect()
}

/// The inputs in a row or in a label.
fn inputs_of(component: &Value) -> &[Value] {
    match kind(component) {
        18 => std::slice::from_ref(&component["component"]),
        _ => list(&component["components"]),
    }
}

/// What an input holds, as it is sent.
fn held(input: &Value, given: Option<&str>) -> Result<Value, String> {
    let id = &input["custom_id"];
    // What a form asks for must be answered unless it says otherwise.
    let required = input["required"].as_bool().unwrap_or(true);
    if kind(input) == TEXT_INPUT {
        let text = given.unwrap_or_else(|| input["value"].as_str().unwrap_or(""));
        if required && text.trim().is_empty() {
            return Err(format!("{id}: must be filled in"));
        }
        let (least, most) = (input["min_length"].as_u64().unwrap_or(0), input["max_length"].as_u64().unwrap_or(4_000));
        let long = length(text) as u64;
        if !text.is_empty() && !(least..=most).contains(&long) {
            return Err(format!("{id}: {long} characters where {least} to {most} are allowed"));
        }
        if input["style"] == 1 && text.contains('\n') {
            return Err(format!("{id}: holds one line only"));
        }
        return Ok(json!({"type": TEXT_INPUT, "custom_id": id, "value": text}));
    }
    let values = match given {
        Some("") => Vec::new(),
        Some(answer) => chosen(input, answer)?,
        None => preset(input),
    };
    let least = input["min_values"].as_u64().unwrap_or(1);
    let most = input["max_values"].as_u64().unwrap_or(1);
    let count = values.len() as u64;
    if (required || count > 0) && !(least..=most).contains(&count) {
        return Err(format!("{id}: {count} options where {least} to {most} are to be chosen"));
    }
    Ok(json!({"type": kind(input), "custom_id": id, "values": values}))
}

/// The options that an answer names; of menus of people, roles and channels their ids.
fn chosen(input: &Value, answer: &str) -> Result<Vec<Value>, String> {
    let options = list(&input["options"]);
    let of = |name: &str| options.iter().find(|option| option["label"] == name || option["value"] == name);
    // A label may hold a comma itself.
    if let Some(option) = of(answer) {
        return Ok(vec![option["value"].clone()]);
    }
    let one = |name: &str| match of(name.trim()) {
        Some(option) => Ok(option["value"].clone()),
        None if kind(input) != STRING_SELECT => Ok(json!(name.trim())),
        None => Err(format!("no option {name:?}")),
    };
    answer.split(',').map(one).collect()
}

/// What is chosen before anybody touches the menu.
fn preset(input: &Value) -> Vec<Value> {
    let options = list(&input["options"]).iter().filter(|option| option["default"] == true);
    let values = options.map(|option| option["value"].clone());
    values.chain(list(&input["default_values"]).iter().map(|preset| preset["id"].clone())).collect()
}
