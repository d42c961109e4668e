//! Who may ask: API keys, and protection from other sites in the same browser.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use clew_adapters::signature::same_secret;
use clew_pipeline::models::{from_hex, hex};
use secrecy::ExposeSecret;

use super::error::Problem;
use crate::app::App;

/// Routes that anyone may ask: they tell nothing about logs or settings.
const OPEN: [&str; 6] = ["/health", "/ready", "/metrics", "/login", "/style.css", "/console.js"];
/// Cookie that holds the API key of a signed-in browser.
pub const COOKIE: &str = "clew_key";

/// Lets a request through, sends a browser to the sign-in page, or refuses.
pub async fn guard(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let headers = request.headers();
    // Chat platforms and trackers prove who they are with a signature, whatever the name under which they reach us; what is not
    // signed is judged where it is taken.
    let path = request.uri().path();
    if clew_adapters::chat::is_address(path) || clew_adapters::trackers::ADDRESSES.contains(&path) {
        return next.run(request).await;
    }
    if !same_origin(request.method(), headers) {
        return Problem::new(StatusCode::FORBIDDEN, "the Origin header names another site; use Clew's own address")
            .into_response();
    }
    let config = app.config();
    if config.http.api_keys.is_empty() {
        if !local_host(headers) {
            let detail =
                "without an API key only http://localhost and http://127.0.0.1 are answered; set CLEW_API_KEYS";
            return Problem::new(StatusCode::FORBIDDEN, detail).into_response();
        }
        return next.run(request).await;
    }
    // Senders of alerts prove who they are in their own ways, which webhooks.rs checks.
    if OPEN.contains(&path)
        || path.starts_with("/webhooks/")
        || presented(headers).is_some_and(|key| is_key(&key, &app))
    {
        return next.run(request).await;
    }
    let wants_page = headers.get(header::ACCEPT).and_then(|v| v.to_str().ok()).is_some_and(|v| v.contains("text/html"));
    if request.method() == Method::GET && wants_page {
        return Redirect::to("/login").into_response();
    }
    let detail = "send an API key: `Authorization: Bearer <key>` or `X-Api-Key: <key>`";
    let mut response = Problem::new(StatusCode::UNAUTHORIZED, detail).into_response();
    response.headers_mut().insert(header::WWW_AUTHENTICATE, header::HeaderValue::from_static("Bearer"));
    response
}

/// Whether `key` is one of the configured keys, compared in constant time, with all of them.
pub fn is_key(key: &str, app: &App) -> bool {
    !key.is_empty()
        && app
            .config()
            .http
            .api_keys
            .iter()
            .fold(false, |found, known| found | same_secret(key.as_bytes(), known.expose_secret().as_bytes()))
}

/// The API key or token that a request presents.
pub fn presented(headers: &HeaderMap) -> Option<String> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(key) =
        text("authorization").and_then(|value| value.strip_prefix("Bearer ")).or_else(|| text("x-api-key"))
    {
        return Some(key.trim().to_owned());
    }
    let cookies = text("cookie")?;
    let value = cookies.split(';').find_map(|cookie| cookie.trim().strip_prefix(COOKIE)?.strip_prefix('='))?;
    key_of(value)
}

/// The value of the cookie for `key`: any key may be set, a cookie takes few characters.
pub fn cookie_value(key: &str) -> String {
    hex(key.as_bytes())
}

/// The password of basic authentication.
pub fn password(headers: &HeaderMap) -> Option<String> {
    use base64::Engine as _;
    let given = headers.get(header::AUTHORIZATION)?.to_str().ok()?.strip_prefix("Basic ")?;
    let text = String::from_utf8(base64::engine::general_purpose::STANDARD.decode(given.trim()).ok()?).ok()?;
    text.split_once(':').map(|(_, password)| password.to_owned())
}

fn key_of(cookie: &str) -> Option<String> {
    String::from_utf8(from_hex(cookie)?).ok()
}

/// A page of another site may make a browser send a request; its Origin gives it away.
fn same_origin(method: &Method, headers: &HeaderMap) -> bool {
    if matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS) {
        return true;
    }
    let text = |name| headers.get(name).and_then(|value: &header::HeaderValue| value.to_str().ok());
    match (text(header::ORIGIN), text(header::HOST)) {
        (Some(origin), Some(host)) => origin.split_once("://").is_some_and(|(_, site)| site == host),
        (Some(_), None) => false,
        (None, _) => true,
    }
}

/// Whether a request names this machine as its host. DNS rebinding makes a foreign name point to it; without keys only local names
/// are answered.
pub fn local_host(headers: &HeaderMap) -> bool {
    let Some(host) = headers.get(header::HOST).and_then(|value| value.to_str().ok()) else { return true };
    let name = host
        .rsplit_once(':')
        .map_or(host, |(name, port)| if port.bytes().all(|b| b.is_ascii_digit()) { name } else { host });
    name == "localhost" || name.trim_matches(['[', ']']).parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_local_names_and_the_own_origin_pass() {
        let headers = |pairs: &[(&'static str, &'static str)]| {
            pairs
                .iter()
                .map(|(k, v)| (header::HeaderName::from_static(k), header::HeaderValue::from_static(v)))
                .collect::<HeaderMap>()
        };
        for host in ["localhost:8080", "127.0.0.1", "127.0.0.1:1", "[::1]:8080"] {
            assert!(
                local_host(&[(header::HOST, header::HeaderValue::from_static(host))].into_iter().collect()),
                "{host}"
            );
        }
        assert!(!local_host(&headers(&[("host", "evil.example:8080")])));
        assert!(!same_origin(
            &Method::POST,
            &headers(&[("host", "localhost:8080"), ("origin", "http://evil.example")])
        ));
        assert!(same_origin(
            &Method::POST,
            &headers(&[("host", "localhost:8080"), ("origin", "http://localhost:8080")])
        ));
        assert_eq!(key_of(&cookie_value("a b=;ü")).as_deref(), Some("a b=;ü"));
    }
}
