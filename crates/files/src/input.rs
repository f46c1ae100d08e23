//! The bytes of a split.
//!
//! Between two reads of a split (a checkpoint and the restore, or the listing and the reading) others may
//! have changed the file. What was read must still be there, byte for byte; what is read is what existed when
//! the file was found:
//!
//! | the file | then |
//! |---|---|
//! | is gone, or shorter than it was | an error |
//! | was read up to a position, and the bytes before that position differ | an error: it was replaced |
//! | has grown | is read up to its former size; a watched directory does not find it again |
//! | has grown, and is compressed | an error: its old end cannot be found |
//! | is an object that its store calls another version, and is read in several splits or was read in part | an error |
//! | has changed in another way: other content of the same size, a new timestamp | a warning; it is read as it is now |

use std::io::Read;

use flott_storage::Location;
use flott_storage::files::{self as storage, FileInfo};
use flott_types::{Error, Result, Timestamp};
use xxhash_rust::xxh3::xxh3_64;

use crate::compression::Compression;
use crate::split::{FileSplit, Position};

/// How much is read from a file at once.
const CHUNK: usize = 256 << 10;

/// This many bytes before the position show whether a file was replaced.
const BEFORE: usize = 4 << 10;

/// The uncompressed bytes of a split, from the position that was reached last.
///
/// The caller takes bytes off the front with [`SplitInput::consume`], in whole records, and asks for more
/// with [`SplitInput::fill`] when there is no whole record left.
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
    /// Bytes that were consumed and are no longer in the buffer: those before it, at most [`BEFORE`].
    before: Vec<u8>,
}

impl SplitInput {
    /// Opens the file of a split.
    ///
    /// # Errors
    /// If it cannot be read, or is shorter than it was.
    pub fn open(split: FileSplit) -> Result<Self> {
        let location = split.location()?;
        let path = &location;
        let compression = Compression::of(path);
        check(&split, compression.is_some())?;
        let first = if compression.is_some() { 0 } else { line_start(path, split.start, split.size)? };
        let position = split.position.unwrap_or(Position { offset: first, line: 1 });
        let from = position.offset.saturating_sub(BEFORE as u64).max(first.min(position.offset));
        let (mut input, left): (Box<dyn Read + Send>, _) = match compression {
            None => {
                // What was appended to the file after it was found is not read, so that a restart reads the
                // same.
                let stop = line_start(path, split.end, split.size)?;
                let left = stop.saturating_sub(position.offset);
                (storage::open(path, from)?, Some(left))
            }
            Some(compression) => {
                let raw = storage::open(path, 0)?;
                let mut input =
                    compression.reader(raw).map_err(|error| storage::failed("read", path, error))?;
                let skipped = std::io::copy(&mut input.by_ref().take(from), &mut std::io::sink())
                    .map_err(|error| storage::failed("read", path, error))?;
                if skipped != from {
                    return Err(shorter(&split, None));
                }
                (input, None)
            }
        };
        let mut before = vec![0; (position.offset - from) as usize];
        input.read_exact(&mut before).map_err(|error| match error.kind() {
            std::io::ErrorKind::UnexpectedEof => shorter(&split, None),
            _ => storage::failed("read", path, error),
        })?;
        if split.before.is_some_and(|expected| xxh3_64(&before) != expected) {
            return Err(replaced(&split, position, before.len()));
        }
        let at_end = left == Some(0);
        Ok(SplitInput { split, input, buffer: Vec::new(), start: 0, left, at_end, position, before })
    }

    /// The split with its position, for a checkpoint.
    pub fn checkpoint(&self) -> FileSplit {
        let consumed = &self.buffer[..self.start];
        let hash = if consumed.len() >= BEFORE {
            xxh3_64(&consumed[consumed.len() - BEFORE..])
        } else {
            let missing = (BEFORE - consumed.len()).min(self.before.len());
            xxh3_64(&[&self.before[self.before.len() - missing..], consumed].concat())
        };
        let is_begun = !(consumed.is_empty() && self.before.is_empty());
        self.split.at(self.position, is_begun.then_some(hash))
    }

    /// The split.
    pub fn split(&self) -> &FileSplit {
        &self.split
    }

    /// The buffered bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.buffer[self.start..]
    }

    /// Whether nothing follows the buffered bytes.
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

    /// Consumes this many bytes, which contain this many line ends.
    pub fn consume(&mut self, bytes: usize, lines: u64) {
        self.start = (self.start + bytes).min(self.buffer.len());
        self.position.offset += bytes as u64;
        self.position.line += lines;
    }

    /// Reads another chunk after the buffered bytes.
    ///
    /// # Errors
    /// If the file cannot be read, or is shorter than it was.
    pub fn fill(&mut self) -> Result<()> {
        let kept = self.start.saturating_sub(BEFORE);
        self.before.extend_from_slice(&self.buffer[kept..self.start]);
        self.before.drain(..self.before.len().saturating_sub(BEFORE));
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
                Err(error) => return Err(storage::failed("read", &self.split.location()?, error)),
            }
        }
        let complete = filled == self.buffer.len();
        self.buffer.truncate(filled);
        match &mut self.left {
            Some(left) => {
                if !complete {
                    return Err(shorter(&self.split, None));
                }
                *left -= (filled - held) as u64;
                self.at_end = *left == 0;
            }
            None => self.at_end = !complete,
        }
        Ok(())
    }
}

/// Checks that a file is still the one that was found, and reports what may have changed.
fn check(split: &FileSplit, is_compressed: bool) -> Result<()> {
    let Some(now) = storage::look(&split.location()?)? else {
        return Err(Error::external(format!(
            "the file {} is gone: it was found with {} bytes, and not all of its rows have been read",
            split.path, split.size
        )));
    };
    if now.size < split.size {
        return Err(shorter(split, Some(&now)));
    }
    if now.size > split.size && is_compressed {
        return Err(Error::state(format!(
            "the compressed file {} has grown: expected {} bytes, found {}; its old end cannot be found",
            split.path, split.size, now.size
        )));
    }
    if split.is_other(&now) && split.is_part() {
        return Err(exchanged(split, &now));
    }
    if now.modified != split.modified {
        let what = if now.size > split.size { "has grown" } else { "was changed" };
        tracing::warn!(
            "the file {} {what} since it was found: expected {} bytes of {}, found {} bytes of {}; its first {} bytes \
             are read as they are now",
            split.path,
            split.size,
            at(split.modified),
            now.size,
            at(now.modified),
            split.size
        );
    }
    Ok(())
}

fn shorter(split: &FileSplit, now: Option<&FileInfo>) -> Error {
    let found = now.map_or("fewer".to_owned(), |now| format!("{} of {}", now.size, at(now.modified)));
    Error::state(format!(
        "the file {} has become shorter: expected {} bytes of {}, found {found}",
        split.path,
        split.size,
        at(split.modified)
    ))
}

/// An object that its store calls another, of which a part was read, or is read by others.
pub(crate) fn exchanged(split: &FileSplit, now: &FileInfo) -> Error {
    Error::state(format!(
        "the object {} was replaced since it was found: expected {} bytes of {}, found {} bytes of {}; a part of it may have \
         been read, so put the old one back, or start over without the snapshot",
        split.path,
        split.size,
        at(split.modified),
        now.size,
        at(now.modified)
    ))
}

fn replaced(split: &FileSplit, position: Position, bytes: usize) -> Error {
    Error::state(format!(
        "the file {} is not the one that was read up to byte {}: the {bytes} bytes before that differ; put the file of \
         {} bytes of {} back, or start over without the snapshot",
        split.path,
        position.offset,
        split.size,
        at(split.modified)
    ))
}

/// A file's timestamp, for people.
fn at(modified: Timestamp) -> String {
    let at = chrono::DateTime::from_timestamp_millis(modified);
    at.map_or_else(|| format!("{modified} ms"), |at| at.format("%Y-%m-%d %H:%M:%S%.3f UTC").to_string())
}

/// The first byte at or after `at` that begins a line. A line that begins before `at` belongs to the split
/// before.
fn line_start(path: &Location, at: u64, size: u64) -> Result<u64> {
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
