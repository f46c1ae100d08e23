//! CREATE TABLE AS and LIKE.

use expect_test::expect;

use crate::support::{Shell, check};

#[test]
fn create_table_as() {
    check(
        Shell::with_tables().dialog(
            "CREATE TABLE x WITH ('connector' = 'rows') AS SELECT a, x AS name, COUNT(*) OVER (ORDER BY ts) AS n
               FROM (SELECT u.a, u.x, bid.ts FROM bid, u);
             CREATE TABLE x WITH ('connector' = 'rows') AS SELECT a + 1 AS n, x FROM u;
             DESCRIBE x;
             CREATE TABLE x WITH ('connector' = 'rows') AS SELECT 1 AS n;
             CREATE TABLE IF NOT EXISTS x WITH ('connector' = 'rows') AS SELECT 1 AS n",
        ),
        expect![[r#"
            > CREATE TABLE x WITH ('connector' = 'rows') AS SELECT a, x AS name, COUNT(*) OVER (ORDER BY ts) AS n
                           FROM (SELECT u.a, u.x, bid.ts FROM bid, u)
            invalid: Table sink 'default_catalog.default_database.x' doesn't support consuming update and delete changes which is produced by node OverAggregate(partitionBy=[], orderBy=[ts ASC], window=[RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW], select=[COUNT(*) AS w0$o0])
            > CREATE TABLE x WITH ('connector' = 'rows') AS SELECT a + 1 AS n, x FROM u
            INSERT INTO default_catalog.default_database.x
            > DESCRIBE x
            n | INT | TRUE | - | - | -
            x | STRING | FALSE | - | - | -
            > CREATE TABLE x WITH ('connector' = 'rows') AS SELECT 1 AS n
            invalid: Table (or view) `default_catalog`.`default_database`.`x` already exists.
            > CREATE TABLE IF NOT EXISTS x WITH ('connector' = 'rows') AS SELECT 1 AS n
        "#]],
    );
}

#[test]
fn create_table_as_with_columns() {
    check(
        Shell::with_tables().dialog(
            "CREATE TABLE x (double_n AS n * 2, n BIGINT) WITH ('connector' = 'rows') AS SELECT a AS n, b FROM t;
             DESCRIBE x;
             CREATE TABLE y (b, n) WITH ('connector' = 'rows') AS SELECT a AS n, b FROM t;
             DESCRIBE y;
             CREATE TABLE z (PRIMARY KEY (a) NOT ENFORCED) WITH ('connector' = 'rows', 'changelog' = 'retract')
               AS SELECT a, COUNT(*) AS n FROM t GROUP BY a;
             DESCRIBE z;
             CREATE TABLE w (n DATE) WITH ('connector' = 'rows') AS SELECT a AS n FROM t;
             CREATE TABLE w (b, nope) WITH ('connector' = 'rows') AS SELECT a AS n, b FROM t;
             CREATE TABLE w (b) WITH ('connector' = 'rows') AS SELECT a AS n, b FROM t;
             SHOW TABLES LIKE 'w'",
        ),
        expect![[r#"
            > CREATE TABLE x (double_n AS n * 2, n BIGINT) WITH ('connector' = 'rows') AS SELECT a AS n, b FROM t
            INSERT INTO default_catalog.default_database.x
            > DESCRIBE x
            double_n | BIGINT | TRUE | - | AS `n` * 2 | -
            n | BIGINT | TRUE | - | - | -
            b | STRING | TRUE | - | - | -
            > CREATE TABLE y (b, n) WITH ('connector' = 'rows') AS SELECT a AS n, b FROM t
            INSERT INTO default_catalog.default_database.y
            > DESCRIBE y
            b | STRING | TRUE | - | - | -
            n | INT | TRUE | - | - | -
            > CREATE TABLE z (PRIMARY KEY (a) NOT ENFORCED) WITH ('connector' = 'rows', 'changelog' = 'retract')
                           AS SELECT a, COUNT(*) AS n FROM t GROUP BY a
            invalid: Invalid primary key 'PK_a'. Column 'a' is nullable.
            > DESCRIBE z
            invalid: Tables or views with the identifier '`default_catalog`.`default_database`.`z`' doesn't exist
            > CREATE TABLE w (n DATE) WITH ('connector' = 'rows') AS SELECT a AS n FROM t
            invalid: column 'n' is declared as DATE and the query gives INT
            > CREATE TABLE w (b, nope) WITH ('connector' = 'rows') AS SELECT a AS n, b FROM t
            invalid: the query has no column 'nope'
            > CREATE TABLE w (b) WITH ('connector' = 'rows') AS SELECT a AS n, b FROM t
            invalid: the column list lacks the query's column 'n'
            > SHOW TABLES LIKE 'w'
        "#]],
    );
}

#[test]
fn what_cannot_be_written_is_not_created() {
    check(
        Shell::with_tables().dialog(
            "CREATE TABLE x WITH ('connector' = 'nothing') AS SELECT a FROM t;
             CREATE TABLE x AS SELECT a FROM t;
             CREATE TABLE x WITH ('connector' = 'rows') AS SELECT a, COUNT(*) FROM t GROUP BY a;
             CREATE TABLE x WITH ('connector' = 'rows') AS SELECT nope FROM t;
             SHOW TABLES LIKE 'x'",
        ),
        expect![[r#"
            > CREATE TABLE x WITH ('connector' = 'nothing') AS SELECT a FROM t
            invalid: connector 'nothing' cannot be written to (table default_catalog.default_database.x)
            > CREATE TABLE x AS SELECT a FROM t
            invalid: table `default_catalog`.`default_database`.`x` has no option 'connector'; it cannot be read or written: WITH ('connector' = '...')
            > CREATE TABLE x WITH ('connector' = 'rows') AS SELECT a, COUNT(*) FROM t GROUP BY a
            invalid: Table sink 'default_catalog.default_database.x' doesn't support consuming update changes which is produced by node GroupAggregate(groupBy=[a], select=[a, COUNT(*) AS EXPR$0])
            > CREATE TABLE x WITH ('connector' = 'rows') AS SELECT nope FROM t
            invalid: Column 'nope' not found in any table at line 1, column 54
            > SHOW TABLES LIKE 'x'
        "#]],
    );
}

fn base() -> Shell {
    let mut shell = Shell::new();
    let base = "
        CREATE TABLE base (id INT, region STRING, ts TIMESTAMP(3), twice AS id * 2, o BIGINT METADATA FROM 'offset',
                           WATERMARK FOR ts AS ts - INTERVAL '5' SECOND, PRIMARY KEY (id) NOT ENFORCED)
        COMMENT 'the base' PARTITIONED BY (region) WITH ('connector' = 'rows', 'rows' = '3');
        CREATE TABLE plain (id INT) WITH ('connector' = 'rows', 'rows' = '3');
        CREATE VIEW v AS SELECT 1 AS a";
    assert_eq!(shell.run(base), "");
    shell
}

#[test]
fn like_takes_everything() {
    let mut shell = base();
    check(
        shell.dialog("CREATE TABLE x (extra INT) WITH ('rows' = '7') LIKE base; SHOW CREATE TABLE x"),
        expect![[r#"
            > CREATE TABLE x (extra INT) WITH ('rows' = '7') LIKE base
            > SHOW CREATE TABLE x
            CREATE TABLE `default_catalog`.`default_database`.`x` (
              `id` INT NOT NULL,
              `region` VARCHAR(2147483647),
              `ts` TIMESTAMP(3),
              `twice` AS `id` * 2,
              `o` BIGINT METADATA FROM 'offset',
              `extra` INT,
              WATERMARK FOR `ts` AS `ts` - INTERVAL '5' SECOND,
              CONSTRAINT `PK_id` PRIMARY KEY (`id`) NOT ENFORCED
            )
            COMMENT 'the base'
            PARTITIONED BY (`region`)
            WITH (
              'connector' = 'rows',
              'rows' = '7'
            )
        "#]],
    );
}

#[test]
fn like_without_some_things() {
    let mut shell = base();
    check(
        shell.dialog(
            "CREATE TABLE x1 WITH ('connector' = 'rows') LIKE base (EXCLUDING ALL);
             SHOW CREATE TABLE x1;
             CREATE TABLE x2 LIKE base (EXCLUDING OPTIONS EXCLUDING PARTITIONS);
             SHOW CREATE TABLE x2;
             CREATE TABLE x3 LIKE base (EXCLUDING CONSTRAINTS EXCLUDING METADATA EXCLUDING GENERATED);
             SHOW CREATE TABLE x3;
             CREATE TABLE x4 (WATERMARK FOR ts AS ts) LIKE base (OVERWRITING WATERMARKS);
             SHOW CREATE TABLE x4;
             CREATE TABLE x5 (twice AS id + id) WITH ('rows' = '9') LIKE base (EXCLUDING ALL INCLUDING OPTIONS OVERWRITING GENERATED);
             CREATE TABLE x6 WITH ('colour' = 'red') LIKE plain (INCLUDING OPTIONS);
             SHOW CREATE TABLE x6",
        ),
        expect![[r#"
            > CREATE TABLE x1 WITH ('connector' = 'rows') LIKE base (EXCLUDING ALL)
            > SHOW CREATE TABLE x1
            CREATE TABLE `default_catalog`.`default_database`.`x1` (
              `id` INT NOT NULL,
              `region` VARCHAR(2147483647),
              `ts` TIMESTAMP(3)
            )
            COMMENT 'the base'
            WITH (
              'connector' = 'rows'
            )
            > CREATE TABLE x2 LIKE base (EXCLUDING OPTIONS EXCLUDING PARTITIONS)
            > SHOW CREATE TABLE x2
            CREATE TABLE `default_catalog`.`default_database`.`x2` (
              `id` INT NOT NULL,
              `region` VARCHAR(2147483647),
              `ts` TIMESTAMP(3),
              `twice` AS `id` * 2,
              `o` BIGINT METADATA FROM 'offset',
              WATERMARK FOR `ts` AS `ts` - INTERVAL '5' SECOND,
              CONSTRAINT `PK_id` PRIMARY KEY (`id`) NOT ENFORCED
            )
            COMMENT 'the base'
            WITH (

            )
            > CREATE TABLE x3 LIKE base (EXCLUDING CONSTRAINTS EXCLUDING METADATA EXCLUDING GENERATED)
            > SHOW CREATE TABLE x3
            CREATE TABLE `default_catalog`.`default_database`.`x3` (
              `id` INT NOT NULL,
              `region` VARCHAR(2147483647),
              `ts` TIMESTAMP(3),
              WATERMARK FOR `ts` AS `ts` - INTERVAL '5' SECOND
            )
            COMMENT 'the base'
            PARTITIONED BY (`region`)
            WITH (
              'connector' = 'rows',
              'rows' = '3'
            )
            > CREATE TABLE x4 (WATERMARK FOR ts AS ts) LIKE base (OVERWRITING WATERMARKS)
            > SHOW CREATE TABLE x4
            CREATE TABLE `default_catalog`.`default_database`.`x4` (
              `id` INT NOT NULL,
              `region` VARCHAR(2147483647),
              `ts` TIMESTAMP(3),
              `twice` AS `id` * 2,
              `o` BIGINT METADATA FROM 'offset',
              WATERMARK FOR `ts` AS `ts`,
              CONSTRAINT `PK_id` PRIMARY KEY (`id`) NOT ENFORCED
            )
            COMMENT 'the base'
            PARTITIONED BY (`region`)
            WITH (
              'connector' = 'rows',
              'rows' = '3'
            )
            > CREATE TABLE x5 (twice AS id + id) WITH ('rows' = '9') LIKE base (EXCLUDING ALL INCLUDING OPTIONS OVERWRITING GENERATED)
            invalid: There already exists an option ['rows'] in the base table. You might want to specify EXCLUDING OPTIONS or OVERWRITING OPTIONS.
            > CREATE TABLE x6 WITH ('colour' = 'red') LIKE plain (INCLUDING OPTIONS)
            > SHOW CREATE TABLE x6
            CREATE TABLE `default_catalog`.`default_database`.`x6` (
              `id` INT
            )
            WITH (
              'colour' = 'red',
              'connector' = 'rows',
              'rows' = '3'
            )
        "#]],
    );
}

#[test]
fn like_conflicts() {
    let mut shell = base();
    check(
        shell.dialog(
            "CREATE TABLE x (id INT) LIKE base;
             CREATE TABLE x (twice AS id + 1) LIKE base;
             CREATE TABLE x (o BIGINT METADATA) LIKE base;
             CREATE TABLE x (WATERMARK FOR ts AS ts) LIKE base;
             CREATE TABLE x (PRIMARY KEY (region) NOT ENFORCED) LIKE base;
             CREATE TABLE x PARTITIONED BY (id) LIKE base;
             CREATE TABLE x WITH ('rows' = '4') LIKE base (INCLUDING OPTIONS);
             CREATE TABLE x LIKE base (OVERWRITING CONSTRAINTS);
             CREATE TABLE x LIKE base (EXCLUDING OPTIONS INCLUDING OPTIONS);
             CREATE TABLE x LIKE nope;
             CREATE TABLE x LIKE v",
        ),
        expect![[r#"
            > CREATE TABLE x (id INT) LIKE base
            invalid: A column named 'id' already exists in the base table.
            > CREATE TABLE x (twice AS id + 1) LIKE base
            invalid: column 'twice' already exists in the base table; add OVERWRITING GENERATED or METADATA
            > CREATE TABLE x (o BIGINT METADATA) LIKE base
            invalid: column 'o' already exists in the base table; add OVERWRITING GENERATED or METADATA
            > CREATE TABLE x (WATERMARK FOR ts AS ts) LIKE base
            invalid: There already exists a watermark on 'ts' in the base table. You might want to specify EXCLUDING WATERMARKS or OVERWRITING WATERMARKS.
            > CREATE TABLE x (PRIMARY KEY (region) NOT ENFORCED) LIKE base
            invalid: The base table already has a primary key. You might want to specify EXCLUDING CONSTRAINTS.
            > CREATE TABLE x PARTITIONED BY (id) LIKE base
            invalid: The base table already has partitions defined. You might want to specify EXCLUDING PARTITIONS.
            > CREATE TABLE x WITH ('rows' = '4') LIKE base (INCLUDING OPTIONS)
            invalid: There already exists an option ['rows'] in the base table. You might want to specify EXCLUDING OPTIONS or OVERWRITING OPTIONS.
            > CREATE TABLE x LIKE base (OVERWRITING CONSTRAINTS)
            syntax: OVERWRITING CONSTRAINTS is not possible: use INCLUDING or EXCLUDING at line 1, column 27
            > CREATE TABLE x LIKE base (EXCLUDING OPTIONS INCLUDING OPTIONS)
            syntax: OPTIONS is said twice at line 1, column 45
            > CREATE TABLE x LIKE nope
            invalid: Source table '`default_catalog`.`default_database`.`nope`' of the LIKE clause not found
            > CREATE TABLE x LIKE v
            invalid: LIKE takes a table; `default_catalog`.`default_database`.`v` is a view
        "#]],
    );
}

#[test]
fn a_table_that_lost_its_connector() {
    let mut shell = base();
    check(
        shell.dialog("CREATE TABLE x LIKE plain (EXCLUDING OPTIONS); SELECT * FROM x"),
        expect![[r#"
        > CREATE TABLE x LIKE plain (EXCLUDING OPTIONS)
        > SELECT * FROM x
        invalid: table `default_catalog`.`default_database`.`x` has no option 'connector'; it cannot be read or written: WITH ('connector' = '...') at line 1, column 15
    "#]],
    );
}
