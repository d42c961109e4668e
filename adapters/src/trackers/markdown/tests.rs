use proptest::prelude::*;

use super::*;

fn text_of(text: &str) -> Span {
    Span::Text(text.to_owned())
}

fn said(text: &str) -> String {
    sentence(&vec![Span::Text(text.to_owned())])
}

fn section(items: Vec<Item>) -> Section {
    Section { heading: "Evidence".into(), items }
}

fn quote(quote: &str) -> Item {
    Item { text: Rich::new(), quote: Some(quote.to_owned()) }
}

#[test]
fn what_is_said_is_seen() {
    let rich = vec![
        text_of("Disk full on "),
        Span::Code("db-1".into()),
        text_of(": "),
        Span::Strong("91 %".into()),
        text_of(", see "),
        Span::Link { text: "the thread".into(), url: "https://chat.example/a?b=1&copy=2".into() },
    ];
    let seen = "Disk full on `db-1`: <b>91 %</b>, see [the thread](<https://chat.example/a?b=1&amp;copy=2>)";
    assert_eq!(sentence(&rich), seen);
}

#[test]
fn nothing_calls_formats_or_links() {
    for (written, shown) in [
        ("@mara and a@b.example", "@<!-- -->mara and a@<!-- -->b.example"),
        ("as in #12, acme/shop#3, GH-4", r"as in \#<!-- -->12, acme/shop\#<!-- -->3, GH-<!-- -->4"),
        ("https://github.com/a/b/issues/1", "https:<!-- -->//github.com/a/b/issues/1"),
        ("www.a.example", "www<!-- -->.a.example"),
        ("a :bug: at 12:30:45", "a :<!-- -->bug: at 12:30:45"),
        ("*a* _b_ ~c~ `d` [e](f) $g$ <i>", r"\*a\* \_b\_ \~c\~ \`d\` \[e\](f) \$g\$ &lt;i&gt;"),
        ("- no list", r"\- no list"),
        ("1. no list", r"1\. no list"),
        ("# no heading", r"\# no heading"),
        ("--- no rule", r"\--- no rule"),
        ("&#64;mara", r"&amp;\#<!-- -->64;mara"),
        ("version 1.2.3", "version 1.2.3"),
        ("two\n\nlines", "two lines"),
    ] {
        assert_eq!(said(written), shown, "{written}");
    }
    let seam = vec![text_of("by @"), text_of("mara, #"), text_of("12, @"), Span::Strong("mara".into())];
    assert_eq!(sentence(&seam), r"by @<!-- -->mara, \#<!-- -->12, @<!-- --><b>mara</b>");
    assert_eq!(sentence(&vec![Span::Link { text: "x".into(), url: "javascript:alert(1)".into() }]), "x");
}

#[test]
fn code_is_closed_by_its_own_end_only() {
    let code = |code: &str| sentence(&vec![Span::Code(code.to_owned())]);
    assert_eq!(code("a`b"), "``a`b``");
    assert_eq!(code("`a"), "`` `a ``");
    assert_eq!(code("@mara #1"), "`@mara #1`");
    assert_eq!(code("<!-- clew:x -->"), "`<!--clew:x -->`");
    let quoted = document(&[section(vec![quote("a\n````\n@mara\n<!-- clew:x -->")])], "m");
    let shown = "### Evidence\n\n\n`````text\na\n````\n@mara\n<!--clew:x -->\n`````\n\n\n<!-- clew:m -->";
    assert_eq!(quoted, shown);
}

#[test]
fn a_document_is_cut_from_its_end_and_says_so() {
    let long = "x".repeat(100);
    let lines = format!("{long}\n").repeat(250);
    let sections = vec![section(vec![quote(&lines), quote(&lines), quote(&lines)]), section(vec![quote("the end")])];
    let document = document(&sections, "m");
    assert!(size(&document) <= LONGEST);
    assert!(document.ends_with(&format!("{CUT}<!-- clew:m -->")), "{}", &document[document.len() - 100..]);
    assert!(!document.contains("the end"));
    let longest = super::document(&[section(vec![quote(&"y\n".repeat(60_000))])], "m");
    assert!(longest.contains("more lines"), "a quote says how much of it is missing");
}

#[test]
fn markers_are_found_and_not_shown() {
    let text = comment(&vec![text_of("Merged.")], "a1b2");
    assert_eq!(text, "Merged.\n\n<!-- clew:a1b2 -->");
    assert_eq!(name(&text), Some("a1b2"));
    assert_eq!(shown(&text), "Merged.");
    let rich = vec![text_of("@mara <a> & \\ [x](y) #1 "), Span::Strong("b*".into()), Span::Code("`c".into())];
    assert_eq!(read(&comment(&rich, "a1")), "@mara <a> & \\ [x](y) #1 b*`c");
    let link = vec![Span::Link { text: "a]b".into(), url: "https://a.example/?b&c".into() }, text_of(".")];
    assert_eq!(read(&comment(&link, "a1")), "a]b.");
    assert_eq!(shown("a <!-- b --> c <!-- d"), "a  c <!-- d");
    for none in ["", "<!-- clew: -->", "<!-- clew:A b -->", "<!-- clew:x"] {
        assert_eq!(name(none), None, "{none}");
    }
}

fn span() -> impl Strategy<Value = Span> {
    let text = "([@#:<>!&`\\\\*_\\[\\]() \n-]|clew|mara|[0-9]|GH|http|www|/|\\.|<!-- clew:x -->|\\PC){0,12}";
    (0..4u8, text, text).prop_map(|(kind, text, url)| match kind {
        0 => Span::Text(text),
        1 => Span::Strong(text),
        2 => Span::Code(text),
        _ => Span::Link { text, url: format!("https://a.example/{url}") },
    })
}

/// Without what stands between backticks, which calls nobody, and the addresses of links. Nothing when a piece of code is
/// not closed.
fn without_code(said: &str) -> Option<String> {
    let (mut left, mut rest) = (String::new(), said);
    while let Some(at) = rest.find(['`', '\\']) {
        left.push_str(&rest[..at]);
        rest = &rest[at..];
        if rest.starts_with('\\') {
            let escaped: String = rest.chars().take(2).collect();
            left.push_str(&escaped);
            rest = &rest[escaped.len()..];
            continue;
        }
        let ticks = rest.len() - rest.trim_start_matches('`').len();
        let mut from = ticks;
        loop {
            let start = from + rest[from..].find('`')?;
            let run = rest[start..].len() - rest[start..].trim_start_matches('`').len();
            from = start + run;
            if run == ticks {
                break;
            }
        }
        left.push('C');
        rest = &rest[from..];
    }
    left.push_str(rest);
    while let Some(at) = left.find("](<") {
        let end = at + left[at..].find(">)")?;
        left.replace_range(at..end + 2, "]");
    }
    Some(left)
}

proptest! {
    #[test]
    fn no_text_calls_anybody_or_passes_for_a_marker(rich in proptest::collection::vec(span(), 0..6)) {
        let said = sentence(&rich);
        prop_assert!(!said.contains("<!-- clew:"), "{said}");
        prop_assert!(!said.contains('\n'));
        let comment = comment(&rich, "a1");
        prop_assert_eq!(name(&comment), Some("a1"));
        let words: Rich = rich.iter().filter(|span| !matches!(span, Span::Code(_))).cloned().collect();
        let flat: String = crate::chat::text::one_line(&crate::chat::text::plain(&words));
        let seen = crate::chat::text::one_line(&read(&sentence(&words)));
        if words.iter().all(|span| !crate::chat::text::plain(&vec![span.clone()]).trim().is_empty()) {
            prop_assert_eq!(seen, flat);
        }
        let left = without_code(&said);
        prop_assert!(left.is_some(), "{said}");
        let left = left.unwrap_or_default();
        for (at, c) in left.char_indices() {
            let next = &left[at + c.len_utf8()..];
            let first = next.chars().next().unwrap_or(' ');
            match c {
                '@' => prop_assert!(next.starts_with(PARTED) || first.is_whitespace() || next.is_empty(), "{left}"),
                '#' => prop_assert!(!first.is_ascii_digit(), "{left}"),
                ':' => prop_assert!(!next.starts_with("//"), "{left}"),
                '<' => prop_assert!(["<!-- -->", "<b>", "</b>"].iter().any(|ours| left[at..].starts_with(ours)), "{left}"),
                '-' => prop_assert!(!(first.is_ascii_digit() && left[..at].to_ascii_lowercase().ends_with("gh")), "{left}"),
                _ => {}
            }
        }
    }

    #[test]
    fn every_document_fits(
        quotes in proptest::collection::vec("[`a\n🚒]{0,200}", 0..4),
        repeat in 1..400usize,
        rich in proptest::collection::vec(span(), 0..6),
    ) {
        let items = quotes.iter().map(|quote| Item { text: rich.clone(), quote: Some(quote.repeat(repeat)) }).collect();
        let document = document(&[section(items)], "m-1");
        prop_assert!(size(&document) <= LONGEST);
        prop_assert!(document.ends_with("<!-- clew:m-1 -->"));
        // Every fence that is opened is closed by one that is as long, on a line of its own.
        let mut open: Option<String> = None;
        for line in document.lines() {
            let ticks = line.len() - line.trim_start_matches('`').len();
            match &open {
                Some(fence) if line == fence => open = None,
                Some(fence) => prop_assert!(ticks < fence.len(), "{document}"),
                None if line.ends_with("`text") => open = Some("`".repeat(ticks)),
                None => {}
            }
        }
        prop_assert!(open.is_none());
    }
}
