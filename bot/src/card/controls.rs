//! What can be done to an incident, as controls of its card.

use clew_adapters::chat::{Control, Field, FieldKind, Style};
use clew_pipeline::root_cause::label::{LABELS, LabelIndex, by_id};
use serde_json::Value;

use crate::incident::{Incident, State};
use crate::tickets;

/// What can be done to an incident as it is. `trackers`: where tickets can be opened, and what each calls one.
#[must_use]
pub fn controls(incident: &Incident, verdict: &Value, trackers: &[(&str, &str)]) -> Vec<Control> {
    let id = incident.id;
    let button = |label: &str, command: &str, style: Style| Control {
        label: label.to_owned(),
        command: format!("{command} {id}"),
        style,
        choices: Vec::new(),
        fields: Vec::new(),
    };
    let field = |name: &str, label: &str, value: &str| Field {
        name: name.to_owned(),
        label: label.to_owned(),
        kind: FieldKind::Lines,
        value: value.to_owned(),
        is_optional: true,
        hint: String::new(),
    };
    if !incident.is_active() {
        return vec![button("Show details", "details", Style::Plain), button("Reopen", "reopen", Style::Plain)];
    }
    let mut controls = Vec::new();
    if incident.state == State::Open {
        controls.push(button("Acknowledge", "acknowledge", Style::Primary));
    }
    if incident.state != State::Mitigated {
        controls.push(button("Mitigated", "mitigate", Style::Plain));
    }
    let known = incident.resolution.clone();
    let (cause, fix) = known.map_or_else(Default::default, |known| (known.cause, known.fix));
    controls.push(Control {
        fields: vec![
            field("cause", "What was it?", &cause),
            field("fix", "What fixed it? It becomes knowledge.", &fix),
        ],
        ..button("Resolve", "resolve", Style::Danger)
    });
    for (tracker, noun) in trackers {
        if tickets::why_not(incident, tracker).is_none() {
            let command = format!("ticket {id} {tracker}");
            controls.push(Control { command, ..button(&format!("Open {noun}"), "ticket", Style::Plain) });
        }
    }
    controls.push(button("Show details", "details", Style::Plain));
    if incident.verdict.is_some() {
        controls.push(Control { choices: causes(incident, verdict), ..button("Wrong cause", "wrong", Style::Plain) });
    }
    controls
}

/// The root causes to choose from, the most probable first.
fn causes(incident: &Incident, verdict: &Value) -> Vec<(String, String)> {
    let named = incident.verdict.as_ref().map(|verdict| verdict.root_cause_id.as_str());
    let candidates = verdict["candidates"].as_array().into_iter().flatten();
    let mut labels: Vec<LabelIndex> =
        candidates.filter_map(|candidate| candidate["id"].as_str().and_then(by_id)).collect();
    let rest: Vec<LabelIndex> = (0..LABELS.len()).filter(|label| !labels.contains(label)).collect();
    labels.extend(rest);
    labels
        .into_iter()
        .filter(|label| Some(LABELS[*label].id) != named && LABELS[*label].id != "unknown")
        .map(|label| (LABELS[label].title.to_owned(), format!("wrong {} {}", incident.id, LABELS[label].id)))
        .collect()
}
