//! The tickets of this program itself: the list, and one with what can be done to it.

use std::collections::BTreeMap;
use std::sync::Arc;

use askama::Template;
use axum::body::Body;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use clew_adapters::chat::{Card, Tone};
use clew_adapters::trackers::Category;
use clew_adapters::trackers::local::{self, Kept, NAME, Note, Tickets as _, number, status};
use serde::Deserialize;

use super::name::Name;
use super::show::{CardView, Stand, when};
use super::{Instead, badge, blocking, failed, form, lead_to, message, page};
use crate::app::App;
use crate::clock;
use crate::commands;
use crate::queue::Work;
use crate::store::StoreError;

/// Tickets on a page of the list.
const PAGE: usize = 50;
/// Where a ticket can stand.
const CATEGORIES: [Category; 3] = [Category::ToDo, Category::InProgress, Category::Done];

type Answer = Result<Response, Instead>;

/// Which part of the list.
#[derive(Deserialize)]
pub struct Before {
    before: Option<u64>,
}

#[derive(Template)]
#[template(path = "tickets.html")]
struct ListPage {
    badge: String,
    rows: Vec<Row>,
    next: Option<u64>,
    /// Where else tickets are opened.
    elsewhere: Vec<&'static str>,
}

struct Row {
    key: String,
    title: String,
    severity: &'static str,
    status: &'static str,
    assignee: String,
    incidents: Vec<String>,
    age: String,
}

#[derive(Template)]
#[template(path = "ticket.html")]
struct TicketPage {
    badge: String,
    key: String,
    title: String,
    card: CardView,
    statuses: Vec<(&'static str, bool)>,
    assignee: String,
    incidents: Vec<String>,
    notes: Vec<(String, Note)>,
    me: String,
}

/// `GET /tickets`: the latest first.
pub async fn list(State(app): State<Arc<App>>, Query(part): Query<Before>) -> Answer {
    let shown = blocking(&app, move |app| {
        let tickets = app.store.tickets(part.before, PAGE + 1)?;
        let next = tickets.get(PAGE).and(tickets.get(PAGE - 1)).map(|ticket| ticket.number);
        let rows = tickets.into_iter().take(PAGE).map(|ticket| row(app, ticket)).collect::<Result<_, _>>()?;
        let elsewhere = app.offered_trackers().into_iter().filter(|(name, _)| *name != NAME).map(|(_, noun)| noun);
        Ok(ListPage { badge: badge(app), rows, next, elsewhere: elsewhere.collect() })
    });
    Ok(page(&shown.await?))
}

fn row(app: &App, ticket: Kept) -> Result<Row, StoreError> {
    let key = key(&ticket);
    Ok(Row {
        incidents: incidents(app, &key)?,
        key,
        title: ticket.title,
        severity: ticket.severity.name(),
        status: status(ticket.category),
        assignee: ticket.assignee.unwrap_or_default(),
        age: clock::parse(&ticket.created_at).map(|at| clock::duration(clock::now() - at)).unwrap_or_default(),
    })
}

fn key(ticket: &Kept) -> String {
    format!("T-{}", ticket.number)
}

fn incidents(app: &App, key: &str) -> Result<Vec<String>, StoreError> {
    Ok(app.store.incidents_of_ticket(NAME, key)?.iter().map(ToString::to_string).collect())
}

/// `GET /tickets/{key}`: one.
pub async fn one(State(app): State<Arc<App>>, Path(key): Path<String>, headers: HeaderMap) -> Answer {
    let me = Name::of(&app, &headers, None).said;
    let number = number(&key).ok_or_else(|| missing(&key))?;
    let found = blocking(&app, move |app| {
        let Some(ticket) = app.store.get(number).map_err(unread)? else { return Ok(None) };
        let incidents = incidents(app, &self::key(&ticket))?;
        Ok(Some((ticket, incidents, badge(app))))
    });
    let (ticket, incidents, badge) = found.await?.ok_or_else(|| missing(&key))?;
    Ok(page(&shown(ticket, incidents, badge, me)))
}

fn shown(ticket: Kept, incidents: Vec<String>, badge: String, me: String) -> TicketPage {
    let (key, now) = (key(&ticket), clock::now());
    let tone = if ticket.category == Category::Done { Tone::Good } else { Tone::Warning };
    let card = Card {
        tone,
        title: format!("{key} · {}", ticket.title),
        lead: Vec::new(),
        facts: Vec::new(),
        sections: ticket.description,
        controls: Vec::new(),
        footer: format!("{} · {} · opened {}", status(ticket.category), ticket.severity.name(), ticket.created_at),
    };
    let here = format!("/tickets/{key}");
    let at = |note: &Note| clock::parse(&note.at).map_or_else(|| note.at.clone(), |at| when(at, now));
    TicketPage {
        badge,
        title: ticket.title,
        card: CardView::of(card, Stand { link: None, action: here.clone(), back: here, short: false }),
        statuses: CATEGORIES.map(|category| (status(category), category == ticket.category)).to_vec(),
        assignee: ticket.assignee.unwrap_or_default(),
        incidents,
        notes: ticket.comments.into_iter().map(|note| (at(&note), note)).collect(),
        me,
        key,
    }
}

/// `POST /tickets/{key}`: `status`, `assignee` or `comment`.
pub async fn act(State(app): State<Arc<App>>, Path(key): Path<String>, headers: HeaderMap, body: Body) -> Answer {
    let number = number(&key).ok_or_else(|| missing(&key))?;
    let fields: BTreeMap<String, String> = form(&app, body).await?;
    let name = Name::of(&app, &headers, fields.get("name").map(String::as_str));
    let said = |field: &str| fields.get(field).map(|text| commands::tidy(&app, text));
    let (wanted, assignee, comment) = (said("status"), said("assignee"), said("comment"));
    let author = name.shown().to_owned();
    let change = move |ticket: &mut Kept, now: &str| {
        let category = CATEGORIES.into_iter().find(|category| Some(status(*category)) == wanted.as_deref());
        ticket.category = category.unwrap_or(ticket.category);
        if let Some(assignee) = &assignee {
            ticket.assignee = Some(assignee.clone()).filter(|name| !name.is_empty());
        }
        if let Some(text) = comment.as_ref().filter(|text| !text.is_empty()) {
            let note = Note { author: author.clone(), text: text.clone(), at: now.to_owned(), name: None };
            ticket.comments.push(note);
        }
    };
    let changed = blocking(&app, move |app| change_one(app, number, change)).await?;
    if !changed {
        return Err(missing(&key));
    }
    app.store.kept().await.map_err(failed)?;
    Ok(lead_to(&format!("/tickets/T-{number}"), name.cookie))
}

/// Changes a ticket, and has its incidents brought in step with it.
fn change_one(app: &App, number: u64, mut change: impl FnMut(&mut Kept, &str)) -> Result<bool, StoreError> {
    let changed = local::Tickets::change(&*app.store, number, &mut change).map_err(unread)?;
    let follow = Work::FollowTicket { tracker: NAME.to_owned(), key: format!("T-{number}") };
    if changed.is_some() {
        app.store.change(|batch| batch.job(follow, false, clock::now()))?;
    }
    Ok(changed.is_some())
}

fn unread(error: clew_adapters::Error) -> StoreError {
    StoreError::Failed(error.to_string())
}

fn missing(key: &str) -> Instead {
    message(StatusCode::NOT_FOUND, "There is no such ticket", &format!("There is no ticket {key}."), "/tickets")
}
