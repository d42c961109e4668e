//! An incident as a card: everything that the bot shows about it. Pure.

use clew_adapters::alerts::Severity;
use clew_adapters::chat::{Card, Item, Rich, Section, Span, Tone};
use clew_pipeline::root_cause::label::{LABELS, by_id};
use serde_json::Value;

use crate::clock::{self, Time};
use crate::incident::{Incident, IncidentId, RestsOn, State};
use crate::words;

mod controls;
mod details;
mod draft;
mod home;

pub use controls::controls;
pub use details::{DETAILS, details};
pub use draft::draft;
pub use home::home;

/// Evidence lines on a card.
const EVIDENCE: usize = 4;
/// Next steps on a card.
const STEPS: usize = 4;
/// Similar entries on a card.
const SIMILAR: usize = 3;
/// Pull requests on a card.
const PULLS: usize = 3;
/// Labels on a card.
const LABELS_SHOWN: usize = 6;

/// Gives the address under which people find an incident, if there is one.
pub type Links<'a> = &'a dyn Fn(IncidentId) -> Option<String>;

/// What a card must know besides its incident.
pub struct Around<'a> {
    /// Where other incidents are.
    pub links: Links<'a>,
    /// The trackers in which tickets can be opened, and what each calls one.
    pub trackers: Vec<(&'static str, &'static str)>,
    /// Whether it asks for a ticket when the cause is in the code.
    pub asks_for_ticket: bool,
}

/// The card of an incident with its whole verdict, as it is at `now`.
#[must_use]
pub fn of(incident: &Incident, verdict: Option<&Value>, now: Time, around: &Around<'_>) -> Card {
    let nothing = Value::Null;
    let verdict = verdict.unwrap_or(&nothing);
    let sections = [evidence(incident, verdict), steps(verdict), similar(incident, verdict, around.links)];
    Card {
        tone: tone(incident),
        title: format!("{} · {}", incident.id, incident.title),
        lead: lead(incident, verdict, now, around),
        facts: facts(incident, now),
        sections: sections.into_iter().flatten().collect(),
        controls: controls(incident, verdict, &around.trackers),
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

fn lead(incident: &Incident, verdict: &Value, now: Time, around: &Around<'_>) -> Vec<Rich> {
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
    lead.extend(followed(incident, around));
    lead.extend(words::earlier(incident));
    if incident.flapping && incident.is_active() {
        let text = " — it comes and goes; this thread stays quiet about it.";
        lead.push(vec![Span::Strong("Flapping".into()), Span::Text(text.into())]);
    }
    lead
}

/// What there is to say about its tickets and its fix.
fn followed(incident: &Incident, around: &Around<'_>) -> Vec<Rich> {
    let mut said = Vec::new();
    for (tracker, linked) in &incident.followed.tickets {
        let noun = around.trackers.iter().find(|(name, _)| name == tracker).map_or("ticket", |(_, noun)| noun);
        said.extend(words::trouble(linked, noun));
        said.extend(words::came_back(incident, linked));
    }
    if incident.is_active() {
        // A failure that came back is not waiting for it.
        let fix = incident.merged_fix().filter(|_| incident.reopened == 0);
        said.extend(fix.map(words::waits_for_deployment));
        let is_code_related = incident.verdict.as_ref().is_some_and(|verdict| verdict.is_code_related);
        if around.asks_for_ticket && is_code_related && incident.followed.tickets.is_empty() {
            said.push(words::asks_for_ticket());
        }
    }
    said
}

/// Where it is in its life, with whom, and since when.
fn state(incident: &Incident, now: Time) -> Rich {
    let took = clock::duration(incident.duration(now));
    let owner = incident.owner.as_ref().map(|owner| format!(" · {owner}")).unwrap_or_default();
    let by = incident.state_by.as_ref().filter(|by| Some(&by.name) != incident.owner.as_ref()).map(words::who);
    let by = by.map(|by| format!(" by {by}")).unwrap_or_default();
    let when = match incident.state {
        State::Resolved => format!(" after {took}{by}"),
        State::Open => format!(" since {}", clock::in_words(incident.opened_at)),
        _ => format!("{by} · opened {}", clock::in_words(incident.opened_at)),
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
    for linked in incident.followed.tickets.values().filter(|linked| linked.ticket.is_some()) {
        facts.push(("Ticket".to_owned(), words::ticket(linked)));
    }
    let pulls = incident.followed.pulls.iter().rev().take(PULLS);
    facts.extend(pulls.map(|linked| ("Pull request".to_owned(), words::pull(linked))));
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

fn similar(incident: &Incident, verdict: &Value, links: Links<'_>) -> Option<Section> {
    let own = incident.id.to_string();
    let items: Vec<Item> = verdict["similar_incidents"]
        .as_array()?
        .iter()
        .filter(|hit| hit["id"] != own.as_str())
        .take(SIMILAR)
        .filter_map(|hit| {
            let (summary, id) = (hit["summary"].as_str()?, hit["id"].as_str().unwrap_or_default());
            // An incident of one's own leads to its thread, a page that was imported to where it came from.
            let page = hit["source"].as_str().filter(|source| source.starts_with("http")).map(str::to_owned);
            let mut text = match (id.parse().ok().and_then(links), page) {
                (Some(url), _) => vec![Span::Link { text: format!("{id} {summary}"), url }],
                (None, Some(url)) => vec![Span::Link { text: summary.to_owned(), url }],
                (None, None) => vec![Span::Strong(summary.to_owned())],
            };
            match hit["resolution"].as_str().filter(|fix| !fix.is_empty()) {
                Some(fix) => {
                    text.push(Span::Text(" — fixed by: ".into()));
                    text.extend(with_code(fix));
                }
                None => text.push(Span::Text(format!(" [{id}]"))),
            }
            Some(Item { text, quote: None })
        })
        .collect();
    (!items.is_empty()).then(|| Section { heading: "Known failures like this".into(), items })
}

fn with_heading(heading: &str, items: Vec<Item>) -> Section {
    Section { heading: heading.to_owned(), items }
}

/// A sentence with its commands, which stand in backticks.
fn with_code(sentence: &str) -> Rich {
    let pieces = sentence.split('`').enumerate().filter(|(_, piece)| !piece.is_empty());
    pieces
        .map(|(place, piece)| if place % 2 == 1 { Span::Code(piece.to_owned()) } else { Span::Text(piece.to_owned()) })
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
mod tests;
