//! Catalogs, databases, and objects that are temporary.

use expect_test::expect;

use crate::support::{Shell, check};

#[test]
fn databases() {
    check(
        Shell::new().dialog(
            "SHOW DATABASES;
             SHOW CURRENT DATABASE;
             CREATE DATABASE sales COMMENT 'what is sold' WITH ('k' = 'v');
             SHOW DATABASES;
             USE sales;
             SHOW CURRENT DATABASE;
             CREATE TABLE x (a INT);
             SHOW TABLES;
             USE default_database;
             SHOW TABLES;
             SHOW TABLES FROM sales;
             SHOW TABLES IN default_catalog.sales;
             DESCRIBE DATABASE sales;
             ALTER DATABASE sales SET ('k' = 'w');
             DROP DATABASE sales CASCADE;
             SHOW DATABASES",
        ),
        expect![[r#"
            > SHOW DATABASES
            default_database
            > SHOW CURRENT DATABASE
            default_database
            > CREATE DATABASE sales COMMENT 'what is sold' WITH ('k' = 'v')
            > SHOW DATABASES
            default_database
            sales
            > USE sales
            > SHOW CURRENT DATABASE
            sales
            > CREATE TABLE x (a INT)
            > SHOW TABLES
            x
            > USE default_database
            > SHOW TABLES
            > SHOW TABLES FROM sales
            x
            > SHOW TABLES IN default_catalog.sales
            x
            > DESCRIBE DATABASE sales
            name | sales
            comment | what is sold
            > ALTER DATABASE sales SET ('k' = 'w')
            > DROP DATABASE sales CASCADE
            > SHOW DATABASES
            default_database
        "#]],
    );
}

#[test]
fn catalogs() {
    check(
        Shell::new().dialog(
            "SHOW CURRENT CATALOG;
             CREATE CATALOG lake COMMENT 'other' WITH ('type' = 'generic_in_memory', 'default-database' = 'main');
             SHOW CATALOGS;
             USE CATALOG lake;
             SHOW CURRENT CATALOG;
             SHOW CURRENT DATABASE;
             SHOW DATABASES;
             SHOW DATABASES FROM default_catalog;
             DESCRIBE CATALOG lake;
             DESCRIBE CATALOG EXTENDED lake;
             ALTER CATALOG lake SET ('k' = 'v');
             SHOW CREATE CATALOG lake;
             ALTER CATALOG lake RESET ('k');
             ALTER CATALOG lake COMMENT 'new';
             DESCRIBE CATALOG lake;
             DROP CATALOG lake;
             USE default_catalog.default_database;
             DROP CATALOG lake;
             SHOW CATALOGS",
        ),
        expect![[r#"
            > SHOW CURRENT CATALOG
            default_catalog
            > CREATE CATALOG lake COMMENT 'other' WITH ('type' = 'generic_in_memory', 'default-database' = 'main')
            > SHOW CATALOGS
            default_catalog
            lake
            > USE CATALOG lake
            > SHOW CURRENT CATALOG
            lake
            > SHOW CURRENT DATABASE
            main
            > SHOW DATABASES
            main
            > SHOW DATABASES FROM default_catalog
            default_database
            > DESCRIBE CATALOG lake
            name | lake
            type | generic_in_memory
            comment | other
            > DESCRIBE CATALOG EXTENDED lake
            name | lake
            type | generic_in_memory
            comment | other
            option:default-database | main
            > ALTER CATALOG lake SET ('k' = 'v')
            > SHOW CREATE CATALOG lake
            CREATE CATALOG `lake`
            COMMENT 'other'
            WITH (
              'default-database' = 'main',
              'k' = 'v',
              'type' = 'generic_in_memory'
            )
            > ALTER CATALOG lake RESET ('k')
            > ALTER CATALOG lake COMMENT 'new'
            > DESCRIBE CATALOG lake
            name | lake
            type | generic_in_memory
            comment | new
            > DROP CATALOG lake
            invalid: Cannot drop a catalog which is currently in use.
            > USE default_catalog.default_database
            > DROP CATALOG lake
            > SHOW CATALOGS
            default_catalog
        "#]],
    );
}

#[test]
fn names_of_one_two_and_three_parts() {
    let mut shell = Shell::new();
    check(
        shell.dialog(
            "CREATE DATABASE d;
             CREATE TABLE d.x (a INT) WITH ('connector' = 'rows');
             SELECT a FROM d.x;
             SELECT x.a FROM d.x;
             SELECT a FROM default_catalog.d.x;
             SELECT a FROM x;
             USE d;
             SELECT a FROM x;
             SELECT a FROM default_database.x;
             CREATE TABLE `strange name` (`a b` INT, `c``d` INT) WITH ('connector' = 'rows');
             SELECT `a b`, `c``d` FROM `strange name`",
        ),
        expect![[r#"
            > CREATE DATABASE d
            > CREATE TABLE d.x (a INT) WITH ('connector' = 'rows')
            > SELECT a FROM d.x
            append-only: a INT
            > SELECT x.a FROM d.x
            append-only: a INT
            > SELECT a FROM default_catalog.d.x
            append-only: a INT
            > SELECT a FROM x
            invalid: Object 'x' not found at line 1, column 15
            > USE d
            > SELECT a FROM x
            append-only: a INT
            > SELECT a FROM default_database.x
            invalid: Object 'default_database.x' not found at line 1, column 15
            > CREATE TABLE `strange name` (`a b` INT, `c``d` INT) WITH ('connector' = 'rows')
            > SELECT `a b`, `c``d` FROM `strange name`
            append-only: a b INT, c`d INT
        "#]],
    );
}

#[test]
fn names_keep_their_case() {
    check(
        Shell::new().dialog(
            "CREATE TABLE X (A INT) WITH ('connector' = 'rows');
             SELECT A FROM X;
             SELECT a FROM X;
             SELECT A FROM x",
        ),
        expect![[r#"
            > CREATE TABLE X (A INT) WITH ('connector' = 'rows')
            > SELECT A FROM X
            append-only: A INT
            > SELECT a FROM X
            invalid: Column 'a' not found in any table; did you mean 'A'? at line 1, column 8
            > SELECT A FROM x
            invalid: Object 'x' not found at line 1, column 15
        "#]],
    );
}

#[test]
fn temporary_objects_hide_permanent_ones() {
    check(
        Shell::new().dialog(
            "CREATE TABLE x (a INT) WITH ('connector' = 'rows');
             CREATE TEMPORARY TABLE x (a STRING) WITH ('connector' = 'rows');
             SHOW TABLES;
             SELECT * FROM x;
             DROP TABLE x;
             CREATE TEMPORARY TABLE x (a STRING) WITH ('connector' = 'rows');
             CREATE TEMPORARY TABLE IF NOT EXISTS x (a STRING) WITH ('connector' = 'rows');
             DROP TEMPORARY TABLE x;
             SELECT * FROM x;
             DROP TEMPORARY TABLE x;
             CREATE TEMPORARY VIEW x AS SELECT 1.5 AS a;
             SELECT * FROM x;
             DROP TEMPORARY VIEW x;
             DROP TABLE x;
             SHOW TABLES",
        ),
        expect![[r#"
            > CREATE TABLE x (a INT) WITH ('connector' = 'rows')
            > CREATE TEMPORARY TABLE x (a STRING) WITH ('connector' = 'rows')
            > SHOW TABLES
            x
            > SELECT * FROM x
            append-only: a STRING
            > DROP TABLE x
            invalid: Temporary table with identifier '`default_catalog`.`default_database`.`x`' exists. Drop it first before removing the permanent table.
            > CREATE TEMPORARY TABLE x (a STRING) WITH ('connector' = 'rows')
            invalid: Table (or view) `default_catalog`.`default_database`.`x` already exists.
            > CREATE TEMPORARY TABLE IF NOT EXISTS x (a STRING) WITH ('connector' = 'rows')
            > DROP TEMPORARY TABLE x
            > SELECT * FROM x
            append-only: a INT
            > DROP TEMPORARY TABLE x
            invalid: Temporary Table with identifier '`default_catalog`.`default_database`.`x`' does not exist.
            > CREATE TEMPORARY VIEW x AS SELECT 1.5 AS a
            > SELECT * FROM x
            append-only: a DECIMAL(2, 1) NOT NULL
            > DROP TEMPORARY VIEW x
            > DROP TABLE x
            > SHOW TABLES
        "#]],
    );
}

#[test]
fn functions_modules_and_jars() {
    check(
        Shell::new().dialog(
            "SHOW MODULES;
             SHOW JARS;
             SHOW USER FUNCTIONS;
             SHOW FUNCTIONS LIKE 'upper%'",
        ),
        expect![[r#"
            > SHOW MODULES
            core
            > SHOW JARS
            > SHOW USER FUNCTIONS
            > SHOW FUNCTIONS LIKE 'upper%'
            upper
        "#]],
    );
}
