//! Documents and wiki text.

use clew_tests::fakes::jira::check_document;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{item, section, words};
use crate::chat::conformance::HOSTILE;
use crate::chat::{Item, Rich, Section, Span, text};
use crate::trackers::jira::body::LONGEST;
use crate::trackers::jira::{adf, wiki};

fn sample() -> Vec<Section> {
    vec![
        section("Root cause", vec![item(vec![Span::Text("The disk of ".into()), Span::Strong("db-1".into())], None)]),
        section(
            "Evidence",
            vec![
                item(vec![Span::Code("df -h".into())], Some("No space left\non {noformat} device")),
                item(words("three hosts"), None),
                item(
                    vec![Span::Link { text: "the thread".into(), url: "https://chat.example/a_b?x=[1]".into() }],
                    None,
                ),
            ],
        ),
    ]
}

#[test]
fn a_description_on_cloud_is_a_document() {
    let document = adf::description(&sample());
    assert_eq!(check_document(&document), None);
    let types: Vec<_> = document["content"].as_array().unwrap().iter().map(|node| node["type"].clone()).collect();
    assert_eq!(types, ["heading", "paragraph", "heading", "bulletList", "codeBlock", "bulletList"]);
    assert_eq!(
        document["content"][1]["content"][1],
        json!({"type": "text", "text": "db-1", "marks": [{"type": "strong"}]})
    );
    assert_eq!(document["content"][5]["content"].as_array().unwrap().len(), 2, "bullets side by side are one list");
}

#[test]
fn a_description_on_a_server_is_wiki_text() {
    let expected = "h3. Root cause\n\nThe disk of *db-1*\n\nh3. Evidence\n\n* {{df \\-h}}\n\n{noformat}\nNo space left\n\
                    on {\u{200b}noformat} device\n{noformat}\n\n* three hosts\n\
                    * [the thread|https://chat.example/a_b?x=%5B1%5D]";
    assert_eq!(wiki::description(&sample()), expected);
}

#[test]
fn no_text_is_markup_in_wiki_text() {
    for (plain, expected) in [
        ("*bold* _it_ -del- a-b app_log", r"\*bold\* \_it\_ \-del\- a-b app_log"),
        ("[~admin] {color:red}", r"\[\~admin\] \{color&#58;red\}"),
        (r"C:\temp\*", r"C&#58;&#92;temp&#92;\*"),
        ("# one\nh1. big\n12. x", "\\# one\nh1&#46; big\n12. x"),
        ("https://evil.example mailto:a 12:30 a: b", "https&#58;//evil.example mailto&#58;a 12:30 a: b"),
        ("&lt; & &amp;&", "&#38;lt; & &#38;amp;&#38;"),
        ("why?? yes? (x) (ok) :) ;) a;b", r"why\?\? yes? \(x) (ok) &#58;) &#59;) a;b"),
        ("!img.png! |a|b| ^up^ +in+ 1+1", r"\!img.png\! \|a\|b\| \^up\^ \+in\+ 1+1"),
    ] {
        assert_eq!(wiki::comment(&words(plain)), expected);
        assert_eq!(wiki::plain(expected), plain);
    }
}

#[test]
fn only_web_addresses_are_links() {
    let link = |url: &str| vec![Span::Link { text: "a|b]".into(), url: url.into() }];
    assert_eq!(wiki::comment(&link("https://x.example/a|b")), r"[a\|b\]|https://x.example/a%7Cb]");
    for bad in ["javascript:alert(1)", "not one", "http://[::1]/x"] {
        assert_eq!(wiki::comment(&link(bad)), r"a\|b\]");
    }
    assert_eq!(
        adf::comment(&link("javascript:alert(1)"))["content"][0]["content"][0],
        json!({"type": "text", "text": "a|b]"})
    );
}

#[test]
fn a_document_reads_as_plain_text() {
    let text = |text: &str| json!({"type": "text", "text": text});
    let document = json!({"type": "doc", "version": 1, "content": [
        {"type": "paragraph", "content": [
            text("/clew resolve "), {"type": "mention", "attrs": {"id": "1", "text": "@Ada"}}, {"type": "hardBreak"},
            {"type": "emoji", "attrs": {"shortName": ":fire:", "text": "🔥"}}, text(" on "),
            {"type": "date", "attrs": {"timestamp": "1764324000000"}},
        ]},
        {"type": "bulletList", "content": [
            {"type": "listItem", "content": [{"type": "paragraph", "content": [text("a")]}]},
            {"type": "listItem", "content": [{"type": "paragraph", "content": [text("b")]}]},
        ]},
        {"type": "codeBlock", "content": [text("x\ny")]},
        {"type": "new thing", "content": [{"type": "inlineCard", "attrs": {"url": "https://x.example"}}]},
    ]});
    assert_eq!(adf::plain(&document), "/clew resolve @Ada\n🔥 on 2025-11-28\n- a\n- b\nx\ny\nhttps://x.example");
    assert_eq!(adf::plain(&Value::Null), "");
    let deep = (0..100).fold(text("x"), |inner, _| json!({"type": "blockquote", "content": [inner]}));
    assert_eq!(adf::plain(&deep), "");
}

#[test]
fn what_is_too_long_is_cut_from_the_end_and_says_so() {
    let quote = "0123456789 \"quoted\" \\ line\n".repeat(5_000);
    let long = "word ".repeat(20_000);
    for sections in [
        vec![
            section("First", vec![item(words("kept"), Some(&quote))]),
            section("Second", vec![item(words("gone"), None)]),
        ],
        vec![section("First", vec![item(words("kept"), None)]), section("Long", vec![item(words(&long), None)])],
        vec![section("First", vec![item(words("kept"), None); 6_000])],
    ] {
        let document = adf::description(&sections);
        assert_eq!(check_document(&document), None);
        let size = document.to_string().encode_utf16().count();
        assert!((LONGEST - 300..=LONGEST).contains(&size), "{size}");
        let plain = adf::plain(&document);
        assert!(plain.contains("kept") && plain.ends_with("Cut here: Jira takes no more than 32,767 characters."));
        let wiki = wiki::description(&sections);
        let size = wiki.encode_utf16().count();
        assert!((LONGEST - 300..=LONGEST).contains(&size), "{size}");
        assert!(wiki.contains("kept") && wiki.ends_with("Cut here: Jira takes no more than 32,767 characters."));
        assert_eq!(wiki.matches("{noformat}").count() % 2, 0, "what begins also ends");
    }
}

#[test]
fn hostile_texts_make_valid_documents() {
    for hostile in HOSTILE {
        let comment = adf::comment(&sentence(hostile));
        assert_eq!(check_document(&comment), None, "{hostile}");
        assert!(adf::plain(&comment).contains(text::clean(hostile).trim()), "{hostile}");
    }
}

fn sentence(words: &str) -> Rich {
    vec![
        Span::Text(words.into()),
        Span::Strong(words.into()),
        Span::Code(words.into()),
        Span::Link { text: words.into(), url: "https://good.example/?a=b".into() },
    ]
}

fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![
        Just(String::new()),
        ".{0,40}",
        r"[-*_+^~{}\[\]|!?#(:;).&\\ \nhb1-6qxya/@]{0,30}",
        "(\\{noformat\\}|\\{code\\}|h1\\. |bq\\. |&#?[a-z0-9]{1,4};|\\\\|\n|:\\)|https?://x|[a-z ]){0,8}",
    ]
}

fn any_span() -> impl Strategy<Value = Span> {
    prop_oneof![
        any_text().prop_map(Span::Text),
        any_text().prop_map(Span::Strong),
        any_text().prop_map(Span::Code),
        (any_text(), prop_oneof![any_text(), any_text().prop_map(|path| format!("https://x.example/{path}"))])
            .prop_map(|(text, url)| Span::Link { text, url }),
    ]
}

fn any_sections() -> impl Strategy<Value = Vec<Section>> {
    let sentence = || proptest::collection::vec(any_span(), 0..4);
    let item = (sentence(), proptest::option::of(any_text())).prop_map(|(text, quote)| Item { text, quote });
    let section =
        (any_text(), proptest::collection::vec(item, 0..4)).prop_map(|(heading, items)| Section { heading, items });
    proptest::collection::vec(section, 0..4)
}

/// Wiki text without what is escaped, so that what is left is markup or words.
fn bare(wiki: &str) -> String {
    let mut bare = String::new();
    let mut letters = wiki.chars();
    while let Some(c) = letters.next() {
        if c == '\\' {
            let next = letters.next();
            assert!(
                next.is_some_and(|next| next != '\\' && next.is_ascii_punctuation()),
                "a stray backslash: {wiki:?}"
            );
            bare.push('␣');
        } else {
            bare.push(c);
        }
    }
    bare
}

proptest! {
    #[test]
    fn every_description_is_a_valid_document(sections in any_sections()) {
        let document = adf::description(&sections);
        prop_assert_eq!(check_document(&document), None, "{}", document);
    }

    #[test]
    fn every_wiki_text_reads_as_it_was_written(plain in any_text()) {
        let wiki = wiki::comment(&words(&plain));
        let clean = text::clean(&plain);
        prop_assert_eq!(wiki::plain(&wiki), clean.trim());
        let bare = bare(&wiki);
        for mark in ['*', '^', '~', '{', '}', '[', ']', '|', '!'] {
            prop_assert!(!bare.contains(mark), "{}", wiki);
        }
        prop_assert!(!bare.contains("://") && !bare.contains("??") && !bare.contains(":)"), "{}", wiki);
        for line in bare.lines() {
            let line = line.trim_start();
            let is_block = ["# ", "- ", "h1. ", "h6. ", "bq. "].iter().any(|block| line.starts_with(block));
            prop_assert!(!is_block, "{}", wiki);
        }
    }

    #[test]
    fn every_quote_ends_where_it_should(sections in any_sections()) {
        let wiki = wiki::description(&sections);
        let quotes = sections.iter().flat_map(|section| &section.items).filter_map(|item| item.quote.as_deref());
        let quotes = quotes.filter(|quote| !text::clean(quote).trim().is_empty()).count();
        let macros = wiki.lines().filter(|line| *line == "{noformat}").count();
        prop_assert_eq!(macros, 2 * quotes);
        prop_assert_eq!(wiki.to_lowercase().matches("{noformat").count() , 2 * quotes + wiki.to_lowercase().matches("\\{noformat").count());
    }
}
