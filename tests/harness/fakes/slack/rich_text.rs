//! What a person types, as Slack keeps it: a text with marks, and blocks of rich text.

use serde_json::{Value, json};

const FENCE: &str = "```";

/// A piece of what was typed.
#[derive(Debug, PartialEq)]
enum Piece<'a> {
    Text(&'a str),
    /// `<@U…>`
    Person(&'a str),
    /// An address of the web.
    Link(&'a str),
    /// Between two backticks.
    Code(&'a str),
}

/// The text of the message: `&`, `<` and `>` are written otherwise, except where they mark a person or an address.
pub fn text(typed: &str) -> String {
    parts(typed).map(|(code, part)| if code { fenced(part) } else { marked(part) }).collect()
}

fn fenced(code: &str) -> String {
    format!("{FENCE}{}{FENCE}", escaped(code))
}

fn marked(part: &str) -> String {
    let mark = |piece| match piece {
        Piece::Text(text) => escaped(text),
        Piece::Person(id) => format!("<@{id}>"),
        Piece::Link(url) => format!("<{}>", escaped(url)),
        Piece::Code(code) => format!("`{}`", escaped(code)),
    };
    pieces(part).into_iter().map(mark).collect()
}

/// The blocks of the message.
pub fn blocks(typed: &str) -> Value {
    if typed.is_empty() {
        return json!([]);
    }
    let element = |(code, part): (bool, &str)| {
        if code {
            let text = part.strip_prefix('\n').unwrap_or(part);
            let text = text.strip_suffix('\n').unwrap_or(text);
            return json!({
                "type": "rich_text_preformatted", "elements": [{"type": "text", "text": text}], "border": 0,
            });
        }
        let elements = pieces(part).into_iter().map(|piece| match piece {
            Piece::Text(text) => json!({"type": "text", "text": text}),
            Piece::Person(id) => json!({"type": "user", "user_id": id}),
            Piece::Link(url) => json!({"type": "link", "url": url}),
            Piece::Code(code) => json!({"type": "text", "text": code, "style": {"code": true}}),
        });
        json!({"type": "rich_text_section", "elements": elements.collect::<Vec<_>>()})
    };
    // The line break before and after code is part of neither.
    let shown = parts(typed).filter(|(code, part)| *code || !part.trim().is_empty());
    json!([{"type": "rich_text", "block_id": "typed", "elements": shown.map(element).collect::<Vec<_>>()}])
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// Code between fences, and what stands outside of them. A fence that is never closed is no fence.
fn parts(typed: &str) -> impl Iterator<Item = (bool, &str)> {
    let mut rest = Some(typed);
    let mut code = None;
    std::iter::from_fn(move || {
        if let Some(inside) = code.take() {
            return Some((true, inside));
        }
        let text = rest.take()?;
        let Some((before, inside, after)) =
            text.split_once(FENCE).and_then(|(before, after)| after.split_once(FENCE).map(|(i, a)| (before, i, a)))
        else {
            return Some((false, text));
        };
        code = Some(inside);
        rest = Some(after);
        Some((false, before))
    })
    .filter(|(code, part)| *code || !part.is_empty())
}

fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let (mut plain, mut at) = (0, 0);
    while at < text.len() {
        let rest = &text[at..];
        if let Some((piece, length)) = special(rest) {
            if plain < at {
                pieces.push(Piece::Text(&text[plain..at]));
            }
            pieces.push(piece);
            at += length;
            plain = at;
        } else {
            at += rest.chars().next().map_or(1, char::len_utf8);
        }
    }
    if plain < text.len() {
        pieces.push(Piece::Text(&text[plain..]));
    }
    pieces
}

/// A piece that is no plain text and begins here, and how long it is.
fn special(rest: &str) -> Option<(Piece<'_>, usize)> {
    if let Some(inside) = rest.strip_prefix("<@") {
        let id = &inside[..inside.find('>')?];
        let is_id = id.starts_with('U') && id.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit());
        return is_id.then_some((Piece::Person(id), id.len() + 3));
    }
    if let Some(inside) = rest.strip_prefix('`') {
        let code = &inside[..inside.find(['`', '\n'])?];
        let closed = inside[code.len()..].starts_with('`') && !code.is_empty();
        return closed.then_some((Piece::Code(code), code.len() + 2));
    }
    if rest.starts_with("https://") || rest.starts_with("http://") {
        let end = rest.find(|c: char| c.is_whitespace() || "<>\"'`".contains(c)).unwrap_or(rest.len());
        let url = rest[..end].trim_end_matches(['.', ',', ';', ':', '!', '?', ')']);
        return (url.len() > "https://".len()).then_some((Piece::Link(url), url.len()));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_typed_is_kept_as_slack_keeps_it() {
        let typed = "<@U0CLEWBOT> a < b & c, see https://x.example/a?b=1&c=2.\n```\nERROR <null>\n```\nand `x` ``";
        assert_eq!(
            text(typed),
            "<@U0CLEWBOT> a &lt; b &amp; c, see <https://x.example/a?b=1&amp;c=2>.\n\
             ```\nERROR &lt;null&gt;\n```\nand `x` ``"
        );
        assert_eq!(
            blocks(typed)[0]["elements"],
            json!([
                {"type": "rich_text_section", "elements": [
                    {"type": "user", "user_id": "U0CLEWBOT"},
                    {"type": "text", "text": " a < b & c, see "},
                    {"type": "link", "url": "https://x.example/a?b=1&c=2"},
                    {"type": "text", "text": ".\n"},
                ]},
                {"type": "rich_text_preformatted", "border": 0, "elements": [{"type": "text", "text": "ERROR <null>"}]},
                {"type": "rich_text_section", "elements": [
                    {"type": "text", "text": "\nand "},
                    {"type": "text", "text": "x", "style": {"code": true}},
                    {"type": "text", "text": " ``"},
                ]},
            ])
        );
        assert_eq!(text("```open"), "```open");
        assert_eq!(blocks(""), json!([]));
    }
}
