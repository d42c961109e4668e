//! From scores to probabilities that mean what they say.
//!
//! Two questions, asked one after the other. Does the log show a failure at all? A logistic regression answers (Platt
//! scaling, with a few figures beside the score). If so, which? A softmax answers, with a temperature (Guo et al., "On
//! Calibration of Modern Neural Networks", ICML 2017). Both are fitted on predictions for cases that the classifier was
//! not fitted on.

use serde::{Deserialize, Serialize};

use super::features::Document;
use super::label::{LABELS, UNKNOWN};

/// Figures that the first question is answered from.
pub const GATE: usize = 7;

/// The fitted calibration.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Calibration {
    /// Weights of the [`gate_figures`] for "this shows no failure".
    pub gate: Vec<f64>,
    /// Intercept beside them.
    pub gate_intercept: f64,
    /// Softmax temperature among the failures.
    pub temperature: f64,
    /// Below this probability the answer is `unknown`.
    pub abstain_below: f64,
}

/// How far `unknown` leads all failures together, how far the first failure leads the second, and what the input looks like.
#[must_use]
pub fn gate_figures(logits: &[f64], document: &Document) -> [f64; GATE] {
    let mut failures: Vec<f64> =
        (0..logits.len()).filter(|label| *label != UNKNOWN).map(|label| logits[label]).collect();
    failures.sort_by(|a, b| b.total_cmp(a));
    let highest = failures[0];
    let together = highest + failures.iter().map(|x| (x - highest).exp()).sum::<f64>().ln();
    let [strongest, mean, after, orderly, lone] = document.figures;
    [logits[UNKNOWN] - together, highest - failures[1], strongest, mean, after, orderly, lone]
}

impl Calibration {
    /// The probability of each label, by index.
    #[must_use]
    pub fn probabilities(&self, logits: &[f64], document: &Document) -> Vec<f64> {
        let sum: f64 = self.gate.iter().zip(gate_figures(logits, document)).map(|(w, x)| w * x).sum();
        let unknown = 1.0 / (1.0 + (-(sum + self.gate_intercept)).exp());
        let mut failures = logits.to_vec();
        failures[UNKNOWN] = f64::NEG_INFINITY;
        let mut probabilities = softmax(&failures, self.temperature);
        probabilities.iter_mut().for_each(|p| *p *= 1.0 - unknown);
        probabilities[UNKNOWN] = unknown;
        probabilities
    }

    /// Whether it was fitted for these figures.
    #[must_use]
    pub fn fits(&self) -> bool {
        self.gate.len() == GATE && self.temperature > 0.0
    }
}

/// Certainty that there is nothing to see: what an input without a record gets.
#[must_use]
pub fn nothing() -> Vec<f64> {
    (0..LABELS.len()).map(|label| f64::from(u8::from(label == UNKNOWN))).collect()
}

/// Probabilities from scores.
#[must_use]
pub fn softmax(logits: &[f64], temperature: f64) -> Vec<f64> {
    let highest = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let raised: Vec<f64> = logits.iter().map(|x| ((x - highest) / temperature).exp()).collect();
    let total: f64 = raised.iter().sum();
    raised.into_iter().map(|x| x / total).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probabilities_sum_to_one_whatever_the_scores() {
        let calibration =
            Calibration { gate: vec![1.0; GATE], gate_intercept: 0.2, temperature: 0.5, abstain_below: 0.2 };
        for scale in [0.0, 1.0, 50.0, 800.0] {
            let logits: Vec<f64> = (0..23_u32).map(|label| scale * f64::from((label * 7) % 5)).collect();
            let probabilities = calibration.probabilities(&logits, &Document::default());
            assert!((probabilities.iter().sum::<f64>() - 1.0).abs() < 1e-9, "{probabilities:?}");
        }
    }
}
