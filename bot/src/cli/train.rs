//! `clew train`: the classifier and the ranker, from the data in `models/`.

use clew_pipeline::Pipeline;
use clew_pipeline::models::Models;
use clew_pipeline::{train, train_actions};

use super::{FAILED, VERDICT};
use crate::app::sources;
use crate::config::Config;

/// Trains, writes and reports.
pub fn run(config: &Config) -> u8 {
    match train_all(config) {
        Ok(()) => VERDICT,
        Err(message) => {
            eprintln!("clew: {message}");
            FAILED
        }
    }
}

fn train_all(config: &Config) -> Result<(), String> {
    let sources = sources(config);
    let mut models = Models::open(&sources.models).map_err(|e| e.to_string())?;
    let embedder = models.embedder().map_err(|e| e.to_string())?;
    let corpus = sources.models.join("root_cause").join("corpus");
    let report =
        train::root_cause(&mut models, &corpus, &embedder, &|step| eprintln!("{step}")).map_err(|e| e.to_string())?;
    println!(
        "root-cause classifier: {} cases, {} samples, {} features, temperature {:.2}, unknown below {:.2}",
        report.cases, report.samples, report.features, report.temperature, report.abstain_below
    );
    println!("on cases left out, by template:\n{}", report.metrics.table());
    let pipeline = Pipeline::load(&sources);
    let cases = train::read_corpus(&corpus).map_err(|e| e.to_string())?;
    let ranking = train_actions::actions(&mut models, &sources.models.join("actions"), &cases, &pipeline)
        .map_err(|e| e.to_string())?;
    println!(
        "action ranker: {} judged cases; on cases left out recall@6 {:.3}, MRR {:.3} (a dictionary by root cause: {:.3}, {:.3})",
        ranking.cases, ranking.recall, ranking.reciprocal_rank, ranking.dictionary.0, ranking.dictionary.1
    );
    Ok(())
}
