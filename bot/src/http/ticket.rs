//! `POST /incident`: something is wrong in the code; somebody shall look at it.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::StatusCode;
use clew_adapters::code::Frame;
use clew_pipeline::Context;
use serde_json::{Map, Value, json};

use super::api::on_core;
use super::error::Problem;
use super::incidents::{by, open_with};
use super::request::{self, Logs};
use crate::app::App;
use crate::commands::{self, Action};
use crate::incident::{Incident, IncidentId, LinkedTicket};

/// How long an answer waits for the ticket, and how often it looks.
const PATIENCE: Duration = Duration::from_secs(8);
const LOOK: Duration = Duration::from_millis(50);

/// Opens an incident, or adds to the one with the same failure, and a ticket for it. Answers with the ticket when it is there
/// within a few seconds: 201, or 200 when it was there before; else 202: it is opened as soon as its tracker lets it be.
pub async fn open(State(app): State<Arc<App>>, body: Body) -> Result<(StatusCode, Json<Value>), Problem> {
    let body = request::body(body, &app.config().http).await?;
    let fields = request::object(&body)?;
    let summary = request::text_field(&fields, "error_summary")?;
    let summary = summary.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
    let summary = summary
        .ok_or_else(|| Problem::field("error_summary", "error_summary is missing: say in one line what is wrong"))?;
    let details = details(&fields)?;
    let frame = frame(&fields)?.map(|frame| Frame { path: commands::tidy(&app, &frame.path), ..frame });
    let severity = request::text_field(&fields, "severity")?.map(|word| commands::severity(&word)).transpose()?;
    let tracker = commands::tracker(&app, &request::text_field(&fields, "tracker")?.unwrap_or_default())?;
    let service = request::text_field(&fields, "service")?;
    let by = by(&app, &fields)?;
    let context = Context { title: Some(summary), service, ..Context::default() };
    let (incident, _) = open_with(&app, Logs { text: details, context }, severity, by.clone(), "api", frame).await?;
    let (state, id, name) = (Arc::clone(&app), incident.id, tracker.clone());
    let act = move || commands::act(&state, id, &by, &Action::OpenTicket(name), &|_, _| Ok(()));
    let done = on_core(&app, move |_| act()).await??;
    app.store.kept().await?;
    let was_there = done.already.is_some();
    let incident = ticket_or_trouble(&app, id, &tracker).await?.unwrap_or(done.incident);
    Ok(answer(&incident, &tracker, was_there))
}

/// The details: a text, or lines.
fn details(fields: &Map<String, Value>) -> Result<String, Problem> {
    match fields.get("error_details") {
        None | Some(Value::Null) => Ok(String::new()),
        Some(Value::String(text)) => Ok(text.clone()),
        Some(Value::Array(lines)) if lines.iter().all(Value::is_string) => {
            Ok(lines.iter().filter_map(Value::as_str).collect::<Vec<_>>().join("\n"))
        }
        Some(_) => Err(Problem::field("error_details", "error_details must be a text, or a list of lines")),
    }
}

/// The line of code, if one is named.
fn frame(fields: &Map<String, Value>) -> Result<Option<Frame>, Problem> {
    let line = match fields.get("line_number") {
        None | Some(Value::Null) => None,
        Some(Value::String(text)) if text.trim().is_empty() => None,
        Some(Value::String(text)) => Some(text.trim().parse().ok()),
        Some(other) => Some(other.as_u64()),
    };
    let wrong = || Problem::field("line_number", "line_number must be a whole number from 1");
    let line = line.map(|line| line.filter(|line| *line > 0).ok_or_else(wrong)).transpose()?;
    let path = request::text_field(fields, "file_path")?.filter(|path| !path.trim().is_empty());
    Ok(path.map(|path| Frame { path: path.trim().to_owned(), line }))
}

/// The incident once its ticket is there or refused, if that is soon.
async fn ticket_or_trouble(app: &App, id: IncidentId, tracker: &str) -> Result<Option<Incident>, Problem> {
    let until = tokio::time::Instant::now() + PATIENCE;
    loop {
        let Some(incident) = app.store.incident(id)? else { return Ok(None) };
        let is_pending = incident.followed.tickets.get(tracker).is_some_and(LinkedTicket::is_pending);
        if !is_pending || tokio::time::Instant::now() >= until {
            return Ok(Some(incident));
        }
        tokio::time::sleep(LOOK).await;
    }
}

fn answer(incident: &Incident, tracker: &str, was_there: bool) -> (StatusCode, Json<Value>) {
    let linked = incident.followed.tickets.get(tracker);
    let ticket = linked.and_then(|linked| linked.ticket.as_ref());
    let refused = linked.and_then(|linked| linked.trouble.as_ref()).filter(|_| ticket.is_none());
    let status = match (ticket, refused) {
        (Some(ticket), _) => ticket.status.as_str(),
        (None, Some(trouble)) if trouble.next.is_none() => "refused",
        (None, _) => "pending",
    };
    let key = ticket.map(|ticket| &ticket.key);
    let was_there = was_there || linked.is_some_and(|linked| linked.was_there);
    let code = match (key, was_there) {
        (Some(_), true) => StatusCode::OK,
        (Some(_), false) => StatusCode::CREATED,
        (None, _) => StatusCode::ACCEPTED,
    };
    let mut shown = json!({
        "incident": incident.id.to_string(),
        "ticket": key,
        "tracker": tracker,
        "url": ticket.map(|ticket| &ticket.url),
        "assigned_to": ticket.and_then(|ticket| ticket.assignee.as_ref()).map(|account| &account.name),
        "why": linked.and_then(|linked| linked.owner.as_ref()),
        "status": status,
        "trouble": refused.map(|trouble| &trouble.why),
    });
    // The name that the answer had before there were several trackers.
    shown[format!("{tracker}_issue")] = json!(key);
    (code, Json(shown))
}
