//! The marks in a text of Discord: `<@1>`, `<#1>`, `<:fire:1>`, `<t:1700000000:R>`, links with a label, code.

use std::sync::LazyLock;

use chrono::{DateTime, SecondsFormat};
use regex::Regex;
use serde_json::Value;

use super::text;
use crate::chat::page::Page;

const FENCE: &str = "```";

/// A part of a text.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Part<'a> {
    /// Words.
    Prose(&'a str),
    /// What stands between two fences, without the name of a language and the line breaks next to the fences.
    Code(&'a str),
}

/// A piece of a text that is no fenced code.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Token<'a> {
    /// As it stands.
    Plain(&'a str),
    /// A sign with a backslash before it.
    Escaped(&'a str),
    /// Code within a line, with its backticks.
    Code(&'a str),
    /// What Discord wrote in angle brackets.
    Mark(Mark<'a>),
    /// A link with a label.
    Link {
        /// What people see.
        label: &'a str,
        /// Where it leads.
        url: &'a str,
    },
    /// An address in angle brackets: one without a preview.
    Address(&'a str),
}

/// What Discord writes in angle brackets.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Mark<'a> {
    /// A user, by their id.
    User(&'a str),
    /// A role, by its id.
    Role(&'a str),
    /// A channel or thread, by its id.
    Channel(&'a str),
    /// A command, by its name.
    Command(&'a str),
    /// An emoji of a server, by its name.
    Emoji(&'a str),
    /// A time, in Unix seconds.
    Time(&'a str),
}

/// The parts of a text. A fence that is not closed counts to the end: a long log is cut.
pub fn parts(text: &str) -> impl Iterator<Item = Part<'_>> {
    text.split(FENCE).enumerate().filter_map(|(index, part)| {
        if index % 2 == 0 {
            let after_code = if index > 0 { part.strip_prefix('\n').unwrap_or(part) } else { part };
            return Some(Part::Prose(after_code)).filter(|_| !after_code.is_empty());
        }
        Some(Part::Code(without_language(part).trim_matches('\n')))
    })
}

/// Code without its first line, if that names a language: Discord shows no such line.
fn without_language(code: &str) -> &str {
    let is_language =
        |line: &str| line.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'+' | b'-' | b'.' | b'#'));
    match code.split_once('\n') {
        Some((first, rest)) if !first.is_empty() && is_language(first) && !rest.trim_matches('\n').is_empty() => rest,
        _ => code,
    }
}

/// The tokens of a text without fences. Where escapes count, an escaped sign begins nothing.
pub fn tokens(text: &str, has_escapes: bool) -> impl Iterator<Item = Token<'_>> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let start = rest.find(['<', '`', '[', '\\']).unwrap_or(rest.len());
        let (token, length) = if start > 0 { (Token::Plain(&rest[..start]), start) } else { token(rest, has_escapes) };
        rest = &rest[length..];
        Some(token)
    })
}

/// What begins with a sign, and its length.
fn token(text: &str, has_escapes: bool) -> (Token<'_>, usize) {
    let found = match text.as_bytes().first() {
        Some(b'<') => mark(text),
        Some(b'[') => link(text),
        Some(b'`') => Some(code(text)),
        _ => escaped(text).filter(|_| has_escapes),
    };
    found.unwrap_or((Token::Plain(&text[..1]), 1))
}

fn escaped(text: &str) -> Option<(Token<'_>, usize)> {
    let sign = text[1..].chars().next().filter(|c| !c.is_ascii_alphanumeric() && !c.is_whitespace())?;
    let length = 1 + sign.len_utf8();
    Some((Token::Escaped(&text[1..length]), length))
}

/// Backticks up to as many backticks; only they themselves when there are none.
fn code(text: &str) -> (Token<'_>, usize) {
    let ticks = text.len() - text.trim_start_matches('`').len();
    let mut at = ticks;
    while let Some(next) = text[at..].find('`') {
        let start = at + next;
        let run = text[start..].len() - text[start..].trim_start_matches('`').len();
        at = start + run;
        if run == ticks {
            return (Token::Code(&text[..at]), at);
        }
    }
    (Token::Plain(&text[..ticks]), ticks)
}

fn mark(text: &str) -> Option<(Token<'_>, usize)> {
    let inner = &text[1..text.find('>')?];
    let length = inner.len() + 2;
    let is_id = |id: &str| !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit());
    let id = |prefix: &str| inner.strip_prefix(prefix).filter(|id| is_id(id));
    let named = |prefix: &str| {
        let (name, id) = inner.strip_prefix(prefix)?.rsplit_once(':')?;
        Some(name).filter(|name| is_id(id) && !name.is_empty() && !name.contains([':', '\n']))
    };
    let time = || {
        let (time, style) = inner.strip_prefix("t:")?.split_once(':').unwrap_or((inner.strip_prefix("t:")?, "f"));
        let is_time = is_id(time.strip_prefix('-').unwrap_or(time)) && style.chars().count() == 1;
        is_time.then_some(time)
    };
    let mark = (id("@").or_else(|| id("@!")).map(Mark::User))
        .or_else(|| id("@&").map(Mark::Role))
        .or_else(|| id("#").map(Mark::Channel))
        .or_else(|| named(":").or_else(|| named("a:")).map(Mark::Emoji))
        .or_else(|| named("/").map(Mark::Command))
        .or_else(|| time().map(Mark::Time));
    if let Some(mark) = mark {
        return Some((Token::Mark(mark), length));
    }
    let is_address =
        (inner.starts_with("https://") || inner.starts_with("http://")) && !inner.contains(char::is_whitespace);
    is_address.then_some((Token::Address(inner), length))
}

fn link(text: &str) -> Option<(Token<'_>, usize)> {
    static LINK: LazyLock<Option<Regex>> = LazyLock::new(|| {
        // An address may hold parentheses in pairs; a title behind it is seen by nobody who does not point at it.
        let address = r"https?://[^\s<>()]*(?:\([^\s<>()]*\)[^\s<>()]*)*";
        Regex::new(&format!(r#"^\[([^\[\]\n]+)\]\(<?({address})>?(?:\s+["'][^"'\n]*["'])?\)"#)).ok()
    });
    let found = LINK.as_ref()?.captures(text)?;
    let (whole, label, url) = (found.get(0)?, found.get(1)?, found.get(2)?);
    Some((Token::Link { label: label.as_str(), url: url.as_str() }, whole.end()))
}

/// How the texts of one message are read.
#[derive(Debug, Clone, Copy)]
pub struct Reader<'a> {
    /// The users that the message mentions.
    pub mentions: &'a [Value],
    /// Id of a user whose mention is left out; empty: of none.
    pub left_out: &'a str,
    /// Whether escapes are undone: bots write them.
    pub undoes_escapes: bool,
}

impl Reader<'_> {
    /// Writes a text, code included.
    pub fn write(&self, text: &str, page: &mut Page) {
        for part in parts(text) {
            match part {
                Part::Prose(prose) => self.write_prose(prose, page),
                Part::Code(code) => page.push_code(code),
            }
        }
    }

    fn write_prose(&self, prose: &str, page: &mut Page) {
        let mut is_after_mention = false;
        for token in tokens(prose, self.undoes_escapes) {
            let follows = std::mem::take(&mut is_after_mention);
            match token {
                Token::Plain(plain) if follows => {
                    let rest = plain.trim_start_matches([':', ',']);
                    page.push(if page.is_between_words() { rest.trim_start_matches(' ') } else { rest });
                }
                Token::Plain(text) | Token::Code(text) | Token::Escaped(text) => page.push(text),
                Token::Mark(Mark::User(id)) if id == self.left_out => is_after_mention = true,
                Token::Mark(mark) => page.push(&self.shown(mark)),
                Token::Link { label, url } => self.write_link(label, url, page),
                // A person who pasted a log wrote the brackets.
                Token::Address(url) if self.undoes_escapes => page.push(url),
                Token::Address(url) => page.push(&format!("<{url}>")),
            }
        }
    }

    fn write_link(&self, label: &str, url: &str, page: &mut Page) {
        let label: String = tokens(label, self.undoes_escapes)
            .map(|token| match token {
                Token::Plain(text) | Token::Code(text) | Token::Escaped(text) | Token::Address(text) => text.to_owned(),
                Token::Mark(mark) => self.shown(mark),
                Token::Link { label, .. } => label.to_owned(),
            })
            .collect();
        page.push(&label);
        if label != url {
            page.push(&format!(" ({url})"));
        }
    }

    /// What people see of a mark.
    fn shown(&self, mark: Mark<'_>) -> String {
        match mark {
            Mark::User(id) => format!("@{}", self.name(id).unwrap_or(id)),
            Mark::Role(id) => format!("@{id}"),
            Mark::Channel(id) => format!("#{id}"),
            Mark::Command(name) => format!("/{name}"),
            Mark::Emoji(name) => format!(":{name}:"),
            Mark::Time(time) => {
                let at = time.parse().ok().and_then(|time| DateTime::from_timestamp(time, 0));
                at.map_or_else(|| time.to_owned(), |at| at.to_rfc3339_opts(SecondsFormat::Secs, true))
            }
        }
    }

    /// What a mentioned user is called in their server, or everywhere.
    fn name(&self, id: &str) -> Option<&str> {
        let user = self.mentions.iter().find(|user| text(user, "id") == id)?;
        let nick = user.get("member").map_or("", |member| text(member, "nick"));
        [nick, text(user, "global_name"), text(user, "username")].into_iter().find(|name| !name.is_empty())
    }
}
