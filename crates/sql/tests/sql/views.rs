//! Views.

use expect_test::expect;

use crate::support::{Shell, check};

#[test]
fn a_view_is_its_query() {
    let mut shell = Shell::with_tables();
    assert_eq!(shell.run("CREATE VIEW v AS SELECT a + 1 AS n, b FROM t WHERE c > 3"), "");
    assert_eq!(shell.plan("SELECT n FROM v"), shell.plan("SELECT a + 1 AS n FROM t WHERE c > 3"));
}

#[test]
fn columns_and_views_over_views() {
    check(
        Shell::with_tables().dialog(
            "CREATE VIEW v (k, total) COMMENT 'sums' AS SELECT a, SUM(c) FROM t GROUP BY a;
             SELECT * FROM v;
             DESCRIBE v;
             CREATE VIEW w AS SELECT total + 1 AS more FROM v;
             SELECT * FROM w;
             SHOW VIEWS;
             SHOW TABLES LIKE '_';
             DROP VIEW v;
             SELECT * FROM w;
             CREATE VIEW x (p, q) AS SELECT 1;
             CREATE VIEW x AS SELECT nope FROM t;
             CREATE VIEW v AS SELECT 1;
             CREATE VIEW v AS SELECT 2;
             CREATE VIEW IF NOT EXISTS v AS SELECT 2",
        ),
        expect![[r#"
            > CREATE VIEW v (k, total) COMMENT 'sums' AS SELECT a, SUM(c) FROM t GROUP BY a
            > SELECT * FROM v
            updating: k INT, total BIGINT
            > DESCRIBE v
            k | INT | TRUE | - | - | -
            total | BIGINT | TRUE | - | - | -
            > CREATE VIEW w AS SELECT total + 1 AS more FROM v
            > SELECT * FROM w
            updating: more BIGINT
            > SHOW VIEWS
            v
            w
            > SHOW TABLES LIKE '_'
            t
            u
            v
            w
            > DROP VIEW v
            > SELECT * FROM w
            invalid: in view `default_catalog`.`default_database`.`w`: Object 'v' not found at line 1, column 31
            > CREATE VIEW x (p, q) AS SELECT 1
            invalid: the view names 2 columns, the query has 1, at line 1, column 25
            > CREATE VIEW x AS SELECT nope FROM t
            invalid: Column 'nope' not found in any table at line 1, column 25
            > CREATE VIEW v AS SELECT 1
            > CREATE VIEW v AS SELECT 2
            invalid: Table (or view) `default_catalog`.`default_database`.`v` already exists.
            > CREATE VIEW IF NOT EXISTS v AS SELECT 2
        "#]],
    );
}

#[test]
fn the_base_table_goes_or_changes() {
    check(
        Shell::with_tables().dialog(
            "CREATE VIEW v AS SELECT * FROM u;
             DROP TABLE u;
             SELECT * FROM v;
             DESCRIBE v;
             CREATE TABLE u (a INT, b INT, c INT, d INT) WITH ('connector' = 'rows');
             SELECT * FROM v;
             DROP TABLE u;
             CREATE TABLE u (p INT, q INT, r INT) WITH ('connector' = 'rows');
             SELECT * FROM v",
        ),
        expect![[r#"
            > CREATE VIEW v AS SELECT * FROM u
            > DROP TABLE u
            > SELECT * FROM v
            invalid: in view `default_catalog`.`default_database`.`v`: Object 'u' not found at line 1, column 15
            > DESCRIBE v
            a | INT | TRUE | - | - | -
            x | STRING | FALSE | - | - | -
            y | DECIMAL(10, 2) | TRUE | - | - | -
            > CREATE TABLE u (a INT, b INT, c INT, d INT) WITH ('connector' = 'rows')
            > SELECT * FROM v
            invalid: in view `default_catalog`.`default_database`.`v`: the tables below it have changed since it was made: its column 'x' of type STRING NOT NULL is gone; create it again
            > DROP TABLE u
            > CREATE TABLE u (p INT, q INT, r INT) WITH ('connector' = 'rows')
            > SELECT * FROM v
            invalid: in view `default_catalog`.`default_database`.`v`: the tables below it have changed since it was made: its column 'a' of type INT is gone; create it again
        "#]],
    );
}

#[test]
fn a_view_cannot_contain_itself() {
    check(
        Shell::with_tables().dialog(
            "CREATE VIEW v AS SELECT a FROM v;
             CREATE VIEW v AS SELECT a FROM t;
             CREATE VIEW w AS SELECT a FROM v;
             ALTER VIEW v AS SELECT a FROM w;
             SELECT * FROM v",
        ),
        expect![[r#"
            > CREATE VIEW v AS SELECT a FROM v
            invalid: Object 'v' not found at line 1, column 32
            > CREATE VIEW v AS SELECT a FROM t
            > CREATE VIEW w AS SELECT a FROM v
            > ALTER VIEW v AS SELECT a FROM w
            > SELECT * FROM v
            invalid: in view `default_catalog`.`default_database`.`v`: in view `default_catalog`.`default_database`.`w`: in view `default_catalog`.`default_database`.`v`: the view refers to itself
        "#]],
    );
}

#[test]
fn names_are_looked_up_where_the_view_was_made() {
    check(
        Shell::with_tables().dialog(
            "CREATE VIEW v AS SELECT a FROM t;
             CREATE DATABASE d;
             USE d;
             CREATE TABLE t (other STRING) WITH ('connector' = 'rows');
             SELECT * FROM default_database.v",
        ),
        expect![[r#"
            > CREATE VIEW v AS SELECT a FROM t
            > CREATE DATABASE d
            > USE d
            > CREATE TABLE t (other STRING) WITH ('connector' = 'rows')
            > SELECT * FROM default_database.v
            append-only: a INT
        "#]],
    );
}

#[test]
fn a_common_table_expression_around_does_not_reach_into_a_view() {
    check(
        Shell::with_tables().dialog(
            "CREATE VIEW v AS SELECT a FROM t;
             WITH t AS (SELECT 'x' AS a) SELECT v.a, t.a AS b FROM v, t",
        ),
        expect![[r#"
            > CREATE VIEW v AS SELECT a FROM t
            > WITH t AS (SELECT 'x' AS a) SELECT v.a, t.a AS b FROM v, t
            append-only: a INT, b CHAR(1) NOT NULL
        "#]],
    );
}

#[test]
fn time_attributes_go_through_views() {
    check(
        Shell::with_tables().dialog(
            "CREATE VIEW v AS SELECT ts AS seen, price FROM bid;
             SELECT window_end, COUNT(*) AS n FROM TUMBLE(TABLE v, DESCRIPTOR(seen), INTERVAL '1' MINUTE)
               GROUP BY window_start, window_end;
             CREATE VIEW j AS SELECT bid.ts, t.a FROM bid JOIN t ON bid.price = t.a;
             SELECT * FROM TUMBLE(TABLE j, DESCRIPTOR(ts), INTERVAL '1' MINUTE);
             CREATE VIEW m AS SELECT auction, MAX(ts) AS ts FROM bid GROUP BY auction;
             SELECT * FROM TUMBLE(TABLE m, DESCRIPTOR(ts), INTERVAL '1' MINUTE)",
        ),
        expect![[r#"
            > CREATE VIEW v AS SELECT ts AS seen, price FROM bid
            > SELECT window_end, COUNT(*) AS n FROM TUMBLE(TABLE v, DESCRIPTOR(seen), INTERVAL '1' MINUTE)
                           GROUP BY window_start, window_end
            append-only: window_end TIMESTAMP(3) NOT NULL, n BIGINT NOT NULL
            > CREATE VIEW j AS SELECT bid.ts, t.a FROM bid JOIN t ON bid.price = t.a
            > SELECT * FROM TUMBLE(TABLE j, DESCRIPTOR(ts), INTERVAL '1' MINUTE)
            invalid: a window needs a time attribute, but 'ts' is not one: it comes from a join that does not bound the time between the rows of both sides, so that its rows are in no order of time
            > CREATE VIEW m AS SELECT auction, MAX(ts) AS ts FROM bid GROUP BY auction
            > SELECT * FROM TUMBLE(TABLE m, DESCRIPTOR(ts), INTERVAL '1' MINUTE)
            invalid: The window function requires the timecol is a time attribute type, but is TIMESTAMP(3): declare a WATERMARK for 'ts' at line 1, column 15
        "#]],
    );
}

#[test]
fn hints_do_not_reach_into_views() {
    check(
        Shell::with_tables().dialog(
            "CREATE VIEW v AS SELECT a FROM t /*+ OPTIONS('rows' = '3') */;
             SELECT * FROM v;
             SELECT * FROM v /*+ OPTIONS('rows' = '3') */;
             CREATE VIEW w AS SELECT a FROM t /*+ OPTIONS('colour' = 'red') */;
             SELECT * FROM w",
        ),
        expect![[r#"
            > CREATE VIEW v AS SELECT a FROM t /*+ OPTIONS('rows' = '3') */
            > SELECT * FROM v
            append-only: a INT
            > SELECT * FROM v /*+ OPTIONS('rows' = '3') */
            invalid: View '`default_catalog`.`default_database`.`v`' cannot be enriched with new options at line 1, column 15
            > CREATE VIEW w AS SELECT a FROM t /*+ OPTIONS('colour' = 'red') */
            > SELECT * FROM w
            invalid: table default_catalog.default_database.t has no option 'colour'; it has: changelog, connector, fields, rows, scan.parallelism, sink.parallelism
        "#]],
    );
}

#[test]
fn alter_view() {
    check(
        Shell::with_tables().dialog(
            "CREATE VIEW v COMMENT 'kept' AS SELECT a FROM t;
             ALTER VIEW v AS SELECT b FROM t;
             SELECT * FROM v;
             SHOW CREATE VIEW v;
             ALTER VIEW v RENAME TO w;
             SELECT * FROM w;
             SELECT * FROM v;
             ALTER VIEW w RENAME TO t;
             ALTER VIEW t RENAME TO x;
             ALTER VIEW nope RENAME TO x;
             ALTER TABLE w RENAME TO x;
             ALTER VIEW w AS SELECT nope FROM t",
        ),
        expect![[r#"
            > CREATE VIEW v COMMENT 'kept' AS SELECT a FROM t
            > ALTER VIEW v AS SELECT b FROM t
            > SELECT * FROM v
            append-only: b STRING
            > SHOW CREATE VIEW v
            CREATE VIEW `default_catalog`.`default_database`.`v` (
              `b`
            )
            COMMENT 'kept'
            AS SELECT b FROM t
            > ALTER VIEW v RENAME TO w
            > SELECT * FROM w
            append-only: b STRING
            > SELECT * FROM v
            invalid: Object 'v' not found at line 1, column 15
            > ALTER VIEW w RENAME TO t
            invalid: Table (or view) `default_catalog`.`default_database`.`t` already exists.
            > ALTER VIEW t RENAME TO x
            invalid: ALTER VIEW for a table is not allowed: `default_catalog`.`default_database`.`t`
            > ALTER VIEW nope RENAME TO x
            invalid: View `default_catalog`.`default_database`.`nope` doesn't exist.
            > ALTER TABLE w RENAME TO x
            invalid: ALTER TABLE for a view is not allowed: `default_catalog`.`default_database`.`w` at line 1, column 1
            > ALTER VIEW w AS SELECT nope FROM t
            invalid: Column 'nope' not found in any table at line 1, column 24
        "#]],
    );
}
