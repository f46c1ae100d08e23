//! Materialized tables: what the session keeps of them.

use expect_test::expect;

use crate::support::{Shell, check};

#[test]
fn how_fresh_and_by_which_mode() {
    check(
        Shell::with_tables().dialog(
            "CREATE MATERIALIZED TABLE m WITH ('connector' = 'rows') AS SELECT a, c FROM t;
             SHOW CREATE MATERIALIZED TABLE m;
             CREATE MATERIALIZED TABLE n COMMENT 'it''s' PARTITIONED BY (c)
               WITH ('connector' = 'rows', 'changelog' = 'retract') FRESHNESS = INTERVAL '30' MINUTES REFRESH_MODE = CONTINUOUS
               AS SELECT COUNT(*) AS k, c FROM t GROUP BY c;
             SHOW CREATE MATERIALIZED TABLE n;
             SHOW MATERIALIZED TABLES;
             SHOW TABLES LIKE 'm';
             DESCRIBE m;
             CREATE MATERIALIZED TABLE m AS SELECT a FROM t;
             CREATE OR ALTER MATERIALIZED TABLE t AS SELECT a FROM t;
             CREATE OR ALTER MATERIALIZED TABLE m AS SELECT a FROM t;
             CREATE OR ALTER MATERIALIZED TABLE m AS SELECT a, c, 1 AS won FROM t;
             SHOW CREATE MATERIALIZED TABLE m;
             SHOW CREATE TABLE m;
             SHOW CREATE MATERIALIZED TABLE t;
             DROP TABLE m;
             ALTER TABLE m ADD (z INT);
             ALTER MATERIALIZED TABLE t SUSPEND;
             DROP MATERIALIZED TABLE t;
             DROP MATERIALIZED TABLE IF EXISTS t;
             DROP MATERIALIZED TABLE m;
             CREATE MATERIALIZED TABLE x FRESHNESS = INTERVAL '1' MONTH AS SELECT a FROM t;
             CREATE MATERIALIZED TABLE x FRESHNESS = INTERVAL '0' MINUTE AS SELECT a FROM t;
             CREATE MATERIALIZED TABLE x FRESHNESS = INTERVAL '7' MINUTE REFRESH_MODE = FULL AS SELECT a FROM t;
             CREATE MATERIALIZED TABLE x FRESHNESS = INTERVAL '90' SECOND REFRESH_MODE = FULL AS SELECT a FROM t;
             CREATE MATERIALIZED TABLE x FRESHNESS = INTERVAL '2' DAY AS SELECT a FROM t;
             CREATE MATERIALIZED TABLE x FRESHNESS = 5 AS SELECT a FROM t;
             CREATE MATERIALIZED TABLE x PARTITIONED BY (z) FRESHNESS = INTERVAL '1' MINUTE AS SELECT a FROM t;
             CREATE MATERIALIZED TABLE x PARTITIONED BY (c) WITH ('connector' = 'rows',
               'partition.fields.z.date-formatter' = 'yyyy') AS SELECT a, c FROM t;
             CREATE MATERIALIZED TABLE x (a INT) FRESHNESS = INTERVAL '1' MINUTE;
             ALTER MATERIALIZED TABLE m REFRESH PARTITION (c)",
        ),
        expect![[r#"
            > CREATE MATERIALIZED TABLE m WITH ('connector' = 'rows') AS SELECT a, c FROM t
            START Materialized_table_`default_catalog`.`default_database`.`m`_continuous_refresh_job: INSERT INTO default_catalog.default_database.m
            > SHOW CREATE MATERIALIZED TABLE m
            CREATE MATERIALIZED TABLE `default_catalog`.`default_database`.`m` (
              `a` INT,
              `c` BIGINT
            )
            WITH (
              'connector' = 'rows'
            )
            START_MODE = FROM_BEGINNING
            FRESHNESS = INTERVAL '3' MINUTE
            REFRESH_MODE = CONTINUOUS
            AS SELECT a, c FROM t
            > CREATE MATERIALIZED TABLE n COMMENT 'it''s' PARTITIONED BY (c)
                           WITH ('connector' = 'rows', 'changelog' = 'retract') FRESHNESS = INTERVAL '30' MINUTES REFRESH_MODE = CONTINUOUS
                           AS SELECT COUNT(*) AS k, c FROM t GROUP BY c
            START Materialized_table_`default_catalog`.`default_database`.`n`_continuous_refresh_job: INSERT INTO default_catalog.default_database.n
            > SHOW CREATE MATERIALIZED TABLE n
            CREATE MATERIALIZED TABLE `default_catalog`.`default_database`.`n` (
              `k` BIGINT NOT NULL,
              `c` BIGINT
            )
            COMMENT 'it''s'
            PARTITIONED BY (`c`)
            WITH (
              'changelog' = 'retract',
              'connector' = 'rows'
            )
            START_MODE = FROM_BEGINNING
            FRESHNESS = INTERVAL '30' MINUTE
            REFRESH_MODE = CONTINUOUS
            AS SELECT COUNT(*) AS k, c FROM t GROUP BY c
            > SHOW MATERIALIZED TABLES
            m
            n
            > SHOW TABLES LIKE 'm'
            m
            > DESCRIBE m
            a | INT | TRUE | - | - | -
            c | BIGINT | TRUE | - | - | -
            > CREATE MATERIALIZED TABLE m AS SELECT a FROM t
            invalid: Table (or view) `default_catalog`.`default_database`.`m` already exists.
            > CREATE OR ALTER MATERIALIZED TABLE t AS SELECT a FROM t
            invalid: Table default_catalog.default_database.t is not a materialized table. Only materialized table support create or alter operation.
            > CREATE OR ALTER MATERIALIZED TABLE m AS SELECT a FROM t
            invalid: Failed to modify query because drop column is unsupported. When modifying a query, you can only append new columns at the end of original schema. The original schema has the columns a, c
            > CREATE OR ALTER MATERIALIZED TABLE m AS SELECT a, c, 1 AS won FROM t
            START Materialized_table_`default_catalog`.`default_database`.`m`_continuous_refresh_job: INSERT INTO default_catalog.default_database.m
            > SHOW CREATE MATERIALIZED TABLE m
            CREATE MATERIALIZED TABLE `default_catalog`.`default_database`.`m` (
              `a` INT,
              `c` BIGINT,
              `won` INT
            )
            WITH (
              'connector' = 'rows'
            )
            START_MODE = FROM_BEGINNING
            FRESHNESS = INTERVAL '3' MINUTE
            REFRESH_MODE = CONTINUOUS
            AS SELECT a, c, 1 AS won FROM t
            > SHOW CREATE TABLE m
            invalid: SHOW CREATE TABLE is only supported for tables, but `default_catalog`.`default_database`.`m` is a materialized table. Please use SHOW CREATE MATERIALIZED TABLE instead.
            > SHOW CREATE MATERIALIZED TABLE t
            invalid: SHOW CREATE MATERIALIZED TABLE is only supported for materialized tables, and `default_catalog`.`default_database`.`t` is none.
            > DROP TABLE m
            invalid: Table with identifier '`default_catalog`.`default_database`.`m`' does not exist.
            > ALTER TABLE m ADD (z INT)
            invalid: ALTER TABLE for a materialized table is not allowed: `default_catalog`.`default_database`.`m` at line 1, column 1
            > ALTER MATERIALIZED TABLE t SUSPEND
            invalid: Materialized Table with identifier 'default_catalog.default_database.t' does not exist.
            > DROP MATERIALIZED TABLE t
            invalid: Materialized Table with identifier 'default_catalog.default_database.t' does not exist.
            > DROP MATERIALIZED TABLE IF EXISTS t
            > DROP MATERIALIZED TABLE m
            DROP
            > CREATE MATERIALIZED TABLE x FRESHNESS = INTERVAL '1' MONTH AS SELECT a FROM t
            invalid: Materialized table freshness only supports SECOND, MINUTE, HOUR, DAY as the time unit, at line 1, column 41
            > CREATE MATERIALIZED TABLE x FRESHNESS = INTERVAL '0' MINUTE AS SELECT a FROM t
            invalid: The freshness interval currently only supports positive integer type values. But was: 0, at line 1, column 41
            > CREATE MATERIALIZED TABLE x FRESHNESS = INTERVAL '7' MINUTE REFRESH_MODE = FULL AS SELECT a FROM t
            invalid: In full refresh mode, only freshness that are factors of 60 are currently supported when the time unit is MINUTE.
            > CREATE MATERIALIZED TABLE x FRESHNESS = INTERVAL '90' SECOND REFRESH_MODE = FULL AS SELECT a FROM t
            invalid: In full refresh mode, freshness must be less than 60 when the time unit is SECOND.
            > CREATE MATERIALIZED TABLE x FRESHNESS = INTERVAL '2' DAY AS SELECT a FROM t
            invalid: In full refresh mode, freshness must be 1 when the time unit is DAY.
            > CREATE MATERIALIZED TABLE x FRESHNESS = 5 AS SELECT a FROM t
            invalid: MATERIALIZED TABLE only supports define interval type FRESHNESS, please refer to the materialized table document, at line 1, column 41
            > CREATE MATERIALIZED TABLE x PARTITIONED BY (z) FRESHNESS = INTERVAL '1' MINUTE AS SELECT a FROM t
            invalid: Partition column 'z' not defined in the table schema.
            > CREATE MATERIALIZED TABLE x PARTITIONED BY (c) WITH ('connector' = 'rows',
                           'partition.fields.z.date-formatter' = 'yyyy') AS SELECT a, c FROM t
            invalid: Column 'z' referenced by materialized table option 'partition.fields.z.date-formatter' isn't a partition column. Available partition columns: ['c'].
            > CREATE MATERIALIZED TABLE x (a INT) FRESHNESS = INTERVAL '1' MINUTE
            syntax: Encountered the end of the statement, expected AS at line 1, column 68
            > ALTER MATERIALIZED TABLE m REFRESH PARTITION (c)
            syntax: PARTITION names no value of 'c' at line 1, column 47
        "#]],
    );
}
