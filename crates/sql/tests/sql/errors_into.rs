//! ERRORS INTO: where records go that cannot be read.

use expect_test::expect;

use crate::support::{Shell, check};

fn shell() -> Shell {
    let mut shell = Shell::with_tables();
    let tables = "
        CREATE TABLE bad (record BYTES, reason STRING, topic_offset BIGINT) WITH ('connector' = 'rows');
        CREATE TABLE strict (reason VARCHAR(10), table_name STRING NOT NULL, n AS CHAR_LENGTH(reason))
          WITH ('connector' = 'rows');
        CREATE TABLE other (reason STRING, line BIGINT) WITH ('connector' = 'rows');
        CREATE TABLE numbers (reason INT) WITH ('connector' = 'rows');
        CREATE TABLE keyed (file_position BIGINT PRIMARY KEY NOT ENFORCED, reason STRING)
          WITH ('connector' = 'rows', 'changelog' = 'upsert');
        CREATE TABLE same (record BYTES, reason STRING, topic_offset BIGINT) WITH ('connector' = 'rows');
        CREATE TABLE sized (a INT) WITH ('connector' = 'nothing');
        CREATE VIEW v AS SELECT a FROM t;
        CREATE VIEW safe AS SELECT a, c FROM t ERRORS INTO bad AS s WHERE a > 1";
    assert_eq!(shell.run(tables), "");
    shell
}

#[test]
fn a_source_has_a_second_output() {
    check(
        shell().changelog("INSERT INTO log SELECT a, c FROM t ERRORS INTO bad AS s WHERE s.a > 1"),
        expect![[r#"
            Sink(table=[default_catalog.default_database.log], fields=[a, n], changelogMode=[NONE])
            +- Calc(select=[a, c AS n], where=[(a > 1)], changelogMode=[I])
               +- TableSourceScan(table=[[default_catalog, default_database, t, errors=[default_catalog, default_database, bad]]], fields=[a, c], changelogMode=[I])
            Sink(table=[default_catalog.default_database.bad], fields=[record, reason, topic_offset], changelogMode=[NONE])
            +- Calc(select=[record, reason, topic_offset], changelogMode=[I])
               +- TableSourceScan(table=[[default_catalog, default_database, t, errors=[default_catalog, default_database, bad]]], fields=[a, c], changelogMode=[I])
        "#]],
    );
    // What a source emits of changes is none of the other output's business.
    check(
        shell().changelog("INSERT INTO mirror SELECT id, COUNT(*) FROM cdc ERRORS INTO keyed GROUP BY id"),
        expect![[r#"
            Sink(table=[default_catalog.default_database.mirror], fields=[a, n], changelogMode=[NONE])
            +- Calc(select=[id AS a, EXPR$0 AS n], changelogMode=[I,UB,UA,D])
               +- GroupAggregate(groupBy=[id], select=[id, COUNT(*) AS EXPR$0], changelogMode=[I,UB,UA,D])
                  +- Exchange(distribution=[hash[id]], changelogMode=[I,UB,UA,D])
                     +- TableSourceScan(table=[[default_catalog, default_database, cdc, errors=[default_catalog, default_database, keyed]]], fields=[id], changelogMode=[I,UB,UA,D])
            Sink(table=[default_catalog.default_database.keyed], fields=[file_position, reason], changelogMode=[NONE])
            +- Calc(select=[file_position, reason], changelogMode=[I])
               +- TableSourceScan(table=[[default_catalog, default_database, cdc, errors=[default_catalog, default_database, keyed]]], fields=[id], changelogMode=[I,UB,UA,D])
        "#]],
    );
    check(
        shell().changelog("SELECT id, v FROM ups ERRORS INTO strict"),
        expect![[r#"
        Sink(table=[*anonymous_collect$1*], fields=[id, v], changelogMode=[NONE])
        +- ChangelogNormalize(key=[id], changelogMode=[I,UA,D])
           +- Exchange(distribution=[hash[id]], changelogMode=[I,UA,D])
              +- TableSourceScan(table=[[default_catalog, default_database, ups, errors=[default_catalog, default_database, strict]]], fields=[id, v], changelogMode=[I,UA,D])
        Sink(table=[default_catalog.default_database.strict], fields=[reason, table_name], changelogMode=[NONE])
        +- Calc(select=[CAST(reason AS VARCHAR(10)) AS reason, table_name], changelogMode=[I])
           +- TableSourceScan(table=[[default_catalog, default_database, ups, errors=[default_catalog, default_database, strict]]], fields=[id, v], changelogMode=[I,UA,D])
    "#]],
    );
    // A table whose columns happen to be called the same is not mistaken for it.
    check(
        shell().plan("INSERT INTO bad SELECT record, reason, topic_offset FROM same ERRORS INTO bad"),
        expect![[r#"
            Sink(table=[default_catalog.default_database.bad], fields=[record, reason, topic_offset])
            +- TableSourceScan(table=[[default_catalog, default_database, same, errors=[default_catalog, default_database, bad]]], fields=[record, reason, topic_offset])
            Sink(table=[default_catalog.default_database.bad], fields=[record, reason, topic_offset])
            +- Calc(select=[record, reason, topic_offset])
               +- TableSourceScan(table=[[default_catalog, default_database, same, errors=[default_catalog, default_database, bad]]], fields=[record, reason, topic_offset])
        "#]],
    );
}

#[test]
fn a_table_that_is_read_in_several_places_has_one() {
    let set = "STATEMENT SET BEGIN
         INSERT INTO log SELECT a, c FROM t ERRORS INTO bad;
         INSERT INTO log SELECT a, a FROM safe;
         INSERT INTO log SELECT a, a FROM t ERRORS INTO strict AS s;
       END";
    check(
        shell().plan(set),
        expect![[r#"
        Sink(table=[default_catalog.default_database.log], fields=[a, n])
        +- Calc(select=[a, c AS n])
           +- TableSourceScan(table=[[default_catalog, default_database, t, errors=[default_catalog, default_database, bad]]], fields=[a, c])
        Sink(table=[default_catalog.default_database.log], fields=[a, n])
        +- Calc(select=[a, CAST(a AS BIGINT) AS n], where=[(a > 1)])
           +- TableSourceScan(table=[[default_catalog, default_database, t, errors=[default_catalog, default_database, bad]]], fields=[a, c])
        Sink(table=[default_catalog.default_database.log], fields=[a, n])
        +- Calc(select=[a, CAST(a AS BIGINT) AS n])
           +- TableSourceScan(table=[[default_catalog, default_database, t, errors=[default_catalog, default_database, strict]]], fields=[a])
        Sink(table=[default_catalog.default_database.bad], fields=[record, reason, topic_offset])
        +- Calc(select=[record, reason, topic_offset])
           +- TableSourceScan(table=[[default_catalog, default_database, t, errors=[default_catalog, default_database, bad]]], fields=[a, c])
        Sink(table=[default_catalog.default_database.strict], fields=[reason, table_name])
        +- Calc(select=[CAST(reason AS VARCHAR(10)) AS reason, table_name])
           +- TableSourceScan(table=[[default_catalog, default_database, t, errors=[default_catalog, default_database, strict]]], fields=[a])
    "#]],
    );
}

#[test]
fn the_same_table_with_other_options_is_another_one() {
    let set = "STATEMENT SET BEGIN
         INSERT INTO log SELECT a, c FROM t ERRORS INTO bad /*+ OPTIONS('rows' = '1') */;
         INSERT INTO log SELECT a, c FROM t ERRORS INTO bad /*+ OPTIONS('rows' = '2') */;
         INSERT INTO log SELECT a + 1, c FROM t ERRORS INTO bad /*+ OPTIONS('rows' = '2') */;
       END";
    let plan = shell().plan(set);
    let sinks =
        plan.lines().filter(|line| line.starts_with("Sink(table=[default_catalog.default_database.bad]"));
    assert_eq!(sinks.count(), 2, "{plan}");
}

#[test]
fn positions_are_found_again_when_it_is_added() {
    let uid = |query: &str| shell().job(query).vertices[0].operators[0].node.uid.clone();
    assert_eq!(
        uid("INSERT INTO log SELECT a, c FROM t"),
        uid("INSERT INTO log SELECT a, c FROM t ERRORS INTO bad")
    );
}

#[test]
fn what_is_right() {
    check(
        shell().dialog(
            "INSERT INTO log SELECT a, c FROM t ERRORS INTO bad;
             INSERT INTO log SELECT s.a, c FROM t /*+ OPTIONS('rows' = '1') */ ERRORS INTO bad /*+ OPTIONS('rows' = '2') */ s;
             INSERT INTO log SELECT errors.a, c FROM t errors;
             INSERT INTO log SELECT t.a, u.a FROM t ERRORS INTO bad JOIN u ERRORS INTO strict ON t.a = u.a;
             SELECT * FROM safe",
        ),
        expect![[r#"
            > INSERT INTO log SELECT a, c FROM t ERRORS INTO bad
            INSERT INTO default_catalog.default_database.log, default_catalog.default_database.bad
            > INSERT INTO log SELECT s.a, c FROM t /*+ OPTIONS('rows' = '1') */ ERRORS INTO bad /*+ OPTIONS('rows' = '2') */ s
            INSERT INTO default_catalog.default_database.log, default_catalog.default_database.bad
            > INSERT INTO log SELECT errors.a, c FROM t errors
            INSERT INTO default_catalog.default_database.log
            > INSERT INTO log SELECT t.a, u.a FROM t ERRORS INTO bad JOIN u ERRORS INTO strict ON t.a = u.a
            INSERT INTO default_catalog.default_database.log, default_catalog.default_database.bad, default_catalog.default_database.strict
            > SELECT * FROM safe
            append-only: a INT, c BIGINT
        "#]],
    );
}

#[test]
fn what_is_wrong() {
    check(
        shell().dialog(
            "SELECT a FROM t ERRORS INTO nowhere;
             SELECT a FROM v ERRORS INTO bad;
             WITH w AS (SELECT a FROM t) SELECT a FROM w ERRORS INTO bad;
             SELECT a FROM t ERRORS INTO v;
             SELECT a FROM t ERRORS INTO other;
             SELECT a FROM t ERRORS INTO numbers;
             SELECT a FROM sized ERRORS INTO bad;
             SELECT a FROM t ERRORS INTO bad /*+ OPTIONS('rows' = 'x') */;
             SELECT a FROM t ERRORS bad;
             SELECT a FROM (SELECT a FROM t) ERRORS INTO bad;
             SELECT t2.a FROM (SELECT a, PROCTIME() AS p FROM t) AS t2
               JOIN u ERRORS INTO bad FOR SYSTEM_TIME AS OF t2.p ON t2.a = u.a",
        ),
        expect![[r#"
            > SELECT a FROM t ERRORS INTO nowhere
            invalid: Object 'nowhere' not found at line 1, column 29
            > SELECT a FROM v ERRORS INTO bad
            invalid: ERRORS INTO comes after a table, and 'v' is a query: write it where the query reads its tables at line 1, column 29
            > WITH w AS (SELECT a FROM t) SELECT a FROM w ERRORS INTO bad
            invalid: ERRORS INTO comes after a table, and 'w' is a query: write it where the query reads its tables at line 1, column 57
            > SELECT a FROM t ERRORS INTO v
            unsupported: INSERT into the view `default_catalog`.`default_database`.`v` is not supported at line 1, column 29
            > SELECT a FROM t ERRORS INTO other
            invalid: ERRORS INTO: table `default_catalog`.`default_database`.`other` has a column 'line', which a record that cannot be read does not have; it has: `record` BYTES, `record_key` BYTES, `reason` STRING, `table_name` STRING, `topic` STRING, `topic_partition` INT, `topic_offset` BIGINT, `file_path` STRING, `file_position` BIGINT, `record_timestamp` TIMESTAMP_LTZ(3), `headers` MAP<STRING, BYTES> at line 1, column 29
            > SELECT a FROM t ERRORS INTO numbers
            invalid: Incompatible types for sink column 'reason': the query gives STRING, the column is INT. Write CAST(... AS INT) at line 1, column 29
            > SELECT a FROM sized ERRORS INTO bad
            invalid: ERRORS INTO: the connector 'nothing' of table default_catalog.default_database.sized has no records that cannot be read
            > SELECT a FROM t ERRORS INTO bad /*+ OPTIONS('rows' = 'x') */
            invalid: table default_catalog.default_database.bad: option 'rows' is 'x'; expected a number of rows
            > SELECT a FROM t ERRORS bad
            syntax: Encountered `bad`, expected the end of the statement at line 1, column 24
            > SELECT a FROM (SELECT a FROM t) ERRORS INTO bad
            syntax: Encountered `INTO`, expected the end of the statement at line 1, column 40
            > SELECT t2.a FROM (SELECT a, PROCTIME() AS p FROM t) AS t2
                           JOIN u ERRORS INTO bad FOR SYSTEM_TIME AS OF t2.p ON t2.a = u.a
            invalid: ERRORS INTO is for tables that are read from end to end, and table `default_catalog`.`default_database`.`u` is looked up
        "#]],
    );
}
