use super::*;

#[test]
fn a_merged_pull_request_closes_what_it_names() -> Outcome {
    let github = team()?;
    for title in ["named in the body", "in a commit", "in passing"] {
        let _ = github.opens_issue("ada", title, "");
    }
    let number = github.opens_pull("bob", "Fill the cart", "Fixes #1, see #3", "cart", &["Count (closes #2)"]);
    let open = get(&github, &format!("pulls/{number}"))?.json();
    assert_eq!((&open["merged"], &open["merged_by"], &open["state"]), (&json!(false), &Value::Null, &json!("open")));
    assert!(open["merge_commit_sha"].is_string());
    let sha = github.merges(number, "ada");
    let merged = get(&github, &format!("pulls/{number}"))?.json();
    assert_eq!((&merged["merged"], &merged["merged_by"]["login"]), (&json!(true), &json!("ada")));
    assert_eq!((&merged["merge_commit_sha"], &merged["state"]), (&json!(sha), &json!("closed")));
    assert_eq!(merged["base"]["repo"]["default_branch"], merged["base"]["ref"]);
    let open: Vec<u64> = github.issues().iter().filter(|issue| issue.open).map(|issue| issue.number).collect();
    assert_eq!(open, [3]);
    let listed = get(&github, "pulls?state=closed")?.json();
    assert!(listed[0].get("merged").is_none() && listed[0]["merged_at"].is_string());
    let newest = get(&github, "commits?per_page=2")?.json();
    assert_eq!((&newest[0]["sha"], &newest[0]["commit"]["verification"]["verified"]), (&json!(sha), &json!(true)));
    assert_eq!(newest[1]["commit"]["message"], "Count (closes #2)");
    Ok(())
}

#[test]
fn only_what_comes_into_the_default_branch_closes() -> Outcome {
    let github = team()?;
    let _ = github.opens_issue("ada", "Cart", "");
    let number = github.opens_pull_into("release", "bob", "Fill", "Fixes #1", "cart");
    github.merges(number, "ada");
    assert_eq!(get(&github, &format!("pulls/{number}"))?.json()["base"]["ref"], "release");
    assert!(github.issue(1).is_some_and(|issue| issue.open));
    github.commits_to_default("ada", "Fix #1 at last\n\nResolves: #1", "cart.py");
    assert!(github.issue(1).is_some_and(|issue| !issue.open));
    Ok(())
}

#[test]
fn a_revert_says_what_it_reverts() -> Outcome {
    let github = team()?;
    let number = github.opens_pull("bob", "Fill the cart", "", "cart", &[]);
    assert_eq!(github.reverts(number, "ada"), 0);
    github.merges(number, "ada");
    let revert = github.reverts(number, "ada");
    let shown = get(&github, &format!("pulls/{revert}"))?.json();
    assert_eq!(shown["title"], "Revert \"Fill the cart\"");
    assert_eq!((&shown["body"], &shown["state"]), (&json!(format!("Reverts acme/shop#{number}")), &json!("open")));
    assert_eq!(shown["head"]["ref"], format!("revert-{number}-cart"));
    let message = get(&github, &format!("pulls/{revert}/commits"))?.json()[0]["commit"]["message"].clone();
    assert!(message.as_str().is_some_and(|message| message.contains("This reverts commit ")), "{message}");
    Ok(())
}

#[test]
fn pull_requests_are_listed_in_the_order_that_is_asked_for() -> Outcome {
    let github = team()?;
    for branch in ["one", "two"] {
        let _ = github.opens_pull("bob", branch, "", branch, &[]);
        github.let_time_pass(Duration::from_secs(10));
    }
    github.pushes(1, "more");
    assert_eq!(get(&github, "pulls")?.all("number"), [2, 1]);
    // Not in the order of creation, the default is the other one.
    assert_eq!(get(&github, "pulls?sort=updated")?.all("number"), [2, 1]);
    assert_eq!(get(&github, "pulls?sort=updated&direction=desc&per_page=1")?.all("number"), [1]);
    assert_eq!(get(&github, "pulls?head=acme:two")?.all("number"), [2]);
    let draft = github.opens_draft("bob", "three", "", "three");
    assert_eq!(get(&github, &format!("pulls/{draft}"))?.json()["draft"], true);
    github.readies(draft);
    assert_eq!(get(&github, &format!("pulls/{draft}"))?.json()["draft"], false);
    github.closes(draft);
    let closed = get(&github, &format!("pulls/{draft}"))?.json();
    assert_eq!((&closed["state"], &closed["merged"]), (&json!("closed"), &json!(false)));
    github.reopens(draft);
    assert!(github.issue(draft).is_some_and(|issue| issue.open));
    Ok(())
}

#[test]
fn checks_statuses_and_reviews_are_of_commits() -> Outcome {
    let github = team()?;
    let number = github.opens_pull("bob", "Fill", "", "cart", &[]);
    let head = github.commits(number)[0].clone();
    let combined = get(&github, &format!("commits/{head}/status"))?.json();
    assert_eq!((&combined["state"], &combined["total_count"]), (&json!("pending"), &json!(0)));
    github.check(number, "build", "in_progress");
    github.check(number, "lint", "success");
    let runs = |sha: &str| Ok::<_, Failure>(get(&github, &format!("commits/{sha}/check-runs"))?.json());
    assert_eq!(runs(&head)?["total_count"], 2);
    github.check(number, "build", "failure");
    github.check(number, "build", "success");
    let latest = runs(&head)?;
    assert_eq!((&latest["total_count"], &latest["check_runs"][0]["conclusion"]), (&json!(2), &json!("success")));
    assert_eq!(get(&github, &format!("commits/{head}/check-runs?filter=all"))?.json()["total_count"], 3);
    github.status(number, "ci/old", "failure");
    assert_eq!(get(&github, &format!("commits/{head}/status"))?.json()["state"], "failure");
    github.reviews(number, "ada", "changes_requested");
    let pushed = github.pushes(number, "Better");
    assert_eq!(runs(&pushed)?["total_count"], 0);
    github.reviews(number, "ada", "approved");
    assert_eq!(get(&github, &format!("pulls/{number}/reviews"))?.all("state"), ["CHANGES_REQUESTED", "APPROVED"]);
    github.reviews(number, "ada", "dismissed");
    assert_eq!(get(&github, &format!("pulls/{number}/reviews"))?.all("state"), ["CHANGES_REQUESTED", "DISMISSED"]);
    assert_eq!(get(&github, &format!("commits/{head}/pulls"))?.all("number"), [number]);
    assert_eq!(get(&github, "commits/cart")?.json()["sha"], pushed);
    assert_eq!(get(&github, "commits/0123456789")?.status, 422);
    Ok(())
}
