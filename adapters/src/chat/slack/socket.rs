//! Socket Mode: several web sockets at once, each replaced before it goes.
//!
//! Opening, pinging, reading and writing is slack-morphism's. When a socket is replaced is decided here, because its own
//! manager closes a socket before it opens the next one, and waits for an answer to its opening as long as the system lets it
//! (docs/adr/0010). What arrives is taken as it is, not as slack-morphism's types: a block that they do not know would cost
//! the whole event.

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use serde_json::{Value, json};
use slack_morphism::SlackSocketModeClientListener;
use slack_morphism::SlackSocketModeWssClientId;
use slack_morphism::clients_manager::{SlackSocketModeClientsManager, SlackSocketModeClientsManagerFactory};
use slack_morphism::prelude::*;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::envelope::Kind;
use super::{Inner, api};
use crate::Error;
use crate::chat::Listener;

/// Seconds between two pings, and how many may stay without an answer: a socket that died in silence is noticed after four
/// to five seconds.
const PING_SECONDS: u64 = 1;
const PINGS: u64 = 3;
/// How long a socket may take to say hello, and seconds between two tries to open it, by the number of times that it did not.
const PATIENCE: [(u64, u64); 4] = [(20, 1), (30, 2), (60, 10), (60, 30)];
/// How long a socket that is being replaced may still bring something.
const FAREWELL: Duration = Duration::from_secs(30);
/// A socket that is lost sooner was hardly open.
const SHORT_LIFE: Duration = Duration::from_secs(5);
/// Times that Slack may ask us to wait before one try is given up.
const LIMITS: usize = 3;

/// What is told about a socket.
enum Signal {
    /// It is open.
    Hello,
    /// Slack is going to close it.
    Closing(String),
    /// It is dead.
    Dead,
}

/// One web socket.
struct Socket {
    manager: Arc<dyn SlackSocketModeClientsManager + Send + Sync>,
    signals: mpsc::UnboundedReceiver<Signal>,
}

/// What hears on a socket.
struct Ear<L> {
    slack: Arc<Inner>,
    listener: Arc<L>,
    signals: mpsc::UnboundedSender<Signal>,
}

/// Keeps one socket open until `stop`.
pub async fn keep_open<L: Listener>(slack: Arc<Inner>, listener: Arc<L>, number: u32, stop: CancellationToken) {
    let (mut failures, mut short_lives) = (0_usize, 0_u32);
    let mut current: Option<Socket> = None;
    while !stop.is_cancelled() {
        let next = stop.run_until_cancelled(open(&slack, &listener, failures)).await;
        if let Some(old) = current.take() {
            slack.tasks.spawn(old.say_farewell());
        }
        match next {
            None => return,
            Some(None) => {
                if failures == 0 {
                    explain(&slack).await;
                }
                failures = (failures + 1).min(PATIENCE.len() - 1);
            }
            Some(Some(mut socket)) => {
                tracing::info!(socket = number, "connected to Slack");
                failures = 0;
                let since = Instant::now();
                match stop.run_until_cancelled(socket.until_it_goes()).await {
                    None => return socket.manager.shutdown().await,
                    Some(Signal::Closing(reason)) => {
                        tracing::debug!(
                            socket = number,
                            reason,
                            "Slack is going to close a socket; another one is opened"
                        );
                        if reason == "link_disabled" {
                            tracing::error!("Socket Mode was switched off for this Slack app: switch it on again");
                            failures = PATIENCE.len() - 1;
                        }
                        current = Some(socket);
                        short_lives = if since.elapsed() < SHORT_LIFE { short_lives + 1 } else { 0 };
                        let mut wait = pause(short_lives);
                        if reason == "too_many_websockets" {
                            tracing::error!(
                                "this Slack app has too many connections: other Clews, or a slack.sockets too large?"
                            );
                            wait = FAREWELL;
                        }
                        stop.run_until_cancelled(tokio::time::sleep(wait)).await;
                    }
                    Some(Signal::Dead | Signal::Hello) => {
                        tracing::warn!(socket = number, "a connection to Slack was lost; another one is opened");
                        socket.manager.shutdown().await;
                        short_lives = if since.elapsed() < SHORT_LIFE { short_lives + 1 } else { 0 };
                        stop.run_until_cancelled(tokio::time::sleep(pause(short_lives))).await;
                    }
                }
            }
        }
    }
}

/// How long to wait before another try: one that is lost at once shall not be opened again and again as fast as the machine
/// can.
fn pause(short_lives: u32) -> Duration {
    (Duration::from_millis(250) * short_lives).min(SHORT_LIFE * 6)
}

/// Opens a socket. Nothing when it does not say hello in time.
async fn open<L: Listener>(slack: &Arc<Inner>, listener: &Arc<L>, failures: usize) -> Option<Socket> {
    let (patience, again) = PATIENCE[failures.min(PATIENCE.len() - 1)];
    let mut socket = match begin(slack, listener, again).await {
        Ok(socket) => socket,
        Err(error) => {
            tracing::error!(%error, "no connection to Slack can be made");
            tokio::time::sleep(Duration::from_secs(patience)).await;
            return None;
        }
    };
    let said = tokio::time::timeout(Duration::from_secs(patience), socket.signals.recv()).await;
    if let Ok(Some(Signal::Hello)) = said {
        return Some(socket);
    }
    socket.manager.shutdown().await;
    None
}

/// Has slack-morphism open a socket, over connections that no other has used.
async fn begin<L: Listener>(slack: &Arc<Inner>, listener: &Arc<L>, again: u64) -> Result<Socket, Error> {
    let Some(app) = &slack.app_token else { return Err(Error::Auth("SLACK_APP_TOKEN is not set".into())) };
    let token = api::token_of("SLACK_APP_TOKEN", "xapp-", app)?;
    let limits = SlackApiRateControlConfig::new().with_max_retries(LIMITS);
    let connector = api::connector(&slack.api.address)?.with_rate_control(limits);
    let client = Arc::new(SlackClient::new(connector.clone()));
    let environment = Arc::new(SlackClientEventsListenerEnvironment::new(client));
    let manager = connector.new_clients_manager(environment);
    let (told, signals) = mpsc::unbounded_channel();
    let ear = Ear { slack: Arc::clone(slack), listener: Arc::clone(listener), signals: told };
    let config = SlackClientSocketModeConfig::new()
        .with_max_connections_count(1)
        .with_initial_backoff_in_seconds(0)
        .with_reconnect_timeout_in_seconds(again)
        .with_ping_interval_in_seconds(PING_SECONDS)
        .with_ping_failure_threshold_times(PINGS);
    manager
        .register_new_token(&config, token, Arc::new(ear))
        .await
        .map_err(|_| Error::Permanent("slack-morphism does not take the token".into()))?;
    manager.start().await;
    Ok(Socket { manager, signals })
}

/// Says why no socket opens, as far as Slack says it.
async fn explain(slack: &Inner) {
    if let Some(error) = slack.why_no_socket().await {
        tracing::error!(%error, "no connection to Slack; it is tried again");
    } else {
        tracing::warn!("Slack opens no socket in time; it is tried again");
    }
}

impl Socket {
    /// Waits until this socket goes or is going to.
    async fn until_it_goes(&mut self) -> Signal {
        loop {
            match self.signals.recv().await {
                Some(Signal::Hello) => {}
                Some(signal) => return signal,
                None => return Signal::Dead,
            }
        }
    }

    /// Waits until Slack closes the socket: until then it may bring something.
    async fn say_farewell(mut self) {
        drop(tokio::time::timeout(FAREWELL, self.until_it_goes()).await);
        self.manager.shutdown().await;
    }
}

impl<L> Ear<L> {
    fn tell(&self, signal: Signal) {
        // Nobody listens to a socket that was given up.
        drop(self.signals.send(signal));
    }
}

#[async_trait]
impl<L: Listener> SlackSocketModeClientListener for Ear<L> {
    /// What this returns is sent back: the acknowledgement, once what came is kept.
    async fn on_message(&self, _: &SlackSocketModeWssClientId, body: String) -> Option<String> {
        let Ok(mut envelope) = serde_json::from_str::<Value>(&body) else {
            tracing::warn!("something that is no JSON came from Slack");
            return None;
        };
        let kind = match envelope["type"].as_str()? {
            "hello" => {
                self.tell(Signal::Hello);
                return None;
            }
            "disconnect" => {
                self.tell(Signal::Closing(envelope["reason"].as_str().unwrap_or_default().to_owned()));
                return None;
            }
            "events_api" => Kind::Event,
            "slash_commands" => Kind::Command,
            "interactive" => Kind::Interaction,
            // What is not known is not delivered again.
            _ => return Some(json!({"envelope_id": envelope["envelope_id"].as_str()?}).to_string()),
        };
        let id = envelope["envelope_id"].as_str()?.to_owned();
        match self.slack.take(kind, envelope["payload"].take(), self.listener.as_ref()).await {
            Ok(then) => {
                if let Some(then) = then {
                    let (slack, listener) = (Arc::clone(&self.slack), Arc::clone(&self.listener));
                    self.slack.tasks.spawn(async move { slack.follow(then, listener.as_ref()).await });
                }
                Some(json!({"envelope_id": id}).to_string())
            }
            Err(error) => {
                tracing::error!(%error, "something from Slack could not be kept; Slack delivers it again");
                None
            }
        }
    }

    async fn on_error(&self, _: Box<dyn std::error::Error + Send + Sync>) {
        // What follows from it comes as a disconnect. Its text holds the address of the socket, which is a secret.
    }

    async fn on_disconnect(&self, _: &SlackSocketModeWssClientId) {
        self.tell(Signal::Dead);
    }
}
