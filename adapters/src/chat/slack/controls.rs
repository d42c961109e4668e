//! Controls of a card as buttons and select menus.

use serde_json::{Value, json};

use super::blocks::size;
use super::escape::escape_to;
use crate::chat::{Control, MAX_COMMAND, MAX_CONTROLS, Style, text};

/// Elements that an actions block may hold.
const ELEMENTS: usize = 25;
/// Options that a select menu may hold.
const OPTIONS: usize = 100;
/// How long labels may be: of a button or menu (Slack takes 75 and shows about 30), and of an option.
#[derive(Clone, Copy)]
struct Labels {
    control: usize,
    option: usize,
}

const LABELS: Labels = Labels { control: 50, option: 75 };
/// When there are so many controls that they would not fit otherwise.
const SHORT_LABELS: Labels = Labels { control: 16, option: 16 };

/// Beginning of the action id of a control that says its command at once.
pub const SAY: &str = "say";
/// Beginning of the action id of a control that asks something first.
pub const ASK: &str = "ask";

/// The controls in actions blocks. `room` bounds how many choices are shown; every control stays.
pub fn blocks(controls: &[Control], room: usize) -> Vec<Value> {
    let shown: Vec<&Control> = controls.iter().filter(|control| can_be_shown(control)).take(MAX_CONTROLS).collect();
    let build = |labels, share| -> Vec<Value> {
        shown.iter().enumerate().map(|(n, control)| element(n, control, labels, share)).collect()
    };
    let bare = |labels| build(labels, 0).iter().map(size).sum::<usize>();
    let labels = if bare(LABELS) <= room { LABELS } else { SHORT_LABELS };
    let menus = shown.iter().filter(|control| !control.choices.is_empty()).count();
    let share = room.saturating_sub(bare(labels)).checked_div(menus).unwrap_or(0);
    let elements = build(labels, share);
    elements.chunks(ELEMENTS).map(|some| json!({"type": "actions", "elements": some})).collect()
}

/// A cut command would be another command, so a control that breaks its contract is left out.
fn can_be_shown(control: &Control) -> bool {
    if control.choices.is_empty() {
        return can_be_said(&control.command);
    }
    control.choices.iter().any(|(_, command)| can_be_said(command))
}

fn can_be_said(command: &str) -> bool {
    !command.trim().is_empty() && command.len() <= MAX_COMMAND && text::clean(command) == command
}

fn element(n: usize, control: &Control, labels: Labels, share: usize) -> Value {
    let action = format!("{}-{n}", if control.fields.is_empty() { SAY } else { ASK });
    if !control.choices.is_empty() {
        return menu(&action, control, labels, share);
    }
    let mut button = json!({
        "type": "button",
        "action_id": action,
        "text": label(&control.label, &control.command, labels.control),
        "value": control.command,
    });
    match control.style {
        Style::Plain => {}
        Style::Primary => button["style"] = json!("primary"),
        Style::Danger => button["style"] = json!("danger"),
    }
    button
}

/// A menu with the first choice, and as many more as `share` has room for.
fn menu(action: &str, control: &Control, labels: Labels, share: usize) -> Value {
    let choices: Vec<_> = control.choices.iter().filter(|(_, command)| can_be_said(command)).collect();
    let mut room = share;
    let mut options = Vec::new();
    for (name, command) in choices.iter().take(OPTIONS) {
        let option = json!({"text": label(name, command, labels.option), "value": command});
        if !options.is_empty() {
            let Some(left) = room.checked_sub(size(&option)) else { break };
            room = left;
        }
        options.push(option);
    }
    let all = choices.len();
    let note = if options.len() < all { format!(" (first {} of {all})", options.len()) } else { String::new() };
    let mut placeholder = label(&control.label, "Choose", labels.control);
    if let Some(Value::String(text)) = placeholder.get_mut("text") {
        text.push_str(&note);
    }
    json!({"type": "static_select", "action_id": action, "placeholder": placeholder, "options": options})
}

/// Plain text that is never empty, which Slack refuses.
fn label(text: &str, otherwise: &str, limit: usize) -> Value {
    let escaped = escape_to(text, limit);
    let text = if escaped.is_empty() { escape_to(otherwise, limit) } else { escaped };
    json!({"type": "plain_text", "text": text, "emoji": false})
}

#[cfg(test)]
mod tests {
    use super::*;

    fn control(label: &str, command: &str) -> Control {
        Control { label: label.into(), command: command.into(), style: Style::Plain, choices: vec![], fields: vec![] }
    }

    #[test]
    fn a_menu_that_is_too_long_says_so_and_the_button_beside_it_stays() {
        let mut many = control("Root cause", "");
        many.choices = (0..300).map(|n| (format!("Cause {n}"), format!("wrong 12 cause_{n}"))).collect();
        let blocks = blocks(&[many, control("Resolve", "resolve 12")], 2_000);
        let menu = &blocks[0]["elements"][0];
        let shown = menu["options"].as_array().map_or(0, Vec::len);
        assert!((10..40).contains(&shown), "{shown}");
        assert_eq!(menu["placeholder"]["text"], format!("Root cause (first {shown} of 300)"));
        assert_eq!(blocks[0]["elements"][1]["value"], "resolve 12");
    }

    #[test]
    fn a_command_is_never_cut() {
        let blocks = blocks(&[control("Long", &"x".repeat(MAX_COMMAND + 1)), control("", "help")], 2_000);
        assert_eq!(blocks[0]["elements"].as_array().map(Vec::len), Some(1));
        assert_eq!(blocks[0]["elements"][0]["text"]["text"], "help");
    }

    #[test]
    fn no_controls_make_no_block() {
        assert!(blocks(&[], 2_000).is_empty());
    }
}
