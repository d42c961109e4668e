//! Reads sentences for names, and for the words before them that say what is meant.

use std::sync::LazyLock;

use regex::{Captures, Regex};

use super::{Mention, Name, key, pattern};

/// How keys are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Case {
    /// In capitals; after a closing keyword in any case. Else `top-10` and `step-1` were keys.
    Upper,
    /// So, and in any case at the start of the text or in brackets: `ops-12: no carts`, `fix(ops-12): no carts`.
    AnyAtStart,
}

/// What the words so far say about the next name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Said {
    /// Nothing.
    Nothing,
    /// A closing keyword, and nothing since but names.
    Closes,
    /// That it is not about finishing it.
    Otherwise,
    /// A word that says so when the right word follows: "part of", "caused by".
    Half,
    /// A "not", so many words ago.
    Not(u8),
}

/// How many words after a "not" a closing keyword is still denied: "does not yet fully fix".
const REACH_OF_NOT: u8 = 3;

static TOKEN: LazyLock<Regex> = LazyLock::new(|| {
    pattern(concat!(
        r#"(?P<url>https?://[^\s<>"'`\])]+)"#,
        r"|(?P<repo>[A-Za-z0-9][\w-]*/[\w.-]+)?#(?P<number>[1-9][0-9]{0,8})",
        r"|(?P<key>(?:[A-Za-z][A-Za-z0-9_]+|[Tt])-[1-9][0-9]{0,8})",
        r"|(?P<word>\p{L}+(?:['\u{2019}-]\p{L}+)*)",
        r"|\S",
    ))
});
/// `https://github.com/acme/shop/issues/45`, wherever it is hosted.
static ISSUE_URL: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"^https?://[^/]+/([\w.-]+/[\w.-]+)/issues/([1-9][0-9]{0,8})(?:[/?#.,;:!]|$)"));
/// Pages of tickets and incidents: `/browse/OPS-12`, `?selectedIssue=OPS-12`, `/incidents/INC-7`.
static KEY_URL: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?:/(?:browse|issues?|tickets?|incidents?)/|[?&]selectedIssue=)((?:[A-Za-z][A-Za-z0-9_]+|[Tt])-[1-9][0-9]{0,8})(?:[/?#&.,;:!]|$)",
    )
});

const CLOSING: [&str; 9] = ["close", "closes", "closed", "fix", "fixes", "fixed", "resolve", "resolves", "resolved"];
/// Words after which a name is another's work.
const OTHERWISE: [&str; 49] = [
    "after",
    "before",
    "blocks",
    "cf",
    "compare",
    "depends",
    "duplicate",
    "duplicates",
    "epic",
    "follow-up",
    "follow-ups",
    "follow",
    "follows",
    "followup",
    "like",
    "mention",
    "mentioned",
    "mentions",
    "parent",
    "re",
    "ref",
    "reference",
    "referenced",
    "references",
    "referencing",
    "refs",
    "related",
    "relates",
    "relating",
    "requires",
    "revert",
    "reverted",
    "reverting",
    "reverts",
    "see",
    "similar",
    "since",
    "superseded",
    "supersedes",
    "supersede",
    "towards",
    "toward",
    "unblocks",
    "unlike",
    "until",
    "unrelated",
    "block",
    "todo",
    "needs",
];
/// Words that say so with a preposition.
const HALF: [&str; 20] = [
    "because",
    "blocked",
    "broke",
    "broken",
    "caused",
    "dependent",
    "groundwork",
    "instead",
    "introduced",
    "part",
    "parts",
    "preparation",
    "prepare",
    "prepares",
    "preparing",
    "regression",
    "regressed",
    "split",
    "waiting",
    "work",
];
const PREPOSITIONS: [&str; 9] = ["by", "for", "from", "in", "of", "on", "since", "to", "with"];
const NOT: [&str; 9] = ["not", "never", "cannot", "no", "without", "partially", "partly", "partial", "half"];
/// "was fixed in OPS-9" is no promise.
const PASSIVE: [&str; 6] = ["be", "was", "were", "been", "already", "being"];
const ARTICLES: [&str; 6] = ["the", "a", "an", "this", "that", "our"];
/// Words that may stand between a word that says otherwise and the name.
const FILLERS: [&str; 31] = [
    "a",
    "also",
    "an",
    "and",
    "bug",
    "bugs",
    "by",
    "for",
    "from",
    "github",
    "in",
    "incident",
    "incidents",
    "issue",
    "issues",
    "item",
    "jira",
    "of",
    "on",
    "or",
    "our",
    "story",
    "task",
    "tasks",
    "that",
    "the",
    "this",
    "ticket",
    "tickets",
    "to",
    "up",
];

/// The names in `text`. Of issues those of `repo`, if they do not say another.
pub fn names(text: &str, repo: &str, case: Case) -> Vec<Mention> {
    let mut reader = Reader { repo, case, said: Said::Nothing, last: String::new(), name_end: None, found: Vec::new() };
    let mut below = Said::Nothing;
    let mut in_list = false;
    for line in text.lines() {
        let line = line.trim();
        if line.is_empty() {
            continue;
        }
        let (item, inner) = bullet(line);
        let is_heading = line.starts_with('#') && line.trim_start_matches('#').starts_with(' ');
        // A heading, "Refs:" and "OPS-1," speak for the lines below, of a list for all of them.
        reader.said = match item {
            Item::Open => Said::Otherwise,
            Item::None if is_heading || in_list => Said::Nothing,
            _ => below,
        };
        in_list = item != Item::None;
        reader.line(inner);
        let goes_on = is_heading || line.trim_end_matches(['*', '_']).ends_with([':', ',']);
        below = match item {
            Item::None if goes_on => reader.said,
            Item::None => Said::Nothing,
            Item::Done | Item::Open => below,
        };
    }
    reader.found
}

/// Whether a line is one of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Item {
    None,
    Done,
    /// `- [ ] OPS-13`: still to be done.
    Open,
}

fn bullet(line: &str) -> (Item, &str) {
    let Some(inner) = ["- ", "* ", "+ "].iter().find_map(|mark| line.strip_prefix(mark)) else {
        return (Item::None, line);
    };
    match inner.trim_start().strip_prefix("[ ]") {
        Some(inner) => (Item::Open, inner),
        None => (Item::Done, inner),
    }
}

struct Reader<'a> {
    repo: &'a str,
    case: Case,
    said: Said,
    /// The last word, in small letters.
    last: String,
    /// Where in the line the last name ended: `OPS-1/OPS-2` are two.
    name_end: Option<usize>,
    found: Vec<Mention>,
}

impl Reader<'_> {
    fn line(&mut self, line: &str) {
        self.name_end = None;
        self.last.clear();
        for token in TOKEN.captures_iter(line) {
            self.token(line, &token);
        }
    }

    fn token(&mut self, line: &str, token: &Captures) {
        let Some(whole) = token.get(0) else { return };
        if let Some(url) = token.name("url") {
            self.url(url.as_str());
        } else if let Some(number) = token.name("number") {
            self.issue(line, whole.range(), token.name("repo").map(|repo| repo.as_str()), number.as_str());
        } else if token.name("key").is_some() {
            self.key(line, whole.range());
        } else if token.name("word").is_some() {
            let word = whole.as_str().to_lowercase().replace('\u{2019}', "'");
            self.said = self.after_word(&word);
            self.last = word;
        } else {
            self.said = self.after_sign(whole.as_str(), &line[..whole.start()]);
        }
    }

    fn after_word(&self, word: &str) -> Said {
        let denied = matches!(self.said, Said::Not(_)) || PASSIVE.contains(&self.last.as_str());
        if CLOSING.contains(&word) {
            let is_noun = self.said == Said::Otherwise && ARTICLES.contains(&self.last.as_str());
            return if denied || is_noun { Said::Otherwise } else { Said::Closes };
        }
        if self.said == Said::Half && PREPOSITIONS.contains(&word) {
            return Said::Otherwise;
        }
        if NOT.contains(&word) || word.ends_with("n't") {
            return Said::Not(REACH_OF_NOT);
        }
        if OTHERWISE.contains(&word) {
            return Said::Otherwise;
        }
        if HALF.contains(&word) {
            return Said::Half;
        }
        match self.said {
            Said::Otherwise if FILLERS.contains(&word) => Said::Otherwise,
            Said::Closes if matches!(word, "and" | "or") => Said::Closes,
            Said::Not(left) if left > 1 => Said::Not(left - 1),
            _ => Said::Nothing,
        }
    }

    fn after_sign(&self, sign: &str, before: &str) -> Said {
        let part_of_link = sign == "(" && before.ends_with(']');
        let neutral = sign.chars().all(|c| "*_~[]\"':,&+/#-)`<".contains(c));
        match self.said {
            Said::Half | Said::Not(_) if matches!(sign, "," | ":") => Said::Nothing,
            said if neutral || part_of_link => said,
            _ => Said::Nothing,
        }
    }

    fn url(&mut self, url: &str) {
        if let Some(found) = ISSUE_URL.captures(url) {
            self.add_issue(&found[1], &found[2]);
        } else if let Some(name) = KEY_URL.captures(url).and_then(|found| key(&found[1])) {
            self.add(name);
        } else {
            self.said = Said::Nothing;
        }
    }

    fn issue(&mut self, line: &str, range: std::ops::Range<usize>, repo: Option<&str>, number: &str) {
        let (before, after) = (&line[..range.start], &line[range.end..]);
        let is_word = !before.ends_with(is_of_word) && !after.starts_with(is_of_word) && !before.ends_with(['/', '&']);
        // `[#45](https://github.com/other/repo/issues/45)`: the address says which.
        let is_link = after.trim_start_matches(['`', '*']).starts_with("](http");
        if is_word && !is_link {
            self.add_issue(repo.unwrap_or(self.repo), number);
        }
        self.name_end = Some(range.end);
    }

    fn key(&mut self, line: &str, range: std::ops::Range<usize>) {
        let (before, after, text) = (&line[..range.start], &line[range.end..], &line[range.clone()]);
        let after_name = before.ends_with('/') && self.name_end == Some(range.start - 1);
        let at_start = before.trim().is_empty() || before.ends_with(['[', '(']);
        let written_well = text.bytes().all(|b| !b.is_ascii_lowercase())
            || self.said == Said::Closes
            || (self.case == Case::AnyAtStart && at_start);
        if !(begins_well(before) || after_name) || !ends_well(after) || !written_well {
            self.said = Said::Nothing;
            return;
        }
        if let Some(number) = text.strip_prefix("GH-") {
            self.add_issue(self.repo, number);
        } else if let Some(name) = key(text) {
            self.add(name);
        }
        self.name_end = Some(range.end);
    }

    fn add(&mut self, name: Name) {
        let denied = matches!(self.said, Said::Otherwise | Said::Not(REACH_OF_NOT));
        self.found.push(Mention { name, fixes: !denied });
    }

    /// Only a closing keyword makes a number the name of an issue that is meant.
    fn add_issue(&mut self, repo: &str, number: &str) {
        if self.said == Said::Closes
            && let Ok(number) = number.parse()
        {
            self.found.push(Mention { name: Name::Issue { repo: repo.to_owned(), number }, fixes: true });
        }
    }
}

fn is_of_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Whether a key may begin after `before`.
fn begins_well(before: &str) -> bool {
    before.chars().next_back().is_none_or(|c| c.is_whitespace() || "([{<\"'`*~:,;#!|=>\u{201c}".contains(c))
}

/// Whether a key may end before `after`: not in a file's name, a version, a date, or an identifier in hex.
fn ends_well(after: &str) -> bool {
    let mut next = after.chars();
    match next.next() {
        Some('-') => next.next().is_none_or(|c| c.is_lowercase() || !is_of_word(c)),
        Some('.') => next.next().is_none_or(|c| !is_of_word(c)),
        Some(c) => !is_of_word(c) && !matches!(c, '=' | '%' | '@' | '$' | '+'),
        None => true,
    }
}
