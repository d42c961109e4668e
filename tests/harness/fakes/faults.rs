//! What can go wrong between the bot and a system outside, on demand or at random. The same seed goes wrong the same way.

use std::collections::VecDeque;
use std::time::Duration;

/// How often something goes wrong: probabilities between 0 and 1, which add up to 1 at most.
#[derive(Debug, Clone, Copy, Default)]
pub struct Faults {
    /// 429, wait a second.
    pub rate_limited: f64,
    /// 500.
    pub server_error: f64,
    /// The connection is cut and nothing was done.
    pub dropped_before: f64,
    /// It was done, and the connection is cut before the answer.
    pub dropped_after: f64,
    /// It is done, but the answer comes late.
    pub slow: f64,
    /// How late.
    pub delay: Duration,
}

/// One thing that goes wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// 429 with this many seconds to wait.
    RateLimited(u64),
    /// This status, 500 and above.
    ServerError(u16),
    /// The connection is cut and nothing was done.
    DroppedBefore,
    /// It was done, and the connection is cut before the answer.
    DroppedAfter,
    /// It is done, but the answer comes this much later.
    Slow(Duration),
    /// The system refuses with this code of its own.
    Refused(String),
}

/// Decides what goes wrong.
#[derive(Debug, Default)]
pub struct Dice {
    faults: Faults,
    state: u64,
    next: VecDeque<(String, Fault)>,
}

impl Dice {
    /// From now on these faults, drawn from `seed`.
    pub fn fail(&mut self, faults: Faults, seed: u64) {
        self.faults = faults;
        self.state = seed;
    }

    /// The next call of `method` goes wrong in this way.
    pub fn fail_next(&mut self, method: &str, fault: Fault) {
        self.next.push_back((method.to_owned(), fault));
    }

    /// What goes wrong with this call.
    pub fn draw(&mut self, method: &str) -> Option<Fault> {
        if let Some(at) = self.next.iter().position(|(of, _)| of == method) {
            return self.next.remove(at).map(|(_, fault)| fault);
        }
        let Faults { rate_limited, server_error, dropped_before, dropped_after, slow, delay } = self.faults;
        let mut drawn = self.uniform();
        for (probability, fault) in [
            (rate_limited, Fault::RateLimited(1)),
            (server_error, Fault::ServerError(500)),
            (dropped_before, Fault::DroppedBefore),
            (dropped_after, Fault::DroppedAfter),
            (slow, Fault::Slow(delay)),
        ] {
            if drawn < probability {
                return Some(fault);
            }
            drawn -= probability;
        }
        None
    }

    /// A number from 0 up to 1 (splitmix64).
    fn uniform(&mut self) -> f64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        // 32 bits are exact in a float and fine enough for probabilities.
        f64::from(u32::try_from(mixed >> 32).unwrap_or(0)) / 4_294_967_296.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_goes_wrong_the_same_way_and_about_as_often_as_asked() {
        let faults = Faults { rate_limited: 0.2, dropped_after: 0.1, ..Faults::default() };
        let draw = |seed| {
            let mut dice = Dice::default();
            dice.fail(faults, seed);
            (0..1_000).map(|_| dice.draw("any")).collect::<Vec<_>>()
        };
        assert_eq!(draw(7), draw(7));
        assert_ne!(draw(7), draw(8));
        let limited = draw(7).iter().filter(|fault| **fault == Some(Fault::RateLimited(1))).count();
        assert!((150..250).contains(&limited), "{limited}");
    }

    #[test]
    fn nothing_goes_wrong_unless_asked() {
        let mut dice = Dice::default();
        dice.fail_next("post", Fault::DroppedAfter);
        assert_eq!(dice.draw("read"), None);
        assert_eq!(dice.draw("post"), Some(Fault::DroppedAfter));
        assert_eq!(dice.draw("post"), None);
    }
}
