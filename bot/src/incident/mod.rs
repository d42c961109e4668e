//! What an incident is, and how it changes. Pure: a change takes an incident and gives the next one with what happened.

use std::collections::{BTreeMap, BTreeSet};

use clew_adapters::alerts::{Alert, AlertStatus, Severity};
use clew_adapters::chat::{MessageRef, Place};
use serde::{Deserialize, Serialize};

use crate::clock::Time;

mod followed;

pub use followed::{Followed, LinkedPull, LinkedTicket, Trouble};

/// Alerts of one incident that are listed one by one in its timeline; more are only counted.
const MAX_ALERT_EVENTS: u64 = 50;
/// An incident that resolves this often within [`FLAP_HOURS`] is flapping.
const FLAPS: usize = 3;
/// See [`FLAPS`].
const FLAP_HOURS: i64 = 1;
/// Hours after which a merged fix should have reached what fails.
const FIX_HOURS: i64 = 1;

/// Number of an incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct IncidentId(pub u64);

impl std::fmt::Display for IncidentId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "INC-{}", self.0)
    }
}

impl std::str::FromStr for IncidentId {
    type Err = String;

    /// `INC-12`, `inc-12`, `#12` or `12`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let lower = text.trim().to_ascii_lowercase();
        let number = lower.strip_prefix("inc-").or_else(|| lower.strip_prefix('#')).unwrap_or(&lower);
        number.parse().map(Self).map_err(|_| format!("{text:?} is no incident; write its number, e.g. INC-12"))
    }
}

/// Where an incident is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Nobody has taken it on.
    Open,
    /// Somebody looks at it.
    Acknowledged,
    /// Users no longer suffer; the cause is still there.
    Mitigated,
    /// It is over.
    Resolved,
}

impl State {
    /// All states.
    pub const ALL: [Self; 4] = [Self::Open, Self::Acknowledged, Self::Mitigated, Self::Resolved];

    /// Its word.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Acknowledged => "acknowledged",
            Self::Mitigated => "mitigated",
            Self::Resolved => "resolved",
        }
    }
}

/// Who did something: a person on a platform, or a sender of alerts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Actor {
    /// What to call them.
    pub name: String,
    /// Where they did it: a chat platform, `api`, the name of an alert format, or `clew`.
    pub by_way_of: String,
}

impl Actor {
    /// An actor.
    #[must_use]
    pub fn new(name: &str, by_way_of: &str) -> Self {
        Self { name: name.to_owned(), by_way_of: by_way_of.to_owned() }
    }

    /// The bot itself.
    #[must_use]
    pub fn bot() -> Self {
        Self::new("clew", "clew")
    }
}

/// Something that happened to an incident.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// When.
    pub at: Time,
    /// Who.
    pub by: Actor,
    /// What kind of thing.
    pub kind: EventKind,
    /// What, in a sentence or a word.
    pub text: String,
}

/// Kinds of [`Event`]s.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventKind {
    /// It began.
    Opened,
    /// It came back.
    Reopened,
    /// An alert fires.
    AlertFiring,
    /// An alert is over.
    AlertResolved,
    /// Alerts are counted from here on.
    AlertsCounted,
    /// Logs were added.
    LogsAdded,
    /// The verdict is another one.
    Verdict,
    /// Somebody took it on.
    Acknowledged,
    /// Whoever had taken it on, in the sender's own interface, left it again.
    Left,
    /// Somebody got it.
    Assigned,
    /// Its severity changed.
    Severity,
    /// Users no longer suffer.
    Mitigated,
    /// It is over.
    Resolved,
    /// Somebody said what it was and what fixed it, after it was over.
    Explained,
    /// Somebody said what the cause really was.
    Corrected,
    /// It comes and goes.
    Flapping,
    /// What fixed it was learned.
    Learned,
    /// Somebody wants a ticket.
    TicketWanted,
    /// A ticket was opened.
    TicketOpened,
    /// There was an open ticket already.
    TicketFound,
    /// A ticket came on, or somebody else has it.
    TicketChanged,
    /// Something about a ticket changed that is seen on the card.
    TicketNoted,
    /// A ticket that was done is not any more.
    TicketReopened,
    /// A ticket is gone.
    TicketGone,
    /// Something about a ticket will not be done.
    TicketRefused,
    /// Somebody wrote something below a ticket.
    Commented,
    /// A pull request names it.
    PullOpened,
    /// A fix was merged.
    PullMerged,
    /// A pull request was closed, and not merged.
    PullClosed,
    /// A fix was taken back.
    PullReverted,
}

/// What the verdict of an incident rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RestsOn {
    /// The words of an alert alone.
    AlertText,
    /// Log lines.
    Logs,
}

/// The verdict in short; the whole one is kept beside the incident.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// Id of the root cause.
    pub root_cause_id: String,
    /// Its title.
    pub root_cause: String,
    /// Calibrated probability.
    pub confidence: f64,
    /// What it rests on.
    pub rests_on: RestsOn,
    /// Whether the cause is in the code.
    #[serde(default)]
    pub is_code_related: bool,
}

/// How many alerts there were.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counters {
    /// Alerts, each firing of each counted once.
    pub alerts: u64,
    /// Those that fire now.
    pub firing: u64,
    /// Notifications, repeated ones included.
    pub notifications: u64,
    /// Alerts that their senders left out for their number.
    pub omitted: u64,
    /// Times somebody pasted logs of it.
    pub pastes: u64,
}

/// The same failure before this incident.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Earlier {
    /// How many incidents.
    pub count: u64,
    /// When the first of them began.
    pub since: Time,
    /// The last of them.
    pub last: IncidentId,
    /// What fixed it the last time that somebody said so.
    pub fixed_by: Option<String>,
}

/// What it was and what fixed it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resolution {
    /// What it was.
    pub cause: String,
    /// What fixed it.
    pub fix: String,
}

/// Where an incident lives on a chat platform.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Home {
    /// Where its card is posted.
    pub place: Place,
    /// The card, once it is.
    pub card: Option<MessageRef>,
    /// Whether posting was begun: from then on the platform is asked before anything is posted.
    pub begun: bool,
    /// The revision that the card shows.
    pub shown: u64,
}

/// An incident.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Incident {
    /// Its number.
    pub id: IncidentId,
    /// One line that says what is wrong.
    pub title: String,
    /// Service that it is about.
    pub service: Option<String>,
    /// How bad it is.
    pub severity: Severity,
    /// Whether a person said how bad: then no alert changes it.
    pub severity_is_said: bool,
    /// Where it is in its life.
    pub state: State,
    /// Who brought it there.
    #[serde(default)]
    pub state_by: Option<Actor>,
    /// Who looks after it.
    pub owner: Option<String>,
    /// When it began.
    pub opened_at: Time,
    /// When it last changed.
    pub updated_at: Time,
    /// When it was first taken on.
    pub acknowledged_at: Option<Time>,
    /// When users no longer suffered.
    pub mitigated_at: Option<Time>,
    /// When it was over.
    pub resolved_at: Option<Time>,
    /// How often it came back.
    pub reopened: u64,
    /// When it was over lately, at most [`FLAPS`] times.
    pub lately_resolved: Vec<Time>,
    /// Whether it comes and goes.
    pub flapping: bool,
    /// Where its alerts and logs came from.
    pub sources: BTreeSet<String>,
    /// Labels that all of its alerts have.
    pub labels: BTreeMap<String, String>,
    /// What was measured when an alert last fired.
    pub values: BTreeMap<String, String>,
    /// Pages to look at, as label → address.
    pub links: BTreeMap<String, String>,
    /// How many alerts there were.
    pub counters: Counters,
    /// What tells the failure from others.
    pub signature: Vec<u64>,
    /// The verdict in short.
    pub verdict: Option<Verdict>,
    /// Id of the root cause that a person said.
    pub corrected: Option<String>,
    /// The same failure before.
    pub earlier: Option<Earlier>,
    /// What it was and what fixed it.
    pub resolution: Option<Resolution>,
    /// Where it lives, by platform.
    pub homes: BTreeMap<String, Home>,
    /// Threads about it besides that of its card: platform and place.
    #[serde(default)]
    pub threads: Vec<(String, Place)>,
    /// What is followed for it outside.
    #[serde(default)]
    pub followed: Followed,
    /// Counted up with every change.
    pub revision: u64,
    /// Events in its timeline.
    pub events: u64,
    /// Events of single alerts among them.
    pub alert_events: u64,
}

/// One firing of one alert.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlertRecord {
    /// Incident that it is in.
    pub incident: IncidentId,
    /// Fingerprint of the alert.
    pub fingerprint: String,
    /// When it began: as its sender says, or when it arrived.
    pub starts_at: String,
    /// When it ended.
    pub ends_at: Option<String>,
    /// Whether it goes on.
    pub status: AlertStatus,
    /// Its title.
    pub title: String,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// Name of the format it came in.
    pub source: String,
    /// Notifications about it.
    pub times: u64,
    /// Number of the last delivery that told of it; deliveries are numbered as they arrive.
    pub delivery: u64,
    /// When the last one came.
    pub last_at: Time,
}

/// A change under way: the incident as it will be, and what happened to it.
pub struct Change {
    /// The incident as it will be.
    pub incident: Incident,
    /// What happened.
    pub events: Vec<Event>,
    by: Actor,
    at: Time,
}

impl Incident {
    /// A new incident, before anything happened to it.
    #[must_use]
    pub fn new(id: IncidentId, title: &str, severity: Severity, at: Time) -> Self {
        Self {
            id,
            title: title.to_owned(),
            service: None,
            severity,
            severity_is_said: false,
            state: State::Open,
            state_by: None,
            owner: None,
            opened_at: at,
            updated_at: at,
            acknowledged_at: None,
            mitigated_at: None,
            resolved_at: None,
            reopened: 0,
            lately_resolved: Vec::new(),
            flapping: false,
            sources: BTreeSet::new(),
            labels: BTreeMap::new(),
            values: BTreeMap::new(),
            links: BTreeMap::new(),
            counters: Counters::default(),
            signature: Vec::new(),
            verdict: None,
            corrected: None,
            earlier: None,
            resolution: None,
            homes: BTreeMap::new(),
            threads: Vec::new(),
            followed: Followed::default(),
            revision: 0,
            events: 0,
            alert_events: 0,
        }
    }

    /// Whether it is not over.
    #[must_use]
    pub fn is_active(&self) -> bool {
        self.state != State::Resolved
    }

    /// How long it lasted, or lasts at `now`.
    #[must_use]
    pub fn duration(&self, now: Time) -> chrono::Duration {
        self.resolved_at.unwrap_or(now) - self.opened_at
    }

    /// Begins a change of it by `by`.
    #[must_use]
    pub fn change(self, by: &Actor, at: Time) -> Change {
        // A clock that was set back must not make an incident older than it was.
        let at = at.max(self.updated_at);
        Change { incident: self, events: Vec::new(), by: by.clone(), at }
    }
}

impl Change {
    /// Ends the change: the incident with a new revision, and its events.
    #[must_use]
    pub fn end(mut self) -> (Incident, Vec<Event>) {
        self.incident.revision += 1;
        self.incident.updated_at = self.at;
        (self.incident, self.events)
    }

    /// Who makes it.
    #[must_use]
    pub fn by(&self) -> &Actor {
        &self.by
    }

    /// Notes that something happened.
    pub fn note(&mut self, kind: EventKind, text: impl Into<String>) {
        self.events.push(Event { at: self.at, by: self.by.clone(), kind, text: text.into() });
    }

    /// Notes that an alert fires or is over; of very many, only their number is kept.
    fn note_alert(&mut self, kind: EventKind, title: &str) {
        self.incident.alert_events += 1;
        match self.incident.alert_events {
            ..=MAX_ALERT_EVENTS => self.note(kind, title),
            n if n == MAX_ALERT_EVENTS + 1 => {
                self.note(EventKind::AlertsCounted, "further alerts are counted, not listed");
            }
            _ => {}
        }
    }

    /// An alert fires for the first time, in this firing of it.
    pub fn fires(&mut self, alert: &Alert) {
        self.incident.counters.alerts += 1;
        self.incident.counters.firing += 1;
        self.takes_in(alert);
        self.note_alert(EventKind::AlertFiring, &alert.title);
        if self.incident.state == State::Resolved {
            self.reopen();
        }
    }

    /// An alert goes on. Whether that is news: long after its fix was merged, it is.
    pub fn still_fires(&mut self) -> bool {
        let incident = &self.incident;
        let long_ago = self.at - chrono::Duration::hours(FIX_HOURS);
        let was_fixed = incident.merged_fix().is_some() && incident.resolved_at.is_some_and(|at| at <= long_ago);
        let is_back = incident.state == State::Resolved && was_fixed;
        if is_back {
            self.reopen();
        }
        is_back
    }

    /// An alert was over before anybody heard of it.
    pub fn fired_unnoticed(&mut self, alert: &Alert) {
        self.incident.counters.alerts += 1;
        self.takes_in(alert);
        self.note_alert(EventKind::AlertResolved, &alert.title);
    }

    /// An alert that fired is over. `resolve`: the last one that is over resolves the incident.
    pub fn is_over(&mut self, alert: &Alert, resolve: bool) {
        self.incident.counters.firing = self.incident.counters.firing.saturating_sub(1);
        self.note_alert(EventKind::AlertResolved, &alert.title);
        self.resolve_if_quiet(resolve);
    }

    /// Resolves the incident when none of its alerts fires any more.
    pub fn resolve_if_quiet(&mut self, resolve: bool) {
        if resolve
            && self.incident.counters.firing == 0
            && self.incident.counters.alerts > 0
            && self.incident.is_active()
        {
            self.resolve(None);
        }
    }

    fn takes_in(&mut self, alert: &Alert) {
        let incident = &mut self.incident;
        if incident.counters.alerts <= 1 {
            incident.labels.clone_from(&alert.labels);
        } else {
            incident.labels.retain(|key, value| alert.labels.get(key) == Some(value));
        }
        incident.sources.insert(alert.source.clone());
        incident.service = incident.service.take().or_else(|| alert.service.clone());
        if !alert.values.is_empty() {
            incident.values.clone_from(&alert.values);
        }
        for (label, url) in [("alert", &alert.url), ("runbook", &alert.runbook_url)] {
            if let Some(url) = url {
                incident.links.entry(label.to_owned()).or_insert_with(|| url.clone());
            }
        }
        if let Some(severity) =
            alert.severity.filter(|severity| !incident.severity_is_said && *severity > incident.severity)
        {
            incident.severity = severity;
            if incident.counters.alerts > 1 {
                self.note(EventKind::Severity, severity.name());
            }
        }
    }

    /// It is in another state from now on.
    fn becomes(&mut self, state: State) {
        self.incident.state = state;
        self.incident.state_by = Some(self.by.clone());
    }

    /// It came back.
    pub fn reopen(&mut self) {
        self.becomes(State::Open);
        let incident = &mut self.incident;
        incident.reopened += 1;
        incident.resolved_at = None;
        incident.mitigated_at = None;
        let was_flapping = incident.flapping;
        let lately = self.at - chrono::Duration::hours(FLAP_HOURS);
        incident.lately_resolved.retain(|at| *at >= lately);
        incident.flapping = incident.lately_resolved.len() >= FLAPS;
        let begins = incident.flapping && !was_flapping;
        let times = incident.lately_resolved.len();
        self.note(EventKind::Reopened, "");
        if begins {
            self.note(EventKind::Flapping, format!("it was over and came back {times} times within {FLAP_HOURS} h"));
        }
    }

    /// Somebody looks at it.
    pub fn acknowledge(&mut self) {
        let person = (self.by.name != self.by.by_way_of).then(|| self.by.name.clone());
        if self.incident.state == State::Open {
            self.becomes(State::Acknowledged);
            let incident = &mut self.incident;
            incident.acknowledged_at.get_or_insert(self.at);
            incident.owner = incident.owner.take().or(person);
            self.note(EventKind::Acknowledged, "");
        }
    }

    /// Whoever had taken it on at its sender left it again. Whether that changes anything: not when a person here has it.
    pub fn is_left_again(&mut self) -> bool {
        let was_taken = self.incident.state == State::Acknowledged && self.incident.owner.is_none();
        if was_taken {
            self.becomes(State::Open);
            self.note(EventKind::Left, "");
        }
        was_taken
    }

    /// Somebody shall look after it.
    pub fn assign(&mut self, owner: &str) {
        self.incident.owner = Some(owner.to_owned());
        self.note(EventKind::Assigned, owner);
    }

    /// Somebody says how bad it is.
    pub fn set_severity(&mut self, severity: Severity) {
        self.incident.severity = severity;
        self.incident.severity_is_said = true;
        self.note(EventKind::Severity, severity.name());
    }

    /// Users no longer suffer.
    pub fn mitigate(&mut self) {
        self.becomes(State::Mitigated);
        self.incident.mitigated_at = Some(self.at);
        self.note(EventKind::Mitigated, "");
    }

    /// It is over; `resolution` says what it was and what fixed it.
    pub fn resolve(&mut self, resolution: Option<Resolution>) {
        let text = resolution.as_ref().map(|resolution| resolution.fix.clone()).unwrap_or_default();
        let incident = &mut self.incident;
        if incident.state == State::Resolved {
            incident.resolution = resolution.or_else(|| incident.resolution.take());
            self.note(EventKind::Explained, text);
            return;
        }
        self.becomes(State::Resolved);
        let incident = &mut self.incident;
        incident.resolved_at = Some(self.at);
        incident.lately_resolved.push(self.at);
        let surplus = incident.lately_resolved.len().saturating_sub(FLAPS);
        incident.lately_resolved.drain(..surplus);
        incident.resolution = resolution.or_else(|| incident.resolution.take());
        self.note(EventKind::Resolved, text);
    }

    /// Somebody says what the root cause really is.
    pub fn correct(&mut self, root_cause_id: &str, title: &str) {
        self.incident.corrected = Some(root_cause_id.to_owned());
        self.note(EventKind::Corrected, title);
    }
}

#[cfg(test)]
mod tests;
