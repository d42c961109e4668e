//! What is normal for a service: the templates that it printed before without anything being wrong.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

/// Records before a baseline says anything: novelty in a service that is hardly known means nothing.
const MIN_RECORDS: u64 = 200;
/// Templates kept; the rarest go first.
const MAX_TEMPLATES: usize = 2_000;

/// The routine of one service, learned from inputs that named it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Baseline {
    /// Records learned from.
    pub records: u64,
    /// Records of each template, by the template's text.
    pub templates: HashMap<String, u64>,
}

impl Baseline {
    /// Takes in the routine templates of an input: what was anomalous there must not become normal.
    pub fn learn<'a>(&mut self, records: usize, routine: impl IntoIterator<Item = (&'a str, usize)>) {
        self.records = self.records.saturating_add(records as u64);
        for (template, count) in routine {
            let known = self.templates.entry(template.to_owned()).or_insert(0);
            *known = known.saturating_add(count as u64);
        }
        if self.templates.len() > MAX_TEMPLATES {
            let mut kept: Vec<(String, u64)> = std::mem::take(&mut self.templates).into_iter().collect();
            kept.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
            kept.truncate(MAX_TEMPLATES);
            self.templates = kept.into_iter().collect();
        }
    }

    /// Whether `template` is new to the service; `None` while too little is known of it.
    #[must_use]
    pub fn is_new(&self, template: &str) -> Option<bool> {
        if self.records < MIN_RECORDS {
            return None;
        }
        Some(!self.templates.contains_key(template) && !self.templates.keys().any(|known| is_print_of(known, template)))
    }
}

/// Whether two templates are the same but for variables, which one input may not have shown to be such.
fn is_print_of(known: &str, template: &str) -> bool {
    let mut words = template.split(' ');
    let mut differ = 0;
    for expected in known.split(' ') {
        match words.next() {
            Some(word) if word == expected => {}
            Some(word) if word.contains('<') || expected.contains('<') => differ += 1,
            _ => return false,
        }
    }
    words.next().is_none() && differ <= 1 + known.len() / 40
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_service_always_says_is_not_new_and_what_it_never_said_is() {
        let mut baseline = Baseline::default();
        assert_eq!(baseline.is_new("cache miss for <num>"), None);
        baseline.learn(500, [("cache miss for <num>", 400), ("user <*> logged in", 100)]);
        assert_eq!(baseline.is_new("cache miss for <num>"), Some(false));
        assert_eq!(baseline.is_new("user alice logged in"), Some(false));
        assert_eq!(baseline.is_new("leader lost, term <num>"), Some(true));
    }

    #[test]
    fn a_baseline_stays_bounded_and_keeps_what_is_common() {
        let mut baseline = Baseline::default();
        let many: Vec<String> = (0..3 * MAX_TEMPLATES).map(|i| format!("message number{i}x")).collect();
        baseline.learn(9_000, many.iter().map(|text| (text.as_str(), 1)).chain([("common", 50)]));
        assert_eq!(baseline.templates.len(), MAX_TEMPLATES);
        assert!(baseline.templates.contains_key("common"));
    }
}
