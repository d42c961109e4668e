//! State on disk, in sled. The only file that says "tree".

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use clew_pipeline::anomaly::baseline::Baseline;
use clew_pipeline::models::hex;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};
use sled::Transactional;
use sled::transaction::TransactionError;

/// Version of the layout; a store of another version is refused until there is a migration.
const SCHEMA: u64 = 1;
/// Entries of the audit trail that are kept.
const MAX_AUDIT: usize = 10_000;
/// Services whose baseline is kept; further ones are judged without.
const MAX_SERVICES: usize = 1_000;

/// Why the store cannot be used, with the remedy.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The folder or file cannot be used.
    #[error("the store in {path} cannot be opened: {why}")]
    Open {
        /// Folder of the store.
        path: String,
        /// Reason and remedy.
        why: String,
    },
    /// Reading or writing failed.
    #[error("the store failed: {0}")]
    Failed(#[from] sled::Error),
    /// A value is not what was written.
    #[error("the store holds a damaged value: {0}")]
    Damaged(#[from] serde_json::Error),
}

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

/// The open store.
pub struct Store {
    db: sled::Db,
    settings: sled::Tree,
    audit: sled::Tree,
    replays: sled::Tree,
    replay_order: sled::Tree,
    baselines: sled::Tree,
    /// Verdicts in `replays`.
    kept: AtomicUsize,
    secret: [u8; 32],
}

impl Store {
    /// Opens or makes the store in `directory`.
    ///
    /// # Errors
    /// When the folder cannot be written, another process has it open, or its layout is of another version.
    pub fn open(directory: &Path) -> Result<Self, StoreError> {
        let path = directory.join("store");
        let refuse = |why: String| StoreError::Open { path: path.display().to_string(), why };
        std::fs::create_dir_all(directory)
            .map_err(|e| refuse(format!("{e}. Set CLEW_DATA_DIR to a folder that can be written")))?;
        let db = sled::Config::new().path(&path).open().map_err(|error| match &error {
            sled::Error::Io(io) if io.to_string().contains("lock") => {
                refuse("another process has it open. Stop that one, or set CLEW_DATA_DIR to another folder".into())
            }
            _ => refuse(format!("{error}. Restore it from a backup, or move it away to start empty")),
        })?;
        let meta = db.open_tree("meta")?;
        match meta.get("schema")? {
            None => drop(meta.insert("schema", &SCHEMA.to_be_bytes())?),
            Some(version) if version.as_ref() == SCHEMA.to_be_bytes() => {}
            Some(_) => {
                return Err(refuse(format!(
                    "its layout is not version {SCHEMA}; it was written by another version of Clew"
                )));
            }
        }
        let secret = if let Some(secret) = meta.get("secret")?.and_then(|bytes| bytes.as_ref().try_into().ok()) {
            secret
        } else {
            let mut secret = [0; 32];
            getrandom::fill(&mut secret).map_err(|e| refuse(format!("the system gives no random numbers: {e}")))?;
            meta.insert("secret", &secret)?;
            secret
        };
        let replay_order = db.open_tree("replay_order")?;
        Ok(Self {
            secret,
            settings: db.open_tree("settings")?,
            audit: db.open_tree("audit")?,
            replays: db.open_tree("replays")?,
            baselines: db.open_tree("baselines")?,
            kept: AtomicUsize::new(replay_order.len()),
            replay_order,
            db,
        })
    }

    /// The settings changed by `POST /config`.
    ///
    /// # Errors
    /// When the store fails.
    pub fn settings(&self) -> Result<Value, StoreError> {
        match self.settings.get("changed")? {
            Some(bytes) => Ok(serde_json::from_slice(&bytes)?),
            None => Ok(Value::Object(serde_json::Map::new())),
        }
    }

    /// Keeps changed settings and notes the change in the audit trail; on disk when it returns.
    ///
    /// # Errors
    /// When the store fails.
    pub fn change_settings(&self, changed: &Value, at: &str, what: &Value) -> Result<(), StoreError> {
        self.settings.insert("changed", serde_json::to_vec(changed)?)?;
        let entry = serde_json::json!({ "at": at, "event": "settings_changed", "change": what });
        self.audit.insert(self.db.generate_id()?.to_be_bytes(), serde_json::to_vec(&entry)?)?;
        while self.audit.len() > MAX_AUDIT {
            self.audit.pop_min()?;
        }
        self.flush()
    }

    /// The name of a verdict's link: the same for the same question, and not to be guessed, not even from the log.
    #[must_use]
    pub fn replay_id(&self, question: &[&str]) -> String {
        let mut hash = Sha256::new_with_prefix(self.secret);
        for part in question {
            hash.update(part.len().to_be_bytes());
            hash.update(part.as_bytes());
        }
        hex(&hash.finalize()[..16])
    }

    /// Keeps a verdict under `id`; the oldest beyond `keep` go. Lost, at worst, with the last half second before a crash.
    ///
    /// # Errors
    /// When the store fails.
    pub fn keep_replay(&self, id: &str, replay: &Replay, keep: usize) -> Result<(), StoreError> {
        let bytes = serde_json::to_vec(replay)?;
        let place = self.db.generate_id()?.to_be_bytes();
        let added = (&self.replays, &self.replay_order)
            .transaction(|(replays, order)| {
                let added = replays.insert(id, bytes.as_slice())?.is_none();
                if added {
                    order.insert(&place, id)?;
                }
                Ok(added)
            })
            .map_err(failed)?;
        // sled counts a tree by walking it, so the count is kept beside it.
        let mut kept = self.kept.fetch_add(usize::from(added), Ordering::Relaxed) + usize::from(added);
        while kept > keep {
            let Some((place, oldest)) = self.replay_order.first()? else { break };
            (&self.replays, &self.replay_order)
                .transaction(|(replays, order)| {
                    order.remove(&place)?;
                    replays.remove(&oldest)?;
                    Ok(())
                })
                .map_err(failed)?;
            kept = self.kept.fetch_sub(1, Ordering::Relaxed) - 1;
        }
        Ok(())
    }

    /// The verdict kept under `id`.
    ///
    /// # Errors
    /// When the store fails.
    pub fn replay(&self, id: &str) -> Result<Option<Replay>, StoreError> {
        Ok(self.replays.get(id)?.map(|bytes| serde_json::from_slice(&bytes)).transpose()?)
    }

    /// What is normal for `service`, if it is known.
    ///
    /// # Errors
    /// When the store fails.
    pub fn baseline(&self, service: &str) -> Result<Option<Baseline>, StoreError> {
        Ok(self.baselines.get(service)?.map(|bytes| serde_json::from_slice(&bytes)).transpose()?)
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
        if known.is_none() && self.baselines.len() >= MAX_SERVICES {
            return Ok(());
        }
        let mut baseline = known.unwrap_or_default();
        baseline.learn(records, routine);
        self.baselines.insert(service, serde_json::to_vec(&baseline)?)?;
        Ok(())
    }

    /// Whether the store can be read, for the readiness probe.
    ///
    /// # Errors
    /// When it cannot.
    pub fn check(&self) -> Result<(), StoreError> {
        self.settings.get("changed")?;
        Ok(())
    }

    /// Writes everything to disk.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn flush(&self) -> Result<(), StoreError> {
        self.db.flush()?;
        Ok(())
    }
}

/// The reason why a transaction failed; ours never abort by themselves.
fn failed(error: TransactionError<std::convert::Infallible>) -> StoreError {
    match error {
        TransactionError::Storage(error) => StoreError::Failed(error),
        TransactionError::Abort(never) => match never {},
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn replay(n: usize) -> Replay {
        Replay { at: "2026-01-01T00:00:00Z".into(), title: None, service: None, triage: json!({ "n": n }) }
    }

    #[test]
    fn verdicts_survive_a_restart_and_the_oldest_go_first() -> Result<(), Box<dyn std::error::Error>> {
        let directory = tempfile::tempdir()?;
        {
            let store = Store::open(directory.path())?;
            for n in 0..5 {
                store.keep_replay(&format!("id{n}"), &replay(n), 3)?;
            }
            store.flush()?;
        }
        let store = Store::open(directory.path())?;
        assert!(store.replay("id1")?.is_none());
        assert_eq!(store.replay("id4")?.map(|r| r.triage), Some(json!({ "n": 4 })));
        Ok(())
    }

    #[test]
    fn a_second_process_is_told_that_the_store_is_in_use() -> Result<(), Box<dyn std::error::Error>> {
        let directory = tempfile::tempdir()?;
        let _first = Store::open(directory.path())?;
        let second = Store::open(directory.path()).err().map(|e| e.to_string()).unwrap_or_default();
        assert!(second.contains("another process has it open"), "{second}");
        Ok(())
    }
}
