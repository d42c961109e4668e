//! `dmesg` lines: `[12345.678901] message`, with `<4>` before it or not.

use super::parse::Peeled;
use super::record::Header;

/// Takes the uptime stamp off.
#[must_use]
pub fn peel(line: &str) -> Option<Peeled<'_>> {
    let text = line.trim_start();
    let text = match text.strip_prefix('<').and_then(|t| t.split_once('>')) {
        Some((number, rest)) if number.parse::<u8>().is_ok() => rest,
        _ => text,
    };
    let (stamp, rest) = text.strip_prefix('[')?.split_once(']')?;
    let stamp = stamp.trim();
    let (seconds, fraction) = stamp.split_once('.')?;
    if fraction.len() < 5 || fraction.len() > 6 {
        return None;
    }
    let seconds: i64 = seconds.parse().ok()?;
    let micros: i64 = fraction.parse().ok()?;
    let time = seconds.checked_mul(1000)?.checked_add(micros / 1000)?;
    let header = Header { time: Some(time), severity: None, component: Some("kernel".to_owned()) };
    Some(Peeled::around(header, rest.strip_prefix(' ').unwrap_or(rest)))
}
