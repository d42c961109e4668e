//! What chat platforms note for their next start.

use super::{Batch, Store, StoreError, Tree};

impl Store {
    /// What a chat platform noted last.
    ///
    /// # Errors
    /// When the store fails.
    pub fn noted(&self, platform: &str) -> Result<Option<String>, StoreError> {
        self.get(Tree::Meta, format!("chat/{platform}"))
    }
}

impl Batch<'_> {
    /// Keeps what a chat platform notes, in place of what it noted before.
    ///
    /// # Errors
    /// When the store fails.
    pub fn note_for(&mut self, platform: &str, note: &str) -> Result<(), StoreError> {
        self.put(Tree::Meta, format!("chat/{platform}"), &note)
    }
}
