//! Projections, filters, and how far down they move.

use expect_test::expect;

use crate::support::{Shell, check};

fn plan(query: &str) -> String {
    Shell::with_tables().plan(query)
}

#[test]
fn projection_and_filter_are_one_operator() {
    check(plan("SELECT a + 1 AS n, UPPER(b) FROM t WHERE c > 3 AND b <> 'x'"), expect![[]]);
}

#[test]
fn nested_projections_and_filters_are_one_operator() {
    check(plan("SELECT m FROM (SELECT n * 2 AS m, b FROM (SELECT a + 1 AS n, b FROM t) WHERE n > 3) WHERE b = 'x'"), expect![[]]);
}

#[test]
fn an_expensive_column_that_is_read_twice_is_computed_once() {
    check(plan("SELECT s, s || s AS ss FROM (SELECT UPPER(b) AS s FROM t)"), expect![[]]);
}

#[test]
fn a_random_number_is_drawn_once() {
    check(plan("SELECT r, r AS again FROM (SELECT RAND() AS r FROM t) WHERE r > 0.5"), expect![[]]);
}

#[test]
fn the_scan_reads_the_columns_that_are_needed() {
    check(plan("SELECT c FROM t"), expect![[]]);
    check(plan("SELECT d, b FROM t"), expect![[]]);
    check(plan("SELECT b FROM t WHERE c = 1"), expect![[]]);
    check(plan("SELECT COUNT(*) FROM t"), expect![[]]);
    check(plan("SELECT 1 FROM t"), expect![[]]);
    check(plan("SELECT * FROM t"), expect![[]]);
}

#[test]
fn constants_are_folded() {
    check(plan("SELECT 1 + 2 * 3 AS n, a FROM t WHERE a > 2 + 2"), expect![[]]);
    check(plan("SELECT UPPER('x')"), expect![[]]);
}

#[test]
fn what_is_always_true_or_false() {
    check(plan("SELECT a FROM t WHERE TRUE"), expect![[]]);
    check(plan("SELECT a FROM t WHERE 1 = 2"), expect![[]]);
}

#[test]
fn a_filter_stops_at_a_watermark() {
    check(plan("SELECT auction FROM bid WHERE price > 10"), expect![[]]);
}

#[test]
fn a_filter_goes_through_a_union() {
    check(plan("SELECT * FROM (SELECT a FROM t UNION ALL SELECT a FROM u) WHERE a > 3"), expect![[]]);
}

#[test]
fn a_filter_stops_at_an_aggregation() {
    check(plan("SELECT * FROM (SELECT a, COUNT(*) AS n FROM t GROUP BY a) WHERE n > 3"), expect![[]]);
}

#[test]
fn computed_and_metadata_columns() {
    let mut shell = Shell::with_tables();
    let table = "CREATE TABLE m (a INT, twice AS a * 2, o BIGINT METADATA FROM 'offset', p AS PROCTIME(),
                 at TIMESTAMP_LTZ(3) METADATA FROM 'timestamp' VIRTUAL, WATERMARK FOR at AS at) WITH ('connector' = 'rows')";
    assert_eq!(shell.run(table), "");
    check(shell.plan("SELECT twice, o FROM m"), expect![[]]);
    check(shell.plan("SELECT * FROM m"), expect![[]]);
}

#[test]
fn values_and_no_table() {
    check(plan("SELECT a + 1 FROM (VALUES (1, 'x'), (2, 'yy')) AS v (a, b)"), expect![[]]);
    check(plan("VALUES (1, CAST(NULL AS INT)), (2, 3)"), expect![[]]);
}
