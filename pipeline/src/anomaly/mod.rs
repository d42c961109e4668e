//! Which records stand out, by how much, and why, in words.
//!
//! Records of one template are judged together: a FATAL that repeats all day is one finding.

pub mod baseline;
pub mod features;
pub mod forest;
pub mod keywords;

use serde::Serialize;

use crate::logs::cut;
use crate::logs::digest::Digest;
use baseline::Baseline;
use features::{Features, Signals};
use forest::Forest;

/// From here on a template counts as anomalous.
pub const THRESHOLD: f64 = 0.5;
/// Anomalies shown to a human; nobody reads more at 3 a.m.
pub const MAX_SHOWN: usize = 20;
/// Bytes of a line that are shown.
pub const MAX_SHOWN_TEXT: usize = 1_000;
/// A forest needs a crowd for something to stand out from.
const MIN_TEMPLATES_FOR_FOREST: usize = 8;

/// One anomalous template.
#[derive(Debug, Clone, Serialize)]
pub struct Anomaly {
    /// Index of its group in the digest.
    #[serde(skip)]
    pub group: usize,
    /// Line of its first record, counted from 1.
    pub line: usize,
    /// That line, redacted, cut after [`MAX_SHOWN_TEXT`].
    pub text: String,
    /// Its severity, if the writer gave one.
    pub severity: Option<&'static str>,
    /// Its template.
    pub template: String,
    /// How often it occurs.
    pub count: usize,
    /// From [`THRESHOLD`] to 1.
    pub score: f64,
    /// Why, in words.
    pub reasons: Vec<String>,
}

/// The anomalous templates, strongest first, and the score of every group. `baseline` is what is normal for the service
/// that the input comes from, if that is known.
#[must_use]
pub fn detect(digest: &Digest, signals: &Signals, baseline: Option<&Baseline>) -> (Vec<Anomaly>, Vec<f64>) {
    let is_new = |index: usize| baseline.and_then(|baseline| baseline.is_new(&digest.templates[index]));
    let features: Vec<Features> =
        digest.groups.iter().enumerate().map(|(index, group)| signals.of(group, digest, is_new(index))).collect();
    let forest = (features.len() >= MIN_TEMPLATES_FOR_FOREST).then(|| {
        let points: Vec<_> = features.iter().zip(&digest.groups).map(|(f, group)| (f.point(), group.count)).collect();
        Forest::grow(&points)
    });
    let isolation = |f: &Features| forest.as_ref().map_or(0.5, |forest| forest.score(&f.point()));
    let scores: Vec<f64> = features.iter().map(|f| f.score(isolation(f))).collect();
    let mut order: Vec<usize> = (0..scores.len()).filter(|index| scores[*index] >= THRESHOLD).collect();
    order.sort_by(|a, b| scores[*b].total_cmp(&scores[*a]).then(a.cmp(b)));
    let anomalies = order
        .into_iter()
        .map(|index| {
            let group = &digest.groups[index];
            Anomaly {
                group: index,
                line: group.first.line,
                text: cut(&group.first.raw, MAX_SHOWN_TEXT).to_owned(),
                severity: group.severity.map(crate::logs::record::Severity::as_str),
                template: digest.templates[index].clone(),
                count: group.count,
                score: crate::round(scores[index]),
                reasons: features[index].reasons(isolation(&features[index])),
            }
        })
        .collect();
    (anomalies, scores)
}
