//! The one place that asks what time it is.

/// Now, in RFC 3339, UTC, to the second.
#[must_use]
// The home of this call; everywhere else clippy.toml forbids it.
#[allow(clippy::disallowed_methods)]
pub fn now() -> String {
    chrono::Utc::now().to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
}
