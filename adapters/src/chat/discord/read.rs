//! What stands in a message of Discord, as people read it.
//!
//! Discord passes on what a person typed, so of that only what Discord itself wrote is undone: names, times, emoji. Bots
//! escape what they quote, and so their escapes are undone too. People see the content, below it the embeds of bots, then
//! messages that were forwarded; previews of links are no part of a message.

use serde_json::Value;

use crate::chat::page::Page;
use crate::chat::{Addressee, File, Message};

pub(super) mod markdown;

#[cfg(test)]
mod tests;

use markdown::{Mark, Reader, Token};

/// Most files of a message.
const FILES: usize = 100;
/// How deep components may stand in each other.
const DEPTH: usize = 5;
/// Type of a component that shows text.
const WORDS: u64 = 10;

/// A message object of Discord as it reads.
pub fn message(message: &Value) -> Message {
    read(message, "")
}

/// As [`message()`], but without the mention of a user, and without the colon or comma that people put after it.
pub fn without_mention(message: &Value, user: &str) -> Message {
    read(message, user)
}

/// Whether the text of a message calls a user. That it answers a message of theirs, or calls everyone, does not count, nor
/// does what it forwards.
pub fn mentions(message: &Value, user: &str) -> bool {
    let is_told = list(message, "mentions").iter().any(|mentioned| text(mentioned, "id") == user);
    is_told
        && !user.is_empty()
        && markdown::parts(text(message, "content")).any(|part| match part {
            markdown::Part::Prose(prose) => {
                markdown::tokens(prose, false).any(|token| token == Token::Mark(Mark::User(user)))
            }
            markdown::Part::Code(_) => false,
        })
}

fn read(message: &Value, left_out: &str) -> Message {
    let mut page = Page::default();
    show(message, left_out, &mut page);
    for forwarded in forwarded(message) {
        page.break_line();
        show(forwarded, "", &mut page);
    }
    let all = std::iter::once(message).chain(forwarded(message));
    let files = all.flat_map(|message| list(message, "attachments")).filter_map(file).take(FILES).collect();
    let (text, code) = page.finish();
    Message { text, code, files, to: Addressee::default() }
}

fn forwarded(message: &Value) -> impl Iterator<Item = &Value> {
    list(message, "message_snapshots").iter().filter_map(|snapshot| snapshot.get("message"))
}

fn show(message: &Value, left_out: &str, page: &mut Page) {
    let author = message.get("author").filter(|author| author.is_object());
    let is_bot = message.get("webhook_id").is_some_and(Value::is_string)
        || author.is_some_and(|author| author.get("bot").and_then(Value::as_bool).unwrap_or_default());
    let reader = Reader { mentions: list(message, "mentions"), left_out, undoes_escapes: is_bot };
    reader.write(text(message, "content"), page);
    if author.is_some() && !is_bot {
        // What stands below it are previews.
        return;
    }
    let reader = Reader { undoes_escapes: true, ..reader };
    for embed in list(message, "embeds").iter().filter(|embed| matches!(text(embed, "type"), "" | "rich")) {
        page.break_line();
        show_embed(embed, &reader, page);
    }
    for component in list(message, "components") {
        show_component(component, &reader, page, DEPTH);
    }
}

fn show_embed(embed: &Value, reader: &Reader<'_>, page: &mut Page) {
    reader.write(text(embed, "title"), page);
    let (title, url) = (text(embed, "title"), text(embed, "url"));
    if !title.is_empty() && !url.is_empty() && title != url {
        page.push(&format!(" ({url})"));
    }
    page.break_line();
    reader.write(text(embed, "description"), page);
    for field in list(embed, "fields") {
        page.break_line();
        reader.write(text(field, "name"), page);
        page.push(": ");
        reader.write(text(field, "value"), page);
    }
}

/// The texts in a component: newer bots write messages of nothing else.
fn show_component(component: &Value, reader: &Reader<'_>, page: &mut Page, depth: usize) {
    if component.get("type").and_then(Value::as_u64) == Some(WORDS) {
        page.break_line();
        reader.write(text(component, "content"), page);
    }
    for inner in list(component, "components").iter().filter(|_| depth > 0) {
        show_component(inner, reader, page, depth - 1);
    }
}

/// A file as Discord tells of it; nothing when it does not say where it is.
pub fn file(attachment: &Value) -> Option<File> {
    let first = |keys: [&str; 2]| keys.into_iter().map(|key| text(attachment, key)).find(|text| !text.is_empty());
    Some(File {
        name: first(["filename", "title"]).unwrap_or("file").to_owned(),
        bytes: attachment.get("size").and_then(Value::as_u64).unwrap_or_default(),
        url: first(["url", "proxy_url"])?.to_owned(),
    })
}

/// The text at `key`; empty when there is none.
pub(super) fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

/// The list at `key`; empty when there is none.
pub(super) fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value.get(key).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}
