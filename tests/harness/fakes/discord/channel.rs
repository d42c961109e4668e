//! Channels, direct ones and threads among them, and how Discord tells of them.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::message::Kept;
use super::permissions::{ALL, overwrites};
use super::state::State;
use super::{BOT_USER, FakeDiscord, GUILD};

/// What sort of channel it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    Text,
    Announcement,
    /// The bot and this person.
    Direct(String),
    Thread {
        parent: String,
        owner: String,
        private: bool,
        /// How long it stays open without messages, in minutes.
        archived_after: u64,
        created: String,
    },
}

/// A channel.
#[derive(Debug)]
pub struct Channel {
    pub id: String,
    pub name: String,
    pub kind: Kind,
    pub archived: bool,
    pub locked: bool,
    /// What the bot may not do here, as bits.
    pub denied: u64,
    /// In the order in which they came; those among them that only one person sees.
    pub messages: Vec<Kept>,
    /// The last one that came, even when it is gone.
    pub last_message: Option<String>,
    /// Who follows the thread.
    pub followers: BTreeSet<String>,
}

impl Channel {
    pub fn new(id: &str, name: &str, kind: Kind) -> Self {
        Self {
            id: id.to_owned(),
            name: name.to_owned(),
            kind,
            archived: false,
            locked: false,
            denied: 0,
            messages: Vec::new(),
            last_message: None,
            followers: BTreeSet::new(),
        }
    }

    /// As Discord numbers the sorts.
    pub fn number(&self) -> u64 {
        match self.kind {
            Kind::Text => 0,
            Kind::Direct(_) => 1,
            Kind::Announcement => 5,
            Kind::Thread { private: false, .. } => 11,
            Kind::Thread { private: true, .. } => 12,
        }
    }

    pub fn is_thread(&self) -> bool {
        matches!(self.kind, Kind::Thread { .. })
    }

    pub fn is_direct(&self) -> bool {
        matches!(self.kind, Kind::Direct(_))
    }

    pub fn message(&self, id: &str) -> Option<&Kept> {
        self.messages.iter().find(|message| message.id() == id)
    }

    pub fn message_mut(&mut self, id: &str) -> Option<&mut Kept> {
        self.messages.iter_mut().find(|message| message.id() == id)
    }
}

impl State {
    /// A channel as Discord tells of it.
    pub fn channel_object(&self, id: &str) -> Value {
        let Some(channel) = self.channels.get(id) else { return Value::Null };
        let mut object = json!({
            "id": channel.id, "type": channel.number(), "last_message_id": channel.last_message, "flags": 0,
        });
        match &channel.kind {
            Kind::Direct(user) => {
                object["recipients"] = json!([self.user_object(user)]);
                return object;
            }
            Kind::Text | Kind::Announcement => {
                object["topic"] = Value::Null;
                object["nsfw"] = json!(false);
                object["position"] = json!(0);
                object["parent_id"] = Value::Null;
                object["permission_overwrites"] = overwrites(channel.denied);
            }
            Kind::Thread { parent, owner, archived_after, created, .. } => {
                let written = channel.messages.iter().filter(|message| message.is_public() && message.kind() != 21);
                let count = written.count();
                object["parent_id"] = json!(parent);
                object["owner_id"] = json!(owner);
                object["message_count"] = json!(count);
                object["total_message_sent"] = json!(count);
                object["member_count"] = json!(channel.followers.len().min(50));
                object["thread_metadata"] = json!({
                    "archived": channel.archived, "locked": channel.locked, "auto_archive_duration": archived_after,
                    "archive_timestamp": created, "create_timestamp": created,
                });
                if channel.followers.contains(BOT_USER) {
                    object["member"] = json!({"id": id, "user_id": BOT_USER, "join_timestamp": created, "flags": 1});
                }
            }
        }
        object["guild_id"] = json!(GUILD);
        object["name"] = json!(channel.name);
        object["rate_limit_per_user"] = json!(0);
        object
    }

    /// A channel as interactions tell of it: less, and with what the person may do there.
    pub fn partial_channel(&self, id: &str) -> Value {
        let mut object = self.channel_object(id);
        if let Some(members) = object.as_object_mut() {
            members.retain(|name, _| !matches!(name.as_str(), "permission_overwrites" | "member"));
        }
        object["permissions"] = json!(ALL.to_string());
        object
    }

    /// The channel of the bot and this person.
    pub fn direct(&mut self, user: &str) -> String {
        let open = self.channels.values().find(|channel| channel.kind == Kind::Direct(user.to_owned()));
        if let Some(channel) = open {
            return channel.id.clone();
        }
        let id = self.snowflake();
        self.channels.insert(id.clone(), Channel::new(&id, "", Kind::Direct(user.to_owned())));
        id
    }

    /// Something changed with a channel of the server.
    pub fn emit_channel(&mut self, event: &str, id: &str) {
        let object = self.channel_object(id);
        self.emit(event, id, object);
    }
}

impl FakeDiscord {
    /// One more text channel.
    pub fn add_channel(&self, id: &str, name: &str) {
        self.add(Channel::new(id, name, Kind::Text));
    }

    /// One more announcement channel.
    pub fn add_announcement_channel(&self, id: &str, name: &str) {
        self.add(Channel::new(id, name, Kind::Announcement));
    }

    fn add(&self, channel: Channel) {
        self.change(|state| {
            let id = channel.id.clone();
            state.channels.insert(id.clone(), channel);
            state.emit_channel("CHANNEL_CREATE", &id);
        });
    }

    /// A channel or thread is deleted, with everything in it.
    pub fn remove_channel(&self, id: &str) {
        self.change(|state| {
            let gone = state.channel_object(id);
            let thread = state.channels.get(id).is_some_and(Channel::is_thread);
            state.emit(if thread { "THREAD_DELETE" } else { "CHANNEL_DELETE" }, id, gone);
            let below = |channel: &Channel| matches!(&channel.kind, Kind::Thread { parent, .. } if parent == id);
            state.channels.retain(|own, channel| own != id && !below(channel));
        });
    }

    /// A thread is archived; `locked`: only who may manage threads can open it again.
    pub fn archive(&self, thread: &str, locked: bool) {
        self.change(|state| {
            if let Some(channel) = state.channels.get_mut(thread) {
                (channel.archived, channel.locked) = (true, locked);
            }
            state.emit_channel("THREAD_UPDATE", thread);
        });
    }

    /// The channel of this person and the bot alone.
    #[must_use]
    pub fn direct_channel(&self, user: &str) -> String {
        self.change(|state| state.direct(user))
    }
}
