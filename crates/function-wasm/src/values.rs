//! Values of SQL as values of a component, and back.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BinaryArray, BooleanArray, Float32Array, Float64Array, Int8Array, Int16Array,
    Int32Array, Int64Array, StringArray,
};
use arrow::datatypes::{Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type};
use flott_types::{Error, Result};
use wasmtime::component::Val;

use crate::shape::{Kind, Shape};

/// The value of a row; `None` if it is NULL and cannot be.
///
/// # Errors
/// If the array is of another type.
pub(crate) fn lowered(shape: Shape, array: &dyn Array, row: usize) -> Result<Option<Val>> {
    if array.is_null(row) {
        return Ok(shape.optional.then_some(Val::Option(None)));
    }
    let value = match shape.kind {
        Kind::Bool => array.as_boolean_opt().map(|array| Val::Bool(array.value(row))),
        Kind::S8 => array.as_primitive_opt::<Int8Type>().map(|array| Val::S8(array.value(row))),
        Kind::S16 => array.as_primitive_opt::<Int16Type>().map(|array| Val::S16(array.value(row))),
        Kind::S32 => array.as_primitive_opt::<Int32Type>().map(|array| Val::S32(array.value(row))),
        Kind::S64 => array.as_primitive_opt::<Int64Type>().map(|array| Val::S64(array.value(row))),
        Kind::F32 => array.as_primitive_opt::<Float32Type>().map(|array| Val::Float32(array.value(row))),
        Kind::F64 => array.as_primitive_opt::<Float64Type>().map(|array| Val::Float64(array.value(row))),
        Kind::Text => array.as_string_opt::<i32>().map(|array| Val::String(array.value(row).to_owned())),
        Kind::Bytes => array
            .as_binary_opt::<i32>()
            .map(|array| Val::List(array.value(row).iter().copied().map(Val::U8).collect())),
    };
    let value = value.ok_or_else(|| {
        Error::internal(format!(
            "an argument is a {} array, and {:?} was expected",
            array.data_type(),
            shape.kind
        ))
    })?;
    Ok(Some(if shape.optional { Val::Option(Some(Box::new(value))) } else { value }))
}

/// A column of values; `None` is NULL.
///
/// # Errors
/// If a value is of another type.
pub(crate) fn lifted(shape: Shape, values: Vec<Option<Val>>) -> Result<ArrayRef> {
    let values = values.into_iter().map(|value| match value {
        Some(Val::Option(inner)) => inner.map(|inner| *inner),
        other => other,
    });
    macro_rules! collected {
        ($variant:ident, $array:ty) => {
            Arc::new(
                values
                    .map(|value| match value {
                        None => Ok(None),
                        Some(Val::$variant(value)) => Ok(Some(value)),
                        Some(other) => Err(unexpected(shape, &other)),
                    })
                    .collect::<Result<$array>>()?,
            )
        };
    }
    Ok(match shape.kind {
        Kind::Bool => collected!(Bool, BooleanArray),
        Kind::S8 => collected!(S8, Int8Array),
        Kind::S16 => collected!(S16, Int16Array),
        Kind::S32 => collected!(S32, Int32Array),
        Kind::S64 => collected!(S64, Int64Array),
        Kind::F32 => collected!(Float32, Float32Array),
        Kind::F64 => collected!(Float64, Float64Array),
        Kind::Text => collected!(String, StringArray),
        Kind::Bytes => {
            let bytes = |value: Val| match value {
                Val::List(bytes) => {
                    let byte = |value: Val| match value {
                        Val::U8(byte) => Ok(byte),
                        other => Err(unexpected(shape, &other)),
                    };
                    bytes.into_iter().map(byte).collect::<Result<Vec<u8>>>()
                }
                other => Err(unexpected(shape, &other)),
            };
            let all = values.map(|value| value.map(bytes).transpose()).collect::<Result<Vec<_>>>()?;
            Arc::new(all.iter().map(|bytes| bytes.as_deref()).collect::<BinaryArray>())
        }
    })
}

#[cold]
fn unexpected(shape: Shape, found: &Val) -> Error {
    Error::internal(format!("a component returned {found:?}, and {:?} was expected", shape.kind))
}
