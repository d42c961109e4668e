//! Discord, as far as a bot can tell: it keeps channels, threads, messages, files, commands and interactions, speaks
//! the gateway and the REST API, checks what it is sent as Discord does (tokens, permissions, limits, its own `OpenAPI`
//! description), answers errors as Discord does, and remembers every call. What people do in it reaches the bot over
//! the gateway, interactions also by signed posts when a story asks for them, and goes wrong on the way as it does
//! there.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::faults::{Fault, Faults};
use super::server::{Request, Server};
use crate::Failure;

mod buckets;
mod callbacks;
mod calls;
mod channel;
mod commands;
mod controls;
mod events;
mod files;
mod gateway;
mod interactions;
mod limits;
mod markdown;
mod mentions;
mod message;
mod messages;
mod modals;
mod people;
mod permissions;
mod refusal;
mod routes;
mod schemas;
mod shown;
mod signed;
mod sockets;
mod state;
mod threads;
mod writing;

use channel::{Channel, Kind};
pub use interactions::Interaction;
pub use limits::{check_message, check_modal};
pub use message::DiscordMessage;
pub use shown::form as shown_form;
pub use signed::sign;
use state::State;

/// The bot token that it accepts.
pub const TOKEN: &str = "bot-token-of-the-fake";
/// Id of the application.
pub const APP_ID: &str = "1000000000000000001";
/// User id of the bot; it is another one than that of the application, as it is for old applications.
pub const BOT_USER: &str = "1000000000000000002";
/// The role that the bot got when it was invited.
pub const BOT_ROLE: &str = "1000000000000000003";
/// Id of the server.
pub const GUILD: &str = "1000000000000000010";
/// A text channel, `incidents`, where the bot may do everything.
pub const CHANNEL: &str = "1000000000000000011";
/// A person, Ada, who owns the server.
pub const ADA: &str = "1000000000000000021";
/// Another person, Bob.
pub const BOB: &str = "1000000000000000022";

/// A call that was made.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    /// Method and path with `{}` for ids, e.g. `POST channels/{}/messages`; empty when there is no such route.
    pub route: String,
    /// The path as it came, e.g. `channels/1/messages`.
    pub path: String,
    /// The body; `null` when there was none.
    pub body: Value,
    /// `ok`, the code or status of the refusal, or what went wrong on the way: `cut before`, `cut after`.
    pub outcome: String,
    /// When it came.
    pub at: Instant,
}

/// What the server, its sockets and the story share.
#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        change(&mut self.lock())
    }
}

/// A running fake. Stops when dropped.
#[derive(Debug)]
pub struct FakeDiscord {
    server: Server,
    shared: Arc<Shared>,
}

impl FakeDiscord {
    /// Starts with one server, in it [`CHANNEL`], [`ADA`], [`BOB`] and the bot.
    ///
    /// # Errors
    /// When the machine has no free port.
    pub fn start() -> Result<Self, Failure> {
        let shared = Arc::new(Shared::default());
        let (answering, linking) = (Arc::clone(&shared), Arc::clone(&shared));
        let server = Server::start_with_sockets(
            move |request: Request| answering.change(|state| state.answer(&request)),
            move |request, socket| Box::pin(sockets::serve(Arc::clone(&linking), request, socket)),
        )?;
        let fake = Self { server, shared };
        fake.change(|state| {
            state.address = fake.server.address().to_string();
            state.channels.insert(CHANNEL.to_owned(), Channel::new(CHANNEL, "incidents", Kind::Text));
        });
        fake.add_member(ADA, "Ada", &[]);
        fake.add_member(BOB, "Bob", &[]);
        Ok(fake)
    }

    /// Its address without a path: the setting `DISCORD_API_URL`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.server.address())
    }

    /// The messages of a channel that everybody sees, in the order in which they came; a thread is a channel with an id
    /// of its own.
    #[must_use]
    pub fn messages(&self, channel: &str) -> Vec<DiscordMessage> {
        let state = self.state();
        let held = state.channels.get(channel).map(|held| held.messages.as_slice()).unwrap_or_default();
        held.iter().filter(|kept| kept.is_public()).filter_map(|kept| state.read(channel, kept)).collect()
    }

    /// One message, whoever sees it.
    #[must_use]
    pub fn message(&self, channel: &str, id: &str) -> Option<DiscordMessage> {
        let state = self.state();
        state.channels.get(channel)?.message(id).and_then(|kept| state.read(channel, kept))
    }

    /// The thread below a message.
    #[must_use]
    pub fn thread_of(&self, message: &str) -> Option<String> {
        self.state().channels.get(message).filter(|channel| channel.is_thread()).map(|thread| thread.id.clone())
    }

    /// Name of a channel or thread.
    #[must_use]
    pub fn channel_name(&self, channel: &str) -> Option<String> {
        self.state().channels.get(channel).map(|channel| channel.name.clone())
    }

    /// What the bot shows to this person alone, wherever, in the order in which it came and as it is now.
    #[must_use]
    pub fn ephemerals(&self, user: &str) -> Vec<DiscordMessage> {
        let state = self.state();
        let mut seen: Vec<DiscordMessage> = state
            .channels
            .values()
            .flat_map(|channel| channel.messages.iter().map(|kept| (channel.id.as_str(), kept)))
            .filter(|(_, kept)| kept.only_for.as_deref() == Some(user))
            .filter_map(|(channel, kept)| state.read(channel, kept))
            .collect();
        seen.sort_by_key(|message| message.id.parse::<u64>().unwrap_or(0));
        seen
    }

    /// The calls of a route, in the order in which they came; see [`Call::route`].
    #[must_use]
    pub fn calls(&self, route: &str) -> Vec<Call> {
        self.state().calls.iter().filter(|call| call.route == route).cloned().collect()
    }

    /// The commands that are registered, as Discord tells of them.
    #[must_use]
    pub fn commands(&self) -> Vec<Value> {
        self.state().commands.clone()
    }

    /// From now on calls go wrong at random.
    pub fn fail(&self, faults: Faults, seed: u64) {
        self.state().dice.fail(faults, seed);
    }

    /// The next call of `route` goes wrong in this way; see [`Call::route`]. A refusal is a code of Discord's.
    pub fn fail_next(&self, route: &str, fault: Fault) {
        self.state().dice.fail_next(route, fault);
    }

    /// Whether too many calls in too short a time are answered with 429.
    pub fn enforce_limits(&self, enforced: bool) {
        self.state().buckets.enforced = enforced;
    }

    /// It is this much later than it is: for tokens of interactions, what was written once only, sessions, limits and
    /// addresses of files.
    pub fn let_time_pass(&self, time: Duration) {
        self.change(|state| state.aged += time);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.shared.lock()
    }

    fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        self.shared.change(change)
    }
}

#[cfg(test)]
mod tests;
