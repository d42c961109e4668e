//! Looking for tickets. Queries are made of constants and checked words only; nothing that anybody wrote goes into one.

use std::cmp::Reverse;
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};

use super::Jira;
use super::answers::{FIELDS, Issue};
use super::client::parse;
use super::refusal::About;
use super::settings::Deployment;
use crate::Error;
use crate::trackers::{Category, Ticket};

/// Our label. Every ticket of ours has it.
pub const LABEL: &str = "clew";
/// Tickets that one search tells, and pages that it may take: Jira's Cloud gives a hundred at once, its Server as many as its
/// administrator allows.
const MOST: usize = 1_000;
const PAGES: usize = 40;
/// Longest marker.
const LONGEST_MARKER: usize = 60;

/// A page of a search.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Page {
    #[serde(default)]
    issues: Vec<Issue>,
    next_page_token: Option<String>,
    is_last: Option<bool>,
    total: Option<usize>,
}

impl Jira {
    pub(super) async fn find_marked(&self, marker: &str) -> Result<Option<Ticket>, Error> {
        let found = self.search(&by_marker(&self.settings.project, marker)?).await?;
        let deployment = self.client.deployment().await?;
        let found = found.into_iter().map(|issue| (issue.done_at(), issue.ticket(&self.client.base, deployment)));
        let (done, open): (Vec<_>, Vec<_>) = found.partition(|(_, ticket)| ticket.category == Category::Done);
        let first = open.into_iter().map(|(_, ticket)| ticket).min_by_key(|ticket| ticket.created_at.clone());
        let last = || done.into_iter().min_by_key(|(done_at, _)| Reverse(done_at.clone())).map(|(_, ticket)| ticket);
        Ok(first.or_else(last))
    }

    pub(super) async fn changed_within(&self, within: Duration) -> Result<Vec<Ticket>, Error> {
        let found = self.search(&by_change(&self.settings.project, within)).await?;
        let deployment = self.client.deployment().await?;
        Ok(found.into_iter().map(|issue| issue.ticket(&self.client.base, deployment)).collect())
    }

    async fn search(&self, jql: &str) -> Result<Vec<Issue>, Error> {
        let about = About { key: None, needs: "Browse Projects", fills: "" };
        let deployment = self.client.deployment().await?;
        let mut found: Vec<Issue> = Vec::new();
        let mut token: Option<String> = None;
        for _ in 0..PAGES {
            let (path, query) = match (deployment, &token) {
                (Deployment::Cloud, None) => ("/search/jql", json!({"maxResults": 100})),
                (Deployment::Cloud, Some(token)) => ("/search/jql", json!({"maxResults": 100, "nextPageToken": token})),
                (Deployment::Server, _) => ("/search", json!({"maxResults": MOST, "startAt": found.len()})),
            };
            let query = with(query, jql);
            let page: Page = parse(&self.client.post(path, &query, about).await?)?;
            let is_empty = page.issues.is_empty();
            found.extend(page.issues);
            let is_last = match deployment {
                // The same page again would be told for ever.
                Deployment::Cloud => {
                    page.is_last == Some(true) || page.next_page_token.is_none() || page.next_page_token == token
                }
                Deployment::Server => is_empty || page.total.is_none_or(|total| found.len() >= total),
            };
            if is_last || found.len() >= MOST {
                break;
            }
            token = page.next_page_token;
        }
        found.truncate(MOST);
        Ok(found)
    }
}

/// A page's query with what all pages have.
fn with(mut query: Value, jql: &str) -> Value {
    query["jql"] = jql.into();
    query["fields"] = json!(FIELDS);
    query
}

/// Tickets with a marker, oldest first.
pub fn by_marker(project: &str, marker: &str) -> Result<String, Error> {
    check_marker(marker)?;
    Ok(format!("project = \"{project}\" AND labels = \"{marker}\" ORDER BY created ASC"))
}

/// Our tickets that changed lately. Jira counts in minutes, and in the time zone of the account unless it counts back from now.
pub fn by_change(project: &str, within: Duration) -> String {
    const MINUTE: u64 = 60;
    let whole = within.as_secs() + u64::from(within.subsec_nanos() > 0);
    let minutes = whole.div_ceil(MINUTE) + 1;
    format!("project = \"{project}\" AND labels = \"{LABEL}\" AND updated >= -{minutes}m ORDER BY updated ASC")
}

/// A marker is a label and stands in queries.
pub fn check_marker(marker: &str) -> Result<(), Error> {
    let is_good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if (1..=LONGEST_MARKER).contains(&marker.len()) && marker.chars().all(is_good) {
        return Ok(());
    }
    Err(Error::Permanent(format!("{marker:?} cannot mark a ticket: it takes up to 60 of a-z, 0-9 and -")))
}
