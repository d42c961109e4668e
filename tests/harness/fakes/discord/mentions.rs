//! Who is called by a message: what its content names, as far as the author allows it.

use serde_json::{Value, json};

use super::BOT_USER;
use super::markdown::{self, Named};
use super::message::Kept;
use super::permissions::MENTION_EVERYONE;
use super::state::State;

/// What may be called.
struct Allowed<'a> {
    sent: &'a Value,
    /// What counts when nothing is said.
    by_default: &'static [&'static str],
}

impl Allowed<'_> {
    fn kind(&self, kind: &str) -> bool {
        match self.sent["parse"].as_array() {
            Some(parse) => parse.iter().any(|allowed| allowed == kind),
            None => self.sent.is_null() && self.by_default.contains(&kind),
        }
    }

    fn one(&self, kind: &str, id: &str) -> bool {
        let named = self.sent[kind].as_array().is_some_and(|ids| ids.iter().any(|allowed| *allowed == id));
        self.kind(kind) || named
    }
}

impl State {
    /// Writes into a message whom it calls. Answering somebody calls them, too.
    pub fn resolve_mentions(&self, channel: &str, kept: &mut Kept, allowed: &Value, replied: Option<&str>) {
        let is_bot = kept.raw["author"]["bot"] == true || kept.raw["webhook_id"].is_string();
        // Without a word, answers to interactions and webhooks call people only.
        let by_default: &[&str] =
            if kept.raw["webhook_id"].is_string() { &["users"] } else { &["users", "roles", "everyone"] };
        let allowed = Allowed { sent: allowed, by_default };
        let content = kept.raw["content"].as_str().unwrap_or("");
        let mut users: Vec<String> = Vec::new();
        let mut roles: Vec<String> = Vec::new();
        let mut everyone = false;
        for named in markdown::named(content) {
            match named {
                Named::User(id) if allowed.one("users", &id) && self.users.contains_key(&id) => users.push(id),
                Named::Role(id) if allowed.one("roles", &id) && self.roles.contains_key(&id) => roles.push(id),
                Named::Everyone | Named::Here => everyone |= allowed.kind("everyone"),
                Named::User(_) | Named::Role(_) => {}
            }
        }
        let calls_replied = allowed.sent["replied_user"].as_bool().unwrap_or(allowed.sent.is_null());
        users.extend(replied.filter(|_| calls_replied).map(str::to_owned));
        let mut seen = std::collections::BTreeSet::new();
        users.retain(|id| seen.insert(id.clone()));
        roles.retain(|id| seen.insert(id.clone()));
        let may = !is_bot || self.granted(channel) & MENTION_EVERYONE != 0 || kept.raw["author"]["id"] != BOT_USER;
        let in_server = self.channels.get(channel).is_some_and(|channel| !channel.is_direct());
        kept.raw["mentions"] = users.iter().map(|id| self.user_object(id)).collect();
        kept.raw["mention_roles"] = json!(if in_server { roles } else { Vec::new() });
        kept.raw["mention_everyone"] = json!(everyone && may && in_server);
    }
}
