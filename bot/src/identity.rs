//! Which incident something belongs to.
//!
//! In this order: the incident in which this alert fired last (by fingerprint), the one of its group, the open one in the same
//! place with an alert of this name when one of the two is a post in a chat, the one with the same failure
//! (by signature) in the same place. One that is over counts for `incidents.reopen_hours`.

use std::collections::BTreeMap;

use clew_adapters::alerts::Alert;
use clew_pipeline::models::hex;
use sha2::{Digest, Sha256};

use crate::clock::Time;
use crate::incident::{Earlier, Incident};
use crate::store::{Store, StoreError};

/// Labels that say where something is. Two incidents that say different places are two, however alike they are.
const PLACE: [&str; 8] =
    ["cluster", "environment", "env", "namespace", "kubernetes_namespace", "region", "stage", "tenant"];

/// What is known of something that may belong to an incident.
#[derive(Debug, Clone, Copy)]
pub struct Traits<'a> {
    /// The alert, if it is one.
    pub alert: Option<&'a Alert>,
    /// Whether the alert was posted in a chat, where the same one may be told of by its sender as well.
    pub is_post: bool,
    /// Service that it is about.
    pub service: Option<&'a str>,
    /// Its labels.
    pub labels: &'a BTreeMap<String, String>,
    /// What tells its failure from others; empty when that is not known yet.
    pub signature: &'a [u64],
}

/// From when on an incident that was over counts as the same.
#[derive(Debug, Clone, Copy)]
pub struct Window(pub Time);

impl Window {
    /// The window that reaches back from `now`.
    #[must_use]
    pub fn until(now: Time, hours: u32) -> Self {
        Self(now - chrono::Duration::hours(i64::from(hours)))
    }

    fn holds(self, incident: &Incident) -> bool {
        incident.resolved_at.is_none_or(|at| at >= self.0)
    }
}

/// The incident that `traits` belong to, if there is one.
///
/// # Errors
/// When the store fails.
pub fn incident_of(store: &Store, traits: &Traits, window: Window) -> Result<Option<Incident>, StoreError> {
    if let Some(alert) = traits.alert {
        if let Some(latest) = store.latest(&alert.fingerprint)?
            && let Some(incident) = store.incident(latest.incident)?.filter(|incident| window.holds(incident))
        {
            return Ok(Some(incident));
        }
        if let Some(group) = &alert.group
            && let Some(id) = store.group(group)?
            && let Some(incident) = store.incident(id)?.filter(|incident| window.holds(incident))
        {
            return Ok(Some(incident));
        }
        // Two posts about one alert need not have the same fingerprint: not every one says all.
        for was_post in [false, true].into_iter().filter(|was_post| traits.is_post || *was_post) {
            if let Some(id) = store.group(&name_of(alert, was_post))?
                && let Some(incident) = store.incident(id)?.filter(Incident::is_active)
                && is_same_place(&incident, traits)
            {
                return Ok(Some(incident));
            }
        }
    }
    let alike = store.same_failure(traits.signature)?;
    Ok(alike.into_iter().find(|incident| window.holds(incident) && is_same_place(incident, traits)))
}

/// The name under which an alert is found that is told of twice, by its sender and by a post in a chat. It is kept like that
/// of a group.
#[must_use]
pub fn name_of(alert: &Alert, is_post: bool) -> String {
    let name = alert.labels.get("alertname").unwrap_or(&alert.title).trim().to_lowercase();
    format!("{}:{name}", if is_post { "posted" } else { "told" })
}

/// The same failure in the same place before `window`.
///
/// # Errors
/// When the store fails.
pub fn earlier(store: &Store, traits: &Traits, window: Window) -> Result<Option<Earlier>, StoreError> {
    let mut before: Vec<Incident> = store
        .same_failure(traits.signature)?
        .into_iter()
        .filter(|incident| !window.holds(incident) && is_same_place(incident, traits))
        .collect();
    before.sort_by_key(|incident| std::cmp::Reverse(incident.id));
    let fixed_by = before.iter().find_map(|incident| incident.resolution.as_ref().map(|r| r.fix.clone()));
    let counted = before.len() as u64;
    let Some((last, first)) = before.first().zip(before.last()) else { return Ok(None) };
    let (count, since) = match &last.earlier {
        // The one before knows of those that are forgotten by now.
        Some(known) if known.count + 1 > counted => (known.count + 1, known.since),
        _ => (counted, first.opened_at),
    };
    let fixed_by = fixed_by.or_else(|| last.earlier.as_ref().and_then(|known| known.fixed_by.clone()));
    Ok(Some(Earlier { count, since, last: last.id, fixed_by }))
}

/// The incidents with the same failure in the same place as this one, besides itself.
///
/// # Errors
/// When the store fails.
pub fn others(store: &Store, incident: &Incident) -> Result<Vec<Incident>, StoreError> {
    let traits = Traits {
        alert: None,
        is_post: false,
        service: incident.service.as_deref(),
        labels: &incident.labels,
        signature: &incident.signature,
    };
    let mut others = store.same_failure(&incident.signature)?;
    others.retain(|other| other.id != incident.id && is_same_place(other, &traits));
    Ok(others)
}

/// Whether nothing says that the two are in different places.
fn is_same_place(incident: &Incident, traits: &Traits) -> bool {
    let same = |a: Option<&str>, b: Option<&str>| a.zip(b).is_none_or(|(a, b)| a == b);
    let label = |labels: &BTreeMap<String, String>, key: &str| labels.get(key).cloned();
    same(incident.service.as_deref(), traits.service)
        && PLACE.iter().all(|key| same(label(&incident.labels, key).as_deref(), label(traits.labels, key).as_deref()))
}

/// What the tickets of an incident are found by, wherever they are: the same for the same failure in the same place, whichever
/// Clew saw it.
#[must_use]
pub fn marker(incident: &Incident) -> String {
    let mut hash = Sha256::new();
    let mut part = |text: &str| {
        hash.update(text.len().to_be_bytes());
        hash.update(text.as_bytes());
    };
    part(incident.service.as_deref().unwrap_or_default());
    for key in PLACE {
        part(incident.labels.get(key).map_or("", String::as_str));
    }
    if incident.signature.is_empty() {
        part(&incident.title);
    }
    for template in &incident.signature {
        part(&template.to_string());
    }
    format!("clew-{}", hex(&hash.finalize()[..8]))
}
