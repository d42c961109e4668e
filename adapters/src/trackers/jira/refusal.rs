//! What Jira refuses and why, in our words.

use std::time::Duration;

use super::answers::is_key;
use crate::Error;
use crate::chat::text;
use crate::http::Reply;

/// Characters of Jira's own words that are repeated.
const LONGEST: usize = 500;
/// When to come again after somebody else changed the same ticket at the same moment.
const SOON: Duration = Duration::from_secs(2);

/// What a call is about: what a refusal is explained with.
#[derive(Debug, Clone, Copy)]
pub struct About<'a> {
    /// The ticket that must be there.
    pub key: Option<&'a str>,
    /// The permission that it takes.
    pub needs: &'static str,
    /// The setting that fills fields that are missing.
    pub fills: &'static str,
}

impl<'a> About<'a> {
    /// A ticket; what is no key is no ticket.
    pub fn ticket(key: &'a str, needs: &'static str) -> Result<Self, Error> {
        if is_key(key) {
            return Ok(Self { key: Some(key), needs, fills: "jira.done_fields" });
        }
        Err(Error::Gone(format!("{key:?} is no key of a ticket in Jira")))
    }
}

/// Who asks.
#[derive(Debug, Clone, Copy)]
pub struct Asker<'a> {
    /// Whether there is a user besides the token.
    pub has_user: bool,
    /// The project.
    pub project: &'a str,
}

/// The error of an answer that is not good.
pub fn error(reply: &Reply, about: About<'_>, asker: Asker<'_>) -> Error {
    let status = reply.status;
    let said = said(reply, about);
    let because = |said: &str| if said.is_empty() { String::new() } else { format!(": {said}") };
    match status {
        401 => unknown(reply, asker),
        403 if is_captcha(reply) => Error::Auth(
            "Jira wants to see a person (403, captcha): log in to it once in a browser as JIRA_USER".to_owned(),
        ),
        403 => Error::Auth(format!(
            "Jira does not allow that (403){}; the account needs the permission {:?} in {}{}",
            because(&said),
            about.needs,
            asker.project,
            if asker.has_user { "" } else { "; on Jira Cloud it must also be named: set JIRA_USER" }
        )),
        404 => match about.key {
            Some(key) => Error::Gone(format!("there is no ticket {key} in Jira, or the account may not see it")),
            None => Error::Permanent(format!(
                "Jira has no such thing (404){}: check JIRA_URL, and whether the account may see JIRA_PROJECT",
                because(&said)
            )),
        },
        409 => Error::Transient {
            why: format!("Jira answers 409: somebody changes the same ticket{}", because(&said)),
            retry_after: Some(reply.retry_after().unwrap_or(SOON)),
        },
        408 | 425 | 429 | 500.. => Error::Transient { why: busy(reply), retry_after: reply.retry_after() },
        300..=399 => Error::Permanent(format!("Jira leads elsewhere ({status}): set JIRA_URL to where it really is")),
        _ if said.is_empty() => Error::Permanent(format!("Jira answers {status}: is jira.deployment right?")),
        _ => Error::Permanent(format!("Jira refuses: {said}")),
    }
}

/// Whether an answer was given to nobody: Jira's older doors let those in whose token is wrong, and show them nothing.
pub fn is_for_nobody(reply: &Reply) -> bool {
    let reason = reply.header("x-seraph-loginreason").unwrap_or_default();
    reply.status != 403 && ["AUTHENTICATED_FAILED", "AUTHENTICATION_DENIED"].iter().any(|no| reason.contains(no))
}

/// The error of credentials that are not known.
pub fn unknown(reply: &Reply, asker: Asker<'_>) -> Error {
    let check = if asker.has_user { "JIRA_USER and JIRA_TOKEN" } else { "JIRA_TOKEN" };
    let how = if reply.status == 401 { "401" } else { "it answers as to nobody" };
    Error::Auth(format!("Jira does not let Clew in ({how}): check {check}"))
}

fn is_captcha(reply: &Reply) -> bool {
    reply.header("x-authentication-denied-reason").is_some_and(|reason| reason.contains("CAPTCHA"))
        || reply.header("x-seraph-loginreason").is_some_and(|reason| reason.contains("AUTHENTICATION_DENIED"))
}

fn busy(reply: &Reply) -> String {
    let reason = reply.header("ratelimit-reason").or_else(|| reply.header("x-ratelimit-reason"));
    match reason.map(text::one_line).filter(|reason| !reason.is_empty()) {
        Some(reason) => format!("Jira answers {} ({})", reply.status, text::cut(&reason, 100, |_| 1)),
        None => format!("Jira answers {}", reply.status),
    }
}

/// The fields that an answer blames, with what it says of them, if it says nothing else.
pub fn blamed(reply: &Reply) -> Vec<(String, String)> {
    match read(reply) {
        Some(errors) if errors.error_messages.is_empty() => errors.errors.into_iter().collect(),
        _ => Vec::new(),
    }
}

fn read(reply: &Reply) -> Option<gouqi::Errors> {
    serde_json::from_slice(&reply.body).ok()
}

/// What an answer says, with what to do about it.
fn said(reply: &Reply, about: About<'_>) -> String {
    let Some(errors) = read(reply) else { return String::new() };
    let of_fields = errors.errors.iter().map(|(field, words)| {
        let words = text::one_line(words);
        let words = words.trim_end_matches('.');
        match remedy(field, about.fills) {
            Some(remedy) => format!("{words} ({field}): {remedy}"),
            None => format!("{words} ({field})"),
        }
    });
    let messages = errors.error_messages.iter().map(|words| text::one_line(words).trim_end_matches('.').to_owned());
    let said: Vec<String> = messages.filter(|words| !words.is_empty()).chain(of_fields).collect();
    text::cut(&said.join("; "), LONGEST, |_| 1)
}

fn remedy(field: &str, fills: &str) -> Option<String> {
    match field {
        "project" => Some("check JIRA_PROJECT".to_owned()),
        "issuetype" => Some("set jira.issue_type".to_owned()),
        "priority" => Some("set jira.priorities".to_owned()),
        "assignee" => Some("set jira.accounts".to_owned()),
        "labels" => Some("set jira.labels".to_owned()),
        "summary" | "description" | "comment" => None,
        _ if fills.is_empty() => None,
        _ => Some(format!("set {fills}")),
    }
}
