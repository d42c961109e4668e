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
/// Bytes of a trace's innermost cause that tell its failure from others.
const MAX_CAUSE: usize = 300;

/// All records of one template.
#[derive(Debug, Clone)]
pub struct Group {
    /// How many there are.
    pub count: usize,
    /// The one that tells most, whole: the first, unless a later one is worse or carries a trace.
    pub first: LogRecord,
    /// Line of the very first of them, counted from 1.
    pub since_line: usize,
    /// Time of the very first of them, in milliseconds.
    pub since_time: Option<i64>,
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
    /// Where every record stands, in order. Empty unless asked for with [`Collector::with_places`].
    pub places: Vec<Place>,
}

/// Where a record stands in the input, and what it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Number of its first line, counted from 1.
    pub line: usize,
    /// Lines it spans.
    pub lines: usize,
    /// Index of its group.
    pub group: usize,
}

impl Digest {
    /// The group of every line, in order; `None` for lines that belong to no record. Needs [`Collector::with_places`].
    #[must_use]
    pub fn group_of_lines(&self) -> Vec<Option<usize>> {
        let mut groups = vec![None; self.lines];
        for place in &self.places {
            groups.iter_mut().skip(place.line - 1).take(place.lines).for_each(|group| *group = Some(place.group));
        }
        groups
    }
}

/// Builds a [`Digest`] line by line.
pub struct Collector {
    redactor: Redactor,
    assembler: Assembler,
    miner: TemplateMiner,
    groups: Vec<Group>,
    /// Index of the group of each shape.
    by_shape: HashMap<TemplateId, usize>,
    /// Places of the records, if asked for; their groups are by shape until the end.
    places: Option<Vec<Place>>,
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
            by_shape: HashMap::new(),
            places: None,
            lines: 0,
            records: 0,
            first_time: None,
            last_time: None,
        }
    }

    /// Remembers where every record stands: 24 bytes a record, while all other memory is bounded.
    #[must_use]
    pub fn with_places(mut self) -> Self {
        self.places = Some(Vec::new());
        self
    }

    /// Ends the record that is open: what follows is another log. Returns the number of lines so far.
    pub fn end_log(&mut self) -> usize {
        if let Some(record) = self.assembler.finish() {
            self.add(record);
        }
        self.last_time = None;
        self.lines
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

    /// Ends the pass: shapes become templates, and their groups become one.
    #[must_use]
    pub fn finish(mut self) -> Digest {
        if let Some(record) = self.assembler.finish() {
            self.add(record);
        }
        self.miner.group();
        let mut shape_of: Vec<(usize, TemplateId)> =
            self.by_shape.iter().map(|(shape, group)| (*group, *shape)).collect();
        shape_of.sort_unstable();
        let mut place: HashMap<TemplateId, usize> = HashMap::new();
        let mut moved = Vec::with_capacity(self.groups.len());
        let (mut groups, mut templates): (Vec<Group>, Vec<String>) = (Vec::new(), Vec::new());
        for ((_, shape), group) in shape_of.into_iter().zip(self.groups) {
            let template = self.miner.resolve(shape);
            let index = *place.entry(template).or_insert(groups.len());
            if index == groups.len() {
                groups.push(group);
                templates.push(self.miner.text(template));
            } else {
                groups[index].merge(group);
            }
            moved.push(index);
        }
        let mut places = self.places.unwrap_or_default();
        places.iter_mut().for_each(|place| place.group = moved[place.group]);
        Digest {
            groups,
            templates,
            lines: self.lines,
            records: self.records,
            span_millis: self.first_time.zip(self.last_time).map(|(first, last)| last.saturating_sub(first).max(0)),
            redactions: self.redactor.found().clone(),
            places,
        }
    }

    fn add(&mut self, record: LogRecord) {
        self.records += 1;
        let shape = match record.innermost_cause() {
            // The same words around another exception are another failure.
            Some(cause) => self.miner.learn(&format!("{} {}", record.message, super::cut(cause, MAX_CAUSE))),
            None => self.miner.learn(&record.message),
        };
        let time = record.header.time;
        let silence = time.zip(self.last_time).map_or(0, |(now, last)| now.saturating_sub(last).max(0));
        // A jump of a day or more is another clock (an uptime, a time without its date), not silence.
        let silence = if silence < DAY_MILLIS { silence } else { 0 };
        self.first_time = self.first_time.or(time);
        self.last_time = time.or(self.last_time);
        let index = *self.by_shape.entry(shape).or_insert(self.groups.len());
        if let Some(places) = &mut self.places {
            places.push(Place { line: record.line, lines: record.line_count, group: index });
        }
        if index == self.groups.len() {
            self.groups.push(Group::new(record, silence));
        } else {
            self.groups[index].add(&record);
        }
    }
}

impl Group {
    fn new(first: LogRecord, silence_before: i64) -> Self {
        Self {
            count: 1,
            severity: first.header.severity,
            peak: 1,
            silence_before,
            since_line: first.line,
            since_time: first.header.time,
            bucket: (first.header.time.unwrap_or(0) / BURST_MILLIS, 1),
            first,
        }
    }

    fn add(&mut self, record: &LogRecord) {
        self.count += 1;
        if self.is_told_better_by(record, record.header.severity) {
            self.first = record.clone();
        }
        self.severity = self.severity.max(record.header.severity);
        if let Some(time) = record.header.time {
            let bucket = time / BURST_MILLIS;
            self.bucket = if self.bucket.0 == bucket { (bucket, self.bucket.1 + 1) } else { (bucket, 1) };
            self.peak = self.peak.max(self.bucket.1);
        }
    }

    /// Takes in a group that turned out to have the same template.
    fn merge(&mut self, other: Self) {
        self.count += other.count;
        if self.is_told_better_by(&other.first, other.severity) {
            self.first = other.first;
        }
        self.severity = self.severity.max(other.severity);
        self.peak = if self.bucket.0 == other.bucket.0 { self.peak + other.peak } else { self.peak.max(other.peak) };
        self.silence_before = self.silence_before.max(other.silence_before);
    }

    /// Where many messages share a template, the worst of them speaks for all. A message that first came bare and then
    /// with its stack trace is told by the trace.
    fn is_told_better_by(&self, record: &LogRecord, severity: Option<Severity>) -> bool {
        let worse = severity > self.severity && severity >= Some(Severity::Error);
        let traced = self.first.continued.is_empty() && !record.continued.is_empty();
        worse || traced
    }
}
