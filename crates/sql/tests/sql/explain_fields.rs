//! Which fields of ROWs are read, where the connector can read them by themselves.

use expect_test::expect;

use crate::support::{Shell, check};

const TABLES: &str = "
    CREATE TABLE f (id INT, r ROW<a INT, b STRING, c ROW<x BIGINT, y STRING>>, s ROW<a INT NOT NULL> NOT NULL)
      WITH ('connector' = 'rows', 'fields' = 'true');
    CREATE TABLE e (kind INT, r ROW<ts TIMESTAMP(3), n BIGINT, b STRING>, ts AS r.ts, WATERMARK FOR ts AS ts - INTERVAL '5' SECOND)
      WITH ('connector' = 'rows', 'fields' = 'true');
    CREATE TABLE whole (id INT, r ROW<a INT, b STRING>) WITH ('connector' = 'rows');
";

fn plan(query: &str) -> String {
    let mut shell = Shell::new();
    assert_eq!(shell.run(TABLES), "");
    shell.plan(query)
}

#[test]
fn only_the_fields_that_are_named_are_read() {
    check(
        plan("SELECT r.b, r.c.x + 1 AS n FROM f WHERE r.a > 3"),
        expect![[r#"
        Sink(table=[*anonymous_collect$1*], fields=[b, n])
        +- Calc(select=[r_b AS b, (r_c_x + 1:BIGINT) AS n], where=[(r_a > 3)])
           +- TableSourceScan(table=[[default_catalog, default_database, f]], fields=[r_a, r_b, r_c_x])
    "#]],
    );
    check(
        plan("SELECT s.a FROM f"),
        expect![[r#"
        Sink(table=[*anonymous_collect$1*], fields=[a])
        +- Calc(select=[s_a AS a])
           +- TableSourceScan(table=[[default_catalog, default_database, f]], fields=[s_a])
    "#]],
    );
}

#[test]
fn a_row_that_is_needed_as_such_is_read_whole() {
    check(
        plan("SELECT r, r.a FROM f"),
        expect![[r#"
        Sink(table=[*anonymous_collect$1*], fields=[r, a])
        +- Calc(select=[r, FIELD(r, 0) AS a])
           +- TableSourceScan(table=[[default_catalog, default_database, f]], fields=[r])
    "#]],
    );
    check(
        plan("SELECT r.c.x FROM f WHERE r.c IS NOT NULL"),
        expect![[r#"
        Sink(table=[*anonymous_collect$1*], fields=[x])
        +- Calc(select=[FIELD(r_c, 0) AS x], where=[r_c IS NOT NULL])
           +- TableSourceScan(table=[[default_catalog, default_database, f]], fields=[r_c])
    "#]],
    );
}

#[test]
fn fields_are_read_below_watermarks_views_and_windows() {
    check(
        plan(
            "SELECT n, COUNT(*) AS c FROM TABLE(TUMBLE(TABLE (SELECT r.n AS n, ts FROM e WHERE kind = 2), DESCRIPTOR(ts),
             INTERVAL '1' MINUTE)) GROUP BY n, window_start, window_end",
        ),
        expect![[r#"
            Sink(table=[*anonymous_collect$1*], fields=[n, c])
            +- Calc(select=[n, EXPR$0 AS c])
               +- WindowAggregate(groupBy=[n], window=[TUMBLE(time_col=[ts], size=[60000 ms])], select=[n, COUNT(*) AS EXPR$0])
                  +- Exchange(distribution=[hash[n]])
                     +- Calc(select=[r_n AS n, ts], where=[(kind = 2)])
                        +- WatermarkAssigner(rowtime=[ts], watermark=[(ts - 5000:INTERVAL SECOND(3))])
                           +- Calc(select=[kind, r_n, r_ts AS ts])
                              +- TableSourceScan(table=[[default_catalog, default_database, e]], fields=[kind, r_ts, r_n])
        "#]],
    );
}

#[test]
fn both_sides_of_a_join_read_what_they_need() {
    check(
        plan("SELECT x.r.b, w.r.b AS wb FROM f AS x JOIN whole AS w ON x.r.a = w.r.a"),
        expect![[r#"
            Sink(table=[*anonymous_collect$1*], fields=[b, wb])
            +- Calc(select=[r_b AS b, r_b$1 AS wb])
               +- Join(joinType=[InnerJoin], where=[(r_a = r_a$1)], select=[r_a, r_b, r_a$1, r_b$1])
                  +- Exchange(distribution=[hash[r_a]])
                     +- TableSourceScan(table=[[default_catalog, default_database, f]], fields=[r_a, r_b])
                  +- Exchange(distribution=[hash[r_a]])
                     +- Calc(select=[FIELD(r, 0) AS r_a, FIELD(r, 1) AS r_b])
                        +- TableSourceScan(table=[[default_catalog, default_database, whole]], fields=[r])
        "#]],
    );
    check(
        plan("SELECT x.id, y.r.c.x AS n FROM f AS x LEFT JOIN f AS y ON x.id = y.r.a AND y.r.b <> 'x'"),
        expect![[r#"
            Sink(table=[*anonymous_collect$1*], fields=[id, n])
            +- Calc(select=[id, r_c_x AS n])
               +- Join(joinType=[LeftOuterJoin], where=[(id = r_a)], select=[id, r_a, r_c_x])
                  +- Exchange(distribution=[hash[id]])
                     +- Calc(select=[id])
                        +- TableSourceScan(table=[[default_catalog, default_database, f]], fields=[id, r_a, r_b, r_c_x])
                  +- Exchange(distribution=[hash[r_a]])
                     +- Calc(select=[r_a, r_c_x], where=[(r_b <> 'x')])
                        +- TableSourceScan(table=[[default_catalog, default_database, f]], fields=[id, r_a, r_b, r_c_x])
        "#]],
    );
    check(
        plan("SELECT id FROM f WHERE r.a IN (SELECT e.r.n FROM e)"),
        expect![[r#"
        Sink(table=[*anonymous_collect$1*], fields=[id])
        +- Calc(select=[id])
           +- Calc(select=[id, r_a])
              +- Join(joinType=[LeftSemiJoin], where=[($key2 = n)], select=[id, r_a, $key2, n])
                 +- Exchange(distribution=[hash[$key2]])
                    +- Calc(select=[id, r_a, CAST(r_a AS BIGINT) AS $key2])
                       +- TableSourceScan(table=[[default_catalog, default_database, f]], fields=[id, r_a])
                 +- Exchange(distribution=[hash[n]])
                    +- Calc(select=[r_n AS n])
                       +- WatermarkAssigner(rowtime=[ts], watermark=[(ts - 5000:INTERVAL SECOND(3))])
                          +- Calc(select=[r_n, r_ts AS ts])
                             +- TableSourceScan(table=[[default_catalog, default_database, e]], fields=[r_ts, r_n])
    "#]],
    );
    check(
        plan("SELECT COUNT(*) AS n FROM (SELECT r.a FROM f UNION ALL SELECT r.a FROM f WHERE r.b = 'x')"),
        expect![[r#"
            Sink(table=[*anonymous_collect$1*], fields=[n])
            +- Calc(select=[EXPR$0 AS n])
               +- GroupAggregate(select=[COUNT(*) AS EXPR$0])
                  +- Exchange(distribution=[single])
                     +- Calc(select=[])
                        +- Union(all=[true], union=[a])
                           +- Calc(select=[r_a AS a])
                              +- TableSourceScan(table=[[default_catalog, default_database, f]], fields=[r_a, r_b])
                           +- Calc(select=[r_a AS a], where=[(r_b = 'x')])
                              +- TableSourceScan(table=[[default_catalog, default_database, f]], fields=[r_a, r_b])
        "#]],
    );
}

#[test]
fn other_tables_are_read_by_whole_columns() {
    check(
        plan("SELECT r.b FROM whole"),
        expect![[r#"
        Sink(table=[*anonymous_collect$1*], fields=[b])
        +- Calc(select=[FIELD(r, 1) AS b])
           +- TableSourceScan(table=[[default_catalog, default_database, whole]], fields=[r])
    "#]],
    );
}

/// What completes a stream of upserts keeps whole rows.
#[test]
fn upserts_are_read_by_whole_columns() {
    let mut shell = Shell::new();
    let table = "CREATE TABLE u (id INT PRIMARY KEY NOT ENFORCED, r ROW<a INT, b STRING>)
      WITH ('connector' = 'rows', 'fields' = 'true', 'changelog' = 'upsert')";
    assert_eq!(shell.run(table), "");
    check(
        shell.plan("SELECT r.b FROM u"),
        expect![[r#"
        Sink(table=[*anonymous_collect$1*], fields=[b])
        +- Calc(select=[FIELD(r, 1) AS b])
           +- Calc(select=[r])
              +- ChangelogNormalize(key=[id])
                 +- Exchange(distribution=[hash[id]])
                    +- TableSourceScan(table=[[default_catalog, default_database, u]], fields=[r, id])
    "#]],
    );
}

/// The connector gets positions, and the columns have the types of the fields.
#[test]
fn the_source_gets_the_paths() {
    let mut shell = Shell::new();
    assert_eq!(shell.run(TABLES), "");
    let job = shell.job("SELECT r.c.x, s.a, id FROM f");
    let source = &job.vertices[0].operators[0].node;
    let flott_plan::OperatorSpec::Source(spec) = &source.spec else { panic!("{source:?}") };
    assert_eq!(
        (spec.projection.as_slice(), spec.paths.as_slice()),
        ([0, 1, 2].as_slice(), [vec![], vec![2, 0], vec![0]].as_slice())
    );
    assert_eq!(source.schema, spec.produced());
    let types: Vec<String> =
        source.schema.columns.iter().map(|column| format!("{} {}", column.name, column.ty)).collect();
    assert_eq!(types, ["id INT", "r_c_x BIGINT", "s_a INT NOT NULL"]);
}
