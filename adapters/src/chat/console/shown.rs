//! A message as somebody reads it, for tests.

use super::{Content, Message};
use crate::chat::{Control, Rich, Section, Span, text};

/// As a page shows it: every text as it is, links only to the web.
#[must_use]
pub fn shown(message: Option<Message>) -> String {
    let rich = |sentence: &Rich| {
        let span = |span: &Span| match span {
            Span::Link { text, url } => match text::web_address(url) {
                Some(url) => format!("{{link {url}|{}}}", text::clean(text)),
                None => text::clean(text),
            },
            Span::Text(text) | Span::Strong(text) | Span::Code(text) => text::clean(text),
        };
        sentence.iter().map(span).collect::<String>()
    };
    let section = |section: &Section| {
        let items = section.items.iter().map(|i| rich(&i.text) + "\n" + &text::clean(i.quote.as_deref().unwrap_or("")));
        text::clean(&section.heading) + "\n" + &items.collect::<Vec<_>>().join("\n")
    };
    let control = |control: &Control| {
        let own = (control.label.clone(), control.command.clone());
        let all = if control.choices.is_empty() { vec![own] } else { control.choices.clone() };
        all.iter().map(|(label, command)| format!("{{control {}|{command}}}", text::clean(label))).collect::<String>()
    };
    match message.map(|message| message.content) {
        None => String::new(),
        Some(Content::Text(text)) => text,
        Some(Content::Rich(sentence)) => rich(&sentence),
        Some(Content::Card(card)) => {
            let mut lines = vec![text::clean(&card.title)];
            lines.extend(card.lead.iter().map(rich));
            lines.extend(card.facts.iter().map(|(name, value)| text::clean(name) + ": " + &rich(value)));
            lines.extend(card.sections.iter().map(section));
            lines.extend(card.controls.iter().map(control));
            lines.push(text::clean(&card.footer));
            lines.join("\n")
        }
    }
}
