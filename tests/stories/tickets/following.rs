//! What people do to a ticket in its tracker, and what its incident shows of it.

use clew_tests::fakes::github::FakeGitHub;
use clew_tests::fakes::jira::{FakeJira, Workflow};
use clew_tests::until;
use serde_json::json;

use super::{Office, Outcome, TRACE, some_looks};

const BOSS: &str = "Margaret Hamilton";

#[test]
fn what_happens_to_a_ticket_is_seen_on_the_card_and_said_when_it_matters() -> Outcome {
    let jira = FakeJira::cloud()?;
    let margaret = jira.add_user(BOSS, "margaret@acme.example", true);
    let office = Office::at(&jira, &[])?;
    let id = office.paste(TRACE, "shop")?;
    let key = office.ticket(&id, "jira")?;
    jira.person_assigns(&key, Some(&margaret), &margaret)?;
    office.thread(&id, "OPS-1 is assigned to Margaret Hamilton")?;
    jira.person_transitions(&key, "In Review", &margaret)?;
    office.thread(&id, "is In Review, was Open")?;
    let page = office.card(&id, "OPS-1 In Review")?;
    assert!(page.contains("Margaret Hamilton"), "{page}");

    // Who solves it ends the incident: nothing fires.
    jira.person_transitions(&key, "Fixed", &margaret)?;
    office.is(&id, "resolved")?;
    office.thread(&id, "is Fixed")?;
    office.quiet()?;
    // It was said there; it is not said to it again.
    assert_eq!(jira.comments(&key).len(), 0, "{:#?}", jira.comments(&key));

    // Reopened: said once.
    jira.person_transitions(&key, "Open", &margaret)?;
    office.thread(&id, "is Open again")?;
    office.card(&id, "was done, and is open again")?;
    some_looks();
    let said = office.said(&id)?;
    assert_eq!(said.matches("is Open again").count(), 1, "{said}");
    Ok(())
}

#[test]
fn a_ticket_that_is_given_up_ends_no_incident() -> Outcome {
    let jira = FakeJira::cloud()?;
    let margaret = jira.add_user(BOSS, "margaret@acme.example", true);
    let office = Office::at(&jira, &[])?;
    let id = office.paste(TRACE, "shop")?;
    let key = office.ticket(&id, "jira")?;
    jira.person_transitions(&key, "Won't Do", &margaret)?;
    office.thread(&id, "Won't Do")?;
    office.quiet()?;
    office.is(&id, "open")?;
    Ok(())
}

#[test]
fn a_ticket_that_is_solved_while_its_alert_fires_ends_no_incident() -> Outcome {
    let jira = FakeJira::cloud()?;
    let margaret = jira.add_user(BOSS, "margaret@acme.example", true);
    let office = Office::at(&jira, &[])?;
    let alert = json!({ "title": "The cart is broken", "service": "shop", "status": "firing" });
    office.bot.post_json("/webhooks/generic", &alert)?;
    office.is("INC-1", "open")?;
    let key = office.ticket("INC-1", "jira")?;
    jira.person_transitions(&key, "Fixed", &margaret)?;
    office.thread("INC-1", "is Fixed")?;
    office.quiet()?;
    office.is("INC-1", "open")?;
    // Nor does an alert that is over close a ticket; it is noted on it.
    jira.person_transitions(&key, "Open", &margaret)?;
    let over = json!({ "title": "The cart is broken", "service": "shop", "status": "resolved" });
    office.bot.post_json("/webhooks/generic", &over)?;
    office.is("INC-1", "resolved")?;
    until("the ticket to be told", || {
        Ok(jira.comments(&key).iter().any(|comment| comment.text.contains("Resolved")).then_some(()))
    })?;
    office.quiet()?;
    assert_eq!(jira.issue(&key).ok_or("no ticket")?.status, "Open");
    Ok(())
}

#[test]
fn who_resolves_an_incident_closes_its_ticket_by_the_steps_that_there_are() -> Outcome {
    let jira = FakeJira::cloud()?;
    let office = Office::at(&jira, &[])?;
    let id = office.paste(TRACE, "shop")?;
    let key = office.ticket(&id, "jira")?;
    jira.conflict_next_transition();
    let said = json!({ "by": "Ada", "fix": "rolled back to 1.4.2" });
    office.bot.post_json(&format!("/incidents/{id}/resolve"), &said)?;
    until("the ticket to be done", || {
        Ok(jira.issue(&key).filter(|issue| issue.category == "done").map(|issue| issue.resolution))
    })?;
    let issue = jira.issue(&key).ok_or("no ticket")?;
    assert_eq!((issue.status.as_str(), issue.resolution.as_deref()), ("Fixed", Some("Fixed")));
    let told = jira.comments(&key);
    assert_eq!(told.len(), 1, "{told:#?}");
    assert!(told[0].text.contains("rolled back to 1.4.2"), "{told:#?}");
    // The failure is back: said on the ticket, and on the card.
    office.bot.post_json(&format!("/incidents/{id}/reopen"), &json!({ "by": "Ada" }))?;
    office.card(&id, "is done, and the failure is back")?;
    until("the ticket to be told", || {
        Ok(jira.comments(&key).iter().any(|comment| comment.text.contains("Reopened")).then_some(()))
    })?;
    Ok(())
}

#[test]
fn a_workflow_that_wants_what_nobody_set_is_named_on_the_card() -> Outcome {
    let jira = FakeJira::cloud()?;
    jira.add_text_field("customfield_10077", "Root cause", false);
    jira.with_workflow(
        Workflow::new(&[("Open", "new"), ("Done", "done")])
            .step("11", "Done", &["Open"], "Done")
            .needs("customfield_10077"),
    );
    let office = Office::at(&jira, &[])?;
    let id = office.paste(TRACE, "shop")?;
    let key = office.ticket(&id, "jira")?;
    office.bot.post_json(&format!("/incidents/{id}/resolve"), &json!({ "by": "Ada", "fix": "rolled back" }))?;
    let page = office.card(&id, "OPS-1 not changed")?;
    assert!(page.contains("customfield_10077") && page.contains("jira.done_fields"), "{page}");
    assert_eq!(jira.issue(&key).ok_or("no ticket")?.status, "Open");
    // It waits as a dead letter until somebody has set it.
    assert_eq!(office.bot.get("/jobs?state=dead")?.json()["count"], 1);
    Ok(())
}

#[test]
fn comments_for_the_thread_are_said_there_and_others_are_counted() -> Outcome {
    let jira = FakeJira::cloud()?;
    let margaret = jira.add_user(BOSS, "margaret@acme.example", true);
    let office = Office::at(&jira, &[])?;
    let id = office.paste(TRACE, "shop")?;
    let key = office.ticket(&id, "jira")?;
    jira.person_comments(&key, "Looks like the release of Tuesday.", &margaret)?;
    jira.person_comments(&key, "/clew we roll back at 14:00, password=hunter3", &margaret)?;
    let said = office.thread(&id, "we roll back at 14:00")?;
    assert!(said.contains("OPS-1 , Margaret Hamilton: we roll back") || said.contains("OPS-1, Margaret"), "{said}");
    assert!(!said.contains("release of Tuesday") && !said.contains("hunter3"), "{said}");
    office.card(&id, "2 comments")?;
    Ok(())
}

#[test]
fn a_ticket_that_is_deleted_is_said_and_another_can_be_opened() -> Outcome {
    let jira = FakeJira::cloud()?;
    let office = Office::at(&jira, &[("JIRA_WEBHOOK_SECRET", "s3cret")])?;
    let id = office.paste(TRACE, "shop")?;
    let key = office.ticket(&id, "jira")?;
    jira.person_deletes(&key)?;
    jira.deliver_news(office.bot.host_and_port(), "s3cret")?;
    office.thread(&id, "OPS-1 is gone from its tracker")?;
    assert_eq!(office.ticket(&id, "jira")?, "OPS-2");
    Ok(())
}

#[test]
fn a_signed_delivery_is_news_once_and_a_forged_one_is_none() -> Outcome {
    let jira = FakeJira::cloud()?;
    let margaret = jira.add_user(BOSS, "margaret@acme.example", true);
    let settings = [("JIRA_WEBHOOK_SECRET", "s3cret"), ("CLEW_TICKETS_POLL_SECONDS", "3600")];
    let office = Office::at(&jira, &settings)?;
    let id = office.paste(TRACE, "shop")?;
    let key = office.ticket(&id, "jira")?;
    jira.person_transitions(&key, "In Review", &margaret)?;
    let event = jira.last_event("jira:issue_updated", &key).ok_or("no event")?;
    let forged = jira.deliver(office.bot.host_and_port(), "wrong", &event)?;
    assert_eq!(forged.status, 401, "{}", forged.text);
    let first = jira.deliver(office.bot.host_and_port(), "s3cret", &event)?;
    assert_eq!((first.status, &first.json()["duplicate"]), (202, &json!(false)), "{}", first.text);
    office.thread(&id, "is In Review, was Open")?;
    let again = jira.deliver(office.bot.host_and_port(), "s3cret", &event)?;
    assert_eq!((again.status, &again.json()["duplicate"]), (202, &json!(true)), "{}", again.text);
    Ok(())
}

#[test]
fn what_happened_while_nobody_looked_is_caught_up_and_said_together() -> Outcome {
    let jira = FakeJira::cloud()?;
    let margaret = jira.add_user(BOSS, "margaret@acme.example", true);
    let office = Office::at(&jira, &[])?;
    let id = office.paste(TRACE, "shop")?;
    let key = office.ticket(&id, "jira")?;
    office.thread(&id, "Opened OPS-1")?;
    some_looks();
    let before = office.timeline(&id)?.len();
    let office = office.away(|| {
        jira.person_assigns(&key, Some(&margaret), &margaret)?;
        jira.person_transitions(&key, "In Review", &margaret)?;
        jira.person_transitions(&key, "Open", &margaret)?;
        jira.person_transitions(&key, "In Review", &margaret)
    })?;
    office.thread(&id, "is In Review, was Open; is assigned to Margaret Hamilton")?;
    office.quiet()?;
    let after = office.timeline(&id)?;
    assert_eq!(after.len(), before + 1, "{after:#?}");
    Ok(())
}

#[test]
fn looking_at_github_costs_no_quota_when_nothing_changed() -> Outcome {
    let github = FakeGitHub::start()?;
    let office = Office::with(&[&super::code(&github)])?;
    let id = office.paste(TRACE, "shop")?;
    office.ticket(&id, "github")?;
    office.quiet()?;
    some_looks();
    let (quota, calls) = (github.quota_used(), github.calls().len());
    some_looks();
    assert!(github.calls().len() > calls, "it looks");
    assert_eq!(github.quota_used(), quota, "and it costs nothing");
    Ok(())
}

#[test]
fn an_issue_at_github_that_people_close_and_reopen_is_followed() -> Outcome {
    let github = FakeGitHub::start()?;
    github.add_user("bob", "Bob", None);
    let office = Office::with(&[&super::code(&github)])?;
    let id = office.paste(TRACE, "shop")?;
    let number: u64 = office.ticket(&id, "github")?.parse()?;
    github.assigns(number, "bob", "bob");
    office.thread(&id, "is assigned to bob")?;
    github.comments_on(number, "bob", "/clew looking at it");
    office.thread(&id, "bob: looking at it")?;
    github.closes_issue(number, "bob");
    office.is(&id, "resolved")?;
    github.reopens_issue(number, "bob");
    office.thread(&id, "is open again")?;
    Ok(())
}
