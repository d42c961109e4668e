//! What a post says beside its headline: labels, how bad it is, when it began; and the text that is left.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::headline::{self, Headline, Strength};
use super::post::{Line, Part};
use super::title::is_general;
use super::words;
use crate::alerts::common::{pairs, time};
use crate::alerts::{AlertStatus, Severity, limits};

/// Longest value, in bytes, that is a label and no text.
const VALUE_BYTES: usize = 200;

/// Names of fields without which a plain line `Name: value` is a sentence.
const PLAIN: &[&str] = &[
    "severity",
    "priority",
    "status",
    "state",
    "service",
    "environment",
    "env",
    "host",
    "hostname",
    "instance",
    "namespace",
    "cluster",
    "region",
    "account",
    "team",
    "project",
    "monitor",
    "alertname",
];
const SEVERITIES: &[&str] = &["severity", "priority", "level", "urgency"];
const STATES: &[&str] = &[
    "status",
    "state",
    "current_state",
    "new_state",
    "alert_state",
    "alarm_state",
    "incident_state",
    "new_state_value",
];
const BEGINNINGS: &[&str] = &[
    "started",
    "started_at",
    "start_time",
    "starts_at",
    "startsat",
    "triggered_at",
    "fired_at",
    "event_time",
    "since",
    "began",
    "opened_at",
    "created",
    "created_at",
    "state_change_time",
    "alarm_time",
    "went_offline",
    "incident_started_at",
];
const ENDS: &[&str] = &[
    "resolved_at",
    "ended",
    "ended_at",
    "end_time",
    "ends_at",
    "endsat",
    "recovered_at",
    "recovery_time",
    "closed_at",
];
const NAMES: &[&str] = &[
    "alert",
    "alert_name",
    "alarm",
    "alarm_name",
    "incident",
    "incident_name",
    "monitor_name",
    "check",
    "rule",
    "name",
];
const TAGS: &[&str] = &["tags", "labels", "monitor_tags"];
const TEXTS: &[&str] = &[
    "description",
    "summary",
    "message",
    "details",
    "reason",
    "alarm_reason",
    "state_reason",
    "alarm_description",
    "text",
    "output",
    "error",
    "info",
    "additional_information",
    "trigger_description",
    "operational_data",
    "cause",
    "root_cause",
];
const RUNBOOKS: &[&str] = &["runbook", "runbook_url", "playbook"];
/// Where else to look, and whom it was told.
const IGNORED: &[&str] = &["link_to_alarm", "silence", "silence_url", "notified", "graph"];
/// Of other times, or of no use as labels.
const OTHERS: &[&str] = &["old_state", "previous_state", "time", "date", "timestamp", "time_(utc)", "first_seen"];

/// What a post says.
#[derive(Default)]
pub(super) struct Facts {
    /// Labels; `None` where alerts of one post differ.
    pub labels: BTreeMap<String, Option<String>>,
    /// All names of fields.
    pub names: Vec<String>,
    /// How bad it is, as often as it is said.
    pub severities: BTreeSet<Severity>,
    /// The state, where a field says so.
    pub status: Option<AlertStatus>,
    /// Whether that state is one that only alerts have.
    pub has_alarm_state: bool,
    /// What the alert is called, where a field says so.
    pub name: Option<String>,
    /// When it began.
    pub starts_at: Option<String>,
    /// When it ended.
    pub ends_at: Option<String>,
    /// The runbook.
    pub runbook: Option<String>,
    /// What is left, line by line.
    pub text: Vec<String>,
    /// Alerts of the post besides the first.
    pub others: usize,
    is_in_annotations: bool,
}

impl Facts {
    /// Takes in a part, without the headline.
    pub(super) fn add(&mut self, part: &Part, found: &Headline) {
        let is_new = |line: &&Line| !says_nothing_new(&line.shown, found);
        self.text.extend(part.heads.iter().filter(is_new).map(|head| head.full.clone()));
        for line in part.lines.iter().filter(is_new) {
            self.add_line(line);
        }
        for (name, value) in part.fields.iter().filter(|(_, value)| !is_same(&headline::read(&value.shown), found)) {
            self.add_field(name, value);
        }
        self.is_in_annotations = false;
    }

    /// Takes in the text of a part, and no more.
    pub(super) fn add_raw(&mut self, part: &Part) {
        self.text.extend(part.heads.iter().chain(&part.lines).map(|line| line.full.clone()));
        self.text.extend(part.fields.iter().map(|(name, value)| format!("{name}: {}", value.full)));
    }

    /// The labels in which the alerts of the post do not differ.
    pub(super) fn labels_in_common(&self) -> BTreeMap<String, String> {
        self.labels.iter().filter_map(|(name, value)| Some((name.clone(), value.clone()?))).collect()
    }

    fn label(&mut self, name: &str, value: &str) {
        let value = value.replace(['`', '*'], "").trim().to_owned();
        let name = name.trim_matches(['*', '`', ' ']);
        if name.is_empty() || value.is_empty() || self.labels.len() > limits::LABELS {
            return;
        }
        if SEVERITIES.contains(&name) {
            self.severities.extend(severity(&value));
        }
        let kept = self.labels.entry(name.to_owned()).or_insert_with(|| Some(value.clone()));
        if kept.as_ref().is_some_and(|kept| *kept != value) {
            *kept = None;
        }
    }

    fn add_line(&mut self, line: &Line) {
        let shown = line.shown.as_str();
        match shown.trim_matches(['*', ' ', ':', '_']).to_lowercase().as_str() {
            "annotations" => self.is_in_annotations = true,
            "labels" | "details" | "tags" | "fields" | "firing" | "resolved" => self.is_in_annotations = false,
            _ if shown.to_lowercase().starts_with("silence: http") => {}
            _ if self.is_facts(line) => {}
            _ => self.text.push(line.full.clone()),
        }
        for (name, value) in groups(shown).0 {
            self.label(&name, &value);
        }
    }

    /// Whether a line is nothing but facts, which are then taken in.
    fn is_facts(&mut self, line: &Line) -> bool {
        let bare = line.shown.trim_start_matches(['•', '◦', '‣', '▪']).trim_start();
        let item = bare.strip_prefix("- ").or_else(|| bare.strip_prefix("* ")).unwrap_or(bare).trim_start();
        let is_item = item.len() < line.shown.len();
        if let Some((name, value)) = item.split_once(" = ").filter(|(name, _)| is_item && is_name(name)) {
            if self.is_in_annotations {
                self.add_field(name, &Line { shown: value.to_owned(), full: value.to_owned(), url: line.url.clone() });
            } else {
                self.label(name, value);
            }
            return true;
        }
        if let Some(pairs) = pairs_in_code(&line.shown) {
            pairs.into_iter().for_each(|(name, value)| self.field_or_label(&name, &value, line));
            return true;
        }
        if let Some(pairs) = pairs_apart(&line.shown) {
            pairs.into_iter().for_each(|(name, value)| self.field_or_label(name, value, line));
            return true;
        }
        let bold = item.strip_prefix('*').and_then(|item| item.split_once('*'));
        let bold = bold.filter(|(name, value)| name.ends_with(':') || value.trim_start().starts_with(':'));
        let plain = || {
            let (name, value) = item.split_once(':')?;
            let is_label = is_item && is_name(name) && value.split_whitespace().count() == 1;
            (is_label || PLAIN.contains(&key(name).as_str())).then_some((name, value))
        };
        let bold = bold.filter(|(_, value)| !value.contains(":*") && !value.contains("*:"));
        let Some((name, value)) = bold.or_else(plain).filter(|(name, _)| name.split_whitespace().count() <= 4) else {
            return false;
        };
        let value = value.trim_start_matches([':', ' ']).trim();
        if value.is_empty() {
            return false;
        }
        self.field_or_label(name, value, line);
        true
    }

    fn field_or_label(&mut self, name: &str, value: &str, line: &Line) {
        self.add_field(name, &Line { shown: value.to_owned(), full: value.to_owned(), url: line.url.clone() });
    }

    fn add_field(&mut self, name: &str, value: &Line) {
        let key = key(name);
        if IGNORED.contains(&key.as_str()) {
            return;
        }
        let is = |names: &[&str]| names.contains(&key.as_str());
        let shown = value.shown.replace(['`', '*'], "");
        self.names.push(key.clone());
        if is(NAMES) && !shown.contains('\n') {
            self.add_name(&shown);
        } else if is(STATES) && self.is_state(&shown) {
        } else if is(BEGINNINGS) {
            self.starts_at = self.starts_at.take().or_else(|| time(&Value::from(shown)));
        } else if is(ENDS) {
            self.ends_at = self.ends_at.take().or_else(|| time(&Value::from(shown)));
        } else if is(RUNBOOKS) {
            let written = shown.split_whitespace().find(|word| word.starts_with("http")).map(str::to_owned);
            self.runbook = self.runbook.take().or_else(|| value.url.clone()).or(written);
        } else if is(TAGS) {
            let tags = pairs(&Value::from(shown.replace('=', ":").replace(['\n', ' '], ",")));
            tags.iter().filter(|(_, value)| *value != "true").for_each(|(name, value)| self.label(name, value));
        } else if is(TEXTS) {
            self.text.extend(value.full.lines().map(|line| whole_code(line).to_owned()));
        } else if self.is_in_annotations
            || is(OTHERS)
            || !is_name(&key)
            || shown.len() > VALUE_BYTES
            || shown.contains('\n')
            || shown.is_empty()
        {
            let name = name.trim_matches(['*', ':', ' ']);
            self.text.push(if name.is_empty() {
                value.full.clone()
            } else {
                format!("{name}: {}", whole_code(&value.full))
            });
        } else {
            self.label(&key, &shown);
        }
    }

    /// `High load - critical`: templates put how bad it is beside the name.
    fn add_name(&mut self, value: &str) {
        let (name, severity) = match value.rsplit_once(" - ") {
            Some((name, word)) if Severity::from_word(word).is_some() => (name, Severity::from_word(word)),
            _ => (value, None),
        };
        self.severities.extend(severity);
        self.name = self.name.take().or_else(|| Some(name.trim().to_owned()).filter(|name| !name.is_empty()));
    }

    fn is_state(&mut self, value: &str) -> bool {
        let Some((status, strength)) = words::status(&value.trim().to_lowercase()) else { return false };
        self.status = self.status.or(Some(status));
        self.has_alarm_state |= strength == Strength::Certain;
        true
    }
}

/// Whether a line says nothing that the headline does not: it is the same once more, or says that there is an alert.
fn says_nothing_new(line: &str, found: &Headline) -> bool {
    let again = headline::read(line);
    let is_general = is_general(&again.title) && again.status.is_none();
    !line.is_empty() && (is_same(&again, found) || again.title.is_empty() || is_general)
}

fn is_same(again: &Headline, found: &Headline) -> bool {
    again.line == found.line || (again.title == found.title && again.status.is_some())
}

/// How bad it is: `critical`, `P1 - Critical`, `:red_circle: high`.
fn severity(value: &str) -> Option<Severity> {
    Severity::from_word(value).or_else(|| value.split([' ', '/', '(', ')', '-']).find_map(Severity::from_word))
}

/// What stands between the backticks that are around all of `text`.
fn whole_code(text: &str) -> &str {
    let inner = text.strip_prefix('`').and_then(|text| text.strip_suffix('`'));
    inner.filter(|inner| !inner.contains('`')).unwrap_or(text)
}

/// The name of a field as a label: `Alarm Name` is `alarm_name`.
fn key(name: &str) -> String {
    let name = name.trim_start_matches(|c: char| !(c.is_alphanumeric() || c == '_'));
    name.trim_matches(['*', ':', ' ', '_', '`']).to_lowercase().split_whitespace().collect::<Vec<_>>().join("_")
}

/// Whether it can be the name of a label.
fn is_name(name: &str) -> bool {
    let name = name.trim_matches(['*', '`', ' ', ':']);
    !name.is_empty()
        && name.len() <= 60
        && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-' | '/'))
}

/// Names with values in backticks, as Sentry writes tags, when there is nothing else in the line.
fn pairs_in_code(line: &str) -> Option<Vec<(String, String)>> {
    let mut pieces = line.split('`');
    let mut pairs = Vec::new();
    loop {
        let name = pieces.next().unwrap_or_default().trim();
        let Some(value) = pieces.next() else {
            return (name.is_empty() && !pairs.is_empty()).then_some(pairs);
        };
        let name = name.trim_matches('*').strip_suffix(':').filter(|name| is_name(name))?;
        pairs.push((name.to_owned(), value.to_owned()));
    }
}

/// `Project: shop    Short ID: SHOP-1`: names and values with wide gaps between them.
fn pairs_apart(line: &str) -> Option<Vec<(&str, &str)>> {
    let pieces = line.split("   ").map(str::trim).filter(|piece| !piece.is_empty());
    let pairs: Vec<_> = pieces.map(|piece| piece.split_once(": ")).collect::<Option<_>>()?;
    let are_names = pairs.iter().all(|(name, _)| name.split_whitespace().count() <= 3);
    (pairs.len() > 1 && are_names).then_some(pairs)
}

/// Labels as Prometheus writes them, `(a="b" c="d")` or `{a="b",c="d"}`, and the text without them.
pub(super) fn groups(text: &str) -> (Vec<(String, String)>, String) {
    let mut labels = Vec::new();
    let mut left = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(['(', '{']) {
        let (before, from) = rest.split_at(at);
        left.push_str(before);
        rest = if let Some(after) = group(&from[1..], &mut labels) {
            after
        } else {
            left.push_str(&from[..1]);
            &from[1..]
        };
    }
    left.push_str(rest);
    (labels, left)
}

/// The labels of a group, and what comes after it; `None` when it is something else.
fn group<'a>(text: &'a str, labels: &mut Vec<(String, String)>) -> Option<&'a str> {
    let mut found = Vec::new();
    let mut rest = text;
    loop {
        rest = rest.trim_start_matches([' ', ',']);
        if let Some(after) = rest.strip_prefix([')', '}']).filter(|_| !found.is_empty()) {
            labels.append(&mut found);
            return Some(after);
        }
        let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).filter(|end| *end > 0)?;
        let (name, from) = rest.split_at(end);
        let (value, after) = from.strip_prefix("=\"")?.split_once('"')?;
        found.push((name.to_owned(), value.to_owned()));
        rest = after;
    }
}
