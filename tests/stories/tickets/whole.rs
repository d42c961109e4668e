//! The whole way: an alert, a click, a ticket for who wrote the line, a pull request, and the next time it is known.

use clew_tests::deliveries::Sent;
use clew_tests::fakes::github::FakeGitHub;
use clew_tests::fakes::jira::FakeJira;
use clew_tests::fakes::slack::{APP_TOKEN, CHANNEL, FakeSlack, TOKEN};
use clew_tests::{Failure, until};
use serde_json::json;

use super::{Office, Outcome, TRACE, code, owned};

const ADA: &str = "U0ADA";

/// A repository in which Grace wrote the line that fails.
fn shop() -> Result<FakeGitHub, Failure> {
    let github = FakeGitHub::start()?;
    github.add_user("grace", "Grace Hopper", Some("grace@acme.example"));
    github.add_user("bob", "Bob", None);
    let lines: String = (1..=60).map(|line| format!("line {line}\n")).collect();
    github.add_file("shop/views.py", &lines, &[(1..=60, "bob")]);
    github.add_file("shop/cart.py", &lines, &[(1..=40, "bob"), (41..=43, "grace")]);
    Ok(github)
}

fn alert(service: &str) -> Sent {
    let mut logs: Vec<&str> = TRACE.lines().collect();
    logs.truncate(8);
    Sent::json(
        "generic",
        json!({ "title": "The cart is broken", "service": service, "severity": "high", "logs": logs }),
    )
}

fn from_alert_to_known(more: &[(&str, &str)], webhooks: bool) -> Outcome {
    let (slack, jira, github) = (FakeSlack::start()?, FakeJira::cloud()?, shop()?);
    let grace = jira.add_user("Grace Hopper", "grace@acme.example", true);
    let at_slack = [
        ("SLACK_API_URL", slack.url()),
        ("SLACK_BOT_TOKEN", TOKEN.to_owned()),
        ("SLACK_APP_TOKEN", APP_TOKEN.to_owned()),
        ("SLACK_CHANNEL", CHANNEL.to_owned()),
    ];
    let mut at_github = code(&github);
    if webhooks {
        drop(github.signed_environment());
        at_github.push(("GITHUB_WEBHOOK_SECRET", clew_tests::fakes::github::WEBHOOK_SECRET.to_owned()));
    }
    let office = Office::with(&[&at_slack, &jira.environment(), &at_github, &owned(more)])?;
    if webhooks {
        github.deliver_to(office.bot.host_and_port());
    }
    until("the bot to connect", || Ok((slack.open_sockets() >= 2).then_some(())))?;

    office.bot.deliver(&alert("shop"))?;
    let card = until("the card", || {
        Ok(slack.messages(CHANNEL).into_iter().find(|message| message.shown().contains("INC-1")))
    })?;
    let shows = |part: &str| {
        until(&format!("the card to show {part:?}"), || {
            Ok(slack.message(CHANNEL, &card.ts).map(|message| message.shown()).filter(|shown| shown.contains(part)))
        })
    };
    let says = |part: &str| {
        until(&format!("the thread to say {part:?}"), || {
            let replies = slack.messages(CHANNEL).into_iter();
            let mut replies = replies.filter(|message| message.thread_ts.as_deref() == Some(&card.ts));
            Ok(replies.find(|message| message.shown().contains(part)).map(|message| message.shown()))
        })
    };
    slack.press(CHANNEL, &card.ts, ADA, "Open Jira ticket")?;
    let said = says("Opened")?;
    assert!(said.contains("OPS-1") && said.contains("Grace Hopper") && said.contains("shop/cart.py:42"), "{said}");
    let shown = shows("OPS-1")?;
    assert!(shown.contains("Open") && !shown.contains("Open Jira ticket"), "{shown}");
    let issue = jira.issue("OPS-1").ok_or("no ticket")?;
    assert_eq!(issue.assignee.as_deref(), Some(grace.as_str()));
    assert!(issue.description.contains("team.slack.example/archives/"), "{}", issue.description);

    let number = github.opens_pull("grace", "Look before you sum", "Fixes OPS-1", "null-cart", &["Check the cart"]);
    says("grace opened")?;
    github.check(number, "unit tests", "failure");
    shows("checks failed: unit tests")?;
    github.pushes(number, "Mend the test");
    github.check(number, "unit tests", "success");
    shows("checks passed")?;
    github.reviews(number, "bob", "APPROVED");
    shows("approved")?;
    github.merges(number, "bob");

    let shown = shows("Resolved")?;
    assert!(shown.contains("What fixed it: #") && shown.contains("Look before you sum"), "{shown}");
    says("Resolved")?;
    says("is Fixed")?;
    let issue = jira.issue("OPS-1").ok_or("no ticket")?;
    assert_eq!((issue.category.as_str(), issue.resolution.as_deref()), ("done", Some("Fixed")));
    let told: Vec<String> = jira.comments("OPS-1").into_iter().map(|comment| comment.text).collect();
    assert_eq!(told.len(), 1, "{told:#?}");
    assert!(told[0].contains("Fix merged") && told[0].contains("Look before you sum"), "{told:#?}");

    // The next one like it knows what fixed it.
    until("it to be known", || {
        let found = office.bot.post_json("/search", &json!({"query": "cart NoneType has no attribute items"}))?;
        Ok(found.text.contains(&format!("#{number}")).then_some(()))
    })?;
    office.bot.deliver(&alert("books"))?;
    let next = until("the next card", || {
        Ok(slack.messages(CHANNEL).into_iter().find(|message| message.shown().contains("INC-2")))
    })?;
    let shown = until("what fixed it", || {
        let shown = slack.message(CHANNEL, &next.ts).map(|message| message.shown());
        Ok(shown.filter(|shown| shown.contains(&format!("fixed by: #{number} Look before you sum"))))
    })?;
    assert!(shown.contains("Known failures like this"), "{shown}");
    Ok(())
}

#[test]
fn from_an_alert_to_a_merged_fix_that_the_next_one_knows_by_looking_only() -> Outcome {
    from_alert_to_known(&[], false)
}

#[test]
fn from_an_alert_to_a_merged_fix_that_the_next_one_knows_by_webhooks() -> Outcome {
    from_alert_to_known(&[("CLEW_TICKETS_POLL_SECONDS", "3600")], true)
}
