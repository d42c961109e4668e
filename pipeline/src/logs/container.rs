//! Prefixes that container tools put before the lines of what runs inside: `docker compose`, `kubectl logs --prefix`,
//! the CRI log files of kubelet and Docker's `json-file`.

use super::parse::Peeled;
use super::record::Header;
use super::timestamp;

/// Takes a container tool's prefix off.
#[must_use]
pub fn peel(line: &str) -> Option<Peeled<'_>> {
    compose(line).or_else(|| cri(line)).or_else(|| kubectl_prefix(line))
}

/// `web_1  | message`
fn compose(line: &str) -> Option<Peeled<'_>> {
    let text = line.trim_start();
    let name_end = text.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.')))?;
    let after = text[name_end..].trim_start_matches(' ');
    let rest = after.strip_prefix('|')?;
    let name = &text[..name_end];
    // A table row or a pipe in a message is no prefix: the name must look like a service and a space must follow the bar.
    if name.len() < 2 || name.parse::<f64>().is_ok() || !(rest.is_empty() || rest.starts_with(' ')) {
        return None;
    }
    if super::record::Severity::from_word(name).is_some() {
        return None;
    }
    let header = Header { component: Some(name.to_owned()), ..Header::default() };
    Some(Peeled::around(header, rest.strip_prefix(' ').unwrap_or(rest)))
}

/// `2024-05-01T10:00:00.123456789Z stderr F message`
fn cri(line: &str) -> Option<Peeled<'_>> {
    let time = timestamp::leading(line)?;
    let rest = line[time.len..].strip_prefix(' ')?;
    let rest = rest.strip_prefix("stdout ").or_else(|| rest.strip_prefix("stderr "))?;
    let rest = rest.strip_prefix("F ").or_else(|| rest.strip_prefix("P "))?;
    Some(Peeled::around(Header { time: Some(time.millis), ..Header::default() }, rest))
}

/// `[pod/web-77/app] message`
fn kubectl_prefix(line: &str) -> Option<Peeled<'_>> {
    let inner = line.strip_prefix("[pod/")?;
    let end = inner.find("] ")?;
    let name = &inner[..end];
    if name.contains(' ') {
        return None;
    }
    let header = Header { component: Some(name.to_owned()), ..Header::default() };
    Some(Peeled::around(header, &inner[end + 2..]))
}
