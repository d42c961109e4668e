//! BM25 over the words of all entries (Robertson, Zaragoza, "The Probabilistic Relevance Framework", 2009).

use std::collections::{BTreeMap, HashMap};

/// Saturation of term frequency and normalisation of length: the usual values.
const K1: f64 = 1.2;
const B: f64 = 0.75;

/// An index of texts, numbered in the order they were added.
#[derive(Debug, Default)]
pub struct Lexical {
    postings: HashMap<String, Vec<(usize, f64)>>,
    lengths: Vec<f64>,
}

impl Lexical {
    /// Adds a text given as words with their weights.
    pub fn add(&mut self, words: &[(String, f64)]) {
        let number = self.lengths.len();
        let mut counts: BTreeMap<&str, f64> = BTreeMap::new();
        for (word, weight) in words {
            *counts.entry(word).or_default() += weight;
        }
        self.lengths.push(counts.values().sum());
        for (word, count) in counts {
            self.postings.entry(word.to_owned()).or_default().push((number, count));
        }
    }

    /// The score of every text for `query`, and the score that a text which matched every known word would reach.
    #[must_use]
    #[allow(clippy::cast_precision_loss)] // counts of entries
    pub fn scores(&self, query: &BTreeMap<String, f64>) -> (Vec<f64>, f64) {
        let count = self.lengths.len() as f64;
        let mean = self.lengths.iter().sum::<f64>() / count.max(1.0);
        let mut scores = vec![0.0; self.lengths.len()];
        let mut ceiling = 0.0;
        for (word, weight) in query {
            let postings = self.postings.get(word).map_or(&[][..], Vec::as_slice);
            let found = postings.len() as f64;
            let idf = ((count - found + 0.5) / (found + 0.5) + 1.0).ln();
            ceiling += weight * idf * (K1 + 1.0) / 2.0;
            for (number, frequency) in postings {
                let norm = K1 * (1.0 - B + B * self.lengths[*number] / mean.max(1.0));
                scores[*number] += weight * idf * frequency * (K1 + 1.0) / (frequency + norm);
            }
        }
        (scores, ceiling)
    }
}

/// Words that say nothing by themselves.
const STOP: [&str; 38] = [
    "the", "a", "an", "of", "to", "in", "on", "for", "and", "or", "is", "are", "was", "by", "with", "from", "at", "it",
    "its", "be", "as", "that", "this", "has", "have", "had", "been", "which", "when", "then", "than", "but", "if",
    "com", "so", "into", "while", "do",
];

/// Whether a lower-case word says nothing by itself.
#[must_use]
pub fn is_stop_word(word: &str) -> bool {
    STOP.contains(&word)
}

/// The words of a text for this index: lower case, stop words out, plural and past forms cut; of `CamelCase` names also
/// their parts.
#[must_use]
pub fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let is_number = |word: &str| word.len() > 5 && word.bytes().filter(u8::is_ascii_digit).count() > 3;
    for word in text.split(|c: char| !c.is_alphanumeric()) {
        if word.len() < 2 || word.len() >= 40 || is_number(word) {
            continue;
        }
        push(&mut words, word);
        let parts = crate::words::parts(word);
        if parts.len() > 1 {
            parts.into_iter().for_each(|part| push(&mut words, part));
        }
    }
    words
}

fn push(words: &mut Vec<String>, word: &str) {
    let word = word.to_lowercase();
    if !is_stop_word(&word) {
        words.push(stem(&word).to_owned());
    }
}

/// Cuts the commonest English endings; enough to make `evicted` and `evicts` one word.
fn stem(word: &str) -> &str {
    for end in ["ing", "ies", "ed", "es", "s"] {
        if let Some(stem) = word.strip_suffix(end).filter(|stem| stem.len() >= 4 && stem.is_ascii()) {
            return stem;
        }
    }
    word
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_with_the_rare_word_comes_first() {
        let mut index = Lexical::default();
        for text in ["disk is full of logs", "the pod was evicted", "disk failure on the node"] {
            index.add(&words(text).into_iter().map(|w| (w, 1.0)).collect::<Vec<_>>());
        }
        let query = words("pods evicting").into_iter().map(|w| (w, 1.0)).collect();
        let (scores, ceiling) = index.scores(&query);
        assert!(scores[1] > scores[0] && scores[1] > scores[2] && ceiling > 0.0, "{scores:?}");
    }
}
