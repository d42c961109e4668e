//! Looks how a pull request is, and brings the incidents that it names in step with it.

use std::sync::Arc;
use std::time::Duration;

use clew_adapters::Error;
use clew_adapters::code::{Pull, PullState};

use crate::app::App;
use crate::clock;
use crate::config::OnMerge;
use crate::incident::{Actor, Change, EventKind, IncidentId, LinkedPull, Resolution};
use crate::ledger;
use crate::queue::{Did, JobError, Work};
use crate::store::{KnownPull, StoreError};
use crate::tickets::{self, Named};

/// Time until it is looked once more.
const ONCE_MORE: Duration = Duration::from_secs(2);

/// Looks, and writes what changed.
///
/// # Errors
/// When the host of the code or the store fails.
pub async fn run(app: &Arc<App>, repo: &str, number: u64, told: Option<&Pull>) -> Result<Did, JobError> {
    let Some(code) = app.code() else { return Ok(Did::Nothing) };
    let asked = if code.can_ask() { Some(code.pull(repo, number).await) } else { None };
    let (mut pull, is_whole) = match (asked, told) {
        (Some(Ok(pull)), _) => (pull, true),
        (Some(Err(error @ Error::Transient { .. })), _) | (Some(Err(error)), None) => return Err(error.into()),
        // What may not be seen was told all the same.
        (Some(Err(_)) | None, Some(told)) => (told.clone(), false),
        (None, None) => return Ok(Did::Nothing),
    };
    redact(app, &mut pull);
    let mut named = tickets::named_by(app, &pull)?;
    let known = app.store.pull(&pull.repo, number)?;
    for incident in &known.incidents {
        if !named.iter().any(|named| named.incident == *incident) {
            named.push(Named { incident: *incident, fixes: false });
        }
    }
    if let Some((repo, reverted)) = tickets::taken_back(&pull) {
        for id in app.store.pull(&repo, reverted)?.incidents {
            take_back(app, id, &repo, reverted, &pull)?;
        }
    }
    let mut has_changed = false;
    for named in &named {
        has_changed |= bring_in_step(app, *named, &pull, is_whole)?;
    }
    app.store.kept().await?;
    match (has_changed && is_whole, named.is_empty()) {
        // Two changes in one second have the same time, so it is looked once more.
        (true, _) => Err(JobError::Later(ONCE_MORE)),
        (false, true) => Ok(Did::Nothing),
        (false, false) => Ok(Did::Work),
    }
}

fn redact(app: &App, pull: &mut Pull) {
    for text in [&mut pull.title, &mut pull.body, &mut pull.branch].into_iter().chain(&mut pull.commits) {
        *text = app.pipeline.redact(text);
    }
}

/// Whether anything changed that people see. `is_whole`: with all that it says, also in its commits.
fn bring_in_step(app: &App, named: Named, pull: &Pull, is_whole: bool) -> Result<bool, StoreError> {
    let id = named.incident;
    app.store.change(|batch| {
        let Some(incident) = batch.store.incident(id)? else { return Ok(false) };
        let place = incident.followed.pulls.iter().position(|l| is(l, &pull.repo, pull.number));
        let before = place.map(|place| incident.followed.pulls[place].clone());
        // Nobody is told of what was given up before it was known; and a delivery that comes late tells nothing new.
        let is_old = before.as_ref().is_some_and(|before| before.pull.updated_at > pull.updated_at);
        if is_old || (before.is_none() && pull.state == PullState::Closed) {
            return Ok(false);
        }
        let short = Pull { body: String::new(), commits: Vec::new(), ..pull.clone() };
        // What it does not say any more does not count, unless it was merged with it.
        let was = before.as_ref().filter(|before| !is_whole || before.is_in());
        let fixes = named.fixes || was.is_some_and(|before| before.fixes);
        let reverted_by = before.as_ref().and_then(|before| before.reverted_by);
        let linked = LinkedPull { pull: short, fixes, reverted_by };
        let now = clock::now();
        let who = pull.merged_by.as_ref().filter(|_| pull.state == PullState::Merged).unwrap_or(&pull.author);
        let by = Actor::new(who, app.code().map_or("", clew_adapters::code::CodeHost::name));
        let mut change = incident.clone().change(&by, now);
        match place {
            Some(place) => change.incident.followed.pulls[place] = linked.clone(),
            None => change.incident.followed.pulls.push(linked.clone()),
        }
        let learns = notice(app, &mut change, before.as_ref(), &linked);
        remember(batch, id, pull)?;
        if change.events.is_empty() && before.as_ref().is_some_and(|before| shows_the_same(before, &linked)) {
            return batch.incident(change.incident, &[]).map(|_| false);
        }
        ledger::record(batch, change, now)?;
        if learns {
            batch.job(Work::Learn { incident: id }, false, now)?;
        }
        Ok(true)
    })
}

/// Whether nothing changed that people see.
fn shows_the_same(before: &LinkedPull, now: &LinkedPull) -> bool {
    let shown = |linked: &LinkedPull| {
        let pull =
            Pull { head: String::new(), branch: String::new(), updated_at: String::new(), ..linked.pull.clone() };
        LinkedPull { pull, ..linked.clone() }
    };
    shown(before) == shown(now)
}

fn is(linked: &LinkedPull, repo: &str, number: u64) -> bool {
    linked.pull.number == number && linked.pull.repo.eq_ignore_ascii_case(repo)
}

/// Notes what matters. Whether there is something to learn.
fn notice(app: &App, change: &mut Change, before: Option<&LinkedPull>, now: &LinkedPull) -> bool {
    let name = format!("#{} {}", now.pull.number, now.pull.title);
    if now.is_in() && !before.is_some_and(LinkedPull::is_in) {
        change.note(EventKind::PullMerged, name);
        return fixed(app, change, now);
    }
    let was = before.map(|before| before.pull.state);
    match now.pull.state {
        PullState::Draft | PullState::Open if before.is_none() => change.note(EventKind::PullOpened, name),
        PullState::Open | PullState::Draft if was == Some(PullState::Closed) => {
            change.note(EventKind::PullOpened, name);
        }
        PullState::Closed if was != Some(PullState::Closed) => change.note(EventKind::PullClosed, name),
        _ => {}
    }
    false
}

/// The fix is in: the incident is over, or waits for the deployment. What a person said fixed it stands.
fn fixed(app: &App, change: &mut Change, linked: &LinkedPull) -> bool {
    let known = change.incident.resolution.clone().unwrap_or(Resolution { cause: String::new(), fix: String::new() });
    let learns = known.fix.is_empty() || change.incident.followed.pulls.iter().any(|pull| pull.is_fix(&known.fix));
    let resolution = if learns { Resolution { fix: linked.as_fix(), ..known } } else { known };
    let ends = app.config().tickets.on_merge == OnMerge::Resolve && !change.incident.awaits_fix();
    if change.incident.is_active() && ends {
        change.resolve(Some(resolution));
    } else {
        change.incident.resolution = Some(resolution);
    }
    learns
}

/// A fix was taken back: what it fixed is not fixed any more.
fn take_back(app: &App, id: IncidentId, repo: &str, number: u64, by: &Pull) -> Result<(), StoreError> {
    app.store.change(|batch| {
        let Some(incident) = batch.store.incident(id)? else { return Ok(()) };
        let now = clock::now();
        let who = by.merged_by.as_ref().unwrap_or(&by.author);
        let name = app.code().map_or("", clew_adapters::code::CodeHost::name);
        let mut change = incident.change(&Actor::new(who, name), now);
        let pulls = &mut change.incident.followed.pulls;
        let Some(linked) = pulls.iter_mut().find(|linked| is(linked, repo, number) && linked.reverted_by.is_none())
        else {
            return Ok(());
        };
        let was_in = linked.is_in();
        // Also of one whose merge is not known yet: when it is, it fixes nothing.
        linked.reverted_by = Some(by.number);
        let linked = linked.clone();
        if was_in {
            change.note(EventKind::PullReverted, format!("#{number} by #{}", by.number));
        }
        let fix = change.incident.resolution.as_ref().filter(|resolution| linked.is_fix(&resolution.fix));
        let unlearns = fix.is_some();
        if let Some(resolution) = fix.cloned() {
            let cause = Some(resolution.cause).filter(|cause| !cause.is_empty());
            change.incident.resolution = cause.map(|cause| Resolution { cause, fix: String::new() });
            if !change.incident.is_active() {
                change.reopen();
            }
        }
        ledger::record(batch, change, now)?;
        if unlearns { batch.job(Work::Learn { incident: id }, false, now) } else { Ok(()) }
    })
}

/// Notes what is known of a pull request that names an incident.
fn remember(batch: &mut crate::store::Batch<'_>, id: IncidentId, pull: &Pull) -> Result<(), StoreError> {
    let mut known = batch.store.pull(&pull.repo, pull.number)?;
    if !known.incidents.contains(&id) {
        known.incidents.push(id);
    }
    let known = KnownPull {
        incidents: known.incidents,
        is_open: matches!(pull.state, PullState::Open | PullState::Draft),
        head: pull.head.clone(),
        updated_at: pull.updated_at.clone(),
    };
    batch.pull(&pull.repo, pull.number, &known)
}
