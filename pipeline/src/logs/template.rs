//! Template mining after Drain (He et al., "Drain: An Online Log Parsing Approach with Fixed Depth Tree", ICWS 2017):
//! variable parts are masked, then messages of the same length and the same first words meet in a group, and
//! positions that differ inside a group become `<*>`.

use std::collections::HashMap;

/// Share of equal words that lets a message join a template. Drain's published default is 0.4 without masks; with
/// masks most variables are gone already, so a higher bar keeps different messages apart.
const SIMILARITY: f64 = 0.6;
/// Words of a message that count; what follows is one more variable.
const MAX_WORDS: usize = 64;
/// Templates of one length and first word that a message is compared with; when they are all taken and none is like
/// it, it joins [`TemplateMiner::OVERFLOW`], so that hostile input cannot make the comparison slow.
const MAX_ALIKE: usize = 128;
/// Templates kept. Later shapes join [`TemplateMiner::OVERFLOW`]: memory stays bounded on any input.
const MAX_TEMPLATES: usize = 20_000;
const WILDCARD: &str = "<*>";

/// Index of a template in its miner.
pub type TemplateId = usize;

/// Groups messages by their constant words, one at a time.
#[derive(Debug, Default)]
pub struct TemplateMiner {
    templates: Vec<Vec<String>>,
    /// Groups to compare with: number of words and first word.
    groups: HashMap<(usize, String), Vec<TemplateId>>,
    /// Exact masked messages seen: real logs repeat themselves, so most lines end here.
    seen: HashMap<String, TemplateId>,
    overflow: Option<TemplateId>,
}

impl TemplateMiner {
    /// Where messages go when there are too many templates.
    pub const OVERFLOW: &'static str = "<too many different messages>";

    /// The template of `message`, made or widened if need be.
    pub fn learn(&mut self, message: &str) -> TemplateId {
        let masked = mask(message);
        if let Some(id) = self.seen.get(&masked) {
            return *id;
        }
        let id = self.group(&masked);
        if self.seen.len() < 4 * MAX_TEMPLATES {
            self.seen.insert(masked, id);
        }
        id
    }

    /// The template's text, with `<num>`, `<ip>`, `<path>` … where its variables are.
    #[must_use]
    pub fn text(&self, id: TemplateId) -> String {
        self.templates.get(id).map(|words| words.join(" ")).unwrap_or_default()
    }

    /// Templates found so far.
    #[must_use]
    pub fn len(&self) -> usize {
        self.templates.len()
    }

    /// Whether nothing was learned yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.templates.is_empty()
    }

    fn group(&mut self, masked: &str) -> TemplateId {
        let words: Vec<&str> = masked.split_whitespace().take(MAX_WORDS).collect();
        let first = words.first().copied().unwrap_or("");
        let key = (words.len(), if first.starts_with('<') { WILDCARD.to_owned() } else { first.to_owned() });
        let ids = self.groups.entry(key).or_default();
        let best = ids
            .iter()
            .map(|id| (*id, similarity(&self.templates[*id], &words)))
            .max_by(|a, b| a.1.total_cmp(&b.1).then(b.0.cmp(&a.0)));
        if let Some((id, score)) = best
            && score >= SIMILARITY
        {
            for (known, word) in self.templates[id].iter_mut().zip(&words) {
                if known != word {
                    WILDCARD.clone_into(known);
                }
            }
            return id;
        }
        if self.templates.len() >= MAX_TEMPLATES || ids.len() >= MAX_ALIKE {
            return self.overflow();
        }
        self.templates.push(words.iter().map(|word| (*word).to_owned()).collect());
        let id = self.templates.len() - 1;
        ids.push(id);
        id
    }

    fn overflow(&mut self) -> TemplateId {
        let next = self.templates.len();
        let id = *self.overflow.get_or_insert(next);
        if id == next {
            self.templates.push(vec![Self::OVERFLOW.to_owned()]);
        }
        id
    }
}

/// Share of positions with the same word. Variables count as half: two messages that only share their numbers are not alike.
fn similarity(template: &[String], words: &[&str]) -> f64 {
    if words.is_empty() {
        return 1.0;
    }
    let mut same = 0.0;
    let mut all = 0.0;
    for (known, word) in template.iter().zip(words) {
        let weight = if known.starts_with('<') && known.ends_with('>') { 0.5 } else { 1.0 };
        all += weight;
        if known == word || known == WILDCARD {
            same += weight;
        }
    }
    same / all
}

/// Replaces what varies between two prints of one message: numbers, addresses, ids, paths, quoted values.
#[must_use]
pub fn mask(message: &str) -> String {
    let mut out = String::with_capacity(message.len());
    let mut rest = message;
    let mut previous = ' ';
    while let Some(c) = rest.chars().next() {
        if is_atom(c) {
            let end = rest.find(|c| !is_atom(c)).unwrap_or(rest.len());
            let (atom, after) = rest.split_at(end);
            mask_atom(&mut out, atom);
            rest = after;
            previous = 'a';
            continue;
        }
        // A quoted value: 'users_pkey', "/api/v1". An apostrophe inside a word is none.
        if matches!(c, '"' | '\'' | '`')
            && previous != 'a'
            && let Some(end) = quoted_end(rest, c)
        {
            out.push_str("<str>");
            rest = &rest[end..];
            previous = 'a';
            continue;
        }
        out.push(c);
        rest = &rest[c.len_utf8()..];
        previous = c;
    }
    out
}

fn quoted_end(rest: &str, quote: char) -> Option<usize> {
    let inner = &rest[1..];
    let end = inner.find(|c| c == quote || (quote == '`' && c == '\''))?;
    // A quoted sentence carries meaning; a quoted value is short and has no spaces.
    (end <= 120 && !inner[..end].contains(' ')).then_some(end + 2)
}

fn is_atom(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '.' | '_' | '-' | ':' | '/' | '\\' | '@' | '%' | '+' | '$' | '#' | '~')
}

fn mask_atom(out: &mut String, atom: &str) {
    let core = atom.trim_end_matches(['.', ':', '-']);
    let tail = &atom[core.len()..];
    let mut plain = core;
    // `pid:77` and `user:alice`: the key stays.
    if let Some((key, value)) = core.split_once(':') {
        let is_key = !key.is_empty() && key.bytes().all(|b| b.is_ascii_alphabetic() || b == b'_');
        if is_key && !value.starts_with("//") && !value.is_empty() {
            out.push_str(key);
            out.push(':');
            plain = value;
        }
    }
    out.push_str(kind(plain).unwrap_or(plain));
    out.push_str(tail);
}

fn kind(word: &str) -> Option<&'static str> {
    let bytes = word.as_bytes();
    if word.contains("://") {
        return Some("<url>");
    }
    let digits = bytes.iter().filter(|b| b.is_ascii_digit()).count();
    let slashes = bytes.iter().filter(|b| matches!(b, b'/' | b'\\')).count();
    if slashes > 0 && (matches!(bytes[0], b'/' | b'\\' | b'~' | b'.') || slashes > 1) {
        return (word.len() > 1).then_some(if looks_like_address(&bytes[1..]) { "<ip>" } else { "<path>" });
    }
    if word.contains('@') {
        return Some("<email>");
    }
    if digits == 0 {
        return None;
    }
    if looks_like_address(bytes) {
        return Some("<ip>");
    }
    let hex = word.strip_prefix("0x").unwrap_or(word);
    if hex.len() >= 8 && hex.bytes().all(|b| b.is_ascii_hexdigit() || matches!(b, b'-' | b':')) && digits < hex.len() {
        return Some("<hex>");
    }
    let letters = bytes.iter().filter(|b| b.is_ascii_alphabetic()).count();
    // Names that end in one digit (`ext4`, `http2`, `oauth2`) are words.
    let is_word = digits == 1 && letters >= 2 && bytes[bytes.len() - 1].is_ascii_digit() && letters + 1 == bytes.len();
    (!is_word).then_some("<num>")
}

/// IPv4 with or without a port, IPv6.
fn looks_like_address(bytes: &[u8]) -> bool {
    let dots = bytes.iter().filter(|b| **b == b'.').count();
    let colons = bytes.iter().filter(|b| **b == b':').count();
    (dots == 3 && colons <= 1 && bytes.iter().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b':' | b'/')))
        || (colons >= 3 && dots == 0 && bytes.iter().all(|b| b.is_ascii_hexdigit() || matches!(b, b':' | b'/')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_masked_and_words_are_not() {
        assert_eq!(
            mask("Received block blk_-160899 of size 91178 from /10.250.10.6"),
            "Received block <num> of size <num> from <ip>"
        );
        assert_eq!(mask("mount of ext4 on /dev/sda1 took 12.5ms"), "mount of ext4 on <path> took <num>");
        assert_eq!(mask("relation \"users\" does not exist"), "relation <str> does not exist");
        assert_eq!(mask("don't stop pid:77"), "don't stop pid:<num>");
        assert_eq!(mask("GET https://example.com/a?b=1"), "GET <url>?b=<num>");
    }

    #[test]
    fn messages_that_differ_in_variables_share_a_template() {
        let mut miner = TemplateMiner::default();
        let a = miner.learn("session opened for user alice by (uid=0)");
        let b = miner.learn("session opened for user bob by (uid=0)");
        let c = miner.learn("session closed for user bob");
        assert_eq!(a, b);
        assert_ne!(a, c);
        assert_eq!(miner.text(a), "session opened for user <*> by (uid=<num>)");
    }

    #[test]
    fn any_text_can_be_learned() {
        let mut miner = TemplateMiner::default();
        for text in ["", " ", "'", "\"\"", "é'ü'", "\u{202e}abc", "''''", "/"] {
            let _ = miner.learn(text);
        }
        assert!(!miner.is_empty());
    }
}
