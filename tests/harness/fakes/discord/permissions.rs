//! What the bot may do where.

use super::channel::Kind;
use super::refusal::Refusal;
use super::state::State;
use super::{BOT_USER, FakeDiscord};

pub const VIEW: u64 = 1 << 10;
pub const SEND: u64 = 1 << 11;
pub const EMBED: u64 = 1 << 14;
pub const ATTACH: u64 = 1 << 15;
pub const HISTORY: u64 = 1 << 16;
pub const MENTION_EVERYONE: u64 = 1 << 17;
pub const MANAGE_MESSAGES: u64 = 1 << 13;
pub const MANAGE_THREADS: u64 = 1 << 34;
pub const CREATE_PUBLIC_THREADS: u64 = 1 << 35;
pub const CREATE_PRIVATE_THREADS: u64 = 1 << 36;
pub const SEND_IN_THREADS: u64 = 1 << 38;

/// Permissions by the names that a story gives them, and by those of the documentation.
const NAMES: [(&str, &str, u64); 11] = [
    ("view", "VIEW_CHANNEL", VIEW),
    ("send", "SEND_MESSAGES", SEND),
    ("send in threads", "SEND_MESSAGES_IN_THREADS", SEND_IN_THREADS),
    ("create public threads", "CREATE_PUBLIC_THREADS", CREATE_PUBLIC_THREADS),
    ("create private threads", "CREATE_PRIVATE_THREADS", CREATE_PRIVATE_THREADS),
    ("read history", "READ_MESSAGE_HISTORY", HISTORY),
    ("embed links", "EMBED_LINKS", EMBED),
    ("attach files", "ATTACH_FILES", ATTACH),
    ("mention everyone", "MENTION_EVERYONE", MENTION_EVERYONE),
    ("manage messages", "MANAGE_MESSAGES", MANAGE_MESSAGES),
    ("manage threads", "MANAGE_THREADS", MANAGE_THREADS),
];
/// What everybody may do, the bot among them: the permissions above, adding reactions and using commands.
pub const ALL: u64 = VIEW
    | SEND
    | EMBED
    | ATTACH
    | HISTORY
    | MENTION_EVERYONE
    | MANAGE_MESSAGES
    | MANAGE_THREADS
    | CREATE_PUBLIC_THREADS
    | CREATE_PRIVATE_THREADS
    | SEND_IN_THREADS
    | 1 << 6
    | 1 << 31;

fn named(permission: &str) -> u64 {
    let known = NAMES.iter().find(|(short, long, _)| *short == permission || *long == permission);
    assert!(known.is_some(), "no permission is called {permission:?}");
    known.map_or(0, |(.., bit)| *bit)
}

impl FakeDiscord {
    /// The bot may not do this in a channel and its threads any more: `view`, `send`, `send in threads`,
    /// `create public threads`, `read history`, `embed links`, … or the same as the documentation names it.
    pub fn forbid(&self, channel: &str, permission: &str) {
        self.deny(channel, |denied| denied | named(permission));
    }

    /// The bot may do it again.
    pub fn allow(&self, channel: &str, permission: &str) {
        self.deny(channel, |denied| denied & !named(permission));
    }

    fn deny(&self, channel: &str, denied: impl FnOnce(u64) -> u64) {
        self.change(|state| {
            if let Some(channel) = state.channels.get_mut(channel) {
                channel.denied = denied(channel.denied);
            }
            state.emit_channel("CHANNEL_UPDATE", channel);
        });
    }

    /// Nobody can write to this person any more.
    pub fn close_direct(&self, user: &str) {
        self.change(|state| state.closed.insert(user.to_owned()));
    }
}

impl State {
    /// The permissions of the bot in a channel; a thread has those of the channel that it belongs to.
    pub fn granted(&self, channel: &str) -> u64 {
        let Some(channel) = self.channels.get(channel) else { return 0 };
        let of_parent = match &channel.kind {
            Kind::Thread { parent, .. } => self.granted(parent),
            _ => ALL,
        };
        of_parent & !channel.denied
    }

    /// What an interaction says of them: between two people, only what needs no server.
    pub fn told_of(&self, channel: &str) -> u64 {
        const EXTERNAL_EMOJIS: u64 = 1 << 18;
        match self.channels.get(channel).map(|channel| &channel.kind) {
            Some(Kind::Direct(_)) => ATTACH | EMBED | MENTION_EVERYONE | EXTERNAL_EMOJIS,
            _ => self.granted(channel),
        }
    }

    /// Whether the bot sees a channel and may do this there.
    pub fn need(&self, channel: &str, permission: u64) -> Result<(), Refusal> {
        let granted = self.granted(channel);
        if !self.channels.contains_key(channel) {
            return Err(Refusal::code(10_003));
        }
        if granted & VIEW == 0 {
            return Err(Refusal::code(50_001));
        }
        if granted & permission == permission { Ok(()) } else { Err(Refusal::code(50_013)) }
    }

    /// Whether the bot may write a message here.
    pub fn need_to_send(&self, channel: &str) -> Result<(), Refusal> {
        match self.channels.get(channel).map(|channel| &channel.kind) {
            Some(Kind::Thread { .. }) => self.need(channel, SEND_IN_THREADS),
            Some(Kind::Direct(user)) if self.closed.contains(user) => Err(Refusal::code(50_007)),
            _ => self.need(channel, SEND),
        }
    }
}

/// How a channel tells what the bot may not do there.
pub fn overwrites(denied: u64) -> serde_json::Value {
    if denied == 0 {
        return serde_json::json!([]);
    }
    serde_json::json!([{"id": BOT_USER, "type": 1, "allow": "0", "deny": denied.to_string()}])
}
