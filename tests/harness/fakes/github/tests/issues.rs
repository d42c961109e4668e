use super::*;

#[test]
fn an_issue_has_what_it_was_made_with() -> Outcome {
    let github = team()?;
    let draft = json!({"title": "Cart", "body": "Empty.", "labels": ["clew", {"name": "bug"}], "assignees": ["ADA"]});
    let made = send(&github, "POST", "issues", &draft)?;
    assert_eq!(made.status, 201);
    let issue = made.json();
    assert_eq!((&issue["number"], &issue["state"], &issue["comments"]), (&json!(1), &json!("open"), &json!(0)));
    assert_eq!((&issue["labels"][0]["name"], &issue["labels"][1]["name"]), (&json!("clew"), &json!("bug")));
    assert_eq!((&issue["assignee"]["login"], &issue["user"]["login"]), (&json!("ada"), &json!(BOT_LOGIN)));
    assert_eq!(get(&github, "issues/1")?.json()["html_url"], "https://github.com/acme/shop/issues/1");
    assert_eq!(get(&github, "labels")?.all("name"), ["clew", "bug"]);
    Ok(())
}

#[test]
fn what_github_refuses_is_refused_and_nothing_is_made() -> Outcome {
    let github = team()?;
    for (draft, error) in [
        (json!({"title": ""}), json!({"resource": "Issue", "code": "missing_field", "field": "title"})),
        (
            json!({"title": "x", "assignees": ["eve"]}),
            json!({"value": "eve", "resource": "Issue", "field": "assignees", "code": "invalid"}),
        ),
        (
            json!({"title": "x", "labels": ["l".repeat(51)]}),
            json!({"value": "l".repeat(51), "resource": "Label", "field": "name", "code": "invalid"}),
        ),
        (
            json!({"title": "x".repeat(257)}),
            json!({"resource": "Issue", "code": "custom", "field": "title",
                   "message": "title is too long (maximum is 256 characters)"}),
        ),
        (
            json!({"title": "x", "body": "x".repeat(65_537)}),
            json!({"resource": "Issue", "code": "custom", "field": "body",
                   "message": "body is too long (maximum is 65536 characters)"}),
        ),
    ] {
        let got = send(&github, "POST", "issues", &draft)?;
        assert_eq!((got.status, &got.json()["message"]), (422, &json!("Validation Failed")));
        assert_eq!(got.json()["errors"], json!([error]));
    }
    for wrong in [json!({"body": "x"}), json!({"title": 1}), json!({"title": "x", "labels": "bug"})] {
        assert_eq!(send(&github, "POST", "issues", &wrong)?.status, 422, "{wrong}");
    }
    assert_eq!(send(&github, "POST", "issues", &json!([1]))?.json()["message"], "Body should be a JSON object");
    assert!(github.issues().is_empty() && github.state().labels.is_empty());
    Ok(())
}

#[test]
fn issues_are_listed_with_pull_requests_filtered_and_in_pages() -> Outcome {
    let github = team()?;
    for title in ["one", "two", "three"] {
        let _ = github.opens_issue("ada", title, "");
        github.let_time_pass(Duration::from_secs(10));
    }
    let pull = github.opens_pull("bob", "four", "", "four", &[]);
    github.labels(1, "ada", "Clew");
    github.labels(1, "ada", "bug");
    github.labels(2, "ada", "clew");
    github.closes_issue(2, "ada");
    assert_eq!(get(&github, "issues")?.all("title"), ["four", "three", "one"]);
    assert!(get(&github, "issues")?.json()[0]["pull_request"].is_object());
    assert!(get(&github, "issues")?.json()[1].get("pull_request").is_none());
    assert_eq!(get(&github, "issues?state=all&labels=clew")?.all("number"), [2, 1]);
    assert_eq!(get(&github, "issues?state=all&labels=clew,bug")?.all("number"), [1]);
    assert_eq!(get(&github, "issues?creator=bob")?.all("number"), [pull]);
    github.let_time_pass(Duration::from_secs(10));
    github.comments_on(3, "bob", "Me, too.");
    assert_eq!(get(&github, "issues?state=all&sort=updated&direction=desc&per_page=1")?.all("number"), [3]);
    let since = state::written(github.issue(3).ok_or("gone")?.updated_at);
    assert_eq!(get(&github, &format!("issues?state=all&since={since}"))?.all("number"), [3]);
    assert_eq!(get(&github, "issues?since=yesterday")?.status, 422);
    let first = get(&github, "issues?state=all&per_page=3")?;
    let next = first.header("link").split(';').next().unwrap_or("").trim_matches(['<', '>']).to_owned();
    assert!(first.header("link").contains("rel=\"next\"") && first.header("link").contains("rel=\"last\""));
    let second = call(&github, "GET", &next, &[], &Value::Null)?;
    assert_eq!(second.all("number"), [1]);
    assert!(second.header("link").contains("rel=\"prev\"") && !second.header("link").contains("rel=\"next\""));
    Ok(())
}

#[test]
fn an_issue_is_closed_opened_and_given_away() -> Outcome {
    let github = team()?;
    let number = github.opens_issue("ada", "Cart", "");
    let patch = |body: Value| send(&github, "PATCH", "issues/1", &body);
    let closed = patch(json!({"state": "closed", "state_reason": "not_planned"}))?.json();
    assert_eq!((&closed["state"], &closed["state_reason"]), (&json!("closed"), &json!("not_planned")));
    assert_eq!(closed["closed_by"]["login"], BOT_LOGIN);
    let opened = patch(json!({"state": "open", "assignees": ["bob"], "labels": ["x"]}))?.json();
    assert_eq!((&opened["state_reason"], &opened["closed_at"]), (&json!("reopened"), &Value::Null));
    assert_eq!((&opened["assignees"][0]["login"], &opened["labels"][0]["name"]), (&json!("bob"), &json!("x")));
    assert_eq!(patch(json!({"assignees": ["nobody"], "state": "closed"}))?.status, 422);
    assert!(github.issue(number).is_some_and(|issue| issue.open && issue.assignees == ["bob"]));
    assert_eq!(patch(json!({"state": "ajar"}))?.status, 422);
    assert_eq!(send(&github, "DELETE", "issues/1/labels/x", &Value::Null)?.json(), json!([]));
    assert_eq!(send(&github, "DELETE", "issues/1/labels/x", &Value::Null)?.status, 404);
    assert_eq!(get(&github, "assignees/bob")?.status, 204);
    assert_eq!(get(&github, "assignees/eve")?.status, 404);
    github.deletes_issue(number);
    assert_eq!(get(&github, "issues/1")?.status, 410);
    assert_eq!(send(&github, "POST", "issues/1/comments", &json!({"body": "x"}))?.status, 410);
    assert_eq!(get(&github, "issues/2")?.status, 404);
    assert_eq!(github.opens_issue("ada", "Another", ""), 2);
    Ok(())
}

#[test]
fn comments_come_oldest_first_and_move_the_issue() -> Outcome {
    let github = team()?;
    let number = github.opens_issue("ada", "Cart", "");
    github.let_time_pass(Duration::from_mins(1));
    github.comments_on(number, "bob", "first");
    let made = send(&github, "POST", "issues/1/comments", &json!({"body": "second"}))?;
    assert_eq!((made.status, &made.json()["user"]["login"]), (201, &json!(BOT_LOGIN)));
    assert_eq!(get(&github, "issues/1/comments")?.all("body"), ["first", "second"]);
    assert_eq!(get(&github, "issues/1/comments?per_page=1&page=2")?.all("body"), ["second"]);
    assert_eq!(send(&github, "POST", "issues/1/comments", &json!({"body": " "}))?.status, 422);
    assert_eq!(send(&github, "POST", "issues/1/comments", &json!({}))?.status, 422);
    let issue = github.issue(number).ok_or("gone")?;
    assert!(issue.updated_at >= issue.created_at + 60);
    assert_eq!(github.comments(number).len(), 2);
    Ok(())
}
