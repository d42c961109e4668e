//! What must still be done, over the API; and backups.

use std::collections::HashMap;
use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::{Path, Query, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use tokio_util::io::ReaderStream;

use super::error::Problem;
use crate::app::App;
use crate::queue::Job;

/// Jobs that a list shows.
const LISTED: usize = 500;

/// `GET /jobs`: the jobs that wait, or with `?state=dead` the dead letters; oldest first.
pub async fn list(
    State(app): State<Arc<App>>,
    Query(query): Query<HashMap<String, String>>,
) -> Result<Json<Value>, Problem> {
    let dead = match query.get("state").map(String::as_str) {
        Some("dead") => true,
        None | Some("waiting") => false,
        Some(other) => {
            return Err(Problem::field("state", format!("state is {other:?}; it must be waiting or dead")));
        }
    };
    let jobs: Vec<Job> = app.store.jobs()?.into_iter().filter(|job| job.dead == dead).collect();
    let shown: Vec<Value> = jobs.iter().take(LISTED).map(view).collect();
    Ok(Json(json!({ "jobs": shown, "count": jobs.len() })))
}

/// `POST /jobs/{id}/{action}`: `retry` or `discard` a dead letter; `POST /jobs/dead/retry` tries all of them again.
pub async fn act(
    State(app): State<Arc<App>>,
    Path((id, action)): Path<(String, String)>,
) -> Result<Json<Value>, Problem> {
    if (id.as_str(), action.as_str()) == ("dead", "retry") {
        let dead: Vec<u64> = app.store.jobs()?.into_iter().filter(|job| job.dead).map(|job| job.id).collect();
        for id in &dead {
            app.store.revive(*id)?;
        }
        app.store.kept().await?;
        return Ok(Json(json!({ "done": action, "count": dead.len() })));
    }
    let id: u64 = id.parse().map_err(|_| Problem::not_found(format!("{id:?} is no number of a job")))?;
    let missing = || Problem::not_found(format!("there is no dead letter {id}; `GET /jobs?state=dead` lists them"));
    let found = match action.as_str() {
        "retry" => app.store.revive(id)?,
        "discard" => {
            let discarded = app.store.discard(id)?;
            app.queue.forget(id);
            discarded
        }
        other => {
            let detail = format!("{other:?} cannot be done to a dead letter; these can: retry, discard");
            return Err(Problem::not_found(detail));
        }
    };
    if !found {
        return Err(missing());
    }
    app.store.kept().await?;
    Ok(Json(json!({ "id": id, "done": action })))
}

fn view(job: &Job) -> Value {
    json!({
        "id": job.id,
        "work": job.work,
        "tries": job.tries,
        "created": job.created,
        "due": job.due,
        "error": job.error,
    })
}

/// `GET /backup`: everything that is kept, as `clew restore` reads it.
pub async fn backup(State(app): State<Arc<App>>) -> Result<Response, Problem> {
    // Into a file first: while it is written nobody may change anything, and a slow client must not make that long.
    let state = Arc::clone(&app);
    let file = tokio::task::spawn_blocking(move || {
        let mut file = tempfile::tempfile_in(&state.config().data.dir)?;
        state.store.backup(std::io::BufWriter::new(&mut file))?;
        std::io::Seek::rewind(&mut file)?;
        Ok::<_, crate::store::BackupError>(file)
    })
    .await
    .map_err(|error| Problem::internal(&error))?
    .map_err(|error| Problem::internal(&error))?;
    let body = Body::from_stream(ReaderStream::new(tokio::fs::File::from_std(file)));
    Ok(([(header::CONTENT_TYPE, "application/octet-stream")], body).into_response())
}
