//! Labels, of the repository and of issues.

use serde_json::{Map, Value, json};

use super::BOT_LOGIN;
use super::accounts::node;
use super::calls::{Asked, Done};
use super::issue::Issue;
use super::issues::wrong_type;
use super::refusal::Refusal;
use super::state::{Label, State};

/// Longest name of a label.
const NAME: usize = 50;
/// Longest description of a label.
const DESCRIPTION: usize = 100;

impl State {
    /// A label as GitHub shows it.
    pub fn shown_label(&self, name: &str) -> Value {
        let Some(label) = self.label_named(name) else { return Value::Null };
        let Label { id, name, color, description } = label;
        json!({
            "id": id, "node_id": node("LA", *id), "url": self.api(&format!("/labels/{}", name.replace(' ', "%20"))),
            "name": name, "color": color, "default": false, "description": description,
        })
    }

    /// The label of this name; letter case does not matter.
    pub fn label_named(&self, name: &str) -> Option<&Label> {
        self.labels.iter().find(|label| label.name.eq_ignore_ascii_case(name))
    }

    /// The labels of these names, made where there are none.
    pub fn use_labels(&mut self, names: &[String]) -> Result<Vec<String>, Refusal> {
        if let Some(long) = names.iter().find(|name| name.trim().is_empty() || name.chars().count() > NAME) {
            return Err(Refusal::invalid_value("Label", "name", &json!(long)));
        }
        Ok(names.iter().map(|name| self.use_label(name)).collect())
    }

    fn use_label(&mut self, name: &str) -> String {
        if let Some(label) = self.label_named(name) {
            return label.name.clone();
        }
        let id = self.mint();
        self.labels.push(Label { id, name: name.to_owned(), color: "ededed".to_owned(), description: None });
        name.to_owned()
    }

    pub fn list_labels(&self, asked: &Asked) -> Done {
        self.page(asked, &self.labels, |label| self.shown_label(&label.name))
    }

    pub fn get_label(&mut self, asked: &Asked) -> Result<Done, Refusal> {
        let label = self.shown_label(asked.place("name"));
        if label.is_null() { Err(Refusal::not_found()) } else { Ok(Done::ok(&label)) }
    }

    pub fn create_label(&mut self, asked: &Asked) -> Result<Done, Refusal> {
        let text = |name: &str| asked.body.get(name).and_then(Value::as_str);
        let Some(name) = text("name") else {
            return Err(Refusal::new(422, "Invalid request.\n\n\"name\" wasn't supplied."));
        };
        if name.chars().count() > NAME {
            return Err(Refusal::too_long("Label", "name", NAME));
        }
        if text("description").is_some_and(|text| text.chars().count() > DESCRIPTION) {
            return Err(Refusal::too_long("Label", "description", DESCRIPTION));
        }
        let color = text("color").unwrap_or("ededed");
        if color.len() != 6 || !color.chars().all(|c| c.is_ascii_hexdigit()) {
            return Err(Refusal::invalid_value("Label", "color", &json!(color)));
        }
        if self.label_named(name).is_some() {
            let taken = json!({"resource": "Label", "code": "already_exists", "field": "name"});
            return Err(Refusal::invalid(vec![taken]));
        }
        let (id, name, color) = (self.mint(), name.to_owned(), color.to_owned());
        let description = text("description").map(str::to_owned);
        self.labels.push(Label { id, name: name.clone(), color, description });
        Ok(Done::json(201, &self.shown_label(&name)))
    }

    pub fn list_labels_of_issue(&mut self, asked: &Asked) -> Result<Done, Refusal> {
        let issue = self.issue(asked.number("n")?)?;
        Ok(self.page(asked, &issue.labels, |name| self.shown_label(name)))
    }

    pub fn add_labels(&mut self, asked: &Asked) -> Result<Done, Refusal> {
        let (number, labels) = self.labels_asked(asked)?;
        for label in &labels {
            self.label(number, BOT_LOGIN, label);
        }
        self.labels_now(number)
    }

    pub fn set_labels(&mut self, asked: &Asked) -> Result<Done, Refusal> {
        let (number, labels) = self.labels_asked(asked)?;
        self.set_labels_to(number, BOT_LOGIN, &labels);
        self.labels_now(number)
    }

    pub fn remove_label(&mut self, asked: &Asked) -> Result<Done, Refusal> {
        let number = asked.number("n")?;
        if !has_label(self.issue(number)?, asked.place("name")) {
            return Err(Refusal::new(404, "Label does not exist"));
        }
        self.unlabel(number, BOT_LOGIN, asked.place("name"));
        self.labels_now(number)
    }

    fn labels_asked(&mut self, asked: &Asked) -> Result<(u64, Vec<String>), Refusal> {
        let number = asked.number("n")?;
        self.issue(number)?;
        let names = names_of(&asked.body, "labels")?.unwrap_or_default();
        Ok((number, self.use_labels(&names)?))
    }

    fn labels_now(&self, number: u64) -> Result<Done, Refusal> {
        let labels: Vec<Value> = self.issue(number)?.labels.iter().map(|name| self.shown_label(name)).collect();
        Ok(Done::ok(&json!(labels)))
    }
}

/// Whether an issue has a label; letter case does not matter.
pub fn has_label(issue: &Issue, name: &str) -> bool {
    issue.labels.iter().any(|label| label.eq_ignore_ascii_case(name))
}

/// A list of names in what was sent: texts, or objects with a name.
pub fn names_of(body: &Map<String, Value>, member: &str) -> Result<Option<Vec<String>>, Refusal> {
    let list = match body.get(member) {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::Array(list)) => list,
        Some(other) => return Err(wrong_type(member, other, "an array")),
    };
    let name = |value: &Value| value.as_str().or_else(|| value["name"].as_str()).map(str::to_owned);
    let names: Option<Vec<String>> = list.iter().map(name).collect();
    names.map(Some).ok_or_else(|| wrong_type(member, &json!(list), "an array of strings"))
}
