//! Wrong definitions of tables, and names that are taken or missing.

use expect_test::expect;

use crate::support::{Shell, check};

fn dialog(script: &str) -> String {
    Shell::with_tables().dialog(script)
}

#[test]
fn columns() {
    check(
        dialog(
            "CREATE TABLE x (a INT, a STRING) WITH ('connector' = 'rows');
             CREATE TABLE x (a INT, b AS nope + 1) WITH ('connector' = 'rows');
             CREATE TABLE x (a INT, b AS a + 1, c AS b + 1) WITH ('connector' = 'rows');
             CREATE TABLE x (a INT, b AS COUNT(a)) WITH ('connector' = 'rows');
             CREATE TABLE x (a INTERVAL DAY) WITH ('connector' = 'rows');
             CREATE TABLE x (a NOTYPE) WITH ('connector' = 'rows');
             CREATE TABLE x (a INT) WITH ('connector' = 'rows', 'connector' = 'other')",
        ),
        expect![[r#"
            > CREATE TABLE x (a INT, a STRING) WITH ('connector' = 'rows')
            invalid: A column named 'a' already exists in the table.
            > CREATE TABLE x (a INT, b AS nope + 1) WITH ('connector' = 'rows')
            invalid: Invalid expression for computed column 'b': Column 'nope' not found in any table at line 1, column 29
            > CREATE TABLE x (a INT, b AS a + 1, c AS b + 1) WITH ('connector' = 'rows')
            invalid: Invalid expression for computed column 'c': Column 'b' not found in any table at line 1, column 41
            > CREATE TABLE x (a INT, b AS COUNT(a)) WITH ('connector' = 'rows')
            invalid: Invalid expression for computed column 'b': the aggregate COUNT is not allowed here at line 1, column 29
            > CREATE TABLE x (a INTERVAL DAY) WITH ('connector' = 'rows')
            syntax: A column cannot have an INTERVAL type: store a number, or use intervals in expressions only at line 1, column 19
            > CREATE TABLE x (a NOTYPE) WITH ('connector' = 'rows')
            syntax: Unknown type `NOTYPE` at line 1, column 19
            > CREATE TABLE x (a INT) WITH ('connector' = 'rows', 'connector' = 'other')
        "#]],
    );
}

#[test]
fn keys() {
    check(
        dialog(
            "CREATE TABLE x (a INT, PRIMARY KEY (a)) WITH ('connector' = 'rows');
             CREATE TABLE x (a INT, PRIMARY KEY (b) NOT ENFORCED) WITH ('connector' = 'rows');
             CREATE TABLE x (a INT, PRIMARY KEY (a, a) NOT ENFORCED) WITH ('connector' = 'rows');
             CREATE TABLE x (a INT, b AS a + 1, PRIMARY KEY (b) NOT ENFORCED) WITH ('connector' = 'rows');
             CREATE TABLE x (a INT PRIMARY KEY NOT ENFORCED, b INT PRIMARY KEY NOT ENFORCED) WITH ('connector' = 'rows');
             CREATE TABLE x (a INT) PARTITIONED BY (b) WITH ('connector' = 'rows');
             CREATE TABLE x (a INT, b AS a + 1) PARTITIONED BY (b) WITH ('connector' = 'rows')",
        ),
        expect![[r#"
            > CREATE TABLE x (a INT, PRIMARY KEY (a)) WITH ('connector' = 'rows')
            syntax: A primary key is not enforced, and must be declared so: write PRIMARY KEY .. NOT ENFORCED at line 1, column 24
            > CREATE TABLE x (a INT, PRIMARY KEY (b) NOT ENFORCED) WITH ('connector' = 'rows')
            invalid: the primary key's column 'b' does not exist
            > CREATE TABLE x (a INT, PRIMARY KEY (a, a) NOT ENFORCED) WITH ('connector' = 'rows')
            syntax: The primary key names `a` twice at line 1, column 40
            > CREATE TABLE x (a INT, b AS a + 1, PRIMARY KEY (b) NOT ENFORCED) WITH ('connector' = 'rows')
            invalid: the primary key's column 'b' is not a physical column
            > CREATE TABLE x (a INT PRIMARY KEY NOT ENFORCED, b INT PRIMARY KEY NOT ENFORCED) WITH ('connector' = 'rows')
            syntax: A table has one primary key: list its columns in one PRIMARY KEY (..) at line 1, column 55
            > CREATE TABLE x (a INT) PARTITIONED BY (b) WITH ('connector' = 'rows')
            invalid: Partition column 'b' not defined in the table schema.
            > CREATE TABLE x (a INT, b AS a + 1) PARTITIONED BY (b) WITH ('connector' = 'rows')
            invalid: Partition column 'b' not defined in the table schema.
        "#]],
    );
}

#[test]
fn watermarks() {
    check(
        dialog(
            "CREATE TABLE x (a INT, WATERMARK FOR ts AS ts) WITH ('connector' = 'rows');
             CREATE TABLE x (ts STRING, WATERMARK FOR ts AS ts) WITH ('connector' = 'rows');
             CREATE TABLE x (ts TIMESTAMP(6), WATERMARK FOR ts AS ts) WITH ('connector' = 'rows');
             CREATE TABLE x (ts TIMESTAMP(3), WATERMARK FOR ts AS 'x') WITH ('connector' = 'rows');
             CREATE TABLE x (ts TIMESTAMP(3), WATERMARK FOR ts AS nope) WITH ('connector' = 'rows');
             CREATE TABLE x (ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '1' SECOND,
                             WATERMARK FOR ts AS ts) WITH ('connector' = 'rows')",
        ),
        expect![[r#"
            > CREATE TABLE x (a INT, WATERMARK FOR ts AS ts) WITH ('connector' = 'rows')
            invalid: The rowtime attribute field 'ts' is not defined in the table schema.
            > CREATE TABLE x (ts STRING, WATERMARK FOR ts AS ts) WITH ('connector' = 'rows')
            invalid: Invalid data type of time field for watermark definition: 'ts' is STRING; it must be TIMESTAMP(p) or TIMESTAMP_LTZ(p) with p from 0 to 3
            > CREATE TABLE x (ts TIMESTAMP(6), WATERMARK FOR ts AS ts) WITH ('connector' = 'rows')
            invalid: Invalid data type of time field for watermark definition: 'ts' is TIMESTAMP(6); it must be TIMESTAMP(p) or TIMESTAMP_LTZ(p) with p from 0 to 3
            > CREATE TABLE x (ts TIMESTAMP(3), WATERMARK FOR ts AS 'x') WITH ('connector' = 'rows')
            invalid: Invalid data type of expression for watermark definition: it is CHAR(1); it must be of the type of 'ts', TIMESTAMP(3)
            > CREATE TABLE x (ts TIMESTAMP(3), WATERMARK FOR ts AS nope) WITH ('connector' = 'rows')
            invalid: Invalid expression for watermark: Column 'nope' not found in any table at line 1, column 54
            > CREATE TABLE x (ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '1' SECOND,
                                         WATERMARK FOR ts AS ts) WITH ('connector' = 'rows')
            syntax: Multiple WATERMARK declarations are not supported at line 2, column 30
        "#]],
    );
}

#[test]
fn names_that_are_taken() {
    check(
        dialog(
            "CREATE TABLE t (a INT) WITH ('connector' = 'rows');
             CREATE TABLE IF NOT EXISTS t (a INT) WITH ('connector' = 'rows');
             CREATE VIEW t AS SELECT 1;
             CREATE DATABASE default_database;
             CREATE DATABASE IF NOT EXISTS default_database;
             CREATE CATALOG default_catalog WITH ('type' = 'generic_in_memory');
             CREATE CATALOG c;
             CREATE CATALOG c WITH ('type' = 'hive');
             CREATE CATALOG c WITH ('type' = 'generic_in_memory', 'colour' = 'red');
             CREATE TABLE nodb.x (a INT) WITH ('connector' = 'rows');
             CREATE TABLE nocat.nodb.x (a INT) WITH ('connector' = 'rows');
             CREATE TABLE a.b.c.d (a INT) WITH ('connector' = 'rows')",
        ),
        expect![[r#"
            > CREATE TABLE t (a INT) WITH ('connector' = 'rows')
            invalid: Table (or view) `default_catalog`.`default_database`.`t` already exists.
            > CREATE TABLE IF NOT EXISTS t (a INT) WITH ('connector' = 'rows')
            > CREATE VIEW t AS SELECT 1
            invalid: Table (or view) `default_catalog`.`default_database`.`t` already exists.
            > CREATE DATABASE default_database
            invalid: Database default_database already exists in catalog default_catalog.
            > CREATE DATABASE IF NOT EXISTS default_database
            > CREATE CATALOG default_catalog WITH ('type' = 'generic_in_memory')
            invalid: Catalog default_catalog already exists.
            > CREATE CATALOG c
            invalid: CREATE CATALOG needs WITH ('type' = ...); there is: 'generic_in_memory'
            > CREATE CATALOG c WITH ('type' = 'hive')
            unsupported: a catalog of type 'hive'; there is: 'generic_in_memory'
            > CREATE CATALOG c WITH ('type' = 'generic_in_memory', 'colour' = 'red')
            invalid: catalog c has no option 'colour'; it has: default-database, type
            > CREATE TABLE nodb.x (a INT) WITH ('connector' = 'rows')
            invalid: there is no database 'nodb' in catalog 'default_catalog'
            > CREATE TABLE nocat.nodb.x (a INT) WITH ('connector' = 'rows')
            invalid: there is no catalog 'nocat'
            > CREATE TABLE a.b.c.d (a INT) WITH ('connector' = 'rows')
            invalid: 'a.b.c.d' is not a name of one to three parts
        "#]],
    );
}

#[test]
fn drop() {
    let mut shell = Shell::with_tables();
    shell.run("CREATE VIEW v AS SELECT a FROM t; CREATE DATABASE stuffed; CREATE TABLE stuffed.x (a INT)");
    check(
        shell.dialog(
            "DROP TABLE nope;
             DROP TABLE IF EXISTS nope;
             DROP VIEW nope;
             DROP VIEW IF EXISTS nope;
             DROP TABLE v;
             DROP VIEW t;
             DROP TABLE IF EXISTS v;
             DROP TEMPORARY TABLE t;
             DROP DATABASE nope;
             DROP DATABASE IF EXISTS nope;
             DROP DATABASE default_database;
             DROP DATABASE stuffed;
             DROP DATABASE stuffed RESTRICT;
             DROP DATABASE stuffed CASCADE;
             DROP CATALOG nope;
             DROP CATALOG IF EXISTS nope;
             DROP CATALOG default_catalog;
             DROP FUNCTION nope;
             DROP FUNCTION IF EXISTS nope;
             SHOW TABLES",
        ),
        expect![[r#"
            > DROP TABLE nope
            invalid: Table with identifier '`default_catalog`.`default_database`.`nope`' does not exist.
            > DROP TABLE IF EXISTS nope
            > DROP VIEW nope
            invalid: View with identifier '`default_catalog`.`default_database`.`nope`' does not exist.
            > DROP VIEW IF EXISTS nope
            > DROP TABLE v
            invalid: Table with identifier '`default_catalog`.`default_database`.`v`' does not exist.
            > DROP VIEW t
            invalid: View with identifier '`default_catalog`.`default_database`.`t`' does not exist.
            > DROP TABLE IF EXISTS v
            > DROP TEMPORARY TABLE t
            invalid: Temporary Table with identifier '`default_catalog`.`default_database`.`t`' does not exist.
            > DROP DATABASE nope
            invalid: there is no database 'nope' in catalog 'default_catalog'
            > DROP DATABASE IF EXISTS nope
            > DROP DATABASE default_database
            invalid: Cannot drop a database which is currently in use.
            > DROP DATABASE stuffed
            invalid: Database stuffed in catalog default_catalog is not empty: drop its tables, views and functions, or add CASCADE
            > DROP DATABASE stuffed RESTRICT
            invalid: Database stuffed in catalog default_catalog is not empty: drop its tables, views and functions, or add CASCADE
            > DROP DATABASE stuffed CASCADE
            > DROP CATALOG nope
            invalid: there is no catalog 'nope'
            > DROP CATALOG IF EXISTS nope
            > DROP CATALOG default_catalog
            invalid: Cannot drop a catalog which is currently in use.
            > DROP FUNCTION nope
            invalid: Function default_database.nope does not exist in Catalog default_catalog.
            > DROP FUNCTION IF EXISTS nope
            > SHOW TABLES
            bid
            cdc
            log
            mirror
            t
            u
            ups
            v
        "#]],
    );
}

#[test]
fn use_show_and_describe_of_missing_objects() {
    check(
        dialog(
            "USE nope;
             USE CATALOG nope;
             USE nope.nope;
             DESCRIBE nope;
             DESCRIBE CATALOG nope;
             DESCRIBE DATABASE nope;
             SHOW CREATE TABLE nope;
             SHOW CREATE VIEW t;
             SHOW TABLES FROM nope;
             SHOW COLUMNS FROM nope;
             SHOW PARTITIONS t;
             SHOW PARTITIONS nope",
        ),
        expect![[r#"
            > USE nope
            invalid: there is no database 'nope' in catalog 'default_catalog'
            > USE CATALOG nope
            invalid: there is no catalog 'nope'
            > USE nope.nope
            invalid: there is no catalog 'nope'
            > DESCRIBE nope
            invalid: Tables or views with the identifier '`default_catalog`.`default_database`.`nope`' doesn't exist
            > DESCRIBE CATALOG nope
            invalid: there is no catalog 'nope'
            > DESCRIBE DATABASE nope
            invalid: there is no database 'nope' in catalog 'default_catalog'
            > SHOW CREATE TABLE nope
            invalid: Could not execute SHOW. Table with identifier `default_catalog`.`default_database`.`nope` does not exist.
            > SHOW CREATE VIEW t
            invalid: SHOW CREATE VIEW is only supported for views, but `default_catalog`.`default_database`.`t` is a table. Please use SHOW CREATE TABLE instead.
            > SHOW TABLES FROM nope
            invalid: there is no database 'nope' in catalog 'default_catalog'
            > SHOW COLUMNS FROM nope
            invalid: Tables or views with the identifier '`default_catalog`.`default_database`.`nope`' doesn't exist
            > SHOW PARTITIONS t
            invalid: Table default_database.t in catalog default_catalog is not partitioned.
            > SHOW PARTITIONS nope
            invalid: Could not execute SHOW. Table with identifier `default_catalog`.`default_database`.`nope` does not exist.
        "#]],
    );
}
