//! The other way to the bot: signed posts to its address.

use std::time::Duration;

use hmac::{Hmac, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

use super::envelopes::Delivered;
use super::{FakeSlack, SIGNING_SECRET};
use crate::fakes::clock::since_epoch;
use crate::{Answer, Failure};

/// What the bot is to send back when its address is checked.
pub const CHALLENGE: &str = "3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P";

/// Signs a request as Slack does. Returns what stands in `X-Slack-Request-Timestamp` and in `X-Slack-Signature`.
#[must_use]
pub fn sign(body: &str, timestamp: u64) -> (String, String) {
    // A key of any length will do.
    let signature = Hmac::<Sha256>::new_from_slice(SIGNING_SECRET.as_bytes()).map(|mut mac| {
        mac.update(format!("v0:{timestamp}:{body}").as_bytes());
        mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect::<String>()
    });
    (timestamp.to_string(), format!("v0={}", signature.unwrap_or_default()))
}

/// Something to be posted.
#[derive(Debug, Clone)]
pub struct Post {
    /// Place of its envelope.
    pub place: usize,
    url: String,
    content_type: &'static str,
    body: String,
    retry: Option<(usize, &'static str)>,
    patience: Duration,
}

/// What came of it.
#[derive(Debug)]
pub enum Outcome {
    Accepted(Value),
    Failed {
        answer: Value,
        /// As Slack names it when it tries again.
        reason: &'static str,
    },
}

impl Post {
    pub fn new(
        place: usize,
        url: &str,
        record: &Delivered,
        rounds: usize,
        reason: &'static str,
        patience: Duration,
    ) -> Self {
        const FORM: &str = "application/x-www-form-urlencoded";
        let (path, content_type, body) = match record.kind.as_str() {
            "slash_commands" => ("commands", FORM, form(&record.payload)),
            "interactive" => ("interactions", FORM, form(&json!({"payload": record.payload.to_string()}))),
            _ => ("events", "application/json", record.payload.to_string()),
        };
        let retry = (rounds > 0).then_some((rounds, reason));
        Self { place, url: format!("{url}/slack/{path}"), content_type, body, retry, patience }
    }

    /// Posts it and waits for the answer.
    pub fn send(&self) -> Outcome {
        let failed = |reason, answer| Outcome::Failed { reason, answer };
        let agent: ureq::Agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .timeout_global(Some(self.patience))
            .build()
            .into();
        let (timestamp, signature) = sign(&self.body, since_epoch().as_secs());
        let mut request = agent
            .post(&self.url)
            .header("content-type", self.content_type)
            .header("user-agent", "Slackbot 1.0 (+https://api.slack.com/robots)")
            .header("x-slack-request-timestamp", timestamp)
            .header("x-slack-signature", signature);
        if let Some((number, reason)) = self.retry {
            request = request.header("x-slack-retry-num", number.to_string()).header("x-slack-retry-reason", reason);
        }
        let answer = match request.send(self.body.as_str()).map_err(Failure::from).and_then(crate::answer) {
            Ok(answer) => answer,
            Err(error) => {
                let timed_out =
                    error.downcast_ref::<ureq::Error>().is_some_and(|error| matches!(error, ureq::Error::Timeout(_)));
                return failed(if timed_out { "http_timeout" } else { "connection_failed" }, Value::Null);
            }
        };
        let said = match (answer.text.as_str(), serde_json::from_str(&answer.text)) {
            ("", _) => Value::Null,
            (_, Ok(document)) => document,
            (text, Err(_)) => json!(text),
        };
        if (200..300).contains(&answer.status) { Outcome::Accepted(said) } else { failed("http_error", said) }
    }
}

/// A form of the texts in an object.
fn form(fields: &Value) -> String {
    let fields = fields.as_object().into_iter().flatten();
    let texts = fields.map(|(name, value)| (name, value.as_str().map_or_else(|| value.to_string(), str::to_owned)));
    form_urlencoded::Serializer::new(String::new()).extend_pairs(texts).finish()
}

impl FakeSlack {
    /// From now on everything is posted to the bot at `url`, signed: events to `/slack/events`, slash commands to
    /// `/slack/commands`, what people press to `/slack/interactions`.
    pub fn deliver_to(&self, url: &str) {
        self.change(|state| {
            state.mail.url = Some(url.trim_end_matches('/').to_owned());
            state.mail.listened = true;
        });
    }

    /// Checks the address of the bot as Slack does before it delivers events to it: the answer is to be [`CHALLENGE`],
    /// as text or in JSON.
    ///
    /// # Errors
    /// When no answer comes.
    pub fn verify_url(&self, url: &str) -> Result<Answer, Failure> {
        let body = json!({"token": "verification-of-the-fake", "challenge": CHALLENGE, "type": "url_verification"});
        let body = body.to_string();
        let (timestamp, signature) = sign(&body, since_epoch().as_secs());
        let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
        let request = agent
            .post(format!("{}/slack/events", url.trim_end_matches('/')))
            .header("content-type", "application/json")
            .header("x-slack-request-timestamp", timestamp)
            .header("x-slack-signature", signature);
        crate::answer(request.send(body)?)
    }
}
