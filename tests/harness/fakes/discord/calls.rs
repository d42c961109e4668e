//! From a request to an answer: faults, token, limits, the shape of the body, and who does what is asked.

use std::time::Instant;

use serde_json::Value;

use super::buckets::tell;
use super::controls::kind;
use super::refusal::{Refusal, Wrong, document, nothing};
use super::routes::{Asked, FILES, asked};
use super::state::State;
use super::{APP_ID, Call, GUILD, TOKEN, limits, schemas};
use crate::fakes::faults::Fault;
use crate::fakes::server::{Reply, Request};

/// What a call comes to.
type Done = Result<Reply, Refusal>;

impl State {
    /// Answers a request and remembers it.
    pub fn answer(&mut self, request: &Request) -> Reply {
        if request.path == "/" || request.path.starts_with("/resume-") {
            return super::sockets::admit(request);
        }
        let asked = asked(request);
        let fault = self.dice.draw(asked.route);
        let (told, limited) = self.count(asked.route, &asked.major());
        let outcome = match (&fault, limited) {
            (Some(Fault::DroppedBefore), _) => Err("cut before".to_owned()),
            (Some(Fault::RateLimited(seconds)), _) => {
                Ok(Err(Refusal::wait(f64::from(u32::try_from(*seconds).unwrap_or(u32::MAX)), "shared")))
            }
            (Some(Fault::ServerError(status)), _) => Ok(Err(Refusal::broken(*status))),
            (Some(Fault::Refused(code)), _) => Ok(Err(Refusal::code(code.parse().unwrap_or(0)))),
            (_, Some(limited)) => Ok(Err(limited)),
            (Some(Fault::DroppedAfter | Fault::Slow(_)) | None, None) => Ok(self.done(&asked, request)),
        };
        let said = match (&outcome, &fault) {
            (Err(wrong), _) => wrong.clone(),
            (Ok(_), Some(Fault::DroppedAfter)) => "cut after".to_owned(),
            (Ok(Err(refusal)), _) => refusal.outcome(),
            (Ok(Ok(_)), _) => "ok".to_owned(),
        };
        let Asked { route, path, body, .. } = asked;
        let call =
            Call { route: route.to_owned(), path, body: body.unwrap_or_default(), outcome: said, at: Instant::now() };
        self.calls.push(call);
        let answered = match outcome {
            Ok(Ok(reply)) => reply,
            Ok(Err(refusal)) => refusal.reply(),
            Err(_) => Reply::cut(),
        };
        let answered = tell(answered, told);
        match fault {
            Some(Fault::DroppedBefore | Fault::DroppedAfter) => Reply::cut(),
            Some(Fault::Slow(delay)) => Reply { delay, ..answered },
            _ => answered,
        }
    }

    fn done(&mut self, asked: &Asked, request: &Request) -> Done {
        if asked.route.is_empty() {
            return Err(if asked.other_method { Refusal::method_not_allowed() } else { Refusal::not_found() });
        }
        if asked.route == FILES {
            return Ok(self.download(request, asked));
        }
        // A token in the path is enough for these; for GET /gateway none is needed.
        let open = ["POST interactions/", "GET gateway"].iter().any(|start| asked.route.starts_with(start));
        let open = asked.route != "GET gateway/bot" && (open || asked.route.contains(" webhooks/"));
        if !open && request.header("authorization") != format!("Bot {TOKEN}") {
            return Err(Refusal::code(0));
        }
        check_headers(request)?;
        if let Some(id) = asked.wrong_id() {
            return Err(Refusal::field("id", "NUMBER_TYPE_COERCE", &format!("Value \"{id}\" is not snowflake.")));
        }
        check(asked)?;
        self.run(asked, request)
    }

    fn run(&mut self, asked: &Asked, request: &Request) -> Done {
        let (first, second, body) = (asked.id(0), asked.id(1), asked.document());
        let ok = |value: Value| Ok(document(200, &value));
        match asked.route {
            "GET gateway" => ok(serde_json::json!({"url": self.gateway_bot()["url"]})),
            "GET gateway/bot" => ok(self.gateway_bot()),
            "GET users/@me" => ok(self.current_user()),
            "GET users/{}" if self.users.contains_key(first) => ok(self.user_object(first)),
            "GET users/{}" => Err(Refusal::code(10_013)),
            "GET oauth2/applications/@me" | "GET applications/@me" => ok(self.application()),
            "POST users/@me/channels" => self.open_direct(body).and_then(ok),
            "GET users/@me/guilds" => ok(serde_json::json!([self.guild_object()])),
            "POST attachments/refresh-urls" => ok(self.refresh(body)),
            "GET channels/{}" => self.need(first, 0).map(|()| self.channel_object(first)).and_then(ok),
            "PATCH channels/{}" => self.change_channel(first, body).and_then(ok),
            "GET channels/{}/messages" => self.history(first, request).and_then(ok),
            "POST channels/{}/messages" => self.create_message(first, body).and_then(ok),
            "GET channels/{}/messages/{}" => self.one_message(first, second).and_then(ok),
            "PATCH channels/{}/messages/{}" => self.edit_message(first, second, body).and_then(ok),
            "DELETE channels/{}/messages/{}" => self.delete_message(first, second).map(|()| nothing()),
            "POST channels/{}/messages/{}/threads" => self.thread_on(first, second, body).map(created),
            "POST channels/{}/threads" => self.thread_in(first, body).map(created),
            "POST channels/{}/typing" => self.need_to_send(first).map(|()| nothing()),
            "PUT channels/{}/thread-members/@me" => self.follow(first).map(|()| nothing()),
            "POST interactions/{}/{}/callback" => {
                let yes = |value: &str| matches!(value, "true" | "True" | "1");
                let wants = request.query.iter().any(|(name, value)| name == "with_response" && yes(value));
                let answer = self.callback(first, second, body)?;
                if wants { ok(answer) } else { Ok(nothing()) }
            }
            route if route.contains(" guilds/") => self.of_guild(asked).and_then(ok),
            route if route.contains(" applications/") && first != APP_ID => Err(Refusal::code(20_012)),
            route if route.contains(" applications/") => self.of_commands(asked),
            _ => self.of_webhook(asked),
        }
    }

    fn of_guild(&self, asked: &Asked) -> Result<Value, Refusal> {
        if asked.id(0) != GUILD {
            return Err(Refusal::code(10_004));
        }
        let channels = || self.channels.values().filter(|channel| !channel.is_direct());
        let told = |channels: Vec<&super::channel::Channel>| -> Vec<Value> {
            channels.into_iter().map(|channel| self.channel_object(&channel.id)).collect()
        };
        Ok(match asked.route {
            "GET guilds/{}" => self.guild_object(),
            "GET guilds/{}/roles" => Value::Array(self.roles_list()),
            "GET guilds/{}/members/{}" => return self.member(asked.id(1)),
            // Listing members takes an intent that the application does not have.
            "GET guilds/{}/members" => return Err(Refusal::code(50_001)),
            "GET guilds/{}/channels" => Value::Array(told(channels().filter(|channel| !channel.is_thread()).collect())),
            _ => {
                let open = |channel: &&super::channel::Channel| {
                    channel.is_thread() && !channel.archived && self.need(&channel.id, 0).is_ok()
                };
                let threads = told(channels().filter(open).collect());
                let members: Vec<Value> = threads.iter().map(|thread| thread["member"].clone()).collect();
                let members: Vec<Value> = members.into_iter().filter(Value::is_object).collect();
                serde_json::json!({"threads": threads, "members": members})
            }
        })
    }
}

fn created(value: Value) -> Reply {
    document(201, &value)
}

/// A client tells who it is, or Cloudflare keeps it away.
fn check_headers(request: &Request) -> Result<(), Refusal> {
    if request.header("user-agent").is_empty() {
        return Err(Refusal::code(0).status(403));
    }
    let typed = request.header("content-type");
    let good = typed.starts_with("application/json") || typed.starts_with("multipart/form-data");
    if request.body.is_empty() || good {
        return Ok(());
    }
    Err(Refusal::field("_misc", "CONTENT_TYPE_INVALID", "Expected \"Content-Type\" header to be application/json."))
}

/// The body, against Discord's own description and against its limits.
fn check(asked: &Asked) -> Result<(), Refusal> {
    let Some(body) = &asked.body else { return Err(Refusal::code(50_109)) };
    let takes_body = !asked.route.starts_with("GET") && !asked.route.starts_with("DELETE");
    if !takes_body {
        return Ok(());
    }
    let wrong = wrong_in(asked.route, body);
    if !wrong.is_empty() {
        return Err(Refusal::form(&wrong));
    }
    match schemas::wrong_shape(asked.route, body) {
        Some(wrong) => Err(Refusal::field("", "MODEL_TYPE_CONVERT", &wrong)),
        None => Ok(()),
    }
}

fn wrong_in(route: &str, body: &Value) -> Vec<Wrong> {
    let inside = |wrong: Vec<Wrong>| {
        let under = |wrong: Wrong| Wrong { path: format!("data.{}", wrong.path), ..wrong };
        wrong.into_iter().map(under).collect()
    };
    match route {
        "POST interactions/{}/{}/callback" if kind(body) == 9 => inside(limits::wrong_in_modal(&body["data"])),
        "POST interactions/{}/{}/callback" => inside(limits::wrong_in_message(&body["data"])),
        route if route.ends_with("/commands") => super::commands::wrong_in_commands(body),
        route if route.ends_with("messages") || route.contains("webhooks/") || route.ends_with("messages/{}") => {
            limits::wrong_in_message(body)
        }
        _ => Vec::new(),
    }
}
