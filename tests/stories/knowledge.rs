use std::time::{Duration, Instant};

use clew_tests::{Bot, Failure, clew_with};
use serde_json::{Value, json};

use crate::CLEW;

const PAGE: &str = "---\ntitle: FrobnicatorStalled\nweight: 20\n---\n\n# FrobnicatorStalled\n\n## Meaning\n\nThe frobnicator takes no work from its queue.\n\n## Diagnosis\n\n- Look at its queue: `frobctl queue`\n\n## Mitigation\n\n- Turn the crank: `frobctl crank --now`\n- Delete the queue: `frobctl queue delete --force`\n";

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Asks until the answer is as wanted: pages on disk are picked up within seconds.
fn until(wanted: impl Fn() -> Result<bool, Failure>) -> Result<bool, Failure> {
    let start = Instant::now();
    while start.elapsed() < Duration::from_mins(1) {
        if wanted()? {
            return Ok(true);
        }
        std::thread::sleep(Duration::from_millis(200));
    }
    Ok(false)
}

#[test]
fn a_team_imports_its_runbooks_while_clew_runs_and_finds_the_section() -> Result<(), Failure> {
    let pages = tempfile::tempdir()?;
    std::fs::create_dir(pages.path().join("alerts"))?;
    std::fs::write(pages.path().join("alerts/FrobnicatorStalled.md"), PAGE)?;
    std::fs::write(pages.path().join("broken.md"), "---\ntitle: x\nno end")?;
    std::fs::write(pages.path().join("copy.md"), PAGE)?;
    let bot = Bot::start(CLEW, &[])?;
    let data = bot.data_dir().to_string_lossy().into_owned();
    let folder = pages.path().to_string_lossy().into_owned();
    let import = || clew_with(CLEW, &["kb", "import", &folder, "--name", "team"], b"", &[("CLEW_DATA_DIR", &data)]);

    let first = import()?;
    let said = text(&first.stdout);
    assert_eq!(first.status.code(), Some(0), "{said}{}", text(&first.stderr));
    assert!(said.contains("team: 1 added, 0 changed, 0 unchanged, 0 removed"), "{said}");
    assert!(said.contains("copy.md: says the same as alerts/FrobnicatorStalled.md"), "{said}");
    assert!(said.contains("broken.md: front matter"), "{said}");
    let again = text(&import()?.stdout);
    assert!(again.contains("team: 0 added, 0 changed, 1 unchanged, 0 removed"), "{again}");

    let question = json!({ "query": "[FIRING:1] FrobnicatorStalled warning: frob-7 takes no work", "top_k": 3 });
    let best = || -> Result<Value, Failure> { Ok(bot.post_json("/search", &question)?.json()[0].clone()) };
    assert!(until(|| Ok(best()?["id"] == "team/alerts/FrobnicatorStalled"))?, "{}", best()?);
    let hit = best()?;
    assert!(hit["source"].as_str().is_some_and(|source| source.starts_with("team/alerts/FrobnicatorStalled.md")));
    let crank = bot.post_json("/search", &json!({ "query": "how to turn the crank of the frobnicator" }))?.json();
    assert_eq!(crank[0]["section"], "Mitigation", "{crank}");
    assert_eq!(crank[0]["source"], "team/alerts/FrobnicatorStalled.md#mitigation");

    // The page goes, and nobody finds it any more.
    std::fs::remove_file(bot.data_dir().join("knowledge/team/alerts/FrobnicatorStalled.md"))?;
    assert!(until(|| Ok(best()?["id"] != "team/alerts/FrobnicatorStalled"))?, "{}", best()?);
    Ok(())
}

#[test]
fn what_happened_here_before_is_shown_beside_what_happens_everywhere() -> Result<(), Failure> {
    let pages = tempfile::tempdir()?;
    let incident = "---\ntitle: Checkout down, pool used up by the tax call\nkind: incident\ntechnology: [java, hikaricp]\n---\nHikariPool-1 - Connection is not available, request timed out after 30000ms. Checkout failed for 40 minutes.\n\n## Fix\n- Switch the tax call off: `flagctl off tax-call`\n";
    std::fs::write(pages.path().join("2025-11-checkout.md"), incident)?;
    let data = tempfile::tempdir()?;
    let environment = [("CLEW_DATA_DIR", &*data.path().to_string_lossy().into_owned())];
    let folder = pages.path().to_string_lossy().into_owned();
    clew_with(CLEW, &["kb", "import", &folder, "--name", "incidents"], b"", &environment)?;
    let log = "2026-03-04 03:12:07,113 ERROR [pool-7-thread-3] c.a.Checkout - checkout failed\njava.sql.SQLTransientConnectionException: HikariPool-1 - Connection is not available, request timed out after 30000ms (total=10, active=10, idle=0, waiting=42)\n";
    let output = clew_with(CLEW, &["triage", "--json"], log.as_bytes(), &environment)?;
    let verdict: Value = serde_json::from_slice(&output.stdout)?;
    let similar = verdict["similar_incidents"].as_array().unwrap();
    let ours = similar.iter().find(|hit| hit["id"] == "incidents/2025-11-checkout");
    assert!(ours.is_some_and(|hit| hit["resolution"].to_string().contains("flagctl off tax-call")), "{similar:?}");
    Ok(())
}

#[test]
fn an_author_checks_a_folder_before_handing_it_over() -> Result<(), Failure> {
    let pages = tempfile::tempdir()?;
    let folder = pages.path().to_string_lossy().into_owned();
    let data = tempfile::tempdir()?;
    let environment = [("CLEW_DATA_DIR", &*data.path().to_string_lossy().into_owned())];
    std::fs::write(pages.path().join("good.md"), PAGE)?;
    let fine = clew_with(CLEW, &["kb", "check", &folder], b"", &environment)?;
    assert_eq!(fine.status.code(), Some(0), "{}", text(&fine.stdout));
    std::fs::write(pages.path().join("twin.md"), PAGE)?;
    std::fs::write(pages.path().join("typo.md"), "---\nid: typo\ntitle: t\nresolutoin: x\n---\n")?;
    let bad = clew_with(CLEW, &["kb", "check", &folder], b"", &environment)?;
    let said = text(&bad.stdout);
    assert_eq!(bad.status.code(), Some(2), "{said}");
    assert!(said.contains("twin says the same as good") && said.contains("resolutoin"), "{said}");
    Ok(())
}

#[test]
fn searches_are_narrowed_by_technology_and_kind_and_listed_on_the_command_line() -> Result<(), Failure> {
    let bot = Bot::start(CLEW, &[])?;
    let ask = |filter: Value| -> Result<Value, Failure> {
        let mut question = json!({ "query": "too many connections", "top_k": 20 });
        question.as_object_mut().unwrap().extend(filter.as_object().unwrap().clone());
        Ok(bot.post_json("/search", &question)?.json())
    };
    let mysql = ask(json!({ "technology": "MySQL" }))?;
    assert!(!mysql.as_array().unwrap().is_empty());
    for hit in mysql.as_array().unwrap() {
        assert!(hit["technology"].as_array().unwrap().contains(&json!("mysql")), "{hit}");
    }
    assert_eq!(bot.post_json("/search", &json!({ "query": "x", "kind": "poem" }))?.json()["field"], "kind");
    let listed = clew_with(CLEW, &["kb", "list", "--technology", "kafka"], b"", &[])?;
    assert!(text(&listed.stdout).contains("kafka-disk-full"), "{}", text(&listed.stdout));
    let nothing = clew_with(CLEW, &["kb", "search", "zebra", "ballet"], b"", &[])?;
    assert_eq!(nothing.status.code(), Some(3), "{}", text(&nothing.stdout));
    Ok(())
}
