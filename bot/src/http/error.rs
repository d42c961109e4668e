//! Errors as RFC 9457 problem documents.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

/// A problem: what is wrong, with which field and which limit, and what to do.
#[derive(Debug)]
pub struct Problem {
    status: StatusCode,
    detail: String,
    field: Option<String>,
    limit: Option<Value>,
    retry_after: Option<u32>,
    challenge: bool,
}

impl Problem {
    /// A problem with this status.
    #[must_use]
    pub fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self { status, detail: detail.into(), field: None, limit: None, retry_after: None, challenge: false }
    }

    /// 422: `field` does not fit.
    #[must_use]
    pub fn field(field: &str, detail: impl Into<String>) -> Self {
        Self { field: Some(field.to_owned()), ..Self::new(StatusCode::UNPROCESSABLE_ENTITY, detail) }
    }

    /// 413: `field` is larger than `limit`.
    #[must_use]
    pub fn too_large(field: &str, limit: usize, detail: impl Into<String>) -> Self {
        Self {
            field: Some(field.to_owned()),
            limit: Some(limit.into()),
            ..Self::new(StatusCode::PAYLOAD_TOO_LARGE, detail)
        }
    }

    /// 503: come back in `seconds`.
    #[must_use]
    pub fn busy(seconds: u32, detail: impl Into<String>) -> Self {
        Self { retry_after: Some(seconds), ..Self::new(StatusCode::SERVICE_UNAVAILABLE, detail) }
    }

    /// Its status in one word, for metrics.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self.status {
            StatusCode::SERVICE_UNAVAILABLE => "busy",
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => "unauthorized",
            status if status.is_server_error() => "failed",
            _ => "refused",
        }
    }

    /// 401. Some senders give their password only when they are asked for it in this way.
    #[must_use]
    pub fn unauthorized(detail: impl Into<String>) -> Self {
        Self { challenge: true, ..Self::new(StatusCode::UNAUTHORIZED, detail) }
    }

    /// 404: there is no such thing.
    #[must_use]
    pub fn not_found(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, detail)
    }

    /// 500, with the cause in the log and not in the answer.
    #[must_use]
    pub fn internal(cause: &dyn std::fmt::Display) -> Self {
        tracing::error!(%cause, "a request failed");
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "something went wrong here; the log of clew says what")
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut body = json!({
            "type": "about:blank",
            "title": self.status.canonical_reason().unwrap_or("Error"),
            "status": self.status.as_u16(),
            "detail": self.detail,
        });
        if let Some(field) = self.field {
            body["field"] = field.into();
        }
        if let Some(limit) = self.limit {
            body["limit"] = limit;
        }
        let mut response = (self.status, Json(body)).into_response();
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if self.challenge {
            let basic = HeaderValue::from_static("Basic realm=\"clew\"");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, basic);
        }
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
        }
        response
    }
}
