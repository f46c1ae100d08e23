//! INSERT, statement sets, and what their queries share.

use expect_test::expect;

use crate::support::{Shell, check};

#[test]
fn an_insert_ends_in_its_sink() {
    let mut shell = Shell::with_tables();
    check(
        shell.plan("INSERT INTO log SELECT a, c FROM t"),
        expect![[r#"
        Sink(table=[default_catalog.default_database.log], fields=[a, n])
        +- Calc(select=[a, c AS n])
           +- TableSourceScan(table=[[default_catalog, default_database, t]], fields=[a, c])
    "#]],
    );
    check(
        shell.plan("INSERT INTO mirror (n) SELECT COUNT(*) FROM t"),
        expect![[r#"
        Sink(table=[default_catalog.default_database.mirror], fields=[a, n])
        +- Calc(select=[null AS a, EXPR$0 AS n])
           +- GroupAggregate(select=[COUNT(*) AS EXPR$0])
              +- Exchange(distribution=[single])
                 +- Calc(select=[])
                    +- TableSourceScan(table=[[default_catalog, default_database, t]], fields=[a])
    "#]],
    );
    check(
        shell.plan("INSERT INTO log VALUES (1, 2), (3, 4)"),
        expect![[r#"
        Sink(table=[default_catalog.default_database.log], fields=[a, n])
        +- Calc(select=[EXPR$0 AS a, CAST(EXPR$1 AS BIGINT) AS n])
           +- Values(tuples=[[{ 1, 2 }, { 3, 4 }]], values=[EXPR$0, EXPR$1])
    "#]],
    );
}

#[test]
fn a_set_shares_its_scan() {
    let mut shell = Shell::with_tables();
    let set = "EXECUTE STATEMENT SET BEGIN
                 INSERT INTO log SELECT a, c FROM t;
                 INSERT INTO mirror SELECT a, c FROM t;
               END";
    check(
        shell.run(set),
        expect![[r#"
        INSERT INTO default_catalog.default_database.log, default_catalog.default_database.mirror
    "#]],
    );
    let explain = "STATEMENT SET BEGIN
                 INSERT INTO log SELECT a, c FROM t;
                 INSERT INTO mirror SELECT a, c FROM t;
               END";
    check(
        shell.plan(explain),
        expect![[r#"
        Sink(table=[default_catalog.default_database.log], fields=[a, n])
        +- Calc(select=[a, c AS n])
           +- TableSourceScan(table=[[default_catalog, default_database, t]], fields=[a, c])
        Sink(table=[default_catalog.default_database.mirror], fields=[a, n])
        +- Calc(select=[a, c AS n])
           +- TableSourceScan(table=[[default_catalog, default_database, t]], fields=[a, c])
    "#]],
    );
    let graph = shell.job(set);
    let names: Vec<&str> = graph
        .vertices
        .iter()
        .flat_map(|vertex| &vertex.operators)
        .map(|operator| operator.node.name.as_str())
        .collect();
    check(
        names.join("\n") + "\n",
        expect![[r#"
        TableSourceScan(table=[[default_catalog, default_database, t]], fields=[a, c])
        Calc(select=[a, c AS n])
        Sink(table=[default_catalog.default_database.log], fields=[a, n])
        Sink(table=[default_catalog.default_database.mirror], fields=[a, n])
    "#]],
    );
}

#[test]
fn a_set_shares_its_aggregation() {
    let mut shell = Shell::with_tables();
    shell.run("CREATE TABLE twin (a INT, n BIGINT) WITH ('connector' = 'rows', 'changelog' = 'retract')");
    let graph = shell.job(
        "EXECUTE STATEMENT SET BEGIN
           INSERT INTO mirror SELECT a, COUNT(*) FROM t GROUP BY a;
           INSERT INTO twin SELECT a, COUNT(*) + 1 FROM t GROUP BY a;
         END",
    );
    let names: Vec<&str> = graph
        .vertices
        .iter()
        .flat_map(|vertex| &vertex.operators)
        .map(|operator| operator.node.name.as_str())
        .collect();
    check(
        names.join("\n") + "\n",
        expect![[r#"
        TableSourceScan(table=[[default_catalog, default_database, t]], fields=[a])
        GroupAggregate(groupBy=[a], select=[a, COUNT(*) AS EXPR$0])
        Calc(select=[a, EXPR$0 AS n])
        Sink(table=[default_catalog.default_database.mirror], fields=[a, n])
        Calc(select=[a, (EXPR$0 + 1:BIGINT) AS n])
        Sink(table=[default_catalog.default_database.twin], fields=[a, n])
    "#]],
    );
}

#[test]
fn rows_that_are_drawn_are_not_shared() {
    let mut shell = Shell::with_tables();
    let graph = shell.job(
        "EXECUTE STATEMENT SET BEGIN
           INSERT INTO log SELECT RAND_INTEGER(10), c FROM t;
           INSERT INTO log SELECT RAND_INTEGER(10), c FROM t;
         END",
    );
    let uids: Vec<&str> = graph
        .vertices
        .iter()
        .flat_map(|vertex| &vertex.operators)
        .map(|operator| operator.node.uid.0.split('-').next().unwrap_or_default())
        .collect();
    check(
        uids.join("\n") + "\n",
        expect![[r#"
            Source
            Calc
            Calc
            Sink
            Calc
            Calc
            Sink
        "#]],
    );
}

#[test]
fn parallelism_of_tables() {
    let mut shell = Shell::with_tables();
    shell.run("SET 'parallelism.default' = '4'");
    check(
        shell.plan("INSERT INTO log /*+ OPTIONS('sink.parallelism' = '2') */ SELECT a, c FROM t /*+ OPTIONS('scan.parallelism' = '3') */"),
        expect![[r#"
            Sink(table=[default_catalog.default_database.log], fields=[a, n])
            +- Exchange(distribution=[rebalance])
               +- Calc(select=[a, c AS n])
                  +- TableSourceScan(table=[[default_catalog, default_database, t]], fields=[a, c])
        "#]],
    );
    check(
        shell.plan("INSERT INTO log /*+ OPTIONS('sink.parallelism' = '1') */ SELECT a, c FROM t"),
        expect![[r#"
        Sink(table=[default_catalog.default_database.log], fields=[a, n])
        +- Exchange(distribution=[single])
           +- Calc(select=[a, c AS n])
              +- TableSourceScan(table=[[default_catalog, default_database, t]], fields=[a, c])
    "#]],
    );
}

#[test]
fn the_logical_plan_is_shown_first() {
    check(
        Shell::with_tables()
            .run("EXPLAIN SELECT t.b, COUNT(*) FROM t JOIN u ON t.a = u.a WHERE t.c > 3 GROUP BY t.b"),
        expect![[r#"
            == Abstract Syntax Tree ==
            LogicalProject(b=[b], EXPR$1=[EXPR$0])
            +- LogicalAggregate(groupBy=[b], select=[b, COUNT(*) AS EXPR$0])
               +- LogicalProject(b=[b])
                  +- LogicalFilter(condition=[(c > CAST(3 AS BIGINT))])
                     +- LogicalJoin(condition=[(a = a$1)], joinType=[inner])
                        +- LogicalTableScan(table=[[default_catalog, default_database, t]])
                        +- LogicalTableScan(table=[[default_catalog, default_database, u]])

            == Optimized Physical Plan ==
            Sink(table=[*anonymous_collect$1*], fields=[b, EXPR$1])
            +- Calc(select=[b, EXPR$0 AS EXPR$1])
               +- GroupAggregate(groupBy=[b], select=[b, COUNT(*) AS EXPR$0])
                  +- Exchange(distribution=[hash[b]])
                     +- Calc(select=[b])
                        +- Join(joinType=[InnerJoin], where=[(a = a$1)], select=[a, b, a$1])
                           +- Exchange(distribution=[hash[a]])
                              +- Calc(select=[a, b], where=[(c > 3:BIGINT)])
                                 +- TableSourceScan(table=[[default_catalog, default_database, t]], fields=[a, b, c])
                           +- Exchange(distribution=[hash[a]])
                              +- TableSourceScan(table=[[default_catalog, default_database, u]], fields=[a])

            == Optimized Execution Plan ==
            Sink(table=[*anonymous_collect$1*], fields=[b, EXPR$1])
            +- Calc(select=[b, EXPR$0 AS EXPR$1])
               +- GroupAggregate(groupBy=[b], select=[b, COUNT(*) AS EXPR$0])
                  +- Exchange(distribution=[hash[b]])
                     +- Calc(select=[b])
                        +- Join(joinType=[InnerJoin], where=[(a = a$1)], select=[a, b, a$1])
                           +- Exchange(distribution=[hash[a]])
                              +- Calc(select=[a, b], where=[(c > 3:BIGINT)])
                                 +- TableSourceScan(table=[[default_catalog, default_database, t]], fields=[a, b, c])
                           +- Exchange(distribution=[hash[a]])
                              +- TableSourceScan(table=[[default_catalog, default_database, u]], fields=[a])
        "#]],
    );
}
