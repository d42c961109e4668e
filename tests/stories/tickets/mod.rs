//! What a team does with tickets and pull requests, and what it sees of them in its incidents.

use std::time::Duration;

use clew_tests::fakes::github::FakeGitHub;
use clew_tests::fakes::jira::FakeJira;
use clew_tests::{Bot, Failure, until};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::CLEW;

mod following;
mod local;
mod opening;
mod pulls;
mod whole;

type Outcome = Result<(), Failure>;

/// A cart that is not there, with the lines of the code that looked for it.
const TRACE: &str = "\
2026-11-28 10:00:00,120 INFO shop.views GET /cart 200 12ms
2026-11-28 10:00:01,004 ERROR shop.views Unhandled exception while serving /cart
Traceback (most recent call last):
  File \"/app/shop/views.py\", line 12, in show
    return render(total(cart))
  File \"/app/shop/cart.py\", line 42, in total
    return sum(item.price for item in cart.items)
AttributeError: 'NoneType' object has no attribute 'items'
2026-11-28 10:00:01,010 INFO shop.db connected with password=hunter2
";

/// A bot with its trackers.
struct Office {
    bot: Bot,
    environment: Vec<(String, String)>,
    data: TempDir,
}

impl Office {
    fn with(settings: &[&[(&str, String)]]) -> Result<Self, Failure> {
        let often = [("CLEW_TICKETS_POLL_SECONDS", "1".to_owned()), ("CLEW_INCIDENTS_REOPEN_HOURS", "0".to_owned())];
        let all = often.iter().chain(settings.iter().copied().flatten());
        let environment: Vec<(String, String)> = all.map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        let data = TempDir::new()?;
        let bot = Bot::start_in(CLEW, data.path(), &borrowed(&environment))?;
        Ok(Self { bot, environment, data })
    }

    /// With a Jira.
    fn at(jira: &FakeJira, more: &[(&str, &str)]) -> Result<Self, Failure> {
        Self::with(&[&jira.environment(), &owned(more)])
    }

    /// With a Jira, and the code at GitHub.
    fn of_both(jira: &FakeJira, github: &FakeGitHub, more: &[(&str, &str)]) -> Result<Self, Failure> {
        Self::with(&[&jira.environment(), &code(github), &owned(more)])
    }

    /// Stops the bot, has something done meanwhile, and starts it again.
    fn away(mut self, meanwhile: impl FnOnce() -> Outcome) -> Result<Self, Failure> {
        self.bot.stop()?;
        meanwhile()?;
        self.bot = Bot::start_in(CLEW, self.data.path(), &borrowed(&self.environment))?;
        Ok(self)
    }

    /// Kills the bot and starts it again.
    fn crash(mut self) -> Result<Self, Failure> {
        self.bot.kill()?;
        self.bot = Bot::start_in(CLEW, self.data.path(), &borrowed(&self.environment))?;
        Ok(self)
    }

    /// Somebody pastes logs of a service. Returns the incident.
    fn paste(&self, logs: &str, service: &str) -> Result<String, Failure> {
        let lines: Vec<&str> = logs.lines().collect();
        let body = json!({ "title": "The cart is broken", "logs": lines, "service": service });
        let answer = self.bot.post_json("/incidents", &body)?;
        Ok(answer.json()["id"].as_str().ok_or(answer.text)?.to_owned())
    }

    /// Somebody asks for a ticket, and it is opened. Returns its key.
    fn ticket(&self, id: &str, tracker: &str) -> Result<String, Failure> {
        let answer =
            self.bot.post_json(&format!("/incidents/{id}/ticket"), &json!({ "tracker": tracker, "by": "Ada" }))?;
        assert_eq!(answer.status, 200, "{}", answer.text);
        let linked = self.linked(id, tracker, |ticket| ticket["key"].is_string())?;
        Ok(linked["key"].as_str().unwrap_or_default().to_owned())
    }

    /// Waits until the ticket of an incident is as `is` wants it.
    fn linked(&self, id: &str, tracker: &str, is: impl Fn(&Value) -> bool) -> Result<Value, Failure> {
        until(&format!("the {tracker} ticket of {id} to be so"), || {
            let incident = self.bot.get(&format!("/incidents/{id}"))?.json();
            let tickets = incident["tickets"].as_array().cloned().unwrap_or_default();
            Ok(tickets.into_iter().find(|ticket| ticket["tracker"] == tracker && is(ticket)))
        })
    }

    /// Waits until an incident is in this state.
    fn is(&self, id: &str, state: &str) -> Result<Value, Failure> {
        until(&format!("{id} to be {state}"), || {
            let incident = self.bot.get(&format!("/incidents/{id}"))?.json();
            Ok((incident["state"] == state).then_some(incident))
        })
    }

    /// Waits until the card of an incident shows `part`. Returns the page.
    fn card(&self, id: &str, part: &str) -> Result<String, Failure> {
        until(&format!("the card of {id} to show {part:?}"), || {
            let page = text_of(&self.bot.browse(&format!("/i/{id}"))?.text);
            Ok(page.contains(part).then_some(page))
        })
    }

    /// Waits until the thread of an incident's card says `part`. Returns all that it says.
    fn thread(&self, id: &str, part: &str) -> Result<String, Failure> {
        until(&format!("the thread of {id} to say {part:?}"), || {
            let said = self.said(id)?;
            Ok(said.contains(part).then_some(said))
        })
    }

    /// What the thread of an incident's card says.
    fn said(&self, id: &str) -> Result<String, Failure> {
        let incident = self.bot.get(&format!("/incidents/{id}"))?.json();
        let Some(card) = incident["cards"]["console"]["message"].as_str() else { return Ok(String::new()) };
        Ok(text_of(&self.bot.browse(&format!("/chat/incidents/{card}"))?.text))
    }

    /// Waits until the bot has nothing more to do.
    fn quiet(&self) -> Outcome {
        until("the bot to have done everything", || {
            Ok((self.bot.get("/jobs")?.json()["count"].as_u64() == Some(0)).then_some(()))
        })
    }

    /// The sentences of a timeline.
    fn timeline(&self, id: &str) -> Result<Vec<String>, Failure> {
        let events = self.bot.get(&format!("/incidents/{id}/events"))?.json();
        let events = events["events"].as_array().cloned().unwrap_or_default();
        Ok(events.iter().filter_map(|event| event["sentence"].as_str().map(str::to_owned)).collect())
    }
}

/// The code at GitHub, without tickets there.
fn code(github: &FakeGitHub) -> Vec<(&'static str, String)> {
    let names = ["GITHUB_API_URL", "GITHUB_TOKEN", "GITHUB_REPO", "GITHUB_WEBHOOK_SECRET"];
    let environment = github.environment().into_iter();
    environment.filter_map(|(name, value)| Some((*names.iter().find(|known| **known == name)?, value))).collect()
}

fn owned<'a>(settings: &[(&'a str, &str)]) -> Vec<(&'a str, String)> {
    settings.iter().map(|(name, value)| (*name, (*value).to_owned())).collect()
}

fn borrowed(environment: &[(String, String)]) -> Vec<(&str, &str)> {
    environment.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
}

/// A page as somebody reads it: without its tags, every run of blanks one.
fn text_of(page: &str) -> String {
    let mut text = String::new();
    let mut rest = page;
    while let Some((before, tag)) = rest.split_once('<') {
        text.push_str(before);
        text.push(' ');
        rest = tag.split_once('>').map_or("", |(_, after)| after);
    }
    text.push_str(rest);
    let text = text.replace("&#39;", "'").replace("&#34;", "\"").replace("&amp;", "&");
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Lets the bot look what changed a few times.
fn some_looks() {
    std::thread::sleep(Duration::from_millis(3_500));
}
