//! An incident as a ticket.

use clew_adapters::chat::{Item, Rich, Span};
use clew_adapters::trackers::Draft;
use serde_json::Value;

use super::{Links, evidence, root_cause, similar, state, steps, with_heading};
use crate::clock;
use crate::incident::Incident;
use crate::words;

/// The draft of a ticket, without marker and assignee. `owner`: whose it is, and why. `links` gives the address of a thread.
#[must_use]
pub fn draft(incident: &Incident, verdict: &Value, owner: Option<&str>, links: Links<'_>) -> Draft {
    let item = |text: Rich| Item { text, quote: None };
    let mut what: Vec<Item> = vec![item(state(incident, clock::now()))];
    what.extend(root_cause(incident, verdict).into_iter().map(item));
    what.extend(incident.service.as_ref().map(|service| item(words::plain(format!("Service: {service}")))));
    what.extend(words::earlier(incident).map(item));
    let description = [
        Some(with_heading("What is wrong", what)),
        evidence(incident, verdict),
        steps(verdict),
        similar(incident, verdict, links),
        Some(with_heading("Where to look", places(incident, owner, links).into_iter().map(item).collect())),
    ];
    Draft {
        title: incident.title.clone(),
        description: description.into_iter().flatten().filter(|section| !section.items.is_empty()).collect(),
        marker: String::new(),
        severity: incident.severity,
        assignee: None,
    }
}

/// The thread, the pages of the alert, and the line of code.
fn places(incident: &Incident, owner: Option<&str>, links: Links<'_>) -> Vec<Rich> {
    let id = incident.id.to_string();
    let mut places = vec![match links(incident.id) {
        Some(url) => vec![Span::Text("The thread of this incident: ".into()), Span::Link { text: id, url }],
        None => vec![Span::Text("The incident at Clew: ".into()), Span::Strong(id)],
    }];
    let pages = incident.links.iter();
    places.extend(pages.map(|(text, url)| vec![Span::Link { text: text.clone(), url: url.clone() }]));
    if let Some(frame) = &incident.followed.frame {
        let line = frame.line.map(|line| format!(":{line}")).unwrap_or_default();
        places.push(vec![Span::Text("In the code: ".into()), Span::Code(format!("{}{line}", frame.path))]);
    }
    places.extend(owner.map(|owner| words::plain(format!("Assigned to {owner}"))));
    places
}
