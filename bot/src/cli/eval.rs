//! `clew eval`: quality on labelled cases.

use std::path::PathBuf;

use clap::Args;
use clew_pipeline::evaluate::{Metrics, Outcome, read_cases};
use clew_pipeline::{Context, Pipeline};

use super::{BAD_INPUT, FAILED, VERDICT, refuse};
use crate::app::sources;
use crate::config::Config;

/// Measure the verdicts on a JSONL file of labelled cases
#[derive(Debug, Args)]
pub struct Arguments {
    /// One case a line: {"id", "logs": […], "label", "`also_ok"`: […], "difficulty"}
    file: PathBuf,
    /// Print the figures as JSON
    #[arg(long)]
    json: bool,
    /// Also print every wrong answer
    #[arg(long)]
    wrong: bool,
}

/// Triages every case and prints the figures.
pub fn run(arguments: &Arguments, config: &Config) -> u8 {
    let cases = match read_cases(&arguments.file) {
        Ok(cases) if cases.is_empty() => {
            return refuse(&format!("{}: no case in it", arguments.file.display()), BAD_INPUT);
        }
        Ok(cases) => cases,
        Err(message) => return refuse(&message, BAD_INPUT),
    };
    let pipeline = Pipeline::load(&sources(config));
    if !pipeline.is_ready() {
        let why = pipeline.loaded().skipped.iter().map(|s| s.why.clone()).collect::<Vec<_>>().join("; ");
        return refuse(&why, FAILED);
    }
    let outcomes: Vec<Outcome> = cases
        .iter()
        .map(|case| {
            let triage = pipeline.triage(case.logs.iter().map(String::as_str), &Context::default());
            Outcome::of_triage(case, &triage)
        })
        .collect();
    let metrics = Metrics::of(&outcomes);
    if arguments.json {
        println!("{}", serde_json::to_string_pretty(&metrics).unwrap_or_default());
        return VERDICT;
    }
    print!("{}", metrics.table());
    if arguments.wrong {
        for outcome in outcomes.iter().filter(|outcome| !outcome.right()) {
            println!("{}  is {}, said {} ({:.2})", outcome.id, outcome.label, outcome.said, outcome.confidence);
        }
    }
    VERDICT
}
