use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::*;

mod changes;
mod faults;
mod fields;
mod search;
mod server;

type Outcome = Result<(), Failure>;

/// An answer: status and document.
type Answered = Result<(u16, Value), Failure>;

fn basic(user: &str, secret: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{user}:{secret}")))
}

fn call_as(jira: &FakeJira, authorization: &str, method: &str, path: &str, body: &Value) -> Answered {
    let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
    let mut request = ureq::http::Request::builder().method(method).uri(format!("{}{path}", jira.url()));
    if !authorization.is_empty() {
        request = request.header("authorization", authorization);
    }
    let mut response = if body.is_null() {
        agent.run(request.body(())?)?
    } else {
        agent.run(request.header("content-type", "application/json").body(body.to_string())?)?
    };
    let text = response.body_mut().read_to_string()?;
    Ok((response.status().as_u16(), serde_json::from_str(&text).unwrap_or_else(|_| json!(text))))
}

fn call(jira: &FakeJira, method: &str, path: &str, body: &Value) -> Answered {
    let user = if jira.flavour == Flavour::Cloud { CLOUD_USER } else { SERVER_USER };
    call_as(jira, &basic(user, TOKEN), method, path, body)
}

fn get(jira: &FakeJira, path: &str) -> Answered {
    call(jira, "GET", path, &Value::Null)
}

fn document(text: &str) -> Value {
    json!({"type": "doc", "version": 1, "content": [{"type": "paragraph", "content": [{"type": "text", "text": text}]}]})
}

/// The least that an issue needs, and more.
fn draft(more: &Value) -> Value {
    let mut fields = json!({"project": {"key": "OPS"}, "issuetype": {"name": "Bug"}, "summary": "it is broken"});
    for (name, value) in more.as_object().into_iter().flatten() {
        fields[name.as_str()] = value.clone();
    }
    json!({"fields": fields})
}

/// Makes an issue in Cloud and returns its key.
fn made(jira: &FakeJira, more: &Value) -> Result<String, Failure> {
    let (status, answer) = call(jira, "POST", "/rest/api/3/issue", &draft(more))?;
    assert_eq!(status, 201, "{answer}");
    Ok(answer["key"].as_str().unwrap_or("").to_owned())
}

fn error(answer: &Value, field: &str) -> String {
    answer["errors"][field].as_str().unwrap_or("").to_owned()
}

fn message(answer: &Value) -> String {
    answer["errorMessages"][0].as_str().unwrap_or("").to_owned()
}

#[test]
fn who_is_not_known_is_refused_as_cloud_does() -> Outcome {
    let jira = FakeJira::cloud()?;
    assert_eq!(get(&jira, "/rest/api/3/myself")?.1["accountId"], users::bot(Flavour::Cloud));
    for wrong in [String::new(), basic(CLOUD_USER, "other"), basic(SERVER_USER, TOKEN), "Basic ???".to_owned()] {
        let (status, answer) = call_as(&jira, &wrong, "GET", "/rest/api/3/myself", &Value::Null)?;
        assert_eq!(status, 401, "{wrong}");
        assert_eq!(answer, "Client must be authenticated to access this resource.");
    }
    assert_eq!(call_as(&jira, &format!("Bearer {TOKEN}"), "GET", "/rest/api/3/myself", &Value::Null)?.0, 403);
    let (status, answer) = call_as(&jira, "", "GET", "/rest/api/2/serverInfo", &Value::Null)?;
    assert_eq!((status, &answer["deploymentType"]), (200, &json!("Cloud")));
    jira.revoke_token();
    assert_eq!(get(&jira, "/rest/api/3/serverInfo")?.0, 401);
    Ok(())
}

#[test]
fn what_is_not_there_is_not_found() -> Outcome {
    let jira = FakeJira::cloud()?;
    assert_eq!(get(&jira, "/rest/api/3/nothing")?.0, 404);
    assert_eq!(get(&jira, "/rest/api/4/myself")?.0, 404);
    assert_eq!(get(&jira, "/rest/api/3/project/NOPE")?.0, 404);
    let (status, answer) = get(&jira, "/rest/api/3/issue/OPS-1")?;
    assert_eq!(status, 404);
    assert_eq!(message(&answer), "Issue does not exist or you do not have permission to see it.");
    Ok(())
}

#[test]
fn the_project_tells_its_types_and_their_fields() -> Outcome {
    let jira = FakeJira::cloud()?;
    jira.require_option("customfield_10020", "Team", &["Payments", "Search"]);
    let (_, project) = get(&jira, "/rest/api/3/project/OPS")?;
    assert_eq!(project["issueTypes"][0]["subtask"], true);
    let (_, types) = get(&jira, "/rest/api/3/issue/createmeta/OPS/issuetypes")?;
    assert_eq!((&types["total"], &types["issueTypes"][3]["name"]), (&json!(4), &json!("Bug")));
    let (_, fields) = get(&jira, "/rest/api/3/issue/createmeta/OPS/issuetypes/10004")?;
    let team = fields["fields"].as_array().into_iter().flatten().find(|field| field["name"] == "Team");
    let team = team.ok_or("no team")?;
    assert_eq!((&team["required"], &team["allowedValues"][1]["value"]), (&json!(true), &json!("Search")));
    Ok(())
}

#[test]
fn only_the_fields_asked_for_are_told() -> Outcome {
    let jira = FakeJira::cloud()?;
    let key = made(&jira, &json!({"description": document("why")}))?;
    let (_, issue) = get(&jira, &format!("/rest/api/3/issue/{key}?fields=status,assignee"))?;
    let names: Vec<_> = issue["fields"].as_object().into_iter().flatten().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["assignee", "status"]);
    assert_eq!(issue["fields"]["status"]["statusCategory"]["key"], "new");
    let (_, issue) = get(&jira, &format!("/rest/api/2/issue/{key}?fields=*all,-comment"))?;
    assert_eq!(issue["fields"]["description"], "why");
    assert!(issue["fields"]["comment"].is_null());
    assert!(issue["fields"]["created"].as_str().is_some_and(|created| created.ends_with("+0200")), "{issue}");
    Ok(())
}
