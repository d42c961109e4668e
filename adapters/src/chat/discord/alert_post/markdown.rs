//! The marks in a text of Discord: `**bold**`, `[label](url)`, `<url>`, `<t:1700000000:R>`, `# heading`, fences of code.

use chrono::{DateTime, SecondsFormat};

use crate::chat::alert_post::{Line, Link, Part, label_of};

const FENCE: &str = "```";
/// Longest label and address of a link, in bytes, that are looked for.
const LABEL_BYTES: usize = 500;
const URL_BYTES: usize = 2_100;

/// A text as a part of its own.
pub(super) fn read(text: &str) -> Part {
    let mut part = Part::default();
    for (index, piece) in text.split(FENCE).enumerate() {
        if index % 2 == 1 {
            part.code.push(code(piece).to_owned());
            continue;
        }
        let after_code = if index > 0 { piece.strip_prefix('\n').unwrap_or(piece) } else { piece };
        for line in after_code.lines() {
            add_line(line, &mut part);
        }
    }
    part
}

/// A text in one line as people see it.
pub(super) fn plain(text: &str) -> String {
    let mut inline = Inline::default();
    inline.read(text);
    inline.shown.trim().to_owned()
}

/// The heading at the beginning of a text, and what comes below.
pub(super) fn heading(text: &str) -> Option<(&str, &str)> {
    let text = text.trim_start();
    let (line, rest) = text.split_once('\n').unwrap_or((text, ""));
    ["# ", "## ", "### "].iter().any(|mark| line.starts_with(mark)).then_some((line, rest))
}

/// What stands between fences, without the name of its language.
fn code(fenced: &str) -> &str {
    let is_name = |line: &str| line.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '#'));
    let code = match fenced.split_once('\n') {
        Some((first, rest)) if is_name(first) => rest,
        _ => fenced,
    };
    code.strip_suffix('\n').unwrap_or(code)
}

fn add_line(raw: &str, part: &mut Part) {
    let mut inline = Inline::default();
    inline.read(without_mark(raw.trim()));
    part.lines.push(Line {
        shown: inline.shown.trim().to_owned(),
        full: inline.full.trim().to_owned(),
        url: inline.links.first().map(|link| link.url.clone()),
    });
    part.links.append(&mut inline.links);
}

/// A line without the mark of a heading, of small print or of a quotation.
fn without_mark(line: &str) -> &str {
    let marks = ["# ", "## ", "### ", "-# ", ">>> ", "> "];
    marks.iter().find_map(|mark| line.strip_prefix(mark)).unwrap_or(line).trim_start()
}

/// A line as it is read.
#[derive(Default)]
struct Inline {
    shown: String,
    full: String,
    links: Vec<Link>,
    /// Marks of stressed words that wait for their end.
    open: Vec<&'static str>,
}

impl Inline {
    fn read(&mut self, line: &str) {
        let mut rest = line;
        let mut before = None;
        while let Some(first) = rest.chars().next() {
            let length = self.take(rest, before).unwrap_or_else(|| {
                // What only spaces text out is not seen.
                if !matches!(first, '\u{200b}' | '\u{2060}' | '\u{feff}') {
                    self.push(&rest[..first.len_utf8()]);
                }
                first.len_utf8()
            });
            before = rest[..length].chars().next_back();
            rest = &rest[length..];
        }
    }

    /// Reads the mark at the beginning of `text`: how many bytes it has. `None` when there is none.
    fn take(&mut self, text: &str, before: Option<char>) -> Option<usize> {
        match text.as_bytes().first()? {
            b'\\' => {
                let escaped = text[1..].chars().next().filter(char::is_ascii_punctuation)?;
                self.push(&text[1..=escaped.len_utf8()]);
                Some(2)
            }
            b'`' => self.take_code(text),
            b'[' => self.take_link(text),
            b'<' => self.take_bracketed(text),
            b'h' if !before.is_some_and(char::is_alphanumeric) => self.take_address(text),
            b'*' => ["***", "**", "*"].into_iter().find_map(|mark| self.take_stress(text, mark, before)),
            b'_' => self.take_stress(text, "__", before),
            b'~' => self.take_stress(text, "~~", before),
            _ => None,
        }
    }

    fn push(&mut self, text: &str) {
        self.shown.push_str(text);
        self.full.push_str(text);
    }

    /// Code within a line keeps its backticks.
    fn take_code(&mut self, text: &str) -> Option<usize> {
        let fence = if text.starts_with("``") { "``" } else { "`" };
        let end = text[fence.len()..].find(fence).filter(|end| *end > 0)?;
        let code = text[fence.len()..fence.len() + end].trim();
        self.push(&format!("`{code}`"));
        Some(end + 2 * fence.len())
    }

    /// Only what is bold stays marked, as `*bold*`.
    fn take_stress(&mut self, text: &str, mark: &'static str, before: Option<char>) -> Option<usize> {
        let after = text.strip_prefix(mark)?.chars().next();
        let ends = self.open.last() == Some(&mark) && before.is_some_and(|c| !c.is_whitespace());
        if ends && !(mark == "*" && after.is_some_and(char::is_alphanumeric)) {
            self.open.pop();
        } else if after.is_some_and(|c| !c.is_whitespace() && !mark.contains(c))
            && !before.is_some_and(char::is_alphanumeric)
            && text[mark.len()..].contains(mark)
        {
            self.open.push(mark);
        } else {
            return None;
        }
        if mark.len() > 1 && mark.starts_with('*') {
            self.push("*");
        }
        Some(mark.len())
    }

    /// `[label](https://x)`, `[label](<https://x> "title")`.
    fn take_link(&mut self, text: &str) -> Option<usize> {
        let start = &text[..text.floor_char_boundary(LABEL_BYTES)];
        let middle = start.find("](")?;
        let target = &text[middle + 2..];
        let target = &target[..target.floor_char_boundary(URL_BYTES)];
        let end = target.find(')')?;
        let url = target[..end].split_whitespace().next()?.trim_start_matches('<').trim_end_matches('>');
        if !is_web(url) {
            return None;
        }
        let label = plain(&text[1..middle]);
        self.add_link(&label, url);
        Some(middle + 2 + end + 1)
    }

    /// What stands in angle brackets: an address, a time, who is called.
    fn take_bracketed(&mut self, text: &str) -> Option<usize> {
        let start = &text[..text.floor_char_boundary(URL_BYTES)];
        let end = start.find('>')?;
        let inner = &start[1..end];
        if is_web(inner) {
            self.add_link("", inner);
        } else {
            self.push(&mark(inner)?);
        }
        Some(end + 1)
    }

    fn take_address(&mut self, text: &str) -> Option<usize> {
        if !is_web(text) {
            return None;
        }
        let start = &text[..text.floor_char_boundary(URL_BYTES)];
        let end =
            start.find(|c: char| c.is_whitespace() || matches!(c, '<' | '>' | '"' | '`' | '|')).unwrap_or(start.len());
        let mut url = start[..end].trim_end_matches(['.', ',', ':', ';', '!', '?', '\'', '*', '_', '~', ']']);
        // One in parentheses ends before the second.
        let spare = url.matches(')').count().saturating_sub(url.matches('(').count());
        let last = url.len() - url.trim_end_matches(')').len();
        url = &url[..url.len() - spare.min(last)];
        self.add_link("", url);
        Some(url.len())
    }

    /// A bare link is called what stands before it: `Runbook: https://x`.
    fn add_link(&mut self, label: &str, url: &str) {
        let name = if label.is_empty() { label_of(&self.shown) } else { label.to_lowercase() };
        self.links.push(Link { label: name, url: url.to_owned() });
        let shown = if label.is_empty() { url } else { label };
        let is_said = label.is_empty() || label == url || url.split_once("://").is_some_and(|(_, rest)| rest == label);
        self.push(shown);
        if !is_said {
            self.full.extend([" (", url, ")"]);
        }
    }
}

fn is_web(url: &str) -> bool {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    rest.is_some_and(|rest| rest.starts_with(|c: char| c.is_alphanumeric() || c == '['))
}

/// What people see of a mark in angle brackets: `@1`, `#1`, `:fire:`, a time.
fn mark(inner: &str) -> Option<String> {
    let is_id = |id: &str| !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit());
    if let Some(id) = inner.strip_prefix('@') {
        let id = id.trim_start_matches(['!', '&']);
        return is_id(id).then(|| format!("@{id}"));
    }
    if let Some(id) = inner.strip_prefix('#') {
        return is_id(id).then(|| format!("#{id}"));
    }
    if let Some(command) = inner.strip_prefix('/') {
        let (name, id) = command.rsplit_once(':')?;
        return is_id(id).then(|| format!("/{name}"));
    }
    if let Some(time) = inner.strip_prefix("t:") {
        let seconds = time.split(':').next()?.parse().ok()?;
        return Some(DateTime::from_timestamp_secs(seconds)?.to_rfc3339_opts(SecondsFormat::Secs, true));
    }
    let (name, id) = inner.strip_prefix("a:").or_else(|| inner.strip_prefix(':'))?.split_once(':')?;
    is_id(id).then(|| format!(":{name}:"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_read_as_people_see_them() {
        for (text, shown) in [
            ("**High** load on *web-1*", "*High* load on web-1"),
            ("***all*** of __it__ ~~not~~", "*all* of it not"),
            ("SELECT * FROM a", "SELECT * FROM a"),
            ("* item", "* item"),
            ("*.shop.example is down", "*.shop.example is down"),
            ("2*3 and snake_case and __init__.py", "2*3 and snake_case and init.py"),
            (r"snake\_case \*x\*", "snake_case *x*"),
            ("`a*b` and ``c`d``", "`a*b` and `c`d`"),
            ("[Silence](https://x.example/a) it", "Silence it"),
            ("[Silence](<https://x.example/a>)", "Silence"),
            ("[FIRING:1] (not a link)", "[FIRING:1] (not a link)"),
            ("see <https://x.example>.", "see https://x.example."),
            ("see (https://x.example/a(b)).", "see (https://x.example/a(b))."),
            ("<@1> <@&2> <#3> <:fire:4> <a:fire:5> </ack:6>", "@1 @2 #3 :fire: :fire: /ack"),
            ("since <t:1700000000:R>", "since 2023-11-14T22:13:20Z"),
            ("-# small", "small"),
            ("> quoted", "quoted"),
            ("## Down", "Down"),
            ("a < b > c", "a < b > c"),
            ("\u{200b}", ""),
        ] {
            assert_eq!(read(text).lines.iter().map(|line| line.shown.as_str()).collect::<Vec<_>>(), [shown], "{text}");
        }
    }

    #[test]
    fn links_are_called_what_stands_at_them() {
        let part = read("Runbook: https://x.example/r and [the **graph**](https://x.example/g)");
        let links: Vec<_> = part.links.iter().map(|link| (link.label.as_str(), link.url.as_str())).collect();
        assert_eq!(links, [("runbook: ", "https://x.example/r"), ("the *graph*", "https://x.example/g")]);
        assert_eq!(
            part.lines.first().map(|line| line.full.as_str()),
            Some("Runbook: https://x.example/r and the *graph* (https://x.example/g)")
        );
    }

    #[test]
    fn code_is_apart() {
        let part = read("a\n```json\n{\"b\": 1}\n```\nc ```d```");
        assert_eq!(part.code, ["{\"b\": 1}", "d"]);
        assert_eq!(part.lines.iter().map(|line| line.shown.as_str()).collect::<Vec<_>>(), ["a", "c"]);
    }

    #[test]
    fn a_heading_is_found_at_the_beginning_only() {
        assert_eq!(heading("# Down\nnow"), Some(("# Down", "now")));
        assert_eq!(heading("#5 is down"), None);
        assert_eq!(heading("now\n# Down"), None);
    }
}
