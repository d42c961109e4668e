//! What the methods do that read: conversations, people and groups of people.

use serde_json::{Value, json};

use super::message::SlackMessage;
use super::methods::string;
use super::refusal::Refusal;
use super::state::{Channel, Kind, State};
use super::{APP_ID, BOT_ID, BOT_USER, TEAM};

impl State {
    pub fn info(&mut self, arguments: &Value) -> Result<Value, Refusal> {
        let id = string(arguments, "channel");
        let channel = self.channel(id)?;
        let mut info = json!({
            "id": id, "is_channel": channel.kind == Kind::Public, "is_group": channel.kind == Kind::Private,
            "is_im": false, "is_mpim": false, "is_private": channel.kind != Kind::Public, "is_archived": channel.archived,
            "created": 1_700_000_000, "context_team_id": TEAM, "is_ext_shared": false, "is_shared": false,
        });
        if let Kind::Direct(user) = &channel.kind {
            info["is_im"] = json!(true);
            info["user"] = json!(user);
        } else {
            info["name"] = json!(channel.name);
            info["name_normalized"] = json!(channel.name);
            info["is_member"] = json!(channel.member);
        }
        Ok(json!({"ok": true, "channel": info}))
    }

    pub fn history(&mut self, arguments: &Value) -> Result<Value, Refusal> {
        let channel = self.joined(string(arguments, "channel"))?;
        let newest_first = channel.messages.iter().rev().filter(|message| message.thread_ts.is_none());
        let messages: Vec<_> = newest_first.filter(|message| asked_for(message, arguments)).collect();
        page(channel, &messages, arguments)
    }

    pub fn replies(&mut self, arguments: &Value) -> Result<Value, Refusal> {
        let channel = self.joined(string(arguments, "channel"))?;
        let root = string(arguments, "ts");
        if channel.message(root).is_none_or(|message| message.thread_ts.is_some()) {
            return Err(Refusal::code("thread_not_found"));
        }
        // The first message comes whatever times are asked for.
        let in_thread = |message: &&SlackMessage| {
            message.ts == root || message.thread_ts.as_deref() == Some(root) && asked_for(message, arguments)
        };
        page(channel, &channel.messages.iter().filter(in_thread).collect::<Vec<_>>(), arguments)
    }

    pub fn user_info(&self, arguments: &Value) -> Result<Value, Refusal> {
        let id = string(arguments, "user");
        let name = self.name_of(id).ok_or_else(|| Refusal::code("user_not_found"))?;
        let mut user = json!({
            "id": id, "team_id": TEAM, "name": name.to_lowercase(), "real_name": name, "deleted": false,
            "is_bot": id == BOT_USER, "is_app_user": false, "updated": 1_700_000_000, "tz": "Europe/Zurich",
            "profile": {
                "real_name": name, "real_name_normalized": name, "display_name": name,
                "display_name_normalized": name, "team": TEAM,
            },
        });
        if id == BOT_USER {
            (user["profile"]["bot_id"], user["profile"]["api_app_id"]) = (json!(BOT_ID), json!(APP_ID));
        }
        Ok(json!({"ok": true, "user": user}))
    }

    pub fn usergroups(&self) -> Value {
        let groups = self.usergroups.iter().map(|(id, group)| {
            json!({
                "id": id, "team_id": TEAM, "is_usergroup": true, "name": group.handle, "handle": group.handle,
                "description": "", "date_delete": 0, "user_count": group.users.len(),
            })
        });
        json!({"ok": true, "usergroups": groups.collect::<Vec<_>>()})
    }

    pub fn users_of_group(&self, arguments: &Value) -> Result<Value, Refusal> {
        let group = self.usergroups.get(string(arguments, "usergroup"));
        let group = group.ok_or_else(|| Refusal::code("no_such_subteam"))?;
        Ok(json!({"ok": true, "users": group.users}))
    }
}

/// Whether a message is of the time that is asked for.
fn asked_for(message: &SlackMessage, arguments: &Value) -> bool {
    let inclusive = ["true", "1"].contains(&string(arguments, "inclusive"));
    let (oldest, latest) = (time(string(arguments, "oldest")), time(string(arguments, "latest")));
    let at = time(&message.ts);
    let edge = |edge: Option<(u64, u64)>| inclusive && edge == at;
    (oldest.is_none() || at > oldest || edge(oldest)) && (latest.is_none() || at < latest || edge(latest))
}

/// Seconds and microseconds; `None` when nothing or nonsense is given.
fn time(ts: &str) -> Option<(u64, u64)> {
    let (seconds, micros) = ts.split_once('.').unwrap_or((ts, "0"));
    Some((seconds.parse().ok()?, format!("{micros:0<6.6}").parse().ok()?))
}

/// A page of messages; the cursor is the place in the list.
fn page(channel: &Channel, messages: &[&SlackMessage], arguments: &Value) -> Result<Value, Refusal> {
    let limit = match string(arguments, "limit") {
        "" => 100,
        limit => limit
            .parse()
            .ok()
            .filter(|limit| (1..1_000).contains(limit))
            .ok_or_else(|| Refusal::code("invalid_limit"))?,
    };
    let start: usize = match string(arguments, "cursor") {
        "" => 0,
        cursor => {
            cursor.strip_prefix("next-").and_then(|n| n.parse().ok()).ok_or_else(|| Refusal::code("invalid_cursor"))?
        }
    };
    let with_metadata = string(arguments, "include_all_metadata") == "true";
    let listed = |message: &&SlackMessage| {
        let mut listed = channel.listed(message);
        if with_metadata && !message.metadata.is_null() {
            listed["metadata"] = message.metadata.clone();
        }
        listed
    };
    let some: Vec<Value> = messages.iter().skip(start).take(limit).map(listed).collect();
    let end = start + some.len();
    let more = end < messages.len();
    let cursor = if more { format!("next-{end}") } else { String::new() };
    Ok(json!({"ok": true, "messages": some, "has_more": more, "response_metadata": {"next_cursor": cursor}}))
}
