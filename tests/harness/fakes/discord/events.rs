//! Events: what the bot hears of channels, messages and interactions, and how much of it.

use serde_json::{Value, json};

use super::channel::{Channel, Kind};
use super::gateway::{DIRECT_MESSAGES, GUILD_MESSAGES, GUILDS, MESSAGE_CONTENT};
use super::limits::list;
use super::message::is_own;
use super::state::State;
use super::{BOT_USER, GUILD};

impl State {
    /// Tells all sessions that want to hear it of something in a channel that the bot sees.
    pub fn emit(&mut self, event: &str, channel: &str, data: Value) {
        if self.need(channel, 0).is_err() {
            return;
        }
        let direct = self.channels.get(channel).is_some_and(Channel::is_direct);
        let wanted = match (event.starts_with("MESSAGE_"), direct) {
            (true, true) => DIRECT_MESSAGES,
            (true, false) => GUILD_MESSAGES,
            (false, false) => GUILDS,
            (false, true) => 0,
        };
        self.tell(event, wanted, !direct, |intents| {
            if event.starts_with("MESSAGE_") && intents & MESSAGE_CONTENT == 0 {
                veiled(data.clone())
            } else {
                data.clone()
            }
        });
    }

    /// Tells of something in the server.
    pub fn emit_to_guild(&mut self, event: &str, data: Value) {
        self.tell(event, GUILDS, true, |_| data.clone());
    }

    /// Tells of an interaction: whatever the session wants to hear of.
    pub fn emit_interaction(&mut self, data: &Value) {
        self.tell("INTERACTION_CREATE", 0, data["guild_id"].is_string(), |_| data.clone());
    }

    /// Tells of a message as it is now.
    pub fn emit_message(&mut self, event: &str, channel: &str, id: &str, nonce: &Value) {
        let Some(held) = self.channels.get(channel) else { return };
        let Some(kept) = held.message(id) else { return };
        let mut told = self.told(channel, kept);
        if !matches!(held.kind, Kind::Direct(_)) {
            told["guild_id"] = json!(GUILD);
            if let Some(member) = self.member_part(kept.author()).filter(|_| kept.raw["webhook_id"].is_null()) {
                told["member"] = member;
            }
            for user in told["mentions"].as_array_mut().into_iter().flatten() {
                if let Some(member) = user["id"].as_str().and_then(|id| self.member_part(id)) {
                    user["member"] = member;
                }
            }
        }
        if !nonce.is_null() {
            told["nonce"] = nonce.clone();
        }
        told["channel_type"] = json!(held.number());
        self.emit(event, channel, told);
    }

    /// A message for a bot that may not read what others write, unless it is allowed to.
    pub fn for_bot(&self, channel: &str, told: Value) -> Value {
        let direct = self.channels.get(channel).is_some_and(Channel::is_direct);
        if self.gateway.allows_content || direct { told } else { veiled(told) }
    }
}

/// A message without what only those may read who asked for it; to what is meant for the bot nothing is done.
fn veiled(mut message: Value) -> Value {
    if !message["referenced_message"].is_null() {
        message["referenced_message"] = veiled(message["referenced_message"].take());
    }
    let direct = message["channel_type"] == 1;
    let mentioned = list(&message["mentions"]).iter().any(|user| user["id"] == BOT_USER);
    if direct || mentioned || is_own(&message) || message.get("author").is_none() {
        return message;
    }
    message["content"] = json!("");
    for name in ["embeds", "attachments", "components"] {
        message[name] = json!([]);
    }
    message
}
