//! Sentences that senders write word for word, with the title in their midst: `Your service shop went down.`

use super::headline::Strength;
use super::title;
use crate::alerts::{AlertStatus, Severity};

/// Longest sentence, in bytes, that is looked at.
const BYTES: usize = 1_000;

/// What stands before the title, what comes after it, what that says and how surely.
const SENTENCES: &[(&str, &str, AlertStatus, Strength)] = &[
    // Uptime Kuma.
    ("your service ", " went down", AlertStatus::Firing, Strength::Certain),
    ("your service ", " is up", AlertStatus::Resolved, Strength::Certain),
    // StatusCake.
    ("your site ", " went down", AlertStatus::Firing, Strength::Certain),
    ("your site ", " came back up", AlertStatus::Resolved, Strength::Certain),
    // Gatus.
    ("an alert for ", " has been triggered due to having failed", AlertStatus::Firing, Strength::Certain),
    ("an alert for ", " has been resolved after passing successfully", AlertStatus::Resolved, Strength::Certain),
    // Healthchecks.
    ("“", "” is down", AlertStatus::Firing, Strength::Likely),
    ("“", "” is up", AlertStatus::Resolved, Strength::Likely),
    // Beszel.
    ("", " above threshold", AlertStatus::Firing, Strength::Likely),
    ("", " below threshold", AlertStatus::Resolved, Strength::Likely),
];

/// What Netdata says of a host, before what it is about.
const NETDATA: &[(&str, AlertStatus, Option<Severity>)] = &[
    (" is critical", AlertStatus::Firing, Some(Severity::Critical)),
    (" needs attention", AlertStatus::Firing, Some(Severity::Medium)),
    (" recovered", AlertStatus::Resolved, None),
];

/// What a sentence says.
#[derive(Debug, PartialEq)]
pub(super) struct Phrase {
    /// What it is about.
    pub title: String,
    /// The host that it names.
    pub host: Option<String>,
    /// What follows the title.
    pub rest: String,
    /// The state.
    pub status: AlertStatus,
    /// How bad it is.
    pub severity: Option<Severity>,
    /// How surely it is one of an alert.
    pub strength: Strength,
}

/// The phrase that `line`, which begins with no sign, is.
pub(super) fn of(line: &str) -> Option<Phrase> {
    let line = line.trim();
    let bold = line.strip_prefix('*').and_then(|line| line.strip_suffix('*'));
    let line = bold.filter(|line| !line.contains('*')).unwrap_or(line);
    if line.len() > BYTES {
        return None;
    }
    // Keeps the places of all bytes.
    let lower = line.to_ascii_lowercase();
    SENTENCES.iter().find_map(|sentence| sentence_in(line, &lower, sentence)).or_else(|| netdata(line))
}

fn sentence_in(line: &str, lower: &str, sentence: &(&str, &str, AlertStatus, Strength)) -> Option<Phrase> {
    let (before, after, status, strength) = *sentence;
    let start = lower.starts_with(before).then_some(before.len())?;
    let end = start + lower[start..].find(after)?;
    let (said, rest) = line[end..].split_at(after.len());
    // The end of the sentence, or the number of times that follows in Gatus' sentences.
    let is_end = rest.is_empty() || rest.starts_with(['.', '!', ':', ',', ';']) || rest.starts_with(" (");
    let counts = rest.strip_prefix(' ').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    let title = title::of(line[start..end].trim().trim_matches(['"', '\'', '“', '”'])).words;
    // A battery is well above its threshold.
    let is_battery = before.is_empty() && title.to_lowercase().contains("battery");
    if title.is_empty() || is_battery || !(is_end || counts) {
        return None;
    }
    let rest = rest.trim_start_matches(['.', '!', ':', ',', ';', ' ']).trim();
    let rest = if counts { format!("{} {rest}", said.trim()) } else { rest.to_owned() };
    let rest = rest.trim_end_matches(':').to_owned();
    Some(Phrase { title, host: None, rest, status, severity: None, strength })
}

/// `web-1 is critical, `system.cpu` (_cpu_), *10min cpu usage = 92%*`.
fn netdata(line: &str) -> Option<Phrase> {
    let (who, about) = line.split_once(", ").filter(|(_, about)| about.starts_with('`'))?;
    let (host, status, severity) =
        NETDATA.iter().find_map(|(words, status, severity)| Some((who.strip_suffix(words)?, *status, *severity)))?;
    let (_, alarm) = about.rsplit_once(", ")?;
    let alarm = alarm.trim_matches(['*', ' ']);
    // The value, or how long it was, are others in each post.
    let name = [" = ", " ("]
        .iter()
        .filter_map(|sign| alarm.split_once(sign))
        .map(|(name, _)| name)
        .min_by_key(|name| name.len());
    let name = title::of(name.unwrap_or(alarm)).words;
    if name.is_empty() || host.is_empty() || host.contains(char::is_whitespace) {
        return None;
    }
    Some(Phrase {
        title: format!("{name} on {host}"),
        host: Some(host.to_owned()),
        rest: about.to_owned(),
        status,
        severity,
        strength: Strength::Certain,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_of_known_senders() {
        for (line, title, status, rest) in [
            ("Your service shop went down.", "shop", AlertStatus::Firing, ""),
            ("Your service shop is up!", "shop", AlertStatus::Resolved, ""),
            ("Your site \"shop\" went down. Status code 500", "shop", AlertStatus::Firing, "Status code 500"),
            (
                "An alert for *core/shop* has been triggered due to having failed 3 time(s) in a row:",
                "core/shop",
                AlertStatus::Firing,
                "has been triggered due to having failed 3 time(s) in a row",
            ),
            ("“Nightly sync” is DOWN.", "Nightly sync", AlertStatus::Firing, ""),
            ("“Nightly sync” is UP (late)", "Nightly sync", AlertStatus::Resolved, "(late)"),
            ("web-1 CPU above threshold", "web-1 CPU", AlertStatus::Firing, ""),
            (
                "web-1 is critical, `system.cpu` (_cpu_), *10min cpu usage = 92%*",
                "10min cpu usage on web-1",
                AlertStatus::Firing,
                "`system.cpu` (_cpu_), *10min cpu usage = 92%*",
            ),
            (
                "web-1 recovered, `system.cpu` (_cpu_), *10min cpu usage (alarm was raised for 5 minutes)*",
                "10min cpu usage on web-1",
                AlertStatus::Resolved,
                "`system.cpu` (_cpu_), *10min cpu usage (alarm was raised for 5 minutes)*",
            ),
        ] {
            let phrase = of(line).unwrap_or_else(|| panic!("{line}"));
            assert_eq!((phrase.title.as_str(), phrase.status, phrase.rest.as_str()), (title, status, rest), "{line}");
        }
    }

    #[test]
    fn other_sentences_are_none() {
        for line in [
            "",
            "Your service went down",
            "Your service shop went down the drain",
            "Your service shop is up to date",
            "“Nightly sync” is up next",
            "phone battery below threshold",
            "We are critical, but kind",
            "web-1 recovered, thanks to Ada",
        ] {
            assert_eq!(of(line), None, "{line}");
        }
    }
}
