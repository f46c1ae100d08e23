//! Comparison, three-valued logic, choice, and operands that must not be computed for rows that do not need
//! them.

use std::sync::Arc;

use crate::support::{Table, expr, one_row, table};
use flott_expr::{EvalContext, bind, compile, fold, literal_text};
use flott_plan::Expr;

fn pairs() -> Table {
    table(
        "
        a INT | b INT | s STRING
        1     | 1     | a
        1     | 2     | b
        3     | 0     | NULL
        NULL  | 1     | c
        ",
    )
}

#[test]
fn comparisons() {
    one_row().check(
        "
        1 = 1.0 -> BOOLEAN NOT NULL: TRUE
        CAST(1 AS TINYINT) = CAST(1 AS BIGINT) -> BOOLEAN NOT NULL: TRUE
        1 <> CAST(NULL AS INT) -> BOOLEAN: NULL
        1 = NULL -> BOOLEAN: NULL
        '10' > 9 -> BOOLEAN NOT NULL: TRUE
        '10' > '9' -> BOOLEAN NOT NULL: FALSE
        1 = '1' -> error: implicit type conversion
        DATE '2020-01-01' = '2020-01-01' -> BOOLEAN NOT NULL: TRUE
        DATE '2020-01-02' > '2020-01-01' -> BOOLEAN NOT NULL: TRUE
        TIMESTAMP '2020-01-01 00:00:00' <> TIMESTAMP '2020-01-01 00:00:00.000' -> BOOLEAN NOT NULL: FALSE
        TIMESTAMP '2020-01-01 00:00:00' < TIMESTAMP '2020-01-01 00:00:00.000000001' -> BOOLEAN NOT NULL: TRUE
        X'01' < X'0100' -> BOOLEAN NOT NULL: TRUE
        -0.0e0 < 0.0e0 -> BOOLEAN NOT NULL: FALSE
        CAST('NaN' AS DOUBLE) = CAST('NaN' AS DOUBLE) -> BOOLEAN NOT NULL: FALSE
        INTERVAL '11' MONTH < INTERVAL '1' YEAR -> BOOLEAN NOT NULL: TRUE
        TRUE > FALSE -> BOOLEAN NOT NULL: TRUE
        1 IS DISTINCT FROM NULL -> BOOLEAN NOT NULL: TRUE
        CAST(NULL AS INT) IS NOT DISTINCT FROM CAST(NULL AS INT) -> BOOLEAN NOT NULL: TRUE
        4 IN (1, 2, NULL) -> BOOLEAN: NULL
        1 IN (1, 2, NULL) -> BOOLEAN: TRUE
        1 NOT IN (2, 3) -> BOOLEAN NOT NULL: TRUE
        1 IN ('a', DATE '2020-01-01') -> error: compatible types
        12 BETWEEN SYMMETRIC 15 AND 12 -> BOOLEAN NOT NULL: TRUE
        12 BETWEEN CAST(NULL AS INT) AND 10 -> BOOLEAN: FALSE
        12 NOT BETWEEN 15 AND CAST(NULL AS INT) -> BOOLEAN: TRUE
        'a.b' LIKE 'a._' -> BOOLEAN NOT NULL: TRUE
        'axxb' LIKE 'a%x_' -> BOOLEAN NOT NULL: TRUE
        'abab' LIKE '%ab_%' -> BOOLEAN NOT NULL: TRUE
        'a%b' NOT LIKE 'a#%b' ESCAPE '#' -> BOOLEAN NOT NULL: FALSE
        'a' LIKE 'a!b' ESCAPE '!' -> error: Invalid escape sequence 'a!b', 1
        1 LIKE 'a' -> error: LIKE(<STRING>, <STRING>[, <STRING>])
        'abc' SIMILAR TO '(a|x)[b-d]+' -> BOOLEAN NOT NULL: TRUE
        'a.c' SIMILAR TO 'a.c' -> BOOLEAN NOT NULL: TRUE
        'abc' SIMILAR TO 'a.c' -> BOOLEAN NOT NULL: TRUE
        ROW(1, 'a') = ROW(1, 'a') -> BOOLEAN NOT NULL: TRUE
        (1, 'a') <> (1, 'b') -> BOOLEAN NOT NULL: TRUE
        (1, 2) IN ((1, 2), (3, 4)) -> BOOLEAN NOT NULL: TRUE
        ARRAY[1, NULL] = ARRAY[1, NULL] -> BOOLEAN NOT NULL: TRUE
        MAP['a', 1, 'b', 2] = MAP['b', 2, 'a', 1] -> BOOLEAN NOT NULL: TRUE
        MAP['a', 1] < MAP['a', 2] -> error: Comparable type expected
        ARRAY[1] = 1 -> error: <COMPARABLE_TYPE> = <COMPARABLE_TYPE>
        ",
    );
}

#[test]
fn long_lists_are_searched_as_sets() {
    table(
        "
        a INT | s STRING | d DATE
        1     | a        | 2020-01-01
        7     | x        | 2021-01-01
        NULL  | NULL     | NULL
        ",
    )
    .check(
        "
        a IN (1, 2, 3, 4) -> BOOLEAN: TRUE FALSE NULL
        a NOT IN (1, 2, 3, 4, NULL) -> BOOLEAN: FALSE NULL NULL
        a IN ('1', '2', '3', '4') -> BOOLEAN: TRUE FALSE NULL
        a IN (1, 2.5, 3, 4) -> BOOLEAN: TRUE FALSE NULL
        s IN ('a', 'b', 'c', 'dd') -> BOOLEAN: TRUE FALSE NULL
        d IN (DATE '2020-01-01', DATE '2020-01-02', DATE '2020-01-03', DATE '2020-01-04') -> BOOLEAN: TRUE FALSE NULL
        ",
    );
}

#[test]
fn three_valued_logic() {
    let bools = table(
        "
        a BOOLEAN | b BOOLEAN
        TRUE  | FALSE
        TRUE  | NULL
        FALSE | NULL
        NULL  | NULL
        ",
    );
    bools.check(
        "
        a AND b -> BOOLEAN: FALSE NULL FALSE NULL
        a OR b -> BOOLEAN: TRUE TRUE NULL NULL
        NOT b -> BOOLEAN: TRUE NULL NULL NULL
        a AND FALSE -> BOOLEAN: FALSE FALSE FALSE FALSE
        a OR TRUE -> BOOLEAN: TRUE TRUE TRUE TRUE
        a IS NOT TRUE -> BOOLEAN NOT NULL: FALSE FALSE TRUE TRUE
        b IS UNKNOWN -> BOOLEAN NOT NULL: FALSE TRUE TRUE TRUE
        b IS FALSE -> BOOLEAN NOT NULL: TRUE FALSE FALSE FALSE
        1 AND TRUE -> error: <BOOLEAN> AND <BOOLEAN>
        TRUE AND NULL -> error: Illegal use of 'NULL'
        ",
    );
    let types: Vec<_> = bools.columns.iter().map(|(_, ty)| ty.clone()).collect();
    let predicate = expr("a AND b IS NULL", &bools.columns, &bools.context).unwrap();
    let compiled = compile(&predicate, &types, &Arc::new(EvalContext::new(&bools.context, 1))).unwrap();
    let kept = compiled.evaluate_predicate(&bools.batch).unwrap();
    assert_eq!(kept.iter().collect::<Vec<_>>(), [false, true, false, false]);
}

/// AND and OR of several operands give, and fold to, what they give and fold to two at a time.
#[test]
fn several_operands() {
    let bools = table(
        "
        a BOOLEAN | b BOOLEAN
        TRUE  | FALSE
        TRUE  | NULL
        FALSE | NULL
        NULL  | TRUE
        ",
    );
    let operands = ["a", "b", "TRUE", "FALSE", "CAST(NULL AS BOOLEAN)"];
    let operands = operands.map(|text| expr(text, &bools.columns, &bools.context).unwrap());
    let call = |name, args| bind::call(name, args, &bools.context).unwrap();
    for name in ["AND", "OR"] {
        for number in 0..operands.len().pow(4) {
            let chosen: Vec<_> = (0..4).map(|at| operands[number / 5usize.pow(at) % 5].clone()).collect();
            let several = call(name, chosen.clone());
            let nested = chosen.into_iter().reduce(|left, right| call(name, vec![left, right])).unwrap();
            assert_eq!(bools.evaluate(&several).unwrap(), bools.evaluate(&nested).unwrap());
            let (several, nested) =
                (fold(several, &bools.context).unwrap(), fold(nested, &bools.context).unwrap());
            assert_eq!(bools.evaluate(&several).unwrap(), bools.evaluate(&nested).unwrap());
            assert_eq!(leaves(&several), leaves(&nested));
        }
    }
}

/// What an expression of AND and OR is of, from left to right.
fn leaves(expr: &Expr) -> Vec<String> {
    let leaf = |node: &&Expr| node.children().is_empty();
    let text = |node: &Expr| match node {
        Expr::Column { index, .. } => format!("${index}"),
        Expr::Literal { value, .. } => format!("{value:?}"),
        other => format!("{other:?}"),
    };
    expr.walk().filter(leaf).map(text).collect()
}

#[test]
fn choice() {
    pairs().check(
        "
        CASE a WHEN 1 THEN 'one' ELSE 'other' END -> VARCHAR(5) NOT NULL: one one other other
        CASE WHEN a > b THEN a WHEN a < b THEN b END -> INT: NULL 2 3 NULL
        CASE a WHEN 1 THEN b WHEN 3 THEN CAST(a AS BIGINT) ELSE 0.5 END -> DECIMAL(20, 1): 1.0 2.0 3.0 0.5
        IF(a > b, a, b) -> INT: 1 2 3 1
        IF(s = 'a', 'same', 'diff') -> CHAR(4): same diff diff diff
        NULLIF(a, b) -> INT: NULL 1 3 NULL
        COALESCE(s, 'none') -> STRING NOT NULL: a b none c
        COALESCE(a, CAST(NULL AS BIGINT)) -> BIGINT: 1 1 3 NULL
        IFNULL(a, 0) -> INT NOT NULL: 1 1 3 0
        GREATEST(a, b, 2) -> INT: 2 2 3 NULL
        LEAST(s, 'b') -> STRING: a b NULL b
        CASE WHEN TRUE THEN 1 ELSE DATE '2020-01-01' END -> error: no type in common
        CASE WHEN 1 THEN 1 END -> error: WHEN takes a BOOLEAN
        IF(1, 2, 3) -> error: IF(<BOOLEAN>, <COMMON>, <COMMON>)
        COALESCE(X'00', 5) -> error: COALESCE(<COMMON>, <COMMON>...)
        ",
    );
}

#[test]
fn what_a_row_does_not_need_does_not_fail_it() {
    pairs().check(
        "
        CASE WHEN b <> 0 THEN a / b ELSE -1 END -> INT: 1 0 -1 NULL
        CASE WHEN b = 0 THEN 0 WHEN a / b > 0 THEN 1 ELSE 2 END -> INT NOT NULL: 1 2 0 2
        CASE WHEN b > 0 THEN a / b ELSE b + 10 END -> INT: 1 0 10 NULL
        CASE WHEN b > 0 THEN a / b WHEN b = 0 THEN b / a ELSE 1 / b END -> INT: 1 0 0 NULL
        CASE WHEN b > 0 THEN CAST(a / b AS STRING) WHEN b = 0 THEN s ELSE '-' END -> STRING: 1 0 NULL NULL
        CASE WHEN a / (b + 1) > 0 THEN s ELSE CAST(b / a AS STRING) END -> STRING: 1 2 NULL NULL
        b <> 0 AND a / b > 0 -> BOOLEAN: TRUE FALSE FALSE NULL
        b = 0 OR a / b > 0 -> BOOLEAN: TRUE FALSE TRUE NULL
        COALESCE(NULLIF(b, 1), a / (b - 1), -5) -> error: Division by zero
        COALESCE(b, a / 0) -> INT: 1 2 0 1
        a / b > 0 AND b <> 0 -> error: Division by zero
        IF(b = 0, 0, 10 / b) -> INT: 10 5 0 10
        CASE WHEN b > 0 AND a / b = 1 THEN s WHEN b = 0 THEN 'zero' END -> STRING: a NULL zero NULL
        CASE WHEN a > 1 THEN COALESCE(CAST(NULL AS INT), a / (b + 1)) ELSE b END -> INT: 1 2 3 1
        ",
    );
}

#[test]
fn text_that_is_no_date_equals_no_date() {
    table("d DATE | s STRING\n2020-01-01 | 2020-01-01\n2020-01-01 | x").check(
        "
        d = s -> BOOLEAN: TRUE NULL
        d > s -> error: For input string: 'x'
        ",
    );
}

#[test]
fn types_of_expressions() {
    one_row().check(
        "
        TYPEOF(1) -> STRING: INT NOT NULL
        TYPEOF(NULL) -> STRING: NULL
        TYPEOF('a') -> STRING: CHAR(1) NOT NULL
        TYPEOF(CAST('a' AS STRING), TRUE) -> STRING: VARCHAR(2147483647) NOT NULL
        TYPEOF(CAST(NULL AS TIMESTAMP_LTZ(3))) -> STRING: TIMESTAMP_LTZ(3)
        TYPEOF() -> error: TYPEOF(<ANY>)
        TYPEOF(ROW(1, 'a')) -> STRING: ROW<`EXPR$0` INT NOT NULL, `EXPR$1` CHAR(1) NOT NULL> NOT NULL
        CURRENT_DATABASE() -> STRING NOT NULL: default_database
        PARSE_JSON('1') -> VARIANT NOT NULL: 1
        ",
    );
}

#[test]
fn assignment_to_columns() {
    use crate::support::ty;
    let one = || literal_text::number("1").unwrap();
    assert_eq!(bind::assign(one(), "c", &ty("BIGINT")).unwrap().ty().to_string(), "BIGINT NOT NULL");
    let error = bind::assign(one(), "c", &ty("STRING")).unwrap_err().to_string();
    assert!(error.contains("sink column 'c'") && error.contains("CAST(... AS STRING)"), "{error}");
    for (from, to, want) in [
        ("VARCHAR(10)", "VARCHAR(5)", true),
        ("CHAR(3)", "STRING", true),
        ("STRING", "CHAR(3)", false),
        ("BIGINT", "INT", false),
        ("INT", "DECIMAL(5, 2)", true),
        ("DOUBLE", "FLOAT", false),
        ("TIMESTAMP(3)", "TIMESTAMP_LTZ(3)", true),
        ("DATE", "TIMESTAMP(3)", false),
        ("ARRAY<INT>", "ARRAY<BIGINT>", true),
        ("ROW<a INT>", "ROW<b STRING>", false),
    ] {
        assert_eq!(bind::assignable(&ty(from), &ty(to)), want, "{from} to {to}");
    }
}

#[test]
fn common_types() {
    use crate::support::ty;
    for (types, want) in [
        (vec!["INT NOT NULL", "DECIMAL(2, 1) NOT NULL", "BIGINT NOT NULL"], "DECIMAL(20, 1) NOT NULL"),
        (vec!["CHAR(1) NOT NULL", "CHAR(2)"], "VARCHAR(2)"),
        (vec!["CHAR(2)", "CHAR(2)"], "CHAR(2)"),
        (vec!["FLOAT", "DOUBLE"], "FLOAT"),
        (vec!["DECIMAL(5, 2)", "FLOAT"], "DOUBLE"),
        (vec!["DATE", "TIMESTAMP(3)"], "TIMESTAMP(3)"),
        (vec!["ARRAY<INT>", "ARRAY<BIGINT NOT NULL>"], "ARRAY<BIGINT>"),
    ] {
        let types: Vec<_> = types.into_iter().map(ty).collect();
        assert_eq!(bind::common_type(&types).unwrap().to_string(), want);
    }
    assert!(bind::common_type(&[ty("INT"), ty("ARRAY<INT>")]).is_err());
}

/// Conditions and values that cannot fail, over columns with NULLs: each row takes the value of its first
/// TRUE condition.
#[test]
fn case_over_columns() {
    table(
        "
        k INT | a INT | b INT | s STRING | c BOOLEAN
        0     | 1     | 10    | x        | TRUE
        1     | 2     | NULL  | y        | FALSE
        2     | NULL  | 30    | NULL     | NULL
        NULL  | 4     | 40    | z        | TRUE
        0     | NULL  | 50    | w        | FALSE
        ",
    )
    .check(
        "
        CASE WHEN k = 0 THEN a WHEN k = 1 THEN b ELSE k END -> INT: 1 NULL 2 NULL NULL
        CASE WHEN k = 0 THEN 7 WHEN k >= 0 THEN a ELSE b END -> INT: 7 2 NULL 40 7
        CASE WHEN k = 0 THEN NULL ELSE b END -> INT: NULL NULL 30 40 NULL
        CASE WHEN c THEN s ELSE '-' END -> STRING: x - - z -
        CASE WHEN k = 0 THEN s WHEN a = 4 THEN 'four' END -> STRING: x NULL NULL four w
        CASE WHEN k > 5 THEN a ELSE b END -> INT: 10 NULL 30 40 50
        CASE WHEN k > 5 THEN a ELSE 1 END -> INT: 1 1 1 1 1
        CASE WHEN c THEN c ELSE k = 0 END -> BOOLEAN: TRUE FALSE FALSE TRUE TRUE
        CASE WHEN k = 0 THEN CAST(a AS DECIMAL(5,1)) ELSE 0.5 END -> DECIMAL(5, 1): 1.0 0.5 0.5 0.5 NULL
        CASE WHEN k = 0 THEN 1 / k ELSE a END -> error: Division by zero
        CASE WHEN k = 0 THEN a ELSE 1 / k END -> INT: 1 1 0 NULL NULL
        ",
    );
}
