//! Incidents over the API: the same commands as in chat, by the same rules.

use std::collections::HashMap;
use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use clew_adapters::alerts::Severity;
use clew_adapters::code::Frame;
use serde_json::{Map, Value, json};

use super::api::on_core;
use super::error::Problem;
use super::request::{self, Logs};
use crate::analysis::{self, Subject};
use crate::app::App;
use crate::clock::{self, Time};
use crate::commands::{self, Action, Opening, Refusal};
use crate::incident::{Actor, Incident, IncidentId, Resolution, RestsOn, State as Life};
use crate::store::{Filter, StoreError};
use crate::words;

type Answer = Result<Json<Value>, Problem>;
type Parameters = HashMap<String, String>;

/// Items of a page that does not say how many.
const DEFAULT_LIMIT: usize = 50;
/// Most items of a page.
const MAX_LIMIT: usize = 500;
/// Who did something when a request does not say who.
const SOMEBODY: &str = "api";

/// `GET /incidents`: those that fit, the latest first.
pub async fn list(State(app): State<Arc<App>>, Query(query): Query<Parameters>) -> Answer {
    let filter = filter(&query)?;
    let (limit, before) = (limit(&query)?, cursor(&query)?);
    let page = blocking(&app, move |app| app.store.incidents(&filter, before, limit)).await??;
    let incidents: Vec<Value> = page.items.iter().map(view).collect();
    Ok(Json(json!({ "incidents": incidents, "next": page.next })))
}

/// `GET /incidents/{id}`: one, with its whole verdict.
pub async fn one(State(app): State<Arc<App>>, Path(id): Path<String>) -> Answer {
    let incident = find(&app, &id)?;
    let mut shown = view(&incident);
    shown["verdict"] = app.store.verdict(incident.id)?.unwrap_or_default();
    Ok(Json(shown))
}

/// `GET /incidents/{id}/events`: its timeline, oldest first.
pub async fn events(State(app): State<Arc<App>>, Path(id): Path<String>, Query(query): Query<Parameters>) -> Answer {
    let incident = find(&app, &id)?;
    let page = app.store.events(incident.id, cursor(&query)?.unwrap_or(0), limit(&query)?)?;
    let events: Vec<Value> = page
        .items
        .iter()
        .map(|(number, event)| {
            json!({
                "number": number,
                "at": event.at,
                "by": event.by.name,
                "by_way_of": event.by.by_way_of,
                "kind": event.kind,
                "text": event.text,
                "sentence": words::event(event),
            })
        })
        .collect();
    Ok(Json(json!({ "events": events, "next": page.next })))
}

/// `GET /incidents/{id}/alerts`: its alerts.
pub async fn alerts(State(app): State<Arc<App>>, Path(id): Path<String>, Query(query): Query<Parameters>) -> Answer {
    let incident = find(&app, &id)?;
    let after = query.get("cursor").map_or("", String::as_str);
    let page = app.store.alerts(incident.id, after, limit(&query)?)?;
    let alerts: Vec<Value> = page
        .items
        .iter()
        .map(|record| {
            let mut shown = json!(record);
            shown["incident"] = record.incident.to_string().into();
            shown
        })
        .collect();
    Ok(Json(json!({ "alerts": alerts, "next": page.next })))
}

/// `POST /incidents`: opens one with logs, or adds to the one with the same failure.
pub async fn open(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    body: Body,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let limits = app.config();
    let body = request::body(body, &limits.http).await?;
    let logs = request::logs(&headers, &body, &limits.http)?;
    let fields = request::object(&body).unwrap_or_default();
    let severity = match request::text_field(&fields, "severity")? {
        Some(word) => Some(commands::severity(&word)?),
        None => None,
    };
    let by = by(&app, &fields)?;
    let (incident, is_new) = open_with(&app, logs, severity, by, SOMEBODY, None).await?;
    Ok((if is_new { StatusCode::CREATED } else { StatusCode::OK }, Json(view(&incident))))
}

/// Opens an incident with `logs`, or adds to the one with the same failure. `frame`: the line of code that somebody named. Says
/// whether it is new.
///
/// # Errors
/// When the store fails.
pub async fn open_with(
    app: &Arc<App>,
    logs: Logs,
    severity: Option<Severity>,
    by: Actor,
    source: &'static str,
    frame: Option<Frame>,
) -> Result<(Incident, bool), Problem> {
    let state = Arc::clone(app);
    let opened = on_core(app, move |_| {
        let app = &state;
        let title = logs.context.title.clone().map(|title| commands::tidy(app, &title));
        let subject = Subject {
            title: title.clone().unwrap_or_default(),
            rests_on: Some(if logs.text.trim().is_empty() { RestsOn::AlertText } else { RestsOn::Logs }),
            text: if logs.text.trim().is_empty() { title.clone().unwrap_or_default() } else { logs.text },
            service: logs.context.service.clone().map(|service| commands::tidy(app, &service)),
            labels: logs.context.labels.into_iter().map(|(key, value)| (key, commands::tidy(app, &value))).collect(),
        };
        let analysis = analysis::analyse(app, &subject);
        let title = title.unwrap_or_else(|| commands::title_of(&analysis));
        let homes = app.default_homes();
        let opening = Opening { title, severity, source: source.to_owned(), homes, subject, analysis, frame };
        app.store.change(|batch| commands::open(app, batch, &by, &opening))
    })
    .await??;
    app.store.kept().await?;
    Ok(opened)
}

/// `POST /incidents/{id}/{action}`: does something to it.
pub async fn act(State(app): State<Arc<App>>, Path((id, action)): Path<(String, String)>, body: Body) -> Answer {
    let body = request::body(body, &app.config().http).await?;
    let fields = if body.is_empty() { Map::new() } else { request::object(&body)? };
    let action = action_of(&app, &action, &fields)?;
    let id = number(&id)?;
    let by = by(&app, &fields)?;
    let state = Arc::clone(&app);
    let act = move || commands::act(&state, id, &by, &action, &|_, _| Ok(()));
    let done = on_core(&app, move |_| act()).await??;
    app.store.kept().await?;
    let mut shown = view(&done.incident);
    if let Some(already) = done.already {
        shown["already"] = already.into();
    }
    Ok(Json(shown))
}

fn action_of(app: &App, name: &str, fields: &Map<String, Value>) -> Result<Action, Problem> {
    let text = |field: &str| request::text_field(fields, field);
    let needed = |field: &'static str| {
        let missing = || Problem::field(field, format!("{field} is missing"));
        text(field)?.ok_or_else(missing)
    };
    Ok(match name {
        "acknowledge" => Action::Acknowledge,
        "mitigate" => Action::Mitigate,
        "reopen" => Action::Reopen,
        "assign" => Action::Assign(commands::tidy(app, &needed("owner")?)),
        "severity" => Action::SetSeverity(commands::severity(&needed("severity")?)?),
        "wrong" => Action::Correct(commands::root_cause(&needed("root_cause")?)?),
        "resolve" => {
            let said =
                |field| Ok::<_, Problem>(text(field)?.map(|text| commands::tidy(app, &text)).unwrap_or_default());
            let (cause, fix) = (said("cause")?, said("fix")?);
            Action::Resolve((!cause.is_empty() || !fix.is_empty()).then_some(Resolution { cause, fix }))
        }
        "ticket" => Action::OpenTicket(text("tracker")?.unwrap_or_default()),
        "logs" => Action::AddLogs(
            request::lines(fields)?
                .filter(|logs| !logs.trim().is_empty())
                .ok_or_else(|| Problem::field("logs", "logs is missing: send {\"logs\": [\"line\", \u{2026}]}"))?,
        ),
        other => {
            return Err(Problem::not_found(format!(
                "{other:?} cannot be done to an incident; these can: acknowledge, assign, severity, mitigate, resolve, reopen, wrong, ticket, logs"
            )));
        }
    })
}

/// Who sends the request, as it says.
pub fn by(app: &App, fields: &Map<String, Value>) -> Result<Actor, Problem> {
    let name = request::text_field(fields, "by")?.map(|name| commands::tidy(app, &name));
    Ok(Actor::new(name.as_deref().unwrap_or(SOMEBODY), SOMEBODY))
}

fn number(id: &str) -> Result<IncidentId, Problem> {
    id.parse().map_err(|why: String| Problem::not_found(why))
}

fn find(app: &App, id: &str) -> Result<Incident, Problem> {
    let id = number(id)?;
    app.store.incident(id)?.ok_or_else(|| Refusal::NoIncident(id).into())
}

fn filter(query: &Parameters) -> Result<Filter, Problem> {
    const KNOWN: [&str; 8] = ["state", "severity", "service", "text", "since", "until", "cursor", "limit"];
    if let Some(unknown) = query.keys().find(|key| !KNOWN.contains(&key.as_str())) {
        return Err(Problem::field(unknown, format!("{unknown} is no filter; these are: {}", KNOWN.join(", "))));
    }
    let words = |name: &str| -> Vec<String> {
        let given = query.get(name).map_or("", String::as_str);
        given.split(',').map(str::trim).filter(|word| !word.is_empty()).map(str::to_owned).collect()
    };
    let state = |word: &String| {
        Life::ALL.into_iter().find(|state| state.name() == word).ok_or_else(|| {
            Problem::field("state", format!("state is {word:?}; it must be open, acknowledged, mitigated or resolved"))
        })
    };
    let time = |name: &str| -> Result<Option<Time>, Problem> {
        let wrong = |text: &String| {
            Problem::field(name, format!("{name} is {text:?}; it must be a time like 2026-05-01T10:00:00Z"))
        };
        query.get(name).map(|text| clock::parse(text).ok_or_else(|| wrong(text))).transpose()
    };
    Ok(Filter {
        states: words("state").iter().map(state).collect::<Result<_, _>>()?,
        severities: words("severity")
            .iter()
            .map(|word| Ok(commands::severity(word)?))
            .collect::<Result<Vec<Severity>, Problem>>()?,
        service: query.get("service").filter(|text| !text.is_empty()).cloned(),
        text: query.get("text").filter(|text| !text.is_empty()).cloned(),
        since: time("since")?,
        until: time("until")?,
    })
}

fn limit(query: &Parameters) -> Result<usize, Problem> {
    let wrong = || Problem::field("limit", format!("limit must be a whole number from 1 to {MAX_LIMIT}"));
    query.get("limit").map_or(Ok(DEFAULT_LIMIT), |text| {
        text.parse().ok().filter(|limit| (1..=MAX_LIMIT).contains(limit)).ok_or_else(wrong)
    })
}

fn cursor(query: &Parameters) -> Result<Option<u64>, Problem> {
    let wrong = || Problem::field("cursor", "cursor must be the `next` of the page before");
    query.get("cursor").map(|text| text.parse().map_err(|_| wrong())).transpose()
}

/// Runs what reads or changes much on a blocking thread.
async fn blocking<T: Send + 'static>(
    app: &Arc<App>,
    work: impl FnOnce(&Arc<App>) -> T + Send + 'static,
) -> Result<T, Problem> {
    let app = Arc::clone(app);
    tokio::task::spawn_blocking(move || work(&app)).await.map_err(|error| Problem::internal(&error))
}

/// An incident as the API shows it.
#[must_use]
pub fn view(incident: &Incident) -> Value {
    let cards: Value = incident
        .homes
        .iter()
        .map(|(platform, home)| {
            (platform.clone(), json!({ "place": home.place, "message": home.card.as_ref().map(|card| &card.id) }))
        })
        .collect::<Map<String, Value>>()
        .into();
    json!({
        "id": incident.id.to_string(),
        "title": incident.title,
        "service": incident.service,
        "severity": incident.severity,
        "state": incident.state,
        "owner": incident.owner,
        "opened_at": incident.opened_at,
        "updated_at": incident.updated_at,
        "acknowledged_at": incident.acknowledged_at,
        "mitigated_at": incident.mitigated_at,
        "resolved_at": incident.resolved_at,
        "duration_seconds": incident.duration(clock::now()).num_seconds(),
        "reopened": incident.reopened,
        "flapping": incident.flapping,
        "sources": incident.sources,
        "labels": incident.labels,
        "values": incident.values,
        "links": incident.links,
        "alerts": incident.counters,
        "root_cause": incident.verdict.as_ref().map(|verdict| &verdict.root_cause),
        "root_cause_id": incident.verdict.as_ref().map(|verdict| &verdict.root_cause_id),
        "confidence": incident.verdict.as_ref().map(|verdict| verdict.confidence),
        "rests_on": incident.verdict.as_ref().map(|verdict| verdict.rests_on),
        "corrected": incident.corrected,
        "earlier": incident.earlier.as_ref().map(|earlier| json!({
            "count": earlier.count,
            "since": earlier.since,
            "last": earlier.last.to_string(),
            "fixed_by": earlier.fixed_by,
        })),
        "resolution": incident.resolution,
        "tickets": tickets(incident),
        "pull_requests": pulls(incident),
        "cards": cards,
    })
}

/// The tickets of an incident.
fn tickets(incident: &Incident) -> Vec<Value> {
    let tickets = incident.followed.tickets.iter();
    tickets
        .map(|(tracker, linked)| {
            let ticket = linked.ticket.as_ref();
            json!({
                "tracker": tracker,
                "key": ticket.map(|ticket| &ticket.key),
                "url": ticket.map(|ticket| &ticket.url),
                "status": ticket.map_or("pending", |ticket| &ticket.status),
                "category": ticket.map(|ticket| ticket.category),
                "resolution": ticket.and_then(|ticket| ticket.resolution.as_ref()),
                "assigned_to": ticket.and_then(|ticket| ticket.assignee.as_ref()).map(|account| &account.name),
                "why": linked.owner,
                "was_there": linked.was_there,
                "trouble": linked.trouble,
            })
        })
        .collect()
}

/// The pull requests that name an incident.
fn pulls(incident: &Incident) -> Vec<Value> {
    let pulls = incident.followed.pulls.iter();
    pulls
        .map(|linked| {
            let pull = &linked.pull;
            json!({
                "repository": pull.repo,
                "number": pull.number,
                "title": pull.title,
                "url": pull.url,
                "author": pull.author,
                "state": pull.state,
                "checks": pull.checks,
                "review": pull.review,
                "fixes": linked.fixes,
                "reverted_by": linked.reverted_by,
            })
        })
        .collect()
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::NoIncident(_) => Self::not_found(refusal.to_string()),
            Refusal::DoesNotFit { field, what } => Self::field(field, what),
            Refusal::NotAllowed => Self::new(StatusCode::FORBIDDEN, refusal.to_string()),
            Refusal::Store(error) => error.into(),
        }
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::DiskFull => Self::busy(30, error.to_string()),
            other => Self::internal(&other),
        }
    }
}
