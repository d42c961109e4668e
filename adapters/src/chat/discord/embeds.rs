//! Cards as embeds.
//!
//! What matters most stands first, on a phone too, where the fields of an embed fill a screen: title, lead and sections in
//! the description, the facts below them as fields side by side. What is more than one description holds goes on in a
//! further embed. A part that does not fit is cut at its end and says so.
//!
//! All texts are escaped one by one; log lines stand in code blocks, where nothing needs to be. All sizes are those of what
//! is sent, in UTF-16 code units.

use serenity::builder::{CreateActionRow, CreateEmbed, CreateEmbedFooter};

use super::controls;
use super::escape::{escape_to, length, size};
use crate::chat::{Card, Item, Rich, Section, Span, Tone, text};

mod page;

use page::{Page, share};

/// All embeds of a message together.
const TOTAL: usize = 6_000;
/// Longest title.
const TITLE: usize = 256;
/// Longest description.
const DESCRIPTION: usize = 4_096;
/// Fields of an embed.
const FIELDS: usize = 25;
/// Longest value of a field.
const VALUE: usize = 1_024;
/// Longest name of a field, and longest heading. Discord takes 256.
const NAME: usize = 80;
const HEADING: usize = 150;
/// Longest small print. Discord takes 2,048.
const FOOTER: usize = 300;
/// Longest content.
const CONTENT: usize = 2_000;
/// Most that the lead takes, and the facts; the sections get the rest.
const LEAD: usize = 1_800;
const FACTS: usize = 1_800;
/// Below this an item is not worth beginning, and a section.
const LEAST: usize = 120;
const LEAST_SECTION: usize = 400;
/// Kept free in each part for its closing note.
const NOTE: usize = 24;
/// A value that is longer than this is not squeezed between others.
const BESIDE: usize = 60;

/// A card as Discord takes it.
#[derive(Debug, Clone, PartialEq)]
pub struct Shown {
    /// Embeds; at least one.
    pub embeds: Vec<CreateEmbed>,
    /// Controls.
    pub rows: Vec<CreateActionRow>,
}

/// A card. `mark` names the message in its controls: at most 16 characters of `0-9a-f`.
pub fn card(card: &Card, mark: &str) -> Shown {
    let title = escape_to(&text::one_line(&format!("{} {}", sign(card.tone), card.title)), TITLE);
    let footer = text::cut(&text::one_line(&card.footer), FOOTER, size);
    let mut room = TOTAL - length(&title) - length(&footer);
    let lead = lead(&card.lead, LEAD);
    room -= length(&lead.text);
    let facts = facts(&card.facts, FACTS);
    room -= facts.iter().map(|(name, value, _)| length(name) + length(value)).sum::<usize>();

    let mut embeds = descriptions(lead, &card.sections, room).into_iter().map(|page| {
        let embed = CreateEmbed::new().colour(colour(card.tone));
        if page.text.is_empty() { embed } else { embed.description(page.text) }
    });
    let first = embeds.next().unwrap_or_default().title(title).fields(facts);
    let mut embeds: Vec<CreateEmbed> = std::iter::once(first).chain(embeds).collect();
    if !footer.is_empty()
        && let Some(last) = embeds.pop()
    {
        embeds.push(last.footer(CreateEmbedFooter::new(footer)));
    }
    Shown { embeds, rows: controls::rows(&card.controls, mark) }
}

/// One sentence as the content of a message; never empty. Its links bring no previews along.
pub fn sentence(sentence: &Rich) -> String {
    let mut page = Page::of_content(CONTENT);
    page.sentence(sentence, CONTENT);
    let content = page.text.trim();
    if content.is_empty() { "…".to_owned() } else { content.to_owned() }
}

fn sign(tone: Tone) -> char {
    match tone {
        Tone::Bad => '🔴',
        Tone::Warning => '🟠',
        Tone::Good => '🟢',
        Tone::Neutral => '⚪',
    }
}

/// The colours of the signs.
fn colour(tone: Tone) -> u32 {
    match tone {
        Tone::Bad => 0xDD_2E_44,
        Tone::Warning => 0xF4_90_0C,
        Tone::Good => 0x78_B1_59,
        Tone::Neutral => 0xE6_E7_E8,
    }
}

fn lead(sentences: &[Rich], room: usize) -> Page {
    let mut page = Page::new(room);
    let sentences: Vec<&Rich> = sentences.iter().filter(|sentence| !text::plain(sentence).trim().is_empty()).collect();
    for (n, sentence) in sentences.iter().enumerate() {
        let left = sentences.len() - n;
        let room = page.room.saturating_sub(NOTE);
        if room < LEAST {
            page.line(&format!("… {left} more"));
            break;
        }
        page.begin_line();
        page.sentence(sentence, share(room, left, LEAST));
    }
    page
}

/// Name, value, and whether others may stand beside it.
fn facts(facts: &[(String, Rich)], mut room: usize) -> Vec<(String, String, bool)> {
    let mut fields = Vec::new();
    for (n, (name, value)) in facts.iter().enumerate() {
        let left = facts.len() - n;
        room = room.saturating_sub(NOTE);
        if room < LEAST + NAME || (fields.len() + 1 == FIELDS && left > 1) {
            fields.push(("…".to_owned(), format!("{left} more"), true));
            break;
        }
        let name = non_empty(escape_to(&text::one_line(name), NAME), "…");
        let is_short = text::plain(value).chars().nth(BESIDE).is_none();
        let mut page = Page::new(share(room - length(&name), left, LEAST).min(VALUE));
        page.sentence(value, VALUE);
        let value = non_empty(page.text.trim().to_owned(), "–");
        room = (room + NOTE).saturating_sub(length(&name) + length(&value));
        fields.push((name, value, is_short));
    }
    fields
}

fn non_empty(text: String, otherwise: &str) -> String {
    if text.trim().is_empty() { otherwise.to_owned() } else { text }
}

/// Lead and sections, in as many descriptions as they take within `room`; the lead is not counted.
fn descriptions(lead: Page, sections: &[Section], mut room: usize) -> Vec<Page> {
    let mut pages = Vec::new();
    let mut page = lead.of_size(DESCRIPTION);
    for (n, part) in sections.iter().enumerate() {
        let left = sections.len() - n;
        if room < LEAST_SECTION + NOTE {
            page.begin_part();
            page.line(&format!("… {left} more {}", if left == 1 { "part" } else { "parts" }));
            break;
        }
        // A gap of two line breaks before it.
        let limit = share(room - NOTE - 2, left, LEAST_SECTION).min(DESCRIPTION - NOTE - 2);
        let part = section(part, page.following(limit));
        if part.text.is_empty() {
            continue;
        }
        let needed = length(&part.text) + 2;
        if needed + NOTE > page.room && !page.text.is_empty() {
            pages.push(std::mem::replace(&mut page, Page::new(DESCRIPTION)));
        }
        room -= needed;
        page.begin_part();
        page.append(part);
    }
    pages.push(page);
    pages
}

/// A heading and its items.
fn section(section: &Section, mut page: Page) -> Page {
    let items = joined(&section.items);
    let heading = escape_to(&text::one_line(&section.heading), HEADING.min(page.room / 2));
    if !heading.is_empty() {
        page.push(&format!("**{heading}**"));
    }
    for (n, item) in items.iter().enumerate() {
        let left = items.len() - n;
        let room = page.room.saturating_sub(NOTE);
        if room < LEAST {
            page.line(&format!("… {left} more"));
            break;
        }
        self::item(item, share(room, left, LEAST), &mut page);
    }
    page
}

/// A sentence as a point of a list, or above what is quoted.
fn item(item: &Item, room: usize, page: &mut Page) {
    let quote = item.quote.as_deref().unwrap_or("");
    let end = page.room - room;
    if !text::plain(&item.text).trim().is_empty() {
        page.begin_line();
        let is_point = quote.trim().is_empty();
        if is_point {
            page.push("- ");
        }
        let sentence = page.room.saturating_sub(end);
        // A point ends with its line, and with it whatever is not closed.
        page.sentence(&in_one_line(&item.text), if is_point { sentence } else { sentence / 2 });
    }
    if !quote.trim().is_empty() {
        page.begin_line();
        page.fence(quote, page.room.saturating_sub(end));
    }
}

fn in_one_line(sentence: &Rich) -> Rich {
    let joined = |words: &str| words.replace('\n', " ");
    let line = sentence.iter().map(|span| match span {
        Span::Text(words) => Span::Text(joined(words)),
        Span::Strong(words) => Span::Strong(joined(words)),
        Span::Code(words) => Span::Code(joined(words)),
        Span::Link { text, url } => Span::Link { text: joined(text), url: joined(url) },
    });
    line.collect()
}

/// The items, with log lines that stand below each other in one block.
fn joined(items: &[Item]) -> Vec<Item> {
    let mut joined: Vec<Item> = Vec::new();
    for item in items {
        let is_blank = text::plain(&item.text).trim().is_empty();
        let quote = item.quote.as_deref().map(str::trim_end).unwrap_or_default();
        if is_blank && quote.is_empty() {
            continue;
        }
        match joined.last_mut() {
            Some(Item { text, quote: Some(lines) }) if is_blank && text::plain(text).trim().is_empty() => {
                lines.push('\n');
                lines.push_str(quote);
            }
            _ => joined.push(Item { text: item.text.clone(), quote: (!quote.is_empty()).then(|| quote.to_owned()) }),
        }
    }
    joined
}

#[cfg(test)]
mod tests;
