//! What was wrong once, and must not be again.

use crate::support::Shell;
use crate::uids::of;

fn refused(statement: &str) {
    let answer = Shell::with_tables().run(statement);
    assert!(answer.starts_with("invalid: ") || answer.starts_with("syntax: "), "{statement}: {answer}");
}

#[test]
fn null_safe_and_plain_equality_have_other_state() {
    assert_ne!(
        of("SELECT t.b FROM t JOIN u ON t.a = u.a"),
        of("SELECT t.b FROM t JOIN u ON t.a IS NOT DISTINCT FROM u.a")
    );
}

#[test]
fn columns_of_equal_name_from_either_side_have_other_state() {
    assert_ne!(
        of("SELECT l.b, MAX(r.b) FROM t l LEFT JOIN t r ON l.c = r.c GROUP BY l.b"),
        of("SELECT r.b, MAX(l.b) FROM t l LEFT JOIN t r ON l.c = r.c GROUP BY r.b")
    );
}

#[test]
fn windows_refine_windows() {
    let direct = "SELECT SUM(price) OVER (PARTITION BY auction ORDER BY ts) FROM bid";
    let named = "SELECT SUM(price) OVER c FROM bid WINDOW a AS (PARTITION BY auction), b AS (a ORDER BY ts), c AS (b)";
    let mut shell = Shell::with_tables();
    assert_eq!(shell.plan(direct), shell.plan(named));
    refused("SELECT SUM(price) OVER a FROM bid WINDOW a AS (a ORDER BY ts)");
    refused("SELECT SUM(price) OVER a FROM bid WINDOW a AS (b ORDER BY ts), b AS (a ORDER BY ts)");
}

#[test]
fn counts_alone_are_zero_where_there_is_nothing() {
    let plan = |call: &str| {
        let query = format!("SELECT (SELECT {call} FROM u WHERE u.a = t.a) FROM t");
        Shell::with_tables().plan(&query)
    };
    assert!(plan("COUNT(x)").contains("COALESCE(EXPR$0, 0:BIGINT)"));
    assert!(!plan("JSON_ARRAYAGG(x)").contains("COALESCE"));
    assert!(!plan("COLLECT(x)").contains("COALESCE"));
}

#[test]
fn relations_of_one_name() {
    refused("SELECT t.a FROM t, t");
    refused("SELECT x.a FROM t AS x JOIN u AS x ON TRUE");
}

#[test]
fn top_n_needs_an_order() {
    refused("SELECT * FROM (SELECT a, ROW_NUMBER() OVER (PARTITION BY a) AS n FROM t) WHERE n <= 3");
    refused(
        "SELECT * FROM (SELECT a, ROW_NUMBER() OVER (PARTITION BY a ORDER BY 'c') AS n FROM t) WHERE n <= 3",
    );
}

#[test]
fn a_partition_column_has_one_value() {
    let mut shell = Shell::with_tables();
    shell.run("CREATE TABLE p (a INT, region STRING) PARTITIONED BY (region) WITH ('connector' = 'rows')");
    let answer = shell.run("INSERT INTO p PARTITION (region = 'x', region = 'y') SELECT 1");
    assert!(answer.starts_with("invalid: "), "{answer}");
}

#[test]
fn a_view_has_each_column_once() {
    refused("CREATE VIEW v (k, k) AS SELECT 1, 2");
}

#[test]
fn a_view_keeps_the_columns_it_was_made_with() {
    let mut shell = Shell::with_tables();
    shell.run("CREATE VIEW v AS SELECT * FROM u; ALTER TABLE u ADD z INT");
    assert_eq!(shell.run("SELECT * FROM v"), "append-only: a INT, x STRING NOT NULL, y DECIMAL(10, 2)\n");
    shell.run("DROP TABLE u; CREATE TABLE u (p INT, q INT, r INT) WITH ('connector' = 'rows')");
    let answer = shell.run("SELECT * FROM v");
    assert!(answer.starts_with("invalid: "), "{answer}");
}

#[test]
fn backticks_in_names_come_back() {
    let mut shell = Shell::new();
    shell.run("CREATE TABLE `a``b` (x INT) WITH ('connector' = 'rows')");
    let printed = shell.run("SHOW CREATE TABLE `a``b`");
    shell.run("DROP TABLE `a``b`");
    assert_eq!(shell.run(&printed), "", "{printed}");
}

#[test]
fn mistakes_in_expressions_of_columns_have_their_place() {
    let answer = Shell::new().run("CREATE TABLE x (a INT,\n  b AS nope + 1) WITH ('connector' = 'rows')");
    assert!(answer.contains("line 2, column 8"), "{answer}");
}

#[test]
fn the_hint_for_an_unknown_table_is_no_column() {
    let answer = Shell::with_tables().run("SELECT v.a FROM t");
    assert!(answer.contains("Table 'v' not found") && !answer.contains("'a'"), "{answer}");
}

#[test]
fn names_of_fields_come_back() {
    let mut shell = Shell::new();
    shell.run("CREATE TABLE x (r ROW<`STRINGS` INT>) WITH ('connector' = 'rows')");
    let described = shell.run("DESCRIBE x");
    let printed = shell.run("SHOW CREATE TABLE x");
    shell.run("DROP TABLE x");
    shell.run(&printed);
    assert_eq!(shell.run("DESCRIBE x"), described, "{printed}");
}

#[test]
fn a_column_and_what_is_computed_from_it_go_together() {
    let mut shell = Shell::new();
    shell.run("CREATE TABLE x (id INT, twice AS id * 2, z INT) WITH ('connector' = 'rows')");
    assert_eq!(shell.run("ALTER TABLE x DROP (id, twice)"), "");
}
