use super::*;

/// What a person reads of a message with this content.
fn shown(content: &str) -> String {
    DiscordMessage {
        id: String::new(),
        channel_id: String::new(),
        author: String::new(),
        content: content.to_owned(),
        raw: json!({"content": content}),
    }
    .shown()
}

#[test]
fn form_is_form_and_escapes_are_undone() {
    for (written, read) in [
        ("**bold** *italic* _italic_ __under__ ~~gone~~ ***both***", "bold italic italic under gone both"),
        (r"\*\*not bold\*\* \_x\_ \~\~x\~\~ \`x\` \|\|x\|\|", "**not bold** _x_ ~~x~~ `x` ||x||"),
        ("snake_case_name and 2 * 3 * 4", "snake_case_name and 2 * 3 * 4"),
        ("`**code**` ``a`b``", "**code** a`b"),
        ("```rust\nlet **x** = <@1>;\n```", "let **x** = <@1>;"),
        ("```one line```", "one line"),
        (r"C:\dir\file \\ ", r"C:\dir\file \ "),
        ("a `broken", "a `broken"),
    ] {
        assert_eq!(shown(written), read, "{written}");
    }
}

#[test]
fn what_is_more_than_form_is_written_out() {
    for (written, read) in [
        ("||secret||", "{spoiler secret}"),
        ("# Title\ntext", "{heading Title}\ntext"),
        (r"\# Title", "# Title"),
        ("#hashtag", "#hashtag"),
        ("- one\n- two", "{item one}\n{item two}\n"),
        (r"\- one", "- one"),
        ("1. one", "{item one}\n"),
        ("> quoted\nnot", "{quote quoted}\nnot"),
        (">>> all\nof it", "{quote all\nof it}\n"),
        (r"\> quoted", "> quoted"),
        ("-# small", "{small small}\n"),
        ("<t:1700000000:R>", "{time 1700000000:R}"),
        ("<:fire:1234>", "{emoji fire}"),
        ("<a:fire:1234>", "{emoji fire}"),
        ("<#1234>", "{channel 1234}"),
        ("</triage:1234>", "{slash triage}"),
        (r"\<t:1700000000:R>", "<t:1700000000:R>"),
        ("a < b > c", "a < b > c"),
    ] {
        assert_eq!(shown(written), read, "{written}");
    }
}

#[test]
fn links_are_seen_wherever_they_hide() {
    for (written, read) in [
        ("[docs](https://good.example/a_(b))", "{link https://good.example/a_(b)|docs}"),
        ("[**bold** docs](<https://good.example/> \"title\")", "{link https://good.example/|bold docs}"),
        (r"\[docs](https://x.example/)", "[docs]({link https://x.example/|https://x.example/})"),
        ("see https://x.example/a?b=c.", "see {link https://x.example/a?b=c|https://x.example/a?b=c}."),
        ("<https://x.example/>", "{link https://x.example/|https://x.example/}"),
        ("xhttps://x.example/", "x{link https://x.example/|https://x.example/}"),
        (r"https\://x.example/", "https://x.example/"),
        ("[x](javascript:alert)", "[x](javascript:alert)"),
        ("<mail@x.example>", "{link mail@x.example|mail@x.example}"),
        ("`https://x.example/`", "https://x.example/"),
        ("**https://x.example/**", "{link https://x.example/|https://x.example/}"),
    ] {
        assert_eq!(shown(written), read, "{written}");
    }
}

#[test]
fn embeds_call_nobody_and_their_footers_are_plain() -> Outcome {
    let discord = FakeDiscord::start()?;
    let embed = json!({
        "title": "**T** @everyone", "url": "https://good.example/1", "description": format!("# D\n<@{ADA}>"),
        "fields": [{"name": "*n*", "value": "- v"}], "footer": {"text": "*f* https://x.example"},
        "author": {"name": "*a*"},
    });
    post(&discord, &json!({"embeds": [embed]}))?;
    assert_eq!(
        discord.messages(CHANNEL)[0].shown(),
        format!(
            "*a*\n{{link https://good.example/1|T {{mentions everyone}}}}\n{{heading D}}\n{{mentions user {ADA}}}\nn\n\
             {{item v}}\n\n*f* https://x.example"
        )
    );
    Ok(())
}

#[test]
fn any_text_can_be_read() {
    // Openers without ends, deep nesting, and characters of several bytes: it must neither fail nor take for ever.
    for unit in [
        "*", "_", "**a", "||", "[", "[a](", "`", "```\n", "> ", "\\", "<", "<@", "é*🚒_", "- - ", "# ", "\n",
        "https://", "((",
    ] {
        let read = shown(&unit.repeat(2_000 / unit.len()));
        assert!(read.len() <= 60_000, "{unit}");
    }
}
