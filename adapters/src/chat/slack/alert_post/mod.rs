//! Messages of bots in Slack, taken apart for whoever tells alerts from chatter.

use serde_json::Value;

use super::read::mrkdwn::{self, Address};
use super::read::{is_preview, list, rich, text};
use crate::alerts::Alert;
use crate::chat::alert_post::{self, BYTES, Line, Link, Look, Part, Post, cut, label_of};

#[cfg(test)]
mod tests;

/// Most attachments; Slack shows a hundred.
const PARTS: usize = 100;
/// What stands in place of an attachment that only newer clients can show.
const NO_PREVIEW: &str = "[no preview available]";

/// The alert in a message of a bot; `None` when it is chatter.
pub fn alert(message: &Value, channel: &str) -> Option<Alert> {
    alert_post::alert(&post(message)?, channel)
}

/// The message, when a bot posted it as a message of its own.
fn post(message: &Value) -> Option<Post> {
    let is_bots = !text(message, "bot_id").is_empty()
        || text(message, "subtype") == "bot_message"
        || message.get("bot_profile").is_some_and(Value::is_object);
    if !is_bots || !matches!(text(message, "subtype"), "" | "bot_message" | "thread_broadcast") {
        return None;
    }
    let profile = message.get("bot_profile").unwrap_or(&Value::Null);
    let sender = format!("{} {}", text(message, "username"), text(profile, "name"));
    let mut room = BYTES;
    let attachments = list(message, "attachments").iter().filter(|attachment| !is_preview(attachment)).take(PARTS);
    let parts = std::iter::once(Reader::of_message(message, &mut room))
        .chain(attachments.map(|attachment| Reader::of_attachment(attachment, &mut room)));
    Post::of(&sender, parts.collect::<Vec<_>>())
}

/// Reads a part of a message.
struct Reader<'a> {
    part: Part,
    /// Bytes that are still looked at.
    room: &'a mut usize,
}

impl Reader<'_> {
    fn of_message(message: &Value, room: &mut usize) -> Part {
        let mut reader = Reader { part: Part::default(), room };
        reader.add_blocks(list(message, "blocks"));
        if reader.part.is_empty() {
            reader.add_text(text(message, "text"));
        }
        reader.part
    }

    fn of_attachment(attachment: &Value, room: &mut usize) -> Part {
        let color = Look::of_color(text(attachment, "color"));
        let footer = mrkdwn::undone(cut(text(attachment, "footer"), room), Address::Hidden).to_lowercase();
        let mut reader = Reader { part: Part { color, footer, ..Part::default() }, room };
        reader.add_head(text(attachment, "pretext"));
        reader.add_blocks(list(attachment, "blocks"));
        let title_link = mrkdwn::unescaped(cut(text(attachment, "title_link"), reader.room));
        reader.part.title_link = Some(title_link).filter(|url| url.starts_with("http"));
        reader.add_head(text(attachment, "title"));
        reader.add_text(text(attachment, "text"));
        for field in list(attachment, "fields") {
            reader.add_field(text(field, "title"), text(field, "value"));
        }
        for action in list(attachment, "actions") {
            reader.add_button(text(action, "text"), text(action, "url"));
        }
        if reader.part.is_empty() && text(attachment, "fallback") != NO_PREVIEW {
            reader.add_head(text(attachment, "fallback"));
        }
        reader.part
    }

    fn add_blocks(&mut self, blocks: &[Value]) {
        for block in blocks {
            let text_of = |object: &Value| text(object, "text").to_owned();
            match text(block, "type") {
                "header" => self.add_head(&block.get("text").map(text_of).unwrap_or_default()),
                "section" => self.add_section(block),
                "context" => {
                    let words: Vec<String> = list(block, "elements").iter().map(text_of).collect();
                    self.add_text(words.join(" ").trim());
                }
                "markdown" => self.add_text(text(block, "text")),
                "rich_text" => self.add_rich_text(block),
                "actions" => list(block, "elements").iter().for_each(|element| self.add_element(element)),
                _ => {}
            }
        }
    }

    fn add_section(&mut self, block: &Value) {
        self.add_text(block.get("text").map(|object| text(object, "text")).unwrap_or_default());
        for field in list(block, "fields") {
            match split_field(text(field, "text")) {
                Some((name, value)) => self.add_field(name, value),
                None => self.add_text(text(field, "text")),
            }
        }
        if let Some(element) = block.get("accessory") {
            self.add_element(element);
        }
    }

    fn add_element(&mut self, element: &Value) {
        let label = element.get("text").map(|object| text(object, "text")).unwrap_or_default();
        self.add_button(label, text(element, "url"));
    }

    fn add_button(&mut self, label: &str, url: &str) {
        if !url.is_empty() {
            let (label, url) = (cut(label, self.room), cut(url, self.room));
            self.part.links.push(Link { label: mrkdwn::unescaped(label).to_lowercase(), url: mrkdwn::unescaped(url) });
        }
    }

    fn add_rich_text(&mut self, block: &Value) {
        let links = rich::links(block);
        let mut url = links.first().map(|(_, url)| url.clone());
        self.part.links.extend(links.into_iter().map(|(label, url)| Link { label: label.to_lowercase(), url }));
        let [shown, full] = [Address::Hidden, Address::Told].map(|address| rich::pieces(block, false, address));
        for pieces in shown.into_iter().zip(full) {
            match pieces {
                (rich::Piece::Prose(shown), rich::Piece::Prose(full)) => {
                    let lines = cut(&shown, self.room).lines().zip(full.lines());
                    self.part.lines.extend(lines.map(|(shown, full)| Line {
                        shown: shown.trim().to_owned(),
                        full: full.trim().to_owned(),
                        url: url.take(),
                    }));
                }
                (rich::Piece::Code(code), _) | (_, rich::Piece::Code(code)) => {
                    self.part.code.push(cut(&code, self.room).to_owned());
                }
            }
        }
    }

    fn add_head(&mut self, text: &str) {
        let text = marked(cut(text, self.room));
        self.part.add_head(text);
    }

    fn add_text(&mut self, text: &str) {
        let text = marked(cut(text, self.room));
        self.part.add_text(text);
    }

    fn add_field(&mut self, name: &str, value: &str) {
        let name = mrkdwn::undone(cut(name, self.room), Address::Hidden);
        let value = marked(cut(value, self.room));
        self.part.add_field(name, value);
    }
}

/// A text with Slack's marks, as a part of its own.
fn marked(text: &str) -> Part {
    let mut part = Part::default();
    for piece in mrkdwn::parts(text) {
        match piece {
            mrkdwn::Part::Code(code) => part.code.push(mrkdwn::undone_code(code)),
            mrkdwn::Part::Prose(prose) => prose.lines().for_each(|line| add_line(line, &mut part)),
        }
    }
    part
}

fn add_line(raw: &str, part: &mut Part) {
    let mut url = None;
    for link in mrkdwn::links(raw) {
        url.get_or_insert_with(|| link.url.clone());
        // A bare link, and a picture as one, are called what stands before them: `*Runbook:* <https://x|:book:>`.
        let is_named = !link.label.starts_with(':') && !link.label.is_empty();
        let label = if is_named { link.label.to_lowercase() } else { label_of(&link.before) };
        part.links.push(Link { label, url: link.url });
    }
    let shown = mrkdwn::undone(raw, Address::Hidden).trim().to_owned();
    part.lines.push(Line { shown, full: mrkdwn::undone(raw, Address::Told).trim().to_owned(), url });
}

/// Name and value of a field of a block: `*Severity*\nhigh`, `*Severity:* high`.
fn split_field(text: &str) -> Option<(&str, &str)> {
    let bold = text.strip_prefix('*').and_then(|text| text.split_once('*'));
    let (name, value) = bold.or_else(|| text.split_once('\n')).or_else(|| text.split_once(": "))?;
    let name = name.trim().trim_end_matches(':');
    let value = value.trim_start_matches([':', ' ', '\n']);
    (!name.is_empty() && name.len() <= 60 && !name.contains('\n')).then_some((name, value))
}
