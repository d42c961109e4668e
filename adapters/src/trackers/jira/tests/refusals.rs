//! Answers that no Jira in order gives.

use clew_tests::fakes::server::{Reply, Server};
use serde_json::json;

use super::calls::why;
use super::settings;
use crate::trackers::jira::Jira;
use crate::trackers::{Category, Change, Ticket, Tracker};

/// What a Jira that always answers this is said to have answered.
async fn told(reply: Reply, user: &str) -> String {
    let server = Server::start(move |_| reply.clone()).unwrap();
    let url = format!("http://{}", server.address());
    let jira = Jira::new(settings(&[("url", &url), ("user", user), ("deployment", "cloud")]).unwrap()).unwrap();
    why(jira.find("clew-1").await)
}

#[tokio::test]
async fn whoever_is_not_let_in_is_told_what_to_check() {
    let refusal = |status| Reply::json(status, &json!({"errorMessages": [], "errors": {}}));
    assert_eq!(told(refusal(401), "").await, "auth: Jira does not let Clew in (401): check JIRA_TOKEN");
    let captcha = refusal(403).header("x-authentication-denied-reason", "CAPTCHA_CHALLENGE; login-url=https://x");
    assert!(told(captcha, "clew").await.starts_with("auth: Jira wants to see a person (403, captcha)"));
    assert!(told(refusal(403), "").await.ends_with("set JIRA_USER"));
    // An empty answer to nobody is not an empty project.
    let nobody = Reply::json(200, &json!({"issues": []})).header("x-seraph-loginreason", "AUTHENTICATED_FAILED");
    assert_eq!(
        told(nobody, "clew").await,
        "auth: Jira does not let Clew in (it answers as to nobody): check JIRA_USER and JIRA_TOKEN"
    );
}

#[tokio::test]
async fn what_is_no_jira_is_not_taken_for_one() {
    let page = |status| Reply::typed(status, "text/html", "<html>please log in</html>".to_owned());
    assert_eq!(
        told(page(200), "clew").await,
        "transient None: what answers (200) does not speak as Jira does: check JIRA_URL"
    );
    assert_eq!(
        told(page(302).header("location", "https://login.example/"), "clew").await,
        "permanent: Jira leads elsewhere (302): set JIRA_URL to where it really is"
    );
    assert_eq!(told(page(410), "clew").await, "permanent: Jira answers 410: is jira.deployment right?");
    assert_eq!(told(page(502), "clew").await, "transient None: Jira answers 502");
    assert!(told(page(404), "clew").await.contains("check JIRA_URL"));
}

#[tokio::test]
async fn what_jira_says_is_repeated_in_one_line_and_not_for_ever() {
    let long = format!("The value 'OPS' does not exist\nfor the field 'project'.{}", " x".repeat(1_000));
    let told = told(Reply::json(400, &json!({"errorMessages": [long], "errors": {}})), "clew").await;
    assert!(told.starts_with("permanent: Jira refuses: The value 'OPS' does not exist for the field 'project'. x"));
    assert!(told.chars().count() < 600 && told.ends_with('…'), "{told}");
}

#[tokio::test]
async fn a_ticket_needs_little() {
    let answer = json!({"key": "OPS-7", "fields": {"summary": "x", "status": {"name": "Open"}, "assignee": null}});
    let server = Server::start(move |_| Reply::json(200, &answer)).unwrap();
    let url = format!("http://{}/jira/", server.address());
    let jira = Jira::new(settings(&[("url", &url), ("deployment", "server")]).unwrap()).unwrap();
    let expected = Ticket {
        key: "OPS-7".into(),
        url: format!("{url}browse/OPS-7"),
        title: "x".into(),
        status: "Open".into(),
        category: Category::ToDo,
        resolution: None,
        assignee: None,
        created_at: "1970-01-01T00:00:00.000Z".into(),
        updated_at: "1970-01-01T00:00:00.000Z".into(),
    };
    assert_eq!(jira.ticket("OPS-7").await, Ok(expected));
    let told = why(jira.change("OPS-7", &Change::Move(Category::Done)).await);
    assert!(told.starts_with("permanent: Jira lets Clew do nothing with OPS-7 in \"Open\""), "{told}");
}

#[tokio::test]
async fn an_old_server_tells_its_comments_in_its_own_order() {
    let server = Server::start(|request| {
        let number = |name: &str| {
            let value = request.query.iter().find(|(of, _)| of == name).map(|(_, value)| value.parse::<usize>());
            value.unwrap().unwrap()
        };
        let all = (number("startAt")..70).take(number("maxResults"));
        let comments: Vec<_> = all
            .map(|n| json!({"id": n.to_string(), "body": format!("{n}"), "created": format!("2026-11-28T10:00:{:02}.{n:03}+0000", n / 60)}))
            .collect();
        Reply::json(200, &json!({"comments": comments, "total": 70}))
    })
    .unwrap();
    let url = format!("http://{}", server.address());
    let jira = Jira::new(settings(&[("url", &url), ("deployment", "server")]).unwrap()).unwrap();
    let comments = jira.comments("OPS-7").await.unwrap();
    let ids: Vec<usize> = comments.iter().map(|comment| comment.id.parse().unwrap()).collect();
    assert_eq!(ids, (20..70).collect::<Vec<_>>());
}
