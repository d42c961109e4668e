//! Where code is: who knows a line, and what becomes of a pull request.

use serde::{Deserialize, Serialize};

pub mod codeowners;
pub mod host;
pub mod mentions;
mod owner;
pub mod paths;

pub use host::CodeHost;

/// A line of a file, as a stack trace names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Frame {
    /// Path, as it was where the program ran: `/app/shop/cart.py`, `com/acme/Cart.java`.
    pub path: String,
    /// Line, from 1; `None` when that is not said.
    pub line: Option<u64>,
}

/// Somebody who writes code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Developer {
    /// Their login where the code is; empty when only an e-mail address is known.
    pub login: String,
    /// E-mail addresses that are theirs for certain, because the host of the code verified them.
    pub emails: Vec<String>,
}

/// Who should look after something, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    /// Who.
    pub developer: Developer,
    /// Why, for people: "last 3 commits to shop/cart.py:42", "CODEOWNERS: /shop/".
    pub why: String,
}

/// Where a pull request is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PullState {
    /// Not ready to be looked at.
    Draft,
    /// Open.
    Open,
    /// Closed, and not merged.
    Closed,
    /// Merged.
    Merged,
}

/// What the checks of a pull request's last commit say.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Checks {
    /// There are none, or nobody asked.
    #[default]
    None,
    /// Some are not over.
    Running,
    /// All passed.
    Passed,
    /// Some failed: their names.
    Failed(Vec<String>),
}

/// What its reviewers say.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Review {
    /// Nothing yet.
    #[default]
    None,
    /// Somebody approves, and nobody wants changes.
    Approved,
    /// Somebody wants changes.
    ChangesRequested,
}

/// A pull request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pull {
    /// `owner/name` of its repository.
    pub repo: String,
    /// Its number.
    pub number: u64,
    /// Address of its page.
    pub url: String,
    /// Its title.
    pub title: String,
    /// Its text.
    pub body: String,
    /// Branch that it brings.
    pub branch: String,
    /// Whether it goes into the default branch.
    pub into_default: bool,
    /// Login of who made it.
    pub author: String,
    /// Where it is in its life.
    pub state: PullState,
    /// Login of who merged it.
    pub merged_by: Option<String>,
    /// Its last commit.
    pub head: String,
    /// Messages of its commits; empty when nobody asked.
    pub commits: Vec<String>,
    /// What its checks say.
    pub checks: Checks,
    /// What its reviewers say.
    pub review: Review,
    /// When it was merged or closed; written like [`Pull::updated_at`].
    #[serde(default)]
    pub over_at: Option<String>,
    /// When it last changed: RFC 3339, UTC, to the millisecond.
    pub updated_at: String,
}

impl CodeHost {
    /// Its name, as in the configuration.
    #[must_use]
    pub fn name(&self) -> &'static str {
        crate::github::NAME
    }

    /// The tracker in which the issues of a repository are tickets, if they are.
    #[must_use]
    pub fn tracker_of(&self, repo: &str) -> Option<&'static str> {
        self.repo.as_ref().filter(|own| own.eq_ignore_ascii_case(repo)).map(|_| crate::github::NAME)
    }
}
