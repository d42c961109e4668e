//! Threads and direct channels over the REST API.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::channel::{Channel, Kind};
use super::message::HAS_THREAD;
use super::messages::id_of;
use super::permissions::{CREATE_PRIVATE_THREADS, CREATE_PUBLIC_THREADS, MANAGE_THREADS};
use super::refusal::Refusal;
use super::state::{State, timestamp_now};
use super::{BOT_USER, GUILD};

/// How long a thread stays open without messages when nothing is said, in minutes.
const ARCHIVED_AFTER: u64 = 4_320;

impl State {
    /// `POST /channels/{}/messages/{}/threads`
    pub fn thread_on(&mut self, channel: &str, message: &str, body: &Value) -> Result<Value, Refusal> {
        self.need(channel, CREATE_PUBLIC_THREADS)?;
        self.begin_thread(channel, message, body, BOT_USER)?;
        Ok(self.channel_object(message))
    }

    /// A thread below a message; it has the id of the message.
    pub fn begin_thread(&mut self, channel: &str, message: &str, body: &Value, owner: &str) -> Result<(), Refusal> {
        let held = self.channels.get(channel).ok_or_else(|| Refusal::code(10_003))?;
        if !matches!(held.kind, Kind::Text | Kind::Announcement) {
            return Err(Refusal::code(50_024));
        }
        let there = held.message(message).is_some_and(super::message::Kept::is_public);
        if !there {
            return Err(Refusal::code(10_008));
        }
        if self.channels.contains_key(message) {
            return Err(Refusal::code(160_004));
        }
        self.add_thread(channel, message, body, owner, false)?;
        if let Some(kept) = self.channels.get_mut(channel).and_then(|channel| channel.message_mut(message)) {
            kept.set(HAS_THREAD, true);
        }
        self.emit_created(message);
        self.emit_message("MESSAGE_UPDATE", channel, message, &Value::Null);
        let mut draft = self.draft(owner);
        draft.kind = 21;
        draft.reference = Some(json!({"type": 0, "channel_id": channel, "message_id": message, "guild_id": GUILD}));
        self.write(message, draft, &json!({}), &Value::Null);
        Ok(())
    }

    /// `POST /channels/{}/threads`
    pub fn thread_in(&mut self, channel: &str, body: &Value) -> Result<Value, Refusal> {
        // Without a word a thread of its own is private.
        let private = body["type"].as_u64().unwrap_or(12) == 12;
        self.need(channel, if private { CREATE_PRIVATE_THREADS } else { CREATE_PUBLIC_THREADS })?;
        let id = self.snowflake();
        self.add_thread(channel, &id, body, BOT_USER, private)?;
        self.emit_created(&id);
        if !private {
            let mut draft = self.draft(BOT_USER);
            draft.kind = 18;
            draft.reference = Some(json!({"type": 0, "channel_id": id, "guild_id": GUILD}));
            self.write(channel, draft, &json!({"content": body["name"]}), &Value::Null);
        }
        Ok(self.channel_object(&id))
    }

    fn add_thread(&mut self, parent: &str, id: &str, body: &Value, owner: &str, private: bool) -> Result<(), Refusal> {
        let after = body["auto_archive_duration"].as_u64().unwrap_or(ARCHIVED_AFTER);
        let name = body["name"].as_str().unwrap_or("").trim();
        check_name(name)?;
        let kind = Kind::Thread {
            parent: parent.to_owned(),
            owner: owner.to_owned(),
            private,
            archived_after: after,
            created: timestamp_now(),
        };
        let mut thread = Channel::new(id, name, kind);
        thread.followers = BTreeSet::from([owner.to_owned(), BOT_USER.to_owned()]);
        self.channels.insert(id.to_owned(), thread);
        Ok(())
    }

    fn emit_created(&mut self, id: &str) {
        let mut object = self.channel_object(id);
        object["newly_created"] = json!(true);
        self.emit("THREAD_CREATE", id, object);
    }

    /// `PATCH /channels/{}`
    pub fn change_channel(&mut self, id: &str, body: &Value) -> Result<Value, Refusal> {
        self.need(id, 0)?;
        let thread = self.channels.get(id).is_some_and(Channel::is_thread);
        let own = matches!(
            self.channels.get(id).map(|channel| &channel.kind),
            Some(Kind::Thread { owner, .. }) if owner == BOT_USER
        );
        // Who began a thread may archive it; everything else is for those who manage threads or channels.
        let only_archives =
            body.as_object().is_some_and(|body| body.keys().all(|key| key == "archived" || key == "name"));
        let is_locked = self.channels.get(id).is_some_and(|channel| channel.locked);
        if !(own && only_archives) || is_locked {
            self.need(id, MANAGE_THREADS)?;
        }
        if let Some(name) = body["name"].as_str() {
            check_name(name)?;
        }
        let Some(channel) = self.channels.get_mut(id) else { return Err(Refusal::code(10_003)) };
        let opens = body["archived"] == false;
        if channel.archived && !opens {
            return Err(Refusal::code(50_083));
        }
        if let Some(name) = body["name"].as_str() {
            name.clone_into(&mut channel.name);
        }
        if thread {
            channel.archived = body["archived"].as_bool().unwrap_or(channel.archived);
            channel.locked = body["locked"].as_bool().unwrap_or(channel.locked);
        }
        self.emit_channel(if thread { "THREAD_UPDATE" } else { "CHANNEL_UPDATE" }, id);
        Ok(self.channel_object(id))
    }

    /// `PUT /channels/{}/thread-members/@me`
    pub fn follow(&mut self, id: &str) -> Result<(), Refusal> {
        self.need(id, 0)?;
        let thread = self.channels.get_mut(id).filter(|channel| channel.is_thread());
        let thread = thread.ok_or_else(|| Refusal::code(50_024))?;
        thread.followers.insert(BOT_USER.to_owned());
        Ok(())
    }

    /// `POST /users/@me/channels`
    pub fn open_direct(&mut self, body: &Value) -> Result<Value, Refusal> {
        let user = id_of(&body["recipient_id"]);
        if self.users.get(&user).is_none_or(|user| user.bot) {
            return Err(Refusal::code(if self.users.contains_key(&user) { 50_007 } else { 50_033 }));
        }
        let id = self.direct(&user);
        Ok(self.channel_object(&id))
    }
}

fn check_name(name: &str) -> Result<(), Refusal> {
    let length = super::limits::length(name.trim());
    if (1..=100).contains(&length) {
        return Ok(());
    }
    Err(Refusal::field("name", "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 100 in length."))
}
