//! Which request asks for what.

use serde_json::Value;

use crate::fakes::server::Request;

/// The routes: method and path under `/api/v10`, ids as `{}`.
const ROUTES: [&str; 44] = [
    "GET gateway",
    "GET gateway/bot",
    "GET users/@me",
    "GET users/{}",
    "GET oauth2/applications/@me",
    "GET applications/@me",
    "GET guilds/{}",
    "GET guilds/{}/roles",
    "GET guilds/{}/members/{}",
    "GET guilds/{}/channels",
    "GET guilds/{}/threads/active",
    "GET channels/{}",
    "PATCH channels/{}",
    "GET channels/{}/messages",
    "POST channels/{}/messages",
    "GET channels/{}/messages/{}",
    "PATCH channels/{}/messages/{}",
    "DELETE channels/{}/messages/{}",
    "POST channels/{}/messages/{}/threads",
    "POST channels/{}/threads",
    "POST channels/{}/typing",
    "PUT channels/{}/thread-members/@me",
    "POST users/@me/channels",
    "GET applications/{}/commands",
    "POST applications/{}/commands",
    "PUT applications/{}/commands",
    "GET applications/{}/commands/{}",
    "DELETE applications/{}/commands/{}",
    "GET applications/{}/guilds/{}/commands",
    "POST applications/{}/guilds/{}/commands",
    "PUT applications/{}/guilds/{}/commands",
    "GET applications/{}/guilds/{}/commands/{}",
    "DELETE applications/{}/guilds/{}/commands/{}",
    "POST interactions/{}/{}/callback",
    "POST webhooks/{}/{}",
    "GET webhooks/{}/{}/messages/@original",
    "PATCH webhooks/{}/{}/messages/@original",
    "DELETE webhooks/{}/{}/messages/@original",
    "GET webhooks/{}/{}/messages/{}",
    "PATCH webhooks/{}/{}/messages/{}",
    "DELETE webhooks/{}/{}/messages/{}",
    "POST attachments/refresh-urls",
    "GET users/@me/guilds",
    "GET guilds/{}/members",
];
/// The route of files, which are no part of the API.
pub const FILES: &str = "GET attachments/{}/{}/{}";

/// What a request asks for.
#[derive(Debug)]
pub struct Asked {
    /// One of the routes; empty when there is none.
    pub route: &'static str,
    /// The path as it came, without the beginning that all have.
    pub path: String,
    ids: Vec<String>,
    /// The body; `None` when it cannot be read.
    pub body: Option<Value>,
    /// Whether there is such a path for another method.
    pub other_method: bool,
}

impl Asked {
    /// The id at this place in the path.
    pub fn id(&self, at: usize) -> &str {
        self.ids.get(at).map_or("", String::as_str)
    }

    /// An id that is none: every one in a path is a number, but for tokens.
    pub fn wrong_id(&self) -> Option<&str> {
        let token = ["webhooks/", "interactions/"].iter().any(|start| self.path.starts_with(start));
        let ids = self.ids.iter().enumerate().filter(|(at, _)| !(token && *at == 1)).map(|(_, id)| id.as_str());
        ids.into_iter().find(|id| id.parse::<u64>().is_err())
    }

    /// What the route is about: the channel, server or webhook.
    pub fn major(&self) -> String {
        let major = ["channels/", "guilds/", "webhooks/"].iter().any(|major| self.path.starts_with(major));
        let webhook = self.path.starts_with("webhooks/").then(|| self.id(1));
        if major { format!("{}{}", self.id(0), webhook.unwrap_or("")) } else { String::new() }
    }

    /// The body; `null` when there is none.
    pub fn document(&self) -> &Value {
        self.body.as_ref().unwrap_or(&Value::Null)
    }
}

/// Finds out what a request asks for.
pub fn asked(request: &Request) -> Asked {
    let under_api = request.path.strip_prefix("/api/v10/");
    let path = under_api.or_else(|| request.path.strip_prefix('/')).unwrap_or("").to_owned();
    let steps: Vec<&str> = path.split('/').collect();
    let matching = |route: &str| {
        let (method, template) = route.split_once(' ')?;
        let template: Vec<&str> = template.split('/').collect();
        let pairs = || template.iter().zip(&steps);
        let same = template.len() == steps.len() && pairs().all(|(own, step)| own == step || *own == "{}");
        let ids = || pairs().filter(|(own, _)| **own == "{}").map(|(_, step)| decoded(step)).collect::<Vec<_>>();
        same.then(|| (method == request.method, ids()))
    };
    let mut found = None;
    let mut other_method = false;
    let routes = ROUTES.iter().copied().filter(|_| under_api.is_some());
    for route in routes.chain([FILES].into_iter().filter(|_| under_api.is_none())) {
        match matching(route) {
            // Of two routes that match, the one without an id in this place is meant.
            Some((true, ids)) if found.as_ref().is_none_or(|(_, old): &(_, Vec<String>)| ids.len() < old.len()) => {
                found = Some((route, ids));
            }
            Some((false, _)) => other_method = true,
            _ => {}
        }
    }
    let (route, ids) = found.unwrap_or(("", Vec::new()));
    Asked { route, path, ids, body: body(request), other_method }
}

fn decoded(step: &str) -> String {
    // A path has no spaces as `+`, which a form has.
    form_urlencoded::parse(format!("x={}", step.replace('+', "%2B")).as_bytes())
        .next()
        .map_or_else(String::new, |(_, value)| value.into_owned())
}

fn body(request: &Request) -> Option<Value> {
    if request.body.is_empty() {
        return Some(Value::Null);
    }
    if request.header("content-type").starts_with("multipart/form-data") {
        return super::files::multipart(request);
    }
    serde_json::from_slice(&request.body).ok()
}
