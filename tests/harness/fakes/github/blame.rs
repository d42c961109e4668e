//! What GraphQL answers: who changed which line of a file last, and the little around it.

use serde_json::{Map, Value, json};

use super::accounts::node;
use super::calls::{Asked, Done};
use super::graphql::{Field, Query, Selection, read};
use super::refusal::Refusal;
use super::state::{Commit, State, User, written};
use super::{BOT_LOGIN, DEFAULT_BRANCH, REPO};

/// Something that fields are asked of.
enum Node<'a> {
    Root,
    Repository,
    Branch(&'a str),
    Commit(&'a Commit),
    Blame(&'a [String]),
    Range(usize, usize, &'a Commit),
    Actor(&'a Commit),
    User(&'a User),
}

/// What a field holds.
enum Held<'a> {
    Plain(Value),
    /// Something of this type, as far as the query can know.
    One(&'static str, Node<'a>),
    Many(&'static str, Vec<Node<'a>>),
}

/// What went wrong.
enum Problem {
    /// The query is none.
    Wrong(String, Value),
    /// It is not there; what it belongs to is not there then, either, when it must be.
    Missing(String, bool),
}

/// A walk through a query.
struct Walk<'a> {
    state: &'a State,
    query: &'a Query,
    path: Vec<String>,
    errors: Vec<Value>,
    /// Nothing is answered at all.
    refused: bool,
}

impl State {
    pub fn graphql(&mut self, asked: &Asked) -> Result<Done, Refusal> {
        if let Some(status) = self.switches.graphql {
            let message = if status == 404 { "Not Found" } else { "Resource not accessible by personal access token" };
            return Err(Refusal::new(status, message));
        }
        let Some(text) = asked.body.get("query").and_then(Value::as_str) else {
            return Err(Refusal::new(400, "A query attribute must be specified and must be a string."));
        };
        let none = Map::new();
        let variables = asked.body.get("variables").and_then(Value::as_object).unwrap_or(&none);
        let query = match read(text, variables) {
            Ok(query) => query,
            Err(message) => return Ok(Done::ok(&json!({"errors": [{"message": message}]}))),
        };
        let mut walk = Walk { state: self, query: &query, path: Vec::new(), errors: Vec::new(), refused: false };
        let data = walk.all("Query", &Node::Root, &query.selections).unwrap_or_default();
        let (errors, refused) = (walk.errors, walk.refused);
        let mut body = if refused { json!({}) } else { json!({"data": data}) };
        if !errors.is_empty() {
            body["errors"] = json!(errors);
        }
        Ok(Done::ok(&body))
    }
}

impl<'a> Walk<'a> {
    /// All that is asked of something; `None` when part of it must be there and is not.
    fn all(&mut self, kind: &str, node: &Node<'a>, selections: &[Selection]) -> Option<Value> {
        let mut answer = Map::new();
        for selection in selections {
            match selection {
                Selection::Field(field) => {
                    self.path.push(field.alias.clone());
                    let value = self.one(kind, node, field);
                    self.path.pop();
                    answer.insert(field.alias.clone(), value?);
                }
                Selection::On(of, inner) => {
                    let of = of.as_deref().unwrap_or(kind);
                    self.narrowed(kind, of, node, inner, &mut answer)?;
                }
                Selection::Spread(name) => match self.query.fragments.get(name) {
                    Some((of, inner)) => self.narrowed(kind, of, node, inner, &mut answer)?,
                    None => self.refuse(&format!("Fragment {name} was used, but not defined"), json!({})),
                },
            }
        }
        Some(Value::Object(answer))
    }

    fn narrowed(
        &mut self,
        kind: &str,
        of: &str,
        node: &Node<'a>,
        inner: &[Selection],
        answer: &mut Map<String, Value>,
    ) -> Option<()> {
        let fits = of == kind || of == node.kind();
        if fits && let Value::Object(more) = self.all(of, node, inner)? {
            answer.extend(more);
        }
        Some(())
    }

    fn one(&mut self, kind: &str, node: &Node<'a>, field: &Field) -> Option<Value> {
        let held = if field.name == "__typename" {
            Ok(Held::Plain(json!(node.kind())))
        } else {
            self.state.held(kind, node, field)
        };
        match held {
            Ok(Held::Plain(value)) => Some(value),
            Ok(_) if field.inner.is_empty() => {
                self.refuse(&format!("Field must have selections (field '{}' has none)", field.name), json!({}));
                None
            }
            Ok(Held::One(kind, node)) => Some(self.all(kind, &node, &field.inner).unwrap_or_default()),
            Ok(Held::Many(kind, nodes)) => {
                let all = nodes.iter().map(|node| self.all(kind, node, &field.inner).unwrap_or_default());
                Some(Value::Array(all.collect()))
            }
            Err(Problem::Wrong(message, extensions)) => {
                self.refuse(&message, extensions);
                None
            }
            Err(Problem::Missing(message, must)) => {
                self.errors.push(json!({
                    "type": "NOT_FOUND", "path": self.path, "locations": [{"line": 1, "column": 1}], "message": message,
                }));
                (!must).then_some(Value::Null)
            }
        }
    }

    fn refuse(&mut self, message: &str, extensions: Value) {
        let path: Vec<&str> = std::iter::once("query").chain(self.path.iter().map(String::as_str)).collect();
        self.errors.push(json!({
            "path": path, "extensions": extensions, "locations": [{"line": 1, "column": 1}], "message": message,
        }));
        self.refused = true;
    }
}

impl Node<'_> {
    fn kind(&self) -> &'static str {
        match self {
            Self::Root => "Query",
            Self::Repository => "Repository",
            Self::Branch(_) => "Ref",
            Self::Commit(_) => "Commit",
            Self::Blame(_) => "Blame",
            Self::Range(..) => "BlameRange",
            Self::Actor(_) => "GitActor",
            Self::User(_) => "User",
        }
    }
}

impl State {
    fn held<'a>(&'a self, kind: &str, node: &Node<'a>, field: &Field) -> Result<Held<'a>, Problem> {
        let found = match node {
            Node::Root => self.held_by_root(field)?,
            Node::Repository => self.held_by_repository(field)?,
            Node::Branch(name) => self.held_by_branch(name, &field.name),
            Node::Commit(commit) => self.held_by_commit(kind, commit, field)?,
            Node::Blame(lines) => (field.name == "ranges").then(|| Held::Many("BlameRange", self.ranges(lines))),
            Node::Range(first, last, commit) => match field.name.as_str() {
                "startingLine" => Some(Held::Plain(json!(first))),
                "endingLine" => Some(Held::Plain(json!(last))),
                "age" => Some(Held::Plain(json!(1))),
                "commit" => Some(Held::One("Commit", Node::Commit(commit))),
                _ => None,
            },
            Node::Actor(commit) => self.held_by_actor(commit, &field.name),
            Node::User(user) => Self::held_by_user(user, &field.name),
        };
        let name = &field.name;
        let wrong = || {
            let extensions = json!({"code": "undefinedField", "typeName": kind, "fieldName": name});
            Problem::Wrong(format!("Field '{name}' doesn't exist on type '{kind}'"), extensions)
        };
        found.ok_or_else(wrong)
    }

    fn held_by_root(&self, field: &Field) -> Result<Option<Held<'_>>, Problem> {
        Ok(match field.name.as_str() {
            "repository" => {
                let asked = format!("{}/{}", argument(field, "owner")?, argument(field, "name")?);
                if !asked.eq_ignore_ascii_case(REPO) {
                    let message = format!("Could not resolve to a Repository with the name '{asked}'.");
                    return Err(Problem::Missing(message, false));
                }
                Some(Held::One("Repository", Node::Repository))
            }
            "viewer" => self.user(BOT_LOGIN).map(|user| Held::One("User", Node::User(user))),
            _ => None,
        })
    }

    fn held_by_repository(&self, field: &Field) -> Result<Option<Held<'_>>, Problem> {
        let branch = |name: &str| {
            let name = name.strip_prefix("refs/heads/").unwrap_or(name);
            let found = self.branches.get_key_value(name);
            found.map_or(Held::Plain(Value::Null), |(name, _)| Held::One("Ref", Node::Branch(name)))
        };
        Ok(match field.name.as_str() {
            "name" => Some(Held::Plain(json!(REPO.split('/').nth(1)))),
            "nameWithOwner" => Some(Held::Plain(json!(REPO))),
            "defaultBranchRef" => Some(branch(DEFAULT_BRANCH)),
            "ref" => Some(branch(&argument(field, "qualifiedName")?)),
            "object" => {
                let said = argument(field, "expression").or_else(|_| argument(field, "oid"))?;
                let found = self.resolve(&said);
                Some(found.map_or(Held::Plain(Value::Null), |commit| Held::One("GitObject", Node::Commit(commit))))
            }
            _ => None,
        })
    }

    fn held_by_branch(&self, name: &str, field: &str) -> Option<Held<'_>> {
        match field {
            "name" => Some(Held::Plain(json!(name))),
            "prefix" => Some(Held::Plain(json!("refs/heads/"))),
            "target" => self.resolve(name).map(|commit| Held::One("GitObject", Node::Commit(commit))),
            _ => None,
        }
    }

    /// Of an object that may be something else than a commit, only what all of them have can be asked.
    fn held_by_commit<'a>(
        &'a self,
        kind: &str,
        commit: &'a Commit,
        field: &Field,
    ) -> Result<Option<Held<'a>>, Problem> {
        let plain = |value: Value| Ok(Some(Held::Plain(value)));
        match field.name.as_str() {
            "oid" => return plain(json!(commit.sha)),
            "abbreviatedOid" => return plain(json!(commit.sha.get(..7))),
            _ if kind != "Commit" => return Ok(None),
            _ => {}
        }
        match field.name.as_str() {
            "message" => plain(json!(commit.message)),
            "messageHeadline" => plain(json!(commit.message.lines().next())),
            "committedDate" | "authoredDate" => plain(json!(written(commit.at))),
            "url" => plain(json!(format!("https://github.com/{REPO}/commit/{}", commit.sha))),
            "author" | "committer" => Ok(Some(Held::One("GitActor", Node::Actor(commit)))),
            "blame" => {
                let path = argument(field, "path")?;
                let file = self.files.get(&path);
                let missing = || Problem::Missing(format!("Could not resolve file for path '{path}'."), true);
                file.map(|file| Some(Held::One("Blame", Node::Blame(&file.lines)))).ok_or_else(missing)
            }
            _ => Ok(None),
        }
    }

    fn held_by_actor<'a>(&'a self, commit: &'a Commit, field: &str) -> Option<Held<'a>> {
        match field {
            "name" => Some(Held::Plain(json!(commit.name))),
            "email" => Some(Held::Plain(json!(commit.email))),
            "date" => Some(Held::Plain(json!(written(commit.at)))),
            "user" => {
                let user = commit.login.as_deref().and_then(|login| self.user(login));
                Some(user.map_or(Held::Plain(Value::Null), |user| Held::One("User", Node::User(user))))
            }
            _ => None,
        }
    }

    fn held_by_user<'a>(user: &User, field: &str) -> Option<Held<'a>> {
        Some(Held::Plain(match field {
            "login" => json!(user.login),
            "name" => json!(user.name),
            // Of those who show none it is empty.
            "email" => json!(user.public_email.as_deref().unwrap_or("")),
            "id" => json!(node("U", user.id)),
            "databaseId" => json!(user.id),
            _ => return None,
        }))
    }

    /// Lines that follow each other and were changed by the same commit.
    fn ranges<'a>(&'a self, lines: &[String]) -> Vec<Node<'a>> {
        let mut ranges = Vec::new();
        let mut first = 1;
        for run in lines.chunk_by(|one, next| one == next) {
            let last = first + run.len() - 1;
            if let Some(commit) = run.first().and_then(|sha| self.commit_of(sha)) {
                ranges.push(Node::Range(first, last, commit));
            }
            first = last + 1;
        }
        ranges
    }
}

/// An argument that must be there.
fn argument(field: &Field, name: &str) -> Result<String, Problem> {
    let value = field.arguments.get(name).and_then(Value::as_str).map(str::to_owned);
    let missing = || {
        let message = format!("Field '{}' is missing required arguments: {name}", field.name);
        Problem::Wrong(message, json!({"code": "missingRequiredArguments", "arguments": name}))
    };
    value.ok_or_else(missing)
}
