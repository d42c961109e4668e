//! Incidents that people open, or add to.

use std::collections::BTreeMap;

use clew_adapters::alerts::Severity;
use clew_adapters::chat::Place;
use clew_adapters::code::Frame;

use crate::analysis::{Analysis, Subject};
use crate::app::App;
use crate::clock;
use crate::identity::{self, Traits, Window};
use crate::incident::{Actor, EventKind, Home, Incident, RestsOn};
use crate::jobs::adopt;
use crate::ledger;
use crate::store::{Batch, StoreError};

/// Threads besides that of its card that are known to be about one incident.
const MAX_THREADS: usize = 200;

/// Notes that a thread is about an incident.
///
/// # Errors
/// When the store fails.
pub fn link_thread(
    batch: &mut Batch<'_>,
    incident: &mut Incident,
    platform: &str,
    thread: &Place,
) -> Result<(), StoreError> {
    let known = (platform.to_owned(), thread.clone());
    if thread.thread.is_none() || incident.threads.len() >= MAX_THREADS || incident.threads.contains(&known) {
        return Ok(());
    }
    incident.threads.push(known);
    batch.thread(platform, thread, incident.id)?;
    batch.incident(incident.clone(), &[]).map(drop)
}

/// An incident that a person opens, or adds to.
pub struct Opening {
    /// One line that says what is wrong.
    pub title: String,
    /// How bad it is, if that is said.
    pub severity: Option<Severity>,
    /// Where it comes from.
    pub source: String,
    /// Where its card shall live.
    pub homes: BTreeMap<String, Home>,
    /// What is known of it.
    pub subject: Subject,
    /// The verdict on that.
    pub analysis: Analysis,
    /// The line of code that somebody named.
    pub frame: Option<Frame>,
}

/// Opens an incident, or adds to the one with the same failure. Says whether it is new.
///
/// # Errors
/// When the store fails.
pub fn open(app: &App, batch: &mut Batch<'_>, by: &Actor, opening: &Opening) -> Result<(Incident, bool), StoreError> {
    let now = clock::now();
    let (subject, analysis) = (&opening.subject, &opening.analysis);
    let traits = Traits {
        alert: None,
        is_post: false,
        service: subject.service.as_deref(),
        labels: &subject.labels,
        signature: &analysis.signature,
    };
    let window = Window::until(now, app.config().incidents.reopen_hours);
    let known = identity::incident_of(batch.store, &traits, window)?;
    let is_new = known.is_none();
    let mut change = if let Some(incident) = known {
        let was_active = incident.is_active();
        let mut change = incident.change(by, now);
        // Seen on another platform, it lives there, too.
        for (platform, home) in &opening.homes {
            change.incident.homes.entry(platform.clone()).or_insert_with(|| home.clone());
        }
        change.note(EventKind::LogsAdded, format!("{} lines", analysis.whole["counts"]["lines"]));
        if !was_active {
            change.reopen();
        }
        let rested = change.incident.verdict.as_ref().map(|verdict| verdict.rests_on);
        if rested != Some(RestsOn::Logs) {
            adopt(app, batch, &mut change, analysis)?;
        }
        change
    } else {
        let severity = opening.severity.unwrap_or(Severity::Medium);
        let incident = Incident {
            service: subject.service.clone(),
            labels: subject.labels.clone(),
            homes: opening.homes.clone(),
            earlier: identity::earlier(batch.store, &traits, window)?,
            severity_is_said: opening.severity.is_some(),
            ..Incident::new(batch.next_incident()?, &opening.title, severity, now)
        };
        let mut change = incident.change(by, now);
        change.note(EventKind::Opened, opening.title.clone());
        adopt(app, batch, &mut change, analysis)?;
        change
    };
    if opening.frame.is_some() {
        change.incident.followed.frame.clone_from(&opening.frame);
    }
    change.incident.counters.pastes += 1;
    change.incident.sources.insert(opening.source.clone());
    Ok((ledger::record(batch, change, now)?, is_new))
}

/// The line that tells most, as the title of an incident that has none.
pub fn title_of(analysis: &Analysis) -> String {
    let line =
        |list: &str| analysis.whole[list][0]["text"].as_str().and_then(|text| text.lines().next()).map(str::to_owned);
    let line = line("evidence").or_else(|| line("anomalies")).unwrap_or_else(|| analysis.verdict.root_cause.clone());
    let message = clew_pipeline::logs::message_of(&line);
    let longest = 120;
    if message.chars().count() <= longest {
        return message;
    }
    message.chars().take(longest - 1).chain(['…']).collect()
}
