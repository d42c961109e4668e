//! `clew triage`: the verdict on a file or on standard input.

use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::time::Instant;

use clap::Args;
use clew_pipeline::{Context, Pipeline};

use super::{BAD_INPUT, FAILED, UNKNOWN, VERDICT, input, refuse, render};
use crate::app::sources;
use crate::config::Config;

/// Name the root cause of a log
#[derive(Debug, Args)]
#[command(after_help = "\
Exit codes:
  0  a root cause was named
  1  the models are missing or damaged: no verdict is possible
  2  the input cannot be used (no such file, not text, empty)
  3  the root cause is unknown: the log looks healthy, or it does not say

Examples:
  clew triage app.log
  kubectl logs deploy/api --since=10m | clew triage -
  clew triage --json app.log | jq .root_cause_id")]
pub struct Arguments {
    /// Log file; `-` or nothing reads standard input
    #[arg(default_value = "-")]
    file: PathBuf,
    /// Print the verdict as one JSON object, as `POST /triage` does
    #[arg(long)]
    json: bool,
    /// Title of the alert or the question, looked at together with the lines
    #[arg(long)]
    title: Option<String>,
    /// Service that the lines come from
    #[arg(long)]
    service: Option<String>,
}

/// Reads, triages, prints.
pub fn run(arguments: &Arguments, config: &Config) -> u8 {
    let pipeline = Pipeline::load(&sources(config));
    let started = Instant::now();
    let digest = match input::read(&arguments.file, pipeline.begin()) {
        Ok(digest) => digest,
        Err(message) => return refuse(&message, BAD_INPUT),
    };
    if digest.records == 0 && arguments.title.is_none() {
        return refuse("the input is empty: there is no line to look at", BAD_INPUT);
    }
    let context = Context { title: arguments.title.clone(), service: arguments.service.clone(), ..Context::default() };
    let triage = pipeline.conclude(digest, &context, started);
    let text = if arguments.json {
        match serde_json::to_string(&triage) {
            Ok(json) => json + "\n",
            Err(error) => return refuse(&error.to_string(), FAILED),
        }
    } else {
        render::verdict(&triage, render::Style::of(std::io::stdout().is_terminal()))
    };
    // A reader that closed the pipe (`| head`) has what it wanted.
    let _ = std::io::stdout().write_all(text.as_bytes());
    if !pipeline.is_ready() {
        return FAILED;
    }
    if triage.root_cause_id == "unknown" { UNKNOWN } else { VERDICT }
}
