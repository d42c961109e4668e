//! Which lines of code a log names: the frames of its stack traces, and the places that its writers put beside their
//! messages.
//!
//! The whole text is searched once for what looks like a place; only the lines that have one are read closely, so
//! megabytes without a trace cost next to nothing. [`super::multiline`] is not asked for the records, because it keeps
//! only the beginning of a long trace, and Python's innermost frame is the last.

mod foreign;
mod place;

use std::borrow::Cow;
use std::collections::{HashSet, VecDeque};
use std::sync::LazyLock;

use regex::Regex;

use super::record::Severity;
use super::{multiline, parse};
use place::{Order, Place};

/// Frames that are kept: whoever looks for an owner asks about the first few.
pub const MAX_FRAMES: usize = 20;
/// Places beside messages that are looked at, before a log is taken to have no others of interest.
const MAX_MENTIONS: usize = 10_000;

/// A line of code.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Frame {
    /// Path as the log has it, with slashes: `/app/shop/cart.py`, `src/cart.rs`, `com/acme/Cart.java`.
    pub path: String,
    /// Line, from 1; `None` when the log does not say it.
    pub line: Option<u64>,
}

/// What a line must have for a closer look: a place, or words that tell how traces hang together.
static HINT: LazyLock<Regex> = LazyLock::new(|| {
    place::pattern(&format!(
        r#"\.(?:{0})(?:\?[0-9A-Za-z_=&%-]*)?(?::(?: ?line )?|\(| on line | line |\\?"\}}, ?\{{line, ?)[0-9]|", line [0-9]|\.(?:{1})\)|node:[a-z]|most recent call|Caused by|\[cause\]: |Suppressed: "#,
        place::SOURCES,
        place::SOURCES_OF_JVM,
    ))
});

/// The frames that `text` names, most telling first: those of the application trace by trace, each from its innermost
/// frame outwards and causes before what they caused, then places that stand beside messages of trouble, then frames
/// of libraries. At most [`MAX_FRAMES`], none twice. Lines may have the prefixes of transports.
#[must_use]
pub fn frames(text: &str) -> Vec<Frame> {
    let mut traces = Traces::default();
    let mut rest = text;
    while !traces.is_full()
        && let Some(hint) = HINT.find(rest)
    {
        let start = rest[..hint.start()].rfind('\n').map_or(0, |end| end + 1);
        let end = rest[hint.end()..].find('\n').map_or(rest.len(), |length| hint.end() + length);
        traces.skip(&rest[..start]);
        for line in decoded(&rest[start..end]).split('\n') {
            traces.take(line);
        }
        rest = rest.get(end + 1..).unwrap_or_default();
    }
    traces.finish()
}

/// A line as its writer meant it: structured records escape the line breaks and quotes of a trace.
fn decoded(line: &str) -> Cow<'_, str> {
    if !line.contains('\\') || !(line.contains("{\"") || line.contains("=\"")) {
        return Cow::Borrowed(line);
    }
    let mut out = String::with_capacity(line.len());
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        match if c == '\\' { chars.next() } else { None } {
            Some('n') => out.push('\n'),
            Some('r') => {}
            Some('t') => out.push('\t'),
            Some(escaped @ ('"' | '/' | '\\')) => out.push(escaped),
            Some(other) => out.extend([c, other]),
            None => out.push(c),
        }
    }
    Cow::Owned(out)
}

/// Whether the writer of `line` says that it is nothing to look at.
fn is_routine_line(line: &str) -> bool {
    let severity = parse::parse_line(super::cut(line, multiline::MAX_LINE_BYTES)).header.severity;
    severity.is_some_and(|severity| severity <= Severity::Notice)
}

/// Puts frames in order while the lines of a log go by.
#[derive(Default)]
struct Traces {
    own: Vec<Frame>,
    mentioned: Vec<Frame>,
    foreign: Vec<Frame>,
    seen: HashSet<Frame>,
    /// Places beside messages that were judged already.
    judged: HashSet<Frame>,
    /// The trace that is being read, in parts: one for each exception of a chain, the most telling first.
    open: VecDeque<Part>,
    /// Which part the next frame belongs to.
    current: usize,
    /// Whether lines that belong to no trace went by since the last frame.
    broken: bool,
    /// Whether the message of a cause may go by, however many lines it has.
    in_message: bool,
}

/// The frames of one exception.
#[derive(Default)]
struct Part {
    places: Vec<Place>,
    innermost_last: bool,
}

impl Traces {
    fn is_full(&self) -> bool {
        self.own.len() >= MAX_FRAMES
    }

    /// Takes note of lines without places.
    fn skip(&mut self, lines: &str) {
        let goes_on = |line: &str| {
            let carried = parse::parse_line(super::cut(line, multiline::MAX_LINE_BYTES)).carried;
            carried.trim().is_empty() || multiline::is_trace_line(carried.trim_start())
        };
        self.broken = self.broken || !lines.lines().all(goes_on);
    }

    fn take(&mut self, line: &str) {
        let places = place::places(line);
        if !places.iter().any(|place| place.in_trace) {
            self.take_words(line);
        }
        let mut is_routine = None;
        for place in places {
            if place.in_trace {
                self.push(place);
            } else if self.judged.len() < MAX_MENTIONS && self.judged.insert(place.frame.clone()) {
                self.mention(place, *is_routine.get_or_insert_with(|| is_routine_line(line)));
            }
        }
    }

    /// Lines that say how the frames after them belong to those before.
    fn take_words(&mut self, line: &str) {
        if line.contains("most recent call") {
            self.close();
        } else if line.contains("[cause]: ") || (line.contains("Caused by") && !self.broken) {
            self.open.push_front(Part::default());
            self.current = 0;
            self.in_message = true;
        } else if line.contains("Suppressed: ") && !self.broken {
            self.open.push_back(Part::default());
            self.current = self.open.len() - 1;
            self.in_message = true;
        } else {
            self.skip(line);
        }
    }

    fn push(&mut self, place: Place) {
        // Python prints the code of a frame below it, so only a new heading ends its traces.
        let goes_on = match place.order {
            Order::InnermostLast => self.open.iter().all(|part| part.innermost_last || part.places.is_empty()),
            Order::InnermostFirst => {
                (!self.broken || self.in_message) && !self.open.iter().any(|part| part.innermost_last)
            }
            Order::AsBefore => !self.broken || self.in_message,
        };
        if !goes_on {
            self.close();
        }
        if self.open.is_empty() {
            self.open.push_back(Part::default());
        }
        if let Some(part) = self.open.get_mut(self.current) {
            part.innermost_last |= place.order == Order::InnermostLast;
            part.places.push(place);
        }
        (self.broken, self.in_message) = (false, false);
    }

    /// A place beside a message is worth a look unless the message is routine.
    fn mention(&mut self, place: Place, is_routine: bool) {
        let list = if place.foreign { &mut self.foreign } else { &mut self.mentioned };
        if !is_routine && list.len() < MAX_FRAMES {
            list.push(place.frame);
        }
    }

    /// Ends the trace that is being read.
    fn close(&mut self) {
        self.current = 0;
        for mut part in std::mem::take(&mut self.open) {
            if part.innermost_last {
                part.places.reverse();
            }
            for place in part.places {
                let list = if place.foreign { &mut self.foreign } else { &mut self.own };
                if list.len() < MAX_FRAMES && self.seen.insert(place.frame.clone()) {
                    list.push(place.frame);
                }
            }
        }
        (self.broken, self.in_message) = (false, false);
    }

    fn finish(mut self) -> Vec<Frame> {
        self.close();
        let mut told = HashSet::new();
        let all = self.own.into_iter().chain(self.mentioned).chain(self.foreign);
        all.filter(|frame| told.insert(frame.clone())).take(MAX_FRAMES).collect()
    }
}

#[cfg(test)]
mod tests;
