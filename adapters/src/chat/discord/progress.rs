//! How far the bot has heard: what must be told again after a cut connection or a crash, and what need not.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

use super::people::Identity;

/// What is kept over the next start.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// The session, if it may be resumed.
    pub session: Option<Session>,
    /// Id of the newest message up to which all are heard; 0 when none is known.
    pub newest: u64,
}

/// A session at the gateway. Without the bot's token, nobody can do anything with it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// Its id.
    pub id: String,
    /// Where it is resumed; empty: where new ones are opened.
    pub url: String,
    /// Number of the last event up to which everything is kept.
    pub sequence: u64,
    /// Who the bot is: only a new session tells.
    pub bot: Identity,
    /// What it was opened for: a session that is resumed stays as it was.
    pub intents: u64,
}

/// An event that came and is not kept yet: the session that it came in, counted, and its number.
pub type Ticket = (u64, u64);

#[derive(Default)]
struct State {
    /// Sessions so far.
    sessions: u64,
    /// Events that came and are not kept yet.
    waiting: BTreeSet<Ticket>,
    /// The last event of this session that came.
    last: u64,
    /// Servers that this session has not told of yet.
    untold: BTreeSet<String>,
    /// Up to this message all were heard when this session began.
    since: u64,
    /// Newest message that came.
    newest: u64,
    kept: Kept,
    is_changed: bool,
}

/// How far the bot has heard.
#[derive(Default)]
pub struct Progress {
    state: Mutex<State>,
}

impl Progress {
    /// From where the last start ended.
    pub fn new(kept: Kept) -> Self {
        let state = State { newest: kept.newest, since: kept.newest, kept, ..State::default() };
        Self { state: Mutex::new(state) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Every change of it is complete before anything can panic.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A session begins, and will tell of these servers.
    pub fn begin_session(&self, session: Session, guilds: BTreeSet<String>) {
        let mut state = self.state();
        state.sessions += 1;
        state.last = session.sequence;
        state.untold = guilds;
        state.since = state.kept.newest;
        state.kept.session = Some(session);
        state.is_changed = true;
    }

    /// The session is over.
    pub fn end_session(&self) {
        let mut state = self.state();
        state.is_changed |= state.kept.session.take().is_some();
    }

    /// The session cannot be resumed where it said.
    pub fn forget_url(&self) {
        if let Some(session) = &mut self.state().kept.session {
            session.url.clear();
        }
    }

    /// An event came.
    pub fn begin(&self, sequence: u64) -> Ticket {
        let mut state = self.state();
        state.last = state.last.max(sequence);
        let ticket = (state.sessions, sequence);
        state.waiting.insert(ticket);
        ticket
    }

    /// An event is kept.
    pub fn done(&self, ticket: Ticket) {
        let mut state = self.state();
        state.waiting.remove(&ticket);
        state.settle();
    }

    /// A message of this id was told of. Call it after [`Progress::begin`]: it counts once that is done.
    pub fn message(&self, id: u64) {
        let mut state = self.state();
        state.newest = state.newest.max(id);
    }

    /// A server was told of.
    pub fn told(&self, guild: &str) {
        self.state().untold.remove(guild);
    }

    /// Up to this message all were heard when this session began.
    pub fn since(&self) -> u64 {
        self.state().since
    }

    /// The session as it may be resumed.
    pub fn resumable(&self) -> Option<Session> {
        self.state().kept.session.clone()
    }

    /// What must be kept, if it changed since it was asked for last.
    pub fn changed(&self) -> Option<Kept> {
        let mut state = self.state();
        std::mem::take(&mut state.is_changed).then(|| state.kept.clone())
    }
}

impl State {
    /// Notes up to where everything is kept.
    fn settle(&mut self) {
        let first = self.waiting.range((self.sessions, 0)..).next();
        let sequence = first.map_or(self.last, |(_, first)| first.saturating_sub(1));
        if let Some(session) = &mut self.kept.session
            && session.sequence != sequence
        {
            session.sequence = sequence;
            self.is_changed = true;
        }
        // What older sessions brought may wait as well, and what a server tells of last may be older than what another told.
        if self.waiting.is_empty() && self.untold.is_empty() && self.kept.newest != self.newest {
            self.kept.newest = self.newest;
            self.is_changed = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session(id: &str) -> Session {
        Session { id: id.into(), url: "wss://x".into(), sequence: 1, ..Session::default() }
    }

    fn begun() -> Progress {
        let progress = Progress::default();
        progress.begin_session(session("s"), BTreeSet::new());
        progress
    }

    fn sequence(progress: &Progress) -> u64 {
        progress.resumable().map_or(0, |session| session.sequence)
    }

    fn newest(progress: &Progress) -> u64 {
        progress.state().kept.newest
    }

    #[test]
    fn what_is_not_kept_is_asked_for_again() {
        let progress = begun();
        let [second, third, fourth, fifth] = [2, 3, 4, 5].map(|sequence| progress.begin(sequence));
        progress.done(third);
        progress.done(fifth);
        assert_eq!(sequence(&progress), 1, "the second is not kept");
        progress.done(second);
        assert_eq!(sequence(&progress), 3);
        progress.done(fourth);
        assert_eq!(sequence(&progress), 5);
        assert!(progress.changed().is_some());
        assert_eq!(progress.changed(), None, "it is written once");
    }

    #[test]
    fn what_an_older_session_brought_says_nothing_of_this_one_but_counts_until_it_is_kept() {
        let progress = begun();
        let old = progress.begin(7);
        progress.message(70);
        progress.begin_session(session("t"), BTreeSet::new());
        let new = progress.begin(2);
        progress.message(80);
        progress.done(new);
        assert_eq!((sequence(&progress), newest(&progress)), (2, 0));
        progress.done(old);
        assert_eq!((sequence(&progress), newest(&progress)), (2, 80));
    }

    #[test]
    fn a_message_counts_as_heard_once_it_is_kept_and_every_server_was_told_of() {
        let progress = Progress::new(Kept { newest: 5, ..Kept::default() });
        progress.begin_session(session("s"), BTreeSet::from(["a".to_owned(), "b".to_owned()]));
        let message = progress.begin(2);
        progress.message(9);
        assert_eq!(newest(&progress), 5);
        progress.done(message);
        progress.told("a");
        let other = progress.begin(3);
        progress.done(other);
        assert_eq!((newest(&progress), progress.since()), (5, 5), "the other server may have older ones");
        progress.told("b");
        let search = progress.begin(4);
        progress.done(search);
        assert_eq!((newest(&progress), progress.since()), (9, 5));
    }
}
