//! Casts to CHAR and VARCHAR: as Flink prints the value, cut to the length, and for CHAR filled up with spaces.

use std::borrow::Cow;
use std::fmt::Write;

use arrow::array::{Array, ArrayRef, AsArray, StringBuilder};
use flott_batch::text::write_value;
use flott_types::{Error, LogicalType, Result, TypeKind};

use super::CastOptions;
use crate::kernel::as_ref;

pub(super) fn to_text(array: &ArrayRef, from: &LogicalType, to: &TypeKind, options: CastOptions) -> Result<ArrayRef> {
    let (length, pad) = match to {
        TypeKind::Char(length) => (*length as usize, true),
        TypeKind::Varchar(length) => (*length as usize, false),
        other => return Err(Error::internal(format!("{other} is no character type"))),
    };
    let mut output = StringBuilder::with_capacity(array.len(), array.len() * 16);
    if let Some(input) = array.as_string_opt::<i32>() {
        for value in input {
            append(&mut output, value, length, pad);
        }
    } else if let Some(input) = array.as_binary_opt::<i32>() {
        for value in input {
            let text: Option<Cow<'_, str>> = value.map(String::from_utf8_lossy);
            append(&mut output, text.as_deref(), length, pad);
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
            append(&mut output, Some(&text), length, pad);
        }
    }
    Ok(as_ref(output.finish()))
}

fn append(output: &mut StringBuilder, value: Option<&str>, length: usize, pad: bool) {
    let Some(value) = value else { return output.append_null() };
    // A text of so many bytes has at most so many characters.
    if value.len() <= length && !pad {
        return output.append_value(value);
    }
    match value.char_indices().nth(length) {
        Some((end, _)) => output.append_value(&value[..end]),
        None if pad => {
            let missing = length - value.chars().count();
            let _ = write!(output, "{value}{:missing$}", "");
            output.append_value("");
        }
        None => output.append_value(value),
    }
}
