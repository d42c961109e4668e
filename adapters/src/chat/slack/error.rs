//! What went wrong at Slack, in our words. Bodies of answers are never repeated: nobody knows what stands in them.

use serde::Deserialize;
use slack_morphism::errors::{SlackClientApiError, SlackClientError};

use crate::Error;

/// What an answer that refuses may hold besides its code.
#[derive(Default, Deserialize)]
struct Refusal {
    /// The scope that is missing.
    #[serde(default)]
    needed: String,
    #[serde(default)]
    response_metadata: Details,
}

#[derive(Default, Deserialize)]
struct Details {
    #[serde(default)]
    messages: Vec<String>,
}

/// `call` says what was tried: the method, and in which channel.
pub fn translate(call: &str, error: SlackClientError) -> Error {
    match error {
        SlackClientError::RateLimitError(limit) => {
            Error::Transient { why: format!("{call}: Slack asks to wait"), retry_after: limit.retry_after }
        }
        SlackClientError::HttpError(http) if http.status_code.is_server_error() => {
            transient(format!("{call}: Slack answered {}", http.status_code.as_u16()))
        }
        SlackClientError::HttpError(http) => Error::Permanent(format!(
            "{call}: the answer was {}; is the address of Slack right?",
            http.status_code.as_u16()
        )),
        SlackClientError::ApiError(api) => refused(call, &api),
        SlackClientError::ProtocolError(_) => transient(format!("{call}: the answer was not one of Slack's")),
        _ => transient(format!("{call}: the connection to Slack broke")),
    }
}

/// Which of the tokens a call is made with.
fn token_of(call: &str) -> &'static str {
    if call.starts_with("apps.") { "SLACK_APP_TOKEN" } else { "SLACK_BOT_TOKEN" }
}

/// The call took too long.
pub fn too_late(call: &str) -> Error {
    transient(format!("{call}: Slack did not answer in time"))
}

fn transient(why: String) -> Error {
    Error::Transient { why, retry_after: None }
}

fn refused(call: &str, api: &SlackClientApiError) -> Error {
    let refusal: Refusal =
        api.http_response_body.as_deref().and_then(|body| serde_json::from_str(body).ok()).unwrap_or_default();
    let code = api.code.as_str();
    match code {
        "missing_scope" => {
            let scope = if refusal.needed.is_empty() { "?" } else { &refusal.needed };
            Error::Auth(format!(
                "{call}: the Slack app lacks the permission {scope}: add the scope to the app and install it again"
            ))
        }
        "invalid_auth"
        | "not_authed"
        | "token_revoked"
        | "token_expired"
        | "account_inactive"
        | "not_allowed_token_type"
        | "no_permission"
        | "org_login_required"
        | "ekm_access_denied" => Error::Auth(format!("{call}: Slack does not accept {} ({code})", token_of(call))),
        "channel_not_found" | "not_in_channel" => Error::Closed(format!(
            "{call}: {code}: the bot is not in this channel, or there is none with this id: invite the bot there: \
             /invite @clew"
        )),
        "is_archived" => Error::Closed(format!("{call}: the channel is archived: choose another one")),
        // It was used: the form is open, and only the answer to that was lost.
        "exchanged_trigger_id" | "trigger_exchanged" => {
            Error::Gone(format!("{call}: the form is open already ({code})"))
        }
        "expired_trigger_id" | "trigger_expired" | "invalid_trigger_id" | "invalid_trigger" => Error::Permanent(
            "Slack lets a form be opened within three seconds only, and this took longer: press it again".into(),
        ),
        "message_not_found" | "cant_update_message" => Error::Gone(format!("{call}: the message is gone ({code})")),
        "thread_not_found" => Error::Gone(format!("{call}: the thread is gone ({code})")),
        "ratelimited"
        | "rate_limited"
        | "internal_error"
        | "fatal_error"
        | "service_unavailable"
        | "request_timeout"
        | "team_added_to_org" => transient(format!("{call}: Slack cannot do it now ({code})")),
        _ => {
            let details: String = refusal.response_metadata.messages.join("; ").chars().take(300).collect();
            let details = if details.is_empty() { String::new() } else { format!(": {details}") };
            Error::Permanent(format!("{call}: Slack refused: {code}{details}"))
        }
    }
}
