//! The webhook contact point of Grafana's alerting. It is Alertmanager's with values, more addresses and, if it is set up,
//! a signature.

use serde_json::Value;

use super::common::{find, pairs, text};
use super::{Alert, AlertFormat, AlertStatus, Delivery, ParseError, Request, grouped};
use crate::signature::{is_hmac, is_recent};

/// Header of the time of the signature, unless the setting `timestamp_header` names another. Grafana sends one only if
/// its contact point names one.
const TIMESTAMP_HEADER: &str = "X-Grafana-Alerting-Timestamp";

/// The webhook of Grafana.
pub struct Grafana;

impl AlertFormat for Grafana {
    fn name(&self) -> &'static str {
        "grafana"
    }

    fn parse(&self, request: &Request) -> Result<Delivery, ParseError> {
        grouped::parse(self.name(), request, more)
    }

    /// The signature covers the body, or `timestamp:body` when a timestamp came along. Whoever names the header of the
    /// timestamp in the settings insists on one.
    fn is_signed(&self, request: &Request, secret: &[u8], now: i64) -> Option<bool> {
        let Some(signature) = (request.header)("x-grafana-alerting-signature") else { return Some(false) };
        let named = (request.setting)("timestamp_header").filter(|name| !name.trim().is_empty());
        let header = named.as_deref().unwrap_or(TIMESTAMP_HEADER).trim().to_ascii_lowercase();
        Some(match (request.header)(&header) {
            Some(timestamp) => {
                let signed: [&[u8]; 3] = [timestamp.as_bytes(), b":", request.body];
                is_recent(&timestamp, now) && is_hmac(secret, &signed, "", &signature)
            }
            None => named.is_none() && is_hmac(secret, &[request.body], "", &signature),
        })
    }
}

fn more(listed: &Value, alert: &mut Alert) {
    if alert.status == AlertStatus::Firing {
        alert.values = find(listed, "values").map(pairs).unwrap_or_default();
        if alert.values.is_empty() {
            alert.values =
                text(listed, &["valueString"]).map(|text| grouped::values_of_text(&text)).unwrap_or_default();
        }
    }
    // Where a rule could not be evaluated, its name gives way to what went wrong.
    if let (Some(rule), Some(name)) = (alert.labels.get("rulename"), alert.labels.get("alertname"))
        && alert.title == *name
    {
        alert.title = format!("{name}: {rule}");
    }
    alert.url = text(listed, &["generatorURL", "panelURL", "dashboardURL"]);
}
