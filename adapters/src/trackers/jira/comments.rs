//! Comments. Ours carry a property that names them, so that none is written twice.

use serde::Deserialize;
use serde_json::{Value, json};

use super::answers::{User, time};
use super::refusal::About;
use super::settings::Deployment;
use super::{Jira, adf, wiki};
use crate::Error;
use crate::chat::Rich;
use crate::trackers::Comment;

/// Name of the property.
const PROPERTY: &str = "clew";
/// Comments among which one of ours is looked for, and those that are told.
const LOOKED_AT: usize = 100;
const TOLD: usize = 50;

#[derive(Deserialize)]
struct Page {
    #[serde(default)]
    comments: Vec<Written>,
    #[serde(default)]
    total: usize,
}

/// A comment.
#[derive(Deserialize)]
struct Written {
    #[serde(default)]
    id: String,
    #[serde(default)]
    author: Option<User>,
    #[serde(default)]
    body: Value,
    #[serde(default)]
    created: String,
    #[serde(default)]
    properties: Vec<Property>,
}

#[derive(Deserialize)]
struct Property {
    #[serde(default)]
    key: String,
    #[serde(default)]
    value: Value,
}

impl Jira {
    /// Writes a comment, unless one of this name is among the last ones.
    pub(super) async fn comment(&self, key: &str, words: &Rich, name: &str) -> Result<(), Error> {
        let about = About::ticket(key, "Add Comments")?;
        if self.last_comments(key, LOOKED_AT).await?.iter().any(|comment| comment.name().as_deref() == Some(name)) {
            return Ok(());
        }
        let body = match self.client.deployment().await? {
            Deployment::Cloud => adf::comment(words),
            Deployment::Server => wiki::comment(words).into(),
        };
        let comment = json!({"body": body, "properties": [{"key": PROPERTY, "value": {"name": name}}]});
        self.client.post(&format!("/issue/{key}/comment"), &comment, about).await?;
        Ok(())
    }

    /// The last comments, oldest first.
    pub(super) async fn told_comments(&self, key: &str) -> Result<Vec<Comment>, Error> {
        let mut last = self.last_comments(key, TOLD).await?;
        last.truncate(TOLD);
        Ok(last.into_iter().rev().map(Written::told).collect())
    }

    /// The last comments, newest first.
    async fn last_comments(&self, key: &str, most: usize) -> Result<Vec<Written>, Error> {
        let page = self.comments_from(key, most, 0).await?;
        // An old Server knows no order but its own: there the newest stand at the end.
        let is_ascending = match (page.comments.first(), page.comments.last()) {
            (Some(first), Some(last)) => time(&first.created) < time(&last.created),
            _ => false,
        };
        let mut comments = page.comments;
        if is_ascending && page.total > comments.len() {
            comments = self.comments_from(key, most, page.total.saturating_sub(most)).await?.comments;
        }
        if is_ascending {
            comments.reverse();
        }
        Ok(comments)
    }

    async fn comments_from(&self, key: &str, most: usize, start: usize) -> Result<Page, Error> {
        let about = About::ticket(key, "Browse Projects")?;
        let query = format!("orderBy=-created&maxResults={most}&startAt={start}&expand=properties");
        self.client.get(&format!("/issue/{key}/comment?{query}"), about).await
    }
}

impl Written {
    /// The name that we gave it.
    fn name(&self) -> Option<String> {
        let ours = self.properties.iter().find(|property| property.key == PROPERTY)?;
        ours.value["name"].as_str().map(str::to_owned)
    }

    fn told(self) -> Comment {
        let text = match &self.body {
            Value::String(text) => wiki::plain(text),
            document => adf::plain(document),
        };
        Comment {
            name: self.name(),
            author: self.author.map_or_else(|| "somebody".to_owned(), |author| author.called()),
            text,
            at: time(&self.created).unwrap_or_default(),
            id: self.id,
        }
    }
}
