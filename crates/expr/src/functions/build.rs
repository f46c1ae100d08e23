//! Builds result arrays row by row. A closure answers `None` for NULL.
//!
//! Text is written into one reused buffer and copied once into the array: no allocation a row.

use std::fmt::Write;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, ArrowPrimitiveType, BinaryBuilder, BooleanBuilder, PrimitiveBuilder, StringBuilder,
};
use flott_types::Result;

/// VARCHARs that the closure appends to an empty buffer.
pub(crate) fn strings(rows: usize, mut each: impl FnMut(usize, &mut String) -> Option<()>) -> ArrayRef {
    let mut builder = StringBuilder::with_capacity(rows, 16 * rows);
    let mut text = String::new();
    for row in 0..rows {
        text.clear();
        match each(row, &mut text) {
            Some(()) => builder.append_value(&text),
            None => builder.append_null(),
        }
    }
    Arc::new(builder.finish())
}

/// The value that is being written into the array itself.
pub(crate) struct Value<'a>(&'a mut StringBuilder);

impl Value<'_> {
    /// Appends to the value.
    #[inline]
    pub(crate) fn push_str(&mut self, text: &str) {
        // Writing into memory cannot fail.
        let _ = self.0.write_str(text);
    }
}

/// As [`strings`], for closures that only append, which they do into the array itself. What they append before they answer NULL would be
/// the next row's. There is room for so many `bytes` at once.
pub(crate) fn written(
    rows: usize,
    bytes: usize,
    mut each: impl FnMut(usize, &mut Value<'_>) -> Option<()>,
) -> ArrayRef {
    let mut builder = StringBuilder::with_capacity(rows, bytes);
    for row in 0..rows {
        match each(row, &mut Value(&mut builder)) {
            Some(()) => builder.append_value(""),
            None => builder.append_null(),
        }
    }
    Arc::new(builder.finish())
}

/// As [`strings`], for closures that can fail.
pub(crate) fn try_strings(
    rows: usize,
    mut each: impl FnMut(usize, &mut String) -> Result<Option<()>>,
) -> Result<ArrayRef> {
    let mut failed = None;
    let array = strings(rows, |row, out| {
        if failed.is_some() {
            return None;
        }
        each(row, out).unwrap_or_else(|error| {
            failed = Some(error);
            None
        })
    });
    failed.map_or(Ok(array), Err)
}

/// VARCHARs that are parts of the input.
pub(crate) fn slices<'a>(rows: usize, mut each: impl FnMut(usize) -> Option<&'a str>) -> ArrayRef {
    let mut builder = StringBuilder::with_capacity(rows, 16 * rows);
    for row in 0..rows {
        builder.append_option(each(row));
    }
    Arc::new(builder.finish())
}

/// Binary strings that the closure appends to an empty buffer.
pub(crate) fn try_binaries(
    rows: usize,
    mut each: impl FnMut(usize, &mut Vec<u8>) -> Result<Option<()>>,
) -> Result<ArrayRef> {
    let mut builder = BinaryBuilder::with_capacity(rows, 16 * rows);
    let mut bytes = Vec::new();
    for row in 0..rows {
        bytes.clear();
        match each(row, &mut bytes)? {
            Some(()) => builder.append_value(&bytes),
            None => builder.append_null(),
        }
    }
    Ok(Arc::new(builder.finish()))
}

/// Numbers and times.
pub(crate) fn primitives<T: ArrowPrimitiveType>(
    rows: usize,
    mut each: impl FnMut(usize) -> Option<T::Native>,
) -> ArrayRef {
    let mut builder = PrimitiveBuilder::<T>::with_capacity(rows);
    for row in 0..rows {
        builder.append_option(each(row));
    }
    Arc::new(builder.finish())
}

/// As [`primitives`], for closures that can fail.
pub(crate) fn try_primitives<T: ArrowPrimitiveType>(
    rows: usize,
    mut each: impl FnMut(usize) -> Result<Option<T::Native>>,
) -> Result<ArrayRef> {
    let mut builder = PrimitiveBuilder::<T>::with_capacity(rows);
    for row in 0..rows {
        builder.append_option(each(row)?);
    }
    Ok(Arc::new(builder.finish()))
}

/// BOOLEANs.
pub(crate) fn booleans(rows: usize, mut each: impl FnMut(usize) -> Option<bool>) -> ArrayRef {
    let mut builder = BooleanBuilder::with_capacity(rows);
    for row in 0..rows {
        builder.append_option(each(row));
    }
    Arc::new(builder.finish())
}

/// As [`booleans`], for closures that can fail.
pub(crate) fn try_booleans(
    rows: usize,
    mut each: impl FnMut(usize) -> Result<Option<bool>>,
) -> Result<ArrayRef> {
    let mut builder = BooleanBuilder::with_capacity(rows);
    for row in 0..rows {
        builder.append_option(each(row)?);
    }
    Ok(Arc::new(builder.finish()))
}
