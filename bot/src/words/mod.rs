//! Every sentence that the bot says. Pure.

use clew_adapters::chat::{Rich, Span};

use crate::clock;

mod followed;

pub use followed::{
    asks_for_ticket, called, came_back, explained, followed, of_pull, pull, seen_again, ticket, trouble,
    waits_for_deployment,
};

use crate::incident::{Actor, Event, EventKind, Incident, RestsOn, Verdict};

/// A text without any form.
#[must_use]
pub fn plain(text: impl Into<String>) -> Rich {
    vec![Span::Text(text.into())]
}

fn text(text: &str) -> Span {
    Span::Text(text.to_owned())
}

fn strong(text: &str) -> Span {
    Span::Strong(text.to_owned())
}

/// How sure a verdict is, in words. `leading` is the id of the most probable root cause: when it is not the one that
/// was named, nothing was likely enough to be named. A healthy log is told from one in which something went wrong, and the
/// lines do not say why.
#[must_use]
pub fn how_sure(named: &str, leading: &str, confidence: f64, something_stands_out: bool) -> String {
    if named == leading && named == "unknown" && confidence >= 0.7 {
        let words = if something_stands_out { "these lines do not say why" } else { "these lines show no failure" };
        return words.to_owned();
    }
    if named == "unknown" || named != leading {
        return "no root cause is likely enough to be named".to_owned();
    }
    let words = match confidence {
        c if c >= 0.9 => "almost certain",
        c if c >= 0.7 => "likely",
        c if c >= 0.5 => "more likely than not",
        _ => "a guess among others",
    };
    format!("{}, {words}", per_cent(confidence))
}

/// A person or a sender, with the platform where that says more.
#[must_use]
pub fn who(actor: &Actor) -> String {
    if actor.name == actor.by_way_of { actor.name.clone() } else { format!("{} ({})", actor.name, actor.by_way_of) }
}

/// An event as the timeline shows it.
#[must_use]
pub fn event(event: &Event) -> String {
    let detail = if event.text.is_empty() { String::new() } else { format!(": {}", event.text) };
    let what = match event.kind {
        EventKind::Opened => "opened",
        EventKind::Reopened => "reopened",
        EventKind::AlertFiring => "alert firing",
        EventKind::AlertResolved => "alert over",
        EventKind::AlertsCounted => return event.text.clone(),
        EventKind::LogsAdded => "logs added",
        EventKind::Verdict => "verdict",
        EventKind::Acknowledged => "acknowledged",
        EventKind::Left => "left again by whoever had taken it on",
        EventKind::Assigned => "assigned to",
        EventKind::Severity => "severity",
        EventKind::Mitigated => "mitigated",
        EventKind::Resolved => "resolved",
        EventKind::Explained => "explained",
        EventKind::Corrected => "root cause corrected",
        EventKind::Flapping => "flapping",
        EventKind::Learned => "learned",
        EventKind::TicketWanted => "ticket wanted",
        EventKind::TicketOpened => "ticket opened",
        EventKind::TicketFound => "attached to a ticket that was open",
        EventKind::TicketChanged | EventKind::TicketNoted => "ticket changed",
        EventKind::TicketReopened => "ticket reopened",
        EventKind::TicketGone => "ticket gone",
        EventKind::TicketRefused => "ticket refused",
        EventKind::Commented => "comment",
        EventKind::PullOpened => "pull request opened",
        EventKind::PullMerged => "fix merged",
        EventKind::PullClosed => "pull request closed, not merged",
        EventKind::PullReverted => "fix taken back",
    };
    format!("{what}{detail} — {}", who(&event.by))
}

/// It is over.
#[must_use]
pub fn resolved(incident: &Incident, event: &Event) -> Rich {
    let took = clock::duration(incident.duration(event.at));
    let mut said = vec![strong("Resolved"), text(&format!(" after {took} by {}.", who(&event.by)))];
    if !event.text.is_empty() {
        said.push(text(&format!(" What fixed it: {}", event.text)));
    }
    said
}

/// It came back.
#[must_use]
pub fn reopened(incident: &Incident, event: &Event) -> Rich {
    let times =
        if incident.reopened == 1 { String::new() } else { format!(", for the {} time", ordinal(incident.reopened)) };
    vec![strong("Reopened"), text(&format!("{times}: {} says it is back.", who(&event.by)))]
}

/// It comes and goes.
#[must_use]
pub fn flapping(incident: &Incident) -> Rich {
    vec![
        strong("Flapping"),
        text(&format!(
            ": it was over and came back {} times within an hour. From here on the card shows it; this thread stays quiet about it.",
            incident.lately_resolved.len()
        )),
    ]
}

/// There is another verdict.
#[must_use]
pub fn verdict_changed(incident: &Incident) -> Rich {
    match &incident.verdict {
        Some(verdict) => vec![
            text("With these logs: "),
            strong(&verdict.root_cause),
            text(&format!(" ({}). The card is up to date.", percent(verdict))),
        ],
        None => plain("The verdict is gone."),
    }
}

/// Somebody said what it really was.
#[must_use]
pub fn corrected(event: &Event) -> Rich {
    vec![text(&format!("{} says the root cause is ", who(&event.by))), strong(&event.text), text(".")]
}

/// What the verdict rests on, when that is little.
#[must_use]
pub fn rests_on(verdict: &Verdict) -> Option<Rich> {
    (verdict.rests_on == RestsOn::AlertText).then(|| {
        vec![
            strong("This rests on the words of the alert alone."),
            text(" Paste logs in this thread and the verdict is made anew."),
        ]
    })
}

/// The same failure before.
#[must_use]
pub fn earlier(incident: &Incident) -> Option<Rich> {
    let earlier = incident.earlier.as_ref()?;
    let times = earlier.count + 1;
    let since = clock::duration(incident.opened_at - earlier.since);
    let mut said =
        vec![strong(&format!("Seen {times} times in {since}")), text(&format!(", last as {}", earlier.last))];
    match &earlier.fixed_by {
        Some(fix) => said.extend([text("; fixed last time by: "), strong(fix)]),
        None => said.push(text("; nobody said what fixed it.")),
    }
    Some(said)
}

/// What somebody pasted or posted belongs to an incident that is shown elsewhere, at `link` if that is known.
#[must_use]
pub fn same_as(incident: &Incident, link: Option<String>) -> Rich {
    let id = incident.id.to_string();
    let name = match link {
        Some(url) => Span::Link { text: id, url },
        None => Span::Strong(id),
    };
    vec![text("This is the failure of "), name, text(&format!(" ({}). It was added there.", incident.title))]
}

/// Confidence in per cent.
#[must_use]
pub fn percent(verdict: &Verdict) -> String {
    per_cent(verdict.confidence)
}

/// A probability in per cent. Nothing is certain, so none is rounded to 100.
#[must_use]
pub fn per_cent(probability: f64) -> String {
    if probability >= 0.995 { "over 99 %".to_owned() } else { format!("{:.0} %", probability * 100.0) }
}

/// 1st, 2nd, 3rd, 4th, …
#[must_use]
pub fn ordinal(number: u64) -> String {
    let ending = match (number % 10, number % 100) {
        (_, 11..=13) => "th",
        (1, _) => "st",
        (2, _) => "nd",
        (3, _) => "rd",
        _ => "th",
    };
    format!("{number}{ending}")
}

#[cfg(test)]
mod tests {
    #[test]
    fn ordinals() {
        assert_eq!(
            [1, 2, 3, 4, 11, 12, 21, 112].map(super::ordinal),
            ["1st", "2nd", "3rd", "4th", "11th", "12th", "21st", "112th"]
        );
    }
}
