//! Answers to what people did: in the acknowledgement, or later at the response address.

use std::time::Duration;

use serde_json::{Value, json};

use super::envelopes::Delivered;
use super::message::SlackMessage;
use super::methods::{own, string, text_or_blocks};
use super::refusal::Refusal;
use super::state::{Issued, State};
use crate::fakes::server::Reply;

/// How often and how long a response address can be used.
const USES: usize = 5;
const LIFE: Duration = Duration::from_mins(30);

/// A response address.
#[derive(Debug)]
pub struct ResponseUrl {
    channel: String,
    user: String,
    /// The message that was acted on.
    message: Option<String>,
    issued: Issued,
    uses: usize,
}

impl State {
    /// A new response address: where this person is answered.
    pub fn response_url(&mut self, channel: &str, user: &str, message: Option<&str>) -> String {
        let (id, issued) = (self.mint("response"), self.issue());
        let url = format!("http://{}/response/{id}", self.address);
        let (channel, user, message) = (channel.to_owned(), user.to_owned(), message.map(str::to_owned));
        self.responses.insert(id, ResponseUrl { channel, user, message, issued, uses: 0 });
        url
    }

    /// Something is posted to a response address.
    pub fn respond(&mut self, arguments: Option<&Value>) -> Result<Reply, Refusal> {
        let no = |code: &str, status| Err(Refusal::code(code).status(status));
        let Some(arguments) = arguments else { return no("invalid_payload", 400) };
        let Some(response) = self.responses.get(string(arguments, "id")) else { return no("invalid_url", 404) };
        if self.age(response.issued) > LIFE {
            return no("expired_url", 404);
        }
        if response.uses >= USES {
            return no("used_url", 404);
        }
        let (channel, user) = (response.channel.clone(), response.user.clone());
        let original = response.message.clone().unwrap_or_default();
        if arguments["delete_original"] == true {
            self.forget(&channel, &user, &original);
        } else {
            let (text, blocks) = text_or_blocks(arguments).map_err(|refusal| refusal.status(400))?;
            if arguments["replace_original"] == true {
                self.rewrite(&channel, &user, &original, text, blocks);
            } else {
                self.tell(&channel, &user, arguments, text, blocks);
            }
        }
        if let Some(response) = self.responses.get_mut(string(arguments, "id")) {
            response.uses += 1;
        }
        Ok(Reply::typed(200, "text/html; charset=utf-8", "ok".to_owned()))
    }

    /// What an acknowledgement says is shown to the person.
    pub fn take_answer(&mut self, delivered: &Delivered) {
        let payload = &delivered.payload;
        if delivered.kind == "slash_commands" {
            let answer = match &delivered.answer {
                Value::String(text) => json!({"text": text}),
                answer => answer.clone(),
            };
            // What Slack does not take, it does not show.
            if let Ok((text, blocks)) = text_or_blocks(&answer) {
                self.tell(string(payload, "channel_id"), string(payload, "user_id"), &answer, text, blocks);
            }
        } else if payload["type"] == "view_submission" {
            self.after_submission(payload, &delivered.answer);
        }
    }

    /// Tells the person alone, or the whole channel.
    fn tell(&mut self, channel: &str, user: &str, answer: &Value, text: String, blocks: Value) {
        let thread_ts = answer["thread_ts"].as_str().map(str::to_owned);
        let message = SlackMessage { thread_ts, text, blocks, ..own() };
        if answer["response_type"] == "in_channel" {
            let ts = self.keep(channel, message);
            self.emit_own(channel, &ts);
        } else {
            self.keep_whisper(channel, user, message);
        }
    }

    /// The message that was acted on reads otherwise now; it may be one that only this person sees.
    fn rewrite(&mut self, channel: &str, user: &str, ts: &str, text: String, blocks: Value) {
        let seen = self.channels.get_mut(channel).and_then(|channel| channel.ephemerals.get_mut(user));
        if let Some(message) = seen.into_iter().flatten().find(|message| message.ts == ts) {
            (message.text, message.blocks, message.edits) = (text, blocks, message.edits + 1);
            return;
        }
        self.change(channel, ts, |message| (message.text, message.blocks) = (text, blocks));
    }

    fn forget(&mut self, channel: &str, user: &str, ts: &str) {
        if let Some(seen) = self.channels.get_mut(channel).and_then(|channel| channel.ephemerals.get_mut(user)) {
            seen.retain(|message| message.ts != ts);
        }
        self.remove(channel, ts);
    }
}
