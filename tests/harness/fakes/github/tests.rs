use serde_json::{Value, json};

use super::*;

mod code;
mod deliveries;
mod issues;
mod limits;
mod pulls;

type Outcome = Result<(), Failure>;

/// An answer of the fake.
struct Got {
    status: u16,
    headers: ureq::http::HeaderMap,
    text: String,
}

impl Got {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or("")
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_default()
    }

    /// A member of every entry of a list.
    fn all(&self, member: &str) -> Vec<Value> {
        self.json().as_array().into_iter().flatten().map(|entry| entry[member].clone()).collect()
    }
}

fn call(github: &FakeGitHub, method: &str, path: &str, headers: &[(&str, &str)], body: &Value) -> Result<Got, Failure> {
    let url = if path.starts_with("http") { path.to_owned() } else { format!("{}/{path}", github.url()) };
    let config = ureq::Agent::config_builder().http_status_as_error(false).allow_non_standard_methods(true);
    let agent: ureq::Agent = config.build().into();
    let mut request = ureq::http::Request::builder().method(method).uri(url);
    if !headers.iter().any(|(name, _)| *name == "authorization") {
        request = request.header("authorization", format!("Bearer {TOKEN}"));
    }
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let mut response = agent.run(request.body(body)?)?;
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    Ok(Got { status, headers, text: response.body_mut().read_to_string()? })
}

/// `GET` of something of the repository.
fn get(github: &FakeGitHub, path: &str) -> Result<Got, Failure> {
    call(github, "GET", &format!("repos/{REPO}/{path}"), &[], &Value::Null)
}

fn send(github: &FakeGitHub, method: &str, path: &str, body: &Value) -> Result<Got, Failure> {
    call(github, method, &format!("repos/{REPO}/{path}"), &[], body)
}

/// A repository that people work on.
fn team() -> Result<FakeGitHub, Failure> {
    let github = FakeGitHub::start()?;
    github.add_user("ada", "Ada Lovelace", Some("ada@acme.example"));
    github.add_user("bob", "Bob", None);
    github.add_stranger("eve", "Eve");
    Ok(github)
}

#[test]
fn who_asks_says_who_they_are() -> Outcome {
    let github = team()?;
    let user = |headers: &[(&str, &str)]| call(&github, "GET", "user", headers, &Value::Null);
    assert_eq!(user(&[])?.json()["login"], BOT_LOGIN);
    let classic = format!("token {TOKEN}");
    assert_eq!(user(&[("authorization", classic.as_str())])?.status, 200);
    let stranger = user(&[("authorization", "Bearer ghp_other")])?;
    assert_eq!((stranger.status, &stranger.json()["message"]), (401, &json!("Bad credentials")));
    assert_eq!(user(&[("user-agent", "")])?.status, 403);
    assert_eq!(user(&[("x-github-api-version", "2022-11-28")])?.status, 200);
    assert_eq!(user(&[("x-github-api-version", "2001-01-01")])?.status, 400);
    for nowhere in ["repos/acme/other/issues", "repos/acme/shop/teapots", "users/nobody", "repositories/7"] {
        let got = call(&github, "GET", nowhere, &[], &Value::Null)?;
        assert_eq!((got.status, &got.json()["message"]), (404, &json!("Not Found")), "{nowhere}");
    }
    assert_eq!(call(&github, "GET", "api/v3/repos/acme/shop", &[], &Value::Null)?.json()["default_branch"], "main");
    github.allow_reading_only(true);
    assert_eq!(send(&github, "POST", "issues", &json!({"title": "x"}))?.status, 403);
    github.revoke_token();
    assert_eq!(user(&[])?.status, 401);
    Ok(())
}

#[test]
fn what_did_not_change_costs_nothing() -> Outcome {
    let github = team()?;
    let number = github.opens_issue("ada", "Cart is empty", "It is.");
    let path = format!("repos/{REPO}/issues?state=all");
    let first = call(&github, "GET", &path, &[], &Value::Null)?;
    let tag = first.header("etag").to_owned();
    assert!(tag.starts_with("W/\""), "{tag}");
    assert_eq!((github.quota_used(), first.header("x-ratelimit-used")), (1, "1"));
    let known = [("if-none-match", tag.as_str())];
    let again = call(&github, "GET", &path, &known, &Value::Null)?;
    assert_eq!((again.status, again.text.as_str(), again.header("etag")), (304, "", tag.as_str()));
    assert_eq!((github.quota_used(), again.header("x-ratelimit-remaining")), (1, "4999"));
    github.comments_on(number, "bob", "Same here.");
    let changed = call(&github, "GET", &path, &known, &Value::Null)?;
    assert_eq!((changed.status, github.quota_used()), (200, 2));
    assert_ne!(changed.header("etag"), tag);
    Ok(())
}

#[test]
fn a_cut_connection_may_have_done_its_work() -> Outcome {
    let github = team()?;
    let draft = json!({"title": "Cart is empty"});
    github.fail_next("POST issues", Fault::DroppedBefore);
    assert!(send(&github, "POST", "issues", &draft).is_err());
    assert_eq!(github.issues().len(), 0);
    github.fail_next("POST issues", Fault::DroppedAfter);
    assert!(send(&github, "POST", "issues", &draft).is_err());
    assert_eq!(github.issues().len(), 1);
    let lost: Vec<_> = github.calls_of("POST issues").iter().map(|call| (call.status, call.lost)).collect();
    assert_eq!(lost, [(0, false), (0, true)]);
    github.fail_next("GET issues/{n}", Fault::ServerError(502));
    assert_eq!(get(&github, "issues")?.status, 200);
    let broken = get(&github, "issues/1")?;
    assert_eq!(broken.status, 502);
    assert!(broken.text.contains("Unicorn") && broken.header("content-type").starts_with("text/html"));
    github.fail_next("GET issues/{n}", Fault::ServerError(500));
    assert_eq!(get(&github, "issues/1")?.json()["message"], "Server Error");
    Ok(())
}

#[test]
fn calls_are_remembered_without_the_token() -> Outcome {
    let github = team()?;
    let headers = [("accept", "application/vnd.github+json")];
    call(&github, "POST", "repos/acme/shop/issues?x=1", &headers, &json!({"title": "Cart"}))?;
    let call = github.calls().pop().ok_or("no call")?;
    assert_eq!(
        (call.endpoint.as_str(), call.path.as_str(), call.status),
        ("POST issues", "/repos/acme/shop/issues", 201)
    );
    assert_eq!((call.parameter("x"), call.header("accept")), ("1", "application/vnd.github+json"));
    assert_eq!(call.body["title"], "Cart");
    assert!(!format!("{call:?}").contains(TOKEN));
    Ok(())
}
