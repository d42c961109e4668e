//! The chat platforms that are configured, made once; and the one way in for what happens on them.

use std::collections::BTreeMap;
use std::sync::Arc;

use clew_adapters::Error;
use clew_adapters::chat::console::Console;
use clew_adapters::chat::{
    Addressee, Ask, Card, Chat, ChatEvent, ChatPlatform as _, Form, Listener, Message, Person, Said,
};
use clew_pipeline::logs::looks_like_a_log;

use crate::app::App;
use crate::attachments;
use crate::card;
use crate::clock;
use crate::commands::{self, Refusal};
use crate::config::Config;
use crate::incident::State;
use crate::intake;
use crate::queue::Work;
use crate::store::{Filter, Store, StoreError};

/// Incidents that are open, and that were over lately, on the bot's own page.
const OPEN: usize = 100;
const RECENT: usize = 10;

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
/// delivered. It is on disk when this returns, so the platform may be told that it arrived. What people say to each other is
/// not kept.
///
/// # Errors
/// When it cannot be kept; then it did not arrive, and the platform shall deliver it again.
pub async fn hear(app: &Arc<App>, event: ChatEvent) -> Result<(), StoreError> {
    if app.disk_is_full() {
        return Err(StoreError::DiskFull);
    }
    let state = Arc::clone(app);
    let kept = tokio::task::spawn_blocking(move || keep(&state, event)).await;
    if kept.map_err(|error| StoreError::Failed(error.to_string()))?? {
        app.store.kept().await?;
    }
    Ok(())
}

/// Whether it was kept.
fn keep(app: &App, mut event: ChatEvent) -> Result<bool, StoreError> {
    if !concerns_us(app, &event)? {
        return Ok(false);
    }
    redact(app, &mut event);
    let at = clock::now();
    app.store.change(|batch| {
        if !batch.remember(&format!("chat:{}:{}", event.platform, event.key), at)? {
            return Ok(true);
        }
        match &event.said {
            // One that a person points to is answered to them.
            Said::Alert(alert) if !event.is_private => commands::accept_post(batch, &event, alert.as_ref().clone())?,
            _ => batch.job(Work::Hear { event: Box::new(event) }, false, at)?,
        }
        Ok(true)
    })
}

/// Whether the bot has anything to do with what happened. What it overhears counts in the incident channels and in the threads
/// of incidents, when it may be logs or an alert.
fn concerns_us(app: &App, event: &ChatEvent) -> Result<bool, StoreError> {
    let is_heard = |channel: &str| app.config().incident_channels(&event.platform).iter().any(|known| known == channel);
    match &event.said {
        Said::Command { .. } => Ok(true),
        Said::Message(message) if message.to != Addressee::People => Ok(true),
        Said::Alert(_) => Ok(event.is_private || is_heard(&event.place.channel)),
        Said::Message(message) => {
            let here = is_heard(&event.place.channel)
                || app.store.incident_in_thread(&event.platform, &event.place)?.is_some();
            Ok(here && may_be_logs(message))
        }
    }
}

fn may_be_logs(message: &Message) -> bool {
    !message.code.is_empty()
        || message.files.iter().any(|file| attachments::may_hold_logs(&file.name))
        || looks_like_a_log(&message.text)
}

/// Takes secrets out of everything that somebody said.
fn redact(app: &App, event: &mut ChatEvent) {
    let clean = |text: &mut String| *text = app.pipeline.redact(text);
    clean(&mut event.person.name);
    match &mut event.said {
        Said::Command { text, answers } => {
            clean(text);
            answers.values_mut().for_each(clean);
        }
        Said::Message(message) => {
            clean(&mut message.text);
            message.code.iter_mut().for_each(clean);
        }
        Said::Alert(alert) => intake::redact(&app.pipeline, alert),
    }
}

/// The bot, as chat platforms see it.
pub struct Ears(pub Arc<App>);

impl Listener for Ears {
    async fn hear(&self, event: ChatEvent) -> Result<(), Error> {
        hear(&self.0, event).await.map_err(unkept)
    }

    fn asks(&self, event: &ChatEvent) -> Option<String> {
        commands::asks(event)
    }

    async fn form(&self, ask: Ask) -> Result<Form, Error> {
        let said = Said::Command { text: ask.command.clone(), answers: BTreeMap::new() };
        if commands::is_destructive(&said)
            && let Some(chat) = self.0.chat(&ask.platform)
            && !chat.trusts(&ask.person).await?
        {
            return Err(Error::Permanent(Refusal::NotAllowed.to_string()));
        }
        let app = Arc::clone(&self.0);
        // On the bot's own page, the place is the person.
        let here = Some(&ask.place.channel).filter(|channel| **channel != ask.person.id).cloned();
        let channel = here.or_else(|| app.config().channel(&ask.platform)).unwrap_or_default();
        let form = tokio::task::spawn_blocking(move || commands::form(&app, &ask.command, &channel)).await;
        match form.map_err(|error| unkept(StoreError::Failed(error.to_string())))? {
            Ok(form) => Ok(form),
            Err(Refusal::Store(error)) => Err(unkept(error)),
            Err(refusal) => Err(Error::Permanent(refusal.to_string())),
        }
    }

    fn channels(&self, platform: &str) -> Vec<String> {
        self.0.config().incident_channels(platform)
    }

    fn noted(&self, platform: &str) -> Option<String> {
        self.0.store.noted(platform).unwrap_or_else(|error| {
            tracing::warn!(%error, platform, "what a chat platform noted could not be read");
            None
        })
    }

    fn note(&self, platform: &str, note: &str) {
        if let Err(error) = self.0.store.change(|batch| batch.note_for(platform, note)) {
            tracing::warn!(%error, platform, "what a chat platform notes could not be kept");
        }
    }

    async fn home(&self, platform: &str, person: &Person) -> Result<Card, Error> {
        let (app, platform, me) = (Arc::clone(&self.0), platform.to_owned(), person.name.clone());
        let card = tokio::task::spawn_blocking(move || home(&app, &platform, &me)).await;
        card.map_err(|error| unkept(StoreError::Failed(error.to_string())))?.map_err(unkept)
    }
}

fn unkept(error: StoreError) -> Error {
    Error::Transient { why: error.to_string(), retry_after: None }
}

fn home(app: &App, platform: &str, me: &str) -> Result<Card, StoreError> {
    let list = |states: &[State], limit| {
        app.store.incidents(&Filter { states: states.to_vec(), ..Filter::default() }, None, limit)
    };
    let open = list(&[State::Open, State::Acknowledged, State::Mitigated], OPEN)?.items;
    let recent = list(&[State::Resolved], RECENT)?.items;
    let channel = app.config().channel(platform).unwrap_or_default();
    let form = commands::triage_form(&channel);
    Ok(card::home(&open, &recent, me, form, clock::now(), &|id| app.link(platform, id)))
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
