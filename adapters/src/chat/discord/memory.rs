//! What is remembered for a while, and may be forgotten.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Entries of the younger half.
const HALF: usize = 5_000;

/// Values by their names: at least the last 5,000, at most twice as many.
pub struct Memory<V> {
    halves: Mutex<(HashMap<String, V>, HashMap<String, V>)>,
}

impl<V> Default for Memory<V> {
    fn default() -> Self {
        Self { halves: Mutex::default() }
    }
}

impl<V: Clone> Memory<V> {
    fn halves(&self) -> MutexGuard<'_, (HashMap<String, V>, HashMap<String, V>)> {
        // Every change of it is complete before anything can panic.
        self.halves.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Remembers a value.
    pub fn put(&self, name: &str, value: V) {
        let mut halves = self.halves();
        if halves.0.len() >= HALF {
            halves.1 = std::mem::take(&mut halves.0);
        }
        halves.0.insert(name.to_owned(), value);
    }

    /// A value that is remembered.
    pub fn get(&self, name: &str) -> Option<V> {
        let halves = self.halves();
        halves.0.get(name).or_else(|| halves.1.get(name)).cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_are_forgotten_first() {
        let memory = Memory::default();
        for number in 0..3 * HALF {
            memory.put(&number.to_string(), number);
        }
        assert_eq!(memory.get("0"), None);
        for number in 2 * HALF..3 * HALF {
            assert_eq!(memory.get(&number.to_string()), Some(number));
        }
    }
}
