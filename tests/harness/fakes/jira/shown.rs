//! Issues and comments as the API shows them.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::state::{Comment, Issue, IssueType, PRIORITIES, State};
use super::workflow::{RESOLUTIONS, shown_category};
use super::{Flavour, PROJECT, Version};

/// Id of the project.
pub const PROJECT_ID: &str = "10000";

/// Which fields are asked for.
#[derive(Debug, Default)]
pub struct Selection {
    all: bool,
    navigable: bool,
    names: BTreeSet<String>,
    without: BTreeSet<String>,
}

impl Selection {
    /// From names, some of them with commas; `usual` when there are none.
    pub fn of<'a>(names: impl Iterator<Item = &'a str>, usual: &str) -> Self {
        let mut names: Vec<&str> = names.flat_map(|names| names.split(',')).map(str::trim).collect();
        names.retain(|name| !name.is_empty());
        if names.is_empty() {
            names.push(usual);
        }
        let mut selection = Self::default();
        for name in names {
            match (name, name.strip_prefix('-')) {
                ("*all", _) => selection.all = true,
                ("*navigable", _) => selection.navigable = true,
                (_, Some(name)) => drop(selection.without.insert(name.to_owned())),
                (_, None) => drop(selection.names.insert(name.to_owned())),
            }
        }
        // Only what is left out is named: everything else is meant.
        selection.all |= selection.names.is_empty() && !selection.navigable && !selection.without.is_empty();
        selection
    }

    /// Whether not even the key is asked for.
    pub fn only_ids(&self) -> bool {
        !self.all && !self.navigable && self.names.iter().all(|name| name == "id")
    }

    /// How many more than ids and keys are asked for.
    pub fn is_small(&self) -> bool {
        !self.all && !self.navigable && self.names.iter().all(|name| name == "id" || name == "key")
    }

    fn wants(&self, field: &str) -> bool {
        let meant = self.all || (self.navigable && field != "comment") || self.names.contains(field);
        meant && !self.without.contains(field)
    }
}

impl State {
    /// An issue with the fields that are asked for.
    pub fn shown_issue(&self, issue: &Issue, version: Version, selection: &Selection) -> Value {
        let Value::Object(fields) = self.shown_fields(issue, version) else { return Value::Null };
        let fields: Map<String, Value> = fields.into_iter().filter(|(name, _)| selection.wants(name)).collect();
        let mut shown = json!({
            "expand": "operations,versionedRepresentations,editmeta,changelog,renderedFields",
            "id": issue.id.to_string(),
            "self": self.address_of(issue, version),
            "key": issue.key,
        });
        if !fields.is_empty() {
            shown["fields"] = Value::Object(fields);
        }
        shown
    }

    /// Where the API has an issue.
    pub fn address_of(&self, issue: &Issue, version: Version) -> String {
        format!("{}/issue/{}", self.api(version), issue.id)
    }

    /// Address of the API.
    pub fn api(&self, version: Version) -> String {
        let version = match version {
            Version::Two => 2,
            Version::Three => 3,
        };
        format!("{}/rest/api/{version}", self.base)
    }

    /// All fields of an issue.
    pub fn shown_fields(&self, issue: &Issue, version: Version) -> Value {
        let api = self.api(version);
        let user = |id: &Option<String>| id.as_deref().map_or(Value::Null, |id| self.shown_user(id));
        let mut fields = json!({
            "summary": issue.summary,
            "description": issue.description.as_ref().map_or(Value::Null, |text| text.shown(version)),
            "issuetype": self.type_called(&issue.kind).map_or(Value::Null, |kind| shown_type(&api, kind)),
            "project": {
                "self": format!("{api}/project/{PROJECT_ID}"), "id": PROJECT_ID, "key": PROJECT, "name": "Operations",
            },
            "status": self.workflow.shown(&api, &issue.status),
            "priority": shown_priority(&api, &issue.priority),
            "resolution": issue.resolution.as_deref().map_or(Value::Null, |name| shown_resolution(&api, name)),
            "resolutiondate": issue.resolved.map_or(Value::Null, |at| json!(self.time(at))),
            "labels": issue.labels,
            "assignee": user(&issue.assignee),
            "reporter": self.shown_user(&issue.reporter),
            "creator": self.shown_user(&issue.creator),
            "created": self.time(issue.created),
            "updated": self.time(issue.updated),
            "comment": {
                "comments": issue.comments.iter().map(|comment| self.shown_comment(issue, comment, version, false))
                    .collect::<Vec<_>>(),
                "self": format!("{}/comment", self.address_of(issue, version)),
                "maxResults": issue.comments.len(), "total": issue.comments.len(), "startAt": 0,
            },
        });
        if self.flavour == Flavour::Cloud {
            fields["statusCategory"] = shown_category(&api, self.workflow.category(&issue.status));
        }
        for field in &self.custom {
            fields[field.id.as_str()] = issue.custom.get(&field.id).cloned().unwrap_or_default();
        }
        fields
    }

    /// A comment.
    pub fn shown_comment(&self, issue: &Issue, comment: &Comment, version: Version, properties: bool) -> Value {
        let author = self.shown_user(&comment.author);
        let mut shown = json!({
            "self": format!("{}/comment/{}", self.address_of(issue, version), comment.id),
            "id": comment.id.to_string(),
            "author": author,
            "updateAuthor": author,
            "body": comment.body.shown(version),
            "created": self.time(comment.created),
            "updated": self.time(comment.created),
        });
        if self.flavour == Flavour::Cloud {
            shown["jsdPublic"] = json!(true);
        }
        if properties {
            shown["properties"] = comment.properties.clone();
        }
        shown
    }

    /// The type with this name.
    pub fn type_called(&self, name: &str) -> Option<&IssueType> {
        self.types.iter().find(|kind| kind.name == name)
    }
}

/// A type of issues.
pub fn shown_type(api: &str, kind: &IssueType) -> Value {
    json!({
        "self": format!("{api}/issuetype/{}", kind.id),
        "id": kind.id,
        "description": "",
        "iconUrl": format!("{api}/universal_avatar/view/type/issuetype/avatar/10303"),
        "name": kind.name,
        "subtask": kind.subtask,
    })
}

/// A priority.
pub fn shown_priority(api: &str, name: &str) -> Value {
    let id = PRIORITIES.iter().find(|(_, is)| *is == name).map_or("", |(id, _)| id);
    json!({
        "self": format!("{api}/priority/{id}"), "iconUrl": format!("{api}/images/icons/priorities/{id}.svg"),
        "name": name, "id": id,
    })
}

/// A resolution.
pub fn shown_resolution(api: &str, name: &str) -> Value {
    let id = RESOLUTIONS.iter().find(|(_, is)| *is == name).map_or("", |(id, _)| id);
    json!({"self": format!("{api}/resolution/{id}"), "id": id, "description": "", "name": name})
}
