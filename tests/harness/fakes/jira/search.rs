//! The search: with cursors in Cloud, with numbers in Server.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::Flavour;
use super::calls::{Answered, Asked};
use super::create::check_members;
use super::refusal::Refusal;
use super::shown::Selection;
use super::state::State;

/// What is told to those who ask where the search of old was.
const MOVED: &str = "The requested API has been removed. Please migrate to the /rest/api/3/search/jql API. A full \
                     migration guideline is available at https://developer.atlassian.com/changelog/#CHANGE-2046";

/// Pages that were promised: the query and the ids of what is on it and after it.
#[derive(Debug, Default)]
pub struct Pages {
    promised: BTreeMap<String, (String, Vec<u64>)>,
}

impl Pages {
    fn promise(&mut self, query: &str, ids: Vec<u64>) -> String {
        let token = format!("Ch0jU3RyaW5nJlQxQlQ{:06x}", self.promised.len());
        self.promised.insert(token.clone(), (query.to_owned(), ids));
        token
    }
}

/// What is searched, from the query or the body.
struct Wanted {
    jql: String,
    fields: Vec<String>,
    start: usize,
    most: Option<usize>,
    token: Option<String>,
    fresh: Vec<u64>,
}

impl Wanted {
    fn of(asked: &Asked<'_>) -> Self {
        if asked.body.is_null() {
            let all = |name: &'static str| {
                asked.query.iter().filter(move |(is, _)| is == name).map(|(_, value)| value.clone())
            };
            return Self {
                jql: asked.parameter("jql").unwrap_or("").to_owned(),
                fields: all("fields").collect(),
                start: asked.number("startAt").unwrap_or(0),
                most: asked.number("maxResults"),
                token: asked.parameter("nextPageToken").map(str::to_owned),
                fresh: all("reconcileIssues").flat_map(|ids| numbers(&ids)).collect(),
            };
        }
        let body = &asked.body;
        let number = |name: &str| body[name].as_u64().and_then(|number| usize::try_from(number).ok());
        let list = |name: &str| body[name].as_array().into_iter().flatten();
        Self {
            jql: body["jql"].as_str().unwrap_or("").to_owned(),
            fields: list("fields").filter_map(Value::as_str).map(str::to_owned).collect(),
            start: number("startAt").unwrap_or(0),
            most: number("maxResults"),
            token: body["nextPageToken"].as_str().map(str::to_owned),
            fresh: list("reconcileIssues").filter_map(Value::as_u64).collect(),
        }
    }
}

fn numbers(text: &str) -> Vec<u64> {
    text.split(',').filter_map(|number| number.trim().parse().ok()).collect()
}

impl State {
    pub fn search(&mut self, asked: &Asked<'_>) -> Answered {
        match (self.flavour, asked.parts.as_slice()) {
            (Flavour::Cloud, ["search", "jql"]) => self.search_with_cursor(asked),
            (Flavour::Cloud, _) => Err(Refusal::says(410, MOVED)),
            (Flavour::Server, ["search"]) => self.search_with_numbers(asked),
            (Flavour::Server, _) => Err(Refusal::no_such_address()),
        }
    }

    fn search_with_cursor(&mut self, asked: &Asked<'_>) -> Answered {
        const MEMBERS: [&str; 8] =
            ["jql", "nextPageToken", "maxResults", "fields", "expand", "properties", "fieldsByKeys", "reconcileIssues"];
        check_members(&asked.body, &MEMBERS)?;
        let wanted = Wanted::of(asked);
        let (query, mut found) = self.find(&wanted.jql, &wanted.fresh).map_err(refused)?;
        if query.terms.is_empty() {
            const BOUND: &str =
                "Unbounded JQL queries are not allowed here. Please add a search restriction to your query.";
            return Err(Refusal::says(400, BOUND));
        }
        if let Some(token) = &wanted.token {
            let promised = self.pages.promised.get(token).filter(|(query, _)| *query == wanted.jql);
            let (_, ids) =
                promised.ok_or_else(|| Refusal::says(400, "The provided next page token is invalid or expired."))?;
            found.retain(|issue| ids.contains(&issue.id));
            found.sort_by_key(|issue| ids.iter().position(|id| *id == issue.id));
        }
        let selection = Selection::of(wanted.fields.iter().map(String::as_str), "id");
        // More than this come at once only when next to nothing is asked of each.
        let most = wanted.most.unwrap_or(50).clamp(1, if selection.is_small() { 5_000 } else { 100 });
        let rest: Vec<u64> = found.iter().skip(most).map(|issue| issue.id).collect();
        let page = found.iter().take(most).map(|issue| {
            if selection.only_ids() {
                return json!({"id": issue.id.to_string()});
            }
            self.shown_issue(issue, asked.version, &selection)
        });
        let mut answer = json!({"issues": page.collect::<Vec<_>>(), "isLast": rest.is_empty()});
        if !rest.is_empty() {
            answer["nextPageToken"] = json!(self.pages.promise(&wanted.jql, rest));
        }
        Ok((200, answer))
    }

    fn search_with_numbers(&self, asked: &Asked<'_>) -> Answered {
        check_members(&asked.body, &["jql", "startAt", "maxResults", "fields", "expand", "validateQuery"])?;
        let wanted = Wanted::of(asked);
        let (_, found) = self.find(&wanted.jql, &[]).map_err(refused)?;
        let selection = Selection::of(wanted.fields.iter().map(String::as_str), "*navigable");
        let most = wanted.most.unwrap_or(50).min(1_000);
        let page = found.iter().skip(wanted.start).take(most);
        let page: Vec<Value> = page.map(|issue| self.shown_issue(issue, asked.version, &selection)).collect();
        Ok((
            200,
            json!({
                "expand": "schema,names", "startAt": wanted.start, "maxResults": most, "total": found.len(), "issues": page,
            }),
        ))
    }
}

fn refused(errors: Vec<String>) -> Refusal {
    errors.into_iter().fold(Refusal::fields(Vec::new()), Refusal::and)
}
