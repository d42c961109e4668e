//! GitHub: the one client behind both doors, that of the tickets and that of the code.

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use octocrab::Octocrab;
use reqwest::header::{self, HeaderMap, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::sync::OnceCell;
use tokio::time::Instant;

use crate::Error;

pub mod delivery;
pub mod limits;
mod seen;
pub mod settings;
pub mod wire;

use limits::{Budget, Gate, Refusal};
use seen::{Kept, Seen};
pub use settings::Settings;

/// Its name, as in the configuration.
pub const NAME: &str = "github";

/// Time that a call may take, connecting included.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Bytes of an answer that are read: the list of all files of a large repository is the largest.
const MOST: usize = 16 << 20;
/// Redirects that are followed: a repository that was renamed leads to its new place.
const REDIRECTS: usize = 2;

/// What was read.
#[derive(Debug, Clone)]
pub struct Read<T> {
    /// It.
    pub body: T,
    /// Whether it is another answer than the last one from there.
    pub is_new: bool,
    /// What time it is where the answer comes from.
    pub at: Option<DateTime<Utc>>,
}

/// The API with one token.
pub struct Client {
    token: SecretString,
    /// Base address, without a slash at its end.
    base: String,
    /// Scheme, host and port of it. The token goes nowhere else.
    origin: String,
    /// Made at the first call: it needs a runtime.
    api: OnceCell<Octocrab>,
    seen: Mutex<Seen>,
    budget: Mutex<Budget>,
    rest: Mutex<Gate>,
    graph: Mutex<Gate>,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("base", &self.base).finish_non_exhaustive()
    }
}

/// A call.
enum Call<'a> {
    Get(HeaderMap),
    Post(&'a Value),
    Patch(&'a Value),
}

/// An answer with a status that is not refused.
struct Answer {
    status: u16,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Client {
    /// Makes it. Nothing is asked of GitHub yet.
    ///
    /// # Errors
    /// When there is no token, or it cannot be right.
    pub fn new(settings: &Settings) -> Result<Self, Error> {
        let token = settings.token.clone().unwrap_or_default();
        let is_token = |token: &str| !token.is_empty() && token.chars().all(|c| c.is_ascii_graphic());
        if !is_token(token.expose_secret()) {
            return Err(Error::Auth("GITHUB_TOKEN: this is no token".into()));
        }
        let wrong = || Error::Permanent("GITHUB_API_URL: this is no address".into());
        let origin = reqwest::Url::parse(&settings.api_url).map_err(|_| wrong())?.origin().ascii_serialization();
        Ok(Self {
            token,
            base: settings.api_url.clone(),
            origin,
            api: OnceCell::new(),
            seen: Mutex::default(),
            budget: Mutex::default(),
            rest: Mutex::default(),
            graph: Mutex::default(),
        })
    }

    /// What is there. An answer that is as it was costs nothing. `path` begins with a slash and is encoded already.
    ///
    /// # Errors
    /// When GitHub refuses or does not answer.
    pub async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<Read<T>, Refusal> {
        let url = format!("{}{path}", self.base);
        let known = locked(&self.seen).get(&url);
        let mut headers = HeaderMap::new();
        if let Some(etag) = known.as_ref().and_then(|known| HeaderValue::try_from(&known.etag).ok()) {
            headers.insert(header::IF_NONE_MATCH, etag);
        }
        let answer = self.call(&Call::Get(headers), &url, path, &self.rest).await?;
        let at = limits::date(&answer.headers);
        if let (304, Some(known)) = (answer.status, known) {
            return Ok(Read { body: understood(&known.body, path)?, is_new: false, at });
        }
        let body = understood(&answer.body, path)?;
        if let Some(etag) = answer.headers.get(header::ETAG).and_then(|etag| etag.to_str().ok()) {
            locked(&self.seen).put(&url, Kept { etag: etag.to_owned(), body: answer.body.into() });
        }
        Ok(Read { body, is_new: true, at })
    }

    /// Whether something is there.
    ///
    /// # Errors
    /// When GitHub does not say.
    pub async fn has(&self, path: &str) -> Result<bool, Refusal> {
        let url = format!("{}{path}", self.base);
        match self.call(&Call::Get(HeaderMap::new()), &url, path, &self.rest).await {
            Ok(_) => Ok(true),
            Err(refusal) if refusal.status == 404 => Ok(false),
            Err(refusal) => Err(refusal),
        }
    }

    /// Makes something there.
    ///
    /// # Errors
    /// When GitHub refuses, does not answer, or was asked for too much lately.
    pub async fn post<T: DeserializeOwned>(&self, path: &str, body: &Value) -> Result<T, Refusal> {
        self.write(&Call::Post(body), path).await
    }

    /// Changes what is there.
    ///
    /// # Errors
    /// As [`Client::post`].
    pub async fn patch<T: DeserializeOwned>(&self, path: &str, body: &Value) -> Result<T, Refusal> {
        self.write(&Call::Patch(body), path).await
    }

    async fn write<T: DeserializeOwned>(&self, call: &Call<'_>, path: &str) -> Result<T, Refusal> {
        locked(&self.budget).take(Instant::now()).map_err(|wait| {
            let why = "Clew has made as much on GitHub as it may (80 a minute, 500 an hour)".to_owned();
            let error = Error::Transient { why, retry_after: Some(wait) };
            Refusal { is_limit: true, ..Refusal::of(0, error) }
        })?;
        let url = format!("{}{path}", self.base);
        understood(&self.call(call, &url, path, &self.rest).await?.body, path)
    }

    /// Asks a question that only GraphQL answers.
    ///
    /// # Errors
    /// When GitHub refuses or does not answer, or answers with an error.
    pub async fn graph(&self, query: &str, variables: &Value) -> Result<Value, Refusal> {
        // GitHub Enterprise has it beside the API of its version.
        let url = self
            .base
            .strip_suffix("/api/v3")
            .map_or_else(|| format!("{}/graphql", self.base), |host| format!("{host}/api/graphql"));
        let question = json!({"query": query, "variables": variables});
        let answer = self.call(&Call::Post(&question), &url, "/graphql", &self.graph).await?;
        let mut answer: Value = understood(&answer.body, "/graphql")?;
        if answer["errors"].as_array().is_some_and(|errors| !errors.is_empty()) {
            let error = Error::Permanent("GitHub does not answer this question over GraphQL".into());
            return Err(Refusal::of(200, error));
        }
        Ok(answer["data"].take())
    }

    /// Calls, and goes where the answer leads as long as that is the same GitHub.
    async fn call(&self, call: &Call<'_>, url: &str, path: &str, gate: &Mutex<Gate>) -> Result<Answer, Refusal> {
        locked(gate).pass(Instant::now()).map_err(|wait| {
            let why = "GitHub has had too many requests and wants to be left alone for a while".to_owned();
            let error = Error::Transient { why, retry_after: Some(wait) };
            Refusal { is_limit: true, ..Refusal::of(0, error) }
        })?;
        let mut url = url.to_owned();
        for _ in 0..=REDIRECTS {
            let late = || Refusal::unanswered("nothing came in time");
            let answer = tokio::time::timeout(TIMEOUT, self.send(call, &url)).await.map_err(|_| late())??;
            match answer.status {
                200..=299 | 304 => return Ok(answer),
                301 | 302 | 307 | 308 => url = self.next(&answer.headers)?,
                status => {
                    let refusal = Refusal::read(status, &answer.headers, &answer.body, path);
                    if let (true, Error::Transient { retry_after: Some(wait), .. }) = (refusal.is_limit, &refusal.error)
                    {
                        locked(gate).close(Instant::now(), *wait);
                    }
                    return Err(refusal);
                }
            }
        }
        Err(moved())
    }

    /// Where a redirect leads.
    fn next(&self, headers: &HeaderMap) -> Result<String, Refusal> {
        let to = headers.get(header::LOCATION).and_then(|to| to.to_str().ok()).and_then(|to| {
            let base = reqwest::Url::parse(&self.base).ok()?;
            base.join(to).ok()
        });
        let to = to.filter(|to| to.origin().ascii_serialization() == self.origin).ok_or_else(moved)?;
        Ok(to.to_string())
    }

    async fn send(&self, call: &Call<'_>, url: &str) -> Result<Answer, Refusal> {
        let api = self.api.get_or_try_init(|| async { self.made() }).await?;
        let answer = match call {
            Call::Get(headers) => api._get_with_headers(url, Some(headers.clone())).await,
            Call::Post(body) => api._post(url, Some(body)).await,
            Call::Patch(body) => api._patch(url, Some(body)).await,
        };
        // The answer of another HTTP library, read like all others.
        let mut answer = reqwest::Response::from(answer.map_err(|error| broken(&error))?.map(reqwest::Body::wrap));
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(|error| broken(&error))? {
            if body.len() + chunk.len() > MOST {
                let error = Error::Permanent(format!("what GitHub answers is larger than {MOST} bytes"));
                return Err(Refusal::of(answer.status().as_u16(), error));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Answer { status: answer.status().as_u16(), headers: answer.headers().clone(), body })
    }

    /// The client of octocrab. Its base is the bare host: it would put the path of the base before paths of its own choice,
    /// so all addresses that are asked are whole ones.
    fn made(&self) -> Result<Octocrab, Refusal> {
        crate::http::prepare();
        let cannot = || Refusal::of(0, Error::Permanent("the client of GitHub cannot be made".into()));
        let builder = Octocrab::builder().base_uri(self.origin.as_str()).map_err(|_| cannot())?;
        let builder = builder
            .personal_token(self.token.clone())
            .add_header(header::ACCEPT, "application/vnd.github+json".to_owned())
            .set_connect_timeout(Some(TIMEOUT))
            .set_read_timeout(Some(TIMEOUT))
            .set_write_timeout(Some(TIMEOUT));
        builder.build().map_err(|_| cannot())
    }
}

fn moved() -> Refusal {
    let why = "GitHub says that this is somewhere else now, and does not say where: is GITHUB_REPO still right?";
    Refusal::of(301, Error::Permanent(why.into()))
}

/// Why there is no answer: the cause below all layers. The layers above say only "GitHub".
fn broken(error: &dyn std::error::Error) -> Refusal {
    let mut cause = error.source();
    while let Some(deeper) = cause.and_then(std::error::Error::source) {
        cause = Some(deeper);
    }
    Refusal::unanswered(&cause.map_or_else(|| "the connection broke".to_owned(), ToString::to_string))
}

fn understood<T: DeserializeOwned>(body: &[u8], path: &str) -> Result<T, Refusal> {
    serde_json::from_slice(body).map_err(|_| {
        // A proxy in between may answer with a page of its own, for a while.
        let why = format!("what GitHub answers to {path} cannot be read");
        Refusal::of(200, Error::Transient { why, retry_after: None })
    })
}

fn locked<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A part of an address, encoded; slashes stay when `is_path`.
#[must_use]
pub fn encoded(part: &str, is_path: bool) -> String {
    let one = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => char::from(byte).to_string(),
        b'/' if is_path => "/".to_owned(),
        _ => format!("%{byte:02X}"),
    };
    part.bytes().map(one).collect()
}

#[cfg(test)]
pub(crate) mod tests;
