//! `clew kb`: the knowledge entries and the team's own pages.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use clew_pipeline::knowledge::collection::{self, Problem};
use clew_pipeline::knowledge::document::{Document, Kind};
use clew_pipeline::knowledge::index::VectorCache;
use clew_pipeline::knowledge::search::{Filter, Hit, Knowledge, embedded_texts};
use clew_pipeline::models::{KNOWLEDGE_VECTORS, Models};
use clew_pipeline::{Pipeline, Sources};

use super::{BAD_INPUT, FAILED, UNKNOWN, VERDICT, refuse};
use crate::app::sources;
use crate::config::Config;

/// Notes that are printed; more would hide what is broken.
const MAX_NOTES: usize = 10;

/// Import, list, search and check runbooks and past incidents
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Take in a folder of Markdown pages; again, to bring them up to date
    Import {
        /// The folder
        folder: PathBuf,
        /// Name of the collection; without it, the folder's
        #[arg(long)]
        name: Option<String>,
    },
    /// List entries and pages
    List {
        #[command(flatten)]
        filter: FilterArguments,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Find the entries and pages that answer a question
    Search {
        /// The question, or the text of an alert
        #[arg(required = true)]
        query: Vec<String>,
        /// How many to show
        #[arg(long, default_value_t = 5)]
        top_k: usize,
        #[command(flatten)]
        filter: FilterArguments,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Look for broken front matter, duplicates and entries without steps
    Check {
        /// A folder to check instead of what is loaded
        folder: Option<PathBuf>,
    },
}

#[derive(Debug, Args)]
struct FilterArguments {
    /// Only what is about this technology
    #[arg(long)]
    technology: Option<String>,
    /// Only `runbook` or `incident`
    #[arg(long, value_parser = kind)]
    kind: Option<Kind>,
}

fn kind(word: &str) -> Result<Kind, String> {
    match word {
        "runbook" => Ok(Kind::Runbook),
        "incident" => Ok(Kind::Incident),
        _ => Err("it must be runbook or incident".to_owned()),
    }
}

impl FilterArguments {
    fn filter(&self) -> Filter {
        Filter { technology: self.technology.as_ref().map(|name| name.to_lowercase()), kind: self.kind }
    }
}

/// Runs the subcommand.
pub fn run(arguments: &Arguments, config: &Config) -> u8 {
    let sources = sources(config);
    match &arguments.command {
        Command::Import { folder, name } => import(folder, name.as_deref(), &sources),
        Command::List { filter, json } => list(&filter.filter(), *json, &sources),
        Command::Search { query, top_k, filter, json } => {
            search(&query.join(" "), *top_k, &filter.filter(), *json, &sources)
        }
        Command::Check { folder } => check(folder.as_deref(), &sources),
    }
}

fn import(folder: &Path, name: Option<&str>, sources: &Sources) -> u8 {
    let Some(imported) = &sources.imported else {
        return refuse("data.dir: there is no place for imported pages", FAILED);
    };
    let own = folder.canonicalize().ok().and_then(|path| Some(path.file_name()?.to_string_lossy().into_owned()));
    let Some(name) = name.map(str::to_owned).or(own) else {
        return refuse(&format!("{}: there is no such folder", folder.display()), BAD_INPUT);
    };
    // Embedded before they are copied: a running program that sees the pages then has their vectors at once.
    embed(folder, sources);
    let done = match collection::import(folder, &name, imported) {
        Ok(done) => done,
        Err(message) => return refuse(&message, BAD_INPUT),
    };
    println!(
        "{}: {} added, {} changed, {} unchanged, {} removed",
        done.collection, done.added, done.changed, done.unchanged, done.removed
    );
    for (page, first) in &done.duplicates {
        println!("  left out  {page}: says the same as {first}");
    }
    for error in &done.errors {
        println!("  left out  {error}");
    }
    println!("The pages are in {}. A running clew has them within seconds.", imported.join(&done.collection).display());
    VERDICT
}

/// Computes the vectors of the pages in `folder`. Failing is harmless: they are computed when they are first needed.
fn embed(folder: &Path, sources: &Sources) {
    let Ok(models) = Models::open(&sources.models) else { return };
    let (Ok(embedder), Some(file)) = (models.embedder(), &sources.vector_cache) else { return };
    let (pages, _) = collection::read_all(folder);
    let texts = embedded_texts(&pages);
    eprintln!("{} pages, {} texts to embed …", pages.len(), texts.len());
    let mut cache = VectorCache::read(Some(file), models.checked(KNOWLEDGE_VECTORS).ok().as_deref());
    cache.fill(texts.iter().map(|(_, _, text)| text.as_str()), &embedder);
    cache.write(file);
}

fn list(filter: &Filter, json: bool, sources: &Sources) -> u8 {
    let knowledge = match read(sources) {
        Ok(knowledge) => knowledge,
        Err(message) => return refuse(&message, FAILED),
    };
    let entries: Vec<&Document> = knowledge.documents().iter().filter(|d| filter.admits(d)).collect();
    if json {
        let entries: Vec<_> = entries
            .iter()
            .map(|d| {
                serde_json::json!({
                    "id": d.id, "title": d.title, "kind": d.kind, "root_cause": d.root_cause, "technology": d.technology,
                    "severity": d.severity, "steps": d.steps.len(), "source": d.source,
                })
            })
            .collect();
        println!("{}", serde_json::to_string_pretty(&entries).unwrap_or_default());
        return VERDICT;
    }
    for entry in &entries {
        let about = entry.technology.join(", ");
        println!("{:<58}  {}{}", entry.id, entry.title, if about.is_empty() { about } else { format!("  [{about}]") });
    }
    println!("{} entries", entries.len());
    VERDICT
}

fn search(query: &str, top_k: usize, filter: &Filter, json: bool, sources: &Sources) -> u8 {
    let pipeline = Pipeline::load(sources);
    let hits = pipeline.search(query, filter, top_k);
    if json {
        println!("{}", serde_json::to_string_pretty(&hits).unwrap_or_default());
    } else if hits.is_empty() {
        println!("Nothing known fits. Say it in other words, or write it down as an entry once it is solved.");
    } else {
        hits.iter().for_each(print_hit);
    }
    if hits.is_empty() { UNKNOWN } else { VERDICT }
}

fn print_hit(hit: &Hit) {
    println!("{:>3.0} %  {}  [{}]", hit.score * 100.0, hit.summary, hit.id);
    if let (Some(source), Some(section)) = (&hit.source, &hit.section) {
        println!("       {section}: {source}");
    }
    if !hit.resolution.is_empty() {
        println!("       fixed by: {}", hit.resolution);
    }
}

/// Entries and pages without vectors: listing and checking need none.
fn read(sources: &Sources) -> Result<Knowledge, String> {
    let imported = sources.imported.as_deref();
    Knowledge::load(&sources.knowledge, imported, None, VectorCache::default(), None).map_err(|e| {
        format!("{}: {e}. Set CLEW_KNOWLEDGE_DIR to the folder with the entries", sources.knowledge.display())
    })
}

fn check(folder: Option<&Path>, sources: &Sources) -> u8 {
    let checked = match folder {
        Some(folder) => Knowledge::load(folder, None, None, VectorCache::default(), None)
            .map_err(|e| format!("{}: {e}", folder.display())),
        None => read(sources),
    };
    let knowledge = match checked {
        Ok(knowledge) => knowledge,
        Err(message) => return refuse(&message, BAD_INPUT),
    };
    let (grave, notes): (Vec<Problem>, Vec<Problem>) =
        collection::check(knowledge.documents()).into_iter().partition(Problem::is_grave);
    knowledge.errors().iter().for_each(|error| println!("broken      {error}"));
    grave.iter().chain(notes.iter().take(MAX_NOTES)).for_each(|problem| println!("{problem}"));
    if notes.len() > MAX_NOTES {
        println!("note        … and {} more pages without steps", notes.len() - MAX_NOTES);
    }
    let broken = knowledge.errors().len() + grave.len();
    println!("{} entries and pages, {broken} broken or doubled", knowledge.documents().len());
    if broken == 0 { VERDICT } else { BAD_INPUT }
}
