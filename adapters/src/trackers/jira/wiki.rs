//! Wiki text: what Jira's Server takes for a text. There anything may be markup, so everything that could be is escaped: with a
//! backslash, or, where that is markup itself, as an entity.

use super::body::{self, Block};
use crate::chat::{Rich, Section, Span, text};

/// What stands between brackets and becomes a picture or a sign.
const SIGNS: [&str; 17] =
    ["y)", "n)", "i)", "/)", "x)", "!)", "+)", "-)", "?)", "on)", "off)", "*", "flag", "c)", "r)", "tm)", "sm)"];

/// A description.
pub fn description(sections: &[Section]) -> String {
    document(body::blocks(sections))
}

/// A comment.
pub fn comment(sentence: &Rich) -> String {
    document(vec![Block::Sentence(sentence.clone())])
}

fn document(blocks: Vec<Block>) -> String {
    let mut out = String::new();
    let mut was_list = false;
    for block in body::fitting(blocks, body::LONGEST, size) {
        let words = part(&block);
        if words.is_empty() {
            continue;
        }
        let is_list = matches!(block, Block::Bullet(_));
        match (out.is_empty(), was_list && is_list) {
            (true, _) => {}
            (false, true) => out.push('\n'),
            (false, false) => out.push_str("\n\n"),
        }
        out.push_str(&words);
        was_list = is_list;
    }
    out
}

/// What a part takes, with the lines before it. After what is in no list another empty line may come.
fn size(block: &Block) -> usize {
    let lines = if matches!(block, Block::Bullet(_)) { 1 } else { 3 };
    part(block).encode_utf16().count() + lines
}

fn part(block: &Block) -> String {
    match block {
        Block::Heading(words) => format!("h3. {}", escape(&text::one_line(words))),
        Block::Sentence(words) => sentence(words, text::clean).trim().to_owned(),
        Block::Bullet(words) => {
            let words = sentence(words, flat).trim().to_owned();
            if words.is_empty() { words } else { format!("* {words}") }
        }
        Block::Quote(lines) => quote(lines),
    }
}

/// As [`text::clean`], in one line, and the spaces at both ends stay.
fn flat(words: &str) -> String {
    text::clean(words).replace(['\n', '\t'], " ")
}

/// Lines as they are. The word that would end them is broken by a character that nobody sees.
fn quote(lines: &str) -> String {
    const MACRO: &str = "{noformat";
    let lines = text::clean(lines);
    let mut safe = String::with_capacity(lines.len());
    for (at, c) in lines.char_indices() {
        safe.push(c);
        let rest = lines.as_bytes().get(at..at + MACRO.len());
        if rest.is_some_and(|rest| rest.eq_ignore_ascii_case(MACRO.as_bytes())) {
            safe.push('\u{200b}');
        }
    }
    let safe = safe.trim_end();
    if safe.is_empty() { String::new() } else { format!("{{noformat}}\n{safe}\n{{noformat}}") }
}

fn sentence(spans: &Rich, clean: fn(&str) -> String) -> String {
    spans.iter().map(|span| of_span(span, clean)).collect()
}

fn of_span(span: &Span, clean: fn(&str) -> String) -> String {
    let around = |left: &str, words: &str, right: &str| {
        let words = escape(&text::one_line(words));
        if words.is_empty() { words } else { format!("{left}{words}{right}") }
    };
    match span {
        Span::Text(words) => escape(&clean(words)),
        Span::Strong(words) => around("*", words, "*"),
        Span::Code(words) => around("{{", words, "}}"),
        Span::Link { text: words, url } => match text::web_address(url).and_then(|url| link_target(&url)) {
            Some(target) if text::one_line(words).is_empty() => format!("[{target}]"),
            Some(target) => around("[", words, &format!("|{target}]")),
            None => escape(&clean(words)),
        },
    }
}

/// An address as it can stand in a link. One that has brackets in its host cannot.
fn link_target(url: &str) -> Option<String> {
    let (scheme, rest) = url.split_once("://")?;
    if rest.starts_with('[') {
        return None;
    }
    let mut target = format!("{scheme}://");
    for c in rest.chars() {
        match c {
            '|' | '[' | ']' | '{' | '}' | '^' | '~' | '!' | '*' | '\\' | '"' | '<' | '>' | ' ' => {
                target.extend(format!("%{:02X}", u32::from(c)).chars());
            }
            _ => target.push(c),
        }
    }
    Some(target)
}

/// The text with everything that could be markup made harmless. The ends of it count as the ends of words, because nobody
/// knows what comes next.
fn escape(words: &str) -> String {
    let mut out = String::with_capacity(words.len() + words.len() / 8);
    let letters: Vec<char> = words.chars().collect();
    let mut begins_line = true;
    for (at, &c) in letters.iter().enumerate() {
        let before = at.checked_sub(1).map(|at| letters[at]);
        let after = letters.get(at + 1).copied();
        match harm(c, before, after, &letters[at + 1..], begins_line) {
            Harm::None => out.push(c),
            Harm::Escape => out.extend(['\\', c]),
            Harm::Entity => out.extend(format!("&#{};", u32::from(c)).chars()),
        }
        begins_line = c == '\n' || (begins_line && (c.is_whitespace() || begins_block(c, &letters[at + 1..])));
    }
    out
}

/// What was escaped, as it was. Other markup stays: people can read it.
pub fn plain(wiki: &str) -> String {
    let mut out = String::with_capacity(wiki.len());
    let mut rest = wiki;
    while let Some(c) = rest.chars().next() {
        let (shown, length) = escaped(rest).unwrap_or((c, c.len_utf8()));
        out.push(shown);
        rest = &rest[length..];
    }
    text::clean(&out).trim().to_owned()
}

/// The escaped character at the beginning of a text, and how long it is.
fn escaped(text: &str) -> Option<(char, usize)> {
    if let Some(after) = text.strip_prefix('\\') {
        let c = after.chars().next().filter(char::is_ascii_punctuation)?;
        return Some(if c == '\\' { ('\n', 2) } else { (c, 1 + c.len_utf8()) });
    }
    let number = &text.strip_prefix("&#")?;
    let number = &number[..number.find(';')?];
    let c = number.parse().ok().and_then(char::from_u32)?;
    Some((c, number.len() + "&#;".len()))
}

/// What a character can do.
enum Harm {
    None,
    Escape,
    /// A backslash would not help, or is the harm itself.
    Entity,
}

fn harm(c: char, before: Option<char>, after: Option<char>, rest: &[char], begins_line: bool) -> Harm {
    let is_letter = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    let in_word = is_letter(before) && is_letter(after);
    match c {
        '\\' => Harm::Entity,
        '&' if begins_entity(rest) => Harm::Entity,
        '*' | '^' | '~' | '{' | '}' | '[' | ']' | '|' | '!' => Harm::Escape,
        '_' | '-' | '+' if !in_word => Harm::Escape,
        '#' if begins_line => Harm::Escape,
        '?' if matches!(before, None | Some('?')) || matches!(after, None | Some('?')) => Harm::Escape,
        '(' if rest.is_empty() || begins_sign(rest) => Harm::Escape,
        // An address is a link by itself, and `:)` a picture; `12:30` is neither.
        ':' if !after.is_some_and(|c| c.is_whitespace() || c.is_ascii_digit()) => Harm::Entity,
        ';' if after.is_none_or(|c| c == ')') => Harm::Entity,
        '.' if (before.is_none() || begins_line) && after.is_none_or(char::is_whitespace) => Harm::Entity,
        _ => Harm::None,
    }
}

/// Whether `&` and what comes after it would be read as one character.
fn begins_entity(rest: &[char]) -> bool {
    const LONGEST: usize = 32;
    // At the end nobody knows.
    rest.is_empty()
        || rest
            .iter()
            .take(LONGEST)
            .position(|c| *c == ';')
            .is_some_and(|end| end > 0 && rest[..end].iter().all(|c| c.is_ascii_alphanumeric() || *c == '#'))
}

fn begins_sign(rest: &[char]) -> bool {
    SIGNS.iter().any(|sign| sign.chars().zip(rest).filter(|(a, b)| a.eq_ignore_ascii_case(b)).count() == sign.len())
}

/// Whether `h3` or `bq` at the beginning of a line may go on to make a block of it.
fn begins_block(c: char, rest: &[char]) -> bool {
    matches!(c, 'h' | 'H' | 'b' | 'B') && matches!(rest.first(), Some('1'..='6' | 'q' | 'Q'))
        || matches!(c, '1'..='6' | 'q' | 'Q') && matches!(rest.first(), Some('.') | None)
}
