//! Casts to BINARY and VARBINARY: text as UTF-8, truncated, and for BINARY padded with zeros.

use arrow::array::{Array, ArrayRef, AsArray, BinaryArray, BinaryBuilder};
use flott_batch::bytes::Room;
use flott_types::{Error, Result, TypeKind};

use crate::kernel::as_ref;

pub(super) fn to_binary(array: &ArrayRef, from: &TypeKind, to: &TypeKind, room: Room) -> Result<ArrayRef> {
    let bytes: BinaryArray;
    let input = match array.as_binary_opt::<i32>() {
        Some(input) => input,
        None => {
            let text = array.as_string_opt::<i32>();
            let text = text.ok_or_else(|| Error::internal(format!("no cast from {from} to {to}")))?;
            bytes = BinaryArray::from(text.clone());
            &bytes
        }
    };
    let (length, pad) = match to {
        TypeKind::Binary(length) => (*length as usize, true),
        TypeKind::Varbinary(TypeKind::MAX_LENGTH) => return Ok(as_ref(input.clone())),
        TypeKind::Varbinary(length) => (*length as usize, false),
        other => return Err(Error::internal(format!("{other} is not a binary type"))),
    };
    let mut output = BinaryBuilder::with_capacity(input.len(), 16 * input.len());
    let mut padded = Vec::new();
    for value in input {
        let most = value.map_or(0, |value| if pad { length } else { value.len().min(length) });
        room.fits(output.values_slice().len() + most)?;
        match value {
            Some(value) if pad && value.len() < length => {
                padded.clear();
                padded.extend_from_slice(value);
                padded.resize(length, 0);
                output.append_value(&padded);
            }
            Some(value) => output.append_value(&value[..value.len().min(length)]),
            None => output.append_null(),
        }
    }
    Ok(as_ref(output.finish()))
}
