//! From a request to an answer: faults, token, scopes, and the shape of Slack's answers.

use serde_json::{Map, Value, json};

use super::methods::{Refusal, State};
use super::{Call, TOKEN};
use crate::fakes::faults::Fault;
use crate::fakes::server::{Reply, Request};

/// Methods, the scope that each needs, and whether it takes JSON. The reading ones take it only as parameters.
const METHODS: [(&str, &str, bool); 6] = [
    ("auth.test", "", true),
    ("chat.postMessage", "chat:write", true),
    ("chat.update", "chat:write", true),
    ("conversations.history", "channels:history", false),
    ("conversations.replies", "channels:history", false),
    ("conversations.info", "channels:read", false),
];

impl State {
    /// Answers a request and remembers it.
    pub fn answer(&mut self, request: &Request) -> Reply {
        let method = request.path.strip_prefix("/api/").unwrap_or("").to_owned();
        let arguments = arguments(request);
        let fault = self.dice.draw(&method);
        let outcome = match &fault {
            Some(Fault::DroppedBefore) => Err("cut before".to_owned()),
            Some(Fault::RateLimited(_)) => Err("429".to_owned()),
            Some(Fault::ServerError(status)) => Err(status.to_string()),
            Some(Fault::Refused(code)) => Ok(Err(Refusal::code(code))),
            Some(Fault::DroppedAfter | Fault::Slow(_)) | None => Ok(self.checked(&method, request, arguments.as_ref())),
        };
        let said = match (&outcome, &fault) {
            (Err(wrong), _) => wrong.clone(),
            (Ok(_), Some(Fault::DroppedAfter)) => "cut after".to_owned(),
            (Ok(Err(refusal)), _) => refusal.code.clone(),
            (Ok(Ok(_)), _) => "ok".to_owned(),
        };
        self.calls.push(Call { method, arguments: arguments.unwrap_or_default(), outcome: said });
        reply(fault, outcome.unwrap_or(Ok(Value::Null)))
    }

    fn checked(&mut self, method: &str, request: &Request, arguments: Option<&Value>) -> Result<Value, Refusal> {
        let (_, scope, takes_json) =
            METHODS.iter().find(|(name, ..)| *name == method).ok_or_else(|| Refusal::code("unknown_method"))?;
        match request.header("authorization").strip_prefix("Bearer ") {
            None => return Err(Refusal::code("not_authed")),
            Some(TOKEN) if self.revoked => return Err(Refusal::code("token_revoked")),
            Some(TOKEN) => {}
            Some(_) => return Err(Refusal::code("invalid_auth")),
        }
        if !scope.is_empty() && !self.scopes.contains(*scope) {
            let provided = self.scopes.iter().cloned().collect::<Vec<_>>().join(",");
            return Err(Refusal::with("missing_scope", json!({"needed": scope, "provided": provided})));
        }
        let arguments = arguments.ok_or_else(|| Refusal::code("invalid_json"))?;
        if is_json(request) && !takes_json {
            return Err(Refusal::errors("invalid_arguments", &["missing required field: channel".to_owned()]));
        }
        self.run(method, arguments)
    }
}

fn is_json(request: &Request) -> bool {
    request.header("content-type").starts_with("application/json")
}

/// The arguments as an object, from JSON, form or address; `None` when they cannot be read.
fn arguments(request: &Request) -> Option<Value> {
    if is_json(request) {
        return serde_json::from_slice(&request.body).ok().filter(Value::is_object);
    }
    let mut all = Map::new();
    let form = form_urlencoded::parse(&request.body).into_owned();
    for (name, value) in request.query.iter().cloned().chain(form) {
        all.insert(name, Value::String(value));
    }
    Some(Value::Object(all))
}

fn reply(fault: Option<Fault>, outcome: Result<Value, Refusal>) -> Reply {
    let answered = match outcome {
        Ok(answer) => Reply::json(200, &answer),
        Err(Refusal { code, wait: Some(seconds), .. }) => {
            return Reply::json(429, &json!({"ok": false, "error": code})).header("retry-after", &seconds.to_string());
        }
        Err(refusal) => Reply::json(200, &refusal.answer()),
    };
    match fault {
        Some(Fault::DroppedBefore | Fault::DroppedAfter) => Reply::cut(),
        Some(Fault::RateLimited(seconds)) => {
            Reply::json(429, &json!({"ok": false, "error": "ratelimited"})).header("retry-after", &seconds.to_string())
        }
        Some(Fault::ServerError(status)) => Reply::json(status, &json!({"ok": false, "error": "internal_error"})),
        Some(Fault::Slow(delay)) => Reply { delay, ..answered },
        Some(Fault::Refused(_)) | None => answered,
    }
}
