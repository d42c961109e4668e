use clew_adapters::chat::text::plain;
use serde_json::json;

use super::*;
use clew_adapters::code::{Checks, Pull, PullState, Review};
use clew_adapters::trackers::{Account, Category, Ticket};

use crate::incident::{Actor, Counters, Earlier, IncidentId, Resolution, Verdict};
use crate::incident::{LinkedPull, LinkedTicket, Trouble};

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
            is_code_related: false,
        }),
        sources: ["alertmanager".to_owned()].into(),
        ..Incident::new(IncidentId(12), "DiskFull on db-1", Severity::Critical, at(0))
    }
}

/// The card as somebody reads it.
fn read(incident: &Incident, verdict: &Value, now: Time) -> String {
    let around = Around { links: &|_| None, trackers: vec![("ops", "Ops ticket")], asks_for_ticket: true };
    let card = of(incident, Some(verdict), now, &around);
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
        is_code_related: false,
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

fn ticket(category: Category) -> LinkedTicket {
    let ada = Account { id: "5b10".into(), name: "Ada Lovelace".into() };
    let ticket = Ticket {
        key: "OPS-12".into(),
        url: "https://acme.example/browse/OPS-12".into(),
        title: "DiskFull on db-1".into(),
        status: "In Review".into(),
        category,
        resolution: None,
        assignee: Some(ada),
        created_at: String::new(),
        updated_at: String::new(),
    };
    let owner = Some("Ada Lovelace (last 3 commits to shop/cart.py)".to_owned());
    LinkedTicket { ticket: Some(ticket), owner, comments: 2, ..LinkedTicket::wanted(&Actor::new("bob", "chat"), at(1)) }
}

fn pull(state: PullState) -> LinkedPull {
    let pull = Pull {
        repo: "acme/shop".into(),
        number: 123,
        url: "https://code.example/acme/shop/pull/123".into(),
        title: "Close the files".into(),
        body: String::new(),
        branch: "ops-12".into(),
        into_default: true,
        author: "ada".into(),
        state,
        merged_by: None,
        head: "c0ffee".into(),
        commits: Vec::new(),
        checks: Checks::Failed(vec!["unit tests".into(), "lint".into()]),
        review: Review::Approved,
        over_at: None,
        updated_at: String::new(),
    };
    LinkedPull { pull, fixes: true, reverted_by: None }
}

#[test]
fn one_whose_cause_is_in_the_code_asks_for_a_ticket() {
    let mut incident = incident();
    incident.verdict = incident.verdict.map(|verdict| Verdict { is_code_related: true, ..verdict });
    insta::assert_snapshot!(read(&incident, &verdict(), at(5)));
}

#[test]
fn one_whose_ticket_cannot_be_opened_yet_says_why_and_when_it_is_tried_again() {
    let mut incident = incident();
    let trouble = Trouble { why: "the tracker answers 503".into(), next: Some(at(14 * 60 + 2)) };
    let linked = LinkedTicket { trouble: Some(trouble), ..LinkedTicket::wanted(&Actor::bot(), at(1)) };
    incident.followed.tickets.insert("ops".into(), linked);
    insta::assert_snapshot!(read(&incident, &verdict(), at(5)));
}

#[test]
fn one_with_a_ticket_and_a_pull_request() {
    let mut incident = incident();
    incident.followed.tickets.insert("ops".into(), ticket(Category::InProgress));
    incident.followed.pulls.push(pull(PullState::Open));
    insta::assert_snapshot!(read(&incident, &verdict(), at(5)));
}

#[test]
fn one_whose_fix_waits_for_the_deployment() {
    let mut incident = incident();
    incident.followed.tickets.insert("ops".into(), ticket(Category::Done));
    incident.followed.pulls.push(pull(PullState::Merged));
    insta::assert_snapshot!(read(&incident, &verdict(), at(5)));
}

#[test]
fn one_that_came_back_after_its_fix() {
    let mut incident = incident();
    incident.followed.tickets.insert("ops".into(), ticket(Category::Done));
    incident.followed.pulls.push(pull(PullState::Merged));
    incident.reopened = 1;
    insta::assert_snapshot!(read(&incident, &verdict(), at(5)));
}
