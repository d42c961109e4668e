//! Discord: what the bot shows over the REST API, and what people do, over the gateway or signed HTTP. A thread below a
//! message has the id of that message; where there are no threads, the bot answers the message.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use secrecy::SecretString;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::Error;
use crate::chat::{
    Answer, Card, ChatPlatform, File, Hears, Listener, MessageRef, Pace, Person, Place, Request, Rich, Said,
};
use crate::http::Http;

mod alert_post;
mod api;
mod catch_up;
mod commands;
pub mod controls;
mod delivery;
pub mod embeds;
mod envelope;
mod error;
mod escape;
pub mod forms;
mod gateway;
mod memory;
mod people;
mod permissions;
mod places;
mod progress;
mod read;
mod reply;
mod snowflake;
mod take;
mod write;

use api::Api;
pub use delivery::ADDRESSES;
use envelope::NAME;
use memory::Memory;
use people::People;
use permissions::Permissions;
use places::Places;
use reply::Sealer;
use take::Ear;

/// Discord's own address, when no other is set.
pub const API: &str = "https://discord.com";

/// Time before hearing begins again when it stopped by itself.
const HEAR_AGAIN: Duration = Duration::from_secs(5);
/// Hosts of files. They are asked without the token: their addresses hold a signature.
const FILE_HOSTS: [&str; 2] = ["cdn.discordapp.com", "media.discordapp.net"];

/// The settings of the section `discord`.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Base address of the REST API.
    pub api_url: String,
    /// The token of the bot.
    pub token: SecretString,
    /// The public key of the application, in hex, with which deliveries over HTTP are proved.
    pub public_key: Option<String>,
    /// Ids of the servers on which the commands are registered, comma-separated; none: everywhere.
    pub guilds: Option<String>,
    /// Ids or names of the roles that may do what cannot be taken back, comma-separated.
    pub role: Option<String>,
    /// `on` or `off`: whether a gateway is opened.
    pub gateway: Option<String>,
    /// `on` or `off`: whether the content of messages is asked for.
    pub message_content: Option<String>,
}

impl Settings {
    /// Those that are set; `setting` gives a key of the section.
    #[must_use]
    pub fn read(setting: &dyn Fn(&str) -> Option<String>) -> Self {
        Self {
            api_url: setting("api_url").unwrap_or_else(|| API.to_owned()),
            token: setting("token").map(SecretString::from).unwrap_or_default(),
            public_key: setting("public_key"),
            guilds: setting("guilds"),
            role: setting("role"),
            gateway: setting("gateway"),
            message_content: setting("message_content"),
        }
    }
}

/// A bot at Discord.
#[derive(Clone)]
pub struct Discord {
    inner: Arc<Inner>,
}

/// What all parts of it share.
struct Inner {
    api: Api,
    token: SecretString,
    public_key: Option<String>,
    /// Servers on which the commands are registered; none: everywhere.
    guilds: Vec<String>,
    with_gateway: bool,
    with_content: bool,
    people: People,
    places: Places,
    permissions: Permissions,
    sealer: Sealer,
    /// Interactions that were just answered, by their ids.
    young: Memory<Instant>,
    /// Messages of ours, by channel and nonce.
    posted: Memory<String>,
    /// What names the cards of ours, by the ids of their messages.
    marks: Memory<String>,
    http: Http,
    /// Whether what is needed once at a start was begun.
    is_settled: AtomicBool,
    /// What runs besides: events that are kept, commands that are registered.
    tasks: TaskTracker,
}

impl fmt::Debug for Discord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Discord").field("api", &self.inner.api).finish_non_exhaustive()
    }
}

impl Discord {
    /// Makes it. Nothing is asked of Discord yet.
    ///
    /// # Errors
    /// When a setting cannot be right; the text names it.
    pub fn new(settings: Settings) -> Result<Self, Error> {
        let Settings { api_url, token, public_key, guilds, role, gateway, message_content } = settings;
        let token = token_of(&token)?;
        let inner = Inner {
            api: Api::new(&api_url, &token)?,
            sealer: Sealer::new(&token)
                .ok_or_else(|| Error::Permanent("no key can be made of DISCORD_TOKEN".into()))?,
            token,
            public_key: public_key.map(|key| public_key_of(&key)).transpose()?,
            guilds: guilds_of(guilds.as_deref())?,
            with_gateway: is_on("gateway", gateway.as_deref())?,
            with_content: is_on("message_content", message_content.as_deref())?,
            people: People::new(role.as_deref()),
            places: Places::default(),
            permissions: Permissions::default(),
            young: Memory::default(),
            posted: Memory::default(),
            marks: Memory::default(),
            http: Http::new()?,
            is_settled: AtomicBool::new(false),
            tasks: TaskTracker::new(),
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// How what people do comes to the bot.
    #[must_use]
    pub fn hears(&self) -> Hears {
        match (self.inner.with_gateway, &self.inner.public_key) {
            (true, Some(_)) => Hears::By("its gateway and signed HTTP"),
            (true, None) => Hears::By("its gateway"),
            (false, Some(_)) => Hears::By("signed HTTP at /discord/interactions"),
            (false, None) => Hears::Not("set DISCORD_PUBLIC_KEY, or discord.gateway = \"on\""),
        }
    }

    /// Registers the commands, and hears at the gateway until `stop`, if one is wanted.
    pub async fn listen<L: Listener>(&self, listener: Arc<L>, stop: CancellationToken) {
        let tasks = &self.inner.tasks;
        if self.inner.with_gateway {
            let ear = Ear { discord: Arc::clone(&self.inner), listener, stop: stop.clone() };
            // Whatever happens in there, people are heard.
            while let Err(error) = tasks.spawn(gateway::keep_open(ear.clone())).await {
                tracing::error!(%error, "hearing Discord stopped by itself; it begins again");
                tokio::time::sleep(HEAR_AGAIN).await;
            }
        } else {
            stop.run_until_cancelled(self.inner.settle_in(&listener.channels(NAME))).await;
        }
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
    /// Learns where the incident channels are, for links to what stands there, and registers the commands.
    pub async fn settle_in(&self, channels: &[String]) {
        let mut homes: BTreeSet<String> = self.guilds.iter().cloned().collect();
        for channel in channels {
            match self.places.channel(&self.api, channel).await {
                Ok(channel) => homes.extend(channel.guild),
                Err(error) => tracing::error!(%error, channel, "an incident channel cannot be used"),
            }
        }
        self.people.set_homes(homes);
        commands::register(self).await;
    }
}

/// The token as it stands in the settings, with or without `Bot` before it.
fn token_of(token: &SecretString) -> Result<SecretString, Error> {
    use secrecy::ExposeSecret as _;
    let token = token.expose_secret().trim();
    let token = token.strip_prefix("Bot ").unwrap_or(token).trim();
    if token.is_empty() || !token.chars().all(|c| c.is_ascii_graphic()) {
        return Err(Error::Auth(
            "DISCORD_TOKEN: this is no token; take the bot's from the Developer Portal (Bot → Reset Token)".into(),
        ));
    }
    Ok(SecretString::from(token.to_owned()))
}

fn public_key_of(key: &str) -> Result<String, Error> {
    let key = key.trim();
    let is_key = key.len() == 64 && key.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_key.then(|| key.to_owned()).ok_or_else(|| {
        Error::Permanent(
            "DISCORD_PUBLIC_KEY: must be 64 hex digits: the Public Key on the page General Information of the application"
                .into(),
        )
    })
}

fn guilds_of(guilds: Option<&str>) -> Result<Vec<String>, Error> {
    let listed = guilds.unwrap_or_default().split(',').map(str::trim).filter(|guild| !guild.is_empty());
    listed
        .map(|guild| {
            snowflake::is_one(guild).then(|| guild.to_owned()).ok_or_else(|| {
                Error::Permanent(format!(
                    "discord.guilds: {guild:?} is no id of a server: copy it in Discord (Developer Mode, right click on it)"
                ))
            })
        })
        .collect()
}

fn is_on(key: &str, value: Option<&str>) -> Result<bool, Error> {
    match value.map(str::trim) {
        None | Some("on") => Ok(true),
        Some("off") => Ok(false),
        Some(_) => Err(Error::Permanent(format!("discord.{key}: must be \"on\" or \"off\""))),
    }
}

impl ChatPlatform for Discord {
    fn name(&self) -> &'static str {
        NAME
    }

    /// Discord takes five messages in five seconds and channel, and as many edits.
    fn pace(&self) -> Pace {
        Pace { channel: Duration::from_millis(1_050), edit: Duration::from_millis(1_500) }
    }

    async fn post(&self, place: &Place, card: &Card, key: &str) -> Result<MessageRef, Error> {
        self.inner.post(place, card, key).await
    }

    async fn find(&self, place: &Place, key: &str) -> Result<Option<MessageRef>, Error> {
        self.inner.find(place, key).await
    }

    async fn update(&self, at: &MessageRef, card: &Card) -> Result<(), Error> {
        self.inner.update(at, card).await
    }

    async fn say(&self, place: &Place, text: &Rich, key: &str) -> Result<MessageRef, Error> {
        self.inner.say(place, text, key).await
    }

    async fn whisper(&self, _: &Place, to: &Person, reply: Option<&str>, text: &Rich, key: &str) -> Result<(), Error> {
        self.inner.whisper(to, reply, text, key).await
    }

    /// Once it is known on which server the channel is.
    fn link(&self, at: &MessageRef) -> Option<String> {
        let MessageRef { place, id } = at;
        let channel = self.inner.places.get(&place.channel)?;
        let guild = channel.guild.unwrap_or_else(|| "@me".to_owned());
        let stands_in = place.thread.as_ref().unwrap_or(&place.channel);
        Some(format!("https://discord.com/channels/{guild}/{stands_in}/{id}"))
    }

    async fn person(&self, id: &str) -> Result<Person, Error> {
        self.inner.people.person(&self.inner.api, id).await
    }

    async fn trusts(&self, person: &Person) -> Result<bool, Error> {
        self.inner.people.trusts(&self.inner.api, person).await
    }

    async fn reaches(&self, place: &Place) -> Result<(), Error> {
        let id = place.thread.as_ref().unwrap_or(&place.channel);
        if self.inner.places.get(id).is_some_and(|channel| channel.is_direct) {
            return Ok(());
        }
        match self.inner.permissions.suffice(place) {
            Some(suffice) => suffice,
            // A thread that is not there yet is made in the channel.
            None => self.inner.places.ask(&self.inner.api, &place.channel).await.map(drop),
        }
    }

    async fn read(&self, at: &MessageRef) -> Result<Option<Said>, Error> {
        self.inner.read(at).await
    }

    async fn fetch(&self, file: &File, most: u64) -> Result<Vec<u8>, Error> {
        let hosts = |host: &str| FILE_HOSTS.contains(&host);
        self.inner.http.fetch(&file.url, &self.inner.api.address, &hosts, None, most).await
    }
}

#[cfg(test)]
mod tests;
