//! Trains the action ranker from `models/actions/judgements*.jsonl`: cases of the corpus with the steps that an on-call
//! engineer would want to see.

use std::collections::HashMap;
use std::path::Path;

use linfa::Dataset;
use linfa::traits::Fit;
use linfa_logistic::LogisticRegression;
use ndarray::{Array1, Array2};
use serde::{Deserialize, Serialize};

use super::TrainError;
use crate::actions::{FEATURES, Ranker, features};
use crate::evaluate::Case;
use crate::models::{Models, RANKER};
use crate::root_cause::label::by_id;
use crate::triage::Pipeline;

/// Folds of the cross-validation, by case.
const FOLDS: usize = 5;
/// Weight of the L2 penalty.
const PENALTY: f64 = 1.0;
/// Steps of the ranking that are compared with the judgement: what is shown.
const SHOWN: usize = crate::actions::MAX_SHOWN;

#[derive(Debug, Deserialize)]
struct Judgement {
    case: String,
    best: Vec<String>,
}

/// Quality of the ranking on cases left out.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct RankingMetrics {
    /// Judged cases.
    pub cases: usize,
    /// Share of the wanted steps among the first [`crate::actions::MAX_SHOWN`].
    pub recall: f64,
    /// Mean of one over the rank of the first wanted step.
    pub reciprocal_rank: f64,
    /// The same two for a dictionary: the steps of all entries with the right root cause, in order of their names.
    pub dictionary: (f64, f64),
}

struct Pair {
    case: usize,
    features: [f64; FEATURES],
    wanted: bool,
    same_root_cause: bool,
}

/// Trains, measures and writes the ranker into `models`.
///
/// # Errors
/// When a judgement names a case or a step that does not exist, or the fit fails.
pub fn actions(
    models: &mut Models,
    folder: &Path,
    cases: &[Case],
    pipeline: &Pipeline,
) -> Result<RankingMetrics, TrainError> {
    let judgements = read_judgements(folder)?;
    let by_name: HashMap<&str, &Case> = cases.iter().map(|case| (case.id.as_str(), case)).collect();
    let mut pairs: Vec<Vec<Pair>> = Vec::new();
    for (number, judgement) in judgements.iter().enumerate() {
        let Some(case) = by_name.get(judgement.case.as_str()) else {
            return Err(TrainError::Corpus(format!(
                "a judgement names the case {:?}, which is not in the corpus",
                judgement.case
            )));
        };
        pairs.push(pairs_of(number, case, judgement, pipeline)?);
    }
    let mut measured = Vec::new();
    for fold in 0..FOLDS {
        let train: Vec<&Pair> =
            pairs.iter().enumerate().filter(|(n, _)| n % FOLDS != fold).flat_map(|(_, p)| p).collect();
        let ranker = fit(&train)?;
        measured.extend(
            pairs.iter().enumerate().filter(|(n, _)| n % FOLDS == fold).map(|(_, case)| measure(case, &ranker)),
        );
    }
    let ranker = fit(&pairs.iter().flatten().collect::<Vec<_>>())?;
    let json = serde_json::to_vec_pretty(&ranker).map_err(|e| TrainError::Fit(e.to_string()))?;
    models.write(
        RANKER,
        &json,
        "Apache-2.0 OR MIT",
        "`clew train` from models/actions and models/root_cause/corpus",
    )?;
    Ok(summary(&measured))
}

fn read_judgements(folder: &Path) -> Result<Vec<Judgement>, TrainError> {
    let error = |e: &dyn std::fmt::Display| TrainError::Corpus(format!("{}: {e}", folder.display()));
    let mut files: Vec<_> =
        std::fs::read_dir(folder).map_err(|e| error(&e))?.filter_map(|entry| Some(entry.ok()?.path())).collect();
    files.retain(|path| path.extension().is_some_and(|e| e == "jsonl"));
    files.sort();
    let mut judgements = Vec::new();
    for file in files {
        let text = std::fs::read_to_string(&file).map_err(|e| error(&e))?;
        for line in text.lines().filter(|line| !line.trim().is_empty()) {
            judgements.push(serde_json::from_str(line).map_err(|e| error(&e))?);
        }
    }
    Ok(judgements)
}

fn pairs_of(number: usize, case: &Case, judgement: &Judgement, pipeline: &Pipeline) -> Result<Vec<Pair>, TrainError> {
    let lines: Vec<&str> = case.logs.iter().map(String::as_str).collect();
    let label = by_id(&case.label).unwrap_or(crate::root_cause::label::UNKNOWN);
    let knowledge = pipeline.knowledge();
    let known =
        |reference: &String| knowledge.documents().iter().any(|d| d.steps.iter().any(|s| s.reference == *reference));
    if let Some(missing) = judgement.best.iter().find(|reference| !known(reference)) {
        return Err(TrainError::Corpus(format!(
            "the judgement of {:?} names the step {missing:?}, which does not exist",
            judgement.case
        )));
    }
    Ok(pipeline.with_situation(&lines, label, |situation| {
        let steps = situation
            .documents
            .iter()
            .enumerate()
            .flat_map(|(index, document)| document.steps.iter().map(move |step| (index, document, step)));
        steps
            .map(|(index, document, step)| Pair {
                case: number,
                features: features(situation, document, index, step),
                wanted: judgement.best.contains(&step.reference),
                same_root_cause: document.root_cause.as_deref() == Some(case.label.as_str()),
            })
            .collect()
    }))
}

fn fit(pairs: &[&Pair]) -> Result<Ranker, TrainError> {
    // Steps that nothing speaks for are nearly all of them and teach nothing after the first few.
    let kept: Vec<&&Pair> = pairs
        .iter()
        .enumerate()
        .filter(|(n, p)| p.wanted || p.features[0] > 0.02 || p.features[2] > 0.0 || (n + p.case) % 29 == 0)
        .map(|(_, pair)| pair)
        .collect();
    let x = Array2::from_shape_fn((kept.len(), FEATURES), |(row, column)| kept[row].features[column]);
    let y: Array1<bool> = kept.iter().map(|pair| pair.wanted).collect();
    let fitted = LogisticRegression::default()
        .alpha(PENALTY)
        .max_iterations(200)
        .gradient_tolerance(1e-4)
        .fit(&Dataset::new(x, y))
        .map_err(|e| TrainError::Fit(e.to_string()))?;
    // linfa calls one of the two classes positive; which one is its choice.
    let sign = if fitted.labels().pos.class { 1.0 } else { -1.0 };
    Ok(Ranker {
        weights: fitted.params().iter().map(|w| crate::round(sign * w)).collect(),
        intercept: crate::round(sign * fitted.intercept()),
    })
}

/// Recall, reciprocal rank, and both for the dictionary.
fn measure(case: &[Pair], ranker: &Ranker) -> [f64; 4] {
    let mut ranked: Vec<(f64, &Pair)> = case.iter().map(|pair| (ranker.score(&pair.features), pair)).collect();
    ranked.sort_by(|a, b| b.0.total_cmp(&a.0));
    let order: Vec<bool> = ranked.iter().map(|(_, pair)| pair.wanted).collect();
    let dictionary: Vec<bool> = case.iter().filter(|pair| pair.same_root_cause).map(|pair| pair.wanted).collect();
    let wanted = case.iter().filter(|pair| pair.wanted).count();
    let (a, b) = quality(&order, wanted);
    let (c, d) = quality(&dictionary, wanted);
    [a, b, c, d]
}

#[allow(clippy::cast_precision_loss)] // counts of steps
fn quality(order: &[bool], wanted: usize) -> (f64, f64) {
    let found = order.iter().take(SHOWN).filter(|hit| **hit).count() as f64;
    let first = order.iter().position(|hit| *hit).map_or(0.0, |rank| 1.0 / (rank + 1) as f64);
    (found / wanted.clamp(1, SHOWN) as f64, first)
}

#[allow(clippy::cast_precision_loss)] // counts of cases
fn summary(measured: &[[f64; 4]]) -> RankingMetrics {
    let mean = |column: usize| measured.iter().map(|row| row[column]).sum::<f64>() / measured.len().max(1) as f64;
    RankingMetrics { cases: measured.len(), recall: mean(0), reciprocal_rank: mean(1), dictionary: (mean(2), mean(3)) }
}
