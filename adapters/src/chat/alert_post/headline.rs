//! The line that says what a post is about, and what stands around the title in it: the state, how bad it is, how many.

use std::collections::BTreeMap;

use super::facts::groups;
use super::look::{self, Look};
use super::phrases;
use super::post::{Line, Post};
use super::title;
use super::words::{self, Place, Verdict};
use crate::alerts::{AlertStatus, Severity};

/// Lines of a part among which its headline is looked for.
const LINES: usize = 6;

/// How surely a headline says that it is one of an alert.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Strength {
    /// It says nothing.
    #[default]
    None,
    /// Something else must say so, too.
    Weak,
    /// Unless it is about work.
    Likely,
    /// It is.
    Certain,
}

/// A headline.
#[derive(Debug, Default)]
pub(super) struct Headline {
    /// What is wrong, and no more.
    pub title: String,
    /// The line as it stands.
    pub line: String,
    /// Where it leads.
    pub url: Option<String>,
    /// The number of the part that it stands in.
    pub part: usize,
    /// Lines before it that could be a headline.
    pub before: usize,
    /// The state.
    pub status: Option<AlertStatus>,
    /// How bad it is.
    pub severity: Option<Severity>,
    /// What its signs say.
    pub look: Option<Look>,
    /// Alerts that fire, as it says.
    pub firing: usize,
    /// Alerts that are resolved, as it says.
    pub resolved: usize,
    /// What the alert is split by, as Datadog writes it.
    pub scope: String,
    /// Labels in it.
    pub labels: BTreeMap<String, String>,
    /// Words after the title that are not part of it.
    pub rest: String,
    /// Whether it has the form of an alarm of `CloudWatch`.
    pub is_cloudwatch: bool,
    /// Whether it begins with the number of an incident.
    pub has_number: bool,
    /// A bracket before the state, as a part of the title.
    prefix: String,
    /// Whether the state stands in brackets, as Alertmanager and Grafana write it.
    is_bracketed: bool,
    strength: Strength,
}

impl Headline {
    /// How surely it is one of an alert.
    pub(super) fn strength(&self) -> Strength {
        if self.is_cloudwatch { Strength::Certain } else { self.strength }
    }

    /// Takes off what Alertmanager puts in parentheses: the labels that the alerts have in common besides those they are
    /// grouped by. They change from post to post as the group does, and the title must not.
    pub(super) fn set_common_labels_apart(&mut self) {
        let Some((title, values)) = self.title.strip_suffix(')').and_then(|title| title.rsplit_once(" (")) else {
            return;
        };
        let title = title.trim();
        if !self.is_bracketed || title.is_empty() {
            return;
        }
        self.severity = self.severity.or_else(|| values.split_whitespace().find_map(Severity::from_word));
        format!("{}\n({values})", self.rest).trim_start().clone_into(&mut self.rest);
        self.title = title.to_owned();
    }

    /// Takes over what a line before it said.
    fn inherit(&mut self, before: Self) {
        self.status = before.status.or(self.status);
        self.severity = before.severity.or(self.severity);
        self.look = before.look.or(self.look);
        self.strength = self.strength.max(before.strength);
        self.is_bracketed |= before.is_bracketed;
        (self.firing, self.resolved) = (self.firing.max(before.firing), self.resolved.max(before.resolved));
    }

    fn apply(&mut self, verdict: Verdict) {
        self.status = self.status.or(verdict.status);
        self.severity = self.severity.or(verdict.severity);
        self.strength = self.strength.max(verdict.strength);
        self.has_number |= verdict.has_number;
        (self.firing, self.resolved) = (self.firing.max(verdict.firing), self.resolved.max(verdict.resolved));
        if !verdict.scope.is_empty() {
            for (name, value) in verdict.scope.split(',').filter_map(|pair| pair.split_once(':')) {
                self.labels.insert(name.trim().to_owned(), value.trim().to_owned());
            }
            self.scope = verdict.scope;
        }
    }

    /// Takes a sentence that a known sender writes, as a whole.
    fn take_phrase(&mut self, text: &str) -> bool {
        let Some(phrase) = phrases::of(look::without_trailing(text)) else { return false };
        self.title = phrase.title;
        self.rest = phrase.rest;
        self.status = Some(phrase.status);
        self.severity = self.severity.or(phrase.severity);
        self.strength = self.strength.max(phrase.strength);
        self.label("host", phrase.host.as_deref());
        true
    }

    /// Takes a bracket with a state or severity off the front.
    fn take_bracket<'a>(&mut self, text: &'a str) -> Option<&'a str> {
        let (inside, after) = text.strip_prefix('[')?.split_once(']')?;
        if let Some(verdict) = words::verdict(inside, Place::Bracket) {
            self.is_bracketed |= verdict.status.is_some();
            self.apply(verdict);
            return Some(after);
        }
        if !self.prefix.is_empty() {
            return None;
        }
        // `[shop] [🔴 Down] timeout of 48000ms exceeded`, as Uptime Kuma writes it.
        let after = after.trim_start();
        let second = after.strip_prefix('[').and_then(|text| text.split_once(']'));
        if let Some((state, rest)) = second.filter(|(state, _)| words::is_up_or_down(state)) {
            self.apply(words::verdict(state, Place::Bracket)?);
            self.strength = self.strength.max(Strength::Likely);
            rest.trim().clone_into(&mut self.rest);
            inside.trim().clone_into(&mut self.title);
            return Some("");
        }
        // `[prod] [FIRING:1] HighLatency`: whatever it is, it belongs to the title.
        let mut ahead = Self { prefix: text.to_owned(), ..Self::default() };
        let next = look::peel(after).map_or(after, |(_, next)| next.trim_start());
        ahead.take_bracket(next).or_else(|| ahead.take_words(next))?;
        self.prefix = format!("[{}] ", inside.trim());
        Some(after)
    }

    /// Takes a state or severity with a colon or a dash after it off the front.
    fn take_words<'a>(&mut self, text: &'a str) -> Option<&'a str> {
        let start = &text[..text.floor_char_boundary(90)];
        let dash = [" - ", " – ", " — "].iter().filter_map(|dash| Some((start.find(dash)?, dash.len()))).min();
        let sign = start.find([':', '|']).map(|at| (at, 1));
        for (at, length) in [sign, dash].into_iter().flatten() {
            let after = &text[at + length..];
            let is_end = after.is_empty() || after.starts_with([' ', '*', '_', '`', '~', '\u{a0}']) || length > 1;
            if let Some(verdict) = words::verdict(&text[..at], Place::Front).filter(|_| is_end) {
                self.apply(verdict);
                return Some(after);
            }
        }
        if start.len() == text.len()
            && let Some(verdict) = words::verdict(text, Place::Front).filter(|verdict| verdict.status.is_some())
        {
            self.apply(verdict);
            return Some("");
        }
        let (word, after) = text.split_once(char::is_whitespace)?;
        let letters = word.trim_end_matches(|c: char| c.is_ascii_digit() || matches!(c, '[' | ']' | ':' | '*' | '_'));
        let is_loud = letters.len() > 1 && letters.chars().all(|c| c.is_ascii_uppercase() || c == '-');
        let verdict =
            words::verdict(word, Place::Front).filter(|found| is_loud && found.strength >= Strength::Likely)?;
        self.apply(verdict);
        Some(after)
    }

    /// Takes a state off the end: `[FIRING:2]`, `: Fired`, ` is DOWN`. Sentences end like that, too.
    fn take_end<'a>(&mut self, text: &'a str) -> &'a str {
        let text = look::without_trailing(text);
        let bracket = text.strip_suffix(']').and_then(|text| text.rsplit_once('['));
        let words = || [": ", " is ", " has "].iter().find_map(|sign| text.rsplit_once(sign));
        let Some((before, state)) = bracket.or_else(words).filter(|(before, _)| !before.trim().is_empty()) else {
            return text;
        };
        let place = if bracket.is_some() { Place::Bracket } else { Place::Front };
        match words::verdict(state, place).filter(|verdict| verdict.status.is_some()) {
            Some(verdict) if bracket.is_some() => self.apply(verdict),
            Some(verdict) if self.status.is_none() => self.apply(Verdict { strength: Strength::Weak, ..verdict }),
            _ => return text,
        }
        before.trim_end()
    }

    /// `CloudWatch Alarm | name | eu-west-1 | Account: 1` of AWS Chatbot, and what Amazon calls its mails.
    fn take_cloudwatch(&mut self, text: &str) -> Option<String> {
        if let Some((_, parts)) =
            text.split_once('|').filter(|(kind, _)| kind.trim().eq_ignore_ascii_case("CloudWatch Alarm"))
        {
            let mut parts = parts.split('|').map(str::trim);
            let name = parts.next().filter(|name| !name.is_empty())?;
            let account = parts.clone().find_map(|part| part.strip_prefix("Account:"));
            let region = parts.next().filter(|part| !part.contains(':'));
            self.is_cloudwatch = true;
            self.label("region", region);
            self.label("account", account);
            return Some(name.to_owned());
        }
        if let Some(name) = text.strip_prefix("AWS CloudWatch notification - ") {
            self.is_cloudwatch = true;
            return Some(name.trim().to_owned());
        }
        let (name, region) = text.strip_prefix('"')?.split_once("\" in ").filter(|_| self.status.is_some())?;
        self.is_cloudwatch = true;
        self.label("region", Some(region));
        Some(name.to_owned())
    }

    fn label(&mut self, name: &str, value: Option<&str>) {
        if let Some(value) = value.map(str::trim).filter(|value| !value.is_empty()) {
            self.labels.insert(name.to_owned(), value.to_owned());
        }
    }
}

/// The headline of a post: of the lines where one may stand, the first of those that say most.
pub(super) fn find(post: &Post) -> Option<Headline> {
    let mut best: Option<Headline> = None;
    // Whether the best so far is none of the titles, and says no state itself.
    let mut is_preface = false;
    let mut state: Option<Headline> = None;
    let mut before = 0;
    for (index, part) in post.parts.iter().enumerate() {
        let mut has_title = false;
        let heads = part.heads.iter().map(|line| (line, true));
        let lines = part.lines.iter().filter(|line| !line.shown.is_empty()).take(LINES).map(|line| (line, false));
        for (line, is_head) in heads.chain(lines) {
            let mut found = read_at(line, index);
            found.before = before;
            if found.title.is_empty() || (title::is_general(&found.title) && found.status.is_none()) {
                state = state.or(Some(found).filter(|found| found.strength > Strength::None));
                continue;
            }
            before += 1;
            let is_loose = !is_head && found.strength == Strength::None;
            if let Some(state) = state.take() {
                found.inherit(state);
            }
            // Above an embed, words are its preface: `**Firing**` and the details before the title, as Grafana writes it.
            let is_title = is_head && (found.strength >= Strength::Likely || part.color.is_some());
            if let Some(preface) = best.take_if(|_| is_preface && is_title) {
                if found.strength < Strength::Likely {
                    found.inherit(preface);
                }
                (best, is_preface) = (Some(found), false);
            } else {
                let is_said = is_head || !has_title || found.strength == Strength::Certain;
                if is_said && best.as_ref().is_none_or(|best| found.strength() > best.strength()) {
                    (best, is_preface) = (Some(found), is_loose);
                }
            }
            has_title = true;
            if !is_head {
                break;
            }
        }
    }
    best
}

fn read_at(line: &Line, part: usize) -> Headline {
    Headline { url: line.url.clone(), part, ..read(&line.shown) }
}

/// A line as a headline.
pub(super) fn read(line: &str) -> Headline {
    let mut found = Headline { line: line.to_owned(), ..Headline::default() };
    // A title is short; what begins a long line is enough.
    let mut rest = &line[..line.floor_char_boundary(2_000)];
    let mut has_begun = false;
    loop {
        rest = rest.trim_start_matches(|c: char| {
            c.is_whitespace()
                || matches!(c, '*' | '_' | '~' | '`')
                || (has_begun && matches!(c, ':' | '-' | '|' | '–' | '—'))
        });
        if let Some((look, after)) = look::peel(rest) {
            found.look = found.look.or(look);
            rest = after;
        } else if let Some(after) = without_call(rest) {
            rest = after;
        } else if !has_begun && found.take_phrase(rest) {
            return found;
        } else if let Some(after) = found.take_bracket(rest).or_else(|| found.take_words(rest)) {
            has_begun = true;
            rest = after;
        } else {
            break;
        }
    }
    let tail = look::trailing(rest);
    let rest = found.take_end(rest);
    // A sign at the end says something where the state does, too: `Connection to web-1 is down 🔴`.
    found.look = found.look.or(tail.filter(|_| found.status.is_some()));
    if found.title.is_empty() {
        let title = found.take_cloudwatch(rest.trim_matches(['*', ' '])).unwrap_or_else(|| rest.to_owned());
        let (labels, title) = groups(&title);
        found.labels.extend(labels);
        let title = title::of(&title);
        found.severity = found.severity.or(title.severity);
        if found.rest.is_empty() {
            found.rest = title.rest;
        }
        found.title = if title.words.is_empty() { String::new() } else { format!("{}{}", found.prefix, title.words) };
    }
    found
}

/// `text` without the one that is called before it: `@here`.
fn without_call(text: &str) -> Option<&str> {
    let called = text.strip_prefix('@')?;
    let end = called.find(char::is_whitespace).unwrap_or(called.len());
    (end > 0).then(|| &called[end..])
}
