//! What the bot does by itself, in the background. One file a kind of work.

mod details;
mod follow_pull;
mod follow_ticket;
mod hear;
mod learn;
mod open_ticket;
mod post_card;
mod say;
mod tell_ticket;
mod triage_alerts;

use std::sync::Arc;
use std::time::Duration;

use clew_adapters::chat::Chat;
use clew_adapters::trackers::AnyTracker;

use crate::analysis::Analysis;
use crate::app::App;
use crate::clock;
use crate::incident::{Change, EventKind};
use crate::queue::{Did, Job, JobError, Work};
use crate::store::{Batch, StoreError};
use crate::tickets;

/// Time after which a job looks again whether there is room on the disk.
const LOOK_AGAIN: Duration = Duration::from_secs(1);
/// How long a sentence waits for the card in whose thread it belongs.
const WAIT_FOR_CARD: Duration = Duration::from_millis(200);

/// Does a job. Running it twice is harmless.
///
/// # Errors
/// When it is not done.
pub async fn run(app: &Arc<App>, job: &Job) -> Result<Did, JobError> {
    if app.disk_is_full() || (app.store.is_broken() && app.store.kept().await.is_err()) {
        return Err(JobError::Later(LOOK_AGAIN));
    }
    match &job.work {
        Work::TriageAlerts { delivery } => {
            let delivery = *delivery;
            on_core(app, job, move |app, job| triage_alerts::run(app, job, delivery)).await
        }
        Work::Hear { event } => hear::run(app, job, event).await,
        Work::Learn { incident } => {
            let incident = *incident;
            on_core(app, job, move |app, job| learn::run(app, job, incident)).await
        }
        Work::PostCard { incident, platform, .. } => post_card::run(app, *incident, platform).await,
        Work::Say { platform, place, text, key } => say::run(app, job, platform, place, text, key).await,
        Work::SayInThread { incident, platform, text, key, .. } => {
            say::in_thread(app, job, *incident, platform, text, key).await
        }
        Work::Whisper { platform, place, to, reply, text, key } => {
            say::whisper(app, platform, place, to, reply.as_deref(), text, key).await
        }
        Work::Details { incident, platform, part, key, .. } => details::run(app, *incident, platform, *part, key).await,
        Work::OpenTicket { incident, tracker } => open_ticket::run(app, job, *incident, tracker).await,
        Work::SettleTicket { incident, tracker } => open_ticket::settle(app, *incident, tracker).await,
        Work::TellTicket { incident, tracker, event } => tell_ticket::run(app, job, *incident, tracker, *event).await,
        Work::FollowTicket { tracker, key } => follow_ticket::run(app, tracker, key).await,
        Work::FollowPull { repo, number, told } => follow_pull::run(app, repo, *number, told.as_deref()).await,
        Work::Confirm { format, url } => {
            let instead = app.config().stand_in(format);
            app.senders.confirm(url, instead.as_deref()).await?;
            Ok(Did::Work)
        }
    }
}

/// A chat platform that a job needs.
fn platform<'a>(app: &'a App, name: &str) -> Result<&'a Chat, JobError> {
    app.chat(name)
        .ok_or_else(|| JobError::Fail(format!("{name} is not configured any more; configure it and try the job again")))
}

/// A tracker that a job needs.
fn tracker<'a>(app: &'a App, name: &str) -> Result<&'a AnyTracker, JobError> {
    app.tracker(name)
        .ok_or_else(|| JobError::Fail(format!("{name} is not configured any more; configure it and try the job again")))
}

/// Runs arithmetic and what needs the store on a blocking thread, as many at once as there are cores.
async fn on_core(
    app: &Arc<App>,
    job: &Job,
    work: impl FnOnce(&Arc<App>, &Job) -> Result<(), JobError> + Send + 'static,
) -> Result<Did, JobError> {
    let stopped = |why: String| JobError::Retry { why, after: None, lane: false };
    let core = Arc::clone(&app.cores).acquire_owned().await.map_err(|error| stopped(error.to_string()))?;
    let (app, job) = (Arc::clone(app), job.clone());
    tokio::task::spawn_blocking(move || {
        let _core = core;
        work(&app, &job).map(|()| Did::Work)
    })
    .await
    .unwrap_or_else(|error| Err(JobError::Fail(format!("it panicked: {error}"))))
}

/// Makes `analysis` the verdict of an incident.
///
/// # Errors
/// When the store fails.
pub fn adopt(app: &App, batch: &mut Batch<'_>, change: &mut Change, analysis: &Analysis) -> Result<(), StoreError> {
    let known = change.incident.verdict.replace(analysis.verdict.clone());
    change.incident.signature.extend(&analysis.signature);
    change.incident.signature.sort_unstable();
    change.incident.signature.dedup();
    batch.verdict(change.incident.id, &analysis.whole, &analysis.text)?;
    if known.is_some() {
        let verdict = &analysis.verdict;
        change.note(EventKind::Verdict, format!("{}, {:.0} %", verdict.root_cause, verdict.confidence * 100.0));
    }
    tickets::consider(app, change, clock::now());
    Ok(())
}
