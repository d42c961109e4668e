//! What one log record is, whatever wrote it.

use serde::{Deserialize, Serialize};

/// How bad the writer of a record said it was. Ordered from harmless to fatal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Finest detail.
    Trace,
    /// For developers.
    Debug,
    /// Routine.
    Info,
    /// Routine, but worth a look (syslog `notice`).
    Notice,
    /// Something may go wrong.
    Warning,
    /// Something went wrong.
    Error,
    /// The process or the system cannot go on (`FATAL`, `CRITICAL`, `PANIC`, `EMERG`, `ALERT`).
    Fatal,
}

impl Severity {
    /// The severity that a word such as `WARN`, `err` or `SEVERE` stands for.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        const WORDS: [(&str, Severity); 30] = [
            ("trace", Severity::Trace),
            ("finest", Severity::Trace),
            ("finer", Severity::Trace),
            ("verbose", Severity::Debug),
            ("debug", Severity::Debug),
            ("fine", Severity::Debug),
            ("dbug", Severity::Debug),
            ("info", Severity::Info),
            ("information", Severity::Info),
            ("informational", Severity::Info),
            ("log", Severity::Info),
            ("status", Severity::Info),
            ("config", Severity::Info),
            ("notice", Severity::Notice),
            ("note", Severity::Notice),
            ("warn", Severity::Warning),
            ("warning", Severity::Warning),
            ("wrn", Severity::Warning),
            ("error", Severity::Error),
            ("err", Severity::Error),
            ("eror", Severity::Error),
            ("fail", Severity::Error),
            ("severe", Severity::Error),
            ("failure", Severity::Error),
            ("fatal", Severity::Fatal),
            ("critical", Severity::Fatal),
            ("crit", Severity::Fatal),
            ("panic", Severity::Fatal),
            ("alert", Severity::Fatal),
            ("emerg", Severity::Fatal),
        ];
        if word.len() > 13 {
            return None;
        }
        WORDS.iter().find(|(name, _)| word.eq_ignore_ascii_case(name)).map(|(_, severity)| *severity)
    }

    /// The severity that a single capital letter stands for (klog, logcat, Mongo).
    #[must_use]
    pub fn from_letter(letter: u8) -> Option<Self> {
        match letter {
            b'V' | b'T' => Some(Self::Trace),
            b'D' => Some(Self::Debug),
            b'I' => Some(Self::Info),
            b'N' => Some(Self::Notice),
            b'W' => Some(Self::Warning),
            b'E' => Some(Self::Error),
            b'F' | b'C' => Some(Self::Fatal),
            _ => None,
        }
    }

    /// The severity of an HTTP status: 5xx is an error, 401, 403 and 429 are a warning, all else is routine.
    #[must_use]
    pub fn from_http_status(status: u16) -> Self {
        match status {
            500..=599 => Self::Error,
            401 | 403 | 407 | 408 | 413 | 429 | 499 => Self::Warning,
            _ => Self::Info,
        }
    }

    /// Lower-case English word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Trace => "trace",
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Notice => "notice",
            Self::Warning => "warning",
            Self::Error => "error",
            Self::Fatal => "fatal",
        }
    }
}

/// What a line's header said about it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Header {
    /// Milliseconds since 1970-01-01 UTC, as far as the format tells.
    pub time: Option<i64>,
    /// The severity the writer gave.
    pub severity: Option<Severity>,
    /// Program, logger, module or pod that wrote it.
    pub component: Option<String>,
}

impl Header {
    /// Takes over what `inner` knows. The innermost header is nearest to the writer, so it wins, but for the time: all
    /// lines of a file share the clock of the outermost one.
    pub fn merge(&mut self, inner: Self) {
        self.time = self.time.or(inner.time);
        self.severity = inner.severity.or(self.severity);
        if inner.component.is_some() {
            self.component = inner.component;
        }
    }
}

/// The sentences that Python prints between chained exceptions; they name nothing.
#[must_use]
pub fn is_connective(line: &str) -> bool {
    line.starts_with("During handling of the above") || line.starts_with("The above exception was the direct cause")
}

/// One record: a line and the lines that continue it (a stack trace, an indented detail).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogRecord {
    /// Number of its first line, counted from 1.
    pub line: usize,
    /// Lines it spans, at least 1.
    pub line_count: usize,
    /// What its header said.
    pub header: Header,
    /// The first line as it came.
    pub raw: String,
    /// The first line without its header.
    pub message: String,
    /// The continued lines, without the headers of transports; cut after [`crate::logs::multiline::MAX_KEPT_LINES`].
    pub continued: Vec<String>,
}

impl LogRecord {
    /// The continued line that names what a trace began with: the last `Caused by`; of chained Python exceptions the
    /// first (Python prints the cause first); the line after Rust's `panicked at`; else the last line that is no frame.
    #[must_use]
    pub fn innermost_cause(&self) -> Option<&str> {
        let lines = || self.continued.iter().map(String::as_str);
        if let Some(cause) = lines().rev().find(|line| line.trim_start().starts_with("Caused by")) {
            return Some(cause);
        }
        if self.message.contains("panicked at") {
            return lines().next().filter(|line| !line.starts_with("note:"));
        }
        let chained = self.continued.iter().position(|line| is_connective(line)).unwrap_or(self.continued.len());
        let is_exception =
            |line: &&str| !line.starts_with([' ', '\t']) && line.contains(": ") && !line.starts_with("note:");
        self.continued[..chained].iter().map(String::as_str).rev().find(is_exception)
    }

    /// Message and continued lines, the way a classifier reads them.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = self.message.clone();
        for line in &self.continued {
            text.push('\n');
            text.push_str(line);
        }
        text
    }
}
