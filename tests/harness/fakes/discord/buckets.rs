//! How many calls are allowed in which time. Every answer tells of its bucket; calls are refused only when a story
//! wants it.

use std::collections::BTreeMap;
use std::time::Duration;

use super::refusal::Refusal;
use super::state::State;
use crate::fakes::clock::since_epoch;
use crate::fakes::server::Reply;

/// Calls a second of a bot, whatever they are. Answers to interactions do not count.
const GLOBAL: u64 = 50;

/// Calls that are counted together.
#[derive(Debug, Default)]
struct Bucket {
    used: u64,
    /// When it is empty again, on the clock of the fake.
    fresh_at: Duration,
}

/// All buckets.
#[derive(Debug, Default)]
pub struct Buckets {
    all: BTreeMap<String, Bucket>,
    pub enforced: bool,
}

/// What an answer tells of its bucket.
#[derive(Debug)]
pub struct Told {
    name: String,
    limit: u64,
    remaining: u64,
    fresh_in: Duration,
}

/// How many calls of a route are allowed in how long.
fn allowed(route: &str) -> (u64, Duration) {
    let seconds = Duration::from_secs;
    match route {
        "POST channels/{}/messages" | "PATCH channels/{}/messages/{}" => (5, seconds(5)),
        "GET channels/{}/messages" => (5, seconds(1)),
        route if route.contains(" webhooks/") => (5, seconds(2)),
        route if route.contains("/threads") => (50, seconds(300)),
        _ => (30, seconds(10)),
    }
}

impl Bucket {
    /// One more call. `Err`: how long to wait.
    fn take(&mut self, limit: u64, per: Duration, now: Duration) -> Result<(), Duration> {
        if now >= self.fresh_at {
            *self = Self { used: 0, fresh_at: now + per };
        }
        if self.used >= limit {
            return Err(self.fresh_at.saturating_sub(now));
        }
        self.used += 1;
        Ok(())
    }
}

impl State {
    /// Counts a call. `major` is what the route is about: each channel, server and webhook has buckets of its own.
    pub fn count(&mut self, route: &str, major: &str) -> (Option<Told>, Option<Refusal>) {
        if route.contains("interactions/") || route.contains("attachments/{}") || route.ends_with("gateway") {
            return (None, None);
        }
        let (now, enforced) = (self.now(), self.buckets.enforced);
        let (limit, per) = allowed(route);
        let bucket = self.buckets.all.entry(format!("{route} {major}")).or_default();
        let taken = bucket.take(limit, per, now);
        // When nothing is enforced nobody is to slow down.
        let remaining = if enforced { limit - bucket.used } else { limit - 1 };
        let fresh_in = bucket.fresh_at.saturating_sub(now);
        let name = ring::digest::digest(&ring::digest::SHA256, route.as_bytes()).as_ref()[..16]
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let told = Some(Told { name, limit, remaining, fresh_in });
        if !enforced {
            return (told, None);
        }
        if let Err(wait) = taken {
            return (told, Some(Refusal::wait(wait.as_secs_f64(), "user")));
        }
        let global = self.buckets.all.entry("global".to_owned()).or_default();
        if !route.contains(" webhooks/")
            && let Err(wait) = global.take(GLOBAL, Duration::from_secs(1), now)
        {
            return (told, Some(Refusal::wait(wait.as_secs_f64(), "global")));
        }
        (told, None)
    }
}

/// The answer with the headers that tell of its bucket.
pub fn tell(reply: Reply, told: Option<Told>) -> Reply {
    let Some(Told { name, limit, remaining, fresh_in }) = told else { return reply };
    let fresh_at = since_epoch() + fresh_in;
    reply
        .header("x-ratelimit-limit", &limit.to_string())
        .header("x-ratelimit-remaining", &remaining.to_string())
        .header("x-ratelimit-reset", &format!("{:.3}", fresh_at.as_secs_f64()))
        .header("x-ratelimit-reset-after", &format!("{:.3}", fresh_in.as_secs_f64()))
        .header("x-ratelimit-bucket", &name)
}
