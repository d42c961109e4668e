//! What the fake keeps, and what its methods do.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::limits::{self, TOTAL};
use super::{Call, SlackMessage};
use crate::fakes::faults::Dice;

/// User id of the bot.
const BOT: &str = "U0CLEW";
/// Longest fallback text.
const TEXT: usize = 40_000;

/// A channel.
#[derive(Debug)]
pub struct Channel {
    pub name: String,
    pub member: bool,
    pub messages: Vec<SlackMessage>,
    posted: Option<Instant>,
}

impl Channel {
    pub fn new(name: &str) -> Self {
        Self { name: name.to_owned(), member: true, messages: Vec::new(), posted: None }
    }
}

/// Everything the fake knows.
#[derive(Debug)]
pub struct State {
    pub channels: BTreeMap<String, Channel>,
    pub scopes: BTreeSet<String>,
    pub calls: Vec<Call>,
    pub dice: Dice,
    pub pace: bool,
    pub revoked: bool,
    written: u64,
}

impl Default for State {
    fn default() -> Self {
        let scopes = ["chat:write", "channels:history", "channels:read"].map(str::to_owned).into();
        let (channels, calls) = (BTreeMap::new(), Vec::new());
        Self { channels, scopes, calls, dice: Dice::default(), pace: false, revoked: false, written: 0 }
    }
}

/// Why a method refused.
#[derive(Debug)]
pub struct Refusal {
    pub code: String,
    /// More members of the answer.
    details: Value,
    /// Seconds to wait; then the answer is 429.
    pub wait: Option<u64>,
}

impl Refusal {
    pub fn code(code: &str) -> Self {
        Self::with(code, json!({}))
    }

    pub fn with(code: &str, details: Value) -> Self {
        Self { code: code.to_owned(), details, wait: None }
    }

    pub fn errors(code: &str, errors: &[String]) -> Self {
        let messages: Vec<String> = errors.iter().map(|error| format!("[ERROR] {error}")).collect();
        Self::with(code, json!({"response_metadata": {"messages": messages}}))
    }

    pub fn answer(self) -> Value {
        let mut answer = self.details;
        answer["ok"] = json!(false);
        answer["error"] = json!(self.code);
        answer
    }
}

impl State {
    pub fn run(&mut self, method: &str, arguments: &Value) -> Result<Value, Refusal> {
        match method {
            "auth.test" => Ok(json!({
                "ok": true, "url": "https://fake.slack.com/", "team": "Fake", "user": "clew",
                "team_id": "T0FAKE", "user_id": BOT, "bot_id": "B0CLEW",
            })),
            "chat.postMessage" => self.post(arguments),
            "chat.update" => self.update(arguments),
            "conversations.info" => self.info(arguments),
            "conversations.history" => self.history(arguments),
            _ => self.replies(arguments),
        }
    }

    /// Keeps a message under a new id.
    pub fn keep(&mut self, channel: &str, message: SlackMessage) -> String {
        self.written += 1;
        let ts = format!("{}.{:06}", 1_700_000_000 + self.written, 100 + self.written);
        if let Some(channel) = self.channels.get_mut(channel) {
            channel.messages.push(SlackMessage { ts: ts.clone(), ..message });
        }
        ts
    }

    fn channel(&mut self, arguments: &Value) -> Result<(&str, &mut Channel), Refusal> {
        let id = string(arguments, "channel");
        let found = self.channels.iter_mut().find(|(known, _)| *known == id);
        found.map(|(id, channel)| (id.as_str(), channel)).ok_or_else(|| Refusal::code("channel_not_found"))
    }

    fn joined(&mut self, arguments: &Value) -> Result<(&str, &mut Channel), Refusal> {
        let found = self.channel(arguments)?;
        if found.1.member { Ok(found) } else { Err(Refusal::code("not_in_channel")) }
    }

    fn post(&mut self, arguments: &Value) -> Result<Value, Refusal> {
        let pace = self.pace;
        let (id, channel) = self.joined(arguments)?;
        let id = id.to_owned();
        let (text, blocks) = content(arguments)?;
        let metadata = metadata(arguments)?;
        let thread = arguments["thread_ts"].as_str().map(str::to_owned);
        if let Some(thread) = &thread {
            let root = channel.messages.iter().find(|message| message.ts == *thread);
            match root {
                None => return Err(Refusal::code("thread_not_found")),
                Some(root) if root.thread_ts.is_some() => return Err(Refusal::code("cannot_reply_to_message")),
                Some(_) => {}
            }
        }
        if pace && channel.posted.is_some_and(|last| last.elapsed() < Duration::from_secs(1)) {
            return Err(Refusal { wait: Some(1), ..Refusal::code("ratelimited") });
        }
        channel.posted = Some(Instant::now());
        let message = SlackMessage {
            ts: String::new(),
            thread_ts: thread,
            user: BOT.to_owned(),
            text,
            blocks,
            metadata,
            edits: 0,
        };
        let ts = self.keep(&id, message.clone());
        let shown = listed(&SlackMessage { ts: ts.clone(), ..message }, true);
        Ok(json!({"ok": true, "channel": id, "ts": ts, "message": shown}))
    }

    fn update(&mut self, arguments: &Value) -> Result<Value, Refusal> {
        let (id, channel) = self.joined(arguments)?;
        let id = id.to_owned();
        let (text, blocks) = content(arguments)?;
        let ts = string(arguments, "ts");
        let message = channel.messages.iter_mut().find(|message| message.ts == ts);
        let message = message.ok_or_else(|| Refusal::code("message_not_found"))?;
        if message.user != BOT {
            return Err(Refusal::code("cant_update_message"));
        }
        (message.text, message.blocks) = (text, blocks);
        // Metadata that is not sent stays.
        if !arguments["metadata"].is_null() {
            message.metadata = metadata(arguments)?;
        }
        message.edits += 1;
        Ok(json!({"ok": true, "channel": id, "ts": ts, "text": message.text, "message": listed(message, true)}))
    }

    fn info(&mut self, arguments: &Value) -> Result<Value, Refusal> {
        let (id, channel) = self.channel(arguments)?;
        Ok(json!({"ok": true, "channel": {
            "id": id, "name": channel.name, "is_channel": true, "is_member": channel.member, "is_archived": false,
        }}))
    }

    fn history(&mut self, arguments: &Value) -> Result<Value, Refusal> {
        let (_, channel) = self.joined(arguments)?;
        let newest_first = channel.messages.iter().rev().filter(|message| message.thread_ts.is_none());
        page(&newest_first.collect::<Vec<_>>(), arguments)
    }

    fn replies(&mut self, arguments: &Value) -> Result<Value, Refusal> {
        let (_, channel) = self.joined(arguments)?;
        let root = string(arguments, "ts");
        let in_thread = |message: &&SlackMessage| message.ts == root || message.thread_ts.as_deref() == Some(root);
        let messages: Vec<_> = channel.messages.iter().filter(in_thread).collect();
        if messages.first().is_none_or(|first| first.ts != root) {
            return Err(Refusal::code("thread_not_found"));
        }
        page(&messages, arguments)
    }
}

/// Text and blocks, checked.
fn content(arguments: &Value) -> Result<(String, Value), Refusal> {
    let text = string(arguments, "text").to_owned();
    if text.trim().is_empty() {
        return Err(Refusal::code("no_text"));
    }
    if text.encode_utf16().count() > TEXT {
        return Err(Refusal::code("msg_too_long"));
    }
    let blocks = if arguments["blocks"].is_null() { json!([]) } else { arguments["blocks"].clone() };
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

fn string<'a>(arguments: &'a Value, name: &str) -> &'a str {
    arguments[name].as_str().unwrap_or("")
}

/// A page of messages; the cursor is the place in the list.
fn page(messages: &[&SlackMessage], arguments: &Value) -> Result<Value, Refusal> {
    let limit = match string(arguments, "limit") {
        "" => 100,
        limit => limit
            .parse()
            .ok()
            .filter(|limit| (1..1_000).contains(limit))
            .ok_or_else(|| Refusal::code("invalid_limit"))?,
    };
    let start: usize = match string(arguments, "cursor") {
        "" => 0,
        cursor => {
            cursor.strip_prefix("next-").and_then(|n| n.parse().ok()).ok_or_else(|| Refusal::code("invalid_cursor"))?
        }
    };
    let with_metadata = string(arguments, "include_all_metadata") == "true";
    let some: Vec<Value> =
        messages.iter().skip(start).take(limit).map(|message| listed(message, with_metadata)).collect();
    let end = start + some.len();
    let more = end < messages.len();
    let cursor = if more { format!("next-{end}") } else { String::new() };
    Ok(json!({"ok": true, "messages": some, "has_more": more, "response_metadata": {"next_cursor": cursor}}))
}

fn listed(message: &SlackMessage, with_metadata: bool) -> Value {
    let mut listed = json!({
        "type": "message", "user": message.user, "ts": message.ts, "text": message.text, "blocks": message.blocks,
    });
    if message.user == BOT {
        listed["bot_id"] = json!("B0CLEW");
    }
    if let Some(thread) = &message.thread_ts {
        listed["thread_ts"] = json!(thread);
    }
    if with_metadata && !message.metadata.is_null() {
        listed["metadata"] = message.metadata.clone();
    }
    listed
}
