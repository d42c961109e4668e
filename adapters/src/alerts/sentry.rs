//! Webhooks of a Sentry integration: issues, issue alerts, metric alerts, errors.

use std::collections::BTreeMap;

use serde_json::Value;

use super::common::{alert, find, fingerprint_of_id, json, keys, pairs, service, severity, text, time_at};
use super::{Alert, AlertFormat, AlertStatus, Delivery, ParseError, Request, Severity, limits, sentry_trace};
use crate::signature::is_hmac;

/// Webhooks of Sentry.
pub struct Sentry;

impl AlertFormat for Sentry {
    fn name(&self) -> &'static str {
        "sentry"
    }

    fn parse(&self, request: &Request) -> Result<Delivery, ParseError> {
        let body = json(request, self.name())?;
        let (Some(action), Some(data)) = (text(&body, &["action"]), object(&body, "data")) else {
            return Err(ParseError(format!(
                "`action` must be a text and `data` an object, as in the webhooks of a Sentry integration ({}): make an \
                 internal integration in Sentry with this address, not the legacy WebHooks plugin",
                keys(&body)
            )));
        };
        let resource = (request.header)("sentry-hook-resource").unwrap_or_default();
        let alert = match resource.as_str() {
            "issue" => issue(data, &action),
            "event_alert" => object(data, "event").map(event),
            "error" => object(data, "error").map(event),
            "metric_alert" => metric(data, &action),
            // Sentry always says the resource; a proxy may have dropped it.
            "" => issue(data, &action)
                .or_else(|| object(data, "event").or_else(|| object(data, "error")).map(event))
                .or_else(|| metric(data, &action)),
            _ => None,
        };
        let key = (request.header)("request-id").map(|id| id.trim().to_owned()).filter(|id| !id.is_empty());
        Ok(limits::bounded(Delivery { key, alerts: alert.into_iter().collect(), omitted: 0, confirm: None }))
    }

    fn is_signed(&self, request: &Request, secret: &[u8], _now: i64) -> Option<bool> {
        let signature = (request.header)("sentry-hook-signature").unwrap_or_default();
        Some(is_hmac(secret, &[request.body], "", &signature))
    }
}

fn object<'a>(value: &'a Value, key: &str) -> Option<&'a Value> {
    find(value, key).filter(|found| found.is_object())
}

/// An issue whose state changed. Archived counts as over: the team decided that it does not matter, and Sentry says
/// `unresolved` when it matters again.
fn issue(data: &Value, action: &str) -> Option<Alert> {
    let issue = object(data, "issue")?;
    let is_open = text(issue, &["status"]).is_none_or(|status| status == "unresolved");
    let status = match (action, find(issue, "assignedTo").is_some_and(|to| !to.is_null())) {
        ("created" | "unresolved", _) => AlertStatus::Firing,
        // Whom a finished one belongs to does not bring it back.
        ("assigned", true) if is_open => AlertStatus::Acknowledged,
        ("assigned", false) if is_open => AlertStatus::Firing,
        ("resolved" | "archived" | "ignored", _) => AlertStatus::Resolved,
        _ => return None,
    };
    let fields = [
        ("culprit", text(issue, &["culprit"])),
        ("level", text(issue, &["level"])),
        ("platform", text(issue, &["platform"])),
        ("project", text(issue, &["project.slug", "project.name"])),
        ("shortId", text(issue, &["shortId"])),
        ("substatus", text(issue, &["substatus"])),
    ];
    let labels: BTreeMap<String, String> =
        fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect();
    let title = text(issue, &["title", "metadata.value", "culprit"]).unwrap_or_else(|| "Sentry issue".to_owned());
    Some(Alert {
        fingerprint: fingerprint_of_id("sentry", &text(issue, &["id"]).unwrap_or_else(|| title.clone())),
        status,
        text: text(issue, &["metadata.value"]).filter(|value| !title.contains(value.as_str())).unwrap_or_default(),
        service: labels.get("project").cloned(),
        severity: severity(&labels),
        // An issue that comes back was first seen long before.
        starts_at: time_at(issue, &["firstSeen"]).filter(|_| action == "created"),
        url: text(issue, &["web_url", "permalink"]),
        labels,
        ..alert("sentry", title)
    })
}

/// An event of an issue: one that set off an issue alert, or just an error. Its issue is what the alert is about.
fn event(event: &Value) -> Alert {
    let title = text(event, &["title", "metadata.value", "message", "culprit"]);
    let title = title.unwrap_or_else(|| "Sentry event".to_owned());
    let mut labels = find(event, "tags").map(pairs).unwrap_or_default();
    // Who met the error is nobody's business here.
    labels.retain(|name, _| name != "user" && !name.starts_with("user."));
    for field in ["culprit", "environment", "level", "platform", "release"] {
        labels.extend(text(event, &[field]).map(|value| (field.to_owned(), value)));
    }
    let project = text(event, &["project_slug", "project_name"]).or_else(|| project_of_url(event));
    labels.extend(project.map(|project| ("project".to_owned(), project)));
    let message = text(event, &["logentry.formatted", "message"]);
    Alert {
        fingerprint: fingerprint_of_id(
            "sentry",
            &text(event, &["issue_id", "groupID"]).unwrap_or_else(|| title.clone()),
        ),
        text: message.filter(|message| *message != title).unwrap_or_default(),
        service: service(&labels).or_else(|| labels.get("project").cloned()),
        severity: severity(&labels),
        url: text(event, &["web_url"]),
        logs: sentry_trace::lines(event),
        labels,
        ..alert("sentry", title)
    }
}

/// The event has the project's number only; its name is in the address: `…/projects/{organization}/{project}/events/…`.
fn project_of_url(event: &Value) -> Option<String> {
    let url = text(event, &["url"])?;
    let project = url.split_once("/projects/")?.1.split('/').nth(1)?;
    (!project.is_empty()).then(|| project.to_owned())
}

/// A metric that crossed a threshold of its rule.
fn metric(data: &Value, action: &str) -> Option<Alert> {
    let metric = object(data, "metric_alert")?;
    let (status, severity) = match action {
        "critical" => (AlertStatus::Firing, Some(Severity::Critical)),
        "warning" => (AlertStatus::Firing, Some(Severity::Medium)),
        "resolved" => (AlertStatus::Resolved, None),
        _ => return None,
    };
    let rule = find(metric, "alert_rule").unwrap_or(&Value::Null);
    let title = text(rule, &["name"]).or_else(|| text(data, &["description_title"]));
    let title = title.unwrap_or_else(|| "Sentry metric alert".to_owned());
    let fields = [
        ("aggregate", text(rule, &["aggregate"])),
        ("dataset", text(rule, &["dataset"])),
        ("environment", text(rule, &["environment"])),
        ("project", text(metric, &["projects.0"])),
        ("query", text(rule, &["query"])),
    ];
    let labels: BTreeMap<String, String> =
        fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect();
    // The rule is what it is about; its incident has a new id each time.
    let id = text(rule, &["id"]).or_else(|| text(metric, &["id"])).unwrap_or_else(|| title.clone());
    Some(Alert {
        fingerprint: fingerprint_of_id("sentry-metric", &id),
        status,
        text: text(data, &["description_text"]).unwrap_or_default().replace("\\n", "\n"),
        service: labels.get("project").cloned(),
        severity,
        starts_at: time_at(metric, &["date_started", "date_detected"]),
        ends_at: time_at(metric, &["date_closed"]).filter(|_| status == AlertStatus::Resolved),
        url: text(data, &["web_url"]),
        labels,
        ..alert("sentry", title)
    })
}
