//! The webhook of the repository, and what it was told.

use std::collections::VecDeque;

use serde_json::{Value, json};

use super::accounts::{LONG_AGO, REPO_ID};
use super::calls::{Asked, Done};
use super::events::Told;
use super::refusal::Refusal;
use super::state::{State, written};

/// Number of the webhook.
pub const HOOK: u64 = 109_948_940;

/// What became of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// There was no webhook that it could be sent to.
    NotSent,
    /// It is to be sent.
    Waiting,
    /// It came, and this status was the answer.
    Answered(u16),
    /// It did not come. GitHub never tries again by itself.
    Lost,
}

/// A delivery of the webhook.
#[derive(Debug, Clone, PartialEq)]
pub struct Delivery {
    /// Number of this attempt.
    pub id: u64,
    /// `X-GitHub-Delivery`: every attempt has the same.
    pub guid: String,
    /// `X-GitHub-Event`.
    pub event: String,
    /// What happened, as the payload says.
    pub action: Option<String>,
    /// What is told.
    pub payload: Value,
    /// Whether it was sent before.
    pub redelivery: bool,
    /// What became of it.
    pub fate: Fate,
    /// When, in seconds since 1970.
    pub at: i64,
}

/// The webhook, if there is one.
#[derive(Debug, Default)]
pub struct Mail {
    /// Where it leads.
    pub url: Option<String>,
    /// What it signs with.
    pub secret: Option<String>,
    /// Whether it sends forms, as a webhook does whose owner chose nothing.
    pub forms: bool,
    /// Whether nothing comes.
    pub losing: bool,
    pub deliveries: Vec<Delivery>,
    /// Places of those that are to be sent.
    pub outbox: VecDeque<usize>,
    /// One is on its way.
    pub sending: bool,
}

impl State {
    /// Sends what is told, if there is a webhook.
    pub fn send(&mut self, told: Told) {
        let fate = match &self.mail.url {
            Some(_) if self.mail.losing => Fate::Lost,
            Some(_) => Fate::Waiting,
            None => Fate::NotSent,
        };
        let place = self.keep_delivery(told, fate);
        if fate == Fate::Waiting {
            self.mail.outbox.push_back(place);
        }
    }

    /// Keeps a delivery. Returns its place.
    pub fn keep_delivery(&mut self, told: Told, fate: Fate) -> usize {
        let id = self.mint();
        let name = self.mint_sha("delivery");
        let guid = format!("{}-{}-11ef-{}-{}", &name[..8], &name[8..12], &name[12..16], &name[16..28]);
        let (event, action) = (told.event.to_owned(), told.action.map(str::to_owned));
        let (payload, at) = (told.payload, self.now());
        self.mail.deliveries.push(Delivery { id, guid, event, action, payload, redelivery: false, fate, at });
        self.mail.deliveries.len() - 1
    }

    /// Keeps another attempt of a delivery. Returns its place.
    pub fn keep_again(&mut self, delivery: &Delivery) -> usize {
        let (id, at) = (self.mint(), self.now());
        self.mail.deliveries.push(Delivery { id, at, redelivery: true, fate: Fate::Waiting, ..delivery.clone() });
        self.mail.deliveries.len() - 1
    }

    /// The webhook as GitHub shows it.
    pub fn shown_hook(&self) -> Value {
        let url = self.api(&format!("/hooks/{HOOK}"));
        let content_type = if self.mail.forms { "form" } else { "json" };
        let mut config = json!({"content_type": content_type, "url": self.mail.url, "insecure_ssl": "0"});
        if self.mail.secret.is_some() {
            config["secret"] = json!("********");
        }
        json!({
            "type": "Repository", "id": HOOK, "name": "web", "active": true, "events": ["*"], "config": config,
            "updated_at": LONG_AGO, "created_at": LONG_AGO, "url": url, "test_url": format!("{url}/test"),
            "ping_url": format!("{url}/pings"), "deliveries_url": format!("{url}/deliveries"),
            "last_response": {"code": null, "status": "unused", "message": null},
        })
    }

    /// Whether the webhook that is asked for is there, and the token may see it.
    fn hook_asked(&self, asked: &Asked) -> Result<(), Refusal> {
        let named = asked.place("id");
        let there = self.mail.url.is_some() && !self.switches.hooks_hidden;
        if there && (named.is_empty() || named == HOOK.to_string()) { Ok(()) } else { Err(Refusal::not_found()) }
    }

    pub fn list_hooks(&mut self, asked: &Asked) -> Result<Done, Refusal> {
        if self.switches.hooks_hidden {
            return Err(Refusal::not_found());
        }
        let hooks: Vec<Value> = self.mail.url.iter().map(|_| self.shown_hook()).collect();
        Ok(self.page(asked, &hooks, Value::clone))
    }

    pub fn get_hook(&mut self, asked: &Asked) -> Result<Done, Refusal> {
        self.hook_asked(asked)?;
        Ok(Done::ok(&self.shown_hook()))
    }

    /// What was sent, newest first; the next page begins behind the `cursor`.
    pub fn list_deliveries(&mut self, asked: &Asked) -> Result<Done, Refusal> {
        self.hook_asked(asked)?;
        let behind = asked.parameter("cursor").strip_prefix("v1_").and_then(|id| id.parse::<u64>().ok());
        let size = asked.parameter("per_page").parse().unwrap_or(30_usize).clamp(1, 100);
        let wanted = asked.parameter("status");
        let mut found: Vec<(&Delivery, Value)> = self
            .mail
            .deliveries
            .iter()
            .rev()
            .filter(|delivery| behind.is_none_or(|id| delivery.id < id))
            .filter_map(|delivery| shown_delivery(delivery).map(|shown| (delivery, shown)))
            .filter(|(delivery, _)| match wanted {
                "success" => went_well(delivery),
                "failure" => !went_well(delivery),
                _ => true,
            })
            .collect();
        let more = found.len() > size;
        found.truncate(size);
        let last = found.last().filter(|_| more).map(|(delivery, _)| delivery.id);
        let link = last.map(|id| {
            let others = asked.query.iter().filter(|(name, _)| name != "cursor");
            let query = form_urlencoded::Serializer::new(String::new())
                .extend_pairs(others)
                .append_pair("cursor", &format!("v1_{id}"))
                .finish();
            format!("<{}{}?{query}>; rel=\"next\"", self.base, asked.path)
        });
        let shown: Vec<Value> = found.into_iter().map(|(_, shown)| shown).collect();
        Ok(Done { link, ..Done::ok(&json!(shown)) })
    }

    fn delivery_asked(&self, asked: &Asked) -> Result<&Delivery, Refusal> {
        self.hook_asked(asked)?;
        let id = asked.number("delivery")?;
        self.mail.deliveries.iter().find(|delivery| delivery.id == id).ok_or_else(Refusal::not_found)
    }

    pub fn get_delivery(&mut self, asked: &Asked) -> Result<Done, Refusal> {
        let delivery = self.delivery_asked(asked)?;
        let mut shown = shown_delivery(delivery).ok_or_else(Refusal::not_found)?;
        shown["url"] = json!(self.mail.url);
        shown["request"] = json!({
            "headers": {"X-GitHub-Delivery": delivery.guid, "X-GitHub-Event": delivery.event},
            "payload": delivery.payload,
        });
        shown["response"] = json!({"headers": {}, "payload": ""});
        Ok(Done::ok(&shown))
    }

    pub fn attempt_delivery(&mut self, asked: &Asked) -> Result<Done, Refusal> {
        let delivery = self.delivery_asked(asked)?.clone();
        let place = self.keep_again(&delivery);
        if self.mail.losing {
            self.mail.deliveries[place].fate = Fate::Lost;
        } else {
            self.mail.outbox.push_back(place);
        }
        Ok(Done::json(202, &json!({})))
    }
}

fn went_well(delivery: &Delivery) -> bool {
    matches!(delivery.fate, Fate::Answered(200..300))
}

/// A delivery as it is listed; `None` when it was not sent.
fn shown_delivery(delivery: &Delivery) -> Option<Value> {
    let (status, code) = match delivery.fate {
        Fate::NotSent | Fate::Waiting => return None,
        Fate::Answered(code @ 200..300) => ("OK".to_owned(), code),
        Fate::Answered(code) => (format!("Invalid HTTP Response: {code}"), code),
        Fate::Lost => ("failed to connect to host".to_owned(), 502),
    };
    Some(json!({
        "id": delivery.id, "guid": delivery.guid, "delivered_at": written(delivery.at), "redelivery": delivery.redelivery,
        "duration": 0.27, "status": status, "status_code": code, "event": delivery.event, "action": delivery.action,
        "installation_id": null, "repository_id": REPO_ID, "throttled_at": null,
    }))
}
