//! What a typed command means.

use std::collections::BTreeMap;

use clew_adapters::alerts::Severity;

use super::{Action, Refusal, root_cause, severity};
use crate::incident::{IncidentId, Resolution};

/// What people can say, one line each.
pub const HELP: &[(&str, &str)] = &[
    ("triage <logs>", "find the root cause in these logs and open an incident"),
    ("list", "the incidents that are not over"),
    ("status INC-1", "one incident in a few lines"),
    ("details INC-1", "all that is known of it, in its thread"),
    ("search <words>", "runbooks and past incidents about these words"),
    ("diff", "what changed between two logs"),
    ("acknowledge INC-1", "I look at it (also: ack)"),
    ("assign INC-1 <name>", "who looks after it; `me` is you"),
    ("severity INC-1 <word>", "critical, high, medium or low"),
    ("mitigate INC-1", "users no longer suffer"),
    ("resolve INC-1 <what fixed it>", "it is over; what fixed it becomes knowledge"),
    ("reopen INC-1", "it is not over"),
    ("ticket INC-1", "open a ticket for it, or say where: `ticket INC-1 <tracker>`"),
    ("wrong INC-1 <root cause>", "the verdict is wrong, this is right"),
    ("help", "this list"),
];

/// Logs that somebody wants looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// The lines.
    pub logs: String,
    /// Service that they are of, if that is said.
    pub service: Option<String>,
    /// How bad it is, if that is said.
    pub severity: Option<Severity>,
}

/// What was said.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Do something to an incident.
    Act(IncidentId, Action),
    /// Look at these logs.
    Triage(Report),
    /// Show all that is known of an incident.
    Details(IncidentId),
    /// Compare two logs.
    Diff {
        /// The log from before.
        before: String,
        /// The log from after.
        after: String,
    },
    /// List the incidents that are not over.
    List,
    /// Tell about one incident.
    Status(IncidentId),
    /// Look knowledge up.
    Search(String),
    /// Tell what can be said.
    Help,
}

/// Reads a command. `here` is the incident in whose thread it was said: then its number may be left out. `me` is who said
/// it, `answers` what they wrote into the form of a button.
///
/// # Errors
/// When it is no command, or a part of it is missing or wrong; the text says which and how to say it right.
pub fn parse(
    text: &str,
    answers: &BTreeMap<String, String>,
    here: Option<IncidentId>,
    me: &str,
) -> Result<Command, Refusal> {
    let text = text.trim();
    let (word, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    let word = word.trim_start_matches('/').to_lowercase();
    let rest = rest.trim();
    match word.as_str() {
        "" | "help" => return Ok(Command::Help),
        "triage" => return report(rest, answers).map(Command::Triage),
        "diff" => return diff(answers),
        "list" | "incidents" => return Ok(Command::List),
        "search" if rest.is_empty() => {
            return Err(Refusal::field("query", "say what to look for, e.g. `search postgres disk full`"));
        }
        "search" => return Ok(Command::Search(rest.to_owned())),
        _ => {}
    }
    let with = |rest: &str| incident_and(rest, here, &word);
    let act = |id: IncidentId, action: Action| Ok(Command::Act(id, action));
    match word.as_str() {
        "status" if rest.is_empty() && here.is_none() => Ok(Command::List),
        "status" => Ok(Command::Status(with(rest)?.0)),
        "details" => Ok(Command::Details(with(rest)?.0)),
        "ack" | "acknowledge" => act(with(rest)?.0, Action::Acknowledge),
        "mitigate" | "mitigated" => act(with(rest)?.0, Action::Mitigate),
        "reopen" => act(with(rest)?.0, Action::Reopen),
        "assign" => {
            let (id, who) = with(rest)?;
            let who = who.trim_start_matches('@');
            let who = if who.eq_ignore_ascii_case("me") { me } else { who };
            if who.is_empty() {
                return Err(Refusal::field("owner", format!("say who, e.g. `assign {id} me`")));
            }
            act(id, Action::Assign(who.to_owned()))
        }
        "severity" | "sev" => {
            let (id, level) = with(rest)?;
            act(id, Action::SetSeverity(severity(&level)?))
        }
        "resolve" | "resolved" => {
            let (id, said) = with(rest)?;
            act(id, Action::Resolve(resolution(&said, answers)))
        }
        "ticket" => {
            let (id, tracker) = with(rest)?;
            act(id, Action::OpenTicket(tracker))
        }
        "wrong" => {
            let (id, cause) = with(rest)?;
            act(id, Action::Correct(root_cause(&cause)?))
        }
        _ => Err(Refusal::field("command", format!("{word:?} is no command; `help` lists what can be said"))),
    }
}

/// Whether `text` begins with a word that is a command.
#[must_use]
pub fn begins_with_a_command(text: &str) -> bool {
    const SHORT: [&str; 7] = ["ack", "sev", "incidents", "mitigated", "resolved", "triage", "clew"];
    let first = text.split_whitespace().next().unwrap_or_default().trim_start_matches('/').to_lowercase();
    SHORT.contains(&first.as_str()) || HELP.iter().any(|(words, _)| words.split(' ').next() == Some(first.as_str()))
}

/// Whether `text` asks for a triage, and says nothing of what: "triage this, please".
#[must_use]
pub fn asks_to_triage(text: &str) -> bool {
    let mut words = text.split_whitespace();
    words.next().is_some_and(|word| word.trim_start_matches('/').eq_ignore_ascii_case("triage")) && words.count() <= 4
}

/// Whether `text` begins with a word that does what cannot be taken back, whatever follows.
#[must_use]
pub fn may_be_destructive(text: &str) -> bool {
    let first = text.split_whitespace().next().unwrap_or_default().trim_start_matches('/').to_lowercase();
    matches!(first.as_str(), "resolve" | "resolved" | "wrong")
}

/// Logs from a form, or typed after the command.
fn report(rest: &str, answers: &BTreeMap<String, String>) -> Result<Report, Refusal> {
    let answer = |name: &str| answers.get(name).map(|text| text.trim()).filter(|text| !text.is_empty());
    let logs = answer("logs").unwrap_or(rest);
    if logs.is_empty() {
        return Err(Refusal::field("logs", "there is nothing to look at: paste the log lines after `triage`"));
    }
    Ok(Report {
        logs: logs.to_owned(),
        service: answer("service").map(str::to_owned),
        severity: answer("severity").map(severity).transpose()?,
    })
}

/// Two logs from a form.
fn diff(answers: &BTreeMap<String, String>) -> Result<Command, Refusal> {
    let answer = |name: &str| answers.get(name).filter(|text| !text.trim().is_empty()).cloned();
    match (answer("before"), answer("after")) {
        (Some(before), Some(after)) => Ok(Command::Diff { before, after }),
        _ => Err(Refusal::field(
            "before",
            "two logs are needed: `clew diff BEFORE AFTER`, POST /diff, or the form of `diff`",
        )),
    }
}

/// What it was and what fixed it: from a form, or typed after the command.
fn resolution(said: &str, answers: &BTreeMap<String, String>) -> Option<Resolution> {
    let answer = |name: &str| answers.get(name).map(|text| text.trim().to_owned()).unwrap_or_default();
    let (cause, fix) = (answer("cause"), answer("fix"));
    let fix = if fix.is_empty() { said.to_owned() } else { fix };
    (!cause.is_empty() || !fix.is_empty()).then_some(Resolution { cause, fix })
}

/// The incident at the beginning of `rest`, or the one of the thread, and what follows.
fn incident_and(rest: &str, here: Option<IncidentId>, word: &str) -> Result<(IncidentId, String), Refusal> {
    let (first, after) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
    match (first.parse(), here) {
        (Ok(id), _) => Ok((id, after.trim().to_owned())),
        (Err(_), Some(here)) => Ok((here, rest.to_owned())),
        (Err(_), None) => Err(Refusal::field(
            "incident",
            format!("say which incident, e.g. `{word} INC-1`; `list` shows the open ones"),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str, here: Option<u64>) -> Result<Command, String> {
        parse(text, &BTreeMap::new(), here.map(IncidentId), "ada").map_err(|refusal| refusal.to_string())
    }

    #[test]
    fn a_command_names_its_incident_or_is_said_in_its_thread() {
        assert_eq!(said("ack INC-12", None), Ok(Command::Act(IncidentId(12), Action::Acknowledge)));
        assert_eq!(said("/assign me", Some(7)), Ok(Command::Act(IncidentId(7), Action::Assign("ada".into()))));
        let fix = Resolution { cause: String::new(), fix: "restarted the pool".into() };
        assert_eq!(
            said("resolve #3 restarted the pool", Some(7)),
            Ok(Command::Act(IncidentId(3), Action::Resolve(Some(fix))))
        );
        assert!(said("ack", None).is_err_and(|why| why.contains("ack INC-1")));
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (text, part) in [
            ("severity 1 loud", "critical, high, medium or low"),
            ("wrong 1 gremlins", "disk_full"),
            ("triage", "paste the log lines"),
            ("frobnicate 1", "help"),
            ("assign 1", "assign INC-1 me"),
        ] {
            assert!(said(text, None).is_err_and(|why| why.contains(part)), "{text}");
        }
    }
}
