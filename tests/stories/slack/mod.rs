//! What a team does with Clew in Slack, and what it sees there.

use clew_tests::fakes::slack::{APP_TOKEN, CHANNEL, FakeSlack, SlackMessage, TOKEN};
use clew_tests::{Bot, Failure, until};

use crate::CLEW;

mod buttons;
mod delivery;
mod over_http;
mod ways_in;

type Outcome = Result<(), Failure>;

/// People who are in the workspace.
const ADA: &str = "U0ADA";
const BOB: &str = "U0BOB";

/// A workspace with a bot in it that is connected.
struct Team {
    slack: FakeSlack,
    bot: Bot,
    environment: Vec<(String, String)>,
}

impl Team {
    fn start() -> Result<Self, Failure> {
        Self::with(FakeSlack::start()?, &[])
    }

    /// With more settings.
    fn with(slack: FakeSlack, more: &[(&str, &str)]) -> Result<Self, Failure> {
        let url = slack.url();
        let settings = [
            ("SLACK_API_URL", url.as_str()),
            ("SLACK_BOT_TOKEN", TOKEN),
            ("SLACK_APP_TOKEN", APP_TOKEN),
            ("SLACK_CHANNEL", CHANNEL),
        ];
        let environment: Vec<(String, String)> =
            settings.iter().chain(more).map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let bot = Bot::start(CLEW, &borrowed(&environment))?;
        let team = Self { slack, bot, environment };
        until("the bot to connect", || Ok((team.slack.open_sockets() >= 2).then_some(())))?;
        Ok(team)
    }

    /// Kills the bot and starts it again.
    fn crash(mut self) -> Result<Self, Failure> {
        self.bot = self.bot.kill_and_restart(CLEW, &borrowed(&self.environment))?;
        Ok(self)
    }

    /// The messages of a thread besides its first one.
    fn replies(&self, channel: &str, root: &str) -> Vec<SlackMessage> {
        let messages = self.slack.messages(channel);
        messages.into_iter().filter(|message| message.thread_ts.as_deref() == Some(root)).collect()
    }

    /// Waits for a reply that shows `part`.
    fn reply(&self, channel: &str, root: &str, part: &str) -> Result<SlackMessage, Failure> {
        until(&format!("a reply with {part:?}"), || {
            Ok(self.replies(channel, root).into_iter().find(|reply| reply.shown().contains(part)))
        })
    }

    /// Waits for a message in a channel itself that shows `part`.
    fn message(&self, channel: &str, part: &str) -> Result<SlackMessage, Failure> {
        until(&format!("a message with {part:?}"), || {
            let messages = self.slack.messages(channel);
            Ok(messages.into_iter().find(|message| message.thread_ts.is_none() && message.shown().contains(part)))
        })
    }

    /// Waits for something with `part` that only `user` sees.
    fn whisper(&self, channel: &str, user: &str, part: &str) -> Result<SlackMessage, Failure> {
        until(&format!("something for {user} alone with {part:?}"), || {
            Ok(self.slack.ephemerals(channel, user).into_iter().find(|message| message.shown().contains(part)))
        })
    }

    /// Waits until a message shows `part`.
    fn shows(&self, channel: &str, ts: &str, part: &str) -> Result<String, Failure> {
        until(&format!("the message to show {part:?}"), || {
            Ok(self.slack.message(channel, ts).map(|message| message.shown()).filter(|shown| shown.contains(part)))
        })
    }

    /// Waits until the bot has nothing more to do.
    fn quiet(&self) -> Outcome {
        until("the bot to have done everything", || {
            let waiting = self.bot.get("/jobs")?.json()["count"].as_u64();
            Ok((waiting == Some(0) && self.slack.unacknowledged() == 0).then_some(()))
        })
    }

    /// How many incidents there are.
    fn incidents(&self) -> Result<usize, Failure> {
        Ok(self.bot.get("/incidents")?.json()["incidents"].as_array().map_or(0, Vec::len))
    }
}

fn borrowed(environment: &[(String, String)]) -> Vec<(&str, &str)> {
    environment.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
}
