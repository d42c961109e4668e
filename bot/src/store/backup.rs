//! Backups: everything that is kept, in one file, taken while the program runs.
//!
//! A backup is `CLEWBAK1`, then records (kind, length of the name, length of the value, name, value; lengths are 4 and 8
//! bytes, big-endian), then a record of kind 0 whose value is the SHA-256 of all that stands before it. Kind 1 is an entry of
//! a tree (name: tree, 0, key), kind 2 a file of the learned and imported knowledge (name: its path).

use std::io::{Read, Write};
use std::path::{Component, Path};

use sha2::{Digest, Sha256};

use super::seal::{Seal, files};
use super::{Store, StoreError, TREES};

const MAGIC: &[u8; 8] = b"CLEWBAK1";
const END: u8 = 0;
const ENTRY: u8 = 1;
const FILE: u8 = 2;
/// Folder of the data folder that is kept besides the store.
const KNOWLEDGE: &str = "knowledge";
/// Longest name and value of a record, in bytes: what is longer was not written by us.
const MAX_RECORD: u64 = 1 << 30;
/// Entries that are put back at once.
const AT_ONCE: usize = 1_000;

/// Why a backup cannot be made or put back.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The store fails.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A file cannot be read or written.
    #[error("{0}")]
    Io(#[from] std::io::Error),
    /// The file is no backup, or damaged.
    #[error("{0}")]
    Damaged(String),
}

impl From<sled::Error> for BackupError {
    fn from(error: sled::Error) -> Self {
        Self::Store(error.into())
    }
}

impl Store {
    /// Writes everything that is kept to `out`: the state at one moment. Nothing is changed meanwhile; whoever wants to
    /// change something waits.
    ///
    /// # Errors
    /// When the store fails or `out` cannot be written.
    pub fn backup(&self, out: impl Write) -> Result<(), BackupError> {
        let _alone = self.writer.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let mut out = Hashed { inner: out, hash: Sha256::new() };
        out.write_all(MAGIC)?;
        for ((_, name), tree) in TREES.iter().zip(&self.trees) {
            for entry in tree {
                let (key, value) = entry?;
                record(&mut out, ENTRY, &[name.as_bytes(), &[0], &key].concat(), &value)?;
            }
        }
        let folder = self.directory.join(KNOWLEDGE);
        for path in files(&folder)? {
            let name = path.strip_prefix(&folder).unwrap_or(&path).to_string_lossy().into_owned();
            record(&mut out, FILE, name.as_bytes(), &std::fs::read(&path)?)?;
        }
        let sum = out.hash.clone().finalize();
        record(&mut out, END, b"sha256", &sum)?;
        out.flush()?;
        Ok(())
    }
}

/// Puts the backup in `file` into `directory`, which must not hold a store yet. It is checked whole before anything is
/// written.
///
/// # Errors
/// When the file is damaged, `directory` holds a store, or cannot be written.
pub fn restore(file: &Path, directory: &Path) -> Result<(), BackupError> {
    let store = directory.join("store");
    if store.exists() {
        return Err(BackupError::Damaged(format!(
            "{} holds a store already; move it away first, or set CLEW_DATA_DIR to another folder",
            directory.display()
        )));
    }
    let open = || Ok::<_, BackupError>(std::io::BufReader::new(std::fs::File::open(file)?));
    read(open()?, |_, _, _| Ok(()))?;
    std::fs::create_dir_all(directory)?;
    // Built beside its place: an interrupted restore leaves no half a store behind that looks like one.
    let building = directory.join("store.restoring");
    if building.exists() {
        std::fs::remove_dir_all(&building)?;
    }
    let db = super::disk::open(&building).map_err(BackupError::Damaged)?;
    let mut batches: std::collections::BTreeMap<String, (sled::Batch, usize)> = std::collections::BTreeMap::new();
    read(open()?, |kind, name, value| {
        if kind == FILE {
            return put_file(directory, &String::from_utf8_lossy(name), value);
        }
        let place = name.iter().position(|byte| *byte == 0).unwrap_or(name.len());
        let tree = String::from_utf8_lossy(&name[..place]).into_owned();
        let (batch, count) = batches.entry(tree.clone()).or_default();
        batch.insert(name.get(place + 1..).unwrap_or_default(), value);
        *count += 1;
        if *count == AT_ONCE {
            *count = 0;
            db.open_tree(tree)?.apply_batch(std::mem::take(batch))?;
        }
        Ok(())
    })?;
    for (tree, (batch, _)) in batches {
        db.open_tree(tree)?.apply_batch(batch)?;
    }
    db.flush()?;
    drop(db);
    for path in files(&building)? {
        std::fs::File::open(path)?.sync_all()?;
    }
    std::fs::rename(&building, &store)?;
    let seal = Seal::of(directory);
    seal.forget()?;
    seal.close()?;
    Ok(())
}

/// Puts back a file of the knowledge. A name that leads out of its folder is refused.
fn put_file(directory: &Path, name: &str, value: &[u8]) -> Result<(), BackupError> {
    let path = Path::new(name);
    if !path.components().all(|part| matches!(part, Component::Normal(_))) {
        return Err(BackupError::Damaged(format!("the backup names a file outside of its folder: {name:?}")));
    }
    let path = directory.join(KNOWLEDGE).join(path);
    if let Some(parent) = path.parent() {
        std::fs::create_dir_all(parent)?;
    }
    std::fs::write(path, value)?;
    Ok(())
}

fn record(out: &mut impl Write, kind: u8, name: &[u8], value: &[u8]) -> std::io::Result<()> {
    out.write_all(&[kind])?;
    out.write_all(&u32::try_from(name.len()).unwrap_or(u32::MAX).to_be_bytes())?;
    out.write_all(&(value.len() as u64).to_be_bytes())?;
    out.write_all(name)?;
    out.write_all(value)
}

/// Reads a backup, record by record, and checks its sum.
fn read(
    input: impl Read,
    mut take: impl FnMut(u8, &[u8], &[u8]) -> Result<(), BackupError>,
) -> Result<(), BackupError> {
    let broken = || BackupError::Damaged("the backup ends too early: it is not complete".into());
    let mut input = Hashed { inner: input, hash: Sha256::new() };
    let mut magic = [0; 8];
    input.read_exact(&mut magic).map_err(|_| broken())?;
    if &magic != MAGIC {
        return Err(BackupError::Damaged("this is no backup of Clew, or one of a later version".into()));
    }
    loop {
        let sum = input.hash.clone().finalize();
        let mut head = [0; 13];
        input.read_exact(&mut head).map_err(|_| broken())?;
        let [kind, ..] = head;
        let name_len = u64::from(u32::from_be_bytes([head[1], head[2], head[3], head[4]]));
        let value_len = head[5..].try_into().map_or(u64::MAX, u64::from_be_bytes);
        if name_len > MAX_RECORD || value_len > MAX_RECORD || kind > FILE {
            return Err(BackupError::Damaged("the backup is damaged: a record of it makes no sense".into()));
        }
        let mut bytes = Vec::new();
        (&mut input).take(name_len + value_len).read_to_end(&mut bytes)?;
        if bytes.len() as u64 != name_len + value_len {
            return Err(broken());
        }
        let (name, value) = bytes.split_at(usize::try_from(name_len).unwrap_or(usize::MAX).min(bytes.len()));
        if kind == END {
            let same = value == sum.as_slice();
            return if same {
                Ok(())
            } else {
                Err(BackupError::Damaged("the backup is damaged: its sum does not fit".into()))
            };
        }
        take(kind, name, value)?;
    }
}

/// Reads or writes, and sums up what passes.
struct Hashed<T> {
    inner: T,
    hash: Sha256,
}

impl<T: Write> Write for Hashed<T> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let written = self.inner.write(bytes)?;
        self.hash.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.inner.flush()
    }
}

impl<T: Read> Read for Hashed<T> {
    fn read(&mut self, bytes: &mut [u8]) -> std::io::Result<usize> {
        let read = self.inner.read(bytes)?;
        self.hash.update(&bytes[..read]);
        Ok(read)
    }
}
