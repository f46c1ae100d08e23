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
        expect![[r#"
            Sink(table=[*anonymous_collect$1*], fields=[a, c, n])
            +- Calc(select=[a, c, w0$o0 AS n])
               +- Rank(rankType=[ROW_NUMBER], rankRange=[rankStart=1, rankEnd=3], partitionBy=[a], orderBy=[c DESC], select=[a, c, rank])
                  +- Exchange(distribution=[hash[a]])
                     +- TableSourceScan(table=[[default_catalog, default_database, t]], fields=[a, c])
        "#]],
    );
}

#[test]
fn an_unused_rank_is_left_out() {
    check(
        plan(
            "SELECT a, c FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY a ORDER BY c) AS n FROM t) WHERE n <= 3",
        ),
        expect![[r#"
            Sink(table=[*anonymous_collect$1*], fields=[a, c])
            +- Rank(rankType=[ROW_NUMBER], rankRange=[rankStart=1, rankEnd=3], partitionBy=[a], orderBy=[c ASC], select=[a, c])
               +- Exchange(distribution=[hash[a]])
                  +- TableSourceScan(table=[[default_catalog, default_database, t]], fields=[a, c])
        "#]],
    );
}

#[test]
fn bounds_of_all_kinds() {
    let of = |condition: &str| {
        plan(&format!(
            "SELECT c FROM (SELECT c, ROW_NUMBER() OVER (ORDER BY c) AS n FROM t) WHERE {condition}"
        ))
    };
    check(
        of("n = 1"),
        expect![[r#"
        Sink(table=[*anonymous_collect$1*], fields=[c])
        +- Rank(rankType=[ROW_NUMBER], rankRange=[rankStart=1, rankEnd=1], partitionBy=[], orderBy=[c ASC], select=[c])
           +- Exchange(distribution=[single])
              +- TableSourceScan(table=[[default_catalog, default_database, t]], fields=[c])
    "#]],
    );
    check(
        of("n < 4"),
        expect![[r#"
        Sink(table=[*anonymous_collect$1*], fields=[c])
        +- Rank(rankType=[ROW_NUMBER], rankRange=[rankStart=1, rankEnd=3], partitionBy=[], orderBy=[c ASC], select=[c])
           +- Exchange(distribution=[single])
              +- TableSourceScan(table=[[default_catalog, default_database, t]], fields=[c])
    "#]],
    );
    check(
        of("5 > n AND 1 < n"),
        expect![[r#"
        Sink(table=[*anonymous_collect$1*], fields=[c])
        +- Rank(rankType=[ROW_NUMBER], rankRange=[rankStart=2, rankEnd=4], partitionBy=[], orderBy=[c ASC], select=[c])
           +- Exchange(distribution=[single])
              +- TableSourceScan(table=[[default_catalog, default_database, t]], fields=[c])
    "#]],
    );
    check(
        of("n BETWEEN 2 AND 7"),
        expect![[r#"
        Sink(table=[*anonymous_collect$1*], fields=[c])
        +- Rank(rankType=[ROW_NUMBER], rankRange=[rankStart=2, rankEnd=7], partitionBy=[], orderBy=[c ASC], select=[c])
           +- Exchange(distribution=[single])
              +- TableSourceScan(table=[[default_catalog, default_database, t]], fields=[c])
    "#]],
    );
    check(
        of("n <= 2 AND n <> 1"),
        expect![[r#"
        Sink(table=[*anonymous_collect$1*], fields=[c])
        +- Calc(select=[c], where=[(w0$o0 <> 1:BIGINT)])
           +- Rank(rankType=[ROW_NUMBER], rankRange=[rankStart=1, rankEnd=2], partitionBy=[], orderBy=[c ASC], select=[c, rank])
              +- Exchange(distribution=[single])
                 +- TableSourceScan(table=[[default_catalog, default_database, t]], fields=[c])
    "#]],
    );
    check(
        of("n <= 3 AND c > 0"),
        expect![[r#"
        Sink(table=[*anonymous_collect$1*], fields=[c])
        +- Calc(select=[c], where=[(c > 0:BIGINT)])
           +- Rank(rankType=[ROW_NUMBER], rankRange=[rankStart=1, rankEnd=3], partitionBy=[], orderBy=[c ASC], select=[c])
              +- Exchange(distribution=[single])
                 +- TableSourceScan(table=[[default_catalog, default_database, t]], fields=[c])
    "#]],
    );
}

#[test]
fn qualify() {
    check(
        plan("SELECT a, c FROM t QUALIFY ROW_NUMBER() OVER (PARTITION BY a ORDER BY c) = 1"),
        expect![[r#"
        Sink(table=[*anonymous_collect$1*], fields=[a, c])
        +- Rank(rankType=[ROW_NUMBER], rankRange=[rankStart=1, rankEnd=1], partitionBy=[a], orderBy=[c ASC], select=[a, c])
           +- Exchange(distribution=[hash[a]])
              +- TableSourceScan(table=[[default_catalog, default_database, t]], fields=[a, c])
    "#]],
    );
}

#[test]
fn order_by_with_limit() {
    check(
        plan("SELECT a, b FROM t ORDER BY c DESC, a LIMIT 3"),
        expect![[r#"
        Sink(table=[*anonymous_collect$1*], fields=[a, b])
        +- Calc(select=[a, b])
           +- Rank(rankType=[ROW_NUMBER], rankRange=[rankStart=1, rankEnd=3], partitionBy=[], orderBy=[$order2 DESC, a ASC], select=[a, b, $order2])
              +- Exchange(distribution=[single])
                 +- Calc(select=[a, b, c AS $order2])
                    +- TableSourceScan(table=[[default_catalog, default_database, t]], fields=[a, b, c])
    "#]],
    );
    check(
        plan("SELECT a FROM t ORDER BY a NULLS LAST LIMIT 3 OFFSET 2"),
        expect![[r#"
        Sink(table=[*anonymous_collect$1*], fields=[a])
        +- Rank(rankType=[ROW_NUMBER], rankRange=[rankStart=3, rankEnd=5], partitionBy=[], orderBy=[a ASC NULLS LAST], select=[a])
           +- Exchange(distribution=[single])
              +- TableSourceScan(table=[[default_catalog, default_database, t]], fields=[a])
    "#]],
    );
    check(
        plan("SELECT a FROM t ORDER BY 1 FETCH FIRST 2 ROWS ONLY"),
        expect![[r#"
        Sink(table=[*anonymous_collect$1*], fields=[a])
        +- Rank(rankType=[ROW_NUMBER], rankRange=[rankStart=1, rankEnd=2], partitionBy=[], orderBy=[a ASC], select=[a])
           +- Exchange(distribution=[single])
              +- TableSourceScan(table=[[default_catalog, default_database, t]], fields=[a])
    "#]],
    );
}

#[test]
fn limit_without_order() {
    check(
        plan("SELECT a FROM t LIMIT 3"),
        expect![[r#"
        Sink(table=[*anonymous_collect$1*], fields=[a])
        +- Limit(offset=[0], fetch=[3])
           +- Exchange(distribution=[single])
              +- TableSourceScan(table=[[default_catalog, default_database, t]], fields=[a])
    "#]],
    );
    check(
        plan("SELECT a FROM t OFFSET 3"),
        expect![[r#"
            invalid: OFFSET without LIMIT or FETCH is not supported, as in Flink: add LIMIT at line 1, column 9
        "#]],
    );
}

#[test]
fn order_by_time() {
    check(
        plan("SELECT auction, ts FROM bid ORDER BY ts, auction DESC"),
        expect![[r#"
        Sink(table=[*anonymous_collect$1*], fields=[auction, ts])
        +- TemporalSort(orderBy=[ts ASC, auction DESC])
           +- Exchange(distribution=[single])
              +- WatermarkAssigner(rowtime=[ts], watermark=[(ts - 5000:INTERVAL SECOND(3))])
                 +- TableSourceScan(table=[[default_catalog, default_database, bid]], fields=[auction, ts])
    "#]],
    );
}

#[test]
fn top_n_of_an_aggregation() {
    check(
        plan("SELECT a, n FROM (SELECT a, COUNT(*) AS n FROM t GROUP BY a) ORDER BY n DESC LIMIT 10"),
        expect![[r#"
            Sink(table=[*anonymous_collect$1*], fields=[a, n])
            +- Rank(rankType=[ROW_NUMBER], rankRange=[rankStart=1, rankEnd=10], partitionBy=[], orderBy=[n DESC], select=[a, n])
               +- Exchange(distribution=[single])
                  +- Calc(select=[a, EXPR$0 AS n])
                     +- GroupAggregate(groupBy=[a], select=[a, COUNT(*) AS EXPR$0])
                        +- Exchange(distribution=[hash[a]])
                           +- TableSourceScan(table=[[default_catalog, default_database, t]], fields=[a])
        "#]],
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
             SELECT a FROM t ORDER BY a;
             SELECT ts FROM bid ORDER BY ts DESC;
             SELECT a FROM t ORDER BY 2 LIMIT 1;
             SELECT a FROM t ORDER BY a LIMIT 'x';
             SELECT DISTINCT a FROM t ORDER BY b LIMIT 1",
        ),
        expect![[r#"
            > SELECT * FROM (SELECT a, ROW_NUMBER() OVER (ORDER BY c) AS n FROM t)
            updating: a INT, n BIGINT NOT NULL
            > SELECT * FROM (SELECT a, ROW_NUMBER() OVER (ORDER BY c) AS n FROM t) WHERE n > 3
            updating: a INT, n BIGINT NOT NULL
            > SELECT * FROM (SELECT a, RANK() OVER (ORDER BY c) AS n FROM t) WHERE n <= 3
            updating: a INT, n BIGINT NOT NULL
            > SELECT * FROM (SELECT a, c, ROW_NUMBER() OVER (ORDER BY c) AS n FROM t) WHERE n <= c
            updating: a INT, c BIGINT, n BIGINT NOT NULL
            > SELECT a FROM t ORDER BY a
            invalid: Sort on a non-time-attribute field is not supported: a stream has no end; add LIMIT, or order by a time attribute at line 1, column 1
            > SELECT ts FROM bid ORDER BY ts DESC
            invalid: a stream can be sorted by ascending event time only at line 1, column 1
            > SELECT a FROM t ORDER BY 2 LIMIT 1
            invalid: ORDER BY 2: there are 1 columns at line 1, column 26
            > SELECT a FROM t ORDER BY a LIMIT 'x'
            syntax: Encountered the string 'x', expected a whole number at line 1, column 34
            > SELECT DISTINCT a FROM t ORDER BY b LIMIT 1
            invalid: ORDER BY of SELECT DISTINCT takes selected columns only at line 1, column 35
        "#]],
    );
}

#[test]
fn batch_sorts_all() {
    let mut shell = Shell::with_tables();
    shell.run("SET 'execution.runtime-mode' = 'batch'");
    check(
        shell.plan("SELECT a FROM t ORDER BY a"),
        expect![[r#"
        Sink(table=[*anonymous_collect$1*], fields=[a])
        +- Rank(rankType=[ROW_NUMBER], rankRange=[rankStart=1, rankEnd=unbounded], partitionBy=[], orderBy=[a ASC], select=[a])
           +- Exchange(distribution=[single])
              +- TableSourceScan(table=[[default_catalog, default_database, t]], fields=[a])
    "#]],
    );
}
