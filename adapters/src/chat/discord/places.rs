//! Which channel is what: a thread is a channel of its own in Discord, with a parent.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::Value;

use super::api::Api;
use super::snowflake;
use crate::Error;
use crate::chat::Place;

/// Channels that are remembered.
const CHANNELS: usize = 50_000;
/// Kinds of channels. <https://discord.com/developers/docs/resources/channel#channel-object-channel-types>
const DIRECT: u64 = 1;
const GROUP: u64 = 3;
const THREADS: [u64; 3] = [10, 11, 12];

/// A channel or thread.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Channel {
    /// The server that it is on; none for direct messages.
    pub guild: Option<String>,
    /// Of a thread: the channel it is in.
    pub parent: Option<String>,
    /// Whether it is a conversation with one person, which has no threads.
    pub is_direct: bool,
    /// Its name.
    pub name: String,
}

impl Channel {
    /// One as Discord tells of it; `guild` where it does not say.
    pub fn of(channel: &Value, guild: Option<&str>) -> Self {
        let kind = channel["type"].as_u64().unwrap_or(0);
        let text = |key: &str| channel[key].as_str().map(str::to_owned);
        Self {
            guild: text("guild_id").or_else(|| guild.map(str::to_owned)),
            parent: text("parent_id").filter(|_| THREADS.contains(&kind)),
            is_direct: matches!(kind, DIRECT | GROUP),
            name: text("name").unwrap_or_default(),
        }
    }
}

/// Where a message goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The channel or thread.
    pub channel: String,
    /// The message that it answers, where there are no threads.
    pub answers: Option<String>,
}

/// What is known of channels.
#[derive(Default)]
pub struct Places {
    known: Mutex<HashMap<String, Channel>>,
}

impl Places {
    fn known(&self) -> MutexGuard<'_, HashMap<String, Channel>> {
        // Every change of it is complete before anything can panic.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Remembers a channel that Discord tells of.
    pub fn learn(&self, channel: &Value, guild: Option<&str>) {
        let Some(id) = channel["id"].as_str() else { return };
        self.put(id, Channel::of(channel, guild));
    }

    fn put(&self, id: &str, channel: Channel) {
        let mut known = self.known();
        if known.len() >= CHANNELS {
            known.clear();
        }
        known.insert(id.to_owned(), channel);
    }

    /// Forgets a channel that is gone.
    pub fn forget(&self, id: &str) {
        self.known().remove(id);
    }

    /// What is known of a channel, without asking.
    pub fn get(&self, id: &str) -> Option<Channel> {
        self.known().get(id).cloned()
    }

    /// A channel, asked for if need be.
    ///
    /// # Errors
    /// When Discord does not say.
    pub async fn channel(&self, api: &Api, id: &str) -> Result<Channel, Error> {
        match self.get(id) {
            Some(channel) => Ok(channel),
            None => self.ask(api, id).await,
        }
    }

    /// A channel that something came from: where Discord does not say what it is, it is what it looks like. Nothing is lost
    /// because of that.
    ///
    /// # Errors
    /// When Discord may say it later.
    pub async fn source(&self, api: &Api, id: &str, guild: Option<&str>) -> Result<Channel, Error> {
        match self.channel(api, id).await {
            Err(error @ Error::Transient { .. }) => Err(error),
            Err(_) => Ok(Channel { guild: guild.map(str::to_owned), is_direct: guild.is_none(), ..Channel::default() }),
            channel => channel,
        }
    }

    /// Remembers that there is a thread below a message.
    pub fn learn_thread(&self, channel: &str, message: &str) {
        let guild = self.get(channel).and_then(|channel| channel.guild);
        self.put(message, Channel { guild, parent: Some(channel.to_owned()), ..Channel::default() });
    }

    /// A channel as it now is.
    ///
    /// # Errors
    /// When Discord does not say; [`Error::Closed`] when there is none, or the bot does not see it.
    pub async fn ask(&self, api: &Api, id: &str) -> Result<Channel, Error> {
        if !snowflake::is_one(id) {
            return Err(Error::Closed(format!(
                "{id:?} is no id of a channel: copy it in Discord (Settings → Advanced → Developer Mode, then right click on \
                 the channel)"
            )));
        }
        let channel = Channel::of(&api.get(&format!("channels/{id}")).await?, None);
        self.put(id, channel.clone());
        Ok(channel)
    }
}

/// The place of what is said in a channel or thread.
pub fn place(id: &str, channel: &Channel) -> Place {
    match &channel.parent {
        Some(parent) => Place { channel: parent.clone(), thread: Some(id.to_owned()) },
        None => Place { channel: id.to_owned(), thread: None },
    }
}
