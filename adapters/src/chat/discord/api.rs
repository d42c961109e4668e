//! Calls of Discord's REST API, as fast as its limits allow.
//!
//! They are made over our own HTTP client: that of serenity throws away how long Discord asks to wait, and knows no limits
//! when another address than Discord's is set (docs/adr/0012). The limits of each route are kept by twilight's limiter.

use std::fmt;
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use reqwest::Method;
use secrecy::SecretString;
use serde_json::Value;
use twilight_http_ratelimiting::{Endpoint, Method as LimitedMethod, RateLimitHeaders, RateLimiter};

use super::error::{self, Refusal};
use super::snowflake;
use crate::Error;
use crate::chat::address;
use crate::http::{Call, Http, Login, Reply};

/// Version of the API.
const VERSION: &str = "v10";
/// How Discord wants to be told who calls.
const AGENT: &str = concat!("DiscordBot (https://github.com/clew-bot/clew, ", env!("CARGO_PKG_VERSION"), ")");
/// Longest that a call waits for its turn; what waits longer is tried again later.
const TURN: Duration = Duration::from_secs(20);

/// The REST API with the bot's token.
pub struct Api {
    http: Http,
    token: SecretString,
    /// Base address, without the path of the API.
    pub address: String,
    /// Made by the first call: it needs the runtime.
    limiter: OnceLock<RateLimiter>,
    /// Until when Discord takes nothing at all from this bot.
    silent_until: Mutex<Option<Instant>>,
}

impl fmt::Debug for Api {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Api").field("address", &self.address).finish_non_exhaustive()
    }
}

impl Api {
    /// `address` is the setting `discord.api_url`.
    ///
    /// # Errors
    /// When the address cannot be right.
    pub fn new(address: &str, token: &SecretString) -> Result<Self, Error> {
        let address = address::base("DISCORD_API_URL", address)?;
        let root = without_path_of_api(&address);
        Ok(Self {
            http: Http::called(AGENT)?,
            token: token.clone(),
            address: root.to_owned(),
            limiter: OnceLock::new(),
            silent_until: Mutex::default(),
        })
    }

    /// Reads something.
    ///
    /// # Errors
    /// When Discord refuses or does not answer.
    pub async fn get(&self, path: &str) -> Result<Value, Refusal> {
        self.call(Method::GET, path, None).await
    }

    /// Makes something.
    ///
    /// # Errors
    /// As [`Api::get`].
    pub async fn post(&self, path: &str, body: &Value) -> Result<Value, Refusal> {
        self.call(Method::POST, path, Some(body)).await
    }

    /// Calls `path`, which stands below the version of the API and may have a query.
    ///
    /// # Errors
    /// When Discord refuses or does not answer.
    pub async fn call(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Value, Refusal> {
        let name = name(&method, path);
        let url = format!("{}/api/{VERSION}/{path}", self.address);
        let reply = if is_interaction(path) {
            // They have limits of their own, and somebody waits.
            self.http.call("Discord", Call { method, url: &url, login: Login::None, body }).await?
        } else {
            let permit = tokio::time::timeout(TURN, self.turn(&method, path)).await.map_err(|_| {
                let why = format!("{name}: too many calls wait for their turn at Discord");
                Refusal::of(Error::Transient { why, retry_after: None })
            })?;
            let login = Login::Named("Bot", &self.token);
            // A permit that is dropped is given back.
            let reply = self.http.call("Discord", Call { method, url: &url, login, body }).await?;
            permit.complete(limits(&reply));
            reply
        };
        if reply.status < 300 {
            return Ok(serde_json::from_slice(&reply.body).unwrap_or(Value::Null));
        }
        let refusal = error::refusal(&name, &reply);
        if reply.header("x-ratelimit-global").is_some()
            && let Error::Transient { retry_after: Some(wait), .. } = &refusal.error
        {
            *self.silent_until.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now() + *wait);
        }
        Err(refusal)
    }

    /// Waits until the limits allow a call.
    async fn turn(&self, method: &Method, path: &str) -> twilight_http_ratelimiting::Permit {
        let silent_until = *self.silent_until.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(until) = silent_until {
            tokio::time::sleep_until(until.into()).await;
        }
        let method = match *method {
            Method::GET => LimitedMethod::Get,
            Method::PATCH => LimitedMethod::Patch,
            Method::PUT => LimitedMethod::Put,
            Method::DELETE => LimitedMethod::Delete,
            _ => LimitedMethod::Post,
        };
        self.limiter.get_or_init(RateLimiter::default).acquire(Endpoint { method, path: route(path) }).await
    }
}

/// Whether the address itself says who calls: that of an interaction.
fn is_interaction(path: &str) -> bool {
    path.starts_with("interactions/") || path.starts_with("webhooks/")
}

/// The path as the limits are counted: without its query, and without the ids of single messages.
fn route(path: &str) -> String {
    let path = path.split('?').next().unwrap_or_default();
    let parts =
        path.split('/').enumerate().map(|(n, part)| if n > 1 && snowflake::is_one(part) { ":id" } else { part });
    parts.collect::<Vec<_>>().join("/")
}

/// The address without the path of the API, which some write as well.
fn without_path_of_api(address: &str) -> &str {
    let version =
        |end: &str| end.strip_prefix('v').is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()));
    let root = match address.rsplit_once('/') {
        Some((root, end)) if version(end) && root.ends_with("/api") => root,
        _ => address,
    };
    root.strip_suffix("/api").filter(|root| !root.ends_with('/')).unwrap_or(address)
}

/// A call as people are told of it: without tokens, and without ids where they say nothing.
fn name(method: &Method, path: &str) -> String {
    let path = path.split('?').next().unwrap_or_default();
    let parts = path.split('/').enumerate().map(|(n, part)| if n == 2 && is_interaction(path) { "…" } else { part });
    format!("{method} {}", parts.collect::<Vec<_>>().join("/"))
}

/// What an answer says of the limits of its route.
fn limits(reply: &Reply) -> Option<RateLimitHeaders> {
    let number = |name: &str| reply.header(name)?.parse::<f64>().ok().filter(|number| number.is_finite());
    let whole = |name: &str| reply.header(name)?.parse::<u16>().ok();
    let after = number(RateLimitHeaders::RESET_AFTER)?.clamp(0.0, 86_400.0);
    Some(RateLimitHeaders {
        bucket: reply.header(RateLimitHeaders::BUCKET)?.as_bytes().to_vec(),
        limit: whole(RateLimitHeaders::LIMIT)?,
        remaining: whole(RateLimitHeaders::REMAINING)?,
        reset_at: Instant::now() + Duration::from_secs_f64(after),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_of_an_interaction_is_told_to_nobody() {
        let path = "webhooks/12/aW50ZXJhY3Rpb24/messages/@original?with_components=true";
        assert!(is_interaction(path), "its limits are not kept by anybody who writes to a log");
        assert_eq!(name(&Method::PATCH, path), "PATCH webhooks/12/…/messages/@original");
    }

    #[test]
    fn all_messages_of_a_channel_share_a_limit() {
        assert_eq!(route("channels/1/messages?limit=100"), "channels/1/messages");
        assert_eq!(route("channels/1/messages/22"), route("channels/1/messages/23"));
        assert_ne!(route("channels/1/messages/22"), route("channels/2/messages/22"));
    }

    #[test]
    fn the_path_of_the_api_may_be_written_or_not() {
        for (address, root) in [
            ("https://discord.com", "https://discord.com"),
            ("https://discord.com/api", "https://discord.com"),
            ("https://discord.com/api/v10", "https://discord.com"),
            ("https://api.proxy.example", "https://api.proxy.example"),
            ("https://proxy.example/api-gateway", "https://proxy.example/api-gateway"),
            ("https://proxy.example/discord/api/v9", "https://proxy.example/discord"),
        ] {
            assert_eq!(without_path_of_api(address), root, "{address}");
        }
    }
}
