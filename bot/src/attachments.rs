//! What is in a file that somebody dropped in a chat, as log text.
//!
//! Files come from anybody, so nothing that they claim is believed: what they are is told by their content, and how much
//! comes out of them is counted while it comes out. Pure: nothing here touches the disk or the network.

use clew_pipeline::logs::clean::{clean, looks_binary};

mod gzip;
mod text;
mod zipped;

use gzip::{Allowance, Members};
use text::{End, Full, Source, Text};

/// Largest file that is fetched, in bytes (as it is kept on the platform).
pub const MAX_FILE: u64 = 20 * MIB;
/// Most bytes of text that come out of one file, unpacked.
pub const MAX_TEXT: usize = 64 * 1_024 * 1_024;

const MIB: u64 = 1_024 * 1_024;
/// How much of a file is looked at to tell what it is.
const SAMPLE: usize = 8_192;
/// Most characters of a name that are shown.
const NAME: usize = 80;
/// Most notes about one file.
const NOTES: usize = 10;

/// Endings of files that hold no logs, whatever else they hold. An ending that nobody knows may be a log.
const NO_LOGS: &[&str] = &[
    "a", "apk", "avi", "avif", "bmp", "class", "db", "deb", "dll", "dmg", "doc", "docm", "docx", "dylib", "ear", "eot",
    "eps", "exe", "flac", "gif", "heic", "heif", "hprof", "icns", "ico", "iso", "jar", "jpeg", "jpg", "m4a", "m4v",
    "mkv", "mov", "mp3", "mp4", "mpeg", "mpg", "msi", "numbers", "o", "odp", "ods", "odt", "ogg", "otf", "pages",
    "pcap", "pcapng", "pdf", "png", "ppt", "pptx", "psd", "pyc", "rpm", "so", "sqlite", "svg", "tif", "tiff", "ttf",
    "war", "wasm", "wav", "webm", "webp", "whl", "wmv", "woff", "woff2", "xls", "xlsb", "xlsm", "xlsx",
];

/// Log text out of a file, and what could not be read of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unpacked {
    /// The text.
    pub text: String,
    /// Sentences about what was left out.
    pub notes: Vec<String>,
}

/// Why a file cannot be read: a sentence for the person who dropped it, with the limit and the remedy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unreadable(pub String);

/// Whether a file of this name may hold logs. Archives that cannot be read may: whoever drops one shall hear why.
#[must_use]
pub fn may_hold_logs(name: &str) -> bool {
    !NO_LOGS.contains(&ending(name).as_str())
}

/// What stands behind the last dot of a name, in lower case.
fn ending(name: &str) -> String {
    let (_, file) = name.rsplit_once(['/', '\\']).unwrap_or(("", name));
    file.rsplit_once('.').map_or_else(String::new, |(_, ending)| ending.to_ascii_lowercase())
}

/// The text in a file.
///
/// # Errors
/// When there is none, or too much of it.
pub fn unpack(name: &str, bytes: &[u8]) -> Result<Unpacked, Unreadable> {
    let shown = shown(name);
    if bytes.is_empty() {
        return Err(Unreadable(format!("{shown} is empty: not one byte of it arrived; drop it again")));
    }
    if bytes.len() as u64 > MAX_FILE {
        return Err(too_large(name, bytes.len() as u64));
    }
    let mut text = Text::default();
    let mut notes = Notes::default();
    match kind(bytes) {
        Kind::Text if is_web_page(name, bytes) => {
            return Err(Unreadable(format!(
                "{shown}: the platform answered with a web page instead of the file: does the app have the right to read \
                 files?"
            )));
        }
        Kind::Text => {
            let mut bytes = bytes;
            text::copy(&mut bytes, &mut text).map_err(|Full| too_long(name, "tail -n 100000 FILE"))?;
        }
        Kind::Gzip => gunzip(name, bytes, &mut text, &mut notes)?,
        // A document of an office suite is a zip, too.
        Kind::Zip if may_hold_logs(name) => zipped::read(name, bytes, &mut text, &mut notes)?,
        Kind::Zip => return Err(no_text(&shown, "a document or a program")),
        Kind::Other(what) => return Err(no_text(&shown, what)),
    }
    let (text, notes) = (text.into_string(), notes.into_list());
    if text.trim().is_empty() {
        let why = if notes.is_empty() { "nothing but blanks is in it".into() } else { notes.join("; ") };
        return Err(Unreadable(format!("{shown} holds no text that can be read: {why}")));
    }
    Ok(Unpacked { text, notes })
}

/// What is said about a file that is not even fetched.
#[must_use]
pub fn too_large(name: &str, bytes: u64) -> Unreadable {
    Unreadable(format!(
        "{} has {} MiB, and files of up to {} MiB are read: cut out the part around the failure, e.g. `{}`, or compress it \
         with gzip",
        shown(name),
        bytes.div_ceil(MIB),
        MAX_FILE / MIB,
        command(name, "tail -n 100000 FILE > part.log"),
    ))
}

fn too_long(name: &str, remedy: &str) -> Unreadable {
    Unreadable(format!(
        "{} holds more than {} MiB of text unpacked (a decompression bomb, or simply too long): cut out the part around the \
         failure, e.g. `{}`",
        shown(name),
        MAX_TEXT as u64 / MIB,
        command(name, remedy),
    ))
}

fn no_text(shown: &str, what: &str) -> Unreadable {
    Unreadable(format!("{shown} is no log: it is {what}; drop the log as text, .gz or .zip"))
}

/// What some bytes are, by how they begin.
enum Kind {
    Text,
    Gzip,
    Zip,
    /// Something that is not read, in words.
    Other(&'static str),
}

fn kind(head: &[u8]) -> Kind {
    const OTHERS: &[(&[u8], &str)] = &[
        (b"\x28\xb5\x2f\xfd", "compressed with zstd, which is not read here"),
        (b"BZh", "compressed with bzip2, which is not read here"),
        (b"\xfd7zXZ\0", "compressed with xz, which is not read here"),
        (b"7z\xbc\xaf\x27\x1c", "a 7z archive, which is not read here"),
        (b"Rar!\x1a\x07", "a rar archive, which is not read here"),
        (b"%PDF-", "a PDF document"),
        (b"\x89PNG", "a picture"),
        (b"\xff\xd8\xff", "a picture"),
        (b"GIF8", "a picture"),
        (b"SQLite format 3\0", "a database"),
    ];
    if head.starts_with(b"\x1f\x8b") {
        return Kind::Gzip;
    }
    // The second one is a zip without entries.
    if head.starts_with(b"PK\x03\x04") || head.starts_with(b"PK\x05\x06") {
        return Kind::Zip;
    }
    if let Some((_, what)) = OTHERS.iter().find(|(magic, _)| head.starts_with(magic)) {
        return Kind::Other(what);
    }
    // The first header of a tar is text enough to pass for a log.
    if head.get(257..262) == Some(b"ustar".as_slice()) {
        return Kind::Other("a tar archive, which is not read here");
    }
    let sample = &head[..head.len().min(SAMPLE)];
    let is_binary = match text::Encoding::of(sample) {
        (text::Encoding::Utf8, _) => looks_binary(sample),
        // Half of the bytes of UTF-16 are NULs, but not half of its characters.
        (encoding, mark) => looks_binary(encoding.decode_all(&sample[mark..]).as_bytes()),
    };
    if is_binary { Kind::Other("a binary file") } else { Kind::Text }
}

fn is_web_page(name: &str, bytes: &[u8]) -> bool {
    if matches!(ending(name).as_str(), "html" | "htm") {
        return false;
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes).trim_ascii_start();
    let begins = |with: &[u8]| bytes.get(..with.len()).is_some_and(|head| head.eq_ignore_ascii_case(with));
    begins(b"<!doctype html") || begins(b"<html")
}

/// The text in a file that was compressed with gzip, in one go or in several.
fn gunzip(name: &str, bytes: &[u8], text: &mut Text, notes: &mut Notes) -> Result<(), Unreadable> {
    let shown = shown(name);
    let mut allowance = Allowance::new(0);
    let mut source = Source::new(Members::new(bytes, &mut allowance.members));
    match kind(source.head()) {
        Kind::Text => {}
        Kind::Gzip | Kind::Zip => {
            return Err(Unreadable(format!("{shown} holds another archive: unpack it once and drop what is in it")));
        }
        Kind::Other(what) => return Err(no_text(&shown, &format!("compressed, and inside it is {what}"))),
    }
    let end = text::copy(&mut source, text).map_err(|Full| too_long(name, "zcat FILE | tail -n 100000"))?;
    notes.end(&shown, end);
    Ok(())
}

/// What is said besides the text. Only the first are kept: a zip can hold any number of files.
#[derive(Default)]
struct Notes {
    list: Vec<String>,
    more: usize,
}

impl Notes {
    fn add(&mut self, note: String) {
        if self.list.len() < NOTES {
            self.list.push(note);
        } else {
            self.more += 1;
        }
    }

    fn end(&mut self, shown: &str, end: End) {
        match end {
            End::Whole => {}
            End::Cut => self.add(format!("{shown} is cut off: what came before was read")),
            End::Damaged => self.add(format!("{shown} is damaged: only what stands before the damage was read")),
            End::TooMany => self.add(format!("{shown} is made of too many parts: only the first ones were read")),
        }
    }

    fn into_list(mut self) -> Vec<String> {
        if self.more > 0 {
            self.list.push(format!("{} more notes like these", self.more));
        }
        self.list
    }
}

/// A name as people may see it: one line, no tricks, not too long.
fn shown(name: &str) -> String {
    let name = clean(name);
    let name = name.trim();
    if name.is_empty() {
        return "the file".into();
    }
    if name.chars().count() <= NAME {
        return name.into();
    }
    name.chars().take(NAME - 1).chain(['…']).collect()
}

/// A command with the name in it. People paste commands into a shell, so only a name that means nothing there goes in.
fn command(name: &str, command: &str) -> String {
    let is_harmless = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    let fits = !name.is_empty() && name.len() <= NAME && !name.starts_with('-') && name.chars().all(is_harmless);
    if fits { command.replace("FILE", name) } else { command.into() }
}

#[cfg(test)]
mod tests;
