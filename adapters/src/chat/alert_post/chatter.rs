//! What bots say that is no alert.

/// Senders that never send alerts, or such as are work to plan and nothing to look at now.
const SENDERS: &[&str] = &[
    "apollo",
    "arcane",
    "argo",
    "argocd",
    "asana",
    "bitbucket",
    "bitrise",
    "buildkite",
    "calendar",
    "carl-bot",
    "circleci",
    "clickup",
    "codecov",
    "confluence",
    "dependabot",
    "disboard",
    "diun",
    "donut",
    "drone",
    "dyno",
    "easypoll",
    "figma",
    "forgejo",
    "geekbot",
    "giphy",
    "gitea",
    "github",
    "gitlab",
    "hubspot",
    "intercom",
    "jenkins",
    "linear",
    "mee6",
    "mergify",
    "monitorss",
    "netlify",
    "notion",
    "patreon",
    "polly",
    "renovate",
    "sesh",
    "shortcut",
    "slackbot",
    "snyk",
    "sonarcloud",
    "standuply",
    "statbot",
    "statuspage",
    "tatsu",
    "teamcity",
    "travis",
    "trello",
    "twitch",
    "vercel",
    "watchtower",
    "woodpecker",
    "workday",
    "youtube",
    "zapier",
    "zendesk",
    "zoom",
];

/// Words of headlines that tell of work and not of trouble.
const WORDS: &[&str] = &[
    "approved",
    "assigned",
    "backup",
    "birthday",
    "branch",
    "build",
    "builds",
    "calendar",
    "commented",
    "commit",
    "commits",
    "dashboard",
    "deploy",
    "deployed",
    "deploying",
    "deployment",
    "deployments",
    "deploys",
    "digest",
    "invited",
    "invoice",
    "joined",
    "meeting",
    "merge",
    "merged",
    "migrated",
    "oncall",
    "on-call",
    "pipeline",
    "poll",
    "pr",
    "promoted",
    "pull",
    "published",
    "vulnerabilities",
    "vulnerability",
    "advisory",
    "pushed",
    "release",
    "released",
    "releases",
    "reminder",
    "report",
    "review",
    "rollout",
    "rotation",
    "schedule",
    "scheduled",
    "shift",
    "snapshot",
    "sprint",
    "standup",
    "subscribed",
    "survey",
    "ticket",
    "tickets",
    "vote",
    "weekly",
    "workflow",
    "workflows",
    "banned",
    "changelog",
    "feedback",
    "giveaway",
    "kicked",
    "leaderboard",
    "leveled",
    "levelled",
    "maintenance",
    "starred",
    "suggestion",
    "unbanned",
    "update",
    "updated",
    "updates",
    "warned",
    "welcome",
];

/// Fields of tickets, changes and builds.
const FIELDS: &[&str] = &[
    "assigned_to",
    "assignee",
    "author",
    "branch",
    "build",
    "commit",
    "committer",
    "difficulty",
    "due_date",
    "issue_type",
    "moderator",
    "offender",
    "opened_by",
    "pipeline",
    "pull_request",
    "ref",
    "repo",
    "reporter",
    "repository",
    "sprint",
    "story_points",
    "ticket",
    "triggered_by",
    "workflow",
];

/// Whether the sender, in lower case, never sends alerts.
pub(super) fn is_sender(sender: &str) -> bool {
    // What Opsgenie is called now.
    let is_jira = has_word(sender, &["jira"]) && !sender.contains("service management");
    is_jira || has_word(sender, SENDERS) || sender.contains("simple poll")
}

/// Whether a headline tells of work.
pub(super) fn is_headline(line: &str) -> bool {
    let line = line.to_lowercase();
    has_word(&line, WORDS) || line.contains("on call") || line.contains("cve-") || counts_something(&line)
}

/// Whether fields, by their names, are those of a ticket, a change or a build.
pub(super) fn is_ticket(names: &[String]) -> bool {
    names.iter().any(|name| FIELDS.contains(&name.as_str()))
}

/// Names are compared whole: `KubeDeploymentReplicasMismatch` deploys nothing.
fn has_word(text: &str, words: &[&str]) -> bool {
    text.split(|c: char| !(c.is_alphanumeric() || matches!(c, '-' | '_'))).any(|word| words.contains(&word))
}

/// `resolved: 5, open: 3` of a summary.
fn counts_something(line: &str) -> bool {
    let after = line.split_once(':').map_or(line, |(_, after)| after).trim_start();
    let number = after.bytes().take_while(u8::is_ascii_digit).count();
    number > 0 && matches!(after.as_bytes().get(number), None | Some(b',' | b';'))
}
