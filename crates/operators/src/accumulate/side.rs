//! What accumulators that keep a multiset of values for each group have in common.
//!
//! The multiset is a separate state over the same slots as the groups: a group's key is interned once,
//! however many calls keep values for it.

use arrow::array::{Array, ArrayRef};
use arrow::compute::SortOptions;
use arrow::datatypes::FieldRef;
use flott_state::Multiset;
use flott_types::Result;

use crate::support::take_columns;

/// A multiset of values, sorted by the first column or not at all. The counts are called `numbers` in
/// snapshots.
pub(super) fn multiset(
    name: &str,
    numbers: &str,
    values: &[FieldRef],
    order: Option<SortOptions>,
) -> Result<Multiset> {
    let order = order.map(|options| [(0, options)]);
    let order = order.as_ref().map(|order| order.as_slice());
    Multiset::new(name, values, order, &format!("{name}.{numbers}"))
}

/// The values of groups that are to be merged: for each, the position of its group and its entry.
pub(super) fn entries_of(set: &Multiset, groups: &[u32]) -> (Vec<u32>, Vec<u32>) {
    let entries = groups.iter().enumerate().flat_map(|(at, group)| {
        let entries = set.entries_of(*group);
        entries.map(move |entry| (at as u32, entry))
    });
    entries.unzip()
}

/// The rows of an input in which no argument is NULL.
pub(super) fn without_nulls(args: &[ArrayRef], rows: &[u32]) -> Option<Vec<usize>> {
    let nulls: Vec<_> =
        args.iter().filter_map(|arg| arg.logical_nulls()).filter(|n| n.null_count() > 0).collect();
    if nulls.is_empty() {
        return None;
    }
    let valid = |at: &usize| nulls.iter().all(|nulls| nulls.is_valid(rows[*at] as usize));
    Some((0..rows.len()).filter(valid).collect())
}

/// These rows of the columns; shared if they are all rows.
pub(super) fn gather(columns: &[ArrayRef], rows: &[u32]) -> Result<Vec<ArrayRef>> {
    let all = columns.iter().all(|column| column.len() == rows.len())
        && rows.iter().enumerate().all(|(at, row)| at == *row as usize);
    if all { Ok(columns.to_vec()) } else { take_columns(columns, rows) }
}
