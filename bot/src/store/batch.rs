//! What is written at once.

use serde::Serialize;
use sled::Transactional;
use sled::transaction::{ConflictableTransactionError, TransactionError};

use super::{Store, StoreError, Tree};
use crate::queue::{Job, Work};

/// A change under way: what will be written in one transaction. Reads go to the store as it is before the change, which
/// nobody else changes meanwhile.
pub struct Batch<'a> {
    /// The store as it is before the change.
    pub store: &'a Store,
    writes: Vec<(Tree, Vec<u8>, Option<Vec<u8>>)>,
    jobs: Vec<Job>,
}

impl<'a> Batch<'a> {
    pub(super) fn new(store: &'a Store) -> Self {
        Self { store, writes: Vec::new(), jobs: Vec::new() }
    }

    pub(super) fn put(&mut self, tree: Tree, key: impl AsRef<[u8]>, value: &impl Serialize) -> Result<(), StoreError> {
        self.put_bytes(tree, key, serde_json::to_vec(value)?);
        Ok(())
    }

    pub(super) fn put_bytes(&mut self, tree: Tree, key: impl AsRef<[u8]>, value: Vec<u8>) {
        self.writes.push((tree, key.as_ref().to_vec(), Some(value)));
    }

    pub(super) fn remove(&mut self, tree: Tree, key: impl AsRef<[u8]>) {
        self.writes.push((tree, key.as_ref().to_vec(), None));
    }

    /// Tells `job` to the queue once the batch is written.
    pub(super) fn tell(&mut self, job: Job) {
        self.jobs.push(job);
    }

    /// Whether this batch adds a job of this very work already.
    pub(super) fn tells(&self, work: &Work) -> bool {
        self.jobs.iter().any(|job| job.work == *work)
    }

    /// Writes all or nothing. Returns the jobs to tell.
    pub(super) fn write(self) -> Result<Vec<Job>, StoreError> {
        let Self { store, mut writes, jobs } = self;
        // Only the last write to a key counts, and sled wants the trees of a transaction one by one.
        writes.sort_by_key(|(tree, _, _)| *tree);
        let mut trees: Vec<Tree> = writes.iter().map(|(tree, _, _)| *tree).collect();
        trees.dedup();
        if trees.is_empty() {
            return Ok(jobs);
        }
        let handles: Vec<&sled::Tree> = trees.iter().map(|tree| store.tree(*tree)).collect();
        handles
            .as_slice()
            .transaction(|views| {
                for (tree, key, value) in &writes {
                    // Every tree of a write is in `trees`, which is sorted.
                    let Ok(place) = trees.binary_search(tree) else { continue };
                    match value {
                        Some(value) => drop(views[place].insert(key.as_slice(), value.as_slice())?),
                        None => drop(views[place].remove(key.as_slice())?),
                    }
                }
                Ok::<(), ConflictableTransactionError<std::convert::Infallible>>(())
            })
            .map_err(|error| match error {
                TransactionError::Storage(error) => StoreError::from(error),
                TransactionError::Abort(never) => match never {},
            })?;
        Ok(jobs)
    }
}
