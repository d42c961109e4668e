//! The web console: pages for people without a chat account. They work without JavaScript; with it, files can be dropped.

use std::sync::Arc;

use askama::Template;
use axum::Form;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use clew_pipeline::Context;
use serde::Deserialize;

use super::api::triage_and_keep;
use super::error::Problem;
use super::guard;
use super::request::{self, Logs};
use crate::app::App;

#[derive(Template)]
#[template(path = "home.html")]
struct Home<'a> {
    entries: usize,
    body_limit_mib: usize,
    skipped: &'a [clew_pipeline::verdict::Skipped],
}

#[derive(Template)]
#[template(path = "verdict.html")]
struct VerdictPage {
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

#[derive(Template)]
#[template(path = "message.html")]
struct Message<'a> {
    heading: &'a str,
    text: &'a str,
}

#[derive(Template)]
#[template(path = "login.html")]
struct Login {
    wrong: bool,
}

/// A stored verdict, as far as the page shows it.
#[derive(Deserialize)]
struct Verdict {
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
    replay_id: String,
}

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
}

/// What the sign-in form sends.
#[derive(Deserialize)]
pub struct SignIn {
    key: String,
}

/// `GET /`: paste or drop a log.
pub async fn home(State(app): State<Arc<App>>) -> Response {
    page(&Home {
        entries: app.pipeline.knowledge().documents().len(),
        body_limit_mib: app.config().http.body_limit_bytes >> 20,
        skipped: &app.pipeline.skipped(),
    })
}

/// `POST /`: the form without JavaScript.
pub async fn triage(State(app): State<Arc<App>>, body: Body) -> Response {
    match from_form(&app, body).await {
        Ok(id) => Redirect::to(&format!("/t/{id}")).into_response(),
        Err(problem) => problem,
    }
}

async fn from_form(app: &Arc<App>, body: Body) -> Result<String, Response> {
    let body = request::body(body, &app.config().http).await.map_err(IntoResponse::into_response)?;
    let mut request = axum::http::Request::post("/")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Body::from(body))
        .map_err(|e| Problem::internal(&e).into_response())?;
    // The body was limited above, by the setting.
    axum::extract::DefaultBodyLimit::disable().apply(&mut request);
    let form = <Form<Paste> as axum::extract::FromRequest<()>>::from_request(request, &()).await;
    let Ok(Form(paste)) = form else {
        return Err(message(
            StatusCode::BAD_REQUEST,
            "That could not be read",
            "The form did not arrive whole. Go back and send it again.",
        ));
    };
    if paste.logs.trim().is_empty() {
        return Err(message(
            StatusCode::UNPROCESSABLE_ENTITY,
            "There is nothing to look at",
            "Paste at least one log line, or drop a file.",
        ));
    }
    let limits = app.config();
    if paste.logs.lines().count() > limits.http.max_lines {
        let text = format!(
            "At most {} lines are read. Send the part around the failure, or raise http.max_lines.",
            limits.http.max_lines
        );
        return Err(message(StatusCode::PAYLOAD_TOO_LARGE, "That is too much", &text));
    }
    let given = |text: String| (!text.trim().is_empty()).then_some(text);
    let context = Context { title: given(paste.title), service: given(paste.service), ..Context::default() };
    let verdict =
        triage_and_keep(app, Logs { text: paste.logs, context }).await.map_err(IntoResponse::into_response)?;
    Ok(verdict["replay_id"].as_str().unwrap_or_default().to_owned())
}

/// `GET /t/{replay_id}`: a verdict for people.
pub async fn verdict(State(app): State<Arc<App>>, Path(id): Path<String>) -> Response {
    let replay = match app.store.replay(&id) {
        Ok(Some(replay)) => replay,
        Ok(None) => {
            let text = "The link is wrong, or the verdict is so old that it was removed (data.max_replays says how many are kept).";
            return message(StatusCode::NOT_FOUND, "There is no verdict here", text);
        }
        Err(error) => return Problem::internal(&error).into_response(),
    };
    let json = serde_json::to_string_pretty(&replay.triage).unwrap_or_default();
    let verdict: Verdict = match serde_json::from_value(replay.triage) {
        Ok(verdict) => verdict,
        Err(error) => return Problem::internal(&error).into_response(),
    };
    page(&VerdictPage {
        at: replay.at,
        title: replay.title,
        service: replay.service,
        percent: format!("{:.0}", verdict.confidence * 100.0),
        sure: crate::cli::in_words(
            &verdict.root_cause_id,
            verdict.candidates.first().map_or("", |candidate| &candidate.id),
            verdict.confidence,
            !verdict.anomalies.is_empty(),
        ),
        redacted: verdict.redactions.values().sum(),
        total_ms: format!("{:.0}", verdict.timings_ms.get("total").copied().unwrap_or(0.0)),
        verdict,
        json,
    })
}

/// `GET /login`: where a browser gives its API key.
pub async fn login() -> Response {
    page(&Login { wrong: false })
}

/// `POST /login`: keeps a right key in a cookie.
pub async fn sign_in(State(app): State<Arc<App>>, Form(form): Form<SignIn>) -> Response {
    if !guard::is_key(form.key.trim(), &app) {
        let mut response = page(&Login { wrong: true });
        *response.status_mut() = StatusCode::UNAUTHORIZED;
        return response;
    }
    let cookie = format!("{}={}; HttpOnly; SameSite=Lax; Path=/", guard::COOKIE, guard::cookie_value(form.key.trim()));
    let mut response = Redirect::to("/").into_response();
    if let Ok(value) = HeaderValue::from_str(&cookie) {
        response.headers_mut().insert(header::SET_COOKIE, value);
    }
    response
}

/// `GET /style.css`
pub async fn style() -> Response {
    ([(header::CONTENT_TYPE, "text/css; charset=utf-8")], include_str!("../../templates/style.css")).into_response()
}

/// `GET /console.js`
pub async fn script() -> Response {
    ([(header::CONTENT_TYPE, "text/javascript; charset=utf-8")], include_str!("../../templates/console.js"))
        .into_response()
}

fn message(status: StatusCode, heading: &str, text: &str) -> Response {
    let mut response = page(&Message { heading, text });
    *response.status_mut() = status;
    response
}

/// Renders a page. Nothing but its own style and script may load: a log line that gets past the escaping stays inert.
pub fn page(template: &impl Template) -> Response {
    let html = match template.render() {
        Ok(html) => html,
        Err(error) => return Problem::internal(&error).into_response(),
    };
    let mut response = Html(html).into_response();
    let headers = response.headers_mut();
    let policy = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}
