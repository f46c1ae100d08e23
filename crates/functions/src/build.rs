//! Builds result arrays row by row. A closure returns `None` for NULL.
//!
//! Text is written into one reused buffer and copied once into the array: no allocation per row. A column
//! that becomes too large is refused, and the caller retries with fewer rows ([`Call::room`]).

use std::fmt::Write;
use std::sync::Arc;

use arrow::array::{
    ArrayBuilder, ArrayRef, ArrowPrimitiveType, BinaryBuilder, BooleanBuilder, ListBuilder, PrimitiveBuilder,
    StringBuilder,
};
use flott_batch::bytes::Room;
use flott_expr::function::Call;
use flott_types::Result;

/// A column of VARCHARs under construction, with a limit on its size.
pub(crate) struct Texts {
    builder: StringBuilder,
    room: Room,
}

impl Texts {
    pub(crate) fn new(call: &Call<'_>) -> Self {
        Texts { builder: StringBuilder::with_capacity(call.rows, 16 * call.rows), room: call.room() }
    }

    #[inline]
    pub(crate) fn append(&mut self, text: Option<&str>) -> Result<()> {
        match text {
            Some(text) => {
                self.room.fits(self.builder.values_slice().len() + text.len())?;
                self.builder.append_value(text);
            }
            None => self.builder.append_null(),
        }
        Ok(())
    }

    pub(crate) fn finish(mut self) -> ArrayRef {
        Arc::new(self.builder.finish())
    }
}

/// A column of ARRAYs of VARCHARs under construction, with a limit on its size.
pub(crate) struct TextLists {
    lists: ListBuilder<StringBuilder>,
    room: Room,
}

impl TextLists {
    pub(crate) fn new(call: &Call<'_>) -> Self {
        TextLists { lists: ListBuilder::new(StringBuilder::new()), room: call.room() }
    }

    /// Adds an element to the current row.
    #[inline]
    pub(crate) fn push(&mut self, text: Option<&str>) -> Result<()> {
        let texts = self.lists.values();
        let bytes = text.map_or(0, str::len) + texts.values_slice().len();
        self.room.fits(bytes + size_of::<i32>() * texts.len())?;
        texts.append_option(text);
        Ok(())
    }

    /// Ends the current row: a list of what was pushed, or NULL.
    pub(crate) fn end(&mut self, valid: bool) {
        self.lists.append(valid);
    }

    pub(crate) fn finish(mut self) -> ArrayRef {
        Arc::new(self.lists.finish())
    }
}

/// VARCHARs; the closure appends each to an empty buffer.
pub(crate) fn strings(
    call: &Call<'_>,
    mut each: impl FnMut(usize, &mut String) -> Option<()>,
) -> Result<ArrayRef> {
    try_strings(call, |row, text| Ok(each(row, text)))
}

/// A value that is written directly into the array.
pub(crate) struct Value<'a> {
    builder: &'a mut StringBuilder,
    /// An error once something did not fit; the rest is dropped and the column is refused.
    fits: Result<()>,
    room: Room,
}

impl Value<'_> {
    /// Appends to the value.
    #[inline]
    pub(crate) fn push_str(&mut self, text: &str) {
        if self.fits.is_ok() {
            self.fits = self.room.fits(self.builder.values_slice().len() + text.len());
            if self.fits.is_ok() {
                // Writing into memory cannot fail.
                let _ = self.builder.write_str(text);
            }
        }
    }
}

/// Like [`strings`], for closures that only append; they write directly into the array. A closure that
/// returns NULL must not have appended anything: it would end up in the next row. Reserves this many `bytes`
/// up front.
pub(crate) fn written(
    call: &Call<'_>,
    bytes: usize,
    mut each: impl FnMut(usize, &mut Value<'_>) -> Option<()>,
) -> Result<ArrayRef> {
    let mut builder = StringBuilder::with_capacity(call.rows, bytes);
    let room = call.room();
    for row in 0..call.rows {
        let mut value = Value { builder: &mut builder, fits: Ok(()), room };
        let outcome = each(row, &mut value);
        value.fits?;
        match outcome {
            Some(()) => builder.append_value(""),
            None => builder.append_null(),
        }
    }
    Ok(Arc::new(builder.finish()))
}

/// Like [`strings`], for closures that can fail.
pub(crate) fn try_strings(
    call: &Call<'_>,
    mut each: impl FnMut(usize, &mut String) -> Result<Option<()>>,
) -> Result<ArrayRef> {
    let mut texts = Texts::new(call);
    let mut text = String::new();
    for row in 0..call.rows {
        text.clear();
        let outcome = each(row, &mut text)?;
        texts.append(outcome.map(|()| text.as_str()))?;
    }
    Ok(texts.finish())
}

/// VARCHARs that are slices of the input.
pub(crate) fn slices<'a>(
    call: &Call<'_>,
    mut each: impl FnMut(usize) -> Option<&'a str>,
) -> Result<ArrayRef> {
    let mut texts = Texts::new(call);
    for row in 0..call.rows {
        texts.append(each(row))?;
    }
    Ok(texts.finish())
}

/// Binary strings; the closure appends each to an empty buffer.
pub(crate) fn try_binaries(
    call: &Call<'_>,
    mut each: impl FnMut(usize, &mut Vec<u8>) -> Result<Option<()>>,
) -> Result<ArrayRef> {
    let mut builder = BinaryBuilder::with_capacity(call.rows, 16 * call.rows);
    let mut bytes = Vec::new();
    for row in 0..call.rows {
        bytes.clear();
        match each(row, &mut bytes)? {
            Some(()) => {
                call.room().fits(builder.values_slice().len() + bytes.len())?;
                builder.append_value(&bytes);
            }
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

/// Like [`primitives`], for closures that can fail.
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

/// Like [`booleans`], for closures that can fail.
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
