//! Results of frames, which may be wider than rows.

use std::ops::Range;

use arrow::array::{Array, ArrayRef};
use arrow::compute::interleave;
use flott_batch::bytes::RowBytes;
use flott_types::Result;

use crate::support::kernel;

/// With fewer rows than this, measuring the state is not worth it.
const WORTH_MEASURING: usize = 1024;

/// How wide results may be, if that depends on the rows.
///
/// Arriving values are noted. Departures show up only when the state is measured again, which happens when as
/// many rows have arrived as it contains. So a wide value that is gone does not cause small batches forever,
/// and a row costs at most one length check.
pub(super) struct Widths {
    /// Whether some result is of variable length.
    vary: bool,
    /// An upper bound since the state was measured: for the results, the values that may become results, and
    /// the state's contents at that time.
    widest: usize,
    /// How many rows have arrived since.
    rows: usize,
}

impl Widths {
    pub fn new(vary: bool) -> Self {
        Widths { vary, widest: 0, rows: 0 }
    }

    /// Whether some result is of variable length.
    pub fn vary(&self) -> bool {
        self.vary
    }

    /// An upper bound for the size of a result in bytes, apart from what a batch adds.
    pub fn widest(&self) -> usize {
        self.widest
    }

    /// Notes a value of this size.
    pub fn note(&mut self, bytes: usize) {
        self.widest = self.widest.max(bytes);
    }

    /// Called after a batch of this many rows. `kept` rows are in the state, which is measured if it is time.
    pub fn settle(&mut self, rows: usize, kept: usize, measure: impl FnOnce() -> usize) {
        self.rows += rows;
        if self.vary && self.rows > kept.max(WORTH_MEASURING) {
            self.rows = 0;
            self.widest = measure();
        }
    }
}

/// The results of some rows; rows with the same key and time share one.
#[derive(Default)]
pub(super) struct Results {
    /// By call, then by run of results.
    pub parts: Vec<Vec<ArrayRef>>,
    /// For each row, the run and the position of its result in the run.
    pub of_row: Vec<(usize, usize)>,
    /// By run.
    pub bytes: Vec<RowBytes>,
}

impl Results {
    /// The size of a row's results in bytes.
    pub fn bytes_of(&self, row: usize) -> usize {
        let (part, at) = self.of_row[row];
        self.bytes[part].of(at)
    }

    /// The results of consecutive rows, one column per call.
    pub fn of_rows(&self, rows: Range<usize>) -> Result<Vec<ArrayRef>> {
        let gather = |parts: &Vec<ArrayRef>| {
            let parts: Vec<&dyn Array> = parts.iter().map(AsRef::as_ref).collect();
            interleave(&parts, &self.of_row[rows.clone()]).map_err(kernel)
        };
        self.parts.iter().map(gather).collect()
    }
}
