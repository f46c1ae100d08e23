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
        expect![[r#""#]],
    );
}
