//! The time of day, for what the systems outside stamp and sign.

use std::time::{Duration, SystemTime};

/// Time since 1970.
// The fakes are no part of the bot: their clock is their own.
#[allow(clippy::disallowed_methods)]
#[must_use]
pub fn since_epoch() -> Duration {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
}
