//! The bytes of a split.

use std::io::Read;
use std::path::Path;

use flate2::read::{MultiGzDecoder, ZlibDecoder};
use flott_types::{Error, Result};

use crate::{Compression, FileSplit, Position, storage};

/// So much is read from a file at once.
const CHUNK: usize = 256 << 10;

/// The bytes of a split, uncompressed, from where they were read to last.
///
/// The caller takes bytes off the front with [`SplitInput::consume`], in whole records, and asks for more with
/// [`SplitInput::fill`] when there is no whole record left.
pub struct SplitInput {
    split: FileSplit,
    input: Box<dyn Read + Send>,
    /// Bytes read and not consumed: `buffer[start..]`.
    buffer: Vec<u8>,
    start: usize,
    /// How many bytes are left to read from the input; `None` reads to its end.
    left: Option<u64>,
    at_end: bool,
    position: Position,
}

impl SplitInput {
    /// Opens the file of a split.
    ///
    /// # Errors
    /// If it cannot be read, or is shorter than it was.
    pub fn open(split: FileSplit) -> Result<Self> {
        let path = Path::new(&split.path);
        let compression = Compression::of(path)?;
        let first = if compression.is_some() { 0 } else { line_start(path, split.start, split.size)? };
        let position = split.position.unwrap_or(Position { offset: first, line: 1 });
        let (input, left): (Box<dyn Read + Send>, _) = match compression {
            None => {
                // What was appended to the file after it was found is not read, so that a restart reads the same.
                let stop = line_start(path, split.end, split.size)?;
                let left = stop.saturating_sub(position.offset);
                (Box::new(storage::open(path, position.offset)?), Some(left))
            }
            Some(compression) => {
                let raw = storage::open(path, 0)?;
                let mut input: Box<dyn Read + Send> = match compression {
                    Compression::Gzip => Box::new(MultiGzDecoder::new(raw)),
                    Compression::Deflate => Box::new(ZlibDecoder::new(raw)),
                };
                let skipped = std::io::copy(&mut input.by_ref().take(position.offset), &mut std::io::sink())
                    .map_err(|error| storage::failed("read", path, error))?;
                if skipped != position.offset {
                    return Err(changed(&split));
                }
                (input, None)
            }
        };
        let at_end = left == Some(0);
        Ok(SplitInput { split, input, buffer: Vec::new(), start: 0, left, at_end, position })
    }

    /// The split.
    pub fn split(&self) -> &FileSplit {
        &self.split
    }

    /// The bytes at hand.
    pub fn bytes(&self) -> &[u8] {
        &self.buffer[self.start..]
    }

    /// Whether nothing comes after the bytes at hand.
    pub fn at_end(&self) -> bool {
        self.at_end
    }

    /// Whether everything was consumed.
    pub fn is_done(&self) -> bool {
        self.at_end && self.start == self.buffer.len()
    }

    /// The first byte that was not consumed.
    pub fn position(&self) -> Position {
        self.position
    }

    /// So many bytes, with so many line ends in them, are done with.
    pub fn consume(&mut self, bytes: usize, lines: u64) {
        self.start = (self.start + bytes).min(self.buffer.len());
        self.position.offset += bytes as u64;
        self.position.line += lines;
    }

    /// Reads another chunk behind the bytes at hand.
    ///
    /// # Errors
    /// If the file cannot be read, or is shorter than it was.
    pub fn fill(&mut self) -> Result<()> {
        self.buffer.drain(..self.start);
        self.start = 0;
        let held = self.buffer.len();
        // A record larger than the buffer makes the buffer grow by half, so that its cost stays linear.
        let chunk = CHUNK.max(held / 2);
        let chunk = self.left.map_or(chunk, |left| chunk.min(left.min(usize::MAX as u64) as usize));
        self.buffer.resize(held + chunk, 0);
        let mut filled = held;
        while filled < self.buffer.len() {
            match self.input.read(&mut self.buffer[filled..]) {
                Ok(0) => break,
                Ok(read) => filled += read,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(storage::failed("read", Path::new(&self.split.path), error)),
            }
        }
        let complete = filled == self.buffer.len();
        self.buffer.truncate(filled);
        match &mut self.left {
            Some(left) => {
                if !complete {
                    return Err(changed(&self.split));
                }
                *left -= (filled - held) as u64;
                self.at_end = *left == 0;
            }
            None => self.at_end = !complete,
        }
        Ok(())
    }
}

fn changed(split: &FileSplit) -> Error {
    Error::external(format!("the file {} became shorter while it was read", split.path))
}

/// The first byte at or after `at` that begins a line. A line that begins before `at` belongs to the split before.
fn line_start(path: &Path, at: u64, size: u64) -> Result<u64> {
    if at == 0 || at >= size {
        return Ok(at.min(size));
    }
    let mut offset = at - 1;
    let mut input = storage::open(path, offset)?;
    let mut chunk = vec![0; 4 << 10];
    loop {
        let read = input.read(&mut chunk).map_err(|error| storage::failed("read", path, error))?;
        match memchr::memchr(b'\n', &chunk[..read]) {
            Some(found) => return Ok((offset + found as u64 + 1).min(size)),
            None if read == 0 => return Ok(size),
            None => offset += read as u64,
        }
    }
}
