//! What is done with what came, the same for both ways in: it is kept, then answered at once; the work comes after.

use std::sync::Arc;
use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::envelope::{self, Does, NAME};
use super::error::ALREADY_ANSWERED;
use super::people::Identity;
use super::places::{self, Channel};
use super::reply::{First, Token};
use super::{Inner, forms};
use crate::Error;
use crate::chat::{Ask, ChatEvent, Listener, Person, Place, Span};

/// Kinds of answers to an interaction.
/// <https://discord.com/developers/docs/interactions/receiving-and-responding#interaction-callback-type>
const MESSAGE: u64 = 4;
const THINKING: u64 = 5;
const SILENCE: u64 = 6;
/// Seen by one person alone.
pub const EPHEMERAL: u64 = 1 << 6;
/// What is said to people of other servers.
const FOREIGN: &str = "I work for the server with the incident channels of those who run me, and for the people on it.";
/// Time between two tries to keep what came, while the store cannot.
const KEEP_AGAIN: Duration = Duration::from_secs(1);

impl Inner {
    /// Takes an interaction: what it asks for is kept when this returns. Gives the answer that Discord waits for.
    ///
    /// # Errors
    /// When it could not be kept: then it did not arrive, and the person sees that.
    pub async fn take_interaction<L: Listener>(&self, payload: &Value, listener: &L) -> Result<Value, Error> {
        let place = self.place_of(payload).await?;
        if let Some(person) = envelope::person(payload) {
            let guild = payload["guild_id"].as_str();
            self.people.learn(&person, guild, &payload["member"]);
            if !self.is_for_us(guild, &person).await {
                return Ok(alone(FOREIGN));
            }
        }
        let first = if payload["message"].is_object() { First::Silence } else { First::Thinking };
        match envelope::interaction(payload, place) {
            None => Ok(alone("This is from an older version of this bot, which no longer knows it.")),
            Some(Does::Ask(ask)) => Ok(self.form(&ask, listener).await),
            Some(Does::Words(event)) => match listener.asks(&event) {
                Some(command) => {
                    let ask = Ask { platform: NAME.into(), command, place: event.place, person: event.person };
                    Ok(self.form(&ask, listener).await)
                }
                None => self.keep(payload, *event, first, listener).await,
            },
            Some(Does::Event(event)) => self.keep(payload, *event, first, listener).await,
        }
    }

    /// Whether somebody may use the bot at all: anybody may invite a bot to a server of their own, or write to it.
    async fn is_for_us(&self, guild: Option<&str>, person: &Person) -> bool {
        match guild {
            Some(guild) => self.people.is_home(guild),
            None => self.people.is_one_of_us(&self.api, person).await,
        }
    }

    /// Where an interaction was.
    async fn place_of(&self, payload: &Value) -> Result<Place, Error> {
        let id = payload["channel_id"].as_str().or_else(|| payload["channel"]["id"].as_str()).unwrap_or_default();
        let guild = payload["guild_id"].as_str();
        if guild.is_some() {
            // Between two people, Discord names only what needs no server.
            self.permissions.learn(id, payload["app_permissions"].as_str());
        }
        if payload["channel"]["type"].is_u64() {
            self.places.learn(&payload["channel"], guild);
            return Ok(places::place(id, &Channel::of(&payload["channel"], guild)));
        }
        Ok(places::place(id, &self.places.source(&self.api, id, guild).await?))
    }

    async fn keep<L: Listener>(
        &self,
        payload: &Value,
        mut event: ChatEvent,
        first: First,
        listener: &L,
    ) -> Result<Value, Error> {
        let text = |key: &str| payload[key].as_str().unwrap_or_default().to_owned();
        let token = Token { application: text("application_id"), secret: text("token"), first, id: text("id") };
        self.young.put(&token.id, Instant::now());
        event.reply = self.sealer.seal(&token);
        listener.hear(event).await?;
        Ok(match first {
            First::Thinking => json!({"type": THINKING, "data": {"flags": EPHEMERAL}}),
            First::Silence => json!({"type": SILENCE}),
        })
    }

    /// A form, or why there is none.
    async fn form<L: Listener>(&self, ask: &Ask, listener: &L) -> Value {
        match listener.form(ask.clone()).await {
            Ok(form) => json!(forms::modal(&form, &ask.command)),
            Err(error) => alone(&error.to_string()),
        }
    }

    /// Takes an interaction that came over the gateway, and answers it.
    pub async fn take_and_answer<L: Listener>(&self, payload: &Value, listener: &L) {
        let answer = match self.take_interaction(payload, listener).await {
            Ok(answer) => answer,
            Err(error) => {
                tracing::error!(%error, "what somebody did in Discord could not be kept; they see that");
                alone("I cannot keep this right now, so nothing was done. Try it again in a minute.")
            }
        };
        let (id, token) = (payload["id"].as_str().unwrap_or_default(), payload["token"].as_str().unwrap_or_default());
        let path = format!("interactions/{id}/{token}/callback");
        match self.api.call(Method::POST, &path, Some(&answer)).await {
            Ok(_) => {}
            Err(refusal) if refusal.code == ALREADY_ANSWERED => {}
            // What was kept is done all the same; the person only sees no sign of it.
            Err(refusal) => tracing::warn!(error = %refusal.error, "an interaction could not be answered in time"),
        }
    }

    /// Takes a message. Returns when it is kept, or when there is nothing to keep; while the store cannot keep it, it is tried
    /// again until `stop`.
    pub async fn take_message<L: Listener>(&self, message: &Value, listener: &L, stop: &CancellationToken) {
        while let Err(error) = self.try_message(message, listener).await {
            if !matches!(error, Error::Transient { .. }) {
                tracing::warn!(%error, "a message could not be taken");
                return;
            }
            tracing::error!(%error, "a message from Discord could not be kept; it is tried again");
            if stop.run_until_cancelled(tokio::time::sleep(KEEP_AGAIN)).await.is_none() {
                return;
            }
        }
    }

    async fn try_message<L: Listener>(&self, message: &Value, listener: &L) -> Result<(), Error> {
        let Some(me) = self.people.identity() else { return Ok(()) };
        self.notice_own(message, &me);
        let Some(channel) = message["channel_id"].as_str() else { return Ok(()) };
        let known = self.places.source(&self.api, channel, message["guild_id"].as_str()).await?;
        let place = places::place(channel, &known);
        let Some(event) = envelope::message(message, place, known.is_direct, &me) else { return Ok(()) };
        let guild = message["guild_id"].as_str().or(known.guild.as_deref());
        self.people.learn(&event.person, guild, &message["member"]);
        if !envelope::is_bot(message) && !self.is_for_us(guild.filter(|_| !known.is_direct), &event.person).await {
            return Ok(());
        }
        listener.hear(event).await
    }

    /// A message of the bot's own that is told of: where an answer was lost, this says what became of it.
    fn notice_own(&self, message: &Value, me: &Identity) {
        if message["author"]["id"] == me.user.as_str()
            && let (Some(nonce), Some(id), Some(channel)) =
                (message["nonce"].as_str(), message["id"].as_str(), message["channel_id"].as_str())
        {
            self.posted.put(&format!("{channel}/{nonce}"), id.to_owned());
        }
    }
}

/// Something that only the person sees, at once.
fn alone(text: &str) -> Value {
    let content = super::embeds::sentence(&vec![Span::Text(text.to_owned())]);
    json!({"type": MESSAGE, "data": {"content": content, "flags": EPHEMERAL, "allowed_mentions": {"parse": []}}})
}

/// Keeps hold of what a task needs.
pub struct Ear<L> {
    /// The platform.
    pub discord: Arc<Inner>,
    /// The bot.
    pub listener: Arc<L>,
    /// When it ends.
    pub stop: CancellationToken,
}

impl<L> Clone for Ear<L> {
    fn clone(&self) -> Self {
        Self { discord: Arc::clone(&self.discord), listener: Arc::clone(&self.listener), stop: self.stop.clone() }
    }
}
