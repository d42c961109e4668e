//! Calls of Slack's Web API, through slack-morphism. Which methods are called, and what they need, stands in [`needs`].

use std::fmt;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::Value;
use slack_morphism::prelude::*;

use super::{error, needs};
use crate::Error;
use crate::chat::address;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long a connection may take to come about.
const CONNECT: Duration = Duration::from_secs(3);

/// The connector of slack-morphism over our own TLS.
pub type Connector = SlackClientHyperHttpsConnector;

/// The Web API with one token.
pub struct Api {
    client: SlackClient<Connector>,
    token: SlackApiToken,
    /// Base address.
    pub address: String,
    /// How long an answer may take.
    pub patience: Duration,
}

impl fmt::Debug for Api {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Api").field("address", &self.address).finish_non_exhaustive()
    }
}

/// An answer that says nothing but that it went well.
#[derive(Deserialize)]
pub struct Done {}

impl Api {
    /// `address` is the setting `slack.api_url`; `token` stands in the settings under `name` and begins with `prefix`.
    ///
    /// # Errors
    /// When the address or the token cannot be right.
    pub fn new(address: &str, name: &str, prefix: &str, token: &SecretString) -> Result<Self, Error> {
        let address = address::base("SLACK_API_URL", address)?;
        let token = token_of(name, prefix, token)?;
        Ok(Self { client: SlackClient::new(connector(&address)?), token, address, patience: PATIENCE })
    }

    /// Calls a method that takes a document.
    ///
    /// # Errors
    /// When Slack refuses or does not answer; the text names `channel`, if that is not empty.
    pub async fn send<T>(&self, method: &str, channel: &str, request: &Value) -> Result<T, Error>
    where
        T: for<'de> Deserialize<'de> + Send,
    {
        let session = self.client.open_session(&self.token);
        self.call(method, channel, session.http_session_api.http_post(method, request, None)).await
    }

    /// Calls a method that reads: Slack takes their parameters from the address only.
    ///
    /// # Errors
    /// As [`Api::send`].
    pub async fn get<T>(&self, method: &str, channel: &str, parameters: Vec<(&str, Option<String>)>) -> Result<T, Error>
    where
        T: for<'de> Deserialize<'de> + Send,
    {
        let session = self.client.open_session(&self.token);
        self.call(method, channel, session.http_session_api.http_get(method, &parameters, None)).await
    }

    async fn call<T>(
        &self,
        method: &str,
        channel: &str,
        answer: impl Future<Output = ClientResult<T>> + Send,
    ) -> Result<T, Error> {
        debug_assert!(
            needs::is_called(method),
            "{method} must stand in needs.rs, so that the manifest asks for its scopes"
        );
        let call = if channel.is_empty() { method.to_owned() } else { format!("{method} in {channel}") };
        match tokio::time::timeout(self.patience, answer).await {
            Ok(answer) => answer.map_err(|error| error::translate(&call, error)),
            Err(_) => Err(error::too_late(&call)),
        }
    }
}

/// A token as slack-morphism takes it.
///
/// # Errors
/// When it cannot be right; the text never holds it.
pub fn token_of(name: &str, prefix: &str, token: &SecretString) -> Result<SlackApiToken, Error> {
    let token = token.expose_secret().trim();
    let wrong = |why: &str| Err(Error::Auth(format!("{name}: {why}; it begins with {prefix}")));
    if token.is_empty() || !token.chars().all(|c| c.is_ascii_graphic()) {
        return wrong("this is no token");
    }
    let other = if prefix == "xapp-" { "xoxb-" } else { "xapp-" };
    if token.starts_with(other) {
        return wrong("this is the other of the two tokens");
    }
    Ok(SlackApiToken::new(SlackApiTokenValue(token.to_owned())))
}

/// A connector of its own, with connections of its own.
///
/// HTTP/1 only: a call that gets no answer takes its connection with it, while one HTTP/2 connection behind a cut cable would
/// be used by every later call until the system gives it up, which takes minutes.
///
/// # Errors
/// When TLS cannot be set up.
pub fn connector(address: &str) -> Result<Connector, Error> {
    let mut tcp = hyper_util::client::legacy::connect::HttpConnector::new();
    tcp.enforce_http(false);
    tcp.set_connect_timeout(Some(CONNECT));
    let connector = hyper_rustls::HttpsConnectorBuilder::new()
        .with_provider_and_webpki_roots(rustls::crypto::ring::default_provider())
        .map_err(|error| Error::Permanent(format!("TLS cannot be set up: {error}")))?
        .https_or_http()
        .enable_http1()
        .wrap_connector(tcp);
    Ok(SlackClientHyperConnector::with_connector(connector).with_slack_api_url(address))
}
