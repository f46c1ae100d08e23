//! Values of matched rows (FIRST, LAST and aggregates) as columns over which expressions are computed.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray, UInt32Array};
use arrow::datatypes::{Schema as ArrowSchema, SchemaRef};
use flott_batch::arrow_type;
use flott_batch::bytes::Room;
use flott_operator::Context;
use flott_pattern::Run;
use flott_plan::{Expr, PatternReference, PatternValue, PatternVariable, Schema};
use flott_state::SlotColumns;
use flott_types::{Error, Result};

use super::window::{KeyRows, Window};
use crate::BuildContext;
use crate::accumulate::{Aggregates, Keys, Rows};
use crate::support::{Expression, record_batch};

/// A match over rows of a window.
pub(super) struct Match<'a> {
    pub run: &'a Run,
    /// The rows of its key.
    pub rows: Option<&'a KeyRows>,
    /// A candidate for its next row, and the variable that the row would match.
    pub current: Option<(usize, u32)>,
}

impl Match<'_> {
    /// The position of its first row.
    pub fn first_row(&self) -> Result<u32> {
        self.place(self.run.first_row())
    }

    fn place(&self, number: u64) -> Result<u32> {
        let rows = self.rows.ok_or_else(|| Error::internal("a match of a key without rows"))?;
        rows.place(number)
    }

    fn current(&self, variables: &[usize]) -> Option<u32> {
        self.current.filter(|(variable, _)| variables.contains(variable)).map(|(_, place)| place)
    }

    /// Calls `each` with each row of these variables, in order.
    fn for_each(&self, variables: &[usize], mut each: impl FnMut(u32)) -> Result<()> {
        for (_, rows) in self.run.spans().filter(|(variable, _)| variables.contains(variable)) {
            for number in rows {
                each(self.place(number)?);
            }
        }
        self.current(variables).into_iter().for_each(each);
        Ok(())
    }

    /// The row at an offset after the first one of these variables.
    fn nth_row(&self, variables: &[usize], mut offset: u64) -> Result<Option<u32>> {
        for (_, rows) in self.run.spans().filter(|(variable, _)| variables.contains(variable)) {
            let len = rows.end - rows.start;
            if offset < len {
                return self.place(rows.start + offset).map(Some);
            }
            offset -= len;
        }
        Ok(self.current(variables).filter(|_| offset == 0))
    }

    /// The row at an offset before the last one of these variables.
    fn nth_row_back(&self, variables: &[usize], mut offset: u64) -> Result<Option<u32>> {
        if let Some(current) = self.current(variables) {
            match offset.checked_sub(1) {
                None => return Ok(Some(current)),
                Some(rest) => offset = rest,
            }
        }
        for (_, rows) in self.run.spans_back().filter(|(variable, _)| variables.contains(variable)) {
            let len = rows.end - rows.start;
            if offset < len {
                return self.place(rows.end - 1 - offset).map(Some);
            }
            offset -= len;
        }
        Ok(None)
    }
}

struct Reference {
    variables: Vec<usize>,
    value: Value,
}

enum Value {
    First {
        column: usize,
        offset: u64,
    },
    Last {
        column: usize,
        offset: u64,
    },
    /// The variables' names.
    Classifier(Vec<String>),
    /// One call; its groups are temporary and stand for matches.
    Aggregate(Box<Aggregates>),
}

impl Reference {
    fn new(
        reference: &PatternReference,
        variables: &[PatternVariable],
        context: &BuildContext,
    ) -> Result<Self> {
        let value = match &reference.value {
            PatternValue::First { column, offset } => Value::First { column: *column, offset: *offset },
            PatternValue::Last { column, offset } => Value::Last { column: *column, offset: *offset },
            PatternValue::Classifier => {
                Value::Classifier(variables.iter().map(|variable| variable.name.clone()).collect())
            }
            PatternValue::Aggregate(call) => {
                let keys = Keys {
                    fields: Vec::new(),
                    partition_columns: 0,
                    max_parallelism: context.max_parallelism,
                    streaming: context.streaming,
                    functions: context.functions.clone(),
                };
                let calls = Aggregates::new(std::slice::from_ref(call), false, &keys)?;
                if calls.has_side() {
                    let refused = format!("{} with DISTINCT in MATCH_RECOGNIZE", call.function);
                    return Err(Error::unsupported(refused));
                }
                Value::Aggregate(Box::new(calls))
            }
        };
        Ok(Reference { variables: reference.variables.clone(), value })
    }

    /// One value per match.
    fn evaluate(&mut self, window: &Window, matches: &[Match<'_>], room: Room) -> Result<ArrayRef> {
        let (variables, columns) = (&self.variables, window.columns());
        let pick = |column: &usize, rows: Result<Vec<Option<u32>>>| {
            let column = columns
                .get(*column)
                .ok_or_else(|| Error::internal(format!("there is no column {column}")))?;
            room.take(column, &UInt32Array::from(rows?))
        };
        match &mut self.value {
            Value::First { column, offset } => {
                pick(column, matches.iter().map(|found| found.nth_row(variables, *offset)).collect())
            }
            Value::Last { column, offset } => {
                pick(column, matches.iter().map(|found| found.nth_row_back(variables, *offset)).collect())
            }
            Value::Classifier(names) => {
                let variable = |found: &Match<'_>| match found.current {
                    Some((variable, _)) => Some(variable),
                    None => found.run.last_variable(),
                };
                let name = |found| variable(found).and_then(|variable| names.get(variable));
                Ok(Arc::new(matches.iter().map(name).collect::<StringArray>()))
            }
            Value::Aggregate(calls) => {
                let groups: Vec<u32> = (0..matches.len() as u32).collect();
                let (mut rows, mut slots) = (Vec::new(), Vec::new());
                for (group, found) in groups.iter().zip(matches) {
                    calls.reset(*group);
                    found.for_each(variables, |row| {
                        rows.push(row);
                        slots.push(*group);
                    })?;
                }
                calls.update(&Rows { columns, rows: &rows, slots: &slots, retract: None })?;
                room.fits(groups.iter().map(|group| calls.bytes_of(*group)).sum())?;
                let result = calls.values(&groups)?.pop();
                result.ok_or_else(|| Error::internal("an aggregate without a result"))
            }
        }
    }
}

/// Expressions over values of matched rows.
pub(super) struct Projection {
    references: Vec<Reference>,
    schema: SchemaRef,
    exprs: Vec<Expression>,
}

impl Projection {
    pub fn new(
        references: &[PatternReference],
        exprs: &[Expr],
        (variables, input): (&[PatternVariable], &Schema),
        context: &BuildContext,
    ) -> Result<Self> {
        let known = |reference: &PatternReference| match &reference.value {
            PatternValue::First { column, .. } | PatternValue::Last { column, .. } => *column < input.len(),
            PatternValue::Aggregate(call) => call.args.iter().all(|arg| *arg < input.len()),
            PatternValue::Classifier => true,
        };
        if !references.iter().all(known) {
            return Err(Error::internal("MATCH_RECOGNIZE reads a column that its input does not have"));
        }
        let name = |(at, reference): (usize, &PatternReference)| (format!("${at}"), reference.ty.clone());
        let types = Schema::new(references.iter().enumerate().map(name));
        // A value is NULL if its variable has no row.
        let fields = arrow_type::schema(types.iter());
        let nullable = fields.fields().iter().map(|field| field.as_ref().clone().with_nullable(true));
        Ok(Projection {
            references: references
                .iter()
                .map(|reference| Reference::new(reference, variables, context))
                .collect::<Result<_>>()?,
            schema: Arc::new(ArrowSchema::new(nullable.collect::<Vec<_>>())),
            exprs: exprs.iter().map(|expr| Expression::new(expr, &types, context)).collect::<Result<_>>()?,
        })
    }

    /// The values that the expressions read, one row per match.
    fn values(&mut self, window: &Window, matches: &[Match<'_>], room: Room) -> Result<RecordBatch> {
        let columns = self.references.iter_mut().map(|reference| reference.evaluate(window, matches, room));
        record_batch(&self.schema, columns.collect::<Result<_>>()?, matches.len())
    }

    /// The expressions' results, one row per match.
    pub fn evaluate(
        &mut self,
        window: &Window,
        matches: &[Match<'_>],
        room: Room,
        context: &Context<'_>,
    ) -> Result<Vec<ArrayRef>> {
        let values = self.values(window, matches, room)?;
        self.exprs.iter().map(|expr| expr.evaluate(&values, context)).collect()
    }

    /// Whether the first expression is TRUE for a match.
    pub fn holds(&mut self, window: &Window, found: Match<'_>, context: &Context<'_>) -> Result<bool> {
        let values = self.values(window, &[found], Room::WHOLE)?;
        match self.exprs.first() {
            Some(expr) => Ok(expr.holds(&values, context)?.value(0)),
            None => Ok(true),
        }
    }
}
