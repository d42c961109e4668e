//! All that is known of an incident, for those who ask for more than its card shows. Pure.

use clew_adapters::chat::{Card, Item, Section, Span, Tone};
use serde_json::Value;

use super::with_code;
use crate::clock;
use crate::incident::{Event, Incident};
use crate::words;

/// Messages that the details take: one about the lines, one about the rest.
pub const DETAILS: usize = 2;
/// Lines, steps and events that are shown; the last message of an incident that is longer says that it is.
const LINES: usize = 20;
const EVENTS: usize = 25;

/// Message number `part` of the details.
#[must_use]
pub fn details(incident: &Incident, verdict: Option<&Value>, events: &[Event], part: usize) -> Card {
    let nothing = Value::Null;
    let verdict = verdict.unwrap_or(&nothing);
    let (title, sections) = match part {
        0 => ("what the lines say", vec![candidates(verdict), evidence(verdict), anomalies(verdict)]),
        _ => ("what to do, and what happened", vec![steps(verdict), knowledge(verdict), timeline(events)]),
    };
    Card {
        tone: Tone::Neutral,
        title: format!("{}: {title}", incident.id),
        lead: Vec::new(),
        facts: Vec::new(),
        sections: sections.into_iter().filter(|section| !section.items.is_empty()).collect(),
        controls: Vec::new(),
        footer: skipped(verdict),
    }
}

fn list<'a>(verdict: &'a Value, name: &str) -> impl Iterator<Item = &'a Value> {
    verdict[name].as_array().into_iter().flatten()
}

fn section(heading: &str, items: impl Iterator<Item = Item>) -> Section {
    Section { heading: heading.to_owned(), items: items.collect() }
}

fn candidates(verdict: &Value) -> Section {
    let items = list(verdict, "candidates").filter_map(|candidate| {
        let percent = candidate["probability"].as_f64()? * 100.0;
        let text = words::plain(format!("{} {percent:.0} %", candidate["root_cause"].as_str()?));
        Some(Item { text, quote: None })
    });
    section("Root causes that were weighed", items)
}

fn evidence(verdict: &Value) -> Section {
    let items = list(verdict, "evidence").take(LINES).filter_map(|line| {
        let words: Vec<&str> = list(line, "words").filter_map(Value::as_str).collect();
        let mut text = words::plain(line["line"].as_u64().map_or_else(String::new, |number| format!("line {number}")));
        if !words.is_empty() {
            text.push(Span::Text(format!(": {}", words.join(", "))));
        }
        Some(Item { text, quote: Some(line["text"].as_str()?.to_owned()) })
    });
    section("Evidence, with the words that tell", items)
}

fn anomalies(verdict: &Value) -> Section {
    let items = list(verdict, "anomalies").take(LINES).filter_map(|line| {
        let reasons: Vec<&str> = list(line, "reasons").filter_map(Value::as_str).collect();
        let number = line["line"].as_u64().map_or_else(String::new, |number| format!("line {number}: "));
        let text = words::plain(format!("{number}{}", reasons.join(", ")));
        Some(Item { text, quote: Some(line["text"].as_str()?.to_owned()) })
    });
    section("What stands out, and why", items)
}

fn steps(verdict: &Value) -> Section {
    let items = list(verdict, "recommended_actions").filter_map(|step| {
        let mut text = with_code(step["action"].as_str()?);
        for part in ["why", "source"] {
            if let Some(said) = step[part].as_str().filter(|said| !said.is_empty()) {
                text.push(Span::Text(format!(" — {said}")));
            }
        }
        Some(Item { text, quote: None })
    });
    section("Next steps", items)
}

fn knowledge(verdict: &Value) -> Section {
    let items = list(verdict, "similar_incidents").filter_map(|hit| {
        let score = hit["score"].as_f64().map_or_else(String::new, |score| format!(" ({:.0} %)", score * 100.0));
        let mut text = vec![Span::Strong(hit["summary"].as_str()?.to_owned()), Span::Text(score)];
        if let Some(fix) = hit["resolution"].as_str().filter(|fix| !fix.is_empty()) {
            text.push(Span::Text(" — fixed by: ".into()));
            text.extend(with_code(fix));
        }
        Some(Item { text, quote: None })
    });
    section("Known failures like this", items)
}

fn timeline(events: &[Event]) -> Section {
    let shown = events.iter().rev().take(EVENTS).rev();
    let mut timeline = section(
        "Timeline",
        shown.map(|event| Item {
            text: vec![Span::Strong(clock::in_words(event.at)), Span::Text(format!(" {}", words::event(event)))],
            quote: None,
        }),
    );
    if events.len() > EVENTS {
        let text = words::plain(format!("… {} earlier ones", events.len() - EVENTS));
        timeline.items.insert(0, Item { text, quote: None });
    }
    timeline
}

/// Stages that could not run.
fn skipped(verdict: &Value) -> String {
    let stages: Vec<&str> = list(verdict, "skipped").filter_map(|skipped| skipped["stage"].as_str()).collect();
    if stages.is_empty() { String::new() } else { format!("not looked at: {}", stages.join(", ")) }
}
