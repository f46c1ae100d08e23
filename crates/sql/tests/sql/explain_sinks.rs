//! Which changes operators make for the tables that results go into: asked of Flink 2.3 with `blackhole` and `print`.

use expect_test::expect;

use crate::support::{Shell, check};

/// `anything` takes all kinds and needs no -U; `keyed` finds rows by its key `a`, `counted` by `n`, `both` by two columns; `all`
/// takes every change.
fn shell() -> Shell {
    let mut shell = Shell::with_tables();
    shell.run(
        "CREATE TABLE anything (a INT, n BIGINT) WITH ('connector' = 'rows', 'changelog' = 'upsert');
         CREATE TABLE keyed (a INT PRIMARY KEY NOT ENFORCED, n BIGINT) WITH ('connector' = 'rows', 'changelog' = 'upsert');
         CREATE TABLE counted (a INT, n BIGINT PRIMARY KEY NOT ENFORCED) WITH ('connector' = 'rows', 'changelog' = 'upsert');
         CREATE TABLE counted_all (a INT, n BIGINT PRIMARY KEY NOT ENFORCED)
           WITH ('connector' = 'rows', 'changelog' = 'retract');
         CREATE TABLE all_of_it (a INT, n BIGINT) WITH ('connector' = 'rows', 'changelog' = 'retract');
         CREATE TABLE appended (a INT, n BIGINT) WITH ('connector' = 'rows')",
    );
    shell
}

/// The kinds of each operator of a plan, one line each.
fn modes(query: &str) -> String {
    let plan = shell().changelog(query);
    let line = |line: &str| {
        let depth = line.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(0);
        let name = line[depth..].split('(').next().unwrap_or_default().to_owned();
        let detail = |name: &str| {
            line.split(", ")
                .find(|part| part.starts_with(name))
                .map(|part| format!(" {}", part.trim_end_matches(')')))
        };
        let mode = line.rsplit_once("changelogMode=").map_or("", |(_, mode)| mode.trim_end_matches(')'));
        let details =
            ["upsertMaterialize", "conflictStrategy"].into_iter().filter_map(detail).collect::<String>();
        (name != "Exchange").then(|| format!("{}{name}{details} {mode}\n", &line[..depth.min(line.len())]))
    };
    plan.lines().filter_map(line).collect()
}

#[test]
fn tables_that_find_rows_by_the_key_of_an_aggregation() {
    check(
        modes("INSERT INTO keyed SELECT a, COUNT(*) FROM t GROUP BY a"),
        expect![[r#"
        Sink [NONE]
        +- Calc [I,UA]
           +- GroupAggregate [I,UA]
                 +- TableSourceScan [I]
    "#]],
    );
    check(
        modes("INSERT INTO anything SELECT a, COUNT(*) FROM t GROUP BY a"),
        expect![[r#"
        Sink [NONE]
        +- Calc [I,UA]
           +- GroupAggregate [I,UA]
                 +- TableSourceScan [I]
    "#]],
    );
    check(
        modes("INSERT INTO all_of_it SELECT a, COUNT(*) FROM t GROUP BY a"),
        expect![[r#"
        Sink [NONE]
        +- Calc [I,UB,UA]
           +- GroupAggregate [I,UB,UA]
                 +- TableSourceScan [I]
    "#]],
    );
    // A filter beside the key takes rows away, one on the key does not.
    check(
        modes("INSERT INTO keyed SELECT a, COUNT(*) FROM t GROUP BY a HAVING COUNT(*) > 2"),
        expect![[r#"
        Sink [NONE]
        +- Calc [I,UB,UA]
           +- GroupAggregate [I,UB,UA]
                 +- TableSourceScan [I]
    "#]],
    );
    check(
        modes("INSERT INTO keyed SELECT a, n FROM (SELECT a, COUNT(*) AS n FROM t GROUP BY a) WHERE a > 2"),
        expect![[r#"
            Sink [NONE]
            +- Calc [I,UA]
               +- GroupAggregate [I,UA]
                     +- TableSourceScan [I]
        "#]],
    );
    // An aggregation of an aggregation.
    check(
        modes(
            "INSERT INTO keyed SELECT CAST(n AS INT), COUNT(*) FROM (SELECT a, COUNT(*) AS n FROM t GROUP BY a) GROUP BY n
             ON CONFLICT DO DEDUPLICATE",
        ),
        expect![[r#"
            Sink upsertMaterialize=[true] conflictStrategy=[DEDUPLICATE] [NONE]
            +- SinkMaterializer [I,UA,D]
                  +- Calc [I,UB,UA,D]
                     +- GroupAggregate [I,UB,UA,D]
                           +- Calc [I,UB,UA]
                              +- GroupAggregate [I,UB,UA]
                                    +- TableSourceScan [I]
        "#]],
    );
    // The key is cast to a wider type.
    check(
        modes("INSERT INTO counted SELECT CAST(COUNT(*) AS INT), CAST(a AS BIGINT) FROM t GROUP BY a"),
        expect![[r#"
            Sink [NONE]
            +- Calc [I,UA]
               +- GroupAggregate [I,UA]
                     +- TableSourceScan [I]
        "#]],
    );
    check(
        modes("INSERT INTO keyed SELECT 1, COUNT(*) FROM t"),
        expect![[r#"
        Sink [NONE]
        +- Calc [I,UB,UA]
           +- GroupAggregate [I,UB,UA]
                 +- Calc [I]
                    +- TableSourceScan [I]
    "#]],
    );
}

#[test]
fn sources_with_updates() {
    check(
        modes("INSERT INTO keyed SELECT id, COUNT(*) FROM cdc GROUP BY id"),
        expect![[r#"
        Sink [NONE]
        +- Calc [I,UA,D]
           +- GroupAggregate [I,UA,D]
                 +- TableSourceScan [I,UB,UA,D]
    "#]],
    );
    check(
        modes("INSERT INTO anything SELECT id, CAST(v AS BIGINT) FROM cdc"),
        expect![[r#"
        Sink [NONE]
        +- Calc [I,UA,D]
           +- DropUpdateBefore [I,UA,D]
              +- TableSourceScan [I,UB,UA,D]
    "#]],
    );
    check(
        modes("INSERT INTO anything SELECT id, CAST(v AS BIGINT) FROM ups"),
        expect![[r#"
        Sink [NONE]
        +- Calc [I,UA,D]
           +- ChangelogNormalize [I,UA,D]
                 +- TableSourceScan [I,UA,D]
    "#]],
    );
    check(
        modes("INSERT INTO keyed SELECT id, CAST(v AS BIGINT) FROM ups"),
        expect![[r#"
        Sink [NONE]
        +- Calc [I,UA,D]
           +- ChangelogNormalize [I,UA,D]
                 +- TableSourceScan [I,UA,D]
    "#]],
    );
    check(
        modes("INSERT INTO all_of_it SELECT id, CAST(v AS BIGINT) FROM ups"),
        expect![[r#"
        Sink [NONE]
        +- Calc [I,UB,UA,D]
           +- ChangelogNormalize [I,UB,UA,D]
                 +- TableSourceScan [I,UA,D]
    "#]],
    );
}

#[test]
fn ranks_joins_and_unions() {
    let ranked = |rank: &str| {
        format!(
            "SELECT a, CAST(b AS BIGINT) FROM (SELECT a, b, ROW_NUMBER() OVER (PARTITION BY a ORDER BY b DESC) AS rn FROM t)
             WHERE rn <= {rank}"
        )
    };
    check(
        modes(&format!("INSERT INTO keyed {}", ranked("1"))),
        expect![[r#"
        Sink [NONE]
        +- Calc [I,UA,D]
           +- Rank [I,UA,D]
                 +- TableSourceScan [I]
    "#]],
    );
    check(
        modes(&format!("INSERT INTO anything {}", ranked("3"))),
        expect![[r#"
        Sink [NONE]
        +- Calc [I,UA,D]
           +- Rank [I,UA,D]
                 +- TableSourceScan [I]
    "#]],
    );
    check(
        modes("INSERT INTO anything SELECT a, COUNT(*) OVER (PARTITION BY a ORDER BY b) FROM t"),
        expect![[r#"
            Sink [NONE]
            +- Calc [I,UA,D]
               +- OverAggregate [I,UA,D]
                     +- TableSourceScan [I]
        "#]],
    );
    check(
        modes("INSERT INTO anything SELECT t.a, CAST(u.a AS BIGINT) FROM t LEFT JOIN u ON t.a = u.a"),
        expect![[r#"
            Sink [NONE]
            +- Calc [I,UA,D]
               +- Join [I,UA,D]
                     +- TableSourceScan [I]
                     +- TableSourceScan [I]
        "#]],
    );
    check(
        modes(
            "INSERT INTO anything SELECT x.a, x.n FROM (SELECT a, COUNT(*) AS n FROM t GROUP BY a) x JOIN u ON x.n = u.a",
        ),
        expect![[r#"
            Sink [NONE]
            +- Calc [I,UB,UA]
               +- Calc [I,UB,UA]
                  +- Join [I,UB,UA]
                        +- Calc [I,UB,UA]
                           +- GroupAggregate [I,UB,UA]
                                 +- TableSourceScan [I]
                        +- Calc [I]
                           +- TableSourceScan [I]
        "#]],
    );
    check(
        modes(
            "INSERT INTO anything SELECT a, COUNT(*) FROM t GROUP BY a UNION ALL SELECT a, COUNT(*) FROM u GROUP BY a",
        ),
        expect![[r#"
            Sink [NONE]
            +- Calc [I,UA]
               +- Union [I,UA]
                  +- Calc [I,UA]
                     +- GroupAggregate [I,UA]
                           +- TableSourceScan [I]
                  +- Calc [I,UA]
                     +- GroupAggregate [I,UA]
                           +- TableSourceScan [I]
        "#]],
    );
}

#[test]
fn rows_with_another_key_are_made_one_for_each_key() {
    let counts = "SELECT a, COUNT(*) FROM t GROUP BY a";
    check(
        modes(&format!("INSERT INTO counted {counts} ON CONFLICT DO DEDUPLICATE")),
        expect![[r#"
        Sink upsertMaterialize=[true] conflictStrategy=[DEDUPLICATE] [NONE]
        +- SinkMaterializer [I,UA,D]
              +- Calc [I,UB,UA]
                 +- GroupAggregate [I,UB,UA]
                       +- TableSourceScan [I]
    "#]],
    );
    check(
        modes(&format!("INSERT INTO counted_all {counts} ON CONFLICT DO DEDUPLICATE")),
        expect![[r#"
        Sink upsertMaterialize=[true] conflictStrategy=[DEDUPLICATE] [NONE]
        +- SinkMaterializer [I,UA,D]
              +- Calc [I,UB,UA]
                 +- GroupAggregate [I,UB,UA]
                       +- TableSourceScan [I]
    "#]],
    );
    check(
        modes(&format!("INSERT INTO keyed {counts} ON CONFLICT DO DEDUPLICATE")),
        expect![[r#"
        Sink conflictStrategy=[DEDUPLICATE] [NONE]
        +- Calc [I,UA]
           +- GroupAggregate [I,UA]
                 +- TableSourceScan [I]
    "#]],
    );
    check(
        modes("INSERT INTO counted SELECT price, COUNT(*) FROM bid GROUP BY price ON CONFLICT DO NOTHING"),
        expect![[r#"
            Sink upsertMaterialize=[true] conflictStrategy=[NOTHING] [NONE]
            +- SinkMaterializer [I,UA,D]
                  +- Calc [I,UB,UA]
                     +- GroupAggregate [I,UB,UA]
                           +- Calc [I]
                              +- WatermarkAssigner [I]
                                 +- TableSourceScan [I]
        "#]],
    );
}

#[test]
fn who_needs_to_say_what_conflicts_do() {
    let counts = "SELECT a, COUNT(*) FROM t GROUP BY a";
    check(
        shell().dialog(&format!(
            "INSERT INTO counted {counts};
             INSERT INTO keyed SELECT a, COUNT(*) FROM t GROUP BY a, b;
             INSERT INTO counted {counts} ON CONFLICT DO ERROR;
             INSERT INTO appended SELECT a, CAST(b AS BIGINT) FROM t ON CONFLICT DO DEDUPLICATE;
             SET 'table.exec.sink.require-on-conflict' = 'false';
             INSERT INTO counted {counts};
             EXPLAIN CHANGELOG_MODE INSERT INTO counted {counts};
             RESET 'table.exec.sink.require-on-conflict';
             SET 'table.exec.sink.upsert-materialize' = 'NONE';
             INSERT INTO counted {counts};
             SET 'table.exec.sink.upsert-materialize' = 'FORCE';
             EXPLAIN CHANGELOG_MODE INSERT INTO keyed {counts}"
        )),
        expect![[r#"
            > INSERT INTO counted SELECT a, COUNT(*) FROM t GROUP BY a
            invalid: The query has an upsert key that differs from the primary key of the sink table 'default_catalog.default_database.counted'. Primary key: [n], upsert key: [a]. This can lead to non-deterministic results when multiple records with different upsert keys map to the same primary key. Please specify an ON CONFLICT clause to define how conflicts should be handled: ON CONFLICT DO DEDUPLICATE (update to the latest record, state intensive, since we need to keep the entire history), or ON CONFLICT DO ERROR (fail on conflict), or ON CONFLICT DO NOTHING (keep first record).
            > INSERT INTO keyed SELECT a, COUNT(*) FROM t GROUP BY a, b
            invalid: The query has an upsert key that differs from the primary key of the sink table 'default_catalog.default_database.keyed'. Primary key: [a], upsert key: . This can lead to non-deterministic results when multiple records with different upsert keys map to the same primary key. Please specify an ON CONFLICT clause to define how conflicts should be handled: ON CONFLICT DO DEDUPLICATE (update to the latest record, state intensive, since we need to keep the entire history), or ON CONFLICT DO ERROR (fail on conflict), or ON CONFLICT DO NOTHING (keep first record).
            > INSERT INTO counted SELECT a, COUNT(*) FROM t GROUP BY a ON CONFLICT DO ERROR
            invalid: ON CONFLICT DO ERROR requires all source tables to define watermarks, but the following source(s) do not: default_catalog.default_database.t. Please add a WATERMARK declaration to these tables.
            > INSERT INTO appended SELECT a, CAST(b AS BIGINT) FROM t ON CONFLICT DO DEDUPLICATE
            invalid: ON CONFLICT clause is only allowed for upsert sinks. The sink 'default_catalog.default_database.appended' is not an upsert sink because it only accepts INSERT (append-only) changes.
            > SET 'table.exec.sink.require-on-conflict' = 'false'
            > INSERT INTO counted SELECT a, COUNT(*) FROM t GROUP BY a
            INSERT INTO default_catalog.default_database.counted
            > EXPLAIN CHANGELOG_MODE INSERT INTO counted SELECT a, COUNT(*) FROM t GROUP BY a
            == Abstract Syntax Tree ==
            LogicalProject(a=[a], n=[EXPR$1])
            +- LogicalProject(a=[a], EXPR$1=[EXPR$0])
               +- LogicalAggregate(groupBy=[a], select=[a, COUNT(*) AS EXPR$0])
                  +- LogicalProject(a=[a])
                     +- LogicalTableScan(table=[[default_catalog, default_database, t]])

            == Optimized Physical Plan ==
            Sink(table=[default_catalog.default_database.counted], fields=[a, n], upsertMaterialize=[true], changelogMode=[NONE])
            +- SinkMaterializer(key=[n], changelogMode=[I,UA,D])
               +- Exchange(distribution=[hash[n]], changelogMode=[I,UB,UA])
                  +- Calc(select=[a, EXPR$0 AS n], changelogMode=[I,UB,UA])
                     +- GroupAggregate(groupBy=[a], select=[a, COUNT(*) AS EXPR$0], changelogMode=[I,UB,UA])
                        +- Exchange(distribution=[hash[a]], changelogMode=[I])
                           +- TableSourceScan(table=[[default_catalog, default_database, t]], fields=[a], changelogMode=[I])

            == Optimized Execution Plan ==
            Sink(table=[default_catalog.default_database.counted], fields=[a, n], upsertMaterialize=[true])
            +- SinkMaterializer(key=[n])
               +- Exchange(distribution=[hash[n]])
                  +- Calc(select=[a, EXPR$0 AS n])
                     +- GroupAggregate(groupBy=[a], select=[a, COUNT(*) AS EXPR$0])
                        +- Exchange(distribution=[hash[a]])
                           +- TableSourceScan(table=[[default_catalog, default_database, t]], fields=[a])
            > RESET 'table.exec.sink.require-on-conflict'
            > SET 'table.exec.sink.upsert-materialize' = 'NONE'
            > INSERT INTO counted SELECT a, COUNT(*) FROM t GROUP BY a
            INSERT INTO default_catalog.default_database.counted
            > SET 'table.exec.sink.upsert-materialize' = 'FORCE'
            > EXPLAIN CHANGELOG_MODE INSERT INTO keyed SELECT a, COUNT(*) FROM t GROUP BY a
            == Abstract Syntax Tree ==
            LogicalProject(a=[a], n=[EXPR$1])
            +- LogicalProject(a=[a], EXPR$1=[EXPR$0])
               +- LogicalAggregate(groupBy=[a], select=[a, COUNT(*) AS EXPR$0])
                  +- LogicalProject(a=[a])
                     +- LogicalTableScan(table=[[default_catalog, default_database, t]])

            == Optimized Physical Plan ==
            Sink(table=[default_catalog.default_database.keyed], fields=[a, n], upsertMaterialize=[true], changelogMode=[NONE])
            +- SinkMaterializer(key=[a], changelogMode=[I,UA,D])
               +- Calc(select=[a, EXPR$0 AS n], changelogMode=[I,UB,UA])
                  +- GroupAggregate(groupBy=[a], select=[a, COUNT(*) AS EXPR$0], changelogMode=[I,UB,UA])
                     +- Exchange(distribution=[hash[a]], changelogMode=[I])
                        +- TableSourceScan(table=[[default_catalog, default_database, t]], fields=[a], changelogMode=[I])

            == Optimized Execution Plan ==
            Sink(table=[default_catalog.default_database.keyed], fields=[a, n], upsertMaterialize=[true])
            +- SinkMaterializer(key=[a])
               +- Calc(select=[a, EXPR$0 AS n])
                  +- GroupAggregate(groupBy=[a], select=[a, COUNT(*) AS EXPR$0])
                     +- Exchange(distribution=[hash[a]])
                        +- TableSourceScan(table=[[default_catalog, default_database, t]], fields=[a])
        "#]],
    );
}
