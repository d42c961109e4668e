//! What to call the person in front of the browser: as they said, remembered in a cookie.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::Response;
use clew_adapters::chat::Person;
use serde::Deserialize;

use super::{Instead, encoded, form, lead_to};
use crate::app::App;
use crate::commands;

/// Cookie that holds the name.
const COOKIE: &str = "clew_name";
/// Longest name, in characters.
const LONGEST: usize = 60;
/// Who somebody is who did not say.
const SOMEBODY: &str = "somebody";

/// The person in front of the browser.
pub struct Name {
    /// What to call them; empty when they did not say.
    pub said: String,
    /// The cookie to set, when they said it just now.
    pub cookie: Option<HeaderValue>,
}

/// What the form sends.
#[derive(Deserialize)]
struct Me {
    #[serde(default)]
    name: String,
    #[serde(default)]
    back: String,
}

impl Name {
    /// From a form's field, if it has one; else from the cookie.
    pub fn of(app: &App, headers: &HeaderMap, field: Option<&str>) -> Self {
        let known = tidy(app, &in_cookie(headers).unwrap_or_default());
        let Some(said) = field.map(|field| tidy(app, field)).filter(|said| !said.is_empty()) else {
            return Self { said: known, cookie: None };
        };
        let cookie = format!("{COOKIE}={}; Path=/; Max-Age=31536000; HttpOnly; SameSite=Lax", encoded(&said));
        Self { said, cookie: HeaderValue::from_str(&cookie).ok() }
    }

    /// Their name, or a word for somebody who did not say it.
    pub fn shown(&self) -> &str {
        if self.said.is_empty() { SOMEBODY } else { &self.said }
    }

    /// Them, as a chat platform knows people.
    pub fn person(&self) -> Person {
        Person { id: self.shown().to_owned(), name: self.shown().to_owned() }
    }
}

/// `POST /me`: remembers the name and leads back.
pub async fn remember(State(app): State<Arc<App>>, headers: HeaderMap, body: Body) -> Result<Response, Instead> {
    let me: Me = form(&app, body).await?;
    let name = Name::of(&app, &headers, Some(&me.name));
    Ok(lead_to(way_back(&me.back).unwrap_or("/chat"), name.cookie))
}

/// The address of a page of this console, from a form; nothing else may be led to.
pub fn way_back(field: &str) -> Option<&str> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/-._~%?=&#".contains(&byte);
    let ours = field.starts_with('/') && !field.starts_with("//") && field.bytes().all(plain);
    ours.then_some(field)
}

fn tidy(app: &App, name: &str) -> String {
    let name = commands::tidy(app, name);
    let words: Vec<&str> = name.split_whitespace().collect();
    words.join(" ").chars().take(LONGEST).collect()
}

fn in_cookie(headers: &HeaderMap) -> Option<String> {
    let cookies = headers.get(header::COOKIE)?.to_str().ok()?;
    let value = cookies.split(';').find_map(|cookie| cookie.trim().strip_prefix(COOKIE)?.strip_prefix('='))?;
    Some(decoded(value))
}

/// The inverse of [`encoded`]; what is not encoded well stands as it is.
fn decoded(text: &str) -> String {
    let (mut bytes, mut rest) = (Vec::new(), text.as_bytes());
    while let Some((first, after)) = rest.split_first() {
        let byte = after.get(..2).filter(|_| *first == b'%').and_then(|digits| std::str::from_utf8(digits).ok());
        if let Some(byte) = byte.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            bytes.push(byte);
            rest = &after[2..];
        } else {
            bytes.push(*first);
            rest = after;
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_survives_its_cookie() {
        for name in ["ada", "Zoë Müller; x=1", "100% ada", "名前", "%zz%4"] {
            assert_eq!(decoded(&encoded(name)), name);
        }
        assert_eq!(decoded("100%"), "100%");
    }

    #[test]
    fn only_pages_of_this_console_are_led_back_to() {
        assert_eq!(way_back("/chat/incidents#m-3"), Some("/chat/incidents#m-3"));
        for foreign in ["", "https://evil.example", "//evil.example", "/\\evil.example", "/\r\nset-cookie: a=b", "chat"]
        {
            assert_eq!(way_back(foreign), None, "{foreign}");
        }
    }
}
