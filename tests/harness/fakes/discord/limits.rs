//! The limits of what is shown: how long texts and how many things may be. Discord counts characters somewhere between
//! code points and UTF-16 units; here the larger number counts.

use std::collections::BTreeSet;

use serde_json::Value;

use super::message::COMPONENTS_V2;
use super::refusal::Wrong;

/// Characters of all embeds of a message together.
const ALL_EMBEDS: usize = 6_000;
/// Components of a message with the flag for the newer ones, those inside of others among them.
const NEWER_COMPONENTS: usize = 40;

/// Looks at a body and notes what is wrong.
#[derive(Debug, Default)]
pub struct Checker {
    pub wrong: Vec<Wrong>,
    ids: BTreeSet<String>,
}

/// What of a message breaks a limit; empty when nothing does.
#[must_use]
pub fn check_message(message: &Value) -> Vec<String> {
    texts(wrong_in_message(message))
}

/// What of a form (`custom_id`, `title`, `components`) breaks a limit; empty when nothing does.
#[must_use]
pub fn check_modal(modal: &Value) -> Vec<String> {
    texts(wrong_in_modal(modal))
}

fn texts(wrong: Vec<Wrong>) -> Vec<String> {
    wrong.into_iter().map(|Wrong { path, code, message }| format!("{path}: {code}: {message}")).collect()
}

pub fn wrong_in_message(message: &Value) -> Vec<Wrong> {
    let mut checker = Checker::default();
    checker.message(message);
    checker.wrong
}

pub fn wrong_in_modal(modal: &Value) -> Vec<Wrong> {
    let mut checker = Checker::default();
    checker.modal(modal);
    checker.wrong
}

/// Characters as Discord counts them at most.
pub fn length(text: &str) -> usize {
    text.encode_utf16().count()
}

/// The items of an array; none when it is no array.
pub fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

impl Checker {
    pub fn note(&mut self, path: &str, code: &'static str, message: impl Into<String>) {
        self.wrong.push(Wrong::new(path, code, message));
    }

    /// A text of at least so many and at most so many characters. One that is not there is wrong only when it must be.
    pub fn text(&mut self, path: &str, text: &Value, least: usize, most: usize) {
        let Some(said) = text.as_str() else {
            if least > 0 || !text.is_null() {
                self.note(path, "BASE_TYPE_REQUIRED", "This field is required");
            }
            return;
        };
        // Spaces around a text are taken away before it is counted as empty.
        if least > 0 && said.trim().is_empty() {
            self.note(path, "BASE_TYPE_REQUIRED", "This field is required");
        } else if length(said) > most {
            self.note(path, "BASE_TYPE_MAX_LENGTH", format!("Must be {most} or fewer in length."));
        } else if length(said) < least {
            self.note(path, "BASE_TYPE_MIN_LENGTH", format!("Must be {least} or more in length."));
        }
    }

    /// A text that may be missing, but not too long.
    pub fn optional(&mut self, path: &str, text: &Value, most: usize) {
        if !text.is_null() {
            self.text(path, text, 0, most);
        }
    }

    /// So many things.
    pub fn count(&mut self, path: &str, count: usize, least: usize, most: usize) {
        if !(least..=most).contains(&count) {
            let message = format!("Must be between {least} and {most} in length.");
            self.note(path, "BASE_TYPE_BAD_LENGTH", message);
        }
    }

    fn message(&mut self, message: &Value) {
        self.optional("content", &message["content"], 2_000);
        if let Some(nonce) = message["nonce"].as_str() {
            self.text("nonce", &Value::from(nonce), 0, 25);
        }
        let embeds = list(&message["embeds"]);
        self.count("embeds", embeds.len(), 0, 10);
        let total: usize =
            embeds.iter().enumerate().map(|(at, embed)| self.embed(&format!("embeds.{at}"), embed)).sum();
        if total > ALL_EMBEDS {
            self.note("embeds", "MAX_EMBED_SIZE_EXCEEDED", format!("Embed size exceeds maximum size of {ALL_EMBEDS}"));
        }
        let newer = message["flags"].as_u64().unwrap_or(0) & COMPONENTS_V2 != 0;
        let components = list(&message["components"]);
        if newer {
            self.count("components", count_all(components), 0, NEWER_COMPONENTS);
            if !message["content"].as_str().unwrap_or("").is_empty() || !embeds.is_empty() {
                let taken = "The 'content' and 'embeds' fields cannot be used when using MessageFlags.IS_COMPONENTS_V2";
                self.note("", "MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2", taken);
            }
        } else {
            self.count("components", components.len(), 0, 5);
        }
        for (at, component) in components.iter().enumerate() {
            self.component(&format!("components.{at}"), component, newer);
        }
    }

    /// Returns how many of the characters of all embeds this one takes.
    fn embed(&mut self, path: &str, embed: &Value) -> usize {
        let mut taken = 0;
        let mut texts = vec![
            ("title".to_owned(), &embed["title"], 256),
            ("description".to_owned(), &embed["description"], 4_096),
            ("footer.text".to_owned(), &embed["footer"]["text"], 2_048),
            ("author.name".to_owned(), &embed["author"]["name"], 256),
        ];
        let fields = list(&embed["fields"]);
        self.count(&format!("{path}.fields"), fields.len(), 0, 25);
        for (at, field) in fields.iter().enumerate() {
            texts.push((format!("fields.{at}.name"), &field["name"], 256));
            texts.push((format!("fields.{at}.value"), &field["value"], 1_024));
        }
        for (name, text, most) in texts {
            let least = usize::from(name.starts_with("fields"));
            if least > 0 || !text.is_null() {
                self.text(&format!("{path}.{name}"), text, least, most);
            }
            taken += length(text.as_str().unwrap_or(""));
        }
        for name in ["url", "image.url", "thumbnail.url", "author.url"] {
            let url = name.split('.').fold(embed, |value, step| &value[step]);
            self.address(&format!("{path}.{name}"), url);
        }
        // An embed with nothing in it is refused as an empty message is.
        let shows = ["image", "thumbnail", "url"].iter().any(|name| !embed[*name].is_null());
        if taken == 0 && !shows {
            self.note(path, "BASE_TYPE_REQUIRED", "This field is required");
        }
        taken
    }

    pub fn address(&mut self, path: &str, url: &Value) {
        let Some(url) = url.as_str() else { return };
        if !["http://", "https://", "attachment://", "discord://"].iter().any(|scheme| url.starts_with(scheme)) {
            let scheme = "Scheme must be one of ('http', 'https').";
            self.note(path, "URL_TYPE_INVALID_SCHEME", format!("\"{url}\": {scheme}"));
        } else if url.chars().any(char::is_whitespace) {
            self.note(path, "URL_TYPE_INVALID_URL", "Not a well formed URL.");
        }
        self.text(path, &Value::from(url), 0, 2_048);
    }

    /// The id of a control, which no other may have.
    pub fn custom_id(&mut self, path: &str, id: &Value) {
        let path = format!("{path}.custom_id");
        self.text(&path, id, 1, 100);
        if let Some(id) = id.as_str()
            && !self.ids.insert(id.to_owned())
        {
            self.note(&path, "COMPONENT_CUSTOM_ID_DUPLICATED", "Component custom id cannot be duplicated");
        }
    }
}

/// Components with those inside of them.
fn count_all(components: &[Value]) -> usize {
    components
        .iter()
        .map(|component| 1 + count_all(list(&component["components"])) + usize::from(!component["accessory"].is_null()))
        .sum()
}
