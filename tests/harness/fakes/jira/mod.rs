//! Jira, as far as a bot can tell, as Cloud and as Server: it keeps issues, comments and people, checks what it is sent as
//! Jira does (credentials, fields, documents, the workflow, limits), answers errors as Jira does, and remembers every call.
//! Its search lags behind what was done. What people do in it can be delivered as signed webhooks.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::Value;

use super::server::{Request, Server};
use crate::Failure;

mod calls;
mod comments;
mod controls;
mod create;
mod documents;
mod fields;
mod issues;
mod jql;
mod limits;
mod matching;
mod meta;
mod people;
mod refusal;
mod search;
mod shown;
mod state;
mod transitions;
mod users;
mod values;
mod webhooks;
mod words;
mod workflow;

pub use documents::check as check_document;
use state::State;
pub use webhooks::{JiraEvent, sign};
pub use workflow::Workflow;

/// Key of the project that there is.
pub const PROJECT: &str = "OPS";
/// E-mail address of the account that it accepts, where it is Cloud.
pub const CLOUD_USER: &str = "clew@acme.example";
/// Name of the account that it accepts, where it is Server.
pub const SERVER_USER: &str = "clew";
/// The API token (Cloud) or password (Server) of the account.
pub const TOKEN: &str = "ATATT-of-the-fake";
/// The personal access token of the account, where it is Server.
pub const PERSONAL_TOKEN: &str = "PAT-of-the-fake";

/// Which Jira it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flavour {
    /// Of Atlassian: versions 2 and 3 of the API, accounts have ids, long texts are documents in version 3.
    Cloud,
    /// Server or Data Center: version 2 only, accounts have names, long texts are wiki text. Its address has a path.
    Server,
}

/// Version of the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Version {
    Two,
    Three,
}

/// A call that was made.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    /// What it asks for: `serverInfo`, `myself`, `priorities`, `resolutions`, `fields`, `project`, `createmeta`, `create`, `issue`,
    /// `edit`, `assign`, `comments`, `comment`, `transitions`, `transition`, `property`, `search`, `assignable`, `users`, `user`;
    /// empty when there is no such thing.
    pub endpoint: &'static str,
    /// `GET`, `POST`, `PUT`.
    pub method: String,
    /// Its path, as it came.
    pub path: String,
    /// Its query.
    pub query: Vec<(String, String)>,
    /// Its body; `null` when it has none.
    pub body: Value,
    /// The status, and what was wrong; or `cut before`, `cut after`.
    pub outcome: String,
}

/// An issue, for a look at it.
#[derive(Debug, Clone, PartialEq)]
pub struct JiraIssue {
    /// Its id.
    pub id: String,
    /// `OPS-12`.
    pub key: String,
    /// Its title.
    pub summary: String,
    /// Its text as a person reads it; links as `[text|address]`.
    pub description: String,
    /// Name of its type.
    pub issue_type: String,
    /// Name of its priority.
    pub priority: String,
    /// Its labels.
    pub labels: Vec<String>,
    /// Id (Cloud) or name (Server) of who has it.
    pub assignee: Option<String>,
    /// Name of its status.
    pub status: String,
    /// Key of the category of that: `new`, `indeterminate`, `done`.
    pub category: String,
    /// Name of its resolution.
    pub resolution: Option<String>,
    /// All fields as the newest version of the API shows them.
    pub fields: Value,
}

/// A comment, for a look at it.
#[derive(Debug, Clone, PartialEq)]
pub struct JiraComment {
    /// Its id.
    pub id: String,
    /// Id (Cloud) or name (Server) of who wrote it.
    pub author: String,
    /// What, as a person reads it.
    pub text: String,
    /// Its properties: a list of `{key, value}`.
    pub properties: Value,
}

/// A running fake. Stops when dropped.
#[derive(Debug)]
pub struct FakeJira {
    server: Server,
    flavour: Flavour,
    shared: Arc<Mutex<State>>,
}

impl FakeJira {
    /// Starts as Cloud.
    ///
    /// # Errors
    /// When the machine has no free port.
    pub fn cloud() -> Result<Self, Failure> {
        Self::start(Flavour::Cloud)
    }

    /// Starts as Server.
    ///
    /// # Errors
    /// When the machine has no free port.
    pub fn server() -> Result<Self, Failure> {
        Self::start(Flavour::Server)
    }

    fn start(flavour: Flavour) -> Result<Self, Failure> {
        let shared = Arc::new(Mutex::new(State::new(flavour)));
        let answering = Arc::clone(&shared);
        let server = Server::start(move |request: Request| lock(&answering).answer(&request))?;
        let fake = Self { server, flavour, shared };
        fake.state().base = fake.url();
        Ok(fake)
    }

    /// Its address: the setting `JIRA_URL`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}{}", self.server.address(), state::context(self.flavour))
    }

    /// The settings of a bot that uses it, with e-mail address and token (Cloud) or name and password (Server).
    #[must_use]
    pub fn environment(&self) -> Vec<(&'static str, String)> {
        let user = match self.flavour {
            Flavour::Cloud => CLOUD_USER,
            Flavour::Server => SERVER_USER,
        };
        vec![
            ("JIRA_URL", self.url()),
            ("JIRA_USER", user.to_owned()),
            ("JIRA_TOKEN", TOKEN.to_owned()),
            ("JIRA_PROJECT", PROJECT.to_owned()),
        ]
    }

    /// As [`FakeJira::environment`], with a personal access token; of Server only.
    #[must_use]
    pub fn environment_with_personal_token(&self) -> Vec<(&'static str, String)> {
        vec![("JIRA_URL", self.url()), ("JIRA_TOKEN", PERSONAL_TOKEN.to_owned()), ("JIRA_PROJECT", PROJECT.to_owned())]
    }

    /// All issues that are there, oldest first.
    #[must_use]
    pub fn issues(&self) -> Vec<JiraIssue> {
        let state = self.state();
        state.present().map(|issue| state.looked_at(issue)).collect()
    }

    /// One issue.
    #[must_use]
    pub fn issue(&self, key: &str) -> Option<JiraIssue> {
        let state = self.state();
        state.issue(key).map(|issue| state.looked_at(issue))
    }

    /// The comments below an issue, oldest first.
    #[must_use]
    pub fn comments(&self, key: &str) -> Vec<JiraComment> {
        let state = self.state();
        let comments = state.issue(key).map(|issue| issue.comments.as_slice()).unwrap_or_default();
        let comment = |comment: &state::Comment| JiraComment {
            id: comment.id.to_string(),
            author: comment.author.clone(),
            text: comment.body.plain(),
            properties: comment.properties.clone(),
        };
        comments.iter().map(comment).collect()
    }

    /// Ids of the steps that an issue took, in their order, whoever took them.
    #[must_use]
    pub fn transitions_taken(&self, key: &str) -> Vec<String> {
        self.state().issue(key).map(|issue| issue.taken.clone()).unwrap_or_default()
    }

    /// All calls, in the order in which they came.
    #[must_use]
    pub fn calls(&self) -> Vec<Call> {
        self.state().calls.clone()
    }

    /// The calls of an endpoint (see [`Call::endpoint`]), in the order in which they came.
    #[must_use]
    pub fn calls_of(&self, endpoint: &str) -> Vec<Call> {
        self.state().calls.iter().filter(|call| call.endpoint == endpoint).cloned().collect()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.shared)
    }
}

fn lock(shared: &Mutex<State>) -> MutexGuard<'_, State> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
