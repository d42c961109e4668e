//! Incidents for people: the list, and one with its card, its timeline and everything that can be done to it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use askama::Template;
use axum::body::Body;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use clew_adapters::alerts::{AlertStatus, Severity};
use clew_pipeline::root_cause::label::{LABELS, Label};
use serde::Deserialize;

use super::chat::{ANSWER, path_of};
use super::name::Name;
use super::show::{CardView, Stand, when};
use super::triage::Verdict;
use super::{Instead, badge, blocking, encoded, failed, few_enough, form, lead_to, message, page};
use crate::app::App;
use crate::card;
use crate::clock;
use crate::commands::{self, Action, Command, Refusal};
use crate::incident::{Actor, Incident, IncidentId, State as Life};
use crate::store::{Filter, StoreError};
use crate::words;

/// States of incidents that are not over.
pub const NOT_OVER: [Life; 3] = [Life::Open, Life::Acknowledged, Life::Mitigated];

/// Incidents on a page of the list.
const PAGE: usize = 50;
/// Events on a page of the timeline.
const EVENTS: usize = 200;
/// Alerts that are listed.
const ALERTS: usize = 50;
/// Earlier incidents that are listed.
const EARLIER: usize = 10;
/// By way of what people do something here.
const CONSOLE: &str = "console";

type Answer = Result<Response, Instead>;

/// What the list shall show.
#[derive(Default, Deserialize)]
pub struct Wanted {
    #[serde(default)]
    state: String,
    #[serde(default)]
    severity: String,
    #[serde(default)]
    service: String,
    #[serde(default)]
    text: String,
    cursor: Option<u64>,
}

/// Which part of the timeline.
#[derive(Deserialize)]
pub struct After {
    after: Option<u64>,
}

#[derive(Template)]
#[template(path = "incidents.html")]
struct ListPage {
    badge: String,
    wanted: Wanted,
    states: Vec<(&'static str, &'static str)>,
    severities: [Severity; 4],
    rows: Vec<Row>,
    next: Option<String>,
}

struct Row {
    id: IncidentId,
    title: String,
    service: String,
    severity: &'static str,
    state: &'static str,
    owner: String,
    cause: String,
    sure: String,
    alerts: String,
    age: String,
    since: String,
}

#[derive(Template)]
#[template(path = "incident.html")]
struct IncidentPage {
    badge: String,
    id: IncidentId,
    title: String,
    is_over: bool,
    severity: Severity,
    severities: [Severity; 4],
    owner: String,
    cause: String,
    fix: String,
    causes: &'static [Label],
    card: CardView,
    thread: Option<String>,
    events: Vec<EventRow>,
    more_events: Option<String>,
    alerts: Vec<AlertRow>,
    all_alerts: u64,
    earlier: Vec<Row>,
    verdict: Option<Verdict>,
    me: String,
    note: Option<String>,
}

struct EventRow {
    at: String,
    when: String,
    text: String,
}

struct AlertRow {
    title: String,
    firing: bool,
    since: String,
    times: u64,
    labels: String,
}

/// `GET /i`: those that fit, the latest first.
pub async fn list(State(app): State<Arc<App>>, Query(wanted): Query<Wanted>) -> Answer {
    let filter = filter(&wanted);
    let cursor = wanted.cursor;
    let found = blocking(&app, move |app| Ok((app.store.incidents(&filter, cursor, PAGE)?, badge(app))));
    let (found, badge) = found.await?;
    let next = found.next.map(|next| next_page(&wanted, &next));
    let states =
        [("", "not over"), ("all", "all")].into_iter().chain(Life::ALL.map(|state| (state.name(), state.name())));
    Ok(page(&ListPage {
        badge,
        states: states.collect(),
        severities: Severity::ALL,
        rows: found.items.iter().map(row).collect(),
        next,
        wanted,
    }))
}

fn filter(wanted: &Wanted) -> Filter {
    let given = |text: &String| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
    let states = match wanted.state.as_str() {
        "all" => Vec::new(),
        word => Life::ALL.into_iter().find(|state| state.name() == word).map_or(NOT_OVER.to_vec(), |state| vec![state]),
    };
    Filter {
        states,
        severities: Severity::ALL.into_iter().filter(|severity| severity.name() == wanted.severity).collect(),
        service: given(&wanted.service),
        text: given(&wanted.text),
        ..Filter::default()
    }
}

fn next_page(wanted: &Wanted, cursor: &str) -> String {
    let mut address = format!("/i?cursor={}", encoded(cursor));
    let fields = [
        ("state", &wanted.state),
        ("severity", &wanted.severity),
        ("service", &wanted.service),
        ("text", &wanted.text),
    ];
    for (name, value) in fields.into_iter().filter(|(_, value)| !value.is_empty()) {
        // Writing into a string cannot fail.
        let _ = write!(address, "&{name}={}", encoded(value));
    }
    address
}

fn row(incident: &Incident) -> Row {
    let verdict = incident.verdict.as_ref();
    let said = incident.corrected.as_deref().and_then(clew_pipeline::root_cause::label::by_id);
    let (cause, sure) = match (said, verdict) {
        (Some(label), _) => (LABELS[label].title.to_owned(), "said by a person".to_owned()),
        (None, Some(verdict)) if verdict.root_cause_id == "unknown" => ("unknown".to_owned(), String::new()),
        (None, Some(verdict)) => (verdict.root_cause.clone(), words::percent(verdict)),
        (None, None) => Default::default(),
    };
    let counters = &incident.counters;
    Row {
        id: incident.id,
        title: incident.title.clone(),
        service: incident.service.clone().unwrap_or_default(),
        severity: incident.severity.name(),
        state: incident.state.name(),
        owner: incident.owner.clone().unwrap_or_default(),
        cause,
        sure,
        alerts: if counters.alerts > 0 { format!("{} / {}", counters.firing, counters.alerts) } else { String::new() },
        age: clock::duration(clock::now() - incident.opened_at),
        since: clock::in_words(incident.opened_at),
    }
}

/// `GET /i/{id}`: one incident.
pub async fn one(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    Query(part): Query<After>,
    headers: HeaderMap,
) -> Answer {
    let me = Name::of(&app, &headers, None);
    show(&app, number(&id)?, part.after.unwrap_or(0), me.said, None).await
}

/// `POST /i/{id}`: does something to it, by the words of a command.
pub async fn act(State(app): State<Arc<App>>, Path(id): Path<String>, headers: HeaderMap, body: Body) -> Answer {
    let id = number(&id)?;
    let fields: BTreeMap<String, String> = form(&app, body).await?;
    let name = Name::of(&app, &headers, fields.get("name").map(String::as_str));
    let here = format!("/i/{id}");
    let action = match action(&app, id, &fields, name.shown()) {
        Ok(action) => action,
        Err(refusal) => return refused(&app, id, refusal, name.said).await,
    };
    if let Action::AddLogs(logs) = &action {
        few_enough(&app, logs, &here)?;
    }
    let by = Actor::new(name.shown(), CONSOLE);
    let done = blocking(&app, move |app| Ok(commands::act(app, id, &by, &action, &|_, _| Ok(())))).await?;
    app.store.kept().await.map_err(failed)?;
    match done {
        Ok(done) if done.already.is_some() => show(&app, id, 0, name.said, done.already).await,
        Ok(_) => Ok(lead_to(&here, name.cookie)),
        Err(refusal) => refused(&app, id, refusal, name.said).await,
    }
}

/// What the fields of a form ask for: `logs`, or `command` with more `words` and answers, as in chat.
fn action(app: &App, id: IncidentId, fields: &BTreeMap<String, String>, me: &str) -> Result<Action, Refusal> {
    let field = |name: &str| fields.get(name).map(|text| text.trim()).filter(|text| !text.is_empty());
    let command = field("command").unwrap_or_default();
    if command == "logs" {
        let logs = field("logs").ok_or_else(|| Refusal::field("logs", "there is nothing to add: paste log lines"))?;
        return Ok(Action::AddLogs(logs.to_owned()));
    }
    let answers: BTreeMap<String, String> = fields
        .iter()
        .filter_map(|(key, value)| Some((key.strip_prefix(ANSWER)?.to_owned(), commands::tidy(app, value))))
        .collect();
    let words = commands::tidy(app, field("words").unwrap_or_default());
    match commands::parse(&format!("{command} {words}"), &answers, Some(id), me)? {
        Command::Act(about, action) if about == id => Ok(action),
        _ => Err(Refusal::field("command", format!("{command:?} cannot be done to {id}"))),
    }
}

/// The page of the incident with what is wrong, or a page that says so.
async fn refused(app: &Arc<App>, id: IncidentId, refusal: Refusal, me: String) -> Answer {
    match refusal {
        Refusal::Store(error) => Err(failed(error)),
        Refusal::NoIncident(_) => Err(missing(&id.to_string())),
        Refusal::DoesNotFit { .. } | Refusal::NotAllowed => {
            let mut response = show(app, id, 0, me, Some(refusal.to_string())).await?;
            *response.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
            Ok(response)
        }
    }
}

async fn show(app: &Arc<App>, id: IncidentId, after: u64, me: String, note: Option<String>) -> Answer {
    let found = blocking(app, move |app| read(app, id, after)).await?;
    let mut shown = found.ok_or_else(|| missing(&id.to_string()))?;
    shown.me = me;
    shown.note = note;
    Ok(page(&shown))
}

fn read(app: &App, id: IncidentId, after: u64) -> Result<Option<IncidentPage>, StoreError> {
    let Some(incident) = app.store.incident(id)? else { return Ok(None) };
    let now = clock::now();
    let verdict = app.store.verdict(id)?;
    let events = app.store.events(id, after, EVENTS)?;
    let alerts = app.store.alerts(id, "", ALERTS)?;
    let same = app.store.same_failure(&incident.signature)?;
    let here = format!("/i/{id}");
    let stand = Stand { link: None, action: here.clone(), back: here, short: false };
    let resolution = incident.resolution.clone();
    let (cause, fix) = resolution.map_or_else(Default::default, |known| (known.cause, known.fix));
    let home = incident.homes.get(CONSOLE).and_then(|home| home.card.as_ref());
    let mut card = card::of(&incident, verdict.as_ref(), now, &app.around(&|id| Some(format!("/i/{id}"))));
    // This page shows all there is.
    card.controls.retain(|control| control.command != format!("details {id}"));
    Ok(Some(IncidentPage {
        badge: badge(app),
        id,
        title: incident.title.clone(),
        is_over: !incident.is_active(),
        severity: incident.severity,
        severities: Severity::ALL,
        owner: incident.owner.clone().unwrap_or_default(),
        cause,
        fix,
        causes: &LABELS,
        card: CardView::of(card, stand),
        thread: home.map(|card| path_of(&card.thread())),
        events: events
            .items
            .iter()
            .map(|(_, event)| EventRow {
                at: clock::in_words(event.at),
                when: when(event.at, now),
                text: words::event(event),
            })
            .collect(),
        more_events: events.next,
        alerts: alerts
            .items
            .into_iter()
            .map(|alert| AlertRow {
                title: alert.title,
                firing: alert.status == AlertStatus::Firing,
                since: clock::parse(&alert.starts_at).map_or(alert.starts_at, |at| when(at, now)),
                times: alert.times,
                labels: alert.labels.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join(" "),
            })
            .collect(),
        all_alerts: incident.counters.alerts,
        earlier: same.iter().filter(|other| other.id != id).take(EARLIER).map(row).collect(),
        verdict: verdict.and_then(|verdict| serde_json::from_value(verdict).ok()),
        me: String::new(),
        note: None,
    }))
}

fn number(id: &str) -> Result<IncidentId, Instead> {
    id.parse().map_err(|_| missing(id))
}

fn missing(id: &str) -> Instead {
    let text =
        format!("There is no incident {id}, or it is so old that it was removed (retention.incident_days says when).");
    message(StatusCode::NOT_FOUND, "There is no such incident", &text, "/i")
}
