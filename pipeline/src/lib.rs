//! The analysis of logs: redact → parse → mine templates → detect anomalies → predict root cause → recall similar →
//! recommend. Synchronous and deterministic: no network; the same input and models give the same verdict (only the
//! timings differ).

pub mod actions;
pub mod anomaly;
pub mod diff;
pub mod embedding;
pub mod evaluate;
pub mod knowledge;
pub mod load;
pub mod logs;
pub mod models;
mod recall;
pub mod redact;
pub mod root_cause;
pub mod signature;
pub mod technology;
pub mod train;
pub mod triage;
pub mod verdict;
mod words;

pub use load::Sources;
pub use triage::Pipeline;
pub use verdict::{Context, Triage};

/// `value` to four decimals: what is shown and stored.
#[must_use]
pub(crate) fn round(value: f64) -> f64 {
    (value * 10_000.0).round() / 10_000.0
}
