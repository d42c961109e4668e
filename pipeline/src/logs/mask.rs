//! Replaces what varies between two prints of one message: numbers, addresses, ids, paths, times, quoted values.
//!
//! One set of general rules for all logs. Masks come before grouping: they are where most of the accuracy comes from.

use super::timestamp;

/// A piece of a masked message. Joined, the texts of all pieces give the masked message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Piece<'a> {
    /// Its text; of a variable its placeholder, such as `<num>`.
    pub text: &'a str,
    /// What it is.
    pub kind: Kind,
}

/// What a [`Piece`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A word of the message itself.
    Word,
    /// A variable.
    Variable,
    /// Spaces and punctuation.
    Separator,
}

/// Longer quoted texts are sentences, which carry meaning, not values.
const MAX_QUOTED: usize = 120;
/// Units of time that may follow a number.
const TIME_UNITS: [&str; 19] = [
    "ns", "us", "\u{b5}s", "ms", "msec", "msecs", "s", "sec", "secs", "second", "seconds", "min", "mins", "minute",
    "minutes", "h", "hour", "hours", "days",
];
/// Units of size that may follow a number.
const SIZE_UNITS: [&str; 10] = ["B", "KB", "MB", "GB", "TB", "KiB", "MiB", "GiB", "kB", "bytes"];

/// `message` with its variables replaced.
#[must_use]
pub fn mask(message: &str) -> String {
    pieces(message).iter().map(|piece| piece.text).collect()
}

/// `message` in pieces, variables replaced, repeated variables (`1 2 3`, `1, 2, 3`) told once.
#[must_use]
pub fn pieces(message: &str) -> Vec<Piece<'_>> {
    let mut scan = Scan { rest: message, pieces: Vec::new() };
    while let Some(c) = scan.rest.chars().next() {
        if let Some(len) = date(scan.rest, c) {
            scan.rest = &scan.rest[len..];
            scan.variable("<time>");
        } else if is_atom(c) {
            let end = scan.rest.find(|c| !is_atom(c)).unwrap_or(scan.rest.len());
            let (atom, rest) = scan.rest.split_at(end);
            scan.rest = rest;
            scan.atom(atom);
        } else if !scan.redacted() && !scan.quoted(c) && !scan.size_again(c) {
            scan.separator(c);
        }
    }
    scan.pieces
}

struct Scan<'a> {
    rest: &'a str,
    pieces: Vec<Piece<'a>>,
}

impl<'a> Scan<'a> {
    fn push(&mut self, text: &'a str, kind: Kind) {
        if !text.is_empty() {
            self.pieces.push(Piece { text, kind });
        }
    }

    /// A variable, unless it is one more of a list of its kind.
    fn variable(&mut self, placeholder: &'static str) {
        let repeated = match self.pieces.as_slice() {
            [.., before, between] => {
                before.kind == Kind::Variable
                    && before.text == placeholder
                    && matches!(between.text, " " | "," | ", " | "|" | "/")
            }
            _ => false,
        };
        if repeated {
            self.pieces.pop();
        } else {
            self.push(placeholder, Kind::Variable);
        }
    }

    /// One separator; further spaces after a space say nothing.
    fn separator(&mut self, c: char) {
        let (text, rest) = self.rest.split_at(c.len_utf8());
        self.rest = if c.is_whitespace() { rest.trim_start() } else { rest };
        // `, ` is one separator.
        if text == "," && self.rest.starts_with(' ') {
            self.rest = self.rest.trim_start();
            self.push(", ", Kind::Separator);
        } else {
            self.push(if c.is_whitespace() { " " } else { text }, Kind::Separator);
        }
    }

    /// A secret that was taken out: `[redacted:token]`.
    fn redacted(&mut self) -> bool {
        let Some(end) = self.rest.strip_prefix("[redacted:").and_then(|inner| inner.find(']')) else { return false };
        self.rest = &self.rest["[redacted:".len() + end + 1..];
        self.variable("<secret>");
        true
    }

    /// A quoted value: `'users_pkey'`, `"/api/v1"`, and after `=` also one with spaces. An apostrophe inside a word is
    /// none, and a quoted sentence carries meaning.
    fn quoted(&mut self, quote: char) -> bool {
        let last = self.pieces.last();
        if !matches!(quote, '"' | '\'' | '`') || last.is_some_and(|piece| piece.kind != Kind::Separator) {
            return false;
        }
        let assigned = last.is_some_and(|piece| piece.text == "=");
        let inner = &self.rest[1..];
        let Some(end) = inner.find(|c| c == quote || (quote == '`' && c == '\'')) else { return false };
        if end > MAX_QUOTED || (inner[..end].contains(' ') && !assigned) {
            return false;
        }
        self.rest = &inner[end + 1..];
        self.variable("<str>");
        true
    }

    /// `(1.98 KB)` after `2028 bytes` says the same again, and is often left out for small sizes.
    fn size_again(&mut self, c: char) -> bool {
        let [.., number, space] = self.pieces.as_slice() else { return false };
        if c != '(' || space.text != " " || !(number.text == "bytes" || number.kind == Kind::Variable) {
            return false;
        }
        let Some((inner, rest)) = self.rest[1..].split_once(')') else { return false };
        let Some((amount, unit)) = inner.split_once(' ') else { return false };
        if !is_number(amount) || !SIZE_UNITS.contains(&unit) {
            return false;
        }
        self.pieces.pop();
        self.rest = rest;
        true
    }

    fn atom(&mut self, atom: &'a str) {
        // `space................0`: dots that lead the eye to a value.
        if let Some(start) = atom.find("..") {
            let after = atom[start..].trim_start_matches('.');
            self.atom(&atom[..start]);
            if !after.is_empty() {
                self.push("..", Kind::Separator);
                self.atom(after);
            } else if start > 0 {
                self.push("...", Kind::Separator);
            }
            return;
        }
        let core = atom.trim_end_matches(['.', ':', '-']);
        let tail = &atom[core.len()..];
        let mut plain = core;
        // `pid:77` and `user:alice`: the key stays.
        if let Some((key, value)) = core.split_once(':') {
            let is_key = !key.is_empty() && key.bytes().all(|b| b.is_ascii_alphabetic() || b == b'_');
            if is_key && !value.starts_with("//") && !value.is_empty() {
                self.push(key, Kind::Word);
                self.push(":", Kind::Separator);
                plain = value;
            }
        }
        self.value(plain);
        self.push(tail, Kind::Separator);
    }

    fn value(&mut self, word: &'a str) {
        if let Some(placeholder) = variable(word) {
            if placeholder == "<num>" && self.time_unit() {
                // `<1 sec`: less than a unit is a time, too.
                if self.pieces.last().is_some_and(|piece| piece.text == "<") {
                    self.pieces.pop();
                }
                return self.variable("<time>");
            }
            if matches!(placeholder, "<url>" | "<path>") && self.rest.starts_with('?') {
                let end = self.rest.find([' ', '"', '\'']).unwrap_or(self.rest.len());
                self.rest = &self.rest[end..];
            }
            return self.variable(placeholder);
        }
        // `core.2275`, `touch.0`: the name stays.
        if let Some((name, number)) = word.rsplit_once('.')
            && !number.is_empty()
            && number.bytes().all(|b| b.is_ascii_digit())
            && !name.is_empty()
        {
            self.push(name, Kind::Word);
            self.push(".", Kind::Separator);
            return self.variable("<num>");
        }
        self.push(word, Kind::Word);
    }

    /// Takes a unit of time off the front of what follows a number.
    fn time_unit(&mut self) -> bool {
        let Some(after) = self.rest.strip_prefix(' ') else { return false };
        let end = after.find(|c: char| !c.is_alphabetic()).unwrap_or(after.len());
        if !TIME_UNITS.contains(&&after[..end]) || after[end..].starts_with(['_', '-', '/', '=']) {
            return false;
        }
        self.rest = &after[end..];
        true
    }
}

/// The length of a date that `rest` begins with.
fn date(rest: &str, first: char) -> Option<usize> {
    let end = rest.find(|c| !is_atom(c)).unwrap_or(rest.len());
    let dated = if first.is_ascii_digit() {
        rest[..end].contains(['-', '/', ':']) && end >= 5
    } else {
        first.is_ascii_uppercase() && end == 3
    };
    dated.then(|| timestamp::leading(rest)).flatten().map(|time| time.len)
}

fn is_atom(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '.' | '_' | '-' | ':' | '/' | '\\' | '@' | '%' | '+' | '$' | '#' | '~')
}

fn is_number(word: &str) -> bool {
    word.bytes().any(|b| b.is_ascii_digit())
        && word.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b',' | b'-' | b'+'))
}

/// The placeholder for `word`, if it is a variable; `None` for a word, also for one with a number behind a dot.
fn variable(word: &str) -> Option<&'static str> {
    let bytes = word.as_bytes();
    if word.contains("://") {
        return Some("<url>");
    }
    let digits = bytes.iter().filter(|b| b.is_ascii_digit()).count();
    let slashes = bytes.iter().filter(|b| matches!(b, b'/' | b'\\')).count();
    if slashes > 0 && (matches!(bytes[0], b'/' | b'\\' | b'~' | b'.') || slashes > 1) {
        return (word.len() > 1).then_some(if looks_like_address(&bytes[1..]) { "<ip>" } else { "<path>" });
    }
    if slashes == 1
        && bytes[1..].iter().zip(&bytes[2.min(bytes.len())..]).any(|(a, b)| *a == b':' && matches!(b, b'\\' | b'/'))
    {
        return Some("<path>");
    }
    if word.contains('@') && word.len() > 1 {
        return Some(if word.split_once('@').is_some_and(|(_, host)| host.contains('.')) { "<email>" } else { "<id>" });
    }
    if digits == 0 {
        return None;
    }
    if looks_like_address(bytes) {
        return Some("<ip>");
    }
    if let Some((host, port)) = word.split_once(':')
        && host.contains('.')
        && port.bytes().all(|b| b.is_ascii_digit())
    {
        return Some("<host>");
    }
    if looks_like_time(word) {
        return Some("<time>");
    }
    let hex = word.strip_prefix("0x").unwrap_or(word);
    if hex.len() >= 8 && hex.bytes().all(|b| b.is_ascii_hexdigit() || matches!(b, b'-' | b':')) && digits < hex.len() {
        return Some("<hex>");
    }
    let letters = bytes.iter().filter(|b| b.is_ascii_alphabetic()).count();
    // Names that end in one digit (`ext4`, `http2`, `oauth2`) are words.
    if digits == 1 && letters >= 2 && bytes[bytes.len() - 1].is_ascii_digit() && letters + 1 == bytes.len() {
        return None;
    }
    // `core.2275`: a name with a number behind it.
    if let Some((name, number)) = word.rsplit_once('.')
        && name.bytes().all(|b| b.is_ascii_alphabetic() || b == b'_')
        && !name.is_empty()
        && number.bytes().all(|b| b.is_ascii_digit())
    {
        return None;
    }
    Some("<num>")
}

/// `12:30`, `00:17:05`, `22:15:29.606`, `12.5ms`, `3s`.
fn looks_like_time(word: &str) -> bool {
    let clock = word.contains(':')
        && word.split([':', '.']).all(|part| (1..=6).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit()));
    let unit = word.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.' || c == '-');
    clock || (unit.len() < word.len() && TIME_UNITS.contains(&unit))
}

/// IPv4 with or without a port, IPv6.
fn looks_like_address(bytes: &[u8]) -> bool {
    let dots = bytes.iter().filter(|b| **b == b'.').count();
    let colons = bytes.iter().filter(|b| **b == b':').count();
    (dots == 3 && colons <= 1 && bytes.iter().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b':' | b'/')))
        || (colons >= 3 && dots == 0 && bytes.iter().all(|b| b.is_ascii_hexdigit() || matches!(b, b':' | b'/')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_masked_and_words_are_not() {
        for (message, masked) in [
            (
                "Received block blk_-160899 of size 91178 from /10.250.10.6",
                "Received block <num> of size <num> from <ip>",
            ),
            ("mount of ext4 on /dev/sda1 took 12.5ms", "mount of ext4 on <path> took <time>"),
            ("relation \"users\" does not exist", "relation <str> does not exist"),
            ("don't stop pid:77", "don't stop pid:<num>"),
            ("GET https://example.com/a?b=1", "GET <url>"),
            ("data address space................0", "data address space..<num>"),
            ("closed, 2028 bytes (1.98 KB) sent, lifetime <1 sec", "closed, <num> bytes sent, lifetime <time>"),
            ("took 00:17 or 3 seconds", "took <time> or <time>"),
            ("ask 10.0.0.1:50010 to delete blk_1 blk_2 blk_3", "ask <ip> to delete <num>"),
            ("token=[redacted:token] used", "token=<secret> used"),
            ("generating core.2275", "generating core.<num>"),
            ("open proxy.example.com:5070", "open <host>"),
            ("tag=\"View Lock\" said \"not a value\"", "tag=<str> said \"not a value\""),
        ] {
            assert_eq!(mask(message), masked);
        }
    }
}
