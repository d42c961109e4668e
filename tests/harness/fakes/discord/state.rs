//! What the fake keeps.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::buckets::Buckets;
use super::channel::Channel;
use super::files::StoredFile;
use super::gateway::Gateway;
use super::interactions::Pending;
use super::messages::Once;
use super::modals::Form;
use super::people::{Role, User};
use super::{APP_ID, BOT_ROLE, BOT_USER, Call, GUILD};
use crate::fakes::clock::since_epoch;
use crate::fakes::faults::Dice;

/// When Discord's ids begin, in milliseconds since 1970.
const EPOCH: u128 = 1_420_070_400_000;

/// Everything the fake knows.
#[derive(Debug)]
pub struct State {
    pub channels: BTreeMap<String, Channel>,
    /// People and bots, by id.
    pub users: BTreeMap<String, User>,
    pub roles: BTreeMap<String, Role>,
    /// People who take no direct messages.
    pub closed: BTreeSet<String>,
    /// Commands that are registered, as they are told of; those of the server have a `guild_id`.
    pub commands: Vec<Value>,
    pub interactions: Vec<Pending>,
    /// What was written with a nonce, by the bot.
    pub nonces: Vec<Once>,
    /// The form that each person has open.
    pub forms: BTreeMap<String, Form>,
    pub files: BTreeMap<String, StoredFile>,
    /// Addresses of files from before are not good any more.
    pub file_links: u64,
    /// How often somebody sent a token along to files.
    pub leaked: usize,
    pub gateway: Gateway,
    /// Names of the webhooks, in the order of their ids.
    pub webhooks: Vec<String>,
    /// Where interactions are posted to, when they are not told over the gateway.
    pub endpoint: Option<String>,
    pub buckets: Buckets,
    pub calls: Vec<Call>,
    pub dice: Dice,
    /// Host and port of the server.
    pub address: String,
    started: Instant,
    /// How much later it is than it is.
    pub aged: Duration,
    latest: u128,
}

impl Default for State {
    fn default() -> Self {
        Self {
            channels: BTreeMap::new(),
            users: [(BOT_USER.to_owned(), User::bot("clew"))].into(),
            roles: [
                (GUILD.to_owned(), Role { name: "@everyone".to_owned(), mentionable: false, managed: false }),
                (BOT_ROLE.to_owned(), Role { name: "clew".to_owned(), mentionable: false, managed: true }),
            ]
            .into(),
            closed: BTreeSet::new(),
            commands: Vec::new(),
            interactions: Vec::new(),
            nonces: Vec::new(),
            forms: BTreeMap::new(),
            files: BTreeMap::new(),
            file_links: 0,
            leaked: 0,
            gateway: Gateway::default(),
            webhooks: Vec::new(),
            endpoint: None,
            buckets: Buckets::default(),
            calls: Vec::new(),
            dice: Dice::default(),
            address: String::new(),
            started: Instant::now(),
            aged: Duration::ZERO,
            latest: 0,
        }
    }
}

impl State {
    /// A new id: it holds the time, and is larger than every other.
    pub fn snowflake(&mut self) -> String {
        let now = since_epoch().as_millis().saturating_sub(EPOCH) << 22;
        self.latest = now.max(self.latest + 1);
        self.latest.to_string()
    }

    /// A new secret that nobody guesses, for what only its holder may do.
    pub fn secret(&mut self, prefix: &str) -> String {
        let id = self.snowflake();
        let digest = ring::digest::digest(&ring::digest::SHA256, id.as_bytes());
        digest.as_ref().iter().fold(prefix.to_owned(), |secret, byte| secret + &format!("{byte:02x}"))
    }

    /// Time since the fake started, as far as its clock goes.
    pub fn now(&self) -> Duration {
        self.started.elapsed() + self.aged
    }

    /// The application as it tells of itself.
    pub fn application(&self) -> Value {
        json!({
            "id": APP_ID, "name": "clew", "icon": null, "description": "", "summary": "", "type": null,
            "bot": self.user_object(BOT_USER), "bot_public": true, "bot_require_code_grant": false,
            "verify_key": super::signed::public_key(), "flags": self.gateway.application_flags(),
            "owner": self.user_object(super::ADA), "team": null, "hook": true,
            "interactions_endpoint_url": self.endpoint, "redirect_uris": [],
        })
    }
}

/// The time in an id, as Discord writes times.
pub fn timestamp(id: &str) -> String {
    let since = id.parse::<u128>().map_or(0, |id| (id >> 22) + EPOCH);
    written(i64::try_from(since).unwrap_or(0))
}

/// The present time, as Discord writes times.
pub fn timestamp_now() -> String {
    written(i64::try_from(since_epoch().as_millis()).unwrap_or(0))
}

fn written(milliseconds: i64) -> String {
    let time = chrono::DateTime::from_timestamp_millis(milliseconds).unwrap_or_default();
    time.format("%Y-%m-%dT%H:%M:%S%.6f+00:00").to_string()
}
