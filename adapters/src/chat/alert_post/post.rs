//! A message of a bot, taken apart: what stands in it line by line, with fields, links and code by themselves.
//!
//! The platforms make it of what they deliver. Words in bold stand between single asterisks, code within a line between
//! backticks; of a link only the label is shown.

use super::look::Look;

/// Most bytes of a message that are looked at.
pub const BYTES: usize = 256 * 1_024;

/// A message of a bot.
pub struct Post {
    /// Names of the sender, in lower case.
    pub sender: String,
    /// The message itself, then what is attached to it; only what shows something.
    pub parts: Vec<Part>,
}

/// A message, or what is attached to it.
#[derive(Default)]
pub struct Part {
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
    /// When it happened, as RFC 3339 in UTC, where the platform keeps it apart from the words.
    pub time: Option<String>,
}

/// A line.
#[derive(Default, Clone)]
pub struct Line {
    /// What people see.
    pub shown: String,
    /// The same with the addresses of links.
    pub full: String,
    /// The first link in it.
    pub url: Option<String>,
}

/// A link or a button.
pub struct Link {
    /// What people see of it, in lower case.
    pub label: String,
    /// Where it leads.
    pub url: String,
}

impl Post {
    /// A message of these parts; `None` when there is nothing to see.
    pub fn of(sender: &str, parts: impl IntoIterator<Item = Part>) -> Option<Self> {
        let parts: Vec<Part> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        (!parts.is_empty()).then(|| Self { sender: sender.to_lowercase(), parts })
    }

    /// The first link whose label is so.
    pub(super) fn link(&self, is: impl Fn(&str) -> bool) -> Option<String> {
        self.parts.iter().find_map(|part| part.link(&is))
    }
}

impl Part {
    /// Whether it shows nothing.
    pub fn is_empty(&self) -> bool {
        self.heads.is_empty() && self.lines.iter().all(|line| line.shown.is_empty()) && self.fields.is_empty()
    }

    /// Adds `text`, which was read as a part of its own.
    pub fn add_text(&mut self, text: Self) {
        self.lines.extend(text.lines);
        self.links.extend(text.links);
        self.code.extend(text.code);
    }

    /// Adds the lines of `text`, which was read as a part of its own, as titles.
    pub fn add_head(&mut self, text: Self) {
        self.heads.extend(text.lines.into_iter().filter(|line| !line.shown.is_empty()));
        self.links.extend(text.links);
        self.code.extend(text.code);
    }

    /// Adds a field. Its value was read as a part of its own; a link in it is called what the field is called.
    pub fn add_field(&mut self, name: String, value: Self) {
        let join = |of: fn(&Line) -> &str| value.lines.iter().map(of).collect::<Vec<_>>().join("\n").trim().to_owned();
        let line = Line {
            shown: join(|line| &line.shown),
            full: join(|line| &line.full),
            url: value.lines.iter().find_map(|line| line.url.clone()),
        };
        let label = label_of(&name);
        let links = value.links.into_iter();
        self.links.extend(links.map(|link| Link { label: format!("{label} {}", link.label), url: link.url }));
        self.code.extend(value.code);
        if !(name.is_empty() && line.shown.is_empty()) {
            self.fields.push((name, line));
        }
    }

    /// The first link whose label is so.
    pub(super) fn link(&self, is: impl Fn(&str) -> bool) -> Option<String> {
        let is_web = |url: &str| url.starts_with("https://") || url.starts_with("http://");
        self.links.iter().find(|link| is_web(&link.url) && is(&link.label)).map(|link| link.url.clone())
    }
}

/// What a link is called by the words before it: not by all of a long line.
pub fn label_of(words: &str) -> String {
    words[words.ceil_char_boundary(words.len().saturating_sub(80))..].to_lowercase()
}

/// What of `text` there is room for.
pub fn cut<'a>(text: &'a str, room: &mut usize) -> &'a str {
    let kept = &text[..text.floor_char_boundary(*room)];
    *room -= kept.len();
    kept
}
