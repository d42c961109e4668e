//! Sessions of the gateway: who hears what, and what is kept for a session that lost its connection.

use std::time::Duration;

use serde_json::{Value, json};

use super::sockets::{Links, Order};
use super::state::State;
use super::{APP_ID, FakeDiscord, GUILD, TOKEN};

/// What a session wants to hear of, as bits.
pub const GUILDS: u64 = 1 << 0;
const GUILD_MEMBERS: u64 = 1 << 1;
const GUILD_PRESENCES: u64 = 1 << 8;
pub const GUILD_MESSAGES: u64 = 1 << 9;
pub const DIRECT_MESSAGES: u64 = 1 << 12;
pub const MESSAGE_CONTENT: u64 = 1 << 15;
/// Every intent that there is.
const KNOWN: u64 = 0x1_FFFF | 1 << 20 | 1 << 21 | 1 << 24 | 1 << 25;
/// How long a session is kept that has no connection.
const KEPT: Duration = Duration::from_mins(3);
/// Only one IDENTIFY in this time.
const PAUSE: Duration = Duration::from_secs(5);
/// How often a bot may IDENTIFY in a day.
const STARTS: usize = 1_000;
/// The flag of an application that may read what is written without verification: it is in few servers.
const CONTENT_LIMITED: u64 = 1 << 19;

/// A session.
#[derive(Debug)]
struct Session {
    id: String,
    intents: u64,
    sequence: u64,
    /// Everything that it was told, with its numbers, or will be when it comes back.
    told: Vec<(u64, String)>,
    socket: Option<u64>,
    lost_at: Option<Duration>,
    /// Its shard, of how many.
    shard: (u64, u64),
}

/// Everything about the gateway.
#[derive(Debug)]
pub struct Gateway {
    sessions: Vec<Session>,
    pub links: Links,
    pub heartbeat: Duration,
    pub allows_content: bool,
    identified_at: Option<Duration>,
    identifies: Vec<Value>,
    resumes: Vec<Value>,
    started: usize,
}

impl Default for Gateway {
    fn default() -> Self {
        Self {
            sessions: Vec::new(),
            links: Links::default(),
            heartbeat: Duration::from_millis(41_250),
            allows_content: true,
            identified_at: None,
            identifies: Vec::new(),
            resumes: Vec::new(),
            started: 0,
        }
    }
}

impl Gateway {
    pub fn application_flags(&self) -> u64 {
        if self.allows_content { CONTENT_LIMITED } else { 0 }
    }

    /// The connection of a session is gone; `ended`: the bot said that it does not come back.
    pub fn lost(&mut self, socket: u64, ended: bool, now: Duration) {
        if ended {
            self.sessions.retain(|session| session.socket != Some(socket));
        }
        for session in self.sessions.iter_mut().filter(|session| session.socket == Some(socket)) {
            (session.socket, session.lost_at) = (None, Some(now));
        }
    }

    /// Whether a socket is the connection of a session.
    pub fn has_session(&self, socket: u64) -> bool {
        self.sessions.iter().any(|session| session.socket == Some(socket))
    }

    fn say(&mut self, at: usize, event: &str, data: &Value) {
        let session = &mut self.sessions[at];
        session.sequence += 1;
        let text = json!({"op": 0, "s": session.sequence, "t": event, "d": data}).to_string();
        session.told.push((session.sequence, text.clone()));
        if let Some(socket) = session.socket {
            self.links.order(socket, Order::Say(text));
        }
    }

    fn forget_old(&mut self, now: Duration) {
        self.sessions.retain(|session| session.lost_at.is_none_or(|lost| now.saturating_sub(lost) < KEPT));
    }
}

impl State {
    /// `GET /gateway/bot`
    pub fn gateway_bot(&self) -> Value {
        let remaining = STARTS.saturating_sub(self.gateway.started);
        json!({
            "url": format!("ws://{}", self.address), "shards": 1,
            "session_start_limit": {
                "total": STARTS, "remaining": remaining, "reset_after": 86_400_000, "max_concurrency": 1,
            },
        })
    }

    /// IDENTIFY. What is to be said or done.
    pub fn identify(&mut self, socket: u64, data: &Value) -> Vec<Order> {
        self.gateway.identifies.push(data.clone());
        let token = data["token"].as_str().unwrap_or("");
        if token.strip_prefix("Bot ").unwrap_or(token) != TOKEN {
            return vec![Order::Close(4004, "Authentication failed.")];
        }
        let Some(intents) = data["intents"].as_u64().filter(|intents| intents & !KNOWN == 0) else {
            return vec![Order::Close(4013, "Invalid intent(s).")];
        };
        let privileged =
            GUILD_MEMBERS | GUILD_PRESENCES | if self.gateway.allows_content { 0 } else { MESSAGE_CONTENT };
        if intents & privileged != 0 {
            return vec![Order::Close(4014, "Disallowed intent(s).")];
        }
        let number =
            |at: usize, otherwise| if data["shard"].is_null() { Some(otherwise) } else { data["shard"][at].as_u64() };
        let (Some(shard), Some(shards)) = (number(0, 0), number(1, 1)) else {
            return vec![Order::Close(4010, "Invalid shard.")];
        };
        if shard >= shards {
            return vec![Order::Close(4010, "Invalid shard.")];
        }
        if !data["properties"].is_object() {
            return vec![Order::Close(4002, "Error while decoding payload.")];
        }
        let now = self.now();
        if self.gateway.identified_at.is_some_and(|last| now.saturating_sub(last) < PAUSE) {
            return vec![Order::Say(json!({"op": 9, "d": false}).to_string())];
        }
        self.gateway.identified_at = Some(now);
        self.gateway.started += 1;
        self.begin(socket, intents, (shard, shards));
        Vec::new()
    }

    fn begin(&mut self, socket: u64, intents: u64, shard: (u64, u64)) {
        let id = self.secret("")[..32].to_owned();
        let number = self.gateway.started;
        let session = Session {
            id: id.clone(),
            intents,
            sequence: 0,
            told: Vec::new(),
            socket: Some(socket),
            lost_at: None,
            shard,
        };
        let ready = json!({
            "v": 10, "user": self.current_user(), "session_id": id, "session_type": "normal",
            "resume_gateway_url": format!("ws://{}/resume-{number}", self.address), "shard": [shard.0, shard.1],
            "application": {"id": APP_ID, "flags": self.gateway.application_flags()}, "user_settings": {},
            "guilds": [{"id": GUILD, "unavailable": true}], "private_channels": [], "relationships": [],
            "presences": [], "guild_join_requests": [], "geo_ordered_rtc_regions": [], "auth": {}, "_trace": ["[]"],
        });
        self.gateway.sessions.push(session);
        let at = self.gateway.sessions.len() - 1;
        self.gateway.say(at, "READY", &ready);
        if intents & GUILDS != 0 && shard.0 == guild_shard(shard.1) {
            let guild = self.guild_created();
            self.gateway.say(at, "GUILD_CREATE", &guild);
        }
    }

    /// RESUME, which came to this path. What is to be said or done.
    pub fn resume(&mut self, socket: u64, path: &str, data: &Value) -> Vec<Order> {
        let mut record = data.clone();
        record["path"] = json!(path);
        self.gateway.resumes.push(record);
        let token = data["token"].as_str().unwrap_or("");
        if token.strip_prefix("Bot ").unwrap_or(token) != TOKEN {
            return vec![Order::Close(4004, "Authentication failed.")];
        }
        let now = self.now();
        self.gateway.forget_old(now);
        let known = |session: &&mut Session| {
            data["session_id"] == *session.id && data["seq"].as_u64().is_some_and(|seq| seq <= session.sequence)
        };
        let Some(session) = self.gateway.sessions.iter_mut().find(known) else {
            return vec![Order::Say(json!({"op": 9, "d": false}).to_string())];
        };
        let heard = data["seq"].as_u64().unwrap_or(0);
        if let Some(old) = session.socket {
            self.gateway.links.order(old, Order::Close(4000, "Another connection took the session over."));
        }
        (session.socket, session.lost_at) = (Some(socket), None);
        // It had what it confirms.
        session.told.retain(|(number, _)| *number > heard);
        let mut orders: Vec<Order> = session.told.iter().map(|(_, text)| Order::Say(text.clone())).collect();
        session.sequence += 1;
        let text = json!({"op": 0, "s": session.sequence, "t": "RESUMED", "d": {"_trace": ["[]"]}}).to_string();
        session.told.push((session.sequence, text.clone()));
        orders.push(Order::Say(text));
        orders
    }

    /// Op 8: the members of the server with these ids, or all whose names begin so.
    pub fn request_members(&mut self, socket: u64, data: &Value) -> Vec<Order> {
        let ids: Vec<String> = match &data["user_ids"] {
            Value::Array(ids) => ids.iter().map(super::messages::id_of).collect(),
            Value::Null => Vec::new(),
            one => vec![super::messages::id_of(one)],
        };
        let begins = data["query"].as_str().filter(|_| ids.is_empty()).map(str::to_lowercase);
        // Everybody is listed only for those who may hear of members, which no bot here may.
        let named = |name: &str| begins.as_ref().is_some_and(|begins| !begins.is_empty() && name.starts_with(begins));
        let meant = |id: &&String, user: &super::people::User| ids.contains(id) || named(&user.name.to_lowercase());
        let found = self.users.iter().filter(|(id, user)| meant(id, user));
        let members: Vec<Value> = found.filter_map(|(id, _)| self.member_object(id)).collect();
        let known = |id: &&String| self.users.get(*id).is_some_and(|user| user.roles.is_some());
        let missing: Vec<&String> = ids.iter().filter(|id| !known(id)).collect();
        let chunk = json!({
            "guild_id": GUILD, "members": members, "chunk_index": 0, "chunk_count": 1, "not_found": missing,
            "nonce": data["nonce"],
        });
        if let Some(at) = self.gateway.sessions.iter().position(|session| session.socket == Some(socket)) {
            self.gateway.say(at, "GUILD_MEMBERS_CHUNK", &chunk);
        }
        Vec::new()
    }

    /// Tells all sessions that hear of everything in `wanted`; what, depends on all that the session hears of.
    pub fn tell(&mut self, event: &str, wanted: u64, of_guild: bool, data: impl Fn(u64) -> Value) {
        let now = self.now();
        self.gateway.forget_old(now);
        for at in 0..self.gateway.sessions.len() {
            let Session { intents, shard, .. } = self.gateway.sessions[at];
            let shard_of_it = if of_guild { guild_shard(shard.1) } else { 0 };
            if intents & wanted == wanted && shard.0 == shard_of_it {
                self.gateway.say(at, event, &data(intents));
            }
        }
    }
}

fn guild_shard(shards: u64) -> u64 {
    GUILD.parse::<u64>().map_or(0, |id| (id >> 22) % shards.max(1))
}

impl FakeDiscord {
    /// Whether the bot may read what people write without calling it. When not, asking for it closes the connection
    /// with 4014.
    pub fn allow_message_content(&self, allowed: bool) {
        self.change(|state| state.gateway.allows_content = allowed);
    }

    /// How often the bot is to send a heartbeat, from the next connection on.
    pub fn set_heartbeat(&self, interval: Duration) {
        self.change(|state| state.gateway.heartbeat = interval);
    }

    /// Cuts the connection of every open socket without a word; their sessions live on.
    pub fn drop_sockets(&self) {
        self.change(|state| state.order_all(|| Order::Cut));
    }

    /// The sockets that are open now stay open and are dead: nothing is read from them, no heartbeat is answered, and
    /// what is sent to them is lost; it comes after RESUME.
    pub fn freeze_sockets(&self) {
        self.change(|state| state.order_all(|| Order::Freeze));
    }

    /// Closes every open socket with this code. Of 4007 and 4009 sessions do not live on.
    pub fn close_sockets(&self, code: u16) {
        self.change(|state| {
            if matches!(code, 4007 | 4009) {
                state.gateway.sessions.clear();
            }
            state.order_all(|| Order::Close(code, "Closed by the fake."));
        });
    }

    /// Asks the bot to connect again (op 7).
    pub fn ask_to_reconnect(&self) {
        self.change(|state| state.order_all(|| Order::Say(json!({"op": 7, "d": null}).to_string())));
    }

    /// Tells the bot that its sessions are not good any more (op 9); when `resumable`, it may RESUME.
    pub fn invalidate_sessions(&self, resumable: bool) {
        self.change(|state| {
            state.order_all(|| Order::Say(json!({"op": 9, "d": resumable}).to_string()));
            let now = state.now();
            for session in &mut state.gateway.sessions {
                (session.socket, session.lost_at) = (None, Some(now));
            }
            if !resumable {
                state.gateway.sessions.clear();
            }
        });
    }

    /// No session of before can be resumed; those that are open go on until their connection ends.
    pub fn forget_sessions(&self) {
        self.change(|state| {
            for session in &mut state.gateway.sessions {
                session.id = String::from("forgotten");
            }
        });
    }

    /// How many sockets were ever opened.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.state().gateway.links.paths.len()
    }

    /// How many sockets are open, dead ones among them.
    #[must_use]
    pub fn open_sockets(&self) -> usize {
        self.state().gateway.links.open()
    }

    /// The paths that sockets were opened at, in the order in which they came: `/` and `/resume-N`.
    #[must_use]
    pub fn paths(&self) -> Vec<String> {
        self.state().gateway.links.paths.clone()
    }

    /// What the bot said to IDENTIFY.
    #[must_use]
    pub fn identifies(&self) -> Vec<Value> {
        self.state().gateway.identifies.clone()
    }

    /// What the bot said to RESUME, with the `path` that it came to.
    #[must_use]
    pub fn resumes(&self) -> Vec<Value> {
        self.state().gateway.resumes.clone()
    }

    /// How many sessions are kept, with or without a connection.
    #[must_use]
    pub fn sessions(&self) -> usize {
        self.state().gateway.sessions.len()
    }
}

impl State {
    fn order_all(&mut self, order: impl Fn() -> Order) {
        self.gateway.links.order_all(order);
    }
}
