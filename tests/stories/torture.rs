use clew_tests::Failure;
use clew_tests::torture::{Plan, torture};

use crate::CLEW;

/// A short one. `cargo bench -p clew-bot --bench torture` is the long one.
#[test]
fn killed_again_and_again_with_a_chat_that_fails_it_loses_nothing_and_doubles_nothing() -> Result<(), Failure> {
    let report = torture(CLEW, &Plan { alerts: 120, incidents: 4, clients: 4, kills: 6, seed: 3 })?;
    assert!(report.lost.is_empty() && report.doubled.is_empty(), "{report}");
    println!("{report}");
    Ok(())
}
