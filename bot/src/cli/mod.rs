//! The command line.

mod backup;
mod diff;
mod eval;
mod input;
mod kb;
mod models;
mod render;
mod serve;
mod templates;
mod train;
mod triage;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::config::{Config, Settings};

/// A verdict was given.
pub const VERDICT: u8 = 0;
/// The program could not do its work.
pub const FAILED: u8 = 1;
/// The input cannot be used.
pub const BAD_INPUT: u8 = 2;
/// The root cause is unknown.
pub const UNKNOWN: u8 = 3;

/// Finds the root cause in logs: on the command line, over HTTP, in a web console. All analysis is local.
#[derive(Debug, Parser)]
#[command(name = "clew", version, subcommand_required = false)]
struct Arguments {
    /// Configuration file; `clew.toml` in this folder when it is there
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve the HTTP API and the web console (what `clew` alone does)
    Serve,
    /// Name the root cause of a log
    Triage(triage::Arguments),
    /// Print the template of every line of a log
    Templates(templates::Arguments),
    /// Compare two logs: what changed since the deploy
    Diff(diff::Arguments),
    /// Import, list, search and check runbooks and past incidents
    Kb(kb::Arguments),
    /// Write everything that is kept to a file, also while Clew runs
    Backup(backup::Backup),
    /// Put a backup into an empty data folder
    Restore(backup::Restore),
    /// Measure the analysis: root causes, templates, anomalies, retrieval
    Eval(eval::Arguments),
    /// Train the root-cause classifier and the action ranker from the data in `models/`
    Train(train::Arguments),
    /// Check the model files, or convert the original embedding model to the stored form
    Models(models::Arguments),
}

/// Runs what the command line asks for.
pub fn run() -> ExitCode {
    let arguments = Arguments::parse();
    // A missing .env is the usual case; a broken one must not be passed over in silence.
    if let Err(error) = dotenvy::dotenv()
        && !error.not_found()
    {
        eprintln!("clew: .env: {error}");
        return ExitCode::from(BAD_INPUT);
    }
    let settings = match Settings::read(arguments.config.as_deref(), &environment) {
        Ok(settings) => settings,
        Err(error) => return ExitCode::from(refuse(&error, BAD_INPUT)),
    };
    let code = match arguments.command.unwrap_or(Command::Serve) {
        Command::Serve => serve::run(settings),
        Command::Triage(arguments) => with_config(&settings, |config| triage::run(&arguments, config)),
        Command::Templates(arguments) => templates::run(&arguments),
        Command::Diff(arguments) => diff::run(&arguments),
        Command::Kb(arguments) => with_config(&settings, |config| kb::run(&arguments, config)),
        Command::Backup(arguments) => with_config(&settings, |config| backup::backup(&arguments, config)),
        Command::Restore(arguments) => with_config(&settings, |config| backup::put_back(&arguments, config)),
        Command::Eval(arguments) => with_config(&settings, |config| eval::run(&arguments, config)),
        Command::Train(arguments) => with_config(&settings, |config| train::run(&arguments, config)),
        Command::Models(arguments) => with_config(&settings, |config| models::run(&arguments, config)),
    };
    ExitCode::from(code)
}

fn with_config(settings: &Settings, run: impl FnOnce(&Config) -> u8) -> u8 {
    match settings.typed(&serde_json::json!({})) {
        Ok(config) => {
            let quiet = crate::config::Log { level: "warn".into(), ..config.log.clone() };
            crate::telemetry::start_log(&quiet);
            run(&config)
        }
        Err(error) => refuse(&error, BAD_INPUT),
    }
}

/// Says why the program cannot go on and gives the exit code for it.
fn refuse(reason: &(impl std::fmt::Display + ?Sized), code: u8) -> u8 {
    eprintln!("clew: {reason}");
    code
}

/// The one place that reads the environment.
// The home of this call; everywhere else clippy.toml forbids it.
#[allow(clippy::disallowed_methods)]
fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}
