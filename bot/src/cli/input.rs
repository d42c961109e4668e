//! Reads logs from a file or standard input, line by line, in bounded memory.

use std::fs::File;
use std::io::{self, BufRead, BufReader, IsTerminal, Read};
use std::path::Path;

use clew_pipeline::logs::clean::looks_binary;
use clew_pipeline::logs::digest::{Collector, Digest};
use indicatif::{ProgressBar, ProgressStyle};

/// Bytes of one line that are kept; the analysis looks at fewer.
const MAX_LINE: usize = 64 * 1024;
/// Inputs from this size on show their progress, in bytes.
const SHOW_PROGRESS_FROM: u64 = 8 << 20;
/// Progress is drawn every so many lines.
const PROGRESS_EVERY: usize = 4_096;

/// Feeds `path` (`-` is standard input) to `collector`.
///
/// # Errors
/// A message that names the input, what is wrong with it, and the remedy.
pub fn read(path: &Path, mut collector: Collector) -> Result<Digest, String> {
    feed(path, &mut collector)?;
    Ok(collector.finish())
}

/// Feeds `path` (`-` is standard input) to `collector`, which can take more afterwards.
///
/// # Errors
/// As [`read`].
pub fn feed(path: &Path, collector: &mut Collector) -> Result<(), String> {
    let name = if path == Path::new("-") { "standard input".to_owned() } else { path.display().to_string() };
    let error = |e: io::Error| format!("{name}: {e}");
    let (reader, size): (Box<dyn Read>, Option<u64>) = if path == Path::new("-") {
        if io::stdin().is_terminal() {
            eprintln!(
                "Reading from the terminal: paste the log, then press Ctrl-D. (`clew triage FILE` reads a file.)"
            );
        }
        (Box::new(io::stdin().lock()), None)
    } else {
        let file = File::open(path).map_err(error)?;
        let metadata = file.metadata().map_err(error)?;
        if metadata.is_dir() {
            return Err(format!(
                "{name}: this is a folder; name a file, or pipe several: cat FOLDER/*.log | clew triage -"
            ));
        }
        (Box::new(file), Some(metadata.len()))
    };
    let mut reader = BufReader::with_capacity(1 << 16, reader);
    let head = reader.fill_buf().map_err(error)?;
    if looks_binary(head) {
        return Err(format!(
            "{name}: this is no text (compressed or binary). Decompress it first, e.g. zcat FILE | clew triage -"
        ));
    }
    let progress = progress(size);
    let mut line = Vec::new();
    let mut lines = 0_usize;
    let mut bytes = 0_u64;
    while let Some(length) = next_line(&mut reader, &mut line).map_err(error)? {
        bytes += length;
        lines += 1;
        collector.push(&String::from_utf8_lossy(&line));
        if lines.is_multiple_of(PROGRESS_EVERY) {
            progress.set_position(bytes);
        }
    }
    progress.finish_and_clear();
    Ok(())
}

/// Reads one line into `line` without its end, cut after [`MAX_LINE`] bytes. Returns the bytes consumed, `None` at the end.
fn next_line(reader: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<Option<u64>> {
    line.clear();
    let mut consumed = 0;
    loop {
        let buffer = reader.fill_buf()?;
        if buffer.is_empty() {
            return Ok((consumed > 0).then_some(consumed));
        }
        let end = buffer.iter().position(|b| *b == b'\n');
        let piece = &buffer[..end.unwrap_or(buffer.len())];
        let room = MAX_LINE.saturating_sub(line.len());
        line.extend_from_slice(&piece[..piece.len().min(room)]);
        let used = piece.len() + usize::from(end.is_some());
        reader.consume(used);
        consumed += used as u64;
        if end.is_some() {
            return Ok(Some(consumed));
        }
    }
}

fn progress(size: Option<u64>) -> ProgressBar {
    if !io::stderr().is_terminal() || size.is_some_and(|size| size < SHOW_PROGRESS_FROM) {
        return ProgressBar::hidden();
    }
    let Some(size) = size else {
        let bar = ProgressBar::new_spinner();
        return bar.with_style(style("{spinner} {bytes} read, {bytes_per_sec}"));
    };
    ProgressBar::new(size).with_style(style("{bar:30} {bytes} of {total_bytes}, {eta} left"))
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_any_length_is_cut_and_the_next_one_is_whole() {
        let text = format!("{}\nnext\nlast", "x".repeat(3 * MAX_LINE));
        let mut reader = BufReader::new(text.as_bytes());
        let mut line = Vec::new();
        let mut lengths = Vec::new();
        while let Ok(Some(_)) = next_line(&mut reader, &mut line) {
            lengths.push(line.len());
        }
        assert_eq!(lengths, [MAX_LINE, 4, 4]);
    }
}
