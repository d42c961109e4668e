//! Chat platforms: what the bot shows and what people say, in our words. No platform knows what an incident is; it shows
//! cards and carries commands.

use std::collections::BTreeMap;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use crate::Error;

pub mod address;
#[cfg(any(test, feature = "conformance"))]
pub mod conformance;
pub mod console;
pub mod slack;
pub mod text;

/// Longest command of a control, in bytes: platforms keep it in the control itself.
pub const MAX_COMMAND: usize = 60;
/// Most controls of a card.
pub const MAX_CONTROLS: usize = 25;

/// A piece of a sentence. Platforms escape every text: what stands in it can neither format, link nor call anybody.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Span {
    /// Words.
    Text(String),
    /// Words that matter most.
    Strong(String),
    /// A command, a name, a piece of a log; one line.
    Code(String),
    /// A link. The address is `http` or `https`; platforms show another one as text.
    Link {
        /// What is shown.
        text: String,
        /// Where it leads.
        url: String,
    },
}

/// A sentence.
pub type Rich = Vec<Span>;

/// How a card feels at a glance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Tone {
    /// Users suffer.
    Bad,
    /// Someone must look.
    Warning,
    /// It is over.
    Good,
    /// Nothing to feel.
    Neutral,
}

/// What the bot shows about one incident. Edited in place as the incident changes. It may hold more than a platform can
/// show: platforms cut from the end of each part, say that they cut, and keep the controls.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Card {
    /// Colour.
    pub tone: Tone,
    /// One line that says which incident it is.
    pub title: String,
    /// The sentences below the title, most important first: state, root cause, how sure.
    pub lead: Vec<Rich>,
    /// Name and value, side by side where there is room.
    pub facts: Vec<(String, Rich)>,
    /// The rest.
    pub sections: Vec<Section>,
    /// What can be done. Platforms show the first [`MAX_CONTROLS`].
    pub controls: Vec<Control>,
    /// Small print.
    pub footer: String,
}

/// A part of a card under a heading.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Section {
    /// Heading.
    pub heading: String,
    /// Its items, most important first.
    pub items: Vec<Item>,
}

/// An item of a section: a sentence, or quoted log lines, or both.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// The sentence; may be empty.
    pub text: Rich,
    /// Log lines to show as they are, in fixed width.
    pub quote: Option<String>,
}

/// Something a person can press. It says a command; a click and the typed command take one path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Control {
    /// What stands on it.
    pub label: String,
    /// What it says, e.g. `acknowledge 12`. At most [`MAX_COMMAND`] bytes; a control with a longer one is not shown,
    /// because a cut command would be another command.
    pub command: String,
    /// How it looks.
    pub style: Style,
    /// Choices instead of one button: `(label, command)`. Platforms may show only the first ones, and then say so.
    pub choices: Vec<(String, String)>,
    /// What is asked before the command is said; the answers go with it.
    pub fields: Vec<Field>,
}

/// How a control looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Style {
    /// As any.
    Plain,
    /// The one that most people want.
    Primary,
    /// One that cannot be taken back.
    Danger,
}

/// A question of a form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Field {
    /// Name of the answer.
    pub name: String,
    /// The question.
    pub label: String,
    /// Room for several lines.
    pub multiline: bool,
    /// What stands there already.
    pub value: String,
}

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

/// Somebody who said something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// The platform's id of them.
    pub id: String,
    /// What to call them.
    pub name: String,
}

/// Something that happened on a platform.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChatEvent {
    /// The same for every delivery of this event, different for everything else.
    pub key: String,
    /// Name of the platform.
    pub platform: String,
    /// Where it happened. Of a message in a channel: that channel; of a reply: its thread.
    pub place: Place,
    /// Id of the message that it is, or that a control stands on.
    pub message: Option<String>,
    /// Who did it.
    pub person: Person,
    /// What happened.
    pub said: Said,
}

/// What somebody said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Said {
    /// A command: typed, or a control.
    Command {
        /// Its words, e.g. `resolve 12`.
        text: String,
        /// Answers to the fields of the control.
        answers: BTreeMap<String, String>,
    },
    /// A message to everybody, with the text of its files.
    Message {
        /// The text.
        text: String,
    },
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
}

/// Every platform there is.
#[derive(Debug)]
pub enum Chat {
    /// The web pages of the bot itself.
    Console(console::Console),
    /// Slack.
    Slack(slack::Slack),
}

impl ChatPlatform for Chat {
    fn name(&self) -> &'static str {
        match self {
            Self::Console(console) => console.name(),
            Self::Slack(slack) => slack.name(),
        }
    }

    fn pace(&self) -> Pace {
        match self {
            Self::Console(console) => console.pace(),
            Self::Slack(slack) => slack.pace(),
        }
    }

    async fn post(&self, place: &Place, card: &Card, key: &str) -> Result<MessageRef, Error> {
        match self {
            Self::Console(console) => console.post(place, card, key).await,
            Self::Slack(slack) => slack.post(place, card, key).await,
        }
    }

    async fn find(&self, place: &Place, key: &str) -> Result<Option<MessageRef>, Error> {
        match self {
            Self::Console(console) => console.find(place, key).await,
            Self::Slack(slack) => slack.find(place, key).await,
        }
    }

    async fn update(&self, at: &MessageRef, card: &Card) -> Result<(), Error> {
        match self {
            Self::Console(console) => console.update(at, card).await,
            Self::Slack(slack) => slack.update(at, card).await,
        }
    }

    async fn say(&self, place: &Place, text: &Rich, key: &str) -> Result<MessageRef, Error> {
        match self {
            Self::Console(console) => console.say(place, text, key).await,
            Self::Slack(slack) => slack.say(place, text, key).await,
        }
    }
}

/// The platforms that are configured, besides the console, which is always there. `setting` gives a key of a section.
///
/// # Errors
/// When a setting of one cannot be used.
pub fn configured(setting: &dyn Fn(&str, &str) -> Option<SecretString>) -> Result<Vec<Chat>, Error> {
    let mut chats = Vec::new();
    if let Some(token) = setting("slack", "bot_token") {
        let address = setting("slack", "api_url");
        let address = address.as_ref().map_or(slack::API, |address| address.expose_secret());
        chats.push(Chat::Slack(slack::Slack::new(address, &token)?));
    }
    Ok(chats)
}
