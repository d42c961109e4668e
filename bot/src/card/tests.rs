use clew_adapters::chat::text::plain;
use serde_json::json;

use super::*;
use crate::incident::{Actor, Counters, Earlier, IncidentId, Resolution, Verdict};

fn at(minute: i64) -> Time {
    chrono::DateTime::UNIX_EPOCH + chrono::Duration::minutes(minute)
}

fn verdict() -> Value {
    json!({
        "candidates": [
            { "id": "disk_full", "root_cause": "Disk full", "probability": 0.93 },
            { "id": "storage_failure", "root_cause": "Storage failure", "probability": 0.04 },
        ],
        "evidence": [{ "line": 3, "text": "PANIC: could not write: No space left on device" }],
        "anomalies": [{ "line": 3, "text": "PANIC: could not write: No space left on device" }],
        "recommended_actions": [
            { "action": "See what is full: `df -h`", "risk": "safe" },
            { "action": "Remove old WAL", "risk": "destructive" },
        ],
        "similar_incidents": [{ "id": "pg", "summary": "PostgreSQL volume full", "resolution": "Grew the volume" }],
        "counts": { "lines": 6, "templates": 5 },
        "timings_ms": { "total": 41.6 },
        "redactions": { "password": 1 },
    })
}

fn incident() -> Incident {
    Incident {
        service: Some("shop".into()),
        counters: Counters { alerts: 3, firing: 2, notifications: 5, omitted: 0, pastes: 1 },
        verdict: Some(Verdict {
            root_cause_id: "disk_full".into(),
            root_cause: "Disk full".into(),
            confidence: 0.93,
            rests_on: RestsOn::Logs,
        }),
        sources: ["alertmanager".to_owned()].into(),
        ..Incident::new(IncidentId(12), "DiskFull on db-1", Severity::Critical, at(0))
    }
}

/// The card as somebody reads it.
fn read(incident: &Incident, verdict: &Value, now: Time) -> String {
    let card = of(incident, Some(verdict), now, &|_| None);
    let mut lines = vec![format!("[{:?}] {}", card.tone, card.title)];
    lines.extend(card.lead.iter().map(plain));
    lines.extend(card.facts.iter().map(|(name, value)| format!("{name}: {}", plain(value))));
    for section in &card.sections {
        lines.push(format!("# {}", section.heading));
        for item in &section.items {
            lines.push(format!("- {} | {}", plain(&item.text), item.quote.as_deref().unwrap_or("")));
        }
    }
    for control in &card.controls {
        let fields: Vec<&str> = control.fields.iter().map(|field| field.name.as_str()).collect();
        lines.push(format!("({}: {}) {} choices {fields:?}", control.label, control.command, control.choices.len()));
    }
    lines.push(card.footer);
    lines.join("\n")
}

#[test]
fn an_open_incident() {
    insta::assert_snapshot!(read(&incident(), &verdict(), at(5)));
}

#[test]
fn one_that_rests_on_the_words_of_an_alert_and_was_seen_before() {
    let mut incident = incident();
    incident.verdict = incident.verdict.map(|verdict| Verdict { rests_on: RestsOn::AlertText, ..verdict });
    incident.opened_at = at(60 * 24 * 20);
    incident.earlier =
        Some(Earlier { count: 2, since: at(0), last: IncidentId(7), fixed_by: Some("grew the volume".into()) });
    insta::assert_snapshot!(read(&incident, &verdict(), at(60 * 24 * 20 + 5)));
}

#[test]
fn one_that_is_over_says_how_long_it_took_and_what_fixed_it() {
    let mut change = incident().change(&Actor::new("ada", "console"), at(90));
    change.correct("memory_exhaustion", "Memory exhaustion");
    change.resolve(Some(Resolution { cause: "A broken disk".into(), fix: "Replaced it".into() }));
    insta::assert_snapshot!(read(&change.end().0, &verdict(), at(95)));
}

#[test]
fn one_of_which_nothing_is_known() {
    let mut incident = incident();
    let known = Verdict {
        root_cause_id: "unknown".into(),
        root_cause: "Unknown or not enough data".into(),
        confidence: 0.4,
        rests_on: RestsOn::AlertText,
    };
    incident.verdict = Some(known);
    insta::assert_snapshot!(read(
        &incident,
        &json!({ "candidates": [
        { "id": "unknown", "root_cause": "Unknown or not enough data", "probability": 0.4 },
        { "id": "network_timeout", "root_cause": "Network timeout", "probability": 0.3 },
    ] }),
        at(1)
    ));
}
