//! Generates watermarks from rows, like Flink's `WatermarkAssignerOperator`.

use flott_operator::event_time::EventTimeOperator;
use flott_plan::{ChainedNode, WatermarkSpec};
use flott_types::Result;

use crate::BuildContext;
use crate::stateless::watermark_expression::WatermarkExpression;

/// The operator. As in Flink, it knows no event time before 1970.
pub(crate) fn watermark_assigner(
    node: &ChainedNode,
    spec: &WatermarkSpec,
    context: &BuildContext,
) -> Result<EventTimeOperator> {
    let generator = WatermarkExpression::new(spec, crate::build::input(node, 0)?, context)?;
    Ok(EventTimeOperator::new(generator.factory(), spec.interval, spec.idle_timeout).starting_at(0))
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
    fn rows_in_order_are_emitted_in_one_batch() {
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
    fn an_interval_of_zero_sends_a_watermark_per_row() {
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
    fn idleness_is_sent_and_ended_by_a_row() {
        let mut assigner = assigner(200, 1_000);
        assert!(assigner.push(&rows(&[(10, 5)])).ends_with("watermark 5000\n"));
        assert_eq!(assigner.advance(999), "");
        assert_eq!(assigner.advance(1), "idle\n");
        assert!(assigner.push(&rows(&[(11, 6)])).starts_with("active\n"));
    }

    #[test]
    fn only_the_end_of_event_time_is_forwarded() {
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
    fn a_restored_assigner_continues_where_it_stopped() {
        let mut assigner = assigner(10_000, 0);
        assert!(assigner.push(&rows(&[(30, 25), (35, 30)])).ends_with("watermark 25000\n"));
        assigner.checkpoint(false);
        assigner.restore(1);
        let out = assigner.push(&rows(&[(20, 15), (36, 36)]));
        assert!(out.starts_with("watermark 25000\n"), "{out}");
        assert!(out.ends_with("watermark 36000\n"), "{out}");
    }
}
