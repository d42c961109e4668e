//! What was said while nobody heard, when the session could not be resumed: read from the channels themselves.

use std::time::Duration;

use serde_json::Value;

use super::snowflake;
use super::take::Ear;
use crate::Error;
use crate::chat::Listener;

/// Messages a page, and pages of one channel that are read.
const PAGE: usize = 100;
const PAGES: usize = 10;
/// Time between two tries to read a page.
const AGAIN: Duration = Duration::from_secs(2);

/// The channels of a server in which something was said after `since`: those of `heard`, and the threads in them.
pub fn missed(guild: &Value, heard: &[String], since: u64) -> Vec<String> {
    if since == 0 {
        return Vec::new();
    }
    let is_heard = |id: &Value| id.as_str().is_some_and(|id| heard.iter().any(|known| known == id));
    let is_newer = |channel: &&Value| last_message(channel) > since;
    let channels = guild["channels"].as_array().into_iter().flatten().filter(|channel| is_heard(&channel["id"]));
    let threads = guild["threads"].as_array().into_iter().flatten().filter(|thread| is_heard(&thread["parent_id"]));
    channels.chain(threads).filter(is_newer).filter_map(|channel| channel["id"].as_str().map(str::to_owned)).collect()
}

/// Id of the newest message of a server; 0 when there is none.
pub fn newest(guild: &Value) -> u64 {
    let all = ["channels", "threads"].into_iter().flat_map(|key| guild[key].as_array().into_iter().flatten());
    all.map(last_message).max().unwrap_or(0)
}

fn last_message(channel: &Value) -> u64 {
    channel["last_message_id"].as_str().and_then(snowflake::number).unwrap_or(0)
}

/// Hears what was said in `channels` after `since`. What was heard before is done once all the same. As long as Discord says
/// that it may work later, it is tried again.
pub async fn run<L: Listener>(ear: &Ear<L>, guild: &str, channels: Vec<String>, since: u64) {
    for channel in channels {
        let mut after = since;
        for page in 0.. {
            let messages = page_after(ear, &channel, after).await;
            let Some((last, _)) = messages.last() else { break };
            after = *last;
            let is_last = messages.len() < PAGE;
            for (_, mut message) in messages {
                message["guild_id"] = guild.into();
                ear.discord.take_message(&message, &*ear.listener, &ear.stop).await;
            }
            if is_last {
                break;
            }
            if page + 1 == PAGES {
                tracing::warn!(channel, "more was said meanwhile than is read: the newest of it was not heard");
                break;
            }
        }
    }
}

/// The messages of a channel that follow on `after`, oldest first.
async fn page_after<L: Listener>(ear: &Ear<L>, channel: &str, after: u64) -> Vec<(u64, Value)> {
    let path = format!("channels/{channel}/messages?limit={PAGE}&after={after}");
    let found = loop {
        match ear.discord.api.get(&path).await.map_err(Error::from) {
            Ok(found) => break found,
            Err(Error::Transient { why, retry_after }) => {
                tracing::warn!(why, channel, "what was said meanwhile could not be read; it is tried again");
                tokio::time::sleep(retry_after.unwrap_or(AGAIN)).await;
            }
            Err(error) => {
                tracing::warn!(%error, channel, "what was said meanwhile cannot be read");
                return Vec::new();
            }
        }
    };
    let with_id = |message: &Value| Some((message["id"].as_str().and_then(snowflake::number)?, message.clone()));
    let mut messages: Vec<(u64, Value)> = found.as_array().into_iter().flatten().filter_map(with_id).collect();
    messages.sort_by_key(|(id, _)| *id);
    messages
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_incident_channels_and_their_threads_are_read_again() {
        let guild = json!({
            "channels": [
                {"id": "1", "last_message_id": "50"},
                {"id": "2", "last_message_id": "70"},
                {"id": "3", "last_message_id": null},
                {"id": "4", "last_message_id": "90"},
            ],
            "threads": [
                {"id": "11", "parent_id": "2", "last_message_id": "65"},
                {"id": "12", "parent_id": "4", "last_message_id": "95"},
                {"id": "13", "parent_id": "1", "last_message_id": "40"},
            ],
        });
        let heard: Vec<String> = ["1", "2", "3"].map(str::to_owned).to_vec();
        assert_eq!(missed(&guild, &heard, 60), ["2", "11"]);
        assert!(missed(&guild, &heard, 0).is_empty(), "the first start reads nothing of the past");
        assert_eq!(newest(&guild), 95);
    }
}
