//! Kubernetes' own layout (klog, glog): `E0512 10:00:00.123456   12345 kubelet.go:123] message`.

use super::parse::Peeled;
use super::record::{Header, Severity};
use super::timestamp;

/// Takes a klog header off.
#[must_use]
pub fn peel(line: &str) -> Option<Peeled<'_>> {
    let bytes = line.as_bytes();
    let severity =
        matches!(bytes.first(), Some(b'I' | b'W' | b'E' | b'F')).then(|| Severity::from_letter(bytes[0])).flatten()?;
    if bytes.len() < 20 || !bytes[1..5].iter().all(u8::is_ascii_digit) || bytes[5] != b' ' {
        return None;
    }
    let clock = timestamp::leading(&line[6..])?;
    let (head, message) = line[6 + clock.len..].split_once("] ")?;
    let source = head.split_whitespace().next_back()?;
    let file = source.split(':').next().unwrap_or(source);
    let month_day: i64 = line[1..5].parse().ok()?;
    let time = ((month_day / 100 - 1) * 31 + month_day % 100) * 86_400_000 + clock.millis;
    let header = Header { time: Some(time), severity: Some(severity), component: Some(file.to_owned()) };
    Some(Peeled::message(header, message))
}
