//! Trains the root-cause classifier from `models/root_cause/corpus/`, reproducibly.

pub mod actions;
mod calibrate;
pub mod samples;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::Path;

use linfa::Dataset;
use linfa::traits::Fit;
use linfa_logistic::MultiLogisticRegression;
use ndarray::{Array1, Array2};

use crate::embedding::Embedder;
use crate::evaluate::{Case, Metrics, Outcome};
use crate::models::{CLASSIFIER, Models};
use crate::root_cause::calibration::Calibration;
use crate::root_cause::classifier::{Classifier, decide};
use crate::root_cause::features::Document;
use crate::root_cause::label::{LABELS, LabelIndex};
use crate::root_cause::vocabulary::{Parts, Vocabulary};
use samples::{Sample, Split, Variant, samples};

/// Folds of the cross-validation that gives calibration and the reported quality.
const FOLDS: usize = 5;
/// Terms that become features.
const MAX_TERMS: usize = 4_000;
/// Weight of the L2 penalty; chosen by cross-validation (models/README.md).
const PENALTY: f32 = 0.5;
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

/// A prediction for what the classifier was not fitted on.
pub struct Scored<'a> {
    /// Index of the case.
    pub case: usize,
    /// What was looked at.
    pub document: &'a Document,
    /// The scores of all labels.
    pub logits: Vec<f64>,
    /// The context it was told in.
    pub variant: Variant,
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
    /// Share of the cascades left out in which the earliest cause was named, counting `also_ok`.
    pub cascades: f64,
    /// The fitted calibration.
    pub calibration: Calibration,
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
    progress: &(dyn Fn(&str) + Sync),
) -> Result<Report, TrainError> {
    let cases = read_corpus(corpus)?;
    progress(&format!("{} cases: reading, embedding", cases.len()));
    let samples = samples(&cases, embedder);
    let scored = cross_validate(&samples, &cases, Parts::ALL, Split::Template, progress)?;
    let calibration = calibrate::calibration(&scored, &cases)?;
    let outcomes = outcomes(&scored, &cases, &calibration, Variant::Plain);
    let cascades = Metrics::of(&self::outcomes(&scored, &cases, &calibration, Variant::Cascade)).lenient;
    progress("all cases: fitting");
    let mut model = fit(&fitted_on(&samples, |_| true), Parts::ALL)?;
    model.calibration = calibration.clone();
    let features = model.vocabulary.features();
    let json = serde_json::to_vec(&model).map_err(|e| TrainError::Fit(e.to_string()))?;
    models.write(CLASSIFIER, &json, "Apache-2.0 OR MIT", "`clew train` from models/root_cause/corpus")?;
    Ok(Report {
        cases: cases.len(),
        samples: samples.len(),
        features,
        metrics: Metrics::of(&outcomes),
        cascades,
        calibration,
    })
}

/// One line of the ablation table.
pub struct Ablation {
    /// What was left out or changed.
    pub name: &'static str,
    /// Quality on folds left out.
    pub metrics: Metrics,
}

/// Measures what each part of the classifier is worth, how it fares on technologies it never saw, and whether more cases
/// would help.
///
/// # Errors
/// When the corpus is unreadable or a fit fails.
pub fn ablation(
    corpus: &Path,
    embedder: &Embedder,
    progress: &(dyn Fn(&str) + Sync),
) -> Result<Vec<Ablation>, TrainError> {
    let cases = read_corpus(corpus)?;
    progress(&format!("{} cases: reading, embedding", cases.len()));
    let samples = samples(&cases, embedder);
    let without = |change: fn(&mut Parts)| {
        let mut parts = Parts::ALL;
        change(&mut parts);
        parts
    };
    let mut table = Vec::new();
    let mut add = |name, samples: &[Sample], parts, split| -> Result<(), TrainError> {
        progress(name);
        let scored = cross_validate(samples, &cases, parts, split, &|_| ())?;
        let calibration = calibrate::calibration(&scored, &cases)?;
        table.push(Ablation { name, metrics: Metrics::of(&outcomes(&scored, &cases, &calibration, Variant::Plain)) });
        Ok(())
    };
    add("as shipped", &samples, Parts::ALL, Split::Template)?;
    add("technologies left out", &samples, Parts::ALL, Split::Technology)?;
    add("without words", &samples, without(|parts| parts.words = false), Split::Template)?;
    add("without parts of words", &samples, without(|parts| parts.grams = false), Split::Template)?;
    add("without embedding", &samples, without(|parts| parts.embedding = false), Split::Template)?;
    let only = |keep: &dyn Fn(&Sample) -> bool| -> Vec<Sample> {
        samples
            .iter()
            .filter(|sample| keep(sample))
            .map(|s| Sample { document: s.document.clone(), label: s.label, case: s.case, variant: s.variant })
            .collect()
    };
    let plain = only(&|s| matches!(s.variant, Variant::Plain | Variant::Probe));
    add("without contexts multiplied", &plain, Parts::ALL, Split::Template)?;
    Ok(table)
}

/// Scores everything that each fold leaves out, and the probes of a fold that it does not.
fn cross_validate<'a>(
    samples: &'a [Sample],
    cases: &[Case],
    parts: Parts,
    split: Split,
    progress: &(dyn Fn(&str) + Sync),
) -> Result<Vec<Scored<'a>>, TrainError> {
    let folds: Vec<usize> = cases.iter().map(|case| split.fold(case, FOLDS)).collect();
    let one = |fold: usize| -> Result<Vec<Scored<'a>>, TrainError> {
        progress(&format!("fold {} of {FOLDS}: fitting", fold + 1));
        let model = fit(&fitted_on(samples, |case| folds[case] != fold), parts)?;
        let known = (fold + 1) % FOLDS;
        let left_out = |s: &&Sample| match s.variant {
            Variant::Plain | Variant::Cascade => folds[s.case] == fold,
            Variant::Probe => folds[s.case] == known,
            Variant::Cause | Variant::Mixed => false,
        };
        let score = |s: &'a Sample| Scored {
            case: s.case,
            document: &s.document,
            logits: model.logits(&model.vocabulary.vector(&s.document, parts)),
            variant: s.variant,
        };
        Ok(samples.iter().filter(left_out).map(score).collect())
    };
    // Two at a time: a fit uses one core.
    let mut scored = Vec::new();
    let one = &one;
    for pair in (0..FOLDS).collect::<Vec<_>>().chunks(2) {
        let results: Vec<Result<Vec<Scored>, TrainError>> = std::thread::scope(|scope| {
            let workers: Vec<_> = pair.iter().map(|fold| scope.spawn(move || one(*fold))).collect();
            let died = || Err(TrainError::Fit("a fit panicked".to_owned()));
            workers.into_iter().map(|worker| worker.join().unwrap_or_else(|_| died())).collect()
        });
        for result in results {
            scored.extend(result?);
        }
    }
    Ok(scored)
}

/// What is fitted on: all variants of the cases wanted, but for the probes.
fn fitted_on(samples: &[Sample], wanted: impl Fn(usize) -> bool) -> Vec<&Sample> {
    samples.iter().filter(|sample| sample.variant != Variant::Probe && wanted(sample.case)).collect()
}

fn outcomes(scored: &[Scored], cases: &[Case], calibration: &Calibration, variant: Variant) -> Vec<Outcome> {
    scored
        .iter()
        .filter(|scored| scored.variant == variant)
        .map(|scored| {
            let probabilities = calibration.probabilities(&scored.logits, scored.document);
            Outcome::new(&cases[scored.case], &decide(&probabilities, calibration.abstain_below))
        })
        .collect()
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

#[allow(clippy::cast_possible_truncation)] // f32 is what is fitted and stored
fn fit(samples: &[&Sample], parts: Parts) -> Result<Classifier, TrainError> {
    let vocabulary = vocabulary(samples);
    let mut x = Array2::<f32>::zeros((samples.len(), vocabulary.features()));
    for (row, sample) in samples.iter().enumerate() {
        for (column, value) in vocabulary.vector(&sample.document, parts) {
            x[[row, column]] = value as f32;
        }
    }
    let y: Array1<usize> = samples.iter().map(|sample| sample.label).collect();
    let fitted = MultiLogisticRegression::<f32>::default()
        .alpha(PENALTY)
        .max_iterations(ITERATIONS)
        .gradient_tolerance(1e-3)
        .fit(&Dataset::new(x, y))
        .map_err(|e| TrainError::Fit(e.to_string()))?;
    let mut weights = vec![vec![0.0_f32; vocabulary.features()]; LABELS.len()];
    let mut intercepts = vec![-20.0; LABELS.len()];
    for (column, label) in fitted.classes().iter().enumerate() {
        intercepts[*label] = crate::round(f64::from(fitted.intercept()[column]));
        for (feature, weight) in weights[*label].iter_mut().enumerate() {
            *weight = crate::round(f64::from(fitted.params()[[feature, column]])) as f32;
        }
    }
    Ok(Classifier {
        labels: LABELS.iter().map(|label| label.id.to_owned()).collect(),
        vocabulary,
        weights,
        intercepts,
        calibration: Calibration::default(),
    })
}
