//! Settings: the defaults, the configuration file, what was changed by `POST /config`, the environment — later wins.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::{Map, Value, json};

/// The defaults, with a comment for every key.
pub const DEFAULTS: &str = include_str!("config.default.toml");

/// Keys whose value never leaves the process, whatever their section.
const SECRET_KEYS: [&str; 8] =
    ["api_keys", "token", "secret", "app_token", "bot_token", "signing_secret", "webhook_secret", "user"];
/// Keys that say where something is: whoever may change settings must not turn a token to another host.
const PLACES: [&str; 2] = ["api_url", "address"];
/// The same, where the key alone says too little.
const PLACES_BY_NAME: [&str; 1] = ["jira.url"];
/// Settings that are read at start only.
const AT_START: [&str; 8] = [
    "http.addr",
    "http.api_keys",
    "http.max_waiting",
    "pipeline.model_dir",
    "pipeline.knowledge_dir",
    "pipeline.code_keywords",
    "log.level",
    "log.format",
];
/// Keys of integrations that are read at start only, whatever their section.
const AT_START_KEYS: [&str; 7] = ["group", "sockets", "role", "guilds", "gateway", "message_content", "public_key"];
/// Integrations all of whose keys are read at start only.
const AT_START_SECTIONS: [&str; 2] = ["jira", "github"];
/// Settings with few values.
const CHOICES: [(&str, &[&str]); 6] = [
    ("discord.gateway", &["on", "off"]),
    ("discord.message_content", &["on", "off"]),
    ("tickets.automatic", &["off", "ask", "on"]),
    ("tickets.on_merge", &["resolve", "mark"]),
    ("tickets.comments", &["off", "clew", "all"]),
    ("log.format", &["text", "json"]),
];
/// Short names for settings that are often set by the environment.
const SHORT: [(&str, &str); 4] = [
    ("CLEW_API_KEYS", "http.api_keys"),
    ("CLEW_MODEL_DIR", "pipeline.model_dir"),
    ("CLEW_KNOWLEDGE_DIR", "pipeline.knowledge_dir"),
    ("CLEW_CODE_KEYWORDS", "pipeline.code_keywords"),
];
const MASK: &str = "********";

/// Why the settings cannot be used. The text names the setting and the remedy.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct ConfigError(pub String);

/// All settings. Unknown keys are refused by [`Settings::typed`], which can name them better than serde.
#[derive(Debug, Clone, Deserialize)]
pub struct Config {
    /// API and console.
    pub http: Http,
    /// State.
    pub data: Data,
    /// Analysis.
    pub pipeline: PipelineSettings,
    /// Own log.
    pub log: Log,
    /// Incidents.
    pub incidents: Incidents,
    /// Deliveries of alerts.
    pub webhooks: Webhooks,
    /// Durable work.
    pub jobs: Jobs,
    /// How long things are kept.
    pub retention: Retention,
    /// Tickets.
    pub tickets: Tickets,
    /// Sections of integrations, which only `clew_adapters` knows by name.
    #[serde(flatten)]
    pub integrations: std::collections::BTreeMap<String, std::collections::BTreeMap<String, SecretString>>,
}

/// API and console.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Http {
    /// Where to listen.
    pub addr: SocketAddr,
    /// Keys that clients must send; none on loopback.
    pub api_keys: Vec<SecretString>,
    /// Largest request body, in bytes.
    pub body_limit_bytes: usize,
    /// Most log lines in one request.
    pub max_lines: usize,
    /// Requests that may wait for the analysis.
    pub max_waiting: usize,
}

/// State.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Data {
    /// Folder.
    pub dir: PathBuf,
    /// Verdicts kept.
    pub max_replays: usize,
    /// Room that must be left on the disk, in MiB.
    pub min_free_mib: u64,
}

/// Incidents.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Incidents {
    /// Hours in which the same failure is the same incident again.
    pub reopen_hours: u32,
    /// Whether the last alert that is over resolves the incident.
    pub resolve_with_alerts: bool,
}

/// Tickets.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tickets {
    /// Where they are opened when nobody says where; empty: in the first tracker that is configured.
    pub tracker: String,
    /// Whether they are opened without being asked for.
    pub automatic: Automatic,
    /// What a merged fix does to its incident.
    pub on_merge: OnMerge,
    /// Whether a person who resolves an incident closes its ticket.
    pub close_with_incident: bool,
    /// Whether an incident is resolved with its ticket.
    pub resolve_with_ticket: bool,
    /// Which comments are shown in the thread.
    pub comments: Comments,
    /// Seconds between two looks at what changed.
    pub poll_seconds: u64,
}

/// Whether a ticket is opened without being asked for when the root cause is in the code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Automatic {
    /// No.
    Off,
    /// The card asks.
    Ask,
    /// Yes.
    On,
}

/// What a merged fix does to its incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnMerge {
    /// Resolves it.
    Resolve,
    /// It waits for the deployment.
    Mark,
}

/// Which comments on tickets are shown in the thread.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Comments {
    /// None.
    Off,
    /// Those that begin with `/clew`.
    Clew,
    /// All.
    All,
}

/// Deliveries of alerts.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Webhooks {
    /// Largest delivery, in bytes.
    pub body_limit_bytes: usize,
    /// Deliveries that may wait to be worked off.
    pub max_waiting: usize,
}

/// Durable work.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Jobs {
    /// Tries after which a job is given up.
    pub max_tries: u32,
}

/// How long things are kept, in days.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(clippy::struct_field_names)] // a setting says its unit in its name
pub struct Retention {
    /// Text of logs and alerts, after the incident was over.
    pub raw_text_days: u32,
    /// Incidents, after they were over.
    pub incident_days: u32,
    /// Delivery keys.
    pub key_days: u32,
    /// Dead letters.
    pub dead_job_days: u32,
}

/// Analysis.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PipelineSettings {
    /// Folder of the models; empty: found.
    pub model_dir: PathBuf,
    /// Folder of the knowledge entries; empty: found.
    pub knowledge_dir: PathBuf,
    /// File of words; empty: found.
    pub code_keywords: PathBuf,
}

/// Own log.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Log {
    /// Filter.
    pub level: String,
    /// `text` or `json`.
    pub format: String,
}

/// The settings as a document, before they are typed.
#[derive(Debug, Clone)]
pub struct Settings {
    base: Value,
    environment: Value,
}

impl Settings {
    /// Reads defaults, file and environment. `file` must exist when it is named; `clew.toml` need not.
    ///
    /// # Errors
    /// When a file cannot be read or parsed.
    pub fn read(file: Option<&Path>, environment: &dyn Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let mut base = parse(DEFAULTS, "the compiled-in defaults")?;
        let named = file.map(Path::to_owned).or_else(|| environment("CLEW_CONFIG").map(PathBuf::from));
        let path = named.clone().unwrap_or_else(|| PathBuf::from("clew.toml"));
        match std::fs::read_to_string(&path) {
            Ok(text) => merge(&mut base, parse(&text, &path.display().to_string())?),
            Err(error) if named.is_some() => return Err(ConfigError(format!("{}: {error}", path.display()))),
            Err(_) => {}
        }
        let mut from_environment = json!({});
        for (setting, default) in settings_of(&parse(DEFAULTS, "the compiled-in defaults")?) {
            let name = format!("CLEW_{}", setting.to_uppercase().replace('.', "_"));
            let aliases =
                SHORT.iter().chain(clew_adapters::ENVIRONMENT).filter(|(_, s)| *s == setting).map(|(n, _)| *n);
            for name in aliases.chain([name.as_str()]) {
                if let Some(text) = environment(name).filter(|text| !text.is_empty()) {
                    let value = from_text(&text, &default)
                        .ok_or_else(|| ConfigError(format!("{name}: {text:?} is not {}", kind(&default))))?;
                    merge(&mut from_environment, nested(&setting, value));
                }
            }
        }
        Ok(Self { base, environment: from_environment })
    }

    /// The typed settings, with the `stored` changes between file and environment.
    ///
    /// # Errors
    /// When a key is unknown or a value does not fit; the message names it.
    pub fn typed(&self, stored: &Value) -> Result<Config, ConfigError> {
        let document = self.merged(stored);
        let known = parse(DEFAULTS, "the compiled-in defaults")?;
        let names: Vec<String> = settings_of(&known).into_iter().map(|(name, _)| name).collect();
        if let Some((unknown, _)) = settings_of(&document).into_iter().find(|(name, _)| !names.contains(name)) {
            return Err(ConfigError(format!(
                "there is no setting {unknown:?}; all settings with their meaning are in docs/configuration.md"
            )));
        }
        for (name, value) in settings_of(&document) {
            let expected = kind(&at(&known, &name));
            if kind(&value) != expected {
                return Err(ConfigError(format!("{name}: expected {expected}, found {}", kind(&value))));
            }
        }
        for (name, choices) in CHOICES {
            let value = at(&document, name);
            if !value.as_str().is_some_and(|value| choices.contains(&value)) {
                return Err(ConfigError(format!("{name}: {value} is none of: {}", choices.join(", "))));
            }
        }
        let config: Config = serde_json::from_value(document).map_err(|e| ConfigError(format!("settings: {e}")))?;
        config.check()?;
        Ok(config)
    }

    /// The document with every secret masked: what may be shown.
    #[must_use]
    pub fn masked(&self, stored: &Value) -> Value {
        let mut document = self.merged(stored);
        for (name, value) in settings_of(&document).into_iter().filter(|(name, _)| is_secret(name)) {
            let masked = match value {
                Value::Array(keys) => Value::from(vec![MASK; keys.len()]),
                Value::String(text) if !text.is_empty() => MASK.into(),
                empty => empty,
            };
            merge(&mut document, nested(&name, masked));
        }
        document
    }

    /// Merges `change` into the stored changes. Returns them and the changed settings that need a restart.
    ///
    /// # Errors
    /// When the change holds a secret, is set by the environment, or does not fit.
    pub fn change(&self, stored: &Value, change: &Value) -> Result<(Value, Vec<String>), ConfigError> {
        if !change.is_object() {
            return Err(ConfigError(
                "send a JSON object with the settings to change, e.g. {\"http\":{\"max_lines\":5000}}".into(),
            ));
        }
        let masked = self.masked(stored);
        let mut changed = stored.clone();
        let mut restart = Vec::new();
        for (name, value) in settings_of(change) {
            if value == at(&masked, &name) {
                continue;
            }
            if is_secret(&name) {
                return Err(ConfigError(format!(
                    "{name}: secrets are not kept in the store; set it in the environment or in clew.toml"
                )));
            }
            if !at(&self.environment, &name).is_null() {
                return Err(ConfigError(format!("{name}: the environment sets it and would win; change it there")));
            }
            let is_place = name.split_once('.').is_some_and(|(_, key)| PLACES.contains(&key));
            if is_place || PLACES_BY_NAME.contains(&name.as_str()) {
                return Err(ConfigError(format!(
                    "{name}: where Clew connects to is not changed while it runs; set it in the environment or in clew.toml"
                )));
            }
            if name == "data.dir" {
                return Err(ConfigError("data.dir: the store cannot say where it is itself; set CLEW_DATA_DIR".into()));
            }
            let at_start = |name: &str| {
                let parts = name.split_once('.');
                parts.is_some_and(|(section, key)| AT_START_KEYS.contains(&key) || AT_START_SECTIONS.contains(&section))
            };
            if AT_START.contains(&name.as_str()) || at_start(&name) {
                restart.push(name.clone());
            }
            merge(&mut changed, nested(&name, value));
        }
        self.typed(&changed)?;
        Ok((changed, restart))
    }

    fn merged(&self, stored: &Value) -> Value {
        let mut document = self.base.clone();
        merge(&mut document, stored.clone());
        merge(&mut document, self.environment.clone());
        document
    }
}

impl Config {
    fn check(&self) -> Result<(), ConfigError> {
        let error = |text: String| Err(ConfigError(text));
        if !self.http.addr.ip().is_loopback() && self.http.api_keys.is_empty() {
            return error(format!(
                "http.addr: {} can be reached by other machines, so an API key is needed: set CLEW_API_KEYS, or listen on 127.0.0.1",
                self.http.addr
            ));
        }
        let unusable =
            |key: &SecretString| key.expose_secret().is_empty() || key.expose_secret().trim() != key.expose_secret();
        if self.http.api_keys.iter().any(unusable) {
            return error(
                "http.api_keys: a key is empty or has spaces around it; give each key at least one visible character"
                    .into(),
            );
        }
        if tracing_subscriber::EnvFilter::try_new(&self.log.level).is_err() {
            return error(format!(
                "log.level: {:?} is no level (trace, debug, info, warn, error) and no filter",
                self.log.level
            ));
        }
        for (name, value) in [
            ("http.body_limit_bytes", self.http.body_limit_bytes),
            ("webhooks.body_limit_bytes", self.webhooks.body_limit_bytes),
        ] {
            if !(1_024..=1 << 30).contains(&value) {
                return error(format!("{name}: must be between 1024 (1 KiB) and 1073741824 (1 GiB)"));
            }
        }
        for (name, value, most) in [
            ("webhooks.max_waiting", self.webhooks.max_waiting, 10_000_000),
            ("jobs.max_tries", self.jobs.max_tries as usize, 1_000),
            ("retention.raw_text_days", self.retention.raw_text_days as usize, 36_500),
            ("retention.incident_days", self.retention.incident_days as usize, 36_500),
            ("retention.key_days", self.retention.key_days as usize, 36_500),
            ("retention.dead_job_days", self.retention.dead_job_days as usize, 36_500),
            ("http.max_lines", self.http.max_lines, 1_000_000_000),
            ("http.max_waiting", self.http.max_waiting, 100_000),
            ("data.max_replays", self.data.max_replays, 10_000_000),
        ] {
            if !(1..=most).contains(&value) {
                return error(format!("{name}: must be between 1 and {most}"));
            }
        }
        if self.incidents.reopen_hours > 100_000 {
            return error("incidents.reopen_hours: must be between 0 and 100000".into());
        }
        if !(1..=3_600).contains(&self.tickets.poll_seconds) {
            return error("tickets.poll_seconds: must be between 1 and 3600".into());
        }
        Ok(())
    }

    /// The channel of a chat platform in which incidents are shown, if one is set.
    #[must_use]
    pub fn channel(&self, platform: &str) -> Option<String> {
        self.integration(platform, "channel").map(|channel| channel.expose_secret().to_owned())
    }

    /// The channels of a chat platform in which everybody talks about incidents: the one in which they are shown, and others.
    #[must_use]
    pub fn incident_channels(&self, platform: &str) -> Vec<String> {
        let more = self.integration(platform, "channels").map(|channels| channels.expose_secret().to_owned());
        let more = more.unwrap_or_default();
        let listed = more.split(',').map(str::trim).filter(|channel| !channel.is_empty()).map(str::to_owned);
        self.channel(platform).into_iter().chain(listed).collect()
    }

    /// The address that stands in for the hosts of a sender of alerts, if one is set.
    #[must_use]
    pub fn stand_in(&self, format: &str) -> Option<String> {
        self.integration(format, "address").map(|address| address.expose_secret().to_owned())
    }

    /// A key of an integration's section, if it is set.
    #[must_use]
    pub fn integration(&self, section: &str, key: &str) -> Option<&SecretString> {
        self.integrations.get(section)?.get(key).filter(|value| !value.expose_secret().is_empty())
    }

    /// Whether all `keys` of an integration's `section` are set.
    #[must_use]
    pub fn is_configured(&self, section: &str, keys: &[&str]) -> bool {
        keys.iter().all(|key| self.integration(section, key).is_some())
    }
}

/// Whether a setting's value is a secret.
fn is_secret(name: &str) -> bool {
    name.split_once('.').is_some_and(|(_, key)| SECRET_KEYS.contains(&key))
}

fn parse(text: &str, origin: &str) -> Result<Value, ConfigError> {
    let table: toml::Table = text.parse().map_err(|e| ConfigError(format!("{origin}: {e}")))?;
    serde_json::to_value(table).map_err(|e| ConfigError(format!("{origin}: {e}")))
}

/// All `section.key` pairs of a document.
fn settings_of(document: &Value) -> Vec<(String, Value)> {
    let empty = Map::new();
    let mut settings = Vec::new();
    for (section, keys) in document.as_object().unwrap_or(&empty) {
        match keys {
            Value::Object(keys) => {
                settings.extend(keys.iter().map(|(key, value)| (format!("{section}.{key}"), value.clone())));
            }
            other => settings.push((section.clone(), other.clone())),
        }
    }
    settings
}

fn at(document: &Value, setting: &str) -> Value {
    let (section, key) = setting.split_once('.').unwrap_or((setting, ""));
    document.get(section).and_then(|section| section.get(key)).cloned().unwrap_or_default()
}

fn nested(setting: &str, value: Value) -> Value {
    match setting.split_once('.') {
        Some((section, key)) => json!({ section: { key: value } }),
        None => json!({ setting: value }),
    }
}

fn merge(into: &mut Value, from: Value) {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => {
            for (key, value) in from {
                merge(into.entry(key).or_insert(Value::Null), value);
            }
        }
        (into, from) => *into = from,
    }
}

/// A setting from the environment, in the type of its default.
fn from_text(text: &str, default: &Value) -> Option<Value> {
    match default {
        Value::Number(_) => text.trim().parse::<u64>().ok().map(Value::from),
        Value::Bool(_) => text.trim().parse::<bool>().ok().map(Value::from),
        Value::Array(_) => {
            Some(text.split(',').map(str::trim).filter(|part| !part.is_empty()).collect::<Vec<_>>().into())
        }
        _ => Some(text.into()),
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "a section",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(environment: &[(&str, &str)]) -> Settings {
        let environment: Vec<(String, String)> = environment.iter().map(|(k, v)| ((*k).into(), (*v).into())).collect();
        let read = |name: &str| environment.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone());
        Settings::read(None, &read).unwrap_or_else(|e| panic!("{e}"))
    }

    fn error(result: Result<impl Sized, ConfigError>) -> String {
        result.err().map(|e| e.to_string()).unwrap_or_default()
    }

    #[test]
    fn the_defaults_are_complete_and_bind_to_loopback() {
        let config = settings(&[]).typed(&json!({})).unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(config.http.addr.to_string(), "127.0.0.1:8080");
    }

    #[test]
    fn an_address_others_can_reach_needs_a_key() {
        let open = settings(&[("CLEW_HTTP_ADDR", "0.0.0.0:8080")]).typed(&json!({}));
        assert!(error(open).contains("CLEW_API_KEYS"));
        assert!(settings(&[("CLEW_HTTP_ADDR", "0.0.0.0:8080"), ("CLEW_API_KEYS", "a,b")]).typed(&json!({})).is_ok());
    }

    #[test]
    fn what_does_not_fit_is_named() {
        let settings = settings(&[]);
        for (change, part) in [
            (json!({"http": {"max_linse": 1}}), "http.max_linse"),
            (json!({"http": {"max_lines": "many"}}), "http.max_lines: expected a number"),
            (json!({"http": {"body_limit_bytes": 1}}), "http.body_limit_bytes"),
            (json!({"http": {"max_waiting": 9_000_000_000_000_u64}}), "http.max_waiting"),
            (json!({"log": {"level": "l=o=u=d"}}), "log.level"),
            (json!({"slack": {"bot_token": "xoxb-new"}}), "environment"),
            (json!({"data": {"dir": "elsewhere"}}), "CLEW_DATA_DIR"),
            (json!([1]), "JSON object"),
        ] {
            let text = error(settings.change(&json!({}), &change));
            assert!(text.contains(part) && !text.contains("xoxb"), "{text}");
        }
    }

    #[test]
    fn secrets_are_masked_and_a_masked_document_can_be_sent_back() {
        let settings = settings(&[("SLACK_BOT_TOKEN", "xoxb-1"), ("CLEW_API_KEYS", "secret-key")]);
        let shown = settings.masked(&json!({}));
        assert!(!shown.to_string().contains("xoxb") && !shown.to_string().contains("secret-key"));
        assert_eq!(shown["slack"]["bot_token"], MASK);
        assert_eq!(settings.change(&json!({}), &shown).map_err(|e| e.to_string()), Ok((json!({}), vec![])));
    }
}
