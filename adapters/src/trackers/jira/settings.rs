//! The settings of the section `jira`.

use std::collections::{BTreeMap, HashMap};

use secrecy::SecretString;
use serde_json::{Map, Value};

use crate::Error;
use crate::alerts::Severity;
use crate::chat::address;

/// Longest label that Jira takes.
const LONGEST_LABEL: usize = 255;
/// Fields that stand elsewhere in the settings, or are never anybody else's, and what to do about them.
const OWN_FIELDS: [(&str, &str); 5] = [
    ("project", "set jira.project instead"),
    ("issuetype", "set jira.issue_type instead"),
    ("labels", "set jira.labels instead"),
    ("summary", "Clew writes it"),
    ("description", "Clew writes it"),
];

/// Which of the two Jiras it is. They speak different versions of the same language.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deployment {
    /// Atlassian's: version 3, documents, account ids.
    Cloud,
    /// A Server or Data Center: version 2, wiki text, names.
    Server,
}

/// The settings.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Address of the site, without a slash at the end.
    pub url: String,
    /// Who logs in; `None`: the token says it.
    pub user: Option<String>,
    /// The token, or the password of a Server.
    pub token: SecretString,
    /// Key of the project.
    pub project: String,
    /// Which Jira it is; `None`: it is asked.
    pub deployment: Option<Deployment>,
    /// Name of the issue type; `None`: one that the project has.
    pub issue_type: Option<String>,
    /// Names of the priorities.
    pub priorities: BTreeMap<Severity, String>,
    /// Labels besides ours.
    pub labels: Vec<String>,
    /// Further fields of a new ticket.
    pub fields: Map<String, Value>,
    /// Fields of a ticket that is done.
    pub done_fields: Map<String, Value>,
    /// Accounts or e-mail addresses by login, in lower case.
    pub accounts: HashMap<String, String>,
    /// What deliveries are signed with.
    pub webhook_secret: Option<SecretString>,
}

impl Settings {
    /// Those that are set; `setting` gives a key of the section.
    ///
    /// # Errors
    /// When one cannot be right; the text names it.
    pub fn read(setting: &dyn Fn(&str) -> Option<String>) -> Result<Self, Error> {
        let text = |key: &str| setting(key).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty());
        let list = |key: &str| text(key).unwrap_or_default();
        Ok(Self {
            url: address::base("jira.url", &text("url").ok_or_else(|| wrong("url", "is not set (JIRA_URL)"))?)?,
            user: text("user"),
            token: token(text("token"))?,
            project: project(text("project"))?,
            deployment: deployment(text("deployment"))?,
            issue_type: text("issue_type"),
            priorities: priorities(&list("priorities"))?,
            labels: labels(&list("labels"))?,
            fields: own_fields_apart(object("fields", text("fields"))?)?,
            done_fields: object("done_fields", text("done_fields"))?,
            accounts: accounts(&list("accounts"))?,
            webhook_secret: text("webhook_secret").map(SecretString::from),
        })
    }
}

fn wrong(key: &str, why: &str) -> Error {
    Error::Permanent(format!("jira.{key}: {why}"))
}

/// The parts of a list that is written with commas.
fn parts(list: &str) -> impl Iterator<Item = &str> {
    list.split(',').map(str::trim).filter(|part| !part.is_empty())
}

/// The two sides of `left=right`.
fn pair<'a>(key: &str, part: &'a str, example: &str) -> Result<(&'a str, &'a str), Error> {
    let (left, right) =
        part.split_once('=').ok_or_else(|| wrong(key, &format!("{part:?} has no \"=\"; write {example}")))?;
    Ok((left.trim(), right.trim()))
}

fn token(token: Option<String>) -> Result<SecretString, Error> {
    let token = token.ok_or_else(|| wrong("token", "is not set (JIRA_TOKEN)"))?;
    if token.chars().any(char::is_control) {
        return Err(wrong("token", "is no token: it has line breaks or the like in it (JIRA_TOKEN)"));
    }
    Ok(SecretString::from(token))
}

/// It goes into queries, so it is nothing but a key.
fn project(project: Option<String>) -> Result<String, Error> {
    let project = project.ok_or_else(|| wrong("project", "is not set (JIRA_PROJECT)"))?;
    if is_project(&project) {
        return Ok(project);
    }
    Err(wrong("project", &format!("{project:?} is no key of a project: capital letters, digits and _, e.g. OPS")))
}

/// Whether something can be the key of a project.
pub fn is_project(key: &str) -> bool {
    let mut letters = key.chars();
    letters.next().is_some_and(|first| first.is_ascii_uppercase())
        && key.len() > 1
        && letters.all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
}

fn deployment(name: Option<String>) -> Result<Option<Deployment>, Error> {
    match name.map(|name| name.to_ascii_lowercase()).as_deref() {
        None => Ok(None),
        Some("cloud") => Ok(Some(Deployment::Cloud)),
        Some("server") => Ok(Some(Deployment::Server)),
        Some(other) => Err(wrong("deployment", &format!("{other:?} is neither \"cloud\" nor \"server\""))),
    }
}

fn priorities(list: &str) -> Result<BTreeMap<Severity, String>, Error> {
    let mut priorities = BTreeMap::new();
    for part in parts(list) {
        let (severity, name) = pair("priorities", part, "critical=Highest, high=High")?;
        let known: Severity = serde_json::from_value(Value::from(severity.to_ascii_lowercase())).map_err(|_| {
            wrong("priorities", &format!("{severity:?} is no severity; there are critical, high, medium and low"))
        })?;
        // A severity without a name leaves the priority to Jira.
        if !name.is_empty() {
            priorities.insert(known, name.to_owned());
        }
    }
    Ok(priorities)
}

fn labels(list: &str) -> Result<Vec<String>, Error> {
    parts(list)
        .map(|label| {
            // Jira's labels are one word each.
            let label = label.split_whitespace().collect::<Vec<_>>().join("-");
            if label.chars().count() > LONGEST_LABEL || label.chars().any(char::is_control) {
                return Err(wrong("labels", "a label has at most 255 characters, and no control characters"));
            }
            Ok(label)
        })
        .collect()
}

fn object(key: &str, json: Option<String>) -> Result<Map<String, Value>, Error> {
    let Some(json) = json else { return Ok(Map::new()) };
    serde_json::from_str(&json)
        .map_err(|error| wrong(key, &format!("is no JSON object like {{\"customfield_10020\": {{…}}}} ({error})")))
}

fn own_fields_apart(fields: Map<String, Value>) -> Result<Map<String, Value>, Error> {
    match OWN_FIELDS.iter().find(|(name, _)| fields.contains_key(*name)) {
        Some((name, instead)) => Err(wrong("fields", &format!("take {name:?} out: {instead}"))),
        None => Ok(fields),
    }
}

fn accounts(list: &str) -> Result<HashMap<String, String>, Error> {
    let mut accounts = HashMap::new();
    for part in parts(list) {
        let (login, account) = pair("accounts", part, "login=account, login=e-mail address")?;
        let login = login.trim_start_matches('@').to_lowercase();
        if login.is_empty() || account.is_empty() {
            return Err(wrong("accounts", &format!("{part:?} lacks one side; write login=account")));
        }
        accounts.insert(login, account.to_owned());
    }
    Ok(accounts)
}
