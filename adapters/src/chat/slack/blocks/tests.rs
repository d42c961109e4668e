use clew_tests::fakes::slack::check_blocks;
use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::chat::{Control, Field, FieldKind, Style};

fn words(text: &str) -> Span {
    Span::Text(text.into())
}

fn control(label: &str, command: &str, style: Style) -> Control {
    Control { label: label.into(), command: command.into(), style, choices: vec![], fields: vec![] }
}

fn field(name: &str) -> Field {
    let label = format!("{name}?");
    Field {
        name: name.into(),
        label,
        kind: FieldKind::Lines,
        value: String::new(),
        is_optional: true,
        hint: String::new(),
    }
}

fn realistic() -> Card {
    let mut wrong = control("Wrong cause", "", Style::Plain);
    wrong.choices = vec![
        ("Memory exhaustion".into(), "wrong 12 memory_exhaustion".into()),
        ("Network timeout".into(), "wrong 12 network_timeout".into()),
    ];
    let mut resolve = control("Resolve", "resolve 12", Style::Danger);
    resolve.fields = vec![field("resolution")];
    let log =
        (1..=60).map(|n| format!("12:04:{n:02} ERROR could not extend file \"base/{n}\": No space left\n")).collect();
    let quote = |text: &str, quote: String| Item { text: vec![words(text)], quote: Some(quote) };
    let step =
        |text: &str| Item { text: vec![words(text), Span::Code("df -h /var/lib/postgresql".into())], quote: None };
    Card {
        tone: Tone::Bad,
        title: "#12 checkout: Postgres cannot write <db-1>".into(),
        lead: vec![
            vec![Span::Strong("Disk full".into()), words(", 94 % sure. "), words("Open for 3 minutes.")],
            vec![
                words("Similar: "),
                Span::Link { text: "INC-7".into(), url: "https://clew.example/incidents/7".into() },
            ],
        ],
        facts: vec![
            ("Service".into(), vec![Span::Code("checkout".into())]),
            ("Ticket".into(), vec![Span::Link { text: "OPS-41".into(), url: "https://jira.example/OPS-41".into() }]),
        ],
        sections: vec![
            Section {
                heading: "Evidence".into(),
                items: vec![quote("Line 14", "a `quoted` *line*".into()), quote("", log)],
            },
            Section { heading: "Next steps".into(), items: vec![step("Look at the disk: "), step("Free space: ")] },
        ],
        controls: vec![control("Acknowledge", "acknowledge 12", Style::Primary), wrong, resolve],
        footer: "Clew 0.1 · 3 secrets were taken out".into(),
    }
}

#[test]
fn a_realistic_card() {
    let shown = card(&realistic());
    assert_eq!(check_blocks(&json!(shown.blocks)), Vec::<String>::new());
    insta::assert_json_snapshot!("card", json!({"text": shown.text, "blocks": shown.blocks}));
}

#[test]
fn a_sentence() {
    let shown = sentence(&vec![words("Acknowledged by "), Span::Strong("Ada".into()), words(" & <!here>")]);
    insta::assert_json_snapshot!("sentence", json!({"text": shown.text, "blocks": shown.blocks}));
}

#[test]
fn what_is_left_out_is_said() {
    let mut big = realistic();
    big.lead = vec![vec![words(&"lead ".repeat(100))]; 40];
    big.sections = vec![big.sections[0].clone(); 80];
    big.sections[0].items = vec![big.sections[0].items[0].clone(); 80];
    let shown = json!(card(&big).blocks).to_string();
    for note in ["more lines", " more parts", " more\""] {
        assert!(shown.contains(note), "{note}: {shown}");
    }
    assert!(shown.len() > TOTAL * 3 / 4, "the room is used: {}", shown.len());
}

#[test]
fn a_sentence_leaves_room_for_what_it_introduces() {
    let mut long = realistic();
    long.lead = vec![
        vec![
            words("see "),
            Span::Link { text: "x".into(), url: format!("https://x.example/{}", "a".repeat(1_900)) }
        ];
        2
    ];
    long.sections[0].items = vec![Item { text: vec![words(&"why ".repeat(3_000))], quote: Some("the line".into()) }; 3];
    let shown = json!(card(&long).blocks).to_string();
    assert_eq!(shown.matches("the line").count(), 3, "{shown}");
    assert!(shown.contains(r#"{"text":"…","type":"text"}"#), "a link that does not fit is missed: {shown}");
}

fn any_text() -> impl Strategy<Value = String> {
    let hostile = prop_oneof![
        Just("<!channel>"),
        Just("<@U0123456789>"),
        Just("<https://evil.example|x>"),
        Just("```"),
        Just("&"),
        Just("\u{202e}"),
        Just("\u{0}"),
        Just("\n"),
        Just("\""),
        Just("\\"),
        Just("🚒"),
        Just("שלום"),
        Just("word "),
    ];
    let few = vec(hostile.clone(), 0..6).prop_map(|parts| parts.concat());
    let many = vec(hostile, 200..700).prop_map(|parts| parts.concat());
    prop_oneof![4 => few, 1 => many, 2 => "\\PC{0,40}", 1 => any::<String>()]
}

fn any_rich() -> impl Strategy<Value = Rich> {
    let span = prop_oneof![
        any_text().prop_map(Span::Text),
        any_text().prop_map(Span::Strong),
        any_text().prop_map(Span::Code),
        (any_text(), prop_oneof![Just("https://x.example/a?b=<c>".to_owned()), any_text()])
            .prop_map(|(text, url)| Span::Link { text, url }),
    ];
    vec(span, 0..5)
}

fn any_command() -> impl Strategy<Value = String> {
    prop_oneof![5 => "[a-z]{1,12} [0-9]{1,8} [a-z_]{0,30}", 1 => "[\"\\\\]{60}"]
}

fn any_control() -> impl Strategy<Value = Control> {
    let choices = prop_oneof![3 => Just(vec![]), 1 => vec((any_text(), any_command()), 1..150)];
    let style = prop_oneof![Just(Style::Plain), Just(Style::Primary), Just(Style::Danger)];
    let fields = prop_oneof![Just(vec![]), Just(vec![field("a")])];
    (any_text(), any_command(), style, choices, fields).prop_map(|(label, command, style, choices, fields)| Control {
        label,
        command,
        style,
        choices,
        fields,
    })
}

fn any_card() -> impl Strategy<Value = Card> {
    let item = (any_rich(), proptest::option::of(any_text())).prop_map(|(text, quote)| Item { text, quote });
    let section = (any_text(), vec(item, 0..8)).prop_map(|(heading, items)| Section { heading, items });
    let tone = prop_oneof![Just(Tone::Bad), Just(Tone::Warning), Just(Tone::Good), Just(Tone::Neutral)];
    let parts = (vec(any_rich(), 0..8), vec((any_text(), any_rich()), 0..20), vec(section, 0..50));
    (tone, any_text(), parts, vec(any_control(), 0..30), any_text()).prop_map(
        |(tone, title, (lead, facts, sections), controls, footer)| Card {
            tone,
            title,
            lead,
            facts,
            sections,
            controls,
            footer,
        },
    )
}

/// Every text that Slack reads for markup.
fn read_for_markup<'a>(value: &'a Value, into: &mut Vec<&'a str>) {
    match value {
        Value::Object(object) => {
            if object.get("type").is_some_and(|kind| kind == "plain_text" || kind == "mrkdwn") {
                into.extend(value["text"].as_str());
            }
            object.values().for_each(|inner| read_for_markup(inner, into));
        }
        Value::Array(values) => values.iter().for_each(|inner| read_for_markup(inner, into)),
        _ => {}
    }
}

/// Types of the elements of rich text.
fn kinds(value: &Value, into: &mut std::collections::BTreeSet<String>) {
    match value {
        Value::Object(object) => {
            into.extend(object.get("type").and_then(Value::as_str).map(str::to_owned));
            object.values().for_each(|inner| kinds(inner, into));
        }
        Value::Array(values) => values.iter().for_each(|inner| kinds(inner, into)),
        _ => {}
    }
}

fn commands(controls: &[Control]) -> Vec<&str> {
    controls
        .iter()
        .take(crate::chat::MAX_CONTROLS)
        .map(|control| control.choices.first().map_or(control.command.as_str(), |(_, command)| command))
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_card_is_one_that_slack_takes(any in any_card()) {
        let shown = card(&any);
        let blocks = json!(shown.blocks);
        prop_assert_eq!(check_blocks(&blocks), Vec::<String>::new());
        prop_assert!(blocks.to_string().len() <= TOTAL + 2, "{}", blocks.to_string().len());
        prop_assert!((1..=FALLBACK).contains(&shown.text.encode_utf16().count()));

        let mut texts = vec![shown.text.as_str()];
        read_for_markup(&blocks, &mut texts);
        for text in texts {
            prop_assert!(!text.contains(['<', '>']), "{}", text);
        }
        let mut found = std::collections::BTreeSet::new();
        kinds(&blocks, &mut found);
        for mention in ["user", "usergroup", "broadcast", "channel", "team", "emoji", "date"] {
            prop_assert!(!found.contains(mention));
        }
        let sent = blocks.to_string();
        for command in commands(&any.controls) {
            prop_assert!(sent.contains(&json!(command).to_string()), "{} is lost", command);
        }
    }

    #[test]
    fn any_sentence_is_one_that_slack_takes(any in any_rich()) {
        let shown = sentence(&any);
        prop_assert_eq!(check_blocks(&json!(shown.blocks)), Vec::<String>::new());
        prop_assert!((1..=TEXT * 5).contains(&shown.text.len()));
        prop_assert!(!shown.text.contains(['<', '>']));
    }
}
