//! CAST and TRY_CAST: which exist, and what they give.

use std::sync::Arc;

use crate::support::{one_row, table, ty};
use arrow::array::{Array, ArrayRef, AsArray, Int32Array, ListArray, StringArray, StructArray};
use arrow::datatypes::Int32Type;
use flott_batch::arrow_type::to_arrow;
use flott_batch::bytes::Room;
use flott_expr::cast::{CastOptions, cast_array};
use flott_expr::typing::casts::is_explicit;
use flott_types::TypeKind;

/// Rows: from; columns: to. The order of both is that of `TYPES`.
const MATRIX: &str = "
    BOOLEAN           XXXXXXXXXXX............
    TINYINT           XXXXXXXXXXX............
    SMALLINT          XXXXXXXXXXX............
    INT               XXXXXXXXXXX............
    BIGINT            XXXXXXXXXXX............
    FLOAT             XXXXXXXXXXX............
    DOUBLE            XXXXXXXXXXX............
    DECIMAL(10,2)     XXXXXXXXXXX............
    CHAR(5)           XXXXXXXXXXXXXXXXXX.....
    VARCHAR(5)        XXXXXXXXXXXXXXXXXX.....
    STRING            XXXXXXXXXXXXXXXXXX.....
    BINARY(5)         ........XXXXXX.........
    VARBINARY(5)      ........XXXXXX.........
    BYTES             ........XXXXXX.........
    DATE              ........XXX...X.XX.....
    TIME              ........XXX....XXX.....
    TIMESTAMP(3)      ........XXX...XXXX.....
    TIMESTAMP_LTZ(3)  ........XXX...XXXX.....
    INTERVAL DAY      ........XXX.......X....
    INTERVAL MONTH    ........XXX........X...
    ARRAY<INT>        ........XXX.........X..
    MAP<STRING,INT>   ........XXX..........X.
    ROW<a INT,b INT,c INT> ........XXX...........X
";

const TYPES: &[&str] = &[
    "BOOLEAN",
    "TINYINT",
    "SMALLINT",
    "INT",
    "BIGINT",
    "FLOAT",
    "DOUBLE",
    "DECIMAL(12, 3)",
    "CHAR(8)",
    "VARCHAR(8)",
    "STRING",
    "BINARY(4)",
    "VARBINARY(4)",
    "BYTES",
    "DATE",
    "TIME",
    "TIMESTAMP(3)",
    "TIMESTAMP_LTZ(3)",
    "INTERVAL DAY TO SECOND",
    "INTERVAL YEAR TO MONTH",
    "ARRAY<STRING>",
    "MAP<STRING, STRING>",
    "ROW<a STRING, b STRING, c STRING>",
];

#[test]
fn legal_casts_are_flinks() {
    for line in MATRIX.trim().lines() {
        let (from, marks) = line.trim().rsplit_once(' ').unwrap();
        assert_eq!(marks.len(), TYPES.len());
        for (mark, to) in marks.chars().zip(TYPES) {
            assert_eq!(is_explicit(&ty(from).kind, &ty(to).kind), mark == 'X', "{from} to {to}");
        }
    }
}

/// Every legal cast of NULLs and of no rows has the arrow type of its target.
#[test]
fn every_legal_cast_gives_the_targets_type() {
    for line in MATRIX.trim().lines() {
        let (from, marks) = line.trim().rsplit_once(' ').unwrap();
        let from = ty(from);
        let targets = marks.chars().zip(TYPES).filter(|(mark, _)| *mark == 'X');
        for target in targets.map(|(_, target)| ty(target)) {
            for rows in [0, 2] {
                let nulls = arrow::array::new_null_array(&to_arrow(&from), rows);
                let options = CastOptions { time_zone: chrono_tz::UTC, is_try: false, room: Room::WHOLE };
                let array = cast_array(&nulls, &from, &target, options).unwrap();
                assert_eq!(
                    (array.data_type(), array.len()),
                    (&to_arrow(&target), rows),
                    "{from} to {target}"
                );
            }
        }
    }
}

#[test]
fn numbers() {
    one_row().check(
        "
        CAST(300 AS TINYINT) -> TINYINT NOT NULL: 44
        CAST(2147483648 AS INT) -> INT NOT NULL: -2147483648
        CAST(1e20 AS BIGINT) -> BIGINT NOT NULL: 9223372036854775807
        CAST(1e20 AS TINYINT) -> TINYINT NOT NULL: -1
        CAST(-1.9 AS INT) -> INT NOT NULL: -1
        CAST(CAST('-12345678901234567890.0' AS DECIMAL(21, 1)) AS INT) -> INT NOT NULL: 350287150
        CAST(1e40 AS FLOAT) -> FLOAT NOT NULL: Infinity
        CAST(123.456 AS DECIMAL(5, 1)) -> DECIMAL(5, 1) NOT NULL: 123.5
        CAST(-2.5 AS DECIMAL(5, 0)) -> DECIMAL(5, 0) NOT NULL: -3
        CAST(1.005e0 AS DECIMAL(5, 2)) -> DECIMAL(5, 2) NOT NULL: 1.01
        CAST(99999 AS DECIMAL(3, 0)) -> DECIMAL(3, 0) NOT NULL: NULL
        TRY_CAST(9.99 AS DECIMAL(2, 1)) -> DECIMAL(2, 1): NULL
        CAST(TRUE AS INT) -> INT NOT NULL: 1
        CAST(2 AS BOOLEAN) -> BOOLEAN NOT NULL: TRUE
        CAST(0.00 AS BOOLEAN) -> BOOLEAN NOT NULL: FALSE
        CAST(NULL AS DECIMAL) -> DECIMAL(10, 0): NULL
        CAST(1 AS BYTES) -> error: Cast function cannot convert value of type INT to type BYTES
        CAST(1 AS TIMESTAMP(3)) -> error: TO_TIMESTAMP(FROM_UNIXTIME(seconds))
        ",
    );
}

#[test]
fn text_to_numbers() {
    table(
        "
        s STRING
        42
        '  7  '
        +5
        3.7
        .5
        1e3
        abc
        1.5f
        t
        9223372036854775808
        NULL
        "
        .replace('\'', "")
        .as_str(),
    )
    .check(
        "
        TRY_CAST(s AS TINYINT) -> TINYINT: 42 7 5 3 0 NULL NULL NULL NULL NULL NULL
        TRY_CAST(s AS BIGINT) -> BIGINT: 42 7 5 3 0 NULL NULL NULL NULL NULL NULL
        TRY_CAST(s AS DOUBLE) -> DOUBLE: 42.0 7.0 5.0 3.7 0.5 1000.0 NULL 1.5 NULL 9.223372036854776E18 NULL
        TRY_CAST(s AS DECIMAL(10, 2)) -> DECIMAL(10, 2): 42.00 7.00 5.00 3.70 0.50 1000.00 NULL 1.50 0.00 NULL NULL
        TRY_CAST(s AS BOOLEAN) -> BOOLEAN: NULL NULL NULL NULL NULL NULL NULL NULL TRUE NULL NULL
        CAST(s AS INT) -> error: For input string: '1e3'. Invalid character found.
        ",
    );
    one_row().check(
        "
        CAST('' AS INT) -> error: Input is empty.
        CAST('128' AS TINYINT) -> error: Overflow.
        CAST('-9223372036854775808' AS BIGINT) -> BIGINT NOT NULL: -9223372036854775808
        CAST('Infinity' AS DOUBLE) -> DOUBLE NOT NULL: Infinity
        TRY_CAST('-inf' AS DOUBLE) -> DOUBLE: NULL
        TRY_CAST('0x1p3' AS DOUBLE) -> DOUBLE: 8.0
        CAST('abc' AS BOOLEAN) -> error: neither true nor false
        CAST('No' AS BOOLEAN) -> BOOLEAN NOT NULL: FALSE
        ",
    );
}

#[test]
fn text_and_bytes() {
    one_row().check(
        "
        CAST('abc' AS CHAR(5)) || '.' -> CHAR(6) NOT NULL: abc  .
        CAST('abcdef' AS VARCHAR(3)) -> VARCHAR(3) NOT NULL: abc
        CAST('abc' AS BINARY(5)) -> BINARY(5) NOT NULL: x'6162630000'
        CAST(X'010203' AS VARBINARY(2)) -> VARBINARY(2) NOT NULL: x'0102'
        CAST(X'616263' AS VARCHAR(2)) -> VARCHAR(2) NOT NULL: ab
        CAST(X'61f09f988062' AS VARCHAR(3)) -> VARCHAR(3) NOT NULL: a😀
        CAST(X'61f09f988062' AS VARCHAR(2)) -> VARCHAR(2) NOT NULL: a?
        CAST('a😀b' AS VARCHAR(2)) -> VARCHAR(2) NOT NULL: a😀
        CAST(1.50 AS STRING) -> STRING NOT NULL: 1.50
        CAST(TRUE AS CHAR(2)) -> CHAR(2) NOT NULL: TR
        CAST(1e7 AS STRING) -> STRING NOT NULL: 1.0E7
        CAST(INTERVAL '1-2' YEAR TO MONTH AS STRING) -> STRING NOT NULL: +1-02
        CAST('a' AS CHAR(3)) = 'a' -> BOOLEAN NOT NULL: FALSE
        ",
    );
}

#[test]
fn dates_and_times() {
    let mut utc = one_row();
    utc.check(
        "
        CAST('2020-2-9' AS DATE) -> DATE NOT NULL: 2020-02-09
        CAST('2021-02-30' AS DATE) -> error: For input string: '2021-02-30'
        CAST('2021-02-30 01:02:03' AS TIMESTAMP(3)) -> TIMESTAMP(3) NOT NULL: 2021-02-28 01:02:03.000
        CAST('2020-01-01T00:00:00' AS TIMESTAMP(3)) -> error: yyyy-MM-dd HH:mm:ss
        CAST('2020-01-01 00:00:00.123456789' AS TIMESTAMP) -> TIMESTAMP(6) NOT NULL: 2020-01-01 00:00:00.123456
        CAST('12:34:56.789' AS TIME(3)) -> TIME(3) NOT NULL: 12:34:56.789
        CAST('12:34:56.789' AS TIME) -> TIME(0) NOT NULL: 12:34:56
        CAST(TIMESTAMP '1969-12-31 23:59:59.999' AS DATE) -> DATE NOT NULL: 1970-01-01
        CAST(TIMESTAMP '1969-12-31 23:59:59.999' AS TIMESTAMP(0)) -> TIMESTAMP(0) NOT NULL: 1970-01-01 00:00:00
        CAST(TIMESTAMP '1969-12-31 23:59:59.9999' AS TIMESTAMP(3)) -> TIMESTAMP(3) NOT NULL: 1969-12-31 23:59:59.999
        CAST(DATE '2020-02-29' AS TIMESTAMP(3)) -> TIMESTAMP(3) NOT NULL: 2020-02-29 00:00:00.000
        CAST(TIME '12:34:56' AS TIMESTAMP(3)) -> TIMESTAMP(3) NOT NULL: 1970-01-01 12:34:56.000
        CAST(TIMESTAMP '2020-01-01 00:00:00' AS INT) -> error: UNIX_TIMESTAMP
        TRY_CAST('9999-12-31 00:00:00' AS TIMESTAMP(9)) -> TIMESTAMP(9): 9999-12-31 00:00:00.000000000
        ",
    );
    utc.context.time_zone = chrono_tz::America::Los_Angeles;
    utc.check(
        "
        CAST(TIMESTAMP '2021-03-14 02:30:00.500' AS TIMESTAMP_LTZ(3)) -> TIMESTAMP_LTZ(3) NOT NULL: 2021-03-14 03:30:00.500
        CAST(CAST('2021-11-07 01:30:00' AS TIMESTAMP_LTZ(3)) AS TIMESTAMP(3)) -> TIMESTAMP(3) NOT NULL: 2021-11-07 01:30:00.000
        CAST(CAST(DATE '2020-02-29' AS TIMESTAMP_LTZ(3)) AS DATE) -> DATE NOT NULL: 2020-02-29
        CAST(CAST('1969-12-31 15:59:59.999' AS TIMESTAMP_LTZ(3)) AS TIME) -> TIME(0) NOT NULL: 15:59:59
        ",
    );
}

#[test]
fn collections_go_element_by_element() {
    let list: ArrayRef = Arc::new(ListArray::from_iter_primitive::<Int32Type, _, _>([
        Some(vec![Some(1), None]),
        None,
        Some(vec![]),
    ]));
    let (ints, strings) = (ty("ARRAY<INT>"), ty("ARRAY<STRING>"));
    let options = CastOptions { time_zone: chrono_tz::UTC, is_try: false, room: Room::WHOLE };
    let cast = cast_array(&list, &ints, &strings, options).unwrap();
    assert_eq!(cast.data_type(), &to_arrow(&strings));
    assert_eq!(cast.as_list::<i32>().value(0).as_string::<i32>(), &StringArray::from(vec![Some("1"), None]));
    assert!(cast.is_null(1) && cast.as_list::<i32>().value(2).is_empty());
    let text = cast_array(&list, &ints, &TypeKind::STRING.nullable(), options).unwrap();
    assert_eq!(text.as_string::<i32>(), &StringArray::from(vec![Some("[1, NULL]"), None, Some("[]")]));

    let (from, to) = (ty("ROW<a STRING, b INT>"), ty("ROW<x INT, y STRING>"));
    let columns: Vec<ArrayRef> =
        vec![Arc::new(StringArray::from(vec!["1", "x"])), Arc::new(Int32Array::from(vec![7, 8]))];
    let arrow::datatypes::DataType::Struct(fields) = to_arrow(&from) else { panic!("a row is a struct") };
    let rows: ArrayRef = Arc::new(StructArray::new(fields, columns, None));
    assert!(
        cast_array(&rows, &from, &to, options).unwrap_err().to_string().contains("For input string: 'x'")
    );
    let cast = cast_array(&rows, &from, &to, CastOptions { is_try: true, ..options }).unwrap();
    assert_eq!(cast.data_type(), &to_arrow(&to));
    assert!(cast.is_valid(0) && cast.is_null(1), "one bad field makes the row NULL");
}
