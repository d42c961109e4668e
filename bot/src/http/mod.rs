//! What is served. The only list of routes.

pub mod api;
mod console;
mod error;
mod guard;
mod health;
mod openapi;
mod request;

use std::sync::Arc;

use axum::Router;
use axum::extract::{MatchedPath, Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use tower_http::catch_panic::CatchPanicLayer;

use crate::app::App;
use error::Problem;

/// All routes with their guards.
pub fn router(app: Arc<App>) -> Router {
    Router::new()
        .route("/triage", post(api::triage))
        .route("/triage/{replay_id}", get(api::replay))
        .route("/analyze", post(api::analyze))
        .route("/diff", post(api::diff))
        .route("/predict", post(api::predict))
        .route("/search", post(api::search))
        .route("/recommend", post(api::recommend))
        .route("/config", get(api::settings).post(api::change_settings))
        .route("/health", get(health::health))
        .route("/ready", get(health::ready))
        .route("/metrics", get(health::metrics))
        .route("/openapi.json", get(openapi::document))
        .route("/docs", get(openapi::page))
        .route("/", get(console::home).post(console::triage))
        .route("/t/{replay_id}", get(console::verdict))
        .route("/login", get(console::login).post(console::sign_in))
        .route("/style.css", get(console::style))
        .route("/console.js", get(console::script))
        .fallback(not_found)
        .method_not_allowed_fallback(wrong_method)
        .layer(from_fn_with_state(Arc::clone(&app), guard::guard))
        .layer(from_fn_with_state(Arc::clone(&app), count))
        .layer(CatchPanicLayer::custom(|_| Problem::internal(&"a handler panicked").into_response()))
        .with_state(app)
}

async fn not_found() -> Problem {
    Problem::new(axum::http::StatusCode::NOT_FOUND, "there is nothing under this address; /docs lists what there is")
}

async fn wrong_method() -> Problem {
    Problem::new(
        axum::http::StatusCode::METHOD_NOT_ALLOWED,
        "this address does not take this method; /docs lists which it takes",
    )
}

async fn count(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let endpoint = request.extensions().get::<MatchedPath>().map_or("unmatched", MatchedPath::as_str).to_owned();
    let response = next.run(request).await;
    let status = response.status();
    app.metrics.requests.with_label_values(&[endpoint.as_str(), status.as_str()]).inc();
    if status.as_u16() >= 400 {
        app.metrics.errors.with_label_values(&[endpoint.as_str()]).inc();
    }
    response
}
