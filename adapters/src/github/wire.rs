//! What GitHub's documents say, as far as it is needed. Anything but the identity of a thing may be missing.

use chrono::{DateTime, SecondsFormat};
use serde::Deserialize;
use serde_json::Value;

use crate::code::{Checks, Pull, PullState, Review};

/// Somebody.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct User {
    /// Their login.
    pub login: String,
    /// `User`, `Bot`, `Organization`.
    #[serde(rename = "type", default)]
    pub kind: String,
    /// The e-mail address that they show to everybody.
    #[serde(default)]
    pub email: Option<String>,
}

impl User {
    /// Whether this is a person, as far as one can see.
    #[must_use]
    pub fn is_person(&self) -> bool {
        let is_program = self.login.ends_with("[bot]") || self.login == "web-flow" || self.login == "ghost";
        !self.login.is_empty() && !is_program && matches!(self.kind.as_str(), "" | "User")
    }
}

/// An issue. Pull requests look like issues, too.
#[derive(Debug, Clone, Deserialize)]
pub struct Issue {
    /// Its number.
    pub number: u64,
    /// Address of its page.
    #[serde(default)]
    pub html_url: String,
    /// Address of its repository in the API.
    #[serde(default)]
    pub repository_url: String,
    /// Its title.
    #[serde(default)]
    pub title: String,
    /// Its text.
    #[serde(default)]
    pub body: Option<String>,
    /// `open` or `closed`.
    pub state: String,
    /// How it ended, or that it was opened again.
    #[serde(default)]
    pub state_reason: Option<String>,
    /// Who has it, first of several.
    #[serde(default)]
    pub assignee: Option<User>,
    /// All who have it.
    #[serde(default)]
    pub assignees: Vec<User>,
    /// Its labels: names, or documents with names.
    #[serde(default)]
    pub labels: Vec<Value>,
    /// How many comments it has.
    #[serde(default)]
    pub comments: u64,
    /// There when this is a pull request.
    #[serde(default)]
    pub pull_request: Option<Value>,
    /// When it was made.
    pub created_at: String,
    /// When it last changed.
    pub updated_at: String,
    /// When it was closed.
    #[serde(default)]
    pub closed_at: Option<String>,
}

impl Issue {
    /// Whether it has this label.
    #[must_use]
    pub fn has_label(&self, name: &str) -> bool {
        let mut names = self.labels.iter().filter_map(|label| label.as_str().or_else(|| label["name"].as_str()));
        names.any(|label| label.eq_ignore_ascii_case(name))
    }
}

/// A comment below an issue.
#[derive(Debug, Clone, Deserialize)]
pub struct Comment {
    /// Its id.
    pub id: u64,
    /// Who wrote it; nobody when they are gone.
    #[serde(default)]
    pub user: Option<User>,
    /// What.
    #[serde(default)]
    pub body: Option<String>,
    /// When.
    pub created_at: String,
}

/// A repository.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Repository {
    /// `owner/name`.
    #[serde(default)]
    pub full_name: String,
    /// Its default branch.
    #[serde(default)]
    pub default_branch: String,
}

/// An end of a pull request.
#[derive(Debug, Clone, Deserialize)]
pub struct End {
    /// Branch.
    #[serde(rename = "ref")]
    pub branch: String,
    /// Last commit.
    pub sha: String,
    /// Repository; none when it is gone.
    #[serde(default)]
    pub repo: Option<Repository>,
}

/// A pull request, from a list, from its own address or from a delivery.
#[derive(Debug, Clone, Deserialize)]
pub struct PullRequest {
    number: u64,
    #[serde(default)]
    html_url: String,
    #[serde(default)]
    title: String,
    #[serde(default)]
    body: Option<String>,
    #[serde(default)]
    user: Option<User>,
    state: String,
    #[serde(default)]
    draft: bool,
    #[serde(default)]
    merged_at: Option<String>,
    #[serde(default)]
    closed_at: Option<String>,
    #[serde(default)]
    merged_by: Option<User>,
    head: End,
    base: End,
    updated_at: String,
}

/// Names of default branches, where none is told.
const USUAL: [&str; 2] = ["main", "master"];

impl PullRequest {
    /// In our words. Commits, checks and reviews are told elsewhere.
    #[must_use]
    pub fn told(self, repo: &str) -> Pull {
        let state = match (self.merged_at.is_some(), self.state.as_str(), self.draft) {
            (true, _, _) => PullState::Merged,
            (false, "closed", _) => PullState::Closed,
            (false, _, true) => PullState::Draft,
            (false, _, false) => PullState::Open,
        };
        let default = self.base.repo.map(|repo| repo.default_branch).filter(|branch| !branch.is_empty());
        // Some deliveries leave out what they told of the repository elsewhere.
        let into_default = default.map_or_else(|| USUAL.contains(&&*self.base.branch), |it| it == self.base.branch);
        Pull {
            repo: repo.to_owned(),
            number: self.number,
            url: self.html_url,
            title: self.title,
            body: self.body.unwrap_or_default(),
            branch: self.head.branch,
            into_default,
            author: self.user.map(|user| user.login).unwrap_or_default(),
            state,
            merged_by: self.merged_by.map(|user| user.login),
            head: self.head.sha,
            commits: Vec::new(),
            checks: Checks::None,
            review: Review::None,
            over_at: self.merged_at.or(self.closed_at).map(|at| time(&at)),
            updated_at: time(&self.updated_at),
        }
    }
}

/// A time as we write it: UTC, to the millisecond.
#[must_use]
pub fn time(written: &str) -> String {
    DateTime::parse_from_rfc3339(written)
        .map_or_else(|_| written.to_owned(), |at| at.to_utc().to_rfc3339_opts(SecondsFormat::Millis, true))
}
