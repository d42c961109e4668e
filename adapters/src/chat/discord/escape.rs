//! Text that Discord's markdown leaves as it is: in contents, in titles and descriptions of embeds, in their fields.
//!
//! A backslash before a sign takes its meaning. Only signs that can begin something get one, wherever they stand: what
//! ends a mark is harmless without its beginning. The texts of one message are escaped one by one, so a text is safe
//! whatever stands before and after it. The rules are those of Discord's own clients, which are built on
//! simple-markdown.

use crate::chat::text;

/// Keeps signs apart where no backslash helps: inside code.
const APART: char = '\u{200b}';
/// Longest name of an emoji.
const EMOJI: usize = 80;
/// Emoji whose names have no letter.
const EMOJI_WITHOUT_LETTERS: [&str; 4] = ["100", "1234", "+1", "-1"];
/// Schemes of addresses that Discord makes a link of.
const SCHEMES: [&str; 4] = ["http", "https", "steam", "discord"];
/// Hosts of invitations and other addresses that Discord shows something for without any scheme.
const HOSTS: [&str; 2] = ["discord", "discordapp"];
/// What Discord takes for more than words after an `@`.
const CALLS: [&str; 3] = ["everyone", "here", "silent"];

/// Size of a character as Discord counts it, or more. Discord does not say how it counts: UTF-16 is never less than
/// characters.
pub fn size(c: char) -> usize {
    c.len_utf16()
}

/// Size of a text, as [`size`].
pub fn length(text: &str) -> usize {
    text.chars().map(size).sum()
}

/// The text so that people read exactly it: nothing in it formats, links or calls.
pub fn escape(text: &str) -> String {
    let chars: Vec<char> = text::clean(text).chars().collect();
    let mut escaped = String::with_capacity(text.len() + text.len() / 8);
    let mut line = 0;
    for (at, &c) in chars.iter().enumerate() {
        if is_mark(&chars, at, line) {
            escaped.push('\\');
        }
        escaped.push(c);
        if c == '\n' {
            line = at + 1;
        }
    }
    escaped
}

/// As [`escape`], at most `limit` long. No escape is cut in two, and a text that was cut ends with an ellipsis.
pub fn escape_to(text: &str, limit: usize) -> String {
    // Escaping makes no text shorter, and a cleaned text that has one character more than fits shows that it was cut.
    let text: String = text::clean(text).chars().take(limit + 1).collect();
    let escaped = escape(&text);
    if length(&escaped) <= limit {
        return escaped;
    }
    fit(&text, limit, escape)
}

/// Code within a line, between as many backticks as it takes; nothing when there is no code.
pub fn code(text: &str) -> String {
    let mut code = text::clean(text).replace('\n', " ");
    if code.trim().is_empty() {
        return String::new();
    }
    let runs = runs(&code);
    let ticks = if !runs.contains(&1) {
        "`"
    } else if !runs.contains(&2) {
        "``"
    } else {
        // Three would begin a block.
        code = apart(&code, 2);
        "``"
    };
    // One space is taken off where code begins or ends with a backtick.
    let before = if code.trim_start_matches(' ').starts_with('`') { " " } else { "" };
    let after = if code.trim_end_matches(' ').ends_with('`') { " " } else { "" };
    format!("{ticks}{before}{code}{after}{ticks}")
}

/// As [`code`], at most `limit` long.
pub fn code_to(text: &str, limit: usize) -> String {
    let text: String = text::clean(text).chars().take(limit + 1).collect();
    let whole = code(&text);
    if length(&whole) <= limit { whole } else { fit(&text, limit, code) }
}

/// Lines of code as a block, at most `limit` long: it says how many lines are missing. Nothing when there are none.
pub fn fenced_to(text: &str, limit: usize) -> String {
    const FENCES: usize = 8;
    let lines = lines(text);
    let lines = text::cut_lines(&lines, limit.saturating_sub(FENCES), size);
    if lines.is_empty() { lines } else { format!("```\n{lines}\n```") }
}

/// What stands between fences: no fence, and no empty lines around, which Discord would leave out.
fn lines(text: &str) -> String {
    let text = text::clean(text);
    let lines = text.trim_end().trim_start_matches('\n');
    apart(lines, 3)
}

/// The longest beginning of a text that keeps a limit in this `form`, with an ellipsis.
fn fit(text: &str, limit: usize, form: impl Fn(&str) -> String) -> String {
    let ends: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
    let cut = |end: usize| form(&format!("{}…", &text[..end]));
    let fitting = ends.partition_point(|&end| length(&cut(end)) <= limit);
    // Next to the cut a sign may need an escape that it did not need before, so one step less may be the one that fits.
    let short = ends[..fitting].iter().rev().map(|&end| cut(end)).find(|short| length(short) <= limit);
    short.unwrap_or_default()
}

/// Whether a character begins something where it stands. `line` is where its line begins.
fn is_mark(chars: &[char], at: usize, line: usize) -> bool {
    let c = chars[at];
    let next = chars.get(at + 1).copied();
    let previous = at.checked_sub(1).map(|before| chars[before]);
    let is_first = || chars[line..at].iter().all(|c| c.is_whitespace());
    let ends_word = || next.is_none_or(char::is_whitespace);
    match c {
        '*' | '_' | '`' | '[' => true,
        '\\' => !next.is_some_and(|c| c.is_ascii_alphanumeric() || matches!(c, ' ' | '\n' | '\t')),
        '~' | '|' => next.is_none_or(|next| next == c) || previous == Some(c),
        '<' => next != Some(' '),
        // A link that stands before would reach up to here.
        '(' => previous.is_none_or(|previous| previous == ']'),
        '@' => previous == Some('<') || CALLS.iter().any(|call| begins(&chars[at + 1..], call)),
        ':' => is_address(chars, at) || is_emoji(&chars[at + 1..]),
        '.' => is_host(chars, at) || (ends_word() && is_number(&chars[line..at])),
        '>' => is_first(),
        '#' | '-' => (next == Some('#') || ends_word()) && is_first(),
        _ => false,
    }
}

fn begins(chars: &[char], word: &str) -> bool {
    word.chars().enumerate().all(|(at, c)| chars.get(at) == Some(&c))
}

/// Whether the letters directly before `at` are one of these words; others may stand before them if `inside`.
fn follows(chars: &[char], at: usize, words: &[&str], inside: bool) -> bool {
    words.iter().any(|word| {
        let Some(start) = at.checked_sub(word.len()) else { return false };
        let is_word = chars[start..at].iter().zip(word.chars()).all(|(c, wanted)| c.eq_ignore_ascii_case(&wanted));
        is_word && (inside || start == 0 || !chars[start - 1].is_ascii_alphanumeric())
    })
}

/// The colon of `https://`.
fn is_address(chars: &[char], at: usize) -> bool {
    begins(&chars[at + 1..], "//") && follows(chars, at, &SCHEMES, true)
}

/// The dot of `discord.gg`.
fn is_host(chars: &[char], at: usize) -> bool {
    chars.get(at + 1).is_some_and(char::is_ascii_alphabetic) && follows(chars, at, &HOSTS, false)
}

/// Whether this is what stands after the first colon of `:fire:`. The time of a log line is not.
fn is_emoji(after: &[char]) -> bool {
    let Some(end) = after.iter().take(EMOJI).position(|&c| c == ':') else { return false };
    let name = &after[..end];
    let is_name = name.iter().all(|c| c.is_alphanumeric() || matches!(c, '_' | '+' | '-'));
    let text: String = name.iter().collect();
    is_name && (name.iter().any(|c| c.is_alphabetic()) || EMOJI_WITHOUT_LETTERS.contains(&text.as_str()))
}

/// Whether a line so far is the number of a list.
fn is_number(chars: &[char]) -> bool {
    let mut digits = chars.iter().skip_while(|c| c.is_whitespace()).peekable();
    digits.peek().is_some() && digits.all(char::is_ascii_digit)
}

/// Lengths of the runs of backticks.
fn runs(text: &str) -> Vec<usize> {
    text.split(|c| c != '`').map(str::len).filter(|length| *length > 0).collect()
}

/// Keeps backticks apart that stand together: pairs that stand alone, or three and more.
fn apart(text: &str, together: usize) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find('`') {
        let run = rest[start..].len() - rest[start..].trim_start_matches('`').len();
        kept.push_str(&rest[..start]);
        for n in 0..run {
            let divides = if together == 2 { run == 2 && n == 1 } else { n > 0 && n % (together - 1) == 0 };
            if divides {
                kept.push(APART);
            }
            kept.push('`');
        }
        rest = &rest[start + run..];
    }
    kept.push_str(rest);
    kept
}

#[cfg(test)]
pub(super) mod tests;
