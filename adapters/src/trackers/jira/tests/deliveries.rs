//! Deliveries of the webhook.

use serde_json::{Value, json};

use crate::signature::tests::sign;
use crate::trackers::jira::delivery::parse;
use crate::trackers::{Delivered, News, Received};

const SECRET: &str = "it's a secret";

fn received(payload: &Value, headers: &[(&str, &str)], secret: Option<&str>) -> Received {
    let header = |name: &str| headers.iter().find(|(of, _)| *of == name).map(|(_, value)| (*value).to_owned());
    parse(&header, payload.to_string().as_bytes(), secret)
}

fn ticket(key: &str) -> News {
    News::Ticket { tracker: "jira".into(), key: key.into() }
}

fn news(payload: &Value) -> Vec<News> {
    match received(payload, &[], None) {
        Received::Unsigned(delivered) => delivered.news,
        other => panic!("{other:?}"),
    }
}

#[test]
fn only_what_is_signed_is_delivered() {
    let payload = json!({"webhookEvent": "jira:issue_updated", "issue": {"key": "OPS-1"}});
    let good = format!("sha256={}", sign(SECRET.as_bytes(), payload.to_string().as_bytes()));
    let bad = format!("sha256={}", sign(b"another", payload.to_string().as_bytes()));
    let id = ("x-atlassian-webhook-identifier", "c1e0-1");
    let delivered = Delivered { key: "c1e0-1".into(), news: vec![ticket("OPS-1")] };
    let with = |signature: &str, secret| received(&payload, &[id, ("x-hub-signature", signature)], secret);
    assert_eq!(with(&good, Some(SECRET)), Received::Delivered(delivered.clone()));
    assert!(matches!(with(&bad, Some(SECRET)), Received::Refused(why) if why.contains("jira.webhook_secret")));
    assert!(matches!(with(&good[7..], Some(SECRET)), Received::Refused(_)));
    assert!(matches!(received(&payload, &[id], Some(SECRET)), Received::Refused(why) if why.contains("not signed")));
    assert_eq!(with(&bad, None), Received::Unsigned(delivered.clone()));
    assert_eq!(with(&good, Some("")), Received::Unsigned(delivered), "an empty secret is none");
}

#[test]
fn only_events_that_change_a_ticket_are_news() {
    for event in
        ["jira:issue_created", "jira:issue_updated", "jira:issue_deleted", "comment_created", "comment_deleted"]
    {
        assert_eq!(news(&json!({"webhookEvent": event, "issue": {"key": "OPS-1"}})), [ticket("OPS-1")], "{event}");
    }
    for other in [
        json!({"webhookEvent": "jira:version_released", "issue": {"key": "OPS-1"}}),
        json!({"webhookEvent": "jira:issue_updated"}),
        json!({"webhookEvent": "jira:issue_updated", "issue": {"key": "../OPS-1"}}),
        json!({"issue": {"key": "OPS-1"}}),
    ] {
        assert_eq!(news(&other), [], "{other}");
    }
    let moved = json!({
        "webhookEvent": "jira:issue_updated", "issue": {"key": "DEV-7"},
        "changelog": {"items": [{"field": "Key", "fromString": "OPS-1", "toString": "DEV-7"}, {"field": "status"}]},
    });
    assert_eq!(news(&moved), [ticket("DEV-7"), ticket("OPS-1")]);
}

#[test]
fn a_delivery_without_a_name_is_named_by_what_it_says() {
    let key = |payload: &Value, identifier: &str| match received(
        payload,
        &[("x-atlassian-webhook-identifier", identifier)],
        None,
    ) {
        Received::Unsigned(delivered) => delivered.key,
        other => panic!("{other:?}"),
    };
    let (one, two) = (json!({"timestamp": 1}), json!({"timestamp": 2}));
    assert_eq!(key(&one, ""), key(&one, "not one word"));
    assert_eq!(key(&one, "").len(), 64);
    assert_ne!(key(&one, ""), key(&two, ""));
    assert_eq!(key(&one, "a-1"), key(&two, "a-1"));
}

#[test]
fn what_is_no_delivery_is_unreadable() {
    for body in [&b""[..], b"[1]", b"null", b"{", b"\xff\xfe"] {
        assert!(matches!(parse(&|_| None, body, None), Received::Unreadable(why) if why.contains("no JSON object")));
    }
}
