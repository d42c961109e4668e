//! How Slack says no.

use serde_json::{Value, json};

use crate::fakes::server::Reply;

/// Why something was refused.
#[derive(Debug)]
pub struct Refusal {
    pub code: String,
    /// More members of the answer.
    details: Value,
    form: Form,
}

/// The form that a refusal takes.
#[derive(Debug)]
enum Form {
    /// 200, as the Web API refuses.
    Told,
    /// 429 and this many seconds to wait.
    Wait(u64),
    /// Another status.
    Status(u16),
    /// 200 and a page that asks a person to log in.
    LoginPage,
}

impl Refusal {
    pub fn code(code: &str) -> Self {
        Self::with(code, json!({}))
    }

    pub fn with(code: &str, details: Value) -> Self {
        Self { code: code.to_owned(), details, form: Form::Told }
    }

    pub fn errors(code: &str, errors: &[String]) -> Self {
        let messages: Vec<String> = errors.iter().map(|error| format!("[ERROR] {error}")).collect();
        Self::with(code, json!({"response_metadata": {"messages": messages}}))
    }

    pub fn wait(seconds: u64) -> Self {
        Self { form: Form::Wait(seconds), ..Self::code("ratelimited") }
    }

    pub fn login_page() -> Self {
        Self { form: Form::LoginPage, ..Self::code("login page") }
    }

    /// The same with this status.
    pub fn status(self, status: u16) -> Self {
        Self { form: Form::Status(status), ..self }
    }

    pub fn reply(self) -> Reply {
        let mut answer = self.details;
        answer["ok"] = json!(false);
        answer["error"] = json!(self.code);
        match self.form {
            Form::Told => Reply::json(200, &answer),
            Form::Wait(seconds) => Reply::json(429, &answer).header("retry-after", &seconds.to_string()),
            Form::Status(status) => Reply::json(status, &answer),
            Form::LoginPage => Reply::typed(200, "text/html; charset=utf-8", LOGIN_PAGE.to_owned()),
        }
    }
}

const LOGIN_PAGE: &str = "<!DOCTYPE html><html><head><title>Sign in to Team | Slack</title></head>\
                          <body><form id=\"signin_form\" action=\"/\" method=\"post\"></form></body></html>\n";
