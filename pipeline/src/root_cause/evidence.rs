//! The lines that carried a verdict, and in each line the words, from the classifier's own weights.

use serde::Serialize;

use super::classifier::{Classifier, Contribution};
use super::features::Document;
use super::label::LabelIndex;
use crate::anomaly::{Anomaly, MAX_SHOWN_TEXT};
use crate::logs::cut;
use crate::logs::digest::{Digest, Group};

/// Evidence lines shown.
const MAX_EVIDENCE: usize = 5;
/// An evidence line must carry at least this share of what the strongest carries.
const EVIDENCE_SHARE: f64 = 0.15;

/// A line that carried the verdict.
#[derive(Debug, Clone, Serialize)]
pub struct Evidence {
    /// Its number, counted from 1.
    pub line: usize,
    /// The line, redacted.
    pub text: String,
    /// The words that the classifier weighed most.
    pub words: Vec<String>,
    /// Why it counts.
    pub why: String,
    /// How often lines like it occur.
    pub count: usize,
    /// Its share of what all evidence lines carried, from 0 to 1.
    pub weight: f64,
}

/// The lines that spoke for `label`, strongest first.
#[must_use]
pub fn of(
    classifier: &Classifier,
    digest: &Digest,
    anomalies: &[Anomaly],
    document: &Document,
    label: LabelIndex,
) -> Vec<Evidence> {
    let contributions = classifier.contributions(document, label);
    let strongest = contributions.first().map_or(0.0, |c| c.weight);
    let carried: Vec<&Contribution> = contributions
        .iter()
        .filter(|c| c.weight > 0.0 && c.weight >= EVIDENCE_SHARE * strongest)
        .take(MAX_EVIDENCE)
        .collect();
    let total: f64 = carried.iter().map(|c| c.weight).sum();
    let first = carried.iter().map(|c| &digest.groups[c.group]).min_by_key(|group| group.since_line);
    carried
        .iter()
        .map(|contribution| {
            let group = &digest.groups[contribution.group];
            // What followed, if this is what the evidence begins with: the cause comes before its symptoms.
            let begins = first.is_some_and(|f| f.since_line == group.since_line);
            let next = anomalies
                .iter()
                .map(|anomaly| &digest.groups[anomaly.group])
                .filter(|other| begins && other.since_line > group.since_line)
                .min_by_key(|other| other.since_line);
            let anomaly = anomalies.iter().find(|a| a.group == contribution.group);
            Evidence {
                line: group.first.line,
                text: text(group),
                why: why(contribution, group, anomaly, next),
                words: contribution.words.clone(),
                count: group.count,
                weight: crate::round(contribution.weight / total),
            }
        })
        .collect()
}

/// The first line; of a trace also the innermost cause, which is what names the failure.
fn text(group: &Group) -> String {
    let first = cut(&group.first.raw, MAX_SHOWN_TEXT);
    match group.first.innermost_cause() {
        Some(cause) => format!("{first}\n{}", cut(cause, MAX_SHOWN_TEXT / 2)),
        None => first.to_owned(),
    }
}

/// `first seen at line 12, 40 s before line 19`
fn first_seen(group: &Group, next: &Group) -> String {
    let line = group.since_line;
    let millis = group.since_time.zip(next.since_time).map(|(first, next)| next - first);
    let before = match millis {
        Some(millis @ 1_000..=86_399_999) => match millis / 1_000 {
            seconds @ 0..=119 => format!("{seconds} s "),
            seconds @ 120..=7_199 => format!("{} min ", seconds / 60),
            seconds => format!("{} h ", seconds / 3_600),
        },
        _ => String::new(),
    };
    format!("first seen at line {line}, {before}before line {}", next.since_line)
}

fn why(contribution: &Contribution, group: &Group, anomaly: Option<&Anomaly>, next: Option<&Group>) -> String {
    let mut reasons = Vec::new();
    if !contribution.words.is_empty() {
        let words: Vec<String> = contribution.words.iter().map(|word| format!("\u{201c}{word}\u{201d}")).collect();
        reasons.push(format!("matches {}", words.join(", ")));
    }
    if let Some(next) = next {
        reasons.push(first_seen(group, next));
    }
    if group.count > 1 {
        reasons.push(format!("{} times", group.count));
    }
    if let Some(anomaly) = anomaly {
        reasons.extend(anomaly.reasons.iter().filter(|reason| !reason.starts_with("says")).take(2).cloned());
    }
    if reasons.is_empty() {
        reasons.push("reads like lines of this root cause".to_owned());
    }
    reasons.join(" \u{b7} ")
}
