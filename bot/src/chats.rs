//! The chat platforms that are configured, made once; and the one way in for what happens on them.

use std::sync::Arc;

use clew_adapters::Error;
use clew_adapters::chat::console::Console;
use clew_adapters::chat::{Chat, ChatEvent, Said};
use clew_pipeline::Pipeline;

use crate::app::App;
use crate::clock;
use crate::config::Config;
use crate::queue::Work;
use crate::store::{Store, StoreError};

/// All of them. The console is always there.
///
/// # Errors
/// When a setting of one cannot be used.
pub fn all(config: &Config, store: &Arc<Store>) -> Result<Vec<Chat>, Error> {
    let console = Console::new(Arc::clone(store) as _);
    let mut chats = vec![Chat::Console(console)];
    chats.extend(clew_adapters::chat::configured(&|section, key| config.integration(section, key).cloned())?);
    Ok(chats)
}

/// Takes what happened on a platform: secrets are taken out, the rest is kept for good, and done once however often it is
/// delivered. It is on disk when this returns, so the platform may be told that it arrived.
///
/// # Errors
/// When it cannot be kept; then it did not arrive, and the platform shall deliver it again.
pub async fn hear(app: &Arc<App>, event: ChatEvent) -> Result<(), StoreError> {
    let state = Arc::clone(app);
    let kept = tokio::task::spawn_blocking(move || keep(&state, event)).await;
    kept.map_err(|error| StoreError::Failed(error.to_string()))??;
    app.store.kept().await
}

fn keep(app: &App, mut event: ChatEvent) -> Result<(), StoreError> {
    redact(&app.pipeline, &mut event);
    let at = clock::now();
    app.store.change(|batch| {
        if batch.remember(&format!("chat:{}:{}", event.platform, event.key), at)? {
            batch.job(Work::Hear { event: Box::new(event) }, false, at)?;
        }
        Ok(())
    })
}

/// Takes secrets out of everything that somebody said.
fn redact(pipeline: &Pipeline, event: &mut ChatEvent) {
    let clean = |text: &mut String| *text = pipeline.redact(text);
    clean(&mut event.person.name);
    match &mut event.said {
        Said::Command { text, answers } => {
            clean(text);
            answers.values_mut().for_each(clean);
        }
        Said::Message { text } => clean(text),
    }
}

#[cfg(test)]
mod tests {
    use clew_adapters::chat::Place;
    use clew_adapters::chat::conformance::conformance;
    use clew_adapters::chat::console::shown::shown;

    use super::*;

    #[tokio::test]
    async fn the_console_does_over_the_store_what_every_platform_must() -> Result<(), Box<dyn std::error::Error>> {
        let directory = tempfile::tempdir()?;
        let (store, _told) = Store::open(directory.path())?;
        let console = Console::new(Arc::new(store));
        let place = Place { channel: "incidents".into(), thread: None };
        let seen = |at: &clew_adapters::chat::MessageRef| shown(console.messages().get(&at.id).ok().flatten());
        conformance(&console, &place, seen).await;
        Ok(())
    }
}
