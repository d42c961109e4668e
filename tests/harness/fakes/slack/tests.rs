use serde_json::json;

use super::*;

mod delivery;
mod listener;
mod people;
mod posts;
mod views;

type Outcome = Result<(), Failure>;

fn call(slack: &FakeSlack, method: &str, token: &str, body: &Value) -> Result<(u16, Value), Failure> {
    let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
    let mut response = agent
        .post(format!("{}/{method}", slack.url()))
        .header("authorization", format!("Bearer {token}"))
        .header("content-type", "application/json")
        .send(body.to_string())?;
    let status = response.status().as_u16();
    Ok((status, serde_json::from_str(&response.body_mut().read_to_string()?)?))
}

fn post(slack: &FakeSlack, body: &Value) -> Result<Value, Failure> {
    Ok(call(slack, "chat.postMessage", TOKEN, body)?.1)
}

#[test]
fn it_answers_errors_as_slack_does() -> Outcome {
    let slack = FakeSlack::start()?;
    let hello = json!({"channel": CHANNEL, "text": "hello"});
    assert_eq!(
        call(&slack, "chat.postMessage", "xoxb-other", &hello)?,
        (200, json!({"ok": false, "error": "invalid_auth"}))
    );
    for (body, error) in [
        (json!({"channel": "C0NOWHERE", "text": "hello"}), "channel_not_found"),
        (json!({"channel": CHANNEL}), "no_text"),
        (json!({"channel": CHANNEL, "text": "x".repeat(40_001)}), "msg_too_long"),
        (json!({"channel": CHANNEL, "text": "hello", "thread_ts": "1.1"}), "thread_not_found"),
        (json!({"channel": CHANNEL, "text": "hello", "metadata": {"key": 1}}), "invalid_metadata_format"),
        (json!({"channel": CHANNEL, "text": "hello", "blocks": [{"type": "header"}]}), "invalid_blocks"),
    ] {
        assert_eq!(post(&slack, &body)?["error"], error, "{body}");
    }
    slack.remove_bot(CHANNEL);
    assert_eq!(post(&slack, &hello)?["error"], "not_in_channel");
    slack.set_scopes(&["channels:read"]);
    let refused = post(&slack, &hello)?;
    assert_eq!((&refused["error"], &refused["needed"]), (&json!("missing_scope"), &json!("chat:write")));
    assert!(slack.messages(CHANNEL).is_empty());
    assert_eq!(slack.calls("chat.postMessage").len(), 9);
    Ok(())
}

#[test]
fn reading_methods_take_parameters_only() -> Outcome {
    let slack = FakeSlack::start()?;
    let (_, answer) = call(&slack, "conversations.history", TOKEN, &json!({"channel": CHANNEL}))?;
    assert_eq!(answer["error"], "invalid_arguments");
    Ok(())
}

#[test]
fn a_cut_connection_may_have_done_its_work() -> Outcome {
    let slack = FakeSlack::start()?;
    let hello = json!({"channel": CHANNEL, "text": "hello"});
    slack.fail_next("chat.postMessage", Fault::DroppedBefore);
    assert!(post(&slack, &hello).is_err());
    assert_eq!(slack.messages(CHANNEL).len(), 0);
    slack.fail_next("chat.postMessage", Fault::DroppedAfter);
    assert!(post(&slack, &hello).is_err());
    assert_eq!(slack.messages(CHANNEL).len(), 1);
    let outcomes: Vec<_> = slack.calls("chat.postMessage").into_iter().map(|call| call.outcome).collect();
    assert_eq!(outcomes, ["cut before", "cut after"]);
    Ok(())
}

#[test]
fn pace_is_enforced_when_asked() -> Outcome {
    let slack = FakeSlack::start()?;
    let hello = json!({"channel": CHANNEL, "text": "hello"});
    slack.enforce_pace(true);
    assert_eq!(call(&slack, "chat.postMessage", TOKEN, &hello)?.0, 200);
    assert_eq!(call(&slack, "chat.postMessage", TOKEN, &hello)?.0, 429);
    slack.add_channel("C0OTHER", "other");
    assert_eq!(call(&slack, "chat.postMessage", TOKEN, &json!({"channel": "C0OTHER", "text": "hello"}))?.0, 200);
    Ok(())
}

#[test]
fn blocks_that_slack_refuses_are_refused() {
    let plain = |text: &str| json!({"type": "plain_text", "text": text});
    let button = |n: usize| json!({"type": "button", "action_id": format!("a{n}"), "text": plain("x"), "value": "v"});
    let buttons = |count: usize| json!([{"type": "actions", "elements": (0..count).map(button).collect::<Vec<_>>()}]);
    assert_eq!(check_blocks(&buttons(25)), Vec::<String>::new());
    for bad in [
        buttons(26),
        json!([{"type": "header", "text": plain(&"x".repeat(151))}]),
        json!([{"type": "header", "text": plain("")}]),
        json!([{"type": "section", "text": {"type": "mrkdwn", "text": "x".repeat(3_001)}}]),
        json!([{"type": "actions", "elements": [button(1), button(1)]}]),
        json!([{"type": "carousel"}]),
        json!(vec![json!({"type": "divider"}); 51]),
        json!([{"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": [
            {"type": "link", "url": "javascript:alert(1)", "text": "x"}
        ]}]}]),
        json!({"type": "divider"}),
    ] {
        assert!(!check_blocks(&bad).is_empty(), "{bad}");
    }
}

#[test]
fn what_a_person_sees_names_mentions_and_links() {
    let message = SlackMessage {
        ts: "1.1".into(),
        thread_ts: None,
        user: "U1".into(),
        text: "<!channel> &lt;!here&gt; <https://x.example|x> a < b".into(),
        blocks: json!([{"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": [
            {"type": "text", "text": "<!channel>"}, {"type": "broadcast", "range": "here"}
        ]}]}]),
        ..SlackMessage::default()
    };
    let shown = message.shown();
    assert!(
        shown.starts_with("{calls !channel} <!here> {link https://x.example|x} a < b\n<!channel>{calls "),
        "{shown}"
    );
}
