//! Looks again and again what changed in trackers and where the code is: for those whose systems cannot reach this address, and
//! for what was delivered while this program was down. Nothing is asked that costs anything when nothing changed.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use clew_adapters::Error;
use clew_adapters::code::{CodeHost, Pull};
use clew_adapters::trackers::{AnyTracker, Ticket, Tracker};
use tokio::time::Instant;

use crate::app::App;
use crate::clock;
use crate::incident::IncidentId;
use crate::queue::Work;
use crate::store::{KnownPull, StoreError};
use crate::tickets;

/// What changed longer ago is not looked for after a long downtime.
const LONGEST: Duration = Duration::from_hours(30 * 24);
/// Time between two looks at all open pull requests that name incidents.
const ALL_EVERY: Duration = Duration::from_mins(10);
/// How far the clock of a host of code may be off, and how coarse it may be.
const CLOCKS: chrono::Duration = chrono::Duration::minutes(5);
/// The name under which it is noted until when changes of the code are known.
const CODE: &str = "code";

/// What went wrong at a look.
enum Failed {
    Outside(Error),
    Here(StoreError),
}

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        Self::Outside(error)
    }
}

impl From<StoreError> for Failed {
    fn from(error: StoreError) -> Self {
        Self::Here(error)
    }
}

/// Looks, until the program ends.
pub async fn run(app: &Arc<App>) {
    let mut watch = Watch::default();
    loop {
        for tracker in app.trackers() {
            let looked = watch.tickets(app, tracker).await;
            watch.note(tracker.name(), looked);
        }
        if let Some(code) = app.code().filter(|code| code.can_ask()) {
            let looked = watch.pulls(app, code).await;
            watch.note(CODE, looked);
        }
        tokio::time::sleep(Duration::from_secs(app.config().tickets.poll_seconds)).await;
    }
}

/// What is known from the looks before.
#[derive(Default)]
struct Watch {
    /// Systems that are not asked before.
    wait: HashMap<String, Instant>,
    /// Systems that failed at the last look: it is said once.
    failing: HashMap<String, String>,
    /// When all open pull requests were last looked at.
    all_at: Option<Instant>,
    /// Pull requests as they were last seen.
    pulls: HashMap<(String, u64), Pull>,
}

impl Watch {
    fn note(&mut self, system: &str, looked: Result<(), Failed>) {
        let error = match looked {
            Ok(()) => {
                if self.failing.remove(system).is_some() {
                    tracing::info!(system, "what changes there is seen again");
                }
                return;
            }
            Err(Failed::Here(error)) => error.to_string(),
            Err(Failed::Outside(error)) => {
                if let Error::Transient { retry_after: Some(after), .. } = &error {
                    self.wait.insert(system.to_owned(), Instant::now() + *after);
                }
                error.to_string()
            }
        };
        if self.failing.get(system) != Some(&error) {
            tracing::warn!(system, error, "what changed there cannot be seen; it is looked for again");
        }
        self.failing.insert(system.to_owned(), error);
    }

    fn must_wait(&self, system: &str) -> bool {
        self.wait.get(system).is_some_and(|until| Instant::now() < *until)
    }

    /// Looks which tickets changed.
    async fn tickets(&mut self, app: &App, tracker: &AnyTracker) -> Result<(), Failed> {
        let name = tracker.name();
        if self.must_wait(name) || !app.store.has_tickets(name)? {
            return Ok(());
        }
        let now = clock::now();
        let within = app.store.followed_until(name)?.and_then(|until| (now - until).to_std().ok());
        let changed = tracker.changed(within.unwrap_or_default().min(LONGEST)).await?;
        app.store.change(|batch| {
            for ticket in &changed {
                let incidents = batch.store.incidents_of_ticket(name, &ticket.key)?;
                if is_news(app, &incidents, name, ticket)? {
                    let work = Work::FollowTicket { tracker: name.to_owned(), key: ticket.key.clone() };
                    batch.job(work, false, now)?;
                }
            }
            batch.followed_until(name, now)
        })?;
        Ok(())
    }

    /// Looks which pull requests changed, and the checks of those that are open.
    async fn pulls(&mut self, app: &App, code: &CodeHost) -> Result<(), Failed> {
        if self.must_wait(CODE) {
            return Ok(());
        }
        let now = clock::now();
        let until = app.store.followed_until(CODE)?.map(|until| until - CLOCKS);
        let until = until.map(|until| until.to_rfc3339_opts(chrono::SecondsFormat::Millis, true));
        let mut look_at = Vec::new();
        let mut seen = HashMap::new();
        for pull in code.changed(until.as_deref()).await? {
            let key = (pull.repo.clone(), pull.number);
            let before = self.pulls.get(&key);
            if before != Some(&pull) && matters(app, &pull, before.is_some(), until.as_deref())? {
                look_at.push(key.clone());
            }
            seen.insert(key, pull);
        }
        let open = app.store.open_pulls()?;
        if self.all_at.is_none_or(|at| at.elapsed() >= ALL_EVERY) {
            // What fell out of the list while nobody looked.
            look_at.extend(open.iter().map(|(repo, number, _)| (repo.clone(), *number)));
            self.all_at = Some(Instant::now());
        }
        app.store.change(|batch| {
            // The latest comes first in the list, and what came first must be known first.
            for (repo, number) in look_at.into_iter().rev() {
                batch.job(Work::FollowPull { repo, number, told: None }, false, now)?;
            }
            batch.followed_until(CODE, now)
        })?;
        self.pulls = seen;
        look_at_checks(app, code, open).await
    }
}

/// Looks at the checks of pull requests that are open: they change without them.
async fn look_at_checks(app: &App, code: &CodeHost, open: Vec<(String, u64, KnownPull)>) -> Result<(), Failed> {
    for (repo, number, known) in open {
        let checks = match code.checks(&repo, &known.head).await {
            Ok(checks) => checks,
            Err(error @ Error::Transient { .. }) => return Err(error.into()),
            Err(error) => {
                tracing::debug!(%error, repo, number, "the checks of a pull request cannot be seen");
                continue;
            }
        };
        let mut is_news = false;
        for id in &known.incidents {
            let Some(incident) = app.store.incident(*id)? else { continue };
            let mut linked = incident.followed.pulls.iter().map(|linked| &linked.pull);
            is_news |= linked
                .any(|pull| pull.number == number && pull.repo.eq_ignore_ascii_case(&repo) && pull.checks != checks);
        }
        if is_news {
            let work = Work::FollowPull { repo, number, told: None };
            app.store.change(|batch| batch.job(work, false, clock::now()))?;
        }
    }
    Ok(())
}

/// Whether a ticket is not as its incidents know it.
fn is_news(app: &App, incidents: &[IncidentId], name: &str, ticket: &Ticket) -> Result<bool, StoreError> {
    for id in incidents {
        let Some(incident) = app.store.incident(*id)? else { continue };
        let known = incident.ticket(name, &ticket.key).and_then(|linked| linked.ticket.as_ref());
        // Some trackers count in seconds: two changes in one second have the same time.
        if known.is_some_and(|known| known != ticket) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether a pull request may have to do with an incident: it is known to, it says so, or it changed since the last look and its
/// commits may say so. `has_changed`: since it was seen by this program.
fn matters(app: &App, pull: &Pull, has_changed: bool, until: Option<&str>) -> Result<bool, StoreError> {
    let known = app.store.pull(&pull.repo, pull.number)?;
    if !known.incidents.is_empty() {
        return Ok(has_changed || known.updated_at != pull.updated_at);
    }
    let may_name = until.is_some_and(|until| pull.updated_at.as_str() >= until);
    Ok(may_name || tickets::taken_back(pull).is_some() || !tickets::named_by(app, pull)?.is_empty())
}
