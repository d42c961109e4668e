//! Does what somebody said in a chat, once: first all that belongs to it is fetched, then it is done.

use std::sync::Arc;
use std::time::Duration;

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

/// Tries to ask the platform, about half a minute in all, before the person is told that it does not answer.
const TRIES: u32 = 6;

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
    let asked_at = event.place.clone();
    let event = with_names(chat, with_place(event.clone())).await;
    let person = name(chat, &event.person).await;
    let here = app.store.incident_in_thread(&event.platform, &commands::thread_of(&event))?;
    let is_trusted = !commands::is_destructive(&event.said) || is_trusted(job, chat, &event.person).await?;
    let out_of_reach = out_of_reach(job, chat, &event).await?;
    // What is unpacked is large, so not everything is at once. Who sends no file and points to none does not wait for that.
    let may_have_files = match &event.said {
        Said::Message(message) if message.to == Addressee::Bot && event.place.thread.is_some() => true,
        Said::Message(message) => !message.files.is_empty(),
        Said::Command { .. } | Said::Alert(_) => false,
    };
    let _turn = if may_have_files { app.unpacking.acquire().await.ok() } else { None };
    let gathered = gather(app, job, chat, &event, here.is_some()).await?;
    super::on_core(app, job, move |app, job| {
        let by = Actor::new(&tidy(app, &person.name), &event.platform);
        let heard = Heard { event: &event, by, gathered, is_trusted, out_of_reach };
        commands::hear(app, &heard, &|batch, reply| {
            // Who sees that an answer is awaited is told that there is none.
            if !reply.is_empty() || event.reply.is_some() {
                say(batch, &event, &asked_at, reply)?;
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

/// Whoever an incident is given to may be named as the platform names people: `@` and their id.
async fn with_names(chat: &Chat, mut event: ChatEvent) -> ChatEvent {
    /// Names that are looked up.
    const NAMES: usize = 3;
    if let Said::Message(message) = &mut event.said
        && message.to == Addressee::Bot
        && message.text.trim_start().to_lowercase().starts_with("assign ")
    {
        let ids: Vec<String> =
            message.text.split_whitespace().filter_map(|word| word.strip_prefix('@')).map(str::to_owned).collect();
        for id in ids.into_iter().take(NAMES) {
            if let Ok(person) = chat.person(&id).await {
                message.text = message.text.replace(&format!("@{id}"), &person.name);
            }
        }
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
async fn is_trusted(job: &Job, chat: &Chat, person: &Person) -> Result<bool, JobError> {
    match chat.trusts(person).await {
        Err(Error::Transient { why, retry_after }) if job.tries < TRIES => Err(again(why, retry_after)),
        Err(error) => {
            tracing::error!(%error, "the platform does not say who may do what cannot be taken back, so nobody may");
            Ok(false)
        }
        Ok(trusted) => Ok(trusted),
    }
}

/// It is tried again, and nothing else waits for it.
fn again(why: String, after: Option<Duration>) -> JobError {
    JobError::Retry { why, after, lane: false }
}

/// Why nothing can be shown where somebody wants it. Where the bot hears messages and shows cards, it can write; a command, a
/// form and a message that is pointed to may come from anywhere.
async fn out_of_reach(job: &Job, chat: &Chat, event: &ChatEvent) -> Result<Option<String>, JobError> {
    let is_press = event.message.is_some() && matches!(event.said, Said::Command { .. });
    if !event.is_private || is_press {
        return Ok(None);
    }
    match chat.reaches(&event.place).await {
        Err(Error::Closed(why)) => Ok(Some(why)),
        Err(Error::Transient { why, retry_after }) if job.tries < TRIES => Err(again(why, retry_after)),
        // Whoever is not told finds out by trying.
        Ok(()) | Err(_) => Ok(None),
    }
}

/// What came along in another way than as text.
async fn gather(
    app: &Arc<App>,
    job: &Job,
    chat: &Chat,
    event: &ChatEvent,
    is_in_incident: bool,
) -> Result<Gathered, JobError> {
    let mut gathered = Gathered::default();
    let Said::Message(message) = &event.said else { return Ok(gathered) };
    read_files(app, job, chat, message, &mut gathered).await?;
    let says_nothing_itself = message.to == Addressee::Bot
        && message.files.is_empty()
        && message.code.is_empty()
        && (commands::asks_to_triage(&message.text) || !commands::begins_with_a_command(&message.text))
        && !looks_like_a_log(&message.text);
    if !says_nothing_itself {
        return Ok(gathered);
    }
    let channel = Place { channel: event.place.channel.clone(), thread: None };
    // A mention may be told of without the files that came along.
    if let Some(id) = event.message.clone().filter(|_| !event.is_private)
        && let Some(Said::Message(itself)) =
            look_at(job, chat, MessageRef { place: channel.clone(), id }, &mut gathered).await?
        && !itself.files.is_empty()
    {
        let itself = Message { to: Addressee::Bot, ..itself };
        read_files(app, job, chat, &itself, &mut gathered).await?;
        return Ok(gathered);
    }
    let Some(id) = event.place.thread.clone().filter(|_| !is_in_incident) else { return Ok(gathered) };
    match look_at(job, chat, MessageRef { place: channel, id }, &mut gathered).await? {
        Some(Said::Message(root)) => {
            read_files(app, job, chat, &root, &mut gathered).await?;
            gathered.pointed_to = commands::logs_in(&root, &gathered);
            gathered.files.clear();
        }
        Some(Said::Alert(alert)) => {
            let lines = [alert.title, alert.text].into_iter().chain(alert.logs);
            gathered.pointed_to = lines.collect::<Vec<_>>().join("\n");
        }
        Some(Said::Command { .. }) | None => {}
    }
    Ok(gathered)
}

/// What stands in a message. When the platform does not say, the person is told why.
async fn look_at(job: &Job, chat: &Chat, at: MessageRef, gathered: &mut Gathered) -> Result<Option<Said>, JobError> {
    match chat.read(&at).await {
        Ok(said) => Ok(said),
        Err(Error::Transient { why, retry_after }) if job.tries < TRIES => Err(again(why, retry_after)),
        Err(error) => {
            gathered.notes.push(format!("The message could not be read: {error}"));
            Ok(None)
        }
    }
}

/// Reads the files that may hold logs. Those that do not are only spoken of when somebody asked about them.
async fn read_files(
    app: &Arc<App>,
    job: &Job,
    chat: &Chat,
    message: &Message,
    into: &mut Gathered,
) -> Result<(), JobError> {
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
        match read_file(app, job, chat, file).await? {
            Ok(unpacked) if into.files.len() + unpacked.text.len() > attachments::MAX_TEXT => {
                let most = attachments::MAX_TEXT >> 20;
                into.notes.push(format!(
                    "{} was left out: with the other files it is more than {most} MiB of text.",
                    file.name
                ));
            }
            Ok(unpacked) => {
                if !into.files.is_empty() {
                    into.files.push('\n');
                }
                into.files.push_str(&unpacked.text);
                into.notes.extend(unpacked.notes);
            }
            // What nobody asked about and does not call itself a log is people's own business.
            Err(_) if !asked && !is_called_a_log(&file.name) => {}
            Err(why) => into.notes.push(why),
        }
    }
    Ok(())
}

/// Whether a file calls itself a log, or an archive of logs.
fn is_called_a_log(name: &str) -> bool {
    const ENDINGS: [&str; 10] = [".log", ".txt", ".json", ".jsonl", ".ndjson", ".out", ".err", ".csv", ".gz", ".zip"];
    let name = name.to_lowercase();
    ENDINGS.iter().any(|ending| name.ends_with(ending))
}

/// The text of a file, or why it cannot be read.
async fn read_file(
    app: &Arc<App>,
    job: &Job,
    chat: &Chat,
    file: &File,
) -> Result<Result<attachments::Unpacked, String>, JobError> {
    let most = attachments::MAX_FILE;
    if file.bytes > most {
        return Ok(Err(attachments::too_large(&file.name, file.bytes).to_string()));
    }
    let bytes = match chat.fetch(file, most).await {
        Ok(bytes) => bytes,
        Err(Error::Transient { why, retry_after }) if job.tries < TRIES => return Err(again(why, retry_after)),
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
///
/// A form may have asked where the incident shall be shown; who sent it is still where it was asked.
fn say(batch: &mut Batch<'_>, event: &ChatEvent, asked_at: &Place, reply: &[Rich]) -> Result<(), StoreError> {
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
        Work::Whisper {
            platform,
            place: asked_at.clone(),
            to: event.person.clone(),
            reply: event.reply.clone(),
            text,
            key,
        }
    } else {
        Work::Say { platform, place: commands::thread_of(event), text, key }
    };
    batch.job(work, false, clock::now())
}
