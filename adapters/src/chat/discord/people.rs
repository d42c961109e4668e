//! Who is who: the bot itself, the names of people, and who may do what cannot be taken back.
//!
//! Only the servers with the incident channels count: anybody can invite a bot to a server of their own, and make roles there.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::api::Api;
use super::error::{UNKNOWN_MEMBER, UNKNOWN_USER};
use super::snowflake;
use crate::Error;
use crate::chat::Person;

/// How long a name is known, and how many people are.
const NAME_LASTS: Duration = Duration::from_hours(1);
const PEOPLE: usize = 10_000;
/// How long the roles of somebody are known. What they press says their roles anew.
const ROLES_LAST: Duration = Duration::from_mins(1);

/// The bot, as Discord knows it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// Id of the application.
    pub application: String,
    /// Id of the bot's user.
    pub user: String,
    /// Its name.
    pub name: String,
    /// Ids of the roles that are its alone, as far as they are known.
    #[serde(skip)]
    pub roles: Vec<String>,
}

/// A role of a server.
struct Role {
    /// Its name, in lower case.
    name: String,
    /// The bot whose it is alone, if it is one's.
    bot: Option<String>,
}

/// The roles of somebody on a server; none when they are not on it.
type Roles = Option<BTreeSet<String>>;

#[derive(Default)]
struct Known {
    identity: Option<Identity>,
    names: HashMap<String, (String, Instant)>,
    /// By server and person.
    members: HashMap<(String, String), (Roles, Instant)>,
    /// Roles by server and id.
    roles: HashMap<String, HashMap<String, Role>>,
    /// The servers with the incident channels.
    homes: BTreeSet<String>,
}

/// What is known of people.
pub struct People {
    /// Ids or names of the roles whose members may do what cannot be taken back; empty: everybody may.
    trusted: Vec<String>,
    known: Mutex<Known>,
}

impl People {
    /// Nothing is known yet. `trusted` is a comma-separated list.
    pub fn new(trusted: Option<&str>) -> Self {
        let listed = trusted.unwrap_or_default().split(',');
        let trusted = listed.map(|role| role.trim().trim_start_matches('@').to_lowercase());
        Self { trusted: trusted.filter(|role| !role.is_empty()).collect(), known: Mutex::default() }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        // Every change of it is complete before anything can panic.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The bot, once it is known.
    pub fn identity(&self) -> Option<Identity> {
        let known = self.known();
        let mut identity = known.identity.clone()?;
        let roles = known.roles.values().flatten();
        let own = roles.filter(|(_, role)| role.bot.as_ref() == Some(&identity.user));
        identity.roles = own.map(|(id, _)| id.clone()).collect();
        Some(identity)
    }

    /// Notes who the bot is.
    pub fn introduce(&self, identity: Identity) {
        self.known().identity = Some(identity);
    }

    /// Who the bot is, asked for if need be.
    ///
    /// # Errors
    /// When Discord does not say.
    pub async fn ask(&self, api: &Api) -> Result<Identity, Error> {
        if let Some(identity) = self.identity() {
            return Ok(identity);
        }
        let user = api.get("users/@me").await?;
        let application = match api.get("oauth2/applications/@me").await.map_err(Error::from) {
            // The bot of an application has its id, unless it was made before 2016.
            Err(Error::Gone(_)) => user.clone(),
            told => told?,
        };
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let identity = Identity {
            application: text(&application["id"]),
            user: text(&user["id"]),
            name: text(&user["username"]),
            roles: Vec::new(),
        };
        if identity.application.is_empty() || identity.user.is_empty() {
            return Err(Error::Permanent("Discord does not say who the bot is".into()));
        }
        self.introduce(identity.clone());
        Ok(identity)
    }

    /// Notes on which servers the incident channels are.
    pub fn set_homes(&self, homes: BTreeSet<String>) {
        self.known().homes = homes;
    }

    /// Whether a server is one of ours. As long as none is known, all are.
    pub fn is_home(&self, guild: &str) -> bool {
        let known = self.known();
        known.homes.is_empty() || known.homes.contains(guild)
    }

    /// Learns the roles of a server.
    pub fn learn_guild(&self, guild: &Value) {
        let Some(id) = guild["id"].as_str() else { return };
        self.known().roles.insert(id.to_owned(), HashMap::new());
        for role in guild["roles"].as_array().into_iter().flatten() {
            self.learn_role(Some(id), role);
        }
    }

    /// Learns of a role.
    pub fn learn_role(&self, guild: Option<&str>, role: &Value) {
        if let (Some(guild), Some(id), Some(name)) = (guild, role["id"].as_str(), role["name"].as_str()) {
            let bot = role["tags"]["bot_id"].as_str().map(str::to_owned);
            let role = Role { name: name.trim_start_matches('@').to_lowercase(), bot };
            self.known().roles.entry(guild.to_owned()).or_default().insert(id.to_owned(), role);
        }
    }

    /// Forgets a role.
    pub fn forget_role(&self, guild: Option<&str>, role: Option<&str>) {
        if let (Some(guild), Some(role)) = (guild, role)
            && let Some(roles) = self.known().roles.get_mut(guild)
        {
            roles.remove(role);
        }
    }

    /// Forgets a server that the bot is no longer on.
    pub fn forget_guild(&self, guild: &str) {
        self.known().roles.remove(guild);
    }

    /// Learns the name of somebody, and their roles on a server, from what they did there.
    pub fn learn(&self, person: &Person, guild: Option<&str>, member: &Value) {
        let mut known = self.known();
        if known.names.len() >= PEOPLE || known.members.len() >= PEOPLE {
            known.names.clear();
            known.members.clear();
        }
        if !person.name.is_empty() {
            known.names.insert(person.id.clone(), (person.name.clone(), Instant::now()));
        }
        if let (Some(guild), Some(roles)) = (guild, roles_of(member)) {
            known.members.insert((guild.to_owned(), person.id.clone()), (Some(roles), Instant::now()));
        }
    }

    /// What to call somebody.
    ///
    /// # Errors
    /// When Discord does not say.
    pub async fn person(&self, api: &Api, id: &str) -> Result<Person, Error> {
        if let Some((name, since)) = self.known().names.get(id)
            && since.elapsed() < NAME_LASTS
        {
            return Ok(Person { id: id.to_owned(), name: name.clone() });
        }
        if !snowflake::is_one(id) {
            return Err(Error::Permanent(format!("{id:?} is no id of a person in Discord")));
        }
        let user = api.get(&format!("users/{id}")).await?;
        let person = Person { id: id.to_owned(), name: name_of(&user, &Value::Null) };
        self.learn(&person, None, &Value::Null);
        Ok(person)
    }

    /// Whether somebody who writes to the bot alone is on one of our servers. Where Discord does not say, they are.
    pub async fn is_one_of_us(&self, api: &Api, person: &Person) -> bool {
        let homes = self.known().homes.clone();
        for guild in &homes {
            if !matches!(self.roles(api, guild, person).await, Ok(None)) {
                return true;
            }
        }
        homes.is_empty()
    }

    /// Whether somebody has one of the roles, or none is asked for.
    ///
    /// # Errors
    /// When Discord does not say.
    pub async fn trusts(&self, api: &Api, person: &Person) -> Result<bool, Error> {
        if self.trusted.is_empty() {
            return Ok(true);
        }
        let mut is_known = false;
        for guild in self.homes(api).await? {
            let trusted = self.trusted_on(api, &guild).await?;
            is_known |= !trusted.is_empty();
            let roles = self.roles(api, &guild, person).await?.unwrap_or_default();
            if !trusted.is_disjoint(&roles) {
                return Ok(true);
            }
        }
        if !is_known {
            tracing::error!(roles = self.trusted.join(", "), "discord.role: there are no such roles; give their ids");
        }
        Ok(false)
    }

    /// The servers whose roles count: those with the incident channels, or all, when there are no such channels.
    async fn homes(&self, api: &Api) -> Result<BTreeSet<String>, Error> {
        let homes = self.known().homes.clone();
        if !homes.is_empty() {
            return Ok(homes);
        }
        let guilds = api.get("users/@me/guilds").await?;
        let ids = guilds.as_array().into_iter().flatten().filter_map(|guild| guild["id"].as_str());
        Ok(ids.map(str::to_owned).collect())
    }

    /// Ids of the roles on a server whose members may do what cannot be taken back.
    async fn trusted_on(&self, api: &Api, guild: &str) -> Result<BTreeSet<String>, Error> {
        let are_known = self.known().roles.contains_key(guild);
        if !are_known {
            let roles = api.get(&format!("guilds/{guild}/roles")).await?;
            self.learn_guild(&json!({"id": guild, "roles": roles}));
        }
        let known = self.known();
        let roles = known.roles.get(guild).into_iter().flatten();
        let trusted =
            roles.filter(|(id, role)| self.trusted.iter().any(|wanted| wanted == *id || *wanted == role.name));
        Ok(trusted.map(|(id, _)| id.clone()).collect())
    }

    /// The roles of somebody on a server.
    async fn roles(&self, api: &Api, guild: &str, person: &Person) -> Result<Roles, Error> {
        let key = (guild.to_owned(), person.id.clone());
        if let Some((roles, since)) = self.known().members.get(&key)
            && since.elapsed() < ROLES_LAST
        {
            return Ok(roles.clone());
        }
        let roles = match api.get(&format!("guilds/{guild}/members/{}", person.id)).await {
            Ok(member) => Some(roles_of(&member).unwrap_or_default()),
            Err(refusal) if matches!(refusal.code, UNKNOWN_MEMBER | UNKNOWN_USER) => None,
            Err(refusal) => return Err(refusal.into()),
        };
        self.known().members.insert(key, (roles.clone(), Instant::now()));
        Ok(roles)
    }
}

fn roles_of(member: &Value) -> Option<BTreeSet<String>> {
    Some(member["roles"].as_array()?.iter().filter_map(Value::as_str).map(str::to_owned).collect())
}

/// What somebody is called: on this server, else everywhere, else by the name of the account.
pub fn name_of(user: &Value, member: &Value) -> String {
    let names = [&member["nick"], &user["global_name"], &user["username"]];
    names.into_iter().filter_map(Value::as_str).find(|name| !name.trim().is_empty()).unwrap_or_default().to_owned()
}
