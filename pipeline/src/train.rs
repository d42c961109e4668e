//! Trains the root-cause classifier from `models/root_cause/corpus/`, reproducibly.
//!
//! An example's context is multiplied (its cause alone, chatter around it); its failure is not: all variants of one
//! template are in the same fold, so that what is measured was never seen.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::Path;

use linfa::Dataset;
use linfa::traits::Fit;
use linfa_logistic::MultiLogisticRegression;
use ndarray::{Array1, Array2};

use crate::anomaly;
use crate::anomaly::features::Signals;
use crate::embedding::Embedder;
use crate::evaluate::{Case, Metrics, Outcome};
use crate::logs::digest::Collector;
use crate::logs::template::mask;
use crate::models::{CLASSIFIER, Models};
use crate::redact::Redactor;
use crate::root_cause::classifier::{Classifier, Vocabulary, decide, softmax};
use crate::root_cause::features::{Document, document};
use crate::root_cause::label::{LABELS, LabelIndex, UNKNOWN, by_id};

/// Folds of the cross-validation that gives calibration and the reported quality.
const FOLDS: usize = 4;
/// Terms that become features.
const MAX_TERMS: usize = 3_000;
/// Weight of the L2 penalty; chosen by cross-validation (models/README.md).
const PENALTY: f64 = 0.05;
const ITERATIONS: u64 = 120;

/// Why training failed.
#[derive(Debug, thiserror::Error)]
pub enum TrainError {
    /// The corpus cannot be read.
    #[error("the training corpus cannot be read: {0}")]
    Corpus(String),
    /// linfa gave up.
    #[error("the classifier could not be fitted: {0}")]
    Fit(String),
    /// The result cannot be written.
    #[error(transparent)]
    Model(#[from] crate::models::ModelError),
}

/// One variant of a training example, ready for the classifier.
struct Sample {
    document: Document,
    label: LabelIndex,
    fold: usize,
    /// Which corpus case it is a variant of; the plain variant is what is measured.
    case: usize,
    plain: bool,
}

/// What `clew train` reports.
pub struct Report {
    /// Corpus cases.
    pub cases: usize,
    /// Samples they made.
    pub samples: usize,
    /// Features of the model.
    pub features: usize,
    /// Quality on folds left out, by template.
    pub metrics: Metrics,
    /// The fitted temperature.
    pub temperature: f64,
    /// The abstention threshold.
    pub abstain_below: f64,
}

/// Reads all `*.jsonl` files of a folder, in order of their names.
///
/// # Errors
/// When the folder or a line of a file cannot be read; the message names file and line.
pub fn read_corpus(directory: &Path) -> Result<Vec<Case>, TrainError> {
    let entries =
        std::fs::read_dir(directory).map_err(|e| TrainError::Corpus(format!("{}: {e}", directory.display())))?;
    let mut files: Vec<_> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    files.retain(|path| path.extension().is_some_and(|e| e == "jsonl"));
    files.sort();
    let mut cases = Vec::new();
    for file in files {
        cases.extend(crate::evaluate::read_cases(&file).map_err(TrainError::Corpus)?);
    }
    Ok(cases)
}

/// Trains, measures and writes the classifier into `models`.
///
/// # Errors
/// When the corpus is unreadable, the fit fails or the folder cannot be written.
pub fn root_cause(
    models: &mut Models,
    corpus: &Path,
    embedder: &Embedder,
    progress: &dyn Fn(&str),
) -> Result<Report, TrainError> {
    let cases = read_corpus(corpus)?;
    progress(&format!("{} cases: reading, embedding", cases.len()));
    let samples = samples(&cases, embedder);
    let mut logits: Vec<Option<Vec<f64>>> = vec![None; cases.len()];
    for fold in 0..FOLDS {
        progress(&format!("fold {} of {FOLDS}: fitting", fold + 1));
        let (held_out, train): (Vec<&Sample>, Vec<&Sample>) = samples.iter().partition(|s| s.fold == fold);
        let model = fit(&train)?;
        for sample in held_out.iter().filter(|s| s.plain) {
            logits[sample.case] = Some(model.logits(&model.vocabulary.vector(&sample.document)));
        }
    }
    let scored: Vec<(&Case, Vec<f64>)> = cases.iter().zip(logits).filter_map(|(case, l)| Some((case, l?))).collect();
    let temperature = temperature(&scored);
    let abstain_below = abstention(&scored, temperature);
    let outcomes: Vec<Outcome> = scored
        .iter()
        .map(|(case, logits)| Outcome::new(case, &decide(&softmax(logits, temperature), abstain_below)))
        .collect();
    progress("all cases: fitting");
    let mut model = fit(&samples.iter().collect::<Vec<_>>())?;
    model.temperature = temperature;
    model.abstain_below = abstain_below;
    let features = model.vocabulary.features();
    let json = serde_json::to_vec(&model).map_err(|e| TrainError::Fit(e.to_string()))?;
    models.write(CLASSIFIER, &json, "Apache-2.0 OR MIT", "`clew train` from models/root_cause/corpus")?;
    Ok(Report {
        cases: cases.len(),
        samples: samples.len(),
        features,
        metrics: Metrics::of(&outcomes),
        temperature,
        abstain_below,
    })
}

/// A document from lines, the way triage makes it.
fn document_of(lines: &[&str], redactor: &Redactor, signals: &Signals, embedder: Option<&Embedder>) -> Document {
    let mut collector = Collector::new(redactor.fresh());
    lines.iter().for_each(|line| collector.push(line));
    let digest = collector.finish();
    let (_, scores) = anomaly::detect(&digest, signals);
    document(&digest, &scores, embedder)
}

fn samples(cases: &[Case], embedder: &Embedder) -> Vec<Sample> {
    let redactor = Redactor::new();
    let signals = Signals::default();
    let chatter: Vec<&Case> =
        cases.iter().filter(|case| case.label == LABELS[UNKNOWN].id && case.logs.len() >= 3).collect();
    let mut samples = Vec::new();
    for (index, case) in cases.iter().enumerate() {
        let Some(label) = by_id(&case.label) else { continue };
        let fold = fold(case);
        for (variant, lines) in variants(case, index, &chatter).iter().enumerate() {
            let document = document_of(lines, &redactor, &signals, Some(embedder));
            samples.push(Sample { document, label, fold, case: index, plain: variant == 0 });
        }
    }
    samples
}

/// The case as it is; its cause alone; and the case among chatter of another system's healthy log.
fn variants<'a>(case: &'a Case, index: usize, chatter: &[&'a Case]) -> Vec<Vec<&'a str>> {
    let plain: Vec<&str> = case.logs.iter().map(String::as_str).collect();
    let mut variants = vec![plain.clone()];
    if !case.cause.is_empty() && case.cause.len() < case.logs.len() {
        variants.push(case.cause.iter().filter_map(|i| case.logs.get(*i)).map(String::as_str).collect());
    }
    // A prime step spreads the pairs; the fold of the chatter's own case does not matter, for its label is `unknown`.
    let other = chatter.get((index * 7_919 + 13) % chatter.len().max(1)).filter(|other| other.id != case.id);
    if let Some(other) = other {
        let around: Vec<&str> = other.logs.iter().map(String::as_str).collect();
        let half = around.len() / 2;
        let mixed = around[..half].iter().chain(&plain).chain(&around[half..]).copied().collect();
        variants.push(mixed);
    }
    variants
}

/// Cases whose causes are the same but for their variables share a fold.
fn fold(case: &Case) -> usize {
    let first = case.cause.first().and_then(|i| case.logs.get(*i)).or(case.logs.first());
    let parsed = first.map(|line| crate::logs::parse::parse_line(line).message.into_owned()).unwrap_or_default();
    // FNV-1a: stable across releases of the standard library, which its hasher is not.
    let hash =
        mask(&parsed).bytes().fold(0xcbf2_9ce4_8422_2325_u64, |h, b| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3));
    usize::try_from((hash >> 32) % FOLDS as u64).unwrap_or(0)
}

/// The terms that tell labels apart best: seen in two cases or more, and concentrated on few labels.
#[allow(clippy::cast_precision_loss)] // counts of cases
fn vocabulary(samples: &[&Sample]) -> Vocabulary {
    let mut seen: BTreeMap<&str, (HashSet<usize>, HashMap<LabelIndex, f64>)> = BTreeMap::new();
    let mut cases: HashSet<usize> = HashSet::new();
    for sample in samples {
        cases.insert(sample.case);
        for term in sample.document.records.iter().flat_map(|record| record.terms.keys()) {
            let entry = seen.entry(term).or_default();
            if entry.0.insert(sample.case) {
                *entry.1.entry(sample.label).or_default() += 1.0;
            }
        }
    }
    let total = cases.len() as f64;
    let mut ranked: Vec<(f64, &str, f64)> = seen
        .iter()
        .filter(|(term, (in_cases, _))| in_cases.len() >= 2 && term.len() <= 60)
        .map(|(term, (in_cases, by_label))| {
            let count = in_cases.len() as f64;
            let purity = by_label.values().copied().fold(0.0, f64::max) / count;
            (purity * count.sqrt(), *term, (total / count).ln() + 1.0)
        })
        .collect();
    ranked.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(b.1)));
    ranked.truncate(MAX_TERMS);
    ranked.sort_by(|a, b| a.1.cmp(b.1));
    Vocabulary::new(ranked.iter().map(|r| r.1.to_owned()).collect(), ranked.iter().map(|r| crate::round(r.2)).collect())
}

fn fit(samples: &[&Sample]) -> Result<Classifier, TrainError> {
    let vocabulary = vocabulary(samples);
    let mut x = Array2::<f64>::zeros((samples.len(), vocabulary.features()));
    for (row, sample) in samples.iter().enumerate() {
        for (column, value) in vocabulary.vector(&sample.document) {
            x[[row, column]] = value;
        }
    }
    let y: Array1<usize> = samples.iter().map(|sample| sample.label).collect();
    let fitted = MultiLogisticRegression::default()
        .alpha(PENALTY)
        .max_iterations(ITERATIONS)
        .gradient_tolerance(1e-3)
        .fit(&Dataset::new(x, y))
        .map_err(|e| TrainError::Fit(e.to_string()))?;
    let mut weights = vec![vec![0.0_f32; vocabulary.features()]; LABELS.len()];
    let mut intercepts = vec![-20.0; LABELS.len()];
    for (column, label) in fitted.classes().iter().enumerate() {
        intercepts[*label] = fitted.intercept()[column];
        for (feature, weight) in weights[*label].iter_mut().enumerate() {
            #[allow(clippy::cast_possible_truncation)] // f32 is what is stored
            {
                *weight = crate::round(fitted.params()[[feature, column]]) as f32;
            }
        }
    }
    Ok(Classifier {
        labels: LABELS.iter().map(|label| label.id.to_owned()).collect(),
        vocabulary,
        weights,
        intercepts,
        temperature: 1.0,
        abstain_below: 0.0,
    })
}

/// The temperature with the least negative log-likelihood on predictions for folds left out. Several temperatures are
/// tried in a grid: the curve is flat and has one minimum.
fn temperature(scored: &[(&Case, Vec<f64>)]) -> f64 {
    let loss = |t: f64| -> f64 {
        scored
            .iter()
            .map(|(case, logits)| {
                let p = softmax(logits, t);
                // What a reasonable engineer could also defend is right, too.
                let right: f64 = by_id(&case.label)
                    .into_iter()
                    .chain(case.also_ok.iter().filter_map(|id| by_id(id)))
                    .map(|l| p[l])
                    .sum();
                -right.max(1e-12).ln()
            })
            .sum()
    };
    (20..=300).map(|step| f64::from(step) / 100.0).min_by(|a, b| loss(*a).total_cmp(&loss(*b))).unwrap_or(1.0)
}

/// The lowest probability that is still worth saying: below it, fewer than four of ten answers were right on folds left
/// out, and an engineer is better served by "unknown" and the nearest misses.
#[allow(clippy::cast_precision_loss)] // counts of cases
fn abstention(scored: &[(&Case, Vec<f64>)], temperature: f64) -> f64 {
    const WORTH_SAYING: f64 = 0.4;
    const BAND: f64 = 0.05;
    let answers: Vec<(f64, bool)> = scored
        .iter()
        .map(|(case, logits)| {
            let prediction = decide(&softmax(logits, temperature), 0.0);
            (prediction.confidence, case.accepts(LABELS[prediction.label].id))
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
