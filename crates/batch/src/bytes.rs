//! How many bytes rows take up, and how to cut lists of rows into runs that fit into one batch.
//!
//! The offsets of texts, binaries and lists have 32 bits: a column that is gathered from rows of more than 2
//! GB cannot be built. So code that gathers rows that may be wide, or the same row many times, cuts its list
//! of rows first ([`runs`]). Code that cannot know the size of its result beforehand builds it under a limit
//! ([`Room`]), and its caller retries with fewer rows ([`in_parts`]).

use std::ops::Range;

use arrow::array::{Array, ArrayRef, AsArray, UInt32Array};
use arrow::buffer::OffsetBuffer;
use arrow::compute::{concat, interleave, take};
use arrow::datatypes::DataType;
use flott_types::{Error, ErrorKind, Result};

/// A batch in motion has at most about this many bytes, unless a single row has more.
pub const BATCH_BYTES: usize = 64 << 20;

/// The bytes of the rows of some columns. Free if all columns are numbers.
#[derive(Default, Debug)]
pub struct RowBytes {
    /// Of the columns of numbers.
    fixed: usize,
    others: Vec<Wide>,
}

/// A column whose values are of any length.
#[derive(Debug)]
enum Wide {
    /// Texts and binaries: where they begin and end.
    Offsets(OffsetBuffer<i32>),
    Any(ArrayRef),
}

impl Wide {
    fn new(column: &ArrayRef) -> Self {
        match column.data_type() {
            DataType::Utf8 => Wide::Offsets(column.as_string::<i32>().offsets().clone()),
            DataType::Binary => Wide::Offsets(column.as_binary::<i32>().offsets().clone()),
            _ => Wide::Any(column.clone()),
        }
    }

    #[inline]
    fn of(&self, first: usize, end: usize) -> usize {
        match self {
            Wide::Offsets(offsets) => of_offsets(offsets, first, end),
            Wide::Any(column) => range(column.as_ref(), first, end),
        }
    }
}

impl RowBytes {
    /// For the rows of these columns.
    pub fn new(columns: &[ArrayRef]) -> Self {
        let mut bytes = RowBytes { fixed: 0, others: Vec::new() };
        for column in columns {
            match column.data_type().primitive_width() {
                Some(width) => bytes.fixed += width,
                None => bytes.others.push(Wide::new(column)),
            }
        }
        bytes
    }

    /// The bytes of a row.
    #[inline]
    pub fn of(&self, row: usize) -> usize {
        self.fixed + self.others.iter().map(|column| column.of(row, row + 1)).sum::<usize>()
    }

    /// The bytes of rows one after the other.
    pub fn of_range(&self, first: usize, end: usize) -> usize {
        let others = self.others.iter().map(|column| column.of(first, end));
        self.fixed * end.saturating_sub(first) + others.sum::<usize>()
    }

    /// An upper bound for the bytes of any of the first `rows` rows, without looking at each, unless together
    /// they have more than `enough`.
    pub fn widest(&self, rows: usize, enough: usize) -> usize {
        match self.of_range(0, rows) {
            all if all <= enough => all,
            _ => (0..rows).map(|row| self.of(row)).max().unwrap_or_default(),
        }
    }
}

/// How many bytes a column that is being built may have.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Room(usize);

impl Room {
    /// For a single row: as much as offsets can address.
    pub const WHOLE: Room = Room(i32::MAX as usize);

    /// For a column of this many rows, if a batch should have at most `batch_bytes`.
    pub fn of(rows: usize, batch_bytes: usize) -> Self {
        if rows > 1 { Room(batch_bytes.min(Room::WHOLE.0)) } else { Room::WHOLE }
    }

    /// Whether a column of this many bytes is allowed.
    ///
    /// # Errors
    /// [`ErrorKind::TooLarge`] if fewer rows may help, [`ErrorKind::Data`] if a single row is too large.
    #[inline]
    pub fn fits(self, bytes: usize) -> Result<()> {
        if bytes <= self.0 { Ok(()) } else { Err(self.full()) }
    }

    /// Whether all of these together are allowed as one column.
    ///
    /// # Errors
    /// As [`Room::fits`].
    pub fn fit_all<'a>(self, columns: impl IntoIterator<Item = &'a dyn Array>) -> Result<()> {
        self.fits(columns.into_iter().map(of_column).sum())
    }

    #[cold]
    fn full(self) -> Error {
        if self == Room::WHOLE {
            Error::data("a value of one row would have more than 2 GB")
        } else {
            Error::too_large()
        }
    }

    /// The elements at these places.
    ///
    /// # Errors
    /// As [`Room::fits`].
    pub fn take(self, values: &dyn Array, places: &UInt32Array) -> Result<ArrayRef> {
        if is_wide(values.data_type()) {
            let places = places.iter().flatten();
            self.fits(places.map(|at| range(values, at as usize, at as usize + 1)).sum())?;
        }
        take(values, places, None).map_err(arrow_error)
    }

    /// The elements at these places, each of one of the arrays.
    ///
    /// # Errors
    /// As [`Room::fits`].
    pub fn interleave(self, arrays: &[&dyn Array], places: &[(usize, usize)]) -> Result<ArrayRef> {
        if arrays.first().is_some_and(|array| is_wide(array.data_type())) {
            let bytes = |(array, at): &(usize, usize)| range(arrays[*array], *at, *at + 1);
            self.fits(places.iter().map(bytes).sum())?;
        }
        interleave(arrays, places).map_err(arrow_error)
    }

    /// The arrays one after the other.
    ///
    /// # Errors
    /// As [`Room::fits`].
    pub fn concat(self, arrays: &[&dyn Array]) -> Result<ArrayRef> {
        self.fit_all(arrays.iter().copied())?;
        concat(arrays).map_err(arrow_error)
    }
}

/// Runs a step with all rows and, whenever the result is too large, with half as many; `done` gets the
/// results in the order of the rows.
///
/// # Errors
/// Those of `step`, [`ErrorKind::TooLarge`] only for a single row, and those of `done`.
pub fn in_parts<T>(
    rows: usize,
    mut step: impl FnMut(Range<usize>) -> Result<T>,
    mut done: impl FnMut(T) -> Result<()>,
) -> Result<()> {
    let mut parts = Parts::new(rows);
    while let Some(part) = parts.next() {
        if let Some(result) = parts.settle(step(part))? {
            done(result)?;
        }
    }
    Ok(())
}

/// Rows that are processed in parts, or all at once if that is not too large: [`in_parts`] step by step.
#[derive(Debug)]
pub struct Parts {
    rows: usize,
    first: usize,
    /// This many rows at once.
    most: usize,
}

impl Parts {
    /// Of this many rows.
    pub fn new(rows: usize) -> Self {
        Parts { rows, first: 0, most: rows }
    }

    /// The rows to process next.
    pub fn next(&self) -> Option<Range<usize>> {
        (self.first < self.rows).then(|| self.first..self.rows.min(self.first + self.most))
    }

    /// Continues after these rows; or, if they were too many, retries with fewer and returns `None`.
    ///
    /// # Errors
    /// That of the outcome, [`ErrorKind::TooLarge`] only for a single row.
    pub fn settle<T>(&mut self, outcome: Result<T>) -> Result<Option<T>> {
        let rows = self.next().map_or(0, |rows| rows.len());
        match outcome {
            // What was too much here is likely to be too much later.
            Err(error) if error.kind() == ErrorKind::TooLarge && rows > 1 => {
                self.most = rows / 2;
                Ok(None)
            }
            Err(error) => Err(error),
            Ok(result) => {
                self.first += rows;
                Ok(Some(result))
            }
        }
    }
}

/// Whether the values of a type are of any length.
pub fn is_wide(ty: &DataType) -> bool {
    !matches!(ty, DataType::Null | DataType::Boolean) && ty.primitive_width().is_none()
}

fn arrow_error(error: arrow::error::ArrowError) -> Error {
    Error::internal("arrow kernel failed").with_source(error)
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
pub fn of_column(column: &dyn Array) -> usize {
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
            // Not used for SQL types: a proportional part of the whole.
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
        // Sliced columns begin at an offset.
        let field = Arc::new(Field::new("a", texts.data_type().clone(), true));
        let number: ArrayRef = Arc::new(Int32Array::from(vec![1, 2, 3]));
        let number_field = Arc::new(Field::new("b", number.data_type().clone(), true));
        let rows: ArrayRef = Arc::new(StructArray::from(vec![(field, texts), (number_field, number)]));
        let bytes = RowBytes::new(&[rows.slice(1, 2)]);
        assert_eq!([bytes.of(0), bytes.of(1)], [4 + 4, 5 + 4]);
    }

    #[test]
    fn steps_are_halved_until_they_fit() {
        let (mut tried, mut done) = (Vec::new(), Vec::new());
        let step = |rows: Range<usize>| {
            tried.push(rows.len());
            let room = Room::of(rows.len(), 10);
            room.fits(rows.clone().map(|row| if row == 6 { 100 } else { 4 }).sum())?;
            Ok(rows)
        };
        in_parts(9, step, |rows| {
            done.push(rows);
            Ok(())
        })
        .unwrap();
        assert_eq!(done, [0..2, 2..4, 4..6, 6..7, 7..8, 8..9]);
        assert_eq!(tried, [9, 4, 2, 2, 2, 2, 1, 1, 1]);
        let error = in_parts(3, |_| Room::WHOLE.fits(1 << 31), |()| Ok(())).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Data);
    }

    #[test]
    fn what_is_gathered_fits() {
        let texts: ArrayRef = Arc::new(StringArray::from(vec!["abcd", "e"]));
        let room = Room::of(2, 16);
        let places = UInt32Array::from(vec![Some(0), None, Some(0)]);
        assert_eq!(room.take(&texts, &places).unwrap().len(), 3);
        let kind = |result: Result<ArrayRef>| result.unwrap_err().kind();
        assert_eq!(kind(room.take(&texts, &UInt32Array::from(vec![0; 3]))), ErrorKind::TooLarge);
        assert_eq!(kind(room.interleave(&[&texts], &[(0, 0); 3])), ErrorKind::TooLarge);
        assert_eq!(kind(room.concat(&[&texts, &texts])), ErrorKind::TooLarge);
        assert_eq!(Room::of(1, 16).concat(&[&texts, &texts]).unwrap().len(), 4);
    }

    #[test]
    fn runs_hold_what_fits_or_one_thing() {
        let sizes = [4, 6, 1, 50, 3, 3];
        assert_eq!(runs(sizes.len(), 10, |at| sizes[at]), [0..2, 2..3, 3..4, 4..6]);
        assert!(runs(0, 10, |_| 1).is_empty());
    }
}
