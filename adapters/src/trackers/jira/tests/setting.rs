//! Settings, queries, times.

use std::time::Duration;

use super::settings;
use crate::alerts::Severity;
use crate::trackers::jira::answers::{is_key, time, time_of_answer};
use crate::trackers::jira::search::{by_change, by_marker};
use crate::trackers::jira::settings::Deployment;

#[test]
fn settings_are_read() {
    let settings = settings(&[
        ("deployment", "Server"),
        ("priorities", "critical=Highest, high = High, low="),
        ("labels", "on call, sre"),
        ("fields", r#"{"customfield_10020": {"value": "Payments"}}"#),
        ("accounts", "Ada=712020:a-b, @bob=bob@acme.example"),
    ])
    .unwrap();
    assert_eq!(settings.url, "https://acme.atlassian.net");
    assert_eq!(settings.deployment, Some(Deployment::Server));
    assert_eq!(settings.priorities.get(&Severity::High).map(String::as_str), Some("High"));
    assert_eq!(settings.priorities.get(&Severity::Low), None);
    assert_eq!(settings.labels, ["on-call", "sre"]);
    assert_eq!(settings.fields["customfield_10020"]["value"], "Payments");
    assert_eq!(settings.accounts["ada"], "712020:a-b");
    assert_eq!(settings.accounts["bob"], "bob@acme.example");
    assert!(!format!("{settings:?}").contains("t0k"), "no secret is shown");
}

#[test]
fn a_wrong_setting_is_named() {
    for (key, value, expected) in [
        ("url", "http://jira.acme.example", "jira.url: plain http is allowed only on this machine; use https"),
        ("url", " ", "jira.url: is not set (JIRA_URL)"),
        ("token", "a\nb", "jira.token: is no token: it has line breaks or the like in it (JIRA_TOKEN)"),
        ("project", "ops", "jira.project: \"ops\" is no key of a project: capital letters, digits and _, e.g. OPS"),
        ("project", "OPS\" OR project = \"HR", "jira.project: \"OPS\\\" OR project"),
        ("deployment", "datacentre", "jira.deployment: \"datacentre\" is neither \"cloud\" nor \"server\""),
        ("priorities", "urgent=Highest", "jira.priorities: \"urgent\" is no severity"),
        ("priorities", "Highest", "jira.priorities: \"Highest\" has no \"=\""),
        ("fields", "[1]", "jira.fields: is no JSON object"),
        ("fields", "{", "jira.fields: is no JSON object"),
        ("fields", r#"{"labels": []}"#, "jira.fields: take \"labels\" out: set jira.labels instead"),
        ("done_fields", "true", "jira.done_fields: is no JSON object"),
        ("accounts", "ada", "jira.accounts: \"ada\" has no \"=\""),
        ("accounts", "ada=", "jira.accounts: \"ada=\" lacks one side"),
    ] {
        let told = settings(&[(key, value)]).unwrap_err();
        assert!(told.starts_with(expected), "{told}");
    }
}

#[test]
fn queries_hold_nothing_but_what_was_checked() {
    assert_eq!(
        by_marker("OPS", "clew-12ab").unwrap(),
        "project = \"OPS\" AND labels = \"clew-12ab\" ORDER BY created ASC"
    );
    for bad in ["", "a b", "a\"", "A", "ä", &"a".repeat(61)] {
        assert!(by_marker("OPS", bad).is_err(), "{bad}");
    }
    let minutes = |within| {
        let query = by_change("OPS", Duration::from_millis(within));
        query.split('-').nth(1).and_then(|rest| rest.split('m').next()).unwrap().parse::<u64>().unwrap()
    };
    assert_eq!(
        by_change("OPS", Duration::from_secs(61)),
        "project = \"OPS\" AND labels = \"clew\" AND updated >= -3m ORDER BY updated ASC"
    );
    assert_eq!([0, 1, 60_000, 60_001, 3_600_000].map(minutes), [1, 2, 2, 3, 61]);
}

#[test]
fn times_are_written_as_everybody_writes_them() {
    for (jira, expected) in [
        ("2026-11-28T10:00:00.000+0000", "2026-11-28T10:00:00.000Z"),
        ("2026-11-28T12:30:00.123+0230", "2026-11-28T10:00:00.123Z"),
        ("2026-11-28T02:00:00.5-0800", "2026-11-28T10:00:00.500Z"),
        ("2026-11-28T10:00:00+00:00", "2026-11-28T10:00:00.000Z"),
        ("2026-11-28T10:00:00Z", "2026-11-28T10:00:00.000Z"),
    ] {
        assert_eq!(time(jira).as_deref(), Some(expected));
    }
    assert_eq!(time("yesterday"), None);
    assert_eq!(time_of_answer(Some("Sat, 28 Nov 2026 10:00:00 GMT")), "2026-11-28T10:00:00.000Z");
    assert_eq!(time_of_answer(None), "1970-01-01T00:00:00.000Z");
}

#[test]
fn what_is_no_key_goes_into_no_address() {
    for good in ["OPS-1", "A1_B-99999999"] {
        assert!(is_key(good), "{good}");
    }
    for bad in ["", "OPS", "OPS-", "-1", "ops-1", "OPS-1/comment", "OPS-1?x", "../OPS-1", "OPS-1a", "O-1", "OPS-½"] {
        assert!(!is_key(bad), "{bad}");
    }
}
