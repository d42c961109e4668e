//! Messages over the REST API.

use std::time::Duration;

use serde_json::{Value, json};

use super::limits::list;
use super::message::Kept;
use super::permissions::{EMBED, HISTORY, MANAGE_MESSAGES, MANAGE_THREADS};
use super::refusal::Refusal;
use super::state::State;
use super::{BOT_USER, GUILD};
use crate::fakes::server::Request;

/// How long a nonce is remembered; the documentation says "the past few minutes".
const REMEMBERED: Duration = Duration::from_mins(3);
/// How many messages are listed when nothing is said, and at most.
const LISTED: usize = 50;
const MOST_LISTED: usize = 100;

/// A message that was made with a nonce which is to be used once.
#[derive(Debug)]
pub struct Once {
    nonce: Value,
    channel: String,
    message: String,
    at: Duration,
}

impl State {
    /// `POST /channels/{}/messages`
    pub fn create_message(&mut self, channel: &str, body: &Value) -> Result<Value, Refusal> {
        self.need(channel, 0)?;
        self.need_to_send(channel)?;
        if !list(&body["embeds"]).is_empty() {
            self.need(channel, EMBED)?;
        }
        if is_empty(body) {
            return Err(Refusal::code(50_006));
        }
        let nonce = &body["nonce"];
        let before = if body["enforce_nonce"] == true { self.made_with(nonce) } else { None };
        if let Some((channel, message)) = before {
            let kept = self.channels.get(&channel).and_then(|channel| channel.message(&message));
            return Ok(self.with_nonce(&channel, kept, nonce));
        }
        let reference = self.reference(channel, &body["message_reference"])?;
        self.open_again(channel)?;
        let mut draft = self.draft(BOT_USER);
        draft.kind = if reference.is_some() { 19 } else { 0 };
        draft.reference = reference;
        let id = self.write(channel, draft, body, nonce);
        if !nonce.is_null() {
            let (nonce, at) = (nonce.clone(), self.now());
            self.nonces.push(Once { nonce, channel: channel.to_owned(), message: id.clone(), at });
        }
        let kept = self.channels.get(channel).and_then(|channel| channel.message(&id));
        Ok(self.with_nonce(channel, kept, nonce))
    }

    /// Where the message is that was made with this nonce lately.
    fn made_with(&self, nonce: &Value) -> Option<(String, String)> {
        let now = self.now();
        // A number and its digits are the same nonce.
        let same = |other: &Value| other.to_string().trim_matches('"') == nonce.to_string().trim_matches('"');
        let lately = |once: &&Once| same(&once.nonce) && now.saturating_sub(once.at) < REMEMBERED;
        let once = self.nonces.iter().rev().find(lately)?;
        let there = self.channels.get(&once.channel)?.message(&once.message).is_some();
        there.then(|| (once.channel.clone(), once.message.clone()))
    }

    fn with_nonce(&self, channel: &str, kept: Option<&Kept>, nonce: &Value) -> Value {
        let mut told = kept.map_or(Value::Null, |kept| self.told(channel, kept));
        if !nonce.is_null() {
            told["nonce"] = nonce.clone();
        }
        told
    }

    /// The message that a new one answers, as it is told of.
    fn reference(&self, channel: &str, reference: &Value) -> Result<Option<Value>, Refusal> {
        if reference.is_null() {
            return Ok(None);
        }
        if self.granted(channel) & HISTORY == 0 {
            return Err(Refusal::code(160_002));
        }
        let id = id_of(&reference["message_id"]);
        let named = id_of(&reference["channel_id"]);
        let there = self.channels.get(channel).and_then(|channel| channel.message(&id)).is_some_and(Kept::is_public);
        if there && (named.is_empty() || named == channel) {
            let mut told = json!({"type": 0, "channel_id": channel, "message_id": id});
            if self.channels.get(channel).is_some_and(|channel| !channel.is_direct()) {
                told["guild_id"] = json!(GUILD);
            }
            return Ok(Some(told));
        }
        if reference["fail_if_not_exists"] == false {
            return Ok(None);
        }
        Err(Refusal::field("message_reference", "REPLIES_UNKNOWN_MESSAGE", "Unknown message"))
    }

    /// Who writes into an archived thread opens it again, unless it is locked.
    fn open_again(&mut self, channel: &str) -> Result<(), Refusal> {
        let may_manage = self.granted(channel) & MANAGE_THREADS != 0;
        let Some(held) = self.channels.get_mut(channel).filter(|channel| channel.archived) else { return Ok(()) };
        if held.locked && !may_manage {
            return Err(Refusal::code(50_083));
        }
        held.archived = false;
        self.emit_channel("THREAD_UPDATE", channel);
        Ok(())
    }

    /// `GET /channels/{}/messages`
    pub fn history(&self, channel: &str, request: &Request) -> Result<Value, Refusal> {
        self.need(channel, 0)?;
        let said = |name: &str| request.query.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str());
        let number = |name: &str| match said(name) {
            None => Ok(None),
            Some(text) => text.parse::<u64>().map(Some).map_err(|_| {
                let message = format!("Value \"{text}\" is not snowflake.");
                Refusal::field(name, "NUMBER_TYPE_COERCE", &message)
            }),
        };
        let limit = number("limit")?.map_or(LISTED, |limit| usize::try_from(limit).unwrap_or(usize::MAX));
        if !(1..=MOST_LISTED).contains(&limit) {
            let message = "int value should be between 1 and 100.";
            return Err(Refusal::field("limit", "NUMBER_TYPE_MAX", message));
        }
        // Who may not read what was said before is told that nothing was.
        if self.granted(channel) & HISTORY == 0 {
            return Ok(json!([]));
        }
        let held = self.channels.get(channel).ok_or_else(|| Refusal::code(10_003))?;
        let place = |kept: &Kept| kept.id().parse::<u64>().unwrap_or(0);
        let all: Vec<&Kept> = held.messages.iter().filter(|kept| kept.is_public()).collect();
        let before = |id: u64| all.iter().rev().filter(move |kept| place(kept) < id).take(limit).copied();
        let after = |id: u64, limit: usize| all.iter().filter(move |kept| place(kept) > id).take(limit).copied();
        let mut found: Vec<&Kept> = match (number("before")?, number("after")?, number("around")?) {
            (Some(id), ..) => before(id).collect(),
            (_, Some(id), _) => after(id, limit).collect(),
            (.., Some(id)) => {
                let earlier = before(id).take(limit / 2).chain(all.iter().copied().filter(|kept| place(kept) == id));
                earlier.chain(after(id, limit / 2)).collect()
            }
            _ => before(u64::MAX).collect(),
        };
        found.sort_by_key(|kept| std::cmp::Reverse(place(kept)));
        Ok(found.into_iter().map(|kept| self.for_bot(channel, self.told(channel, kept))).collect())
    }

    /// `GET /channels/{}/messages/{}`
    pub fn one_message(&self, channel: &str, id: &str) -> Result<Value, Refusal> {
        self.need(channel, HISTORY)?;
        let kept = self.seen(channel, id)?;
        Ok(self.for_bot(channel, self.told(channel, kept)))
    }

    /// A message that is there for everybody.
    fn seen(&self, channel: &str, id: &str) -> Result<&Kept, Refusal> {
        let held = self.channels.get(channel).ok_or_else(|| Refusal::code(10_003))?;
        held.message(id).filter(|kept| kept.is_public()).ok_or_else(|| Refusal::code(10_008))
    }

    /// `PATCH /channels/{}/messages/{}`
    pub fn edit_message(&mut self, channel: &str, id: &str, body: &Value) -> Result<Value, Refusal> {
        self.need(channel, 0)?;
        let kept = self.seen(channel, id)?;
        if kept.author() != BOT_USER {
            return Err(Refusal::code(50_005));
        }
        if self.channels.get(channel).is_some_and(|channel| channel.archived) {
            return Err(Refusal::code(50_083));
        }
        if !list(&body["embeds"]).is_empty() {
            self.need(channel, EMBED)?;
        }
        if would_be_empty(kept, body) {
            return Err(Refusal::code(50_006));
        }
        self.rewrite(channel, id, body);
        self.one_message_of_own(channel, id)
    }

    /// A message that was just written or changed, whoever sees it.
    pub fn one_message_of_own(&self, channel: &str, id: &str) -> Result<Value, Refusal> {
        let kept = self.channels.get(channel).and_then(|channel| channel.message(id));
        kept.map(|kept| self.told(channel, kept)).ok_or_else(|| Refusal::code(10_008))
    }

    /// `DELETE /channels/{}/messages/{}`
    pub fn delete_message(&mut self, channel: &str, id: &str) -> Result<(), Refusal> {
        self.need(channel, 0)?;
        if self.seen(channel, id)?.author() != BOT_USER {
            self.need(channel, MANAGE_MESSAGES)?;
        }
        self.erase(channel, id);
        Ok(())
    }
}

/// Whether a body says nothing.
pub fn is_empty(body: &Value) -> bool {
    let nothing = |name: &str| list(&body[name]).is_empty();
    let silent = body["content"].as_str().unwrap_or("").trim().is_empty();
    silent && ["embeds", "components", "uploads", "sticker_ids"].iter().all(|name| nothing(name))
}

/// Whether a message says nothing any more once it is changed so.
pub fn would_be_empty(kept: &Kept, body: &Value) -> bool {
    let mut after = kept.raw.clone();
    for name in ["content", "embeds", "components", "attachments"] {
        if let Some(value) = body.get(name) {
            after[name] = value.clone();
        }
    }
    after["uploads"] = body["uploads"].clone();
    is_empty(&after) && list(&after["attachments"]).is_empty()
}

/// An id, which may be written as a number.
pub fn id_of(value: &Value) -> String {
    value.as_str().map_or_else(|| value.as_u64().map_or_else(String::new, |id| id.to_string()), str::to_owned)
}
