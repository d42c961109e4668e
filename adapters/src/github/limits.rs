//! What GitHub takes, and what it says when it takes nothing.

use std::collections::VecDeque;
use std::time::Duration;

use chrono::{DateTime, Utc};
use reqwest::header::{self, HeaderMap};
use serde_json::Value;
use tokio::time::Instant;

use crate::Error;
use crate::chat::text;

/// Requests that make something: how many in how long.
const BUDGET: [(usize, Duration); 2] = [(80, Duration::from_mins(1)), (500, Duration::from_hours(1))];
/// What GitHub asks for when it does not say how long to wait.
const A_MINUTE: Duration = Duration::from_mins(1);
/// Longest wait that is believed: the longest window of a limit.
const LONGEST: Duration = Duration::from_hours(1);
/// Characters of GitHub's own words that are repeated.
const WORDS: usize = 300;

/// The requests of the last hour that made something. GitHub refuses whoever makes too much in a short time, for everybody
/// with the same token: it is better to wait before.
#[derive(Debug, Default)]
pub struct Budget {
    made: VecDeque<Instant>,
}

impl Budget {
    /// Takes one request out of the budget.
    ///
    /// # Errors
    /// When there is none left: how long to wait.
    pub fn take(&mut self, now: Instant) -> Result<(), Duration> {
        while self.made.front().is_some_and(|at| now.duration_since(*at) >= LONGEST) {
            self.made.pop_front();
        }
        for (most, window) in BUDGET {
            let Some(nth) = self.made.len().checked_sub(most).and_then(|at| self.made.get(at)) else { continue };
            let since = now.duration_since(*nth);
            if since < window {
                return Err(window.saturating_sub(since));
            }
        }
        self.made.push_back(now);
        Ok(())
    }
}

/// Until when GitHub wants to hear nothing. Whoever goes on asking is let in later still.
#[derive(Debug, Default)]
pub struct Gate {
    until: Option<Instant>,
}

impl Gate {
    /// Closes it for so long.
    pub fn close(&mut self, now: Instant, wait: Duration) {
        self.until = self.until.max(now.checked_add(wait));
    }

    /// Whether it is open.
    ///
    /// # Errors
    /// When it is not: how long it is closed.
    pub fn pass(&self, now: Instant) -> Result<(), Duration> {
        self.until.filter(|until| *until > now).map_or(Ok(()), |until| Err(until - now))
    }
}

/// An answer that is no good one, or none at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Its status; 0 when there was no answer.
    pub status: u16,
    /// What that means.
    pub error: Error,
    /// What GitHub did not like, by name, when it says so.
    pub fields: Vec<String>,
    /// Whether it is about how much was asked.
    pub is_limit: bool,
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        refusal.error
    }
}

impl Refusal {
    /// One without an answer.
    #[must_use]
    pub fn unanswered(why: &str) -> Self {
        Self::of(0, Error::Transient { why: format!("GitHub does not answer: {why}"), retry_after: None })
    }

    /// One for a reason of ours.
    #[must_use]
    pub fn of(status: u16, error: Error) -> Self {
        Self { status, error, fields: Vec::new(), is_limit: false }
    }

    /// What an answer means; `path` is what was asked.
    #[must_use]
    pub fn read(status: u16, headers: &HeaderMap, body: &[u8], path: &str) -> Self {
        let body: Value = serde_json::from_slice(body).unwrap_or_default();
        let said = text::cut(&text::one_line(body["message"].as_str().unwrap_or_default()), WORDS, |_| 1);
        if let Some(wait) = limit(status, headers, &said) {
            let why = format!("GitHub answers {status}: too many requests");
            let error = Error::Transient { why, retry_after: Some(wait) };
            return Self { is_limit: true, ..Self::of(status, error) };
        }
        let error = match status {
            401 => Error::Auth("GitHub does not let Clew in (401): check GITHUB_TOKEN".into()),
            403 if said.contains("archived") => Error::Permanent(format!("GitHub refuses (403): {said}")),
            403 => Error::Auth(forbidden(headers, &said)),
            404 => Error::Gone(format!("GitHub finds no {path} (404), or GITHUB_TOKEN may not see it")),
            410 => Error::Gone(format!("GitHub says that {path} is gone (410)")),
            408 | 500.. => Error::Transient { why: format!("GitHub answers {status}"), retry_after: seconds(headers) },
            _ => Error::Permanent(format!("GitHub refuses ({status}): {}", in_words(&said, &body))),
        };
        Self { fields: fields(&body), ..Self::of(status, error) }
    }
}

/// How long to wait, if this is about a limit.
fn limit(status: u16, headers: &HeaderMap, said: &str) -> Option<Duration> {
    if !matches!(status, 403 | 429) {
        return None;
    }
    let is_used_up = text_of(headers, "x-ratelimit-remaining") == Some("0");
    let said = said.to_ascii_lowercase();
    // The second is what older servers say.
    let is_secondary = said.contains("secondary rate limit") || said.contains("abuse detection");
    let wait = seconds(headers).or_else(|| is_used_up.then(|| until_reset(headers)));
    wait.or_else(|| (is_secondary || status == 429).then_some(A_MINUTE)).map(|wait| wait.min(LONGEST))
}

/// The wait that the answer asks for.
fn seconds(headers: &HeaderMap) -> Option<Duration> {
    Some(Duration::from_secs(text_of(headers, header::RETRY_AFTER.as_str())?.trim().parse().ok()?))
}

/// Time until the limit begins anew, by GitHub's own clock.
fn until_reset(headers: &HeaderMap) -> Duration {
    let reset = text_of(headers, "x-ratelimit-reset").and_then(|at| at.trim().parse::<i64>().ok());
    let wait =
        reset.zip(date(headers)).and_then(|(reset, now)| u64::try_from(reset.checked_sub(now.timestamp())?).ok());
    // One second more: the header has no parts of a second.
    wait.map_or(A_MINUTE, |wait| Duration::from_secs(wait + 1))
}

/// What time it is where the answer comes from.
#[must_use]
pub fn date(headers: &HeaderMap) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc2822(text_of(headers, header::DATE.as_str())?).ok().map(|at| at.to_utc())
}

fn text_of<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// What the token lacks, as far as GitHub says it.
fn forbidden(headers: &HeaderMap, said: &str) -> String {
    let needed = |name: &str| text_of(headers, name).filter(|needed| !needed.is_empty()).map(text::one_line);
    let lacks = |what: &str| format!("GitHub does not allow this (403): GITHUB_TOKEN lacks {what}");
    if needed("x-github-sso").is_some() {
        return lacks("the authorization for the organization's single sign-on: give it to the token on its page");
    }
    match (needed("x-accepted-github-permissions"), needed("x-accepted-oauth-scopes")) {
        (Some(permissions), _) => lacks(&format!("the permission {permissions}")),
        (None, Some(scopes)) => lacks(&format!("the scope {scopes}")),
        (None, None) => format!("GitHub does not allow this (403): {said}"),
    }
}

/// What GitHub says was wrong.
fn in_words(said: &str, body: &Value) -> String {
    let errors = body["errors"].as_array().map(Vec::as_slice).unwrap_or_default();
    let mut words = vec![said.to_owned()];
    for error in errors.iter().take(5) {
        let whole = [&error["field"], &error["code"], &error["message"]];
        let parts = whole.iter().filter_map(|part| part.as_str()).collect::<Vec<_>>().join(" ");
        words.push(error.as_str().map_or(parts, str::to_owned));
    }
    words.retain(|word| !word.is_empty());
    text::cut(&text::one_line(&words.join("; ")), WORDS, |_| 1)
}

fn fields(body: &Value) -> Vec<String> {
    let errors = body["errors"].as_array().map(Vec::as_slice).unwrap_or_default();
    errors.iter().filter_map(|error| error["field"].as_str()).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)] // a test that fails stops

    use proptest::prelude::*;
    use reqwest::header::{HeaderName, HeaderValue};

    use super::*;

    fn read(status: u16, headers: &[(&str, &str)], body: &str) -> Refusal {
        let headers = headers
            .iter()
            .map(|(name, value)| (HeaderName::try_from(*name).unwrap(), HeaderValue::try_from(*value).unwrap()))
            .collect();
        Refusal::read(status, &headers, body.as_bytes(), "/repos/acme/shop")
    }

    fn wait(refusal: &Refusal) -> Option<u64> {
        match &refusal.error {
            Error::Transient { retry_after, .. } => retry_after.map(|wait| wait.as_secs()),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn limits_say_how_long() {
        for (status, headers, body, seconds) in [
            (403, &[("retry-after", "30")][..], "", 30),
            (429, &[("retry-after", "7")], "", 7),
            (429, &[("retry-after", "999999")], "", 3600),
            (429, &[], "", 60),
            (403, &[], r#"{"message": "You have exceeded a secondary rate limit."}"#, 60),
            (403, &[("x-ratelimit-remaining", "0")], "", 60),
            (
                403,
                &[
                    ("x-ratelimit-remaining", "0"),
                    ("x-ratelimit-reset", "1700000100"),
                    ("date", "Tue, 14 Nov 2023 22:13:20 GMT"),
                ],
                "",
                101,
            ),
        ] {
            let refusal = read(status, headers, body);
            assert!(refusal.is_limit, "{headers:?}");
            assert_eq!(wait(&refusal), Some(seconds), "{headers:?}");
        }
        assert_eq!(wait(&read(503, &[("retry-after", "9")], "")), Some(9));
        assert_eq!(wait(&read(502, &[], "<html>")), None);
        assert!(!read(502, &[], "").is_limit);
    }

    #[test]
    fn other_refusals_say_what_to_do() {
        let said = |status, headers: &[(&str, &str)], body: &str| read(status, headers, body).error.to_string();
        assert_eq!(said(401, &[], ""), "GitHub does not let Clew in (401): check GITHUB_TOKEN");
        assert_eq!(
            said(
                403,
                &[("x-accepted-github-permissions", "issues=write")],
                r#"{"message": "Resource not accessible"}"#
            ),
            "GitHub does not allow this (403): GITHUB_TOKEN lacks the permission issues=write"
        );
        assert_eq!(
            said(403, &[("x-ratelimit-remaining", "4999")], r#"{"message": "No."}"#),
            "GitHub does not allow this (403): No."
        );
        let refused = r#"{"message": "Validation Failed", "errors": [{"resource": "Issue", "field": "assignees",
            "code": "invalid", "value": "mara"}, "and more"]}"#;
        assert_eq!(said(422, &[], refused), "GitHub refuses (422): Validation Failed; assignees invalid; and more");
        assert_eq!(read(422, &[], refused).fields, ["assignees"]);
        assert_eq!(said(502, &[], "<html>"), "GitHub answers 502");
        let archived = read(403, &[], r#"{"message": "Repository was archived so is read-only."}"#);
        assert!(matches!(archived.error, Error::Permanent(_)));
        assert!(matches!(read(404, &[], "").error, Error::Gone(_)));
        assert!(matches!(read(410, &[], "").error, Error::Gone(_)));
    }

    #[test]
    fn the_budget_is_eighty_a_minute_and_five_hundred_an_hour() {
        let (mut budget, start) = (Budget::default(), Instant::now());
        let at = |seconds: u64| start + Duration::from_secs(seconds);
        for _ in 0..80 {
            assert_eq!(budget.take(at(0)), Ok(()));
        }
        assert_eq!(budget.take(at(10)), Err(Duration::from_secs(50)));
        let mut taken = 80;
        for second in 60..3_600 {
            while budget.take(at(second)).is_ok() {
                taken += 1;
            }
        }
        assert_eq!(taken, 500);
        assert_eq!(budget.take(at(3_599)), Err(Duration::from_secs(1)));
        assert_eq!(budget.take(at(3_600)), Ok(()));
    }

    #[test]
    fn a_closed_gate_opens_by_itself() {
        let (mut gate, now) = (Gate::default(), Instant::now());
        assert_eq!(gate.pass(now), Ok(()));
        gate.close(now, Duration::from_secs(30));
        gate.close(now, Duration::from_secs(5));
        assert_eq!(gate.pass(now + Duration::from_secs(10)), Err(Duration::from_secs(20)));
        assert_eq!(gate.pass(now + Duration::from_secs(30)), Ok(()));
    }

    proptest! {
        #[test]
        fn no_window_ever_holds_more(steps in proptest::collection::vec(0u64..20_000, 1..1_500)) {
            let (mut budget, mut now) = (Budget::default(), Instant::now());
            let mut made: Vec<Instant> = Vec::new();
            for step in steps {
                now += Duration::from_millis(step);
                if budget.take(now).is_ok() {
                    made.push(now);
                }
            }
            for (most, window) in BUDGET {
                prop_assert!(made.windows(most + 1).all(|some| some[most] - some[0] >= window));
            }
        }

        #[test]
        fn no_answer_panics(status in 0u16..1_000, body in ".*") {
            let headers = [
                ("x-ratelimit-reset", "-9223372036854775808"),
                ("x-ratelimit-remaining", "0"),
                ("date", "Tue, 14 Nov 2023 22:13:20 GMT"),
            ];
            let _ = read(status, &headers, &body);
        }
    }
}
