//! Shows all that is known of an incident, in the thread of its card.

use std::sync::Arc;

use clew_adapters::chat::ChatPlatform;

use crate::app::App;
use crate::card;
use crate::incident::IncidentId;
use crate::queue::{Did, JobError};

/// Events that are read.
const EVENTS: usize = 1_000;

/// Posts message number `part` of the details, once.
///
/// # Errors
/// When the platform or the store fails.
pub async fn run(app: &Arc<App>, id: IncidentId, platform: &str, part: usize, key: &str) -> Result<Did, JobError> {
    let Some(incident) = app.store.incident(id)? else { return Ok(Did::Nothing) };
    let Some(home) = incident.homes.get(platform) else { return Ok(Did::Nothing) };
    let Some(message) = &home.card else { return Err(JobError::Later(super::WAIT_FOR_CARD)) };
    let chat = super::platform(app, platform)?;
    let thread = message.thread();
    app.store.kept().await?;
    if chat.find(&thread, key).await?.is_some() {
        return Ok(Did::Nothing);
    }
    let verdict = app.store.verdict(id)?;
    let events = app.store.events(id, incident.events.saturating_sub(EVENTS as u64), EVENTS)?;
    let events: Vec<_> = events.items.into_iter().map(|(_, event)| event).collect();
    chat.post(&thread, &card::details(&incident, verdict.as_ref(), &events, part), key).await?;
    Ok(Did::Work)
}
