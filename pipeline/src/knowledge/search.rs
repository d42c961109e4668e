//! Hybrid search: cosine of embeddings and BM25, fused.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;

use serde::Serialize;

use super::collection;
use super::document::{Document, DocumentError, Kind};
use super::index::{VectorCache, VectorIndex};
use super::lexical::{self, Lexical};
use super::page::{self, Section};
use crate::embedding::{Embedder, Embedding};
use crate::technology::Technologies;

/// Weight of the embedding in the fused score; the rest is BM25's. A convex combination of normalised scores keeps a
/// score that means something, which reciprocal ranks do not (Bruch et al., "An Analysis of Fusion Functions", 2022), and
/// ranks better (models/README.md).
const DENSE_WEIGHT: f64 = 0.5;
/// Below this score an entry is not similar, and nothing is shown: of questions about something else altogether seven in
/// ten stay below, of real ones one in a hundred (models/README.md).
pub const FLOOR: f64 = 0.18;
/// Cosine at which two texts have nothing to do with each other.
const COSINE_ZERO: f64 = 0.25;
/// Added to what a perfect match would score: a query of few or common words says little even if all of them match.
const UNINFORMATIVE: f64 = 20.0;
/// A word that a query repeats counts this often at most.
const MAX_REPEATED: f64 = 2.0;
/// A team's own page says what is done here; an entry that came with the program says what is done in general.
const OWN_PAGE: f64 = 1.1;
/// Vectors asked for: more than entries are wanted, for an entry has several.
const NEIGHBOURS: usize = 512;
/// Letters of a title or heading that is the name of an alert.
const MIN_NAME: usize = 8;

/// One result.
#[derive(Debug, Clone, Serialize)]
pub struct Hit {
    /// Place of the entry among the documents.
    #[serde(skip)]
    pub document: usize,
    /// Id of the entry; of an imported page its collection and path.
    pub id: String,
    /// Its title.
    pub summary: String,
    /// Its cause, in short; of an imported page the section that fits best.
    pub text: String,
    /// What fixed it.
    pub resolution: String,
    /// From 0 to 1; below [`FLOOR`] nothing is returned.
    pub score: f64,
    /// `runbook` or `incident`.
    pub kind: Kind,
    /// What it is about, in lower case; empty for anything.
    pub technology: Vec<String>,
    /// Of an imported page: its path, with the anchor of the section that fits best.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// Heading of that section.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub section: Option<String>,
}

/// Which entries may be found.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Only those about this technology, in lower case.
    pub technology: Option<String>,
    /// Only those of this kind.
    pub kind: Option<Kind>,
}

impl Filter {
    /// Whether `document` may be found.
    #[must_use]
    pub fn admits(&self, document: &Document) -> bool {
        self.kind.is_none_or(|kind| document.kind == kind)
            && self.technology.as_ref().is_none_or(|name| document.technology.contains(name))
    }
}

/// What a vector stands for.
#[derive(Debug, Clone, Copy)]
struct Unit {
    document: usize,
    section: Option<usize>,
}

/// All entries, ready to be searched.
pub struct Knowledge {
    documents: Vec<Document>,
    errors: Vec<DocumentError>,
    lexical: Lexical,
    units: Vec<Unit>,
    vectors: Option<VectorIndex>,
    /// Titles and headings that are one name, such as an alert's, in lower case.
    names: HashMap<String, Vec<Unit>>,
}

impl Knowledge {
    /// Reads the entries in `directory` and the pages in `imported`, and indexes them. Without an `embedder` the search is
    /// lexical only.
    ///
    /// # Errors
    /// When `directory` cannot be read. Broken entries are kept out and listed by [`Knowledge::errors`].
    pub fn load(
        directory: &Path,
        imported: Option<&Path>,
        embedder: Option<&Embedder>,
        mut cache: VectorCache,
        cache_file: Option<&Path>,
    ) -> std::io::Result<Self> {
        let (mut documents, mut errors) = super::document::read_all(directory)?;
        let (pages, broken) = imported.map(collection::read_all).unwrap_or_default();
        documents.extend(pages);
        errors.extend(broken);
        let technologies = Technologies::new();
        for document in documents.iter_mut().filter(|d| d.source.is_some() && d.technology.is_empty()) {
            let named = technologies.find(&format!("{} {}", document.id, document.title));
            document.technology = named.into_iter().map(str::to_owned).collect();
        }
        let mut knowledge = Self { documents, errors, ..Self::empty() };
        knowledge.index();
        if let Some(embedder) = embedder {
            knowledge.embed(embedder, &mut cache);
        }
        if let Some(path) = cache_file {
            cache.write(path);
        }
        Ok(knowledge)
    }

    /// No entries at all.
    #[must_use]
    pub fn empty() -> Self {
        Self {
            documents: Vec::new(),
            errors: Vec::new(),
            lexical: Lexical::default(),
            units: Vec::new(),
            vectors: None,
            names: HashMap::new(),
        }
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

    fn index(&mut self) {
        for (number, document) in self.documents.iter().enumerate() {
            self.lexical.add(&weighted_words(document));
            let stem = document.source.as_ref().map(|_| document.id.rsplit('/').next().unwrap_or_default());
            let whole = [Some(document.title.as_str()), stem].into_iter().flatten().map(|name| (name, None));
            let parts = document.sections.iter().enumerate().map(|(at, s)| (s.heading.as_str(), Some(at)));
            for (name, section) in whole.chain(parts).filter(|(name, _)| is_name(name)) {
                self.names.entry(name.to_lowercase()).or_default().push(Unit { document: number, section });
            }
        }
    }

    fn embed(&mut self, embedder: &Embedder, cache: &mut VectorCache) {
        let texts = embedded_texts(&self.documents);
        cache.fill(texts.iter().map(|(_, _, text)| text.as_str()), embedder);
        let mut vectors: Vec<Embedding> = Vec::new();
        for (document, section, text) in texts {
            if let Some(vector) = cache.vector(&text, embedder) {
                vectors.push(vector);
                self.units.push(Unit { document, section });
            }
        }
        match VectorIndex::build(&vectors) {
            Ok(index) => self.vectors = Some(index),
            Err(error) => tracing::error!(error, "the vector index could not be built; search is lexical only"),
        }
    }

    /// The entries most like a text, given as its words with weights and its embedding, best first, above [`FLOOR`].
    #[must_use]
    pub fn similar(
        &self,
        words: &BTreeMap<String, f64>,
        embeddings: &[&[f32]],
        filter: &Filter,
        top_k: usize,
    ) -> Vec<Hit> {
        let lexical = self.lexical_scores(words);
        let dense = self.dense_scores(embeddings);
        let score = |number: usize| {
            let fused = if self.vectors.is_some() {
                DENSE_WEIGHT * dense[number].0 + (1.0 - DENSE_WEIGHT) * lexical[number]
            } else {
                lexical[number]
            };
            let own = if self.documents[number].source.is_some() { OWN_PAGE } else { 1.0 };
            (fused * own).min(1.0)
        };
        let scored = (0..self.documents.len()).map(|number| (score(number), number, dense[number].1)).collect();
        self.hits(scored, filter, top_k)
    }

    /// The entries that answer `query`, as a person types it or an alert carries it. An alert's name in it brings up the
    /// page or the section that is called so.
    #[must_use]
    pub fn search(&self, query: &str, embedder: Option<&Embedder>, filter: &Filter, top_k: usize) -> Vec<Hit> {
        let words = query_words(query);
        let embedding = embedder.and_then(|embedder| embedder.embed(query).ok());
        let embeddings: Vec<&[f32]> = embedding.as_deref().into_iter().collect();
        let mut hits = self.similar(&words, &embeddings, filter, self.documents.len());
        for unit in self.named(query) {
            if let Some(hit) = hits.iter_mut().find(|hit| hit.document == unit.document) {
                hit.score = crate::round(0.5 + 0.5 * hit.score);
                if unit.section.is_some() {
                    self.point_to(hit, unit.section);
                }
            }
        }
        hits.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.document.cmp(&b.document)));
        hits.truncate(top_k);
        hits
    }

    /// The titles and headings that `query` names, each document once.
    fn named(&self, query: &str) -> Vec<Unit> {
        let tokens: BTreeSet<String> = query
            .split(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '-')))
            .filter(|token| token.len() >= MIN_NAME)
            .map(str::to_lowercase)
            .collect();
        let mut units: Vec<Unit> = tokens.iter().filter_map(|token| self.names.get(token)).flatten().copied().collect();
        units.sort_by_key(|unit| (unit.document, unit.section.is_some()));
        units.dedup_by_key(|unit| unit.document);
        units
    }

    /// BM25 of every entry, as a share of what an entry that matched every word of an informative query would reach.
    #[must_use]
    pub fn lexical_scores(&self, words: &BTreeMap<String, f64>) -> Vec<f64> {
        let (scores, ceiling) = self.lexical.scores(words);
        scores.into_iter().map(|score| (score / (ceiling + UNINFORMATIVE)).clamp(0.0, 1.0)).collect()
    }

    /// Cosine of every entry's nearest part, from 0 (nothing to do with it) to 1, and its nearest section.
    #[must_use]
    pub fn dense_scores(&self, embeddings: &[&[f32]]) -> Vec<(f64, Option<usize>)> {
        let mut dense = vec![(0.0, None); self.documents.len()];
        let mut nearest_section = vec![0.0; self.documents.len()];
        let Some(vectors) = &self.vectors else { return dense };
        let score = |cosine: f64| ((cosine - COSINE_ZERO) / (1.0 - COSINE_ZERO)).clamp(0.0, 1.0);
        for embedding in embeddings {
            let nearest = vectors.nearest(embedding, NEIGHBOURS);
            // What is not among the neighbours is about as near as the last of them: nothing would be too little.
            let cut_off = nearest.last().filter(|_| nearest.len() < self.units.len());
            let rest = cut_off.map_or(0.0, |(_, last)| score(*last));
            dense.iter_mut().for_each(|known| known.0 = f64::max(known.0, rest));
            for (unit, cosine) in nearest {
                let Unit { document, section } = self.units[unit];
                dense[document].0 = dense[document].0.max(score(cosine));
                if section.is_some() && score(cosine) > nearest_section[document] {
                    nearest_section[document] = score(cosine);
                    dense[document].1 = section;
                }
            }
        }
        dense
    }

    fn hits(&self, mut scored: Vec<(f64, usize, Option<usize>)>, filter: &Filter, top_k: usize) -> Vec<Hit> {
        scored.retain(|(score, number, _)| *score >= FLOOR && filter.admits(&self.documents[*number]));
        scored.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        scored.truncate(top_k);
        scored.into_iter().map(|(score, number, section)| self.hit(number, score, section)).collect()
    }

    fn hit(&self, document: usize, score: f64, section: Option<usize>) -> Hit {
        let entry = &self.documents[document];
        let mut hit = Hit {
            document,
            id: entry.id.clone(),
            summary: entry.title.clone(),
            text: if entry.cause.is_empty() { entry.body.clone() } else { entry.cause.clone() },
            resolution: entry.resolution.clone(),
            score: crate::round(score),
            kind: entry.kind,
            technology: entry.technology.clone(),
            source: entry.source.clone(),
            section: None,
        };
        self.point_to(&mut hit, section);
        hit
    }

    fn point_to(&self, hit: &mut Hit, section: Option<usize>) {
        let entry = &self.documents[hit.document];
        let Some(section) = section.and_then(|at| entry.sections.get(at)) else { return };
        if !section.text.trim().is_empty() {
            section.short().clone_into(&mut hit.text);
        }
        if !section.heading.is_empty() {
            hit.source = entry.source.as_ref().map(|path| format!("{path}#{}", section.anchor()));
            hit.section = Some(section.heading.clone());
        }
    }
}

/// The words of a question with their weights.
#[must_use]
pub fn query_words(query: &str) -> BTreeMap<String, f64> {
    let mut words = BTreeMap::new();
    for word in lexical::words(query) {
        let weight: &mut f64 = words.entry(word).or_insert(0.0);
        *weight = (*weight + 1.0).min(MAX_REPEATED);
    }
    words
}

/// `KubePodCrashLooping`, `etcd-no-leader`: one word that no sentence has.
fn is_name(text: &str) -> bool {
    let inner_capital = text.chars().skip(1).any(char::is_uppercase) && text.chars().any(char::is_lowercase);
    text.len() >= MIN_NAME
        && text.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-'))
        && (inner_capital || text.contains(['-', '_']))
}

/// Title, technology and symptoms name the failure; the rest explains it.
fn weighted_words(document: &Document) -> Vec<(String, f64)> {
    let mut words = Vec::new();
    let mut add = |text: &str, weight: f64| words.extend(lexical::words(text).into_iter().map(|word| (word, weight)));
    add(&document.title, 3.0);
    match &document.source {
        Some(_) => add(document.id.rsplit('/').next().unwrap_or_default(), 3.0),
        None => add(&document.technology.join(" "), 3.0),
    }
    add(&document.tags.join(" "), 2.0);
    add(&document.symptoms.join("\n"), 2.0);
    document.sections.iter().for_each(|section| add(&section.heading, 1.0));
    add(&document.resolution, 1.0);
    add(&document.body, 0.5);
    words
}

/// The texts that get a vector, with the entry's number and the section: what an entry says it is, each of its symptoms,
/// each of its sections.
#[must_use]
pub fn embedded_texts(documents: &[Document]) -> Vec<(usize, Option<usize>, String)> {
    /// Bytes of a section that are embedded: the model sees 128 tokens.
    const MAX_TEXT: usize = 900;
    let mut texts = Vec::new();
    for (number, document) in documents.iter().enumerate() {
        let title = &document.title;
        texts.push((number, None, format!("{title}. {}", document.resolution)));
        texts.extend(document.symptoms.iter().map(|symptom| (number, None, symptom.replace('`', ""))));
        let whole = |section: &Section| {
            format!("{title}. {}: {}", section.heading, crate::logs::cut(section.text.trim(), MAX_TEXT))
        };
        if document.source.is_none() {
            let sections = page::sections(&document.body);
            texts.extend(sections.iter().map(|section| (number, None, whole(section))));
        }
        let said = document.sections.iter().enumerate().filter(|(_, section)| !section.text.trim().is_empty());
        texts.extend(said.map(|(at, section)| (number, Some(at), whole(section))));
    }
    texts
}
