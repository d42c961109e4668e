//! Loads the pipeline's parts, and the knowledge again when it changes.

use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use serde::Serialize;

use crate::actions::Ranker;
use crate::anomaly::features::Signals;
use crate::embedding::Embedder;
use crate::knowledge::collection;
use crate::knowledge::index::VectorCache;
use crate::knowledge::search::Knowledge;
use crate::models::{KNOWLEDGE_VECTORS, ModelError, Models, RANKER};
use crate::redact::Redactor;
use crate::root_cause::label::LABELS;
use crate::technology::Technologies;
use crate::triage::Pipeline;
use crate::verdict::Skipped;

/// Where the pipeline's data is.
#[derive(Debug, Clone)]
pub struct Sources {
    /// `models/`.
    pub models: PathBuf,
    /// `knowledge/`.
    pub knowledge: PathBuf,
    /// Collections of imported pages.
    pub imported: Option<PathBuf>,
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
        let knowledge = read_knowledge(sources, embedder.as_ref()).unwrap_or_else(|why| {
            skipped.push(Skipped { stage: "knowledge", why });
            Knowledge::empty()
        });
        let steps: usize = knowledge.documents().iter().map(|document| document.steps.len()).sum();
        let pages = knowledge.documents().iter().filter(|document| document.source.is_some()).count();
        let entries = knowledge.documents().len() - pages;
        parts.push(format!("{entries} knowledge entries and {pages} pages of your own, with {steps} steps"));
        Self {
            redactor: Redactor::new(),
            signals: Signals::default(),
            technologies: Technologies::new(),
            embedder,
            classifier,
            ranker,
            knowledge: RwLock::new(Arc::new(knowledge)),
            code_keywords: code_keywords(&sources.code_keywords, &mut skipped),
            loaded: Loaded { parts, skipped },
            sources: sources.clone(),
        }
    }

    /// What was loaded and what was not.
    #[must_use]
    pub fn loaded(&self) -> &Loaded {
        &self.loaded
    }

    /// Reads the knowledge again; what runs meanwhile goes on with the entries it began with.
    ///
    /// # Errors
    /// When the folder cannot be read, with the reason; the entries stay as they are.
    pub fn reload_knowledge(&self) -> Result<(), String> {
        let knowledge = Arc::new(read_knowledge(&self.sources, self.embedder.as_ref())?);
        *self.knowledge.write().unwrap_or_else(PoisonError::into_inner) = knowledge;
        Ok(())
    }

    /// A text that changes when an entry or a page changes on disk.
    #[must_use]
    pub fn knowledge_on_disk(&self) -> String {
        let folders: Vec<&Path> =
            [Some(self.sources.knowledge.as_path()), self.sources.imported.as_deref()].into_iter().flatten().collect();
        collection::fingerprint(&folders)
    }
}

/// The entries and pages on disk, with the vectors that are known already.
fn read_knowledge(sources: &Sources, embedder: Option<&Embedder>) -> Result<Knowledge, String> {
    let shipped = Models::open(&sources.models).and_then(|models| models.checked(KNOWLEDGE_VECTORS)).ok();
    let cache_file = sources.vector_cache.as_deref();
    let cache = VectorCache::read(cache_file, shipped.as_deref());
    Knowledge::load(&sources.knowledge, sources.imported.as_deref(), embedder, cache, cache_file).map_err(|error| {
        let folder = sources.knowledge.display();
        format!("{folder}: {error}. Set CLEW_KNOWLEDGE_DIR to the folder with the entries")
    })
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
