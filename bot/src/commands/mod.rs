//! What people can do to an incident. A button, a typed word and a call of the API take one path.

mod answers;
mod forms;
mod opening;
mod parse;
mod talk;

use std::sync::Arc;

use clew_adapters::alerts::Severity;
use clew_adapters::chat::{ChatEvent, ChatPlatform as _};
use clew_pipeline::root_cause::label::{LABELS, LabelIndex, by_name};

use crate::analysis::{self, Subject};
use crate::app::App;
use crate::clock;
use crate::incident::{Actor, Change, EventKind, Incident, IncidentId, Resolution, RestsOn, State};
use crate::jobs::adopt;
use crate::ledger;
use crate::queue::Work;
use crate::store::{Batch, StoreError};
use crate::tickets;
use crate::words;

pub use forms::{asks, form, triage_form};
pub use opening::{Opening, link_thread, open, title_of};
pub use parse::{Command, HELP, Report, asks_to_triage, begins_with_a_command, parse};
pub use talk::{Gathered, Heard, accept_post, hear, is_destructive, logs_in, thread_of};

/// Longest name, cause and fix that are kept, in characters.
const MAX_WORDS: usize = 2_000;

/// Something that is done to an incident.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// I look at it.
    Acknowledge,
    /// They shall look after it.
    Assign(String),
    /// It is this bad.
    SetSeverity(Severity),
    /// Users no longer suffer.
    Mitigate,
    /// It is over.
    Resolve(Option<Resolution>),
    /// It is not over.
    Reopen,
    /// The root cause is another one.
    Correct(LabelIndex),
    /// Here are logs of it.
    AddLogs(String),
    /// It needs a ticket, in this tracker.
    OpenTicket(String),
}

impl Action {
    /// Whether it cannot simply be taken back: it ends an incident, or teaches the next ones.
    #[must_use]
    pub fn is_destructive(&self) -> bool {
        matches!(self, Self::Resolve(_) | Self::Correct(_))
    }
}

/// Why something was not done, for the person who asked for it.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Refusal {
    /// There is no such incident.
    #[error("there is no {0}; `list` shows the open ones")]
    NoIncident(IncidentId),
    /// It does not fit what was asked.
    #[error("{what}")]
    DoesNotFit {
        /// Name of the field that is wrong.
        field: &'static str,
        /// What is wrong and what to do.
        what: String,
    },
    /// They may not.
    #[error("only members of the group that the settings name may do this; ask one of them")]
    NotAllowed,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Refusal {
    /// `field` is wrong.
    #[must_use]
    pub fn field(field: &'static str, what: impl Into<String>) -> Self {
        Self::DoesNotFit { field, what: what.into() }
    }
}

/// What came of an action.
#[derive(Debug, Clone)]
pub struct Done {
    /// The incident as it now is.
    pub incident: Incident,
    /// What to tell the person who asked, when that is not seen on the card: it was so already.
    pub already: Option<String>,
}

/// Does `action` to an incident. `also` is written in the same transaction. On disk before anyone is told: the caller
/// flushes.
///
/// # Errors
/// When there is no such incident, it does not fit, or the store fails.
pub fn act(
    app: &Arc<App>,
    id: IncidentId,
    by: &Actor,
    action: &Action,
    also: &dyn Fn(&mut Batch<'_>, &Done) -> Result<(), StoreError>,
) -> Result<Done, Refusal> {
    let action = &match action {
        Action::OpenTicket(name) => Action::OpenTicket(tracker(app, name)?),
        other => other.clone(),
    };
    let analysis = match action {
        Action::AddLogs(logs) => Some(analysis::analyse(app, &with_logs(app, id, logs)?)),
        _ => None,
    };
    app.store.change(|batch| {
        let incident = batch.store.incident(id)?.ok_or(Refusal::NoIncident(id))?;
        let now = clock::now();
        if let Some(already) = already(&incident, action) {
            let done = Done { incident, already: Some(already) };
            also(batch, &done)?;
            return Ok(done);
        }
        let was_resolved = incident.resolution.clone();
        let mut change = incident.change(by, now);
        apply(app, &mut change, action);
        if let Some(analysis) = &analysis {
            change.incident.counters.pastes += 1;
            change.note(EventKind::LogsAdded, format!("{} lines", analysis.whole["counts"]["lines"]));
            adopt(app, batch, &mut change, analysis)?;
        }
        let incident = ledger::record(batch, change, now)?;
        if incident.resolution.is_some()
            && (incident.resolution != was_resolved || matches!(action, Action::Correct(_)))
        {
            batch.job(Work::Learn { incident: id }, false, now)?;
        }
        let done = Done { incident, already: None };
        also(batch, &done)?;
        Ok(done)
    })
}

/// What was said and pasted about an incident before, with `logs` after it.
fn with_logs(app: &App, id: IncidentId, logs: &str) -> Result<Subject, Refusal> {
    let incident = app.store.incident(id)?.ok_or(Refusal::NoIncident(id))?;
    let known = app.store.text(id)?;
    Ok(Subject {
        text: format!("{known}\n{logs}"),
        title: incident.title,
        service: incident.service,
        labels: incident.labels,
        rests_on: Some(RestsOn::Logs),
    })
}

/// What to say when it is so already: a second click, or somebody was faster.
fn already(incident: &Incident, action: &Action) -> Option<String> {
    let id = incident.id;
    let owner = || incident.owner.as_deref().unwrap_or("somebody");
    match action {
        Action::Acknowledge if incident.state != State::Open => {
            Some(format!("{id} is {} already, with {}.", incident.state.name(), owner()))
        }
        Action::Assign(who) if incident.owner.as_ref() == Some(who) => Some(format!("{id} is with {who} already.")),
        Action::SetSeverity(severity) if incident.severity == *severity && incident.severity_is_said => {
            Some(format!("{id} is {} already.", severity.name()))
        }
        Action::Mitigate if matches!(incident.state, State::Mitigated | State::Resolved) => {
            Some(format!("{id} is {} already.", incident.state.name()))
        }
        Action::Resolve(None) if !incident.is_active() => Some(format!("{id} is resolved already.")),
        Action::Resolve(resolution) if !incident.is_active() && incident.resolution == *resolution => {
            Some(format!("{id} is resolved already, with these words."))
        }
        Action::Reopen if incident.is_active() => Some(format!("{id} is {}; it is not over.", incident.state.name())),
        Action::Correct(label) if incident.corrected.as_deref() == Some(LABELS[*label].id) => {
            Some(format!("{id} has this root cause already."))
        }
        Action::OpenTicket(tracker) => tickets::why_not(incident, tracker),
        _ => None,
    }
}

fn apply(app: &App, change: &mut Change, action: &Action) {
    match action {
        Action::Acknowledge => change.acknowledge(),
        Action::Assign(who) => change.assign(who),
        Action::SetSeverity(severity) => change.set_severity(*severity),
        Action::Mitigate => change.mitigate(),
        Action::Resolve(resolution) => change.resolve(resolution.clone()),
        Action::Reopen => change.reopen(),
        Action::Correct(label) => {
            let said = change.incident.verdict.as_ref().map_or("unknown", |verdict| verdict.root_cause_id.as_str());
            app.metrics.feedback.with_label_values(&[said, LABELS[*label].id]).inc();
            change.correct(LABELS[*label].id, LABELS[*label].title);
        }
        Action::OpenTicket(tracker) => {
            let by = change.by().clone();
            tickets::want(change, tracker, &by, clock::now());
        }
        // What they change comes with their analysis.
        Action::AddLogs(_) => {}
    }
}

/// A root cause by its id or title.
///
/// # Errors
/// When there is none of this name.
pub fn root_cause(name: &str) -> Result<LabelIndex, Refusal> {
    by_name(name.trim()).ok_or_else(|| {
        let ids: Vec<&str> = LABELS.iter().map(|label| label.id).collect();
        Refusal::field("root_cause", format!("there is no root cause {name:?}; these are known: {}", ids.join(", ")))
    })
}

/// A tracker by its name; without a name, the one that the settings say.
///
/// # Errors
/// When there is none of this name.
pub fn tracker(app: &App, name: &str) -> Result<String, Refusal> {
    use clew_adapters::trackers::Tracker;
    let name = name.trim().to_lowercase();
    if name.is_empty() {
        return Ok(app.default_tracker().to_owned());
    }
    let known: Vec<&str> = app.trackers().iter().map(Tracker::name).collect();
    match known.iter().find(|known| **known == name) {
        Some(known) => Ok((*known).to_owned()),
        None => Err(Refusal::field(
            "tracker",
            format!("there is no tracker {name:?} here; these are: {}", known.join(", ")),
        )),
    }
}

/// A severity by its word.
///
/// # Errors
/// When it is none.
pub fn severity(word: &str) -> Result<Severity, Refusal> {
    Severity::from_word(word).ok_or_else(|| {
        Refusal::field("severity", format!("severity is {word:?}; it must be critical, high, medium or low"))
    })
}

/// A person's name or a sentence of theirs: redacted, on one line if it is a name, not longer than is kept.
#[must_use]
pub fn tidy(app: &App, text: &str) -> String {
    let redacted = app.pipeline.redact(text.trim());
    redacted.chars().take(MAX_WORDS).collect()
}

/// The address of an incident's card on the platform where something happened, if it has one there.
fn link_to(app: &App, incident: &Incident, event: &ChatEvent) -> Option<String> {
    let card = incident.homes.get(&event.platform)?.card.as_ref()?;
    app.chat(&event.platform)?.link(card)
}

/// The words of [`Done::already`], or of a refusal, as a reply.
#[must_use]
pub fn say(text: impl Into<String>) -> clew_adapters::chat::Rich {
    words::plain(text)
}
