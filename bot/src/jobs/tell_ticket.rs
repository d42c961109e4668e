//! Tells the ticket of an incident what happened to it.

use std::sync::Arc;
use std::time::Duration;

use clew_adapters::Error;
use clew_adapters::trackers::{Category, Change, Tracker};

use super::follow_ticket::{After, look};
use super::open_ticket::trouble_of;
use crate::app::App;
use crate::clock;
use crate::config::Config;
use crate::incident::{Actor, Event, EventKind, Incident, IncidentId};
use crate::ledger;
use crate::queue::{Did, Job, JobError, Work};
use crate::store::StoreError;
use crate::words;

/// How long it waits for a ticket that is being opened.
const WAIT_FOR_TICKET: Duration = Duration::from_secs(1);

/// Tells it, as far as the settings say.
///
/// # Errors
/// When the tracker or the store fails.
pub async fn run(app: &Arc<App>, job: &Job, id: IncidentId, name: &str, number: u64) -> Result<Did, JobError> {
    let Some(incident) = app.store.incident(id)? else { return Ok(Did::Nothing) };
    let Some(linked) = incident.followed.tickets.get(name) else { return Ok(Did::Nothing) };
    let Some(ticket) = &linked.ticket else {
        return if linked.is_pending() { Err(JobError::Later(WAIT_FOR_TICKET)) } else { Ok(Did::Nothing) };
    };
    let events = app.store.events(id, number.saturating_sub(2), 2)?.items;
    let Some((_, event)) = events.iter().find(|(at, _)| *at == number) else { return Ok(Did::Nothing) };
    let before = events.iter().find(|(at, _)| *at + 1 == number).map(|(_, event)| event.kind);
    let tracker = super::tracker(app, name)?;
    app.store.kept().await?;
    let others = others(app, id, name, &ticket.key)?;
    let changes = changes(app, &incident, name, number, event, before, others);
    // What a person did there meanwhile still counts.
    let is_own = changes.iter().any(|change| matches!(change, Change::Move(_)));
    for change in changes {
        if let Err(error) = tracker.change(&ticket.key, &change).await {
            return failed(app, job, id, name, error);
        }
    }
    app.store.change(|batch| clear_trouble(batch, id, name))?;
    look(app, name, &ticket.key, if is_own { After::OwnChange } else { After::News }).await?;
    Ok(Did::Work)
}

/// What follows from an event for a ticket. `others`: whether another incident of it is not over.
fn changes(
    app: &App,
    incident: &Incident,
    tracker: &str,
    number: u64,
    event: &Event,
    before: Option<EventKind>,
    others: bool,
) -> Vec<Change> {
    let config = app.config();
    let came_from_there = event.by.by_way_of == tracker;
    // A merge says it all, and is told by itself.
    let by_merge = before == Some(EventKind::PullMerged);
    let by_itself = event.by.name == event.by.by_way_of;
    let text = match event.kind {
        // What comes and goes was noted once.
        EventKind::Resolved | EventKind::Reopened if incident.flapping && by_itself => None,
        EventKind::Resolved | EventKind::Explained if came_from_there || by_merge => None,
        EventKind::Resolved => Some(words::resolved(incident, event)),
        EventKind::Explained => Some(words::explained(event)),
        EventKind::Reopened => Some(words::reopened(incident, event)),
        EventKind::TicketFound => Some(words::seen_again(incident, app.link_anywhere(incident.id))),
        EventKind::PullMerged | EventKind::PullReverted => words::of_pull(incident, event),
        _ => None,
    };
    let name = match event.kind {
        // Several incidents of one ticket tell of it once.
        EventKind::PullMerged | EventKind::PullReverted => app.store.name_of(&["pull", tracker, &event.text]),
        _ => app.store.name_of(&["ticket", tracker, &incident.id.to_string(), &number.to_string()]),
    };
    let comment = text.map(|text| Change::Comment { text, name });
    let moved = moves(&config, incident, event, came_from_there).filter(|_| {
        // A ticket is over with the last of its incidents, unless its fix is in.
        !others || event.kind != EventKind::Resolved
    });
    comment.into_iter().chain(moved).collect()
}

/// Whether another incident of a ticket is not over.
fn others(app: &App, id: IncidentId, name: &str, key: &str) -> Result<bool, StoreError> {
    for other in app.store.incidents_of_ticket(name, key)? {
        if other != id && app.store.incident(other)?.is_some_and(|other| other.is_active()) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Where the ticket goes.
fn moves(config: &Config, incident: &Incident, event: &Event, came_from_there: bool) -> Option<Change> {
    let by_person = event.by.name != event.by.by_way_of;
    match event.kind {
        // It may have been taken back meanwhile, or come again, or another fix is to come.
        EventKind::PullMerged if incident.merged_fix().is_some() && !incident.awaits_fix() => {
            Some(Change::Move(Category::Done))
        }
        EventKind::PullReverted if incident.merged_fix().is_none() => Some(Change::Move(Category::ToDo)),
        EventKind::Resolved if config.tickets.close_with_incident && by_person && !came_from_there => {
            // It may have come back meanwhile.
            (!incident.is_active()).then_some(Change::Move(Category::Done))
        }
        _ => None,
    }
}

fn failed(app: &App, job: &Job, id: IncidentId, name: &str, error: Error) -> Result<Did, JobError> {
    let gone = matches!(error, Error::Gone(_));
    let error = JobError::from(error);
    let trouble = match &error {
        _ if gone => None,
        error => trouble_of(app, job, error),
    };
    app.store.change(|batch| {
        let Some(incident) = batch.store.incident(id)? else { return Ok(()) };
        let now = clock::now();
        let mut change = incident.change(&Actor::bot(), now);
        let Some(linked) = change.incident.followed.tickets.get_mut(name) else { return Ok(()) };
        let key = linked.ticket.as_ref().map(|ticket| ticket.key.clone()).unwrap_or_default();
        match trouble {
            None => return batch.job(Work::FollowTicket { tracker: name.to_owned(), key }, false, now),
            Some(trouble) => {
                let refused = trouble.next.is_none().then(|| format!("{key}: {}", trouble.why));
                linked.trouble = Some(trouble);
                if let Some(refused) = refused {
                    change.note(EventKind::TicketRefused, refused);
                }
            }
        }
        ledger::record(batch, change, now).map(drop)
    })?;
    if gone { Ok(Did::Nothing) } else { Err(error) }
}

/// What was in the way is not any more.
fn clear_trouble(batch: &mut crate::store::Batch<'_>, id: IncidentId, name: &str) -> Result<(), StoreError> {
    let Some(incident) = batch.store.incident(id)? else { return Ok(()) };
    let now = clock::now();
    let mut change = incident.change(&Actor::bot(), now);
    match change.incident.followed.tickets.get_mut(name) {
        Some(linked) if linked.trouble.is_some() => linked.trouble = None,
        _ => return Ok(()),
    }
    ledger::record(batch, change, now).map(drop)
}
