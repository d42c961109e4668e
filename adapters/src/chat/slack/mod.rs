//! Slack over its Web API. What was posted is found again by the metadata that goes with each message.

use std::fmt;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::{Value, json};
use slack_morphism::prelude::*;

use crate::Error;
use crate::chat::{Card, ChatPlatform, MessageRef, Pace, Place, Rich, address};

pub mod blocks;
pub mod controls;
mod error;
mod escape;

/// The Web API, when no other address is set.
pub const API: &str = "https://slack.com/api";

/// Kind of the metadata that goes with every message of ours.
const EVENT_TYPE: &str = "clew_card";
/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// Messages a page, and pages, that a search reads. What is searched was posted a moment ago.
const PAGE: usize = 200;
const PAGES: usize = 5;

/// A Slack workspace.
pub struct Slack {
    client: SlackHyperClient,
    token: SlackApiToken,
    address: String,
    patience: Duration,
}

impl fmt::Debug for Slack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Slack").field("address", &self.address).finish_non_exhaustive()
    }
}

/// A message that was posted.
#[derive(Deserialize)]
struct Posted {
    channel: String,
    ts: String,
}

/// An answer that says nothing but that it went well.
#[derive(Deserialize)]
struct Done {}

/// A page of messages. Only what is needed: other apps put anything into theirs.
#[derive(Deserialize)]
struct Page {
    messages: Vec<Message>,
    #[serde(default)]
    response_metadata: Option<Cursor>,
}

#[derive(Deserialize)]
struct Message {
    ts: String,
    #[serde(default)]
    metadata: Value,
}

#[derive(Deserialize)]
struct Cursor {
    #[serde(default)]
    next_cursor: String,
}

#[derive(Deserialize)]
struct Identity {
    team: String,
    #[serde(default)]
    user: String,
}

#[derive(Deserialize)]
struct ChannelAnswer {
    channel: Channel,
}

#[derive(Deserialize)]
struct Channel {
    #[serde(default)]
    name: String,
    #[serde(default)]
    is_member: bool,
}

impl Slack {
    /// `api_url` is the setting `slack.api_url` ([`API`] when it is not set), `bot_token` the one that begins with `xoxb-`.
    ///
    /// # Errors
    /// When the address or the token cannot be right.
    pub fn new(api_url: &str, bot_token: &SecretString) -> Result<Self, Error> {
        let address = address::base("SLACK_API_URL", api_url)?;
        let token = bot_token.expose_secret().trim();
        if token.is_empty() || !token.chars().all(|c| c.is_ascii_graphic()) {
            return Err(Error::Auth("SLACK_BOT_TOKEN: this is no token; it begins with xoxb-".into()));
        }
        if token.starts_with("xapp-") {
            return Err(Error::Auth("SLACK_BOT_TOKEN: this is the app token; the bot token begins with xoxb-".into()));
        }
        let connector = hyper_rustls::HttpsConnectorBuilder::new()
            .with_provider_and_webpki_roots(rustls::crypto::ring::default_provider())
            .map_err(|error| Error::Permanent(format!("TLS cannot be set up: {error}")))?
            .https_or_http()
            .enable_http1()
            .enable_http2()
            .build();
        let connector = SlackClientHyperConnector::with_connector(connector).with_slack_api_url(&address);
        let token = SlackApiToken::new(SlackApiTokenValue(token.to_owned()));
        Ok(Self { client: SlackClient::new(connector), token, address, patience: PATIENCE })
    }

    /// Who the bot is: its name and that of the workspace.
    ///
    /// # Errors
    /// When Slack does not accept the token or does not answer.
    pub async fn identity(&self) -> Result<String, Error> {
        let who: Identity = self.get("auth.test", "", vec![]).await?;
        Ok(format!("{} in {}", who.user, who.team))
    }

    /// The name of a channel that the bot can write to.
    ///
    /// # Errors
    /// When there is no such channel or the bot is not in it.
    pub async fn channel_name(&self, channel: &str) -> Result<String, Error> {
        let answer: ChannelAnswer =
            self.get("conversations.info", channel, vec![("channel", Some(channel.to_owned()))]).await?;
        if answer.channel.is_member {
            return Ok(answer.channel.name);
        }
        let name = answer.channel.name;
        Err(Error::Permanent(format!("the bot is not in #{name}: invite it there: /invite @clew")))
    }

    async fn write(&self, place: &Place, shown: blocks::Shown, key: &str) -> Result<MessageRef, Error> {
        let mut request = json!({
            "channel": place.channel,
            "text": shown.text,
            "blocks": shown.blocks,
            "metadata": {"event_type": EVENT_TYPE, "event_payload": {"key": key}},
            "parse": "none",
            "link_names": false,
            "mrkdwn": false,
            "unfurl_links": false,
            "unfurl_media": false,
        });
        if let Some(thread) = &place.thread {
            request["thread_ts"] = json!(thread);
        }
        let posted: Posted = self.send("chat.postMessage", &place.channel, &request).await?;
        // Asked by name, Slack answers with the id, and takes nothing else later.
        Ok(MessageRef { place: Place { channel: posted.channel, thread: place.thread.clone() }, id: posted.ts })
    }

    async fn send<T>(&self, method: &str, channel: &str, request: &Value) -> Result<T, Error>
    where
        T: for<'de> Deserialize<'de> + Send,
    {
        let session = self.client.open_session(&self.token);
        self.call(method, channel, session.http_session_api.http_post(method, request, None)).await
    }

    /// Slack reads the parameters of its reading methods from the address only.
    async fn get<T>(&self, method: &str, channel: &str, parameters: Vec<(&str, Option<String>)>) -> Result<T, Error>
    where
        T: for<'de> Deserialize<'de> + Send,
    {
        let session = self.client.open_session(&self.token);
        self.call(method, channel, session.http_session_api.http_get(method, &parameters, None)).await
    }

    async fn call<T>(
        &self,
        method: &str,
        channel: &str,
        answer: impl Future<Output = ClientResult<T>> + Send,
    ) -> Result<T, Error> {
        let call = if channel.is_empty() { method.to_owned() } else { format!("{method} in {channel}") };
        match tokio::time::timeout(self.patience, answer).await {
            Ok(answer) => answer.map_err(|error| error::translate(&call, error)),
            Err(_) => Err(error::too_late(&call)),
        }
    }
}

impl Message {
    fn has(&self, key: &str) -> bool {
        self.metadata["event_type"] == EVENT_TYPE && self.metadata["event_payload"]["key"] == key
    }
}

impl ChatPlatform for Slack {
    fn name(&self) -> &'static str {
        "slack"
    }

    /// One message a second and channel is what Slack promises to take; edits have about 50 calls a minute.
    fn pace(&self) -> Pace {
        Pace { channel: Duration::from_millis(1_100), edit: Duration::from_secs(3) }
    }

    async fn post(&self, place: &Place, card: &Card, key: &str) -> Result<MessageRef, Error> {
        self.write(place, blocks::card(card), key).await
    }

    /// Reads the last 1,000 messages of a channel, or the first 1,000 of a thread.
    async fn find(&self, place: &Place, key: &str) -> Result<Option<MessageRef>, Error> {
        let mut cursor = None;
        for _ in 0..PAGES {
            let mut parameters = vec![
                ("channel", Some(place.channel.clone())),
                ("limit", Some(PAGE.to_string())),
                ("include_all_metadata", Some("true".to_owned())),
                ("cursor", cursor),
            ];
            let method = match &place.thread {
                None => "conversations.history",
                Some(thread) => {
                    parameters.push(("ts", Some(thread.clone())));
                    "conversations.replies"
                }
            };
            let page: Page = match self.get(method, &place.channel, parameters).await {
                // Nothing stands in a thread that is gone.
                Err(Error::Gone(_)) => return Ok(None),
                page => page?,
            };
            // The first message of a thread stands in the channel.
            let mut messages = page.messages.into_iter().filter(|message| Some(&message.ts) != place.thread.as_ref());
            if let Some(message) = messages.find(|message| message.has(key)) {
                return Ok(Some(MessageRef { place: place.clone(), id: message.ts }));
            }
            cursor = page.response_metadata.map(|next| next.next_cursor).filter(|next| !next.is_empty());
            if cursor.is_none() {
                break;
            }
        }
        Ok(None)
    }

    /// The metadata stays with the message as long as none is sent.
    async fn update(&self, at: &MessageRef, card: &Card) -> Result<(), Error> {
        let shown = blocks::card(card);
        let request = json!({
            "channel": at.place.channel,
            "ts": at.id,
            "text": shown.text,
            "blocks": shown.blocks,
            "parse": "none",
            "link_names": false,
        });
        let Done {} = self.send("chat.update", &at.place.channel, &request).await?;
        Ok(())
    }

    async fn say(&self, place: &Place, text: &Rich, key: &str) -> Result<MessageRef, Error> {
        self.write(place, blocks::sentence(text), key).await
    }
}

#[cfg(test)]
mod tests;
