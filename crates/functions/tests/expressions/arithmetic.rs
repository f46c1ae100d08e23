//! Arithmetic and mathematics: types and values as Flink gives them.

use crate::support::{one_row, table};

#[test]
fn numbers() {
    one_row().check(
        "
        1 + 2 -> INT NOT NULL: 3
        2147483647 + 1 -> INT NOT NULL: -2147483648
        9223372036854775807 + 1 -> BIGINT NOT NULL: -9223372036854775808
        2147483648 + 1 -> BIGINT NOT NULL: 2147483649
        CAST(100 AS TINYINT) * CAST(2 AS TINYINT) -> TINYINT NOT NULL: -56
        -(-2147483647 - 1) -> INT NOT NULL: -2147483648
        1.5 - 2 -> DECIMAL(12, 1) NOT NULL: -0.5
        1 - 2e0 -> DOUBLE NOT NULL: -1.0
        1 - CAST(NULL AS INT) -> INT: NULL
        1 + NULL -> INT: NULL
        7 / 2 -> INT NOT NULL: 3
        -7 / 2 -> INT NOT NULL: -3
        7e0 / 2 -> DOUBLE NOT NULL: 3.5
        MOD(-7, 3) -> INT NOT NULL: -1
        MOD(CAST(10 AS DECIMAL(10,0)), CAST(4 AS BIGINT)) -> BIGINT NOT NULL: 2
        CAST(7.5 AS DECIMAL(5,2)) % CAST(2 AS DECIMAL(7,4)) -> DECIMAL(7, 4) NOT NULL: 1.5000
        1.5 * 1.5 -> DECIMAL(5, 2) NOT NULL: 2.25
        CAST(1 AS DECIMAL(38,10)) + CAST(1 AS DECIMAL(38,20)) -> DECIMAL(38, 9) NOT NULL: 2.000000000
        CAST(1.1 AS DECIMAL(5,2)) + CAST(1.5 AS FLOAT) -> DOUBLE NOT NULL: 2.6
        1 / 3.0 -> DECIMAL(17, 6) NOT NULL: 0.333333
        TRUE + 1 -> error: Cannot apply '+' to arguments of type '<BOOLEAN> + <INT>'
        '2' * 3 -> error: Cannot apply '*'
        -'a' -> error: -<CHAR(1)>
        1e0 / 0 -> error: Division by zero
        1 / 0 -> error: Division by zero
        MOD(1, 0) -> error: Division by zero
        99999999999999999999999999999999999999 + 1 -> error: out of range
        ",
    );
}

#[test]
fn decimals_that_do_not_fit_are_null() {
    let big = "CAST('99999999999999999999999999999999999999' AS DECIMAL(38, 0))";
    one_row().check(&format!(
        "
        {big} + 1 -> DECIMAL(38, 0) NOT NULL: NULL
        {big} * 10 -> DECIMAL(38, 0) NOT NULL: NULL
        {big} / 3 -> DECIMAL(38, 6) NOT NULL: NULL
        {big} % 10 -> INT NOT NULL: 9
        {big} - {big} -> DECIMAL(38, 0) NOT NULL: 0
        "
    ));
}

#[test]
fn columns() {
    table(
        "
        i INT | f FLOAT | d DOUBLE | dc DECIMAL(10, 2)
        1     | 1.5     | 1.5      | 1.50
        -70000| -2.25   | -2.25    | -123.45
        0     | 0.0     | -0.0     | 0.00
        NULL  | NULL    | NULL     | NULL
        ",
    )
    .check(
        "
        i + 1 -> INT: 2 -69999 1 NULL
        i / 7 -> INT: 0 -10000 0 NULL
        i * f -> FLOAT: 1.5 157500.0 0.0 NULL
        f + d -> FLOAT: 3.0 -4.5 0.0 NULL
        d + f -> DOUBLE: 3.0 -4.5 0.0 NULL
        7 / d -> DOUBLE: 4.666666666666667 -3.111111111111111 -Infinity NULL
        dc / 3 -> DECIMAL(21, 13): 0.5000000000000 -41.1500000000000 0.0000000000000 NULL
        dc - i -> DECIMAL(13, 2): 0.50 69876.55 0.00 NULL
        dc % 7 -> DECIMAL(10, 2): 1.50 -4.45 0.00 NULL
        -dc -> DECIMAL(10, 2): -1.50 123.45 0.00 NULL
        1 / i -> error: Division by zero
        dc / (dc - dc) -> error: Division by zero
        ABS(i) -> INT: 1 70000 0 NULL
        SIGN(dc) -> DECIMAL(10, 2): 1.00 -1.00 0.00 NULL
        SIGN(d) -> DOUBLE: 1.0 -1.0 -0.0 NULL
        ROUND(dc, 1) -> DECIMAL(10, 1): 1.5 -123.5 0.0 NULL
        ROUND(dc, -2) -> DECIMAL(9, 0): 0 -100 0 NULL
        ROUND(d, 1) -> DOUBLE: 1.5 -2.3 -0.0 NULL
        TRUNCATE(dc) -> DECIMAL(9, 0): 1 -123 0 NULL
        FLOOR(dc) -> DECIMAL(10, 0): 1 -124 0 NULL
        CEIL(d) -> DOUBLE: 2.0 -2.0 -0.0 NULL
        FLOOR(i) -> INT: 1 -70000 0 NULL
        LN(d) -> DOUBLE: 0.4054651081081644 NaN -Infinity NULL
        GREATEST(i, dc) -> DECIMAL(12, 2): 1.50 -123.45 0.00 NULL
        LEAST(i, 0) -> INT: 0 -70000 0 NULL
        ",
    );
}

#[test]
fn functions_of_real_numbers() {
    one_row().check(
        "
        ACOS(2) -> DOUBLE NOT NULL: NaN
        ATAN2(-1, -1) -> DOUBLE NOT NULL: -2.356194490192345
        COT(0) -> DOUBLE NOT NULL: Infinity
        DEGREES(PI()) -> DOUBLE NOT NULL: 180.0
        EXP(710) -> DOUBLE NOT NULL: Infinity
        EXP(CAST(NULL AS INT)) -> DOUBLE: NULL
        LOG(2, 8) -> DOUBLE NOT NULL: 3.0
        LOG(E()) -> DOUBLE NOT NULL: 1.0
        LOG2(8) -> DOUBLE NOT NULL: 3.0
        LOG10(0.001) -> DOUBLE NOT NULL: -3.0
        POWER(2, 10) -> DOUBLE NOT NULL: 1024.0
        SQRT(2.25) -> DOUBLE NOT NULL: 1.5
        PI -> DOUBLE NOT NULL: 3.141592653589793
        SIN('x') -> error: SIN(<NUMERIC>)
        SQRT(TRUE) -> error: Cannot apply 'SQRT'
        SQRRT(2) -> error: did you mean SQRT?
        BIN(-1) -> STRING NOT NULL: 1111111111111111111111111111111111111111111111111111111111111111
        HEX(255) -> STRING NOT NULL: FF
        HEX('Flink') -> STRING NOT NULL: 466C696E6B
        UNHEX('466c') -> BYTES: x'466c'
        UNHEX('xyz') -> BYTES: NULL
        BIN(1.5e0) -> error: BIN(<INTEGER>)
        ",
    );
}

#[test]
fn random_numbers_follow_their_seed() {
    let rows = table("id INT\n1\n2\n3");
    rows.check(
        "
        RAND(42) -> DOUBLE NOT NULL: 0.7275636800328681 0.6832234717598454 0.30871945533265976
        RAND_INTEGER(7, 1000) -> INT NOT NULL: 236 164 485
        ",
    );
    let (_, drawn) = rows.run("RAND()").unwrap();
    assert!(drawn[0] != drawn[1], "each row draws again: {drawn:?}");
    let (_, ids) = rows.run("UUID()").unwrap();
    assert!(ids[0] != ids[1] && ids.iter().all(|id| id.len() == 36 && id.as_bytes()[14] == b'4'), "{ids:?}");
}

#[test]
fn times_and_intervals() {
    one_row().check(
        "
        DATE '2020-01-31' + INTERVAL '1' MONTH -> DATE NOT NULL: 2020-02-29
        DATE '2020-01-01' + INTERVAL '25' HOUR -> DATE NOT NULL: 2020-01-02
        TIMESTAMP '2020-01-01 00:00:00.123456' - INTERVAL '1' DAY -> TIMESTAMP(6) NOT NULL: 2019-12-31 00:00:00.123456
        TIMESTAMP '2020-01-01 00:00:00' + INTERVAL '1.5' SECOND -> TIMESTAMP(0) NOT NULL: 2020-01-01 00:00:01
        TIME '23:30:00' + INTERVAL '1' HOUR -> TIME(0) NOT NULL: 00:30:00
        INTERVAL '1' DAY + DATE '2020-01-01' -> DATE NOT NULL: 2020-01-02
        INTERVAL '1' YEAR - INTERVAL '1' MONTH -> INTERVAL MONTH NOT NULL: +0-11
        2 * INTERVAL '1' HOUR -> INTERVAL SECOND(3) NOT NULL: +0 02:00:00.000
        -INTERVAL '1' DAY -> INTERVAL SECOND(3) NOT NULL: -1 00:00:00.000
        INTERVAL '1' DAY + INTERVAL '1' MONTH -> error: Cannot apply '+'
        DATE '2020-01-01' - 1 -> error: Cannot apply '-'
        DATE '2020-01-01' + DATE '2020-01-01' -> error: <DATETIME> + <DATETIME_INTERVAL>
        ",
    );
}

/// Where the type of the result holds every result nothing is checked; elsewhere what does not fit is NULL.
#[test]
fn decimals_that_always_fit_and_others() {
    table(
        "
        b BIGINT             | d DECIMAL(4, 3) | w DECIMAL(38, 0)                       | e DECIMAL(10, 2)
        9223372036854775807  | 9.999           | 99999999999999999999999999999999999999 | 12345678.90
        -9223372036854775808 | -9.999          | -1                                     | -0.01
        NULL                 | NULL            | NULL                                   | NULL
        ",
    )
    .check(
        "
        d * b -> DECIMAL(24, 3): 92224496996510903294.193 92224496996510903304.192 NULL
        b * d -> DECIMAL(24, 3): 92224496996510903294.193 92224496996510903304.192 NULL
        d + b -> DECIMAL(23, 3): 9223372036854775816.999 -9223372036854775817.999 NULL
        b - d -> DECIMAL(23, 3): 9223372036854775797.001 -9223372036854775798.001 NULL
        w * d -> DECIMAL(38, 3): NULL 9.999 NULL
        w + e -> DECIMAL(38, 2): NULL -1.01 NULL
        CAST(b AS DECIMAL(19, 0)) -> DECIMAL(19, 0): 9223372036854775807 -9223372036854775808 NULL
        CAST(b AS DECIMAL(10, 0)) -> DECIMAL(10, 0): NULL NULL NULL
        CAST(e AS DECIMAL(12, 4)) -> DECIMAL(12, 4): 12345678.9000 -0.0100 NULL
        CAST(e AS DECIMAL(8, 2)) -> DECIMAL(8, 2): NULL -0.01 NULL
        CAST(e AS DECIMAL(9, 1)) -> DECIMAL(9, 1): 12345678.9 0.0 NULL
        d > w -> BOOLEAN: FALSE FALSE NULL
        e < d -> BOOLEAN: FALSE FALSE NULL
        e > 12345678.8999 -> BOOLEAN: TRUE FALSE NULL
        b > 0.5 -> BOOLEAN: TRUE FALSE NULL
        ",
    );
}
