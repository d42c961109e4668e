//! New issues.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::PROJECT;
use super::calls::{Answered, Asked};
use super::fields::{Errors, Screen};
use super::refusal::Refusal;
use super::shown::PROJECT_ID;
use super::state::{Issue, State, USUAL_PRIORITY, now};
use super::users;

/// What the body of a request about an issue may have.
pub const MEMBERS: [&str; 5] = ["fields", "update", "properties", "historyMetadata", "transition"];

impl State {
    /// `POST issue`.
    pub fn create(&mut self, asked: &Asked<'_>) -> Answered {
        check_members(&asked.body, &MEMBERS)?;
        let bot = users::bot(self.flavour);
        let mut issue = self.blank(bot);
        let mut errors = self.check_project_and_type(&asked.body["fields"]);
        errors.extend(self.set_all(&mut issue, &asked.body, &Screen::Create, asked.version, bot));
        for (field, message) in self.missing(&issue, &Screen::Create) {
            if errors.iter().all(|(known, _)| *known != field) {
                errors.push((field, message));
            }
        }
        refuse(errors)?;
        issue.properties = properties(&asked.body["properties"])?;
        let issue = self.begin(issue, bot);
        let address = self.address_of(&issue, asked.version);
        Ok((201, json!({"id": issue.id.to_string(), "key": issue.key, "self": address})))
    }

    /// An issue before anything is set.
    pub fn blank(&self, by: &str) -> Issue {
        Issue {
            priority: USUAL_PRIORITY.to_owned(),
            reporter: by.to_owned(),
            creator: by.to_owned(),
            status: self.workflow.first().to_owned(),
            kind: self.types.iter().find(|kind| !kind.subtask).map(|kind| kind.name.clone()).unwrap_or_default(),
            ..Issue::default()
        }
    }

    /// Keeps a new issue.
    pub fn begin(&mut self, mut issue: Issue, by: &str) -> Issue {
        (issue.id, issue.key, issue.created) = (self.next_id(), self.next_key(), now());
        let key = issue.key.clone();
        self.keep(issue, by);
        self.issue(&key).cloned().unwrap_or_default()
    }

    fn check_project_and_type(&self, fields: &Value) -> Errors {
        let mut errors = Errors::new();
        let mut wrong = |field: &str, message: &str| errors.push((field.to_owned(), message.to_owned()));
        match &fields["project"] {
            Value::Null => wrong("project", "Specify a valid project ID or key"),
            project if project["key"] == PROJECT || project["id"] == PROJECT_ID => {}
            _ => wrong("project", "valid project is required"),
        }
        match &fields["issuetype"] {
            Value::Null => wrong("issuetype", "Specify an issue type"),
            kind => {
                let subtask =
                    self.kind(kind).is_ok_and(|kind| self.type_called(&kind).is_some_and(|kind| kind.subtask));
                let parent = [&fields["parent"]["key"], &fields["parent"]["id"]];
                if subtask && parent.iter().all(|parent| parent.as_str().is_none_or(|key| self.issue(key).is_none())) {
                    wrong("issuetype", "Issue type is a sub-task but parent issue key or id not specified.");
                }
            }
        }
        errors
    }
}

/// Refuses when there are errors.
pub fn refuse(errors: Errors) -> Result<(), Refusal> {
    // Of a document Jira says only that it is invalid; the reason is for whoever reads the calls.
    let shape = errors.iter().find_map(|(field, message)| Some((field, message.strip_prefix("INVALID_INPUT")?)));
    if let Some((field, why)) = shape {
        return Err(Refusal::says(400, "INVALID_INPUT").because(format!("{field}{why}")));
    }
    if errors.is_empty() { Ok(()) } else { Err(Refusal::fields(errors)) }
}

/// Refuses a body with members that the API does not know.
pub fn check_members(body: &Value, known: &[&str]) -> Result<(), Refusal> {
    match body.as_object().into_iter().flatten().find(|(name, _)| !known.contains(&name.as_str())) {
        Some((name, _)) => {
            let refusal =
                Refusal::says(400, "Invalid request payload. Refer to the REST API documentation and try again.");
            Err(refusal.because(format!("unrecognized field '{name}'")))
        }
        None => Ok(()),
    }
}

/// Properties from a list of `{key, value}`.
fn properties(list: &Value) -> Result<BTreeMap<String, Value>, Refusal> {
    let mut all = BTreeMap::new();
    for property in list.as_array().into_iter().flatten() {
        let key = property["key"].as_str().filter(|key| !key.is_empty() && key.len() <= 255);
        let key =
            key.ok_or_else(|| Refusal::says(400, "The property key is missing or longer than 255 characters."))?;
        all.insert(key.to_owned(), property["value"].clone());
    }
    Ok(all)
}
