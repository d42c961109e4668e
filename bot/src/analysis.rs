//! The verdict on what an incident is about.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use clew_adapters::alerts::Alert;
use clew_pipeline::{Context, Triage};
use serde_json::Value;

use crate::app::App;
use crate::incident::{RestsOn, Verdict};

/// Bytes of an incident's text that are kept, so that logs which come later can be looked at together with it.
const MAX_TEXT: usize = 256 << 10;

/// Longest name of a kind of secret.
const LONGEST_KIND: usize = 40;

/// Something to look at.
#[derive(Debug, Clone, Default)]
pub struct Subject {
    /// One line that says what is wrong.
    pub title: String,
    /// What is said beyond the title, and log lines; redacted or not.
    pub text: String,
    /// Service that it is about.
    pub service: Option<String>,
    /// Labels of the alert.
    pub labels: BTreeMap<String, String>,
    /// What the text is.
    pub rests_on: Option<RestsOn>,
}

/// Whether the title of an alert is no more than one of its log lines.
#[must_use]
pub fn titled_by_a_line(alert: &Alert) -> bool {
    let words = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
    let title = words(alert.title.trim_end_matches('…'));
    alert.logs.iter().take(10).any(|line| words(line).starts_with(&title))
}

impl Subject {
    /// What an alert says: its title, text and labels that tell something, with the log lines that came along.
    #[must_use]
    pub fn of_alert(alert: &Alert) -> Self {
        let mut text = if titled_by_a_line(alert) { String::new() } else { alert.title.clone() };
        for part in [&alert.text, alert.labels.get("alertname").unwrap_or(&String::new())] {
            // The title often says the same again.
            if !part.is_empty() && !text.contains(part.as_str()) {
                let _ = write!(text, "\n{part}");
            }
        }
        for line in &alert.logs {
            let _ = write!(text, "\n{line}");
        }
        // Without a title before them, the log lines keep the numbers that they have at their sender.
        let text = text.strip_prefix('\n').map_or(text.clone(), str::to_owned);
        let rests_on = if alert.logs.is_empty() { RestsOn::AlertText } else { RestsOn::Logs };
        Self {
            title: alert.title.clone(),
            text,
            service: alert.service.clone(),
            labels: alert.labels.clone(),
            rests_on: Some(rests_on),
        }
    }
}

/// A verdict on a [`Subject`].
#[derive(Debug)]
pub struct Analysis {
    /// In short.
    pub verdict: Verdict,
    /// Whole, as the API gives it.
    pub whole: Value,
    /// What tells the failure from others.
    pub signature: Vec<u64>,
    /// The redacted text, cut.
    pub text: String,
    /// Whether anything stands out or a root cause is named.
    pub shows_a_failure: bool,
}

/// What tells the failure of `subject` from others; a small part of the work of [`analyse`].
#[must_use]
pub fn signature(app: &App, subject: &Subject) -> Vec<u64> {
    app.pipeline.signature(subject.text.lines())
}

/// The verdict on `subject`. Takes tens of milliseconds of arithmetic: call it on a blocking thread.
#[must_use]
pub fn analyse(app: &Arc<App>, subject: &Subject) -> Analysis {
    let service = subject.service.as_deref();
    let rests_on = subject.rests_on.unwrap_or(RestsOn::Logs);
    let context = Context {
        title: Some(subject.title.clone()).filter(|title| !title.is_empty()),
        service: subject.service.clone(),
        labels: subject.labels.clone(),
        baseline: app.baseline(service),
    };
    let triage = app.pipeline.triage(subject.text.lines(), &context);
    if rests_on == RestsOn::Logs {
        app.learn_routine(service, triage.counts.records, &triage.routine);
    }
    app.count(&triage);
    let text = app.pipeline.redact(cut(&subject.text));
    Analysis {
        verdict: Verdict {
            root_cause_id: triage.root_cause_id.to_owned(),
            root_cause: triage.root_cause.to_owned(),
            confidence: triage.confidence,
            rests_on,
            is_code_related: triage.code_related,
        },
        signature: triage.signature.clone(),
        shows_a_failure: triage.root_cause_id != "unknown" || !triage.anomalies.is_empty(),
        whole: with_redactions(whole(&triage), &subject.text),
        text,
    }
}

/// A verdict as the API gives it. A verdict is plain data, so this cannot fail; if it did, the card would say less.
fn whole(triage: &Triage) -> Value {
    serde_json::to_value(triage).unwrap_or_default()
}

/// `whole` with what was taken out of `text` before it was kept, so that the reader learns of it.
fn with_redactions(mut whole: Value, text: &str) -> Value {
    for rest in text.split("[redacted:").skip(1) {
        let Some((kind, _)) = rest.split_once(']').filter(|(kind, _)| kind.len() <= LONGEST_KIND) else { continue };
        let before = whole["redactions"][kind].as_u64().unwrap_or(0);
        whole["redactions"][kind] = (before + 1).into();
    }
    whole
}

/// The end of a text that is too long: what happened last says most.
fn cut(text: &str) -> &str {
    let mut start = text.len().saturating_sub(MAX_TEXT);
    while !text.is_char_boundary(start) {
        start += 1;
    }
    &text[start..]
}
