//! Opening tickets.

use std::time::Duration;

use clew_tests::fakes::faults::Fault;
use clew_tests::fakes::github::{FakeGitHub, REPO};
use clew_tests::fakes::jira::FakeJira;
use clew_tests::{Bot, until};
use serde_json::{Value, json};

use super::{Office, Outcome, TRACE, owned, some_looks};
use crate::CLEW;

#[test]
fn a_ticket_says_what_is_wrong_and_no_secret() -> Outcome {
    let jira = FakeJira::cloud()?;
    let office = Office::at(&jira, &[("CLEW_JIRA_LABELS", "on call, shop")])?;
    let id = office.paste(TRACE, "shop")?;
    assert_eq!(office.ticket(&id, "jira")?, "OPS-1");
    let issue = jira.issue("OPS-1").ok_or("no ticket")?;
    assert_eq!((issue.summary.as_str(), issue.priority.as_str()), ("The cart is broken", "Medium"));
    for part in ["Root cause:", "NoneType", "Service: shop", "Next steps", "INC-1"] {
        assert!(issue.description.contains(part), "{part}: {}", issue.description);
    }
    assert!(!issue.fields.to_string().contains("hunter2"), "{}", issue.fields);
    for label in ["clew", "on-call", "shop"] {
        assert!(issue.labels.iter().any(|known| known == label), "{:?}", issue.labels);
    }
    let page = office.card(&id, "OPS-1")?;
    assert!(!page.contains("Open Jira ticket"), "{page}");
    // A second click is answered, and opens nothing.
    let again = office.bot.post_json(&format!("/incidents/{id}/ticket"), &json!({}))?.json();
    assert!(again["already"].as_str().is_some_and(|said| said.contains("OPS-1")), "{again}");
    assert_eq!(jira.issues().len(), 1);
    Ok(())
}

#[test]
fn a_jira_server_is_spoken_to_in_its_own_language() -> Outcome {
    let (jira, github) = (FakeJira::server()?, FakeGitHub::start()?);
    github.add_user("grace", "Grace Hopper", None);
    github.add_file(".github/CODEOWNERS", "* @bob\n/shop/ @grace\n", &[]);
    github.add_file("shop/cart.py", "x\n", &[]);
    let grace = jira.add_user("Grace Hopper", "grace@acme.example", true);
    let accounts = format!("grace={grace}");
    let office = Office::of_both(&jira, &github, &[("CLEW_JIRA_ACCOUNTS", &accounts)])?;
    let id = office.paste(TRACE, "shop")?;
    let key = office.ticket(&id, "jira")?;
    let issue = jira.issue(&key).ok_or("no ticket")?;
    assert_eq!(issue.assignee.as_deref(), Some(grace.as_str()));
    assert!(issue.fields["description"].as_str().is_some_and(|text| text.contains("{noformat}")), "{}", issue.fields);
    let page = office.card(&id, "CODEOWNERS")?;
    assert!(page.contains("Grace Hopper (CODEOWNERS: /shop/)"), "{page}");
    Ok(())
}

#[test]
fn nobody_is_given_a_ticket_by_a_guess() -> Outcome {
    let (jira, github) = (FakeJira::cloud()?, FakeGitHub::start()?);
    github.add_user("grace", "Grace Hopper", None);
    github.add_file("shop/cart.py", &"x\n".repeat(60), &[(1..=60, "grace")]);
    // The same name, and an address that nobody verified.
    jira.add_user("Grace Hopper", "another.grace@acme.example", true);
    let office = Office::of_both(&jira, &github, &[])?;
    let id = office.paste(TRACE, "shop")?;
    let key = office.ticket(&id, "jira")?;
    assert_eq!(jira.issue(&key).ok_or("no ticket")?.assignee, None);
    office.card(&id, "nobody: grace (")?;
    Ok(())
}

#[test]
fn a_tracker_that_is_down_holds_up_its_ticket_and_nothing_else_and_the_card_says_so() -> Outcome {
    let jira = FakeJira::cloud()?;
    for _ in 0..6 {
        jira.fail_next("search", Fault::ServerError(503));
    }
    let office = Office::at(&jira, &[])?;
    let id = office.paste(TRACE, "shop")?;
    office.bot.post_json(&format!("/incidents/{id}/ticket"), &json!({}))?;
    let page = office.card(&id, "Jira ticket pending")?;
    assert!(page.contains("503") && page.contains("next try"), "{page}");
    // Others are not held up.
    let other = office.paste(crate::FULL_DISK, "db")?;
    office.card(&other, "Disk full")?;
    office.linked(&id, "jira", |ticket| ticket["key"] == "OPS-1")?;
    let page = office.card(&id, "OPS-1")?;
    assert!(!page.contains("pending"), "{page}");
    assert_eq!(jira.issues().len(), 1);
    Ok(())
}

#[test]
fn a_limit_is_obeyed() -> Outcome {
    let jira = FakeJira::cloud()?;
    jira.fail_next("create", Fault::RateLimited(2));
    let office = Office::at(&jira, &[])?;
    let id = office.paste(TRACE, "shop")?;
    office.ticket(&id, "jira")?;
    let created = jira.calls_of("create");
    assert_eq!(created.len(), 2, "{created:#?}");
    assert_eq!(jira.issues().len(), 1);
    Ok(())
}

#[test]
fn what_the_project_wants_is_named_and_can_be_set() -> Outcome {
    let jira = FakeJira::cloud()?;
    jira.require_option("customfield_10020", "Team", &["Payments"]);
    let office = Office::at(&jira, &[])?;
    let id = office.paste(TRACE, "shop")?;
    office.bot.post_json(&format!("/incidents/{id}/ticket"), &json!({}))?;
    let page = office.card(&id, "Jira ticket not opened")?;
    assert!(page.contains("customfield_10020") && page.contains("jira.fields"), "{page}");
    // The button is there again, for when it is set.
    assert!(page.contains("Open Jira ticket"), "{page}");

    let fields = r#"{"customfield_10020": {"value": "Payments"}}"#;
    let office = Office::at(&jira, &[("CLEW_JIRA_FIELDS", fields)])?;
    let id = office.paste(TRACE, "shop")?;
    office.ticket(&id, "jira")?;
    Ok(())
}

#[test]
fn a_field_that_is_not_on_the_screen_is_left_out_and_told() -> Outcome {
    let jira = FakeJira::cloud()?;
    jira.without_priority_on_screen();
    let office = Office::at(&jira, &[])?;
    let id = office.paste(TRACE, "shop")?;
    office.ticket(&id, "jira")?;
    office.thread(&id, "Left out: the priority")?;
    Ok(())
}

#[test]
fn an_answer_that_is_lost_makes_no_second_ticket() -> Outcome {
    let jira = FakeJira::cloud()?;
    jira.set_index_lag(Duration::from_secs(2));
    jira.fail_next("create", Fault::DroppedAfter);
    let office = Office::at(&jira, &[])?;
    let id = office.paste(TRACE, "shop")?;
    assert_eq!(office.ticket(&id, "jira")?, "OPS-1");
    assert_eq!((jira.issues().len(), jira.calls_of("create").len()), (1, 1));
    office.thread(&id, "Opened OPS-1")?;
    Ok(())
}

#[test]
fn a_crash_between_the_ticket_and_the_note_of_it_makes_no_second_ticket() -> Outcome {
    let jira = FakeJira::cloud()?;
    jira.set_index_lag(Duration::from_secs(3));
    jira.fail_next("create", Fault::Slow(Duration::from_secs(30)));
    let office = Office::at(&jira, &[])?;
    let id = office.paste(TRACE, "shop")?;
    office.bot.post_json(&format!("/incidents/{id}/ticket"), &json!({}))?;
    until("the ticket to be made", || Ok((jira.issues().len() == 1).then_some(())))?;
    let office = office.crash()?;
    let linked = office.linked(&id, "jira", |ticket| ticket["key"].is_string())?;
    assert_eq!(linked["key"], "OPS-1");
    assert_eq!((jira.issues().len(), jira.calls_of("create").len()), (1, 1));
    Ok(())
}

#[test]
fn a_crash_makes_no_second_issue_at_github_either() -> Outcome {
    let github = FakeGitHub::start()?;
    github.fail_next("POST issues", Fault::Slow(Duration::from_secs(30)));
    let office = Office::with(&[&super::code(&github)])?;
    let id = office.paste(TRACE, "shop")?;
    office.bot.post_json(&format!("/incidents/{id}/ticket"), &json!({}))?;
    until("the issue to be made", || Ok((github.issues().len() == 1).then_some(())))?;
    let office = office.crash()?;
    office.linked(&id, "github", |ticket| ticket["key"].is_string())?;
    assert_eq!(github.issues().len(), 1);
    Ok(())
}

#[test]
fn the_same_failure_seen_by_another_clew_is_attached_to_the_open_ticket() -> Outcome {
    let jira = FakeJira::cloud()?;
    let first = Office::at(&jira, &[])?;
    let id = first.paste(TRACE, "shop")?;
    let key = first.ticket(&id, "jira")?;
    until("it to be found", || Ok((!jira.calls_of("search").is_empty()).then_some(())))?;
    std::thread::sleep(Duration::from_millis(500));

    let second = Office::at(&jira, &[])?;
    let other = second.paste(TRACE, "shop")?;
    assert_eq!(second.ticket(&other, "jira")?, key);
    second.thread(&other, "Already open as OPS-1")?;
    until("the ticket to be told", || {
        Ok(jira.comments(&key).iter().any(|comment| comment.text.contains("Seen again")).then_some(()))
    })?;
    assert_eq!(jira.issues().len(), 1);
    Ok(())
}

#[test]
fn two_that_open_a_ticket_at_the_same_moment_end_with_one() -> Outcome {
    let github = FakeGitHub::start()?;
    let offices = [Office::with(&[&super::code(&github)])?, Office::with(&[&super::code(&github)])?];
    let ids = [offices[0].paste(TRACE, "shop")?, offices[1].paste(TRACE, "shop")?];
    github.fail_next("POST issues", Fault::Slow(Duration::from_millis(1_500)));
    github.fail_next("POST issues", Fault::Slow(Duration::from_millis(1_500)));
    for (office, id) in offices.iter().zip(&ids) {
        office.bot.post_json(&format!("/incidents/{id}/ticket"), &json!({}))?;
    }
    let keys = until("both to have the same ticket", || {
        let mut keys = Vec::new();
        for (office, id) in offices.iter().zip(&ids) {
            let incident = office.bot.get(&format!("/incidents/{id}"))?.json();
            keys.push(incident["tickets"][0]["key"].as_str().unwrap_or_default().to_owned());
        }
        Ok((!keys[0].is_empty() && keys[0] == keys[1]).then_some(keys))
    })?;
    until("one open issue", || Ok((github.issues().iter().filter(|issue| issue.open).count() == 1).then_some(())))?;
    let open = github.issues().into_iter().find(|issue| issue.open).ok_or("none is open")?;
    assert_eq!(keys[0], open.number.to_string());
    Ok(())
}

#[test]
fn an_issue_at_github_calls_nobody_and_refers_to_nothing() -> Outcome {
    let github = FakeGitHub::start()?;
    github.add_user("grace", "Grace Hopper", None);
    github.add_file("shop/cart.py", &"x\n".repeat(60), &[(1..=60, "grace")]);
    let office = Office::with(&[&super::code(&github)])?;
    let hostile = TRACE.replace("GET /cart", "@everyone see #1 --> <!-- clew:0 --> ```\n# big");
    let id = office.paste(&hostile, "shop")?;
    office.ticket(&id, "github")?;
    let issue = github.issues().into_iter().next().ok_or("no issue")?;
    assert_eq!(issue.assignees, ["grace"]);
    assert!(issue.labels.iter().any(|label| label == "clew"), "{:?}", issue.labels);
    let page = office.card(&id, "grace (")?;
    assert!(page.contains("shop/cart.py:42"), "{page}");
    assert_eq!(github.calls_of("POST issues").len(), 1);
    Ok(())
}

#[test]
fn a_cause_in_the_code_is_asked_about_or_gets_its_ticket_by_itself() -> Outcome {
    let jira = FakeJira::cloud()?;
    let asks = Office::at(&jira, &[])?;
    let id = asks.paste(TRACE, "shop")?;
    asks.card(&id, "The cause is in the code. A ticket for it?")?;
    let quiet = Office::at(&jira, &[("CLEW_TICKETS_AUTOMATIC", "off")])?;
    let id = quiet.paste(TRACE, "shop")?;
    assert!(!quiet.card(&id, "Root cause")?.contains("A ticket for it?"));
    assert_eq!(jira.issues().len(), 0);

    let busy = Office::at(&jira, &[("CLEW_TICKETS_AUTOMATIC", "on")])?;
    let disk = busy.paste(crate::FULL_DISK, "db")?;
    let code = busy.paste(TRACE, "shop")?;
    busy.linked(&code, "jira", |ticket| ticket["key"] == "OPS-1")?;
    assert_eq!(busy.bot.get(&format!("/incidents/{disk}"))?.json()["tickets"], json!([]));
    Ok(())
}

#[test]
fn other_systems_report_by_http_and_are_told_the_ticket_and_who_has_it() -> Outcome {
    let (jira, github) = (FakeJira::cloud()?, FakeGitHub::start()?);
    github.add_user("grace", "Grace Hopper", Some("grace@acme.example"));
    github.add_file("shop/cart.py", &"x\n".repeat(60), &[(41..=43, "grace")]);
    jira.add_user("Grace Hopper", "grace@acme.example", true);
    let office = Office::of_both(&jira, &github, &[])?;
    let report = json!({
        "error_summary": "NoneType in the cart",
        "error_details": "AttributeError: 'NoneType' object has no attribute 'items'",
        "file_path": "/app/shop/cart.py",
        "line_number": 42,
    });
    let answer = office.bot.post_json("/incident", &report)?;
    assert_eq!(answer.status, 201, "{}", answer.text);
    let told = answer.json();
    assert_eq!((&told["jira_issue"], &told["ticket"]), (&json!("OPS-1"), &json!("OPS-1")), "{told}");
    assert_eq!((&told["assigned_to"], &told["status"]), (&json!("Grace Hopper"), &json!("Open")), "{told}");
    // Reported twice, it is there.
    let again = office.bot.post_json("/incident", &report)?;
    assert_eq!((again.status, &again.json()["ticket"]), (200, &json!("OPS-1")), "{}", again.text);

    for (field, wrong) in [("error_summary", json!(" ")), ("line_number", json!("x")), ("tracker", json!("trello"))] {
        let mut report: Value = report.clone();
        report[field] = wrong;
        let answer = office.bot.post_json("/incident", &report)?;
        assert!(answer.status == 422 || answer.status == 400, "{field}: {}", answer.text);
        assert!(answer.text.contains(field), "{field}: {}", answer.text);
    }
    Ok(())
}

#[test]
fn settings_that_cannot_be_right_are_named_at_start() -> Outcome {
    for (name, value, part) in [
        ("JIRA_PROJECT", "ops 1", "jira.project"),
        ("CLEW_JIRA_FIELDS", "{", "jira.fields"),
        ("JIRA_URL", "http://jira.acme.example", "jira.url"),
        ("GITHUB_REPO", "shop", "GITHUB_REPO"),
        ("CLEW_TICKETS_AUTOMATIC", "always", "tickets.automatic"),
    ] {
        let settings = owned(&[
            ("JIRA_URL", "https://acme.example"),
            ("JIRA_USER", "a@acme.example"),
            ("JIRA_TOKEN", "t0ken"),
            ("JIRA_PROJECT", "OPS"),
            ("GITHUB_TOKEN", "t0ken"),
            ("GITHUB_REPO", REPO),
        ]);
        let mut environment: Vec<(&str, &str)> =
            settings.iter().filter(|(known, _)| *known != name).map(|(name, value)| (*name, value.as_str())).collect();
        environment.push((name, value));
        let output = clew_tests::clew_with(CLEW, &["serve"], b"", &environment)?;
        let said = String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout);
        assert!(!output.status.success() && said.contains(part), "{name}: {said}");
        assert!(!said.contains("t0ken"), "{said}");
    }
    Ok(())
}

#[test]
fn nothing_is_asked_of_a_tracker_that_has_no_ticket_of_ours() -> Outcome {
    let jira = FakeJira::cloud()?;
    let office = Office::at(&jira, &[])?;
    some_looks();
    assert_eq!(jira.calls_of("search").len(), 0);
    drop(office);
    let bot = Bot::start(CLEW, &[])?;
    assert!(bot.greeting.contains("/tickets"), "{}", bot.greeting);
    Ok(())
}
