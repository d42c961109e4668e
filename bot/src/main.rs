//! `clew`: finds the root cause in logs and keeps incidents: on the command line, over HTTP, in chat, in a web console.

mod analysis;
mod app;
mod attachments;
mod card;
mod chats;
mod cli;
mod clock;
mod commands;
mod config;
mod http;
mod identity;
mod incident;
mod intake;
mod jobs;
mod ledger;
mod queue;
mod senders;
mod store;
mod telemetry;
mod tickets;
mod watch;
mod words;

fn main() -> std::process::ExitCode {
    cli::run()
}
