//! What the fake keeps.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use chrono::{DateTime, SecondsFormat};
use sha2::{Digest, Sha256};

use super::accounts::LONG_AGO;
use super::calls::Call;
use super::hooks::Mail;
use super::issue::{Issue, Pull};
use super::quota::Quota;
use super::{BOT_LOGIN, DEFAULT_BRANCH, OWNER};
use crate::fakes::clock::since_epoch;
use crate::fakes::faults::Dice;

/// Somebody with an account.
#[derive(Debug, Clone)]
pub struct User {
    pub id: u64,
    pub login: String,
    pub name: Option<String>,
    /// The address on their page; most people show none.
    pub public_email: Option<String>,
    /// Whether issues of the repository can be given to them.
    pub member: bool,
    pub kind: &'static str,
}

/// A label of the repository.
#[derive(Debug, Clone)]
pub struct Label {
    pub id: u64,
    pub name: String,
    pub color: String,
    pub description: Option<String>,
}

/// A commit.
#[derive(Debug, Clone)]
pub struct Commit {
    pub sha: String,
    /// The account that its address belongs to, if any does.
    pub login: Option<String>,
    pub name: String,
    pub email: String,
    /// Seconds since 1970.
    pub at: i64,
    pub message: String,
    pub parents: Vec<String>,
    /// What it touches.
    pub paths: Vec<String>,
    /// Whether it was made on the pages of GitHub.
    pub by_page: bool,
}

/// A file of the repository; there is only one version of each.
#[derive(Debug, Clone, Default)]
pub struct File {
    pub content: Vec<u8>,
    /// For each line the commit that changed it last.
    pub lines: Vec<String>,
}

/// A check of a commit.
#[derive(Debug, Clone)]
pub struct Run {
    pub id: u64,
    pub sha: String,
    pub name: String,
    /// `queued`, `in_progress` or `completed`.
    pub status: String,
    pub conclusion: Option<String>,
    pub started_at: i64,
    pub completed_at: Option<i64>,
}

/// What something outside says of a commit, the old way.
#[derive(Debug, Clone)]
pub struct Status {
    pub id: u64,
    pub sha: String,
    pub context: String,
    pub state: String,
    pub at: i64,
}

/// What stories turn on and off.
#[derive(Debug, Clone, Default)]
pub struct Switches {
    /// The token works no more.
    pub revoked: bool,
    /// The token may only read.
    pub read_only: bool,
    /// The token may not see the webhooks.
    pub hooks_hidden: bool,
    /// What GraphQL answers instead of answering.
    pub graphql: Option<u16>,
    /// Lists of trees are cut after so many entries.
    pub largest_tree: Option<usize>,
}

/// Everything the fake knows.
#[derive(Debug)]
pub struct State {
    /// Host and port of the server.
    pub address: String,
    /// Base address of the API, as who asks knows it.
    pub base: String,
    pub users: Vec<User>,
    /// Issues and pull requests: they share their numbers.
    pub issues: BTreeMap<u64, Issue>,
    pub deleted: BTreeSet<u64>,
    pub labels: Vec<Label>,
    /// In the order in which they were made.
    pub commits: Vec<Commit>,
    /// Their commits, oldest first.
    pub branches: BTreeMap<String, Vec<String>>,
    pub files: BTreeMap<String, File>,
    pub runs: Vec<Run>,
    pub statuses: Vec<Status>,
    pub calls: Vec<Call>,
    pub dice: Dice,
    pub quota: Quota,
    pub mail: Mail,
    pub switches: Switches,
    /// The fake ends.
    pub stopped: bool,
    /// How much later it is than it is.
    pub aged: Duration,
    minted: u64,
}

impl Default for State {
    fn default() -> Self {
        let mut state = Self {
            address: String::new(),
            base: String::new(),
            users: Vec::new(),
            issues: BTreeMap::new(),
            deleted: BTreeSet::new(),
            labels: Vec::new(),
            commits: Vec::new(),
            branches: BTreeMap::new(),
            files: BTreeMap::new(),
            runs: Vec::new(),
            statuses: Vec::new(),
            calls: Vec::new(),
            dice: Dice::default(),
            quota: Quota::default(),
            mail: Mail::default(),
            switches: Switches::default(),
            stopped: false,
            aged: Duration::ZERO,
            minted: 0,
        };
        state.add_user(OWNER, Some("Acme"), None, "Organization", false);
        state.add_user(BOT_LOGIN, None, None, "User", true);
        state.add_user("web-flow", Some("GitHub Web Flow"), None, "User", false);
        let first = state.commit(None, "Initial commit", &[]);
        state.commits[0].at = read_time(LONG_AGO).unwrap_or(0);
        state.branches.insert(DEFAULT_BRANCH.to_owned(), vec![first]);
        state
    }
}

impl State {
    /// The time, as long since 1970.
    pub fn clock(&self) -> Duration {
        since_epoch() + self.aged
    }

    /// The time in seconds since 1970: GitHub knows no finer.
    pub fn now(&self) -> i64 {
        i64::try_from(self.clock().as_secs()).unwrap_or(i64::MAX)
    }

    /// A new id.
    pub fn mint(&mut self) -> u64 {
        self.minted += 1;
        2_000_000_000 + self.minted
    }

    /// Something like the name of a commit, which no other has.
    pub fn mint_sha(&mut self, of: &str) -> String {
        let number = self.mint();
        sha(format!("{number} {of}").as_bytes())
    }

    pub fn add_user(
        &mut self,
        login: &str,
        name: Option<&str>,
        public_email: Option<&str>,
        kind: &'static str,
        member: bool,
    ) {
        let id = self.mint();
        let (login, name) = (login.to_owned(), name.map(str::to_owned));
        self.users.retain(|user| !user.login.eq_ignore_ascii_case(&login));
        self.users.push(User { id, login, name, public_email: public_email.map(str::to_owned), member, kind });
    }

    /// Somebody with an account; letter case does not matter.
    pub fn user(&self, login: &str) -> Option<&User> {
        self.users.iter().find(|user| user.login.eq_ignore_ascii_case(login))
    }

    /// Makes a commit of an account, now; `None`: of somebody without one.
    pub fn commit(&mut self, login: Option<&str>, message: &str, paths: &[&str]) -> String {
        let user = login.and_then(|login| self.user(login));
        let (name, email) = match (user, login) {
            (Some(user), _) => (
                user.name.clone().unwrap_or_else(|| user.login.clone()),
                user.public_email.clone().unwrap_or_else(|| format!("{}@acme.example", user.login)),
            ),
            (None, who) => {
                let who = who.unwrap_or("somebody");
                (who.to_owned(), format!("{who}@elsewhere.example"))
            }
        };
        let (login, at) = (user.map(|user| user.login.clone()), self.now());
        let (message, paths) = (message.to_owned(), paths.iter().map(|path| (*path).to_owned()).collect());
        self.keep_commit(Commit {
            sha: String::new(),
            login,
            name,
            email,
            at,
            message,
            parents: Vec::new(),
            paths,
            by_page: false,
        })
    }

    /// Keeps a commit under a new name.
    pub fn keep_commit(&mut self, commit: Commit) -> String {
        let sha = self.mint_sha(&commit.message);
        self.commits.push(Commit { sha: sha.clone(), ..commit });
        sha
    }

    /// A commit goes on top of a branch, which is made from another when there is none.
    pub fn extend_branch(&mut self, branch: &str, from: &str, sha: &str) {
        let trunk = self.branches.get(from).cloned().unwrap_or_default();
        let shas = self.branches.entry(branch.to_owned()).or_insert(trunk);
        if let (Some(parent), Some(commit)) = (shas.last(), self.commits.iter_mut().find(|commit| commit.sha == sha))
            && commit.parents.is_empty()
        {
            commit.parents.push(parent.clone());
        }
        shas.push(sha.to_owned());
    }

    /// The last commit of a branch.
    pub fn tip(&self, branch: &str) -> Option<&str> {
        self.branches.get(branch).and_then(|shas| shas.last()).map(String::as_str)
    }

    /// The commit of this name.
    pub fn commit_of(&self, sha: &str) -> Option<&Commit> {
        self.commits.iter().find(|commit| commit.sha == sha)
    }

    /// The commit that is meant by a branch, `HEAD`, a full name of a reference, or the name of a commit, shortened or not.
    pub fn resolve(&self, reference: &str) -> Option<&Commit> {
        let reference =
            ["refs/heads/", "heads/"].iter().find_map(|prefix| reference.strip_prefix(prefix)).unwrap_or(reference);
        let reference = if reference.is_empty() || reference == "HEAD" { DEFAULT_BRANCH } else { reference };
        if let Some(tip) = self.tip(reference) {
            return self.commit_of(tip);
        }
        let is_name = reference.len() >= 7 && reference.chars().all(|c| c.is_ascii_hexdigit());
        is_name.then(|| self.commits.iter().find(|commit| commit.sha.starts_with(reference))).flatten()
    }

    /// An issue or a pull request that is there.
    pub fn issue_mut(&mut self, number: u64) -> Option<&mut Issue> {
        self.issues.get_mut(&number)
    }

    /// A pull request, with what it has as an issue.
    pub fn pull(&self, number: u64) -> Option<(&Issue, &Pull)> {
        self.issues.get(&number).and_then(|issue| issue.pull.as_ref().map(|pull| (issue, pull)))
    }

    /// Changes a pull request.
    pub fn pull_mut(&mut self, number: u64) -> Option<&mut Pull> {
        self.issues.get_mut(&number).and_then(|issue| issue.pull.as_mut())
    }

    /// The pull requests that bring this commit last.
    pub fn pulls_of(&self, sha: &str) -> Vec<u64> {
        let pulls = self.issues.values().filter(|issue| issue.pull.as_ref().is_some_and(|pull| pull.head() == sha));
        pulls.map(|issue| issue.number).collect()
    }

    /// The next number of an issue or a pull request. Those of deleted ones stay taken.
    pub fn next_number(&self) -> u64 {
        let last = |numbers: Option<&u64>| numbers.copied().unwrap_or(0);
        last(self.issues.keys().next_back()).max(last(self.deleted.last())) + 1
    }

    /// Something about an issue changed.
    pub fn touch(&mut self, number: u64) {
        let now = self.now();
        if let Some(issue) = self.issues.get_mut(&number) {
            issue.updated_at = now;
        }
    }
}

/// Forty hex digits that stand for some bytes.
pub fn sha(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().take(20).map(|byte| format!("{byte:02x}")).collect()
}

/// A time as GitHub writes it.
pub fn written(seconds: i64) -> String {
    DateTime::from_timestamp(seconds, 0).unwrap_or_default().to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// A time that somebody wrote.
pub fn read_time(text: &str) -> Option<i64> {
    DateTime::parse_from_rfc3339(text).ok().map(|time| time.timestamp())
}
