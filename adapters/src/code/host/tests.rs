#![allow(clippy::unwrap_used)] // a test that fails stops

use clew_tests::fakes::faults::Fault;
use clew_tests::fakes::github::{FakeGitHub, REPO};

use super::*;
use crate::code::PullState;
use crate::github::tests::{client, settings};

fn host(fake: &FakeGitHub) -> CodeHost {
    CodeHost::new(&settings(fake, &[]), Some(client(fake)))
}

#[tokio::test]
async fn a_pull_request_is_told_from_draft_to_merge() {
    let fake = FakeGitHub::start().unwrap();
    let host = host(&fake);
    let draft = fake.opens_draft("mara", "Try it", "", "try");
    assert_eq!(host.pull(REPO, draft).await.unwrap().state, PullState::Draft);
    let number = fake.opens_pull("mara", "Fix the cart", "Fixes OPS-12", "fix-cart", &["Fix it", "Test it"]);
    let pull = host.pull(REPO, number).await.unwrap();
    assert_eq!(
        (pull.title.as_str(), pull.body.as_str(), pull.branch.as_str()),
        ("Fix the cart", "Fixes OPS-12", "fix-cart")
    );
    assert_eq!((pull.author.as_str(), pull.state, pull.into_default), ("mara", PullState::Open, true));
    assert_eq!(pull.commits, ["Fix it", "Test it"]);
    assert_eq!((pull.checks, pull.review, pull.merged_by), (Checks::None, Review::None, None));
    fake.merges(number, "lee");
    let pull = host.pull(REPO, number).await.unwrap();
    assert_eq!((pull.state, pull.merged_by.as_deref()), (PullState::Merged, Some("lee")));
    let other = fake.opens_pull_into("release", "mara", "Port it", "", "port");
    let pull = host.pull(REPO, other).await.unwrap();
    assert!(!pull.into_default);
    fake.closes(other);
    assert_eq!(host.pull(REPO, other).await.unwrap().state, PullState::Closed);
    assert!(matches!(host.pull(REPO, 999).await, Err(Error::Gone(_))));
    assert!(matches!(host.pull("acme/../x", 1).await, Err(Error::Permanent(_))));
}

#[tokio::test]
async fn checks_and_reviews_are_told() {
    let fake = FakeGitHub::start().unwrap();
    let host = host(&fake);
    let number = fake.opens_pull("mara", "Fix", "", "fix", &["Fix"]);
    let head = host.pull(REPO, number).await.unwrap().head;
    let checks = async || host.checks(REPO, &head).await.unwrap();
    fake.check(number, "test", "success");
    assert_eq!(checks().await, Checks::Passed);
    fake.status(number, "ci/lint", "pending");
    assert_eq!(checks().await, Checks::Running);
    fake.status(number, "ci/lint", "failure");
    fake.check(number, "build", "failure");
    assert_eq!(checks().await, Checks::Failed(vec!["build".into(), "ci/lint".into()]));
    let used = fake.quota_used();
    checks().await;
    assert_eq!(fake.quota_used(), used);
    let review = async || host.pull(REPO, number).await.unwrap().review;
    fake.reviews(number, "lee", "CHANGES_REQUESTED");
    fake.reviews(number, "kim", "APPROVED");
    assert_eq!(review().await, Review::ChangesRequested);
    fake.reviews(number, "lee", "APPROVED");
    assert_eq!(review().await, Review::Approved);
    fake.reviews(number, "lee", "COMMENTED");
    assert_eq!(review().await, Review::Approved);
}

#[tokio::test]
async fn what_the_token_may_not_see_is_left_out() {
    let fake = FakeGitHub::start().unwrap();
    let host = host(&fake);
    let number = fake.opens_pull("mara", "Fix", "", "fix", &["Fix"]);
    fake.status(number, "ci/lint", "success");
    let hidden = || Fault::Refused("Resource not accessible by personal access token".into());
    let head = host.pull(REPO, number).await.unwrap().head;
    fake.fail_next("GET commits/{ref}/check-runs", hidden());
    assert_eq!(host.checks(REPO, &head).await.unwrap(), Checks::Passed);
    fake.fail_next("GET commits/{ref}/check-runs", hidden());
    fake.fail_next("GET commits/{ref}/status", hidden());
    assert!(matches!(host.checks(REPO, &head).await, Err(Error::Auth(_))));
    for endpoint in ["commits/{ref}/check-runs", "commits/{ref}/status", "pulls/{n}/reviews", "pulls/{n}/commits"] {
        fake.fail_next(&format!("GET {endpoint}"), hidden());
    }
    let pull = host.pull(REPO, number).await.unwrap();
    assert_eq!((pull.checks, pull.review, pull.commits.len()), (Checks::None, Review::None, 0));
    fake.fail_next("GET pulls/{n}/reviews", Fault::ServerError(502));
    assert!(matches!(host.pull(REPO, number).await, Err(Error::Transient { .. })));
}

#[tokio::test]
async fn what_changed_is_told_and_costs_nothing_when_nothing_did() {
    let fake = FakeGitHub::start().unwrap();
    let host = host(&fake);
    let number = fake.opens_pull("mara", "Fix", "", "fix", &["Fix"]);
    let changed = async || host.changed(None).await.unwrap();
    assert_eq!(changed().await.iter().map(|pull| pull.number).collect::<Vec<_>>(), [number]);
    let used = fake.quota_used();
    assert_eq!(changed().await.len(), 1);
    assert_eq!(fake.quota_used(), used);
    fake.merges(number, "lee");
    assert_eq!(changed().await[0].state, PullState::Merged);
}

#[tokio::test]
async fn after_a_long_time_more_than_a_page_is_read() {
    let fake = FakeGitHub::start().unwrap();
    for n in 0..60 {
        let _ = fake.opens_pull("mara", &format!("Fix {n}"), "", &format!("fix-{n}"), &["Fix"]);
    }
    assert_eq!(host(&fake).changed(None).await.unwrap().len(), 50);
    assert_eq!(host(&fake).changed(Some("2000-01-01T00:00:00.000Z")).await.unwrap().len(), 60);
}

#[tokio::test]
async fn without_a_token_nothing_is_asked() {
    let fake = FakeGitHub::start().unwrap();
    let host = CodeHost::new(&settings(&fake, &[]), None);
    assert!(!host.can_ask());
    let wants = Error::Permanent("GitHub cannot be asked: set GITHUB_TOKEN".into());
    assert_eq!(host.pull(REPO, 1).await, Err(wants.clone()));
    assert_eq!(host.changed(None).await, Err(wants.clone()));
    assert_eq!(host.checks(REPO, "abcdef0").await, Err(wants.clone()));
    assert_eq!(host.owner(&[]).await, Err(wants));
    assert!(fake.calls().is_empty());
}
