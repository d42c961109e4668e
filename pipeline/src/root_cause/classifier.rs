//! A multinomial logistic regression (fitted by linfa-logistic in [`crate::train`]) over words, embedding and figures.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::features::{Document, FIGURES, Salient};
use super::label::{LABELS, LabelIndex, UNKNOWN};
use crate::embedding::DIMENSIONS;
use crate::knowledge::lexical;

/// How much the embedding counts beside the words, whose vector has length 1.
const EMBEDDING_SCALE: f64 = 1.0;
/// The same for the figures.
const FIGURE_SCALE: f64 = 0.5;

/// Which terms are features, and how rare each is.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Vocabulary {
    /// Words and word pairs; a term's place is its feature index.
    pub terms: Vec<String>,
    /// Inverse document frequency of each.
    pub idf: Vec<f64>,
    #[serde(skip)]
    index: HashMap<String, usize>,
}

impl Vocabulary {
    /// A vocabulary of `terms` with their inverse document frequencies.
    #[must_use]
    pub fn new(terms: Vec<String>, idf: Vec<f64>) -> Self {
        let mut vocabulary = Self { terms, idf, index: HashMap::new() };
        vocabulary.build_index();
        vocabulary
    }

    fn build_index(&mut self) {
        self.index = self.terms.iter().enumerate().map(|(index, term)| (term.clone(), index)).collect();
    }

    /// Number of features of a document.
    #[must_use]
    pub fn features(&self) -> usize {
        self.terms.len() + DIMENSIONS + FIGURES
    }

    /// The known terms of one record as (index, weight), by index.
    fn record(&self, record: &Salient) -> Vec<(usize, f64)> {
        let mut found: Vec<(usize, f64)> = record
            .terms
            .iter()
            .filter_map(|(term, count)| {
                let index = *self.index.get(term)?;
                Some((index, record.weight * (1.0 + count.ln()) * self.idf[index]))
            })
            .collect();
        found.sort_by_key(|(index, _)| *index);
        found
    }

    /// The document's features as (index, value), by index.
    #[must_use]
    pub fn vector(&self, document: &Document) -> Vec<(usize, f64)> {
        let mut words = vec![0.0; self.terms.len()];
        for record in &document.records {
            for (index, value) in self.record(record) {
                words[index] += value;
            }
        }
        let length = length(&words);
        let mut vector: Vec<(usize, f64)> =
            words.into_iter().enumerate().filter(|(_, x)| *x > 0.0).map(|(index, x)| (index, x / length)).collect();
        let base = self.terms.len();
        vector.extend(document.embedding.iter().enumerate().map(|(i, x)| (base + i, EMBEDDING_SCALE * f64::from(*x))));
        let base = base + DIMENSIONS;
        vector.extend(document.figures.iter().enumerate().map(|(i, x)| (base + i, FIGURE_SCALE * x)));
        vector
    }
}

fn length(vector: &[f64]) -> f64 {
    vector.iter().map(|x| x * x).sum::<f64>().sqrt().max(f64::MIN_POSITIVE)
}

/// The fitted model.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Classifier {
    /// Label ids, in the order of the weights: a model of another label set is refused.
    pub labels: Vec<String>,
    /// The terms it knows.
    pub vocabulary: Vocabulary,
    /// One row of feature weights a label.
    pub weights: Vec<Vec<f32>>,
    /// One intercept a label.
    pub intercepts: Vec<f64>,
    /// Softmax temperature, fitted on predictions for folds left out (Guo et al., ICML 2017).
    pub temperature: f64,
    /// Below this probability the answer is `unknown`.
    pub abstain_below: f64,
}

/// A root cause with its probability.
#[derive(Debug, Clone, Serialize)]
pub struct Candidate {
    /// Title.
    pub root_cause: &'static str,
    /// Label id.
    pub id: &'static str,
    /// Calibrated probability.
    pub probability: f64,
}

/// What the classifier says.
#[derive(Debug, Clone)]
pub struct Prediction {
    /// The answer, `unknown` when nothing is probable enough.
    pub label: LabelIndex,
    /// The label that the evidence is for: the most probable one, also when the answer is `unknown`.
    pub leading: LabelIndex,
    /// Probability of [`Prediction::label`].
    pub confidence: f64,
    /// All labels by falling probability; they sum to 1.
    pub candidates: Vec<Candidate>,
}

/// How much one record and its words spoke for a label.
#[derive(Debug, Clone)]
pub struct Contribution {
    /// Index of its group in the digest.
    pub group: usize,
    /// Weight of its words and its embedding in the decision for the label.
    pub weight: f64,
    /// The words that carried it, strongest first.
    pub words: Vec<String>,
}

impl Classifier {
    /// Reads a model.
    ///
    /// # Errors
    /// When it is no model of this program's label set, with the reason.
    pub fn from_json(bytes: &[u8]) -> Result<Self, String> {
        let mut model: Self = serde_json::from_slice(bytes).map_err(|e| e.to_string())?;
        let labels_match = model.labels.iter().eq(LABELS.iter().map(|label| label.id));
        let features = model.vocabulary.features();
        let shape = model.weights.len() == LABELS.len()
            && model.intercepts.len() == LABELS.len()
            && model.vocabulary.idf.len() == model.vocabulary.terms.len()
            && model.weights.iter().all(|row| row.len() == features);
        if !labels_match || !shape {
            return Err("it was trained for another set of labels or features; run `clew train`".to_owned());
        }
        model.vocabulary.build_index();
        Ok(model)
    }

    /// The scores of all labels before calibration.
    #[must_use]
    pub fn logits(&self, vector: &[(usize, f64)]) -> Vec<f64> {
        self.weights
            .iter()
            .zip(&self.intercepts)
            .map(|(row, intercept)| intercept + vector.iter().map(|(index, x)| f64::from(row[*index]) * x).sum::<f64>())
            .collect()
    }

    /// The calibrated answer for `document`. A document without a record is `unknown` for certain.
    #[must_use]
    pub fn predict(&self, document: &Document) -> Prediction {
        let probabilities = if document.records.is_empty() {
            (0..LABELS.len()).map(|label| f64::from(u8::from(label == UNKNOWN))).collect()
        } else {
            softmax(&self.logits(&self.vocabulary.vector(document)), self.temperature)
        };
        decide(&probabilities, self.abstain_below)
    }

    /// What each record did for `label`, against what it did for the labels on average, strongest first.
    #[must_use]
    pub fn contributions(&self, document: &Document, label: LabelIndex) -> Vec<Contribution> {
        let mut words = vec![0.0; self.vocabulary.terms.len()];
        let records: Vec<_> = document.records.iter().map(|record| self.vocabulary.record(record)).collect();
        records.iter().flatten().for_each(|(index, value)| words[*index] += value);
        let length = length(&words);
        let mut found: Vec<Contribution> = document
            .records
            .iter()
            .zip(&records)
            .map(|(record, terms)| {
                let mut parts: Vec<(f64, usize)> =
                    terms.iter().map(|(index, value)| (value / length * self.lift(label, *index), *index)).collect();
                parts.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
                let embedded: f64 = record
                    .embedding
                    .iter()
                    .flatten()
                    .enumerate()
                    .map(|(i, x)| record.weight * f64::from(*x) * self.lift(label, self.vocabulary.terms.len() + i))
                    .sum();
                Contribution {
                    group: record.group,
                    weight: parts.iter().map(|(part, _)| part).sum::<f64>() + embedded,
                    words: self.carriers(&parts),
                }
            })
            .collect();
        found.sort_by(|a, b| b.weight.total_cmp(&a.weight).then(a.group.cmp(&b.group)));
        found
    }

    /// How much a feature speaks for `label` more than for the average label.
    #[allow(clippy::cast_precision_loss)] // the number of labels
    fn lift(&self, label: LabelIndex, feature: usize) -> f64 {
        let mean: f64 = self.weights.iter().map(|row| f64::from(row[feature])).sum::<f64>() / self.weights.len() as f64;
        f64::from(self.weights[label][feature]) - mean
    }

    /// The strongest terms, without single words that a stronger pair holds already.
    fn carriers(&self, parts: &[(f64, usize)]) -> Vec<String> {
        let mut words: Vec<String> = Vec::new();
        for (part, index) in parts {
            let term = &self.vocabulary.terms[*index];
            if *part <= 0.0 || words.len() == 4 {
                break;
            }
            let says =
                term.split(' ').any(|word| !word.starts_with('<') && word.len() > 1 && !lexical::is_stop_word(word));
            if says
                && !term.starts_with('<')
                && !words.iter().any(|word| word.split(' ').any(|w| term.split(' ').any(|t| t == w)))
            {
                words.push(term.clone());
            }
        }
        words
    }
}

/// Probabilities from scores.
#[must_use]
pub fn softmax(logits: &[f64], temperature: f64) -> Vec<f64> {
    let highest = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let raised: Vec<f64> = logits.iter().map(|x| ((x - highest) / temperature).exp()).collect();
    let total: f64 = raised.iter().sum();
    raised.into_iter().map(|x| x / total).collect()
}

/// The answer that `probabilities` (by label index) give.
#[must_use]
pub fn decide(probabilities: &[f64], abstain_below: f64) -> Prediction {
    let mut order: Vec<LabelIndex> = (0..probabilities.len()).collect();
    order.sort_by(|a, b| probabilities[*b].total_cmp(&probabilities[*a]).then(a.cmp(b)));
    let leading = order[0];
    let label = if probabilities[leading] < abstain_below { UNKNOWN } else { leading };
    let candidates = order
        .iter()
        .map(|index| Candidate {
            root_cause: LABELS[*index].title,
            id: LABELS[*index].id,
            probability: probabilities[*index],
        })
        .collect();
    Prediction { label, leading, confidence: probabilities[label], candidates }
}
