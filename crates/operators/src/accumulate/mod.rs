//! Aggregate functions as columns of accumulators by slot.
//!
//! An [`Accumulator`] stores what one aggregate call remembers of every group, in typed columns indexed by
//! the group's slot, and works on batches: `update` runs one typed loop over the rows of a batch.
//! [`Aggregates`] combines all calls of an aggregation, with FILTER and DISTINCT. It forms the values of a
//! [`KeyedTable`](flott_state::KeyedTable), so that accumulators are in snapshots under their names. If an
//! accumulator stores any number of values per group (DISTINCT, `ordered`), that is a separate state over the
//! groups' slots.
//!
//! | file | functions | state of a group |
//! |---|---|---|
//! | `count` | COUNT | a number |
//! | `sum` | SUM, SUM0, AVG | a sum and a count |
//! | `best` | MIN, MAX, FIRST_VALUE, LAST_VALUE of append-only input | one value |
//! | `ordered` | MIN, MAX with retractions | the values and how often each occurs, sorted |
//! | `variance` | STDDEV_*, VAR_*, VARIANCE | count, mean and squared distance (Welford) |
//! | `single` | SINGLE_VALUE | one value and a count |
//! | `bitmap` | BITMAP_*_AGG of append-only input | a set |
//! | `list` | ARRAY_AGG, LISTAGG, JSON_*AGG, PERCENTILE; FIRST_VALUE and LAST_VALUE with retractions | the values in order |
//! | `user` | those of a program | what the program keeps |
//! | `collect` | COLLECT | the distinct values, sorted, and how often each occurs |
//!
//! # Cost
//!
//! Per record and call: reading the slot and the value, and one add into an array by slot. Nothing is
//! allocated, except for values that are new to a DISTINCT, an ordered set or a list.

mod append_distinct;
mod best;
mod bitmap;
mod collect;
mod count;
mod distinct;
mod factory;
mod json;
mod list;
mod numbers;
mod ordered;
mod outcome;
mod set;
mod side;
mod single;
mod sum;
mod user;
mod values;
mod variance;

use arrow::array::ArrayRef;
use arrow::buffer::NullBuffer;
use flott_state::SlotColumns;
use flott_types::{Error, Result};

pub(crate) use set::{Aggregates, Keys, Rows, unique_fields};

/// Rows for one aggregate call.
pub(crate) struct Input<'a> {
    /// The rows that count, by position in the columns.
    pub rows: &'a [u32],
    /// The slots of their groups.
    pub slots: &'a [u32],
    /// Which of them are retractions; `None` if there are none.
    pub retract: Option<&'a [bool]>,
    /// The columns of the arguments; all rows of the batch.
    pub args: &'a [ArrayRef],
}

impl Input<'_> {
    /// The argument of a function that takes one.
    pub fn arg(&self) -> Result<&ArrayRef> {
        self.args.first().ok_or_else(|| Error::internal("an aggregate function lacks its argument"))
    }

    /// Calls `call` with row, slot and sign (1 or -1) for each row that is not NULL.
    #[inline]
    pub fn for_each(&self, nulls: Option<&NullBuffer>, mut call: impl FnMut(usize, usize, i64)) {
        let pairs = self.rows.iter().zip(self.slots);
        match (nulls.filter(|nulls| nulls.null_count() > 0), self.retract) {
            (None, None) => pairs.for_each(|(row, slot)| call(*row as usize, *slot as usize, 1)),
            (Some(nulls), None) => pairs.for_each(|(row, slot)| {
                if nulls.is_valid(*row as usize) {
                    call(*row as usize, *slot as usize, 1);
                }
            }),
            (nulls, Some(retract)) => pairs.zip(retract).for_each(|((row, slot), retract)| {
                if nulls.is_none_or(|nulls| nulls.is_valid(*row as usize)) {
                    call(*row as usize, *slot as usize, if *retract { -1 } else { 1 });
                }
            }),
        }
    }
}

/// What accumulators are merged into.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum MergeInto {
    /// Groups of the table.
    Groups,
    /// Temporary slots beyond the table's.
    Moment,
}

/// What one aggregate call remembers of every group. Called per batch.
pub(crate) trait Accumulator: SlotColumns {
    /// Adds rows, in order.
    fn update(&mut self, input: &Input<'_>) -> Result<()>;

    /// Adds the accumulator in slot `from[i]` to that in slot `to[i]`, in order. Those in `from` are left
    /// unchanged.
    fn merge(&mut self, from: &[u32], to: &[u32], into: MergeInto) -> Result<()>;

    /// Adds partial accumulators, one per row in the columns that [`SlotColumns::read`] returned, to those in
    /// `slots`. Returns whether this is supported: if not, they must be written into slots and merged.
    fn merge_columns(&mut self, slots: &[u32], columns: &[ArrayRef]) -> Result<bool> {
        let _ = (slots, columns);
        Ok(false)
    }

    /// Whether there are states beside the groups' own: see [`SlotColumns::each_state`].
    fn has_side(&self) -> bool {
        false
    }

    /// The results of these groups.
    fn values(&self, slots: &[u32]) -> Result<ArrayRef>;
}
