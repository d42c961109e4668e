//! The words of a query.

/// A piece of a query.
#[derive(Debug, Clone, PartialEq)]
pub enum Word {
    /// Without quotation marks.
    Bare(String),
    /// In quotation marks.
    Quoted(String),
    /// `=`, `!=`, `>`, …
    Operator(&'static str),
    Open,
    Close,
    Comma,
}

/// A piece and where it begins, counted from 1.
pub type Placed = (Word, usize);

const OPERATORS: [&str; 8] = ["!=", "!~", ">=", "<=", "=", ">", "<", "~"];
/// What may not stand in a query outside quotation marks.
const RESERVED: &str = "{}*/%+^$#@?;.|[]&!`";

/// Words that mean something, or may once.
const RESERVED_WORDS: &str = " abort access add after alias all alter and any as asc audit avg before begin between boolean \
    break by byte catch cf char character check checkpoint collate collation column commit connect continue count create \
    current date decimal declare decrement default defaults define delete delimiter desc difference distinct divide do double \
    drop else empty encoding end equals escape exclusive exec execute exists explain false fetch file field first float for \
    from function go goto grant greater group having identified if immediate in increment index initial inner inout input \
    insert int integer intersect intersection into is isempty isnull join last left less like limit lock long max min minus \
    mode modify modulo more multiply next noaudit not notin nowait null number object of on option or order outer output power \
    previous prior privileges public raise raw remainder rename resource return returns revoke right row rowid rownum rows \
    select session set share size sqrt start strict string subtract sum synonym table then to trans transaction trigger true \
    uid union unique update user validate values view when whenever where while with ";

/// Whether a word may stand as a value only in quotation marks.
pub fn is_reserved(word: &str) -> bool {
    RESERVED_WORDS.split_whitespace().any(|reserved| reserved.eq_ignore_ascii_case(word))
}

/// Takes a query apart.
///
/// # Errors
/// What Jira says when it cannot.
pub fn words(query: &str) -> Result<Vec<Placed>, String> {
    let all: Vec<char> = query.chars().collect();
    let mut words = Vec::new();
    let mut at = 0;
    while let Some(&next) = all.get(at) {
        let place = at + 1;
        let rest: String = all[at..].iter().take(2).collect();
        let operator = OPERATORS.into_iter().find(|operator| rest.starts_with(operator));
        let (word, length) = match (next, operator) {
            (next, _) if next.is_whitespace() => {
                at += 1;
                continue;
            }
            (_, Some(operator)) => (Word::Operator(operator), operator.len()),
            ('(', _) => (Word::Open, 1),
            (')', _) => (Word::Close, 1),
            (',', _) => (Word::Comma, 1),
            ('"' | '\'', _) => quoted(&all[at..], place)?,
            _ => bare(&all[at..], place)?,
        };
        words.push((word, place));
        at += length;
    }
    Ok(words)
}

fn quoted(rest: &[char], place: usize) -> Result<(Word, usize), String> {
    let mut text = String::new();
    let mut at = 1;
    while let Some(&next) = rest.get(at) {
        at += 1;
        match next {
            '\\' => {
                let (meant, length) = escaped(&rest[at..], place + at - 1)?;
                text.push(meant);
                at += length;
            }
            next if next == rest[0] => return Ok((Word::Quoted(text), at)),
            next => text.push(next),
        }
    }
    Err(wrong(&format!("The quoted string '{text}' has not been completed."), place))
}

fn escaped(rest: &[char], place: usize) -> Result<(char, usize), String> {
    let meant = match rest.first() {
        Some('n') => '\n',
        Some('r') => '\r',
        Some('t') => '\t',
        Some(same @ ('"' | '\'' | '\\' | ' ')) => *same,
        Some('u') => {
            let digits: String = rest.iter().skip(1).take(4).collect();
            let code = u32::from_str_radix(&digits, 16).ok().filter(|_| digits.len() == 4).and_then(char::from_u32);
            return code.map(|code| (code, 5)).ok_or_else(|| illegal(&format!("u{digits}"), place));
        }
        other => return Err(illegal(&other.map(char::to_string).unwrap_or_default(), place)),
    };
    Ok((meant, 1))
}

fn illegal(escape: &str, place: usize) -> String {
    wrong(
        &format!(
            "'\\{escape}' is an illegal JQL escape sequence. The valid escape sequences are \\', \\\", \\t, \\n, \\r, \\\\, '\\ ' and \\uXXXX."
        ),
        place,
    )
}

fn bare(rest: &[char], place: usize) -> Result<(Word, usize), String> {
    let ends = |next: char| next.is_whitespace() || "()\"',=<>~!".contains(next);
    let word: Vec<char> = rest.iter().copied().take_while(|next| !ends(*next)).collect();
    let length = word.len().max(1);
    if let Some(at) = rest[..length].iter().position(|next| RESERVED.contains(*next)) {
        let character = rest[at];
        let code = u32::from(character);
        let told = format!(
            "The character '{character}' is a reserved JQL character. You must enclose it in a string or use the escape \
             '\\u{code:04x}' instead."
        );
        return Err(wrong(&told, place + at));
    }
    Ok((Word::Bare(word.into_iter().collect()), length))
}

/// As Jira says it.
pub fn wrong(what: &str, place: usize) -> String {
    format!("Error in the JQL Query: {what} (line 1, character {place})")
}
