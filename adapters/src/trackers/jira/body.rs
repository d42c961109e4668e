//! The text of a ticket or comment, before it is written as a document or as wiki text, and how it is cut.

use crate::chat::{Rich, Section, Span, text};

/// Characters of a text that Jira takes. Nobody says whether it counts a document or only the words in it, so the whole
/// document counts here.
pub const LONGEST: usize = 32_767;
/// The last sentence of a text that was cut.
const CUT: &str = "Cut here: Jira takes no more than 32,767 characters.";

/// A part of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Block {
    /// A heading.
    Heading(String),
    /// A sentence of its own.
    Sentence(Rich),
    /// A sentence in a list.
    Bullet(Rich),
    /// Lines as they are.
    Quote(String),
}

/// The parts of sections. The only sentence of a section is no list.
pub fn blocks(sections: &[Section]) -> Vec<Block> {
    let mut blocks = Vec::new();
    for section in sections {
        if !text::one_line(&section.heading).is_empty() {
            blocks.push(Block::Heading(text::one_line(&section.heading)));
        }
        for item in &section.items {
            if !text::one_line(&text::plain(&item.text)).is_empty() {
                let is_list = section.items.len() > 1;
                let sentence = item.text.clone();
                blocks.push(if is_list { Block::Bullet(sentence) } else { Block::Sentence(sentence) });
            }
            let quote = item.quote.as_deref().map(text::clean).filter(|quote| !quote.trim().is_empty());
            blocks.extend(quote.map(Block::Quote));
        }
    }
    blocks
}

/// The parts that fit into `room`, cut from the end, with a sentence that says so. `size` is what one part takes.
pub fn fitting(blocks: Vec<Block>, room: usize, size: impl Fn(&Block) -> usize) -> Vec<Block> {
    // What alone is too long need not be written out to see that.
    let sizes: Vec<usize> =
        blocks.iter().map(|block| if length(block) > room { room + 1 } else { size(block) }).collect();
    if sizes.iter().fold(0, |sum: usize, size| sum.saturating_add(*size)) <= room {
        return blocks;
    }
    let note = Block::Sentence(vec![Span::Text(CUT.to_owned())]);
    let mut room = room.saturating_sub(size(&note));
    let mut kept = Vec::new();
    for (block, needed) in blocks.into_iter().zip(sizes) {
        let Some(left) = room.checked_sub(needed) else {
            kept.extend(shortened(&block, room, &size));
            break;
        };
        room = left;
        kept.push(block);
    }
    if matches!(kept.last(), Some(Block::Heading(_))) {
        kept.pop();
    }
    kept.push(note);
    kept
}

/// Characters of a part's words.
fn length(block: &Block) -> usize {
    match block {
        Block::Heading(text) | Block::Quote(text) => text.chars().count(),
        Block::Sentence(sentence) | Block::Bullet(sentence) => text::plain(sentence).chars().count(),
    }
}

/// As much of the beginning of a part as fits, if that is worth it.
fn shortened(block: &Block, room: usize, size: &impl Fn(&Block) -> usize) -> Option<Block> {
    /// A shorter beginning says nothing.
    const LEAST: usize = 40;
    let fits = |length: usize| cut(block, length).filter(|block| size(block) <= room);
    let (mut good, mut bad) = (LEAST, room + 1);
    let mut best = fits(good)?;
    while bad - good > 1 {
        let middle = good.midpoint(bad);
        if let Some(longer) = fits(middle) {
            (good, best) = (middle, longer);
        } else {
            bad = middle;
        }
    }
    Some(best)
}

fn cut(block: &Block, length: usize) -> Option<Block> {
    match block {
        Block::Heading(_) => None,
        Block::Quote(quote) => Some(Block::Quote(text::cut_lines(quote, length, |_| 1))),
        Block::Sentence(sentence) => Some(Block::Sentence(cut_sentence(sentence, length))),
        Block::Bullet(sentence) => Some(Block::Bullet(cut_sentence(sentence, length))),
    }
}

fn cut_sentence(sentence: &Rich, length: usize) -> Rich {
    let mut room = length;
    let mut kept = Rich::new();
    for span in sentence {
        let of = |text: &String| text::cut(text, room, |_| 1);
        let short = match span {
            Span::Text(text) => Span::Text(of(text)),
            Span::Strong(text) => Span::Strong(of(text)),
            Span::Code(text) => Span::Code(of(text)),
            Span::Link { text, url } => Span::Link { text: of(text), url: url.clone() },
        };
        room = room.saturating_sub(text::plain(&vec![span.clone()]).chars().count());
        let is_whole = short == *span;
        kept.push(short);
        if !is_whole {
            break;
        }
    }
    kept
}
