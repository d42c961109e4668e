//! How issues change, whoever changes them; all of it is told to the webhook.

use serde_json::{Value, json};

use super::events::Event;
use super::labels::has_label;
use super::state::State;

impl State {
    /// What an issue and a pull request are told of alike.
    fn told(&self, number: u64, action: &'static str) -> Event {
        if self.pull(number).is_some() { Event::Pull(action, number) } else { Event::Issue(action, number) }
    }

    /// Changes title and text; `None`: it stays.
    pub fn edit_issue(&mut self, number: u64, login: &str, title: Option<String>, body: Option<String>) {
        let Some(issue) = self.issue_mut(number) else { return };
        let mut changes = json!({});
        if let Some(title) = title.filter(|title| *title != issue.title) {
            changes["title"] = json!({"from": std::mem::replace(&mut issue.title, title)});
        }
        let before = issue.body.clone().unwrap_or_default();
        if let Some(body) = body.filter(|body| *body != before) {
            issue.body = Some(body).filter(|body| !body.is_empty());
            changes["body"] = json!({"from": before});
        }
        if changes != json!({}) {
            self.touch(number);
            self.emit(&self.told(number, "edited"), login, json!({"changes": changes}));
        }
    }

    pub fn label(&mut self, number: u64, login: &str, name: &str) {
        let Some(issue) = self.issue_mut(number).filter(|issue| !has_label(issue, name)) else { return };
        issue.labels.push(name.to_owned());
        self.touch(number);
        let more = json!({"label": self.shown_label(name)});
        self.emit(&self.told(number, "labeled"), login, more);
    }

    pub fn unlabel(&mut self, number: u64, login: &str, name: &str) {
        let Some(issue) = self.issue_mut(number).filter(|issue| has_label(issue, name)) else { return };
        issue.labels.retain(|label| !label.eq_ignore_ascii_case(name));
        self.touch(number);
        let more = json!({"label": self.shown_label(name)});
        self.emit(&self.told(number, "unlabeled"), login, more);
    }

    /// It has these labels and no others.
    pub fn set_labels_to(&mut self, number: u64, login: &str, names: &[String]) {
        let had = self.issues.get(&number).map(|issue| issue.labels.clone()).unwrap_or_default();
        for gone in had.iter().filter(|had| !names.iter().any(|name| name.eq_ignore_ascii_case(had))) {
            self.unlabel(number, login, gone);
        }
        names.iter().for_each(|name| self.label(number, login, name));
    }

    pub fn assign(&mut self, number: u64, login: &str, assignee: &str) {
        let Some(issue) = self.issue_mut(number) else { return };
        if issue.assignees.iter().any(|one| one.eq_ignore_ascii_case(assignee)) {
            return;
        }
        issue.assignees.push(assignee.to_owned());
        self.touch(number);
        let more = json!({"assignee": self.shown_user(assignee)});
        self.emit(&self.told(number, "assigned"), login, more);
    }

    pub fn unassign(&mut self, number: u64, login: &str, assignee: &str) {
        let Some(issue) = self.issue_mut(number) else { return };
        let had = issue.assignees.len();
        issue.assignees.retain(|one| !one.eq_ignore_ascii_case(assignee));
        if issue.assignees.len() < had {
            self.touch(number);
            let more = json!({"assignee": self.shown_user(assignee)});
            self.emit(&self.told(number, "unassigned"), login, more);
        }
    }

    /// These have it and nobody else.
    pub fn set_assignees_to(&mut self, number: u64, login: &str, assignees: &[String]) {
        let had = self.issues.get(&number).map(|issue| issue.assignees.clone()).unwrap_or_default();
        for gone in had.iter().filter(|had| !assignees.iter().any(|one| one.eq_ignore_ascii_case(had))) {
            self.unassign(number, login, gone);
        }
        assignees.iter().for_each(|assignee| self.assign(number, login, assignee));
    }

    pub fn close(&mut self, number: u64, login: &str, reason: &str) {
        let now = self.now();
        let Some(issue) = self.issue_mut(number).filter(|issue| issue.open) else { return };
        issue.open = false;
        (issue.closed_at, issue.closed_by) = (Some(now), Some(login.to_owned()));
        // Pull requests have no reason.
        issue.state_reason = issue.pull.is_none().then(|| reason.to_owned());
        self.touch(number);
        self.emit(&self.told(number, "closed"), login, Value::Null);
    }

    pub fn reopen(&mut self, number: u64, login: &str) {
        let merged = self.pull(number).is_some_and(|(_, pull)| pull.merged_at.is_some());
        let Some(issue) = self.issue_mut(number).filter(|issue| !issue.open && !merged) else { return };
        issue.open = true;
        (issue.closed_at, issue.closed_by) = (None, None);
        issue.state_reason = issue.pull.is_none().then(|| "reopened".to_owned());
        self.touch(number);
        self.emit(&self.told(number, "reopened"), login, Value::Null);
    }

    /// An issue is gone for good.
    pub fn delete(&mut self, number: u64, login: &str) {
        let event = self.told(number, "deleted");
        // Told while it can still be shown.
        self.emit(&event, login, Value::Null);
        if self.issues.remove(&number).is_some() {
            self.deleted.insert(number);
        }
    }
}
