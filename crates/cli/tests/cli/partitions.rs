//! Partitions are committed when they are complete, whatever ends the process.

use std::collections::BTreeMap;
use std::fs::{read_to_string, write};
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::support::{command, signal, wait};

/// Rows, and how many a partition has.
const ROWS: usize = 120_000;
const HOUR: usize = 250;
/// So many in a second while the process is killed again and again.
const RATE: usize = 1_000;
/// It must be done with that within this time: the input is longer, so there are always partitions to come.
const KILLED_WITHIN: Duration = Duration::from_secs(100);

/// The job, at so many rows in a second.
fn prepare(folder: &Path, rate: usize) {
    let script = format!(
        "SET 'table.local-time-zone' = 'UTC';
        CREATE TABLE u (id BIGINT, ts AS TO_TIMESTAMP_LTZ((id - 1) * 14400, 3), WATERMARK FOR ts AS ts)
        WITH ('connector' = 'datagen', 'rows-per-second' = '{rate}',
            'fields.id.kind' = 'sequence', 'fields.id.start' = '1', 'fields.id.end' = '{ROWS}');
        CREATE TABLE o (id BIGINT, hr STRING) PARTITIONED BY (hr) WITH ('connector' = 'filesystem', 'path' = 'out',
            'format' = 'csv', 'sink.partition-commit.policy.kind' = 'success-file',
            'sink.partition-commit.trigger' = 'partition-time', 'sink.partition-commit.delay' = '1 h',
            'partition.time-extractor.timestamp-formatter' = 'yyyyMMddHH');
        SET 'execution.checkpointing.interval' = '50 ms';
        INSERT INTO o SELECT id, DATE_FORMAT(ts, 'yyyyMMddHH') FROM u;"
    );
    write(folder.join("job.sql"), script).unwrap();
}

/// For each partition the rows that are visible, and whether it is committed.
fn partitions(folder: &Path) -> BTreeMap<String, (Vec<usize>, bool)> {
    let mut partitions = BTreeMap::new();
    for partition in folder.join("out").read_dir().into_iter().flatten().flatten() {
        let name = partition.file_name().into_string().unwrap();
        let Some(hour) = name.strip_prefix("hr=") else { continue };
        let (mut rows, mut committed) = (Vec::new(), false);
        for file in partition.path().read_dir().unwrap().flatten() {
            match file.file_name().to_str().unwrap() {
                "_SUCCESS" => committed = true,
                hidden if hidden.starts_with('.') => {}
                _ => rows.extend(
                    read_to_string(file.path()).unwrap().lines().map(|id| id.parse::<usize>().unwrap()),
                ),
            }
        }
        rows.sort_unstable();
        partitions.insert(hour.to_owned(), (rows, committed));
    }
    partitions
}

/// The commit is the job's and comes after its files: there is no moment at which a partition is committed and lacks a row.
#[test]
#[expect(clippy::disallowed_methods, reason = "another process is waited for")]
fn a_partition_that_is_committed_is_complete_whenever_the_process_is_killed() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    prepare(folder, RATE);
    let start = |parallelism: &str| {
        let parallelism = format!("parallelism.default={parallelism}");
        let checkpoints = "execution.checkpointing.dir=checkpoints";
        let args = ["sql", "-f", "job.sql", "--restore", "latest", "-D", checkpoints, "-D", &parallelism];
        command(folder, &args).spawn().unwrap()
    };
    let check = || {
        for (hour, (rows, committed)) in partitions(folder) {
            assert!(!committed || rows.len() == HOUR, "hour {hour} is committed with {} rows", rows.len());
        }
    };
    let committed = || partitions(folder).values().filter(|(_, committed)| *committed).count();
    assert!(KILLED_WITHIN * (RATE as u32) < Duration::from_secs(ROWS as u64));
    let deadline = Instant::now() + KILLED_WITHIN;
    for parallelism in ["1", "3", "2", "1"] {
        let child = start(parallelism);
        let before = committed();
        while committed() < before + 2 {
            assert!(Instant::now() < deadline, "no partition is committed");
            check();
            sleep(Duration::from_millis(5));
        }
        signal(&child, "KILL");
        wait(child);
        check();
    }
    // The rest comes faster.
    prepare(folder, 50 * RATE);
    let last = wait(start("2"));
    assert_eq!(last.code, 0, "{last:?}");
    let all = partitions(folder);
    assert_eq!(all.len(), ROWS / HOUR);
    assert!(all.values().all(|(_, committed)| *committed), "the end of the input: {all:?}");
    let rows: Vec<usize> = all.into_values().flat_map(|(rows, _)| rows).collect();
    assert_eq!(rows, (1..=ROWS).collect::<Vec<_>>());
}
