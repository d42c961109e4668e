//! How much of what a sender controls is kept.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::common::{digest, short};
use super::{Alert, Delivery};

/// Alerts of one delivery; the others are counted as omitted.
pub const ALERTS: usize = 10_000;
/// Labels, and values, of an alert.
pub const LABELS: usize = 100;
/// Characters of a label.
pub const LABEL_CHARS: usize = 1_024;
/// Characters of a title.
pub const TITLE_CHARS: usize = 300;
/// Bytes of a text.
pub const TEXT_BYTES: usize = 16 * 1_024;
/// Log lines, with the one that says how many were cut.
pub const LOG_LINES: usize = 20_000;
/// Bytes of a log line.
pub const LINE_BYTES: usize = 16 * 1_024;
/// Bytes of an address. A longer one is dropped: half an address leads nowhere.
const URL_BYTES: usize = 2_048;
/// Bytes of a key or group. A longer one is replaced by its hash: cut, it might equal another.
const KEY_BYTES: usize = 512;

/// `delivery` within the limits.
pub(super) fn bounded(mut delivery: Delivery) -> Delivery {
    delivery.omitted = delivery.omitted.saturating_add(delivery.alerts.len().saturating_sub(ALERTS));
    delivery.alerts.truncate(ALERTS);
    delivery.alerts = delivery.alerts.into_iter().map(bounded_alert).collect();
    delivery.key = delivery.key.map(bounded_key);
    delivery
}

pub(crate) fn bounded_alert(alert: Alert) -> Alert {
    let title = one_line(&alert.title, TITLE_CHARS);
    Alert {
        title: if title.is_empty() { "Alert without a title".to_owned() } else { title },
        text: cut_bytes(printable(&alert.text).trim(), TEXT_BYTES),
        service: alert.service.map(|service| one_line(&service, LABEL_CHARS)).filter(|service| !service.is_empty()),
        group: alert.group.map(bounded_key),
        labels: bounded_labels(alert.labels),
        values: bounded_labels(alert.values),
        url: alert.url.filter(|url| is_address(url)),
        runbook_url: alert.runbook_url.filter(|url| is_address(url)),
        logs: bounded_logs(alert.logs),
        ..alert
    }
}

/// `text` as one line of at most `chars` characters.
pub(crate) fn one_line(text: &str, chars: usize) -> String {
    let line = without_escapes(text)
        .split(|c: char| c.is_whitespace() || c.is_control())
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ");
    match line.char_indices().nth(chars) {
        None => line,
        Some(_) => line.chars().take(chars.saturating_sub(1)).chain(['…']).collect(),
    }
}

fn cut_bytes(text: &str, bytes: usize) -> String {
    if text.len() <= bytes {
        return text.to_owned();
    }
    let end = text.floor_char_boundary(bytes - '…'.len_utf8());
    format!("{}…", &text[..end])
}

/// `text` without the sequences that colour a terminal: what is left of one when only its first character goes would hide
/// the header of a log line.
fn without_escapes(text: &str) -> Cow<'_, str> {
    if !text.contains('\u{1b}') {
        return Cow::Borrowed(text);
    }
    let mut pieces = text.split('\u{1b}');
    let mut kept = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let end = piece.strip_prefix('[').and_then(|sequence| sequence.find(|c: char| ('@'..='~').contains(&c)));
        kept.push_str(end.map_or(piece, |end| &piece[end + 2..]));
    }
    Cow::Owned(kept)
}

fn printable(text: &str) -> String {
    without_escapes(text).chars().filter(|c| !c.is_control() || matches!(c, '\n' | '\t')).collect()
}

fn bounded_labels(labels: BTreeMap<String, String>) -> BTreeMap<String, String> {
    labels
        .into_iter()
        .take(LABELS)
        .map(|(name, value)| (one_line(&name, LABEL_CHARS), cut_chars(&printable(&value), LABEL_CHARS)))
        .collect()
}

fn cut_chars(text: &str, chars: usize) -> String {
    match text.char_indices().nth(chars) {
        None => text.to_owned(),
        Some(_) => text.chars().take(chars - 1).chain(['…']).collect(),
    }
}

fn bounded_logs(mut logs: Vec<String>) -> Vec<String> {
    if logs.len() > LOG_LINES {
        let more = logs.len() - (LOG_LINES - 1);
        logs.truncate(LOG_LINES - 1);
        logs.push(format!("… {more} more lines were cut"));
    }
    logs.into_iter().map(|line| cut_bytes(&line, LINE_BYTES)).collect()
}

fn bounded_key(key: String) -> String {
    if key.len() > KEY_BYTES || key.contains(char::is_control) { short(&digest([key.as_str()])) } else { key }
}

fn is_address(url: &str) -> bool {
    url.len() <= URL_BYTES
        && (url.starts_with("https://") || url.starts_with("http://"))
        && !url.contains(|c: char| c.is_whitespace() || c.is_control())
}

#[cfg(test)]
mod tests {
    use super::super::common::alert;
    use super::*;

    fn bounded_one(alert: Alert) -> Alert {
        bounded(Delivery { alerts: vec![alert], ..Delivery::default() }).alerts.remove(0)
    }

    #[test]
    fn alerts_over_the_limit_are_counted() {
        let alerts = vec![alert("x", "t"); ALERTS + 3];
        let delivery = bounded(Delivery { alerts, omitted: 4, ..Delivery::default() });
        assert_eq!((delivery.alerts.len(), delivery.omitted), (ALERTS, 7));
    }

    #[test]
    fn a_title_is_one_line_of_300_characters() {
        assert_eq!(bounded_one(alert("x", " a\n\u{0} b\tc ")).title, "a b c");
        let long = bounded_one(alert("x", "é".repeat(301))).title;
        assert_eq!(long.chars().count(), 300);
        assert!(long.ends_with("é…"));
        assert_eq!(bounded_one(alert("x", "é".repeat(300))).title, "é".repeat(300));
        assert_eq!(bounded_one(alert("x", "\n")).title, "Alert without a title");
    }

    #[test]
    fn a_text_ends_at_a_character() {
        let text = bounded_one(Alert { text: format!("a{}", "é".repeat(TEXT_BYTES)), ..alert("x", "t") }).text;
        assert!(text.len() <= TEXT_BYTES && text.len() > TEXT_BYTES - 8 && text.ends_with("é…"));
        assert_eq!(bounded_one(Alert { text: "one\n\ttwo\u{7}\r\n".to_owned(), ..alert("x", "t") }).text, "one\n\ttwo");
    }

    #[test]
    fn labels_are_few_and_short() {
        let labels: BTreeMap<_, _> = (0..150).map(|n| (format!("{n:03}"), "ü".repeat(2_000))).collect();
        let labels = bounded_one(Alert { labels, ..alert("x", "t") }).labels;
        assert_eq!(labels.len(), LABELS);
        assert!(labels.values().all(|value| value.chars().count() == LABEL_CHARS));
    }

    #[test]
    fn the_last_line_says_how_many_lines_were_cut() {
        let logs: Vec<String> = (0..20_005).map(|n| n.to_string()).collect();
        let logs = bounded_one(Alert { logs, ..alert("x", "t") }).logs;
        assert_eq!(logs.len(), LOG_LINES);
        assert_eq!(logs[19_998..], ["19998", "… 6 more lines were cut"]);
        let full: Vec<String> = (0..20_000).map(|n| n.to_string()).collect();
        assert_eq!(bounded_one(Alert { logs: full.clone(), ..alert("x", "t") }).logs, full);
    }

    #[test]
    fn only_whole_addresses_of_the_web_are_kept() {
        for (url, kept) in [
            ("https://a.example/x", true),
            ("http://a.example", true),
            ("javascript:alert(1)", false),
            ("https://a.example/x y", false),
            ("", false),
        ] {
            let alert = bounded_one(Alert { url: Some(url.to_owned()), ..alert("x", "t") });
            assert_eq!(alert.url.is_some(), kept, "{url}");
        }
        let long = Alert { runbook_url: Some(format!("https://{}", "a".repeat(3_000))), ..alert("x", "t") };
        assert_eq!(bounded_one(long).runbook_url, None);
    }

    #[test]
    fn long_keys_stay_different() {
        let key = |end: &str| {
            let key = Some(format!("{}{end}", "k".repeat(1_000)));
            bounded(Delivery { key, ..Delivery::default() }).key
        };
        assert_ne!(key("a"), key("b"));
        assert_eq!(key("a").map(|key| key.len()), Some(16));
    }
}
