//! Keys as bytes, and rows by key.

use arrow::array::{ArrayRef, RecordBatch, UInt32Array};
use arrow::compute::{concat_batches, take_record_batch};
use arrow::datatypes::SchemaRef;
use arrow::row::{RowConverter, Rows, SortField};
use flott_types::{Error, FastMap, Result};

use super::Found;

/// Makes bytes of keys: equal keys have equal bytes.
pub(super) struct KeyBytes(RowConverter);

impl KeyBytes {
    pub(super) fn new(columns: &[ArrayRef]) -> Result<Self> {
        let fields = columns.iter().map(|column| SortField::new(column.data_type().clone())).collect();
        RowConverter::new(fields).map(KeyBytes).map_err(|error| wrong("keys of a lookup", error))
    }

    pub(super) fn of(&self, columns: &[ArrayRef]) -> Result<Rows> {
        self.0.convert_columns(columns).map_err(|error| {
            Error::internal("a lookup was called with keys of the wrong types").with_source(error)
        })
    }
}

pub(super) fn wrong(what: &str, error: arrow::error::ArrowError) -> Error {
    Error::internal(what).with_source(error)
}

/// Rows in memory, by key.
pub(super) struct Index {
    bytes: KeyBytes,
    /// Those of one key stand together.
    rows: RecordBatch,
    /// Where those of a key are: the first, and how many.
    ranges: FastMap<Box<[u8]>, (u32, u32)>,
}

impl Index {
    /// Of batches of one schema: `keys` are the columns by which rows are found, `columns` those that are
    /// answered.
    pub(super) fn new(
        schema: &SchemaRef,
        batches: &[RecordBatch],
        keys: &[usize],
        columns: &[usize],
    ) -> Result<Self> {
        let all = concat_batches(schema, batches).map_err(|error| wrong("rows of a lookup", error))?;
        let key_columns: Vec<ArrayRef> = keys.iter().map(|key| all.column(*key).clone()).collect();
        let bytes = KeyBytes::new(&key_columns)?;
        let encoded = bytes.of(&key_columns)?;
        let has_key = |row: &u32| key_columns.iter().all(|column| column.is_valid(*row as usize));
        let count = u32::try_from(all.num_rows()).map_err(|_| Error::too_large())?;
        let mut order: Vec<u32> = (0..count).filter(has_key).collect();
        // Stable: rows of a key stay in the order in which they were read.
        order.sort_by(|a, b| encoded.row(*a as usize).cmp(&encoded.row(*b as usize)));
        let mut ranges: FastMap<Box<[u8]>, (u32, u32)> = FastMap::default();
        for (at, row) in (0..).zip(&order) {
            let key = encoded.row(*row as usize);
            match ranges.get_mut(key.as_ref()) {
                Some((_, rows)) => *rows += 1,
                None => _ = ranges.insert(key.as_ref().into(), (at, 1)),
            }
        }
        let answered = all.project(columns).map_err(|error| wrong("columns of a lookup", error))?;
        let rows = take_record_batch(&answered, &UInt32Array::from(order));
        Ok(Index { bytes, rows: rows.map_err(|error| wrong("rows of a lookup", error))?, ranges })
    }

    /// The rows of each key.
    pub(super) fn find(&self, keys: &RecordBatch) -> Result<Found> {
        let encoded = self.bytes.of(keys.columns())?;
        let (mut rows, mut numbers) = (Vec::new(), Vec::new());
        for (number, key) in (0..).zip(encoded.iter()) {
            if let Some((first, count)) = self.ranges.get(key.as_ref()) {
                rows.extend(*first..first + count);
                numbers.extend(std::iter::repeat_n(number, *count as usize));
            }
        }
        let rows = take_record_batch(&self.rows, &UInt32Array::from(rows));
        Found::new(rows.map_err(|error| wrong("rows of a lookup", error))?, numbers)
    }
}
