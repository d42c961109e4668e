//! What a webhook is told of, and in which words.

use serde_json::{Value, json};

use super::accounts::{LONG_AGO, merge, node};
use super::commits::tree_of;
use super::hooks::HOOK;
use super::issue::{Issue, Pull};
use super::state::{Commit, State, read_time, written};
use super::{DEFAULT_BRANCH, OWNER, REPO};

/// No commit.
const NONE: &str = "0000000000000000000000000000000000000000";

/// Something that a webhook is told of, as it is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// There is a webhook.
    Ping,
    /// What happened to an issue: `opened`, `closed`, `reopened`, …
    Issue(&'static str, u64),
    /// What happened to the last comment of an issue or a pull request: `created`, …
    Comment(&'static str, u64),
    /// What happened to a pull request: `opened`, `synchronize`, `closed`, …
    Pull(&'static str, u64),
    /// What happened to the last review of a pull request: `submitted`, …
    Review(&'static str, u64),
    /// What happened to the last check of a pull request: `created`, `completed`, …
    CheckRun(&'static str, u64),
    /// What happened to all checks of a pull request together: `completed`, …
    CheckSuite(&'static str, u64),
    /// The last status of a pull request's last commit.
    Status(u64),
    /// The last commit of a branch came.
    Push(String),
}

/// How an event is told.
pub struct Told {
    pub event: &'static str,
    pub action: Option<&'static str>,
    pub payload: Value,
    /// Who did it, as far as one can see.
    pub by: String,
}

impl State {
    /// Something happened, and the webhook is told of it, with more than what the event alone says.
    pub fn emit(&mut self, event: &Event, sender: &str, more: Value) {
        if let Some(told) = self.told_of(event, Some(sender), &more) {
            self.send(told);
        }
    }

    /// How an event is told; `None` when there is nothing that it could be about.
    pub fn told_of(&self, event: &Event, sender: Option<&str>, more: &Value) -> Option<Told> {
        let mut told = self.subject(event)?;
        if let Some(action) = told.action {
            told.payload["action"] = json!(action);
        }
        let by = sender.unwrap_or(&told.by).to_owned();
        let common = json!({
            "repository": self.repository(), "organization": self.organization(), "sender": self.shown_user(&by),
        });
        merge(&mut told.payload, &common);
        if told.event == "push" {
            self.as_pushes_show(&mut told.payload);
        }
        merge(&mut told.payload, more);
        Some(Told { by, ..told })
    }

    fn subject(&self, event: &Event) -> Option<Told> {
        let told = |event, action, payload, by: &str| Told { event, action, payload, by: by.to_owned() };
        Some(match event {
            Event::Ping => told("ping", None, self.ping(), OWNER),
            Event::Issue(action, number) => {
                let issue = self.issues.get(number).filter(|issue| issue.pull.is_none())?;
                told("issues", Some(*action), json!({"issue": self.shown_issue(issue)}), &issue.author)
            }
            Event::Comment(action, number) => {
                let issue = self.issues.get(number)?;
                let comment = issue.comments.last()?;
                let payload = json!({
                    "issue": self.shown_issue(issue), "comment": self.shown_comment(issue, comment),
                });
                told("issue_comment", Some(*action), payload, &comment.author)
            }
            Event::Pull(action, number) => {
                let (issue, pull) = self.pull(*number)?;
                let mut payload = json!({"number": number, "pull_request": self.shown_pull(issue, pull)});
                if *action == "synchronize" {
                    let before = pull.commits.iter().rev().nth(1).unwrap_or(&pull.base_sha);
                    merge(&mut payload, &json!({"before": before, "after": pull.head()}));
                }
                if *action == "edited" {
                    payload["changes"] = json!({});
                }
                let by = pull.merged_by.as_ref().unwrap_or(&issue.author);
                told("pull_request", Some(*action), payload, by)
            }
            Event::Review(action, number) => {
                let (issue, pull) = self.pull(*number)?;
                let review = pull.reviews.last()?;
                told("pull_request_review", Some(*action), self.told_review(issue, pull), &review.author)
            }
            Event::CheckRun(action, number) => {
                let head = self.pull(*number)?.1.head();
                let run = self.runs.iter().rev().find(|run| run.sha == head)?;
                told("check_run", Some(*action), json!({"check_run": self.shown_run(run, true)}), OWNER)
            }
            Event::CheckSuite(action, number) => {
                let head = self.pull(*number)?.1.head();
                told("check_suite", Some(*action), json!({"check_suite": self.told_suite(head)}), OWNER)
            }
            Event::Status(number) => told("status", None, self.told_status(*number)?, OWNER),
            Event::Push(branch) => {
                let (payload, by) = self.told_push(branch)?;
                told("push", None, payload, &by)
            }
        })
    }

    fn told_review(&self, issue: &Issue, pull: &Pull) -> Value {
        let Some(review) = pull.reviews.last() else { return Value::Null };
        let mut shown = self.shown_review(issue, review);
        shown["state"] = json!(review.state.to_lowercase());
        shown["body"] = Value::Null;
        json!({"review": shown, "pull_request": self.listed_pull(issue, pull)})
    }

    fn told_status(&self, number: u64) -> Option<Value> {
        let (_, pull) = self.pull(number)?;
        let status = self.statuses.iter().rev().find(|status| status.sha == pull.head())?;
        let commit = self.commit_of(&status.sha)?;
        let at = written(status.at);
        Some(json!({
            "id": status.id, "sha": status.sha, "name": REPO, "target_url": null, "context": status.context,
            "avatar_url": null, "description": null, "state": status.state, "commit": self.shown_commit(commit),
            "branches": [{
                "name": pull.branch, "protected": false,
                "commit": {"sha": status.sha, "url": self.api(&format!("/commits/{}", status.sha))},
            }],
            "created_at": at, "updated_at": at,
        }))
    }

    fn told_push(&self, branch: &str) -> Option<(Value, String)> {
        let shas = self.branches.get(branch)?;
        let commit = self.commit_of(shas.last()?)?;
        let before = shas.iter().rev().nth(1).map_or(NONE, |sha| sha);
        let shown = Self::pushed_commit(commit);
        let payload = json!({
            "ref": format!("refs/heads/{branch}"), "before": before, "after": commit.sha, "created": before == NONE,
            "deleted": false, "forced": false, "base_ref": null, "commits": [shown], "head_commit": shown,
            "compare": format!("https://github.com/{REPO}/compare/{}...{}", &before[..12], &commit.sha[..12]),
            "pusher": {"name": commit.name, "email": commit.email},
        });
        Some((payload, commit.login.clone().unwrap_or_else(|| OWNER.to_owned())))
    }

    fn pushed_commit(commit: &Commit) -> Value {
        let mut author = json!({"name": commit.name, "email": commit.email});
        if let Some(login) = &commit.login {
            author["username"] = json!(login);
        }
        json!({
            "id": commit.sha, "tree_id": tree_of(&commit.sha), "distinct": true, "message": commit.message,
            "timestamp": written(commit.at), "url": format!("https://github.com/{REPO}/commit/{}", commit.sha),
            "author": author, "committer": author, "added": [], "removed": [], "modified": commit.paths,
        })
    }

    /// Pushes show the repository in a way of their own.
    fn as_pushes_show(&self, payload: &mut Value) {
        let pushed = self.commits.iter().map(|commit| commit.at).max();
        let more = json!({
            "created_at": read_time(LONG_AGO), "pushed_at": pushed, "master_branch": DEFAULT_BRANCH, "stargazers": 0,
            "url": format!("https://github.com/{REPO}"), "organization": OWNER,
        });
        merge(&mut payload["repository"], &more);
        merge(&mut payload["repository"]["owner"], &json!({"name": OWNER, "email": null}));
    }

    fn ping(&self) -> Value {
        json!({"zen": "Anything added dilutes everything else.", "hook_id": HOOK, "hook": self.shown_hook()})
    }

    fn organization(&self) -> Value {
        let url = format!("{}/orgs/{OWNER}", self.base);
        let Some(owner) = self.user(OWNER) else { return Value::Null };
        json!({
            "login": OWNER, "id": owner.id, "node_id": node("O", owner.id), "url": url,
            "repos_url": format!("{url}/repos"), "events_url": format!("{url}/events"), "hooks_url": format!("{url}/hooks"),
            "issues_url": format!("{url}/issues"), "members_url": format!("{url}/members{{/member}}"),
            "public_members_url": format!("{url}/public_members{{/member}}"), "description": "",
            "avatar_url": format!("https://avatars.githubusercontent.com/u/{}?v=4", owner.id),
        })
    }
}
