use expect_test::expect;
use flott_plan::{Expr, JoinKind, Literal, OperatorSpec, TemporalJoinSpec};
use flott_types::TypeKind;

use crate::harness::{Harness, column, node};

/// key, amount, time
const LEFT: &str = "STRING INT TIMESTAMP(3)";
/// key, rate, time
const RIGHT: &str = "STRING INT TIMESTAMP(3)";

fn harness(kind: JoinKind, condition: Option<Expr>) -> Harness {
    let spec = TemporalJoinSpec {
        kind,
        left_keys: vec![0],
        right_keys: vec![0],
        null_safe: vec![false],
        left_time: 2,
        right_time: 2,
        condition,
    };
    let output = format!("{LEFT} {RIGHT}");
    Harness::keyed(node(OperatorSpec::TemporalJoin(spec), &[LEFT, RIGHT], &output), &[&[0], &[0]])
}

fn row(kind: &str, key: &str, value: i64, second: i64) -> String {
    format!("{kind} {key} {value} 1970-01-01T00:00:{second:02}\n")
}

#[test]
fn each_row_is_joined_with_the_version_at_its_time() {
    let mut join = harness(JoinKind::Left, None);
    join.push_to(1, &[row("+I", "x", 1, 2), row("+I", "x", 2, 5), row("-D", "x", 2, 8)].concat());
    join.push_to(
        0,
        &[row("+I", "x", 9, 6), row("+I", "x", 7, 1), row("+I", "x", 8, 4), row("+I", "x", 6, 9)].concat(),
    );
    expect![[r#"
        +I x 7 1970-01-01T00:00:01.000 NULL NULL NULL
        +I x 8 1970-01-01T00:00:04.000 x 1 1970-01-01T00:00:02.000
        watermark 5000
    "#]]
    .assert_eq(&join.watermark(5000));
    join.checkpoint(false);
    join.as_earlier("pending", 1, "$arrival");
    join.restore(2);
    join.checkpoint(false);
    join.restore(1);
    expect![[r#"
        +I x 9 1970-01-01T00:00:06.000 x 2 1970-01-01T00:00:05.000
        +I x 6 1970-01-01T00:00:09.000 NULL NULL NULL
        watermark MAX
    "#]]
    .assert_eq(&join.watermark(i64::MAX));
}

#[test]
fn an_inner_join_drops_rows_without_a_version() {
    let mut join = harness(JoinKind::Inner, None);
    join.push_to(1, &[row("+I", "x", 1, 2), row("-U", "x", 1, 2), row("+U", "x", 3, 2)].concat());
    join.push_to(0, &[row("+I", "x", 7, 1), row("+I", "y", 8, 4), row("+I", "x", 9, 4)].concat());
    expect![[r#"
        +I x 9 1970-01-01T00:00:04.000 x 3 1970-01-01T00:00:02.000
        watermark 9000
    "#]]
    .assert_eq(&join.watermark(9000));
}

#[test]
fn a_condition_restricts_what_the_key_joins() {
    let above = Expr::call(
        ">",
        vec![column(4, "INT"), Expr::literal(Literal::Integer(5), TypeKind::Int.not_null())],
        TypeKind::Boolean.nullable(),
    );
    let mut join = harness(JoinKind::Left, Some(above));
    join.push_to(1, &[row("+I", "x", 1, 2), row("+U", "x", 6, 3)].concat());
    join.push_to(0, &[row("+I", "x", 7, 2), row("+I", "x", 8, 3)].concat());
    expect![[r#"
        +I x 7 1970-01-01T00:00:02.000 NULL NULL NULL
        +I x 8 1970-01-01T00:00:03.000 x 6 1970-01-01T00:00:03.000
        watermark 9000
    "#]]
    .assert_eq(&join.watermark(9000));
}

#[test]
fn versions_that_no_row_can_need_are_forgotten() {
    let mut join = harness(JoinKind::Inner, None);
    for second in 1..=20 {
        join.push_to(1, &row("+U", "x", second, second));
        join.watermark(second * 1000);
    }
    join.checkpoint(true);
    assert_eq!(join.table("versions").lines().count(), 2, "a header and one version");
    join.push_to(1, &row("+U", "x", 99, 30));
    join.checkpoint(false);
    join.restore(2);
    join.watermark(30_000);
    join.checkpoint(true);
    assert_eq!(join.table("versions").lines().count(), 2, "also after a restore");
}

#[test]
fn a_null_key_has_no_version() {
    let mut join = harness(JoinKind::Left, None);
    join.push_to(1, &row("+I", "NULL", 1, 1));
    join.push_to(0, &row("+I", "NULL", 7, 2));
    expect![[r#"
        +I NULL 7 1970-01-01T00:00:02.000 NULL NULL NULL
        watermark 9000
    "#]]
    .assert_eq(&join.watermark(9000));
}
