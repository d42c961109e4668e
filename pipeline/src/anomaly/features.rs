//! What is measured of a template before it is judged.

use super::keywords::Keywords;
use crate::logs::digest::{BURST_MILLIS, Digest, Group};
use crate::logs::mask::{Kind, pieces};
use crate::logs::record::Severity;

/// Records below which "rare" and "burst" mean nothing.
const MIN_RECORDS: usize = 20;
/// Score of a line that only reports a value: below the threshold, above chatter, for it stands beside what failed.
const REPORT: f64 = 0.3;
/// Highest score of what is said all the time.
const ROUTINE: f64 = 0.45;
/// Prints of a template that make it routine, if they are also one in a hundred records.
const ROUTINE_COUNT: usize = 10;
/// Records of a log in which one or two are rare.
const RARE_RECORDS: usize = 50;
/// From this strength on a word makes a rare routine record worth a look (`restarting`, `evict`, `lost`).
const TELLING: f64 = 0.4;
/// From this strength on a word names a failure that never is routine (`corrupt`, `panic`, `refused`).
const GRAVE: f64 = 0.8;
/// Silence that is worth a word, in milliseconds.
const SILENCE_MILLIS: i64 = 30_000;

/// Measures templates.
#[derive(Default)]
pub struct Signals {
    keywords: Keywords,
}

/// The measures of one template, each from 0 to 1.
#[derive(Debug, Clone)]
pub struct Features {
    severity: Option<Severity>,
    level: f64,
    keyword: f64,
    words: Vec<&'static str>,
    rarity: f64,
    burst: f64,
    silence: f64,
    trace: bool,
    count: usize,
    records: usize,
    peak: usize,
    silence_before: i64,
    /// Whether it only reports a value: a line of a register dump is no failure, whatever severity the dump has.
    report: bool,
    /// Whether it is new to the service, if that is known.
    is_new: Option<bool>,
}

impl Signals {
    /// Measures `group` against the rest of `digest`. `is_new` says whether its template is new to the service.
    #[must_use]
    #[allow(clippy::cast_precision_loss)] // counts of lines
    pub fn of(&self, group: &Group, digest: &Digest, is_new: Option<bool>) -> Features {
        let text = format!("{}\n{}", group.first.message, group.first.continued.join("\n"));
        let (keyword, words) = self.keywords.find(&text);
        let total = digest.records.max(2) as f64;
        let enough = digest.records >= MIN_RECORDS;
        let rarity = if enough { (total / group.count as f64).ln() / total.ln() } else { 0.0 };
        Features {
            severity: group.severity,
            level: level(group.severity),
            keyword,
            words,
            rarity,
            burst: if enough { burst(group, digest) } else { 0.0 },
            silence: (group.silence_before as f64 / (10 * SILENCE_MILLIS) as f64).clamp(0.0, 1.0),
            trace: group
                .first
                .continued
                .iter()
                .filter(|line| crate::logs::multiline::is_trace_line(line.trim_start()))
                .count()
                >= 2,
            count: group.count,
            records: digest.records,
            peak: group.peak,
            silence_before: group.silence_before,
            is_new,
            report: is_report(&group.first.message, keyword),
        }
    }
}

/// Whether a message is a name and its value: `data address: 0x2`, `icache prefetch depth........0`, `r24=0 r25=1`.
/// `keyword` is how bad its words are.
fn is_report(message: &str, keyword: f64) -> bool {
    /// What a processor's dump lists.
    const PARTS: [&str; 6] = ["register", "registers", "address", "pointer", "flags", "stack"];
    let pieces = pieces(message);
    let words: Vec<&str> = pieces.iter().filter(|p| p.kind == Kind::Word).map(|p| p.text).collect();
    let variables = pieces.iter().filter(|p| p.kind == Kind::Variable).count();
    let ends_in_value = pieces.last().is_some_and(|p| p.kind == Kind::Variable || p.text == ":" || p.text == ")");
    if !ends_in_value {
        return false;
    }
    if pieces.iter().any(|p| p.text == "..") {
        return variables > 0;
    }
    let assigned = pieces.iter().filter(|p| matches!(p.text, "=" | ":")).count();
    let dumped = words.last().is_some_and(|word| PARTS.iter().any(|part| word.eq_ignore_ascii_case(part)))
        && assigned == 1
        && words.len() <= 5;
    let table = keyword < 0.3 && variables >= 2 && 2 * assigned >= variables && words.len() <= assigned + 1;
    dumped || table
}

fn level(severity: Option<Severity>) -> f64 {
    match severity {
        Some(Severity::Fatal) => 1.0,
        Some(Severity::Error) => 0.85,
        Some(Severity::Warning) => 0.45,
        Some(Severity::Notice) => 0.15,
        None => 0.2,
        Some(_) => 0.0,
    }
}

/// How far the busiest bucket is above an even spread over the log's time.
#[allow(clippy::cast_precision_loss)] // counts of lines, and at most centuries of buckets
fn burst(group: &Group, digest: &Digest) -> f64 {
    let buckets = digest.span_millis.unwrap_or(0) / BURST_MILLIS;
    if group.count < 5 || buckets < 6 {
        return 0.0;
    }
    let even = (group.count as f64 / buckets as f64).max(1.0);
    ((group.peak as f64 / even).log2() / 5.0).clamp(0.0, 1.0)
}

impl Features {
    /// The point that the isolation forest sees. Not the length of the line: it says nothing.
    #[must_use]
    pub fn point(&self) -> [f64; 7] {
        let flag = |condition: bool| f64::from(u8::from(condition));
        let new = flag(self.is_new == Some(true));
        [self.level, self.keyword, self.rarity, self.burst, self.silence, flag(self.trace), new]
    }

    /// One figure from 0 to 1. `isolation` is the forest's score of this template.
    ///
    /// What the writer says (severity, words) decides; how unusual it is moves the score. A routine severity without a
    /// bad word stays below the threshold however rare it is: start-up lines are rare, too.
    #[must_use]
    pub fn score(&self, isolation: f64) -> f64 {
        let said = match self.severity {
            // An INFO line has to say something bad itself.
            Some(Severity::Trace | Severity::Debug | Severity::Info | Severity::Notice) => {
                match self.records {
                    _ if self.is_new == Some(true) && self.keyword >= TELLING => 0.5 * self.keyword + 0.4,
                    // Too few to tell what is rare: the words decide.
                    0..RARE_RECORDS => 0.75 * self.keyword,
                    _ if self.is_rare() && self.keyword >= TELLING => 0.5 * self.keyword + 0.35,
                    _ => 0.45 * self.keyword,
                }
            }
            Some(Severity::Warning) => 0.4 + 0.35 * self.keyword,
            Some(_) => self.level.max(self.keyword),
            None => 0.95 * self.keyword,
        };
        let said = if self.trace { said.max(0.6) } else { said };
        if self.report {
            return said.min(REPORT);
        }
        let new = if self.is_new == Some(true) { 0.1 } else { 0.0 };
        let unusual =
            new + 0.12 * (self.rarity - 0.5) + 0.10 * self.burst + 0.06 * self.silence + 0.4 * (isolation - 0.5);
        let score = (said + unusual.clamp(-0.1, 0.25) * said.max(0.3)).clamp(0.0, 1.0);
        if self.is_routine() { score.min(ROUTINE) } else { score }
    }

    /// Once or twice in a log that is long enough for it to mean something.
    fn is_rare(&self) -> bool {
        self.records >= RARE_RECORDS && self.count <= 2
    }

    /// What a log says all the time is normal for it, unless it is said to be an error or names a grave failure.
    fn is_routine(&self) -> bool {
        let often = self.is_new == Some(false) || (self.count >= ROUTINE_COUNT && self.count * 100 >= self.records);
        let grave = self.severity >= Some(Severity::Error) || self.trace || self.keyword >= GRAVE;
        often && !grave && self.burst < 0.4
    }

    /// Why a person should look, strongest first.
    #[must_use]
    pub fn reasons(&self, isolation: f64) -> Vec<String> {
        let mut reasons = Vec::new();
        if let Some(severity) = self.severity.filter(|s| *s >= Severity::Warning) {
            reasons.push(format!("severity {}", severity.as_str()));
        }
        if !self.words.is_empty() {
            let quoted: Vec<String> = self.words.iter().take(3).map(|word| format!("\u{201c}{word}\u{201d}")).collect();
            reasons.push(format!("says {}", quoted.join(", ")));
        }
        if self.trace {
            reasons.push("carries a stack trace".to_owned());
        }
        if self.is_new == Some(true) {
            reasons.push("never seen before in this service".to_owned());
        }
        if self.rarity > 0.8 {
            reasons.push(format!("rare: {} of {} records", self.count, self.records));
        }
        if self.burst > 0.4 {
            reasons.push(format!("burst: {} of {} within {} s", self.peak, self.count, BURST_MILLIS / 1000));
        }
        if self.silence_before >= SILENCE_MILLIS {
            reasons.push(format!("after {} s of silence", self.silence_before / 1000));
        }
        if isolation > 0.65 {
            reasons.push("unlike the other messages".to_owned());
        }
        reasons
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_a_dump_only_reports_a_value_and_a_failure_does_not() {
        for line in [
            "instruction address: 0x00004ed8",
            "machine state register: 0x00003000",
            "icache prefetch depth....................0",
            "r24=0x0 r25=0x1 r26=0x2",
        ] {
            assert!(is_report(line, 0.0), "{line}");
        }
        for line in ["Error code: 0x80070005", "kernel terminated for reason 1004", "exit code 137", "disk is full"] {
            assert!(!is_report(line, 0.6), "{line}");
        }
    }
}
