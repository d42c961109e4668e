//! Tickets of this program itself; and which incidents the tickets and pull requests outside belong to.

use std::time::Duration;

use clew_adapters::Error;
use clew_adapters::trackers::local::{Kept, Tickets};
use clew_adapters::trackers::{Category, Draft};
use serde::{Deserialize, Serialize};

use super::{Batch, Store, StoreError, Tree};
use crate::clock::{self, Time};
use crate::incident::{Incident, IncidentId};

/// Own tickets that are looked at, the latest, when those that changed are asked for. Whoever changes one has it followed at
/// once; this is for what a crash came in between.
const LOOKED_AT: usize = 200;

/// A pull request that names incidents.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownPull {
    /// Which.
    pub incidents: Vec<IncidentId>,
    /// Whether it may still change much.
    pub is_open: bool,
    /// Its last commit.
    pub head: String,
    /// When it last changed, as far as is known.
    pub updated_at: String,
}

fn pair(first: &str, second: &str) -> Vec<u8> {
    [first, "\0", second].concat().to_lowercase().into_bytes()
}

impl Batch<'_> {
    /// Notes that a ticket belongs to an incident.
    ///
    /// # Errors
    /// When the store fails.
    pub fn ticket_of(&mut self, tracker: &str, key: &str, incident: IncidentId) -> Result<(), StoreError> {
        let mut incidents = self.store.incidents_of_ticket(tracker, key)?;
        if !incidents.contains(&incident) {
            incidents.push(incident);
            self.put(Tree::TicketIncidents, pair(tracker, key), &incidents)?;
        }
        Ok(())
    }

    /// Notes what is known of a pull request.
    ///
    /// # Errors
    /// When the store fails.
    pub fn pull(&mut self, repo: &str, number: u64, known: &KnownPull) -> Result<(), StoreError> {
        self.put(Tree::Pulls, pair(repo, &number.to_string()), known)
    }

    /// Forgets that tickets and pull requests belong to an incident that is forgotten.
    ///
    /// # Errors
    /// When the store fails.
    pub(super) fn forget_followed(&mut self, incident: &Incident) -> Result<(), StoreError> {
        for (tracker, linked) in &incident.followed.tickets {
            let Some(ticket) = &linked.ticket else { continue };
            let mut incidents = self.store.incidents_of_ticket(tracker, &ticket.key)?;
            incidents.retain(|id| *id != incident.id);
            let key = pair(tracker, &ticket.key);
            if incidents.is_empty() {
                self.remove(Tree::TicketIncidents, key);
            } else {
                self.put(Tree::TicketIncidents, key, &incidents)?;
            }
        }
        for linked in &incident.followed.pulls {
            let (repo, number) = (&linked.pull.repo, linked.pull.number);
            let mut known = self.store.pull(repo, number)?;
            known.incidents.retain(|id| *id != incident.id);
            if known.incidents.is_empty() {
                self.remove(Tree::Pulls, pair(repo, &number.to_string()));
            } else {
                self.pull(repo, number, &known)?;
            }
        }
        Ok(())
    }

    /// Notes that everything which changed at `system` until `at` is known.
    ///
    /// # Errors
    /// When the store fails.
    pub fn followed_until(&mut self, system: &str, at: Time) -> Result<(), StoreError> {
        self.put(Tree::Meta, format!("followed/{system}"), &at)
    }
}

impl Store {
    /// The incidents of a ticket.
    ///
    /// # Errors
    /// When the store fails.
    pub fn incidents_of_ticket(&self, tracker: &str, key: &str) -> Result<Vec<IncidentId>, StoreError> {
        Ok(self.get(Tree::TicketIncidents, pair(tracker, key))?.unwrap_or_default())
    }

    /// Whether any ticket of a tracker belongs to an incident.
    ///
    /// # Errors
    /// When the store fails.
    pub fn has_tickets(&self, tracker: &str) -> Result<bool, StoreError> {
        Ok(self.tree(Tree::TicketIncidents).scan_prefix(pair(tracker, "")).next().transpose()?.is_some())
    }

    /// What is known of a pull request.
    ///
    /// # Errors
    /// When the store fails.
    pub fn pull(&self, repo: &str, number: u64) -> Result<KnownPull, StoreError> {
        Ok(self.get(Tree::Pulls, pair(repo, &number.to_string()))?.unwrap_or_default())
    }

    /// The open pull requests that name incidents: repository, number, and what is known.
    ///
    /// # Errors
    /// When the store fails.
    pub fn open_pulls(&self) -> Result<Vec<(String, u64, KnownPull)>, StoreError> {
        let mut open = Vec::new();
        for entry in self.tree(Tree::Pulls) {
            let (key, value) = entry?;
            let known: KnownPull = serde_json::from_slice(&value)?;
            let key = String::from_utf8_lossy(&key).into_owned();
            if let Some((repo, number)) = key.split_once('\0').filter(|_| known.is_open)
                && let Ok(number) = number.parse()
            {
                open.push((repo.to_owned(), number, known));
            }
        }
        Ok(open)
    }

    /// Until when everything that changed at `system` is known.
    ///
    /// # Errors
    /// When the store fails.
    pub fn followed_until(&self, system: &str) -> Result<Option<Time>, StoreError> {
        self.get(Tree::Meta, format!("followed/{system}"))
    }

    /// Own tickets, the latest first: at most `limit` with numbers below `before`.
    ///
    /// # Errors
    /// When the store fails.
    pub fn tickets(&self, before: Option<u64>, limit: usize) -> Result<Vec<Kept>, StoreError> {
        let end = before.unwrap_or(u64::MAX).to_be_bytes();
        let tickets = self.tree(Tree::Tickets).range(..end).values().rev().take(limit);
        tickets.map(|bytes| Ok(serde_json::from_slice(&bytes?)?)).collect()
    }
}

fn marker_key(marker: &str, number: u64) -> Vec<u8> {
    [marker.as_bytes(), &[0], &number.to_be_bytes()].concat()
}

fn now() -> String {
    clock::now().to_rfc3339_opts(chrono::SecondsFormat::Millis, true)
}

fn failed(error: StoreError) -> Error {
    Error::Transient { why: error.to_string(), retry_after: None }
}

impl Tickets for Store {
    fn add(&self, draft: &Draft) -> Result<Kept, Error> {
        let add = |batch: &mut Batch<'_>| {
            let last: u64 = Store::get(self, Tree::Meta, "last_ticket")?.unwrap_or(0);
            let (number, now) = (last + 1, now());
            let kept = Kept {
                number,
                marker: draft.marker.clone(),
                title: draft.title.clone(),
                description: draft.description.clone(),
                severity: draft.severity,
                category: Category::ToDo,
                assignee: draft.assignee.as_ref().map(|account| account.name.clone()),
                comments: Vec::new(),
                created_at: now.clone(),
                updated_at: now,
            };
            batch.put(Tree::Meta, "last_ticket", &number)?;
            batch.put(Tree::Tickets, number.to_be_bytes(), &kept)?;
            batch.put_bytes(Tree::TicketMarkers, marker_key(&draft.marker, number), Vec::new());
            Ok::<_, StoreError>(kept)
        };
        self.change(add).map_err(failed)
    }

    fn get(&self, number: u64) -> Result<Option<Kept>, Error> {
        Store::get(self, Tree::Tickets, number.to_be_bytes()).map_err(failed)
    }

    fn marked(&self, marker: &str) -> Result<Vec<Kept>, Error> {
        let prefix = [marker.as_bytes(), &[0]].concat();
        let mut marked = Vec::new();
        for entry in self.tree(Tree::TicketMarkers).scan_prefix(&prefix) {
            let (key, _) = entry.map_err(|error| failed(error.into()))?;
            marked.extend(Store::get::<Kept>(self, Tree::Tickets, &key[prefix.len()..]).map_err(failed)?);
        }
        Ok(marked)
    }

    fn changed(&self, within: Duration) -> Result<Vec<Kept>, Error> {
        let since = clock::now() - chrono::Duration::from_std(within).unwrap_or_default();
        let since = since.to_rfc3339_opts(chrono::SecondsFormat::Millis, true);
        let mut changed = self.tickets(None, LOOKED_AT).map_err(failed)?;
        changed.retain(|ticket| ticket.updated_at >= since);
        Ok(changed)
    }

    fn change(&self, number: u64, change: &mut dyn FnMut(&mut Kept, &str)) -> Result<Option<Kept>, Error> {
        let change = |batch: &mut Batch<'_>| {
            let Some(before) = Store::get::<Kept>(self, Tree::Tickets, number.to_be_bytes())? else { return Ok(None) };
            let (mut kept, now) = (before.clone(), now());
            change(&mut kept, &now);
            if kept != before {
                kept.updated_at = now;
                batch.put(Tree::Tickets, number.to_be_bytes(), &kept)?;
            }
            Ok::<_, StoreError>(Some(kept))
        };
        Store::change(self, change).map_err(failed)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use clew_adapters::trackers::conformance::conformance;
    use clew_adapters::trackers::local::Local;

    use super::*;

    #[tokio::test]
    async fn the_tickets_here_are_as_those_of_every_tracker() -> Result<(), Box<dyn std::error::Error>> {
        let directory = tempfile::tempdir()?;
        let (store, _told) = Store::open(directory.path())?;
        conformance(&Local::new(Arc::new(store))).await;
        Ok(())
    }
}
