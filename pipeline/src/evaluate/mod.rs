//! Quality, measured: root causes, templates, anomalies, retrieval.

pub mod anomalies;
pub mod retrieval;
pub mod root_cause;
pub mod templates;

pub use root_cause::{Case, Metrics, Outcome, read_cases};

use std::path::Path;

fn read(path: &Path) -> Result<String, String> {
    // Some of the public logs are in Latin-1.
    let bytes = std::fs::read(path).map_err(|e| format!("{}: {e}", path.display()))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
