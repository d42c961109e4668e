//! The webhook integration of Opsgenie. One post tells one action on one alert. It is not signed.

use std::collections::BTreeMap;

use serde_json::Value;

use super::common::{alert, digest, find, fingerprint_of_id, json, keys, list, pairs, plain, service, text, time_at};
use super::{Alert, AlertFormat, AlertStatus, Delivery, ParseError, Request, Severity, limits};

/// The webhook of Opsgenie.
pub struct Opsgenie;

impl AlertFormat for Opsgenie {
    fn name(&self) -> &'static str {
        "opsgenie"
    }

    fn parse(&self, request: &Request) -> Result<Delivery, ParseError> {
        let body = json(request, self.name())?;
        let (Some(action), Some(told)) =
            (text(&body, &["action"]), find(&body, "alert").filter(|told| told.is_object()))
        else {
            return Err(ParseError(format!(
                "`action` must be a text and `alert` an object, as in Opsgenie's webhook integration ({}): let a \
                 Webhook integration of Opsgenie post to /webhooks/opsgenie",
                keys(&body)
            )));
        };
        let alerts = status(&action).map(|status| one(told, status)).into_iter().collect();
        // Opsgenie numbers no deliveries. What is done to an alert twice is done at two times.
        let key = match (text(told, &["alertId"]), text(told, &["updatedAt"])) {
            (Some(id), Some(time)) => Some(digest(["opsgenie", &id, &action, &time]).chars().take(32).collect()),
            _ => None,
        };
        Ok(limits::bounded(Delivery { key, alerts, omitted: 0, confirm: None }))
    }
}

/// What the action makes of the alert; `None` for actions that leave its state (notes, tags, snoozing, …).
fn status(action: &str) -> Option<AlertStatus> {
    match action {
        "Create" | "UnAcknowledge" => Some(AlertStatus::Firing),
        "Acknowledge" | "AssignOwnership" | "TakeOwnership" => Some(AlertStatus::Acknowledged),
        "Close" | "Delete" => Some(AlertStatus::Resolved),
        _ => None,
    }
}

fn one(told: &Value, status: AlertStatus) -> Alert {
    let title = text(told, &["message"]).unwrap_or_else(|| "Opsgenie alert".to_owned());
    // The alias is what Opsgenie itself tells alerts apart by; the id is new each time it fires.
    let id = text(told, &["alias", "alertId"]).unwrap_or_else(|| title.clone());
    let labels = labels(told);
    Alert {
        fingerprint: fingerprint_of_id("opsgenie", &id),
        status,
        text: text(told, &["description"]).unwrap_or_default(),
        service: service(&labels).or_else(|| text(told, &["entity"])),
        severity: text(told, &["priority"]).and_then(|word| Severity::from_word(&word)),
        starts_at: time_at(told, &["createdAt"]),
        ends_at: time_at(told, &["updatedAt"]).filter(|_| status == AlertStatus::Resolved),
        url: text(told, &["details.url", "details.link"]),
        runbook_url: text(told, &["details.runbook_url", "details.runbook"]),
        labels,
        ..alert("opsgenie", title)
    }
}

fn labels(told: &Value) -> BTreeMap<String, String> {
    let mut labels = find(told, "details").map(pairs).unwrap_or_default();
    labels.extend(find(told, "tags").map(pairs).unwrap_or_default());
    for field in ["entity", "source", "priority", "tinyId"] {
        labels.extend(text(told, &[field]).map(|value| (field.to_owned(), value)));
    }
    let teams: Vec<String> = list(told, "teams").iter().filter_map(plain).collect();
    if !teams.is_empty() {
        labels.insert("teams".to_owned(), teams.join(", "));
    }
    labels
}
