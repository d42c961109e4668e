#![allow(clippy::unwrap_used)] // a test that fails stops

use clew_tests::fakes::faults::Fault;
use clew_tests::fakes::github::{BOT_LOGIN, FakeGitHub, Limits};

use super::*;
use crate::alerts::Severity;
use crate::chat::{Item, Section, Span};
use crate::github::tests::{client, settings};
use crate::trackers::conformance::{conformance, knows_no_strangers};

const MARKER: &str = "i-7f3a";

fn issues(fake: &FakeGitHub) -> GitHubIssues {
    GitHubIssues::new(&settings(fake, &[("labels", "ops, clew")]), client(fake)).unwrap()
}

fn draft(assignee: Option<&str>) -> Draft {
    let said = vec![Span::Text("@mara: see #1 ".into()), Span::Code("db-1".into())];
    Draft {
        title: "Disk full\non db-1".into(),
        description: vec![Section {
            heading: "Root cause".into(),
            items: vec![Item { text: said, quote: Some("No space left".into()) }],
        }],
        marker: MARKER.into(),
        severity: Severity::High,
        assignee: assignee.map(|login| Account { id: login.into(), name: login.into() }),
    }
}

fn said(text: &str) -> Rich {
    vec![Span::Text(text.into())]
}

#[tokio::test]
async fn github_does_what_every_tracker_does() {
    let fake = FakeGitHub::start().unwrap();
    fake.set_limits(Limits {
        writes_a_minute: 10_000,
        writes_an_hour: 10_000,
        points_a_minute: 100_000,
        ..Limits::default()
    });
    let issues = issues(&fake);
    conformance(&issues).await;
    knows_no_strangers(&issues).await;
}

#[tokio::test]
async fn an_issue_is_made_and_found_again() {
    let fake = FakeGitHub::start().unwrap();
    fake.add_user("mara", "Mara", None);
    let issues = issues(&fake);
    assert_eq!(issues.find(MARKER).await.unwrap(), None);
    let created = issues.create(&draft(Some("mara"))).await.unwrap();
    assert_eq!(created.left_out, Vec::<String>::new());
    let ticket = created.ticket;
    assert_eq!(
        (ticket.title.as_str(), ticket.status.as_str(), ticket.category),
        ("Disk full on db-1", "open", Category::ToDo)
    );
    assert_eq!(ticket.assignee.as_ref().map(|account| account.id.as_str()), Some("mara"));
    assert_eq!(ticket.created_at.len(), "2026-11-28T10:00:00.000Z".len(), "{}", ticket.created_at);
    assert_eq!(issues.find(MARKER).await.unwrap(), Some(ticket.clone()));
    assert_eq!(issues.find("i-7f3").await.unwrap(), None);
    assert_eq!(issues.ticket(&ticket.key).await.unwrap(), ticket);
    let sent = fake.calls_of("POST issues")[0].body.clone();
    assert_eq!(sent["labels"], json!(["clew", "severity: high", "ops"]));
    let body = "### Root cause\n\n- @<!-- -->mara: see \\#<!-- -->1 `db-1`\n\n```text\nNo space left\n```\n\n\n<!-- clew:i-7f3a -->";
    assert_eq!(sent["body"], body);
}

#[tokio::test]
async fn whoever_cannot_have_it_is_left_out() {
    let fake = FakeGitHub::start().unwrap();
    fake.add_stranger("eve", "Eve");
    let issues = issues(&fake);
    let created = issues.create(&draft(Some("eve"))).await.unwrap();
    assert_eq!(created.ticket.assignee, None);
    assert_eq!(created.left_out.len(), 1, "{:?}", created.left_out);
    assert!(created.left_out[0].starts_with("the assignee eve"));
    assert_eq!(fake.issues().len(), 1);
}

#[tokio::test]
async fn an_answer_that_was_lost_is_found() {
    let fake = FakeGitHub::start().unwrap();
    let issues = issues(&fake);
    fake.fail_next("POST issues", Fault::DroppedAfter);
    assert!(matches!(issues.create(&draft(None)).await, Err(Error::Transient { .. })));
    let found = issues.find(MARKER).await.unwrap().unwrap();
    // Also when somebody takes the label away.
    fake.unlabels(found.key.parse().unwrap(), "mara", "clew");
    assert_eq!(issues.find(MARKER).await.unwrap().unwrap().key, found.key);
}

#[tokio::test]
async fn of_several_the_open_one_counts() {
    let fake = FakeGitHub::start().unwrap();
    let issues = issues(&fake);
    let mut keys = Vec::new();
    for _ in 0..3 {
        keys.push(issues.create(&draft(None)).await.unwrap().ticket.key);
    }
    let found = async || issues.find(MARKER).await.unwrap().unwrap().key;
    assert_eq!(found().await, keys[0]);
    fake.closes_issue(keys[0].parse().unwrap(), "mara");
    assert_eq!(found().await, keys[1]);
    fake.closes_issue(keys[2].parse().unwrap(), "mara");
    fake.let_time_pass(Duration::from_secs(10));
    fake.gives_up(keys[1].parse().unwrap(), "mara");
    assert_eq!(found().await, keys[1], "it was done last");
    let ticket = issues.ticket(&keys[1]).await.unwrap();
    assert_eq!((ticket.status.as_str(), ticket.resolution.as_deref()), ("closed", Some("not planned")));
    assert_eq!(issues.ticket(&keys[0]).await.unwrap().resolution.as_deref(), Some("completed"));
}

#[tokio::test]
async fn our_issue_is_found_among_many() {
    let fake = FakeGitHub::start().unwrap();
    let issues = issues(&fake);
    let ours = issues.create(&draft(None)).await.unwrap().ticket;
    for n in 0..250 {
        let number = fake.opens_issue("mara", &n.to_string(), "<!-- clew:other -->");
        fake.labels(number, "mara", "clew");
    }
    assert_eq!(issues.find(MARKER).await.unwrap(), Some(ours));
    assert_eq!(fake.calls_of("GET issues").len(), 3);
}

#[tokio::test]
async fn comments_are_written_once() {
    let fake = FakeGitHub::start().unwrap();
    let issues = issues(&fake);
    let key = issues.create(&draft(None)).await.unwrap().ticket.key;
    let number: u64 = key.parse().unwrap();
    let change = |name: &str| Change::Comment { text: said("Merged by @mara."), name: name.into() };
    fake.fail_next("POST issues/{n}/comments", Fault::DroppedAfter);
    assert!(issues.change(&key, &change("a1")).await.is_err());
    issues.change(&key, &change("a1")).await.unwrap();
    for n in 0..95 {
        fake.comments_on(number, "mara", &format!("note {n}"));
    }
    issues.change(&key, &change("a1")).await.unwrap();
    issues.change(&key, &change("b2")).await.unwrap();
    assert_eq!(fake.comments(number).len(), 97);
    let told = issues.comments(&key).await.unwrap();
    assert_eq!((told.len(), told[0].text.as_str()), (50, "note 46"));
    assert_eq!((told[0].author.as_str(), told[0].name.as_deref()), ("mara", None));
    let ours = told.last().unwrap();
    assert_eq!(
        (ours.author.as_str(), ours.name.as_deref(), ours.text.as_str()),
        (BOT_LOGIN, Some("b2"), "Merged by @mara.")
    );
    for n in 0..30 {
        fake.comments_on(number, "mara", &format!("more {n}"));
    }
    let told = issues.comments(&key).await.unwrap();
    assert_eq!((told.len(), told[49].text.as_str()), (50, "more 29"), "over the edge of a page");
}

#[tokio::test]
async fn an_issue_goes_to_and_fro() {
    let fake = FakeGitHub::start().unwrap();
    let issues = issues(&fake);
    let key = issues.create(&draft(None)).await.unwrap().ticket.key;
    let category = async || issues.ticket(&key).await.unwrap().category;
    for _ in 0..2 {
        issues.change(&key, &Change::Move(Category::Done)).await.unwrap();
        assert_eq!(category().await, Category::Done);
    }
    assert_eq!(issues.ticket(&key).await.unwrap().resolution.as_deref(), Some("completed"));
    assert_eq!(fake.calls_of("PATCH issues/{n}").len(), 1);
    for _ in 0..2 {
        issues.change(&key, &Change::Move(Category::ToDo)).await.unwrap();
        assert_eq!(category().await, Category::ToDo);
    }
    assert_eq!(issues.ticket(&key).await.unwrap().resolution, None);
    assert_eq!(fake.calls_of("PATCH issues/{n}").len(), 2);
}

#[tokio::test]
async fn what_is_gone_is_gone() {
    let fake = FakeGitHub::start().unwrap();
    let issues = issues(&fake);
    let key = issues.create(&draft(None)).await.unwrap().ticket.key;
    fake.deletes_issue(key.parse().unwrap());
    for key in [key.as_str(), "999", "OPS-1", "../pulls"] {
        assert!(matches!(issues.ticket(key).await, Err(Error::Gone(_))), "{key}");
        assert!(matches!(issues.comments(key).await, Err(Error::Gone(_))), "{key}");
        let moved = issues.change(key, &Change::Move(Category::Done)).await;
        assert!(matches!(moved, Err(Error::Gone(_))), "{key}");
    }
}

#[tokio::test]
async fn a_repository_that_is_not_there_is_no_issue_that_is_gone() {
    let fake = FakeGitHub::start().unwrap();
    let issues = GitHubIssues::new(&settings(&fake, &[("repo", "acme/other")]), client(&fake)).unwrap();
    for error in [issues.ticket("1").await.unwrap_err(), issues.find(MARKER).await.unwrap_err()] {
        assert!(
            matches!(&error, Error::Permanent(why) if why.contains("acme/other") && why.contains("GITHUB_REPO")),
            "{error:?}"
        );
    }
    assert!(matches!(issues.create(&draft(None)).await, Err(Error::Permanent(_))));
}

#[tokio::test]
async fn changes_are_told_and_cost_nothing_when_there_are_none() {
    let fake = FakeGitHub::start().unwrap();
    let issues = issues(&fake);
    let old = issues.create(&draft(None)).await.unwrap().ticket.key;
    let changed = async || -> Vec<String> {
        let tickets = issues.changed(Duration::from_mins(10)).await.unwrap();
        tickets.into_iter().map(|ticket| ticket.key).collect()
    };
    assert_eq!(changed().await, std::slice::from_ref(&old));
    let used = fake.quota_used();
    assert_eq!(changed().await, std::slice::from_ref(&old), "what was told may have been lost");
    assert_eq!(fake.quota_used(), used);
    let _ = fake.opens_issue("mara", "not ours", "");
    fake.comments_on(old.parse().unwrap(), "mara", "/clew status");
    assert_eq!(changed().await, [old]);
    assert!(fake.quota_used() > used);
}

#[tokio::test]
async fn only_who_can_have_issues_has_an_account() {
    let fake = FakeGitHub::start().unwrap();
    fake.add_user("mara", "Mara", None);
    fake.add_stranger("eve", "Eve");
    let issues = issues(&fake);
    let account = async |login: &str| {
        let developer = Developer { login: login.into(), emails: vec!["mara@acme.example".into()] };
        issues.account(&developer).await.unwrap().map(|account| account.id)
    };
    assert_eq!(account("mara").await.as_deref(), Some("mara"));
    for none in ["eve", "nobody", "", "../../user", "x[bot]"] {
        assert_eq!(account(none).await, None, "{none}");
    }
}

#[tokio::test]
async fn a_token_that_may_only_read_is_named() {
    let fake = FakeGitHub::start().unwrap();
    let issues = issues(&fake);
    fake.allow_reading_only(true);
    assert!(matches!(issues.create(&draft(None)).await, Err(Error::Auth(_))));
}

#[test]
fn titles_fit() {
    assert_eq!(title(&"🚒".repeat(300)).encode_utf16().count(), 255);
    assert_eq!(title("\n"), "Incident");
}
