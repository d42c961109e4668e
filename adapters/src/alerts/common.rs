//! What all formats need: reading loosely typed JSON, times, fingerprints, the labels that say whose alert it is.

use std::collections::BTreeMap;

use chrono::{DateTime, Datelike, NaiveDateTime, SecondsFormat, Utc};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::limits::one_line;
use super::{Alert, AlertStatus, ParseError, Request, Severity};

/// Labels that name a service, most telling first. `job` comes after the workload: Kubernetes' own alerts carry the name
/// of their exporter there.
const SERVICE_LABELS: &[&str] = &[
    "service",
    "service_name",
    "app",
    "application",
    "app_kubernetes_io_name",
    "deployment",
    "statefulset",
    "daemonset",
    "container",
    "job",
];

/// Labels that say how bad it is.
const SEVERITY_LABELS: &[&str] = &["severity", "priority", "level"];

/// An alert of which only the title is known.
pub(super) fn alert(source: &str, title: impl Into<String>) -> Alert {
    Alert {
        source: source.to_owned(),
        fingerprint: String::new(),
        group: None,
        status: AlertStatus::Firing,
        title: title.into(),
        text: String::new(),
        service: None,
        severity: None,
        labels: BTreeMap::new(),
        values: BTreeMap::new(),
        starts_at: None,
        ends_at: None,
        url: None,
        runbook_url: None,
        logs: Vec::new(),
    }
}

/// The body as JSON.
pub(super) fn json(request: &Request, format: &str) -> Result<Value, ParseError> {
    serde_json::from_slice(request.body).map_err(|error| {
        ParseError(format!("the body is not JSON ({error}): let the sender post JSON to /webhooks/{format}"))
    })
}

/// What stands at a dotted path (`event.title`, `items.0.name`). A key that has dots itself is found by its whole name.
pub(super) fn find<'a>(value: &'a Value, path: &str) -> Option<&'a Value> {
    let step = |key: &str| match value {
        Value::Object(fields) => fields.get(key),
        Value::Array(items) => key.parse::<usize>().ok().and_then(|index| items.get(index)),
        _ => None,
    };
    step(path).or_else(|| {
        let (key, rest) = path.split_once('.')?;
        find(step(key)?, rest)
    })
}

/// A text, number or truth value as text. Nothing for empty text, for lists, objects and null.
pub(super) fn plain(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.trim()).filter(|text| !text.is_empty()).map(str::to_owned),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        _ => None,
    }
}

/// The text at the first of `paths` that has one.
pub(super) fn text(value: &Value, paths: &[&str]) -> Option<String> {
    paths.iter().find_map(|path| find(value, path).and_then(plain))
}

/// The list at `path`; empty when there is none.
pub(super) fn list<'a>(value: &'a Value, path: &str) -> &'a [Value] {
    find(value, path).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// Names and values, however the sender writes them: an object, a list of `"name:value"`, of `[name, value]` or of
/// `{"name": …, "value": …}`, or one text of `name:value, name:value`. A bare name is worth `true`.
pub(crate) fn pairs(value: &Value) -> BTreeMap<String, String> {
    match value {
        Value::Object(fields) => fields
            .iter()
            .filter_map(|(name, value)| {
                let value = match value {
                    Value::Array(_) | Value::Object(_) => Some(value.to_string()),
                    plain_value => plain(plain_value),
                };
                Some((name.clone(), value?))
            })
            .collect(),
        Value::Array(items) => items.iter().filter_map(pair).collect(),
        Value::String(text) => text.split(',').filter_map(pair_of_text).collect(),
        _ => BTreeMap::new(),
    }
}

fn pair(item: &Value) -> Option<(String, String)> {
    match item {
        Value::String(text) => pair_of_text(text),
        Value::Array(both) => Some((plain(both.first()?)?, plain(both.get(1)?)?)),
        Value::Object(_) => Some((text(item, &["name", "key"])?, text(item, &["value"])?)),
        _ => None,
    }
}

fn pair_of_text(text: &str) -> Option<(String, String)> {
    let text = text.trim();
    let (name, value) = text.split_once(':').unwrap_or((text, "true"));
    let (name, value) = (name.trim(), value.trim());
    (!name.is_empty() && !value.is_empty()).then(|| (name.to_owned(), value.to_owned()))
}

/// A point in time as RFC 3339 in UTC: from RFC 3339, from its cousins without colon or zone (UTC is meant), or from the
/// time since 1970 in seconds, milli-, micro- or nanoseconds. The year 1 is how Go writes "never".
pub(crate) fn time(value: &Value) -> Option<String> {
    let text = plain(value)?;
    let time = DateTime::parse_from_rfc3339(&text)
        .or_else(|_| DateTime::parse_from_str(&text, "%Y-%m-%dT%H:%M:%S%.f%z"))
        .or_else(|_| DateTime::parse_from_str(&text, "%Y-%m-%d %H:%M:%S%.f%z"))
        .map(|time| time.to_utc())
        .ok()
        .or_else(|| NaiveDateTime::parse_from_str(&text, "%Y-%m-%dT%H:%M:%S%.f").ok().map(|time| time.and_utc()))
        .or_else(|| NaiveDateTime::parse_from_str(&text, "%Y-%m-%d %H:%M:%S%.f").ok().map(|time| time.and_utc()))
        .or_else(|| since_1970(&text))?;
    (time.year() > 1 && time.year() < 10_000).then(|| time.to_rfc3339_opts(SecondsFormat::AutoSi, true))
}

/// The unit is told from the size: a figure of this century is unmistakable in each.
fn since_1970(text: &str) -> Option<DateTime<Utc>> {
    let number: i64 = text.split_once('.').map_or(text, |(whole, _)| whole).parse().ok()?;
    match number {
        ..=0 => None,
        1..100_000_000_000 => DateTime::from_timestamp_secs(number),
        100_000_000_000..100_000_000_000_000 => DateTime::from_timestamp_millis(number),
        100_000_000_000_000..100_000_000_000_000_000 => DateTime::from_timestamp_micros(number),
        _ => Some(DateTime::from_timestamp_nanos(number)),
    }
}

/// The time at the first of `paths` that has one.
pub(super) fn time_at(value: &Value, paths: &[&str]) -> Option<String> {
    paths.iter().find_map(|path| find(value, path).and_then(time))
}

/// Service that the labels name.
pub(crate) fn service(labels: &BTreeMap<String, String>) -> Option<String> {
    SERVICE_LABELS.iter().find_map(|name| labels.get(*name)).cloned()
}

/// Severity that the labels name.
pub(super) fn severity(labels: &BTreeMap<String, String>) -> Option<Severity> {
    SEVERITY_LABELS.iter().filter_map(|name| labels.get(*name)).find_map(|word| Severity::from_word(word))
}

/// Hex SHA-256 of `parts`. Each goes in with its length, so that no two lists look alike.
pub(crate) fn digest<'a>(parts: impl IntoIterator<Item = &'a str>) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Fingerprint of an alert that the sender itself tells from others by `id`.
pub(super) fn fingerprint_of_id(format: &str, id: &str) -> String {
    short(&digest([format, "id", id]))
}

/// Fingerprint of an alert that has neither an id nor labels.
pub(super) fn fingerprint_of_title(format: &str, title: &str, service: Option<&str>) -> String {
    short(&digest([format, "title", title, service.unwrap_or_default()]))
}

/// The first 16 characters: enough to tell apart more alerts than anybody will ever have.
pub(crate) fn short(digest: &str) -> String {
    digest.chars().take(16).collect()
}

/// Names of the keys of an object, for messages about it. Never values: they may be secret.
pub(super) fn keys(value: &Value) -> String {
    const SHOWN: usize = 20;
    let Value::Object(fields) = value else {
        return "the body is no object".to_owned();
    };
    if fields.is_empty() {
        return "the body is empty".to_owned();
    }
    let shown: Vec<String> = fields.keys().take(SHOWN).map(|key| format!("`{}`", one_line(key, 40))).collect();
    let more = if fields.len() > SHOWN { ", …" } else { "" };
    format!("the body has {}{more}", shown.join(", "))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn paths_lead_through_objects_and_lists() {
        let value = json!({"event": {"title": "x"}, "items": [{"name": "first"}], "a.b": 1, "zero": ""});
        assert_eq!(text(&value, &["event.title"]).as_deref(), Some("x"));
        assert_eq!(text(&value, &["items.0.name"]).as_deref(), Some("first"));
        assert_eq!(text(&value, &["a.b"]).as_deref(), Some("1"));
        assert_eq!(text(&value, &["zero", "event", "items.7", "", ".", "event.title"]).as_deref(), Some("x"));
    }

    #[test]
    fn pairs_are_read_however_they_are_written() {
        let expected: BTreeMap<_, _> = [("env", "prod"), ("team", "a:b")].map(|(k, v)| (k.into(), v.into())).into();
        for value in [
            json!({"env": "prod", "team": "a:b", "nothing": null, "empty": ""}),
            json!(["env:prod", "team:a:b", 7]),
            json!([["env", "prod"], ["team", "a:b"], ["alone"]]),
            json!([{"name": "env", "value": "prod"}, {"key": "team", "value": "a:b"}, {"name": "half"}]),
            json!("env:prod, team:a:b, ,:"),
        ] {
            assert_eq!(pairs(&value), expected, "{value}");
        }
        assert_eq!(pairs(&json!(["urgent"])).get("urgent").map(String::as_str), Some("true"));
    }

    #[test]
    fn times_in_all_their_forms() {
        for (value, expected) in [
            (json!("2021-10-12T09:51:03.157076+02:00"), Some("2021-10-12T07:51:03.157076Z")),
            (json!("2019-10-02T17:04:40.989+0000"), Some("2019-10-02T17:04:40.989Z")),
            (json!("2020-04-09 15:16:27"), Some("2020-04-09T15:16:27Z")),
            (json!(1_406_662_672), Some("2014-07-29T19:37:52Z")),
            (json!(1_406_662_672_000_i64), Some("2014-07-29T19:37:52Z")),
            (json!("1406662672000"), Some("2014-07-29T19:37:52Z")),
            (json!(1_566_248_777.677), Some("2019-08-19T21:06:17Z")),
            (json!(1_420_452_193_166_002_000_i64), Some("2015-01-05T10:03:13.166002Z")),
            (json!("0001-01-01T00:00:00Z"), None),
            (json!("yesterday"), None),
            (json!(0), None),
            (json!(-5), None),
            (json!(null), None),
        ] {
            assert_eq!(time(&value).as_deref(), expected, "{value}");
        }
    }

    #[test]
    fn the_most_telling_label_names_the_service() {
        let labels = |names: &[&str]| names.iter().map(|name| ((*name).to_owned(), (*name).to_owned())).collect();
        assert_eq!(service(&labels(&["job", "deployment", "app", "x"])).as_deref(), Some("app"));
        assert_eq!(service(&labels(&["job", "container"])).as_deref(), Some("container"));
        assert_eq!(service(&labels(&["x"])), None);
    }

    #[test]
    fn lengths_keep_parts_apart() {
        assert_ne!(digest(["ab", "c"]), digest(["a", "bc"]));
        assert_ne!(digest(["ab"]), digest(["ab", ""]));
    }

    #[test]
    fn messages_show_keys_and_never_values() {
        assert_eq!(keys(&json!({"password": "hunter2", "a": 1})), "the body has `a`, `password`");
    }
}
