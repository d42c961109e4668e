//! What is answered in a chat.

use std::collections::BTreeMap;
use std::sync::Arc;

use clew_adapters::alerts::Severity;
use clew_adapters::chat::{ChatEvent, Place, Rich, Said, Span};
use clew_pipeline::knowledge::search::Filter as SearchFilter;
use clew_pipeline::logs::looks_like_a_log;

use super::{Action, Command, HELP, Refusal, act, parse, say, tidy};
use crate::analysis::{self, Analysis, Subject};
use crate::app::App;
use crate::clock;
use crate::identity::{self, Traits, Window};
use crate::incident::{Actor, EventKind, Home, Incident, IncidentId, RestsOn};
use crate::jobs::adopt;
use crate::ledger;
use crate::store::{Batch, Filter, StoreError};
use crate::words;

/// Incidents that `list` shows.
const LISTED: usize = 20;
/// Entries that `search` shows.
const FOUND: usize = 5;

/// What is said back: sentences, one message.
pub type Reply = Vec<Rich>;

/// Does what somebody said. `also` is written in the same transaction as what follows from it; it gets what to reply.
///
/// # Errors
/// When the store fails. What people get wrong is replied to them.
pub fn hear(
    app: &Arc<App>,
    event: &ChatEvent,
    also: &dyn Fn(&mut Batch<'_>, &Reply) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let here = app.store.incident_in_thread(&event.platform, &event.place)?;
    let by = Actor::new(&tidy(app, &event.person.name), &event.platform);
    let reply = match command(event, here, &by) {
        Ok(None) => Ok(Vec::new()),
        Ok(Some(Command::Act(id, action))) => {
            let action = tidy_action(app, action);
            let then = |batch: &mut Batch<'_>| also(batch, &Vec::new());
            // What it changed is seen on the card; only what was so already is said.
            match act(app, id, &by, &action, &then) {
                Ok(done) => match done.already {
                    None => return Ok(()),
                    Some(already) => Ok(vec![say(already)]),
                },
                Err(refusal) => Err(refusal),
            }
        }
        Ok(Some(Command::Triage(logs))) => return triage(app, event, &by, &logs, also),
        Ok(Some(Command::List)) => list(app),
        Ok(Some(Command::Status(id))) => status(app, id),
        Ok(Some(Command::Search(query))) => Ok(search(app, &query)),
        Ok(Some(Command::Help)) => Ok(help()),
        Err(refusal) => Err(refusal),
    };
    let reply = match reply {
        Ok(reply) => reply,
        Err(Refusal::Store(error)) => return Err(error),
        Err(refusal) => vec![say(refusal.to_string())],
    };
    app.store.change(|batch| also(batch, &reply))
}

/// What somebody means. Chatter means nothing.
fn command(event: &ChatEvent, here: Option<IncidentId>, by: &Actor) -> Result<Option<Command>, Refusal> {
    match &event.said {
        Said::Command { text, answers } => parse(text, answers, here, &by.name).map(Some),
        Said::Message { text } if looks_like_a_log(text) => Ok(Some(match here {
            Some(id) => Command::Act(id, Action::AddLogs(text.clone())),
            None => Command::Triage(text.clone()),
        })),
        Said::Message { .. } => Ok(None),
    }
}

fn tidy_action(app: &App, action: Action) -> Action {
    match action {
        Action::Assign(who) => Action::Assign(tidy(app, &who)),
        Action::Resolve(Some(mut resolution)) => {
            resolution.cause = tidy(app, &resolution.cause);
            resolution.fix = tidy(app, &resolution.fix);
            Action::Resolve(Some(resolution))
        }
        other => other,
    }
}

/// Logs that somebody pasted: an incident whose card lives in the thread below them.
fn triage(
    app: &Arc<App>,
    event: &ChatEvent,
    by: &Actor,
    logs: &str,
    also: &dyn Fn(&mut Batch<'_>, &Reply) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let subject = Subject { text: logs.to_owned(), rests_on: Some(RestsOn::Logs), ..Subject::default() };
    let analysis = analysis::analyse(app, &subject);
    let thread = event.place.thread.clone().or_else(|| event.message.clone());
    let home =
        Home { place: Place { channel: event.place.channel.clone(), thread }, card: None, begun: false, shown: 0 };
    if !analysis.shows_a_failure {
        let reply = vec![say("These lines show no failure. If something is wrong, paste the part around it.")];
        return app.store.change(|batch| also(batch, &reply));
    }
    let opened = Opening {
        title: title_of(&analysis),
        severity: None,
        source: event.platform.clone(),
        homes: BTreeMap::from([(event.platform.clone(), home)]),
        subject,
        analysis,
    };
    app.store.change(|batch| {
        let (incident, is_new) = open(app, batch, by, &opened)?;
        let elsewhere = !is_new;
        let reply = if elsewhere { vec![words::same_as(incident.id, &incident.title)] } else { Vec::new() };
        also(batch, &reply)
    })
}

/// An incident that a person opens, or adds to.
pub struct Opening {
    /// One line that says what is wrong.
    pub title: String,
    /// How bad it is, if that is said.
    pub severity: Option<Severity>,
    /// Where it comes from.
    pub source: String,
    /// Where its card shall live.
    pub homes: BTreeMap<String, Home>,
    /// What is known of it.
    pub subject: Subject,
    /// The verdict on that.
    pub analysis: Analysis,
}

/// Opens an incident, or adds to the one with the same failure. Says whether it is new.
///
/// # Errors
/// When the store fails.
pub fn open(app: &App, batch: &mut Batch<'_>, by: &Actor, opening: &Opening) -> Result<(Incident, bool), StoreError> {
    let now = clock::now();
    let (subject, analysis) = (&opening.subject, &opening.analysis);
    let traits = Traits {
        alert: None,
        service: subject.service.as_deref(),
        labels: &subject.labels,
        signature: &analysis.signature,
    };
    let window = Window::until(now, app.config().incidents.reopen_hours);
    let known = identity::incident_of(batch.store, &traits, window)?;
    let is_new = known.is_none();
    let mut change = if let Some(incident) = known {
        let was_active = incident.is_active();
        let mut change = incident.change(by, now);
        change.note(EventKind::LogsAdded, format!("{} lines", analysis.whole["counts"]["lines"]));
        if !was_active {
            change.reopen();
        }
        let rested = change.incident.verdict.as_ref().map(|verdict| verdict.rests_on);
        if rested != Some(RestsOn::Logs) {
            adopt(batch, &mut change, analysis)?;
        }
        change
    } else {
        let severity = opening.severity.unwrap_or(Severity::Medium);
        let incident = Incident {
            service: subject.service.clone(),
            labels: subject.labels.clone(),
            homes: opening.homes.clone(),
            earlier: identity::earlier(batch.store, &traits, window)?,
            severity_is_said: opening.severity.is_some(),
            ..Incident::new(batch.next_incident()?, &opening.title, severity, now)
        };
        let mut change = incident.change(by, now);
        change.note(EventKind::Opened, opening.title.clone());
        adopt(batch, &mut change, analysis)?;
        change
    };
    change.incident.counters.pastes += 1;
    change.incident.sources.insert(opening.source.clone());
    Ok((ledger::record(batch, change, now)?, is_new))
}

/// The line that tells most, as the title of an incident that has none.
pub fn title_of(analysis: &Analysis) -> String {
    let line =
        |list: &str| analysis.whole[list][0]["text"].as_str().and_then(|text| text.lines().next()).map(str::to_owned);
    let line = line("evidence").or_else(|| line("anomalies")).unwrap_or_else(|| analysis.verdict.root_cause.clone());
    let message = clew_pipeline::logs::message_of(&line);
    let longest = 120;
    if message.chars().count() <= longest {
        return message;
    }
    message.chars().take(longest - 1).chain(['…']).collect()
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

fn line_of(incident: &Incident) -> Rich {
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

fn status(app: &App, id: IncidentId) -> Result<Reply, Refusal> {
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
