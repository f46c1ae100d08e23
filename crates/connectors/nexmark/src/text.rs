//! Columns of text, written straight into their final buffers.

use std::sync::Arc;

use arrow::array::{ArrayRef, StringArray};
use arrow::buffer::{NullBuffer, OffsetBuffer, ScalarBuffer};
use flott_types::{Error, Result};

/// A column being written. Skipped rows are empty.
pub(crate) struct TextWriter {
    offsets: Vec<i32>,
    bytes: Vec<u8>,
}

impl TextWriter {
    /// For this many rows, of this many bytes in all.
    pub(crate) fn new(rows: usize, bytes: usize) -> Self {
        let mut offsets = Vec::with_capacity(rows + 1);
        offsets.push(0);
        TextWriter { offsets, bytes: Vec::with_capacity(bytes) }
    }

    /// Adds to the row.
    #[inline(always)]
    pub(crate) fn push(&mut self, part: &[u8]) {
        self.bytes.extend_from_slice(part);
    }

    /// Ends the row.
    #[inline(always)]
    pub(crate) fn end_row(&mut self) {
        self.offsets.push(self.bytes.len() as i32);
    }

    /// Skips the rows up to this one.
    #[inline]
    pub(crate) fn skip_to(&mut self, row: usize) {
        self.offsets.resize(row + 1, self.bytes.len() as i32);
    }

    pub(crate) fn finish(self, nulls: Option<NullBuffer>) -> Result<ArrayRef> {
        let offsets = OffsetBuffer::new(ScalarBuffer::from(self.offsets));
        let array = StringArray::try_new(offsets, self.bytes.into(), nulls);
        Ok(Arc::new(array.map_err(|error| Error::internal("text made up").with_source(error))?))
    }
}
