//! Search against queries whose right entries are known.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::embedding::Embedder;
use crate::knowledge::search::{Filter, Knowledge, query_words};

/// A query with the entries that answer it: one line of a JSONL file.
#[derive(Debug, Clone, Deserialize)]
pub struct Query {
    /// What is asked.
    pub query: String,
    /// Ids of the entries that are right, each as good as the other.
    pub relevant: Vec<String>,
}

/// Quality of a ranking over many queries. Rates are from 0 to 1.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub struct Scores {
    /// Share of the queries whose first result is right.
    pub recall_1: f64,
    /// Share of the queries with a right result among the first three.
    pub recall_3: f64,
    /// Mean of one over the rank of the first right result.
    pub reciprocal_rank: f64,
}

/// The search as it is, and its halves.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Report {
    /// Number of queries.
    pub queries: usize,
    /// The fused search, with its floor.
    pub hybrid: Scores,
    /// Embeddings alone.
    pub dense: Scores,
    /// BM25 alone.
    pub lexical: Scores,
    /// Reciprocal rank fusion of both halves, k = 60 (Cormack et al., SIGIR 2009), for comparison.
    pub rank_fusion: Scores,
}

/// Reads a JSONL file of queries.
///
/// # Errors
/// When the file or one of its lines cannot be read; the message names file and line.
pub fn read_queries(path: &Path) -> Result<Vec<Query>, String> {
    let text = super::read(path)?;
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    lines
        .map(|(number, line)| {
            serde_json::from_str(line).map_err(|e| format!("{}, line {}: {e}", path.display(), number + 1))
        })
        .collect()
}

/// Asks every query.
///
/// # Errors
/// When a query names an entry that does not exist, or cannot be embedded.
pub fn measure(queries: &[Query], knowledge: &Knowledge, embedder: &Embedder) -> Result<Report, String> {
    let documents = knowledge.documents();
    let mut ranks: [Vec<Option<usize>>; 4] = Default::default();
    for query in queries {
        let is_right = |number: usize| query.relevant.iter().any(|id| *id == documents[number].id);
        if !(0..documents.len()).any(is_right) {
            return Err(format!("no entry is called {}", query.relevant.join(" or ")));
        }
        let embedding = embedder.embed(&query.query).map_err(|e| e.to_string())?;
        let hits = knowledge.search(&query.query, Some(embedder), &Filter::default(), documents.len());
        ranks[0].push(hits.iter().position(|hit| is_right(hit.document)));
        let dense = order(&knowledge.dense_scores(&[&embedding]).iter().map(|(score, _)| *score).collect::<Vec<_>>());
        let lexical = order(&knowledge.lexical_scores(&query_words(&query.query)));
        ranks[1].push(dense.iter().position(|number| is_right(*number)));
        ranks[2].push(lexical.iter().position(|number| is_right(*number)));
        ranks[3].push(fuse(&dense, &lexical).iter().position(|number| is_right(*number)));
    }
    let [hybrid, dense, lexical, rank_fusion] = ranks.map(|ranks| scores(&ranks));
    Ok(Report { queries: queries.len(), hybrid, dense, lexical, rank_fusion })
}

/// The documents by falling score.
fn order(scores: &[f64]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_by(|a, b| scores[*b].total_cmp(&scores[*a]).then(a.cmp(b)));
    order
}

#[allow(clippy::cast_precision_loss)] // ranks
fn fuse(one: &[usize], other: &[usize]) -> Vec<usize> {
    let mut scores = vec![0.0; one.len()];
    for (rank, number) in one.iter().enumerate().chain(other.iter().enumerate()) {
        scores[*number] += 1.0 / (61.0 + rank as f64);
    }
    order(&scores)
}

#[allow(clippy::cast_precision_loss)] // ranks and counts of queries
fn scores(ranks: &[Option<usize>]) -> Scores {
    let share = |within: usize| {
        ranks.iter().flatten().filter(|rank| **rank < within).count() as f64 / ranks.len().max(1) as f64
    };
    Scores {
        recall_1: share(1),
        recall_3: share(3),
        reciprocal_rank: ranks.iter().flatten().map(|rank| 1.0 / (rank + 1) as f64).sum::<f64>()
            / ranks.len().max(1) as f64,
    }
}
