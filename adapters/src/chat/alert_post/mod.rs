//! Posts of alert bots as alerts in our words.
//!
//! Anything can post to a channel, and most of what does is no alert. A post is one only when it says so: by its sender's
//! form, by the word for its state at its beginning, by a severity beside a title. In doubt it is chatter.

use std::collections::{BTreeMap, HashSet};

use crate::alerts::common::{digest, service, short};
use crate::alerts::{Alert, AlertStatus, Severity, limits};

mod chatter;
mod facts;
#[cfg(test)]
pub mod fixtures;
mod headline;
mod look;
mod phrases;
mod post;
mod senders;
mod title;
mod words;

use facts::Facts;
use headline::{Headline, Strength};
pub use look::Look;
pub use post::{BYTES, Line, Link, Part, Post, cut, label_of};

/// The alert in a post; `None` when it is chatter. `channel` is where it was posted: posts of other channels are other
/// alerts.
pub fn alert(post: &Post, channel: &str) -> Option<Alert> {
    if chatter::is_sender(&post.sender) {
        return None;
    }
    let found = headline::find(post)?;
    let source = senders::source(post, &found);
    let facts = facts(post, &found);
    says_so(post, &found, source, &facts).then(|| limits::bounded_alert(told(post, found, source, facts, channel)))
}

/// What the post says beside its headline. A part that is an alert of its own only adds to the text.
fn facts(post: &Post, found: &Headline) -> Facts {
    let mut facts = Facts::default();
    for (index, part) in post.parts.iter().enumerate() {
        if index > found.part && is_alert_of_its_own(part) {
            facts.others += 1;
            facts.add_raw(part);
        } else {
            facts.add(part, found);
        }
    }
    facts
}

fn is_alert_of_its_own(part: &Part) -> bool {
    part.heads.iter().any(|head| headline::read(&head.shown).status.is_some())
}

/// Whether it is an alert.
fn says_so(post: &Post, found: &Headline, source: &str, facts: &Facts) -> bool {
    if found.strength() == Strength::Certain || senders::vouches(source, post, found, facts) {
        return true;
    }
    if facts.labels.contains_key("alertname") {
        return true;
    }
    if chatter::is_headline(&found.line) || chatter::is_headline(&found.title) || chatter::is_ticket(&facts.names) {
        return false;
    }
    let looks = look(post, found).is_some();
    let is_bad = !facts.severities.is_empty();
    match found.strength() {
        Strength::Certain | Strength::Likely => true,
        Strength::Weak => looks || is_bad || facts.status.is_some(),
        // Things to do have a priority as well.
        Strength::None => is_bad && (looks || facts.labels.contains_key("severity")) || facts.has_alarm_state,
    }
}

/// How the part with the headline looks: its colour or its sign.
fn look(post: &Post, found: &Headline) -> Option<Look> {
    let part = post.parts.get(found.part).and_then(|part| part.color);
    part.or(found.look).or_else(|| post.parts.iter().find_map(|part| part.color))
}

/// The alert in our words.
fn told(post: &Post, mut found: Headline, source: &str, facts: Facts, channel: &str) -> Alert {
    if let Some(name) = facts.name.clone().filter(|_| title::is_general(&found.title)) {
        found.title = name;
    }
    if matches!(source, "alertmanager" | "grafana") {
        found.set_common_labels_apart();
    }
    let look = look(post, &found);
    let status = found.status.or(facts.status).unwrap_or(match look {
        Some(Look::Green) => AlertStatus::Resolved,
        _ => AlertStatus::Firing,
    });
    let severity = severity(&found, &facts, look.filter(|_| status != AlertStatus::Resolved));
    let mut labels: BTreeMap<String, String> = facts.labels_in_common();
    labels.extend(found.labels.clone());
    let service = service(&labels).or_else(|| labels.get("project").filter(|_| source == "sentry").cloned());
    let title = limits::one_line(&found.title, limits::TITLE_CHARS);
    let time = post.parts.get(found.part).and_then(|part| part.time.clone());
    let about = [source, "title", &title, service.as_deref().unwrap_or_default(), channel, &found.scope];
    Alert {
        source: source.to_owned(),
        fingerprint: short(&digest(about)),
        group: None,
        status,
        text: text(&found, &facts),
        title,
        service,
        severity,
        labels,
        values: BTreeMap::new(),
        starts_at: facts.starts_at.or_else(|| time.clone().filter(|_| status == AlertStatus::Firing)),
        ends_at: facts.ends_at.or(time).filter(|_| status == AlertStatus::Resolved),
        url: url(post, &found),
        runbook_url: facts.runbook.or_else(|| post.link(is_runbook)),
        logs: post.parts.iter().flat_map(|part| &part.code).flat_map(|code| code.lines()).map(str::to_owned).collect(),
    }
}

fn severity(found: &Headline, facts: &Facts, look: Option<Look>) -> Option<Severity> {
    let of_look = || match look? {
        Look::Red => Some(Severity::High),
        Look::Yellow => Some(Severity::Medium),
        Look::Green => None,
    };
    found.severity.or_else(|| facts.severities.iter().copied().max()).or_else(of_look)
}

/// What people read beyond the title.
fn text(found: &Headline, facts: &Facts) -> String {
    let mut lines = Vec::new();
    match (found.firing, found.resolved) {
        (firing, resolved) if facts.others > 0 => {
            lines.push(format!("{} alerts in one post.", (firing + resolved).max(1) + facts.others));
        }
        (firing, resolved) if firing > 0 && resolved > 0 => {
            lines.push(format!("{firing} firing and {resolved} resolved alerts in one post."));
        }
        (count, 0) | (0, count) if count > 1 => lines.push(format!("{count} alerts in one post.")),
        _ => {}
    }
    lines.extend(Some(found.rest.clone()).filter(|rest| !rest.is_empty()));
    let mut seen = HashSet::new();
    let name = facts.name.as_ref().filter(|name| **name != found.title);
    let said = name.into_iter().chain(&facts.text);
    let said = said.filter(|line| line.is_empty() || (found.rest != **line && seen.insert(line.as_str())));
    for line in said {
        if !(line.is_empty() && lines.last().is_none_or(String::is_empty)) {
            lines.push(line.clone());
        }
    }
    lines.join("\n").trim_end().to_owned()
}

/// Where the sender shows it.
fn url(post: &Post, found: &Headline) -> Option<String> {
    let part = post.parts.get(found.part)?;
    let is_page = |label: &str| {
        !["runbook", "playbook", "silence", "dashboard", "panel", "logs"].iter().any(|other| label.contains(other))
    };
    let of_title = part.title_link.clone().or_else(|| found.url.clone());
    let of_others = || post.parts.iter().find_map(|part| part.title_link.clone());
    of_title.or_else(|| part.link(is_page)).or_else(|| post.link(is_page)).or_else(of_others)
}

fn is_runbook(label: &str) -> bool {
    label.contains("runbook") || label.contains("playbook")
}
