//! Pull requests, as GitHub shows them.

use serde_json::{Value, json};

use super::accounts::{merge, node};
use super::calls::{Asked, Done};
use super::issue::{Issue, Pull, Review};
use super::issues::{page_of, state_of};
use super::refusal::Refusal;
use super::state::{State, written};
use super::{OWNER, REPO};

impl State {
    /// A pull request that is there.
    fn pull_asked(&self, asked: &Asked) -> Result<(&Issue, &Pull), Refusal> {
        let number = asked.number("n")?;
        self.issue(number)?;
        self.pull(number).ok_or_else(Refusal::not_found)
    }

    /// A pull request as it is listed: without what only its own page tells, whether it is merged among it.
    pub fn listed_pull(&self, issue: &Issue, pull: &Pull) -> Value {
        let Issue { number, author, title, body, .. } = issue;
        let (url, page) = (self.api(&format!("/pulls/{number}")), page_of(issue));
        let of_issue = self.api(&format!("/issues/{number}"));
        let statuses = self.api(&format!("/statuses/{}", pull.head()));
        let end = |name: &str, sha: &str| {
            json!({
                "label": format!("{OWNER}:{name}"), "ref": name, "sha": sha, "user": self.shown_user(OWNER),
                "repo": self.repository(),
            })
        };
        let link = |href: &str| json!({"href": href});
        let comment = format!("{}{{/number}}", self.api("/pulls/comments"));
        let assignees: Vec<Value> = issue.assignees.iter().map(|login| self.shown_user(login)).collect();
        let labels: Vec<Value> = issue.labels.iter().map(|name| self.shown_label(name)).collect();
        json!({
            "url": url, "id": pull.id, "node_id": node("PR", pull.id), "html_url": page,
            "diff_url": format!("{page}.diff"), "patch_url": format!("{page}.patch"), "issue_url": of_issue,
            "number": number, "state": state_of(issue), "locked": false, "title": title,
            "user": self.shown_user(author), "body": body, "created_at": written(issue.created_at),
            "updated_at": written(issue.updated_at), "closed_at": issue.closed_at.map(written),
            "merged_at": pull.merged_at.map(written), "merge_commit_sha": pull.merge_commit,
            "assignee": assignees.first(), "assignees": assignees, "requested_reviewers": [], "requested_teams": [],
            "labels": labels, "milestone": null, "draft": pull.draft,
            "commits_url": format!("{url}/commits"), "review_comments_url": format!("{url}/comments"),
            "review_comment_url": comment, "comments_url": format!("{of_issue}/comments"), "statuses_url": statuses,
            "head": end(&pull.branch, pull.head()), "base": end(&pull.base, &pull.base_sha),
            "_links": {
                "self": link(&url), "html": link(&page), "issue": link(&of_issue),
                "comments": link(&format!("{of_issue}/comments")),
                "review_comments": link(&format!("{url}/comments")), "review_comment": link(&comment),
                "commits": link(&format!("{url}/commits")), "statuses": link(&statuses),
            },
            "author_association": self.association(author), "auto_merge": null, "active_lock_reason": null,
        })
    }

    /// A pull request with all that its own page tells.
    pub fn shown_pull(&self, issue: &Issue, pull: &Pull) -> Value {
        let mut shown = self.listed_pull(issue, pull);
        let mergeable = issue.open.then_some(true);
        let more = json!({
            "merged": pull.merged_at.is_some(), "mergeable": mergeable, "rebaseable": mergeable,
            "mergeable_state": if issue.open { "clean" } else { "unknown" },
            "merged_by": pull.merged_by.as_ref().map(|login| self.shown_user(login)),
            "comments": issue.comments.len(), "review_comments": 0, "maintainer_can_modify": false,
            "commits": pull.commits.len(), "additions": 1, "deletions": 1, "changed_files": 1,
        });
        merge(&mut shown, &more);
        shown
    }

    pub fn get_pull(&mut self, asked: &Asked) -> Result<Done, Refusal> {
        let (issue, pull) = self.pull_asked(asked)?;
        Ok(Done::ok(&self.shown_pull(issue, pull)))
    }

    pub fn list_pulls(&mut self, asked: &Asked) -> Result<Done, Refusal> {
        let state = asked.one_of("PullRequest", "state", &["open", "closed", "all"])?;
        let sort = asked.one_of("PullRequest", "sort", &["created", "updated", "popularity", "long-running"])?;
        // Other orders than that of creation begin with the least.
        let directions = if sort == "created" { ["desc", "asc"] } else { ["asc", "desc"] };
        let direction = asked.one_of("PullRequest", "direction", &directions)?;
        let (head, base) = (asked.parameter("head"), asked.parameter("base"));
        let pulls = self.issues.values().filter_map(|issue| issue.pull.as_ref().map(|pull| (issue, pull)));
        let mut found: Vec<_> = pulls
            .filter(|(issue, _)| state == "all" || state == state_of(issue))
            // What names no owner is passed over.
            .filter(|(_, pull)| !head.contains(':') || head == format!("{OWNER}:{}", pull.branch))
            .filter(|(_, pull)| base.is_empty() || base == pull.base)
            .collect();
        found.sort_by_key(|(issue, _)| match sort {
            "updated" => (issue.updated_at, issue.number),
            "popularity" => (i64::try_from(issue.comments.len()).unwrap_or(0), issue.number),
            _ => (issue.created_at, issue.number),
        });
        if direction == "desc" {
            found.reverse();
        }
        Ok(self.page(asked, &found, |(issue, pull)| self.listed_pull(issue, pull)))
    }

    pub fn list_commits_of_pull(&mut self, asked: &Asked) -> Result<Done, Refusal> {
        let (_, pull) = self.pull_asked(asked)?;
        let commits: Vec<_> = pull.commits.iter().filter_map(|sha| self.commit_of(sha)).collect();
        Ok(self.page(asked, &commits, |commit| self.shown_commit(commit)))
    }

    pub fn list_reviews(&mut self, asked: &Asked) -> Result<Done, Refusal> {
        let (issue, pull) = self.pull_asked(asked)?;
        Ok(self.page(asked, &pull.reviews, |review| self.shown_review(issue, review)))
    }

    pub fn list_pulls_of_commit(&mut self, asked: &Asked) -> Result<Done, Refusal> {
        let commit = self.commit_asked(asked)?;
        let brings = |pull: &Pull| pull.commits.contains(&commit.sha) || pull.merge_commit == commit.sha;
        let pulls = self.issues.values().filter_map(|issue| issue.pull.as_ref().map(|pull| (issue, pull)));
        let found: Vec<_> = pulls.filter(|(_, pull)| brings(pull)).collect();
        Ok(self.page(asked, &found, |(issue, pull)| self.listed_pull(issue, pull)))
    }

    /// A review as the API shows it; a webhook writes its state small.
    pub fn shown_review(&self, issue: &Issue, review: &Review) -> Value {
        let Review { id, author, state, commit, at } = review;
        let page = format!("{}#pullrequestreview-{id}", page_of(issue));
        let url = self.api(&format!("/pulls/{}", issue.number));
        json!({
            "id": id, "node_id": node("PRR", *id), "user": self.shown_user(author), "body": "", "state": state,
            "html_url": page, "pull_request_url": url, "author_association": self.association(author),
            "_links": {"html": {"href": page}, "pull_request": {"href": url}}, "submitted_at": written(*at),
            "commit_id": commit,
        })
    }

    /// A pull request in a few words, as checks name it.
    pub fn named_pull(&self, issue: &Issue, pull: &Pull) -> Value {
        let repo = json!({
            "id": super::accounts::REPO_ID, "url": self.api(""), "name": REPO.split('/').nth(1),
        });
        json!({
            "url": self.api(&format!("/pulls/{}", issue.number)), "id": pull.id, "number": issue.number,
            "head": {"ref": pull.branch, "sha": pull.head(), "repo": repo},
            "base": {"ref": pull.base, "sha": pull.base_sha, "repo": repo},
        })
    }
}
