//! Folders of a team's own pages: taking them in, reading them, noticing changes on disk.
//!
//! An import copies pages into `<imported>/<collection>/`, where they stay readable and can be mended by hand. Importing
//! the same folder again brings the collection into line with it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use super::document::{Document, DocumentError};
use super::page;
use crate::models::sha256;

/// Folders deeper than this are not walked into: a link that leads in circles must end.
const MAX_DEPTH: usize = 12;
/// Collection of the incidents that were learned; nothing is imported into it.
pub const LEARNED: &str = "learned";
/// Bytes of a page; a longer one is no runbook.
pub const MAX_PAGE: u64 = 1 << 20;
/// Pages of one collection.
pub const MAX_PAGES: usize = 20_000;

/// What an import did.
#[derive(Debug, Default)]
pub struct Import {
    /// Name of the collection.
    pub collection: String,
    /// Pages that are new.
    pub added: usize,
    /// Pages whose text changed.
    pub changed: usize,
    /// Pages that were there already, unchanged.
    pub unchanged: usize,
    /// Pages that the folder no longer has.
    pub removed: usize,
    /// Pages that say the same as another one, with that one's path; they are left out.
    pub duplicates: Vec<(String, String)>,
    /// Pages that cannot be used.
    pub errors: Vec<DocumentError>,
}

/// Takes the Markdown pages below `source` into the collection `name` of `imported`.
///
/// # Errors
/// When the folder has no page or more than [`MAX_PAGES`], its name cannot be used, or a file cannot be read or written.
pub fn import(source: &Path, name: &str, imported: &Path) -> Result<Import, String> {
    if name.is_empty() || name.starts_with('.') || name.contains(['/', '\\']) {
        return Err(format!("{name:?} cannot be the name of a collection: use letters, digits, dashes and dots"));
    }
    if name == LEARNED {
        return Err(format!(
            "{LEARNED:?} is where learned incidents are kept; give the collection another name with --name"
        ));
    }
    let in_words = |path: &Path, e: &std::io::Error| format!("{}: {e}", path.display());
    let pages = markdown_files(source).map_err(|e| in_words(source, &e))?;
    if pages.is_empty() {
        return Err(format!("{} holds no Markdown page (*.md, *.markdown)", source.display()));
    }
    if pages.len() > MAX_PAGES {
        return Err(format!(
            "{} holds {} pages; at most {MAX_PAGES} fit into one collection",
            source.display(),
            pages.len()
        ));
    }
    let folder = imported.join(name);
    let mut done = Import { collection: name.to_owned(), ..Import::default() };
    let mut kept: BTreeSet<String> = BTreeSet::new();
    let mut seen: BTreeMap<String, String> = BTreeMap::new();
    for relative in pages {
        let path = source.join(&relative);
        let parsed = read_page(&path).and_then(|text| page::parse(&relative, &text).map(|_| text));
        let text = match parsed {
            Ok(text) => text,
            Err(error) => {
                done.errors.push(DocumentError { path: relative.into(), reason: error.reason });
                continue;
            }
        };
        if let Some(first) = seen.get(&sha256(text.as_bytes())) {
            done.duplicates.push((relative, first.clone()));
            continue;
        }
        seen.insert(sha256(text.as_bytes()), relative.clone());
        let target = folder.join(&relative);
        match std::fs::read_to_string(&target) {
            Ok(known) if known == text => done.unchanged += 1,
            known => {
                write(&target, &text).map_err(|e| in_words(&target, &e))?;
                *if known.is_ok() { &mut done.changed } else { &mut done.added } += 1;
            }
        }
        kept.insert(relative);
    }
    for old in markdown_files(&folder).unwrap_or_default() {
        if !kept.contains(&old) {
            let path = folder.join(&old);
            std::fs::remove_file(&path).map_err(|e| in_words(&path, &e))?;
            done.removed += 1;
        }
    }
    Ok(done)
}

/// Writes beside `target` and renames: whoever reads the folder meanwhile sees the old page or the new one.
fn write(target: &Path, text: &str) -> std::io::Result<()> {
    if let Some(parent) = target.parent() {
        std::fs::create_dir_all(parent)?;
    }
    let temporary = target.with_extension("new");
    std::fs::write(&temporary, text)?;
    std::fs::rename(&temporary, target)
}

/// Reads all pages of all collections, and the incidents that were learned. What is broken is reported, the rest is used.
#[must_use]
pub fn read_all(imported: &Path) -> (Vec<Document>, Vec<DocumentError>) {
    let (mut documents, mut errors) = (Vec::new(), Vec::new());
    for relative in markdown_files(imported).unwrap_or_default() {
        let path = imported.join(&relative);
        let is_learned = relative.starts_with(LEARNED) && relative[LEARNED.len()..].starts_with('/');
        let read =
            |text: String| if is_learned { Document::parse(&path, &text) } else { page::parse(&relative, &text) };
        match read_page(&path).and_then(read) {
            Ok(document) => documents.push(Document { source: Some(relative), ..document }),
            Err(error) => errors.push(error),
        }
    }
    (documents, errors)
}

pub(super) fn read_page(path: &Path) -> Result<String, DocumentError> {
    let error = |reason: String| DocumentError { path: path.to_owned(), reason };
    let size = std::fs::metadata(path).map_err(|e| error(e.to_string()))?.len();
    if size > MAX_PAGE {
        return Err(error(format!("it has {size} bytes; a page may have {MAX_PAGE}: split it")));
    }
    let bytes = std::fs::read(path).map_err(|e| error(e.to_string()))?;
    String::from_utf8(bytes).map_err(|_| error("it is not in UTF-8: save it as UTF-8".to_owned()))
}

/// Paths of the Markdown files below `folder`, relative to it, with `/`, in order.
pub(super) fn markdown_files(folder: &Path) -> std::io::Result<Vec<String>> {
    let mut found = Vec::new();
    let mut open: Vec<(PathBuf, String, usize)> = vec![(folder.to_owned(), String::new(), 0)];
    while let Some((directory, prefix, depth)) = open.pop() {
        for entry in std::fs::read_dir(&directory)? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            // Hidden folders hold the history of a checkout, not pages.
            if name.starts_with('.') {
                continue;
            }
            let path = entry.path();
            let relative = format!("{prefix}{name}");
            let is_page =
                path.extension().is_some_and(|e| e.eq_ignore_ascii_case("md") || e.eq_ignore_ascii_case("markdown"));
            if path.is_dir() && depth < MAX_DEPTH {
                open.push((path, format!("{relative}/"), depth + 1));
            } else if is_page && path.is_file() {
                found.push(relative);
            }
        }
    }
    found.sort();
    Ok(found)
}

/// A number that changes when a page below one of `folders` is added, changed or removed.
#[must_use]
pub fn fingerprint(folders: &[&Path]) -> String {
    let mut listing = String::new();
    for folder in folders {
        for relative in markdown_files(folder).unwrap_or_default() {
            let metadata = std::fs::metadata(folder.join(&relative));
            let state = metadata.map(|m| (m.len(), m.modified().ok())).ok();
            let _ = writeln!(listing, "{relative} {state:?}"); // writing to a String cannot fail
        }
    }
    sha256(listing.as_bytes())
}

/// Something that an author should know of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Problem {
    /// Two entries or pages say the same.
    Doubled(String, String),
    /// Nothing in it can be recommended.
    NoSteps(String),
}

impl Problem {
    /// Whether it has to be mended.
    #[must_use]
    pub fn is_grave(&self) -> bool {
        matches!(self, Self::Doubled(..))
    }
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Doubled(one, other) => write!(f, "doubled     {other} says the same as {one}: delete one of them"),
            Self::NoSteps(id) => write!(
                f,
                "note        {id} has no steps: put what to do into lists below headings such as Diagnosis and Mitigation"
            ),
        }
    }
}

/// What is wrong with entries that can be read.
#[must_use]
pub fn check(documents: &[Document]) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut seen: BTreeMap<String, &str> = BTreeMap::new();
    for document in documents {
        // White space apart: a copy that an editor reformatted is still a copy.
        let words = document.body.split_whitespace().collect::<Vec<_>>().join(" ");
        match seen.get(&words) {
            Some(first) => problems.push(Problem::Doubled((*first).to_owned(), document.id.clone())),
            None => drop(seen.insert(words, &document.id)),
        }
        if document.steps.is_empty() {
            problems.push(Problem::NoSteps(document.id.clone()));
        }
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap_or_else(|e| panic!("{e}"));
        for (name, text) in files {
            write(&folder.path().join(name), text).unwrap_or_else(|e| panic!("{e}"));
        }
        folder
    }

    #[test]
    fn importing_twice_changes_nothing_and_a_changed_folder_is_followed() {
        let source = folder(&[
            ("a.md", "# A\nx"),
            ("sub/b.md", "# B\ny"),
            ("copy.md", "# A\nx"),
            (".git/c.md", "# C\nz"),
            ("n.txt", "no"),
        ]);
        let target = folder(&[]);
        let run = || import(source.path(), "team", target.path()).unwrap_or_else(|e| panic!("{e}"));
        let first = run();
        assert_eq!((first.added, first.duplicates.len(), first.errors.len()), (2, 1, 0));
        let again = run();
        assert_eq!((again.added, again.changed, again.unchanged, again.removed), (0, 0, 2, 0));
        let before = fingerprint(&[target.path()]);
        write(&source.path().join("a.md"), "# A\nnew words").unwrap_or_else(|e| panic!("{e}"));
        let _ = std::fs::remove_file(source.path().join("sub/b.md"));
        let third = run();
        // The copy of the old text is now a page of its own.
        assert_eq!((third.added, third.changed, third.removed), (1, 1, 1));
        assert_ne!(before, fingerprint(&[target.path()]));
        let ids: Vec<String> = read_all(target.path()).0.into_iter().map(|page| page.id).collect();
        assert_eq!(ids, ["team/a", "team/copy"]);
    }

    #[test]
    fn what_cannot_be_imported_is_said() {
        let source = folder(&[("bad.md", "---\ntitle: x\n"), ("good.md", "# G\nx")]);
        let target = folder(&[]);
        let done = import(source.path(), "team", target.path()).unwrap_or_else(|e| panic!("{e}"));
        assert_eq!((done.added, done.errors.len()), (1, 1));
        assert!(import(source.path(), "../up", target.path()).is_err());
        assert!(import(target.path(), "x", source.path()).is_ok());
        assert!(import(&source.path().join("nowhere"), "x", target.path()).is_err());
    }
}
