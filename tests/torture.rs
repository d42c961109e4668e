//! `cargo bench -p clew-bot --bench torture -- --kills 100`: kills Clew again and again under load, with a chat that fails,
//! and counts what was lost and what was doubled. Exit code 1 when anything was. `--program FILE` tortures another build:
//! one without its flush or without its checks must fail.

use clew_tests::Failure;
use clew_tests::torture::{Plan, plan_from, torture};

fn main() -> Result<(), Failure> {
    let plan = Plan { alerts: 6_000, incidents: 24, clients: 4, kills: 100, seed: 7 };
    let mut arguments: Vec<String> = std::env::args().skip(1).collect();
    let mut program = env!("CARGO_BIN_EXE_clew").to_owned();
    if let Some(place) = arguments.iter().position(|argument| argument == "--program") {
        arguments.remove(place);
        program = (place < arguments.len()).then(|| arguments.remove(place)).ok_or("--program needs a file")?;
    }
    let plan = plan_from(arguments.into_iter(), plan)?;
    println!("{} alerts by {} clients, killed {} times, seed {}", plan.alerts, plan.clients, plan.kills, plan.seed);
    let report = torture(&program, &plan)?;
    println!("{report}");
    if report.lost.is_empty() && report.doubled.is_empty() { Ok(()) } else { Err("alerts were lost or doubled".into()) }
}
