//! Tables of files under load: starts that are killed, more partitions than open files, rows of a megabyte.

use std::fs::{read_to_string, write};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::support::{command, signal, wait};

/// All files below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in folder.read_dir().into_iter().flatten().flatten() {
            match entry.path().is_dir() {
                true => folders.push(entry.path()),
                false => found.push(entry.path()),
            }
        }
    }
    found.sort();
    found
}

/// A folder in memory where there is one: thousands of files are made to survive a crash.
fn folder() -> tempfile::TempDir {
    let memory = Path::new("/dev/shm");
    let in_memory = memory.is_dir().then(|| tempfile::tempdir_in(memory).ok()).flatten();
    in_memory.unwrap_or_else(|| tempfile::tempdir().unwrap())
}

#[test]
#[expect(clippy::disallowed_methods, reason = "another process is waited for")]
fn a_job_that_is_killed_and_restarted_repeatedly_leaves_the_disk_unchanged() {
    let folder = folder();
    let script = "CREATE TABLE u (id BIGINT) WITH ('connector' = 'datagen', 'rows-per-second' = '100000');
        CREATE TABLE o (id BIGINT) WITH ('connector' = 'filesystem', 'path' = 'out', 'format' = 'csv',
            'sink.rolling-policy.file-size' = '8 kb');
        INSERT INTO o SELECT id FROM u;";
    write(folder.path().join("job.sql"), script).unwrap();
    let mut most = Vec::new();
    for _ in 0..20 {
        let child = command(folder.path(), &["sql", "-f", "job.sql"]).spawn().unwrap();
        let before = files(folder.path());
        let deadline = Instant::now() + Duration::from_secs(60);
        let is_new = |file: &PathBuf| !before.contains(file) && file.to_string_lossy().contains(".part-");
        // Several have rolled, so that there are some that are closed and none that is in a checkpoint.
        while files(folder.path()).iter().filter(|file| is_new(file)).count() < 3 {
            assert!(Instant::now() < deadline, "nothing is written");
            sleep(Duration::from_millis(5));
        }
        signal(&child, "KILL");
        wait(child);
        most.push(files(&folder.path().join("out")).len());
    }
    let last = command(folder.path(), &["sql", "-f", "job.sql"]).spawn().unwrap();
    let old = files(&folder.path().join("out"));
    let deadline = Instant::now() + Duration::from_secs(60);
    while files(folder.path()).iter().any(|file| old.contains(file)) {
        assert!(Instant::now() < deadline, "what the last start left is still there: {old:?}");
        sleep(Duration::from_millis(5));
    }
    signal(&last, "INT");
    wait(last);
    assert_eq!(
        files(&folder.path().join("out")),
        Vec::<PathBuf>::new(),
        "a start that is stopped leaves nothing"
    );
    println!("files after each start: {most:?}");
}

#[test]
fn a_sink_has_more_partitions_than_a_process_may_have_open_files() {
    let script = "CREATE TABLE i (id BIGINT, p INT) WITH ('connector' = 'filesystem', 'path' = 'in.csv', 'format' = 'csv');
        CREATE TABLE o (id BIGINT, p INT) PARTITIONED BY (p)
            WITH ('connector' = 'filesystem', 'path' = 'out', 'format' = 'csv');
        SET 'table.dml-sync' = 'true';
        SET 'restart-strategy.type' = 'none';
        INSERT INTO o SELECT id, p FROM i;";
    // The first cannot raise what it may open; the second can.
    for (limit, partitions) in [("-n 256", 5_000), ("-Sn 256", 600)] {
        let folder = folder();
        let mut input = std::fs::File::create(folder.path().join("in.csv")).unwrap();
        for id in 0..3 * partitions {
            writeln!(input, "{id},{}", id % partitions).unwrap();
        }
        write(folder.path().join("job.sql"), script).unwrap();
        let flott = env!("CARGO_BIN_EXE_flott");
        let shell = Command::new("sh")
            .args(["-c", &format!("ulimit {limit} && exec {flott} sql -f job.sql")])
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn();
        let run = wait(shell.unwrap());
        assert_eq!(run.code, 0, "{limit}: {}", run.err);
        let written = files(&folder.path().join("out"));
        assert_eq!(written.len(), partitions, "{limit}: one file a partition, and nothing else");
        let rows: usize = written.iter().map(|file| read_to_string(file).unwrap().lines().count()).sum();
        assert_eq!(rows, 3 * partitions, "{limit}");
    }
}

/// The most memory that a run had, in bytes.
fn peak(folder: &Path, script: &str) -> usize {
    write(folder.join("job.sql"), script).unwrap();
    let code = "import resource, subprocess, sys
code = subprocess.call(sys.argv[1:], stdout=subprocess.DEVNULL)
print(code, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)";
    let flott = env!("CARGO_BIN_EXE_flott");
    let child = Command::new("python3")
        .args(["-c", code, flott, "sql", "-f", "job.sql"])
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let run = wait(child.unwrap());
    let (code, kilobytes) = run.out.trim().split_once(' ').unwrap();
    assert_eq!(code, "0", "{}", run.err);
    kilobytes.parse::<usize>().unwrap() * 1_024
}

#[test]
fn rows_of_a_megabyte_go_through_an_exchange_in_little_memory() {
    const ROWS: usize = 600;
    let folder = folder();
    let mut input = std::fs::File::create(folder.path().join("in.csv")).unwrap();
    let text = "x".repeat(1 << 20);
    for id in 0..ROWS {
        writeln!(input, "{id},{text}").unwrap();
    }
    drop(input);
    let script = "CREATE TABLE i (id BIGINT, s STRING)
            WITH ('connector' = 'filesystem', 'path' = 'in.csv', 'format' = 'csv');
        SET 'parallelism.default' = '2';
        SELECT MOD(id, 4) AS k, CHAR_LENGTH(MAX(s)) AS n FROM i GROUP BY MOD(id, 4);";
    let bytes = peak(folder.path(), script);
    println!("{ROWS} rows of 1 MB: {} MB", bytes >> 20);
    assert!(bytes < 400 << 20, "{} MB", bytes >> 20);
}

#[test]
fn an_unwritable_path_is_reported_at_once() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path().join("file"), "").unwrap();
    let script = "CREATE TABLE u (id BIGINT) WITH ('connector' = 'datagen');
        CREATE TABLE o (id BIGINT) WITH ('connector' = 'filesystem', 'path' = 'file/out', 'format' = 'csv');
        SET 'restart-strategy.type' = 'exponential-delay';
        INSERT INTO o SELECT id FROM u;";
    write(folder.path().join("job.sql"), script).unwrap();
    let run = wait(command(folder.path(), &["sql", "-f", "job.sql"]).spawn().unwrap());
    assert_ne!(run.code, 0);
    assert!(
        run.err.contains("table default_catalog.default_database.o: cannot create the directory 'file/out'"),
        "{}",
        run.err
    );
}
