//! Chat platforms: what the bot shows and what people say, in our words. No platform knows what an incident is; it shows
//! cards and carries commands.

use std::sync::Arc;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

use crate::Error;

pub mod address;
mod alert_post;
mod card;
#[cfg(any(test, feature = "conformance"))]
pub mod conformance;
pub mod console;
pub mod discord;
mod event;
mod page;
pub mod slack;
pub mod text;

pub use card::{Card, Control, Field, FieldKind, Item, MAX_COMMAND, MAX_CONTROLS, Rich, Section, Span, Style, Tone};
pub use event::{Addressee, Ask, ChatEvent, File, Form, Listener, Message, Person, Said};

/// Where a message stands or shall stand.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Place {
    /// The platform's id of the channel.
    pub channel: String,
    /// The message whose thread it is in; `None`: in the channel itself.
    pub thread: Option<String>,
}

/// A message that was posted.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct MessageRef {
    /// Where it stands.
    pub place: Place,
    /// The platform's id of it.
    pub id: String,
}

impl MessageRef {
    /// The place of replies to it: its thread, or the thread that it is in itself.
    #[must_use]
    pub fn thread(&self) -> Place {
        let root = self.place.thread.clone().unwrap_or_else(|| self.id.clone());
        Place { channel: self.place.channel.clone(), thread: Some(root) }
    }
}

/// How fast a platform may be written to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// Least time between two writes to one channel.
    pub channel: Duration,
    /// Least time between two edits of one message: what changes in between is shown together.
    pub edit: Duration,
}

/// A chat platform.
pub trait ChatPlatform: Send + Sync {
    /// Its name, as in the configuration.
    fn name(&self) -> &'static str;

    /// How fast it may be written to.
    fn pace(&self) -> Pace;

    /// Posts a card. `key` names this post for good: [`ChatPlatform::find`] finds the message by it.
    ///
    /// # Errors
    /// When it was not posted, or when nobody knows whether it was: ask [`ChatPlatform::find`] before trying again.
    fn post(&self, place: &Place, card: &Card, key: &str) -> impl Future<Output = Result<MessageRef, Error>> + Send;

    /// The message that was posted to `place` with `key`, if one was.
    ///
    /// # Errors
    /// When the platform does not say.
    fn find(&self, place: &Place, key: &str) -> impl Future<Output = Result<Option<MessageRef>, Error>> + Send;

    /// Shows another card in a message.
    ///
    /// # Errors
    /// When it was not changed; [`Error::Gone`] when the message is no longer there.
    fn update(&self, at: &MessageRef, card: &Card) -> impl Future<Output = Result<(), Error>> + Send;

    /// Says one sentence in a place, usually a thread. `key` as in [`ChatPlatform::post`].
    ///
    /// # Errors
    /// As [`ChatPlatform::post`].
    fn say(&self, place: &Place, text: &Rich, key: &str) -> impl Future<Output = Result<MessageRef, Error>> + Send;

    /// Says something that only one person sees, in answer to `reply` ([`ChatEvent::reply`]) if there is one. `key` as in
    /// [`ChatPlatform::post`]; where the platform forgets what one person alone saw, it may be said again after a crash.
    /// An empty text: there is nothing to say, and whoever sees that an answer is awaited no longer does.
    ///
    /// # Errors
    /// As [`ChatPlatform::post`].
    fn whisper(
        &self,
        place: &Place,
        to: &Person,
        reply: Option<&str>,
        text: &Rich,
        key: &str,
    ) -> impl Future<Output = Result<(), Error>> + Send;

    /// Address under which people find a message, if the platform has one.
    fn link(&self, at: &MessageRef) -> Option<String>;

    /// What to call somebody.
    ///
    /// # Errors
    /// When the platform does not say.
    fn person(&self, id: &str) -> impl Future<Output = Result<Person, Error>> + Send;

    /// Whether somebody may do what cannot be taken back. Everybody may, unless the settings name a group.
    ///
    /// # Errors
    /// When the platform does not say.
    fn trusts(&self, person: &Person) -> impl Future<Output = Result<bool, Error>> + Send;

    /// Whether the bot can write to a place.
    ///
    /// # Errors
    /// [`Error::Closed`] with what to do about it when it cannot.
    fn reaches(&self, place: &Place) -> impl Future<Output = Result<(), Error>> + Send;

    /// What stands in a message, as [`Said::Message`] or [`Said::Alert`]; `None` when it is gone.
    ///
    /// # Errors
    /// When the platform does not say.
    fn read(&self, at: &MessageRef) -> impl Future<Output = Result<Option<Said>, Error>> + Send;

    /// The bytes of a file.
    ///
    /// # Errors
    /// [`Error::Permanent`] when it has more than `most` bytes or cannot be had.
    fn fetch(&self, file: &File, most: u64) -> impl Future<Output = Result<Vec<u8>, Error>> + Send;
}

/// Every platform there is.
#[derive(Debug)]
pub enum Chat {
    /// The web pages of the bot itself.
    Console(console::Console),
    /// Slack.
    Slack(slack::Slack),
    /// Discord.
    Discord(discord::Discord),
}

/// Calls the same method of whichever platform it is.
macro_rules! each {
    ($chat:expr, $platform:ident => $call:expr) => {
        match $chat {
            Chat::Console($platform) => $call,
            Chat::Slack($platform) => $call,
            Chat::Discord($platform) => $call,
        }
    };
}

impl ChatPlatform for Chat {
    fn name(&self) -> &'static str {
        each!(self, chat => chat.name())
    }

    fn pace(&self) -> Pace {
        each!(self, chat => chat.pace())
    }

    async fn post(&self, place: &Place, card: &Card, key: &str) -> Result<MessageRef, Error> {
        each!(self, chat => chat.post(place, card, key).await)
    }

    async fn find(&self, place: &Place, key: &str) -> Result<Option<MessageRef>, Error> {
        each!(self, chat => chat.find(place, key).await)
    }

    async fn update(&self, at: &MessageRef, card: &Card) -> Result<(), Error> {
        each!(self, chat => chat.update(at, card).await)
    }

    async fn say(&self, place: &Place, text: &Rich, key: &str) -> Result<MessageRef, Error> {
        each!(self, chat => chat.say(place, text, key).await)
    }

    async fn whisper(
        &self,
        place: &Place,
        to: &Person,
        reply: Option<&str>,
        text: &Rich,
        key: &str,
    ) -> Result<(), Error> {
        each!(self, chat => chat.whisper(place, to, reply, text, key).await)
    }

    fn link(&self, at: &MessageRef) -> Option<String> {
        each!(self, chat => chat.link(at))
    }

    async fn person(&self, id: &str) -> Result<Person, Error> {
        each!(self, chat => chat.person(id).await)
    }

    async fn trusts(&self, person: &Person) -> Result<bool, Error> {
        each!(self, chat => chat.trusts(person).await)
    }

    async fn reaches(&self, place: &Place) -> Result<(), Error> {
        each!(self, chat => chat.reaches(place).await)
    }

    async fn read(&self, at: &MessageRef) -> Result<Option<Said>, Error> {
        each!(self, chat => chat.read(at).await)
    }

    async fn fetch(&self, file: &File, most: u64) -> Result<Vec<u8>, Error> {
        each!(self, chat => chat.fetch(file, most).await)
    }
}

/// How a platform that is configured is heard, for people who read what is printed at start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hears {
    /// In this way.
    By(&'static str),
    /// Not at all: this is missing.
    Not(&'static str),
}

/// Addresses to which platforms deliver over HTTP. They prove who they are with a signature.
pub const ADDRESSES: &[&[&str]] = &[slack::ADDRESSES, discord::ADDRESSES];

/// Whether platforms deliver to this address.
#[must_use]
pub fn is_address(path: &str) -> bool {
    ADDRESSES.iter().any(|some| some.contains(&path))
}

/// A delivery to one of [`ADDRESSES`].
pub struct Request<'a> {
    /// The address.
    pub path: &'a str,
    /// Value of a header by its lower-case name.
    pub header: &'a (dyn Fn(&str) -> Option<String> + Sync),
    /// The body as it came.
    pub body: &'a [u8],
    /// Now, in Unix seconds.
    pub now: i64,
}

/// What is answered to a delivery.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// It arrived; the document is part of the answer, and empty when there is nothing to say.
    Arrived(Option<serde_json::Value>),
    /// It is not from the platform.
    Refused(String),
    /// It is no delivery that can be read.
    Unreadable(String),
    /// It could not be kept; the platform shall send it again.
    Unkept(String),
}

impl Chat {
    /// How it is heard.
    #[must_use]
    pub fn hears(&self) -> Hears {
        match self {
            Self::Console(_) => Hears::By("its own pages"),
            Self::Slack(slack) => slack.hears(),
            Self::Discord(discord) => discord.hears(),
        }
    }

    /// Tells `listener` what happens, until `stop`, over connections of our own. Returns at once when there are none.
    pub async fn listen<L: Listener>(&self, listener: Arc<L>, stop: CancellationToken) {
        match self {
            Self::Console(_) => {}
            Self::Slack(slack) => slack.listen(listener, stop).await,
            Self::Discord(discord) => discord.listen(listener, stop).await,
        }
    }

    /// Tells `listener` what a platform delivers over HTTP; `None` when the address is not one of this platform's.
    pub async fn receive<L: Listener>(&self, request: Request<'_>, listener: &Arc<L>) -> Option<Answer> {
        match self {
            Self::Console(_) => None,
            Self::Slack(slack) => slack.receive(request, listener).await,
            Self::Discord(discord) => discord.receive(request, listener).await,
        }
    }
}

/// The platforms that are configured, besides the console, which is always there. `setting` gives a key of a section.
///
/// # Errors
/// When a setting of one cannot be used.
pub fn configured(setting: &dyn Fn(&str, &str) -> Option<SecretString>) -> Result<Vec<Chat>, Error> {
    let mut chats = Vec::new();
    if setting("slack", "bot_token").is_some() {
        let settings =
            slack::Settings::read(&|key| setting("slack", key).map(|value| value.expose_secret().to_owned()));
        chats.push(Chat::Slack(slack::Slack::new(settings)?));
    }
    if setting("discord", "token").is_some() {
        let settings =
            discord::Settings::read(&|key| setting("discord", key).map(|value| value.expose_secret().to_owned()));
        chats.push(Chat::Discord(discord::Discord::new(settings)?));
    }
    Ok(chats)
}
