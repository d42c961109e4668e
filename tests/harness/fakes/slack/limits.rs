//! What Slack refuses in the blocks of messages: shapes by the schema of its own types, sizes by its documentation.

use std::collections::BTreeSet;

use serde_json::Value;

use super::schemas::{Shape, check_shape};

/// Characters of all blocks together. Undocumented; users measured about 13,200.
pub const TOTAL: usize = 13_200;
const BLOCKS: usize = 50;

/// What is wrong with the blocks; empty when Slack would take them.
#[must_use]
pub fn check(blocks: &Value) -> Vec<String> {
    let mut errors = check_shape(Shape::Blocks, blocks);
    at_most(&mut errors, "blocks", list(blocks).len(), BLOCKS);
    check_sizes(&mut errors, blocks);
    errors
}

/// The sizes of what stands in the blocks, wherever they are shown.
pub fn check_sizes(errors: &mut Vec<String>, blocks: &Value) {
    let mut ids = BTreeSet::new();
    for block in list(blocks) {
        check_block(errors, block);
        check_texts(errors, block);
        check_ids(errors, &mut ids, block);
    }
}

/// Says so when there are more than that.
pub fn at_most(errors: &mut Vec<String>, what: &str, is: usize, limit: usize) {
    if is > limit {
        errors.push(format!("{what}: {is} where {limit} are allowed"));
    }
}

/// Slack refuses an empty text as well.
pub fn check_text(errors: &mut Vec<String>, what: &str, text: &Value, limit: usize) {
    let length = length(text);
    if length == 0 {
        errors.push(format!("{what}: must be more than 0 characters"));
    }
    at_most(errors, what, length, limit);
}

/// What stands in a list; nothing when it is none.
pub fn list(value: &Value) -> &[Value] {
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
        Some("input") => {
            check_text(errors, "label", &block["label"]["text"], 2_000);
            if !block["hint"].is_null() {
                check_text(errors, "hint", &block["hint"]["text"], 2_000);
            }
            check_control(errors, &block["element"]);
        }
        _ => {}
    }
    if elements.is_empty() && !block["elements"].is_null() {
        errors.push("elements: must not be empty".to_owned());
    }
}

fn check_control(errors: &mut Vec<String>, element: &Value) {
    if !element["placeholder"].is_null() {
        check_text(errors, "placeholder", &element["placeholder"]["text"], 150);
    }
    match element["type"].as_str() {
        Some("button") => {
            check_text(errors, "button", &element["text"]["text"], 75);
            at_most(errors, "button value", length(&element["value"]), 2_000);
        }
        Some("static_select" | "multi_static_select") if element["option_groups"].is_null() => {
            check_options(errors, element, 100);
        }
        Some("overflow") => check_options(errors, element, 5),
        Some("radio_buttons" | "checkboxes") => check_options(errors, element, 10),
        Some("plain_text_input") => check_text_input(errors, element),
        _ => {}
    }
}

fn check_options(errors: &mut Vec<String>, element: &Value, most: usize) {
    let options = list(&element["options"]);
    if options.is_empty() {
        errors.push("options: must not be empty".to_owned());
    }
    at_most(errors, "options", options.len(), most);
    for option in options {
        check_text(errors, "option", &option["text"]["text"], 75);
        check_text(errors, "option value", &option["value"], 150);
    }
    let initial = &element["initial_option"];
    if !initial.is_null() && !options.contains(initial) {
        errors.push("initial_option: is none of the options".to_owned());
    }
}

fn check_text_input(errors: &mut Vec<String>, element: &Value) {
    const MOST: u64 = 3_000;
    let limit = |name: &str| element[name].as_u64().unwrap_or(if name == "min_length" { 0 } else { MOST });
    let (most, least) = (limit("max_length"), limit("min_length"));
    if most == 0 || most > MOST {
        errors.push(format!("max_length: {most} where 1 to {MOST} are allowed"));
    }
    if least > most {
        errors.push(format!("min_length: {least} where {most} is the maximum"));
    }
    at_most(errors, "initial_value", length(&element["initial_value"]), usize::try_from(most).unwrap_or(usize::MAX));
}

/// Characters as Slack counts them.
fn length(text: &Value) -> usize {
    text.as_str().map_or(0, |text| text.encode_utf16().count())
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

/// Ids are short and unique in a message or view; only what stands alone in its block may be called as others are.
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
