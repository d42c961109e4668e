//! The gateway: one web socket, resumed where it was cut, after a crash as well. What it brings is handed on in [`events`].
//!
//! Heartbeats, resuming and the limits of the gateway are twilight's; when a connection is given up, and from which event it
//! is resumed, is decided here. serenity's gateway forgets its session when a connection dies in silence, so that what was
//! said meanwhile is lost, and it writes what it cannot read to the log (docs/adr/0012).

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::StreamExt as _;
use futures_util::future::BoxFuture;
use secrecy::ExposeSecret;
use tokio::sync::mpsc;
use twilight_gateway::error::ReceiveMessageErrorType;
use twilight_gateway::queue::InMemoryQueue;
use twilight_gateway::{ConfigBuilder, Intents, Message, Shard, ShardId};

use super::envelope::NAME;
use super::progress::{Kept, Progress, Session};
use super::take::Ear;
use crate::Error;
use crate::chat::{Listener, address};

mod events;

use events::Frame;

/// How long a connection may take to be open for events. Identifying may wait five seconds for its turn.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long Discord may take to close a connection that it asked to be closed.
const FAREWELL: Duration = Duration::from_secs(5);
/// Time between two notes of how far was heard.
const NOTE_EVERY: Duration = Duration::from_secs(1);
/// Pauses before a connection is tried again, by how often it failed.
const PAUSES: [u64; 7] = [0, 1, 2, 5, 10, 30, 60];
/// A pause when only a person can help: a wrong token, a wrong setting. Discord bans who asks too often.
const LONG_PAUSE: Duration = Duration::from_mins(5);
/// Messages that may wait to be kept. When there are more, nothing further is read, and Discord tells it again later.
const WAITING: usize = 10_000;
/// A connection that is lost sooner was hardly open.
const SHORT_LIFE: Duration = Duration::from_secs(5);

/// Close codes. <https://discord.com/developers/docs/topics/opcodes-and-status-codes#gateway-gateway-close-event-codes>
const WRONG_TOKEN: u16 = 4_004;
const FORBIDDEN_INTENTS: u16 = 4_014;
/// After these the session is over.
const SESSION_IS_OVER: [u16; 4] = [4_003, 4_006, 4_007, 4_009];

/// How a connection ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// The bot stops.
    Stopped,
    /// It was cut or closed: with this code, if it was said.
    Lost(Option<u16>),
    /// It never opened.
    NotOpened,
}

/// What is to be done with a message, and with those that came before it.
type Work = BoxFuture<'static, ()>;

/// A gateway that is asked for.
struct Gateway<L> {
    ear: Ear<L>,
    progress: Arc<Progress>,
    /// Messages, which are kept in the order in which they were said.
    messages: mpsc::Sender<Work>,
    /// Spares Discord from being asked too often.
    queue: InMemoryQueue,
    /// Whether the content of messages is asked for.
    with_content: bool,
}

/// Keeps a connection open until `ear.stop`.
pub async fn keep_open<L: Listener>(ear: Ear<L>) {
    let kept: Kept = ear.listener.noted(NAME).and_then(|note| serde_json::from_str(&note).ok()).unwrap_or_default();
    let with_content = ear.discord.with_content;
    let progress = Arc::new(Progress::new(kept));
    let stop = ear.stop.clone();
    let (messages, mut waiting) = mpsc::channel::<Work>(WAITING);
    ear.discord.tasks.spawn(async move {
        while let Some(work) = waiting.recv().await {
            work.await;
        }
    });
    let mut gateway = Gateway { ear, progress, messages, queue: InMemoryQueue::default(), with_content };
    let mut failures = 0;
    while !stop.is_cancelled() {
        let since = Instant::now();
        let end = gateway.connect().await;
        // At the end nothing else waits.
        if let Some(note) = gateway.note() {
            gateway.ear.listener.note(NAME, &note);
        }
        let pause = gateway.after(end, since, &mut failures);
        if stop.run_until_cancelled(tokio::time::sleep(pause)).await.is_none() {
            return;
        }
    }
}

impl<L: Listener> Gateway<L> {
    /// Opens a connection, and hears until it ends.
    async fn connect(&mut self) -> End {
        let stop = self.ear.stop.clone();
        let session = self.resumable();
        let url = match session.as_ref().map(|session| session.url.clone()).filter(|url| !url.is_empty()) {
            Some(url) => url,
            None => match stop.run_until_cancelled(self.url()).await {
                None => return End::Stopped,
                Some(Ok(url)) => url,
                Some(Err(error)) => {
                    tracing::error!(%error, "Discord does not say where its gateway is; it is asked again");
                    return End::NotOpened;
                }
            },
        };
        let token = self.ear.discord.token.expose_secret().to_owned();
        let mut config = ConfigBuilder::new(token, self.intents()).proxy_url(url).queue(self.queue.clone());
        if let Some(session) = session {
            config = config.session(twilight_gateway::Session::new(session.sequence, session.id));
        }
        let mut shard = Shard::with_config(ShardId::ONE, config.build());
        let end = self.hear(&mut shard).await;
        if end == End::Stopped {
            // Not an end of the session: the next start resumes it.
            shard.close(twilight_gateway::CloseFrame::RESUME);
            let closing = async { while let Some(Ok(Message::Text(_))) = shard.next().await {} };
            drop(tokio::time::timeout(FAREWELL / 5, closing).await);
        }
        end
    }

    /// The session that is resumed, if there is one that was opened for the same.
    fn resumable(&self) -> Option<Session> {
        let session = self.progress.resumable()?;
        if session.intents != self.intents().bits() {
            self.progress.end_session();
            return None;
        }
        self.ear.discord.people.introduce(session.bot.clone());
        Some(session)
    }

    fn intents(&self) -> Intents {
        let intents = Intents::GUILDS | Intents::GUILD_MESSAGES | Intents::DIRECT_MESSAGES;
        if self.with_content { intents | Intents::MESSAGE_CONTENT } else { intents }
    }

    /// Where a new session is opened. What Discord says of its limits is kept to.
    async fn url(&mut self) -> Result<String, Error> {
        let api = &self.ear.discord.api;
        let told = match api.get("gateway/bot").await.map_err(Error::from) {
            // Some proxies know only the address that needs no token.
            Err(Error::Gone(_)) => api.get("gateway").await?,
            told => told?,
        };
        let url = socket_address(told["url"].as_str().unwrap_or_default())?;
        let limit = &told["session_start_limit"];
        let number = |key: &str| limit[key].as_u64().and_then(|number| u32::try_from(number).ok());
        if let (Some(total), Some(remaining), Some(reset)) =
            (number("total"), number("remaining"), limit["reset_after"].as_u64())
            && remaining < total / 10
        {
            tracing::warn!(remaining, "few new sessions are left at Discord's gateway");
            let concurrency = number("max_concurrency").and_then(|n| u16::try_from(n).ok()).unwrap_or(1).max(1);
            self.queue = InMemoryQueue::new(concurrency, remaining, Duration::from_millis(reset), total.max(1));
        }
        Ok(url)
    }

    /// Hears until the connection ends.
    async fn hear(&mut self, shard: &mut Shard<InMemoryQueue>) -> End {
        let mut notes = tokio::time::interval(NOTE_EVERY);
        let mut is_open = false;
        let deadline = tokio::time::sleep(PATIENCE);
        tokio::pin!(deadline);
        loop {
            let next = tokio::select! {
                biased;
                () = self.ear.stop.cancelled() => return End::Stopped,
                _ = notes.tick() => { self.note_aside(); continue }
                () = &mut deadline, if !is_open => return End::NotOpened,
                next = shard.next() => next,
            };
            match next {
                Some(Ok(Message::Text(text))) => match self.take(&text).await {
                    Frame::Open => is_open = true,
                    Frame::Closing => {
                        is_open = false;
                        deadline.as_mut().reset(tokio::time::Instant::now() + FAREWELL);
                    }
                    Frame::Other => {}
                },
                Some(Ok(Message::Close(frame))) => return End::Lost(frame.map(|frame| frame.code)),
                Some(Err(error)) if matches!(error.kind(), ReceiveMessageErrorType::Reconnect) => {
                    return End::NotOpened;
                }
                // Its text holds what came, which is nobody's business.
                Some(Err(_)) => tracing::warn!("something came from Discord's gateway that cannot be read"),
                None => return End::Lost(None),
            }
        }
    }

    /// How far was heard, if that must be kept.
    fn note(&self) -> Option<String> {
        serde_json::to_string(&self.progress.changed()?).ok()
    }

    /// Keeps how far was heard, and lets nobody wait for the disk.
    fn note_aside(&self) {
        if let Some(note) = self.note() {
            let listener = Arc::clone(&self.ear.listener);
            self.ear.discord.tasks.spawn_blocking(move || listener.note(NAME, &note));
        }
    }

    /// What follows from the end of a connection: the pause before the next one.
    fn after(&mut self, end: End, since: Instant, failures: &mut usize) -> Duration {
        let was_short = since.elapsed() < SHORT_LIFE;
        *failures = if end == End::NotOpened || was_short { (*failures + 1).min(PAUSES.len() - 1) } else { 0 };
        match end {
            End::Stopped => return Duration::ZERO,
            End::NotOpened => {
                tracing::warn!("no connection to Discord's gateway; it is tried again");
                // It may be only the address of the session that does not answer.
                self.progress.forget_url();
            }
            End::Lost(Some(FORBIDDEN_INTENTS)) if self.with_content => {
                tracing::warn!(
                    "Discord does not let this bot read what people write: switch on Message Content Intent in the Developer \
                     Portal (Bot → Privileged Gateway Intents), or set discord.message_content = \"off\". Until then, logs and \
                     posts of alert bots are answered only when somebody asks"
                );
                self.with_content = false;
                self.progress.end_session();
                *failures = 0;
            }
            End::Lost(Some(WRONG_TOKEN)) => {
                tracing::error!(
                    "Discord does not accept DISCORD_TOKEN: take the bot's token from the Developer Portal"
                );
                self.progress.end_session();
                return LONG_PAUSE;
            }
            End::Lost(Some(code @ 4_010..=4_014)) => {
                tracing::error!(code, "Discord's gateway does not take this bot as it is set up");
                self.progress.end_session();
                return LONG_PAUSE;
            }
            End::Lost(code) => {
                if code.is_some_and(|code| SESSION_IS_OVER.contains(&code)) {
                    self.progress.end_session();
                }
                tracing::info!(code, "the connection to Discord ended; it is opened again");
            }
        }
        Duration::from_secs(PAUSES[*failures])
    }
}

/// The address of a web socket as twilight takes it: without a slash at its end. Plain `ws` goes to this machine only.
fn socket_address(url: &str) -> Result<String, Error> {
    let as_http = url.replacen("ws", "http", 1);
    let address = address::base("the address of Discord's gateway", &as_http)?;
    Ok(address.replacen("http", "ws", 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_of_a_gateway_is_taken_as_it_must_be() {
        assert_eq!(socket_address("wss://gateway.discord.gg/").as_deref(), Ok("wss://gateway.discord.gg"));
        assert_eq!(socket_address("ws://127.0.0.1:4000/resume-1").as_deref(), Ok("ws://127.0.0.1:4000/resume-1"));
        for bad in ["ws://gateway.discord.gg", "", "gateway.discord.gg", "wss://a:b@c"] {
            assert!(socket_address(bad).is_err(), "{bad}");
        }
    }
}
