//! How Jira says no.

use serde_json::{Map, Value, json};

use super::Flavour;
use crate::fakes::server::Reply;

/// Why something was refused.
#[derive(Debug)]
pub struct Refusal {
    status: u16,
    messages: Vec<String>,
    errors: Vec<(String, String)>,
    form: Form,
    /// What Jira does not tell, but whoever reads the calls wants to know.
    why: String,
}

/// The form that a refusal takes.
#[derive(Debug)]
enum Form {
    /// `errorMessages` and `errors`.
    Errors,
    /// Another document.
    Document(Value),
    /// A page of this content type.
    Page(&'static str, String),
    /// 429: seconds to wait, and which limit it was.
    Wait(u64, &'static str),
}

impl Refusal {
    /// This status and message.
    pub fn says(status: u16, message: &str) -> Self {
        let messages = vec![message.to_owned()];
        Self { status, messages, errors: Vec::new(), form: Form::Errors, why: String::new() }
    }

    /// A field is not as it should be.
    pub fn field(name: &str, message: &str) -> Self {
        Self::fields(vec![(name.to_owned(), message.to_owned())])
    }

    /// Fields are not as they should be.
    pub fn fields(errors: Vec<(String, String)>) -> Self {
        Self { messages: Vec::new(), errors, ..Self::says(400, "") }
    }

    /// The same, with one more message.
    pub fn and(mut self, message: String) -> Self {
        self.messages.push(message);
        self
    }

    /// The same, with more for whoever reads the calls.
    pub fn because(self, why: String) -> Self {
        Self { why, ..self }
    }

    /// 429.
    pub fn wait(seconds: u64, reason: &'static str) -> Self {
        Self { form: Form::Wait(seconds, reason), ..Self::says(429, "Rate limit exceeded.") }
    }

    /// Something broke. What stands before Jira answers with pages, Jira itself with JSON.
    pub fn broken(status: u16) -> Self {
        let form = if status == 500 { Form::Errors } else { page(status, "Service Unavailable") };
        Self { form, ..Self::says(status, "Internal server error") }
    }

    /// There is nothing at this address.
    pub fn no_such_address() -> Self {
        Self { form: page(404, "Oops, you've found a dead link."), ..Self::says(404, "dead link") }
    }

    /// There is no such issue.
    pub fn no_such_issue(flavour: Flavour) -> Self {
        Self::says(
            404,
            match flavour {
                Flavour::Cloud => "Issue does not exist or you do not have permission to see it.",
                Flavour::Server => "Issue Does Not Exist",
            },
        )
    }

    /// Nobody knows who asks.
    pub fn unauthorized(flavour: Flavour, basic: bool) -> Self {
        const TEXT: &str = "Client must be authenticated to access this resource.";
        let form = match flavour {
            Flavour::Cloud => Form::Page("text/html;charset=UTF-8", TEXT.to_owned()),
            Flavour::Server if basic => page(401, "Basic Authentication Failure - Reason : AUTHENTICATED_FAILED"),
            Flavour::Server => Form::Document(json!({"message": TEXT, "status-code": 401})),
        };
        Self { form, ..Self::says(401, TEXT) }
    }

    /// Cloud takes `Bearer` only from apps.
    pub fn no_bearer() -> Self {
        const TEXT: &str = "Failed to parse Connect Session Auth Token";
        Self { form: Form::Document(json!({"error": TEXT})), ..Self::says(403, TEXT) }
    }

    /// As the calls tell of it.
    pub fn told(&self) -> String {
        let errors = self.errors.iter().map(|(field, message)| format!("{field}: {message}"));
        let parts: Vec<String> = self.messages.iter().cloned().chain(errors).collect();
        let why = if self.why.is_empty() { String::new() } else { format!(" [{}]", self.why) };
        format!("{} {}{why}", self.status, parts.join("; "))
    }

    pub fn reply(self) -> Reply {
        let errors: Map<String, Value> =
            self.errors.into_iter().map(|(field, message)| (field, json!(message))).collect();
        let document = json!({"errorMessages": self.messages, "errors": errors});
        match self.form {
            Form::Errors => Reply::json(self.status, &document),
            Form::Document(document) => Reply::json(self.status, &document),
            Form::Page(content_type, page) => Reply::typed(self.status, content_type, page),
            Form::Wait(seconds, reason) => Reply::json(429, &document)
                .header("retry-after", &seconds.to_string())
                .header("ratelimit-reason", reason)
                .header("x-ratelimit-remaining", "0"),
        }
    }
}

fn page(status: u16, text: &str) -> Form {
    let title = format!("<html><head><title>{status}</title></head>");
    Form::Page("text/html; charset=utf-8", format!("<!DOCTYPE html>{title}<body><h1>{text}</h1></body></html>\n"))
}
