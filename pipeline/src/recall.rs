//! Entries about failures like the one in a log.

use std::collections::{BTreeMap, BTreeSet};

use crate::knowledge::document::Document as Entry;
use crate::knowledge::lexical;
use crate::knowledge::search::{Filter, Hit, Knowledge};
use crate::logs::digest::Digest;
use crate::root_cause::features::Document;
use crate::technology::is_product;
use crate::verdict::Context;

/// Similar entries shown.
const MAX_SIMILAR: usize = 3;
/// Share of its score that an entry about a product keeps when the log names another one.
const FOREIGN: f64 = 0.55;
/// The same when the log names no product at all.
const UNNAMED: f64 = 0.85;
/// Below this score an entry is not shown beside a log, whose many words match something by chance more often than those of
/// a question do.
const FLOOR: f64 = 0.25;
/// A similar entry must reach this share of the best one's score.
const SIMILAR_SHARE: f64 = 0.7;
/// The same for a page of the team's own: what happened here is worth a place behind what happens everywhere, although it is
/// told in fewer of the log's words.
const OWN_SHARE: f64 = 0.5;
/// Records whose embeddings look for similar entries.
const QUERY_RECORDS: usize = 3;

/// The entries most like the salient records of an input, best first.
#[must_use]
pub fn similar(
    knowledge: &Knowledge,
    digest: &Digest,
    document: &Document,
    context: &Context,
    technologies: &BTreeSet<&'static str>,
) -> Vec<Hit> {
    if digest.records == 0 {
        return Vec::new();
    }
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
    let embeddings: Vec<&[f32]> =
        document.records.iter().filter_map(|record| record.embedding.as_deref()).take(QUERY_RECORDS).collect();
    let mut hits = knowledge.similar(&words, &embeddings, &Filter::default(), 8 * MAX_SIMILAR);
    for hit in &mut hits {
        hit.score = crate::round(hit.score * fitness(&knowledge.documents()[hit.document], technologies));
    }
    hits.retain(|hit| hit.score >= FLOOR);
    hits.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.document.cmp(&b.document)));
    let best = hits.first().map_or(0.0, |hit| hit.score);
    let is_own = |hit: &Hit| knowledge.documents()[hit.document].source.is_some();
    hits.retain(|hit| hit.score >= best * if is_own(hit) { OWN_SHARE } else { SIMILAR_SHARE });
    // The best of the team's own pages has the last place, if it did not win a better one.
    if let Some(own) = hits.iter().position(is_own).filter(|own| *own >= MAX_SIMILAR) {
        hits.swap(own, MAX_SIMILAR - 1);
    }
    hits.truncate(MAX_SIMILAR);
    hits
}

/// What an entry keeps of its score: all of it when it is about no product or about one that the log names, less when the
/// log names no product, and least when it names another one.
fn fitness(entry: &Entry, technologies: &BTreeSet<&'static str>) -> f64 {
    let product = entry.technology.iter().any(|name| is_product(name));
    if !product || entry.technology.iter().any(|name| technologies.contains(name.as_str())) {
        return 1.0;
    }
    if technologies.iter().any(|name| is_product(name)) { FOREIGN } else { UNNAMED }
}
