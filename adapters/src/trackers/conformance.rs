//! What every tracker must do, whatever it is. For tests: it panics with the rule that was broken.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::{Category, Change, Created, Draft, Ticket, Tracker};
use crate::Error;
use crate::alerts::Severity;
use crate::chat::conformance::HOSTILE;
use crate::chat::{Item, Rich, Section, Span, text};
use crate::code::Developer;

/// Time between two looks at something that shows late.
const LOOK: Duration = Duration::from_millis(100);
/// Some trackers count in seconds: what comes after something else must be a second later.
const TICK: Duration = Duration::from_millis(1_100);

/// Runs every rule. The tracker has no tickets of another run.
pub async fn conformance<T: Tracker>(tracker: &T) {
    is_made_and_found(tracker).await;
    open_ones_are_found_first(tracker).await;
    comments_are_written_once(tracker).await;
    moves_there_and_back(tracker).await;
    what_is_gone_is_gone(tracker).await;
    bears_anything(tracker).await;
}

async fn is_made_and_found<T: Tracker>(tracker: &T) {
    let nothing = must("find", tracker.find("clew-conformance-made").await);
    assert_eq!(nothing, None, "a marker that was not used finds nothing");
    let Created { ticket, left_out } = made(tracker, "The disk of db-1 is full", "clew-conformance-made").await;
    assert_eq!(left_out, Vec::<String>::new(), "nothing is left out of a plain draft");
    assert_eq!(ticket.title, "The disk of db-1 is full");
    assert!(ticket.category != Category::Done, "a new ticket is not done: {ticket:?}");
    assert!(!ticket.key.is_empty() && !ticket.url.is_empty(), "a ticket has a key and a page: {ticket:?}");
    assert_eq!(ticket.resolution, None, "a new ticket did not end");
    for at in [&ticket.created_at, &ticket.updated_at] {
        assert!(is_time(at), "{at:?} is no time like 2026-11-28T10:00:00.000Z");
    }
    let found = found(tracker, "clew-conformance-made", |_| true).await;
    assert_eq!(found.key, ticket.key, "a ticket is found by its marker");
    assert_eq!(must("ticket", tracker.ticket(&ticket.key).await).key, ticket.key, "a ticket is there by its key");
    let other = must("find", tracker.find("clew-conformance").await);
    assert_eq!(other, None, "a part of a marker finds nothing");
    let within = Duration::from_mins(10);
    eventually(tracker, "a new ticket is among those that changed", async || {
        must("changed", tracker.changed(within).await).into_iter().find(|changed| changed.key == ticket.key)
    })
    .await;
}

async fn open_ones_are_found_first<T: Tracker>(tracker: &T) {
    const MARKER: &str = "clew-conformance-twice";
    let first = made(tracker, "first", MARKER).await.ticket.key;
    sleep(TICK).await;
    let second = made(tracker, "second", MARKER).await.ticket.key;
    assert_ne!(first, second, "two drafts are two tickets");
    found(tracker, MARKER, |ticket| ticket.key == first).await;
    must("done", tracker.change(&first, &Change::Move(Category::Done)).await);
    found(tracker, MARKER, |ticket| ticket.key == second).await;
    sleep(TICK).await;
    must("done", tracker.change(&second, &Change::Move(Category::Done)).await);
    let last = found(tracker, MARKER, |ticket| ticket.category == Category::Done).await;
    assert_eq!(last.key, second, "when all are done, the one that was done last is found");
    sleep(TICK).await;
    must("reopen", tracker.change(&first, &Change::Move(Category::ToDo)).await);
    found(tracker, MARKER, |ticket| ticket.key == first && ticket.category != Category::Done).await;
}

async fn comments_are_written_once<T: Tracker>(tracker: &T) {
    let key = made(tracker, "comments", "clew-conformance-comments").await.ticket.key;
    assert_eq!(must("comments", tracker.comments(&key).await).len(), 0, "a new ticket has no comments");
    for (words, name) in [("one", "0a1b"), ("one", "0a1b"), ("one", "0a1b"), ("two", "2c3d")] {
        let comment = Change::Comment { text: vec![Span::Text(words.into())], name: name.into() };
        must("comment", tracker.change(&key, &comment).await);
    }
    let comments = must("comments", tracker.comments(&key).await);
    let told: Vec<_> = comments.iter().map(|comment| (comment.text.as_str(), comment.name.as_deref())).collect();
    assert_eq!(
        told,
        [("one", Some("0a1b")), ("two", Some("2c3d"))],
        "a comment is written once, the oldest is told first"
    );
    assert!(
        comments.iter().all(|comment| is_time(&comment.at) && !comment.id.is_empty() && !comment.author.is_empty())
    );
}

async fn moves_there_and_back<T: Tracker>(tracker: &T) {
    let key = made(tracker, "moves", "clew-conformance-moves").await.ticket.key;
    let is = async |category: Category| {
        let ticket = must("ticket", tracker.ticket(&key).await);
        assert!(is_time(&ticket.updated_at) && ticket.updated_at >= ticket.created_at, "{ticket:?}");
        ticket.category == category
    };
    for _ in 0..2 {
        must("done", tracker.change(&key, &Change::Move(Category::Done)).await);
        assert!(is(Category::Done).await, "a ticket that was moved is there");
    }
    for _ in 0..2 {
        must("reopen", tracker.change(&key, &Change::Move(Category::ToDo)).await);
        assert!(!is(Category::Done).await, "a ticket that was reopened is not done");
    }
    must("done again", tracker.change(&key, &Change::Move(Category::Done)).await);
    assert!(is(Category::Done).await, "a ticket can be done again");
    eventually(tracker, "a ticket that moved is told as it is", async || {
        let changed = must("changed", tracker.changed(Duration::from_mins(10)).await);
        changed.into_iter().find(|ticket| ticket.key == key && ticket.category == Category::Done)
    })
    .await;
}

async fn what_is_gone_is_gone<T: Tracker>(tracker: &T) {
    let there = made(tracker, "there", "clew-conformance-there").await.ticket.key;
    let unknown = format!("{}99999999", there.trim_end_matches(|c: char| c.is_ascii_digit()));
    let comment = Change::Comment { text: vec![Span::Text("x".into())], name: "ff".into() };
    for key in [unknown.as_str(), "no key at all/../..?x=y#z"] {
        let outcomes = [
            ("ticket", tracker.ticket(key).await.map(|_| ())),
            ("comments", tracker.comments(key).await.map(|_| ())),
            ("comment", tracker.change(key, &comment).await),
            ("move", tracker.change(key, &Change::Move(Category::Done)).await),
        ];
        for (what, outcome) in outcomes {
            assert!(matches!(outcome, Err(Error::Gone(_))), "{what} of {key:?} says Gone, not {outcome:?}");
        }
    }
}

async fn bears_anything<T: Tracker>(tracker: &T) {
    let long = "ERROR <b>&\"\\` pool *exhausted* 🚒 שלום\n".repeat(3_000);
    let texts = HOSTILE.iter().copied().chain([long.as_str(), "", " \n\t "]);
    for (n, words) in texts.enumerate() {
        let draft =
            Draft { description: vec![section(words); 3], ..draft(words, &format!("clew-conformance-any-{n}")) };
        let ticket = must(words, tracker.create(&draft).await).ticket;
        let title = text::one_line(words);
        let seen = ticket.title.trim_end_matches('…');
        assert!(title.is_empty() || (!seen.is_empty() && title.starts_with(seen)), "{title:?} reads {seen:?}");
        let comment = Change::Comment { text: sentence(words), name: format!("{n:x}") };
        must(words, tracker.change(&ticket.key, &comment).await);
        let comments = must("comments", tracker.comments(&ticket.key).await);
        assert_eq!(comments.len(), 1, "a comment of any text is there");
        let (told, expected) = (readable(&comments[0].text), readable(words));
        let expected: String = expected.chars().take(1_000).collect();
        assert!(told.contains(&expected), "a comment reads {expected:?}, not {told:?}");
    }
}

/// What every tracker must do that has accounts of its own: nobody is guessed.
pub async fn knows_no_strangers<T: Tracker>(tracker: &T) {
    for (login, email) in [("nobody-of-that-name", "nobody@stranger.example"), ("", ""), ("a b&c=d", "*"), ("x", "@")] {
        let emails = vec![email.to_owned()];
        let account = must("account", tracker.account(&Developer { login: login.into(), emails }).await);
        assert_eq!(account, None, "a stranger ({login:?}, {email:?}) has no account");
    }
}

fn must<T>(what: &str, outcome: Result<T, Error>) -> T {
    match outcome {
        Ok(value) => value,
        Err(error) => panic!("{}: {error:?}", what.chars().take(200).collect::<String>()),
    }
}

async fn made<T: Tracker>(tracker: &T, title: &str, marker: &str) -> Created {
    must("create", tracker.create(&draft(title, marker)).await)
}

/// The ticket that is found once it is as it should be.
async fn found<T: Tracker>(tracker: &T, marker: &str, is_right: impl Fn(&Ticket) -> bool) -> Ticket {
    eventually(tracker, &format!("the right ticket is found by {marker}"), async || {
        must("find", tracker.find(marker).await).filter(|ticket| is_right(ticket))
    })
    .await
}

/// What `look` sees, as soon as the tracker's search may be expected to know.
async fn eventually<T: Tracker, S>(tracker: &T, what: &str, look: impl AsyncFn() -> Option<S>) -> S {
    let deadline = Instant::now() + tracker.manners().blind_for + Duration::from_secs(5);
    loop {
        if let Some(seen) = look().await {
            return seen;
        }
        assert!(Instant::now() < deadline, "waited in vain: {what}");
        sleep(LOOK).await;
    }
}

fn draft(title: &str, marker: &str) -> Draft {
    Draft {
        title: title.into(),
        description: vec![Section {
            heading: "Root cause".into(),
            items: vec![Item { text: vec![Span::Text("The disk is full.".into())], quote: None }],
        }],
        marker: marker.into(),
        severity: Severity::High,
        assignee: None,
    }
}

fn sentence(words: &str) -> Rich {
    vec![
        Span::Text(format!("before {words} after ")),
        Span::Strong(words.into()),
        Span::Code(words.into()),
        Span::Link { text: words.into(), url: format!("javascript:alert('{words}')") },
        Span::Link { text: words.into(), url: "https://good.example/12?a=b&c=d".into() },
    ]
}

fn section(words: &str) -> Section {
    let item = Item { text: sentence(words), quote: Some(words.into()) };
    Section { heading: words.into(), items: vec![item.clone(), item, Item { text: vec![], quote: Some(words.into()) }] }
}

/// What is left of a text when nothing invisible is. Line breaks do not count.
fn readable(words: &str) -> String {
    let clean = text::clean(words);
    let visible: String = clean.chars().filter(|c| !matches!(c, '\u{200b}' | '\u{2060}' | '\u{feff}')).collect();
    visible.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn is_time(at: &str) -> bool {
    let shape: String = at.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    shape == "0000-00-00T00:00:00.000Z"
}
