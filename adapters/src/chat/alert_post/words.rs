//! Words that senders put before a title: the state, how bad it is, that it is an alert at all.

use super::headline::Strength;
use super::look;
use crate::alerts::{AlertStatus, Severity};

/// Where words stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// In brackets.
    Bracket,
    /// Before a colon, a dash, or the title itself. Sentences begin like that, too.
    Front,
}

/// What words say.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Verdict {
    pub status: Option<AlertStatus>,
    pub severity: Option<Severity>,
    pub strength: Strength,
    pub firing: usize,
    pub resolved: usize,
    pub has_number: bool,
    pub scope: String,
}

/// Words around a state that say nothing themselves.
const FILLERS: &[&str] =
    &["is", "the", "new", "status", "state", "severity", "priority", "monitor", "prometheus", "grafana"];
/// Words that say that it is an alert.
const ALERTS: &[&str] = &["alert", "alerts", "alert(s)", "incident", "incidents"];

/// What `words` say; `None` when there is anything else in them.
pub(super) fn verdict(words: &str, place: Place) -> Option<Verdict> {
    let words = words.trim().to_lowercase();
    if words.len() > 90 {
        return None;
    }
    let (words, scope) = match words.split_once(" on {") {
        Some((words, scope)) => (words, scope.trim_end_matches('}')),
        None => (words.as_str(), ""),
    };
    let mut all = Verdict { scope: scope.to_owned(), ..Verdict::default() };
    for piece in words.split([',', '/']) {
        let said = piece_of(&clean(piece), place)?;
        all.status = all.status.or(said.status);
        all.severity = all.severity.or(said.severity);
        all.strength = all.strength.max(said.strength);
        all.has_number |= said.has_number;
        (all.firing, all.resolved) = (all.firing + said.firing, all.resolved + said.resolved);
    }
    Some(all)
}

/// `words` without signs and marks of form.
fn clean(words: &str) -> String {
    let mut rest = words;
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_whitespace() || matches!(c, '*' | '_' | '`'));
        match look::peel(rest) {
            Some((_, after)) => rest = after,
            None => break,
        }
    }
    look::without_trailing(rest).chars().filter(|c| !matches!(c, '*' | '`')).collect()
}

/// `firing:3`, `firing[3]`, `triggered #12`, `resolved in 5m 2s`, `p1`, `#12`.
fn piece_of(piece: &str, place: Place) -> Option<Verdict> {
    if let Some(severity) = severity(piece, place) {
        return Some(Verdict { severity: Some(severity), strength: Strength::Weak, ..Verdict::default() });
    }
    let (name, rest) = match piece.split_once(" in ").or_else(|| piece.split_once(" after ")) {
        Some((name, _)) if status(name).is_some_and(|(status, _)| status == AlertStatus::Resolved) => (name, ""),
        _ => piece.split_at(
            piece.find(|c: char| c.is_ascii_digit() || matches!(c, '#' | ':' | '[' | '(')).unwrap_or(piece.len()),
        ),
    };
    let has_number = rest.starts_with('#');
    let digits = rest.trim_matches(|c: char| c.is_whitespace() || matches!(c, ':' | '[' | ']' | '(' | ')' | '#'));
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let count: usize = if has_number { 0 } else { digits.parse().unwrap_or_default() };
    let words: Vec<&str> = name.split_whitespace().filter(|word| !FILLERS.contains(word)).collect();
    let says_alert = words.iter().any(|word| ALERTS.contains(word));
    let core = words.into_iter().filter(|word| !ALERTS.contains(word)).collect::<Vec<_>>().join(" ");
    if core.is_empty() {
        let is_number = has_number && !digits.is_empty();
        let strength = if says_alert { Strength::Weak } else { Strength::None };
        return (says_alert || is_number).then(|| Verdict { strength, has_number, ..Verdict::default() });
    }
    // `Incident started`: what else starts is no trouble.
    let started = Some((AlertStatus::Firing, Strength::Weak)).filter(|_| says_alert && core == "started");
    let Some((status, sure)) = status(&core).or(started) else {
        let severity = severity(&core, place).filter(|_| digits.is_empty())?;
        return Some(Verdict { severity: Some(severity), strength: Strength::Weak, ..Verdict::default() });
    };
    let strength = if place == Place::Front { sure.min(Strength::Likely) } else { sure };
    let (firing, resolved) = if status == AlertStatus::Resolved { (0, count) } else { (count, 0) };
    let severity = core.contains("warn").then_some(Severity::Medium);
    Some(Verdict { status: Some(status), severity, strength, firing, resolved, has_number, scope: String::new() })
}

/// The state, and how surely a title with it is one of an alert.
pub(super) fn status(word: &str) -> Option<(AlertStatus, Strength)> {
    use AlertStatus::{Acknowledged, Firing, Resolved};
    use Strength::{Certain, Likely, Weak};
    Some(match word.trim() {
        "firing" | "fired" | "alerting" | "triggered" | "re-triggered" | "retriggered" | "no data" | "re-no data"
        | "nodata" | "alarm" | "in alarm" | "problem" => (Firing, Certain),
        "recovered" => (Resolved, Certain),
        "down" | "unhealthy" => (Firing, Likely),
        "resolved" => (Resolved, Likely),
        "acknowledged" | "acked" => (Acknowledged, Likely),
        "warn" | "re-warn" | "renotify" | "open" | "opened" | "active" | "insufficient_data" | "insufficient data" => {
            (Firing, Weak)
        }
        "ack" | "acknowledgement" | "acknowledgment" => (Acknowledged, Weak),
        "ok" | "up" | "closed" | "cleared" | "healthy" | "recovery" | "back to normal" => (Resolved, Weak),
        _ => return None,
    })
}

/// Whether it is the state of something that is looked at from outside: `🔴 Down`.
pub(super) fn is_up_or_down(state: &str) -> bool {
    matches!(clean(&state.to_lowercase()).trim(), "up" | "down")
}

/// How bad it is. Before a colon stand other words as well: an `Error:` belongs to what follows.
fn severity(word: &str, place: Place) -> Option<Severity> {
    let word = word.trim();
    let is_plain = matches!(word, "critical" | "crit" | "warning" | "emergency" | "disaster");
    let is_grade = word.len() <= 5 && word.ends_with(|c: char| c.is_ascii_digit());
    let is_bracketed =
        place == Place::Bracket && !matches!(word, "alert" | "page" | "none" | "debug" | "notice" | "err");
    Severity::from_word(word).filter(|_| is_plain || is_grade || is_bracketed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_before_a_title() {
        use AlertStatus::{Acknowledged, Firing, Resolved};
        for (words, status, severity, counts) in [
            ("FIRING:3", Some(Firing), None, (3, 0)),
            ("FIRING:2, RESOLVED:1", Some(Firing), None, (2, 1)),
            ("RESOLVED", Some(Resolved), None, (0, 0)),
            ("FIRING[2]", Some(Firing), None, (2, 0)),
            ("🔥 Alerts Firing", Some(Firing), None, (0, 0)),
            ("Resolved in 1h 5m", Some(Resolved), None, (0, 0)),
            ("Triggered #1234", Some(Firing), None, (0, 0)),
            ("Acknowledged #1", Some(Acknowledged), None, (0, 0)),
            ("Monitor is DOWN", Some(Firing), None, (0, 0)),
            ("Incident started", Some(Firing), None, (0, 0)),
            ("✅ Up", Some(Resolved), None, (0, 0)),
            (":red_circle: Critical", None, Some(Severity::Critical), (0, 0)),
            ("P1", None, Some(Severity::Critical), (0, 0)),
            ("Warn", Some(Firing), Some(Severity::Medium), (0, 0)),
            ("New alert", None, None, (0, 0)),
            ("#12", None, None, (0, 0)),
        ] {
            let verdict = verdict(words, Place::Front).unwrap_or_else(|| panic!("{words}"));
            assert_eq!((verdict.status, verdict.severity), (status, severity), "{words}");
            assert_eq!((verdict.firing, verdict.resolved), counts, "{words}");
        }
        for other in [
            "",
            "Error",
            "TypeError",
            "firing squad",
            "shop",
            "resolved by ada",
            "started",
            "12",
            "down:8080x",
            "P1 bug",
            "up to 5",
        ] {
            assert_eq!(verdict(other, Place::Front), None, "{other}");
        }
        assert_eq!(
            verdict("Triggered on {host:a,env:b}", Place::Bracket).map(|verdict| verdict.scope).as_deref(),
            Some("host:a,env:b")
        );
        assert_eq!(verdict("Error", Place::Bracket).and_then(|verdict| verdict.severity), Some(Severity::High));
    }
}
