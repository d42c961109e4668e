//! Components: their limits, and finding the one that a person means.

use std::collections::BTreeSet;

use serde_json::Value;

use super::limits::{Checker, list};

/// Controls, as Discord numbers them.
pub const BUTTON: u64 = 2;
pub const STRING_SELECT: u64 = 3;
pub const TEXT_INPUT: u64 = 4;
/// A button that is an address.
const LINK: u64 = 5;

impl Checker {
    /// A component of a message; `newer`: those that take the place of content and embeds are allowed.
    pub fn component(&mut self, path: &str, component: &Value, newer: bool) {
        match kind(component) {
            1 => self.row(path, component),
            9 if newer => {
                let texts = list(&component["components"]);
                self.count(&format!("{path}.components"), texts.len(), 1, 3);
                for (at, text) in texts.iter().enumerate() {
                    self.component(&format!("{path}.components.{at}"), text, newer);
                }
                if kind(&component["accessory"]) == BUTTON {
                    self.button(&format!("{path}.accessory"), &component["accessory"]);
                }
            }
            10 if newer => self.text(&format!("{path}.content"), &component["content"], 1, 4_000),
            17 if newer => {
                for (at, inner) in list(&component["components"]).iter().enumerate() {
                    self.component(&format!("{path}.components.{at}"), inner, newer);
                }
            }
            12..=14 if newer => {}
            _ => self.note(&format!("{path}.type"), "UNION_TYPE_CHOICES", "Must be one of (1,)."),
        }
    }

    fn row(&mut self, path: &str, row: &Value) {
        let controls = list(&row["components"]);
        let all_buttons = controls.iter().all(|control| kind(control) == BUTTON);
        self.count(&format!("{path}.components"), controls.len(), 1, if all_buttons { 5 } else { 1 });
        for (at, control) in controls.iter().enumerate() {
            let path = format!("{path}.components.{at}");
            match kind(control) {
                BUTTON => self.button(&path, control),
                STRING_SELECT => self.menu(&path, control),
                5..=8 => self.custom_id(&path, &control["custom_id"]),
                _ => self.note(&format!("{path}.type"), "UNION_TYPE_CHOICES", "Must be one of (2, 3, 5, 6, 7, 8)."),
            }
        }
    }

    fn button(&mut self, path: &str, button: &Value) {
        self.optional(&format!("{path}.label"), &button["label"], 80);
        let named = button["label"].as_str().is_some_and(|label| !label.is_empty());
        if !named && button["emoji"].is_null() {
            let message = "A button must have a label or an emoji.";
            self.note(path, "BUTTON_COMPONENT_INVALID_LABEL_OR_EMOJI", message);
        }
        match button["style"].as_u64() {
            Some(LINK) => {
                if !button["custom_id"].is_null() {
                    let message = "A custom id and url cannot both be specified";
                    self.note(path, "BUTTON_COMPONENT_CUSTOM_ID_AND_URL", message);
                }
                self.text(&format!("{path}.url"), &button["url"], 1, 512);
                self.address(&format!("{path}.url"), &button["url"]);
            }
            Some(1..=4) => self.custom_id(path, &button["custom_id"]),
            _ => self.note(&format!("{path}.style"), "BASE_TYPE_CHOICES", "Value must be one of {1, 2, 3, 4, 5, 6}."),
        }
    }

    pub fn menu(&mut self, path: &str, menu: &Value) {
        self.custom_id(path, &menu["custom_id"]);
        self.optional(&format!("{path}.placeholder"), &menu["placeholder"], 150);
        let options = list(&menu["options"]);
        self.count(&format!("{path}.options"), options.len(), 1, 25);
        let mut values = BTreeSet::new();
        let chosen = options.iter().filter(|option| option["default"] == true).count();
        for (at, option) in options.iter().enumerate() {
            let path = format!("{path}.options.{at}");
            self.text(&format!("{path}.label"), &option["label"], 1, 100);
            self.text(&format!("{path}.value"), &option["value"], 1, 100);
            self.optional(&format!("{path}.description"), &option["description"], 100);
            if !values.insert(option["value"].as_str().unwrap_or("")) {
                let message = "The specified option value is already used";
                self.note(&format!("{path}.value"), "SELECT_COMPONENT_OPTION_VALUE_DUPLICATED", message);
            }
        }
        let bounds = (menu["min_values"].as_u64().unwrap_or(1), menu["max_values"].as_u64().unwrap_or(1));
        let most = u64::try_from(options.len()).unwrap_or(u64::MAX);
        if bounds.0 > bounds.1 || bounds.1 > most {
            let message = format!("Must be between {} and {most}.", bounds.0);
            self.note(&format!("{path}.max_values"), "BASE_TYPE_BAD_INT", message);
        }
        if u64::try_from(chosen).unwrap_or(u64::MAX) > bounds.1 {
            let message = "The number of default options must not exceed max_values";
            self.note(&format!("{path}.options"), "SELECT_COMPONENT_TOO_MANY_DEFAULT_VALUES", message);
        }
    }

    /// A form.
    pub fn modal(&mut self, modal: &Value) {
        self.custom_id("", &modal["custom_id"]);
        self.text("title", &modal["title"], 1, 45);
        let components = list(&modal["components"]);
        self.count("components", components.len(), 1, 5);
        for (at, component) in components.iter().enumerate() {
            let path = format!("components.{at}");
            match kind(component) {
                1 => {
                    let inputs = list(&component["components"]);
                    self.count(&format!("{path}.components"), inputs.len(), 1, 1);
                    for (at, input) in inputs.iter().enumerate() {
                        let path = format!("{path}.components.{at}");
                        self.text(&format!("{path}.label"), &input["label"], 1, 45);
                        if kind(input) == TEXT_INPUT {
                            self.input(&path, input);
                        } else {
                            self.note(&format!("{path}.type"), "UNION_TYPE_CHOICES", "Must be one of (4,).");
                        }
                    }
                }
                10 => self.text(&format!("{path}.content"), &component["content"], 1, 4_000),
                18 => self.labelled(&path, component),
                _ => self.note(&format!("{path}.type"), "UNION_TYPE_CHOICES", "Must be one of (1, 10, 18)."),
            }
        }
    }

    fn labelled(&mut self, path: &str, label: &Value) {
        self.text(&format!("{path}.label"), &label["label"], 1, 45);
        self.optional(&format!("{path}.description"), &label["description"], 100);
        let (path, inner) = (format!("{path}.component"), &label["component"]);
        match kind(inner) {
            STRING_SELECT => self.menu(&path, inner),
            TEXT_INPUT => {
                if !inner["label"].is_null() {
                    let message = "A text input in a label cannot have a label of its own";
                    self.note(&format!("{path}.label"), "TEXT_INPUT_LABEL_NOT_ALLOWED", message);
                }
                self.input(&path, inner);
            }
            5..=8 | 19 | 21..=23 => self.custom_id(&path, &inner["custom_id"]),
            _ => self.note(&format!("{path}.type"), "UNION_TYPE_CHOICES", "Must be one of (3, 4, 5, 6, 7, 8, 19)."),
        }
    }

    fn input(&mut self, path: &str, input: &Value) {
        self.custom_id(path, &input["custom_id"]);
        self.optional(&format!("{path}.placeholder"), &input["placeholder"], 100);
        let most = input["max_length"].as_u64().unwrap_or(4_000);
        let least = input["min_length"].as_u64().unwrap_or(0);
        if !(1..=4_000).contains(&most) || least > most {
            self.note(
                &format!("{path}.max_length"),
                "NUMBER_TYPE_MAX",
                "int value should be less than or equal to 4000.",
            );
        }
        let most = usize::try_from(most.min(4_000)).unwrap_or(4_000);
        self.optional(&format!("{path}.value"), &input["value"], most);
        if !matches!(input["style"].as_u64(), Some(1 | 2)) {
            self.note(&format!("{path}.style"), "BASE_TYPE_CHOICES", "Value must be one of {1, 2}.");
        }
    }
}

pub fn kind(component: &Value) -> u64 {
    component["type"].as_u64().unwrap_or(0)
}

/// All controls in these components, those inside of others among them.
pub fn controls(components: &Value) -> Vec<&Value> {
    let mut all = Vec::new();
    for component in list(components) {
        all.push(component);
        all.extend(controls(&component["components"]));
        if !component["accessory"].is_null() {
            all.push(&component["accessory"]);
        }
    }
    all
}

/// The button with this label that can be pressed.
pub fn button<'a>(components: &'a Value, label: &str) -> Option<&'a Value> {
    let able = |control: &&Value| kind(control) == BUTTON && control["style"] != LINK && control["disabled"] != true;
    controls(components).into_iter().filter(able).find(|control| control["label"] == label)
}

/// The menu with an option of this label that can be chosen, and the value of the option.
pub fn option<'a>(components: &'a Value, label: &str) -> Option<(&'a Value, &'a Value)> {
    let able = |control: &&Value| kind(control) == STRING_SELECT && control["disabled"] != true;
    controls(components).into_iter().filter(able).find_map(|menu| {
        let option = list(&menu["options"]).iter().find(|option| option["label"] == label)?;
        Some((menu, &option["value"]))
    })
}
