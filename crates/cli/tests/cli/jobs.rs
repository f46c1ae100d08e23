//! Jobs: what they write, and what signals do to them.

use std::fs::{File, read_to_string, write};
use std::io::{BufRead, BufReader};
use std::process::Stdio;

use crate::support::{command, run_in, signal, wait};

const ENDLESS: &str = "CREATE TABLE u (id BIGINT) WITH ('connector' = 'datagen', 'rows-per-second' = '200',
    'fields.id.kind' = 'sequence', 'fields.id.start' = '1', 'fields.id.end' = '1000000');";
const MANY: &str = "CREATE TABLE u (id BIGINT) WITH ('connector' = 'datagen',
    'fields.id.kind' = 'sequence', 'fields.id.start' = '1', 'fields.id.end' = '1000000');
    CREATE TABLE p (id BIGINT) WITH ('connector' = 'print');";

#[test]
fn insert_writes_exactly_the_rows() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path().join("in.csv"), "a,1\nb,NA\na,3\n").unwrap();
    let script = "
        CREATE TABLE i (k STRING, v STRING) WITH ('connector' = 'filesystem', 'path' = 'in.csv', 'format' = 'csv');
        CREATE TABLE o (k STRING, v INT) WITH ('connector' = 'filesystem', 'path' = 'out', 'format' = 'csv');
        INSERT INTO o SELECT k, TRY_CAST(v AS INT) * 10 FROM i;";
    write(folder.path().join("job.sql"), script).unwrap();
    let run = run_in(folder.path(), &["sql", "-f", "job.sql"]);
    assert_eq!((run.code, run.out.as_str()), (0, ""), "{run:?}");
    assert!(run.err.contains("[INFO] Job ID: "), "{run:?}");
    let mut lines = Vec::new();
    for file in folder.path().join("out").read_dir().unwrap() {
        lines.extend(read_to_string(file.unwrap().path()).unwrap().lines().map(str::to_owned));
    }
    lines.sort();
    assert_eq!(lines, ["a,10", "a,30", "b,"]);
}

#[test]
fn ctrl_c_ends_a_query_and_closes_its_table() {
    let folder = tempfile::tempdir().unwrap();
    let sql = format!("{ENDLESS} SELECT * FROM u");
    let mut child =
        command(folder.path(), &["sql", "-q", "-D", "parallelism.default=1", "-e", &sql]).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    for _ in 0..5 {
        lines.next().unwrap().unwrap();
    }
    signal(&child, "INT");
    let last = lines.map(Result::unwrap).last().unwrap();
    assert!(last.starts_with("+----+--"), "{last}");
    let run = wait(child);
    assert_eq!((run.code, run.err.as_str()), (130, ""));
}

#[test]
fn sigterm_ends_a_job() {
    let folder = tempfile::tempdir().unwrap();
    let sql = format!(
        "{ENDLESS} CREATE TABLE p (id BIGINT) WITH ('connector' = 'print'); INSERT INTO p SELECT * FROM u"
    );
    let mut child = command(folder.path(), &["sql", "-q", "-e", &sql]).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    lines.next().unwrap().unwrap();
    signal(&child, "TERM");
    assert!(lines.all(|line| line.is_ok_and(|line| line.ends_with(']'))), "a line was cut");
    let run = wait(child);
    assert_eq!((run.code, run.err.as_str()), (143, ""));
}

#[test]
fn a_failing_job_does_not_keep_another_from_its_end() {
    let folder = tempfile::tempdir().unwrap();
    let sql = "CREATE TABLE b (a INT) WITH ('connector' = 'blackhole');
        CREATE TABLE p (a INT) WITH ('connector' = 'print');
        INSERT INTO p SELECT 7; INSERT INTO b SELECT CAST('x' AS INT)";
    let run = run_in(folder.path(), &["sql", "-q", "-D", "parallelism.default=1", "-e", sql]);
    assert_eq!((run.code, run.out.as_str()), (1, "+I[7]\n"));
    assert_eq!(run.err.matches("[ERROR]").count(), 1, "{run:?}");
}

#[test]
fn a_restart_is_told() {
    let folder = tempfile::tempdir().unwrap();
    // It cannot be read; a file that is somewhere else in the next attempt could.
    write(folder.path().join("in.csv.gz"), "not compressed").unwrap();
    let sql =
        "SET 'restart-strategy.type' = 'fixed-delay'; SET 'restart-strategy.fixed-delay.delay' = '100 ms';
        SET 'sql-client.verbose' = 'true';
        CREATE TABLE i (a INT) WITH ('connector' = 'filesystem', 'path' = 'in.csv.gz', 'format' = 'csv');
        CREATE TABLE b (a INT) WITH ('connector' = 'blackhole'); INSERT INTO b SELECT * FROM i";
    let run = run_in(folder.path(), &["sql", "-q", "-D", "parallelism.default=1", "-e", sql]);
    assert_eq!(run.code, 1);
    let lines: Vec<&str> = run.err.lines().collect();
    assert!(
        lines[0].starts_with("[WARN] Job 'insert-into_default_catalog.default_database.b' was restarted"),
        "{run:?}"
    );
    assert!(
        lines[1].starts_with("  attempt 1, task ") && lines[2].starts_with("  attempt 2, task "),
        "{run:?}"
    );
    assert!(lines[3].starts_with("[ERROR] job 'insert-into") && lines.len() == 4, "{run:?}");
}

#[test]
fn what_would_fail_again_is_not_restarted() {
    let folder = tempfile::tempdir().unwrap();
    let sql =
        "SET 'restart-strategy.type' = 'fixed-delay'; SET 'restart-strategy.fixed-delay.attempts' = '1000';
        CREATE TABLE b (a INT) WITH ('connector' = 'blackhole'); INSERT INTO b SELECT CAST('x' AS INT)";
    let run = run_in(folder.path(), &["sql", "-q", "-D", "parallelism.default=1", "-e", sql]);
    assert_eq!((run.code, run.err.lines().count()), (1, 1), "{run:?}");
    assert!(run.err.starts_with("[ERROR] job 'insert-into"), "{run:?}");
    for (key, value) in [
        ("execution.checkpointing.max-concurrent-checkpoints", "0"),
        ("execution.checkpointing.interval", "-1 s"),
        ("execution.checkpointing.dir", "/proc/version/checkpoints"),
    ] {
        let set = format!("{key}={value}");
        let sql = "CREATE TABLE b (a INT) WITH ('connector' = 'blackhole'); INSERT INTO b SELECT 1";
        let run = run_in(folder.path(), &["sql", "-q", "-D", &set, "-e", sql]);
        assert_eq!((run.code, run.err.lines().count()), (1, 1), "{run:?}");
        assert!(run.err.contains(key) && run.err.contains(value), "{run:?}");
    }
}

#[test]
fn a_reader_that_has_seen_enough_is_no_failure() {
    let folder = tempfile::tempdir().unwrap();
    // With checkpoints a job would be restarted.
    let checkpoints = "SET 'execution.checkpointing.interval' = '1 s'; INSERT INTO p SELECT * FROM u";
    for statement in ["SELECT * FROM u", "INSERT INTO p SELECT * FROM u", checkpoints] {
        let sql = format!("{MANY} {statement}");
        let mut child = command(folder.path(), &["sql", "-q", "-e", &sql]).spawn().unwrap();
        let mut reader = BufReader::new(child.stdout.take().unwrap());
        reader.read_line(&mut String::new()).unwrap();
        drop(reader);
        let run = wait(child);
        assert_eq!((run.code, run.err.as_str()), (0, ""), "{statement}");
    }
}

#[test]
fn a_full_disk_is_a_failure() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = command(folder.path(), &["sql", "-q", "-e", "SELECT 1"]);
    command.stdout(Stdio::from(File::options().write(true).open("/dev/full").unwrap()));
    let run = wait(command.spawn().unwrap());
    assert_eq!(run.code, 1);
    assert!(run.err.starts_with("[ERROR] cannot write to standard output: No space left"), "{run:?}");
}
