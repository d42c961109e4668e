//! Cards as Block Kit.
//!
//! Sentences and log lines stand in `rich_text` blocks: there Slack parses nothing, so a text cannot call, link or format
//! whatever it holds, and a log line that is copied from a card is the log line. (In `mrkdwn`, `*`, `_` and backticks
//! cannot be escaped, only replaced.) Headings and labels are plain text, escaped.
//!
//! A part that does not fit is cut at its end and says so. All sizes are those of the JSON that is sent: Slack counts the
//! containers too when it answers `msg_blocks_too_long`, and does not say how.

use serde_json::{Value, json};

use super::controls;
use super::escape::{escape, escape_to};
use crate::chat::{Card, Item, Rich, Section, Span, Tone, text};

/// Bytes of all blocks together. Slack refuses about 13,200 characters.
const TOTAL: usize = 13_000;
/// Longest header.
const HEADER: usize = 150;
/// Longest small print.
const FOOTER: usize = 300;
/// Longest single text. The documented limit of a section; nothing is documented for rich text.
const TEXT: usize = 3_000;
/// Longest fallback, which notifications show.
const FALLBACK: usize = 300;
/// Most sections: 50 blocks a message, less header, lead, facts, note, controls and footer.
const SECTIONS: usize = 40;
/// Bytes for the lead, and for the facts; the sections get the rest.
const PART: usize = 3_500;
/// Bytes below which an item is not worth beginning, and a section.
const LEAST: usize = 400;
const LEAST_SECTION: usize = 900;
/// Bytes kept free in each part for its closing note.
const NOTE: usize = 120;

/// A message as Slack takes it.
#[derive(Debug, Clone, PartialEq)]
pub struct Shown {
    /// Blocks.
    pub blocks: Vec<Value>,
    /// What notifications show.
    pub text: String,
}

/// A card.
pub fn card(card: &Card) -> Shown {
    let title = format!("{} {}", tone(card.tone), card.title);
    let header = json!({"type": "header", "text": plain_text(&title, HEADER)});
    let footer = footer(&card.footer);
    let fixed = size(&header) + footer.as_ref().map_or(0, size);
    let controls = controls::blocks(&card.controls, (TOTAL - fixed).saturating_sub(LEAST) * 2 / 3);
    let room = TOTAL.saturating_sub(fixed + controls.iter().map(size).sum::<usize>());

    let mut blocks = vec![header];
    blocks.extend(body(card, room));
    blocks.extend(controls);
    blocks.extend(footer);
    let first = card.lead.first().map(text::plain).unwrap_or_default();
    let fallback = if first.trim().is_empty() { title } else { format!("{title}: {first}") };
    Shown { blocks, text: escape_to(&fallback, FALLBACK) }
}

/// Lead, facts and sections: what is left of the room goes from one to the next.
fn body(card: &Card, mut room: usize) -> Vec<Value> {
    let lead = lead(&card.lead, room.min(PART));
    room = room.saturating_sub(lead.as_ref().map_or(0, size));
    let facts = facts(&card.facts, room.min(PART));
    room = room.saturating_sub(facts.as_ref().map_or(0, size));
    lead.into_iter().chain(facts).chain(sections(&card.sections, room)).collect()
}

/// One sentence.
pub fn sentence(sentence: &Rich) -> Shown {
    let mut line = Line::new(TOTAL - LEAST);
    line.sentence(sentence);
    if line.elements.is_empty() {
        line.add(&text_element("…", None));
    }
    let words = text::clean(&text::plain(sentence));
    let words = if words.trim().is_empty() { "…" } else { words.trim() };
    let text = escape(&text::cut(words, TEXT, char::len_utf16));
    Shown { blocks: vec![rich_text(vec![line.section()])], text }
}

/// Bytes that a value takes among others.
pub fn size(value: &Value) -> usize {
    value.to_string().len() + 1
}

fn tone(tone: Tone) -> char {
    match tone {
        Tone::Bad => '🔴',
        Tone::Warning => '🟠',
        Tone::Good => '🟢',
        Tone::Neutral => '⚪',
    }
}

fn plain_text(text: &str, limit: usize) -> Value {
    json!({"type": "plain_text", "text": escape_to(text, limit), "emoji": false})
}

fn footer(text: &str) -> Option<Value> {
    let element = plain_text(text, FOOTER);
    let empty = element["text"] == "";
    (!empty).then(|| json!({"type": "context", "elements": [element]}))
}

fn rich_text(elements: Vec<Value>) -> Value {
    json!({"type": "rich_text", "elements": elements})
}

/// The part of `room` for the next of `left` parts: what one part does not use, the later ones get.
fn share(room: usize, left: usize, least: usize) -> usize {
    (room / left.max(1)).max(least).min(room)
}

fn lead(sentences: &[Rich], room: usize) -> Option<Value> {
    let mut line = Line::new(room.checked_sub(NOTE)?);
    for (n, sentence) in sentences.iter().enumerate() {
        if !line.next(share(line.room, sentences.len() - n, LEAST)) {
            line.more(sentences.len() - n);
            break;
        }
        if !text::plain(sentence).trim().is_empty() {
            line.sentence(sentence);
            line.end();
        }
    }
    line.block()
}

fn facts(facts: &[(String, Rich)], room: usize) -> Option<Value> {
    let mut line = Line::new(room.checked_sub(NOTE)?);
    for (n, (name, value)) in facts.iter().enumerate() {
        if !line.next(share(line.room, facts.len() - n, LEAST)) {
            line.more(facts.len() - n);
            break;
        }
        line.span(&Span::Strong(text::cut(&text::one_line(name), 80, char::len_utf16)));
        line.span(&Span::Text(": ".into()));
        line.sentence(value);
        line.end();
    }
    line.block()
}

fn sections(sections: &[Section], room: usize) -> Vec<Value> {
    let mut blocks = Vec::new();
    let Some(mut room) = room.checked_sub(NOTE) else { return blocks };
    for (n, part) in sections.iter().enumerate() {
        let left = sections.len() - n;
        if n == SECTIONS || room < LEAST_SECTION {
            let note =
                json!({"type": "rich_text_section", "elements": [text_element(&format!("… {left} more parts"), None)]});
            blocks.push(rich_text(vec![note]));
            break;
        }
        let Some(block) = section(part, share(room, left, LEAST_SECTION)) else { continue };
        room = room.saturating_sub(size(&block));
        blocks.push(block);
    }
    blocks
}

fn section(section: &Section, room: usize) -> Option<Value> {
    let mut room = room.saturating_sub(NOTE);
    let mut parts = Vec::new();
    let mut heading = Line::new(room);
    heading.span(&Span::Strong(text::cut(&text::one_line(&section.heading), HEADER, char::len_utf16)));
    if !heading.elements.is_empty() {
        room = heading.room;
        parts.push(heading.section());
    }
    for (n, item) in section.items.iter().enumerate() {
        let left = section.items.len() - n;
        if room < LEAST {
            let note = [text_element(&format!("… {left} more"), None)];
            parts.push(json!({"type": "rich_text_section", "elements": note}));
            break;
        }
        for part in self::item(item, share(room, left, LEAST)) {
            room = room.saturating_sub(size(&part));
            match parts.last_mut() {
                Some(last) if is_list(last) && is_list(&part) => join(last, part),
                _ => parts.push(part),
            }
        }
    }
    (!parts.is_empty()).then(|| rich_text(parts))
}

/// A sentence as a point of a list, then what is quoted.
fn item(item: &Item, room: usize) -> Vec<Value> {
    const CONTAINERS: usize = 160;
    let room = room.saturating_sub(CONTAINERS);
    let mut line = Line::new(room);
    if item.quote.is_some() {
        line.kept = room / 2;
    }
    line.sentence(&item.text);
    let left = line.room;
    let mut parts = Vec::new();
    if !line.elements.is_empty() {
        parts.push(json!({"type": "rich_text_list", "style": "bullet", "elements": [line.section()]}));
    }
    let quote = text::clean(item.quote.as_deref().unwrap_or(""));
    let quote = text::cut_lines(quote.trim_end_matches('\n'), left.min(TEXT), json_size);
    if !quote.is_empty() {
        parts.push(json!({"type": "rich_text_preformatted", "elements": [text_element(&quote, None)]}));
    }
    parts
}

fn is_list(part: &Value) -> bool {
    part["type"] == "rich_text_list"
}

/// Sentences one after another are one list.
fn join(list: &mut Value, mut more: Value) {
    if let (Value::Array(points), Value::Array(more)) = (&mut list["elements"], &mut more["elements"]) {
        points.append(more);
    }
}

fn text_element(text: &str, style: Option<&str>) -> Value {
    match style {
        None => json!({"type": "text", "text": text}),
        Some(style) => json!({"type": "text", "text": text, "style": {style: true}}),
    }
}

/// Bytes of a character in JSON.
fn json_size(c: char) -> usize {
    match c {
        '"' | '\\' | '\n' | '\t' => 2,
        _ => c.len_utf8(),
    }
}

/// Elements of rich text that are added as long as there is room.
struct Line {
    elements: Vec<Value>,
    /// Bytes left.
    room: usize,
    /// Bytes of `room` that the present sentence may not use.
    kept: usize,
}

impl Line {
    fn new(room: usize) -> Self {
        // The container.
        Self { elements: Vec::new(), room: room.saturating_sub(80), kept: 0 }
    }

    /// Begins a sentence that may use `share` of the room. False when that is too little to begin.
    fn next(&mut self, share: usize) -> bool {
        self.kept = self.room.saturating_sub(share);
        share >= LEAST / 2
    }

    fn add(&mut self, element: &Value) {
        self.room = self.room.saturating_sub(size(element));
        self.elements.push(element.clone());
    }

    fn sentence(&mut self, sentence: &Rich) {
        if sentence.iter().all(|span| self.span(span)) {
            return;
        }
        let cut = self.elements.last().and_then(|last| last["text"].as_str()).is_some_and(|text| text.ends_with('…'));
        let ellipsis = text_element("…", None);
        if !cut && self.room.saturating_sub(self.kept) >= size(&ellipsis) {
            self.add(&ellipsis);
        }
    }

    /// Adds a span, cut to the room there is. False when it was cut.
    fn span(&mut self, span: &Span) -> bool {
        let (words, style, url) = match span {
            Span::Text(words) => (text::clean(words), None, None),
            Span::Strong(words) => (text::clean(words), Some("bold"), None),
            Span::Code(words) => (text::one_line(words), Some("code"), None),
            Span::Link { text, url } => match text::web_address(url) {
                Some(address) => (text::clean(text), None, Some(address)),
                None => (text::clean(&format!("{text} ({url})")), None, None),
            },
        };
        if words.is_empty() {
            return true;
        }
        let form = |words: &str| match &url {
            Some(url) => json!({"type": "link", "url": url, "text": words}),
            None => text_element(words, style),
        };
        let containers = size(&form(""));
        let room = self.room.saturating_sub(self.kept + containers).min(TEXT);
        let short = text::cut(&words, room, json_size);
        if short.is_empty() {
            return false;
        }
        self.add(&form(&short));
        short == words
    }

    fn end(&mut self) {
        self.add(&text_element("\n", None));
    }

    /// Says how much is left out. The caller kept [`NOTE`] free for it.
    fn more(&mut self, left: usize) {
        self.add(&text_element(&format!("… {left} more"), None));
    }

    fn section(self) -> Value {
        json!({"type": "rich_text_section", "elements": self.elements})
    }

    /// A block of its own, without the line break at its end.
    fn block(mut self) -> Option<Value> {
        let last = text_element("\n", None);
        self.elements.pop_if(|element| *element == last);
        (!self.elements.is_empty()).then(|| rich_text(vec![self.section()]))
    }
}

#[cfg(test)]
mod tests;
