//! The words of a title, without what templates put around them.

use crate::alerts::Severity;

/// A title.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Title {
    /// The words.
    pub words: String,
    /// How bad it is, where it stands after the words.
    pub severity: Option<Severity>,
    /// What follows that is not the same in each post.
    pub rest: String,
}

/// The title in a text.
pub(super) fn of(text: &str) -> Title {
    let text = tidy(text);
    // `shop ( https://shop.example ) - Reason: HTTP 502`, as Uptime Robot writes it.
    let (text, rest) = match text.split_once(" ( http").or_else(|| text.split_once(" (http")) {
        Some((words, rest)) => (words, format!("(http{rest}")),
        None => (text.as_str(), String::new()),
    };
    // `High load - critical`: templates put how bad it is beside the name.
    let (words, severity) = match text.rsplit_once(" - ") {
        Some((words, word)) if is_severity(word) => (words, Severity::from_word(word)),
        _ => (text, None),
    };
    let inner = words.strip_prefix('(').and_then(|words| words.strip_suffix(')'));
    let words = inner.filter(|inner| !inner.contains(['(', ')'])).unwrap_or(words).trim();
    Title { words: words.to_owned(), severity, rest }
}

fn is_severity(word: &str) -> bool {
    matches!(word.trim().to_lowercase().as_str(), "critical" | "warning" | "info" | "high" | "medium" | "low" | "page")
}

/// `text` without marks of form. One without any letter or figure is none.
fn tidy(text: &str) -> String {
    let words = text.split_whitespace().map(|word| {
        let bare = word.replace('`', "");
        let thin = bare.trim_matches('*');
        if thin.is_empty() { bare } else { thin.to_owned() }
    });
    let text = words.filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
    let text = text.strip_prefix('_').and_then(|text| text.strip_suffix('_')).unwrap_or(&text);
    let text = text.trim_matches([' ', '|', '–', '—', ':', '~']);
    if text.contains(char::is_alphanumeric) { text.to_owned() } else { String::new() }
}

/// Whether a title says no more than that there is an alert: `Prometheus Alert`, `Monitoring Event Notification`.
pub(super) fn is_general(title: &str) -> bool {
    let title = title.to_lowercase();
    let words: Vec<&str> = title.split_whitespace().collect();
    let ends =
        ["alert", "alerts", "alert(s)", "notification", "notifications", "alarm", "incident", "triggered", "firing"];
    words.len() <= 4 && words.last().is_some_and(|word| ends.contains(&word.trim_end_matches([':', '!'])))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn titles() {
        for (text, words, severity, rest) in [
            ("*High* `load` - `critical`", "High load", Some(Severity::Critical), ""),
            ("SELECT * FROM a - b", "SELECT * FROM a - b", None, ""),
            ("shop ( https://shop.example ) - Reason: x", "shop", None, "(https://shop.example ) - Reason: x"),
            ("(TestAlert Grafana)", "TestAlert Grafana", None, ""),
            ("(a) and (b)", "(a) and (b)", None, ""),
            ("_it_ :", "_it_", None, ""),
            (" - ", "", None, ""),
        ] {
            assert_eq!(of(text), Title { words: words.into(), severity, rest: rest.into() }, "{text}");
        }
        assert!(is_general("Prometheus Alert") && is_general("Monitoring Event Notification"));
        assert!(!is_general("Disk is full") && !is_general("Firing squad"));
    }
}
