//! Where a browser gives its API key.

use std::sync::Arc;

use askama::Template;
use axum::Form;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use serde::Deserialize;

use super::{lead_to, page};
use crate::app::App;
use crate::http::guard;

#[derive(Template)]
#[template(path = "login.html")]
struct Login {
    wrong: bool,
}

/// What the sign-in form sends.
#[derive(Deserialize)]
pub struct SignIn {
    key: String,
}

/// `GET /login`: where a browser gives its API key.
pub async fn login() -> Response {
    page(&Login { wrong: false })
}

/// `POST /login`: keeps a right key in a cookie.
pub async fn sign_in(State(app): State<Arc<App>>, Form(form): Form<SignIn>) -> Response {
    if !guard::is_key(form.key.trim(), &app) {
        let mut response = page(&Login { wrong: true });
        *response.status_mut() = StatusCode::UNAUTHORIZED;
        return response;
    }
    let cookie = format!("{}={}; HttpOnly; SameSite=Lax; Path=/", guard::COOKIE, guard::cookie_value(form.key.trim()));
    lead_to("/", HeaderValue::from_str(&cookie).ok())
}
