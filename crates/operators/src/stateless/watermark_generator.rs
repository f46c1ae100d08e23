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
use flott_plan::{Schema, WatermarkSpec};
use flott_types::{Result, Timestamp, Watermark};

use crate::BuildContext;
use crate::support::{Expression, Millis};

/// Computes watermarks and sends them between and after the rows that they come from.
pub struct WatermarkGenerator {
    expression: Expression,
    time_column: usize,
    interval: i64,
}

/// How far the event time of a stream has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct EventTime {
    /// The highest watermark of any row.
    pub current: Timestamp,
    /// The watermark that was sent last.
    pub sent: Timestamp,
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
        let marks = self.expression.evaluate_at(batch.columns(), now, Watermark::MIN)?;
        let marks = Millis::new(&marks)?;

        // `pending` is what Flink would have sent before the row at hand, `sent` what we did send.
        // Most batches bring no watermark: then only the greatest matters.
        let greatest = marks.greatest();
        let reached = time.current.max(greatest.unwrap_or(Timestamp::MIN)).min(cap);
        if self.interval > 0 && reached.saturating_sub(time.sent) <= self.interval {
            time.current = time.current.max(greatest.unwrap_or(Timestamp::MIN));
            return output.emit(Batch::Changes(batch.clone()));
        }
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
