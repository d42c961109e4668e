//! The fields of issues: which there are, on which screens they are, and what happens when they are set.

use serde_json::{Map, Value, json};

use super::Version;
use super::shown::{shown_priority, shown_resolution, shown_type};
use super::state::{Issue, PRIORITIES, State};
use super::values::{chosen, labels, long_text};
use super::workflow::{RESOLUTIONS, Step};

/// What was wrong: fields and messages.
pub type Errors = Vec<(String, String)>;

/// What a field of the project's own holds.
#[derive(Debug, Clone, PartialEq)]
pub enum Holds {
    /// One of these: `{"value": …}`.
    Option(Vec<String>),
    /// A line of text.
    Line,
    /// A number.
    Number,
}

/// A field of the project's own.
#[derive(Debug, Clone)]
pub struct CustomField {
    /// `customfield_10020`.
    pub id: String,
    pub name: String,
    pub holds: Holds,
    pub required: bool,
}

/// Where fields are set.
#[derive(Debug)]
pub enum Screen<'a> {
    Create,
    Edit,
    Step(&'a Step),
}

impl Screen<'_> {
    fn shows(&self, field: &str, state: &State) -> bool {
        if let Self::Step(step) = self {
            return step.shows(field);
        }
        match field {
            "summary" | "description" | "labels" | "assignee" | "reporter" | "issuetype" => true,
            "project" | "parent" => matches!(self, Self::Create),
            "priority" => state.priority_on_screen,
            _ => state.custom.iter().any(|custom| custom.id == field),
        }
    }

    fn requires(&self, field: &str, state: &State) -> bool {
        match self {
            Self::Step(step) => step.needs.iter().any(|needed| needed == field),
            Self::Create | Self::Edit => {
                matches!(field, "project" | "issuetype" | "summary")
                    || state.custom.iter().any(|custom| custom.id == field && custom.required)
            }
        }
    }
}

impl State {
    /// Sets fields as `fields` and `update` of a request say, and tells what was wrong.
    pub fn set_all(
        &mut self,
        issue: &mut Issue,
        body: &Value,
        screen: &Screen<'_>,
        version: Version,
        by: &str,
    ) -> Errors {
        let none = Map::new();
        let fields = body["fields"].as_object().unwrap_or(&none);
        let update = body["update"].as_object().unwrap_or(&none);
        let mut errors = Errors::new();
        for (field, value) in fields {
            if update.contains_key(field) {
                errors.push((field.clone(), format!("Field '{field}' cannot appear in both 'fields' and 'update'")));
            } else if let Err(message) = self.set(issue, field, value, screen, version) {
                errors.push((field.clone(), message));
            }
        }
        for (field, operations) in update {
            for operation in operations.as_array().into_iter().flatten() {
                if let Err(message) = self.operate(issue, field, operation, screen, version, by) {
                    errors.push((field.clone(), message));
                }
            }
        }
        errors
    }

    /// What is missing, once everything is set.
    pub fn missing(&self, issue: &Issue, screen: &Screen<'_>) -> Errors {
        let mut errors = Errors::new();
        if issue.summary.is_empty() && screen.requires("summary", self) {
            errors.push(("summary".to_owned(), "You must specify a summary of the issue.".to_owned()));
        }
        if issue.resolution.is_none() && screen.requires("resolution", self) {
            errors.push(("resolution".to_owned(), "Resolution is required.".to_owned()));
        }
        for field in self.custom.iter().filter(|field| screen.requires(&field.id, self)) {
            if !issue.custom.contains_key(&field.id) {
                errors.push((field.id.clone(), format!("{} is required.", field.name)));
            }
        }
        errors
    }

    fn set(
        &self,
        issue: &mut Issue,
        field: &str,
        value: &Value,
        screen: &Screen<'_>,
        version: Version,
    ) -> Result<(), String> {
        if !screen.shows(field, self) {
            return Err(not_on_screen(field));
        }
        match field {
            "summary" => issue.summary = self.summary(value)?,
            "description" => issue.description = long_text(value, version)?,
            "labels" => issue.labels = labels(value)?,
            "priority" => issue.priority = chosen("Priority", value, &PRIORITIES)?,
            "resolution" => issue.resolution = Some(chosen("Resolution", value, &RESOLUTIONS)?),
            "assignee" => issue.assignee = self.person(value, true)?,
            "reporter" => issue.reporter = self.person(value, false)?.ok_or("Reporter is required.")?,
            "issuetype" => issue.kind = self.kind(value)?,
            // Seen to before.
            "project" | "parent" => {}
            _ => {
                let set =
                    self.custom.iter().find(|custom| custom.id == field).map(|custom| self.custom_value(custom, value));
                match set.transpose()?.flatten() {
                    Some(value) => issue.custom.insert(field.to_owned(), value),
                    None => issue.custom.remove(field),
                };
            }
        }
        Ok(())
    }

    fn operate(
        &mut self,
        issue: &mut Issue,
        field: &str,
        operation: &Value,
        screen: &Screen<'_>,
        version: Version,
        by: &str,
    ) -> Result<(), String> {
        let Some((verb, value)) = operation.as_object().and_then(|operation| operation.iter().next()) else {
            return Err("expected Object".to_owned());
        };
        match (field, verb.as_str()) {
            ("comment", "add") => {
                let comment = self.new_comment(value, version, by).map_err(|refusal| refusal.told())?;
                issue.comments.push(comment);
                Ok(())
            }
            ("labels", "add" | "remove") if screen.shows(field, self) => {
                let named = labels(&json!([value]))?;
                issue.labels.retain(|label| !named.contains(label));
                if verb == "add" {
                    issue.labels.extend(named);
                }
                Ok(())
            }
            (_, "set") => self.set(issue, field, value, screen, version),
            _ if !screen.shows(field, self) => Err(not_on_screen(field)),
            _ => Err(format!("Field '{field}' does not support update '{verb}'")),
        }
    }

    /// The fields of a screen, as `createmeta` lists them.
    pub fn screen_fields(&self, api: &str, screen: &Screen<'_>) -> Vec<Value> {
        let usual = [
            ("project", "Project"),
            ("issuetype", "Issue Type"),
            ("summary", "Summary"),
            ("description", "Description"),
            ("priority", "Priority"),
            ("labels", "Labels"),
            ("assignee", "Assignee"),
            ("reporter", "Reporter"),
            ("resolution", "Resolution"),
        ];
        let own = self.custom.iter().map(|field| (field.id.as_str(), field.name.as_str()));
        let shown = usual.into_iter().chain(own).filter(|(id, _)| screen.shows(id, self));
        shown.map(|(id, name)| self.field_meta(api, id, name, screen)).collect()
    }

    fn field_meta(&self, api: &str, id: &str, name: &str, screen: &Screen<'_>) -> Value {
        let system = |kind: &str| json!({"type": kind, "system": id});
        let own = self.custom.iter().find(|field| field.id == id);
        let (schema, allowed) = match (id, own.map(|field| &field.holds)) {
            (_, Some(Holds::Option(options))) => {
                (custom_schema(id, "option", "select"), options.iter().map(|option| self.option(id, option)).collect())
            }
            (_, Some(Holds::Line)) => (custom_schema(id, "string", "textfield"), Vec::new()),
            (_, Some(Holds::Number)) => (custom_schema(id, "number", "float"), Vec::new()),
            ("priority", _) => (system(id), PRIORITIES.iter().map(|(_, name)| shown_priority(api, name)).collect()),
            ("resolution", _) => {
                (system(id), RESOLUTIONS.iter().map(|(_, name)| shown_resolution(api, name)).collect())
            }
            ("issuetype", _) => (system(id), self.types.iter().map(|kind| shown_type(api, kind)).collect()),
            ("labels", _) => (json!({"type": "array", "items": "string", "system": id}), Vec::new()),
            ("assignee" | "reporter", _) => (system("user"), Vec::new()),
            ("project", _) => (system("project"), Vec::new()),
            _ => (system("string"), Vec::new()),
        };
        let mut meta = json!({
            "required": screen.requires(id, self), "schema": schema, "name": name, "key": id, "fieldId": id,
            "hasDefaultValue": id == "priority", "operations": if id == "labels" { json!(["add", "set", "remove"]) } else { json!(["set"]) },
        });
        if !allowed.is_empty() {
            meta["allowedValues"] = json!(allowed);
        }
        meta
    }
}

fn custom_schema(id: &str, kind: &str, custom: &str) -> Value {
    let number: u64 = id.rsplit('_').next().and_then(|number| number.parse().ok()).unwrap_or(0);
    let custom = format!("com.atlassian.jira.plugin.system.customfieldtypes:{custom}");
    json!({"type": kind, "custom": custom, "customId": number})
}

fn not_on_screen(field: &str) -> String {
    format!("Field '{field}' cannot be set. It is not on the appropriate screen, or unknown.")
}
