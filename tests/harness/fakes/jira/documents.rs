//! Long texts: documents of Atlassian's format where Jira is Cloud and version 3, plain texts elsewhere.

use std::sync::OnceLock;

use boon::{Compiler, SchemaIndex, Schemas};
use serde_json::{Value, json};

use super::Version;

/// Characters that a long text may have.
pub const LONGEST: usize = 32_767;

/// A long text, as it was sent.
#[derive(Debug, Clone, PartialEq)]
pub enum Text {
    /// A document.
    Document(Value),
    /// A string.
    Plain(String),
}

/// What is wrong with a long text.
#[derive(Debug)]
pub enum Wrong {
    /// It is none at all.
    Kind,
    /// It is a document that breaks the schema; how.
    Shape(String),
    /// It has too many characters.
    Length,
}

impl Text {
    /// Takes what was sent to this version of the API.
    pub fn take(value: &Value, version: Version) -> Result<Self, Wrong> {
        let (text, length) = match (version, value) {
            (Version::Two, Value::String(text)) => (Self::Plain(text.clone()), units(text)),
            (Version::Three, Value::Object(_)) => {
                if let Some(why) = check(value) {
                    return Err(Wrong::Shape(why));
                }
                (Self::Document(value.clone()), written(value))
            }
            _ => return Err(Wrong::Kind),
        };
        if length > LONGEST { Err(Wrong::Length) } else { Ok(text) }
    }

    /// As this version of the API shows it.
    pub fn shown(&self, version: Version) -> Value {
        match (version, self) {
            (Version::Three, Self::Document(document)) => document.clone(),
            (Version::Two, _) => json!(self.plain()),
            (Version::Three, Self::Plain(text)) => {
                let paragraph = |line: &str| match line {
                    "" => json!({"type": "paragraph", "content": []}),
                    line => json!({"type": "paragraph", "content": [{"type": "text", "text": line}]}),
                };
                json!({"type": "doc", "version": 1, "content": text.lines().map(paragraph).collect::<Vec<_>>()})
            }
        }
    }

    /// As a person reads it; links as `[text|address]`.
    pub fn plain(&self) -> String {
        match self {
            Self::Plain(text) => text.clone(),
            Self::Document(document) => {
                let mut text = String::new();
                read(document, "", &mut text);
                text.trim_end().to_owned()
            }
        }
    }

    /// Whether there is nothing to read in it.
    pub fn is_blank(&self) -> bool {
        self.plain().trim().is_empty()
    }
}

/// Characters as Java counts them.
pub fn units(text: &str) -> usize {
    text.encode_utf16().count()
}

/// What is wrong with the shape of a document; `None` when it is a valid one.
#[must_use]
pub fn check(document: &Value) -> Option<String> {
    static COMPILED: OnceLock<Option<(Schemas, SchemaIndex)>> = OnceLock::new();
    let Some((schemas, schema)) = COMPILED.get_or_init(compile) else {
        return Some("the schema of documents cannot be read".to_owned());
    };
    let error = schemas.validate(document, *schema).err()?;
    Some(format!("{error:#}").chars().take(1_000).collect())
}

fn compile() -> Option<(Schemas, SchemaIndex)> {
    const ADDRESS: &str = "https://clew.example/adf.schema.json";
    let (mut schemas, mut compiler) = (Schemas::new(), Compiler::new());
    compiler.add_resource(ADDRESS, serde_json::from_str(include_str!("adf.schema.json")).ok()?).ok()?;
    let schema = compiler.compile(ADDRESS, &mut schemas).ok()?;
    Some((schemas, schema))
}

/// Characters of all texts in a document.
fn written(node: &Value) -> usize {
    let own = node["text"].as_str().map_or(0, units);
    own + children(node).iter().map(written).sum::<usize>()
}

fn children(node: &Value) -> &[Value] {
    node["content"].as_array().map(Vec::as_slice).unwrap_or_default()
}

fn read(node: &Value, bullet: &str, text: &mut String) {
    let attribute = |name: &str| node["attrs"][name].as_str().unwrap_or("");
    match node["type"].as_str().unwrap_or("") {
        "text" => text.push_str(&linked(node)),
        "hardBreak" => text.push('\n'),
        "mention" | "status" => text.push_str(attribute("text")),
        "emoji" => text.push_str(attribute("shortName")),
        "inlineCard" | "blockCard" => text.push_str(attribute("url")),
        "rule" => text.push_str("----\n"),
        "bulletList" => children(node).iter().for_each(|item| read(item, "* ", text)),
        "orderedList" => children(node).iter().for_each(|item| read(item, "# ", text)),
        "paragraph" | "heading" | "codeBlock" => {
            children(node).iter().for_each(|inline| read(inline, "", text));
            text.push('\n');
        }
        "expand" | "nestedExpand" => {
            text.push_str(attribute("title"));
            text.push('\n');
            children(node).iter().for_each(|block| read(block, "", text));
        }
        _ => {
            text.push_str(bullet);
            children(node).iter().for_each(|block| read(block, "", text));
        }
    }
}

fn linked(node: &Value) -> String {
    let text = node["text"].as_str().unwrap_or("");
    let marks = node["marks"].as_array().map(Vec::as_slice).unwrap_or_default();
    let link = marks.iter().find(|mark| mark["type"] == "link").and_then(|mark| mark["attrs"]["href"].as_str());
    link.filter(|link| *link != text).map_or_else(|| text.to_owned(), |link| format!("[{text}|{link}]"))
}
