//! `cargo bench -p clew-bot --bench intake`: deliveries accepted a second with their times, idle and while the analysis is
//! saturated; and what a storm of 50,000 alerts costs.

use clew_tests::Failure;
use clew_tests::load::{deliveries, storm};

const CLEW: &str = env!("CARGO_BIN_EXE_clew");

fn main() -> Result<(), Failure> {
    for (name, saturated) in [("idle", false), ("saturated", true)] {
        let pace = deliveries(CLEW, saturated)?;
        println!(
            "{name:10} {:6.0} deliveries/s   p50 {:5.1} ms   p99 {:6.1} ms   max {:6.1} ms   {} refused",
            pace.a_second, pace.p50, pace.p99, pace.max, pace.refused
        );
    }
    let storm = storm(CLEW, 50_000)?;
    println!(
        "storm      {} alerts: accepted in {:.1} s, worked off in {:.1} s, {} incidents, memory {} -> {} MiB, disk {} MiB",
        storm.alerts,
        storm.accepted.as_secs_f64(),
        storm.worked_off.as_secs_f64(),
        storm.incidents,
        storm.before_mib,
        storm.most_mib,
        storm.disk_mib
    );
    Ok(())
}
