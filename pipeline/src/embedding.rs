//! Text to a unit vector of 384 floats with all-MiniLM-L6-v2 (BERT, 6 layers, mean pooling).

use std::collections::HashMap;
use std::path::Path;
use std::sync::Mutex;

use candle_core::quantized::gguf_file;
use candle_core::{DType, Device, IndexOp, Tensor};
use candle_nn::VarBuilder;
use candle_transformers::models::bert::{BertModel, Config};
use tokenizers::{Tokenizer, TruncationParams};

/// Length of an embedding.
pub const DIMENSIONS: usize = 384;
/// Tokens of a text that count. Time grows with the square; the first 128 tokens of a log record name the failure.
pub const MAX_TOKENS: usize = 128;
/// Bytes of a text given to the tokenizer: enough for [`MAX_TOKENS`] tokens of any script.
const MAX_BYTES: usize = 2_048;
/// Vectors remembered (1.5 KB each): alerts and logs repeat themselves.
const CACHE_ENTRIES: usize = 4_096;

/// A unit vector, or all zeros for a text without tokens.
pub type Embedding = Vec<f32>;

/// Why the model could not be loaded or run.
#[derive(Debug, thiserror::Error)]
pub enum EmbeddingError {
    /// A tensor operation or the weights file failed.
    #[error("the embedding model cannot be used: {0}")]
    Model(#[from] candle_core::Error),
    /// `tokenizer.json` or `config.json` cannot be read.
    #[error("the tokenizer or the configuration of the embedding model cannot be read: {0}")]
    Files(String),
}

/// The loaded model. Calls from several threads are fine; each computes on its own thread.
pub struct Embedder {
    model: BertModel,
    tokenizer: Tokenizer,
    cache: Mutex<HashMap<String, Embedding>>,
}

impl Embedder {
    /// Loads `model-q8_0.gguf`, `tokenizer.json` and `config.json` from `directory`.
    ///
    /// # Errors
    /// When a file is missing or is not what its name says.
    pub fn load(directory: &Path) -> Result<Self, EmbeddingError> {
        let mut file = std::fs::File::open(directory.join("model-q8_0.gguf")).map_err(candle_core::Error::from)?;
        let content = gguf_file::Content::read(&mut file)?;
        let mut tensors = HashMap::new();
        for name in content.tensor_infos.keys() {
            // Stored in 8 bits, computed in f32: candle's quantised products are slower (see models/README.md).
            let tensor = content.tensor(&mut file, name, &Device::Cpu)?.dequantize(&Device::Cpu)?;
            tensors.insert(name.clone(), tensor);
        }
        Self::build(directory, VarBuilder::from_tensors(tensors, DType::F32, &Device::Cpu))
    }

    /// Loads the original `model.safetensors` instead: what the stored weights are compared with.
    ///
    /// # Errors
    /// As [`Embedder::load`].
    pub fn load_original(directory: &Path) -> Result<Self, EmbeddingError> {
        let tensors = candle_core::safetensors::load(directory.join("model.safetensors"), &Device::Cpu)?;
        Self::build(directory, VarBuilder::from_tensors(tensors, DType::F32, &Device::Cpu))
    }

    fn build(directory: &Path, weights: VarBuilder) -> Result<Self, EmbeddingError> {
        let config = std::fs::read_to_string(directory.join("config.json"))
            .map_err(|e| EmbeddingError::Files(format!("config.json: {e}")))?;
        let config: Config =
            serde_json::from_str(&config).map_err(|e| EmbeddingError::Files(format!("config.json: {e}")))?;
        let mut tokenizer = Tokenizer::from_file(directory.join("tokenizer.json"))
            .map_err(|e| EmbeddingError::Files(format!("tokenizer.json: {e}")))?;
        // The packaged file pads every text to 128 tokens.
        tokenizer.with_padding(None);
        tokenizer
            .with_truncation(Some(TruncationParams { max_length: MAX_TOKENS, ..TruncationParams::default() }))
            .map_err(|e| EmbeddingError::Files(e.to_string()))?;
        Ok(Self { model: BertModel::load(weights, &config)?, tokenizer, cache: Mutex::new(HashMap::new()) })
    }

    /// The embedding of one text.
    ///
    /// # Errors
    /// When the model fails to compute, which no text should bring about.
    pub fn embed(&self, text: &str) -> Result<Embedding, EmbeddingError> {
        let text = crate::logs::cut(text, MAX_BYTES);
        if let Some(known) = self.cached(text) {
            return Ok(known);
        }
        let encoding = self.tokenizer.encode_fast(text, true).map_err(|e| EmbeddingError::Files(e.to_string()))?;
        let embedding = self.forward(encoding.get_ids())?;
        if let Ok(mut cache) = self.cache.lock() {
            if cache.len() >= CACHE_ENTRIES {
                cache.clear();
            }
            cache.insert(text.to_owned(), embedding.clone());
        }
        Ok(embedding)
    }

    fn cached(&self, text: &str) -> Option<Embedding> {
        self.cache.lock().ok()?.get(text).cloned()
    }

    /// One text at a time: padding a batch to its longest text costs more than a batch saves (models/README.md).
    fn forward(&self, ids: &[u32]) -> Result<Embedding, EmbeddingError> {
        let ids = Tensor::new(ids, &Device::Cpu)?.unsqueeze(0)?;
        let types = ids.zeros_like()?;
        let hidden = self.model.forward(&ids, &types, None)?;
        let mut vector: Embedding = hidden.i(0)?.mean(0)?.to_vec1()?;
        normalize(&mut vector);
        Ok(vector)
    }
}

/// Scales `vector` to length 1; zeros stay zeros.
pub fn normalize(vector: &mut [f32]) {
    let length = vector.iter().map(|x| x * x).sum::<f32>().sqrt();
    if length > 0.0 {
        vector.iter_mut().for_each(|x| *x /= length);
    }
}

/// Cosine of two unit vectors.
#[must_use]
pub fn cosine(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}
