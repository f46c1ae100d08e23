//! Subqueries become joins.

use expect_test::expect;

use crate::support::{Shell, check};

fn plan(query: &str) -> String {
    Shell::with_tables().plan(query)
}

#[test]
fn exists() {
    check(plan("SELECT b FROM t WHERE EXISTS (SELECT 1 FROM u WHERE u.a = t.a)"), expect![[]]);
    check(plan("SELECT b FROM t WHERE NOT EXISTS (SELECT 1 FROM u WHERE u.a = t.a AND u.x = 'k')"), expect![[]]);
    check(plan("SELECT b FROM t WHERE c > 1 AND EXISTS (SELECT 1 FROM u WHERE u.a < t.c)"), expect![[]]);
    check(plan("SELECT b FROM t WHERE EXISTS (SELECT 1 FROM u)"), expect![[]]);
}

#[test]
fn in_subquery() {
    check(plan("SELECT b FROM t WHERE a IN (SELECT a FROM u)"), expect![[]]);
    check(plan("SELECT b FROM t WHERE (a, b) IN (SELECT a, x FROM u WHERE y > t.d)"), expect![[]]);
    check(plan("SELECT b FROM t WHERE c IN (SELECT a FROM u)"), expect![[]]);
}

#[test]
fn not_in_counts_unknown_as_a_match() {
    check(plan("SELECT b FROM t WHERE a NOT IN (SELECT a FROM u)"), expect![[]]);
    check(plan("SELECT x FROM u WHERE x NOT IN (SELECT x FROM u AS v)"), expect![[]]);
}

#[test]
fn scalar() {
    check(plan("SELECT b, (SELECT MAX(y) FROM u) AS m FROM t"), expect![[]]);
    check(plan("SELECT b FROM t WHERE c > (SELECT COUNT(*) FROM u)"), expect![[]]);
    check(plan("SELECT (SELECT x FROM u) FROM t"), expect![[]]);
}

#[test]
fn correlated_scalar() {
    check(plan("SELECT b, (SELECT COUNT(*) FROM u WHERE u.a = t.a) AS n FROM t"), expect![[]]);
    check(plan("SELECT b FROM t WHERE d > (SELECT 2 * AVG(y) FROM u WHERE u.a = t.a)"), expect![[]]);
}

#[test]
fn subqueries_beside_aggregates() {
    check(plan("SELECT a, SUM(c) FROM t GROUP BY a HAVING SUM(c) > (SELECT COUNT(*) FROM u)"), expect![[]]);
}

#[test]
fn set_operations() {
    check(plan("SELECT a, b FROM t UNION ALL SELECT a, x FROM u"), expect![[]]);
    check(plan("SELECT a FROM t UNION SELECT a FROM u"), expect![[]]);
    check(plan("SELECT a FROM t INTERSECT SELECT a FROM u"), expect![[]]);
    check(plan("SELECT a FROM t EXCEPT SELECT a FROM u"), expect![[]]);
}

#[test]
fn unions_of_unions_and_of_other_types() {
    check(plan("SELECT a FROM t UNION ALL SELECT a FROM u UNION ALL SELECT c FROM t"), expect![[]]);
    check(plan("(SELECT a FROM t UNION SELECT a FROM u) UNION ALL SELECT 1"), expect![[]]);
}

#[test]
fn what_is_refused() {
    check(
        Shell::with_tables().dialog(
            "SELECT b FROM t WHERE a = 1 OR EXISTS (SELECT 1 FROM u);
             SELECT (SELECT a, x FROM u) FROM t;
             SELECT (SELECT x FROM u WHERE u.a = t.a) FROM t;
             SELECT b FROM t WHERE (a, b) IN (SELECT a FROM u);
             SELECT b FROM t WHERE a IN (SELECT x FROM u);
             SELECT b FROM t WHERE EXISTS (SELECT COUNT(*) FROM u WHERE u.a = t.a);
             SELECT b FROM t WHERE EXISTS (SELECT 1 FROM u WHERE EXISTS (SELECT 1 FROM u v WHERE v.a = t.a));
             SELECT a FROM t INTERSECT ALL SELECT a FROM u;
             SELECT a FROM t EXCEPT ALL SELECT a FROM u;
             SELECT a FROM t MINUS SELECT a FROM u;
             SELECT a, b FROM t UNION ALL SELECT a FROM u;
             SELECT 1 AS a UNION ALL SELECT DATE '2024-01-01'",
        ),
        expect![[]],
    );
}
