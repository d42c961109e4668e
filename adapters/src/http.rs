//! The one HTTP client.

use std::io::Write;
use std::time::Duration;

use chrono::DateTime;
use reqwest::header::{self, HeaderMap, HeaderValue};
use reqwest::{Client, Method, Response, StatusCode, Url};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use crate::Error;

/// Time that a call may take, connecting included.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Time that the download of a backup may take.
const LONG: Duration = Duration::from_mins(10);
/// Bytes of an answer that are read.
const MAX_ANSWER: u64 = 1 << 20;
/// Bytes of an answer of an API that are read.
const MAX_REPLY: u64 = 8 << 20;
/// Time that the download of a file may take.
const FILE_TIMEOUT: Duration = Duration::from_mins(1);
/// Redirects that are followed to a file.
const REDIRECTS: usize = 3;

/// Makes TLS ready. Called once, before anything connects.
pub fn prepare() {
    // A second call finds a provider in place, which is just as good.
    drop(rustls::crypto::ring::default_provider().install_default());
}

/// How a call shows who makes it.
#[derive(Debug, Clone, Copy)]
pub enum Login<'a> {
    /// A name and a token in place of a password.
    Basic(&'a str, &'a SecretString),
    /// A token alone.
    Bearer(&'a SecretString),
    /// A token under another name than `Bearer`.
    Named(&'static str, &'a SecretString),
    /// Nobody: the address itself says who calls.
    None,
}

/// A call of an API.
#[derive(Debug, Clone)]
pub struct Call<'a> {
    /// What is to be done.
    pub method: Method,
    /// With what. The login goes to this address and nowhere else: a redirect is an answer as any other.
    pub url: &'a str,
    /// Who does it.
    pub login: Login<'a>,
    /// The document that goes with it.
    pub body: Option<&'a Value>,
}

/// What an API answers, whatever it says.
#[derive(Debug, Clone)]
pub struct Reply {
    /// Status code.
    pub status: u16,
    /// Headers.
    pub headers: HeaderMap,
    /// The body as it came.
    pub body: Vec<u8>,
}

impl Reply {
    /// A header, if it is there and readable.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// How long the other side asks to wait. It may name the moment instead: that counts from the date of the answer, because
    /// the clock there may not be the one here.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        let after = self.header("retry-after")?.trim();
        if let Ok(seconds) = after.parse() {
            return Some(Duration::from_secs(seconds));
        }
        let then = DateTime::parse_from_rfc2822(after).ok()?;
        let now = DateTime::parse_from_rfc2822(self.header("date")?).ok()?;
        Some((then - now).to_std().unwrap_or_default())
    }
}

/// The client.
#[derive(Debug, Clone)]
pub struct Http {
    client: Client,
}

impl Http {
    /// Makes it.
    ///
    /// # Errors
    /// When TLS cannot be set up.
    pub fn new() -> Result<Self, Error> {
        Self::called(concat!("clew/", env!("CARGO_PKG_VERSION")))
    }

    /// Makes one that calls itself `name`, where the other side asks for more than ours.
    ///
    /// # Errors
    /// As [`Http::new`].
    pub fn called(name: &str) -> Result<Self, Error> {
        prepare();
        let client = Client::builder()
            .timeout(TIMEOUT)
            .user_agent(name)
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(|error| Error::Permanent(format!("the HTTP client cannot be made: {error}")))?;
        Ok(Self { client })
    }

    /// Writes what is under `url`, an address of our own, to `out`. `key` is an API key of ours.
    ///
    /// # Errors
    /// When no good answer comes, or it cannot be written.
    pub async fn download(&self, url: &str, key: Option<&str>, out: &mut impl Write) -> Result<(), Error> {
        let mut request = self.client.get(url).timeout(LONG);
        if let Some(key) = key {
            request = request.bearer_auth(key);
        }
        let failed = |error: reqwest::Error| Error::Permanent(error.without_url().to_string());
        let mut response = request.send().await.map_err(failed)?;
        if !response.status().is_success() {
            return Err(Error::Permanent(format!("it answers {}", response.status())));
        }
        while let Some(chunk) = response.chunk().await.map_err(failed)? {
            out.write_all(&chunk).map_err(|error| Error::Permanent(error.to_string()))?;
        }
        out.flush().map_err(|error| Error::Permanent(error.to_string()))
    }

    /// The bytes under `url`, at most `most`. Asked are the hosts that `may_be_asked` names and that of `base`, no others;
    /// `token`, if there is one, is shown to them.
    ///
    /// # Errors
    /// When it is too large, cannot be had, or a web page comes instead of it.
    pub async fn fetch(
        &self,
        url: &str,
        base: &str,
        may_be_asked: &(dyn Fn(&str) -> bool + Sync),
        token: Option<&SecretString>,
        most: u64,
    ) -> Result<Vec<u8>, Error> {
        let is_base = |url: &Url| Url::parse(base).is_ok_and(|base| base.origin() == url.origin());
        let mut url = address(url, None)?;
        for _ in 0..=REDIRECTS {
            let host = url.host_str().unwrap_or_default().to_owned();
            if !(is_base(&url) || (url.scheme() == "https" && may_be_asked(&host))) {
                return Err(Error::Permanent(format!("the file lies on {host}, where it is not fetched from")));
            }
            let failed = |error: reqwest::Error| Error::Transient {
                why: format!("{host} does not answer: {}", error.without_url()),
                retry_after: None,
            };
            let mut request = self.client.get(url.clone()).timeout(FILE_TIMEOUT);
            if let Some(token) = token {
                request = request.bearer_auth(token.expose_secret());
            }
            let response = request.send().await.map_err(failed)?;
            if !response.status().is_redirection() {
                let response = success(&host, response)?;
                let is_page = response
                    .headers()
                    .get(header::CONTENT_TYPE)
                    .is_some_and(|kind| kind.to_str().is_ok_and(|kind| kind.starts_with("text/html")));
                if is_page && !url.path().to_ascii_lowercase().ends_with(".html") {
                    return Err(Error::Auth(format!(
                        "{host} gave a web page instead of the file: may the bot read files?"
                    )));
                }
                return bytes(&host, response, most).await;
            }
            let next = response.headers().get(header::LOCATION).and_then(|to| to.to_str().ok());
            let next = next.and_then(|to| url.join(to).ok());
            url = next.ok_or_else(|| Error::Permanent(format!("{host} leads nowhere")))?;
        }
        Err(Error::Permanent("the file is not where it should be: one redirect follows the other".into()))
    }

    /// Calls an API, and gives back what it answers, good or bad. `name` is what people call it.
    ///
    /// # Errors
    /// When no answer comes, or one that is too large.
    pub async fn call(&self, name: &str, call: Call<'_>) -> Result<Reply, Error> {
        let mut request = self.client.request(call.method, address(call.url, None)?);
        request = match call.login {
            Login::Basic(user, token) => request.basic_auth(user, Some(token.expose_secret())),
            Login::Bearer(token) => request.bearer_auth(token.expose_secret()),
            Login::Named(name, token) => {
                // Marked, so that no part of the client ever writes it to its own log.
                let mut value = HeaderValue::from_str(&format!("{name} {}", token.expose_secret()))
                    .map_err(|_| Error::Auth("the token holds characters that no token has".into()))?;
                value.set_sensitive(true);
                request.header(header::AUTHORIZATION, value)
            }
            Login::None => request,
        };
        request = request.header(header::ACCEPT, "application/json");
        if let Some(body) = call.body {
            request = request.header(header::CONTENT_TYPE, "application/json").body(body.to_string());
        }
        let response = request.send().await.map_err(|error| {
            let why = match () {
                () if error.is_timeout() => format!("{name} does not answer in {} seconds", TIMEOUT.as_secs()),
                () if error.is_connect() => format!("{name} cannot be reached"),
                () => format!("the connection to {name} broke"),
            };
            Error::Transient { why, retry_after: None }
        })?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Ok(Reply { status, headers, body: bytes(name, response, MAX_REPLY).await? })
    }

    /// The text under `url`. `instead` is an address that stands in for its host: a proxy, or a server of a test.
    ///
    /// # Errors
    /// When the address cannot be used, or no good answer comes.
    pub async fn get(&self, url: &str, instead: Option<&str>) -> Result<String, Error> {
        let url = address(url, instead)?;
        let host = url.host_str().unwrap_or_default().to_owned();
        let failed = |error: reqwest::Error| Error::Transient {
            why: format!("{host} does not answer: {}", error.without_url()),
            retry_after: None,
        };
        let response = success(&host, self.client.get(url).send().await.map_err(failed)?)?;
        let text = bytes(&host, response, MAX_ANSWER).await?;
        String::from_utf8(text).map_err(|_| Error::Permanent(format!("the answer of {host} is no text")))
    }
}

/// The answer, if it is a good one.
fn success(host: &str, response: Response) -> Result<Response, Error> {
    let status = response.status();
    if status.is_success() {
        return Ok(response);
    }
    let why = format!("{host} answers {}", status.as_u16());
    if status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error() {
        let after = response.headers().get(header::RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
        return Err(Error::Transient { why, retry_after: after.map(Duration::from_secs) });
    }
    Err(Error::Permanent(why))
}

/// The body of an answer, if it has at most `most` bytes.
async fn bytes(host: &str, mut response: Response, most: u64) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    let failed = |error: reqwest::Error| Error::Transient {
        why: format!("{host} stopped answering: {}", error.without_url()),
        retry_after: None,
    };
    while let Some(chunk) = response.chunk().await.map_err(failed)? {
        if (bytes.len() + chunk.len()) as u64 > most {
            return Err(Error::Permanent(format!("what {host} answers is larger than {most} bytes")));
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

/// `url`, or its path at the address that stands in for its host. Plain http goes to this machine only.
fn address(url: &str, instead: Option<&str>) -> Result<Url, Error> {
    let bad = |url: &str| Error::Permanent(format!("{url:?} is no address that can be asked"));
    let mut address = Url::parse(url).map_err(|_| bad(url))?;
    if let Some(instead) = instead {
        let base = Url::parse(instead).map_err(|_| bad(instead))?;
        let (path, query) = (address.path().to_owned(), address.query().map(str::to_owned));
        address = base;
        address.set_path(&path);
        address.set_query(query.as_deref());
    }
    let host = address.host_str().unwrap_or_default().trim_matches(['[', ']']);
    let is_here = host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback());
    if address.scheme() == "https" || (address.scheme() == "http" && is_here) { Ok(address) } else { Err(bad(url)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_long_to_wait_is_said_in_seconds_or_by_a_date() {
        let asked = |after: &'static str, date: &'static str| {
            let headers = [("retry-after", after), ("date", date)];
            let headers = headers.iter().filter(|(_, value)| !value.is_empty());
            let headers = headers
                .map(|(name, value)| (header::HeaderName::from_static(name), header::HeaderValue::from_static(value)));
            Reply { status: 429, headers: headers.collect(), body: vec![] }.retry_after().map(|time| time.as_secs())
        };
        assert_eq!(asked("7", ""), Some(7));
        assert_eq!(asked("Sat, 28 Nov 2026 10:01:30 GMT", "Sat, 28 Nov 2026 10:00:00 GMT"), Some(90));
        assert_eq!(asked("Sat, 28 Nov 2026 09:00:00 GMT", "Sat, 28 Nov 2026 10:00:00 GMT"), Some(0));
        assert_eq!(asked("Sat, 28 Nov 2026 10:01:30 GMT", ""), None);
        assert_eq!(asked("soon", "Sat, 28 Nov 2026 10:00:00 GMT"), None);
        assert_eq!(asked("", ""), None);
    }

    #[test]
    fn only_https_or_this_machine_is_asked() {
        let asked = |url: &str, instead| address(url, instead).map(|url| url.to_string()).unwrap_or_default();
        assert_eq!(asked("https://a.example/x?y=1", None), "https://a.example/x?y=1");
        assert_eq!(asked("https://a.example/x?y=1", Some("http://127.0.0.1:99")), "http://127.0.0.1:99/x?y=1");
        for bad in ["http://a.example/", "ftp://127.0.0.1/", "file:///etc/passwd", "x"] {
            assert_eq!(asked(bad, None), "", "{bad}");
        }
    }
}
