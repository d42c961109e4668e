//! What is done with what people say in a chat, and what is said back.

use std::collections::BTreeMap;
use std::sync::Arc;

use clew_adapters::alerts::{Alert, AlertStatus, Delivery};
use clew_adapters::chat::{Addressee, ChatEvent, Message, Place, Rich, Said};
use clew_pipeline::logs::looks_like_a_log;

use super::answers::{line_of, look_up, status};
use super::opening::{Opening, link_thread, open, title_of};
use super::parse::may_be_destructive;
use super::{Action, Command, Refusal, Report, act, asks_to_triage, begins_with_a_command, parse, say, tidy};
use crate::analysis::{self, Subject};
use crate::app::App;
use crate::clock;
use crate::incident::{Actor, Home, Incident, IncidentId, RestsOn};
use crate::intake;
use crate::ledger;
use crate::store::{Accepted, Batch, StoreError};
use crate::words;

/// What is said back: sentences, one message.
pub type Reply = Vec<Rich>;

/// Writes what follows from what was said, in one transaction with the reply, which it gets.
pub type Also<'a> = &'a dyn Fn(&mut Batch<'_>, &Reply) -> Result<(), StoreError>;

/// What somebody said, with all that belongs to it.
pub struct Heard<'a> {
    /// What happened.
    pub event: &'a ChatEvent,
    /// Who did it.
    pub by: Actor,
    /// What came along in another way than as text.
    pub gathered: Gathered,
    /// Whether they may do what cannot be taken back.
    pub is_trusted: bool,
    /// Why nothing can be shown where they want it, if that is so.
    pub out_of_reach: Option<String>,
}

/// What was in the files of a message, and in the message that somebody points to.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Gathered {
    /// Text of the files.
    pub files: String,
    /// What stands in the message to whose thread the bot was called.
    pub pointed_to: String,
    /// What could not be read, and why.
    pub notes: Vec<String>,
}

/// What somebody means.
enum Meaning {
    /// Nothing to the bot.
    Chatter,
    /// This.
    Command(Command),
    /// What is this alert, which another bot posted?
    Alert(Box<Alert>),
}

/// Does what somebody said. `also` is written in the same transaction as what follows from it.
///
/// # Errors
/// When the store fails. What people get wrong is replied to them.
pub fn hear(app: &Arc<App>, heard: &Heard<'_>, also: Also<'_>) -> Result<(), StoreError> {
    match answer(app, heard, also) {
        Ok(()) => Ok(()),
        Err(Refusal::Store(error)) => Err(error),
        Err(refusal) => app.store.change(|batch| also(batch, &with_notes(heard, vec![say(refusal.to_string())]))),
    }
}

fn answer(app: &Arc<App>, heard: &Heard<'_>, also: Also<'_>) -> Result<(), Refusal> {
    let event = heard.event;
    let here = app.store.incident_in_thread(&event.platform, &thread_of(event))?;
    let reply = match meaning(heard, here)? {
        Meaning::Chatter => Vec::new(),
        Meaning::Alert(alert) => match here {
            Some(id) => status(app, id)?,
            None if alert.status == AlertStatus::Resolved => {
                vec![say("This is over, and I had not heard of it before.")]
            }
            None => {
                if let Some(why) = &heard.out_of_reach {
                    return Err(Refusal::field("channel", why));
                }
                return Ok(app.store.change(|batch| {
                    accept_post(batch, event, *alert)?;
                    also(batch, &Vec::new())
                })?);
            }
        },
        Meaning::Command(Command::Triage(report)) => return triage(app, heard, report, also),
        Meaning::Command(Command::Act(id, action)) => return change(app, heard, id, action, also),
        Meaning::Command(Command::Details(id)) => return details(app, event, id, also),
        Meaning::Command(command) => look_up(app, command)?,
    };
    Ok(app.store.change(|batch| also(batch, &with_notes(heard, reply)))?)
}

/// The thread below what was said, or the one that it was said in.
#[must_use]
pub fn thread_of(event: &ChatEvent) -> Place {
    let thread = event.place.thread.clone().or_else(|| event.message.clone());
    Place { channel: event.place.channel.clone(), thread }
}

fn with_notes(heard: &Heard<'_>, reply: Reply) -> Reply {
    heard.gathered.notes.iter().map(say).chain(reply).collect()
}

/// Whether what was said may do something that cannot be taken back.
#[must_use]
pub fn is_destructive(said: &Said) -> bool {
    match said {
        Said::Command { text, .. } => may_be_destructive(text),
        Said::Message(message) => may_be_destructive(&message.text),
        Said::Alert(_) => false,
    }
}

fn meaning(heard: &Heard<'_>, here: Option<IncidentId>) -> Result<Meaning, Refusal> {
    let message = match &heard.event.said {
        Said::Command { text, answers } => return parse(text, answers, here, &heard.by.name).map(Meaning::Command),
        Said::Alert(alert) => return Ok(Meaning::Alert(alert.clone())),
        Said::Message(message) => message,
    };
    let logs = logs_in(message, &heard.gathered);
    match (message.to, here) {
        (Addressee::Shown, Some(id)) => Ok(Meaning::Command(Command::Status(id))),
        (Addressee::Shown, None) if logs.trim().is_empty() => {
            Err(Refusal::field("message", "there is no text in this message that could be looked at"))
        }
        (Addressee::Shown, None) => Ok(of_logs(logs, None)),
        (Addressee::People, here) if looks_like_a_log(head(&logs)) => Ok(of_logs(logs, here)),
        // Code outside of the thread of an incident may be a log of a kind that is not known by its form.
        (Addressee::People, None) if !message.code.is_empty() => Ok(of_logs(logs, None)),
        (Addressee::People, _) => Ok(Meaning::Chatter),
        (Addressee::Bot, here) => told(heard, message, logs, here),
    }
}

/// What somebody means who speaks to the bot.
fn told(heard: &Heard<'_>, message: &Message, logs: String, here: Option<IncidentId>) -> Result<Meaning, Refusal> {
    let words = message.text.trim();
    let pointed_to = &heard.gathered.pointed_to;
    if !heard.gathered.files.is_empty() || !message.code.is_empty() {
        return Ok(of_logs(logs, here));
    }
    let is_log = looks_like_a_log(words);
    if begins_with_a_command(words) && (pointed_to.is_empty() || !asks_to_triage(words)) {
        match parse(words, &BTreeMap::new(), here, &heard.by.name) {
            // Log lines may begin with any word.
            Err(Refusal::DoesNotFit { .. }) if is_log || words.contains('\n') => {}
            parsed => return parsed.map(Meaning::Command),
        }
    }
    match here {
        _ if is_log => Ok(of_logs(logs, here)),
        _ if !pointed_to.trim().is_empty() => Ok(of_logs(pointed_to.clone(), None)),
        Some(id) => Ok(Meaning::Command(Command::Status(id))),
        // Files that could not be read are answered with the reason.
        None if words.is_empty() && !heard.gathered.notes.is_empty() => Ok(Meaning::Chatter),
        None if words.is_empty() => Ok(Meaning::Command(Command::Help)),
        None => Ok(of_logs(logs, None)),
    }
}

/// The part of a message that may be logs: its files, else its code blocks, else all of it.
#[must_use]
pub fn logs_in(message: &Message, gathered: &Gathered) -> String {
    if !gathered.files.is_empty() {
        return gathered.files.clone();
    }
    if message.code.is_empty() { message.text.clone() } else { message.code.join("\n") }
}

/// The beginning of a text, which tells whether it is a log; files may hold megabytes.
fn head(text: &str) -> &str {
    const ENOUGH: usize = 64 << 10;
    let mut end = text.len().min(ENOUGH);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// Logs belong to the incident in whose thread they are said, or they are looked at for themselves.
fn of_logs(logs: String, here: Option<IncidentId>) -> Meaning {
    Meaning::Command(match here {
        Some(id) => Command::Act(id, Action::AddLogs(logs)),
        None => Command::Triage(Report { logs, ..Report::default() }),
    })
}

/// Has an alert that another bot posted put into an incident.
///
/// # Errors
/// When the store fails.
pub fn accept_post(batch: &mut Batch<'_>, event: &ChatEvent, alert: Alert) -> Result<(), StoreError> {
    let accepted = Accepted {
        format: alert.source.clone(),
        at: clock::now(),
        delivery: Delivery { alerts: vec![alert], ..Delivery::default() },
        posted: Some((event.platform.clone(), thread_of(event))),
    };
    intake::accept(batch, accepted)
}

/// Changes an incident as somebody said.
fn change(app: &Arc<App>, heard: &Heard<'_>, id: IncidentId, action: Action, also: Also<'_>) -> Result<(), Refusal> {
    if action.is_destructive() && !heard.is_trusted {
        return Err(Refusal::NotAllowed);
    }
    let action = tidy_action(app, action);
    let event = heard.event;
    act(app, id, &heard.by, &action, &|batch, done| {
        let reply = match &done.already {
            Some(already) => vec![say(already)],
            // What it changed is seen on the card, by those who look at it.
            None if sees_card(&done.incident, event) => Vec::new(),
            None => vec![line_of(&done.incident)],
        };
        also(batch, &with_notes(heard, reply))
    })
    .map(drop)
}

/// Whether who did something stands before the card of an incident.
fn sees_card(incident: &Incident, event: &ChatEvent) -> bool {
    let thread = thread_of(event);
    let home = incident.homes.get(&event.platform);
    home.is_some_and(|home| home.place == thread || home.card.as_ref().is_some_and(|card| card.thread() == thread))
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

/// Has all that is known of an incident shown in its thread.
fn details(app: &Arc<App>, event: &ChatEvent, id: IncidentId, also: Also<'_>) -> Result<(), Refusal> {
    let incident = app.store.incident(id)?.ok_or(Refusal::NoIncident(id))?;
    let reply = match incident.homes.get(&event.platform) {
        Some(_) if sees_card(&incident, event) => Vec::new(),
        Some(_) => vec![say(format!("The details of {id} stand in its thread."))],
        None => status(app, id)?,
    };
    Ok(app.store.change(|batch| {
        ledger::show_details(batch, &incident, &event.platform, clock::now())?;
        also(batch, &reply)
    })?)
}

/// Logs that somebody wants looked at: an incident whose card lives in the thread below them.
fn triage(app: &Arc<App>, heard: &Heard<'_>, report: Report, also: Also<'_>) -> Result<(), Refusal> {
    let event = heard.event;
    if let Some(why) = &heard.out_of_reach {
        return Err(Refusal::field("channel", why));
    }
    let subject = Subject {
        text: report.logs,
        service: report.service.map(|service| tidy(app, &service)),
        rests_on: Some(RestsOn::Logs),
        ..Subject::default()
    };
    let was_asked = !matches!(&event.said, Said::Message(message) if message.to == Addressee::People);
    let analysis = analysis::analyse(app, &subject);
    if !analysis.shows_a_failure {
        let answer = "These lines show no failure. If something is wrong, paste the part around it.";
        // A piece of code that nobody asked about is no log that needs an answer.
        let reply = if was_asked || looks_like_a_log(head(&subject.text)) { vec![say(answer)] } else { Vec::new() };
        return Ok(app.store.change(|batch| also(batch, &with_notes(heard, reply)))?);
    }
    let home = Home { place: thread_of(event), card: None, begun: false, shown: 0 };
    let opened = Opening {
        title: title_of(&analysis),
        severity: report.severity,
        source: event.platform.clone(),
        homes: BTreeMap::from([(event.platform.clone(), home)]),
        subject,
        analysis,
        frame: None,
    };
    Ok(app.store.change(|batch| {
        let (mut incident, is_new) = open(app, batch, &heard.by, &opened)?;
        // From now on, and not only once the card stands there, the thread is about the incident.
        link_thread(batch, &mut incident, &event.platform, &thread_of(event))?;
        let home = incident.homes.get(&event.platform);
        let comes_here = home.is_some_and(|home| home.card.is_none() && home.place == thread_of(event));
        let reply = if is_new || comes_here {
            Vec::new()
        } else {
            vec![words::same_as(&incident, super::link_to(app, &incident, event))]
        };
        also(batch, &with_notes(heard, reply))
    })?)
}
