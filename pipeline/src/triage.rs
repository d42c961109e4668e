//! The one place where the order of the stages is written.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Instant;

use serde::Serialize;

use crate::actions::{Action, Ranker, Situation};
use crate::anomaly::features::Signals;
use crate::anomaly::{self, Anomaly, MAX_SHOWN};
use crate::embedding::Embedder;
use crate::knowledge::index::VectorCache;
use crate::knowledge::lexical;
use crate::knowledge::search::{FLOOR, Hit, Knowledge};
use crate::logs::cut;
use crate::logs::digest::{Collector, Digest, Group};
use crate::models::{KNOWLEDGE_VECTORS, ModelError, Models, RANKER};
use crate::redact::{Redactions, Redactor};
use crate::root_cause::classifier::{Candidate, Classifier, Contribution, Prediction};
use crate::root_cause::features::{Document, document};
use crate::root_cause::label::{LABELS, LabelIndex, UNKNOWN, by_id, by_name};
use crate::technology::{Technologies, is_product};

/// Similar entries shown.
const MAX_SIMILAR: usize = 3;
/// Evidence lines shown.
const MAX_EVIDENCE: usize = 5;
/// Bytes of an evidence line or an anomalous line that are shown.
const MAX_SHOWN_TEXT: usize = 1_000;
/// An evidence line must carry at least this share of what the strongest carries.
const EVIDENCE_SHARE: f64 = 0.15;
/// Share of its score that an entry about a product keeps when the log names another one.
const FOREIGN: f64 = 0.55;
/// The same when the log names no product at all.
const UNNAMED: f64 = 0.85;
/// A similar entry must reach this share of the best one's score.
const SIMILAR_SHARE: f64 = 0.7;
/// Records whose embeddings look for similar entries.
const QUERY_RECORDS: usize = 3;

/// Where the pipeline's data is.
#[derive(Debug, Clone)]
pub struct Sources {
    /// `models/`.
    pub models: PathBuf,
    /// `knowledge/`.
    pub knowledge: PathBuf,
    /// `code_keywords.txt`.
    pub code_keywords: PathBuf,
    /// File that keeps the vectors of the knowledge entries between starts.
    pub vector_cache: Option<PathBuf>,
}

/// What is analysed besides the lines.
#[derive(Debug, Clone, Default)]
pub struct Context {
    /// Title of the alert or the question.
    pub title: Option<String>,
    /// Service that the lines come from.
    pub service: Option<String>,
    /// Labels of the alert.
    pub labels: BTreeMap<String, String>,
}

/// A line that carried the verdict.
#[derive(Debug, Clone, Serialize)]
pub struct Evidence {
    /// Its number, counted from 1.
    pub line: usize,
    /// The line, redacted.
    pub text: String,
    /// The words that the classifier weighed most.
    pub words: Vec<String>,
    /// Why it counts.
    pub why: String,
    /// How often lines like it occur.
    pub count: usize,
    /// Its share of what all evidence lines carried, from 0 to 1.
    pub weight: f64,
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
    /// What stands out, strongest first, at most [`MAX_SHOWN`].
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
    /// Stages that could not run.
    pub skipped: Vec<Skipped>,
    /// Milliseconds each stage took.
    pub timings_ms: BTreeMap<&'static str, f64>,
}

/// What was loaded, for a start-up message.
#[derive(Debug, Clone, Serialize)]
pub struct Loaded {
    /// One line a part: what it is and what is in it.
    pub parts: Vec<String>,
    /// Parts that could not be loaded.
    pub skipped: Vec<Skipped>,
}

/// All stages, loaded once, used by many threads.
pub struct Pipeline {
    redactor: Redactor,
    signals: Signals,
    technologies: Technologies,
    embedder: Option<Embedder>,
    classifier: Option<Classifier>,
    ranker: Option<Ranker>,
    knowledge: Knowledge,
    code_keywords: Vec<String>,
    loaded: Loaded,
}

impl Pipeline {
    /// Loads models and knowledge. What is missing or damaged is left out, named by [`Pipeline::loaded`] and in every
    /// verdict that it would have been part of.
    #[must_use]
    pub fn load(sources: &Sources) -> Self {
        let mut parts = Vec::new();
        let mut skipped = Vec::new();
        let models = keep(Models::open(&sources.models), "models", &mut skipped);
        let embedder = models.as_ref().and_then(|m| keep(m.embedder(), "embedding", &mut skipped));
        let classifier = models.as_ref().and_then(|m| keep(m.classifier(), "root_cause", &mut skipped));
        let ranker = models.as_ref().and_then(|m| keep(ranker(m), "actions", &mut skipped));
        if embedder.is_some() {
            parts.push("embedding model all-MiniLM-L6-v2 (384 dimensions, 8-bit weights)".to_owned());
        }
        if let Some(classifier) = &classifier {
            parts.push(format!(
                "root-cause classifier ({} root causes, {} features)",
                LABELS.len(),
                classifier.vocabulary.features()
            ));
        }
        let shipped = models.as_ref().and_then(|m| m.checked(KNOWLEDGE_VECTORS).ok());
        let cache_file = sources.vector_cache.as_deref();
        let cache = VectorCache::read(cache_file, shipped.as_deref());
        let knowledge =
            Knowledge::load(&sources.knowledge, embedder.as_ref(), cache, cache_file).unwrap_or_else(|error| {
                let folder = sources.knowledge.display();
                let why = format!("{folder}: {error}. Set CLEW_KNOWLEDGE_DIR to the folder with the entries");
                skipped.push(Skipped { stage: "knowledge", why });
                Knowledge::empty()
            });
        let steps: usize = knowledge.documents().iter().map(|document| document.steps.len()).sum();
        parts.push(format!("{} knowledge entries with {steps} steps", knowledge.documents().len()));
        skipped.extend(knowledge.errors().iter().map(|error| Skipped { stage: "knowledge", why: error.to_string() }));
        Self {
            redactor: Redactor::new(),
            signals: Signals::default(),
            technologies: Technologies::new(),
            embedder,
            classifier,
            ranker,
            knowledge,
            code_keywords: code_keywords(&sources.code_keywords, &mut skipped),
            loaded: Loaded { parts, skipped },
        }
    }

    /// What was loaded and what was not.
    #[must_use]
    pub fn loaded(&self) -> &Loaded {
        &self.loaded
    }

    /// The knowledge entries.
    #[must_use]
    pub fn knowledge(&self) -> &Knowledge {
        &self.knowledge
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
        let (anomalies, scores) = anomaly::detect(&digest, &self.signals);
        lap.end("anomalies");
        let seen = document(&digest, &scores, self.embedder.as_ref());
        lap.end("embedding");
        let prediction = self.predict(&seen);
        let evidence = self.evidence(&digest, &anomalies, &seen, &prediction);
        lap.end("root_cause");
        let technologies = self.technologies_of(&digest, &seen, context);
        // A healthy log is like no failure; what its words happen to share with one would only mislead.
        let similar = if prediction.leading == UNKNOWN {
            Vec::new()
        } else {
            self.similar(&digest, &seen, context, &technologies)
        };
        lap.end("search");
        let actions = self.recommend(&prediction, &technologies, &similar);
        lap.end("actions");
        timings.insert("total", millis(started));
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
            anomalies: anomalies.into_iter().take(MAX_SHOWN).map(shorten).collect(),
            similar_incidents: similar,
            recommended_actions: actions,
            redactions: digest.redactions,
            technologies: technologies.into_iter().collect(),
            counts,
            skipped: self.loaded.skipped.clone(),
            timings_ms: timings,
        }
    }

    /// The templates of an input and the anomalies in it.
    #[must_use]
    pub fn analyze(&self, digest: &Digest) -> (Vec<Anomaly>, Vec<Template>) {
        let (anomalies, _) = anomaly::detect(digest, &self.signals);
        let templates = digest
            .groups
            .iter()
            .enumerate()
            .map(|(id, group)| Template { id, template: digest.templates[id].clone(), count: group.count })
            .collect();
        (anomalies.into_iter().map(shorten).collect(), templates)
    }

    /// Entries that answer a question.
    #[must_use]
    pub fn search(&self, query: &str, top_k: usize) -> Vec<Hit> {
        self.knowledge.search(query, self.embedder.as_ref(), top_k)
    }

    /// Next steps for a named root cause (id or title), a question, or both.
    #[must_use]
    pub fn recommend_for(&self, root_cause: Option<&str>, query: Option<&str>) -> Vec<Action> {
        let titled = root_cause.map(|name| by_name(name).map_or(name, |label| LABELS[label].title));
        let text = query.or(titled).unwrap_or_default();
        let similar = self.search(text, 8);
        let label = root_cause
            .and_then(by_name)
            .or_else(|| {
                similar.first().and_then(|hit| by_id(self.knowledge.documents()[hit.document].root_cause.as_deref()?))
            })
            .unwrap_or(UNKNOWN);
        let probabilities: Vec<f64> = (0..LABELS.len()).map(|index| f64::from(u8::from(index == label))).collect();
        let technologies = self.technologies.find(text);
        let situation = Situation {
            probabilities: &probabilities,
            label,
            technologies: &technologies,
            similar: &similar,
            documents: self.knowledge.documents(),
        };
        self.ranker.as_ref().map(|ranker| ranker.recommend(&situation)).unwrap_or_default()
    }

    fn predict(&self, document: &Document) -> Prediction {
        if let Some(classifier) = &self.classifier {
            classifier.predict(document)
        } else {
            let even: Vec<f64> = (0..LABELS.len()).map(|label| f64::from(u8::from(label == UNKNOWN))).collect();
            let mut prediction = crate::root_cause::classifier::decide(&even, 0.0);
            prediction.confidence = 0.0;
            prediction
        }
    }

    fn evidence(
        &self,
        digest: &Digest,
        anomalies: &[Anomaly],
        document: &Document,
        prediction: &Prediction,
    ) -> Vec<Evidence> {
        let Some(classifier) = self.classifier.as_ref().filter(|_| prediction.leading != UNKNOWN) else {
            return Vec::new();
        };
        let contributions = classifier.contributions(document, prediction.leading);
        let strongest = contributions.first().map_or(0.0, |c| c.weight);
        let carried: Vec<&Contribution> = contributions
            .iter()
            .filter(|c| c.weight > 0.0 && c.weight >= EVIDENCE_SHARE * strongest)
            .take(MAX_EVIDENCE)
            .collect();
        let total: f64 = carried.iter().map(|c| c.weight).sum();
        let first = carried.iter().map(|c| digest.groups[c.group].first.line).min();
        carried
            .iter()
            .map(|contribution| {
                let group = &digest.groups[contribution.group];
                let earliest = carried.len() > 1 && Some(group.first.line) == first;
                let anomaly = anomalies.iter().find(|a| a.group == contribution.group);
                Evidence {
                    line: group.first.line,
                    text: evidence_text(group),
                    why: why(contribution, group, anomaly, earliest),
                    words: contribution.words.clone(),
                    count: group.count,
                    weight: crate::round(contribution.weight / total),
                }
            })
            .collect()
    }

    fn similar(
        &self,
        digest: &Digest,
        document: &Document,
        context: &Context,
        technologies: &std::collections::BTreeSet<&'static str>,
    ) -> Vec<Hit> {
        let mut words: BTreeMap<String, f64> = BTreeMap::new();
        for record in &document.records {
            for word in lexical::words(&digest.groups[record.group].first.text()) {
                let weight = words.entry(word).or_insert(0.0);
                *weight = (*weight + record.weight).min(1.0);
            }
        }
        for text in [&context.title, &context.service].into_iter().flatten() {
            lexical::words(text).into_iter().for_each(|word| *words.entry(word).or_insert(0.0) += 1.0);
        }
        if digest.records == 0 {
            return Vec::new();
        }
        let embeddings: Vec<&[f32]> =
            document.records.iter().filter_map(|record| record.embedding.as_deref()).take(QUERY_RECORDS).collect();
        let mut hits = self.knowledge.similar(&words, &embeddings, 4 * MAX_SIMILAR);
        for hit in &mut hits {
            hit.score = crate::round(hit.score * self.fitness(hit, technologies));
        }
        hits.retain(|hit| hit.score >= FLOOR);
        hits.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.document.cmp(&b.document)));
        hits.truncate(MAX_SIMILAR);
        let best = hits.first().map_or(0.0, |hit| hit.score);
        hits.retain(|hit| hit.score >= SIMILAR_SHARE * best);
        hits
    }

    /// What an entry keeps of its score: all of it when it is about no product or about one that the log names, less
    /// when the log names no product, and least when it names another one.
    fn fitness(&self, hit: &Hit, technologies: &std::collections::BTreeSet<&'static str>) -> f64 {
        let about = &self.knowledge.documents()[hit.document].technology;
        let product = about.iter().any(|name| is_product(name));
        if !product || about.iter().any(|name| technologies.contains(name.as_str())) {
            return 1.0;
        }
        if technologies.iter().any(|name| is_product(name)) { FOREIGN } else { UNNAMED }
    }

    fn technologies_of(
        &self,
        digest: &Digest,
        document: &Document,
        context: &Context,
    ) -> std::collections::BTreeSet<&'static str> {
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
        prediction: &Prediction,
        technologies: &std::collections::BTreeSet<&'static str>,
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
            documents: self.knowledge.documents(),
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
        let (_, scores) = anomaly::detect(&digest, &self.signals);
        let seen = document(&digest, &scores, self.embedder.as_ref());
        let probabilities = by_label(&self.predict(&seen));
        let technologies = self.technologies_of(&digest, &seen, &Context::default());
        let similar = self.similar(&digest, &seen, &Context::default(), &technologies);
        use_it(&Situation {
            probabilities: &probabilities,
            label,
            technologies: &technologies,
            similar: &similar,
            documents: self.knowledge.documents(),
        })
    }
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

fn keep<T>(result: Result<T, ModelError>, stage: &'static str, skipped: &mut Vec<Skipped>) -> Option<T> {
    result.map_err(|error| skipped.push(Skipped { stage, why: error.to_string() })).ok()
}

fn ranker(models: &Models) -> Result<Ranker, ModelError> {
    let bytes = models.checked(RANKER)?;
    Ranker::from_json(&bytes).map_err(|reason| ModelError::Unusable { path: RANKER.into(), reason })
}

fn code_keywords(path: &Path, skipped: &mut Vec<Skipped>) -> Vec<String> {
    match std::fs::read_to_string(path) {
        Ok(text) => text
            .lines()
            .map(|line| line.split('#').next().unwrap_or("").trim().to_lowercase())
            .filter(|word| !word.is_empty())
            .collect(),
        Err(error) => {
            skipped.push(Skipped { stage: "code_keywords", why: format!("{}: {error}", path.display()) });
            Vec::new()
        }
    }
}

fn shorten(mut anomaly: Anomaly) -> Anomaly {
    anomaly.text = cut(&anomaly.text, MAX_SHOWN_TEXT).to_owned();
    anomaly
}

/// The first line; of a trace also the innermost cause, which is what names the failure.
fn evidence_text(group: &Group) -> String {
    let first = cut(&group.first.raw, MAX_SHOWN_TEXT);
    match group.first.innermost_cause() {
        Some(cause) => format!("{first}\n{}", cut(cause, MAX_SHOWN_TEXT / 2)),
        None => first.to_owned(),
    }
}

fn why(contribution: &Contribution, group: &Group, anomaly: Option<&Anomaly>, earliest: bool) -> String {
    let mut reasons = Vec::new();
    if !contribution.words.is_empty() {
        let words: Vec<String> = contribution.words.iter().map(|word| format!("\u{201c}{word}\u{201d}")).collect();
        reasons.push(format!("matches {}", words.join(", ")));
    }
    if earliest {
        reasons.push("first of the evidence".to_owned());
    }
    if group.count > 1 {
        reasons.push(format!("{} times", group.count));
    }
    if let Some(anomaly) = anomaly {
        reasons.extend(anomaly.reasons.iter().filter(|reason| !reason.starts_with("says")).take(2).cloned());
    }
    if reasons.is_empty() {
        reasons.push("reads like lines of this root cause".to_owned());
    }
    reasons.join(" \u{b7} ")
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
