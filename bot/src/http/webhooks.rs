//! Deliveries of alerts: verify, keep, answer; the work comes after.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use clew_adapters::alerts::{self, AlertFormat, Delivery, FORMATS, Request};
use clew_adapters::signature::same_secret;
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use super::error::Problem;
use super::{guard, request};
use crate::app::App;
use crate::clock;
use crate::intake;
use crate::queue::Work;
use crate::store::{Accepted, StoreError};

type Answer = Result<(StatusCode, Json<Value>), Problem>;
type Parameters = HashMap<String, String>;

/// `POST /webhooks/{format}`
pub async fn deliver(
    State(app): State<Arc<App>>,
    Path(format): Path<String>,
    Query(query): Query<Parameters>,
    headers: HeaderMap,
    body: Body,
) -> Answer {
    take(&app, &format, None, query, &headers, body).await
}

/// `POST /webhooks/{format}/{token}`: for senders that can only be given an address.
pub async fn deliver_with_token(
    State(app): State<Arc<App>>,
    Path((format, token)): Path<(String, String)>,
    Query(query): Query<Parameters>,
    headers: HeaderMap,
    body: Body,
) -> Answer {
    take(&app, &format, Some(&token), query, &headers, body).await
}

async fn take(
    app: &Arc<App>,
    name: &str,
    token: Option<&str>,
    query: Parameters,
    headers: &HeaderMap,
    body: Body,
) -> Answer {
    let started = Instant::now();
    let format = alerts::format(name).ok_or_else(|| {
        let known: Vec<&str> = FORMATS.iter().map(|format| format.name()).collect();
        let detail = format!("there is no format {name:?}; these are known: {}", known.join(", "));
        Problem::new(StatusCode::NOT_FOUND, detail)
    })?;
    let answer = accept(app, format, token, &query, headers, body).await;
    let outcome = match &answer {
        Ok((_, Json(answer))) if answer["duplicate"] == true => "duplicate",
        Ok(_) => "accepted",
        Err(problem) => problem.kind(),
    };
    app.metrics.deliveries.with_label_values(&[format.name(), outcome]).inc();
    app.metrics.intake_seconds.with_label_values(&[format.name()]).observe(started.elapsed().as_secs_f64());
    answer
}

async fn accept(
    app: &Arc<App>,
    format: &'static dyn AlertFormat,
    token: Option<&str>,
    query: &Parameters,
    headers: &HeaderMap,
    body: Body,
) -> Answer {
    let config = app.config();
    if app.disk_is_full() {
        return Err(StoreError::DiskFull.into());
    }
    if app.queue.depth().deliveries >= config.webhooks.max_waiting {
        return Err(Problem::busy(5, "too many deliveries wait to be worked off; send this one again"));
    }
    let reading = app.reading.try_acquire();
    let _reading = reading.map_err(|_| Problem::busy(1, "too many deliveries arrive at once; send this one again"))?;
    let body = request::body_up_to(body, config.webhooks.body_limit_bytes, "webhooks.body_limit_bytes").await?;
    let sent = Sent { app, format, headers, query, body: &body };
    sent.read(|request| prove(app, format, token, request, headers))?;
    let url =
        sent.read(|request| format.certificate(request)).map_err(|error| Problem::field("body", error.to_string()))?;
    if let Some(url) = url {
        let certificate = certificate(app, format.name(), &url).await?;
        let now = clock::now().timestamp();
        if sent.read(|request| format.is_signed(request, certificate.as_bytes(), now)) != Some(true) {
            return Err(Problem::unauthorized("the signature of the message does not fit"));
        }
    }
    let delivery =
        sent.read(|request| format.parse(request)).map_err(|error| Problem::field("body", error.to_string()))?;
    keep(app, format.name(), delivery).await
}

/// What a sender sent.
struct Sent<'a> {
    app: &'a App,
    format: &'static dyn AlertFormat,
    headers: &'a HeaderMap,
    query: &'a Parameters,
    body: &'a Bytes,
}

impl Sent<'_> {
    /// Shows it to a format.
    fn read<T>(&self, read: impl FnOnce(&Request) -> T) -> T {
        let config = self.app.config();
        let header = |name: &str| self.headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let parameter = |name: &str| self.query.get(name).cloned();
        let setting =
            |key: &str| config.integration(self.format.name(), key).map(|value| value.expose_secret().to_owned());
        read(&Request { header: &header, query: &parameter, setting: &setting, body: self.body })
    }
}

/// Whether the sender is who it should be. All that is set must hold; with nothing set, what the API asks for.
fn prove(
    app: &App,
    format: &dyn AlertFormat,
    in_path: Option<&str>,
    request: &Request,
    headers: &HeaderMap,
) -> Result<(), Problem> {
    let config = app.config();
    let name = format.name();
    let given =
        || in_path.map(str::to_owned).or_else(|| guard::presented(headers)).or_else(|| guard::password(headers));
    let secret = config.integration(name, "secret");
    if let Some(secret) = secret {
        let now = clock::now().timestamp();
        if format.is_signed(request, secret.expose_secret().as_bytes(), now) != Some(true) {
            let detail = format!("the request is not signed with {name}.secret; give its sender the same secret");
            return Err(Problem::unauthorized(detail));
        }
    }
    match config.integration(name, "token") {
        Some(token) => {
            let token = token.expose_secret().as_bytes();
            if !given().is_some_and(|given| same_secret(given.as_bytes(), token)) {
                let detail = format!(
                    "send {name}.token: as `Authorization: Bearer`, as the password of basic authentication, or as the last part of the address"
                );
                return Err(Problem::unauthorized(detail));
            }
        }
        None if secret.is_none()
            && !config.http.api_keys.is_empty()
            && !given().is_some_and(|key| guard::is_key(&key, app)) =>
        {
            return Err(Problem::unauthorized(format!("send an API key, or set {name}.token and send that")));
        }
        None => {}
    }
    Ok(())
}

/// The certificate that a sender signs with.
async fn certificate(app: &App, format: &str, url: &str) -> Result<String, Problem> {
    let instead = app.config().stand_in(format);
    app.senders.certificate(url, instead.as_deref()).await.map_err(|error| {
        tracing::warn!(%error, url, "the certificate of a sender could not be fetched");
        Problem::busy(20, "the certificate that signed this could not be fetched; send it again")
    })
}

/// Keeps a delivery for good, unless it was kept before.
async fn keep(app: &Arc<App>, format: &'static str, delivery: Delivery) -> Answer {
    let state = Arc::clone(app);
    let count = delivery.alerts.len();
    let key = delivery.key.clone().map(|key| format!("{format}:{key}"));
    let kept = tokio::task::spawn_blocking(move || keep_now(&state, format, key, delivery)).await;
    let fresh = kept.map_err(|error| Problem::internal(&error))?.map_err(refuse)?;
    app.store.kept().await.map_err(refuse)?;
    if fresh {
        app.metrics.alerts.with_label_values(&[format]).inc_by(count as u64);
    }
    tracing::debug!(format, alerts = count, fresh, "a delivery was accepted");
    Ok((StatusCode::ACCEPTED, Json(json!({ "accepted": count, "duplicate": !fresh }))))
}

fn keep_now(app: &App, format: &'static str, key: Option<String>, mut delivery: Delivery) -> Result<bool, StoreError> {
    intake::redact_all(app, &mut delivery);
    let at = clock::now();
    app.store.change(|batch| {
        if let Some(key) = &key
            && !batch.remember(key, at)?
        {
            return Ok(false);
        }
        if let Some(url) = delivery.confirm.take() {
            batch.job(Work::Confirm { format: format.to_owned(), url }, false, at)?;
        }
        intake::accept(batch, Accepted { format: format.to_owned(), at, delivery, posted: None })?;
        Ok(true)
    })
}

/// A delivery that is not kept is not accepted: its sender keeps it and comes again.
fn refuse(error: StoreError) -> Problem {
    tracing::debug!(%error, "a delivery could not be kept");
    Problem::busy(5, "the delivery could not be kept; send it again")
}
