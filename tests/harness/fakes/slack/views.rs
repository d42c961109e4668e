//! Modals and Home tabs: what Slack refuses in them, and what it keeps of them.

use std::time::Duration;

use serde_json::{Value, json};

use super::controls::with_ids;
use super::limits::{at_most, check_sizes, check_text, list};
use super::methods::string;
use super::refusal::Refusal;
use super::schemas::{Shape, check_shape};
use super::state::{State, Trigger};
use super::{APP_ID, BOT_ID, TEAM};

/// How long a trigger is good for.
const TRIGGER: Duration = Duration::from_secs(3);
/// Characters of a whole view.
const WHOLE: usize = 250_000;
/// Modals on top of each other.
const DEEPEST: usize = 3;

/// What is wrong with a view; empty when Slack would take it.
#[must_use]
pub fn check(view: &Value) -> Vec<String> {
    let mut errors = check_shape(Shape::View, view);
    let blocks = list(&view["blocks"]);
    at_most(&mut errors, "blocks", blocks.len(), 100);
    at_most(&mut errors, "callback_id", string(view, "callback_id").chars().count(), 255);
    at_most(&mut errors, "private_metadata", string(view, "private_metadata").chars().count(), 3_000);
    check_sizes(&mut errors, &view["blocks"]);
    if view["type"] != "modal" {
        return errors;
    }
    check_text(&mut errors, "title", &view["title"]["text"], 24);
    for name in ["submit", "close"] {
        if !view[name].is_null() {
            check_text(&mut errors, name, &view[name]["text"], 24);
        }
    }
    if view["submit"].is_null() && blocks.iter().any(|block| block["type"] == "input") {
        errors.push("submit: must be there when there are inputs".to_owned());
    }
    errors
}

impl State {
    /// The right to open one modal.
    pub fn trigger(&mut self, user: &str) -> String {
        let id = format!("{}.1700000000.c1e0", self.mint("trigger-"));
        let issued = self.issue();
        self.triggers.insert(id.clone(), Trigger { user: user.to_owned(), issued, used: false });
        id
    }

    /// `views.open`
    pub fn open_view(&mut self, arguments: &Value) -> Result<Value, Refusal> {
        let id = string(arguments, "trigger_id");
        let trigger = self.triggers.get(id).ok_or_else(|| Refusal::code("invalid_trigger_id"))?;
        if trigger.used {
            return Err(Refusal::code("exchanged_trigger_id"));
        }
        if self.age(trigger.issued) > TRIGGER {
            return Err(Refusal::code("expired_trigger_id"));
        }
        let user = trigger.user.clone();
        self.checked_view(&arguments["view"], "modal", &Value::Null)?;
        if self.modals.get(&user).is_some_and(|open| open.len() >= DEEPEST) {
            return Err(Refusal::code("push_limit_reached"));
        }
        if let Some(trigger) = self.triggers.get_mut(id) {
            trigger.used = true;
        }
        let view = self.push_view(&user, &arguments["view"]);
        Ok(json!({"ok": true, "view": view}))
    }

    /// `views.publish`
    pub fn publish_view(&mut self, arguments: &Value) -> Result<Value, Refusal> {
        let user = string(arguments, "user_id");
        if !self.people.contains_key(user) {
            return Err(Refusal::errors("invalid_arguments", &["invalid `user_id`".to_owned()]));
        }
        let before = self.homes.get(user).cloned().unwrap_or_default();
        self.checked_view(&arguments["view"], "home", &before)?;
        unchanged(&before, arguments)?;
        let view = self.complete(&arguments["view"], &before);
        self.homes.insert(user.to_owned(), view.clone());
        Ok(json!({"ok": true, "view": view}))
    }

    /// `views.update`
    pub fn update_view(&mut self, arguments: &Value) -> Result<Value, Refusal> {
        let names = [("id", string(arguments, "view_id")), ("external_id", string(arguments, "external_id"))];
        let meant = |view: &&Value| names.iter().any(|(name, id)| !id.is_empty() && view[*name] == **id);
        let before = self.modals.values().flatten().chain(self.homes.values()).find(meant).cloned();
        let before = before.ok_or_else(|| Refusal::code("not_found"))?;
        self.checked_view(&arguments["view"], string(&before, "type"), &before)?;
        unchanged(&before, arguments)?;
        let view = self.complete(&arguments["view"], &before);
        self.replace_view(&view);
        Ok(json!({"ok": true, "view": view}))
    }

    /// Whether Slack takes a view of this kind in the place of the one before.
    fn checked_view(&self, view: &Value, kind: &str, before: &Value) -> Result<(), Refusal> {
        if view.to_string().len() > WHOLE {
            return Err(Refusal::code("view_too_large"));
        }
        let mut errors = check(view);
        if view["type"] != kind {
            errors.push(format!("type: must be {kind}"));
        }
        let external = string(view, "external_id");
        let taken =
            |other: &Value| !external.is_empty() && other["external_id"] == external && other["id"] != before["id"];
        if self.modals.values().flatten().chain(self.homes.values()).any(taken) {
            return Err(Refusal::code("duplicate_external_id"));
        }
        if errors.is_empty() { Ok(()) } else { Err(Refusal::errors("invalid_arguments", &errors)) }
    }

    /// Shows a modal on top of all others of this person.
    fn push_view(&mut self, user: &str, view: &Value) -> Value {
        let below = self.modals.get(user).and_then(|open| open.last()).cloned().unwrap_or_default();
        let mut view = self.complete(view, &Value::Null);
        if !below.is_null() {
            view["previous_view_id"] = below["id"].clone();
            view["root_view_id"] = below["root_view_id"].clone();
        }
        self.modals.entry(user.to_owned()).or_default().push(view.clone());
        view
    }

    fn replace_view(&mut self, view: &Value) {
        let all = self.modals.values_mut().flatten().chain(self.homes.values_mut());
        all.filter(|other| other["id"] == view["id"]).for_each(|other| *other = view.clone());
    }

    /// A view as Slack keeps it, with all that it adds; what takes the place of another keeps its id.
    fn complete(&mut self, view: &Value, before: &Value) -> Value {
        let (id, hash) = (self.mint("V"), self.mint("1700000000.hash"));
        let id = before["id"].as_str().map_or(id, str::to_owned);
        let root = before["root_view_id"].as_str().unwrap_or(&id).to_owned();
        json!({
            "id": id, "team_id": TEAM, "type": view["type"], "blocks": with_ids(&view["blocks"]),
            "private_metadata": string(view, "private_metadata"), "callback_id": string(view, "callback_id"),
            "external_id": string(view, "external_id"), "state": {"values": {}}, "hash": hash,
            "title": view["title"], "submit": view["submit"], "close": view["close"],
            "clear_on_close": view["clear_on_close"] == true, "notify_on_close": view["notify_on_close"] == true,
            "submit_disabled": false, "root_view_id": root, "previous_view_id": before["previous_view_id"],
            "app_id": APP_ID, "app_installed_team_id": TEAM, "bot_id": BOT_ID,
        })
    }

    /// What the bot answered to a submission: the modal says what is wrong, becomes another, or closes.
    pub fn after_submission(&mut self, payload: &Value, answer: &Value) {
        let (user, id) = (string(&payload["user"], "id"), string(&payload["view"], "id"));
        let Some(open) = self.modals.get_mut(user) else { return };
        let Some(place) = open.iter().position(|view| view["id"] == id) else { return };
        match string(answer, "response_action") {
            "errors" => {}
            "clear" => open.clear(),
            action @ ("update" | "push") => {
                let before = open[place].clone();
                let replaced = if action == "push" { &Value::Null } else { &before };
                // A view that Slack does not take changes nothing: the person is shown an error.
                if self.checked_view(&answer["view"], "modal", replaced).is_err() {
                    return;
                }
                if action == "push" {
                    self.push_view(user, &answer["view"]);
                } else {
                    let view = self.complete(&answer["view"], &before);
                    self.replace_view(&view);
                }
            }
            _ => drop(open.remove(place)),
        }
    }
}

/// Who names the state that is to be changed means that one.
fn unchanged(before: &Value, arguments: &Value) -> Result<(), Refusal> {
    let hash = string(arguments, "hash");
    if hash.is_empty() || before["hash"] == hash { Ok(()) } else { Err(Refusal::code("hash_conflict")) }
}
