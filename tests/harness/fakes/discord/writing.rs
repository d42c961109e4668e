//! What people, other bots and webhooks write.

use serde_json::{Value, json};

use super::people::User;
use super::state::State;
use super::{ADA, FakeDiscord, GUILD};

impl FakeDiscord {
    /// A person writes `text` as it is sent: people are named as `<@id>`. Returns the id.
    pub fn say(&self, channel: &str, user: &str, text: &str) -> String {
        self.said(channel, user, &json!({"content": text}), None)
    }

    /// A person answers a message, which calls its author.
    pub fn reply(&self, channel: &str, to: &str, user: &str, text: &str) -> String {
        self.said(channel, user, &json!({"content": text}), Some(to))
    }

    /// A person shares files and writes `text` with them.
    pub fn say_with_files(&self, channel: &str, user: &str, text: &str, files: &[(&str, Vec<u8>)]) -> String {
        let uploads: Vec<Value> = files.iter().map(|(name, bytes)| json!({"name": name, "bytes": bytes})).collect();
        self.said(channel, user, &json!({"content": text, "uploads": uploads}), None)
    }

    /// A person writes to the bot alone.
    pub fn direct(&self, user: &str, text: &str) -> String {
        let channel = self.direct_channel(user);
        self.say(&channel, user, text)
    }

    /// Ada begins a thread below a message. Returns its id, which is that of the message.
    pub fn start_thread(&self, channel: &str, message: &str, name: &str) -> String {
        let begun = self.change(|state| state.begin_thread(channel, message, &json!({"name": name}), ADA));
        assert!(begun.is_ok(), "no thread can begin below {message}: {begun:?}");
        message.to_owned()
    }

    /// The person who wrote a message changes its text.
    pub fn edit(&self, channel: &str, id: &str, text: &str) {
        self.edit_post(channel, id, json!({"content": text}));
    }

    /// A message is deleted by a person, whoever wrote it.
    pub fn delete(&self, channel: &str, id: &str) {
        self.change(|state| state.erase(channel, id));
    }

    /// Another bot writes `message`: `content`, `embeds`, `components`. `bot` is its id.
    pub fn post_by_bot(&self, channel: &str, bot: &str, message: Value) -> String {
        self.change(|state| {
            let known = state.users.entry(bot.to_owned());
            known.or_insert_with(|| User { roles: Some(Vec::new()), ..User::bot("alerts") });
            state.put(channel, state.draft(bot), &message)
        })
    }

    /// A webhook of the channel, which calls itself `name`, writes `message`.
    pub fn post_by_webhook(&self, channel: &str, name: &str, message: Value) -> String {
        self.change(|state| {
            // Each name is a webhook of its own, and writes under its id.
            let at = state.webhooks.iter().position(|known| known == name).unwrap_or(state.webhooks.len());
            if at == state.webhooks.len() {
                state.webhooks.push(name.to_owned());
            }
            let id = (1_000_000_000_000_000_800_u64 + at as u64).to_string();
            let mut draft = state.draft(&id);
            draft.author = json!({
                "id": id, "username": name, "global_name": null, "avatar": null, "discriminator": "0000", "bot": true,
                "public_flags": 0, "flags": 0,
            });
            draft.webhook = Some(id);
            state.put(channel, draft, &message)
        })
    }

    /// What another bot, a webhook or a person wrote reads otherwise now.
    pub fn edit_post(&self, channel: &str, id: &str, message: Value) {
        self.change(|state| state.rewrite(channel, id, &message));
    }

    fn said(&self, channel: &str, user: &str, body: &Value, to: Option<&str>) -> String {
        self.change(|state| {
            let mut draft = state.draft(user);
            if let Some(to) = to {
                draft.kind = 19;
                let mut reference = json!({"type": 0, "channel_id": channel, "message_id": to});
                if state.channels.get(channel).is_some_and(|channel| !channel.is_direct()) {
                    reference["guild_id"] = json!(GUILD);
                }
                draft.reference = Some(reference);
            }
            state.put(channel, draft, body)
        })
    }
}

impl State {
    /// Somebody else than the bot writes. An archived thread opens again.
    fn put(&mut self, channel: &str, draft: super::message::Draft, body: &Value) -> String {
        assert!(self.channels.contains_key(channel), "no channel {channel}");
        if let Some(held) = self.channels.get_mut(channel).filter(|held| held.archived && !held.locked) {
            held.archived = false;
            self.emit_channel("THREAD_UPDATE", channel);
        }
        self.write(channel, draft, body, &Value::Null)
    }
}
