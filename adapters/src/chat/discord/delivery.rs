//! Interactions over HTTP, for those who prefer that to a gateway: signed by Discord, taken the same way.

use std::sync::Arc;

use serde_json::{Value, json};

use super::Inner;
use crate::chat::{Answer, Listener, Request};
use crate::signature::{is_ed25519, is_recent};

/// Where Discord delivers.
pub const ADDRESSES: &[&str] = &["/discord/interactions"];

/// Kind of an interaction with which Discord asks whether this is the right address, and the answer.
const PING: u64 = 1;
const PONG: u64 = 1;

/// Takes a delivery. Nothing when the address is none of [`ADDRESSES`].
pub async fn receive<L: Listener>(discord: &Arc<Inner>, request: Request<'_>, listener: &Arc<L>) -> Option<Answer> {
    if !ADDRESSES.contains(&request.path) {
        return None;
    }
    if let Err(refused) = prove(discord, &request) {
        return Some(Answer::Refused(refused));
    }
    let Ok(payload) = serde_json::from_slice::<Value>(request.body) else {
        return Some(Answer::Unreadable("the body is no interaction of Discord's".into()));
    };
    if payload["type"] == PING {
        return Some(Answer::Arrived(Some(json!({ "type": PONG }))));
    }
    Some(match discord.take_interaction(&payload, listener.as_ref()).await {
        Ok(answer) => Answer::Arrived(Some(answer)),
        Err(error) => Answer::Unkept(error.to_string()),
    })
}

/// Whether Discord signed it, just now. Discord sends wrong signatures on purpose and wants them refused.
fn prove(discord: &Inner, request: &Request<'_>) -> Result<(), String> {
    let Some(key) = &discord.public_key else {
        return Err("discord.public_key is not set, so nothing can be taken here: set DISCORD_PUBLIC_KEY".into());
    };
    let header = |name: &str| (request.header)(name).unwrap_or_default();
    let (timestamp, signature) = (header("x-signature-timestamp"), header("x-signature-ed25519"));
    if !is_ed25519(key, &[timestamp.as_bytes(), request.body], &signature) {
        return Err("the signature does not fit: is discord.public_key the Public Key of the application?".into());
    }
    if !is_recent(&timestamp, request.now) {
        return Err(
            "the timestamp of the request is more than five minutes off: is the clock of this machine right?".into()
        );
    }
    Ok(())
}
