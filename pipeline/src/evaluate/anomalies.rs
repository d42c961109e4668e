//! Anomalous lines against a labelled log, and false alarms on logs without alerts.

use std::path::Path;

use serde::Serialize;

use crate::anomaly::detect;
use crate::anomaly::features::Signals;
use crate::logs::digest::Collector;
use crate::redact::Redactor;

/// Lines that are looked at together.
const WINDOW: usize = 200;

/// Quality on lines of which each is an alert or is not. Rates are from 0 to 1.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Scores {
    /// Share of the flagged lines that are alerts.
    pub precision: f64,
    /// Share of the alerts that are flagged.
    pub recall: f64,
    /// Harmonic mean of both.
    pub f1: f64,
    /// Share of all lines that are flagged.
    pub flagged: f64,
}

/// Measures a log whose lines begin with a label, `-` for normal, which is cut off first.
///
/// # Errors
/// When the file cannot be read.
pub fn labelled(path: &Path) -> Result<Scores, String> {
    let text = super::read(path)?;
    let (labels, lines): (Vec<&str>, Vec<&str>) =
        text.lines().map(|line| line.split_once(' ').unwrap_or((line, ""))).unzip();
    let flagged = flagged(&lines);
    let alerts: Vec<bool> = labels.iter().map(|label| *label != "-").collect();
    Ok(scores(&flagged, &alerts))
}

/// Share of the lines of a log that are flagged.
///
/// # Errors
/// When the file cannot be read.
pub fn flagged_share(path: &Path) -> Result<f64, String> {
    let text = super::read(path)?;
    Ok(share(&flagged(&text.lines().collect::<Vec<_>>())))
}

fn flagged(lines: &[&str]) -> Vec<bool> {
    let signals = Signals::default();
    let redactor = Redactor::new();
    let mut flagged = Vec::with_capacity(lines.len());
    for window in lines.chunks(WINDOW) {
        let mut collector = Collector::new(redactor.fresh()).with_places();
        window.iter().for_each(|line| collector.push(line));
        let digest = collector.finish();
        let (anomalies, _) = detect(&digest, &signals, None);
        let is_anomalous = |group: Option<usize>| group.is_some_and(|group| anomalies.iter().any(|a| a.group == group));
        flagged.extend(digest.group_of_lines().into_iter().map(is_anomalous));
    }
    flagged
}

#[allow(clippy::cast_precision_loss)] // counts of lines
fn scores(flagged: &[bool], alerts: &[bool]) -> Scores {
    let hits = flagged.iter().zip(alerts).filter(|(flagged, alert)| **flagged && **alert).count() as f64;
    let said = flagged.iter().filter(|flagged| **flagged).count() as f64;
    let are = alerts.iter().filter(|alert| **alert).count() as f64;
    Scores {
        precision: hits / said.max(1.0),
        recall: hits / are.max(1.0),
        f1: 2.0 * hits / (said + are).max(1.0),
        flagged: share(flagged),
    }
}

#[allow(clippy::cast_precision_loss)] // counts of lines
fn share(flagged: &[bool]) -> f64 {
    flagged.iter().filter(|flagged| **flagged).count() as f64 / flagged.len().max(1) as f64
}
