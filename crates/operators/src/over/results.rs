//! Results of frames, which may be wider than rows.

use std::ops::Range;

use arrow::array::{Array, ArrayRef};
use arrow::compute::interleave;
use flott_batch::bytes::RowBytes;
use flott_types::Result;

use crate::support::kernel;

/// This many rows are not worth measuring the state for.
const WORTH_MEASURING: usize = 1024;

/// How wide results may be, where that depends on the rows.
///
/// What came is noted. What left is found out by measuring the state anew, when as many rows have come as
/// there are in it: so a wide value that is gone does not make small batches for ever, and a row costs no
/// more than one look at a length.
pub(super) struct Widths {
    /// Some result is of any length.
    vary: bool,
    /// No result was wider since the state was measured, no value that may become one, and none in the state
    /// then.
    widest: usize,
    /// How many rows have come since.
    rows: usize,
}

impl Widths {
    pub fn new(vary: bool) -> Self {
        Widths { vary, widest: 0, rows: 0 }
    }

    /// Whether some result is of any length.
    pub fn vary(&self) -> bool {
        self.vary
    }

    /// The bytes that no result has more of, beside what a batch adds.
    pub fn widest(&self) -> usize {
        self.widest
    }

    /// Something is this wide.
    pub fn note(&mut self, bytes: usize) {
        self.widest = self.widest.max(bytes);
    }

    /// A batch of so many rows has been taken in. `kept` rows are in the state, which is measured if it is
    /// time.
    pub fn settle(&mut self, rows: usize, kept: usize, measure: impl FnOnce() -> usize) {
        self.rows += rows;
        if self.vary && self.rows > kept.max(WORTH_MEASURING) {
            self.rows = 0;
            self.widest = measure();
        }
    }
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
