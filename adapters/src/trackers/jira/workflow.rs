//! Workflows. Nobody outside knows one: what can be done with a ticket is asked at each step, and chosen by where it leads. What
//! is chosen, and with which fields, is decided here; [`super::walk`] goes there.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::answers::Status;
use crate::Error;
use crate::trackers::Category;

/// Words of a status that is reached when something is solved.
const SOLVED: [&str; 12] = [
    "done",
    "fixed",
    "fix",
    "resolved",
    "resolve",
    "closed",
    "close",
    "complete",
    "completed",
    "solved",
    "finished",
    "finish",
];
/// Words, or beginnings of words, of one that is reached in vain. None of them is solved, whatever else is said.
const VAIN: [&str; 21] = [
    "wont",
    "will not",
    "would not",
    "not do",
    "reject",
    "cancel",
    "duplicate",
    "invalid",
    "abandon",
    "declin",
    "not a bug",
    "no bug",
    "not an issue",
    "cannot reproduce",
    "cant reproduce",
    "not reproducible",
    "obsolete",
    "withdrawn",
    "discard",
    "works as",
    "by design",
];
/// Words of one where a ticket waits. A way through it is the last that is tried.
const WAITING: [&str; 7] = ["block", "hold", "wait", "pause", "pending", "suspend", "back"];
/// Resolutions that say that something is solved, best first.
const RESOLUTIONS: [&str; 3] = ["Fixed", "Done", "Resolved"];

/// What can be done with a ticket.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Transition {
    pub id: String,
    pub name: String,
    pub to: Status,
    pub fields: BTreeMap<String, Field>,
    pub is_available: Option<bool>,
}

/// A field on the screen of a transition.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Field {
    pub name: String,
    pub required: bool,
    pub has_default_value: bool,
    pub allowed_values: Vec<Value>,
}

/// A required field that nothing fills.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing {
    /// Its id.
    pub field: String,
    /// What people call it.
    pub name: String,
}

impl Transition {
    /// Name of the transition and of where it leads, as words between spaces.
    fn words(&self) -> String {
        let letters = format!("{} {}", self.name, self.to.name).to_lowercase().replace(['\'', '’'], "");
        let words: Vec<&str> = letters.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
        format!(" {} ", words.join(" "))
    }

    /// Whether it ends in vain.
    pub fn is_vain(&self) -> bool {
        let words = self.words();
        VAIN.iter().any(|vain| words.contains(&format!(" {vain}")))
    }

    fn is_solved(&self) -> bool {
        let words = self.words();
        SOLVED.iter().any(|solved| words.contains(&format!(" {solved} ")))
    }

    fn waits(&self) -> bool {
        let words = self.words();
        WAITING.iter().any(|waiting| words.contains(&format!(" {waiting}")))
    }

    fn is_open(&self) -> bool {
        self.is_available != Some(false)
    }

    /// A status by what does not change when it is renamed.
    pub fn target(&self) -> &str {
        place(&self.to)
    }
}

/// A status by what does not change when it is renamed.
pub fn place(status: &Status) -> &str {
    if status.id.is_empty() { &status.name } else { &status.id }
}

/// The transitions that lead where a ticket shall go, best first. `now` is where it is: a ticket that is done is open again
/// wherever it is not done.
pub fn arrivals(transitions: &[Transition], wanted: Category, now: Category) -> Vec<&Transition> {
    let leads = |transition: &&Transition| match transition.to.category() {
        Some(category) if wanted == Category::Done => category == Category::Done && !transition.is_vain(),
        Some(category) if now == Category::Done => category != Category::Done,
        category => category == Some(wanted),
    };
    let mut found: Vec<&Transition> = transitions.iter().filter(|each| each.is_open()).filter(leads).collect();
    found.sort_by_key(|transition| {
        let is_best = if wanted == Category::Done { transition.is_solved() } else { !transition.is_vain() };
        (transition.to.category() != Some(wanted), !is_best, transition.waits())
    });
    found
}

/// The transitions that may lead on, best first: to a status where the ticket was not yet, and from which nobody would say that
/// it ended.
pub fn steps<'a>(transitions: &'a [Transition], visited: &[String]) -> Vec<&'a Transition> {
    let mut found: Vec<&Transition> = transitions
        .iter()
        .filter(|each| each.is_open() && !each.is_vain() && !visited.iter().any(|place| place == each.target()))
        .filter(|each| each.to.category() != Some(Category::Done))
        .collect();
    found.sort_by_key(|transition| (transition.waits(), transition.to.category() != Some(Category::InProgress)));
    found
}

/// Transitions that end a ticket, but in vain.
pub fn vain(transitions: &[Transition]) -> Vec<&str> {
    let is_end = |each: &&Transition| each.to.category() == Some(Category::Done) && each.is_vain();
    transitions.iter().filter(is_end).map(|transition| transition.name.as_str()).collect()
}

/// The fields that go with a transition, and those that are missing. `set` are those of the settings; at the end of the way all
/// of them are used that are on the screen, before it only those that must be.
pub fn fill(transition: &Transition, set: &Map<String, Value>, is_end: bool) -> (Map<String, Value>, Vec<Missing>) {
    let (mut filled, mut missing) = (Map::new(), Vec::new());
    for (id, field) in &transition.fields {
        let is_missing = field.required && !field.has_default_value;
        if let Some(value) = set.get(id) {
            if is_end || field.required {
                filled.insert(id.clone(), value.clone());
            }
        } else if id == "resolution" && (is_end || field.required) {
            match resolution(field) {
                Some(name) => drop(filled.insert(id.clone(), json!({"name": name}))),
                None if is_missing => missing.push(Missing { field: id.clone(), name: named(id, field) }),
                None => {}
            }
        } else if is_missing {
            missing.push(Missing { field: id.clone(), name: named(id, field) });
        }
    }
    (filled, missing)
}

/// The resolution that says that something is solved, if there is one.
fn resolution(field: &Field) -> Option<&str> {
    let names = || field.allowed_values.iter().filter_map(|value| value["name"].as_str());
    RESOLUTIONS.iter().find_map(|best| names().find(|name| name.eq_ignore_ascii_case(best)))
}

fn named(id: &str, field: &Field) -> String {
    if field.name.is_empty() { id.to_owned() } else { field.name.clone() }
}

/// What to say of fields that nothing fills.
pub fn unfilled(key: &str, transition: &Transition, missing: &[Missing]) -> Error {
    let fields: Vec<String> = missing.iter().map(|missing| format!("{} ({})", missing.name, missing.field)).collect();
    let lacks = if missing.len() == 1 { "is" } else { "are" };
    Error::Permanent(format!(
        "Jira wants more of {key} for {:?}: {} {lacks} required: set jira.done_fields",
        transition.name,
        fields.join(", ")
    ))
}
