pub mod anomaly;
pub mod embedding;
pub mod logs;
pub mod redact;

/// `value` to four decimals: what is shown and stored.
#[must_use]
pub(crate) fn round(value: f64) -> f64 {
    (value * 10_000.0).round() / 10_000.0
}
