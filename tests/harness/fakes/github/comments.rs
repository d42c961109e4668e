//! What is written below issues and pull requests.

use serde_json::{Value, json};

use super::BOT_LOGIN;
use super::accounts::node;
use super::calls::{Asked, Done};
use super::events::Event;
use super::issue::{Comment, Issue};
use super::issues::{page_of, reactions, text_of};
use super::refusal::Refusal;
use super::state::{State, written};

impl State {
    /// A comment as GitHub shows it.
    pub fn shown_comment(&self, issue: &Issue, comment: &Comment) -> Value {
        let Comment { id, author, body, .. } = comment;
        let url = self.api(&format!("/issues/comments/{id}"));
        json!({
            "url": url, "html_url": format!("{}#issuecomment-{id}", page_of(issue)),
            "issue_url": self.api(&format!("/issues/{}", issue.number)), "id": id, "node_id": node("IC", *id),
            "user": self.shown_user(author), "created_at": written(comment.created_at),
            "updated_at": written(comment.updated_at), "body": body, "author_association": self.association(author),
            "reactions": reactions(&url), "performed_via_github_app": null,
        })
    }

    /// The comments of one issue, oldest first.
    pub fn list_comments(&mut self, asked: &Asked) -> Result<Done, Refusal> {
        let issue = self.issue(asked.number("n")?)?;
        let since = asked.since("IssueComment")?;
        let known = |comment: &&Comment| since.is_none_or(|since| comment.updated_at >= since);
        let comments: Vec<&Comment> = issue.comments.iter().filter(known).collect();
        Ok(self.page(asked, &comments, |comment| self.shown_comment(issue, comment)))
    }

    /// The comments of all issues.
    pub fn list_all_comments(&mut self, asked: &Asked) -> Result<Done, Refusal> {
        let since = asked.since("IssueComment")?;
        let sort = asked.one_of("IssueComment", "sort", &["created", "updated"])?;
        let direction = asked.one_of("IssueComment", "direction", &["asc", "desc"])?;
        let all = self.issues.values().flat_map(|issue| issue.comments.iter().map(move |comment| (issue, comment)));
        let mut found: Vec<_> =
            all.filter(|(_, comment)| since.is_none_or(|since| comment.updated_at >= since)).collect();
        found.sort_by_key(
            |(_, comment)| if sort == "updated" { (comment.updated_at, comment.id) } else { (0, comment.id) },
        );
        if direction == "desc" {
            found.reverse();
        }
        Ok(self.page(asked, &found, |(issue, comment)| self.shown_comment(issue, comment)))
    }

    pub fn get_comment(&mut self, asked: &Asked) -> Result<Done, Refusal> {
        let (issue, comment) = self.comment(asked.number("id")?)?;
        Ok(Done::ok(&self.shown_comment(issue, comment)))
    }

    pub fn create_comment(&mut self, asked: &Asked) -> Result<Done, Refusal> {
        let number = asked.number("n")?;
        self.issue(number)?;
        let body = body_asked(asked)?;
        let id = self.write(number, BOT_LOGIN, &body);
        let (issue, comment) = self.comment(id)?;
        Ok(Done::json(201, &self.shown_comment(issue, comment)))
    }

    pub fn edit_comment(&mut self, asked: &Asked) -> Result<Done, Refusal> {
        let id = asked.number("id")?;
        let number = self.comment(id)?.0.number;
        let body = body_asked(asked)?;
        self.rewrite(number, BOT_LOGIN, id, &body);
        let (issue, comment) = self.comment(id)?;
        Ok(Done::ok(&self.shown_comment(issue, comment)))
    }

    /// A comment with its issue.
    pub fn comment(&self, id: u64) -> Result<(&Issue, &Comment), Refusal> {
        let mut all = self.issues.values().flat_map(|issue| issue.comments.iter().map(move |comment| (issue, comment)));
        all.find(|(_, comment)| comment.id == id).ok_or_else(Refusal::not_found)
    }

    /// Somebody writes below an issue. Returns the id.
    pub fn write(&mut self, number: u64, login: &str, body: &str) -> u64 {
        let (id, now) = (self.mint(), self.now());
        let comment = Comment { id, author: login.to_owned(), body: body.to_owned(), created_at: now, updated_at: now };
        if let Some(issue) = self.issue_mut(number) {
            issue.comments.push(comment);
        }
        self.touch(number);
        self.emit(&Event::Comment("created", number), login, Value::Null);
        id
    }

    /// Somebody changes what was written.
    pub fn rewrite(&mut self, number: u64, login: &str, id: u64, body: &str) {
        let now = self.now();
        let comments = self.issue_mut(number).map(|issue| &mut issue.comments);
        let Some(comment) = comments.and_then(|all| all.iter_mut().find(|comment| comment.id == id)) else { return };
        let before = std::mem::replace(&mut comment.body, body.to_owned());
        comment.updated_at = now;
        let comment = comment.clone();
        self.touch(number);
        let shown = self.issues.get(&number).map(|issue| self.shown_comment(issue, &comment));
        let more = json!({"changes": {"body": {"from": before}}, "comment": shown});
        self.emit(&Event::Comment("edited", number), login, more);
    }
}

/// The text of a comment in what was sent.
fn body_asked(asked: &Asked) -> Result<String, Refusal> {
    match text_of(asked, "body", "IssueComment")? {
        None => Err(Refusal::new(422, "Invalid request.\n\n\"body\" wasn't supplied.")),
        Some(body) if body.trim().is_empty() => Err(Refusal::invalid(vec![
            json!({"resource": "IssueComment", "code": "unprocessable", "field": "data", "message": "Body cannot be blank"}),
        ])),
        Some(body) => Ok(body),
    }
}
