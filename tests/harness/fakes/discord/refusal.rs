//! How Discord says no.

use serde_json::{Map, Value, json};

use crate::fakes::server::Reply;

/// Codes, the status that each comes with, and what it says.
const CODES: [(u64, u16, &str); 31] = [
    (0, 401, "401: Unauthorized"),
    (10_003, 404, "Unknown Channel"),
    (10_004, 404, "Unknown Guild"),
    (10_007, 404, "Unknown Member"),
    (10_008, 404, "Unknown Message"),
    (10_013, 404, "Unknown User"),
    (10_015, 404, "Unknown Webhook"),
    (10_062, 404, "Unknown interaction"),
    (10_063, 404, "Unknown application command"),
    (20_012, 403, "You are not authorized to perform this action on this application"),
    (30_046, 429, "Maximum number of edits to messages older than 1 hour reached. Try again later."),
    (40_060, 400, "Interaction has already been acknowledged."),
    (50_001, 403, "Missing Access"),
    (50_005, 403, "Cannot edit a message authored by another user"),
    (50_006, 400, "Cannot send an empty message"),
    (50_007, 403, "Cannot send messages to this user"),
    (50_008, 400, "Cannot send messages in a non-text channel"),
    (50_013, 403, "Missing Permissions"),
    (50_021, 403, "Cannot execute action on a system message"),
    (50_024, 400, "Cannot execute action on this channel type"),
    (50_027, 401, "Invalid Webhook Token"),
    (50_033, 400, "Invalid Recipient(s)"),
    (50_035, 400, "Invalid Form Body"),
    (50_083, 400, "Thread is archived"),
    (50_109, 400, "The request body contains invalid JSON."),
    (50_240, 403, "You cannot remove this app's Entry Point command in a bulk update operation."),
    (130_000, 503, "API resource is currently overloaded. Try again a little later"),
    (160_002, 403, "Cannot reply without permission to read message history"),
    (160_004, 400, "A thread has already been created for this message"),
    (160_005, 400, "Thread is locked"),
    (200_000, 400, "Message was blocked by automatic moderation"),
];

/// Why something was refused.
#[derive(Debug)]
pub struct Refusal {
    pub status: u16,
    pub code: u64,
    message: String,
    /// What is wrong with which field.
    errors: Value,
    wait: Option<Wait>,
}

/// How long to wait, and because of which limit.
#[derive(Debug)]
struct Wait {
    seconds: f64,
    scope: &'static str,
}

/// One thing that is wrong with a field of a body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrong {
    /// Names and numbers on the way to the field, with dots in between.
    pub path: String,
    pub code: &'static str,
    pub message: String,
}

impl Wrong {
    pub fn new(path: &str, code: &'static str, message: impl Into<String>) -> Self {
        Self { path: path.to_owned(), code, message: message.into() }
    }
}

impl Refusal {
    /// Refused with this code of Discord's.
    pub fn code(code: u64) -> Self {
        let known = CODES.iter().find(|(known, ..)| *known == code);
        let (_, status, message) = *known.unwrap_or(&(code, 400, "Refused by the fake"));
        // The limit of edits has no headers of its own, and comes as a limit does.
        let wait = (status == 429).then_some(Wait { seconds: 5.0, scope: "user" });
        Self { status, code, message: message.to_owned(), errors: Value::Null, wait }
    }

    /// The same with this status.
    pub fn status(self, status: u16) -> Self {
        Self { status, ..self }
    }

    /// No such route, or no such thing.
    pub fn not_found() -> Self {
        Self { status: 404, message: "404: Not Found".to_owned(), ..Self::code(0) }
    }

    /// No such method at this route.
    pub fn method_not_allowed() -> Self {
        Self { status: 405, message: "405: Method Not Allowed".to_owned(), ..Self::code(0) }
    }

    /// The server broke down.
    pub fn broken(status: u16) -> Self {
        let message = if status == 500 { "500: Internal Server Error" } else { "The server is overloaded" };
        Self { status, message: message.to_owned(), ..Self::code(0) }
    }

    /// The body is wrong in these fields.
    pub fn form(wrong: &[Wrong]) -> Self {
        let mut errors = json!({});
        for Wrong { path, code, message } in wrong {
            let mut at = &mut errors;
            for step in path.split('.').filter(|step| !step.is_empty()) {
                at = &mut at[step];
            }
            if at["_errors"].is_null() {
                at["_errors"] = json!([]);
            }
            if let Some(all) = at["_errors"].as_array_mut() {
                all.push(json!({"code": code, "message": message}));
            }
        }
        Self { errors, ..Self::code(50_035) }
    }

    /// One field is wrong.
    pub fn field(path: &str, code: &'static str, message: &str) -> Self {
        Self::form(&[Wrong::new(path, code, message)])
    }

    /// 429: wait this many seconds, because of the limit of this scope (`user`, `global`, `shared`).
    pub fn wait(seconds: f64, scope: &'static str) -> Self {
        let message = "You are being rate limited.".to_owned();
        Self { status: 429, message, wait: Some(Wait { seconds, scope }), ..Self::code(0) }
    }

    /// How it is remembered: the code of Discord's, else the status.
    pub fn outcome(&self) -> String {
        if self.code == 0 { self.status.to_string() } else { self.code.to_string() }
    }

    pub fn reply(self) -> Reply {
        let mut body = Map::new();
        body.insert("message".to_owned(), json!(self.message));
        let Some(Wait { seconds, scope }) = self.wait else {
            body.insert("code".to_owned(), json!(self.code));
            if !self.errors.is_null() {
                body.insert("errors".to_owned(), self.errors);
            }
            return document(self.status, &Value::Object(body));
        };
        body.insert("retry_after".to_owned(), json!(seconds));
        body.insert("global".to_owned(), json!(scope == "global"));
        if self.code != 0 {
            body.insert("code".to_owned(), json!(self.code));
        }
        let reply = document(self.status, &Value::Object(body))
            .header("retry-after", &format!("{:.0}", seconds.ceil()))
            // Who does not see it takes the answer for one of Cloudflare's.
            .header("via", "1.1 google")
            .header("x-ratelimit-scope", scope);
        if scope == "global" { reply.header("x-ratelimit-global", "true") } else { reply }
    }
}

/// A document as Discord sends it: clients look for exactly this content type.
pub fn document(status: u16, body: &Value) -> Reply {
    Reply::typed(status, "application/json", body.to_string())
}

/// The answer that says no more than that it is done.
pub fn nothing() -> Reply {
    Reply::typed(204, "text/html; charset=utf-8", String::new())
}
