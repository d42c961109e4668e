//! Removing what is older than the settings keep, so that the store stays bounded.

use super::{Store, StoreError, Tree};
use crate::clock::Time;
use crate::config::Retention;
use crate::incident::{Incident, IncidentId};

/// Keys that are removed in one change, so that others get their turn in between.
const AT_ONCE: usize = 500;

/// What was removed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Swept {
    /// Delivery keys.
    pub keys: usize,
    /// Texts of incidents.
    pub texts: usize,
    /// Incidents.
    pub incidents: usize,
    /// Messages of the console chat.
    pub messages: usize,
    /// Dead letters, by number.
    pub dead_letters: Vec<u64>,
}

impl Store {
    /// Removes what is older, at `now`, than `retention` keeps.
    ///
    /// # Errors
    /// When the store fails.
    pub fn sweep(&self, retention: &Retention, now: Time) -> Result<Swept, StoreError> {
        let before = |days: u32| now - chrono::Duration::days(i64::from(days));
        let mut swept = Swept {
            keys: self.sweep_keys(before(retention.key_days))?,
            messages: self.sweep_messages(before(retention.incident_days))?,
            ..Swept::default()
        };
        let mut over: Vec<Incident> = Vec::new();
        for value in self.tree(Tree::Incidents).iter().values() {
            let incident: Incident = serde_json::from_slice(&value?)?;
            let last = incident.resolved_at.map(|at| at.max(incident.updated_at));
            if last.is_some_and(|at| at < before(retention.incident_days)) {
                over.push(incident);
            } else if last.is_some_and(|at| at < before(retention.raw_text_days)) {
                swept.texts += usize::from(self.forget_text(incident.id)?);
            }
        }
        for incident in &over {
            self.change(|batch| batch.forget(incident))?;
        }
        swept.incidents = over.len();
        self.sweep_groups()?;
        for job in self.jobs()? {
            if job.dead && job.due < before(retention.dead_job_days) {
                self.change(|batch| batch.drop_job(&job))?;
                swept.dead_letters.push(job.id);
            }
        }
        Ok(swept)
    }

    fn sweep_keys(&self, before: Time) -> Result<usize, StoreError> {
        let mut old = Vec::new();
        for entry in self.tree(Tree::Deliveries) {
            let (key, at) = entry?;
            if serde_json::from_slice::<Time>(&at)? < before {
                old.push(key);
            }
        }
        self.remove_all(&old.iter().map(|key| (Tree::Deliveries, key.to_vec())).collect::<Vec<_>>())?;
        Ok(old.len())
    }

    fn sweep_messages(&self, before: Time) -> Result<usize, StoreError> {
        use clew_adapters::chat::console::Message;
        let mut old = Vec::new();
        // Numbers rise with time: the first that is young enough ends the search.
        for entry in self.tree(Tree::Messages) {
            let (number, value) = entry?;
            let message: Message = serde_json::from_slice(&value)?;
            if crate::clock::parse(&message.at).is_none_or(|at| at >= before) {
                break;
            }
            old.push((number, message));
        }
        let mut keys = Vec::new();
        for (number, message) in &old {
            keys.push((Tree::Messages, number.to_vec()));
            keys.push((Tree::MessagePlaces, super::messages::place_key(&message.place, number)));
            keys.extend(
                message.key.as_ref().map(|key| (Tree::MessageKeys, super::messages::key_key(&message.place, key))),
            );
        }
        self.remove_all(&keys)?;
        Ok(old.len())
    }

    /// Forgets groups whose incident is gone.
    fn sweep_groups(&self) -> Result<(), StoreError> {
        let mut gone = Vec::new();
        for entry in self.tree(Tree::Groups) {
            let (group, id) = entry?;
            let id: IncidentId = serde_json::from_slice(&id)?;
            if !self.tree(Tree::Incidents).contains_key(id.0.to_be_bytes())? {
                gone.push((Tree::Groups, group.to_vec()));
            }
        }
        self.remove_all(&gone)
    }

    fn forget_text(&self, id: IncidentId) -> Result<bool, StoreError> {
        let key = id.0.to_be_bytes();
        if !self.tree(Tree::Texts).contains_key(key)? {
            return Ok(false);
        }
        self.remove_all(&[(Tree::Texts, key.to_vec())])?;
        Ok(true)
    }

    fn remove_all(&self, keys: &[(Tree, Vec<u8>)]) -> Result<(), StoreError> {
        for part in keys.chunks(AT_ONCE) {
            self.change(|batch| {
                part.iter().for_each(|(tree, key)| batch.remove(*tree, key));
                Ok::<_, StoreError>(())
            })?;
        }
        Ok(())
    }
}
