//! Does what somebody said in a chat, once: first all that belongs to it is fetched, then it is done.

use std::sync::Arc;

use clew_adapters::Error;
use clew_adapters::chat::{
    Addressee, Chat, ChatEvent, ChatPlatform, File, Message, MessageRef, Person, Place, Rich, Said, Span,
};
use clew_pipeline::logs::looks_like_a_log;

use crate::app::App;
use crate::attachments;
use crate::clock;
use crate::commands::{self, Gathered, Heard, tidy};
use crate::incident::Actor;
use crate::ledger;
use crate::queue::{Did, Job, JobError, Work};
use crate::store::{Batch, StoreError};

/// Files of one message that are read.
const FILES: usize = 10;

/// Does it, and has the reply said: to the person alone when nobody else saw what they did, else in the thread of it.
///
/// # Errors
/// When the platform or the store fails.
pub async fn run(app: &Arc<App>, job: &Job, event: &ChatEvent) -> Result<Did, JobError> {
    // What was done in a try before is not done again: this very job is removed with it.
    if app.store.job(job.id)?.is_none() {
        return Ok(Did::Nothing);
    }
    let chat = super::platform(app, &event.platform)?;
    let event = with_place(event.clone());
    let person = name(chat, &event.person).await;
    let here = app.store.incident_in_thread(&event.platform, &commands::thread_of(&event))?;
    let is_trusted = !commands::is_destructive(&event.said, here) || is_trusted(chat, &event.person).await?;
    let out_of_reach = out_of_reach(chat, &event).await?;
    let gathered = gather(app, chat, &event, here.is_some()).await?;
    super::on_core(app, job, move |app, job| {
        let by = Actor::new(&tidy(app, &person.name), &event.platform);
        let heard = Heard { event: &event, by, gathered, is_trusted, out_of_reach };
        commands::hear(app, &heard, &|batch, reply| {
            if !reply.is_empty() {
                say(batch, &event, reply)?;
            }
            batch.finish(job)
        })?;
        Ok(())
    })
    .await
}

/// A form may ask where.
fn with_place(mut event: ChatEvent) -> ChatEvent {
    if let Said::Command { answers, .. } = &event.said
        && let Some(channel) = answers.get("channel").filter(|channel| !channel.is_empty())
    {
        event.place = Place { channel: channel.clone(), thread: None };
        event.message = None;
    }
    event
}

/// What to call somebody. A platform that does not say does not hold anything up.
async fn name(chat: &Chat, person: &Person) -> Person {
    let known = match chat.person(&person.id).await {
        Ok(known) => known.name,
        Err(error) => {
            tracing::debug!(%error, "the platform does not say what to call somebody");
            person.name.clone()
        }
    };
    // The console knows people by the names that they give.
    let name = [known, person.name.clone(), person.id.clone()].into_iter().find(|name| !name.is_empty());
    Person { id: person.id.clone(), name: name.unwrap_or_default() }
}

/// Whether somebody may do what cannot be taken back. As long as the platform refuses to say, nobody may.
async fn is_trusted(chat: &Chat, person: &Person) -> Result<bool, JobError> {
    match chat.trusts(person).await {
        Err(error @ Error::Transient { .. }) => Err(error.into()),
        Err(error) => {
            tracing::error!(%error, "the platform does not say who may do what cannot be taken back, so nobody may");
            Ok(false)
        }
        Ok(trusted) => Ok(trusted),
    }
}

/// Why nothing can be shown where somebody wants it: there is no message yet in whose thread that would be.
async fn out_of_reach(chat: &Chat, event: &ChatEvent) -> Result<Option<String>, JobError> {
    if event.message.is_some() {
        return Ok(None);
    }
    match chat.reaches(&event.place).await {
        Err(Error::Closed(why)) => Ok(Some(why)),
        Err(error @ Error::Transient { .. }) => Err(error.into()),
        // Whoever is not told finds out by trying.
        Ok(()) | Err(_) => Ok(None),
    }
}

/// What came along in another way than as text.
async fn gather(app: &Arc<App>, chat: &Chat, event: &ChatEvent, is_in_incident: bool) -> Result<Gathered, JobError> {
    let mut gathered = Gathered::default();
    let Said::Message(message) = &event.said else { return Ok(gathered) };
    read_files(app, chat, message, &mut gathered).await?;
    let says_nothing_itself = message.to == Addressee::Bot
        && message.files.is_empty()
        && message.code.is_empty()
        && !commands::begins_with_a_command(&message.text)
        && !looks_like_a_log(&message.text);
    let Some(root) = event.place.thread.clone().filter(|_| says_nothing_itself && !is_in_incident) else {
        return Ok(gathered);
    };
    let root = MessageRef { place: Place { channel: event.place.channel.clone(), thread: None }, id: root };
    match chat.read(&root).await? {
        Some(Said::Message(root)) => {
            read_files(app, chat, &root, &mut gathered).await?;
            gathered.pointed_to = commands::logs_in(&root, &gathered);
            gathered.files.clear();
        }
        Some(Said::Alert(alert)) => {
            let lines = [alert.title, alert.text].into_iter().chain(alert.logs);
            gathered.pointed_to = lines.collect::<Vec<_>>().join("\n");
        }
        Some(Said::Command { .. }) | None => {}
    }
    gathered.pointed_to = app.pipeline.redact(&gathered.pointed_to);
    Ok(gathered)
}

/// Reads the files that may hold logs. Those that do not are only spoken of when somebody asked about them.
async fn read_files(app: &Arc<App>, chat: &Chat, message: &Message, into: &mut Gathered) -> Result<(), JobError> {
    let asked = message.to != Addressee::People;
    for (number, file) in message.files.iter().enumerate() {
        if number == FILES {
            into.notes.push(format!("Only the first {FILES} files were read."));
            break;
        }
        if !attachments::may_hold_logs(&file.name) {
            if asked {
                into.notes.push(format!("{} is no log file (.log .txt .json .gz .zip).", file.name));
            }
            continue;
        }
        match read_file(app, chat, file).await? {
            Ok(unpacked) => {
                if !into.files.is_empty() {
                    into.files.push('\n');
                }
                into.files.push_str(&unpacked.text);
                into.notes.extend(unpacked.notes);
            }
            Err(why) => into.notes.push(why),
        }
    }
    Ok(())
}

/// The text of a file, or why it cannot be read.
async fn read_file(
    app: &Arc<App>,
    chat: &Chat,
    file: &File,
) -> Result<Result<attachments::Unpacked, String>, JobError> {
    let most = attachments::MAX_FILE;
    if file.bytes > most {
        return Ok(Err(attachments::too_large(&file.name, file.bytes).to_string()));
    }
    let bytes = match chat.fetch(file, most).await {
        Ok(bytes) => bytes,
        Err(error @ Error::Transient { .. }) => return Err(error.into()),
        Err(error) => return Ok(Err(format!("{} could not be fetched: {error}", file.name))),
    };
    let name = file.name.clone();
    let core = Arc::clone(&app.cores).acquire_owned().await;
    let unpacked = tokio::task::spawn_blocking(move || {
        let _core = core;
        attachments::unpack(&name, &bytes).map_err(|error| error.to_string())
    });
    unpacked.await.map_err(|error| JobError::Fail(format!("it panicked: {error}")))
}

/// Has a reply said.
fn say(batch: &mut Batch<'_>, event: &ChatEvent, reply: &[Rich]) -> Result<(), StoreError> {
    let mut text = Vec::new();
    for (number, line) in reply.iter().enumerate() {
        if number > 0 {
            text.push(Span::Text("\n".into()));
        }
        text.extend(line.iter().cloned());
    }
    let platform = event.platform.clone();
    let key = ledger::key_of(batch, &["reply", &event.platform, &event.key]);
    let work = if event.is_private {
        Work::Whisper { platform, place: event.place.clone(), to: event.person.clone(), text, key }
    } else {
        Work::Say { platform, place: commands::thread_of(event), text, key }
    };
    batch.job(work, false, clock::now())
}
