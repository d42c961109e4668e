//! From a request to an answer: faults, credentials, limits, and where what is answered.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::refusal::Refusal;
use super::state::{State, context};
use super::users;
use super::{CLOUD_USER, Call, Flavour, PERSONAL_TOKEN, SERVER_USER, TOKEN, Version};
use crate::fakes::faults::Fault;
use crate::fakes::server::{Reply, Request};

/// What a request asks for.
#[derive(Debug)]
pub struct Asked<'a> {
    pub endpoint: &'static str,
    pub version: Version,
    /// What follows the version in its path.
    pub parts: Vec<&'a str>,
    pub query: &'a [(String, String)],
    pub body: Value,
}

/// The status and the document of an answer, or why there is none.
pub type Answered = Result<(u16, Value), Refusal>;

impl Asked<'_> {
    /// A parameter.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(is, _)| is == name).map(|(_, value)| value.as_str())
    }

    /// A parameter that is a number.
    pub fn number(&self, name: &str) -> Option<usize> {
        self.parameter(name).and_then(|value| value.parse().ok())
    }

    /// A part of the path.
    pub fn part(&self, place: usize) -> &str {
        self.parts.get(place).copied().unwrap_or("")
    }

    /// Whether `expand` names this.
    pub fn expands(&self, what: &str) -> bool {
        self.parameter("expand").unwrap_or("").split(',').any(|part| part.trim() == what)
    }
}

impl State {
    /// Answers a request and remembers it.
    pub fn answer(&mut self, request: &Request) -> Reply {
        let address = self.address(request);
        let endpoint = address.as_ref().and_then(|(_, parts)| endpoint(&request.method, parts)).unwrap_or("");
        let body: Option<Value> =
            if request.body.is_empty() { Some(Value::Null) } else { serde_json::from_slice(&request.body).ok() };
        let fault = self.dice.draw(endpoint);
        let answered = match &fault {
            Some(Fault::DroppedBefore) => None,
            Some(Fault::RateLimited(seconds)) => Some(Err(Refusal::wait(*seconds, "jira-burst-based"))),
            Some(Fault::ServerError(status)) => Some(Err(Refusal::broken(*status))),
            Some(Fault::Refused(message)) => Some(Err(Refusal::says(403, message))),
            Some(Fault::DroppedAfter | Fault::Slow(_)) | None => Some(match address {
                Some((version, parts)) if !endpoint.is_empty() => {
                    self.admitted(request, endpoint, version, parts, body.clone())
                }
                _ => Err(Refusal::no_such_address()),
            }),
        };
        let outcome = match (&answered, &fault) {
            (None, _) => "cut before".to_owned(),
            (_, Some(Fault::DroppedAfter)) => "cut after".to_owned(),
            (Some(Ok((status, _))), _) => status.to_string(),
            (Some(Err(refusal)), _) => refusal.told(),
        };
        self.calls.push(Call {
            endpoint,
            method: request.method.clone(),
            path: request.path.clone(),
            query: request.query.clone(),
            body: body.unwrap_or_default(),
            outcome,
        });
        let reply = match answered {
            None => Reply::cut(),
            Some(Ok((204, _))) => Reply::typed(204, "application/json", String::new()),
            Some(Ok((status, document))) => Reply::json(status, &document),
            Some(Err(refusal)) => refusal.reply(),
        };
        match fault {
            Some(Fault::DroppedAfter) => Reply::cut(),
            Some(Fault::Slow(delay)) => Reply { delay, ..reply },
            _ => reply,
        }
    }

    /// The version and what follows it; `None` when there is no such API here.
    fn address<'a>(&self, request: &'a Request) -> Option<(Version, Vec<&'a str>)> {
        let path = request.path.strip_prefix(context(self.flavour))?.strip_prefix("/rest/api/")?;
        let (version, rest) = path.split_once('/')?;
        let version = match (version, self.flavour) {
            ("2", _) | ("latest", Flavour::Server) => Version::Two,
            ("3" | "latest", Flavour::Cloud) => Version::Three,
            _ => return None,
        };
        Some((version, rest.split('/').collect()))
    }

    fn admitted(
        &mut self,
        request: &Request,
        endpoint: &'static str,
        version: Version,
        parts: Vec<&str>,
        body: Option<Value>,
    ) -> Answered {
        self.check_credentials(request, endpoint)?;
        let writes = request.method != "GET";
        if writes
            && request.header("user-agent").starts_with("Mozilla")
            && request.header("x-atlassian-token").is_empty()
        {
            return Err(Refusal::says(403, "XSRF check failed"));
        }
        if self.flavour == Flavour::Cloud {
            let issue = if writes && parts.len() > 1 && endpoint != "search" { self.issue(parts[1]) } else { None };
            let issue = issue.map(|issue| issue.id);
            self.limits.check(&request.method, issue)?;
        }
        if writes && !request.header("content-type").starts_with("application/json") {
            return Err(Refusal::says(415, "Unsupported Media Type"));
        }
        let body = body.filter(|body| !writes || body.is_object());
        let body = body.ok_or_else(|| {
            Refusal::says(400, "There was an error parsing JSON. Check that your request body is valid.")
        })?;
        self.done(&Asked { endpoint, version, parts, query: &request.query, body })
    }

    fn check_credentials(&self, request: &Request, endpoint: &str) -> Result<(), Refusal> {
        let given = request.header("authorization");
        // Everybody may ask what this is; only who says who they are is asked to prove it.
        if given.is_empty() && endpoint == "serverInfo" {
            return Ok(());
        }
        let user = match self.flavour {
            Flavour::Cloud => CLOUD_USER,
            Flavour::Server => SERVER_USER,
        };
        if let (Some(_), Flavour::Cloud) = (given.strip_prefix("Bearer "), self.flavour) {
            return Err(Refusal::no_bearer());
        }
        let basic = given.strip_prefix("Basic ");
        let right = match (basic, given.strip_prefix("Bearer ")) {
            (Some(basic), _) => STANDARD.decode(basic).is_ok_and(|told| told == format!("{user}:{TOKEN}").as_bytes()),
            (None, Some(token)) => token == PERSONAL_TOKEN,
            (None, None) => false,
        };
        if right && !self.revoked { Ok(()) } else { Err(Refusal::unauthorized(self.flavour, basic.is_some())) }
    }

    fn done(&mut self, asked: &Asked<'_>) -> Answered {
        match asked.endpoint {
            "serverInfo" => Ok((200, self.server_info())),
            "myself" => Ok((200, self.shown_user(users::bot(self.flavour)))),
            "priorities" => Ok((200, self.priorities())),
            "resolutions" => Ok((200, self.resolutions())),
            "fields" => Ok((200, self.field_list(asked.version))),
            "project" => self.project(asked),
            "createmeta" => self.create_meta(asked),
            "create" => self.create(asked),
            "issue" => self.get_issue(asked),
            "edit" => self.edit(asked),
            "assign" => self.assign(asked),
            "comments" => self.list_comments(asked),
            "comment" => self.comment(asked),
            "transitions" => self.list_transitions(asked),
            "transition" => self.transition(asked),
            "property" => self.property(asked),
            "search" => self.search(asked),
            "user" => self.get_user(asked),
            "assignable" | "users" => self.find_users(asked),
            _ => Err(Refusal::no_such_address()),
        }
    }

    /// The issue that an address names.
    pub fn named(&self, asked: &Asked<'_>) -> Result<super::state::Issue, Refusal> {
        self.issue(asked.part(1)).cloned().ok_or_else(|| Refusal::no_such_issue(self.flavour))
    }
}

fn endpoint(method: &str, parts: &[&str]) -> Option<&'static str> {
    Some(match (method, parts) {
        ("GET", ["serverInfo"]) => "serverInfo",
        ("GET", ["myself"]) => "myself",
        ("GET", ["priority"]) => "priorities",
        ("GET", ["resolution"]) => "resolutions",
        ("GET", ["field"]) => "fields",
        ("GET", ["project", _]) => "project",
        ("GET", ["issue", "createmeta", _, "issuetypes"] | ["issue", "createmeta", _, "issuetypes", _]) => "createmeta",
        ("POST", ["issue"]) => "create",
        ("GET", ["issue", _]) => "issue",
        ("PUT", ["issue", _]) => "edit",
        ("PUT", ["issue", _, "assignee"]) => "assign",
        ("GET", ["issue", _, "comment"]) => "comments",
        ("POST", ["issue", _, "comment"]) => "comment",
        ("GET", ["issue", _, "transitions"]) => "transitions",
        ("POST", ["issue", _, "transitions"]) => "transition",
        ("GET" | "PUT", ["issue", _, "properties", _]) => "property",
        ("GET" | "POST", ["search"] | ["search", "jql"]) => "search",
        ("GET", ["user", "assignable", "search"]) => "assignable",
        ("GET", ["user"]) => "user",
        ("GET", ["user", "search"]) => "users",
        _ => return None,
    })
}

/// An answer without a document.
pub fn nothing() -> (u16, Value) {
    (204, json!(null))
}
