//! Deliveries of chat platforms over HTTP: kept, then answered. Who sends is proved by a signature, which the platform checks.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{MatchedPath, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use clew_adapters::chat::{ADDRESSES, Answer};

use super::error::Problem;
use super::request;
use crate::app::App;

/// Largest delivery, in bytes: a message with all its blocks is far smaller.
const LARGEST: usize = 4 << 20;

/// The addresses of all platforms.
pub fn routes() -> Router<Arc<App>> {
    ADDRESSES.iter().copied().flatten().fold(Router::new(), |router, address| router.route(address, post(deliver)))
}

async fn deliver(
    State(app): State<Arc<App>>,
    path: MatchedPath,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let reading = app.reading.try_acquire();
    let reading = reading.map_err(|_| Problem::busy(1, "too many deliveries arrive at once; send this one again"))?;
    let body = request::body_up_to(body, LARGEST, "the limit of this address").await?;
    drop(reading);
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    match app.receive(path.as_str(), &header, &body).await {
        // The platform may show what stands in an answer; nothing stands in an empty one.
        Some(Answer::Arrived(None)) => Ok(StatusCode::OK.into_response()),
        Some(Answer::Arrived(Some(document))) => Ok(axum::Json(document).into_response()),
        Some(Answer::Refused(why)) => Err(Problem::unauthorized(why)),
        Some(Answer::Unreadable(why)) => Err(Problem::field("body", why)),
        Some(Answer::Unkept(why)) => {
            tracing::error!(why, "a delivery of a chat platform could not be kept");
            Err(Problem::busy(5, "the delivery could not be kept; send it again"))
        }
        None => Err(Problem::new(StatusCode::NOT_FOUND, "the platform of this address is not configured")),
    }
}
