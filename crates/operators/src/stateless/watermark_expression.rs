//! The watermark expression of a table: a generator for the WatermarkAssigner, and for each split of a source
//! with per-split watermarks.
//!
//! A watermark is sent when it is more than the interval above the last one. With an interval of 0, every
//! watermark is sent, because that is what such an interval asks for.
//!
//! Cost of a record: evaluating the watermark expression, a few comparisons.

use std::sync::Arc;

use flott_batch::Batch;
use flott_operator::event_time::{EventTime, EventTimeGenerator, GeneratorFactory};
use flott_plan::{Expr, Literal, Schema, WatermarkSpec};
use flott_types::{Result, Timestamp, TypeKind, Watermark};

use crate::BuildContext;
use crate::support::{Expression, Millis, columns_of};

/// Computes watermarks from rows. It is stateless: cloning shares the expression.
#[derive(Clone)]
pub(crate) struct WatermarkExpression(Arc<Inner>);

struct Inner {
    expression: Expression,
    time_column: usize,
    interval: i64,
    /// Whether a later row never has an earlier watermark.
    follows_time: bool,
}

/// Whether the expression is the time itself, or the time plus or minus a constant interval.
fn follows_time(expression: &Expr, time_column: usize) -> bool {
    let is_time = |expr: &Expr| matches!(expr, Expr::Column { index, .. } if *index == time_column);
    match expression {
        Expr::Call { function, args, .. } => match args.as_slice() {
            [time, Expr::Literal { value: Literal::Integer(_), ty }] => {
                matches!(function.as_str(), "-" | "+")
                    && ty.kind == TypeKind::IntervalDaySecond
                    && is_time(time)
            }
            _ => false,
        },
        other => is_time(other),
    }
}

impl WatermarkExpression {
    /// For rows of this schema.
    ///
    /// # Errors
    /// If the expression cannot be compiled.
    pub fn new(spec: &WatermarkSpec, input: &Schema, context: &BuildContext) -> Result<Self> {
        Ok(WatermarkExpression(Arc::new(Inner {
            expression: Expression::new(&spec.expression, input, context)?,
            time_column: spec.time_column,
            interval: spec.interval,
            follows_time: follows_time(&spec.expression, spec.time_column),
        })))
    }

    /// Creates one for each split.
    pub fn factory(self) -> GeneratorFactory {
        Box::new(move || Box::new(self.clone()))
    }
}

impl EventTimeGenerator for WatermarkExpression {
    /// # Errors
    /// [`flott_types::ErrorKind::Data`] if a time attribute is NULL.
    fn rows(&mut self, batch: Batch, time: &mut EventTime, now: Timestamp) -> Result<Batch> {
        let Inner { expression, time_column, interval, follows_time } = &*self.0;
        let batch = columns_of(batch)?.compact()?;
        let times = Millis::required(batch.column(*time_column))?;
        // Most batches cause no watermark: then only the greatest value matters.
        if *follows_time && *interval > 0 {
            let Some(latest) = times.latest() else { return Ok(batch.into()) };
            let latest = batch.columns().slice(latest, 1);
            let mark = expression.evaluate_at(&latest, now, Watermark::MIN)?;
            let highest = Millis::new(&mark)?.get(0);
            if time.advance_with(highest) <= *interval {
                time.reach(highest);
                return Ok(batch.into());
            }
        }
        let marks = expression.evaluate_at(batch.columns(), now, Watermark::MIN)?;
        let marks = Millis::new(&marks)?;
        let each = *interval <= 0;
        for row in 0..batch.physical_rows() {
            time.row(row, times.get(row));
            if marks.is_valid(row) {
                time.reach(marks.get(row));
            }
            match time.advance() > *interval {
                true if each => time.say_at_once(),
                true => time.say(),
                false => {}
            }
        }
        Ok(batch.into())
    }
}
