//! What people do in channels, and other apps: write, share files, edit.

use serde_json::{Value, json};

use super::state::{Channel, Kind, Usergroup};
use super::{FakeSlack, SlackMessage, rich_text};

impl FakeSlack {
    /// One more person, who is in every channel. From the start there are `U0ADA`, Ada, and `U0BOB`, Bob.
    pub fn add_person(&self, id: &str, name: &str) {
        self.state().people.insert(id.to_owned(), name.to_owned());
    }

    /// The person is not in this channel any more.
    pub fn remove_person(&self, channel: &str, user: &str) {
        if let Some(channel) = self.state().channels.get_mut(channel) {
            channel.absent.insert(user.to_owned());
        }
    }

    /// One more group of people, called `@handle`.
    pub fn add_usergroup(&self, id: &str, handle: &str, users: &[&str]) {
        let users = users.iter().map(|user| (*user).to_owned()).collect();
        self.state().usergroups.insert(id.to_owned(), Usergroup { handle: handle.to_owned(), users });
    }

    /// One more private channel that the bot is in.
    pub fn add_private_channel(&self, id: &str, name: &str) {
        self.state().channels.insert(id.to_owned(), Channel::new(name, Kind::Private));
    }

    /// The bot is in this channel again.
    pub fn invite_bot(&self, channel: &str) {
        if let Some(channel) = self.state().channels.get_mut(channel) {
            channel.member = true;
        }
    }

    /// Nobody can write in this channel any more.
    pub fn archive(&self, channel: &str) {
        if let Some(channel) = self.state().channels.get_mut(channel) {
            channel.archived = true;
        }
    }

    /// The channel of this person and the bot alone.
    #[must_use]
    pub fn direct_channel(&self, user: &str) -> String {
        self.state().direct(user)
    }

    /// A person writes `text` as typed: people are named as `<@U…>`, code stands between fences. The bot hears of it when
    /// it is in the channel. Returns the id.
    pub fn say(&self, channel: &str, thread: Option<&str>, user: &str, text: &str) -> String {
        let (text, blocks) = (rich_text::text(text), rich_text::blocks(text));
        self.written(channel, SlackMessage { text, blocks, ..by(user, thread) })
    }

    /// Another app writes `content`: `text`, `blocks`, `attachments`. With `"modern": true` it writes as apps do now,
    /// with a user and a profile of its own; otherwise as an integration of old, with the subtype `bot_message`.
    pub fn post_as_app(
        &self,
        channel: &str,
        thread: Option<&str>,
        app_id: &str,
        bot_id: &str,
        username: &str,
        content: &Value,
    ) -> String {
        let modern = content["modern"] == true;
        let user = if modern { format!("U{}", bot_id.get(1..).unwrap_or("")) } else { String::new() };
        let message = SlackMessage {
            text: content["text"].as_str().unwrap_or("").to_owned(),
            blocks: content["blocks"].clone(),
            attachments: content["attachments"].clone(),
            subtype: (!modern).then(|| "bot_message".to_owned()),
            bot_id: Some(bot_id.to_owned()),
            app_id: Some(app_id.to_owned()),
            username: Some(username.to_owned()),
            ..by(&user, thread)
        };
        self.written(channel, message)
    }

    /// A person shares a file and writes `text` with it.
    pub fn share_file(
        &self,
        channel: &str,
        thread: Option<&str>,
        user: &str,
        text: &str,
        name: &str,
        bytes: &[u8],
    ) -> String {
        let file = self.state().store_file(channel, user, name, bytes);
        let (text, blocks) = (rich_text::text(text), rich_text::blocks(text));
        let subtype = Some("file_share".to_owned());
        self.written(channel, SlackMessage { text, blocks, subtype, files: json!([file]), ..by(user, thread) })
    }

    /// The person who wrote a message changes it.
    pub fn edit(&self, channel: &str, ts: &str, text: &str) {
        let (text, blocks) = (rich_text::text(text), rich_text::blocks(text));
        self.change(|state| state.change(channel, ts, |message| (message.text, message.blocks) = (text, blocks)));
    }

    /// A person deletes a message.
    pub fn delete(&self, channel: &str, ts: &str) {
        self.change(|state| state.remove(channel, ts));
    }

    fn written(&self, channel: &str, message: SlackMessage) -> String {
        self.change(|state| {
            // The channel of a person and the bot alone is there as soon as one of them uses it.
            if let Some(user) = channel.strip_prefix('D') {
                state.direct(&format!("U{user}"));
            }
            let ts = state.keep(channel, message);
            state.emit_written(channel, &ts);
            ts
        })
    }
}

/// A message of this person that says nothing yet.
pub fn by(user: &str, thread: Option<&str>) -> SlackMessage {
    let (user, thread_ts) = (user.to_owned(), thread.map(str::to_owned));
    SlackMessage { user, thread_ts, blocks: json!([]), ..SlackMessage::default() }
}
