use std::time::Duration;

use super::*;

#[test]
fn server_takes_passwords_and_personal_tokens() -> Outcome {
    let jira = FakeJira::server()?;
    assert!(jira.url().ends_with("/jira"));
    let (_, info) = call_as(&jira, "", "GET", "/rest/api/2/serverInfo", &Value::Null)?;
    assert_eq!(info["deploymentType"], "Server");
    assert_eq!(get(&jira, "/rest/api/2/myself")?.1["name"], "clew");
    let token = format!("Bearer {PERSONAL_TOKEN}");
    assert_eq!(call_as(&jira, &token, "GET", "/rest/api/2/myself", &Value::Null)?.0, 200);
    let (status, answer) = call_as(&jira, "Bearer other", "GET", "/rest/api/2/myself", &Value::Null)?;
    assert_eq!((status, &answer["status-code"]), (401, &json!(401)));
    let (status, answer) = call_as(&jira, &basic("clew", "other"), "GET", "/rest/api/2/myself", &Value::Null)?;
    assert!(status == 401 && answer.as_str().is_some_and(|page| page.contains("AUTHENTICATED_FAILED")), "{answer}");
    assert_eq!(get(&jira, "/rest/api/3/myself")?.0, 404);
    Ok(())
}

#[test]
fn server_takes_wiki_text_and_names() -> Outcome {
    let jira = FakeJira::server()?;
    assert_eq!(jira.add_user("Ada Lovelace", "ada@acme.example", true), "ada");
    let create = |more: &Value| call(&jira, "POST", "/rest/api/2/issue", &draft(more));
    let (_, answer) = create(&json!({"description": document("no"), "assignee": {"name": "nobody"}}))?;
    assert_eq!(error(&answer, "description"), "Operation value must be a string");
    assert_eq!(error(&answer, "assignee"), "User 'nobody' does not exist.");
    assert!(error(&create(&json!({"description": "x".repeat(32_768)}))?.1, "description").contains("32,767"));
    let (status, answer) = create(&json!({"description": "h3. Why", "assignee": {"name": "ada"}, "labels": ["x"]}))?;
    assert_eq!((status, &answer["key"]), (201, &json!("OPS-1")));
    assert_eq!(jira.issue("OPS-1").ok_or("no issue")?.description, "h3. Why");
    assert_eq!(call(&jira, "POST", "/rest/api/2/issue/OPS-1/comment", &json!({"body": document("no")}))?.0, 400);
    assert_eq!(call(&jira, "POST", "/rest/api/2/issue/OPS-1/comment", &json!({"body": "*yes*"}))?.1["body"], "*yes*");
    assert_eq!(call(&jira, "PUT", "/rest/api/2/issue/OPS-1/assignee", &json!({"name": null}))?.0, 204);
    let (_, people) = get(&jira, "/rest/api/2/user/assignable/search?project=OPS&username=lov")?;
    assert_eq!((&people[0]["name"], &people[0]["key"]), (&json!("ada"), &json!("JIRAUSER10101")));
    assert_eq!(get(&jira, "/rest/api/2/user?username=ada")?.1["emailAddress"], "ada@acme.example");
    assert_eq!(get(&jira, "/rest/api/2/user?username=nobody")?.0, 404);
    let (_, types) = get(&jira, "/rest/api/2/issue/createmeta/OPS/issuetypes")?;
    assert_eq!((&types["isLast"], &types["values"][0]["name"]), (&json!(true), &json!("Sub-task")));
    let (_, steps) = get(&jira, "/rest/api/2/issue/OPS-1/transitions")?;
    assert_eq!((&steps["transitions"][0]["id"], steps["transitions"][0].get("fields")), (&json!("711"), None));
    Ok(())
}

#[test]
fn server_searches_with_numbers() -> Outcome {
    let jira = FakeJira::server()?;
    jira.set_index_lag(Duration::ZERO);
    for number in 0..3 {
        jira.person_creates(&format!("number {number}"), &["x"]);
    }
    let body = json!({"jql": "labels = x ORDER BY created ASC", "startAt": 1, "maxResults": 1, "fields": ["status"]});
    let (_, page) = call(&jira, "POST", "/rest/api/2/search", &body)?;
    assert_eq!((&page["total"], &page["startAt"], &page["issues"][0]["key"]), (&json!(3), &json!(1), &json!("OPS-2")));
    assert!(page["issues"][0]["fields"]["summary"].is_null());
    let (_, page) = get(&jira, "/rest/api/2/search?jql=ORDER%20BY%20created%20ASC")?;
    assert_eq!(page["issues"][0]["fields"]["summary"], "number 0");
    assert_eq!(get(&jira, "/rest/api/2/search/jql?jql=project%20%3D%20OPS")?.0, 404);
    Ok(())
}

#[test]
fn server_tells_of_a_comment_twice() -> Outcome {
    let jira = FakeJira::server()?;
    let key = jira.person_creates("by hand", &[]);
    jira.person_comments(&key, "hello", "grace")?;
    let kinds: Vec<_> = jira.events().into_iter().map(|event| event.kind).collect();
    assert_eq!(kinds, ["jira:issue_created", "jira:issue_updated", "comment_created"]);
    Ok(())
}
