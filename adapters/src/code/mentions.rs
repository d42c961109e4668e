//! Which tickets, issues and incidents a pull request names, and whether it means to fix them.
//!
//! A wrong "it fixes" moves a ticket that nobody finished, so whatever is said about another's work does not count:
//! "see OPS-1", "part of OPS-2", "does not fix OPS-3".

mod prose;
mod spoken;

use std::collections::HashMap;
use std::sync::LazyLock;

use regex::Regex;

use super::Pull;

/// What is named.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Name {
    /// The key of a ticket or of an incident, in capitals: `OPS-12`, `INC-7`. Words that look like a key are here too
    /// (`TOP-10`); whoever knows the keys tells them apart.
    Key(String),
    /// An issue where the code is.
    Issue {
        /// `owner/name` of its repository, as it is written.
        repo: String,
        /// Its number.
        number: u64,
    },
}

/// That a pull request names something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mention {
    /// What it names.
    pub name: Name,
    /// Whether it means to be done with it once it is merged.
    pub fixes: bool,
}

/// A constant pattern.
#[allow(clippy::expect_used)] // every pattern is a constant, and a test uses it
fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("constant pattern")
}

/// `feature/ops-12-null-cart`.
static KEY_IN_BRANCH: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r"(?:^|[/_.-])((?:[A-Za-z][A-Za-z0-9]+|[Tt])-[1-9][0-9]{0,8})(?:$|[/_]|-(?:$|[^0-9])|\.(?:$|[^0-9]))")
});
/// `45-null-cart`, as GitHub calls the branch that it makes for an issue; `issue-45`, `gh-45`.
static ISSUE_IN_BRANCH: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r"(?:^|/)(?:([1-9][0-9]{0,8})[-_][A-Za-z]|(?i:issues?|gh)[-/_]#?([1-9][0-9]{0,8})(?:$|[/_-]))")
});
/// `Reverts acme/shop#123`, `Reverts https://github.com/acme/shop/pull/123`.
static REVERTS: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?i)\breverts:?\s+(?:([\w.-]+/[\w.-]+)?#([0-9]{1,9})\b|https?://[^/\s]+/([\w.-]+/[\w.-]+)/pull/([0-9]{1,9})\b)",
    )
});

/// Branches of programs that renew dependencies are named after packages with versions.
const BRANCHES_OF_PROGRAMS: [&str; 4] = ["dependabot/", "renovate/", "snyk-", "pre-commit-ci-"];
/// Beginnings of keys that are names of standards, and never of projects; `GH-45` is an issue.
const STANDARDS: [&str; 45] = [
    "AES", "ANSI", "ASCII", "BASE", "COVID", "CP", "CRC", "CVE", "CWE", "DES", "DIN", "ECMA", "ED", "EN", "ES", "FIPS",
    "GH", "GHSA", "GMT", "GPT", "HMAC", "HTTP", "HTTPS", "IEC", "IEEE", "IPV", "ISO", "JEP", "JSR", "LATIN", "MD",
    "PEP", "PKCS", "PSR", "RFC", "RSA", "SHA", "SSL", "TLS", "UCS", "USB", "UTC", "UTF", "UUID", "WCAG",
];

/// What `pull` names in its title, branch, text and commits, each once and in this order.
#[must_use]
pub fn mentions(pull: &Pull) -> Vec<Mention> {
    let is_revert = is_revert(pull);
    let mut found = Vec::new();
    let title = if is_revert { spoken::without_quotes(&pull.title) } else { pull.title.clone() };
    found.extend(prose::names(&title, &pull.repo, prose::Case::AnyAtStart));
    if !is_revert {
        found.extend(of_branch(&pull.branch, &pull.repo));
    }
    found.extend(prose::names(&spoken::body(&pull.body), &pull.repo, prose::Case::Upper));
    for commit in &pull.commits {
        found.extend(of_commit(commit, &pull.repo));
    }
    each_once(found.into_iter().map(|mention| Mention { fixes: mention.fixes && !is_revert, ..mention }))
}

/// Every name once, where it stands first; that one of them fixes it is enough.
fn each_once(found: impl Iterator<Item = Mention>) -> Vec<Mention> {
    let mut places = HashMap::new();
    let mut mentions: Vec<Mention> = Vec::new();
    for mention in found {
        let place = *places.entry(mention.name.clone()).or_insert(mentions.len());
        match mentions.get_mut(place) {
            Some(known) => known.fixes |= mention.fixes,
            None => mentions.push(mention),
        }
    }
    mentions
}

/// The repository and the number of the pull request that `pull` takes back, if GitHub's sentence says so.
#[must_use]
pub fn reverts(pull: &Pull) -> Option<(String, u64)> {
    if !is_revert(pull) {
        return None;
    }
    let body = spoken::body(&pull.body);
    let found = REVERTS.captures(&body)?;
    let repo = found.get(1).or(found.get(3)).map_or(pull.repo.as_str(), |repo| repo.as_str());
    let number = found.get(2).or(found.get(4))?.as_str().parse().ok()?;
    Some((repo.to_owned(), number))
}

fn is_revert(pull: &Pull) -> bool {
    takes_back(&pull.title)
}

/// Whether a title begins with "Revert" or a form of it.
fn takes_back(title: &str) -> bool {
    let title = title.trim_start();
    let word = title.find(|c: char| !c.is_alphanumeric()).map_or(title, |end| &title[..end]);
    ["revert", "reverts", "reverting", "reverted"].iter().any(|form| word.eq_ignore_ascii_case(form))
}

fn of_branch(branch: &str, repo: &str) -> Vec<Mention> {
    if BRANCHES_OF_PROGRAMS.iter().any(|start| branch.starts_with(start)) {
        return Vec::new();
    }
    let mut keys = Vec::new();
    let mut at = 0;
    // The sign after one key may be the one before the next.
    while let Some(text) = KEY_IN_BRANCH.captures_at(branch, at).and_then(|found| found.get(1)) {
        keys.extend(key(text.as_str()));
        at = text.end();
    }
    let issues = ISSUE_IN_BRANCH.captures_iter(branch).filter_map(|found| {
        let number = found.get(1).or(found.get(2))?.as_str().parse().ok()?;
        Some(Name::Issue { repo: repo.to_owned(), number })
    });
    // A number alone may be something else: "404-page".
    let keys = keys.into_iter().map(|name| Mention { name, fixes: true });
    keys.chain(issues.map(|name| Mention { name, fixes: false })).collect()
}

/// The first line of a merge names what others did, and of a revert what is no longer done.
fn of_commit(message: &str, repo: &str) -> Vec<Mention> {
    let (first, rest) = message.split_once('\n').unwrap_or((message, ""));
    if takes_back(first) {
        let text = format!("{}\n{rest}", spoken::without_quotes(first));
        let names = prose::names(&text, repo, prose::Case::Upper);
        return names.into_iter().map(|mention| Mention { fixes: false, ..mention }).collect();
    }
    prose::names(if first.starts_with("Merge ") { rest } else { message }, repo, prose::Case::Upper)
}

/// `text` as a key; `None` if it is a standard.
fn key(text: &str) -> Option<Name> {
    let text = text.to_ascii_uppercase();
    let project = text.split('-').next()?;
    (!STANDARDS.contains(&project)).then_some(Name::Key(text))
}

#[cfg(test)]
mod tests;
