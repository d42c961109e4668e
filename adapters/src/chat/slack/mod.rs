//! Slack: what the bot shows over the Web API, and what people do, over Socket Mode or signed HTTP. What was posted is found
//! again by the metadata that goes with each message.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use secrecy::SecretString;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::Error;
use crate::chat::{
    Answer, Card, ChatPlatform, File, Hears, Listener, MessageRef, Pace, Person, Place, Request, Rich, Said,
};
use crate::http::Http;

mod alert_post;
mod api;
pub mod blocks;
pub mod controls;
mod delivery;
mod envelope;
mod error;
mod escape;
pub mod needs;
mod people;
mod read;
mod socket;
mod take;
mod views;

use api::{Api, Done};
pub use delivery::ADDRESSES;
use envelope::NAME;
use people::People;

/// The Web API, when no other address is set.
pub const API: &str = "https://slack.com/api";

/// Kind of the metadata that goes with every message of ours.
const EVENT_TYPE: &str = "clew_card";
/// Messages a page, and pages, that a search reads. What is searched was posted a moment ago.
const PAGE: usize = 200;
const PAGES: usize = 5;
/// Sockets at once when the settings do not say, and most of them: Slack gives ten to an app.
const SOCKETS: u32 = 4;
const MOST_SOCKETS: u32 = 10;
/// Hosts of files, besides that of the Web API. The token goes to no other.
const FILE_HOSTS: [&str; 2] = ["slack.com", "slack-files.com"];

/// The settings of the section `slack`.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Base address of the Web API.
    pub api_url: String,
    /// The token that begins with `xoxb-`.
    pub bot_token: SecretString,
    /// The token that begins with `xapp-`, for Socket Mode.
    pub app_token: Option<SecretString>,
    /// What deliveries over HTTP are signed with.
    pub signing_secret: Option<SecretString>,
    /// Id or handle of the user group that may do what cannot be taken back.
    pub group: Option<String>,
    /// Sockets at once, as it was set.
    pub sockets: Option<String>,
}

impl Settings {
    /// Those that are set; `setting` gives a key of the section.
    #[must_use]
    pub fn read(setting: &dyn Fn(&str) -> Option<String>) -> Self {
        let secret = |key: &str| setting(key).map(SecretString::from);
        Self {
            api_url: setting("api_url").unwrap_or_else(|| API.to_owned()),
            bot_token: secret("bot_token").unwrap_or_default(),
            app_token: secret("app_token"),
            signing_secret: secret("signing_secret"),
            group: setting("group"),
            sockets: setting("sockets"),
        }
    }
}

/// A Slack workspace.
#[derive(Clone)]
pub struct Slack {
    inner: Arc<Inner>,
    sockets: u32,
}

/// What all parts of it share.
struct Inner {
    api: Api,
    /// The Web API with the app token, for the one method that takes it.
    app_api: Option<Api>,
    app_token: Option<SecretString>,
    bot_token: SecretString,
    signing_secret: Option<SecretString>,
    people: People,
    http: Http,
    /// What runs besides: sockets, forms that are opened, pages that are shown.
    tasks: TaskTracker,
}

impl fmt::Debug for Slack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Slack").field("api", &self.inner.api).finish_non_exhaustive()
    }
}

/// A message that was posted.
#[derive(Deserialize)]
struct Posted {
    channel: String,
    ts: String,
}

/// A page of messages. Only what is needed: other apps put anything into theirs.
#[derive(Deserialize)]
struct Page {
    messages: Vec<Value>,
    #[serde(default)]
    response_metadata: Option<Cursor>,
}

#[derive(Deserialize)]
struct Cursor {
    #[serde(default)]
    next_cursor: String,
}

#[derive(Deserialize)]
struct ChannelAnswer {
    channel: Channel,
}

#[derive(Deserialize)]
struct Channel {
    #[serde(default)]
    name: String,
    is_member: Option<bool>,
    #[serde(default)]
    is_archived: bool,
}

impl Slack {
    /// Makes it. Nothing is asked of Slack yet.
    ///
    /// # Errors
    /// When a setting cannot be right; the text names it.
    pub fn new(settings: Settings) -> Result<Self, Error> {
        let Settings { api_url, bot_token, app_token, signing_secret, group, sockets } = settings;
        let app = |token: &SecretString| Api::new(&api_url, "SLACK_APP_TOKEN", "xapp-", token);
        let sockets =
            match sockets {
                None => SOCKETS,
                Some(set) => set.trim().parse().ok().filter(|n| (1..=MOST_SOCKETS).contains(n)).ok_or_else(|| {
                    Error::Permanent(format!("slack.sockets: must be a number from 1 to {MOST_SOCKETS}"))
                })?,
            };
        let inner = Inner {
            api: Api::new(&api_url, "SLACK_BOT_TOKEN", "xoxb-", &bot_token)?,
            app_api: app_token.as_ref().map(app).transpose()?,
            app_token,
            bot_token,
            signing_secret,
            people: People::new(group),
            http: Http::new()?,
            tasks: TaskTracker::new(),
        };
        Ok(Self { inner: Arc::new(inner), sockets })
    }

    /// As it is, with less patience.
    #[cfg(test)]
    fn hurried(self, patience: Duration) -> Result<Self, Error> {
        let mut inner = Arc::into_inner(self.inner).ok_or_else(|| Error::Permanent("it is in use".into()))?;
        inner.api.patience = patience;
        Ok(Self { inner: Arc::new(inner), sockets: self.sockets })
    }

    /// How what people do comes to the bot.
    #[must_use]
    pub fn hears(&self) -> Hears {
        match (&self.inner.app_token, &self.inner.signing_secret) {
            (Some(_), Some(_)) => Hears::By("Socket Mode and signed HTTP"),
            (Some(_), None) => Hears::By("Socket Mode"),
            (None, Some(_)) => Hears::By("signed HTTP at /slack/events, /slack/commands and /slack/interactions"),
            (None, None) => Hears::Not("set SLACK_APP_TOKEN (or SLACK_SIGNING_SECRET, for signed HTTP)"),
        }
    }

    /// Finds out who the bot is, then hears on sockets until `stop`, if there is an app token.
    pub async fn listen<L: Listener>(&self, listener: Arc<L>, stop: CancellationToken) {
        let tasks = &self.inner.tasks;
        if self.inner.app_token.is_some() {
            for number in 0..self.sockets {
                let (slack, listener) = (Arc::clone(&self.inner), Arc::clone(&listener));
                tasks.spawn(socket::keep_open(slack, listener, number, stop.clone()));
            }
        }
        stop.run_until_cancelled(self.inner.introduce()).await;
        stop.cancelled().await;
        tasks.close();
        drop(tokio::time::timeout(Duration::from_secs(5), tasks.wait()).await);
    }

    /// Takes a delivery over HTTP; nothing when the address is none of [`ADDRESSES`].
    pub async fn receive<L: Listener>(&self, request: Request<'_>, listener: &Arc<L>) -> Option<Answer> {
        delivery::receive(&self.inner, request, listener).await
    }
}

impl Inner {
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
        let posted: Posted = self.api.send("chat.postMessage", &place.channel, &request).await?;
        // Asked by name, Slack answers with the id, and takes nothing else later.
        Ok(MessageRef { place: Place { channel: posted.channel, thread: place.thread.clone() }, id: posted.ts })
    }

    async fn page(&self, place: &Place, cursor: Option<String>) -> Result<Page, Error> {
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
        self.api.get(method, &place.channel, parameters).await
    }

    /// Says something to one person, where they are or else in the conversation between the two.
    async fn whisper(&self, place: &Place, to: &Person, text: &Rich, key: &str) -> Result<(), Error> {
        let shown = blocks::sentence(text);
        let mut request = json!({"channel": place.channel, "user": to.id, "text": shown.text, "blocks": shown.blocks, "parse": "none"});
        if let Some(thread) = &place.thread {
            request["thread_ts"] = json!(thread);
        }
        if place.channel.starts_with(['C', 'G']) {
            match self.api.send("chat.postEphemeral", &place.channel, &request).await {
                // The bot or the person is not in that channel.
                Err(Error::Closed(_) | Error::Permanent(_)) => {}
                said => return said.map(|Done {}| ()),
            }
        }
        let between = Place { channel: to.id.clone(), thread: None };
        self.write(&between, shown, key).await.map(drop)
    }
}

fn has_key(message: &Value, key: &str) -> bool {
    message["metadata"]["event_type"] == EVENT_TYPE && message["metadata"]["event_payload"]["key"] == key
}

impl ChatPlatform for Slack {
    fn name(&self) -> &'static str {
        NAME
    }

    /// One message a second and channel is what Slack promises to take; edits have about 50 calls a minute.
    fn pace(&self) -> Pace {
        Pace { channel: Duration::from_millis(1_100), edit: Duration::from_secs(3) }
    }

    async fn post(&self, place: &Place, card: &Card, key: &str) -> Result<MessageRef, Error> {
        self.inner.write(place, blocks::card(card), key).await
    }

    /// Reads the last 1,000 messages of a channel, or the first 1,000 of a thread.
    async fn find(&self, place: &Place, key: &str) -> Result<Option<MessageRef>, Error> {
        let mut cursor = None;
        for _ in 0..PAGES {
            let page = match self.inner.page(place, cursor).await {
                // Nothing stands in a thread that is gone.
                Err(Error::Gone(_)) => return Ok(None),
                page => page?,
            };
            // The first message of a thread stands in the channel.
            let mut here = page.messages.iter().filter(|message| message["ts"].as_str() != place.thread.as_deref());
            if let Some(ts) = here.find(|message| has_key(message, key)).and_then(|message| message["ts"].as_str()) {
                return Ok(Some(MessageRef { place: place.clone(), id: ts.to_owned() }));
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
        let Done {} = self.inner.api.send("chat.update", &at.place.channel, &request).await?;
        Ok(())
    }

    async fn say(&self, place: &Place, text: &Rich, key: &str) -> Result<MessageRef, Error> {
        self.inner.write(place, blocks::sentence(text), key).await
    }

    async fn whisper(&self, place: &Place, to: &Person, _: Option<&str>, text: &Rich, key: &str) -> Result<(), Error> {
        self.inner.whisper(place, to, text, key).await
    }

    /// Once it is known which workspace this is.
    fn link(&self, at: &MessageRef) -> Option<String> {
        let workspace = self.inner.people.workspace()?;
        let MessageRef { place, id } = at;
        let address = format!("{workspace}archives/{}/p{}", place.channel, id.replace('.', ""));
        Some(match &place.thread {
            Some(thread) => format!("{address}?thread_ts={thread}&cid={}", place.channel),
            None => address,
        })
    }

    async fn person(&self, id: &str) -> Result<Person, Error> {
        self.inner.people.person(&self.inner.api, id).await
    }

    async fn trusts(&self, person: &Person) -> Result<bool, Error> {
        self.inner.people.trusts(&self.inner.api, person).await
    }

    async fn reaches(&self, place: &Place) -> Result<(), Error> {
        // A person's id stands for the conversation with them, which is always there.
        if place.channel.starts_with(['U', 'W']) {
            return Ok(());
        }
        let parameters = vec![("channel", Some(place.channel.clone()))];
        let channel: Channel =
            self.inner.api.get::<ChannelAnswer>("conversations.info", &place.channel, parameters).await?.channel;
        if channel.is_archived {
            return Err(Error::Closed(format!("#{} is archived: choose another channel", channel.name)));
        }
        // Of a direct message, nothing is said about members.
        if channel.is_member == Some(false) {
            return Err(Error::Closed(format!("I am not in #{}: invite me there with /invite @clew", channel.name)));
        }
        Ok(())
    }

    async fn read(&self, at: &MessageRef) -> Result<Option<Said>, Error> {
        // A thread is asked for by its first message; this way by any of them.
        let id = || Some(at.id.clone());
        let parameters = vec![
            ("channel", Some(at.place.channel.clone())),
            ("ts", id()),
            ("oldest", id()),
            ("latest", id()),
            ("inclusive", Some("true".to_owned())),
            ("limit", Some(PAGE.to_string())),
        ];
        let page: Page = match self.inner.api.get("conversations.replies", &at.place.channel, parameters).await {
            Err(Error::Gone(_)) => return Ok(None),
            page => page?,
        };
        let message = page.messages.iter().find(|message| message["ts"] == at.id.as_str());
        Ok(message.and_then(|message| envelope::content(message, &at.place.channel)))
    }

    async fn fetch(&self, file: &File, most: u64) -> Result<Vec<u8>, Error> {
        let hosts = |host: &str| {
            FILE_HOSTS
                .iter()
                .any(|known| host == *known || host.strip_suffix(known).is_some_and(|left| left.ends_with('.')))
        };
        self.inner.http.fetch(&file.url, &self.inner.api.address, &hosts, Some(&self.inner.bot_token), most).await
    }
}

#[cfg(test)]
mod tests;
