//! INSERT: columns, types, partitions.

use expect_test::expect;

use crate::support::{Shell, check};

fn shell() -> Shell {
    let mut shell = Shell::with_tables();
    let tables = "
        CREATE TABLE strict (k INT NOT NULL, s STRING NOT NULL, n BIGINT) WITH ('connector' = 'rows');
        CREATE TABLE parts (a INT, region STRING, slot INT) PARTITIONED BY (region, slot) WITH ('connector' = 'rows');
        CREATE TABLE made (a INT, b AS a + 1, o BIGINT METADATA FROM 'offset',
                           seen TIMESTAMP_LTZ(3) METADATA FROM 'timestamp' VIRTUAL) WITH ('connector' = 'rows');
        CREATE VIEW v AS SELECT a FROM t;
        CREATE TABLE unwritable (a INT) WITH ('connector' = 'nothing');
        CREATE TABLE no_connector (a INT)";
    assert_eq!(shell.run(tables), "");
    shell
}

#[test]
fn what_is_right() {
    check(
        shell().dialog(
            "INSERT INTO log SELECT a, c FROM t;
             INSERT INTO log (n) SELECT c FROM t;
             INSERT INTO log (n, a) VALUES (1, 2), (3, NULL);
             INSERT INTO default_database.log SELECT a, a FROM t;
             INSERT INTO log SELECT CAST(1 AS TINYINT), a FROM t;
             INSERT INTO parts PARTITION (region = '2024-01-01', slot = 3) SELECT a FROM t;
             INSERT INTO parts PARTITION (region = '2024-01-01') SELECT a, a FROM t;
             INSERT INTO made SELECT a, c FROM t;
             INSERT INTO made (o, a) SELECT c, a FROM t;
             INSERT INTO strict SELECT 1, 'x', CAST(NULL AS BIGINT)",
        ),
        expect![[r#"
            > INSERT INTO log SELECT a, c FROM t
            INSERT INTO default_catalog.default_database.log
            > INSERT INTO log (n) SELECT c FROM t
            INSERT INTO default_catalog.default_database.log
            > INSERT INTO log (n, a) VALUES (1, 2), (3, NULL)
            invalid: Illegal use of 'NULL': write CAST(NULL AS <type>) to say of which type it is at line 1, column 43
            > INSERT INTO default_database.log SELECT a, a FROM t
            INSERT INTO default_catalog.default_database.log
            > INSERT INTO log SELECT CAST(1 AS TINYINT), a FROM t
            INSERT INTO default_catalog.default_database.log
            > INSERT INTO parts PARTITION (region = '2024-01-01', slot = 3) SELECT a FROM t
            INSERT INTO default_catalog.default_database.parts
            > INSERT INTO parts PARTITION (region = '2024-01-01') SELECT a, a FROM t
            INSERT INTO default_catalog.default_database.parts
            > INSERT INTO made SELECT a, c FROM t
            INSERT INTO default_catalog.default_database.made
            > INSERT INTO made (o, a) SELECT c, a FROM t
            INSERT INTO default_catalog.default_database.made
            > INSERT INTO strict SELECT 1, 'x', CAST(NULL AS BIGINT)
            INSERT INTO default_catalog.default_database.strict
        "#]],
    );
}

#[test]
fn columns() {
    check(
        shell().dialog(
            "INSERT INTO log SELECT a FROM t;
             INSERT INTO log SELECT a, c, d FROM t;
             INSERT INTO log (a) SELECT a, c FROM t;
             INSERT INTO log (a, nope) SELECT a, c FROM t;
             INSERT INTO log (a, a) SELECT a, c FROM t;
             INSERT INTO strict (k) SELECT 1;
             INSERT INTO made (a, b) SELECT 1, 2;
             INSERT INTO made (seen) SELECT CURRENT_TIMESTAMP",
        ),
        expect![[r#"
            > INSERT INTO log SELECT a FROM t
            invalid: Column types of query result and sink for '`default_catalog`.`default_database`.`log`' do not match. Cause: Different number of columns.

            Query schema: [a: INT]
            Sink schema:  [a: INT, n: BIGINT]
            > INSERT INTO log SELECT a, c, d FROM t
            invalid: Column types of query result and sink for '`default_catalog`.`default_database`.`log`' do not match. Cause: Different number of columns.

            Query schema: [a: INT, c: BIGINT, d: DOUBLE]
            Sink schema:  [a: INT, n: BIGINT]
            > INSERT INTO log (a) SELECT a, c FROM t
            invalid: Column types of query result and sink for '`default_catalog`.`default_database`.`log`' do not match. Cause: Different number of columns.

            Query schema: [a: INT, c: BIGINT]
            Sink schema:  [a: INT, n: BIGINT]
            > INSERT INTO log (a, nope) SELECT a, c FROM t
            invalid: INSERT at line 1, column 1: table `default_catalog`.`default_database`.`log` has no column 'nope'
            > INSERT INTO log (a, a) SELECT a, c FROM t
            invalid: INSERT at line 1, column 1: column 'a' is listed twice
            > INSERT INTO strict (k) SELECT 1
            invalid: INSERT at line 1, column 1: column 's' is NOT NULL and is not listed
            > INSERT INTO made (a, b) SELECT 1, 2
            invalid: INSERT at line 1, column 1: table `default_catalog`.`default_database`.`made` has no column 'b'
            > INSERT INTO made (seen) SELECT CURRENT_TIMESTAMP
            invalid: INSERT at line 1, column 1: table `default_catalog`.`default_database`.`made` has no column 'seen'
        "#]],
    );
}

#[test]
fn types() {
    check(
        shell().dialog(
            "INSERT INTO log SELECT b, c FROM t;
             INSERT INTO log SELECT c, a FROM t;
             INSERT INTO log SELECT a, d FROM t;
             INSERT INTO log SELECT a, DATE '2024-01-01' FROM t;
             INSERT INTO log VALUES ('x', 1);
             INSERT INTO log VALUES (TRUE, 1)",
        ),
        expect![[r#"
            > INSERT INTO log SELECT b, c FROM t
            invalid: Incompatible types for sink column 'a': the query gives STRING, the column is INT. Write CAST(... AS INT)
            > INSERT INTO log SELECT c, a FROM t
            invalid: Incompatible types for sink column 'a': the query gives BIGINT, the column is INT. Write CAST(... AS INT)
            > INSERT INTO log SELECT a, d FROM t
            invalid: Incompatible types for sink column 'n': the query gives DOUBLE, the column is BIGINT. Write CAST(... AS BIGINT)
            > INSERT INTO log SELECT a, DATE '2024-01-01' FROM t
            invalid: Incompatible types for sink column 'n': the query gives DATE, the column is BIGINT. Write CAST(... AS BIGINT)
            > INSERT INTO log VALUES ('x', 1)
            invalid: Incompatible types for sink column 'a': the query gives CHAR(1), the column is INT. Write CAST(... AS INT)
            > INSERT INTO log VALUES (TRUE, 1)
            invalid: Incompatible types for sink column 'a': the query gives BOOLEAN, the column is INT. Write CAST(... AS INT)
        "#]],
    );
}

#[test]
fn targets() {
    check(
        shell().dialog(
            "INSERT INTO nope SELECT a FROM t;
             INSERT INTO v SELECT a FROM t;
             INSERT INTO unwritable SELECT a FROM t;
             INSERT INTO no_connector SELECT a FROM t;
             INSERT OVERWRITE log SELECT a, c FROM t;
             INSERT INTO log /*+ OPTIONS('colour' = 'red') */ SELECT a, c FROM t;
             INSERT INTO log /*+ OPTIONS('sink.parallelism' = 'x') */ SELECT a, c FROM t;
             EXECUTE STATEMENT SET BEGIN INSERT INTO log SELECT a, c FROM t; INSERT INTO nope SELECT 1; END",
        ),
        expect![[r#"
            > INSERT INTO nope SELECT a FROM t
            invalid: Object 'nope' not found at line 1, column 13
            > INSERT INTO v SELECT a FROM t
            unsupported: INSERT into the view `default_catalog`.`default_database`.`v` is not supported at line 1, column 13
            > INSERT INTO unwritable SELECT a FROM t
            invalid: connector 'nothing' cannot be written to (table default_catalog.default_database.unwritable)
            > INSERT INTO no_connector SELECT a FROM t
            invalid: table `default_catalog`.`default_database`.`no_connector` has no option 'connector'; it cannot be read or written: WITH ('connector' = '...')
            > INSERT OVERWRITE log SELECT a, c FROM t
            invalid: Streaming mode not support overwrite: INSERT OVERWRITE at line 1, column 1
            > INSERT INTO log /*+ OPTIONS('colour' = 'red') */ SELECT a, c FROM t
            invalid: table default_catalog.default_database.log has no option 'colour'; it has: changelog, connector, fields, rows, scan.parallelism, sink.parallelism
            > INSERT INTO log /*+ OPTIONS('sink.parallelism' = 'x') */ SELECT a, c FROM t
            invalid: table default_catalog.default_database.log: option 'sink.parallelism' is 'x'; expected a number above 0
            > EXECUTE STATEMENT SET BEGIN INSERT INTO log SELECT a, c FROM t; INSERT INTO nope SELECT 1; END
            invalid: Object 'nope' not found at line 1, column 77
        "#]],
    );
}

#[test]
fn partitions() {
    check(
        shell().dialog(
            "INSERT INTO parts PARTITION (a = 1) SELECT 'x', 2;
             INSERT INTO parts PARTITION (nope = 1) SELECT 1, 2;
             INSERT INTO parts PARTITION (slot = 'x') SELECT 1, 'd';
             INSERT INTO parts PARTITION (region = '2024-01-01', slot = 3) SELECT 1, 2;
             INSERT INTO parts PARTITION (region = UPPER('x')) SELECT 1, 2",
        ),
        expect![[r#"
            > INSERT INTO parts PARTITION (a = 1) SELECT 'x', 2
            invalid: 'a' is not a partition column of the table
            > INSERT INTO parts PARTITION (nope = 1) SELECT 1, 2
            invalid: 'nope' is not a partition column of the table
            > INSERT INTO parts PARTITION (slot = 'x') SELECT 1, 'd'
            invalid: Incompatible types for sink column 'slot': the query gives CHAR(1), the column is INT. Write CAST(... AS INT)
            > INSERT INTO parts PARTITION (region = '2024-01-01', slot = 3) SELECT 1, 2
            invalid: Column types of query result and sink for '`default_catalog`.`default_database`.`parts`' do not match. Cause: Different number of columns.

            Query schema: [EXPR$0: INT NOT NULL, EXPR$1: INT NOT NULL]
            Sink schema:  [a: INT, region: STRING, slot: INT]
            > INSERT INTO parts PARTITION (region = UPPER('x')) SELECT 1, 2
            invalid: PARTITION (region = ...) takes a constant
        "#]],
    );
}
