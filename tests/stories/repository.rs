//! What must stay true of the repository itself.

use std::path::{Path, PathBuf};

use clew_tests::{Failure, clew, repository};

use crate::CLEW;

fn sources(folder: &Path, into: &mut Vec<PathBuf>) -> Result<(), Failure> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            sources(&path, into)?;
        } else if path.extension().is_some_and(|e| e == "rs") {
            into.push(path);
        }
    }
    Ok(())
}

#[test]
fn no_vendor_is_named_in_the_core() -> Result<(), Failure> {
    let mut files = Vec::new();
    sources(&repository().join("bot/src"), &mut files)?;
    for file in files {
        let text = std::fs::read_to_string(&file)?;
        // config.rs lists which settings are secret; tests may name what they like.
        if file.ends_with("config.rs") {
            continue;
        }
        let code = text.split("#[cfg(test)]").next().unwrap_or("").to_lowercase();
        for vendor in ["slack", "discord", "jira", "github", "pagerduty"] {
            assert!(!code.contains(vendor), "{} names {vendor}", file.display());
        }
    }
    Ok(())
}

#[test]
fn the_model_files_are_the_ones_in_the_manifest() -> Result<(), Failure> {
    let output = clew(CLEW, &["models", "check"], b"")?;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(())
}

#[test]
fn every_knowledge_entry_can_be_read() -> Result<(), Failure> {
    let (documents, errors) = clew_pipeline::knowledge::document::read_all(&repository().join("knowledge"))?;
    assert!(errors.is_empty(), "{errors:?}");
    assert!(documents.len() >= 40);
    for document in documents {
        assert!(
            !document.symptoms.is_empty() && document.steps.len() >= 4 && !document.resolution.is_empty(),
            "{}",
            document.id
        );
    }
    Ok(())
}

#[test]
fn the_training_corpus_is_wide_and_its_ids_are_unique() -> Result<(), Failure> {
    let cases = clew_pipeline::train::read_corpus(&repository().join("models/root_cause/corpus"))?;
    assert!(cases.len() >= 1_500);
    let mut ids: Vec<&str> = cases.iter().map(|case| case.id.as_str()).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), cases.len());
    for label in &clew_pipeline::root_cause::label::LABELS {
        assert!(cases.iter().filter(|case| case.label == label.id).count() >= 40, "{}", label.id);
    }
    Ok(())
}
