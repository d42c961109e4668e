//! Queries: the part of the language that a bot needs. What is not known here is refused, never guessed.

use super::words::{Placed, Word, is_reserved, words, wrong};

const VALID: &str =
    "The valid operators are '=', '!=', '<', '>', '<=', '>=', '~', '!~', 'IN', 'NOT IN', 'IS' and 'IS NOT'.";

/// One condition.
#[derive(Debug, Clone, PartialEq)]
pub struct Term {
    /// As written.
    pub field: String,
    /// `=`, `>=`, `in`, `not in`, …
    pub operator: &'static str,
    pub values: Vec<String>,
}

/// A query: all conditions hold.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Query {
    pub terms: Vec<Term>,
    /// Fields to sort by, and whether downwards.
    pub order: Vec<(String, bool)>,
}

/// Reads a query.
///
/// # Errors
/// What Jira says when it cannot.
pub fn parse(text: &str) -> Result<Query, String> {
    let words = words(text)?;
    let end = text.chars().count() + 1;
    let mut reader = Reader { words: &words, at: 0, end };
    let mut query = Query::default();
    while !reader.is_at_end() && !reader.keyword("order") {
        query.terms.push(reader.term()?);
        if reader.is_at_end() || reader.keyword("order") {
            break;
        }
        if reader.keyword("or") {
            return Err(wrong("'OR' is not known to this fake.", reader.place()));
        }
        if !reader.take("and") {
            return Err(reader.unexpected("Expecting either 'OR' or 'AND'"));
        }
        if reader.is_at_end() {
            return Err("Error in the JQL Query: Expecting a field name at the end of the query.".to_owned());
        }
    }
    if reader.take("order") {
        query.order = reader.order()?;
    }
    Ok(query)
}

struct Reader<'a> {
    words: &'a [Placed],
    at: usize,
    end: usize,
}

impl Reader<'_> {
    fn is_at_end(&self) -> bool {
        self.at >= self.words.len()
    }

    fn word(&self) -> Option<&Word> {
        self.words.get(self.at).map(|(word, _)| word)
    }

    fn place(&self) -> usize {
        self.words.get(self.at).map_or(self.end, |(_, place)| *place)
    }

    /// Whether this keyword comes next.
    fn keyword(&self, keyword: &str) -> bool {
        matches!(self.word(), Some(Word::Bare(word)) if word.eq_ignore_ascii_case(keyword))
    }

    fn take(&mut self, keyword: &str) -> bool {
        let is = self.keyword(keyword);
        self.at += usize::from(is);
        is
    }

    fn takes(&mut self, word: &Word) -> bool {
        let is = self.word() == Some(word);
        self.at += usize::from(is);
        is
    }

    fn unexpected(&self, expected: &str) -> String {
        let got = match self.word() {
            None => return format!("Error in the JQL Query: {expected} before the end of the query."),
            Some(Word::Bare(word) | Word::Quoted(word)) => word.clone(),
            Some(Word::Operator(operator)) => (*operator).to_owned(),
            Some(Word::Open) => "(".to_owned(),
            Some(Word::Close) => ")".to_owned(),
            Some(Word::Comma) => ",".to_owned(),
        };
        let valid = if expected == "Expecting operator" { format!(" {VALID}") } else { String::new() };
        wrong(&format!("{expected} but got '{got}'.{valid}"), self.place())
    }

    fn reserved(&self, word: &str) -> String {
        const RULE: &str = "is a reserved JQL word. You must surround it in quotation marks to use it in a query.";
        wrong(&format!("'{word}' {RULE}"), self.place())
    }

    fn term(&mut self) -> Result<Term, String> {
        if self.keyword("not") || self.word() == Some(&Word::Open) {
            return Err(wrong("'NOT' and parentheses around conditions are not known to this fake.", self.place()));
        }
        let field = self.name()?;
        let operator = self.operator()?;
        let values = if operator.ends_with("in") { self.list()? } else { vec![self.value()?] };
        Ok(Term { field, operator, values })
    }

    fn operator(&mut self) -> Result<&'static str, String> {
        if let Some(&Word::Operator(operator)) = self.word() {
            self.at += 1;
            return Ok(operator);
        }
        if self.take("in") {
            return Ok("in");
        }
        if self.keyword("not") {
            self.at += 1;
            return if self.take("in") { Ok("not in") } else { Err(self.unexpected("Expecting 'IN'")) };
        }
        Err(self.unexpected("Expecting operator"))
    }

    fn name(&mut self) -> Result<String, String> {
        let name = match self.word() {
            Some(Word::Bare(word)) if is_reserved(word) => return Err(self.reserved(word)),
            Some(Word::Bare(word) | Word::Quoted(word)) => word.clone(),
            _ => return Err(self.unexpected("Expecting a field name")),
        };
        self.at += 1;
        Ok(name)
    }

    fn list(&mut self) -> Result<Vec<String>, String> {
        if !self.takes(&Word::Open) {
            return Err(self.unexpected("Expecting '('"));
        }
        let mut values = vec![self.value()?];
        while self.takes(&Word::Comma) {
            values.push(self.value()?);
        }
        if self.takes(&Word::Close) { Ok(values) } else { Err(self.unexpected("Expecting ')'")) }
    }

    fn value(&mut self) -> Result<String, String> {
        let value = match self.word() {
            Some(Word::Bare(value)) if is_reserved(value) => return Err(self.reserved(value)),
            Some(Word::Bare(value) | Word::Quoted(value)) => value.clone(),
            _ => return Err(self.unexpected("Expecting either a value, list or function")),
        };
        self.at += 1;
        if self.word() == Some(&Word::Open) {
            return Err(wrong("functions are not known to this fake.", self.place()));
        }
        Ok(value)
    }

    fn order(&mut self) -> Result<Vec<(String, bool)>, String> {
        if !self.take("by") {
            return Err(self.unexpected("Expecting 'by'"));
        }
        let mut order = Vec::new();
        loop {
            let field = self.name()?;
            let down = self.take("desc");
            if !down {
                self.take("asc");
            }
            order.push((field, down));
            if self.is_at_end() {
                return Ok(order);
            }
            if !self.takes(&Word::Comma) {
                return Err(self.unexpected("Expecting either 'ASC', 'DESC' or ','"));
            }
        }
    }
}
