//! One pass over an input of any length in bounded memory: records, grouped by template.

use std::collections::HashMap;

use super::clean::clean;
use super::multiline::Assembler;
use super::record::{LogRecord, Severity};
use super::template::{TemplateId, TemplateMiner};
use crate::redact::{Redactions, Redactor};

/// Width of the time buckets in which bursts are counted, in milliseconds.
pub const BURST_MILLIS: i64 = 10_000;
const DAY_MILLIS: i64 = 86_400_000;

/// All records of one template.
#[derive(Debug, Clone)]
pub struct Group {
    /// Their template.
    pub template: TemplateId,
    /// How many there are.
    pub count: usize,
    /// The first of them, whole.
    pub first: LogRecord,
    /// The highest severity that one of them had.
    pub severity: Option<Severity>,
    /// Most of them within one bucket of [`BURST_MILLIS`].
    pub peak: usize,
    /// Milliseconds of silence of the whole log before the first of them.
    pub silence_before: i64,
    bucket: (i64, usize),
}

/// What one pass over the input found.
#[derive(Debug, Default)]
pub struct Digest {
    /// Groups in the order in which they first appeared.
    pub groups: Vec<Group>,
    /// The text of each group's template.
    pub templates: Vec<String>,
    /// Lines read.
    pub lines: usize,
    /// Records they made.
    pub records: usize,
    /// Milliseconds from the first to the last timestamp.
    pub span_millis: Option<i64>,
    /// Secrets taken out.
    pub redactions: Redactions,
}

/// Builds a [`Digest`] line by line.
pub struct Collector {
    redactor: Redactor,
    assembler: Assembler,
    miner: TemplateMiner,
    groups: Vec<Group>,
    by_template: HashMap<TemplateId, usize>,
    lines: usize,
    records: usize,
    first_time: Option<i64>,
    last_time: Option<i64>,
}

impl Collector {
    /// Starts a pass that redacts with `redactor`.
    #[must_use]
    pub fn new(redactor: Redactor) -> Self {
        Self {
            redactor,
            assembler: Assembler::default(),
            miner: TemplateMiner::default(),
            groups: Vec::new(),
            by_template: HashMap::new(),
            lines: 0,
            records: 0,
            first_time: None,
            last_time: None,
        }
    }

    /// Takes the next line, without its line break.
    pub fn push(&mut self, line: &str) {
        self.lines += 1;
        // Cut before redaction: a line of megabytes must not cost a regex its length. What is cut is never shown.
        let line = clean(super::cut(line, super::multiline::MAX_LINE_BYTES));
        let line = self.redactor.line(&line);
        if let Some(record) = self.assembler.push(&line) {
            self.add(record);
        }
    }

    /// Ends the pass.
    #[must_use]
    pub fn finish(mut self) -> Digest {
        if let Some(record) = self.assembler.finish() {
            self.add(record);
        }
        let templates = self.groups.iter().map(|group| self.miner.text(group.template)).collect();
        Digest {
            groups: self.groups,
            templates,
            lines: self.lines,
            records: self.records,
            span_millis: self.first_time.zip(self.last_time).map(|(first, last)| last.saturating_sub(first).max(0)),
            redactions: self.redactor.found().clone(),
        }
    }

    fn add(&mut self, record: LogRecord) {
        self.records += 1;
        let template = self.miner.learn(&record.message);
        let time = record.header.time;
        let silence = time.zip(self.last_time).map_or(0, |(now, last)| now.saturating_sub(last).max(0));
        // A jump of a day or more is another clock (an uptime, a time without its date), not silence.
        let silence = if silence < DAY_MILLIS { silence } else { 0 };
        self.first_time = self.first_time.or(time);
        self.last_time = time.or(self.last_time);
        let index = *self.by_template.entry(template).or_insert(self.groups.len());
        if index == self.groups.len() {
            self.groups.push(Group::new(template, record, silence));
        } else {
            self.groups[index].add(&record);
        }
    }
}

impl Group {
    fn new(template: TemplateId, first: LogRecord, silence_before: i64) -> Self {
        Self {
            template,
            count: 1,
            severity: first.header.severity,
            peak: 1,
            silence_before,
            bucket: (first.header.time.unwrap_or(0) / BURST_MILLIS, 1),
            first,
        }
    }

    fn add(&mut self, record: &LogRecord) {
        self.count += 1;
        // Where many messages share a template, the worst of them speaks for all.
        let worse = record.header.severity > self.severity && record.header.severity >= Some(Severity::Error);
        // A message that first came bare and then with its stack trace is told by the trace.
        let traced = self.first.continued.is_empty() && !record.continued.is_empty();
        if worse || traced {
            self.first = record.clone();
        }
        self.severity = self.severity.max(record.header.severity);
        if let Some(time) = record.header.time {
            let bucket = time / BURST_MILLIS;
            self.bucket = if self.bucket.0 == bucket { (bucket, self.bucket.1 + 1) } else { (bucket, 1) };
            self.peak = self.peak.max(self.bucket.1);
        }
    }
}
