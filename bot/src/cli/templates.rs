//! `clew templates`: which lines are prints of one statement.

use std::fmt::Write as _;
use std::path::PathBuf;

use clap::Args;
use clew_pipeline::Pipeline;
use serde_json::json;

use super::{BAD_INPUT, VERDICT, input, refuse};

/// Print the template of every line, and the templates with their counts
#[derive(Debug, Args)]
pub struct Arguments {
    /// Log file; `-` for standard input
    #[arg(default_value = "-")]
    file: PathBuf,
    /// Print JSON: `lines` (the template id of each line, null for empty ones) and `templates` (id, template, count)
    #[arg(long)]
    json: bool,
}

/// Mines and prints.
pub fn run(arguments: &Arguments) -> u8 {
    let digest = match input::read(&arguments.file, Pipeline::reader().with_places()) {
        Ok(digest) => digest,
        Err(message) => return refuse(&message, BAD_INPUT),
    };
    let lines = digest.group_of_lines();
    let templates = digest.templates.iter().zip(&digest.groups).enumerate();
    if arguments.json {
        let templates: Vec<_> =
            templates.map(|(id, (text, group))| json!({ "id": id, "template": text, "count": group.count })).collect();
        println!("{}", json!({ "lines": lines, "templates": templates }));
        return VERDICT;
    }
    let mut out = format!("{} templates\n", digest.templates.len());
    let mut by_count: Vec<_> = templates.collect();
    by_count.sort_by_key(|(_, (_, group))| std::cmp::Reverse(group.count));
    for (id, (text, group)) in by_count {
        let _ = writeln!(out, "{id:>6}  {:>8} x  {text}", group.count); // writing to a String cannot fail
    }
    out.push_str("\ntemplate of each line\n");
    for (number, id) in lines.iter().enumerate() {
        let id = id.map_or("-".to_owned(), |id| id.to_string());
        let _ = writeln!(out, "{:>8}  {id}", number + 1);
    }
    print!("{out}");
    VERDICT
}
