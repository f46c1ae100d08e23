//! Restores rows of a side that were told apart in another way: what the planner knows of an input changes with
//! the query, and earlier versions counted all rows.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int64Array, RecordBatch, UInt32Array};
use arrow::compute::take_record_batch;
use arrow::datatypes::{Field, FieldRef, Fields, Int64Type, Schema};
use arrow::row::{RowConverter, SortField};
use flott_batch::hash::hash_columns;
use flott_state::RestoredState;
use flott_types::{Error, FastMap, Result};

use super::side::{ARRIVAL, COUNT, Layout};
use crate::support::kernel;

/// How many rows are compared with each other at a time.
const COMPARED: usize = 1 << 20;

/// How rows are told apart now.
pub(super) struct Kept<'a> {
    pub layout: Layout,
    pub keys: &'a [FieldRef],
    /// The columns that tell the rows of a key apart.
    pub identity: Vec<&'a FieldRef>,
}

impl Kept<'_> {
    fn told_apart_by(&self) -> impl Iterator<Item = &FieldRef> {
        self.keys.iter().chain(self.identity.iter().copied())
    }

    /// Whether rows were told apart in the same way.
    fn is(&self, rows: &RecordBatch) -> bool {
        let has = |name: &str| rows.schema_ref().column_with_name(name).is_some();
        match self.layout {
            Layout::Counted => has(COUNT),
            Layout::Appended(_) => has(ARRIVAL),
            Layout::Unique => {
                let mut first = rows.schema_ref().fields().iter().zip(self.told_apart_by());
                let by = RestoredState::number_of_keys(rows);
                by == Some(self.told_apart_by().count()) && first.all(|(is, own)| is.name() == own.name())
            }
        }
    }
}

/// The rows of a snapshot, told apart as they are now.
///
/// Whether rows that are unique now were so before is seen when they are restored: [`not_unique`].
///
/// # Errors
/// If they have other columns, or a row that is unique now is there several times.
pub(super) fn adapted(stored: Vec<RecordBatch>, kept: &Kept<'_>) -> Result<Vec<RecordBatch>> {
    if stored.iter().all(|rows| kept.is(rows)) {
        return Ok(stored);
    }
    let own_keys = kept.keys.len() + kept.identity.len();
    // They are told apart by other columns than in its files, which are to be replaced.
    let replaced = |rows| RestoredState::told_apart_by(rows, if own_keys == 0 { 1 } else { 0 });
    let mut counts = match kept.layout {
        Layout::Counted => counts(&stored, kept)?.into_iter(),
        Layout::Unique | Layout::Appended(_) => Vec::new().into_iter(),
    };
    let mut next = 0;
    let adapt = |rows: RecordBatch| {
        let number = match kept.layout {
            Layout::Counted => {
                let (first, counts) = counts.next().unwrap_or_default();
                (taken(&rows, first)?, Some((COUNT, Int64Array::from(counts))))
            }
            Layout::Unique => (taken(&rows, each_once(&rows)?)?, None),
            Layout::Appended(_) => {
                let each = repeated(&rows)?;
                let first = next;
                next += each.len() as i64;
                (taken(&rows, each)?, Some((ARRIVAL, Int64Array::from_iter_values(first..next))))
            }
        };
        let (rows, number) = number;
        replaced(with_number(&rows, number)?)
    };
    stored.into_iter().map(adapt).collect()
}

/// The error if several rows have the values that one may have now. Which of them is meant cannot be told, and rows
/// that were joined with the others were sent.
pub(super) fn not_unique() -> Error {
    Error::state(
        "several rows of an input have the same unique key: it was none when the snapshot was taken; start the query without this state",
    )
}

fn taken(rows: &RecordBatch, places: Vec<u32>) -> Result<RecordBatch> {
    take_record_batch(rows, &UInt32Array::from(places)).map_err(kernel)
}

/// The rows that are there.
fn each_once(rows: &RecordBatch) -> Result<Vec<u32>> {
    let Some(count) = count_of(rows)? else { return Ok((0..rows.num_rows() as u32).collect()) };
    if count.values().iter().any(|count| *count > 1) {
        return Err(not_unique());
    }
    Ok((0..rows.num_rows() as u32).filter(|row| count.value(*row as usize) > 0).collect())
}

/// Each row as often as it was counted.
fn repeated(rows: &RecordBatch) -> Result<Vec<u32>> {
    let count = count_of(rows)?;
    let times = |row: u32| count.map_or(1, |count| count.value(row as usize).max(0) as usize);
    Ok((0..rows.num_rows() as u32).flat_map(|row| std::iter::repeat_n(row, times(row))).collect())
}

/// Rows of a batch, and how many there are of each.
type Counts = (Vec<u32>, Vec<i64>);

/// By batch: the first row of those that are equal, and how many there are.
///
/// Equal rows have equal hashes, so only those with some of the hashes are compared at a time.
fn counts(stored: &[RecordBatch], kept: &Kept<'_>) -> Result<Vec<Counts>> {
    let fields = kept.told_apart_by().map(|field| SortField::new(field.data_type().clone()));
    let converter = RowConverter::new(fields.collect()).map_err(kernel)?;
    let rows: usize = stored.iter().map(RecordBatch::num_rows).sum();
    let parts = rows.div_ceil(COMPARED).max(1) as u64;
    let mut counts: Vec<Counts> = vec![Counts::default(); stored.len()];
    for part in 0..parts {
        let mut known: FastMap<Box<[u8]>, (usize, usize)> = FastMap::default();
        for (batch, rows) in stored.iter().enumerate() {
            let column = |field: &FieldRef| {
                let known = rows.column_by_name(field.name()).cloned();
                known.ok_or_else(|| Error::state(format!("column '{}' is missing", field.name())))
            };
            let columns = kept.told_apart_by().map(column).collect::<Result<Vec<ArrayRef>>>()?;
            let mut hashes = Vec::new();
            hash_columns(&columns, rows.num_rows(), &mut hashes);
            let of_part = hashes.iter().zip(0..).filter(|(hash, _)| **hash % parts == part);
            let of_part: Vec<u32> = of_part.map(|(_, row)| row).collect();
            let encoded = match columns.is_empty() {
                true => None,
                false => {
                    let columns = crate::support::take_columns(&columns, &of_part)?;
                    Some(converter.convert_columns(&columns).map_err(kernel)?)
                }
            };
            let count = count_of(rows)?;
            for (at, row) in of_part.into_iter().enumerate() {
                let times = count.map_or(1, |count| count.value(row as usize));
                let bytes = encoded.as_ref().map_or(&[][..], |encoded| encoded.row(at).data());
                match known.get(bytes) {
                    Some((batch, at)) => counts[*batch].1[*at] += times,
                    None => {
                        known.insert(bytes.into(), (batch, counts[batch].0.len()));
                        counts[batch].0.push(row);
                        counts[batch].1.push(times);
                    }
                }
            }
        }
    }
    Ok(counts)
}

fn count_of(rows: &RecordBatch) -> Result<Option<&Int64Array>> {
    let Some(column) = rows.column_by_name(COUNT) else { return Ok(None) };
    let count = column.as_primitive_opt::<Int64Type>();
    count.map(Some).ok_or_else(|| Error::state(format!("'{COUNT}' of a join's side is no number")))
}

/// The rows with another number behind their columns.
fn with_number(rows: &RecordBatch, number: Option<(&str, Int64Array)>) -> Result<RecordBatch> {
    let schema = rows.schema();
    let old = |name: &str| name == COUNT || name == ARRIVAL;
    let kept = schema.fields().iter().zip(rows.columns()).filter(|(field, _)| !old(field.name()));
    let (mut fields, mut columns): (Vec<FieldRef>, Vec<ArrayRef>) =
        kept.map(|(field, column)| (field.clone(), column.clone())).unzip();
    if let Some((name, numbers)) = number {
        fields.push(Arc::new(Field::new(name, numbers.data_type().clone(), true)));
        columns.push(Arc::new(numbers));
    }
    let schema = Arc::new(Schema::new(Fields::from(fields)));
    crate::support::record_batch(&schema, columns, rows.num_rows())
}
