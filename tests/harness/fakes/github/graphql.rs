//! Reading GraphQL: enough of the language for what clients write.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

/// What is asked of an object.
#[derive(Debug, Clone)]
pub enum Selection {
    /// One of its fields.
    Field(Field),
    /// More, when it is of this type; of any type when none is named.
    On(Option<String>, Vec<Selection>),
    /// What a fragment of this name asks.
    Spread(String),
}

/// A field that is asked for.
#[derive(Debug, Clone)]
pub struct Field {
    /// What it is called in the answer.
    pub alias: String,
    pub name: String,
    pub arguments: Map<String, Value>,
    /// What is asked of what it holds.
    pub inner: Vec<Selection>,
}

/// A query that was read.
#[derive(Debug, Default)]
pub struct Query {
    pub selections: Vec<Selection>,
    /// Type and selections of its fragments.
    pub fragments: BTreeMap<String, (String, Vec<Selection>)>,
}

#[derive(Debug, Clone, PartialEq)]
enum Token {
    Name(String),
    Value(Value),
    Mark(char),
    Dots,
}

struct Reader<'a> {
    tokens: Vec<Token>,
    at: usize,
    variables: &'a Map<String, Value>,
    defaults: Map<String, Value>,
}

/// Reads a query with its variables.
///
/// # Errors
/// What is wrong with it.
pub fn read(text: &str, variables: &Map<String, Value>) -> Result<Query, String> {
    let mut reader = Reader { tokens: tokens(text)?, at: 0, variables, defaults: Map::new() };
    let mut query = Query::default();
    while reader.at < reader.tokens.len() {
        if reader.takes_name("fragment") {
            let name = reader.name()?;
            reader.wants_name("on")?;
            let of = reader.name()?;
            reader.directives()?;
            query.fragments.insert(name, (of, reader.selections()?));
        } else {
            if reader.takes_name("mutation") || reader.takes_name("subscription") {
                return Err("only queries are answered here".to_owned());
            }
            if reader.takes_name("query") {
                if matches!(reader.peek(), Some(Token::Name(_))) {
                    reader.name()?;
                }
                reader.variables()?;
                reader.directives()?;
            }
            query.selections = reader.selections()?;
        }
    }
    Ok(query)
}

impl Reader<'_> {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at)
    }

    fn takes(&mut self, mark: char) -> bool {
        let there = self.peek() == Some(&Token::Mark(mark));
        self.at += usize::from(there);
        there
    }

    fn wants(&mut self, mark: char) -> Result<(), String> {
        if self.takes(mark) { Ok(()) } else { Err(format!("Parse error: expected {mark:?}, found {:?}", self.peek())) }
    }

    fn takes_name(&mut self, name: &str) -> bool {
        let there = matches!(self.peek(), Some(Token::Name(found)) if found == name);
        self.at += usize::from(there);
        there
    }

    fn wants_name(&mut self, name: &str) -> Result<(), String> {
        if self.takes_name(name) {
            Ok(())
        } else {
            Err(format!("Parse error: expected {name}, found {:?}", self.peek()))
        }
    }

    fn name(&mut self) -> Result<String, String> {
        match self.peek().cloned() {
            Some(Token::Name(name)) => {
                self.at += 1;
                Ok(name)
            }
            other => Err(format!("Parse error: expected a name, found {other:?}")),
        }
    }

    /// The variables that a query declares: all must be given, those with a `!` at least.
    fn variables(&mut self) -> Result<(), String> {
        if !self.takes('(') {
            return Ok(());
        }
        while !self.takes(')') {
            self.wants('$')?;
            let name = self.name()?;
            self.wants(':')?;
            let brackets = self.takes('[');
            self.name()?;
            let inner = self.takes('!');
            if brackets {
                self.wants(']')?;
            }
            let needed = if brackets { self.takes('!') } else { inner };
            let default = if self.takes('=') { Some(self.value()?) } else { None };
            let missing = self.variables.get(&name).is_none_or(Value::is_null);
            if needed && missing && default.is_none() {
                return Err(format!("Variable ${name} was provided invalid value"));
            }
            self.defaults.insert(name, default.unwrap_or_default());
        }
        Ok(())
    }

    fn directives(&mut self) -> Result<(), String> {
        while self.takes('@') {
            self.name()?;
            self.arguments()?;
        }
        Ok(())
    }

    fn selections(&mut self) -> Result<Vec<Selection>, String> {
        self.wants('{')?;
        let mut found = Vec::new();
        while !self.takes('}') {
            found.push(self.selection()?);
        }
        Ok(found)
    }

    fn selection(&mut self) -> Result<Selection, String> {
        if self.peek() == Some(&Token::Dots) {
            self.at += 1;
            let of = match self.peek() {
                Some(Token::Name(name)) if name != "on" => return Ok(Selection::Spread(self.name()?)),
                Some(Token::Name(_)) => {
                    self.at += 1;
                    Some(self.name()?)
                }
                _ => None,
            };
            self.directives()?;
            return Ok(Selection::On(of, self.selections()?));
        }
        let alias = self.name()?;
        let name = if self.takes(':') { self.name()? } else { alias.clone() };
        let arguments = self.arguments()?;
        self.directives()?;
        let inner = if self.peek() == Some(&Token::Mark('{')) { self.selections()? } else { Vec::new() };
        Ok(Selection::Field(Field { alias, name, arguments, inner }))
    }

    fn arguments(&mut self) -> Result<Map<String, Value>, String> {
        let mut arguments = Map::new();
        if self.takes('(') {
            while !self.takes(')') {
                let name = self.name()?;
                self.wants(':')?;
                arguments.insert(name, self.value()?);
            }
        }
        Ok(arguments)
    }

    fn value(&mut self) -> Result<Value, String> {
        if self.takes('$') {
            let name = self.name()?;
            let Some(default) = self.defaults.get(&name) else {
                return Err(format!("Variable ${name} is used by anonymous query but not declared"));
            };
            return Ok(self.variables.get(&name).unwrap_or(default).clone());
        }
        if self.takes('[') {
            let mut list = Vec::new();
            while !self.takes(']') {
                list.push(self.value()?);
            }
            return Ok(Value::Array(list));
        }
        let token = self.peek().cloned();
        self.at += 1;
        match token {
            Some(Token::Value(value)) => Ok(value),
            Some(Token::Name(name)) => Ok(match name.as_str() {
                "true" => json!(true),
                "false" => json!(false),
                "null" => Value::Null,
                _ => json!(name),
            }),
            other => Err(format!("Parse error: expected a value, found {other:?}")),
        }
    }
}

fn tokens(text: &str) -> Result<Vec<Token>, String> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '#' => rest.find('\n').unwrap_or(rest.len()),
            '"' => {
                let end = end_of_string(rest).ok_or("Parse error: a string does not end")?;
                let value = serde_json::from_str(&rest[..end]).map_err(|error| format!("Parse error: {error}"))?;
                found.push(Token::Value(value));
                end
            }
            '.' if rest.starts_with("...") => {
                found.push(Token::Dots);
                3
            }
            '{' | '}' | '(' | ')' | '[' | ']' | ':' | '!' | '$' | '=' | '@' => {
                found.push(Token::Mark(first));
                1
            }
            c if c.is_ascii_digit() || c == '-' => {
                let end = rest[1..].find(|c: char| !c.is_ascii_digit()).map_or(rest.len(), |at| at + 1);
                found.push(Token::Value(json!(rest[..end].parse::<i64>().unwrap_or(0))));
                end
            }
            c if c.is_ascii_alphabetic() || c == '_' => {
                let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
                found.push(Token::Name(rest[..end].to_owned()));
                end
            }
            c if c.is_whitespace() || c == ',' => c.len_utf8(),
            c => return Err(format!("Parse error on {c:?}")),
        };
        rest = &rest[length..];
    }
    Ok(found)
}

/// Where the string at the beginning ends.
fn end_of_string(text: &str) -> Option<usize> {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return Some(at + 1),
            _ => {}
        }
    }
    None
}
