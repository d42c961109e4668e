//! Issues that are there: reading, editing, assigning, and their properties.

use serde_json::json;

use super::Flavour;
use super::calls::{Answered, Asked, nothing};
use super::create::{MEMBERS, check_members, refuse};
use super::fields::Screen;
use super::refusal::Refusal;
use super::shown::Selection;
use super::state::State;
use super::users;

impl State {
    /// `GET issue/{key}`.
    pub fn get_issue(&self, asked: &Asked<'_>) -> Answered {
        let issue = self.named(asked)?;
        let fields = asked.query.iter().filter(|(name, _)| name == "fields").map(|(_, value)| value.as_str());
        let mut shown = self.shown_issue(&issue, asked.version, &Selection::of(fields, "*all"));
        let wanted: Vec<&str> = asked.parameter("properties").unwrap_or("").split(',').collect();
        for (key, value) in &issue.properties {
            if wanted.contains(&key.as_str()) || wanted.contains(&"*all") {
                shown["properties"][key.as_str()] = value.clone();
            }
        }
        Ok((200, shown))
    }

    /// `PUT issue/{key}`.
    pub fn edit(&mut self, asked: &Asked<'_>) -> Answered {
        let mut issue = self.named(asked)?;
        check_members(&asked.body, &MEMBERS)?;
        let bot = users::bot(self.flavour);
        let errors = self.set_all(&mut issue, &asked.body, &Screen::Edit, asked.version, bot);
        refuse(errors)?;
        // What was missing before need not be given now.
        if issue.summary.is_empty() {
            return Err(Refusal::field("summary", "You must specify a summary of the issue."));
        }
        self.keep(issue, bot);
        Ok(nothing())
    }

    /// `PUT issue/{key}/assignee`.
    pub fn assign(&mut self, asked: &Asked<'_>) -> Answered {
        let mut issue = self.named(asked)?;
        let member = match self.flavour {
            Flavour::Cloud => "accountId",
            Flavour::Server => "name",
        };
        let named = asked.body.get(member);
        let named = named.ok_or_else(|| Refusal::field("assignee", &format!("'{member}' must be given")))?;
        let value = if named.is_null() || named == "-1" { json!(null) } else { asked.body.clone() };
        issue.assignee = self.person(&value, true).map_err(|message| Refusal::field("assignee", &message))?;
        self.keep(issue, users::bot(self.flavour));
        Ok(nothing())
    }

    /// `GET` and `PUT issue/{key}/properties/{name}`.
    pub fn property(&mut self, asked: &Asked<'_>) -> Answered {
        let mut issue = self.named(asked)?;
        let name = asked.part(3).to_owned();
        if asked.body.is_null() {
            let missing = || Refusal::says(404, &format!("The property {name} does not exist."));
            let value = issue.properties.get(&name).ok_or_else(missing)?;
            return Ok((200, json!({"key": name, "value": value})));
        }
        let known = issue.properties.insert(name, asked.body.clone()).is_some();
        self.keep(issue, users::bot(self.flavour));
        Ok((if known { 200 } else { 201 }, json!(null)))
    }
}
