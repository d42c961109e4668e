//! A team's own runbook: a Markdown page as people write it, with front matter of any kind or without.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::document::{Document, DocumentError, Kind, Purpose, Risk, Step};

/// Lines of a front matter that are looked at.
const MAX_FRONT_MATTER: usize = 100;
/// Bytes of a section that are kept for showing and embedding; all of it is searched by words.
const MAX_SECTION: usize = 1_200;
/// Words in a heading that open steps which find out.
const CONFIRM: [&str; 9] =
    ["diagnos", "confirm", "investigat", "troubleshoot", "debug", "verify", "check", "triage", "identify"];
/// Words in a heading that open steps which mend.
const FIX: [&str; 7] = ["mitigat", "fix", "resol", "remediat", "solution", "recover", "action"];
/// Words of a command that can lose data.
const DESTRUCTIVE: [&str; 12] = [
    " delete ", "rm -r", "drop ", "truncate", " prune", "purge", "mkfs", "wipe", "--force", " reset", "dd if=",
    "destroy",
];
/// Words of a command that interrupts users.
const DISRUPTIVE: [&str; 9] =
    ["restart", "reboot", " drain ", " kill", "stop ", "failover", "rollback", "rollout undo", "scale "];

/// A part of a page below one heading.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    /// The heading's text; empty above the first.
    pub heading: String,
    /// What stands below it, up to the next heading.
    pub text: String,
}

impl Section {
    /// The anchor that GitHub and most renderers give the heading.
    #[must_use]
    pub fn anchor(&self) -> String {
        let kept = self.heading.to_lowercase();
        kept.chars()
            .filter_map(|c| match c {
                ' ' | '-' => Some('-'),
                c if c.is_alphanumeric() || c == '_' => Some(c),
                _ => None,
            })
            .collect()
    }

    /// Its text in short.
    #[must_use]
    pub fn short(&self) -> &str {
        crate::logs::cut(self.text.trim(), MAX_SECTION)
    }
}

/// Parses the page at `path`, relative to the folder that was imported; its id is that path without the ending.
///
/// # Errors
/// When the front matter has no end or is no YAML, or the page is empty.
pub fn parse(path: &str, text: &str) -> Result<Document, DocumentError> {
    let error = |reason: &str| DocumentError { path: path.into(), reason: reason.to_owned() };
    let text = text.trim_start_matches('\u{feff}').replace("\r\n", "\n");
    let (front, body) = front_matter(&text).map_err(|reason| error(&reason))?;
    let body = without_comments(body);
    let sections = sections(&body);
    if sections.iter().all(|section| section.text.trim().is_empty() && section.heading.is_empty()) {
        return Err(error("the page is empty; delete it or write what to do"));
    }
    let id = path.strip_suffix(".md").or_else(|| path.strip_suffix(".markdown")).unwrap_or(path).to_owned();
    let stem = id.rsplit('/').next().unwrap_or(&id).to_owned();
    let heading = sections.iter().map(|section| section.heading.as_str()).find(|heading| !heading.is_empty());
    let one = |key: &str| front.get(key).and_then(|values| values.first()).cloned();
    let many = |key: &str| front.get(key).cloned().unwrap_or_default();
    let title = one("title").or_else(|| heading.map(str::to_owned)).unwrap_or_else(|| stem.clone());
    let steps = steps(&id, &sections);
    let first = sections.iter().find(|section| !section.text.trim().is_empty());
    let mut tags = many("tags");
    if stem != title {
        tags.push(stem);
    }
    Ok(Document {
        cause: first.map(|section| section.short().to_owned()).unwrap_or_default(),
        resolution: steps
            .iter()
            .find(|step: &&Step| step.purpose == Purpose::Fix)
            .map(|step| step.text.clone())
            .unwrap_or_default(),
        root_cause: one("root_cause").filter(|id| crate::root_cause::label::by_id(id).is_some()),
        technology: many("technology").iter().map(|name| name.to_lowercase()).collect(),
        severity: one("severity"),
        kind: if one("kind").as_deref() == Some("incident") { Kind::Incident } else { Kind::Runbook },
        symptoms: Vec::new(),
        source: Some(path.to_owned()),
        sections,
        steps,
        title,
        tags,
        body,
        id,
    })
}

type FrontMatter = BTreeMap<String, Vec<String>>;

/// The front matter as texts and lists of texts, and what stands below it. Foreign keys are somebody else's business.
fn front_matter(text: &str) -> Result<(FrontMatter, &str), String> {
    let Some(rest) = text.strip_prefix("---\n") else { return Ok((FrontMatter::new(), text)) };
    let Some((head, body)) = rest.split_once("\n---\n").or_else(|| rest.strip_suffix("\n---").map(|head| (head, "")))
    else {
        // A page may begin with a rule.
        if rest.lines().take(MAX_FRONT_MATTER).any(|line| line.contains(": ")) {
            return Err("front matter: the line of `---` that ends it is missing".to_owned());
        }
        return Ok((FrontMatter::new(), text));
    };
    let values: BTreeMap<String, serde_json::Value> =
        serde_saphyr::from_str(head).map_err(|e| format!("front matter: {e}"))?;
    let text_of = |value: &serde_json::Value| match value {
        serde_json::Value::String(text) => Some(text.clone()),
        serde_json::Value::Number(number) => Some(number.to_string()),
        _ => None,
    };
    let texts = |value: &serde_json::Value| match value {
        serde_json::Value::Array(values) => values.iter().filter_map(text_of).collect(),
        value => text_of(value).into_iter().collect::<Vec<_>>(),
    };
    Ok((values.iter().map(|(key, value)| (key.to_lowercase(), texts(value))).collect(), body))
}

fn without_comments(body: &str) -> String {
    let mut out = String::with_capacity(body.len());
    let mut rest = body;
    while let Some(start) = rest.find("<!--") {
        out.push_str(&rest[..start]);
        rest = rest[start..].find("-->").map_or("", |end| &rest[start + end + 3..]);
    }
    out.push_str(rest);
    out
}

/// The parts below each heading. A `#` inside a fence of code is no heading.
pub(super) fn sections(body: &str) -> Vec<Section> {
    let mut sections = vec![Section { heading: String::new(), text: String::new() }];
    let mut fence: Option<&str> = None;
    for line in body.lines() {
        let text = line.trim_start();
        for mark in ["```", "~~~"] {
            if text.starts_with(mark) {
                fence = if fence == Some(mark) { None } else { fence.or(Some(mark)) };
            }
        }
        let level = line.bytes().take_while(|b| *b == b'#').count();
        if fence.is_none() && (1..=6).contains(&level) && line[level..].starts_with([' ', '\t']) {
            let heading = line[level..].trim().trim_end_matches('#').trim().to_owned();
            sections.push(Section { heading, text: String::new() });
        } else if let Some(section) = sections.last_mut() {
            section.text.push_str(line);
            section.text.push('\n');
        }
    }
    sections.retain(|section| !section.heading.is_empty() || !section.text.trim().is_empty());
    sections
}

/// The list items below headings that promise steps.
fn steps(id: &str, sections: &[Section]) -> Vec<Step> {
    let mut steps = Vec::new();
    let (mut confirm, mut fix) = (0, 0);
    for section in sections {
        let heading = section.heading.to_lowercase();
        let opens = |words: &[&str]| words.iter().any(|word| heading.contains(word));
        let purpose = if opens(&FIX) {
            Purpose::Fix
        } else if opens(&CONFIRM) {
            Purpose::Confirm
        } else {
            continue;
        };
        let (place, name) = match purpose {
            Purpose::Fix => (&mut fix, "fix"),
            Purpose::Confirm => (&mut confirm, "confirm"),
        };
        for item in items(&section.text) {
            *place += 1;
            steps.push(Step {
                reference: format!("{id}/{name}/{place}"),
                risk: risk(&item),
                text: item,
                purpose,
                place: *place,
            });
        }
    }
    steps
}

/// How careful one must be with a step that nobody has marked, from the words of its command.
fn risk(item: &str) -> Risk {
    let text = format!(" {} ", item.to_lowercase());
    if DESTRUCTIVE.iter().any(|word| text.contains(word)) {
        Risk::Destructive
    } else if DISRUPTIVE.iter().any(|word| text.contains(word)) {
        Risk::Disruptive
    } else {
        Risk::Safe
    }
}

/// Items of the lists in a section, in one line each, with the commands of the fences that follow them.
fn items(text: &str) -> Vec<String> {
    /// A longer item is a page of its own.
    const MAX_ITEM: usize = 600;
    let mut items: Vec<String> = Vec::new();
    let mut fenced = false;
    for line in text.lines() {
        let trimmed = line.trim();
        if trimmed.starts_with("```") || trimmed.starts_with("~~~") {
            fenced = !fenced;
            continue;
        }
        if fenced {
            if let Some(last) = items.last_mut().filter(|last| !trimmed.is_empty() && last.len() < MAX_ITEM) {
                let _ = write!(last, " `{}`", trimmed.trim_start_matches("$ ")); // writing to a String cannot fail
            }
            continue;
        }
        if let Some(item) = list_item(line) {
            items.push(item.trim().to_owned());
        } else if let Some(last) = items.last_mut().filter(|last| line.starts_with("  ") && last.len() < MAX_ITEM) {
            last.push(' ');
            last.push_str(trimmed);
        }
    }
    items.retain(|item| item.chars().filter(|c| c.is_alphabetic()).count() >= 8);
    items
}

/// The text of a list item at the left edge.
fn list_item(line: &str) -> Option<&str> {
    let bullet = line.strip_prefix("- ").or_else(|| line.strip_prefix("* ")).or_else(|| line.strip_prefix("+ "));
    let digits = line.bytes().take_while(u8::is_ascii_digit).count();
    bullet.or_else(|| (digits > 0).then(|| line[digits..].strip_prefix(". "))?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const PAGE: &str = "---\ntitle: KubePodCrashLooping\nweight: 20\n---\n# KubePodCrashLooping\n\n## Meaning\n\nPod is in CrashLoop.\n\n```bash\n# not a heading\nkubectl get pods\n```\n\n## Diagnosis\n\n- Look at the events\n  of the pod:\n```\nkubectl describe pod $POD\n```\n1. Read the logs before\n\n## Mitigation\n* Delete the pod: `kubectl delete pod x`\n";

    #[test]
    fn a_page_with_foreign_front_matter_is_cut_at_its_headings_and_gives_steps() {
        let page = parse("alerts/KubePodCrashLooping.md", PAGE).unwrap_or_else(|e| panic!("{e}"));
        assert_eq!((page.id.as_str(), page.title.as_str()), ("alerts/KubePodCrashLooping", "KubePodCrashLooping"));
        let headings: Vec<&str> = page.sections.iter().map(|section| section.heading.as_str()).collect();
        assert_eq!(headings, ["KubePodCrashLooping", "Meaning", "Diagnosis", "Mitigation"]);
        let steps: Vec<(&str, Purpose, Risk)> =
            page.steps.iter().map(|s| (s.text.as_str(), s.purpose, s.risk)).collect();
        assert_eq!(
            steps,
            [
                ("Look at the events of the pod: `kubectl describe pod $POD`", Purpose::Confirm, Risk::Safe),
                ("Read the logs before", Purpose::Confirm, Risk::Safe),
                ("Delete the pod: `kubectl delete pod x`", Purpose::Fix, Risk::Destructive),
            ]
        );
        assert_eq!(page.sections[2].anchor(), "diagnosis");
    }

    #[test]
    fn a_page_without_front_matter_takes_its_title_from_heading_or_file() {
        let title = |text: &str| parse("a/NodeDown.md", text).map(|page| page.title).map_err(|e| e.to_string());
        assert_eq!(title("# Node is down\ntext"), Ok("Node is down".to_owned()));
        assert_eq!(title("just text"), Ok("NodeDown".to_owned()));
        assert_eq!(title("---\n\nA rule, then text"), Ok("NodeDown".to_owned()));
    }

    #[test]
    fn broken_pages_say_what_is_wrong() {
        for (text, part) in
            [("---\ntitle: x\nno end", "missing"), ("---\ntitle: [a\n---\nx", "front matter"), (" \n", "empty")]
        {
            let message = parse("x.md", text).err().map(|e| e.to_string()).unwrap_or_default();
            assert!(message.contains(part) && message.contains("x.md"), "{message}");
        }
    }

    proptest! {
        #[test]
        fn no_page_makes_it_panic(text in "(---\n|# |## Fix\n|```|~~~|<!--|-->|- |1\\. |a: b\n|[a-zé ]{1,9}|\n|\t){0,30}") {
            let _ = parse("x.md", &text);
        }
    }
}
