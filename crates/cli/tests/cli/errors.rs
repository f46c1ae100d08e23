//! What a user gets for a mistake: one line that says what and where, and a status that is not 0.

use std::fs::write;

use expect_test::{Expect, expect};

use crate::support::{execute, run, run_in, run_with_input};

fn check(args: &[&str], expected: Expect) {
    let run = run(args);
    assert_eq!((run.code, run.out.as_str()), (1, ""), "{run:?}");
    expected.assert_eq(&run.err);
}

#[test]
fn an_unknown_key_is_a_warning_in_set_and_an_error_on_the_command_line() {
    let run = run(&["sql", "-e", "SET 'paralelism.default' = '1'"]);
    assert_eq!((run.code, run.out.as_str()), (0, ""), "{run:?}");
    expect![[r#"
        [WARN] there is no option 'paralelism.default'; did you mean 'parallelism.default'?
        [INFO] Execute statement succeeded.
    "#]]
    .assert_eq(&run.err);
    check(
        &["sql", "-D", "paralelism.default=1", "-e", "SELECT 1"],
        expect![[r#"
        [ERROR] -D: there is no option 'paralelism.default'; did you mean 'parallelism.default'?
    "#]],
    );
}

#[test]
fn wrong_statements() {
    check(
        &["sql", "-e", "SELEC 1"],
        expect![[r#"
        [ERROR] Encountered `SELEC`, expected a statement: SELECT, INSERT, CREATE, ALTER, DROP, SHOW, DESCRIBE, EXPLAIN, USE, SET, RESET, EXECUTE .. at line 1, column 1
    "#]],
    );
    check(
        &["sql", "-e", "SELECT\n  x FROM nowhere"],
        expect![[r#"
        [ERROR] Object 'nowhere' not found at line 2, column 10
    "#]],
    );
    check(
        &["sql", "-e", "SELECT a FROM (VALUES (1)) AS t(b)"],
        expect![[r#"
        [ERROR] Column 'a' not found in any table at line 1, column 8
    "#]],
    );
    check(
        &["sql", "-e", "SELECT 'a' + 1"],
        expect![[r#"
        [ERROR] Cannot apply '+' to arguments of type '<CHAR(1)> + <INT>'. Supported form(s): '<NUMERIC> + <NUMERIC>' | '<DATETIME_INTERVAL> + <DATETIME_INTERVAL>' | '<DATETIME> + <DATETIME_INTERVAL>' | '<DATETIME_INTERVAL> + <DATETIME>' at line 1, column 8
    "#]],
    );
    check(
        &["sql", "-e", "SELECT 'open"],
        expect![[r#"
        [ERROR] The string that starts here has no closing quote at line 1, column 8
    "#]],
    );
    check(
        &["sql", "-e", "INSERT INTO nowhere SELECT 1"],
        expect![[r#"
        [ERROR] Object 'nowhere' not found at line 1, column 13
    "#]],
    );
    check(
        &["sql", "-e", "STOP JOB 'x'"],
        expect![[r#"
        [ERROR] there is no job 'x', at line 1, column 10; SHOW JOBS lists them
    "#]],
    );
    check(
        &["sql", "-e", "DESCRIBE JOB 'x'"],
        expect![[r#"
        [ERROR] there is no job 'x', at line 1, column 14; SHOW JOBS lists them
    "#]],
    );
}

#[test]
fn wrong_arguments() {
    check(
        &["sql", "-f", "missing.sql"],
        expect![[r#"
        [ERROR] cannot read missing.sql: No such file or directory (os error 2)
    "#]],
    );
    check(
        &["sql", "-i", "missing.sql", "-e", "SELECT 1"],
        expect![[r#"
        [ERROR] cannot read missing.sql: No such file or directory (os error 2)
    "#]],
    );
    check(
        &["sql", "-f", "/"],
        expect![[r#"
        [ERROR] cannot read /: Is a directory (os error 21)
    "#]],
    );
    check(
        &["sql", "-D", "parallelism.default", "-e", "SELECT 1"],
        expect![[r#"
        [ERROR] -D takes KEY=VALUE, not 'parallelism.default'
    "#]],
    );
    check(
        &["sql", "-D", "paralelism.default=1", "-e", "SELECT 1"],
        expect![[r#"
        [ERROR] -D: there is no option 'paralelism.default'; did you mean 'parallelism.default'?
    "#]],
    );
    check(
        &["sql", "-D", "parallelism.default=many", "-e", "SELECT 1"],
        expect![[r#"
        [ERROR] -D: option 'parallelism.default' is 'many'; expected a whole number
    "#]],
    );
    check(
        &["sql", "--config", "missing.yaml", "-e", "SELECT 1"],
        expect![[r#"
        [ERROR] missing.yaml: cannot be read: No such file or directory (os error 2)
    "#]],
    );
    check(
        &["sql", "--restore", "latest", "-e", "SELECT 1"],
        expect![[r#"
        [ERROR] --restore needs a script with an INSERT or a statement set; this one has none
    "#]],
    );
    assert_eq!(run(&["sql", "--nothing"]).code, 2);
}

#[test]
fn wrong_files() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, bytes: &[u8]| write(folder.path().join(name), bytes).unwrap();
    file("a.yaml", b"a: [1\nb");
    file("b.yaml", b"foo\n");
    file("c.yaml", b"paralelism:\n  default: 2\n");
    file("d.sql", b"SELECT 1;\n\xff\xfe");
    file("e.sql", b"SET 'pipeline.name' = 'e';\n\n  SELECT CAST('abc' AS INT);\nSELECT 2;");
    let check = |args: &[&str], expected: Expect| {
        let run = run_in(folder.path(), args);
        assert_eq!((run.code, run.out.as_str()), (1, ""), "{run:?}");
        expected.assert_eq(&run.err);
    };
    check(
        &["sql", "--config", "a.yaml", "-e", "SELECT 1"],
        expect![[r#"
        [ERROR] a.yaml: is not YAML: did not find expected ',' or ']' at line 3 column 1, while parsing a flow sequence at line 1 column 4
    "#]],
    );
    check(
        &["sql", "--config", "b.yaml", "-e", "SELECT 1"],
        expect![[r#"
        [ERROR] b.yaml: holds no keys; expected lines such as `parallelism.default: 4`
    "#]],
    );
    check(
        &["sql", "--config", "c.yaml", "-e", "SELECT 1"],
        expect![[r#"
        [ERROR] c.yaml: there is no option 'paralelism.default'; did you mean 'parallelism.default'?
    "#]],
    );
    check(
        &["sql", "-f", "d.sql"],
        expect![[r#"
        [ERROR] d.sql is not UTF-8 text: see line 2
    "#]],
    );
    check(
        &["sql", "-q", "-f", "e.sql"],
        expect![[r#"
        [ERROR] e.sql, line 3, column 3: Calc(select=[CAST('abc' AS INT) AS EXPR$0]): CAST to INT: For input string: 'abc'. Invalid character found. TRY_CAST gives NULL instead
    "#]],
    );
}

#[test]
fn a_failing_job_is_reported_once() {
    let run = execute(
        "CREATE TABLE b (a INT) WITH ('connector' = 'blackhole'); INSERT INTO b SELECT CAST('x' AS INT)",
    );
    assert_eq!((run.code, run.out.as_str()), (1, ""));
    expect![[r#"
        [ERROR] job 'insert-into_default_catalog.default_database.b': Calc(select=[CAST('x' AS INT) AS a]): CAST to INT: For input string: 'x'. Invalid character found. TRY_CAST gives NULL instead
    "#]].assert_eq(&run.err);
}

#[test]
fn an_empty_script_is_no_mistake() {
    let run = run_with_input(&["sql"], " -- nothing\n;");
    assert_eq!(
        (run.code, run.out.as_str(), run.err.as_str()),
        (0, "", "[INFO] standard input has no statements.\n")
    );
}
