//! Files of the repository. There is one version of each, whatever commit is asked for.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::calls::{Asked, Done};
use super::commits::tree_of;
use super::refusal::Refusal;
use super::state::{File, State, sha};
use super::{DEFAULT_BRANCH, REPO};

/// Largest file whose content stands in JSON.
const LARGEST: usize = 1 << 20;
/// After so many characters there is a new line in what is written as base64.
const LINE: usize = 60;

impl State {
    pub fn contents(&mut self, asked: &Asked) -> Result<Done, Refusal> {
        let reference = match asked.parameter("ref") {
            "" => DEFAULT_BRANCH,
            reference => reference,
        };
        if self.resolve(reference).is_none() {
            return Err(Refusal::new(404, &format!("No commit found for the ref {reference}")));
        }
        let path = asked.place("path").trim_matches('/');
        let Some(file) = self.files.get(path) else { return self.folder(path, reference) };
        let raw = ["application/vnd.github.raw", "application/vnd.github.v3.raw"];
        if raw.iter().any(|kind| asked.accept.starts_with(kind)) {
            let content_type = "application/vnd.github.raw+json; charset=utf-8";
            return Ok(Done { status: 200, content_type, body: file.content.clone(), link: None });
        }
        let mut shown = self.entry(path, reference, Some(file));
        let large = file.content.len() > LARGEST;
        let content = if large { String::new() } else { in_lines(&STANDARD.encode(&file.content)) };
        shown["content"] = json!(content);
        shown["encoding"] = json!(if large { "none" } else { "base64" });
        Ok(Done::ok(&shown))
    }

    fn folder(&self, path: &str, reference: &str) -> Result<Done, Refusal> {
        let inside = if path.is_empty() { String::new() } else { format!("{path}/") };
        let names: BTreeSet<&str> = self
            .files
            .keys()
            .filter_map(|file| file.strip_prefix(inside.as_str()))
            .map(|rest| rest.split('/').next().unwrap_or(rest))
            .collect();
        if names.is_empty() && !path.is_empty() {
            return Err(Refusal::not_found());
        }
        let entries = names.into_iter().map(|name| {
            let path = format!("{inside}{name}");
            self.entry(&path, reference, self.files.get(&path))
        });
        Ok(Done::ok(&json!(entries.collect::<Vec<_>>())))
    }

    /// A file or a folder, without what it contains.
    fn entry(&self, path: &str, reference: &str, file: Option<&File>) -> Value {
        let (kind, of_git, page) = if file.is_some() { ("file", "blobs", "blob") } else { ("dir", "trees", "tree") };
        let name = blob_of(path, file);
        let url = self.api(&format!("/contents/{path}?ref={reference}"));
        let git = self.api(&format!("/git/{of_git}/{name}"));
        let html = format!("https://github.com/{REPO}/{page}/{reference}/{path}");
        let raw = file.map(|_| format!("https://raw.githubusercontent.com/{REPO}/{reference}/{path}"));
        json!({
            "name": path.rsplit('/').next(), "path": path, "sha": name,
            "size": file.map_or(0, |file| file.content.len()), "url": url, "html_url": html, "git_url": git,
            "download_url": raw, "type": kind, "_links": {"self": url, "git": git, "html": html},
        })
    }

    /// The names of all files and folders.
    pub fn tree(&mut self, asked: &Asked) -> Result<Done, Refusal> {
        let reference = asked.place("ref");
        let by_tree = self.commits.iter().find(|commit| tree_of(&commit.sha) == reference);
        let commit = self.resolve(reference).or(by_tree).ok_or_else(Refusal::not_found)?;
        // Whatever it says.
        let deep = asked.query.iter().any(|(name, _)| name == "recursive");
        let mut entries: BTreeSet<String> = self.files.keys().cloned().collect();
        for path in self.files.keys() {
            let folders = path.match_indices('/').filter_map(|(at, _)| path.get(..at));
            entries.extend(folders.map(str::to_owned));
        }
        let all: Vec<&String> = entries.iter().filter(|path| deep || !path.contains('/')).collect();
        let most = self.switches.largest_tree.unwrap_or(100_000);
        let shown = all.iter().take(most).map(|path| {
            let file = self.files.get(*path);
            let name = blob_of(path, file);
            let (kind, mode) = if file.is_some() { ("blob", "100644") } else { ("tree", "040000") };
            let url = self.api(&format!("/git/{kind}s/{name}"));
            let mut entry = json!({"path": path, "mode": mode, "type": kind, "sha": name, "url": url});
            if let Some(file) = file {
                entry["size"] = json!(file.content.len());
            }
            entry
        });
        let name = tree_of(&commit.sha);
        let url = self.api(&format!("/git/trees/{name}"));
        let (shown, cut) = (shown.collect::<Vec<_>>(), all.len() > most);
        Ok(Done::ok(&json!({"sha": name, "url": url, "tree": shown, "truncated": cut})))
    }
}

/// Git's name of a file or a folder.
fn blob_of(path: &str, file: Option<&File>) -> String {
    file.map_or_else(|| sha(path.as_bytes()), |file| sha(&file.content))
}

fn in_lines(text: &str) -> String {
    let lines = text.as_bytes().chunks(LINE).map(String::from_utf8_lossy);
    lines.map(|line| format!("{line}\n")).collect()
}
