//! What follows from a change of an incident, written in one transaction with it: its card is shown anew, and what people
//! should notice is said in its thread.

use clew_adapters::alerts::Severity;

use crate::clock::Time;
use crate::incident::{Change, Event, EventKind, Home, Incident};
use crate::queue::Work;
use crate::store::{Batch, StoreError};
use crate::tickets;
use crate::words;

/// Writes a change with all that follows from it.
///
/// # Errors
/// When the store fails.
pub fn record(batch: &mut Batch<'_>, change: Change, at: Time) -> Result<Incident, StoreError> {
    let (incident, events) = change.end();
    let first = incident.events;
    let incident = batch.incident(incident, &events)?;
    show(batch, &incident, at)?;
    for (number, event) in (first + 1..).zip(&events) {
        tickets::tell(batch, &incident, number, event, at)?;
        if let Some(sentence) = worth_a_sentence(&incident, event, &events) {
            for (platform, home) in &incident.homes {
                let key = key_of(batch, &[platform, &incident.id.to_string(), &number.to_string()]);
                let work = Work::SayInThread {
                    incident: incident.id,
                    platform: platform.clone(),
                    channel: home.place.channel.clone(),
                    text: sentence.clone(),
                    key,
                };
                batch.job(work, false, at)?;
            }
        }
    }
    Ok(incident)
}

/// Has the card of an incident shown as the incident now is, wherever it lives.
///
/// # Errors
/// When the store fails.
pub fn show(batch: &mut Batch<'_>, incident: &Incident, at: Time) -> Result<(), StoreError> {
    for (platform, home) in &incident.homes {
        let work =
            Work::PostCard { incident: incident.id, platform: platform.clone(), channel: home.place.channel.clone() };
        batch.job(work, is_first_of_critical(incident, home), at)?;
    }
    Ok(())
}

/// Has all that is known of an incident shown in the thread of its card on `platform`, once in each state of it.
///
/// # Errors
/// When the store fails.
pub fn show_details(batch: &mut Batch<'_>, incident: &Incident, platform: &str, at: Time) -> Result<(), StoreError> {
    let Some(home) = incident.homes.get(platform) else { return Ok(()) };
    for part in 0..crate::card::DETAILS {
        let revision = incident.revision.to_string();
        let key = key_of(batch, &["details", platform, &incident.id.to_string(), &revision, &part.to_string()]);
        let work = Work::Details {
            incident: incident.id,
            platform: platform.to_owned(),
            channel: home.place.channel.clone(),
            part,
            key,
        };
        batch.job(work, false, at)?;
    }
    Ok(())
}

/// The name of a message, which nobody else's messages have.
#[must_use]
pub fn key_of(batch: &Batch<'_>, parts: &[&str]) -> String {
    batch.store.name_of(parts)
}

/// The first message of a critical incident overtakes the rest.
fn is_first_of_critical(incident: &Incident, home: &Home) -> bool {
    incident.severity == Severity::Critical && home.card.is_none()
}

/// What is said in the thread, where people are called to it, and not only shown on the card.
fn worth_a_sentence(incident: &Incident, event: &Event, all: &[Event]) -> Option<clew_adapters::chat::Rich> {
    match event.kind {
        EventKind::Reopened if all.iter().any(|event| event.kind == EventKind::PullReverted) => None,
        // That it is over says by what.
        EventKind::PullMerged if all.iter().any(|event| event.kind == EventKind::Resolved) => None,
        EventKind::Flapping => Some(words::flapping(incident)),
        // What comes and goes was said to do so; it is not said each time.
        EventKind::Resolved | EventKind::Reopened if incident.flapping && event.by.name != incident_person(event) => {
            None
        }
        EventKind::Resolved => Some(words::resolved(incident, event)),
        EventKind::Reopened => Some(words::reopened(incident, event)),
        EventKind::Verdict => Some(words::verdict_changed(incident)),
        EventKind::Corrected => Some(words::corrected(event)),
        _ => words::followed(incident, event),
    }
}

/// The name of the person behind an event; alerts and the bot itself are no persons.
fn incident_person(event: &Event) -> &str {
    if event.by.name == event.by.by_way_of { "" } else { &event.by.name }
}
