use expect_test::expect;
use flott_plan::{
    AggregateCall, Expr, Literal, OperatorSpec, PatternCondition, PatternReference, PatternSkip, PatternSpec,
    PatternValue, PatternVariable, SortKey,
};
use flott_types::TypeKind;

use crate::harness::{Harness, column, node, ty};

/// key, time, price
const INPUT: &str = "STRING TIMESTAMP(3) INT";
const OUTPUT: &str = "STRING INT INT BIGINT";

fn variable(name: &str, min: u32, max: Option<u32>, condition: Option<PatternCondition>) -> PatternVariable {
    PatternVariable { name: name.to_owned(), min, max, greedy: max.is_none(), condition }
}

fn compare(operator: &str, left: Expr, right: Expr) -> Expr {
    Expr::call(operator, vec![left, right], TypeKind::Boolean.nullable())
}

fn last(variables: &[usize], offset: u64) -> PatternReference {
    PatternReference {
        variables: variables.to_vec(),
        value: PatternValue::Last { column: 2, offset },
        ty: ty("INT"),
    }
}

fn first(variables: &[usize]) -> PatternReference {
    PatternReference {
        variables: variables.to_vec(),
        value: PatternValue::First { column: 2, offset: 0 },
        ty: ty("INT"),
    }
}

fn count(variables: &[usize]) -> PatternReference {
    let call = AggregateCall {
        function: "COUNT".to_owned(),
        args: vec![2],
        arg_types: vec![ty("INT")],
        distinct: false,
        filter: None,
        ty: TypeKind::BigInt.not_null(),
        name: "count".to_owned(),
    };
    let ty = call.ty.clone();
    PatternReference { variables: variables.to_vec(), value: PatternValue::Aggregate(call), ty }
}

/// PATTERN (S D+ U): falling prices, then one that rises. MEASURES S.price, LAST(U.price), COUNT(D.price)
fn valley(skip: PatternSkip, within: Option<i64>) -> PatternSpec {
    let falls = compare("<", column(0, "INT"), column(1, "INT"));
    let rises = compare(">", column(0, "INT"), column(1, "INT"));
    let path =
        |references: Vec<PatternReference>, condition| Some(PatternCondition::Path { references, condition });
    PatternSpec {
        partition: vec![0],
        time_column: Some(1),
        order: Vec::new(),
        variables: vec![
            variable("S", 1, Some(1), None),
            // The previous row is an S or a D.
            variable("D", 1, None, path(vec![last(&[1], 0), last(&[0, 1], 1)], falls)),
            variable("U", 1, Some(1), path(vec![last(&[2], 0), last(&[1], 0)], rises)),
        ],
        shape: None,
        skip,
        within,
        references: vec![first(&[0]), last(&[2], 0), count(&[1])],
        measures: vec![column(0, "INT"), column(1, "INT"), Expr::column(2, TypeKind::BigInt.not_null())],
    }
}

fn harness(spec: PatternSpec) -> Harness {
    Harness::keyed(node(OperatorSpec::MatchRecognize(spec), &[INPUT], OUTPUT), &[&[0]])
}

fn rows(key: &str, from: i64, prices: &[i64]) -> String {
    let row =
        |(at, price): (usize, &i64)| format!("+I {key} 1970-01-01T00:00:{:02} {price}\n", from + at as i64);
    prices.iter().enumerate().map(row).collect()
}

#[test]
fn finds_a_valley_however_rows_are_batched() {
    let mut whole = harness(valley(PatternSkip::PastLastRow, None));
    whole.push(&rows("x", 1, &[5, 4, 3, 6, 9, 8, 9]));
    let expected = expect![[r#"
        +I x 5 6 2
        +I x 9 9 1
        watermark MAX
    "#]];
    expected.assert_eq(&whole.watermark(i64::MAX));
    whole.checkpoint(false);
    assert!(whole.tables().is_empty(), "nothing is open: {:?}", whole.tables());

    let mut parts = harness(valley(PatternSkip::PastLastRow, None));
    parts.push(&rows("x", 1, &[5, 4, 3, 6, 9, 8, 9]));
    let mut text = String::new();
    for second in 1..=7 {
        text.push_str(&parts.watermark(second * 1000));
        parts.checkpoint(second % 3 == 0);
        if second % 2 == 0 {
            parts.as_earlier("pending", 1, "$arrival");
            parts.as_earlier("matched", 1, "$row");
        }
        parts.restore(1 + second as u32 % 3);
    }
    let found: Vec<&str> = text.lines().filter(|line| line.starts_with('+')).collect();
    assert_eq!(found, ["+I x 5 6 2", "+I x 9 9 1"]);
    parts.checkpoint(false);
    assert!(parts.tables().iter().all(|table| !table.contains("matched")), "{:?}", parts.tables());
}

#[test]
fn keys_are_matched_independently() {
    let mut harness = harness(valley(PatternSkip::ToNextRow, None));
    harness.push(&rows("x", 1, &[5, 4, 6]));
    harness.push(&rows("y", 1, &[7, 6, 5, 8]));
    expect![[r#"
        +I x 5 6 1
        +I y 7 8 2
        +I y 6 8 1
        watermark 9000
    "#]]
    .assert_eq(&harness.watermark(9000));
}

#[test]
fn a_match_that_times_out_is_dropped_with_its_rows() {
    let mut harness = harness(valley(PatternSkip::PastLastRow, Some(3_000)));
    harness.push(&rows("x", 1, &[5, 4, 3, 6]));
    expect![[r#"
        +I x 4 6 1
        watermark 4000
    "#]]
    .assert_eq(&harness.watermark(4000));
    harness.push(&rows("x", 5, &[9, 8]));
    harness.watermark(6000);
    harness.checkpoint(false);
    assert!(!harness.tables().is_empty());
    assert_eq!(harness.watermark(9000), "watermark 9000\n");
    harness.checkpoint(false);
    assert!(harness.tables().is_empty(), "{:?}", harness.tables());
}

#[test]
fn late_rows_are_dropped_and_counted() {
    let mut harness = harness(valley(PatternSkip::PastLastRow, None));
    harness.push(&rows("x", 5, &[5, 4]));
    harness.watermark(6000);
    harness.checkpoint(false);
    harness.restore(1);
    harness.push(&rows("x", 6, &[3, 8]));
    assert_eq!(harness.metrics.num_late_records_dropped.get(), 1);
    assert_eq!(harness.watermark(7000), "+I x 5 8 1\nwatermark 7000\n");
}

#[test]
fn rows_with_the_same_time_are_ordered_by_further_keys() {
    let order = vec![SortKey { column: 2, descending: true, nulls_first: false }];
    let mut harness = harness(PatternSpec { order, ..valley(PatternSkip::PastLastRow, None) });
    let same = |price: i64| format!("+I x 1970-01-01T00:00:01 {price}\n");
    harness.push(&format!("{}{}{}", same(3), same(5), same(4)));
    harness.push(&rows("x", 2, &[7]));
    assert_eq!(harness.watermark(2000), "+I x 5 7 2\nwatermark 2000\n");
}

#[test]
fn a_skip_that_would_find_the_same_match_again_is_an_error() {
    let spec = PatternSpec { time_column: None, ..valley(PatternSkip::ToFirst(0), None) };
    let error = harness(spec).try_push(0, &rows("x", 1, &[5, 4, 6])).unwrap_err();
    assert!(error.to_string().contains("S begins with it"), "{error}");
}

#[test]
fn a_condition_on_the_row_alone_is_enough() {
    let above = compare(">", column(2, "INT"), Expr::literal(Literal::Integer(5), TypeKind::Int.not_null()));
    let spec = PatternSpec {
        variables: vec![
            variable("A", 1, None, Some(PatternCondition::Row(above))),
            variable("B", 1, Some(1), None),
        ],
        references: vec![first(&[0]), last(&[1], 0), count(&[0, 1])],
        ..valley(PatternSkip::PastLastRow, None)
    };
    let mut harness = harness(spec);
    harness.push(&rows("x", 1, &[6, 7, 8, 1, 9, 2]));
    expect![[r#"
        +I x 6 1 4
        +I x 9 2 2
        watermark MAX
    "#]]
    .assert_eq(&harness.watermark(i64::MAX));
}

#[test]
fn in_processing_time_rows_are_matched_as_they_arrive_and_time_out() {
    let spec = PatternSpec { time_column: None, ..valley(PatternSkip::PastLastRow, Some(1_000)) };
    let mut harness = harness(spec);
    assert_eq!(harness.push(&rows("x", 9, &[5, 4])), "");
    assert_eq!(harness.push(&rows("x", 1, &[6])), "+I x 5 6 1\n");
    harness.push(&rows("x", 1, &[5, 4]));
    harness.advance(1_000);
    harness.checkpoint(false);
    assert!(harness.tables().is_empty(), "{:?}", harness.tables());
    assert_eq!(harness.push(&rows("x", 1, &[6])), "");
}
