//! Joins: keys, conditions, which filters move below.

use expect_test::expect;

use crate::support::{Shell, check};

fn plan(query: &str) -> String {
    Shell::with_tables().plan(query)
}

#[test]
fn equal_columns_are_keys() {
    check(plan("SELECT t.b, u.x FROM t JOIN u ON t.a = u.a"), expect![[]]);
    check(plan("SELECT t.b, u.x FROM t, u WHERE t.a = u.a AND t.b = u.x AND t.c > u.y"), expect![[]]);
}

#[test]
fn computed_keys() {
    check(plan("SELECT t.b, u.x FROM t JOIN u ON t.a + 1 = u.a AND UPPER(t.b) = UPPER(u.x)"), expect![[]]);
}

#[test]
fn keys_of_different_types() {
    check(plan("SELECT t.b FROM t JOIN u ON t.c = u.a"), expect![[]]);
}

#[test]
fn null_safe_keys() {
    check(plan("SELECT t.b FROM t JOIN u ON t.a IS NOT DISTINCT FROM u.a"), expect![[]]);
}

#[test]
fn without_keys_there_is_one_subtask() {
    let mut shell = Shell::with_tables();
    shell.run("SET 'parallelism.default' = '4'");
    check(shell.plan("SELECT t.b FROM t CROSS JOIN u"), expect![[]]);
    check(shell.plan("SELECT t.b FROM t JOIN u ON t.a < u.a"), expect![[]]);
}

#[test]
fn using_and_natural() {
    check(plan("SELECT * FROM t JOIN u USING (a)"), expect![[]]);
    check(plan("SELECT a, x FROM t FULL JOIN u USING (a)"), expect![[]]);
    check(plan("SELECT a, x FROM t NATURAL RIGHT JOIN u"), expect![[]]);
}

#[test]
fn filters_move_below_an_inner_join() {
    check(plan("SELECT t.b FROM t JOIN u ON t.a = u.a AND u.x = 'k' WHERE t.c > 3 AND t.d > u.y"), expect![[]]);
}

#[test]
fn filters_above_a_left_join() {
    check(plan("SELECT t.b FROM t LEFT JOIN u ON t.a = u.a WHERE t.c > 3 AND u.x IS NULL"), expect![[]]);
}

#[test]
fn conditions_in_on_of_outer_joins() {
    check(plan("SELECT t.b, u.x FROM t LEFT JOIN u ON t.a = u.a AND t.c > 3 AND u.x = 'k'"), expect![[]]);
    check(plan("SELECT t.b, u.x FROM t RIGHT JOIN u ON t.a = u.a AND t.c > 3 AND u.x = 'k'"), expect![[]]);
    check(plan("SELECT t.b, u.x FROM t FULL JOIN u ON t.a = u.a AND t.c > 3"), expect![[]]);
}

#[test]
fn three_tables_and_a_self_join() {
    check(plan("SELECT t.b, v.b FROM t JOIN u ON t.a = u.a JOIN t AS v ON v.c = t.c"), expect![[]]);
    check(plan("SELECT l.b, r.b FROM t l JOIN t r ON l.a = r.c"), expect![[]]);
}

#[test]
fn common_table_expressions_are_shared() {
    check(
        plan("WITH w AS (SELECT a, COUNT(*) AS n FROM t GROUP BY a) SELECT l.a FROM w l JOIN w r ON l.n = r.a"),
        expect![[]],
    );
}
