//! Commits, as GitHub shows them.

use serde_json::{Value, json};

use super::accounts::{merge, node};
use super::calls::{Asked, Done};
use super::refusal::Refusal;
use super::state::{Commit, State, read_time, sha, written};
use super::{DEFAULT_BRANCH, REPO};

/// What GitHub signs with is no secret of ours.
const SIGNATURE: &str =
    "-----BEGIN PGP SIGNATURE-----\n\nwsFcBAABCAAQBQJm8KGyCRC1aQ7uu5UhlAAA\n-----END PGP SIGNATURE-----\n";

impl State {
    /// The commit that is asked for.
    pub fn commit_asked(&self, asked: &Asked) -> Result<&Commit, Refusal> {
        let reference = asked.place("ref");
        let none = || Refusal::new(422, &format!("No commit found for SHA: {reference}"));
        self.resolve(reference).ok_or_else(none)
    }

    /// A commit as GitHub shows it.
    pub fn shown_commit(&self, commit: &Commit) -> Value {
        let Commit { sha: name, login, message, .. } = commit;
        let date = written(commit.at);
        let author = json!({"name": commit.name, "email": commit.email, "date": date});
        let (committer, committer_login) = if commit.by_page {
            (json!({"name": "GitHub", "email": "noreply@github.com", "date": date}), Some("web-flow"))
        } else {
            (author.clone(), login.as_deref())
        };
        let verification = if commit.by_page {
            json!({
                "verified": true, "reason": "valid", "signature": SIGNATURE,
                "payload": format!("tree {}\n\n{message}", tree_of(name)), "verified_at": date,
            })
        } else {
            json!({"verified": false, "reason": "unsigned", "signature": null, "payload": null, "verified_at": null})
        };
        let user = |login: Option<&str>| login.map_or(Value::Null, |login| self.shown_user(login));
        let parents = commit.parents.iter().map(|parent| {
            json!({
                "sha": parent, "url": self.api(&format!("/commits/{parent}")),
                "html_url": format!("https://github.com/{REPO}/commit/{parent}"),
            })
        });
        let url = self.api(&format!("/commits/{name}"));
        json!({
            "sha": name, "node_id": node("C", u64::from_str_radix(&name[..10], 16).unwrap_or(0)),
            "commit": {
                "author": author, "committer": committer, "message": message,
                "tree": {"sha": tree_of(name), "url": self.api(&format!("/git/trees/{}", tree_of(name)))},
                "url": self.api(&format!("/git/commits/{name}")), "comment_count": 0, "verification": verification,
            },
            "url": url, "html_url": format!("https://github.com/{REPO}/commit/{name}"),
            "comments_url": format!("{url}/comments"), "author": user(login.as_deref()),
            "committer": user(committer_login), "parents": parents.collect::<Vec<_>>(),
        })
    }

    pub fn get_commit(&mut self, asked: &Asked) -> Result<Done, Refusal> {
        let commit = self.commit_asked(asked)?;
        let files = commit.paths.iter().map(|path| {
            json!({
                "sha": sha(path.as_bytes()), "filename": path, "status": "modified", "additions": 1, "deletions": 1,
                "changes": 2, "blob_url": format!("https://github.com/{REPO}/blob/{}/{path}", commit.sha),
                "raw_url": format!("https://github.com/{REPO}/raw/{}/{path}", commit.sha),
                "contents_url": self.api(&format!("/contents/{path}?ref={}", commit.sha)), "patch": "@@ -1 +1 @@\n-a\n+b",
            })
        });
        let files: Vec<Value> = files.collect();
        let changes = files.len();
        let more = json!({
            "stats": {"total": 2 * changes, "additions": changes, "deletions": changes}, "files": files,
        });
        let mut shown = self.shown_commit(commit);
        merge(&mut shown, &more);
        Ok(Done::ok(&shown))
    }

    /// The commits of a branch, newest first.
    pub fn list_commits(&mut self, asked: &Asked) -> Result<Done, Refusal> {
        let path = asked.parameter("path").trim_matches('/');
        let of = match asked.parameter("sha") {
            "" => DEFAULT_BRANCH,
            reference => reference,
        };
        let last = self.resolve(of).ok_or_else(Refusal::not_found)?.sha.clone();
        let touches = |touched: &String| path.is_empty() || touched == path || touched.starts_with(&format!("{path}/"));
        let time = |name| read_time(asked.parameter(name));
        let (since, until, author) = (time("since"), time("until"), asked.parameter("author"));
        let mut found: Vec<&Commit> = self
            .history(&last)
            .into_iter()
            .filter(|commit| path.is_empty() || commit.paths.iter().any(touches))
            .filter(|commit| {
                since.is_none_or(|since| commit.at >= since) && until.is_none_or(|until| commit.at <= until)
            })
            .filter(|commit| {
                let login = commit.login.as_deref().unwrap_or("");
                author.is_empty() || login.eq_ignore_ascii_case(author) || commit.email.eq_ignore_ascii_case(author)
            })
            .collect();
        // Those of the same time stay in their order.
        found.sort_by_key(|commit| std::cmp::Reverse(commit.at));
        Ok(self.page(asked, &found, |commit| self.shown_commit(commit)))
    }

    /// A commit and those before it, newest first.
    pub fn history(&self, last: &str) -> Vec<&Commit> {
        let mut found: Vec<&Commit> = Vec::new();
        let mut next = vec![last];
        while let Some(sha) = next.pop() {
            if found.iter().any(|commit| commit.sha == sha) {
                continue;
            }
            if let Some(commit) = self.commit_of(sha) {
                found.push(commit);
                next.extend(commit.parents.iter().map(String::as_str));
            }
        }
        let place = |commit: &&Commit| self.commits.iter().position(|known| known.sha == commit.sha);
        found.sort_by_key(|commit| std::cmp::Reverse(place(commit)));
        found
    }
}

/// The tree of a commit.
pub fn tree_of(commit: &str) -> String {
    sha(format!("tree of {commit}").as_bytes())
}
