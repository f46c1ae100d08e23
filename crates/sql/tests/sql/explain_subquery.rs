//! Subqueries become joins.

use expect_test::expect;

use crate::support::{Shell, check};

fn plan(query: &str) -> String {
    Shell::with_tables().plan(query)
}

#[test]
fn exists() {
    check(
        plan("SELECT b FROM t WHERE EXISTS (SELECT 1 FROM u WHERE u.a = t.a)"),
        expect![[r#"
        Sink(table=[*anonymous_collect$1*], fields=[b])
        +- Calc(select=[b])
           +- Join(joinType=[LeftSemiJoin], where=[(a = $c0)], select=[a, b, $c0])
              +- Exchange(distribution=[hash[a]])
                 +- TableSourceScan(table=[[default_catalog, default_database, t]], fields=[a, b])
              +- Exchange(distribution=[hash[$c0]])
                 +- Calc(select=[a AS $c0])
                    +- TableSourceScan(table=[[default_catalog, default_database, u]], fields=[a])
    "#]],
    );
    check(
        plan("SELECT b FROM t WHERE NOT EXISTS (SELECT 1 FROM u WHERE u.a = t.a AND u.x = 'k')"),
        expect![[r#"
        Sink(table=[*anonymous_collect$1*], fields=[b])
        +- Calc(select=[b])
           +- Join(joinType=[LeftAntiJoin], where=[(a = $c0)], select=[a, b, $c0])
              +- Exchange(distribution=[hash[a]])
                 +- TableSourceScan(table=[[default_catalog, default_database, t]], fields=[a, b])
              +- Exchange(distribution=[hash[$c0]])
                 +- Calc(select=[a AS $c0], where=[(x = 'k')])
                    +- TableSourceScan(table=[[default_catalog, default_database, u]], fields=[a, x])
    "#]],
    );
    check(
        plan("SELECT b FROM t WHERE c > 1 AND EXISTS (SELECT 1 FROM u WHERE u.a < t.c)"),
        expect![[r#"
        Sink(table=[*anonymous_collect$1*], fields=[b])
        +- Calc(select=[b])
           +- Join(joinType=[LeftSemiJoin], where=[(CAST($c0 AS BIGINT) < c)], select=[b, c, $c0])
              +- Exchange(distribution=[single])
                 +- Calc(select=[b, c], where=[(c > 1:BIGINT)])
                    +- TableSourceScan(table=[[default_catalog, default_database, t]], fields=[b, c])
              +- Exchange(distribution=[single])
                 +- Calc(select=[a AS $c0])
                    +- TableSourceScan(table=[[default_catalog, default_database, u]], fields=[a])
    "#]],
    );
    check(
        plan("SELECT b FROM t WHERE EXISTS (SELECT 1 FROM u)"),
        expect![[r#"
        Sink(table=[*anonymous_collect$1*], fields=[b])
        +- Join(joinType=[LeftSemiJoin], where=[true], select=[b, EXPR$0])
           +- Exchange(distribution=[single])
              +- TableSourceScan(table=[[default_catalog, default_database, t]], fields=[b])
           +- Exchange(distribution=[single])
              +- Calc(select=[1 AS EXPR$0])
                 +- TableSourceScan(table=[[default_catalog, default_database, u]], fields=[a])
    "#]],
    );
}

#[test]
fn in_subquery() {
    check(
        plan("SELECT b FROM t WHERE a IN (SELECT a FROM u)"),
        expect![[r#"
            Sink(table=[*anonymous_collect$1*], fields=[b])
            +- Calc(select=[b])
               +- Join(joinType=[LeftSemiJoin], where=[(a = a$1)], select=[a, b, a$1])
                  +- Exchange(distribution=[hash[a]])
                     +- TableSourceScan(table=[[default_catalog, default_database, t]], fields=[a, b])
                  +- Exchange(distribution=[hash[a]])
                     +- TableSourceScan(table=[[default_catalog, default_database, u]], fields=[a])
        "#]],
    );
    check(
        plan("SELECT b FROM t WHERE (a, b) IN (SELECT a, x FROM u WHERE y > t.d)"),
        expect![[r#"
            Sink(table=[*anonymous_collect$1*], fields=[b])
            +- Calc(select=[b])
               +- Join(joinType=[LeftSemiJoin], where=[(a = a$1) AND (b = x) AND ($c2 > d)], select=[a, b, d, a$1, x, $c2])
                  +- Exchange(distribution=[hash[a, b]])
                     +- TableSourceScan(table=[[default_catalog, default_database, t]], fields=[a, b, d])
                  +- Exchange(distribution=[hash[a, x]])
                     +- Calc(select=[a, x, y AS $c2])
                        +- TableSourceScan(table=[[default_catalog, default_database, u]], fields=[a, x, y])
        "#]],
    );
    check(
        plan("SELECT b FROM t WHERE c IN (SELECT a FROM u)"),
        expect![[r#"
        Sink(table=[*anonymous_collect$1*], fields=[b])
        +- Calc(select=[b])
           +- Calc(select=[b, c])
              +- Join(joinType=[LeftSemiJoin], where=[(c = $key1)], select=[b, c, a, $key1])
                 +- Exchange(distribution=[hash[c]])
                    +- TableSourceScan(table=[[default_catalog, default_database, t]], fields=[b, c])
                 +- Exchange(distribution=[hash[$key1]])
                    +- Calc(select=[a, CAST(a AS BIGINT) AS $key1])
                       +- TableSourceScan(table=[[default_catalog, default_database, u]], fields=[a])
    "#]],
    );
}

#[test]
fn not_in_counts_unknown_as_a_match() {
    check(
        plan("SELECT b FROM t WHERE a NOT IN (SELECT a FROM u)"),
        expect![[r#"
            Sink(table=[*anonymous_collect$1*], fields=[b])
            +- Calc(select=[b])
               +- Join(joinType=[LeftAntiJoin], where=[(a = a$1) IS NOT FALSE], select=[a, b, a$1])
                  +- Exchange(distribution=[single])
                     +- TableSourceScan(table=[[default_catalog, default_database, t]], fields=[a, b])
                  +- Exchange(distribution=[single])
                     +- TableSourceScan(table=[[default_catalog, default_database, u]], fields=[a])
        "#]],
    );
    check(
        plan("SELECT x FROM u WHERE x NOT IN (SELECT x FROM u AS v)"),
        expect![[r#"
            Sink(table=[*anonymous_collect$1*], fields=[x])
            +- Join(joinType=[LeftAntiJoin], where=[(x = x$1)], select=[x, x$1])
               +- Exchange(distribution=[hash[x]])
                  +- TableSourceScan(table=[[default_catalog, default_database, u]], fields=[x])
               +- Exchange(distribution=[hash[x]])
                  +- TableSourceScan(table=[[default_catalog, default_database, u]], fields=[x])
        "#]],
    );
}

#[test]
fn scalar() {
    check(
        plan("SELECT b, (SELECT MAX(y) FROM u) AS m FROM t"),
        expect![[r#"
        Sink(table=[*anonymous_collect$1*], fields=[b, m])
        +- Calc(select=[b, EXPR$0 AS m])
           +- Join(joinType=[LeftOuterJoin], where=[true], select=[b, EXPR$0])
              +- Exchange(distribution=[single])
                 +- TableSourceScan(table=[[default_catalog, default_database, t]], fields=[b])
              +- Exchange(distribution=[single])
                 +- GroupAggregate(select=[MAX($f0) AS EXPR$0])
                    +- Exchange(distribution=[single])
                       +- Calc(select=[y AS $f0])
                          +- TableSourceScan(table=[[default_catalog, default_database, u]], fields=[y])
    "#]],
    );
    check(
        plan("SELECT b FROM t WHERE c > (SELECT COUNT(*) FROM u)"),
        expect![[r#"
            Sink(table=[*anonymous_collect$1*], fields=[b])
            +- Calc(select=[b], where=[(c > EXPR$0)])
               +- Join(joinType=[LeftOuterJoin], where=[true], select=[b, c, EXPR$0])
                  +- Exchange(distribution=[single])
                     +- TableSourceScan(table=[[default_catalog, default_database, t]], fields=[b, c])
                  +- Exchange(distribution=[single])
                     +- GroupAggregate(select=[COUNT(*) AS EXPR$0])
                        +- Exchange(distribution=[single])
                           +- Calc(select=[])
                              +- TableSourceScan(table=[[default_catalog, default_database, u]], fields=[a])
        "#]],
    );
    check(
        plan("SELECT (SELECT x FROM u) FROM t"),
        expect![[r#"
        Sink(table=[*anonymous_collect$1*], fields=[EXPR$0])
        +- Calc(select=[EXPR$0])
           +- Join(joinType=[LeftOuterJoin], where=[true], select=[a, EXPR$0])
              +- Exchange(distribution=[single])
                 +- TableSourceScan(table=[[default_catalog, default_database, t]], fields=[a])
              +- Exchange(distribution=[single])
                 +- GroupAggregate(select=[SINGLE_VALUE(EXPR$0) AS EXPR$0])
                    +- Exchange(distribution=[single])
                       +- Calc(select=[x AS EXPR$0])
                          +- TableSourceScan(table=[[default_catalog, default_database, u]], fields=[x])
    "#]],
    );
}

#[test]
fn correlated_scalar() {
    check(
        plan("SELECT b, (SELECT COUNT(*) FROM u WHERE u.a = t.a) AS n FROM t"),
        expect![[r#"
        Sink(table=[*anonymous_collect$1*], fields=[b, n])
        +- Calc(select=[b, COALESCE(EXPR$0, 0:BIGINT) AS n])
           +- Join(joinType=[LeftOuterJoin], where=[(a = $k0)], select=[a, b, $k0, EXPR$0])
              +- Exchange(distribution=[hash[a]])
                 +- TableSourceScan(table=[[default_catalog, default_database, t]], fields=[a, b])
              +- Exchange(distribution=[hash[$k0]])
                 +- GroupAggregate(groupBy=[$k0], select=[$k0, COUNT(*) AS EXPR$0])
                    +- Exchange(distribution=[hash[$k0]])
                       +- Calc(select=[a AS $k0])
                          +- TableSourceScan(table=[[default_catalog, default_database, u]], fields=[a])
    "#]],
    );
    check(
        plan("SELECT b FROM t WHERE d > (SELECT 2 * AVG(y) FROM u WHERE u.a = t.a)"),
        expect![[r#"
            Sink(table=[*anonymous_collect$1*], fields=[b])
            +- Calc(select=[b], where=[(d > (2:DECIMAL(10, 0) * EXPR$0))])
               +- Join(joinType=[LeftOuterJoin], where=[(a = $k0)], select=[a, b, d, $k0, EXPR$0])
                  +- Exchange(distribution=[hash[a]])
                     +- TableSourceScan(table=[[default_catalog, default_database, t]], fields=[a, b, d])
                  +- Exchange(distribution=[hash[$k0]])
                     +- GroupAggregate(groupBy=[$k0], select=[$k0, AVG($f0) AS EXPR$0])
                        +- Exchange(distribution=[hash[$k0]])
                           +- Calc(select=[y AS $f0, a AS $k0])
                              +- TableSourceScan(table=[[default_catalog, default_database, u]], fields=[a, y])
        "#]],
    );
}

#[test]
fn subqueries_beside_aggregates() {
    check(
        plan("SELECT a, SUM(c) FROM t GROUP BY a HAVING SUM(c) > (SELECT COUNT(*) FROM u)"),
        expect![[r#"
            Sink(table=[*anonymous_collect$1*], fields=[a, EXPR$1])
            +- Calc(select=[a, EXPR$0 AS EXPR$1], where=[(EXPR$0 > EXPR$0$1)])
               +- Join(joinType=[LeftOuterJoin], where=[true], select=[a, EXPR$0, EXPR$0$1])
                  +- Exchange(distribution=[single])
                     +- GroupAggregate(groupBy=[a], select=[a, SUM($f1) AS EXPR$0])
                        +- Exchange(distribution=[hash[a]])
                           +- Calc(select=[a, c AS $f1])
                              +- TableSourceScan(table=[[default_catalog, default_database, t]], fields=[a, c])
                  +- Exchange(distribution=[single])
                     +- GroupAggregate(select=[COUNT(*) AS EXPR$0])
                        +- Exchange(distribution=[single])
                           +- Calc(select=[])
                              +- TableSourceScan(table=[[default_catalog, default_database, u]], fields=[a])
        "#]],
    );
}

#[test]
fn set_operations() {
    check(
        plan("SELECT a, b FROM t UNION ALL SELECT a, x FROM u"),
        expect![[r#"
        Sink(table=[*anonymous_collect$1*], fields=[a, b])
        +- Union(all=[true], union=[a, b])
           +- TableSourceScan(table=[[default_catalog, default_database, t]], fields=[a, b])
           +- TableSourceScan(table=[[default_catalog, default_database, u]], fields=[a, x])
    "#]],
    );
    check(
        plan("SELECT a FROM t UNION SELECT a FROM u"),
        expect![[r#"
        Sink(table=[*anonymous_collect$1*], fields=[a])
        +- GroupAggregate(groupBy=[a], select=[a])
           +- Exchange(distribution=[hash[a]])
              +- Union(all=[true], union=[a])
                 +- TableSourceScan(table=[[default_catalog, default_database, t]], fields=[a])
                 +- TableSourceScan(table=[[default_catalog, default_database, u]], fields=[a])
    "#]],
    );
    check(
        plan("SELECT a FROM t INTERSECT SELECT a FROM u"),
        expect![[r#"
            Sink(table=[*anonymous_collect$1*], fields=[a])
            +- Join(joinType=[LeftSemiJoin], where=[(a IS NOT DISTINCT FROM a$1)], select=[a, a$1])
               +- Exchange(distribution=[hash[a]])
                  +- GroupAggregate(groupBy=[a], select=[a])
                     +- Exchange(distribution=[hash[a]])
                        +- TableSourceScan(table=[[default_catalog, default_database, t]], fields=[a])
               +- Exchange(distribution=[hash[a]])
                  +- TableSourceScan(table=[[default_catalog, default_database, u]], fields=[a])
        "#]],
    );
    check(
        plan("SELECT a FROM t EXCEPT SELECT a FROM u"),
        expect![[r#"
            Sink(table=[*anonymous_collect$1*], fields=[a])
            +- Join(joinType=[LeftAntiJoin], where=[(a IS NOT DISTINCT FROM a$1)], select=[a, a$1])
               +- Exchange(distribution=[hash[a]])
                  +- GroupAggregate(groupBy=[a], select=[a])
                     +- Exchange(distribution=[hash[a]])
                        +- TableSourceScan(table=[[default_catalog, default_database, t]], fields=[a])
               +- Exchange(distribution=[hash[a]])
                  +- TableSourceScan(table=[[default_catalog, default_database, u]], fields=[a])
        "#]],
    );
}

#[test]
fn unions_of_unions_and_of_other_types() {
    check(
        plan("SELECT a FROM t UNION ALL SELECT a FROM u UNION ALL SELECT c FROM t"),
        expect![[r#"
            Sink(table=[*anonymous_collect$1*], fields=[a])
            +- Union(all=[true], union=[a])
               +- Calc(select=[CAST(a AS BIGINT) AS a])
                  +- Union(all=[true], union=[a])
                     +- Calc(select=[a])
                        +- TableSourceScan(table=[[default_catalog, default_database, t]], fields=[a, c])
                     +- TableSourceScan(table=[[default_catalog, default_database, u]], fields=[a])
               +- Calc(select=[c])
                  +- TableSourceScan(table=[[default_catalog, default_database, t]], fields=[a, c])
        "#]],
    );
    check(
        plan("(SELECT a FROM t UNION SELECT a FROM u) UNION ALL SELECT 1"),
        expect![[r#"
        Sink(table=[*anonymous_collect$1*], fields=[a])
        +- Union(all=[true], union=[a])
           +- GroupAggregate(groupBy=[a], select=[a])
              +- Exchange(distribution=[hash[a]])
                 +- Union(all=[true], union=[a])
                    +- TableSourceScan(table=[[default_catalog, default_database, t]], fields=[a])
                    +- TableSourceScan(table=[[default_catalog, default_database, u]], fields=[a])
           +- Calc(select=[1 AS EXPR$0])
              +- Values(tuples=[[{ 0 }]], values=[ZERO])
    "#]],
    );
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
        expect![[r#"
            > SELECT b FROM t WHERE a = 1 OR EXISTS (SELECT 1 FROM u)
            updating: b STRING
            > SELECT (SELECT a, x FROM u) FROM t
            invalid: a subquery as a value has one column; this one has 2 at line 1, column 9
            > SELECT (SELECT x FROM u WHERE u.a = t.a) FROM t
            updating: EXPR$0 STRING
            > SELECT b FROM t WHERE (a, b) IN (SELECT a FROM u)
            invalid: 2 values IN a query of 1 columns at line 1, column 23
            > SELECT b FROM t WHERE a IN (SELECT x FROM u)
            invalid: implicit type conversion between INT and STRING is not supported in '=': CAST one side to the other's type at line 1, column 23
            > SELECT b FROM t WHERE EXISTS (SELECT COUNT(*) FROM u WHERE u.a = t.a)
            append-only: b STRING
            > SELECT b FROM t WHERE EXISTS (SELECT 1 FROM u WHERE EXISTS (SELECT 1 FROM u v WHERE v.a = t.a))
            updating: b STRING
            > SELECT a FROM t INTERSECT ALL SELECT a FROM u
            updating: a INT
            > SELECT a FROM t EXCEPT ALL SELECT a FROM u
            updating: a INT
            > SELECT a FROM t MINUS SELECT a FROM u
            syntax: Encountered `SELECT`, expected the end of the statement at line 1, column 23
            > SELECT a, b FROM t UNION ALL SELECT a FROM u
            invalid: Column count mismatch in UNION: 2 columns and 1 columns at line 1, column 30
            > SELECT 1 AS a UNION ALL SELECT DATE '2024-01-01'
            invalid: Type mismatch in column 1 of UNION ALL: INT NOT NULL and DATE NOT NULL have no common type at line 1, column 25
        "#]],
    );
}

#[test]
fn a_subquery_in_on_does_not_move_the_columns_of_what_is_joined_next() {
    check(
        plan(
            "SELECT t.b, u.x, w.x FROM t JOIN u ON t.a = u.a AND t.c > (SELECT MAX(c) FROM t) JOIN u w ON w.a = u.a",
        ),
        expect![[r#"
            Sink(table=[*anonymous_collect$1*], fields=[b, x, x0])
            +- Calc(select=[b, x, x$1 AS x0])
               +- Join(joinType=[InnerJoin], where=[(a = a$1)], select=[b, a, x, a$1, x$1])
                  +- Exchange(distribution=[hash[a]])
                     +- Calc(select=[b, a, x], where=[(c > EXPR$0)])
                        +- Join(joinType=[LeftOuterJoin], where=[true], select=[b, c, a, x, EXPR$0])
                           +- Exchange(distribution=[single])
                              +- Calc(select=[b, c, a$1 AS a, x])
                                 +- Join(joinType=[InnerJoin], where=[(a = a$1)], select=[a, b, c, a$1, x])
                                    +- Exchange(distribution=[hash[a]])
                                       +- TableSourceScan(table=[[default_catalog, default_database, t]], fields=[a, b, c])
                                    +- Exchange(distribution=[hash[a]])
                                       +- TableSourceScan(table=[[default_catalog, default_database, u]], fields=[a, x])
                           +- Exchange(distribution=[single])
                              +- GroupAggregate(select=[MAX($f0) AS EXPR$0])
                                 +- Exchange(distribution=[single])
                                    +- Calc(select=[c AS $f0])
                                       +- TableSourceScan(table=[[default_catalog, default_database, t]], fields=[a, b, c])
                  +- Exchange(distribution=[hash[a]])
                     +- TableSourceScan(table=[[default_catalog, default_database, u]], fields=[a, x])
        "#]],
    );
}
