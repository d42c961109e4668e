//! Gzip: one member, or several after one another.

use std::io::{BufRead, ErrorKind, Read};

use flate2::bufread::GzDecoder;

/// Most members that are read, of all gzips of a file together. To begin one takes a few microseconds, also if it is empty,
/// and twenty bytes are enough for one.
const MEMBERS: usize = 65_536;

/// What may still be unpacked.
pub struct Allowance {
    /// Members of gzips.
    pub members: usize,
    /// Bytes that come out of a zip and are compressed once more: they are no text yet, so the text does not limit them.
    pub inner: u64,
}

impl Allowance {
    /// `inner` as in [`Allowance::inner`].
    pub fn new(inner: u64) -> Self {
        Self { members: MEMBERS, inner }
    }
}

/// The content of all members. flate2 has this, too, but reads as many members as there are.
pub struct Members<'a, R> {
    current: Option<GzDecoder<R>>,
    left: &'a mut usize,
}

impl<'a, R: BufRead> Members<'a, R> {
    /// Begins to read. `left` is how many members may follow the first one.
    pub fn new(source: R, left: &'a mut usize) -> Self {
        Self { current: Some(GzDecoder::new(source)), left }
    }
}

impl<R: BufRead> Read for Members<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        while let Some(mut decoder) = self.current.take() {
            let read = decoder.read(buffer)?;
            if read > 0 || buffer.is_empty() {
                self.current = Some(decoder);
                return Ok(read);
            }
            let mut source = decoder.into_inner();
            if source.fill_buf()?.is_empty() {
                break;
            }
            *self.left = self.left.checked_sub(1).ok_or(ErrorKind::QuotaExceeded)?;
            self.current = Some(GzDecoder::new(source));
        }
        Ok(0)
    }
}
