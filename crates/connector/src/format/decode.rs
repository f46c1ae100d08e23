//! What every decoder does.

use flott_batch::ChangeBatch;
use flott_types::Result;

/// Parses bytes into rows and collects them until [`Decoder::finish`]. After an error it holds no rows; only
/// a new decoder may go on.
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
    /// What cannot be read.
    fn decode(&mut self, message: &[u8]) -> Result<()>;
}

/// How far a decoder got in the bytes that it was given.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Progress {
    /// Bytes of whole records; the next call must begin after them.
    pub consumed: usize,
    /// The lines in these bytes.
    pub lines: u64,
}

/// Reads files of records. It consumes whole records only, so that `offset of the bytes given + bytes
/// consumed` is a position to restart from.
pub trait RecordDecoder: Decoder {
    /// Parses records from a file's bytes until there are `max_rows` rows or no whole record is left. `line`
    /// is the number of the first line, for messages; `end` says that no bytes follow these.
    ///
    /// When nothing was consumed, the bytes do not hold a whole record: give more of them at once.
    ///
    /// # Errors
    /// What cannot be read.
    fn decode(&mut self, bytes: &[u8], end: bool, line: u64, max_rows: usize) -> Result<Progress>;
}
