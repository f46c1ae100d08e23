//! Of all joined rows with one key only the first by an order is wanted (`ROW_NUMBER() = 1` over a join): the others are
//! not put together.
//!
//! Rows that sort behind one that was emitted are dropped, and of those that are matched at a time all but the first.
//! Rows that sort equal pass: which of them is first is decided by the operator that asks for it.
//!
//! The sort key of the first row of each key is kept in memory only. After a restore, and when a key had left memory,
//! more rows pass than need to.
//!
//! Cost of a pair: encoding its sort key, two comparisons of bytes.

use arrow::array::ArrayRef;
use arrow::buffer::BooleanBuffer;
use arrow::datatypes::SchemaRef;
use arrow::row::RowConverter;
use flott_plan::SortKey;
use flott_state::BinaryColumn;
use flott_types::Result;

use crate::rank::sorter;
use crate::support::kernel;

/// The first sort key of each key of the join that is in memory.
pub(super) struct First {
    sorter: RowConverter,
    columns: Vec<usize>,
    /// By key.
    sorted: BinaryColumn,
}

impl First {
    /// For an order over columns of a schema.
    pub fn new(schema: &SchemaRef, order: &[SortKey]) -> Result<Self> {
        Ok(First {
            sorter: sorter(schema, order)?,
            columns: order.iter().map(|key| key.column).collect(),
            sorted: BinaryColumn::new("sorted"),
        })
    }

    /// Nothing is known of these keys: their slots were those of others.
    pub fn forget(&mut self, keys: &[u32]) {
        keys.iter().for_each(|key| self.sorted.set(*key, None));
    }

    /// Of pairs that match (`holds`) those that may be first.
    pub fn of(
        &mut self,
        columns: &[ArrayRef],
        holds: &BooleanBuffer,
        key_of: impl Fn(usize) -> u32,
    ) -> Result<BooleanBuffer> {
        let keys: Vec<ArrayRef> = self.columns.iter().map(|column| columns[*column].clone()).collect();
        let sorted = self.sorter.convert_columns(&keys).map_err(kernel)?;
        for pair in holds.set_indices() {
            let (key, new) = (key_of(pair), sorted.row(pair));
            if self.sorted.get(key).is_none_or(|old| new.as_ref() < old) {
                self.sorted.set(key, Some(new.as_ref()));
            }
        }
        let is_first = |pair: usize| {
            holds.value(pair) && self.sorted.get(key_of(pair)) == Some(sorted.row(pair).as_ref())
        };
        Ok(BooleanBuffer::collect_bool(holds.len(), is_first))
    }
}
