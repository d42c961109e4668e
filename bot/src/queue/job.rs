//! What must be done, as the store keeps it.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::clock::Time;
use crate::incident::IncidentId;

/// The lane of what is asked of the host of the code.
const CODE: &str = "code";

/// What is to be done. Ids, not copies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Work {
    /// Put the alerts of an accepted delivery into incidents.
    TriageAlerts {
        /// Number of the delivery.
        delivery: u64,
    },
    /// Do what somebody said in a chat.
    Hear {
        /// What happened.
        event: Box<clew_adapters::chat::ChatEvent>,
    },
    /// Show an incident as it is now.
    PostCard {
        /// Which.
        incident: IncidentId,
        /// On which platform.
        platform: String,
        /// In which channel.
        channel: String,
    },
    /// Say a sentence in a place.
    Say {
        /// On which platform.
        platform: String,
        /// Where.
        place: clew_adapters::chat::Place,
        /// What.
        text: clew_adapters::chat::Rich,
        /// Names this message for good.
        key: String,
    },
    /// Say a sentence in the thread of an incident's card, once there is one.
    SayInThread {
        /// Which incident.
        incident: IncidentId,
        /// On which platform.
        platform: String,
        /// In which channel.
        channel: String,
        /// What.
        text: clew_adapters::chat::Rich,
        /// Names this message for good.
        key: String,
    },
    /// Say something that only one person sees.
    Whisper {
        /// On which platform.
        platform: String,
        /// Where they are.
        place: clew_adapters::chat::Place,
        /// To whom.
        to: clew_adapters::chat::Person,
        /// What lets the platform answer them, if they asked.
        #[serde(default)]
        reply: Option<String>,
        /// What.
        text: clew_adapters::chat::Rich,
        /// Names this message for good.
        key: String,
    },
    /// Show all that is known of an incident, in the thread of its card.
    Details {
        /// Which incident.
        incident: IncidentId,
        /// On which platform.
        platform: String,
        /// In which channel.
        channel: String,
        /// Which part of it.
        part: usize,
        /// Names this message for good.
        key: String,
    },
    /// Make a resolved incident a knowledge entry.
    Learn {
        /// Which.
        incident: IncidentId,
    },
    /// Open the ticket of an incident, or find the one that is there.
    OpenTicket {
        /// Of which incident.
        incident: IncidentId,
        /// In which tracker.
        tracker: String,
    },
    /// Look whether another Clew opened a ticket for the same at the same time.
    SettleTicket {
        /// Of which incident.
        incident: IncidentId,
        /// In which tracker.
        tracker: String,
    },
    /// Change the ticket of an incident as an event of it asks for.
    TellTicket {
        /// Of which incident.
        incident: IncidentId,
        /// In which tracker.
        tracker: String,
        /// Number of the event.
        event: u64,
    },
    /// Look how a ticket is.
    FollowTicket {
        /// In which tracker.
        tracker: String,
        /// Which.
        key: String,
    },
    /// Look how a pull request is.
    FollowPull {
        /// `owner/name` of its repository.
        repo: String,
        /// Its number.
        number: u64,
        /// As a delivery told of it, for when nobody can be asked.
        told: Option<Box<clew_adapters::code::Pull>>,
    },
    /// Ask an address of a sender once, so that it goes on sending.
    Confirm {
        /// Format of its alerts.
        format: String,
        /// Which.
        url: String,
    },
}

/// Jobs of one lane share a limit: they never wait for those of another.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Lane {
    /// Arithmetic and the store.
    Local,
    /// What people wrote. What they sent along may take long to fetch, which holds up neither alerts nor buttons.
    Heard,
    /// What people pressed, and forms that they sent.
    Pressed,
    /// A channel of a chat platform.
    Channel(String, String),
    /// A person on a chat platform.
    Person(String, String),
    /// Calls to senders of alerts.
    Senders,
    /// A tracker, or the host of the code.
    Tracker(String),
}

impl Work {
    /// What it is called in metrics and lists.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::TriageAlerts { .. } => "triage_alerts",
            Self::Hear { .. } => "hear",
            Self::PostCard { .. } => "post_card",
            Self::Say { .. } => "say",
            Self::SayInThread { .. } => "say_in_thread",
            Self::Whisper { .. } => "whisper",
            Self::Details { .. } => "details",
            Self::Learn { .. } => "learn",
            Self::Confirm { .. } => "confirm",
            Self::OpenTicket { .. } => "open_ticket",
            Self::SettleTicket { .. } => "settle_ticket",
            Self::TellTicket { .. } => "tell_ticket",
            Self::FollowTicket { .. } => "follow_ticket",
            Self::FollowPull { .. } => "follow_pull",
        }
    }

    /// What it is about, when one job about it does for all.
    #[must_use]
    pub fn subject(&self) -> Option<String> {
        match self {
            Self::PostCard { incident, platform, .. } => Some(format!("card/{platform}/{incident}")),
            Self::Learn { incident } => Some(format!("learn/{incident}")),
            Self::OpenTicket { incident, tracker } => Some(format!("ticket/{tracker}/{incident}")),
            Self::FollowTicket { tracker, key } => Some(format!("follow/{tracker}/{key}")),
            Self::FollowPull { repo, number, told: None } => Some(format!("pull/{repo}/{number}")),
            _ => None,
        }
    }

    /// Where it waits.
    #[must_use]
    pub fn lane(&self) -> Lane {
        match self {
            Self::TriageAlerts { .. } | Self::Learn { .. } => Lane::Local,
            Self::Hear { event } => match event.said {
                clew_adapters::chat::Said::Command { .. } => Lane::Pressed,
                _ => Lane::Heard,
            },
            Self::PostCard { platform, channel, .. }
            | Self::SayInThread { platform, channel, .. }
            | Self::Details { platform, channel, .. } => Lane::Channel(platform.clone(), channel.clone()),
            // What one person waits for does not wait for a busy channel.
            Self::Whisper { platform, to, .. } => Lane::Person(platform.clone(), to.id.clone()),
            Self::Say { platform, place, .. } => Lane::Channel(platform.clone(), place.channel.clone()),
            Self::Confirm { .. } => Lane::Senders,
            Self::OpenTicket { tracker, .. }
            | Self::SettleTicket { tracker, .. }
            | Self::TellTicket { tracker, .. }
            | Self::FollowTicket { tracker, .. } => Lane::Tracker(tracker.clone()),
            Self::FollowPull { .. } => Lane::Tracker(CODE.to_owned()),
        }
    }

    /// Its place among those that are due in its lane: people who wait for an answer go before cards.
    #[must_use]
    pub fn rank(&self) -> u8 {
        match self {
            Self::Say { .. }
            | Self::SayInThread { .. }
            | Self::Whisper { .. }
            | Self::Details { .. }
            | Self::OpenTicket { .. } => 0,
            _ => 1,
        }
    }
}

/// Something to be done, as the store keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Job {
    /// Its number.
    pub id: u64,
    /// What is to be done.
    pub work: Work,
    /// Whether it goes before all others of its lane.
    pub urgent: bool,
    /// Counted up when the same is asked for again before it is done.
    pub round: u64,
    /// Failed tries.
    pub tries: u32,
    /// When it was first asked for.
    pub created: Time,
    /// When it runs next.
    pub due: Time,
    /// Why the last try failed.
    pub error: Option<String>,
    /// Whether it was given up: it stays until somebody has it tried again.
    pub dead: bool,
    /// Whether it is from before the start of this program: it may have been done, and a crash have come before the note.
    #[serde(skip)]
    pub from_before: bool,
}

impl Job {
    /// Whether it may have been done already: then whoever would be told twice must be asked first.
    #[must_use]
    pub fn may_be_done(&self) -> bool {
        self.error.is_some() || self.from_before
    }
}

/// Why a job is not done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JobError {
    /// It may work later.
    Retry {
        /// What happened.
        why: String,
        /// When to try again, if the system said so.
        after: Option<Duration>,
        /// Whether its whole lane must wait so long.
        lane: bool,
    },
    /// It is not its time yet; this is no failure.
    Later(Duration),
    /// It will not work however often it is tried.
    Fail(String),
}

impl From<crate::store::StoreError> for JobError {
    fn from(error: crate::store::StoreError) -> Self {
        Self::Retry { why: error.to_string(), after: None, lane: false }
    }
}

impl From<clew_adapters::Error> for JobError {
    fn from(error: clew_adapters::Error) -> Self {
        match error {
            clew_adapters::Error::Transient { why, retry_after } => {
                Self::Retry { why, after: retry_after, lane: retry_after.is_some() }
            }
            other => Self::Fail(other.to_string()),
        }
    }
}
