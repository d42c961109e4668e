//! Durable jobs: what must still be done, kept in the store until it is.
//!
//! The store holds the jobs; this is the plan of when each runs. A job may run twice (a crash after the work and before the
//! note that it is done), so every job is idempotent. Times are planned on the monotonic clock: one that is set back or
//! forward neither holds jobs up nor runs them all at once.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use clew_adapters::chat::ChatPlatform;
use clew_adapters::trackers::Tracker as _;
use tokio::sync::{Notify, mpsc};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::app::App;
use crate::clock::{self, Time};
use crate::jobs;

mod job;

pub use job::{Job, JobError, Lane, Work};

/// Longest time between two tries of a job that its system does not ask for.
const LONGEST_WAIT: Duration = Duration::from_mins(5);
/// Longest time that a system may ask us to wait.
const LONGEST_RETRY_AFTER: Duration = Duration::from_hours(1);
/// Jobs of one lane that run at once, where order matters.
const ONE: usize = 1;
/// Things that people said that are worked on at once; most of that is waiting for their platform.
const HEARD: usize = 8;

/// Figures about the queue.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Depth {
    /// Jobs that wait or run.
    pub waiting: usize,
    /// Dead letters.
    pub dead: usize,
    /// Deliveries that wait to be worked off.
    pub deliveries: usize,
}

/// Place of a job in its lane: urgent ones first, then people, then by age.
type Rank = (bool, u8, u64);

#[derive(Default)]
struct LaneState {
    due: BTreeSet<Rank>,
    later: BTreeSet<(Instant, u64)>,
    running: usize,
    not_before: Option<Instant>,
}

#[derive(Default)]
struct Plan {
    jobs: HashMap<u64, Job>,
    running: HashMap<u64, u64>,
    lanes: HashMap<Lane, LaneState>,
    dead: HashSet<u64>,
    deliveries: usize,
}

/// The plan of all jobs.
#[derive(Default)]
pub struct Queue {
    plan: Mutex<Plan>,
    changed: Notify,
}

impl Queue {
    /// An empty plan.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn plan(&self) -> std::sync::MutexGuard<'_, Plan> {
        // Every change of the plan is complete before anything in it can panic.
        self.plan.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Figures about it.
    #[must_use]
    pub fn depth(&self) -> Depth {
        let plan = self.plan();
        Depth { waiting: plan.jobs.len(), dead: plan.dead.len(), deliveries: plan.deliveries }
    }

    /// How many jobs of each kind wait, and since when the oldest does.
    #[must_use]
    pub fn waiting(&self) -> HashMap<&'static str, (usize, Time)> {
        let mut kinds: HashMap<&'static str, (usize, Time)> = HashMap::new();
        for job in self.plan().jobs.values() {
            let kind = kinds.entry(job.work.name()).or_insert((0, job.created));
            kind.0 += 1;
            kind.1 = kind.1.min(job.created);
        }
        kinds
    }

    /// Whether a job that `fits` waits or runs.
    #[must_use]
    pub fn has(&self, fits: impl Fn(&Work) -> bool) -> bool {
        self.plan().jobs.values().any(|job| fits(&job.work))
    }

    /// Forgets a dead letter that the store no longer has.
    pub fn forget(&self, id: u64) {
        self.plan().dead.remove(&id);
    }

    /// Runs jobs until `stop`; those that run then are finished.
    pub async fn run(
        self: Arc<Self>,
        app: Arc<App>,
        mut told: mpsc::UnboundedReceiver<Job>,
        stop: CancellationToken,
        tasks: TaskTracker,
    ) {
        loop {
            while let Ok(job) = told.try_recv() {
                self.plan().add(job, Instant::now());
            }
            let next = self.start_due(&app, &tasks);
            tokio::select! {
                () = stop.cancelled() => return,
                job = told.recv() => match job {
                    Some(job) => self.plan().add(job, Instant::now()),
                    None => return,
                },
                () = self.changed.notified() => {}
                () = tokio::time::sleep_until(next) => {}
            }
        }
    }

    /// Starts what is due and has room. Returns when to look again.
    fn start_due(self: &Arc<Self>, app: &Arc<App>, tasks: &TaskTracker) -> Instant {
        let (due, next) = self.plan().take_due(Instant::now(), app.parallel());
        for job in due {
            let (queue, app) = (Arc::clone(self), Arc::clone(app));
            tasks.spawn(async move {
                let outcome = jobs::run(&app, &job).await;
                let lane_waits = lane_waits(&app, &job, &outcome);
                let told = settle(&app, &job, outcome).await;
                queue.plan().ran(&job, told, lane_waits, Instant::now());
                queue.changed.notify_one();
            });
        }
        next
    }
}

/// What a job did that is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Did {
    /// There was nothing to do.
    Nothing,
    /// What it should.
    Work,
}

/// What follows from the outcome of a job, for the plan.
enum Told {
    Done,
    /// The store has it; it comes again.
    Kept,
    /// Only the plan has it: it waits on, without a failure.
    Later(Duration),
}

/// How long the lane of a job must wait after it: as long as its system says, and never less than its pace.
fn lane_waits(app: &App, job: &Job, outcome: &Result<Did, JobError>) -> Duration {
    let pace = match job.work.lane() {
        Lane::Channel(platform, _) => app.chat(&platform).map(|chat| chat.pace().channel).unwrap_or_default(),
        Lane::Tracker(name) => app.tracker(&name).map(|tracker| tracker.manners().pace).unwrap_or_default(),
        Lane::Local | Lane::Heard | Lane::Pressed | Lane::Person(..) | Lane::Senders => Duration::ZERO,
    };
    match outcome {
        Ok(Did::Nothing) | Err(JobError::Later(_)) => Duration::ZERO,
        Err(JobError::Retry { after: Some(after), lane: true, .. }) => pace.max((*after).min(LONGEST_RETRY_AFTER)),
        Ok(Did::Work) | Err(JobError::Retry { .. } | JobError::Fail(_)) => pace,
    }
}

/// Writes down what came of a job.
async fn settle(app: &Arc<App>, job: &Job, outcome: Result<Did, JobError>) -> Told {
    let max_tries = app.config().jobs.max_tries;
    let (change, told): (Job, Told) = match outcome {
        Ok(_) => (job.clone(), Told::Done),
        Err(JobError::Later(wait)) => return Told::Later(wait),
        Err(JobError::Fail(why)) => {
            tracing::error!(job = job.id, kind = job.work.name(), why, "a job was given up");
            (Job { dead: true, error: Some(why), ..job.clone() }, Told::Kept)
        }
        Err(JobError::Retry { why, after, .. }) => {
            let wait = wait_of(job, after);
            // A system that says when to come back is not failing, it is busy.
            let tries = job.tries + u32::from(after.is_none());
            let dead = tries >= max_tries;
            if dead {
                tracing::error!(job = job.id, kind = job.work.name(), why, tries, "a job was given up");
            } else {
                tracing::warn!(
                    job = job.id,
                    kind = job.work.name(),
                    why,
                    wait_ms = wait.as_millis(),
                    "a job will be tried again"
                );
            }
            let due = clock::now() + chrono::Duration::from_std(wait).unwrap_or_default();
            (Job { tries, due, dead, error: Some(why), ..job.clone() }, Told::Kept)
        }
    };
    let done = matches!(told, Told::Done);
    let state = Arc::clone(app);
    let written = tokio::task::spawn_blocking(move || {
        state.store.change(|batch| if done { batch.finish(&change) } else { batch.keep_job(&change) })
    })
    .await;
    match written {
        Ok(Ok(())) => told,
        Ok(Err(error)) => {
            tracing::error!(%error, job = job.id, "what came of a job could not be kept; it runs again");
            Told::Later(Duration::from_secs(1))
        }
        Err(error) => {
            tracing::error!(%error, job = job.id, "what came of a job could not be kept; it runs again");
            Told::Later(Duration::from_secs(1))
        }
    }
}

/// How long a job that failed waits until it is tried again: as long as its system says, or ever longer.
#[must_use]
pub fn wait_of(job: &Job, after: Option<Duration>) -> Duration {
    after.map_or_else(|| backoff(job.tries, job.id), |after| after.min(LONGEST_RETRY_AFTER))
}

/// Time before try number `tries`: doubled each time from a quarter of a second, plus up to as much again so that jobs
/// which failed together do not come back together. The jitter comes from the number of the job, which is as good as chance.
fn backoff(tries: u32, id: u64) -> Duration {
    let base = Duration::from_millis(250).saturating_mul(1 << tries.min(11)).min(LONGEST_WAIT / 2);
    let mixed = (id ^ u64::from(tries).rotate_left(32)).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 54;
    // `mixed` has ten bits.
    base + base.mul_f64(f64::from(u16::try_from(mixed).unwrap_or(0)) / 1024.0)
}

impl Plan {
    fn add(&mut self, job: Job, now: Instant) {
        let known = self.jobs.remove(&job.id);
        if let Some(known) = &known {
            self.unplan(known);
        }
        if job.dead {
            self.dead.insert(job.id);
            return;
        }
        self.dead.remove(&job.id);
        // Told again while it runs: `ran` plans it when it ends.
        if self.running.contains_key(&job.id) {
            self.jobs.insert(job.id, job);
            return;
        }
        let wait = (job.due - clock::now()).to_std().unwrap_or_default().min(LONGEST_RETRY_AFTER);
        self.plan(job, wait, now);
    }

    fn plan(&mut self, job: Job, wait: Duration, now: Instant) {
        self.deliveries += usize::from(matches!(job.work, Work::TriageAlerts { .. }));
        let lane = self.lanes.entry(job.work.lane()).or_default();
        if wait.is_zero() {
            lane.due.insert(rank(&job));
        } else {
            lane.later.insert((now + wait, job.id));
        }
        self.jobs.insert(job.id, job);
    }

    fn unplan(&mut self, job: &Job) {
        if self.running.contains_key(&job.id) {
            return;
        }
        self.deliveries -= usize::from(matches!(job.work, Work::TriageAlerts { .. }));
        if let Some(lane) = self.lanes.get_mut(&job.work.lane()) {
            lane.due.remove(&rank(job));
            lane.later.retain(|(_, id)| *id != job.id);
        }
    }

    /// Takes what can run now. Returns it with the time when something else may become due.
    fn take_due(&mut self, now: Instant, parallel: usize) -> (Vec<Job>, Instant) {
        let (mut taken, mut next) = (Vec::new(), now + Duration::from_mins(1));
        for (name, lane) in &mut self.lanes {
            while let Some((due, id)) = lane.later.first().copied().filter(|(due, _)| *due <= now) {
                lane.later.remove(&(due, id));
                lane.due.extend(self.jobs.get(&id).map(rank));
            }
            if let Some(wait) = lane.not_before.filter(|wait| *wait > now) {
                next = next.min(wait);
                continue;
            }
            let room = match name {
                Lane::Local => parallel,
                Lane::Heard | Lane::Pressed => HEARD,
                _ => ONE,
            };
            while lane.running < room {
                let Some(first) = lane.due.pop_first() else { break };
                let Some(job) = self.jobs.get(&first.2) else { continue };
                self.running.insert(job.id, job.round);
                lane.running += 1;
                taken.push(job.clone());
            }
            next = lane.later.first().map_or(next, |(due, _)| next.min(*due));
        }
        self.lanes.retain(|_, lane| {
            lane.running > 0
                || !lane.due.is_empty()
                || !lane.later.is_empty()
                || lane.not_before.is_some_and(|wait| wait > now)
        });
        (taken, next)
    }

    /// A job ran.
    fn ran(&mut self, job: &Job, told: Told, lane_waits: Duration, now: Instant) {
        self.running.remove(&job.id);
        self.deliveries -= usize::from(matches!(job.work, Work::TriageAlerts { .. }));
        if let Some(lane) = self.lanes.get_mut(&job.work.lane()) {
            lane.running -= 1;
            // Another job of the lane may have been told to wait longer.
            let known = lane.not_before.filter(|wait| *wait > now);
            lane.not_before = (!lane_waits.is_zero()).then_some(now + lane_waits).max(known);
        }
        // What was told about it while it ran stands in the plan already; else it is what it was when it began.
        let newer = self.jobs.remove(&job.id).filter(|now| *now != *job);
        match (told, newer) {
            (Told::Later(wait), newer) => self.plan(newer.unwrap_or_else(|| job.clone()), wait, now),
            (_, Some(newer)) => self.add(newer, now),
            (_, None) => {}
        }
    }
}

fn rank(job: &Job) -> Rank {
    (!job.urgent, job.work.rank(), job.id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::incident::IncidentId;

    fn job(id: u64, work: Work, urgent: bool) -> Job {
        let now = clock::now();
        Job {
            id,
            work,
            urgent,
            round: 0,
            tries: 0,
            created: now,
            due: now,
            error: None,
            dead: false,
            from_before: false,
        }
    }

    fn card(id: u64, channel: &str) -> Work {
        Work::PostCard { incident: IncidentId(id), platform: "console".into(), channel: channel.into() }
    }

    fn ids(jobs: &[Job]) -> Vec<u64> {
        jobs.iter().map(|job| job.id).collect()
    }

    #[test]
    fn the_first_card_of_a_critical_incident_overtakes_the_rest_of_its_channel() {
        let (mut plan, now) = (Plan::default(), Instant::now());
        for id in 1..=3 {
            plan.add(job(id, card(id, "a"), id == 3), now);
        }
        plan.add(job(4, card(4, "b"), false), now);
        let (mut taken, _) = plan.take_due(now, 2);
        taken.sort_by_key(|job| job.id);
        assert_eq!(ids(&taken), [3, 4], "one for each channel");
        assert!(plan.take_due(now, 2).0.is_empty(), "one at a time");
    }

    #[test]
    fn a_channel_that_must_wait_does_not_hold_up_the_others() {
        let (mut plan, now) = (Plan::default(), Instant::now());
        let (first, second, other) =
            (job(1, card(1, "a"), false), job(2, card(2, "a"), false), job(3, card(3, "b"), false));
        plan.add(first.clone(), now);
        assert_eq!(ids(&plan.take_due(now, 2).0), [1]);
        plan.add(second, now);
        plan.ran(&first, Told::Done, Duration::from_secs(30), now);
        plan.add(other, now);
        let (taken, next) = plan.take_due(now, 2);
        assert_eq!((ids(&taken), next), (vec![3], now + Duration::from_secs(30)));
        assert_eq!(ids(&plan.take_due(now + Duration::from_secs(30), 2).0), [2]);
    }

    #[test]
    fn what_is_asked_for_again_while_it_runs_runs_again() {
        let (mut plan, now) = (Plan::default(), Instant::now());
        let first = job(1, card(1, "a"), false);
        plan.add(first.clone(), now);
        assert_eq!(ids(&plan.take_due(now, 2).0), [1]);
        plan.add(Job { round: 1, ..first.clone() }, now);
        assert!(plan.take_due(now, 2).0.is_empty());
        plan.ran(&first, Told::Done, Duration::ZERO, now);
        assert_eq!(plan.take_due(now, 2).0.first().map(|job| job.round), Some(1));
    }

    #[test]
    fn a_clock_that_jumps_holds_no_job_up_for_long() {
        let (mut plan, now) = (Plan::default(), Instant::now());
        let due = clock::now() + chrono::Duration::days(400);
        plan.add(Job { due, ..job(1, card(1, "a"), false) }, now);
        plan.add(Job { due: clock::now() - chrono::Duration::days(400), ..job(2, card(2, "b"), false) }, now);
        assert_eq!(ids(&plan.take_due(now, 2).0), [2]);
        assert_eq!(ids(&plan.take_due(now + LONGEST_RETRY_AFTER, 2).0), [1]);
    }

    #[test]
    fn tries_come_ever_later_and_not_together() {
        let waits: Vec<Duration> = (0..20).map(|tries| backoff(tries, 7)).collect();
        assert!(waits.iter().all(|wait| (Duration::from_millis(250)..=LONGEST_WAIT).contains(wait)), "{waits:?}");
        assert!(waits[10] > waits[2] * 20);
        assert_ne!(backoff(5, 7), backoff(5, 8));
    }

    #[test]
    fn deliveries_are_counted_until_they_are_worked_off_and_dead_letters_until_they_are_tried_again() {
        let (mut plan, now) = (Plan::default(), Instant::now());
        let first = job(1, Work::TriageAlerts { delivery: 1 }, false);
        plan.add(first.clone(), now);
        plan.take_due(now, 1);
        assert_eq!(plan.deliveries, 1);
        plan.add(Job { dead: true, ..first.clone() }, now);
        plan.ran(&first, Told::Kept, Duration::ZERO, now);
        assert_eq!((plan.deliveries, plan.dead.len(), plan.jobs.len()), (0, 1, 0));
        plan.add(first, now);
        assert_eq!((plan.deliveries, plan.dead.len()), (1, 0));
    }
}
