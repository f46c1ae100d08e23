//! How results look.

use expect_test::{Expect, expect};

use crate::support::run;

const UPDATES: &str = "SELECT k, COUNT(*) AS c FROM (VALUES ('a'), ('b'), ('a')) AS t(k) GROUP BY k";

fn check(mode: &str, sql: &str, expected: Expect) {
    let run = run(&["sql", "-q", "-D", "parallelism.default=1", "--output", mode, "-e", sql]);
    assert_eq!((run.code, run.err.as_str()), (0, ""));
    expected.assert_eq(&run.out);
}

#[test]
fn tableau() {
    check(
        "tableau",
        "SELECT 1 AS id, 'Grüße' AS text, CAST(NULL AS DATE) AS d",
        expect![[r#"
        +----+-------------+--------+------------+
        | op |          id |   text |          d |
        +----+-------------+--------+------------+
        | +I |           1 | Grüße  | <NULL>     |
        +----+-------------+--------+------------+
        Received a total of 1 row in set
    "#]],
    );
}

#[test]
fn table_of_a_result_with_updates() {
    check(
        "table",
        UPDATES,
        expect![[r#"
        +---+---+
        | k | c |
        +---+---+
        | a | 2 |
        | b | 1 |
        +---+---+
        2 rows in set
    "#]],
    );
}

#[test]
fn an_empty_result() {
    check(
        "tableau",
        "SELECT 1 AS a WHERE FALSE",
        expect![[r#"
        +----+-------------+
        | op |           a |
        +----+-------------+
        +----+-------------+
        Received a total of 0 rows in set
    "#]],
    );
    check(
        "table",
        "SELECT 1 AS a WHERE FALSE",
        expect![[r#"
        Empty set
    "#]],
    );
    check(
        "csv",
        "SELECT 1 AS a WHERE FALSE",
        expect![[r#"
        a
    "#]],
    );
    check(
        "jsonl",
        "SELECT 1 AS a WHERE FALSE",
        expect![[r#"
        {"columns":[{"name":"a","type":"INT NOT NULL"}]}
    "#]],
    );
}

#[test]
fn csv() {
    let sql = "SELECT CAST(NULL AS STRING) AS n, '' AS e, 'a,\"b\"' AS q, TRUE AS t, 1.50 AS d";
    check(
        "csv",
        sql,
        expect![[r#"
        n,e,q,t,d
        ,"","a,""b""",TRUE,1.50
    "#]],
    );
}

#[test]
fn jsonl() {
    let sql =
        "SELECT CAST(NULL AS STRING) AS n, 'a\"ü' AS q, TRUE AS t, ARRAY[1, 2] AS a, DATE '2013-01-31' AS d";
    check(
        "jsonl",
        sql,
        expect![[r#"
        {"columns":[{"name":"n","type":"STRING"},{"name":"q","type":"CHAR(3) NOT NULL"},{"name":"t","type":"BOOLEAN NOT NULL"},{"name":"a","type":"ARRAY<INT NOT NULL> NOT NULL"},{"name":"d","type":"DATE NOT NULL"}]}
        {"kind":"+I","row":[null,"a\"ü","TRUE","[1, 2]","2013-01-31"]}
    "#]],
    );
}

#[test]
fn explain_and_show_create_are_text() {
    let sql = "CREATE TABLE t (a INT) WITH ('connector' = 'blackhole'); SHOW CREATE TABLE t";
    check(
        "tableau",
        sql,
        expect![[r#"
            CREATE TABLE `default_catalog`.`default_database`.`t` (
              `a` INT
            )
            WITH (
              'connector' = 'blackhole'
            )
        "#]],
    );
}

#[test]
fn the_mode_and_the_width_are_options() {
    let sql = "SET 'sql-client.execution.result-mode' = 'table'; SET 'sql-client.display.max-column-width' = '8'; \
               SELECT 'a long text' AS t";
    let run = run(&["sql", "-q", "-e", sql]);
    expect![[r#"
        +----------+
        |        t |
        +----------+
        | a lon... |
        +----------+
        1 row in set
    "#]]
    .assert_eq(&run.out);
}
