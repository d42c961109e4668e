//! What Slack refuses in blocks: shapes by the schema of its own types, sizes by its documentation.

use std::collections::BTreeSet;
use std::sync::OnceLock;

use boon::{Compiler, SchemaIndex, Schemas};
use serde_json::Value;

/// Characters of all blocks together. Undocumented; users measured about 13,200.
pub const TOTAL: usize = 13_200;
const BLOCKS: usize = 50;

/// What is wrong with the blocks; empty when Slack would take them.
#[must_use]
pub fn check(blocks: &Value) -> Vec<String> {
    static SCHEMA: OnceLock<Option<(Schemas, SchemaIndex)>> = OnceLock::new();
    let Some((schemas, schema)) = SCHEMA.get_or_init(read_schema) else {
        return vec!["the schema of Block Kit cannot be read".to_owned()];
    };
    let mut errors = Vec::new();
    if let Err(error) = schemas.validate(blocks, *schema) {
        errors.push(format!("{error:#}"));
    }
    let all = blocks.as_array().map(Vec::as_slice).unwrap_or_default();
    at_most(&mut errors, "blocks", all.len(), BLOCKS);
    let mut ids = BTreeSet::new();
    for block in all {
        check_block(&mut errors, block);
        check_texts(&mut errors, block);
        check_ids(&mut errors, &mut ids, block);
    }
    errors
}

fn read_schema() -> Option<(Schemas, SchemaIndex)> {
    const ADDRESS: &str = "https://clew.example/blocks.schema.json";
    let (mut schemas, mut compiler) = (Schemas::new(), Compiler::new());
    compiler.add_resource(ADDRESS, serde_json::from_str(include_str!("blocks.schema.json")).ok()?).ok()?;
    let schema = compiler.compile(ADDRESS, &mut schemas).ok()?;
    Some((schemas, schema))
}

fn at_most(errors: &mut Vec<String>, what: &str, is: usize, limit: usize) {
    if is > limit {
        errors.push(format!("{what}: {is} where {limit} are allowed"));
    }
}

/// Slack refuses an empty text as well.
fn check_text(errors: &mut Vec<String>, what: &str, text: &Value, limit: usize) {
    let length = text.as_str().map_or(0, |text| text.encode_utf16().count());
    if length == 0 {
        errors.push(format!("{what}: must be more than 0 characters"));
    }
    at_most(errors, what, length, limit);
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

fn check_block(errors: &mut Vec<String>, block: &Value) {
    let elements = list(&block["elements"]);
    match block["type"].as_str() {
        Some("header") => check_text(errors, "header", &block["text"]["text"], 150),
        Some("section") => {
            let fields = list(&block["fields"]);
            at_most(errors, "fields", fields.len(), 10);
            for field in fields {
                check_text(errors, "field", &field["text"], 2_000);
            }
            if fields.is_empty() || !block["text"].is_null() {
                check_text(errors, "section", &block["text"]["text"], 3_000);
            }
        }
        Some("context") => at_most(errors, "context elements", elements.len(), 10),
        Some("actions") => {
            at_most(errors, "actions elements", elements.len(), 25);
            for element in elements {
                check_control(errors, element);
            }
        }
        _ => {}
    }
    if elements.is_empty() && !block["elements"].is_null() {
        errors.push("elements: must not be empty".to_owned());
    }
}

fn check_control(errors: &mut Vec<String>, element: &Value) {
    match element["type"].as_str() {
        Some("button") => {
            check_text(errors, "button", &element["text"]["text"], 75);
            let value = element["value"].as_str().map_or(0, |value| value.encode_utf16().count());
            at_most(errors, "button value", value, 2_000);
        }
        Some("static_select" | "overflow") => {
            let options = list(&element["options"]);
            if options.is_empty() {
                errors.push("options: must not be empty".to_owned());
            }
            at_most(errors, "options", options.len(), if element["type"] == "overflow" { 5 } else { 100 });
            if !element["placeholder"].is_null() {
                check_text(errors, "placeholder", &element["placeholder"]["text"], 150);
            }
            for option in options {
                check_text(errors, "option", &option["text"]["text"], 75);
                check_text(errors, "option value", &option["value"], 150);
            }
        }
        _ => {}
    }
}

/// Every text, wherever it stands: not empty, not longer than any text may be; links lead to the web.
fn check_texts(errors: &mut Vec<String>, value: &Value) {
    match value {
        Value::Object(object) => {
            if object.get("type").is_some_and(|kind| kind == "text" || kind == "mrkdwn" || kind == "plain_text") {
                check_text(errors, "text", &value["text"], 3_000);
            }
            if object.get("type").is_some_and(|kind| kind == "link") {
                let url = value["url"].as_str().unwrap_or("");
                if !(url.starts_with("https://") || url.starts_with("http://")) {
                    errors.push("link: invalid url".to_owned());
                }
                at_most(errors, "link", url.len(), 3_000);
            }
            object.values().for_each(|inner| check_texts(errors, inner));
        }
        Value::Array(values) => values.iter().for_each(|inner| check_texts(errors, inner)),
        _ => {}
    }
}

/// Ids are short and unique in a message.
fn check_ids(errors: &mut Vec<String>, seen: &mut BTreeSet<String>, block: &Value) {
    let elements = list(&block["elements"]).iter().map(|element| ("action_id", &element["action_id"]));
    for (what, id) in elements.chain([("block_id", &block["block_id"])]) {
        let Some(id) = id.as_str() else { continue };
        at_most(errors, what, id.len(), 255);
        if !seen.insert(format!("{what} {id}")) {
            errors.push(format!("{what}: {id} stands there twice"));
        }
    }
}
