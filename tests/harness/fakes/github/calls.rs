//! From a request to an answer: faults, token, limits, conditional requests, and the shape of GitHub's answers.

use std::time::Instant;

use serde_json::{Map, Value, json};

use super::TOKEN;
use super::quota::Standing;
use super::refusal::Refusal;
use super::routes::{Handler, Route, route};
use super::state::{State, sha};
use crate::fakes::faults::Fault;
use crate::fakes::server::{Reply, Request};

/// Headers that [`Call`] keeps.
const KEPT: [&str; 5] = ["accept", "content-type", "if-none-match", "user-agent", "x-github-api-version"];
/// Versions of the API that are served.
const VERSIONS: [&str; 2] = ["2022-11-28", "2026-03-10"];

/// A call that was made.
#[derive(Debug, Clone)]
pub struct Call {
    /// What was called: `POST issues`, `GET issues/{n}/comments`, `POST graphql`.
    pub endpoint: String,
    /// `GET`, `POST`, …
    pub method: String,
    /// Path without the query, as it came.
    pub path: String,
    /// The query.
    pub query: Vec<(String, String)>,
    /// Headers of interest; never the token.
    pub headers: Vec<(&'static str, String)>,
    /// The body; `null` when there was none, or none that is JSON.
    pub body: Value,
    /// What was answered; 0 when the connection was cut.
    pub status: u16,
    /// Whether the work was done, but the connection was cut before the answer.
    pub lost: bool,
    /// When.
    pub at: Instant,
}

impl Call {
    /// A header; empty when it was not there.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(kept, _)| *kept == name).map_or("", |(_, value)| value)
    }

    /// A parameter of the query; empty when it was not there.
    #[must_use]
    pub fn parameter(&self, name: &str) -> &str {
        self.query.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }
}

/// What is asked.
pub struct Asked {
    /// What the places of the route's pattern hold.
    pub places: Vec<(&'static str, String)>,
    pub query: Vec<(String, String)>,
    pub body: Map<String, Value>,
    pub accept: String,
    /// The path behind the base address, for links to other pages.
    pub path: String,
}

impl Asked {
    /// What a place of the pattern holds.
    pub fn place(&self, name: &str) -> &str {
        self.places.iter().find(|(place, _)| *place == name).map_or("", |(_, held)| held)
    }

    /// A place that holds a number.
    pub fn number(&self, name: &str) -> Result<u64, Refusal> {
        self.place(name).parse().map_err(|_| Refusal::not_found())
    }

    /// A parameter of the query; empty when it is not there.
    pub fn parameter(&self, name: &str) -> &str {
        self.query.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }
}

/// An answer that is one.
#[derive(Debug)]
pub struct Done {
    pub status: u16,
    pub content_type: &'static str,
    pub body: Vec<u8>,
    /// The pages before and after.
    pub link: Option<String>,
}

impl Done {
    pub fn json(status: u16, body: &Value) -> Self {
        let content_type = "application/json; charset=utf-8";
        Self { status, content_type, body: body.to_string().into_bytes(), link: None }
    }

    pub fn ok(body: &Value) -> Self {
        Self::json(200, body)
    }

    pub fn nothing(status: u16) -> Self {
        Self { status, content_type: "", body: Vec::new(), link: None }
    }

    fn reply(self) -> Reply {
        let mut reply = Reply { bytes: Some(self.body), ..Reply::typed(self.status, self.content_type, String::new()) };
        if self.content_type.is_empty()
            && let Some(answer) = &mut reply.answer
        {
            answer.headers.clear();
        }
        match self.link {
            Some(link) => reply.header("link", &link),
            None => reply,
        }
    }
}

impl State {
    /// Answers a request and remembers it.
    pub fn answer(&mut self, request: &Request) -> Reply {
        let route = route(request);
        self.base = format!("http://{}{}", self.address, route.prefix);
        let fault = self.dice.draw(&route.endpoint);
        let reply = match &fault {
            Some(Fault::DroppedBefore) => Reply::cut(),
            Some(Fault::RateLimited(seconds)) => Refusal::secondary(429, *seconds, false).reply(),
            Some(Fault::ServerError(status)) => Refusal::broken(*status).reply(),
            Some(Fault::Refused(code)) => self.refused(code),
            Some(Fault::DroppedAfter | Fault::Slow(_)) | None => self.reply(request, &route),
        };
        let (reply, lost) = match fault {
            Some(Fault::DroppedAfter) => (Reply::cut(), true),
            Some(Fault::Slow(delay)) => (Reply { delay, ..reply }, false),
            _ => (reply, false),
        };
        let kept = KEPT.iter().filter(|name| !request.header(name).is_empty());
        self.calls.push(Call {
            endpoint: route.endpoint,
            method: request.method.clone(),
            path: request.path.clone(),
            query: request.query.clone(),
            headers: kept.map(|name| (*name, request.header(name).to_owned())).collect(),
            body: serde_json::from_slice(&request.body).unwrap_or_default(),
            status: reply.answer.as_ref().map_or(0, |answer| answer.status),
            lost,
            at: Instant::now(),
        });
        self.base = format!("http://{}", self.address);
        reply
    }

    /// The answer, when nothing goes wrong on the way.
    fn reply(&mut self, request: &Request, route: &Route) -> Reply {
        if request.header("user-agent").is_empty() {
            let text = "Request forbidden by administrative rules. Please make sure your request has a User-Agent header \
                        (https://docs.github.com/en/rest/overview/resources-in-the-rest-api#user-agent-required).";
            return Reply::typed(403, "text/plain", text.to_owned());
        }
        if let Err(refusal) = self.admitted(request) {
            return refusal.reply();
        }
        // Asking how much is left costs nothing.
        let counts = route.endpoint != "GET rate_limit";
        let writes = request.method != "GET" && request.method != "HEAD" && route.endpoint != "POST graphql";
        if counts && let Err(refusal) = self.within_limits(writes) {
            return self.with_headers(refusal.reply());
        }
        let done = self.run(request, route);
        let reply = match done {
            Ok(done) if request.method == "GET" && done.status == 200 => self.conditional(request, done, counts),
            done => {
                self.count(counts);
                done.map_or_else(|refusal| refusal.reply(), Done::reply)
            }
        };
        self.with_headers(reply)
    }

    fn count(&mut self, counts: bool) {
        if counts {
            self.quota.count();
        }
    }

    /// 304 when it is as who asks knows it, which costs nothing.
    fn conditional(&mut self, request: &Request, done: Done, counts: bool) -> Reply {
        let known =
            [&done.body[..], done.link.as_deref().unwrap_or("").as_bytes(), request.header("accept").as_bytes()];
        let tag = format!("\"{}\"", sha(&known.concat()));
        let conditions = request.header("if-none-match").split(',');
        let known = conditions.map(str::trim).any(|one| one == "*" || one.trim_start_matches("W/") == tag);
        let reply = if known {
            Done::nothing(304).reply()
        } else {
            self.count(counts);
            done.reply()
        };
        reply.header("etag", &format!("W/{tag}")).header("cache-control", "private, max-age=60, s-maxage=60")
    }

    /// Whether the token is one, and the version of the API is.
    fn admitted(&self, request: &Request) -> Result<(), Refusal> {
        let said = request.header("authorization");
        if said.is_empty() {
            return Err(Refusal::new(401, "Requires authentication"));
        }
        let token = ["Bearer ", "bearer ", "token "].iter().find_map(|scheme| said.strip_prefix(scheme));
        if token != Some(TOKEN) || self.switches.revoked {
            return Err(Refusal::new(401, "Bad credentials"));
        }
        let version = request.header("x-github-api-version");
        if !version.is_empty() && !VERSIONS.contains(&version) {
            return Err(Refusal::new(
                400,
                &format!("The X-GitHub-Api-Version header value '{version}' is not supported"),
            ));
        }
        Ok(())
    }

    fn run(&mut self, request: &Request, route: &Route) -> Result<Done, Refusal> {
        let handler: Handler = route.handler.ok_or_else(Refusal::not_found)?;
        if self.switches.read_only && request.method != "GET" && route.endpoint != "POST graphql" {
            return Err(Refusal::new(403, "Resource not accessible by personal access token"));
        }
        let body = if request.body.is_empty() {
            Map::new()
        } else {
            match serde_json::from_slice(&request.body) {
                Ok(Value::Object(body)) => body,
                Ok(_) => return Err(Refusal::new(400, "Body should be a JSON object")),
                Err(_) => return Err(Refusal::new(400, "Problems parsing JSON")),
            }
        };
        let asked = Asked {
            places: route.places.clone(),
            query: request.query.clone(),
            body,
            accept: request.header("accept").to_owned(),
            path: route.path.clone(),
        };
        handler(self, &asked)
    }

    /// Refused as a story wants it.
    fn refused(&mut self, code: &str) -> Reply {
        match code {
            "primary" => {
                let now = self.clock();
                self.quota.exhaust(now);
                let refusal = self.within_limits(false).err();
                let reply = refusal.map_or_else(Reply::cut, |refusal| refusal.reply());
                self.with_headers(reply)
            }
            "secondary" => Refusal::secondary(403, 60, true).reply(),
            message => Refusal::new(403, message).reply(),
        }
    }

    fn with_headers(&self, reply: Reply) -> Reply {
        let standing @ Standing { limit, used, reset } = self.quota.standing(self.clock());
        reply
            .header("x-ratelimit-limit", &limit.to_string())
            .header("x-ratelimit-remaining", &standing.remaining().to_string())
            .header("x-ratelimit-used", &used.to_string())
            .header("x-ratelimit-reset", &reset.to_string())
            .header("x-ratelimit-resource", "core")
            .header("x-github-media-type", "github.v3; format=json")
            .header("x-github-request-id", "C1EA:1F2E:3D4C5B:6A7988:66F0A1B2")
            .header("vary", "Accept, Authorization, Cookie, X-GitHub-OTP,Accept-Encoding, Accept, X-Requested-With")
    }

    /// How much is left, for who asks.
    pub fn rate_limit(&self) -> Done {
        let standing @ Standing { limit, used, reset } = self.quota.standing(self.clock());
        let core = json!({
            "limit": limit, "used": used, "remaining": standing.remaining(), "reset": reset, "resource": "core",
        });
        Done::ok(&json!({"resources": {"core": core, "search": core}, "rate": core}))
    }
}
