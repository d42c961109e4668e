//! Blocks of rich text: what people type, as the editor of Slack keeps it.

use serde_json::Value;

use super::mrkdwn::{Address, link, unescaped};
use super::{list, text};
use crate::chat::page::Page;

/// Deepest nesting that is looked at: Slack nests three levels.
const DEPTH: usize = 8;

/// A part of a block of rich text.
pub(in crate::chat::slack) enum Piece {
    /// Words: a paragraph, an item of a list.
    Prose(String),
    /// Code, as it was pasted.
    Code(String),
}

/// Writes a block of rich text.
pub(super) fn write(block: &Value, escaped: bool, page: &mut Page) {
    for piece in pieces(block, escaped, Address::Told) {
        page.break_line();
        match piece {
            Piece::Prose(prose) => page.push(&prose),
            Piece::Code(code) => page.push_code(&code),
        }
    }
}

/// The parts of a block of rich text, each on lines of its own.
pub(in crate::chat::slack) fn pieces(block: &Value, escaped: bool, address: Address) -> Vec<Piece> {
    let mut pieces = Vec::new();
    for element in list(block, "elements") {
        match text(element, "type") {
            "rich_text_preformatted" => pieces.push(Piece::Code(code(list(element, "elements"), escaped))),
            "rich_text_list" => pieces.extend(items(element, escaped, address)),
            _ => pieces.push(Piece::Prose(sentence(list(element, "elements"), escaped, address))),
        }
    }
    pieces
}

/// Writes a block of rich text where there is one line for it.
pub(super) fn write_in_line(block: &Value, escaped: bool, page: &mut Page) {
    for element in list(block, "elements") {
        page.push(&sentence(list(element, "elements"), escaped, Address::Told));
    }
}

fn items(element: &Value, escaped: bool, address: Address) -> impl Iterator<Item = Piece> {
    let number = |key: &str| element.get(key).and_then(Value::as_u64).unwrap_or_default();
    // Whatever is claimed: Slack has eight levels.
    let indent = "  ".repeat(usize::try_from(number("indent").min(8)).unwrap_or_default());
    let is_ordered = text(element, "style") == "ordered";
    list(element, "elements").iter().zip(number("offset")..).map(move |(item, index)| {
        let sign = if is_ordered { format!("{}.", index.saturating_add(1)) } else { "•".to_owned() };
        Piece::Prose(format!("{indent}{sign} {}", sentence(list(item, "elements"), escaped, address)))
    })
}

/// Code as it was pasted.
fn code(elements: &[Value], escaped: bool) -> String {
    let code: String = elements.iter().map(|element| shown(element, escaped, Address::Hidden)).collect();
    let code = code.strip_prefix('\n').unwrap_or(&code);
    code.strip_suffix('\n').unwrap_or(code).to_owned()
}

/// Words with code between backticks, as it was typed.
fn sentence(elements: &[Value], escaped: bool, address: Address) -> String {
    let mut sentence = String::new();
    let mut in_code = false;
    for element in elements {
        let is_code = element.pointer("/style/code").and_then(Value::as_bool).unwrap_or_default();
        if is_code != in_code {
            sentence.push('`');
            in_code = is_code;
        }
        sentence.push_str(&shown(element, escaped, if is_code { Address::Hidden } else { address }));
    }
    if in_code {
        sentence.push('`');
    }
    sentence
}

/// What people see of an element.
fn shown(element: &Value, escaped: bool, address: Address) -> String {
    let said = |key: &str| {
        let raw = text(element, key);
        if escaped { unescaped(raw) } else { raw.to_owned() }
    };
    match text(element, "type") {
        "link" => link(&said("text"), &said("url"), address),
        "emoji" => format!(":{}:", said("name")),
        "user" => format!("@{}", said("user_id")),
        "usergroup" => format!("@{}", said("usergroup_id")),
        "channel" => format!("#{}", said("channel_id")),
        "broadcast" => format!("@{}", said("range")),
        "color" => said("value"),
        "date" => match element.get("timestamp") {
            Some(time) if text(element, "fallback").is_empty() => time.to_string(),
            _ => said("fallback"),
        },
        _ => said("text"),
    }
}

/// Whether a block of rich text calls a user.
pub(super) fn calls(block: &Value, user: &str) -> bool {
    any(block, DEPTH, &mut |element| text(element, "type") == "user" && text(element, "user_id") == user)
}

/// The links in a block of rich text, as label and address.
pub(in crate::chat::slack) fn links(block: &Value) -> Vec<(String, String)> {
    let mut links = Vec::new();
    any(block, DEPTH, &mut |element| {
        if text(element, "type") == "link" {
            links.push((text(element, "text").to_owned(), text(element, "url").to_owned()));
        }
        false
    });
    links
}

/// Whether rich text is escaped as the text of the message is. In events it is not; in what Slack sends when somebody
/// presses or chooses something, it may be. An escape that somebody typed themselves stands twice escaped in the text.
pub(super) fn is_escaped(blocks: &[Value], message: &str) -> bool {
    let is_typed = ["&amp;lt;", "&amp;gt;", "&amp;amp;"].iter().any(|typed| message.contains(typed));
    if is_typed || !["&lt;", "&gt;", "&amp;"].iter().any(|escape| message.contains(escape)) {
        return false;
    }
    let mut has_escapes = false;
    let has_signs = blocks.iter().any(|block| {
        any(block, DEPTH, &mut |element| {
            let text = text(element, "text");
            has_escapes |= text.contains('&');
            text.contains(['<', '>'])
                || text.split('&').skip(1).any(|rest| !["lt;", "gt;", "amp;"].iter().any(|name| rest.starts_with(name)))
        })
    });
    has_escapes && !has_signs
}

/// Whether `is` holds for an element of a block of rich text.
fn any(element: &Value, depth: usize, is: &mut impl FnMut(&Value) -> bool) -> bool {
    if depth == 0 || (depth == DEPTH && text(element, "type") != "rich_text") {
        return false;
    }
    list(element, "elements").iter().any(|inner| is(inner) || any(inner, depth - 1, is))
}
