//! Restores rows of a side that were told apart in another way: what the planner knows of an input changes with
//! the query, and earlier versions counted all rows.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int64Array, RecordBatch, UInt32Array};
use arrow::compute::take_record_batch;
use arrow::datatypes::{Field, FieldRef, Fields, Int64Type, Schema};
use arrow::row::{RowConverter, SortField};
use flott_state::RestoredState;
use flott_types::{Error, FastMap, Result};

use super::side::{ARRIVAL, COUNT, Layout};
use crate::support::kernel;

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
/// # Errors
/// If they have other columns.
pub(super) fn adapted(stored: Vec<RecordBatch>, kept: &Kept<'_>) -> Result<Vec<RecordBatch>> {
    if stored.iter().all(|rows| kept.is(rows)) {
        return Ok(stored);
    }
    let picked = match kept.layout {
        Layout::Counted => distinct(&stored, kept, |known, _| known)?,
        // The row that came last counts.
        Layout::Unique => distinct(&stored, kept, |_, last| last)?,
        Layout::Appended(_) => repeated(&stored)?,
    };
    let mut next = 0;
    let own_keys = kept.keys.len() + kept.identity.len();
    let adapt = |(rows, picked): (RecordBatch, Vec<(u32, i64)>)| {
        let places = UInt32Array::from_iter_values(picked.iter().map(|(row, _)| *row));
        let rows = take_record_batch(&rows, &places).map_err(kernel)?;
        let number: Option<(&str, Int64Array)> = match kept.layout {
            Layout::Counted => {
                Some((COUNT, Int64Array::from_iter_values(picked.iter().map(|(_, count)| *count))))
            }
            Layout::Unique => None,
            Layout::Appended(_) => {
                let first = next;
                next += picked.len() as i64;
                Some((ARRIVAL, Int64Array::from_iter_values(first..next)))
            }
        };
        let rows = with_number(&rows, number)?;
        // They are told apart by other columns than in its files, which are to be replaced.
        RestoredState::told_apart_by(rows, if own_keys == 0 { 1 } else { 0 })
    };
    stored.into_iter().zip(picked).map(adapt).collect()
}

/// Each row as often as it was counted.
fn repeated(stored: &[RecordBatch]) -> Result<Vec<Vec<(u32, i64)>>> {
    let of = |rows: &RecordBatch| {
        let count = count_of(rows)?;
        let each = |row: usize| {
            std::iter::repeat_n((row as u32, 1), count.map_or(1, |count| count.value(row).max(0) as usize))
        };
        Ok((0..rows.num_rows()).flat_map(each).collect())
    };
    stored.iter().map(of).collect()
}

/// One row of those that are told apart by nothing, and how many there are. `choose` tells which.
fn distinct(
    stored: &[RecordBatch],
    kept: &Kept<'_>,
    choose: impl Fn(Place, Place) -> Place,
) -> Result<Vec<Vec<(u32, i64)>>> {
    let fields = kept.told_apart_by().map(|field| SortField::new(field.data_type().clone()));
    let converter = RowConverter::new(fields.collect()).map_err(kernel)?;
    let mut known: FastMap<Box<[u8]>, (Place, i64)> = FastMap::default();
    for (batch, rows) in stored.iter().enumerate() {
        let column = |field: &FieldRef| {
            let known = rows.column_by_name(field.name()).cloned();
            known
                .ok_or_else(|| Error::state(format!("column '{}' of a join's side is missing", field.name())))
        };
        let columns = kept.told_apart_by().map(column).collect::<Result<Vec<ArrayRef>>>()?;
        let count = count_of(rows)?;
        let encoded = match columns.is_empty() {
            true => None,
            false => Some(converter.convert_columns(&columns).map_err(kernel)?),
        };
        for row in 0..rows.num_rows() {
            let bytes: Box<[u8]> =
                encoded.as_ref().map_or_else(Box::default, |rows| rows.row(row).as_ref().into());
            let place = Place { batch, row: row as u32 };
            let times = count.map_or(1, |count| count.value(row));
            let (at, sum) = known.entry(bytes).or_insert((place, 0));
            *at = choose(*at, place);
            *sum += times;
        }
    }
    let mut picked: Vec<Vec<(u32, i64)>> = vec![Vec::new(); stored.len()];
    for (place, count) in known.into_values() {
        picked[place.batch].push((place.row, count));
    }
    picked.iter_mut().for_each(|rows| rows.sort_unstable());
    Ok(picked)
}

/// A row of the snapshot.
#[derive(Clone, Copy)]
struct Place {
    batch: usize,
    row: u32,
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
