//! The layouts that logging libraries print: a time, a severity, perhaps a thread, a process, a logger, in any order
//! and with any punctuation (log4j, logback, Python, Rails, `PostgreSQL`, `MySQL`, Redis, `RabbitMQ`, nginx, Apache, logcat …).

use super::parse::Peeled;
use super::record::{Header, Severity};
use super::timestamp;

/// Tokens looked at before the rest is taken for the message.
const MAX_TOKENS: usize = 10;
/// A bracket longer than this holds text, not a thread or a process.
const MAX_BRACKET: usize = 64;
/// The same for a bracket that holds nothing but ids, or that stands before a logger.
const MAX_LONG_BRACKET: usize = 240;

/// Takes such a header off: it must begin with a time or a severity.
#[must_use]
pub fn peel(line: &str) -> Option<Peeled<'_>> {
    let mut scan = Scan { header: Header::default(), rest: line, dated: false, named: false };
    scan.redis_role();
    scan.time();
    if scan.dated {
        scan.piped_columns();
        scan.program();
        scan.level_ahead();
    } else if !scan.severity_first() {
        return None;
    }
    for _ in 0..MAX_TOKENS {
        if !scan.step() {
            break;
        }
    }
    if scan.rest.len() == line.len() {
        return None;
    }
    let inner = scan.rest.starts_with(['{', '<']) || scan.rest.starts_with("level=") || scan.rest.starts_with("msg=");
    Some(Peeled { header: scan.header, rest: scan.rest.into(), inner })
}

struct Scan<'a> {
    header: Header,
    rest: &'a str,
    dated: bool,
    /// Whether the logger was taken: what follows is the message's own, `getTasks: caller …`.
    named: bool,
}

impl<'a> Scan<'a> {
    /// `1:M 12 Jun 2021 …`: Redis puts its process and role first.
    fn redis_role(&mut self) {
        let Some((head, rest)) = self.rest.split_once(' ') else { return };
        let Some((pid, role)) = head.split_once(':') else { return };
        if matches!(role, "M" | "S" | "C" | "X") && pid.bytes().all(|b| b.is_ascii_digit()) && !pid.is_empty() {
            self.rest = rest;
        }
    }

    fn time(&mut self) {
        if let Some(time) = timestamp::leading(self.rest) {
            self.header.time = Some(time.millis);
            self.dated = true;
            self.advance(time.len);
        }
    }

    fn advance(&mut self, bytes: usize) {
        self.rest = self.rest[bytes..].trim_start_matches([' ', '\t', ',', '|']);
    }

    /// `…|Step_LSC|30002312|message`: columns between bars.
    fn piped_columns(&mut self) {
        while let Some((column, rest)) = self.rest.split_once('|') {
            if column.is_empty() || column.len() > MAX_BRACKET || column.contains([' ', '=', '"']) {
                return;
            }
            match Severity::from_word(column) {
                Some(severity) => self.header.severity = Some(severity),
                None if column.bytes().any(|b| b.is_ascii_alphabetic()) => {
                    self.header.component = Some(column.to_owned());
                }
                None => {}
            }
            self.rest = rest;
        }
    }

    /// `… chrome.exe *64 - message`: a program and a dash.
    fn program(&mut self) {
        let Some((program, rest)) = self.rest.split_once(" - ") else { return };
        let name = program.split(' ').next().unwrap_or(program);
        let file =
            name.rsplit_once('.').is_some_and(|(_, end)| matches!(end, "exe" | "py" | "sh" | "jar" | "dll" | "app"));
        if file && program.split(' ').count() <= 2 {
            self.header.component = Some(name.to_owned());
            self.rest = rest;
        }
    }

    /// `… [77] app@db FATAL:  message`: when a capital level stands near the front with a colon, or behind nothing but
    /// names in capitals and nodes (`R02-M1 RAS KERNEL INFO message`), all before it is header.
    fn level_ahead(&mut self) {
        let mut offset = 0;
        let mut columns = true;
        for token in self.rest.split(' ').take(6) {
            let bare = token.strip_suffix(':');
            let word = bare.unwrap_or(if columns && offset > 0 { token } else { "" });
            columns &= is_column(token);
            if word.len() >= 3
                && word.bytes().all(|b| b.is_ascii_uppercase())
                && (bare.is_some() || Severity::from_word(word).is_some())
            {
                if let Some(severity) = Severity::from_word(word) {
                    let before = self.rest[..offset].trim();
                    self.header.component = before
                        .split(' ')
                        .rfind(|t| t.contains(|c: char| c.is_alphabetic()) && !t.starts_with('['))
                        .map(str::to_owned);
                    self.header.severity = Some(severity);
                    self.advance(offset + token.len());
                }
                return;
            }
            offset += token.len() + 1;
        }
    }

    /// Without a time, only a severity in capitals or brackets opens a header: `ERROR: …`, `[warn] …`, `ERROR:root:…`.
    fn severity_first(&mut self) -> bool {
        let token = self.rest.split([' ', '\t']).next().unwrap_or("");
        if token.starts_with('[') {
            return self.bracket();
        }
        let word = token.split(':').next().unwrap_or("").trim_matches(['<', '>', '(', ')']);
        let capital = word.bytes().all(|b| b.is_ascii_uppercase()) && word.len() >= 3;
        let Some(severity) = Severity::from_word(word).filter(|_| capital) else { return false };
        self.header.severity = Some(severity);
        // Python's default format: LEVEL:logger:message.
        if let Some((_, after)) = token.split_once(':')
            && let Some((logger, _)) = after.split_once(':')
            && !logger.is_empty()
        {
            self.header.component = Some(logger.to_owned());
            self.rest = &self.rest[token.len() - after.len() + logger.len() + 1..];
            return true;
        }
        self.advance(token.len());
        true
    }

    /// Takes one more piece of header off the front. `false`: the message begins here.
    fn step(&mut self) -> bool {
        let rest = self.rest;
        if rest.starts_with('[') {
            return self.bracket();
        }
        let token = rest.split([' ', '\t']).next().unwrap_or("");
        if token.is_empty() {
            return false;
        }
        if matches!(token, "-" | "--" | "---" | ":" | "::" | "|" | ">" | "=>") {
            self.advance(token.len());
            return true;
        }
        if self.header.severity.is_none() && self.severity_token(token) {
            return true;
        }
        if is_process(token) && (token.contains('#') || self.followed_by_header(token.len())) {
            self.advance(token.len());
            return true;
        }
        if (token.starts_with('<') && token.ends_with('>')) || (token.starts_with('(') && token.ends_with(')')) {
            self.advance(token.len());
            return true;
        }
        self.logger(token)
    }

    fn bracket(&mut self) -> bool {
        let Some(end) = closing(self.rest) else { return false };
        let inner = self.rest[1..end].trim();
        // A request's ids, or a thread's name before its logger, may be long.
        let long = inner.split([' ', ',']).all(|id| id == "-" || id.bytes().any(|b| b.is_ascii_digit()))
            || (self.header.severity.is_some() && is_logger(self.rest[end + 1..].trim_start()));
        if inner.len() > if long { MAX_LONG_BRACKET } else { MAX_BRACKET } || inner.starts_with("redacted:") {
            return false;
        }
        let word = inner.split([' ', ':']).next().unwrap_or("");
        match Severity::from_word(word) {
            Some(severity) if self.header.severity.is_none() => self.header.severity = Some(severity),
            // Without a time or a severity, a bracket may be anything.
            _ if !self.dated && self.header.severity.is_none() => return false,
            _ => {}
        }
        self.advance(end + 1);
        if let Some(rest) = self.rest.strip_prefix(": ") {
            self.rest = rest;
        }
        true
    }

    fn severity_token(&mut self, token: &str) -> bool {
        let word = token.trim_matches(['<', '>', '(', ')', ':', '|', '*']).split(['/', ':']).next().unwrap_or("");
        let symbol = match token {
            // Redis: debug, verbose, notice, warning.
            "." => Some(Severity::Debug),
            "*" => Some(Severity::Notice),
            "#" => Some(Severity::Warning),
            _ => None,
        };
        let letter = (token.len() == 1).then(|| Severity::from_letter(token.as_bytes()[0])).flatten();
        let found = symbol.or(letter).or_else(|| Severity::from_word(word));
        // A lower-case word may open a sentence ("error while …"): only a colon or capitals make it a level.
        let shouted =
            token.len() == 1 || token.ends_with([':', '>', ']', ')']) || !word.starts_with(|c: char| c.is_lowercase());
        let next_is_text = self.rest[token.len()..].starts_with(' ');
        match found.filter(|_| shouted || (self.dated && !next_is_text) || self.lower_level(word)) {
            Some(severity) => {
                self.header.severity = Some(severity);
                self.advance(token.len());
                true
            }
            None => false,
        }
    }

    /// `2024-05-01 10:00:00 info  message` and `… error logger - message`: a lower-case level that opens a dated line.
    fn lower_level(&self, word: &str) -> bool {
        self.dated && matches!(word, "info" | "warn" | "debug" | "notice" | "trace")
    }

    fn followed_by_header(&self, skip: usize) -> bool {
        let next = self.rest[skip..].trim_start();
        let token = next.split([' ', '\t']).next().unwrap_or("");
        let bare = token.trim_matches(['[', ']', ':', '<', '>', '(', ')']);
        next.starts_with('[')
            || token == "---"
            || is_process(token)
            || (token.len() == 1
                && self.header.severity.is_none()
                && Severity::from_letter(token.as_bytes()[0]).is_some())
            || (Severity::from_word(bare).is_some() && bare.starts_with(|c: char| c.is_ascii_uppercase()))
    }

    /// `c.e.App - message`, `c.e.App: message`, `WindowManager: message`.
    fn logger(&mut self, token: &'a str) -> bool {
        if self.named || self.header.severity.is_none() {
            return false;
        }
        let name = token.trim_end_matches(':');
        let plain = name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'$' | b'/' | b'-' | b'@' | b'#' | b':'));
        if !plain || name.is_empty() || name.len() > 120 || !name.starts_with(|c: char| c.is_ascii_alphabetic()) {
            return false;
        }
        let after = self.rest[token.len()..].trim_start_matches(' ');
        let separated = token.ends_with(':') && !after.is_empty();
        let marked = ["- ", ": ", "| ", "[", ":: "].iter().any(|mark| after.starts_with(mark));
        let dotted = name.matches('.').count() >= 2 && !name.ends_with('.');
        // `Error: listen …` is what went wrong, not who said so.
        let exception = ["Error", "Exception", "Fault"].iter().any(|end| name.ends_with(end));
        if exception
            || !(separated
                || (marked && (name.contains('.') || after.starts_with("- ") || after.starts_with(": ")))
                || dotted)
        {
            return false;
        }
        self.header.component = Some(name.to_owned());
        self.named = true;
        self.advance(token.len());
        for mark in ["- ", ": ", "| ", ":: "] {
            if let Some(rest) = self.rest.strip_prefix(mark) {
                self.rest = rest.trim_start();
            }
        }
        true
    }
}

/// Where the bracket that `text` begins with ends: `[QuorumPeer[myid=1]/0:0:0:0:2181]` nests.
fn closing(text: &str) -> Option<usize> {
    let mut depth = 0_usize;
    for (at, byte) in text.bytes().enumerate().take(2 * MAX_LONG_BRACKET) {
        match byte {
            b'[' => depth += 1,
            b']' if depth <= 1 => return Some(at),
            b']' => depth -= 1,
            _ => {}
        }
    }
    text.find(']')
}

/// `R02-M1-N0`, `RAS`, `-`: what stands before a level in columns.
fn is_column(token: &str) -> bool {
    let capital = token.bytes().all(|b| b.is_ascii_uppercase() || b == b'_') && token.len() >= 2;
    let node = token.contains(['-', ':', '/']) && token.bytes().any(|b| b.is_ascii_digit());
    let plain = token.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b':' | b'/' | b'.' | b'_'));
    token == "-" || capital || (plain && (node || token.bytes().all(|b| b.is_ascii_digit())))
}

/// `org.apache.hadoop.ipc.Client: `
fn is_logger(text: &str) -> bool {
    text.split_once(": ").is_some_and(|(name, _)| name.contains('.') && !name.contains(' '))
}

/// A process or thread number, or nginx's `33#33:`.
fn is_process(token: &str) -> bool {
    let bare = token.trim_end_matches(':');
    !bare.is_empty()
        && bare.len() <= 12
        && bare.bytes().all(|b| b.is_ascii_digit() || b == b'#')
        && bare.as_bytes()[0] != b'#'
}
