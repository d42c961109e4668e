//! The host of the code: what becomes of a pull request. Who knows a line is asked in `owner`.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use serde::Deserialize;

use super::paths::Tree;
use super::{Checks, Pull, Review};
use crate::Error;
use crate::github::delivery::is_sha;
use crate::github::limits::Refusal;
use crate::github::settings::is_repo;
use crate::github::wire::{PullRequest, User};
use crate::github::{Client, Read, Settings};

/// Entries of a page.
const PAGE: usize = 100;
/// Pages of reviews that are read: the last ones count.
const PAGES: usize = 5;
/// Pull requests of a page of those that changed, and pages that are read after a long downtime.
const CHANGED: usize = 50;
const CHANGED_PAGES: usize = 20;

/// A host of code.
#[derive(Debug)]
pub struct CodeHost {
    client: Option<Arc<Client>>,
    /// `owner/name` of the repository with the code.
    pub(super) repo: Option<String>,
    pub(super) rules: Vec<(String, String)>,
    pub(super) default_owner: Option<String>,
    pub(super) tree: Mutex<Option<Arc<Tree>>>,
}

#[derive(Deserialize)]
struct CommitOfPull {
    commit: Message,
}

#[derive(Deserialize)]
struct Message {
    #[serde(default)]
    message: String,
}

#[derive(Deserialize)]
struct Runs {
    #[serde(default)]
    check_runs: Vec<Run>,
}

#[derive(Deserialize)]
struct Run {
    #[serde(default)]
    name: String,
    #[serde(default)]
    status: String,
    #[serde(default)]
    conclusion: Option<String>,
}

#[derive(Deserialize)]
struct Combined {
    #[serde(default)]
    statuses: Vec<Status>,
}

#[derive(Deserialize)]
struct Status {
    #[serde(default)]
    context: String,
    #[serde(default)]
    state: String,
}

#[derive(Deserialize)]
struct Reviewed {
    #[serde(default)]
    user: Option<User>,
    #[serde(default)]
    state: String,
}

impl CodeHost {
    /// Makes it. Without a client it knows what it is told, and can ask nothing.
    #[must_use]
    pub fn new(settings: &Settings, client: Option<Arc<Client>>) -> Self {
        Self {
            client,
            repo: settings.repo.clone(),
            rules: settings.paths.clone(),
            default_owner: settings.default_owner.clone(),
            tree: Mutex::default(),
        }
    }

    /// Whether it can be asked anything. Deliveries tell enough to follow pull requests without.
    #[must_use]
    pub fn can_ask(&self) -> bool {
        self.client.is_some()
    }

    pub(super) fn client(&self) -> Result<&Client, Error> {
        self.client.as_deref().ok_or_else(|| Error::Permanent("GitHub cannot be asked: set GITHUB_TOKEN".into()))
    }

    /// The repository with the code.
    pub(super) fn repo(&self) -> Result<&str, Error> {
        self.repo
            .as_deref()
            .ok_or_else(|| Error::Permanent("GITHUB_REPO: set it to the repository with the code".into()))
    }

    /// A pull request with its commits, checks and reviews. What the token may not see of them is left out.
    ///
    /// # Errors
    /// When the host does not say; [`Error::Gone`] when there is no such pull request.
    pub async fn pull(&self, repo: &str, number: u64) -> Result<Pull, Error> {
        let (client, repo) = (self.client()?, checked(repo)?);
        let path = format!("/repos/{repo}/pulls/{number}");
        let read: Read<PullRequest> = client.get(&path).await.map_err(|refusal| missing(refusal, repo, number))?;
        let mut pull = read.body.told(repo);
        let commits: Vec<CommitOfPull> = seen(client.get(&format!("{path}/commits?per_page={PAGE}")).await)?;
        pull.commits = commits.into_iter().map(|commit| commit.commit.message).collect();
        pull.checks = match self.checks(repo, &pull.head).await {
            Err(Error::Auth(_) | Error::Gone(_) | Error::Permanent(_)) => Checks::None,
            checks => checks?,
        };
        let mut reviews: Vec<Reviewed> = Vec::new();
        for page in 1..=PAGES {
            let some: Vec<Reviewed> = seen(client.get(&format!("{path}/reviews?per_page={PAGE}&page={page}")).await)?;
            let is_last = some.len() < PAGE;
            reviews.extend(some);
            if is_last {
                break;
            }
        }
        pull.review = review(&reviews);
        Ok(pull)
    }

    /// The pull requests of the repository that changed last: at least those since `since`, a time as they have it. Their commits,
    /// checks and reviews are not told. It costs nothing when nothing changed.
    ///
    /// # Errors
    /// When the host does not say.
    pub async fn changed(&self, since: Option<&str>) -> Result<Vec<Pull>, Error> {
        let (client, repo) = (self.client()?, self.repo()?);
        let mut pulls: Vec<Pull> = Vec::new();
        for page in 1..=CHANGED_PAGES {
            let path =
                format!("/repos/{repo}/pulls?state=all&sort=updated&direction=desc&per_page={CHANGED}&page={page}");
            let read: Read<Vec<PullRequest>> = client.get(&path).await.map_err(|refusal| no_repo(refusal, repo))?;
            let is_last = read.body.len() < CHANGED;
            pulls.extend(read.body.into_iter().map(|pull| pull.told(repo)));
            let oldest = pulls.last().map_or("", |pull| pull.updated_at.as_str());
            if is_last || since.is_none_or(|since| oldest < since) {
                break;
            }
        }
        Ok(pulls)
    }

    /// What the checks of a commit say: those of apps, and those that are told the old way.
    ///
    /// # Errors
    /// When the host does not say.
    pub async fn checks(&self, repo: &str, sha: &str) -> Result<Checks, Error> {
        let (client, repo) = (self.client()?, checked(repo)?);
        if !is_sha(sha) {
            return Err(Error::Permanent(format!("{sha:?} is no commit")));
        }
        let path = format!("/repos/{repo}/commits/{sha}");
        let runs = client.get::<Runs>(&format!("{path}/check-runs?per_page={PAGE}")).await;
        let statuses = client.get::<Combined>(&format!("{path}/status?per_page={PAGE}")).await;
        // Tokens that may see only one of the two are common.
        match (runs, statuses) {
            (Err(refusal), Err(_)) => Err(refusal.into()),
            (runs, statuses) => {
                let runs = only_hidden(runs)?.map_or_else(Vec::new, |runs| runs.check_runs);
                let statuses = only_hidden(statuses)?.map_or_else(Vec::new, |combined| combined.statuses);
                Ok(verdict(&runs, &statuses))
            }
        }
    }
}

/// What there is of a pull request, or nothing when the token may not see it.
fn seen<T>(read: Result<Read<Vec<T>>, Refusal>) -> Result<Vec<T>, Error> {
    Ok(only_hidden(read)?.unwrap_or_default())
}

/// Nothing when the token may not see it.
fn only_hidden<T>(read: Result<Read<T>, Refusal>) -> Result<Option<T>, Error> {
    match read {
        Ok(read) => Ok(Some(read.body)),
        Err(refusal) if matches!(refusal.error, Error::Auth(_)) && refusal.status == 403 => Ok(None),
        Err(refusal) => Err(refusal.into()),
    }
}

fn checked(repo: &str) -> Result<&str, Error> {
    if is_repo(repo) { Ok(repo) } else { Err(Error::Permanent(format!("{repo:?} is no repository of GitHub"))) }
}

fn missing(refusal: Refusal, repo: &str, number: u64) -> Error {
    match refusal.status {
        404 | 410 => {
            Error::Gone(format!("GitHub finds no pull request {number} of {repo}, or GITHUB_TOKEN may not see it"))
        }
        _ => refusal.into(),
    }
}

/// What a refusal about all of a repository means.
pub(super) fn no_repo(refusal: Refusal, repo: &str) -> Error {
    match refusal.status {
        404 => Error::Permanent(format!(
            "GitHub finds no repository {repo} (404): check GITHUB_REPO, and whether GITHUB_TOKEN may see it"
        )),
        _ => refusal.into(),
    }
}

fn verdict(runs: &[Run], statuses: &[Status]) -> Checks {
    let bad = |run: &&Run| {
        let is_bad = |how: &str| !matches!(how, "success" | "neutral" | "skipped" | "stale");
        run.status == "completed" && run.conclusion.as_deref().is_some_and(is_bad)
    };
    let failed = runs.iter().filter(bad).map(|run| run.name.clone());
    let also = statuses.iter().filter(|status| matches!(status.state.as_str(), "failure" | "error"));
    let mut failed: Vec<String> = failed.chain(also.map(|status| status.context.clone())).collect();
    if !failed.is_empty() {
        failed.sort();
        failed.dedup();
        return Checks::Failed(failed);
    }
    let runs_on = runs.iter().any(|run| run.status != "completed");
    if runs_on || statuses.iter().any(|status| status.state == "pending") {
        return Checks::Running;
    }
    if runs.is_empty() && statuses.is_empty() { Checks::None } else { Checks::Passed }
}

/// Of each reviewer, what they said last counts. Remarks change nothing.
fn review(reviews: &[Reviewed]) -> Review {
    let mut last: BTreeMap<&str, Review> = BTreeMap::new();
    for reviewed in reviews {
        let said = match reviewed.state.as_str() {
            "APPROVED" => Review::Approved,
            "CHANGES_REQUESTED" => Review::ChangesRequested,
            "DISMISSED" => Review::None,
            _ => continue,
        };
        last.insert(reviewed.user.as_ref().map_or("", |user| user.login.as_str()), said);
    }
    let says = |what| last.values().any(|said| *said == what);
    if says(Review::ChangesRequested) {
        return Review::ChangesRequested;
    }
    if says(Review::Approved) { Review::Approved } else { Review::None }
}

#[cfg(test)]
mod tests;
