//! Messages of bots and webhooks in Discord, taken apart for whoever tells alerts from chatter.

use serde_json::Value;

use crate::alerts::Alert;
use crate::alerts::common::time;
use crate::chat::alert_post::{self, BYTES, Link, Look, Part, Post, cut};

mod markdown;
#[cfg(test)]
mod tests;

/// Most embeds of a message; Discord shows ten.
const EMBEDS: usize = 10;
/// Deepest nesting of components that is looked at; Discord nests three levels.
const DEPTH: usize = 5;

/// Kinds of messages (`type`): one by itself, and an answer to another.
const PLAIN: u64 = 0;
const REPLY: u64 = 19;
/// Set in `flags` of what was posted in another server and is shown here, too.
const IS_CROSSPOST: u64 = 1 << 1;

/// Kinds of components.
const ACTION_ROW: u64 = 1;
const BUTTON: u64 = 2;
const SECTION: u64 = 9;
const TEXT_DISPLAY: u64 = 10;
const CONTAINER: u64 = 17;

/// The alert in a message of a bot or a webhook; `None` when it is chatter.
pub fn alert(message: &Value, channel: &str) -> Option<Alert> {
    alert_post::alert(&post(message)?, channel)
}

/// The message, when a bot posted it by itself.
fn post(message: &Value) -> Option<Post> {
    let author = message.get("author").unwrap_or(&Value::Null);
    if !is_bot(author) && text(message, "webhook_id").is_empty() || is_answer(message) {
        return None;
    }
    // Whatever other servers announce is not what goes wrong here.
    if number(message, "flags") & IS_CROSSPOST != 0 {
        return None;
    }
    let mut reader = Reader { room: BYTES };
    let mut whole = Part::default();
    reader.add_text(text(message, "content"), &mut whole);
    let mut parts = Vec::new();
    reader.add_components(list(message, "components"), &mut whole, &mut parts, DEPTH);
    let embeds = list(message, "embeds").iter().filter(|embed| !is_preview(embed)).take(EMBEDS);
    parts.extend(embeds.map(|embed| reader.embed(embed)));
    // Buttons below a message without words belong to what it shows.
    match parts.iter_mut().find(|part| !part.is_empty()) {
        Some(first) if whole.is_empty() => first.links.append(&mut whole.links),
        _ => {}
    }
    let sender = format!("{} {}", text(author, "username"), text(author, "global_name"));
    Post::of(&sender, std::iter::once(whole).chain(parts))
}

fn is_bot(author: &Value) -> bool {
    author.get("bot").and_then(Value::as_bool).unwrap_or_default()
}

/// Whether somebody asked for it: with a command, or with a message that it answers. Bots may answer themselves, as with
/// the end of an alert.
fn is_answer(message: &Value) -> bool {
    let is_asked =
        ["interaction", "interaction_metadata"].iter().any(|key| message.get(key).is_some_and(Value::is_object));
    let is_own = || message.pointer("/referenced_message/author").is_some_and(is_bot);
    match number(message, "type") {
        PLAIN => is_asked,
        REPLY => is_asked || !is_own(),
        _ => true,
    }
}

/// Whether Discord made the embed of a link in the text.
fn is_preview(embed: &Value) -> bool {
    !matches!(text(embed, "type"), "" | "rich")
}

/// Reads the parts of a message.
struct Reader {
    /// Bytes that are still looked at.
    room: usize,
}

impl Reader {
    fn embed(&mut self, embed: &Value) -> Part {
        let footer = embed.get("footer").map(|footer| text(footer, "text")).unwrap_or_default();
        let author = embed.get("author").map(|author| text(author, "name")).unwrap_or_default();
        let mut part = Part {
            color: color(embed.get("color")),
            footer: markdown::plain(cut(footer, &mut self.room)).to_lowercase(),
            title_link: Some(cut(text(embed, "url"), &mut self.room).to_owned()).filter(|url| url.starts_with("http")),
            time: embed.get("timestamp").and_then(time),
            ..Part::default()
        };
        let title = text(embed, "title");
        part.add_head(markdown::read(cut(if title.is_empty() { author } else { title }, &mut self.room)));
        self.add_text(text(embed, "description"), &mut part);
        for field in list(embed, "fields") {
            let name = markdown::plain(cut(text(field, "name"), &mut self.room));
            let value = markdown::read(cut(text(field, "value"), &mut self.room));
            // A value that only spaces the name out: Discord takes no empty ones.
            if value.is_empty() && value.code.is_empty() {
                part.add_text(markdown::read(&name));
            } else {
                part.add_field(name, value);
            }
        }
        if !title.is_empty() {
            self.add_text(author, &mut part);
        }
        part
    }

    /// Adds what components show to `part`. A container is a part of its own.
    fn add_components(&mut self, components: &[Value], part: &mut Part, others: &mut Vec<Part>, depth: usize) {
        if depth == 0 {
            return;
        }
        for component in components {
            match number(component, "type") {
                ACTION_ROW => self.add_components(list(component, "components"), part, others, depth - 1),
                SECTION => {
                    self.add_components(list(component, "components"), part, others, depth - 1);
                    self.add_components(
                        component.get("accessory").map_or(&[], std::slice::from_ref),
                        part,
                        others,
                        depth - 1,
                    );
                }
                BUTTON => self.add_button(component, part),
                TEXT_DISPLAY => self.add_text(text(component, "content"), part),
                CONTAINER => {
                    let mut own = Part { color: color(component.get("accent_color")), ..Part::default() };
                    self.add_components(list(component, "components"), &mut own, others, depth - 1);
                    others.push(own);
                }
                _ => {}
            }
        }
    }

    fn add_button(&mut self, button: &Value, part: &mut Part) {
        let url = cut(text(button, "url"), &mut self.room).to_owned();
        if !url.is_empty() {
            part.links.push(Link { label: cut(text(button, "label"), &mut self.room).to_lowercase(), url });
        }
    }

    /// Adds a text. A heading at its beginning is a title.
    fn add_text(&mut self, text: &str, part: &mut Part) {
        let text = cut(text, &mut self.room);
        let (heading, rest) = match markdown::heading(text) {
            Some((heading, rest)) if part.is_empty() => (heading, rest),
            _ => ("", text),
        };
        part.add_head(markdown::read(heading));
        part.add_text(markdown::read(rest));
    }
}

/// What a colour says. Some senders write the number as text; 0 is no colour.
fn color(value: Option<&Value>) -> Option<Look> {
    let value = value?;
    let number = value.as_u64().or_else(|| value.as_str()?.parse().ok())?;
    u32::try_from(number).ok().filter(|number| *number > 0).and_then(Look::of_rgb)
}

fn number(value: &Value, key: &str) -> u64 {
    value.get(key).and_then(Value::as_u64).unwrap_or_default()
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value.get(key).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}
