//! Casts to CHAR and VARCHAR: as Flink prints the value, truncated to the length, and for CHAR padded with
//! spaces.

use std::borrow::Cow;
use std::fmt::Write;

use arrow::array::{Array, ArrayRef, AsArray, StringBuilder};
use flott_batch::text::write_value;
use flott_types::{Error, LogicalType, Result, TypeKind};

use super::CastOptions;
use crate::kernel::as_ref;

pub(super) fn to_text(
    array: &ArrayRef,
    from: &LogicalType,
    to: &TypeKind,
    options: CastOptions,
) -> Result<ArrayRef> {
    let (length, pad) = match to {
        TypeKind::Char(length) => (*length as usize, true),
        TypeKind::Varchar(length) => (*length as usize, false),
        other => return Err(Error::internal(format!("{other} is not a character type"))),
    };
    let mut output = StringBuilder::with_capacity(array.len(), array.len() * 16);
    // A character has at most 4 bytes.
    let fits = |output: &StringBuilder, value: &str| {
        let spaces = if pad { length.saturating_sub(value.len() / 4) } else { 0 };
        options.room.fits(output.values_slice().len() + value.len().min(length.saturating_mul(4)) + spaces)
    };
    if let Some(input) = array.as_string_opt::<i32>() {
        for value in input {
            match value {
                Some(value) => {
                    fits(&output, value)?;
                    append(&mut output, value, length, pad);
                }
                None => output.append_null(),
            }
        }
    } else if let (true, Some(input)) = (from.kind.is_binary(), array.as_binary_opt::<i32>()) {
        for value in input {
            let text: Option<Cow<'_, str>> = value.map(String::from_utf8_lossy);
            match text {
                Some(text) => {
                    fits(&output, &text)?;
                    append_utf16(&mut output, &text, length, pad);
                }
                None => output.append_null(),
            }
        }
    } else {
        let mut text = String::new();
        for row in 0..array.len() {
            if array.is_null(row) {
                output.append_null();
                continue;
            }
            text.clear();
            write_value(&mut text, array, row, from, options.time_zone);
            fits(&output, &text)?;
            append_utf16(&mut output, &text, length, pad);
        }
    }
    Ok(as_ref(output.finish()))
}

/// Appends text, truncated and padded by characters.
fn append(output: &mut StringBuilder, value: &str, length: usize, pad: bool) {
    // A string of this many bytes has at most this many characters.
    if value.len() <= length && !pad {
        return output.append_value(value);
    }
    match value.char_indices().nth(length) {
        Some((end, _)) => output.append_value(&value[..end]),
        None if pad => finish(output, value, length - value.chars().count()),
        None => output.append_value(value),
    }
}

/// Appends what was not text before, truncated and padded by Java's chars. Half a character becomes `?`.
fn append_utf16(output: &mut StringBuilder, value: &str, length: usize, pad: bool) {
    if value.is_ascii() {
        return append(output, value, length, pad);
    }
    let mut room = length;
    for (at, c) in value.char_indices() {
        match room.checked_sub(c.len_utf16()) {
            Some(rest) => room = rest,
            None => {
                let half = if room > 0 { "?" } else { "" };
                let _ = output.write_str(&value[..at]);
                return output.append_value(half);
            }
        }
    }
    finish(output, value, if pad { room } else { 0 });
}

fn finish(output: &mut StringBuilder, value: &str, spaces: usize) {
    let _ = write!(output, "{value}{:spaces$}", "");
    output.append_value("");
}
