//! Access logs in the common and combined formats: `10.0.0.1 - - [12/Jun/2021:10:00:00 +0000] "GET / HTTP/1.1" 502 …`.

use super::parse::Peeled;
use super::record::{Header, Severity};
use super::timestamp;

/// Takes client, user and time off; request and status are the message, and the status gives the severity.
#[must_use]
pub fn peel(line: &str) -> Option<Peeled<'_>> {
    let bracket = line.find(" [")?;
    if bracket > 120 || line[..bracket].split(' ').count() < 3 {
        return None;
    }
    let time = timestamp::leading(&line[bracket + 1..])?;
    let message = line[bracket + 1 + time.len..].trim_start();
    let (_, after) = message.strip_prefix('"')?.split_once("\" ")?;
    let status: u16 = after.split(' ').next()?.parse().ok()?;
    if !(100..600).contains(&status) {
        return None;
    }
    let header =
        Header { time: Some(time.millis), severity: Some(Severity::from_http_status(status)), component: None };
    Some(Peeled::message(header, message))
}
