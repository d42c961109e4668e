//! Median time of a whole triage by number of lines, and of one embedding: `cargo bench`. Machines are noisy: compare
//! two runs side by side, not with a figure of another day.

#![allow(clippy::print_stdout)]

use std::path::PathBuf;
use std::time::{Duration, Instant};

use clew_pipeline::{Context, Pipeline, Sources};

const ROUNDS: usize = 15;

fn main() {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..");
    let pipeline = Pipeline::load(&Sources {
        models: root.join("models"),
        knowledge: root.join("knowledge"),
        imported: None,
        code_keywords: root.join("code_keywords.txt"),
        vector_cache: None,
    });
    for count in [3, 50, 200, 2_000, 100_000] {
        // The round's number makes every text new, so that no embedding comes from the cache.
        let time = median((0..ROUNDS).map(|round| {
            let lines = log(count, round);
            let started = Instant::now();
            let triage = pipeline.triage(lines.iter().map(String::as_str), &Context::default());
            assert_eq!(triage.root_cause_id, "connection_pool_exhaustion");
            started.elapsed()
        }));
        println!("triage of {count:>6} lines: {:>9.2} ms", time.as_secs_f64() * 1000.0);
    }
    if let Some(embedder) = pipeline.embedder() {
        for words in [8, 32, 64] {
            let time = median((0..ROUNDS).map(|round| {
                let text = format!("{round} {}", "connection refused by host ".repeat(words / 4));
                let started = Instant::now();
                assert!(embedder.embed(&text).is_ok());
                started.elapsed()
            }));
            println!("embedding of {words:>3} words: {:>9.2} ms", time.as_secs_f64() * 1000.0);
        }
    }
}

/// A web shop's log with a failure of its database in the middle.
fn log(count: usize, round: usize) -> Vec<String> {
    let names = [
        "alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa", "lambda", "mu", "nu",
        "xi", "omicron",
    ];
    let name = format!("{}-{count}", names[round % names.len()]);
    (0..count)
        .map(|i| match (i == count / 2, i % 5) {
            (true, _) => {
                format!("2024-05-01 10:00:00,1 ERROR [main] c.e.Db - {name}: FATAL: sorry, too many clients already")
            }
            (_, 0) => {
                format!("2024-05-01 10:00:00,1 INFO [http-{i}] c.e.Shop - {name} order {i} stored in {} ms", i % 90)
            }
            (_, 1) => format!("2024-05-01 10:00:00,2 INFO [http-{i}] c.e.Cart - {name} cart {i} loaded for user u{i}"),
            (_, 2) => format!("2024-05-01 10:00:00,3 DEBUG [pool-1] c.e.Cache - {name} hit ratio {}", i % 100),
            (_, 3) => format!("2024-05-01 10:00:00,4 WARN [http-{i}] c.e.Pay - {name} payment {i} took {} ms", i * 3),
            _ => format!("10.0.0.{} - - [01/May/2024:10:00:00 +0000] \"GET /{name}/{i} HTTP/1.1\" 200 {i}", i % 250),
        })
        .collect()
}

fn median(times: impl Iterator<Item = Duration>) -> Duration {
    let mut times: Vec<Duration> = times.collect();
    times.sort();
    times[times.len() / 2]
}
