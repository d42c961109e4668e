//! Webhooks of Datadog monitors. The JSON is a template that users write themselves, so fields are found under all the
//! names that templates give them, on top or one level down. It is not signed.

use std::collections::BTreeMap;

use serde_json::Value;

use super::common::{alert, digest, fingerprint_of_id, json, keys, list, pairs, plain, service, short, text, time};
use super::{Alert, AlertFormat, AlertStatus, Delivery, ParseError, Request, Severity, limits};

/// Payload to paste into Datadog's webhook, for messages and documentation.
pub const PAYLOAD: &str = r#"{"id": "$ID", "title": "$EVENT_TITLE", "body": "$EVENT_MSG", "alert_transition": "$ALERT_TRANSITION", "alert_type": "$ALERT_TYPE", "alert_status": "$ALERT_STATUS", "alert_id": "$ALERT_ID", "alert_metric": "$ALERT_METRIC", "alert_query": "$ALERT_QUERY", "alert_scope": "$ALERT_SCOPE", "alert_priority": "$ALERT_PRIORITY", "alert_cycle_key": "$ALERT_CYCLE_KEY", "aggreg_key": "$AGGREG_KEY", "hostname": "$HOSTNAME", "tags": "$TAGS", "link": "$LINK", "logs_sample": "$LOGS_SAMPLE", "date": "$DATE", "last_updated": "$LAST_UPDATED"}"#;

const TITLES: &[&str] = &["title", "eventtitle", "alerttitle"];
const TEXTS: &[&str] = &["body", "textonlymsg", "eventmsg", "message", "msg", "description", "text"];
const TRANSITIONS: &[&str] = &["alerttransition", "transition"];
const IDS: &[&str] = &["id", "eventid"];
const ALERT_IDS: &[&str] = &["alertid", "monitorid"];
const AGGREGATES: &[&str] = &["aggregkey", "aggregationkey", "eventaggregkey"];
const CYCLES: &[&str] = &["alertcyclekey", "cyclekey", "alertcycleid"];
const PRIORITIES: &[&str] = &["alertpriority", "priority", "severity"];
const KINDS: &[&str] = &["alerttype"];
const SCOPES: &[&str] = &["alertscope", "scope"];
const LINKS: &[&str] = &["link", "alerturl", "sourceurl", "eventurl", "url"];

/// Webhooks of Datadog.
pub struct Datadog;

impl AlertFormat for Datadog {
    fn name(&self) -> &'static str {
        "datadog"
    }

    fn parse(&self, request: &Request) -> Result<Delivery, ParseError> {
        let body = json(request, self.name()).map_err(|error| {
            ParseError(format!("{error}. In Datadog, leave \"Encode as form\" of the webhook unchecked"))
        })?;
        let fields = Fields::of(&body);
        let Some(title) = fields.text(TITLES) else {
            return Err(ParseError(format!(
                "`title` must be the title of the event ({}): use this payload in Datadog's webhook: {PAYLOAD}",
                keys(&body)
            )));
        };
        let title = split_title(&title);
        let transition = fields.text(TRANSITIONS).or_else(|| title.transition.clone()).unwrap_or_default();
        let key = key(&fields, &transition);
        let alerts = vec![one(&fields, title, &transition)];
        Ok(limits::bounded(Delivery { key, alerts, omitted: 0, confirm: None }))
    }
}

/// The fields of a payload by their names without case, dashes and underscores. One inside `alert` is known as
/// `alert` + its name, too.
struct Fields<'a>(BTreeMap<String, &'a Value>);

impl<'a> Fields<'a> {
    fn of(body: &'a Value) -> Self {
        let bare =
            |name: &str| name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
        let mut fields = BTreeMap::new();
        let Value::Object(outer) = body else { return Self(fields) };
        for (name, value) in outer {
            fields.insert(bare(name), value);
        }
        for (name, value) in outer {
            let Value::Object(inner) = value else { continue };
            for (inner_name, value) in inner {
                fields.entry(format!("{}{}", bare(name), bare(inner_name))).or_insert(value);
                // An `id` or `name` inside `org` is not the event's.
                if !matches!(bare(inner_name).as_str(), "id" | "name" | "type" | "url") {
                    fields.entry(bare(inner_name)).or_insert(value);
                }
            }
        }
        Self(fields)
    }

    /// Variables that do not apply arrive empty, as `null` or as they stand in the template.
    fn text(&self, names: &[&str]) -> Option<String> {
        let is_variable = |text: &str| {
            text.strip_prefix('$').is_some_and(|name| name.chars().all(|c| c.is_ascii_uppercase() || c == '_'))
        };
        names
            .iter()
            .filter_map(|name| self.0.get(*name).copied().and_then(plain))
            .find(|text| !is_variable(text) && !text.eq_ignore_ascii_case("null"))
    }

    fn pairs(&self, name: &str) -> BTreeMap<String, String> {
        self.0.get(name).map(|value| pairs(value)).unwrap_or_default()
    }

    fn time(&self, names: &[&str]) -> Option<String> {
        names.iter().find_map(|name| self.0.get(*name).copied().and_then(time))
    }
}

/// What stands in brackets before a title, as in `[P1] [Triggered on {host:a}] Disk is full`.
#[derive(Debug, Default, PartialEq)]
struct Title {
    transition: Option<String>,
    /// Tags of what the monitor is split by. Datadog's own payload has them nowhere else.
    scope: String,
    rest: String,
}

fn split_title(title: &str) -> Title {
    const WORDS: &[&str] =
        &["triggered", "re-triggered", "recovered", "warn", "re-warn", "no data", "re-no data", "renotify", "ok"];
    let mut split = Title::default();
    let mut rest = title.trim();
    while let Some((inside, after)) = rest.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        let (word, scope) = inside.split_once(" on ").unwrap_or((inside, ""));
        let is_transition = WORDS.iter().any(|known| word.trim().eq_ignore_ascii_case(known));
        let is_priority = matches!(word, "P1" | "P2" | "P3" | "P4" | "P5");
        if !(is_transition || is_priority) || after.trim().is_empty() {
            break;
        }
        if is_transition {
            split.transition = Some(word.trim().to_owned());
            scope.trim_matches(['{', '}', ' ']).clone_into(&mut split.scope);
        }
        rest = after.trim_start();
    }
    rest.clone_into(&mut split.rest);
    split
}

/// The event's id tells one notification from the next. Templates without it: what it is about, and when.
fn key(fields: &Fields, transition: &str) -> Option<String> {
    let id = fields.text(IDS).or_else(|| {
        let about = fields.text(CYCLES).or_else(|| fields.text(AGGREGATES)).or_else(|| fields.text(ALERT_IDS))?;
        let scope = fields.text(SCOPES).unwrap_or_default();
        let time = fields.text(&["lastupdated", "date"])?;
        Some(digest([about.as_str(), scope.as_str(), time.as_str()]))
    })?;
    Some(digest(["datadog", id.as_str(), transition]).chars().take(32).collect())
}

fn one(fields: &Fields, title: Title, transition: &str) -> Alert {
    let transition = transition.to_ascii_lowercase();
    let kind = fields.text(KINDS).unwrap_or_default().to_ascii_lowercase();
    let status = match transition.as_str() {
        "recovered" | "resolved" | "ok" => AlertStatus::Resolved,
        "" | "renotify" | "null" if kind == "success" => AlertStatus::Resolved,
        _ => AlertStatus::Firing,
    };
    let scope = fields.text(SCOPES).unwrap_or(title.scope);
    let title = title.rest;
    let labels = labels(fields, &scope);
    let id = fields.text(AGGREGATES).or_else(|| {
        let id = fields.text(ALERT_IDS)?;
        Some(digest([id.as_str(), scope.as_str()]))
    });
    let words = [fields.text(PRIORITIES), labels.get("severity").cloned(), Some(transition.clone()), Some(kind)];
    let happened = fields.time(&["date", "lastupdated"]);
    Alert {
        fingerprint: match id {
            Some(id) => fingerprint_of_id("datadog", &id),
            None => short(&digest(["datadog", "title", title.as_str(), scope.as_str(), &hostname(fields)])),
        },
        status,
        text: description(fields),
        service: service(&labels),
        severity: words.iter().flatten().find_map(|word| Severity::from_word(word)),
        // The date is the event's: of a repeat it is not when the alert began.
        starts_at: happened.clone().filter(|_| matches!(transition.as_str(), "triggered" | "warn" | "no data")),
        ends_at: happened.filter(|_| status == AlertStatus::Resolved),
        url: fields.text(LINKS),
        logs: logs(fields),
        labels,
        ..alert("datadog", title)
    }
}

fn hostname(fields: &Fields) -> String {
    fields.text(&["hostname", "host"]).unwrap_or_default()
}

fn labels(fields: &Fields, scope: &str) -> BTreeMap<String, String> {
    let mut labels = fields.pairs("tags");
    labels.extend(pairs(&Value::from(scope)));
    // `$ALERT_SCOPE` of a monitor over everything is `*`.
    labels.retain(|name, _| name != "*" && !name.starts_with('$') && name != "null");
    for (name, names) in [
        ("monitor_id", ALERT_IDS),
        ("metric", &["alertmetric", "metric"][..]),
        ("query", &["alertquery", "query"]),
        ("org", &["orgname"]),
        ("host", &["hostname", "host"]),
    ] {
        if let Some(value) = fields.text(names) {
            labels.entry(name.to_owned()).or_insert(value);
        }
    }
    labels
}

/// The message, out of the marks that Datadog puts around Markdown, and the state of the alert.
fn description(fields: &Fields) -> String {
    let message = fields.text(TEXTS).unwrap_or_default();
    let message = message.lines().filter(|line| line.trim() != "%%%").collect::<Vec<_>>().join("\n");
    match fields.text(&["alertstatus", "status"]) {
        Some(status) if !message.contains(&status) => format!("{}\n\n{status}", message.trim()).trim().to_owned(),
        _ => message.trim().to_owned(),
    }
}

/// `$LOGS_SAMPLE` is an object with `rows` of `message`, as JSON or as JSON in a text; whoever writes another template may
/// send lines.
fn logs(fields: &Fields) -> Vec<String> {
    let Some(sample) = fields
        .text(&["logssample", "logs"])
        .or_else(|| ["logssample", "logs"].iter().find_map(|name| fields.0.get(*name)).map(ToString::to_string))
    else {
        return Vec::new();
    };
    let Ok(sample) = serde_json::from_str::<Value>(&sample) else { return sample.lines().map(str::to_owned).collect() };
    let rows = list(&sample, "rows").iter().filter_map(|row| text(row, &["message"]));
    rows.flat_map(|message| message.lines().map(str::to_owned).collect::<Vec<_>>()).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)] // a test that fails stops

    use super::*;

    #[test]
    fn a_title_says_what_happened() {
        for (title, transition, scope, rest) in [
            ("[P1] [Triggered on {host:a}] Disk is full", Some("Triggered"), "host:a", "Disk is full"),
            ("[Recovered] [Memory Alert]", Some("Recovered"), "", "[Memory Alert]"),
            ("[Re-No Data] x", Some("Re-No Data"), "", "x"),
            ("[team-a] x", None, "", "[team-a] x"),
            ("[Triggered]", None, "", "[Triggered]"),
            ("plain", None, "", "plain"),
        ] {
            let expected =
                Title { transition: transition.map(str::to_owned), scope: scope.to_owned(), rest: rest.to_owned() };
            assert_eq!(split_title(title), expected, "{title}");
        }
    }

    #[test]
    fn the_proposed_payload_is_json_that_is_understood() {
        let body: Value = serde_json::from_str(PAYLOAD).unwrap();
        let fields = Fields::of(&body);
        for names in [TITLES, TEXTS, TRANSITIONS, IDS, ALERT_IDS, AGGREGATES, CYCLES, PRIORITIES, KINDS, SCOPES, LINKS]
        {
            assert!(names.iter().any(|name| fields.0.contains_key(*name)), "{names:?}");
            assert_eq!(fields.text(names), None, "a variable that was not filled in is no value");
        }
    }
}
