//! Deliveries of trackers and of hosts of code: verify, keep what they are about, answer; how things are is asked for later.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{MatchedPath, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use axum::{Json, Router};
use clew_adapters::trackers::{ADDRESSES, Delivered, News, Received, receive};
use serde_json::{Value, json};

use super::error::Problem;
use super::{guard, request};
use crate::app::App;
use crate::clock;
use crate::queue::Work;
use crate::store::{Batch, StoreError};

/// Largest delivery, in bytes: some send up to 25 MB, of which little is needed; what is larger is found by looking.
const LARGEST: usize = 4 << 20;

/// The addresses of all of them.
pub fn routes() -> Router<Arc<App>> {
    ADDRESSES.iter().fold(Router::new(), |router, address| router.route(address, post(deliver)))
}

async fn deliver(
    State(app): State<Arc<App>>,
    path: MatchedPath,
    headers: HeaderMap,
    body: Body,
) -> Result<(StatusCode, Json<Value>), Problem> {
    if app.disk_is_full() {
        return Err(StoreError::DiskFull.into());
    }
    let reading = app.reading.try_acquire();
    let reading = reading.map_err(|_| Problem::busy(1, "too many deliveries arrive at once; send this one again"))?;
    let body = request::body_up_to(body, LARGEST, "the limit of this address").await?;
    drop(reading);
    let config = app.config();
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let setting = |section: &str, key: &str| config.integration(section, key).cloned();
    let delivered = match receive(path.as_str(), &header, &body, &setting) {
        Some(Received::Delivered(delivered)) => delivered,
        Some(Received::Unsigned(delivered)) => {
            if config.http.api_keys.is_empty() && !guard::local_host(&headers) {
                let why = "this delivery is not signed: set the secret of the webhook here and at its sender";
                return Err(Problem::unauthorized(why));
            }
            let given = guard::presented(&headers).or_else(|| guard::password(&headers));
            if !config.http.api_keys.is_empty() && !given.is_some_and(|key| guard::is_key(&key, &app)) {
                let why = "this delivery is not signed: set the secret of the webhook here and at its sender, or send an API key";
                return Err(Problem::unauthorized(why));
            }
            of_our_code(&app, delivered)
        }
        Some(Received::Refused(why)) => return Err(Problem::unauthorized(why)),
        Some(Received::Unreadable(why)) => return Err(Problem::field("body", why)),
        None => return Err(Problem::new(StatusCode::NOT_FOUND, "the tracker of this address is not configured")),
    };
    let (state, address) = (Arc::clone(&app), path.as_str().to_owned());
    let kept = tokio::task::spawn_blocking(move || keep(&state, &address, delivered)).await;
    let is_new = kept.map_err(|error| Problem::internal(&error))?.map_err(unkept)?;
    app.store.kept().await.map_err(unkept)?;
    Ok((StatusCode::ACCEPTED, Json(json!({ "duplicate": !is_new }))))
}

fn unkept(error: StoreError) -> Problem {
    tracing::error!(%error, "a delivery of a tracker could not be kept");
    Problem::busy(5, "the delivery could not be kept; send it again")
}

/// Keeps what a delivery is about, unless it was kept before. Whether it was not.
fn keep(app: &App, address: &str, delivered: Delivered) -> Result<bool, StoreError> {
    let at = clock::now();
    app.store.change(|batch| {
        if !batch.remember(&format!("tracker:{address}:{}", delivered.key), at)? {
            return Ok(false);
        }
        for news in delivered.news {
            for work in work(app, batch, news)? {
                batch.job(work, false, at)?;
            }
        }
        Ok(true)
    })
}

/// What is not signed counts for the repository that the settings name, and for no other.
fn of_our_code(app: &App, mut delivered: Delivered) -> Delivered {
    let is_ours = |repo: &str| app.code().is_some_and(|code| code.tracker_of(repo).is_some());
    delivered.news.retain(|news| match news {
        News::Ticket { .. } => true,
        News::Pull { repo, .. } | News::Checks { repo, .. } => is_ours(repo),
    });
    delivered
}

/// What is to be looked at.
fn work(app: &App, batch: &Batch<'_>, news: News) -> Result<Vec<Work>, StoreError> {
    Ok(match news {
        News::Ticket { tracker, key } if batch.store.incidents_of_ticket(&tracker, &key)?.is_empty() => Vec::new(),
        News::Ticket { tracker, key } => vec![Work::FollowTicket { tracker, key }],
        News::Pull { repo, number, told } => {
            let can_ask = app.code().is_some_and(clew_adapters::code::CodeHost::can_ask);
            let told = told.map(|pull| Box::new(redacted(app, *pull)));
            if can_ask || told.is_some() { vec![Work::FollowPull { repo, number, told }] } else { Vec::new() }
        }
        News::Checks { repo, sha } => {
            let open = batch.store.open_pulls()?.into_iter();
            let of_commit = open.filter(|(at, _, known)| at.eq_ignore_ascii_case(&repo) && known.head == sha);
            of_commit.map(|(repo, number, _)| Work::FollowPull { repo, number, told: None }).collect()
        }
    })
}

/// What is kept of a pull request until it is looked at holds no secret.
fn redacted(app: &App, mut pull: clew_adapters::code::Pull) -> clew_adapters::code::Pull {
    for text in [&mut pull.title, &mut pull.body, &mut pull.branch].into_iter().chain(&mut pull.commits) {
        *text = app.pipeline.redact(text);
    }
    pull
}
