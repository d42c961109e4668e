//! Pull requests that name a ticket or an incident.

use clew_tests::fakes::github::{FakeGitHub, WEBHOOK_SECRET};
use clew_tests::fakes::jira::FakeJira;
use clew_tests::{Failure, until};
use serde_json::json;

use super::{Office, Outcome, TRACE, code, some_looks};

/// An incident with a ticket at Jira.
fn shop(more: &[(&str, &str)]) -> Result<(Office, FakeJira, FakeGitHub, String, String), Failure> {
    let (jira, github) = (FakeJira::cloud()?, FakeGitHub::start()?);
    let office = Office::of_both(&jira, &github, more)?;
    let id = office.paste(TRACE, "shop")?;
    let key = office.ticket(&id, "jira")?;
    office.thread(&id, "Opened")?;
    Ok((office, jira, github, id, key))
}

#[test]
fn one_that_names_the_ticket_in_its_branch_or_a_commit_is_linked() -> Outcome {
    let (office, _jira, github, id, _key) = shop(&[])?;
    let by_branch = github.opens_pull("grace", "Look before you sum", "", "ops-1-null-cart", &["wip"]);
    office.card(&id, &format!("#{by_branch} Look before you sum open"))?;
    let by_commit = github.opens_pull("grace", "Tidy up", "", "tidy", &["Sum nothing (OPS-1)"]);
    office.card(&id, &format!("#{by_commit} Tidy up open"))?;
    let other = github.opens_pull("grace", "Another thing", "Fixes OPS-100, INC-77", "other", &["x"]);
    some_looks();
    assert!(!office.card(&id, "Tidy up")?.contains(&format!("#{other} ")));
    Ok(())
}

#[test]
fn one_that_is_closed_or_goes_elsewhere_fixes_nothing() -> Outcome {
    let (office, jira, github, id, key) = shop(&[])?;
    let given_up = github.opens_pull("grace", "First try", "Fixes OPS-1", "try", &["x"]);
    office.thread(&id, "First try")?;
    github.closes(given_up);
    office.thread(&id, "was closed and not merged")?;
    let elsewhere = github.opens_pull_into("develop", "grace", "Second try", "Fixes OPS-1", "second");
    office.card(&id, "Second try open")?;
    github.merges(elsewhere, "bob");
    office.card(&id, "merged, not into the default branch")?;
    let related = github.opens_pull("grace", "Log more", "Refs OPS-1: tells what is in the cart", "log", &["more log"]);
    office.thread(&id, "It has to do with this")?;
    github.merges(related, "bob");
    office.card(&id, "Log more merged")?;
    office.quiet()?;
    office.is(&id, "open")?;
    assert_eq!(jira.issue(&key).ok_or("no ticket")?.status, "Open");
    Ok(())
}

#[test]
fn a_fix_can_wait_for_its_deployment() -> Outcome {
    let (office, jira, github, id, key) = shop(&[("CLEW_TICKETS_ON_MERGE", "mark")])?;
    let number = github.opens_pull("grace", "Look before you sum", "Fixes OPS-1", "fix", &["x"]);
    office.card(&id, "Look before you sum open")?;
    github.merges(number, "bob");
    office
        .card(&id, &format!("Fix merged , waiting for the deployment: #{number}"))
        .or_else(|_| office.card(&id, "waiting for the deployment"))?;
    office.thread(&id, "Fix merged")?;
    office.is(&id, "open")?;
    until("the ticket to be done", || Ok(jira.issue(&key).filter(|issue| issue.category == "done")))?;
    Ok(())
}

#[test]
fn a_fix_that_is_taken_back_is_none() -> Outcome {
    let (office, jira, github, id, key) = shop(&[])?;
    let number = github.opens_pull("grace", "Look before you sum", "Fixes OPS-1", "fix", &["x"]);
    office.card(&id, "Look before you sum open")?;
    github.merges(number, "bob");
    office.is(&id, "resolved")?;
    until("the ticket to be done", || Ok(jira.issue(&key).filter(|issue| issue.category == "done")))?;
    let entry = office.bot.data_dir().join("knowledge/learned").join(format!("{id}.md"));
    until("it to be learned", || Ok(std::fs::read_to_string(&entry).ok().filter(|text| text.contains("Look before"))))?;
    office.quiet()?;

    let revert = github.reverts(number, "bob");
    github.merges(revert, "bob");
    office.is(&id, "open")?;
    office.thread(&id, "Fix taken back")?;
    office.card(&id, &format!("taken back by #{revert}"))?;
    until("the ticket to be open", || Ok(jira.issue(&key).filter(|issue| issue.category != "done")))?;
    until("it to be forgotten", || Ok((!entry.exists()).then_some(())))?;
    Ok(())
}

#[test]
fn one_that_fixes_the_issue_at_github_closes_it_with_its_incident() -> Outcome {
    let github = FakeGitHub::start()?;
    let office = Office::with(&[&code(&github)])?;
    let id = office.paste(TRACE, "shop")?;
    let issue = office.ticket(&id, "github")?;
    let number = github.opens_pull("grace", "Look before you sum", &format!("Fixes #{issue}"), "fix", &["x"]);
    office.card(&id, &format!("#{number} Look before you sum open"))?;
    github.merges(number, "bob");
    let incident = office.is(&id, "resolved")?;
    let fix = incident["resolution"]["fix"].as_str().unwrap_or_default().to_owned();
    until("the fix to be known", || {
        let incident = office.bot.get(&format!("/incidents/{id}"))?.json();
        Ok(incident["resolution"]["fix"].as_str().filter(|fix| fix.contains("Look before you sum")).map(drop))
    })
    .map_err(|error| format!("{error}: {fix}"))?;
    office.quiet()?;
    let kept = github.issue(issue.parse()?).ok_or("no issue")?;
    assert!(!kept.open);
    Ok(())
}

#[test]
fn one_that_was_merged_while_nobody_looked_is_caught_up() -> Outcome {
    let (office, jira, github, id, key) = shop(&[])?;
    let number = github.opens_pull("grace", "Look before you sum", "Fixes OPS-1", "fix", &["x"]);
    office.card(&id, "Look before you sum open")?;
    office.quiet()?;
    let office = office.away(|| {
        github.pushes(number, "more");
        github.check(number, "unit tests", "success");
        github.reviews(number, "bob", "APPROVED");
        github.merges(number, "bob");
        Ok(())
    })?;
    office.is(&id, "resolved")?;
    until("the ticket to be done", || Ok(jira.issue(&key).filter(|issue| issue.category == "done")))?;
    office.quiet()?;
    let timeline = office.timeline(&id)?;
    assert_eq!(timeline.iter().filter(|said| said.starts_with("resolved")).count(), 1, "{timeline:#?}");
    Ok(())
}

#[test]
fn without_a_token_signed_deliveries_are_enough() -> Outcome {
    let github = FakeGitHub::start()?;
    drop(github.signed_environment());
    let office = Office::with(&[&super::owned(&[("GITHUB_WEBHOOK_SECRET", WEBHOOK_SECRET)])])?;
    github.deliver_to(office.bot.host_and_port());
    let id = office.paste(TRACE, "shop")?;
    let number = github.opens_pull("grace", "Look before you sum", &format!("Fixes {id}"), "fix", &["x"]);
    office.card(&id, &format!("#{number} Look before you sum open"))?;
    github.merges(number, "bob");
    let incident = office.is(&id, "resolved")?;
    assert!(
        incident["resolution"]["fix"].as_str().is_some_and(|fix| fix.contains("Look before you sum")),
        "{incident}"
    );
    // What is delivered again is no news, and what is forged is none.
    let delivery = github.deliveries().into_iter().next_back().ok_or("no delivery")?;
    let again = github.redeliver(office.bot.host_and_port(), &delivery.guid)?;
    assert_eq!((again.status, &again.json()["duplicate"]), (202, &json!(true)), "{}", again.text);
    let event = clew_tests::fakes::github::Event::Pull("closed", number);
    assert_eq!(github.deliver_forged(office.bot.host_and_port(), event.clone())?.status, 401);
    assert_eq!(github.deliver_unsigned(office.bot.host_and_port(), event)?.status, 401);
    Ok(())
}

#[test]
fn a_signed_delivery_needs_no_key_at_either_address() -> Outcome {
    let github = FakeGitHub::start()?;
    drop(github.signed_environment());
    let settings = [("GITHUB_WEBHOOK_SECRET", WEBHOOK_SECRET), ("CLEW_API_KEYS", "k3y")];
    let office = Office::with(&[&super::owned(&settings)])?;
    let id = office.paste(TRACE, "shop")?;
    let number = github.opens_pull("grace", "Look before you sum", &format!("Fixes {id}"), "fix", &["x"]);
    let event = clew_tests::fakes::github::Event::Pull("opened", number);
    for address in ["/github-webhook", "/webhooks/github"] {
        let answer = github.deliver(&format!("{}{address}", office.bot.host_and_port()), event.clone())?;
        assert_eq!(answer.status, 202, "{address}: {}", answer.text);
    }
    until("the pull request to be linked", || {
        let incident = office.bot.get(&format!("/incidents/{id}"))?.json();
        Ok(incident["pull_requests"].as_array().filter(|pulls| pulls.len() == 1).map(drop))
    })?;
    Ok(())
}
