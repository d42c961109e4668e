//! What is said of commits: check runs, their suites, and statuses.

use serde_json::{Value, json};

use super::OWNER;
use super::accounts::{LONG_AGO, REPO_ID, node};
use super::calls::{Asked, Done};
use super::commits::tree_of;
use super::refusal::Refusal;
use super::state::{Run, State, Status, written};

/// Number of the app that checks.
const APP: u64 = 15_368;

impl State {
    /// The runs of a commit: of each name the last one.
    fn latest_runs(&self, sha: &str) -> Vec<&Run> {
        let mut latest: Vec<&Run> = Vec::new();
        for run in self.runs.iter().filter(|run| run.sha == sha) {
            latest.retain(|before| before.name != run.name);
            latest.push(run);
        }
        latest.reverse();
        latest
    }

    pub fn list_runs(&mut self, asked: &Asked) -> Result<Done, Refusal> {
        let sha = &self.commit_asked(asked)?.sha;
        let mut runs = match asked.one_of("CheckRun", "filter", &["latest", "all"])? {
            "latest" => self.latest_runs(sha),
            _ => self.runs.iter().rev().filter(|run| run.sha == *sha).collect(),
        };
        let (name, status) = (asked.parameter("check_name"), asked.parameter("status"));
        runs.retain(|run| (name.is_empty() || run.name == name) && (status.is_empty() || run.status == status));
        let (page, link) = self.cut(asked, &runs);
        let page: Vec<Value> = page.iter().map(|run| self.shown_run(run, false)).collect();
        Ok(Done { link, ..Done::ok(&json!({"total_count": runs.len(), "check_runs": page})) })
    }

    /// A run as GitHub shows it; a webhook tells of its suite, too.
    pub fn shown_run(&self, run: &Run, with_suite: bool) -> Value {
        let Run { id, sha, name, status, conclusion, .. } = run;
        let url = self.api(&format!("/check-runs/{id}"));
        let suite = if with_suite { self.shown_suite(sha) } else { json!({"id": suite_of(sha)}) };
        let page = format!("https://github.com/{}/runs/{id}", super::REPO);
        json!({
            "id": id, "name": name, "node_id": node("CR", *id), "head_sha": sha, "external_id": "", "url": url,
            "html_url": page, "details_url": page, "status": status, "conclusion": conclusion,
            "started_at": written(run.started_at), "completed_at": run.completed_at.map(written),
            "output": {
                "title": null, "summary": null, "text": null, "annotations_count": 0,
                "annotations_url": format!("{url}/annotations"),
            },
            "check_suite": suite, "app": self.app(), "pull_requests": self.named_pulls(sha),
        })
    }

    /// All runs of a commit together.
    pub fn shown_suite(&self, sha: &str) -> Value {
        let (runs, id) = (self.latest_runs(sha), suite_of(sha));
        let over = runs.iter().all(|run| run.status == "completed");
        let mut ends = runs.iter().filter_map(|run| run.conclusion.as_deref());
        let bad = ends.rfind(|conclusion| !["success", "neutral", "skipped"].contains(conclusion));
        let url = self.api(&format!("/check-suites/{id}"));
        let times = runs.iter().flat_map(|run| [Some(run.started_at), run.completed_at]).flatten();
        let branch = self.pulls_of(sha).into_iter().find_map(|number| self.pull(number).map(|(_, pull)| &pull.branch));
        let commit = self.commit_of(sha);
        let parent = commit.and_then(|commit| commit.parents.first());
        json!({
            "id": id, "node_id": node("CS", id), "head_branch": branch.map_or(super::DEFAULT_BRANCH, |branch| branch),
            "head_sha": sha, "status": if over { "completed" } else { "in_progress" },
            "conclusion": over.then(|| bad.unwrap_or("success")), "url": url, "before": parent, "after": sha,
            "pull_requests": self.named_pulls(sha), "app": self.app(),
            "created_at": written(times.clone().min().unwrap_or(0)), "updated_at": written(times.max().unwrap_or(0)),
        })
    }

    /// As [`State::shown_suite`], with what only the event of a suite tells.
    pub fn told_suite(&self, sha: &str) -> Value {
        let mut suite = self.shown_suite(sha);
        suite["latest_check_runs_count"] = json!(self.latest_runs(sha).len());
        suite["check_runs_url"] = json!(self.api(&format!("/check-suites/{}/check-runs", suite_of(sha))));
        suite["rerequestable"] = json!(true);
        suite["runs_rerequestable"] = json!(true);
        if let Some(commit) = self.commit_of(sha) {
            let person = json!({"name": commit.name, "email": commit.email});
            suite["head_commit"] = json!({
                "id": sha, "tree_id": tree_of(sha), "message": commit.message, "timestamp": written(commit.at),
                "author": person, "committer": person,
            });
        }
        suite
    }

    fn named_pulls(&self, sha: &str) -> Vec<Value> {
        let open = |number| self.pull(number).filter(|(issue, _)| issue.open);
        self.pulls_of(sha).into_iter().filter_map(open).map(|(issue, pull)| self.named_pull(issue, pull)).collect()
    }

    fn app(&self) -> Value {
        json!({
            "id": APP, "slug": "github-actions", "node_id": node("A", APP), "client_id": "Iv1.05c79e9ad1f6bdfa",
            "owner": self.shown_user(OWNER), "name": "GitHub Actions", "description": "Automate your workflow from idea to production",
            "external_url": "https://help.github.com/en/actions", "html_url": "https://github.com/apps/github-actions",
            "created_at": LONG_AGO, "updated_at": LONG_AGO,
            "permissions": {"actions": "write", "checks": "write", "contents": "write", "metadata": "read"}, "events": [],
        })
    }

    /// What all statuses of a commit say together. None at all is `pending`.
    pub fn combined_status(&mut self, asked: &Asked) -> Result<Done, Refusal> {
        let sha = self.commit_asked(asked)?.sha.clone();
        let mut latest: Vec<&Status> = Vec::new();
        for status in self.statuses.iter().filter(|status| status.sha == sha) {
            latest.retain(|before| before.context != status.context);
            latest.push(status);
        }
        let any = |states: &[&str]| latest.iter().any(|status| states.contains(&status.state.as_str()));
        let state = match () {
            () if any(&["failure", "error"]) => "failure",
            () if latest.is_empty() || any(&["pending"]) => "pending",
            () => "success",
        };
        let url = self.api(&format!("/commits/{sha}"));
        let (page, link) = self.cut(asked, &latest);
        let page: Vec<Value> = page.iter().map(|status| self.shown_status(status)).collect();
        let body = json!({
            "state": state, "statuses": page, "sha": sha, "total_count": latest.len(), "repository": self.repository(),
            "commit_url": url, "url": format!("{url}/status"),
        });
        Ok(Done { link, ..Done::ok(&body) })
    }

    fn shown_status(&self, status: &Status) -> Value {
        let Status { id, sha, context, state, at } = status;
        json!({
            "url": self.api(&format!("/statuses/{sha}")), "avatar_url": "https://avatars.githubusercontent.com/oa/1?v=4",
            "id": id, "node_id": node("SC", *id), "state": state, "description": null, "target_url": null,
            "context": context, "created_at": written(*at), "updated_at": written(*at),
        })
    }
}

/// Number of the suite of a commit.
pub fn suite_of(sha: &str) -> u64 {
    REPO_ID + u64::from_str_radix(&sha[..7], 16).unwrap_or(0)
}
