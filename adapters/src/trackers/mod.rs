//! Trackers: where tickets are kept, in our words. No tracker knows what an incident is; it keeps what a draft says, and tells
//! how its tickets are.

use std::sync::Arc;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use crate::Error;
use crate::alerts::Severity;
use crate::chat::{Rich, Section};
use crate::code::{CodeHost, Developer};
use crate::github as api;

#[cfg(any(test, feature = "conformance"))]
pub mod conformance;
pub mod github;
pub mod jira;
pub mod local;
pub mod markdown;

/// Where a ticket stands, whatever its workflow calls that.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Category {
    /// Nobody works on it.
    ToDo,
    /// Somebody works on it.
    InProgress,
    /// It is over, however it ended.
    Done,
}

/// Somebody whom a tracker can assign a ticket to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// What the tracker wants to be told.
    pub id: String,
    /// What people call them.
    pub name: String,
}

/// A ticket, as its tracker knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ticket {
    /// What people call it: `OPS-12`, `45`.
    pub key: String,
    /// Address of its page; a path when the tracker is this program.
    pub url: String,
    /// Its title.
    pub title: String,
    /// Where it stands, in the words of its workflow.
    pub status: String,
    /// Where that is.
    pub category: Category,
    /// How it ended, in the tracker's words, if it did and somebody said so.
    pub resolution: Option<String>,
    /// Who has it.
    pub assignee: Option<Account>,
    /// When it was made: RFC 3339, UTC, to the millisecond, so that it compares as text.
    pub created_at: String,
    /// When it last changed, comments included; written like [`Ticket::created_at`].
    pub updated_at: String,
}

/// Words of a status or resolution with which a ticket ends unsolved.
const IN_VAIN: [&str; 23] = [
    "would not",
    "not do",
    "no bug",
    "incomplete",
    "withdrawn",
    "reproducible",
    "by design",
    "won't",
    "wont",
    "will not",
    "not planned",
    "declin",
    "reject",
    "cancel",
    "duplicate",
    "invalid",
    "abandon",
    "not a bug",
    "cannot reproduce",
    "can't reproduce",
    "as designed",
    "not_planned",
    "obsolete",
];

/// Whether these are the words of an end without a solution: "Won't Do", "Duplicate".
#[must_use]
pub fn says_in_vain(words: &str) -> bool {
    let words = words.to_lowercase().replace('\u{2019}', "'");
    IN_VAIN.iter().any(|vain| words.contains(vain))
}

/// Whether a ticket that is done was not solved.
#[must_use]
pub fn is_in_vain(ticket: &Ticket) -> bool {
    says_in_vain(&ticket.status) || ticket.resolution.as_deref().is_some_and(says_in_vain)
}

/// Something that was written below a ticket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comment {
    /// The tracker's id of it.
    pub id: String,
    /// Who wrote it.
    pub author: String,
    /// What, as plain text.
    pub text: String,
    /// When; written like [`Ticket::created_at`].
    pub at: String,
    /// The name that we gave it, if it is ours: see [`Change::Comment`].
    pub name: Option<String>,
}

/// A ticket that is to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// One line. Trackers cut it to what they allow.
    pub title: String,
    /// The text, most important first. Trackers cut it from the end to what they allow, and say that they did.
    pub description: Vec<Section>,
    /// What [`Tracker::find`] finds it by: up to 60 of `a-z`, `0-9` and `-`.
    pub marker: String,
    /// How bad it is.
    pub severity: Severity,
    /// Who shall have it.
    pub assignee: Option<Account>,
}

/// A ticket that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Created {
    /// It.
    pub ticket: Ticket,
    /// What the tracker did not take of the draft, and why, for people: "the priority (not on the screen)".
    pub left_out: Vec<String>,
}

/// Something that is to change. Doing it twice is harmless.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// Something is written below it, once: nothing when a comment of this name is there.
    Comment {
        /// What.
        text: Rich,
        /// Names it for good: hex digits.
        name: String,
    },
    /// It goes to this category, by whatever steps its workflow has; nothing when it is there. `Done` means that it is solved:
    /// a workflow that can also end in vain ("Won't do") ends well.
    Move(Category),
}

/// How a tracker wants to be treated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Manners {
    /// What one of its tickets is called: "Jira ticket".
    pub noun: &'static str,
    /// Least time between two jobs that write to it.
    pub pace: Duration,
    /// How long a ticket that was made may not be found: its search lags behind.
    pub blind_for: Duration,
}

/// A tracker.
pub trait Tracker: Send + Sync {
    /// Its name, as in the configuration.
    fn name(&self) -> &'static str;

    /// How it wants to be treated.
    fn manners(&self) -> Manners;

    /// The ticket with this marker that is not done; of several, the one that was made first. With none, the one that was done
    /// last.
    ///
    /// # Errors
    /// When the tracker does not say.
    fn find(&self, marker: &str) -> impl Future<Output = Result<Option<Ticket>, Error>> + Send;

    /// Makes a ticket.
    ///
    /// # Errors
    /// When it was not made, or when nobody knows whether it was: ask [`Tracker::find`] before trying again.
    fn create(&self, draft: &Draft) -> impl Future<Output = Result<Created, Error>> + Send;

    /// Changes a ticket.
    ///
    /// # Errors
    /// When it was not changed, or nobody knows; [`Error::Gone`] when there is no such ticket.
    fn change(&self, key: &str, change: &Change) -> impl Future<Output = Result<(), Error>> + Send;

    /// How a ticket is.
    ///
    /// # Errors
    /// When the tracker does not say; [`Error::Gone`] when there is no such ticket.
    fn ticket(&self, key: &str) -> impl Future<Output = Result<Ticket, Error>> + Send;

    /// The last comments below a ticket, at most 50, oldest first.
    ///
    /// # Errors
    /// As [`Tracker::ticket`].
    fn comments(&self, key: &str) -> impl Future<Output = Result<Vec<Comment>, Error>> + Send;

    /// Our tickets that changed within the last so long, or a little before, in any order; the same ones may be told again and
    /// again.
    ///
    /// # Errors
    /// When the tracker does not say.
    fn changed(&self, within: Duration) -> impl Future<Output = Result<Vec<Ticket>, Error>> + Send;

    /// The account of somebody who writes code. Never a guess: `None` when it is not certain, or the account cannot be given
    /// tickets.
    ///
    /// # Errors
    /// When the tracker does not say.
    fn account(&self, developer: &Developer) -> impl Future<Output = Result<Option<Account>, Error>> + Send;
}

/// Something that happened outside, told by a delivery: what it is about. How it is now, its system says when it is asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum News {
    /// A ticket changed.
    Ticket {
        /// Name of the tracker.
        tracker: String,
        /// Which.
        key: String,
    },
    /// A pull request changed.
    Pull {
        /// `owner/name` of its repository.
        repo: String,
        /// Its number.
        number: u64,
        /// As the delivery tells of it, when it tells enough.
        told: Option<Box<crate::code::Pull>>,
    },
    /// The checks of a commit changed.
    Checks {
        /// `owner/name` of its repository.
        repo: String,
        /// Which commit.
        sha: String,
    },
}

/// A delivery of a tracker that is what it should be.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Delivered {
    /// Tells one delivery from all others, however often it is delivered.
    pub key: String,
    /// What it is about; empty when it is about nothing that matters.
    pub news: Vec<News>,
}

/// What came of a delivery of a tracker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Received {
    /// It is what it should be.
    Delivered(Delivered),
    /// Nobody knows who sent it, because no secret is set: ask for what the API asks for.
    Unsigned(Delivered),
    /// It is not from the tracker.
    Refused(String),
    /// It is no delivery that can be read.
    Unreadable(String),
}

/// Every tracker there is.
#[derive(Debug)]
pub enum AnyTracker {
    /// The tickets of this program itself.
    Local(local::Local),
    /// A project of a Jira.
    Jira(Box<jira::Jira>),
    /// The issues of a repository at GitHub.
    GitHub(Box<github::GitHubIssues>),
}

/// Calls the same method of whichever tracker it is.
macro_rules! each {
    ($any:expr, $tracker:ident => $call:expr) => {
        match $any {
            AnyTracker::Local($tracker) => $call,
            AnyTracker::Jira($tracker) => $call,
            AnyTracker::GitHub($tracker) => $call,
        }
    };
}

impl Tracker for AnyTracker {
    fn name(&self) -> &'static str {
        each!(self, tracker => tracker.name())
    }

    fn manners(&self) -> Manners {
        each!(self, tracker => tracker.manners())
    }

    async fn find(&self, marker: &str) -> Result<Option<Ticket>, Error> {
        each!(self, tracker => tracker.find(marker).await)
    }

    async fn create(&self, draft: &Draft) -> Result<Created, Error> {
        each!(self, tracker => tracker.create(draft).await)
    }

    async fn change(&self, key: &str, change: &Change) -> Result<(), Error> {
        each!(self, tracker => tracker.change(key, change).await)
    }

    async fn ticket(&self, key: &str) -> Result<Ticket, Error> {
        each!(self, tracker => tracker.ticket(key).await)
    }

    async fn comments(&self, key: &str) -> Result<Vec<Comment>, Error> {
        each!(self, tracker => tracker.comments(key).await)
    }

    async fn changed(&self, within: Duration) -> Result<Vec<Ticket>, Error> {
        each!(self, tracker => tracker.changed(within).await)
    }

    async fn account(&self, developer: &Developer) -> Result<Option<Account>, Error> {
        each!(self, tracker => tracker.account(developer).await)
    }
}

/// The systems with tickets and code that are configured.
#[derive(Debug, Default)]
pub struct Configured {
    /// The trackers besides the one of this program, which is always there.
    pub trackers: Vec<AnyTracker>,
    /// Where the code is.
    pub code: Option<CodeHost>,
}

/// What is configured. `setting` gives a key of a section.
///
/// # Errors
/// When a setting cannot be used; the text names it.
pub fn configured(setting: &dyn Fn(&str, &str) -> Option<SecretString>) -> Result<Configured, Error> {
    let text = |section: &str, key: &str| setting(section, key).map(|value| value.expose_secret().to_owned());
    let is_set = |section: &str, keys: &[&str]| keys.iter().all(|key| setting(section, key).is_some());
    let mut configured = Configured::default();
    if is_set(jira::NAME, &["url", "token", "project"]) {
        let settings = jira::Settings::read(&|key| text(jira::NAME, key))?;
        configured.trackers.push(AnyTracker::Jira(Box::new(jira::Jira::new(settings)?)));
    }
    if is_set(api::NAME, &["token", "repo"]) {
        let settings = api::Settings::read(&|key| text(api::NAME, key))?;
        let client = Arc::new(api::Client::new(&settings)?);
        let issues = github::GitHubIssues::new(&settings, Arc::clone(&client))?;
        configured.trackers.push(AnyTracker::GitHub(Box::new(issues)));
        configured.code = Some(CodeHost::new(&settings, Some(client)));
    } else if is_set(api::NAME, &["webhook_secret"]) {
        let settings = api::Settings::read(&|key| text(api::NAME, key))?;
        configured.code = Some(CodeHost::new(&settings, None));
    }
    Ok(configured)
}

/// Addresses to which trackers and hosts of code deliver.
pub const ADDRESSES: &[&str] = &["/webhooks/github", "/github-webhook", JIRA_ADDRESS];
const JIRA_ADDRESS: &str = "/webhooks/jira";

/// Reads a delivery to `path`; `None` when nothing of this address is configured. `setting` as in [`configured`].
#[must_use]
pub fn receive(
    path: &str,
    header: &dyn Fn(&str) -> Option<String>,
    body: &[u8],
    setting: &dyn Fn(&str, &str) -> Option<SecretString>,
) -> Option<Received> {
    let name = if path == JIRA_ADDRESS { jira::NAME } else { api::NAME };
    let secret = setting(name, "webhook_secret");
    if secret.is_none() && setting(name, "token").is_none() {
        return None;
    }
    let secret = secret.as_ref().map(ExposeSecret::expose_secret);
    Some(match path {
        JIRA_ADDRESS => jira::delivery::parse(header, body, secret),
        _ => api::delivery::parse(header, body, secret),
    })
}
