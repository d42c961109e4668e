use super::*;

#[test]
fn an_issue_needs_its_fields_and_keeps_what_it_is_told() -> Outcome {
    let jira = FakeJira::cloud()?;
    let ada = jira.add_user("Ada Lovelace", "ada@acme.example", true);
    let link = json!([{"type": "link", "attrs": {"href": "https://x.example"}}]);
    let description = json!({"type": "doc", "version": 1, "content": [
        {"type": "heading", "attrs": {"level": 2}, "content": [{"type": "text", "text": "Why"}]},
        {"type": "bulletList", "content": [{"type": "listItem", "content": [{"type": "paragraph", "content": [
            {"type": "text", "text": "see "}, {"type": "text", "text": "this", "marks": link}
        ]}]}]},
        {"type": "codeBlock", "content": [{"type": "text", "text": "a\nb"}]},
    ]});
    let more = json!({
        "description": description, "labels": ["clew", "x-1"], "priority": {"name": "High"}, "assignee": {"accountId": ada},
    });
    let key = made(&jira, &more)?;
    let issue = jira.issue(&key).ok_or("no issue")?;
    assert_eq!(issue.description, "Why\n* see [this|https://x.example]\na\nb");
    assert_eq!((issue.priority.as_str(), issue.assignee, issue.status.as_str()), ("High", Some(ada), "Open"));
    assert_eq!(issue.labels, ["clew", "x-1"]);
    assert_eq!(issue.fields["description"], description);
    let (status, answer) = call(&jira, "POST", "/rest/api/3/issue", &json!({"fields": {}}))?;
    assert_eq!(status, 400);
    for field in ["project", "issuetype", "summary"] {
        assert!(!error(&answer, field).is_empty(), "{field}: {answer}");
    }
    Ok(())
}

#[test]
fn wrong_fields_are_refused_by_name() -> Outcome {
    let jira = FakeJira::cloud()?;
    let left = jira.add_user("Left", "left@acme.example", true);
    jira.deactivate(&left);
    let off = "Field 'x' cannot be set. It is not on the appropriate screen, or unknown.";
    for (field, value, message) in [
        ("summary", json!("x".repeat(256)), "Summary can't exceed 255 characters."),
        ("summary", json!("a\nb"), "The summary is invalid because it contains newline characters."),
        ("summary", json!(""), "You must specify a summary of the issue."),
        ("labels", json!(["a b"]), "The label 'a b' contains spaces which is invalid."),
        ("priority", json!({"name": "Urgent"}), "The priority selected is invalid."),
        ("assignee", json!({"accountId": "nobody"}), "User 'nobody' does not exist."),
        ("assignee", json!({"accountId": left}), &format!("User '{left}' cannot be assigned issues.")),
        ("issuetype", json!({"name": "Incident"}), "Specify a valid issue type"),
        (
            "issuetype",
            json!({"name": "Sub-task"}),
            "Issue type is a sub-task but parent issue key or id not specified.",
        ),
        ("project", json!({"key": "NOPE"}), "valid project is required"),
        ("resolution", json!({"name": "Fixed"}), &off.replacen("'x'", "'resolution'", 1)),
        ("customfield_1", json!("x"), &off.replacen("'x'", "'customfield_1'", 1)),
    ] {
        let (status, answer) = call(&jira, "POST", "/rest/api/3/issue", &draft(&json!({field: value})))?;
        assert_eq!((status, error(&answer, field)), (400, message.to_owned()), "{field}");
    }
    assert!(jira.issues().is_empty());
    assert!(jira.calls()[0].outcome.starts_with("400 summary: Summary can't"), "{:?}", jira.calls()[0]);
    Ok(())
}

#[test]
fn descriptions_are_documents() -> Outcome {
    let jira = FakeJira::cloud()?;
    let describe =
        |description: &Value| call(&jira, "POST", "/rest/api/3/issue", &draft(&json!({"description": description})));
    let (_, answer) = describe(&json!("text"))?;
    assert!(error(&answer, "description").contains("Atlassian Document"), "{answer}");
    for bad in [
        json!({"type": "doc", "content": []}),
        json!({"type": "doc", "version": 1, "content": [{"type": "text", "text": "loose"}]}),
        json!({"type": "doc", "version": 1, "content": [{"type": "paragraph", "content": [{"type": "text", "text": ""}]}]}),
        json!({"type": "doc", "version": 1, "content": [{"type": "bulletList", "content": []}]}),
    ] {
        let (status, answer) = describe(&bad)?;
        assert_eq!((status, message(&answer).as_str()), (400, "INVALID_INPUT"), "{bad}");
    }
    assert!(jira.calls()[1].outcome.contains("[description"), "{}", jira.calls()[1].outcome);
    assert_eq!(describe(&document(&"x".repeat(32_767)))?.0, 201);
    let (_, answer) = describe(&document(&"x".repeat(32_768)))?;
    assert!(error(&answer, "description").contains("32,767"), "{answer}");
    Ok(())
}

#[test]
fn a_project_may_want_a_field_or_hide_one() -> Outcome {
    let jira = FakeJira::cloud()?;
    jira.require_option("customfield_10020", "Team", &["Payments", "Search"]);
    jira.without_priority_on_screen();
    let (status, answer) = call(&jira, "POST", "/rest/api/3/issue", &draft(&json!({"priority": {"name": "High"}})))?;
    assert_eq!(status, 400);
    assert_eq!(error(&answer, "customfield_10020"), "Team is required.");
    let hidden = "Field 'priority' cannot be set. It is not on the appropriate screen, or unknown.";
    assert_eq!(error(&answer, "priority"), hidden);
    let (_, answer) =
        call(&jira, "POST", "/rest/api/3/issue", &draft(&json!({"customfield_10020": {"value": "Fun"}})))?;
    assert_eq!(error(&answer, "customfield_10020"), "Option value 'Fun' is not valid");
    let key = made(&jira, &json!({"customfield_10020": {"value": "Search"}}))?;
    assert_eq!(jira.issue(&key).ok_or("no issue")?.fields["customfield_10020"]["value"], "Search");
    Ok(())
}
