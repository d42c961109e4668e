//! What is made of messages, and that nothing breaks the reading.

use proptest::prelude::*;
use serde_json::json;

use super::*;

/// A message that a person typed.
fn typed(content: &str) -> Value {
    json!({"type": 0, "author": {"id": "1", "username": "ada"}, "content": content, "mentions": [
        {"id": "7", "username": "clew", "bot": true},
        {"id": "8", "username": "grace", "global_name": "Grace"},
        {"id": "9", "username": "linus", "global_name": "Linus", "member": {"nick": "Linus (on call)"}},
    ]})
}

/// A message that a bot posted.
fn posted(content: &str) -> Value {
    json!({"author": {"id": "2", "username": "alerts", "bot": true}, "content": content})
}

#[test]
fn what_discord_wrote_is_undone() {
    for (content, read) in [
        ("<@8> <@!9> <@77> <@&5> <#6>", "@Grace @Linus (on call) @77 @5 #6"),
        ("<:fire:1> <a:spin:2> :fire: 🔥", ":fire: :spin: :fire: 🔥"),
        ("<t:1764385965> <t:1764385965:R> <t:-1:d>", "2025-11-29T03:12:45Z 2025-11-29T03:12:45Z 1969-12-31T23:59:59Z"),
        ("<t:99999999999999999999:R> <t:x:R>", "99999999999999999999 <t:x:R>"),
        ("</triage:123> </a b c:4>", "/triage /a b c"),
        ("[the board](https://x.example/a_(b)?c=1) now", "the board (https://x.example/a_(b)?c=1) now"),
        ("[a](<https://x.example>) [https://x.example](https://x.example)", "a (https://x.example) https://x.example"),
        ("[no](ftp://x) [no](x) [no] (https://x.example)", "[no](ftp://x) [no](x) [no] (https://x.example)"),
        ("`<@8>` ``a ` <@8>`` <@8>", "`<@8>` ``a ` <@8>`` @Grace"),
        ("<not a mark> <> <@> <#x> <:a> a < b > c <", "<not a mark> <> <@> <#x> <:a> a < b > c <"),
    ] {
        assert_eq!(message(&typed(content)).text, read, "{content}");
    }
}

#[test]
fn a_pasted_log_comes_out_as_it_went_in() {
    let log = "12:00 __init__ *p = \\*q; C:\\tmp\\_x\\ **kw ~~ || <init> > [1] `x` \\<3 <http://10.0.0.1:8080/a>\n\tat a_b(c) # - x";
    assert_eq!(message(&typed(log)).text, log);
    let fenced = message(&typed(&format!("look:\n```\n{log}\n```\nthanks")));
    assert_eq!(fenced.text, format!("look:\n{log}\nthanks"));
    assert_eq!(fenced.code, [log]);
}

#[test]
fn what_a_bot_escaped_is_unescaped_outside_of_code() {
    let read = message(&posted("disk\\_full \\*now\\* \\<@8> C:\\tmp <https://x.example> `a\\_b`\n```\na\\_b\n```"));
    assert_eq!(read.text, "disk_full *now* <@8> C:\\tmp https://x.example `a\\_b`\na\\_b");
    let hooked = json!({"webhook_id": "3", "author": {"id": "3", "username": "hook"}, "content": "a\\_b"});
    assert_eq!(message(&hooked).text, "a_b");
}

#[test]
fn fences_hold_code() {
    for (content, code, shown) in [
        ("```one```", vec!["one"], "one"),
        ("a ```one\n  two\n``` b\n```three", vec!["  two", "three"], "a \n  two\n b\nthree"),
        ("```json\n{}\n```", vec!["{}"], "{}"),
        ("```error: x\n  at y\n```", vec!["error: x\n  at y"], "error: x\n  at y"),
        ("```\n\n  indented\n\n```", vec!["  indented"], "  indented"),
        ("```json\n```", vec!["json"], "json"),
        ("``````", vec![], ""),
    ] {
        let read = message(&typed(content));
        assert_eq!(read.code, code, "{content}");
        assert_eq!(read.text, shown, "{content}");
    }
}

#[test]
fn people_see_embeds_of_bots_and_no_previews() {
    let embeds = json!([
        {"type": "rich", "title": "\\[FIRING\\] Disk", "url": "https://a.example", "description": "on **db\\_1**\n```\nlog\n```",
         "fields": [{"name": "Service", "value": "shop\\_1", "inline": true}, {"name": "Since", "value": "<t:1764385965:R>"}],
         "footer": {"text": "not read"}},
        {"type": "article", "title": "a preview", "url": "https://b.example"},
        {"title": "second"},
    ]);
    let mut bot = posted("alert:");
    bot["embeds"] = embeds.clone();
    bot["components"] =
        json!([{"type": 17, "components": [{"type": 10, "content": "more"}, {"type": 1, "components": []}]}]);
    let read = message(&bot);
    insta::assert_snapshot!(read.text, @r"
    alert:
    [FIRING] Disk (https://a.example)
    on **db_1**
    log
    Service: shop_1
    Since: 2025-11-29T03:12:45Z
    second
    more
    ");
    assert_eq!(read.code, ["log"]);
    let mut person = typed("see https://b.example");
    person["embeds"] = embeds;
    assert_eq!(message(&person).text, "see https://b.example");
}

#[test]
fn what_was_forwarded_is_read_with_its_files() {
    let event = json!({"author": {"id": "1"}, "content": "", "message_snapshots": [{"message": {
        "content": "it says\n```\na log\n```", "embeds": [{"type": "rich", "title": "Disk"}],
        "attachments": [{"filename": "b.log", "size": 3, "url": "https://cdn.example/b"}],
    }}], "attachments": [
        {"filename": "a.log", "size": 12, "url": "https://cdn.example/a?ex=1"},
        {"filename": "c.log", "size": -1, "proxy_url": "https://media.example/c"},
        {"filename": "no address"}, null,
    ]});
    let read = message(&event);
    assert_eq!(read.text, "it says\na log\nDisk");
    assert_eq!(read.code, ["a log"]);
    let file = |name: &str, bytes, url: &str| File { name: name.into(), bytes, url: url.into() };
    assert_eq!(
        read.files,
        [
            file("a.log", 12, "https://cdn.example/a?ex=1"),
            file("c.log", 0, "https://media.example/c"),
            file("b.log", 3, "https://cdn.example/b"),
        ]
    );
    let many = json!({"attachments": vec![json!({"url": "https://cdn.example/a"}); 150]});
    assert_eq!(message(&many).files.len(), 100);
}

#[test]
fn the_bot_is_called_by_its_id_in_the_text() {
    for content in ["<@7> help", "hey <@!7>: why?", "a\n```\nlog\n```<@7>"] {
        assert!(mentions(&typed(content), "7"), "{content}");
    }
    for content in ["help", "@everyone", "@clew", "`<@7>`", "```\n<@7>\n```", "<@77>", "<@&7>"] {
        assert!(!mentions(&typed(content), "7"), "{content}");
    }
    let by_reply_only = json!({"type": 19, "content": "thanks", "mentions": [{"id": "7"}]});
    assert!(!mentions(&by_reply_only, "7"));
    let not_told = json!({"content": "<@7>", "mentions": []});
    assert!(!mentions(&not_told, "7"));
    assert!(!mentions(&json!(null), "7") && !mentions(&typed("<@>"), ""));
    let passed_on =
        json!({"content": "", "mentions": [{"id": "7"}], "message_snapshots": [{"message": {"content": "<@7>"}}]});
    assert!(!mentions(&passed_on, "7"));
}

#[test]
fn a_message_to_the_bot_is_read_without_its_mention() {
    for (content, read) in [
        ("<@7> resolve 12", "resolve 12"),
        ("<@!7>: resolve 12", "resolve 12"),
        ("hey <@7>, why is <@8> here?", "hey why is @Grace here?"),
        ("why <@7>", "why"),
        ("<@7>\n```\nlog\n```", "log"),
        ("a<@7>b `<@7>`", "ab `<@7>`"),
        ("<@7> <@7>", ""),
        ("<@77> x", "@77 x"),
    ] {
        assert_eq!(without_mention(&typed(content), "7").text, read, "{content}");
    }
}

fn any_json() -> impl Strategy<Value = Value> {
    let mark = prop_oneof![
        Just("<@7>"),
        Just("<t:1:R>"),
        Just("```"),
        Just("`"),
        Just("["),
        Just("](https://x)"),
        Just("\\"),
        Just("<"),
        Just(">"),
        Just("é"),
        Just("\n"),
        Just(":"),
        Just("a"),
    ];
    let text = proptest::collection::vec(mark, 0..12).prop_map(|marks| json!(marks.concat()));
    let leaf = prop_oneof![4 => text, 1 => any::<i64>().prop_map(|n| json!(n)), 1 => any::<bool>().prop_map(|b| json!(b)), 1 => Just(Value::Null)];
    let key = proptest::sample::select(vec![
        "content",
        "embeds",
        "title",
        "url",
        "description",
        "fields",
        "name",
        "value",
        "mentions",
        "id",
        "message_snapshots",
        "message",
        "attachments",
        "components",
        "type",
        "author",
        "bot",
        "webhook_id",
        "member",
        "nick",
    ]);
    leaf.prop_recursive(5, 64, 6, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..6).prop_map(Value::Array),
            proptest::collection::vec((key.clone(), inner), 0..6)
                .prop_map(|pairs| pairs.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_message_can_be_read(event in any_json(), content in any_json()) {
        let _ = (message(&event), without_mention(&event, "7"), mentions(&event, "7"));
        let event = json!({"author": {"bot": true}, "content": content, "mentions": [{"id": "7"}], "embeds": [event]});
        let _ = (message(&event), without_mention(&event, "7"), mentions(&event, "7"));
    }

    #[test]
    fn what_people_type_without_marks_is_not_touched(text in "[a-z0-9*_~|\\\\#>(){}:;.,!?\"'=/ \n-]{0,80}") {
        let text = text.trim_end().trim_start_matches('\n');
        prop_assert_eq!(message(&typed(text)).text, text);
    }
}
