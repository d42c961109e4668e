//! What people do on a platform, in our words, and what a platform asks the bot before it lets them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Card, Field, Place};
use crate::Error;
use crate::alerts::Alert;

/// Somebody who said something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// The platform's id of them.
    pub id: String,
    /// What to call them; empty when only the platform knows: [`super::ChatPlatform::person`].
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
    /// Whether only this person shall see the answer: others did not see what they did.
    #[serde(default)]
    pub is_private: bool,
    /// What lets the platform answer this person alone, for a while. Only the platform can read it: it is no secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply: Option<String>,
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
    /// A message.
    Message(Message),
    /// What another bot posts about an alert.
    Alert(Box<Alert>),
}

/// A message as it reads: what the platform writes for links, names and signs is undone.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// The text, code blocks included.
    pub text: String,
    /// The code blocks in it.
    #[serde(default)]
    pub code: Vec<String>,
    /// The files that came along.
    #[serde(default)]
    pub files: Vec<File>,
    /// Whom it is for.
    #[serde(default)]
    pub to: Addressee,
}

/// Whom a message is for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Addressee {
    /// People. The bot overhears it.
    #[default]
    People,
    /// The bot: a mention, a direct message, words after a command of the platform.
    Bot,
    /// Somebody, but a person asks the bot what it means.
    Shown,
}

/// A file that came along with a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct File {
    /// Its name, as people see it.
    pub name: String,
    /// Its size in bytes, as the platform says; 0 when it does not.
    pub bytes: u64,
    /// Where the platform keeps it.
    pub url: String,
}

/// Something that asks for a form: a control with fields, or a command that needs more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ask {
    /// Name of the platform.
    pub platform: String,
    /// The command that will be said, e.g. `resolve 12`.
    pub command: String,
    /// Where it was asked.
    pub place: Place,
    /// Who asked.
    pub person: Person,
}

/// What is asked before a command is said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Form {
    /// What it is for, in a few words.
    pub title: String,
    /// What stands on the button that sends it.
    pub submit: String,
    /// The questions.
    pub fields: Vec<Field>,
}

/// The bot, as platforms see it.
pub trait Listener: Send + Sync + 'static {
    /// Takes what happened. It is kept for good when this returns, so the platform may be told that it arrived; the work
    /// comes after.
    ///
    /// # Errors
    /// When it could not be kept: then it did not arrive.
    fn hear(&self, event: ChatEvent) -> impl Future<Output = Result<(), Error>> + Send;

    /// The command whose form is needed before these words mean anything: `None` when they say all.
    fn asks(&self, event: &ChatEvent) -> Option<String>;

    /// What must be asked before a command is said.
    ///
    /// # Errors
    /// [`Error::Permanent`] with words for the person when they may not say it or it makes no sense.
    fn form(&self, ask: Ask) -> impl Future<Output = Result<Form, Error>> + Send;

    /// The channels in which the bot hears what nobody told it.
    fn channels(&self, platform: &str) -> Vec<String>;

    /// What a platform noted last with [`Listener::note`].
    fn noted(&self, platform: &str) -> Option<String>;

    /// Keeps what a platform needs to know at the next start, e.g. how far it has heard. On disk a moment later, so a crash
    /// may bring an earlier note back.
    fn note(&self, platform: &str, note: &str);

    /// What somebody sees on the bot's own page.
    ///
    /// # Errors
    /// When it cannot be told now.
    fn home(&self, platform: &str, person: &Person) -> impl Future<Output = Result<Card, Error>> + Send;
}
