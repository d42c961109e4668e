//! From corpus cases to training samples: contexts are multiplied, failures are not.

use crate::anomaly;
use crate::anomaly::features::Signals;
use crate::embedding::Embedder;
use crate::evaluate::Case;
use crate::logs::digest::Collector;
use crate::logs::mask::mask;
use crate::logs::parse::parse_line;
use crate::redact::Redactor;
use crate::root_cause::features::{Document, document};
use crate::root_cause::label::{LABELS, LabelIndex, UNKNOWN, by_id};

/// Lines of chatter after a failure: people paste up to where it broke, and a little further.
const CHATTER_AFTER: usize = 2;
/// One in so many failures is also told with consequences behind it.
const CASCADE_EVERY: usize = 2;
/// What other failures bring about.
const SYMPTOMS: [&str; 4] = ["service_unavailable", "network_timeout", "database_outage", "connection_pool_exhaustion"];
/// What brings about others.
const CAUSES: [&str; 14] = [
    "disk_full",
    "memory_exhaustion",
    "cpu_saturation",
    "dns_failure",
    "tls_certificate",
    "configuration_error",
    "authentication_failure",
    "permission_denied",
    "hardware_failure",
    "resource_limit",
    "data_corruption",
    "dependency_mismatch",
    "schema_migration",
    "code_defect",
];

/// The context in which a case is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Variant {
    /// As it stands in the corpus: what is measured.
    Plain,
    /// The lines that carry the cause alone.
    Cause,
    /// Among chatter of another system's healthy log.
    Mixed,
    /// Followed by a failure of another system that may come from it.
    Cascade,
    /// Among chatter of a third system: for calibration only, never fitted on.
    Probe,
}

/// One variant of a corpus case, ready for the classifier.
pub struct Sample {
    /// What the classifier sees.
    pub document: Document,
    /// The right answer.
    pub label: LabelIndex,
    /// Index of the case in the corpus.
    pub case: usize,
    /// The context.
    pub variant: Variant,
}

/// All samples of a corpus.
#[must_use]
pub fn samples(cases: &[Case], embedder: &Embedder) -> Vec<Sample> {
    let redactor = Redactor::new();
    let signals = Signals::default();
    let pick = |wanted: &dyn Fn(&Case) -> bool| cases.iter().filter(|case| wanted(case)).collect::<Vec<&Case>>();
    let chatter = pick(&|case| case.label == LABELS[UNKNOWN].id && case.logs.len() >= 3);
    let symptoms = pick(&|case| SYMPTOMS.contains(&case.label.as_str()) && case.logs.len() <= 6);
    let of_case = |index: usize| -> Vec<Sample> {
        let case = &cases[index];
        let Some(label) = by_id(&case.label) else { return Vec::new() };
        let told = variants(case, index, &chatter, &symptoms).into_iter();
        told.map(|(variant, lines)| {
            let mut collector = Collector::new(redactor.fresh());
            lines.iter().for_each(|line| collector.push(line));
            let digest = collector.finish();
            let (_, scores) = anomaly::detect(&digest, &signals, None);
            Sample { document: document(&digest, &scores, Some(embedder)), label, case: index, variant }
        })
        .collect()
    };
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let indexes: Vec<usize> = (0..cases.len()).collect();
    let of_case = &of_case;
    std::thread::scope(|scope| {
        let shares = indexes.chunks(cases.len().div_ceil(threads).max(1));
        let workers: Vec<_> = shares
            .map(|share| scope.spawn(move || share.iter().flat_map(|i| of_case(*i)).collect::<Vec<_>>()))
            .collect();
        // A worker that panicked would leave the corpus half read: then this panics, too.
        workers.into_iter().flat_map(|worker| worker.join().unwrap_or_else(|e| std::panic::resume_unwind(e))).collect()
    })
}

fn variants<'a>(
    case: &'a Case,
    index: usize,
    chatter: &[&'a Case],
    symptoms: &[&'a Case],
) -> Vec<(Variant, Vec<&'a str>)> {
    let plain: Vec<&str> = case.logs.iter().map(String::as_str).collect();
    let mut variants = vec![(Variant::Plain, plain.clone())];
    if !case.cause.is_empty() && case.cause.len() < case.logs.len() {
        let cause = case.cause.iter().filter_map(|i| case.logs.get(*i)).map(String::as_str).collect();
        variants.push((Variant::Cause, cause));
    }
    // Prime steps spread the pairs; the fold of the chatter's own case does not matter, for its label is `unknown`.
    for (variant, step) in [(Variant::Mixed, 7_919), (Variant::Probe, 104_729)] {
        let other = chatter.get((index * step + 13) % chatter.len().max(1)).filter(|other| other.id != case.id);
        if let Some(other) = other {
            let around: Vec<&str> = other.logs.iter().map(String::as_str).collect();
            let before = around.len() - CHATTER_AFTER.min(around.len() / 2);
            let mixed = around[..before].iter().chain(&plain).chain(&around[before..]).copied().collect();
            variants.push((variant, mixed));
        }
    }
    let symptom = symptoms.get((index * 6_151 + 5) % symptoms.len().max(1));
    if let Some(symptom) = symptom
        && CAUSES.contains(&case.label.as_str())
        && index.is_multiple_of(CASCADE_EVERY)
    {
        let cascade = plain.iter().copied().chain(symptom.logs.iter().map(String::as_str)).collect();
        variants.push((Variant::Cascade, cascade));
    }
    variants
}

/// How cases are put into folds: what is in one fold shares nothing with the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Split {
    /// Cases whose causes are the same but for their variables share a fold.
    Template,
    /// Cases of one technology share a fold.
    Technology,
}

impl Split {
    /// The fold of `case`, below `folds`.
    #[must_use]
    pub fn fold(self, case: &Case, folds: usize) -> usize {
        let key = match self {
            Self::Technology => case.tech.split('/').next().unwrap_or_default().to_owned(),
            Self::Template => {
                let first = case.cause.first().and_then(|i| case.logs.get(*i)).or(case.logs.first());
                first.map(|line| mask(&parse_line(line).message)).unwrap_or_default()
            }
        };
        // FNV-1a: stable across releases of the standard library, which its hasher is not.
        let hash =
            key.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |h, b| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3));
        usize::try_from((hash >> 32) % folds as u64).unwrap_or(0)
    }
}
