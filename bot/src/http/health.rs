//! Whether the process lives, whether it can work, and its figures.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::error::Problem;
use crate::app::App;

/// `GET /health`: the process lives.
pub async fn health() -> Json<serde_json::Value> {
    Json(json!({ "status": "ok", "version": env!("CARGO_PKG_VERSION") }))
}

/// `GET /ready`: 200 when verdicts can be given, else 503. Lists what is loaded and what is missing.
pub async fn ready(State(app): State<Arc<App>>) -> Response {
    let store = app.store.check();
    let full = app.disk_is_full();
    let ready = app.pipeline.is_ready() && store.is_ok() && !full;
    let depth = app.queue.depth();
    let loaded = app.pipeline.loaded();
    let body = json!({
        "status": if ready { "ready" } else { "not ready" },
        "loaded": loaded.parts,
        "skipped": app.pipeline.skipped(),
        "store": store.map_or_else(|error| error.to_string(), |()| if full { "the disk is full" } else { "ok" }.to_owned()),
        "jobs_waiting": depth.waiting,
        "dead_letters": depth.dead,
    });
    (if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }, Json(body)).into_response()
}

/// `GET /metrics`: Prometheus' text format.
pub async fn metrics(State(app): State<Arc<App>>) -> Result<Response, Problem> {
    app.metrics.jobs_waiting.reset();
    app.metrics.jobs_oldest.reset();
    for (kind, (count, since)) in app.queue.waiting() {
        app.metrics.jobs_waiting.with_label_values(&[kind]).set(i64::try_from(count).unwrap_or(i64::MAX));
        app.metrics.jobs_oldest.with_label_values(&[kind]).set((crate::clock::now() - since).num_seconds());
    }
    app.metrics.dead_letters.set(i64::try_from(app.queue.depth().dead).unwrap_or(i64::MAX));
    let text = app.metrics.text().map_err(|e| Problem::internal(&e))?;
    Ok(([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response())
}
