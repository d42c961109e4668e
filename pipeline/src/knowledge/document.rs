//! One entry of `knowledge/`: a Markdown file with YAML front matter.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::collection;
use super::page::{self, Section};

/// The front matter. Unknown keys are refused: a typing error must not hide a field.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct FrontMatter {
    id: String,
    title: String,
    #[serde(default = "runbook")]
    kind: Kind,
    #[serde(default)]
    root_cause: Option<String>,
    #[serde(default)]
    technology: Vec<String>,
    #[serde(default)]
    severity: Option<String>,
    #[serde(default)]
    resolution: String,
    #[serde(default)]
    tags: Vec<String>,
}

fn runbook() -> Kind {
    Kind::Runbook
}

/// What an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// How to recognise and mend a failure.
    Runbook,
    /// Something that happened, and what fixed it.
    Incident,
}

/// How careful one must be with a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Risk {
    /// Looks, or changes nothing that hurts.
    Safe,
    /// Interrupts users or restarts something shared.
    Disruptive,
    /// Can lose data.
    Destructive,
}

/// Whether a step finds out or mends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Purpose {
    /// From the section Confirm.
    Confirm,
    /// From the section Fix.
    Fix,
}

/// One list item of Confirm or Fix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// `<entry>/confirm/1`: stable as long as the order is.
    pub reference: String,
    /// The sentence, with its command in backticks.
    pub text: String,
    /// Finds out or mends.
    pub purpose: Purpose,
    /// How careful one must be.
    pub risk: Risk,
    /// Place in its section, from 1.
    pub place: usize,
}

/// A parsed entry.
#[derive(Debug, Clone)]
pub struct Document {
    /// Unique id.
    pub id: String,
    /// Title.
    pub title: String,
    /// Runbook or incident.
    pub kind: Kind,
    /// Id of the root cause it is about, if it is about one.
    pub root_cause: Option<String>,
    /// Technologies in lower case; empty for all.
    pub technology: Vec<String>,
    /// `critical`, `high`, `medium` or `low`.
    pub severity: Option<String>,
    /// What fixed it, in one sentence.
    pub resolution: String,
    /// Further words to be found by.
    pub tags: Vec<String>,
    /// How it shows in logs and alerts.
    pub symptoms: Vec<String>,
    /// The section Cause.
    pub cause: String,
    /// The steps of Confirm and Fix, in order.
    pub steps: Vec<Step>,
    /// The whole text below the front matter.
    pub body: String,
    /// Of an imported page: its path in the folder it came from.
    pub source: Option<String>,
    /// Of an imported page: its parts, which results point to.
    pub sections: Vec<Section>,
}

/// What stands in the front matter of an incident that was learned.
#[derive(Debug, Clone, Serialize)]
pub struct Entry {
    /// Unique id.
    pub id: String,
    /// Title.
    pub title: String,
    /// Id of the root cause, if it is known.
    pub root_cause: Option<String>,
    /// Technologies.
    pub technology: Vec<String>,
    /// `critical`, `high`, `medium` or `low`.
    pub severity: Option<String>,
    /// What fixed it.
    pub resolution: String,
    /// Further words to be found by.
    pub tags: Vec<String>,
}

impl Entry {
    /// The file of the entry, with `body` below the front matter. [`Document::parse`] reads it again.
    #[must_use]
    pub fn to_markdown(&self, body: &str) -> String {
        let mut text = "---\nkind: incident\n".to_owned();
        // JSON is YAML, whatever stands in the texts. Plain data always becomes JSON.
        if let Ok(serde_json::Value::Object(fields)) = serde_json::to_value(self) {
            for (key, value) in fields.iter().filter(|(_, value)| !value.is_null()) {
                text.extend([key.as_str(), ": ", &value.to_string(), "\n"]);
            }
        }
        text + "---\n" + body
    }
}

/// What is wrong with a file, with the remedy.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{path}: {reason}")]
pub struct DocumentError {
    /// Which file.
    pub path: PathBuf,
    /// What is wrong and what to do.
    pub reason: String,
}

impl Document {
    /// Parses the text of the file at `path`.
    ///
    /// # Errors
    /// When the front matter is missing, names an unknown key or an unknown root cause.
    pub fn parse(path: &Path, text: &str) -> Result<Self, DocumentError> {
        let error = |reason: String| DocumentError { path: path.to_owned(), reason };
        let text = text.replace("\r\n", "\n");
        let (head, body) = text
            .strip_prefix("---\n")
            .and_then(|rest| rest.split_once("\n---\n"))
            .ok_or_else(|| error("it must begin with front matter between two lines of `---`".to_owned()))?;
        let front: FrontMatter = serde_saphyr::from_str(head).map_err(|e| error(format!("front matter: {e}")))?;
        if let Some(id) = front.root_cause.as_deref().filter(|id| crate::root_cause::label::by_id(id).is_none()) {
            return Err(error(format!("root_cause: there is no {id:?}; the ids are in docs/root-causes.md")));
        }
        let mut steps = Vec::new();
        for (purpose, name) in [(Purpose::Confirm, "Confirm"), (Purpose::Fix, "Fix")] {
            for (index, item) in items(section(body, name)).into_iter().enumerate() {
                steps.push(step(&front.id, purpose, index + 1, &item));
            }
        }
        Ok(Self {
            symptoms: items(section(body, "Symptoms")),
            cause: section(body, "Cause").trim().to_owned(),
            steps,
            body: body.trim().to_owned(),
            id: front.id,
            title: front.title,
            kind: front.kind,
            root_cause: front.root_cause,
            technology: front.technology.iter().map(|t| t.to_lowercase()).collect(),
            severity: front.severity,
            resolution: front.resolution,
            tags: front.tags,
            source: None,
            sections: Vec::new(),
        })
    }
}

fn step(id: &str, purpose: Purpose, place: usize, item: &str) -> Step {
    let (risk, text) = if let Some(rest) = item.strip_prefix("[destructive]") {
        (Risk::Destructive, rest)
    } else if let Some(rest) = item.strip_prefix("[disruptive]") {
        (Risk::Disruptive, rest)
    } else {
        (Risk::Safe, item)
    };
    let name = if purpose == Purpose::Confirm { "confirm" } else { "fix" };
    Step { reference: format!("{id}/{name}/{place}"), text: text.trim().to_owned(), purpose, risk, place }
}

/// The text below `## name` up to the next heading of that level.
fn section<'a>(body: &'a str, name: &str) -> &'a str {
    let mut start = None;
    let mut offset = 0;
    for line in body.split_inclusive('\n') {
        if let Some(heading) = line.strip_prefix("## ") {
            if let Some(start) = start {
                return &body[start..offset];
            }
            if heading.trim().eq_ignore_ascii_case(name) {
                start = Some(offset + line.len());
            }
        }
        offset += line.len();
    }
    start.map_or("", |start| &body[start..])
}

/// List items; indented and continued lines belong to the item before.
fn items(section: &str) -> Vec<String> {
    let mut items: Vec<String> = Vec::new();
    for line in section.lines() {
        if let Some(item) = line.strip_prefix("- ").or_else(|| line.strip_prefix("* ")) {
            items.push(item.trim().to_owned());
        } else if let (Some(last), false) = (items.last_mut(), line.trim().is_empty()) {
            last.push(' ');
            last.push_str(line.trim());
        }
    }
    items
}

/// Reads all Markdown files in `directory`. A file whose front matter has an `id` is an entry, any other one a page of the
/// team's own. What is broken is reported, the rest is used.
///
/// # Errors
/// When the folder itself cannot be read.
pub fn read_all(directory: &Path) -> std::io::Result<(Vec<Document>, Vec<DocumentError>)> {
    std::fs::read_dir(directory)?;
    let (mut documents, mut errors) = (Vec::new(), Vec::new());
    let mut ids: HashSet<String> = HashSet::new();
    for relative in collection::markdown_files(directory)?.into_iter().filter(|path| path != "README.md") {
        let path = directory.join(&relative);
        let parsed = collection::read_page(&path)
            .and_then(|text| if has_id(&text) { Document::parse(&path, &text) } else { page::parse(&relative, &text) });
        match parsed {
            Ok(document) if ids.insert(document.id.clone()) => documents.push(document),
            Ok(document) => {
                errors.push(DocumentError { path, reason: format!("the id {:?} is used twice", document.id) });
            }
            Err(error) => errors.push(error),
        }
    }
    Ok((documents, errors))
}

/// Whether a file says that it is an entry and no page of another making.
fn has_id(text: &str) -> bool {
    let mut lines = text.trim_start_matches('\u{feff}').lines();
    lines.next() == Some("---") && lines.take_while(|line| *line != "---").any(|line| line.starts_with("id:"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_read_with_its_steps_and_their_risk() {
        let text = "---\nid: x\ntitle: X breaks\nroot_cause: disk_full\ntechnology: [PostgreSQL]\nresolution: Freed space.\n---\n## Symptoms\n- `a`\n  b\n## Confirm\n- Look: `df -h`\n## Fix\n- [destructive] Drop it\n";
        let entry = Document::parse(Path::new("x.md"), text).map_err(|e| e.to_string());
        let entry = entry.as_ref().map(|e| (e.symptoms.clone(), e.technology.clone(), e.steps.clone()));
        assert_eq!(entry.as_ref().map(|e| e.0.as_slice()), Ok(["`a` b".to_owned()].as_slice()));
        let risks = entry.map(|e| e.2.into_iter().map(|s| (s.reference, s.risk)).collect::<Vec<_>>());
        assert_eq!(risks, Ok(vec![("x/confirm/1".to_owned(), Risk::Safe), ("x/fix/1".to_owned(), Risk::Destructive)]));
    }

    #[test]
    fn a_learned_incident_is_read_as_it_was_written() {
        let entry = Entry {
            id: "INC-7".into(),
            title: "a: \"quoted\" # title".into(),
            root_cause: Some("disk_full".into()),
            technology: vec!["postgresql".into()],
            severity: None,
            resolution: "freed room: 10 GB\n---\n".into(),
            tags: vec!["shop".into()],
        };
        let read = Document::parse(Path::new("INC-7.md"), &entry.to_markdown("## Symptoms\n- x\n"));
        let read = read.unwrap_or_else(|e| panic!("{e}"));
        assert_eq!((read.title, read.kind, read.resolution), (entry.title, Kind::Incident, entry.resolution));
        assert_eq!(read.symptoms, ["x"]);
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (text, part) in [
            ("no front matter", "between two lines"),
            ("---\nid: x\ntitle: t\nroot_cause: gremlins\n---\n", "gremlins"),
            ("---\nid: x\ntitle: t\nresolutoin: typo\n---\n", "resolutoin"),
        ] {
            let error = Document::parse(Path::new("x.md"), text).err().map(|e| e.to_string()).unwrap_or_default();
            assert!(error.contains(part), "{error}");
        }
    }
}
