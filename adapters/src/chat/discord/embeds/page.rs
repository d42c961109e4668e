//! A text in Discord's markdown that grows as long as there is room.

use super::super::escape::{code, code_to, escape, escape_to, fenced_to, length, size};
use crate::chat::{Rich, Span, text};

/// Longest label of a link.
const LABEL: usize = 200;

/// The part of `room` for the next of `left` parts: what one part does not use, the later ones get.
pub fn share(room: usize, left: usize, least: usize) -> usize {
    (room / left.max(1)).max(least).min(room)
}

/// The text so far.
#[derive(Debug, Clone, Default)]
pub struct Page {
    pub text: String,
    /// How much more it may hold.
    pub room: usize,
    /// Whether a link stands in it. Discord takes everything up to the last `](` for the label of a link, code included.
    has_link: bool,
    /// Whether addresses are marked as ones that Discord shows no preview of.
    is_content: bool,
}

impl Page {
    pub fn new(room: usize) -> Self {
        Self { room, ..Self::default() }
    }

    /// A page that is the content of a message: there, Discord shows previews of links.
    pub fn of_content(room: usize) -> Self {
        Self { room, is_content: true, ..Self::default() }
    }

    /// The same text, which may grow to another size.
    pub fn of_size(self, size: usize) -> Self {
        Self { room: size.saturating_sub(length(&self.text)), ..self }
    }

    /// A page of its own for what shall stand behind this one.
    pub fn following(&self, room: usize) -> Self {
        Self { room, has_link: self.has_link, ..Self::default() }
    }

    pub fn append(&mut self, other: Self) {
        self.push(&other.text);
        self.has_link |= other.has_link;
    }

    pub fn push(&mut self, markdown: &str) {
        self.room = self.room.saturating_sub(length(markdown));
        self.text.push_str(markdown);
    }

    /// What comes next begins a line.
    pub fn begin_line(&mut self) {
        if !self.text.is_empty() {
            self.push("\n");
        }
    }

    /// What comes next stands apart; a code block does so by itself.
    pub fn begin_part(&mut self) {
        if !self.text.is_empty() {
            self.push(if self.text.ends_with("```") { "\n" } else { "\n\n" });
        }
    }

    /// A line of our own.
    pub fn line(&mut self, words: &str) {
        if !self.text.ends_with("\n\n") {
            self.begin_line();
        }
        self.push(words);
    }

    /// A sentence, cut to `room` at its end.
    pub fn sentence(&mut self, sentence: &Rich, room: usize) {
        let spans = merged(sentence);
        let room = room.min(self.room);
        let whole: Vec<String> = spans.iter().map(|span| self.span(span, room)).collect();
        if whole.iter().map(|piece| length(piece)).sum::<usize>() <= room {
            whole.iter().for_each(|piece| self.push(piece));
            return;
        }
        let Some(mut left) = room.checked_sub(size('…')) else { return };
        for (span, piece) in spans.iter().zip(&whole) {
            if length(piece) > left {
                let short = self.short(span, left);
                self.push(if short.is_empty() { "…" } else { &short });
                break;
            }
            left -= length(piece);
            self.push(piece);
        }
    }

    /// Log lines as a block, cut to `room` at their end.
    pub fn fence(&mut self, lines: &str, room: usize) {
        let lines = self.without_label_ends(lines);
        self.push(&fenced_to(&lines, room.min(self.room)));
    }

    /// A span as it is written. Of one that is longer than `room`, at least so much that it still is.
    fn span(&mut self, span: &Span, room: usize) -> String {
        let some = |words: &str| words.chars().take(room + 1).collect::<String>();
        match span {
            Span::Text(words) => escape(&some(words)),
            Span::Strong(words) => strong(&some(words)),
            Span::Code(words) => code(&self.without_label_ends(&some(words))),
            Span::Link { text: words, url } => match text::web_address(url).filter(|address| can_be_linked(address)) {
                Some(address) => {
                    self.has_link = true;
                    self.link(words, &address)
                }
                None => escape(&some(&format!("{words} ({url})"))),
            },
        }
    }

    /// The beginning of a span that does not fit; empty when there is too little room.
    fn short(&self, span: &Span, room: usize) -> String {
        match span {
            Span::Text(words) => escape_to(words, room),
            Span::Strong(words) => {
                let before = if words.starts_with(char::is_whitespace) { " " } else { "" };
                let inner = escape_to(words.trim(), room.saturating_sub(before.len() + 4));
                if inner.is_empty() { inner } else { format!("{before}**{inner}**") }
            }
            Span::Code(words) => code_to(&self.without_label_ends(words), room),
            // Without its address.
            Span::Link { text: words, .. } => {
                let short = escape_to(&text::one_line(words), room.saturating_sub(size('…')));
                if short.is_empty() || short.ends_with('…') { short } else { format!("{short}…") }
            }
        }
    }

    /// A link. Discord undoes no escapes in its label, so words that would need some stand before it.
    fn link(&self, words: &str, address: &str) -> String {
        let label = text::cut(&text::one_line(words), LABEL, size);
        let address = if self.is_content { format!("<{}>", encoded(address)) } else { encoded(address) };
        if is_label(&label) {
            format!("[{label}]({address})")
        } else {
            format!("{} ([link]({address}))", escape(&label))
        }
    }

    /// Code behind a link, without what would end the label of one. An invisible character is all that helps.
    fn without_label_ends(&self, code: &str) -> String {
        if self.has_link { code.replace("](", "]\u{200b}(") } else { code.to_owned() }
    }
}

/// Bold words; spaces around them stay outside.
fn strong(words: &str) -> String {
    let inner = words.trim();
    if inner.is_empty() {
        return words.to_owned();
    }
    let before = &words[..words.len() - words.trim_start().len()];
    let after = &words[words.trim_end().len()..];
    format!("{before}**{}**{after}", escape(inner))
}

/// The spans without those that show nothing. Those of one kind that touch are one: between two, their marks would be
/// taken for others.
fn merged(sentence: &Rich) -> Vec<Span> {
    let mut spans: Vec<Span> = Vec::new();
    for span in sentence {
        let shows = |words: &str| !text::clean(words).is_empty();
        match (spans.last_mut(), span) {
            (Some(Span::Text(last)), Span::Text(more))
            | (Some(Span::Strong(last)), Span::Strong(more))
            | (Some(Span::Code(last)), Span::Code(more)) => last.push_str(&text::clean(more)),
            (_, Span::Text(words)) if shows(words) => spans.push(Span::Text(text::clean(words))),
            (_, Span::Strong(words)) if shows(words) => spans.push(Span::Strong(text::clean(words))),
            (_, Span::Code(words)) if shows(words) => spans.push(Span::Code(text::clean(words))),
            (_, Span::Link { text, .. }) if !text::one_line(text).is_empty() => spans.push(span.clone()),
            _ => {}
        }
    }
    spans
}

/// Whether words mean only themselves in the label of a link. An underscore does inside a word.
fn is_label(words: &str) -> bool {
    let chars: Vec<char> = words.chars().collect();
    let is_letter = |at: usize| chars.get(at).is_some_and(char::is_ascii_alphanumeric);
    let joins = |at: usize| at > 0 && is_letter(at - 1) && is_letter(at + 1);
    let without: String =
        chars.iter().enumerate().filter(|(at, c)| **c != '_' || !joins(*at)).map(|(_, c)| *c).collect();
    !without.contains(']') && escape(&without) == without
}

/// Whether the host of an address holds nothing that would end the address of a link. It cannot be encoded.
fn can_be_linked(address: &str) -> bool {
    let host = address.split_once("://").map_or("", |(_, rest)| rest.split('/').next().unwrap_or_default());
    !host.contains(['(', ')', '<', '>'])
}

/// An address without the characters that mean something between the parentheses of a link.
fn encoded(address: &str) -> String {
    // A host may stand in brackets.
    let path = address.find("://").and_then(|at| Some(at + 3 + address[at + 3..].find('/')?)).unwrap_or(0);
    let (start, rest) = address.split_at(path);
    let signs = rest.chars().map(|c| match c {
        '(' | ')' | '[' | ']' | '<' | '>' | '\\' | ' ' => format!("%{:02X}", u32::from(c)),
        _ => c.to_string(),
    });
    format!("{start}{}", signs.collect::<String>())
}
