//! DESCRIBE, SHOW, and that what SHOW CREATE prints makes the same thing again.

use expect_test::expect;

use crate::support::{Shell, check};

const TABLE: &str = "CREATE TABLE x (
    id INT NOT NULL,
    `select` STRING COMMENT 'it''s quoted',
    amount DECIMAL(10, 2),
    ts TIMESTAMP(3),
    tags ARRAY<STRING NOT NULL>,
    place ROW<lat DOUBLE, `long` DOUBLE NOT NULL> NOT NULL,
    counts MAP<STRING, BIGINT>,
    bytes_ BYTES,
    code CHAR(3),
    twice AS `id` * 2 COMMENT 'computed',
    o BIGINT METADATA FROM 'offset' VIRTUAL,
    `timestamp` TIMESTAMP_LTZ(3) METADATA,
    p AS PROCTIME(),
    WATERMARK FOR ts AS ts - INTERVAL '5' SECOND,
    CONSTRAINT pk PRIMARY KEY (id) NOT ENFORCED
  ) COMMENT 'things; and ''more''' PARTITIONED BY (code) WITH ('connector' = 'rows', 'rows' = '3')";

#[test]
fn describe() {
    let mut shell = Shell::new();
    assert_eq!(shell.run(TABLE), "");
    check(
        shell.run("DESCRIBE x"),
        expect![[r#"
            id | INT | FALSE | PRI(id) | - | - | -
            select | STRING | TRUE | - | - | - | it's quoted
            amount | DECIMAL(10, 2) | TRUE | - | - | - | -
            ts | TIMESTAMP(3) *ROWTIME* | TRUE | - | - | `ts` - INTERVAL '5' SECOND | -
            tags | ARRAY<STRING NOT NULL> | TRUE | - | - | - | -
            place | ROW<`lat` DOUBLE, `long` DOUBLE NOT NULL> | FALSE | - | - | - | -
            counts | MAP<STRING, BIGINT> | TRUE | - | - | - | -
            bytes_ | BYTES | TRUE | - | - | - | -
            code | CHAR(3) | TRUE | - | - | - | -
            twice | INT | FALSE | - | AS `id` * 2 | - | computed
            o | BIGINT | TRUE | - | METADATA FROM 'offset' VIRTUAL | - | -
            timestamp | TIMESTAMP_LTZ(3) | TRUE | - | METADATA | - | -
            p | TIMESTAMP_LTZ(3) *PROCTIME* | FALSE | - | AS PROCTIME() | - | -
        "#]],
    );
    assert_eq!(shell.run("DESC default_catalog.default_database.x"), shell.run("DESCRIBE EXTENDED x"));
}

#[test]
fn show_columns() {
    let mut shell = Shell::with_tables();
    check(
        shell.dialog(
            "SHOW COLUMNS FROM t;
             SHOW COLUMNS IN u LIKE 'x';
             SHOW COLUMNS FROM ups NOT LIKE '_'",
        ),
        expect![[r#"
            > SHOW COLUMNS FROM t
            a | INT | TRUE | - | - | -
            b | STRING | TRUE | - | - | -
            c | BIGINT | TRUE | - | - | -
            d | DOUBLE | TRUE | - | - | -
            > SHOW COLUMNS IN u LIKE 'x'
            x | STRING | FALSE | - | - | -
            > SHOW COLUMNS FROM ups NOT LIKE '_'
            id | INT | FALSE | PRI(id) | - | -
        "#]],
    );
}

#[test]
fn show_with_patterns() {
    check(
        Shell::with_tables().dialog(
            "SHOW TABLES;
             SHOW TABLES LIKE 'b%';
             SHOW TABLES LIKE 'B%';
             SHOW TABLES ILIKE 'B%';
             SHOW TABLES NOT LIKE '_';
             SHOW TABLES LIKE '%o%';
             SHOW DATABASES LIKE 'x%';
             SHOW VIEWS;
             SHOW CATALOGS LIKE 'def%'",
        ),
        expect![[r#"
            > SHOW TABLES
            bid
            cdc
            log
            mirror
            t
            u
            ups
            > SHOW TABLES LIKE 'b%'
            bid
            > SHOW TABLES LIKE 'B%'
            > SHOW TABLES ILIKE 'B%'
            bid
            > SHOW TABLES NOT LIKE '_'
            bid
            cdc
            log
            mirror
            ups
            > SHOW TABLES LIKE '%o%'
            log
            mirror
            > SHOW DATABASES LIKE 'x%'
            > SHOW VIEWS
            > SHOW CATALOGS LIKE 'def%'
            default_catalog
        "#]],
    );
}

#[test]
fn show_create_table() {
    let mut shell = Shell::new();
    assert_eq!(shell.run(TABLE), "");
    check(
        shell.run("SHOW CREATE TABLE x"),
        expect![[r#"
            CREATE TABLE `default_catalog`.`default_database`.`x` (
              `id` INT NOT NULL,
              `select` VARCHAR(2147483647) COMMENT 'it''s quoted',
              `amount` DECIMAL(10, 2),
              `ts` TIMESTAMP(3),
              `tags` ARRAY<VARCHAR(2147483647) NOT NULL>,
              `place` ROW<`lat` DOUBLE, `long` DOUBLE NOT NULL> NOT NULL,
              `counts` MAP<VARCHAR(2147483647), BIGINT>,
              `bytes_` VARBINARY(2147483647),
              `code` CHAR(3),
              `twice` AS `id` * 2 COMMENT 'computed',
              `o` BIGINT METADATA FROM 'offset' VIRTUAL,
              `timestamp` TIMESTAMP_LTZ(3) METADATA,
              `p` AS PROCTIME(),
              WATERMARK FOR `ts` AS `ts` - INTERVAL '5' SECOND,
              CONSTRAINT `pk` PRIMARY KEY (`id`) NOT ENFORCED
            )
            COMMENT 'things; and ''more'''
            PARTITIONED BY (`code`)
            WITH (
              'connector' = 'rows',
              'rows' = '3'
            )
        "#]],
    );
}

#[test]
fn a_printed_table_makes_the_same_table() {
    let mut shell = Shell::new();
    assert_eq!(shell.run(TABLE), "");
    let printed = shell.run("SHOW CREATE TABLE x");
    let described = shell.run("DESCRIBE x");
    assert_eq!(shell.run("DROP TABLE x"), "");
    assert_eq!(shell.run(&printed), "");
    assert_eq!(shell.run("SHOW CREATE TABLE x"), printed);
    assert_eq!(shell.run("DESCRIBE x"), described);
}

#[test]
fn each_type_comes_back() {
    for ty in [
        "BOOLEAN",
        "TINYINT",
        "SMALLINT NOT NULL",
        "INT",
        "BIGINT",
        "FLOAT",
        "DOUBLE",
        "DECIMAL(38, 18)",
        "CHAR(7)",
        "VARCHAR(20)",
        "STRING",
        "BINARY(4)",
        "VARBINARY(4)",
        "BYTES",
        "DATE",
        "TIME",
        "TIMESTAMP",
        "TIMESTAMP(9)",
        "TIMESTAMP_LTZ",
        "TIMESTAMP(3) WITH LOCAL TIME ZONE",
        "ARRAY<INT NOT NULL>",
        "MAP<STRING, ARRAY<DECIMAL(5, 1)>>",
        "MULTISET<STRING>",
        "ROW<a INT, `b c` ROW<d BYTES>>",
        "ROW<a INT 'x'>",
    ] {
        let mut shell = Shell::new();
        assert_eq!(shell.run(&format!("CREATE TABLE x (v {ty}) WITH ('connector' = 'rows')")), "", "{ty}");
        let described = shell.run("DESCRIBE x");
        let printed = shell.run("SHOW CREATE TABLE x");
        shell.run("DROP TABLE x");
        assert_eq!(shell.run(&printed), "", "{ty}: {printed}");
        assert_eq!(shell.run("DESCRIBE x"), described, "{ty}: {printed}");
    }
}

#[test]
fn strange_names_come_back() {
    let mut shell = Shell::new();
    let table = "CREATE TABLE `a b` (`x y` INT, `from``to` INT, PRIMARY KEY (`x y`) NOT ENFORCED)
                 WITH ('connector' = 'rows', 'k''s' = 'it''s')";
    assert_eq!(shell.run(table), "");
    let printed = shell.run("SHOW CREATE TABLE `a b`");
    shell.run("DROP TABLE `a b`");
    assert_eq!(shell.run(&printed), "", "{printed}");
    assert_eq!(shell.run("SHOW CREATE TABLE `a b`"), printed);
}

#[test]
fn a_table_without_options_comes_back() {
    let mut shell = Shell::new();
    assert_eq!(shell.run("CREATE TABLE x (a INT)"), "");
    let printed = shell.run("SHOW CREATE TABLE x");
    shell.run("DROP TABLE x");
    assert_eq!(shell.run(&printed), "", "{printed}");
}

#[test]
fn a_printed_view_makes_the_same_view() {
    let mut shell = Shell::with_tables();
    assert_eq!(
        shell.run("CREATE VIEW v (k, `total sum`) COMMENT 'it''s' AS SELECT a, SUM(c) AS s FROM t GROUP BY a -- sums"),
        ""
    );
    let printed = shell.run("SHOW CREATE VIEW v");
    check(
        &printed,
        expect![[r#"
        CREATE VIEW `default_catalog`.`default_database`.`v` (
          `k`,
          `total sum`
        )
        COMMENT 'it''s'
        AS SELECT a, SUM(c) AS s FROM t GROUP BY a
    "#]],
    );
    let described = shell.run("DESCRIBE v");
    shell.run("DROP VIEW v");
    assert_eq!(shell.run(&printed), "", "{printed}");
    assert_eq!(shell.run("SHOW CREATE VIEW v"), printed);
    assert_eq!(shell.run("DESCRIBE v"), described);
}
