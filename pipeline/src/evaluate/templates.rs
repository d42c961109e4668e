//! Template mining against hand-made templates, as in the loghub-2k samples: `NAME/NAME_2k.log` with
//! `NAME/NAME_2k.log_structured.csv`.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use serde::Serialize;

use crate::logs::digest::Collector;
use crate::redact::Redactor;

/// Quality on one log. Rates are from 0 to 1.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub struct Scores {
    /// Grouping accuracy: share of the lines whose group holds exactly the lines of their true group (Zhu et al., "Tools
    /// and Benchmarks for Automated Log Parsing", ICSE 2019).
    pub grouping: f64,
    /// F1 over groups instead of lines, so that rare templates count as much (Jiang et al., "LILAC", FSE 2024).
    pub grouping_f1: f64,
    /// Parsing accuracy: share of the lines whose template has the same constant words as the true one.
    pub parsing: f64,
}

/// One sample, once from raw lines and once from their contents without headers.
#[derive(Debug, Clone, Serialize)]
pub struct Sample {
    /// Name of the sample.
    pub name: String,
    /// From the raw lines, as a bot gets them.
    pub raw: Scores,
    /// From the contents, headers cut off by hand.
    pub content: Scores,
}

/// Measures all samples below `folder`.
///
/// # Errors
/// When a file cannot be read or is not what its name says.
pub fn measure(folder: &Path) -> Result<Vec<Sample>, String> {
    let entries = std::fs::read_dir(folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    let mut names: Vec<String> =
        entries.flatten().filter(|e| e.path().is_dir()).map(|e| e.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names.iter().map(|name| sample(&folder.join(name), name)).collect()
}

fn sample(folder: &Path, name: &str) -> Result<Sample, String> {
    let log = super::read(&folder.join(format!("{name}_2k.log")))?;
    let truth = super::read(&folder.join(format!("{name}_2k.log_structured.csv")))?;
    let rows = columns(&truth, ["Content", "EventId", "EventTemplate"]).map_err(|e| format!("{name}: {e}"))?;
    let raw: Vec<&str> = log.lines().collect();
    if raw.len() != rows.len() {
        return Err(format!("{name}: {} lines, but {} of them have a template", raw.len(), rows.len()));
    }
    let contents: Vec<&str> = rows.iter().map(|row| row[0].as_str()).collect();
    Ok(Sample { name: name.to_owned(), raw: score(&raw, &rows), content: score(&contents, &rows) })
}

/// These columns of a CSV file, row by row.
fn columns(text: &str, names: [&str; 3]) -> Result<Vec<[String; 3]>, String> {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let header = reader.headers().map_err(|e| e.to_string())?.clone();
    let place = |name: &str| header.iter().position(|h| h == name).ok_or_else(|| format!("there is no column {name}"));
    let places = [place(names[0])?, place(names[1])?, place(names[2])?];
    reader
        .records()
        .map(|row| row.map(|row| places.map(|at| row.get(at).unwrap_or("").to_owned())).map_err(|e| e.to_string()))
        .collect()
}

#[allow(clippy::cast_precision_loss)] // counts of lines
fn score(lines: &[&str], truth: &[[String; 3]]) -> Scores {
    let mut collector = Collector::new(Redactor::new()).with_places();
    lines.iter().for_each(|line| collector.push(line));
    let digest = collector.finish();
    let found = digest.group_of_lines();
    let mut by_found: BTreeMap<Option<usize>, Vec<usize>> = BTreeMap::new();
    let mut by_truth: HashMap<&str, Vec<usize>> = HashMap::new();
    for (line, row) in truth.iter().enumerate() {
        by_found.entry(found[line]).or_default().push(line);
        by_truth.entry(&row[1]).or_default().push(line);
    }
    let exact: Vec<&Vec<usize>> = by_found.values().filter(|g| by_truth.values().any(|t| t == *g)).collect();
    let lines_right: usize = exact.iter().map(|group| group.len()).sum();
    let parsed = truth.iter().zip(&found).filter(|(row, group)| {
        group.is_some_and(|group| constant_words(&digest.templates[group]) == constant_words(&row[2]))
    });
    Scores {
        grouping: lines_right as f64 / truth.len().max(1) as f64,
        grouping_f1: 2.0 * exact.len() as f64 / (by_found.len() + by_truth.len()).max(1) as f64,
        parsing: parsed.count() as f64 / truth.len().max(1) as f64,
    }
}

/// A template without its variables, whatever they are called, and without spaces: what is left is what it says.
fn constant_words(template: &str) -> String {
    let mut out = String::new();
    let mut rest = template;
    while let Some(start) = rest.find('<') {
        let Some(end) = rest[start..].find('>') else { break };
        let inner = &rest[start + 1..start + end];
        let variable = inner == "*" || (!inner.is_empty() && inner.bytes().all(|b| b.is_ascii_lowercase()));
        out.push_str(&rest[..start]);
        if !variable {
            out.push_str(&rest[start..=start + end]);
        }
        rest = &rest[start + end + 1..];
    }
    out.push_str(rest);
    out.retain(char::is_alphanumeric);
    out
}

/// The mean over samples.
#[must_use]
#[allow(clippy::cast_precision_loss)] // a handful
pub fn mean(samples: &[Sample], which: impl Fn(&Sample) -> f64) -> f64 {
    samples.iter().map(which).sum::<f64>() / samples.len().max(1) as f64
}
