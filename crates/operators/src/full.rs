//! Tests that no operator's keyed state grows beyond the memory for it where it may not leave: that is an error.

use flott_plan::{OperatorSpec, SortKey, WindowKind, WindowSpec};

use crate::harness::{Harness, call, node};

const ROW: &str = "INT TIMESTAMP(3) INT";

fn top(order: Vec<SortKey>, to: u64, input_updates: bool) -> OperatorSpec {
    OperatorSpec::TopN {
        partition: vec![0],
        order,
        from: 1,
        to: Some(to),
        output_rank: false,
        input_updates,
        ttl: 0,
        window_end: None,
        emit_update_before: true,
    }
}

fn window(kind: WindowKind) -> OperatorSpec {
    OperatorSpec::WindowAggregate {
        window: WindowSpec { kind, time_column: 1, event_time: true, zone: None },
        keys: vec![0],
        aggregates: vec![call("COUNT", &[], "BIGINT")],
        phase: flott_plan::AggregatePhase::Single,
        attached: None,
        window_columns: [true, true, false],
        input_updates: false,
    }
}

fn over(time_column: Option<usize>) -> OperatorSpec {
    OperatorSpec::OverAggregate {
        partition: vec![0],
        time_column,
        preceding: None,
        rows: true,
        aggregates: vec![call("SUM", &[(2, "INT")], "INT")],
        ttl: 0,
    }
}

#[test]
fn what_may_not_leave_memory_and_does_not_fit_is_an_error() {
    let by_number = || vec![SortKey { column: 2, descending: true, nulls_first: false }];
    let windows = "INT BIGINT TIMESTAMP(3) TIMESTAMP(3)";
    let sums = "INT TIMESTAMP(3) INT INT";
    let cases = [
        ("last row", top(by_number(), 1, false), ROW),
        ("top 3", top(by_number(), 3, false), ROW),
        ("top 3, retracting", top(by_number(), 3, true), ROW),
        ("tumbling", window(WindowKind::Tumble { size: 10_000, offset: 0 }), windows),
        ("session", window(WindowKind::Session { gap: 10_000 }), windows),
        ("over, by arrival", over(None), sums),
        ("over, in event time", over(Some(1)), sums),
    ];
    for (name, spec, output) in cases {
        let mut operator = Harness::keyed(node(spec, &[ROW], output), &[&[0]]).resident("200 kb");
        let rows = |first: i32| {
            (first..first + 100).map(|n| format!("+I {n} 1970-01-01T00:00:01.000 {n}\n")).collect::<String>()
        };
        operator.try_push(0, &rows(0)).unwrap();
        let failed = (1..100).find_map(|step| operator.try_push(0, &rows(step * 100)).err());
        let error = failed.unwrap_or_else(|| panic!("{name}: no error")).to_string();
        assert!(error.contains("'state.backend.type: hashmap'"), "{name}: {error}");
    }
}
