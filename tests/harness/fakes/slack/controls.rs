//! Controls in blocks: finding the one that a person means, and what they hold.

use serde_json::{Map, Value, json};

use super::limits::list;
use super::methods::string;

/// The blocks with an id for every block and every control that has none, as Slack gives them.
pub fn with_ids(blocks: &Value) -> Value {
    let mut blocks = blocks.clone();
    for (number, block) in blocks.as_array_mut().into_iter().flatten().enumerate() {
        name(block, "block_id", &format!("b{number:03}"));
        let kind = string(block, "type").to_owned();
        let place = match kind.as_str() {
            "actions" => "elements",
            "section" => "accessory",
            "input" => "element",
            _ => continue,
        };
        let inner = &mut block[place];
        let elements =
            if inner.is_array() { inner.as_array_mut().into_iter().flatten().collect() } else { vec![inner] };
        for (place, element) in elements.into_iter().enumerate().filter(|(_, element)| element.is_object()) {
            name(element, "action_id", &format!("a{number:03}{place:02}"));
        }
    }
    // A section without a control now has a member that says so.
    for block in blocks.as_array_mut().into_iter().flatten().filter_map(Value::as_object_mut) {
        block.retain(|_, value| !value.is_null());
    }
    blocks
}

fn name(value: &mut Value, id: &str, generated: &str) {
    if string(value, id).is_empty() {
        value[id] = json!(generated);
    }
}

/// The controls of blocks that have their ids, each with the id of its block.
pub fn controls(blocks: &Value) -> impl Iterator<Item = (&str, &Value)> {
    list(blocks).iter().flat_map(|block| {
        let inner = match string(block, "type") {
            "actions" => list(&block["elements"]),
            "section" => std::slice::from_ref(&block["accessory"]),
            "input" => std::slice::from_ref(&block["element"]),
            _ => &[],
        };
        inner.iter().filter(|element| element.is_object()).map(|element| (string(block, "block_id"), element))
    })
}

/// What using the control that reads or means this tells the bot; `None` when there is none.
pub fn action(blocks: &Value, label_or_value: &str) -> Option<Value> {
    controls(blocks).find_map(|(block, element)| {
        let mut action = json!({
            "type": element["type"], "action_id": element["action_id"], "block_id": block,
        });
        match string(element, "type") {
            "button" => {
                let meant = [&element["text"]["text"], &element["value"]].iter().any(|text| **text == label_or_value);
                for member in ["text", "value", "style", "url"] {
                    if !element[member].is_null() {
                        action[member] = element[member].clone();
                    }
                }
                meant.then_some(action)
            }
            "static_select" | "overflow" | "radio_buttons" => {
                action["selected_option"] = option(element, label_or_value)?;
                if !element["placeholder"].is_null() {
                    action["placeholder"] = element["placeholder"].clone();
                }
                Some(action)
            }
            "checkboxes" | "multi_static_select" => {
                action["selected_options"] = json!([option(element, label_or_value)?]);
                Some(action)
            }
            "users_select" => {
                let is_user = label_or_value.starts_with("U0")
                    && label_or_value.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit());
                action["selected_user"] = json!(is_user.then_some(label_or_value)?);
                Some(action)
            }
            _ => None,
        }
    })
}

/// The option of a menu that reads or means this.
pub fn option(element: &Value, label_or_value: &str) -> Option<Value> {
    let groups = list(&element["option_groups"]).iter().flat_map(|group| list(&group["options"]));
    let mut options = list(&element["options"]).iter().chain(groups);
    options.find(|option| option["text"]["text"] == label_or_value || option["value"] == label_or_value).cloned()
}

/// What a control holds before anybody touches it, with its type; `None` when it is one that holds nothing.
pub fn initial(element: &Value) -> Option<Map<String, Value>> {
    let (member, initial) = holds(string(element, "type"))?;
    let empty = if member.ends_with("options") { json!([]) } else { Value::Null };
    let value = if element[initial].is_null() { empty } else { element[initial].clone() };
    Some(Map::from_iter([("type".to_owned(), element["type"].clone()), (member.to_owned(), value)]))
}

/// Under which name a control of this type tells what it holds, and under which it is told what to hold at first.
pub fn holds(kind: &str) -> Option<(&'static str, &'static str)> {
    Some(match kind {
        "plain_text_input" | "email_text_input" | "url_text_input" | "number_input" => ("value", "initial_value"),
        "static_select" | "radio_buttons" => ("selected_option", "initial_option"),
        "checkboxes" | "multi_static_select" => ("selected_options", "initial_options"),
        "channels_select" => ("selected_channel", "initial_channel"),
        "conversations_select" => ("selected_conversation", "initial_conversation"),
        "users_select" => ("selected_user", "initial_user"),
        "datepicker" => ("selected_date", "initial_date"),
        "timepicker" => ("selected_time", "initial_time"),
        _ => return None,
    })
}

/// What all controls of some blocks hold: `state.values`.
pub fn state_of(blocks: &Value) -> Value {
    let mut values = json!({});
    for (block, element) in controls(blocks) {
        if let Some(held) = initial(element) {
            values[block][string(element, "action_id")] = Value::Object(held);
        }
    }
    values
}
