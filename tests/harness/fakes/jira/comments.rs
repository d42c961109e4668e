//! Comments.

use serde_json::{Value, json};

use super::calls::{Answered, Asked};
use super::create::check_members;
use super::documents::{LONGEST, Text, Wrong};
use super::refusal::Refusal;
use super::state::{Comment, State, now};
use super::{Version, users};

impl State {
    /// `POST issue/{key}/comment`.
    pub fn comment(&mut self, asked: &Asked<'_>) -> Answered {
        let mut issue = self.named(asked)?;
        let bot = users::bot(self.flavour);
        let comment = self.new_comment(&asked.body, asked.version, bot)?;
        issue.comments.push(comment.clone());
        self.keep(issue.clone(), bot);
        Ok((201, self.shown_comment(&issue, &comment, asked.version, asked.expands("properties"))))
    }

    /// `GET issue/{key}/comment`.
    pub fn list_comments(&self, asked: &Asked<'_>) -> Answered {
        let issue = self.named(asked)?;
        let mut comments: Vec<&Comment> = issue.comments.iter().collect();
        match asked.parameter("orderBy").map(str::trim) {
            None | Some("" | "created" | "+created") => {}
            Some("-created") => comments.reverse(),
            Some(other) => return Err(Refusal::says(400, &format!("Ordering comments by '{other}' is not supported"))),
        }
        let total = comments.len();
        let (start, most) = (asked.number("startAt").unwrap_or(0), asked.number("maxResults").unwrap_or(100).min(100));
        let page = comments.into_iter().skip(start).take(most);
        let properties = asked.expands("properties");
        let page = page.map(|comment| self.shown_comment(&issue, comment, asked.version, properties));
        Ok((200, json!({"startAt": start, "maxResults": most, "total": total, "comments": page.collect::<Vec<_>>()})))
    }

    /// A comment from what was sent, not yet below its issue.
    pub fn new_comment(&mut self, sent: &Value, version: Version, by: &str) -> Result<Comment, Refusal> {
        check_members(sent, &["body", "properties", "visibility"])?;
        let wrong = |message: &str| Refusal::field("comment", message);
        let body = match Text::take(&sent["body"], version) {
            Ok(body) if body.is_blank() => return Err(wrong("Comment body can not be empty!")),
            Ok(body) => body,
            Err(Wrong::Kind) if sent["body"].is_null() => return Err(wrong("Comment body can not be empty!")),
            Err(Wrong::Kind) => return Err(wrong("Comment body is not valid!")),
            Err(Wrong::Shape(why)) => return Err(wrong("Comment body is not valid!").because(why)),
            Err(Wrong::Length) => {
                let limit = format!("{},{:03}", LONGEST / 1_000, LONGEST % 1_000);
                return Err(wrong(&format!(
                    "The entered text is too long. It exceeds the allowed limit of {limit} characters."
                )));
            }
        };
        let properties = match &sent["properties"] {
            Value::Null => json!([]),
            properties => properties.clone(),
        };
        for property in properties.as_array().ok_or_else(|| Refusal::says(400, "'properties' must be a list"))? {
            let named = property["key"].as_str().is_some_and(|key| !key.is_empty() && key.len() <= 255);
            if !named || property.get("value").is_none() {
                return Err(Refusal::says(400, "A property has a key of up to 255 characters and a value."));
            }
        }
        Ok(Comment { id: self.next_id(), author: by.to_owned(), body, created: now(), properties })
    }
}
