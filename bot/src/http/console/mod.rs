//! The web console: pages for people without a chat account. They work without JavaScript; with it, files can be dropped and
//! the chat shows what is new by itself. One file a group of pages.

pub mod chat;
pub mod incidents;
mod name;
mod show;
pub mod sign_in;
pub mod tickets;
pub mod triage;
pub mod work;

use std::sync::Arc;

use askama::Template;
use axum::Form;
use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use serde::de::DeserializeOwned;

use super::error::Problem;
use super::request;
use crate::app::App;
use crate::store::{Filter, StoreError};

pub use name::remember;

/// Open incidents that the navigation counts.
const COUNTED: usize = 99;

#[derive(Template)]
#[template(path = "message.html")]
struct Message<'a> {
    heading: &'a str,
    text: &'a str,
    back: &'a str,
}

/// `GET /style.css`
pub async fn style() -> Response {
    ([(header::CONTENT_TYPE, "text/css; charset=utf-8")], include_str!("../../../templates/style.css")).into_response()
}

/// `GET /console.js`
pub async fn script() -> Response {
    javascript(include_str!("../../../templates/console.js"))
}

/// `GET /chat.js`
pub async fn chat_script() -> Response {
    javascript(include_str!("../../../templates/chat.js"))
}

fn javascript(text: &'static str) -> Response {
    ([(header::CONTENT_TYPE, "text/javascript; charset=utf-8")], text).into_response()
}

/// What is shown instead of the page that was asked for. In a box, so that results with it stay small.
pub struct Instead(Box<Response>);

impl IntoResponse for Instead {
    fn into_response(self) -> Response {
        *self.0
    }
}

impl From<Problem> for Instead {
    fn from(problem: Problem) -> Self {
        Self(Box::new(problem.into_response()))
    }
}

/// A page that says one thing; `back` is where the person came from.
fn message(status: StatusCode, heading: &str, text: &str, back: &str) -> Instead {
    let mut response = page(&Message { heading, text, back });
    *response.status_mut() = status;
    Instead(Box::new(response))
}

/// A page that says that the store failed.
fn failed(error: StoreError) -> Instead {
    tracing::error!(%error, "a page could not be made");
    if let StoreError::DiskFull = error {
        return message(StatusCode::SERVICE_UNAVAILABLE, "There is no room on the disk", &error.to_string(), "/");
    }
    let text = "The log of clew says what. Try again; what was kept is not lost.";
    message(StatusCode::INTERNAL_SERVER_ERROR, "Something went wrong here", text, "/")
}

/// Renders a page. Nothing but its own style and scripts may load: a log line that gets past the escaping stays inert.
pub fn page(template: &impl Template) -> Response {
    let html = match template.render() {
        Ok(html) => html,
        Err(error) => return Problem::internal(&error).into_response(),
    };
    let mut response = Html(html).into_response();
    let headers = response.headers_mut();
    let policy = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    // Not `no-referrer`: with that, browsers send `Origin: null` with a form, and the guard cannot tell it from a foreign one.
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    // What an incident says is not for the disk of a shared machine.
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// Leads on after a form; the browser asks for `to` with GET. `cookie` is set on the way.
fn lead_to(to: &str, cookie: Option<HeaderValue>) -> Response {
    let mut response = Redirect::to(to).into_response();
    if let Some(cookie) = cookie {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    response
}

/// What a form sends, up to the limits of the settings.
async fn form<T: DeserializeOwned>(app: &App, body: Body) -> Result<T, Instead> {
    let body = request::body(body, &app.config().http).await?;
    let mut request = axum::http::Request::post("/")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Body::from(body))
        .map_err(|error| Problem::internal(&error))?;
    // The body was limited above, by the setting.
    axum::extract::DefaultBodyLimit::disable().apply(&mut request);
    let form = <Form<T> as axum::extract::FromRequest<()>>::from_request(request, &()).await;
    let unread = |_| {
        let text = "The form did not arrive whole. Go back and send it again.";
        message(StatusCode::BAD_REQUEST, "That could not be read", text, "/")
    };
    form.map(|Form(form)| form).map_err(unread)
}

/// Whether `logs` are no more lines than the settings allow.
fn few_enough(app: &App, logs: &str, back: &str) -> Result<(), Instead> {
    let most = app.config().http.max_lines;
    if logs.lines().count() <= most {
        return Ok(());
    }
    let text = format!("At most {most} lines are read. Send the part around the failure, or raise http.max_lines.");
    Err(message(StatusCode::PAYLOAD_TOO_LARGE, "That is too much", &text, back))
}

/// Runs what reads or changes the store on a blocking thread.
async fn blocking<T: Send + 'static>(
    app: &Arc<App>,
    work: impl FnOnce(&Arc<App>) -> Result<T, StoreError> + Send + 'static,
) -> Result<T, Instead> {
    let app = Arc::clone(app);
    let done = tokio::task::spawn_blocking(move || work(&app)).await;
    done.map_err(|error| failed(StoreError::Failed(error.to_string())))?.map_err(failed)
}

/// The number beside "Incidents" in the navigation: those that are not over. Empty when there is none, or nobody knows.
fn badge(app: &App) -> String {
    match app.store.incidents(&Filter { states: incidents::NOT_OVER.to_vec(), ..Filter::default() }, None, COUNTED) {
        Ok(page) if page.next.is_some() => format!("{COUNTED}+"),
        Ok(page) if page.items.is_empty() => String::new(),
        Ok(page) => page.items.len().to_string(),
        Err(error) => {
            tracing::warn!(%error, "the open incidents could not be counted");
            String::new()
        }
    }
}

/// `text` as a part of an address.
fn encoded(text: &str) -> String {
    use std::fmt::Write as _;
    text.bytes().fold(String::new(), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            // Writing into a string cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
        out
    })
}
