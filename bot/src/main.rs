//! `clew`: triages logs on the command line, over HTTP and in a web console.

mod app;
mod cli;
mod clock;
mod config;
mod http;
mod store;
mod telemetry;

fn main() -> std::process::ExitCode {
    cli::run()
}
