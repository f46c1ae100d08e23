//! Projections, filters, and how far down they move.

use expect_test::expect;

use crate::support::{Shell, check};

fn plan(query: &str) -> String {
    Shell::with_tables().plan(query)
}

#[test]
fn projection_and_filter_are_one_operator() {
    check(
        plan("SELECT a + 1 AS n, UPPER(b) FROM t WHERE c > 3 AND b <> 'x'"),
        expect![[r#"
        Sink(table=[*anonymous_collect$1*], fields=[n, EXPR$1])
        +- Calc(select=[(a + 1) AS n, UPPER(b) AS EXPR$1], where=[((c > 3:BIGINT) AND (b <> 'x'))])
           +- TableSourceScan(table=[[default_catalog, default_database, t]], fields=[a, b, c])
    "#]],
    );
}

#[test]
fn nested_projections_and_filters_are_one_operator() {
    check(
        plan(
            "SELECT m FROM (SELECT n * 2 AS m, b FROM (SELECT a + 1 AS n, b FROM t) WHERE n > 3) WHERE b = 'x'",
        ),
        expect![[r#"
        Sink(table=[*anonymous_collect$1*], fields=[m])
        +- Calc(select=[((a + 1) * 2) AS m], where=[(((a + 1) > 3) AND (b = 'x'))])
           +- TableSourceScan(table=[[default_catalog, default_database, t]], fields=[a, b])
    "#]],
    );
}

#[test]
fn an_expensive_column_that_is_read_twice_is_computed_once() {
    check(
        plan("SELECT s, s || s AS ss FROM (SELECT UPPER(b) AS s FROM t)"),
        expect![[r#"
        Sink(table=[*anonymous_collect$1*], fields=[s, ss])
        +- Calc(select=[s, (s || s) AS ss])
           +- Calc(select=[UPPER(b) AS s])
              +- TableSourceScan(table=[[default_catalog, default_database, t]], fields=[b])
    "#]],
    );
}

#[test]
fn a_random_number_is_drawn_once() {
    check(
        plan("SELECT r, r AS again FROM (SELECT RAND() AS r FROM t) WHERE r > 0.5"),
        expect![[r#"
            Sink(table=[*anonymous_collect$1*], fields=[r, again])
            +- Calc(select=[r, r AS again], where=[(r > 5:DECIMAL(2, 1))])
               +- Calc(select=[RAND() AS r])
                  +- TableSourceScan(table=[[default_catalog, default_database, t]], fields=[a])
        "#]],
    );
}

#[test]
fn the_scan_reads_the_columns_that_are_needed() {
    check(
        plan("SELECT c FROM t"),
        expect![[r#"
        Sink(table=[*anonymous_collect$1*], fields=[c])
        +- TableSourceScan(table=[[default_catalog, default_database, t]], fields=[c])
    "#]],
    );
    check(
        plan("SELECT d, b FROM t"),
        expect![[r#"
        Sink(table=[*anonymous_collect$1*], fields=[d, b])
        +- Calc(select=[d, b])
           +- TableSourceScan(table=[[default_catalog, default_database, t]], fields=[b, d])
    "#]],
    );
    check(
        plan("SELECT b FROM t WHERE c = 1"),
        expect![[r#"
        Sink(table=[*anonymous_collect$1*], fields=[b])
        +- Calc(select=[b], where=[(c = 1:BIGINT)])
           +- TableSourceScan(table=[[default_catalog, default_database, t]], fields=[b, c])
    "#]],
    );
    check(
        plan("SELECT COUNT(*) FROM t"),
        expect![[r#"
        Sink(table=[*anonymous_collect$1*], fields=[EXPR$0])
        +- GroupAggregate(select=[COUNT(*) AS EXPR$0])
           +- Exchange(distribution=[single])
              +- Calc(select=[])
                 +- TableSourceScan(table=[[default_catalog, default_database, t]], fields=[a])
    "#]],
    );
    check(
        plan("SELECT 1 FROM t"),
        expect![[r#"
        Sink(table=[*anonymous_collect$1*], fields=[EXPR$0])
        +- Calc(select=[1 AS EXPR$0])
           +- TableSourceScan(table=[[default_catalog, default_database, t]], fields=[a])
    "#]],
    );
    check(
        plan("SELECT * FROM t"),
        expect![[r#"
        Sink(table=[*anonymous_collect$1*], fields=[a, b, c, d])
        +- TableSourceScan(table=[[default_catalog, default_database, t]], fields=[a, b, c, d])
    "#]],
    );
}

#[test]
fn constants_are_folded() {
    check(
        plan("SELECT 1 + 2 * 3 AS n, a FROM t WHERE a > 2 + 2"),
        expect![[r#"
        Sink(table=[*anonymous_collect$1*], fields=[n, a])
        +- Calc(select=[7 AS n, a], where=[(a > 4)])
           +- TableSourceScan(table=[[default_catalog, default_database, t]], fields=[a])
    "#]],
    );
    check(
        plan("SELECT UPPER('x')"),
        expect![[r#"
        Sink(table=[*anonymous_collect$1*], fields=[EXPR$0])
        +- Calc(select=['X' AS EXPR$0])
           +- Values(tuples=[[{ 0 }]], values=[ZERO])
    "#]],
    );
}

#[test]
fn what_is_always_true_or_false() {
    check(
        plan("SELECT a FROM t WHERE TRUE"),
        expect![[r#"
        Sink(table=[*anonymous_collect$1*], fields=[a])
        +- Calc(select=[a], where=[true])
           +- TableSourceScan(table=[[default_catalog, default_database, t]], fields=[a])
    "#]],
    );
    check(
        plan("SELECT a FROM t WHERE 1 = 2"),
        expect![[r#"
        Sink(table=[*anonymous_collect$1*], fields=[a])
        +- Calc(select=[a], where=[false])
           +- TableSourceScan(table=[[default_catalog, default_database, t]], fields=[a])
    "#]],
    );
}

#[test]
fn a_filter_stops_at_a_watermark() {
    check(
        plan("SELECT auction FROM bid WHERE price > 10"),
        expect![[r#"
        Sink(table=[*anonymous_collect$1*], fields=[auction])
        +- Calc(select=[auction], where=[(price > 10)])
           +- WatermarkAssigner(rowtime=[ts], watermark=[(ts - 5000:INTERVAL SECOND(3))])
              +- TableSourceScan(table=[[default_catalog, default_database, bid]], fields=[auction, price, ts])
    "#]],
    );
}

#[test]
fn a_filter_goes_through_a_union() {
    check(
        plan("SELECT * FROM (SELECT a FROM t UNION ALL SELECT a FROM u) WHERE a > 3"),
        expect![[r#"
        Sink(table=[*anonymous_collect$1*], fields=[a])
        +- Union(all=[true], union=[a])
           +- Calc(select=[a], where=[(a > 3)])
              +- TableSourceScan(table=[[default_catalog, default_database, t]], fields=[a])
           +- Calc(select=[a], where=[(a > 3)])
              +- TableSourceScan(table=[[default_catalog, default_database, u]], fields=[a])
    "#]],
    );
}

#[test]
fn a_filter_stops_at_an_aggregation() {
    check(
        plan("SELECT * FROM (SELECT a, COUNT(*) AS n FROM t GROUP BY a) WHERE n > 3"),
        expect![[r#"
        Sink(table=[*anonymous_collect$1*], fields=[a, n])
        +- Calc(select=[a, EXPR$0 AS n], where=[(EXPR$0 > 3:BIGINT)])
           +- GroupAggregate(groupBy=[a], select=[a, COUNT(*) AS EXPR$0])
              +- Exchange(distribution=[hash[a]])
                 +- TableSourceScan(table=[[default_catalog, default_database, t]], fields=[a])
    "#]],
    );
}

#[test]
fn computed_and_metadata_columns() {
    let mut shell = Shell::with_tables();
    let table = "CREATE TABLE m (a INT, twice AS a * 2, o BIGINT METADATA FROM 'offset', p AS PROCTIME(),
                 seen TIMESTAMP_LTZ(3) METADATA FROM 'timestamp' VIRTUAL, WATERMARK FOR seen AS seen) WITH ('connector' = 'rows')";
    assert_eq!(shell.run(table), "");
    check(
        shell.plan("SELECT twice, o FROM m"),
        expect![[r#"
        Sink(table=[*anonymous_collect$1*], fields=[twice, o])
        +- Calc(select=[twice, o])
           +- WatermarkAssigner(rowtime=[seen], watermark=[seen])
              +- Calc(select=[(a * 2) AS twice, o, seen])
                 +- TableSourceScan(table=[[default_catalog, default_database, m]], fields=[a, o, seen])
    "#]],
    );
    check(
        shell.plan("SELECT * FROM m"),
        expect![[r#"
        Sink(table=[*anonymous_collect$1*], fields=[a, twice, o, p, seen])
        +- WatermarkAssigner(rowtime=[seen], watermark=[seen])
           +- Calc(select=[a, (a * 2) AS twice, o, PROCTIME() AS p, seen])
              +- TableSourceScan(table=[[default_catalog, default_database, m]], fields=[a, o, seen])
    "#]],
    );
}

#[test]
fn values_and_no_table() {
    check(
        plan("SELECT a + 1 FROM (VALUES (1, 'x'), (2, 'yy')) AS v (a, b)"),
        expect![[r#"
        Sink(table=[*anonymous_collect$1*], fields=[EXPR$0])
        +- Calc(select=[(a + 1) AS EXPR$0])
           +- Values(tuples=[[{ 1 }, { 2 }]], values=[a])
    "#]],
    );
    check(
        plan("VALUES (1, CAST(NULL AS INT)), (2, 3)"),
        expect![[r#"
        Sink(table=[*anonymous_collect$1*], fields=[EXPR$0, EXPR$1])
        +- Values(tuples=[[{ 1, null }, { 2, 3 }]], values=[EXPR$0, EXPR$1])
    "#]],
    );
}

#[test]
fn a_filter_passes_what_is_drawn_only_if_it_does_not_read_it() {
    check(
        plan("SELECT a FROM (SELECT a, RAND() AS r FROM t) WHERE a > 3 AND r > 0.5"),
        expect![[r#"
            Sink(table=[*anonymous_collect$1*], fields=[a])
            +- Calc(select=[a], where=[(r > 5:DECIMAL(2, 1))])
               +- Calc(select=[a, RAND() AS r], where=[(a > 3)])
                  +- TableSourceScan(table=[[default_catalog, default_database, t]], fields=[a])
        "#]],
    );
}
