//! Calls of a Jira that is not there.

use std::time::Duration;

use clew_tests::fakes::faults::Fault;
use clew_tests::fakes::jira::{FakeJira, Workflow};
use serde_json::json;

use super::{item, section, settings, words};
use crate::Error;
use crate::alerts::Severity;
use crate::code::Developer;
use crate::trackers::jira::Jira;
use crate::trackers::{Account, Category, Change, Draft, Tracker};

const PRIORITIES: &str = "critical=Highest, high=High, medium=Medium, low=Low";

fn jira_with(fake: &FakeJira, others: &[(&str, &str)]) -> Jira {
    let environment = fake.environment();
    let all: Vec<(String, &str)> = environment
        .iter()
        .map(|(name, value)| (name.trim_start_matches("JIRA_").to_lowercase(), value.as_str()))
        .chain([("priorities".to_owned(), PRIORITIES)])
        .chain(others.iter().map(|(key, value)| ((*key).to_owned(), *value)))
        .collect();
    let all: Vec<(&str, &str)> = all.iter().map(|(key, value)| (key.as_str(), *value)).collect();
    Jira::new(settings(&all).unwrap()).unwrap()
}

fn jira(fake: &FakeJira) -> Jira {
    jira_with(fake, &[])
}

fn draft() -> Draft {
    Draft {
        title: "The disk of db-1 is full".into(),
        description: vec![section("Root cause", vec![item(words("disk full"), Some("No space left on device"))])],
        marker: "clew-1".into(),
        severity: Severity::High,
        assignee: None,
    }
}

pub(super) fn why<T: std::fmt::Debug>(outcome: Result<T, Error>) -> String {
    match outcome {
        Err(Error::Permanent(why)) => format!("permanent: {why}"),
        Err(Error::Auth(why)) => format!("auth: {why}"),
        Err(Error::Gone(why)) => format!("gone: {why}"),
        Err(Error::Transient { why, retry_after }) => format!("transient {retry_after:?}: {why}"),
        other => format!("{other:?}"),
    }
}

#[tokio::test]
async fn both_jiras_do_what_every_tracker_does() {
    for fake in [FakeJira::cloud().unwrap(), FakeJira::server().unwrap()] {
        fake.lift_limits();
        crate::trackers::conformance::conformance(&jira(&fake)).await;
        crate::trackers::conformance::knows_no_strangers(&jira(&fake)).await;
    }
}

#[tokio::test]
async fn a_ticket_has_all_that_the_draft_and_the_settings_say() {
    for fake in [FakeJira::cloud().unwrap(), FakeJira::server().unwrap()] {
        fake.add_option_field("customfield_10020", "Team", &["Payments"]);
        let ada = fake.add_user("Ada Lovelace", "ada@acme.example", true);
        let others = [("labels", "on call"), ("fields", r#"{"customfield_10020": {"value": "Payments"}}"#)];
        let jira = jira_with(&fake, &others);
        let assignee = Some(Account { id: ada.clone(), name: "Ada".into() });
        let created = jira.create(&Draft { assignee, ..draft() }).await.unwrap();
        assert_eq!(created.left_out, Vec::<String>::new());
        assert_eq!(created.ticket.assignee.map(|account| account.name).as_deref(), Some("Ada Lovelace"));
        assert_eq!(created.ticket.url, format!("{}/browse/{}", fake.url(), created.ticket.key));
        let issue = fake.issue(&created.ticket.key).unwrap();
        assert_eq!(issue.labels, ["clew", "clew-1", "on-call"]);
        assert_eq!((issue.priority.as_str(), issue.assignee), ("High", Some(ada)));
        assert_eq!(issue.fields["customfield_10020"]["value"], "Payments");
        assert!(issue.description.contains("No space left on device"), "{}", issue.description);
    }
}

#[tokio::test]
async fn what_a_ticket_can_do_without_is_left_out_and_told() {
    let fake = FakeJira::cloud().unwrap();
    fake.without_priority_on_screen();
    let ada = fake.add_user("Ada Lovelace", "ada@acme.example", true);
    fake.set_assignable(&ada, false);
    let assignee = Some(Account { id: ada, name: "Ada".into() });
    let created = jira(&fake).create(&Draft { assignee, ..draft() }).await.unwrap();
    assert_eq!(created.left_out.len(), 2, "{:?}", created.left_out);
    assert!(created.left_out[0].starts_with("the assignee ("), "{:?}", created.left_out);
    assert!(created.left_out[1].starts_with("the priority ("), "{:?}", created.left_out);
    assert_eq!(fake.issues().len(), 1);
    assert_eq!(created.ticket.assignee, None);
}

#[tokio::test]
async fn a_field_that_is_wanted_is_named_with_what_to_do() {
    let fake = FakeJira::cloud().unwrap();
    fake.require_option("customfield_10020", "Team", &["Payments"]);
    let told = why(jira(&fake).create(&draft()).await);
    assert!(told.starts_with("permanent: Jira refuses: Team"), "{told}");
    assert!(told.ends_with("(customfield_10020): set jira.fields"), "{told}");
    // A priority that is not on the screen does not hide what is missing.
    fake.without_priority_on_screen();
    let told = why(jira(&fake).create(&draft()).await);
    assert!(told.contains("(customfield_10020): set jira.fields"), "{told}");
    assert_eq!(fake.issues().len(), 0);
}

#[tokio::test]
async fn a_ticket_that_was_made_is_told_even_if_it_cannot_be_read() {
    let fake = FakeJira::cloud().unwrap();
    fake.fail_next("issue", Fault::ServerError(503));
    let created = jira(&fake).create(&draft()).await.unwrap();
    let ticket = created.ticket;
    assert_eq!((ticket.title.as_str(), ticket.category), ("The disk of db-1 is full", Category::ToDo));
    assert_eq!(fake.issue(&ticket.key).unwrap().summary, ticket.title);
}

#[tokio::test]
async fn the_issue_type_is_the_best_that_the_project_has() {
    for (types, expected) in [
        (&[("Epic", false), ("Task", false), ("Bug", false)][..], "Bug"),
        (&[("Incident", false), ("Task", false)], "Incident"),
        (&[("Bug", true), ("Story", false)], "Story"),
    ] {
        let fake = FakeJira::cloud().unwrap();
        fake.set_issue_types(types);
        let jira = jira(&fake);
        let key = jira.create(&draft()).await.unwrap().ticket.key;
        jira.create(&draft()).await.unwrap();
        assert_eq!(fake.issue(&key).unwrap().issue_type, expected);
        assert_eq!(fake.calls_of("project").len(), 1, "it is asked once");
    }
    let fake = FakeJira::cloud().unwrap();
    fake.set_issue_types(&[("Sub-task", true)]);
    assert!(why(jira(&fake).create(&draft()).await).contains("set jira.issue_type"));
}

#[tokio::test]
async fn what_goes_wrong_is_told_in_words() {
    let fake = FakeJira::cloud().unwrap();
    let jira = jira(&fake);
    let key = jira.create(&draft()).await.unwrap().ticket.key;
    for (fault, expected) in [
        (Fault::RateLimited(7), "transient Some(7s): Jira answers 429 (jira-burst-based)"),
        (Fault::ServerError(503), "transient None: Jira answers 503"),
        (Fault::ServerError(500), "transient None: Jira answers 500"),
        (Fault::DroppedBefore, "transient None: the connection to Jira broke"),
        (
            Fault::Refused("You may not.".into()),
            "auth: Jira does not allow that (403): You may not; the account needs the permission \"Browse Projects\" in OPS",
        ),
    ] {
        fake.fail_next("issue", fault);
        assert_eq!(why(jira.ticket(&key).await), expected);
    }
    let gone = why(jira.ticket("OPS-404").await);
    assert_eq!(gone, "gone: there is no ticket OPS-404 in Jira, or the account may not see it");
    fake.revoke_token();
    let told = why(jira.ticket(&key).await);
    assert_eq!(told, "auth: Jira does not let Clew in (401): check JIRA_USER and JIRA_TOKEN");
    drop(fake);
    // The first call finds a connection that is closed.
    drop(jira.ticket(&key).await);
    assert_eq!(why(jira.ticket(&key).await), "transient None: Jira cannot be reached");
}

#[tokio::test]
async fn a_jira_that_does_not_say_what_it_is_is_asked_again() {
    let fake = FakeJira::server().unwrap();
    let jira = jira(&fake);
    fake.fail_next("serverInfo", Fault::ServerError(503));
    assert_eq!(why(jira.find("clew-1").await), "transient None: Jira answers 503");
    assert_eq!(jira.find("clew-1").await, Ok(None));
    assert_eq!(jira.find("clew-1").await, Ok(None));
    assert_eq!(fake.calls_of("serverInfo").len(), 2, "what it said is known");
}

#[tokio::test]
async fn a_token_alone_is_enough_for_a_server() {
    let fake = FakeJira::server().unwrap();
    let environment = fake.environment_with_personal_token();
    let setting = |key: &str| {
        environment
            .iter()
            .find(|(name, _)| *name == format!("JIRA_{}", key.to_uppercase()))
            .map(|(_, value)| value.clone())
    };
    let jira = Jira::new(crate::trackers::jira::Settings::read(&setting).unwrap()).unwrap();
    assert!(jira.create(&draft()).await.is_ok());
}

async fn made(fake: &FakeJira, others: &[(&str, &str)]) -> (Jira, String) {
    let jira = jira_with(fake, others);
    let key = jira.create(&draft()).await.unwrap().ticket.key;
    (jira, key)
}

#[tokio::test]
async fn a_ticket_walks_to_its_end_and_not_into_a_lie() {
    let fake = FakeJira::cloud().unwrap();
    let (jira, key) = made(&fake, &[]).await;
    jira.change(&key, &Change::Move(Category::Done)).await.unwrap();
    let issue = fake.issue(&key).unwrap();
    assert_eq!((issue.status.as_str(), issue.resolution.as_deref()), ("Fixed", Some("Fixed")));
    assert_eq!(fake.transitions_taken(&key), ["711", "721"]);
    jira.change(&key, &Change::Move(Category::Done)).await.unwrap();
    assert_eq!(fake.transitions_taken(&key).len(), 2, "it is there");
    assert_eq!(jira.ticket(&key).await.unwrap().resolution.as_deref(), Some("Fixed"));
}

#[tokio::test]
async fn a_ticket_that_can_only_end_in_vain_stays() {
    let fake = FakeJira::server().unwrap();
    fake.with_workflow(Workflow::new(&[("Open", "new"), ("Rejected", "done")]).step(
        "1",
        "Reject",
        &["Open"],
        "Rejected",
    ));
    let (jira, key) = made(&fake, &[]).await;
    assert_eq!(
        why(jira.change(&key, &Change::Move(Category::Done)).await),
        format!("permanent: {key} can only end in vain from \"Open\" (Reject), which would be a lie: move it in Jira")
    );
    assert_eq!(fake.transitions_taken(&key).len(), 0);
}

#[tokio::test]
async fn a_workflow_that_goes_in_circles_is_left() {
    let fake = FakeJira::cloud().unwrap();
    fake.with_workflow(
        Workflow::new(&[("Open", "new"), ("Busy", "indeterminate"), ("Review", "indeterminate"), ("Done", "done")])
            .step("1", "Start", &["Open"], "Busy")
            .step("2", "Review", &["Busy"], "Review")
            .step("3", "Again", &["Review"], "Busy"),
    );
    let (jira, key) = made(&fake, &[]).await;
    let told = why(jira.change(&key, &Change::Move(Category::Done)).await);
    assert_eq!(told, format!("permanent: no transition leads {key} from \"Review\" to an end: move it in Jira"));
    assert_eq!(fake.transitions_taken(&key), ["1", "2"]);
}

#[tokio::test]
async fn fields_of_the_end_come_from_the_settings() {
    let workflow = || {
        Workflow::new(&[("Open", "new"), ("Done", "done")])
            .step("1", "Finish", &["Open"], "Done")
            .needs("customfield_10030")
            .step("2", "Reopen", &["Done"], "Open")
    };
    let fake = FakeJira::cloud().unwrap();
    fake.with_workflow(workflow());
    fake.add_text_field("customfield_10030", "Cause", false);
    let (jira, key) = made(&fake, &[]).await;
    assert_eq!(
        why(jira.change(&key, &Change::Move(Category::Done)).await),
        format!(
            "permanent: Jira wants more of {key} for \"Finish\": Cause (customfield_10030) is required: set jira.done_fields"
        )
    );
    fake.person_edits(&key, &json!({"customfield_10030": "a disk"}), "clew@acme.example").unwrap();
    jira.change(&key, &Change::Move(Category::Done)).await.unwrap();
    let (jira, key) = made(&fake, &[("done_fields", r#"{"customfield_10030": "disk"}"#)]).await;
    jira.change(&key, &Change::Move(Category::Done)).await.unwrap();
    assert_eq!(fake.issue(&key).unwrap().fields["customfield_10030"], "disk");
}

#[tokio::test]
async fn a_conflict_is_tried_again_soon() {
    let fake = FakeJira::cloud().unwrap();
    let (jira, key) = made(&fake, &[]).await;
    fake.conflict_next_transition();
    let told = why(jira.change(&key, &Change::Move(Category::Done)).await);
    assert!(told.starts_with("transient Some(2s): Jira answers 409"), "{told}");
    jira.change(&key, &Change::Move(Category::Done)).await.unwrap();
    assert_eq!(fake.issue(&key).unwrap().status, "Fixed");
}

#[tokio::test]
async fn a_comment_whose_answer_was_lost_is_not_written_twice() {
    for fake in [FakeJira::cloud().unwrap(), FakeJira::server().unwrap()] {
        let (jira, key) = made(&fake, &[]).await;
        let comment = Change::Comment { text: words("it is over"), name: "0a1b".into() };
        fake.fail_next("comment", Fault::DroppedAfter);
        assert!(matches!(jira.change(&key, &comment).await, Err(Error::Transient { .. })));
        jira.change(&key, &comment).await.unwrap();
        assert_eq!(fake.comments(&key).len(), 1);
    }
}

#[tokio::test]
async fn the_last_comments_are_told_oldest_first() {
    let fake = FakeJira::cloud().unwrap();
    fake.lift_limits();
    fake.add_user("Ada Lovelace", "ada@acme.example", true);
    let (jira, key) = made(&fake, &[]).await;
    for n in 0..60 {
        fake.person_comments(&key, &format!("/clew note {n}"), "Ada Lovelace").unwrap();
    }
    let comments = jira.comments(&key).await.unwrap();
    assert_eq!(comments.len(), 50);
    assert_eq!((comments[0].text.as_str(), comments[49].text.as_str()), ("/clew note 10", "/clew note 59"));
    assert!(comments.iter().all(|comment| comment.author == "Ada Lovelace" && comment.name.is_none()));
}

#[tokio::test]
async fn all_that_changed_is_told_page_by_page() {
    for fake in [FakeJira::cloud().unwrap(), FakeJira::server().unwrap()] {
        fake.lift_limits();
        for n in 0..130 {
            fake.person_creates(&format!("ticket {n}"), &["clew"]);
        }
        fake.person_creates("another's", &["other"]);
        fake.set_index_lag(Duration::ZERO);
        let jira = jira(&fake);
        let changed = jira.changed(Duration::from_secs(90)).await.unwrap();
        assert_eq!(changed.len(), 130);
    }
}

fn developer(login: &str, email: &str) -> Developer {
    Developer { login: login.into(), emails: vec![email.into()] }
}

#[tokio::test]
async fn an_account_is_certain_or_none() {
    for fake in [FakeJira::cloud().unwrap(), FakeJira::server().unwrap()] {
        let ada = fake.add_user("Ada Lovelace", "ada@acme.example", true);
        let hidden = fake.add_user("Hidden Person", "hidden@acme.example", false);
        let gone = fake.add_user("Gone Person", "gone@acme.example", true);
        fake.deactivate(&gone);
        let accounts = format!("Mapped={hidden}, lady=ada@acme.example, wrong=nobody-at-all");
        let jira = jira_with(&fake, &[("accounts", &accounts)]);
        let account = async |login: &str, email: &str| {
            jira.account(&developer(login, email)).await.unwrap().map(|account| account.id)
        };
        assert_eq!(account("", "ADA@acme.example").await.as_ref(), Some(&ada), "whatever its case");
        assert_eq!(account("lady", "").await.as_ref(), Some(&ada), "a mapping to an e-mail address");
        assert_eq!(account("mapped", "").await.as_ref(), Some(&hidden), "a mapping to an account");
        assert_eq!(account("wrong", "ada@acme.example").await.as_ref(), Some(&ada), "a wrong mapping is no way");
        for (login, email) in [
            ("ada", "other@acme.example"),
            ("x", "ada@acme.exampl"),
            ("x", "ada"),
            ("x", "hidden@acme.example"),
            ("x", "gone@acme.example"),
        ] {
            assert_eq!(account(login, email).await, None, "{login} {email}");
        }
        fake.set_assignable(&ada, false);
        assert_eq!(account("", "ada@acme.example").await, None, "who cannot be assigned");
    }
}
