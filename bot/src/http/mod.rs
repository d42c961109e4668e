//! What is served. The only list of routes.

pub mod api;
mod chat;
mod console;
mod error;
mod guard;
mod health;
mod incidents;
mod jobs;
mod openapi;
mod request;
mod ticket;
mod trackers;
mod webhooks;

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
    chat::routes()
        .merge(trackers::routes())
        .route("/triage", post(api::triage))
        .route("/triage/{replay_id}", get(api::replay))
        .route("/analyze", post(api::analyze))
        .route("/diff", post(api::diff))
        .route("/predict", post(api::predict))
        .route("/search", post(api::search))
        .route("/recommend", post(api::recommend))
        .route("/webhooks/{format}", post(webhooks::deliver))
        .route("/webhooks/{format}/{token}", post(webhooks::deliver_with_token))
        .route("/incident", post(ticket::open))
        .route("/incidents", get(incidents::list).post(incidents::open))
        .route("/incidents/{id}", get(incidents::one))
        .route("/incidents/{id}/events", get(incidents::events))
        .route("/incidents/{id}/alerts", get(incidents::alerts))
        .route("/incidents/{id}/{action}", post(incidents::act))
        .route("/jobs", get(jobs::list))
        .route("/jobs/{id}/{action}", post(jobs::act))
        .route("/backup", get(jobs::backup))
        .route("/config", get(api::settings).post(api::change_settings))
        .route("/health", get(health::health))
        .route("/ready", get(health::ready))
        .route("/metrics", get(health::metrics))
        .route("/openapi.json", get(openapi::document))
        .route("/docs", get(openapi::page))
        .route("/", get(console::triage::home).post(console::triage::triage))
        .route("/t/{replay_id}", get(console::triage::verdict))
        .route("/i", get(console::incidents::list))
        .route("/i/{id}", get(console::incidents::one).post(console::incidents::act))
        .route("/chat", get(console::chat::home))
        .route("/chat/{channel}", get(console::chat::channel).post(console::chat::write))
        .route("/chat/{channel}/{message}", get(console::chat::thread).post(console::chat::reply))
        .route("/chat/press/{message}", post(console::chat::press))
        .route("/me", post(console::remember))
        .route("/tickets", get(console::tickets::list))
        .route("/tickets/{key}", get(console::tickets::one).post(console::tickets::act))
        .route("/work", get(console::work::list))
        .route("/work/{id}/{action}", post(console::work::act))
        .route("/login", get(console::sign_in::login).post(console::sign_in::sign_in))
        .route("/style.css", get(console::style))
        .route("/console.js", get(console::script))
        .route("/chat.js", get(console::chat_script))
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
