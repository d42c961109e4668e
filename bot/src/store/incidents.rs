//! Incidents and their alerts.

use clew_adapters::alerts::Severity;
use clew_adapters::chat::Place;
use clew_pipeline::signature;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Batch, Store, StoreError, Tree};
use crate::clock::Time;
use crate::incident::{AlertRecord, Event, Incident, IncidentId, State};

/// Incidents with a template in common that are looked at when one like another is looked for.
const MAX_CANDIDATES: usize = 50;
/// Incidents that one request for a page looks at.
const MAX_SCANNED: usize = 20_000;

/// Which incidents a list shall show.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// In one of these states; empty: in any.
    pub states: Vec<State>,
    /// Of one of these severities; empty: of any.
    pub severities: Vec<Severity>,
    /// About this service.
    pub service: Option<String>,
    /// With this text in title, service, root cause, owner or resolution, whatever its case.
    pub text: Option<String>,
    /// That began at this time or later.
    pub since: Option<Time>,
    /// That began before this time.
    pub until: Option<Time>,
}

/// A part of a list.
#[derive(Debug, Clone)]
pub struct Page<T> {
    /// What is in it.
    pub items: Vec<T>,
    /// Where the next part begins; `None`: this was the last.
    pub next: Option<String>,
}

/// The latest firing of an alert.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Latest {
    /// When it began.
    pub starts_at: String,
    /// Incident that it is in.
    pub incident: IncidentId,
}

impl Filter {
    fn fits(&self, incident: &Incident) -> bool {
        let has = |field: Option<&str>, text: &str| field.is_some_and(|field| field.to_lowercase().contains(text));
        (self.states.is_empty() || self.states.contains(&incident.state))
            && (self.severities.is_empty() || self.severities.contains(&incident.severity))
            && self.service.as_ref().is_none_or(|service| incident.service.as_ref() == Some(service))
            && self.since.is_none_or(|since| incident.opened_at >= since)
            && self.until.is_none_or(|until| incident.opened_at < until)
            && self.text.as_ref().is_none_or(|text| {
                let text = text.to_lowercase();
                has(Some(&incident.title), &text)
                    || has(Some(&incident.id.to_string()), &text)
                    || has(incident.service.as_deref(), &text)
                    || has(incident.owner.as_deref(), &text)
                    || has(incident.verdict.as_ref().map(|verdict| verdict.root_cause.as_str()), &text)
                    || has(incident.resolution.as_ref().map(|resolution| resolution.fix.as_str()), &text)
                    || has(incident.resolution.as_ref().map(|resolution| resolution.cause.as_str()), &text)
            })
    }
}

fn event_key(incident: IncidentId, number: u64) -> [u8; 16] {
    let mut key = [0; 16];
    key[..8].copy_from_slice(&incident.0.to_be_bytes());
    key[8..].copy_from_slice(&number.to_be_bytes());
    key
}

fn alert_key(fingerprint: &str, starts_at: &str) -> Vec<u8> {
    [fingerprint.as_bytes(), &[0], starts_at.as_bytes()].concat()
}

fn thread_key(platform: &str, place: &Place) -> Vec<u8> {
    [platform, "\0", &place.channel, "\0", place.thread.as_deref().unwrap_or_default()].concat().into_bytes()
}

impl Batch<'_> {
    /// The number of the next incident.
    ///
    /// # Errors
    /// When the store fails.
    pub fn next_incident(&mut self) -> Result<IncidentId, StoreError> {
        let last: u64 = self.store.get(Tree::Meta, "last_incident")?.unwrap_or(0);
        self.put(Tree::Meta, "last_incident", &(last + 1))?;
        Ok(IncidentId(last + 1))
    }

    /// Writes an incident as it now is, and what happened to it.
    ///
    /// # Errors
    /// When the store fails.
    pub fn incident(&mut self, mut incident: Incident, events: &[Event]) -> Result<Incident, StoreError> {
        for event in events {
            incident.events += 1;
            self.put(Tree::Events, event_key(incident.id, incident.events), event)?;
        }
        for template in &incident.signature {
            let key = [template.to_be_bytes(), (!incident.id.0).to_be_bytes()].concat();
            self.put_bytes(Tree::Templates, key, Vec::new());
        }
        self.put(Tree::Incidents, incident.id.0.to_be_bytes(), &incident)?;
        Ok(incident)
    }

    /// Writes a firing of an alert.
    ///
    /// # Errors
    /// When the store fails.
    pub fn alert(&mut self, record: &AlertRecord) -> Result<(), StoreError> {
        let key = alert_key(&record.fingerprint, &record.starts_at);
        let in_incident = [record.incident.0.to_be_bytes().as_slice(), &key].concat();
        self.put(Tree::Alerts, key, record)?;
        self.put_bytes(Tree::IncidentAlerts, in_incident, Vec::new());
        let known = self.store.latest(&record.fingerprint)?;
        if known.is_none_or(|known| known.starts_at <= record.starts_at) {
            let latest = Latest { starts_at: record.starts_at.clone(), incident: record.incident };
            self.put(Tree::Fingerprints, &record.fingerprint, &latest)?;
        }
        Ok(())
    }

    /// Notes which incident a group of alerts is in.
    ///
    /// # Errors
    /// When the store fails.
    pub fn group(&mut self, group: &str, incident: IncidentId) -> Result<(), StoreError> {
        self.put(Tree::Groups, group, &incident)
    }

    /// Notes which incident a thread of a chat platform is about.
    ///
    /// # Errors
    /// When the store fails.
    pub fn thread(&mut self, platform: &str, place: &Place, incident: IncidentId) -> Result<(), StoreError> {
        self.put(Tree::Threads, thread_key(platform, place), &incident)
    }

    /// Keeps the whole verdict of an incident and the redacted text it rests on.
    ///
    /// # Errors
    /// When the store fails.
    pub fn verdict(&mut self, incident: IncidentId, verdict: &Value, text: &str) -> Result<(), StoreError> {
        self.put(Tree::Verdicts, incident.0.to_be_bytes(), verdict)?;
        self.put_bytes(Tree::Texts, incident.0.to_be_bytes(), text.as_bytes().to_vec());
        Ok(())
    }

    /// Forgets an incident with all that belongs to it.
    ///
    /// # Errors
    /// When the store fails.
    pub fn forget(&mut self, incident: &Incident) -> Result<(), StoreError> {
        let id = incident.id.0.to_be_bytes();
        for key in self.store.tree(Tree::Events).scan_prefix(id).keys() {
            self.remove(Tree::Events, key?);
        }
        for key in self.store.tree(Tree::IncidentAlerts).scan_prefix(id).keys() {
            let key = key?;
            let alert = &key[8..];
            self.remove(Tree::Alerts, alert);
            let fingerprint = alert.split(|byte| *byte == 0).next().unwrap_or_default();
            if self.store.get::<Latest>(Tree::Fingerprints, fingerprint)?.is_some_and(|l| l.incident == incident.id) {
                self.remove(Tree::Fingerprints, fingerprint);
            }
            self.remove(Tree::IncidentAlerts, &key);
        }
        for template in &incident.signature {
            self.remove(Tree::Templates, [template.to_be_bytes(), (!incident.id.0).to_be_bytes()].concat());
        }
        for (platform, home) in &incident.homes {
            if let Some(card) = &home.card {
                self.remove(Tree::Threads, thread_key(platform, &card.thread()));
            }
        }
        for (platform, thread) in &incident.threads {
            self.remove(Tree::Threads, thread_key(platform, thread));
        }
        self.forget_followed(incident)?;
        for tree in [Tree::Verdicts, Tree::Texts, Tree::Incidents] {
            self.remove(tree, id);
        }
        Ok(())
    }
}

impl Store {
    /// An incident.
    ///
    /// # Errors
    /// When the store fails.
    pub fn incident(&self, id: IncidentId) -> Result<Option<Incident>, StoreError> {
        self.get(Tree::Incidents, id.0.to_be_bytes())
    }

    /// What happened to an incident after event number `after`, oldest first, with their numbers.
    ///
    /// # Errors
    /// When the store fails.
    pub fn events(&self, id: IncidentId, after: u64, limit: usize) -> Result<Page<(u64, Event)>, StoreError> {
        let (from, to) = (event_key(id, after.saturating_add(1)), event_key(id, u64::MAX));
        let mut items = Vec::new();
        for entry in self.tree(Tree::Events).range(from..=to).take(limit + 1) {
            let (key, value) = entry?;
            let number = key[8..].try_into().map_or(0, u64::from_be_bytes);
            items.push((number, serde_json::from_slice(&value)?));
        }
        let more = items.len() > limit;
        items.truncate(limit);
        let next = items.last().filter(|_| more).map(|(number, _)| number.to_string());
        Ok(Page { items, next })
    }

    /// The alerts of an incident, from the one after `after` on.
    ///
    /// # Errors
    /// When the store fails.
    pub fn alerts(&self, id: IncidentId, after: &str, limit: usize) -> Result<Page<AlertRecord>, StoreError> {
        let prefix = id.0.to_be_bytes();
        let after = clew_pipeline::models::from_hex(after).unwrap_or_default();
        let from = [prefix.as_slice(), &after].concat();
        let mut keys = Vec::new();
        for key in self.tree(Tree::IncidentAlerts).range(from.clone()..).keys() {
            let key = key?;
            if !key.starts_with(&prefix) || keys.len() > limit {
                break;
            }
            if after.is_empty() || key.as_ref() > from.as_slice() {
                keys.push(key);
            }
        }
        let more = keys.len() > limit;
        keys.truncate(limit);
        let next = keys.last().filter(|_| more).map(|key| clew_pipeline::models::hex(&key[8..]));
        let items = keys.iter().filter_map(|key| self.get(Tree::Alerts, &key[8..]).transpose());
        Ok(Page { items: items.collect::<Result<_, _>>()?, next })
    }

    /// A firing of an alert.
    ///
    /// # Errors
    /// When the store fails.
    pub fn alert(&self, fingerprint: &str, starts_at: &str) -> Result<Option<AlertRecord>, StoreError> {
        self.get(Tree::Alerts, alert_key(fingerprint, starts_at))
    }

    /// The latest firing of an alert.
    ///
    /// # Errors
    /// When the store fails.
    pub fn latest(&self, fingerprint: &str) -> Result<Option<Latest>, StoreError> {
        self.get(Tree::Fingerprints, fingerprint)
    }

    /// The incident that a group of alerts was last in.
    ///
    /// # Errors
    /// When the store fails.
    pub fn group(&self, group: &str) -> Result<Option<IncidentId>, StoreError> {
        self.get(Tree::Groups, group)
    }

    /// The incident that a thread of a chat platform is about.
    ///
    /// # Errors
    /// When the store fails.
    pub fn incident_in_thread(&self, platform: &str, place: &Place) -> Result<Option<IncidentId>, StoreError> {
        if place.thread.is_none() {
            return Ok(None);
        }
        self.get(Tree::Threads, thread_key(platform, place))
    }

    /// The whole verdict of an incident.
    ///
    /// # Errors
    /// When the store fails.
    pub fn verdict(&self, id: IncidentId) -> Result<Option<Value>, StoreError> {
        self.get(Tree::Verdicts, id.0.to_be_bytes())
    }

    /// The redacted text that the verdict of an incident rests on.
    ///
    /// # Errors
    /// When the store fails.
    pub fn text(&self, id: IncidentId) -> Result<String, StoreError> {
        let text = self.tree(Tree::Texts).get(id.0.to_be_bytes())?;
        Ok(text.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default())
    }

    /// Incidents with the same failure, the latest first.
    ///
    /// # Errors
    /// When the store fails.
    pub fn same_failure(&self, templates: &[u64]) -> Result<Vec<Incident>, StoreError> {
        let mut ids: Vec<IncidentId> = Vec::new();
        for template in templates {
            for key in self.tree(Tree::Templates).scan_prefix(template.to_be_bytes()).keys().take(MAX_CANDIDATES) {
                let key = key?;
                ids.push(IncidentId(!key[8..].try_into().map_or(0, u64::from_be_bytes)));
            }
        }
        ids.sort_unstable_by(|a, b| b.cmp(a));
        ids.dedup();
        let mut found = Vec::new();
        for id in ids.into_iter().take(MAX_CANDIDATES) {
            found.extend(self.incident(id)?.filter(|incident| signature::is_same(&incident.signature, templates)));
        }
        Ok(found)
    }

    /// The incidents that fit, the latest first, from the one before number `before` on. A page may hold fewer than `limit`
    /// although there are more: `next` tells.
    ///
    /// # Errors
    /// When the store fails.
    pub fn incidents(&self, filter: &Filter, before: Option<u64>, limit: usize) -> Result<Page<Incident>, StoreError> {
        let end = before.unwrap_or(u64::MAX).to_be_bytes();
        let (mut items, mut next, mut scanned) = (Vec::new(), None, 0);
        for entry in self.tree(Tree::Incidents).range(..end).rev() {
            let (_, value) = entry?;
            let incident: Incident = serde_json::from_slice(&value)?;
            let id = incident.id;
            if filter.fits(&incident) {
                if items.len() == limit {
                    next = items.last().map(|last: &Incident| last.id.0.to_string());
                    break;
                }
                items.push(incident);
            }
            scanned += 1;
            if scanned == MAX_SCANNED {
                next = Some(id.0.to_string());
                break;
            }
        }
        Ok(Page { items, next })
    }
}
