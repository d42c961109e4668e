#![allow(clippy::unwrap_used)] // a test that fails stops

use std::path::PathBuf;

use proptest::prelude::*;

use super::*;
use crate::code::PullState;
use crate::signature::tests::sign;

const SECRET: &str = "it's a secret";
const SHA: &str = "ec26c3e57ca3a959ca5aad62de7213c562f8c821";

fn fixture(name: &str) -> Vec<u8> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/github").join(format!("{name}.json"));
    std::fs::read(path).unwrap()
}

fn taken(event: &str, body: &[u8]) -> Delivered {
    let header = |name: &str| (name == "X-GitHub-Event").then(|| event.to_owned());
    match parse(&header, body, None) {
        Received::Unsigned(delivered) => delivered,
        other => panic!("{other:?}"),
    }
}

fn news_of(name: &str) -> Vec<News> {
    taken(name.split('.').next().unwrap(), &fixture(name)).news
}

#[test]
fn what_is_delivered_is_told() {
    let repo = || "Codertocat/Hello-World".to_owned();
    let ticket = [News::Ticket { tracker: "github".into(), key: "1".into() }];
    assert_eq!(news_of("issues.opened"), ticket);
    assert_eq!(news_of("issue_comment.created"), ticket);
    let pull = [News::Pull { repo: repo(), number: 2, told: None }];
    assert_eq!(news_of("pull_request_review.submitted"), pull);
    assert_eq!(news_of("check_suite.completed"), pull);
    assert!(matches!(news_of("status").as_slice(), [News::Checks { repo, .. }] if *repo == "Codertocat/Hello-World"));
    assert_eq!(news_of("ping"), []);
    assert_eq!(taken("push", &fixture("ping")).news, []);
}

#[test]
fn a_pull_request_is_told_whole() {
    let news = news_of("pull_request.closed");
    let [News::Pull { repo, number: 2, told: Some(told) }] = news.as_slice() else { panic!("{news:?}") };
    assert_eq!((repo.as_str(), told.repo.as_str()), ("Codertocat/Hello-World", "Codertocat/Hello-World"));
    assert_eq!(told.title, "Update the README with new information.");
    assert_eq!(told.body, "This is a pretty simple change that we need to pull into master.");
    assert_eq!((told.branch.as_str(), told.author.as_str(), told.head.as_str()), ("changes", "Codertocat", SHA));
    assert_eq!((told.state, told.into_default), (PullState::Closed, true));
    assert_eq!(told.updated_at, "2019-05-15T15:21:18.000Z");
    assert!(told.url.ends_with("/pull/2") && told.commits.is_empty() && told.merged_by.is_none());
}

#[test]
fn comments_below_pull_requests_are_about_those() {
    let mut document: Value = serde_json::from_slice(&fixture("issue_comment.created")).unwrap();
    document["issue"]["pull_request"] = serde_json::json!({"url": "x"});
    let news = taken("issue_comment", document.to_string().as_bytes()).news;
    assert_eq!(news, [News::Pull { repo: "Codertocat/Hello-World".into(), number: 1, told: None }]);
}

#[test]
fn checks_of_forks_and_other_repositories_are_about_their_commit() {
    let mut document: Value = serde_json::from_slice(&fixture("check_suite.completed")).unwrap();
    document["check_suite"]["pull_requests"][0]["base"]["repo"]["id"] = 7.into();
    let commit = [News::Checks { repo: "Codertocat/Hello-World".into(), sha: SHA.into() }];
    assert_eq!(taken("check_suite", document.to_string().as_bytes()).news, commit);
    document["check_suite"]["pull_requests"] = Value::Array(Vec::new());
    assert_eq!(taken("check_suite", document.to_string().as_bytes()).news, commit);
    document["check_suite"]["head_sha"] = "../../x".into();
    assert_eq!(taken("check_suite", document.to_string().as_bytes()).news, []);
}

#[test]
fn a_form_is_as_good() {
    let form: String = form_urlencoded::Serializer::new(String::new())
        .append_pair("payload", std::str::from_utf8(&fixture("issues.opened")).unwrap())
        .finish();
    assert_eq!(taken("issues", form.as_bytes()).news.len(), 1);
}

#[test]
fn only_what_is_signed_is_delivered() {
    let body = fixture("issues.opened");
    let with = |signature: Option<String>, secret: Option<&str>| {
        let header = |name: &str| match name {
            "X-GitHub-Event" => Some("issues".to_owned()),
            "X-GitHub-Delivery" => Some("72d3162e-cc78-11e3-81ab-4c9367dc0958".to_owned()),
            "X-Hub-Signature-256" => signature.clone(),
            _ => None,
        };
        parse(&header, &body, secret)
    };
    let signature = || Some(format!("sha256={}", sign(SECRET.as_bytes(), &body)));
    let Received::Delivered(delivered) = with(signature(), Some(SECRET)) else { panic!() };
    assert_eq!(delivered.key, "72d3162e-cc78-11e3-81ab-4c9367dc0958");
    assert!(matches!(with(signature(), Some("another")), Received::Refused(_)));
    assert!(matches!(with(signature(), Some("")), Received::Refused(_)));
    assert!(matches!(with(None, Some(SECRET)), Received::Refused(_)));
    assert!(matches!(
        with(Some(format!("sha1={}", sign(SECRET.as_bytes(), &body))), Some(SECRET)),
        Received::Refused(_)
    ));
    assert!(matches!(with(None, None), Received::Unsigned(_)));
}

#[test]
fn what_is_no_delivery_says_so() {
    let none = |_: &str| None;
    assert!(matches!(parse(&none, b"{}", None), Received::Unreadable(_)));
    let issues = |name: &str| (name == "X-GitHub-Event").then(|| "issues".to_owned());
    for body in [&b""[..], b"[]", b"{", b"payload=x", b"\xff"] {
        assert!(matches!(parse(&issues, body, None), Received::Unreadable(_)), "{body:?}");
    }
    let (first, second) = (taken("issues", b"{}"), taken("issues", b"{ }"));
    assert_ne!(first.key, second.key, "without a name, the body is one");
    assert_eq!(first.key.len(), 64);
}

proptest! {
    #[test]
    fn nothing_breaks_it(at in 0..5_000usize, byte: u8, event in "issues|issue_comment|pull_request|check_suite|status|.{0,9}") {
        for name in ["issues.opened", "pull_request.closed", "check_suite.completed"] {
            let mut body = fixture(name);
            let at = at % body.len();
            body[at] = byte;
            let header = |name: &str| (name == "X-GitHub-Event").then(|| event.clone());
            let _ = parse(&header, &body, None);
        }
    }
}
