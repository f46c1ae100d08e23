//! ALTER TABLE.

use expect_test::expect;

use crate::support::{Shell, check};

fn shell() -> Shell {
    let mut shell = Shell::new();
    let table = "
        CREATE TABLE x (id INT, name STRING COMMENT 'of the thing', ts TIMESTAMP(3), twice AS id * 2, region STRING,
                        WATERMARK FOR ts AS ts, CONSTRAINT pk PRIMARY KEY (id) NOT ENFORCED)
        PARTITIONED BY (region) WITH ('connector' = 'rows', 'rows' = '3');
        CREATE TABLE bare (a INT) WITH ('connector' = 'rows');
        CREATE VIEW v AS SELECT 1 AS a";
    assert_eq!(shell.run(table), "");
    shell
}

fn after(statements: &str) -> String {
    let mut shell = shell();
    shell.run(statements) + &shell.run("SHOW CREATE TABLE x")
}

#[test]
fn rename() {
    check(
        shell().dialog(
            "ALTER TABLE bare RENAME TO naked;
             SHOW TABLES;
             ALTER TABLE naked RENAME TO x;
             ALTER TABLE naked RENAME TO v;
             ALTER TABLE nope RENAME TO y;
             ALTER TABLE IF EXISTS nope RENAME TO y;
             ALTER TABLE v RENAME TO y",
        ),
        expect![[r#"
            > ALTER TABLE bare RENAME TO naked
            > SHOW TABLES
            naked
            v
            x
            > ALTER TABLE naked RENAME TO x
            invalid: Table (or view) `default_catalog`.`default_database`.`x` already exists.
            > ALTER TABLE naked RENAME TO v
            invalid: Table (or view) `default_catalog`.`default_database`.`v` already exists.
            > ALTER TABLE nope RENAME TO y
            invalid: Table `default_catalog`.`default_database`.`nope` doesn't exist or is a temporary table, at line 1, column 1
            > ALTER TABLE IF EXISTS nope RENAME TO y
            > ALTER TABLE v RENAME TO y
            invalid: ALTER TABLE for a view is not allowed: `default_catalog`.`default_database`.`v` at line 1, column 1
        "#]],
    );
}

#[test]
fn options() {
    check(
        after("ALTER TABLE x SET ('rows' = '4', 'changelog' = 'retract'); ALTER TABLE x RESET ('rows')"),
        expect![[r#"
            CREATE TABLE `default_catalog`.`default_database`.`x` (
              `id` INT NOT NULL,
              `name` VARCHAR(2147483647) COMMENT 'of the thing',
              `ts` TIMESTAMP(3),
              `twice` AS `id` * 2,
              `region` VARCHAR(2147483647),
              WATERMARK FOR `ts` AS `ts`,
              CONSTRAINT `pk` PRIMARY KEY (`id`) NOT ENFORCED
            )
            PARTITIONED BY (`region`)
            WITH (
              'changelog' = 'retract',
              'connector' = 'rows'
            )
        "#]],
    );
    check(
        shell().dialog(
            "ALTER TABLE x RESET ('connector');
             ALTER TABLE x RESET ();
             ALTER TABLE nope SET ('a' = 'b');
             ALTER TABLE v SET ('a' = 'b')",
        ),
        expect![[r#"
            > ALTER TABLE x RESET ('connector')
            invalid: Failed to execute ALTER TABLE at line 1, column 1: ALTER TABLE RESET does not support changing 'connector'.
            > ALTER TABLE x RESET ()
            syntax: Encountered `)`, expected a string in single quotes at line 1, column 22
            > ALTER TABLE nope SET ('a' = 'b')
            invalid: Table `default_catalog`.`default_database`.`nope` doesn't exist or is a temporary table, at line 1, column 1
            > ALTER TABLE v SET ('a' = 'b')
            invalid: ALTER TABLE for a view is not allowed: `default_catalog`.`default_database`.`v` at line 1, column 1
        "#]],
    );
}

#[test]
fn add() {
    check(
        after(
            "ALTER TABLE x ADD (head INT FIRST, behind BIGINT NOT NULL COMMENT 'b' AFTER id, tail AS UPPER(name))",
        ),
        expect![[r#"
            CREATE TABLE `default_catalog`.`default_database`.`x` (
              `head` INT,
              `id` INT NOT NULL,
              `behind` BIGINT NOT NULL COMMENT 'b',
              `name` VARCHAR(2147483647) COMMENT 'of the thing',
              `ts` TIMESTAMP(3),
              `twice` AS `id` * 2,
              `region` VARCHAR(2147483647),
              `tail` AS UPPER(`name`),
              WATERMARK FOR `ts` AS `ts`,
              CONSTRAINT `pk` PRIMARY KEY (`id`) NOT ENFORCED
            )
            PARTITIONED BY (`region`)
            WITH (
              'connector' = 'rows',
              'rows' = '3'
            )
        "#]],
    );
    check(
        shell().dialog(
            "ALTER TABLE x ADD name INT;
             ALTER TABLE x ADD c INT AFTER nope;
             ALTER TABLE x ADD c AS nope + 1;
             ALTER TABLE x ADD WATERMARK FOR ts AS ts;
             ALTER TABLE x ADD PRIMARY KEY (name) NOT ENFORCED;
             ALTER TABLE bare ADD PRIMARY KEY (nope) NOT ENFORCED;
             ALTER TABLE bare ADD (ts TIMESTAMP(3), PRIMARY KEY (a) NOT ENFORCED, WATERMARK FOR ts AS ts - INTERVAL '1' SECOND);
             DESCRIBE bare",
        ),
        expect![[r#"
            > ALTER TABLE x ADD name INT
            invalid: Failed to execute ALTER TABLE at line 1, column 1: Try to add a column 'name' which already exists in the table.
            > ALTER TABLE x ADD c INT AFTER nope
            invalid: Failed to execute ALTER TABLE at line 1, column 1: Referenced column 'nope' by 'AFTER' does not exist in the table.
            > ALTER TABLE x ADD c AS nope + 1
            invalid: Invalid expression for computed column 'c': Column 'nope' not found in any table at line 1, column 1
            > ALTER TABLE x ADD WATERMARK FOR ts AS ts
            invalid: Failed to execute ALTER TABLE at line 1, column 1: The base table has already defined the watermark strategy. Use ALTER TABLE MODIFY.
            > ALTER TABLE x ADD PRIMARY KEY (name) NOT ENFORCED
            invalid: Failed to execute ALTER TABLE at line 1, column 1: The base table has already defined the primary key. Use ALTER TABLE MODIFY.
            > ALTER TABLE bare ADD PRIMARY KEY (nope) NOT ENFORCED
            invalid: the primary key's column 'nope' does not exist
            > ALTER TABLE bare ADD (ts TIMESTAMP(3), PRIMARY KEY (a) NOT ENFORCED, WATERMARK FOR ts AS ts - INTERVAL '1' SECOND)
            > DESCRIBE bare
            a | INT | FALSE | PRI(a) | - | -
            ts | TIMESTAMP(3) *ROWTIME* | TRUE | - | - | `ts` - INTERVAL '1' SECOND
        "#]],
    );
}

#[test]
fn modify() {
    check(
        after(
            "ALTER TABLE x MODIFY (name STRING NOT NULL AFTER ts, WATERMARK FOR ts AS ts - INTERVAL '1' SECOND)",
        ),
        expect![[r#"
            CREATE TABLE `default_catalog`.`default_database`.`x` (
              `id` INT NOT NULL,
              `ts` TIMESTAMP(3),
              `name` VARCHAR(2147483647) NOT NULL COMMENT 'of the thing',
              `twice` AS `id` * 2,
              `region` VARCHAR(2147483647),
              WATERMARK FOR `ts` AS `ts` - INTERVAL '1' SECOND,
              CONSTRAINT `pk` PRIMARY KEY (`id`) NOT ENFORCED
            )
            PARTITIONED BY (`region`)
            WITH (
              'connector' = 'rows',
              'rows' = '3'
            )
        "#]],
    );
    check(
        shell().dialog(
            "ALTER TABLE x MODIFY nope INT;
             ALTER TABLE x MODIFY ts STRING;
             ALTER TABLE x MODIFY name INT AFTER nope;
             ALTER TABLE bare MODIFY WATERMARK FOR a AS a;
             ALTER TABLE bare MODIFY PRIMARY KEY (a) NOT ENFORCED;
             ALTER TABLE x MODIFY twice INT;
             DESCRIBE x",
        ),
        expect![[r#"
            > ALTER TABLE x MODIFY nope INT
            invalid: Failed to execute ALTER TABLE at line 1, column 1: Try to modify a column 'nope' which does not exist in the table.
            > ALTER TABLE x MODIFY ts STRING
            invalid: Invalid data type of time field for watermark definition: 'ts' is STRING; it must be TIMESTAMP(p) or TIMESTAMP_LTZ(p) with p from 0 to 3
            > ALTER TABLE x MODIFY name INT AFTER nope
            invalid: Failed to execute ALTER TABLE at line 1, column 1: Referenced column 'nope' by 'AFTER' does not exist in the table.
            > ALTER TABLE bare MODIFY WATERMARK FOR a AS a
            invalid: Failed to execute ALTER TABLE at line 1, column 1: The base table does not define any watermark. Use ALTER TABLE ADD.
            > ALTER TABLE bare MODIFY PRIMARY KEY (a) NOT ENFORCED
            invalid: Failed to execute ALTER TABLE at line 1, column 1: The base table does not define any primary key. Use ALTER TABLE ADD.
            > ALTER TABLE x MODIFY twice INT
            > DESCRIBE x
            id | INT | FALSE | PRI(id) | - | - | -
            name | STRING | TRUE | - | - | - | of the thing
            ts | TIMESTAMP(3) *ROWTIME* | TRUE | - | - | `ts` | -
            twice | INT | TRUE | - | - | - | -
            region | STRING | TRUE | - | - | - | -
        "#]],
    );
}

#[test]
fn rename_columns() {
    check(
        after("ALTER TABLE x RENAME name TO title; ALTER TABLE x RENAME region TO d"),
        expect![[r#"
            CREATE TABLE `default_catalog`.`default_database`.`x` (
              `id` INT NOT NULL,
              `title` VARCHAR(2147483647) COMMENT 'of the thing',
              `ts` TIMESTAMP(3),
              `twice` AS `id` * 2,
              `d` VARCHAR(2147483647),
              WATERMARK FOR `ts` AS `ts`,
              CONSTRAINT `pk` PRIMARY KEY (`id`) NOT ENFORCED
            )
            PARTITIONED BY (`d`)
            WITH (
              'connector' = 'rows',
              'rows' = '3'
            )
        "#]],
    );
    check(
        shell().dialog(
            "ALTER TABLE x RENAME nope TO y;
             ALTER TABLE x RENAME name TO region;
             ALTER TABLE x RENAME id TO k;
             ALTER TABLE x RENAME ts TO seen;
             ALTER TABLE bare RENAME a TO b;
             DESCRIBE bare",
        ),
        expect![[r#"
            > ALTER TABLE x RENAME nope TO y
            invalid: Failed to execute ALTER TABLE at line 1, column 1: The column 'nope' does not exist in the base table.
            > ALTER TABLE x RENAME name TO region
            invalid: Failed to execute ALTER TABLE at line 1, column 1: The column 'region' already existed in table schema.
            > ALTER TABLE x RENAME id TO k
            invalid: Invalid expression for computed column 'twice': Column 'id' not found in any table at line 1, column 1
            > ALTER TABLE x RENAME ts TO seen
            invalid: Failed to execute ALTER TABLE at line 1, column 1: The column 'ts' is referenced by the watermark.
            > ALTER TABLE bare RENAME a TO b
            > DESCRIBE bare
            b | INT | TRUE | - | - | -
        "#]],
    );
}

#[test]
fn drop() {
    check(
        after("ALTER TABLE x DROP WATERMARK; ALTER TABLE x DROP PRIMARY KEY; ALTER TABLE x DROP (ts, name)"),
        expect![[r#"
            CREATE TABLE `default_catalog`.`default_database`.`x` (
              `id` INT NOT NULL,
              `twice` AS `id` * 2,
              `region` VARCHAR(2147483647)
            )
            PARTITIONED BY (`region`)
            WITH (
              'connector' = 'rows',
              'rows' = '3'
            )
        "#]],
    );
    check(
        after("ALTER TABLE x DROP CONSTRAINT pk; ALTER TABLE x DROP twice; ALTER TABLE x DROP id"),
        expect![[r#"
            CREATE TABLE `default_catalog`.`default_database`.`x` (
              `name` VARCHAR(2147483647) COMMENT 'of the thing',
              `ts` TIMESTAMP(3),
              `region` VARCHAR(2147483647),
              WATERMARK FOR `ts` AS `ts`
            )
            PARTITIONED BY (`region`)
            WITH (
              'connector' = 'rows',
              'rows' = '3'
            )
        "#]],
    );
    check(
        shell().dialog(
            "ALTER TABLE x DROP nope;
             ALTER TABLE x DROP id;
             ALTER TABLE x DROP ts;
             ALTER TABLE x DROP region;
             ALTER TABLE x DROP CONSTRAINT other;
             ALTER TABLE bare DROP a;
             ALTER TABLE bare DROP WATERMARK;
             ALTER TABLE bare DROP PRIMARY KEY;
             ALTER TABLE bare DROP CONSTRAINT pk;
             ALTER TABLE bare DROP DISTRIBUTION",
        ),
        expect![[r#"
            > ALTER TABLE x DROP nope
            invalid: Failed to execute ALTER TABLE at line 1, column 1: The column 'nope' does not exist in the base table.
            > ALTER TABLE x DROP id
            invalid: Failed to execute ALTER TABLE at line 1, column 1: The column 'id' is referenced by the primary key.
            > ALTER TABLE x DROP ts
            invalid: Failed to execute ALTER TABLE at line 1, column 1: The column 'ts' is referenced by the watermark.
            > ALTER TABLE x DROP region
            invalid: Failed to execute ALTER TABLE at line 1, column 1: The column 'region' is referenced by the partition keys.
            > ALTER TABLE x DROP CONSTRAINT other
            invalid: Failed to execute ALTER TABLE at line 1, column 1: The base table does not define a constraint named 'other'.
            > ALTER TABLE bare DROP a
            invalid: Failed to execute ALTER TABLE at line 1, column 1: a table keeps at least one column
            > ALTER TABLE bare DROP WATERMARK
            invalid: Failed to execute ALTER TABLE at line 1, column 1: The base table does not define any watermark strategy.
            > ALTER TABLE bare DROP PRIMARY KEY
            invalid: Failed to execute ALTER TABLE at line 1, column 1: The base table does not define any primary key.
            > ALTER TABLE bare DROP CONSTRAINT pk
            invalid: Failed to execute ALTER TABLE at line 1, column 1: The base table does not define a constraint named 'pk'.
            > ALTER TABLE bare DROP DISTRIBUTION
            invalid: Failed to execute ALTER TABLE at line 1, column 1: The base table does not define any distribution.
        "#]],
    );
}

#[test]
fn a_change_that_fails_changes_nothing() {
    let mut shell = shell();
    let before = shell.run("SHOW CREATE TABLE x");
    let failed = shell.run("ALTER TABLE x ADD (fine INT, bad AS nope + 1); ALTER TABLE x DROP (name, nope)");
    assert_eq!(failed.lines().count(), 2, "{failed}");
    assert_eq!(shell.run("SHOW CREATE TABLE x"), before);
}

#[test]
fn what_is_temporary_stays_temporary() {
    check(
        shell().dialog(
            "CREATE TEMPORARY TABLE temp (a INT) WITH ('connector' = 'rows');
             ALTER TABLE temp ADD b INT;
             ALTER TABLE temp RENAME TO other;
             SHOW CREATE TABLE other;
             DROP TEMPORARY TABLE other",
        ),
        expect![[r#"
            > CREATE TEMPORARY TABLE temp (a INT) WITH ('connector' = 'rows')
            > ALTER TABLE temp ADD b INT
            > ALTER TABLE temp RENAME TO other
            > SHOW CREATE TABLE other
            CREATE TEMPORARY TABLE `default_catalog`.`default_database`.`other` (
              `a` INT,
              `b` INT
            )
            WITH (
              'connector' = 'rows'
            )
            > DROP TEMPORARY TABLE other
        "#]],
    );
}
