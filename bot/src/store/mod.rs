//! State on disk, in sled. The only folder that says "tree".
//!
//! Whatever happens at once is one [`Batch`], written in one transaction by one writer at a time. A batch is in memory until
//! a flush: ask [`Store::kept`] before anyone outside is told.

mod backup;
mod batch;
mod disk;
mod incidents;
mod jobs;
mod messages;
mod notes;
mod retention;
mod seal;
mod tickets;
mod verdicts;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use clew_pipeline::models::hex;
use serde::de::DeserializeOwned;
use serde_json::Value;
use sha2::{Digest, Sha256};
use tokio::sync::mpsc;

pub use backup::{BackupError, restore};
pub use batch::Batch;
pub use incidents::Filter;
pub use jobs::Accepted;
pub use tickets::KnownPull;
pub use verdicts::Replay;

use crate::queue::Job;
use disk::Flusher;
use seal::{Left, Seal};

/// Version of the layout. An older store is brought to it at start, a newer one refused.
const SCHEMA: u64 = 3;
/// Entries of the audit trail that are kept.
const MAX_AUDIT: usize = 10_000;

/// Why the store cannot be used, with the remedy.
#[derive(Debug, Clone, thiserror::Error)]
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
    Failed(String),
    /// A value is not what was written.
    #[error("the store holds a damaged value: {0}")]
    Damaged(String),
    /// There is no room on the disk.
    #[error(
        "the disk with the store has less room than data.min_free_mib; nothing is written until there is more: free some, or lower the setting"
    )]
    DiskFull,
}

impl StoreError {
    /// Whether another process has the store open.
    #[must_use]
    pub fn is_in_use(&self) -> bool {
        matches!(self, Self::Open { why, .. } if why == disk::IN_USE)
    }
}

impl From<sled::Error> for StoreError {
    fn from(error: sled::Error) -> Self {
        Self::Failed(error.to_string())
    }
}

impl From<serde_json::Error> for StoreError {
    fn from(error: serde_json::Error) -> Self {
        Self::Damaged(error.to_string())
    }
}

/// The trees. Keys are big-endian numbers or texts, values JSON unless said otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Tree {
    /// Name → the version of the layout, the secret, the last numbers of incidents and tickets, until when changes outside are known,
    /// what chat platforms note.
    Meta,
    /// `changed` → settings changed by `POST /config`.
    Settings,
    /// Number → entry of the audit trail.
    Audit,
    /// Link → verdict.
    Replays,
    /// Number → link, in the order of their making.
    ReplayOrder,
    /// Service → what is normal for it.
    Baselines,
    /// Delivery key → when it came, in RFC 3339.
    Deliveries,
    /// Number → delivery that is not worked off yet.
    Intake,
    /// Number of a delivery → how many of its alerts are worked off.
    Progress,
    /// Number → job.
    Jobs,
    /// Subject → number of the job that is about it.
    JobSubjects,
    /// Number → incident.
    Incidents,
    /// Incident, number → event.
    Events,
    /// Fingerprint, begin → alert record.
    Alerts,
    /// Incident, fingerprint, begin → nothing.
    IncidentAlerts,
    /// Fingerprint → its latest begin and incident.
    Fingerprints,
    /// Group → incident.
    Groups,
    /// Template, incident counted down → nothing.
    Templates,
    /// Incident → its whole verdict.
    Verdicts,
    /// Incident → the redacted text that its verdict rests on.
    Texts,
    /// Platform, channel, thread → incident.
    Threads,
    /// Number → message of the console chat.
    Messages,
    /// Key of a message of the console chat → its number.
    MessageKeys,
    /// Channel, thread, number → nothing.
    MessagePlaces,
    /// Number → own ticket.
    Tickets,
    /// Marker, number → nothing.
    TicketMarkers,
    /// Tracker, key → the incidents of a ticket.
    TicketIncidents,
    /// Repository, number → what is known of a pull request.
    Pulls,
}

/// All trees with their names, in the order of [`Tree`].
const TREES: [(Tree, &str); 28] = [
    (Tree::Meta, "meta"),
    (Tree::Settings, "settings"),
    (Tree::Audit, "audit"),
    (Tree::Replays, "replays"),
    (Tree::ReplayOrder, "replay_order"),
    (Tree::Baselines, "baselines"),
    (Tree::Deliveries, "deliveries"),
    (Tree::Intake, "intake"),
    (Tree::Progress, "progress"),
    (Tree::Jobs, "jobs"),
    (Tree::JobSubjects, "job_subjects"),
    (Tree::Incidents, "incidents"),
    (Tree::Events, "events"),
    (Tree::Alerts, "alerts"),
    (Tree::IncidentAlerts, "incident_alerts"),
    (Tree::Fingerprints, "fingerprints"),
    (Tree::Groups, "groups"),
    (Tree::Templates, "templates"),
    (Tree::Verdicts, "verdicts"),
    (Tree::Texts, "texts"),
    (Tree::Threads, "threads"),
    (Tree::Messages, "messages"),
    (Tree::MessageKeys, "message_keys"),
    (Tree::MessagePlaces, "message_places"),
    (Tree::Tickets, "tickets"),
    (Tree::TicketMarkers, "ticket_markers"),
    (Tree::TicketIncidents, "ticket_incidents"),
    (Tree::Pulls, "pulls"),
];

/// The open store.
pub struct Store {
    /// Nothing once it is being closed.
    db: Option<sled::Db>,
    trees: Vec<sled::Tree>,
    directory: PathBuf,
    seal: Seal,
    /// Held while a change is decided and written.
    writer: Mutex<()>,
    /// Whether there is too little room on the disk to write anything.
    is_full: AtomicBool,
    /// Nothing once it is being closed.
    flusher: Option<Flusher>,
    /// Where new jobs are told.
    jobs: mpsc::UnboundedSender<Job>,
    /// Verdicts in `replays`.
    kept: AtomicUsize,
    /// Why the last write failed. sled does not recover from a failed write: until the next start, every other fails, too.
    broken: Mutex<Option<String>>,
    secret: [u8; 32],
}

impl Store {
    /// Opens or makes the store in `directory`. Every job in it, and every one that is added later, comes out of the
    /// receiver.
    ///
    /// # Errors
    /// When the folder cannot be written, another process has it open, or its layout is of a later version.
    pub fn open(directory: &Path) -> Result<(Self, mpsc::UnboundedReceiver<Job>), StoreError> {
        let path = directory.join("store");
        let refuse = |why: String| StoreError::Open { path: path.display().to_string(), why };
        let unreadable = |e: std::io::Error| {
            let remedy = match e.kind() {
                std::io::ErrorKind::StorageFull => "Free some room on its disk",
                _ => "Set CLEW_DATA_DIR to a folder that can be read and written",
            };
            refuse(format!("{e}. {remedy}"))
        };
        std::fs::create_dir_all(directory).map_err(unreadable)?;
        let seal = Seal::of(directory);
        let left = seal.look().map_err(unreadable)?;
        if left == Left::Broken {
            return Err(refuse(format!("it is damaged: it is not what it was when Clew stopped. {}", disk::REMEDY)));
        }
        if left == Left::Open {
            if disk::is_in_use(&path) {
                return Err(refuse(disk::IN_USE.into()));
            }
            seal.copy().map_err(unreadable)?;
        }
        let opened = disk::open(&path).map_err(refuse).and_then(|db| {
            let trees = TREES.iter().map(|(_, name)| db.open_tree(name)).collect::<Result<Vec<_>, _>>()?;
            match left {
                Left::Open => check(&trees, seal.witnessed()).map_err(refuse)?,
                Left::Sealed => check_epoch(&trees, seal.witnessed()).map_err(refuse)?,
                // What stands beside a store that is gone tells nothing about the one that is made now.
                Left::New | Left::Broken => seal.forget().map_err(unreadable)?,
            }
            Ok((db, trees))
        });
        let (db, trees) = match opened {
            Ok(opened) => opened,
            Err(error) => {
                seal.put_copy_back().map_err(unreadable)?;
                return Err(error);
            }
        };
        seal.drop_copy().and_then(|()| seal.open()).map_err(unreadable)?;
        let (jobs, told) = mpsc::unbounded_channel();
        let mut store = Self {
            flusher: Some(
                Flusher::start(db.clone(), trees[Tree::Meta as usize].clone(), &path, seal.clone())
                    .map_err(unreadable)?,
            ),
            kept: AtomicUsize::new(trees[Tree::ReplayOrder as usize].len()),
            broken: Mutex::default(),
            db: Some(db),
            seal,
            trees,
            directory: directory.to_owned(),
            writer: Mutex::new(()),
            is_full: AtomicBool::new(false),
            jobs,
            secret: [0; 32],
        };
        store.migrate().map_err(|error| match error {
            StoreError::Damaged(why) => refuse(why),
            other => other,
        })?;
        store.secret = store.secret()?;
        for job in store.jobs()? {
            drop(store.jobs.send(Job { from_before: true, ..job }));
        }
        Ok((store, told))
    }

    fn tree(&self, tree: Tree) -> &sled::Tree {
        &self.trees[tree as usize]
    }

    fn get<T: DeserializeOwned>(&self, tree: Tree, key: impl AsRef<[u8]>) -> Result<Option<T>, StoreError> {
        Ok(self.tree(tree).get(key)?.map(|bytes| serde_json::from_slice(&bytes)).transpose()?)
    }

    /// Decides and writes a change, alone: nobody else changes anything meanwhile. Not on disk before [`Store::kept`].
    ///
    /// # Errors
    /// Those of `decide`; when the store fails.
    pub fn change<T, E: From<StoreError>>(&self, decide: impl FnOnce(&mut Batch<'_>) -> Result<T, E>) -> Result<T, E> {
        if self.is_full.load(Ordering::Relaxed) {
            return Err(StoreError::DiskFull.into());
        }
        // A panic while the lock was held wrote nothing: a batch is written whole or not at all.
        let _alone = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let mut batch = Batch::new(self);
        let outcome = decide(&mut batch)?;
        // A write that works says little: it is in memory. Only a flush that works takes back what is noted here.
        let written = batch.write().inspect_err(|error| self.note(Some(error)))?;
        for job in written {
            // Nobody listens while the program ends; the job is found at the next start.
            drop(self.jobs.send(job));
        }
        Ok(outcome)
    }

    /// Returns when everything that was changed until now is on disk, safe from a crash and from a power cut.
    ///
    /// # Errors
    /// When the disk refuses.
    pub async fn kept(&self) -> Result<(), StoreError> {
        let kept = match &self.flusher {
            Some(flusher) => flusher.flushed().await,
            None => Err(disk::stopped()),
        };
        self.note(kept.as_ref().err());
        kept
    }

    /// Remembers why writing does not work, or that it does, for the readiness probe.
    fn note(&self, error: Option<&StoreError>) {
        let mut broken = self.broken.lock().unwrap_or_else(PoisonError::into_inner);
        match (error, &*broken) {
            // Said once, however many changes are refused because of it.
            (Some(error), None) => tracing::error!(%error, "the store can no longer be written"),
            (None, Some(_)) => tracing::info!("the store can be written again"),
            _ => {}
        }
        *broken = error.map(ToString::to_string);
    }

    /// Whether the last write failed.
    #[must_use]
    pub fn is_broken(&self) -> bool {
        self.broken.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    /// As [`Store::kept`], for threads.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn flush(&self) -> Result<(), StoreError> {
        self.flusher.as_ref().map_or_else(|| Err(disk::stopped()), Flusher::flush)
    }

    /// A number that was never given before and is larger than all that were.
    fn next_number(&self) -> Result<u64, StoreError> {
        self.db.as_ref().map_or_else(|| Err(disk::stopped()), |db| Ok(db.generate_id()?))
    }

    /// Looks whether the disk has `least` MiB of room. Without, nothing is written. Returns whether that changed.
    pub fn measure(&self, least: u64) -> bool {
        let is_full = disk::free_mib(&self.directory) < least;
        self.is_full.swap(is_full, Ordering::Relaxed) != is_full
    }

    /// Whether there is too little room on the disk to write anything.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.is_full.load(Ordering::Relaxed)
    }

    /// Brings an older store to this version's layout, one version after the other.
    fn migrate(&self) -> Result<(), StoreError> {
        let meta = self.tree(Tree::Meta);
        let found = match meta.get("schema")? {
            Some(bytes) => bytes.as_ref().try_into().map_or(u64::MAX, u64::from_be_bytes),
            None => SCHEMA,
        };
        if found > SCHEMA {
            return Err(StoreError::Damaged(format!(
                "its layout is version {found}, and this Clew knows versions up to {SCHEMA}. Start the version of Clew that wrote it, or a later one"
            )));
        }
        // From 1 to 3, trees were added and none changed: opening them was all.
        if found < SCHEMA {
            tracing::info!(
                from = found,
                to = SCHEMA,
                "the store has the layout of an older version and was brought up to date"
            );
        }
        meta.insert("schema", &SCHEMA.to_be_bytes())?;
        Ok(())
    }

    /// The random number that makes this store's names its own; made once.
    fn secret(&self) -> Result<[u8; 32], StoreError> {
        let meta = self.tree(Tree::Meta);
        if let Some(secret) = meta.get("secret")?.and_then(|bytes| bytes.as_ref().try_into().ok()) {
            return Ok(secret);
        }
        let mut secret = [0; 32];
        getrandom::fill(&mut secret)
            .map_err(|e| StoreError::Failed(format!("the system gives no random numbers: {e}")))?;
        meta.insert("secret", &secret)?;
        Ok(secret)
    }

    /// A name that is the same for the same `parts`, and not to be guessed by anybody who does not have this store.
    #[must_use]
    pub fn name_of(&self, parts: &[&str]) -> String {
        let mut hash = Sha256::new_with_prefix(self.secret);
        for part in parts {
            hash.update(part.len().to_be_bytes());
            hash.update(part.as_bytes());
        }
        hex(&hash.finalize()[..16])
    }

    /// The settings changed by `POST /config`.
    ///
    /// # Errors
    /// When the store fails.
    pub fn settings(&self) -> Result<Value, StoreError> {
        Ok(self.get(Tree::Settings, "changed")?.unwrap_or_else(|| Value::Object(serde_json::Map::new())))
    }

    /// Keeps changed settings and notes the change in the audit trail; on disk when it returns.
    ///
    /// # Errors
    /// When the store fails.
    pub fn change_settings(&self, changed: &Value, at: &str, what: &Value) -> Result<(), StoreError> {
        let entry = serde_json::json!({ "at": at, "event": "settings_changed", "change": what });
        let number = self.next_number()?.to_be_bytes();
        self.change(|batch| {
            batch.put(Tree::Settings, "changed", changed)?;
            batch.put(Tree::Audit, number, &entry)
        })?;
        let audit = self.tree(Tree::Audit);
        while audit.len() > MAX_AUDIT {
            audit.pop_min()?;
        }
        self.flush()
    }

    /// Whether the store can be read and written, for the readiness probe.
    ///
    /// # Errors
    /// When it cannot.
    pub fn check(&self) -> Result<(), StoreError> {
        if let Some(why) = &*self.broken.lock().unwrap_or_else(PoisonError::into_inner) {
            return Err(StoreError::Failed(format!(
                "{why}. Nothing can be written until Clew is started again, with room on the disk"
            )));
        }
        self.tree(Tree::Settings).get("changed")?;
        Ok(())
    }
}

impl Drop for Store {
    /// Closes and seals it.
    fn drop(&mut self) {
        let flushed = self.flush();
        self.flusher = None;
        self.trees.clear();
        self.db = None;
        let sealed = flushed.and_then(|()| self.seal.close().map_err(|error| StoreError::Failed(error.to_string())));
        if let Err(error) = sealed {
            tracing::warn!(%error, "the store could not be sealed; the next start checks it as after a crash");
        }
    }
}

fn damaged(what: impl std::fmt::Display) -> String {
    format!("it is damaged: {what}. {}", disk::REMEDY)
}

/// Whether a store holds everything that was flushed.
fn check_epoch(trees: &[sled::Tree], witnessed: u64) -> Result<(), String> {
    let epoch = disk::epoch(&trees[Tree::Meta as usize]).map_err(damaged)?;
    if epoch < witnessed {
        let what = format!("changes that were kept are missing (flush {witnessed} is known, {epoch} is there)");
        return Err(damaged(what));
    }
    Ok(())
}

/// Whether a store that was not closed is whole: it holds everything that was flushed, and all of it can be read.
fn check(trees: &[sled::Tree], witnessed: u64) -> Result<(), String> {
    check_epoch(trees, witnessed)?;
    for tree in trees {
        for entry in tree {
            entry.map_err(damaged)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
