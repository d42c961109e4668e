//! From a document to the numbers that the classifier weighs.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::features::{Document, GRAMS, Salient};
use crate::embedding::DIMENSIONS;

/// How much the embedding counts beside the words, whose vector has length 1.
pub const EMBEDDING_SCALE: f64 = 0.7;

/// Which kinds of features are used; an ablation leaves some out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parts {
    /// Words and word pairs.
    pub words: bool,
    /// Parts of words.
    pub grams: bool,
    /// The embedding.
    pub embedding: bool,
}

impl Parts {
    /// All of them: what is shipped.
    pub const ALL: Self = Self { words: true, grams: true, embedding: true };
}

/// Which terms are features, and how rare each is.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Vocabulary {
    /// Words and word pairs; a term's place is its feature index.
    pub terms: Vec<String>,
    /// Inverse document frequency of each.
    pub idf: Vec<f64>,
    #[serde(skip)]
    index: HashMap<String, usize>,
}

impl Vocabulary {
    /// A vocabulary of `terms` with their inverse document frequencies.
    #[must_use]
    pub fn new(terms: Vec<String>, idf: Vec<f64>) -> Self {
        let mut vocabulary = Self { terms, idf, index: HashMap::new() };
        vocabulary.build_index();
        vocabulary
    }

    /// Makes the terms findable again after reading.
    pub fn build_index(&mut self) {
        self.index = self.terms.iter().enumerate().map(|(index, term)| (term.clone(), index)).collect();
    }

    /// Number of features of a document. In this order: terms, parts of words, embedding.
    #[must_use]
    pub fn features(&self) -> usize {
        self.embedding_at() + DIMENSIONS
    }

    /// Index of the first part of words.
    #[must_use]
    pub fn grams_at(&self) -> usize {
        self.terms.len()
    }

    /// Index of the first dimension of the embedding.
    #[must_use]
    pub fn embedding_at(&self) -> usize {
        self.terms.len() + GRAMS
    }

    /// Index of a term.
    #[must_use]
    pub fn place(&self, term: &str) -> Option<usize> {
        self.index.get(term).copied()
    }

    /// The known terms of one record as (index, weight), by index.
    #[must_use]
    pub fn terms_of(&self, record: &Salient) -> Vec<(usize, f64)> {
        let mut found: Vec<(usize, f64)> = record
            .terms
            .iter()
            .filter_map(|(term, count)| {
                let index = *self.index.get(term)?;
                Some((index, record.weight * (1.0 + count.ln()) * self.idf[index]))
            })
            .collect();
        found.sort_by_key(|(index, _)| *index);
        found
    }

    /// The parts of words of one record as (place, weight), by place.
    pub fn grams_of(record: &Salient) -> impl Iterator<Item = (usize, f64)> + '_ {
        record.grams.iter().map(|(place, count)| (*place, record.weight * (1.0 + count.ln())))
    }

    /// Lengths of the document's terms and of its parts of words, which scale both to length 1.
    #[must_use]
    pub fn lengths(&self, document: &Document) -> (f64, f64) {
        (length(&self.term_sums(document)), length(&gram_sums(document)))
    }

    fn term_sums(&self, document: &Document) -> Vec<f64> {
        let mut sums = vec![0.0; self.terms.len()];
        for (index, value) in document.records.iter().flat_map(|record| self.terms_of(record)) {
            sums[index] += value;
        }
        sums
    }

    /// The document's features as (index, value), by index.
    #[must_use]
    pub fn vector(&self, document: &Document, parts: Parts) -> Vec<(usize, f64)> {
        let mut vector = Vec::new();
        let mut scaled = |sums: Vec<f64>, base: usize| {
            let length = length(&sums);
            let present = sums.into_iter().enumerate().filter(|(_, x)| *x > 0.0);
            vector.extend(present.map(|(index, x)| (base + index, x / length)));
        };
        if parts.words {
            scaled(self.term_sums(document), 0);
        }
        if parts.grams {
            scaled(gram_sums(document), self.grams_at());
        }
        let base = self.embedding_at();
        if parts.embedding {
            let scaled = document.embedding.iter().map(|x| EMBEDDING_SCALE * f64::from(*x));
            vector.extend(scaled.enumerate().map(|(i, x)| (base + i, x)));
        }
        vector
    }
}

fn gram_sums(document: &Document) -> Vec<f64> {
    let mut sums = vec![0.0; GRAMS];
    for (place, value) in document.records.iter().flat_map(Vocabulary::grams_of) {
        sums[place] += value;
    }
    sums
}

fn length(vector: &[f64]) -> f64 {
    vector.iter().map(|x| x * x).sum::<f64>().sqrt().max(f64::MIN_POSITIVE)
}
