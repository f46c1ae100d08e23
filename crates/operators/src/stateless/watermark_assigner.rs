//! Generates watermarks from rows, as Flink's `WatermarkAssignerOperator`.
//!
//! In Flink a watermark follows the row with which it advanced by more than the interval. Cutting the batch at each of these
//! rows would give tiny batches, and nothing depends on most of the cuts: what a watermark does to the rows after it
//! is to make them late, or to close a session before them. A row whose time is more than a millisecond above the
//! watermark cannot be late for any window, nor touch a session that has ended. So the batch is cut only before rows at or
//! below the pending watermark (plus one); a batch in order leaves whole, followed by its last watermark. With an interval of
//! 0 every watermark is sent on its own, as somebody asked for exactly that.
//!
//! Cost of a record: evaluating the watermark expression, a few comparisons.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{DataType, TimeUnit, TimestampMicrosecondType, TimestampNanosecondType};
use flott_batch::{Batch, WatermarkStatus};
use flott_operator::{Context, Operator};
use flott_plan::{ChainedNode, WatermarkSpec};
use flott_state::RestoredState;
use flott_types::{Error, Result, Timestamp, Watermark};

use crate::BuildContext;
use crate::support::{Expression, columns_of};

/// The operator.
pub(crate) struct WatermarkAssigner {
    spec: WatermarkSpec,
    expression: Expression,
    /// The highest watermark of any row. Starts at 0, as in Flink: there is no event time before 1970.
    current: Timestamp,
    /// The watermark sent last.
    sent: Timestamp,
    idle: bool,
    last_row_at: Timestamp,
    done: bool,
}

impl WatermarkAssigner {
    pub fn new(node: &ChainedNode, spec: &WatermarkSpec, context: &BuildContext) -> Result<Self> {
        let input = crate::build::input(node, 0)?;
        Ok(WatermarkAssigner {
            expression: Expression::new(&spec.expression, input, context)?,
            spec: spec.clone(),
            current: 0,
            sent: 0,
            idle: false,
            last_row_at: 0,
            done: false,
        })
    }

    fn send(&mut self, context: &mut Context<'_>) -> Result<()> {
        if self.current > self.sent {
            self.sent = self.current;
            context.output.watermark(Watermark(self.sent))?;
        }
        Ok(())
    }

    fn activate(&mut self, context: &mut Context<'_>) -> Result<()> {
        self.last_row_at = context.now;
        if std::mem::take(&mut self.idle) {
            context.output.watermark_status(WatermarkStatus::Active)?;
        }
        Ok(())
    }

    fn schedule(&self, context: &mut Context<'_>) {
        if self.spec.interval > 0 && self.current > self.sent {
            context.schedule(context.now + self.spec.interval);
        }
        if self.spec.idle_timeout > 0 && !self.idle {
            context.schedule(self.last_row_at + self.spec.idle_timeout);
        }
    }
}

impl Operator for WatermarkAssigner {
    fn open(&mut self, _: RestoredState, context: &mut Context<'_>) -> Result<()> {
        self.last_row_at = context.now;
        self.schedule(context);
        Ok(())
    }

    fn process(&mut self, _: usize, batch: Batch, context: &mut Context<'_>) -> Result<()> {
        let batch = columns_of(batch)?.compact()?;
        let times = batch.column(self.spec.time_column);
        if times.null_count() > 0 {
            return Err(Error::data(
                "RowTime field should not be null, please convert it to a non-null long value.",
            ));
        }
        self.activate(context)?;
        let times = Millis::new(times)?;
        let marks = self.expression.evaluate(batch.columns(), context)?;
        let marks = Millis::new(&marks)?;

        // `pending` is what Flink would have sent before the row at hand, `sent` what we did send.
        let mut pending = self.sent;
        let mut start = 0;
        let eager = self.spec.interval <= 0;
        for row in 0..batch.physical_rows() {
            let cut = pending > self.sent && (eager || times.get(row) <= pending.saturating_add(1));
            if cut && row > start {
                context
                    .output
                    .emit(Batch::Changes(batch.slice(start, row - start)))?;
                start = row;
            }
            if cut {
                self.sent = pending;
                context.output.watermark(Watermark(pending))?;
            }
            if marks.is_valid(row) {
                self.current = self.current.max(marks.get(row));
            }
            if self.current - pending > self.spec.interval {
                pending = self.current;
            }
        }
        context
            .output
            .emit(Batch::Changes(batch.slice(start, batch.physical_rows() - start)))?;
        if pending > self.sent {
            self.sent = pending;
            context.output.watermark(Watermark(pending))?;
        }
        self.schedule(context);
        Ok(())
    }

    /// Watermarks from upstream count for nothing, except the end of event time.
    fn watermark(&mut self, watermark: Watermark, context: &mut Context<'_>) -> Result<()> {
        if watermark == Watermark::MAX && !self.done {
            self.done = true;
            self.activate(context)?;
            self.current = Timestamp::MAX;
            self.sent = Timestamp::MAX;
            context.output.watermark(watermark)?;
        }
        Ok(())
    }

    /// This operator says itself whether its stream is idle, unless it has no opinion.
    fn watermark_status(&mut self, status: WatermarkStatus, context: &mut Context<'_>) -> Result<()> {
        if self.spec.idle_timeout > 0 {
            return Ok(());
        }
        self.idle = status == WatermarkStatus::Idle;
        context.output.watermark_status(status)
    }

    fn processing_time(&mut self, now: Timestamp, context: &mut Context<'_>) -> Result<()> {
        if self.done {
            return Ok(());
        }
        self.send(context)?;
        let timeout = self.spec.idle_timeout;
        if timeout > 0 && !self.idle && now - self.last_row_at >= timeout {
            self.idle = true;
            context.output.watermark_status(WatermarkStatus::Idle)?;
        }
        self.schedule(context);
        Ok(())
    }
}

/// A timestamp column read as milliseconds.
struct Millis<'a> {
    values: &'a [i64],
    nulls: Option<&'a arrow::buffer::NullBuffer>,
    divisor: i64,
}

impl<'a> Millis<'a> {
    fn new(column: &'a ArrayRef) -> Result<Self> {
        let (values, divisor) = match column.data_type() {
            DataType::Timestamp(TimeUnit::Microsecond, _) => {
                (column.as_primitive::<TimestampMicrosecondType>().values(), 1_000)
            }
            DataType::Timestamp(TimeUnit::Nanosecond, _) => (
                column.as_primitive::<TimestampNanosecondType>().values(),
                1_000_000,
            ),
            other => return Err(Error::internal(format!("a time attribute cannot be {other}"))),
        };
        Ok(Millis {
            values,
            nulls: column.nulls(),
            divisor,
        })
    }

    #[inline]
    fn get(&self, row: usize) -> Timestamp {
        self.values[row].div_euclid(self.divisor)
    }

    fn is_valid(&self, row: usize) -> bool {
        self.nulls.is_none_or(|nulls| nulls.is_valid(row))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::harness::{Harness, column, node};
    use expect_test::expect;
    use flott_plan::OperatorSpec;

    /// The watermark is the second column.
    fn assigner(interval: i64, idle_timeout: i64) -> Harness {
        let expression = column(1, "TIMESTAMP(3)");
        let spec = WatermarkSpec {
            time_column: 0,
            expression,
            interval,
            idle_timeout,
        };
        let row = "TIMESTAMP(3) TIMESTAMP(3)";
        Harness::new(node(OperatorSpec::WatermarkAssigner(spec), &[row], row))
    }

    fn rows(seconds: &[(i64, i64)]) -> String {
        let at = |second: &i64| format!("1970-01-01T00:{:02}:{:02}.000", second / 60, second % 60);
        seconds
            .iter()
            .map(|(time, mark)| format!("+I {} {}\n", at(time), at(mark)))
            .collect()
    }

    #[test]
    fn rows_in_order_leave_in_one_batch() {
        let mut assigner = assigner(200, 0);
        expect![[r#"
            +I 1970-01-01T00:00:10.000 1970-01-01T00:00:05.000
            +I 1970-01-01T00:00:11.000 1970-01-01T00:00:06.000
            +I 1970-01-01T00:00:30.000 1970-01-01T00:00:25.000
            watermark 25000
        "#]]
        .assert_eq(&assigner.push(&rows(&[(10, 5), (11, 6), (30, 25)])));
    }

    #[test]
    fn a_late_row_sees_the_watermark_before_it() {
        let mut assigner = assigner(200, 0);
        expect![[r#"
            +I 1970-01-01T00:00:10.000 1970-01-01T00:00:05.000
            +I 1970-01-01T00:00:30.000 1970-01-01T00:00:25.000
            watermark 25000
            +I 1970-01-01T00:00:25.000 1970-01-01T00:00:20.000
            +I 1970-01-01T00:00:31.000 1970-01-01T00:00:26.000
            watermark 26000
        "#]]
        .assert_eq(&assigner.push(&rows(&[(10, 5), (30, 25), (25, 20), (31, 26)])));
    }

    #[test]
    fn an_interval_of_zero_gives_a_watermark_a_row() {
        let mut assigner = assigner(0, 0);
        expect![[r#"
            +I 1970-01-01T00:00:10.000 1970-01-01T00:00:05.000
            watermark 5000
            +I 1970-01-01T00:00:10.000 1970-01-01T00:00:05.000
            +I 1970-01-01T00:00:30.000 1970-01-01T00:00:25.000
            watermark 25000
        "#]]
        .assert_eq(&assigner.push(&rows(&[(10, 5), (10, 5), (30, 25)])));
    }

    #[test]
    fn a_small_advance_is_sent_when_the_interval_has_passed_by_the_clock() {
        let mut assigner = assigner(10_000, 0);
        assert!(!assigner.push(&rows(&[(10, 5)])).contains("watermark"));
        assert_eq!(assigner.advance(9_999), "");
        assert_eq!(assigner.advance(1), "watermark 5000\n");
    }

    #[test]
    fn idleness_is_told_and_ended_by_a_row() {
        let mut assigner = assigner(200, 1_000);
        assert!(assigner.push(&rows(&[(10, 5)])).ends_with("watermark 5000\n"));
        assert_eq!(assigner.advance(999), "");
        assert_eq!(assigner.advance(1), "idle\n");
        assert!(assigner.push(&rows(&[(11, 6)])).starts_with("active\n"));
    }

    #[test]
    fn only_the_end_of_event_time_passes() {
        let mut assigner = assigner(200, 0);
        assert_eq!(assigner.watermark(77), "");
        assert_eq!(assigner.watermark(i64::MAX), "watermark MAX\n");
        assert_eq!(assigner.watermark(i64::MAX), "");
    }

    #[test]
    fn a_time_attribute_that_is_null_fails() {
        let mut assigner = assigner(200, 0);
        let error = assigner.try_push(0, "+I NULL NULL").unwrap_err();
        assert_eq!(
            error.message(),
            "RowTime field should not be null, please convert it to a non-null long value."
        );
    }
}
