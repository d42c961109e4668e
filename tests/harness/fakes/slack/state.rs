//! What the fake keeps.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::envelopes::Mail;
use super::files::StoredFile;
use super::message::SlackMessage;
use super::refusal::Refusal;
use super::responses::ResponseUrl;
use super::sockets::Links;
use super::{BOT_USER, Call};
use crate::fakes::clock::since_epoch;
use crate::fakes::faults::Dice;

/// Scopes of the app, until a story sets others.
const SCOPES: [&str; 13] = [
    "app_mentions:read",
    "channels:history",
    "channels:read",
    "chat:write",
    "commands",
    "files:read",
    "groups:history",
    "groups:read",
    "im:history",
    "im:read",
    "im:write",
    "usergroups:read",
    "users:read",
];

/// Who can see a channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    Public,
    Private,
    /// The bot and this person.
    Direct(String),
}

impl Kind {
    /// The first part of the scopes for such a channel.
    pub fn scopes(&self) -> &'static str {
        match self {
            Self::Public => "channels",
            Self::Private => "groups",
            Self::Direct(_) => "im",
        }
    }

    /// As events name it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Public => "channel",
            Self::Private => "group",
            Self::Direct(_) => "im",
        }
    }
}

/// A channel.
#[derive(Debug)]
pub struct Channel {
    pub name: String,
    pub kind: Kind,
    /// Whether the bot is in it.
    pub member: bool,
    pub archived: bool,
    pub messages: Vec<SlackMessage>,
    /// What only one person sees.
    pub ephemerals: BTreeMap<String, Vec<SlackMessage>>,
    /// When the bot posted.
    pub posted: Vec<Instant>,
    /// People who are not in it.
    pub absent: BTreeSet<String>,
}

impl Channel {
    pub fn new(name: &str, kind: Kind) -> Self {
        Self {
            name: name.to_owned(),
            kind,
            member: true,
            archived: false,
            messages: Vec::new(),
            ephemerals: BTreeMap::new(),
            posted: Vec::new(),
            absent: BTreeSet::new(),
        }
    }

    pub fn message(&self, ts: &str) -> Option<&SlackMessage> {
        self.messages.iter().find(|message| message.ts == ts)
    }

    pub fn message_mut(&mut self, ts: &str) -> Option<&mut SlackMessage> {
        self.messages.iter_mut().find(|message| message.ts == ts)
    }

    /// The message with what its thread adds to it.
    pub fn listed(&self, message: &SlackMessage) -> Value {
        let mut listed = message.listed();
        if let Some(root) = &message.thread_ts {
            if let Some(root) = self.message(root).filter(|root| !root.user.is_empty()) {
                listed["parent_user_id"] = json!(root.user);
            }
            return listed;
        }
        let replies = self.messages.iter().filter(|reply| reply.thread_ts.as_ref() == Some(&message.ts));
        let replies: Vec<_> = replies.collect();
        if let Some(latest) = replies.last() {
            let users: BTreeSet<&str> = replies.iter().map(|reply| reply.user.as_str()).collect();
            listed["thread_ts"] = json!(message.ts);
            listed["reply_count"] = json!(replies.len());
            listed["reply_users_count"] = json!(users.len());
            listed["latest_reply"] = json!(latest.ts);
        }
        listed
    }
}

/// A group of people that can be called together.
#[derive(Debug)]
pub struct Usergroup {
    pub handle: String,
    pub users: Vec<String>,
}

/// When something was handed out; time can be made to go by faster.
#[derive(Debug, Clone, Copy)]
pub struct Issued {
    at: Instant,
    aged: Duration,
}

/// The right to open a modal once.
#[derive(Debug)]
pub struct Trigger {
    pub user: String,
    pub issued: Issued,
    pub used: bool,
}

/// Everything the fake knows.
#[derive(Debug)]
pub struct State {
    pub channels: BTreeMap<String, Channel>,
    /// Names of the people, by id.
    pub people: BTreeMap<String, String>,
    pub usergroups: BTreeMap<String, Usergroup>,
    pub files: BTreeMap<String, StoredFile>,
    pub triggers: BTreeMap<String, Trigger>,
    pub responses: BTreeMap<String, ResponseUrl>,
    /// Open modals of each person, the one on top last.
    pub modals: BTreeMap<String, Vec<Value>>,
    pub homes: BTreeMap<String, Value>,
    pub scopes: BTreeSet<String>,
    pub calls: Vec<Call>,
    pub dice: Dice,
    pub pace: bool,
    pub revoked: bool,
    /// Host and port of the server.
    pub address: String,
    pub mail: Mail,
    pub links: Links,
    /// The fake ends.
    pub stopped: bool,
    /// How much older everything is than it is.
    pub aged: Duration,
    latest: u128,
    /// When the fake started: what it hands out differs from what any other fake did.
    born: u128,
    minted: u128,
}

impl Default for State {
    fn default() -> Self {
        let people = [("U0ADA", "Ada"), ("U0BOB", "Bob")];
        Self {
            channels: BTreeMap::new(),
            people: people.map(|(id, name)| (id.to_owned(), name.to_owned())).into(),
            usergroups: BTreeMap::new(),
            files: BTreeMap::new(),
            triggers: BTreeMap::new(),
            responses: BTreeMap::new(),
            modals: BTreeMap::new(),
            homes: BTreeMap::new(),
            scopes: SCOPES.map(str::to_owned).into(),
            calls: Vec::new(),
            dice: Dice::default(),
            pace: false,
            revoked: false,
            address: String::new(),
            mail: Mail::default(),
            links: Links::default(),
            stopped: false,
            aged: Duration::ZERO,
            latest: 0,
            born: since_epoch().as_micros(),
            minted: 0,
        }
    }
}

impl State {
    /// A new time stamp: now, and later than every other.
    pub fn stamp(&mut self) -> String {
        self.latest = since_epoch().as_micros().max(self.latest + 1);
        format!("{}.{:06}", self.latest / 1_000_000, self.latest % 1_000_000)
    }

    /// A new id.
    pub fn mint(&mut self, prefix: &str) -> String {
        self.minted += 1;
        format!("{prefix}0{:X}", self.born + self.minted)
    }

    /// Something is handed out now.
    pub fn issue(&self) -> Issued {
        Issued { at: Instant::now(), aged: self.aged }
    }

    /// How long ago that was.
    pub fn age(&self, issued: Issued) -> Duration {
        issued.at.elapsed() + self.aged.saturating_sub(issued.aged)
    }

    /// Keeps a message under a new id.
    pub fn keep(&mut self, channel: &str, message: SlackMessage) -> String {
        let ts = self.stamp();
        if let Some(channel) = self.channels.get_mut(channel) {
            channel.messages.push(SlackMessage { ts: ts.clone(), ..message });
        }
        ts
    }

    /// The channel of the bot and this person.
    pub fn direct(&mut self, user: &str) -> String {
        let id = format!("D{}", user.get(1..).unwrap_or(""));
        let channel = || Channel::new("", Kind::Direct(user.to_owned()));
        self.channels.entry(id.clone()).or_insert_with(channel);
        id
    }

    /// A channel that the bot can see.
    pub fn channel(&mut self, id: &str) -> Result<&mut Channel, Refusal> {
        let visible = |channel: &&mut Channel| channel.member || channel.kind == Kind::Public;
        self.channels.get_mut(id).filter(visible).ok_or_else(|| Refusal::code("channel_not_found"))
    }

    /// A channel that the bot is in.
    pub fn joined(&mut self, id: &str) -> Result<&mut Channel, Refusal> {
        let channel = self.channel(id)?;
        if channel.member { Ok(channel) } else { Err(Refusal::code("not_in_channel")) }
    }

    /// Name of a person, or of the bot.
    pub fn name_of(&self, user: &str) -> Option<&str> {
        if user == BOT_USER { Some("clew") } else { self.people.get(user).map(String::as_str) }
    }
}
