//! Alerts that come in, by whatever way: secrets are taken out before anything is kept; what is kept is worked off later.

use clew_adapters::alerts::{Alert, Delivery};
use clew_pipeline::Pipeline;

use crate::app::App;
use crate::queue::Work;
use crate::store::{Accepted, Batch, StoreError};

/// Takes secrets out of everything that a delivery says.
pub fn redact_all(app: &App, delivery: &mut Delivery) {
    for alert in &mut delivery.alerts {
        redact(&app.pipeline, alert);
        // A group is named after its labels, with what they hold; redacted, two groups could become one.
        alert.group = alert.group.take().map(|group| app.store.name_of(&["group", &group]));
    }
}

/// Keeps a delivery, and has its alerts put into incidents. One without alerts asks for nothing.
///
/// # Errors
/// When the store fails.
pub fn accept(batch: &mut Batch<'_>, accepted: Accepted) -> Result<(), StoreError> {
    if accepted.delivery.alerts.is_empty() {
        return Ok(());
    }
    let at = accepted.at;
    let delivery = batch.accept(&accepted)?;
    batch.job(Work::TriageAlerts { delivery }, false, at)
}

/// Takes secrets out of everything that an alert says.
pub fn redact(pipeline: &Pipeline, alert: &mut Alert) {
    let clean = |text: &mut String| *text = pipeline.redact(text);
    clean(&mut alert.title);
    clean(&mut alert.text);
    for text in [&mut alert.service, &mut alert.url, &mut alert.runbook_url].into_iter().flatten() {
        clean(text);
    }
    alert.labels.values_mut().chain(alert.values.values_mut()).for_each(clean);
    // All at once: what is secret in a line may be told by the one before it.
    let logs = pipeline.redact(&alert.logs.join("\n"));
    if !alert.logs.is_empty() {
        alert.logs = logs.split('\n').map(str::to_owned).collect();
    }
}
