use expect_test::expect;
use flott_plan::{AggregateCall, OperatorSpec, SortKey};

use crate::harness::{Harness, node, ty};

fn call(function: &str, args: &[(usize, &str)], result: &str) -> AggregateCall {
    AggregateCall {
        function: function.to_owned(),
        args: args.iter().map(|(column, _)| *column).collect(),
        arg_types: args.iter().map(|(_, name)| ty(name)).collect(),
        distinct: false,
        filter: None,
        ty: ty(result),
        name: function.to_lowercase(),
    }
}

fn over(
    calls: Vec<AggregateCall>,
    rows: bool,
    preceding: Option<i64>,
    following: Option<i64>,
    output: &str,
) -> Harness {
    let spec = OperatorSpec::BatchOver {
        partition: vec![0],
        order: vec![SortKey { column: 1, descending: false, nulls_first: true }],
        rows,
        preceding,
        following,
        aggregates: calls,
    };
    Harness::keyed(node(spec, &["STRING INT"], output), &[&[0]])
}

#[test]
fn a_changelog_is_emitted_as_its_final_rows() {
    let mut rows = Harness::keyed(node(OperatorSpec::BatchRows, &["INT STRING"], "INT STRING"), &[&[0, 1]]);
    assert_eq!(rows.push("+I 1 a\n+I 2 b\n+I 1 a\n-U 2 b\n+U 2 c\n+I 3 x\n-D 3 x"), "");
    rows.checkpoint(false);
    rows.restore(2);
    assert_eq!(rows.push("-D 1 a"), "");
    assert_eq!(rows.push("+I 4 NULL"), "");
    expect![[r#"
        +I 1 a
        +I 2 c
        +I 4 NULL
    "#]]
    .assert_eq(&sorted(&rows.finish()));
}

fn sorted(text: &str) -> String {
    let mut lines: Vec<&str> = text.lines().filter(|line| line.starts_with('+')).collect();
    lines.sort_unstable();
    lines.iter().map(|line| format!("{line}\n")).collect()
}

#[test]
fn ranks_and_neighbours() {
    let calls = vec![
        call("ROW_NUMBER", &[], "BIGINT"),
        call("RANK", &[], "BIGINT"),
        call("DENSE_RANK", &[], "BIGINT"),
        call("CUME_DIST", &[], "DOUBLE"),
        call("LEAD", &[(1, "INT")], "INT"),
        call("LAG", &[(1, "INT")], "INT"),
    ];
    let mut over = over(calls, false, None, Some(0), "STRING INT BIGINT BIGINT BIGINT DOUBLE INT INT");
    over.push("+I a 2\n+I b 7\n+I a 1\n+I a 2\n+I a 3");
    expect![[r#"
        +I a 1 1 1 1 0.25 2 NULL
        +I a 2 2 2 2 0.75 2 1
        +I a 2 3 2 2 0.75 3 2
        +I a 3 4 4 3 1.0 NULL 2
        +I b 7 1 1 1 1.0 NULL NULL
    "#]]
    .assert_eq(&sorted(&over.finish()));
}

#[test]
fn frames_look_in_both_directions() {
    let sums = |rows, preceding, following| {
        let mut over =
            over(vec![call("SUM", &[(1, "INT")], "INT")], rows, preceding, following, "STRING INT INT");
        over.push("+I a 1\n+I a 2\n+I a 4\n+I a 4\n+I a 9\n+I a NULL");
        let text = sorted(&over.finish());
        text.lines()
            .map(|line| line.rsplit(' ').next().unwrap_or_default().to_owned())
            .collect::<Vec<_>>()
            .join(" ")
    };
    assert_eq!(sums(true, Some(1), Some(1)), "3 7 10 17 13 1");
    assert_eq!(sums(true, Some(-1), None), "19 17 13 9 NULL 20");
    assert_eq!(sums(false, None, None), "20 20 20 20 20 20");
    assert_eq!(sums(false, Some(2), Some(0)), "1 3 10 10 9 NULL");
    assert_eq!(sums(false, Some(0), Some(5)), "11 10 17 17 9 NULL");
}
