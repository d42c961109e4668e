//! People, bots, roles and the server they are in, and how Discord tells of them.

use serde_json::{Value, json};

use super::permissions::ALL;
use super::refusal::Refusal;
use super::state::State;
use super::{BOT_ROLE, BOT_USER, FakeDiscord, GUILD};

const JOINED: &str = "2024-03-01T08:00:00.000000+00:00";

/// Somebody with an account.
#[derive(Debug, Clone)]
pub struct User {
    pub name: String,
    pub nick: Option<String>,
    pub bot: bool,
    /// Roles in the server; `None` when not in it.
    pub roles: Option<Vec<String>>,
}

impl User {
    pub fn bot(name: &str) -> Self {
        Self { name: name.to_owned(), nick: None, bot: true, roles: Some(vec![BOT_ROLE.to_owned()]) }
    }
}

/// A role of the server.
#[derive(Debug, Clone)]
pub struct Role {
    pub name: String,
    pub mentionable: bool,
    /// It belongs to the bot.
    pub managed: bool,
}

impl FakeDiscord {
    /// One more member of the server, with these roles. From the start there are [`super::ADA`], Ada, and
    /// [`super::BOB`], Bob, without any.
    pub fn add_member(&self, user: &str, name: &str, roles: &[&str]) {
        let roles = Some(roles.iter().map(|role| (*role).to_owned()).collect());
        let user_object = User { name: name.to_owned(), nick: None, bot: false, roles };
        self.change(|state| state.users.insert(user.to_owned(), user_object));
    }

    /// The person is not in the server any more.
    pub fn remove_member(&self, user: &str) {
        self.with_user(user, |user| user.roles = None);
    }

    /// How the person is called in the server.
    pub fn set_nick(&self, user: &str, nick: &str) {
        self.with_user(user, |user| user.nick = Some(nick.to_owned()));
    }

    /// The person has these roles now, and no other.
    pub fn set_roles(&self, user: &str, roles: &[&str]) {
        let roles = roles.iter().map(|role| (*role).to_owned()).collect();
        self.with_user(user, |user| user.roles = Some(roles));
    }

    /// One more role, which everybody may call.
    pub fn add_role(&self, id: &str, name: &str) {
        self.change(|state| {
            state.roles.insert(id.to_owned(), Role { name: name.to_owned(), mentionable: true, managed: false });
            let role = state.role_object(id);
            state.emit_to_guild("GUILD_ROLE_CREATE", json!({"guild_id": GUILD, "role": role}));
        });
    }

    fn with_user(&self, user: &str, change: impl FnOnce(&mut User)) {
        self.change(|state| state.users.get_mut(user).map(change));
    }
}

impl State {
    /// A person or a bot.
    pub fn user_object(&self, id: &str) -> Value {
        let known = self.users.get(id);
        let name = known.map_or_else(|| format!("user-{id}"), |user| user.name.clone());
        let username: String = name.to_lowercase().chars().filter(|c| !c.is_whitespace()).collect();
        let bot = known.is_some_and(|user| user.bot);
        let mut object = json!({
            "id": id, "username": username, "global_name": (!bot).then_some(&name), "avatar": null,
            "discriminator": if bot { "0001" } else { "0" }, "public_flags": 0, "flags": 0, "banner": null,
            "accent_color": null, "avatar_decoration_data": null, "collectibles": null, "primary_guild": null,
            "clan": null,
        });
        if bot {
            object["bot"] = json!(true);
            object["username"] = json!(name);
        }
        object
    }

    /// The bot as it is told of itself.
    pub fn current_user(&self) -> Value {
        let mut user = self.user_object(BOT_USER);
        for (name, value) in [("verified", json!(true)), ("mfa_enabled", json!(false)), ("email", Value::Null)] {
            user[name] = value;
        }
        user
    }

    /// A member of the server without the person, as messages tell of them; `None` when not in it.
    pub fn member_part(&self, id: &str) -> Option<Value> {
        let user = self.users.get(id)?;
        Some(json!({
            "roles": user.roles.as_ref()?, "nick": user.nick, "joined_at": JOINED, "deaf": false, "mute": false,
            "pending": false, "flags": 0, "avatar": null, "banner": null, "premium_since": null,
            "communication_disabled_until": null,
        }))
    }

    /// A member of the server.
    pub fn member_object(&self, id: &str) -> Option<Value> {
        let mut member = self.member_part(id)?;
        member["user"] = self.user_object(id);
        Some(member)
    }

    pub fn role_object(&self, id: &str) -> Value {
        let Some(role) = self.roles.get(id) else { return Value::Null };
        let mut object = json!({
            "id": id, "name": role.name, "description": null, "permissions": ALL.to_string(), "color": 0,
            "colors": {"primary_color": 0, "secondary_color": null, "tertiary_color": null}, "hoist": false,
            "managed": role.managed, "mentionable": role.mentionable, "icon": null, "unicode_emoji": null,
            "position": i32::from(id != GUILD), "flags": 0,
        });
        if role.managed {
            object["tags"] = json!({"bot_id": BOT_USER});
        }
        object
    }

    pub fn roles_list(&self) -> Vec<Value> {
        self.roles.keys().map(|id| self.role_object(id)).collect()
    }

    /// The server as `GET /guilds/{id}` tells of it.
    pub fn guild_object(&self) -> Value {
        json!({
            "id": GUILD, "name": "Team", "owner_id": super::ADA, "icon": null, "splash": null, "description": null,
            "discovery_splash": null, "banner": null, "region": "deprecated", "afk_channel_id": null,
            "afk_timeout": 300, "system_channel_id": null, "system_channel_flags": 0, "widget_enabled": false,
            "widget_channel_id": null, "verification_level": 0, "default_message_notifications": 0, "mfa_level": 0,
            "explicit_content_filter": 0, "max_presences": null, "max_members": 500_000, "vanity_url_code": null,
            "max_video_channel_users": 25, "max_stage_video_channel_users": 50, "premium_tier": 0,
            "premium_subscription_count": 0, "preferred_locale": "en-US", "rules_channel_id": null, "features": [],
            "safety_alerts_channel_id": null, "public_updates_channel_id": null, "application_id": null,
            "premium_progress_bar_enabled": false, "nsfw": false, "nsfw_level": 0, "emojis": [], "stickers": [],
            "roles": self.roles_list(), "incidents_data": null,
        })
    }

    /// The server as the gateway tells of it: with channels, threads and members.
    pub fn guild_created(&self) -> Value {
        let mut guild = self.guild_object();
        let members: Vec<Value> = self.users.keys().filter_map(|id| self.member_object(id)).collect();
        let visible = |id: &&String| self.need(id, 0).is_ok();
        let (threads, channels): (Vec<_>, Vec<_>) =
            self.channels.values().filter(|channel| !channel.is_direct()).partition(|channel| channel.is_thread());
        let open = threads.into_iter().filter(|thread| !thread.archived).map(|thread| &thread.id).filter(visible);
        guild["threads"] = open.map(|id| self.channel_object(id)).collect();
        guild["channels"] = channels.into_iter().map(|channel| self.channel_object(&channel.id)).collect();
        guild["member_count"] = json!(members.len());
        guild["members"] = json!(members);
        for name in ["presences", "voice_states", "stage_instances", "guild_scheduled_events", "soundboard_sounds"] {
            guild[name] = json!([]);
        }
        guild["joined_at"] = json!(JOINED);
        guild["large"] = json!(false);
        guild["unavailable"] = json!(false);
        guild
    }

    /// `GET /guilds/{}/members/{}`
    pub fn member(&self, id: &str) -> Result<Value, Refusal> {
        let unknown = if self.users.contains_key(id) { 10_007 } else { 10_013 };
        self.member_object(id).ok_or_else(|| Refusal::code(unknown))
    }
}
