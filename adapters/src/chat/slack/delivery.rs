//! Deliveries over HTTP, for those who prefer that to sockets: signed by Slack, taken the same way.

use std::collections::BTreeMap;
use std::sync::Arc;

use secrecy::ExposeSecret;
use serde_json::{Value, json};

use super::Inner;
use super::envelope::Kind;
use crate::chat::{Answer, Listener, Request};
use crate::signature::{is_hmac, is_recent};

/// Where Slack delivers.
pub const ADDRESSES: &[&str] = &["/slack/events", "/slack/commands", "/slack/interactions"];

/// Takes a delivery. Nothing when the address is none of [`ADDRESSES`].
pub async fn receive<L: Listener>(slack: &Arc<Inner>, request: Request<'_>, listener: &Arc<L>) -> Option<Answer> {
    let kind = match request.path {
        "/slack/events" => Kind::Event,
        "/slack/commands" => Kind::Command,
        "/slack/interactions" => Kind::Interaction,
        _ => return None,
    };
    if let Err(refused) = prove(slack, &request) {
        return Some(Answer::Refused(refused));
    }
    let Some(payload) = payload(kind, request.body) else {
        return Some(Answer::Unreadable("the body is no delivery of Slack's".into()));
    };
    if payload["type"] == "url_verification" {
        return Some(Answer::Arrived(Some(json!({ "challenge": payload["challenge"] }))));
    }
    Some(match slack.take(kind, payload, listener.as_ref()).await {
        Ok(None) => Answer::Arrived(None),
        Ok(Some(then)) => {
            let (slack, listener) = (Arc::clone(slack), Arc::clone(listener));
            let tasks = slack.tasks.clone();
            tasks.spawn(async move { slack.follow(then, listener.as_ref()).await });
            Answer::Arrived(None)
        }
        Err(error) => Answer::Unkept(error.to_string()),
    })
}

/// Whether Slack signed it, just now.
fn prove(slack: &Inner, request: &Request<'_>) -> Result<(), String> {
    let Some(secret) = &slack.signing_secret else {
        return Err("slack.signing_secret is not set, so nothing can be taken here: set SLACK_SIGNING_SECRET".into());
    };
    let header = |name: &str| (request.header)(name).unwrap_or_default();
    let (timestamp, signature) = (header("x-slack-request-timestamp"), header("x-slack-signature"));
    if !is_recent(&timestamp, request.now) {
        return Err(
            "the timestamp of the request is more than five minutes off: is the clock of this machine right?".into()
        );
    }
    let parts: [&[u8]; 4] = [b"v0:", timestamp.as_bytes(), b":", request.body];
    if is_hmac(secret.expose_secret().as_bytes(), &parts, "v0=", &signature) {
        return Ok(());
    }
    Err("the signature does not fit: is slack.signing_secret the Signing Secret of the app?".into())
}

fn payload(kind: Kind, body: &[u8]) -> Option<Value> {
    let form = || form_urlencoded::parse(body).into_owned().collect::<BTreeMap<String, String>>();
    match kind {
        Kind::Event => serde_json::from_slice(body).ok(),
        Kind::Command => Some(json!(form())),
        Kind::Interaction => serde_json::from_str(form().get("payload")?).ok(),
    }
}
