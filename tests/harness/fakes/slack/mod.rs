//! Slack, as far as a bot can tell: it keeps channels and messages, checks what it is sent as Slack does (token, scopes,
//! ids, Block Kit), answers errors as Slack does, and remembers every call. Where Slack only warns, it refuses: a message
//! with blocks needs a `text`, a reply needs the first message of its thread.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::Value;

use super::faults::{Fault, Faults};
use super::server::{Reply, Request, Server};
use crate::Failure;

mod calls;
mod limits;
mod methods;
mod shown;

pub use limits::{TOTAL, check as check_blocks};
use methods::{Channel, State};

/// The bot token that it accepts.
pub const TOKEN: &str = "xoxb-of-the-fake";
/// A channel that the bot is in.
pub const CHANNEL: &str = "C0INCIDENTS";

/// A message as it stands in a channel.
#[derive(Debug, Clone, PartialEq)]
pub struct SlackMessage {
    /// Its id.
    pub ts: String,
    /// The first message of its thread, when it is a reply.
    pub thread_ts: Option<String>,
    /// The user who wrote it.
    pub user: String,
    /// Fallback text.
    pub text: String,
    /// Blocks; an empty list when there are none.
    pub blocks: Value,
    /// Metadata; `null` when there is none.
    pub metadata: Value,
    /// How often it was edited.
    pub edits: usize,
}

impl SlackMessage {
    /// What a person sees, notification first, then the message: text as it reads, what calls somebody as
    /// `{calls …}`, a link as `{link address|text}`, a control as `{control label|command}`.
    #[must_use]
    pub fn shown(&self) -> String {
        shown::message(self)
    }
}

/// A call that was made.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    /// Method of the Web API, e.g. `chat.postMessage`.
    pub method: String,
    /// Its arguments.
    pub arguments: Value,
    /// `ok`, the error code, or what went wrong on the way: `429`, `500`, `cut before`, `cut after`.
    pub outcome: String,
}

/// A running fake. Stops when dropped.
#[derive(Debug)]
pub struct FakeSlack {
    server: Server,
    state: Arc<Mutex<State>>,
}

impl FakeSlack {
    /// Starts with one channel, [`CHANNEL`].
    ///
    /// # Errors
    /// When the machine has no free port.
    pub fn start() -> Result<Self, Failure> {
        let state = Arc::new(Mutex::new(State::default()));
        let shared = Arc::clone(&state);
        let server = Server::start(move |request: Request| -> Reply { lock(&shared).answer(&request) })?;
        let fake = Self { server, state };
        fake.add_channel(CHANNEL, "incidents");
        Ok(fake)
    }

    /// Base address of its Web API: the setting `SLACK_API_URL`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}/api", self.server.address())
    }

    /// The messages of a channel and its threads, in the order in which they came.
    #[must_use]
    pub fn messages(&self, channel: &str) -> Vec<SlackMessage> {
        self.state().channels.get(channel).map(|channel| channel.messages.clone()).unwrap_or_default()
    }

    /// One message.
    #[must_use]
    pub fn message(&self, channel: &str, ts: &str) -> Option<SlackMessage> {
        self.messages(channel).into_iter().find(|message| message.ts == ts)
    }

    /// The calls of a method, in the order in which they came.
    #[must_use]
    pub fn calls(&self, method: &str) -> Vec<Call> {
        self.state().calls.iter().filter(|call| call.method == method).cloned().collect()
    }

    /// From now on calls go wrong at random.
    pub fn fail(&self, faults: Faults, seed: u64) {
        self.state().dice.fail(faults, seed);
    }

    /// The next call of `method` goes wrong in this way.
    pub fn fail_next(&self, method: &str, fault: Fault) {
        self.state().dice.fail_next(method, fault);
    }

    /// Whether a second message within a second to one channel is answered with 429.
    pub fn enforce_pace(&self, enforced: bool) {
        self.state().pace = enforced;
    }

    /// One more channel that the bot is in.
    pub fn add_channel(&self, id: &str, name: &str) {
        self.state().channels.insert(id.to_owned(), Channel::new(name));
    }

    /// The bot is not in this channel any more.
    pub fn remove_bot(&self, channel: &str) {
        if let Some(channel) = self.state().channels.get_mut(channel) {
            channel.member = false;
        }
    }

    /// The scopes that the app has.
    pub fn set_scopes(&self, scopes: &[&str]) {
        self.state().scopes = scopes.iter().map(|scope| (*scope).to_owned()).collect();
    }

    /// The token does not work any more.
    pub fn revoke_token(&self) {
        self.state().revoked = true;
    }

    /// A person writes; `thread` is the first message of the thread. Returns the id.
    #[must_use]
    pub fn write(&self, channel: &str, thread: Option<&str>, user: &str, text: &str) -> String {
        let message = SlackMessage {
            ts: String::new(),
            thread_ts: thread.map(str::to_owned),
            user: user.to_owned(),
            text: text.to_owned(),
            blocks: Value::Array(Vec::new()),
            metadata: Value::Null,
            edits: 0,
        };
        self.state().keep(channel, message)
    }

    /// A person deletes a message.
    pub fn delete(&self, channel: &str, ts: &str) {
        if let Some(channel) = self.state().channels.get_mut(channel) {
            channel.messages.retain(|message| message.ts != ts);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
