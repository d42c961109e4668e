//! Any JSON. Where things stand in it is told by settings; without them, natural names are tried.
//!
//! A setting is a list of dotted paths (`event.title, items.0.name`) of which the first that exists wins.

use std::collections::BTreeMap;

use serde_json::Value;

use super::common::{
    alert, find, fingerprint_of_id, fingerprint_of_title, json, keys, pairs, plain, service, severity,
};
use super::common::{short, time};
use super::{Alert, AlertFormat, AlertStatus, Delivery, ParseError, Request, Severity, fingerprint, limits};
use crate::signature::is_hmac;

/// The settings and what they are when nobody sets them.
pub const DEFAULTS: &[(&str, &str)] = &[
    ("alerts", "alerts"),
    ("title", "title, summary, name, alert, alertname, subject, message, text"),
    ("text", "message, description, text, details, body, reason"),
    ("status", "status, state"),
    ("resolved", "resolved, ok, closed, close, recovered, recovery, normal, up, success, fixed, inactive"),
    ("severity", "severity, priority, level, urgency"),
    ("service", "service, app, application, component"),
    ("fingerprint", "fingerprint, dedup_key, alias"),
    ("group", "group, group_key"),
    ("labels", "labels, tags"),
    ("values", "values, metrics"),
    ("logs", "logs, log, stack_trace, stacktrace, traceback"),
    ("starts_at", "starts_at, startsAt, started_at, start_time, created_at"),
    ("ends_at", "ends_at, endsAt, ended_at, end_time, resolved_at"),
    ("url", "url, link, html_url"),
    ("runbook_url", "runbook_url, runbook"),
    ("delivery_key", "delivery_key, delivery_id"),
];

/// Headers of the signature, unless the setting `signature_header` names another.
const SIGNATURE_HEADERS: &[&str] = &["x-clew-signature", "x-signature-256", "x-hub-signature-256", "x-signature"];

/// Any JSON.
pub struct Generic;

impl AlertFormat for Generic {
    fn name(&self) -> &'static str {
        "generic"
    }

    fn parse(&self, request: &Request) -> Result<Delivery, ParseError> {
        let body = json(request, self.name())?;
        let mapping = Mapping { request };
        let found: Vec<Found> =
            mapping.listed(&body)?.into_iter().map(|one| Found { mapping: &mapping, one }).collect();
        if !found.is_empty() && found.iter().all(|found| found.title().is_none()) {
            return Err(ParseError(format!(
                "no title: set `generic.title` to the path of what says what is wrong ({})",
                keys(found[0].one)
            )));
        }
        let header = (request.header)("idempotency-key").filter(|key| !key.trim().is_empty());
        let key = header.or_else(|| mapping.text("delivery_key", &body));
        let alerts = found.iter().map(Found::alert).collect();
        Ok(limits::bounded(Delivery { key, alerts, omitted: 0, confirm: None }))
    }

    /// The hex HMAC-SHA256 of the body, with or without `sha256=` before it.
    fn is_signed(&self, request: &Request, secret: &[u8], _now: i64) -> Option<bool> {
        let named = (request.setting)("signature_header").map(|name| name.trim().to_ascii_lowercase());
        let signature = match named.filter(|name| !name.is_empty()) {
            Some(name) => (request.header)(&name),
            None => SIGNATURE_HEADERS.iter().find_map(|name| (request.header)(name)),
        };
        let signature = signature.unwrap_or_default();
        Some(["", "sha256="].iter().any(|prefix| is_hmac(secret, &[request.body], prefix, &signature)))
    }
}

/// Where to find what.
struct Mapping<'a, 'b> {
    request: &'a Request<'b>,
}

impl Mapping<'_, '_> {
    fn setting(&self, key: &str) -> String {
        (self.request.setting)(key).unwrap_or_else(|| {
            DEFAULTS.iter().find(|(name, _)| *name == key).map(|(_, paths)| (*paths).to_owned()).unwrap_or_default()
        })
    }

    /// What stands at the paths of a setting, in their order.
    fn all<'v, T>(&self, key: &str, value: &'v Value, read: impl Fn(&'v Value) -> Option<T>) -> Vec<T> {
        let paths = self.setting(key);
        let paths = paths.split(',').map(str::trim).filter(|path| !path.is_empty());
        paths.filter_map(|path| find(value, path)).filter_map(read).collect()
    }

    fn text(&self, key: &str, value: &Value) -> Option<String> {
        self.all(key, value, plain).into_iter().next()
    }

    /// The alerts in a body: the list at `generic.alerts`, the body if it is a list, else the body itself.
    fn listed<'v>(&self, body: &'v Value) -> Result<Vec<&'v Value>, ParseError> {
        let named = (self.request.setting)("alerts").map(|path| path.trim().to_owned()).filter(|path| !path.is_empty());
        let list = self.all("alerts", body, Value::as_array).into_iter().next();
        match (list.or_else(|| body.as_array()), named) {
            (Some(list), _) => Ok(list.iter().filter(|one| one.is_object()).collect()),
            (None, Some(path)) => Err(ParseError(format!(
                "there is no list of alerts at `{path}` ({}): set `generic.alerts` to where they are, or to nothing if \
                 the body is one alert",
                keys(body)
            ))),
            (None, None) if body.is_object() => Ok(vec![body]),
            (None, None) => Err(ParseError(
                "the body must be an object or a list of objects: plain text goes to /webhooks/text".to_owned(),
            )),
        }
    }

    fn status(&self, word: &str) -> AlertStatus {
        let resolved = self.setting("resolved");
        if resolved.split(',').any(|known| known.trim().eq_ignore_ascii_case(word.trim())) {
            return AlertStatus::Resolved;
        }
        match AlertStatus::from_word(word) {
            Some(AlertStatus::Acknowledged) => AlertStatus::Acknowledged,
            _ => AlertStatus::Firing,
        }
    }

    fn asked(&self, name: &str) -> Option<String> {
        (self.request.query)(name).filter(|value| !value.trim().is_empty())
    }
}

/// One alert of a body.
struct Found<'a, 'b, 'c> {
    mapping: &'a Mapping<'b, 'c>,
    one: &'a Value,
}

impl Found<'_, '_, '_> {
    fn text(&self, key: &str) -> Option<String> {
        self.mapping.text(key, self.one)
    }

    fn first<'v, T>(&'v self, key: &str, read: impl Fn(&'v Value) -> Option<T>) -> Option<T> {
        self.mapping.all(key, self.one, read).into_iter().next()
    }

    fn pairs(&self, key: &str) -> BTreeMap<String, String> {
        self.first(key, |value| Some(pairs(value)).filter(|pairs| !pairs.is_empty())).unwrap_or_default()
    }

    fn title(&self) -> Option<String> {
        self.mapping.asked("title").or_else(|| self.text("title"))
    }

    fn alert(&self) -> Alert {
        let title = self.title().unwrap_or_else(|| "Alert without a title".to_owned());
        let labels = self.pairs("labels");
        let service = self.mapping.asked("service").or_else(|| self.text("service")).or_else(|| service(&labels));
        let status = self.mapping.asked("status").or_else(|| self.text("status"));
        let status = status.map_or(AlertStatus::Firing, |word| self.mapping.status(&word));
        let word = self.mapping.asked("severity").or_else(|| self.text("severity"));
        Alert {
            fingerprint: self.fingerprint(&labels, &title, service.as_deref()),
            group: self.text("group"),
            status,
            text: self.first("text", |value| plain(value).filter(|text| *text != title)).unwrap_or_default(),
            severity: word.and_then(|word| Severity::from_word(&word)).or_else(|| severity(&labels)),
            service,
            values: self.pairs("values"),
            starts_at: self.first("starts_at", time),
            ends_at: self.first("ends_at", time).filter(|_| status == AlertStatus::Resolved),
            url: self.text("url"),
            runbook_url: self.text("runbook_url"),
            logs: self.first("logs", lines).unwrap_or_default(),
            labels,
            ..alert("generic", title)
        }
    }

    /// The mapped paths joined. Without them the labels and the title: two alerts of one host are two.
    fn fingerprint(&self, labels: &BTreeMap<String, String>, title: &str, service: Option<&str>) -> String {
        let parts = self.mapping.all("fingerprint", self.one, plain);
        if !parts.is_empty() {
            let joined = parts.iter().map(|part| format!("{}:{part}", part.len())).collect::<String>();
            return fingerprint_of_id("generic", &joined);
        }
        if labels.is_empty() {
            return fingerprint_of_title("generic", title, service);
        }
        let mut labels = labels.clone();
        if !labels.contains_key("alertname") {
            labels.insert("alertname".to_owned(), title.to_owned());
        }
        short(&fingerprint(&labels))
    }
}

/// Log lines: a text with line breaks, or a list of texts or of objects with a `message`.
fn lines(value: &Value) -> Option<Vec<String>> {
    let lines: Vec<String> = match value {
        Value::String(text) => text.lines().map(str::to_owned).collect(),
        Value::Array(items) => items
            .iter()
            .filter_map(|item| match item {
                Value::String(text) => Some(text.clone()),
                item => find(item, "message").and_then(plain).or_else(|| plain(item)),
            })
            .flat_map(|text| text.lines().map(str::to_owned).collect::<Vec<_>>())
            .collect(),
        _ => Vec::new(),
    };
    (!lines.is_empty()).then_some(lines)
}
