//! Posts of bots in `tests/fixtures/slack`: what is made of the alerts, that chatter stays chatter, and that nothing breaks
//! the reading.
#![allow(clippy::unwrap_used)] // a test that fails stops

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::chat::alert_post::fixtures::{self, assert_are_one, assert_is_bounded, replace};
use crate::chat::slack::read::tests::anything;

fn posts(kind: &str) -> Vec<(String, Value)> {
    fixtures::posts(&format!("slack/{kind}"))
}

fn post(name: &str) -> Alert {
    alert(&fixtures::post("slack/alerts", name), "C1").unwrap()
}

#[test]
fn what_is_made_of_alerts() {
    let posts = posts("alerts");
    assert!(posts.len() > 40, "only {} posts were found", posts.len());
    for (name, post) in posts {
        let alert = alert(&post, "C1");
        insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true }, {
            insta::assert_json_snapshot!(name, alert);
        });
    }
}

#[test]
fn chatter_is_no_alert() {
    let posts = posts("chatter");
    assert!(posts.len() > 30, "only {} posts were found", posts.len());
    let alerts: Vec<String> =
        posts.iter().filter(|(_, post)| alert(post, "C1").is_some()).map(|(name, _)| name.clone()).collect();
    assert_eq!(alerts, Vec::<String>::new());
}

#[test]
fn posts_of_one_alert_are_about_the_same() {
    for (names, statuses) in [
        (&["alertmanager_default_firing", "alertmanager_default_resolved"][..], "FR"),
        (&["alertmanager_details_firing", "alertmanager_details_firing_two", "alertmanager_details_resolved"], "FFR"),
        (&["grafana_firing", "grafana_resolved"], "FR"),
        (&["grafana_legacy_alerting", "grafana_legacy_ok"], "FR"),
        (&["datadog_triggered", "datadog_warn", "datadog_re_triggered", "datadog_recovered"], "FFFR"),
        (&["pagerduty_triggered", "pagerduty_acknowledged", "pagerduty_resolved"], "FAR"),
        (&["sentry_metric_critical", "sentry_metric_resolved"], "FR"),
        (&["aws_chatbot_alarm", "aws_chatbot_ok"], "FR"),
        (&["aws_lambda_alarm", "aws_lambda_ok"], "FR"),
        (&["uptime_kuma_down", "uptime_kuma_up"], "FR"),
        (&["uptime_robot_down", "uptime_robot_up"], "FR"),
        (&["zabbix_problem", "zabbix_resolved"], "FR"),
    ] {
        let alerts: Vec<Alert> = names.iter().map(|name| post(name)).collect();
        assert_are_one(&alerts, statuses);
    }
}

#[test]
fn posts_of_other_channels_are_other_alerts() {
    let post = fixtures::post("slack/alerts", "grafana_firing");
    assert_ne!(alert(&post, "C1").unwrap().fingerprint, alert(&post, "C2").unwrap().fingerprint);
}

#[test]
fn sentences_that_begin_like_alerts_need_more() {
    let said = |text: &str, color: &str| {
        let attachment = json!({"color": color, "text": "words", "fallback": "words"});
        alert(&json!({"bot_id": "B1", "text": text, "attachments": [attachment]}), "C1").is_some()
    };
    for (text, plain, red) in [
        ("[FIRING:1] Disk is full", true, true),
        ("Triggered: Disk is full", true, true),
        ("DOWN: shop.example", true, true),
        ("Triggered: nightly build", false, false),
        ("[CRITICAL] Disk is full", false, true),
        ("Critical: Disk is full", false, true),
        ("Disk of db-1 is down", false, true),
        (":fire: Disk is full", false, false),
        ("Disk is full", false, false),
        ("Error: Disk is full", false, false),
        ("Critical: release of shop is late", false, false),
        ("All is well", false, false),
    ] {
        assert_eq!((said(text, ""), said(text, "danger")), (plain, red), "{text}");
    }
}

#[test]
fn hostile_posts_take_no_time() {
    let pieces = [
        "<",
        "`",
        "[",
        "(a=\"b\" ",
        "{a=\"",
        ":",
        ":a:",
        "🔥",
        "@a ",
        "P1: ",
        "*a:* b\n",
        "[FIRING] ",
        "<https://x|y> ",
        "```a",
    ];
    for piece in pieces {
        let text = piece.repeat(300_000 / piece.len());
        let post = json!({"bot_id": "B1", "text": text, "attachments": [
            {"title": text, "color": "danger", "text": text, "fields": [{"title": text, "value": text}]},
        ]});
        if let Some(alert) = alert(&post, "C1") {
            assert_is_bounded(&alert);
        }
    }
}

proptest! {
    #[test]
    fn no_json_breaks_the_reading(post in anything(), parts in proptest::collection::vec(anything(), 0..3)) {
        let whole = json!({"bot_id": "B1", "text": "[FIRING:1] x", "attachments": parts, "blocks": [post]});
        for post in [&post, &whole] {
            if let Some(alert) = alert(post, "C1") {
                assert_is_bounded(&alert);
            }
        }
    }

    #[test]
    fn no_changed_post_breaks_the_reading(which in any::<prop::sample::Index>(), at in 0_usize..60, with in anything()) {
        let posts = posts("alerts");
        let mut post = posts[which.index(posts.len())].1.clone();
        replace(&mut post, &mut at.clone(), &with);
        if let Some(alert) = alert(&post, "C1") {
            assert_is_bounded(&alert);
        }
    }

    #[test]
    fn no_text_breaks_the_reading(text in r"[a-z P1\[\]:|<>`*🔥é()=\x22{}\n•-]{0,60}") {
        for text in [text.clone(), format!("[FIRING:1] {text}"), format!("Triggered: {text}")] {
            if let Some(alert) = alert(&json!({"bot_id": "B1", "text": text}), "C1") {
                assert_is_bounded(&alert);
            }
        }
    }
}
