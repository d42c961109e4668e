//! What stands in a message of Slack, as people read it.
//!
//! Slack tells a message several times over: as `text` with its own marks, as `blocks`, as `attachments`. People see the
//! blocks, or the text where there are none, and below them the attachments. What Slack wrote for links, names and signs
//! is undone: people paste logs, and a line of a log must come out as it went in.

use serde_json::Value;

use crate::chat::page::Page;
use crate::chat::{Addressee, File, Message};

pub(super) mod mrkdwn;
pub(super) mod rich;

#[cfg(test)]
pub(super) mod tests;

/// Most files of a message.
const FILES: usize = 100;

/// What Slack says in place of an attachment that only newer clients can show.
const NO_PREVIEW: &str = "[no preview available]";

/// A message object of Slack (of an event, a thread, a shortcut) as it reads.
pub fn message(event: &Value) -> Message {
    let mut page = Page::default();
    show(event, &mut page);
    for attachment in list(event, "attachments").iter().filter(|attachment| !is_preview(attachment)) {
        page.break_line();
        show_attachment(attachment, &mut page);
    }
    let (text, code) = page.finish();
    Message { text, code, files: files(event), to: Addressee::default() }
}

/// Whether the message itself calls `bot_user`, the id of a user. What it forwards does not count.
pub fn mentions(event: &Value, bot_user: &str) -> bool {
    if bot_user.is_empty() {
        return false;
    }
    let in_text = mrkdwn::tokens(text(event, "text")).any(|token| match token {
        mrkdwn::Token::Marked(inner) => inner.strip_prefix('@').is_some_and(|user| name(user) == bot_user),
        _ => false,
    });
    in_text || list(event, "blocks").iter().any(|block| rich::calls(block, bot_user))
}

/// The id in `U1|ada`.
fn name(user: &str) -> &str {
    user.split_once('|').map_or(user, |(id, _)| id)
}

/// The text of a [`Message`] without the mention of `bot_user`, and without the colon or comma that people put after it.
pub fn without_mention(text: &str, bot_user: &str) -> String {
    let mention = format!("@{bot_user}");
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(&mention).filter(|_| !bot_user.is_empty()) {
        let after = &rest[at + mention.len()..];
        if after.starts_with(|c: char| c.is_ascii_alphanumeric()) {
            // Another user, whose id begins like that of the bot.
            kept.push_str(&rest[..at + mention.len()]);
            rest = after;
            continue;
        }
        kept.push_str(&rest[..at]);
        rest = after.trim_start_matches([':', ',']);
        if kept.is_empty() || kept.ends_with(char::is_whitespace) {
            rest = rest.trim_start_matches(' ');
        }
    }
    kept.push_str(rest);
    kept.trim_matches('\n').trim_end().to_owned()
}

/// The blocks; the text when they show nothing, as a row of buttons does.
fn show(message: &Value, page: &mut Page) {
    let blocks = list(message, "blocks");
    let escaped = rich::is_escaped(blocks, text(message, "text"));
    for block in blocks {
        show_block(block, escaped, page);
    }
    if page.is_empty() {
        mrkdwn::write(text(message, "text"), page);
    }
}

fn show_block(block: &Value, escaped: bool, page: &mut Page) {
    page.break_line();
    match text(block, "type") {
        "rich_text" => rich::write(block, escaped, page),
        "section" | "header" => {
            show_text(block.get("text"), page);
            for field in list(block, "fields") {
                page.break_line();
                show_text(Some(field), page);
            }
        }
        "context" => {
            for element in list(block, "elements") {
                page.space();
                show_text(Some(element), page);
            }
        }
        "markdown" => mrkdwn::write(text(block, "text"), page),
        "table" => show_table(block, escaped, page),
        _ => {}
    }
}

/// A row a line.
fn show_table(block: &Value, escaped: bool, page: &mut Page) {
    for row in list(block, "rows") {
        page.break_line();
        for cell in row.as_array().map_or(&[][..], Vec::as_slice) {
            page.space();
            match text(cell, "type") {
                "rich_text" => rich::write_in_line(cell, escaped, page),
                _ => page.push(text(cell, "text")),
            }
        }
    }
}

/// A text object. Plain text knows no links, but is escaped all the same.
fn show_text(object: Option<&Value>, page: &mut Page) {
    let Some(object) = object else { return };
    match text(object, "type") {
        "plain_text" => page.push(&mrkdwn::unescaped(text(object, "text"))),
        "mrkdwn" => mrkdwn::write(text(object, "text"), page),
        _ => {}
    }
}

/// Whether an attachment is what Slack or an app shows of a link in the text. A message that somebody passed on is none,
/// though Slack marks it alike.
pub(super) fn is_preview(attachment: &Value) -> bool {
    let is = |key: &str| attachment.get(key).and_then(Value::as_bool).unwrap_or_default();
    !is("is_share") && (is("is_msg_unfurl") || is("is_app_unfurl") || !text(attachment, "from_url").is_empty())
}

fn show_attachment(attachment: &Value, page: &mut Page) {
    let before = page.len();
    mrkdwn::write(text(attachment, "pretext"), page);
    let head = page.len();
    let passed_on = list(attachment, "message_blocks").iter().filter_map(|told| told.get("message"));
    for block in passed_on.flat_map(|message| list(message, "blocks")).chain(list(attachment, "blocks")) {
        show_block(block, false, page);
    }
    if page.len() > head {
        return;
    }
    page.break_line();
    mrkdwn::write_link(text(attachment, "title"), text(attachment, "title_link"), page);
    page.break_line();
    mrkdwn::write(text(attachment, "text"), page);
    for field in list(attachment, "fields") {
        page.break_line();
        mrkdwn::write(text(field, "title"), page);
        page.push(": ");
        mrkdwn::write(text(field, "value"), page);
    }
    if page.len() == before && text(attachment, "fallback") != NO_PREVIEW {
        mrkdwn::write(text(attachment, "fallback"), page);
    }
}

fn files(event: &Value) -> Vec<File> {
    let passed_on = list(event, "attachments").iter().filter(|attachment| !is_preview(attachment));
    let all = list(event, "files").iter().chain(passed_on.flat_map(|attachment| list(attachment, "files")));
    all.filter_map(file).take(FILES).collect()
}

/// A file that Slack keeps and still has.
fn file(file: &Value) -> Option<File> {
    let is_gone = matches!(text(file, "mode"), "tombstone" | "hidden_by_limit" | "quip" | "canvas" | "docs" | "list");
    let is_elsewhere = file.get("is_external").and_then(Value::as_bool).unwrap_or_default();
    let first = |keys: [&str; 2]| keys.into_iter().map(|key| text(file, key)).find(|text| !text.is_empty());
    let url = first(["url_private_download", "url_private"]).filter(|_| !is_gone && !is_elsewhere)?;
    Some(File {
        name: first(["name", "title"]).unwrap_or("file").to_owned(),
        bytes: file.get("size").and_then(Value::as_u64).unwrap_or_default(),
        url: url.to_owned(),
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
