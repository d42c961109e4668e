//! Nearest neighbours of an embedding among the entries' vectors, with usearch.
//!
//! The vectors are computed from the entries and kept in a checksummed cache file; the index is built from them in
//! memory at every load (a flipped bit in a stored usearch index would load silently).

use std::collections::HashMap;
use std::path::Path;

use usearch::{Index, IndexOptions, MetricKind, ScalarKind};

use crate::embedding::{DIMENSIONS, Embedder, Embedding};
use crate::models::sha256;

/// Vectors of texts, by the text's SHA-256. Survives restarts so that start-up does not embed everything again.
#[derive(Debug, Default)]
pub struct VectorCache {
    /// Vectors that came with the models.
    shipped: HashMap<String, Embedding>,
    vectors: HashMap<String, Embedding>,
    changed: bool,
}

impl VectorCache {
    /// Reads the cache at `path`; a missing or damaged file is an empty cache. `shipped` are the bytes of the vectors
    /// that came with the models.
    #[must_use]
    pub fn read(path: Option<&Path>, shipped: Option<&[u8]>) -> Self {
        let vectors =
            path.and_then(|path| std::fs::read(path).ok()).and_then(|bytes| decode(&bytes)).unwrap_or_default();
        Self { shipped: shipped.and_then(decode).unwrap_or_default(), vectors, changed: false }
    }

    /// The cache as it is shipped with the models: vectors of `texts` only.
    #[must_use]
    pub fn shipped_form(texts: &[String], embedder: &Embedder) -> Vec<u8> {
        let mut cache = Self::default();
        texts.iter().for_each(|text| drop(cache.vector(text, embedder)));
        encode(&cache.vectors)
    }

    /// Computes the vectors of all `texts` that are new, on all cores.
    pub fn fill<'a>(&mut self, texts: impl Iterator<Item = &'a str>, embedder: &Embedder) {
        let mut new: Vec<&str> = texts
            .filter(|text| {
                let key = sha256(text.as_bytes());
                !self.shipped.contains_key(&key) && !self.vectors.contains_key(&key)
            })
            .collect();
        new.sort_unstable();
        new.dedup();
        let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get).min(new.len().max(1));
        let share = new.len().div_ceil(threads).max(1);
        let computed: Vec<(String, Embedding)> = std::thread::scope(|scope| {
            let workers: Vec<_> = new
                .chunks(share)
                .map(|texts| {
                    let embed = |text: &&str| Some((sha256(text.as_bytes()), embedder.embed(text).ok()?));
                    scope.spawn(move || texts.iter().filter_map(embed).collect::<Vec<_>>())
                })
                .collect();
            workers.into_iter().flat_map(|worker| worker.join().unwrap_or_default()).collect()
        });
        self.changed |= !computed.is_empty();
        self.vectors.extend(computed);
    }

    /// The vector of `text`, computed if it is new.
    pub fn vector(&mut self, text: &str, embedder: &Embedder) -> Option<Embedding> {
        let key = sha256(text.as_bytes());
        if let Some(known) = self.shipped.get(&key).or_else(|| self.vectors.get(&key)) {
            return Some(known.clone());
        }
        let vector = embedder.embed(text).ok()?;
        self.vectors.insert(key, vector.clone());
        self.changed = true;
        Some(vector)
    }

    /// Writes the cache if it changed. Failing is harmless: the vectors are computed again next time.
    pub fn write(&self, path: &Path) {
        if !self.changed {
            return;
        }
        let temporary = path.with_extension(format!("{}.new", std::process::id()));
        let written = path
            .parent()
            .map_or(Ok(()), std::fs::create_dir_all)
            .and_then(|()| std::fs::write(&temporary, encode(&self.vectors)))
            .and_then(|()| std::fs::rename(&temporary, path));
        if let Err(error) = written {
            tracing::warn!(%error, path = %path.display(), "the vector cache could not be written");
        }
    }
}

/// Layout: hex SHA-256 of the rest (64 bytes), then per vector its key (64 bytes) and its floats, little endian.
fn encode(vectors: &HashMap<String, Embedding>) -> Vec<u8> {
    let mut keys: Vec<&String> = vectors.keys().collect();
    keys.sort();
    let mut body = Vec::with_capacity(keys.len() * (64 + 4 * DIMENSIONS));
    for key in keys {
        body.extend_from_slice(key.as_bytes());
        vectors[key].iter().for_each(|x| body.extend_from_slice(&x.to_le_bytes()));
    }
    let mut bytes = sha256(&body).into_bytes();
    bytes.extend_from_slice(&body);
    bytes
}

fn decode(bytes: &[u8]) -> Option<HashMap<String, Embedding>> {
    let (sum, body) = bytes.split_at_checked(64)?;
    if sum != sha256(body).as_bytes() {
        return None;
    }
    body.chunks_exact(64 + 4 * DIMENSIONS)
        .map(|entry| {
            let key = std::str::from_utf8(&entry[..64]).ok()?.to_owned();
            let vector = entry[64..].chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect();
            Some((key, vector))
        })
        .collect()
}

/// Vectors that can be searched, numbered in the order they were given.
pub struct VectorIndex {
    index: Index,
    count: usize,
}

impl VectorIndex {
    /// Builds an index of `vectors`.
    ///
    /// # Errors
    /// When usearch cannot reserve memory.
    pub fn build(vectors: &[Embedding]) -> Result<Self, String> {
        let options = IndexOptions {
            dimensions: DIMENSIONS,
            metric: MetricKind::Cos,
            quantization: ScalarKind::F32,
            ..IndexOptions::default()
        };
        let index = Index::new(&options).map_err(|e| e.to_string())?;
        index.reserve(vectors.len().max(1)).map_err(|e| e.to_string())?;
        for (key, vector) in vectors.iter().enumerate() {
            index.add(key as u64, vector).map_err(|e| e.to_string())?;
        }
        Ok(Self { index, count: vectors.len() })
    }

    /// The numbers of the vectors nearest to `query` with their cosine, nearest first.
    #[must_use]
    pub fn nearest(&self, query: &[f32], count: usize) -> Vec<(usize, f64)> {
        if query.len() != DIMENSIONS || self.count == 0 {
            return Vec::new();
        }
        let Ok(matches) = self.index.search(query, count.min(self.count)) else { return Vec::new() };
        let found = matches.keys.iter().zip(&matches.distances);
        found.filter_map(|(key, distance)| Some((usize::try_from(*key).ok()?, f64::from(1.0 - distance)))).collect()
    }
}
