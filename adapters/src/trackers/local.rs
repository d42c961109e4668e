//! The tickets of this program itself: for those who have no tracker, and for trying everything without one.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Account, Category, Change, Comment, Created, Draft, Manners, Ticket, Tracker};
use crate::Error;
use crate::alerts::Severity;
use crate::chat::{Section, text};
use crate::code::Developer;

/// The name of this tracker.
pub const NAME: &str = "local";
/// Comments of a ticket that are told.
const TOLD: usize = 50;

/// A ticket as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// Its number.
    pub number: u64,
    /// What it is found by.
    pub marker: String,
    /// Its title.
    pub title: String,
    /// Its text.
    pub description: Vec<Section>,
    /// How bad it is.
    pub severity: Severity,
    /// Where it stands.
    pub category: Category,
    /// Who has it.
    pub assignee: Option<String>,
    /// What was written below it.
    pub comments: Vec<Note>,
    /// When it was made.
    pub created_at: String,
    /// When it last changed.
    pub updated_at: String,
}

/// A comment as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// Who wrote it.
    pub author: String,
    /// What.
    pub text: String,
    /// When.
    pub at: String,
    /// Its name, if it is our own.
    pub name: Option<String>,
}

/// Where tickets are kept. Whoever keeps them knows what time it is, and sets [`Kept::created_at`] and [`Kept::updated_at`].
pub trait Tickets: Send + Sync {
    /// Keeps a new ticket, under the next number.
    ///
    /// # Errors
    /// When it cannot be kept.
    fn add(&self, draft: &Draft) -> Result<Kept, Error>;

    /// A ticket by its number.
    ///
    /// # Errors
    /// When it cannot be read.
    fn get(&self, number: u64) -> Result<Option<Kept>, Error>;

    /// The tickets with a marker, oldest first.
    ///
    /// # Errors
    /// When they cannot be read.
    fn marked(&self, marker: &str) -> Result<Vec<Kept>, Error>;

    /// The tickets that changed within the last so long.
    ///
    /// # Errors
    /// When they cannot be read.
    fn changed(&self, within: Duration) -> Result<Vec<Kept>, Error>;

    /// Changes a ticket. `None` when there is none of this number.
    ///
    /// # Errors
    /// When it cannot be kept.
    fn change(&self, number: u64, change: &mut dyn FnMut(&mut Kept, &str)) -> Result<Option<Kept>, Error>;
}

/// The tracker.
#[derive(Clone)]
pub struct Local {
    tickets: Arc<dyn Tickets>,
}

impl fmt::Debug for Local {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Local").finish_non_exhaustive()
    }
}

/// The number of a ticket that people call `T-12`.
#[must_use]
pub fn number(key: &str) -> Option<u64> {
    key.trim().to_ascii_uppercase().strip_prefix("T-")?.parse().ok()
}

/// Where a ticket stands, in words.
#[must_use]
pub fn status(category: Category) -> &'static str {
    match category {
        Category::ToDo => "open",
        Category::InProgress => "in progress",
        Category::Done => "done",
    }
}

impl From<Kept> for Ticket {
    fn from(kept: Kept) -> Self {
        Self {
            key: format!("T-{}", kept.number),
            url: format!("/tickets/T-{}", kept.number),
            title: kept.title,
            status: status(kept.category).to_owned(),
            category: kept.category,
            resolution: None,
            assignee: kept.assignee.map(|name| Account { id: name.clone(), name }),
            created_at: kept.created_at,
            updated_at: kept.updated_at,
        }
    }
}

impl Local {
    /// A tracker over what keeps its tickets.
    #[must_use]
    pub fn new(tickets: Arc<dyn Tickets>) -> Self {
        Self { tickets }
    }

    fn kept(&self, key: &str) -> Result<Kept, Error> {
        let kept = number(key).map(|number| self.tickets.get(number)).transpose()?.flatten();
        kept.ok_or_else(|| gone(key))
    }
}

fn gone(key: &str) -> Error {
    Error::Gone(format!("there is no ticket {key}"))
}

impl Tracker for Local {
    fn name(&self) -> &'static str {
        NAME
    }

    fn manners(&self) -> Manners {
        Manners { noun: "ticket", pace: Duration::ZERO, blind_for: Duration::ZERO }
    }

    async fn find(&self, marker: &str) -> Result<Option<Ticket>, Error> {
        let mut marked = self.tickets.marked(marker)?;
        let open = marked.iter().position(|kept| kept.category != Category::Done);
        let last = (0..marked.len()).max_by(|a, b| marked[*a].updated_at.cmp(&marked[*b].updated_at));
        Ok(open.or(last).map(|place| marked.swap_remove(place).into()))
    }

    async fn create(&self, draft: &Draft) -> Result<Created, Error> {
        let draft = Draft { title: text::one_line(&draft.title), ..draft.clone() };
        let draft = &draft;
        Ok(Created { ticket: self.tickets.add(draft)?.into(), left_out: Vec::new() })
    }

    async fn change(&self, key: &str, change: &Change) -> Result<(), Error> {
        let number = number(key).ok_or_else(|| gone(key))?;
        let changed = self.tickets.change(number, &mut |kept, now| match change {
            Change::Move(category) => kept.category = *category,
            Change::Comment { name, .. } if kept.comments.iter().any(|note| note.name.as_ref() == Some(name)) => {}
            Change::Comment { text: said, name } => kept.comments.push(Note {
                author: "clew".to_owned(),
                text: text::plain(said),
                at: now.to_owned(),
                name: Some(name.clone()),
            }),
        })?;
        changed.map(drop).ok_or_else(|| gone(key))
    }

    async fn ticket(&self, key: &str) -> Result<Ticket, Error> {
        self.kept(key).map(Ticket::from)
    }

    async fn comments(&self, key: &str) -> Result<Vec<Comment>, Error> {
        let notes = self.kept(key)?.comments;
        let surplus = notes.len().saturating_sub(TOLD);
        let told = notes.into_iter().enumerate().skip(surplus).map(|(place, note)| Comment {
            id: place.to_string(),
            author: note.author,
            text: note.text,
            at: note.at,
            name: note.name,
        });
        Ok(told.collect())
    }

    async fn changed(&self, within: Duration) -> Result<Vec<Ticket>, Error> {
        Ok(self.tickets.changed(within)?.into_iter().map(Ticket::from).collect())
    }

    /// Nobody has an account here, so a ticket can be given to any name.
    async fn account(&self, developer: &Developer) -> Result<Option<Account>, Error> {
        let name = Some(&developer.login).filter(|login| !login.is_empty()).or_else(|| developer.emails.first());
        Ok(name.map(|name| Account { id: name.clone(), name: name.clone() }))
    }
}
