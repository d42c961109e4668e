//! Messages of the console chat as pages show them. Every text is escaped by the templates; what stands in it can neither
//! format, link nor call anybody.

use askama::Template;
use askama::filters::HtmlSafe;
use clew_adapters::chat::console::{self, Content};
use clew_adapters::chat::text::{cut_lines, web_address};
use clew_adapters::chat::{Card, Control, FieldKind, Rich, Span, Style, Tone};
use clew_pipeline::logs::looks_like_a_log;

use super::encoded;
use crate::clock::{self, Time};

/// Lines of a pasted log that are shown at once; a longer one is folded.
const UNFOLDED: usize = 8;

/// A sentence.
#[derive(Template)]
#[template(path = "rich.html")]
pub struct Sentence {
    spans: Rich,
}

/// A card.
#[derive(Template)]
#[template(path = "card.html")]
pub struct CardView {
    /// Colour.
    pub tone: &'static str,
    /// What stands above.
    pub title: String,
    /// The page of its incident.
    link: Option<String>,
    lead: Vec<Sentence>,
    facts: Vec<(String, Sentence)>,
    sections: Vec<SectionView>,
    controls: Vec<Control>,
    footer: String,
    /// Where its controls are sent.
    action: String,
    /// Where they lead back to.
    back: String,
}

struct SectionView {
    heading: String,
    items: Vec<(Option<Sentence>, Option<String>)>,
    /// Whether it is shown only when asked for.
    folded: bool,
    /// Whether its items are quoted log lines.
    quotes: bool,
}

/// Where a card stands on a page.
pub struct Stand {
    /// The page of its incident.
    pub link: Option<String>,
    /// Where its controls are sent.
    pub action: String,
    /// Where they lead back to.
    pub back: String,
    /// Whether only its first section is shown at once.
    pub short: bool,
}

/// What a message shows.
enum Shown {
    Card(Box<CardView>),
    Log { first: String, lines: usize, text: String },
    Words(String),
    Sentence(Sentence),
}

/// A message.
#[derive(Template)]
#[template(path = "said.html")]
pub struct MessageView {
    id: String,
    author: String,
    is_bot: bool,
    at: String,
    when: String,
    shown: Shown,
    /// Address of its thread; empty in a thread.
    pub thread: String,
    /// What stands in its thread, in a word or two.
    pub replies: String,
    /// The card in its thread: tone and title.
    pub card: Option<(&'static str, String)>,
}

impl HtmlSafe for Sentence {}
impl HtmlSafe for CardView {}
impl HtmlSafe for MessageView {}

impl Sentence {
    fn of(sentence: Rich) -> Self {
        let checked = |span| match span {
            Span::Link { text, url } => match web_address(&url).or_else(|| own_page(&url)) {
                Some(url) => Span::Link { text, url },
                None => Span::Text(text),
            },
            other => other,
        };
        Self { spans: sentence.into_iter().map(checked).collect() }
    }
}

/// `url` if it is the page of a ticket or an incident here.
fn own_page(url: &str) -> Option<String> {
    let rest = url.strip_prefix("/tickets/").or_else(|| url.strip_prefix("/i/"))?;
    rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-').then(|| url.to_owned())
}

impl CardView {
    /// `card` at its place.
    pub fn of(card: Card, stand: Stand) -> Self {
        let sections = card.sections.into_iter().enumerate().map(|(place, section)| SectionView {
            heading: section.heading,
            quotes: section.items.iter().all(|item| item.quote.is_some()),
            items: section
                .items
                .into_iter()
                .map(|item| (Some(item.text).filter(|text| !text.is_empty()).map(Sentence::of), item.quote))
                .collect(),
            folded: stand.short && place > 0,
        });
        Self {
            tone: tone(card.tone),
            title: card.title,
            link: stand.link,
            lead: card.lead.into_iter().map(Sentence::of).collect(),
            facts: card.facts.into_iter().map(|(name, value)| (name, Sentence::of(value))).collect(),
            sections: sections.collect(),
            controls: card.controls,
            footer: card.footer,
            action: stand.action,
            back: stand.back,
        }
    }

    fn look(control: &Control) -> &'static str {
        match control.style {
            Style::Plain => "plain",
            Style::Primary => "primary",
            Style::Danger => "danger",
        }
    }
}

impl MessageView {
    /// A message with at most `longest` bytes of its text; `incident` is the page of the incident that it is about.
    pub fn of(message: console::Message, incident: Option<String>, back: &str, short: bool, longest: usize) -> Self {
        let stand = Stand {
            link: incident,
            action: format!("/chat/press/{}", encoded(&message.id)),
            back: back.to_owned(),
            short,
        };
        let is_bot = !matches!(message.content, Content::Text(_));
        let shown = match message.content {
            Content::Card(card) => Shown::Card(Box::new(CardView::of(card, stand))),
            Content::Rich(sentence) => Shown::Sentence(Sentence::of(sentence)),
            Content::Text(text) => words(&text, longest),
        };
        Self {
            when: clock::parse(&message.at).map_or_else(|| message.at.clone(), |at| when(at, clock::now())),
            id: message.id,
            author: message.author.name,
            is_bot,
            at: message.at,
            shown,
            thread: String::new(),
            replies: String::new(),
            card: None,
        }
    }
}

/// What a person wrote: a log in fixed width, anything else as words.
fn words(text: &str, longest: usize) -> Shown {
    let lines = text.lines().count();
    let shown = cut_lines(text, longest, char::len_utf8);
    // The part that is shown tells it, too; the whole may be megabytes.
    if !looks_like_a_log(&shown) {
        return Shown::Words(shown);
    }
    let first = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    Shown::Log { first: cut_lines(first, 200, char::len_utf8), lines, text: shown }
}

/// Colour of a card, as a class.
pub fn tone(tone: Tone) -> &'static str {
    match tone {
        Tone::Bad => "bad",
        Tone::Warning => "warn",
        Tone::Good => "good",
        Tone::Neutral => "neutral",
    }
}

/// A moment, short: the day only when it is another one.
pub fn when(at: Time, now: Time) -> String {
    let form = if at.date_naive() == now.date_naive() { "%H:%M:%S" } else { "%d %b %H:%M" };
    at.format(form).to_string()
}
