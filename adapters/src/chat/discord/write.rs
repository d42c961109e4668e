//! What is written: messages, edits, threads, answers to one person.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use serenity::builder::{CreateAllowedMentions, CreateMessage, EditMessage};
use serenity::model::channel::Nonce;
use sha2::{Digest, Sha256};

use super::error::{ARCHIVED, HAS_THREAD, Refusal, UNKNOWN_CHANNEL};
use super::places::Target;
use super::reply::{First, Token};
use super::take::EPHEMERAL;
use super::{Inner, controls, embeds, envelope, snowflake};
use crate::Error;
use crate::chat::{Card, MessageRef, Person, Place, Rich, Said, text};

/// Messages a page, and pages, that a search reads. What is searched was posted a moment ago.
const PAGE: usize = 100;
const PAGES: usize = 5;
/// Longest name of a thread.
const THREAD_NAME: usize = 100;
/// After so many minutes without a word a thread is hidden. A server has room for a thousand that are not.
const HIDDEN_AFTER: u64 = 1_440;
/// How long an interaction may be unknown to Discord because its first answer is on its way.
const YOUNG: Duration = Duration::from_secs(10);
const YOUNG_AGAIN: Duration = Duration::from_millis(300);

/// The name under which a message is found, and made only once: at most 25 characters.
fn nonce(key: &str) -> String {
    hex(key, 12)
}

/// What names a card in its controls.
fn mark(key: &str) -> String {
    hex(key, 8)
}

fn hex(key: &str, bytes: usize) -> String {
    Sha256::digest(key).iter().take(bytes).map(|byte| format!("{byte:02x}")).collect()
}

impl Inner {
    pub async fn post(&self, place: &Place, card: &Card, key: &str) -> Result<MessageRef, Error> {
        let shown = embeds::card(card, &mark(key));
        let message = CreateMessage::new().embeds(shown.embeds).components(shown.rows);
        let at = self.write(place, message, &card.title, key).await?;
        self.marks.put(&at.id, mark(key));
        Ok(at)
    }

    pub async fn say(&self, place: &Place, text: &Rich, key: &str) -> Result<MessageRef, Error> {
        self.write(place, CreateMessage::new().content(embeds::sentence(text)), "", key).await
    }

    /// Posts a message, calling nobody. Discord makes it once, as long as it remembers the nonce: some minutes.
    async fn write(&self, place: &Place, message: CreateMessage, title: &str, key: &str) -> Result<MessageRef, Error> {
        let target = self.target(place, Some(title)).await?;
        let message = message
            .nonce(Nonce::String(nonce(key)))
            .enforce_nonce(true)
            .allowed_mentions(CreateAllowedMentions::new().replied_user(false));
        let mut body = serde_json::to_value(message).map_err(|error| Error::Permanent(error.to_string()))?;
        if let Some(answers) = &target.answers {
            body["message_reference"] = json!({"message_id": answers, "fail_if_not_exists": false});
        }
        let posted = self.api.post(&format!("channels/{}/messages", target.channel), &body).await?;
        let id = posted["id"].as_str().ok_or_else(|| Error::Permanent("Discord does not say which message".into()))?;
        self.posted.put(&format!("{}/{}", target.channel, nonce(key)), id.to_owned());
        Ok(MessageRef { place: standing_in(place, &target), id: id.to_owned() })
    }

    /// Where something that is said in a place goes. `title`: a thread that is not there is made, and called so.
    async fn target(&self, place: &Place, title: Option<&str>) -> Result<Target, Error> {
        let here = |channel: &str| Target { channel: channel.to_owned(), answers: None };
        let Some(thread) = &place.thread else { return Ok(here(&place.channel)) };
        if self.places.get(thread).is_some_and(|channel| channel.parent.is_some()) {
            return Ok(here(thread));
        }
        let answer = Target { channel: place.channel.clone(), answers: Some(thread.clone()) };
        match self.places.channel(&self.api, &place.channel).await {
            Ok(channel) if channel.is_direct => return Ok(answer),
            Err(error @ Error::Transient { .. }) => return Err(error),
            // Where the bot may not look, it may still write.
            Ok(_) | Err(_) => {}
        }
        match self.places.ask(&self.api, thread).await {
            Ok(_) => return Ok(here(thread)),
            // There is no thread yet.
            Err(Error::Closed(_) | Error::Gone(_)) => {}
            Err(error) => return Err(error),
        }
        match title {
            None => Ok(answer),
            Some(title) => match self.make_thread(&place.channel, thread, title).await {
                Ok(()) => Ok(here(thread)),
                Err(Refusal { error: error @ (Error::Transient { .. } | Error::Auth(_)), .. }) => Err(error),
                // Some channels and messages have no threads, and some servers have no room for more: then it answers.
                Err(_) => Ok(answer),
            },
        }
    }

    /// Makes the thread below a message; it gets the id of the message.
    async fn make_thread(&self, channel: &str, message: &str, title: &str) -> Result<(), Refusal> {
        let name = text::cut(text::one_line(title).trim(), THREAD_NAME, char::len_utf16);
        let name = if name.is_empty() { "Triage".to_owned() } else { name };
        let body = json!({"name": name, "auto_archive_duration": HIDDEN_AFTER});
        match self.api.post(&format!("channels/{channel}/messages/{message}/threads"), &body).await {
            Ok(_) => {}
            Err(refusal) if refusal.code == HAS_THREAD => {}
            Err(refusal) => return Err(refusal),
        }
        self.places.learn_thread(channel, message);
        Ok(())
    }

    /// Remembered, or found in the last 500 messages by what names a card. A sentence is only remembered: of what was said
    /// before a crash, Discord tells again when the session is resumed, and for some minutes makes no second one.
    pub async fn find(&self, place: &Place, key: &str) -> Result<Option<MessageRef>, Error> {
        let target = self.target(place, None).await?;
        let found = |id: &str| Some(MessageRef { place: standing_in(place, &target), id: id.to_owned() });
        if let Some(id) = self.posted.get(&format!("{}/{}", target.channel, nonce(key))) {
            return Ok(found(&id));
        }
        let mark = mark(key);
        let mut before = String::new();
        for _ in 0..PAGES {
            let path = format!("channels/{}/messages?limit={PAGE}{before}", target.channel);
            let page = match self.api.get(&path).await {
                Ok(Value::Array(page)) => page,
                Ok(_) => Vec::new(),
                Err(refusal) if refusal.code == UNKNOWN_CHANNEL => return Ok(None),
                Err(refusal) => return Err(refusal.into()),
            };
            if let Some(id) =
                page.iter().find(|message| has_mark(message, &mark)).and_then(|message| message["id"].as_str())
            {
                self.marks.put(id, mark);
                return Ok(found(id));
            }
            let oldest =
                page.iter().filter_map(|message| message["id"].as_str()).min_by_key(|id| snowflake::number(id));
            match oldest {
                Some(oldest) if page.len() == PAGE => before = format!("&before={oldest}"),
                _ => break,
            }
        }
        Ok(None)
    }

    pub async fn update(&self, at: &MessageRef, card: &Card) -> Result<(), Error> {
        // A card that is shown for long is known by the incident itself.
        let mark = self.marks.get(&at.id).unwrap_or_else(|| "0".to_owned());
        let shown = embeds::card(card, &mark);
        let edit = EditMessage::new()
            .embeds(shown.embeds)
            .components(shown.rows)
            .allowed_mentions(CreateAllowedMentions::new());
        let body = serde_json::to_value(edit).map_err(|error| Error::Permanent(error.to_string()))?;
        let channel = at.place.thread.as_ref().unwrap_or(&at.place.channel);
        let path = format!("channels/{channel}/messages/{}", at.id);
        match self.api.call(Method::PATCH, &path, Some(&body)).await {
            // A thread that nobody wrote to for long is hidden, and nothing in it is changed before it is shown again.
            Err(refusal) if refusal.code == ARCHIVED => {
                let shown = json!({"archived": false});
                self.api.call(Method::PATCH, &format!("channels/{channel}"), Some(&shown)).await?;
                self.api.call(Method::PATCH, &path, Some(&body)).await?;
            }
            outcome => drop(outcome?),
        }
        Ok(())
    }

    /// Says something to one person: as the answer to what they did as long as Discord takes one, else in a direct message.
    pub async fn whisper(&self, to: &Person, reply: Option<&str>, text: &Rich, key: &str) -> Result<(), Error> {
        let is_nothing = text::plain(text).trim().is_empty();
        if let Some(token) = reply.and_then(|reply| self.sealer.open(reply)) {
            match self.answer(&token, text, is_nothing).await.map_err(Error::from) {
                Err(Error::Gone(why)) => {
                    if self.young.get(&token.id).is_some_and(|since| since.elapsed() < YOUNG) {
                        return Err(Error::Transient { why, retry_after: Some(YOUNG_AGAIN) });
                    }
                }
                answered => return answered,
            }
        }
        if is_nothing {
            return Ok(());
        }
        let between = self.api.post("users/@me/channels", &json!({"recipient_id": to.id})).await?;
        self.places.learn(&between, None);
        let channel = between["id"].as_str().unwrap_or_default().to_owned();
        self.say(&Place { channel, thread: None }, text, key).await.map(drop)
    }

    /// Answers an interaction, or takes away the sign that an answer is awaited.
    async fn answer(&self, token: &Token, text: &Rich, is_nothing: bool) -> Result<(), Refusal> {
        let webhook = format!("webhooks/{}/{}", token.application, token.secret);
        let original = format!("{webhook}/messages/@original");
        let mut body = json!({"content": embeds::sentence(text), "allowed_mentions": {"parse": []}});
        match token.first {
            First::Thinking if is_nothing => self.api.call(Method::DELETE, &original, None).await?,
            First::Thinking => self.api.call(Method::PATCH, &original, Some(&body)).await?,
            First::Silence if is_nothing => Value::Null,
            First::Silence => {
                body["flags"] = EPHEMERAL.into();
                self.api.post(&webhook, &body).await?
            }
        };
        Ok(())
    }

    pub async fn read(&self, at: &MessageRef) -> Result<Option<Said>, Error> {
        let channel = at.place.thread.as_ref().unwrap_or(&at.place.channel);
        match self.api.get(&format!("channels/{channel}/messages/{}", at.id)).await.map_err(Error::from) {
            Ok(message) => Ok(envelope::content(&message, &at.place.channel)),
            Err(Error::Gone(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// Where a message that went to `target` stands: an answer stands in the channel.
fn standing_in(place: &Place, target: &Target) -> Place {
    let thread = place.thread.clone().filter(|_| target.answers.is_none());
    Place { channel: place.channel.clone(), thread }
}

/// Whether a message has controls with this mark.
fn has_mark(message: &Value, mark: &str) -> bool {
    let rows = message["components"].as_array().into_iter().flatten();
    let mut controls = rows.flat_map(|row| row["components"].as_array().into_iter().flatten());
    controls.any(|control| control["custom_id"].as_str().and_then(controls::mark_of) == Some(mark))
}
