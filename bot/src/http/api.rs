//! The JSON API.

use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use clew_pipeline::anomaly::MAX_SHOWN;
use clew_pipeline::triage::Analysis;
use clew_pipeline::{Context, Pipeline, Triage};
use serde_json::{Map, Value, json};

use super::error::Problem;
use super::request::{self, Logs};
use crate::app::{App, StartError};
use crate::store::Replay;

type Answer = Result<Json<Value>, Problem>;

/// Anomalous lines that `/analyze` lists; `count` counts all.
const MAX_EVENTS: usize = 10_000;

/// `POST /triage`: the whole verdict.
pub async fn triage(State(app): State<Arc<App>>, headers: HeaderMap, body: Body) -> Answer {
    let logs = read_logs(&app, &headers, body).await?;
    Ok(Json(triage_and_keep(&app, logs).await?))
}

/// The verdict on `logs`, kept for its link.
pub async fn triage_and_keep(app: &Arc<App>, logs: Logs) -> Result<Value, Problem> {
    let state = Arc::clone(app);
    on_core(app, move |pipeline| {
        let id = state.store.name_of(&[&format!("{:?}", logs.context), &logs.text]);
        let redacted = |text: &Option<String>| text.as_deref().map(|text| pipeline.redact(text));
        let triage = triage_with_baseline(&state, pipeline, &logs);
        state.count(&triage);
        let mut verdict = to_value(&triage)?;
        verdict["replay_id"] = id.clone().into();
        let (title, service) = (redacted(&logs.context.title), redacted(&logs.context.service));
        let replay =
            Replay { at: crate::clock::in_words(crate::clock::now()), title, service, triage: verdict.clone() };
        let keep = state.config().data.max_replays;
        state.store.keep_replay(&id, &replay, keep)?;
        Ok(verdict)
    })
    .await?
}

/// The verdict, with what is normal for the service that the lines come from; what is routine in them is learned.
fn triage_with_baseline(app: &App, pipeline: &Pipeline, logs: &Logs) -> Triage {
    let service = logs.context.service.as_deref();
    let context = Context { baseline: app.baseline(service), ..logs.context.clone() };
    let triage = pipeline.triage(logs.text.lines(), &context);
    app.learn_routine(service, triage.counts.records, &triage.routine);
    triage
}

/// `GET /triage/{replay_id}`: a verdict that was given.
pub async fn replay(State(app): State<Arc<App>>, Path(id): Path<String>) -> Answer {
    let replay = app.store.replay(&id).map_err(|e| Problem::internal(&e))?;
    let replay =
        replay.ok_or_else(|| Problem::new(StatusCode::NOT_FOUND, "there is no verdict under this id, or no longer"))?;
    Ok(Json(replay.triage))
}

/// `POST /analyze`: anomalies and templates.
pub async fn analyze(State(app): State<Arc<App>>, headers: HeaderMap, body: Body) -> Answer {
    let logs = read_logs(&app, &headers, body).await?;
    let state = Arc::clone(&app);
    let answer = on_core(&app, move |pipeline| {
        let mut collector = pipeline.begin().with_places();
        logs.text.lines().for_each(|line| collector.push(line));
        let digest = collector.finish();
        let service = logs.context.service.as_deref();
        let analysis = pipeline.analyze(&digest, state.baseline(service).as_ref());
        state.learn_routine(service, digest.records, &analysis.routine);
        let lines: Vec<&str> = logs.text.lines().collect();
        let found: Vec<(usize, usize)> = digest
            .places
            .iter()
            .filter_map(|place| Some((place.line, analysis.anomalies.iter().position(|a| a.group == place.group)?)))
            .collect();
        let events: Vec<Value> = found
            .iter()
            .take(MAX_EVENTS)
            .map(|(line, finding)| event(pipeline, &analysis, *line, lines.get(line - 1).unwrap_or(&""), *finding))
            .collect();
        json!({
            "anomalies": events.iter().map(|event| event["text"].clone()).collect::<Vec<_>>(),
            "count": found.len(),
            "events": events,
            "findings": analysis.anomalies.iter().take(MAX_SHOWN).collect::<Vec<_>>(),
            "templates": analysis.templates,
        })
    })
    .await?;
    app.metrics.anomalies.inc_by(answer["count"].as_u64().unwrap_or(0));
    Ok(Json(answer))
}

/// An anomalous line: what its template was found to be, with the line's own number and text.
fn event(pipeline: &Pipeline, analysis: &Analysis, line: usize, text: &str, finding: usize) -> Value {
    let anomaly = &analysis.anomalies[finding];
    json!({
        "line": line,
        "text": if line == anomaly.line { anomaly.text.clone() } else { pipeline.redact(text) },
        "severity": anomaly.severity,
        "template": anomaly.template,
        "count": anomaly.count,
        "score": anomaly.score,
        "reasons": anomaly.reasons,
    })
}

/// `POST /diff`: what changed between two logs.
pub async fn diff(State(app): State<Arc<App>>, body: Body) -> Answer {
    let fields = read_object(&app, body).await?;
    let (before, after) = request::before_and_after(&fields, &app.config().http)?;
    let diff = on_core(&app, move |pipeline| pipeline.diff(before.lines(), after.lines())).await?;
    Ok(Json(to_value(&diff)?))
}

/// `POST /predict`: the root cause alone.
pub async fn predict(State(app): State<Arc<App>>, headers: HeaderMap, body: Body) -> Answer {
    let logs = read_logs(&app, &headers, body).await?;
    let state = Arc::clone(&app);
    let triage = on_core(&app, move |pipeline| triage_with_baseline(&state, pipeline, &logs)).await?;
    app.count(&triage);
    Ok(Json(json!({
        "root_cause": triage.root_cause,
        "id": triage.root_cause_id,
        "confidence": triage.confidence,
        "candidates": triage.candidates,
        "evidence": triage.evidence,
        "code_related": triage.code_related,
        "skipped": triage.skipped,
    })))
}

/// `POST /search`: knowledge entries.
pub async fn search(State(app): State<Arc<App>>, body: Body) -> Answer {
    let fields = read_object(&app, body).await?;
    let query = request::text_field(&fields, "query")?
        .ok_or_else(|| Problem::field("query", "query is missing: say what to look for"))?;
    let top_k = request::top_k(&fields)?;
    let filter = request::filter(&fields)?;
    app.metrics.searches.inc();
    let hits = on_core(&app, move |pipeline| pipeline.search(&query, &filter, top_k)).await?;
    Ok(Json(to_value(&hits)?))
}

/// `POST /recommend`: next steps for a root cause or a question.
pub async fn recommend(State(app): State<Arc<App>>, body: Body) -> Answer {
    let fields = read_object(&app, body).await?;
    let root_cause = request::text_field(&fields, "root_cause")?;
    let mut query = request::text_field(&fields, "query")?;
    if let Some(text) = request::lines(&fields)? {
        query = Some([query.unwrap_or_default(), text].join("\n"));
    }
    if root_cause.is_none() && query.is_none() {
        return Err(Problem::field("root_cause", "root_cause is missing: send a root cause (id or title), or a query"));
    }
    app.metrics.recommendations.inc();
    let actions =
        on_core(&app, move |pipeline| pipeline.recommend_for(root_cause.as_deref(), query.as_deref())).await?;
    let first = actions
        .first()
        .map_or("Nothing known fits. Look at the evidence lines, and note what fixed it as a knowledge entry.", |a| {
            &a.action
        });
    Ok(Json(json!({ "action": first, "recommended_actions": actions, "skipped": app.pipeline.skipped() })))
}

/// `GET /config`: the settings in force, secrets masked.
pub async fn settings(State(app): State<Arc<App>>) -> Answer {
    Ok(Json(app.masked_settings().map_err(|e| Problem::internal(&e))?))
}

/// `POST /config`: changes settings.
pub async fn change_settings(State(app): State<Arc<App>>, body: Body) -> Answer {
    let change = Value::Object(read_object(&app, body).await?);
    let state = Arc::clone(&app);
    // It is on disk when it returns, so it must not run where nothing may wait.
    let changed = tokio::task::spawn_blocking(move || state.change_settings(&change)).await;
    let restart = changed.map_err(|error| Problem::internal(&error))?.map_err(|error| match error {
        StartError::Config(error) => {
            let text = error.to_string();
            let field = text
                .split([':', '"'])
                .find(|part| part.contains('.') && !part.contains(' '))
                .unwrap_or("body")
                .to_owned();
            Problem::field(&field, text)
        }
        other => Problem::internal(&other),
    })?;
    let settings = app.masked_settings().map_err(|e| Problem::internal(&e))?;
    Ok(Json(json!({ "config": settings, "restart_needed": restart })))
}

async fn read_logs(app: &Arc<App>, headers: &HeaderMap, body: Body) -> Result<Logs, Problem> {
    let limits = &app.config().http;
    let body = request::body(body, limits).await?;
    request::logs(headers, &body, limits)
}

async fn read_object(app: &Arc<App>, body: Body) -> Result<Map<String, Value>, Problem> {
    request::object(&request::body(body, &app.config().http).await?)
}

/// Runs `work` on a thread of its own, as many at once as there are cores. 503 when too many wait already.
pub async fn on_core<T: Send + 'static>(
    app: &Arc<App>,
    work: impl FnOnce(&Pipeline) -> T + Send + 'static,
) -> Result<T, Problem> {
    let busy = || Problem::busy(2, "too many requests wait for the analysis; try again in a moment");
    let _place = Arc::clone(&app.waiting).try_acquire_owned().map_err(|_| busy())?;
    let core = Arc::clone(&app.cores).acquire_owned().await.map_err(|_| busy())?;
    let pipeline = Arc::clone(&app.pipeline);
    tokio::task::spawn_blocking(move || {
        let _core = core;
        work(&pipeline)
    })
    .await
    .map_err(|error| Problem::internal(&error))
}

fn to_value(value: &impl serde::Serialize) -> Result<Value, Problem> {
    serde_json::to_value(value).map_err(|error| Problem::internal(&error))
}
