//! Events: what the bot hears of messages, its own among them, and of its Home tab.

use serde_json::{Value, json};

use super::message::SlackMessage;
use super::state::{Kind, State};
use super::{APP_ID, BOT_USER, TEAM};
use crate::fakes::clock::since_epoch;

impl State {
    /// Hands an event to the bot.
    pub fn emit(&mut self, event: Value) {
        let (event_id, context) = (self.mint("Ev"), self.mint("4-context"));
        let payload = json!({
            "token": "verification-of-the-fake", "team_id": TEAM, "context_team_id": TEAM, "api_app_id": APP_ID,
            "event": event, "type": "event_callback", "event_id": event_id, "event_time": since_epoch().as_secs(),
            "authorizations": [{
                "enterprise_id": null, "team_id": TEAM, "user_id": BOT_USER, "is_bot": true,
                "is_enterprise_install": false,
            }],
            "is_ext_shared_channel": false, "event_context": context,
        });
        self.put("events_api", payload);
    }

    /// A message was written; when the bot is mentioned, it hears of it twice.
    pub fn emit_written(&mut self, id: &str, ts: &str) {
        let Some(channel) = self.channels.get(id) else { return };
        let Some(message) = channel.message(ts) else { return };
        let mut event = channel.listed(message);
        if !message.metadata.is_null() {
            event["metadata"] = message.metadata.clone();
        }
        let mentioned = message.text.contains(&format!("<@{BOT_USER}>")) && message.user != BOT_USER;
        // A message to the bot alone is no mention.
        let mentioned = mentioned && !matches!(channel.kind, Kind::Direct(_));
        let shares = message.subtype.as_deref() == Some("file_share");
        let hears_mention = mentioned && channel.member && self.permitted("app_mentions:read").is_ok();
        let mut mention = event.clone();
        self.emit_in(id, event);
        if hears_mention {
            mention["type"] = json!("app_mention");
            mention["channel"] = json!(id);
            mention["event_ts"] = json!(ts);
            // A mention has the files, but does not say that they are what it is about.
            if let (true, Some(mention)) = (shares, mention.as_object_mut()) {
                mention.remove("subtype");
            }
            self.emit(mention);
        }
    }

    /// The bot wrote a message. It hears its own words only once it listens, or they would wait for it for ever.
    pub fn emit_own(&mut self, id: &str, ts: &str) {
        if self.mail.listened {
            self.emit_written(id, ts);
        }
    }

    /// Changes a message, which the bot hears of.
    pub fn change(&mut self, id: &str, ts: &str, edit: impl FnOnce(&mut SlackMessage)) {
        let edited = self.stamp();
        let Some(channel) = self.channels.get_mut(id) else { return };
        let Some(before) = channel.message(ts).map(|message| channel.listed(message)) else { return };
        let Some(message) = channel.message_mut(ts) else { return };
        edit(message);
        message.edits += 1;
        message.edited = Some(edited.clone());
        let message = message.clone();
        let after = channel.listed(&message);
        if message.user != BOT_USER || self.mail.listened {
            self.emit_in(
                id,
                json!({
                    "type": "message", "subtype": "message_changed", "hidden": true, "message": after,
                    "previous_message": before, "ts": edited,
                }),
            );
        }
    }

    /// Deletes a message, which the bot hears of.
    pub fn remove(&mut self, id: &str, ts: &str) {
        let stamp = self.stamp();
        let Some(channel) = self.channels.get_mut(id) else { return };
        let Some(message) = channel.message(ts) else { return };
        let (before, own) = (channel.listed(message), message.user == BOT_USER);
        channel.messages.retain(|message| message.ts != ts);
        if !own || self.mail.listened {
            self.emit_in(
                id,
                json!({
                    "type": "message", "subtype": "message_deleted", "hidden": true, "deleted_ts": ts,
                    "previous_message": before, "ts": stamp,
                }),
            );
        }
    }

    /// An event of a channel: the bot hears it when it is in the channel and may read it.
    fn emit_in(&mut self, id: &str, mut event: Value) {
        let Some(channel) = self.channels.get(id) else { return };
        if !channel.member || self.permitted(&format!("{}:history", channel.kind.scopes())).is_err() {
            return;
        }
        event["channel"] = json!(id);
        event["channel_type"] = json!(channel.kind.name());
        event["event_ts"] = event["ts"].clone();
        self.emit(event);
    }

    /// A person looks at the Home tab.
    pub fn emit_home_opened(&mut self, user: &str) {
        let (channel, stamp) = (self.direct(user), self.stamp());
        let mut event = json!({
            "type": "app_home_opened", "user": user, "channel": channel, "tab": "home", "event_ts": stamp,
        });
        if let Some(view) = self.homes.get(user) {
            event["view"] = view.clone();
        }
        self.emit(event);
    }
}
