//! Escaped texts, read by a small implementation of the markdown of Discord's clients.
#![allow(clippy::unwrap_used)] // a test that fails stops

use proptest::prelude::*;

use super::*;
use crate::chat::conformance::HOSTILE;

pub mod markdown;

use markdown::shown;

/// A block of lines, however long.
fn fenced(text: &str) -> String {
    fenced_to(text, usize::MAX)
}

/// What is left of an escaped text on a screen.
fn seen(text: &str) -> String {
    shown(&escape(text))
}

#[test]
fn people_read_exactly_what_was_written() {
    for text in HOSTILE {
        assert_eq!(seen(text), text::clean(text), "{}", escape(text));
    }
    for text in [
        "# heading\n## two\n### three\n#hash",
        "-# small\n- point\n* star\n1. one\n 23. two\n10.5 seconds",
        "> quoted\n>>> all\n  > indented",
        "||spoiler|| a || b | c",
        "~~struck~~ ~ a ~b~",
        "__init__ _it_ snake_case_name _a_b_ ___",
        "**b** *i* ***bi*** a * b",
        "C:\\path\\new \\\\server\\share \\",
        "[text](https://evil.example) [a]: b",
        "xhttps://evil.example HTTP://evil.example steam://run/1 ftp://a tcp://b",
        "discord.gg/abc www.discord.com/invite/abc discordapp.com/invite/x",
        "<https://evil.example> <mailto:a@b.c> <a@b.c> <+49301234567> a<b <= < >",
        "</triage:123> <id:customize> <t:1700000000:R> <:fire:123> <a:fire:123> <@!123> <@&123> <#123>",
        ":fire: :+1: :100: 12:04:05 std::fmt::Display 10:100:20 :wave::skin-tone-1:",
        "¯\\_(ツ)_/¯ @everyone @here @silent @someone",
        "a  \nb\n\n\nc",
    ] {
        assert_eq!(seen(text), text, "{}", escape(text));
    }
}

#[test]
fn a_line_of_a_log_hardly_grows() {
    let line =
        "2026-11-29T03:12:45.123Z ERROR shop.cart.Checkout - could not write /var/lib/pg/base: No space left (28)";
    assert_eq!(escape(line), line);
    assert_eq!(escape("10:04:05 a=1 b='x' <- 3 > 2 & 5 | 6 # 7"), "10:04:05 a=1 b='x' \\<- 3 > 2 & 5 | 6 # 7");
}

#[test]
fn two_texts_next_to_each_other_make_no_mark() {
    for (one, two) in [
        ("a~", "~b~~"),
        ("|", "|x||"),
        ("<", "@123>"),
        ("\\", "*"),
        ("a\n", "- b"),
        ("#", " x"),
        ("1.", " x"),
        ("]", "(x)"),
    ] {
        let both = format!("{}{}", escape(one), escape(two));
        assert_eq!(shown(&both), format!("{one}{two}"), "{both}");
    }
}

#[test]
fn a_cut_keeps_escapes_whole_and_shows() {
    assert_eq!(escape_to("abcdef", 6), "abcdef");
    assert_eq!(escape_to("abcdefg", 6), "abcde…");
    assert_eq!(escape_to("****", 6), "\\*\\*…");
    assert_eq!(escape_to("C:\\temp", 4), "C:…");
    assert_eq!(escape_to("🚒🚒🚒🚒", 6), "🚒🚒…");
    assert_eq!(escape_to("abc", 0), "");
    assert_eq!(escape_to(&"*".repeat(100_000), 2_000).chars().count(), 1_999);
}

#[test]
fn code_comes_out_as_it_went_in() {
    for (text, written) in [
        ("df -h", "`df -h`"),
        ("a`b", "``a`b``"),
        ("``", "` `` `"),
        ("`", "`` ` ``"),
        ("`a", "`` `a``"),
        ("a``b", "`a``b`"),
        ("__init__ **x** \\ <@1>", "`__init__ **x** \\ <@1>`"),
        ("", ""),
        (" \n", ""),
    ] {
        assert_eq!(code(text), written);
        assert_eq!(shown(written), text.trim_matches([' ', '\n']), "{written}");
    }
    assert_eq!(code_to("abcdefg", 6), "`abc…`");
    assert_eq!(code_to("a`bcdefg", 8), "``a`b…``");
    assert_eq!(code_to("abc", 2), "");
}

#[test]
fn a_block_of_lines_comes_out_as_it_went_in() {
    let log = "  at a.b\n\n**x** `y` ``z`` \\ <@1> # - >\n```";
    let written = fenced(log);
    assert_eq!(written, "```\n  at a.b\n\n**x** `y` ``z`` \\ <@1> # - >\n``\u{200b}`\n```");
    assert_eq!(shown(&written).replace('\u{200b}', ""), log);
    assert_eq!(fenced(" \n"), "");
    let many = (1..=20).map(|n| format!("line {n}")).collect::<Vec<_>>().join("\n");
    assert_eq!(fenced_to(&many, 48), "```\nline 1\nline 2\nline 3\n… 17 more lines\n```");
}

/// Texts full of signs that mean something.
pub(in crate::chat::discord) fn any_signs() -> impl Strategy<Value = String> {
    let sign = prop_oneof![
        4 => proptest::sample::select(vec![
            "\\", "*", "_", "~", "|", "`", ">", "#", "-", "+", "[", "]", "(", ")", "<", "@", ":", ".", "\n", " ", "1", "a", "/",
        ]).prop_map(str::to_owned),
        1 => proptest::sample::select(vec![
            "https://x.example", "discord.gg/a", "@everyone", "<@123>", "<t:1:R>", "<:a:1>", ":fire:", "```", "](", "-# ", "1. ", "> ",
            "\u{202e}", "é", "🚒", "שלום", "&lt;",
        ]).prop_map(str::to_owned),
        1 => ".{0,3}",
    ];
    proptest::collection::vec(sign, 0..40).prop_map(|signs| signs.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_escaped_is_read_as_it_was(text in any_signs()) {
        prop_assert_eq!(seen(&text), text::clean(&text), "{}", escape(&text));
    }

    #[test]
    fn whatever_is_cut_keeps_its_limit_and_its_beginning(text in any_signs(), limit in 0..60_usize) {
        let short = escape_to(&text, limit);
        prop_assert!(length(&short) <= limit, "{}", short);
        let read = shown(&short);
        let clean = text::clean(&text);
        let is_beginning = read.strip_suffix('…').is_some_and(|start| clean.starts_with(start));
        prop_assert!(read == clean || is_beginning || limit == 0, "{} of {}", read, clean);
        prop_assert!(length(&code_to(&text, limit)) <= limit);
        prop_assert!(length(&fenced_to(&text, limit + 8)) <= limit + 8);
    }

    #[test]
    fn whatever_is_code_is_read_as_it_was(text in any_signs()) {
        let visible = |text: &str| text.replace(APART, "");
        let clean = text::clean(&text).replace('\n', " ");
        let expected = if clean.trim().is_empty() { String::new() } else { clean };
        prop_assert_eq!(visible(&shown(&code(&text))), visible(&expected), "{}", code(&text));
        let clean = text::clean(&text);
        prop_assert_eq!(visible(&shown(&fenced(&text))), visible(clean.trim_end().trim_start_matches('\n')), "{}", fenced(&text));
    }
}
