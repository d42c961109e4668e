//! `clew models`: check the model files, or convert the original embedding model.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use clew_pipeline::embedding::{Embedder, cosine};
use clew_pipeline::models::Models;
use clew_pipeline::train;

use super::{FAILED, VERDICT, refuse};
use crate::app::sources;
use crate::config::Config;

/// The stored weights must not lose more than this against the original: cosine on real log lines.
const LEAST_COSINE: f32 = 0.995;
/// Every so many cases of the corpus is compared.
const EVERY: usize = 12;

/// Check the model files, or convert the original embedding model
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Compare every file with the manifest
    Check,
    /// Convert all-MiniLM-L6-v2 to 8 bits and compare it with the original
    Convert {
        /// Folder with model.safetensors, tokenizer.json and config.json
        source: PathBuf,
    },
}

/// Runs the command.
pub fn run(arguments: &Arguments, config: &Config) -> u8 {
    let folder = sources(config).models;
    let done = match &arguments.command {
        Command::Check => check(&folder),
        Command::Convert { source } => convert(&folder, source),
    };
    match done {
        Ok(()) => VERDICT,
        Err(message) => refuse(&message, FAILED),
    }
}

fn check(folder: &std::path::Path) -> Result<(), String> {
    let models = Models::open(folder).map_err(|e| e.to_string())?;
    for entry in models.files() {
        models.checked(&entry.path).map_err(|e| e.to_string())?;
        println!("ok  {:>10} bytes  {}  {}", entry.bytes, &entry.sha256[..12], entry.path);
    }
    Ok(())
}

fn convert(folder: &std::path::Path, source: &std::path::Path) -> Result<(), String> {
    let mut models = Models::create(folder);
    models.convert_embedding(source).map_err(|e| e.to_string())?;
    let original = Embedder::load_original(source).map_err(|e| e.to_string())?;
    let stored = models.embedder().map_err(|e| e.to_string())?;
    let cases = train::read_corpus(&folder.join("root_cause").join("corpus")).map_err(|e| e.to_string())?;
    let (mut least, mut sum, mut count) = (1.0_f32, 0.0_f64, 0_u32);
    for case in cases.iter().step_by(EVERY) {
        let text = case.logs.join("\n");
        let a = original.embed(&text).map_err(|e| e.to_string())?;
        let b = stored.embed(&text).map_err(|e| e.to_string())?;
        let likeness = cosine(&a, &b);
        least = least.min(likeness);
        sum += f64::from(likeness);
        count += 1;
    }
    println!("cosine to the original on {count} logs: mean {:.5}, least {least:.5}", sum / f64::from(count.max(1)));
    if least < LEAST_COSINE {
        return Err(format!("the stored weights lose too much: the least cosine is below {LEAST_COSINE}"));
    }
    Ok(())
}
