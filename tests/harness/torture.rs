//! Torture: a real process is fed alerts by several clients, with duplicates and out of order, while it is killed at random
//! moments and the chat it writes to fails in every way that a chat can. In the end nothing may be lost and nothing doubled.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;
use std::net::TcpListener;
use std::process::{Child, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::Failure;
use crate::fakes::faults::Faults;
use crate::fakes::slack::{CHANNEL, FakeSlack, SlackMessage, TOKEN};

/// How long the work that is left may take once nobody disturbs it any more.
const DRAIN: Duration = Duration::from_mins(30);
/// How long a start may take.
const START: Duration = Duration::from_mins(2);

/// What fails, in words that no two of them share.
const FAILURES: [(&str, &str); 8] = [
    ("DiskFull", "could not write to file pg_wal/xlogtemp: No space left on device"),
    ("PoolExhausted", "HikariPool-1 - Connection is not available, request timed out"),
    ("OutOfMemory", "java.lang.OutOfMemoryError: Java heap space"),
    ("CertificateExpired", "tls: failed to verify certificate: x509: certificate has expired"),
    ("KafkaLag", "consumer group lag grows beyond its threshold"),
    ("DnsBroken", "getaddrinfo ENOTFOUND inventory.internal"),
    ("PermissionDenied", "AccessDenied when calling the PutObject operation"),
    ("CrashLoop", "Back-off restarting failed container in pod"),
];
/// What it fails in.
const SERVICES: [&str; 3] = ["checkout", "billing", "search"];

/// How hard it is to be.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// Alerts that fire.
    pub alerts: usize,
    /// Incidents that they make, 24 at most.
    pub incidents: usize,
    /// Clients that send at once.
    pub clients: usize,
    /// Times the process is killed.
    pub kills: usize,
    /// What chance begins with.
    pub seed: u64,
}

/// What came of it.
#[derive(Debug)]
pub struct Report {
    /// Accepted alerts that are in no incident, incidents without a message or with one that shows something else, …
    pub lost: Vec<String>,
    /// Alerts in two incidents, incidents with two messages, sentences said twice, notifications counted twice.
    pub doubled: Vec<String>,
    /// Figures about the way there.
    pub figures: Vec<(&'static str, usize)>,
    /// How long it took.
    pub took: Duration,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, figure) in &self.figures {
            writeln!(f, "{figure:>8}  {name}")?;
        }
        for (kind, list) in [("lost", &self.lost), ("doubled", &self.doubled)] {
            list.iter().take(20).try_for_each(|what| writeln!(f, "{kind}: {what}"))?;
        }
        write!(f, "{} lost, {} doubled ({:.0} s)", self.lost.len(), self.doubled.len(), self.took.as_secs_f64())
    }
}

/// Chance that is the same every time.
struct Chance(u64);

impl Chance {
    /// From 0 to `below`, exclusive.
    fn below(&mut self, below: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % (below.max(1) as u64)).unwrap_or(0)
    }

    fn in_percent(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    fn shuffle<T>(&mut self, list: &mut [T]) {
        for place in (1..list.len()).rev() {
            list.swap(place, self.below(place + 1));
        }
    }
}

/// What must be true in the end.
#[derive(Default)]
struct Expected {
    /// Alert → whether it is over, once all that was sent is worked off.
    over: BTreeMap<String, bool>,
    /// Notifications in all deliveries, each delivery counted once.
    notifications: usize,
    /// Failures in services.
    incidents: BTreeSet<String>,
}

fn group(failure: usize, service: &str) -> String {
    format!("{}/{service}", FAILURES[failure].0)
}

fn alert(failure: usize, service: &str, number: usize, over: bool) -> Value {
    let (name, text) = FAILURES[failure];
    let minute = number % 60;
    let (hour, day) = (number / 60 % 24, 1 + number / 1_440 % 28);
    json!({
        "status": if over { "resolved" } else { "firing" },
        "labels": { "alertname": name, "service": service, "severity": "warning", "instance": format!("i-{number}") },
        "annotations": { "summary": text },
        "startsAt": format!("2026-11-{day:02}T{hour:02}:{minute:02}:00Z"),
        "endsAt": if over { format!("2026-11-{day:02}T{hour:02}:{minute:02}:30Z") } else { "0001-01-01T00:00:00Z".into() },
        "fingerprint": format!("{number:016x}"),
    })
}

fn delivery(failure: usize, service: &str, alerts: &[Value]) -> String {
    let firing = alerts.iter().any(|alert| alert["status"] == "firing");
    json!({
        "version": "4",
        "receiver": "clew",
        "status": if firing { "firing" } else { "resolved" },
        "groupKey": format!("{{}}:{{{}}}", group(failure, service)),
        "groupLabels": { "alertname": FAILURES[failure].0, "service": service },
        "commonLabels": { "service": service },
        "commonAnnotations": {},
        "externalURL": "http://alertmanager.example",
        "truncatedAlerts": 0,
        "alerts": alerts,
    })
    .to_string()
}

/// All deliveries, duplicates included, in the order in which they are sent.
fn deliveries(plan: &Plan, chance: &mut Chance) -> (Vec<String>, Expected) {
    let mut expected = Expected::default();
    let mut unsent: HashMap<(usize, usize), Vec<Value>> = HashMap::new();
    let mut sent = Vec::new();
    for number in 0..plan.alerts {
        let pair = number % plan.incidents.clamp(1, FAILURES.len() * SERVICES.len());
        let (failure, service) = (pair % FAILURES.len(), pair / FAILURES.len());
        let is_over = chance.in_percent(50);
        expected.over.insert(format!("i-{number}"), is_over);
        expected.incidents.insert(group(failure, SERVICES[service]));
        let waiting = unsent.entry((failure, service)).or_default();
        waiting.push(alert(failure, SERVICES[service], number, false));
        expected.notifications += 1;
        if is_over {
            waiting.push(alert(failure, SERVICES[service], number, true));
            expected.notifications += 1;
        }
        if waiting.len() > chance.below(4) {
            sent.push(delivery(failure, SERVICES[service], &std::mem::take(waiting)));
        }
    }
    for ((failure, service), alerts) in unsent.into_iter().filter(|(_, alerts)| !alerts.is_empty()) {
        sent.push(delivery(failure, SERVICES[service], &alerts));
    }
    let again: Vec<String> = sent.iter().filter(|_| chance.in_percent(30)).cloned().collect();
    sent.extend(again);
    sent.sort_unstable();
    chance.shuffle(&mut sent);
    (sent, expected)
}

/// The process under torture.
struct Victim {
    program: String,
    data: TempDir,
    address: String,
    slack: FakeSlack,
    child: Option<Child>,
    agent: ureq::Agent,
}

impl Victim {
    fn new(program: &str) -> Result<Self, Failure> {
        // The port is free now, and nobody else is given it soon.
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(Duration::from_secs(10)))
            .build();
        Ok(Self {
            program: program.to_owned(),
            data: TempDir::new()?,
            address: format!("127.0.0.1:{port}"),
            slack: FakeSlack::start()?,
            child: None,
            agent: agent.into(),
        })
    }

    fn start(&mut self) -> Result<(), Failure> {
        let child = crate::command(&self.program, self.data.path())
            .env("CLEW_HTTP_ADDR", &self.address)
            .env("CLEW_LOG_LEVEL", "error")
            .env("SLACK_BOT_TOKEN", TOKEN)
            .env("SLACK_API_URL", self.slack.url())
            .env("SLACK_CHANNEL", CHANNEL)
            .stdout(Stdio::null())
            .spawn()?;
        self.child = Some(child);
        let deadline = Instant::now() + START;
        while self.get("/health").is_err() {
            let ended = self.child.as_mut().and_then(|child| child.try_wait().ok().flatten());
            if let Some(status) = ended {
                return Err(format!("clew did not start: {status}").into());
            }
            if Instant::now() > deadline {
                return Err("clew did not start in time".into());
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        Ok(())
    }

    /// SIGKILL.
    fn kill(&mut self) -> Result<(), Failure> {
        if let Some(mut child) = self.child.take() {
            child.kill()?;
            child.wait()?;
        }
        Ok(())
    }

    fn get(&self, path: &str) -> Result<Value, Failure> {
        let mut answer = self.agent.get(format!("http://{}{path}", self.address)).call()?;
        let text = answer.body_mut().with_config().limit(1 << 28).read_to_string()?;
        Ok(serde_json::from_str(&text)?)
    }

    /// All pages of a list.
    fn all(&self, path: &str, list: &str) -> Result<Vec<Value>, Failure> {
        let (mut items, mut cursor) = (Vec::new(), String::new());
        loop {
            let mut page = self.get(&format!("{path}?limit=500{cursor}"))?;
            if let Value::Array(more) = page[list].take() {
                items.extend(more);
            }
            match page["next"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return Ok(items),
            }
        }
    }

    /// Waits until nothing is left to do.
    fn drain(&self) -> Result<usize, Failure> {
        let deadline = Instant::now() + DRAIN;
        loop {
            let waiting = self.get("/jobs")?["count"].as_u64().unwrap_or(u64::MAX);
            if waiting == 0 {
                let dead = self.get("/jobs?state=dead")?;
                return Ok(usize::try_from(dead["count"].as_u64().unwrap_or(0)).unwrap_or(0));
            }
            if Instant::now() > deadline {
                return Err(format!("{waiting} jobs are left after {DRAIN:?}").into());
            }
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}

impl Drop for Victim {
    fn drop(&mut self) {
        // Whatever it was doing, nobody needs it any more.
        drop(self.kill());
    }
}

/// What the clients share.
struct Feed {
    deliveries: Vec<String>,
    next: AtomicUsize,
    /// Deliveries that may be sent by now: some for every life of the process.
    allowed: AtomicUsize,
    accepted: AtomicUsize,
    duplicates: AtomicUsize,
    refused: AtomicUsize,
    stop: AtomicBool,
    wrong: Mutex<Vec<String>>,
}

impl Feed {
    /// Sends deliveries until there are none left; each until it is accepted, as senders do.
    fn send(&self, address: &str) {
        let agent: ureq::Agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(Duration::from_secs(10)))
            .build()
            .into();
        loop {
            let number = self.next.fetch_add(1, Ordering::SeqCst);
            let Some(body) = self.deliveries.get(number) else { return };
            while number >= self.allowed.load(Ordering::SeqCst) && !self.stop.load(Ordering::SeqCst) {
                std::thread::sleep(Duration::from_millis(2));
            }
            while !self.try_once(&agent, address, body) {
                if self.stop.load(Ordering::SeqCst) {
                    return;
                }
                std::thread::sleep(Duration::from_millis(20));
            }
        }
    }

    fn try_once(&self, agent: &ureq::Agent, address: &str, body: &str) -> bool {
        let url = format!("http://{address}/webhooks/alertmanager");
        let answer = agent.post(url).header("content-type", "application/json").send(body);
        let Ok(mut answer) = answer else {
            self.refused.fetch_add(1, Ordering::SeqCst);
            return false;
        };
        let text = answer.body_mut().read_to_string();
        match (answer.status().as_u16(), text) {
            (202, Ok(text)) => {
                self.accepted.fetch_add(1, Ordering::SeqCst);
                self.duplicates.fetch_add(usize::from(text.contains("\"duplicate\":true")), Ordering::SeqCst);
                true
            }
            (503, _) | (202, Err(_)) => {
                self.refused.fetch_add(1, Ordering::SeqCst);
                false
            }
            (status, text) => {
                let mut wrong = self.wrong.lock().unwrap_or_else(PoisonError::into_inner);
                wrong.push(format!("a delivery was answered {status} {}", text.unwrap_or_default()));
                true
            }
        }
    }
}

/// Tortures `program` and reports.
///
/// # Errors
/// When the torture cannot be carried out: the program does not start, or does not come to rest.
pub fn torture(program: &str, plan: &Plan) -> Result<Report, Failure> {
    let started = Instant::now();
    let mut chance = Chance(plan.seed | 1);
    let (deliveries, expected) = deliveries(plan, &mut chance);
    let mut victim = Victim::new(program)?;
    victim.slack.fail(
        Faults {
            rate_limited: 0.05,
            server_error: 0.05,
            dropped_before: 0.03,
            dropped_after: 0.12,
            slow: 0.1,
            delay: Duration::from_millis(200),
        },
        plan.seed,
    );
    let feed = Arc::new(Feed {
        next: AtomicUsize::new(0),
        allowed: AtomicUsize::new(0),
        accepted: AtomicUsize::new(0),
        duplicates: AtomicUsize::new(0),
        refused: AtomicUsize::new(0),
        stop: AtomicBool::new(false),
        wrong: Mutex::default(),
        deliveries,
    });
    let clients: Vec<_> = (0..plan.clients)
        .map(|_| {
            let (feed, address) = (Arc::clone(&feed), victim.address.clone());
            std::thread::spawn(move || feed.send(&address))
        })
        .collect();
    let killed = kill_again_and_again(&mut victim, plan, &feed, &mut chance);
    feed.allowed.store(usize::MAX, Ordering::SeqCst);
    if killed.is_err() {
        feed.stop.store(true, Ordering::SeqCst);
    }
    for client in clients {
        client.join().map_err(|_| "a client panicked")?;
    }
    killed?;
    let dead = victim.drain()?;
    let mut report = verify(&victim, &expected)?;
    report.lost.extend(feed.wrong.lock().unwrap_or_else(PoisonError::into_inner).drain(..));
    if dead > 0 {
        report.lost.push(format!("{dead} jobs were given up"));
    }
    let calls = victim.slack.calls("chat.postMessage").len() + victim.slack.calls("chat.update").len();
    report.figures = vec![
        ("times killed", plan.kills),
        ("alerts", plan.alerts),
        ("deliveries accepted", feed.accepted.load(Ordering::SeqCst)),
        ("of them known already", feed.duplicates.load(Ordering::SeqCst)),
        ("tries that were refused or cut off", feed.refused.load(Ordering::SeqCst)),
        ("incidents", expected.incidents.len()),
        ("messages in the chat", victim.slack.messages(CHANNEL).len()),
        ("writes to the chat", calls),
        ("of them failed", failed_calls(&victim.slack)),
    ];
    report.took = started.elapsed();
    Ok(report)
}

fn failed_calls(slack: &FakeSlack) -> usize {
    let calls = slack.calls("chat.postMessage").into_iter().chain(slack.calls("chat.update"));
    calls.filter(|call| call.outcome != "ok").count()
}

fn kill_again_and_again(victim: &mut Victim, plan: &Plan, feed: &Feed, chance: &mut Chance) -> Result<(), Failure> {
    let share = feed.deliveries.len() / (plan.kills + 1) + 1;
    for _ in 0..plan.kills {
        victim.start()?;
        feed.allowed.fetch_add(share, Ordering::SeqCst);
        // Sometimes at once, sometimes in the middle of work, sometimes when it has come to rest.
        std::thread::sleep(Duration::from_millis(chance.below(900) as u64));
        victim.kill()?;
    }
    victim.start()
}

fn verify(victim: &Victim, expected: &Expected) -> Result<Report, Failure> {
    let mut report = Report { lost: Vec::new(), doubled: Vec::new(), figures: Vec::new(), took: Duration::ZERO };
    let incidents = victim.all("/incidents", "incidents")?;
    let mut found: HashMap<String, usize> = HashMap::new();
    let mut groups: HashMap<String, usize> = HashMap::new();
    let mut notifications = 0;
    for incident in &incidents {
        let id = incident["id"].as_str().unwrap_or_default();
        let name = |field: &str| incident["labels"][field].as_str().unwrap_or_default().to_owned();
        *groups.entry(format!("{}/{}", name("alertname"), name("service"))).or_default() += 1;
        notifications += incident["alerts"]["notifications"].as_u64().map_or(0, |n| usize::try_from(n).unwrap_or(0));
        let alerts = victim.all(&format!("/incidents/{id}/alerts"), "alerts")?;
        let mut firing = 0;
        for alert in &alerts {
            let instance = alert["labels"]["instance"].as_str().unwrap_or_default().to_owned();
            let over = alert["status"] == "resolved";
            firing += u64::from(!over);
            if expected.over.get(&instance) != Some(&over) {
                report.lost.push(format!("{instance} in {id} is {}", alert["status"]));
            }
            *found.entry(instance).or_default() += 1;
        }
        let counters = &incident["alerts"];
        if counters["alerts"] != alerts.len() as u64 || counters["firing"] != firing {
            report.doubled.push(format!("{id} counts {counters}, and has {} alerts, {firing} firing", alerts.len()));
        }
        if (incident["state"] == "resolved") != (firing == 0) {
            report.lost.push(format!("{id} is {} with {firing} firing", incident["state"]));
        }
    }
    for instance in expected.over.keys().filter(|instance| !found.contains_key(*instance)) {
        report.lost.push(format!("{instance} is in no incident"));
    }
    for (instance, times) in found.iter().filter(|(_, times)| **times > 1) {
        report.doubled.push(format!("{instance} is in {times} incidents"));
    }
    for (group, times) in groups.iter().filter(|(_, times)| **times > 1) {
        report.doubled.push(format!("{group} has {times} incidents"));
    }
    match notifications.cmp(&expected.notifications) {
        std::cmp::Ordering::Less => {
            report.lost.push(format!("{notifications} notifications of {}", expected.notifications));
        }
        std::cmp::Ordering::Greater => {
            report.doubled.push(format!("{notifications} notifications of {}", expected.notifications));
        }
        std::cmp::Ordering::Equal => {}
    }
    compare_with_chat(&incidents, &victim.slack.messages(CHANNEL), &mut report);
    Ok(report)
}

/// Every incident has one message, which shows what the incident is; nothing is said twice.
fn compare_with_chat(incidents: &[Value], messages: &[SlackMessage], report: &mut Report) {
    let roots: Vec<&SlackMessage> = messages.iter().filter(|message| message.thread_ts.is_none()).collect();
    for incident in incidents {
        let id = incident["id"].as_str().unwrap_or_default();
        let cards: Vec<&&SlackMessage> =
            roots.iter().filter(|message| message.shown().contains(&format!("{id} ·"))).collect();
        match cards.as_slice() {
            [] => report.lost.push(format!("{id} has no message")),
            [card] => {
                let shown = card.shown().to_lowercase();
                let state = incident["state"].as_str().unwrap_or_default();
                let counted = format!("{} firing of {}", incident["alerts"]["firing"], incident["alerts"]["alerts"]);
                for part in [state, &counted] {
                    if !shown.contains(part) {
                        report.lost.push(format!("the message of {id} does not show {part:?}"));
                    }
                }
            }
            more => report.doubled.push(format!("{id} has {} messages", more.len())),
        }
    }
    if roots.len() > incidents.len() {
        report.doubled.push(format!("{} messages for {} incidents", roots.len(), incidents.len()));
    }
    let mut keys: HashMap<String, usize> = HashMap::new();
    for message in messages {
        let key = message.metadata["event_payload"]["key"].as_str().unwrap_or_default().to_owned();
        *keys.entry(key).or_default() += 1;
    }
    for (key, times) in keys.iter().filter(|(_, times)| **times > 1) {
        report.doubled.push(format!("{key:?} was said {times} times"));
    }
}

/// The plan in the arguments of a command line: `--alerts`, `--incidents`, `--clients`, `--kills`, `--seed`.
///
/// # Errors
/// When an argument is none of these or no number.
pub fn plan_from(arguments: impl Iterator<Item = String>, mut plan: Plan) -> Result<Plan, Failure> {
    let arguments: Vec<String> = arguments.filter(|argument| argument != "--bench").collect();
    for pair in arguments.chunks(2) {
        let [name, value] = pair else { return Err(format!("{} needs a number", pair[0]).into()) };
        let number: usize = value.parse().map_err(|_| format!("{name}: {value:?} is no number"))?;
        match name.as_str() {
            "--alerts" => plan.alerts = number,
            "--incidents" => plan.incidents = number,
            "--clients" => plan.clients = number,
            "--kills" => plan.kills = number,
            "--seed" => plan.seed = number as u64,
            other => {
                return Err(
                    format!("{other} is unknown; there are --alerts, --incidents, --clients, --kills, --seed").into()
                );
            }
        }
    }
    Ok(plan)
}
