//! The one place where the order of the stages is written.

use std::collections::{BTreeMap, BTreeSet};
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
use crate::logs::digest::{Collector, Digest};
use crate::models::{KNOWLEDGE_VECTORS, ModelError, Models, RANKER};
use crate::redact::Redactor;
use crate::root_cause::classifier::{Classifier, Prediction};
use crate::root_cause::evidence::{self, Evidence};
use crate::root_cause::features::{Document, document};
use crate::root_cause::label::{LABELS, LabelIndex, UNKNOWN, by_id, by_name};
use crate::technology::{Technologies, is_product};
use crate::verdict::{Context, Counts, Skipped, Template, Triage};

/// Similar entries shown.
const MAX_SIMILAR: usize = 3;
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
        let evidence = match &self.classifier {
            Some(classifier) if prediction.leading != UNKNOWN => {
                evidence::of(classifier, &digest, &anomalies, &seen, prediction.leading)
            }
            _ => Vec::new(),
        };
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
            anomalies: anomalies.into_iter().take(MAX_SHOWN).collect(),
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
        (anomalies, templates)
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

    fn similar(
        &self,
        digest: &Digest,
        document: &Document,
        context: &Context,
        technologies: &BTreeSet<&'static str>,
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
    fn fitness(&self, hit: &Hit, technologies: &BTreeSet<&'static str>) -> f64 {
        let about = &self.knowledge.documents()[hit.document].technology;
        let product = about.iter().any(|name| is_product(name));
        if !product || about.iter().any(|name| technologies.contains(name.as_str())) {
            return 1.0;
        }
        if technologies.iter().any(|name| is_product(name)) { FOREIGN } else { UNNAMED }
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
