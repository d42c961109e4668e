//! Jira, Cloud or Server (Data Center). A ticket of ours carries our label and that of its marker; a comment of ours carries a
//! property that names it.

use std::time::Duration;

use tokio::sync::OnceCell;

use crate::Error;
use crate::code::Developer;
use crate::trackers::{Account, Change, Comment, Created, Draft, Manners, Ticket, Tracker};

mod adf;
mod answers;
mod body;
mod client;
mod comments;
mod create;
pub mod delivery;
mod people;
mod refusal;
mod search;
mod settings;
#[cfg(test)]
mod tests;
mod walk;
mod wiki;
mod workflow;

use client::Client;
pub use settings::{Deployment, Settings};

/// Its name, as in the configuration.
pub const NAME: &str = "jira";

/// A project of a Jira.
#[derive(Debug)]
pub struct Jira {
    client: Client,
    settings: Settings,
    /// The issue type that the project was found to have.
    issue_type: OnceCell<String>,
}

impl Jira {
    /// Connects nothing yet: what is wrong shows at the first call.
    ///
    /// # Errors
    /// When TLS cannot be set up.
    pub fn new(settings: Settings) -> Result<Self, Error> {
        Ok(Self { client: Client::new(&settings)?, settings, issue_type: OnceCell::new() })
    }
}

impl Jira {
    /// A ticket is gone only when its project is not: an account that may not see it is told the same.
    async fn gone(&self, why: String) -> Error {
        let about = refusal::About { key: None, needs: "Browse Projects", fills: "" };
        let project = format!("/project/{}", self.settings.project);
        match self.client.get::<serde_json::Value>(&project, about).await {
            Ok(_) => Error::Gone(why),
            Err(error) => error,
        }
    }
}

impl Tracker for Jira {
    fn name(&self) -> &'static str {
        NAME
    }

    fn manners(&self) -> Manners {
        // Jira takes a hundred writes a second, but only 20 in two seconds on one ticket, and a way through a workflow is several.
        Manners { noun: "Jira ticket", pace: Duration::from_millis(500), blind_for: Duration::from_secs(30) }
    }

    async fn find(&self, marker: &str) -> Result<Option<Ticket>, Error> {
        self.find_marked(marker).await
    }

    async fn create(&self, draft: &Draft) -> Result<Created, Error> {
        self.make(draft).await
    }

    async fn change(&self, key: &str, change: &Change) -> Result<(), Error> {
        match change {
            Change::Comment { text, name } => self.comment(key, text, name).await,
            Change::Move(category) => self.go(key, *category).await,
        }
    }

    async fn ticket(&self, key: &str) -> Result<Ticket, Error> {
        match self.read(key).await {
            Err(Error::Gone(why)) => Err(self.gone(why).await),
            other => other,
        }
    }

    async fn comments(&self, key: &str) -> Result<Vec<Comment>, Error> {
        self.told_comments(key).await
    }

    async fn changed(&self, within: Duration) -> Result<Vec<Ticket>, Error> {
        self.changed_within(within).await
    }

    async fn account(&self, developer: &Developer) -> Result<Option<Account>, Error> {
        self.account_of(developer).await
    }
}
