//! The disk below the store: opening, flushing for good, room.

use std::collections::BTreeSet;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::mpsc;

use tokio::sync::oneshot;

use super::StoreError;
use super::seal::Seal;

/// Memory that sled may use for pages it has read, in bytes.
const CACHE: u64 = 64 << 20;

/// Size of the parts in which sled writes its file, in bytes. With its own 512 KiB, a write that needs a new part soon comes to
/// wait for the file to be cut, while the threads that cut it wait for the write (docs/adr/0009). The file is always cut before
/// 4 MiB are written.
const SEGMENT: usize = 4 << 20;

/// Key of the number of flushes.
const EPOCH: &str = "epoch";
/// What is said when another process has the store open.
pub const IN_USE: &str = "another process has it open. Stop that one, or set CLEW_DATA_DIR to another folder";

/// What to do about a damaged store.
pub const REMEDY: &str =
    "It is left as it is. Move it away, and restore a backup with `clew restore FILE` or start empty";

/// Tells whoever waits what came of a flush.
type Answer = Box<dyn FnOnce(Result<(), StoreError>) + Send>;

/// Opens or makes the database at `path`.
///
/// # Errors
/// The reason with its remedy.
pub fn open(path: &Path) -> Result<sled::Db, String> {
    // sled panics on some damages instead of giving an error. What it says then is of no use to a reader, the remedy is.
    let opened = std::panic::catch_unwind(|| {
        sled::Config::new().path(path).cache_capacity(CACHE).segment_size(segment_size(path)).open()
    });
    match opened {
        Ok(Ok(db)) => Ok(db),
        Ok(Err(sled::Error::Io(io))) if io.to_string().contains("lock") => Err(IN_USE.into()),
        Ok(Err(sled::Error::Io(io))) if io.kind() == std::io::ErrorKind::StorageFull => {
            Err(format!("{io}. Free some room on the disk"))
        }
        Ok(Err(sled::Error::Io(io))) if is_about_permission(&io) => {
            Err(format!("{io}. Make the folder writable for this user, or set CLEW_DATA_DIR to one that is"))
        }
        Ok(Err(error)) => Err(format!("it is damaged ({error}). {REMEDY}")),
        Err(_) => Err(format!("it is damaged. {REMEDY}")),
    }
}

/// A store that was made with another size keeps it.
fn segment_size(path: &Path) -> usize {
    let known = std::fs::read_to_string(path.join("conf")).unwrap_or_default();
    let size = known.lines().find_map(|line| line.strip_prefix("segment_size: ")?.trim().parse().ok());
    size.filter(|size: &usize| size.is_power_of_two() && (256..=1 << 24).contains(size)).unwrap_or(SEGMENT)
}

/// Whether another process has the database at `path` open.
#[must_use]
pub fn is_in_use(path: &Path) -> bool {
    File::open(path.join("db")).is_ok_and(|file| matches!(file.try_lock(), Err(std::fs::TryLockError::WouldBlock)))
}

fn is_about_permission(error: &std::io::Error) -> bool {
    matches!(error.kind(), std::io::ErrorKind::PermissionDenied | std::io::ErrorKind::ReadOnlyFilesystem)
}

/// Room on the disk that holds `directory`, in MiB.
#[must_use]
pub fn free_mib(directory: &Path) -> u64 {
    rustix::fs::statvfs(directory).map_or(u64::MAX, |disk| disk.f_bavail.saturating_mul(disk.f_frsize) >> 20)
}

/// Flushes for all who wait, at once: one flush serves everybody who asked before it began.
pub struct Flusher {
    asked: Option<mpsc::Sender<Answer>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Flusher {
    /// Starts the thread that flushes `db` at `path`. `meta` is where it writes how often it did.
    ///
    /// # Errors
    /// When the database file cannot be opened a second time, for syncing it.
    pub fn start(db: sled::Db, meta: sled::Tree, path: &Path, seal: Seal) -> std::io::Result<Self> {
        let (file, blobs) = (File::open(path.join("db"))?, path.join("blobs"));
        let epoch = epoch(&meta).unwrap_or(0);
        let mut disk = Disk { db, meta, file, blobs, synced: BTreeSet::new(), seal, epoch };
        disk.synced = disk.blobs_now()?;
        let (asked, asks) = mpsc::channel::<Answer>();
        let thread = std::thread::Builder::new().name("flush".into()).spawn(move || {
            while let Ok(first) = asks.recv() {
                let waiting: Vec<Answer> = std::iter::once(first).chain(asks.try_iter()).collect();
                let result = disk.flush();
                waiting.into_iter().for_each(|answer| answer(result.clone()));
            }
        })?;
        Ok(Self { asked: Some(asked), thread: Some(thread) })
    }

    /// Returns when all that was written until now is on disk.
    ///
    /// # Errors
    /// When the disk refuses.
    pub async fn flushed(&self) -> Result<(), StoreError> {
        let (answer, answered) = oneshot::channel();
        // Who asked may have gone.
        self.ask(Box::new(move |result| drop(answer.send(result))))?;
        answered.await.map_err(|_| stopped())?
    }

    /// As [`Flusher::flushed`], for threads.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn flush(&self) -> Result<(), StoreError> {
        let (answer, answered) = mpsc::channel();
        self.ask(Box::new(move |result| drop(answer.send(result))))?;
        answered.recv().map_err(|_| stopped())?
    }

    fn ask(&self, answer: Answer) -> Result<(), StoreError> {
        self.asked.as_ref().ok_or_else(stopped)?.send(answer).map_err(|_| stopped())
    }
}

/// The store is being closed.
pub fn stopped() -> StoreError {
    StoreError::Failed("the thread that flushes has stopped".into())
}

impl Drop for Flusher {
    fn drop(&mut self) {
        self.asked = None;
        if let Some(thread) = self.thread.take() {
            // It ends when nobody can ask any more. If it panicked, there is nothing left to wait for.
            drop(thread.join());
        }
    }
}

/// How often the store was flushed, as the store itself knows.
///
/// # Errors
/// When it cannot be read.
pub fn epoch(meta: &sled::Tree) -> Result<u64, sled::Error> {
    let bytes = meta.get(EPOCH)?;
    Ok(bytes.and_then(|bytes| bytes.as_ref().try_into().ok()).map_or(0, u64::from_be_bytes))
}

struct Disk {
    db: sled::Db,
    meta: sled::Tree,
    seal: Seal,
    epoch: u64,
    file: File,
    blobs: PathBuf,
    synced: BTreeSet<std::ffi::OsString>,
}

impl Disk {
    /// sled's own flush hands the data to the kernel and asks for it to be written (`sync_file_range`), which survives a
    /// kill but not a power cut: so the file is synced after it, and the files that large values lie in.
    fn flush(&mut self) -> Result<(), StoreError> {
        let failed = |error: std::io::Error| StoreError::Failed(error.to_string());
        self.epoch += 1;
        self.meta.insert(EPOCH, &self.epoch.to_be_bytes())?;
        self.db.flush()?;
        let blobs = self.blobs_now().map_err(failed)?;
        let mut added = false;
        for name in blobs.difference(&self.synced) {
            match File::open(self.blobs.join(name)) {
                Ok(file) => file.sync_all().map_err(failed)?,
                // A value that was replaced meanwhile is gone.
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                Err(error) => return Err(failed(error)),
            }
            added = true;
        }
        if added {
            File::open(&self.blobs).and_then(|folder| folder.sync_all()).map_err(failed)?;
        }
        self.synced = blobs;
        self.file.sync_data().map_err(failed)?;
        // After the sync and never before it: what the witness knows of is on disk.
        self.seal.witness(self.epoch).map_err(failed)
    }

    fn blobs_now(&self) -> std::io::Result<BTreeSet<std::ffi::OsString>> {
        match std::fs::read_dir(&self.blobs) {
            Ok(entries) => entries.map(|entry| entry.map(|entry| entry.file_name())).collect(),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(BTreeSet::new()),
            Err(error) => Err(error),
        }
    }
}
