//! From a request to an answer: faults, token, scopes, and the shape of Slack's answers.

use serde_json::{Map, Value, json};

use super::refusal::Refusal;
use super::state::State;
use super::{APP_TOKEN, Call, TOKEN};
use crate::fakes::faults::Fault;
use crate::fakes::server::{Reply, Request};

/// Methods, the scope that each needs, and whether it takes JSON. The reading ones take it only as parameters. The
/// scopes for channels have other names where a channel is no public one.
const METHODS: [(&str, &str, bool); 16] = [
    ("apps.connections.open", "", true),
    ("auth.test", "", true),
    ("chat.getPermalink", "", false),
    ("chat.postEphemeral", "chat:write", true),
    ("chat.postMessage", "chat:write", true),
    ("chat.update", "chat:write", true),
    ("conversations.history", "channels:history", false),
    ("conversations.info", "channels:read", false),
    ("conversations.replies", "channels:history", false),
    ("files.info", "files:read", false),
    ("usergroups.list", "usergroups:read", false),
    ("usergroups.users.list", "usergroups:read", false),
    ("users.info", "users:read", false),
    ("views.open", "", true),
    ("views.publish", "", true),
    ("views.update", "", true),
];
/// The method that wants the token of the app; all others want that of the bot.
const OF_THE_APP: &str = "apps.connections.open";
/// What is a document, not a text; in a form it stands there as JSON.
const DOCUMENTS: [&str; 4] = ["attachments", "blocks", "metadata", "view"];

/// What a request asks for.
struct Asked {
    /// A method of the Web API, `files.download` or `response_url`.
    method: String,
    arguments: Option<Value>,
}

impl State {
    /// Answers a request and remembers it.
    pub fn answer(&mut self, request: &Request) -> Reply {
        if request.path == "/link/" {
            return self.links.admit(request);
        }
        let asked = asked(request);
        let fault = self.dice.draw(&asked.method);
        let outcome = match &fault {
            Some(Fault::DroppedBefore) => Err("cut before".to_owned()),
            Some(Fault::RateLimited(_)) => Err("429".to_owned()),
            Some(Fault::ServerError(status)) => Err(status.to_string()),
            Some(Fault::Refused(code)) => Ok(Err(Refusal::code(code))),
            Some(Fault::DroppedAfter | Fault::Slow(_)) | None => Ok(self.done(&asked, request)),
        };
        let said = match (&outcome, &fault) {
            (Err(wrong), _) => wrong.clone(),
            (Ok(_), Some(Fault::DroppedAfter)) => "cut after".to_owned(),
            (Ok(Err(refusal)), _) => refusal.code.clone(),
            (Ok(Ok(_)), _) => "ok".to_owned(),
        };
        self.calls.push(Call { method: asked.method, arguments: asked.arguments.unwrap_or_default(), outcome: said });
        let answered = match outcome {
            Ok(Ok(reply)) => reply,
            Ok(Err(refusal)) => refusal.reply(),
            // The fault decides what is answered.
            Err(_) => Reply::cut(),
        };
        with_fault(fault, answered)
    }

    fn done(&mut self, asked: &Asked, request: &Request) -> Result<Reply, Refusal> {
        match (asked.method.as_str(), &asked.arguments) {
            ("files.download", Some(arguments)) => self.download(arguments, bearer(request)),
            ("response_url", arguments) => self.respond(arguments.as_ref()),
            (method, arguments) => {
                self.checked(method, request, arguments.as_ref()).map(|answer| Reply::json(200, &answer))
            }
        }
    }

    fn checked(&mut self, method: &str, request: &Request, arguments: Option<&Value>) -> Result<Value, Refusal> {
        let (_, scope, takes_json) =
            METHODS.iter().find(|(name, ..)| *name == method).ok_or_else(|| Refusal::code("unknown_method"))?;
        let (wanted, other) = if method == OF_THE_APP { (APP_TOKEN, TOKEN) } else { (TOKEN, APP_TOKEN) };
        match bearer(request) {
            None => return Err(Refusal::code("not_authed")),
            Some(token) if self.revoked && [wanted, other].contains(&token) => {
                return Err(Refusal::code("token_revoked"));
            }
            Some(token) if token == wanted => {}
            Some(token) if token == other => return Err(Refusal::code("not_allowed_token_type")),
            Some(_) => return Err(Refusal::code("invalid_auth")),
        }
        self.permitted(&self.scope_here(scope, arguments))?;
        let arguments = arguments.ok_or_else(|| Refusal::code("invalid_json"))?;
        if is_json(request) && !takes_json {
            return Err(Refusal::errors("invalid_arguments", &["missing required field: channel".to_owned()]));
        }
        self.run(method, arguments)
    }

    /// Whether the app has the scope.
    pub fn permitted(&self, scope: &str) -> Result<(), Refusal> {
        if scope.is_empty() || self.scopes.contains(scope) {
            return Ok(());
        }
        let provided = self.scopes.iter().cloned().collect::<Vec<_>>().join(",");
        Err(Refusal::with("missing_scope", json!({"needed": scope, "provided": provided})))
    }

    /// The scope as it is named for the kind of channel that the arguments name.
    fn scope_here(&self, scope: &str, arguments: Option<&Value>) -> String {
        let channel = arguments.and_then(|arguments| arguments["channel"].as_str());
        match (scope.strip_prefix("channels:"), channel.and_then(|channel| self.channels.get(channel))) {
            (Some(right), Some(channel)) => format!("{}:{right}", channel.kind.scopes()),
            _ => scope.to_owned(),
        }
    }
}

fn bearer(request: &Request) -> Option<&str> {
    request.header("authorization").strip_prefix("Bearer ")
}

fn is_json(request: &Request) -> bool {
    request.header("content-type").starts_with("application/json")
}

fn asked(request: &Request) -> Asked {
    let id_in = |rest: &str| json!({"id": rest.split('/').next().unwrap_or("")});
    if let Some(rest) = request.path.strip_prefix("/files/") {
        return Asked { method: "files.download".to_owned(), arguments: Some(id_in(rest)) };
    }
    if let Some(id) = request.path.strip_prefix("/response/") {
        let arguments = arguments(request).map(|mut arguments| {
            arguments["id"] = json!(id);
            arguments
        });
        return Asked { method: "response_url".to_owned(), arguments };
    }
    let method = request.path.strip_prefix("/api/").unwrap_or("").to_owned();
    Asked { method, arguments: arguments(request) }
}

/// The arguments as an object, from JSON, form or address; `None` when they cannot be read.
fn arguments(request: &Request) -> Option<Value> {
    let mut all = if is_json(request) && !request.body.is_empty() {
        serde_json::from_slice::<Map<String, Value>>(&request.body).ok()?
    } else {
        let form = form_urlencoded::parse(&request.body).into_owned();
        request.query.iter().cloned().chain(form).map(|(name, value)| (name, Value::String(value))).collect()
    };
    for name in DOCUMENTS {
        let Some(value) = all.get_mut(name) else { continue };
        if let Some(text) = value.as_str() {
            *value = serde_json::from_str(text).ok()?;
        }
    }
    Some(Value::Object(all))
}

fn with_fault(fault: Option<Fault>, answered: Reply) -> Reply {
    match fault {
        Some(Fault::DroppedBefore | Fault::DroppedAfter) => Reply::cut(),
        Some(Fault::RateLimited(seconds)) => Refusal::wait(seconds).reply(),
        Some(Fault::ServerError(status)) => Refusal::code("internal_error").status(status).reply(),
        Some(Fault::Slow(delay)) => Reply { delay, ..answered },
        Some(Fault::Refused(_)) | None => answered,
    }
}
