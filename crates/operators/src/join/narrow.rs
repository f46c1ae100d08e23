//! What is looked at of a pair of rows before it is known whether anybody wants it: the columns that the condition
//! reads, and those of an order. The others are read of the pairs that are left.

use arrow::array::{ArrayRef, RecordBatch};
use arrow::buffer::BooleanBuffer;
use arrow::datatypes::SchemaRef;
use flott_batch::arrow_type;
use flott_operator::Context;
use flott_plan::{Expr, Schema, SortKey};
use flott_types::{Error, Result};

use super::first::First;
use crate::BuildContext;
use crate::support::{Expression, record_batch, take_columns};

/// The condition of a join in addition to its keys, and the order by which only the first row of a key is wanted.
pub(super) struct Narrow {
    /// The columns of the left and of the right that are read.
    reads: [Vec<usize>; 2],
    schema: SchemaRef,
    condition: Option<Expression>,
    first: Option<First>,
}

impl Narrow {
    /// `None` if there is neither a condition nor an order. Both are over the columns of the left, then those of the
    /// right.
    pub fn new(
        condition: Option<&Expr>,
        order: &[SortKey],
        [left, right]: [&Schema; 2],
        context: &BuildContext,
    ) -> Result<Option<Self>> {
        if condition.is_none() && order.is_empty() {
            return Ok(None);
        }
        let width = left.len();
        let mut read = Vec::new();
        condition.iter().for_each(|condition| condition.collect_columns(&mut read));
        read.extend(order.iter().map(|key| key.column));
        read.sort_unstable();
        read.dedup();
        let place = |column: usize| {
            let place = read.binary_search(&column);
            place.map_err(|_| Error::internal(format!("a join reads no column {column}")))
        };
        let both: Vec<_> = left.columns.iter().chain(&right.columns).collect();
        let types = read.iter().map(|column| {
            let known = both.get(*column).map(|column| column.ty.clone());
            let known = known.ok_or_else(|| Error::internal(format!("a join has no column {column}")))?;
            // Names may repeat; columns are identified by position.
            Ok((format!("c{column}"), known))
        });
        let input = Schema::new(types.collect::<Result<Vec<_>>>()?);
        let condition = condition.map(|condition| {
            let moved = condition.clone().transform(&mut |node| match node {
                Expr::Column { index, ty } => Expr::Column { index: place(index).unwrap_or(index), ty },
                other => other,
            });
            Expression::new(&moved, &input, context)
        });
        let schema = arrow_type::schema(input.iter());
        let mut keys = order.to_vec();
        for key in &mut keys {
            key.column = place(key.column)?;
        }
        let of_left = read.partition_point(|column| *column < width);
        let of_right = read[of_left..].iter().map(|column| column - width).collect();
        Ok(Some(Narrow {
            condition: condition.transpose()?,
            first: if keys.is_empty() { None } else { Some(First::new(&schema, &keys)?) },
            schema,
            reads: [read[..of_left].to_vec(), of_right],
        }))
    }

    /// Whether a condition decides what matches.
    pub fn has_condition(&self) -> bool {
        self.condition.is_some()
    }

    /// Nothing is known of these keys.
    pub fn forget(&mut self, keys: &[u32]) {
        self.first.iter_mut().for_each(|first| first.forget(keys));
    }

    /// Of both sides the columns that are read.
    pub fn reads(&self, side: usize) -> &[usize] {
        &self.reads[side]
    }

    /// Which pairs are wanted, of rows of the batch of an input (`rows` of `own`) with those that have these columns of
    /// the other side. `keys` are the slots of the join's key, by row of the batch.
    pub fn wanted(
        &mut self,
        (input, own): (usize, &[ArrayRef]),
        rows: &[u32],
        theirs: Vec<ArrayRef>,
        keys: &[u32],
        context: &Context<'_>,
    ) -> Result<BooleanBuffer> {
        let read: Vec<ArrayRef> = self.reads[input].iter().map(|column| own[*column].clone()).collect();
        let ours = take_columns(&read, rows)?;
        let columns = if input == 0 { [ours, theirs] } else { [theirs, ours] }.concat();
        let pairs: RecordBatch = record_batch(&self.schema, columns, rows.len())?;
        let holds = match &self.condition {
            Some(condition) => condition.holds(&pairs, context)?,
            None => BooleanBuffer::new_set(rows.len()),
        };
        match &mut self.first {
            Some(first) => first.of(pairs.columns(), &holds, |pair| keys[rows[pair] as usize]),
            None => Ok(holds),
        }
    }
}
