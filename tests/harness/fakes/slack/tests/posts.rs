use std::collections::BTreeMap;

use super::*;
use crate::fakes::server::{Reply, Request, Server};
use crate::until;

/// A bot that is posted to; it fails as often as it is told.
struct Posted {
    server: Server,
    requests: Arc<Mutex<Vec<Request>>>,
    failures: Arc<Mutex<usize>>,
}

impl Posted {
    fn start() -> Result<Self, Failure> {
        let (requests, failures) = (Arc::new(Mutex::new(Vec::new())), Arc::new(Mutex::new(0)));
        let (kept, left) = (Arc::clone(&requests), Arc::clone(&failures));
        let server = Server::start(move |request: Request| {
            let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
            kept.lock().unwrap_or_else(PoisonError::into_inner).push(request);
            let mut left = left.lock().unwrap_or_else(PoisonError::into_inner);
            if *left > 0 {
                *left -= 1;
                return Reply::json(503, &json!({}));
            }
            Reply::json(200, &json!({"text": "done", "challenge": body["challenge"]}))
        })?;
        Ok(Self { server, requests, failures })
    }

    fn url(&self) -> String {
        format!("http://{}", self.server.address())
    }

    fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[test]
fn what_is_posted_is_signed() -> Outcome {
    let (slack, bot) = (FakeSlack::start()?, Posted::start()?);
    assert_eq!(slack.verify_url(&bot.url())?.json()["challenge"], CHALLENGE);
    slack.deliver_to(&bot.url());
    let command = slack.command(CHANNEL, "U0ADA", "a & b");
    assert!(command.acked_after.is_some());
    assert_eq!(command.answer["text"], "done");
    assert_eq!(slack.ephemerals(CHANNEL, "U0ADA")[0].text, "done");
    let ts = slack.say(CHANNEL, None, "U0ADA", "hello");
    until("the event is acknowledged", || Ok((slack.unacknowledged() == 0).then_some(())))?;
    assert!(slack.shortcut(CHANNEL, &ts, "U0ADA", "triage_message")?.acked_after.is_some());

    let requests = bot.requests();
    let paths: Vec<_> = requests.iter().map(|request| request.path.as_str()).collect();
    assert_eq!(paths, ["/slack/events", "/slack/commands", "/slack/events", "/slack/interactions"]);
    for request in &requests {
        let timestamp = request.header("x-slack-request-timestamp").parse()?;
        let body = String::from_utf8(request.body.clone())?;
        assert_eq!(sign(&body, timestamp).1, request.header("x-slack-signature"));
        assert_ne!(sign(&format!("{body} "), timestamp).1, request.header("x-slack-signature"));
    }
    let form: BTreeMap<_, _> = form_urlencoded::parse(&requests[1].body).into_owned().collect();
    assert_eq!((form["command"].as_str(), form["text"].as_str()), ("/triage", "a & b"));
    let form: BTreeMap<_, _> = form_urlencoded::parse(&requests[3].body).into_owned().collect();
    let payload: Value = serde_json::from_str(&form["payload"])?;
    assert_eq!((&payload["type"], &payload["message"]["ts"]), (&json!("message_action"), &json!(ts)));
    Ok(())
}

#[test]
fn the_signature_is_made_as_the_documentation_says() {
    // From an independent computation.
    let (timestamp, signature) = sign("token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J", 1_531_420_618);
    assert_eq!(timestamp, "1531420618");
    assert_eq!(signature, "v0=9ec562337a3f9ab9fdd4cbdca7dcf371656bdf6b72da0ffa27a2e2649f00ec85");
}

#[test]
fn an_event_that_is_refused_is_posted_again() -> Outcome {
    let (slack, bot) = (FakeSlack::start()?, Posted::start()?);
    *bot.failures.lock().unwrap_or_else(PoisonError::into_inner) = 1;
    slack.deliver_to(&bot.url());
    slack.say(CHANNEL, None, "U0ADA", "hello");
    until("the event is acknowledged", || Ok((slack.unacknowledged() == 0).then_some(())))?;
    let requests = bot.requests();
    let retries: Vec<_> = requests
        .iter()
        .map(|request| (request.header("x-slack-retry-num"), request.header("x-slack-retry-reason")))
        .collect();
    assert_eq!(retries, [("", ""), ("1", "http_error")]);
    assert_eq!(requests[0].body, requests[1].body);
    assert_eq!(slack.deliveries()[0].sent, 2);

    // Nobody is there.
    drop(bot);
    slack.say(CHANNEL, None, "U0ADA", "hello?");
    until("it gives up", || Ok((slack.unacknowledged() == 0).then_some(())))?;
    assert_eq!((slack.deliveries()[1].sent, slack.deliveries()[1].acked_after), (4, None));
    let command = slack.command(CHANNEL, "U0ADA", "help");
    assert_eq!((command.sent, command.acked_after), (1, None));
    Ok(())
}
