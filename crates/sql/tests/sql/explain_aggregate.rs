//! GROUP BY, DISTINCT, HAVING, GROUPING SETS.

use expect_test::expect;

use crate::support::{Shell, check};

fn plan(query: &str) -> String {
    Shell::with_tables().plan(query)
}

#[test]
fn groups_are_spread_by_their_key() {
    check(
        plan("SELECT a, COUNT(*), SUM(c) FROM t GROUP BY a"),
        expect![[r#"
        Sink(table=[*anonymous_collect$1*], fields=[a, EXPR$1, EXPR$2])
        +- Calc(select=[a, EXPR$0 AS EXPR$1, EXPR$1 AS EXPR$2])
           +- GroupAggregate(groupBy=[a], select=[a, COUNT(*) AS EXPR$0, SUM($f1) AS EXPR$1])
              +- Exchange(distribution=[hash[a]])
                 +- Calc(select=[a, c AS $f1])
                    +- TableSourceScan(table=[[default_catalog, default_database, t]], fields=[a, c])
    "#]],
    );
}

#[test]
fn without_a_key_there_is_one_group() {
    check(
        plan("SELECT COUNT(*), MAX(c) FROM t"),
        expect![[r#"
        Sink(table=[*anonymous_collect$1*], fields=[EXPR$0, EXPR$1])
        +- GroupAggregate(select=[COUNT(*) AS EXPR$0, MAX($f0) AS EXPR$1])
           +- Exchange(distribution=[single])
              +- Calc(select=[c AS $f0])
                 +- TableSourceScan(table=[[default_catalog, default_database, t]], fields=[c])
    "#]],
    );
    check(
        plan("SELECT COUNT(*) FROM t GROUP BY ()"),
        expect![[r#"
        Sink(table=[*anonymous_collect$1*], fields=[EXPR$0])
        +- GroupAggregate(select=[COUNT(*) AS EXPR$0])
           +- Exchange(distribution=[single])
              +- Calc(select=[])
                 +- TableSourceScan(table=[[default_catalog, default_database, t]], fields=[a])
    "#]],
    );
}

#[test]
fn keys_and_arguments_are_computed_before() {
    check(
        plan(
            "SELECT UPPER(b), SUM(a + 1), SUM(a + 1) + 1, AVG(a) FILTER (WHERE c > 3) FROM t GROUP BY UPPER(b)",
        ),
        expect![[r#"
        Sink(table=[*anonymous_collect$1*], fields=[EXPR$0, EXPR$1, EXPR$2, EXPR$3])
        +- Calc(select=[$f0 AS EXPR$0, EXPR$0 AS EXPR$1, (EXPR$0 + 1) AS EXPR$2, EXPR$1 AS EXPR$3])
           +- GroupAggregate(groupBy=[$f0], select=[$f0, SUM($f1) AS EXPR$0, AVG($f2) FILTER $f3 AS EXPR$1])
              +- Exchange(distribution=[hash[$f0]])
                 +- Calc(select=[UPPER(b) AS $f0, (a + 1) AS $f1, a AS $f2, (c > 3:BIGINT) AS $f3])
                    +- TableSourceScan(table=[[default_catalog, default_database, t]], fields=[a, b, c])
    "#]],
    );
}

#[test]
fn a_key_that_is_not_selected_and_a_constant_key() {
    check(
        plan("SELECT COUNT(*) FROM t GROUP BY b"),
        expect![[r#"
        Sink(table=[*anonymous_collect$1*], fields=[EXPR$0])
        +- Calc(select=[EXPR$0])
           +- GroupAggregate(groupBy=[b], select=[b, COUNT(*) AS EXPR$0])
              +- Exchange(distribution=[hash[b]])
                 +- TableSourceScan(table=[[default_catalog, default_database, t]], fields=[b])
    "#]],
    );
    check(
        plan("SELECT COUNT(*) FROM t GROUP BY 1 + 1"),
        expect![[r#"
        Sink(table=[*anonymous_collect$1*], fields=[EXPR$0])
        +- Calc(select=[EXPR$0])
           +- GroupAggregate(groupBy=[$f0], select=[$f0, COUNT(*) AS EXPR$0])
              +- Exchange(distribution=[hash[$f0]])
                 +- Calc(select=[2 AS $f0])
                    +- TableSourceScan(table=[[default_catalog, default_database, t]], fields=[a])
    "#]],
    );
}

#[test]
fn the_same_call_is_computed_once() {
    check(
        plan("SELECT a, SUM(c), SUM(c) / COUNT(*), COUNT(*) FROM t GROUP BY a HAVING SUM(c) > 10"),
        expect![[r#"
        Sink(table=[*anonymous_collect$1*], fields=[a, EXPR$1, EXPR$2, EXPR$3])
        +- Calc(select=[a, EXPR$0 AS EXPR$1, (EXPR$0 / EXPR$1) AS EXPR$2, EXPR$1 AS EXPR$3], where=[(EXPR$0 > 10:BIGINT)])
           +- GroupAggregate(groupBy=[a], select=[a, SUM($f1) AS EXPR$0, COUNT(*) AS EXPR$1])
              +- Exchange(distribution=[hash[a]])
                 +- Calc(select=[a, c AS $f1])
                    +- TableSourceScan(table=[[default_catalog, default_database, t]], fields=[a, c])
    "#]],
    );
}

#[test]
fn select_distinct_groups_by_all_columns() {
    check(
        plan("SELECT DISTINCT a, b FROM t"),
        expect![[r#"
        Sink(table=[*anonymous_collect$1*], fields=[a, b])
        +- GroupAggregate(groupBy=[a, b], select=[a, b])
           +- Exchange(distribution=[hash[a, b]])
              +- TableSourceScan(table=[[default_catalog, default_database, t]], fields=[a, b])
    "#]],
    );
}

#[test]
fn distinct_arguments() {
    check(
        plan("SELECT a, COUNT(DISTINCT b), MAX(DISTINCT c), SUM(c) FROM t GROUP BY a"),
        expect![[r#"
        Sink(table=[*anonymous_collect$1*], fields=[a, EXPR$1, EXPR$2, EXPR$3])
        +- Calc(select=[a, EXPR$0 AS EXPR$1, EXPR$1 AS EXPR$2, EXPR$2 AS EXPR$3])
           +- GroupAggregate(groupBy=[a], select=[a, COUNT(DISTINCT $f1) AS EXPR$0, MAX($f2) AS EXPR$1, SUM($f2) AS EXPR$2])
              +- Exchange(distribution=[hash[a]])
                 +- Calc(select=[a, b AS $f1, c AS $f2])
                    +- TableSourceScan(table=[[default_catalog, default_database, t]], fields=[a, b, c])
    "#]],
    );
}

#[test]
fn having_filters_the_groups() {
    check(
        plan("SELECT a FROM t GROUP BY a HAVING COUNT(*) > 1"),
        expect![[r#"
        Sink(table=[*anonymous_collect$1*], fields=[a])
        +- Calc(select=[a], where=[(EXPR$0 > 1:BIGINT)])
           +- GroupAggregate(groupBy=[a], select=[a, COUNT(*) AS EXPR$0])
              +- Exchange(distribution=[hash[a]])
                 +- TableSourceScan(table=[[default_catalog, default_database, t]], fields=[a])
    "#]],
    );
    check(
        plan("SELECT SUM(c) FROM t HAVING COUNT(*) > 1"),
        expect![[r#"
        Sink(table=[*anonymous_collect$1*], fields=[EXPR$0])
        +- Calc(select=[EXPR$0], where=[(EXPR$1 > 1:BIGINT)])
           +- GroupAggregate(select=[SUM($f0) AS EXPR$0, COUNT(*) AS EXPR$1])
              +- Exchange(distribution=[single])
                 +- Calc(select=[c AS $f0])
                    +- TableSourceScan(table=[[default_catalog, default_database, t]], fields=[c])
    "#]],
    );
}

#[test]
fn an_unused_call_is_not_computed() {
    check(
        plan("SELECT a, n FROM (SELECT a, COUNT(*) AS n, SUM(c) AS s FROM t GROUP BY a)"),
        expect![[r#"
        Sink(table=[*anonymous_collect$1*], fields=[a, n])
        +- Calc(select=[a, EXPR$0 AS n])
           +- GroupAggregate(groupBy=[a], select=[a, COUNT(*) AS EXPR$0])
              +- Exchange(distribution=[hash[a]])
                 +- TableSourceScan(table=[[default_catalog, default_database, t]], fields=[a])
    "#]],
    );
}

#[test]
fn two_phases_where_there_are_several_subtasks() {
    let mut shell = Shell::with_tables();
    shell.run("SET 'parallelism.default' = '2'");
    let query = "SELECT a, COUNT(*), SUM(c) FROM t GROUP BY a";
    check(
        shell.plan(query),
        expect![[r#"
        Sink(table=[*anonymous_collect$1*], fields=[a, EXPR$1, EXPR$2])
        +- Exchange(distribution=[single])
           +- Calc(select=[a, EXPR$0 AS EXPR$1, EXPR$1 AS EXPR$2])
              +- GlobalGroupAggregate(groupBy=[a], select=[a, COUNT(*) AS EXPR$0, SUM($f1) AS EXPR$1])
                 +- Exchange(distribution=[hash[a]])
                    +- LocalGroupAggregate(groupBy=[a], select=[a, COUNT(*) AS EXPR$0, SUM($f1) AS EXPR$1])
                       +- Calc(select=[a, c AS $f1])
                          +- TableSourceScan(table=[[default_catalog, default_database, t]], fields=[a, c])
    "#]],
    );
    check(
        shell.plan("SELECT COUNT(*) FROM t"),
        expect![[r#"
        Sink(table=[*anonymous_collect$1*], fields=[EXPR$0])
        +- GlobalGroupAggregate(select=[COUNT(*) AS EXPR$0])
           +- Exchange(distribution=[single])
              +- LocalGroupAggregate(select=[COUNT(*) AS EXPR$0])
                 +- Calc(select=[])
                    +- TableSourceScan(table=[[default_catalog, default_database, t]], fields=[a])
    "#]],
    );
    shell.run("SET 'table.optimizer.agg-phase-strategy' = 'ONE_PHASE'");
    check(
        shell.plan(query),
        expect![[r#"
        Sink(table=[*anonymous_collect$1*], fields=[a, EXPR$1, EXPR$2])
        +- Exchange(distribution=[single])
           +- Calc(select=[a, EXPR$0 AS EXPR$1, EXPR$1 AS EXPR$2])
              +- GroupAggregate(groupBy=[a], select=[a, COUNT(*) AS EXPR$0, SUM($f1) AS EXPR$1])
                 +- Exchange(distribution=[hash[a]])
                    +- Calc(select=[a, c AS $f1])
                       +- TableSourceScan(table=[[default_catalog, default_database, t]], fields=[a, c])
    "#]],
    );
    shell.run("SET 'table.optimizer.agg-phase-strategy' = 'TWO_PHASE'");
    check(
        shell.plan("SELECT COUNT(*) FROM (SELECT a, COUNT(*) FROM t GROUP BY a)"),
        expect![[r#"
        Sink(table=[*anonymous_collect$1*], fields=[EXPR$0])
        +- GroupAggregate(select=[COUNT(*) AS EXPR$0])
           +- Exchange(distribution=[single])
              +- Calc(select=[])
                 +- GlobalGroupAggregate(groupBy=[a], select=[a])
                    +- Exchange(distribution=[hash[a]])
                       +- LocalGroupAggregate(groupBy=[a], select=[a])
                          +- TableSourceScan(table=[[default_catalog, default_database, t]], fields=[a])
    "#]],
    );
}

#[test]
fn aggregation_of_an_aggregation() {
    check(
        plan("SELECT n, COUNT(*) FROM (SELECT a, COUNT(*) AS n FROM t GROUP BY a) GROUP BY n"),
        expect![[r#"
        Sink(table=[*anonymous_collect$1*], fields=[n, EXPR$1])
        +- Calc(select=[n, EXPR$0 AS EXPR$1])
           +- GroupAggregate(groupBy=[n], select=[n, COUNT(*) AS EXPR$0])
              +- Exchange(distribution=[hash[n]])
                 +- Calc(select=[EXPR$0 AS n])
                    +- GroupAggregate(groupBy=[a], select=[a, COUNT(*) AS EXPR$0])
                       +- Exchange(distribution=[hash[a]])
                          +- TableSourceScan(table=[[default_catalog, default_database, t]], fields=[a])
    "#]],
    );
}

#[test]
fn grouping_sets_expand_the_rows() {
    check(
        plan("SELECT a, b, SUM(c) FROM t GROUP BY GROUPING SETS ((a), (a, b), ())"),
        expect![[r#"
        Sink(table=[*anonymous_collect$1*], fields=[a, b, EXPR$2])
        +- Calc(select=[a, b, EXPR$0 AS EXPR$2])
           +- GroupAggregate(groupBy=[a, b, $e], select=[a, b, $e, SUM($f2) AS EXPR$0])
              +- Exchange(distribution=[hash[a, b, $e]])
                 +- Expand(projects=[{a, null, $f2, 0:BIGINT}, {a, b, $f2, 1:BIGINT}, {null, null, $f2, 2:BIGINT}])
                    +- Calc(select=[a, b, c AS $f2])
                       +- TableSourceScan(table=[[default_catalog, default_database, t]], fields=[a, b, c])
    "#]],
    );
    check(
        plan("SELECT a, b, GROUPING(b) AS g, COUNT(*) FROM t GROUP BY ROLLUP (a, b)"),
        expect![[r#"
        Sink(table=[*anonymous_collect$1*], fields=[a, b, g, EXPR$3])
        +- Calc(select=[a, b, CASE WHEN ($e = 1:BIGINT) THEN 1:BIGINT WHEN ($e = 2:BIGINT) THEN 1:BIGINT ELSE 0:BIGINT END AS g, EXPR$0 AS EXPR$3])
           +- GroupAggregate(groupBy=[a, b, $e], select=[a, b, $e, COUNT(*) AS EXPR$0])
              +- Exchange(distribution=[hash[a, b, $e]])
                 +- Expand(projects=[{a, b, 0:BIGINT}, {a, null, 1:BIGINT}, {null, null, 2:BIGINT}])
                    +- TableSourceScan(table=[[default_catalog, default_database, t]], fields=[a, b])
    "#]],
    );
    check(
        plan("SELECT a, b, COUNT(*) FROM t GROUP BY CUBE (a, b)"),
        expect![[r#"
        Sink(table=[*anonymous_collect$1*], fields=[a, b, EXPR$2])
        +- Calc(select=[a, b, EXPR$0 AS EXPR$2])
           +- GroupAggregate(groupBy=[a, b, $e], select=[a, b, $e, COUNT(*) AS EXPR$0])
              +- Exchange(distribution=[hash[a, b, $e]])
                 +- Expand(projects=[{a, b, 0:BIGINT}, {a, null, 1:BIGINT}, {null, b, 2:BIGINT}, {null, null, 3:BIGINT}])
                    +- TableSourceScan(table=[[default_catalog, default_database, t]], fields=[a, b])
    "#]],
    );
    check(
        plan("SELECT a, SUM(a) FROM t GROUP BY GROUPING SETS ((a), ())"),
        expect![[r#"
        Sink(table=[*anonymous_collect$1*], fields=[a, EXPR$1])
        +- Calc(select=[a, EXPR$0 AS EXPR$1])
           +- GroupAggregate(groupBy=[a, $e], select=[a, $e, SUM($f1) AS EXPR$0])
              +- Exchange(distribution=[hash[a, $e]])
                 +- Expand(projects=[{a, $f1, 0:BIGINT}, {null, $f1, 1:BIGINT}])
                    +- Calc(select=[a, a AS $f1])
                       +- TableSourceScan(table=[[default_catalog, default_database, t]], fields=[a])
    "#]],
    );
}

#[test]
fn over_windows() {
    check(
        plan("SELECT auction, SUM(price) OVER (PARTITION BY auction ORDER BY ts) AS s FROM bid"),
        expect![[r#"
        Sink(table=[*anonymous_collect$1*], fields=[auction, s])
        +- Calc(select=[auction, w0$o0 AS s])
           +- OverAggregate(partitionBy=[auction], orderBy=[ts ASC], window=[RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW], select=[SUM(price) AS w0$o0])
              +- Exchange(distribution=[hash[auction]])
                 +- WatermarkAssigner(rowtime=[ts], watermark=[(ts - 5000:INTERVAL SECOND(3))])
                    +- TableSourceScan(table=[[default_catalog, default_database, bid]], fields=[auction, price, ts])
    "#]],
    );
    check(
        plan(
            "SELECT SUM(price) OVER w AS s, COUNT(*) OVER w AS n FROM bid
             WINDOW w AS (ORDER BY ts ROWS BETWEEN 2 PRECEDING AND CURRENT ROW)",
        ),
        expect![[r#"
            Sink(table=[*anonymous_collect$1*], fields=[s, n])
            +- Calc(select=[w0$o0 AS s, w0$o1 AS n])
               +- OverAggregate(partitionBy=[], orderBy=[ts ASC], window=[ROWS BETWEEN 2 PRECEDING AND CURRENT ROW], select=[SUM(price) AS w0$o0, COUNT(*) AS w0$o1])
                  +- Exchange(distribution=[single])
                     +- WatermarkAssigner(rowtime=[ts], watermark=[(ts - 5000:INTERVAL SECOND(3))])
                        +- TableSourceScan(table=[[default_catalog, default_database, bid]], fields=[price, ts])
        "#]],
    );
    check(
        plan(
            "SELECT MAX(price) OVER (PARTITION BY auction ORDER BY ts
             RANGE BETWEEN INTERVAL '10' SECOND PRECEDING AND CURRENT ROW) FROM bid",
        ),
        expect![[r#"
            Sink(table=[*anonymous_collect$1*], fields=[EXPR$0])
            +- Calc(select=[w0$o0 AS EXPR$0])
               +- OverAggregate(partitionBy=[auction], orderBy=[ts ASC], window=[RANGE BETWEEN 10000 ms PRECEDING AND CURRENT ROW], select=[MAX(price) AS w0$o0])
                  +- Exchange(distribution=[hash[auction]])
                     +- WatermarkAssigner(rowtime=[ts], watermark=[(ts - 5000:INTERVAL SECOND(3))])
                        +- TableSourceScan(table=[[default_catalog, default_database, bid]], fields=[auction, price, ts])
        "#]],
    );
}

#[test]
fn several_over_windows_form_a_chain() {
    let mut shell = Shell::with_tables();
    shell.dialog("SET 'table.exec.over.several-windows' = 'true'");
    // Those ordered by time come first: they take no updates. A condition on ROW_NUMBER makes a Top-N of the last.
    check(
        shell.plan(
            "SELECT * FROM (SELECT auction, ROW_NUMBER() OVER (PARTITION BY auction ORDER BY price DESC) AS place,
             COUNT(*) OVER (ORDER BY price) AS cheaper, SUM(price) OVER (PARTITION BY auction ORDER BY ts) AS s FROM bid)
             WHERE place <= 3",
        ),
        expect![[r#"
            Sink(table=[*anonymous_collect$1*], fields=[auction, place, cheaper, s])
            +- Calc(select=[auction, w0$o0 AS place, w0$o1 AS cheaper, w0$o2 AS s])
               +- Rank(rankType=[ROW_NUMBER], rankRange=[rankStart=1, rankEnd=3], partitionBy=[auction], orderBy=[price DESC], select=[auction, price, w0$o2, w0$o1, rank])
                  +- Exchange(distribution=[hash[auction]])
                     +- OverAggregate(partitionBy=[], orderBy=[price ASC], window=[RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW], select=[COUNT(*) AS w0$o1])
                        +- Exchange(distribution=[single])
                           +- Calc(select=[auction, price, w0$o2])
                              +- OverAggregate(partitionBy=[auction], orderBy=[ts ASC], window=[RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW], select=[SUM(price) AS w0$o2])
                                 +- Exchange(distribution=[hash[auction]])
                                    +- WatermarkAssigner(rowtime=[ts], watermark=[(ts - 5000:INTERVAL SECOND(3))])
                                       +- TableSourceScan(table=[[default_catalog, default_database, bid]], fields=[auction, price, ts])
        "#]],
    );
    // What partitions the rows is a column of the result: it is computed once.
    check(
        shell.plan("SELECT price + 1, (price + 1) * 2, SUM(price) OVER (PARTITION BY price + 1 ORDER BY ts) FROM bid"),
        expect![[r#"
            Sink(table=[*anonymous_collect$1*], fields=[EXPR$0, EXPR$1, EXPR$2])
            +- Calc(select=[$o3 AS EXPR$0, ($o3 * 2) AS EXPR$1, w0$o0 AS EXPR$2])
               +- OverAggregate(partitionBy=[$o3], orderBy=[ts ASC], window=[RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW], select=[SUM(price) AS w0$o0])
                  +- Exchange(distribution=[hash[$o3]])
                     +- Calc(select=[price, ts, (price + 1) AS $o3])
                        +- WatermarkAssigner(rowtime=[ts], watermark=[(ts - 5000:INTERVAL SECOND(3))])
                           +- TableSourceScan(table=[[default_catalog, default_database, bid]], fields=[price, ts])
        "#]],
    );
    // A constant that is an argument is also the number of a call.
    let constant =
        "SELECT LAG(price, 1) OVER (ORDER BY ts) AS a, SUM(price) OVER (ORDER BY ts) AS b, 1 AS c FROM bid";
    let plan = shell.plan(constant);
    assert!(plan.contains("w0$o0 AS a, w0$o1 AS b, 1 AS c"), "{plan}");
    let random = "SELECT RAND(), SUM(price) OVER (PARTITION BY RAND() ORDER BY ts) FROM bid";
    assert_eq!(shell.plan(random).matches("RAND()").count(), 2);
}

#[test]
fn grouping_sets_hold_others_and_distinct_ones_are_there_once() {
    let mut shell = Shell::with_tables();
    let plan =
        |shell: &mut Shell, clause: &str| shell.plan(&format!("SELECT COUNT(*) FROM t GROUP BY {clause}"));
    assert_eq!(
        plan(&mut shell, "GROUPING SETS (a, CUBE (b, c))"),
        plan(&mut shell, "GROUPING SETS (a, (b, c), b, c, ())")
    );
    assert_eq!(
        plan(&mut shell, "GROUPING SETS (GROUPING SETS (a, b), ROLLUP (c))"),
        plan(&mut shell, "GROUPING SETS (a, b, c, ())")
    );
    assert_eq!(
        plan(&mut shell, "DISTINCT ROLLUP (a, c), CUBE (a)"),
        plan(&mut shell, "GROUPING SETS ((a, c, a), (a, a), ())")
    );
    assert_eq!(plan(&mut shell, "ALL a"), plan(&mut shell, "a"));
}

#[test]
fn approximate_counts_are_of_batch_queries() {
    let mut shell = Shell::with_tables();
    let query = "SELECT APPROX_COUNT_DISTINCT(a) FROM t";
    check(
        shell.plan(query),
        expect![[r#"
        invalid: APPROX_COUNT_DISTINCT aggregate function does not support yet for streaming. Write COUNT(DISTINCT ...) at line 1, column 16
    "#]],
    );
    shell.run("SET 'execution.runtime-mode' = 'batch'");
    check(
        shell.plan(query),
        expect![[r#"
        Sink(table=[*anonymous_collect$1*], fields=[EXPR$0])
        +- BatchRows(select=[EXPR$0])
           +- GroupAggregate(select=[COUNT(DISTINCT $f0) AS EXPR$0])
              +- Exchange(distribution=[single])
                 +- Calc(select=[a AS $f0])
                    +- TableSourceScan(table=[[default_catalog, default_database, t]], fields=[a])
    "#]],
    );
    check(
        shell.plan("SELECT APPROX_COUNT_DISTINCT(a > 1) FROM t"),
        expect![[r#"
        invalid: APPROX_COUNT_DISTINCT aggregate function does not support type: 'BOOLEAN'. Write COUNT(DISTINCT ...) at line 1, column 16
    "#]],
    );
    check(
        shell.plan("SELECT APPROX_COUNT_DISTINCT(a) OVER (ORDER BY b) FROM t"),
        expect![[r#"
        Sink(table=[*anonymous_collect$1*], fields=[EXPR$0])
        +- Calc(select=[w0$o0 AS EXPR$0])
           +- OverAggregate(partitionBy=[], orderBy=[b ASC], window=[RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW], select=[COUNT(DISTINCT a) AS w0$o0])
              +- Exchange(distribution=[single])
                 +- TableSourceScan(table=[[default_catalog, default_database, t]], fields=[a, b])
    "#]],
    );
}
