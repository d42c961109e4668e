//! Plain text: the first line is the title, all lines are logs. For `curl --data-binary @-` and senders that know no
//! more.

use super::common::{alert, fingerprint_of_id, fingerprint_of_title};
use super::{Alert, AlertFormat, AlertStatus, Delivery, ParseError, Request, Severity, limits};

/// Characters of a line that make a title.
const TITLE_CHARS: usize = 200;

/// Plain text.
pub struct Text;

impl AlertFormat for Text {
    fn name(&self) -> &'static str {
        "text"
    }

    fn parse(&self, request: &Request) -> Result<Delivery, ParseError> {
        if is_binary(request.body) {
            return Err(ParseError("the body is not text: send plain text, unpacked and as UTF-8".to_owned()));
        }
        let body = String::from_utf8_lossy(request.body);
        let asked = |name: &str| (request.query)(name).filter(|value| !value.trim().is_empty());
        let first = body.lines().find(|line| !line.trim().is_empty());
        let Some(title) = asked("title").or_else(|| first.map(|line| limits::one_line(line, TITLE_CHARS))) else {
            return Err(ParseError(
                "the body is empty: send at least one line of text, the title of the alert".to_owned(),
            ));
        };
        let service = asked("service");
        let alert = Alert {
            fingerprint: match asked("fingerprint") {
                Some(id) => fingerprint_of_id(self.name(), &id),
                None => fingerprint_of_title(self.name(), &title, service.as_deref()),
            },
            status: asked("status").and_then(|word| AlertStatus::from_word(&word)).unwrap_or(AlertStatus::Firing),
            severity: asked("severity").and_then(|word| Severity::from_word(&word)),
            service,
            logs: body.lines().map(str::to_owned).collect(),
            ..alert(self.name(), title)
        };
        let key = (request.header)("idempotency-key").filter(|key| !key.trim().is_empty());
        Ok(limits::bounded(Delivery { key, alerts: vec![alert], omitted: 0, confirm: None }))
    }
}

/// Whether bytes are packed or no text at all. A few stray zeros, as a crash leaves them in a log, are text.
fn is_binary(bytes: &[u8]) -> bool {
    let odd = bytes.iter().filter(|byte| matches!(byte, 0..=8 | 14..=26 | 28..=31)).count();
    bytes.starts_with(b"\x1f\x8b") || odd * 10 > bytes.len()
}
