//! What waits to be done, and what was given up.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;

use super::{Instead, badge, blocking, lead_to, message, page};
use crate::app::App;
use crate::clock::{self, Time};
use crate::queue::{Job, Work};

/// Jobs that each list shows.
const LISTED: usize = 200;

#[derive(Template)]
#[template(path = "work.html")]
struct WorkPage {
    badge: String,
    waiting: usize,
    dead: usize,
    jobs: Vec<Row>,
    letters: Vec<Row>,
}

struct Row {
    id: u64,
    kind: String,
    subject: String,
    tries: u32,
    next: String,
    reason: String,
    since: String,
}

/// `GET /work`: what waits, and dead letters.
pub async fn list(State(app): State<Arc<App>>) -> Result<Response, Instead> {
    let (jobs, badge) = blocking(&app, |app| Ok((app.store.jobs()?, badge(app)))).await?;
    let now = clock::now();
    let (dead, waiting): (Vec<Job>, Vec<Job>) = jobs.into_iter().partition(|job| job.dead);
    let rows = |jobs: &[Job]| jobs.iter().take(LISTED).map(|job| row(job, now)).collect();
    Ok(page(&WorkPage { badge, waiting: waiting.len(), dead: dead.len(), jobs: rows(&waiting), letters: rows(&dead) }))
}

/// `POST /work/{id}/{action}`: tries a dead letter again, or discards it.
pub async fn act(State(app): State<Arc<App>>, Path((id, action)): Path<(u64, String)>) -> Result<Response, Instead> {
    let gone = |heading| message(StatusCode::NOT_FOUND, heading, "Somebody was faster, or the link is wrong.", "/work");
    let found = match action.as_str() {
        "retry" => blocking(&app, move |app| app.store.revive(id)).await?,
        "discard" => {
            let found = blocking(&app, move |app| app.store.discard(id)).await?;
            app.queue.forget(id);
            found
        }
        _ => return Err(gone("That cannot be done")),
    };
    if !found {
        return Err(gone("There is no such dead letter"));
    }
    app.store.kept().await.map_err(super::failed)?;
    Ok(lead_to("/work", None))
}

fn row(job: &Job, now: Time) -> Row {
    Row {
        id: job.id,
        kind: job.work.name().replace('_', " "),
        subject: subject(&job.work),
        tries: job.tries,
        next: if job.due > now { format!("in {}", clock::duration(job.due - now)) } else { "now".to_owned() },
        reason: job.error.clone().unwrap_or_default(),
        since: clock::duration(now - job.created),
    }
}

/// What a job is about.
fn subject(work: &Work) -> String {
    match work {
        Work::TriageAlerts { delivery } => format!("delivery {delivery}"),
        Work::Hear { event } => format!("what {} said ({})", event.person.name, event.platform),
        Work::PostCard { incident, platform, .. }
        | Work::SayInThread { incident, platform, .. }
        | Work::Details { incident, platform, .. } => format!("{incident} ({platform})"),
        Work::Say { platform, .. } => format!("a reply ({platform})"),
        Work::Whisper { to, platform, .. } => format!("a reply to {} alone ({platform})", to.name),
        Work::Learn { incident } => incident.to_string(),
        Work::Confirm { format, .. } => format.clone(),
        Work::OpenTicket { incident, tracker }
        | Work::SettleTicket { incident, tracker }
        | Work::TellTicket { incident, tracker, .. } => format!("{incident} ({tracker})"),
        Work::FollowTicket { tracker, key } => format!("{key} ({tracker})"),
        Work::FollowPull { repo, number, .. } => format!("{repo}#{number}"),
    }
}
