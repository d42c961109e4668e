//! Verdicts that were given, and what is normal for a service.

use std::sync::atomic::Ordering;

use clew_pipeline::anomaly::baseline::Baseline;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Store, StoreError, Tree};

/// Services whose baseline is kept; further ones are judged without.
const MAX_SERVICES: usize = 1_000;

/// A verdict that was given, for its link.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Replay {
    /// When, in RFC 3339.
    pub at: String,
    /// Title that came with the lines.
    pub title: Option<String>,
    /// Service that came with the lines.
    pub service: Option<String>,
    /// The verdict as the API gave it. It holds redacted text only.
    pub triage: Value,
}

impl Store {
    /// Keeps a verdict under `id`; the oldest beyond `keep` go. Lost, at worst, with the last half second before a crash.
    ///
    /// # Errors
    /// When the store fails.
    pub fn keep_replay(&self, id: &str, replay: &Replay, keep: usize) -> Result<(), StoreError> {
        let place = self.next_number()?.to_be_bytes();
        let added = self.change(|batch| {
            let added = !self.tree(Tree::Replays).contains_key(id)?;
            batch.put(Tree::Replays, id, replay)?;
            if added {
                batch.put_bytes(Tree::ReplayOrder, place, id.as_bytes().to_vec());
            }
            Ok::<_, StoreError>(added)
        })?;
        // sled counts a tree by walking it, so the count is kept beside it.
        let mut kept = self.kept.fetch_add(usize::from(added), Ordering::Relaxed) + usize::from(added);
        while kept > keep {
            let Some((place, oldest)) = self.tree(Tree::ReplayOrder).first()? else { break };
            self.change(|batch| {
                batch.remove(Tree::ReplayOrder, &place);
                batch.remove(Tree::Replays, &oldest);
                Ok::<_, StoreError>(())
            })?;
            kept = self.kept.fetch_sub(1, Ordering::Relaxed) - 1;
        }
        Ok(())
    }

    /// The verdict kept under `id`.
    ///
    /// # Errors
    /// When the store fails.
    pub fn replay(&self, id: &str) -> Result<Option<Replay>, StoreError> {
        self.get(Tree::Replays, id)
    }

    /// What is normal for `service`, if it is known.
    ///
    /// # Errors
    /// When the store fails.
    pub fn baseline(&self, service: &str) -> Result<Option<Baseline>, StoreError> {
        self.get(Tree::Baselines, service)
    }

    /// Adds the routine templates of an input of `records` records to the baseline of `service`. Two at once for one
    /// service may cost one of the two: a baseline is a habit, not a ledger.
    ///
    /// # Errors
    /// When the store fails.
    pub fn learn_baseline<'a>(
        &self,
        service: &str,
        records: usize,
        routine: impl Iterator<Item = (&'a str, usize)>,
    ) -> Result<(), StoreError> {
        let known = self.baseline(service)?;
        if known.is_none() && self.tree(Tree::Baselines).len() >= MAX_SERVICES {
            return Ok(());
        }
        let mut baseline = known.unwrap_or_default();
        baseline.learn(records, routine);
        self.tree(Tree::Baselines).insert(service, serde_json::to_vec(&baseline)?)?;
        Ok(())
    }
}
