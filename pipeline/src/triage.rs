//! The one place where the order of the stages is written.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Instant;

use crate::actions::{Action, Ranker, Situation};
use crate::anomaly::baseline::Baseline;
use crate::anomaly::features::Signals;
use crate::anomaly::{self, Anomaly, MAX_SHOWN};
use crate::diff::{self, Diff};
use crate::embedding::Embedder;
use crate::knowledge::search::{Filter, Hit, Knowledge};
use crate::load::{Loaded, Sources};
use crate::logs::digest::{Collector, Digest};
use crate::recall;
use crate::redact::Redactor;
use crate::root_cause::calibration::nothing;
use crate::root_cause::classifier::{Classifier, Prediction, decide};
use crate::root_cause::evidence::{self, Evidence};
use crate::root_cause::features::{Document, document};
use crate::root_cause::label::{LABELS, LabelIndex, UNKNOWN, by_id, by_name};
use crate::signature;
use crate::technology::Technologies;
use crate::verdict::{Context, Counts, Skipped, Template, Triage};

/// The anomalies and templates of an input.
#[derive(Debug)]
pub struct Analysis {
    /// The anomalous templates, strongest first.
    pub anomalies: Vec<Anomaly>,
    /// All templates, in the order in which they first appeared.
    pub templates: Vec<Template>,
    /// Those that are not anomalous, with their counts: what the service's baseline learns.
    pub routine: Vec<(String, usize)>,
}

/// All stages, loaded once, used by many threads.
pub struct Pipeline {
    pub(crate) redactor: Redactor,
    pub(crate) signals: Signals,
    pub(crate) technologies: Technologies,
    pub(crate) embedder: Option<Embedder>,
    pub(crate) classifier: Option<Classifier>,
    pub(crate) ranker: Option<Ranker>,
    pub(crate) knowledge: RwLock<Arc<Knowledge>>,
    pub(crate) code_keywords: Vec<String>,
    pub(crate) loaded: Loaded,
    pub(crate) sources: Sources,
}

impl Pipeline {
    /// The knowledge entries as they are now.
    #[must_use]
    pub fn knowledge(&self) -> Arc<Knowledge> {
        // A panic while the lock was held leaves a whole `Arc` behind, so the value is good all the same.
        Arc::clone(&self.knowledge.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// What could not be loaded, entries that are broken now included.
    #[must_use]
    pub fn skipped(&self) -> Vec<Skipped> {
        let broken = self.knowledge();
        let broken = broken.errors().iter().map(|error| Skipped { stage: "knowledge", why: error.to_string() });
        self.loaded.skipped.iter().cloned().chain(broken).collect()
    }

    /// The embedding model, if it is loaded.
    #[must_use]
    pub fn embedder(&self) -> Option<&Embedder> {
        self.embedder.as_ref()
    }

    /// Whether a verdict on a root cause can be given at all.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.classifier.is_some()
    }

    /// `text` without secrets and control characters: for everything that did not come through [`Pipeline::begin`].
    #[must_use]
    pub fn redact(&self, text: &str) -> String {
        let mut redactor = self.redactor.fresh();
        text.split('\n')
            .map(|line| redactor.line(&crate::logs::clean::clean(line)).into_owned())
            .collect::<Vec<_>>()
            .join("\n")
    }

    /// Reads an input line by line, without any model: enough for templates.
    #[must_use]
    pub fn reader() -> Collector {
        Collector::new(Redactor::new())
    }

    /// Starts to read an input line by line, in bounded memory.
    #[must_use]
    pub fn begin(&self) -> Collector {
        Collector::new(self.redactor.fresh())
    }

    /// The verdict on `lines`.
    pub fn triage<'a>(&self, lines: impl IntoIterator<Item = &'a str>, context: &Context) -> Triage {
        let started = Instant::now();
        let mut collector = self.begin();
        lines.into_iter().for_each(|line| collector.push(line));
        let digest = collector.finish();
        self.conclude(digest, context, started)
    }

    /// The verdict on an input that was read since `started`. Never fails: a stage that cannot run is named in it.
    #[must_use]
    pub fn conclude(&self, mut digest: Digest, context: &Context, started: Instant) -> Triage {
        let mut timings = BTreeMap::new();
        let mut lap = Lap { last: started, timings: &mut timings };
        if digest.records == 0 {
            // An alert may come without a log line: then its own words are all there is.
            if let Some(title) = &context.title {
                let mut collector = self.begin();
                collector.push(title);
                context.labels.iter().for_each(|(key, value)| collector.push(&format!("{key}: {value}")));
                digest = collector.finish();
            }
        }
        lap.end("read");
        let (anomalies, scores) = anomaly::detect(&digest, &self.signals, context.baseline.as_ref());
        lap.end("anomalies");
        let seen = document(&digest, &scores, self.embedder.as_ref());
        lap.end("embedding");
        let prediction = self.predict(&seen);
        let evidence = match &self.classifier {
            Some(classifier) if prediction.leading != UNKNOWN => {
                evidence::of(classifier, &digest, &anomalies, &seen, prediction.leading)
            }
            _ => Vec::new(),
        };
        lap.end("root_cause");
        let technologies = self.technologies_of(&digest, &seen, context);
        let knowledge = self.knowledge();
        // A healthy log is like no failure; what its words happen to share with one would only mislead. What happened here
        // before is worth showing as soon as anything stands out.
        let similar = if prediction.leading == UNKNOWN && anomalies.is_empty() {
            Vec::new()
        } else {
            let mut similar = recall::similar(&knowledge, &digest, &seen, context, &technologies);
            similar.retain(|hit| prediction.leading != UNKNOWN || hit.source.is_some());
            similar
        };
        lap.end("search");
        let actions = self.recommend(&knowledge, &prediction, &technologies, &similar);
        lap.end("actions");
        timings.insert("total", millis(started));
        let routine = routine(&digest, &scores);
        let counts = Counts {
            lines: digest.lines,
            records: digest.records,
            templates: digest.groups.len(),
            anomalies: anomalies.len(),
        };
        Triage {
            root_cause: LABELS[prediction.label].title,
            root_cause_id: LABELS[prediction.label].id,
            confidence: prediction.confidence,
            code_related: self.is_code_related(prediction.label, &evidence),
            candidates: prediction.candidates,
            evidence,
            anomalies: anomalies.into_iter().take(MAX_SHOWN).collect(),
            similar_incidents: similar,
            recommended_actions: actions,
            redactions: digest.redactions.clone(),
            technologies: technologies.into_iter().collect(),
            counts,
            routine,
            signature: signature::signature(&digest, &scores),
            skipped: self.skipped(),
            timings_ms: timings,
        }
    }

    /// What tells the failure in `lines` from others: a small part of the work of [`Pipeline::triage`].
    pub fn signature<'a>(&self, lines: impl IntoIterator<Item = &'a str>) -> Vec<u64> {
        let mut collector = self.begin();
        lines.into_iter().for_each(|line| collector.push(line));
        let digest = collector.finish();
        let (_, scores) = anomaly::detect(&digest, &self.signals, None);
        signature::signature(&digest, &scores)
    }

    /// What changed from one log to another.
    pub fn diff<'a>(
        &self,
        before: impl IntoIterator<Item = &'a str>,
        after: impl IntoIterator<Item = &'a str>,
    ) -> Diff {
        let mut collector = self.begin().with_places();
        before.into_iter().for_each(|line| collector.push(line));
        let split = collector.end_log();
        after.into_iter().for_each(|line| collector.push(line));
        diff::diff(&collector.finish(), split)
    }

    /// The templates of an input and the anomalies in it.
    #[must_use]
    pub fn analyze(&self, digest: &Digest, baseline: Option<&Baseline>) -> Analysis {
        let (anomalies, scores) = anomaly::detect(digest, &self.signals, baseline);
        let templates = digest
            .groups
            .iter()
            .enumerate()
            .map(|(id, group)| Template { id, template: digest.templates[id].clone(), count: group.count })
            .collect();
        Analysis { anomalies, templates, routine: routine(digest, &scores) }
    }

    /// Entries that answer a question.
    #[must_use]
    pub fn search(&self, query: &str, filter: &Filter, top_k: usize) -> Vec<Hit> {
        self.knowledge().search(query, self.embedder.as_ref(), filter, top_k)
    }

    /// Next steps for a named root cause (id or title), a question, or both.
    #[must_use]
    pub fn recommend_for(&self, root_cause: Option<&str>, query: Option<&str>) -> Vec<Action> {
        let titled = root_cause.map(|name| by_name(name).map_or(name, |label| LABELS[label].title));
        let text = query.or(titled).unwrap_or_default();
        let knowledge = self.knowledge();
        let similar = knowledge.search(text, self.embedder.as_ref(), &Filter::default(), 8);
        let label = root_cause
            .and_then(by_name)
            .or_else(|| {
                similar.first().and_then(|hit| by_id(knowledge.documents()[hit.document].root_cause.as_deref()?))
            })
            .unwrap_or(UNKNOWN);
        let probabilities: Vec<f64> = (0..LABELS.len()).map(|index| f64::from(u8::from(index == label))).collect();
        let technologies = self.technologies.find(text);
        let situation = Situation {
            probabilities: &probabilities,
            label,
            technologies: &technologies,
            similar: &similar,
            documents: knowledge.documents(),
        };
        self.ranker.as_ref().map(|ranker| ranker.recommend(&situation)).unwrap_or_default()
    }

    fn predict(&self, document: &Document) -> Prediction {
        if let Some(classifier) = &self.classifier {
            classifier.predict(document)
        } else {
            let mut prediction = decide(&nothing(), 0.0);
            prediction.confidence = 0.0;
            prediction
        }
    }

    fn technologies_of(&self, digest: &Digest, document: &Document, context: &Context) -> BTreeSet<&'static str> {
        let mut text = String::new();
        for record in &document.records {
            let first = &digest.groups[record.group].first;
            text.push_str(&first.raw);
            text.push('\n');
            first.continued.iter().take(10).for_each(|line| text.push_str(line));
        }
        for part in [&context.title, &context.service].into_iter().flatten() {
            text.push_str(part);
            text.push('\n');
        }
        self.technologies.find(&text)
    }

    fn recommend(
        &self,
        knowledge: &Knowledge,
        prediction: &Prediction,
        technologies: &BTreeSet<&'static str>,
        similar: &[Hit],
    ) -> Vec<Action> {
        let Some(ranker) = &self.ranker else { return Vec::new() };
        if prediction.leading == UNKNOWN {
            return Vec::new();
        }
        let probabilities = by_label(prediction);
        let situation = Situation {
            probabilities: &probabilities,
            label: prediction.leading,
            technologies,
            similar,
            documents: knowledge.documents(),
        };
        ranker.recommend(&situation)
    }

    fn is_code_related(&self, label: LabelIndex, evidence: &[Evidence]) -> bool {
        if label == UNKNOWN {
            return false;
        }
        let text = evidence.iter().map(|e| e.text.to_lowercase()).collect::<Vec<_>>().join("\n");
        LABELS[label].code_related || self.code_keywords.iter().any(|keyword| text.contains(keyword.as_str()))
    }

    /// What training needs of the loaded parts: the situation that `lines` make for the ranker.
    pub(crate) fn with_situation<T>(
        &self,
        lines: &[&str],
        label: LabelIndex,
        use_it: impl FnOnce(&Situation) -> T,
    ) -> T {
        let mut collector = self.begin();
        lines.iter().for_each(|line| collector.push(line));
        let digest = collector.finish();
        let (_, scores) = anomaly::detect(&digest, &self.signals, None);
        let seen = document(&digest, &scores, self.embedder.as_ref());
        let probabilities = by_label(&self.predict(&seen));
        let technologies = self.technologies_of(&digest, &seen, &Context::default());
        let knowledge = self.knowledge();
        let similar = recall::similar(&knowledge, &digest, &seen, &Context::default(), &technologies);
        use_it(&Situation {
            probabilities: &probabilities,
            label,
            technologies: &technologies,
            similar: &similar,
            documents: knowledge.documents(),
        })
    }
}

/// The templates that are not anomalous, with their counts.
fn routine(digest: &Digest, scores: &[f64]) -> Vec<(String, usize)> {
    let quiet = (0..scores.len()).filter(|index| scores[*index] < anomaly::THRESHOLD);
    quiet.map(|index| (digest.templates[index].clone(), digest.groups[index].count)).collect()
}

fn by_label(prediction: &Prediction) -> Vec<f64> {
    let mut probabilities = vec![0.0; LABELS.len()];
    for candidate in &prediction.candidates {
        if let Some(index) = by_id(candidate.id) {
            probabilities[index] = candidate.probability;
        }
    }
    probabilities
}

struct Lap<'a> {
    last: Instant,
    timings: &'a mut BTreeMap<&'static str, f64>,
}

impl Lap<'_> {
    fn end(&mut self, stage: &'static str) {
        self.timings.insert(stage, millis(self.last));
        self.last = Instant::now();
    }
}

fn millis(since: Instant) -> f64 {
    (since.elapsed().as_secs_f64() * 100_000.0).round() / 100.0
}
