//! What people do to pull requests.

use serde_json::Value;

use super::events::Event;
use super::issue::{Pull, Review};
use super::keywords::closed_by;
use super::state::{Run, State, Status};
use super::{DEFAULT_BRANCH, FakeGitHub, OWNER, REPO};

impl State {
    fn open_pull(&mut self, login: &str, title: &str, body: &str, pull: Pull, messages: &[&str]) -> u64 {
        let base_sha = self.tip(&pull.base).or_else(|| self.tip(DEFAULT_BRANCH)).unwrap_or("").to_owned();
        let messages = if messages.is_empty() { &[title] } else { messages };
        let mut commits = Vec::new();
        for message in messages {
            let sha = self.commit(Some(login), message, &[]);
            self.extend_branch(&pull.branch, &pull.base, &sha);
            commits.push(sha);
        }
        let (id, merge_commit) = (self.mint(), self.mint_sha("test merge"));
        let pull = Pull { base_sha, commits, merge_commit, id, ..pull };
        let branch = pull.branch.clone();
        let number = self.open_issue(login, title, Some(body.to_owned()), Some(pull));
        self.emit(&Event::Push(branch), login, Value::Null);
        self.emit(&Event::Pull("opened", number), login, Value::Null);
        number
    }

    fn push(&mut self, number: u64, message: &str) -> Option<String> {
        let (issue, pull) = self.pull(number)?;
        let (login, branch, base) = (issue.author.clone(), pull.branch.clone(), pull.base.clone());
        let sha = self.commit(Some(&login), message, &[]);
        self.extend_branch(&branch, &base, &sha);
        self.pull_mut(number)?.commits.push(sha.clone());
        self.touch(number);
        self.emit(&Event::Push(branch), &login, Value::Null);
        self.emit(&Event::Pull("synchronize", number), &login, Value::Null);
        Some(sha)
    }

    fn merge(&mut self, number: u64, login: &str) -> Option<String> {
        let (issue, pull) = self.pull(number).filter(|(issue, _)| issue.open)?;
        let (pull, title, body) = (pull.clone(), issue.title.clone(), issue.body.clone().unwrap_or_default());
        let message = format!("Merge pull request #{number} from {OWNER}/{}\n\n{title}", pull.branch);
        let made = self.commit(Some(login), &message, &[]);
        let parents = [self.tip(&pull.base), Some(pull.head())].into_iter().flatten().map(str::to_owned).collect();
        if let Some(commit) = self.commits.iter_mut().find(|commit| commit.sha == made) {
            (commit.parents, commit.by_page) = (parents, true);
        }
        self.extend_branch(&pull.base, DEFAULT_BRANCH, &made);
        let now = self.now();
        let merged = self.pull_mut(number)?;
        (merged.merged_at, merged.merged_by) = (Some(now), Some(login.to_owned()));
        merged.merge_commit.clone_from(&made);
        self.close(number, login, "");
        self.emit(&Event::Push(pull.base.clone()), login, Value::Null);
        // Nothing else than what comes into the default branch closes anything.
        if pull.base == DEFAULT_BRANCH {
            let messages =
                pull.commits.iter().filter_map(|sha| self.commit_of(sha)).map(|commit| commit.message.clone());
            let texts: Vec<String> = [body, message].into_iter().chain(messages).collect();
            for issue in texts.iter().flat_map(|text| closed_by(text)) {
                if issue != number && self.pull(issue).is_none() {
                    self.close(issue, login, "completed");
                }
            }
        }
        Some(made)
    }

    fn check(&mut self, number: u64, name: &str, conclusion: &str) -> Option<()> {
        let sha = self.pull(number)?.1.head().to_owned();
        let (now, id) = (self.now(), self.mint());
        let over = !["queued", "in_progress", "pending"].contains(&conclusion);
        let running = |run: &Run| run.sha == sha && run.name == name && run.status != "completed";
        let (status, conclusion) = if over { ("completed", Some(conclusion.to_owned())) } else { (conclusion, None) };
        let place = self.runs.iter().position(running);
        let mut run = match place {
            Some(place) => self.runs.remove(place),
            None => Run {
                id,
                sha: sha.clone(),
                name: name.to_owned(),
                status: String::new(),
                conclusion: None,
                started_at: now,
                completed_at: None,
            },
        };
        (run.status, run.conclusion, run.completed_at) = (status.to_owned(), conclusion, over.then_some(now));
        // The last is the one that is told of.
        self.runs.push(run);
        let action = if over { "completed" } else { "created" };
        self.emit(&Event::CheckRun(action, number), OWNER, Value::Null);
        if self.shown_suite(&sha)["status"] == "completed" {
            self.emit(&Event::CheckSuite("completed", number), OWNER, Value::Null);
        }
        Some(())
    }

    fn review(&mut self, number: u64, login: &str, state: &str) {
        let (id, at) = (self.mint(), self.now());
        let Some(pull) = self.pull_mut(number) else { return };
        let (commit, state) = (pull.head().to_owned(), state.to_uppercase());
        let action = if state == "DISMISSED" { "dismissed" } else { "submitted" };
        // What is dismissed stays where it was.
        let mine = pull.reviews.iter().rposition(|review| review.author == login && review.state != "COMMENTED");
        match mine.filter(|_| action == "dismissed") {
            Some(place) => {
                let review = Review { state, ..pull.reviews.remove(place) };
                pull.reviews.push(review);
            }
            None => pull.reviews.push(Review { id, author: login.to_owned(), state, commit, at }),
        }
        self.touch(number);
        self.emit(&Event::Review(action, number), login, Value::Null);
    }
}

impl FakeGitHub {
    /// Somebody opens a pull request into the default branch, with commits of these messages. Returns its number.
    #[must_use]
    pub fn opens_pull(&self, login: &str, title: &str, body: &str, branch: &str, commits: &[&str]) -> u64 {
        let pull = Pull { branch: branch.to_owned(), base: DEFAULT_BRANCH.to_owned(), ..Pull::default() };
        self.act(login, |state| state.open_pull(login, title, body, pull, commits))
    }

    /// As [`FakeGitHub::opens_pull`], into another branch.
    #[must_use]
    pub fn opens_pull_into(&self, base: &str, login: &str, title: &str, body: &str, branch: &str) -> u64 {
        let pull = Pull { branch: branch.to_owned(), base: base.to_owned(), ..Pull::default() };
        self.act(login, |state| {
            if !state.branches.contains_key(base) {
                let trunk = state.branches[DEFAULT_BRANCH].clone();
                state.branches.insert(base.to_owned(), trunk);
            }
            state.open_pull(login, title, body, pull, &[])
        })
    }

    /// As [`FakeGitHub::opens_pull`], not ready to be looked at.
    #[must_use]
    pub fn opens_draft(&self, login: &str, title: &str, body: &str, branch: &str) -> u64 {
        let (branch, base) = (branch.to_owned(), DEFAULT_BRANCH.to_owned());
        let pull = Pull { branch, base, draft: true, ..Pull::default() };
        self.act(login, |state| state.open_pull(login, title, body, pull, &[]))
    }

    /// A draft is ready to be looked at.
    pub fn readies(&self, number: u64) {
        self.by_author(number, |state, login| {
            if let Some(pull) = state.pull_mut(number) {
                pull.draft = false;
            }
            state.touch(number);
            state.emit(&Event::Pull("ready_for_review", number), login, Value::Null);
        });
    }

    /// The author of a pull request pushes a commit to it. Returns its name; empty when there is no such pull request.
    pub fn pushes(&self, number: u64, message: &str) -> String {
        self.change(|state| state.push(number, message)).unwrap_or_default()
    }

    /// A check of the last commit says `queued`, `in_progress`, or how it ended: `success`, `failure`, …
    pub fn check(&self, number: u64, name: &str, conclusion: &str) {
        self.change(|state| state.check(number, name, conclusion));
    }

    /// What checks the old way says of the last commit: `pending`, `success`, `failure` or `error`.
    pub fn status(&self, number: u64, context: &str, said: &str) {
        self.change(|state| {
            let (id, at) = (state.mint(), state.now());
            let Some(sha) = state.pull(number).map(|(_, pull)| pull.head().to_owned()) else { return };
            state.statuses.push(Status { id, sha, context: context.to_owned(), state: said.to_owned(), at });
            state.emit(&Event::Status(number), OWNER, Value::Null);
        });
    }

    /// Somebody reviews: `approved`, `changes_requested`, `commented`; or `dismissed`, which takes back what they said.
    pub fn reviews(&self, number: u64, login: &str, state: &str) {
        self.act(login, |kept| kept.review(number, login, state));
    }

    /// Somebody merges a pull request, which closes the issues that it names with a keyword. Returns the name of the commit
    /// that merges; empty when the pull request is not open.
    pub fn merges(&self, number: u64, login: &str) -> String {
        self.act(login, |state| state.merge(number, login)).unwrap_or_default()
    }

    /// The author closes a pull request without merging it.
    pub fn closes(&self, number: u64) {
        self.by_author(number, |state, login| state.close(number, login, ""));
    }

    /// The author opens a pull request again.
    pub fn reopens(&self, number: u64) {
        self.by_author(number, |state, login| state.reopen(number, login));
    }

    /// Somebody presses "Revert" on a merged pull request. Returns the number of the pull request that reverts it, which is
    /// open; 0 when the other was not merged.
    pub fn reverts(&self, number: u64, login: &str) -> u64 {
        self.act(login, |state| {
            let Some((issue, pull)) = state.pull(number).filter(|(_, pull)| pull.merged_at.is_some()) else { return 0 };
            let title = format!("Revert \"{}\"", issue.title);
            let message = format!(
                "{title}\n\nThis reverts commit {}, reversing\nchanges made to {}.",
                pull.merge_commit, pull.base_sha
            );
            let branch = format!("revert-{number}-{}", pull.branch);
            let opened = Pull { branch, base: pull.base.clone(), ..Pull::default() };
            let body = format!("Reverts {REPO}#{number}");
            state.open_pull(login, &title, &body, opened, &[&message])
        })
    }

    /// Somebody commits to the default branch, without a pull request. Returns the name of the commit.
    pub fn commits_to_default(&self, login: &str, message: &str, path: &str) -> String {
        self.act(login, |state| {
            let sha = state.commit(Some(login), message, &[path]);
            state.extend_branch(DEFAULT_BRANCH, DEFAULT_BRANCH, &sha);
            state.emit(&Event::Push(DEFAULT_BRANCH.to_owned()), login, Value::Null);
            for issue in closed_by(message) {
                state.close(issue, login, "completed");
            }
            sha
        })
    }

    /// The commits of a pull request, oldest first.
    #[must_use]
    pub fn commits(&self, number: u64) -> Vec<String> {
        self.state().pull(number).map(|(_, pull)| pull.commits.clone()).unwrap_or_default()
    }

    fn by_author(&self, number: u64, act: impl FnOnce(&mut State, &str)) {
        self.change(|state| {
            let author = state.issues.get(&number).map(|issue| issue.author.clone());
            if let Some(author) = author {
                act(state, &author);
            }
        });
    }
}
