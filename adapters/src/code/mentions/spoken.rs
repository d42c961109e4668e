//! What somebody says in a text, without what they quote.

/// A text without HTML comments, code and quoted lines, as GitHub reads it for closing keywords.
pub fn body(text: &str) -> String {
    let mut spoken = String::with_capacity(text.len());
    let mut fence: Option<&str> = None;
    let mut in_comment = false;
    for line in text.lines() {
        if let Some(mark) = fence {
            if is_end(line, mark) {
                fence = None;
            }
        } else if !in_comment && let Some(mark) = fence_of(line) {
            fence = Some(mark);
        } else {
            let line = without_comments(line, &mut in_comment);
            if !line.trim_start().starts_with('>') {
                without_code(&line, &mut spoken);
            }
        }
        spoken.push('\n');
    }
    spoken
}

/// A revert's title without the title that it quotes.
pub fn without_quotes(title: &str) -> String {
    let is_quote = |c: char| matches!(c, '"' | '\u{201c}' | '\u{201d}' | '\u{ab}' | '\u{bb}');
    match (title.find(is_quote), title.rfind(is_quote)) {
        (Some(start), Some(end)) if start < end => format!("{} {}", &title[..start], &title[end..]),
        // A long title is cut, and its closing quote with it.
        (Some(start), _) => title[..start].to_owned(),
        _ => title.to_owned(),
    }
}

/// The marks that open a block of code in `line`, which may stand in a list.
fn fence_of(line: &str) -> Option<&str> {
    let text = line.trim_start();
    let length = text.len() - text.trim_start_matches(['`', '~']).len();
    let mark = &text[..length];
    let is_fence = length >= 3 && (mark.bytes().all(|b| b == b'`') || mark.bytes().all(|b| b == b'~'));
    // Three of them and an end on the same line are code within a sentence.
    (is_fence && !(mark.starts_with('`') && text[length..].contains('`'))).then_some(mark)
}

fn is_end(line: &str, mark: &str) -> bool {
    let text = line.trim();
    text.starts_with(mark) && text.trim_start_matches(&mark[..1]).is_empty()
}

fn without_comments(line: &str, in_comment: &mut bool) -> String {
    let mut kept = String::with_capacity(line.len());
    let mut rest = line;
    loop {
        let mark = if *in_comment { "-->" } else { "<!--" };
        let Some(at) = rest.find(mark) else { break };
        if !*in_comment {
            kept.push_str(&rest[..at]);
            kept.push(' ');
        }
        *in_comment = !*in_comment;
        rest = &rest[at + mark.len()..];
    }
    if !*in_comment {
        kept.push_str(rest);
    }
    kept
}

/// Adds `line` without code within its sentences; a key alone between the marks is only set in another type.
fn without_code(line: &str, spoken: &mut String) {
    let mut rest = line;
    while let Some(start) = rest.find('`') {
        let length = rest[start..].len() - rest[start..].trim_start_matches('`').len();
        let (mark, inner) = rest[start..].split_at(length);
        let Some(end) = inner.find(mark) else { break };
        spoken.push_str(&rest[..start]);
        let code = &inner[..end];
        let is_key = code.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') && code.contains('-');
        spoken.push_str(if is_key { code } else { "`" });
        rest = &inner[end + length..];
    }
    spoken.push_str(rest);
}
