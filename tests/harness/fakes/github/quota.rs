//! How much may be asked of GitHub.

use std::collections::VecDeque;
use std::time::Duration;

use super::BOT_LOGIN;
use super::refusal::Refusal;
use super::state::State;

/// How much may be asked, and how long a minute and an hour are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Requests an hour.
    pub requests: u64,
    /// Requests that write something, a minute.
    pub writes_a_minute: usize,
    /// Requests that write something, an hour.
    pub writes_an_hour: usize,
    /// Points a minute: reading costs one, writing five.
    pub points_a_minute: usize,
    /// How long a minute is.
    pub minute: Duration,
    /// How long an hour is.
    pub hour: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            requests: 5_000,
            writes_a_minute: 80,
            writes_an_hour: 500,
            points_a_minute: 900,
            minute: Duration::from_mins(1),
            hour: Duration::from_hours(1),
        }
    }
}

/// How much was asked.
#[derive(Debug, Default)]
pub struct Quota {
    pub limits: Limits,
    /// Requests that counted, all in all.
    pub total: u64,
    /// Those in this hour.
    used: u64,
    /// When the hour ends.
    ends: Option<Duration>,
    /// When something was written.
    writes: VecDeque<Duration>,
    /// What was asked, and what it costs.
    points: VecDeque<(Duration, usize)>,
}

/// Where the hour's requests stand.
#[derive(Debug, Clone, Copy)]
pub struct Standing {
    pub limit: u64,
    pub used: u64,
    /// Seconds since 1970.
    pub reset: u64,
}

impl Standing {
    pub fn remaining(self) -> u64 {
        self.limit.saturating_sub(self.used)
    }
}

impl Quota {
    /// Uses up what is left of the hour.
    pub fn exhaust(&mut self, now: Duration) {
        self.begin_hour(now);
        self.used = self.limits.requests;
    }

    /// One more request that counts.
    pub fn count(&mut self) {
        self.total += 1;
        self.used += 1;
    }

    pub fn standing(&self, now: Duration) -> Standing {
        let ends = self.ends.unwrap_or(now + self.limits.hour);
        // Rounded up: who waits for it must not come too early.
        let reset = ends.as_secs() + u64::from(ends.subsec_nanos() > 0);
        Standing { limit: self.limits.requests, used: self.used.min(self.limits.requests), reset }
    }

    fn begin_hour(&mut self, now: Duration) {
        if self.ends.is_none_or(|ends| ends <= now) {
            (self.used, self.ends) = (0, Some(now + self.limits.hour));
        }
    }

    /// Whether another request is allowed; seconds to wait, and whether it is for what it writes, when it is not.
    fn admit(&mut self, now: Duration, writes: bool) -> Result<(), (u64, bool)> {
        let Limits { minute, hour, .. } = self.limits;
        while self.writes.front().is_some_and(|at| *at + hour <= now) {
            self.writes.pop_front();
        }
        while self.points.front().is_some_and(|(at, _)| *at + minute <= now) {
            self.points.pop_front();
        }
        let wait = |since: Duration, window: Duration| {
            u64::try_from((since + window).saturating_sub(now).as_millis().div_ceil(1_000)).unwrap_or(60).max(1)
        };
        if writes {
            let lately: Vec<_> = self.writes.iter().filter(|at| **at + minute > now).collect();
            if let (true, Some(first)) = (lately.len() >= self.limits.writes_a_minute, lately.first()) {
                return Err((wait(**first, minute), true));
            }
            if let (true, Some(first)) = (self.writes.len() >= self.limits.writes_an_hour, self.writes.front()) {
                return Err((wait(*first, hour), true));
            }
        }
        let cost = if writes { 5 } else { 1 };
        let spent: usize = self.points.iter().map(|(_, points)| points).sum();
        if let (true, Some((first, _))) = (spent + cost > self.limits.points_a_minute, self.points.front()) {
            return Err((wait(*first, minute), false));
        }
        self.points.push_back((now, cost));
        if writes {
            self.writes.push_back(now);
        }
        Ok(())
    }
}

impl State {
    /// Whether the limits allow another request.
    pub fn within_limits(&mut self, writes: bool) -> Result<(), Refusal> {
        let now = self.clock();
        self.quota.begin_hour(now);
        if self.quota.standing(now).remaining() == 0 {
            let id = self.user(BOT_LOGIN).map_or(0, |user| user.id);
            return Err(Refusal::exhausted(id));
        }
        self.quota.admit(now, writes).map_err(|(seconds, on_content)| Refusal::secondary(403, seconds, on_content))
    }
}
