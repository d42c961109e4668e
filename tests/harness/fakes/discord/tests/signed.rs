use std::time::Duration;

use ring::signature::{ED25519, UnparsedPublicKey};

use super::*;
use crate::fakes::server::{Reply, Server};
use crate::until;

type Heard = Arc<Mutex<Vec<Value>>>;

/// A bot that takes posts, checks their signatures, and answers interactions with this.
fn bot(key: &str, answer: impl Fn(&Value) -> Reply + Send + Sync + 'static) -> Result<(Server, Heard), Failure> {
    let key = bytes(key)?;
    let heard = Heard::default();
    let hear = Arc::clone(&heard);
    let server = Server::start(move |request| {
        let (time, signature) = (request.header("x-signature-timestamp"), request.header("x-signature-ed25519"));
        let signed = [time.as_bytes(), request.body.as_slice()].concat();
        let signature = bytes(signature).unwrap_or_default();
        if UnparsedPublicKey::new(&ED25519, &key).verify(&signed, &signature).is_err() {
            return Reply::json(401, &json!({}));
        }
        let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
        if body["type"] == 1 {
            return Reply::json(200, &json!({"type": 1}));
        }
        hear.lock().unwrap_or_else(PoisonError::into_inner).push(body.clone());
        answer(&body)
    })?;
    Ok((server, heard))
}

fn bytes(hex: &str) -> Result<Vec<u8>, Failure> {
    let pairs = (0..hex.len() / 2).map(|at| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16));
    Ok(pairs.collect::<Result<_, _>>()?)
}

fn with_button(discord: &FakeDiscord) -> Result<String, Failure> {
    let button = json!([{"type": 2, "style": 1, "label": "Resolve", "custom_id": "clew resolve 12"}]);
    id(&post(discord, &json!({"content": "card", "components": row(&button)}))?)
}

#[test]
fn an_address_is_asked_first_and_bad_signatures_are_tried() -> Outcome {
    let discord = FakeDiscord::start()?;
    let (server, heard) = bot(&discord.public_key(), |_| Reply::json(200, &json!({})))?;
    let url = format!("http://{}/discord/interactions", server.address());
    let pong = discord.ping(&url)?;
    assert_eq!((pong.status, pong.text.as_str()), (200, r#"{"type":1}"#));
    assert_eq!(discord.post_with_bad_signature(&url)?.status, 401);
    assert_eq!(discord.post_signed_before(&url, Duration::from_mins(10))?.status, 200, "this bot looks at no time");
    assert!(heard.lock().unwrap_or_else(PoisonError::into_inner).is_empty());
    Ok(())
}

#[test]
fn the_answer_to_a_post_is_the_answer() -> Outcome {
    let discord = FakeDiscord::start()?;
    let (server, heard) = bot(&discord.public_key(), |_| {
        Reply::json(200, &json!({"type": 4, "data": {"content": "resolved", "flags": 64}}))
    })?;
    discord.deliver_interactions_to(&format!("http://{}/discord/interactions", server.address()));
    let message = with_button(&discord)?;
    discord.press(CHANNEL, &message, ADA, "Resolve")?;
    until("the answer", || Ok((!discord.ephemerals(ADA).is_empty()).then_some(())))?;
    assert_eq!(discord.interactions()[0].answer, Some(4));
    assert_eq!(heard.lock().unwrap_or_else(PoisonError::into_inner)[0]["data"]["custom_id"], "clew resolve 12");
    Ok(())
}

#[test]
fn what_is_no_answer_fails() -> Outcome {
    let discord = FakeDiscord::start()?;
    let (server, _) = bot(&discord.public_key(), |_| Reply::json(200, &json!({"type": 4, "data": {}})))?;
    discord.deliver_interactions_to(&format!("http://{}/discord/interactions", server.address()));
    let message = with_button(&discord)?;
    discord.press(CHANNEL, &message, ADA, "Resolve")?;
    until("the failure", || Ok(discord.interactions()[0].failed.then_some(())))?;
    drop(server);
    discord.press(CHANNEL, &message, ADA, "Resolve")?;
    until("nobody is there", || Ok(discord.interactions()[1].failed.then_some(())))?;
    Ok(())
}
