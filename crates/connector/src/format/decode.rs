//! What every decoder does.

use std::ops::Range;

use flott_batch::ChangeBatch;
use flott_types::{Error, Result};

/// Parses bytes into rows and collects them until [`Decoder::finish`]. A record that cannot be read leaves no
/// trace in it: it holds the rows before, and may go on. After an error of another kind than `Data` only a new
/// decoder may go on.
pub trait Decoder: Send {
    /// The number of rows held.
    fn rows(&self) -> usize;

    /// The rows since the last call; `None` if there are none.
    ///
    /// # Errors
    /// If they do not fit into columns.
    fn finish(&mut self) -> Result<Option<ChangeBatch>>;

    /// How many fields and records were given up since the last call because they could not be read.
    fn take_skipped(&mut self) -> u64;
}

/// Reads messages.
pub trait MessageDecoder: Decoder {
    /// Parses one message: exactly one record (for the formats that allow it, or several).
    ///
    /// # Errors
    /// What cannot be read. Nothing of the message is among the rows then.
    fn decode(&mut self, message: &[u8]) -> Result<()>;
}

/// How far a decoder got in the bytes that it was given.
#[derive(Default, Debug)]
pub struct Progress {
    /// Bytes of whole records; the next call must begin after them.
    pub consumed: usize,
    /// The lines in these bytes.
    pub lines: u64,
    /// The last of these records, if it cannot be read.
    pub unreadable: Option<Unreadable>,
}

/// A record that cannot be read.
#[derive(Debug)]
pub struct Unreadable {
    /// Where it is in the bytes that were given.
    pub bytes: Range<usize>,
    /// Why it cannot be read.
    pub error: Error,
}

/// Reads files of records. It consumes whole records only, so that `offset of the bytes given + bytes
/// consumed` is a position to restart from.
pub trait RecordDecoder: Decoder {
    /// Parses records from a file's bytes until there are `max_rows` rows, or no whole record is left, or one
    /// cannot be read. `line` is the number of the first line, for messages; `end` says that no bytes follow
    /// these.
    ///
    /// When nothing was consumed, the bytes do not hold a whole record: give more of them at once.
    ///
    /// # Errors
    /// What is not the fault of a record.
    fn decode(&mut self, bytes: &[u8], end: bool, line: u64, max_rows: usize) -> Result<Progress>;
}
