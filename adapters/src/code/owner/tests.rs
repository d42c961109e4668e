#![allow(clippy::unwrap_used)] // a test that fails stops

use clew_tests::fakes::faults::Fault;
use clew_tests::fakes::github::FakeGitHub;

use super::*;
use crate::github::tests::{client, settings};

const LINES: &str = "1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n";

fn host(fake: &FakeGitHub, more: &[(&str, &str)]) -> CodeHost {
    CodeHost::new(&settings(fake, more), Some(client(fake)))
}

fn frame(path: &str, line: u64) -> Frame {
    Frame { path: path.into(), line: Some(line) }
}

/// Mara and lee know the cart, and mara shows an address.
fn shop() -> FakeGitHub {
    let fake = FakeGitHub::start().unwrap();
    fake.add_user("mara", "Mara", Some("mara@public.example"));
    fake.add_user("lee", "Lee", None);
    fake.add_user("kim", "Kim", None);
    fake.add_bot("renovate[bot]");
    fake.add_bot("renovate");
    fake.add_file("shop/cart.py", LINES, &[(1..=5, "lee"), (6..=9, "mara")]);
    fake.add_file("shop/api.py", LINES, &[(1..=10, "lee")]);
    fake
}

async fn found(host: &CodeHost, frames: &[Frame]) -> (String, String) {
    host.owner(frames).await.unwrap().map(|owner| (owner.developer.login, owner.why)).unwrap_or_default()
}

fn owned(login: &str, why: &str) -> (String, String) {
    (login.to_owned(), why.to_owned())
}

#[tokio::test]
async fn who_changed_the_line_last_owns_it() {
    let fake = shop();
    let host = host(&fake, &[]);
    let owner = host.owner(&[frame("/app/shop/cart.py", 7)]).await.unwrap().unwrap();
    assert_eq!((owner.developer.login.as_str(), owner.why.as_str()), ("mara", "last commit to shop/cart.py:7"));
    assert_eq!(owner.developer.emails, ["mara@public.example"]);
    assert_eq!(found(&host, &[frame("/app/shop/cart.py", 2)]).await, owned("lee", "last commit to shop/cart.py:2"));
}

#[tokio::test]
async fn the_first_frame_of_ours_counts() {
    let fake = shop();
    let host = host(&fake, &[]);
    let frames = [
        frame("/usr/lib/python3.12/json/decoder.py", 1),
        frame("/app/site-packages/shop/cart.py", 7),
        frame("/app/unknown.py", 7),
        frame("/app/shop/api.py", 3),
        frame("/app/shop/cart.py", 7),
    ];
    assert_eq!(found(&host, &frames).await, owned("lee", "last commit to shop/api.py:3"));
    assert_eq!(found(&host, &frames[..3]).await, owned("", ""));
    assert_eq!(found(&host, &[]).await, owned("", ""));
}

#[tokio::test]
async fn codeowners_come_first_and_the_first_file_counts_alone() {
    let fake = shop();
    fake.add_file("docs/CODEOWNERS", "* @lee\n", &[]);
    let host = host(&fake, &[]);
    assert_eq!(found(&host, &[frame("/app/shop/cart.py", 7)]).await, owned("lee", "CODEOWNERS: *"));
    fake.add_file(
        ".github/CODEOWNERS",
        "* @lee\n/shop/ @acme/payments @nobody @renovate @kim @mara\n/lib/ ops@acme.example\n",
        &[],
    );
    assert_eq!(found(&host, &[frame("/app/shop/cart.py", 7)]).await, owned("kim", "CODEOWNERS: /shop/"));
    fake.add_file("lib/a.py", LINES, &[]);
    let owner = host.owner(&[frame("/app/lib/a.py", 7)]).await.unwrap().unwrap();
    assert_eq!((owner.developer.login.as_str(), owner.why.as_str()), ("", "CODEOWNERS: /lib/"));
    assert_eq!(owner.developer.emails, ["ops@acme.example"]);
    fake.add_file(".github/CODEOWNERS", "/other/ @kim\n", &[]);
    assert_eq!(found(&host, &[frame("/app/shop/cart.py", 7)]).await.0, "mara", "docs/CODEOWNERS does not count");
}

#[tokio::test]
async fn a_team_is_named_beside_who_knows_the_line() {
    let fake = shop();
    fake.add_file("CODEOWNERS", "/shop/ @acme/payments\n", &[]);
    let why = "last commit to shop/cart.py:7, in the code of @acme/payments (CODEOWNERS: /shop/)";
    assert_eq!(found(&host(&fake, &[]), &[frame("/app/shop/cart.py", 7)]).await, owned("mara", why));
}

#[tokio::test]
async fn without_graphql_the_history_of_the_file_says() {
    for status in [403, 404] {
        let fake = shop();
        fake.without_graphql(status);
        let host = host(&fake, &[]);
        let at = |path: &str| [frame(path, 7)];
        assert_eq!(found(&host, &at("shop/api.py")).await.0, "lee");
        for (login, email) in [("lee", "lee@acme.example"), ("mara", "5+mara@users.noreply.github.com")] {
            let _ = fake.add_commit("shop/cart.py", login, email, "2030-01-01T00:00:00Z");
        }
        let _ = fake.add_commit("shop/cart.py", "mara", "Mara@acme.example", "2030-01-02T00:00:00Z");
        let owner = host.owner(&at("shop/cart.py")).await.unwrap().unwrap();
        assert_eq!(
            (owner.developer.login.as_str(), owner.why.as_str()),
            ("mara", "2 of the last 3 commits to shop/cart.py")
        );
        assert_eq!(owner.developer.emails, ["mara@acme.example", "mara@public.example"]);
        let _ = fake.add_commit("shop/cart.py", "renovate[bot]", "bot@x.example", "2030-01-03T00:00:00Z");
        let _ = fake.add_commit("shop/cart.py", "mara", "mara@acme.example", "2030-01-04T00:00:00Z");
        assert_eq!(found(&host, &at("shop/cart.py")).await.1, "2 of the last 3 commits to shop/cart.py");
        let _ = fake.add_commit("shop/cart.py", "", "stranger@x.example", "2030-01-05T00:00:00Z");
        assert_eq!(found(&host, &at("shop/cart.py")).await, owned("mara", "1 of the last 3 commits to shop/cart.py"));
        for day in 6..9 {
            let _ = fake.add_commit("shop/cart.py", "kim", "kim@acme.example", &format!("2030-01-0{day}T00:00:00Z"));
        }
        assert_eq!(found(&host, &at("shop/cart.py")).await, owned("kim", "last 3 commits to shop/cart.py"));
        let _ = fake.add_commit("shop/cart.py", "lee", "noreply@acme.example", "2030-01-09T00:00:00Z");
        let _ = fake.add_commit("shop/cart.py", "mara", "mara@acme.example", "2030-01-10T00:00:00Z");
        assert_eq!(found(&host, &at("shop/cart.py")).await, owned("mara", "last commit to shop/cart.py"));
    }
}

#[tokio::test]
async fn nobody_is_guessed() {
    let fake = shop();
    let host = host(&fake, &[]);
    fake.add_file("shop/new.py", LINES, &[(1..=10, "renovate[bot]")]);
    assert_eq!(found(&host, &[frame("/app/shop/new.py", 7)]).await, owned("", ""));
    let sha = fake.add_commit("shop/new.py", "", "mara@public.example", "");
    fake.blames("shop/new.py", 1..=10, &sha);
    assert_eq!(
        found(&host, &[frame("/app/shop/new.py", 7)]).await,
        owned("", ""),
        "no account commits with this address"
    );
    fake.add_file("admin/api.py", LINES, &[(1..=10, "kim")]);
    assert_eq!(found(&host, &[frame("/app/api.py", 7)]).await, owned("", ""), "there are two");
    assert_eq!(found(&host, &[frame("/app/shop/../../../x", 7)]).await, owned("", ""));
}

#[tokio::test]
async fn the_default_owner_comes_last() {
    let fake = shop();
    let host = host(&fake, &[("default_owner", "kim")]);
    assert_eq!(found(&host, &[frame("/app/unknown.py", 7)]).await, owned("kim", "default owner"));
    assert_eq!(found(&host, &[]).await, owned("kim", "default owner"));
    assert_eq!(found(&host, &[frame("/app/shop/cart.py", 7)]).await.0, "mara");
}

#[tokio::test]
async fn rules_say_where_paths_are() {
    let fake = shop();
    fake.add_file("services/cart/cart.py", LINES, &[(1..=10, "kim")]);
    let host = host(&fake, &[("paths", "/srv/=services/cart/")]);
    assert_eq!(found(&host, &[frame("/srv/cart.py", 7)]).await, owned("kim", "last commit to services/cart/cart.py:7"));
    assert_eq!(found(&host, &[frame("/srv/../shop/cart.py", 7)]).await, owned("", ""));
}

#[tokio::test]
async fn a_tree_that_is_cut_is_no_tree() {
    let fake = shop();
    fake.cut_trees(1);
    let host = host(&fake, &[]);
    assert_eq!(found(&host, &[frame("/usr/src/app/shop/cart.py", 7)]).await.0, "mara");
    let guesses = fake.calls_of("GET commits");
    let asked: Vec<&str> = guesses.iter().map(|call| call.parameter("path")).collect();
    assert_eq!(asked, ["src/app/shop/cart.py", "app/shop/cart.py", "shop/cart.py"]);
    assert_eq!(found(&host, &[frame("/a/b/c/d/e/shop/cart.py", 7)]).await.0, "");
    assert_eq!(fake.calls_of("GET commits").len(), 3 + 4);
}

#[tokio::test]
async fn asking_again_costs_nothing() {
    let fake = shop();
    fake.add_file(".github/CODEOWNERS", "* @lee\n", &[]);
    let host = host(&fake, &[]);
    let frames = [frame("/app/shop/cart.py", 7)];
    let first = found(&host, &frames).await;
    let used = fake.quota_used();
    assert_eq!(found(&host, &frames).await, first);
    assert_eq!(fake.quota_used(), used);
    fake.add_file("shop/more.py", LINES, &[(1..=10, "mara")]);
    fake.add_file(".github/CODEOWNERS", "/other @lee\n", &[]);
    assert_eq!(found(&host, &[frame("/app/more.py", 7)]).await, owned("mara", "last commit to shop/more.py:7"));
}

#[tokio::test]
async fn an_outage_is_no_answer() {
    let fake = shop();
    let host = host(&fake, &[]);
    for endpoint in ["GET git/trees/{ref}", "GET contents/{path+}", "POST graphql", "GET users/{login}"] {
        fake.fail_next(endpoint, Fault::ServerError(502));
        let answer = host.owner(&[frame("/app/shop/cart.py", 7)]).await;
        assert!(matches!(answer, Err(Error::Transient { .. })), "{endpoint}: {answer:?}");
    }
}
