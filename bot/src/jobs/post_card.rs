//! Shows an incident as it is now: one message, posted once and edited from then on.

use std::sync::Arc;

use clew_adapters::Error;
use clew_adapters::chat::{Card, Chat, ChatPlatform, MessageRef};

use crate::app::App;
use crate::card;
use crate::clock;
use crate::incident::{Home, IncidentId};
use crate::queue::{Did, JobError};
use crate::store::StoreError;

/// Posts the card, or edits it.
///
/// # Errors
/// When the platform or the store fails.
pub async fn run(app: &Arc<App>, id: IncidentId, platform: &str) -> Result<Did, JobError> {
    let Some(incident) = app.store.incident(id)? else { return Ok(Did::Nothing) };
    let Some(home) = incident.homes.get(platform).cloned() else { return Ok(Did::Nothing) };
    let chat = super::platform(app, platform)?;
    if home.shown >= incident.revision && home.card.is_some() {
        return Ok(Did::Nothing);
    }
    let verdict = app.store.verdict(id)?;
    let card = card::of(&incident, verdict.as_ref(), clock::now(), &app.around(&|id| app.link(platform, id)));
    let key = app.store.name_of(&["card", platform, &id.to_string()]);
    let message = if let Some(message) = home.card {
        app.wait_to_edit(&message, chat.pace().edit).map_err(JobError::Later)?;
        // Nobody outside is told what a crash would undo.
        app.store.kept().await?;
        edit(chat, id, &message, &card).await?;
        message
    } else {
        let found = if home.begun { chat.find(&home.place, &key).await? } else { None };
        if let Some(message) = found {
            // It may show an older state.
            edit(chat, id, &message, &card).await?;
            message
        } else {
            change_home(app, id, platform, |home| home.begun = true)?;
            app.store.kept().await?;
            chat.post(&home.place, &card, &key).await?
        }
    };
    app.edited(&message);
    change_home(app, id, platform, |home| {
        home.card = Some(message);
        home.shown = home.shown.max(incident.revision);
    })?;
    Ok(Did::Work)
}

/// Shows the card in a message that is there, or was.
async fn edit(chat: &Chat, id: IncidentId, message: &MessageRef, card: &Card) -> Result<(), Error> {
    match chat.update(message, card).await {
        Err(Error::Gone(why)) => {
            tracing::warn!(%id, why, "the card of an incident was removed; it is not posted again");
            Ok(())
        }
        other => other,
    }
}

/// Changes the home of an incident. This is no change of the incident: nothing is to be shown.
fn change_home(app: &Arc<App>, id: IncidentId, platform: &str, change: impl FnOnce(&mut Home)) -> Result<(), JobError> {
    app.store.change(|batch| {
        let Some(mut incident) = batch.store.incident(id)? else { return Ok(()) };
        if let Some(home) = incident.homes.get_mut(platform) {
            change(home);
            if let Some(message) = &home.card {
                batch.thread(platform, &message.thread(), id)?;
            }
        }
        batch.incident(incident, &[])?;
        Ok::<_, StoreError>(())
    })?;
    Ok(())
}
