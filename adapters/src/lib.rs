//! The edges: everything that names a vendor.
//!
//! An integration begins as a description of what it needs, so that the bot can say at start what is missing and the
//! one thing to do about it, without knowing any vendor itself.

/// A system outside that Clew can work with.
#[derive(Debug)]
pub struct Integration {
    /// Its name, as its vendor writes it.
    pub name: &'static str,
    /// Section of the configuration, and the keys there that must be set.
    pub section: &'static str,
    /// Keys that must be set.
    pub keys: &'static [&'static str],
    /// The one thing to do when it is not configured.
    pub setup: &'static str,
}

/// All integrations, in the order in which they are listed.
pub const INTEGRATIONS: &[Integration] = &[
    Integration {
        name: "Slack",
        section: "slack",
        keys: &["app_token", "bot_token"],
        setup: "set SLACK_APP_TOKEN and SLACK_BOT_TOKEN",
    },
    Integration { name: "Discord", section: "discord", keys: &["token"], setup: "set DISCORD_TOKEN" },
    Integration {
        name: "Jira",
        section: "jira",
        keys: &["url", "user", "token", "project"],
        setup: "set JIRA_URL, JIRA_USER, JIRA_TOKEN and JIRA_PROJECT",
    },
    Integration {
        name: "GitHub",
        section: "github",
        keys: &["token", "repo"],
        setup: "set GITHUB_TOKEN and GITHUB_REPO",
    },
];

/// Names that people already use in the environment, and the settings they stand for.
pub const ENVIRONMENT: &[(&str, &str)] = &[
    ("SLACK_APP_TOKEN", "slack.app_token"),
    ("SLACK_BOT_TOKEN", "slack.bot_token"),
    ("SLACK_SIGNING_SECRET", "slack.signing_secret"),
    ("DISCORD_TOKEN", "discord.token"),
    ("JIRA_URL", "jira.url"),
    ("JIRA_USER", "jira.user"),
    ("JIRA_TOKEN", "jira.token"),
    ("JIRA_PROJECT", "jira.project"),
    ("GITHUB_TOKEN", "github.token"),
    ("GITHUB_REPO", "github.repo"),
    ("GITHUB_WEBHOOK_SECRET", "github.webhook_secret"),
];
