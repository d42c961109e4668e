//! Escaping for the texts that Slack reads for markup: the fallback of a message and plain-text elements.

use crate::chat::text;

/// The text with everything that Slack takes for a mention or a link made harmless.
pub fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text::clean(text).chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            _ => escaped.push(c),
        }
    }
    escaped
}

/// One line, escaped, at most `limit` long as Slack counts.
pub fn escape_to(text: &str, limit: usize) -> String {
    escape(&text::cut(&text::one_line(text), limit, size))
}

/// How much a character counts once it is escaped. Slack does not say how it counts: UTF-16 is never less than characters.
fn size(c: char) -> usize {
    match c {
        '&' => 5,
        '<' | '>' => 4,
        _ => c.len_utf16(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_calls_or_links() {
        assert_eq!(escape("<!channel> <@U1> a&b"), "&lt;!channel&gt; &lt;@U1&gt; a&amp;b");
    }

    #[test]
    fn the_limit_counts_what_is_sent() {
        let escaped = escape_to(&"<".repeat(100), 30);
        assert_eq!(escaped, format!("{}…", "&lt;".repeat(7)));
        assert_eq!(escape_to("a\nb", 10), "a b");
    }
}
