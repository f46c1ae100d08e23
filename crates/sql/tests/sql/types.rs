//! Types of results. What an expression's type is, crate `flott-expr` tests; here is what queries add.

use expect_test::expect;

use crate::support::{Shell, check};

/// A line for each expression: itself and its type.
fn types(from: &str, exprs: &[&str]) -> String {
    let mut shell = Shell::with_tables();
    exprs.iter().map(|expr| format!("{expr}: {}\n", shell.type_of(expr, from))).collect()
}

#[test]
fn columns_keep_their_types() {
    check(
        types("t", &["a", "b", "c", "d"]),
        expect![[r#"
        a: INT
        b: STRING
        c: BIGINT
        d: DOUBLE
    "#]],
    );
    check(
        types("u", &["a", "x", "y"]),
        expect![[r#"
        a: INT
        x: STRING NOT NULL
        y: DECIMAL(10, 2)
    "#]],
    );
    check(
        types("ups", &["id", "v"]),
        expect![[r#"
        id: INT NOT NULL
        v: STRING
    "#]],
    );
    check(
        types("bid", &["ts"]),
        expect![[r#"
        ts: TIMESTAMP(3)
    "#]],
    );
}

#[test]
fn outer_joins_make_nullable() {
    let x = &["l.x", "r.x", "COALESCE(l.x, r.x)"];
    check(
        types("u l JOIN u r ON l.a = r.a", x),
        expect![[r#"
        l.x: STRING NOT NULL
        r.x: STRING NOT NULL
        COALESCE(l.x, r.x): STRING NOT NULL
    "#]],
    );
    check(
        types("u l LEFT JOIN u r ON l.a = r.a", x),
        expect![[r#"
        l.x: STRING NOT NULL
        r.x: STRING
        COALESCE(l.x, r.x): STRING NOT NULL
    "#]],
    );
    check(
        types("u l RIGHT JOIN u r ON l.a = r.a", x),
        expect![[r#"
        l.x: STRING
        r.x: STRING NOT NULL
        COALESCE(l.x, r.x): STRING NOT NULL
    "#]],
    );
    check(
        types("u l FULL JOIN u r ON l.a = r.a", x),
        expect![[r#"
        l.x: STRING
        r.x: STRING
        COALESCE(l.x, r.x): STRING
    "#]],
    );
    check(
        types("u l CROSS JOIN u r", x),
        expect![[r#"
        l.x: STRING NOT NULL
        r.x: STRING NOT NULL
        COALESCE(l.x, r.x): STRING NOT NULL
    "#]],
    );
    check(
        types("u l LEFT JOIN u r ON l.x = r.x JOIN u z ON z.x = l.x", &["l.x", "r.x", "z.x"]),
        expect![[r#"
        l.x: STRING NOT NULL
        r.x: STRING
        z.x: STRING NOT NULL
    "#]],
    );
}

#[test]
fn using() {
    check(
        types("u JOIN ups ON u.a = ups.id", &["u.a", "ups.id"]),
        expect![[r#"
        u.a: INT
        ups.id: INT NOT NULL
    "#]],
    );
    check(
        types("u l LEFT JOIN u r USING (x)", &["x"]),
        expect![[r#"
        x: STRING NOT NULL
    "#]],
    );
    check(
        types("u l RIGHT JOIN u r USING (x)", &["x"]),
        expect![[r#"
        x: STRING NOT NULL
    "#]],
    );
    check(
        types("u l FULL JOIN u r USING (x)", &["x"]),
        expect![[r#"
        x: STRING
    "#]],
    );
}

#[test]
fn case_and_literals() {
    check(
        types(
            "u",
            &[
                "1",
                "1.5",
                "'abc'",
                "TRUE",
                "NULL",
                "DATE '2024-01-01'",
                "CASE WHEN a > 1 THEN 'yes' ELSE 'no' END",
                "CASE WHEN a > 1 THEN 'yes' END",
                "CASE WHEN a > 1 THEN 1 ELSE 2.5 END",
                "CASE WHEN a > 1 THEN x ELSE NULL END",
                "COALESCE(a, 0)",
                "NULLIF(x, 'k')",
                "a = 1",
                "x = 'k'",
                "x IS NULL",
                "a IN (1, 2)",
                "x || 'k'",
                "y * 2",
                "y / 3",
                "CAST(x AS INT)",
                "TRY_CAST(x AS INT)",
            ],
        ),
        expect![[r#"
            1: INT NOT NULL
            1.5: DECIMAL(2, 1) NOT NULL
            'abc': CHAR(3) NOT NULL
            TRUE: BOOLEAN NOT NULL
            NULL: invalid: Illegal use of 'NULL': write CAST(NULL AS <type>) to say of which type it is at line 1, column 8
            DATE '2024-01-01': DATE NOT NULL
            CASE WHEN a > 1 THEN 'yes' ELSE 'no' END: VARCHAR(3) NOT NULL
            CASE WHEN a > 1 THEN 'yes' END: CHAR(3)
            CASE WHEN a > 1 THEN 1 ELSE 2.5 END: DECIMAL(11, 1) NOT NULL
            CASE WHEN a > 1 THEN x ELSE NULL END: STRING
            COALESCE(a, 0): INT NOT NULL
            NULLIF(x, 'k'): STRING
            a = 1: BOOLEAN
            x = 'k': BOOLEAN NOT NULL
            x IS NULL: BOOLEAN NOT NULL
            a IN (1, 2): BOOLEAN
            x || 'k': STRING NOT NULL
            y * 2: DECIMAL(21, 2)
            y / 3: DECIMAL(21, 13)
            CAST(x AS INT): INT NOT NULL
            TRY_CAST(x AS INT): INT
        "#]],
    );
}

#[test]
fn aggregates_of_groups() {
    let calls = [
        "COUNT(*)",
        "COUNT(a)",
        "SUM(a)",
        "SUM(y)",
        "AVG(a)",
        "AVG(y)",
        "MIN(x)",
        "MAX(a)",
        "LISTAGG(x)",
        "COLLECT(x)",
        "FIRST_VALUE(x)",
        "STDDEV_POP(a)",
        "VAR_SAMP(y)",
        "SUM(a) FILTER (WHERE a > 1)",
        "COUNT(DISTINCT x)",
        "ARRAY_AGG(x)",
    ];
    check(
        types("u GROUP BY a, x", &calls),
        expect![[r#"
        COUNT(*): BIGINT NOT NULL
        COUNT(a): BIGINT NOT NULL
        SUM(a): INT
        SUM(y): DECIMAL(38, 2)
        AVG(a): INT
        AVG(y): DECIMAL(38, 6)
        MIN(x): STRING NOT NULL
        MAX(a): INT
        LISTAGG(x): STRING NOT NULL
        COLLECT(x): MULTISET<STRING NOT NULL> NOT NULL
        FIRST_VALUE(x): STRING NOT NULL
        STDDEV_POP(a): INT
        VAR_SAMP(y): DECIMAL(38, 6)
        SUM(a) FILTER (WHERE a > 1): INT
        COUNT(DISTINCT x): BIGINT NOT NULL
        ARRAY_AGG(x): ARRAY<STRING NOT NULL>
    "#]],
    );
}

#[test]
fn aggregates_of_all_rows() {
    let calls = ["COUNT(*)", "SUM(a)", "MIN(x)", "MAX(a) + 1", "AVG(y)", "LISTAGG(x)"];
    check(
        types("u", &calls),
        expect![[r#"
        COUNT(*): BIGINT NOT NULL
        SUM(a): INT
        MIN(x): STRING
        MAX(a) + 1: INT
        AVG(y): DECIMAL(38, 6)
        LISTAGG(x): STRING
    "#]],
    );
}

#[test]
fn keys() {
    check(
        types("u GROUP BY a, x", &["a", "x"]),
        expect![[r#"
        a: INT
        x: STRING NOT NULL
    "#]],
    );
    check(
        types("u GROUP BY ROLLUP (x)", &["x", "GROUPING(x)"]),
        expect![[r#"
        x: STRING
        GROUPING(x): BIGINT NOT NULL
    "#]],
    );
    check(
        types("u GROUP BY GROUPING SETS ((a, x), (x))", &["a", "x"]),
        expect![[r#"
        a: INT
        x: STRING NOT NULL
    "#]],
    );
}

#[test]
fn windows() {
    check(
        types(
            "TUMBLE(TABLE bid, DESCRIPTOR(ts), INTERVAL '1' MINUTE)",
            &["window_start", "window_end", "window_time", "ts"],
        ),
        expect![[r#"
            window_start: TIMESTAMP(3) NOT NULL
            window_end: TIMESTAMP(3) NOT NULL
            window_time: TIMESTAMP(3) NOT NULL
            ts: TIMESTAMP(3)
        "#]],
    );
    check(
        types(
            "bid",
            &[
                "SUM(price) OVER (ORDER BY ts)",
                "COUNT(*) OVER (ORDER BY ts)",
                "LAG(price) OVER (ORDER BY ts)",
            ],
        ),
        expect![[r#"
            SUM(price) OVER (ORDER BY ts): INT
            COUNT(*) OVER (ORDER BY ts): BIGINT NOT NULL
            LAG(price) OVER (ORDER BY ts): INT
        "#]],
    );
    check(
        types("(SELECT *, ROW_NUMBER() OVER (ORDER BY price) AS n FROM bid) WHERE n <= 3", &["n", "price"]),
        expect![[r#"
            n: BIGINT NOT NULL
            price: INT
        "#]],
    );
}

#[test]
fn subqueries() {
    check(
        types(
            "u",
            &["(SELECT COUNT(*) FROM t)", "(SELECT x FROM u)", "(SELECT COUNT(*) FROM t WHERE t.a = u.a)"],
        ),
        expect![[r#"
            (SELECT COUNT(*) FROM t): BIGINT
            (SELECT x FROM u): STRING
            (SELECT COUNT(*) FROM t WHERE t.a = u.a): BIGINT
        "#]],
    );
}

#[test]
fn set_operations_and_values() {
    check(
        Shell::with_tables().dialog(
            "SELECT a FROM t UNION ALL SELECT c FROM t;
             SELECT x FROM u UNION ALL SELECT b FROM t;
             SELECT x FROM u UNION SELECT x FROM u;
             SELECT 'a' AS s UNION ALL SELECT 'bcd';
             SELECT x FROM u INTERSECT SELECT b FROM t;
             SELECT b FROM t EXCEPT SELECT x FROM u;
             SELECT 1 AS n UNION ALL SELECT 2.5;
             SELECT 1 AS n UNION ALL SELECT NULL;
             VALUES (1, 'a'), (2, 'bcd');
             VALUES (1, NULL), (2.5, 'x');
             SELECT * FROM (VALUES (1), (CAST(NULL AS INT))) AS v (n)",
        ),
        expect![[r#"
            > SELECT a FROM t UNION ALL SELECT c FROM t
            append-only: a BIGINT
            > SELECT x FROM u UNION ALL SELECT b FROM t
            append-only: x STRING
            > SELECT x FROM u UNION SELECT x FROM u
            updating: x STRING NOT NULL
            > SELECT 'a' AS s UNION ALL SELECT 'bcd'
            append-only: s VARCHAR(3) NOT NULL
            > SELECT x FROM u INTERSECT SELECT b FROM t
            updating: x STRING NOT NULL
            > SELECT b FROM t EXCEPT SELECT x FROM u
            updating: b STRING
            > SELECT 1 AS n UNION ALL SELECT 2.5
            append-only: n DECIMAL(11, 1) NOT NULL
            > SELECT 1 AS n UNION ALL SELECT NULL
            invalid: Illegal use of 'NULL': write CAST(NULL AS <type>) to say of which type it is at line 1, column 32
            > VALUES (1, 'a'), (2, 'bcd')
            append-only: EXPR$0 INT NOT NULL, EXPR$1 VARCHAR(3) NOT NULL
            > VALUES (1, NULL), (2.5, 'x')
            invalid: Illegal use of 'NULL': write CAST(NULL AS <type>) to say of which type it is at line 1, column 12
            > SELECT * FROM (VALUES (1), (CAST(NULL AS INT))) AS v (n)
            append-only: n INT
        "#]],
    );
}

#[test]
fn names_of_columns() {
    check(
        Shell::with_tables().dialog(
            "SELECT a, a + 1, t.b, UPPER(b), COUNT(*) FROM t GROUP BY a, b;
             SELECT * FROM t JOIN u ON t.a = u.a;
             SELECT a, a, a FROM t;
             SELECT a AS a0, a, a FROM t;
             SELECT t.*, x FROM t, u;
             SELECT 1, 2",
        ),
        expect![[r#"
            > SELECT a, a + 1, t.b, UPPER(b), COUNT(*) FROM t GROUP BY a, b
            updating: a INT, EXPR$1 INT, b STRING, EXPR$3 STRING, EXPR$4 BIGINT NOT NULL
            > SELECT * FROM t JOIN u ON t.a = u.a
            append-only: a INT, b STRING, c BIGINT, d DOUBLE, a0 INT, x STRING NOT NULL, y DECIMAL(10, 2)
            > SELECT a, a, a FROM t
            append-only: a INT, a0 INT, a1 INT
            > SELECT a AS a0, a, a FROM t
            append-only: a0 INT, a INT, a1 INT
            > SELECT t.*, x FROM t, u
            append-only: a INT, b STRING, c BIGINT, d DOUBLE, x STRING NOT NULL
            > SELECT 1, 2
            append-only: EXPR$0 INT NOT NULL, EXPR$1 INT NOT NULL
        "#]],
    );
}
