use super::*;

const QUERY: &str = "query($owner: String!, $name: String!, $ref: String!, $path: String!) {
  repository(owner: $owner, name: $name) { object(expression: $ref) { ... on Commit { blame(path: $path) { ranges {
    startingLine endingLine commit { oid committedDate author { name email user { login } } } } } } } } }";

fn graphql(github: &FakeGitHub, query: &str, variables: &Value) -> Result<Got, Failure> {
    call(github, "POST", "graphql", &[], &json!({"query": query, "variables": variables}))
}

fn cart() -> Result<FakeGitHub, Failure> {
    let github = team()?;
    let content: String = (1..=10).map(|line| format!("line {line}\n")).collect();
    github.add_file("shop/cart.py", &content, &[(2..=4, "ada"), (5..=6, "nobody"), (7..=7, "ada")]);
    github.add_file("CODEOWNERS", "* @acme/all\n", &[]);
    Ok(github)
}

#[test]
fn blame_names_the_commits_of_lines() -> Outcome {
    let github = cart()?;
    let asked = |path: &str| json!({"owner": "acme", "name": "shop", "ref": "main", "path": path});
    let answer = graphql(&github, QUERY, &asked("shop/cart.py"))?.json();
    assert_eq!(answer.get("errors"), None);
    let ranges = answer["data"]["repository"]["object"]["blame"]["ranges"].clone();
    let lines: Vec<_> = ranges
        .as_array()
        .into_iter()
        .flatten()
        .map(|range| {
            let login = range["commit"]["author"]["user"]["login"].as_str().unwrap_or("-").to_owned();
            (range["startingLine"].as_u64(), range["endingLine"].as_u64(), login)
        })
        .collect();
    let expected = [(1, 1, "-"), (2, 4, "ada"), (5, 6, "-"), (7, 7, "ada"), (8, 10, "-")];
    let expected = expected.map(|(first, last, login)| (Some(first), Some(last), login.to_owned()));
    assert_eq!(lines, expected);
    let missing = graphql(&github, QUERY, &asked("shop/none.py"))?;
    assert_eq!((missing.status, &missing.json()["data"]), (200, &json!({"repository": {"object": null}})));
    assert_eq!(missing.json()["errors"][0]["type"], "NOT_FOUND");
    Ok(())
}

#[test]
fn queries_that_are_none_are_refused() -> Outcome {
    let github = cart()?;
    let none = json!({});
    for (query, said) in [
        (
            "{ repository(owner: \"acme\", name: \"shop\") { teapot } }",
            "Field 'teapot' doesn't exist on type 'Repository'",
        ),
        (
            "{ repository(owner: \"acme\", name: \"shop\") { object(expression: \"main\") { blame(path: \"x\") { ranges { age } } } } }",
            "Field 'blame' doesn't exist on type 'GitObject'",
        ),
        ("{ repository(owner: \"acme\") { name } }", "Field 'repository' is missing required arguments: name"),
        ("query($x: String!) { viewer { login } }", "Variable $x was provided invalid value"),
    ] {
        let got = graphql(&github, query, &none)?;
        assert_eq!((got.status, &got.json()["errors"][0]["message"]), (200, &json!(said)));
        assert!(got.json().get("data").is_none());
    }
    let spread = "query Q { r: repository(owner: \"acme\", name: \"shop\") { ...f defaultBranchRef { target { oid } } } } \
                  fragment f on Repository { nameWithOwner }";
    assert_eq!(graphql(&github, spread, &none)?.json()["data"]["r"]["nameWithOwner"], "acme/shop");
    assert_eq!(
        graphql(&github, "{ repository(owner: \"a\", name: \"b\") { name } }", &none)?.json()["errors"][0]["type"],
        "NOT_FOUND"
    );
    assert_eq!(call(&github, "POST", "api/graphql", &[], &json!({"query": "{ viewer { login } }"}))?.status, 200);
    github.without_graphql(404);
    assert_eq!(graphql(&github, spread, &none)?.status, 404);
    Ok(())
}

#[test]
fn files_come_raw_and_as_json() -> Outcome {
    let github = cart()?;
    let file = get(&github, "contents/shop/cart.py")?.json();
    let content = file["content"].as_str().unwrap_or("");
    assert!(content.ends_with('\n') && content.lines().all(|line| line.len() <= 60), "{content}");
    let raw = [("accept", "application/vnd.github.raw+json")];
    assert_eq!(
        call(&github, "GET", "repos/acme/shop/contents/CODEOWNERS?ref=main", &raw, &Value::Null)?.text,
        "* @acme/all\n"
    );
    assert_eq!(get(&github, "contents/")?.all("name"), ["CODEOWNERS", "shop"]);
    assert_eq!(get(&github, "contents/shop")?.all("type"), ["file"]);
    assert_eq!(get(&github, "contents/.github/CODEOWNERS")?.status, 404);
    assert_eq!(get(&github, "contents/CODEOWNERS?ref=nowhere")?.status, 404);
    let tree = get(&github, "git/trees/main?recursive=1")?.json();
    let paths: Vec<_> = tree["tree"].as_array().into_iter().flatten().map(|entry| entry["path"].clone()).collect();
    assert_eq!(
        (paths, &tree["truncated"]),
        (vec![json!("CODEOWNERS"), json!("shop"), json!("shop/cart.py")], &json!(false))
    );
    github.cut_trees(1);
    assert_eq!(get(&github, "git/trees/main?recursive=1")?.json()["truncated"], true);
    Ok(())
}

#[test]
fn commits_of_a_file_come_newest_first_with_the_accounts_of_their_authors() -> Outcome {
    let github = cart()?;
    github.add_bot("renovate[bot]");
    let old = github.add_commit("shop/cart.py", "bob", "bob@home.example", "2020-01-01T00:00:00Z");
    let _ = github.add_commit("shop/cart.py", "renovate[bot]", "bot@renovate.example", "2020-01-02T00:00:00Z");
    let _ = github.add_commit("shop/cart.py", "", "gone@acme.example", "2020-01-03T00:00:00Z");
    let commits = get(&github, "commits?path=shop/cart.py&sha=main&until=2020-12-31T00:00:00Z")?.json();
    assert_eq!(
        (&commits[0]["author"], &commits[0]["commit"]["author"]["email"]),
        (&Value::Null, &json!("gone@acme.example"))
    );
    assert_eq!(commits[1]["author"]["type"], "Bot");
    assert_eq!((&commits[2]["sha"], &commits[2]["author"]["login"]), (&json!(old), &json!("bob")));
    assert_eq!(commits[2]["commit"]["verification"]["reason"], "unsigned");
    assert_eq!(get(&github, "commits?path=shop")?.json().as_array().map(Vec::len), Some(6));
    assert_eq!(get(&github, "commits?path=none")?.json(), json!([]));
    assert_eq!(get(&github, "commits?sha=nowhere")?.status, 404);
    github.blames("shop/cart.py", 10..=10, &old);
    let user =
        |login: &str| Ok::<_, Failure>(call(&github, "GET", &format!("users/{login}"), &[], &Value::Null)?.json());
    assert_eq!((&user("ADA")?["email"], &user("bob")?["email"]), (&json!("ada@acme.example"), &Value::Null));
    Ok(())
}
