//! What can be called.

use super::REPO;
use super::accounts::REPO_ID;
use super::calls::{Asked, Done};
use super::refusal::Refusal;
use super::state::State;
use crate::fakes::server::Request;

/// Answers a call.
pub type Handler = fn(&mut State, &Asked) -> Result<Done, Refusal>;

/// Calls outside of repositories.
const OUTSIDE: [(&str, &str, Handler); 4] = [
    ("GET", "user", |state, _| Ok(state.own_user())),
    ("GET", "users/{login}", State::user_page),
    ("GET", "rate_limit", |state, _| Ok(state.rate_limit())),
    ("POST", "graphql", State::graphql),
];
/// Calls that are about the repository. A place that ends with `+` takes the rest of the path.
const INSIDE: [(&str, &str, Handler); 38] = [
    ("GET", "", |state, _| Ok(state.repository_page())),
    ("GET", "issues", State::list_issues),
    ("POST", "issues", State::create_issue),
    ("GET", "issues/comments", State::list_all_comments),
    ("GET", "issues/comments/{id}", State::get_comment),
    ("PATCH", "issues/comments/{id}", State::edit_comment),
    ("GET", "issues/{n}", State::get_issue),
    ("PATCH", "issues/{n}", State::patch_issue),
    ("GET", "issues/{n}/comments", State::list_comments),
    ("POST", "issues/{n}/comments", State::create_comment),
    ("GET", "issues/{n}/labels", State::list_labels_of_issue),
    ("POST", "issues/{n}/labels", State::add_labels),
    ("PUT", "issues/{n}/labels", State::set_labels),
    ("DELETE", "issues/{n}/labels/{name}", State::remove_label),
    ("POST", "issues/{n}/assignees", State::add_assignees),
    ("DELETE", "issues/{n}/assignees", State::remove_assignees),
    ("GET", "labels", |state, asked| Ok(state.list_labels(asked))),
    ("POST", "labels", State::create_label),
    ("GET", "labels/{name}", State::get_label),
    ("GET", "assignees", |state, asked| Ok(state.list_assignees(asked))),
    ("GET", "assignees/{login}", State::check_assignee),
    ("GET", "contents", State::contents),
    ("GET", "contents/{path+}", State::contents),
    ("GET", "git/trees/{ref}", State::tree),
    ("GET", "commits", State::list_commits),
    ("GET", "commits/{ref}", State::get_commit),
    ("GET", "commits/{ref}/check-runs", State::list_runs),
    ("GET", "commits/{ref}/status", State::combined_status),
    ("GET", "commits/{ref}/pulls", State::list_pulls_of_commit),
    ("GET", "pulls", State::list_pulls),
    ("GET", "pulls/{n}", State::get_pull),
    ("GET", "pulls/{n}/commits", State::list_commits_of_pull),
    ("GET", "pulls/{n}/reviews", State::list_reviews),
    ("GET", "hooks", State::list_hooks),
    ("GET", "hooks/{id}", State::get_hook),
    ("GET", "hooks/{id}/deliveries", State::list_deliveries),
    ("GET", "hooks/{id}/deliveries/{delivery}", State::get_delivery),
    ("POST", "hooks/{id}/deliveries/{delivery}/attempts", State::attempt_delivery),
];

/// Where a request leads.
pub struct Route {
    /// Method and pattern; of a request that leads nowhere, method and path.
    pub endpoint: String,
    pub handler: Option<Handler>,
    pub places: Vec<(&'static str, String)>,
    /// What stands before all paths, on an Enterprise server.
    pub prefix: &'static str,
    /// The path without that; its repository is named by its number, as in the links of GitHub.
    pub path: String,
}

/// Finds where a request leads.
pub fn route(request: &Request) -> Route {
    let (prefix, path) = match request.path.strip_prefix("/api/v3") {
        Some(path) => ("/api/v3", path),
        None if request.path == "/api/graphql" => ("/api/v3", "/graphql"),
        None => ("", request.path.as_str()),
    };
    let parts: Vec<String> = path.trim_start_matches('/').split('/').map(decoded).collect();
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    let by_number = REPO_ID.to_string();
    let (calls, parts, path): (&[_], _, _) = match parts.as_slice() {
        ["repos", owner, name, rest @ ..] if format!("{owner}/{name}").eq_ignore_ascii_case(REPO) => {
            (&INSIDE[..], rest, path.splitn(5, '/').nth(4))
        }
        ["repositories", id, rest @ ..] if *id == by_number => (&INSIDE[..], rest, path.splitn(4, '/').nth(3)),
        parts => (&OUTSIDE[..], parts, None),
    };
    let path = path.map_or_else(|| request.path.clone(), |rest| format!("/repositories/{REPO_ID}/{rest}"));
    let found = calls.iter().filter(|(method, ..)| *method == request.method).find_map(|(method, pattern, handler)| {
        matched(pattern, parts).map(|places| (format!("{method} {pattern}"), *handler, places))
    });
    let (endpoint, handler, places) = match found {
        Some((endpoint, handler, places)) => (endpoint, Some(handler), places),
        None => (format!("{} {}", request.method, request.path), None, Vec::new()),
    };
    Route { endpoint, handler, places, prefix, path }
}

/// What the places of a pattern hold, when it fits.
fn matched(pattern: &'static str, parts: &[&str]) -> Option<Vec<(&'static str, String)>> {
    let wanted: Vec<&str> = pattern.split('/').filter(|part| !part.is_empty()).collect();
    let parts = if parts == [""] { &[] } else { parts };
    let mut places = Vec::new();
    for (at, part) in wanted.iter().enumerate() {
        let held = parts.get(at)?;
        match part.strip_prefix('{').and_then(|place| place.strip_suffix('}')) {
            Some(place) => match place.strip_suffix('+') {
                Some(place) => {
                    places.push((place, parts.get(at..)?.join("/")));
                    return Some(places);
                }
                None => places.push((place, (*held).to_owned())),
            },
            None if part == held => {}
            None => return None,
        }
    }
    (wanted.len() == parts.len()).then_some(places)
}

/// A part of a path without its `%20`.
fn decoded(part: &str) -> String {
    let bytes = part.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let hex = (bytes[at] == b'%').then(|| part.get(at + 1..at + 3)).flatten();
        let byte = hex.and_then(|hex| u8::from_str_radix(hex, 16).ok());
        decoded.push(byte.unwrap_or(bytes[at]));
        at += if byte.is_some() { 3 } else { 1 };
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_take_what_they_say() {
        assert_eq!(matched("issues/{n}", &["issues", "7"]), Some(vec![("n", "7".to_owned())]));
        assert_eq!(matched("issues/{n}", &["issues"]), None);
        assert_eq!(matched("issues/{n}", &["issues", "7", "labels"]), None);
        assert_eq!(matched("contents/{path+}", &["contents", "a", "b"]), Some(vec![("path", "a/b".to_owned())]));
        assert_eq!(matched("", &[]), Some(Vec::new()));
        assert_eq!(decoded("a%20b%2Fc%"), "a b/c%");
    }
}
