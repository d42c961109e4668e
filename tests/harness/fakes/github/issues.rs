//! Issues: listing, making and changing them.

use serde_json::{Value, json};

use super::BOT_LOGIN;
use super::accounts::{merge, node};
use super::calls::{Asked, Done};
use super::events::Event;
use super::issue::Issue;
use super::labels::{has_label, names_of};
use super::refusal::Refusal;
use super::state::{State, written};

/// Longest title.
const TITLE: usize = 256;
/// Longest text, of an issue or a comment.
pub const BODY: usize = 65_536;
/// So many people can have an issue at most.
const ASSIGNEES: usize = 10;

impl State {
    /// An issue that is there; otherwise whether there was one.
    pub fn issue(&self, number: u64) -> Result<&Issue, Refusal> {
        if self.deleted.contains(&number) {
            return Err(Refusal::new(410, "This issue was deleted"));
        }
        self.issues.get(&number).ok_or_else(Refusal::not_found)
    }

    /// An issue as GitHub shows it.
    pub fn shown_issue(&self, issue: &Issue) -> Value {
        let Issue { id, number, title, author, labels, assignees, .. } = issue;
        let url = self.api(&format!("/issues/{number}"));
        let assignees: Vec<Value> = assignees.iter().map(|login| self.shown_user(login)).collect();
        let labels: Vec<Value> = labels.iter().map(|name| self.shown_label(name)).collect();
        let mut shown = json!({
            "url": url, "repository_url": self.api(""), "labels_url": format!("{url}/labels{{/name}}"),
            "comments_url": format!("{url}/comments"), "events_url": format!("{url}/events"),
            "html_url": page_of(issue), "id": id, "node_id": node("I", *id), "number": number, "title": title,
            "user": self.shown_user(author), "labels": labels, "state": state_of(issue), "locked": false,
            "assignee": assignees.first(), "assignees": assignees, "milestone": null, "comments": issue.comments.len(),
            "created_at": written(issue.created_at), "updated_at": written(issue.updated_at),
            "closed_at": issue.closed_at.map(written), "author_association": self.association(author), "type": null,
            "active_lock_reason": null, "body": issue.body, "reactions": reactions(&url),
            "closed_by": issue.closed_by.as_ref().map(|login| self.shown_user(login)),
            "timeline_url": format!("{url}/timeline"), "performed_via_github_app": null,
            "state_reason": issue.state_reason,
        });
        let more = match &issue.pull {
            Some(pull) => json!({
                "draft": pull.draft,
                "pull_request": {
                    "url": self.api(&format!("/pulls/{number}")), "html_url": page_of(issue),
                    "diff_url": format!("{}.diff", page_of(issue)), "patch_url": format!("{}.patch", page_of(issue)),
                    "merged_at": pull.merged_at.map(written),
                },
            }),
            None => json!({
                "sub_issues_summary": {"total": 0, "completed": 0, "percent_completed": 0},
                "issue_dependencies_summary": {"blocked_by": 0, "total_blocked_by": 0, "blocking": 0, "total_blocking": 0},
            }),
        };
        merge(&mut shown, &more);
        shown
    }

    pub fn get_issue(&mut self, asked: &Asked) -> Result<Done, Refusal> {
        let issue = self.issue(asked.number("n")?)?;
        Ok(Done::ok(&self.shown_issue(issue)))
    }

    /// Lists issues, and pull requests, too.
    pub fn list_issues(&mut self, asked: &Asked) -> Result<Done, Refusal> {
        let state = asked.one_of("Issue", "state", &["open", "closed", "all"])?;
        let sort = asked.one_of("Issue", "sort", &["created", "updated", "comments"])?;
        let direction = asked.one_of("Issue", "direction", &["desc", "asc"])?;
        let since = asked.since("Issue")?;
        let labels: Vec<&str> = asked.parameter("labels").split(',').filter(|label| !label.is_empty()).collect();
        let (assignee, creator) = (asked.parameter("assignee"), asked.parameter("creator"));
        let mut found: Vec<&Issue> = self
            .issues
            .values()
            .filter(|issue| state == "all" || state == state_of(issue))
            .filter(|issue| since.is_none_or(|since| issue.updated_at >= since))
            .filter(|issue| labels.iter().all(|label| has_label(issue, label)))
            .filter(|issue| creator.is_empty() || issue.author.eq_ignore_ascii_case(creator))
            .filter(|issue| match assignee {
                "" => true,
                "none" => issue.assignees.is_empty(),
                "*" => !issue.assignees.is_empty(),
                login => issue.assignees.iter().any(|one| one.eq_ignore_ascii_case(login)),
            })
            .collect();
        found.sort_by_key(|issue| match sort {
            "updated" => (issue.updated_at, issue.number),
            "comments" => (i64::try_from(issue.comments.len()).unwrap_or(0), issue.number),
            _ => (issue.created_at, issue.number),
        });
        if direction == "desc" {
            found.reverse();
        }
        Ok(self.page(asked, &found, |issue| self.shown_issue(issue)))
    }

    pub fn create_issue(&mut self, asked: &Asked) -> Result<Done, Refusal> {
        let title = title_of(&asked.body)?
            .ok_or_else(|| Refusal::new(422, "Invalid request.\n\n\"title\" wasn't supplied."))?;
        let body = text_of(asked, "body", "Issue")?;
        let labels = names_of(&asked.body, "labels")?.unwrap_or_default();
        let assignees = self.assignees_of(asked)?.unwrap_or_default();
        let labels = self.use_labels(&labels)?;
        let number = self.open_issue(BOT_LOGIN, &title, body, None);
        for label in &labels {
            self.label(number, BOT_LOGIN, label);
        }
        for login in &assignees {
            self.assign(number, BOT_LOGIN, login);
        }
        Ok(Done::json(201, &self.shown_issue(self.issue(number)?)))
    }

    pub fn patch_issue(&mut self, asked: &Asked) -> Result<Done, Refusal> {
        let number = asked.number("n")?;
        self.issue(number)?;
        // All of it is looked at before any of it is done.
        let title = title_of(&asked.body)?;
        let body = text_of(asked, "body", "Issue")?;
        let labels = names_of(&asked.body, "labels")?;
        let assignees = self.assignees_of(asked)?;
        let (open, reason) = state_asked(asked)?;
        let labels = labels.map(|labels| self.use_labels(&labels)).transpose()?;
        let has_body = asked.body.contains_key("body");
        self.edit_issue(number, BOT_LOGIN, title, has_body.then(|| body.unwrap_or_default()));
        if let Some(labels) = labels {
            self.set_labels_to(number, BOT_LOGIN, &labels);
        }
        if let Some(assignees) = assignees {
            self.set_assignees_to(number, BOT_LOGIN, &assignees);
        }
        match open {
            Some(true) => self.reopen(number, BOT_LOGIN),
            Some(false) => self.close(number, BOT_LOGIN, reason.as_deref().unwrap_or("completed")),
            None => {}
        }
        Ok(Done::ok(&self.shown_issue(self.issue(number)?)))
    }

    pub fn add_assignees(&mut self, asked: &Asked) -> Result<Done, Refusal> {
        let number = asked.number("n")?;
        self.issue(number)?;
        // Here, those who cannot have it are passed over in silence.
        for login in names_of(&asked.body, "assignees")?.unwrap_or_default() {
            if self.user(&login).is_some_and(|user| user.member) {
                self.assign(number, BOT_LOGIN, &login);
            }
        }
        Ok(Done::json(201, &self.shown_issue(self.issue(number)?)))
    }

    pub fn remove_assignees(&mut self, asked: &Asked) -> Result<Done, Refusal> {
        let number = asked.number("n")?;
        self.issue(number)?;
        for login in names_of(&asked.body, "assignees")?.unwrap_or_default() {
            self.unassign(number, BOT_LOGIN, &login);
        }
        Ok(Done::ok(&self.shown_issue(self.issue(number)?)))
    }

    /// Those who shall have it.
    fn assignees_of(&self, asked: &Asked) -> Result<Option<Vec<String>>, Refusal> {
        let one = asked.body.get("assignee").and_then(Value::as_str).map(|login| vec![login.to_owned()]);
        let Some(logins) = names_of(&asked.body, "assignees")?.or(one) else { return Ok(None) };
        let unknown: Vec<&String> =
            logins.iter().filter(|login| !self.user(login).is_some_and(|user| user.member)).collect();
        if let Some(login) = unknown.first() {
            return Err(Refusal::invalid_value("Issue", "assignees", &json!(login)));
        }
        if logins.len() > ASSIGNEES {
            return Err(Refusal::invalid_value("Issue", "assignees", &json!(logins)));
        }
        let logins = logins.iter().filter_map(|login| self.user(login)).map(|user| user.login.clone());
        Ok(Some(logins.collect()))
    }

    /// Makes an issue, or what is one of a pull request. Returns its number.
    pub fn open_issue(
        &mut self,
        login: &str,
        title: &str,
        body: Option<String>,
        pull: Option<super::issue::Pull>,
    ) -> u64 {
        let (number, id, now) = (self.next_number(), self.mint(), self.now());
        let is_pull = pull.is_some();
        let issue = Issue {
            number,
            title: title.to_owned(),
            body: body.filter(|body| !body.is_empty()),
            author: login.to_owned(),
            open: true,
            created_at: now,
            updated_at: now,
            pull,
            id,
            ..Issue::default()
        };
        self.issues.insert(number, issue);
        if !is_pull {
            self.emit(&Event::Issue("opened", number), login, Value::Null);
        }
        number
    }
}

/// `open` or `closed`.
pub fn state_of(issue: &Issue) -> &'static str {
    if issue.open { "open" } else { "closed" }
}

/// Address of its page.
pub fn page_of(issue: &Issue) -> String {
    let kind = if issue.pull.is_some() { "pull" } else { "issues" };
    format!("https://github.com/{}/{kind}/{}", super::REPO, issue.number)
}

/// Nobody reacts.
pub fn reactions(url: &str) -> Value {
    json!({
        "url": format!("{url}/reactions"), "total_count": 0, "+1": 0, "-1": 0, "laugh": 0, "hooray": 0, "confused": 0,
        "heart": 0, "rocket": 0, "eyes": 0,
    })
}

/// The title in what was sent.
fn title_of(body: &serde_json::Map<String, Value>) -> Result<Option<String>, Refusal> {
    match body.get("title") {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(title)) if title.trim().is_empty() => {
            Err(Refusal::invalid(vec![json!({"resource": "Issue", "code": "missing_field", "field": "title"})]))
        }
        Some(Value::String(title)) if title.chars().count() > TITLE => Err(Refusal::too_long("Issue", "title", TITLE)),
        Some(Value::String(title)) => Ok(Some(title.clone())),
        Some(other) => Err(wrong_type("title", other, "a string")),
    }
}

/// A long text in what was sent.
pub fn text_of(asked: &Asked, name: &str, resource: &str) -> Result<Option<String>, Refusal> {
    match asked.body.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if text.chars().count() > BODY => Err(Refusal::too_long(resource, name, BODY)),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(other) => Err(wrong_type(name, other, "a string")),
    }
}

/// What was sent has another type.
pub fn wrong_type(name: &str, value: &Value, wanted: &str) -> Refusal {
    Refusal::new(422, &format!("Invalid request.\n\nFor 'properties/{name}', {value} is not {wanted}."))
}

/// Whether it shall be open or closed, and why.
fn state_asked(asked: &Asked) -> Result<(Option<bool>, Option<String>), Refusal> {
    let reason = match asked.body.get("state_reason") {
        None | Some(Value::Null) => None,
        Some(Value::String(reason))
            if ["completed", "not_planned", "duplicate", "reopened"].contains(&reason.as_str()) =>
        {
            Some(reason.clone())
        }
        Some(other) => return Err(Refusal::invalid_value("Issue", "state_reason", other)),
    };
    match asked.body.get("state") {
        None | Some(Value::Null) => Ok((None, reason)),
        Some(Value::String(state)) if state == "open" => Ok((Some(true), reason)),
        Some(Value::String(state)) if state == "closed" => Ok((Some(false), reason)),
        Some(other) => Err(Refusal::invalid_value("Issue", "state", other)),
    }
}
