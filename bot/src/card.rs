//! An incident as a card: everything that the bot shows about it. Pure.

use clew_adapters::alerts::Severity;
use clew_adapters::chat::{Card, Control, Field, Item, Rich, Section, Span, Style, Tone};
use clew_pipeline::root_cause::label::{LABELS, LabelIndex, by_id};
use serde_json::Value;

use crate::clock::{self, Time};
use crate::incident::{Incident, RestsOn, State};
use crate::words;

/// Evidence lines on a card.
const EVIDENCE: usize = 4;
/// Next steps on a card.
const STEPS: usize = 4;
/// Similar entries on a card.
const SIMILAR: usize = 3;
/// Labels on a card.
const LABELS_SHOWN: usize = 6;

/// The card of an incident with its whole verdict, as it is at `now`.
#[must_use]
pub fn of(incident: &Incident, verdict: Option<&Value>, now: Time) -> Card {
    let nothing = Value::Null;
    let verdict = verdict.unwrap_or(&nothing);
    let sections = [evidence(incident, verdict), steps(verdict), similar(incident, verdict)];
    Card {
        tone: tone(incident),
        title: format!("{} · {}", incident.id, incident.title),
        lead: lead(incident, verdict, now),
        facts: facts(incident, now),
        sections: sections.into_iter().flatten().collect(),
        controls: controls(incident, verdict),
        footer: footer(incident, verdict),
    }
}

fn tone(incident: &Incident) -> Tone {
    match (incident.state, incident.severity) {
        (State::Resolved, _) => Tone::Good,
        (State::Mitigated, _) => Tone::Neutral,
        (_, Severity::Critical | Severity::High) => Tone::Bad,
        _ => Tone::Warning,
    }
}

fn lead(incident: &Incident, verdict: &Value, now: Time) -> Vec<Rich> {
    let mut lead = vec![state(incident, now)];
    lead.extend(root_cause(incident, verdict));
    lead.extend(incident.verdict.as_ref().and_then(words::rests_on).filter(|_| incident.is_active()));
    if let Some(resolution) = &incident.resolution {
        for (what, said) in [("What it was: ", &resolution.cause), ("What fixed it: ", &resolution.fix)] {
            if !said.is_empty() {
                lead.push(vec![Span::Text(what.into()), Span::Strong(said.clone())]);
            }
        }
    }
    lead.extend(words::earlier(incident));
    if incident.flapping && incident.is_active() {
        let text = " — it comes and goes; this thread stays quiet about it.";
        lead.push(vec![Span::Strong("Flapping".into()), Span::Text(text.into())]);
    }
    lead
}

/// Where it is in its life, with whom, and since when.
fn state(incident: &Incident, now: Time) -> Rich {
    let took = clock::duration(incident.duration(now));
    let owner = incident.owner.as_ref().map(|owner| format!(" · {owner}")).unwrap_or_default();
    let when = match incident.state {
        State::Resolved => format!(" after {took}"),
        State::Open => format!(" since {}", clock::in_words(incident.opened_at)),
        _ => format!(" · opened {}", clock::in_words(incident.opened_at)),
    };
    let mut name = incident.state.name().to_owned();
    if let Some(first) = name.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    vec![Span::Strong(name), Span::Text(format!("{when} · {}{owner}", incident.severity.name()))]
}

fn root_cause(incident: &Incident, verdict: &Value) -> Vec<Rich> {
    let Some(known) = &incident.verdict else { return Vec::new() };
    if let Some(label) = incident.corrected.as_deref().and_then(by_id) {
        let said = format!(" — as a person says; the verdict was {} ({})", known.root_cause, words::percent(known));
        return vec![vec![
            Span::Text("Root cause: ".into()),
            Span::Strong(LABELS[label].title.into()),
            Span::Text(said),
        ]];
    }
    let leading = verdict["candidates"][0]["id"].as_str().unwrap_or(&known.root_cause_id);
    let stands_out = verdict["anomalies"].as_array().is_some_and(|anomalies| !anomalies.is_empty());
    let sure = words::how_sure(&known.root_cause_id, leading, known.confidence, stands_out);
    let mut said = vec![vec![
        Span::Text("Root cause: ".into()),
        Span::Strong(known.root_cause.clone()),
        Span::Text(format!(" — {sure}")),
    ]];
    if known.root_cause_id == "unknown" {
        let nearest: Vec<String> = verdict["candidates"]
            .as_array()
            .into_iter()
            .flatten()
            .filter(|candidate| candidate["id"] != "unknown")
            .take(2)
            .filter_map(|candidate| {
                let percent = candidate["probability"].as_f64()? * 100.0;
                (percent >= 3.0).then(|| format!("{} {percent:.0} %", candidate["root_cause"].as_str().unwrap_or("")))
            })
            .collect();
        if !nearest.is_empty() {
            said.push(words::plain(format!("Nearest misses: {}", nearest.join(", "))));
        }
    }
    said
}

fn facts(incident: &Incident, now: Time) -> Vec<(String, Rich)> {
    let mut facts = Vec::new();
    if let Some(service) = &incident.service {
        facts.push(("Service".to_owned(), words::plain(service)));
    }
    let counters = &incident.counters;
    if counters.alerts > 0 {
        let mut text = format!("{} firing of {}", counters.firing, counters.alerts);
        if counters.omitted > 0 {
            text = format!("{text}, and {} that the sender left out", counters.omitted);
        }
        facts.push(("Alerts".to_owned(), words::plain(text)));
    }
    if incident.reopened > 0 {
        let times = if incident.reopened == 1 { "once".to_owned() } else { format!("{} times", incident.reopened) };
        facts.push(("Came back".to_owned(), words::plain(times)));
    }
    let acknowledged = incident.acknowledged_at.map(|at| clock::duration(at.min(now) - incident.opened_at));
    facts.extend(acknowledged.map(|took| ("Taken on after".to_owned(), words::plain(took))));
    if !incident.values.is_empty() {
        let values: Vec<String> = incident.values.iter().map(|(name, value)| format!("{name} = {value}")).collect();
        facts.push(("When it fired".to_owned(), vec![Span::Code(values.join(", "))]));
    }
    let said = |key: &String| key != "alertname" && key != "severity" && key != "service";
    let labels: Vec<String> = incident
        .labels
        .iter()
        .filter(|(key, _)| said(key))
        .take(LABELS_SHOWN)
        .map(|(key, value)| format!("{key}={value}"))
        .collect();
    if !labels.is_empty() {
        facts.push(("Labels".to_owned(), vec![Span::Code(labels.join(" "))]));
    }
    let links: Vec<Span> = incident
        .links
        .iter()
        .flat_map(|(text, url)| [Span::Link { text: text.clone(), url: url.clone() }, Span::Text(" ".into())])
        .collect();
    if !links.is_empty() {
        facts.push(("Links".to_owned(), links));
    }
    facts
}

fn evidence(incident: &Incident, verdict: &Value) -> Option<Section> {
    let unknown = incident.verdict.as_ref().is_none_or(|verdict| verdict.root_cause_id == "unknown");
    let (list, heading) = match (verdict["evidence"].as_array(), unknown) {
        (Some(lines), false) if !lines.is_empty() => (lines, "Evidence"),
        (Some(lines), true) if !lines.is_empty() => (lines, "Nearest evidence"),
        _ => (verdict["anomalies"].as_array()?, "What stands out"),
    };
    let from_alert = incident.verdict.as_ref().is_some_and(|verdict| verdict.rests_on == RestsOn::AlertText);
    let items: Vec<Item> = list
        .iter()
        .take(EVIDENCE)
        .filter_map(|line| {
            let quote = line["text"].as_str()?.to_owned();
            let text = match line["line"].as_u64() {
                Some(number) if !from_alert => words::plain(format!("line {number}")),
                _ => Vec::new(),
            };
            Some(Item { text, quote: Some(quote) })
        })
        .collect();
    let heading = if from_alert { format!("{heading} (words of the alert)") } else { heading.to_owned() };
    (!items.is_empty()).then_some(Section { heading, items })
}

fn steps(verdict: &Value) -> Option<Section> {
    let items: Vec<Item> = verdict["recommended_actions"]
        .as_array()?
        .iter()
        .take(STEPS)
        .filter_map(|step| {
            let risk = step["risk"].as_str().filter(|risk| *risk != "safe");
            let mut text: Rich = risk.map(|risk| Span::Strong(format!("[{risk}] "))).into_iter().collect();
            text.extend(with_code(step["action"].as_str()?));
            Some(Item { text, quote: None })
        })
        .collect();
    (!items.is_empty()).then(|| Section { heading: "Next steps".into(), items })
}

fn similar(incident: &Incident, verdict: &Value) -> Option<Section> {
    let own = incident.id.to_string();
    let items: Vec<Item> = verdict["similar_incidents"]
        .as_array()?
        .iter()
        .filter(|hit| hit["id"] != own.as_str())
        .take(SIMILAR)
        .filter_map(|hit| {
            let mut text = vec![Span::Strong(hit["summary"].as_str()?.to_owned())];
            match hit["resolution"].as_str().filter(|fix| !fix.is_empty()) {
                Some(fix) => {
                    text.push(Span::Text(" — fixed by: ".into()));
                    text.extend(with_code(fix));
                }
                None => text.push(Span::Text(format!(" [{}]", hit["id"].as_str().unwrap_or_default()))),
            }
            Some(Item { text, quote: None })
        })
        .collect();
    (!items.is_empty()).then(|| Section { heading: "Known failures like this".into(), items })
}

/// A sentence with its commands, which stand in backticks.
fn with_code(sentence: &str) -> Rich {
    let pieces = sentence.split('`').enumerate().filter(|(_, piece)| !piece.is_empty());
    pieces
        .map(|(place, piece)| if place % 2 == 1 { Span::Code(piece.to_owned()) } else { Span::Text(piece.to_owned()) })
        .collect()
}

fn controls(incident: &Incident, verdict: &Value) -> Vec<Control> {
    let id = incident.id;
    let button = |label: &str, command: &str, style: Style| Control {
        label: label.to_owned(),
        command: format!("{command} {id}"),
        style,
        choices: Vec::new(),
        fields: Vec::new(),
    };
    let field = |name: &str, label: &str, value: &str| Field {
        name: name.to_owned(),
        label: label.to_owned(),
        multiline: true,
        value: value.to_owned(),
    };
    if !incident.is_active() {
        return vec![button("Reopen", "reopen", Style::Plain)];
    }
    let mut controls = Vec::new();
    if incident.state == State::Open {
        controls.push(button("Acknowledge", "acknowledge", Style::Primary));
    }
    if incident.state != State::Mitigated {
        controls.push(button("Mitigated", "mitigate", Style::Plain));
    }
    let known = incident.resolution.clone();
    let (cause, fix) = known.map_or_else(Default::default, |known| (known.cause, known.fix));
    controls.push(Control {
        fields: vec![
            field("cause", "What was it?", &cause),
            field("fix", "What fixed it? It becomes knowledge.", &fix),
        ],
        ..button("Resolve", "resolve", Style::Danger)
    });
    if incident.verdict.is_some() {
        controls.push(Control { choices: causes(incident, verdict), ..button("Wrong cause", "wrong", Style::Plain) });
    }
    controls
}

/// The root causes to choose from, the most probable first.
fn causes(incident: &Incident, verdict: &Value) -> Vec<(String, String)> {
    let named = incident.verdict.as_ref().map(|verdict| verdict.root_cause_id.as_str());
    let candidates = verdict["candidates"].as_array().into_iter().flatten();
    let mut labels: Vec<LabelIndex> =
        candidates.filter_map(|candidate| candidate["id"].as_str().and_then(by_id)).collect();
    let rest: Vec<LabelIndex> = (0..LABELS.len()).filter(|label| !labels.contains(label)).collect();
    labels.extend(rest);
    labels
        .into_iter()
        .filter(|label| Some(LABELS[*label].id) != named && LABELS[*label].id != "unknown")
        .map(|label| (LABELS[label].title.to_owned(), format!("wrong {} {}", incident.id, LABELS[label].id)))
        .collect()
}

fn footer(incident: &Incident, verdict: &Value) -> String {
    let mut parts = Vec::new();
    if incident.counters.pastes > 0 || incident.verdict.as_ref().is_some_and(|v| v.rests_on == RestsOn::Logs) {
        for (name, word) in [("lines", "lines"), ("templates", "templates")] {
            parts.extend(verdict["counts"][name].as_u64().map(|count| format!("{count} {word}")));
        }
    }
    parts.extend(verdict["timings_ms"]["total"].as_f64().map(|millis| format!("{millis:.0} ms")));
    let redacted: u64 = verdict["redactions"].as_object().into_iter().flatten().filter_map(|(_, n)| n.as_u64()).sum();
    if redacted > 0 {
        parts.push(format!("{redacted} redacted"));
    }
    let sources: Vec<&str> = incident.sources.iter().map(String::as_str).collect();
    if !sources.is_empty() {
        parts.push(format!("from {}", sources.join(", ")));
    }
    parts.join(" · ")
}

#[cfg(test)]
mod tests {
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
        let card = of(incident, Some(verdict), now);
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
            lines.push(format!(
                "({}: {}) {} choices {fields:?}",
                control.label,
                control.command,
                control.choices.len()
            ));
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
}
