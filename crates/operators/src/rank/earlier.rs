//! Rows of partitions as a state of several rows for each has them, of which one is wanted now: a query that asked for more,
//! whose input was updated, or of an earlier version.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, RecordBatch, UInt32Array};
use arrow::compute::take_record_batch;
use arrow::datatypes::{FieldRef, Int64Type, Schema};
use arrow::row::Rows;
use flott_state::{BinaryColumn, KeyIndex, RestoredState, Stored};
use flott_types::{Error, Result};

use super::best::wins;
use crate::keyed_columns::KeyedColumns;
use crate::support::{kernel, record_batch};

/// The column that told the rows of a partition apart.
const ARRIVAL: &str = "$arrival";

/// A row of the snapshot, and when it came.
#[derive(Clone, Copy, Default)]
struct Place {
    batch: usize,
    row: u32,
    arrival: i64,
}

/// The first row of each partition; rows that are the only ones of theirs are given back. `sort` encodes the sort keys of
/// rows of the input.
///
/// # Errors
/// If the rows are not those of such a state.
pub(super) fn first_rows(
    stored: Vec<RecordBatch>,
    columns: &KeyedColumns,
    latest_first: bool,
    sort: impl Fn(&[ArrayRef]) -> Result<Rows>,
) -> Result<Vec<RecordBatch>> {
    let (keys, rest) = columns.fields();
    let several = |rows: &RecordBatch| {
        // Otherwise it is a column of the input.
        rows.column_by_name(ARRIVAL).is_some() && RestoredState::number_of_keys(rows) != Some(keys.len())
    };
    if !stored.iter().any(several) {
        return Ok(stored);
    }
    let mut index = KeyIndex::new(keys)?;
    let (mut slots, mut sorted, mut best) = (Vec::new(), BinaryColumn::new("sorted"), Vec::<Place>::new());
    for (batch, rows) in stored.iter().enumerate() {
        let read = |fields: &[FieldRef]| {
            let column = |field: &FieldRef| Stored::of(rows, field)?.same_type(field);
            fields.iter().map(column).collect::<Result<Vec<ArrayRef>>>()
        };
        let partitions = read(keys)?;
        index.intern(&partitions, rows.num_rows(), &mut slots, |_, _| ())?;
        best.resize(index.slots_end(), Place::default());
        let encoded = sort(&columns.reassemble(read(rest)?, || Ok(partitions))?)?;
        let arrivals = rows.column_by_name(ARRIVAL).and_then(|column| column.as_primitive_opt::<Int64Type>());
        let arrivals = arrivals.ok_or_else(|| Error::state(format!("'{ARRIVAL}' is no number")))?;
        for (row, slot) in slots.iter().enumerate() {
            let place = Place { batch, row: row as u32, arrival: arrivals.value(row) };
            let known = &mut best[*slot as usize];
            let new = encoded.row(row);
            let later = place.arrival > known.arrival;
            // Of rows that sort equal the one counts that came first, or last.
            let ahead = |old: &[u8]| wins(new.as_ref(), old, later == latest_first);
            if sorted.get(*slot).is_none_or(ahead) {
                *known = place;
                sorted.set(*slot, Some(new.as_ref()));
            }
        }
    }
    let mut picked: Vec<Vec<u32>> = vec![Vec::new(); stored.len()];
    best.iter().for_each(|place| picked[place.batch].push(place.row));
    let first = |(rows, mut picked): (&RecordBatch, Vec<u32>)| {
        picked.sort_unstable();
        let rows = take_record_batch(rows, &UInt32Array::from(picked)).map_err(kernel)?;
        let fields = rows.schema_ref().fields().iter().zip(rows.columns());
        let others = fields.filter(|(field, _)| field.name() != ARRIVAL);
        let (fields, columns): (Vec<FieldRef>, Vec<ArrayRef>) =
            others.map(|(field, column)| (field.clone(), column.clone())).unzip();
        let rows = record_batch(&Arc::new(Schema::new(fields)), columns, rows.num_rows())?;
        // They are told apart by other columns than in its files, which are to be replaced.
        RestoredState::told_apart_by(rows, usize::from(keys.is_empty()))
    };
    stored.iter().zip(picked).map(first).collect()
}
