//! A naive snapshot store: all rows by the text of their key.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

use arrow::array::{ArrayRef, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use arrow::util::display::array_value_to_string;
use flott_state::{KeyedDelta, RestoredState};

/// The rows that a chain of deltas adds up to.
#[derive(Default)]
pub struct Chain {
    rows: BTreeMap<String, (u16, RecordBatch)>,
}

/// A row of columns as text.
pub fn text(columns: &[ArrayRef], row: usize) -> String {
    // Printing a time zone needs its database.
    let plain = |column: &ArrayRef| match column.data_type() {
        DataType::Timestamp(..) => cast(column, &DataType::Int64).unwrap(),
        _ => column.clone(),
    };
    let columns: Vec<ArrayRef> = columns.iter().map(plain).collect();
    let values = columns.iter().map(|column| {
        if column.is_null(row) { "NULL".to_owned() } else { array_value_to_string(column, row).unwrap() }
    });
    values.collect::<Vec<_>>().join("|")
}

/// A snapshot that has these rows of one state.
pub fn restored(name: &str, rows: Vec<RecordBatch>) -> RestoredState {
    let mut restored = RestoredState { found: true, ..RestoredState::default() };
    restored.keyed.insert(name.to_owned(), rows);
    restored
}

impl Chain {
    /// Applies a delta, checking that it keeps its promises.
    pub fn apply(&mut self, delta: &KeyedDelta) {
        if delta.full {
            self.rows.clear();
            assert!(delta.deleted.is_none());
        }
        assert_eq!(delta.key_groups.len(), delta.rows.num_rows());
        let mut seen = BTreeSet::new();
        for row in 0..delta.rows.num_rows() {
            let key = text(&delta.rows.columns()[..delta.key_columns], row);
            assert!(seen.insert(key.clone()), "key {key} occurs twice");
            let deleted = delta.deleted.as_ref().is_some_and(|deleted| deleted.value(row));
            if deleted {
                assert!(self.rows.remove(&key).is_some(), "{key} was deleted, but never written");
            } else {
                self.rows.insert(key, (delta.key_groups[row], delta.rows.slice(row, 1)));
            }
        }
    }

    /// The rows of some key groups.
    pub fn batches(&self, key_groups: RangeInclusive<u16>) -> Vec<RecordBatch> {
        self.rows
            .values()
            .filter(|(group, _)| key_groups.contains(group))
            .map(|(_, row)| row.clone())
            .collect()
    }
}
