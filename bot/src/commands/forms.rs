//! What is asked before a command is said. Pure, but for what is known of an incident.

use std::collections::BTreeMap;

use clew_adapters::alerts::Severity;
use clew_adapters::chat::{Addressee, ChatEvent, Field, FieldKind, Form, Said};

use super::{Action, Command, Refusal, parse};
use crate::app::App;
use crate::card;

/// The command whose form is needed before what was said means anything.
#[must_use]
pub fn asks(event: &ChatEvent) -> Option<String> {
    let Said::Message(message) = &event.said else { return None };
    let words = message.text.trim();
    if message.to != Addressee::Bot || !message.files.is_empty() || words.contains('\n') {
        return None;
    }
    match words.to_lowercase().as_str() {
        "" | "triage" => return Some("triage".into()),
        "diff" => return Some("diff".into()),
        _ => {}
    }
    match parse(words, &BTreeMap::new(), None, "") {
        Ok(Command::Act(id, Action::Resolve(None))) => Some(format!("resolve {id}")),
        _ => None,
    }
}

/// The form of `command`, asked for in `channel`.
///
/// # Errors
/// When there is no such incident, it asks for nothing, or the store fails.
pub fn form(app: &App, command: &str, channel: &str) -> Result<Form, Refusal> {
    match command {
        "triage" => return Ok(triage_form(channel)),
        "diff" => return Ok(diff_form()),
        _ => {}
    }
    let Command::Act(id, action) = parse(command, &BTreeMap::new(), None, "")? else {
        return Err(Refusal::field("command", format!("{command:?} asks for nothing")));
    };
    let incident = app.store.incident(id)?.ok_or(Refusal::NoIncident(id))?;
    if let Some(already) = super::already(&incident, &action) {
        return Err(Refusal::field("incident", already));
    }
    let verdict = app.store.verdict(id)?.unwrap_or_default();
    let control = card::controls(&incident, &verdict, &app.offered_trackers())
        .into_iter()
        .find(|control| control.command == command);
    let control = control.filter(|control| !control.fields.is_empty());
    let control =
        control.ok_or_else(|| Refusal::field("command", format!("{id} has changed; look at its card again")))?;
    Ok(Form { title: format!("{} {id}", control.label), submit: control.label, fields: control.fields })
}

/// The form of `triage`, with `channel` chosen.
#[must_use]
pub fn triage_form(channel: &str) -> Form {
    let severities = Severity::ALL.iter().map(|severity| (severity.name().to_owned(), severity.name().to_owned()));
    let hint = "Up to 3,000 characters. Drop a longer log as a file (.log .txt .json .gz .zip) into the channel.";
    Form {
        title: "Triage logs".into(),
        submit: "Triage".into(),
        fields: vec![
            Field { hint: hint.into(), ..field("logs", "Log lines", FieldKind::Lines) },
            Field { is_optional: true, ..field("service", "Service", FieldKind::Line) },
            Field { is_optional: true, ..field("severity", "Severity", FieldKind::Choice(severities.collect())) },
            Field {
                value: channel.to_owned(),
                hint: "Where the incident is shown. I must be a member.".into(),
                ..field("channel", "Channel", FieldKind::Channel)
            },
        ],
    }
}

fn diff_form() -> Form {
    let fields = vec![
        field("before", "Log from before", FieldKind::Lines),
        Field {
            hint: "Up to 3,000 characters each. For longer logs: `clew diff BEFORE AFTER` on the command line.".into(),
            ..field("after", "Log from after", FieldKind::Lines)
        },
    ];
    Form { title: "What changed?".into(), submit: "Compare".into(), fields }
}

fn field(name: &str, label: &str, kind: FieldKind) -> Field {
    Field {
        name: name.into(),
        label: label.into(),
        kind,
        value: String::new(),
        is_optional: false,
        hint: String::new(),
    }
}
