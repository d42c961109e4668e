use std::time::{Duration, Instant};

use clew_tests::{Answer, Bot, Failure, repository};
use serde_json::{Value, json};

use crate::{CLEW, FULL_DISK};

const FORM: &str = "application/x-www-form-urlencoded";
/// How long something that happens by itself may take on a busy machine.
const PATIENCE: Duration = Duration::from_mins(1);

fn form(fields: &[(&str, &str)]) -> Vec<u8> {
    let encoded = |text: &str| text.bytes().map(|byte| format!("%{byte:02X}")).collect::<String>();
    let fields: Vec<String> = fields.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect();
    fields.join("&").into_bytes()
}

/// Sends a form as a browser that knows the name of its person.
fn send(bot: &Bot, path: &str, fields: &[(&str, &str)]) -> Result<Answer, Failure> {
    bot.post_with(path, FORM, &form(fields), &[("cookie", "clew_name=ada")])
}

/// As [`send`]; the page that it leads to.
fn follow(bot: &Bot, path: &str, fields: &[(&str, &str)]) -> Result<(String, String), Failure> {
    let sent = send(bot, path, fields)?;
    assert_eq!(sent.status, 303, "{}", sent.text);
    let page = bot.browse(&sent.location)?.text;
    Ok((sent.location, page))
}

/// The page when it holds `part`; a busy machine may take a moment.
fn until(bot: &Bot, path: &str, part: &str) -> Result<String, Failure> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let page = bot.browse(path)?.text;
        if page.contains(part) {
            return Ok(page);
        }
        if Instant::now() > deadline {
            return Err(format!("{part} does not appear in {path}:\n{page}").into());
        }
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// Where the controls of the first card of a page are sent.
fn controls_of(page: &str) -> &str {
    let begin = page.find("/chat/press/").expect("a card with controls");
    page[begin..].split('"').next().unwrap_or_default()
}

/// Pastes the full disk into the chat. Returns the address of the thread and the page with the card.
fn paste(bot: &Bot) -> Result<(String, String), Failure> {
    let sent = send(bot, "/chat/incidents", &[("text", FULL_DISK), ("name", "ada")])?;
    assert_eq!(sent.status, 303, "{}", sent.text);
    let page = until(bot, &sent.location, "class=\"card")?;
    Ok((sent.location, page))
}

#[test]
fn someone_pastes_a_log_and_a_card_appears_in_the_thread_below_it() -> Result<(), Failure> {
    let bot = Bot::start(CLEW, &[])?;
    assert!(bot.browse("/chat")?.text.contains("Nothing was said here yet"));
    assert!(bot.browse("/i")?.text.contains("No incident is open"));
    let (thread, page) = paste(&bot)?;
    for part in ["INC-1", "Disk full", "No space left on device", "Next steps", "Acknowledge", "<strong>ada</strong>"] {
        assert!(page.contains(part), "{part} in {page}");
    }
    assert!(bot.browse("/chat")?.text.contains(&format!("href=\"{thread}\">1 reply")));
    let list = bot.browse("/i")?.text;
    for part in ["/i/INC-1", "Disk full", "medium", "open", "class=\"badge\""] {
        assert!(list.contains(part), "{part} in {list}");
    }
    let incident = bot.browse("/i/INC-1")?.text;
    for part in ["Timeline", "opened", &format!("href=\"{thread}\"")] {
        assert!(incident.contains(part), "{part} in {incident}");
    }
    Ok(())
}

#[test]
fn a_click_is_seen_at_once_and_a_second_one_is_told_that_it_is_so_already() -> Result<(), Failure> {
    let bot = Bot::start(CLEW, &[])?;
    let (thread, page) = paste(&bot)?;
    let press = controls_of(&page);
    let click = [("command", "acknowledge INC-1"), ("back", thread.as_str())];
    let (location, _) = follow(&bot, press, &click)?;
    assert_eq!(location, thread);
    until(&bot, &thread, "Acknowledged</strong>")?;
    assert!(until(&bot, &thread, "· ada")?.contains("Mitigated"));
    send(&bot, press, &click)?;
    until(&bot, &thread, "INC-1 is acknowledged already, with ada.")?;
    Ok(())
}

#[test]
fn what_fixed_it_is_found_the_next_time() -> Result<(), Failure> {
    let bot = Bot::start(CLEW, &[])?;
    let (thread, page) = paste(&bot)?;
    let answers = [
        ("command", "resolve INC-1"),
        ("answer.cause", "the archiver of quetzal was stuck"),
        ("answer.fix", "restarted the quetzal archiver and freed pg_wal"),
    ];
    follow(&bot, controls_of(&page), &answers)?;
    let page = until(&bot, &thread, "What fixed it: ")?;
    assert!(page.contains("freed pg_wal") && page.contains("Reopen"), "{page}");
    assert_eq!(bot.get("/incidents/1")?.json()["state"], "resolved");
    assert!(bot.browse("/i")?.text.contains("No incident is open"));
    assert!(bot.browse("/i?state=resolved&text=quetzal")?.text.contains("/i/INC-1"));
    let deadline = Instant::now() + PATIENCE;
    loop {
        let hits = bot.post_json("/search", &json!({ "query": "quetzal archiver stuck", "kind": "incident" }))?.text;
        if hits.contains("freed pg_wal") {
            return Ok(());
        }
        assert!(Instant::now() < deadline, "{hits}");
        std::thread::sleep(Duration::from_millis(300));
    }
}

/// Sends a delivery of the fixtures.
fn deliver(bot: &Bot, file: &str) -> Result<(), Failure> {
    let path = repository().join("tests/fixtures/alerts/alertmanager").join(file);
    let delivery: Value = serde_json::from_str(&std::fs::read_to_string(path)?)?;
    let answer = bot.post_json("/webhooks/alertmanager", &delivery["body"])?;
    assert_eq!(answer.status, 202, "{}", answer.text);
    Ok(())
}

#[test]
fn an_alert_asks_for_logs_and_logs_in_its_thread_make_the_verdict_anew() -> Result<(), Failure> {
    let bot = Bot::start(CLEW, &[])?;
    deliver(&bot, "firing_one.json")?;
    let page = until(&bot, "/chat", "class=\"card")?;
    for part in
        ["INC-1", "5xx rate 12% on checkout", "rests on the words of the alert alone", "Paste logs in this thread"]
    {
        assert!(page.contains(part), "{part} in {page}");
    }
    let incident = bot.browse("/i/INC-1")?.text;
    assert!(incident.contains("HighErrorRate") && incident.contains("firing"), "{incident}");
    let thread =
        incident.split("href=\"").find_map(|rest| rest.starts_with("/chat/incidents/").then(|| rest.split('"').next()));
    let thread = thread.flatten().expect("a link to the thread");

    let (_, page) = follow(&bot, thread, &[("text", "looking at it, it may be the deploy of yesterday")])?;
    assert!(page.contains("looking at it") && page.contains("words of the alert alone"), "{page}");
    let before = bot.get("/incidents/1")?.json();

    follow(&bot, thread, &[("text", FULL_DISK)])?;
    let page = until(&bot, thread, "With these logs: ")?;
    assert!(page.contains("Disk full"), "{page}");
    assert!(!page.contains("words of the alert alone"), "{page}");
    let after = bot.get("/incidents/1")?.json();
    assert_eq!(after["rests_on"], "logs");
    assert_eq!((before["alerts"]["pastes"].as_u64(), after["alerts"]["pastes"].as_u64()), (Some(0), Some(1)));
    Ok(())
}

#[test]
fn commands_are_answered_in_the_thread_and_a_wrong_one_says_how_to_say_it() -> Result<(), Failure> {
    let bot = Bot::start(CLEW, &[])?;
    let (thread, _) = follow(&bot, "/chat/incidents", &[("text", "/help")])?;
    until(&bot, &thread, "severity INC-1")?;
    let (thread, _) = follow(&bot, "/chat/incidents", &[("text", "/frobnicate")])?;
    until(&bot, &thread, "is no command")?;
    let empty = send(&bot, "/chat/incidents", &[("text", "  ")])?;
    assert!(empty.status == 422 && empty.text.contains("the message is empty"), "{}", empty.text);
    for gone in ["/chat/incidents/9999999", "/chat/press/9999999", "/i/77", "/i/abc"] {
        let answer = if gone.contains("press") { send(&bot, gone, &[("command", "ack")])? } else { bot.browse(gone)? };
        assert!(answer.status == 404 && answer.text.contains("<h1>"), "{gone}: {}", answer.text);
    }
    Ok(())
}

#[test]
fn everything_can_be_done_on_the_page_of_an_incident() -> Result<(), Failure> {
    let bot = Bot::start(CLEW, &[])?;
    let sent =
        send(&bot, "/", &[("logs", FULL_DISK), ("title", "shop is down"), ("service", "shop"), ("then", "open")])?;
    assert_eq!((sent.status, sent.location.as_str()), (303, "/i/INC-1"), "{}", sent.text);
    let page = bot.browse("/i/INC-1")?.text;
    assert!(page.contains("shop is down") && page.contains("Disk full"), "{page}");
    let act = |fields: &[(&str, &str)], part: &str| -> Result<(), Failure> {
        let (_, page) = follow(&bot, "/i/INC-1", fields)?;
        assert!(page.contains(part), "{part} in {page}");
        Ok(())
    };
    act(&[("command", "acknowledge INC-1")], "acknowledged — ada (console)")?;
    act(
        &[("command", "assign INC-1"), ("words", "12 Grace <b>Hopper</b>")],
        "assigned to: 12 Grace &#60;b&#62;Hopper",
    )?;
    act(&[("command", "severity INC-1"), ("words", "critical")], "severity: critical")?;
    act(&[("command", "mitigate INC-1")], "mitigated — ada")?;
    act(&[("command", "wrong INC-1"), ("words", "memory_exhaustion")], "root cause corrected: Memory exhaustion")?;
    act(&[("command", "logs"), ("logs", FULL_DISK)], "logs added")?;
    act(&[("command", "resolve INC-1"), ("answer.fix", "freed space")], "resolved: freed space")?;
    act(&[("command", "reopen INC-1")], "reopened — ada")?;
    let again = send(&bot, "/i/INC-1", &[("command", "reopen INC-1")])?;
    assert!(again.status == 200 && again.text.contains("it is not over"), "{}", again.text);
    let wrong = send(&bot, "/i/INC-1", &[("command", "severity INC-1"), ("words", "loud")])?;
    assert!(wrong.status == 422 && wrong.text.contains("critical, high, medium or low"), "{}", wrong.text);
    let other = send(&bot, "/i/INC-1", &[("command", "acknowledge INC-2")])?;
    assert_eq!(other.status, 422, "{}", other.text);
    Ok(())
}

#[test]
fn what_people_write_cannot_put_anything_into_the_page() -> Result<(), Failure> {
    let bot = Bot::start(CLEW, &[])?;
    let hostile = "2024-05-01 10:02:12 ERROR </pre><script>alert(1)</script> @channel <img src=x onerror=alert(2)> \
                   \"><a href=javascript:alert(3)> No space left on device";
    let (thread, _) = follow(&bot, "/chat/incidents", &[("text", hostile), ("name", "<script>alert(4)</script>")])?;
    deliver(&bot, "firing_hostile_text.json")?;
    until(&bot, &thread, "class=\"card")?;
    until(&bot, "/chat", "@everyone")?;
    for path in ["/chat", &thread, "/i", "/i/INC-1", "/i/INC-2", "/work"] {
        let page = bot.browse(path)?;
        assert_eq!(page.status, 200, "{path}");
        for part in ["<script>alert", "</pre><script", "<img", "<b>html", "<a href=javascript", "href=\"javascript"] {
            assert!(!page.text.contains(part), "{part} in {path}: {}", page.text);
        }
    }
    let led = send(&bot, "/me", &[("name", "ada"), ("back", "https://evil.example/")])?;
    assert_eq!((led.status, led.location.as_str()), (303, "/chat"));
    Ok(())
}

/// Files below `folder` whose bytes hold `text`.
fn holding(folder: &std::path::Path, text: &str) -> Result<Vec<std::path::PathBuf>, Failure> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(holding(&path, text)?);
        } else if std::fs::read(&path)?.windows(text.len()).any(|bytes| bytes == text.as_bytes()) {
            found.push(path);
        }
    }
    Ok(found)
}

#[test]
fn a_secret_that_is_pasted_is_kept_nowhere_and_a_restart_keeps_the_rest() -> Result<(), Failure> {
    let bot = Bot::start(CLEW, &[])?;
    let (thread, page) = paste(&bot)?;
    send(&bot, &thread, &[("text", "the login was password=hunter2, try that"), ("name", "password=hunter2")])?;
    send(&bot, &thread, &[("text", "/resolve changed password=hunter2 on the replica"), ("name", "ada")])?;
    send(
        &bot,
        controls_of(&page),
        &[("command", "assign INC-1 password=hunter2"), ("answer.fix", "password=hunter2")],
    )?;
    until(&bot, &thread, "on the replica")?;
    until(&bot, &thread, "Resolved</strong>")?;
    let pages = ["/chat", &thread, "/i?state=all", "/i/INC-1", "/work", "/incidents/1", "/incidents/1/events", "/jobs"];
    for path in pages {
        let answer = bot.get(path)?;
        assert!(answer.status == 200 && !answer.text.contains("hunter2"), "{path}: {}", answer.text);
    }
    assert_eq!(holding(&bot.data_dir(), "hunter2")?, Vec::<std::path::PathBuf>::new());
    let before = bot.browse(&thread)?.text;
    let bot = bot.restart(CLEW, &[])?;
    assert_eq!(bot.browse(&thread)?.text, before);
    assert!(bot.browse("/i?state=all")?.text.contains("/i/INC-1"));
    assert!(!holding(&bot.data_dir(), "on the replica")?.is_empty(), "the search finds what is kept");
    assert_eq!(holding(&bot.data_dir(), "hunter2")?, Vec::<std::path::PathBuf>::new());
    Ok(())
}

#[test]
fn what_was_given_up_is_shown_with_its_reason_and_can_be_tried_again_or_discarded() -> Result<(), Failure> {
    let unreachable = [
        ("SLACK_BOT_TOKEN", "xoxb-1"),
        ("SLACK_CHANNEL", "C0123456789"),
        ("SLACK_API_URL", "http://127.0.0.1:9/"),
        ("CLEW_JOBS_MAX_TRIES", "1"),
    ];
    let bot = Bot::start(CLEW, &unreachable)?;
    assert!(bot.browse("/work")?.text.contains("Nothing was given up"));
    deliver(&bot, "firing_one.json")?;
    let page = until(&bot, "/work", "Discard")?;
    assert!(page.contains("post card") && page.contains("INC-1 (slack)"), "{page}");
    let forms = page.split("action=\"").filter_map(|rest| rest.split('"').next());
    let discard = forms.filter(|action| action.ends_with("/discard")).last().expect("a dead letter").to_owned();
    follow(&bot, &discard.replace("discard", "retry"), &[])?;
    until(&bot, "/work", "Discard")?;
    follow(&bot, &discard, &[])?;
    until(&bot, "/work", "Nothing was given up")?;
    assert_eq!(send(&bot, &discard, &[])?.status, 404);
    Ok(())
}

#[test]
fn with_a_key_a_stranger_sees_no_page_and_changes_nothing() -> Result<(), Failure> {
    let bot = Bot::start(CLEW, &[("CLEW_API_KEYS", "a-long-key")])?;
    for path in ["/chat", "/chat/incidents", "/i", "/i/INC-1", "/work"] {
        let stranger = bot.browse(path)?;
        assert_eq!((stranger.status, stranger.location.as_str()), (303, "/login"), "{path}");
        assert_eq!(bot.ask_as_stranger(path)?.status, 401, "{path}");
    }
    assert_eq!(bot.get("/chat")?.status, 200);
    let sent = bot.post_with("/chat/incidents", FORM, b"text=hello", &[("origin", "http://evil.example")])?;
    assert_eq!(sent.status, 403, "{}", sent.text);
    Ok(())
}
