//! What tickets and pull requests have to do with incidents. Decides and writes; the jobs ask the systems outside.

use clew_adapters::code::mentions::{Name, mentions, reverts};
use clew_adapters::code::{Pull, PullState};
use clew_adapters::trackers::Tracker as _;

use crate::app::App;
use crate::clock::Time;
use crate::config::Automatic;
use crate::identity;
use crate::incident::{Actor, Change, Event, EventKind, Incident, IncidentId, LinkedTicket};
use crate::queue::Work;
use crate::store::{Batch, Store, StoreError};

/// Somebody wants a ticket for an incident: it is opened as soon as its tracker lets it be.
pub fn want(change: &mut Change, tracker: &str, by: &Actor, at: Time) {
    let before = change.incident.followed.tickets.remove(tracker).filter(|linked| linked.ticket.is_none());
    // One that was tried before may be there, whatever came back.
    let (marker, begun) = before.map(|linked| (linked.marker, linked.begun)).unwrap_or_default();
    let linked = LinkedTicket { marker, begun, ..LinkedTicket::wanted(by, at) };
    change.incident.followed.tickets.insert(tracker.to_owned(), linked);
    change.note(EventKind::TicketWanted, tracker);
}

/// Wants a ticket for an incident whose cause is in the code, when the settings say so.
pub fn consider(app: &App, change: &mut Change, at: Time) {
    let is_code_related = change.incident.verdict.as_ref().is_some_and(|verdict| verdict.is_code_related);
    let wanted = app.config().tickets.automatic == Automatic::On && is_code_related;
    if wanted && change.incident.followed.tickets.is_empty() {
        let tracker = app.default_tracker();
        want(change, tracker, &Actor::bot(), at);
    }
}

/// Whether a ticket of `tracker` can be opened for an incident; if not, why.
#[must_use]
pub fn why_not(incident: &Incident, tracker: &str) -> Option<String> {
    let linked = incident.followed.tickets.get(tracker)?;
    match &linked.ticket {
        Some(ticket) if linked.is_open() => Some(format!("{} has {} already.", incident.id, ticket.key)),
        // It is done, and the failure is back: a new one makes sense.
        Some(_) if incident.is_active() => None,
        Some(ticket) => Some(format!("{} has {} already, and both are over.", incident.id, ticket.key)),
        None if linked.is_pending() => Some(format!("The ticket of {} is being opened.", incident.id)),
        None => None,
    }
}

/// Has the tickets of an incident told what happened to it.
///
/// # Errors
/// When the store fails.
pub fn tell(
    batch: &mut Batch<'_>,
    incident: &Incident,
    number: u64,
    event: &Event,
    at: Time,
) -> Result<(), StoreError> {
    let id = incident.id;
    match event.kind {
        EventKind::TicketWanted => batch.job(Work::OpenTicket { incident: id, tracker: event.text.clone() }, false, at),
        EventKind::Resolved
        | EventKind::Explained
        | EventKind::Reopened
        | EventKind::TicketFound
        | EventKind::PullMerged
        | EventKind::PullReverted => {
            for (tracker, linked) in &incident.followed.tickets {
                let is_meant = event.kind != EventKind::TicketFound || event.text.split(' ').next() == Some(tracker);
                if is_meant && (linked.ticket.is_some() || linked.is_pending()) {
                    batch.job(Work::TellTicket { incident: id, tracker: tracker.clone(), event: number }, false, at)?;
                }
            }
            Ok(())
        }
        _ => Ok(()),
    }
}

/// An open ticket in `tracker` that an earlier incident with the same failure has.
///
/// # Errors
/// When the store fails.
pub fn known_open(store: &Store, incident: &Incident, tracker: &str) -> Result<Option<String>, StoreError> {
    let mut keys = identity::others(store, incident)?.into_iter().filter_map(|other| {
        let linked = other.followed.tickets.get(tracker).filter(|linked| linked.is_open())?;
        Some(linked.ticket.as_ref()?.key.clone())
    });
    Ok(keys.next())
}

/// Names in one pull request that count: anybody may write them.
const MENTIONS: usize = 20;

/// An incident that a pull request has to do with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Named {
    /// Which.
    pub incident: IncidentId,
    /// Whether the pull request says that it fixes it.
    pub fixes: bool,
}

/// The incidents that a pull request names, itself or by their tickets. What was over before an incident began has nothing to do
/// with it: a number may have meant something else then.
///
/// # Errors
/// When the store fails.
pub fn named_by(app: &App, pull: &Pull) -> Result<Vec<Named>, StoreError> {
    let mut found: Vec<Named> = Vec::new();
    for mention in mentions(pull).into_iter().take(MENTIONS) {
        for id in incidents_of(app, &mention.name)? {
            match found.iter_mut().find(|named| named.incident == id) {
                Some(named) => named.fixes |= mention.fixes,
                None => found.push(Named { incident: id, fixes: mention.fixes }),
            }
        }
    }
    let mut named = Vec::new();
    for one in found {
        let incident = app.store.incident(one.incident)?;
        let began = incident.map(|incident| incident.opened_at.to_rfc3339_opts(chrono::SecondsFormat::Millis, true));
        let over = pull.over_at.as_ref().unwrap_or(&pull.updated_at);
        let is_open = matches!(pull.state, PullState::Open | PullState::Draft);
        // The host of the code counts in seconds.
        if began.is_some_and(|began| is_open || over.get(..19) >= began.get(..19)) {
            named.push(one);
        }
    }
    Ok(named)
}

fn incidents_of(app: &App, name: &Name) -> Result<Vec<IncidentId>, StoreError> {
    match name {
        Name::Key(key) => {
            for tracker in app.trackers() {
                let incidents = app.store.incidents_of_ticket(tracker.name(), key)?;
                if !incidents.is_empty() {
                    return Ok(incidents);
                }
            }
            let own = key.starts_with("INC-").then(|| key.parse().ok()).flatten();
            Ok(own.into_iter().collect())
        }
        Name::Issue { repo, number } => match app.code().and_then(|code| code.tracker_of(repo)) {
            Some(tracker) => app.store.incidents_of_ticket(tracker, &number.to_string()),
            None => Ok(Vec::new()),
        },
    }
}

/// The pull request that this one takes back, once it is merged.
#[must_use]
pub fn taken_back(pull: &Pull) -> Option<(String, u64)> {
    (pull.state == PullState::Merged && pull.into_default).then(|| reverts(pull)).flatten()
}
