#![allow(clippy::unwrap_used)] // a test that fails stops

use super::*;

fn at(minute: i64) -> Time {
    chrono::DateTime::UNIX_EPOCH + chrono::Duration::minutes(minute)
}

fn alert(labels: &[(&str, &str)], severity: Severity) -> Alert {
    Alert {
        source: "alertmanager".into(),
        fingerprint: "f".into(),
        group: None,
        status: AlertStatus::Firing,
        title: "Disk full".into(),
        text: String::new(),
        service: Some("shop".into()),
        severity: Some(severity),
        labels: labels.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect(),
        values: BTreeMap::new(),
        starts_at: None,
        ends_at: None,
        url: None,
        runbook_url: None,
        logs: Vec::new(),
    }
}

fn incident() -> Incident {
    Incident::new(IncidentId(7), "Disk full", Severity::Low, at(0))
}

fn kinds(events: &[Event]) -> Vec<EventKind> {
    events.iter().map(|event| event.kind).collect()
}

#[test]
fn the_last_alert_that_is_over_resolves_it_and_a_new_one_reopens_it() {
    let by = Actor::new("alertmanager", "alertmanager");
    let mut change = incident().change(&by, at(1));
    change.fires(&alert(&[("a", "1"), ("node", "x")], Severity::High));
    change.fires(&alert(&[("a", "1"), ("node", "y")], Severity::Critical));
    let (incident, _) = change.end();
    assert_eq!((incident.severity, incident.labels.len()), (Severity::Critical, 1));
    let mut change = incident.change(&by, at(2));
    change.is_over(&alert(&[], Severity::High), true);
    assert!(change.incident.is_active());
    change.is_over(&alert(&[], Severity::High), true);
    let (incident, events) = change.end();
    assert_eq!(incident.state, State::Resolved);
    assert_eq!(kinds(&events).last(), Some(&EventKind::Resolved));
    let mut change = incident.change(&by, at(3));
    change.fires(&alert(&[], Severity::Low));
    assert_eq!((change.incident.state, change.incident.reopened), (State::Open, 1));
}

#[test]
fn an_alert_that_goes_on_long_after_its_fix_was_merged_is_back() {
    let by = Actor::new("alertmanager", "alertmanager");
    let mut change = incident().change(&by, at(1));
    change.fires(&alert(&[], Severity::High));
    let pull = serde_json::json!({
        "repo": "acme/shop", "number": 5, "url": "", "title": "", "body": "", "branch": "", "into_default": true,
        "author": "", "state": "merged", "merged_by": null, "head": "", "commits": [], "checks": "none",
        "review": "none", "updated_at": "",
    });
    let linked = serde_json::json!({ "pull": pull, "fixes": true, "reverted_by": null });
    change.incident.followed.pulls.push(serde_json::from_value(linked).unwrap());
    change.resolve(None);
    let (resolved, _) = change.end();
    let mut change = resolved.clone().change(&by, at(30));
    assert!(!change.still_fires(), "it may not be deployed yet");
    let mut change = resolved.change(&by, at(90));
    assert!(change.still_fires());
    assert_eq!(change.incident.state, State::Open);
}

#[test]
fn what_comes_and_goes_is_said_once() {
    let by = Actor::bot();
    let (mut incident, mut said) = (incident(), 0);
    for minute in 0..20 {
        let mut change = incident.change(&by, at(minute));
        if minute % 2 == 0 {
            change.resolve(None);
        } else {
            change.reopen();
        }
        let (next, events) = change.end();
        said += events.iter().filter(|event| event.kind == EventKind::Flapping).count();
        incident = next;
    }
    assert_eq!((said, incident.flapping), (1, true));
}

#[test]
fn a_storm_is_counted_and_a_person_has_the_last_word_on_severity() {
    let mut change = incident().change(&Actor::bot(), at(1));
    change.set_severity(Severity::Low);
    for _ in 0..10_000 {
        change.fires(&alert(&[], Severity::Critical));
    }
    let (incident, events) = change.end();
    assert_eq!((incident.counters.alerts, incident.severity), (10_000, Severity::Low));
    assert!(events.len() < 100, "{}", events.len());
}

#[test]
fn a_clock_that_is_set_back_never_goes_below_what_was() {
    let mut change = incident().change(&Actor::bot(), at(60));
    change.acknowledge();
    let (incident, _) = change.end();
    let mut change = incident.change(&Actor::bot(), at(1));
    change.resolve(None);
    let (incident, _) = change.end();
    assert_eq!(incident.resolved_at, Some(at(60)));
}

#[test]
fn an_incident_is_called_by_its_number() {
    for text in ["INC-12", " inc-12", "#12", "12"] {
        assert_eq!(text.parse(), Ok(IncidentId(12)));
    }
    assert!("twelve".parse::<IncidentId>().is_err_and(|e| e.contains("INC-12")));
}
