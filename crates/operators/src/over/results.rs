//! Results of frames, which may be wider than rows.

use std::ops::Range;

use arrow::array::{Array, ArrayRef};
use arrow::compute::interleave;
use flott_batch::bytes::RowBytes;
use flott_types::Result;

use crate::support::kernel;

/// How wide results may be, where that depends on the rows.
pub(super) struct Widths {
    /// Some result is of any length.
    pub vary: bool,
    /// No result was wider yet, and no value that may become one.
    pub widest: usize,
    pub batch_bytes: usize,
}

/// The results of some rows: rows of one key and time share one.
#[derive(Default)]
pub(super) struct Results {
    /// By call, then by run of results.
    pub parts: Vec<Vec<ArrayRef>>,
    /// For each row, the run and the place of its result in it.
    pub of_row: Vec<(usize, usize)>,
    /// By run.
    pub bytes: Vec<RowBytes>,
}

impl Results {
    /// The bytes of a row's results.
    pub fn bytes_of(&self, row: usize) -> usize {
        let (part, at) = self.of_row[row];
        self.bytes[part].of(at)
    }

    /// The results of rows one after the other, a column a call.
    pub fn of_rows(&self, rows: Range<usize>) -> Result<Vec<ArrayRef>> {
        let gather = |parts: &Vec<ArrayRef>| {
            let parts: Vec<&dyn Array> = parts.iter().map(AsRef::as_ref).collect();
            interleave(&parts, &self.of_row[rows.clone()]).map_err(kernel)
        };
        self.parts.iter().map(gather).collect()
    }
}
