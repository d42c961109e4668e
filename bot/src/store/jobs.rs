//! Deliveries that were accepted, and the jobs that follow from them and from everything else.

use clew_adapters::alerts::Delivery;
use clew_adapters::chat::Place;
use serde::{Deserialize, Serialize};

use super::{Batch, Store, StoreError, Tree};
use crate::clock::{self, Time};
use crate::queue::{Job, Work};

/// A delivery that was accepted and is worked off by a job.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Accepted {
    /// Name of the format it came in.
    pub format: String,
    /// When it came.
    pub at: Time,
    /// Its alerts, redacted.
    pub delivery: Delivery,
    /// Where somebody posted it, when it came from a chat: the platform and the thread below it.
    #[serde(default)]
    pub posted: Option<(String, Place)>,
}

impl Batch<'_> {
    /// Remembers a delivery key. `false` when it was remembered already: then nothing must be done again.
    ///
    /// # Errors
    /// When the store fails.
    pub fn remember(&mut self, key: &str, at: Time) -> Result<bool, StoreError> {
        if self.store.tree(Tree::Deliveries).contains_key(key)? {
            return Ok(false);
        }
        self.put(Tree::Deliveries, key, &at)?;
        Ok(true)
    }

    /// Keeps an accepted delivery until its alerts are worked off. Returns its number.
    ///
    /// # Errors
    /// When the store fails.
    pub fn accept(&mut self, accepted: &Accepted) -> Result<u64, StoreError> {
        let number = self.store.next_number()?;
        self.put(Tree::Intake, number.to_be_bytes(), accepted)?;
        Ok(number)
    }

    /// Notes that the first `done` alerts of a delivery are worked off.
    ///
    /// # Errors
    /// When the store fails.
    pub fn progress(&mut self, delivery: u64, done: usize) -> Result<(), StoreError> {
        self.put(Tree::Progress, delivery.to_be_bytes(), &done)
    }

    /// Forgets a delivery that is worked off.
    pub fn worked_off(&mut self, delivery: u64) {
        self.remove(Tree::Intake, delivery.to_be_bytes());
        self.remove(Tree::Progress, delivery.to_be_bytes());
    }

    /// Adds a job. When one about the same subject waits or runs already, that one does the work, once more if need be.
    ///
    /// # Errors
    /// When the store fails.
    pub fn job(&mut self, work: Work, urgent: bool, at: Time) -> Result<(), StoreError> {
        let subject = work.subject();
        if subject.is_some() && self.tells(&work) {
            return Ok(());
        }
        let same = match &subject {
            Some(subject) => self.store.get::<u64>(Tree::JobSubjects, subject)?,
            None => None,
        };
        let waiting = match same {
            Some(id) => self.store.job(id)?.filter(|job| !job.dead),
            None => None,
        };
        let job = match waiting {
            Some(job) => Job { round: job.round + 1, urgent: job.urgent || urgent, ..job },
            None => Job {
                id: self.store.next_number()?,
                work,
                urgent,
                round: 0,
                tries: 0,
                created: at,
                due: at,
                error: None,
                dead: false,
                from_before: false,
            },
        };
        if let Some(subject) = subject {
            self.put(Tree::JobSubjects, subject, &job.id)?;
        }
        self.put(Tree::Jobs, job.id.to_be_bytes(), &job)?;
        self.tell(job);
        Ok(())
    }

    /// Removes a job that is done, unless more work for it came meanwhile: then it is told again.
    ///
    /// # Errors
    /// When the store fails.
    pub fn finish(&mut self, job: &Job) -> Result<(), StoreError> {
        match self.store.job(job.id)? {
            None => {}
            Some(now) if now.round > job.round => {
                let again = Job { tries: 0, error: None, created: clock::now(), ..now };
                self.put(Tree::Jobs, again.id.to_be_bytes(), &again)?;
                self.tell(again);
            }
            Some(now) => self.drop_job(&now)?,
        }
        Ok(())
    }

    /// Keeps a job for another try, or as a dead letter. Returns it as it is kept.
    ///
    /// # Errors
    /// When the store fails.
    pub fn keep_job(&mut self, job: &Job) -> Result<(), StoreError> {
        let round = self.store.job(job.id)?.map_or(job.round, |now| now.round);
        let kept = Job { round, ..job.clone() };
        self.put(Tree::Jobs, kept.id.to_be_bytes(), &kept)?;
        self.tell(kept);
        Ok(())
    }

    /// Removes a job for good.
    ///
    /// # Errors
    /// When the store fails.
    pub fn drop_job(&mut self, job: &Job) -> Result<(), StoreError> {
        self.remove(Tree::Jobs, job.id.to_be_bytes());
        if let Some(subject) = job.work.subject()
            && self.store.get::<u64>(Tree::JobSubjects, &subject)? == Some(job.id)
        {
            self.remove(Tree::JobSubjects, subject);
        }
        Ok(())
    }
}

impl Store {
    /// A delivery that is not worked off yet, with the number of its alerts that are.
    ///
    /// # Errors
    /// When the store fails.
    pub fn accepted(&self, number: u64) -> Result<Option<(Accepted, usize)>, StoreError> {
        let done = self.get(Tree::Progress, number.to_be_bytes())?.unwrap_or(0);
        Ok(self.get(Tree::Intake, number.to_be_bytes())?.map(|accepted| (accepted, done)))
    }

    /// A job.
    ///
    /// # Errors
    /// When the store fails.
    pub fn job(&self, id: u64) -> Result<Option<Job>, StoreError> {
        self.get(Tree::Jobs, id.to_be_bytes())
    }

    /// All jobs, oldest first.
    ///
    /// # Errors
    /// When the store fails.
    pub fn jobs(&self) -> Result<Vec<Job>, StoreError> {
        self.tree(Tree::Jobs).iter().values().map(|bytes| Ok(serde_json::from_slice(&bytes?)?)).collect()
    }

    /// Tries a dead letter again. `false` when there is no such dead letter.
    ///
    /// # Errors
    /// When the store fails.
    pub fn revive(&self, id: u64) -> Result<bool, StoreError> {
        self.change(|batch| {
            let Some(job) = self.job(id)?.filter(|job| job.dead) else { return Ok(false) };
            batch.keep_job(&Job { dead: false, tries: 0, due: clock::now(), ..job })?;
            Ok(true)
        })
    }

    /// Removes a dead letter. `false` when there is no such dead letter.
    ///
    /// # Errors
    /// When the store fails.
    pub fn discard(&self, id: u64) -> Result<bool, StoreError> {
        self.change(|batch| {
            let Some(job) = self.job(id)?.filter(|job| job.dead) else { return Ok(false) };
            batch.drop_job(&job)?;
            Ok(true)
        })
    }
}
