//! Words that say that something went wrong, and when they do not.

use aho_corasick::{AhoCorasick, AhoCorasickBuilder, MatchKind};

/// How much a word says, from 0 to 1. Stems: they match the beginning of a word.
const WORDS: [(&str, f64); 96] = [
    ("abort", 0.7),
    ("access denied", 0.8),
    ("backoff", 0.5),
    ("back-off", 0.7),
    ("bad gateway", 0.8),
    ("bad address", 0.6),
    ("broken", 0.6),
    ("bug:", 0.8),
    ("can not", 0.5),
    ("can't", 0.5),
    ("cannot", 0.6),
    ("corrupt", 0.9),
    ("could not", 0.6),
    ("couldn't", 0.6),
    ("crash", 0.8),
    ("dead letter", 0.6),
    ("deadlock", 0.9),
    ("denied", 0.7),
    ("disconnect", 0.4),
    ("does not exist", 0.7),
    ("doesn't exist", 0.7),
    ("down", 0.25),
    ("drop", 0.3),
    ("enoent", 0.6),
    ("enospc", 0.9),
    ("emfile", 0.9),
    ("econnrefused", 0.9),
    ("eai_again", 0.9),
    ("etimedout", 0.8),
    ("error", 0.55),
    ("evict", 0.6),
    ("exceed", 0.7),
    ("exception", 0.7),
    ("exhaust", 0.8),
    ("expire", 0.5),
    ("fail", 0.6),
    ("fatal", 0.9),
    ("fault", 0.55),
    ("forbidden", 0.7),
    ("full", 0.35),
    ("hung", 0.6),
    ("illegal", 0.6),
    ("incompatible", 0.7),
    ("insufficient", 0.7),
    ("interrupt", 0.2),
    ("invalid", 0.55),
    ("kill", 0.6),
    ("lag", 0.3),
    ("leader lost", 0.8),
    ("lost", 0.5),
    ("machine check", 0.9),
    ("mismatch", 0.7),
    ("missing", 0.55),
    ("no space", 0.9),
    ("no such", 0.7),
    ("no route", 0.8),
    ("not allowed", 0.6),
    ("not available", 0.6),
    ("not enough", 0.7),
    ("not found", 0.5),
    ("not permitted", 0.7),
    ("not ready", 0.5),
    ("not responding", 0.7),
    ("null pointer", 0.8),
    ("nullpointer", 0.9),
    ("oom", 0.8),
    ("out of", 0.6),
    ("overflow", 0.6),
    ("overload", 0.7),
    ("panic", 0.9),
    ("quota", 0.6),
    ("rate limit", 0.7),
    ("refused", 0.8),
    ("refusing", 0.7),
    ("reject", 0.6),
    ("reset by peer", 0.7),
    ("restarting", 0.4),
    ("segfault", 0.9),
    ("segmentation", 0.9),
    ("slow", 0.35),
    ("stall", 0.6),
    ("starv", 0.6),
    ("stuck", 0.6),
    ("terminated", 0.45),
    ("throttl", 0.7),
    ("timed out", 0.75),
    ("timeout", 0.5),
    ("too many", 0.8),
    ("unable", 0.65),
    ("unauthorized", 0.7),
    ("unavailable", 0.75),
    ("undefined", 0.5),
    ("unexpected", 0.5),
    ("unhealthy", 0.8),
    ("unreachable", 0.8),
    ("violat", 0.6),
];

/// Bytes around a word that are looked at.
const NEAR: usize = 80;

/// What stands right before a word and turns it around: "no errors", "0 failed", "without timeout".
const NEGATIONS: [&str; 9] = ["no", "0", "zero", "without", "not", "never", "non", "0x0", "any"];
/// What stands right before a remedy that did not come: "cannot be recovered", "not yet restored".
const FAILED_REMEDIES: [&str; 4] = ["be", "not", "yet", "never"];

/// What says that it is over: a failure that was corrected is none to get up for.
const REMEDIES: [&str; 11] = [
    "corrected",
    "recovered",
    "reconnected",
    "restored",
    "resolved",
    "succeeded",
    "successfully",
    "cleared",
    "back to normal",
    "is healthy",
    "back online",
];
/// Share of its strength that a word keeps beside a remedy.
const REMEDIED: f64 = 0.45;

/// Finds [`WORDS`] in messages.
pub struct Keywords {
    automaton: AhoCorasick,
    remedies: AhoCorasick,
}

impl Default for Keywords {
    fn default() -> Self {
        Self::new()
    }
}

impl Keywords {
    /// Compiles the list.
    #[must_use]
    // A constant list of this file, which a test builds.
    #[allow(clippy::expect_used)]
    pub fn new() -> Self {
        let mut builder = AhoCorasickBuilder::new();
        builder.ascii_case_insensitive(true).match_kind(MatchKind::LeftmostLongest);
        Self {
            automaton: builder.build(WORDS.iter().map(|(word, _)| word)).expect("constant patterns"),
            remedies: builder.build(REMEDIES).expect("constant patterns"),
        }
    }

    /// The strength of the strongest word in `text` and the words found, strongest first.
    #[must_use]
    pub fn find(&self, text: &str) -> (f64, Vec<&'static str>) {
        let mut found: Vec<(f64, &'static str)> = Vec::new();
        for hit in self.automaton.find_iter(text) {
            let (word, strength) = WORDS[hit.pattern().as_usize()];
            if counts(text, hit.start(), hit.end(), &NEGATIONS) && !found.iter().any(|(_, known)| *known == word) {
                found.push((strength, word));
            }
        }
        found.sort_by(|a, b| b.0.total_cmp(&a.0));
        let is_remedy = |start, end| counts(text, start, end, &FAILED_REMEDIES);
        let over = !found.is_empty() && self.remedies.find_iter(text).any(|hit| is_remedy(hit.start(), hit.end()));
        let strongest = found.first().map_or(0.0, |(strength, _)| if over { REMEDIED * strength } else { *strength });
        (strongest, found.into_iter().map(|(_, word)| word).collect())
    }
}

/// Whether a hit is a word of its own and neither denied before (`no error`) nor zero after (`errors=0`, `failed: 0`).
fn counts(text: &str, start: usize, end: usize, negations: &[&str]) -> bool {
    // Only what is near: a long line with many hits must not be walked once for each.
    let near = (start.saturating_sub(NEAR)..=start).find(|at| text.is_char_boundary(*at)).unwrap_or(start);
    let before = &text[near..start];
    let camel = text[start..].starts_with(|c: char| c.is_uppercase()) && before.ends_with(|c: char| c.is_lowercase());
    if before.ends_with(|c: char| c.is_alphanumeric()) && !camel {
        return false;
    }
    let previous = before.trim_end_matches([' ', '"', '\'', '(', '[']).rsplit([' ', '=', ':', '(', '[', ',']).next();
    if previous.is_some_and(|word| negations.iter().any(|negation| word.eq_ignore_ascii_case(negation))) {
        return false;
    }
    // `failed login attempts: 0`: the zero may stand a few words further on.
    let after =
        text[end..].trim_start_matches(|c: char| c.is_alphabetic() || matches!(c, '_' | ' ' | '"' | '\'' | '-' | '.'));
    match after.strip_prefix(['=', ':']).map(|value| value.trim_start_matches([' ', '"', '\''])) {
        Some(value) => {
            let word = value.split([' ', ',', ';', '"', ')', '}', ']']).next().unwrap_or("");
            !matches!(word, "0" | "0.0" | "0%" | "false" | "none" | "no" | "null" | "nil" | "None" | "off")
        }
        None => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bad_words_count_and_words_that_only_look_bad_do_not() {
        let words = Keywords::new();
        for text in [
            "connection refused",
            "java.lang.NullPointerException",
            "read timed out",
            "3 errors found",
            "ConnectionError: x",
            "the volume failed and cannot be recovered",
            "the index may be corrupt",
            "job completed with 3 errors",
            "uncorrected ECC error",
        ] {
            assert!(words.find(text).0 >= 0.5, "{text}");
        }
        for text in [
            "error_count=0",
            "no errors found",
            "failed login attempts: 0",
            "0 failed",
            "terror",
            "\"error\": null",
            "errors=0 warnings=0",
            "download complete",
            "3 ddr errors detected and corrected",
            "connection lost, reconnected after 2 s",
        ] {
            assert!(words.find(text).0 < 0.3, "{text}: {:?}", words.find(text));
        }
    }
}
