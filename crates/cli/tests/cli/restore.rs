//! Jobs that are killed and go on.

use std::fs::{read_to_string, write};
use std::path::Path;
use std::process::Child;
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::support::{command, run_in, signal, wait};

const ROWS: usize = 1_500;

pub fn prepare(folder: &Path) {
    let script = format!(
        "CREATE TABLE u (id BIGINT) WITH ('connector' = 'datagen', 'rows-per-second' = '1000',
            'fields.id.kind' = 'sequence', 'fields.id.start' = '1', 'fields.id.end' = '{ROWS}');
        CREATE TABLE o (id BIGINT) WITH ('connector' = 'filesystem', 'path' = 'out', 'format' = 'csv');
        SET 'execution.checkpointing.interval' = '50 ms';
        INSERT INTO o SELECT id FROM u;"
    );
    write(folder.join("job.sql"), script).unwrap();
}

fn args(parallelism: &str) -> Vec<String> {
    let args = [
        "sql",
        "-f",
        "job.sql",
        "--restore",
        "latest",
        "-D",
        "execution.checkpointing.dir=checkpoints",
        "-D",
    ];
    args.iter().map(|arg| (*arg).to_owned()).chain([format!("parallelism.default={parallelism}")]).collect()
}

pub fn start(folder: &Path, parallelism: &str) -> Child {
    let args = args(parallelism);
    command(folder, &args.iter().map(String::as_str).collect::<Vec<_>>()).spawn().unwrap()
}

/// Waits until a job that is not one of these has a checkpoint; answers with all jobs that have.
#[expect(clippy::disallowed_methods, reason = "another process is waited for")]
pub fn wait_for_checkpoint(folder: &Path, known: &[String]) -> Vec<String> {
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        let jobs = folder.join("checkpoints").read_dir().into_iter().flatten().flatten();
        let has_one = |job: &std::fs::DirEntry| {
            let mut checkpoints = job.path().read_dir().into_iter().flatten().flatten();
            checkpoints.any(|checkpoint| checkpoint.path().join("_metadata").exists())
        };
        let names: Vec<String> =
            jobs.filter(has_one).map(|job| job.file_name().into_string().unwrap()).collect();
        if names.iter().any(|name| !known.contains(name)) {
            return names;
        }
        assert!(Instant::now() < deadline, "no checkpoint");
        sleep(Duration::from_millis(10));
    }
}

fn rows(folder: &Path) -> Vec<usize> {
    let mut rows = Vec::new();
    for file in folder.join("out").read_dir().unwrap().flatten().filter(|file| file.file_name() != "_SUCCESS")
    {
        if !file.file_name().to_string_lossy().starts_with('.') {
            rows.extend(
                read_to_string(file.path()).unwrap().lines().map(|line| line.parse::<usize>().unwrap()),
            );
        }
    }
    rows.sort_unstable();
    rows
}

#[test]
fn every_row_is_written_once_whatever_ends_the_process() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    prepare(folder);
    let mut known = Vec::new();
    let ends = [("2", "KILL", 137), ("1", "TERM", 143), ("2", "INT", 130)];
    for (start_number, (parallelism, name, code)) in ends.into_iter().enumerate() {
        let child = start(folder, parallelism);
        known = wait_for_checkpoint(folder, &known);
        signal(&child, name);
        let run = wait(child);
        assert_eq!(run.code, code, "{run:?}");
        let told =
            if start_number == 0 { "it starts from the beginning" } else { "Restoring from checkpoint" };
        assert!(run.err.contains(told), "{run:?}");
    }
    let run = wait(start(folder, "2"));
    assert_eq!(run.code, 0, "{run:?}");
    assert!(run.err.contains("  kept: Sink(table=[default_catalog.default_database.o]"), "{run:?}");
    assert_eq!(rows(folder), (1..=ROWS).collect::<Vec<_>>());
    let left = folder.join("checkpoints").read_dir().unwrap().flatten().filter(|job| {
        job.path()
            .read_dir()
            .unwrap()
            .flatten()
            .any(|entry| entry.file_name().to_string_lossy().starts_with("chk-"))
    });
    assert_eq!(left.count(), 0, "a job that has finished leaves nothing to go on with");
    let run = wait(start(folder, "1"));
    assert_eq!(run.code, 0, "{run:?}");
    assert!(
        run.err.contains(" has finished at ") && run.err.contains("start it without --restore"),
        "{run:?}"
    );
    assert_eq!(rows(folder), (1..=ROWS).collect::<Vec<_>>());
}

#[test]
fn a_script_is_not_started_while_it_runs() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    prepare(folder);
    let first = start(folder, "1");
    wait_for_checkpoint(folder, &[]);
    let second = wait(start(folder, "1"));
    assert_eq!(second.code, 1, "{second:?}");
    let who = format!("is already running: process {} on ", first.id());
    assert!(second.err.contains(&who) && second.err.contains("End that one first"), "{second:?}");
    // Killed, it is nobody's; the next start waits for nothing.
    signal(&first, "KILL");
    wait(first);
    let third = wait(start(folder, "1"));
    assert_eq!(third.code, 0, "{third:?}");
    assert!(third.err.contains("Restoring from checkpoint"), "{third:?}");
    assert_eq!(rows(folder), (1..=ROWS).collect::<Vec<_>>());
}

#[test]
fn a_damaged_checkpoint_is_not_taken_for_none() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    prepare(folder);
    let child = start(folder, "1");
    wait_for_checkpoint(folder, &[]);
    signal(&child, "KILL");
    wait(child);
    for job in folder.join("checkpoints").read_dir().unwrap().flatten() {
        for checkpoint in job.path().read_dir().unwrap().flatten() {
            let manifest = checkpoint.path().join("_metadata");
            if manifest.exists() {
                write(manifest, "{").unwrap();
            }
        }
    }
    let run = wait(start(folder, "1"));
    assert_eq!(run.code, 1, "{run:?}");
    assert!(run.err.contains("[ERROR] job.sql") && run.err.contains("_metadata"), "{run:?}");
}

#[test]
fn a_restore_needs_one_job_and_a_snapshot() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let table = "CREATE TABLE b (a INT) WITH ('connector' = 'blackhole');";
    let two = format!("{table} INSERT INTO b SELECT 1; INSERT INTO b SELECT 2");
    let run = run_in(folder, &["sql", "--restore", "latest", "-e", &two]);
    assert!(run.code == 1 && run.err.contains("with one job; this one has 2"), "{run:?}");
    let one = format!("{table} INSERT INTO b SELECT 1");
    let run = run_in(folder, &["sql", "-q", "--restore", "latest", "-e", &one]);
    assert!(run.code == 1 && run.err.contains("set 'execution.checkpointing.dir'"), "{run:?}");
    let run = run_in(folder, &["sql", "-q", "--restore", "nowhere", "-e", &one]);
    assert!(run.code == 1 && run.err.contains("there is no snapshot in 'nowhere'"), "{run:?}");
}

/// A job counts and sums; killed, it continues with another select list, under another name of its output and
/// with a sum more. What was counted goes on, no row is read or written twice, and what is new starts empty.
#[test]
fn an_edited_query_continues_with_its_state() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let script = |select: &str| {
        format!(
            "SET 'pipeline.name' = 'edited';
            SET 'execution.checkpointing.interval' = '50 ms';
            CREATE TABLE u (id BIGINT, k INT) WITH ('connector' = 'datagen', 'rows-per-second' = '1000',
                'fields.id.kind' = 'sequence', 'fields.id.start' = '1', 'fields.id.end' = '{ROWS}',
                'fields.k.min' = '7', 'fields.k.max' = '7');
            CREATE TABLE o (k INT, n BIGINT, total BIGINT) WITH ('connector' = 'filesystem', 'path' = 'out', 'format' = 'debezium-json');
            INSERT INTO o SELECT {select} FROM u GROUP BY k;"
        )
    };
    write(folder.join("job.sql"), script("k, COUNT(*) AS n, CAST(0 AS BIGINT) AS total")).unwrap();
    let child = start(folder, "1");
    wait_for_checkpoint(folder, &[]);
    signal(&child, "KILL");
    wait(child);

    write(folder.join("job.sql"), script("k AS kk, COUNT(*), SUM(id) AS s")).unwrap();
    let run = wait(start(folder, "2"));
    assert_eq!(run.code, 0, "{run:?}");
    for kept in ["TableSourceScan(", "GroupAggregate(", "Sink("] {
        assert!(run.err.contains(&format!("  kept: {kept}")) || run.err.contains(kept), "{kept}: {run:?}");
    }
    assert!(run.err.contains("SUM(u.id)") && run.err.contains("starts empty"), "{run:?}");
    let mut last = (0, 0);
    for file in folder.join("out").read_dir().unwrap().flatten() {
        let name = file.file_name().to_string_lossy().into_owned();
        if name.starts_with('.') || name.starts_with('_') {
            continue;
        }
        for line in read_to_string(file.path()).unwrap().lines() {
            let number = |key: &str| -> Option<u64> {
                let after = line.split("\"after\":").nth(1)?.split(&format!("\"{key}\":")).nth(1)?;
                after.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
            };
            if let (Some(n), Some(total)) = (number("n"), number("total")) {
                last = last.max((n, total));
            }
        }
    }
    // Every row was counted once; the sum is that of the rows since the edit.
    assert_eq!(last.0, ROWS as u64);
    let all = (ROWS * (ROWS + 1) / 2) as u64;
    assert!(last.1 > 0 && last.1 < all, "{last:?}");
}

#[test]
fn what_an_edited_query_would_keep_is_shown_in_advance() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let tables = "CREATE TABLE u (id BIGINT, k INT) WITH ('connector' = 'datagen', 'rows-per-second' = '1000',
            'fields.id.kind' = 'sequence', 'fields.id.start' = '1', 'fields.id.end' = '100000');
        CREATE TABLE o (k INT, n BIGINT) WITH ('connector' = 'filesystem', 'path' = 'out', 'format' = 'debezium-json');
        SET 'execution.checkpointing.interval' = '50 ms';
        SET 'execution.checkpointing.dir' = 'checkpoints';";
    write(folder.join("job.sql"), format!("{tables} INSERT INTO o SELECT k, COUNT(*) FROM u GROUP BY k;"))
        .unwrap();
    let child = start(folder, "1");
    let jobs = wait_for_checkpoint(folder, &[]);
    signal(&child, "KILL");
    wait(child);
    let explain = |path: &str, query: &str| {
        let script = format!("{tables} EXPLAIN RESTORE '{path}' FOR INSERT INTO o {query};");
        run_in(folder, &["sql", "-e", &script, "--output", "csv"])
    };
    let path = format!("checkpoints/{}", jobs[0]);
    let run = explain(&path, "SELECT k AS key_, COUNT(*) + MAX(id) FROM u GROUP BY k");
    assert_eq!(run.code, 0, "{run:?}");
    for kept in ["kept,\"TableSourceScan(", "kept,\"GroupAggregate(", "kept,\"Sink("] {
        assert!(run.out.contains(kept), "{kept}: {run:?}");
    }
    assert!(!run.out.contains("dropped"), "{run:?}");
    let run = explain(&path, "SELECT k, COUNT(*) FROM u WHERE id > 7 GROUP BY k");
    for told in ["kept,\"TableSourceScan(", "dropped,\"GroupAggregate(", "new,\"GlobalGroupAggregate("] {
        assert!(run.out.contains(told), "{told}: {run:?}");
    }
    let run = explain("nowhere", "SELECT k, COUNT(*) FROM u GROUP BY k");
    assert_eq!(run.code, 1, "{run:?}");
    assert!(run.err.contains("nowhere"), "{run:?}");
}
