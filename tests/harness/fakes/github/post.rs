//! How deliveries reach the bot.

use std::time::Duration;

use hmac::{Hmac, Mac};
use serde_json::Value;
use sha2::Sha256;

use super::events::Event;
use super::hooks::{Delivery, Fate, HOOK, Mail};
use super::{FakeGitHub, Shared};
use crate::{Answer, Failure, until};

/// So long GitHub waits for an answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// Where the bot takes deliveries, when nobody says.
const PATH: &str = "/webhooks/github";
/// What somebody signs with who does not know the secret.
const FORGED: &str = "not the secret";

/// A delivery that is on its way.
struct Post {
    place: usize,
    url: String,
    headers: Vec<(&'static str, String)>,
    body: String,
}

impl Post {
    fn new(mail: &Mail, place: usize, address: &str, secret: Option<&str>) -> Self {
        let delivery = &mail.deliveries[place];
        let payload = delivery.payload.to_string();
        let (content_type, body) = if mail.forms {
            let form = form_urlencoded::Serializer::new(String::new()).append_pair("payload", &payload).finish();
            ("application/x-www-form-urlencoded", form)
        } else {
            ("application/json", payload)
        };
        let mut headers = vec![
            ("accept", "*/*".to_owned()),
            ("content-type", content_type.to_owned()),
            ("user-agent", "GitHub-Hookshot/044aadd".to_owned()),
            ("x-github-delivery", delivery.guid.clone()),
            ("x-github-event", delivery.event.clone()),
            ("x-github-hook-id", HOOK.to_string()),
            ("x-github-hook-installation-target-id", super::accounts::REPO_ID.to_string()),
            ("x-github-hook-installation-target-type", "repository".to_owned()),
        ];
        if let Some(secret) = secret {
            headers.push(("x-hub-signature-256", sign(secret, &body)));
        }
        Self { place, url: target(address), headers, body }
    }

    fn send(&self) -> Result<Answer, Failure> {
        let agent: ureq::Agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .timeout_global(Some(PATIENCE))
            .build()
            .into();
        let mut request = agent.post(&self.url);
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        crate::answer(request.send(self.body.as_str())?)
    }
}

impl Shared {
    /// Sends what is to be sent, one after the other, until the fake ends.
    pub(super) fn deliver_all(&self) {
        while let Some(post) = self.next_post() {
            let fate = post.send().map_or(Fate::Lost, |answer| Fate::Answered(answer.status));
            self.change(|state| {
                state.mail.deliveries[post.place].fate = fate;
                state.mail.sending = false;
            });
        }
    }

    fn next_post(&self) -> Option<Post> {
        let mut state = self.lock();
        loop {
            if state.stopped {
                return None;
            }
            let address = state.mail.url.clone();
            if let (Some(address), Some(place)) = (address, state.mail.outbox.pop_front()) {
                state.mail.sending = true;
                return Some(Post::new(&state.mail, place, &address, state.mail.secret.as_deref()));
            }
            state = self.wait(state);
        }
    }
}

impl FakeGitHub {
    /// From now on the bot at this address is told of everything that happens, beginning with a ping. Without a path,
    /// deliveries go to `/webhooks/github`.
    pub fn deliver_to(&self, address: &str) {
        self.change(|state| {
            state.mail.url = Some(target(address));
            state.emit(&Event::Ping, super::OWNER, Value::Null);
        });
    }

    /// There is no webhook any more, as in the beginning: who wants to know something has to ask.
    pub fn deliver_nothing(&self) {
        self.change(|state| {
            state.mail.url = None;
            state.mail.outbox.clear();
        });
    }

    /// Whether deliveries do not come, though GitHub sends them. It does not try again, but lists what failed.
    pub fn lose_deliveries(&self, lost: bool) {
        self.change(|state| state.mail.losing = lost);
    }

    /// Whether deliveries are forms with a `payload`, not JSON.
    pub fn deliver_forms(&self, forms: bool) {
        self.change(|state| state.mail.forms = forms);
    }

    /// What was told or would have been, every attempt, in the order in which it happened.
    #[must_use]
    pub fn deliveries(&self) -> Vec<Delivery> {
        self.state().mail.deliveries.clone()
    }

    /// Waits until everything that happened is delivered.
    ///
    /// # Errors
    /// When it takes too long.
    pub fn settle(&self) -> Result<(), Failure> {
        until("all deliveries of GitHub to be answered", || {
            let state = self.state();
            Ok((state.mail.outbox.is_empty() && !state.mail.sending).then_some(()))
        })
    }

    /// Tells the bot at this address of something now, whether there is a webhook or not.
    ///
    /// # Errors
    /// When there is nothing to tell, or no answer comes.
    pub fn deliver(&self, address: &str, event: Event) -> Result<Answer, Failure> {
        let secret = self.state().mail.secret.clone();
        self.deliver_signed(address, event, secret.as_deref())
    }

    /// As [`FakeGitHub::deliver`], by somebody who does not know the secret.
    ///
    /// # Errors
    /// As [`FakeGitHub::deliver`].
    pub fn deliver_forged(&self, address: &str, event: Event) -> Result<Answer, Failure> {
        self.deliver_signed(address, event, Some(FORGED))
    }

    /// As [`FakeGitHub::deliver`], without a signature.
    ///
    /// # Errors
    /// As [`FakeGitHub::deliver`].
    pub fn deliver_unsigned(&self, address: &str, event: Event) -> Result<Answer, Failure> {
        self.deliver_signed(address, event, None)
    }

    fn deliver_signed(&self, address: &str, event: Event, secret: Option<&str>) -> Result<Answer, Failure> {
        let post = self.change(|state| {
            let told = state.told_of(&event, None, &Value::Null)?;
            let place = state.keep_delivery(told, Fate::Waiting);
            Some(Post::new(&state.mail, place, address, secret))
        });
        self.send_now(post.ok_or_else(|| format!("nothing to tell: {event:?}"))?)
    }

    /// The same delivery once more, to the bot at this address.
    ///
    /// # Errors
    /// When there is no such delivery, or no answer comes.
    pub fn redeliver(&self, address: &str, guid: &str) -> Result<Answer, Failure> {
        let post = self.change(|state| {
            let delivery = state.mail.deliveries.iter().find(|delivery| delivery.guid == guid)?.clone();
            let place = state.keep_again(&delivery);
            Some(Post::new(&state.mail, place, address, state.mail.secret.as_deref()))
        });
        self.send_now(post.ok_or_else(|| format!("no such delivery: {guid}"))?)
    }

    fn send_now(&self, post: Post) -> Result<Answer, Failure> {
        let answer = post.send();
        let fate = answer.as_ref().map_or(Fate::Lost, |answer| Fate::Answered(answer.status));
        self.change(|state| state.mail.deliveries[post.place].fate = fate);
        answer
    }
}

/// Signs a body as GitHub does: what stands in `X-Hub-Signature-256`.
#[must_use]
pub fn sign(secret: &str, body: &str) -> String {
    // A key of any length will do.
    let signature = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).map(|mut mac| {
        mac.update(body.as_bytes());
        mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect::<String>()
    });
    format!("sha256={}", signature.unwrap_or_default())
}

/// Where deliveries to an address go.
fn target(address: &str) -> String {
    let address = address.trim_end_matches('/');
    let url = if address.contains("://") { address.to_owned() } else { format!("http://{address}") };
    let has_path = url.split_once("://").is_some_and(|(_, rest)| rest.contains('/'));
    if has_path { url } else { format!("{url}{PATH}") }
}
