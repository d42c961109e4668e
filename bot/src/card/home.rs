//! What somebody sees who opens the bot's own page on a platform. Pure.

use clew_adapters::chat::{Card, Control, Form, Item, Section, Span, Style, Tone};

use super::Links;
use crate::clock::{self, Time};
use crate::incident::Incident;
use crate::words;

/// Incidents that one list shows.
const LISTED: usize = 10;

/// The page: what is `open` and whose it is, what was over lately, and a control that opens `form`.
#[must_use]
pub fn home(open: &[Incident], recent: &[Incident], me: &str, form: Form, now: Time, links: Links<'_>) -> Card {
    let mine: Vec<&Incident> = open.iter().filter(|incident| incident.owner.as_deref() == Some(me)).collect();
    let all: Vec<&Incident> = open.iter().collect();
    let recent: Vec<&Incident> = recent.iter().collect();
    let lead = match (all.len(), mine.len()) {
        (0, _) => "No incident is open.".to_owned(),
        (1, 0) => "One incident is open.".to_owned(),
        (1, _) => "One incident is open, and it is yours.".to_owned(),
        (open, mine) => format!("{open} incidents are open, {mine} of them yours."),
    };
    let lists = [("Yours", &mine), ("Open", &all), ("Over lately", &recent)];
    Card {
        tone: if all.is_empty() { Tone::Good } else { Tone::Warning },
        title: "Incidents".into(),
        lead: vec![words::plain(lead)],
        facts: Vec::new(),
        sections: lists
            .into_iter()
            .filter(|(_, incidents)| !incidents.is_empty())
            .map(|(heading, incidents)| list(heading, incidents, now, links))
            .collect(),
        controls: vec![Control {
            label: form.title,
            command: "triage".into(),
            style: Style::Primary,
            choices: Vec::new(),
            fields: form.fields,
        }],
        footer: "Paste logs in an incident channel, drop a file, mention me, or use the message shortcut.".into(),
    }
}

fn list(heading: &str, incidents: &[&Incident], now: Time, links: Links<'_>) -> Section {
    let mut items: Vec<Item> =
        incidents.iter().take(LISTED).map(|incident| Item { text: line(incident, now, links), quote: None }).collect();
    if incidents.len() > LISTED {
        items.push(Item { text: words::plain(format!("… and {} more", incidents.len() - LISTED)), quote: None });
    }
    Section { heading: heading.into(), items }
}

fn line(incident: &Incident, now: Time, links: Links<'_>) -> Vec<Span> {
    let id = incident.id.to_string();
    let owner = incident.owner.as_deref().map(|owner| format!(", {owner}")).unwrap_or_default();
    let cause = incident.verdict.as_ref().map(|verdict| format!(" — {}", verdict.root_cause)).unwrap_or_default();
    let age = clock::duration(incident.duration(now));
    let name = match links(incident.id) {
        Some(url) => Span::Link { text: id, url },
        None => Span::Strong(id),
    };
    let (severity, state) = (incident.severity.name(), incident.state.name());
    vec![name, Span::Text(format!(" {}{cause} ({severity}, {state}{owner}, {age})", incident.title))]
}
