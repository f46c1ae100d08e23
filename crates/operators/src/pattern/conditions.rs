//! Whether a row may match a variable.

use arrow::array::{ArrayRef, RecordBatch};
use arrow::buffer::BooleanBuffer;
use arrow::datatypes::SchemaRef;
use flott_batch::arrow_type;
use flott_operator::Context;
use flott_pattern::Run;
use flott_plan::{PatternCondition, PatternVariable, Schema};
use flott_types::{Error, Result};

use super::references::{Match, Projection};
use super::window::Window;
use crate::BuildContext;
use crate::support::{Expression, record_batch};

/// The conditions of all variables.
pub(super) struct Conditions {
    schema: SchemaRef,
    conditions: Vec<Condition>,
}

enum Condition {
    Always,
    /// Depends on the row alone.
    Row(Expression),
    /// Depends on earlier rows too.
    Path(Projection),
}

/// A row of a batch that is being matched.
pub(super) struct Row<'a, 'c> {
    /// Its position in the batch.
    pub index: usize,
    /// The slot of its key.
    pub slot: u32,
    /// For each variable whose condition depends on the row alone: the rows of the batch that match it.
    pub alone: &'a [Option<BooleanBuffer>],
    /// The rows that are available.
    pub window: &'a Window,
    pub context: &'a Context<'c>,
}

/// The conditions, applied to one row.
pub(super) struct Asked<'a, 'c> {
    conditions: &'a mut [Condition],
    row: Row<'a, 'c>,
}

impl Conditions {
    pub fn new(variables: &[PatternVariable], input: &Schema, context: &BuildContext) -> Result<Self> {
        let condition = |variable: &PatternVariable| {
            Ok(match &variable.condition {
                None => Condition::Always,
                Some(PatternCondition::Row(condition)) => {
                    Condition::Row(Expression::new(condition, input, context)?)
                }
                Some(PatternCondition::Path { references, condition }) => {
                    let condition = std::slice::from_ref(condition);
                    Condition::Path(Projection::new(references, condition, (variables, input), context)?)
                }
            })
        };
        Ok(Conditions {
            schema: arrow_type::schema(input.iter()),
            conditions: variables.iter().map(condition).collect::<Result<_>>()?,
        })
    }

    /// Evaluates the conditions that depend on the row alone for all rows of a batch.
    pub fn of_rows(
        &self,
        columns: &[ArrayRef],
        rows: usize,
        context: &Context<'_>,
    ) -> Result<Vec<Option<BooleanBuffer>>> {
        if rows == 0 {
            return Ok(Vec::new());
        }
        let batch: RecordBatch = record_batch(&self.schema, columns.to_vec(), rows)?;
        let truth = |condition: &Condition| match condition {
            Condition::Row(condition) => condition.holds(&batch, context).map(Some),
            Condition::Always | Condition::Path(_) => Ok(None),
        };
        self.conditions.iter().map(truth).collect()
    }

    /// The conditions for one row.
    pub fn ask<'a, 'c>(&'a mut self, row: Row<'a, 'c>) -> Asked<'a, 'c> {
        Asked { conditions: &mut self.conditions, row }
    }
}

impl flott_pattern::Conditions for Asked<'_, '_> {
    type Error = Error;

    fn holds(&mut self, variable: usize, run: &Run, number: u64) -> Result<bool> {
        let Row { index, slot, alone, window, context } = &self.row;
        match self.conditions.get_mut(variable) {
            Some(Condition::Path(condition)) => {
                let rows = window.rows(*slot);
                let place = rows.map(|rows| rows.place(number)).transpose()?;
                let current = place.map(|place| (variable, place));
                condition.holds(window, Match { run, rows, current }, context)
            }
            Some(Condition::Row(_)) => {
                Ok(alone.get(variable).and_then(Option::as_ref).is_some_and(|truth| truth.value(*index)))
            }
            Some(Condition::Always) | None => Ok(true),
        }
    }
}
