//! Paste or drop a log, and the verdict on it.

use std::sync::Arc;

use askama::Template;
use askama::filters::HtmlSafe;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use clew_pipeline::Context;
use serde::Deserialize;

use super::name::Name;
use super::{Instead, badge, blocking, failed, few_enough, form, lead_to, message, page};
use crate::app::App;
use crate::http::api::triage_and_keep;
use crate::http::incidents;
use crate::http::request::Logs;
use crate::incident::Actor;

#[derive(Template)]
#[template(path = "home.html")]
struct Home<'a> {
    badge: String,
    entries: usize,
    body_limit_mib: usize,
    skipped: &'a [clew_pipeline::verdict::Skipped],
}

#[derive(Template)]
#[template(path = "verdict.html")]
struct VerdictPage {
    badge: String,
    at: String,
    title: Option<String>,
    service: Option<String>,
    percent: String,
    sure: String,
    verdict: Verdict,
    redacted: usize,
    total_ms: String,
    json: String,
}

/// A stored verdict, as far as pages show it.
#[derive(Deserialize, Template)]
#[template(path = "parts.html")]
pub struct Verdict {
    root_cause: String,
    root_cause_id: String,
    confidence: f64,
    candidates: Vec<Candidate>,
    evidence: Vec<Evidence>,
    anomalies: Vec<Anomaly>,
    similar_incidents: Vec<Similar>,
    recommended_actions: Vec<Action>,
    code_related: bool,
    redactions: std::collections::BTreeMap<String, usize>,
    counts: Counts,
    skipped: Vec<Skipped>,
    timings_ms: std::collections::BTreeMap<String, f64>,
    #[serde(default)]
    replay_id: String,
}

impl HtmlSafe for Verdict {}

#[derive(Deserialize)]
struct Candidate {
    root_cause: String,
    id: String,
    probability: f64,
}

impl Candidate {
    fn percent(&self) -> String {
        format!("{:.0}", self.probability * 100.0)
    }
}

#[derive(Deserialize)]
struct Evidence {
    line: usize,
    text: String,
    why: String,
}

#[derive(Deserialize)]
struct Anomaly {
    line: usize,
    text: String,
    reasons: Vec<String>,
}

#[derive(Deserialize)]
struct Similar {
    id: String,
    /// Of a team's own page: its path and section.
    source: Option<String>,
    summary: String,
    resolution: String,
    score: f64,
}

impl Similar {
    fn place(&self) -> &str {
        self.source.as_deref().unwrap_or(&self.id)
    }

    fn percent(&self) -> String {
        format!("{:.0}", self.score * 100.0)
    }
}

#[derive(Deserialize)]
struct Action {
    #[serde(rename = "action")]
    text: String,
    why: String,
    risk: String,
}

impl Action {
    /// The step in pieces, every second one a command.
    fn pieces(&self) -> Vec<(bool, &str)> {
        self.text.split('`').enumerate().map(|(place, piece)| (place % 2 == 1, piece)).collect()
    }
}

#[derive(Deserialize)]
struct Counts {
    lines: usize,
    records: usize,
    templates: usize,
}

#[derive(Deserialize)]
struct Skipped {
    stage: String,
    why: String,
}

/// What the form sends.
#[derive(Deserialize)]
pub struct Paste {
    logs: String,
    #[serde(default)]
    title: String,
    #[serde(default)]
    service: String,
    /// `open`: an incident, too.
    #[serde(default)]
    then: String,
}

/// `GET /`: paste or drop a log.
pub async fn home(State(app): State<Arc<App>>) -> Result<Response, Instead> {
    let badge = blocking(&app, |app| Ok(badge(app))).await?;
    Ok(page(&Home {
        badge,
        entries: app.pipeline.knowledge().documents().len(),
        body_limit_mib: app.config().http.body_limit_bytes >> 20,
        skipped: &app.pipeline.skipped(),
    }))
}

/// `POST /`: the form without JavaScript.
pub async fn triage(State(app): State<Arc<App>>, headers: HeaderMap, body: Body) -> Result<Response, Instead> {
    let paste: Paste = form(&app, body).await?;
    if paste.logs.trim().is_empty() {
        let text = "Paste at least one log line, or drop a file.";
        return Err(message(StatusCode::UNPROCESSABLE_ENTITY, "There is nothing to look at", text, "/"));
    }
    few_enough(&app, &paste.logs, "/")?;
    let given = |text: String| (!text.trim().is_empty()).then_some(text);
    let context = Context { title: given(paste.title), service: given(paste.service), ..Context::default() };
    let logs = Logs { text: paste.logs, context };
    if paste.then == "open" {
        let by = Actor::new(Name::of(&app, &headers, None).shown(), "console");
        let (incident, _) = incidents::open_with(&app, logs, None, by, "console", None).await?;
        return Ok(lead_to(&format!("/i/{}", incident.id), None));
    }
    let verdict = triage_and_keep(&app, logs).await?;
    Ok(lead_to(&format!("/t/{}", verdict["replay_id"].as_str().unwrap_or_default()), None))
}

/// `GET /t/{replay_id}`: a verdict for people.
pub async fn verdict(State(app): State<Arc<App>>, Path(id): Path<String>) -> Result<Response, Instead> {
    let (replay, badge) = blocking(&app, move |app| Ok((app.store.replay(&id)?, badge(app)))).await?;
    let replay = replay.ok_or_else(|| {
        let text = "The link is wrong, or the verdict is so old that it was removed (data.max_replays says how many are kept).";
        message(StatusCode::NOT_FOUND, "There is no verdict here", text, "/")
    })?;
    let json = serde_json::to_string_pretty(&replay.triage).unwrap_or_default();
    let verdict: Verdict = serde_json::from_value(replay.triage).map_err(|error| failed(error.into()))?;
    Ok(page(&VerdictPage {
        badge,
        at: replay.at,
        title: replay.title,
        service: replay.service,
        percent: format!("{:.0}", verdict.confidence * 100.0),
        sure: crate::words::how_sure(
            &verdict.root_cause_id,
            verdict.candidates.first().map_or("", |candidate| &candidate.id),
            verdict.confidence,
            !verdict.anomalies.is_empty(),
        ),
        redacted: verdict.redactions.values().sum(),
        total_ms: format!("{:.0}", verdict.timings_ms.get("total").copied().unwrap_or(0.0)),
        verdict,
        json,
    }))
}
