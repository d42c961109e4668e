use clew_tests::{Bot, Failure, clew_with};
use serde_json::json;

use crate::CLEW;

#[test]
fn the_first_start_says_where_it_listens_what_it_loaded_and_what_is_not_configured() -> Result<(), Failure> {
    let bot = Bot::start(CLEW, &[])?;
    for part in [
        "http://127.0.0.1:",
        "all-MiniLM-L6-v2",
        "root-cause classifier",
        "knowledge entries",
        "state",
        "/webhooks/… (alertmanager, ",
        "not configured: set SLACK_APP_TOKEN, SLACK_BOT_TOKEN and SLACK_CHANNEL",
        "not configured: set DISCORD_TOKEN",
        "not configured: set JIRA_URL",
        "not configured: set GITHUB_TOKEN",
    ] {
        assert!(bot.greeting.contains(part), "{part} in {}", bot.greeting);
    }
    assert!(!bot.greeting.contains("NOT LOADED"), "{}", bot.greeting);
    Ok(())
}

#[test]
fn settings_are_changed_checked_kept_and_shown_without_secrets() -> Result<(), Failure> {
    let environment = [("SLACK_BOT_TOKEN", "xoxb-very-secret")];
    let bot = Bot::start(CLEW, &environment)?;
    let shown = bot.get("/config")?;
    assert!(!shown.text.contains("very-secret"), "{}", shown.text);
    assert_eq!(shown.json()["slack"]["bot_token"], "********");
    let changed = bot.post_json("/config", &json!({ "http": { "max_lines": 2 } }))?;
    assert_eq!(changed.json()["config"]["http"]["max_lines"], 2, "{}", changed.text);
    assert_eq!(bot.post_json("/triage", &json!({ "logs": ["a", "b", "c"] }))?.status, 413, "in force at once");
    for (change, field) in [
        (json!({ "http": { "max_lines": "many" } }), "http.max_lines"),
        (json!({ "http": { "max_linse": 1 } }), "http.max_linse"),
        (json!({ "slack": { "bot_token": "xoxb-new" } }), "slack.bot_token"),
    ] {
        let refused = bot.post_json("/config", &change)?;
        assert_eq!((refused.status, refused.json()["field"].as_str()), (422, Some(field)), "{}", refused.text);
        assert!(!refused.text.contains("xoxb"), "{}", refused.text);
    }
    let bot = bot.restart(CLEW, &environment)?;
    assert_eq!(bot.get("/config")?.json()["http"]["max_lines"], 2, "kept");
    Ok(())
}

#[test]
fn it_refuses_to_listen_for_others_without_a_key() -> Result<(), Failure> {
    let output = clew_with(CLEW, &["serve"], b"", &[("CLEW_HTTP_ADDR", "0.0.0.0:0")])?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2));
    assert!(said.contains("CLEW_API_KEYS"), "{said}");
    Ok(())
}

#[test]
fn it_stops_cleanly_when_asked() -> Result<(), Failure> {
    let mut bot = Bot::start(CLEW, &[])?;
    assert_eq!(bot.stop()?, 0);
    Ok(())
}
