//! Answers to interactions: the first one, and those that follow with the token.

use serde_json::{Value, json};

use super::interactions::{COMMAND, COMPONENT, LIFE, PATIENCE, Pending, SUBMIT};
use super::message::{Draft, EPHEMERAL, LOADING};
use super::messages::{is_empty, would_be_empty};
use super::modals::Form;
use super::refusal::{Refusal, document, nothing};
use super::routes::Asked;
use super::state::State;
use super::{APP_ID, BOT_USER, GUILD};
use crate::fakes::server::Reply;

/// Types of answers, as Discord numbers them.
const MESSAGE: u64 = 4;
const THINKING: u64 = 5;
const LATER: u64 = 6;
const UPDATE: u64 = 7;
const MODAL: u64 = 9;

impl State {
    /// `POST /interactions/{}/{}/callback`. Returns what is told with `with_response`.
    pub fn callback(&mut self, id: &str, token: &str, body: &Value) -> Result<Value, Refusal> {
        let now = self.now();
        let at = self.interactions.iter().position(|pending| pending.id == id && pending.token == token);
        let at = at.ok_or_else(|| Refusal::code(10_062))?;
        let pending = &self.interactions[at];
        if pending.answer.is_some() {
            return Err(Refusal::code(40_060));
        }
        if pending.refused || now.saturating_sub(pending.begun) > PATIENCE {
            return Err(Refusal::code(10_062));
        }
        let (answer, data) = (body["type"].as_u64().unwrap_or(0), &body["data"]);
        if !fits(pending, answer) {
            let message = format!("Value must be one of the types that answer interactions of type {}.", pending.kind);
            return Err(Refusal::field("type", "BASE_TYPE_CHOICES", &message));
        }
        if answer == MESSAGE && is_empty(data) {
            return Err(Refusal::code(50_006));
        }
        self.take(at, answer, data)?;
        let after = now.saturating_sub(self.interactions[at].begun);
        let pending = &mut self.interactions[at];
        (pending.answer, pending.after) = (Some(answer), after);
        let (id, user) = (pending.id.clone(), pending.user.clone());
        // A form closes once what was sent with it is answered, unless the answer is a form.
        if self.forms.get(&user).is_some_and(|form| form.submitted.as_ref() == Some(&id)) {
            self.forms.remove(&user);
        }
        Ok(self.response(at, answer))
    }

    fn take(&mut self, at: usize, answer: u64, data: &Value) -> Result<(), Refusal> {
        let pending = &self.interactions[at];
        let (channel, source) = (pending.channel.clone(), pending.source.clone());
        match answer {
            MESSAGE | THINKING => {
                let mut draft = self.answer_draft(at, data);
                if answer == THINKING {
                    draft.flags |= LOADING;
                }
                let empty = json!({});
                let id = self.write(&channel, draft, if answer == THINKING { &empty } else { data }, &Value::Null);
                self.wrote(at, &id);
                self.interactions[at].original = Some(id);
            }
            LATER => self.interactions[at].original = source,
            UPDATE => {
                let source = source.unwrap_or_default();
                let kept = self.channels.get(&channel).and_then(|channel| channel.message(&source));
                let kept = kept.ok_or_else(|| Refusal::code(10_008))?;
                if would_be_empty(kept, data) {
                    return Err(Refusal::code(50_006));
                }
                self.rewrite(&channel, &source, data);
                self.interactions[at].original = Some(source);
            }
            _ => {
                let user = pending.user.clone();
                self.forms.insert(user, Form { modal: data.clone(), channel, source, submitted: None });
            }
        }
        Ok(())
    }

    /// A message that answers an interaction.
    fn answer_draft(&self, at: usize, data: &Value) -> Draft {
        let pending = &self.interactions[at];
        let flags = data["flags"].as_u64().unwrap_or(0) & EPHEMERAL;
        let mut draft = self.draft(BOT_USER);
        draft.flags = flags;
        draft.only_for = (flags != 0).then(|| pending.user.clone());
        (draft.webhook, draft.application) = (Some(APP_ID.to_owned()), Some(APP_ID.to_owned()));
        draft.interaction = Some(json!({
            "id": pending.id, "type": pending.kind, "user": self.user_object(&pending.user),
            "authorizing_integration_owners": pending.payload["authorizing_integration_owners"],
        }));
        let points_to = pending.original.as_ref().or(pending.source.as_ref());
        let command = &pending.payload["data"]["type"];
        draft.kind = match (pending.kind, points_to) {
            (COMMAND, None) if *command == super::commands::OF_MESSAGE => 23,
            (COMMAND, None) => 20,
            (_, Some(_)) => 19,
            _ => 0,
        };
        draft.reference = points_to.map(|message| {
            let mut reference = json!({"type": 0, "channel_id": pending.channel, "message_id": message});
            if pending.payload["guild_id"].is_string() {
                reference["guild_id"] = json!(GUILD);
            }
            reference
        });
        draft
    }

    fn wrote(&mut self, at: usize, id: &str) {
        self.interactions[at].written.push(id.to_owned());
    }

    fn response(&self, at: usize, answer: u64) -> Value {
        let pending = &self.interactions[at];
        let message = pending.original.as_deref().and_then(|id| self.place_of(id)).filter(|_| answer != LATER);
        let mut told = json!({
            "interaction": {"id": pending.id, "type": pending.kind, "channel_id": pending.channel},
            "resource": {"type": answer},
        });
        if let Some((channel, kept)) = message {
            told["interaction"]["response_message_id"] = json!(kept.id());
            told["interaction"]["response_message_loading"] = json!(kept.has(LOADING));
            told["interaction"]["response_message_ephemeral"] = json!(kept.has(EPHEMERAL));
            told["resource"]["message"] = self.told(channel, kept);
        }
        told
    }

    /// What is asked with the token of an interaction.
    pub fn of_webhook(&mut self, asked: &Asked) -> Result<Reply, Refusal> {
        let now = self.now();
        let at = self.interactions.iter().position(|pending| pending.token == asked.id(1));
        let at = at.filter(|_| asked.id(0) == APP_ID).ok_or_else(|| Refusal::code(10_015))?;
        let pending = &self.interactions[at];
        if now.saturating_sub(pending.begun) > LIFE {
            return Err(Refusal::code(50_027));
        }
        // There is no such webhook before the first answer.
        if pending.answer.is_none() {
            return Err(Refusal::code(10_015));
        }
        let body = asked.document();
        let channel = pending.channel.clone();
        if asked.route == "POST webhooks/{}/{}" {
            return self.follow_up(at, body).map(|told| document(200, &told));
        }
        let original = asked.route.ends_with("@original").then(|| pending.original.clone()).flatten();
        let named = pending.written.iter().chain(&pending.original).find(|id| *id == asked.id(2)).cloned();
        let id = original.or(named).ok_or_else(|| Refusal::code(10_008))?;
        let kept = self.channels.get(&channel).and_then(|channel| channel.message(&id));
        let kept = kept.ok_or_else(|| Refusal::code(10_008))?;
        match asked.route.split_once(' ').map(|(method, _)| method) {
            Some("PATCH") if would_be_empty(kept, body) => return Err(Refusal::code(50_006)),
            Some("PATCH") => self.rewrite(&channel, &id, body),
            Some("DELETE") => {
                self.erase(&channel, &id);
                return Ok(nothing());
            }
            _ => {}
        }
        self.one_message_of_own(&channel, &id).map(|told| document(200, &told))
    }

    fn follow_up(&mut self, at: usize, body: &Value) -> Result<Value, Refusal> {
        if is_empty(body) {
            return Err(Refusal::code(50_006));
        }
        let pending = &self.interactions[at];
        let channel = pending.channel.clone();
        let loading =
            pending.original.as_deref().and_then(|id| self.place_of(id)).filter(|(_, kept)| kept.has(LOADING));
        // The first message after "thinking" takes its place, and is seen by whom "thinking" was seen.
        if let Some(id) = loading.map(|(_, kept)| kept.id().to_owned()) {
            self.rewrite(&channel, &id, body);
            return self.one_message_of_own(&channel, &id);
        }
        let draft = self.answer_draft(at, body);
        let id = self.write(&channel, draft, body, &Value::Null);
        self.wrote(at, &id);
        self.one_message_of_own(&channel, &id)
    }
}

/// Whether an answer of this type can be given to the interaction.
fn fits(pending: &Pending, answer: u64) -> bool {
    match pending.kind {
        COMMAND => matches!(answer, MESSAGE | THINKING | MODAL),
        COMPONENT => matches!(answer, MESSAGE | THINKING | LATER | UPDATE | MODAL),
        SUBMIT if pending.source.is_some() => matches!(answer, MESSAGE | THINKING | LATER | UPDATE),
        _ => matches!(answer, MESSAGE | THINKING),
    }
}
