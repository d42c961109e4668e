//! Chat without an account: the bot's own web pages. A full platform, whose messages the bot keeps itself.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use ring::rand::{SecureRandom, SystemRandom};
use serde::{Deserialize, Serialize};

use super::event as said;
use super::{Card, ChatEvent, ChatPlatform, Control, File, MessageRef, Pace, Person, Place, Rich, Said};
use crate::Error;

#[cfg(any(test, feature = "conformance"))]
pub mod shown;

/// Name of the platform.
const NAME: &str = "console";

/// A message as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// Given by [`Messages::append`].
    pub id: String,
    /// Where it stands.
    pub place: Place,
    /// Key of the post; what people write has none.
    pub key: Option<String>,
    /// Who wrote it.
    pub author: Person,
    /// When, in RFC 3339. Given by [`Messages::append`].
    pub at: String,
    /// What it shows.
    pub content: Content,
}

/// What a message shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Content {
    /// A card of the bot.
    Card(Card),
    /// What a person wrote, as they wrote it.
    Text(String),
    /// A sentence of the bot.
    Rich(Rich),
}

/// Where the messages are kept. Errors are sentences for people.
pub trait Messages: Send + Sync {
    /// Keeps a message for good, with an id and a time of its own, and returns its id. One that stands at this place with
    /// this key already is left as it is, and its id is returned; of two such calls at once only one keeps its message.
    ///
    /// # Errors
    /// When it cannot be kept.
    fn append(&self, message: &Message) -> Result<String, String>;

    /// The message with this id.
    ///
    /// # Errors
    /// When it cannot be read.
    fn get(&self, id: &str) -> Result<Option<Message>, String>;

    /// Puts a message in the place of the one with this id. False when there is none.
    ///
    /// # Errors
    /// When it cannot be kept.
    fn replace(&self, id: &str, message: &Message) -> Result<bool, String>;

    /// The message with this key at this place.
    ///
    /// # Errors
    /// When it cannot be read.
    fn find(&self, place: &Place, key: &str) -> Result<Option<Message>, String>;

    /// The last `limit` messages of a place that are older than the one with the id `before`, the oldest first.
    ///
    /// # Errors
    /// When they cannot be read.
    fn list(&self, place: &Place, before: Option<&str>, limit: usize) -> Result<Vec<Message>, String>;
}

/// The console.
#[derive(Clone)]
pub struct Console {
    messages: Arc<dyn Messages>,
}

impl fmt::Debug for Console {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Console").finish_non_exhaustive()
    }
}

impl Console {
    /// A console over these messages.
    #[must_use]
    pub fn new(messages: Arc<dyn Messages>) -> Self {
        Self { messages }
    }

    /// The messages, for those who show them.
    #[must_use]
    pub fn messages(&self) -> &dyn Messages {
        self.messages.as_ref()
    }

    /// Shows what a person typed, and says what it means: a text that begins with `/` is a command.
    ///
    /// # Errors
    /// When the text is empty, the thread is gone, or the message cannot be kept.
    pub fn write(&self, place: &Place, person: &Person, text: &str) -> Result<ChatEvent, Error> {
        let text = text.trim();
        if text.is_empty() {
            return Err(Error::Permanent("the message is empty".into()));
        }
        let message = self.keep(place, None, person.clone(), Content::Text(text.to_owned()))?;
        let said = match text.strip_prefix('/') {
            Some(typed) => Said::Command { text: command(typed), answers: BTreeMap::new() },
            None => Said::Message(said::Message { text: text.to_owned(), ..said::Message::default() }),
        };
        Ok(event(format!("{NAME}-message-{}", message.id), message, person, said))
    }

    /// Says what a person pressed on a card: `command` is that of a control or of one of its choices.
    ///
    /// # Errors
    /// [`Error::Gone`] when the message is gone or does not have this control (any more).
    pub fn press(
        &self,
        message: &str,
        command: &str,
        answers: BTreeMap<String, String>,
        person: &Person,
    ) -> Result<ChatEvent, Error> {
        let found = self.messages.get(message).map_err(unkept)?.ok_or_else(|| gone(message))?;
        let Content::Card(card) = &found.content else { return Err(gone(message)) };
        let control = card.controls.iter().find(|control| says(control, command)).ok_or_else(|| {
            Error::Gone("the card has changed and no longer offers this: look at it again".to_owned())
        })?;
        if let Some(name) = answers.keys().find(|name| control.fields.iter().all(|field| field.name != **name)) {
            return Err(Error::Permanent(format!("this control does not ask for {name}")));
        }
        let at = MessageRef { place: found.place, id: found.id };
        // Pressing twice is two presses.
        Ok(event(
            format!("{NAME}-press-{}", random()?),
            at,
            person,
            Said::Command { text: command.to_owned(), answers },
        ))
    }

    fn keep(&self, place: &Place, key: Option<&str>, author: Person, content: Content) -> Result<MessageRef, Error> {
        if let Some(thread) = &place.thread {
            let root = self.messages.get(thread).map_err(unkept)?;
            let here = root.is_some_and(|root| root.place.channel == place.channel && root.place.thread.is_none());
            if !here {
                return Err(gone(thread));
            }
        }
        let message = Message {
            id: String::new(),
            place: place.clone(),
            key: key.map(str::to_owned),
            author,
            at: String::new(),
            content,
        };
        let id = self.messages.append(&message).map_err(unkept)?;
        Ok(MessageRef { place: place.clone(), id })
    }
}

impl ChatPlatform for Console {
    fn name(&self) -> &'static str {
        NAME
    }

    fn pace(&self) -> Pace {
        Pace { channel: Duration::ZERO, edit: Duration::ZERO }
    }

    async fn post(&self, place: &Place, card: &Card, key: &str) -> Result<MessageRef, Error> {
        self.keep(place, Some(key), bot(), Content::Card(card.clone()))
    }

    async fn find(&self, place: &Place, key: &str) -> Result<Option<MessageRef>, Error> {
        let found = self.messages.find(place, key).map_err(unkept)?;
        Ok(found.map(|message| MessageRef { place: message.place, id: message.id }))
    }

    async fn update(&self, at: &MessageRef, card: &Card) -> Result<(), Error> {
        let found = self.messages.get(&at.id).map_err(unkept)?.filter(|found| found.place == at.place);
        let found = found.ok_or_else(|| gone(&at.id))?;
        let message = Message { content: Content::Card(card.clone()), ..found };
        let replaced = self.messages.replace(&at.id, &message).map_err(unkept)?;
        if replaced { Ok(()) } else { Err(gone(&at.id)) }
    }

    async fn say(&self, place: &Place, text: &Rich, key: &str) -> Result<MessageRef, Error> {
        self.keep(place, Some(key), bot(), Content::Rich(text.clone()))
    }

    /// There is nobody to hide it from: whoever opens the pages sees all of them.
    async fn whisper(&self, place: &Place, _: &Person, _: Option<&str>, text: &Rich, key: &str) -> Result<(), Error> {
        self.say(place, text, key).await.map(drop)
    }

    fn link(&self, _: &MessageRef) -> Option<String> {
        None
    }

    async fn person(&self, id: &str) -> Result<Person, Error> {
        Ok(Person { id: id.to_owned(), name: id.to_owned() })
    }

    /// Whoever has the API key has all rights.
    async fn trusts(&self, _: &Person) -> Result<bool, Error> {
        Ok(true)
    }

    async fn reaches(&self, _: &Place) -> Result<(), Error> {
        Ok(())
    }

    async fn read(&self, at: &MessageRef) -> Result<Option<Said>, Error> {
        let found = self.messages.get(&at.id).map_err(unkept)?;
        Ok(found.and_then(|message| match message.content {
            Content::Text(text) => Some(Said::Message(said::Message { text, ..said::Message::default() })),
            Content::Card(_) | Content::Rich(_) => None,
        }))
    }

    async fn fetch(&self, file: &File, _: u64) -> Result<Vec<u8>, Error> {
        Err(Error::Permanent(format!("{}: the console keeps no files", file.name)))
    }
}

fn bot() -> Person {
    Person { id: "clew".into(), name: "Clew".into() }
}

/// What keeps the messages may work again later.
fn unkept(why: String) -> Error {
    Error::Transient { why, retry_after: None }
}

fn gone(message: &str) -> Error {
    Error::Gone(format!("there is no message {message}"))
}

/// The words of a typed command without the name of the bot: `clew resolve 12` and `resolve 12` are the same.
fn command(typed: &str) -> String {
    let words = match typed.split_once(char::is_whitespace) {
        Some(("clew", words)) => words,
        None if typed == "clew" => "",
        _ => typed,
    };
    words.trim().to_owned()
}

fn says(control: &Control, command: &str) -> bool {
    if control.choices.is_empty() {
        return control.command == command;
    }
    control.choices.iter().any(|(_, choice)| choice == command)
}

fn event(key: String, at: MessageRef, person: &Person, said: Said) -> ChatEvent {
    let MessageRef { place, id } = at;
    ChatEvent {
        key,
        platform: NAME.into(),
        place,
        message: Some(id),
        person: person.clone(),
        is_private: false,
        reply: None,
        said,
    }
}

fn random() -> Result<String, Error> {
    let mut bytes = [0_u8; 16];
    SystemRandom::new().fill(&mut bytes).map_err(|_| Error::Permanent("the system gives no randomness".into()))?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests;
