//! What the fake keeps.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use chrono::{DateTime, FixedOffset, Offset, Utc};
use serde_json::Value;

use super::documents::Text;
use super::fields::CustomField;
use super::limits::Limits;
use super::search::Pages;
use super::users::{self, User};
use super::webhooks::{Happened, JiraEvent};
use super::{Call, Flavour, JiraIssue, Version, Workflow};
use crate::fakes::clock::since_epoch;
use crate::fakes::faults::Dice;

/// The priorities that there are: id and name.
pub const PRIORITIES: [(&str, &str); 5] =
    [("1", "Highest"), ("2", "High"), ("3", "Medium"), ("4", "Low"), ("5", "Lowest")];
/// The priority of an issue that was made without.
pub const USUAL_PRIORITY: &str = "Medium";

/// A type that issues can have.
#[derive(Debug, Clone)]
pub struct IssueType {
    pub id: String,
    pub name: String,
    pub subtask: bool,
}

/// A comment.
#[derive(Debug, Clone, PartialEq)]
pub struct Comment {
    pub id: u64,
    pub author: String,
    pub body: Text,
    /// Milliseconds since 1970.
    pub created: u64,
    pub properties: Value,
}

/// An issue at one time.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Issue {
    pub id: u64,
    pub key: String,
    /// Name of its type.
    pub kind: String,
    pub summary: String,
    pub description: Option<Text>,
    pub priority: String,
    pub labels: Vec<String>,
    pub assignee: Option<String>,
    pub reporter: String,
    pub creator: String,
    pub status: String,
    pub resolution: Option<String>,
    /// Milliseconds since 1970, as the next two.
    pub created: u64,
    pub updated: u64,
    pub resolved: Option<u64>,
    pub custom: BTreeMap<String, Value>,
    pub comments: Vec<Comment>,
    pub properties: BTreeMap<String, Value>,
    /// Ids of the steps it took.
    pub taken: Vec<String>,
}

/// An issue through time: the search lags behind.
#[derive(Debug)]
pub struct Record {
    versions: Vec<(Instant, Issue)>,
    pub deleted: bool,
}

impl Record {
    /// As it is.
    pub fn now(&self) -> Option<&Issue> {
        self.versions.last().map(|(_, issue)| issue).filter(|_| !self.deleted)
    }

    /// As it was at some time.
    pub fn at(&self, time: Instant) -> Option<&Issue> {
        let past = self.versions.iter().rev().find(|(since, _)| *since <= time);
        past.map(|(_, issue)| issue).filter(|_| !self.deleted)
    }
}

/// Everything.
#[derive(Debug)]
pub struct State {
    pub flavour: Flavour,
    /// Address, with the path of a Server.
    pub base: String,
    pub users: Vec<User>,
    pub records: Vec<Record>,
    pub types: Vec<IssueType>,
    pub workflow: Workflow,
    pub custom: Vec<CustomField>,
    pub priority_on_screen: bool,
    pub lag: Duration,
    /// Name of the time zone of the account, and how many hours it is ahead.
    pub zone: (String, i32),
    pub dice: Dice,
    pub limits: Limits,
    pub pages: Pages,
    pub calls: Vec<Call>,
    pub events: Vec<JiraEvent>,
    /// How many of the events were delivered in their order.
    pub told: usize,
    /// How many transitions are answered with a conflict.
    pub conflicts: usize,
    pub revoked: bool,
    last_id: u64,
    last_number: u64,
}

/// The path of its address: many a Server has one.
pub fn context(flavour: Flavour) -> &'static str {
    match flavour {
        Flavour::Cloud => "",
        Flavour::Server => "/jira",
    }
}

impl State {
    pub fn new(flavour: Flavour) -> Self {
        let types = [("10003", "Sub-task", true), ("10001", "Story", false), ("10002", "Task", false)];
        let types = types.into_iter().chain([("10004", "Bug", false)]);
        Self {
            flavour,
            base: String::new(),
            users: users::first(flavour),
            records: Vec::new(),
            types: types
                .map(|(id, name, subtask)| IssueType { id: id.to_owned(), name: name.to_owned(), subtask })
                .collect(),
            workflow: Workflow::default(),
            custom: Vec::new(),
            priority_on_screen: true,
            lag: Duration::from_millis(300),
            zone: ("Africa/Johannesburg".to_owned(), 2),
            dice: Dice::default(),
            limits: Limits::default(),
            pages: Pages::default(),
            calls: Vec::new(),
            events: Vec::new(),
            told: 0,
            conflicts: 0,
            revoked: false,
            last_id: 10_000,
            last_number: 0,
        }
    }

    /// An id that nothing has.
    pub fn next_id(&mut self) -> u64 {
        self.last_id += 1;
        self.last_id
    }

    /// A key that no issue has; keys of deleted issues are not given again.
    pub fn next_key(&mut self) -> String {
        self.last_number += 1;
        format!("{}-{}", super::PROJECT, self.last_number)
    }

    /// The issues that are there.
    pub fn present(&self) -> impl Iterator<Item = &Issue> {
        self.records.iter().filter_map(Record::now)
    }

    /// The issue with this key, whatever its case, or this id.
    pub fn issue(&self, key_or_id: &str) -> Option<&Issue> {
        self.present().find(|issue| issue.key.eq_ignore_ascii_case(key_or_id) || issue.id.to_string() == key_or_id)
    }

    /// Keeps what became of an issue, and tells of it, if it is another than before.
    pub fn keep(&mut self, mut issue: Issue, by: &str) {
        let before = self.records.iter().find_map(|record| record.now().filter(|before| before.id == issue.id));
        if before == Some(&issue) {
            return;
        }
        let before = before.cloned();
        issue.updated = now();
        let version = (Instant::now(), issue.clone());
        let known = self.records.iter_mut().find(|record| record.now().is_some_and(|before| before.id == issue.id));
        match known {
            Some(record) => record.versions.push(version),
            None => self.records.push(Record { versions: vec![version], deleted: false }),
        }
        match before {
            Some(before) => self.happened(&issue, &Happened::Changed(&before), by),
            None => self.happened(&issue, &Happened::Created, by),
        }
    }

    /// As the API writes a time: in the time zone of the account.
    pub fn time(&self, milliseconds: u64) -> String {
        let time = DateTime::<Utc>::from_timestamp_millis(i64::try_from(milliseconds).unwrap_or(i64::MAX));
        let zoned = time.unwrap_or_default().with_timezone(&self.offset());
        zoned.format("%Y-%m-%dT%H:%M:%S%.3f%z").to_string()
    }

    /// How far the time zone of the account is ahead.
    pub fn offset(&self) -> FixedOffset {
        FixedOffset::east_opt(self.zone.1 * 3_600).unwrap_or_else(|| Utc.fix())
    }

    /// The issue for a look from outside.
    pub fn looked_at(&self, issue: &Issue) -> JiraIssue {
        let newest = match self.flavour {
            Flavour::Cloud => Version::Three,
            Flavour::Server => Version::Two,
        };
        JiraIssue {
            id: issue.id.to_string(),
            key: issue.key.clone(),
            summary: issue.summary.clone(),
            description: issue.description.as_ref().map(Text::plain).unwrap_or_default(),
            issue_type: issue.kind.clone(),
            priority: issue.priority.clone(),
            labels: issue.labels.clone(),
            assignee: issue.assignee.clone(),
            status: issue.status.clone(),
            category: self.workflow.category(&issue.status).to_owned(),
            resolution: issue.resolution.clone(),
            fields: self.shown_fields(issue, newest),
        }
    }
}

/// Milliseconds since 1970.
pub fn now() -> u64 {
    u64::try_from(since_epoch().as_millis()).unwrap_or(u64::MAX)
}
