use std::path::Path;

use clew_adapters::alerts::{Delivery, Severity};
use serde_json::json;

use super::*;
use crate::clock::{self, Time};
use crate::config::Retention;
use crate::incident::{Actor, Incident, IncidentId};
use crate::queue::Work;

type Outcome = Result<(), Box<dyn std::error::Error>>;

fn open(directory: &Path) -> Result<Store, StoreError> {
    Store::open(directory).map(|(store, _)| store)
}

fn refused(directory: &Path) -> String {
    open(directory).err().map(|error| error.to_string()).unwrap_or_default()
}

fn replay(n: usize) -> Replay {
    Replay { at: "2026-01-01T00:00:00Z".into(), title: None, service: None, triage: json!({ "n": n }) }
}

fn accepted() -> Accepted {
    Accepted { format: "text".into(), at: clock::now(), delivery: Delivery::default(), posted: None }
}

fn flip(file: &Path, from: usize) -> Outcome {
    let mut bytes = std::fs::read(file)?;
    bytes.iter_mut().skip(from).take(64).for_each(|byte| *byte = !*byte);
    Ok(std::fs::write(file, bytes)?)
}

/// A store with something in it, as a crash leaves it: never closed.
fn crashed(directory: &Path) -> Result<Vec<u8>, Box<dyn std::error::Error>> {
    let elsewhere = tempfile::tempdir()?;
    let store = open(elsewhere.path())?;
    for number in 0..50 {
        store.change(|batch| {
            let id = batch.next_incident()?;
            batch.incident(Incident::new(id, &format!("failure {number}"), Severity::Low, clock::now()), &[])
        })?;
        store.flush()?;
    }
    for path in seal::files(elsewhere.path())? {
        let target = directory.join(path.strip_prefix(elsewhere.path())?);
        std::fs::create_dir_all(target.parent().unwrap_or(directory))?;
        std::fs::copy(&path, target)?;
    }
    Ok(std::fs::read(directory.join("store/db"))?)
}

#[test]
fn verdicts_survive_a_restart_and_the_oldest_go_first() -> Outcome {
    let directory = tempfile::tempdir()?;
    {
        let store = open(directory.path())?;
        for n in 0..5 {
            store.keep_replay(&format!("id{n}"), &replay(n), 3)?;
        }
    }
    let store = open(directory.path())?;
    assert!(store.replay("id1")?.is_none());
    assert_eq!(store.replay("id4")?.map(|r| r.triage), Some(json!({ "n": 4 })));
    Ok(())
}

#[test]
fn a_second_process_is_told_that_the_store_is_in_use() -> Outcome {
    let directory = tempfile::tempdir()?;
    let _first = open(directory.path())?;
    assert!(refused(directory.path()).contains("another process has it open"), "{}", refused(directory.path()));
    Ok(())
}

#[test]
fn a_delivery_is_kept_once_with_its_job_and_comes_back_after_a_crash() -> Outcome {
    let directory = tempfile::tempdir()?;
    let keep = |store: &Store| {
        store.change(|batch| {
            if !batch.remember("key", clock::now())? {
                return Ok(false);
            }
            let delivery = batch.accept(&accepted())?;
            batch.job(Work::TriageAlerts { delivery }, false, clock::now())?;
            Ok::<_, StoreError>(true)
        })
    };
    {
        let store = open(directory.path())?;
        assert!(keep(&store)? && !keep(&store)?, "the second try is a repetition");
    }
    let (_store, mut told) = Store::open(directory.path())?;
    let job = told.try_recv()?;
    assert!(matches!(job.work, Work::TriageAlerts { .. }), "{job:?}");
    assert!(told.try_recv().is_err(), "one job only");
    Ok(())
}

#[test]
fn one_job_shows_all_changes_of_a_card_and_runs_again_for_those_that_come_meanwhile() -> Outcome {
    let directory = tempfile::tempdir()?;
    let (store, mut told) = Store::open(directory.path())?;
    let show = || {
        let work = Work::PostCard { incident: IncidentId(1), platform: "console".into(), channel: "x".into() };
        store.change(|batch| batch.job(work, false, clock::now()))
    };
    show()?;
    let first = told.try_recv()?;
    show()?;
    let second = told.try_recv()?;
    assert_eq!((first.id, store.jobs()?.len()), (second.id, 1));
    store.change(|batch| batch.finish(&first))?;
    assert_eq!(store.jobs()?.len(), 1, "it did not show the second change");
    store.change(|batch| batch.finish(&second))?;
    assert_eq!(store.jobs()?.len(), 0);
    Ok(())
}

#[test]
fn a_closed_store_that_was_damaged_is_refused_and_left_as_it_is() -> Outcome {
    let directory = tempfile::tempdir()?;
    drop(open(directory.path())?);
    flip(&directory.path().join("store/db"), 100)?;
    let damaged = std::fs::read(directory.path().join("store/db"))?;
    let said = refused(directory.path());
    assert!(said.contains("damaged") && said.contains("clew restore"), "{said}");
    assert_eq!(std::fs::read(directory.path().join("store/db"))?, damaged);
    Ok(())
}

#[test]
fn after_a_crash_a_whole_store_opens_and_a_damaged_one_is_refused_and_left_as_it_is() -> Outcome {
    let whole = tempfile::tempdir()?;
    crashed(whole.path())?;
    assert!(open(whole.path())?.incident(IncidentId(50))?.is_some());
    let directory = tempfile::tempdir()?;
    let written = crashed(directory.path())?.len();
    for from in [100, written / 3, written / 2] {
        let directory = tempfile::tempdir()?;
        crashed(directory.path())?;
        flip(&directory.path().join("store/db"), from)?;
        let damaged = std::fs::read(directory.path().join("store/db"))?;
        match Store::open(directory.path()) {
            Ok((store, _)) => {
                // The bytes were of no use any more: then nothing may be missing.
                assert!((1..=50).all(|id| store.incident(IncidentId(id)).is_ok_and(|i| i.is_some())), "{from}");
            }
            Err(error) => {
                assert!(error.to_string().contains("damaged"), "{error}");
                assert_eq!(std::fs::read(directory.path().join("store/db"))?, damaged, "{from}");
            }
        }
    }
    Ok(())
}

#[test]
fn a_store_of_the_first_layout_is_brought_up_to_date_and_one_of_a_later_is_refused() -> Outcome {
    let directory = tempfile::tempdir()?;
    {
        // As the first version wrote it.
        let db = disk::open(&directory.path().join("store"))?;
        db.open_tree("meta")?.insert("schema", &1_u64.to_be_bytes())?;
        db.open_tree("meta")?.insert("secret", &[7; 32])?;
        db.open_tree("settings")?.insert("changed", br#"{"http":{"max_lines":7}}"#)?;
        db.open_tree("replays")?.insert("id1", serde_json::to_vec(&replay(1))?)?;
        db.open_tree("replay_order")?.insert(1_u64.to_be_bytes(), "id1")?;
        db.flush()?;
    }
    let store = open(directory.path())?;
    assert_eq!(store.settings()?, json!({ "http": { "max_lines": 7 } }));
    assert_eq!(store.replay("id1")?.map(|r| r.triage), Some(json!({ "n": 1 })));
    assert_eq!(store.secret, [7; 32], "links stay what they were");
    store.tree(Tree::Meta).insert("schema", &99_u64.to_be_bytes())?;
    drop(store);
    assert!(refused(directory.path()).contains("version 99"), "{}", refused(directory.path()));
    Ok(())
}

#[test]
fn a_backup_holds_everything_and_is_put_back_whole_or_not_at_all() -> Outcome {
    let (from, to) = (tempfile::tempdir()?, tempfile::tempdir()?);
    let learned = from.path().join("knowledge/learned/INC-1.md");
    let store = open(from.path())?;
    store.change(|batch| {
        let id = batch.next_incident()?;
        batch.incident(Incident::new(id, "Disk full", Severity::High, clock::now()), &[])
    })?;
    std::fs::create_dir_all(learned.parent().ok_or("no parent")?)?;
    std::fs::write(&learned, "what fixed it")?;
    let mut backup = Vec::new();
    store.backup(&mut backup)?;
    let file = to.path().join("backup");
    for cut in [backup.len() - 1, backup.len() / 2, 4] {
        std::fs::write(&file, &backup[..cut])?;
        assert!(restore(&file, &to.path().join("data")).is_err_and(|e| e.to_string().contains("not complete")));
    }
    let mut damaged = backup.clone();
    let last = damaged.len() - 60;
    damaged[last] ^= 1;
    std::fs::write(&file, &damaged)?;
    assert!(restore(&file, &to.path().join("data")).is_err());
    std::fs::write(&file, &backup)?;
    restore(&file, &to.path().join("data"))?;
    assert!(restore(&file, &to.path().join("data")).is_err_and(|e| e.to_string().contains("holds a store already")));
    let restored = open(&to.path().join("data"))?;
    assert_eq!(restored.incident(IncidentId(1))?, store.incident(IncidentId(1))?);
    assert_eq!(restored.secret, store.secret, "links stay what they were");
    assert_eq!(std::fs::read_to_string(to.path().join("data/knowledge/learned/INC-1.md"))?, "what fixed it");
    Ok(())
}

#[test]
fn what_is_older_than_the_settings_keep_goes_and_nothing_else() -> Outcome {
    let directory = tempfile::tempdir()?;
    let store = open(directory.path())?;
    let (now, day) = (clock::now(), |days: i64| chrono::Duration::days(days));
    let resolved = |title: &str, at: Time| {
        store.change(|batch| {
            let id = batch.next_incident()?;
            let mut change = Incident::new(id, title, Severity::Low, at).change(&Actor::bot(), at);
            change.resolve(None);
            let (incident, events) = change.end();
            batch.verdict(id, &json!({}), "text")?;
            batch.incident(Incident { signature: vec![7], ..incident }, &events)
        })
    };
    let (old, middle) = (resolved("old", now - day(400))?, resolved("middle", now - day(40))?);
    let open = store.change(|batch| {
        let id = batch.next_incident()?;
        batch.incident(Incident::new(id, "open", Severity::Low, now - day(4_000)), &[])
    })?;
    store.change(|batch| batch.remember("old", now - day(31)))?;
    store.change(|batch| batch.remember("young", now - day(29)))?;
    let retention = Retention { raw_text_days: 30, incident_days: 365, key_days: 30, dead_job_days: 90 };
    let swept = store.sweep(&retention, now)?;
    assert_eq!((swept.keys, swept.texts, swept.incidents), (1, 1, 1), "{swept:?}");
    assert!(store.incident(old.id)?.is_none() && store.verdict(old.id)?.is_none());
    assert!(store.incident(middle.id)?.is_some() && store.text(middle.id)?.is_empty());
    assert!(store.incident(open.id)?.is_some(), "what is not over stays");
    assert_eq!(store.same_failure(&[7])?.len(), 1);
    assert!(!store.change(|batch| batch.remember("young", now))?);
    Ok(())
}

#[test]
fn the_store_stays_bounded_however_long_it_is_fed() -> Outcome {
    let directory = tempfile::tempdir()?;
    let store = open(directory.path())?;
    let retention = Retention { raw_text_days: 1, incident_days: 3, key_days: 3, dead_job_days: 3 };
    let (begin, mut sizes) = (clock::now() - chrono::Duration::days(1_000), Vec::new());
    for day in 0..40 {
        let now = begin + chrono::Duration::days(day);
        for number in 0..100 {
            store.change(|batch| {
                batch.remember(&format!("{day}/{number}"), now)?;
                let delivery = batch.accept(&accepted())?;
                batch.job(Work::TriageAlerts { delivery }, false, now)?;
                Ok::<_, StoreError>(())
            })?;
            let job = store.jobs()?.pop().ok_or("the job is gone")?;
            store.change(|batch| {
                let id = batch.next_incident()?;
                let mut change = Incident::new(id, "Disk full", Severity::Low, now).change(&Actor::bot(), now);
                change.resolve(None);
                let (incident, events) = change.end();
                batch.verdict(id, &json!({ "evidence": "x".repeat(2_000) }), &"line\n".repeat(400))?;
                batch.incident(incident, &events)?;
                if let Work::TriageAlerts { delivery } = job.work {
                    batch.worked_off(delivery);
                }
                batch.finish(&job)
            })?;
        }
        store.flush()?;
        store.sweep(&retention, now)?;
        let files = seal::files(directory.path())?;
        sizes.push(files.iter().filter_map(|file| file.metadata().ok()).map(|file| file.len()).sum::<u64>());
    }
    let (early, late) = (sizes[8..12].iter().max(), sizes[36..].iter().max());
    assert!(late.zip(early).is_some_and(|(late, early)| *late < early * 2), "{sizes:?}");
    Ok(())
}
