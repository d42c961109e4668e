//! What the tests of all platforms need: recorded posts, and what holds for every alert that is made of one.
#![allow(clippy::unwrap_used)] // a test that fails stops

use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use crate::alerts::{Alert, AlertStatus, limits};

/// The posts in a folder below `tests/fixtures`, with their names, in the order of these.
pub fn posts(folder: &str) -> Vec<(String, Value)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures").join(folder);
    let mut names: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    names.sort();
    let read = |path: PathBuf| serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    names.into_iter().map(|path| (path.file_stem().unwrap().to_str().unwrap().to_owned(), read(path))).collect()
}

/// One of them.
pub fn post(folder: &str, name: &str) -> Value {
    posts(folder).into_iter().find(|(found, _)| found == name).unwrap().1
}

/// Fails unless the alerts are about the same, with these states: `F`iring, `A`cknowledged, `R`esolved.
pub fn assert_are_one(alerts: &[Alert], statuses: &str) {
    let first = &alerts[0];
    assert!(alerts.iter().all(|alert| alert.title == first.title), "{alerts:?}");
    assert!(alerts.iter().all(|alert| alert.fingerprint == first.fingerprint), "{alerts:?}");
    let letter = |alert: &Alert| match alert.status {
        AlertStatus::Firing => 'F',
        AlertStatus::Acknowledged => 'A',
        AlertStatus::Resolved => 'R',
    };
    assert_eq!(alerts.iter().map(letter).collect::<String>(), statuses, "{}", first.title);
}

/// Fails unless the alert keeps all limits.
pub fn assert_is_bounded(alert: &Alert) {
    assert!(!alert.title.is_empty() && alert.title.chars().count() <= limits::TITLE_CHARS);
    assert!(alert.text.len() <= limits::TEXT_BYTES && alert.logs.len() <= limits::LOG_LINES);
    assert!(alert.labels.len() <= limits::LABELS && alert.fingerprint.len() == 16);
}

/// Puts `with` in the place of the value number `at`, counted through the whole tree.
pub fn replace(value: &mut Value, at: &mut usize, with: &Value) {
    if *at == 0 {
        *value = with.clone();
    }
    *at = at.wrapping_sub(1);
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| replace(item, at, with)),
        Value::Object(fields) => fields.values_mut().for_each(|field| replace(field, at, with)),
        _ => {}
    }
}
