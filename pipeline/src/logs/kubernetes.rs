//! Event tables of `kubectl describe` and `kubectl get events`: the type is the severity, the reason opens the message.

use super::parse::Peeled;
use super::record::{Header, Severity};

/// Takes the columns before the message off.
#[must_use]
pub fn peel(line: &str) -> Option<Peeled<'_>> {
    let mut columns = line.split("  ").map(str::trim).filter(|column| !column.is_empty());
    let first = columns.next()?;
    let (severity, reason, third) = match event_type(first) {
        // describe: Type  Reason  Age  From  Message
        Some(severity) => (severity, columns.next()?, columns.next()?),
        // get events: Last seen  Type  Reason  Object  Message
        None if is_age(first) => (event_type(columns.next()?)?, columns.next()?, ""),
        None => return None,
    };
    if reason.contains(' ') || !reason.starts_with(|c: char| c.is_ascii_uppercase()) {
        return None;
    }
    if !third.is_empty() && !is_age(third) {
        return None;
    }
    let from = columns.next()?;
    let message = columns.collect::<Vec<_>>().join(" ");
    if message.is_empty() {
        return None;
    }
    let header = Header { time: None, severity: Some(severity), component: Some(from.to_owned()) };
    Some(Peeled::message(header, format!("{reason}: {message}")))
}

fn event_type(word: &str) -> Option<Severity> {
    match word {
        "Warning" => Some(Severity::Warning),
        "Normal" => Some(Severity::Info),
        _ => None,
    }
}

/// `4m29s`, `4m29s (x3 over 5m33s)`, `<unknown>`, `2d`
fn is_age(column: &str) -> bool {
    let word = column.split(' ').next().unwrap_or("");
    word == "<unknown>"
        || (word.starts_with(|c: char| c.is_ascii_digit())
            && word.ends_with(['s', 'm', 'h', 'd'])
            && word.bytes().all(|b| b.is_ascii_digit() || matches!(b, b's' | b'm' | b'h' | b'd')))
}
