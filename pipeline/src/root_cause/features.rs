//! What the classifier sees of an input: its salient records as words, as parts of words and as an embedding; and a few
//! figures on the whole for its calibration.

use std::collections::{BTreeMap, HashMap};

use crate::embedding::{DIMENSIONS, Embedder, normalize};
use crate::logs::cut;
use crate::logs::digest::Digest;
use crate::logs::record::{LogRecord, Severity, is_connective};

/// Records that are looked at: the most salient ones.
pub const MAX_RECORDS: usize = 16;
/// Of these, how many are embedded; each costs about 15 ms on one core.
const MAX_EMBEDDED: usize = 6;
/// Bytes of a record whose words count.
const MAX_TEXT: usize = 1_500;
/// Bytes of a record that are embedded.
const MAX_EMBEDDED_TEXT: usize = 400;
/// Bytes of a record whose parts of words count.
const MAX_GRAMS_TEXT: usize = 600;
/// Hashed parts of words: few enough for a fit in minutes, many enough that few share a place.
pub const GRAMS: usize = 2_048;
/// Figures on the whole input.
pub const FIGURES: usize = 5;
/// A pool of this weight or more is as sure as it gets.
const FLOOR: f64 = 0.12;
/// What the anomalous records count in the order in which they first came: the earliest sufficient cause counts more than
/// what followed from it. Later ones count as the last.
const BY_ORDER: [f64; 3] = [1.8, 1.2, 1.0];
/// Share of the strongest score from which on a record may be that cause: the loudest is not always the first.
const SUFFICIENT: f64 = 0.55;
/// Words of a log that goes on in good order.
const ORDERLY: [&str; 22] = [
    "started",
    "starting",
    "listening",
    "ready",
    "accepted",
    "accepting",
    "running",
    "complete",
    "completed",
    "success",
    "successfully",
    "succeeded",
    "established",
    "synchronized",
    "elected",
    "recovered",
    "restored",
    "healthy",
    "passed",
    "initialized",
    "connected",
    "loaded",
];

/// A record as the classifier weighs it.
#[derive(Debug, Clone)]
pub struct Salient {
    /// Index of its group in the digest.
    pub group: usize,
    /// Its share of the whole; all shares sum to 1.
    pub weight: f64,
    /// Its words and word pairs, with how often they occur.
    pub terms: HashMap<String, f64>,
    /// The parts of its words by place below [`GRAMS`], with how often they occur, by place.
    pub grams: Vec<(usize, f64)>,
    /// Its embedding, if it was embedded.
    pub embedding: Option<Vec<f32>>,
}

/// An input, as the classifier sees it.
#[derive(Debug, Clone, Default)]
pub struct Document {
    /// Salient records, strongest first.
    pub records: Vec<Salient>,
    /// Unit vector of the embedded records together, or empty.
    pub embedding: Vec<f32>,
    /// See [`figures`].
    pub figures: [f64; FIGURES],
}

/// Looks at `digest`, whose groups have the anomaly `scores`.
#[must_use]
pub fn document(digest: &Digest, scores: &[f64], embedder: Option<&Embedder>) -> Document {
    let mut order: Vec<usize> = (0..digest.groups.len()).collect();
    order.sort_by(|a, b| scores[*b].total_cmp(&scores[*a]).then(a.cmp(b)));
    order.truncate(MAX_RECORDS);
    let strongest = order.first().map_or(0.0, |first| scores[*first]);
    let mut strong: Vec<usize> =
        order.iter().copied().filter(|group| scores[*group] >= SUFFICIENT * strongest).collect();
    strong.sort_unstable();
    let raw: Vec<f64> = order
        .iter()
        .map(|group| {
            let place = strong.iter().position(|known| known == group);
            (FLOOR + scores[*group]).powi(2) * place.map_or(1.0, |place| BY_ORDER[place.min(BY_ORDER.len() - 1)])
        })
        .collect();
    let total: f64 = raw.iter().sum::<f64>().max(f64::MIN_POSITIVE);
    let mut records: Vec<Salient> = order
        .iter()
        .zip(&raw)
        .map(|(group, weight)| {
            let text = text_of(&digest.groups[*group].first);
            Salient {
                group: *group,
                weight: weight / total,
                terms: terms(&text),
                grams: counted(grams(cut(&text, MAX_GRAMS_TEXT))),
                embedding: None,
            }
        })
        .collect();
    let embedding = embedder.map(|embedder| embed(&mut records, digest, embedder)).unwrap_or_default();
    Document { records, embedding, figures: figures(digest, scores) }
}

/// Embeds the first records and pools them by weight.
fn embed(records: &mut [Salient], digest: &Digest, embedder: &Embedder) -> Vec<f32> {
    let mut pooled = vec![0.0_f32; DIMENSIONS];
    for record in records.iter_mut().take(MAX_EMBEDDED) {
        let text = embedded_text(&digest.groups[record.group].first);
        match embedder.embed(&text) {
            Ok(vector) => {
                #[allow(clippy::cast_possible_truncation)] // a share
                let weight = record.weight as f32;
                pooled.iter_mut().zip(&vector).for_each(|(sum, x)| *sum += weight * x);
                record.embedding = Some(vector);
            }
            Err(error) => tracing::warn!(%error, "a record could not be embedded"),
        }
    }
    normalize(&mut pooled);
    pooled
}

fn text_of(record: &LogRecord) -> String {
    let mut text = cut(&record.message, MAX_TEXT).to_owned();
    for line in causes_first(record) {
        if text.len() > MAX_TEXT {
            break;
        }
        text.push('\n');
        text.push_str(cut(line, 300));
    }
    text
}

/// The lines of a trace that name causes before those that name frames.
fn causes_first(record: &LogRecord) -> impl Iterator<Item = &String> {
    let frame = |line: &&String| {
        let text = line.trim_start();
        text.starts_with("at ")
            || text.starts_with("File \"")
            || text.starts_with("from ")
            || text.starts_with('#')
            || is_connective(text)
    };
    let lines = || record.continued.iter();
    lines().rev().filter(move |line| !frame(line)).chain(lines().filter(frame))
}

/// Message and innermost cause.
fn embedded_text(record: &LogRecord) -> String {
    let cause = record.innermost_cause();
    let message = cut(&record.message, MAX_EMBEDDED_TEXT);
    cause.map_or_else(
        || message.to_owned(),
        |cause| format!("{} {}", cut(message, MAX_EMBEDDED_TEXT / 2), cut(cause, MAX_EMBEDDED_TEXT / 2)),
    )
}

/// Strongest anomaly, mean anomaly; the share of the log that came after the last anomaly, and whether that speaks of good
/// order; and whether a single message, which nobody called an error, stands alone in a log that is routine otherwise.
#[allow(clippy::cast_precision_loss)] // counts of templates
fn figures(digest: &Digest, scores: &[f64]) -> [f64; FIGURES] {
    let count = scores.len().max(1) as f64;
    let last = scores.iter().rposition(|score| *score >= crate::anomaly::THRESHOLD);
    let after = &digest.groups[last.map_or(0, |last| last + 1)..];
    let orderly = |text: &str| words(text).iter().any(|(word, _)| ORDERLY.contains(&word.as_str()));
    let flag = |condition: bool| f64::from(u8::from(condition));
    [
        scores.iter().copied().fold(0.0, f64::max),
        scores.iter().sum::<f64>() / count,
        after.len() as f64 / count,
        flag(after.iter().any(|group| orderly(cut(&group.first.message, MAX_EMBEDDED_TEXT)))),
        flag(is_lone(digest, scores)),
    ]
}

fn is_lone(digest: &Digest, scores: &[f64]) -> bool {
    let mut anomalous = digest.groups.iter().zip(scores).filter(|(_, score)| **score >= crate::anomaly::THRESHOLD);
    let first = anomalous.next();
    let quiet =
        first.is_some_and(|(group, _)| group.severity < Some(Severity::Error) && group.first.continued.is_empty());
    quiet && anomalous.next().is_none() && digest.groups.len() >= 3
}

/// The words of `text` in lower case, `CamelCase` names also in their parts, and pairs of neighbours.
#[must_use]
pub fn terms(text: &str) -> HashMap<String, f64> {
    let mut terms: HashMap<String, f64> = HashMap::new();
    for line in text.split('\n') {
        let words = words(line);
        let mut last: Option<&str> = None;
        for (word, part) in &words {
            *terms.entry(word.clone()).or_default() += 1.0;
            if *part {
                continue;
            }
            if let Some(last) = last {
                *terms.entry(format!("{last} {word}")).or_default() += 1.0;
            }
            last = Some(word);
        }
    }
    terms
}

/// The places of the parts of three to five letters of each word, its ends marked: words that no training case had share
/// parts with words that one had.
pub fn grams(text: &str) -> impl Iterator<Item = usize> {
    let lower = text.to_ascii_lowercase();
    let words: Vec<Vec<u8>> = lower
        .split(|c: char| !c.is_ascii_lowercase())
        .filter(|word| !word.is_empty())
        .map(|word| [b" ", word.as_bytes(), b" "].concat())
        .collect();
    words.into_iter().flat_map(|word| {
        let places: Vec<usize> = (3..=5).flat_map(|n| word.windows(n).map(place).collect::<Vec<_>>()).collect();
        places
    })
}

/// FNV-1a: stable across releases of the standard library, which its hasher is not.
fn place(gram: &[u8]) -> usize {
    let hash = gram.iter().fold(0xcbf2_9ce4_8422_2325_u64, |h, b| (h ^ u64::from(*b)).wrapping_mul(0x0100_0000_01b3));
    usize::try_from(hash % GRAMS as u64).unwrap_or(0)
}

fn counted(places: impl Iterator<Item = usize>) -> Vec<(usize, f64)> {
    let mut counts: BTreeMap<usize, f64> = BTreeMap::new();
    places.for_each(|place| *counts.entry(place).or_default() += 1.0);
    counts.into_iter().collect()
}

fn without_placeholders(line: &str) -> std::borrow::Cow<'_, str> {
    let mut text = std::borrow::Cow::Borrowed(line);
    while let Some(start) = text.find("[redacted:") {
        let end = text[start..].find(']').map_or(text.len(), |end| start + end + 1);
        text = format!("{}{}", &text[..start], &text[end..]).into();
    }
    text
}

/// Words in order; `true` marks the parts of the name before them.
fn words(line: &str) -> Vec<(String, bool)> {
    let mut words = Vec::new();
    // The kind of a secret that was taken out is our word, not the log's.
    let line = &without_placeholders(line);
    for raw in line.split(|c: char| !(c.is_alphanumeric() || c == '_')) {
        let raw = raw.trim_matches('_');
        if raw.is_empty() {
            continue;
        }
        let digits = raw.bytes().filter(u8::is_ascii_digit).count();
        if digits == raw.len() {
            // Statuses and ports name things (`502`, `5432`); longer numbers count things.
            words.push((if (3..=5).contains(&raw.len()) { raw.to_owned() } else { "<num>".to_owned() }, false));
            continue;
        }
        if digits > 4 || raw.len() > 60 || (digits > 1 && raw.len() >= 8 && raw.bytes().all(|b| b.is_ascii_hexdigit()))
        {
            words.push(("<id>".to_owned(), false));
            continue;
        }
        words.push((raw.to_lowercase(), false));
        let parts = crate::words::parts(raw);
        if parts.len() > 1 {
            words.extend(parts.iter().map(|part| (part.to_lowercase(), true)));
            words.extend(
                parts.windows(2).map(|pair| (format!("{} {}", pair[0].to_lowercase(), pair[1].to_lowercase()), true)),
            );
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_pairs_and_parts_of_names_are_terms() {
        let terms = terms("java.lang.OutOfMemoryError: status 502 after 123456 ms");
        for term in ["outofmemoryerror", "memory", "of memory", "502", "<num>", "status 502"] {
            assert!(terms.contains_key(term), "{term}: {terms:?}");
        }
    }
}
