//! Types: as written, and as [`flott_types::LogicalType`] prints them.

use expect_test::expect;
use flott_sql_parser::parse_type;

#[test]
fn every_type() {
    let mut text = String::new();
    for ty in [
        "CHAR",
        "char(3)",
        "CHARACTER(2)",
        "CHARACTER VARYING(5)",
        "VARCHAR",
        "VARCHAR(10)",
        "STRING",
        "BOOLEAN NOT NULL",
        "BINARY",
        "BINARY(4)",
        "BINARY VARYING",
        "VARBINARY",
        "VARBINARY(3)",
        "BYTES",
        "DECIMAL",
        "DEC(5)",
        "NUMERIC(10, 2)",
        "TINYINT",
        "SMALLINT",
        "INT",
        "INTEGER NULL",
        "BIGINT",
        "FLOAT",
        "DOUBLE",
        "DOUBLE PRECISION NOT NULL",
        "DATE",
        "TIME",
        "TIME(3) WITHOUT TIME ZONE",
        "TIMESTAMP",
        "TIMESTAMP(3) WITHOUT TIME ZONE",
        "TIMESTAMP(0) WITH LOCAL TIME ZONE NOT NULL",
        "TIMESTAMP_LTZ",
        "TIMESTAMP_LTZ(9)",
        "INTERVAL YEAR TO MONTH",
        "INTERVAL DAY(3) TO SECOND(6)",
        "INTERVAL SECOND(3)",
        "INTERVAL MONTH",
        "NULL",
        "ARRAY<INT NOT NULL> NOT NULL",
        "INT ARRAY",
        "INT NOT NULL ARRAY NOT NULL",
        "MULTISET<STRING>",
        "INT MULTISET ARRAY",
        "MAP<STRING NOT NULL, ARRAY<MAP<INT, ROW<a INT>>>>",
        "ROW<a INT NOT NULL 'the ''a''', `b c` ROW<d STRING>>",
        "ROW(a INT, b ARRAY<INT>)",
        "ROW<>",
        "ROW()",
    ] {
        let parsed = parse_type(ty).unwrap();
        text += &format!("{ty}: {parsed}\n");
        assert_eq!(parse_type(&parsed.to_string()).unwrap(), parsed, "{ty} reads as it prints");
    }
    expect![[r#"
        CHAR: CHAR(1)
        char(3): CHAR(3)
        CHARACTER(2): CHAR(2)
        CHARACTER VARYING(5): VARCHAR(5)
        VARCHAR: STRING
        VARCHAR(10): VARCHAR(10)
        STRING: STRING
        BOOLEAN NOT NULL: BOOLEAN NOT NULL
        BINARY: BINARY(1)
        BINARY(4): BINARY(4)
        BINARY VARYING: BYTES
        VARBINARY: BYTES
        VARBINARY(3): VARBINARY(3)
        BYTES: BYTES
        DECIMAL: DECIMAL(10, 0)
        DEC(5): DECIMAL(5, 0)
        NUMERIC(10, 2): DECIMAL(10, 2)
        TINYINT: TINYINT
        SMALLINT: SMALLINT
        INT: INT
        INTEGER NULL: INT
        BIGINT: BIGINT
        FLOAT: FLOAT
        DOUBLE: DOUBLE
        DOUBLE PRECISION NOT NULL: DOUBLE NOT NULL
        DATE: DATE
        TIME: TIME(0)
        TIME(3) WITHOUT TIME ZONE: TIME(3)
        TIMESTAMP: TIMESTAMP(6)
        TIMESTAMP(3) WITHOUT TIME ZONE: TIMESTAMP(3)
        TIMESTAMP(0) WITH LOCAL TIME ZONE NOT NULL: TIMESTAMP_LTZ(0) NOT NULL
        TIMESTAMP_LTZ: TIMESTAMP_LTZ(6)
        TIMESTAMP_LTZ(9): TIMESTAMP_LTZ(9)
        INTERVAL YEAR TO MONTH: INTERVAL MONTH
        INTERVAL DAY(3) TO SECOND(6): INTERVAL SECOND(3)
        INTERVAL SECOND(3): INTERVAL SECOND(3)
        INTERVAL MONTH: INTERVAL MONTH
        NULL: NULL
        ARRAY<INT NOT NULL> NOT NULL: ARRAY<INT NOT NULL> NOT NULL
        INT ARRAY: ARRAY<INT>
        INT NOT NULL ARRAY NOT NULL: ARRAY<INT NOT NULL> NOT NULL
        MULTISET<STRING>: MULTISET<STRING>
        INT MULTISET ARRAY: ARRAY<MULTISET<INT>>
        MAP<STRING NOT NULL, ARRAY<MAP<INT, ROW<a INT>>>>: MAP<STRING NOT NULL, ARRAY<MAP<INT, ROW<`a` INT>>>>
        ROW<a INT NOT NULL 'the ''a''', `b c` ROW<d STRING>>: ROW<`a` INT NOT NULL 'the ''a''', `b c` ROW<`d` STRING>>
        ROW(a INT, b ARRAY<INT>): ROW<`a` INT, `b` ARRAY<INT>>
        ROW<>: ROW<>
        ROW(): ROW<>
    "#]].assert_eq(&text);
}
