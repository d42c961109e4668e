//! Opens the ticket of an incident: once, whatever happens meanwhile.
//!
//! Trackers cannot be told the same twice without making two. So it is written down that one is about to be made; from then on
//! the tracker is asked, for as long as its search may lag behind, before another is made.

use std::sync::Arc;
use std::time::Duration;

use clew_adapters::Error;
use clew_adapters::chat::Span;
use clew_adapters::code::{Developer, Frame, Owner};
use clew_adapters::trackers::{Account, Category, Change, Created, Draft, Ticket, Tracker};

use crate::app::App;
use crate::card;
use crate::clock::{self, Time};
use crate::identity;
use crate::incident::{Actor, EventKind, Incident, IncidentId, LinkedTicket, Trouble};
use crate::ledger;
use crate::queue::{Did, Job, JobError, Work, wait_of};
use crate::store::StoreError;
use crate::tickets;

/// How long a ticket waits for the card that it shall lead back to.
const WAIT_FOR_CARD: chrono::Duration = chrono::Duration::seconds(5);
/// Tries after which a ticket is opened without asking further whose it is.
const TRIES_FOR_OWNER: u32 = 3;
/// Time until it is looked how a ticket that was opened is.
const LOOK_AGAIN: chrono::Duration = chrono::Duration::seconds(2);
/// How far the clock of a tracker may be off.
const CLOCKS: chrono::Duration = chrono::Duration::minutes(2);
/// Time beyond that in which a tracker is blind, until it is looked whether somebody else opened a ticket for the same.
const SETTLE: Duration = Duration::from_secs(2);

/// Opens it, and shows on the card when that takes longer or is refused.
///
/// # Errors
/// When it is not open yet.
pub async fn run(app: &Arc<App>, job: &Job, id: IncidentId, name: &str) -> Result<Did, JobError> {
    let outcome = open(app, job, id, name).await;
    if let Some(trouble) = outcome.as_ref().err().and_then(|error| trouble_of(app, job, error)) {
        show_trouble(app, id, name, trouble)?;
    }
    outcome
}

/// What an error means for people: why, and when it is tried again; not at all, when it was the last try.
#[must_use]
pub fn trouble_of(app: &App, job: &Job, error: &JobError) -> Option<Trouble> {
    match error {
        JobError::Retry { why, after, .. } => {
            let is_last = after.is_none() && job.tries + 1 >= app.config().jobs.max_tries;
            let next = clock::now() + chrono::Duration::from_std(wait_of(job, *after)).unwrap_or_default();
            Some(Trouble { why: why.clone(), next: (!is_last).then_some(next) })
        }
        JobError::Fail(why) => Some(Trouble { why: why.clone(), next: None }),
        JobError::Later(_) => None,
    }
}

/// Shows on the card why a ticket is not there yet.
fn show_trouble(app: &App, id: IncidentId, name: &str, trouble: Trouble) -> Result<(), StoreError> {
    app.store.change(|batch| {
        let Some(incident) = batch.store.incident(id)? else { return Ok(()) };
        let now = clock::now();
        let mut change = incident.change(&Actor::bot(), now);
        let Some(linked) = change.incident.followed.tickets.get_mut(name) else { return Ok(()) };
        if linked.ticket.is_some() || linked.trouble.as_ref() == Some(&trouble) {
            return Ok(());
        }
        let is_final = trouble.next.is_none();
        let why = trouble.why.clone();
        linked.trouble = Some(trouble);
        if is_final {
            app.metrics.tickets.with_label_values(&[name, "refused"]).inc();
            change.note(EventKind::TicketRefused, why);
        }
        ledger::record(batch, change, now).map(drop)
    })
}

async fn open(app: &Arc<App>, job: &Job, id: IncidentId, name: &str) -> Result<Did, JobError> {
    let Some(incident) = app.store.incident(id)? else { return Ok(Did::Nothing) };
    let Some(linked) = incident.followed.tickets.get(name).filter(|linked| linked.ticket.is_none()) else {
        return Ok(Did::Nothing);
    };
    let tracker = super::tracker(app, name)?;
    if waits_for_card(app, &incident, job) {
        return Err(JobError::Later(super::WAIT_FOR_CARD));
    }
    let marker = if linked.marker.is_empty() { identity::marker(&incident) } else { linked.marker.clone() };
    if let Some(ticket) = existing(app, tracker, &incident, &marker, name).await? {
        let is_ours =
            linked.begun.zip(clock::parse(&ticket.created_at)).is_some_and(|(begun, at)| at >= begun - CLOCKS);
        let created = Created { ticket, left_out: Vec::new() };
        let linked = LinkedTicket { marker, was_there: !is_ours, ..linked.clone() };
        return keep(app, id, name, linked, created);
    }
    if let Some(wait) = still_blind(linked, tracker.manners().blind_for, clock::now()) {
        return Err(JobError::Later(wait));
    }
    let (assignee, owner) = owner(app, job, tracker, &incident).await?;
    let verdict = app.store.verdict(id)?.unwrap_or_default();
    let draft = Draft {
        marker: marker.clone(),
        assignee,
        ..card::draft(&incident, &verdict, owner.as_deref(), &|id| app.link_anywhere(id))
    };
    let begun = LinkedTicket { marker, begun: Some(clock::now()), owner, ..linked.clone() };
    note(app, id, name, &begun)?;
    app.store.kept().await?;
    match tracker.create(&draft).await {
        Ok(created) => keep(app, id, name, begun, created),
        Err(error) => {
            // A tracker that refuses has made nothing; of one that is busy nobody knows.
            if !matches!(&error, Error::Transient { .. }) {
                note(app, id, name, &LinkedTicket { begun: linked.begun, ..begun })?;
            }
            Err(error.into())
        }
    }
}

/// A ticket leads back to the thread, so the card is given a moment to be posted first.
fn waits_for_card(app: &App, incident: &Incident, job: &Job) -> bool {
    let is_posted = incident.homes.values().all(|home| home.card.is_some());
    !is_posted && app.link_anywhere(incident.id).is_none() && clock::now() - job.created < WAIT_FOR_CARD
}

/// The ticket that is open for the same failure.
async fn existing(
    app: &App,
    tracker: &impl Tracker,
    incident: &Incident,
    marker: &str,
    name: &str,
) -> Result<Option<Ticket>, JobError> {
    let is_open = |ticket: &Ticket| ticket.category != Category::Done;
    if let Some(key) = tickets::known_open(&app.store, incident, name)? {
        match tracker.ticket(&key).await {
            Ok(ticket) if is_open(&ticket) => return Ok(Some(ticket)),
            Ok(_) | Err(Error::Gone(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(tracker.find(marker).await?.filter(is_open))
}

/// How long it cannot be known yet whether a try before made one.
fn still_blind(linked: &LinkedTicket, blind_for: Duration, now: Time) -> Option<Duration> {
    /// Longest time between two looks.
    const LOOK: Duration = Duration::from_secs(1);
    let until = linked.begun? + chrono::Duration::from_std(blind_for).ok()?;
    (until - now).to_std().ok().map(|left| left.min(LOOK)).filter(|left| !left.is_zero())
}

/// Whose it is, and why. A host of code that does not answer does not hold a ticket up for long.
async fn owner(
    app: &App,
    job: &Job,
    tracker: &impl Tracker,
    incident: &Incident,
) -> Result<(Option<Account>, Option<String>), JobError> {
    let Some(code) = app.code() else { return Ok((None, None)) };
    let found = match code.owner(&frames(app, incident)?).await {
        Ok(found) => found,
        // A host of code that is busy is nothing that a tracker waits for.
        Err(Error::Transient { why, retry_after: None }) if job.tries < TRIES_FOR_OWNER => {
            return Err(JobError::Retry { why, after: None, lane: false });
        }
        Err(error) => return Ok((None, Some(format!("nobody: {error}")))),
    };
    let Some(Owner { developer, why }) = found else { return Ok((None, None)) };
    let Developer { login, emails } = &developer;
    let person = if login.is_empty() { emails.first().map_or("", String::as_str) } else { login };
    let noun = tracker.manners().noun;
    let account = match tracker.account(&developer).await {
        Err(error @ Error::Transient { .. }) => return Err(error.into()),
        Err(error) => return Ok((None, Some(format!("nobody: {person} ({why}); {error}")))),
        Ok(account) => account,
    };
    Ok(match account {
        Some(account) => {
            let why = format!("{} ({why})", account.name);
            (Some(account), Some(why))
        }
        None => (None, Some(format!("nobody: {person} ({why}) has no account that is known for certain for a {noun}"))),
    })
}

/// The lines of code that a log names, most telling first.
fn frames(app: &App, incident: &Incident) -> Result<Vec<Frame>, StoreError> {
    let text = app.store.text(incident.id)?;
    let in_text = clew_pipeline::logs::frames::frames(&text)
        .into_iter()
        .map(|frame| Frame { path: frame.path, line: frame.line });
    Ok(incident.followed.frame.clone().into_iter().chain(in_text).collect())
}

/// Notes how far it is. This is no change that people see.
fn note(app: &App, id: IncidentId, name: &str, linked: &LinkedTicket) -> Result<(), StoreError> {
    app.store.change(|batch| {
        let Some(mut incident) = batch.store.incident(id)? else { return Ok(()) };
        incident.followed.tickets.insert(name.to_owned(), linked.clone());
        batch.incident(incident, &[]).map(drop)
    })
}

/// Keeps that it is there.
fn keep(app: &App, id: IncidentId, name: &str, linked: LinkedTicket, created: Created) -> Result<Did, JobError> {
    let Created { ticket, left_out } = created;
    let was_there = linked.was_there;
    let settle = app.tracker(name).map(|tracker| tracker.manners().blind_for).filter(|blind| !blind.is_zero());
    app.store.change(|batch| {
        let Some(incident) = batch.store.incident(id)? else { return Ok(()) };
        let now = clock::now();
        let mut change = incident.change(&Actor::bot(), now);
        let key = ticket.key.clone();
        // What was said below a ticket before is no news.
        let last_comment = if was_there { ticket.updated_at.clone() } else { String::new() };
        let linked = LinkedTicket { ticket: Some(ticket), left_out, trouble: None, last_comment, ..linked };
        change.incident.followed.tickets.insert(name.to_owned(), linked);
        let kind = if was_there { EventKind::TicketFound } else { EventKind::TicketOpened };
        change.note(kind, format!("{name} {key}"));
        batch.ticket_of(name, &key, id)?;
        ledger::record(batch, change, now)?;
        // It may have changed meanwhile.
        let follow = Work::FollowTicket { tracker: name.to_owned(), key };
        batch.job(follow, false, now + LOOK_AGAIN)?;
        if let Some(blind) = settle.filter(|_| !was_there) {
            let at = now + chrono::Duration::from_std(blind + SETTLE).unwrap_or_default();
            batch.job(Work::SettleTicket { incident: id, tracker: name.to_owned() }, false, at)?;
        }
        Ok::<_, StoreError>(())
    })?;
    app.metrics.tickets.with_label_values(&[name, if was_there { "found" } else { "opened" }]).inc();
    Ok(Did::Work)
}

/// Two that watch the same may have opened a ticket each, at the same moment: the one that was made first stays.
///
/// # Errors
/// When the tracker or the store fails.
pub async fn settle(app: &Arc<App>, id: IncidentId, name: &str) -> Result<Did, JobError> {
    let Some(incident) = app.store.incident(id)? else { return Ok(Did::Nothing) };
    let Some(linked) = incident.followed.tickets.get(name) else { return Ok(Did::Nothing) };
    let Some(ours) = linked.ticket.as_ref().filter(|_| linked.is_open()) else { return Ok(Did::Nothing) };
    let tracker = super::tracker(app, name)?;
    let Some(first) = tracker.find(&linked.marker).await? else { return Ok(Did::Nothing) };
    if first.key == ours.key || first.category == Category::Done {
        return Ok(Did::Nothing);
    }
    let key = app.store.name_of(&["settle", name, &ours.key]);
    let text = vec![
        Span::Text("The same as ".into()),
        Span::Link { text: first.key.clone(), url: first.url.clone() },
        Span::Text(", which was opened at the same moment. That one goes on; this one is closed.".into()),
    ];
    tracker.change(&ours.key, &Change::Comment { text, name: key }).await?;
    tracker.change(&ours.key, &Change::Move(Category::Done)).await?;
    let linked = LinkedTicket { was_there: true, ticket: None, ..linked.clone() };
    keep(app, id, name, linked, Created { ticket: first, left_out: Vec::new() })
}
