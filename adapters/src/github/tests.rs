#![allow(clippy::unwrap_used)] // a test that fails stops

use std::sync::Arc;

use clew_tests::fakes::faults::Fault;
use clew_tests::fakes::github::{FakeGitHub, TOKEN};

use super::*;
use crate::github::wire::Repository;

/// The settings with which a fake is asked; `more` goes before them.
pub fn settings(fake: &FakeGitHub, more: &[(&str, &str)]) -> Settings {
    let url = fake.url();
    let usual = [("token", TOKEN), ("repo", "acme/shop"), ("api_url", url.as_str())];
    let set =
        |key: &str| more.iter().chain(&usual).find(|(name, _)| *name == key).map(|(_, value)| (*value).to_owned());
    Settings::read(&set).unwrap()
}

pub fn client(fake: &FakeGitHub) -> Arc<Client> {
    Arc::new(Client::new(&settings(fake, &[])).unwrap())
}

async fn repository(client: &Client) -> Result<Read<Repository>, Refusal> {
    client.get("/repos/acme/shop").await
}

fn transient(refusal: Refusal) -> (String, Option<Duration>) {
    match refusal.error {
        Error::Transient { why, retry_after } => (why, retry_after),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn what_did_not_change_costs_nothing() {
    let fake = FakeGitHub::start().unwrap();
    let client = client(&fake);
    let first = repository(&client).await.unwrap();
    assert!(first.is_new && first.at.is_some());
    let used = fake.quota_used();
    for _ in 0..5 {
        let again = repository(&client).await.unwrap();
        assert!(!again.is_new && again.at.is_some());
        assert_eq!(again.body.full_name, "acme/shop");
    }
    assert_eq!(fake.quota_used(), used);
    assert_eq!(fake.calls().len(), 6);
    let _ = fake.opens_issue("mara", "Another", "");
    assert!(repository(&client).await.unwrap().is_new, "it counts its issues");
}

#[tokio::test]
async fn an_enterprise_server_is_asked_below_its_path() {
    let fake = FakeGitHub::start().unwrap();
    let url = fake.enterprise_url();
    let client = Client::new(&settings(&fake, &[("api_url", &url)])).unwrap();
    assert_eq!(repository(&client).await.unwrap().body.full_name, "acme/shop");
    let answer = client.graph("query { viewer { login } }", &json!({})).await.unwrap();
    assert_eq!(answer["viewer"]["login"], "clew-bot");
    let paths: Vec<String> = fake.calls().into_iter().map(|call| call.path).collect();
    assert_eq!(paths, ["/api/v3/repos/acme/shop", "/api/graphql"]);
    assert_eq!(fake.calls()[0].header("accept"), "application/vnd.github+json");
}

#[tokio::test]
async fn refusals_are_told_apart() {
    let fake = FakeGitHub::start().unwrap();
    let client = client(&fake);
    fake.fail_next("GET ", Fault::ServerError(502));
    assert_eq!(transient(repository(&client).await.unwrap_err()), ("GitHub answers 502".to_owned(), None));
    fake.fail_next("GET ", Fault::DroppedBefore);
    let (why, _) = transient(repository(&client).await.unwrap_err());
    assert!(why.starts_with("GitHub does not answer: "), "{why}");
    fake.fail_next("GET ", Fault::Refused("Resource not accessible by personal access token".into()));
    assert!(matches!(repository(&client).await.unwrap_err().error, Error::Auth(_)));
    assert!(!client.has("/repos/acme/shop/assignees/nobody").await.unwrap());
    fake.revoke_token();
    let error = repository(&client).await.unwrap_err().error;
    assert_eq!(error, Error::Auth("GitHub does not let Clew in (401): check GITHUB_TOKEN".into()));
    assert!(!format!("{client:?} {error:?}").contains(TOKEN));
}

#[tokio::test]
async fn nobody_there_is_an_outage() {
    let settings = {
        let fake = FakeGitHub::start().unwrap();
        settings(&fake, &[])
    };
    let client = Client::new(&settings).unwrap();
    let (why, _) = transient(repository(&client).await.unwrap_err());
    assert!(why.starts_with("GitHub does not answer: ") && why.to_lowercase().contains("refused"), "{why}");
}

#[tokio::test]
async fn whoever_is_told_to_wait_asks_nothing_meanwhile() {
    let fake = FakeGitHub::start().unwrap();
    let client = client(&fake);
    fake.fail_next("GET ", Fault::RateLimited(1));
    let (why, wait) = transient(repository(&client).await.unwrap_err());
    assert_eq!((why.as_str(), wait), ("GitHub answers 429: too many requests", Some(Duration::from_secs(1))));
    let calls = fake.calls().len();
    let (_, wait) = transient(repository(&client).await.unwrap_err());
    assert!(wait.unwrap() <= Duration::from_secs(1));
    assert_eq!(fake.calls().len(), calls);
    assert!(client.graph("query { viewer { login } }", &json!({})).await.is_ok(), "that is counted apart");
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    assert!(repository(&client).await.is_ok());
}

#[tokio::test]
async fn the_hour_is_waited_for_when_it_is_used_up() {
    let fake = FakeGitHub::start().unwrap();
    let client = client(&fake);
    fake.exhaust_quota();
    let (_, wait) = transient(repository(&client).await.unwrap_err());
    assert!((3_500..=3_602).contains(&wait.unwrap().as_secs()), "{wait:?}");
}

#[tokio::test]
async fn no_more_is_made_than_github_takes() {
    let fake = FakeGitHub::start().unwrap();
    let client = client(&fake);
    let number = fake.opens_issue("mara", "An issue", "");
    let path = format!("/repos/acme/shop/issues/{number}/comments");
    for n in 0..80 {
        let _: Value = client.post(&path, &json!({"body": n.to_string()})).await.unwrap();
    }
    let calls = fake.calls().len();
    let refusal = client.post::<Value>(&path, &json!({"body": "one more"})).await.unwrap_err();
    let (why, wait) = transient(refusal);
    assert!(why.contains("80 a minute") && wait.unwrap() <= Duration::from_mins(1), "{why}");
    assert_eq!(fake.calls().len(), calls);
    assert!(repository(&client).await.is_ok(), "reading goes on");
}

#[test]
fn a_token_that_is_none_is_named() {
    for token in ["", "gh p", "ghp_\u{e9}"] {
        let settings = Settings { token: Some(token.into()), api_url: settings::API.into(), ..Settings::default() };
        assert_eq!(Client::new(&settings).unwrap_err(), Error::Auth("GITHUB_TOKEN: this is no token".into()));
    }
}

#[test]
fn the_token_goes_to_no_other_host() {
    let settings =
        Settings { token: Some("x".into()), api_url: "https://a.example/api/v3".into(), ..Settings::default() };
    let client = Client::new(&settings).unwrap();
    let next =
        |to: &'static str| client.next(&HeaderMap::from_iter([(header::LOCATION, HeaderValue::from_static(to))]));
    assert_eq!(next("https://a.example/api/v3/repositories/1").unwrap(), "https://a.example/api/v3/repositories/1");
    assert_eq!(next("/api/v3/repositories/1").unwrap(), "https://a.example/api/v3/repositories/1");
    for other in ["https://b.example/", "http://a.example/", "https://a.example:8443/", "//b.example/x"] {
        assert!(next(other).is_err(), "{other}");
    }
    assert!(client.next(&HeaderMap::new()).is_err());
}

#[test]
fn what_stands_in_an_address_is_encoded() {
    assert_eq!(encoded("shop/a b&c?#.py", true), "shop/a%20b%26c%3F%23.py");
    assert_eq!(encoded("feature/é", false), "feature%2F%C3%A9");
}
