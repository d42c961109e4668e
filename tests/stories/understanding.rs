use clew_tests::{Bot, Failure, clew};
use serde_json::{Value, json};

use crate::CLEW;

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A service at work: `count` lines of four statements.
fn routine(count: usize) -> Vec<String> {
    (0..count)
        .map(|n| {
            let time = format!("2026-03-04 10:{:02}:{:02}", n / 60 % 60, n % 60);
            match n % 4 {
                0 => format!("{time} INFO orders: accepted order {n} of customer c-{}", n * 7),
                1 => format!("{time} INFO mail: sent mail to queue {n}"),
                2 => format!("{time} INFO db: wrote row {n} in {} ms", n % 9 + 1),
                _ => format!("{time} WARN cache: miss for key k{n}"),
            }
        })
        .collect()
}

#[test]
fn someone_sees_which_lines_are_prints_of_one_statement() -> Result<(), Failure> {
    let log = "Jun 14 15:16:01 combo sshd(pam_unix)[19939]: session opened for user root by (uid=0)\nJun 14 15:16:02 combo sshd(pam_unix)[19941]: session opened for user alice by (uid=0)\nJun 14 15:16:04 combo ftpd[20]: connection from 10.0.0.7 () at Fri Jun 17 07:07:00 2005\n\nJun 14 15:17:04 combo ftpd[21]: connection from 10.0.0.9 () at Fri Jul  1 09:12:33 2005\n";
    let output = clew(CLEW, &["templates", "--json"], log.as_bytes())?;
    let found: Value = serde_json::from_slice(&output.stdout)?;
    assert_eq!(found["lines"], json!([0, 0, 1, null, 1]), "{found}");
    assert_eq!(found["templates"][0]["count"], 2);
    assert_eq!(found["templates"][0]["template"], "session opened for user <*> by (uid=<num>)");
    let shown = text(&clew(CLEW, &["templates", "-"], log.as_bytes())?.stdout);
    assert!(shown.contains("connection from <ip> () at <time>") && shown.contains("       4  -"), "{shown}");
    Ok(())
}

#[test]
fn after_a_deploy_someone_asks_what_changed() -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    let before = routine(400);
    let mut after = routine(400);
    after.retain(|line| !line.contains("mail: sent"));
    after.extend((0..12).map(|n| format!("2026-03-04 11:00:{n:02} ERROR pay: gateway declined payment {n}")));
    let (old, new) = (folder.path().join("old.log"), folder.path().join("new.log"));
    std::fs::write(&old, before.join("\n"))?;
    std::fs::write(&new, after.join("\n"))?;
    let (old, new) = (old.to_string_lossy().into_owned(), new.to_string_lossy().into_owned());
    let shown = text(&clew(CLEW, &["diff", &old, &new], b"")?.stdout);
    assert!(shown.contains("New (1)") && shown.contains("error gateway declined payment <num>"), "{shown}");
    assert!(shown.contains("Vanished (1)") && shown.contains("sent mail to queue <num>"), "{shown}");
    let same = text(&clew(CLEW, &["diff", &old, &old], b"")?.stdout);
    assert!(same.contains("Nothing changed"), "{same}");

    let bot = Bot::start(CLEW, &[])?;
    let diff = bot.post_json("/diff", &json!({ "before": before, "after": after }))?.json();
    assert_eq!(diff["new"][0]["template"], "gateway declined payment <num>", "{diff}");
    assert_eq!((&diff["new"][0]["significant"], &diff["new"][0]["after"]), (&json!(true), &json!(12)));
    assert_eq!(bot.post_json("/diff", &json!({ "before": ["a"] }))?.json()["field"], "after");
    Ok(())
}

#[test]
fn a_failure_that_repeats_all_day_is_one_finding_and_every_line_of_it_is_listed() -> Result<(), Failure> {
    let bot = Bot::start(CLEW, &[])?;
    let mut log = routine(300);
    log.extend(
        (0..50).map(|n| format!("2026-03-04 10:05:{:02} FATAL db: could not write page {n}: I/O error", n % 60)),
    );
    let found = bot.post_json("/analyze", &json!({ "logs": log }))?.json();
    assert_eq!(found["findings"].as_array().map(Vec::len), Some(1), "{}", found["findings"]);
    assert_eq!(found["findings"][0]["count"], 50);
    assert_eq!((found["count"].as_u64(), found["events"][49]["line"].as_u64()), (Some(50), Some(350)));
    assert!(found["events"][7]["text"].as_str().is_some_and(|text| text.contains("page 7:")));
    Ok(())
}

#[test]
fn a_message_that_a_service_never_printed_before_is_said_to_be_new() -> Result<(), Failure> {
    let bot = Bot::start(CLEW, &[])?;
    let ask = |lines: &[String]| -> Result<Value, Failure> {
        Ok(bot.post_json("/analyze", &json!({ "logs": lines, "service": "shop" }))?.json())
    };
    assert_eq!(ask(&routine(400))?["findings"], json!([]), "routine is no finding");
    let mut today = routine(30);
    today.push("2026-03-04 12:00:00 INFO raft: leader lost, term 8".to_owned());
    let found = ask(&today)?;
    assert_eq!(found["findings"].as_array().map(Vec::len), Some(1), "{}", found["findings"]);
    assert!(found["findings"][0]["reasons"].to_string().contains("never seen before in this service"), "{found}");
    Ok(())
}

#[test]
fn the_earliest_cause_is_named_and_the_evidence_says_how_long_before() -> Result<(), Failure> {
    let log = "2026-03-04 03:00:01 INFO  shop: order 7 accepted\n2026-03-04 03:00:20 ERROR postgres: could not extend file \"base/16384/2619\": No space left on device\n2026-03-04 03:00:22 ERROR postgres: server process was terminated, the database system is in recovery mode\n2026-03-04 03:01:00 ERROR shop: could not connect to database: Connection refused\n2026-03-04 03:01:01 ERROR nginx: upstream returned 502 Bad Gateway for /checkout\n";
    let output = clew(CLEW, &["triage", "--json"], log.as_bytes())?;
    let verdict: Value = serde_json::from_slice(&output.stdout)?;
    assert_eq!(verdict["root_cause_id"], "disk_full", "{}", verdict["candidates"]);
    let first = verdict["evidence"].as_array().unwrap().iter().find(|e| e["line"] == 2).unwrap();
    assert!(first["why"].as_str().is_some_and(|why| why.contains("first seen at line 2, ")), "{first}");
    assert!(!first["words"].as_array().unwrap().is_empty());
    Ok(())
}
