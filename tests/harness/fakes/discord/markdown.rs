//! Discord's Markdown, after the rules of its client: what a text becomes when a person reads it. Where the rules are
//! unclear, form is seen rather than overlooked, so that a test notices what was not escaped.

/// How deep form in form is followed.
const DEEPEST: usize = 40;

/// A part of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Node {
    Text(String),
    /// Code, as it was written.
    Code(String),
    /// Bold, italic, underlined, struck: only form.
    Styled(Vec<Node>),
    /// What makes more of a text than form does, by name: `heading`, `quote`, `item`, `small`, `spoiler`.
    Marked(&'static str, Vec<Node>),
    Link(String, Vec<Node>),
    /// Something that is told in one word: `channel`, `emoji`, `slash`, `time`.
    Told(&'static str, String),
    Mention(Named),
}

/// Whom a text names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Named {
    User(String),
    Role(String),
    /// `everyone` and `here`; the word tells which.
    Everyone,
    Here,
}

/// Where a text stands.
#[derive(Debug, Clone, Copy)]
struct Place {
    /// Lines can be headings, quotes, items.
    lines: bool,
    quoted: bool,
    linked: bool,
    depth: usize,
}

/// A text in which lines can be headings, lists and quotes: the content of a message, a description, a value.
pub fn text(source: &str) -> Vec<Node> {
    parse(source, Place { lines: true, quoted: false, linked: false, depth: 0 })
}

/// A text of one line: a title, the name of a field.
pub fn line(source: &str) -> Vec<Node> {
    parse(source, Place { lines: false, quoted: false, linked: false, depth: 0 })
}

/// Whom a text names, for the server: it knows code, but a backslash does not keep it from calling.
pub fn named(source: &str) -> Vec<Named> {
    let mut all = Vec::new();
    let mut rest = source;
    while let Some(first) = rest.chars().next() {
        if let Some(after) = rest.strip_prefix("\\`") {
            rest = after;
        } else if let Some((_, length)) = code(rest) {
            rest = &rest[length..];
        } else if let Some((Node::Mention(named), length)) = mention(rest) {
            all.push(named);
            rest = &rest[length..];
        } else {
            rest = &rest[first.len_utf8()..];
        }
    }
    all
}

/// What was found at the beginning of a text, and how many bytes it takes.
type Found = Option<(Node, usize)>;

fn parse(source: &str, place: Place) -> Vec<Node> {
    let mut nodes = Vec::new();
    let mut at = 0;
    while let Some(first) = source[at..].chars().next() {
        let rest = &source[at..];
        let starts_line = at == 0 || source[..at].ends_with('\n');
        let found = of_lines(rest, place, starts_line).or_else(|| inline(rest, place));
        let (node, length) = found.unwrap_or_else(|| (Node::Text(first.to_string()), first.len_utf8()));
        at += length;
        match (nodes.last_mut(), node) {
            (Some(Node::Text(before)), Node::Text(more)) => before.push_str(&more),
            (_, node) => nodes.push(node),
        }
    }
    nodes
}

fn of_lines(rest: &str, place: Place, starts_line: bool) -> Found {
    if !place.lines || !starts_line || place.depth > DEEPEST {
        return None;
    }
    let indented = rest.trim_start_matches(' ');
    let indent = rest.len() - indented.len();
    let of_line = rest.find('\n').map_or(rest.len(), |end| end + 1);
    let inner = |kind, from: usize, to: usize, place: Place| {
        let inside = rest[from..to].trim_end_matches('\n');
        let nodes = parse(inside, Place { depth: place.depth + 1, ..place });
        (!inside.trim().is_empty()).then_some((Node::Marked(kind, nodes), to))
    };
    let one_line = Place { lines: false, ..place };
    let quoted = Place { quoted: true, ..place };
    if !place.quoted && indented.starts_with(">>> ") {
        return inner("quote", indent + 4, rest.len(), quoted);
    }
    if !place.quoted && indented.starts_with("> ") {
        return inner("quote", indent + 2, of_line, quoted);
    }
    let hashes = indented.len() - indented.trim_start_matches('#').len();
    if (1..=3).contains(&hashes) && indented[hashes..].starts_with([' ', '\t']) {
        return inner("heading", indent + hashes + 1, of_line, one_line);
    }
    if indented.starts_with("-# ") {
        return inner("small", indent + 3, of_line, one_line);
    }
    let digits = indented.len() - indented.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let numbered = digits > 0 && indented[digits..].starts_with(". ");
    if indented.starts_with("- ") || indented.starts_with("* ") {
        return inner("item", indent + 2, of_line, place);
    }
    if numbered { inner("item", indent + digits + 2, of_line, place) } else { None }
}

fn inline(rest: &str, place: Place) -> Found {
    let mut chars = rest.chars();
    match chars.next()? {
        '\\' => {
            let escaped = chars.next().filter(|c| !c.is_ascii_alphanumeric() && !c.is_whitespace())?;
            Some((Node::Text(escaped.to_string()), 1 + escaped.len_utf8()))
        }
        '`' => code(rest).map(|(code, length)| (Node::Code(code), length)),
        '<' => mention(rest).or_else(|| in_brackets(rest, place)),
        '@' => mention(rest),
        '[' if !place.linked => masked(rest, place),
        'h' if !place.linked => address(rest),
        '*' | '_' | '~' | '|' if place.depth <= DEEPEST => styled(rest, place),
        _ => None,
    }
}

/// A block of code, or code in a line.
fn code(rest: &str) -> Option<(String, usize)> {
    let ticks = rest.len() - rest.trim_start_matches('`').len();
    if let Some(inside) = rest.strip_prefix("```")
        && let Some(end) = inside.find("```").filter(|end| !inside[..*end].trim_matches('\n').is_empty())
    {
        let block = &inside[..end];
        let is_language =
            |word: &str| !word.is_empty() && word.chars().all(|c| c.is_ascii_alphanumeric() || "_+-.#".contains(c));
        let block = match block.split_once('\n') {
            Some((language, lines)) if is_language(language) && !lines.trim_matches('\n').is_empty() => lines,
            _ => block,
        };
        return Some((block.trim_matches('\n').to_owned(), end + 6));
    }
    if ticks == 0 {
        return None;
    }
    // The end is a run of as many ticks, no more and no fewer.
    let mut at = ticks;
    while let Some(next) = rest[at..].find('`') {
        let start = at + next;
        let run = rest[start..].len() - rest[start..].trim_start_matches('`').len();
        if run == ticks {
            return Some((rest[ticks..start].to_owned(), start + run));
        }
        at = start + run;
    }
    None
}

/// Somebody who is named.
fn mention(rest: &str) -> Found {
    let named = |named, length| Some((Node::Mention(named), length));
    if rest.starts_with("@everyone") {
        return named(Named::Everyone, "@everyone".len());
    }
    if rest.starts_with("@here") {
        return named(Named::Here, "@here".len());
    }
    let inside = rest.strip_prefix('<')?.split_once('>')?.0;
    let id = |prefix: &str| inside.strip_prefix(prefix).filter(|id| is_id(id)).map(str::to_owned);
    let length = inside.len() + 2;
    if let Some(id) = id("@&") {
        return named(Named::Role(id), length);
    }
    named(Named::User(id("@!").or_else(|| id("@"))?), length)
}

/// What stands in pointed brackets and names nobody.
fn in_brackets(rest: &str, place: Place) -> Found {
    let inside = rest.strip_prefix('<')?.split_once('>')?.0;
    let length = inside.len() + 2;
    let told = |kind, what: &str| Some((Node::Told(kind, what.to_owned()), length));
    if let Some(id) = inside.strip_prefix('#').filter(|id| is_id(id)) {
        return told("channel", id);
    }
    if let Some(name) = inside.strip_prefix("id:").filter(|name| name.chars().all(char::is_alphanumeric)) {
        return told("channel", name);
    }
    if let Some((name, id)) = inside.strip_prefix('/').and_then(|inside| inside.rsplit_once(':'))
        && is_id(id)
    {
        return told("slash", name);
    }
    if let Some((name, id)) =
        inside.strip_prefix('a').unwrap_or(inside).strip_prefix(':').and_then(|inside| inside.split_once(':'))
        && is_id(id)
    {
        return told("emoji", name);
    }
    if let Some(time) = inside.strip_prefix("t:") {
        let seconds = time.split(':').next().unwrap_or("").trim_start_matches('-');
        let is_time = !seconds.is_empty() && seconds.chars().all(|c| c.is_ascii_digit());
        return if is_time { told("time", time) } else { None };
    }
    if place.linked || inside.contains(char::is_whitespace) {
        return None;
    }
    let is_address = is_address(inside);
    let is_mail = inside.split_once('@').is_some_and(|(name, host)| !name.is_empty() && host.contains('.'));
    if is_address || is_mail || inside.starts_with("tel:") {
        return Some((Node::Link(inside.to_owned(), vec![Node::Text(inside.to_owned())]), length));
    }
    None
}

fn is_id(id: &str) -> bool {
    !id.is_empty() && id.chars().all(|c| c.is_ascii_digit())
}

fn is_address(text: &str) -> bool {
    let host = ["http://", "https://"].iter().find_map(|scheme| text.strip_prefix(scheme));
    host.is_some_and(|host| !host.is_empty())
}

/// `[text](address)`
fn masked(rest: &str, place: Place) -> Found {
    let mut depth = 0_usize;
    let mut end = None;
    for (at, c) in rest.char_indices() {
        match c {
            '[' if !escaped(rest, at) => depth += 1,
            ']' if !escaped(rest, at) => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            end = Some(at);
            break;
        }
    }
    let end = end?;
    let target = rest[end + 1..].strip_prefix('(')?;
    // Brackets in an address come in pairs.
    let mut open = 1_usize;
    let mut close = None;
    for (at, c) in target.char_indices() {
        match c {
            '(' => open += 1,
            ')' => open -= 1,
            '\n' => return None,
            _ => {}
        }
        if open == 0 {
            close = Some(at);
            break;
        }
    }
    let close = close?;
    let address = target[..close].split_whitespace().next()?;
    let address = address.trim_start_matches('<').trim_end_matches('>').replace('\\', "");
    let inside = &rest[1..end];
    if !is_address(&address) || inside.trim().is_empty() {
        return None;
    }
    let nodes = parse(inside, Place { linked: true, lines: false, depth: place.depth + 1, ..place });
    Some((Node::Link(address, nodes), end + 1 + 1 + close + 1))
}

/// Whether the character at this byte has a backslash before it that counts.
fn escaped(text: &str, at: usize) -> bool {
    (text[..at].len() - text[..at].trim_end_matches('\\').len()) % 2 == 1
}

/// An address that stands in the text.
fn address(rest: &str) -> Found {
    let end = rest.find(|c: char| c.is_whitespace() || c == '<').unwrap_or(rest.len());
    let mut address = rest[..end].trim_end_matches(|c| "<.,:;\"'])*_~|`\\".contains(c) && c != ')');
    while address.ends_with(')') && address.matches(')').count() > address.matches('(').count() {
        address = &address[..address.len() - 1];
    }
    is_address(address).then(|| (Node::Link(address.to_owned(), vec![Node::Text(address.to_owned())]), address.len()))
}

fn styled(rest: &str, place: Place) -> Found {
    let inner = |from: usize, to: usize| parse(&rest[from..to], Place { depth: place.depth + 1, ..place });
    for (mark, escapes) in [("**", true), ("__", true), ("~~", false), ("||", false)] {
        if let Some(end) = rest.strip_prefix(mark).and_then(|inside| close(inside, mark, escapes)) {
            let nodes = inner(2, 2 + end);
            let node = if mark == "||" { Node::Marked("spoiler", nodes) } else { Node::Styled(nodes) };
            return Some((node, end + 4));
        }
    }
    let end = match rest.chars().next()? {
        '*' => close_star(&rest[1..]),
        '_' => close_underscore(&rest[1..]),
        _ => None,
    }?;
    Some((Node::Styled(inner(1, 1 + end)), end + 2))
}

/// Where the second mark of a pair is.
fn close(inside: &str, mark: &str, escapes: bool) -> Option<usize> {
    let last = mark.chars().next()?;
    let closes = |at: &usize| {
        let after = &inside[at + mark.len()..];
        *at > 0 && !(escapes && (escaped(inside, *at) || after.starts_with(last)))
    };
    inside.match_indices(mark).map(|(at, _)| at).find(closes).or_else(|| {
        // Of three marks in a row the last two close.
        let at = inside.find(mark).filter(|at| escapes && *at > 0 && !escaped(inside, *at))?;
        inside[at..].starts_with(&mark.repeat(2)[..3]).then_some(at + 1)
    })
}

/// Where `*` ends: not after a space, and not in a pair.
fn close_star(inside: &str) -> Option<usize> {
    if inside.starts_with(char::is_whitespace) {
        return None;
    }
    let mut at = 0;
    while let Some(c) = inside[at..].chars().next() {
        match c {
            '\\' => at += 1 + inside[at + 1..].chars().next().map_or(0, char::len_utf8),
            '*' if inside[at..].starts_with("**") => at += 2,
            '*' => return (at > 0 && !inside[..at].ends_with(char::is_whitespace)).then_some(at),
            c => at += c.len_utf8(),
        }
    }
    None
}

/// Where `_` ends: at the end of a word.
fn close_underscore(inside: &str) -> Option<usize> {
    let mut at = 0;
    while let Some(c) = inside[at..].chars().next() {
        match c {
            '\\' => at += 1 + inside[at + 1..].chars().next().map_or(0, char::len_utf8),
            '_' if inside[at..].starts_with("__") => at += 2,
            '_' => {
                let goes_on = inside[at + 1..].starts_with(|c: char| c.is_ascii_alphanumeric());
                if at > 0 && !goes_on {
                    return Some(at);
                }
                // A single one in a word is not allowed in between.
                return None;
            }
            c => at += c.len_utf8(),
        }
    }
    None
}
