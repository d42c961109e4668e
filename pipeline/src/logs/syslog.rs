//! Syslog in its shapes: RFC 3164 (`May 29 15:45:11 host app[1]: …`), RFC 5424 (`<165>1 2003-…`), and what rsyslog and
//! journald print.

use super::parse::Peeled;
use super::record::{Header, Severity};
use super::timestamp;

/// Takes a syslog header off.
#[must_use]
pub fn peel(line: &str) -> Option<Peeled<'_>> {
    let text = line.trim_start();
    let (priority, text) = priority(text);
    if priority.is_some()
        && let Some(peeled) = text.strip_prefix("1 ").and_then(|rest| rfc5424(rest, priority))
    {
        return Some(peeled);
    }
    let time = timestamp::leading(text).filter(|_| !text.starts_with('['))?;
    let rest = text[time.len..].strip_prefix(' ')?;
    let (host, rest) = rest.split_once(' ')?;
    if !is_host(host) {
        return None;
    }
    let (app, rest) = tag(rest)?;
    let header = Header { time: Some(time.millis), severity: priority, component: Some(app.to_owned()) };
    Some(Peeled::around(header, rest))
}

fn priority(text: &str) -> (Option<Severity>, &str) {
    let Some((number, rest)) = text.strip_prefix('<').and_then(|t| t.split_once('>')) else { return (None, text) };
    match number.parse::<u8>() {
        Ok(value) if value < 192 => (Some(level(value % 8)), rest),
        _ => (None, text),
    }
}

/// Numerical codes of RFC 5424, table 2.
fn level(code: u8) -> Severity {
    match code {
        0..=2 => Severity::Fatal,
        3 => Severity::Error,
        4 => Severity::Warning,
        5 => Severity::Notice,
        6 => Severity::Info,
        _ => Severity::Debug,
    }
}

fn rfc5424(rest: &str, severity: Option<Severity>) -> Option<Peeled<'_>> {
    let mut parts = rest.splitn(6, ' ');
    let time = parts.next().and_then(timestamp::leading).map(|t| t.millis);
    let _host = parts.next()?;
    let app = parts.next()?;
    let _process = parts.next()?;
    let _message_id = parts.next()?;
    let rest = parts.next()?;
    let message = match rest.strip_prefix("- ") {
        Some(message) => message,
        None => rest.find("] ").map_or(rest, |end| &rest[end + 2..]),
    };
    Some(Peeled::around(Header { time, severity, component: Some(app.to_owned()) }, message))
}

fn is_host(word: &str) -> bool {
    !word.is_empty()
        && word.len() <= 64
        && word
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_' | b':' | b'/' | b'@' | b'#'))
        && !word.ends_with(':')
        && Severity::from_word(word).is_none()
        && word.parse::<f64>().is_err()
}

/// `app[77]: `, `app: `, `kernel: `, `app(pam_unix)[77]: `
fn tag(rest: &str) -> Option<(&str, &str)> {
    let rest = rest.trim_start();
    let end = rest.find(": ").or_else(|| rest.strip_suffix(':').map(str::len))?;
    let tag = &rest[..end];
    if tag.is_empty() || tag.len() > 80 || tag.contains([' ', '"', '=']) || Severity::from_word(tag).is_some() {
        return None;
    }
    let app = tag.split(['[', '(']).next().unwrap_or(tag);
    Some((app, rest.get(end + 2..).unwrap_or("")))
}
