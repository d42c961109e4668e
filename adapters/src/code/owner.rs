//! Who should look after something: who owns the line that broke, else who changed it last.

use std::sync::{Arc, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::{Value, json};

use super::codeowners::CodeOwners;
use super::host::no_repo;
use super::paths::{Place, Tree, guesses, place};
use super::{CodeHost, Developer, Frame, Owner};
use crate::Error;
use crate::github::limits::Refusal;
use crate::github::settings::is_login;
use crate::github::wire::{Repository, User};
use crate::github::{Client, Read, encoded};

/// Frames that are looked at.
const FRAMES: usize = 5;
/// Commits of a file that are looked at.
const COMMITS: usize = 3;
/// Where the rules of ownership may be. The first that exists counts, alone.
const CODEOWNERS: [&str; 3] = [".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS"];
/// Who changed the lines of a file last. Only GraphQL says that.
const BLAME: &str = "query($owner: String!, $name: String!, $branch: String!, $path: String!) { \
    repository(owner: $owner, name: $name) { object(expression: $branch) { ... on Commit { blame(path: $path) { \
    ranges { startingLine endingLine commit { author { email user { login } } } } } } } } }";

#[derive(Deserialize)]
struct Listed {
    #[serde(default)]
    truncated: bool,
    #[serde(default)]
    tree: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    path: String,
    #[serde(rename = "type", default)]
    kind: String,
}

#[derive(Deserialize)]
struct Content {
    #[serde(default)]
    content: String,
    #[serde(default)]
    encoding: String,
}

#[derive(Deserialize)]
struct Commit {
    /// The account behind it, when the host knows one.
    #[serde(default)]
    author: Option<User>,
    #[serde(default)]
    commit: Signed,
}

#[derive(Default, Deserialize)]
struct Signed {
    #[serde(default)]
    author: Option<Signature>,
}

#[derive(Default, Deserialize)]
struct Signature {
    #[serde(default)]
    email: Option<String>,
}

/// The repository, while somebody is looked for in it.
struct Search<'a> {
    client: &'a Client,
    host: &'a CodeHost,
    repo: &'a str,
    branch: String,
    owners: Option<CodeOwners>,
    tree: Option<Arc<Tree>>,
}

impl CodeHost {
    /// Who should look after what broke in these lines, the most telling first; `None` when nobody is known.
    ///
    /// # Errors
    /// When the host does not say.
    pub async fn owner(&self, frames: &[Frame]) -> Result<Option<Owner>, Error> {
        let (client, repo) = (self.client()?, self.repo()?);
        if !frames.is_empty() {
            let search = Search::begin(self, client, repo).await?;
            for frame in frames.iter().take(FRAMES) {
                if let Some(owner) = search.frame(frame).await? {
                    return Ok(Some(owner));
                }
            }
        }
        let Some(login) = &self.default_owner else { return Ok(None) };
        let developer = developer(client, login, None).await?;
        Ok(developer.map(|developer| Owner { developer, why: "default owner".to_owned() }))
    }
}

impl<'a> Search<'a> {
    async fn begin(host: &'a CodeHost, client: &'a Client, repo: &'a str) -> Result<Self, Error> {
        let of_repo = |refusal| no_repo(refusal, repo);
        let branch = client.get::<Repository>(&format!("/repos/{repo}")).await.map_err(of_repo)?.body.default_branch;
        let mut search = Self { client, host, repo, branch, owners: None, tree: None };
        search.tree = search.read_tree().await?;
        search.owners = search.read_owners().await?;
        Ok(search)
    }

    /// All files, if they can be had.
    async fn read_tree(&self) -> Result<Option<Arc<Tree>>, Error> {
        let branch = encoded(&self.branch, false);
        let path = format!("/repos/{}/git/trees/{branch}?recursive=1", self.repo);
        let Some(read) = there(self.client.get::<Listed>(&path).await)? else { return Ok(None) };
        let mut known = self.host.tree.lock().unwrap_or_else(PoisonError::into_inner);
        if read.is_new || known.is_none() {
            let files = read.body.tree.into_iter().filter(|entry| entry.kind == "blob").map(|entry| entry.path);
            *known = (!read.body.truncated).then(|| Arc::new(Tree::new(files.collect())));
        }
        Ok(known.clone())
    }

    async fn read_owners(&self) -> Result<Option<CodeOwners>, Error> {
        for file in CODEOWNERS {
            let path = format!("/repos/{}/contents/{file}", self.repo);
            let Some(read) = there(self.client.get::<Content>(&path).await)? else { continue };
            let written: String = read.body.content.split_whitespace().collect();
            let bytes = if read.body.encoding == "base64" { STANDARD.decode(written).ok() } else { None };
            let text = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
            return Ok(text.map(|text| CodeOwners::parse(&text)));
        }
        Ok(None)
    }

    async fn frame(&self, frame: &Frame) -> Result<Option<Owner>, Error> {
        let Some(path) = self.path(frame).await? else { return Ok(None) };
        let (owner, teams) = self.by_rule(&path).await?;
        if owner.is_some() {
            return Ok(owner);
        }
        let by_line = match frame.line {
            Some(line) => self.by_line(&path, line).await?,
            None => None,
        };
        let owner = match by_line {
            None => self.by_history(&path).await?,
            owner => owner,
        };
        Ok(owner.map(|owner| match &teams {
            Some(teams) => Owner { why: format!("{}, in the code of {teams}", owner.why), ..owner },
            None => owner,
        }))
    }

    /// The path in the repository.
    async fn path(&self, frame: &Frame) -> Result<Option<String>, Error> {
        let (ends, is_whole) = match place(&frame.path, &self.host.rules) {
            Place::Known(path) => return Ok(Some(path)),
            Place::Elsewhere => return Ok(None),
            Place::Searched { ends, is_whole } => (ends, is_whole),
        };
        if let Some(tree) = &self.tree {
            return Ok(tree.find(&ends).map(str::to_owned));
        }
        for guess in guesses(&ends, is_whole) {
            if !self.commits(guess, 1).await?.is_empty() {
                return Ok(Some(guess.clone()));
            }
        }
        Ok(None)
    }

    /// By CODEOWNERS; if only teams own it, their names.
    async fn by_rule(&self, path: &str) -> Result<(Option<Owner>, Option<String>), Error> {
        let Some(rule) = self.owners.as_ref().and_then(|owners| owners.owners(path)) else { return Ok((None, None)) };
        let why = format!("CODEOWNERS: {}", rule.pattern);
        let mut teams = Vec::new();
        for owner in rule.owners {
            let found = match owner.strip_prefix('@') {
                Some(team) if team.contains('/') => {
                    teams.push(owner.as_str());
                    None
                }
                Some(login) => developer(self.client, login, None).await?,
                None if owner.contains('@') => Some(Developer { login: String::new(), emails: vec![owner.clone()] }),
                None => None,
            };
            if let Some(developer) = found {
                return Ok((Some(Owner { developer, why }), None));
            }
        }
        Ok((None, (!teams.is_empty()).then(|| format!("{} ({why})", teams.join(" and ")))))
    }

    /// By who changed the line last.
    async fn by_line(&self, path: &str, line: u64) -> Result<Option<Owner>, Error> {
        let (owner, name) = self.repo.split_once('/').unwrap_or_default();
        let variables = json!({"owner": owner, "name": name, "branch": self.branch, "path": path});
        let answer = match self.client.graph(BLAME, &variables).await {
            Ok(answer) => answer,
            // The history of the file says nearly as much.
            Err(refusal) if !matches!(refusal.error, Error::Transient { .. }) => return Ok(None),
            Err(refusal) => return Err(refusal.into()),
        };
        let ranges = answer["repository"]["object"]["blame"]["ranges"].as_array().cloned().unwrap_or_default();
        let holds = |range: &&Value| {
            let bound = |name: &str| range[name].as_u64();
            bound("startingLine").zip(bound("endingLine")).is_some_and(|(from, to)| (from..=to).contains(&line))
        };
        let Some(author) = ranges.iter().find(holds).map(|range| &range["commit"]["author"]) else { return Ok(None) };
        let Some(login) = author["user"]["login"].as_str() else { return Ok(None) };
        let developer = developer(self.client, login, author["email"].as_str()).await?;
        Ok(developer.map(|developer| Owner { developer, why: format!("last commit to {path}:{line}") }))
    }

    /// By who changed the file most often of late.
    async fn by_history(&self, path: &str) -> Result<Option<Owner>, Error> {
        let commits = self.commits(path, COMMITS).await?;
        let login =
            |commit: &Commit| commit.author.as_ref().filter(|user| user.is_person()).map(|user| user.login.clone());
        let logins: Vec<String> = commits.iter().filter_map(login).collect();
        let of = |login: &String| logins.iter().filter(|other| *other == login).count();
        // Of several with as many, the one who was there last.
        let Some(best) = logins.iter().rev().max_by_key(|login| of(login)) else { return Ok(None) };
        let signed = commits.iter().find(|commit| login(commit).as_ref() == Some(best));
        let email = signed.and_then(|commit| commit.commit.author.as_ref()?.email.as_deref());
        let why = reason(path, of(best), commits.len(), logins.first() == Some(best) && login(&commits[0]).is_some());
        Ok(developer(self.client, best, email).await?.map(|developer| Owner { developer, why }))
    }

    /// The last commits to a file; none when there is no such file.
    async fn commits(&self, path: &str, most: usize) -> Result<Vec<Commit>, Error> {
        let path = format!("/repos/{}/commits?path={}&per_page={most}", self.repo, encoded(path, true));
        let mut commits = there(self.client.get::<Vec<Commit>>(&path).await)?.map_or_else(Vec::new, |read| read.body);
        commits.truncate(most);
        Ok(commits)
    }
}

/// Why, of a history of `all` commits of which `theirs` are theirs.
fn reason(path: &str, theirs: usize, all: usize, is_last: bool) -> String {
    match (theirs, all) {
        (1, _) if is_last => format!("last commit to {path}"),
        (theirs, all) if theirs == all => format!("last {all} commits to {path}"),
        (theirs, all) => format!("{theirs} of the last {all} commits to {path}"),
    }
}

/// Nothing when it is not there, or the token may not see it, or the repository is empty.
fn there<T>(read: Result<Read<T>, Refusal>) -> Result<Option<Read<T>>, Error> {
    match read {
        Ok(read) => Ok(Some(read)),
        Err(refusal) if matches!(refusal.error, Error::Transient { .. }) || refusal.status == 401 => {
            Err(refusal.into())
        }
        Err(_) => Ok(None),
    }
}

/// Somebody with an account, if they are a person. `signed` is the address in a commit that the host says is theirs.
async fn developer(client: &Client, login: &str, signed: Option<&str>) -> Result<Option<Developer>, Error> {
    if !is_login(login) {
        return Ok(None);
    }
    let Some(read) = there(client.get::<User>(&format!("/users/{login}")).await)? else { return Ok(None) };
    let user = read.body;
    if !user.is_person() {
        return Ok(None);
    }
    let mut emails: Vec<String> = Vec::new();
    for email in [signed, user.email.as_deref()].into_iter().flatten() {
        let email = email.trim().to_lowercase();
        let is_theirs = email.contains('@') && !email.contains("@users.noreply.") && !email.starts_with("noreply@");
        if is_theirs && !emails.contains(&email) {
            emails.push(email);
        }
    }
    Ok(Some(Developer { login: user.login, emails }))
}

#[cfg(test)]
mod tests;
