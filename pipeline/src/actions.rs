//! Next steps: a trained ranker orders the Confirm and Fix steps of the knowledge entries.
//!
//! A logistic regression over the features of a (situation, step) pair, fitted by linfa-logistic on judgements of which
//! steps an on-call engineer would want to see (`models/actions/`). Its score is the probability that the step is one.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::knowledge::document::{Document, Kind, Purpose, Risk, Step};
use crate::knowledge::search::Hit;
use crate::root_cause::label::{LabelIndex, UNKNOWN, by_id};

/// Features of a pair.
pub const FEATURES: usize = 12;
/// Steps shown.
pub const MAX_SHOWN: usize = 6;
/// Places kept for steps that mend.
const FIXES: usize = 2;
/// Steps of one section of one entry that are shown: there shall be room for mending after finding out.
const MAX_OF_ONE: usize = 3;
/// A step that is less likely than this to be wanted is not shown.
const FLOOR: f64 = 0.12;

/// What is known when steps are ranked.
pub struct Situation<'a> {
    /// Probability of each label, by index.
    pub probabilities: &'a [f64],
    /// The answer.
    pub label: LabelIndex,
    /// Technologies that the log names.
    pub technologies: &'a BTreeSet<&'static str>,
    /// Similar entries.
    pub similar: &'a [Hit],
    /// All entries.
    pub documents: &'a [Document],
}

/// A recommended step.
#[derive(Debug, Clone, Serialize)]
pub struct Action {
    /// The step as a sentence, with its command in backticks.
    pub action: String,
    /// Why it is recommended.
    pub why: String,
    /// Reference of the knowledge entry and its step.
    pub source: String,
    /// Finds out or mends.
    pub purpose: Purpose,
    /// How careful one must be.
    pub risk: Risk,
    /// Probability that an on-call engineer would want to see it.
    pub score: f64,
}

/// The fitted ranker.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Ranker {
    /// One weight a feature.
    pub weights: Vec<f64>,
    /// Intercept.
    pub intercept: f64,
}

/// The features of recommending `step` of `document` in `situation`.
#[must_use]
#[allow(clippy::cast_precision_loss)] // places and counts below 100
pub fn features(situation: &Situation, document: &Document, index: usize, step: &Step) -> [f64; FEATURES] {
    let flag = |condition: bool| f64::from(u8::from(condition));
    let label = document.root_cause.as_deref().and_then(by_id);
    let probability = label.map_or(0.0, |label| situation.probabilities.get(label).copied().unwrap_or(0.0));
    let rank = situation.similar.iter().position(|hit| hit.document == index);
    let similarity = rank.map_or(0.0, |rank| situation.similar[rank].score);
    let generic = document.technology.is_empty() || document.technology.iter().all(|t| t == "linux");
    let named = document.technology.iter().filter(|t| situation.technologies.contains(t.as_str())).count();
    let fit = named as f64 / document.technology.len().max(1) as f64;
    [
        probability,
        flag(label == Some(situation.label)),
        similarity,
        flag(rank == Some(0)),
        fit,
        flag(named == 0 && !generic),
        probability * similarity,
        probability * fit,
        flag(step.purpose == Purpose::Confirm),
        1.0 / step.place as f64,
        flag(step.risk == Risk::Disruptive),
        flag(step.risk == Risk::Destructive),
    ]
}

impl Ranker {
    /// Reads a ranker.
    ///
    /// # Errors
    /// When it was fitted for other features.
    pub fn from_json(bytes: &[u8]) -> Result<Self, String> {
        let ranker: Self = serde_json::from_slice(bytes).map_err(|e| e.to_string())?;
        if ranker.weights.len() != FEATURES {
            return Err("it was fitted for other features; run `clew train`".to_owned());
        }
        Ok(ranker)
    }

    /// Probability that the pair with these features is wanted.
    #[must_use]
    pub fn score(&self, features: &[f64; FEATURES]) -> f64 {
        let sum: f64 = self.weights.iter().zip(features).map(|(w, x)| w * x).sum();
        1.0 / (1.0 + (-(sum + self.intercept)).exp())
    }

    /// Every step of every entry with its score, best first.
    #[must_use]
    pub fn rank<'a>(&self, situation: &Situation<'a>) -> Vec<(f64, usize, &'a Step)> {
        let mut ranked: Vec<(f64, usize, &Step)> = situation
            .documents
            .iter()
            .enumerate()
            .flat_map(|(index, document)| {
                document
                    .steps
                    .iter()
                    .map(move |step| (self.score(&features(situation, document, index, step)), index, step))
            })
            .collect();
        ranked.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.2.reference.cmp(&b.2.reference)));
        ranked
    }

    /// The steps to show: likely ones, at most [`MAX_OF_ONE`] of one section, finding out before mending and safe before not.
    /// Nothing for a log that shows no failure.
    #[must_use]
    pub fn recommend(&self, situation: &Situation) -> Vec<Action> {
        if situation.label == UNKNOWN && situation.similar.is_empty() {
            return Vec::new();
        }
        let ranked = self.rank(situation);
        let Some(first) = ranked.first().filter(|best| best.0 >= FLOOR).map(|best| best.1) else { return Vec::new() };
        let mut chosen: Vec<(f64, usize, &Step)> = Vec::new();
        for candidate in ranked.iter().take_while(|candidate| candidate.0 >= FLOOR) {
            let same =
                |(_, index, step): &&(f64, usize, &Step)| *index == candidate.1 && step.purpose == candidate.2.purpose;
            let finding_out = chosen.iter().filter(|(_, _, step)| step.purpose == Purpose::Confirm).count();
            let room = candidate.2.purpose == Purpose::Fix || finding_out < MAX_SHOWN - FIXES;
            if room && chosen.len() < MAX_SHOWN && chosen.iter().filter(same).count() < MAX_OF_ONE {
                chosen.push(*candidate);
            }
        }
        // Finding out is what ranks first; whoever has done so must not be left without a way to mend.
        let mending = chosen.iter().filter(|(_, _, step)| step.purpose == Purpose::Fix).count();
        let fixes = ranked.iter().filter(|(_, index, step)| *index == first && step.purpose == Purpose::Fix);
        let missing: Vec<_> =
            fixes.filter(|fix| chosen.iter().all(|known| known.2.reference != fix.2.reference)).collect();
        chosen.extend(missing.into_iter().take(FIXES.saturating_sub(mending)));
        chosen.sort_by_key(|(_, _, step)| (step.purpose == Purpose::Fix, step.risk as u8));
        chosen.into_iter().map(|(score, index, step)| action(situation, score, index, step)).collect()
    }
}

fn action(situation: &Situation, score: f64, index: usize, step: &Step) -> Action {
    let document = &situation.documents[index];
    let similar = situation.similar.iter().any(|hit| hit.document == index);
    let same_cause = document.root_cause.as_deref().and_then(by_id) == Some(situation.label);
    let origin = match document.kind {
        Kind::Runbook => "runbook",
        Kind::Incident => "past incident",
    };
    let why = match (similar, same_cause) {
        (true, true) => format!("{origin} \u{201c}{}\u{201d}: same root cause and similar lines", document.title),
        (true, false) => format!("{origin} \u{201c}{}\u{201d}: similar lines", document.title),
        (false, true) => format!("{origin} \u{201c}{}\u{201d}: same root cause", document.title),
        (false, false) => format!("{origin} \u{201c}{}\u{201d}", document.title),
    };
    Action {
        action: step.text.clone(),
        why,
        source: step.reference.clone(),
        purpose: step.purpose,
        risk: step.risk,
        score: crate::round(score),
    }
}
