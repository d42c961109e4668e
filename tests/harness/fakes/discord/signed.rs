//! The other way to the bot: interactions as signed posts to an address of its own.

use std::sync::Arc;
use std::time::Duration;

use ring::signature::{Ed25519KeyPair, KeyPair};
use serde_json::{Value, json};

use super::interactions::PATIENCE;
use super::refusal::Wrong;
use super::{APP_ID, FakeDiscord, limits};
use crate::fakes::clock::since_epoch;
use crate::{Answer, Failure};

/// From this the key of the application is made. Everybody knows it: it signs nothing but stories.
const SEED: [u8; 32] = *b"the fake signs its stories so...";

fn key() -> Option<Ed25519KeyPair> {
    // Any 32 bytes are a seed.
    Ed25519KeyPair::from_seed_unchecked(&SEED).ok()
}

/// The public key of the application, in hexadecimal.
pub fn public_key() -> String {
    key().map(|key| hex(key.public_key().as_ref())).unwrap_or_default()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Signs a body as Discord does. Returns what stands in `X-Signature-Timestamp` and in `X-Signature-Ed25519`.
#[must_use]
pub fn sign(body: &str, timestamp: u64) -> (String, String) {
    let signature = key().map(|key| hex(key.sign(format!("{timestamp}{body}").as_bytes()).as_ref()));
    (timestamp.to_string(), signature.unwrap_or_default())
}

fn send(url: &str, body: &str, signature: &(String, String)) -> Result<Answer, Failure> {
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .timeout_global(Some(PATIENCE))
        .build()
        .into();
    let request = agent
        .post(url)
        .header("content-type", "application/json")
        .header("user-agent", "Discord-Interactions/1.0 (+https://discord.com)")
        .header("x-signature-timestamp", &signature.0)
        .header("x-signature-ed25519", &signature.1);
    crate::answer(request.send(body)?)
}

impl FakeDiscord {
    /// The public key of the application, in hexadecimal.
    #[must_use]
    pub fn public_key(&self) -> String {
        public_key()
    }

    /// From now on interactions are posted to this address, signed, and not told over the gateway.
    pub fn deliver_interactions_to(&self, url: &str) {
        self.change(|state| state.endpoint = Some(url.to_owned()));
    }

    /// Asks whether there is a bot at this address, as Discord does before it delivers there: the answer is to be 200
    /// and `{"type": 1}`.
    ///
    /// # Errors
    /// When no answer comes.
    pub fn ping(&self, url: &str) -> Result<Answer, Failure> {
        let body = self.ping_body();
        send(url, &body, &sign(&body, since_epoch().as_secs()))
    }

    /// Posts something whose signature is wrong, as Discord does on purpose: the answer is to be 401.
    ///
    /// # Errors
    /// When no answer comes.
    pub fn post_with_bad_signature(&self, url: &str) -> Result<Answer, Failure> {
        let body = self.ping_body();
        let now = since_epoch().as_secs();
        send(url, &body, &(now.to_string(), sign(&body, now + 1).1))
    }

    /// Posts something that was signed this long ago.
    ///
    /// # Errors
    /// When no answer comes.
    pub fn post_signed_before(&self, url: &str, age: Duration) -> Result<Answer, Failure> {
        let body = self.ping_body();
        send(url, &body, &sign(&body, since_epoch().saturating_sub(age).as_secs()))
    }

    fn ping_body(&self) -> String {
        let (id, token) = self.change(|state| (state.snowflake(), state.secret("cGluZw")));
        let user = self.state().user_object(super::ADA);
        let body = json!({
            "id": id, "application_id": APP_ID, "type": 1, "token": token, "version": 1, "user": user,
            "entitlements": [], "attachment_size_limit": 10_485_760, "authorizing_integration_owners": {},
        });
        body.to_string()
    }

    /// Posts an interaction and takes the answer, meanwhile the story goes on.
    pub(super) fn post(&self, url: String, payload: Value) {
        let shared = Arc::clone(&self.shared);
        std::thread::spawn(move || {
            let body = payload.to_string();
            let answer = send(&url, &body, &sign(&body, since_epoch().as_secs()));
            shared.change(|state| {
                let (id, token) = (payload["id"].as_str().unwrap_or(""), payload["token"].as_str().unwrap_or(""));
                let taken = match answer.map(|answer| (answer.status, serde_json::from_str(&answer.text))) {
                    // The answer comes over the REST API.
                    Ok((202, _)) => true,
                    Ok((200, Ok(body))) => wrong(&body).is_empty() && state.callback(id, token, &body).is_ok(),
                    _ => false,
                };
                let pending = state.interactions.iter_mut().find(|pending| pending.id == id && !taken);
                if let Some(pending) = pending {
                    pending.refused = true;
                }
            });
        });
    }
}

/// What is wrong with an answer, as when it comes over the REST API.
fn wrong(body: &Value) -> Vec<Wrong> {
    let data = &body["data"];
    let broken = if body["type"] == 9 { limits::wrong_in_modal(data) } else { limits::wrong_in_message(data) };
    let shape = super::schemas::wrong_shape("POST interactions/{}/{}/callback", body);
    broken.into_iter().chain(shape.map(|wrong| Wrong::new("", "MODEL_TYPE_CONVERT", wrong))).collect()
}
