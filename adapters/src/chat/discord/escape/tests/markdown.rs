//! The markdown of Discord's clients, as far as texts of the bot can meet it: what people see, with everything that is
//! more than text written out in braces.

use std::sync::LazyLock;

use regex::Regex;

/// Rules that are one pattern, with the name that is written out. Without look-around, which the rules below need.
static MARKS: LazyLock<Vec<(&str, Regex)>> = LazyLock::new(|| {
    [
        ("block", r"(?is)^```(?:[a-z0-9_+\-.#]+?\n)?\n*([^\n].*?)\n*```"),
        ("address", r"^<([^: >]+:/[^ >]+)>"),
        ("mail", r"^<([^\s<>@]+@[^\s<>@]+\.[^\s<>@]+)>"),
        ("phone", r"^<((?:(?:tel|sms):\+?|\+)[0-9(][0-9() ./-]*)>"),
        ("address", r"(?i)^((?:https?|steam|discord)://[^\s<]+)"),
        ("calls", r"^<@[!&]?(\d+)>"),
        ("calls", r"^@(everyone|here|silent)"),
        ("channel", r"^<#(\d+)>"),
        ("command", r"^<(/[^>]+:\d+)>"),
        ("place", r"^<(id:[^>]+)>"),
        ("emoji", r"^<a?:(\w+:\d+)>"),
        ("time", r"^<t:(-?\d+(?::[a-zA-Z])?)>"),
        ("spoiler", r"(?s)^\|\|(.+?)\|\|"),
    ]
    .map(|(name, pattern)| (name, Regex::new(pattern).unwrap()))
    .into()
});

/// Rules that hold at the beginning of a line.
static LINES: LazyLock<Vec<(&str, Regex)>> = LazyLock::new(|| {
    [
        ("heading", r"^ *#{1,3}\s+([^\n]+)"),
        ("small", r"^ *-# +([^\n]+)"),
        ("quote", r"(?s)^ *>>> +(.*)"),
        ("quote", r"^ *> +([^\n]*)"),
        ("point", r"^ *(?:[*-]|\d+\.) +([^\n]+)"),
    ]
    .map(|(name, pattern)| (name, Regex::new(pattern).unwrap()))
    .into()
});

static INVITATION: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"(?i)^discord(?:app)?\.(?:gg|com|gift|new|me)\b").unwrap());
/// No emoji has another sign in its name.
static NAME: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"^:([\w+-]+):").unwrap());

/// What people see of a text.
pub fn shown(text: &str) -> String {
    read(text, true)
}

fn read(text: &str, mut is_start: bool) -> String {
    let mut shown = String::new();
    let mut rest = text;
    let mut is_word = false;
    while let Some(c) = rest.chars().next() {
        let mark = is_start.then(|| line_mark(rest)).flatten().or_else(|| mark(rest));
        let mark = mark.or_else(|| (!is_word).then(|| invitation(rest)).flatten());
        let (taken, seen) = mark.unwrap_or_else(|| (c.len_utf8(), c.to_string()));
        shown.push_str(&seen);
        is_start = rest[..taken].ends_with('\n') || (is_start && rest[..taken].trim().is_empty());
        is_word = rest[..taken].ends_with(char::is_alphanumeric);
        rest = &rest[taken..];
    }
    shown
}

fn line_mark(rest: &str) -> Option<(usize, String)> {
    LINES.iter().find_map(|(name, pattern)| {
        let found = pattern.captures(rest)?;
        Some((found[0].len(), format!("{{{name} {}}}", read(&found[1], false))))
    })
}

fn invitation(rest: &str) -> Option<(usize, String)> {
    let may_begin = rest.starts_with(['d', 'D']);
    INVITATION
        .find(if may_begin { rest } else { "" })
        .map(|found| (found.len(), format!("{{invitation {}}}", found.as_str())))
}

fn mark(rest: &str) -> Option<(usize, String)> {
    if let Some(escaped) = rest.strip_prefix('\\').and_then(|after| after.chars().next())
        && !escaped.is_ascii_alphanumeric()
        && !escaped.is_whitespace()
    {
        return Some((1 + escaped.len_utf8(), escaped.to_string()));
    }
    let may_begin = rest.starts_with(|c: char| "`<@|hsdHSD".contains(c));
    let simple = MARKS.iter().filter(|_| may_begin).find_map(|(name, pattern)| {
        let found = pattern.captures(rest)?;
        let seen = if *name == "block" { found[1].to_owned() } else { format!("{{{name} {}}}", &found[1]) };
        Some((found[0].len(), seen))
    });
    simple
        .or_else(|| link(rest))
        .or_else(|| emphasis(rest))
        .or_else(|| struck(rest))
        .or_else(|| inline_code(rest))
        .or_else(|| emoji(rest))
}

fn emoji(rest: &str) -> Option<(usize, String)> {
    let found = NAME.captures(rest.starts_with(':').then_some(rest)?)?;
    let is_known = found[1].chars().any(char::is_alphabetic) || ["100", "1234", "+1", "-1"].contains(&&found[1]);
    is_known.then(|| (found[0].len(), format!("{{emoji {}}}", &found[1])))
}

/// `[text](address)`: the longest text that can be one. Discord tries no shorter one.
fn link(rest: &str) -> Option<(usize, String)> {
    if !rest.starts_with('[') {
        return None;
    }
    let ends: Vec<usize> = rest.match_indices("](").map(|(at, _)| at).collect();
    ends.into_iter().rev().find_map(|end| {
        let inside = &rest[1..end];
        let after = &rest[end + 2..];
        let address = after.split(|c: char| c == ')' || c.is_whitespace()).next()?;
        let is_closed = after[address.len()..].starts_with(')');
        if !is_closed || !is_inside(rest, 1, end) {
            return None;
        }
        let address = address.trim_start_matches('<').trim_end_matches('>');
        // In the text of a link, Discord undoes no escapes.
        Some((end + 2 + after.find(')')? + 1, format!("{{link {address}|{inside}}}")))
    })
}

/// Whether brackets stand in the text of a link as they may.
fn is_inside(rest: &str, start: usize, end: usize) -> bool {
    let mut at = start;
    while at < end {
        let c = rest[at..].chars().next().unwrap();
        at += match c {
            '[' => match rest[at..end].find(']') {
                Some(closed) => closed + 1,
                None => return false,
            },
            ']' => {
                let after = &rest[at + 1..];
                let next = after.find(']');
                if next.is_none() || after.find('[').is_some_and(|open| Some(open) < next) {
                    return false;
                }
                1
            }
            _ => c.len_utf8(),
        };
    }
    true
}

/// What stands between two `close`, and where it ends: behind at least one character; escapes are passed over.
fn closed<'a>(rest: &'a str, close: &str) -> Option<(&'a str, usize)> {
    let inner = rest.strip_prefix(close)?;
    let mut at = 0;
    while let Some(c) = inner[at..].chars().next() {
        let after = inner[at..].strip_prefix(close).filter(|after| !after.starts_with(&close[..1]));
        if at > 0 && after.is_some() {
            return Some((&inner[..at], close.len() + at + close.len()));
        }
        at += c.len_utf8();
        if c == '\\' {
            at += inner[at..].chars().next().map_or(0, char::len_utf8);
        }
    }
    None
}

fn emphasis(rest: &str) -> Option<(usize, String)> {
    for (mark, name) in [("**", "strong"), ("__", "under"), ("*", "em")] {
        if let Some((inner, taken)) = closed(rest, mark)
            && !(name == "em" && (inner.starts_with(char::is_whitespace) || inner.ends_with(char::is_whitespace)))
        {
            let inner = read(inner, false);
            return Some((taken, if name == "strong" { inner } else { format!("{{{name} {inner}}}") }));
        }
    }
    // An underscore ends where the word does.
    let inner = rest.strip_prefix('_')?;
    let mut at = 0;
    while let Some(c) = inner[at..].chars().next() {
        let next = inner[at + c.len_utf8()..].chars().next();
        if c == '_' && at > 0 && !next.is_some_and(|c| c.is_ascii_alphanumeric() || c == '_') {
            return Some((at + 2, format!("{{em {}}}", &inner[..at])));
        }
        at += c.len_utf8();
        if c == '\\' {
            at += next.map_or(0, char::len_utf8);
        }
    }
    None
}

fn struck(rest: &str) -> Option<(usize, String)> {
    let inner = rest.strip_prefix("~~")?;
    let end = inner.find("~~").filter(|end| *end > 0)?;
    Some((end + 4, format!("{{struck {}}}", &inner[..end])))
}

/// Backticks, code, as many backticks; a space at an end that touches a backtick is taken off.
fn inline_code(rest: &str) -> Option<(usize, String)> {
    let ticks = rest.len() - rest.trim_start_matches('`').len();
    let inner = &rest[ticks..];
    let mut at = 0;
    while ticks > 0 && at < inner.len() {
        let run = inner[at..].len() - inner[at..].trim_start_matches('`').len();
        if run == ticks && at > 0 {
            let mut code = &inner[..at];
            if code.trim_start_matches(' ').starts_with('`') {
                code = code.strip_prefix(' ').unwrap_or(code);
            }
            if code.trim_end_matches(' ').ends_with('`') {
                code = code.strip_suffix(' ').unwrap_or(code);
            }
            return Some((ticks + at + ticks, code.to_owned()));
        }
        at += run.max(inner[at..].chars().next().map_or(1, char::len_utf8));
    }
    None
}
