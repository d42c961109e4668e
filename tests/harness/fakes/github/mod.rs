//! GitHub, as far as a bot can tell: a repository with issues, pull requests, commits, checks and files, which people work
//! on. It speaks the REST API, and the GraphQL that tells who changed a line; it checks tokens and what it is sent as GitHub
//! does, counts requests, knows what did not change, and remembers every call. What happens is told to a webhook when there
//! is one, and goes wrong on the way as it does there: what does not come is not sent again.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use super::faults::{Fault, Faults};
use super::server::{Request, Server};
use crate::Failure;

mod accounts;
mod acting;
mod blame;
mod calls;
mod changes;
mod checks;
mod comments;
mod commits;
mod contents;
mod events;
mod graphql;
mod hooks;
mod issue;
mod issues;
mod keywords;
mod labels;
mod pages;
mod post;
mod pulling;
mod pulls;
mod quota;
mod refusal;
mod routes;
mod state;

pub use calls::Call;
pub use events::Event;
pub use hooks::{Delivery, Fate};
pub use issue::{Comment, Issue, Pull, Review};
pub use post::sign;
pub use quota::Limits;
use state::State;

/// The token that it accepts.
pub const TOKEN: &str = "ghp_ofTheFake0123456789abcdefghijklmnop";
/// Login of the account that the token is of.
pub const BOT_LOGIN: &str = "clew-bot";
/// The organization that has the repository.
pub const OWNER: &str = "acme";
/// The repository.
pub const REPO: &str = "acme/shop";
/// Its default branch.
pub const DEFAULT_BRANCH: &str = "main";
/// With this it signs deliveries, once it is told to.
pub const WEBHOOK_SECRET: &str = "it's-a-secret-to-everybody";

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

    fn wait<'a>(&self, state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        self.changed.wait(state).unwrap_or_else(PoisonError::into_inner)
    }
}

/// A running fake. Stops when dropped.
#[derive(Debug)]
pub struct FakeGitHub {
    server: Server,
    shared: Arc<Shared>,
    postman: Option<JoinHandle<()>>,
}

impl FakeGitHub {
    /// Starts with an empty repository, [`REPO`], and nobody but the bot.
    ///
    /// # Errors
    /// When the machine has no free port.
    pub fn start() -> Result<Self, Failure> {
        let shared = Arc::new(Shared::default());
        let answering = Arc::clone(&shared);
        let server = Server::start(move |request: Request| answering.change(|state| state.answer(&request)))?;
        shared.change(|state| {
            state.address = server.address().to_string();
            state.base = format!("http://{}", state.address);
        });
        let delivering = Arc::clone(&shared);
        let postman = Some(std::thread::spawn(move || delivering.deliver_all()));
        Ok(Self { server, shared, postman })
    }

    /// Base address of its API: the setting `GITHUB_API_URL`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.server.address())
    }

    /// Base address of its API when it is an Enterprise server.
    #[must_use]
    pub fn enterprise_url(&self) -> String {
        format!("{}/api/v3", self.url())
    }

    /// What the bot is to have in its environment.
    #[must_use]
    pub fn environment(&self) -> Vec<(String, String)> {
        let settings =
            [("GITHUB_API_URL", self.url()), ("GITHUB_TOKEN", TOKEN.to_owned()), ("GITHUB_REPO", REPO.to_owned())];
        settings.map(|(name, value)| (name.to_owned(), value)).into()
    }

    /// As [`FakeGitHub::environment`], with the secret with which deliveries are signed from now on.
    #[must_use]
    pub fn signed_environment(&self) -> Vec<(String, String)> {
        self.change(|state| state.mail.secret = Some(WEBHOOK_SECRET.to_owned()));
        let mut environment = self.environment();
        environment.push(("GITHUB_WEBHOOK_SECRET".to_owned(), WEBHOOK_SECRET.to_owned()));
        environment
    }

    /// Calls that were made, in the order in which they came.
    #[must_use]
    pub fn calls(&self) -> Vec<Call> {
        self.state().calls.clone()
    }

    /// The calls of an endpoint: `POST issues`, `GET issues/{n}/comments`, `POST graphql`.
    #[must_use]
    pub fn calls_of(&self, endpoint: &str) -> Vec<Call> {
        self.state().calls.iter().filter(|call| call.endpoint == endpoint).cloned().collect()
    }

    /// What was written below an issue or a pull request, oldest first.
    #[must_use]
    pub fn comments(&self, number: u64) -> Vec<Comment> {
        self.state().issues.get(&number).map(|issue| issue.comments.clone()).unwrap_or_default()
    }

    /// How many requests counted so far. What did not change since it was asked for counts nothing.
    #[must_use]
    pub fn quota_used(&self) -> u64 {
        self.state().quota.total
    }

    /// Other limits than GitHub's, or shorter minutes and hours.
    pub fn set_limits(&self, limits: Limits) {
        self.change(|state| state.quota.limits = limits);
    }

    /// The requests of the hour are used up.
    pub fn exhaust_quota(&self) {
        self.change(|state| {
            let now = state.clock();
            state.quota.exhaust(now);
        });
    }

    /// It is this much later than it is.
    pub fn let_time_pass(&self, time: Duration) {
        self.change(|state| state.aged += time);
    }

    /// From now on calls go wrong at random.
    pub fn fail(&self, faults: Faults, seed: u64) {
        self.change(|state| state.dice.fail(faults, seed));
    }

    /// The next call of an endpoint goes wrong in this way; see [`FakeGitHub::calls_of`] for what they are called. An error
    /// of 500 is JSON, the others are pages of a proxy. [`Fault::Refused`] takes `primary`, `secondary`, or what is to be
    /// said with a 403.
    pub fn fail_next(&self, endpoint: &str, fault: Fault) {
        self.change(|state| state.dice.fail_next(endpoint, fault));
    }

    /// GraphQL answers with this status, 404 or 403, as it does for tokens and servers that have none.
    pub fn without_graphql(&self, status: u16) {
        self.change(|state| state.switches.graphql = Some(status));
    }

    /// The token works no more.
    pub fn revoke_token(&self) {
        self.change(|state| state.switches.revoked = true);
    }

    /// Whether the token may only read.
    pub fn allow_reading_only(&self, only: bool) {
        self.change(|state| state.switches.read_only = only);
    }

    /// Whether the token may not see the webhooks, as most may not.
    pub fn hide_hooks(&self, hidden: bool) {
        self.change(|state| state.switches.hooks_hidden = hidden);
    }

    /// Trees are cut after so many entries.
    pub fn cut_trees(&self, entries: usize) {
        self.change(|state| state.switches.largest_tree = Some(entries));
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.shared.lock()
    }

    fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        self.shared.change(change)
    }
}

impl Drop for FakeGitHub {
    fn drop(&mut self) {
        self.change(|state| state.stopped = true);
        if let Some(postman) = self.postman.take() {
            drop(postman.join());
        }
    }
}

#[cfg(test)]
mod tests;
