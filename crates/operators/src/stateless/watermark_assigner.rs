//! Generates watermarks from rows, as Flink's `WatermarkAssignerOperator`.
//!
//! Which watermarks a batch brings about is [`super::watermark_generator`]'s; here is the stream's state: what was sent, what a
//! snapshot keeps of it, and idleness by the clock.

use flott_batch::{Batch, WatermarkStatus};
use flott_operator::{Context, Operator};
use flott_plan::{ChainedNode, WatermarkSpec};
use flott_state::{ListState, OperatorSnapshot, Redistribution, RestoredState};
use flott_types::{CheckpointId, Error, Result, Timestamp, Watermark};

use crate::BuildContext;
use crate::stateless::watermark_generator::{EventTime, WatermarkGenerator};
use crate::support::columns_of;

/// The operator.
pub(crate) struct WatermarkAssigner {
    spec: WatermarkSpec,
    generator: WatermarkGenerator,
    /// Starts at 0, as in Flink: there is no event time before 1970.
    time: EventTime,
    idle: bool,
    last_row_at: Timestamp,
    /// The watermark sent last comes out of a snapshot and was not sent in this run.
    restored: bool,
    done: bool,
}

/// The name of the state.
const STATE: &str = "watermark";

impl WatermarkAssigner {
    pub fn new(node: &ChainedNode, spec: &WatermarkSpec, context: &BuildContext) -> Result<Self> {
        let input = crate::build::input(node, 0)?;
        Ok(WatermarkAssigner {
            generator: WatermarkGenerator::new(spec, input, context)?,
            spec: spec.clone(),
            time: EventTime { current: 0, sent: 0 },
            idle: false,
            last_row_at: 0,
            restored: false,
            done: false,
        })
    }

    fn send(&mut self, context: &mut Context<'_>) -> Result<()> {
        if self.time.current > self.time.sent {
            self.time.sent = self.time.current;
            context.output.watermark(Watermark(self.time.sent))?;
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
        if self.spec.interval > 0 && self.time.current > self.time.sent {
            context.schedule(context.now + self.spec.interval);
        }
        if self.spec.idle_timeout > 0 && !self.idle {
            context.schedule(self.last_row_at + self.spec.idle_timeout);
        }
    }
}

impl Operator for WatermarkAssigner {
    /// With as many entries as subtasks the one of this subtask counts, so that the run goes on as it would have; else the
    /// least of all.
    fn open(&mut self, mut restored: RestoredState, context: &mut Context<'_>) -> Result<()> {
        let parse = |entry: &String| -> Option<(Timestamp, Timestamp)> {
            let (current, sent) = entry.split_once(' ')?;
            Some((current.parse().ok()?, sent.parse().ok()?))
        };
        let entries = restored.take_list(STATE);
        let all: Option<Vec<_>> = entries.iter().map(parse).collect();
        let all = all.ok_or_else(|| Error::state("the watermarks of a WatermarkAssigner cannot be read"))?;
        let mine = match all.get(context.info.subtask.index()) {
            Some(mine) if all.len() == context.info.parallelism as usize => Some(*mine),
            _ => all.iter().map(|(current, _)| *current).min().zip(all.iter().map(|(_, sent)| *sent).min()),
        };
        if let Some((current, sent)) = mine {
            self.time = EventTime { current, sent };
            self.restored = sent > 0;
        }
        self.last_row_at = context.now;
        self.schedule(context);
        Ok(())
    }

    fn process(&mut self, _: usize, batch: Batch, context: &mut Context<'_>) -> Result<()> {
        let batch = columns_of(batch)?.compact()?;
        self.activate(context)?;
        if std::mem::take(&mut self.restored) {
            context.output.watermark(Watermark(self.time.sent))?;
        }
        self.generator.emit(&batch, &mut self.time, Timestamp::MAX, context.now, context.output)?;
        self.schedule(context);
        Ok(())
    }

    fn snapshot(&mut self, _: CheckpointId, _: bool) -> Result<OperatorSnapshot> {
        let entries = vec![format!("{} {}", self.time.current, self.time.sent)];
        let list = ListState { name: STATE.to_owned(), redistribution: Redistribution::Union, entries };
        Ok(OperatorSnapshot { lists: vec![list], ..OperatorSnapshot::default() })
    }

    /// Watermarks from upstream count for nothing, except the end of event time.
    fn watermark(&mut self, watermark: Watermark, context: &mut Context<'_>) -> Result<()> {
        if watermark == Watermark::MAX && !self.done {
            self.done = true;
            self.activate(context)?;
            self.time.current = Timestamp::MAX;
            self.time.sent = Timestamp::MAX;
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::harness::{Harness, column, node};
    use expect_test::expect;
    use flott_plan::OperatorSpec;

    /// The watermark is the second column.
    fn assigner(interval: i64, idle_timeout: i64) -> Harness {
        let expression = column(1, "TIMESTAMP(3)");
        let spec = WatermarkSpec { time_column: 0, expression, interval, idle_timeout };
        let row = "TIMESTAMP(3) TIMESTAMP(3)";
        Harness::new(node(OperatorSpec::WatermarkAssigner(spec), &[row], row))
    }

    fn rows(seconds: &[(i64, i64)]) -> String {
        let at = |second: &i64| format!("1970-01-01T00:{:02}:{:02}.000", second / 60, second % 60);
        seconds.iter().map(|(time, mark)| format!("+I {} {}\n", at(time), at(mark))).collect()
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

    #[test]
    fn a_restored_assigner_goes_on_where_it_was() {
        let mut assigner = assigner(10_000, 0);
        assert!(assigner.push(&rows(&[(30, 25), (35, 30)])).ends_with("watermark 25000\n"));
        assigner.checkpoint(false);
        assigner.restore(1);
        let out = assigner.push(&rows(&[(20, 15), (36, 36)]));
        assert!(out.starts_with("watermark 25000\n"), "{out}");
        assert!(out.ends_with("watermark 36000\n"), "{out}");
    }
}
