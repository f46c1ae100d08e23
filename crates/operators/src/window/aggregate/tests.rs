use std::collections::{BTreeMap, BTreeSet};

use expect_test::expect;
use flott_plan::{AggregatePhase, OperatorSpec, WindowKind, WindowSpec};
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

use crate::harness::{Harness, call, node};

const INPUT: &str = "STRING TIMESTAMP(3) INT";
const OUTPUT: &str = "STRING BIGINT INT BIGINT TIMESTAMP(3) TIMESTAMP(3)";

fn window(kind: WindowKind) -> WindowSpec {
    WindowSpec { kind, time_column: 1, event_time: true, zone: None }
}

fn spec(window: WindowSpec, phase: AggregatePhase) -> OperatorSpec {
    let mut aggregates = vec![call("COUNT", &[], "BIGINT"), call("SUM", &[(2, "INT")], "INT")];
    if phase == AggregatePhase::Single {
        aggregates.push(call("COUNT DISTINCT", &[(2, "INT")], "BIGINT"));
    }
    OperatorSpec::WindowAggregate {
        window,
        keys: vec![0],
        aggregates,
        phase,
        attached: None,
        window_columns: [true, true, false],
        input_updates: false,
    }
}

fn operator(kind: WindowKind) -> Harness {
    Harness::keyed(node(spec(window(kind), AggregatePhase::Single), &[INPUT], OUTPUT), &[&[0]])
}

/// Rows `key second value`.
fn rows(text: &str) -> String {
    let row = |row: &str| {
        let [key, second, value] = row.split_whitespace().collect::<Vec<_>>()[..] else { panic!("{row}") };
        let second: i64 = second.parse().unwrap();
        format!("+I {key} 1970-01-01T00:{:02}:{:02}.000 {value}\n", second / 60, second % 60)
    };
    text.split(',').map(row).collect()
}

#[test]
fn tumbling_windows_fire_in_order_before_the_watermark_passes() {
    let mut operator = operator(WindowKind::Tumble { size: 10_000, offset: 0 });
    assert_eq!(operator.push(&rows("a 11 1, a 1 5, b 9 2, a 2 5")), "");
    assert_eq!(operator.watermark(9_998), "watermark 9998\n");
    expect![[r#"
        +I a 2 10 1 1970-01-01T00:00:00.000 1970-01-01T00:00:10.000
        +I b 1 2 1 1970-01-01T00:00:00.000 1970-01-01T00:00:10.000
        watermark 9999
    "#]]
    .assert_eq(&operator.watermark(9_999));
    assert_eq!(operator.push(&rows("a 9 1, c 3 1, a 12 1")), "");
    assert_eq!(operator.metrics.num_late_records_dropped.get(), 2);
    expect![[r#"
        +I a 2 2 1 1970-01-01T00:00:10.000 1970-01-01T00:00:20.000
        watermark MAX
    "#]]
    .assert_eq(&operator.watermark(i64::MAX));
    operator.checkpoint(false);
    assert!(operator.tables().is_empty(), "nothing is left of fired windows");
}

#[test]
fn sliding_windows_share_slices_and_a_late_row_counts_in_open_windows() {
    let mut operator = operator(WindowKind::Hop { size: 10_000, slide: 5_000, offset: 0 });
    operator.push(&rows("a 1 1, a 6 2, a 7 2"));
    expect![[r#"
        +I a 1 1 1 1969-12-31T23:59:55.000 1970-01-01T00:00:05.000
        watermark 5000
    "#]]
    .assert_eq(&operator.watermark(5_000));
    assert_eq!(operator.push(&rows("a 2 4, b 3 1")), "");
    assert_eq!(operator.metrics.num_late_records_dropped.get(), 0);
    expect![[r#"
        +I a 4 9 3 1970-01-01T00:00:00.000 1970-01-01T00:00:10.000
        +I b 1 1 1 1970-01-01T00:00:00.000 1970-01-01T00:00:10.000
        watermark 12000
    "#]]
    .assert_eq(&operator.watermark(12_000));
    operator.push(&rows("a 2 4"));
    assert_eq!(operator.metrics.num_late_records_dropped.get(), 1);
    expect![[r#"
        +I a 2 4 1 1970-01-01T00:00:05.000 1970-01-01T00:00:15.000
        watermark MAX
    "#]]
    .assert_eq(&operator.watermark(i64::MAX));
}

#[test]
fn growing_windows_send_what_has_arrived_so_far() {
    let mut operator = operator(WindowKind::Cumulate { size: 15_000, step: 5_000, offset: 0 });
    operator.push(&rows("a 1 1, a 11 7, b 6 1"));
    expect![[r#"
        +I a 1 1 1 1970-01-01T00:00:00.000 1970-01-01T00:00:05.000
        +I a 1 1 1 1970-01-01T00:00:00.000 1970-01-01T00:00:10.000
        +I b 1 1 1 1970-01-01T00:00:00.000 1970-01-01T00:00:10.000
        watermark 10000
    "#]]
    .assert_eq(&operator.watermark(10_000));
    operator.checkpoint(false);
    operator.restore(3);
    operator.push(&rows("a 2 1, b 12 1"));
    operator.watermark(i64::MAX);
    assert!(operator.result().contains("a 3 9 2 1970-01-01T00:00:00.000 1970-01-01T00:00:15.000\n"));
    assert!(operator.result().contains("b 2 2 1 1970-01-01T00:00:00.000 1970-01-01T00:00:15.000\n"));
    assert_eq!(operator.metrics.num_late_records_dropped.get(), 0);
}

#[test]
fn a_restored_window_still_knows_what_is_late() {
    let mut operator = operator(WindowKind::Tumble { size: 10_000, offset: 0 });
    operator.watermark(50_000);
    operator.push(&rows("a 55 1"));
    operator.checkpoint(false);
    operator.restore(1);
    operator.push(&rows("a 45 1, a 56 1"));
    assert_eq!(operator.metrics.num_late_records_dropped.get(), 1);
    assert_eq!(
        operator.watermark(60_000),
        "+I a 2 2 1 1970-01-01T00:00:50.000 1970-01-01T00:01:00.000\nwatermark 60000\n"
    );
}

#[test]
fn rows_after_the_end_of_time_and_a_restore_are_not_late() {
    for kind in [WindowKind::Tumble { size: 10_000, offset: 0 }, WindowKind::Session { gap: 10_000 }] {
        let mut operator = operator(kind);
        operator.push(&rows("a 1 1"));
        operator.watermark(i64::MAX);
        operator.checkpoint(false);
        operator.restore(2);
        operator.push(&rows("a 2 5"));
        assert_eq!(operator.metrics.num_late_records_dropped.get(), 0);
        assert!(operator.watermark(i64::MAX).contains("+I a 1 5 1 "));
    }
}

#[test]
fn processing_time_windows_fire_by_the_clock() {
    let mut window = window(WindowKind::Tumble { size: 10_000, offset: 0 });
    window.event_time = false;
    let mut operator = Harness::new(node(spec(window, AggregatePhase::Single), &[INPUT], OUTPUT));
    operator.advance(3_000);
    operator.push(&rows("a 0 1, a 0 2"));
    assert_eq!(operator.watermark(i64::MAX), "watermark MAX\n");
    assert_eq!(operator.advance(6_998), "");
    assert_eq!(operator.advance(1), "+I a 2 3 2 1970-01-01T00:00:00.000 1970-01-01T00:00:10.000\n");
}

#[test]
fn windows_of_local_time_are_aligned_to_the_wall_clock() {
    let window = WindowSpec {
        kind: WindowKind::Tumble { size: 86_400_000, offset: 0 },
        time_column: 0,
        event_time: true,
        zone: Some("America/New_York".to_owned()),
    };
    let spec = OperatorSpec::WindowAggregate {
        window,
        keys: vec![],
        aggregates: vec![call("COUNT", &[], "BIGINT")],
        phase: AggregatePhase::Single,
        attached: None,
        window_columns: [true, true, true],
        input_updates: false,
    };
    let output = "BIGINT TIMESTAMP(3) TIMESTAMP(3) TIMESTAMP_LTZ(3)";
    let mut operator = Harness::new(node(spec, &["TIMESTAMP_LTZ(3)"], output));
    operator.push("+I 2024-03-10T05:00:00.000\n+I 2024-03-11T03:59:59.999\n+I 2024-03-11T04:00:00.000");
    expect![[r#"
        +I 2 2024-03-10T00:00:00.000 2024-03-11T00:00:00.000 2024-03-11T03:59:59.999
        +I 1 2024-03-11T00:00:00.000 2024-03-12T00:00:00.000 2024-03-12T03:59:59.999
        watermark MAX
    "#]]
    .assert_eq(&operator.watermark(i64::MAX));
}

#[test]
fn two_phases_give_the_same() {
    let kind = WindowKind::Hop { size: 10_000, slide: 5_000, offset: 0 };
    let partial = "STRING BIGINT BIGINT BIGINT BIGINT";
    let local = spec(window(kind.clone()), AggregatePhase::Local);
    let mut local = Harness::new(node(local, &[INPUT], partial));
    let global = spec(window(kind), AggregatePhase::Global);
    let output = "STRING BIGINT INT TIMESTAMP(3) TIMESTAMP(3)";
    let mut global = Harness::keyed(node(global, &[partial], output), &[&[0]]);
    assert_eq!(local.push(&rows("a 1 1, a 6 2, a 7 NULL, b 2 3, a 2 2")), "");
    let out = local.dry();
    assert_eq!(out, "+I a 2 3 2 5000\n+I a 2 2 1 10000\n+I b 1 3 1 5000\n");
    assert_eq!(global.push(&out), "");
    expect![[r#"
        +I a 2 3 1969-12-31T23:59:55.000 1970-01-01T00:00:05.000
        +I b 1 3 1969-12-31T23:59:55.000 1970-01-01T00:00:05.000
        watermark 5000
    "#]]
    .assert_eq(&global.watermark(5_000));
    local.push(&rows("a 2 10"));
    assert_eq!(global.push(&local.dry()), "");
    expect![[r#"
        +I a 5 15 1970-01-01T00:00:00.000 1970-01-01T00:00:10.000
        +I b 1 3 1970-01-01T00:00:00.000 1970-01-01T00:00:10.000
        +I a 2 2 1970-01-01T00:00:05.000 1970-01-01T00:00:15.000
        watermark MAX
    "#]]
    .assert_eq(&global.watermark(i64::MAX));
}

#[test]
fn sessions_end_when_the_gap_has_passed() {
    let mut operator = operator(WindowKind::Session { gap: 10_000 });
    operator.push(&rows("a 1 1, b 5 1, a 11 2, a 30 4"));
    expect![[r#"
        +I b 1 1 1 1970-01-01T00:00:05.000 1970-01-01T00:00:15.000
        watermark 15000
    "#]]
    .assert_eq(&operator.watermark(15_000));
    operator.push(&rows("a 25 8, a 20 8, c 1 1, c 6 1, c 16 1"));
    assert_eq!(operator.metrics.num_late_records_dropped.get(), 1, "c 6 ends after the watermark");
    operator.checkpoint(false);
    operator.restore(2);
    operator.watermark(i64::MAX);
    expect![[r#"
        a 5 23 4 1970-01-01T00:00:01.000 1970-01-01T00:00:40.000
        b 1 1 1 1970-01-01T00:00:05.000 1970-01-01T00:00:15.000
        c 2 2 1 1970-01-01T00:00:06.000 1970-01-01T00:00:26.000
    "#]]
    .assert_eq(&operator.result());
    operator.checkpoint(false);
    assert!(operator.tables().is_empty());
}

/// The windows of each row by definition, with Flink's rule for late rows.
fn expected(kind: &WindowKind, rows: &[(char, i64, i32, i64)]) -> (String, u64) {
    let slicing = super::Slicing::new(kind).unwrap();
    let mut windows: BTreeMap<(char, i64), Vec<i32>> = BTreeMap::new();
    let mut late = 0;
    for (key, time, value, watermark) in rows {
        let open: Vec<i64> =
            slicing.windows(slicing.slice_end(*time)).filter(|end| end - 1 > *watermark).collect();
        late += u64::from(open.is_empty());
        open.into_iter().for_each(|end| windows.entry((*key, end)).or_default().push(*value));
    }
    // A growing window also sends what arrived before its last slice.
    let at = |ms: i64| {
        let text = chrono::DateTime::from_timestamp_millis(ms).unwrap().naive_utc();
        text.format("%Y-%m-%dT%H:%M:%S%.3f").to_string()
    };
    let mut lines: Vec<String> = windows
        .iter()
        .map(|((key, end), values)| {
            let distinct: BTreeSet<_> = values.iter().collect();
            let sum: i32 = values.iter().sum();
            let start = slicing.start(*end);
            format!("{key} {} {sum} {} {} {}\n", values.len(), distinct.len(), at(start), at(*end))
        })
        .collect();
    lines.sort();
    (lines.concat(), late)
}

/// Rows out of order, random batches, snapshots and restores at another parallelism.
#[test]
fn random_rows_give_the_windows_by_definition() {
    let kinds = [
        WindowKind::Tumble { size: 10_000, offset: 3_000 },
        WindowKind::Hop { size: 12_000, slide: 4_000, offset: 0 },
        WindowKind::Hop { size: 9_000, slide: 6_000, offset: 0 },
        WindowKind::Cumulate { size: 12_000, step: 3_000, offset: 0 },
    ];
    for (seed, kind) in (0..12).zip(kinds.iter().cycle()) {
        let mut random = SmallRng::seed_from_u64(seed);
        let mut operator = operator(kind.clone());
        let (mut all, mut watermark, mut now) = (Vec::new(), i64::MIN, 60);
        for _ in 0..40 {
            let mut batch = Vec::new();
            for _ in 0..random.random_range(1..12) {
                now += random.random_range(0..3);
                let (key, second) = (random.random_range('a'..'e'), now - random.random_range(0..25));
                let value = random.random_range(0..4);
                all.push((key, second * 1000, value, watermark));
                batch.push(format!("{key} {second} {value}"));
            }
            operator.push(&rows(&batch.join(",")));
            if random.random_bool(0.4) {
                watermark = watermark.max((now - 10) * 1000);
                operator.watermark(watermark);
            }
            if random.random_bool(0.2) {
                operator.checkpoint(random.random_bool(0.2));
                if random.random_bool(0.5) {
                    operator.restore(random.random_range(1..4));
                }
            }
        }
        operator.watermark(i64::MAX);
        let (windows, late) = expected(kind, &all);
        // Compared as a whole, without printing them.
        assert!(operator.result() == windows, "seed {seed} {kind:?}");
        assert_eq!(operator.metrics.num_late_records_dropped.get(), late, "seed {seed} {kind:?}");
    }
}

/// Sessions that time has not passed yet, out of order, in random batches with snapshots, compared with
/// sorting all rows.
#[test]
fn random_rows_give_the_sessions_by_definition() {
    for seed in 0..12 {
        let mut random = SmallRng::seed_from_u64(seed);
        let mut operator = operator(WindowKind::Session { gap: 5_000 });
        let (mut all, mut now) = (Vec::new(), 60);
        for _ in 0..30 {
            let mut batch = Vec::new();
            for _ in 0..random.random_range(1..10) {
                now += random.random_range(0..3);
                // The watermark stays behind all rows, so none of them is late.
                let row = (
                    random.random_range('a'..'e'),
                    now - random.random_range(0..20),
                    random.random_range(0..4),
                );
                batch.push(format!("{} {} {}", row.0, row.1, row.2));
                all.push(row);
            }
            operator.push(&rows(&batch.join(",")));
            if random.random_bool(0.4) {
                operator.watermark((now - 21) * 1000);
            }
            if random.random_bool(0.3) {
                operator.checkpoint(random.random_bool(0.2));
                operator.restore(random.random_range(1..4));
            }
        }
        operator.watermark(i64::MAX);
        all.sort();
        let mut sessions: Vec<(char, i64, i64, Vec<i32>)> = Vec::new();
        for (key, second, value) in all {
            match sessions.last_mut() {
                Some((of, _, last, values)) if *of == key && second - *last <= 5 => {
                    *last = second;
                    values.push(value);
                }
                _ => sessions.push((key, second, second, vec![value])),
            }
        }
        let at = |second: i64| format!("1970-01-01T00:{:02}:{:02}.000", second / 60, second % 60);
        let line = |(key, first, last, values): &(char, i64, i64, Vec<i32>)| {
            let distinct: BTreeSet<_> = values.iter().collect();
            let (count, sum) = (values.len(), values.iter().sum::<i32>());
            format!("{key} {count} {sum} {} {} {}\n", distinct.len(), at(*first), at(last + 5))
        };
        let mut lines: Vec<String> = sessions.iter().map(line).collect();
        lines.sort();
        assert_eq!(operator.metrics.num_late_records_dropped.get(), 0);
        assert!(operator.result() == lines.concat(), "seed {seed}");
    }
}

#[test]
fn a_window_over_windows_takes_them_from_its_input() {
    let spec = OperatorSpec::WindowAggregate {
        window: window(WindowKind::Tumble { size: 10_000, offset: 0 }),
        keys: vec![],
        aggregates: vec![call("SUM", &[(0, "INT")], "INT")],
        phase: AggregatePhase::Single,
        attached: Some((1, 2)),
        window_columns: [true, true, true],
        input_updates: false,
    };
    let input = "INT TIMESTAMP(3) TIMESTAMP(3)";
    let mut operator =
        Harness::keyed(node(spec, &[input], "INT TIMESTAMP(3) TIMESTAMP(3) TIMESTAMP(3)"), &[&[]]);
    let bounds = "1970-01-01T00:00:00.000 1970-01-01T00:00:10.000";
    operator.push(&format!("+I 1 {bounds}\n+I 2 {bounds}"));
    assert_eq!(operator.watermark(9_999), format!("+I 3 {bounds} 1970-01-01T00:00:09.999\nwatermark 9999\n"));
    operator.push(&format!("+I 1 {bounds}"));
    assert_eq!(operator.metrics.num_late_records_dropped.get(), 1);
}

/// Rows (key, millisecond, value); after each of them the watermark is two seconds behind the latest. The
/// results are those of Flink.
const LATE: [(char, i64, i32); 18] = [
    ('a', 1_000, 10),
    ('b', 4_000, 20),
    ('a', 3_000, 30),
    ('a', 12_000, 40),
    ('b', 9_000, 50),
    ('a', 11_000, 60),
    ('c', 10_500, 70),
    ('b', 25_000, 80),
    ('a', 23_500, 90),
    ('a', 1_500, 100),
    ('c', 22_999, 110),
    ('c', 19_999, 120),
    ('b', 31_000, 130),
    ('b', 28_500, 140),
    ('c', 100_000, 150),
    ('c', 99_000, 160),
    ('a', 50_000, 170),
    ('a', 101_000, 180),
];

fn late(kind: WindowKind, gap_after: usize) -> String {
    let mut operator = operator(kind);
    let mut watermark = i64::MIN;
    for (at, (key, millis, value)) in LATE.iter().enumerate() {
        let time = chrono::DateTime::from_timestamp_millis(*millis).unwrap().naive_utc();
        operator.push(&format!("+I {key} {} {value}", time.format("%Y-%m-%dT%H:%M:%S%.3f")));
        watermark = watermark.max(millis - 2_000);
        operator.watermark(watermark);
        if at == gap_after {
            operator.checkpoint(false);
            operator.restore(2);
        }
    }
    operator.watermark(i64::MAX);
    // key, count, sum, start and end in seconds
    let line = |line: &str| {
        let fields: Vec<&str> = line.split(' ').collect();
        let second =
            |text: &str| text.trim_start_matches("1970-01-01T00:").trim_end_matches(".000").to_owned();
        format!("{} {} {} {} {}\n", fields[0], fields[1], fields[2], second(fields[4]), second(fields[5]))
    };
    operator.result().lines().map(line).collect()
}

#[test]
fn late_rows_are_dropped_from_tumbling_windows_as_in_flink() {
    for restore_after in [3, 7, 12] {
        expect![[r#"
            a 1 180 01:40 01:50
            a 1 90 00:20 00:30
            a 2 100 00:10 00:20
            a 2 40 00:00 00:10
            b 1 130 00:30 00:40
            b 1 20 00:00 00:10
            b 2 220 00:20 00:30
            c 1 110 00:20 00:30
            c 1 150 01:40 01:50
            c 1 160 01:30 01:40
            c 1 70 00:10 00:20
        "#]]
        .assert_eq(&late(WindowKind::Tumble { size: 10_000, offset: 0 }, restore_after));
    }
}

#[test]
fn late_rows_are_dropped_from_sessions_as_in_flink() {
    for restore_after in [3, 7, 12] {
        expect![[r#"
            a 1 180 01:41 01:45
            a 1 90 00:23.500 00:27.500
            a 2 100 00:11 00:16
            a 2 40 00:01 00:07
            b 1 20 00:04 00:08
            b 1 50 00:09 00:13
            b 1 80 00:25 00:29
            b 2 270 00:28.500 00:35
            c 1 70 00:10.500 00:14.500
            c 2 230 00:19.999 00:26.999
            c 2 310 01:39 01:44
        "#]]
        .assert_eq(&late(WindowKind::Session { gap: 4_000 }, restore_after));
    }
}
