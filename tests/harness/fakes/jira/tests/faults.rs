use std::time::Duration;

use super::*;
use crate::fakes::faults::Fault;

#[test]
fn an_answer_may_be_lost_after_the_work_was_done() -> Outcome {
    let jira = FakeJira::cloud()?;
    jira.fail_next("create", Fault::DroppedBefore);
    assert!(call(&jira, "POST", "/rest/api/3/issue", &draft(&json!({}))).is_err());
    assert!(jira.issues().is_empty());
    jira.fail_next("create", Fault::DroppedAfter);
    assert!(call(&jira, "POST", "/rest/api/3/issue", &draft(&json!({}))).is_err());
    assert_eq!(jira.issues().len(), 1);
    let outcomes: Vec<_> = jira.calls_of("create").into_iter().map(|call| call.outcome).collect();
    assert_eq!(outcomes, ["cut before", "cut after"]);
    Ok(())
}

#[test]
fn what_goes_wrong_looks_as_it_does_there() -> Outcome {
    let jira = FakeJira::cloud()?;
    jira.fail_next("myself", Fault::ServerError(503));
    let (status, answer) = get(&jira, "/rest/api/3/myself")?;
    assert_eq!(status, 503);
    assert!(answer.as_str().is_some_and(|page| page.starts_with("<!DOCTYPE html>")), "{answer}");
    jira.fail_next("myself", Fault::ServerError(500));
    assert_eq!(message(&get(&jira, "/rest/api/3/myself")?.1), "Internal server error");
    jira.fail_next("myself", Fault::Refused("no".to_owned()));
    assert_eq!(get(&jira, "/rest/api/3/myself")?.0, 403);
    jira.fail_next("search", Fault::Slow(Duration::from_millis(10)));
    jira.fail_next("myself", Fault::RateLimited(7));
    let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
    let response = agent.get(format!("{}/rest/api/3/myself", jira.url())).call()?;
    assert_eq!(response.status().as_u16(), 429);
    assert_eq!(response.headers()["retry-after"], "7");
    assert_eq!(response.headers()["ratelimit-reason"], "jira-burst-based");
    Ok(())
}

#[test]
fn one_issue_takes_only_so_many_writes() -> Outcome {
    let jira = FakeJira::cloud()?;
    let (one, other) = (made(&jira, &json!({}))?, made(&jira, &json!({}))?);
    let write =
        |key: &str| call(&jira, "POST", &format!("/rest/api/3/issue/{key}/comment"), &json!({"body": document("x")}));
    let statuses = (0..21).map(|_| Ok(write(&one)?.0)).collect::<Result<Vec<u16>, Failure>>()?;
    // On a slow machine two seconds may be over before.
    assert!(statuses.iter().take(20).all(|status| *status == 201), "{statuses:?}");
    assert!([429, 201].contains(&statuses[20]), "{statuses:?}");
    assert_eq!(write(&other)?.0, 201);
    jira.lift_limits();
    assert_eq!(write(&one)?.0, 201);
    Ok(())
}

#[test]
fn what_is_no_json_is_refused() -> Outcome {
    let jira = FakeJira::cloud()?;
    let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
    let post = |content_type: &str, agent_name: &str, body: &str| -> Result<u16, Failure> {
        let request = agent.post(format!("{}/rest/api/3/issue", jira.url()));
        let request = request.header("authorization", basic(CLOUD_USER, TOKEN)).header("content-type", content_type);
        Ok(request.header("user-agent", agent_name).send(body)?.status().as_u16())
    };
    assert_eq!(post("text/plain", "clew", "{}")?, 415);
    assert_eq!(post("application/json", "clew", "{")?, 400);
    assert_eq!(post("application/json", "clew", "[]")?, 400);
    assert_eq!(post("application/json", "Mozilla/5.0", "{}")?, 403);
    Ok(())
}
