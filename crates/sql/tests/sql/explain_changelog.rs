//! Which operators emit updates, and who cannot take them.

use expect_test::expect;

use crate::support::{Shell, check};

fn changelog(query: &str) -> String {
    Shell::with_tables().changelog(query)
}

#[test]
fn appends_stay_appends() {
    check(
        changelog("SELECT t.a FROM t JOIN u ON t.a = u.a UNION ALL SELECT a FROM u WHERE a > 3"),
        expect![[r#"
            Sink(table=[*anonymous_collect$1*], fields=[a], changelogMode=[NONE])
            +- Union(all=[true], union=[a], changelogMode=[I])
               +- Calc(select=[a], changelogMode=[I])
                  +- Join(joinType=[InnerJoin], where=[(a = a$1)], select=[a, a$1], changelogMode=[I])
                     +- Exchange(distribution=[hash[a]], changelogMode=[I])
                        +- TableSourceScan(table=[[default_catalog, default_database, t]], fields=[a], changelogMode=[I])
                     +- Exchange(distribution=[hash[a]], changelogMode=[I])
                        +- TableSourceScan(table=[[default_catalog, default_database, u]], fields=[a], changelogMode=[I])
               +- Calc(select=[a], where=[(a > 3)], changelogMode=[I])
                  +- TableSourceScan(table=[[default_catalog, default_database, u]], fields=[a], changelogMode=[I])
        "#]],
    );
    check(
        changelog(
            "SELECT window_start, COUNT(*) FROM TUMBLE(TABLE bid, DESCRIPTOR(ts), INTERVAL '1' MINUTE)
             GROUP BY window_start, window_end",
        ),
        expect![[r#"
            Sink(table=[*anonymous_collect$1*], fields=[window_start, EXPR$1], changelogMode=[NONE])
            +- Calc(select=[window_start, EXPR$0 AS EXPR$1], changelogMode=[I])
               +- WindowAggregate(window=[TUMBLE(time_col=[ts], size=[60000 ms])], select=[, COUNT(*) AS EXPR$0], changelogMode=[I])
                  +- Exchange(distribution=[single], changelogMode=[I])
                     +- WatermarkAssigner(rowtime=[ts], watermark=[(ts - 5000:INTERVAL SECOND(3))], changelogMode=[I])
                        +- TableSourceScan(table=[[default_catalog, default_database, bid]], fields=[ts], changelogMode=[I])
        "#]],
    );
}

#[test]
fn aggregations_update() {
    check(
        changelog("SELECT a, COUNT(*) FROM t GROUP BY a"),
        expect![[r#"
            Sink(table=[*anonymous_collect$1*], fields=[a, EXPR$1], changelogMode=[NONE])
            +- Calc(select=[a, EXPR$0 AS EXPR$1], changelogMode=[I,UA])
               +- GroupAggregate(groupBy=[a], select=[a, COUNT(*) AS EXPR$0], changelogMode=[I,UA])
                  +- Exchange(distribution=[hash[a]], changelogMode=[I])
                     +- TableSourceScan(table=[[default_catalog, default_database, t]], fields=[a], changelogMode=[I])
        "#]],
    );
    check(
        changelog("SELECT t.a FROM t LEFT JOIN u ON t.a = u.a"),
        expect![[r#"
            Sink(table=[*anonymous_collect$1*], fields=[a], changelogMode=[NONE])
            +- Calc(select=[a], changelogMode=[I,UA,D])
               +- Join(joinType=[LeftOuterJoin], where=[(a = a$1)], select=[a, a$1], changelogMode=[I,UA,D])
                  +- Exchange(distribution=[hash[a]], changelogMode=[I])
                     +- TableSourceScan(table=[[default_catalog, default_database, t]], fields=[a], changelogMode=[I])
                  +- Exchange(distribution=[hash[a]], changelogMode=[I])
                     +- TableSourceScan(table=[[default_catalog, default_database, u]], fields=[a], changelogMode=[I])
        "#]],
    );
}

#[test]
fn an_upsert_source_is_made_complete() {
    check(
        changelog("SELECT v FROM ups"),
        expect![[r#"
            Sink(table=[*anonymous_collect$1*], fields=[v], changelogMode=[NONE])
            +- Calc(select=[v], changelogMode=[I,UA,D])
               +- ChangelogNormalize(key=[id], changelogMode=[I,UA,D])
                  +- Exchange(distribution=[hash[id]], changelogMode=[I,UA,D])
                     +- TableSourceScan(table=[[default_catalog, default_database, ups]], fields=[v, id], changelogMode=[I,UA,D])
        "#]],
    );
    check(
        changelog("SELECT id, v, n FROM ups"),
        expect![[r#"
            Sink(table=[*anonymous_collect$1*], fields=[id, v, n], changelogMode=[NONE])
            +- ChangelogNormalize(key=[id], changelogMode=[I,UA,D])
               +- Exchange(distribution=[hash[id]], changelogMode=[I,UA,D])
                  +- TableSourceScan(table=[[default_catalog, default_database, ups]], fields=[id, v, n], changelogMode=[I,UA,D])
        "#]],
    );
    check(
        changelog("SELECT id, v FROM cdc"),
        expect![[r#"
            Sink(table=[*anonymous_collect$1*], fields=[id, v], changelogMode=[NONE])
            +- DropUpdateBefore(changelogMode=[I,UA,D])
               +- TableSourceScan(table=[[default_catalog, default_database, cdc]], fields=[id, v], changelogMode=[I,UB,UA,D])
        "#]],
    );
}

#[test]
fn which_results_update() {
    check(
        Shell::with_tables().dialog(
            "SELECT a FROM t;
             SELECT DISTINCT a FROM t;
             SELECT a FROM t LIMIT 3;
             SELECT a FROM t ORDER BY a LIMIT 3;
             SELECT a FROM t UNION SELECT a FROM u;
             SELECT a FROM t WHERE a IN (SELECT a FROM u);
             SELECT a FROM t WHERE NOT EXISTS (SELECT 1 FROM u WHERE u.a = t.a);
             SELECT v FROM cdc;
             SELECT SUM(price) OVER (ORDER BY ts) AS s FROM bid",
        ),
        expect![[r#"
            > SELECT a FROM t
            append-only: a INT
            > SELECT DISTINCT a FROM t
            updating: a INT
            > SELECT a FROM t LIMIT 3
            append-only: a INT
            > SELECT a FROM t ORDER BY a LIMIT 3
            updating: a INT
            > SELECT a FROM t UNION SELECT a FROM u
            updating: a INT
            > SELECT a FROM t WHERE a IN (SELECT a FROM u)
            append-only: a INT
            > SELECT a FROM t WHERE NOT EXISTS (SELECT 1 FROM u WHERE u.a = t.a)
            updating: a INT
            > SELECT v FROM cdc
            updating: v STRING
            > SELECT SUM(price) OVER (ORDER BY ts) AS s FROM bid
            append-only: s INT
        "#]],
    );
}

#[test]
fn who_takes_no_updates() {
    let mut shell = Shell::with_tables();
    shell.run(
        "CREATE TABLE upsink (a INT PRIMARY KEY NOT ENFORCED, n BIGINT) WITH ('connector' = 'rows', 'changelog' = 'upsert');
         CREATE TABLE cdcts (id INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts)
           WITH ('connector' = 'rows', 'changelog' = 'retract')",
    );
    check(
        shell.dialog(
            "INSERT INTO log SELECT a, COUNT(*) FROM t GROUP BY a;
             INSERT INTO mirror SELECT a, COUNT(*) FROM t GROUP BY a;
             SELECT * FROM TUMBLE(TABLE cdcts, DESCRIPTOR(ts), INTERVAL '1' MINUTE);
             SELECT COUNT(*) OVER (ORDER BY ts) FROM cdcts;
             SELECT * FROM cdcts ORDER BY ts",
        ),
        expect![[r#"
            > INSERT INTO log SELECT a, COUNT(*) FROM t GROUP BY a
            invalid: Table sink 'default_catalog.default_database.log' doesn't support consuming update changes which is produced by node GroupAggregate(groupBy=[a], select=[a, COUNT(*) AS EXPR$0])
            > INSERT INTO mirror SELECT a, COUNT(*) FROM t GROUP BY a
            INSERT INTO default_catalog.default_database.mirror
            > SELECT * FROM TUMBLE(TABLE cdcts, DESCRIPTOR(ts), INTERVAL '1' MINUTE)
            invalid: WindowTableFunction doesn't support consuming update and delete changes which is produced by node TableSourceScan(table=[[default_catalog, default_database, cdcts]], fields=[id, ts])
            > SELECT COUNT(*) OVER (ORDER BY ts) FROM cdcts
            invalid: OverAggregate doesn't support consuming update and delete changes which is produced by node TableSourceScan(table=[[default_catalog, default_database, cdcts]], fields=[ts])
            > SELECT * FROM cdcts ORDER BY ts
            invalid: Sort doesn't support consuming update and delete changes which is produced by node TableSourceScan(table=[[default_catalog, default_database, cdcts]], fields=[id, ts])
        "#]],
    );
}
