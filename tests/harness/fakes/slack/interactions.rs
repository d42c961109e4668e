//! What people do with the bot: slash commands, shortcuts, buttons, menus.

use serde_json::{Value, json};

use super::controls::{action, state_of, with_ids};
use super::envelopes::Delivered;
use super::methods::string;
use super::state::{Channel, Kind, State};
use super::{APP_ID, COMMAND, FakeSlack, TEAM};
use crate::Failure;

impl FakeSlack {
    /// A person enters `/triage text`, in a channel that the bot need not be in. Returns once it is acknowledged, or
    /// cannot be any more.
    pub fn command(&self, channel: &str, user: &str, text: &str) -> Delivered {
        self.deliver("slash_commands", |state| state.command_payload(channel, user, text))
    }

    /// A person chooses the shortcut `callback_id` in the menu of a message.
    ///
    /// # Errors
    /// When there is no such message.
    pub fn shortcut(&self, channel: &str, ts: &str, user: &str, callback_id: &str) -> Result<Delivered, Failure> {
        self.try_to_deliver(|state| state.shortcut_payload(channel, ts, user, callback_id))
    }

    /// A person presses the button of a message, or chooses the option of a menu, that reads or means this. The message
    /// may be one that only this person sees.
    ///
    /// # Errors
    /// When there is no such control.
    pub fn press(&self, channel: &str, ts: &str, user: &str, label_or_value: &str) -> Result<Delivered, Failure> {
        self.try_to_deliver(|state| state.press_payload(channel, ts, user, label_or_value))
    }

    /// The very same thing is delivered once more, as something new.
    pub fn press_as_sent(&self, payload: &Value) -> Delivered {
        let kind = if payload["command"].is_string() { "slash_commands" } else { "interactive" };
        self.deliver(kind, |_| payload.clone())
    }

    fn deliver(&self, kind: &str, payload: impl FnOnce(&mut State) -> Value) -> Delivered {
        let place = self.change(|state| {
            let payload = payload(state);
            state.put(kind, payload)
        });
        self.shared.delivered(place)
    }

    pub(super) fn try_to_deliver(
        &self,
        payload: impl FnOnce(&mut State) -> Result<Value, String>,
    ) -> Result<Delivered, Failure> {
        let place = self.change(|state| payload(state).map(|payload| state.put("interactive", payload)))?;
        Ok(self.shared.delivered(place))
    }
}

impl State {
    fn command_payload(&mut self, id: &str, user: &str, text: &str) -> Value {
        let unknown = || Channel { member: false, ..Channel::new("elsewhere", Kind::Private) };
        let channel = self.channels.entry(id.to_owned()).or_insert_with(unknown);
        let channel_name = shown_name(channel);
        json!({
            "token": "verification-of-the-fake", "team_id": TEAM, "team_domain": "team", "channel_id": id,
            "channel_name": channel_name, "user_id": user, "user_name": self.user(user)["name"],
            "command": COMMAND, "text": text.replace('\n', " "), "api_app_id": APP_ID,
            "is_enterprise_install": "false", "response_url": self.response_url(id, user, None),
            "trigger_id": self.trigger(user),
        })
    }

    fn shortcut_payload(&mut self, id: &str, ts: &str, user: &str, callback_id: &str) -> Result<Value, String> {
        let channel = self.channels.get(id).ok_or("no such channel")?;
        let message = channel.message(ts).ok_or("no such message")?;
        let (message, name) = (channel.listed(message), shown_name(channel));
        let action_ts = self.stamp();
        Ok(json!({
            "type": "message_action", "callback_id": callback_id, "token": "verification-of-the-fake",
            "trigger_id": self.trigger(user), "response_url": self.response_url(id, user, Some(ts)),
            "message_ts": ts, "message": message, "action_ts": action_ts, "channel": {"id": id, "name": name},
            "team": team(), "user": self.user(user), "enterprise": null, "is_enterprise_install": false,
        }))
    }

    fn press_payload(&mut self, id: &str, ts: &str, user: &str, label_or_value: &str) -> Result<Value, String> {
        let channel = self.channels.get(id).ok_or("no such channel")?;
        let whispered = channel.ephemerals.get(user).into_iter().flatten().find(|message| message.ts == ts);
        let message = whispered.or_else(|| channel.message(ts)).ok_or("no such message")?;
        let mut listed = channel.listed(message);
        let blocks = with_ids(&message.blocks);
        let action = action(&blocks, label_or_value)
            .ok_or_else(|| format!("nothing reads or means {label_or_value:?}:\n{}", message.shown()))?;
        listed["blocks"] = blocks.clone();
        let mut container = json!({
            "type": "message", "message_ts": ts, "channel_id": id, "is_ephemeral": whispered.is_some(),
        });
        if let Some(thread) = &message.thread_ts {
            container["thread_ts"] = json!(thread);
        }
        let (ephemeral, name) = (whispered.is_some(), shown_name(channel));
        let mut payload = self.action_payload(user, container, action, &blocks);
        payload["channel"] = json!({"id": id, "name": name});
        payload["response_url"] = json!(self.response_url(id, user, Some(ts)));
        // Slack does not keep what only one person sees, and so does not send it along.
        if !ephemeral {
            payload["message"] = listed;
        }
        Ok(payload)
    }

    /// A person used a control, wherever it stands.
    pub fn action_payload(&mut self, user: &str, container: Value, mut action: Value, blocks: &Value) -> Value {
        action["action_ts"] = json!(self.stamp());
        let mut values = state_of(blocks);
        let held = &mut values[string(&action, "block_id")][string(&action, "action_id")];
        for member in ["selected_option", "selected_options", "selected_user"] {
            if !held.is_null() && !action[member].is_null() {
                held[member] = action[member].clone();
            }
        }
        // Asking for a control that holds nothing has made room for it.
        if let Some(values) = values.as_object_mut() {
            values.retain(|_, block| block.as_object().is_some_and(|block| block.values().any(|held| !held.is_null())));
        }
        json!({
            "type": "block_actions", "user": self.user(user), "api_app_id": APP_ID,
            "token": "verification-of-the-fake", "container": container, "trigger_id": self.trigger(user),
            "team": team(), "enterprise": null, "is_enterprise_install": false, "state": {"values": values},
            "actions": [action],
        })
    }

    pub fn user(&self, id: &str) -> Value {
        let name = self.name_of(id).unwrap_or(id).to_lowercase();
        json!({"id": id, "username": name, "name": name, "team_id": TEAM})
    }
}

pub fn team() -> Value {
    json!({"id": TEAM, "domain": "team"})
}

/// The name of a channel as Slack tells it to an app; of some it tells none.
fn shown_name(channel: &Channel) -> String {
    match channel.kind {
        Kind::Public => channel.name.clone(),
        Kind::Private => "privategroup".to_owned(),
        Kind::Direct(_) => "directmessage".to_owned(),
    }
}
