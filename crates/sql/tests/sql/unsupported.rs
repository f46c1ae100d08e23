//! What Flink knows and Flott has not: refused by name, never ignored.

use expect_test::expect;

use crate::support::{Shell, check};

#[test]
fn statements() {
    check(
        Shell::with_tables().dialog(
            "COMPILE AND EXECUTE PLAN 'x' FOR INSERT INTO log SELECT a, c FROM t;
             COMPILE PLAN 'x' FOR INSERT INTO log SELECT a, c FROM t;
             EXECUTE PLAN 'x';
             CREATE OR ALTER TABLE m AS SELECT a FROM t;
             CREATE TEMPORARY MODEL m;
             CREATE MODEL m;
             CREATE TEMPORARY SYSTEM CONNECTION c;
             CREATE TEMPORARY CONNECTION c;
             CREATE CONNECTION c;
             ALTER MODEL m RENAME TO n;
             ALTER CONNECTION c SET ('a' = 'b');
             DROP TEMPORARY MODEL m;
             DROP MODEL m;
             DROP TEMPORARY CONNECTION c;
             DROP CONNECTION c;
             ADD JAR 'x.jar';
             REMOVE JAR 'x.jar';
             ADD ARTIFACT 'x';
             LOAD MODULE hive;
             UNLOAD MODULE hive;
             ANALYZE TABLE t COMPUTE STATISTICS;
             TRUNCATE TABLE t;
             DELETE FROM t;
             UPDATE t SET a = 1;
             CALL p()",
        ),
        expect![[r#"
            > COMPILE AND EXECUTE PLAN 'x' FOR INSERT INTO log SELECT a, c FROM t
            PLAN 'x' OF 3 operators INTO default_catalog.default_database.log
            > COMPILE PLAN 'x' FOR INSERT INTO log SELECT a, c FROM t
            PLAN 'x' OF 3 operators INTO default_catalog.default_database.log
            > EXECUTE PLAN 'x'
            ExecutePlan("x")
            > CREATE OR ALTER TABLE m AS SELECT a FROM t
            unsupported: CREATE OR ALTER TABLE is not supported, at line 1, column 1
            > CREATE TEMPORARY MODEL m
            invalid: Model property list can not be empty, at line 1, column 1: WITH ('provider' = ...)
            > CREATE MODEL m
            invalid: Model property list can not be empty, at line 1, column 1: WITH ('provider' = ...)
            > CREATE TEMPORARY SYSTEM CONNECTION c
            unsupported: CREATE TEMPORARY SYSTEM CONNECTION is not supported, at line 1, column 1
            > CREATE TEMPORARY CONNECTION c
            unsupported: CREATE TEMPORARY CONNECTION is not supported, at line 1, column 1
            > CREATE CONNECTION c
            unsupported: CREATE CONNECTION is not supported, at line 1, column 1
            > ALTER MODEL m RENAME TO n
            invalid: Model `default_catalog`.`default_database`.`m` doesn't exist.
            > ALTER CONNECTION c SET ('a' = 'b')
            unsupported: ALTER CONNECTION is not supported, at line 1, column 1
            > DROP TEMPORARY MODEL m
            invalid: Temporary Model with identifier 'default_catalog.default_database.m' does not exist.
            > DROP MODEL m
            invalid: Model with identifier 'default_catalog.default_database.m' does not exist.
            > DROP TEMPORARY CONNECTION c
            unsupported: DROP TEMPORARY CONNECTION is not supported, at line 1, column 1
            > DROP CONNECTION c
            unsupported: DROP CONNECTION is not supported, at line 1, column 1
            > ADD JAR 'x.jar'
            unsupported: ADD JAR is not supported, at line 1, column 1
            > REMOVE JAR 'x.jar'
            unsupported: REMOVE JAR is not supported, at line 1, column 1
            > ADD ARTIFACT 'x'
            unsupported: ADD ARTIFACT is not supported, at line 1, column 1
            > LOAD MODULE hive
            invalid: Could not execute LOAD MODULE hive. There is no module of this name. Available modules are: core
            > UNLOAD MODULE hive
            invalid: Could not execute UNLOAD MODULE hive. No module with name 'hive' exists
            > ANALYZE TABLE t COMPUTE STATISTICS
            unsupported: ANALYZE TABLE is not supported for streaming mode now
            > TRUNCATE TABLE t
            unsupported: TRUNCATE TABLE statement is not supported in streaming mode.
            > DELETE FROM t
            unsupported: DELETE statement is not supported in streaming mode.
            > UPDATE t SET a = 1
            unsupported: UPDATE statement is not supported in streaming mode.
            > CALL p()
            invalid: there is no procedure p, at line 1, column 1: the catalogs here have no procedures
        "#]],
    );
}

#[test]
fn parts_of_statements() {
    check(
        Shell::with_tables().dialog(
            "CREATE FUNCTION f AS 'com.example.F';
             ALTER FUNCTION f AS 'com.example.F';
             CREATE OR REPLACE TABLE x (a INT) WITH ('connector' = 'rows');
             CREATE TABLE y (r ROW<ts TIMESTAMP(3)>, WATERMARK FOR r.ts AS r.ts) WITH ('connector' = 'rows');
             ALTER TABLE t ADD PARTITION (a = 1);
             ALTER TABLE t DROP r.f;
             USE MODULES core;
             SHOW FULL MODULES;
             SHOW PROCEDURES;
             DESCRIBE FUNCTION f;
             DESCRIBE MODEL m;
             DESCRIBE JOB 'x';
             EXPLAIN ESTIMATED_COST SELECT a FROM t;
             EXPLAIN JSON_EXECUTION_PLAN SELECT a FROM t;
             EXPLAIN PLAN_ADVICE SELECT a FROM t;
             EXPLAIN CREATE TABLE x (a INT)",
        ),
        expect![[r#"
            > CREATE FUNCTION f AS 'com.example.F'
            > ALTER FUNCTION f AS 'com.example.F'
            > CREATE OR REPLACE TABLE x (a INT) WITH ('connector' = 'rows')
            > CREATE TABLE y (r ROW<ts TIMESTAMP(3)>, WATERMARK FOR r.ts AS r.ts) WITH ('connector' = 'rows')
            unsupported: WATERMARK FOR a nested field is not supported, at line 1, column 41
            > ALTER TABLE t ADD PARTITION (a = 1)
            invalid: Failed to execute ALTER TABLE at line 1, column 1: the table is not partitioned
            > ALTER TABLE t DROP r.f
            unsupported: Failed to execute ALTER TABLE at line 1, column 1: ALTER of a nested field is not supported
            > USE MODULES core
            > SHOW FULL MODULES
            core | TRUE
            > SHOW PROCEDURES
            unsupported: SHOW PROCEDURES is not supported, at line 1, column 1: the catalogs here have no procedures
            > DESCRIBE FUNCTION f
            invalid: Cannot instantiate user-defined function 'default_catalog.default_database.f': this program defines no function of the identifier 'com.example.F'; it defines none at all
            > DESCRIBE MODEL m
            invalid: Model with the identifier 'default_catalog.default_database.m' doesn't exist.
            > DESCRIBE JOB 'x'
            DescribeJob(Text { value: "x", position: Position { line: 1, column: 14 } })
            > EXPLAIN ESTIMATED_COST SELECT a FROM t
            unsupported: EXPLAIN ESTIMATED_COST is not supported, at line 1, column 1: plans here are not chosen by cost
            > EXPLAIN JSON_EXECUTION_PLAN SELECT a FROM t
            == Abstract Syntax Tree ==
            LogicalProject(a=[a])
            +- LogicalTableScan(table=[[default_catalog, default_database, t]])

            == Optimized Physical Plan ==
            Sink(table=[*anonymous_collect$1*], fields=[a])
            +- TableSourceScan(table=[[default_catalog, default_database, t]], fields=[a])

            == Optimized Execution Plan ==
            Sink(table=[*anonymous_collect$1*], fields=[a])
            +- TableSourceScan(table=[[default_catalog, default_database, t]], fields=[a])

            == Physical Execution Plan ==
            {
              "nodes": [
                {
                  "id": 1,
                  "type": "TableSourceScan[1]",
                  "pact": "Data Source",
                  "contents": "[1]:TableSourceScan(table=[[default_catalog, default_database, t]], fields=[a])",
                  "parallelism": 1
                },
                {
                  "id": 2,
                  "type": "Sink[2]",
                  "pact": "Operator",
                  "contents": "[2]:Sink(table=[*anonymous_collect$1*], fields=[a])",
                  "parallelism": 1,
                  "predecessors": [
                    {
                      "id": 1,
                      "ship_strategy": "FORWARD",
                      "side": "second"
                    }
                  ]
                }
              ]
            }
            > EXPLAIN PLAN_ADVICE SELECT a FROM t
            == Abstract Syntax Tree ==
            LogicalProject(a=[a])
            +- LogicalTableScan(table=[[default_catalog, default_database, t]])

            == Optimized Physical Plan With Advice ==
            Sink(table=[*anonymous_collect$1*], fields=[a])
            +- TableSourceScan(table=[[default_catalog, default_database, t]], fields=[a])

            No available advice...

            == Optimized Execution Plan ==
            Sink(table=[*anonymous_collect$1*], fields=[a])
            +- TableSourceScan(table=[[default_catalog, default_database, t]], fields=[a])
            > EXPLAIN CREATE TABLE x (a INT)
            syntax: Encountered `CREATE`, expected PLAN FOR, RESTORE, ESTIMATED_COST, CHANGELOG_MODE, JSON_EXECUTION_PLAN, PLAN_ADVICE, a query, INSERT or STATEMENT SET at line 1, column 9
        "#]],
    );
}

#[test]
fn parts_of_queries() {
    check(
        Shell::with_tables().dialog(
            "WITH RECURSIVE r (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r) SELECT n FROM r;
             SELECT * FROM t TABLESAMPLE BERNOULLI(50);
             SELECT * FROM bid JOIN ups FOR SYSTEM_TIME AS OF bid.ts AS v ON bid.auction = v.id;
             SELECT * FROM t, LATERAL (SELECT x FROM u WHERE u.a = t.a);
             SELECT * FROM t, LATERAL TABLE(f(a));
             SELECT * FROM t CROSS JOIN LATERAL TABLE(f(1)) AS e (x);
             SELECT * FROM bid MATCH_RECOGNIZE (ORDER BY ts MEASURES A.price AS p PATTERN (A | B) DEFINE B AS B.price > 3);
             SELECT * FROM bid MATCH_RECOGNIZE (ORDER BY ts MEASURES CLASSIFIER() AS p PATTERN (A B) DEFINE B AS TRUE);
             SELECT TOP 2 a FROM t;
             SELECT LISTAGG(b) WITHIN GROUP (ORDER BY b) FROM t;
             SELECT EXISTS (SELECT 1 FROM u) FROM t",
        ),
        expect![[r#"
            > WITH RECURSIVE r (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r) SELECT n FROM r
            unsupported: WITH RECURSIVE is not supported at line 1, column 1
            > SELECT * FROM t TABLESAMPLE BERNOULLI(50)
            unsupported: TABLESAMPLE is not supported at line 1, column 15
            > SELECT * FROM bid JOIN ups FOR SYSTEM_TIME AS OF bid.ts AS v ON bid.auction = v.id
            invalid: Event-Time Temporal Table Join requires both primary key and row time attribute in versioned table, but no row time attribute can be found at line 1, column 24
            > SELECT * FROM t, LATERAL (SELECT x FROM u WHERE u.a = t.a)
            append-only: a INT, b STRING, c BIGINT, d DOUBLE, x STRING NOT NULL
            > SELECT * FROM t, LATERAL TABLE(f(a))
            invalid: No match found for table function f at line 1, column 32
            > SELECT * FROM t CROSS JOIN LATERAL TABLE(f(1)) AS e (x)
            invalid: No match found for table function f at line 1, column 42
            > SELECT * FROM bid MATCH_RECOGNIZE (ORDER BY ts MEASURES A.price AS p PATTERN (A | B) DEFINE B AS B.price > 3)
            unsupported: '|' (alternation) in a PATTERN is not supported: SET 'table.exec.match-recognize.extended' = 'true' allows it at line 1, column 79
            > SELECT * FROM bid MATCH_RECOGNIZE (ORDER BY ts MEASURES CLASSIFIER() AS p PATTERN (A B) DEFINE B AS TRUE)
            unsupported: CLASSIFIER() in MATCH_RECOGNIZE is not supported: SET 'table.exec.match-recognize.extended' = 'true' allows it at line 1, column 57
            > SELECT TOP 2 a FROM t
            syntax: Encountered `2`, expected the end of the statement at line 1, column 12
            > SELECT LISTAGG(b) WITHIN GROUP (ORDER BY b) FROM t
            unsupported: WITHIN GROUP is not supported at line 1, column 8
            > SELECT EXISTS (SELECT 1 FROM u) FROM t
            updating: EXPR$0 BOOLEAN NOT NULL
        "#]],
    );
}

#[test]
fn what_the_caller_answers() {
    check(
        Shell::with_tables().dialog(
            "SHOW JOBS;
             STOP JOB '0123' WITH SAVEPOINT;
             HELP;
             QUIT",
        ),
        expect![[r#"
            > SHOW JOBS
            ShowJobs
            > STOP JOB '0123' WITH SAVEPOINT
            StopJob(StopJob { job: Text { value: "0123", position: Position { line: 1, column: 10 } }, with_savepoint: true, with_drain: false })
            > HELP
            Shell(Help)
            > QUIT
            Shell(Quit)
        "#]],
    );
}
