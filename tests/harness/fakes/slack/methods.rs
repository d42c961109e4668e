//! What the methods do that write.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::limits::{self, TOTAL};
use super::message::SlackMessage;
use super::refusal::Refusal;
use super::state::{Kind, State};
use super::{APP_ID, BOT_ID, BOT_USER, TEAM};

/// Longest fallback text.
const TEXT: usize = 40_000;

impl State {
    pub fn run(&mut self, method: &str, arguments: &Value) -> Result<Value, Refusal> {
        match method {
            "auth.test" => Ok(json!({
                "ok": true, "url": "https://team.slack.example/", "team": "Fake", "user": "clew",
                "team_id": TEAM, "user_id": BOT_USER, "bot_id": BOT_ID, "is_enterprise_install": false,
            })),
            "apps.connections.open" => Ok(self.connection()),
            "chat.postMessage" => self.post(arguments),
            "chat.postEphemeral" => self.whisper(arguments),
            "chat.update" => self.update(arguments),
            "chat.getPermalink" => self.permalink(arguments),
            "conversations.info" => self.info(arguments),
            "conversations.history" => self.history(arguments),
            "conversations.replies" => self.replies(arguments),
            "files.info" => self.file_info(arguments),
            "usergroups.list" => Ok(self.usergroups()),
            "usergroups.users.list" => self.users_of_group(arguments),
            "users.info" => self.user_info(arguments),
            "views.open" => self.open_view(arguments),
            "views.publish" => self.publish_view(arguments),
            _ => self.update_view(arguments),
        }
    }

    fn post(&mut self, arguments: &Value) -> Result<Value, Refusal> {
        let id = self.addressed(string(arguments, "channel"));
        let pace = self.pace;
        let channel = self.joined(&id)?;
        if channel.archived {
            return Err(Refusal::code("is_archived"));
        }
        let (text, blocks) = content(arguments)?;
        let metadata = metadata(arguments)?;
        let thread = arguments["thread_ts"].as_str().map(str::to_owned);
        if let Some(thread) = &thread {
            match channel.message(thread) {
                None => return Err(Refusal::code("thread_not_found")),
                Some(root) if root.thread_ts.is_some() => return Err(Refusal::code("cannot_reply_to_message")),
                Some(_) => {}
            }
        }
        if pace && channel.posted.last().is_some_and(|last| last.elapsed() < Duration::from_secs(1)) {
            return Err(Refusal::wait(1));
        }
        channel.posted.push(Instant::now());
        let message = SlackMessage { thread_ts: thread, text, blocks, metadata, ..own() };
        let ts = self.keep(&id, message.clone());
        self.emit_own(&id, &ts);
        let mut shown = SlackMessage { ts: ts.clone(), ..message }.listed();
        shown["metadata"] = arguments["metadata"].clone();
        Ok(json!({"ok": true, "channel": id, "ts": ts, "message": shown}))
    }

    /// The channel that is meant: a person stands for the channel with this person alone.
    fn addressed(&mut self, id: &str) -> String {
        if self.people.contains_key(id) { self.direct(id) } else { id.to_owned() }
    }

    fn whisper(&mut self, arguments: &Value) -> Result<Value, Refusal> {
        let (id, user) = (string(arguments, "channel"), string(arguments, "user"));
        let known = self.people.contains_key(user);
        let channel = self.joined(id)?;
        if channel.archived {
            return Err(Refusal::code("is_archived"));
        }
        let direct = match &channel.kind {
            Kind::Direct(other) => other == user,
            _ => true,
        };
        if !known || !direct || channel.absent.contains(user) {
            return Err(Refusal::code("user_not_in_channel"));
        }
        let (text, blocks) = text_or_blocks(arguments)?;
        let thread_ts = arguments["thread_ts"].as_str().map(str::to_owned);
        if thread_ts.as_ref().is_some_and(|thread| channel.message(thread).is_none()) {
            return Err(Refusal::code("thread_not_found"));
        }
        let ts = self.keep_whisper(id, user, SlackMessage { thread_ts, text, blocks, ..own() });
        Ok(json!({"ok": true, "message_ts": ts}))
    }

    /// Keeps what only this person sees. It can be shown in a channel that the bot is not in, too.
    pub fn keep_whisper(&mut self, channel: &str, user: &str, message: SlackMessage) -> String {
        let ts = self.stamp();
        if let Some(channel) = self.channels.get_mut(channel) {
            let seen = channel.ephemerals.entry(user.to_owned()).or_default();
            seen.push(SlackMessage { ts: ts.clone(), ..message });
        }
        ts
    }

    fn update(&mut self, arguments: &Value) -> Result<Value, Refusal> {
        let (id, ts) = (string(arguments, "channel"), string(arguments, "ts"));
        let channel = self.joined(id)?;
        let (text, blocks) = content(arguments)?;
        let message = channel.message(ts).ok_or_else(|| Refusal::code("message_not_found"))?;
        if message.user != BOT_USER {
            return Err(Refusal::code("cant_update_message"));
        }
        // Metadata that is not sent stays.
        let metadata = if arguments["metadata"].is_null() { None } else { Some(metadata(arguments)?) };
        self.change(id, ts, |message| {
            (message.text, message.blocks) = (text, blocks);
            if let Some(metadata) = metadata {
                message.metadata = metadata;
            }
        });
        let message = self.joined(id)?.message(ts).cloned().unwrap_or_default();
        Ok(json!({"ok": true, "channel": id, "ts": ts, "text": message.text, "message": message.listed()}))
    }

    fn permalink(&mut self, arguments: &Value) -> Result<Value, Refusal> {
        let (id, ts) = (string(arguments, "channel"), string(arguments, "message_ts"));
        let channel = self.channel(id)?;
        let message = channel.message(ts).ok_or_else(|| Refusal::code("message_not_found"))?;
        let thread = message.thread_ts.as_ref().map(|thread| format!("?thread_ts={thread}&cid={id}"));
        let (digits, thread) = (ts.replace('.', ""), thread.unwrap_or_default());
        let permalink = format!("https://team.slack.example/archives/{id}/p{digits}{thread}");
        Ok(json!({"ok": true, "channel": id, "permalink": permalink}))
    }
}

/// A message of the bot.
pub fn own() -> SlackMessage {
    SlackMessage {
        user: BOT_USER.to_owned(),
        bot_id: Some(BOT_ID.to_owned()),
        app_id: Some(APP_ID.to_owned()),
        blocks: json!([]),
        ..SlackMessage::default()
    }
}

/// Text and blocks, checked. A message without a text is refused although Slack only warns: nobody could be notified.
fn content(arguments: &Value) -> Result<(String, Value), Refusal> {
    if string(arguments, "text").trim().is_empty() {
        return Err(Refusal::code("no_text"));
    }
    text_or_blocks(arguments)
}

/// Text and blocks, checked; one of them is enough.
pub fn text_or_blocks(arguments: &Value) -> Result<(String, Value), Refusal> {
    let text = string(arguments, "text").to_owned();
    let blocks = if arguments["blocks"].is_null() { json!([]) } else { arguments["blocks"].clone() };
    if text.trim().is_empty() && blocks.as_array().is_none_or(Vec::is_empty) {
        return Err(Refusal::code("no_text"));
    }
    if text.encode_utf16().count() > TEXT {
        return Err(Refusal::code("msg_too_long"));
    }
    if blocks.to_string().chars().count() > TOTAL {
        return Err(Refusal::code("msg_blocks_too_long"));
    }
    let errors = limits::check(&blocks);
    if errors.is_empty() { Ok((text, blocks)) } else { Err(Refusal::errors("invalid_blocks", &errors)) }
}

fn metadata(arguments: &Value) -> Result<Value, Refusal> {
    let metadata = &arguments["metadata"];
    let well_formed = metadata["event_type"].is_string() && metadata["event_payload"].is_object();
    if metadata.is_null() || well_formed {
        return Ok(metadata.clone());
    }
    Err(Refusal::code("invalid_metadata_format"))
}

/// An argument; empty when it is not there.
pub fn string<'a>(arguments: &'a Value, name: &str) -> &'a str {
    arguments[name].as_str().unwrap_or("")
}
