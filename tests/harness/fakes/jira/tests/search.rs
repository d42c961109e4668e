use std::time::Duration;

use super::*;

fn search(jira: &FakeJira, jql: &str) -> Answered {
    let body = json!({"jql": jql, "fields": ["summary"], "maxResults": 100});
    call(jira, "POST", "/rest/api/3/search/jql", &body)
}

fn keys(answer: &Value) -> Vec<String> {
    let issues = answer["issues"].as_array().into_iter().flatten();
    issues.map(|issue| issue["key"].as_str().unwrap_or("").to_owned()).collect()
}

fn found(jira: &FakeJira, jql: &str) -> Result<Vec<String>, Failure> {
    let (status, answer) = search(jira, jql)?;
    assert_eq!(status, 200, "{jql}: {answer}");
    Ok(keys(&answer))
}

fn prompt() -> Result<FakeJira, Failure> {
    let jira = FakeJira::cloud()?;
    jira.set_index_lag(Duration::ZERO);
    Ok(jira)
}

#[test]
fn queries_are_understood() -> Outcome {
    let jira = prompt()?;
    jira.add_user("Ada", "ada@acme.example", true);
    jira.person_creates("one", &["x-1", "clew"]);
    jira.person_creates("two", &["x-2"]);
    jira.person_creates("three", &["x-1"]);
    // Jira counts in milliseconds.
    std::thread::sleep(Duration::from_millis(5));
    jira.person_transitions("OPS-1", "Won't Do", "Ada")?;
    for (jql, expected) in [
        ("project = \"OPS\" ORDER BY created ASC", vec!["OPS-1", "OPS-2", "OPS-3"]),
        ("project = OPS order by updated desc", vec!["OPS-1", "OPS-3", "OPS-2"]),
        ("project = OPS AND labels = \"x-1\" AND statusCategory != Done", vec!["OPS-3"]),
        ("project = OPS AND labels = 'x-1' AND statusCategory = Done", vec!["OPS-1"]),
        ("labels in (x-1, \"x-2\") and status = 'Won\\'t Do'", vec!["OPS-1"]),
        ("statusCategory in (\"To Do\", \"In Progress\") ORDER BY created ASC", vec!["OPS-2", "OPS-3"]),
        ("key in (OPS-1, \"ops-3\") ORDER BY key ASC", vec!["OPS-1", "OPS-3"]),
        ("updated >= -5m ORDER BY created", vec!["OPS-1", "OPS-2", "OPS-3"]),
        ("updated >= \"-1w 2d\" AND created < \"2020-01-01 10:00\"", vec![]),
        ("created >= \"2020-01-01\" ORDER BY created, key ASC", vec!["OPS-1", "OPS-2", "OPS-3"]),
        ("labels = \"no such \\\"label\\\"\"", vec![]),
    ] {
        assert_eq!(found(&jira, jql)?, expected, "{jql}");
    }
    Ok(())
}

#[test]
fn what_is_no_query_is_refused() -> Outcome {
    let jira = prompt()?;
    for (jql, told) in [
        (
            "labels = a@b",
            "The character '@' is a reserved JQL character. You must enclose it in a string or use the escape \
                          '\\u0040' instead. (line 1, character 11)",
        ),
        ("labels = \"open", "The quoted string 'open' has not been completed. (line 1, character 10)"),
        ("labels = order", "'order' is a reserved JQL word. You must surround it in quotation marks"),
        ("labels = \"a\\x\"", "illegal JQL escape sequence"),
        ("invalid query", "Expecting operator but got 'query'. The valid operators are '=', "),
        ("labels = x y", "Expecting either 'OR' or 'AND' but got 'y'. (line 1, character 12)"),
        ("updated >= 2026-11-28 10:00", "but got '10:00'"),
        ("labels =", "Expecting either a value, list or function before the end of the query."),
        ("labels = a OR labels = b", "'OR' is not known to this fake"),
        ("(labels = a)", "not known to this fake"),
        ("project = NOPE", "The value 'NOPE' does not exist for the field 'project'."),
        ("key in (OPS-77)", "An issue with key 'OPS-77' does not exist for field 'key'."),
        ("statusCategory != Finished", "does not exist for the field 'statusCategory'."),
        ("updated >= yesterday", "Date value 'yesterday' for field 'updated' is invalid."),
        ("planet = mars", "Field 'planet' does not exist or you do not have permission to view it."),
        ("labels ~ x", "The operator '~' is not supported by the 'labels' field."),
        ("labels = x ORDER BY planet", "Field 'planet' does not exist"),
        ("ORDER BY created", "Unbounded JQL queries are not allowed here."),
    ] {
        let (status, answer) = search(&jira, jql)?;
        assert_eq!(status, 400, "{jql}");
        assert!(message(&answer).contains(told), "{jql}: {answer}");
    }
    Ok(())
}

#[test]
fn pages_follow_their_tokens_and_only_ids_come_unasked() -> Outcome {
    let jira = prompt()?;
    for number in 0..5 {
        jira.person_creates(&format!("number {number}"), &[]);
    }
    let address = "/rest/api/3/search/jql?jql=project%20%3D%20OPS%20ORDER%20BY%20created%20ASC";
    let (_, first) = get(&jira, &format!("{address}&maxResults=2"))?;
    assert_eq!((&first["isLast"], first["issues"][0].as_object().map(serde_json::Map::len)), (&json!(false), Some(1)));
    let token = first["nextPageToken"].as_str().unwrap_or("");
    let (_, second) = get(&jira, &format!("{address}&maxResults=9&fields=summary,status&nextPageToken={token}"))?;
    assert_eq!(
        (keys(&second), &second["isLast"]),
        (vec!["OPS-3".into(), "OPS-4".into(), "OPS-5".into()], &json!(true))
    );
    assert!(second["nextPageToken"].is_null());
    assert_eq!(second["issues"][0]["fields"]["summary"], "number 2");
    let body = json!({"jql": "project = OPS", "nextPageToken": token});
    assert_eq!(call(&jira, "POST", "/rest/api/3/search/jql", &body)?.0, 400);
    let (status, answer) =
        call(&jira, "POST", "/rest/api/3/search/jql", &json!({"jql": "project = OPS", "startAt": 0}))?;
    assert_eq!(status, 400);
    assert!(message(&answer).starts_with("Invalid request payload."), "{answer}");
    let (status, answer) = get(&jira, "/rest/api/3/search?jql=project%20%3D%20OPS")?;
    assert_eq!(status, 410);
    assert!(message(&answer).contains("/rest/api/3/search/jql"), "{answer}");
    Ok(())
}

#[test]
fn the_index_lags_behind() -> Outcome {
    let jira = FakeJira::cloud()?;
    jira.add_user("Ada", "ada@acme.example", true);
    jira.set_index_lag(Duration::from_hours(1));
    let key = jira.person_creates("new", &["x"]);
    assert!(found(&jira, "labels = x")?.is_empty());
    let id: u64 = jira.issue(&key).ok_or("no issue")?.id.parse()?;
    let body = json!({"jql": "labels = x", "fields": ["status"], "reconcileIssues": [id]});
    assert_eq!(keys(&call(&jira, "POST", "/rest/api/3/search/jql", &body)?.1), vec![key.clone()]);
    jira.set_index_lag(Duration::from_millis(500));
    std::thread::sleep(Duration::from_millis(600));
    assert_eq!(found(&jira, "labels = x")?, vec![key.clone()]);
    jira.set_index_lag(Duration::from_millis(1_500));
    std::thread::sleep(Duration::from_secs(1));
    jira.person_transitions(&key, "Fixed", "Ada")?;
    assert_eq!(found(&jira, "labels = x AND statusCategory != Done")?, vec![key.clone()]);
    std::thread::sleep(Duration::from_millis(1_600));
    assert!(found(&jira, "labels = x AND statusCategory != Done")?.is_empty());
    Ok(())
}

#[test]
fn dates_are_those_of_the_account() -> Outcome {
    let jira = prompt()?;
    jira.person_creates("new", &[]);
    let created = jira.issues()[0].fields["created"].as_str().unwrap_or("").to_owned();
    let minute = created[..16].replace('T', " ");
    assert_eq!(found(&jira, &format!("created >= \"{minute}\""))?.len(), 1);
    jira.set_time_zone("Etc/UTC", 0);
    assert!(found(&jira, &format!("created >= \"{minute}\""))?.is_empty());
    Ok(())
}

#[test]
fn people_are_found_by_the_beginning_of_what_they_are_called() -> Outcome {
    let jira = prompt()?;
    let ada = jira.add_user("Ada Lovelace", "ada@acme.example", true);
    let bob = jira.add_user("Bob Adams", "bob@acme.example", false);
    let cal = jira.add_user("Cal", "ada@acme.example.org", true);
    jira.set_assignable(&cal, false);
    let ids = |path: &str| -> Result<Vec<String>, Failure> {
        let (status, answer) = get(&jira, path)?;
        assert_eq!(status, 200, "{answer}");
        let people = answer.as_array().into_iter().flatten();
        Ok(people.map(|person| person["accountId"].as_str().unwrap_or("").to_owned()).collect())
    };
    assert_eq!(ids("/rest/api/3/user/assignable/search?project=OPS&query=ada")?, [ada.clone(), bob.clone()]);
    assert_eq!(ids("/rest/api/3/user/search?query=ada%40acme.example")?, [ada, cal]);
    let (_, people) = get(&jira, "/rest/api/3/user/assignable/search?project=OPS&query=bob%40acme.example")?;
    assert_eq!((&people[0]["accountId"], &people[0]["emailAddress"]), (&json!(bob), &Value::Null));
    assert_eq!(get(&jira, "/rest/api/3/user/assignable/search?project=OPS&username=ada")?.0, 400);
    assert_eq!(get(&jira, "/rest/api/3/user/assignable/search?query=ada")?.0, 400);
    assert_eq!(get(&jira, "/rest/api/3/user/search")?.0, 400);
    let person = get(&jira, &format!("/rest/api/3/user?accountId={bob}"))?;
    assert_eq!((person.0, &person.1["displayName"]), (200, &json!("Bob Adams")));
    assert_eq!(get(&jira, "/rest/api/3/user?accountId=nobody")?.0, 404);
    assert_eq!(get(&jira, "/rest/api/3/user?username=bob")?.0, 400);
    Ok(())
}
