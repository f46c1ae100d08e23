use expect_test::expect;
use flott_batch::ChangeBatch;
use flott_batch::bytes::RowBytes;
use flott_plan::{AggregateCall, OperatorSpec};
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

use crate::harness::{Harness, call, node};

const ROWS: &str = "INT TIMESTAMP(3) INT";

fn over(event_time: bool, rows: bool, preceding: Option<i64>, aggregates: Vec<AggregateCall>) -> Harness {
    let output = aggregates.iter().fold(ROWS.to_owned(), |output, call| format!("{output} {}", name(call)));
    let spec = OperatorSpec::OverAggregate {
        partition: vec![0],
        time_column: event_time.then_some(1),
        preceding,
        rows,
        aggregates,
        ttl: 0,
    };
    Harness::keyed(node(spec, &[ROWS], &output), &[&[0]])
}

fn name(call: &AggregateCall) -> &'static str {
    match call.function.as_str() {
        "COUNT" | "ROW_NUMBER" | "RANK" | "DENSE_RANK" => "BIGINT",
        "LISTAGG" => "STRING",
        _ => "INT",
    }
}

fn sums() -> Vec<AggregateCall> {
    vec![call("COUNT", &[], "BIGINT"), call("SUM", &[(2, "INT")], "INT"), call("MAX", &[(2, "INT")], "INT")]
}

fn at(second: i64) -> String {
    format!("1970-01-01T00:{:02}:{:02}.000", second / 60, second % 60)
}

#[test]
fn rows_wait_for_the_watermark_and_are_emitted_in_order_of_time() {
    let mut operator = over(true, true, None, sums());
    assert_eq!(operator.push(&format!("+I 1 {} 5\n+I 2 {} 7\n+I 1 {} 3", at(2), at(1), at(1))), "");
    expect![[r#"
        +I 2 1970-01-01T00:00:01.000 7 1 7 7
        +I 1 1970-01-01T00:00:01.000 3 1 3 3
        +I 1 1970-01-01T00:00:02.000 5 2 8 5
        watermark 2000
    "#]]
    .assert_eq(&operator.watermark(2000));
    operator.push(&format!("+I 1 {} 9\n+I 1 {} NULL", at(2), at(3)));
    assert_eq!(operator.metrics.num_late_records_dropped.get(), 1);
    assert_eq!(operator.watermark(i64::MAX), format!("+I 1 {} NULL 3 8 5\nwatermark MAX\n", at(3)));
}

#[test]
fn rows_of_one_time_have_one_rank() {
    let ranks = vec![call("RANK", &[], "BIGINT"), call("DENSE_RANK", &[], "BIGINT")];
    let mut operator = over(true, false, None, ranks.clone());
    operator.push(&format!("+I 1 {} 5\n+I 2 {} 7\n+I 1 {} 6\n+I 1 {} 8", at(1), at(1), at(1), at(2)));
    expect![[r#"
        +I 1 1970-01-01T00:00:01.000 5 1 1
        +I 2 1970-01-01T00:00:01.000 7 1 1
        +I 1 1970-01-01T00:00:01.000 6 1 1
        +I 1 1970-01-01T00:00:02.000 8 3 2
        watermark 2000
    "#]]
    .assert_eq(&operator.watermark(2000));
    operator.push(&format!("+I 1 {} 9\n+I 2 {} 9", at(3), at(3)));
    expect![[r#"
        +I 1 1970-01-01T00:00:03.000 9 4 3
        +I 2 1970-01-01T00:00:03.000 9 2 2
        watermark MAX
    "#]]
    .assert_eq(&operator.watermark(i64::MAX));
    // In processing time each row has a time of its own.
    let mut operator = over(false, false, None, ranks);
    expect![[r#"
        +I 1 1970-01-01T00:00:01.000 5 1 1
        +I 1 1970-01-01T00:00:01.000 6 2 2
    "#]]
    .assert_eq(&operator.push(&format!("+I 1 {} 5\n+I 1 {} 6", at(1), at(1))));
}

#[test]
fn a_key_whose_rows_wait_remembers_how_late_it_is() {
    let mut operator = over(true, false, Some(1_000), vec![call("COUNT", &[], "BIGINT")]);
    operator.push(&format!("+I 1 {} 5", at(1)));
    operator.watermark(1_000);
    operator.push(&format!("+I 1 {} 6", at(10)));
    operator.watermark(9_000);
    operator.push(&format!("+I 1 {} 7", at(1)));
    assert_eq!(operator.metrics.num_late_records_dropped.get(), 1);
    assert_eq!(operator.watermark(i64::MAX), format!("+I 1 {} 6 1\nwatermark MAX\n", at(10)));
}

#[test]
fn rows_late_before_a_restore_are_late_after_it() {
    let mut operator = over(true, true, None, sums());
    operator.push(&format!("+I 1 {} 5", at(2)));
    operator.watermark(2000);
    operator.checkpoint(false);
    operator.restore(2);
    operator.push(&format!("+I 1 {} 9\n+I 1 {} 1", at(2), at(3)));
    assert_eq!(operator.metrics.num_late_records_dropped.get(), 1);
    assert!(operator.watermark(i64::MAX).contains(&format!("+I 1 {} 1 2 6 5\n", at(3))));
}

#[test]
fn with_range_rows_with_the_same_time_share_their_result() {
    let mut calls = sums();
    calls.push(call("ROW_NUMBER", &[], "BIGINT"));
    let mut operator = over(true, false, None, calls);
    operator.push(&format!("+I 1 {0} 5\n+I 2 {0} 7\n+I 1 {0} 3\n+I 1 {1} 1", at(1), at(2)));
    expect![[r#"
        +I 1 1970-01-01T00:00:01.000 5 2 8 5 1
        +I 2 1970-01-01T00:00:01.000 7 1 7 7 1
        +I 1 1970-01-01T00:00:01.000 3 2 8 5 2
        +I 1 1970-01-01T00:00:02.000 1 3 9 5 3
        watermark 2000
    "#]]
    .assert_eq(&operator.watermark(2000));
}

#[test]
fn in_processing_time_rows_are_emitted_as_they_arrive() {
    let mut calls = sums();
    calls.push(call("LAG", &[(2, "INT")], "INT"));
    let mut operator = over(false, true, Some(1), calls);
    assert_eq!(operator.push("+I 1 NULL 5\n+I 1 NULL 3"), "+I 1 NULL 5 1 5 5 NULL\n+I 1 NULL 3 2 8 5 5\n");
    operator.checkpoint(false);
    operator.restore(3);
    assert_eq!(operator.push("+I 1 NULL 4"), "+I 1 NULL 4 2 7 4 3\n");
    operator.checkpoint(false);
    expect![[r#"
        a $position row.value0 $time
        1 2 4 0
    "#]]
    .assert_eq(&operator.table("lag"));
}

/// One row more is kept than the last one looked back: what Flink keeps. Neither a restore nor the number of
/// subtasks changes that.
#[test]
fn how_far_lag_looks_back_depends_on_the_row_before() {
    let offsets = [1, 1, 2, 1, 3, 0, 1];
    let expected = ["NULL", "1", "1", "2", "NULL", "0", "0"];
    for parallelism in 0..3 {
        let mut operator = over(false, true, None, vec![call("LAG", &[(2, "INT"), (2, "INT")], "INT")]);
        for (offset, earlier) in offsets.iter().zip(expected) {
            let out = operator.push(&format!("+I 1 NULL {offset}\n+I 2 NULL {offset}"));
            assert_eq!(out, format!("+I 1 NULL {offset} {earlier}\n+I 2 NULL {offset} {earlier}\n").as_str());
            if parallelism > 0 {
                operator.checkpoint(false);
                operator.restore(parallelism);
            }
        }
        operator.checkpoint(true);
        assert_eq!(operator.table("lag").lines().count(), 1 + 2 * 2, "{}", operator.table("lag"));
        let error = operator.try_push(0, "+I 1 NULL NULL").unwrap_err();
        assert!(error.to_string().contains("the offset of LAG must not be NULL"), "{error}");
    }
}

/// A wide value that has left the frames no longer causes small batches.
#[test]
fn batches_are_large_again_when_a_wide_value_has_left() {
    const TEXTS: &str = "INT TIMESTAMP(3) STRING";
    let calls = vec![call("MAX", &[(2, "STRING")], "STRING"), call("LAG", &[(2, "STRING")], "STRING")];
    let spec = OperatorSpec::OverAggregate {
        partition: vec![0],
        time_column: None,
        preceding: Some(2),
        rows: true,
        aggregates: calls,
        ttl: 0,
    };
    let node = node(spec, &[TEXTS], &format!("{TEXTS} STRING STRING"));
    let mut operator = Harness::keyed(node, &[&[0]]).batch_bytes(20_000);
    let narrow: String = (0..100).map(|number| format!("+I {} NULL v{number}\n", number % 4)).collect();
    operator.push(&format!("+I 1 NULL {}", "z".repeat(5_000)));
    let mut batches = Vec::new();
    for _ in 0..30 {
        let before = operator.batches().len();
        operator.push(&narrow);
        batches.push(operator.batches().len() - before);
    }
    assert!(batches[0] > 10, "{batches:?}");
    assert!(batches[29] <= 2, "{batches:?}");
}

#[test]
fn deviations_of_integers_are_computed_with_integers() {
    let calls = vec![call("STDDEV_POP", &[(2, "INT")], "INT"), call("VAR_SAMP", &[(2, "INT")], "INT")];
    let mut operator = over(true, true, Some(8), calls);
    let rows: Vec<_> =
        [5, 4, 3, 3, 6, 8, 7, 2].iter().zip(1..).map(|(n, s)| format!("+I 1 {} {n}", at(s))).collect();
    operator.push(&rows.join("\n"));
    let out = operator.watermark(60_000);
    let results: Vec<_> =
        out.lines().filter_map(|line| line.split_once(".000 ")).map(|(_, rest)| rest).collect();
    assert_eq!(results, ["5 0 NULL", "4 0 1", "3 0 1", "3 0 1", "6 1 1", "8 1 3", "7 1 3", "2 2 4"]);
}

#[test]
fn an_idle_key_of_a_range_frame_is_forgotten() {
    let mut operator = over(true, false, Some(1000), sums());
    operator.push(&format!("+I 1 {} 5", at(1)));
    operator.watermark(2000);
    operator.checkpoint(false);
    assert_eq!(operator.tables().len(), 3, "accumulators, values of MAX, rows: {:?}", operator.tables());
    operator.restore(2);
    operator.watermark(2501);
    operator.checkpoint(false);
    assert!(operator.tables().is_empty(), "{:?}", operator.tables());
}

#[test]
fn functions_that_look_ahead_are_refused_in_a_stream() {
    let spec = OperatorSpec::OverAggregate {
        partition: vec![],
        time_column: Some(1),
        preceding: None,
        rows: true,
        aggregates: vec![call("LEAD", &[(2, "INT")], "INT")],
        ttl: 0,
    };
    let error = crate::build(
        &node(spec, &[ROWS], "INT TIMESTAMP(3) INT INT"),
        &crate::BuildContext::default(),
        &flott_runtime::Outside::nothing(),
    );
    assert_eq!(error.err().unwrap().to_string(), "test: LEAD with OVER on a stream");
}

#[derive(Clone, Copy)]
struct Row {
    key: i32,
    time: i64,
    value: Option<i32>,
}

fn text(value: Option<i32>) -> String {
    value.map_or("NULL".to_owned(), |value| value.to_string())
}

/// COUNT, SUM, MAX, MIN, ROW_NUMBER and LAG over rows of one order.
fn model(rows: &[Row], by_rows: bool, preceding: Option<i64>) -> Vec<String> {
    let line = |(at, row): (usize, &Row)| {
        let of_key = rows.iter().enumerate().filter(|(_, other)| other.key == row.key);
        let before: Vec<_> = of_key.clone().filter(|(other, _)| *other <= at).map(|(_, row)| row).collect();
        let frame: Vec<_> = match by_rows {
            true => {
                let skip = preceding.map_or(0, |n| before.len().saturating_sub(n as usize + 1));
                before[skip..].iter().map(|row| row.value).collect()
            }
            false => of_key
                .filter(|(_, other)| other.time <= row.time)
                .filter(|(_, other)| preceding.is_none_or(|n| other.time >= row.time - n))
                .map(|(_, row)| row.value)
                .collect(),
        };
        let values: Vec<i32> = frame.iter().flatten().copied().collect();
        let sum = (!values.is_empty()).then(|| values.iter().sum());
        let (max, min) = (values.iter().max().copied(), values.iter().min().copied());
        let lag = before.len().checked_sub(2).and_then(|at| before[at].value);
        let results = [sum, max, min].map(text).join(" ");
        let (time, value) = (self::at(row.time / 1000), text(row.value));
        format!("+I {} {time} {value} {} {results} {} {}\n", row.key, frame.len(), before.len(), text(lag))
    };
    rows.iter().enumerate().map(line).collect()
}

#[test]
fn any_rows_are_aggregated_as_a_naive_model_does() {
    for seed in 0..48u64 {
        let mut random = SmallRng::seed_from_u64(seed);
        let by_rows = seed % 2 == 0;
        let preceding = [None, Some(0), Some(2), Some(4)][seed as usize / 2 % 4];
        let preceding = preceding.map(|n| if by_rows { n } else { n * 1000 });
        let mut calls = sums();
        calls.extend([
            call("MIN", &[(2, "INT")], "INT"),
            call("ROW_NUMBER", &[], "BIGINT"),
            call("LAG", &[(2, "INT")], "INT"),
        ]);
        let mut operator = over(true, by_rows, preceding, calls);
        let (mut all, mut waiting): (Vec<Row>, Vec<Row>) = Default::default();
        let (mut watermark, mut out) = (0, Vec::new());
        for step in 0..25 {
            let mut batch = String::new();
            for _ in 0..random.random_range(0..8) {
                let row = Row {
                    key: random.random_range(0..3),
                    time: (watermark + random.random_range(1..8)) * 1000,
                    value: Some(random.random_range(0..9)).filter(|value| *value > 0),
                };
                waiting.push(row);
                batch += &format!("+I {} {} {}\n", row.key, at(row.time / 1000), text(row.value));
            }
            operator.push(&batch);
            if random.random_range(0..5) == 0 {
                operator.checkpoint(random.random());
                if random.random() {
                    operator.as_earlier("pending", 1, "$arrival");
                    operator.as_earlier("frame", 1, "$position");
                    operator.as_earlier("lag", 1, "$position");
                }
                operator.restore(random.random_range(1..4));
            }
            if random.random_range(0..3) == 0 || step == 24 {
                watermark = if step == 24 { 1000 } else { watermark + random.random_range(1..6) };
                let (mut due, rest): (Vec<Row>, _) =
                    waiting.iter().partition(|row| row.time <= watermark * 1000);
                due.sort_by_key(|row| row.time);
                all.extend(due);
                waiting = rest;
                let lines = operator.watermark(watermark * 1000);
                out.extend(
                    lines.lines().filter(|line| line.starts_with('+')).map(|line| format!("{line}\n")),
                );
            }
        }
        // The order of rows with the same time across subtasks and keys does not matter.
        let mut expected = model(&all, by_rows, preceding);
        expected.sort();
        out.sort();
        assert_eq!(out.concat(), expected.concat(), "seed {seed}");
        assert_eq!(operator.metrics.num_late_records_dropped.get(), 0);
    }
}

/// A MAX and a LAG repeat one wide value in every row: the output is split into batches within the limit, and
/// is the same as in one piece.
#[test]
fn wide_results_are_sent_in_runs() {
    const LIMIT: usize = 10_000;
    const TEXTS: &str = "INT TIMESTAMP(3) STRING";
    let calls = || {
        vec![
            call("MAX", &[(2, "STRING")], "STRING"),
            call("LAG", &[(2, "STRING")], "STRING"),
            call("ROW_NUMBER", &[], "BIGINT"),
        ]
    };
    let operator = |rows: bool, preceding: Option<i64>| {
        let spec = OperatorSpec::OverAggregate {
            partition: vec![0],
            time_column: Some(1),
            preceding,
            rows,
            aggregates: calls(),
            ttl: 0,
        };
        let output = format!("{TEXTS} STRING STRING BIGINT");
        Harness::keyed(node(spec, &[TEXTS], &output), &[&[0]])
    };
    let wide = "z".repeat(3_000);
    for (rows, preceding) in
        [(true, None), (false, None), (true, Some(5)), (false, Some(20_000)), (true, Some(0))]
    {
        let (mut whole, mut cut) = (operator(rows, preceding), operator(rows, preceding).batch_bytes(LIMIT));
        let mut rng = SmallRng::seed_from_u64(7);
        for round in 0..3 {
            let row = |number: i64| {
                let time = at(100 * round + number / 3);
                let text = if number % 17 == 0 { wide.clone() } else { format!("v{number}") };
                format!("+I {} {time} {text}\n", rng.random_range(0..4))
            };
            let rows: String = (0..60).map(row).collect();
            let end = 100_000 * round + 99_000;
            let results = [&mut whole, &mut cut].map(|operator| {
                operator.push(&rows);
                operator.watermark(end)
            });
            assert_eq!(results[0], results[1], "rows {rows}, preceding {preceding:?}");
            cut.checkpoint(false);
            cut.restore(2);
            whole.checkpoint(false);
            whole.restore(2);
        }
        let sizes = |operator: &Harness| -> Vec<usize> {
            let bytes = |batch: &ChangeBatch| {
                RowBytes::new(batch.columns().columns()).of_range(0, batch.physical_rows())
            };
            operator.batches().iter().map(bytes).collect()
        };
        assert!(sizes(&whole).iter().any(|bytes| *bytes > 2 * LIMIT), "{:?}", sizes(&whole));
        assert!(sizes(&cut).iter().all(|bytes| *bytes <= 2 * LIMIT), "{:?}", sizes(&cut));
    }
}
