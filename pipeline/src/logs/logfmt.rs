//! logfmt: `time=… level=warn msg="…" err="…"`.

use super::parse::Peeled;
use super::record::{Header, Severity};
use super::timestamp;

/// Turns a logfmt record into its message, followed by its other fields.
#[must_use]
pub fn peel(line: &str) -> Option<Peeled<'_>> {
    let first = line.split_once('=')?.0;
    if first.is_empty()
        || first.len() > 40
        || first.contains(|c: char| !(c.is_ascii_alphanumeric() || "_.-@".contains(c)))
    {
        return None;
    }
    let pairs = pairs(line)?;
    let has = |names: &[&str]| pairs.iter().any(|(key, _)| names.contains(key));
    let is_record = has(&["level", "lvl", "severity"]) || (has(&["msg", "message"]) && pairs.len() > 1);
    if !is_record {
        return None;
    }
    let mut header = Header::default();
    let mut message = String::new();
    let mut fields = String::new();
    for (key, value) in pairs {
        match key {
            "time" | "ts" | "t" | "timestamp" => header.time = timestamp::leading(&value).map(|t| t.millis),
            "level" | "lvl" | "severity" => header.severity = Severity::from_word(&value),
            "logger" | "component" | "module" | "source" => header.component = Some(value),
            "msg" | "message" => message = value,
            "caller" | "pid" | "traceID" | "trace_id" => {}
            _ => {
                fields.push(' ');
                fields.push_str(key);
                fields.push('=');
                fields.push_str(&value);
            }
        }
    }
    message.push_str(&fields);
    Some(Peeled::message(header, message))
}

/// The pairs of a line that consists of nothing else.
fn pairs(line: &str) -> Option<Vec<(&str, String)>> {
    let mut pairs = Vec::new();
    let mut rest = line.trim();
    while !rest.is_empty() {
        let (key, after) = rest.split_once('=')?;
        if key.is_empty() || key.contains([' ', '"']) {
            return None;
        }
        let (value, next) = if let Some(quoted) = after.strip_prefix('"') {
            unquote(quoted)?
        } else {
            let end = after.find(' ').unwrap_or(after.len());
            (after[..end].to_owned(), &after[end..])
        };
        pairs.push((key, value));
        rest = next.trim_start();
    }
    Some(pairs)
}

/// The text up to the closing quote, and what follows it. A line cut inside a quoted value ends the value.
fn unquote(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut chars = text.char_indices();
    while let Some((index, c)) = chars.next() {
        match c {
            '"' => return Some((value, &text[index + 1..])),
            '\\' => match chars.next()?.1 {
                'n' => value.push('\n'),
                't' => value.push('\t'),
                other => value.push(other),
            },
            other => value.push(other),
        }
    }
    Some((value, ""))
}
