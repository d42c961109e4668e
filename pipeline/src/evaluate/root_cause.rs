//! Quality on labelled cases: accuracy, macro-F1, top-3, calibration, confusion.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::root_cause::classifier::{Candidate, Prediction};
use crate::root_cause::label::{LABELS, UNKNOWN, by_id};
use crate::verdict::Triage;

/// A labelled log snippet: one line of a JSONL file.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Case {
    /// Unique name.
    pub id: String,
    /// The lines.
    pub logs: Vec<String>,
    /// The root cause that a senior on-call engineer would name.
    pub label: String,
    /// Others that could be defended from the same text.
    #[serde(default)]
    pub also_ok: Vec<String>,
    /// What wrote the log.
    #[serde(default)]
    pub tech: String,
    /// `easy`, `medium` or `hard`.
    #[serde(default)]
    pub difficulty: String,
    /// Indexes, from 0, of the lines that carry the cause.
    #[serde(default)]
    pub cause: Vec<usize>,
}

impl Case {
    /// Whether `id` is right, counting `also_ok`.
    #[must_use]
    pub fn accepts(&self, id: &str) -> bool {
        self.label == id || self.also_ok.iter().any(|ok| ok == id)
    }
}

/// Reads a JSONL file of cases.
///
/// # Errors
/// When the file or one of its lines cannot be read, or a label is not one of ours; the message names file and line.
pub fn read_cases(path: &Path) -> Result<Vec<Case>, String> {
    let text = std::fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))?;
    let mut cases = Vec::new();
    for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let place = || format!("{}, line {}", path.display(), number + 1);
        let case: Case = serde_json::from_str(line).map_err(|e| format!("{}: {e}", place()))?;
        if let Some(unknown) = std::iter::once(&case.label).chain(&case.also_ok).find(|id| by_id(id).is_none()) {
            return Err(format!("{}: there is no root cause {unknown:?}; the ids are in docs/root-causes.md", place()));
        }
        cases.push(case);
    }
    Ok(cases)
}

/// What was said of one case.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// Id of the case.
    pub id: String,
    /// Its label.
    pub label: String,
    /// What was said.
    pub said: &'static str,
    /// How sure.
    pub confidence: f64,
    strict: bool,
    lenient: bool,
    in_top_3: bool,
    difficulty: String,
}

impl Outcome {
    /// Compares `prediction` with what `case` says.
    #[must_use]
    pub fn new(case: &Case, prediction: &Prediction) -> Self {
        Self::compare(case, LABELS[prediction.label].id, prediction.confidence, &prediction.candidates)
    }

    /// Compares a verdict with what `case` says.
    #[must_use]
    pub fn of_triage(case: &Case, triage: &Triage) -> Self {
        Self::compare(case, triage.root_cause_id, triage.confidence, &triage.candidates)
    }

    fn compare(case: &Case, said: &'static str, confidence: f64, candidates: &[Candidate]) -> Self {
        // The answer first, then the candidates: what a reader sees.
        let mut shown = std::iter::once(said).chain(candidates.iter().map(|c| c.id).filter(|id| *id != said)).take(3);
        Self {
            id: case.id.clone(),
            label: case.label.clone(),
            said,
            confidence,
            strict: case.label == said,
            lenient: case.accepts(said),
            in_top_3: shown.any(|id| case.accepts(id)),
            difficulty: case.difficulty.clone(),
        }
    }

    /// Whether the answer was right, counting `also_ok`.
    #[must_use]
    pub fn right(&self) -> bool {
        self.lenient
    }
}

/// Quality over many cases. Rates are from 0 to 1.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Metrics {
    /// Number of cases.
    pub cases: usize,
    /// Answer equals the label.
    pub strict: f64,
    /// Answer equals the label or one of `also_ok`.
    pub lenient: f64,
    /// Label or one of `also_ok` among the first three.
    pub top_3: f64,
    /// Mean F1 over the labels that occur; an answer in `also_ok` counts for the label.
    pub macro_f1: f64,
    /// Expected calibration error over ten bins of confidence.
    pub calibration_error: f64,
    /// Share of `unknown` cases that got another answer with a confidence of 0.6 or more.
    pub confident_on_unknown: f64,
    /// `unknown` cases answered `unknown`.
    pub unknown_recall: f64,
    /// Lenient accuracy and number of cases by difficulty.
    pub by_difficulty: BTreeMap<String, (f64, usize)>,
    /// Right (lenient) and number of cases by label.
    pub by_label: BTreeMap<String, (usize, usize)>,
    /// Risk and coverage: from this confidence on, the share of the cases that get an answer (other than `unknown`) and the
    /// share of these answers that is right, counting `also_ok` (El-Yaniv, Wiener, JMLR 2010).
    pub risk_coverage: Vec<(f64, f64, f64)>,
    /// Wrong answers: label, answer, how often.
    pub confusion: Vec<(String, String, usize)>,
}

#[allow(clippy::cast_precision_loss)] // counts of cases
impl Metrics {
    /// Sums up `outcomes`.
    #[must_use]
    pub fn of(outcomes: &[Outcome]) -> Self {
        let share = |wanted: &dyn Fn(&Outcome) -> bool, of: &dyn Fn(&Outcome) -> bool| {
            let all = outcomes.iter().filter(|o| of(o)).count();
            outcomes.iter().filter(|o| of(o) && wanted(o)).count() as f64 / all.max(1) as f64
        };
        let all = |_: &Outcome| true;
        let unknown = |o: &Outcome| o.label == LABELS[UNKNOWN].id;
        let mut by_difficulty = BTreeMap::new();
        let mut by_label: BTreeMap<String, (usize, usize)> = BTreeMap::new();
        let mut confusion: BTreeMap<(String, String), usize> = BTreeMap::new();
        for outcome in outcomes {
            let entry = by_label.entry(outcome.label.clone()).or_default();
            entry.0 += usize::from(outcome.lenient);
            entry.1 += 1;
            if !outcome.lenient {
                *confusion.entry((outcome.label.clone(), outcome.said.to_owned())).or_default() += 1;
            }
            let level = outcome.difficulty.clone();
            by_difficulty.entry(level.clone()).or_insert_with(|| {
                let same = |o: &Outcome| o.difficulty == level;
                (share(&|o| o.lenient, &same), outcomes.iter().filter(|o| same(o)).count())
            });
        }
        let mut confusion: Vec<_> = confusion.into_iter().map(|((label, said), n)| (label, said, n)).collect();
        confusion.sort_by(|a, b| b.2.cmp(&a.2).then_with(|| a.cmp(b)));
        Self {
            cases: outcomes.len(),
            strict: share(&|o| o.strict, &all),
            lenient: share(&|o| o.lenient, &all),
            top_3: share(&|o| o.in_top_3, &all),
            macro_f1: macro_f1(outcomes),
            calibration_error: calibration_error(outcomes),
            confident_on_unknown: share(&|o| !o.lenient && o.confidence >= 0.6, &unknown),
            unknown_recall: share(&|o| o.lenient, &unknown),
            by_difficulty,
            by_label,
            risk_coverage: risk_coverage(outcomes),
            confusion,
        }
    }

    /// The table that `clew eval` prints.
    #[must_use]
    pub fn table(&self) -> String {
        let mut out = String::new();
        let mut line = |text: String| {
            out.push_str(&text);
            out.push('\n');
        };
        line(format!("{} cases", self.cases));
        line(format!("  top-1 strict                    {:.3}", self.strict));
        line(format!("  top-1 counting also_ok          {:.3}", self.lenient));
        line(format!("  top-3                           {:.3}", self.top_3));
        line(format!("  macro-F1                        {:.3}", self.macro_f1));
        line(format!("  expected calibration error      {:.3}", self.calibration_error));
        line(format!("  unknown said as unknown         {:.3}", self.unknown_recall));
        line(format!("  unknown answered with >= 0.6    {:.3}", self.confident_on_unknown));
        for (level, (share, count)) in self.by_difficulty.iter().filter(|(level, _)| !level.is_empty()) {
            line(format!("  {level:<30}  {share:.3}  of {count}"));
        }
        line("right of all, by label".to_owned());
        for (label, (right, count)) in &self.by_label {
            line(format!("  {label:<30}  {right:>3} / {count}"));
        }
        line("answered from this confidence on, and how often rightly".to_owned());
        for (confidence, coverage, right) in &self.risk_coverage {
            line(format!("  {confidence:.1}                             {coverage:.3}  {right:.3}"));
        }
        if !self.confusion.is_empty() {
            line("wrong answers".to_owned());
        }
        for (label, said, count) in self.confusion.iter().take(40) {
            let mut text = String::new();
            let _ = write!(text, "  {label:<30}  said {said:<28} {count}"); // writing to a String cannot fail
            line(text);
        }
        out
    }
}

#[allow(clippy::cast_precision_loss)] // counts of cases
fn macro_f1(outcomes: &[Outcome]) -> f64 {
    let effective = |o: &Outcome| if o.lenient { o.label.clone() } else { o.said.to_owned() };
    let scores: Vec<f64> = LABELS
        .iter()
        .filter(|label| outcomes.iter().any(|o| o.label == label.id))
        .map(|label| {
            let hits = outcomes.iter().filter(|o| o.label == label.id && effective(o) == label.id).count() as f64;
            let said = outcomes.iter().filter(|o| effective(o) == label.id).count() as f64;
            let are = outcomes.iter().filter(|o| o.label == label.id).count() as f64;
            2.0 * hits / (said + are).max(1.0)
        })
        .collect();
    scores.iter().sum::<f64>() / scores.len().max(1) as f64
}

#[allow(clippy::cast_precision_loss)] // counts of cases
fn risk_coverage(outcomes: &[Outcome]) -> Vec<(f64, f64, f64)> {
    (2..10)
        .map(|step| {
            let confidence = f64::from(step) / 10.0;
            let answered = outcomes.iter().filter(|o| o.said != LABELS[UNKNOWN].id && o.confidence >= confidence);
            let (mut all, mut right) = (0_usize, 0_usize);
            answered.for_each(|o| {
                all += 1;
                right += usize::from(o.lenient);
            });
            (confidence, all as f64 / outcomes.len().max(1) as f64, right as f64 / all.max(1) as f64)
        })
        .collect()
}

#[allow(clippy::cast_precision_loss)] // counts of cases
fn calibration_error(outcomes: &[Outcome]) -> f64 {
    (0..10)
        .map(|bin| {
            let low = f64::from(bin) / 10.0;
            let inside: Vec<&Outcome> =
                outcomes.iter().filter(|o| o.confidence >= low && (o.confidence < low + 0.1 || bin == 9)).collect();
            let right = inside.iter().filter(|o| o.lenient).count() as f64;
            let sure: f64 = inside.iter().map(|o| o.confidence).sum();
            (right - sure).abs()
        })
        .sum::<f64>()
        / outcomes.len().max(1) as f64
}
