//! All formats against the requests in `tests/fixtures/alerts`: what is made of them, and that nothing breaks them.
#![allow(clippy::unwrap_used)] // a test that fails stops

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};

use super::*;

mod hostile;
mod signatures;

/// A request, as a file of fixtures has it.
#[derive(Clone, Default)]
struct Sent {
    headers: BTreeMap<String, String>,
    query: BTreeMap<String, String>,
    settings: BTreeMap<String, String>,
    body: Vec<u8>,
}

impl Sent {
    fn new(body: &Value) -> Self {
        Self { body: body.to_string().into_bytes(), ..Self::default() }
    }

    fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.insert(name.to_ascii_lowercase(), value.to_owned());
        self
    }

    fn setting(mut self, name: &str, value: &str) -> Self {
        self.settings.insert(name.to_owned(), value.to_owned());
        self
    }

    fn with<T>(&self, ask: impl FnOnce(&Request) -> T) -> T {
        ask(&Request {
            header: &|name| self.headers.get(name).cloned(),
            query: &|name| self.query.get(name).cloned(),
            setting: &|name| self.settings.get(name).cloned(),
            body: &self.body,
        })
    }

    fn parse(&self, name: &str) -> Result<Delivery, ParseError> {
        self.with(|request| format(name).unwrap().parse(request))
    }

    fn is_signed(&self, name: &str, secret: &[u8], now: i64) -> Option<bool> {
        self.with(|request| format(name).unwrap().is_signed(request, secret, now))
    }
}

fn folder(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/alerts").join(name)
}

fn fixture(format: &str, name: &str) -> Sent {
    let path = folder(format).join(format!("{name}.json"));
    let file: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
    let part = |key: &str| -> BTreeMap<String, String> {
        file.get(key).map(|part| serde_json::from_value(part.clone()).unwrap()).unwrap_or_default()
    };
    let body = match file.get("text") {
        Some(text) => text.as_str().unwrap().as_bytes().to_vec(),
        None => file["body"].to_string().into_bytes(),
    };
    let headers = part("headers").into_iter().map(|(name, value)| (name.to_ascii_lowercase(), value)).collect();
    Sent { headers, query: part("query"), settings: part("settings"), body }
}

fn fixtures(format: &str) -> Vec<(String, Sent)> {
    let mut names: Vec<String> = fs::read_dir(folder(format))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|end| end == "json"))
        .map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned())
        .collect();
    names.sort();
    names.into_iter().map(|name| (name.clone(), fixture(format, &name))).collect()
}

#[test]
fn what_is_made_of_the_fixtures() {
    let mut seen = 0;
    for format in FORMATS {
        for (name, sent) in fixtures(format.name()) {
            let delivery = sent.parse(format.name()).unwrap();
            assert!(delivery.alerts.iter().all(|alert| alert.source == format.name()), "{name}");
            insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true }, {
                insta::assert_json_snapshot!(format!("{}_{name}", format.name()), delivery);
            });
            seen += 1;
        }
    }
    assert!(seen > 40, "only {seen} fixtures were found");
}

#[test]
fn names_are_one_word_and_unique() {
    let mut names: Vec<&str> = FORMATS.iter().map(|format| format.name()).collect();
    assert!(names.iter().all(|name| name.chars().all(|c| c.is_ascii_lowercase())));
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), 9);
    assert!(format("nagios").is_none());
}

#[test]
fn colours_of_a_terminal_leave_nothing_behind() {
    let body = "\u{1b}[1;31mERROR\u{1b}[0m disk is full\u{1b}\u{1b}[é".as_bytes().to_vec();
    let alert = Sent { body, ..Sent::default() }.parse("text").unwrap().alerts.remove(0);
    assert_eq!(alert.title, "ERROR disk is full[é");
}

#[test]
fn a_log_with_a_few_stray_zeros_is_text() {
    let body = b"ERROR could not connect to the database, too many clients\n\x00\xff\n".to_vec();
    let delivery = Sent { body, ..Sent::default() }.parse("text");
    assert!(delivery.is_ok_and(|delivery| delivery.alerts.len() == 1));
}

#[test]
fn what_is_something_else_is_refused_with_what_to_do() {
    for (name, body, said) in [
        ("alertmanager", json!({"alerts": {}}), "`alerts` must be a list"),
        ("grafana", json!({"ruleName": "x", "state": "alerting"}), "the body has `ruleName`, `state`"),
        ("datadog", json!({"secret": "hunter2"}), "`title` must be"),
        ("pagerduty", json!({"messages": []}), "version 1 or 2"),
        ("sentry", json!({"project": "x", "event": {}}), "internal integration"),
        ("opsgenie", json!({"action": "Create"}), "`alert` an object"),
        ("sns", json!({"AlarmName": "x"}), "raw message delivery"),
        ("generic", json!({"headline": "x"}), "set `generic.title`"),
        ("generic", json!("x"), "/webhooks/text"),
    ] {
        let error = Sent::new(&body).parse(name).unwrap_err().to_string();
        assert!(error.contains(said) && !error.contains("hunter2"), "{name}: {error}");
    }
    for format in FORMATS.iter().filter(|format| format.name() != "text") {
        let error = Sent { body: b"disk is full".to_vec(), ..Sent::default() }.parse(format.name()).unwrap_err();
        assert!(error.to_string().contains("is not JSON"), "{error}");
    }
    for body in [&b"\x1f\x8b\x08\x00binary"[..], b"", b"  \n "] {
        assert!(Sent { body: body.to_vec(), ..Sent::default() }.parse("text").is_err());
    }
}

#[test]
fn a_shrinking_group_is_another_delivery_and_a_retry_is_the_same() {
    let key = |name: &str| fixture("alertmanager", name).parse("alertmanager").unwrap().key.unwrap();
    let sent: Value = serde_json::from_slice(&fixture("alertmanager", "firing_group_grew").body).unwrap();
    let of = |body: &Value| Sent::new(body).parse("alertmanager").unwrap().key.unwrap();
    let first = of(&sent);
    let mut shrunk = sent.clone();
    shrunk["alerts"][0]["status"] = json!("resolved");
    assert_ne!(of(&shrunk), first, "the group's own status is still firing");
    let mut again = shrunk.clone();
    again["alerts"][0]["endsAt"] = json!("2026-11-23T11:00:00Z");
    assert_ne!(of(&again), of(&shrunk), "it ended another time");
    // What another peer may send otherwise.
    let mut peer = sent.clone();
    peer["alerts"].as_array_mut().unwrap().reverse();
    peer["externalURL"] = json!("http://peer.example");
    peer["alerts"][0]["endsAt"] = json!("2026-11-23T10:59:00Z");
    peer["alerts"][0]["startsAt"] = json!("2026-11-23T11:42:44+01:00");
    assert_eq!(of(&peer), first, "order, address, and when a firing one would end, do not matter");
    assert_ne!(key("firing_one"), key("firing_group_grew"));
    let mut elsewhere = sent.clone();
    elsewhere["receiver"] = json!("other");
    assert_ne!(of(&elsewhere), first);
    assert_ne!(Sent::new(&sent).parse("grafana").unwrap().key.unwrap(), first);
}

#[test]
fn firing_and_resolved_are_about_the_same() {
    for (format, one, other) in [
        ("alertmanager", "firing_group_grew", "resolved_all"),
        ("datadog", "triggered_all_variables", "recovered"),
        ("datadog", "default_payload", "default_payload_recovered"),
        ("pagerduty", "triggered", "resolved"),
        ("sentry", "issue_created", "issue_resolved"),
        ("sentry", "metric_alert_critical", "metric_alert_resolved"),
        ("opsgenie", "create", "close"),
        ("sns", "alarm_v1", "ok_v2"),
        ("generic", "unmapped", "resolved_same_alert"),
    ] {
        let [one, other] = [one, other].map(|name| fixture(format, name).parse(format).unwrap());
        let about = |delivery: &Delivery| -> Vec<_> {
            delivery.alerts.iter().map(|alert| (alert.fingerprint.clone(), alert.group.clone())).collect()
        };
        assert!(one.alerts.iter().all(|alert| alert.status == AlertStatus::Firing), "{format}");
        assert!(other.alerts.iter().all(|alert| alert.status == AlertStatus::Resolved), "{format}");
        assert!(!other.alerts.is_empty() && about(&other).iter().all(|it| about(&one).contains(it)), "{format}");
        assert!(one.key != other.key || one.key.is_none(), "{format}");
    }
}

#[test]
fn two_hosts_of_one_monitor_of_datadog_are_two_alerts() {
    let of = |host: &str| {
        let body = json!({"title": format!("[Triggered on {{host:{host}}}] Disk space"), "body": ""});
        Sent::new(&body).parse("datadog").unwrap().alerts.remove(0)
    };
    assert_ne!(of("a").fingerprint, of("b").fingerprint);
    assert_eq!(of("a").labels["host"], "a");
}

#[test]
fn the_address_overrides_what_a_generic_body_says() {
    let mut sent = fixture("generic", "unmapped");
    for (name, value) in [("title", "T"), ("service", "S"), ("severity", "P4"), ("status", "resolved")] {
        sent.query.insert(name.to_owned(), value.to_owned());
    }
    let alert = sent.parse("generic").unwrap().alerts.remove(0);
    assert_eq!((alert.title.as_str(), alert.service.as_deref()), ("T", Some("S")));
    assert_eq!((alert.severity, alert.status), (Some(Severity::Low), AlertStatus::Resolved));
}

#[test]
fn a_mapping_that_leads_nowhere_names_its_setting() {
    let sent = fixture("generic", "unmapped").setting("alerts", "data.items");
    assert!(sent.parse("generic").unwrap_err().to_string().contains("set `generic.alerts`"));
    let nested = Sent::new(&json!({"title": "outer", "alerts": [{"title": "inner"}]}));
    assert_eq!(nested.parse("generic").unwrap().alerts[0].title, "inner");
    assert_eq!(nested.setting("alerts", "").parse("generic").unwrap().alerts[0].title, "outer");
}

#[test]
fn labels_of_a_generic_alert_say_what_its_fields_do_not() {
    let body = json!({"title": "x", "labels": {"priority": "P2", "app": "shop"}});
    let alert = Sent::new(&body).parse("generic").unwrap().alerts.remove(0);
    assert_eq!((alert.severity, alert.service.as_deref()), (Some(Severity::High), Some("shop")));
    let other = json!({"title": "y", "labels": {"priority": "P2", "app": "shop"}});
    assert_ne!(Sent::new(&other).parse("generic").unwrap().alerts[0].fingerprint, alert.fingerprint);
}

#[test]
fn assigning_a_resolved_issue_of_sentry_does_not_bring_it_back() {
    let sent = fixture("sentry", "issue_assigned");
    let mut body: Value = serde_json::from_slice(&sent.body).unwrap();
    body["data"]["issue"]["status"] = json!("resolved");
    let sent = Sent { body: body.to_string().into_bytes(), ..sent };
    assert!(sent.parse("sentry").unwrap().alerts.is_empty());
}

#[test]
fn text_need_not_be_utf_8() {
    let sent = Sent { body: b"caf\xe9 is closed\r\nsecond".to_vec(), ..Sent::default() };
    let alert = sent.parse("text").unwrap().alerts.remove(0);
    assert_eq!(alert.title, "caf\u{fffd} is closed");
    assert_eq!(alert.logs, ["caf\u{fffd} is closed", "second"]);
    let long = Sent { body: "é".repeat(250).into_bytes(), ..Sent::default() };
    assert_eq!(long.parse("text").unwrap().alerts[0].title.chars().count(), 200);
}
