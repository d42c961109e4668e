//! What was answered before. GitHub counts no call whose answer is still the same, if it is told which answer is meant.

use std::collections::HashMap;
use std::sync::Arc;

/// Most addresses that are remembered.
const MOST: usize = 256;
/// Most bytes of all answers together.
const MOST_BYTES: usize = 32 << 20;

/// An answer.
#[derive(Debug, Clone)]
pub struct Kept {
    /// What GitHub calls this answer.
    pub etag: String,
    /// The answer.
    pub body: Arc<[u8]>,
}

/// Answers by address. The one that was not asked for the longest goes first.
#[derive(Debug, Default)]
pub struct Seen {
    kept: HashMap<String, (u64, Kept)>,
    bytes: usize,
    uses: u64,
}

impl Seen {
    /// What was answered there.
    pub fn get(&mut self, url: &str) -> Option<Kept> {
        self.uses += 1;
        let (used, kept) = self.kept.get_mut(url)?;
        *used = self.uses;
        Some(kept.clone())
    }

    /// Remembers an answer.
    pub fn put(&mut self, url: &str, kept: Kept) {
        self.forget(url);
        if kept.body.len() > MOST_BYTES {
            return;
        }
        self.uses += 1;
        self.bytes += kept.body.len();
        self.kept.insert(url.to_owned(), (self.uses, kept));
        while self.kept.len() > MOST || self.bytes > MOST_BYTES {
            let oldest = self.kept.iter().min_by_key(|(_, (used, _))| *used).map(|(url, _)| url.clone());
            let Some(oldest) = oldest else { return };
            self.forget(&oldest);
        }
    }

    fn forget(&mut self, url: &str) {
        if let Some((_, old)) = self.kept.remove(url) {
            self.bytes -= old.body.len();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(bytes: usize) -> Kept {
        Kept { etag: "\"a\"".into(), body: vec![0; bytes].into() }
    }

    #[test]
    fn what_is_asked_for_stays() {
        let mut seen = Seen::default();
        seen.put("first", kept(1));
        for n in 0..MOST - 1 {
            seen.put(&n.to_string(), kept(1));
        }
        assert!(seen.get("first").is_some());
        seen.put("one more", kept(1));
        assert!(seen.get("first").is_some());
        assert!(seen.get("0").is_none(), "nobody asked for it");
        assert_eq!(seen.bytes, MOST);
    }

    #[test]
    fn memory_is_bounded() {
        let mut seen = Seen::default();
        seen.put("too large", kept(MOST_BYTES + 1));
        assert!(seen.get("too large").is_none());
        for n in 0..10 {
            seen.put(&n.to_string(), kept(MOST_BYTES / 4));
        }
        assert!(seen.bytes <= MOST_BYTES && seen.get("9").is_some() && seen.get("0").is_none());
        seen.put("9", kept(1));
        assert_eq!(seen.bytes, MOST_BYTES / 4 * 3 + 1);
    }
}
