//! Says a sentence in a place.

use std::sync::Arc;
use std::time::Duration;

use clew_adapters::chat::{ChatPlatform, Place, Rich};

use crate::app::App;
use crate::incident::IncidentId;
use crate::queue::{Did, JobError};

/// How long a sentence waits for the card in whose thread it belongs.
const WAIT_FOR_CARD: Duration = Duration::from_millis(200);

/// Says `text` in `place`, once.
///
/// # Errors
/// When the platform or the store fails.
pub async fn run(app: &Arc<App>, platform: &str, place: &Place, text: &Rich, key: &str) -> Result<Did, JobError> {
    let chat = app.chat(platform).ok_or_else(|| {
        JobError::Fail(format!("{platform} is not configured any more; configure it and try the job again"))
    })?;
    app.store.kept().await?;
    // Whether it was said before a crash, only the platform knows.
    if chat.find(place, key).await?.is_none() {
        chat.say(place, text, key).await?;
        return Ok(Did::Work);
    }
    Ok(Did::Nothing)
}

/// Says `text` in the thread of an incident's card.
///
/// # Errors
/// When there is no card yet; when the platform or the store fails.
pub async fn in_thread(
    app: &Arc<App>,
    id: IncidentId,
    platform: &str,
    text: &Rich,
    key: &str,
) -> Result<Did, JobError> {
    let Some(incident) = app.store.incident(id)? else { return Ok(Did::Nothing) };
    let Some(home) = incident.homes.get(platform) else { return Ok(Did::Nothing) };
    match &home.card {
        Some(card) => run(app, platform, &card.thread(), text, key).await,
        None => Err(JobError::Later(WAIT_FOR_CARD)),
    }
}
