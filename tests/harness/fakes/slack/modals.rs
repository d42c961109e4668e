//! What people do with the views of the bot: they open the Home tab, fill a modal in, press what stands there.

use serde_json::{Value, json};

use super::controls::{action, holds, option, state_of};
use super::envelopes::Delivered;
use super::interactions::team;
use super::limits::list;
use super::methods::string;
use super::state::State;
use super::{APP_ID, FakeSlack};
use crate::Failure;

impl FakeSlack {
    /// A person opens the Home tab of the bot, which hears of it.
    pub fn open_home(&self, user: &str) {
        self.change(|state| state.emit_home_opened(user));
    }

    /// What the Home tab of this person shows.
    #[must_use]
    pub fn home_of(&self, user: &str) -> Option<Value> {
        self.state().homes.get(user).cloned()
    }

    /// A person presses the button on the Home tab, or chooses the option of a menu, that reads or means this.
    ///
    /// # Errors
    /// When there is no such control.
    pub fn press_home(&self, user: &str, label_or_value: &str) -> Result<Delivered, Failure> {
        let home = self.home_of(user).ok_or("the Home tab is empty")?;
        self.try_to_deliver(|state| state.view_action(user, &home, label_or_value))
    }

    /// The modal that this person sees.
    #[must_use]
    pub fn modal_of(&self, user: &str) -> Option<Value> {
        self.state().modals.get(user).and_then(|open| open.last()).cloned()
    }

    /// A person presses something in the modal that does not send it.
    ///
    /// # Errors
    /// When there is no modal, or no such control.
    pub fn press_in_modal(&self, user: &str, label_or_value: &str) -> Result<Delivered, Failure> {
        let modal = self.modal_of(user).ok_or("no modal is open")?;
        self.try_to_deliver(|state| state.view_action(user, &modal, label_or_value))
    }

    /// A person fills the modal in and sends it. Each answer is for the input with this id of its block or this label; of
    /// several options with a comma in between. What is not answered stays as it was at first. The modal closes unless
    /// the bot answers otherwise.
    ///
    /// # Errors
    /// When there is no modal, no such input or option, or something is left empty that must not be: then Slack does not
    /// let the person send it.
    pub fn submit(&self, user: &str, answers: &[(&str, &str)]) -> Result<Delivered, Failure> {
        let mut modal = self.modal_of(user).ok_or("no modal is open")?;
        self.try_to_deliver(|state| {
            modal["state"] = json!({"values": state.filled(&modal, answers)?});
            Ok(json!({
                "type": "view_submission", "team": team(), "user": state.user(user), "api_app_id": APP_ID,
                "token": "verification-of-the-fake", "trigger_id": state.trigger(user), "view": modal,
                "response_urls": [], "is_enterprise_install": false, "enterprise": null,
            }))
        })
    }

    /// A person closes the modal. Returns what the bot was told, if it asked to be.
    ///
    /// # Errors
    /// When there is no modal.
    pub fn dismiss(&self, user: &str) -> Result<Option<Delivered>, Failure> {
        let closed = self.change(|state| state.modals.get_mut(user).and_then(Vec::pop)).ok_or("no modal is open")?;
        if closed["notify_on_close"] != true {
            return Ok(None);
        }
        let told = self.try_to_deliver(|state| {
            Ok(json!({
                "type": "view_closed", "team": team(), "user": state.user(user), "api_app_id": APP_ID,
                "token": "verification-of-the-fake", "view": closed, "is_cleared": false,
                "is_enterprise_install": false, "enterprise": null,
            }))
        });
        told.map(Some)
    }
}

impl State {
    fn view_action(&mut self, user: &str, view: &Value, label_or_value: &str) -> Result<Value, String> {
        let action = action(&view["blocks"], label_or_value)
            .ok_or_else(|| format!("nothing reads or means {label_or_value:?}:\n{}", super::shown_view(view)))?;
        let container = json!({"type": "view", "view_id": view["id"]});
        let mut payload = self.action_payload(user, container, action, &view["blocks"]);
        let mut view = view.clone();
        view["state"] = payload["state"].take();
        payload["view"] = view;
        if let Some(payload) = payload.as_object_mut() {
            payload.remove("state");
        }
        Ok(payload)
    }

    /// What the inputs of a modal hold with these answers.
    fn filled(&self, modal: &Value, answers: &[(&str, &str)]) -> Result<Value, String> {
        let mut values = state_of(&modal["blocks"]);
        let inputs: Vec<&Value> = list(&modal["blocks"]).iter().filter(|block| block["type"] == "input").collect();
        for (name, answer) in answers {
            let block = inputs.iter().find(|block| block["block_id"] == *name || block["label"]["text"] == *name);
            let block = block.ok_or_else(|| format!("no input {name:?}:\n{}", super::shown_view(modal)))?;
            let element = &block["element"];
            let (member, _) = holds(string(element, "type")).ok_or_else(|| format!("{name}: cannot be filled in"))?;
            values[string(block, "block_id")][string(element, "action_id")][member] = self.choose(element, answer)?;
        }
        for block in inputs {
            let element = &block["element"];
            let (member, _) = holds(string(element, "type")).unwrap_or_default();
            let held = &values[string(block, "block_id")][string(element, "action_id")][member];
            check_held(block, held)?;
        }
        Ok(values)
    }

    /// What an input holds after this answer.
    fn choose(&self, element: &Value, answer: &str) -> Result<Value, String> {
        if answer.is_empty() {
            return Ok(Value::Null);
        }
        let chosen = |answer: &str| option(element, answer).ok_or_else(|| format!("no option {answer:?}"));
        match string(element, "type") {
            "static_select" | "radio_buttons" => chosen(answer),
            "checkboxes" | "multi_static_select" => {
                answer.split(',').map(|one| chosen(one.trim())).collect::<Result<_, _>>().map(Value::Array)
            }
            "channels_select" | "conversations_select" => {
                let named = |(id, channel): &(&String, &super::state::Channel)| {
                    id.as_str() == answer || !channel.name.is_empty() && channel.name == answer.trim_start_matches('#')
                };
                let found = self.channels.iter().find(named).ok_or_else(|| format!("no channel {answer:?}"))?;
                Ok(json!(found.0))
            }
            "users_select" => {
                let mut people = self.people.iter();
                let found = people.find(|(id, name)| *id == answer || *name == answer);
                Ok(json!(found.ok_or_else(|| format!("no person {answer:?}"))?.0))
            }
            _ => Ok(json!(answer)),
        }
    }
}

/// What Slack checks before it lets a person send a modal.
fn check_held(block: &Value, held: &Value) -> Result<(), String> {
    let (label, element) = (&block["label"]["text"], &block["element"]);
    let empty = held.is_null() || held == "" || held.as_array().is_some_and(Vec::is_empty);
    if empty {
        return if block["optional"] == true { Ok(()) } else { Err(format!("{label}: must be filled in")) };
    }
    if element["type"] == "plain_text_input" {
        let length = held.as_str().map_or(0, |text| text.encode_utf16().count()) as u64;
        let least = element["min_length"].as_u64().unwrap_or(0);
        let most = element["max_length"].as_u64().unwrap_or(3_000);
        if !(least..=most).contains(&length) {
            return Err(format!("{label}: {length} characters where {least} to {most} are allowed"));
        }
        if element["multiline"] != true && held.as_str().is_some_and(|text| text.contains('\n')) {
            return Err(format!("{label}: holds one line only"));
        }
    }
    Ok(())
}
