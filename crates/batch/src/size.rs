//! How many bytes a batch keeps in memory: the measure that bounds queues between tasks.
//!
//! For columns it is exactly what belongs to the rows: a slice of a large batch counts as a slice. It needs
//! one look at each column and none at the rows. For values of a program's own type only the size of the
//! value itself is known; what it points to is estimated from the serialised length of a sample. A type that
//! owns no memory needs no sample.

use std::io;

use crate::bytes::of_column;
use crate::{Batch, ChangeBatch, Record, Records};

/// About this many values of a batch are measured.
const SAMPLE: usize = 16;
/// No further value is measured after so many bytes.
const ENOUGH: usize = 64 << 10;

impl Batch {
    /// The approximate number of bytes that it keeps in memory.
    pub fn bytes(&self) -> usize {
        match self {
            Batch::Changes(changes) => changes.bytes(),
            Batch::Records(records) => records.bytes(),
        }
    }
}

impl ChangeBatch {
    /// The bytes of its rows, including those that are not selected.
    pub fn bytes(&self) -> usize {
        let columns: usize = self.columns().columns().iter().map(|column| of_column(column.as_ref())).sum();
        columns + self.kinds().map_or(0, |_| self.physical_rows())
    }
}

impl<T: Record> Records<T> {
    /// The bytes of the values with what they own, estimated.
    pub(crate) fn bytes(&self) -> usize {
        let len = self.values.len();
        let beside = self.timestamps.as_ref().map_or(0, |_| 8) + self.routes.as_ref().map_or(0, |_| 8);
        len * (size_of::<T>() + beside) + owned(&self.values, (len / SAMPLE).max(SAMPLE), |value| Some(value))
    }
}

/// What the values in these places own beside themselves, estimated from one of so many. Nothing is looked at
/// if the type owns nothing.
pub fn owned<P, T: Record>(places: &[P], step: usize, value: impl Fn(&P) -> Option<&T>) -> usize {
    if !std::mem::needs_drop::<T>() {
        return 0;
    }
    let mut written = Written(0);
    let mut looked = 0;
    for place in places.iter().step_by(step) {
        looked += 1;
        // If the type cannot be serialised, the error is reported where that is required.
        if value(place).is_some_and(|value| rmp_serde::encode::write(&mut written, value).is_err()) {
            break;
        }
        // A few large values tell as much as many small ones.
        if written.0 > ENOUGH {
            break;
        }
    }
    (written.0 as u128 * places.len() as u128 / (looked as u128).max(1)) as usize
}

/// Counts what is written and keeps nothing.
struct Written(usize);

impl io::Write for Written {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, Int64Array, ListArray, RecordBatch, StringArray};
    use arrow::datatypes::Int32Type;

    use super::*;

    fn batch(column: ArrayRef) -> ChangeBatch {
        ChangeBatch::insert_only(RecordBatch::try_from_iter([("a", column)]).unwrap())
    }

    #[test]
    fn a_slice_counts_as_a_slice() {
        let numbers = Int64Array::from_iter_values(0..1_000);
        assert_eq!(batch(Arc::new(numbers.clone())).bytes(), 8_000);
        assert_eq!(batch(Arc::new(numbers.slice(10, 5))).bytes(), 40);
        let texts = StringArray::from_iter_values((0..1_000).map(|_| "x".repeat(100)));
        assert_eq!(batch(Arc::new(texts.slice(999, 1))).bytes(), 100 + 4);
        let nullable = StringArray::from_iter([Some("abc"), None]);
        assert_eq!(batch(Arc::new(nullable)).bytes(), 3 + 2 * 4);
        let lists: ListArray =
            ListArray::from_iter_primitive::<Int32Type, _, _>((0..1_000).map(|_| Some(vec![Some(1); 10])));
        let (all, slice) =
            (batch(Arc::new(lists.clone())).bytes(), batch(Arc::new(lists.slice(0, 10))).bytes());
        assert!(all > 40_000 && (400..1_000).contains(&slice), "{all} {slice}");
    }

    #[test]
    fn values_count_with_what_they_own() {
        assert_eq!(Records::new(vec![1u64; 100]).bytes(), 800);
        assert_eq!(Records::with_timestamps(vec![1u64; 100], vec![0; 100]).bytes(), 1_600);
        let texts = Records::new(vec!["x".repeat(1_000); 100]);
        assert!((100_000..110_000).contains(&texts.bytes()), "{}", texts.bytes());
        let one_large = Records::new(vec![vec!["y".repeat(1 << 20)]]);
        assert!(one_large.bytes() > 1 << 20);
        assert_eq!(Records::<String>::new(Vec::new()).bytes(), 0);
    }
}
