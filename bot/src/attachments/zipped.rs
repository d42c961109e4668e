//! Logs in a zip.

use std::io::{BufReader, Cursor, ErrorKind, Read};

use zip::read::{Config, ZipFileEntry};
// The stable `ZipArchive` keeps a table of all entries, as large as the file claims: some gigabytes, if it lies.
use zip::unstable::read::ZipIterable;
use zip::{CompressionMethod, ZipReadOptions};

use super::gzip::{Allowance, Members};
use super::text::{self, Full, Source, Text};
use super::{Kind, MAX_FILE, Notes, Unreadable, kind, may_hold_logs, shown, too_long};

/// Most files that are read.
const READ: usize = 100;
/// Most entries that are looked at, to find those.
const LOOKED_AT: usize = 10_000;
/// What is said about how to cut a zip.
const REMEDY: &str = "unzip -p FILE | tail -n 100000";

/// The text of the files in a zip, in the order of their names.
pub fn read(name: &str, bytes: &[u8], text: &mut Text, notes: &mut Notes) -> Result<(), Unreadable> {
    let damaged = || Unreadable(format!("{} is a zip that is damaged or not complete: drop it again", shown(name)));
    let mut archive = ZipIterable::try_new(Cursor::new(bytes), Config::default()).map_err(|_| damaged())?;
    let (total, mut entries) = (archive.len(), Vec::new());
    for entry in archive.files().map_err(|_| damaged())?.take(LOOKED_AT) {
        // After a damaged entry nobody knows where the next one begins.
        let Ok(entry) = entry else {
            notes.add(format!("the list of files in {} is damaged: some are missing", shown(name)));
            break;
        };
        let path = entry.name().map_or_else(|_| String::from_utf8_lossy(entry.name_raw()).into_owned(), String::from);
        if entry.is_file() && !is_hidden(&path) {
            entries.push((path, entry));
        }
    }
    if total > LOOKED_AT {
        notes.add(format!("{} holds {total} entries: only the first {LOOKED_AT} were looked at", shown(name)));
    }
    let (mut logs, others): (Vec<_>, Vec<_>) = entries.into_iter().partition(|(path, _)| may_hold_logs(path));
    logs.sort_by(|(a, _), (b, _)| a.cmp(b));
    if logs.len() > READ {
        notes.add(format!("{} holds {} files: only the first {READ} by name were read", shown(name), logs.len()));
    }
    // What is compressed already gets no smaller in a zip, so it is not larger than the zip.
    let mut allowance = Allowance::new(MAX_FILE);
    let mut packed = 0_u64;
    for (path, entry) in logs.into_iter().take(READ) {
        // Files that lie one upon another would have the same bytes read a hundred times.
        let sum = packed.saturating_add(entry.compressed_size());
        if sum > bytes.len() as u64 {
            notes.add(format!("{} is damaged: skipped", shown(&path)));
            continue;
        }
        packed = sum;
        one(&path, entry, bytes, &mut allowance, text, notes).map_err(|Full| too_long(name, REMEDY))?;
    }
    for (path, _) in others {
        notes.add(format!("{} is no log: skipped", shown(&path)));
    }
    Ok(())
}

/// What systems and programs leave in a zip for themselves.
fn is_hidden(path: &str) -> bool {
    let is_hidden = |part: &str| part == "__MACOSX" || (part.starts_with('.') && part != "." && part != "..");
    path.split(['/', '\\']).any(is_hidden)
}

/// The text of one file.
fn one(
    path: &str,
    entry: ZipFileEntry<'_>,
    bytes: &[u8],
    allowance: &mut Allowance,
    text: &mut Text,
    notes: &mut Notes,
) -> Result<(), Full> {
    let shown = shown(path);
    if entry.encrypted() {
        notes.add(format!("{shown} has a password: skipped; zip it without one"));
        return Ok(());
    }
    if !matches!(entry.compression(), CompressionMethod::Stored | CompressionMethod::Deflated) {
        notes.add(format!("{shown} is compressed in a way that is not read here: skipped; zip it with deflate"));
        return Ok(());
    }
    let mut cursor = Cursor::new(bytes);
    let Ok(file) = entry.with_reader(&mut cursor, ZipReadOptions::new()) else {
        notes.add(format!("{shown} is damaged: skipped"));
        return Ok(());
    };
    let mut source = Source::new(file);
    let end = match kind(source.head()) {
        Kind::Text => text::copy(&mut source, text)?,
        Kind::Gzip => {
            let Allowance { members, inner } = allowance;
            let counted = BufReader::new(Counted { source, left: &mut *inner });
            let mut unpacked = Source::new(Members::new(counted, members));
            let Kind::Text = kind(unpacked.head()) else {
                notes.add(format!("{shown} holds no text, but another archive or a binary file: skipped"));
                return Ok(());
            };
            let end = text::copy(&mut unpacked, text)?;
            if *inner == 0 {
                return Err(Full);
            }
            end
        }
        Kind::Zip => {
            notes.add(format!("{shown} is a zip in a zip: skipped; unpack it and drop what is in it"));
            return Ok(());
        }
        Kind::Other(what) => {
            notes.add(format!("{shown} is no log, it is {what}: skipped"));
            return Ok(());
        }
    };
    notes.end(&shown, end);
    Ok(())
}

/// A stream that breaks when too much came out of it.
struct Counted<'a, R> {
    source: R,
    left: &'a mut u64,
}

impl<R: Read> Read for Counted<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if *self.left == 0 {
            return Err(ErrorKind::QuotaExceeded.into());
        }
        let most = usize::try_from(*self.left).unwrap_or(usize::MAX).min(buffer.len());
        let read = self.source.read(&mut buffer[..most])?;
        *self.left -= read as u64;
        Ok(read)
    }
}
