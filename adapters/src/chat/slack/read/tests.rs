//! What is made of messages, and that nothing breaks the reading.
#![allow(clippy::unwrap_used)] // a test that fails stops

use proptest::prelude::*;
use serde_json::json;

use super::*;

fn read(event: &Value) -> (String, Vec<String>) {
    let message = message(event);
    (message.text, message.code)
}

/// A message as a person types it: the text with Slack's marks and the same as rich text.
fn typed(text: &str, elements: Value) -> Value {
    json!({"type": "message", "user": "U1", "text": text, "blocks": [{"type": "rich_text", "elements": elements}]})
}

fn section(elements: Value) -> Value {
    json!({"type": "rich_text_section", "elements": elements})
}

fn code(elements: Value) -> Value {
    json!({"type": "rich_text_preformatted", "elements": elements})
}

#[test]
fn marks_are_undone() {
    for (marked, read) in [
        ("a &lt;b&gt; &amp;&amp; c", "a <b> && c"),
        ("&amp;lt; &nbsp; & &", "&lt; &nbsp; & &"),
        ("<https://x.example/a?b=1&amp;c=2>", "https://x.example/a?b=1&c=2"),
        ("<https://x.example/a|the board>", "the board (https://x.example/a)"),
        ("<https://x.example/a/b|x.example>", "x.example"),
        ("<https://x.example/a/b|https://x.example/a…>", "https://x.example/a…"),
        ("<http://x.example|x.example>", "x.example"),
        ("<http://db-1|db-1>", "db-1"),
        ("<https://runbooks.example/db|r>", "r (https://runbooks.example/db)"),
        ("<http://10.0.0.1:8080|10.0.0.1:8080>", "10.0.0.1:8080"),
        ("<mailto:a@b.c|a@b.c>", "a@b.c"),
        ("<mailto:a@b.c>", "a@b.c"),
        ("<tel:+4930123|+4930123>", "+4930123"),
        ("<https://x.example|>", "https://x.example"),
        ("<@U123> and <@W9|ada>", "@U123 and @W9"),
        ("<#C1|general> <#C2> <#C3|>", "#general #C2 #C3"),
        ("<!here> <!channel|channel> <!everyone>", "@here @channel @everyone"),
        ("<!subteam^S1|@oncall> <!subteam^S1>", "@oncall @S1"),
        ("<!date^1392734382^{date} at {time}|Feb 18, 2014>", "Feb 18, 2014"),
        ("<!date^1392734382^{date}^https://x.example/|Feb 18>", "Feb 18"),
        ("<!date^1392734382^{date}>", "1392734382"),
        ("<!foo|bar> <!foo>", "bar foo"),
        ("if a < b and c > d <- e", "if a < b and c > d <- e"),
        ("<not a mark> <> <|> <:x> <@> <!>", "<not a mark> <> <|> <:x> <@> <!>"),
        ("<https://x.example\n> <<https://x.example>", "<https://x.example\n> <https://x.example"),
        ("run `curl <http://db-1:80/x|db-1:80/x> &gt; y` now", "run `curl db-1:80/x > y` now"),
        ("`` ` one\n` two", "`` ` one\n` two"),
        ("<https://x.example/a|`a`>", "`a` (https://x.example/a)"),
        (":fire: *bold* _it_", ":fire: *bold* _it_"),
    ] {
        assert_eq!(message(&json!({"text": marked})).text, read, "{marked}");
    }
}

#[test]
fn a_pasted_log_comes_out_as_it_went_in() {
    let log = "12:00 GET http://10.0.0.1:8080/a?x=<1>&y=\"2\" -> db-1.example, mail a@b.c\n\tat *foo* `bar` &lt;";
    let marked = "12:00 GET <http://10.0.0.1:8080/a?x=|http://10.0.0.1:8080/a?x=>&lt;1&gt;&amp;y=\"2\" -&gt; \
                  <http://db-1.example|db-1.example>, mail <mailto:a@b.c|a@b.c>\n\tat *foo* `bar` &amp;lt;";
    let fenced = format!("look:\n```\n{marked}\n```\nthanks");
    let expected = (format!("look:\n{log}\nthanks"), vec![log.to_owned()]);
    assert_eq!(read(&json!({"text": fenced})), expected);
    let rich = json!([
        section(json!([{"type": "text", "text": "look:\n"}])),
        code(json!([
            {"type": "text", "text": "12:00 GET "},
            {"type": "link", "url": "http://10.0.0.1:8080/a?x="},
            {"type": "text", "text": "<1>&y=\"2\" -> "},
            {"type": "link", "url": "http://db-1.example", "text": "db-1.example"},
            {"type": "text", "text": ", mail "},
            {"type": "link", "url": "mailto:a@b.c", "text": "a@b.c"},
            {"type": "text", "text": "\n\tat *foo* `bar` &lt;"},
        ])),
        section(json!([{"type": "text", "text": "thanks"}])),
    ]);
    assert_eq!(read(&typed(&fenced, rich)), expected);
}

#[test]
fn rich_text_is_read_like_the_text_it_stands_for() {
    let event = typed(
        "cut …",
        json!([
            section(json!([
                {"type": "user", "user_id": "U9"},
                {"type": "text", "text": " see "},
                {"type": "link", "url": "https://x.example/a", "text": "the board"},
                {"type": "text", "text": " of "},
                {"type": "channel", "channel_id": "C1"},
                {"type": "text", "text": " "},
                {"type": "emoji", "name": "fire", "unicode": "1f525"},
                {"type": "text", "text": " "},
                {"type": "broadcast", "range": "here"},
                {"type": "text", "text": " "},
                {"type": "usergroup", "usergroup_id": "S1"},
                {"type": "text", "text": " GET ", "style": {"code": true}},
                {"type": "link", "url": "http://db-1/x", "text": "db-1", "style": {"code": true}},
                {"type": "text", "text": " since "},
                {"type": "date", "timestamp": 1_392_734_382, "format": "{date}", "fallback": "Feb 18"},
                {"type": "sparkle", "text": "!"},
            ])),
            {"type": "rich_text_list", "style": "ordered", "offset": 2, "elements": [
                section(json!([{"type": "text", "text": "three"}])), section(json!([{"type": "text", "text": "four"}])),
            ]},
            {"type": "rich_text_list", "style": "bullet", "indent": 1, "elements": [
                section(json!([{"type": "text", "text": "inner"}])),
            ]},
            {"type": "rich_text_quote", "elements": [{"type": "text", "text": "said"}]},
        ]),
    );
    let expected = "@U9 see the board (https://x.example/a) of #C1 :fire: @here @S1` GET db-1` since Feb 18!\n\
                    3. three\n4. four\n  • inner\nsaid";
    assert_eq!(read(&event).0, expected);
}

#[test]
fn rich_text_that_came_escaped_is_unescaped() {
    let line = |rich: &str| json!([section(json!([{"type": "text", "text": rich}]))]);
    for (text, rich, expected) in [
        ("a -&gt; b", "a -> b", "a -> b"),
        ("a -&gt; b", "a -&gt; b", "a -> b"),
        ("a &amp;lt; b", "a &lt; b", "a &lt; b"),
        ("a &amp;amp; &lt;", "a &amp; <", "a &amp; <"),
        ("", "a &lt; b", "a &lt; b"),
    ] {
        assert_eq!(message(&typed(text, line(rich))).text, expected, "{text} {rich}");
    }
}

#[test]
fn fences_hold_code() {
    for (text, code, shown) in [
        ("```one```", vec!["one"], "one"),
        ("a ```one\n  two\n``` b\n```three", vec!["one\n  two", "three"], "a \none\n  two\n b\nthree"),
        ("```json\n{}\n```", vec!["json\n{}"], "json\n{}"),
        ("```\n\n  indented\n\n```", vec!["\n  indented\n"], "  indented"),
        ("``````", vec![], ""),
        ("``` ", vec![" "], ""),
    ] {
        let read = read(&json!({ "text": text }));
        assert_eq!(read.1, code, "{text}");
        assert_eq!(read.0, shown, "{text}");
    }
}

#[test]
fn people_see_blocks_and_attachments_and_no_previews() {
    let event = json!({
        "text": "what a phone shows",
        "blocks": [
            {"type": "header", "text": {"type": "plain_text", "text": "Disk &lt;full&gt; :fire: <https://x.example>"}},
            {"type": "section", "text": {"type": "mrkdwn", "text": "on <https://x.example|db-1>"},
             "fields": [{"type": "mrkdwn", "text": "*Severity*\nhigh"}, {"type": "plain_text", "text": "now"}]},
            {"type": "divider"},
            {"type": "context", "elements": [
                {"type": "mrkdwn", "text": "by"}, {"type": "image", "alt_text": "x"}, {"type": "plain_text", "text": "me"}]},
            {"type": "markdown", "text": "```x```"},
            {"type": "table", "rows": [[{"type": "raw_text", "text": "a"},
                {"type": "rich_text", "elements": [section(json!([{"type": "text", "text": "b"}]))]}], "odd", [7]]},
            {"type": "actions", "elements": [{"type": "button", "text": {"type": "plain_text", "text": "Ack"}}]},
        ],
        "attachments": [
            {"pretext": "before", "title": "Title", "title_link": "https://t.example", "text": "words", "fallback": "no",
             "fields": [{"title": "a", "value": "&lt;1", "short": true}]},
            {"fallback": "[no preview available]", "color": "danger", "blocks": [
                {"type": "section", "text": {"type": "mrkdwn", "text": "in blocks"}}]},
            {"fallback": "only this"},
            {"fallback": "[no preview available]"},
            {"from_url": "https://n.example", "title": "a preview", "text": "of a page"},
            {"is_msg_unfurl": true, "text": "a preview of a message"},
            {"is_share": true, "is_msg_unfurl": true, "from_url": "https://s.example", "text": "cut",
             "message_blocks": [{"message": {"blocks": [{"type": "rich_text", "elements": [code(json!([
                {"type": "text", "text": "a log"}]))]}]}}],
             "files": [{"name": "b.log", "url_private": "https://files.example/b"}]},
        ],
    });
    let (text, code) = read(&event);
    insta::assert_snapshot!(text, @r"
    Disk <full> :fire: <https://x.example>
    on db-1 (https://x.example)
    *Severity*
    high
    now
    by me
    x
    a b
    before
    Title (https://t.example)
    words
    a: <1
    in blocks
    only this
    a log
    ");
    assert_eq!(code, ["x", "a log"]);
    assert_eq!(message(&event).files.len(), 1, "a file that was passed on");
}

#[test]
fn a_text_below_which_there_are_only_buttons_is_read() {
    let event = json!({"text": "choose", "blocks": [{"type": "actions", "elements": []}]});
    assert_eq!(message(&event).text, "choose");
}

#[test]
fn files_that_can_be_fetched() {
    let event = json!({"text": "", "files": [
        {"name": "a.log", "title": "A", "size": 12, "url_private": "https://f/1", "url_private_download": "https://f/2"},
        {"title": "B", "url_private": "https://f/3", "size": -1},
        {"name": "gone", "mode": "tombstone", "url_private": "https://f/4"},
        {"name": "old", "mode": "hidden_by_limit", "url_private": "https://f/5"},
        {"name": "elsewhere", "is_external": true, "url_private": "https://f/6"},
        {"name": "no address"},
        null,
    ]});
    let file = |name: &str, bytes, url: &str| File { name: name.into(), bytes, url: url.into() };
    assert_eq!(message(&event).files, [file("a.log", 12, "https://f/2"), file("B", 0, "https://f/3")]);
}

#[test]
fn the_bot_is_called_by_its_id() {
    let in_code = typed("", json!([section(json!([{"type": "user", "user_id": "U0BOT"}]))]));
    assert!(mentions(&in_code, "U0BOT"));
    assert!(mentions(&json!({"text": "hey <@U0BOT> you"}), "U0BOT"));
    assert!(mentions(&json!({"text": "<@U0BOT|clew>"}), "U0BOT"));
    for event in [json!({"text": "<@U0BOTX> @U0BOT &lt;@U0BOT&gt;"}), json!({"text": "<@>"}), json!(null), json!([1])] {
        assert!(!mentions(&event, "U0BOT"), "{event}");
        assert!(!mentions(&event, ""), "{event}");
    }
    let passed_on = json!({"text": "see", "attachments": [{"is_share": true, "text": "<@U0BOT> help"}]});
    assert!(!mentions(&passed_on, "U0BOT"));
}

#[test]
fn the_mention_of_the_bot_goes() {
    for (text, without) in [
        ("@U0BOT resolve 12", "resolve 12"),
        ("@U0BOT: resolve 12", "resolve 12"),
        ("@U0BOT", ""),
        ("hey @U0BOT, why?", "hey why?"),
        ("why, @U0BOT?", "why, ?"),
        ("@U0BOTX and @U1", "@U0BOTX and @U1"),
        ("@U0BOT\n  at a.b(C)\n  at d", "  at a.b(C)\n  at d"),
        ("a  b @U0BOT", "a  b"),
        ("@U0BOT @U0BOT help", "help"),
    ] {
        assert_eq!(without_mention(text, "U0BOT"), without, "{text}");
    }
    assert_eq!(without_mention("@ all", ""), "@ all");
}

#[test]
fn no_more_than_a_limit_is_read() {
    let long = "é`<".repeat(200_000);
    for event in [
        json!({"text": long}),
        json!({"text": format!("```{long}")}),
        typed(
            "",
            json!([code(json!([{"type": "text", "text": long}])), section(json!([{"type": "text", "text": "x"}]))]),
        ),
    ] {
        let (text, code) = read(&event);
        assert!(text.len() <= 256 * 1_024 && text.len() > 256 * 1_024 - 4);
        assert!(code.iter().map(String::len).sum::<usize>() <= 256 * 1_024);
    }
}

#[test]
fn hostile_texts_take_no_time() {
    for piece in ["<", "`", "```", "&", "<a:", "<!date^", "@U0BOT", "`<", "\n"] {
        let text = piece.repeat(400_000 / piece.len());
        let event = json!({"text": text, "blocks": [{"type": "header", "text": {"type": "mrkdwn", "text": text}}]});
        let message = message(&event);
        let _ = (without_mention(&message.text, "U0BOT"), mentions(&event, "U0BOT"));
    }
}

/// Names and values that mean something to the reader, and others.
pub(in crate::chat::slack) fn anything() -> impl Strategy<Value = Value> {
    const KEYS: &str = "text|blocks|attachments|elements|fields|type|files|title|value|title_link|color|footer|pretext|\
                        rows|style|code|url|name|size|mode|fallback|message_blocks|message|actions|bot_id|username|x";
    const VALUES: &str = "rich_text|rich_text_section|rich_text_preformatted|rich_text_list|section|header|context|\
                          mrkdwn|plain_text|table|link|user|date|emoji|bot_message|danger|good|#ff0000|Datadog|Grafana v9";
    const MARKED: [&str; 10] = [
        "[FIRING:3] a (b=\"c\" d=\"e\")",
        "*Labels:*\n • *severity:* `critical`\n - a = b",
        "<https://x|é> &lt; <@U1> `<",
        "Triggered: [P1] x ```log",
        "CloudWatch Alarm | é | | Account: ",
        "{a=\"",
        "[[[(:::",
        "[x] [🔴 Down] é",
        "*Severity:* high",
        "Recovered: [P1] ]",
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        ".{0,30}".prop_map(Value::from),
        proptest::sample::select(VALUES.split('|').collect::<Vec<_>>()).prop_map(Value::from),
        proptest::sample::select(&MARKED[..]).prop_map(Value::from),
        proptest::collection::vec(proptest::sample::select(&MARKED[..]), 1..4)
            .prop_map(|lines| lines.join("\n").into()),
    ];
    leaf.prop_recursive(5, 60, 6, |inner| {
        let keys = proptest::sample::select(KEYS.split('|').map(str::to_owned).collect::<Vec<_>>());
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            proptest::collection::btree_map(keys, inner, 0..8)
                .prop_map(|fields| fields.into_iter().collect::<serde_json::Map<_, _>>().into()),
        ]
    })
}

proptest! {
    #[test]
    fn no_json_breaks_the_reading(event in anything()) {
        let message = message(&event);
        prop_assert!(message.text.len() <= 256 * 1_024);
        let _ = mentions(&event, "U1");
    }

    #[test]
    fn no_text_breaks_the_reading(text in "[<>&`|!@#a:/é\n ltgmp;]{0,60}", user in "[a-zU1]{0,3}") {
        let message = message(&json!({ "text": text }));
        let _ = without_mention(&message.text, &user);
    }

    #[test]
    fn what_was_escaped_comes_back(text in "[^`]{0,60}") {
        let escaped = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        let fenced = json!({ "text": format!("```\n{escaped}\n```") });
        let expected = if text.is_empty() { vec![] } else { vec![text] };
        prop_assert_eq!(message(&fenced).code, expected);
    }
}
