//! Posts in the manner of Alertmanager: a group of alerts, each firing or resolved. Grafana sends the same with a few
//! fields more.

use std::collections::BTreeMap;

use serde_json::Value;

use super::common::{alert, digest, find, fingerprint_of_id, fingerprint_of_title, json, keys, pairs};
use super::common::{service, severity, text, time_at};
use super::{Alert, AlertStatus, Delivery, ParseError, Request, fingerprint, limits};

/// Annotations that are fields of an alert, or addresses of pictures of it.
const TITLES: &[&str] = &["summary", "title", "message"];
const TEXTS: &[&str] = &["description", "message"];
const RUNBOOKS: &[&str] = &["runbook_url", "runbook", "runbookURL"];

/// Labels that say where it happens, for a title where nobody wrote one.
const PLACES: &[&str] = &["instance", "pod", "host", "hostname", "node", "namespace"];

/// A post of `format`; `more` adds what only this format has.
pub(super) fn parse(format: &str, request: &Request, more: fn(&Value, &mut Alert)) -> Result<Delivery, ParseError> {
    let body = json(request, format)?;
    let Some(listed) = find(&body, "alerts").and_then(Value::as_array) else {
        return Err(ParseError(format!(
            "`alerts` must be a list of alerts, as in the webhook of {format} ({}): let only {format} post to \
             /webhooks/{format}, and other senders to /webhooks/generic",
            keys(&body)
        )));
    };
    let group_status = text(&body, &["status"]).unwrap_or_default();
    let group =
        text(&body, &["groupKey"]).map(|key| format!("{}:{key}", text(&body, &["receiver"]).unwrap_or_default()));
    let alerts: Vec<Alert> = listed
        .iter()
        .filter(|listed| listed.is_object())
        .map(|listed| {
            let mut alert = one(format, listed, &group_status);
            alert.group.clone_from(&group);
            more(listed, &mut alert);
            alert
        })
        .collect();
    let truncated = find(&body, "truncatedAlerts").and_then(Value::as_u64).unwrap_or_default();
    let key = key(format, &body, &group_status, &alerts);
    let omitted = usize::try_from(truncated).unwrap_or(usize::MAX);
    Ok(limits::bounded(Delivery { key: Some(key), alerts, omitted, confirm: None }))
}

/// The same for every peer of a cluster and for every repeat. A group that shrinks is posted as `firing` with the
/// resolved ones inside, so the status of each alert counts, not only the group's.
fn key(format: &str, body: &Value, status: &str, alerts: &[Alert]) -> String {
    let mut states: Vec<String> = alerts
        .iter()
        .map(|alert| {
            let word = if alert.status == AlertStatus::Resolved { "resolved" } else { "firing" };
            let [starts_at, ends_at] =
                [&alert.starts_at, &alert.ends_at].map(|time| time.as_deref().unwrap_or_default());
            digest([alert.fingerprint.as_str(), starts_at, word, ends_at])
        })
        .collect();
    states.sort();
    states.dedup();
    let [receiver, group] = ["receiver", "groupKey"].map(|field| text(body, &[field]).unwrap_or_default());
    let head = [format, receiver.as_str(), group.as_str(), status];
    digest(head.into_iter().chain(states.iter().map(String::as_str))).chars().take(32).collect()
}

fn one(format: &str, listed: &Value, group_status: &str) -> Alert {
    let labels = find(listed, "labels").map(pairs).unwrap_or_default();
    let annotations = find(listed, "annotations").map(pairs).unwrap_or_default();
    let status = text(listed, &["status"]).unwrap_or_else(|| group_status.to_owned());
    let resolved = status.eq_ignore_ascii_case("resolved");
    let title = title(&labels, &annotations);
    let service = service(&labels);
    Alert {
        fingerprint: match text(listed, &["fingerprint"]) {
            Some(id) => fingerprint_of_id(format, &id),
            None if labels.is_empty() => fingerprint_of_title(format, &title, service.as_deref()),
            None => fingerprint(&labels),
        },
        status: if resolved { AlertStatus::Resolved } else { AlertStatus::Firing },
        text: description(&annotations, &title),
        service,
        severity: severity(&labels),
        starts_at: time_at(listed, &["startsAt"]),
        // Of a firing one it is only when Alertmanager would give up on it.
        ends_at: time_at(listed, &["endsAt"]).filter(|_| resolved),
        url: text(listed, &["generatorURL"]),
        runbook_url: RUNBOOKS.iter().find_map(|name| annotations.get(*name)).cloned(),
        labels,
        ..alert(format, title)
    }
}

fn title(labels: &BTreeMap<String, String>, annotations: &BTreeMap<String, String>) -> String {
    if let Some(title) = TITLES.iter().find_map(|name| annotations.get(*name)) {
        return title.clone();
    }
    let name = labels.get("alertname").map_or("Alert without a name", String::as_str);
    match PLACES.iter().find_map(|place| labels.get(*place)) {
        Some(place) if annotations.is_empty() => format!("{name} on {place}"),
        _ => name.to_owned(),
    }
}

/// What is said beyond the title.
fn description(annotations: &BTreeMap<String, String>, title: &str) -> String {
    let said = TEXTS.iter().filter_map(|name| annotations.get(*name)).find(|text| text.as_str() != title);
    if let Some(text) = said {
        return text.clone();
    }
    let is_field = |name: &str| {
        TITLES.contains(&name)
            || TEXTS.contains(&name)
            || RUNBOOKS.contains(&name)
            || name.starts_with("__")
            || name.to_ascii_lowercase().contains("dashboard")
    };
    let others = annotations.iter().filter(|(name, _)| !is_field(name));
    others.map(|(name, value)| format!("{name}: {value}")).collect::<Vec<_>>().join("\n")
}

/// What was measured, out of `[ var='B' labels={…} value=44.2 ], [ … ]`.
pub(super) fn values_of_text(text: &str) -> BTreeMap<String, String> {
    let measured = text.split("[ ").filter_map(|part| {
        let value = part.rsplit_once("value=")?.1.split([' ', ']', ',']).next().filter(|value| !value.is_empty())?;
        let name = ["var='", "metric='"].iter().find_map(|start| part.split_once(start)?.1.split('\'').next());
        Some((name.filter(|name| !name.is_empty()).unwrap_or("value").to_owned(), value.to_owned()))
    });
    measured.collect()
}
