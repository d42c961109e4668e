//! Who is who: the bot itself, the names of people, and who may do what cannot be taken back.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde::Deserialize;
use serde_json::Value;

use super::api::Api;
use crate::Error;
use crate::chat::Person;

/// How long a name is known, and how many names.
const NAME_LASTS: Duration = Duration::from_hours(1);
const NAMES: usize = 10_000;
/// How long the members of the group are known.
const GROUP_LASTS: Duration = Duration::from_mins(1);

/// The bot, as Slack knows it.
#[derive(Debug, Clone, Deserialize)]
pub struct Identity {
    /// Address of the workspace, with a slash at the end.
    #[serde(default)]
    pub url: String,
    /// Name of the workspace.
    #[serde(default)]
    pub team: String,
    /// Name of the bot.
    #[serde(default)]
    pub user: String,
    /// Id of its user.
    #[serde(default)]
    pub user_id: String,
}

#[derive(Default)]
struct Known {
    identity: Option<Identity>,
    names: HashMap<String, (Person, Instant)>,
    group: Option<(HashSet<String>, Instant)>,
}

/// What is known of people.
pub struct People {
    /// Id or handle of the group whose members may do what cannot be taken back.
    group: Option<String>,
    known: Mutex<Known>,
}

#[derive(Deserialize)]
struct UserAnswer {
    user: Value,
}

#[derive(Deserialize)]
struct Members {
    users: Vec<String>,
}

#[derive(Deserialize)]
struct Groups {
    usergroups: Vec<Group>,
}

#[derive(Deserialize)]
struct Group {
    id: String,
    #[serde(default)]
    handle: String,
}

impl People {
    /// Nothing is known yet.
    pub fn new(group: Option<String>) -> Self {
        Self { group, known: Mutex::default() }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        // Every change of it is complete before anything can panic.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Finds out who the bot is.
    pub async fn introduce(&self, api: &Api) -> Result<Identity, Error> {
        let identity: Identity = api.send("auth.test", "", &serde_json::json!({})).await?;
        self.known().identity = Some(identity.clone());
        Ok(identity)
    }

    /// Id of the bot's user, once it is known.
    pub fn bot_user(&self) -> Option<String> {
        self.known().identity.as_ref().map(|identity| identity.user_id.clone()).filter(|id| !id.is_empty())
    }

    /// Address of the workspace, once it is known.
    pub fn workspace(&self) -> Option<String> {
        self.known().identity.as_ref().map(|identity| identity.url.clone()).filter(|url| url.starts_with("https://"))
    }

    /// What to call somebody: the name that they chose to be shown, else their real one.
    pub async fn person(&self, api: &Api, id: &str) -> Result<Person, Error> {
        if let Some((person, since)) = self.known().names.get(id)
            && since.elapsed() < NAME_LASTS
        {
            return Ok(person.clone());
        }
        let answer: UserAnswer = api.get("users.info", "", vec![("user", Some(id.to_owned()))]).await?;
        let user = &answer.user;
        let names =
            [&user["profile"]["display_name"], &user["profile"]["real_name"], &user["real_name"], &user["name"]];
        let name = names.into_iter().filter_map(Value::as_str).find(|name| !name.trim().is_empty()).unwrap_or(id);
        let person = Person { id: id.to_owned(), name: name.to_owned() };
        let mut known = self.known();
        if known.names.len() >= NAMES {
            known.names.clear();
        }
        known.names.insert(id.to_owned(), (person.clone(), Instant::now()));
        Ok(person)
    }

    /// Whether somebody is in the group, or there is none.
    pub async fn trusts(&self, api: &Api, person: &Person) -> Result<bool, Error> {
        let Some(group) = &self.group else { return Ok(true) };
        if let Some((members, since)) = &self.known().group
            && since.elapsed() < GROUP_LASTS
        {
            return Ok(members.contains(&person.id));
        }
        let id = group_id(api, group).await?;
        let members: Members = api.get("usergroups.users.list", "", vec![("usergroup", Some(id))]).await?;
        let members: HashSet<String> = members.users.into_iter().collect();
        let trusted = members.contains(&person.id);
        self.known().group = Some((members, Instant::now()));
        Ok(trusted)
    }
}

/// The id of a user group that is called by its id or its handle.
async fn group_id(api: &Api, group: &str) -> Result<String, Error> {
    let handle = group.trim().trim_start_matches('@');
    let groups: Groups = api.get("usergroups.list", "", vec![]).await?;
    let found = groups.usergroups.into_iter().find(|known| known.id == handle || known.handle == handle);
    found.map(|group| group.id).ok_or_else(|| {
        Error::Permanent(format!("slack.group: there is no user group {handle:?}; give its handle or its id (S…)"))
    })
}
