//! The verdict for a terminal.

use std::fmt::Write as _;

use clew_pipeline::Triage;
use clew_pipeline::knowledge::document::Risk;

use crate::words::how_sure;

/// Runners-up below this probability are not worth a line.
const RUNNER_UP: f64 = 0.03;

/// With colours or without.
#[derive(Debug, Clone, Copy)]
pub struct Style {
    colour: bool,
}

impl Style {
    /// Colours on a terminal, unless `NO_COLOR` is set (no-color.org).
    #[must_use]
    pub fn of(terminal: bool) -> Self {
        Self { colour: terminal && super::environment("NO_COLOR").is_none_or(|value| value.is_empty()) }
    }

    fn paint(self, code: &str, text: &str) -> String {
        if self.colour { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }

    fn head(self, text: &str) -> String {
        self.paint("1", text)
    }

    fn dim(self, text: &str) -> String {
        self.paint("2", text)
    }
}

/// The whole verdict as text.
#[must_use]
pub fn verdict(triage: &Triage, style: Style) -> String {
    let mut out = String::new();
    let unknown = triage.root_cause_id == "unknown";
    let leading = triage.candidates.first().map_or("", |candidate| candidate.id);
    let sure = how_sure(triage.root_cause_id, leading, triage.confidence, !triage.anomalies.is_empty());
    let colour = if unknown { "1;33" } else { "1;31" };
    let _ = writeln!(out, "{}  {sure}", style.paint(colour, triage.root_cause));
    runners_up(&mut out, triage, style);
    evidence(&mut out, triage, style);
    if triage.evidence.is_empty() {
        anomalies(&mut out, triage, style);
    }
    if !triage.similar_incidents.is_empty() {
        let _ = writeln!(out, "\n{}", style.head("Known failures like this"));
        for hit in &triage.similar_incidents {
            let place = hit.source.as_deref().unwrap_or(&hit.id);
            let _ = writeln!(out, "  {} {}", hit.summary, style.dim(&format!("[{place}, {:.0} %]", hit.score * 100.0)));
            if !hit.resolution.is_empty() {
                let _ = writeln!(out, "    fixed by: {}", hit.resolution);
            }
        }
    }
    actions(&mut out, triage, style);
    for skipped in &triage.skipped {
        let _ = writeln!(out, "\n{} {}: {}", style.paint("33", "Skipped"), skipped.stage, skipped.why);
    }
    footer(&mut out, triage, style);
    out
}

fn runners_up(out: &mut String, triage: &Triage, style: Style) {
    let others: Vec<String> = triage
        .candidates
        .iter()
        .filter(|c| c.id != triage.root_cause_id && c.probability >= RUNNER_UP)
        .take(3)
        .map(|c| format!("{} {:.0} %", c.root_cause, c.probability * 100.0))
        .collect();
    if !others.is_empty() {
        let others = others.join(", ");
        let word = if triage.root_cause_id == "unknown" { "nearest" } else { "otherwise" };
        let _ = writeln!(out, "{}", style.dim(&format!("{word}: {others}")));
    }
}

fn evidence(out: &mut String, triage: &Triage, style: Style) {
    if triage.evidence.is_empty() {
        return;
    }
    let title = if triage.root_cause_id == "unknown" { "Nearest evidence" } else { "Evidence" };
    let _ = writeln!(out, "\n{}", style.head(title));
    for line in &triage.evidence {
        let mut shown = line.text.lines();
        let _ = writeln!(out, "  {:>6}  {}", line.line, shown.next().unwrap_or(""));
        for more in shown {
            let _ = writeln!(out, "          {more}");
        }
        let _ = writeln!(out, "          {}", style.dim(&line.why));
    }
}

fn anomalies(out: &mut String, triage: &Triage, style: Style) {
    if triage.anomalies.is_empty() {
        let _ = writeln!(out, "\nNothing in these lines stands out.");
        return;
    }
    let _ = writeln!(out, "\n{}", style.head("What stands out"));
    for anomaly in triage.anomalies.iter().take(5) {
        let _ = writeln!(out, "  {:>6}  {}", anomaly.line, anomaly.text);
        let _ = writeln!(out, "          {}", style.dim(&anomaly.reasons.join(" · ")));
    }
}

fn actions(out: &mut String, triage: &Triage, style: Style) {
    if triage.recommended_actions.is_empty() {
        return;
    }
    let _ = writeln!(out, "\n{}", style.head("Next steps"));
    for (number, action) in triage.recommended_actions.iter().enumerate() {
        let mark = match action.risk {
            Risk::Safe => String::new(),
            Risk::Disruptive => style.paint("33", "[disruptive] "),
            Risk::Destructive => style.paint("31", "[destructive] "),
        };
        let _ = writeln!(out, "  {}. {mark}{}", number + 1, action.action);
        let _ = writeln!(out, "     {}", style.dim(&format!("{} [{}]", action.why, action.source)));
    }
}

fn footer(out: &mut String, triage: &Triage, style: Style) {
    let mut parts = vec![
        format!("{} lines", triage.counts.lines),
        format!("{} records", triage.counts.records),
        format!("{} templates", triage.counts.templates),
    ];
    let redacted: usize = triage.redactions.values().sum();
    if redacted > 0 {
        let kinds: Vec<&str> = triage.redactions.keys().copied().collect();
        parts.push(format!("{redacted} secrets redacted ({})", kinds.join(", ")));
    }
    parts.push(format!("{:.0} ms", triage.timings_ms.get("total").copied().unwrap_or(0.0)));
    let _ = writeln!(out, "\n{}", style.dim(&parts.join(" · ")));
}
