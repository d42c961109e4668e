//! Stack traces and continued lines become one record.

use super::parse::{self, Parsed};
use super::record::{LogRecord, Severity};

/// Continued lines kept of one record; the rest is only counted. The cause of a trace stands at its ends, and
/// [`Assembler`] keeps `Caused by` lines beyond this.
pub const MAX_KEPT_LINES: usize = 60;
/// Bytes kept of one line; the middle of a longer one carries nothing a reader would look at.
pub const MAX_LINE_BYTES: usize = 8_192;
/// `Caused by` and similar lines kept after [`MAX_KEPT_LINES`].
const MAX_KEPT_CAUSES: usize = 20;
/// An indented line that stands alone this often is not a trace but a pasted, indented log.
const MAX_LINES: usize = 100_000;

/// Puts lines together into records, one line at a time, in constant memory.
#[derive(Debug, Default)]
pub struct Assembler {
    open: Option<LogRecord>,
    indent: usize,
    state: State,
    line: usize,
}

/// What the record is in the middle of.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum State {
    #[default]
    Plain,
    /// Python: everything up to the unindented exception line belongs to the trace.
    PythonTrace,
    /// Python: the trace is complete, unless another is chained to it.
    PythonDone,
    /// Go: goroutine dumps alternate function lines and indented file lines.
    GoTrace,
    /// Rust: the line after `panicked at` is the message.
    RustPanic,
    /// A pretty-printed JSON object, with its depth of braces.
    Json(usize),
}

impl Assembler {
    /// Takes the next line. Returns the record that it completed.
    pub fn push(&mut self, line: &str) -> Option<LogRecord> {
        self.line += 1;
        let line = super::cut(line, MAX_LINE_BYTES);
        let parsed = parse::parse_line(line);
        if let Some(open) = self.open.as_mut()
            && open.line_count < MAX_LINES
            && !(begins_trace(&parsed) && is_routine(open))
            && continues(self.state, self.indent, line, &parsed)
        {
            extend(open, &parsed.carried);
            self.state = next_state(self.state, &parsed.carried);
            return None;
        }
        let carried = parsed.carried.as_ref();
        let record = (!carried.trim().is_empty()).then(|| LogRecord {
            line: self.line,
            line_count: 1,
            raw: line.to_owned(),
            message: parsed.message.clone().into_owned(),
            header: parsed.header.clone(),
            continued: Vec::new(),
        });
        self.indent = depth(line, carried);
        self.state = first_state(&parsed);
        std::mem::replace(&mut self.open, record)
    }

    /// The record still open at the end of the input.
    pub fn finish(&mut self) -> Option<LogRecord> {
        self.open.take()
    }
}

/// Splits `lines` into records.
pub fn records<'a>(lines: impl IntoIterator<Item = &'a str>) -> Vec<LogRecord> {
    let mut assembler = Assembler::default();
    let mut records: Vec<LogRecord> = lines.into_iter().filter_map(|line| assembler.push(line)).collect();
    records.extend(assembler.finish());
    records
}

/// Whether a line opens a trace of its own, which after a healthy record belongs to nobody before it.
fn begins_trace(parsed: &Parsed) -> bool {
    let text = parsed.carried.trim_start();
    ["Traceback (most recent call last)", "goroutine ", "Stack trace:"].iter().any(|start| text.starts_with(start))
}

/// Whether a record is routine and complete: a trace does not belong to it.
fn is_routine(record: &LogRecord) -> bool {
    record.continued.is_empty() && record.header.severity.is_some_and(|severity| severity <= Severity::Notice)
}

fn extend(open: &mut LogRecord, carried: &str) {
    open.line_count += 1;
    let kept = open.continued.len();
    if kept < MAX_KEPT_LINES || (kept < MAX_KEPT_LINES + MAX_KEPT_CAUSES && is_cause(carried.trim_start())) {
        open.continued.push(carried.trim_end().to_owned());
    }
}

fn is_cause(text: &str) -> bool {
    text.starts_with("Caused by") || text.starts_with("Root cause") || text.starts_with("---> ")
}

fn indent(text: &str) -> usize {
    /// Columns of a tab.
    const TAB: usize = 4;
    text.chars().take_while(|c| c.is_whitespace()).map(|c| if c == '\t' { TAB } else { 1 }).sum()
}

/// Indentation before and behind the transport's prefix: a log that was pasted indented has the first on every line.
fn depth(line: &str, carried: &str) -> usize {
    if line.len() == carried.len() { indent(line) } else { indent(line) + indent(carried) }
}

fn first_state(parsed: &Parsed) -> State {
    let text = parsed.message.as_ref();
    if text.starts_with("Traceback (most recent call last)") || text.ends_with("Traceback (most recent call last):") {
        State::PythonTrace
    } else if text.starts_with("panic: ") || text.starts_with("fatal error: ") || text.starts_with("goroutine ") {
        State::GoTrace
    } else if text.starts_with("thread '") && text.contains("panicked at") {
        State::RustPanic
    } else if text == "{" || text == "[" {
        State::Json(1)
    } else {
        State::Plain
    }
}

fn next_state(state: State, carried: &str) -> State {
    let text = carried.trim();
    match state {
        State::PythonTrace if indent(carried) == 0 && !text.is_empty() && !text.starts_with("Traceback") => {
            State::PythonDone
        }
        State::RustPanic if !text.starts_with("note:") && !text.starts_with("stack backtrace") => State::Plain,
        State::Json(depth) => {
            let opened = depth + text.matches(['{', '[']).count();
            match opened.saturating_sub(text.matches(['}', ']']).count()) {
                0 => State::Plain,
                depth => State::Json(depth),
            }
        }
        State::Plain | State::PythonDone if text.starts_with("Traceback (most recent call last)") => State::PythonTrace,
        State::Plain if text.starts_with("goroutine ") && text.ends_with("]:") => State::GoTrace,
        other => other,
    }
}

fn continues(state: State, first_indent: usize, line: &str, parsed: &Parsed) -> bool {
    let carried = parsed.carried.as_ref();
    let text = carried.trim_start();
    if text.is_empty() {
        // Go puts an empty line between the panic and its goroutines, Python between chained traces.
        return matches!(state, State::GoTrace | State::PythonDone);
    }
    let dated = parsed.starts_record && parsed.header.time.is_some();
    if matches!(state, State::Json(_)) && !dated {
        return true;
    }
    if is_trace_line(text) {
        return true;
    }
    if dated {
        return false;
    }
    match state {
        State::PythonTrace => return true,
        State::RustPanic => return !parsed.starts_record,
        State::GoTrace if is_go_frame(text) => return true,
        _ => {}
    }
    // One space more is how some writers begin a message.
    depth(line, carried) > first_indent + 1 && !parsed.starts_record
}

/// Lines which only ever continue: frames, causes, and the second lines of database messages.
#[must_use]
pub fn is_trace_line(text: &str) -> bool {
    const STARTS: [&str; 29] = [
        "at ",
        "Caused by:",
        "Suppressed:",
        "... ",
        "---> ",
        "--- End of ",
        "Traceback (most recent call last)",
        "During handling of the above exception",
        "The above exception was the direct cause",
        "note: run with `RUST_BACKTRACE",
        "note: Some details are omitted",
        "stack backtrace:",
        "goroutine ",
        "created by ",
        "[signal SIG",
        "exit status 2",
        "from /",
        "DETAIL:",
        "HINT:",
        "CONTEXT:",
        "STATEMENT:",
        "QUERY:",
        "LINE 1:",
        "thrown in ",
        "Stack trace:",
        "PHP Stack trace:",
        "(Background on this error",
        "Emitted 'error' event",
        "Call Trace:",
    ];
    if STARTS.iter().any(|start| text.starts_with(start)) {
        // "at 10:00 the backup starts" is a sentence.
        return !text.starts_with("at ") || text.contains(['(', '.', '/', '<', '\\']);
    }
    let php_frame = text.strip_prefix('#').is_some_and(|rest| {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        digits > 0 && rest[digits..].starts_with(' ')
    });
    let ruby_frame = text.contains(":in `") || text.contains(":in '");
    ruby_frame || php_frame || text.bytes().all(|b| matches!(b, b'^' | b'~' | b' '))
}

fn is_go_frame(text: &str) -> bool {
    text.ends_with(')') && text.contains('(') && text.contains('.') || text.starts_with('/') || text.contains(".go:")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shapes(text: &str) -> Vec<(usize, usize)> {
        records(text.lines()).iter().map(|r| (r.line, r.line_count)).collect()
    }

    #[test]
    fn a_java_trace_is_one_record() {
        let text = "2024-05-01 10:00:00 ERROR [main] c.e.App - failed\njava.lang.IllegalStateException: x\n\tat a.b.C.d(C.java:1)\n\t... 5 more\nCaused by: java.net.ConnectException: refused\n\tat a.B.c(B.java:2)\n2024-05-01 10:00:01 INFO [main] c.e.App - next";
        // The exception's own line starts with no indentation: it is the only one that stands apart.
        assert_eq!(shapes(text), [(1, 1), (2, 5), (7, 1)]);
    }

    #[test]
    fn a_python_trace_is_one_record_with_its_exception() {
        let text = "Traceback (most recent call last):\n  File \"a.py\", line 1, in <module>\n    f()\nKeyError: 'x'\nINFO next";
        assert_eq!(shapes(text), [(1, 4), (5, 1)]);
    }

    #[test]
    fn a_chained_python_trace_is_one_record() {
        let text = "Traceback (most recent call last):\n  File \"a.py\", line 1\nKeyError: 'x'\n\nDuring handling of the above exception, another exception occurred:\n\nTraceback (most recent call last):\n  File \"b.py\", line 2\nValueError: y";
        assert_eq!(shapes(text), [(1, 9)]);
    }

    #[test]
    fn a_go_panic_is_one_record() {
        let text = "panic: runtime error: index out of range [5] with length 3\n\ngoroutine 1 [running]:\nmain.main()\n\t/app/main.go:12 +0x1d\nexit status 2";
        assert_eq!(shapes(text), [(1, 6)]);
    }

    #[test]
    fn node_dotnet_rust_and_php_traces_are_one_record_each() {
        for text in [
            "TypeError: Cannot read properties of undefined\n    at f (/app/a.js:1:2)\n    at g (/app/b.js:3:4)",
            "Unhandled exception. System.NullReferenceException: Object reference\n   at A.B() in C.cs:line 1\n   --- End of inner exception stack trace ---\n   at D.E()",
            "thread 'main' panicked at src/main.rs:2:5:\nindex out of bounds: the len is 3\nnote: run with `RUST_BACKTRACE=1` environment variable",
            "PHP Fatal error:  Uncaught Error: Call to a member function x() on null in /a.php:3\nStack trace:\n#0 {main}\n  thrown in /a.php on line 3",
        ] {
            assert_eq!(shapes(text).len(), 1, "{text}");
        }
    }

    #[test]
    fn a_trace_behind_a_compose_prefix_is_still_one_record() {
        let text = "web_1  | Traceback (most recent call last):\nweb_1  |   File \"a.py\", line 1\nweb_1  | KeyError: 'x'\nweb_1  | 2024-05-01 10:00:00 INFO next";
        assert_eq!(shapes(text), [(1, 3), (4, 1)]);
    }

    #[test]
    fn a_log_that_was_pasted_indented_stays_many_records() {
        let text = "    Dec 29 23:39:07 host kernel: one\n    Dec 29 23:39:08 host kernel: two\n    plain three";
        assert_eq!(shapes(text).len(), 3);
    }

    #[test]
    fn a_trace_after_a_healthy_line_is_a_record_of_its_own() {
        let text = "2026-03-04 10:00:00 INFO handled /health\nTraceback (most recent call last):\n  File \"a.py\", line 1\nKeyError: 'k'\n2026-03-04 10:00:01 INFO next";
        assert_eq!(shapes(text), [(1, 1), (2, 3), (5, 1)]);
    }

    #[test]
    fn a_stray_bracket_does_not_swallow_the_log() {
        assert_eq!(shapes("[\n2024-05-01 10:00:00 ERROR a\n2024-05-01 10:00:01 ERROR b").len(), 3);
    }

    #[test]
    fn a_pretty_printed_object_is_one_record() {
        assert_eq!(shapes("{\n  \"a\": {\n    \"b\": 1\n  }\n}\nnext"), [(1, 5), (6, 1)]);
    }
}
