//! From raw lines to records and templates.

mod access;
pub mod clean;
mod columns;
mod container;
pub mod digest;
mod json;
mod kernel;
mod klog;
mod kubernetes;
mod layout;
mod logfmt;
pub mod mask;
pub mod multiline;
pub mod parse;
pub mod record;
mod syslog;
pub mod template;
pub mod timestamp;

/// The first `bytes` of `text` or fewer, cut between characters.
#[must_use]
pub fn cut(text: &str, bytes: usize) -> &str {
    if text.len() <= bytes {
        return text;
    }
    let end = (0..=bytes).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    &text[..end]
}
