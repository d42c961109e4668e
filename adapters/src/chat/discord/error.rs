//! What went wrong at Discord, in our words. Bodies of answers are repeated only as far as Discord's own words in them go.

use std::time::Duration;

use serde_json::Value;

use crate::Error;
use crate::http::Reply;

/// Codes of Discord that somebody asks for.
/// <https://discord.com/developers/docs/topics/opcodes-and-status-codes#json>
pub const UNKNOWN_CHANNEL: u64 = 10_003;
/// They are not on this server.
pub const UNKNOWN_MEMBER: u64 = 10_007;
/// There is no such person.
pub const UNKNOWN_USER: u64 = 10_013;
/// There is no such message.
const UNKNOWN_MESSAGE: u64 = 10_008;
/// The token of an interaction is not, or no longer, known.
const UNKNOWN_WEBHOOK: u64 = 10_015;
/// The interaction was not answered within three seconds, or is not known.
const UNKNOWN_INTERACTION: u64 = 10_062;
/// The interaction was answered before.
pub const ALREADY_ANSWERED: u64 = 40_060;
/// The bot does not see this.
const NO_ACCESS: u64 = 50_001;
/// They take no direct messages.
const NO_DIRECT_MESSAGES: u64 = 50_007;
/// The bot sees this, but may not do that.
const NO_PERMISSION: u64 = 50_013;
/// The server does not let such words stand.
const MODERATED: [u64; 2] = [200_000, 200_001];
/// The token of an interaction is over.
const INVALID_TOKEN: u64 = 50_027;
/// The thread is hidden, or locked.
pub const ARCHIVED: u64 = 50_083;
/// There is a thread below this message.
pub const HAS_THREAD: u64 = 160_004;
/// The thread is locked.
const LOCKED: u64 = 160_005;

/// What was refused, with Discord's code for why; 0 when it gave none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Discord's code.
    pub code: u64,
    /// In our words.
    pub error: Error,
}

impl Refusal {
    /// One without a code.
    pub fn of(error: Error) -> Self {
        Self { code: 0, error }
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self::of(error)
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        refusal.error
    }
}

/// `call` says what was tried.
pub fn refusal(call: &str, reply: &Reply) -> Refusal {
    let body: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
    let code = body["code"].as_u64().unwrap_or(0);
    Refusal { code, error: translate(call, reply, &body, code) }
}

fn translate(call: &str, reply: &Reply, body: &Value, code: u64) -> Error {
    let said = body["message"].as_str().unwrap_or_default();
    match (reply.status, code) {
        (429, _) => {
            Error::Transient { why: format!("{call}: Discord asks to wait"), retry_after: Some(wait(reply, body)) }
        }
        (status, _) if status >= 500 => {
            Error::Transient { why: format!("{call}: Discord answered {status}"), retry_after: None }
        }
        (_, UNKNOWN_MESSAGE | UNKNOWN_WEBHOOK | UNKNOWN_INTERACTION | INVALID_TOKEN) => {
            Error::Gone(format!("{call}: it is gone ({said})"))
        }
        (401, _) => Error::Auth(format!(
            "{call}: Discord does not accept DISCORD_TOKEN: take the token of the bot from the Developer Portal (Bot → Reset \
             Token)"
        )),
        (_, UNKNOWN_CHANNEL | NO_ACCESS) => Error::Closed(format!(
            "{call}: the bot cannot see this channel, or there is none with this id: give its role View Channel there, or \
             invite it to the server"
        )),
        (_, NO_PERMISSION) => Error::Closed(format!(
            "{call}: the bot may not do this here: give its role View Channel, Send Messages, Create Public Threads, Send \
             Messages in Threads, Embed Links and Read Message History"
        )),
        (_, NO_DIRECT_MESSAGES) => Error::Closed(format!("{call}: they take no direct messages")),
        (_, ARCHIVED | LOCKED) => Error::Closed(format!("{call}: the thread is locked: unlock it, or use another one")),
        (_, code) if MODERATED.contains(&code) => {
            Error::Closed(format!("{call}: AutoMod of the server refused the text: exempt the bot's role from it"))
        }
        (404, _) => Error::Gone(format!("{call}: it is gone ({said})")),
        (403, _) => Error::Auth(format!("{call}: Discord does not let the bot do this ({code}: {said})")),
        (status, _) => {
            let field = first_field(&body["errors"]).map(|field| format!(": {field}")).unwrap_or_default();
            Error::Permanent(format!("{call}: Discord refused ({status}, {code}: {said}{field})"))
        }
    }
}

/// How long Discord asks to wait: the body says it to the millisecond, the header in whole seconds.
fn wait(reply: &Reply, body: &Value) -> Duration {
    let exact = body["retry_after"].as_f64().filter(|seconds| (0.0..86_400.0).contains(seconds));
    exact.map(Duration::from_secs_f64).or_else(|| reply.retry_after()).unwrap_or(Duration::from_secs(1))
}

/// The first field that Discord complains of, with its complaint: `embeds.0.title: Must be 256 or fewer in length.`
fn first_field(errors: &Value) -> Option<String> {
    const DEEPEST: usize = 12;
    let mut path = Vec::new();
    let mut here = errors;
    for _ in 0..DEEPEST {
        if let Some(complaint) = here["_errors"][0]["message"].as_str() {
            return Some(format!("{}: {complaint}", path.join(".")));
        }
        let (name, below) = here.as_object()?.iter().next()?;
        path.push(name.as_str());
        here = below;
    }
    None
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderMap;
    use serde_json::json;

    use super::*;

    fn answer(status: u16, body: &Value) -> Refusal {
        refusal(
            "POST channels/1/messages",
            &Reply { status, headers: HeaderMap::new(), body: body.to_string().into_bytes() },
        )
    }

    #[test]
    fn refusals_say_what_to_do() {
        let closed = answer(403, &json!({"code": 50_013, "message": "Missing Permissions"}));
        assert_eq!(closed.code, 50_013);
        assert!(matches!(&closed.error, Error::Closed(why) if why.contains("Create Public Threads")), "{closed:?}");
        assert!(matches!(answer(404, &json!({"code": 10_003})).error, Error::Closed(_)));
        assert!(matches!(answer(404, &json!({"code": 10_008})).error, Error::Gone(_)));
        assert!(matches!(answer(401, &json!({"code": 50_027})).error, Error::Gone(_)));
        assert!(matches!(answer(401, &json!({"code": 0})).error, Error::Auth(why) if why.contains("DISCORD_TOKEN")));
        assert!(matches!(answer(502, &Value::Null).error, Error::Transient { retry_after: None, .. }));
    }

    #[test]
    fn a_limit_says_how_long_and_a_bad_body_which_field() {
        let limited = answer(429, &json!({"retry_after": 0.65, "global": false}));
        assert!(
            matches!(limited.error, Error::Transient { retry_after: Some(wait), .. } if wait == Duration::from_millis(650))
        );
        let complaint =
            json!({"_errors": [{"code": "BASE_TYPE_MAX_LENGTH", "message": "Must be 256 or fewer in length."}]});
        let body =
            json!({"code": 50_035, "message": "Invalid Form Body", "errors": {"embeds": {"0": {"title": complaint}}}});
        let Error::Permanent(why) = answer(400, &body).error else { panic!("{body}") };
        assert!(why.contains("embeds.0.title: Must be 256 or fewer in length."), "{why}");
    }
}
