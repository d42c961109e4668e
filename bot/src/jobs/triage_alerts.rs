//! Puts the alerts of an accepted delivery into incidents.

use std::collections::BTreeMap;
use std::sync::Arc;

use clew_adapters::alerts::{Alert, AlertStatus, Severity};
use clew_adapters::chat::Place;

use crate::analysis::{self, Analysis, Subject, titled_by_a_line};
use crate::app::App;
use crate::clock::{self, Time};
use crate::commands::{link_thread, title_of};
use crate::identity::{self, Traits, Window};
use crate::incident::{Actor, AlertRecord, Change, EventKind, Home, Incident, IncidentId, RestsOn};
use crate::ledger;
use crate::queue::{Job, JobError, Work};
use crate::store::{Accepted, Batch, Store, StoreError};
use crate::words;

/// Works a delivery off, one alert after the other, each in one transaction with the note that it is done.
///
/// # Errors
/// When the store fails.
pub fn run(app: &Arc<App>, job: &Job, delivery: u64) -> Result<(), JobError> {
    let Some((accepted, done)) = app.store.accepted(delivery)? else { return Ok(()) };
    let last = accepted.delivery.alerts.len().saturating_sub(1);
    for (number, alert) in accepted.delivery.alerts.iter().enumerate().skip(done) {
        let omitted = if number == last { accepted.delivery.omitted } else { 0 };
        let told = Told { accepted: &accepted, delivery, alert, omitted };
        take_in(app, &told, &|batch| {
            if number == last {
                batch.worked_off(delivery);
                batch.finish(job)
            } else {
                batch.progress(delivery, number + 1)
            }
        })?;
    }
    Ok(())
}

/// An alert as it was told.
struct Told<'a> {
    accepted: &'a Accepted,
    /// Number of the delivery.
    delivery: u64,
    alert: &'a Alert,
    /// Alerts that the sender left out of the delivery, told with its last one.
    omitted: usize,
}

/// How much is known of an alert. More costs more, so it is found out only when it is needed.
enum Known {
    /// What the alert itself says.
    Itself,
    /// Also what tells its failure from others.
    Signature(Vec<u64>),
    /// All.
    Verdict(Box<Analysis>),
}

/// What came of a try to place an alert.
enum Placed {
    Done,
    MustKnowMore,
}

fn take_in(
    app: &Arc<App>,
    told: &Told<'_>,
    note_done: &dyn Fn(&mut Batch<'_>) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let subject = Subject::of_alert(told.alert);
    let mut known = Known::Itself;
    loop {
        let placed = app.store.change(|batch| {
            let placed = place(app, batch, told, &known)?;
            if matches!(placed, Placed::Done) {
                note_done(batch)?;
            }
            Ok::<_, StoreError>(placed)
        })?;
        known = match (placed, known) {
            (Placed::Done, _) => return Ok(()),
            (Placed::MustKnowMore, Known::Itself) => Known::Signature(analysis::signature(app, &subject)),
            (Placed::MustKnowMore, _) => Known::Verdict(Box::new(analysis::analyse(app, &subject))),
        };
    }
}

fn place(app: &App, batch: &mut Batch<'_>, told: &Told<'_>, known: &Known) -> Result<Placed, StoreError> {
    let Told { accepted, alert, omitted, .. } = *told;
    let now = clock::now();
    let settings = &app.config().incidents;
    let firing = Firing::of(batch.store, told)?;
    let signature: &[u64] = match known {
        Known::Itself => &[],
        Known::Signature(signature) => signature,
        Known::Verdict(analysis) => &analysis.signature,
    };
    let analysis = if let Known::Verdict(analysis) = known { Some(analysis.as_ref()) } else { None };
    let traits = Traits {
        alert: Some(alert),
        is_post: accepted.posted.is_some(),
        service: alert.service.as_deref(),
        labels: &alert.labels,
        signature,
    };
    let window = Window::until(now, settings.reopen_hours);
    let by = Actor::new(&accepted.format, &accepted.format);
    let incident = match &firing.record {
        // What is known of this very firing belongs where it is, however long ago that was.
        Some(record) => batch.store.incident(record.incident)?,
        None => identity::incident_of(batch.store, &traits, window)?,
    };
    let (mut change, is_new) = match (incident, analysis) {
        (Some(incident), None) if alert_tells_more(&incident, alert) => return Ok(Placed::MustKnowMore),
        (Some(incident), _) => (incident.change(&by, now), false),
        // Nobody heard of it while it went on, and in a chat everybody can read that it is over.
        (None, _) if accepted.posted.is_some() && alert.status == AlertStatus::Resolved => return Ok(Placed::Done),
        (None, None) => return Ok(Placed::MustKnowMore),
        (None, Some(analysis)) => {
            // A title that is no more than one of the log lines says less than the line that tells most.
            let title = if titled_by_a_line(alert) { title_of(analysis) } else { alert.title.clone() };
            let severity = alert.severity.unwrap_or(Severity::Medium);
            let incident = Incident {
                homes: homes(app, accepted),
                earlier: identity::earlier(batch.store, &traits, window)?,
                ..Incident::new(batch.next_incident()?, &title, severity, accepted.at.min(now))
            };
            let mut change = incident.change(&by, now);
            change.note(EventKind::Opened, title);
            (change, true)
        }
    };
    let adopted = analysis.filter(|_| is_new || alert_tells_more(&change.incident, alert));
    if let Some(analysis) = adopted {
        super::adopt(app, batch, &mut change, analysis)?;
    }
    change.incident.counters.notifications += 1;
    change.incident.counters.omitted += omitted as u64;
    if let Some(before) = &firing.before {
        end_before(batch, &mut change, before, &firing)?;
    }
    let shows = !firing.is_late && apply(&mut change, alert, &firing, settings.resolve_with_alerts, is_new);
    let moves_in = !is_new && moves_in(&mut change.incident, accepted, alert);
    let shows = shows || omitted > 0 || adopted.is_some() || moves_in;
    let id = change.incident.id;
    batch.alert(&firing.record(id, told, now))?;
    if let Some(group) = &alert.group {
        batch.group(group, id)?;
    }
    batch.group(&identity::name_of(alert, traits.is_post), id)?;
    let incident = if shows {
        ledger::record(batch, change, now)?
    } else {
        // A repeated notification is counted. It changes nothing that anybody should look at again.
        let (incident, events) = change.end();
        batch.incident(incident, &events)?
    };
    if let Some((platform, thread)) = &accepted.posted {
        link_post(app, batch, incident, platform, thread, firing.record.is_none())?;
    }
    Ok(Placed::Done)
}

/// Where the incident of an alert lives: in the usual places, but below the post where somebody posted it.
fn homes(app: &App, accepted: &Accepted) -> BTreeMap<String, Home> {
    let mut homes = app.default_homes();
    if let Some((platform, thread)) = &accepted.posted {
        homes.insert(platform.clone(), home_at(thread));
    }
    homes
}

fn home_at(thread: &Place) -> Home {
    Home { place: thread.clone(), card: None, begun: false, shown: 0 }
}

/// An incident that is posted on a platform where it does not live yet lives there from now on, below the post.
fn moves_in(incident: &mut Incident, accepted: &Accepted, alert: &Alert) -> bool {
    let Some((platform, thread)) = &accepted.posted else { return false };
    if alert.status == AlertStatus::Resolved || incident.homes.contains_key(platform) {
        return false;
    }
    incident.homes.insert(platform.clone(), home_at(thread));
    true
}

/// Notes that the thread below a post is about an incident. When its card lives elsewhere, the first post of a firing is
/// answered with the way there.
fn link_post(
    app: &App,
    batch: &mut Batch<'_>,
    mut incident: Incident,
    platform: &str,
    thread: &Place,
    is_first: bool,
) -> Result<(), StoreError> {
    link_thread(batch, &mut incident, platform, thread)?;
    let lives_here = incident.homes.get(platform).is_some_and(|home| home.place == *thread);
    if lives_here || !is_first {
        return Ok(());
    }
    let text = words::same_as(&incident, app.link(platform, incident.id));
    let root = thread.thread.as_deref().unwrap_or_default();
    let key = ledger::key_of(batch, &["post", platform, &thread.channel, root]);
    let work = Work::Say { platform: platform.to_owned(), place: thread.clone(), text, key };
    batch.job(work, false, clock::now())
}

/// Whether an alert brings logs to an incident whose verdict rests on an alert's words alone.
fn alert_tells_more(incident: &Incident, alert: &Alert) -> bool {
    !alert.logs.is_empty() && incident.verdict.as_ref().is_none_or(|verdict| verdict.rests_on == RestsOn::AlertText)
}

/// Ends the firing before this one: an alert that begins anew has ended, whether its sender said so or not.
fn end_before(
    batch: &mut Batch<'_>,
    change: &mut Change,
    before: &AlertRecord,
    firing: &Firing,
) -> Result<(), StoreError> {
    let ended =
        AlertRecord { status: AlertStatus::Resolved, ends_at: Some(firing.starts_at.clone()), ..before.clone() };
    batch.alert(&ended)?;
    if before.incident == change.incident.id {
        change.incident.counters.firing = change.incident.counters.firing.saturating_sub(1);
    } else if let Some(mut incident) = batch.store.incident(before.incident)? {
        incident.counters.firing = incident.counters.firing.saturating_sub(1);
        batch.incident(incident, &[])?;
    }
    Ok(())
}

/// Changes the incident as the alert says. Whether there is something new to show.
fn apply(change: &mut Change, alert: &Alert, firing: &Firing, resolve: bool, is_new: bool) -> bool {
    let was = firing.record.as_ref().map(|record| record.status);
    match (alert.status, was) {
        // Told again, or told of late: what is over does not fire again with the same beginning.
        (_, Some(AlertStatus::Resolved)) => false,
        (AlertStatus::Firing, Some(AlertStatus::Firing)) => change.still_fires(),
        (AlertStatus::Firing, Some(AlertStatus::Acknowledged)) => change.is_left_again(),
        (AlertStatus::Firing, None) => {
            change.fires(alert);
            true
        }
        (AlertStatus::Acknowledged, was) => {
            if was.is_none() {
                change.fires(alert);
            }
            change.acknowledge();
            true
        }
        (AlertStatus::Resolved, Some(_)) => {
            change.is_over(alert, resolve);
            true
        }
        (AlertStatus::Resolved, None) => {
            change.fired_unnoticed(alert);
            if is_new || firing.before.is_some() {
                change.resolve_if_quiet(resolve);
            }
            true
        }
    }
}

/// One firing of an alert: the one that a notification is about.
struct Firing {
    starts_at: String,
    record: Option<AlertRecord>,
    /// The one before it, when that goes on although this one begins.
    before: Option<AlertRecord>,
    /// Whether something that arrived later was worked off before: then this is no news.
    is_late: bool,
}

impl Firing {
    /// Finds it. A sender that does not say when an alert began speaks of the latest firing, as long as that goes on; one
    /// whose incident a person resolved meanwhile goes on no more.
    fn of(store: &Store, told: &Told<'_>) -> Result<Self, StoreError> {
        let (alert, received) = (told.alert, told.accepted.at);
        let latest = match store.latest(&alert.fingerprint)? {
            Some(latest) => store.alert(&alert.fingerprint, &latest.starts_at)?,
            None => None,
        };
        if let Some(record) = latest.as_ref().filter(|r| alert.starts_at.is_none() && r.delivery > told.delivery) {
            let starts_at = record.starts_at.clone();
            return Ok(Self { starts_at, record: latest, before: None, is_late: true });
        }
        let is_over = alert.status == AlertStatus::Resolved;
        let goes_on = latest.filter(|record| record.status != AlertStatus::Resolved);
        let Some(starts_at) = alert.starts_at.as_deref().map(normal) else {
            let known = match goes_on {
                Some(record) if is_over || !was_resolved_since(store, &record)? => Some(record),
                other => {
                    return Ok(Self {
                        starts_at: normal(&received.to_rfc3339()),
                        record: None,
                        before: other,
                        is_late: false,
                    });
                }
            };
            let starts_at = known.as_ref().map(|record| record.starts_at.clone()).unwrap_or_default();
            return Ok(Self { starts_at, record: known, before: None, is_late: false });
        };
        let record = store.alert(&alert.fingerprint, &starts_at)?;
        let before = goes_on.filter(|before| record.is_none() && before.starts_at < starts_at);
        Ok(Self { starts_at, record, before, is_late: false })
    }

    /// What is to be kept of it.
    fn record(&self, incident: IncidentId, told: &Told<'_>, now: Time) -> AlertRecord {
        let alert = told.alert;
        if let Some(record) = self.record.as_ref().filter(|_| self.is_late) {
            return AlertRecord { times: record.times + 1, ..record.clone() };
        }
        let was = self.record.as_ref();
        let over = was.is_some_and(|record| record.status == AlertStatus::Resolved);
        AlertRecord {
            delivery: told.delivery,
            incident,
            fingerprint: alert.fingerprint.clone(),
            starts_at: self.starts_at.clone(),
            ends_at: was.and_then(|record| record.ends_at.clone()).or_else(|| {
                (alert.status == AlertStatus::Resolved)
                    .then(|| alert.ends_at.as_deref().map_or_else(|| normal(&now.to_rfc3339()), normal))
            }),
            status: if over { AlertStatus::Resolved } else { alert.status },
            title: alert.title.clone(),
            labels: alert.labels.clone(),
            source: alert.source.clone(),
            times: was.map_or(0, |record| record.times) + 1,
            last_at: now,
        }
    }
}

/// Whether the incident of a firing was over after the last notification of it.
fn was_resolved_since(store: &Store, record: &AlertRecord) -> Result<bool, StoreError> {
    let incident = store.incident(record.incident)?;
    Ok(incident.and_then(|incident| incident.resolved_at).is_some_and(|at| at >= record.last_at))
}

/// A time as it is compared: UTC, to the millisecond. What is no time is compared as it is.
fn normal(time: &str) -> String {
    clock::parse(time).map_or_else(|| time.to_owned(), |time| time.to_rfc3339_opts(chrono::SecondsFormat::Millis, true))
}
