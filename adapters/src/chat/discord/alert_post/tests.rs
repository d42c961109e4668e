//! Posts of bots in `tests/fixtures/discord/posts`: what is made of the alerts, that chatter stays chatter, and that nothing
//! breaks the reading.
#![allow(clippy::unwrap_used)] // a test that fails stops

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::alerts::{AlertStatus, Severity};
use crate::chat::alert_post::fixtures::{self, assert_are_one, assert_is_bounded, replace};

fn posts(kind: &str) -> Vec<(String, Value)> {
    fixtures::posts(&format!("discord/posts/{kind}"))
}

fn post(name: &str) -> Alert {
    alert(&fixtures::post("discord/posts/alerts", name), "C1").unwrap()
}

/// What a webhook posts.
fn by_webhook(content: &str, embeds: &Value) -> Value {
    json!({"webhook_id": "1", "author": {"username": "Captain Hook", "bot": true}, "content": content, "embeds": embeds})
}

#[test]
fn what_is_made_of_alerts() {
    let posts = posts("alerts");
    assert!(posts.len() > 50, "only {} posts were found", posts.len());
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
    assert!(posts.len() > 40, "only {} posts were found", posts.len());
    let alerts: Vec<String> =
        posts.iter().filter(|(_, post)| alert(post, "C1").is_some()).map(|(name, _)| name.clone()).collect();
    assert_eq!(alerts, Vec::<String>::new());
}

#[test]
fn posts_of_one_alert_are_about_the_same() {
    for (names, statuses) in [
        (&["alertmanager_firing", "alertmanager_resolved"][..], "FR"),
        (&["bridge_firing", "bridge_resolved"], "FR"),
        (&["grafana_firing", "grafana_resolved"], "FR"),
        (&["uptime_kuma_down", "uptime_kuma_up"], "FR"),
        (&["uptime_kuma_template_down", "uptime_kuma_template_up"], "FR"),
        (&["uptime_robot_down", "uptime_robot_up"], "FR"),
        (&["better_stack_started", "better_stack_acknowledged", "better_stack_resolved"], "FAR"),
        (&["healthchecks_down", "healthchecks_up"], "FR"),
        (&["statuscake_down", "statuscake_up"], "FR"),
        (&["gatus_triggered", "gatus_resolved"], "FR"),
        (&["beszel_down", "beszel_up"], "FR"),
        (&["beszel_above", "beszel_below"], "FR"),
        (&["sentry_metric_critical", "sentry_metric_resolved"], "FR"),
        (&["datadog_triggered", "datadog_recovered"], "FR"),
        (&["pagerduty_triggered", "pagerduty_acknowledged", "pagerduty_resolved"], "FAR"),
        (&["zabbix_problem", "zabbix_ok"], "FR"),
        (&["netdata_critical", "netdata_warning", "netdata_recovered"], "FFR"),
        (&["checkmk_problem", "checkmk_acknowledged", "checkmk_recovery"], "FAR"),
        (&["own_bot_container", "own_bot_container_resolved"], "FR"),
    ] {
        let alerts: Vec<Alert> = names.iter().map(|name| post(name)).collect();
        assert_are_one(&alerts, statuses);
    }
}

#[test]
fn what_people_need_of_an_alert_is_found() {
    let alert = post("alertmanager_firing");
    assert_eq!((alert.title.as_str(), alert.source.as_str()), ("HighLatency", "alertmanager"));
    assert_eq!((alert.severity, alert.service.as_deref()), (Some(Severity::Critical), Some("checkout")));
    assert_eq!(alert.runbook_url.as_deref(), Some("https://runbooks.example/HighLatency"));
    assert!(alert.url.unwrap().starts_with("http://prometheus.shop.example:9090/graph"));

    let alert = post("uptime_kuma_down");
    assert_eq!((alert.title.as_str(), alert.service.as_deref()), ("Shop", Some("Shop")));
    assert_eq!((alert.severity, alert.url.as_deref()), (Some(Severity::High), Some("https://shop.example/health")));
    assert_eq!(alert.starts_at.as_deref(), Some("2026-03-05T08:14:50Z"));
    assert_eq!(post("uptime_kuma_up").ends_at.as_deref(), Some("2026-03-05T08:27:00.120Z"));

    let alert = post("own_bot_container");
    assert_eq!((alert.title.as_str(), alert.service.as_deref()), ("Checkout fails", Some("checkout")));
    assert_eq!(alert.url.as_deref(), Some("https://monitor.shop.example/alerts/31"));
    assert_eq!(alert.runbook_url.as_deref(), Some("https://runbooks.example/checkout"));

    let alert = post("own_bot_markdown");
    assert_eq!((alert.title.as_str(), alert.severity), ("Payments fail", Some(Severity::Critical)));
    assert_eq!((alert.status, alert.logs.len()), (AlertStatus::Firing, 2));
}

#[test]
fn buttons_below_a_message_without_words_are_of_its_embed() {
    assert_eq!(post("uptime_kuma_buttons").url.as_deref(), Some("https://kuma.shop.example/dashboard/4"));
}

#[test]
fn posts_of_other_channels_are_other_alerts() {
    let post = fixtures::post("discord/posts/alerts", "grafana_firing");
    assert_ne!(alert(&post, "C1").unwrap().fingerprint, alert(&post, "C2").unwrap().fingerprint);
}

#[test]
fn sentences_that_begin_like_alerts_need_more() {
    let said = |text: &str, color: u32| {
        let embeds =
            if color == 0 { json!([]) } else { json!([{"type": "rich", "description": "words", "color": color}]) };
        alert(&by_webhook(text, &embeds), "C1").is_some()
    };
    for (text, plain, red) in [
        ("**[FIRING:1]** Disk is full", true, true),
        ("# 🚨 Triggered: Disk is full", true, true),
        ("DOWN: shop.example", true, true),
        ("Triggered: nightly build", false, false),
        ("[CRITICAL] Disk is full", false, true),
        ("**Critical:** Disk is full", false, true),
        ("Disk of db-1 is down", false, true),
        ("<:fire:1> Disk is full", false, false),
        ("Disk is full", false, false),
        ("Critical: release of shop is late", false, false),
        ("All is well", false, false),
    ] {
        assert_eq!((said(text, 0), said(text, 15_548_997)), (plain, red), "{text}");
    }
}

#[test]
fn only_what_bots_say_by_themselves_counts() {
    let post = by_webhook("[FIRING:1] Disk is full", &json!([]));
    assert!(alert(&post, "C1").is_some());
    for (key, value) in [
        ("type", json!(7)),
        ("type", json!(19)),
        ("flags", json!(2)),
        ("interaction_metadata", json!({"id": "1"})),
        ("author", json!({"username": "ada"})),
    ] {
        let mut changed = post.clone();
        changed[key] = value.clone();
        if key == "author" {
            changed["webhook_id"] = Value::Null;
        }
        assert!(alert(&changed, "C1").is_none(), "{key}: {value}");
    }
}

#[test]
fn colours_may_be_text_and_black_is_none() {
    let color = |value: Value| super::color(Some(&value));
    assert_eq!(color(json!(0x99_2D22)), Some(Look::Red));
    assert_eq!(color(json!("3066993")), Some(Look::Green));
    assert_eq!([json!(0), json!(-1), json!(1_u64 << 40), json!("red"), Value::Null].map(color), [None; 5]);
}

#[test]
fn hostile_posts_take_no_time() {
    for piece in [
        "<",
        "`",
        "``a`",
        "[",
        "[a](",
        "*",
        "**a",
        "~~",
        "__a",
        "\\",
        "http://a)",
        ")",
        "(a=\"b\" ",
        ":a:",
        "🔥",
        "@a ",
        "P1: ",
        "**a:** b\n",
        "[FIRING] ",
        "[x](https://x) ",
        "```a",
        "> ",
        "your service ",
        "“",
        ", `",
    ] {
        let text = piece.repeat(300_000 / piece.len());
        let embed =
            json!({"title": text, "color": 0x99_2D22, "description": text, "fields": [{"name": text, "value": text}]});
        if let Some(alert) = alert(&by_webhook(&text, &json!([embed])), "C1") {
            assert_is_bounded(&alert);
        }
    }
}

/// Names and values that mean something to the reader, and others.
fn anything() -> impl Strategy<Value = Value> {
    const KEYS: &str = "type|content|embeds|components|fields|title|description|url|color|accent_color|footer|author|name|\
                        value|text|label|accessory|timestamp|bot|username|webhook_id|flags|referenced_message|x";
    const WORDS: [&str; 12] = [
        "[FIRING:3] a (b=\"c\" d=\"e\")",
        "**Labels:**\n • **severity:** `critical`\n - a = b",
        "[é](https://x) <@1> <t:99999999999999:R> `<",
        "Triggered: [P1] x ```log",
        "Your service é went down. ❌",
        "{a=\"",
        "[[[(:::",
        "# [x] [🔴 Down] é",
        "**Severity:** high",
        "rich",
        "2026-03-05T08:14:50Z",
        "https://x.example",
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (0_u64..20).prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        ".{0,30}".prop_map(Value::from),
        proptest::collection::vec(proptest::sample::select(&WORDS[..]), 1..4).prop_map(|lines| lines.join("\n").into()),
    ];
    leaf.prop_recursive(5, 60, 6, |inner| {
        let keys = proptest::sample::select(KEYS.split('|').map(str::to_owned).collect::<Vec<_>>());
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            proptest::collection::btree_map(keys, inner, 0..8)
                .prop_map(|fields| fields.into_iter().collect::<serde_json::Map<_, _>>().into()),
        ]
    })
}

proptest! {
    #[test]
    fn no_json_breaks_the_reading(post in anything(), embeds in proptest::collection::vec(anything(), 0..3)) {
        let mut whole = by_webhook("[FIRING:1] x", &Value::from(embeds));
        whole["components"] = json!([post.clone()]);
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
    fn no_text_breaks_the_reading(text in r"[a-z P1\[\]:|<>`*_~#\\🔥é()=\x22{}\n•-]{0,60}") {
        for text in [text.clone(), format!("[FIRING:1] {text}"), format!("Triggered: {text}")] {
            if let Some(alert) = alert(&by_webhook(&text, &json!([{"title": text, "description": text}])), "C1") {
                assert_is_bounded(&alert);
            }
        }
    }

    #[test]
    fn words_without_marks_stay_as_they_are(text in "[a-zA-Z0-9 .,:;()%é-]{0,60}") {
        prop_assume!(!text.contains("http"));
        prop_assert_eq!(markdown::plain(&text), text.trim());
    }
}
