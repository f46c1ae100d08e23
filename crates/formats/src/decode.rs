//! What the decoders have in common.

use flott_connector::format::{Progress, Unreadable};
use flott_types::{Error, ErrorKind, LogicalType, Result, TypeKind};

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

/// Moves on behind a record of `len` bytes, whatever became of it. Gives whether to go on.
///
/// # Errors
/// What is not the fault of the record.
pub(crate) fn step(
    progress: &mut Progress,
    (len, consumed, lines): (usize, usize, u64),
    line: u64,
    result: Result<()>,
) -> Result<bool> {
    let (start, at) = (progress.consumed, line + progress.lines);
    if let Err(error) = result {
        let error = error.context(format!("line {at}"));
        if error.kind() != ErrorKind::Data {
            return Err(error);
        }
        progress.unreadable = Some(Unreadable { bytes: start..start + len, error });
    }
    progress.consumed += consumed;
    progress.lines += lines;
    Ok(progress.unreadable.is_none())
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
