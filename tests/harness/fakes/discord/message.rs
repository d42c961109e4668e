//! Messages as they are kept, and as they are told of.

use serde_json::{Value, json};

use super::state::{State, timestamp, timestamp_now};
use super::{APP_ID, BOT_USER, GUILD, shown};

/// Flags of messages, as bits.
pub const SUPPRESS_EMBEDS: u64 = 1 << 2;
pub const HAS_THREAD: u64 = 1 << 5;
pub const EPHEMERAL: u64 = 1 << 6;
pub const LOADING: u64 = 1 << 7;
pub const SUPPRESS_NOTIFICATIONS: u64 = 1 << 12;
pub const COMPONENTS_V2: u64 = 1 << 15;

/// The first message of a thread, which only points to the message that it hangs on.
const STARTER: u64 = 21;

/// A message as a story reads it.
#[derive(Debug, Clone, PartialEq)]
pub struct DiscordMessage {
    /// Its id.
    pub id: String,
    /// The channel or thread that it stands in.
    pub channel_id: String,
    /// Id of who wrote it.
    pub author: String,
    /// The text, with its markup.
    pub content: String,
    /// All of it, as the REST API tells of it.
    pub raw: Value,
}

impl DiscordMessage {
    /// What a person reads: content, embeds, controls. Markup is applied, and what is more than form is written out:
    /// `{calls …}` for what calls somebody, `{mentions …}` for what only names somebody, `{link address|text}`,
    /// `{control label|command}`, and `{heading …}`, `{quote …}`, `{item …}`, `{small …}`, `{spoiler …}`, `{emoji …}`,
    /// `{time …}`, `{channel …}`, `{slash …}` for what a text seldom means to be.
    #[must_use]
    pub fn shown(&self) -> String {
        shown::message(&self.raw)
    }
}

/// A message as it is kept.
#[derive(Debug, Clone)]
pub struct Kept {
    /// As the REST API tells of it, but for what is added when it is asked for: addresses of files, its thread, the
    /// message that it answers.
    pub raw: Value,
    /// The only person who sees it.
    pub only_for: Option<String>,
}

impl Kept {
    pub fn id(&self) -> &str {
        self.raw["id"].as_str().unwrap_or("")
    }

    pub fn author(&self) -> &str {
        self.raw["author"]["id"].as_str().unwrap_or("")
    }

    pub fn kind(&self) -> u64 {
        self.raw["type"].as_u64().unwrap_or(0)
    }

    pub fn has(&self, flag: u64) -> bool {
        self.raw["flags"].as_u64().unwrap_or(0) & flag != 0
    }

    pub fn set(&mut self, flag: u64, on: bool) {
        let flags = self.raw["flags"].as_u64().unwrap_or(0);
        self.raw["flags"] = json!(if on { flags | flag } else { flags & !flag });
    }

    /// Whether everybody in the channel sees it.
    pub fn is_public(&self) -> bool {
        self.only_for.is_none()
    }

    /// Whether a story counts it as written: it says something, and is no pointer.
    fn is_written(&self) -> bool {
        self.kind() != STARTER && !self.has(LOADING)
    }
}

/// Who writes a message, and how.
#[derive(Debug, Clone)]
pub struct Draft {
    pub author: Value,
    pub kind: u64,
    /// The message that it answers or points to.
    pub reference: Option<Value>,
    pub only_for: Option<String>,
    /// The webhook that writes; interactions are answered by one.
    pub webhook: Option<String>,
    pub application: Option<String>,
    /// How the interaction that it answers is told of.
    pub interaction: Option<Value>,
    pub flags: u64,
}

impl State {
    pub fn draft(&self, author: &str) -> Draft {
        Draft {
            author: self.user_object(author),
            kind: 0,
            reference: None,
            only_for: None,
            webhook: None,
            application: None,
            interaction: None,
            flags: 0,
        }
    }

    /// Keeps a message with the content of `body`, and tells the bot of it. Returns its id.
    pub fn write(&mut self, channel: &str, draft: Draft, body: &Value, nonce: &Value) -> String {
        let id = self.snowflake();
        let reply = if draft.kind == STARTER { None } else { draft.reference.as_ref() };
        let replied = reply.and_then(|reference| self.author_of(reference));
        let mut raw = json!({
            "id": id, "type": draft.kind, "channel_id": channel, "author": draft.author, "content": "",
            "attachments": [], "embeds": [], "components": [], "mentions": [], "mention_roles": [],
            "mention_everyone": false, "timestamp": timestamp(&id), "edited_timestamp": null, "flags": draft.flags,
            "pinned": false, "tts": false,
        });
        let members = [
            ("message_reference", draft.reference.clone()),
            ("webhook_id", draft.webhook.map(Value::String)),
            ("application_id", draft.application.map(Value::String)),
            ("interaction_metadata", draft.interaction),
        ];
        for (name, value) in members {
            if let Some(value) = value {
                raw[name] = value;
            }
        }
        let mut kept = Kept { raw, only_for: draft.only_for };
        self.fill(channel, &mut kept, body, replied.as_deref());
        let public = kept.is_public();
        if let Some(channel) = self.channels.get_mut(channel) {
            channel.messages.push(kept);
            if public {
                channel.last_message = Some(id.clone());
            }
        }
        if public {
            self.emit_message("MESSAGE_CREATE", channel, &id, nonce);
        }
        id
    }

    /// Puts the content of `body` into a message; what the body does not name stays.
    fn fill(&mut self, channel: &str, kept: &mut Kept, body: &Value, replied: Option<&str>) {
        if !body["content"].is_null() || body.get("content").is_some() {
            kept.raw["content"] = json!(body["content"].as_str().unwrap_or("").trim());
        }
        if body.get("embeds").is_some() {
            kept.raw["embeds"] = body["embeds"].as_array().into_iter().flatten().map(embed).collect();
        }
        if body.get("components").is_some() {
            kept.raw["components"] = if body["components"].is_array() { body["components"].clone() } else { json!([]) };
            number(&mut kept.raw["components"], &mut 0);
        }
        if body.get("attachments").is_some() || body.get("uploads").is_some() {
            kept.raw["attachments"] = self.attached(channel, &kept.raw["attachments"], body);
        }
        if let Some(flags) = body["flags"].as_u64() {
            for flag in [SUPPRESS_EMBEDS, SUPPRESS_NOTIFICATIONS, COMPONENTS_V2] {
                kept.set(flag, flags & flag != 0);
            }
        }
        self.resolve_mentions(channel, kept, &body["allowed_mentions"], replied);
    }

    /// Changes a message, and tells the bot of it.
    pub fn rewrite(&mut self, channel: &str, id: &str, body: &Value) {
        let Some(mut kept) = self.channels.get(channel).and_then(|channel| channel.message(id)).cloned() else {
            return;
        };
        let was_loading = kept.has(LOADING);
        kept.set(LOADING, false);
        self.fill(channel, &mut kept, body, None);
        if !was_loading {
            kept.raw["edited_timestamp"] = json!(timestamp_now());
        }
        let public = kept.is_public();
        if let Some(message) = self.channels.get_mut(channel).and_then(|channel| channel.message_mut(id)) {
            *message = kept;
        }
        if public {
            self.emit_message("MESSAGE_UPDATE", channel, id, &Value::Null);
        }
    }

    /// Deletes a message, and tells the bot of it.
    pub fn erase(&mut self, channel: &str, id: &str) {
        let Some(held) = self.channels.get_mut(channel) else { return };
        let direct = held.is_direct();
        let public = held.message(id).is_some_and(Kept::is_public);
        held.messages.retain(|message| message.id() != id);
        if public {
            let mut gone = json!({"id": id, "channel_id": channel});
            if !direct {
                gone["guild_id"] = json!(GUILD);
            }
            self.emit("MESSAGE_DELETE", channel, gone);
        }
    }

    /// A message as the REST API tells of it.
    pub fn told(&self, channel: &str, kept: &Kept) -> Value {
        let mut told = kept.raw.clone();
        for attachment in told["attachments"].as_array_mut().into_iter().flatten() {
            self.link(attachment);
        }
        if let Some(reference) = kept.raw.get("message_reference") {
            let original = self.referenced(reference);
            told["referenced_message"] = original.map_or(Value::Null, |(channel, original)| {
                let mut told = self.told(channel, original);
                // What the answered message answers itself is left out.
                if let Some(members) = told.as_object_mut() {
                    members.remove("referenced_message");
                }
                told
            });
        }
        if kept.has(HAS_THREAD) && channel != kept.id() {
            told["thread"] = self.channel_object(kept.id());
        }
        told
    }

    /// The message that a reference means.
    pub fn referenced(&self, reference: &Value) -> Option<(&str, &Kept)> {
        let channel = self.channels.get(reference["channel_id"].as_str()?)?;
        let message = channel.message(reference["message_id"].as_str()?)?;
        Some((&channel.id, message))
    }

    fn author_of(&self, reference: &Value) -> Option<String> {
        self.referenced(reference).map(|(_, message)| message.author().to_owned())
    }

    /// A message as a story reads it.
    pub fn read(&self, channel: &str, kept: &Kept) -> Option<DiscordMessage> {
        kept.is_written().then(|| DiscordMessage {
            id: kept.id().to_owned(),
            channel_id: channel.to_owned(),
            author: kept.author().to_owned(),
            content: kept.raw["content"].as_str().unwrap_or("").to_owned(),
            raw: self.told(channel, kept),
        })
    }

    /// Where a message stands, whoever sees it.
    pub fn place_of(&self, id: &str) -> Option<(&str, &Kept)> {
        self.channels.values().find_map(|channel| channel.message(id).map(|message| (channel.id.as_str(), message)))
    }
}

/// Whether the message is one of the bot's.
pub fn is_own(message: &Value) -> bool {
    message["author"]["id"] == BOT_USER || message["application_id"] == APP_ID
}

/// An embed as it is told of: without what is empty, and without spaces around its texts.
fn embed(sent: &Value) -> Value {
    let mut embed = sent.clone();
    for text in ["/title", "/description", "/footer/text", "/author/name"] {
        if let Some(text) = embed.pointer_mut(text) {
            trim(text);
        }
    }
    if let Some(members) = embed.as_object_mut() {
        members.retain(|_, value| !value.is_null() && *value != json!([]) && *value != "");
    }
    embed["type"] = json!("rich");
    for field in embed["fields"].as_array_mut().into_iter().flatten() {
        field["inline"] = json!(field["inline"] == true);
        trim(&mut field["name"]);
        trim(&mut field["value"]);
    }
    // Asking for fields has made room for them.
    if let Some(members) = embed.as_object_mut() {
        members.retain(|_, value| !value.is_null());
    }
    embed
}

fn trim(text: &mut Value) {
    if let Some(said) = text.as_str() {
        *text = json!(said.trim());
    }
}

/// Gives every component a number, as Discord does.
pub fn number(components: &mut Value, last: &mut u64) {
    for component in components.as_array_mut().into_iter().flatten() {
        *last += 1;
        if component["id"].is_null() {
            component["id"] = json!(*last);
        }
        for inside in ["components", "accessory", "component"] {
            match component.get_mut(inside) {
                Some(inner) if inner.is_array() => number(inner, last),
                Some(inner) if inner.is_object() => {
                    *last += 1;
                    inner["id"] = json!(*last);
                }
                _ => {}
            }
        }
    }
}
