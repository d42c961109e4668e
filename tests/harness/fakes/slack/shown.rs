//! What a person sees of a message.

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
        "static_select" | "overflow" => options(shown, value),
        "header" | "section" => {
            element(shown, &value["text"]);
            value["fields"].as_array().into_iter().flatten().for_each(|field| {
                shown.push('\n');
                element(shown, field);
            });
        }
        kind => {
            value["elements"].as_array().into_iter().flatten().for_each(|inner| element(shown, inner));
            // A section of rich text goes on in its line; everything else ends it.
            if kind != "rich_text" {
                shown.push('\n');
            }
        }
    }
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
