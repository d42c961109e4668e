//! What a person sees of a message or a view.

use serde_json::Value;

use super::SlackMessage;

/// Notification, then the message.
pub fn message(message: &SlackMessage) -> String {
    let mut shown = markup(&message.text);
    for block in message.blocks.as_array().into_iter().flatten() {
        shown.push('\n');
        element(&mut shown, block);
    }
    shown
}

/// What a person sees of a view: its title, then its blocks, then the button that sends it; an input as
/// `{input label|id of its block}`, everything else as in [`SlackMessage::shown`].
#[must_use]
pub fn view(view: &Value) -> String {
    let mut shown = markup(view["title"]["text"].as_str().unwrap_or(""));
    for block in view["blocks"].as_array().into_iter().flatten() {
        shown.push('\n');
        element(&mut shown, block);
    }
    if let Some(submit) = view["submit"]["text"].as_str() {
        push(&mut shown, format_args!("\n{{submit {}}}", markup(submit)));
    }
    shown
}

fn element(shown: &mut String, value: &Value) {
    let text = || value["text"].as_str().unwrap_or("");
    match value["type"].as_str().unwrap_or("") {
        "text" => shown.push_str(text()),
        "link" => push(shown, format_args!("{{link {}|{}}}", value["url"].as_str().unwrap_or(""), text())),
        "user" | "usergroup" | "broadcast" | "channel" | "team" => push(shown, format_args!("{{calls {value}}}")),
        "plain_text" | "mrkdwn" => shown.push_str(&markup(text())),
        "button" => push(
            shown,
            format_args!(
                "{{control {}|{}}}\n",
                markup(value["text"]["text"].as_str().unwrap_or("")),
                value["value"].as_str().unwrap_or("")
            ),
        ),
        "static_select" | "overflow" | "radio_buttons" | "checkboxes" | "multi_static_select" => options(shown, value),
        "header" | "section" => {
            element(shown, &value["text"]);
            value["fields"].as_array().into_iter().flatten().for_each(|field| {
                shown.push('\n');
                element(shown, field);
            });
            if !value["accessory"].is_null() {
                shown.push('\n');
                element(shown, &value["accessory"]);
            }
        }
        "input" => input(shown, value),
        kind => {
            value["elements"].as_array().into_iter().flatten().for_each(|inner| element(shown, inner));
            // A section of rich text goes on in its line; everything else ends it.
            if kind != "rich_text" {
                shown.push('\n');
            }
        }
    }
}

fn input(shown: &mut String, block: &Value) {
    let (label, id) = (&block["label"]["text"], block["block_id"].as_str().unwrap_or(""));
    push(shown, format_args!("{{input {}|{id}}}\n", markup(label.as_str().unwrap_or(""))));
    let inner = &block["element"];
    for told in [&block["hint"]["text"], &inner["placeholder"]["text"], &inner["initial_value"]] {
        if let Some(told) = told.as_str() {
            push(shown, format_args!("{}\n", markup(told)));
        }
    }
    options(shown, inner);
}

fn options(shown: &mut String, menu: &Value) {
    for option in menu["options"].as_array().into_iter().flatten() {
        let label = markup(option["text"]["text"].as_str().unwrap_or(""));
        push(shown, format_args!("{{control {label}|{}}}\n", option["value"].as_str().unwrap_or("")));
    }
}

fn push(shown: &mut String, text: std::fmt::Arguments<'_>) {
    shown.push_str(&text.to_string());
}

/// Text that Slack reads for mentions and links: everything between `<` and `>`.
fn markup(text: &str) -> String {
    let mut shown = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('<') {
        shown.push_str(&unescaped(before));
        let Some((inside, behind)) = after.split_once('>') else {
            shown.push('<');
            rest = after;
            continue;
        };
        match inside.chars().next() {
            Some('!' | '@' | '#') => push(&mut shown, format_args!("{{calls {inside}}}")),
            _ => push(&mut shown, format_args!("{{link {inside}}}")),
        }
        rest = behind;
    }
    shown.push_str(&unescaped(rest));
    shown
}

fn unescaped(text: &str) -> String {
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
}
