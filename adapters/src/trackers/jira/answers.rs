//! What Jira answers, as far as it matters. Its Server leaves out what its Cloud has, and the other way round; so little is
//! demanded.

use chrono::{DateTime, SecondsFormat};
use serde::Deserialize;

use super::settings::{Deployment, is_project};
use crate::trackers::{Account, Category, Ticket};

/// Fields that make a ticket.
pub const FIELDS: [&str; 8] =
    ["summary", "status", "resolution", "assignee", "created", "updated", "resolutiondate", "statuscategorychangedate"];
/// A time before all others, for a ticket that does not say its own.
const LONG_AGO: &str = "1970-01-01T00:00:00.000Z";

/// A ticket.
#[derive(Debug, Deserialize)]
pub struct Issue {
    pub key: String,
    #[serde(default)]
    pub fields: Fields,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Fields {
    pub summary: Option<String>,
    pub status: Option<Status>,
    pub resolution: Option<Named>,
    pub assignee: Option<User>,
    pub created: Option<String>,
    pub updated: Option<String>,
    pub resolutiondate: Option<String>,
    pub statuscategorychangedate: Option<String>,
}

/// Something that has a name.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Named {
    #[serde(default)]
    pub name: String,
}

/// A status of a workflow.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Status {
    pub id: String,
    pub name: String,
    #[serde(rename = "statusCategory")]
    pub kind: Option<Kind>,
}

/// The category of a status.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Kind {
    pub key: String,
}

/// Somebody.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct User {
    pub account_id: Option<String>,
    pub account_type: Option<String>,
    pub name: Option<String>,
    pub display_name: Option<String>,
    pub email_address: Option<String>,
    pub active: Option<bool>,
}

impl Status {
    /// Where this status is; `None` when Jira does not say.
    pub fn category(&self) -> Option<Category> {
        match self.kind.as_ref()?.key.as_str() {
            "new" | "undefined" => Some(Category::ToDo),
            "indeterminate" => Some(Category::InProgress),
            "done" => Some(Category::Done),
            _ => None,
        }
    }
}

impl User {
    /// Them, as Jira wants to be told.
    pub fn account(&self, deployment: Deployment) -> Option<Account> {
        let id = match deployment {
            Deployment::Cloud => self.account_id.as_ref(),
            Deployment::Server => self.name.as_ref(),
        };
        let id = id.filter(|id| !id.is_empty())?.clone();
        let name = self.display_name.clone().filter(|name| !name.is_empty()).unwrap_or_else(|| id.clone());
        Some(Account { id, name })
    }

    /// What to call them.
    pub fn called(&self) -> String {
        let names = [&self.display_name, &self.name, &self.account_id];
        names.into_iter().flatten().find(|name| !name.is_empty()).cloned().unwrap_or_else(|| "somebody".to_owned())
    }
}

impl Issue {
    /// The ticket; `base` is the address of the site.
    pub fn ticket(self, base: &str, deployment: Deployment) -> Ticket {
        let status = self.fields.status.unwrap_or_default();
        let created_at = self.fields.created.as_deref().and_then(time).unwrap_or_else(|| LONG_AGO.to_owned());
        Ticket {
            url: page(base, &self.key),
            key: self.key,
            title: self.fields.summary.unwrap_or_default(),
            category: status.category().unwrap_or(Category::ToDo),
            status: status.name,
            resolution: self.fields.resolution.map(|resolution| resolution.name).filter(|name| !name.is_empty()),
            assignee: self.fields.assignee.and_then(|user| user.account(deployment)),
            updated_at: self.fields.updated.as_deref().and_then(time).unwrap_or_else(|| created_at.clone()),
            created_at,
        }
    }

    /// When it was done, or changed last when that is not said.
    pub fn done_at(&self) -> Option<String> {
        let fields = &self.fields;
        [&fields.resolutiondate, &fields.statuscategorychangedate, &fields.updated]
            .into_iter()
            .find_map(|at| at.as_deref().and_then(time))
    }
}

/// Address of the page of a ticket.
pub fn page(base: &str, key: &str) -> String {
    format!("{base}/browse/{key}")
}

/// Whether something can be the key of a ticket. What cannot is never put into an address.
pub fn is_key(key: &str) -> bool {
    const LONGEST: usize = 100;
    let number = |number: &str| !number.is_empty() && number.chars().all(|c| c.is_ascii_digit());
    key.len() <= LONGEST && key.rsplit_once('-').is_some_and(|(project, of_it)| is_project(project) && number(of_it))
}

/// A time as Jira writes it (`2026-11-28T10:00:00.000+0000`, in any zone), as everybody else does.
pub fn time(at: &str) -> Option<String> {
    let time = DateTime::parse_from_rfc3339(at).or_else(|_| DateTime::parse_from_str(at, "%Y-%m-%dT%H:%M:%S%.f%z"));
    Some(time.ok()?.to_utc().to_rfc3339_opts(SecondsFormat::Millis, true))
}

/// The time of an answer by its header `Date`, written the same way.
pub fn time_of_answer(date: Option<&str>) -> String {
    let time = date.and_then(|date| DateTime::parse_from_rfc2822(date).ok());
    time.map_or_else(|| LONG_AGO.to_owned(), |time| time.to_utc().to_rfc3339_opts(SecondsFormat::Millis, true))
}
