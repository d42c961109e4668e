//! What the gateway brings: events are handed on, and count as heard once what they bring is kept.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use serde_json::Value;

use super::super::envelope::{self, NAME};
use super::super::people::Identity;
use super::super::progress::Session;
use super::super::{catch_up, snowflake};
use super::{Gateway, socket_address};
use crate::chat::Listener;

/// What a frame means for the connection.
pub(super) enum Frame {
    /// It is open for events.
    Open,
    /// It is going to be closed.
    Closing,
    /// Nothing.
    Other,
}

impl<L: Listener> Gateway<L> {
    /// Takes a frame.
    pub(super) async fn take(&mut self, text: &str) -> Frame {
        let Ok(mut frame) = serde_json::from_str::<Value>(text) else { return Frame::Other };
        match frame["op"].as_u64() {
            Some(0) => {}
            // It asks to reconnect.
            Some(7) => return Frame::Closing,
            // The session cannot be resumed, or only later.
            Some(9) => {
                if frame["d"] != true {
                    self.progress.end_session();
                }
                return Frame::Closing;
            }
            _ => return Frame::Other,
        }
        let sequence = frame["s"].as_u64().unwrap_or(0);
        let kind = frame["t"].take();
        let data = frame["d"].take();
        match kind.as_str().unwrap_or_default() {
            "READY" => {
                self.ready(&data, sequence);
                return Frame::Open;
            }
            "RESUMED" => {
                tracing::info!("the session at Discord was resumed: nothing is missing");
                self.settle_in();
                self.pass(sequence);
                return Frame::Open;
            }
            kind => self.dispatch(kind, data, sequence).await,
        }
        Frame::Other
    }

    /// A new session is open.
    fn ready(&mut self, data: &Value, sequence: u64) {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let identity = Identity {
            application: text(&data["application"]["id"]),
            user: text(&data["user"]["id"]),
            name: text(&data["user"]["username"]),
            roles: Vec::new(),
        };
        tracing::info!(bot = identity.name, content = self.with_content, "connected to Discord");
        self.ear.discord.people.introduce(identity.clone());
        let url = socket_address(data["resume_gateway_url"].as_str().unwrap_or_default()).unwrap_or_default();
        let intents = self.intents().bits();
        let session = Session { id: text(&data["session_id"]), url, sequence, bot: identity, intents };
        let guilds = data["guilds"].as_array().into_iter().flatten().map(|guild| text(&guild["id"]));
        self.progress.begin_session(session, guilds.collect());
        self.settle_in();
    }

    /// Does besides what is needed once.
    fn settle_in(&self) {
        if self.ear.discord.is_settled.swap(true, Ordering::Relaxed) {
            return;
        }
        let ear = self.ear.clone();
        self.ear.discord.tasks.spawn(async move {
            let heard = ear.listener.channels(NAME);
            ear.stop.run_until_cancelled(ear.discord.settle_in(&heard)).await;
        });
    }

    /// Hands an event on; what it brings is kept aside.
    async fn dispatch(&mut self, kind: &str, data: Value, sequence: u64) {
        let discord = Arc::clone(&self.ear.discord);
        let ear = self.ear.clone();
        let guild = data["guild_id"].as_str();
        match kind {
            "GUILD_CREATE" => return self.guild(&data, sequence).await,
            "GUILD_DELETE" if data["unavailable"] != true => {
                discord.people.forget_guild(data["id"].as_str().unwrap_or_default());
            }
            "GUILD_ROLE_CREATE" | "GUILD_ROLE_UPDATE" => discord.people.learn_role(guild, &data["role"]),
            "GUILD_ROLE_DELETE" => discord.people.forget_role(guild, data["role_id"].as_str()),
            "CHANNEL_CREATE" | "CHANNEL_UPDATE" | "THREAD_CREATE" | "THREAD_UPDATE" => {
                discord.places.learn(&data, guild);
            }
            "CHANNEL_DELETE" | "THREAD_DELETE" => discord.places.forget(data["id"].as_str().unwrap_or_default()),
            "MESSAGE_CREATE" => {
                let id = data["id"].as_str().and_then(snowflake::number);
                let work = async move { ear.discord.take_message(&data, &*ear.listener, &ear.stop).await };
                return self.begin_in_order(sequence, id, work).await;
            }
            "MESSAGE_UPDATE" if envelope::is_change_of_a_post(&data) => {
                let work = async move { ear.discord.take_message(&data, &*ear.listener, &ear.stop).await };
                return self.begin_in_order(sequence, None, work).await;
            }
            "INTERACTION_CREATE" => {
                // Whoever pressed something waits for three seconds, and not for what was said before.
                let ticket = self.progress.begin(sequence);
                let progress = Arc::clone(&self.progress);
                discord.tasks.spawn(async move {
                    ear.discord.take_and_answer(&data, &*ear.listener).await;
                    progress.done(ticket);
                });
                return;
            }
            _ => {}
        }
        self.pass(sequence);
    }

    /// A server is told of: its channels are learned, and what was said there while nobody heard is looked for.
    async fn guild(&mut self, guild: &Value, sequence: u64) {
        let discord = &self.ear.discord;
        let id = guild["id"].as_str().unwrap_or_default().to_owned();
        discord.people.learn_guild(guild);
        for channel in ["channels", "threads"].iter().flat_map(|key| guild[*key].as_array().into_iter().flatten()) {
            discord.places.learn(channel, Some(&id));
        }
        let since = self.progress.since();
        let missed = catch_up::missed(guild, &self.ear.listener.channels(NAME), since);
        let newest = catch_up::newest(guild);
        let (ear, progress) = (self.ear.clone(), Arc::clone(&self.progress));
        let work = async move {
            let search = catch_up::run(&ear, &id, missed, since);
            if ear.stop.run_until_cancelled(search).await.is_some() {
                progress.told(&id);
            }
        };
        self.begin_in_order(sequence, Some(newest), work).await;
    }

    /// An event of which nothing must be kept.
    fn pass(&self, sequence: u64) {
        self.progress.done(self.progress.begin(sequence));
    }

    /// An event counts as heard once `work` is done, which waits for what came before. `newest` is the message that it brings.
    async fn begin_in_order(
        &self,
        sequence: u64,
        newest: Option<u64>,
        work: impl Future<Output = ()> + Send + 'static,
    ) {
        let ticket = self.progress.begin(sequence);
        if let Some(newest) = newest {
            self.progress.message(newest);
        }
        let (progress, stop) = (Arc::clone(&self.progress), self.ear.stop.clone());
        let work = async move {
            work.await;
            // What was given up because the bot stops is not kept.
            if !stop.is_cancelled() {
                progress.done(ticket);
            }
        };
        // The other end lives as long as this one.
        drop(self.messages.send(Box::pin(work)).await);
    }
}
