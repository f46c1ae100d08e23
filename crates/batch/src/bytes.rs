//! How many bytes rows take up, and lists of rows in runs that fit into one batch.
//!
//! The offsets of texts, binaries and lists have 32 bits: a column that is gathered from rows of more than 2 GB cannot be built.
//! So what gathers rows that may be wide, or the same row many times, cuts its list of rows first.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::DataType;

/// A batch in motion has about so many bytes at most, unless one row alone has more.
pub const BATCH_BYTES: usize = 64 << 20;

/// The bytes of the rows of some columns. Costs nothing a row where all columns are numbers.
#[derive(Debug)]
pub struct RowBytes {
    /// Of the columns of numbers.
    fixed: usize,
    others: Vec<ArrayRef>,
}

impl RowBytes {
    /// For the rows of these columns.
    pub fn new(columns: &[ArrayRef]) -> Self {
        let mut bytes = RowBytes { fixed: 0, others: Vec::new() };
        for column in columns {
            match column.data_type().primitive_width() {
                Some(width) => bytes.fixed += width,
                None => bytes.others.push(column.clone()),
            }
        }
        bytes
    }

    /// The bytes of a row.
    #[inline]
    pub fn of(&self, row: usize) -> usize {
        self.fixed + self.others.iter().map(|column| range(column.as_ref(), row, row + 1)).sum::<usize>()
    }

    /// The bytes of rows one after the other.
    pub fn of_range(&self, first: usize, end: usize) -> usize {
        let others = self.others.iter().map(|column| range(column.as_ref(), first, end));
        self.fixed * end.saturating_sub(first) + others.sum::<usize>()
    }

    /// The most bytes of any of the first `rows` rows, or more: without looking at each, unless all together have more than `enough`.
    pub fn widest(&self, rows: usize, enough: usize) -> usize {
        match self.of_range(0, rows) {
            all if all <= enough => all,
            _ => (0..rows).map(|row| self.of(row)).max().unwrap_or_default(),
        }
    }
}

/// Cuts `len` things into runs of about `limit` bytes at most; `bytes` is what one of them takes up.
pub fn runs(len: usize, limit: usize, bytes: impl Fn(usize) -> usize) -> Vec<std::ops::Range<usize>> {
    let mut runs = Vec::new();
    let (mut first, mut sum) = (0, 0);
    for at in 0..len {
        let more = bytes(at);
        if at > first && sum + more > limit {
            runs.push(first..at);
            (first, sum) = (at, 0);
        }
        sum += more;
    }
    if first < len {
        runs.push(first..len);
    }
    runs
}

/// The bytes of all rows of a column; of a slice those of the slice.
pub(crate) fn of_column(column: &dyn Array) -> usize {
    range(column, 0, column.len())
}

/// The bytes of some rows of a column.
fn range(column: &dyn Array, first: usize, end: usize) -> usize {
    let rows = end - first;
    match column.data_type() {
        DataType::Null => 0,
        DataType::Boolean => rows,
        DataType::Utf8 => of_offsets(column.as_string::<i32>().offsets(), first, end),
        DataType::Binary => of_offsets(column.as_binary::<i32>().offsets(), first, end),
        DataType::FixedSizeBinary(width) => rows * *width as usize,
        DataType::List(_) => {
            let list = column.as_list::<i32>();
            let (from, to) = (list.offsets()[first] as usize, list.offsets()[end] as usize);
            rows * size_of::<i32>() + range(list.values().as_ref(), from, to)
        }
        DataType::Map(..) => {
            let map = column.as_map();
            let (from, to) = (map.offsets()[first] as usize, map.offsets()[end] as usize);
            rows * size_of::<i32>() + range(map.entries(), from, to)
        }
        DataType::Struct(_) => {
            column.as_struct().columns().iter().map(|field| range(field.as_ref(), first, end)).sum()
        }
        other => match other.primitive_width() {
            Some(width) => rows * width,
            // No type of SQL is kept so: what the whole takes up, in proportion.
            None => column.get_array_memory_size() / column.len().max(1) * rows,
        },
    }
}

fn of_offsets(offsets: &[i32], first: usize, end: usize) -> usize {
    (end - first) * size_of::<i32>() + (offsets[end] - offsets[first]) as usize
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{Int32Array, Int64Array, ListArray, StringArray, StructArray};
    use arrow::datatypes::{Field, Int32Type};

    use super::*;

    #[test]
    fn rows_are_as_large_as_their_values() {
        let numbers: ArrayRef = Arc::new(Int64Array::from(vec![1, 2, 3]));
        assert_eq!(RowBytes::new(&[numbers.clone(), numbers.clone()]).of(1), 16);
        let texts: ArrayRef = Arc::new(StringArray::from(vec![Some("abc"), None, Some("a")]));
        let lists: ArrayRef = Arc::new(ListArray::from_iter_primitive::<Int32Type, _, _>([
            Some(vec![Some(1), None]),
            None,
            Some(vec![]),
        ]));
        let bytes = RowBytes::new(&[numbers, texts.clone(), lists]);
        assert_eq!([bytes.of(0), bytes.of(1), bytes.of(2)], [8 + 7 + 12, 8 + 4 + 4, 8 + 5 + 4]);
        assert_eq!(bytes.of_range(0, 3), bytes.of(0) + bytes.of(1) + bytes.of(2));
        assert_eq!((bytes.widest(3, 10), bytes.widest(3, 1_000)), (27, 60));
        // Sliced columns begin elsewhere.
        let field = Arc::new(Field::new("a", texts.data_type().clone(), true));
        let number: ArrayRef = Arc::new(Int32Array::from(vec![1, 2, 3]));
        let number_field = Arc::new(Field::new("b", number.data_type().clone(), true));
        let rows: ArrayRef = Arc::new(StructArray::from(vec![(field, texts), (number_field, number)]));
        let bytes = RowBytes::new(&[rows.slice(1, 2)]);
        assert_eq!([bytes.of(0), bytes.of(1)], [4 + 4, 5 + 4]);
    }

    #[test]
    fn runs_hold_what_fits_or_one_thing() {
        let sizes = [4, 6, 1, 50, 3, 3];
        assert_eq!(runs(sizes.len(), 10, |at| sizes[at]), [0..2, 2..3, 3..4, 4..6]);
        assert!(runs(0, 10, |_| 1).is_empty());
    }
}
