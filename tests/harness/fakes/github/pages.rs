//! Lists come in pages.

use serde_json::{Value, json};

use super::calls::{Asked, Done};
use super::refusal::Refusal;
use super::state::{State, read_time};

/// How many entries a page has when nobody says.
const PAGE: usize = 30;
/// How many it has at most; who asks for more gets so many.
const LARGEST: usize = 100;

impl State {
    /// The page that is asked for, with the way to the others.
    pub fn page<T>(&self, asked: &Asked, all: &[T], shown: impl Fn(&T) -> Value) -> Done {
        let (page, link) = self.cut(asked, all);
        let page: Vec<Value> = page.iter().map(shown).collect();
        Done { link, ..Done::ok(&json!(page)) }
    }

    /// As [`State::page`], without showing it.
    pub fn cut<'a, T>(&self, asked: &Asked, all: &'a [T]) -> (&'a [T], Option<String>) {
        let number = |name: &str| asked.parameter(name).parse::<usize>().ok().filter(|number| *number > 0);
        let size = number("per_page").unwrap_or(PAGE).min(LARGEST);
        let page = number("page").unwrap_or(1);
        let last = all.len().div_ceil(size).max(1);
        let from = ((page - 1) * size).min(all.len());
        let shown = &all[from..(from + size).min(all.len())];
        let mut links = Vec::new();
        if page > 1 {
            links.push(self.link(asked, page - 1, "prev"));
        }
        if page < last {
            links.push(self.link(asked, page + 1, "next"));
            links.push(self.link(asked, last, "last"));
        }
        if page > 1 {
            links.push(self.link(asked, 1, "first"));
        }
        (shown, (!links.is_empty()).then(|| links.join(", ")))
    }

    fn link(&self, asked: &Asked, page: usize, rel: &str) -> String {
        let others = asked.query.iter().filter(|(name, _)| name != "page");
        let query = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(others)
            .append_pair("page", &page.to_string())
            .finish();
        format!("<{}{}?{query}>; rel=\"{rel}\"", self.base, asked.path)
    }
}

impl Asked {
    /// A parameter that takes one of these values; the first when it is not there.
    pub fn one_of(&self, resource: &str, name: &str, values: &[&'static str]) -> Result<&'static str, Refusal> {
        let said = self.parameter(name);
        let default = values.first().copied().unwrap_or("");
        if said.is_empty() {
            return Ok(default);
        }
        let found = values.iter().find(|value| **value == said);
        found.copied().ok_or_else(|| Refusal::invalid_value(resource, name, &json!(said)))
    }

    /// The time in `since`, in seconds since 1970.
    pub fn since(&self, resource: &str) -> Result<Option<i64>, Refusal> {
        match self.parameter("since") {
            "" => Ok(None),
            said => match read_time(said) {
                Some(time) => Ok(Some(time)),
                None => Err(Refusal::invalid_value(resource, "since", &json!(said))),
            },
        }
    }
}
