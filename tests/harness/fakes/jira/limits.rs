//! How often Cloud may be asked, as it publishes it.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::refusal::Refusal;

/// Who asked how often.
#[derive(Debug, Default)]
pub struct Limits {
    lifted: bool,
    /// By method.
    asked: BTreeMap<String, Vec<Instant>>,
    /// By the id of the issue.
    written: BTreeMap<u64, Vec<Instant>>,
}

impl Limits {
    /// From now on there are none.
    pub fn lift(&mut self) {
        self.lifted = true;
    }

    /// Counts a call; `issue` is the one that it writes to.
    pub fn check(&mut self, method: &str, issue: Option<u64>) -> Result<(), Refusal> {
        if self.lifted {
            return Ok(());
        }
        let burst = if matches!(method, "GET" | "POST") { 100 } else { 50 };
        let asked = self.asked.entry(method.to_owned()).or_default();
        wait(asked, &[(burst, Duration::from_secs(1))], "jira-burst-based")?;
        if let Some(issue) = issue {
            let written = self.written.entry(issue).or_default();
            let limits = [(20, Duration::from_secs(2)), (100, Duration::from_secs(30))];
            wait(written, &limits, "jira-per-issue-on-write")?;
            written.push(Instant::now());
        }
        self.asked.entry(method.to_owned()).or_default().push(Instant::now());
        Ok(())
    }
}

fn wait(times: &mut Vec<Instant>, limits: &[(usize, Duration)], reason: &'static str) -> Result<(), Refusal> {
    let now = Instant::now();
    let longest = limits.iter().map(|(_, window)| *window).max().unwrap_or_default();
    times.retain(|time| now.duration_since(*time) < longest);
    for (most, window) in limits {
        let mut within = times.iter().filter(|time| now.duration_since(**time) < *window);
        if within.clone().count() >= *most {
            let free_in = within.next().map_or(*window, |first| window.saturating_sub(now.duration_since(*first)));
            return Err(Refusal::wait(free_in.as_secs() + 1, reason));
        }
    }
    Ok(())
}
