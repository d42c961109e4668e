//! `clew serve`: the HTTP API and the console.

use std::sync::Arc;

use clew_adapters::chat::Hears;
use clew_adapters::trackers::{AnyTracker, Tracker as _};
use tokio::net::TcpListener;

use super::{BAD_INPUT, FAILED, VERDICT, refuse};
use crate::app::{App, StartError};
use crate::config::Settings;
use crate::http;

/// Seconds that requests under way have to end after SIGTERM.
const GRACE_SECONDS: u64 = 20;

/// Starts, serves until SIGTERM or Ctrl-C, shuts down cleanly.
pub fn run(settings: Settings) -> u8 {
    println!("clew {} is starting …", env!("CARGO_PKG_VERSION"));
    let app = match App::start(settings) {
        Ok(app) => app,
        Err(StartError::Config(error)) => return refuse(&error, BAD_INPUT),
        Err(error) => return refuse(&error, FAILED),
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return refuse(&error, FAILED),
    };
    let code = runtime.block_on(serve(Arc::clone(&app)));
    runtime.shutdown_timeout(std::time::Duration::from_secs(1));
    // The store is closed with the last part that uses it.
    if let Err(error) = app.store.flush() {
        return refuse(&error, FAILED);
    }
    code
}

async fn serve(app: Arc<App>) -> u8 {
    let addr = app.config().http.addr;
    let listener = match TcpListener::bind(addr).await {
        Ok(listener) => listener,
        Err(error) => {
            let text = format!("http.addr: cannot listen on {addr}: {error}. Set CLEW_HTTP_ADDR to another address");
            return refuse(&text, FAILED);
        }
    };
    let addr = listener.local_addr().unwrap_or(addr);
    let asked_to_stop = match asked_to_stop() {
        Ok(asked) => asked,
        Err(error) => return refuse(&format!("signals cannot be received: {error}"), FAILED),
    };
    greet(&app, addr);
    let stop = tokio_util::sync::CancellationToken::new();
    let tasks = tokio_util::task::TaskTracker::new();
    app.begin(&stop, &tasks);
    let server = axum::serve(listener, http::router(app)).with_graceful_shutdown(stop.clone().cancelled_owned());
    let server = server.into_future();
    tokio::pin!(server);
    tokio::select! {
        done = &mut server => return ended(done),
        () = asked_to_stop => {}
    }
    println!("clew is stopping: requests and jobs under way have {GRACE_SECONDS} s to end; what waits is kept");
    stop.cancel();
    tasks.close();
    let end = async { tokio::join!(server, tasks.wait()).0 };
    if let Ok(done) = tokio::time::timeout(std::time::Duration::from_secs(GRACE_SECONDS), end).await {
        ended(done)
    } else {
        tracing::warn!("some requests or jobs did not end in time; jobs run again at the next start");
        VERDICT
    }
}

fn ended(done: std::io::Result<()>) -> u8 {
    match done {
        Ok(()) => VERDICT,
        Err(error) => refuse(&error, FAILED),
    }
}

/// What a newcomer wants to know.
fn greet(app: &App, addr: std::net::SocketAddr) {
    let config = app.config();
    let loaded = app.pipeline.loaded();
    println!("  console and API  http://{addr}/   (API: http://{addr}/docs)");
    for part in &loaded.parts {
        println!("  loaded           {part}");
    }
    for skipped in app.pipeline.skipped() {
        println!("  NOT LOADED       {}: {}", skipped.stage, skipped.why);
    }
    println!("  state            {}", config.data.dir.display());
    let formats: Vec<&str> = clew_adapters::alerts::FORMATS.iter().map(|format| format.name()).collect();
    println!("  alerts           POST http://{addr}/webhooks/… ({})", formats.join(", "));
    let jobs = app.store.jobs().unwrap_or_default();
    if !jobs.is_empty() {
        let dead = jobs.iter().filter(|job| job.dead).count();
        println!("  work             {} jobs wait from before, {dead} dead letters (GET /jobs)", jobs.len() - dead);
    }
    for integration in clew_adapters::INTEGRATIONS {
        if let Some(chat) = app.chat(integration.section) {
            let shown = config.channel(integration.section);
            let shown =
                shown.map_or_else(|| "no channel is set".to_owned(), |channel| format!("incidents in {channel}"));
            match chat.hears() {
                Hears::By(way) => println!("  {:<16} {shown}; people are heard by {way}", integration.name),
                Hears::Not(missing) => println!("  {:<16} {shown}; people are NOT heard: {missing}", integration.name),
            }
        } else if let Some(tracker) = app.tracker(integration.section) {
            println!("  {:<16} {}s can be opened", integration.name, tracker.manners().noun);
        } else if config.is_configured(integration.section, integration.keys) {
            println!("  {:<16} settings found, but this version does not connect to it yet", integration.name);
        } else {
            println!("  {:<16} not configured: {}", integration.name, integration.setup);
        }
    }
    match app.tracker(app.default_tracker()) {
        Some(AnyTracker::Local(_)) | None => println!("  tickets          kept here: http://{addr}/tickets"),
        Some(tracker) => println!("  tickets          {}s, unless somebody says where", tracker.manners().noun),
    }
    println!("clew is ready. Ctrl-C stops it.");
}

/// SIGTERM or Ctrl-C. Listened for from the moment this is called, which is before anyone is told that clew is ready.
fn asked_to_stop() -> std::io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}
