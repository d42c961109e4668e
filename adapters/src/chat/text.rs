//! Cleaning and cutting of texts, the same for every platform.

use super::{Rich, Span};

/// Takes out what nobody can read but what changes what is read: control characters (line breaks and tabs stay) and the
/// marks that turn the direction of writing around.
pub fn clean(text: &str) -> String {
    text.chars().filter(|c| matches!(c, '\n' | '\t') || !(c.is_control() || turns_around(*c))).collect()
}

/// As [`clean`], in one line.
pub fn one_line(text: &str) -> String {
    clean(text).split_whitespace().collect::<Vec<_>>().join(" ")
}

fn turns_around(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// The text as long as `size` allows, with an ellipsis where it was cut. `size` says how much a character counts on the
/// platform.
pub fn cut(text: &str, limit: usize, size: impl Fn(char) -> usize) -> String {
    if text.chars().map(&size).sum::<usize>() <= limit {
        return text.to_owned();
    }
    let Some(mut room) = limit.checked_sub(size('…')) else { return String::new() };
    let mut short = String::new();
    for c in text.chars() {
        let Some(left) = room.checked_sub(size(c)) else { break };
        room = left;
        short.push(c);
    }
    short.push('…');
    short
}

/// As [`cut`], but at the end of a line where there is one, and it says how many lines are missing.
pub fn cut_lines(text: &str, limit: usize, size: impl Fn(char) -> usize) -> String {
    let whole = text.chars().map(&size).sum::<usize>();
    let lines = text.lines().count();
    if whole <= limit || lines < 2 {
        return cut(text, limit, size);
    }
    let note = |missing: usize| format!("… {missing} more {}", if missing == 1 { "line" } else { "lines" });
    let mut room = limit.saturating_sub(note(lines).chars().map(&size).sum());
    let mut shown = Vec::new();
    for line in text.lines() {
        let needed = line.chars().map(&size).sum::<usize>() + size('\n');
        if needed > room {
            break;
        }
        room -= needed;
        shown.push(line.to_owned());
    }
    if shown.is_empty() {
        // One line that is too long: its beginning says more than nothing.
        shown.push(cut(text.lines().next().unwrap_or(""), room.saturating_sub(size('\n')), &size));
    }
    let missing = lines - shown.len();
    if missing > 0 {
        shown.push(note(missing));
    }
    cut(&shown.join("\n"), limit, size)
}

/// The words of a sentence without any form.
pub fn plain(sentence: &Rich) -> String {
    sentence
        .iter()
        .map(|span| match span {
            Span::Text(text) | Span::Strong(text) | Span::Code(text) | Span::Link { text, .. } => text.as_str(),
        })
        .collect()
}

/// The address if it is one that a browser may be sent to.
pub fn web_address(url: &str) -> Option<String> {
    const LONGEST: usize = 2_000;
    let parsed = reqwest::Url::parse(url).ok()?;
    let allowed = matches!(parsed.scheme(), "http" | "https") && parsed.as_str().len() <= LONGEST;
    allowed.then(|| parsed.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_read_is_taken_out() {
        assert_eq!(clean("a\u{0}b\u{1b}[31m\r\n\tc\u{202e}d"), "ab[31m\n\tcd");
        assert_eq!(clean("שלום עולם 🚒"), "שלום עולם 🚒");
        assert_eq!(one_line(" a\n\n b "), "a b");
    }

    #[test]
    fn a_cut_text_keeps_the_limit_and_says_that_it_was_cut() {
        assert_eq!(cut("abcdef", 6, char::len_utf16), "abcdef");
        assert_eq!(cut("abcdefg", 6, char::len_utf16), "abcde…");
        assert_eq!(cut("🚒🚒🚒🚒", 6, char::len_utf16), "🚒🚒…");
        assert_eq!(cut("abc", 0, char::len_utf16), "");
    }

    #[test]
    fn cut_lines_are_counted() {
        let text = (1..=20).map(|n| format!("line {n}")).collect::<Vec<_>>().join("\n");
        assert_eq!(cut_lines(&text, 40, char::len_utf16), "line 1\nline 2\nline 3\n… 17 more lines");
        assert_eq!(cut_lines("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\nb", 28, char::len_utf16), "aaaaaaaaaaaa…\n… 1 more line");
        assert_eq!(cut_lines("a\nb", 3, char::len_utf16), "a\nb");
    }

    #[test]
    fn only_web_addresses_are_links() {
        assert_eq!(web_address("https://x.example/a?b=c").as_deref(), Some("https://x.example/a?b=c"));
        assert_eq!(web_address("javascript:alert(1)"), None);
        assert_eq!(web_address("slack://channel"), None);
        assert_eq!(web_address("not an address"), None);
    }
}
