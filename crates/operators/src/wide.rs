//! Tests with rows so wide that batches are split: the results are the same, and no batch exceeds its limit.

use flott_batch::bytes::RowBytes;
use flott_plan::{
    AggregateCall, AggregatePhase, Expr, JoinKind, Literal, OperatorSpec, PatternReference, PatternSkip,
    PatternSpec, PatternValue, PatternVariable, SortKey, TemporalJoinSpec, WindowKind, WindowSpec,
};
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

use crate::harness::{Harness, call, column, node, ty};

/// The limit of a batch in bytes. Input batches may have this size too.
const LIMIT: usize = 1_200;
const ROW: &str = "INT STRING";

fn max() -> AggregateCall {
    call("MAX", &[(1, "STRING")], "STRING")
}

fn group(aggregate: AggregateCall, input_updates: bool) -> OperatorSpec {
    OperatorSpec::GroupAggregate {
        keys: vec![0],
        aggregates: vec![aggregate],
        phase: AggregatePhase::Single,
        input_updates,
        emit_update_before: true,
        ttl: 0,
    }
}

fn top(to: Option<u64>, input_updates: bool) -> OperatorSpec {
    let order = vec![SortKey { column: 1, descending: true, nulls_first: false }];
    OperatorSpec::TopN {
        partition: vec![0],
        order,
        from: 1,
        to,
        output_rank: false,
        input_updates,
        ttl: 0,
        window_end: None,
        emit_update_before: true,
    }
}

fn join(kind: JoinKind) -> OperatorSpec {
    let (keys, null_safe) = (vec![0], vec![false]);
    OperatorSpec::Join {
        kind,
        left_keys: keys.clone(),
        right_keys: keys,
        null_safe,
        condition: None,
        ttl: 0,
        right_ttl: None,
        bound: None,
        rows: Default::default(),
        emit_update_before: true,
        first_by: Vec::new(),
    }
}

/// Asserts that all output is in batches of about the allowed size, unless a batch is one row or one update.
fn assert_cut(operator: &Harness) {
    for batch in operator.batches() {
        let (bytes, rows) = (RowBytes::new(batch.columns().columns()), batch.physical_rows());
        let bytes = bytes.of_range(0, rows);
        assert!(rows <= 2 || bytes <= 2 * LIMIT, "{rows} rows have {bytes} bytes");
    }
}

/// The same rows through an operator with small batches and one with large ones.
fn compare(spec: OperatorSpec, inputs: &[&str], output: &str, retracts: bool) {
    for seed in 0..6 {
        println!("seed {seed} of {spec:?}");
        let mut rng = SmallRng::seed_from_u64(seed);
        let keys: Vec<&[usize]> = vec![&[0]; inputs.len()];
        let large = || Harness::keyed(node(spec.clone(), inputs, output), &keys);
        let (mut small, mut large) = (large().batch_bytes(LIMIT), large());
        let mut live: Vec<Vec<String>> = vec![Vec::new(); inputs.len()];
        for _ in 0..50 {
            let input = rng.random_range(0..inputs.len());
            let mut rows = String::new();
            for _ in 0..rng.random_range(1..8) {
                if retracts && rng.random_bool(0.3) && !live[input].is_empty() {
                    let row = rng.random_range(0..live[input].len());
                    rows += &format!("-D {}\n", live[input].swap_remove(row));
                } else {
                    let letter = char::from(rng.random_range(b'a'..=b'z'));
                    let text: String = std::iter::repeat_n(letter, rng.random_range(1..150)).collect();
                    let row = format!("{} {text}", rng.random_range(0..12));
                    rows += &format!("+I {row}\n");
                    live[input].push(row);
                }
            }
            small.push_to(input, rows.trim_end());
            large.push_to(input, rows.trim_end());
            small.checkpoint(false);
            if rng.random_bool(0.2) {
                small.restore(1);
            }
            assert_eq!(small.result(), large.result());
        }
        (0..inputs.len()).for_each(|input| _ = (small.end(input), large.end(input)));
        assert_eq!(small.result(), large.result());
        assert_cut(&small);
    }
}

#[test]
fn results_of_groups_are_cut() {
    compare(group(max(), false), &[ROW], ROW, false);
    compare(group(max(), true), &[ROW], ROW, true);
    let all = || call("LISTAGG", &[(1, "STRING")], "STRING");
    compare(group(all(), false), &[ROW], ROW, false);
    compare(group(all(), true), &[ROW], ROW, true);
}

#[test]
fn joined_rows_are_cut() {
    for kind in [JoinKind::Inner, JoinKind::Left, JoinKind::Full] {
        compare(join(kind), &[ROW, ROW], "INT STRING INT STRING", true);
    }
    compare(join(JoinKind::Anti), &[ROW, ROW], ROW, true);
}

#[test]
fn the_first_rows_are_cut() {
    compare(top(Some(5), false), &[ROW], ROW, false);
    compare(top(Some(5), true), &[ROW], ROW, true);
    compare(top(Some(1), false), &[ROW], ROW, false);
    compare(top(None, true), &[ROW], ROW, true);
}

/// Many rows show the same wide version, or the same wide row of a match.
#[test]
fn versions_of_many_rows_are_cut() {
    let spec = TemporalJoinSpec {
        kind: JoinKind::Left,
        left_keys: vec![0],
        right_keys: vec![0],
        null_safe: vec![false],
        left_time: 1,
        right_time: 2,
        condition: None,
    };
    let (left, right) = ("INT TIMESTAMP(3)", "INT STRING TIMESTAMP(3)");
    let spec = OperatorSpec::TemporalJoin(spec);
    let output = format!("{left} {right}");
    let large = || Harness::keyed(node(spec.clone(), &[left, right], &output), &[&[0], &[0]]);
    let (mut small, mut large) = (large().batch_bytes(LIMIT), large());
    for operator in [&mut small, &mut large] {
        for key in 0..3 {
            operator.push_to(1, &format!("+I {key} {} 1970-01-01T00:00:01", "x".repeat(500)));
        }
        let rows: Vec<String> =
            (0..50).map(|row| format!("+I {} 1970-01-01T00:00:{:02}", row % 4, 2 + row / 2)).collect();
        operator.push_to(0, &rows.join("\n"));
        operator.watermark(100_000);
    }
    assert_eq!(small.result(), large.result());
    assert_cut(&small);
}

#[test]
fn matches_are_cut() {
    // PATTERN (A): each row is a match, and shows its text three times.
    let text = PatternReference {
        variables: vec![0],
        value: PatternValue::First { column: 2, offset: 0 },
        ty: ty("STRING"),
    };
    let tripled = Expr::call(
        "REPEAT",
        vec![column(0, "STRING"), Expr::literal(Literal::Integer(3), ty("BIGINT"))],
        ty("STRING"),
    );
    let spec = OperatorSpec::MatchRecognize(PatternSpec {
        partition: vec![0],
        time_column: Some(1),
        order: Vec::new(),
        variables: vec![PatternVariable {
            name: "A".to_owned(),
            min: 1,
            max: Some(1),
            greedy: false,
            condition: None,
        }],
        shape: None,
        skip: PatternSkip::PastLastRow,
        within: None,
        references: vec![text],
        measures: vec![tripled],
    });
    let input = "INT TIMESTAMP(3) STRING";
    let large = || Harness::keyed(node(spec.clone(), &[input], ROW), &[&[0]]);
    let (mut small, mut large) = (large().batch_bytes(LIMIT), large());
    let row = |row: usize| format!("+I {} 1970-01-01T00:00:{:02} {}", row % 3, row, "x".repeat(row * 3));
    let rows: Vec<String> = (1..50).map(row).collect();
    for operator in [&mut small, &mut large] {
        operator.push(&rows.join("\n"));
        operator.watermark(100_000);
    }
    assert!(!small.result().is_empty());
    assert_eq!(small.result(), large.result());
    assert_cut(&small);
}

/// A text repeated this often.
fn repeat(times: i64) -> Expr {
    let times = Expr::literal(Literal::Integer(times), ty("BIGINT"));
    Expr::call("REPEAT", vec![column(1, "STRING"), times], ty("STRING"))
}

#[test]
fn wide_results_of_expressions_are_cut() {
    let is_long = Expr::call("CHAR_LENGTH", vec![repeat(9)], ty("INT"));
    let ten = Expr::literal(Literal::Integer(10), ty("INT"));
    let condition = Expr::call(">", vec![is_long, ten], ty("BOOLEAN"));
    let projection = vec![column(0, "INT"), repeat(9)];
    // In the second case the condition and the projection share an expression, which is computed before the
    // filter.
    for condition in [None, Some(condition)] {
        compare(OperatorSpec::Calc { condition, projection: projection.clone() }, &[ROW], ROW, true);
    }
    let projections = vec![projection, vec![column(0, "INT"), repeat(5)]];
    compare(OperatorSpec::Expand { projections }, &[ROW], ROW, true);
}

#[test]
fn elements_of_wide_rows_are_cut() {
    let array = ty("ARRAY<STRING>");
    let collection = Expr::call(
        "SPLIT",
        vec![repeat(2), Expr::literal(Literal::String(String::new()), ty("STRING"))],
        array,
    );
    for keep_empty in [false, true] {
        let spec = OperatorSpec::Unnest {
            collection: collection.clone(),
            ordinality: false,
            keep_empty,
            condition: None,
        };
        compare(spec, &[ROW], "INT STRING STRING", true);
    }
}

#[test]
fn halves_of_an_update_are_separated_only_if_necessary() {
    let projection = vec![column(0, "INT"), repeat(100)];
    let spec = OperatorSpec::Calc { condition: None, projection };
    let mut calc = Harness::new(node(spec, &[ROW], ROW)).batch_bytes(LIMIT).upsert();
    let long = |letter: &str| letter.repeat(100);
    let out = calc.push("-U 1 a\n+U 1 b\n-U 2 a\n+U 2 cccccccccccc\n+I 3 d\n-U 4 d\n+U 4 e");
    let expected = [
        ("-U 1", long("a")),
        ("+U 1", long("b")),
        ("-D 2", long("a")),
        ("+I 2", long("cccccccccccc")),
        ("+I 3", long("d")),
        ("-U 4", long("d")),
        ("+U 4", long("e")),
    ];
    let expected: String = expected.iter().map(|(row, text)| format!("{row} {text}\n")).collect();
    assert_eq!(out, expected);
}

#[test]
fn normalized_rows_are_cut() {
    compare(
        OperatorSpec::ChangelogNormalize { keys: vec![0], ttl: 0, emit_update_before: true },
        &[ROW],
        ROW,
        false,
    );
}

/// Rows with times, then a watermark after all of them.
fn in_event_time(spec: OperatorSpec, output: &str) {
    let row = "INT STRING TIMESTAMP(3)";
    let keys: &[&[usize]] = &[&[0]];
    let large = || Harness::keyed(node(spec.clone(), &[row], output), keys);
    let (mut small, mut large) = (large().batch_bytes(LIMIT), large());
    let rows: Vec<String> = (0..60)
        .map(|row| format!("+I {} {} 1970-01-01T00:00:{:02}", row % 20, "x".repeat(row * 2 + 1), row % 30))
        .collect();
    for operator in [&mut small, &mut large] {
        operator.push(&rows.join("\n"));
        operator.checkpoint(false);
    }
    small.restore(1);
    small.watermark(100_000);
    large.watermark(100_000);
    assert!(!small.result().is_empty());
    assert_eq!(small.result(), large.result());
    assert_cut(&small);
}

#[test]
fn waiting_rows_are_emitted_in_parts() {
    let order = vec![SortKey { column: 2, descending: false, nulls_first: false }];
    in_event_time(OperatorSpec::TemporalSort { order, partition: Vec::new() }, "INT STRING TIMESTAMP(3)");
    let over = OperatorSpec::OverAggregate {
        partition: vec![0],
        time_column: Some(2),
        preceding: None,
        rows: true,
        aggregates: vec![call("COUNT", &[], "BIGINT")],
        ttl: 0,
    };
    in_event_time(over, "INT STRING TIMESTAMP(3) BIGINT");
}

#[test]
fn windows_fire_in_parts() {
    let window = |kind| WindowSpec { kind, time_column: 2, event_time: true, zone: None };
    let of = |kind| OperatorSpec::WindowAggregate {
        window: window(kind),
        keys: vec![0],
        aggregates: vec![max()],
        phase: AggregatePhase::Single,
        attached: None,
        window_columns: [false, true, false],
        input_updates: false,
    };
    let output = "INT STRING TIMESTAMP(3)";
    in_event_time(of(WindowKind::Tumble { size: 60_000, offset: 0 }), output);
    in_event_time(of(WindowKind::Hop { size: 60_000, slide: 30_000, offset: 0 }), output);
    in_event_time(of(WindowKind::Session { gap: 30_000 }), output);
}
