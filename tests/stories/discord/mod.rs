//! What a team does with Clew in Discord, and what it sees there.

use clew_tests::fakes::discord::{CHANNEL, DiscordMessage, FakeDiscord, TOKEN};
use clew_tests::{Bot, Failure, until};

use crate::CLEW;

mod buttons;
mod delivery;
mod over_http;
mod ways_in;
mod whole;

type Outcome = Result<(), Failure>;

/// People on the server.
const ADA: &str = "1000000000000000011";
const BOB: &str = "1000000000000000012";

/// A server with a bot on it that is connected.
struct Team {
    discord: FakeDiscord,
    bot: Bot,
    environment: Vec<(String, String)>,
}

impl Team {
    fn start() -> Result<Self, Failure> {
        Self::with(FakeDiscord::start()?, &[])
    }

    /// With more settings.
    fn with(discord: FakeDiscord, more: &[(&str, &str)]) -> Result<Self, Failure> {
        discord.add_member(ADA, "Ada", &[]);
        discord.add_member(BOB, "Bob", &[]);
        let environment = environment(&discord, more);
        let bot = Bot::start(CLEW, &borrowed(&environment))?;
        let team = Self { discord, bot, environment };
        team.is_connected()?;
        Ok(team)
    }

    fn is_connected(&self) -> Outcome {
        until("the bot to connect", || {
            let is_known = self.discord.commands().len() >= 2;
            Ok((self.discord.open_sockets() >= 1 && is_known).then_some(()))
        })
    }

    /// Kills the bot, has something done meanwhile, and starts it again.
    fn crash(mut self, meanwhile: impl FnOnce(&FakeDiscord)) -> Result<Self, Failure> {
        self.bot.kill()?;
        meanwhile(&self.discord);
        self.bot = self.bot.start_again(CLEW, &borrowed(&self.environment))?;
        Ok(self)
    }

    /// What stands in the thread below a message.
    fn replies(&self, root: &str) -> Vec<DiscordMessage> {
        self.discord.thread_of(root).map(|thread| self.discord.messages(&thread)).unwrap_or_default()
    }

    /// Waits for a message in the thread below `root` that shows `part`.
    fn reply(&self, root: &str, part: &str) -> Result<DiscordMessage, Failure> {
        until(&format!("a reply with {part:?}"), || {
            Ok(self.replies(root).into_iter().find(|reply| reply.shown().contains(part)))
        })
    }

    /// Waits for a message in a channel itself that shows `part`.
    fn message(&self, channel: &str, part: &str) -> Result<DiscordMessage, Failure> {
        until(&format!("a message with {part:?}"), || {
            Ok(self.discord.messages(channel).into_iter().find(|message| message.shown().contains(part)))
        })
    }

    /// Waits for something with `part` that only `user` sees.
    fn whisper(&self, user: &str, part: &str) -> Result<DiscordMessage, Failure> {
        until(&format!("something for {user} alone with {part:?}"), || {
            Ok(self.discord.ephemerals(user).into_iter().find(|message| message.shown().contains(part)))
        })
    }

    /// Waits until a message shows `part`.
    fn shows(&self, card: &DiscordMessage, part: &str) -> Result<String, Failure> {
        until(&format!("the message to show {part:?}"), || {
            let message = self.discord.message(&card.channel_id, &card.id);
            Ok(message.map(|message| message.shown()).filter(|shown| shown.contains(part)))
        })
    }

    /// Waits until the bot has nothing more to do.
    fn quiet(&self) -> Outcome {
        // What was just delivered is on its way.
        std::thread::sleep(std::time::Duration::from_millis(300));
        until("the bot to have done everything", || {
            let waiting = self.bot.get("/jobs")?.json()["count"].as_u64();
            Ok((waiting == Some(0)).then_some(()))
        })
    }

    /// How many incidents there are.
    fn incidents(&self) -> Result<usize, Failure> {
        Ok(self.bot.get("/incidents")?.json()["incidents"].as_array().map_or(0, Vec::len))
    }

    /// A card in the thread of logs that Ada pasted, and the message with the logs.
    fn incident(&self) -> Result<(String, DiscordMessage), Failure> {
        let root = self.discord.say(CHANNEL, ADA, &format!("```\n{}```", crate::FULL_DISK));
        let card = self.reply(&root, "Root cause: Disk full")?;
        Ok((root, card))
    }
}

/// The settings of a bot on this server.
fn environment(discord: &FakeDiscord, more: &[(&str, &str)]) -> Vec<(String, String)> {
    let url = discord.url();
    let settings = [("DISCORD_API_URL", url.as_str()), ("DISCORD_TOKEN", TOKEN), ("DISCORD_CHANNEL", CHANNEL)];
    settings.iter().chain(more).map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn borrowed(environment: &[(String, String)]) -> Vec<(&str, &str)> {
    environment.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
}
