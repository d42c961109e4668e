//! `clew train`: the classifier and the ranker, from the data in `models/`.

use std::path::Path;

use clap::{Args, ValueEnum};
use clew_pipeline::knowledge::document::read_all;
use clew_pipeline::knowledge::index::VectorCache;
use clew_pipeline::knowledge::search::embedded_texts;
use clew_pipeline::models::{KNOWLEDGE_VECTORS, Models};
use clew_pipeline::train::{self, Ablation, actions::actions};
use clew_pipeline::{Pipeline, Sources};

use super::{FAILED, VERDICT, refuse};
use crate::app::sources;
use crate::config::Config;

/// Train from the data in `models/` and write what was learned there
#[derive(Debug, Args)]
pub struct Arguments {
    /// What to train; without it, all, in this order
    part: Option<Part>,
    /// Write nothing; print what each part of the root-cause classifier is worth (about half an hour)
    #[arg(long)]
    ablate: bool,
}

/// What can be trained.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Part {
    /// The root-cause classifier, from `models/root_cause/corpus`
    RootCause,
    /// The vectors of the knowledge entries
    Knowledge,
    /// The ranker of next steps, from models/actions
    Actions,
}

/// Trains, writes and reports.
pub fn run(arguments: &Arguments, config: &Config) -> u8 {
    match train(arguments.part, arguments.ablate, &sources(config)) {
        Ok(()) => VERDICT,
        Err(message) => refuse(&message, FAILED),
    }
}

fn train(part: Option<Part>, ablate: bool, sources: &Sources) -> Result<(), String> {
    let mut models = Models::open(&sources.models).map_err(|e| e.to_string())?;
    let corpus = sources.models.join("root_cause").join("corpus");
    let wanted = |this| part.is_none_or(|part| part == this);
    if ablate {
        return ablation(&models, &corpus);
    }
    if wanted(Part::RootCause) {
        root_cause(&mut models, &corpus)?;
    }
    if wanted(Part::Knowledge) {
        knowledge(&mut models, sources)?;
    }
    if wanted(Part::Actions) {
        ranker(&mut models, &corpus, sources)?;
    }
    Ok(())
}

fn root_cause(models: &mut Models, corpus: &Path) -> Result<(), String> {
    let embedder = models.embedder().map_err(|e| e.to_string())?;
    let report =
        train::root_cause(models, corpus, &embedder, &|step| eprintln!("{step}")).map_err(|e| e.to_string())?;
    println!(
        "root-cause classifier: {} cases, {} samples, {} features, temperature {:.2}, unknown below {:.2}",
        report.cases, report.samples, report.features, report.calibration.temperature, report.calibration.abstain_below
    );
    println!("on cases left out, by template:\n{}", report.metrics.table());
    println!("  earliest cause named in cascades  {:.3}", report.cascades);
    Ok(())
}

fn ablation(models: &Models, corpus: &Path) -> Result<(), String> {
    let embedder = models.embedder().map_err(|e| e.to_string())?;
    let table = train::ablation(corpus, &embedder, &|step| eprintln!("{step}")).map_err(|e| e.to_string())?;
    println!("{:<30} top-1  also_ok  top-3  macro-F1  ECE    unknown  confident", "on cases left out");
    for Ablation { name, metrics: m } in table {
        println!(
            "{name:<30} {:.3}  {:.3}    {:.3}  {:.3}     {:.3}  {:.3}    {:.3}",
            m.strict, m.lenient, m.top_3, m.macro_f1, m.calibration_error, m.unknown_recall, m.confident_on_unknown
        );
    }
    Ok(())
}

fn knowledge(models: &mut Models, sources: &Sources) -> Result<(), String> {
    let embedder = models.embedder().map_err(|e| e.to_string())?;
    let (documents, errors) = read_all(&sources.knowledge).map_err(|e| e.to_string())?;
    if let Some(error) = errors.first() {
        return Err(error.to_string());
    }
    let texts: Vec<String> = embedded_texts(&documents).into_iter().map(|(_, _, text)| text).collect();
    let vectors = VectorCache::shipped_form(&texts, &embedder);
    println!("knowledge: {} entries, {} vectors", documents.len(), texts.len());
    models
        .write(KNOWLEDGE_VECTORS, &vectors, "Apache-2.0 OR MIT", "`clew train knowledge` from knowledge/")
        .map_err(|e| e.to_string())
}

fn ranker(models: &mut Models, corpus: &Path, sources: &Sources) -> Result<(), String> {
    let pipeline = Pipeline::load(sources);
    let cases = train::read_corpus(corpus).map_err(|e| e.to_string())?;
    let judgements = sources.models.join("actions");
    let ranking = actions(models, &judgements, &cases, &pipeline).map_err(|e| e.to_string())?;
    println!(
        "action ranker: {} judged cases; on cases left out recall@6 {:.3}, MRR {:.3} (a dictionary by root cause: {:.3}, {:.3})",
        ranking.cases, ranking.recall, ranking.reciprocal_rank, ranking.dictionary.0, ranking.dictionary.1
    );
    Ok(())
}
