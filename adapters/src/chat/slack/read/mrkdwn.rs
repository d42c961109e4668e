//! The marks in a text of Slack: `<https://x|label>`, `<@U1>`, `<!here>`, `&lt;`, and fences of code.

use crate::chat::page::Page;

const FENCE: &str = "```";

/// A piece of a text that is no fenced code.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::chat::slack) enum Token<'a> {
    /// As it stands, but for escaped characters.
    Plain(&'a str),
    /// What stands in angle brackets.
    Marked(&'a str),
    /// Code within a line, with its backticks.
    Span(&'a str),
}

/// A part of a text.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::chat::slack) enum Part<'a> {
    /// Words.
    Prose(&'a str),
    /// What stands between two fences, without the line breaks next to them.
    Code(&'a str),
}

/// What becomes of the address of a link whose label says something else.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::chat::slack) enum Address {
    /// It follows in parentheses.
    Told,
    /// People do not see it either.
    Hidden,
}

/// The parts of a text. A fence that is not closed counts to the end.
pub(in crate::chat::slack) fn parts(text: &str) -> impl Iterator<Item = Part<'_>> {
    text.split(FENCE).enumerate().filter_map(|(index, part)| {
        if index % 2 == 0 {
            let after_code = if index > 0 { part.strip_prefix('\n').unwrap_or(part) } else { part };
            return Some(Part::Prose(after_code)).filter(|_| !after_code.is_empty());
        }
        let code = part.strip_prefix('\n').unwrap_or(part);
        Some(Part::Code(code.strip_suffix('\n').unwrap_or(code)))
    })
}

/// The tokens of a text. Brackets that hold none of Slack's marks are plain: apps do not always escape theirs.
pub(in crate::chat::slack) fn tokens(text: &str) -> impl Iterator<Item = Token<'_>> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let start = rest.find(['<', '`']).unwrap_or(rest.len());
        if start > 0 {
            let (plain, after) = rest.split_at(start);
            rest = after;
            return Some(Token::Plain(plain));
        }
        let token = token(rest);
        let (Token::Plain(taken) | Token::Span(taken) | Token::Marked(taken)) = token;
        let brackets = if matches!(token, Token::Marked(_)) { 2 } else { 0 };
        rest = &rest[taken.len() + brackets..];
        Some(token)
    })
}

/// What begins with `<` or a backtick.
fn token(text: &str) -> Token<'_> {
    let (first, inner) = text.split_at(1);
    let end = if first == "<" { inner.find(['<', '>', '\n']) } else { inner.find(['`', '\n']) };
    match end.map(|end| (&inner[end..=end], end)) {
        Some((">", end)) if is_mark(&inner[..end]) => Token::Marked(&inner[..end]),
        Some(("`", end)) if end > 0 => Token::Span(&text[..end + 2]),
        _ => Token::Plain(first),
    }
}

fn is_mark(inner: &str) -> bool {
    let target = inner.split_once('|').map_or(inner, |(target, _)| target);
    match target.split_at_checked(1) {
        Some(("@" | "#" | "!", name)) => !name.is_empty(),
        _ => target.split_once(':').is_some_and(|(scheme, rest)| is_scheme(scheme) && !rest.is_empty()),
    }
}

fn is_scheme(scheme: &str) -> bool {
    scheme.len() > 1
        && scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'))
}

/// A link in a text.
pub(in crate::chat::slack) struct Linked {
    /// The words directly before it.
    pub before: String,
    /// What people see; empty when that is the address.
    pub label: String,
    /// Where it leads.
    pub url: String,
}

/// The links in a text.
pub(in crate::chat::slack) fn links(text: &str) -> impl Iterator<Item = Linked> {
    let mut before = "";
    tokens(text).filter_map(move |token| {
        let inner = match token {
            Token::Marked(inner) => inner,
            Token::Plain(words) | Token::Span(words) => {
                before = words;
                return None;
            }
        };
        let (target, label) = inner.split_once('|').unwrap_or((inner, ""));
        let before = unescaped(std::mem::take(&mut before));
        let is_link = !target.starts_with(['@', '#', '!']);
        is_link.then(|| Linked { before, label: unescaped(label), url: unescaped(target) })
    })
}

/// A text without fences as people read it.
pub(in crate::chat::slack) fn undone(text: &str, address: Address) -> String {
    let mut shown = String::with_capacity(text.len());
    for token in tokens(text) {
        match token {
            Token::Plain(plain) => unescape(plain, &mut shown),
            Token::Marked(inner) => shown.push_str(&mark(inner, address)),
            Token::Span(span) => {
                shown.push('`');
                undo_code(&span[1..span.len() - 1], &mut shown);
                shown.push('`');
            }
        }
    }
    shown
}

/// Code as it was pasted: of the links that Slack found in it only what people see.
pub(in crate::chat::slack) fn undone_code(code: &str) -> String {
    let mut shown = String::with_capacity(code.len());
    undo_code(code, &mut shown);
    shown
}

fn undo_code(code: &str, shown: &mut String) {
    for token in tokens(code) {
        match token {
            Token::Plain(plain) => unescape(plain, shown),
            Token::Marked(inner) => shown.push_str(&mark(inner, Address::Hidden)),
            // There are no spans in code: there is code between backticks of its own.
            Token::Span(span) => {
                shown.push('`');
                undo_code(&span[1..span.len() - 1], shown);
                shown.push('`');
            }
        }
    }
}

/// Writes a text, code included.
pub(super) fn write(text: &str, page: &mut Page) {
    for part in parts(text) {
        match part {
            Part::Prose(prose) => page.push(&undone(prose, Address::Told)),
            Part::Code(code) => page.push_code(&undone_code(code)),
        }
    }
}

/// Writes a text that is a link as a whole.
pub(super) fn write_link(text: &str, url: &str, page: &mut Page) {
    if text.is_empty() {
        return;
    }
    page.push(&link(&undone(text, Address::Hidden), &unescaped(url), Address::Told));
}

/// What people see of a mark.
fn mark(inner: &str, address: Address) -> String {
    let (target, label) = inner.split_once('|').unwrap_or((inner, ""));
    let (target, label) = (unescaped(target), unescaped(label));
    let or_label = |name: &str| if label.is_empty() { name.to_owned() } else { label.clone() };
    match target.split_at_checked(1) {
        // By its id, with or without a name: the id is what the mention of the bot is known by.
        Some(("@", user)) => format!("@{user}"),
        Some(("#", channel)) => format!("#{}", or_label(channel)),
        Some(("!", special)) => self::special(special, &label),
        _ => link(&label, &target, address),
    }
}

/// `here`, `subteam^S1`, `date^1392734382^{date}`.
fn special(special: &str, label: &str) -> String {
    let mut pieces = special.split('^');
    match (pieces.next(), pieces.next()) {
        (Some("date"), Some(time)) => if label.is_empty() { time } else { label }.to_owned(),
        (Some("subteam"), Some(team)) => {
            format!("@{}", if label.is_empty() { team } else { label.trim_start_matches('@') })
        }
        (Some(name @ ("here" | "channel" | "everyone")), _) => format!("@{name}"),
        (name, _) => if label.is_empty() { name.unwrap_or_default() } else { label }.to_owned(),
    }
}

/// A link as people read it. A label that is the address itself, or begins it, was made by Slack: what stood there is the
/// label.
pub(super) fn link(label: &str, url: &str, address: Address) -> String {
    let bare = url.strip_prefix("mailto:").or_else(|| url.strip_prefix("tel:")).unwrap_or(url);
    if label.is_empty() {
        return bare.to_owned();
    }
    if address == Address::Hidden || url.is_empty() {
        return label.to_owned();
    }
    let without_scheme = bare.split_once("://").map_or(bare, |(_, rest)| rest);
    let start = label.trim_end_matches(['…', '/']);
    let start = start.strip_suffix("...").unwrap_or(start);
    let is_whole = start == without_scheme.trim_end_matches('/');
    let is_start = start.contains(['.', ':', '/']) && (bare.starts_with(start) || without_scheme.starts_with(start));
    if is_whole || is_start { label.to_owned() } else { format!("{label} ({url})") }
}

/// `text` without Slack's escapes.
pub(in crate::chat::slack) fn unescaped(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    unescape(text, &mut plain);
    plain
}

fn unescape(text: &str, plain: &mut String) {
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        let (before, from) = rest.split_at(at);
        plain.push_str(before);
        let known = [("&lt;", '<'), ("&gt;", '>'), ("&amp;", '&')].into_iter().find(|(name, _)| from.starts_with(name));
        let (name, sign) = known.unwrap_or(("&", '&'));
        plain.push(sign);
        rest = &from[name.len()..];
    }
    plain.push_str(rest);
}
