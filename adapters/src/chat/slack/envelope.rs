//! What comes from Slack, in our words. Pure: the same for both ways in.

use std::collections::BTreeMap;

use serde_json::Value;

use super::views::{self, Behind};
use super::{alert_post, controls, needs, read};
use crate::chat::{Addressee, Ask, ChatEvent, Message, Person, Place, Said};

/// Name of the platform.
pub const NAME: &str = "slack";

/// What kind of thing came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A delivery of the Events API.
    Event,
    /// A slash command.
    Command,
    /// A button, a form, a shortcut.
    Interaction,
}

/// What is to be done with it.
#[derive(Debug, Clone, PartialEq)]
pub enum Heard {
    /// Nothing: it is none of our business.
    Nothing,
    /// The bot shall hear it.
    Event(Box<ChatEvent>),
    /// Words of a slash command, which may need a form.
    Words(Box<ChatEvent>, Trigger),
    /// A form shall be opened.
    Ask(Ask, Trigger),
    /// Somebody looks at the bot's own page.
    Home(Person),
}

/// What lets a form be opened, for three seconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trigger {
    /// Slack's id of it.
    pub id: String,
    /// The message that a control stands on.
    pub message: Option<String>,
}

/// What came. `bot_user` is the user id of the bot as far as it is known.
pub fn read(kind: Kind, payload: &Value, bot_user: Option<&str>) -> Heard {
    let heard = match kind {
        Kind::Event => event(payload, bot_user),
        Kind::Command => command(payload),
        Kind::Interaction => interaction(payload),
    };
    heard.unwrap_or(Heard::Nothing)
}

fn text(value: &Value) -> Option<String> {
    value.as_str().filter(|text| !text.is_empty()).map(str::to_owned)
}

fn event(payload: &Value, bot_user: Option<&str>) -> Option<Heard> {
    let event = &payload["event"];
    match event["type"].as_str()? {
        "message" if event["subtype"] == "message_changed" => changed(payload, bot_user),
        "message" | "app_mention" => message(payload, bot_user),
        "app_home_opened" if event["tab"] == "home" => {
            Some(Heard::Home(Person { id: text(&event["user"])?, name: String::new() }))
        }
        _ => None,
    }
}

/// Another bot changed its post: that is how some of them say that an alert is over.
fn changed(payload: &Value, bot_user: Option<&str>) -> Option<Heard> {
    let event = &payload["event"];
    let mut now = event["message"].clone();
    if !is_bot(&now) {
        return None;
    }
    now["type"] = "message".into();
    now["channel"] = event["channel"].clone();
    let mut told = payload.clone();
    told["event"] = now;
    let Heard::Event(changed) = message(&told, bot_user)? else { return None };
    let when = text(&event["message"]["edited"]["ts"]).or_else(|| text(&event["event_ts"]))?;
    Some(Heard::Event(Box::new(ChatEvent { key: format!("{}-{when}", changed.key), ..*changed })))
}

/// A message. It comes twice when it mentions the bot, under one key.
fn message(payload: &Value, bot_user: Option<&str>) -> Option<Heard> {
    let event = &payload["event"];
    let subtype = event["subtype"].as_str().unwrap_or_default();
    let is_message = matches!(subtype, "" | "file_share" | "thread_broadcast" | "me_message" | "bot_message");
    if !is_message || event["hidden"] == true || is_own(payload, bot_user) {
        return None;
    }
    let (channel, ts) = (text(&event["channel"])?, text(&event["ts"])?);
    let said = if is_bot(event) {
        Said::Alert(Box::new(alert_post::alert(event, &channel)?))
    } else {
        Said::Message(written(payload, bot_user))
    };
    let person = if is_bot(event) { bot(event) } else { Person { id: text(&event["user"])?, name: String::new() } };
    let thread = text(&event["thread_ts"]).filter(|thread| *thread != ts);
    Some(Heard::Event(Box::new(ChatEvent {
        key: format!("message-{channel}-{ts}"),
        platform: NAME.into(),
        place: Place { channel, thread },
        message: Some(ts),
        person,
        is_private: false,
        reply: None,
        said,
    })))
}

/// What stands in a message that somebody points to. Nothing when it says nothing to the bot.
pub fn content(message: &Value, channel: &str) -> Option<Said> {
    if is_bot(message) {
        return alert_post::alert(message, channel).map(|alert| Said::Alert(Box::new(alert)));
    }
    Some(Said::Message(Message { to: Addressee::Shown, ..read::message(message) }))
}

/// What a person wrote, and whether it is for the bot.
fn written(payload: &Value, bot_user: Option<&str>) -> Message {
    let event = &payload["event"];
    let mut message = read::message(event);
    let bot_user = bot_user.or_else(|| bot_user_of(payload));
    let mentioned = bot_user.filter(|user| read::mentions(event, user));
    if let Some(user) = mentioned {
        message.text = read::without_mention(&message.text, user);
    }
    if mentioned.is_some() || event["type"] == "app_mention" || event["channel_type"] == "im" {
        message.to = Addressee::Bot;
    }
    message
}

/// The user of the bot, as the delivery itself tells.
fn bot_user_of(payload: &Value) -> Option<&str> {
    let mut installed = payload["authorizations"].as_array().into_iter().flatten();
    installed.find(|one| one["is_bot"] == true).and_then(|one| one["user_id"].as_str())
}

/// Whether a message is one of the bot's own: Slack delivers those, too.
fn is_own(payload: &Value, bot_user: Option<&str>) -> bool {
    let event = &payload["event"];
    let app = payload["api_app_id"].as_str().filter(|app| !app.is_empty());
    let of_app = |value: &Value| app.is_some() && value.as_str() == app;
    let user = event["user"].as_str().filter(|user| !user.is_empty());
    of_app(&event["app_id"])
        || of_app(&event["bot_profile"]["app_id"])
        || (user.is_some() && (user == bot_user || user == bot_user_of(payload)))
}

fn is_bot(message: &Value) -> bool {
    message["subtype"] == "bot_message" || text(&message["bot_id"]).is_some()
}

fn bot(message: &Value) -> Person {
    let name = text(&message["username"]).or_else(|| text(&message["bot_profile"]["name"]));
    Person { id: text(&message["bot_id"]).unwrap_or_default(), name: name.unwrap_or_else(|| "a bot".into()) }
}

fn command(payload: &Value) -> Option<Heard> {
    let trigger = text(&payload["trigger_id"])?;
    let words = payload["text"].as_str().unwrap_or_default().trim();
    let code = words.strip_prefix("```").and_then(|rest| rest.strip_suffix("```")).map(|code| code.trim().to_owned());
    let event = ChatEvent {
        key: format!("command-{trigger}"),
        platform: NAME.into(),
        place: Place { channel: text(&payload["channel_id"])?, thread: None },
        message: None,
        person: Person { id: text(&payload["user_id"])?, name: text(&payload["user_name"]).unwrap_or_default() },
        is_private: true,
        reply: None,
        said: Said::Message(Message {
            text: words.to_owned(),
            code: code.into_iter().collect(),
            to: Addressee::Bot,
            ..Message::default()
        }),
    };
    Some(Heard::Words(Box::new(event), Trigger { id: trigger, message: None }))
}

fn interaction(payload: &Value) -> Option<Heard> {
    match payload["type"].as_str()? {
        "block_actions" => press(payload),
        "message_action" if payload["callback_id"] == needs::SHORTCUT => shortcut(payload),
        "view_submission" => form(payload),
        _ => None,
    }
}

fn person(payload: &Value) -> Option<Person> {
    let user = &payload["user"];
    let name = text(&user["name"]).or_else(|| text(&user["username"]));
    Some(Person { id: text(&user["id"])?, name: name.unwrap_or_default() })
}

/// A control that was pressed, or a choice that was made.
fn press(payload: &Value) -> Option<Heard> {
    let action = &payload["actions"][0];
    let person = person(payload)?;
    let command = text(&action["value"]).or_else(|| text(&action["selected_option"]["value"]))?;
    let container = &payload["container"];
    let message = text(&container["message_ts"]).or_else(|| text(&payload["message"]["ts"]));
    // On the bot's own page there is no channel but the one between the two.
    let channel = text(&payload["channel"]["id"]).or_else(|| text(&container["channel_id"]));
    let thread = text(&payload["message"]["thread_ts"])
        .or_else(|| text(&container["thread_ts"]))
        .filter(|thread| Some(thread) != message.as_ref());
    let place = Place { channel: channel.unwrap_or_else(|| person.id.clone()), thread };
    let trigger = text(&payload["trigger_id"])?;
    let kind = action["action_id"].as_str()?.split('-').next()?;
    match kind {
        controls::SAY => Some(Heard::Event(Box::new(ChatEvent {
            key: format!("press-{trigger}"),
            platform: NAME.into(),
            place,
            message,
            person,
            is_private: true,
            reply: None,
            said: Said::Command { text: command, answers: BTreeMap::new() },
        }))),
        controls::ASK => {
            let ask = Ask { platform: NAME.into(), command, place, person };
            Some(Heard::Ask(ask, Trigger { id: trigger, message }))
        }
        _ => None,
    }
}

/// "Triage this message".
fn shortcut(payload: &Value) -> Option<Heard> {
    let message = &payload["message"];
    let channel = text(&payload["channel"]["id"])?;
    let ts = text(&payload["message_ts"]).or_else(|| text(&message["ts"]))?;
    // Whatever a bot wrote, a person asks what it means.
    let said = content(message, &channel)
        .unwrap_or_else(|| Said::Message(Message { to: Addressee::Shown, ..read::message(message) }));
    let thread = text(&message["thread_ts"]).filter(|thread| *thread != ts);
    Some(Heard::Event(Box::new(ChatEvent {
        key: format!("shortcut-{}", text(&payload["trigger_id"])?),
        platform: NAME.into(),
        place: Place { channel, thread },
        message: Some(ts),
        person: person(payload)?,
        is_private: true,
        reply: None,
        said,
    })))
}

/// A form that was sent. The same one is sent once, however often it is delivered.
fn form(payload: &Value) -> Option<Heard> {
    let view = &payload["view"];
    let Behind { command, place, message } = views::behind(view)?;
    Some(Heard::Event(Box::new(ChatEvent {
        key: format!("form-{}", text(&view["id"])?),
        platform: NAME.into(),
        place,
        message,
        person: person(payload)?,
        is_private: true,
        reply: None,
        said: Said::Command { text: command, answers: views::answers(view) },
    })))
}

#[cfg(test)]
mod tests;
