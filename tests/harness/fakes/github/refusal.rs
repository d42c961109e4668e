//! How GitHub says no.

use serde_json::{Value, json};

use crate::fakes::server::Reply;

/// A page that a proxy shows while GitHub is ill.
const UNICORN: &str = "<!DOCTYPE html>\n<html><head><title>Unicorn! &middot; GitHub</title></head>\
<body><p><strong>This page is taking too long to load.</strong></p></body></html>";
const DOCUMENTATION: &str = "https://docs.github.com/rest";
const ABOUT_LIMITS: &str =
    "https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api#about-secondary-rate-limits";

/// An answer that is none.
#[derive(Debug, Clone)]
pub struct Refusal {
    pub status: u16,
    message: String,
    errors: Vec<Value>,
    about: &'static str,
    /// Seconds to wait.
    pub retry_after: Option<u64>,
    page: bool,
}

impl Refusal {
    pub fn new(status: u16, message: &str) -> Self {
        Self {
            status,
            message: message.to_owned(),
            errors: Vec::new(),
            about: DOCUMENTATION,
            retry_after: None,
            page: false,
        }
    }

    pub fn not_found() -> Self {
        Self::new(404, "Not Found")
    }

    /// What was sent is not what it should be.
    pub fn invalid(errors: Vec<Value>) -> Self {
        Self { errors, ..Self::new(422, "Validation Failed") }
    }

    /// A member of what was sent has a value that it cannot have.
    pub fn invalid_value(resource: &str, field: &str, value: &Value) -> Self {
        Self::invalid(vec![json!({"value": value, "resource": resource, "field": field, "code": "invalid"})])
    }

    /// A text is longer than it may be.
    pub fn too_long(resource: &str, field: &str, most: usize) -> Self {
        let message = format!("{field} is too long (maximum is {most} characters)");
        Self::invalid(vec![json!({"resource": resource, "code": "custom", "field": field, "message": message})])
    }

    /// The limits besides the hourly one.
    pub fn secondary(status: u16, retry_after: u64, on_content: bool) -> Self {
        let message = if on_content {
            "You have exceeded a secondary rate limit and have been temporarily blocked from content creation. Please retry \
             your request again later. If you reach out to GitHub Support for help, please include the request ID"
        } else {
            "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."
        };
        Self { about: ABOUT_LIMITS, retry_after: Some(retry_after), ..Self::new(status, message) }
    }

    /// The requests of the hour are used up.
    pub fn exhausted(user: u64) -> Self {
        let message = format!(
            "API rate limit exceeded for user ID {user}. If you reach out to GitHub Support for help, please include the \
             request ID"
        );
        Self::new(403, &message)
    }

    /// Something broke; what stands before it shows a page.
    pub fn broken(status: u16) -> Self {
        Self { page: status != 500, ..Self::new(status, "Server Error") }
    }

    pub fn reply(&self) -> Reply {
        let reply = if self.page {
            Reply::typed(self.status, "text/html; charset=utf-8", UNICORN.to_owned())
        } else {
            let mut body = json!({"message": self.message});
            if !self.errors.is_empty() {
                body["errors"] = json!(self.errors);
            }
            body["documentation_url"] = json!(self.about);
            body["status"] = json!(self.status.to_string());
            Reply::json(self.status, &body)
        };
        match self.retry_after {
            Some(seconds) => reply.header("retry-after", &seconds.to_string()),
            None => reply,
        }
    }
}
