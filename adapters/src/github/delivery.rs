//! Deliveries of GitHub's webhooks: whether they are GitHub's, and what they are about.

use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::NAME;
use super::settings::is_repo;
use super::wire::{PullRequest, Repository};
use crate::signature::is_hmac;
use crate::trackers::{Delivered, News, Received};

/// Most news of one delivery. A check is listed with every pull request of its commit.
const MOST_NEWS: usize = 50;
/// Longest key that is taken from a header.
const LONGEST_KEY: usize = 100;

/// Takes a delivery. `header` gives the headers of the request, `secret` is what was set for the webhook.
#[must_use]
pub fn parse(header: &dyn Fn(&str) -> Option<String>, body: &[u8], secret: Option<&str>) -> Received {
    if let Some(secret) = secret {
        let Some(signature) = header("X-Hub-Signature-256") else {
            return Received::Refused(
                "the delivery is not signed: set the secret of the webhook on GitHub, too".into(),
            );
        };
        if !is_hmac(secret.as_bytes(), &[body], "sha256=", &signature) {
            return Received::Refused("the signature does not fit: GITHUB_WEBHOOK_SECRET is another secret".into());
        }
    }
    let Some(event) = header("X-GitHub-Event") else {
        return Received::Unreadable("the header X-GitHub-Event is missing: this is no delivery of GitHub's".into());
    };
    let Some(document) = document(body) else {
        return Received::Unreadable("the body is no delivery of GitHub's".into());
    };
    let mut news = news(event.trim(), &document);
    news.truncate(MOST_NEWS);
    let delivered = Delivered { key: key(header, body), news };
    if secret.is_some() { Received::Delivered(delivered) } else { Received::Unsigned(delivered) }
}

/// The name of the delivery: a redelivery has the same.
fn key(header: &dyn Fn(&str) -> Option<String>, body: &[u8]) -> String {
    let is_key = |key: &String| (1..=LONGEST_KEY).contains(&key.len()) && key.chars().all(|c| c.is_ascii_graphic());
    header("X-GitHub-Delivery")
        .filter(is_key)
        .unwrap_or_else(|| Sha256::digest(body).iter().map(|byte| format!("{byte:02x}")).collect())
}

/// The document: the body, or the field `payload` of a form.
fn document(body: &[u8]) -> Option<Value> {
    let whole = serde_json::from_slice(body).ok();
    let in_form = || {
        let payload = form_urlencoded::parse(body).find(|(name, _)| name == "payload")?.1;
        serde_json::from_str(&payload).ok()
    };
    whole.or_else(in_form).filter(Value::is_object)
}

fn news(event: &str, document: &Value) -> Vec<News> {
    let repo = Repository::deserialize(&document["repository"]).unwrap_or_default().full_name;
    if !is_repo(&repo) {
        return Vec::new();
    }
    match event {
        "issue_comment" if document["issue"]["pull_request"].is_object() => {
            pull(&repo, &document["issue"]["number"], None)
        }
        "issues" | "issue_comment" => ticket(&document["issue"]),
        "pull_request" => {
            let told = PullRequest::deserialize(&document["pull_request"]).ok();
            pull(&repo, &document["pull_request"]["number"], told.map(|told| Box::new(told.told(&repo))))
        }
        "pull_request_review" => pull(&repo, &document["pull_request"]["number"], None),
        "check_run" | "check_suite" => checks(&repo, &document["repository"], &document[event]),
        "status" => commit(&repo, &document["sha"]),
        _ => Vec::new(),
    }
}

fn ticket(issue: &Value) -> Vec<News> {
    let number = issue["number"].as_u64();
    number.map(|number| News::Ticket { tracker: NAME.to_owned(), key: number.to_string() }).into_iter().collect()
}

fn pull(repo: &str, number: &Value, told: Option<Box<crate::code::Pull>>) -> Vec<News> {
    let number = number.as_u64();
    number.map(|number| News::Pull { repo: repo.to_owned(), number, told }).into_iter().collect()
}

/// The pull requests that a check is about, as far as they are in this repository; with none, its commit. Pull requests from
/// forks are not listed.
fn checks(repo: &str, repository: &Value, check: &Value) -> Vec<News> {
    let listed = check["pull_requests"].as_array().map(Vec::as_slice).unwrap_or_default();
    let is_here = |pull: &&Value| pull["base"]["repo"]["id"] == repository["id"];
    let pulls: Vec<News> =
        listed.iter().filter(is_here).flat_map(|listed| pull(repo, &listed["number"], None)).collect();
    if pulls.is_empty() { commit(repo, &check["head_sha"]) } else { pulls }
}

fn commit(repo: &str, sha: &Value) -> Vec<News> {
    let sha = sha.as_str().filter(|sha| is_sha(sha));
    sha.map(|sha| News::Checks { repo: repo.to_owned(), sha: sha.to_owned() }).into_iter().collect()
}

/// Whether this names a commit.
#[must_use]
pub fn is_sha(sha: &str) -> bool {
    (7..=64).contains(&sha.len()) && sha.chars().all(|c| c.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests;
