//! Makes a line safe to read and to show: no terminal escapes, no control characters, no text-direction tricks.

use std::borrow::Cow;

/// `line` without ANSI escapes, NUL and other control characters (a tab stays), byte-order marks and the Unicode
/// controls that turn the reading direction around (a log line must not be able to hide what it says).
#[must_use]
pub fn clean(line: &str) -> Cow<'_, str> {
    if !line.chars().any(is_unwanted) {
        return Cow::Borrowed(line);
    }
    let mut out = String::with_capacity(line.len());
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        if c == '\u{1b}' {
            skip_escape(&mut chars);
        } else if !is_unwanted(c) {
            out.push(c);
        }
    }
    Cow::Owned(out)
}

fn is_unwanted(c: char) -> bool {
    (c.is_control() && c != '\t')
        || matches!(c, '\u{feff}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// CSI sequences (`ESC [ … letter`) whole, of others the next character.
fn skip_escape(chars: &mut std::iter::Peekable<std::str::Chars>) {
    if chars.next_if_eq(&'[').is_none() {
        chars.next();
        return;
    }
    for c in chars.by_ref() {
        if ('\u{40}'..='\u{7e}').contains(&c) {
            break;
        }
    }
}

/// Whether `bytes` (the beginning of an input) are a compressed or binary file and not text in UTF-8 or Latin-1.
#[must_use]
pub fn looks_binary(bytes: &[u8]) -> bool {
    const MAGIC: [&[u8]; 6] = [b"\x1f\x8b", b"PK\x03\x04", b"\x28\xb5\x2f\xfd", b"\x7fELF", b"BZh", b"\xfd7zXZ"];
    if MAGIC.iter().any(|magic| bytes.starts_with(magic)) {
        return true;
    }
    let sample = &bytes[..bytes.len().min(8_192)];
    let odd = sample.iter().filter(|b| matches!(b, 0..=8 | 14..=26 | 28..=31 | 127)).count();
    // A few stray NULs in a log that a crash truncated are text; a tenth of the bytes is not.
    !sample.is_empty() && odd * 10 > sample.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_controls_and_direction_marks_go() {
        assert_eq!(clean("\u{1b}[1;31mERROR\u{1b}[0m a\0b\tc\u{202e}d\r"), "ERROR ab\tcd");
        assert_eq!(clean("plain שלום"), "plain שלום");
    }

    #[test]
    fn binary_is_told_from_text() {
        assert!(looks_binary(b"\x1f\x8b\x08\x00"));
        assert!(looks_binary(&[0; 100]));
        assert!(!looks_binary(b"a log\0 with one NUL in it and more text"));
        assert!(!looks_binary("gr\u{fc}\u{df}e".as_bytes()));
        assert!(!looks_binary(b""));
    }
}
