//! Noticing that the store is not what was written.
//!
//! sled takes a damage in its file for the torn end of a crash: it drops what lies behind and opens without a word. So the
//! store is sealed when it is closed (a sum over its files, checked before sled may touch them), and while it is open a
//! witness beside it knows how far it was flushed (checked after a start without a seal, which works on the original only
//! once a copy of it has passed).

use std::io::Read;
use std::path::{Path, PathBuf};

use clew_pipeline::models::hex;
use sha2::{Digest, Sha256};

/// Sum over the files of a closed store.
const SEAL: &str = "seal";
/// How far an open store was flushed.
const WITNESS: &str = "witness";

/// How a store was left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Left {
    /// There is none.
    New,
    /// Closed, and as it was closed.
    Sealed,
    /// Not closed: a crash.
    Open,
    /// Closed, and changed since: damaged.
    Broken,
}

/// The folder of the store, and what stands beside it.
#[derive(Debug, Clone)]
pub struct Seal {
    store: PathBuf,
    directory: PathBuf,
}

impl Seal {
    /// Of the store in the data folder `directory`.
    #[must_use]
    pub fn of(directory: &Path) -> Self {
        Self { store: directory.join("store"), directory: directory.to_owned() }
    }

    /// How the store was left. Reads all of it when it was closed.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn look(&self) -> std::io::Result<Left> {
        if !self.store.join("db").exists() {
            return Ok(Left::New);
        }
        match std::fs::read_to_string(self.file(SEAL)) {
            Ok(sum) if sum == self.sum()? => Ok(Left::Sealed),
            Ok(_) => Ok(Left::Broken),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Left::Open),
            Err(error) => Err(error),
        }
    }

    /// Seals a closed store.
    ///
    /// # Errors
    /// When its files cannot be read or the seal cannot be written.
    pub fn close(&self) -> std::io::Result<()> {
        write(&self.file(SEAL), &self.sum()?)
    }

    /// Breaks the seal: from now on the store is open.
    ///
    /// # Errors
    /// When the seal cannot be removed.
    pub fn open(&self) -> std::io::Result<()> {
        match std::fs::remove_file(self.file(SEAL)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// Notes that everything up to flush number `epoch` is on disk.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn witness(&self, epoch: u64) -> std::io::Result<()> {
        std::fs::write(self.file(WITNESS), format!("{epoch}\n"))
    }

    /// The last flush that the witness knows of. A witness that cannot be read knows of none.
    #[must_use]
    pub fn witnessed(&self) -> u64 {
        std::fs::read_to_string(self.file(WITNESS)).ok().and_then(|text| text.trim().parse().ok()).unwrap_or(0)
    }

    /// Forgets all that is known of a store.
    ///
    /// # Errors
    /// When it cannot be removed.
    pub fn forget(&self) -> std::io::Result<()> {
        for name in [SEAL, WITNESS] {
            match std::fs::remove_file(self.file(name)) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }

    /// Puts a copy of the store beside it.
    ///
    /// # Errors
    /// When there is no room.
    pub fn copy(&self) -> std::io::Result<()> {
        let copy = self.file("copy");
        if copy.exists() {
            std::fs::remove_dir_all(&copy)?;
        }
        for path in files(&self.store)? {
            let target = copy.join(path.strip_prefix(&self.store).unwrap_or(&path));
            if let Some(parent) = target.parent() {
                std::fs::create_dir_all(parent)?;
            }
            std::fs::copy(&path, &target)?;
        }
        Ok(())
    }

    /// Removes the copy: the store has passed.
    ///
    /// # Errors
    /// When it cannot be removed.
    pub fn drop_copy(&self) -> std::io::Result<()> {
        match std::fs::remove_dir_all(self.file("copy")) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// Puts the copy back in its place: the store has not passed, and is left as it was found.
    ///
    /// # Errors
    /// When it cannot be moved.
    pub fn put_copy_back(&self) -> std::io::Result<()> {
        if !self.file("copy").exists() {
            return Ok(());
        }
        std::fs::remove_dir_all(&self.store)?;
        std::fs::rename(self.file("copy"), &self.store)
    }

    fn file(&self, name: &str) -> PathBuf {
        self.directory.join(format!("store.{name}"))
    }

    fn sum(&self) -> std::io::Result<String> {
        let mut sum = Sha256::new();
        let mut buffer = vec![0; 1 << 16];
        for path in files(&self.store)? {
            sum.update(path.strip_prefix(&self.store).unwrap_or(&path).to_string_lossy().as_bytes());
            let mut file = std::fs::File::open(&path)?;
            loop {
                let read = file.read(&mut buffer)?;
                if read == 0 {
                    break;
                }
                sum.update(&buffer[..read]);
            }
        }
        Ok(hex(&sum.finalize()))
    }
}

/// Writes beside `path` and renames, so that it is there whole or not at all.
fn write(path: &Path, text: &str) -> std::io::Result<()> {
    let temporary = path.with_extension("new");
    std::fs::write(&temporary, text)?;
    std::fs::File::open(&temporary)?.sync_all()?;
    std::fs::rename(&temporary, path)
}

/// All files below `folder`, in order. There are none when there is no folder.
///
/// # Errors
/// When a folder cannot be read.
pub fn files(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(found),
        Err(error) => return Err(error),
    };
    for entry in entries {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(files(&path)?);
        } else {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}
