//! Webhooks of `PagerDuty`, version 3. One post tells one event of one incident.

use std::collections::BTreeMap;

use serde_json::Value;

use super::common::{alert, find, fingerprint_of_id, json, keys, list, text, time_at};
use super::{Alert, AlertFormat, AlertStatus, Delivery, ParseError, Request, Severity, limits};
use crate::signature::is_hmac;

/// Webhooks of `PagerDuty`.
pub struct PagerDuty;

impl AlertFormat for PagerDuty {
    fn name(&self) -> &'static str {
        "pagerduty"
    }

    fn parse(&self, request: &Request) -> Result<Delivery, ParseError> {
        let body = json(request, self.name())?;
        let Some(event) = find(&body, "event").filter(|event| event.is_object()) else {
            let hint = if find(&body, "messages").is_some() { " (this is a webhook of version 1 or 2)" } else { "" };
            return Err(ParseError(format!(
                "`event` must be an object, as in PagerDuty's webhooks of version 3{hint}; {}: make a webhook \
                 subscription of version 3 in PagerDuty",
                keys(&body)
            )));
        };
        let alerts = status(event).map(|status| incident(event, status)).into_iter().collect();
        let key = text(event, &["id"]);
        Ok(limits::bounded(Delivery { key, alerts, omitted: 0, confirm: None }))
    }

    /// While a secret is replaced, there is one signature for each.
    fn is_signed(&self, request: &Request, secret: &[u8], _now: i64) -> Option<bool> {
        let header = (request.header)("x-pagerduty-signature").unwrap_or_default();
        Some(header.split(',').any(|signature| is_hmac(secret, &[request.body], "v1=", signature)))
    }
}

/// What the event says of the incident; `None` for events that tell of no state: notes, responders, services, pings.
fn status(event: &Value) -> Option<AlertStatus> {
    match text(event, &["event_type"])?.as_str() {
        "incident.triggered" | "incident.unacknowledged" | "incident.reopened" => Some(AlertStatus::Firing),
        "incident.acknowledged" => Some(AlertStatus::Acknowledged),
        "incident.resolved" => Some(AlertStatus::Resolved),
        "incident.escalated" | "incident.priority_updated" => Some(match text(event, &["data.status"])?.as_str() {
            "acknowledged" => AlertStatus::Acknowledged,
            "resolved" => AlertStatus::Resolved,
            _ => AlertStatus::Firing,
        }),
        _ => None,
    }
}

fn incident(event: &Value, status: AlertStatus) -> Alert {
    let data = find(event, "data").unwrap_or(&Value::Null);
    let title = text(data, &["title", "summary"]).unwrap_or_else(|| "PagerDuty incident".to_owned());
    let id = text(data, &["id", "incident_key"]).unwrap_or_else(|| title.clone());
    let words = ["priority.summary", "urgency"].map(|path| text(data, &[path]));
    Alert {
        fingerprint: fingerprint_of_id("pagerduty", &id),
        status,
        text: text(data, &["description", "body.details"]).filter(|text| *text != title).unwrap_or_default(),
        service: text(data, &["service.summary"]),
        severity: words.iter().flatten().find_map(|word| Severity::from_word(word)),
        labels: labels(data),
        starts_at: time_at(data, &["created_at"]),
        ends_at: time_at(event, &["occurred_at"]).filter(|_| status == AlertStatus::Resolved),
        url: text(data, &["html_url"]),
        ..alert("pagerduty", title)
    }
}

fn labels(data: &Value) -> BTreeMap<String, String> {
    let teams: Vec<String> = list(data, "teams").iter().filter_map(|team| text(team, &["summary"])).collect();
    [
        ("priority", text(data, &["priority.summary"])),
        ("urgency", text(data, &["urgency"])),
        ("number", text(data, &["number"])),
        ("incident_key", text(data, &["incident_key"])),
        ("service", text(data, &["service.summary"])),
        ("escalation_policy", text(data, &["escalation_policy.summary"])),
        ("team", Some(teams.join(", ")).filter(|teams| !teams.is_empty())),
    ]
    .into_iter()
    .filter_map(|(name, value)| Some((name.to_owned(), value?)))
    .collect()
}
