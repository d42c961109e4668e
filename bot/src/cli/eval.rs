//! `clew eval`: quality, measured on public and shared data.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use clap::Args;
use clew_pipeline::evaluate::{Metrics, Outcome, anomalies, read_cases, retrieval, templates};
use clew_pipeline::{Context, Pipeline};
use serde_json::{Value, json};

use super::{BAD_INPUT, FAILED, VERDICT, refuse};
use crate::app::sources;
use crate::config::Config;

/// Samples below `loghub/` in which nothing is labelled as an alert and little went wrong: what is flagged there is noise.
const QUIET: [&str; 4] = ["Android", "HDFS", "HealthApp", "OpenStack"];

/// Measure the analysis: root causes, templates, anomalies, retrieval
#[derive(Debug, Args)]
pub struct Arguments {
    /// Measure root causes only, on this file: one case a line, {"id", "logs": […], "label", "`also_ok`": […], "difficulty"}
    file: Option<PathBuf>,
    /// Folder with `eval/rootcause_dev.jsonl` and `loghub/`; what is not there is not measured
    #[arg(long, default_value = "../shared", value_name = "DIR")]
    data: PathBuf,
    /// Print the figures as JSON
    #[arg(long)]
    json: bool,
    /// Also print every wrong root cause
    #[arg(long)]
    wrong: bool,
}

/// Measures and prints.
pub fn run(arguments: &Arguments, config: &Config) -> u8 {
    let sources = sources(config);
    let pipeline = Pipeline::load(&sources);
    if !pipeline.is_ready() {
        let why = pipeline.skipped().into_iter().map(|s| s.why).collect::<Vec<_>>().join("; ");
        return refuse(&why, FAILED);
    }
    let done = match &arguments.file {
        Some(file) => root_causes(file, &pipeline, arguments),
        None => everything(&pipeline, &sources.models, arguments),
    };
    match done {
        Ok(figures) if arguments.json => {
            println!("{}", serde_json::to_string_pretty(&figures).unwrap_or_default());
            VERDICT
        }
        Ok(_) => VERDICT,
        Err(message) => refuse(&message, BAD_INPUT),
    }
}

fn root_causes(file: &Path, pipeline: &Pipeline, arguments: &Arguments) -> Result<Value, String> {
    let cases = read_cases(file)?;
    if cases.is_empty() {
        return Err(format!("{}: no case in it", file.display()));
    }
    let outcomes: Vec<Outcome> = cases
        .iter()
        .map(|case| {
            Outcome::of_triage(case, &pipeline.triage(case.logs.iter().map(String::as_str), &Context::default()))
        })
        .collect();
    let metrics = Metrics::of(&outcomes);
    if !arguments.json {
        print!("{}", metrics.table());
        for outcome in outcomes.iter().filter(|outcome| arguments.wrong && !outcome.right()) {
            println!("{}  is {}, said {} ({:.2})", outcome.id, outcome.label, outcome.said, outcome.confidence);
        }
    }
    serde_json::to_value(&metrics).map_err(|e| e.to_string())
}

fn everything(pipeline: &Pipeline, models: &Path, arguments: &Arguments) -> Result<Value, String> {
    let mut figures = json!({});
    let say = |text: String| {
        if !arguments.json {
            println!("{text}");
        }
    };
    let cases = arguments.data.join("eval/rootcause_dev.jsonl");
    if cases.exists() {
        say(format!("ROOT CAUSES, {}", cases.display()));
        figures["root_causes"] = root_causes(&cases, pipeline, arguments)?;
    } else {
        say(format!("ROOT CAUSES: not measured, there is no {}; name a file or --data", cases.display()));
    }
    let loghub = arguments.data.join("loghub");
    if loghub.exists() {
        let samples = templates::measure(&loghub)?;
        say(template_table(&samples));
        figures["templates"] = json!(samples);
        let (text, anomalies) = anomaly_figures(&loghub)?;
        say(text);
        figures["anomalies"] = anomalies;
    } else {
        say(format!("\nTEMPLATES, ANOMALIES: not measured, there is no {}", loghub.display()));
    }
    let queries = models.join("evaluation/queries.jsonl");
    if let (true, Some(embedder)) = (queries.exists(), pipeline.embedder()) {
        let report = retrieval::measure(&retrieval::read_queries(&queries)?, &pipeline.knowledge(), embedder)?;
        say(retrieval_table(&report));
        figures["retrieval"] = json!(report);
    }
    Ok(figures)
}

fn template_table(samples: &[templates::Sample]) -> String {
    let row = |name: &str, raw: templates::Scores, content: templates::Scores| {
        let figures = |s: templates::Scores| format!("{:.3}  {:.3}  {:.3}", s.grouping, s.grouping_f1, s.parsing);
        format!("\n  {name:<12}  {}    {}", figures(raw), figures(content))
    };
    let mean = |which: fn(&templates::Sample) -> templates::Scores| templates::Scores {
        grouping: templates::mean(samples, |s| which(s).grouping),
        grouping_f1: templates::mean(samples, |s| which(s).grouping_f1),
        parsing: templates::mean(samples, |s| which(s).parsing),
    };
    let mut table = "\nTEMPLATES       raw lines              contents without headers\n                GA     FGA    PA       GA     FGA    PA".to_owned();
    samples.iter().for_each(|sample| table.push_str(&row(&sample.name, sample.raw, sample.content)));
    table + &row("mean", mean(|s| s.raw), mean(|s| s.content))
}

fn anomaly_figures(loghub: &Path) -> Result<(String, Value), String> {
    let mut text = "\nANOMALIES, windows of 200 lines".to_owned();
    let mut figures = json!({});
    let log = |name: &str| loghub.join(name).join(format!("{name}_2k.log"));
    if log("BGL").exists() {
        let scores = anomalies::labelled(&log("BGL"))?;
        let (precision, recall, f1) = (scores.precision, scores.recall, scores.f1);
        // Writing to a String cannot fail, here and below.
        let _ = write!(text, "\n  BGL           precision {precision:.3}  recall {recall:.3}  F1 {f1:.3}");
        figures["BGL"] = json!(scores);
    }
    for name in QUIET.iter().filter(|name| log(name).exists()) {
        let share = anomalies::flagged_share(&log(name))?;
        let _ = write!(text, "\n  {name:<12}  {:.2} % of lines flagged", share * 100.0);
        figures[*name] = json!({ "flagged": share });
    }
    Ok((text, figures))
}

fn retrieval_table(report: &retrieval::Report) -> String {
    let mut table = format!("\nRETRIEVAL, {} queries      R@1    R@3    MRR", report.queries);
    for (name, scores) in [
        ("hybrid", report.hybrid),
        ("embeddings alone", report.dense),
        ("BM25 alone", report.lexical),
        ("reciprocal rank fusion", report.rank_fusion),
    ] {
        let (first, third, rank) = (scores.recall_1, scores.recall_3, scores.reciprocal_rank);
        let _ = write!(table, "\n  {name:<24}  {first:.3}  {third:.3}  {rank:.3}");
    }
    table
}
