//! Top-N, deduplication, LIMIT, ORDER BY.

use expect_test::expect;

use crate::support::{Shell, check};

fn plan(query: &str) -> String {
    Shell::with_tables().plan(query)
}

#[test]
fn row_number_below_a_bound() {
    check(
        plan(
            "SELECT a, c, n FROM (SELECT a, c, ROW_NUMBER() OVER (PARTITION BY a ORDER BY c DESC) AS n FROM t) WHERE n <= 3",
        ),
        expect![[]],
    );
}

#[test]
fn the_rank_is_left_out_when_nobody_reads_it() {
    check(
        plan("SELECT a, c FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY a ORDER BY c) AS n FROM t) WHERE n <= 3"),
        expect![[]],
    );
}

#[test]
fn bounds_of_all_kinds() {
    let of = |condition: &str| {
        plan(&format!(
            "SELECT c FROM (SELECT c, ROW_NUMBER() OVER (ORDER BY c) AS n FROM t) WHERE {condition}"
        ))
    };
    check(of("n = 1"), expect![[]]);
    check(of("n < 4"), expect![[]]);
    check(of("5 > n AND 1 < n"), expect![[]]);
    check(of("n BETWEEN 2 AND 7"), expect![[]]);
    check(of("n <= 3 AND c > 0"), expect![[]]);
}

#[test]
fn qualify() {
    check(plan("SELECT a, c FROM t QUALIFY ROW_NUMBER() OVER (PARTITION BY a ORDER BY c) = 1"), expect![[]]);
}

#[test]
fn order_by_with_limit() {
    check(plan("SELECT a, b FROM t ORDER BY c DESC, a LIMIT 3"), expect![[]]);
    check(plan("SELECT a FROM t ORDER BY a NULLS LAST LIMIT 3 OFFSET 2"), expect![[]]);
    check(plan("SELECT a FROM t ORDER BY 1 FETCH FIRST 2 ROWS ONLY"), expect![[]]);
}

#[test]
fn limit_without_order() {
    check(plan("SELECT a FROM t LIMIT 3"), expect![[]]);
    check(plan("SELECT a FROM t OFFSET 3"), expect![[]]);
}

#[test]
fn order_by_time() {
    check(plan("SELECT auction, ts FROM bid ORDER BY ts, auction DESC"), expect![[]]);
}

#[test]
fn top_n_of_an_aggregation() {
    check(
        plan("SELECT a, n FROM (SELECT a, COUNT(*) AS n FROM t GROUP BY a) ORDER BY n DESC LIMIT 10"),
        expect![[]],
    );
}

#[test]
fn what_is_no_top_n() {
    let mut shell = Shell::with_tables();
    check(
        shell.dialog(
            "SELECT * FROM (SELECT a, ROW_NUMBER() OVER (ORDER BY c) AS n FROM t);
             SELECT * FROM (SELECT a, ROW_NUMBER() OVER (ORDER BY c) AS n FROM t) WHERE n > 3;
             SELECT * FROM (SELECT a, RANK() OVER (ORDER BY c) AS n FROM t) WHERE n <= 3;
             SELECT * FROM (SELECT a, c, ROW_NUMBER() OVER (ORDER BY c) AS n FROM t) WHERE n <= c;
             SELECT * FROM (SELECT a, ROW_NUMBER() OVER (PARTITION BY a) AS n FROM t) WHERE n <= 3;
             SELECT a FROM t ORDER BY a;
             SELECT ts FROM bid ORDER BY ts DESC;
             SELECT a FROM t ORDER BY 2 LIMIT 1;
             SELECT a FROM t ORDER BY a LIMIT 'x';
             SELECT DISTINCT a FROM t ORDER BY b LIMIT 1",
        ),
        expect![[]],
    );
}

#[test]
fn batch_sorts_all() {
    let mut shell = Shell::with_tables();
    shell.run("SET 'execution.runtime-mode' = 'batch'");
    check(shell.plan("SELECT a FROM t ORDER BY a"), expect![[]]);
}
