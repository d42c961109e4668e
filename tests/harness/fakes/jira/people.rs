//! What people do in Jira.

use serde_json::Value;

use super::documents::Text;
use super::fields::Screen;
use super::state::{Comment, Issue, State, now};
use super::webhooks::Happened;
use super::workflow::RESOLUTIONS;
use super::{FakeJira, Flavour, Version};
use crate::Failure;

impl FakeJira {
    /// One more person, who can be assigned issues; others see the e-mail address only when it is `visible`. Returns the
    /// account id (Cloud) or the name (Server), which is the e-mail address up to the `@`.
    pub fn add_user(&self, name: &str, email: &str, visible: bool) -> String {
        self.state().add_user(name, email, visible)
    }

    /// Whether issues can be assigned to somebody.
    pub fn set_assignable(&self, id: &str, assignable: bool) {
        self.state().users.iter_mut().filter(|user| user.id == id).for_each(|user| user.assignable = assignable);
    }

    /// Somebody has left.
    pub fn deactivate(&self, id: &str) {
        self.state().users.iter_mut().filter(|user| user.id == id).for_each(|user| user.active = false);
    }

    /// Somebody (a name, an id or an e-mail address) takes the steps to a status, or through a step of this name. Where a
    /// resolution is asked for, it is the one that is called as the status, or `Done`.
    ///
    /// # Errors
    /// When there is no such issue, person or way.
    pub fn person_transitions(&self, key: &str, to: &str, who: &str) -> Result<(), Failure> {
        let mut state = self.state();
        let by = state.called(who)?;
        let issue = state.there(key)?;
        let way = state.workflow.way(&issue.status, to);
        for step in way.ok_or_else(|| format!("no way from {} to {to}", issue.status))? {
            let before = state.there(key)?;
            let mut moved = Issue { resolution: None, ..before.clone() };
            if step.shows("resolution") {
                let called = RESOLUTIONS.iter().find(|(_, name)| *name == step.to).map_or("Done", |(_, name)| name);
                moved.resolution = Some(called.to_owned());
            }
            state.take(&before, moved, &step, &by);
        }
        Ok(())
    }

    /// Somebody writes a comment.
    ///
    /// # Errors
    /// When there is no such issue or person.
    pub fn person_comments(&self, key: &str, text: &str, who: &str) -> Result<(), Failure> {
        let mut state = self.state();
        let (by, mut issue) = (state.called(who)?, state.there(key)?);
        let body = state.typed(text);
        let id = state.next_id();
        issue.comments.push(Comment {
            id,
            author: by.clone(),
            body,
            created: now(),
            properties: Value::Array(Vec::new()),
        });
        state.keep(issue, &by);
        Ok(())
    }

    /// Somebody gives an issue to `whom`, or takes it from whoever has it.
    ///
    /// # Errors
    /// When there is no such issue or person.
    pub fn person_assigns(&self, key: &str, whom: Option<&str>, who: &str) -> Result<(), Failure> {
        let mut state = self.state();
        let (by, mut issue) = (state.called(who)?, state.there(key)?);
        issue.assignee = whom.map(|whom| state.called(whom)).transpose()?;
        state.keep(issue, &by);
        Ok(())
    }

    /// Somebody changes fields, given as the newest version of the API takes them.
    ///
    /// # Errors
    /// When there is no such issue or person, or Jira refuses.
    pub fn person_edits(&self, key: &str, fields: &Value, who: &str) -> Result<(), Failure> {
        let mut state = self.state();
        let (by, mut issue) = (state.called(who)?, state.there(key)?);
        let version = state.newest();
        let body = serde_json::json!({"fields": fields});
        let errors = state.set_all(&mut issue, &body, &Screen::Edit, version, &by);
        if !errors.is_empty() {
            return Err(format!("{errors:?}").into());
        }
        state.keep(issue, &by);
        Ok(())
    }

    /// Somebody makes an issue. Returns its key.
    pub fn person_creates(&self, summary: &str, labels: &[&str]) -> String {
        let mut state = self.state();
        let by = match state.users.get(1) {
            Some(user) => user.id.clone(),
            None => state.add_user("Grace Hopper", "grace@acme.example", true),
        };
        let labels = labels.iter().map(|label| (*label).to_owned()).collect();
        let issue = Issue { summary: summary.to_owned(), labels, ..state.blank(&by) };
        state.begin(issue, &by).key
    }

    /// Somebody deletes an issue, for good.
    ///
    /// # Errors
    /// When there is no such issue.
    pub fn person_deletes(&self, key: &str) -> Result<(), Failure> {
        let mut state = self.state();
        let issue = state.there(key)?;
        let by = state.users.get(1).map(|user| user.id.clone()).unwrap_or_default();
        state.happened(&issue, &Happened::Deleted, &by);
        let record = state.records.iter_mut().find(|record| record.now().is_some_and(|now| now.id == issue.id));
        record.into_iter().for_each(|record| record.deleted = true);
        Ok(())
    }
}

impl State {
    fn called(&self, who: &str) -> Result<String, Failure> {
        let found = self.users.iter().find(|user| user.id == who || user.name == who || user.email == who);
        Ok(found.map(|user| user.id.clone()).ok_or_else(|| format!("nobody is called {who}"))?)
    }

    fn there(&self, key: &str) -> Result<Issue, Failure> {
        Ok(self.issue(key).cloned().ok_or_else(|| format!("there is no {key}"))?)
    }

    fn newest(&self) -> Version {
        match self.flavour {
            Flavour::Cloud => Version::Three,
            Flavour::Server => Version::Two,
        }
    }

    /// A text as the editor of this Jira keeps it.
    fn typed(&self, text: &str) -> Text {
        let plain = Text::Plain(text.to_owned());
        match self.flavour {
            Flavour::Cloud => Text::Document(plain.shown(Version::Three)),
            Flavour::Server => plain,
        }
    }
}
