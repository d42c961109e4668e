//! What comes from Discord, in our words. Pure: the same for both ways in.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::Value;

use super::controls::{self, Pressed};
use super::people::{Identity, name_of};
use super::{alert_post, forms, read};
use crate::chat::{Addressee, Ask, ChatEvent, Message, Person, Place, Said};

/// Name of the platform.
pub const NAME: &str = "discord";
/// Name of the command.
pub const COMMAND: &str = "triage";
/// Its options.
pub const TEXT: &str = "text";
/// The option that takes a file.
pub const FILE: &str = "file";
/// What stands in the menu of a message.
pub const SHORTCUT: &str = "Triage this message";

/// Kinds of messages that people and bots write; the others are notes of Discord itself.
/// <https://discord.com/developers/docs/resources/message#message-object-message-types>
const WRITTEN: [u64; 4] = [0, REPLY, 20, 23];
const REPLY: u64 = 19;

/// What is to be done with an interaction.
#[derive(Debug, Clone, PartialEq)]
pub enum Does {
    /// The bot shall hear it.
    Event(Box<ChatEvent>),
    /// Words of the command, which may need a form.
    Words(Box<ChatEvent>),
    /// A form shall be opened.
    Ask(Ask),
}

fn text(value: &Value) -> Option<String> {
    value.as_str().filter(|text| !text.is_empty()).map(str::to_owned)
}

/// Who did it, and what is known of them where they did it.
pub fn person(payload: &Value) -> Option<Person> {
    let member = &payload["member"];
    let user = [&member["user"], &payload["user"], &payload["author"]].into_iter().find(|user| user.is_object())?;
    Some(Person { id: text(&user["id"])?, name: name_of(user, member) })
}

/// A message, written in `place`. Nothing when it is none of the bot's business.
pub fn message(message: &Value, place: Place, is_direct: bool, me: &Identity) -> Option<ChatEvent> {
    let kind = message["type"].as_u64().unwrap_or(0);
    if !WRITTEN.contains(&kind) || is_own(message, me) {
        return None;
    }
    let id = text(&message["id"])?;
    // Of a person's message the first version counts, whenever it is read.
    let edited = text(&message["edited_timestamp"]).filter(|_| is_bot(message));
    let edited = edited.map(|at| format!("-{at}")).unwrap_or_default();
    let said = if is_bot(message) {
        Said::Alert(Box::new(alert_post::alert(message, &place.channel)?))
    } else {
        Said::Message(written(message, is_direct, me))
    };
    let person = person(message)?;
    let place = Place { thread: place.thread.or_else(|| answered(message, kind)), ..place };
    Some(ChatEvent {
        key: format!("message-{id}{edited}"),
        platform: NAME.into(),
        // The first message of a thread that was begun without one stands in the thread.
        message: Some(id),
        place,
        person,
        is_private: false,
        reply: None,
        said,
    })
}

/// Who answers a message speaks in the thread below it.
fn answered(message: &Value, kind: u64) -> Option<String> {
    let reference = &message["message_reference"];
    let is_here = reference["channel_id"].is_null() || reference["channel_id"] == message["channel_id"];
    (kind == REPLY && is_here).then(|| text(&reference["message_id"])).flatten()
}

/// Whether another bot changed its post: that is how some of them say that an alert is over.
pub fn is_change_of_a_post(message: &Value) -> bool {
    is_bot(message) && !message["edited_timestamp"].is_null()
}

/// Whether a bot wrote a message, and no person.
pub fn is_bot(message: &Value) -> bool {
    message["author"]["bot"] == true || text(&message["webhook_id"]).is_some()
}

fn is_own(message: &Value, me: &Identity) -> bool {
    message["author"]["id"] == me.user.as_str() || message["application_id"] == me.application.as_str()
}

/// What a person wrote, and whether it is for the bot.
fn written(message: &Value, is_direct: bool, me: &Identity) -> Message {
    let message = &with_own_role(message, me);
    let is_called = read::mentions(message, &me.user);
    let said = if is_called { read::without_mention(message, &me.user) } else { read::message(message) };
    let to = if is_called || is_direct { Addressee::Bot } else { Addressee::People };
    Message { to, ..said }
}

/// Discord offers the bot's own role beside the bot when somebody types its name: whoever takes that one means the bot.
fn with_own_role<'a>(message: &'a Value, me: &Identity) -> Cow<'a, Value> {
    let called = message["mention_roles"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let Some(role) = called.into_iter().find(|role| me.roles.iter().any(|own| own == role)) else {
        return Cow::Borrowed(message);
    };
    let mut message = message.clone();
    let content = message["content"].as_str().unwrap_or_default();
    message["content"] = content.replace(&format!("<@&{role}>"), &format!("<@{}>", me.user)).into();
    match message["mentions"].as_array_mut() {
        Some(mentions) => mentions.push(serde_json::json!({"id": me.user})),
        None => message["mentions"] = serde_json::json!([{"id": me.user}]),
    }
    Cow::Owned(message)
}

/// What stands in a message that somebody points to. Nothing when it says nothing to the bot.
pub fn content(message: &Value, channel: &str) -> Option<Said> {
    if is_bot(message) {
        return alert_post::alert(message, channel).map(|alert| Said::Alert(Box::new(alert)));
    }
    Some(Said::Message(Message { to: Addressee::Shown, ..read::message(message) }))
}

/// What an interaction asks for. Nothing when it is none of ours.
pub fn interaction(payload: &Value, place: Place) -> Option<Does> {
    let event = |kind: &str, message: Option<String>, said: Said| {
        Some(Box::new(ChatEvent {
            key: format!("{kind}-{}", text(&payload["id"])?),
            platform: NAME.into(),
            place: place.clone(),
            message,
            person: person(payload)?,
            is_private: true,
            reply: None,
            said,
        }))
    };
    let data = &payload["data"];
    match payload["type"].as_u64()? {
        2 if data["type"].as_u64().unwrap_or(1) == 1 && data["name"] == COMMAND => {
            Some(Does::Words(event("command", None, Said::Message(words(data)))?))
        }
        2 if data["name"] == SHORTCUT => {
            let id = text(&data["target_id"])?;
            let message = &data["resolved"]["messages"][id.as_str()];
            // Whatever a bot wrote, a person asks what it means.
            let said = content(message, &place.channel)
                .unwrap_or_else(|| Said::Message(Message { to: Addressee::Shown, ..read::message(message) }));
            Some(Does::Event(event("shortcut", Some(id), said)?))
        }
        3 => {
            let message = text(&payload["message"]["id"]);
            let values: Vec<String> = data["values"].as_array().into_iter().flatten().filter_map(text).collect();
            match controls::pressed(data["custom_id"].as_str()?, &values)? {
                Pressed::Say(command) => {
                    let said = Said::Command { text: command, answers: BTreeMap::new() };
                    Some(Does::Event(event("press", message, said)?))
                }
                Pressed::Ask(command) => {
                    let person = person(payload)?;
                    Some(Does::Ask(Ask { platform: NAME.into(), command, place, person }))
                }
            }
        }
        5 => {
            let command = forms::command(data["custom_id"].as_str()?)?.to_owned();
            let said = Said::Command { text: command, answers: forms::answers(data) };
            Some(Does::Event(event("form", text(&payload["message"]["id"]), said)?))
        }
        _ => None,
    }
}

/// What stands in the options of the command.
fn words(data: &Value) -> Message {
    let options = data["options"].as_array();
    let option = |name: &str| {
        let options = options.into_iter().flatten();
        options.into_iter().find(|option| option["name"] == name).and_then(|option| option["value"].as_str())
    };
    let words = option(TEXT).unwrap_or_default().trim();
    let code = words.strip_prefix("```").and_then(|rest| rest.strip_suffix("```")).map(|code| code.trim().to_owned());
    let file = option(FILE).and_then(|id| read::file(&data["resolved"]["attachments"][id]));
    Message {
        text: with_plain_mentions(words),
        code: code.into_iter().collect(),
        files: file.into_iter().collect(),
        to: Addressee::Bot,
    }
}

/// `<@12>` as `@12`: how the bot takes the name of somebody.
fn with_plain_mentions(words: &str) -> String {
    let mut plain = String::with_capacity(words.len());
    let mut rest = words;
    while let Some(begin) = rest.find("<@") {
        plain.push_str(&rest[..begin]);
        let after = rest[begin + 2..].trim_start_matches('!');
        if let Some((id, left)) = after.split_once('>').filter(|(id, _)| super::snowflake::is_one(id)) {
            plain.push('@');
            plain.push_str(id);
            rest = left;
        } else {
            plain.push_str("<@");
            rest = &rest[begin + 2..];
        }
    }
    plain.push_str(rest);
    plain
}

#[cfg(test)]
mod tests;
