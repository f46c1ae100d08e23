//! GROUP BY, DISTINCT, HAVING, GROUPING SETS.

use expect_test::expect;

use crate::support::{Shell, check};

fn plan(query: &str) -> String {
    Shell::with_tables().plan(query)
}

#[test]
fn groups_are_spread_by_their_key() {
    check(plan("SELECT a, COUNT(*), SUM(c) FROM t GROUP BY a"), expect![[]]);
}

#[test]
fn without_a_key_there_is_one_group() {
    check(plan("SELECT COUNT(*), MAX(c) FROM t"), expect![[]]);
    check(plan("SELECT COUNT(*) FROM t GROUP BY ()"), expect![[]]);
}

#[test]
fn keys_and_arguments_are_computed_before() {
    check(plan("SELECT UPPER(b), SUM(a + 1), SUM(a + 1) + 1, AVG(a) FILTER (WHERE c > 3) FROM t GROUP BY UPPER(b)"), expect![[]]);
}

#[test]
fn a_key_that_is_not_selected_and_a_constant_key() {
    check(plan("SELECT COUNT(*) FROM t GROUP BY b"), expect![[]]);
    check(plan("SELECT COUNT(*) FROM t GROUP BY 1 + 1"), expect![[]]);
}

#[test]
fn the_same_call_is_computed_once() {
    check(plan("SELECT a, SUM(c), SUM(c) / COUNT(*), COUNT(*) FROM t GROUP BY a HAVING SUM(c) > 10"), expect![[]]);
}

#[test]
fn select_distinct_groups_by_all_columns() {
    check(plan("SELECT DISTINCT a, b FROM t"), expect![[]]);
}

#[test]
fn distinct_arguments() {
    check(plan("SELECT a, COUNT(DISTINCT b), MAX(DISTINCT c), SUM(c) FROM t GROUP BY a"), expect![[]]);
}

#[test]
fn having_filters_the_groups() {
    check(plan("SELECT a FROM t GROUP BY a HAVING COUNT(*) > 1"), expect![[]]);
    check(plan("SELECT SUM(c) FROM t HAVING COUNT(*) > 1"), expect![[]]);
}

#[test]
fn a_call_that_nobody_reads_is_not_computed() {
    check(plan("SELECT a, n FROM (SELECT a, COUNT(*) AS n, SUM(c) AS s FROM t GROUP BY a)"), expect![[]]);
}

#[test]
fn two_phases_where_there_are_several_subtasks() {
    let mut shell = Shell::with_tables();
    shell.run("SET 'parallelism.default' = '2'");
    let query = "SELECT a, COUNT(*), SUM(c) FROM t GROUP BY a";
    check(shell.plan(query), expect![[]]);
    check(shell.plan("SELECT COUNT(*) FROM t"), expect![[]]);
    shell.run("SET 'table.optimizer.agg-phase-strategy' = 'ONE_PHASE'");
    check(shell.plan(query), expect![[]]);
    shell.run("SET 'table.optimizer.agg-phase-strategy' = 'TWO_PHASE'");
    check(shell.plan("SELECT COUNT(*) FROM (SELECT a, COUNT(*) FROM t GROUP BY a)"), expect![[]]);
}

#[test]
fn aggregation_of_an_aggregation() {
    check(plan("SELECT n, COUNT(*) FROM (SELECT a, COUNT(*) AS n FROM t GROUP BY a) GROUP BY n"), expect![[]]);
}

#[test]
fn grouping_sets_expand_the_rows() {
    check(plan("SELECT a, b, SUM(c) FROM t GROUP BY GROUPING SETS ((a), (a, b), ())"), expect![[]]);
    check(plan("SELECT a, b, GROUPING(b) AS g, COUNT(*) FROM t GROUP BY ROLLUP (a, b)"), expect![[]]);
    check(plan("SELECT a, b, COUNT(*) FROM t GROUP BY CUBE (a, b)"), expect![[]]);
    check(plan("SELECT a, SUM(a) FROM t GROUP BY GROUPING SETS ((a), ())"), expect![[]]);
}

#[test]
fn over_windows() {
    check(plan("SELECT auction, SUM(price) OVER (PARTITION BY auction ORDER BY ts) AS s FROM bid"), expect![[]]);
    check(
        plan(
            "SELECT SUM(price) OVER w AS s, COUNT(*) OVER w AS n FROM bid
             WINDOW w AS (ORDER BY ts ROWS BETWEEN 2 PRECEDING AND CURRENT ROW)",
        ),
        expect![[]],
    );
    check(
        plan(
            "SELECT MAX(price) OVER (PARTITION BY auction ORDER BY ts
             RANGE BETWEEN INTERVAL '10' SECOND PRECEDING AND CURRENT ROW) FROM bid",
        ),
        expect![[]],
    );
}
