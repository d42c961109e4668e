use serde_json::json;

use super::*;

mod answers;
mod files;
mod gateway;
mod interactions;
mod limits;
mod listener;
mod others;
mod posts;
mod shown;
mod signed;
mod threads;

type Outcome = Result<(), Failure>;

/// An id of the right form that nothing has.
const NOTHING: &str = "9999999999999999999";

/// A call as the bot makes it. Returns status and document; `null` when there is none.
fn call(discord: &FakeDiscord, method: &str, path: &str, body: &Value) -> Result<(u16, Value), Failure> {
    call_as(discord, &format!("Bot {TOKEN}"), method, path, body)
}

fn call_as(
    discord: &FakeDiscord,
    authorization: &str,
    method: &str,
    path: &str,
    body: &Value,
) -> Result<(u16, Value), Failure> {
    let answer = request(discord, authorization, method, path, body)?;
    Ok((answer.status().as_u16(), document(answer)?))
}

fn request(
    discord: &FakeDiscord,
    authorization: &str,
    method: &str,
    path: &str,
    body: &Value,
) -> Result<ureq::http::Response<ureq::Body>, Failure> {
    let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
    let request = ureq::http::Request::builder()
        .method(method)
        .uri(format!("{}/api/v10/{path}", discord.url()))
        .header("authorization", authorization)
        .header("content-type", "application/json");
    Ok(if body.is_null() { agent.run(request.body(())?)? } else { agent.run(request.body(body.to_string())?)? })
}

fn document(mut answer: ureq::http::Response<ureq::Body>) -> Result<Value, Failure> {
    let text = answer.body_mut().read_to_string()?;
    Ok(if text.is_empty() { Value::Null } else { serde_json::from_str(&text)? })
}

fn messages_path() -> String {
    format!("channels/{CHANNEL}/messages")
}

/// The bot posts this in the channel of incidents. Returns what is told of it.
fn post(discord: &FakeDiscord, body: &Value) -> Result<Value, Failure> {
    Ok(call(discord, "POST", &messages_path(), body)?.1)
}

fn id(of: &Value) -> Result<String, Failure> {
    Ok(of["id"].as_str().ok_or_else(|| format!("no id: {of}"))?.to_owned())
}

fn row(components: &Value) -> Value {
    json!([{"type": 1, "components": components}])
}
