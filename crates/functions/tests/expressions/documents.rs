//! JSON functions, answered as Flink answers.

use crate::support::{Table, one_row, table};

/// Each document is in its own row.
fn documents() -> Table {
    table(
        r#"
        j STRING
        {"a": 1, "b": "text", "c": [1, 2, {"d": null}], "e": {"f": true}}
        []
        123.45
        null
        not json
        NULL
        {"a": 12345678901234567890, "b": 0.1234567890123456789}
        {"a":false,"c":[true,false],"e":{"f":"x","g":{"h":[10,20,30]}}}
        "#,
    )
}

#[test]
fn paths() {
    documents().check(
        r#"
        JSON_VALUE(j, '$.a', 'NULL', NULL, 'NULL', NULL) -> STRING: 1 NULL NULL NULL NULL NULL 12345678901234567890 false
        JSON_VALUE(j, '$.zz', 'DEFAULT', 'e', 'DEFAULT', 'x') -> STRING: x x x x x NULL x x
        JSON_VALUE(j, 'lax $.zz', 'DEFAULT', 'e', 'DEFAULT', 'x') -> STRING: e e e x e NULL e e
        JSON_QUERY(j, '$.c', 'WITHOUT', 'NULL', 'NULL') -> STRING: [1,2,{"d":null}] NULL NULL NULL NULL NULL NULL [true,false]
        JSON_QUERY(j, '$.a', 'CONDITIONAL', 'NULL', 'NULL') -> STRING: [1] NULL NULL NULL NULL NULL [12345678901234567890] [false]
        JSON_QUERY(j, 'lax $.c[*]', 'UNCONDITIONAL', 'NULL', 'NULL') -> STRING: [[1,2,{"d":null}]] [[]] [[]] NULL NULL NULL [[]] [[true,false]]
        JSON_QUERY(j, 'strict $.c', 'WITHOUT', 'NULL', 'EMPTY ARRAY') -> STRING: [1,2,{"d":null}] [] [] [] [] NULL [] [true,false]
        JSON_QUERY(j, 'lax $.zz', 'WITHOUT', 'EMPTY OBJECT', 'NULL') -> STRING: {} {} {} NULL {} NULL {} {}
        JSON_QUERY(j, '$.c', 'WITHOUT', 'NULL', 'NULL', CAST(NULL AS ARRAY<STRING>)) -> ARRAY<STRING>: [1, 2, {"d":null}] NULL NULL NULL NULL NULL NULL [true, false]
        JSON_EXISTS(j, '$.a', 'FALSE') -> BOOLEAN: TRUE FALSE FALSE FALSE FALSE NULL TRUE TRUE
        JSON_EXISTS(j, 'strict $.zz', 'UNKNOWN') -> BOOLEAN: NULL NULL NULL NULL NULL NULL NULL NULL
        JSON_VALUE(j, 'strict $.zz', 'NULL', NULL, 'ERROR', NULL) -> error: No results for path: $['zz']
        JSON_VALUE(j, '$.b', 'NULL', NULL, 'NULL', NULL, CAST(NULL AS BIGINT)) -> error: Unsupported type 'BIGINT' for RETURNING
        JSON_EXISTS(j, '$.c[?(@.d)]', 'FALSE') -> error: a filter
        "#,
    );
}

#[test]
fn kinds() {
    documents().check(
        "
        j IS JSON VALUE -> BOOLEAN NOT NULL: TRUE TRUE TRUE TRUE FALSE FALSE TRUE TRUE
        j IS JSON OBJECT -> BOOLEAN NOT NULL: TRUE FALSE FALSE FALSE FALSE FALSE TRUE TRUE
        j IS JSON ARRAY -> BOOLEAN NOT NULL: FALSE TRUE FALSE FALSE FALSE FALSE FALSE FALSE
        j IS JSON SCALAR -> BOOLEAN NOT NULL: FALSE FALSE TRUE TRUE FALSE FALSE FALSE FALSE
        1 IS JSON VALUE -> error: Cannot apply 'IS JSON VALUE'
        ",
    );
}

#[test]
fn construction() {
    one_row().check(
        r#"
        JSON_OBJECT('NULL', 'K', JSON('{"K2": 42}')) -> STRING NOT NULL: {"K":{"K2":42}}
        JSON_OBJECT('NULL', 'b', 1, 'a', CAST(NULL AS INT)) -> STRING NOT NULL: {"a":null,"b":1}
        JSON_OBJECT('ABSENT', 'b', 1, 'a', CAST(NULL AS INT)) -> STRING NOT NULL: {"b":1}
        JSON_OBJECT('NULL', 'o', JSON_OBJECT('NULL', 'a', 'x'), 's', '{}') -> STRING NOT NULL: {"o":{"a":"x"},"s":"{}"}
        JSON_ARRAY('ABSENT', 1, CAST(NULL AS INT), 'x', JSON_ARRAY('ABSENT')) -> STRING NOT NULL: [1,"x",[]]
        JSON_ARRAY('NULL', JSON('')) -> STRING NOT NULL: [null]
        JSON_ARRAY('ABSENT', JSON('not json')) -> error: Invalid JSON string in JSON(value) function
        JSON_STRING('a"b\c') -> STRING NOT NULL: "a\"b\\c"
        JSON_STRING(1e20) -> STRING NOT NULL: 1.0E+20
        JSON_STRING(CAST(0 AS DECIMAL(38, 10))) -> STRING NOT NULL: 0E-10
        JSON_STRING(X'0102') -> STRING NOT NULL: "AQI="
        JSON_STRING(TIMESTAMP '2020-01-01 12:34:56.120') -> STRING NOT NULL: "2020-01-01T12:34:56.12"
        JSON_STRING(ROW(1, 'a')) -> STRING NOT NULL: {"EXPR$0":1,"EXPR$1":"a"}
        JSON_STRING(MAP['b', ARRAY[1, NULL], 'a', ARRAY[2]]) -> STRING NOT NULL: {"a":[2],"b":[1,null]}
        JSON_STRING(DATE '2020-01-01') -> error: is not scalar or cannot be converted into JSON
        "#,
    );
}

#[test]
fn values() {
    one_row().check(
        "
        JSON_EXISTS(CAST(NULL AS STRING), '$.a', 'FALSE') -> BOOLEAN: NULL
        JSON_EXISTS('bad', '$.a', 'FALSE') -> BOOLEAN: FALSE
        JSON_EXISTS('[1,2]', '$[5]', 'FALSE') -> BOOLEAN: FALSE
        JSON_EXISTS('[1,2]', '$[*]', 'FALSE') -> BOOLEAN: TRUE
        JSON_ARRAY('NULL', JSON('')) -> STRING NOT NULL: [null]
        JSON_QUERY('[1, 2]', '$', 'WITHOUT', 'NULL', 'NULL') -> STRING: [1,2]
        JSON_QUERY(CAST(NULL AS STRING), '$', 'WITHOUT', 'NULL', 'NULL') -> STRING: NULL
        JSON_QUERY('{}', '$', 'CONDITIONAL', 'NULL', 'NULL') -> STRING: [{}]
        JSON_QUERY('[1, 2]', '$', 'CONDITIONAL', 'NULL', 'NULL') -> STRING: [1,2]
        JSON_QUERY('[1, 2]', '$', 'UNCONDITIONAL', 'NULL', 'NULL') -> STRING: [[1,2]]
        JSON_QUERY('{}', 'lax $.invalid', 'WITHOUT', 'EMPTY OBJECT', 'NULL') -> STRING: {}
        JSON_QUERY('{}', 'strict $.invalid', 'WITHOUT', 'NULL', 'EMPTY ARRAY') -> STRING: []
        JSON_QUERY('bad', '$', 'WITHOUT', 'NULL', 'EMPTY OBJECT') -> STRING: {}
        JSON_QUERY('bad', '$', 'WITHOUT', 'NULL', 'NULL') -> STRING: NULL
        JSON_QUERY('{}', 'lax $.x', 'WITHOUT', 'NULL', 'NULL') -> STRING: NULL
        JSON_STRING(CAST(NULL AS INT)) -> STRING: NULL
        JSON_STRING(1) -> STRING NOT NULL: 1
        JSON_STRING(TRUE) -> STRING NOT NULL: true
        JSON_STRING(ARRAY[1, 2]) -> STRING NOT NULL: [1,2]
        JSON_STRING(1.50) -> STRING NOT NULL: 1.50
        JSON_STRING(1e0) -> STRING NOT NULL: 1.0
        JSON_STRING(ARRAY[CAST(NULL AS INT), 1]) -> STRING NOT NULL: [null,1]
        JSON_STRING(CAST(1.5 AS FLOAT)) -> STRING NOT NULL: 1.5
        JSON_STRING(1e20) -> STRING NOT NULL: 1.0E+20
        JSON_STRING(0.000001) -> STRING NOT NULL: 0.000001
        ",
    );
}
