//! What changed between two logs: templates that are new, that vanished, or whose rate shifted.

use serde::Serialize;

use crate::logs::cut;
use crate::logs::digest::Digest;
use crate::logs::record::Severity;

/// A change is significant when it would come about by chance less often than this, after the correction for testing
/// many templates at once (Benjamini, Hochberg, "Controlling the False Discovery Rate", 1995).
pub const SIGNIFICANCE: f64 = 0.01;
/// A significant shift of less than this factor is real but does not matter.
pub const MIN_FACTOR: f64 = 2.0;
/// Records a template needs in both logs before it tells how much busier one log is.
const MIN_COMMON: usize = 5;
/// Bytes of an example that are kept.
const MAX_EXAMPLE: usize = 500;

/// How one template's count changed.
#[derive(Debug, Clone, Serialize)]
pub struct Change {
    /// The template.
    pub template: String,
    /// Records before.
    pub before: usize,
    /// Records after.
    pub after: usize,
    /// Rate after over rate before, corrected for how busy the logs are; none for new and vanished templates.
    pub factor: Option<f64>,
    /// Probability of a change like this by chance, from 0 to 1, corrected for the number of templates.
    pub p_value: f64,
    /// Whether that is below [`SIGNIFICANCE`].
    pub significant: bool,
    /// Its severity, if the writer gave one.
    pub severity: Option<&'static str>,
    /// A line that has it, redacted.
    pub example: String,
}

/// What changed, the weightiest first.
#[derive(Debug, Clone, Serialize)]
pub struct Diff {
    /// Records before.
    pub records_before: usize,
    /// Records after.
    pub records_after: usize,
    /// How much busier the second log is: median of the rates of the templates that both have.
    pub scale: f64,
    /// Templates that only the second log has.
    pub new: Vec<Change>,
    /// Templates that only the first log has.
    pub vanished: Vec<Change>,
    /// Templates of both whose rate changed significantly, by [`MIN_FACTOR`] or more.
    pub shifted: Vec<Change>,
}

/// Compares the two logs that were read into `digest` with places, the second from line `split` (counted from 0) on.
#[must_use]
#[allow(clippy::cast_precision_loss)] // counts of lines
pub fn diff(digest: &Digest, split: usize) -> Diff {
    let mut counts = vec![(0_usize, 0_usize); digest.groups.len()];
    for place in &digest.places {
        let count = &mut counts[place.group];
        *if place.line > split { &mut count.1 } else { &mut count.0 } += 1;
    }
    let records_before: usize = counts.iter().map(|count| count.0).sum();
    let records_after: usize = counts.iter().map(|count| count.1).sum();
    let scale = scale(&counts, records_before, records_after);
    let chance: Vec<f64> =
        counts.iter().map(|(before, after)| chance(*before, *after, scale / (1.0 + scale))).collect();
    let adjusted = benjamini_hochberg(&chance);
    let mut changes: Vec<(Severity, Change)> = counts
        .iter()
        .enumerate()
        .map(|(index, (before, after))| {
            let group = &digest.groups[index];
            let factor = (*before > 0 && *after > 0).then(|| crate::round(*after as f64 / *before as f64 / scale));
            let change = Change {
                template: digest.templates[index].clone(),
                before: *before,
                after: *after,
                factor,
                p_value: adjusted[index],
                significant: adjusted[index] < SIGNIFICANCE,
                severity: group.severity.map(Severity::as_str),
                example: cut(&group.first.raw, MAX_EXAMPLE).to_owned(),
            };
            (group.severity.unwrap_or(Severity::Info), change)
        })
        .collect();
    // Errors first; then what is least likely by chance; then what is most.
    changes.sort_by(|(a, x), (b, y)| {
        let grave = |severity: &Severity| *severity >= Severity::Error;
        grave(b)
            .cmp(&grave(a))
            .then(x.p_value.total_cmp(&y.p_value))
            .then((y.before + y.after).cmp(&(x.before + x.after)))
    });
    let changes: Vec<Change> = changes.into_iter().map(|(_, change)| change).collect();
    let only = |wanted: &dyn Fn(&Change) -> bool| changes.iter().filter(|c| wanted(c)).cloned().collect();
    Diff {
        records_before,
        records_after,
        scale: crate::round(scale),
        new: only(&|c| c.before == 0),
        vanished: only(&|c| c.after == 0),
        shifted: only(&|c| {
            c.significant && c.factor.is_some_and(|factor| factor >= MIN_FACTOR || factor <= 1.0 / MIN_FACTOR)
        }),
    }
}

/// How much busier the second log is. One flooding template must not make all others look rarer, so it is the median over
/// the templates of both (as Anders, Huber, "Differential expression analysis for sequence count data", 2010).
#[allow(clippy::cast_precision_loss)] // counts of lines
fn scale(counts: &[(usize, usize)], before: usize, after: usize) -> f64 {
    let mut ratios: Vec<f64> = counts
        .iter()
        .filter(|(before, after)| before.min(after) >= &MIN_COMMON)
        .map(|(before, after)| *after as f64 / *before as f64)
        .collect();
    if ratios.len() < 3 {
        return after.max(1) as f64 / before.max(1) as f64;
    }
    ratios.sort_by(f64::total_cmp);
    ratios[ratios.len() / 2]
}

/// Two-sided exact binomial test: how likely counts at least as far from `share` as these are, when a record of the
/// template falls into the second log with probability `share`.
#[allow(clippy::cast_precision_loss)] // counts of lines
fn chance(before: usize, after: usize, share: f64) -> f64 {
    /// Above, the normal distribution is as good and cheaper.
    const EXACT: usize = 2_000;
    let total = before + after;
    if total == 0 {
        return 1.0;
    }
    let n = total as f64;
    if total > EXACT {
        let deviation = (n * share * (1.0 - share)).sqrt().max(f64::MIN_POSITIVE);
        return two_sided_normal(((after as f64 - n * share).abs() - 0.5).max(0.0) / deviation);
    }
    let mut log_choose = 0.0;
    let mut weights = Vec::with_capacity(total + 1);
    for k in 0..=total {
        if k > 0 {
            log_choose += ((total - k + 1) as f64).ln() - (k as f64).ln();
        }
        weights.push((log_choose + k as f64 * share.ln() + (total - k) as f64 * (1.0 - share).ln()).exp());
    }
    let observed = weights[after] * (1.0 + 1e-7);
    weights.iter().filter(|weight| **weight <= observed).sum::<f64>().min(1.0)
}

/// Both tails of the normal distribution beyond `z` (Abramowitz, Stegun, 7.1.26: error below 2e-7).
fn two_sided_normal(z: f64) -> f64 {
    let x = z / std::f64::consts::SQRT_2;
    let t = 1.0 / (1.0 + 0.327_591_1 * x);
    let poly =
        t * (0.254_829_592 + t * (-0.284_496_736 + t * (1.421_413_741 + t * (-1.453_152_027 + t * 1.061_405_429))));
    (poly * (-x * x).exp()).clamp(0.0, 1.0)
}

#[allow(clippy::cast_precision_loss)] // counts of templates
fn benjamini_hochberg(p_values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p_values.len()).collect();
    order.sort_by(|a, b| p_values[*b].total_cmp(&p_values[*a]));
    let count = p_values.len() as f64;
    let mut adjusted = vec![1.0; p_values.len()];
    let mut lowest: f64 = 1.0;
    for (place, index) in order.into_iter().enumerate() {
        lowest = lowest.min(p_values[index] * count / (count - place as f64));
        adjusted[index] = lowest;
    }
    adjusted
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::logs::digest::Collector;
    use crate::redact::Redactor;

    fn compare(before: &[String], after: &[String]) -> Diff {
        let mut collector = Collector::new(Redactor::new()).with_places();
        before.iter().for_each(|line| collector.push(line));
        let _ = collector.end_log();
        after.iter().for_each(|line| collector.push(line));
        diff(&collector.finish(), before.len())
    }

    fn many(count: usize, text: &str) -> Vec<String> {
        (0..count).map(|number| format!("INFO {text} {number}")).collect()
    }

    #[test]
    fn after_a_deploy_new_vanished_and_shifted_messages_are_told_apart() {
        let routine = ["accepted order", "sent mail to", "wrote row", "refreshed token"];
        let mut before: Vec<String> = routine.iter().flat_map(|text| many(50, text)).collect();
        let mut after: Vec<String> = routine.iter().flat_map(|text| many(100, text)).collect();
        before.extend(many(40, "cache hit for key"));
        before.extend(many(10, "legacy sync done in"));
        after.extend(many(8, "cache hit for key"));
        after.extend((0..30).map(|n| format!("ERROR payment declined by gateway {n}")));
        let found = compare(&before, &after);
        let names = |changes: &[Change]| changes.iter().map(|c| c.template.clone()).collect::<Vec<_>>();
        assert_eq!(names(&found.new), ["payment declined by gateway <num>"]);
        assert_eq!(names(&found.vanished), ["legacy sync done in <num>"]);
        assert_eq!(names(&found.shifted), ["cache hit for key <num>"]);
        assert!(found.new[0].significant && found.shifted[0].significant);
        // The second log is twice as long; what doubled with it did not change.
        assert!((found.scale - 2.0).abs() < 0.01, "{}", found.scale);
        assert_eq!(found.shifted[0].factor, Some(0.1));
    }

    #[test]
    fn one_more_line_is_no_significant_change() {
        let found = compare(&many(30, "tick"), &[many(30, "tick"), many(1, "tock")].concat());
        assert_eq!(found.new.len(), 1);
        assert!(!found.new[0].significant, "{}", found.new[0].p_value);
        assert!(compare(&[], &[]).new.is_empty());
    }

    #[test]
    fn the_test_agrees_with_tables() {
        // Binomial(10, 1/2): P(at most 1 or at least 9) = 22/1024.
        assert!((chance(9, 1, 0.5) - 22.0 / 1024.0).abs() < 1e-9);
        assert!((two_sided_normal(1.96) - 0.05).abs() < 1e-4);
    }
}
