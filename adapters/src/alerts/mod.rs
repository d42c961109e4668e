//! Alerts as their senders tell them: bytes of one vendor to our words. Pure; a new format is one file and one line in
//! [`FORMATS`].
//!
//! Senders are not trusted: a field that is missing, null or of another type is as good as absent and never costs the
//! rest; a body that is something else altogether is refused with what was expected; how much is kept has [`limits`].

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub mod alertmanager;
mod cloudwatch;
pub(crate) mod common;
pub mod datadog;
pub mod generic;
pub mod grafana;
mod grouped;
pub mod limits;
pub mod opsgenie;
pub mod pagerduty;
pub mod sentry;
mod sentry_trace;
pub mod sns;
mod sns_signature;
pub mod text;

#[cfg(test)]
mod tests;

/// Whether what an alert tells of still goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AlertStatus {
    /// It goes on.
    Firing,
    /// Someone took it on, in the sender's own interface. It still goes on.
    Acknowledged,
    /// It is over.
    Resolved,
}

impl AlertStatus {
    /// What senders call it: `firing`, `open`, `ack`, `resolved`, `ok`, … Unknown words give `None`.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Some(match word.trim().to_ascii_lowercase().as_str() {
            "firing" | "triggered" | "open" | "opened" | "active" | "alerting" | "alarm" | "problem" | "down" => {
                Self::Firing
            }
            "acknowledged" | "acked" | "ack" => Self::Acknowledged,
            "resolved" | "ok" | "closed" | "recovered" | "up" => Self::Resolved,
            _ => return None,
        })
    }
}

/// How bad it is. The same four words as in the knowledge entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Nobody needs to get up.
    Low,
    /// Someone should look today.
    Medium,
    /// Someone should look now.
    High,
    /// Users suffer; wake somebody.
    Critical,
}

impl Severity {
    /// All, from the worst down.
    pub const ALL: [Self; 4] = [Self::Critical, Self::High, Self::Medium, Self::Low];

    /// Its word.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Critical => "critical",
            Self::High => "high",
            Self::Medium => "medium",
            Self::Low => "low",
        }
    }

    /// What senders call it: `critical`, `P1`, `sev2`, `warning`, `error`, `page`, … Unknown words give `None`.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Some(match word.trim().to_ascii_lowercase().as_str() {
            "critical" | "crit" | "fatal" | "emergency" | "emerg" | "disaster" | "page" | "p1" | "sev1" | "sev-1"
            | "s1" | "p0" | "sev0" => Self::Critical,
            "high" | "error" | "err" | "major" | "average" | "alert" | "p2" | "sev2" | "sev-2" | "s2" => Self::High,
            "medium" | "warning" | "warn" | "minor" | "moderate" | "p3" | "sev3" | "sev-3" | "s3" => Self::Medium,
            "low" | "info" | "informational" | "information" | "notice" | "none" | "debug" | "p4" | "p5" | "sev4"
            | "sev-4" | "sev5" | "s4" => Self::Low,
            _ => return None,
        })
    }
}

/// One alert, in our words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alert {
    /// Name of the format it came in.
    pub source: String,
    /// What it is about, the same for every time it fires: see [`fingerprint`].
    pub fingerprint: String,
    /// Alerts of one group are one incident: the sender's own grouping, if it groups.
    pub group: Option<String>,
    /// Whether it goes on.
    pub status: AlertStatus,
    /// One line that says what is wrong.
    pub title: String,
    /// What the sender says about it beyond the title: description, reason, message. May be empty.
    pub text: String,
    /// Service that it is about, from a label or field that says so.
    pub service: Option<String>,
    /// How bad it is, if the sender says so.
    pub severity: Option<Severity>,
    /// Labels, tags, dimensions.
    pub labels: BTreeMap<String, String>,
    /// What was measured when it fired, as `name → value` (`A → 91.3`, `threshold → 90`).
    pub values: BTreeMap<String, String>,
    /// When it began, RFC 3339, if the sender says so. Together with the fingerprint it tells one firing from the next.
    pub starts_at: Option<String>,
    /// When it ended, RFC 3339, of a resolved one.
    pub ends_at: Option<String>,
    /// Where to look at it: the sender's page.
    pub url: Option<String>,
    /// The runbook that the alert names.
    pub runbook_url: Option<String>,
    /// Log lines that came along.
    pub logs: Vec<String>,
}

/// What one request brought.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Delivery {
    /// The same for every try to deliver the same thing, different for everything else; `None` when the sender gives
    /// nothing to tell a repeated delivery from a new one.
    pub key: Option<String>,
    /// The alerts, in the order in which they stand. Empty for messages that are no alert (a test ping, a subscription).
    pub alerts: Vec<Alert>,
    /// Alerts that the sender left out for their number.
    pub omitted: usize,
    /// An address to ask once, so that the sender goes on sending. It is one of the sender's own.
    pub confirm: Option<String>,
}

/// A request of a sender.
pub struct Request<'a> {
    /// Value of a header by its lower-case name.
    pub header: &'a dyn Fn(&str) -> Option<String>,
    /// Value of a parameter in the address (`?service=shop`).
    pub query: &'a dyn Fn(&str) -> Option<String>,
    /// A key of the format's section of the configuration that is no secret.
    pub setting: &'a dyn Fn(&str) -> Option<String>,
    /// The body as it came.
    pub body: &'a [u8],
}

/// Why a request is no alert of its format. The text names the field, what was expected and what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ParseError(pub String);

/// A format of alerts.
///
/// Every sender can be asked for a token (bearer, password of basic authentication, last part of the path), which the
/// caller checks. Some can do better, and say so here.
pub trait AlertFormat: Sync {
    /// Its name, as in `/webhooks/{name}`, and of its section of the configuration.
    fn name(&self) -> &'static str;

    /// The alerts in a request.
    ///
    /// # Errors
    /// When the body is not of this format.
    fn parse(&self, request: &Request) -> Result<Delivery, ParseError>;

    /// Whether `request` is signed with `secret`, at `now` (Unix seconds); `None` when this sender never signs.
    fn is_signed(&self, _request: &Request, _secret: &[u8], _now: i64) -> Option<bool> {
        None
    }

    /// Where the certificate is that signed the request, for senders that sign with one; the PEM text found there is then
    /// the `secret` of [`AlertFormat::is_signed`]. The address is one of the sender's own.
    ///
    /// # Errors
    /// When the request names no address or a foreign one.
    fn certificate(&self, _request: &Request) -> Result<Option<String>, ParseError> {
        Ok(None)
    }
}

/// All formats.
pub const FORMATS: &[&dyn AlertFormat] = &[
    &alertmanager::Alertmanager,
    &grafana::Grafana,
    &datadog::Datadog,
    &pagerduty::PagerDuty,
    &sentry::Sentry,
    &opsgenie::Opsgenie,
    &sns::Sns,
    &generic::Generic,
    &text::Text,
];

/// The format of this name.
#[must_use]
pub fn format(name: &str) -> Option<&'static dyn AlertFormat> {
    FORMATS.iter().find(|format| format.name() == name).copied()
}

/// What labels stand for: the same for the same labels in whatever order, different for all others. 16 hex characters.
#[must_use]
pub fn fingerprint(labels: &BTreeMap<String, String>) -> String {
    common::short(&common::digest(labels.iter().flat_map(|(name, value)| [name.as_str(), value.as_str()])))
}
