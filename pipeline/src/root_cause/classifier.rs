//! A multinomial logistic regression (fitted by linfa-logistic in [`crate::train`]) over words, parts of words and
//! embedding.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::calibration::{Calibration, nothing};
use super::features::{Document, Salient, grams};
use super::label::{LABELS, LabelIndex, UNKNOWN};
use super::vocabulary::{EMBEDDING_SCALE, Parts, Vocabulary};
use crate::knowledge::lexical;

/// Words shown of one record.
const MAX_WORDS: usize = 4;

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
    /// From scores to probabilities.
    pub calibration: Calibration,
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
            && model.weights.iter().all(|row| row.len() == features)
            && model.calibration.fits();
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

    /// The scores of all labels for `document`.
    #[must_use]
    pub fn scores(&self, document: &Document) -> Vec<f64> {
        self.logits(&self.vocabulary.vector(document, Parts::ALL))
    }

    /// The calibrated answer for `document`. A document without a record is `unknown` for certain.
    #[must_use]
    pub fn predict(&self, document: &Document) -> Prediction {
        let probabilities = if document.records.is_empty() {
            nothing()
        } else {
            self.calibration.probabilities(&self.scores(document), document)
        };
        decide(&probabilities, self.calibration.abstain_below)
    }

    /// What each record did for `label`, against what it did for the labels on average, strongest first.
    #[must_use]
    pub fn contributions(&self, document: &Document, label: LabelIndex) -> Vec<Contribution> {
        let lengths = self.vocabulary.lengths(document);
        let mut found: Vec<Contribution> =
            document.records.iter().map(|record| self.contribution(record, label, lengths)).collect();
        found.sort_by(|a, b| b.weight.total_cmp(&a.weight).then(a.group.cmp(&b.group)));
        found
    }

    /// `lengths` are those of the document's terms and parts of words.
    fn contribution(&self, record: &Salient, label: LabelIndex, lengths: (f64, f64)) -> Contribution {
        let terms = self.vocabulary.terms_of(record);
        let by_terms: Vec<(f64, usize)> =
            terms.iter().map(|(index, value)| (value / lengths.0 * self.lift(label, *index), *index)).collect();
        let grams_at = self.vocabulary.grams_at();
        let by_grams: BTreeMap<usize, f64> = Vocabulary::grams_of(record)
            .map(|(place, value)| (place, value / lengths.1 * self.lift(label, grams_at + place)))
            .collect();
        let embedding_at = self.vocabulary.embedding_at();
        let embedded = record.embedding.iter().flatten().enumerate();
        let by_embedding: f64 = embedded
            .map(|(i, x)| record.weight * EMBEDDING_SCALE * f64::from(*x) * self.lift(label, embedding_at + i))
            .sum();
        Contribution {
            group: record.group,
            weight: by_terms.iter().map(|(part, _)| part).sum::<f64>() + by_grams.values().sum::<f64>() + by_embedding,
            words: self.carriers(record, &by_terms, &by_grams),
        }
    }

    /// How much a feature speaks for `label` more than for the average label.
    #[allow(clippy::cast_precision_loss)] // the number of labels
    fn lift(&self, label: LabelIndex, feature: usize) -> f64 {
        let mean: f64 = self.weights.iter().map(|row| f64::from(row[feature])).sum::<f64>() / self.weights.len() as f64;
        f64::from(self.weights[label][feature]) - mean
    }

    /// The terms that carried most, each with what its own parts of words carried: without single words that a stronger
    /// pair holds already.
    fn carriers(&self, record: &Salient, by_terms: &[(f64, usize)], by_grams: &BTreeMap<usize, f64>) -> Vec<String> {
        let of_terms: BTreeMap<&str, f64> =
            by_terms.iter().map(|(part, index)| (self.vocabulary.terms[*index].as_str(), *part)).collect();
        let mut carried: Vec<(f64, &str)> = record
            .terms
            .keys()
            .filter(|term| says_something(term))
            .map(|term| {
                // A part of a word belongs to every word that has it; it is told once, for the strongest.
                let parts: f64 = grams(term).filter_map(|place| by_grams.get(&place)).sum();
                (of_terms.get(term.as_str()).copied().unwrap_or(0.0) + parts, term.as_str())
            })
            .filter(|(part, _)| *part > 0.0)
            .collect();
        carried.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(b.1)));
        let strongest = carried.first().map_or(0.0, |first| first.0);
        let mut words: Vec<String> = Vec::new();
        for (part, term) in carried {
            if words.len() == MAX_WORDS || part < 0.25 * strongest {
                break;
            }
            if !words.iter().any(|word| word.split(' ').any(|w| term.split(' ').any(|t| t == w))) {
                words.push(term.to_owned());
            }
        }
        words
    }
}

/// Whether a reader would see the reason in a term: no placeholder, and not stop words alone.
fn says_something(term: &str) -> bool {
    !term.starts_with('<')
        && term.split(' ').any(|word| !word.starts_with('<') && word.len() > 1 && !lexical::is_stop_word(word))
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
