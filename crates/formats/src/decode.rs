//! What every decoder does.

use flott_batch::ChangeBatch;
use flott_types::{Error, LogicalType, Result, TypeKind};

/// How far a decoder got in the bytes that it was given.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Progress {
    /// Bytes of whole records; the next call must begin after them.
    pub consumed: usize,
    /// The lines in these bytes.
    pub lines: u64,
}

/// Parses bytes into rows and collects them until [`RowDecoder::finish`].
///
/// After an error the decoder holds no rows; only a new decoder may go on.
pub trait RowDecoder: Send {
    /// Parses records from a file's bytes until there are `max_rows` rows or no whole record is left. `line` is the
    /// number of the first line, for messages; `end` says that no bytes follow these.
    ///
    /// When nothing was consumed, the bytes do not hold a whole record: give more of them at once.
    fn decode(&mut self, bytes: &[u8], end: bool, line: u64, max_rows: usize) -> Result<Progress>;

    /// Parses one message: exactly one record (for the formats that allow it, or several).
    fn decode_message(&mut self, message: &[u8]) -> Result<()>;

    /// The number of rows held.
    fn rows(&self) -> usize;

    /// The rows since the last call; `None` if there are none.
    fn finish(&mut self) -> Result<Option<ChangeBatch>>;

    /// How many fields and records were given up since the last call because they could not be read.
    fn take_skipped(&mut self) -> u64;
}

/// As much of a record as fits into a message.
pub(crate) fn excerpt(record: &[u8]) -> String {
    const LONGEST: usize = 200;
    let text = String::from_utf8_lossy(record.get(..LONGEST).unwrap_or(record)).into_owned();
    if record.len() > LONGEST { format!("{text}...") } else { text }
}

/// Something in a record that cannot be read.
pub(crate) fn malformed(what: impl std::fmt::Display, record: &[u8]) -> Error {
    Error::data(format!("{what}, in: {}", excerpt(record)))
}

/// The error for a field whose text is not a value of its column's type.
pub(crate) fn not_a_value(column: &str, ty: &LogicalType, text: &[u8], record: &[u8]) -> Error {
    let range = match ty.kind {
        TypeKind::Timestamp(7..) | TypeKind::TimestampLtz(7..) => " (from 1677-09-22 to 2262-04-11)",
        _ => "",
    };
    malformed(format!("column '{column}': '{}' is not a value of {}{range}", excerpt(text), ty.kind), record)
}

/// The next line of `bytes`: its length without and with the line end. `None` if it is not whole.
pub(crate) fn next_line(bytes: &[u8], end: bool) -> Option<(usize, usize)> {
    match memchr::memchr(b'\n', bytes) {
        Some(at) if at > 0 && bytes[at - 1] == b'\r' => Some((at - 1, at + 1)),
        Some(at) => Some((at, at + 1)),
        None if end && !bytes.is_empty() => Some((bytes.len(), bytes.len())),
        None => None,
    }
}
