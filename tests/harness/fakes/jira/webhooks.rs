//! What Jira tells of by webhook.

use hmac::{Hmac, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

use super::state::{Comment, Issue, State, now};
use super::{FakeJira, Flavour, Version};
use crate::{Answer, Failure};

/// What is delivered to the bot.
#[derive(Debug, Clone, PartialEq)]
pub struct JiraEvent {
    /// `jira:issue_created`, `jira:issue_updated`, `jira:issue_deleted`, `comment_created`.
    pub kind: String,
    /// The issue that it is about.
    pub key: String,
    /// Tells it from all others, however often it is delivered.
    pub identifier: String,
    /// The body.
    pub payload: Value,
}

/// What happened to an issue.
pub enum Happened<'a> {
    Created,
    /// It was like this before.
    Changed(&'a Issue),
    Deleted,
}

/// Signs a body as Jira does: what stands in `X-Hub-Signature`.
#[must_use]
pub fn sign(secret: &str, body: &str) -> String {
    // A key of any length will do.
    let signature = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).map(|mut mac| {
        mac.update(body.as_bytes());
        mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect::<String>()
    });
    format!("sha256={}", signature.unwrap_or_default())
}

impl State {
    /// Notes what is to be delivered.
    pub fn happened(&mut self, issue: &Issue, what: &Happened<'_>, by: &str) {
        match what {
            Happened::Created => {
                self.tell("jira:issue_created", issue, by, json!({"issue_event_type_name": "issue_created"}));
            }
            Happened::Deleted => self.tell("jira:issue_deleted", issue, by, json!({})),
            Happened::Changed(before) => {
                let items = changes(before, issue);
                if !items.is_empty() {
                    let changelog = json!({"id": issue.updated.to_string(), "items": items});
                    let kind = if before.assignee == issue.assignee { "issue_generic" } else { "issue_assigned" };
                    let more = json!({"issue_event_type_name": kind, "changelog": changelog});
                    self.tell("jira:issue_updated", issue, by, more);
                }
                for comment in issue.comments.iter().skip(before.comments.len()) {
                    self.commented(issue, comment, by);
                }
            }
        }
    }

    fn commented(&mut self, issue: &Issue, comment: &Comment, by: &str) {
        let shown = self.shown_comment(issue, comment, Version::Two, false);
        if self.flavour == Flavour::Server {
            let more = json!({"issue_event_type_name": "issue_commented", "comment": shown});
            self.tell("jira:issue_updated", issue, by, more);
        }
        self.tell("comment_created", issue, by, json!({"comment": shown, "eventType": "primaryAction"}));
    }

    fn tell(&mut self, kind: &str, issue: &Issue, by: &str, more: Value) {
        let mut payload = json!({"timestamp": now(), "webhookEvent": kind});
        payload["issue"] = json!({
            "id": issue.id.to_string(),
            "self": self.address_of(issue, Version::Two),
            "key": issue.key,
            "fields": self.shown_fields(issue, Version::Two),
        });
        if let Value::Object(more) = more {
            more.into_iter().for_each(|(name, value)| payload[name.as_str()] = value);
        }
        if kind == "comment_created" {
            // Of the issue only the essentials are told.
            if let Some(fields) = payload["issue"]["fields"].as_object_mut() {
                fields.retain(|name, _| {
                    ["summary", "issuetype", "project", "assignee", "priority", "status"].contains(&name.as_str())
                });
            }
        } else {
            payload["user"] = self.shown_user(by);
        }
        let number = self.events.len();
        let identifier = format!("c1e00000-0000-4000-8000-{number:012x}");
        self.events.push(JiraEvent { kind: kind.to_owned(), key: issue.key.clone(), identifier, payload });
    }
}

fn changes(before: &Issue, after: &Issue) -> Vec<Value> {
    let item = |field: &str, from: Option<&str>, to: Option<&str>| json!({"field": field, "fieldtype": "jira", "fieldId": field, "from": from, "fromString": from, "to": to, "toString": to});
    let mut items = Vec::new();
    let mut compare = |field: &str, from: Option<&str>, to: Option<&str>| {
        if from != to {
            items.push(item(field, from, to));
        }
    };
    compare("status", Some(&before.status), Some(&after.status));
    compare("resolution", before.resolution.as_deref(), after.resolution.as_deref());
    compare("assignee", before.assignee.as_deref(), after.assignee.as_deref());
    compare("summary", Some(&before.summary), Some(&after.summary));
    compare("priority", Some(&before.priority), Some(&after.priority));
    compare("issuetype", Some(&before.kind), Some(&after.kind));
    compare("labels", Some(&before.labels.join(" ")), Some(&after.labels.join(" ")));
    let text = |issue: &Issue| issue.description.as_ref().map(super::documents::Text::plain);
    compare("description", text(before).as_deref(), text(after).as_deref());
    items
}

impl FakeJira {
    /// Everything that can be delivered, in the order in which it happened, what the bot did included.
    #[must_use]
    pub fn events(&self) -> Vec<JiraEvent> {
        self.state().events.clone()
    }

    /// The last event of this kind about an issue.
    #[must_use]
    pub fn last_event(&self, kind: &str, key: &str) -> Option<JiraEvent> {
        self.state().events.iter().rev().find(|event| event.kind == kind && event.key == key).cloned()
    }

    /// Delivers an event to the bot at `address`, signed. Delivered again it has the same identifier, as in Jira.
    ///
    /// # Errors
    /// When no answer comes.
    pub fn deliver(&self, address: &str, secret: &str, event: &JiraEvent) -> Result<Answer, Failure> {
        let body = event.payload.to_string();
        let address = address.trim_end_matches('/').trim_start_matches("http://");
        let agent: ureq::Agent =
            ureq::Agent::config_builder().http_status_as_error(false).max_redirects(0).build().into();
        let request = agent
            .post(format!("http://{address}/webhooks/jira"))
            .header("content-type", "application/json; charset=utf-8")
            .header("user-agent", "Atlassian Webhook HTTP Client")
            .header("x-atlassian-webhook-identifier", &event.identifier)
            .header("x-atlassian-webhook-flow", "Primary");
        let request = if secret.is_empty() { request } else { request.header("x-hub-signature", sign(secret, &body)) };
        crate::answer(request.send(body.as_str())?)
    }

    /// Delivers everything that was not delivered by this before, in its order. Returns how much that was.
    ///
    /// # Errors
    /// When no answer comes, or one that is no success.
    pub fn deliver_news(&self, address: &str, secret: &str) -> Result<usize, Failure> {
        let news: Vec<JiraEvent> = {
            let mut state = self.state();
            let news = state.events.get(state.told..).unwrap_or_default().to_vec();
            state.told = state.events.len();
            news
        };
        for event in &news {
            let answer = self.deliver(address, secret, event)?;
            if !(200..300).contains(&answer.status) {
                return Err(format!("{}: {} {}", event.kind, answer.status, answer.text).into());
            }
        }
        Ok(news.len())
    }
}
