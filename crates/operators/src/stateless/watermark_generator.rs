//! Watermarks out of rows: what the WatermarkAssigner and sources with watermarks of their own have in common.
//!
//! In Flink a watermark follows the row with which it advanced by more than the interval. Cutting the batch at each of these
//! rows would give tiny batches, and nothing depends on most of the cuts: what a watermark does to the rows after it
//! is to make them late, or to close a session before them. A row whose time is more than a millisecond above the
//! watermark cannot be late for any window, nor touch a session that has ended. So the batch is cut only before rows at or
//! below the pending watermark (plus one); a batch in order leaves whole, followed by its last watermark. With an interval of
//! 0 every watermark is sent on its own, as somebody asked for exactly that.
//!
//! Cost of a record: evaluating the watermark expression, a few comparisons.

use flott_batch::{Batch, ChangeBatch};
use flott_operator::Output;
use flott_plan::{Expr, Literal, Schema, WatermarkSpec};
use flott_types::{Result, Timestamp, TypeKind, Watermark};

use crate::BuildContext;
use crate::support::{Expression, Millis};

/// Computes watermarks and sends them between and after the rows that they come from.
pub struct WatermarkGenerator {
    expression: Expression,
    time_column: usize,
    interval: i64,
    /// A later row has no earlier watermark.
    follows_time: bool,
}

/// How far the event time of a stream has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct EventTime {
    /// The highest watermark of any row.
    pub current: Timestamp,
    /// The watermark that was sent last.
    pub sent: Timestamp,
}

/// Whether the expression is the time, or the time and a constant interval.
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

impl WatermarkGenerator {
    /// For rows of this schema.
    ///
    /// # Errors
    /// If the expression cannot be compiled.
    pub fn new(spec: &WatermarkSpec, input: &Schema, context: &BuildContext) -> Result<Self> {
        Ok(WatermarkGenerator {
            expression: Expression::new(&spec.expression, input, context)?,
            time_column: spec.time_column,
            interval: spec.interval,
            follows_time: follows_time(&spec.expression, spec.time_column),
        })
    }

    /// Sends on the rows of a compact batch, and the watermarks that they bring about. None is above `cap`, which is what
    /// other rows of the same stream (another split's) allow.
    ///
    /// # Errors
    /// [`flott_types::ErrorKind::Data`] if a time attribute is NULL.
    pub fn emit(
        &self,
        batch: &ChangeBatch,
        time: &mut EventTime,
        cap: Timestamp,
        now: Timestamp,
        output: &mut dyn Output,
    ) -> Result<()> {
        let times = Millis::new(batch.column(self.time_column))?;
        times.refuse_nulls()?;
        // Most batches bring no watermark: then only the greatest matters.
        if self.follows_time && self.interval > 0 {
            let Some(latest) = times.latest() else { return Ok(()) };
            let latest = batch.columns().slice(latest, 1);
            let mark = self.expression.evaluate_at(&latest, now, Watermark::MIN)?;
            let current = time.current.max(Millis::new(&mark)?.get(0));
            if current.min(cap).saturating_sub(time.sent) <= self.interval {
                time.current = current;
                return output.emit(Batch::Changes(batch.clone()));
            }
        }
        let marks = self.expression.evaluate_at(batch.columns(), now, Watermark::MIN)?;
        let marks = Millis::new(&marks)?;

        // `pending` is what Flink would have sent before the row at hand, `sent` what we did send.

        let mut pending = time.sent;
        let mut start = 0;
        let eager = self.interval <= 0;
        for row in 0..batch.physical_rows() {
            let cut = pending > time.sent && (eager || times.get(row) <= pending.saturating_add(1));
            if cut && row > start {
                output.emit(Batch::Changes(batch.slice(start, row - start)))?;
                start = row;
            }
            if cut {
                time.sent = pending;
                output.watermark(Watermark(pending))?;
            }
            if marks.is_valid(row) {
                time.current = time.current.max(marks.get(row));
            }
            let reached = time.current.min(cap);
            if reached.saturating_sub(pending) > self.interval {
                pending = reached;
            }
        }
        output.emit(Batch::Changes(batch.slice(start, batch.physical_rows() - start)))?;
        if pending > time.sent {
            time.sent = pending;
            output.watermark(Watermark(pending))?;
        }
        Ok(())
    }
}
