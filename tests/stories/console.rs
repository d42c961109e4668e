use clew_tests::{Bot, Failure};

use crate::{CLEW, FULL_DISK};

fn form(logs: &str) -> String {
    let encoded: String = logs.bytes().map(|byte| format!("%{byte:02X}")).collect();
    format!("logs={encoded}&service=shop&title=")
}

const FORM: &str = "application/x-www-form-urlencoded";

#[test]
fn someone_pastes_a_log_and_shares_the_link_which_outlives_a_restart() -> Result<(), Failure> {
    let bot = Bot::start(CLEW, &[])?;
    assert!(bot.browse("/")?.text.contains("What went wrong?"));
    let sent = bot.post("/", FORM, form(FULL_DISK).as_bytes())?;
    assert_eq!(sent.status, 303, "{}", sent.text);
    let page = bot.browse(&sent.location)?.text;
    for part in
        ["<h1>Disk full</h1>", "Evidence", "No space left on device", "Next steps", "<code>", "Known failures", "shop"]
    {
        assert!(page.contains(part), "{part} in {page}");
    }
    assert!(!page.contains("hunter2"));
    let bot = bot.restart(CLEW, &[])?;
    assert_eq!(bot.browse(&sent.location)?.text, page);
    Ok(())
}

#[test]
fn a_log_line_cannot_put_anything_into_the_page() -> Result<(), Failure> {
    let bot = Bot::start(CLEW, &[])?;
    let log = "ERROR: <script>alert(1)</script> \"><img src=x onerror=alert(2)> No space left on device";
    let sent = bot.post("/", FORM, form(log).as_bytes())?;
    let page = bot.browse(&sent.location)?.text;
    assert!(
        page.contains("No space left on device") && !page.contains("<script>alert") && !page.contains("<img"),
        "{page}"
    );
    Ok(())
}

#[test]
fn a_large_paste_is_taken_without_a_script() -> Result<(), Failure> {
    let bot = Bot::start(CLEW, &[])?;
    let sent = bot.post("/", FORM, form(&FULL_DISK.repeat(2_500)).as_bytes())?;
    assert_eq!(sent.status, 303, "{}", sent.text);
    Ok(())
}

#[test]
fn an_empty_form_and_a_dead_link_are_answered_in_words() -> Result<(), Failure> {
    let bot = Bot::start(CLEW, &[])?;
    let empty = bot.post("/", FORM, b"logs=")?;
    assert!(empty.status == 422 && empty.text.contains("Paste at least one log line"), "{}", empty.text);
    let dead = bot.browse("/t/0000")?;
    assert!(dead.status == 404 && dead.text.contains("There is no verdict here"), "{}", dead.text);
    Ok(())
}

#[test]
fn with_a_key_a_browser_signs_in_and_a_stranger_sees_nothing() -> Result<(), Failure> {
    let bot = Bot::start(CLEW, &[("CLEW_API_KEYS", "a long key")])?;
    let stranger = bot.browse("/")?;
    assert_eq!((stranger.status, stranger.location.as_str()), (303, "/login"));
    assert_eq!(bot.post("/login", FORM, b"key=wrong")?.status, 401);
    assert_eq!(bot.post("/login", FORM, b"key=a+long+key")?.status, 303);
    assert_eq!(bot.get("/config")?.status, 200);
    for path in ["/config", "/t/0", "/triage/0", "/openapi.json"] {
        let answer = bot.ask_as_stranger(path)?;
        assert_eq!(answer.status, 401, "{path}: {}", answer.text);
    }
    assert_eq!(bot.browse("/metrics")?.status, 200);
    Ok(())
}

#[test]
fn a_page_of_another_site_cannot_use_the_api_through_the_browser() -> Result<(), Failure> {
    let bot = Bot::start(CLEW, &[])?;
    let answer = bot.post_with("/config", "text/plain", b"{}", &[("origin", "http://evil.example")])?;
    assert_eq!(answer.status, 403, "{}", answer.text);
    let rebound = bot.post_with("/config", "text/plain", b"{}", &[("host", "evil.example")])?;
    assert_eq!(rebound.status, 403, "{}", rebound.text);
    Ok(())
}
