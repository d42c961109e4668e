//! Atlassian's documents: what Jira Cloud takes for a text, and gives back for one. In them a text is a text whatever stands in
//! it; nothing needs to be escaped.

use chrono::DateTime;
use serde_json::{Value, json};

use super::body::{self, Block};
use crate::chat::{Rich, Section, Span, text};

/// How deep a document is read. People do not write deeper ones.
const DEEPEST: usize = 50;

/// A description.
pub fn description(sections: &[Section]) -> Value {
    document(body::blocks(sections))
}

/// A comment.
pub fn comment(sentence: &Rich) -> Value {
    document(vec![Block::Sentence(sentence.clone())])
}

fn document(blocks: Vec<Block>) -> Value {
    let around = json!({"type": "doc", "version": 1, "content": []}).to_string().len();
    let mut content: Vec<Value> = Vec::new();
    for block in body::fitting(blocks, body::LONGEST - around - list().to_string().len(), size) {
        let Some(node) = node(&block) else { continue };
        match content.last_mut() {
            Some(list) if list["type"] == "bulletList" && node["type"] == "bulletList" => {
                if let (Some(items), Some(item)) = (list["content"].as_array_mut(), node["content"].get(0)) {
                    items.push(item.clone());
                }
            }
            _ => content.push(node),
        }
    }
    json!({"type": "doc", "version": 1, "content": content})
}

/// What a part takes in the document, with its comma. A list may begin after anything that is in none.
fn size(block: &Block) -> usize {
    let around = list().to_string().len();
    let whole = node(block).map_or(0, |node| node.to_string().encode_utf16().count() + 1);
    if matches!(block, Block::Bullet(_)) { whole.saturating_sub(around) } else { whole + around }
}

fn list() -> Value {
    json!({"type": "bulletList", "content": []})
}

/// A part alone; nothing when there are no words in it.
fn node(block: &Block) -> Option<Value> {
    Some(match block {
        Block::Heading(words) => {
            json!({"type": "heading", "attrs": {"level": 3}, "content": [words_of(&text::one_line(words), vec![])?]})
        }
        Block::Sentence(sentence) => paragraph(sentence)?,
        Block::Bullet(sentence) => {
            json!({"type": "bulletList", "content": [{"type": "listItem", "content": [paragraph(sentence)?]}]})
        }
        Block::Quote(lines) => {
            json!({"type": "codeBlock", "content": [words_of(text::clean(lines).trim_end(), vec![])?]})
        }
    })
}

fn paragraph(sentence: &Rich) -> Option<Value> {
    let content: Vec<Value> = sentence.iter().flat_map(inline).collect();
    (!content.is_empty()).then(|| json!({"type": "paragraph", "content": content}))
}

fn inline(span: &Span) -> Vec<Value> {
    match span {
        Span::Text(words) => lines(words, &[]),
        Span::Strong(words) => lines(words, &[json!({"type": "strong"})]),
        Span::Code(words) => words_of(&text::one_line(words), vec![json!({"type": "code"})]).into_iter().collect(),
        Span::Link { text: words, url } => match text::web_address(url) {
            Some(address) => {
                let words = text::one_line(words);
                let words = if words.is_empty() { address.clone() } else { words };
                let mark = json!({"type": "link", "attrs": {"href": address}});
                words_of(&words, vec![mark]).into_iter().collect()
            }
            None => lines(words, &[]),
        },
    }
}

/// Words with their line breaks.
fn lines(words: &str, marks: &[Value]) -> Vec<Value> {
    let mut nodes = Vec::new();
    for (n, line) in text::clean(words).split('\n').enumerate() {
        if n > 0 {
            nodes.push(json!({"type": "hardBreak"}));
        }
        nodes.extend(words_of(line, marks.to_vec()));
    }
    nodes
}

/// A text; there is none without words.
fn words_of(words: &str, marks: Vec<Value>) -> Option<Value> {
    match (words.is_empty(), marks.is_empty()) {
        (true, _) => None,
        (false, true) => Some(json!({"type": "text", "text": words})),
        (false, false) => Some(json!({"type": "text", "text": words, "marks": marks})),
    }
}

/// A document as plain text.
pub fn plain(document: &Value) -> String {
    let mut out = String::new();
    read(document, DEEPEST, &mut out);
    let clean = text::clean(&out);
    let lines: Vec<&str> = clean.lines().map(str::trim_end).collect();
    lines.join("\n").trim().to_owned()
}

fn read(node: &Value, depth: usize, out: &mut String) {
    let Some(depth) = depth.checked_sub(1) else { return };
    let attribute = |name: &str| node["attrs"][name].as_str().unwrap_or_default();
    match node["type"].as_str().unwrap_or_default() {
        "text" => out.push_str(node["text"].as_str().unwrap_or_default()),
        "hardBreak" => out.push('\n'),
        "mention" | "status" => out.push_str(attribute("text")),
        "emoji" => out.push_str(if attribute("text").is_empty() { attribute("shortName") } else { attribute("text") }),
        "inlineCard" | "blockCard" | "embedCard" => out.push_str(attribute("url")),
        "date" => out.push_str(&date(&node["attrs"]["timestamp"]).unwrap_or_default()),
        "media" | "mediaInline" => out.push_str("(file)"),
        "rule" => out.push_str("---"),
        "listItem" | "taskItem" | "decisionItem" => {
            new_line(out);
            out.push_str("- ");
            let begin = out.len();
            children(node, depth, out);
            // The first paragraph stands beside the mark.
            if out[begin..].starts_with('\n') {
                out.remove(begin);
            }
        }
        _ => children(node, depth, out),
    }
    if ends_line(node) {
        new_line(out);
    }
}

fn children(node: &Value, depth: usize, out: &mut String) {
    for child in node["content"].as_array().into_iter().flatten() {
        read(child, depth, out);
    }
}

fn ends_line(node: &Value) -> bool {
    const BLOCKS: [&str; 11] = [
        "paragraph",
        "heading",
        "codeBlock",
        "listItem",
        "taskItem",
        "decisionItem",
        "rule",
        "tableRow",
        "mediaSingle",
        "blockCard",
        "embedCard",
    ];
    node["type"].as_str().is_some_and(|kind| BLOCKS.contains(&kind))
}

fn new_line(out: &mut String) {
    if !out.is_empty() && !out.ends_with('\n') {
        out.push('\n');
    }
}

/// A date of a document: milliseconds since 1970.
fn date(timestamp: &Value) -> Option<String> {
    let milliseconds = timestamp.as_str().and_then(|text| text.parse().ok()).or_else(|| timestamp.as_i64())?;
    Some(DateTime::from_timestamp_millis(milliseconds)?.format("%Y-%m-%d").to_string())
}
