//! What is asked of the pipeline and what it answers.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::actions::Action;
use crate::anomaly::Anomaly;
use crate::anomaly::baseline::Baseline;
use crate::knowledge::search::Hit;
use crate::redact::Redactions;
use crate::root_cause::classifier::Candidate;
use crate::root_cause::evidence::Evidence;

/// What is analysed besides the lines.
#[derive(Debug, Clone, Default)]
pub struct Context {
    /// Title of the alert or the question.
    pub title: Option<String>,
    /// Service that the lines come from.
    pub service: Option<String>,
    /// Labels of the alert.
    pub labels: BTreeMap<String, String>,
    /// What is normal for the service, if that is known.
    pub baseline: Option<Baseline>,
}

/// A template with the number of its records.
#[derive(Debug, Clone, Serialize)]
pub struct Template {
    /// Number of the template in this input.
    pub id: usize,
    /// Its text.
    pub template: String,
    /// Records that have it.
    pub count: usize,
}

/// A stage that could not run.
#[derive(Debug, Clone, Serialize)]
pub struct Skipped {
    /// Which stage.
    pub stage: &'static str,
    /// Why, and what to do.
    pub why: String,
}

/// How much there was to read.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub struct Counts {
    /// Lines read.
    pub lines: usize,
    /// Records they made.
    pub records: usize,
    /// Templates the records have.
    pub templates: usize,
    /// Anomalous templates, shown or not.
    pub anomalies: usize,
}

/// The verdict. All of its text is redacted.
#[derive(Debug, Clone, Serialize)]
pub struct Triage {
    /// Title of the root cause.
    pub root_cause: &'static str,
    /// Its id.
    pub root_cause_id: &'static str,
    /// Calibrated probability that it is right.
    pub confidence: f64,
    /// All root causes by falling probability; they sum to 1.
    pub candidates: Vec<Candidate>,
    /// The lines that carried the verdict, strongest first.
    pub evidence: Vec<Evidence>,
    /// What stands out, strongest first, at most [`crate::anomaly::MAX_SHOWN`].
    pub anomalies: Vec<Anomaly>,
    /// Entries about failures like this one.
    pub similar_incidents: Vec<Hit>,
    /// What to do next.
    pub recommended_actions: Vec<Action>,
    /// Whether a change of code is what usually fixes it.
    pub code_related: bool,
    /// Secrets taken out, by kind.
    pub redactions: Redactions,
    /// Technologies the lines name.
    pub technologies: Vec<&'static str>,
    /// How much there was to read.
    pub counts: Counts,
    /// The templates that are not anomalous with their counts: what the service's baseline learns.
    #[serde(skip)]
    pub routine: Vec<(String, usize)>,
    /// What tells this failure from others, see [`crate::signature`].
    #[serde(skip)]
    pub signature: Vec<u64>,
    /// Stages that could not run.
    pub skipped: Vec<Skipped>,
    /// Milliseconds each stage took.
    pub timings_ms: BTreeMap<&'static str, f64>,
}
