#![allow(clippy::unwrap_used)] // a test that fails stops

use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::super::controls::pressed;
use super::super::escape::tests::any_signs;
use super::super::escape::tests::markdown;
use super::*;
use crate::chat::conformance::HOSTILE;
use crate::chat::{Control, Field, FieldKind, Style};

fn words(text: &str) -> Span {
    Span::Text(text.into())
}

fn strong(text: &str) -> Span {
    Span::Strong(text.into())
}

fn code(text: &str) -> Span {
    Span::Code(text.into())
}

fn link(text: &str, url: &str) -> Span {
    Span::Link { text: text.into(), url: url.into() }
}

fn control(label: &str, command: &str, style: Style) -> Control {
    Control { label: label.into(), command: command.into(), style, choices: vec![], fields: vec![] }
}

fn item(text: Rich, quote: Option<&str>) -> Item {
    Item { text, quote: quote.map(str::to_owned) }
}

fn section(heading: &str, items: Vec<Item>) -> Section {
    Section { heading: heading.into(), items }
}

fn open_incident() -> Card {
    let mut wrong = control("Wrong cause", "wrong INC-12", Style::Plain);
    wrong.choices = vec![
        ("Memory exhaustion".into(), "wrong INC-12 memory_exhaustion".into()),
        ("Network timeout".into(), "wrong INC-12 network_timeout".into()),
    ];
    let mut resolve = control("Resolve", "resolve INC-12", Style::Plain);
    resolve.fields = vec![Field {
        name: "fix".into(),
        label: "What fixed it?".into(),
        kind: FieldKind::Lines,
        value: String::new(),
        is_optional: true,
        hint: String::new(),
    }];
    Card {
        tone: Tone::Bad,
        title: "INC-12 · DiskFull on db_main_1".into(),
        lead: vec![
            vec![strong("Open"), words(" since 2026-11-29 03:12 UTC · critical · ada")],
            vec![words("Root cause: "), strong("Disk full"), words(" — 93 %, almost certain")],
            vec![words("Seen 3 times in 20 d, last as "), link("INC-7", "https://discord.com/channels/1/2/3")],
        ],
        facts: vec![
            ("Service".into(), vec![words("shop_checkout")]),
            (
                "Ticket".into(),
                vec![link("OPS-41", "https://jira.example/browse/OPS-41"), words(" In Review · Ada (CODEOWNERS)")],
            ),
            ("Alerts".into(), vec![words("2 firing of 3")]),
            (
                "Labels".into(),
                vec![code("instance=db_main_1:9187 job=postgres mountpoint=/var/lib/postgresql/16/main")],
            ),
            ("Links".into(), vec![link("Runbook", "https://wiki.example/Disk_(full)"), words(" ")]),
        ],
        sections: vec![
            section(
                "Evidence",
                vec![
                    item(
                        vec![words("line 3")],
                        Some("PANIC: could not write to \"pg_wal/xlogtemp_14\": No space left on device"),
                    ),
                    item(vec![words("line 9")], Some("psycopg.errors.__init__ [28] *retry* in `shop`")),
                ],
            ),
            section(
                "Next steps",
                vec![
                    item(vec![words("See what is full: "), code("df -h /var/lib/postgresql"), words("")], None),
                    item(vec![strong("[destructive] "), words("Remove old WAL")], None),
                ],
            ),
            section(
                "Known failures like this",
                vec![item(
                    vec![
                        link("INC-7 DiskFull on db_main_1", "https://discord.com/channels/1/2/3"),
                        words(" — fixed by: Grew the volume"),
                    ],
                    None,
                )],
            ),
        ],
        controls: vec![
            control("Acknowledge", "acknowledge INC-12", Style::Primary),
            control("Mitigated", "mitigate INC-12", Style::Plain),
            resolve,
            control("Open Ops ticket", "ticket INC-12 ops", Style::Plain),
            control("Show details", "details INC-12", Style::Plain),
            wrong,
        ],
        footer: "6 lines · 5 templates · 42 ms · 1 redacted · from alertmanager".into(),
    }
}

fn resolved_incident() -> Card {
    Card {
        tone: Tone::Good,
        title: "INC-12 · DiskFull on db_main_1".into(),
        lead: vec![
            vec![strong("Resolved"), words(" after 1 h 30 min by ada · critical")],
            vec![
                words("Root cause: "),
                strong("Memory exhaustion"),
                words(" — as a person says; the verdict was Disk full (93 %)"),
            ],
            vec![words("What fixed it: "), strong("Replaced *the* disk")],
        ],
        facts: vec![("Service".into(), vec![words("shop")]), ("Alerts".into(), vec![words("0 firing of 3")])],
        sections: vec![section(
            "Evidence (words of the alert)",
            vec![item(vec![], Some("No space left on device")), item(vec![], Some("94 % of / is full"))],
        )],
        controls: vec![
            control("Show details", "details INC-12", Style::Plain),
            control("Reopen", "reopen INC-12", Style::Plain),
        ],
        footer: "from alertmanager".into(),
    }
}

/// The limits of Discord that a message breaks.
fn broken(shown: &Shown) -> Vec<String> {
    let mut broken = Vec::new();
    let mut total = 0;
    let mut keeps = |value: &Value, least: usize, most: usize| {
        let text = value.as_str().unwrap_or_default();
        let units = text.encode_utf16().count();
        if !(least..=most).contains(&units) || (least > 0 && text.trim().is_empty()) {
            broken.push(format!("{units} of {most}: {text:?}"));
        }
        total += units;
    };
    let embeds = json!(shown.embeds);
    let embeds = embeds.as_array().unwrap();
    for (n, embed) in embeds.iter().enumerate() {
        keeps(&embed["title"], usize::from(n == 0), 256);
        keeps(&embed["description"], usize::from(n > 0), 4_096);
        keeps(&embed["footer"]["text"], 0, 2_048);
        let fields = embed["fields"].as_array().map_or(&[][..], Vec::as_slice);
        assert!(fields.len() <= 25);
        for field in fields {
            keeps(&field["name"], 1, 256);
            keeps(&field["value"], 1, 1_024);
        }
    }
    if !(1..=10).contains(&embeds.len()) || total > 6_000 {
        broken.push(format!("{} embeds with {total}", embeds.len()));
    }
    let rows = json!(shown.rows);
    let rows = rows.as_array().unwrap();
    assert!(rows.len() <= 5);
    for component in rows.iter().flat_map(|row| row["components"].as_array().unwrap()) {
        let id = component["custom_id"].as_str().unwrap();
        assert!((1..=100).contains(&id.len()));
        let label = if component["type"] == 2 { &component["label"] } else { &component["placeholder"] };
        let units = label.as_str().unwrap().encode_utf16().count();
        assert!((1..=if component["type"] == 2 { 80 } else { 150 }).contains(&units), "{label}");
    }
    broken
}

/// What people read of a card, markdown applied.
fn read(shown: &Shown) -> String {
    let mut lines = Vec::new();
    for embed in json!(shown.embeds).as_array().unwrap() {
        let text = |value: &Value| markdown::shown(value.as_str().unwrap_or_default());
        lines.extend([text(&embed["title"]), text(&embed["description"])]);
        for field in embed["fields"].as_array().into_iter().flatten() {
            lines.push(format!("{}: {}", text(&field["name"]), text(&field["value"])));
        }
        lines.push(embed["footer"]["text"].as_str().unwrap_or_default().to_owned());
    }
    lines.join("\n")
}

#[test]
fn an_open_incident() {
    let shown = card(&open_incident(), "5f2a");
    assert_eq!(broken(&shown), Vec::<String>::new());
    insta::assert_json_snapshot!("open", json!({"embeds": shown.embeds, "components": shown.rows}));
}

#[test]
fn a_resolved_incident() {
    let shown = card(&resolved_incident(), "5f2a");
    assert_eq!(broken(&shown), Vec::<String>::new());
    insta::assert_json_snapshot!("resolved", json!({"embeds": shown.embeds, "components": shown.rows}));
}

#[test]
fn a_sentence_is_content() {
    let said = sentence(&vec![
        words("Acknowledged by "),
        strong("Ada "),
        strong("Lovelace"),
        words(" & <@123>, see "),
        link("OPS-41", "https://jira.example/OPS-41"),
        words(": "),
        code("df -h"),
    ]);
    assert_eq!(
        said,
        "Acknowledged by **Ada Lovelace** & \\<\\@123>, see [OPS-41](<https://jira.example/OPS-41>)\\: `df -h`"
            .replace("\\:", ":")
    );
    for empty in [vec![], vec![words(" \n")], vec![code(""), strong("")]] {
        assert_eq!(sentence(&empty), "…");
    }
}

#[test]
fn a_label_that_would_need_an_escape_stands_before_its_link() {
    for (text, written) in [
        ("INC-7 DiskFull on db_main_1", "[INC-7 DiskFull on db_main_1](<https://x.example/>)"),
        ("[critical] disk", "\\[critical] disk ([link](<https://x.example/>))"),
        ("https://evil.example", "https\\://evil.example ([link](<https://x.example/>))"),
        ("_private", "\\_private ([link](<https://x.example/>))"),
    ] {
        assert_eq!(sentence(&vec![link(text, "https://x.example")]), written);
    }
    let odd = sentence(&vec![link("a", "https://x.example/Disk_(full)?a=[1]\\#b c")]);
    assert_eq!(odd, "[a](<https://x.example/Disk_%28full%29?a=%5B1%5D%5C#b%20c>)");
    assert_eq!(sentence(&vec![link("a", "javascript:alert(1)")]), "a (javascript:alert(1))");
    assert_eq!(sentence(&vec![link("a", "https://x.example(y)/")]), "a (https\\://x.example(y)/)");
    assert_eq!(sentence(&vec![link("a", "http://[::1]:81/")]), "[a](<http://[::1]:81/>)");
}

#[test]
fn code_behind_a_link_does_not_become_its_label() {
    let mut card = resolved_incident();
    card.lead = vec![vec![link("INC-7", "https://good.example/7"), words(" a](https://evil.example) ")]];
    card.sections[0].items = vec![item(vec![code("b](c)")], Some("] x](https://evil.example)"))];
    let seen = read(&super::card(&card, ""));
    assert!(seen.contains("{link https://good.example/7|INC-7} a](https://evil.example)"), "{seen}");
    assert_eq!(seen.matches("{link").count(), 1, "{seen}");
    let visible = seen.replace('\u{200b}', "");
    assert!(visible.contains("b](c)") && visible.contains("] x](https://evil.example)"), "{seen}");
}

#[test]
fn nothing_in_a_card_is_more_than_text() {
    for text in HOSTILE {
        let mut card = open_incident();
        card.title = format!("title {text}");
        card.lead =
            vec![vec![words("lead "), words(text), strong(text), code(text), link(text, "https://good.example/?a=b")]];
        card.facts = vec![(text.into(), vec![words("fact "), words(text)])];
        card.sections = vec![section(
            text,
            vec![item(vec![words("item "), words(text)], Some(text)), item(vec![link(text, "x:y")], None)],
        )];
        card.footer = text.into();
        let shown = super::card(&card, "");
        assert_eq!(broken(&shown), Vec::<String>::new());
        let seen = read(&shown);
        let flat = |text: &str| {
            let visible: String = text::clean(text).chars().filter(|c| *c != '\u{200b}').collect();
            visible.split_whitespace().collect::<Vec<_>>().join(" ")
        };
        for part in ["title", "lead", "fact", "item"] {
            assert!(flat(&seen).contains(&format!("{part} {}", flat(text))), "{part}: {seen}");
        }
        let ours = seen.replace("{point ", "").replace("{link https://good.example/?a=b|", "");
        let marks = [
            "{calls", "{link", "{address", "{em", "{under", "{struck", "{spoiler", "{emoji", "{quote", "{heading",
            "{small",
        ];
        for mark in marks {
            assert!(!ours.contains(mark), "{mark}: {seen}");
        }
    }
}

#[test]
fn what_is_left_out_is_said_and_the_room_is_used() {
    let mut big = open_incident();
    let log = (1..=300).map(|n| format!("12:04:{n:02} ERROR could not extend file base/{n}\n")).collect::<String>();
    big.lead = vec![vec![words(&"lead ".repeat(100))]; 40];
    big.facts = vec![("Fact".into(), vec![words("value")]); 60];
    big.sections = vec![section("Evidence", vec![item(vec![words("line 3")], Some(&log)); 30]); 80];
    let shown = card(&big, "");
    assert_eq!(broken(&shown), Vec::<String>::new());
    let seen = read(&shown);
    for note in ["more lines", "more parts", "… 27 more", "…: 36 more"] {
        assert!(seen.contains(note), "{note}: {seen}");
    }
    assert!(seen.len() > 5_000, "the room is used: {}", seen.len());
    assert_eq!(json!(shown.rows), json!(card(&open_incident(), "").rows), "the controls stay");
}

#[test]
fn what_one_description_does_not_hold_goes_on_in_another() {
    let mut details = resolved_incident();
    let lines =
        |n: usize| (0..n).map(|n| item(vec![words(&format!("line {n}: ")), code(&"x".repeat(60))], None)).collect();
    details.sections = vec![section("One", lines(40)), section("Two", lines(40)), section("Three", lines(40))];
    let shown = card(&details, "");
    assert_eq!(broken(&shown), Vec::<String>::new());
    assert_eq!(shown.embeds.len(), 2);
    let last = json!(shown.embeds[1]);
    assert_eq!(last["footer"]["text"], "from alertmanager");
    assert!(last["description"].as_str().unwrap().contains("**Three**"), "{last}");
}

fn any_text() -> impl Strategy<Value = String> {
    let many = vec(any_signs(), 20..40).prop_map(|parts| parts.concat());
    prop_oneof![6 => any_signs(), 1 => many, 1 => any::<String>(), 1 => proptest::sample::select(HOSTILE.to_vec()).prop_map(str::to_owned)]
}

fn any_rich() -> impl Strategy<Value = Rich> {
    // One address that is one, and many that are none.
    let none = any_text().prop_map(|text| if text::web_address(&text).is_some() { "x:y".to_owned() } else { text });
    let url = prop_oneof![Just("https://x.example/a?b=<c>".to_owned()), none];
    let span = prop_oneof![
        any_text().prop_map(Span::Text),
        any_text().prop_map(Span::Strong),
        any_text().prop_map(Span::Code),
        (any_text(), url).prop_map(|(text, url)| Span::Link { text, url }),
    ];
    vec(span, 0..4)
}

fn any_card() -> impl Strategy<Value = Card> {
    let item = (any_rich(), proptest::option::of(any_text())).prop_map(|(text, quote)| Item { text, quote });
    let section = (any_text(), vec(item, 0..4)).prop_map(|(heading, items)| Section { heading, items });
    let tone = prop_oneof![Just(Tone::Bad), Just(Tone::Warning), Just(Tone::Good), Just(Tone::Neutral)];
    let parts = (vec(any_rich(), 0..5), vec((any_signs(), any_rich()), 0..30), vec(section, 0..6));
    let control =
        (any_text(), "[a-z]{1,12} [0-9]{1,8}").prop_map(|(label, command)| control(&label, &command, Style::Plain));
    (tone, any_text(), parts, vec(control, 0..25), any_text()).prop_map(
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

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_card_is_one_that_discord_takes(any in any_card()) {
        let shown = card(&any, "0123456789abcdef");
        prop_assert_eq!(broken(&shown), Vec::<String>::new());
        let seen = read(&shown);
        for mark in ["{calls", "{address", "{em ", "{under", "{struck", "{spoiler", "{quote", "{heading", "{small", "{time", "{channel"] {
            prop_assert!(!seen.contains(mark), "{}: {}\n{}", mark, seen, json!(shown.embeds));
        }
        let foreign = seen.matches("{link ").count() - seen.matches("{link https://x.example/").count();
        prop_assert_eq!(foreign, 0, "{}", seen);
        let rows = json!(shown.rows);
        let said: Vec<_> = rows.as_array().unwrap().iter().flat_map(|row| row["components"].as_array().unwrap())
            .filter_map(|component| pressed(component["custom_id"].as_str().unwrap(), &[])).collect();
        prop_assert_eq!(said.len(), any.controls.len(), "no control is lost");
    }

    #[test]
    fn any_sentence_is_one_that_discord_takes(any in any_rich()) {
        let content = sentence(&any);
        prop_assert!((1..=2_000).contains(&content.encode_utf16().count()));
        prop_assert!(!content.trim().is_empty());
        let seen = markdown::shown(&content);
        for mark in ["{calls", "{address", "{em ", "{under", "{struck", "{spoiler", "{quote", "{heading", "{small"] {
            prop_assert!(!seen.contains(mark), "{}: {}\n{}", mark, seen, content);
        }
    }
}
