//! Slack, as far as a bot can tell: it keeps channels, messages, files and views, checks what it is sent as Slack does
//! (tokens, scopes, ids, Block Kit), answers errors as Slack does, and remembers every call. What people do in it reaches
//! the bot over Socket Mode, or by signed posts when a story asks for them, and goes wrong on the way as it does there.
//! Where Slack only warns, it refuses: a message with blocks needs a `text`, a reply needs the first message of its
//! thread.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::faults::{Fault, Faults};
use super::server::{Request, Server};
use crate::Failure;

mod calls;
mod controls;
mod envelopes;
mod events;
mod files;
mod interactions;
mod limits;
mod message;
mod methods;
mod modals;
mod people;
mod reading;
mod refusal;
mod responses;
mod rich_text;
mod schemas;
mod shown;
mod signed;
mod sockets;
mod state;
mod views;

pub use envelopes::Delivered;
pub use limits::{TOTAL, check as check_blocks};
pub use message::SlackMessage;
pub use shown::view as shown_view;
pub use signed::{CHALLENGE, sign};
use state::{Channel, Kind, State};
pub use views::check as check_view;

/// The bot token that it accepts.
pub const TOKEN: &str = "xoxb-of-the-fake";
/// The token of the app that it accepts, for Socket Mode.
pub const APP_TOKEN: &str = "xapp-1-of-the-fake";
/// With this it signs what it posts.
pub const SIGNING_SECRET: &str = "8f742231b10e8888abcd99c1e0c1e0c1";
/// User id of the bot.
pub const BOT_USER: &str = "U0CLEWBOT";
/// Id of the bot.
pub const BOT_ID: &str = "B0CLEWBOT";
/// Id of the app.
pub const APP_ID: &str = "A0CLEW";
/// Id of the workspace.
pub const TEAM: &str = "T0TEAM";
/// The slash command of the app.
pub const COMMAND: &str = "/triage";
/// A channel that the bot is in.
pub const CHANNEL: &str = "C0INCIDENTS";

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

/// What the server, the postman and the story share.
#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes something, which may concern whoever waits.
    fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let changed = change(&mut self.lock());
        self.changed.notify_all();
        changed
    }

    fn wait<'a>(&self, state: MutexGuard<'a, State>, most: Duration) -> MutexGuard<'a, State> {
        self.changed.wait_timeout(state, most).unwrap_or_else(PoisonError::into_inner).0
    }
}

/// A running fake. Stops when dropped.
#[derive(Debug)]
pub struct FakeSlack {
    server: Server,
    shared: Arc<Shared>,
    postman: Option<JoinHandle<()>>,
}

impl FakeSlack {
    /// Starts with one channel, [`CHANNEL`].
    ///
    /// # Errors
    /// When the machine has no free port.
    pub fn start() -> Result<Self, Failure> {
        let shared = Arc::new(Shared::default());
        let (answering, linking) = (Arc::clone(&shared), Arc::clone(&shared));
        let server = Server::start_with_sockets(
            move |request: Request| answering.change(|state| state.answer(&request)),
            move |_, socket| Box::pin(sockets::serve(Arc::clone(&linking), socket)),
        )?;
        shared.lock().address = server.address().to_string();
        let delivering = Arc::clone(&shared);
        let postman = Some(std::thread::spawn(move || delivering.deliver_all()));
        let fake = Self { server, shared, postman };
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
        self.state().channels.get(channel).and_then(|channel| channel.message(ts).cloned())
    }

    /// What the bot showed to this person alone in a channel, in the order in which it came.
    #[must_use]
    pub fn ephemerals(&self, channel: &str, user: &str) -> Vec<SlackMessage> {
        let state = self.state();
        state.channels.get(channel).and_then(|channel| channel.ephemerals.get(user)).cloned().unwrap_or_default()
    }

    /// When the bot posted to a channel.
    #[must_use]
    pub fn posted_at(&self, channel: &str) -> Vec<Instant> {
        self.state().channels.get(channel).map(|channel| channel.posted.clone()).unwrap_or_default()
    }

    /// The calls of a method, in the order in which they came. Downloads are calls of `files.download`, what is posted to
    /// response addresses calls of `response_url`.
    #[must_use]
    pub fn calls(&self, method: &str) -> Vec<Call> {
        self.state().calls.iter().filter(|call| call.method == method).cloned().collect()
    }

    /// What was delivered to the bot, or is to be, in the order in which it happened.
    #[must_use]
    pub fn deliveries(&self) -> Vec<Delivered> {
        self.state().mail.records()
    }

    /// How many events wait for the bot to acknowledge them.
    #[must_use]
    pub fn unacknowledged(&self) -> usize {
        self.state().mail.waiting()
    }

    /// From now on calls go wrong at random.
    pub fn fail(&self, faults: Faults, seed: u64) {
        self.state().dice.fail(faults, seed);
    }

    /// The next call of `method` goes wrong in this way; see [`FakeSlack::calls`] for what counts as a method.
    pub fn fail_next(&self, method: &str, fault: Fault) {
        self.state().dice.fail_next(method, fault);
    }

    /// Whether a second message within a second to one channel is answered with 429.
    pub fn enforce_pace(&self, enforced: bool) {
        self.state().pace = enforced;
    }

    /// Whether everything is delivered twice, the second time over another socket if there is one.
    pub fn deliver_twice(&self, twice: bool) {
        self.state().mail.twice = twice;
    }

    /// How long it waits for an acknowledgement instead of three seconds.
    pub fn wait_for_acks(&self, patience: Duration) {
        self.state().mail.patience = patience;
    }

    /// Triggers and response addresses that were handed out are this much older than they are.
    pub fn let_time_pass(&self, time: Duration) {
        self.state().aged += time;
    }

    /// One more channel that the bot is in.
    pub fn add_channel(&self, id: &str, name: &str) {
        self.state().channels.insert(id.to_owned(), Channel::new(name, Kind::Public));
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

    /// A person writes, and the bot does not hear of it; `thread` is the first message of the thread. Returns the id.
    #[must_use]
    pub fn write(&self, channel: &str, thread: Option<&str>, user: &str, text: &str) -> String {
        self.state().keep(channel, SlackMessage { text: text.to_owned(), ..people::by(user, thread) })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.shared.lock()
    }

    fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        self.shared.change(change)
    }
}

impl Drop for FakeSlack {
    fn drop(&mut self) {
        self.change(|state| state.stopped = true);
        if let Some(postman) = self.postman.take() {
            drop(postman.join());
        }
    }
}

#[cfg(test)]
mod tests;
