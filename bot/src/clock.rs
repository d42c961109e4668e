//! The one place that asks what time it is.

use std::time::Instant;

use chrono::{DateTime, Utc};

/// A moment.
pub type Time = DateTime<Utc>;

/// Now.
#[must_use]
// The home of this call; everywhere else clippy.toml forbids it.
#[allow(clippy::disallowed_methods)]
pub fn now() -> Time {
    Utc::now()
}

/// A moment in RFC 3339, UTC, to the second.
#[must_use]
pub fn in_words(time: Time) -> String {
    time.to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
}

/// A moment from RFC 3339, if it is one.
#[must_use]
pub fn parse(text: &str) -> Option<Time> {
    DateTime::parse_from_rfc3339(text.trim()).ok().map(|time| time.with_timezone(&Utc))
}

/// How long something took or is away, as people say it: `40 s`, `12 min`, `3 h 5 min`, `2 d 4 h`.
#[must_use]
pub fn duration(duration: chrono::Duration) -> String {
    let seconds = duration.num_seconds().max(0);
    let two = |first: i64, a: &str, second: i64, b: &str| {
        if second == 0 { format!("{first} {a}") } else { format!("{first} {a} {second} {b}") }
    };
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3_600 => format!("{} min", seconds / 60),
        3_600..86_400 => two(seconds / 3_600, "h", seconds % 3_600 / 60, "min"),
        _ => two(seconds / 86_400, "d", seconds % 86_400 / 3_600, "h"),
    }
}

/// Difference between the clock and the time that really passed from which on the clock has jumped.
const JUMP: chrono::Duration = chrono::Duration::minutes(10);
/// Time after a jump until the clock is believed again.
const STEADY: std::time::Duration = std::time::Duration::from_hours(24);

/// Watches whether the clock of the machine jumps.
pub struct Watch {
    last: (Time, Instant),
    jumped: Option<Instant>,
}

impl Watch {
    /// Begins to watch.
    #[must_use]
    pub fn start() -> Self {
        Self { last: (now(), Instant::now()), jumped: None }
    }

    /// Whether the clock, which shows `time` at `instant`, did not jump within the last day.
    pub fn is_steady(&mut self, time: Time, instant: Instant) -> bool {
        let passed = chrono::Duration::from_std(instant.duration_since(self.last.1)).unwrap_or(chrono::Duration::MAX);
        let shown = time - self.last.0;
        self.last = (time, instant);
        if (shown - passed).abs() > JUMP {
            self.jumped = Some(instant);
        }
        self.jumped.is_none_or(|jumped| instant.duration_since(jumped) >= STEADY)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    #[test]
    fn after_a_jump_the_clock_is_not_believed_for_a_day() {
        let mut watch = super::Watch::start();
        let (time, instant) = watch.last;
        let hour = |n: u64| (chrono::Duration::hours(i64::try_from(n).unwrap_or(0)), Duration::from_hours(n));
        let mut look = |n: u64, jump: i64| {
            let (shown, passed) = hour(n);
            watch.is_steady(time + shown + chrono::Duration::days(jump), instant + passed)
        };
        assert!(look(1, 0) && look(2, 0));
        assert!(!look(3, 3_650) && !look(4, 3_650) && !look(5, 0) && !look(28, 0));
        assert!(look(29, 0));
    }

    #[test]
    fn durations_read_as_people_say_them() {
        let said = |seconds| super::duration(chrono::Duration::seconds(seconds));
        assert_eq!(
            [said(-5), said(59), said(719), said(11_100), said(187_200)],
            ["0 s", "59 s", "11 min", "3 h 5 min", "2 d 4 h"]
        );
    }
}
