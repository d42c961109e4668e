//! From raw lines to records and templates.

mod access;
pub mod clean;
mod columns;
mod container;
pub mod digest;
pub mod frames;
mod json;
mod kernel;
mod klog;
mod kubernetes;
mod layout;
mod logfmt;
pub mod mask;
pub mod multiline;
pub mod parse;
pub mod record;
mod syslog;
pub mod template;
pub mod timestamp;

/// The first `bytes` of `text` or fewer, cut between characters.
#[must_use]
pub fn cut(text: &str, bytes: usize) -> &str {
    if text.len() <= bytes {
        return text;
    }
    let end = (0..=bytes).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    &text[..end]
}

/// Whether a message that somebody wrote is a log and no chatter: half of its lines have a header with a time or a
/// severity or belong to a stack trace, or it stands in a code block.
#[must_use]
pub fn looks_like_a_log(text: &str) -> bool {
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    if lines.first().is_some_and(|line| line.trim_start().starts_with("```")) {
        return true;
    }
    let of_a_log: usize = multiline::records(lines.iter().copied())
        .iter()
        .filter(|record| record.header.time.is_some() || record.header.severity.is_some() || record.line_count > 1)
        .map(|record| record.line_count)
        .sum();
    of_a_log * 2 >= lines.len() && !lines.is_empty()
}

/// What a log line says, without its header.
#[must_use]
pub fn message_of(line: &str) -> String {
    parse::parse_line(line).message.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_is_told_from_chatter() {
        for log in [
            "2024-05-01 10:02:12 ERROR could not write",
            "```\nsomething broke\n```",
            "look at this:\nMay  1 10:02:12 web-1 sshd[77]: Failed password for root",
            "Traceback (most recent call last):\n  File \"a.py\", line 1, in <module>\nValueError: x",
        ] {
            assert!(looks_like_a_log(log), "{log}");
        }
        for chatter in
            ["", "looking at it now", "I think the error is in the deploy of yesterday\nwill roll back", "ok"]
        {
            assert!(!looks_like_a_log(chatter), "{chatter}");
        }
    }
}
