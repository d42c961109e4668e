//! Says a sentence in a place.

use std::sync::Arc;

use clew_adapters::chat::{ChatPlatform, Person, Place, Rich};

use crate::app::App;
use crate::incident::IncidentId;
use crate::queue::{Did, Job, JobError};

/// Says `text` to one person. A crash at the wrong moment makes them see it twice: nobody can look it up.
///
/// # Errors
/// When the platform or the store fails.
pub async fn whisper(
    app: &Arc<App>,
    platform: &str,
    place: &Place,
    to: &Person,
    reply: Option<&str>,
    text: &Rich,
    key: &str,
) -> Result<Did, JobError> {
    app.store.kept().await?;
    super::platform(app, platform)?.whisper(place, to, reply, text, key).await?;
    Ok(Did::Work)
}

/// Says `text` in `place`, once.
///
/// # Errors
/// When the platform or the store fails.
pub async fn run(
    app: &Arc<App>,
    job: &Job,
    platform: &str,
    place: &Place,
    text: &Rich,
    key: &str,
) -> Result<Did, JobError> {
    let chat = super::platform(app, platform)?;
    app.store.kept().await?;
    // Whether it was said before a crash, only the platform knows.
    if job.may_be_done() && chat.find(place, key).await?.is_some() {
        return Ok(Did::Nothing);
    }
    chat.say(place, text, key).await?;
    Ok(Did::Work)
}

/// Says `text` in the thread of an incident's card.
///
/// # Errors
/// When there is no card yet; when the platform or the store fails.
pub async fn in_thread(
    app: &Arc<App>,
    job: &Job,
    id: IncidentId,
    platform: &str,
    text: &Rich,
    key: &str,
) -> Result<Did, JobError> {
    let Some(incident) = app.store.incident(id)? else { return Ok(Did::Nothing) };
    let Some(home) = incident.homes.get(platform) else { return Ok(Did::Nothing) };
    match &home.card {
        Some(card) => run(app, job, platform, &card.thread(), text, key).await,
        None => Err(JobError::Later(super::WAIT_FOR_CARD)),
    }
}
