//! Template mining: which messages are prints of one statement.
//!
//! Messages are masked ([`super::mask`]); what is equal then has the same *shape*. Shapes that differ in words only are
//! grouped top-down, in the manner of `IPLoM` (Makanju et al., KDD 2009) and Brain (Yu et al., TSC 2023): shapes of one
//! length and first word are split where a position takes few different words (`VM Paused`, `VM Resumed` are two
//! statements), and a position that takes many words, or names instead of words, is a variable.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::mask::{Kind, pieces};

/// Pieces of a message that count; what follows is one more variable.
const MAX_PIECES: usize = 160;
/// Different words a position may take before it is a variable.
const MAX_WORDS: usize = 5;
/// The same for words in capitals, which name states and kinds (`RUNNING`, `ACTION_DOWN`).
const MAX_CAPITALS: usize = 24;
/// Shapes of one group are one template only when this share of their words is equal.
const CONSTANT_SHARE: f64 = 0.5;
/// New shapes after which they are grouped at the latest, so that a long input meets known templates and not ever more
/// shapes. Before, whenever their number has doubled.
const GROUP_EVERY: usize = 2_000;
/// Shapes before the first grouping.
const GROUP_FIRST: usize = 64;
/// Shapes kept. Later ones join [`TemplateMiner::OVERFLOW`]: memory stays bounded on any input.
const MAX_SHAPES: usize = 20_000;
/// Different words kept; later ones count as variables.
const MAX_VOCABULARY: usize = 200_000;
/// Templates of one length and first word that a new shape is compared with.
const MAX_ALIKE: usize = 256;
const WILDCARD: &str = "<*>";
/// What stands before a name: after these, two different words are enough for a variable.
const NAMERS: [&str; 14] = [
    "user",
    "username",
    "login",
    "account",
    "host",
    "hostname",
    "node",
    "domain",
    "realm",
    "database",
    "table",
    "topic",
    "queue",
    "container",
];

/// Index of a shape, and of the template that it is resolved to, in its miner.
pub type TemplateId = usize;

/// A word, as a number; one for each different text.
type Word = usize;

/// Groups messages by their constant words.
#[derive(Debug, Default)]
pub struct TemplateMiner {
    words: HashMap<String, Word>,
    texts: Vec<(String, Kind)>,
    shapes: Vec<Vec<Word>>,
    /// The template each shape belongs to; itself, until shapes are grouped.
    template: Vec<TemplateId>,
    seen: HashMap<Vec<Word>, TemplateId>,
    /// Templates with a wildcard, by length and first word: what new shapes are compared with.
    patterns: HashMap<(usize, Word), Vec<TemplateId>>,
    grouped: usize,
    overflow: Option<TemplateId>,
}

impl TemplateMiner {
    /// Where messages go when there are too many shapes.
    pub const OVERFLOW: &'static str = "<too many different messages>";

    /// The shape of `message`. [`TemplateMiner::resolve`] says which template it has become.
    pub fn learn(&mut self, message: &str) -> TemplateId {
        let shape = self.shape(message);
        if let Some(id) = self.seen.get(&shape) {
            return *id;
        }
        if let Some(id) = self.matching(&shape) {
            if self.seen.len() < 4 * MAX_SHAPES {
                self.seen.insert(shape, id);
            }
            return id;
        }
        if self.shapes.len() >= MAX_SHAPES {
            return self.overflow();
        }
        let id = self.add(shape);
        if self.shapes.len() >= self.grouped + self.grouped.clamp(GROUP_FIRST, GROUP_EVERY) {
            self.group();
        }
        id
    }

    /// The template that the shape `id` belongs to now: after [`TemplateMiner::group`] it stays the same.
    #[must_use]
    pub fn resolve(&self, id: TemplateId) -> TemplateId {
        let mut id = id;
        while self.template[id] != id {
            id = self.template[id];
        }
        id
    }

    /// The template's text, with `<num>`, `<ip>`, `<path>` … where its variables are.
    #[must_use]
    pub fn text(&self, id: TemplateId) -> String {
        let shape = self.shapes.get(id).map_or(&[][..], Vec::as_slice);
        shape.iter().map(|word| self.texts[*word].0.as_str()).collect()
    }

    /// Groups the shapes found so far into templates.
    pub fn group(&mut self) {
        let mut parts: BTreeMap<(usize, Word), Vec<TemplateId>> = BTreeMap::new();
        let wildcard = self.word(WILDCARD, Kind::Variable);
        for id in (0..self.shapes.len()).filter(|id| self.template[*id] == *id && Some(*id) != self.overflow) {
            parts.entry(self.key(&self.shapes[id], wildcard)).or_default().push(id);
        }
        for part in parts.into_values() {
            self.split(part, wildcard);
        }
        self.grouped = self.shapes.len();
        self.patterns.clear();
        for id in (0..self.shapes.len()).filter(|id| self.template[*id] == *id) {
            if self.shapes[id].contains(&wildcard) {
                let alike = self.patterns.entry(self.key(&self.shapes[id], wildcard)).or_default();
                // Hostile input must not make the comparison slow.
                if alike.len() < MAX_ALIKE {
                    alike.push(id);
                }
            }
        }
    }

    /// Only shapes of one length and first word are compared. A variable or a name in front may be any.
    fn key(&self, shape: &[Word], wildcard: Word) -> (usize, Word) {
        let first = shape.iter().copied().find(|word| self.kind(*word) != Kind::Separator).unwrap_or(wildcard);
        let named = self.kind(first) == Kind::Variable || is_name(self.text_of(first));
        (shape.len(), if named { wildcard } else { first })
    }

    /// One template for `part`, or one for each of the parts that it falls into.
    #[allow(clippy::cast_precision_loss)] // numbers of words
    fn split(&mut self, part: Vec<TemplateId>, wildcard: Word) {
        if part.len() < 2 {
            return;
        }
        let length = self.shapes[part[0]].len();
        let values: Vec<BTreeSet<Word>> =
            (0..length).map(|at| part.iter().map(|id| self.shapes[*id][at]).collect()).collect();
        let varying: Vec<usize> = (0..length).filter(|at| values[*at].len() > 1).collect();
        let constant = varying.iter().filter(|at| !self.is_variable(&part, **at, &values[**at])).copied();
        let split_at = constant.min_by_key(|at| (values[*at].len(), *at)).or_else(|| {
            // Nothing but variables: they must not be most of the message.
            let fixed = |at: &usize| values[*at].len() == 1 && self.kind(self.shapes[part[0]][*at]) == Kind::Word;
            let words = (0..length).filter(fixed).count();
            let alike = words as f64 >= CONSTANT_SHARE * (words + varying.len()) as f64;
            let by_word = |at: &&usize| {
                values[**at].iter().any(|word| self.kind(*word) == Kind::Word && !is_name(self.text_of(*word)))
            };
            if alike { None } else { varying.iter().find(by_word).copied() }
        });
        let Some(at) = split_at else { return self.merge(&part, &varying, wildcard) };
        let mut parts: BTreeMap<Word, Vec<TemplateId>> = BTreeMap::new();
        for id in part {
            parts.entry(self.shapes[id][at]).or_default().push(id);
        }
        for part in parts.into_values() {
            self.split(part, wildcard);
        }
    }

    /// Whether what stands at a position of these shapes is a variable.
    fn is_variable(&self, part: &[TemplateId], at: usize, values: &BTreeSet<Word>) -> bool {
        if values.iter().any(|word| self.kind(*word) == Kind::Separator) {
            return false;
        }
        let names =
            values.iter().filter(|word| self.kind(**word) == Kind::Variable || is_name(self.text_of(**word))).count();
        if 2 * names >= values.len() {
            return true;
        }
        let before = self.shapes[part[0]][..at].iter().rev().find(|word| self.kind(**word) == Kind::Word);
        if before.is_some_and(|word| NAMERS.contains(&self.text_of(*word).to_lowercase().as_str())) {
            return true;
        }
        let capitals = values.iter().all(|word| !self.text_of(*word).bytes().any(|b| b.is_ascii_lowercase()));
        values.len() > if capitals { MAX_CAPITALS } else { MAX_WORDS }
    }

    fn merge(&mut self, part: &[TemplateId], varying: &[usize], wildcard: Word) {
        let mut shape = self.shapes[part[0]].clone();
        for at in varying {
            shape[*at] = wildcard;
        }
        let id = match self.seen.get(&shape) {
            Some(id) => self.resolve(*id),
            None => self.add(shape),
        };
        for member in part {
            self.template[*member] = id;
        }
        self.template[id] = id;
    }

    fn add(&mut self, shape: Vec<Word>) -> TemplateId {
        let id = self.shapes.len();
        self.seen.insert(shape.clone(), id);
        self.shapes.push(shape);
        self.template.push(id);
        id
    }

    /// The known template with wildcards that `shape` is a print of.
    fn matching(&self, shape: &[Word]) -> Option<TemplateId> {
        let wildcard = *self.words.get(WILDCARD)?;
        let fits = |id: &&TemplateId| {
            self.shapes[**id]
                .iter()
                .zip(shape)
                .all(|(known, word)| known == word || (*known == wildcard && self.kind(*word) != Kind::Separator))
        };
        self.patterns.get(&self.key(shape, wildcard))?.iter().find(fits).copied()
    }

    fn overflow(&mut self) -> TemplateId {
        if let Some(id) = self.overflow {
            return id;
        }
        let word = self.word(Self::OVERFLOW, Kind::Word);
        let id = self.add(vec![word]);
        self.overflow = Some(id);
        id
    }

    fn shape(&mut self, message: &str) -> Vec<Word> {
        let wildcard = self.word(WILDCARD, Kind::Variable);
        let mut shape = Vec::new();
        for piece in pieces(message).into_iter().take(MAX_PIECES) {
            let known = self.words.get(piece.text).copied();
            let room = self.texts.len() < MAX_VOCABULARY;
            shape.push(known.unwrap_or_else(|| if room { self.word(piece.text, piece.kind) } else { wildcard }));
        }
        shape
    }

    fn word(&mut self, text: &str, kind: Kind) -> Word {
        if let Some(word) = self.words.get(text) {
            return *word;
        }
        let word = self.texts.len();
        self.texts.push((text.to_owned(), kind));
        self.words.insert(text.to_owned(), word);
        word
    }

    fn kind(&self, word: Word) -> Kind {
        self.texts[word].1
    }

    fn text_of(&self, word: Word) -> &str {
        &self.texts[word].0
    }
}

/// Whether a word is the name of something (a class, a host, a file) and not a word of the language.
fn is_name(word: &str) -> bool {
    let last = word.rsplit(['.', '/', '\\']).next().unwrap_or(word);
    word.contains(['.', '/', '\\', '@', '$']) && last.bytes().any(|b| b.is_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The templates of `messages`, one each.
    fn templates(messages: &[String]) -> Vec<String> {
        let mut miner = TemplateMiner::default();
        let ids: Vec<TemplateId> = messages.iter().map(|message| miner.learn(message)).collect();
        miner.group();
        ids.into_iter().map(|id| miner.text(miner.resolve(id))).collect()
    }

    fn of(messages: &[&str]) -> Vec<String> {
        templates(&messages.iter().map(|message| (*message).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn a_position_with_few_words_tells_statements_apart_and_one_with_many_is_a_variable() {
        let states = of(&["VM Paused (Event)", "VM Resumed (Event)", "VM Paused (Event)"]);
        assert_eq!(states, ["VM Paused (Event)", "VM Resumed (Event)", "VM Paused (Event)"]);
        let words = ["amber", "birch", "cedar", "delta", "ember", "fjord", "grove"];
        let many: Vec<String> = words.iter().map(|word| format!("deployed release {word} to stage")).collect();
        assert!(templates(&many).iter().all(|text| text == "deployed release <*> to stage"), "{:?}", templates(&many));
    }

    #[test]
    fn two_names_are_enough_for_a_variable() {
        assert_eq!(of(&["session for user alice", "session for user bob"]), ["session for user <*>"; 2]);
        assert_eq!(of(&["loaded org.acme.Pump", "loaded com.acme.Valve"]), ["loaded <*>"; 2]);
    }

    #[test]
    fn what_comes_after_the_first_grouping_meets_the_templates_that_are_known() {
        let mut miner = TemplateMiner::default();
        let first: Vec<TemplateId> =
            (0..100).map(|n| miner.learn(&format!("opened door {}", "abcdefghij".repeat(1 + n % 20)))).collect();
        let late = miner.learn("opened door zzz");
        miner.group();
        assert_eq!(miner.resolve(first[0]), miner.resolve(late));
    }

    #[test]
    fn memory_stays_bounded_whatever_comes() {
        let mut miner = TemplateMiner::default();
        for n in 0..(MAX_SHAPES + 500) {
            // No two share their first word, so that nothing can be grouped.
            let word: String = n.to_string().bytes().map(|digit| char::from(digit - b'0' + b'a')).collect();
            miner.learn(&format!("x{word}y said q{word}z"));
        }
        assert!(miner.shapes.len() <= MAX_SHAPES + 1 && miner.texts.len() <= MAX_VOCABULARY);
        let last = miner.learn("another different thing");
        assert_eq!(miner.text(miner.resolve(last)), TemplateMiner::OVERFLOW);
    }

    proptest! {
        #[test]
        fn any_text_can_be_learned(messages in prop::collection::vec(r#"[a-c<>*'"`()=:.,/\\@\[\]0-9é\u{202e} -]{0,24}"#, 0..20)) {
            prop_assert_eq!(templates(&messages).len(), messages.len());
        }
    }
}
