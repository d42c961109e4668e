//! What is followed outside for an incident: its tickets and the pull requests that name it.

use std::collections::BTreeMap;

use clew_adapters::code::{Frame, Pull, PullState};
use clew_adapters::trackers::{Category, Ticket};
use serde::{Deserialize, Serialize};

use super::{Actor, Incident};
use crate::clock::Time;

/// Why something outside is not done yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trouble {
    /// What the system outside says.
    pub why: String,
    /// When it is tried again; `None`: not by itself.
    pub next: Option<Time>,
}

/// A ticket of an incident, from the moment somebody wants it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkedTicket {
    /// What it is found by in its tracker; empty until it is first looked for.
    pub marker: String,
    /// Who wants it.
    pub wanted_by: Actor,
    /// Since when.
    pub wanted_at: Time,
    /// When it was last tried to make it: it may be there, whatever came back.
    pub begun: Option<Time>,
    /// The ticket, once it is there.
    pub ticket: Option<Ticket>,
    /// Whether it was there before anybody wanted it.
    pub was_there: bool,
    /// Why its assignee is who it is, or why there is none.
    pub owner: Option<String>,
    /// What its tracker did not take.
    pub left_out: Vec<String>,
    /// Why something about it is not done yet.
    pub trouble: Option<Trouble>,
    /// Comments of people on it that are known.
    pub comments: u64,
    /// When the last comment that is known was written.
    pub last_comment: String,
    /// Whether it was done, and is not any more.
    pub was_reopened: bool,
}

impl LinkedTicket {
    /// One that is wanted.
    #[must_use]
    pub fn wanted(by: &Actor, at: Time) -> Self {
        Self {
            marker: String::new(),
            wanted_by: by.clone(),
            wanted_at: at,
            begun: None,
            ticket: None,
            was_there: false,
            owner: None,
            left_out: Vec::new(),
            trouble: None,
            comments: 0,
            last_comment: String::new(),
            was_reopened: false,
        }
    }

    /// Whether it is there and not done.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.ticket.as_ref().is_some_and(|ticket| ticket.category != Category::Done)
    }

    /// Whether it is still to be made.
    #[must_use]
    pub fn is_pending(&self) -> bool {
        self.ticket.is_none() && self.trouble.as_ref().is_none_or(|trouble| trouble.next.is_some())
    }
}

/// A pull request that names an incident or its ticket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkedPull {
    /// It, without its text and the messages of its commits.
    pub pull: Pull,
    /// Whether it says that it fixes the failure, and not only that it has to do with it.
    pub fixes: bool,
    /// Number of the pull request that took it back.
    pub reverted_by: Option<u64>,
}

impl LinkedPull {
    /// Whether the fix is in the code.
    #[must_use]
    pub fn is_in(&self) -> bool {
        self.fixes && self.pull.state == PullState::Merged && self.pull.into_default && self.reverted_by.is_none()
    }

    /// Whether these words say that something was fixed by it. Its title may have changed meanwhile.
    #[must_use]
    pub fn is_fix(&self, words: &str) -> bool {
        words.starts_with(&format!("#{} ", self.pull.number)) && words.ends_with(&format!("({})", self.pull.url))
    }

    /// What to call it when something was fixed by it.
    #[must_use]
    pub fn as_fix(&self) -> String {
        format!("#{} {} ({})", self.pull.number, self.pull.title, self.pull.url)
    }
}

/// All that is followed for an incident.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Followed {
    /// Its tickets, by tracker.
    pub tickets: BTreeMap<String, LinkedTicket>,
    /// The pull requests that name it, oldest first.
    pub pulls: Vec<LinkedPull>,
    /// The line of code that somebody named when it was opened.
    pub frame: Option<Frame>,
}

impl Incident {
    /// The merged fix that waits to be deployed, if there is one.
    #[must_use]
    pub fn merged_fix(&self) -> Option<&LinkedPull> {
        self.followed.pulls.iter().rev().find(|linked| linked.is_in())
    }

    /// Whether another fix is to come: a pull request that says that it fixes it is open.
    #[must_use]
    pub fn awaits_fix(&self) -> bool {
        self.followed.pulls.iter().any(|linked| linked.fixes && linked.pull.state == PullState::Open)
    }

    /// A ticket of it, by its tracker and key.
    #[must_use]
    pub fn ticket(&self, tracker: &str, key: &str) -> Option<&LinkedTicket> {
        let linked = self.followed.tickets.get(tracker)?;
        linked.ticket.as_ref().is_some_and(|ticket| ticket.key == key).then_some(linked)
    }
}
