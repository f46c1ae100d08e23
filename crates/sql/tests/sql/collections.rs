//! UNNEST, and what a batch query does at the end.

use expect_test::expect;

use crate::support::{Shell, check};

#[test]
fn unnest_is_next_to_its_row() {
    check(
        Shell::with_tables().dialog(
            "EXPLAIN SELECT a, x, o FROM t CROSS JOIN UNNEST(ARRAY[a, 2]) WITH ORDINALITY AS e (x, o) WHERE a > 1 AND x > 2;
             EXPLAIN SELECT k, v FROM t LEFT JOIN UNNEST(MAP['k', b]) AS e (k, v) ON TRUE;
             EXPLAIN SELECT * FROM UNNEST(ARRAY[ROW(1, 'a')]) AS e (x, y);
             SELECT * FROM t CROSS JOIN UNNEST(a) AS e (x);
             SELECT * FROM t CROSS JOIN UNNEST(ARRAY[a]) AS e (x, y);
             SELECT * FROM t RIGHT JOIN UNNEST(ARRAY[a]) AS e (x) ON TRUE;
             SELECT * FROM t LEFT JOIN UNNEST(ARRAY[a]) AS e (x) ON x > b",
        ),
        expect![[r#"
            > EXPLAIN SELECT a, x, o FROM t CROSS JOIN UNNEST(ARRAY[a, 2]) WITH ORDINALITY AS e (x, o) WHERE a > 1 AND x > 2
            == Abstract Syntax Tree ==
            LogicalProject(a=[a], x=[x], o=[o])
            +- LogicalFilter(condition=[((a > 1) AND (x > 2))])
               +- LogicalCorrelate(invocation=[UNNEST(ARRAY(a, 2))], joinType=[INNER], ordinality=[true])
                  +- LogicalTableScan(table=[[default_catalog, default_database, t]])

            == Optimized Physical Plan ==
            Sink(table=[*anonymous_collect$1*], fields=[a, x, o])
            +- Calc(select=[a, x, o], where=[(x > 2)])
               +- Correlate(invocation=[UNNEST(ARRAY(a, 2))], joinType=[INNER], ordinality=[true])
                  +- Calc(select=[a], where=[(a > 1)])
                     +- TableSourceScan(table=[[default_catalog, default_database, t]], fields=[a])

            == Optimized Execution Plan ==
            Sink(table=[*anonymous_collect$1*], fields=[a, x, o])
            +- Calc(select=[a, x, o], where=[(x > 2)])
               +- Correlate(invocation=[UNNEST(ARRAY(a, 2))], joinType=[INNER], ordinality=[true])
                  +- Calc(select=[a], where=[(a > 1)])
                     +- TableSourceScan(table=[[default_catalog, default_database, t]], fields=[a])
            > EXPLAIN SELECT k, v FROM t LEFT JOIN UNNEST(MAP['k', b]) AS e (k, v) ON TRUE
            == Abstract Syntax Tree ==
            LogicalProject(k=[k], v=[v])
            +- LogicalCorrelate(invocation=[UNNEST(MAP('k', b))], joinType=[LEFT])
               +- LogicalTableScan(table=[[default_catalog, default_database, t]])

            == Optimized Physical Plan ==
            Sink(table=[*anonymous_collect$1*], fields=[k, v])
            +- Calc(select=[k, v])
               +- Correlate(invocation=[UNNEST(MAP('k', b))], joinType=[LEFT])
                  +- TableSourceScan(table=[[default_catalog, default_database, t]], fields=[b])

            == Optimized Execution Plan ==
            Sink(table=[*anonymous_collect$1*], fields=[k, v])
            +- Calc(select=[k, v])
               +- Correlate(invocation=[UNNEST(MAP('k', b))], joinType=[LEFT])
                  +- TableSourceScan(table=[[default_catalog, default_database, t]], fields=[b])
            > EXPLAIN SELECT * FROM UNNEST(ARRAY[ROW(1, 'a')]) AS e (x, y)
            == Abstract Syntax Tree ==
            LogicalProject(x=[x], y=[y])
            +- LogicalProject(x=[x], y=[y])
               +- LogicalCorrelate(invocation=[UNNEST(ARRAY(ROW(1, 'a')))], joinType=[INNER])
                  +- LogicalValues(tuples=[1 rows])

            == Optimized Physical Plan ==
            Sink(table=[*anonymous_collect$1*], fields=[x, y])
            +- Calc(select=[x, y])
               +- Correlate(invocation=[UNNEST(ARRAY(ROW(1, 'a')))], joinType=[INNER])
                  +- Values(tuples=[[{ 0 }]], values=[ZERO])

            == Optimized Execution Plan ==
            Sink(table=[*anonymous_collect$1*], fields=[x, y])
            +- Calc(select=[x, y])
               +- Correlate(invocation=[UNNEST(ARRAY(ROW(1, 'a')))], joinType=[INNER])
                  +- Values(tuples=[[{ 0 }]], values=[ZERO])
            > SELECT * FROM t CROSS JOIN UNNEST(a) AS e (x)
            invalid: UNNEST takes an ARRAY, MAP or MULTISET, not INT at line 1, column 28
            > SELECT * FROM t CROSS JOIN UNNEST(ARRAY[a]) AS e (x, y)
            invalid: the alias of UNNEST names 2 columns; there are 1 at line 1, column 28
            > SELECT * FROM t RIGHT JOIN UNNEST(ARRAY[a]) AS e (x) ON TRUE
            invalid: UNNEST is only allowed on the right of CROSS JOIN, INNER JOIN or LEFT JOIN at line 1, column 28
            > SELECT * FROM t LEFT JOIN UNNEST(ARRAY[a]) AS e (x) ON x > b
            unsupported: LEFT JOIN UNNEST with a condition on columns of the left side is not supported at line 1, column 56
        "#]],
    );
}

#[test]
fn a_batch_query_settles_before_its_sink() {
    check(
        Shell::with_tables().dialog(
            "SET 'execution.runtime-mode' = 'batch';
             EXPLAIN SELECT a, COUNT(*) AS n FROM t GROUP BY a;
             EXPLAIN SELECT a, RANK() OVER (PARTITION BY b ORDER BY a DESC) AS r, SUM(a) OVER (ORDER BY a ROWS BETWEEN 1 PRECEDING AND 1 FOLLOWING) AS s FROM t",
        ),
        expect![[r#"
            > SET 'execution.runtime-mode' = 'batch'
            > EXPLAIN SELECT a, COUNT(*) AS n FROM t GROUP BY a
            == Abstract Syntax Tree ==
            LogicalProject(a=[a], n=[EXPR$0])
            +- LogicalAggregate(groupBy=[a], select=[a, COUNT(*) AS EXPR$0])
               +- LogicalProject(a=[a])
                  +- LogicalTableScan(table=[[default_catalog, default_database, t]])

            == Optimized Physical Plan ==
            Sink(table=[*anonymous_collect$1*], fields=[a, n])
            +- BatchRows(select=[a, n])
               +- Calc(select=[a, EXPR$0 AS n])
                  +- GroupAggregate(groupBy=[a], select=[a, COUNT(*) AS EXPR$0])
                     +- Exchange(distribution=[hash[a]])
                        +- TableSourceScan(table=[[default_catalog, default_database, t]], fields=[a])

            == Optimized Execution Plan ==
            Sink(table=[*anonymous_collect$1*], fields=[a, n])
            +- BatchRows(select=[a, n])
               +- Calc(select=[a, EXPR$0 AS n])
                  +- GroupAggregate(groupBy=[a], select=[a, COUNT(*) AS EXPR$0])
                     +- Exchange(distribution=[hash[a]])
                        +- TableSourceScan(table=[[default_catalog, default_database, t]], fields=[a])
            > EXPLAIN SELECT a, RANK() OVER (PARTITION BY b ORDER BY a DESC) AS r, SUM(a) OVER (ORDER BY a ROWS BETWEEN 1 PRECEDING AND 1 FOLLOWING) AS s FROM t
            == Abstract Syntax Tree ==
            LogicalProject(a=[a], r=[w0$o0], s=[w0$o1])
            +- LogicalOverAggregate(partitionBy=[], orderBy=[a ASC], window=[ROWS BETWEEN 1 PRECEDING AND 1 FOLLOWING], select=[SUM(a) AS w0$o1])
               +- LogicalOverAggregate(partitionBy=[b], orderBy=[a DESC], window=[RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW], select=[RANK() AS w0$o0])
                  +- LogicalTableScan(table=[[default_catalog, default_database, t]])

            == Optimized Physical Plan ==
            Sink(table=[*anonymous_collect$1*], fields=[a, r, s])
            +- Calc(select=[a, w0$o0 AS r, w0$o1 AS s])
               +- OverAggregate(partitionBy=[], orderBy=[a ASC], window=[ROWS BETWEEN 1 PRECEDING AND 1 FOLLOWING], select=[SUM(a) AS w0$o1])
                  +- Exchange(distribution=[single])
                     +- Calc(select=[a, w0$o0])
                        +- OverAggregate(partitionBy=[b], orderBy=[a DESC], window=[RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW], select=[RANK() AS w0$o0])
                           +- Exchange(distribution=[hash[b]])
                              +- TableSourceScan(table=[[default_catalog, default_database, t]], fields=[a, b])

            == Optimized Execution Plan ==
            Sink(table=[*anonymous_collect$1*], fields=[a, r, s])
            +- Calc(select=[a, w0$o0 AS r, w0$o1 AS s])
               +- OverAggregate(partitionBy=[], orderBy=[a ASC], window=[ROWS BETWEEN 1 PRECEDING AND 1 FOLLOWING], select=[SUM(a) AS w0$o1])
                  +- Exchange(distribution=[single])
                     +- Calc(select=[a, w0$o0])
                        +- OverAggregate(partitionBy=[b], orderBy=[a DESC], window=[RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW], select=[RANK() AS w0$o0])
                           +- Exchange(distribution=[hash[b]])
                              +- TableSourceScan(table=[[default_catalog, default_database, t]], fields=[a, b])
        "#]],
    );
}
