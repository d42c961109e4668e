use std::sync::atomic::{AtomicU16, Ordering};

use super::*;
use crate::fakes::server::Reply;

/// A bot that keeps what it is told.
struct Listener {
    server: Server,
    heard: Arc<Mutex<Vec<Request>>>,
    answers: Arc<AtomicU16>,
}

impl Listener {
    fn start() -> Result<Self, Failure> {
        let (heard, answers) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicU16::new(202)));
        let (keeping, answering) = (Arc::clone(&heard), Arc::clone(&answers));
        let server = Server::start(move |request| {
            keeping.lock().unwrap_or_else(PoisonError::into_inner).push(request);
            Reply::typed(answering.load(Ordering::Relaxed), "text/plain", String::new())
        })?;
        Ok(Self { server, heard, answers })
    }

    fn address(&self) -> String {
        self.server.address().to_string()
    }

    fn heard(&self) -> Vec<Request> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Event and action of what it was told.
    fn stories(&self) -> Vec<String> {
        let story = |request: &Request| {
            let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
            let action = body["action"].as_str().map(|action| format!(".{action}"));
            format!("{}{}", request.header("x-github-event"), action.unwrap_or_default())
        };
        self.heard().iter().map(story).collect()
    }
}

#[test]
fn everything_that_happens_is_told_in_order() -> Outcome {
    let (github, bot) = (team()?, Listener::start()?);
    let _ = github.signed_environment();
    github.deliver_to(&bot.address());
    send(&github, "POST", "issues", &json!({"title": "Cart", "labels": ["clew"], "assignees": ["ada"]}))?;
    let number = github.opens_pull("bob", "Fill", "Fixes #1", "cart", &[]);
    github.pushes(number, "More");
    github.check(number, "build", "success");
    github.status(number, "ci/old", "success");
    github.reviews(number, "ada", "approved");
    github.comments_on(1, "ada", "/clew status");
    github.merges(number, "ada");
    github.settle()?;
    assert_eq!(
        bot.stories(),
        [
            "ping",
            "issues.opened",
            "issues.labeled",
            "issues.assigned",
            "push",
            "pull_request.opened",
            "push",
            "pull_request.synchronize",
            "check_run.completed",
            "check_suite.completed",
            "status",
            "pull_request_review.submitted",
            "issue_comment.created",
            "pull_request.closed",
            "push",
            "issues.closed",
        ]
    );
    for request in bot.heard() {
        assert_eq!(request.path, "/webhooks/github");
        let body = String::from_utf8(request.body.clone())?;
        assert_eq!(request.header("x-hub-signature-256"), sign(WEBHOOK_SECRET, &body));
        assert_eq!(request.header("x-github-delivery").len(), 36);
    }
    let closed: Value = bot.heard().iter().rev().nth(2).map(|it| serde_json::from_slice(&it.body)).ok_or("none")??;
    assert_eq!((&closed["pull_request"]["merged"], &closed["sender"]["login"]), (&json!(true), &json!("ada")));
    assert!(github.deliveries().iter().all(|delivery| delivery.fate == Fate::Answered(202)));
    Ok(())
}

#[test]
fn without_a_webhook_nothing_is_told_but_it_can_be() -> Outcome {
    let (github, bot) = (team()?, Listener::start()?);
    let _ = github.signed_environment();
    let number = github.opens_issue("ada", "Cart", "");
    assert_eq!(github.deliveries()[0].fate, Fate::NotSent);
    assert_eq!(get(&github, "hooks")?.json(), json!([]));
    let answer = github.deliver(&format!("{}/github-webhook", bot.address()), Event::Issue("closed", number))?;
    assert_eq!(answer.status, 202);
    github.deliver_forged(&bot.address(), Event::Issue("closed", number))?;
    github.deliver_unsigned(&bot.address(), Event::Ping)?;
    assert!(github.deliver(&bot.address(), Event::Pull("opened", 7)).is_err());
    let heard = bot.heard();
    assert_eq!(heard[0].path, "/github-webhook");
    let signed = |at: usize| heard[at].header("x-hub-signature-256").to_owned();
    let body = |at: usize| String::from_utf8_lossy(&heard[at].body).into_owned();
    assert_eq!(signed(0), sign(WEBHOOK_SECRET, &body(0)));
    assert_ne!(signed(1), sign(WEBHOOK_SECRET, &body(1)));
    assert_eq!(signed(2), "");
    github.redeliver(&bot.address(), heard[0].header("x-github-delivery"))?;
    let again = bot.heard().pop().ok_or("none")?;
    assert_eq!(again.header("x-github-delivery"), heard[0].header("x-github-delivery"));
    assert_eq!(again.body, heard[0].body);
    Ok(())
}

#[test]
fn what_failed_is_listed_and_sent_again_when_asked() -> Outcome {
    let (github, bot) = (team()?, Listener::start()?);
    github.deliver_to(&bot.address());
    github.settle()?;
    github.lose_deliveries(true);
    let _ = github.opens_issue("ada", "Cart", "");
    github.lose_deliveries(false);
    bot.answers.store(503, Ordering::Relaxed);
    github.comments_on(1, "ada", "Hello?");
    github.settle()?;
    bot.answers.store(202, Ordering::Relaxed);
    let hook = get(&github, "hooks")?.json()[0]["id"].clone();
    let failed = get(&github, &format!("hooks/{hook}/deliveries?status=failure&per_page=1"))?;
    assert_eq!((failed.all("event"), failed.all("status_code")), (vec![json!("issue_comment")], vec![json!(503)]));
    let next = failed.header("link").split(';').next().unwrap_or("").trim_matches(['<', '>']).to_owned();
    let failed = call(&github, "GET", &next, &[], &Value::Null)?;
    assert_eq!((failed.all("event"), failed.all("status_code")), (vec![json!("issues")], vec![json!(502)]));
    let id = failed.json()[0]["id"].clone();
    let detail = get(&github, &format!("hooks/{hook}/deliveries/{id}"))?.json();
    assert_eq!(detail["request"]["payload"]["issue"]["title"], "Cart");
    assert_eq!(send(&github, "POST", &format!("hooks/{hook}/deliveries/{id}/attempts"), &Value::Null)?.status, 202);
    github.settle()?;
    let again = bot.heard().pop().ok_or("none")?;
    assert_eq!(json!(again.header("x-github-delivery")), failed.json()[0]["guid"]);
    assert_eq!(bot.stories(), ["ping", "issue_comment.created", "issues.opened"]);
    github.hide_hooks(true);
    assert_eq!(get(&github, "hooks")?.status, 404);
    Ok(())
}

#[test]
fn a_webhook_may_send_forms() -> Outcome {
    let (github, bot) = (team()?, Listener::start()?);
    let _ = github.signed_environment();
    github.deliver_forms(true);
    let number = github.opens_issue("ada", "Cart", "");
    github.deliver(&bot.address(), Event::Issue("opened", number))?;
    let heard = bot.heard().pop().ok_or("none")?;
    assert_eq!(heard.header("content-type"), "application/x-www-form-urlencoded");
    let body = String::from_utf8(heard.body.clone())?;
    assert_eq!(heard.header("x-hub-signature-256"), sign(WEBHOOK_SECRET, &body));
    let payload =
        form_urlencoded::parse(&heard.body).find(|(name, _)| name == "payload").ok_or("no payload")?.1.into_owned();
    assert_eq!(serde_json::from_str::<Value>(&payload)?["issue"]["number"], number);
    Ok(())
}
