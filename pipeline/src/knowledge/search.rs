//! Hybrid search: cosine of embeddings and BM25, fused.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Serialize;

use super::document::{Document, DocumentError, Kind};
use super::index::{VectorCache, VectorIndex};
use super::lexical::{self, Lexical};
use crate::embedding::{Embedder, Embedding};

/// Weight of the embedding in the fused score; the rest is BM25's. A convex combination of normalised scores keeps a
/// score that means something, which reciprocal ranks do not (Bruch et al., "An Analysis of Fusion Functions", 2022).
const DENSE_WEIGHT: f64 = 0.45;
/// Below this score an entry is not similar, and nothing is shown.
pub const FLOOR: f64 = 0.3;
/// Cosine at which two texts have nothing to do with each other; `MiniLM` seldom goes lower.
const COSINE_ZERO: f64 = 0.1;
/// Vectors asked for: more than entries are wanted, for an entry has several.
const NEIGHBOURS: usize = 64;

/// One result.
#[derive(Debug, Clone, Serialize)]
pub struct Hit {
    /// Place of the entry among the documents.
    #[serde(skip)]
    pub document: usize,
    /// Id of the entry.
    pub id: String,
    /// Its title.
    pub summary: String,
    /// Its cause, in short.
    pub text: String,
    /// What fixed it.
    pub resolution: String,
    /// From 0 to 1; below [`FLOOR`] nothing is returned.
    pub score: f64,
    /// `runbook` or `incident`.
    pub kind: Kind,
}

/// All entries, ready to be searched.
pub struct Knowledge {
    documents: Vec<Document>,
    errors: Vec<DocumentError>,
    lexical: Lexical,
    vectors: Option<VectorIndex>,
}

impl Knowledge {
    /// Reads `directory` and indexes it. Without an `embedder` the search is lexical only.
    ///
    /// # Errors
    /// When the folder cannot be read. Broken entries are kept out and listed by [`Knowledge::errors`].
    pub fn load(
        directory: &Path,
        embedder: Option<&Embedder>,
        mut cache: VectorCache,
        cache_file: Option<&Path>,
    ) -> std::io::Result<Self> {
        let (documents, errors) = super::document::read_all(directory)?;
        let mut lexical = Lexical::default();
        for document in &documents {
            lexical.add(&weighted_words(document));
        }
        let vectors = embedder.and_then(|embedder| vectors(&documents, embedder, &mut cache));
        if let Some(path) = cache_file {
            cache.write(path);
        }
        Ok(Self { documents, errors, lexical, vectors })
    }

    /// No entries at all.
    #[must_use]
    pub fn empty() -> Self {
        Self { documents: Vec::new(), errors: Vec::new(), lexical: Lexical::default(), vectors: None }
    }

    /// The entries.
    #[must_use]
    pub fn documents(&self) -> &[Document] {
        &self.documents
    }

    /// What could not be read.
    #[must_use]
    pub fn errors(&self) -> &[DocumentError] {
        &self.errors
    }

    /// The entries most like a text, given as its words with weights and its embedding, best first, above [`FLOOR`].
    #[must_use]
    pub fn similar(&self, words: &BTreeMap<String, f64>, embeddings: &[&[f32]], top_k: usize) -> Vec<Hit> {
        let (lexical, ceiling) = self.lexical.scores(words);
        let mut dense = vec![None; self.documents.len()];
        for embedding in embeddings {
            for (document, cosine) in self.vectors.iter().flat_map(|vectors| vectors.nearest(embedding, NEIGHBOURS)) {
                let known: &mut Option<f64> = &mut dense[document];
                *known = Some(known.map_or(cosine, |known: f64| known.max(cosine)));
            }
        }
        let best = lexical.iter().copied().fold(0.0, f64::max);
        // A text of many words never matches all of them: the best entry sets half of the scale.
        let scale = (0.5 * (best + 0.6 * ceiling)).max(f64::MIN_POSITIVE);
        let score = |document: usize| {
            let lexical = (lexical[document] / scale).clamp(0.0, 1.0);
            match (&self.vectors, dense[document]) {
                (None, _) => lexical,
                (Some(_), cosine) => {
                    let dense = (cosine.unwrap_or(COSINE_ZERO) - COSINE_ZERO) / (1.0 - COSINE_ZERO);
                    DENSE_WEIGHT * dense.clamp(0.0, 1.0).sqrt() + (1.0 - DENSE_WEIGHT) * lexical
                }
            }
        };
        let mut scored: Vec<(f64, usize)> =
            (0..self.documents.len()).map(|document| (score(document), document)).collect();
        scored.retain(|(score, _)| *score >= FLOOR);
        scored.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        scored.truncate(top_k);
        scored.into_iter().map(|(score, document)| self.hit(document, score)).collect()
    }

    /// The entries that answer `query`, as a person types it.
    #[must_use]
    pub fn search(&self, query: &str, embedder: Option<&Embedder>, top_k: usize) -> Vec<Hit> {
        let mut words = BTreeMap::new();
        lexical::words(query).into_iter().for_each(|word| *words.entry(word).or_insert(0.0) += 1.0);
        let embedding = embedder.and_then(|embedder| embedder.embed(query).ok());
        self.similar(&words, &embedding.as_deref().into_iter().collect::<Vec<_>>(), top_k)
    }

    fn hit(&self, document: usize, score: f64) -> Hit {
        let entry = &self.documents[document];
        Hit {
            document,
            id: entry.id.clone(),
            summary: entry.title.clone(),
            text: if entry.cause.is_empty() { entry.body.clone() } else { entry.cause.clone() },
            resolution: entry.resolution.clone(),
            score: crate::round(score),
            kind: entry.kind,
        }
    }
}

/// Title, technology and symptoms name the failure; the rest explains it.
fn weighted_words(document: &Document) -> Vec<(String, f64)> {
    let mut words = Vec::new();
    let mut add = |text: &str, weight: f64| words.extend(lexical::words(text).into_iter().map(|word| (word, weight)));
    add(&document.title, 3.0);
    add(&document.technology.join(" "), 3.0);
    add(&document.tags.join(" "), 2.0);
    add(&document.symptoms.join("\n"), 2.0);
    add(&document.resolution, 1.0);
    add(&document.body, 0.5);
    words
}

/// The texts that get a vector: one for what an entry says it is, one for each symptom; with the entry's number.
#[must_use]
pub fn embedded_texts(documents: &[Document]) -> Vec<(usize, String)> {
    let mut texts = Vec::new();
    for (number, document) in documents.iter().enumerate() {
        texts.push((number, format!("{}. {}", document.title, document.resolution)));
        texts.extend(document.symptoms.iter().map(|symptom| (number, symptom.replace('`', ""))));
    }
    texts
}

fn vectors(documents: &[Document], embedder: &Embedder, cache: &mut VectorCache) -> Option<VectorIndex> {
    let vectors: Vec<(usize, Embedding)> = embedded_texts(documents)
        .into_iter()
        .filter_map(|(number, text)| Some((number, cache.vector(&text, embedder)?)))
        .collect();
    match VectorIndex::build(&vectors) {
        Ok(index) => Some(index),
        Err(error) => {
            tracing::error!(error, "the vector index could not be built; search is lexical only");
            None
        }
    }
}
