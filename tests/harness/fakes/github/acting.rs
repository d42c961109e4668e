//! What people do to issues, accounts and files.

use std::ops::RangeInclusive;

use super::issue::Issue;
use super::state::{Commit, File, State, read_time};
use super::{DEFAULT_BRANCH, FakeGitHub};

impl State {
    /// Whoever does something has an account.
    pub fn ensure_user(&mut self, login: &str) {
        if self.user(login).is_none() {
            self.add_user(login, None, None, "User", false);
        }
    }
}

impl FakeGitHub {
    /// Somebody whom issues can be given to. What is said of somebody who is there already is said anew.
    pub fn add_user(&self, login: &str, name: &str, public_email: Option<&str>) {
        self.change(|state| state.add_user(login, Some(name), public_email, "User", true));
    }

    /// Somebody with an account who has nothing to do with the repository.
    pub fn add_stranger(&self, login: &str, name: &str) {
        self.change(|state| state.add_user(login, Some(name), None, "User", false));
    }

    /// The account of a program: `renovate[bot]`.
    pub fn add_bot(&self, login: &str) {
        self.change(|state| state.add_user(login, None, None, "Bot", false));
    }

    /// A file, with who changed which lines last, by a commit of now; the others are as old as the repository. Who has no
    /// account commits with an address that GitHub does not know.
    pub fn add_file(&self, path: &str, content: &str, blame: &[(RangeInclusive<usize>, &str)]) {
        self.change(|state| {
            let first = state.branches[DEFAULT_BRANCH][0].clone();
            if let Some(commit) = state.commits.iter_mut().find(|commit| commit.sha == first)
                && !commit.paths.iter().any(|known| known == path)
            {
                commit.paths.push(path.to_owned());
            }
            let lines = vec![first; content.lines().count()];
            state.files.insert(path.to_owned(), File { content: content.as_bytes().to_vec(), lines });
            let mut made: Vec<(&str, String)> = Vec::new();
            for (lines, login) in blame {
                let known = made.iter().find(|(who, _)| who == login).map(|(_, sha)| sha.clone());
                let sha = known.unwrap_or_else(|| {
                    let sha = state.commit(Some(login), &format!("Change {path}"), &[path]);
                    state.extend_branch(DEFAULT_BRANCH, DEFAULT_BRANCH, &sha);
                    made.push((login, sha.clone()));
                    sha
                });
                blame_on(state, path, lines, &sha);
            }
        });
    }

    /// A commit to a file on the default branch. Without a login, no account has this address. The lines of the file stay
    /// as they are: see [`FakeGitHub::blames`]. Returns its name.
    #[must_use]
    pub fn add_commit(&self, path: &str, login: &str, email: &str, date: &str) -> String {
        self.change(|state| {
            let user = state.user(login);
            let name = user.and_then(|user| user.name.clone());
            let commit = Commit {
                sha: String::new(),
                login: user.map(|user| user.login.clone()),
                name: name.unwrap_or_else(|| email.split('@').next().unwrap_or(email).to_owned()),
                email: email.to_owned(),
                at: read_time(date).unwrap_or_else(|| state.now()),
                message: format!("Change {path}"),
                parents: Vec::new(),
                paths: vec![path.to_owned()],
                by_page: false,
            };
            let sha = state.keep_commit(commit);
            state.extend_branch(DEFAULT_BRANCH, DEFAULT_BRANCH, &sha);
            sha
        })
    }

    /// These lines of a file were last changed by this commit.
    pub fn blames(&self, path: &str, lines: RangeInclusive<usize>, sha: &str) {
        self.change(|state| blame_on(state, path, &lines, sha));
    }

    /// A file is no more.
    pub fn removes_file(&self, path: &str) {
        self.change(|state| state.files.remove(path));
    }

    /// Somebody opens an issue. Returns its number.
    #[must_use]
    pub fn opens_issue(&self, login: &str, title: &str, body: &str) -> u64 {
        self.act(login, |state| state.open_issue(login, title, Some(body.to_owned()), None))
    }

    /// Somebody writes below an issue or a pull request. Returns the id.
    pub fn comments_on(&self, number: u64, login: &str, text: &str) -> u64 {
        self.act(login, |state| state.write(number, login, text))
    }

    /// Somebody changes what was written.
    pub fn edits_comment(&self, number: u64, login: &str, id: u64, text: &str) {
        self.act(login, |state| state.rewrite(number, login, id, text));
    }

    /// Somebody changes title or text of an issue or a pull request.
    pub fn edits(&self, number: u64, login: &str, title: &str, body: &str) {
        self.act(login, |state| state.edit_issue(number, login, Some(title.to_owned()), Some(body.to_owned())));
    }

    /// Somebody closes an issue as completed.
    pub fn closes_issue(&self, number: u64, login: &str) {
        self.act(login, |state| state.close(number, login, "completed"));
    }

    /// Somebody closes an issue that nobody will work on.
    pub fn gives_up(&self, number: u64, login: &str) {
        self.act(login, |state| state.close(number, login, "not_planned"));
    }

    /// Somebody opens an issue again.
    pub fn reopens_issue(&self, number: u64, login: &str) {
        self.act(login, |state| state.reopen(number, login));
    }

    /// Somebody gives an issue to somebody, besides those who have it.
    pub fn assigns(&self, number: u64, login: &str, assignee: &str) {
        self.act(login, |state| state.assign(number, login, assignee));
    }

    /// Somebody takes an issue from somebody.
    pub fn unassigns(&self, number: u64, login: &str, assignee: &str) {
        self.act(login, |state| state.unassign(number, login, assignee));
    }

    /// Somebody puts a label on an issue.
    pub fn labels(&self, number: u64, login: &str, label: &str) {
        self.act(login, |state| {
            if let Ok(labels) = state.use_labels(&[label.to_owned()]) {
                labels.iter().for_each(|label| state.label(number, login, label));
            }
        });
    }

    /// Somebody takes a label from an issue.
    pub fn unlabels(&self, number: u64, login: &str, label: &str) {
        self.act(login, |state| state.unlabel(number, login, label));
    }

    /// An issue is deleted for good.
    pub fn deletes_issue(&self, number: u64) {
        self.change(|state| state.delete(number, super::OWNER));
    }

    /// All issues, those of pull requests left out.
    #[must_use]
    pub fn issues(&self) -> Vec<Issue> {
        self.state().issues.values().filter(|issue| issue.pull.is_none()).cloned().collect()
    }

    /// An issue or a pull request.
    #[must_use]
    pub fn issue(&self, number: u64) -> Option<Issue> {
        self.state().issues.get(&number).cloned()
    }

    pub(super) fn act<T>(&self, login: &str, act: impl FnOnce(&mut State) -> T) -> T {
        self.change(|state| {
            state.ensure_user(login);
            act(state)
        })
    }
}

fn blame_on(state: &mut State, path: &str, lines: &RangeInclusive<usize>, sha: &str) {
    let Some(file) = state.files.get_mut(path) else { return };
    for (at, line) in file.lines.iter_mut().enumerate() {
        if lines.contains(&(at + 1)) {
            sha.clone_into(line);
        }
    }
}
