//! The exceptions of a Sentry event, written as the language itself writes them, so that they read like a log.

use serde_json::Value;

use super::common::{find, list, text};
use super::limits;

/// Frames of an exception that are kept: the innermost.
const FRAMES: usize = 200;
/// Exceptions of a chain that are kept: the last to be raised.
const EXCEPTIONS: usize = 20;

/// The exceptions of `event`, one line a frame. Sentry lists causes before what they led to and outer frames before inner
/// ones, as Python prints them; Java and JavaScript print it the other way around.
pub(super) fn lines(event: &Value) -> Vec<String> {
    let exceptions = match list(event, "exception.values") {
        [] => entry(event).unwrap_or(&[]),
        listed => listed,
    };
    let kept = &exceptions[exceptions.len().saturating_sub(EXCEPTIONS)..];
    match text(event, &["platform"]).as_deref() {
        Some("java" | "android" | "kotlin") => inside_out(kept, "Caused by: ", java_frame),
        Some("javascript" | "node") => inside_out(kept, "Caused by: ", javascript_frame),
        _ => python(kept),
    }
}

/// Where the exceptions are in the shape of Sentry's API: `entries: [{type: "exception", data: {values: […]}}]`.
fn entry(event: &Value) -> Option<&[Value]> {
    let entry = list(event, "entries").iter().find(|entry| text(entry, &["type"]).as_deref() == Some("exception"))?;
    Some(list(entry, "data.values"))
}

fn python(exceptions: &[Value]) -> Vec<String> {
    let mut lines = Vec::new();
    for (index, exception) in exceptions.iter().enumerate() {
        if index > 0 {
            lines.extend(
                ["", "The above exception was the direct cause of the following exception:", ""].map(str::to_owned),
            );
        }
        let frames = frames(exception);
        if !frames.is_empty() {
            lines.push("Traceback (most recent call last):".to_owned());
        }
        lines.extend(frames.iter().map(|frame| {
            let file = text(frame, &["filename", "abs_path", "module"]).unwrap_or_else(|| "<unknown>".to_owned());
            let line = text(frame, &["lineno"]).map(|line| format!(", line {line}")).unwrap_or_default();
            let function = text(frame, &["function"]).map(|name| format!(", in {name}")).unwrap_or_default();
            clean(&format!("  File \"{file}\"{line}{function}"))
        }));
        lines.push(head(exception));
    }
    lines
}

fn inside_out(exceptions: &[Value], cause: &str, frame: fn(&Value) -> String) -> Vec<String> {
    let mut lines = Vec::new();
    for (index, exception) in exceptions.iter().rev().enumerate() {
        lines.push(format!("{}{}", if index == 0 { "" } else { cause }, head(exception)));
        lines.extend(frames(exception).iter().rev().map(|listed| clean(&frame(listed))));
    }
    lines
}

fn java_frame(frame: &Value) -> String {
    let function = text(frame, &["function"]).unwrap_or_else(|| "<unknown>".to_owned());
    let module = text(frame, &["module"]).map(|module| format!("{module}.")).unwrap_or_default();
    let file = text(frame, &["filename", "abs_path"]).unwrap_or_else(|| "Unknown Source".to_owned());
    format!("\tat {module}{function}({file}{})", numbered(frame, &["lineno"]))
}

fn javascript_frame(frame: &Value) -> String {
    let file = text(frame, &["filename", "abs_path"]).unwrap_or_else(|| "<anonymous>".to_owned());
    let place = format!("{file}{}", numbered(frame, &["lineno", "colno"]));
    match text(frame, &["function"]) {
        Some(function) => format!("    at {function} ({place})"),
        None => format!("    at {place}"),
    }
}

fn numbered(frame: &Value, fields: &[&str]) -> String {
    fields.iter().map_while(|field| text(frame, &[field])).map(|number| format!(":{number}")).collect()
}

fn frames(exception: &Value) -> &[Value] {
    let frames = list(exception, "stacktrace.frames");
    &frames[frames.len().saturating_sub(FRAMES)..]
}

/// `Type: value`.
fn head(exception: &Value) -> String {
    let kind = text(exception, &["type"]);
    let value = find(exception, "value").and_then(super::common::plain);
    clean(&match (kind, value) {
        (Some(kind), Some(value)) => format!("{kind}: {value}"),
        (Some(one), None) | (None, Some(one)) => one,
        (None, None) => "Error".to_owned(),
    })
}

/// One line, whatever a message holds. The leading blanks stay: they make a frame a frame.
fn clean(line: &str) -> String {
    let blanks = &line[..line.len() - line.trim_start_matches([' ', '\t']).len()];
    format!("{blanks}{}", limits::one_line(line, limits::LINE_BYTES / 4))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn event(platform: &str) -> Value {
        json!({"platform": platform, "exception": {"values": [
            {"type": "KeyError", "value": "'user'\nsecond line", "stacktrace": {"frames": [
                {"filename": "app.py", "lineno": 10, "colno": 2, "function": "main", "module": "app"},
                {"filename": "db.py", "lineno": 20, "colno": 4, "function": "load", "module": "db"},
            ]}},
            {"type": "RuntimeError", "stacktrace": {"frames": [
                {"filename": "app.py", "lineno": 12, "module": "app"},
            ]}},
        ]}})
    }

    #[test]
    fn python_prints_causes_first_and_inner_frames_last() {
        assert_eq!(
            lines(&event("python")),
            [
                "Traceback (most recent call last):",
                "  File \"app.py\", line 10, in main",
                "  File \"db.py\", line 20, in load",
                "KeyError: 'user' second line",
                "",
                "The above exception was the direct cause of the following exception:",
                "",
                "Traceback (most recent call last):",
                "  File \"app.py\", line 12",
                "RuntimeError",
            ]
        );
    }

    #[test]
    fn java_prints_causes_last_and_inner_frames_first() {
        assert_eq!(
            lines(&event("java")),
            [
                "RuntimeError",
                "\tat app.<unknown>(app.py:12)",
                "Caused by: KeyError: 'user' second line",
                "\tat db.load(db.py:20)",
                "\tat app.main(app.py:10)",
            ]
        );
    }

    #[test]
    fn javascript_prints_columns() {
        assert_eq!(
            lines(&event("node"))[1..4],
            ["    at app.py:12", "Caused by: KeyError: 'user' second line", "    at load (db.py:20:4)",]
        );
    }

    #[test]
    fn without_exceptions_there_is_nothing() {
        assert!(lines(&json!({"exception": {"values": "none"}})).is_empty());
        assert!(lines(&json!({"exception": null, "entries": [{"type": "message"}]})).is_empty());
    }
}
