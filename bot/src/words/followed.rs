//! What the bot says about tickets and pull requests.

use clew_adapters::chat::{Rich, Span};
use clew_adapters::code::{Checks, PullState, Review};
use clew_adapters::trackers::Category;

use super::{plain, strong, text, who};
use crate::clock::Time;
use crate::incident::{Event, EventKind, Incident, LinkedPull, LinkedTicket};

/// Names of failed checks that are shown.
const CHECKS: usize = 3;

/// A sentence about a ticket or a pull request.
#[must_use]
pub fn followed(incident: &Incident, event: &Event) -> Option<Rich> {
    match event.kind {
        EventKind::TicketOpened | EventKind::TicketFound => opened(incident, event),
        EventKind::TicketChanged | EventKind::TicketReopened => Some(of_ticket(incident, event)),
        EventKind::TicketGone => {
            Some(vec![strong(&event.text), text(" is gone from its tracker. Open another one when you need it.")])
        }
        EventKind::TicketRefused => Some(vec![strong("Not done: "), text(&event.text)]),
        EventKind::Commented => {
            let mut said = named(incident, &event.by.by_way_of, &event.by.name);
            said.push(text(&format!(", {}", event.text)));
            Some(said)
        }
        EventKind::PullOpened | EventKind::PullMerged | EventKind::PullClosed | EventKind::PullReverted => {
            of_pull(incident, event)
        }
        _ => None,
    }
}

/// What people call a ticket: a bare number gets its sign.
#[must_use]
pub fn called(key: &str) -> String {
    if key.bytes().all(|byte| byte.is_ascii_digit()) { format!("#{key}") } else { key.to_owned() }
}

/// A ticket by its key or what it is called, as a link to its page.
fn named(incident: &Incident, tracker: &str, key: &str) -> Rich {
    let key = key.trim_start_matches('#');
    let url = incident.ticket(tracker, key).and_then(|linked| linked.ticket.as_ref()).map(|ticket| ticket.url.clone());
    vec![link(&called(key), url.as_deref().unwrap_or_default())]
}

fn link(name: &str, url: &str) -> Span {
    if url.is_empty() { strong(name) } else { Span::Link { text: name.to_owned(), url: url.to_owned() } }
}

fn opened(incident: &Incident, event: &Event) -> Option<Rich> {
    let (tracker, key) = event.text.split_once(' ')?;
    let linked = incident.followed.tickets.get(tracker)?;
    let mut said = vec![text(if linked.was_there { "Already open as " } else { "Opened " })];
    said.extend(named(incident, tracker, key));
    if linked.was_there {
        let ticket = linked.ticket.as_ref()?;
        let with = ticket.assignee.as_ref().map(|account| format!(", with {}", account.name)).unwrap_or_default();
        said.push(text(&format!(" ({}{with}): this incident is attached to it.", ticket.status)));
        return Some(said);
    }
    said.push(text(&match linked.owner.as_deref() {
        Some(owner) if owner.starts_with("nobody") => format!(", assigned to {owner}."),
        Some(owner) => format!(" for {owner}."),
        None => ".".to_owned(),
    }));
    if !linked.left_out.is_empty() {
        said.push(text(&format!(" Left out: {}.", linked.left_out.join(", "))));
    }
    Some(said)
}

/// What an event says of a ticket: its text begins with the key.
fn of_ticket(incident: &Incident, event: &Event) -> Rich {
    let (key, rest) = event.text.split_once(' ').unwrap_or((&event.text, ""));
    let mut said = named(incident, &event.by.by_way_of, key);
    said.push(text(&format!(" {rest}.")));
    said
}

/// What an event says of a pull request: its text begins with the number.
#[must_use]
pub fn of_pull(incident: &Incident, event: &Event) -> Option<Rich> {
    let (name, rest) = event.text.split_once(' ')?;
    let number: u64 = name.strip_prefix('#')?.parse().ok()?;
    let linked = incident.followed.pulls.iter().find(|linked| linked.pull.number == number)?;
    let pull = link(&format!("#{number} {}", linked.pull.title), &linked.pull.url);
    Some(match event.kind {
        EventKind::PullOpened => {
            let what = if linked.fixes { "It says that it fixes this." } else { "It has to do with this." };
            vec![text(&format!("{} opened ", event.by.name)), pull, text(&format!(". {what}"))]
        }
        EventKind::PullMerged => {
            let mut said = vec![strong("Fix merged: "), pull, text(&format!(", by {}.", event.by.name))];
            if incident.is_active() {
                said.push(text(" It waits for the deployment."));
            }
            said
        }
        EventKind::PullClosed => vec![pull, text(" was closed and not merged.")],
        _ => vec![strong("Fix taken back: "), pull, text(&format!(", {rest} ({}).", event.by.name))],
    })
}

/// Somebody said, after it was over, what fixed it.
#[must_use]
pub fn explained(event: &Event) -> Rich {
    vec![text(&format!("What fixed it, says {}: {}", who(&event.by), event.text))]
}

/// For the ticket that another incident is attached to.
#[must_use]
pub fn seen_again(incident: &Incident, url: Option<String>) -> Rich {
    let id = incident.id.to_string();
    let name = url.map_or_else(|| strong(&id), |url| Span::Link { text: id.clone(), url });
    vec![text("Seen again: "), name, text(&format!(" {} ({}).", incident.title, incident.severity.name()))]
}

/// How a ticket is, for the card.
#[must_use]
pub fn ticket(linked: &LinkedTicket) -> Rich {
    let Some(ticket) = &linked.ticket else { return Vec::new() };
    let mut said = vec![link(&called(&ticket.key), &ticket.url)];
    let how = ticket.resolution.as_ref().filter(|how| **how != ticket.status && ticket.category == Category::Done);
    let how = how.map(|how| format!(" ({how})")).unwrap_or_default();
    let with = match (&ticket.assignee, &linked.owner) {
        // Why it is theirs is said as long as it is theirs.
        (Some(account), Some(owner)) if owner.starts_with(&account.name) => format!(" · {owner}"),
        (Some(account), _) => format!(" · {}", account.name),
        (None, Some(owner)) if owner.starts_with("nobody") => format!(" · {owner}"),
        (None, _) => String::new(),
    };
    let comments = match linked.comments {
        0 => String::new(),
        1 => " · 1 comment".to_owned(),
        more => format!(" · {more} comments"),
    };
    said.push(text(&format!(" {}{how}{with}{comments}", ticket.status)));
    said
}

/// Why something about a ticket is not done, for the card. `noun` is what the tracker calls one.
#[must_use]
pub fn trouble(linked: &LinkedTicket, noun: &str) -> Option<Rich> {
    let trouble = linked.trouble.as_ref()?;
    let what = linked.ticket.as_ref().map_or_else(|| noun.to_owned(), |ticket| called(&ticket.key));
    Some(match trouble.next {
        Some(next) => {
            vec![strong(&format!("{what} pending")), text(&format!(": {}, next try {}.", trouble.why, hour(next)))]
        }
        None if linked.ticket.is_none() => {
            vec![strong(&format!("{what} not opened")), text(&format!(": {}", trouble.why))]
        }
        None => vec![strong(&format!("{what} not changed")), text(&format!(": {}", trouble.why))],
    })
}

fn hour(time: Time) -> String {
    time.format("%H:%M:%S UTC").to_string()
}

/// What became of a ticket that was done, for the card of an incident that is not over, or of one that is.
#[must_use]
pub fn came_back(incident: &Incident, linked: &LinkedTicket) -> Option<Rich> {
    let ticket = linked.ticket.as_ref()?;
    let said = if linked.was_reopened && linked.is_open() {
        " was done, and is open again."
    } else if incident.is_active() && incident.reopened > 0 && ticket.category == Category::Done {
        " is done, and the failure is back."
    } else {
        return None;
    };
    Some(vec![link(&called(&ticket.key), &ticket.url), text(said)])
}

/// How a pull request is, for the card.
#[must_use]
pub fn pull(linked: &LinkedPull) -> Rich {
    let pull = &linked.pull;
    let state = match (linked.reverted_by, pull.state) {
        (Some(number), _) => format!("taken back by #{number}"),
        (None, PullState::Draft) => "draft".to_owned(),
        (None, PullState::Open) => "open".to_owned(),
        (None, PullState::Closed) => "closed, not merged".to_owned(),
        (None, PullState::Merged) if pull.into_default => "merged".to_owned(),
        (None, PullState::Merged) => "merged, not into the default branch".to_owned(),
    };
    let is_open = matches!(pull.state, PullState::Open | PullState::Draft);
    let checks = match &pull.checks {
        _ if !is_open => None,
        Checks::None => None,
        Checks::Running => Some("checks running".to_owned()),
        Checks::Passed => Some("checks passed".to_owned()),
        Checks::Failed(names) => {
            let shown: Vec<&str> = names.iter().take(CHECKS).map(String::as_str).collect();
            Some(format!("checks failed: {}", shown.join(", ")))
        }
    };
    let review = match pull.review {
        Review::None => None,
        _ if !is_open => None,
        Review::Approved => Some("approved".to_owned()),
        Review::ChangesRequested => Some("changes requested".to_owned()),
    };
    let parts: Vec<String> = [Some(state), checks, review].into_iter().flatten().collect();
    vec![link(&format!("#{} {}", pull.number, pull.title), &pull.url), text(&format!(" {}", parts.join(" · ")))]
}

/// The fix that waits for its deployment.
#[must_use]
pub fn waits_for_deployment(linked: &LinkedPull) -> Rich {
    let pull = link(&format!("#{}", linked.pull.number), &linked.pull.url);
    vec![strong("Fix merged"), text(", waiting for the deployment: "), pull]
}

/// The cause is in the code.
#[must_use]
pub fn asks_for_ticket() -> Rich {
    plain("The cause is in the code. A ticket for it?")
}
