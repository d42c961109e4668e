//! Fits the calibration on predictions for what the classifier was not fitted on.
//!
//! The temperature is fitted on failures that no case of the fit held and on failures that one did hold, in a context that
//! none did: the logs of a real day are of both kinds, and mostly of the second. Failures that were never seen alone would
//! make the classifier too modest, ones that were seen alone too bold. The gate looks at what stands around a failure, so it is
//! fitted on cases as they are, without the chatter of another system around them.

use linfa::Dataset;
use linfa::traits::Fit;
use linfa_logistic::LogisticRegression;
use ndarray::{Array1, Array2};

use super::samples::Variant;
use super::{Scored, TrainError};
use crate::evaluate::Case;
use crate::root_cause::calibration::{Calibration, GATE, gate_figures, softmax};
use crate::root_cause::classifier::decide;
use crate::root_cause::label::{LABELS, UNKNOWN, by_id};

/// How often a healthy log counts: waking someone for nothing is worse than saying "unknown" once too often.
const HEALTHY_COUNTS: usize = 2;
/// How often a known failure in a new context counts beside one that is new itself: on real snippets the classifier is about
/// three quarters of the way from its accuracy on the second to that on the first (models/README.md).
const KNOWN_COUNTS: f64 = 3.0;
/// Weight of the L2 penalty of the gate.
const PENALTY: f64 = 1.0;
/// The lowest share of right answers that is still worth saying.
const WORTH_SAYING: f64 = 1.0 / 3.0;
/// Width of the bands of probability in which that share is counted.
const BAND: f64 = 0.05;

/// Fits gate, temperature and abstention.
///
/// # Errors
/// When the gate cannot be fitted.
pub fn calibration(scored: &[Scored], cases: &[Case]) -> Result<Calibration, TrainError> {
    let (gate, gate_intercept) = gate(scored, cases)?;
    let temperature = temperature(scored, cases);
    let mut calibration = Calibration { gate, gate_intercept, temperature, abstain_below: 0.0 };
    calibration.abstain_below = abstention(scored, cases, &calibration);
    Ok(calibration)
}

fn gate(scored: &[Scored], cases: &[Case]) -> Result<(Vec<f64>, f64), TrainError> {
    let rows: Vec<([f64; GATE], bool)> = scored
        .iter()
        .filter(|scored| scored.variant == Variant::Plain)
        .flat_map(|scored| {
            let healthy = cases[scored.case].label == LABELS[UNKNOWN].id;
            let row = (gate_figures(&scored.logits, scored.document), healthy);
            std::iter::repeat_n(row, if healthy { HEALTHY_COUNTS } else { 1 })
        })
        .collect();
    let x = Array2::from_shape_fn((rows.len(), GATE), |(row, column)| rows[row].0[column]);
    let y: Array1<bool> = rows.iter().map(|row| row.1).collect();
    let fitted = LogisticRegression::default()
        .alpha(PENALTY)
        .max_iterations(500)
        .gradient_tolerance(1e-4)
        .fit(&Dataset::new(x, y))
        .map_err(|e| TrainError::Fit(e.to_string()))?;
    // linfa calls one of the two classes positive; which one is its choice.
    let sign = if fitted.labels().pos.class { 1.0 } else { -1.0 };
    Ok((fitted.params().iter().map(|w| crate::round(sign * w)).collect(), crate::round(sign * fitted.intercept())))
}

/// The temperature with the least negative log-likelihood among the failures. Several are tried in a grid: the curve is
/// flat and has one minimum.
fn temperature(scored: &[Scored], cases: &[Case]) -> f64 {
    let failures: Vec<&Scored> =
        scored.iter().filter(|s| s.variant != Variant::Cascade && cases[s.case].label != LABELS[UNKNOWN].id).collect();
    let loss = |t: f64| -> f64 {
        failures
            .iter()
            .map(|scored| {
                let mut logits = scored.logits.clone();
                logits[UNKNOWN] = f64::NEG_INFINITY;
                let p = softmax(&logits, t);
                // What a reasonable engineer could also defend is right, too.
                let case = &cases[scored.case];
                let right = std::iter::once(&case.label).chain(&case.also_ok).filter_map(|id| by_id(id));
                let counts = if scored.variant == Variant::Probe { KNOWN_COUNTS } else { 1.0 };
                -counts * right.map(|label| p[label]).sum::<f64>().max(1e-12).ln()
            })
            .sum()
    };
    (20..=300).map(|step| f64::from(step) / 100.0).min_by(|a, b| loss(*a).total_cmp(&loss(*b))).unwrap_or(1.0)
}

/// The lowest probability that is still worth saying: below it, fewer than [`WORTH_SAYING`] of the answers were right, and
/// an engineer is better served by "unknown" and the nearest misses.
#[allow(clippy::cast_precision_loss)] // counts of cases
fn abstention(scored: &[Scored], cases: &[Case], calibration: &Calibration) -> f64 {
    let answers: Vec<(f64, bool)> = scored
        .iter()
        .filter(|scored| scored.variant == Variant::Plain)
        .map(|scored| {
            let prediction = decide(&calibration.probabilities(&scored.logits, scored.document), 0.0);
            (prediction.confidence, cases[scored.case].accepts(LABELS[prediction.label].id))
        })
        .collect();
    let mut threshold = 0.0;
    for step in 0..8 {
        let low = f64::from(step) * BAND;
        let band: Vec<bool> =
            answers.iter().filter(|(p, _)| *p >= low && *p < low + BAND).map(|(_, right)| *right).collect();
        let right = band.iter().filter(|right| **right).count() as f64;
        if band.len() >= 5 && right / band.len() as f64 >= WORTH_SAYING {
            break;
        }
        threshold = low + BAND;
    }
    crate::round(threshold)
}
