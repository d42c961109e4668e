//! What is on its way to the bot: sent, acknowledged, sent again.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::Shared;
use super::signed::{Outcome, Post};
use super::state::State;

/// How long Slack waits for an acknowledgement.
const PATIENCE: Duration = Duration::from_secs(3);
/// How often an event is delivered at most: once, and three times again.
const ROUNDS: usize = 4;
/// How long to wait before an event is posted again: at once, then longer. The real Slack waits a minute and five.
const PAUSES: [Duration; 3] = [Duration::ZERO, Duration::from_secs(1), Duration::from_secs(2)];
/// How long the postman sleeps when nothing is to be done; every change wakes him.
const LONG: Duration = Duration::from_mins(1);

/// What was delivered, or is to be.
#[derive(Debug, Clone, PartialEq)]
pub struct Delivered {
    /// `events_api`, `slash_commands` or `interactive`.
    pub kind: String,
    /// Id of the envelope; it stays when it is sent again.
    pub envelope_id: String,
    /// What it holds.
    pub payload: Value,
    /// How often it was sent.
    pub sent: usize,
    /// How long after it was last sent the first acknowledgement came.
    pub acked_after: Option<Duration>,
    /// What the acknowledgement said; `null` when it said nothing.
    pub answer: Value,
}

impl Delivered {
    /// Whether it is an event: the only kind that is sent again.
    pub fn is_event(&self) -> bool {
        self.kind == "events_api"
    }
}

#[derive(Debug)]
struct Envelope {
    record: Delivered,
    /// When something is to be done about it; `None`: an answer comes first.
    due: Option<Instant>,
    rounds: usize,
    /// Why it is sent again.
    reason: &'static str,
    /// The socket that it went to.
    socket: Option<u64>,
    sent_at: Option<Instant>,
    /// No acknowledgement can come any more.
    failed: bool,
}

/// All envelopes, and how they are delivered.
#[derive(Debug)]
pub struct Mail {
    envelopes: Vec<Envelope>,
    places: BTreeMap<String, usize>,
    /// Places of the envelopes that something is still to be done about.
    open: BTreeSet<usize>,
    /// Base address of the bot, when it is posted to.
    pub url: Option<String>,
    /// Whether the bot ever listened.
    pub listened: bool,
    /// Whether everything is delivered twice.
    pub twice: bool,
    pub patience: Duration,
}

impl Default for Mail {
    fn default() -> Self {
        Self {
            envelopes: Vec::new(),
            places: BTreeMap::new(),
            open: BTreeSet::new(),
            url: None,
            listened: false,
            twice: false,
            patience: PATIENCE,
        }
    }
}

impl Mail {
    pub fn records(&self) -> Vec<Delivered> {
        self.envelopes.iter().map(|envelope| envelope.record.clone()).collect()
    }

    /// Events that wait for their acknowledgement.
    pub fn waiting(&self) -> usize {
        self.open.iter().filter(|place| self.envelopes[**place].record.is_event()).count()
    }

    fn next_due(&self, now: Instant) -> Duration {
        let due = self.open.iter().filter_map(|place| self.envelopes[*place].due);
        // What was due already and is still here waits for a socket.
        due.filter(|due| *due > now).min().map_or(LONG, |due| due.saturating_duration_since(Instant::now()))
    }
}

impl State {
    /// Something is to be delivered. Returns its place.
    pub fn put(&mut self, kind: &str, payload: Value) -> usize {
        let place = self.mail.envelopes.len();
        let envelope_id = format!("{place:08x}-0000-4000-8000-{}", self.mint("c1e"));
        let record = Delivered {
            kind: kind.to_owned(),
            envelope_id: envelope_id.clone(),
            payload,
            sent: 0,
            acked_after: None,
            answer: Value::Null,
        };
        self.mail.envelopes.push(Envelope {
            record,
            due: Some(Instant::now()),
            rounds: 0,
            reason: "",
            socket: None,
            sent_at: None,
            failed: false,
        });
        self.mail.places.insert(envelope_id, place);
        self.mail.open.insert(place);
        place
    }

    /// Sends what is due over the sockets; what is to be posted is returned.
    fn deliver(&mut self, now: Instant) -> Vec<Post> {
        let due = |place: &usize| self.mail.envelopes[*place].due.is_some_and(|due| due <= now);
        let due: Vec<usize> = self.mail.open.iter().copied().filter(due).collect();
        due.into_iter().flat_map(|place| self.send(place, now)).collect()
    }

    fn send(&mut self, place: usize, now: Instant) -> Vec<Post> {
        let (mail, links) = (&mut self.mail, &mut self.links);
        let envelope = &mut mail.envelopes[place];
        if envelope.rounds == ROUNDS || envelope.rounds > 0 && !envelope.record.is_event() {
            envelope.failed = true;
            mail.open.remove(&place);
            return Vec::new();
        }
        let copies = if mail.twice { 2 } else { 1 };
        if let Some(url) = &mail.url {
            (envelope.due, envelope.sent_at) = (None, Some(now));
            let post = Post::new(place, url, &envelope.record, envelope.rounds, envelope.reason, mail.patience);
            envelope.rounds += 1;
            envelope.record.sent += copies;
            return vec![post; copies];
        }
        let text = over_socket(envelope);
        for _ in 0..copies {
            let Some(socket) = links.send(envelope.socket, &text) else { break };
            envelope.socket = Some(socket);
            envelope.record.sent += 1;
            (envelope.due, envelope.sent_at) = (Some(now + mail.patience), Some(now));
        }
        if envelope.sent_at == Some(now) {
            envelope.rounds += 1;
            envelope.reason = "timeout";
        } else if !envelope.record.is_event() {
            // Nobody listens: the person is told at once.
            envelope.failed = true;
            mail.open.remove(&place);
        }
        Vec::new()
    }

    /// The bot acknowledged something over a socket.
    pub fn acknowledged(&mut self, text: &str) {
        let message: Value = serde_json::from_str(text).unwrap_or_default();
        let place = message["envelope_id"].as_str().and_then(|id| self.mail.places.get(id)).copied();
        if let Some(place) = place {
            self.accept(place, message["payload"].clone());
        }
    }

    /// The bot answered a post.
    pub fn answered(&mut self, place: usize, outcome: Outcome) {
        let envelope = &mut self.mail.envelopes[place];
        if envelope.record.acked_after.is_some() {
            return;
        }
        match outcome {
            Outcome::Accepted(answer) => self.accept(place, answer),
            Outcome::Failed { answer, reason } => {
                envelope.record.answer = answer;
                envelope.reason = reason;
                let pause = PAUSES.get(envelope.rounds - 1).filter(|_| envelope.record.is_event());
                envelope.due = pause.map(|pause| Instant::now() + *pause);
                if pause.is_none() {
                    envelope.failed = true;
                    self.mail.open.remove(&place);
                }
            }
        }
    }

    fn accept(&mut self, place: usize, answer: Value) {
        let envelope = &mut self.mail.envelopes[place];
        if envelope.record.acked_after.is_some() {
            return;
        }
        envelope.record.acked_after = envelope.sent_at.map(|at| at.elapsed());
        envelope.record.answer = answer;
        self.mail.open.remove(&place);
        let record = envelope.record.clone();
        // Who waited longer was shown an error.
        if record.acked_after.is_some_and(|after| after <= self.mail.patience) {
            self.take_answer(&record);
        }
    }
}

fn over_socket(envelope: &Envelope) -> String {
    let record = &envelope.record;
    let mut message = json!({
        "envelope_id": record.envelope_id, "type": record.kind, "payload": record.payload,
        "accepts_response_payload": !record.is_event(),
    });
    if record.is_event() {
        message["retry_attempt"] = json!(envelope.rounds);
        message["retry_reason"] = json!(envelope.reason);
    }
    message.to_string()
}

impl Shared {
    /// Delivers what is to be delivered, until the fake ends.
    pub fn deliver_all(self: Arc<Self>) {
        let mut state = self.lock();
        while !state.stopped {
            let now = Instant::now();
            for post in state.deliver(now) {
                let shared = Arc::clone(&self);
                std::thread::spawn(move || {
                    let (place, outcome) = (post.place, post.send());
                    shared.change(|state| state.answered(place, outcome));
                });
            }
            // Whoever waits for something that cannot come any more learns of it.
            self.changed.notify_all();
            let pause = state.mail.next_due(now);
            state = self.wait(state, pause);
        }
    }

    /// Waits until this was acknowledged, or cannot be any more.
    pub fn delivered(&self, place: usize) -> Delivered {
        let mut state = self.lock();
        let deadline = Instant::now() + state.mail.patience + Duration::from_secs(1);
        loop {
            let envelope = &state.mail.envelopes[place];
            let late = envelope.sent_at.is_some() && state.mail.url.is_none();
            let now = Instant::now();
            let over = envelope.record.acked_after.is_some() || envelope.failed && !late;
            if over || now >= deadline {
                return envelope.record.clone();
            }
            state = self.wait(state, deadline - now);
        }
    }
}
