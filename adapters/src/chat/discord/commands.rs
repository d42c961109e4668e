//! The commands of the bot, registered at Discord: once, however often it starts.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use serenity::builder::{CreateCommand, CreateCommandOption};
use serenity::model::application::{CommandOptionType, CommandType, InstallationContext, InteractionContext};

use super::Inner;
use super::envelope::{COMMAND, FILE, SHORTCUT, TEXT};
use crate::Error;

/// Longest text of an option. <https://discord.com/developers/docs/interactions/application-commands>
const LONGEST: u16 = 6_000;
/// Seconds between two tries.
const AGAIN: [u64; 5] = [1, 2, 5, 15, 60];

/// All of them, as they are sent: for one server, or everywhere.
fn all(everywhere: bool) -> Value {
    let text = CreateCommandOption::new(
        CommandOptionType::String,
        TEXT,
        "Log lines, or words: list, search WORDS, status INC-1, help. Nothing at all opens a form.",
    )
    .max_length(LONGEST);
    let file = CreateCommandOption::new(
        CommandOptionType::Attachment,
        FILE,
        "A log file: .log .txt .json .gz .zip, up to 20 MiB.",
    );
    // Not for people who would use it anywhere, on their own account.
    let command = |name: &str| {
        let command = CreateCommand::new(name);
        if !everywhere {
            return command;
        }
        command
            .integration_types(vec![InstallationContext::Guild])
            .contexts(vec![InteractionContext::Guild, InteractionContext::BotDm])
    };
    let triage = command(COMMAND)
        .kind(CommandType::ChatInput)
        .description("Finds the probable root cause in logs, and keeps incidents.")
        .add_option(text)
        .add_option(file);
    json!([triage, command(SHORTCUT).kind(CommandType::Message)])
}

/// Registers them where they are not registered, or not as they now are. Tried until it works.
pub async fn register(discord: &Inner) {
    for tries in 0.. {
        match discord.try_register().await {
            Ok(()) => return,
            Err(Error::Auth(why) | Error::Closed(why)) => {
                tracing::error!(
                    why,
                    "the commands could not be registered: invite the bot with the scopes bot and applications.commands, and \
                     check discord.guilds"
                );
            }
            Err(error) => tracing::error!(%error, "the commands could not be registered; it is tried again"),
        }
        tokio::time::sleep(Duration::from_secs(AGAIN[AGAIN.len().min(tries + 1) - 1])).await;
    }
}

impl Inner {
    async fn try_register(&self) -> Result<(), Error> {
        let application = self.people.ask(&self.api).await?.application;
        let wanted = all(self.guilds.is_empty());
        for scope in self.command_scopes() {
            let path = format!("applications/{application}/{scope}commands");
            let is_known = match self.api.get(&path).await.map_err(Error::from) {
                Ok(known) => is_same(&known, &wanted),
                // What cannot be looked up can still be written.
                Err(Error::Gone(_) | Error::Permanent(_)) => false,
                Err(error) => return Err(error),
            };
            if !is_known {
                self.api.call(Method::PUT, &path, Some(&wanted)).await?;
                tracing::info!(scope, "the commands were registered at Discord");
            }
        }
        if !self.guilds.is_empty() {
            self.unregister_everywhere(&application).await?;
        }
        Ok(())
    }

    /// Commands that are registered everywhere would stand there twice.
    async fn unregister_everywhere(&self, application: &str) -> Result<(), Error> {
        let path = format!("applications/{application}/commands");
        let known = self.api.get(&path).await.unwrap_or_default();
        if known.as_array().into_iter().flatten().any(|command| command["name"] == COMMAND) {
            self.api.call(Method::PUT, &path, Some(&json!([]))).await?;
        }
        Ok(())
    }

    /// On the servers that are set, where they are there at once; else everywhere.
    fn command_scopes(&self) -> Vec<String> {
        if self.guilds.is_empty() {
            return vec![String::new()];
        }
        self.guilds.iter().map(|guild| format!("guilds/{guild}/")).collect()
    }
}

/// Whether Discord knows just these commands. It adds much to what it was sent.
fn is_same(known: &Value, wanted: &Value) -> bool {
    let all = |commands: &Value| {
        let mut all: Vec<Value> = commands.as_array().into_iter().flatten().map(essence).collect();
        all.sort_by_key(ToString::to_string);
        all
    };
    all(known) == all(wanted)
}

/// What a command was sent with.
fn essence(command: &Value) -> Value {
    let option = |option: &Value| {
        json!({
            "type": option["type"],
            "name": option["name"],
            "description": option["description"],
            "required": option["required"].as_bool().unwrap_or(false),
            "max_length": option["max_length"],
        })
    };
    json!({
        "type": command["type"].as_u64().unwrap_or(1),
        "name": command["name"],
        "description": command["description"].as_str().unwrap_or_default(),
        "options": command["options"].as_array().into_iter().flatten().map(option).collect::<Vec<_>>(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_discord_adds_is_no_change_and_a_change_is_one() {
        let mut known = all(true);
        known[0]["id"] = "1".into();
        known[0]["version"] = "2".into();
        known[0]["default_member_permissions"] = Value::Null;
        known[1]["description"] = "".into();
        let Value::Array(commands) = &mut known else { panic!("a list") };
        commands.reverse();
        assert!(is_same(&known, &all(true)), "{known}");
        known[1]["options"][0]["description"] = "Logs".into();
        assert!(!is_same(&known, &all(true)));
        assert!(!is_same(&json!([]), &all(true)));
    }
}
