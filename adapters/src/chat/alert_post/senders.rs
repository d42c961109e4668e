//! The senders that are known, and how their posts are told from those of others.

use super::facts::Facts;
use super::headline::Headline;
use super::post::Post;

/// What stands in the name of a sender, and the format that it is.
const NAMES: &[(&str, &str)] = &[
    ("alertmanager", "alertmanager"),
    ("alert manager", "alertmanager"),
    ("prometheus", "alertmanager"),
    ("grafana", "grafana"),
    ("datadog", "datadog"),
    ("pagerduty", "pagerduty"),
    ("sentry", "sentry"),
    ("opsgenie", "opsgenie"),
    ("jira service management", "opsgenie"),
    ("aws chatbot", "sns"),
    ("amazon q", "sns"),
    ("cloudwatch", "sns"),
];

/// What stands in the address that a headline leads to.
const ADDRESSES: &[(&str, &str)] = &[
    (".datadoghq.", "datadog"),
    (".pagerduty.com/", "pagerduty"),
    (".sentry.io/", "sentry"),
    ("//sentry.", "sentry"),
    (".opsgenie.com/", "opsgenie"),
    ("//opsg.in/", "opsgenie"),
    ("/#/alerts", "alertmanager"),
    ("/graph?g0.", "alertmanager"),
    ("/vmalert/", "alertmanager"),
    ("/alerting/", "grafana"),
    ("console.aws.amazon.com/cloudwatch", "sns"),
];

/// The format that the sender of a post has: by its name, by the small print, by where the post leads. It must come out the
/// same for all posts of an alert, so what the headline says of the state does not count.
pub(super) fn source(post: &Post, found: &Headline) -> &'static str {
    let named = |text: &str, names: &[(&str, &'static str)]| {
        names.iter().find(|(name, _)| text.contains(name)).map(|(_, format)| *format)
    };
    if let Some(format) = named(&post.sender, NAMES) {
        return format;
    }
    if found.is_cloudwatch {
        return "sns";
    }
    if post.parts.iter().any(|part| part.footer.starts_with("grafana v")) {
        return "grafana";
    }
    let part = post.parts.get(found.part);
    let of_headline = part.and_then(|part| part.title_link.clone().or_else(|| found.url.clone()));
    let others = part.into_iter().flat_map(|part| &part.links).map(|link| link.url.clone());
    let mut urls = of_headline.into_iter().chain(others);
    urls.find_map(|url| named(&url, ADDRESSES)).unwrap_or("chat")
}

/// Whether a known sender says with the form of its post that it is an alert. They chat, too: who is on call, what was
/// deployed, what was assigned.
pub(super) fn vouches(source: &str, post: &Post, found: &Headline, facts: &Facts) -> bool {
    let part = post.parts.get(found.part);
    let is_coloured = part.is_some_and(|part| part.color.is_some());
    match source {
        "chat" => false,
        // Only alerts of Grafana have its version below them.
        "grafana" => {
            found.status.is_some()
                || (is_coloured && post.parts.iter().any(|part| part.footer.starts_with("grafana v")))
        }
        "sentry" => found.status.is_some() || found.severity.is_some() || is_issue(post, found),
        "opsgenie" => found.status.is_some() || (found.has_number && !facts.severities.is_empty()),
        "sns" => found.is_cloudwatch,
        _ => found.status.is_some(),
    }
}

/// A post of Sentry begins with a link to the issue. Of what people did to an issue, it says so before.
fn is_issue(post: &Post, found: &Headline) -> bool {
    let Some(part) = post.parts.get(found.part) else { return false };
    let url = part.title_link.clone().or_else(|| found.url.clone()).unwrap_or_default();
    let done =
        ["assigned", "marked", "resolved", "archived", "ignored", "commented", "deployed", "unassigned", "linked"];
    let line = found.line.to_lowercase();
    let is_done = done.iter().any(|word| line.split(' ').any(|part| part == *word));
    url.contains("/issues/") && !is_done && found.before == 0
}
