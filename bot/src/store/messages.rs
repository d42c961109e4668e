//! Messages of the console chat.

use clew_adapters::chat::Place;
use clew_adapters::chat::console::{Message, Messages};

use super::{Batch, Store, StoreError, Tree};
use crate::clock;

fn place_prefix(place: &Place) -> Vec<u8> {
    [place.channel.as_str(), "\0", place.thread.as_deref().unwrap_or_default(), "\0"].concat().into_bytes()
}

/// Key of a message in the order of its place.
pub(super) fn place_key(place: &Place, number: &[u8]) -> Vec<u8> {
    [&place_prefix(place), number].concat()
}

/// Key under which a message with a key of its own is found.
pub(super) fn key_key(place: &Place, key: &str) -> Vec<u8> {
    [&place_prefix(place), key.as_bytes()].concat()
}

fn number_of(id: &str) -> Option<[u8; 8]> {
    Some(id.parse::<u64>().ok()?.to_be_bytes())
}

fn said(error: StoreError) -> String {
    error.to_string()
}

impl Messages for Store {
    fn append(&self, message: &Message) -> Result<String, String> {
        let append = |batch: &mut Batch<'_>| {
            let key = message.key.as_ref().map(|key| key_key(&message.place, key));
            if let Some(key) = &key
                && let Some(known) = self.get::<u64>(Tree::MessageKeys, key)?
            {
                return Ok(known.to_string());
            }
            let number = self.next_number()?;
            let kept = Message { id: number.to_string(), at: clock::in_words(clock::now()), ..message.clone() };
            batch.put(Tree::Messages, number.to_be_bytes(), &kept)?;
            batch.put_bytes(Tree::MessagePlaces, place_key(&message.place, &number.to_be_bytes()), Vec::new());
            if let Some(key) = key {
                batch.put(Tree::MessageKeys, key, &number)?;
            }
            Ok::<_, StoreError>(kept.id)
        };
        self.change(append).map_err(said)
    }

    fn get(&self, id: &str) -> Result<Option<Message>, String> {
        number_of(id).map_or(Ok(None), |number| Store::get(self, Tree::Messages, number).map_err(said))
    }

    fn replace(&self, id: &str, message: &Message) -> Result<bool, String> {
        let Some(number) = number_of(id) else { return Ok(false) };
        let replace = |batch: &mut Batch<'_>| {
            if !self.tree(Tree::Messages).contains_key(number)? {
                return Ok(false);
            }
            batch.put(Tree::Messages, number, message)?;
            Ok::<_, StoreError>(true)
        };
        self.change(replace).map_err(said)
    }

    fn find(&self, place: &Place, key: &str) -> Result<Option<Message>, String> {
        let number: Option<u64> = Store::get(self, Tree::MessageKeys, key_key(place, key)).map_err(said)?;
        number.map_or(Ok(None), |number| Messages::get(self, &number.to_string()))
    }

    fn list(&self, place: &Place, before: Option<&str>, limit: usize) -> Result<Vec<Message>, String> {
        let prefix = place_prefix(place);
        let end = before.and_then(number_of).unwrap_or([0xff; 8]);
        let range = prefix.clone()..place_key(place, &end);
        let mut messages = Vec::new();
        for entry in self.tree(Tree::MessagePlaces).range(range).rev().take(limit) {
            let (key, _) = entry.map_err(|error| said(error.into()))?;
            messages.extend(Store::get(self, Tree::Messages, &key[prefix.len()..]).map_err(said)?);
        }
        messages.reverse();
        Ok(messages)
    }
}
