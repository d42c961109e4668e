//! How the Jira of a story is, and what goes wrong with it.

use std::time::Duration;

use super::fields::{CustomField, Holds};
use super::state::IssueType;
use super::{FakeJira, Workflow};
use crate::fakes::faults::{Fault, Faults};

impl FakeJira {
    /// From now on calls go wrong at random.
    pub fn fail(&self, faults: Faults, seed: u64) {
        self.state().dice.fail(faults, seed);
    }

    /// The next call of an endpoint (see [`super::Call::endpoint`]) goes wrong in this way. 500 has a JSON body, all above a
    /// page; a refusal is a 403 with that message.
    pub fn fail_next(&self, endpoint: &str, fault: Fault) {
        self.state().dice.fail_next(endpoint, fault);
    }

    /// The next transition is answered with 409, as if somebody else took one at the same time, and is not taken.
    pub fn conflict_next_transition(&self) {
        self.state().conflicts += 1;
    }

    /// How long the search does not know what happened; 300 ms until it is set.
    pub fn set_index_lag(&self, lag: Duration) {
        self.state().lag = lag;
    }

    /// Another workflow, for issues that are made from now on.
    pub fn with_workflow(&self, workflow: Workflow) {
        self.state().workflow = workflow;
    }

    /// The priority cannot be set.
    pub fn without_priority_on_screen(&self) {
        self.state().priority_on_screen = false;
    }

    /// Other types of issues, each with whether it is one of sub-tasks.
    pub fn set_issue_types(&self, types: &[(&str, bool)]) {
        let types = types.iter().zip(10_101..).map(|((name, subtask), id)| IssueType {
            id: id.to_string(),
            name: (*name).to_owned(),
            subtask: *subtask,
        });
        self.state().types = types.collect();
    }

    /// One more field, `customfield_…`, which holds one of these options, and which a new issue must have.
    pub fn require_option(&self, id: &str, name: &str, options: &[&str]) {
        let holds = Holds::Option(options.iter().map(|option| (*option).to_owned()).collect());
        self.state().custom.push(CustomField { id: id.to_owned(), name: name.to_owned(), holds, required: true });
    }

    /// One more field, `customfield_…`, which holds one of these options.
    pub fn add_option_field(&self, id: &str, name: &str, options: &[&str]) {
        self.require_option(id, name, options);
        self.state().custom.iter_mut().filter(|field| field.id == id).for_each(|field| field.required = false);
    }

    /// One more field, `customfield_…`, which holds a line of text.
    pub fn add_text_field(&self, id: &str, name: &str, required: bool) {
        let (id, name) = (id.to_owned(), name.to_owned());
        self.state().custom.push(CustomField { id, name, holds: Holds::Line, required });
    }

    /// One more field, `customfield_…`, which holds a number.
    pub fn add_number_field(&self, id: &str, name: &str, required: bool) {
        let (id, name) = (id.to_owned(), name.to_owned());
        self.state().custom.push(CustomField { id, name, holds: Holds::Number, required });
    }

    /// Time zone of the account: its times are written so, and dates in queries are meant so. Until it is set it is two hours
    /// ahead.
    pub fn set_time_zone(&self, name: &str, hours_ahead: i32) {
        self.state().zone = (name.to_owned(), hours_ahead);
    }

    /// The credentials do not work any more.
    pub fn revoke_token(&self) {
        self.state().revoked = true;
    }

    /// There are no limits on calls any more, for stories that are no test of them.
    pub fn lift_limits(&self) {
        self.state().limits.lift();
    }
}
