//! Looks how a ticket is, and brings its incidents in step with it. What changed meanwhile is said together.

use std::sync::Arc;
use std::time::Duration;

use clew_adapters::Error;
use clew_adapters::trackers::{Category, Comment, Ticket, Tracker, is_in_vain};

use crate::app::App;
use crate::clock;
use crate::config::{Comments, OnMerge};
use crate::incident::{Actor, Change, EventKind, Incident, IncidentId, LinkedTicket};
use crate::ledger;
use crate::queue::{Did, JobError};
use crate::store::StoreError;
use crate::words;

/// What a comment for the thread begins with.
const CALL: &str = "/clew";
/// Comments that are said one by one; more are counted.
const SAID: usize = 3;
/// Time until it is looked once more.
const ONCE_MORE: Duration = Duration::from_secs(2);
/// Characters of a comment that are said.
const LONGEST: usize = 500;

/// Why it is looked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum After {
    /// Somebody may have changed it there.
    News,
    /// It was changed from here: that ends no incident.
    OwnChange,
}

/// Looks, and writes what changed. Whatever changed may change again within the same second, which trackers that count in seconds
/// do not tell apart: so it is looked once more.
///
/// # Errors
/// When the tracker or the store fails, or something changed.
pub async fn run(app: &Arc<App>, name: &str, key: &str) -> Result<Did, JobError> {
    if look(app, name, key, After::News).await? { Err(JobError::Later(ONCE_MORE)) } else { Ok(Did::Work) }
}

/// Looks, and writes what changed. Whether anything did that people see.
///
/// # Errors
/// When the tracker or the store fails.
pub async fn look(app: &Arc<App>, name: &str, key: &str, after: After) -> Result<bool, JobError> {
    let incidents = app.store.incidents_of_ticket(name, key)?;
    if incidents.is_empty() {
        return Ok(false);
    }
    let tracker = super::tracker(app, name)?;
    let seen = match tracker.ticket(key).await {
        Ok(ticket) => {
            let mut comments = tracker.comments(&ticket.key).await?;
            for comment in &mut comments {
                comment.text = app.pipeline.redact(&comment.text);
            }
            Some((ticket, comments))
        }
        Err(Error::Gone(_)) => None,
        Err(error) => return Err(error.into()),
    };
    let mut has_changed = false;
    for id in incidents {
        has_changed |= bring_in_step(app, id, name, key, seen.as_ref(), after)?;
    }
    app.store.kept().await?;
    Ok(has_changed)
}

fn bring_in_step(
    app: &App,
    id: IncidentId,
    name: &str,
    key: &str,
    seen: Option<&(Ticket, Vec<Comment>)>,
    after: After,
) -> Result<bool, StoreError> {
    app.store.change(|batch| {
        let Some(incident) = batch.store.incident(id)? else { return Ok(false) };
        let Some(known) = incident.ticket(name, key).cloned() else { return Ok(false) };
        let now = clock::now();
        let mut change = incident.clone().change(&Actor::new(&words::called(key), name), now);
        match seen {
            None => {
                change.incident.followed.tickets.remove(name);
                change.note(EventKind::TicketGone, words::called(key));
            }
            Some((ticket, comments)) => {
                notice(&mut change, name, &known, ticket);
                read(&mut change, name, app.config().tickets.comments, comments);
                let is_news = known.is_open() && ticket.category == Category::Done;
                batch.ticket_of(name, &ticket.key, id)?;
                let config = app.config();
                // A merge closes issues by itself; what a merge does is set elsewhere.
                let is_marked = config.tickets.on_merge == OnMerge::Mark
                    && incident.followed.pulls.iter().any(|linked| linked.fixes && linked.reverted_by.is_none());
                let may_end = config.tickets.resolve_with_ticket && !is_marked && !incident.awaits_fix();
                if is_news && after == After::News && may_end {
                    resolve(&mut change, ticket);
                }
            }
        }
        if change.events.is_empty() && shows_the_same(&change.incident, &incident, name) {
            return batch.incident(change.incident, &[]).map(|_| false);
        }
        ledger::record(batch, change, now).map(|_| true)
    })
}

/// Whether nothing changed that people see: when a ticket changed last is not shown.
fn shows_the_same(after: &Incident, before: &Incident, name: &str) -> bool {
    let without_times = |incident: &Incident| {
        let mut tickets = incident.followed.tickets.clone();
        if let Some(ticket) = tickets.get_mut(name).and_then(|linked| linked.ticket.as_mut()) {
            ticket.updated_at.clear();
        }
        tickets
    };
    without_times(after) == without_times(before)
}

/// Takes over how the ticket is now.
fn notice(change: &mut Change, name: &str, known: &LinkedTicket, now: &Ticket) {
    let Some(before) = &known.ticket else { return };
    let Some(linked) = change.incident.followed.tickets.get_mut(name) else { return };
    linked.ticket = Some(now.clone());
    if before.category == Category::Done && now.category != Category::Done {
        linked.was_reopened = true;
        change.note(EventKind::TicketReopened, format!("{} is {} again", words::called(&now.key), now.status));
        return;
    }
    let mut said = Vec::new();
    if before.status != now.status && !before.status.is_empty() {
        let how = now.resolution.as_ref().filter(|how| **how != now.status && now.category == Category::Done);
        let how = how.map(|how| format!(" ({how})")).unwrap_or_default();
        said.push(format!("is {}{how}, was {}", now.status, before.status));
    }
    if before.assignee != now.assignee {
        said.push(match &now.assignee {
            Some(account) => format!("is assigned to {}", account.name),
            None => "is assigned to nobody".to_owned(),
        });
    }
    if said.is_empty() {
        return;
    }
    let matters = before.category != now.category || before.assignee != now.assignee;
    let kind = if matters { EventKind::TicketChanged } else { EventKind::TicketNoted };
    change.note(kind, format!("{} {}", words::called(&now.key), said.join("; ")));
}

/// Takes over what people wrote below it.
fn read(change: &mut Change, name: &str, which: Comments, comments: &[Comment]) {
    let Some(linked) = change.incident.followed.tickets.get_mut(name) else { return };
    let known = linked.last_comment.clone();
    let new: Vec<&Comment> = comments.iter().filter(|c| c.name.is_none() && place(c) > known).collect();
    let Some(last) = new.last() else { return };
    linked.last_comment = place(last);
    linked.comments += new.len() as u64;
    let said: Vec<String> = new.iter().filter_map(|comment| sentence(comment, which)).collect();
    let left = said.len().saturating_sub(SAID);
    if left > 0 {
        change.note(EventKind::Commented, format!("{left} earlier comments stand on the ticket"));
    }
    for sentence in said.into_iter().skip(left) {
        change.note(EventKind::Commented, sentence);
    }
}

/// Where a comment stands among others, as text that compares: two may have been written in one second.
fn place(comment: &Comment) -> String {
    format!("{} {:0>20}", comment.at, comment.id)
}

fn sentence(comment: &Comment, which: Comments) -> Option<String> {
    let text = comment.text.trim();
    let called = text.strip_prefix(CALL).filter(|rest| rest.is_empty() || rest.starts_with(char::is_whitespace));
    let text = match which {
        Comments::Off => return None,
        Comments::Clew => called?.trim(),
        Comments::All => called.unwrap_or(text).trim(),
    };
    let short: String = text.chars().take(LONGEST).collect();
    let more = if short.len() < text.len() { "…" } else { "" };
    (!text.is_empty()).then(|| format!("{}: {short}{more}", comment.author))
}

/// A ticket that was solved, while no alert fires, ends its incident.
fn resolve(change: &mut Change, ticket: &Ticket) {
    let incident = &change.incident;
    if incident.is_active() && incident.counters.firing == 0 && !is_in_vain(ticket) {
        change.resolve(None);
    }
}
