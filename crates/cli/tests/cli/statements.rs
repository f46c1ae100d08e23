//! Where statements come from, and in which order they run.

use std::fs::write;

use crate::support::{execute, run, run_in, run_with_input};

#[test]
fn a_statement_of_the_command_line() {
    let run = execute("SELECT 1 + 1 AS two");
    assert!(run.out.contains("| +I |           2 |"), "{run:?}");
    assert_eq!((run.code, run.err.as_str()), (0, ""));
}

#[test]
fn a_script_with_tables_from_another() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path().join("numbers.csv"), "1\n2\n3\n").unwrap();
    let table =
        "CREATE TABLE n (a INT) WITH ('connector' = 'filesystem', 'path' = 'numbers.csv', 'format' = 'csv');";
    write(folder.path().join("init.sql"), table).unwrap();
    write(folder.path().join("job.sql"), "-- all of them\nSELECT SUM(a) AS s\nFROM n;\n").unwrap();
    let run = run_in(folder.path(), &["sql", "-q", "-i", "init.sql", "-f", "job.sql", "--output", "table"]);
    assert_eq!(run.out, "+---+\n| s |\n+---+\n| 6 |\n+---+\n1 row in set\n");
    assert_eq!((run.code, run.err.as_str()), (0, ""));
}

#[test]
fn standard_input_is_a_script() {
    let run = run_with_input(&["sql", "-q", "--output", "csv"], "SELECT 7 AS seven;\nSELECT 'x' AS x");
    assert_eq!((run.out.as_str(), run.code), ("seven\n7\nx\nx\n", 0));
}

#[test]
fn statements_before_a_mistake_run() {
    let run = execute("SELECT 1 AS alpha;\nSELECT 2 AS beta;\nSELEC 3;\nSELECT 4 AS gamma");
    assert!(run.out.contains("alpha") && run.out.contains("beta") && !run.out.contains("gamma"), "{run:?}");
    assert_eq!(run.code, 1);
    assert!(run.err.contains("at line 3, column 1"), "{run:?}");
}

#[test]
fn quit_ends_a_script() {
    let run = execute("SELECT 1 AS alpha; QUIT; SELECT 2 AS beta");
    assert!(run.out.contains("alpha") && !run.out.contains("beta"), "{run:?}");
    assert_eq!(run.code, 0);
}

#[test]
fn definitions_come_after_the_configuration_file() {
    let folder = tempfile::tempdir().unwrap();
    let yaml = "parallelism:\n  default: 3\npipeline.name: from file\ntable.dml-sync: true\n";
    write(folder.path().join("config.yaml"), yaml).unwrap();
    let args =
        ["sql", "--config", "config.yaml", "-D", "pipeline.name=from -D", "-e", "SET", "--output", "csv"];
    let run = run_in(folder.path(), &args);
    let expected = "key,value\nparallelism.default,3\npipeline.name,from -D\ntable.dml-sync,true\n";
    assert_eq!((run.out.as_str(), run.err.as_str(), run.code), (expected, "", 0));
}

#[test]
fn an_option_without_effect_is_reported() {
    let run = run(&["sql", "-D", "env.java.opts=-Xmx1g", "-e", "SELECT 1"]);
    assert!(run.err.starts_with("[WARN] option 'env.java.opts' has no effect"), "{run:?}");
    assert_eq!(run.code, 0);
}

#[test]
fn help_reads_well() {
    let run = run(&["sql", "--help"]);
    assert!(run.out.contains("--restore <latest|PATH>") && run.out.contains("Exit status"), "{run:?}");
    let longest = run.out.lines().map(str::len).max().unwrap();
    assert!(longest <= 130, "a line of {longest} characters");
}
