use super::*;

fn comment(github: &FakeGitHub) -> Result<Got, Failure> {
    send(github, "POST", "issues/1/comments", &json!({"body": "x"}))
}

#[test]
fn no_more_is_written_in_a_minute_and_an_hour_than_allowed() -> Outcome {
    let github = team()?;
    let _ = github.opens_issue("ada", "Cart", "");
    github.set_limits(Limits { writes_a_minute: 2, writes_an_hour: 3, ..Limits::default() });
    assert_eq!((comment(&github)?.status, comment(&github)?.status), (201, 201));
    let refused = comment(&github)?;
    assert_eq!(refused.status, 403);
    assert!(refused.json()["message"].as_str().is_some_and(|said| said.contains("secondary rate limit")));
    let wait: u64 = refused.header("retry-after").parse()?;
    assert!((1..=60).contains(&wait), "{wait}");
    assert_ne!(refused.header("x-ratelimit-remaining"), "0");
    assert_eq!(get(&github, "issues/1")?.status, 200);
    github.let_time_pass(Duration::from_secs(wait));
    assert_eq!(comment(&github)?.status, 201);
    github.let_time_pass(Duration::from_secs(61));
    let wait: u64 = comment(&github)?.header("retry-after").parse()?;
    assert!(wait > 3_000, "{wait}");
    github.let_time_pass(Duration::from_secs(wait));
    assert_eq!(comment(&github)?.status, 201);
    assert_eq!(github.comments(1).len(), 4);
    Ok(())
}

#[test]
fn github_allows_eighty_a_minute() -> Outcome {
    let github = team()?;
    let _ = github.opens_issue("ada", "Cart", "");
    let answers = (0..81).map(|_| Ok(comment(&github)?.status)).collect::<Result<Vec<_>, Failure>>()?;
    assert_eq!((answers.iter().filter(|status| **status == 201).count(), answers.last()), (80, Some(&403)));
    Ok(())
}

#[test]
fn the_requests_of_an_hour_end() -> Outcome {
    let github = team()?;
    github.set_limits(Limits { requests: 2, ..Limits::default() });
    let reset: u64 = get(&github, "labels")?.header("x-ratelimit-reset").parse()?;
    assert_eq!(get(&github, "labels")?.header("x-ratelimit-remaining"), "0");
    let refused = get(&github, "labels")?;
    assert_eq!((refused.status, refused.header("x-ratelimit-remaining")), (403, "0"));
    assert!(refused.json()["message"].as_str().is_some_and(|said| said.starts_with("API rate limit exceeded")));
    assert_eq!((refused.header("retry-after"), refused.header("x-ratelimit-reset")), ("", reset.to_string().as_str()));
    let limits = call(&github, "GET", "rate_limit", &[], &Value::Null)?.json();
    assert_eq!(limits["rate"], json!({"limit": 2, "used": 2, "remaining": 0, "reset": reset, "resource": "core"}));
    github.let_time_pass(Duration::from_hours(1));
    assert_eq!(get(&github, "labels")?.status, 200);
    github.exhaust_quota();
    assert_eq!(get(&github, "labels")?.status, 403);
    Ok(())
}

#[test]
fn limits_can_be_had_on_demand() -> Outcome {
    let github = team()?;
    github.fail_next("GET labels", Fault::Refused("secondary".to_owned()));
    let got = get(&github, "labels")?;
    assert_eq!((got.status, got.header("retry-after")), (403, "60"));
    github.fail_next("GET labels", Fault::RateLimited(7));
    let got = get(&github, "labels")?;
    assert_eq!((got.status, got.header("retry-after")), (429, "7"));
    github.fail_next("GET labels", Fault::Refused("Resource not accessible by integration".to_owned()));
    assert_eq!(get(&github, "labels")?.json()["message"], "Resource not accessible by integration");
    assert_eq!(get(&github, "labels")?.status, 200);
    github.fail_next("GET labels", Fault::Refused("primary".to_owned()));
    assert_eq!(get(&github, "labels")?.header("x-ratelimit-remaining"), "0");
    assert_eq!(get(&github, "labels")?.status, 403);
    Ok(())
}
