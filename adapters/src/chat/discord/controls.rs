//! Controls of a card as buttons and select menus, and what was pressed.
//!
//! A control carries what it says in its custom id: `say0.5f2a resolve 12`. The id names its number, which makes it unique
//! in the message, and the mark of the message.

use std::collections::BTreeSet;

use serenity::all::ButtonStyle;
use serenity::builder::{
    CreateActionRow, CreateButton, CreateSelectMenu, CreateSelectMenuKind, CreateSelectMenuOption,
};

use super::escape::size;
use crate::chat::{Control, MAX_COMMAND, MAX_CONTROLS, Style, text};

/// Rows of a message.
const ROWS: usize = 5;
/// Buttons of a row. A menu takes a whole one.
const BUTTONS: usize = 5;
/// Options of a select menu.
const OPTIONS: usize = 25;
/// Longest label of a button.
const LABEL: usize = 80;
/// Longest label of an option, and of a menu without the note behind it (Discord takes 150).
const OPTION: usize = 100;
/// Longest mark. With it, the number and the longest command an id has 83 of the 100 characters that Discord takes.
const MARK: usize = 16;
/// What a menu says in its own id: each of its options says something else.
const MENU: &str = "menu";
/// Beginning of the id of a control that says its command at once.
const SAY: &str = "say";
/// Beginning of the id of a control that asks something first.
const ASK: &str = "ask";

/// What a person pressed or chose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pressed {
    /// A control that says this command at once.
    Say(String),
    /// A control that asks something before it says this command.
    Ask(String),
}

/// The controls in rows: buttons first, then menus. `mark` names the message: at most 16 characters of `0-9a-f`.
/// Controls for which there is no more room are left out.
pub fn rows(controls: &[Control], mark: &str) -> Vec<CreateActionRow> {
    let mark: String = mark.chars().filter(|c| matches!(c, '0'..='9' | 'a'..='f')).take(MARK).collect();
    let (mut buttons, mut menus) = (Vec::new(), Vec::new());
    let shown = controls.iter().filter(|control| can_be_shown(control)).take(MAX_CONTROLS);
    for (n, control) in shown.enumerate() {
        let begin = format!("{}{n}.{mark}", if control.fields.is_empty() { SAY } else { ASK });
        let is_menu = !control.choices.is_empty();
        let needed = (buttons.len() + usize::from(!is_menu)).div_ceil(BUTTONS) + menus.len() + usize::from(is_menu);
        if needed > ROWS {
            continue;
        }
        if is_menu {
            menus.push(CreateActionRow::SelectMenu(menu(&begin, control)));
        } else {
            buttons.push(button(&begin, control));
        }
    }
    let mut rows: Vec<CreateActionRow> =
        buttons.chunks(BUTTONS).map(|some| CreateActionRow::Buttons(some.to_vec())).collect();
    rows.extend(menus);
    rows
}

/// What was pressed, from the custom id of the control and the values that were chosen in it. Nothing when it is no control
/// of ours.
pub fn pressed(custom_id: &str, values: &[String]) -> Option<Pressed> {
    let (kind, _, command) = parts(custom_id)?;
    let command = values.first().map_or(command, String::as_str).to_owned();
    if command.trim().is_empty() {
        return None;
    }
    Some(if kind == ASK { Pressed::Ask(command) } else { Pressed::Say(command) })
}

/// The mark of the message that a control stands on.
pub fn mark_of(custom_id: &str) -> Option<&str> {
    parts(custom_id).map(|(_, mark, _)| mark)
}

/// Kind, mark and command in a custom id.
fn parts(custom_id: &str) -> Option<(&str, &str, &str)> {
    let (name, command) = custom_id.split_once(' ')?;
    let (kind, rest) = [SAY, ASK].into_iter().find_map(|kind| name.strip_prefix(kind).map(|rest| (kind, rest)))?;
    let (number, mark) = rest.split_once('.')?;
    let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    let is_mark = mark.len() <= MARK && mark.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    (is_number && is_mark).then_some((kind, mark, command))
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

fn button(begin: &str, control: &Control) -> CreateButton {
    let style = match control.style {
        Style::Plain => ButtonStyle::Secondary,
        Style::Primary => ButtonStyle::Primary,
        Style::Danger => ButtonStyle::Danger,
    };
    CreateButton::new(format!("{begin} {}", control.command))
        .label(label(&control.label, &control.command, LABEL))
        .style(style)
}

/// A menu with as many choices as it takes; Discord refuses two that say the same.
fn menu(begin: &str, control: &Control) -> CreateSelectMenu {
    let mut said = BTreeSet::new();
    let choices: Vec<_> =
        control.choices.iter().filter(|(_, command)| can_be_said(command) && said.insert(command)).collect();
    let options: Vec<CreateSelectMenuOption> = choices
        .iter()
        .take(OPTIONS)
        .map(|(name, command)| CreateSelectMenuOption::new(label(name, command, OPTION), command))
        .collect();
    let (shown, all) = (options.len(), choices.len());
    let note = if shown < all { format!(" (first {shown} of {all})") } else { String::new() };
    let placeholder = format!("{}{note}", label(&control.label, "Choose", OPTION));
    CreateSelectMenu::new(format!("{begin} {MENU}"), CreateSelectMenuKind::String { options }).placeholder(placeholder)
}

/// Plain text that is never empty, which Discord refuses.
pub(super) fn label(label: &str, otherwise: &str, limit: usize) -> String {
    let line = text::one_line(label);
    let line = if line.is_empty() { text::one_line(otherwise) } else { line };
    text::cut(&line, limit, size)
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;
    use crate::chat::{Field, FieldKind};

    fn control(label: &str, command: &str) -> Control {
        Control { label: label.into(), command: command.into(), style: Style::Plain, choices: vec![], fields: vec![] }
    }

    fn reason() -> Field {
        Field {
            name: "why".into(),
            label: "Why?".into(),
            kind: FieldKind::Lines,
            value: String::new(),
            is_optional: true,
            hint: String::new(),
        }
    }

    /// Custom id and, of a menu, one value: everything that can be pressed.
    fn presses(rows: &[CreateActionRow]) -> Vec<(String, Vec<String>)> {
        let rows = json!(rows);
        let components = rows.as_array().into_iter().flatten().filter_map(|row| row["components"].as_array()).flatten();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let mut presses = Vec::new();
        for component in components {
            let id = text(&component["custom_id"]);
            match component["options"].as_array() {
                Some(options) => {
                    presses.extend(options.iter().map(|option| (id.clone(), vec![text(&option["value"])])));
                }
                None => presses.push((id, vec![])),
            }
        }
        presses
    }

    #[test]
    fn buttons_stand_before_menus_and_what_is_pressed_is_read_back() {
        let mut wrong = control("Wrong cause", "");
        wrong.choices = vec![("Disk full".into(), "wrong 12 disk_full".into())];
        let mut resolve = control("Resolve", "resolve 12");
        resolve.fields = vec![reason()];
        resolve.style = Style::Danger;
        let rows = rows(&[control("Acknowledge", "acknowledge 12"), wrong, resolve], "5f2a");
        insta::assert_json_snapshot!(rows, @r#"
        [
          {
            "type": 1,
            "components": [
              {
                "type": 2,
                "style": 2,
                "custom_id": "say0.5f2a acknowledge 12",
                "label": "Acknowledge",
                "disabled": false
              },
              {
                "type": 2,
                "style": 4,
                "custom_id": "ask2.5f2a resolve 12",
                "label": "Resolve",
                "disabled": false
              }
            ]
          },
          {
            "type": 1,
            "components": [
              {
                "custom_id": "say1.5f2a menu",
                "placeholder": "Wrong cause",
                "type": 3,
                "options": [
                  {
                    "label": "Disk full",
                    "value": "wrong 12 disk_full"
                  }
                ]
              }
            ]
          }
        ]
        "#);
        let read: Vec<_> = presses(&rows).iter().map(|(id, values)| pressed(id, values)).collect();
        let expected = [
            Pressed::Say("acknowledge 12".into()),
            Pressed::Ask("resolve 12".into()),
            Pressed::Say("wrong 12 disk_full".into()),
        ];
        assert_eq!(read, expected.map(Some));
        assert_eq!(mark_of("say0.5f2a acknowledge 12"), Some("5f2a"));
    }

    #[test]
    fn a_menu_that_is_too_long_says_so() {
        let mut many = control("Root cause", "");
        many.choices = (0..30).map(|n| (format!("Cause {n}"), format!("wrong 12 cause_{n}"))).collect();
        many.choices.push(("The same again".into(), "wrong 12 cause_0".into()));
        let rows = json!(rows(&[many, control("Resolve", "resolve 12")], ""));
        let menu = &rows[1]["components"][0];
        assert_eq!(menu["options"].as_array().map(Vec::len), Some(25));
        assert_eq!(menu["placeholder"], "Root cause (first 25 of 30)");
        assert_eq!(rows[0]["components"][0]["custom_id"], "say1. resolve 12");
    }

    #[test]
    fn a_command_is_never_cut_and_a_label_never_empty() {
        let rows = json!(rows(&[control("Long", &"x".repeat(MAX_COMMAND + 1)), control(" \n", "help")], "0"));
        assert_eq!(rows[0]["components"].as_array().map(Vec::len), Some(1));
        assert_eq!(rows[0]["components"][0]["label"], "help");
    }

    #[test]
    fn a_menu_for_which_there_is_no_row_leaves_room_for_the_buttons_behind_it() {
        let menu = |n: usize| {
            let mut menu = control("Menu", "");
            menu.choices = vec![("One".into(), format!("one {n}"))];
            menu
        };
        let mut controls: Vec<Control> = (0..4).map(menu).collect();
        controls.push(control("A", "a"));
        controls.push(menu(4));
        controls.push(control("B", "b"));
        let commands: Vec<_> = presses(&rows(&controls, "")).iter().filter_map(|(id, v)| pressed(id, v)).collect();
        let say = |command: &str| Pressed::Say(command.into());
        assert_eq!(commands, [say("a"), say("b"), say("one 0"), say("one 1"), say("one 2"), say("one 3")]);
        assert!(rows(&[], "").is_empty());
    }

    #[test]
    fn what_is_no_control_of_ours_presses_nothing() {
        for id in [
            "",
            "say",
            "say0",
            "say. x",
            "say0.5 ",
            "sayx.5 a",
            "say0.5G a",
            "form resolve 12",
            "say0.00000000000000000 a",
        ] {
            assert_eq!(pressed(id, &[]), None, "{id}");
        }
        assert_eq!(pressed("say0.5 menu", &[String::new()]), None);
    }

    /// A control that is one to be shown.
    pub(in crate::chat::discord) fn any_control() -> impl Strategy<Value = Control> {
        let command = "[a-z]{1,12} [0-9]{1,8} [a-z_]{0,30}";
        let choices = prop_oneof![3 => Just(vec![]), 1 => vec((".{0,120}", command), 1..40)];
        let style = prop_oneof![Just(Style::Plain), Just(Style::Primary), Just(Style::Danger)];
        let fields = prop_oneof![Just(vec![]), Just(vec![reason()])];
        (".{0,120}", command, style, choices, fields).prop_map(|(label, command, style, choices, fields)| Control {
            label,
            command,
            style,
            choices,
            fields,
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn what_is_pressed_is_what_was_shown(controls in vec(any_control(), 0..6), mark in "[0-9a-f]{0,16}") {
            // As few as always find room.
            let mut expected = Vec::new();
            for menus in [false, true] {
                for control in controls.iter().filter(|control| control.choices.is_empty() != menus) {
                    let mut said: Vec<String> = control.choices.iter().map(|(_, command)| command.clone()).collect();
                    if !menus {
                        said.push(control.command.clone());
                    }
                    let mut seen = BTreeSet::new();
                    said.retain(|command| seen.insert(command.clone()));
                    let is_asked = !control.fields.is_empty();
                    expected.extend(said.into_iter().take(25).map(|command| {
                        if is_asked { Pressed::Ask(command) } else { Pressed::Say(command) }
                    }));
                }
            }
            prop_assume!(controls.iter().filter(|control| !control.choices.is_empty()).count() <= 3);
            let presses = presses(&rows(&controls, &mark));
            for (id, _) in &presses {
                prop_assert!(id.len() <= 100);
                prop_assert_eq!(mark_of(id), Some(mark.as_str()));
            }
            let read: Vec<_> = presses.iter().filter_map(|(id, values)| pressed(id, values)).collect();
            prop_assert_eq!(read, expected);
        }

        #[test]
        fn any_id_can_be_read(id in ".{0,120}", values in vec(".{0,20}", 0..3)) {
            let _ = (pressed(&id, &values), mark_of(&id));
        }
    }
}
