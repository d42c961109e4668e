//! What Jira's webhook delivers. It only says which ticket changed; how it is now, Jira says when it is asked.

use serde_json::Value;
use sha2::{Digest, Sha256};

use super::NAME;
use super::answers::is_key;
use crate::signature::is_hmac;
use crate::trackers::{Delivered, News, Received};

/// Events that change a ticket.
const EVENTS: [&str; 6] = [
    "jira:issue_created",
    "jira:issue_updated",
    "jira:issue_deleted",
    "comment_created",
    "comment_updated",
    "comment_deleted",
];
/// Longest name of a delivery.
const LONGEST: usize = 200;

/// Reads a delivery. `header` gives the value of a header by its lower-case name, `secret` is what deliveries are signed with.
pub fn parse(header: &dyn Fn(&str) -> Option<String>, body: &[u8], secret: Option<&str>) -> Received {
    let secret = secret.filter(|secret| !secret.is_empty());
    if let Some(secret) = secret {
        let Some(signature) = header("x-hub-signature") else {
            return Received::Refused(
                "the delivery is not signed: give the webhook in Jira the secret that is in jira.webhook_secret".into(),
            );
        };
        if !is_hmac(secret.as_bytes(), &[body], "sha256=", &signature) {
            return Received::Refused(
                "the signature does not fit: is jira.webhook_secret the secret of the webhook in Jira?".into(),
            );
        }
    }
    let Ok(Value::Object(payload)) = serde_json::from_slice::<Value>(body) else {
        return Received::Unreadable("the body is no JSON object, so it is no delivery of Jira's".into());
    };
    let payload = Value::Object(payload);
    let identifier = header("x-atlassian-webhook-identifier").map(|key| key.trim().to_owned());
    let key = identifier
        .filter(|key| (1..=LONGEST).contains(&key.len()) && key.chars().all(|c| c.is_ascii_graphic()))
        .unwrap_or_else(|| Sha256::digest(body).iter().map(|byte| format!("{byte:02x}")).collect());
    let delivered = Delivered { key, news: news(&payload) };
    if secret.is_some() { Received::Delivered(delivered) } else { Received::Unsigned(delivered) }
}

fn news(payload: &Value) -> Vec<News> {
    if !payload["webhookEvent"].as_str().is_some_and(|event| EVENTS.contains(&event)) {
        return Vec::new();
    }
    // A ticket that moved to another project is known here by the key that it had.
    let changes = payload["changelog"]["items"].as_array().into_iter().flatten();
    let before = changes.filter(|change| change["field"] == "Key").filter_map(|change| change["fromString"].as_str());
    let mut keys: Vec<&str> = payload["issue"]["key"].as_str().into_iter().chain(before).collect();
    keys.retain(|key| is_key(key));
    keys.dedup();
    keys.into_iter().map(|key| News::Ticket { tracker: NAME.to_owned(), key: key.to_owned() }).collect()
}
