//! What is answered to those who ask.

use std::sync::Arc;

use clew_adapters::chat::{Rich, Span};
use clew_pipeline::Pipeline;
use clew_pipeline::diff::{Change, Diff, diff};
use clew_pipeline::knowledge::search::Filter as SearchFilter;

use super::talk::Reply;
use super::{Command, HELP, Refusal, say};
use crate::app::App;
use crate::clock;
use crate::incident::{Incident, IncidentId};
use crate::store::Filter;
use crate::words;

/// Incidents that `list` shows.
const LISTED: usize = 20;
/// Entries that `search` shows.
const FOUND: usize = 5;
/// Changes of one kind that `diff` shows.
const CHANGES: usize = 8;

/// The answer to a command that changes nothing.
///
/// # Errors
/// When there is no such incident or the store fails.
pub fn look_up(app: &Arc<App>, command: Command) -> Result<Reply, Refusal> {
    match command {
        Command::List => list(app),
        Command::Status(id) => status(app, id),
        Command::Search(query) => Ok(search(app, &query)),
        Command::Diff { before, after } => Ok(compare(&before, &after)),
        // The others change something.
        Command::Help | Command::Act(..) | Command::Triage(_) | Command::Details(_) => Ok(help()),
    }
}

/// What changed between two logs.
fn compare(before: &str, after: &str) -> Reply {
    let mut collector = Pipeline::reader().with_places();
    before.lines().for_each(|line| collector.push(line));
    let split = collector.end_log();
    after.lines().for_each(|line| collector.push(line));
    let Diff { new, vanished, shifted, records_before, records_after, .. } = diff(&collector.finish(), split);
    let mut reply = vec![say(format!("{records_before} records before, {records_after} after."))];
    for (title, changes) in [("New", &new), ("Vanished", &vanished), ("Rate shifted", &shifted)] {
        if changes.is_empty() {
            continue;
        }
        reply.push(vec![Span::Strong(format!("{title} ({})", changes.len()))]);
        reply.extend(changes.iter().take(CHANGES).map(line_of_change));
        if changes.len() > CHANGES {
            reply.push(say(format!("… and {} more", changes.len() - CHANGES)));
        }
    }
    if new.is_empty() && vanished.is_empty() && shifted.is_empty() {
        reply.push(say("Nothing changed that chance would not explain."));
    }
    reply
}

fn line_of_change(change: &Change) -> Vec<Span> {
    let chance = if change.significant { "" } else { ", may be chance" };
    vec![Span::Code(change.template.clone()), Span::Text(format!(" {} → {}{chance}", change.before, change.after))]
}

fn list(app: &App) -> Result<Reply, Refusal> {
    use crate::incident::State;
    let filter = Filter { states: vec![State::Open, State::Acknowledged, State::Mitigated], ..Filter::default() };
    let page = app.store.incidents(&filter, None, LISTED)?;
    if page.items.is_empty() {
        return Ok(vec![say("No incident is open.")]);
    }
    let mut reply: Reply = page.items.iter().map(line_of).collect();
    if page.next.is_some() {
        reply.push(say(format!("… and more than these {LISTED}.")));
    }
    Ok(reply)
}

/// An incident in a line.
pub fn line_of(incident: &Incident) -> Rich {
    let owner = incident.owner.as_deref().map(|owner| format!(", {owner}")).unwrap_or_default();
    let age = clock::duration(incident.duration(clock::now()));
    vec![
        Span::Strong(incident.id.to_string()),
        Span::Text(format!(
            " {} — {}, {}{owner}, {age}",
            incident.title,
            incident.severity.name(),
            incident.state.name()
        )),
    ]
}

/// An incident in a few lines.
///
/// # Errors
/// When there is none or the store fails.
pub fn status(app: &App, id: IncidentId) -> Result<Reply, Refusal> {
    let incident = app.store.incident(id)?.ok_or(Refusal::NoIncident(id))?;
    let mut reply = vec![line_of(&incident)];
    if let Some(verdict) = &incident.verdict {
        reply.push(say(format!("{} ({})", verdict.root_cause, words::percent(verdict))));
    }
    let last = app.store.events(id, incident.events.saturating_sub(3), 3)?;
    reply.extend(
        last.items.iter().map(|(_, event)| say(format!("{} {}", clock::in_words(event.at), words::event(event)))),
    );
    Ok(reply)
}

fn search(app: &App, query: &str) -> Reply {
    let hits = app.pipeline.search(query, &SearchFilter::default(), FOUND);
    if hits.is_empty() {
        return vec![say("Nothing that is known fits.")];
    }
    hits.iter()
        .map(|hit| {
            let mut line = vec![Span::Strong(hit.summary.clone())];
            if !hit.resolution.is_empty() {
                line.push(Span::Text(format!(" — fixed by: {}", hit.resolution)));
            }
            line
        })
        .collect()
}

fn help() -> Reply {
    let mut reply = vec![say("Paste logs, here or in the thread of an incident, or say one of these:")];
    reply
        .extend(HELP.iter().map(|(words, what)| vec![Span::Code((*words).to_owned()), Span::Text(format!(" {what}"))]));
    reply
}
