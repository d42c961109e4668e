//! What the bot may do where somebody used it: Discord says it with every interaction.

use std::time::{Duration, Instant};

use super::memory::Memory;
use crate::Error;
use crate::chat::Place;

/// What is needed everywhere, with the names that Discord shows.
/// <https://discord.com/developers/docs/topics/permissions#permissions-bitwise-permission-flags>
const NEEDED: [(u64, &str); 3] =
    [(1 << 10, "View Channel"), (1 << 14, "Embed Links"), (1 << 16, "Read Message History")];
/// What is needed besides in a channel, and in a thread. That no thread can be made is no reason to say nothing: then the
/// message is answered.
const IN_CHANNEL: (u64, &str) = (1 << 11, "Send Messages");
const IN_THREAD: (u64, &str) = (1 << 38, "Send Messages in Threads");
/// Who has this may do everything.
const ADMINISTRATOR: u64 = 1 << 3;

/// How long they are known. What somebody does there says them anew.
const LASTS: Duration = Duration::from_mins(1);

/// What is known of the bot's permissions, by channel.
#[derive(Default)]
pub struct Permissions {
    known: Memory<(u64, Instant)>,
}

impl Permissions {
    /// Remembers what Discord says of a channel.
    pub fn learn(&self, channel: &str, bits: Option<&str>) {
        if let Some(bits) = bits.and_then(|bits| bits.parse().ok()) {
            self.known.put(channel, (bits, Instant::now()));
        }
    }

    /// Whether all that is needed is there: nothing when nothing is known, [`Error::Closed`] with what is missing when it is
    /// not.
    pub fn suffice(&self, place: &Place) -> Option<Result<(), Error>> {
        let known = self.known.get(place.thread.as_ref().unwrap_or(&place.channel));
        let (bits, _) = known.filter(|(_, since)| since.elapsed() < LASTS)?;
        let besides = if place.thread.is_some() { IN_THREAD } else { IN_CHANNEL };
        let is_missing = |bit: u64| bits & ADMINISTRATOR == 0 && bits & bit == 0;
        let needed = NEEDED.into_iter().chain([besides]);
        let missing: Vec<&str> = needed.filter(|(bit, _)| is_missing(*bit)).map(|(_, name)| name).collect();
        if missing.is_empty() {
            return Some(Ok(()));
        }
        Some(Err(Error::Closed(format!("I may not write here: give my role {} in this channel", missing.join(", ")))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_named() {
        let permissions = Permissions::default();
        let channel = Place { channel: "1".into(), thread: None };
        assert_eq!(permissions.suffice(&channel), None);
        permissions.learn("1", Some(&((1_u64 << 10) | (1 << 16)).to_string()));
        let Some(Err(Error::Closed(why))) = permissions.suffice(&channel) else { panic!("it suffices") };
        assert_eq!(why, "I may not write here: give my role Embed Links, Send Messages in this channel");
        permissions.learn("1", Some("8"));
        assert_eq!(permissions.suffice(&channel), Some(Ok(())), "an administrator may do everything");
        let thread = Place { thread: Some("2".into()), ..channel };
        permissions.learn("2", Some(&((1_u64 << 10) | (1 << 14) | (1 << 16) | (1 << 11)).to_string()));
        let Some(Err(Error::Closed(why))) = permissions.suffice(&thread) else { panic!("it suffices") };
        assert!(why.contains("Send Messages in Threads"), "{why}");
    }
}
