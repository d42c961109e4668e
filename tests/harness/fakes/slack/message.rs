//! A message, and how the Web API and events tell of it.

use serde_json::{Value, json};

use super::{APP_ID, TEAM, shown};

/// A message as it stands in a channel.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SlackMessage {
    /// Its id.
    pub ts: String,
    /// The first message of its thread, when it is a reply.
    pub thread_ts: Option<String>,
    /// The user who wrote it; empty when an app wrote it that has none.
    pub user: String,
    /// Fallback text.
    pub text: String,
    /// Blocks; an empty list when there are none.
    pub blocks: Value,
    /// Metadata; `null` when there is none.
    pub metadata: Value,
    /// How often it was edited.
    pub edits: usize,
    /// Time of the latest edit.
    pub edited: Option<String>,
    /// What kind of message it is, when it is no plain one: `bot_message`, `file_share`.
    pub subtype: Option<String>,
    /// The bot that wrote it.
    pub bot_id: Option<String>,
    /// The app of that bot.
    pub app_id: Option<String>,
    /// The name under which an app wrote it.
    pub username: Option<String>,
    /// Files that were shared with it; `null` when there are none.
    pub files: Value,
    /// Attachments, the blocks of old; `null` when there are none.
    pub attachments: Value,
}

impl SlackMessage {
    /// What a person sees, notification first, then the message: text as it reads, what calls somebody as
    /// `{calls …}`, a link as `{link address|text}`, a control as `{control label|command}`.
    #[must_use]
    pub fn shown(&self) -> String {
        shown::message(self)
    }

    /// The message alone, without what its channel adds.
    pub(super) fn listed(&self) -> Value {
        let mut listed = json!({"type": "message", "ts": self.ts, "text": self.text, "team": TEAM});
        let texts = [
            ("subtype", &self.subtype),
            ("thread_ts", &self.thread_ts),
            ("bot_id", &self.bot_id),
            ("app_id", &self.app_id),
            ("username", &self.username),
        ];
        for (name, text) in texts {
            if let Some(text) = text {
                listed[name] = json!(text);
            }
        }
        if !self.user.is_empty() {
            listed["user"] = json!(self.user);
        }
        for (name, list) in [("blocks", &self.blocks), ("files", &self.files), ("attachments", &self.attachments)] {
            if list.as_array().is_some_and(|list| !list.is_empty()) {
                listed[name] = list.clone();
            }
        }
        match (&self.bot_id, &self.subtype) {
            (Some(bot), None) => listed["bot_profile"] = self.profile(bot),
            (None, None) => listed["client_msg_id"] = json!(client_id(&self.ts)),
            _ => {}
        }
        if self.files.is_array() {
            (listed["upload"], listed["display_as_bot"]) = (json!(false), json!(false));
        }
        if let Some(edited) = &self.edited {
            listed["edited"] = json!({"user": self.user, "ts": edited});
        }
        listed
    }

    fn profile(&self, bot: &str) -> Value {
        json!({
            "id": bot, "app_id": self.app_id.as_deref().unwrap_or(APP_ID), "team_id": TEAM, "deleted": false,
            "name": self.username.as_deref().unwrap_or("clew"), "updated": 1_700_000_000,
            "icons": {"image_36": "https://team.slack.example/36.png"},
        })
    }
}

/// The id that the program of a person gives a message: every message has another one.
fn client_id(ts: &str) -> String {
    let digits: String = ts.chars().filter(char::is_ascii_digit).collect();
    format!("{digits:0>8.8}-0000-4000-8000-{:0>12}", digits.get(8..).unwrap_or(""))
}
