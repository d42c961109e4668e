//! Commands that the application registers.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::limits::{Checker, list};
use super::refusal::{Refusal, Wrong, document, nothing};
use super::routes::Asked;
use super::state::State;
use super::{APP_ID, GUILD};
use crate::fakes::server::Reply;

/// A command that is typed, and those in the menus of people and messages.
pub const CHAT: u64 = 1;
pub const OF_MESSAGE: u64 = 3;

impl State {
    /// What is asked of the commands, of all servers or of this one.
    pub fn of_commands(&mut self, asked: &Asked) -> Result<Reply, Refusal> {
        let of_guild = asked.route.contains("guilds/");
        if of_guild && asked.id(1) != GUILD {
            return Err(Refusal::code(50_001));
        }
        let guild = if of_guild { json!(GUILD) } else { Value::Null };
        let id = asked.id(if of_guild { 2 } else { 1 });
        let ok = |value: &Value| Ok(document(200, value));
        match asked.route.split_once(' ').unwrap_or_default() {
            ("POST", _) => {
                let (command, is_new) = self.register(asked.document(), &guild);
                Ok(document(if is_new { 201 } else { 200 }, &command))
            }
            ("PUT", _) => {
                let names: BTreeSet<(String, u64)> = list(asked.document()).iter().map(key).collect();
                self.commands.retain(|old| old["guild_id"] != guild || names.contains(&key(old)));
                let commands: Vec<Value> =
                    list(asked.document()).iter().map(|command| self.register(command, &guild).0).collect();
                ok(&Value::Array(commands))
            }
            ("DELETE", _) => {
                let before = self.commands.len();
                self.commands.retain(|command| command["id"] != id || command["guild_id"] != guild);
                if self.commands.len() == before {
                    return Err(Refusal::code(10_063));
                }
                Ok(nothing())
            }
            (_, route) if route.ends_with("commands") => {
                ok(&self.commands.iter().filter(|command| command["guild_id"] == guild).cloned().collect())
            }
            _ => {
                let found = self.commands.iter().find(|command| command["id"] == id && command["guild_id"] == guild);
                found.ok_or_else(|| Refusal::code(10_063)).and_then(ok)
            }
        }
    }

    /// Adds a command, or changes the one of the same name and sort, which keeps its id.
    fn register(&mut self, sent: &Value, guild: &Value) -> (Value, bool) {
        let old = self.commands.iter().position(|old| old["guild_id"] == *guild && key(old) == key(sent));
        let fresh = self.snowflake();
        let id = old.map_or(json!(fresh), |at| self.commands[at]["id"].clone());
        let mut command = json!({
            "id": id, "application_id": APP_ID, "version": fresh, "type": key(sent).1, "name": sent["name"],
            "description": sent["description"].as_str().unwrap_or(""), "nsfw": sent["nsfw"] == true,
            "default_member_permissions": sent["default_member_permissions"], "dm_permission": true,
            "integration_types": [0], "contexts": null, "name_localizations": null,
            "description_localizations": null,
        });
        for name in ["options", "contexts", "integration_types", "dm_permission"] {
            if !sent[name].is_null() {
                command[name] = sent[name].clone();
            }
        }
        if !guild.is_null() {
            command["guild_id"] = guild.clone();
        }
        match old {
            Some(at) => self.commands[at] = command.clone(),
            None => self.commands.push(command.clone()),
        }
        (command, old.is_none())
    }

    /// The command of this name and sort that people see in a channel; one of the server before one of all servers.
    pub fn command_named(&self, name: &str, kind: u64, channel: &str) -> Option<&Value> {
        let direct = self.channels.get(channel).is_none_or(super::channel::Channel::is_direct);
        // 0: in servers, 1: with the bot alone. Commands of a server are not there outside of it.
        let here = |command: &Value| match command["contexts"].as_array() {
            Some(contexts) => contexts.contains(&json!(u64::from(direct))),
            None => !direct || command["dm_permission"] != false,
        };
        let there = |command: &Value| here(command) && !(direct && command["guild_id"].is_string());
        let named = |command: &&Value| command["name"] == name && command["type"] == kind && there(command);
        let mut found: Vec<&Value> = self.commands.iter().filter(named).collect();
        found.sort_by_key(|command| command["guild_id"].is_null());
        found.first().copied()
    }
}

fn key(command: &Value) -> (String, u64) {
    (command["name"].as_str().unwrap_or("").to_owned(), command["type"].as_u64().unwrap_or(CHAT))
}

/// What is wrong with commands: one, or all at once.
pub fn wrong_in_commands(body: &Value) -> Vec<Wrong> {
    let mut checker = Checker::default();
    if body.is_object() {
        command(&mut checker, "", body);
    }
    let mut names = BTreeSet::new();
    let mut typed = 0;
    for (at, one) in list(body).iter().enumerate() {
        command(&mut checker, &at.to_string(), one);
        typed += usize::from(key(one).1 == CHAT);
        if !names.insert(key(one)) {
            let message = "Application command names must be unique";
            checker.note(&at.to_string(), "APPLICATION_COMMANDS_DUPLICATE_NAME", message);
        }
    }
    let in_menus = list(body).len() - typed;
    if typed > 100 || in_menus > 15 {
        checker.note("", "APPLICATION_COMMANDS_MAX", "Maximum number of application commands reached");
    }
    checker.wrong
}

fn command(checker: &mut Checker, path: &str, command: &Value) {
    let at = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
    checker.text(&at("name"), &command["name"], 1, 32);
    let name = command["name"].as_str().unwrap_or("");
    if key(command).1 == CHAT {
        typed_name(checker, &at("name"), name);
        checker.text(&at("description"), &command["description"], 1, 100);
    } else {
        let described = command["description"].as_str().is_some_and(|text| !text.is_empty());
        if described || !list(&command["options"]).is_empty() {
            let message = "Context menu commands cannot have description";
            checker.note(&at("description"), "APPLICATION_COMMAND_CONTEXT_MENU_DESCRIPTION_CANNOT_BE_SET", message);
        }
    }
    options(checker, &at("options"), list(&command["options"]), 0);
}

/// The name of something that is typed: small letters, digits, `-` and `_`.
fn typed_name(checker: &mut Checker, path: &str, name: &str) {
    let good = |c: char| (c.is_alphanumeric() && !c.is_uppercase()) || c == '-' || c == '_';
    if !name.is_empty() && !name.chars().all(good) {
        checker.note(path, "APPLICATION_COMMAND_INVALID_NAME", "Command name is invalid");
    }
}

fn options(checker: &mut Checker, path: &str, all: &[Value], depth: usize) {
    checker.count(path, all.len(), 0, 25);
    let mut names = BTreeSet::new();
    let mut optional = false;
    for (at, option) in all.iter().enumerate() {
        let path = format!("{path}.{at}");
        let name = option["name"].as_str().unwrap_or("");
        checker.text(&format!("{path}.name"), &option["name"], 1, 32);
        typed_name(checker, &format!("{path}.name"), name);
        checker.text(&format!("{path}.description"), &option["description"], 1, 100);
        if !names.insert(name) {
            let message = "Option name already used";
            checker.note(&format!("{path}.name"), "APPLICATION_COMMAND_OPTIONS_NAME_ALREADY_EXISTS", message);
        }
        if option["required"] == true && optional {
            let message = "Required options must be placed before non-required options";
            checker.note(&path, "APPLICATION_COMMAND_OPTIONS_REQUIRED_INVALID", message);
        }
        optional |= option["required"] != true;
        checker.count(&format!("{path}.choices"), list(&option["choices"]).len(), 0, 25);
        for (at, choice) in list(&option["choices"]).iter().enumerate() {
            checker.text(&format!("{path}.choices.{at}.name"), &choice["name"], 1, 100);
            // A choice can be a number.
            let value = if choice["value"].is_string() { &choice["value"] } else { &Value::Null };
            checker.optional(&format!("{path}.choices.{at}.value"), value, 100);
        }
        if matches!(option["type"].as_u64(), Some(1 | 2)) && depth < 2 {
            options(checker, &format!("{path}.options"), list(&option["options"]), depth + 1);
        }
    }
}
