//! Load: how many deliveries are accepted, how fast, while the analysis is saturated; and what a storm costs.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::{Bot, Failure};

/// Clients that deliver at once.
const CLIENTS: usize = 8;
/// Clients that keep the analysis busy.
const TRIAGES: usize = 8;
/// How long each measurement of deliveries lasts.
const LASTS: Duration = Duration::from_secs(20);
/// Alerts in one delivery of the storm.
const AT_ONCE: usize = 10;
/// Failures that the storm is made of.
const FAILURES: usize = 40;

/// How fast deliveries were accepted.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// Deliveries accepted a second.
    pub a_second: f64,
    /// Median time to an answer, in milliseconds.
    pub p50: f64,
    /// Time that 99 of 100 stay below.
    pub p99: f64,
    /// The longest.
    pub max: f64,
    /// Those that were not accepted.
    pub refused: usize,
}

/// What a storm cost.
#[derive(Debug, Clone, Copy)]
pub struct Storm {
    /// Alerts sent.
    pub alerts: usize,
    /// Until all were accepted.
    pub accepted: Duration,
    /// Until all were worked off and shown.
    pub worked_off: Duration,
    /// Incidents they became.
    pub incidents: usize,
    /// Memory before, in MiB.
    pub before_mib: u64,
    /// Most memory while it lasted, in MiB.
    pub most_mib: u64,
    /// Size of the data folder afterwards, in MiB.
    pub disk_mib: u64,
}

fn body(number: usize, failure: usize, count: usize) -> String {
    let alerts: Vec<Value> = (number..number + count)
        .map(|number| {
            json!({
                "status": "firing",
                "labels": { "alertname": format!("Failure{}", letters(failure)), "service": "shop", "instance": format!("node-{number}") },
                "annotations": { "summary": format!("component {} of the shop stopped answering", letters(failure)) },
                "startsAt": "2026-11-24T10:00:00Z",
                "endsAt": "0001-01-01T00:00:00Z",
                "fingerprint": format!("{number:016x}"),
            })
        })
        .collect();
    json!({
        "version": "4", "receiver": "clew", "status": "firing", "groupKey": format!("{{}}:{{failure={failure}, n={number}}}"),
        "groupLabels": {}, "commonLabels": {}, "commonAnnotations": {}, "externalURL": "http://am.example",
        "truncatedAlerts": 0, "alerts": alerts,
    })
    .to_string()
}

/// A name without digits, which would be taken for a number of an instance.
fn letters(number: usize) -> String {
    let letter = |digit: usize| char::from(b'A' + u8::try_from(digit % 26).unwrap_or(0));
    [letter(number / 26), letter(number)].iter().collect()
}

/// Delivers one alert after the other for [`LASTS`], with the analysis `saturated` or idle.
///
/// # Errors
/// When the program does not answer at all.
pub fn deliveries(program: &str, saturated: bool) -> Result<Pace, Failure> {
    let bot = Arc::new(Bot::start(program, &[("CLEW_LOG_LEVEL", "error")])?);
    let stop = Arc::new(AtomicBool::new(false));
    let mut others = Vec::new();
    if saturated {
        for _ in 0..TRIAGES {
            let (bot, stop) = (Arc::clone(&bot), Arc::clone(&stop));
            others.push(std::thread::spawn(move || {
                let line = "2024-05-01 10:02:12 ERROR could not write to file: No space left on device\n";
                let log = line.repeat(2_000);
                while !stop.load(Ordering::Relaxed) {
                    // Refused ones are part of being saturated.
                    drop(bot.post("/triage", "text/plain", log.as_bytes()));
                }
            }));
        }
        std::thread::sleep(Duration::from_secs(1));
    }
    let next = Arc::new(AtomicUsize::new(0));
    let begun = Instant::now();
    let clients: Vec<_> = (0..CLIENTS)
        .map(|_| {
            let (bot, next) = (Arc::clone(&bot), Arc::clone(&next));
            std::thread::spawn(move || {
                let (mut took, mut refused) = (Vec::new(), 0);
                while begun.elapsed() < LASTS {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    let body = body(number, number % FAILURES, 1);
                    let asked = Instant::now();
                    let answer = bot.post("/webhooks/alertmanager", "application/json", body.as_bytes());
                    took.push(asked.elapsed().as_secs_f64() * 1000.0);
                    refused += usize::from(!answer.is_ok_and(|answer| answer.status == 202));
                }
                (took, refused)
            })
        })
        .collect();
    let (mut took, mut refused) = (Vec::new(), 0);
    for client in clients {
        let (more, not) = client.join().map_err(|_| "a client panicked")?;
        took.extend(more);
        refused += not;
    }
    let lasted = begun.elapsed().as_secs_f64();
    stop.store(true, Ordering::Relaxed);
    for other in others {
        other.join().map_err(|_| "a client panicked")?;
    }
    took.sort_by(f64::total_cmp);
    let at = |share: usize| took.get(took.len() * share / 1000).copied().unwrap_or(0.0);
    #[allow(clippy::cast_precision_loss)] // counts far below 2^52
    let a_second = (took.len() - refused) as f64 / lasted;
    Ok(Pace { a_second, p50: at(500), p99: at(990), max: took.last().copied().unwrap_or(0.0), refused })
}

/// Sends `alerts` alerts as fast as they are accepted.
///
/// # Errors
/// When one is not accepted, or the program does not answer.
pub fn storm(program: &str, alerts: usize) -> Result<Storm, Failure> {
    let bot = Arc::new(Bot::start(program, &[("CLEW_LOG_LEVEL", "error")])?);
    let before_mib = memory(&bot)?;
    let (next, deliveries) = (Arc::new(AtomicUsize::new(0)), alerts / AT_ONCE);
    let begun = Instant::now();
    let clients: Vec<_> = (0..CLIENTS)
        .map(|_| {
            let (bot, next) = (Arc::clone(&bot), Arc::clone(&next));
            std::thread::spawn(move || -> Result<(), String> {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= deliveries {
                        return Ok(());
                    }
                    let body = body(number * AT_ONCE, number % FAILURES, AT_ONCE);
                    let answer = bot.post("/webhooks/alertmanager", "application/json", body.as_bytes());
                    let answer = answer.map_err(|error| error.to_string())?;
                    if answer.status != 202 {
                        return Err(format!("{}: {}", answer.status, answer.text));
                    }
                }
            })
        })
        .collect();
    let mut most_mib = before_mib;
    while !clients.iter().all(std::thread::JoinHandle::is_finished) {
        most_mib = most_mib.max(memory(&bot)?);
        std::thread::sleep(Duration::from_millis(50));
    }
    for client in clients {
        client.join().map_err(|_| "a client panicked")??;
    }
    let accepted = begun.elapsed();
    while bot.get("/jobs")?.json()["count"] != 0 {
        most_mib = most_mib.max(memory(&bot)?);
        std::thread::sleep(Duration::from_millis(200));
    }
    let worked_off = begun.elapsed();
    let page = bot.get("/incidents?limit=500")?.json();
    let found = page["incidents"].as_array().map_or(0, Vec::len);
    let counted: u64 =
        page["incidents"].as_array().into_iter().flatten().filter_map(|i| i["alerts"]["alerts"].as_u64()).sum();
    if counted != (deliveries * AT_ONCE) as u64 {
        return Err(format!("{counted} alerts are counted of {}", deliveries * AT_ONCE).into());
    }
    let disk_mib = size(&bot.data_dir())? >> 20;
    Ok(Storm { alerts, accepted, worked_off, incidents: found, before_mib, most_mib, disk_mib })
}

/// Memory of the program, in MiB, as the system counts it.
fn memory(bot: &Bot) -> Result<u64, Failure> {
    let status = std::fs::read_to_string(format!("/proc/{}/status", bot.process()))?;
    let line = status.lines().find(|line| line.starts_with("VmRSS")).ok_or("no VmRSS")?;
    let kib: u64 = line.split_whitespace().nth(1).ok_or("no figure")?.parse()?;
    Ok(kib >> 10)
}

fn size(folder: &std::path::Path) -> Result<u64, Failure> {
    let mut bytes = 0;
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        bytes += if entry.file_type()?.is_dir() { size(&entry.path())? } else { entry.metadata()?.len() };
    }
    Ok(bytes)
}
