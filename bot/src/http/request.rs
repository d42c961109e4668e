//! What clients send, checked field by field.

use std::collections::BTreeMap;

use axum::body::{Body, Bytes, to_bytes};
use axum::http::{HeaderMap, StatusCode, header};
use clew_pipeline::Context;
use clew_pipeline::knowledge::document::Kind;
use clew_pipeline::knowledge::search::Filter;
use clew_pipeline::logs::clean::looks_binary;
use serde_json::{Map, Value};

use super::error::Problem;
use crate::config::Http;

/// Longest title, service, query and root cause, in bytes.
const MAX_TEXT: usize = 4_096;
/// Most labels of an alert.
const MAX_LABELS: usize = 100;
/// Most results of a search.
const MAX_TOP_K: u64 = 100;
/// Results of a search that does not say how many.
const DEFAULT_TOP_K: usize = 5;

/// Lines to look at, and what came with them.
#[derive(Debug, Default)]
pub struct Logs {
    /// The text of all lines.
    pub text: String,
    /// What came with them.
    pub context: Context,
}

/// Reads the body, up to the limit.
///
/// # Errors
/// 413 when it is larger, 400 when the connection broke.
pub async fn body(body: Body, limits: &Http) -> Result<Bytes, Problem> {
    body_up_to(body, limits.body_limit_bytes, "http.body_limit_bytes").await
}

/// As [`body`], up to `limit` bytes, which `setting` sets.
///
/// # Errors
/// As [`body`].
pub async fn body_up_to(body: Body, limit: usize, setting: &str) -> Result<Bytes, Problem> {
    to_bytes(body, limit).await.map_err(|error| {
        let too_large =
            std::error::Error::source(&error).is_some_and(|cause| cause.to_string().contains("length limit"));
        if too_large {
            let detail = format!("the body is larger than {limit} bytes; send less at once, or raise {setting}");
            Problem::too_large("body", limit, detail)
        } else {
            Problem::new(StatusCode::BAD_REQUEST, "the body ended before it was complete")
        }
    })
}

/// Lines from a JSON object (`logs`, and optionally `title`, `service`, `labels`) or from plain text.
///
/// # Errors
/// A problem that names the field and the limit.
pub fn logs(headers: &HeaderMap, body: &Bytes, limits: &Http) -> Result<Logs, Problem> {
    let logs = if is_json(headers) { json_logs(body)? } else { plain_logs(body)? };
    let lines = logs.text.lines().count();
    if lines > limits.max_lines {
        let detail = format!(
            "{lines} lines are more than {}; send the part around the failure, or raise http.max_lines",
            limits.max_lines
        );
        return Err(Problem::too_large("logs", limits.max_lines, detail));
    }
    if logs.text.trim().is_empty() && logs.context.title.is_none() {
        return Err(Problem::field("logs", "logs is empty: send at least one line, or a title"));
    }
    Ok(logs)
}

fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("");
    let kind = kind.split(';').next().unwrap_or("").trim();
    kind == "application/json" || kind.ends_with("+json") || kind.is_empty()
}

fn plain_logs(body: &Bytes) -> Result<Logs, Problem> {
    if looks_binary(body) {
        let detail = "the body is no text (compressed or binary); decompress it first and send it as text/plain";
        return Err(Problem::field("body", detail));
    }
    Ok(Logs { text: String::from_utf8_lossy(body).into_owned(), context: Context::default() })
}

fn json_logs(body: &Bytes) -> Result<Logs, Problem> {
    let fields = object(body)?;
    let text = match lines(&fields)? {
        Some(text) => text,
        None if fields.contains_key("title") => String::new(),
        None => {
            let detail = "logs is missing: send {\"logs\": [\"line\", \u{2026}]}, or the lines as text/plain";
            return Err(Problem::field("logs", detail));
        }
    };
    Ok(Logs {
        text,
        context: Context {
            title: text_field(&fields, "title")?,
            service: text_field(&fields, "service")?,
            labels: labels(&fields)?,
            baseline: None,
        },
    })
}

/// The field `logs` as one text: a list of strings, or one string with line breaks.
///
/// # Errors
/// When it is something else.
pub fn lines(fields: &Map<String, Value>) -> Result<Option<String>, Problem> {
    lines_of(fields, "logs")
}

/// The field `name` as one text: a list of strings, or one string with line breaks.
///
/// # Errors
/// When it is something else.
pub fn lines_of(fields: &Map<String, Value>, name: &str) -> Result<Option<String>, Problem> {
    match fields.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(Value::Array(lines)) => {
            let lines: Option<Vec<&str>> = lines.iter().map(Value::as_str).collect();
            let lines = lines
                .ok_or_else(|| Problem::field(name, format!("{name} must hold strings only, one log line each")))?;
            Ok(Some(lines.join("\n")))
        }
        Some(_) => {
            Err(Problem::field(name, format!("{name} must be a list of strings, or one string with line breaks")))
        }
    }
}

/// The two logs that are compared.
///
/// # Errors
/// When one is missing, no text, or longer than the limit.
pub fn before_and_after(fields: &Map<String, Value>, limits: &Http) -> Result<(String, String), Problem> {
    let one = |name: &str| {
        let text = lines_of(fields, name)?.ok_or_else(|| {
            Problem::field(name, format!("{name} is missing: send {{\"before\": [lines], \"after\": [lines]}}"))
        })?;
        let lines = text.lines().count();
        if lines > limits.max_lines {
            let detail =
                format!("{lines} lines are more than {}; send less, or raise http.max_lines", limits.max_lines);
            return Err(Problem::too_large(name, limits.max_lines, detail));
        }
        Ok(text)
    };
    Ok((one("before")?, one("after")?))
}

/// Which entries a search may find: `technology` and `kind`.
///
/// # Errors
/// When `kind` is none.
pub fn filter(fields: &Map<String, Value>) -> Result<Filter, Problem> {
    let kind = match text_field(fields, "kind")?.as_deref() {
        None => None,
        Some("runbook") => Some(Kind::Runbook),
        Some("incident") => Some(Kind::Incident),
        Some(other) => {
            return Err(Problem::field("kind", format!("kind is {other:?}; it must be runbook or incident")));
        }
    };
    Ok(Filter { technology: text_field(fields, "technology")?.map(|name| name.to_lowercase()), kind })
}

/// The fields of a JSON object.
///
/// # Errors
/// 400 when the body is none.
pub fn object(body: &Bytes) -> Result<Map<String, Value>, Problem> {
    match serde_json::from_slice(body) {
        Ok(Value::Object(fields)) => Ok(fields),
        Ok(_) => Err(Problem::new(StatusCode::BAD_REQUEST, "the body must be a JSON object")),
        Err(error) => Err(Problem::new(StatusCode::BAD_REQUEST, format!("the body is not valid JSON: {error}"))),
    }
}

/// An optional text field.
///
/// # Errors
/// When it is no string or too long.
pub fn text_field(fields: &Map<String, Value>, name: &str) -> Result<Option<String>, Problem> {
    match fields.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if text.len() > MAX_TEXT => {
            Err(Problem::too_large(name, MAX_TEXT, format!("{name} is longer than {MAX_TEXT} bytes; shorten it")))
        }
        Some(Value::String(text)) if text.trim().is_empty() => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(Problem::field(name, format!("{name} must be a string"))),
    }
}

fn labels(fields: &Map<String, Value>) -> Result<BTreeMap<String, String>, Problem> {
    let wrong = || Problem::field("labels", "labels must be an object with string values");
    match fields.get("labels") {
        None | Some(Value::Null) => Ok(BTreeMap::new()),
        Some(Value::Object(labels)) if labels.len() > MAX_LABELS => Err(Problem::too_large(
            "labels",
            MAX_LABELS,
            format!("labels has {} entries, at most {MAX_LABELS} are read", labels.len()),
        )),
        Some(Value::Object(labels)) => {
            labels.iter().map(|(key, value)| Ok((key.clone(), value.as_str().ok_or_else(wrong)?.to_owned()))).collect()
        }
        Some(_) => Err(wrong()),
    }
}

/// How many results a search shall give.
///
/// # Errors
/// When it is no number from 1 to 100.
pub fn top_k(fields: &Map<String, Value>) -> Result<usize, Problem> {
    match fields.get("top_k") {
        None | Some(Value::Null) => Ok(DEFAULT_TOP_K),
        Some(value) => value
            .as_u64()
            .filter(|k| (1..=MAX_TOP_K).contains(k))
            .and_then(|k| usize::try_from(k).ok())
            .ok_or_else(|| Problem::field("top_k", format!("top_k must be a whole number from 1 to {MAX_TOP_K}"))),
    }
}
