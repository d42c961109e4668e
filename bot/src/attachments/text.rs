//! Bytes to text, a buffer at a time: a stream is as long as it likes, the text is not.

use std::io::{ErrorKind, Read};

use super::{MAX_TEXT, SAMPLE};

/// Bytes that are decoded at once.
const BUFFER: usize = 64 * 1_024;

/// There is more text than [`MAX_TEXT`].
#[derive(Debug)]
pub struct Full;

/// Text that does not outgrow [`MAX_TEXT`].
#[derive(Default)]
pub struct Text {
    text: String,
    /// Whether another text stands before what is added next.
    is_between: bool,
}

impl Text {
    /// The next text begins: on a line of its own.
    pub fn next_part(&mut self) {
        self.is_between = !self.text.is_empty() && !self.text.ends_with('\n');
    }

    /// All of it.
    pub fn into_string(self) -> String {
        self.text
    }

    fn push(&mut self, piece: &str) -> Result<(), Full> {
        if piece.is_empty() {
            return Ok(());
        }
        let between = usize::from(self.is_between);
        let length = self.text.len() + between + piece.len();
        if length > MAX_TEXT {
            return Err(Full);
        }
        if length > self.text.capacity() {
            // A string that grows by itself doubles, which would be beyond the limit.
            let room = length.max(self.text.capacity() * 2).min(MAX_TEXT);
            self.text.reserve_exact(room - self.text.len());
        }
        if self.is_between {
            self.text.push('\n');
            self.is_between = false;
        }
        self.text.push_str(piece);
        Ok(())
    }
}

/// How a stream ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// As it should.
    Whole,
    /// Too early.
    Cut,
    /// With something that cannot be read.
    Damaged,
    /// With more parts than are read.
    TooMany,
}

impl From<ErrorKind> for End {
    fn from(kind: ErrorKind) -> Self {
        match kind {
            ErrorKind::UnexpectedEof => Self::Cut,
            ErrorKind::QuotaExceeded => Self::TooMany,
            _ => Self::Damaged,
        }
    }
}

/// A stream whose beginning was looked at. What broke once stays broken.
pub struct Source<R> {
    head: Vec<u8>,
    read: usize,
    rest: R,
    broken: Option<ErrorKind>,
}

impl<R: Read> Source<R> {
    /// Reads the beginning of a stream.
    pub fn new(mut rest: R) -> Self {
        let mut head = vec![0; SAMPLE];
        let (filled, end) = fill(&mut rest, &mut head, 0);
        head.truncate(filled);
        let broken = match end {
            Some(Err(kind)) => Some(kind),
            _ => None,
        };
        Self { head, read: 0, rest, broken }
    }

    /// The beginning.
    pub fn head(&self) -> &[u8] {
        &self.head
    }
}

impl<R: Read> Read for Source<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let mut left = &self.head[self.read..];
        if !left.is_empty() {
            let read = left.read(buffer)?;
            self.read += read;
            return Ok(read);
        }
        if let Some(kind) = self.broken {
            return Err(kind.into());
        }
        self.rest.read(buffer).inspect_err(|error| self.broken = Some(error.kind()))
    }
}

/// Reads until `buffer`, which holds `filled` bytes, is full or the stream ends: how many bytes are in it now, and how the
/// stream ended if it did.
fn fill(source: &mut dyn Read, buffer: &mut [u8], mut filled: usize) -> (usize, Option<Result<(), ErrorKind>>) {
    while filled < buffer.len() {
        match source.read(&mut buffer[filled..]) {
            Ok(0) => return (filled, Some(Ok(()))),
            Ok(read) => filled += read,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return (filled, Some(Err(error.kind()))),
        }
    }
    (filled, None)
}

/// Adds all that `source` holds, decoded.
pub fn copy(source: &mut dyn Read, text: &mut Text) -> Result<End, Full> {
    let mut buffer = vec![0; BUFFER];
    let (mut filled, mut end) = fill(source, &mut buffer, 0);
    let (encoding, mut from) = Encoding::of(&buffer[..filled]);
    text.next_part();
    loop {
        let (piece, left) = encoding.decode(&buffer[from..filled], end.is_some());
        text.push(&piece)?;
        match end {
            Some(Ok(())) => return Ok(End::Whole),
            Some(Err(kind)) => return Ok(kind.into()),
            None => {}
        }
        // A character that is not complete yet goes before what comes next.
        buffer.copy_within(filled - left..filled, 0);
        (filled, end) = fill(source, &mut buffer, left);
        from = 0;
    }
}

/// How characters are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// Also anything that is not told by a byte-order mark.
    Utf8,
    /// As Windows writes it.
    Utf16Little,
    /// The other way round.
    Utf16Big,
}

impl Encoding {
    /// The encoding of what begins so, and the length of the byte-order mark that tells it.
    pub fn of(head: &[u8]) -> (Self, usize) {
        match head {
            [0xef, 0xbb, 0xbf, ..] => (Self::Utf8, 3),
            [0xff, 0xfe, ..] => (Self::Utf16Little, 2),
            [0xfe, 0xff, ..] => (Self::Utf16Big, 2),
            _ => (Self::Utf8, 0),
        }
    }

    /// The text, with a sign in the place of what is none.
    pub fn decode_all(self, bytes: &[u8]) -> String {
        self.decode(bytes, true).0
    }

    /// The text, and how many of the last bytes are the beginning of a character that is not complete. With `is_all` there
    /// are none.
    fn decode(self, bytes: &[u8], is_all: bool) -> (String, usize) {
        let unit = match self {
            Self::Utf8 => return utf8(bytes, is_all),
            Self::Utf16Little => u16::from_le_bytes,
            Self::Utf16Big => u16::from_be_bytes,
        };
        let (pairs, odd) = bytes.as_chunks();
        let mut units: Vec<u16> = pairs.iter().map(|pair| unit(*pair)).collect();
        let mut left = odd.len();
        if !is_all {
            left += units.pop_if(|unit| (0xd800..0xdc00).contains(unit)).map_or(0, |_| 2);
        }
        let mut text = String::from_utf16_lossy(&units);
        if is_all && left > 0 {
            text.push(char::REPLACEMENT_CHARACTER);
            left = 0;
        }
        (text, left)
    }
}

fn utf8(bytes: &[u8], is_all: bool) -> (String, usize) {
    let mut text = String::with_capacity(bytes.len());
    let mut seen = 0;
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        seen += chunk.valid().len() + chunk.invalid().len();
        if chunk.invalid().is_empty() {
            continue;
        }
        if seen == bytes.len() && !is_all {
            return (text, chunk.invalid().len());
        }
        text.push(char::REPLACEMENT_CHARACTER);
    }
    (text, 0)
}
