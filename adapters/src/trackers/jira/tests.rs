#![allow(clippy::unwrap_used)] // a test that fails stops

use std::collections::BTreeMap;

use crate::chat::{Item, Rich, Section, Span};

mod calls;
mod deliveries;
mod refusals;
mod setting;
mod texts;
mod ways;

use super::Settings;

/// Settings of a project OPS, and others.
fn settings(others: &[(&str, &str)]) -> Result<Settings, String> {
    let all =
        [("url", "https://acme.atlassian.net/"), ("user", "clew@acme.example"), ("token", "t0k"), ("project", "OPS")];
    let all: BTreeMap<&str, &str> = all.into_iter().chain(others.iter().copied()).collect();
    Settings::read(&|key| all.get(key).map(|value| (*value).to_owned())).map_err(|error| error.to_string())
}

fn words(words: &str) -> Rich {
    vec![Span::Text(words.into())]
}

fn section(heading: &str, items: Vec<Item>) -> Section {
    Section { heading: heading.into(), items }
}

fn item(sentence: Rich, quote: Option<&str>) -> Item {
    Item { text: sentence, quote: quote.map(str::to_owned) }
}
