//! Records that are one JSON object a line.

use serde_json::{Map, Value};

use super::parse::Peeled;
use super::record::{Header, Severity};
use super::timestamp;

const MESSAGE_KEYS: [&str; 9] =
    ["msg", "message", "@m", "log", "event", "short_message", "MESSAGE", "textPayload", "text"];
const SEVERITY_KEYS: [&str; 9] =
    ["level", "severity", "lvl", "log.level", "@l", "levelname", "s", "log_level", "loglevel"];
const TIME_KEYS: [&str; 8] = ["ts", "time", "timestamp", "@timestamp", "@t", "t", "datetime", "asctime"];
const COMPONENT_KEYS: [&str; 9] =
    ["logger", "component", "logger_name", "module", "c", "service", "name", "source", "app"];
/// Fields which carry no meaning for a reader of the message.
const NOISE_KEYS: [&str; 12] = [
    "caller",
    "pid",
    "hostname",
    "host",
    "thread",
    "thread_name",
    "id",
    "v",
    "trace_id",
    "span_id",
    "level_value",
    "@version",
];
/// Longer values (an embedded document, a base64 body) are cut: the message comes first.
const MAX_VALUE: usize = 2_000;

/// Turns a JSON object into its message, followed by its other fields as `key=value`.
#[must_use]
pub fn peel(line: &str) -> Option<Peeled<'_>> {
    let text = line.trim();
    if !text.starts_with('{') || !text.ends_with('}') {
        return None;
    }
    let Ok(Value::Object(mut fields)) = serde_json::from_str(text) else { return None };
    let message = take_text(&mut fields, &MESSAGE_KEYS);
    let header = Header {
        time: take(&mut fields, &TIME_KEYS).and_then(|value| time(&value)),
        severity: take(&mut fields, &SEVERITY_KEYS).and_then(|value| severity(&value)),
        component: take_text(&mut fields, &COMPONENT_KEYS),
    };
    for key in NOISE_KEYS {
        fields.remove(key);
    }
    // Docker's json-file: the line of another writer, whole.
    if fields.remove("stream").is_some() && message.is_some() {
        return Some(Peeled { header, rest: message.unwrap_or_default().into(), inner: true });
    }
    let mut text = message.unwrap_or_default();
    for (key, value) in &fields {
        append(&mut text, key, value);
    }
    Some(Peeled::message(header, text))
}

fn take(fields: &mut Map<String, Value>, keys: &[&str]) -> Option<Value> {
    keys.iter().find_map(|key| fields.remove(*key))
}

fn take_text(fields: &mut Map<String, Value>, keys: &[&str]) -> Option<String> {
    let key = keys.iter().find(|key| fields.get(**key).is_some_and(Value::is_string))?;
    match fields.remove(*key) {
        Some(Value::String(text)) => Some(text),
        _ => None,
    }
}

fn time(value: &Value) -> Option<i64> {
    match value {
        Value::String(text) => timestamp::leading(text).map(|t| t.millis),
        Value::Number(number) => number.as_f64().and_then(epoch),
        Value::Object(date) => date.get("$date").and_then(time),
        _ => None,
    }
}

/// Seconds with a fraction, milliseconds, microseconds or nanoseconds since 1970, told by their size.
fn epoch(value: f64) -> Option<i64> {
    let millis = match value {
        v if !(0.0..4e18).contains(&v) => return None,
        v if v > 1e17 => v / 1e6,
        v if v > 1e14 => v / 1e3,
        v if v > 1e11 => v,
        v => v * 1e3,
    };
    #[allow(clippy::cast_possible_truncation)] // below 4e18, and a fraction of a millisecond says nothing
    Some(millis as i64)
}

/// Words, single letters (Mongo), and the numbers of bunyan and pino (10 = trace … 60 = fatal).
fn severity(value: &Value) -> Option<Severity> {
    match value {
        Value::String(word) if word.len() == 1 => Severity::from_letter(word.as_bytes()[0]),
        Value::String(word) => Severity::from_word(word),
        Value::Number(number) => match number.as_u64()? {
            10 => Some(Severity::Trace),
            20 => Some(Severity::Debug),
            30 => Some(Severity::Info),
            40 => Some(Severity::Warning),
            50 => Some(Severity::Error),
            60 => Some(Severity::Fatal),
            _ => None,
        },
        _ => None,
    }
}

fn append(text: &mut String, key: &str, value: &Value) {
    let rendered = match value {
        Value::Null => return,
        Value::String(value) => value.clone(),
        other => other.to_string(),
    };
    if rendered.is_empty() {
        return;
    }
    if !text.is_empty() {
        text.push(' ');
    }
    text.push_str(key);
    text.push('=');
    text.push_str(super::cut(&rendered, MAX_VALUE));
}
