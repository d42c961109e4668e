//! The console chat: what stands in a channel, and the threads below it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use askama::Template;
use askama::filters::HtmlSafe;
use axum::body::Body;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use clew_adapters::Error;
use clew_adapters::chat::console::{Console, Content, Message};
use clew_adapters::chat::{ChatEvent, ChatPlatform as _, MessageRef, Place, Said};
use clew_pipeline::logs::looks_like_a_log;
use serde::Deserialize;
use tokio::time::{Instant, sleep};

use super::name::{Name, way_back};
use super::show::{self, MessageView};
use super::{Instead, badge, blocking, encoded, failed, few_enough, form, lead_to, message, page};
use crate::app::App;
use crate::chats;
use crate::commands;
use crate::incident::IncidentId;
use crate::queue::Work;
use crate::store::StoreError;

/// Messages on a page.
const PAGE: usize = 50;
/// Replies that are counted below a message.
const COUNTED: usize = 99;
/// Bytes of a text in a channel, and in its own thread.
const SHORT: usize = 4 << 10;
const LONG: usize = 64 << 10;
/// Longest name of a channel, in characters.
const LONGEST_CHANNEL: usize = 80;
/// How long a person waits for the effect of what they did before they see the page without it.
const PATIENCE: Duration = Duration::from_millis(1_500);
/// Time between two looks for that effect.
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// What begins the name of an answer in the form of a control.
pub const ANSWER: &str = "answer.";

type Fields = BTreeMap<String, String>;
type Answer = Result<Response, Instead>;

/// Which part of the page is asked for.
#[derive(Deserialize)]
pub struct Part {
    /// Messages before this one.
    before: Option<String>,
    /// `feed`: the messages alone, for the script.
    part: Option<String>,
}

/// The messages alone.
#[derive(Template)]
#[template(path = "feed.html")]
struct Feed {
    messages: Vec<MessageView>,
    /// Whether something that was said here is still being read.
    busy: bool,
}

impl HtmlSafe for Feed {}

#[derive(Template)]
#[template(path = "chat.html")]
struct ChatPage {
    badge: String,
    channel: String,
    /// Address of the page.
    path: String,
    /// Address of the channel, in a thread.
    channel_path: Option<String>,
    incident: Option<IncidentId>,
    older: Option<String>,
    is_latest: bool,
    feed: Feed,
    me: String,
}

/// `GET /chat`: the channel in which incidents are shown.
pub async fn home(state: State<Arc<App>>, query: Query<Part>, headers: HeaderMap) -> Answer {
    let channel = main_channel(&state.0);
    show(&state.0, Place { channel, thread: None }, query.0, &headers).await
}

/// `GET /chat/{channel}`: what stands in a channel.
pub async fn channel(
    State(app): State<Arc<App>>,
    Path(channel): Path<String>,
    Query(part): Query<Part>,
    headers: HeaderMap,
) -> Answer {
    show(&app, Place { channel, thread: None }, part, &headers).await
}

/// `GET /chat/{channel}/{message}`: a message with its thread.
pub async fn thread(
    State(app): State<Arc<App>>,
    Path((channel, root)): Path<(String, String)>,
    Query(part): Query<Part>,
    headers: HeaderMap,
) -> Answer {
    show(&app, Place { channel, thread: Some(root) }, part, &headers).await
}

/// `POST /chat/{channel}`: writes into a channel.
pub async fn write(State(app): State<Arc<App>>, Path(channel): Path<String>, headers: HeaderMap, body: Body) -> Answer {
    say(&app, Place { channel, thread: None }, &headers, body).await
}

/// `POST /chat/{channel}/{message}`: writes into a thread.
pub async fn reply(
    State(app): State<Arc<App>>,
    Path((channel, root)): Path<(String, String)>,
    headers: HeaderMap,
    body: Body,
) -> Answer {
    say(&app, Place { channel, thread: Some(root) }, &headers, body).await
}

/// `POST /chat/press/{message}`: presses a control of a card.
pub async fn press(State(app): State<Arc<App>>, Path(id): Path<String>, headers: HeaderMap, body: Body) -> Answer {
    let fields: Fields = form(&app, body).await?;
    let field = |name: &str| fields.get(name).map(String::as_str);
    let name = Name::of(&app, &headers, field("name"));
    let command = app.pipeline.redact(field("command").unwrap_or_default());
    let answers: BTreeMap<String, String> = fields
        .iter()
        .filter_map(|(key, value)| Some((key.strip_prefix(ANSWER)?.to_owned(), commands::tidy(&app, value))))
        .collect();
    let person = name.person();
    room_on_disk(&app)?;
    let event = blocking(&app, move |app| Ok(pressed(&console(app), &id, &command, answers, &person))).await?;
    let (event, found) = event.map_err(|error| refused(error, "/chat"))?;
    take(&app, event).await?;
    let back = field("back").and_then(way_back).map_or_else(|| path_of(&found.thread()), str::to_owned);
    Ok(lead_to(&back, name.cookie))
}

/// The event of a press, and the message that was pressed. A control that is no longer there was overtaken by somebody: it is
/// said as a typed command in the thread, where the answer to it can be read.
fn pressed(
    console: &Console,
    id: &str,
    command: &str,
    answers: BTreeMap<String, String>,
    person: &clew_adapters::chat::Person,
) -> Result<(ChatEvent, MessageRef), Error> {
    let unkept = |why| Error::Transient { why, retry_after: None };
    let found = console.messages().get(id).map_err(unkept)?;
    let found = found.ok_or_else(|| Error::Gone("this message is no longer there".into()))?;
    let is_card = matches!(found.content, Content::Card(_));
    let found = MessageRef { place: found.place, id: found.id };
    match console.press(id, command, answers.clone(), person) {
        Err(Error::Gone(_)) if is_card && !command.trim().is_empty() => {
            let said: Vec<&str> = std::iter::once(command)
                .chain(answers.values().map(String::as_str))
                .filter(|said| !said.is_empty())
                .collect();
            let event = console.write(&found.thread(), person, &format!("/{}", said.join(" ")))?;
            Ok((event, found))
        }
        event => event.map(|event| (event, found)),
    }
}

/// Writes what somebody typed into `place`.
async fn say(app: &Arc<App>, place: Place, headers: &HeaderMap, body: Body) -> Answer {
    let fields: Fields = form(app, body).await?;
    let name = Name::of(app, headers, fields.get("name").map(String::as_str));
    let back = path_of(&place);
    let typed = fields.get("text").cloned().unwrap_or_default();
    few_enough(app, &typed, &back)?;
    is_channel(&place.channel)?;
    room_on_disk(app)?;
    let person = name.person();
    let written = blocking(app, move |app| {
        // Before anything is kept: people paste what they see, and that may hold secrets.
        let text = app.pipeline.redact(&typed);
        Ok(console(app).write(&place, &person, &text))
    });
    let event = written.await?.map_err(|error| refused(error, &back))?;
    let to = after(&event);
    take(app, event).await?;
    Ok(lead_to(&to, name.cookie))
}

/// Where the answer to `event` is seen.
fn after(event: &ChatEvent) -> String {
    let id = event.message.clone().unwrap_or_default();
    let answered = match &event.said {
        Said::Command { .. } => true,
        Said::Message(message) => looks_like_a_log(&message.text),
        Said::Alert(_) => false,
    };
    match &event.place.thread {
        None if answered => path_of(&Place { channel: event.place.channel.clone(), thread: Some(id) }),
        _ => format!("{}#m-{id}", path_of(&event.place)),
    }
}

/// Has `event` done, and waits a little for its effect.
async fn take(app: &Arc<App>, event: ChatEvent) -> Result<(), Instead> {
    let (key, platform) = (event.key.clone(), event.platform.clone());
    chats::hear(app, event).await.map_err(failed)?;
    let ours = |work: &Work| match work {
        Work::Hear { event } => event.key == key,
        Work::PostCard { platform: on, .. }
        | Work::Say { platform: on, .. }
        | Work::Whisper { platform: on, .. }
        | Work::Details { platform: on, .. }
        | Work::SayInThread { platform: on, .. } => *on == platform,
        _ => false,
    };
    let deadline = Instant::now() + PATIENCE;
    // Twice: what follows from a job is planned a moment after the job is done.
    let mut quiet = 0;
    while quiet < 2 && Instant::now() < deadline {
        sleep(LOOK_EVERY).await;
        quiet = if app.queue.has(ours) { 0 } else { quiet + 1 };
    }
    Ok(())
}

async fn show(app: &Arc<App>, place: Place, part: Part, headers: &HeaderMap) -> Answer {
    is_channel(&place.channel)?;
    let alone = part.part.as_deref() == Some("feed");
    let asked = place.clone();
    let found = blocking(app, move |app| {
        let Some(read) = read(app, &asked, part.before)? else { return Ok(None) };
        Ok(Some((read, if alone { String::new() } else { badge(app) })))
    });
    let Some((read, badge)) = found.await? else {
        let text = "The link is wrong, or the message was removed.";
        return Err(message(StatusCode::NOT_FOUND, "There is no such thread", text, "/chat"));
    };
    if alone {
        return Ok(page(&read.feed));
    }
    let channel_path = place.thread.is_some().then(|| path_of(&Place { thread: None, ..place.clone() }));
    Ok(page(&ChatPage {
        badge,
        path: path_of(&place),
        channel: place.channel,
        channel_path,
        incident: read.incident,
        older: read.older,
        is_latest: read.is_latest,
        feed: read.feed,
        me: Name::of(app, headers, None).said,
    }))
}

/// What a page shows of a place.
struct Read {
    feed: Feed,
    older: Option<String>,
    is_latest: bool,
    incident: Option<IncidentId>,
}

/// Reads a part of a place. Nothing when it is the thread of a message that is not there.
fn read(app: &Arc<App>, place: &Place, before: Option<String>) -> Result<Option<Read>, StoreError> {
    let console = console(app);
    let back = path_of(place);
    let list = |before: Option<&str>| console.messages().list(place, before, PAGE + 1).map_err(StoreError::Failed);
    let mut found = list(before.as_deref())?;
    let older = (found.len() > PAGE).then(|| found.remove(0)).and_then(|_| found.first().map(|first| first.id.clone()));
    let incident = app.store.incident_in_thread(console.name(), place)?;
    let mut messages = Vec::new();
    match &place.thread {
        None => {
            for message in found {
                messages.push(root(app, &console, message, &back)?);
            }
        }
        Some(id) => {
            let root = console.messages().get(id).map_err(StoreError::Failed)?;
            let root = root.filter(|root| root.place.channel == place.channel && root.place.thread.is_none());
            let Some(root) = root else { return Ok(None) };
            let link = incident.map(|id| format!("/i/{id}"));
            let all = std::iter::once(root).chain(found);
            messages.extend(all.map(|message| MessageView::of(message, link.clone(), &back, false, LONG)));
        }
    }
    let here = |work: &Work| match work {
        Work::Hear { event } => event.place == *place || (event.message == place.thread && place.thread.is_some()),
        _ => false,
    };
    let feed = Feed { messages, busy: app.queue.has(here) };
    Ok(Some(Read { feed, older, is_latest: before.is_none(), incident }))
}

/// A message of a channel, with what stands in its thread.
fn root(app: &App, console: &Console, message: Message, back: &str) -> Result<MessageView, StoreError> {
    let thread = Place { channel: message.place.channel.clone(), thread: Some(message.id.clone()) };
    let replies = console.messages().list(&thread, None, COUNTED + 1).map_err(StoreError::Failed)?;
    let incident = app.store.incident_in_thread(console.name(), &thread)?;
    // Of a card, more cards in its thread are its details.
    let is_card = matches!(message.content, Content::Card(_));
    let card = replies.iter().filter(|_| !is_card).find_map(|reply| match &reply.content {
        Content::Card(card) => Some((show::tone(card.tone), card.title.clone())),
        _ => None,
    });
    let mut view = MessageView::of(message, incident.map(|id| format!("/i/{id}")), back, true, SHORT);
    view.thread = path_of(&thread);
    view.card = card;
    view.replies = match replies.len() {
        0 => "Reply".to_owned(),
        1 => "1 reply".to_owned(),
        many if many > COUNTED => format!("more than {COUNTED} replies"),
        many => format!("{many} replies"),
    };
    Ok(view)
}

/// Address of a place.
pub fn path_of(place: &Place) -> String {
    let channel = encoded(&place.channel);
    place
        .thread
        .as_ref()
        .map_or_else(|| format!("/chat/{channel}"), |root| format!("/chat/{channel}/{}", encoded(root)))
}

fn console(app: &Arc<App>) -> Console {
    Console::new(Arc::clone(&app.store) as _)
}

fn main_channel(app: &App) -> String {
    app.config().channel("console").unwrap_or_else(|| "incidents".to_owned())
}

/// `press` is the address of controls, and names are shown in one line.
fn is_channel(name: &str) -> Result<(), Instead> {
    let fits = (1..=LONGEST_CHANNEL).contains(&name.chars().count()) && !name.chars().any(char::is_control);
    if fits && name != "press" {
        return Ok(());
    }
    Err(message(StatusCode::NOT_FOUND, "There is no such channel", "The link is wrong.", "/chat"))
}

fn room_on_disk(app: &App) -> Result<(), Instead> {
    if !app.disk_is_full() {
        return Ok(());
    }
    Err(failed(StoreError::DiskFull))
}

/// What the console refuses, in words.
fn refused(error: Error, back: &str) -> Instead {
    match error {
        Error::Transient { why, .. } => failed(StoreError::Failed(why)),
        Error::Gone(why) => message(StatusCode::NOT_FOUND, "It is no longer there", &why, back),
        Error::Permanent(why) | Error::Auth(why) | Error::Closed(why) => {
            message(StatusCode::UNPROCESSABLE_ENTITY, "That could not be said", &why, back)
        }
    }
}
