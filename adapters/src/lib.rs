//! The edges: everything that names a vendor.
//!
//! An integration is a description of what it needs, so that the bot can say at start what is missing and the
//! one thing to do about it, without knowing any vendor itself.

use std::time::Duration;

pub mod alerts;
pub mod chat;
pub mod code;
pub mod github;
pub mod http;
pub mod signature;
pub mod trackers;

/// Why a call to a system outside failed. The text never holds a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// It may work later: a limit, an outage, a broken connection.
    #[error("{why}")]
    Transient {
        /// What happened.
        why: String,
        /// When to try again, if the system said so.
        retry_after: Option<Duration>,
    },
    /// It will not work however often it is tried.
    #[error("{0}")]
    Permanent(String),
    /// The credentials are wrong or lack a permission; the text says which.
    #[error("{0}")]
    Auth(String),
    /// What was to be changed is no longer there.
    #[error("{0}")]
    Gone(String),
    /// There is no way in: the bot is not there, or there is no such place. The text says what to do.
    #[error("{0}")]
    Closed(String),
}

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
        keys: &["bot_token", "channel"],
        setup: "set SLACK_APP_TOKEN, SLACK_BOT_TOKEN and SLACK_CHANNEL (docs/slack.md)",
    },
    Integration {
        name: "Discord",
        section: "discord",
        keys: &["token", "channel"],
        setup: "set DISCORD_TOKEN and DISCORD_CHANNEL (docs/discord.md)",
    },
    Integration {
        name: "Jira",
        section: "jira",
        keys: &["url", "token", "project"],
        setup: "set JIRA_URL, JIRA_USER, JIRA_TOKEN and JIRA_PROJECT (docs/tickets.md)",
    },
    Integration {
        name: "GitHub",
        section: "github",
        keys: &["token", "repo"],
        setup: "set GITHUB_TOKEN and GITHUB_REPO (docs/tickets.md)",
    },
];

/// Parts of the program whose own log holds secrets (addresses with tickets) or what people say. They are not heard.
pub const NOT_LOGGED: &[&str] = &["slack_morphism"];

/// Names that people already use in the environment, and the settings they stand for.
pub const ENVIRONMENT: &[(&str, &str)] = &[
    ("SLACK_APP_TOKEN", "slack.app_token"),
    ("SLACK_BOT_TOKEN", "slack.bot_token"),
    ("SLACK_SIGNING_SECRET", "slack.signing_secret"),
    ("SLACK_API_URL", "slack.api_url"),
    ("SLACK_CHANNEL", "slack.channel"),
    ("DISCORD_TOKEN", "discord.token"),
    ("DISCORD_PUBLIC_KEY", "discord.public_key"),
    ("DISCORD_API_URL", "discord.api_url"),
    ("DISCORD_CHANNEL", "discord.channel"),
    ("DISCORD_GUILD", "discord.guilds"),
    ("JIRA_URL", "jira.url"),
    ("JIRA_USER", "jira.user"),
    ("JIRA_TOKEN", "jira.token"),
    ("JIRA_PROJECT", "jira.project"),
    ("JIRA_WEBHOOK_SECRET", "jira.webhook_secret"),
    ("GITHUB_TOKEN", "github.token"),
    ("GITHUB_REPO", "github.repo"),
    ("GITHUB_WEBHOOK_SECRET", "github.webhook_secret"),
    ("GITHUB_API_URL", "github.api_url"),
    ("SNS_URL", "sns.address"),
];
