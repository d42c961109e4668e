use super::*;

fn step(jira: &FakeJira, key: &str, body: &Value) -> Answered {
    call(jira, "POST", &format!("/rest/api/3/issue/{key}/transitions"), body)
}

#[test]
fn only_the_steps_of_the_workflow_are_taken() -> Outcome {
    let jira = FakeJira::cloud()?;
    let key = made(&jira, &json!({}))?;
    let address = format!("/rest/api/3/issue/{key}/transitions?expand=transitions.fields");
    let steps = |answer: &Value| -> Vec<String> {
        let steps = answer["transitions"].as_array().into_iter().flatten();
        steps.map(|step| step["id"].as_str().unwrap_or("").to_owned()).collect()
    };
    assert_eq!(steps(&get(&jira, &address)?.1), ["711"]);
    let (status, answer) = step(&jira, &key, &json!({"transition": {"id": "721"}}))?;
    assert_eq!((status, message(&answer).as_str()), (400, "Transition id '721' is not valid for this issue."));
    jira.conflict_next_transition();
    assert_eq!(step(&jira, &key, &json!({"transition": {"id": "711"}}))?.0, 409);
    assert_eq!(step(&jira, &key, &json!({"transition": {"id": "711"}}))?.0, 204);
    let (_, answer) = get(&jira, &address)?;
    assert_eq!(steps(&answer), ["731", "721", "741"]);
    let fix = &answer["transitions"][1];
    assert_eq!(fix["fields"]["resolution"]["required"], true);
    assert_eq!(fix["to"]["statusCategory"]["key"], "done");
    let (status, answer) = step(&jira, &key, &json!({"transition": {"id": "721"}}))?;
    assert_eq!((status, error(&answer, "resolution").as_str()), (400, "Resolution is required."));
    let body = json!({"transition": {"id": "721"}, "fields": {"resolution": {"name": "Fixed"}, "summary": "x"}});
    assert!(error(&step(&jira, &key, &body)?.1, "summary").contains("appropriate screen"));
    let body = json!({
        "transition": {"id": "721"}, "fields": {"resolution": {"name": "Fixed"}},
        "update": {"comment": [{"add": {"body": document("merged")}}]},
    });
    assert_eq!(step(&jira, &key, &body)?.0, 204);
    let issue = jira.issue(&key).ok_or("no issue")?;
    assert_eq!((issue.status.as_str(), issue.resolution.as_deref()), ("Fixed", Some("Fixed")));
    assert_eq!(jira.transitions_taken(&key), ["711", "721"]);
    assert_eq!(jira.comments(&key)[0].text, "merged");
    assert_eq!(step(&jira, &key, &json!({"transition": {"id": "751"}}))?.0, 204);
    assert_eq!(jira.issue(&key).ok_or("no issue")?.resolution, None);
    Ok(())
}

#[test]
fn a_story_may_bring_its_own_workflow() -> Outcome {
    let jira = FakeJira::cloud()?;
    jira.add_text_field("customfield_10077", "Root cause", false);
    let flow = Workflow::new(&[("To Do", "new"), ("Done", "done")]);
    jira.with_workflow(flow.step("11", "Finish", &[], "Done").needs("customfield_10077"));
    let key = made(&jira, &json!({}))?;
    let (_, answer) = step(&jira, &key, &json!({"transition": {"id": "11"}}))?;
    assert_eq!(error(&answer, "customfield_10077"), "Root cause is required.");
    let body = json!({"transition": {"id": "11"}, "fields": {"customfield_10077": "disk"}});
    assert_eq!(step(&jira, &key, &body)?.0, 204);
    assert_eq!(jira.issue(&key).ok_or("no issue")?.resolution, None);
    Ok(())
}

#[test]
fn comments_are_documents_with_properties() -> Outcome {
    let jira = FakeJira::cloud()?;
    let key = made(&jira, &json!({}))?;
    let address = format!("/rest/api/3/issue/{key}/comment");
    for (body, told) in [
        (json!({}), "Comment body can not be empty!"),
        (json!({"body": "text"}), "Comment body is not valid!"),
        (json!({"body": {"type": "doc", "version": 1, "content": []}}), "Comment body can not be empty!"),
        (json!({"body": {"type": "doc", "version": 2, "content": []}}), "Comment body is not valid!"),
    ] {
        let (status, answer) = call(&jira, "POST", &address, &body)?;
        assert_eq!((status, error(&answer, "comment").as_str()), (400, told), "{body}");
    }
    for number in 0..3 {
        let properties = json!([{"key": "clew", "value": {"name": number.to_string()}}]);
        let body = json!({"body": document(&format!("number {number}")), "properties": properties});
        assert_eq!(call(&jira, "POST", &address, &body)?.0, 201);
    }
    let (_, page) = get(&jira, &format!("{address}?orderBy=-created&startAt=1&maxResults=1&expand=properties"))?;
    assert_eq!((&page["total"], &page["comments"][0]["body"]), (&json!(3), &document("number 1")));
    assert_eq!(page["comments"][0]["properties"][0]["value"]["name"], "1");
    assert!(get(&jira, &address)?.1["comments"][0]["properties"].is_null());
    Ok(())
}

#[test]
fn issues_are_edited_and_assigned() -> Outcome {
    let jira = FakeJira::cloud()?;
    let ada = jira.add_user("Ada Lovelace", "ada@acme.example", true);
    let key = made(&jira, &json!({"labels": ["a", "b"]}))?;
    let address = format!("/rest/api/3/issue/{key}");
    let body = json!({"update": {"labels": [{"add": "c"}, {"remove": "a"}]}, "fields": {"summary": "other"}});
    assert_eq!(call(&jira, "PUT", &address, &body)?.0, 204);
    let issue = jira.issue(&key).ok_or("no issue")?;
    assert_eq!((issue.labels, issue.summary.as_str()), (vec!["b".to_owned(), "c".to_owned()], "other"));
    let body = json!({"update": {"labels": [{"add": "c"}]}, "fields": {"labels": []}});
    assert_eq!(call(&jira, "PUT", &address, &body)?.0, 400);
    assert_eq!(call(&jira, "PUT", &format!("{address}/assignee"), &json!({"name": "ada"}))?.0, 400);
    assert_eq!(call(&jira, "PUT", &format!("{address}/assignee"), &json!({"accountId": ada}))?.0, 204);
    assert_eq!(jira.issue(&key).ok_or("no issue")?.assignee, Some(ada));
    assert_eq!(call(&jira, "PUT", &format!("{address}/assignee"), &json!({"accountId": null}))?.0, 204);
    assert_eq!(jira.issue(&key).ok_or("no issue")?.assignee, None);
    let property = format!("{address}/properties/clew");
    assert_eq!(call(&jira, "PUT", &property, &json!({"incident": "I-1"}))?.0, 201);
    assert_eq!(get(&jira, &property)?.1["value"]["incident"], "I-1");
    Ok(())
}

#[test]
fn what_people_do_is_told_by_signed_deliveries() -> Outcome {
    let jira = FakeJira::cloud()?;
    jira.add_user("Ada Lovelace", "ada@acme.example", true);
    let key = jira.person_creates("by hand", &["x"]);
    jira.person_transitions(&key, "Fixed", "Ada Lovelace")?;
    jira.person_comments(&key, "/clew hello", "ada@acme.example")?;
    jira.person_assigns(&key, Some("Ada Lovelace"), "Ada Lovelace")?;
    assert!(jira.person_transitions(&key, "Nowhere", "Ada Lovelace").is_err());
    assert_eq!(jira.issue(&key).ok_or("no issue")?.resolution.as_deref(), Some("Fixed"));
    jira.person_deletes(&key)?;
    assert_eq!(get(&jira, &format!("/rest/api/3/issue/{key}"))?.0, 404);
    let kinds: Vec<_> = jira.events().into_iter().map(|event| event.kind).collect();
    let updated = "jira:issue_updated";
    let expected = ["jira:issue_created", updated, updated, "comment_created", updated, "jira:issue_deleted"];
    assert_eq!(kinds, expected);
    let moved = &jira.events()[2].payload;
    assert_eq!(moved["changelog"]["items"][0]["toString"], "Fixed");
    assert_eq!(moved["user"]["displayName"], "Ada Lovelace");
    assert_eq!(jira.events()[3].payload["comment"]["body"], "/clew hello");
    Ok(())
}

#[test]
fn a_delivery_is_signed_and_may_come_again() -> Outcome {
    let heard = Arc::new(Mutex::new(Vec::new()));
    let hearing = Arc::clone(&heard);
    let bot = Server::start(move |request| {
        hearing.lock().unwrap_or_else(PoisonError::into_inner).push(request);
        crate::fakes::server::Reply::json(202, &json!({}))
    })?;
    let jira = FakeJira::cloud()?;
    let key = jira.person_creates("by hand", &[]);
    let event = jira.last_event("jira:issue_created", &key).ok_or("no event")?;
    let address = bot.address().to_string();
    assert_eq!(jira.deliver(&address, "s3cret", &event)?.status, 202);
    assert_eq!(jira.deliver(&format!("http://{address}"), "s3cret", &event)?.status, 202);
    assert_eq!((jira.deliver_news(&address, "s3cret")?, jira.deliver_news(&address, "s3cret")?), (1, 0));
    let heard = heard.lock().unwrap_or_else(PoisonError::into_inner).clone();
    assert_eq!(heard.len(), 3);
    for request in &heard {
        assert_eq!(request.path, "/webhooks/jira");
        assert_eq!(request.header("x-atlassian-webhook-identifier"), event.identifier);
        assert_eq!(request.header("x-hub-signature"), sign("s3cret", &String::from_utf8_lossy(&request.body)));
    }
    // The example of Atlassian's documentation.
    let documented = "sha256=a4771c39fbe90f317c7824e83ddef3caae9cb3d976c214ace1f2937e133263c9";
    assert_eq!(sign("It's a Secret to Everybody", "Hello World!"), documented);
    Ok(())
}
