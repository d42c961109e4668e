//! What tells one failure from another: the templates of what went wrong, as numbers that do not depend on what else was
//! in the input.

use sha2::{Digest as _, Sha256};

use crate::anomaly::THRESHOLD;
use crate::logs::digest::{Digest, Group};
use crate::logs::mask::mask;

/// Templates that a signature holds at most, the most anomalous ones.
pub const MAX_TEMPLATES: usize = 32;
/// Share of the smaller signature's templates that two inputs with one failure have in common, at least.
pub const COMMON: f64 = 0.6;

/// The signature of an input: a number for every template that stands out, sorted. When none stands out (the text of an
/// alert), for every template there is.
#[must_use]
pub fn signature(digest: &Digest, scores: &[f64]) -> Vec<u64> {
    let mut by_score: Vec<usize> = (0..digest.groups.len()).filter(|group| scores[*group] >= THRESHOLD).collect();
    if by_score.is_empty() {
        by_score = (0..digest.groups.len()).collect();
    }
    by_score.sort_by(|a, b| scores[*b].total_cmp(&scores[*a]).then(a.cmp(b)));
    let mut signature: Vec<u64> = by_score.into_iter().map(|group| number(&digest.groups[group])).collect();
    signature.truncate(MAX_TEMPLATES);
    signature.sort_unstable();
    signature.dedup();
    signature
}

/// Whether two signatures tell of the same failure: one says at least [`COMMON`] of what the other, shorter one says.
#[must_use]
pub fn is_same(a: &[u64], b: &[u64]) -> bool {
    let common = a.iter().filter(|number| b.binary_search(number).is_ok()).count();
    let smaller = a.len().min(b.len());
    // At most MAX_TEMPLATES, so the conversion is exact.
    #[allow(clippy::cast_precision_loss)]
    let share = common as f64 / smaller.max(1) as f64;
    common > 0 && share >= COMMON
}

/// A number for the masked message and the innermost cause of its trace. Words with a digit in them are names of
/// instances (`web-7`, `node12a`) more often than not.
fn number(group: &Group) -> u64 {
    let masked = mask(&group.first.message);
    let cause = group.first.innermost_cause().map(mask).unwrap_or_default();
    let mut hash = Sha256::new();
    for word in masked.split_whitespace().chain(cause.split_whitespace()) {
        if word.bytes().any(|byte| byte.is_ascii_digit()) {
            hash.update(b"#");
        } else {
            hash.update(word.to_lowercase());
        }
        hash.update(b" ");
    }
    let bytes = hash.finalize();
    bytes.iter().take(8).fold(0, |number, byte| (number << 8) | u64::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Pipeline;
    use crate::anomaly::detect;
    use crate::anomaly::features::Signals;

    fn of(text: &str) -> Vec<u64> {
        let mut collector = Pipeline::reader();
        text.lines().for_each(|line| collector.push(line));
        let digest = collector.finish();
        let (_, scores) = detect(&digest, &Signals::default(), None);
        signature(&digest, &scores)
    }

    const FULL: &str =
        "2024-05-01 10:02:12 ERROR could not write to file \"pg_wal/xlogtemp.913\": No space left on device\n";

    #[test]
    fn other_numbers_times_and_routine_lines_are_the_same_failure() {
        let later = "2024-06-02 11:00:00 INFO checkpoint complete: wrote 44 buffers\n\
            2024-06-02 11:00:01 ERROR could not write to file \"pg_wal/xlogtemp.77\": No space left on device\n";
        assert!(is_same(&of(FULL), &of(later)));
        assert!(is_same(&of("Node web-1 is down"), &of("node WEB-22 is down")));
    }

    #[test]
    fn another_message_is_another_failure_and_nothing_is_like_nothing() {
        assert!(!is_same(&of(FULL), &of("ERROR connection refused to db:5432")));
        assert!(!is_same(&[], &[]));
    }
}
