//! `clew diff`: what changed since the deploy.

use std::fmt::Write as _;
use std::path::PathBuf;

use clap::Args;
use clew_pipeline::Pipeline;
use clew_pipeline::diff::{Change, Diff, diff};

use super::{BAD_INPUT, VERDICT, input, refuse};

/// Changes of one kind that are printed; `--json` has all.
const MAX_SHOWN: usize = 20;
/// Characters of a template that are printed.
const WIDTH: usize = 160;

/// Compare two logs: new, vanished and rate-shifted templates
#[derive(Debug, Args)]
pub struct Arguments {
    /// Log from before
    before: PathBuf,
    /// Log from after
    after: PathBuf,
    /// Print everything as JSON
    #[arg(long)]
    json: bool,
}

/// Compares and prints.
pub fn run(arguments: &Arguments) -> u8 {
    let mut collector = Pipeline::reader().with_places();
    if let Err(message) = input::feed(&arguments.before, &mut collector) {
        return refuse(&message, BAD_INPUT);
    }
    let split = collector.end_log();
    if let Err(message) = input::feed(&arguments.after, &mut collector) {
        return refuse(&message, BAD_INPUT);
    }
    let found = diff(&collector.finish(), split);
    if arguments.json {
        println!("{}", serde_json::to_string_pretty(&found).unwrap_or_default());
    } else {
        print!("{}", text(&found));
    }
    VERDICT
}

fn text(diff: &Diff) -> String {
    let mut out = format!(
        "{} records before, {} after (the second log is {:.2} times as busy)\n",
        diff.records_before, diff.records_after, diff.scale
    );
    section(&mut out, "New", &diff.new, |change| format!("{} x", change.after));
    section(&mut out, "Vanished", &diff.vanished, |change| format!("{} x before", change.before));
    section(&mut out, "Rate shifted", &diff.shifted, |change| {
        let factor = change.factor.unwrap_or(1.0);
        let way =
            if factor >= 1.0 { format!("{factor:.1} times more") } else { format!("{:.1} times less", 1.0 / factor) };
        format!("{} -> {}, {way}", change.before, change.after)
    });
    if diff.new.is_empty() && diff.vanished.is_empty() && diff.shifted.is_empty() {
        out.push_str("\nNothing changed that chance would not explain.\n");
    }
    out
}

fn section(out: &mut String, title: &str, changes: &[Change], count: impl Fn(&Change) -> String) {
    if changes.is_empty() {
        return;
    }
    let _ = writeln!(out, "\n{title} ({})", changes.len()); // writing to a String cannot fail
    for change in changes.iter().take(MAX_SHOWN) {
        let chance = if change.significant { format!("p {:.1e}", change.p_value) } else { "may be chance".to_owned() };
        let severity = change.severity.map(|severity| format!("{severity} ")).unwrap_or_default();
        let template: String = change.template.chars().take(WIDTH).collect();
        let _ = writeln!(out, "  {severity}{template}\n      {} ({chance})", count(change));
    }
    if changes.len() > MAX_SHOWN {
        let _ = writeln!(out, "  … and {} more (--json lists all)", changes.len() - MAX_SHOWN);
    }
}
