//! Does what somebody said in a chat, once.

use std::sync::Arc;

use clew_adapters::chat::{ChatEvent, Place, Span};

use crate::app::App;
use crate::clock;
use crate::commands;
use crate::ledger;
use crate::queue::{Job, JobError, Work};

/// Does it, and has the reply said in the thread of what was said.
///
/// # Errors
/// When the store fails.
pub fn run(app: &Arc<App>, job: &Job, event: &ChatEvent) -> Result<(), JobError> {
    // What was done in a try before is not done again: this very job is removed with it.
    if app.store.job(job.id)?.is_none() {
        return Ok(());
    }
    commands::hear(app, event, &|batch, reply| {
        if !reply.is_empty() {
            let thread = event.place.thread.clone().or_else(|| event.message.clone());
            let mut text = Vec::new();
            for (number, line) in reply.iter().enumerate() {
                if number > 0 {
                    text.push(Span::Text("\n".into()));
                }
                text.extend(line.iter().cloned());
            }
            let work = Work::Say {
                platform: event.platform.clone(),
                place: Place { channel: event.place.channel.clone(), thread },
                text,
                key: ledger::key_of(batch, &["reply", &event.platform, &event.key]),
            };
            batch.job(work, false, clock::now())?;
        }
        batch.finish(job)
    })?;
    Ok(())
}
