//! Markdown as GitHub reads it: what we say, in texts that can neither format, link nor call anybody.
//!
//! GitHub looks for people and issues after it has taken all escapes away: `\@mara` and `&#64;mara` call her just as `@mara`
//! does. What parts them is an empty comment, which nobody sees.

use crate::chat::text::{clean, cut, cut_lines, web_address};
use crate::chat::{Item, Rich, Section, Span};

/// Longest text of an issue or a comment.
pub const LONGEST: usize = 65_536;
/// Most characters of one piece of a sentence, before it is escaped. An escaped character has at most ten.
const LONGEST_SPAN: usize = 4_000;
/// Most characters of a quote; a longer one is cut at the end of a line.
const LONGEST_QUOTE: usize = 30_000;
/// Parts what must not be read together.
const PARTED: &str = "<!-- -->";
/// What stands at the end of a text that was cut.
const CUT: &str = "*The rest did not fit here.*\n\n";

/// The hidden comment that names an issue or a comment.
#[must_use]
pub fn marker(name: &str) -> String {
    format!("<!-- clew:{name} -->")
}

/// The name in the hidden comment of a text.
#[must_use]
pub fn name(text: &str) -> Option<&str> {
    let (_, rest) = text.split_once("<!-- clew:")?;
    let (name, _) = rest.split_once(" -->")?;
    let is_name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    (!name.is_empty() && name.len() <= 100 && name.chars().all(is_name)).then_some(name)
}

/// A text that somebody wrote, without what is hidden in it.
#[must_use]
pub fn shown(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("<!--") {
        let Some((_, after)) = after.split_once("-->") else { break };
        shown.push_str(before);
        rest = after;
    }
    shown.push_str(rest);
    shown.trim().to_owned()
}

/// A text of ours, as it reads: what [`sentence`] did, undone.
#[must_use]
pub fn read(text: &str) -> String {
    const SEEN: [(&str, &str); 6] =
        [("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&"), ("<b>", ""), ("</b>", ""), ("[", "")];
    let mut read = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let hidden = |from: &str, to: &str| rest.strip_prefix(from).and_then(|rest| Some(rest.split_once(to)?.1));
        if let Some(after) = hidden("<!--", "-->").or_else(|| hidden("](<", ">)")) {
            rest = after;
        } else if let Some((written, seen)) = SEEN.iter().find(|(written, _)| rest.starts_with(written)) {
            read.push_str(seen);
            rest = &rest[written.len()..];
        } else if c == '`' {
            let (code, after) = code_and_rest(rest);
            let padded = code.strip_prefix(' ').and_then(|code| code.strip_suffix(' '));
            read.push_str(padded.filter(|code| !code.trim().is_empty()).unwrap_or(code));
            rest = after;
        } else {
            rest = &rest[c.len_utf8()..];
            match rest.chars().next() {
                Some(escaped) if c == '\\' && escaped.is_ascii_punctuation() => {
                    read.push(escaped);
                    rest = &rest[1..];
                }
                _ => read.push(c),
            }
        }
    }
    read.trim().to_owned()
}

/// What stands between the backticks that a text begins with and the next ones that are as many, and what follows.
fn code_and_rest(text: &str) -> (&str, &str) {
    let inside = text.trim_start_matches('`');
    let ticks = text.len() - inside.len();
    let mut from = 0;
    while let Some(at) = inside[from..].find('`').map(|at| from + at) {
        let after = inside[at..].trim_start_matches('`');
        from = inside.len() - after.len();
        if from - at == ticks {
            return (&inside[..at], after);
        }
    }
    (inside, "")
}

/// The text of an issue: as much of the sections as fits, and the hidden comment with `marker`.
#[must_use]
pub fn document(sections: &[Section], marker: &str) -> String {
    let end = self::marker(marker);
    let room = LONGEST - size(&end) - size(CUT);
    let mut document = String::new();
    let mut used = 0;
    for block in sections.iter().flat_map(blocks) {
        used += size(&block);
        if used > room {
            document.push_str(CUT);
            break;
        }
        document.push_str(&block);
    }
    document + &end
}

/// The text of a comment: a sentence, and the hidden comment with `name`.
#[must_use]
pub fn comment(text: &Rich, name: &str) -> String {
    let (end, said) = (marker(name), sentence(text));
    // Cut as Markdown, it could end within anything; cut as words, it is whole.
    let fits = size(&said) + size(&end) + 2 <= LONGEST;
    let said = if fits { said } else { escaped(&cut(&crate::chat::text::plain(text), LONGEST_SPAN, char::len_utf16)) };
    format!("{said}\n\n{end}")
}

/// How long GitHub may think that a text is: it does not say how it counts, and UTF-16 is never less than characters.
fn size(text: &str) -> usize {
    text.chars().map(char::len_utf16).sum()
}

/// What is shown whole or not at all.
fn blocks(section: &Section) -> Vec<String> {
    let mut blocks = vec![format!("### {}\n\n", started(&escaped(&flat(&section.heading))))];
    for Item { text, quote } in &section.items {
        let said = sentence(text);
        if !said.is_empty() {
            blocks.push(format!("- {said}\n"));
        }
        if let Some(quote) = quote.as_deref().filter(|quote| !quote.trim().is_empty()) {
            blocks.push(quoted(quote));
        }
    }
    blocks.push("\n".to_owned());
    blocks
}

/// Lines as they are, between fences that no line can close.
fn quoted(quote: &str) -> String {
    let lines = cut_lines(&unmarked(&clean(quote)), LONGEST_QUOTE, char::len_utf16);
    let fence = "`".repeat(longest_run(&lines).max(2) + 1);
    format!("\n{fence}text\n{}\n{fence}\n\n", lines.trim_end_matches('\n'))
}

/// A sentence, in one line.
#[must_use]
pub fn sentence(rich: &Rich) -> String {
    let mut said = String::new();
    for span in joined(rich) {
        match span {
            Span::Text(text) => said.push_str(&escaped(&flat(&text))),
            Span::Strong(text) => said.push_str(&strong(&flat(&text))),
            Span::Code(text) => {
                if said.ends_with('`') {
                    said.push_str(PARTED);
                }
                said.push_str(&code(&flat(&text)));
            }
            Span::Link { text, url } => said.push_str(&link(&flat(&text), &url)),
        }
    }
    started(said.trim())
}

/// The pieces, texts that follow each other as one: what is dangerous may stand on both sides of a seam.
fn joined(rich: &Rich) -> Vec<Span> {
    let mut joined: Vec<Span> = Vec::new();
    for span in rich {
        match (joined.last_mut(), span) {
            (Some(Span::Text(before)), Span::Text(text)) => before.push_str(text),
            _ => joined.push(span.clone()),
        }
    }
    joined
}

fn strong(text: &str) -> String {
    if text.trim().is_empty() { escaped(text) } else { format!("<b>{}</b>", escaped(text)) }
}

fn code(text: &str) -> String {
    if text.trim().is_empty() {
        return escaped(text);
    }
    let text = unmarked(text);
    let ticks = "`".repeat(longest_run(&text) + 1);
    let has_edge = |edge: char| text.starts_with(edge) || text.ends_with(edge);
    if has_edge('`') || has_edge(' ') { format!("{ticks} {text} {ticks}") } else { format!("{ticks}{text}{ticks}") }
}

fn link(text: &str, url: &str) -> String {
    let Some(url) = web_address(url) else { return escaped(text) };
    let text = if text.trim().is_empty() { escaped(&url) } else { escaped(text) };
    let safe = url.replace('<', "%3C").replace('>', "%3E").replace('\\', "%5C").replace('&', "&amp;");
    format!("[{text}](<{safe}>)")
}

/// One line. Blanks at its ends part it from its neighbours.
fn flat(text: &str) -> String {
    let mut flat = String::with_capacity(text.len());
    for c in clean(text).chars() {
        match c {
            c if !c.is_whitespace() => flat.push(c),
            _ if flat.ends_with(' ') => {}
            _ => flat.push(' '),
        }
    }
    cut(&flat, LONGEST_SPAN, char::len_utf16)
}

/// The most backticks in a row.
fn longest_run(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or_default()
}

/// Code cannot be escaped. A log that quotes one of our hidden comments must not pass for one.
fn unmarked(text: &str) -> String {
    text.replace("<!-- clew:", "<!--clew:")
}

/// A text in which nothing means anything.
#[must_use]
pub fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for (at, c) in text.char_indices() {
        let next = &text[at + c.len_utf8()..];
        match c {
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '~' | '|' | '$' | '#' => escaped.extend(['\\', c]),
            _ => escaped.push(c),
        }
        if calls(&text[..at], c, next) {
            escaped.push_str(PARTED);
        }
    }
    escaped
}

/// Whether GitHub could read this character and what follows as more than text: somebody, an issue, an address, a picture.
fn calls(before: &str, c: char, next: &str) -> bool {
    let follows = |like: fn(char) -> bool| next.chars().next().is_some_and(like);
    match c {
        '@' => !follows(char::is_whitespace),
        '#' => follows(|c| c.is_ascii_digit()),
        '-' => follows(|c| c.is_ascii_digit()) && ends_with(before, "gh"),
        ':' => next.starts_with("//") || is_picture(next) || ends_with(before, "mailto") || ends_with(before, "xmpp"),
        'w' | 'W' => next.starts_with('.') && ends_with(before, "ww"),
        _ => false,
    }
}

fn ends_with(text: &str, word: &str) -> bool {
    text.len().checked_sub(word.len()).and_then(|at| text.get(at..)).is_some_and(|end| end.eq_ignore_ascii_case(word))
}

/// Whether `bug:` follows, which makes `:bug:` a picture. Of numbers only, times are made.
fn is_picture(next: &str) -> bool {
    let Some((name, _)) = next.split_once(':') else { return false };
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '+' | '-');
    !name.is_empty() && name.chars().all(is_name) && (name.len() > 2 || !name.chars().all(|c| c.is_ascii_digit()))
}

/// A line whose beginning makes nothing else of it: a list, a heading, a rule.
fn started(line: &str) -> String {
    let digits = line.chars().take_while(char::is_ascii_digit).count();
    let (number, rest) = line.split_at(digits);
    match rest.chars().next() {
        Some('-' | '+' | '=') if digits == 0 => format!("\\{line}"),
        Some('.' | ')') if digits > 0 => format!("{number}\\{rest}"),
        _ => line.to_owned(),
    }
}

#[cfg(test)]
mod tests;
