//! A message of a bot, taken apart: what stands in it line by line, with fields, links and code by themselves.

use serde_json::Value;

use super::look::Look;
use crate::chat::slack::read::mrkdwn::{self, Address};
use crate::chat::slack::read::{is_preview, list, rich, text};

/// Most bytes that are looked at.
const BYTES: usize = 256 * 1_024;
/// Most attachments; Slack shows a hundred.
const PARTS: usize = 100;
/// What stands in place of an attachment that only newer clients can show.
const NO_PREVIEW: &str = "[no preview available]";

/// A message of a bot.
pub(super) struct Post {
    /// Names of the sender, in lower case.
    pub sender: String,
    /// The message itself, then its attachments; only those that show something.
    pub parts: Vec<Part>,
}

/// A message or an attachment.
#[derive(Default)]
pub(super) struct Part {
    /// What stands out as a title: titles, headers, what stands before an attachment.
    pub heads: Vec<Line>,
    /// The lines below.
    pub lines: Vec<Line>,
    /// Names and values, as fields.
    pub fields: Vec<(String, Line)>,
    /// Links and buttons, in their order, with labels in lower case.
    pub links: Vec<Link>,
    /// Where the title leads.
    pub title_link: Option<String>,
    /// Code blocks.
    pub code: Vec<String>,
    /// What its colour says.
    pub color: Option<Look>,
    /// The small print, in lower case.
    pub footer: String,
}

/// A line.
#[derive(Default, Clone)]
pub(super) struct Line {
    /// What people see.
    pub shown: String,
    /// The same with the addresses of links.
    pub full: String,
    /// The first link in it.
    pub url: Option<String>,
}

/// A link or a button.
pub(super) struct Link {
    pub label: String,
    pub url: String,
}

impl Post {
    /// The message, when a bot posted it as a message of its own.
    pub(super) fn of(message: &Value) -> Option<Self> {
        let is_bots = !text(message, "bot_id").is_empty()
            || text(message, "subtype") == "bot_message"
            || message.get("bot_profile").is_some_and(Value::is_object);
        if !is_bots || !matches!(text(message, "subtype"), "" | "bot_message" | "thread_broadcast") {
            return None;
        }
        let profile = message.get("bot_profile").unwrap_or(&Value::Null);
        let sender = format!("{} {}", text(message, "username"), text(profile, "name")).to_lowercase();
        let mut room = BYTES;
        let attachments = list(message, "attachments").iter().filter(|attachment| !is_preview(attachment)).take(PARTS);
        let parts = std::iter::once(Part::of_message(message, &mut room))
            .chain(attachments.map(|attachment| Part::of_attachment(attachment, &mut room)))
            .filter(|part| !part.is_empty());
        let parts: Vec<Part> = parts.collect();
        (!parts.is_empty()).then_some(Self { sender, parts })
    }

    /// The first link whose label is so.
    pub(super) fn link(&self, is: impl Fn(&str) -> bool) -> Option<String> {
        self.parts.iter().find_map(|part| part.link(&is))
    }
}

impl Part {
    fn of_message(message: &Value, room: &mut usize) -> Self {
        let mut part = Self::default();
        part.add_blocks(list(message, "blocks"), room);
        if part.is_empty() {
            part.add_text(text(message, "text"), room);
        }
        part
    }

    fn of_attachment(attachment: &Value, room: &mut usize) -> Self {
        let mut part = Self {
            color: Look::of_color(text(attachment, "color")),
            footer: mrkdwn::undone(cut(text(attachment, "footer"), room), Address::Hidden).to_lowercase(),
            ..Self::default()
        };
        part.add_head(text(attachment, "pretext"), room);
        part.add_blocks(list(attachment, "blocks"), room);
        let title_link = mrkdwn::unescaped(cut(text(attachment, "title_link"), room));
        part.title_link = Some(title_link).filter(|url| url.starts_with("http"));
        part.add_head(text(attachment, "title"), room);
        part.add_text(text(attachment, "text"), room);
        for field in list(attachment, "fields") {
            part.add_field(text(field, "title"), text(field, "value"), room);
        }
        for action in list(attachment, "actions") {
            part.add_button(text(action, "text"), text(action, "url"), room);
        }
        if part.is_empty() && text(attachment, "fallback") != NO_PREVIEW {
            part.add_head(text(attachment, "fallback"), room);
        }
        part
    }

    fn is_empty(&self) -> bool {
        self.heads.is_empty() && self.lines.iter().all(|line| line.shown.is_empty()) && self.fields.is_empty()
    }

    fn add_blocks(&mut self, blocks: &[Value], room: &mut usize) {
        for block in blocks {
            let text_of = |object: &Value| text(object, "text").to_owned();
            match text(block, "type") {
                "header" => self.add_head(&block.get("text").map(text_of).unwrap_or_default(), room),
                "section" => self.add_section(block, room),
                "context" => {
                    let words: Vec<String> = list(block, "elements").iter().map(text_of).collect();
                    self.add_text(words.join(" ").trim(), room);
                }
                "markdown" => self.add_text(text(block, "text"), room),
                "rich_text" => self.add_rich_text(block, room),
                "actions" => list(block, "elements").iter().for_each(|element| self.add_element(element, room)),
                _ => {}
            }
        }
    }

    fn add_section(&mut self, block: &Value, room: &mut usize) {
        self.add_text(block.get("text").map(|object| text(object, "text")).unwrap_or_default(), room);
        for field in list(block, "fields") {
            match split_field(text(field, "text")) {
                Some((name, value)) => self.add_field(name, value, room),
                None => self.add_text(text(field, "text"), room),
            }
        }
        if let Some(element) = block.get("accessory") {
            self.add_element(element, room);
        }
    }

    fn add_element(&mut self, element: &Value, room: &mut usize) {
        let label = element.get("text").map(|object| text(object, "text")).unwrap_or_default();
        self.add_button(label, text(element, "url"), room);
    }

    fn add_button(&mut self, label: &str, url: &str, room: &mut usize) {
        if !url.is_empty() {
            let (label, url) = (cut(label, room), cut(url, room));
            self.links.push(Link { label: mrkdwn::unescaped(label).to_lowercase(), url: mrkdwn::unescaped(url) });
        }
    }

    fn add_rich_text(&mut self, block: &Value, room: &mut usize) {
        let links = rich::links(block);
        let mut url = links.first().map(|(_, url)| url.clone());
        self.links.extend(links.into_iter().map(|(label, url)| Link { label: label.to_lowercase(), url }));
        let [shown, full] = [Address::Hidden, Address::Told].map(|address| rich::pieces(block, false, address));
        for pieces in shown.into_iter().zip(full) {
            match pieces {
                (rich::Piece::Prose(shown), rich::Piece::Prose(full)) => {
                    let lines = cut(&shown, room).lines().zip(full.lines());
                    self.lines.extend(lines.map(|(shown, full)| Line {
                        shown: shown.trim().to_owned(),
                        full: full.trim().to_owned(),
                        url: url.take(),
                    }));
                }
                (rich::Piece::Code(code), _) | (_, rich::Piece::Code(code)) => {
                    self.code.push(cut(&code, room).to_owned());
                }
            }
        }
    }

    fn add_head(&mut self, text: &str, room: &mut usize) {
        let mut part = Self::default();
        part.add_text(text, room);
        self.heads.extend(part.lines.into_iter().filter(|line| !line.shown.is_empty()));
        self.links.extend(part.links);
        self.code.extend(part.code);
    }

    fn add_text(&mut self, text: &str, room: &mut usize) {
        for part in mrkdwn::parts(cut(text, room)) {
            match part {
                mrkdwn::Part::Code(code) => self.code.push(mrkdwn::undone_code(code)),
                mrkdwn::Part::Prose(prose) => {
                    for line in prose.lines() {
                        let line = self.line(line);
                        self.lines.push(line);
                    }
                }
            }
        }
    }

    fn add_field(&mut self, name: &str, value: &str, room: &mut usize) {
        let name = mrkdwn::undone(cut(name, room), Address::Hidden);
        let mut value_part = Self::default();
        value_part.add_text(value, room);
        let join =
            |of: fn(&Line) -> &str| value_part.lines.iter().map(of).collect::<Vec<_>>().join("\n").trim().to_owned();
        let value = Line {
            shown: join(|line| &line.shown),
            full: join(|line| &line.full),
            url: value_part.lines.iter().find_map(|line| line.url.clone()),
        };
        // A link in a field is called what the field is called.
        let (links, label) = (value_part.links.into_iter(), label_of(&name));
        self.links.extend(links.map(|link| Link { label: format!("{label} {}", link.label), url: link.url }));
        self.code.extend(value_part.code);
        if !(name.is_empty() && value.shown.is_empty()) {
            self.fields.push((name, value));
        }
    }

    fn line(&mut self, raw: &str) -> Line {
        let mut url = None;
        for link in mrkdwn::links(raw) {
            url.get_or_insert_with(|| link.url.clone());
            // A bare link, and a picture as one, are called what stands before them: `*Runbook:* <https://x|:book:>`.
            let is_named = !link.label.starts_with(':') && !link.label.is_empty();
            let label = if is_named { link.label.to_lowercase() } else { label_of(&link.before) };
            self.links.push(Link { label, url: link.url });
        }
        let shown = mrkdwn::undone(raw, Address::Hidden).trim().to_owned();
        Line { shown, full: mrkdwn::undone(raw, Address::Told).trim().to_owned(), url }
    }

    /// The first link whose label is so.
    pub(super) fn link(&self, is: impl Fn(&str) -> bool) -> Option<String> {
        let is_web = |url: &str| url.starts_with("https://") || url.starts_with("http://");
        self.links.iter().find(|link| is_web(&link.url) && is(&link.label)).map(|link| link.url.clone())
    }
}

/// Name and value of a field of a block: `*Severity*\nhigh`, `*Severity:* high`.
fn split_field(text: &str) -> Option<(&str, &str)> {
    let bold = text.strip_prefix('*').and_then(|text| text.split_once('*'));
    let (name, value) = bold.or_else(|| text.split_once('\n')).or_else(|| text.split_once(": "))?;
    let name = name.trim().trim_end_matches(':');
    let value = value.trim_start_matches([':', ' ', '\n']);
    (!name.is_empty() && name.len() <= 60 && !name.contains('\n')).then_some((name, value))
}

/// What a link is called by the words before it: not by all of a long line.
fn label_of(words: &str) -> String {
    words[words.ceil_char_boundary(words.len().saturating_sub(80))..].to_lowercase()
}

/// What of `text` there is room for.
fn cut<'a>(text: &'a str, room: &mut usize) -> &'a str {
    let kept = &text[..text.floor_char_boundary(*room)];
    *room -= kept.len();
    kept
}
