//! What people do with the bot: commands, buttons, menus.

use std::time::Duration;

use serde_json::{Value, json};

use super::commands::{CHAT, OF_MESSAGE};
use super::controls::{button, kind, option};
use super::limits::{length, list};
use super::message::LOADING;
use super::permissions::ALL;
use super::state::State;
use super::{APP_ID, FakeDiscord, GUILD};
use crate::Failure;

/// Sorts of interactions, as Discord numbers them.
pub const COMMAND: u64 = 2;
pub const COMPONENT: u64 = 3;
pub const SUBMIT: u64 = 5;
/// How long Discord waits for the first answer.
pub const PATIENCE: Duration = Duration::from_secs(3);
/// How long the token of an interaction is good.
pub const LIFE: Duration = Duration::from_mins(15);
/// The command that people type.
const TRIAGE: &str = "triage";
/// Sorts of options: a text and a file.
const TEXT: u64 = 3;
const FILE: u64 = 11;

/// An interaction, as a story reads it.
#[derive(Debug, Clone, PartialEq)]
pub struct Interaction {
    /// Its id.
    pub id: String,
    /// 2: a command, 3: a control, 5: a form.
    pub kind: u64,
    /// Whose.
    pub user: String,
    /// The type of the answer; `None`: no answer was taken.
    pub answer: Option<u64>,
    /// How long after it began the answer came.
    pub after: Duration,
    /// The person was told that the application did not respond.
    pub failed: bool,
    /// What the bot was told.
    pub payload: Value,
}

/// An interaction, as the fake keeps it.
#[derive(Debug)]
pub struct Pending {
    pub id: String,
    pub token: String,
    pub kind: u64,
    pub user: String,
    pub channel: String,
    /// The message that the control stands on; of a form, that of the control that opened it.
    pub source: Option<String>,
    /// When it began, on the clock of the fake.
    pub begun: Duration,
    pub answer: Option<u64>,
    pub after: Duration,
    /// No answer is taken any more.
    pub refused: bool,
    /// What `@original` is.
    pub original: Option<String>,
    /// What was written with its token.
    pub written: Vec<String>,
    pub payload: Value,
}

impl Pending {
    /// Whether the person was told that nobody answered.
    pub fn failed(&self, now: Duration) -> bool {
        self.answer.is_none() && (self.refused || now.saturating_sub(self.begun) > PATIENCE)
    }
}

impl FakeDiscord {
    /// A person enters `/triage`, with what is meant for its options `text` and `file`.
    ///
    /// # Errors
    /// When no such command is registered, or it does not take this: then the person cannot send it.
    pub fn command(
        &self,
        channel: &str,
        user: &str,
        text: Option<&str>,
        file: Option<(&str, Vec<u8>)>,
    ) -> Result<(), Failure> {
        self.interact(|state| {
            let data = state.command_data(channel, text, file)?;
            Ok(state.ask(COMMAND, user, channel, data, None))
        })
    }

    /// A person chooses a command in the menu of a message.
    ///
    /// # Errors
    /// When no such command is registered, or there is no such message.
    pub fn message_command(&self, channel: &str, message: &str, user: &str, name: &str) -> Result<(), Failure> {
        self.interact(|state| {
            let command =
                state.command_named(name, OF_MESSAGE, channel).ok_or_else(|| format!("no command {name:?}"))?;
            let mut data = json!({"id": command["id"], "name": name, "type": OF_MESSAGE, "target_id": message});
            if let Some(guild) = command.get("guild_id") {
                data["guild_id"] = guild.clone();
            }
            let held = state.channels.get(channel).ok_or("no such channel")?;
            let kept = held.message(message).filter(|kept| kept.is_public()).ok_or("no such message")?;
            data["resolved"] = json!({"messages": {message: state.told(channel, kept)}});
            Ok(state.ask(COMMAND, user, channel, data, None))
        })
    }

    /// A person presses the button of a message with this label. The message may be one that only this person sees.
    ///
    /// # Errors
    /// When there is no such button, or it cannot be pressed.
    pub fn press(&self, channel: &str, message: &str, user: &str, label: &str) -> Result<(), Failure> {
        self.interact(|state| {
            let shown = state.seen_by(channel, message, user)?;
            let pressed = button(&shown["components"], label).ok_or_else(|| nothing_called(label, &shown))?;
            let data = json!({"component_type": kind(pressed), "custom_id": pressed["custom_id"], "id": pressed["id"]});
            Ok(state.ask(COMPONENT, user, channel, data, Some(shown)))
        })
    }

    /// A person chooses the option with this label from a menu of a message.
    ///
    /// # Errors
    /// When there is no such option, or the menu wants more than one.
    pub fn choose(&self, channel: &str, message: &str, user: &str, option_label: &str) -> Result<(), Failure> {
        self.interact(|state| {
            let shown = state.seen_by(channel, message, user)?;
            let found = option(&shown["components"], option_label);
            let (menu, value) = found.ok_or_else(|| nothing_called(option_label, &shown))?;
            if menu["min_values"].as_u64().unwrap_or(1) > 1 {
                return Err("the menu wants more than one option".to_owned());
            }
            let data = json!({
                "component_type": kind(menu), "custom_id": menu["custom_id"], "id": menu["id"], "values": [value],
            });
            Ok(state.ask(COMPONENT, user, channel, data, Some(shown)))
        })
    }

    /// The very same interaction is told once more, as gateways sometimes do.
    pub fn repeat(&self, interaction: &Interaction) {
        self.change(|state| state.emit_interaction(&interaction.payload));
    }

    /// What people did, in the order in which it came.
    #[must_use]
    pub fn interactions(&self) -> Vec<Interaction> {
        let state = self.state();
        let now = state.now();
        let read = |pending: &Pending| Interaction {
            id: pending.id.clone(),
            kind: pending.kind,
            user: pending.user.clone(),
            answer: pending.answer,
            after: pending.after,
            failed: pending.failed(now),
            payload: pending.payload.clone(),
        };
        state.interactions.iter().map(read).collect()
    }

    /// How often this person sees that the bot is thinking.
    #[must_use]
    pub fn awaits(&self, user: &str) -> usize {
        let state = self.state();
        let now = state.now();
        let thinking = |pending: &&Pending| {
            let message = pending.original.as_deref().and_then(|id| state.place_of(id));
            pending.user == user
                && now.saturating_sub(pending.begun) <= LIFE
                && message.is_some_and(|(_, kept)| kept.has(LOADING))
        };
        state.interactions.iter().filter(thinking).count()
    }

    pub(super) fn interact(&self, begin: impl FnOnce(&mut State) -> Result<Value, String>) -> Result<(), Failure> {
        let post = self.change(|state| {
            let payload = begin(state)?;
            let Some(url) = state.endpoint.clone() else {
                state.emit_interaction(&payload);
                return Ok::<_, String>(None);
            };
            Ok(Some((url, payload)))
        })?;
        if let Some((url, payload)) = post {
            self.post(url, payload);
        }
        Ok(())
    }
}

fn nothing_called(label: &str, message: &Value) -> String {
    format!("nothing reads {label:?} and can be used:\n{}", super::shown::message(message))
}

impl State {
    fn command_data(
        &mut self,
        channel: &str,
        text: Option<&str>,
        file: Option<(&str, Vec<u8>)>,
    ) -> Result<Value, String> {
        let command = self.command_named(TRIAGE, CHAT, channel).ok_or("no command /triage")?.clone();
        let options = list(&command["options"]);
        let named = |name: &str, kind: u64| {
            let found = options.iter().find(|option| option["name"] == name && option["type"] == kind);
            found.ok_or_else(|| format!("/triage has no option {name:?} of type {kind}: {command}"))
        };
        let mut data = json!({"id": command["id"], "name": TRIAGE, "type": CHAT, "options": []});
        let mut given = Vec::new();
        if let Some(text) = text {
            let option = named("text", TEXT)?;
            // The field for it has one line.
            let text = text.replace('\n', " ");
            let most = option["max_length"].as_u64().unwrap_or(6_000);
            if length(&text) as u64 > most || (length(&text) as u64) < option["min_length"].as_u64().unwrap_or(0) {
                return Err(format!("{} characters do not fit the option", length(&text)));
            }
            given.push(json!({"name": "text", "type": TEXT, "value": text}));
        }
        if let Some((name, bytes)) = file {
            named("file", FILE)?;
            let mut attachment = self.store(channel, name, bytes);
            self.link(&mut attachment);
            attachment["ephemeral"] = json!(true);
            let id = attachment["id"].as_str().unwrap_or("").to_owned();
            given.push(json!({"name": "file", "type": FILE, "value": id}));
            data["resolved"] = json!({"attachments": {id: attachment}});
        }
        let required = |option: &&Value| option["required"] == true;
        if let Some(missing) =
            options.iter().filter(required).find(|option| given.iter().all(|given| given["name"] != option["name"]))
        {
            return Err(format!("the option {} must be given", missing["name"]));
        }
        data["options"] = Value::Array(given);
        if let Some(guild) = command.get("guild_id") {
            data["guild_id"] = guild.clone();
        }
        Ok(data)
    }

    /// A message as this person sees it.
    fn seen_by(&self, channel: &str, message: &str, user: &str) -> Result<Value, String> {
        let held = self.channels.get(channel).ok_or("no such channel")?;
        let kept = held.message(message).ok_or("no such message")?;
        if kept.only_for.as_ref().is_some_and(|only| only != user) {
            return Err("the person does not see this message".to_owned());
        }
        Ok(self.told(channel, kept))
    }

    /// An interaction begins. Returns what the bot is told of it.
    pub fn ask(&mut self, kind: u64, user: &str, channel: &str, data: Value, message: Option<Value>) -> Value {
        let (id, token) = (self.snowflake(), self.secret("aW50ZXJhY3Rpb24"));
        let direct = self.channels.get(channel).is_none_or(super::channel::Channel::is_direct);
        let mut payload = json!({
            "id": id, "application_id": APP_ID, "type": kind, "token": token, "version": 1, "data": data,
            "channel_id": channel, "channel": self.partial_channel(channel), "locale": "en-US", "entitlements": [],
            "app_permissions": self.told_of(channel).to_string(), "attachment_size_limit": 10_485_760,
            "entitlement_sku_ids": [],
        });
        if direct {
            payload["user"] = self.user_object(user);
            payload["context"] = json!(1);
            payload["authorizing_integration_owners"] = json!({"0": "0"});
        } else {
            payload["guild_id"] = json!(GUILD);
            payload["guild"] = json!({"id": GUILD, "locale": "en-US", "features": []});
            payload["guild_locale"] = json!("en-US");
            payload["context"] = json!(0);
            payload["authorizing_integration_owners"] = json!({"0": GUILD});
            let mut member = self.member_object(user).unwrap_or_else(|| json!({"user": self.user_object(user)}));
            member["permissions"] = json!(ALL.to_string());
            payload["member"] = member;
        }
        let source = message.as_ref().and_then(|message| message["id"].as_str()).map(str::to_owned);
        if let Some(message) = message {
            payload["message"] = message;
        }
        let begun = self.now();
        self.interactions.push(Pending {
            id,
            token,
            kind,
            user: user.to_owned(),
            channel: channel.to_owned(),
            source,
            begun,
            answer: None,
            after: Duration::ZERO,
            refused: false,
            original: None,
            written: Vec::new(),
            payload: payload.clone(),
        });
        payload
    }
}
