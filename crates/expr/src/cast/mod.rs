//! CAST with Flink's semantics, column by column.
//!
//! | from, to | what is special |
//! |---|---|
//! | integers | wrap around; from DOUBLE they saturate, NaN is 0; from DECIMAL they keep the low bits |
//! | DECIMAL | rounds HALF_UP; NULL if it does not fit, even in CAST |
//! | from text | text that cannot be parsed is an error in CAST and NULL in TRY_CAST; text too short for DECIMAL's own parser is NULL |
//! | to CHAR(n), BINARY(n) | padded or truncated; VARCHAR(n), VARBINARY(n) truncated |
//! | to TIMESTAMP(p) | truncated, not rounded |
//! | ARRAY, MAP, MULTISET, ROW | element by element; TRY_CAST gives NULL for the whole value when one element fails |

mod binary;
mod nested;
mod number;
mod parse;
mod temporal;
mod text;

use arrow::array::{Array, ArrayRef, new_null_array};
use chrono_tz::Tz;
use flott_batch::arrow_type::to_arrow;
use flott_batch::bytes::Room;
use flott_types::{Error, ErrorKind, LogicalType, Result, TypeKind};

/// How a cast behaves.
#[derive(Clone, Copy, Debug)]
pub struct CastOptions {
    /// The session's time zone.
    pub time_zone: Tz,
    /// TRY_CAST: NULL instead of an error.
    pub is_try: bool,
    /// How large a column may become.
    pub room: Room,
}

/// Casts the values of an array to another type.
pub fn cast_array(
    array: &ArrayRef,
    from: &LogicalType,
    to: &LogicalType,
    options: CastOptions,
) -> Result<ArrayRef> {
    if is_noop(&from.kind, &to.kind) {
        return Ok(array.clone());
    }
    if from.kind == TypeKind::Null || array.null_count() == array.len() {
        return Ok(new_null_array(&to_arrow(to), array.len()));
    }
    use TypeKind::*;
    match (&from.kind, &to.kind) {
        (_, Char(_) | Varchar(_)) => text::to_text(array, from, &to.kind, options),
        (_, Binary(_) | Varbinary(_)) => binary::to_binary(array, &from.kind, &to.kind, options.room),
        (Char(_) | Varchar(_), _) => parse::from_text(array, to, options),
        (_, Date | Time(_) | Timestamp(_) | TimestampLtz(_)) => {
            temporal::to_datetime(array, from, to, options)
        }
        (Array(_) | Map(..) | Multiset(_) | Row(_) | Structured(..), _) if options.is_try => {
            try_rows(array, from, to, options)
        }
        (Array(_) | Map(..) | Multiset(_) | Row(_) | Structured(..), _) => {
            nested::cast_nested(array, from, to, options)
        }
        _ => number::to_number(array, &from.kind, to, options),
    }
}

/// Whether a cast leaves the values in memory unchanged.
pub fn is_noop(from: &TypeKind, to: &TypeKind) -> bool {
    use TypeKind::*;
    match (from, to) {
        (Char(_) | Varchar(_), Varchar(TypeKind::MAX_LENGTH)) => true,
        (Binary(_) | Varbinary(_), Varbinary(TypeKind::MAX_LENGTH)) => true,
        (Char(n) | Varchar(n), Varchar(m)) | (Binary(n) | Varbinary(n), Varbinary(m)) => n <= m,
        (Time(p), Time(q)) => p <= q,
        (Timestamp(p), Timestamp(q)) | (TimestampLtz(p), TimestampLtz(q)) => p <= q && (*p <= 6) == (*q <= 6),
        (Array(a), Array(b)) => is_noop(&a.kind, &b.kind),
        (Multiset(a), Multiset(b)) => is_noop(&a.kind, &b.kind),
        (Map(ak, av), Map(bk, bv)) => is_noop(&ak.kind, &bk.kind) && is_noop(&av.kind, &bv.kind),
        (Structured(_, a), Structured(_, b)) | (Row(a), Row(b)) => {
            a.len() == b.len()
                && a.iter().zip(b).all(|(a, b)| a.name == b.name && is_noop(&a.ty.kind, &b.ty.kind))
        }
        (from, to) => from == to,
    }
}

/// TRY_CAST of constructed types: all rows at once; if one fails, row by row.
fn try_rows(
    array: &ArrayRef,
    from: &LogicalType,
    to: &LogicalType,
    options: CastOptions,
) -> Result<ArrayRef> {
    let strict = CastOptions { is_try: false, ..options };
    match nested::cast_nested(array, from, to, strict) {
        Err(error) if error.kind() == ErrorKind::Data => {}
        outcome => return outcome,
    }
    let mut rows = Vec::with_capacity(array.len());
    for row in 0..array.len() {
        let one = array.slice(row, 1);
        match nested::cast_nested(&one, from, to, strict) {
            Ok(one) => rows.push(one),
            Err(error) if error.kind() == ErrorKind::Data => rows.push(new_null_array(&to_arrow(to), 1)),
            Err(error) => return Err(error),
        }
    }
    let rows: Vec<&dyn Array> = rows.iter().map(|row| &**row).collect();
    options.room.concat(&rows)
}

/// The error for text that cannot be parsed.
fn unreadable(text: &str, to: &LogicalType, why: &str) -> Error {
    let why = if why.is_empty() { String::new() } else { format!(" {why}") };
    Error::data(format!("CAST to {}: For input string: '{text}'.{why} TRY_CAST gives NULL instead", to.kind))
}
