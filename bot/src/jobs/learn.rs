//! Makes a resolved incident a knowledge entry: what fixed it is found the next time.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use clew_pipeline::knowledge::collection::LEARNED;
use clew_pipeline::knowledge::document::Entry;

use crate::app::App;
use crate::clock;
use crate::incident::{Actor, EventKind, Incident, IncidentId};
use crate::ledger;
use crate::queue::{Job, JobError};
use crate::store::StoreError;

/// Evidence lines that become symptoms.
const SYMPTOMS: usize = 6;

/// Writes the entry of an incident, or writes it anew.
///
/// # Errors
/// When the file cannot be written or the store fails.
pub fn run(app: &Arc<App>, job: &Job, id: IncidentId) -> Result<(), JobError> {
    // What was done in a try before is not done again: this very job is removed with it.
    if app.store.job(job.id)?.is_none() {
        return Ok(());
    }
    let Some(incident) = app.store.incident(id)? else { return Ok(()) };
    let folder = app.config().data.dir.join("knowledge").join(LEARNED);
    let Some(entry) = entry(app, &incident)? else {
        return forget(&folder.join(format!("{id}.md")));
    };
    let write = || {
        std::fs::create_dir_all(&folder)?;
        // Beside it and renamed: whoever reads the folder meanwhile sees the old entry or the new one.
        let temporary = folder.join(format!("{id}.new"));
        std::fs::write(&temporary, &entry)?;
        std::fs::File::open(&temporary)?.sync_all()?;
        std::fs::rename(&temporary, folder.join(format!("{id}.md")))
    };
    write().map_err(|error| failed(&folder, &error))?;
    app.store.change(|batch| {
        if let Some(incident) = batch.store.incident(id)? {
            let mut change = incident.change(&Actor::bot(), clock::now());
            change.note(EventKind::Learned, "what fixed it is known from now on");
            ledger::record(batch, change, clock::now())?;
        }
        batch.finish(job)
    })?;
    Ok(())
}

/// What fixed it did not: the entry goes.
fn forget(file: &Path) -> Result<(), JobError> {
    match std::fs::remove_file(file) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(failed(file, &error)),
        _ => Ok(()),
    }
}

fn failed(path: &Path, error: &std::io::Error) -> JobError {
    JobError::Retry { why: format!("{}: {error}", path.display()), after: None, lane: false }
}

/// The text of the entry. Nothing when nobody said what fixed it.
fn entry(app: &App, incident: &Incident) -> Result<Option<String>, StoreError> {
    let Some(resolution) = &incident.resolution else { return Ok(None) };
    let verdict = app.store.verdict(incident.id)?.unwrap_or_default();
    let texts = |list: &str| -> Vec<String> {
        let lines = verdict[list].as_array().into_iter().flatten();
        lines.filter_map(|line| line["text"].as_str()?.lines().next().map(str::to_owned)).collect()
    };
    let mut symptoms = texts("evidence");
    if symptoms.is_empty() {
        symptoms = texts("anomalies");
    }
    symptoms.truncate(SYMPTOMS);
    let technology: Vec<String> = verdict["technologies"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|name| name.as_str().map(str::to_owned))
        .collect();
    let said = incident.verdict.as_ref().map(|verdict| verdict.root_cause_id.clone());
    let root_cause = incident.corrected.clone().or(said).filter(|id| id != "unknown");
    let mut tags: Vec<String> = incident.service.iter().cloned().collect();
    tags.extend(incident.labels.get("alertname").cloned());
    let mut body = String::from("## Symptoms\n");
    for line in std::iter::once(&incident.title).chain(&symptoms) {
        let _ = writeln!(body, "- {}", line.replace(['\n', '\r'], " "));
    }
    if !resolution.cause.is_empty() {
        let _ = write!(body, "\n## Cause\n{}\n", resolution.cause);
    }
    if !resolution.fix.is_empty() {
        let _ = write!(body, "\n## Fix\n- {}\n", resolution.fix.replace(['\n', '\r'], " "));
    }
    let entry = Entry {
        id: incident.id.to_string(),
        title: incident.title.clone(),
        root_cause,
        technology,
        severity: Some(incident.severity.name().to_owned()),
        resolution: if resolution.fix.is_empty() { resolution.cause.clone() } else { resolution.fix.clone() },
        tags,
    };
    Ok(Some(entry.to_markdown(&body)))
}
