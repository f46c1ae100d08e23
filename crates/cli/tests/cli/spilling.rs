//! State that does not fit into the memory for it.

use std::collections::BTreeMap;
use std::fs::{create_dir, read_dir, read_link, read_to_string, write};
use std::path::Path;
use std::process::Child;
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::restore::wait_for_checkpoint;
use crate::support::{command, run_in, signal, wait};

const ROWS: i64 = 12_000;
const KEYS: i64 = 1_500;
const GROUPS: i64 = 100;
const JOINED: i64 = 12_000;
/// In seconds.
const SLIDE: i64 = 3;

/// Groups of groups: the first are many and only grow, the second take back what the first had said.
fn prepare(folder: &Path) {
    let last = ROWS - 1;
    let script = format!(
        "CREATE TABLE u (id BIGINT) WITH ('connector' = 'datagen', 'rows-per-second' = '2000',
            'fields.id.kind' = 'sequence', 'fields.id.start' = '0', 'fields.id.end' = '{last}');
        CREATE TABLE o (op STRING, g BIGINT, c BIGINT, s BIGINT, d BIGINT, lo BIGINT, hi BIGINT)
            WITH ('connector' = 'filesystem', 'path' = 'out', 'format' = 'csv');
        CREATE VIEW many AS
            SELECT MOD(id * 7919, {KEYS}) AS k, COUNT(*) AS n, COUNT(DISTINCT MOD(id, 7)) AS d,
                MIN(id) AS lo, MAX(id) AS hi, LISTAGG(CAST(MOD(id, 3) AS STRING)) AS texts
            FROM u GROUP BY MOD(id * 7919, {KEYS});
        CREATE VIEW few AS
            SELECT MOD(k, {GROUPS}) AS g, COUNT(*) AS c, SUM(n) + SUM(CHAR_LENGTH(texts)) AS s, MAX(d) AS d, MIN(lo) AS lo, MAX(hi) AS hi
            FROM many GROUP BY MOD(k, {GROUPS});
        SET 'execution.checkpointing.interval' = '100 ms';
        INSERT INTO o SELECT op, g, c, s, d, lo, hi FROM TO_CHANGELOG(input => TABLE few);"
    );
    write(folder.join("job.sql"), script).unwrap();
    create_dir(folder.join("tmp")).unwrap();
}

fn start(folder: &Path, parallelism: &str, memory: &str) -> Child {
    let options = [
        "execution.checkpointing.dir=checkpoints".to_owned(),
        format!("io.tmp.dirs={}", folder.join("tmp").display()),
        format!("taskmanager.memory.managed.size={memory}"),
        format!("parallelism.default={parallelism}"),
    ];
    let mut args = vec!["sql", "-f", "job.sql", "--restore", "latest"];
    options.iter().for_each(|option| args.extend(["-D", option]));
    command(folder, &args).spawn().unwrap()
}

/// Whether a process has a file of spilled state open. The file has no name.
fn has_spilled(folder: &Path, child: &Child) -> bool {
    let tmp = std::fs::canonicalize(folder.join("tmp")).unwrap();
    let open = read_dir(format!("/proc/{}/fd", child.id())).into_iter().flatten().flatten();
    open.filter_map(|file| read_link(file.path()).ok()).any(|file| file.starts_with(&tmp))
}

#[expect(clippy::disallowed_methods, reason = "another process is waited for")]
fn wait_until_spilled(folder: &Path, child: &Child) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !has_spilled(folder, child) {
        assert!(Instant::now() < deadline, "nothing has been spilled");
        sleep(Duration::from_millis(5));
    }
}

fn expected() -> Vec<String> {
    let mut many: BTreeMap<i64, Vec<i64>> = BTreeMap::new();
    (0..ROWS).for_each(|id| many.entry(id * 7919 % KEYS).or_default().push(id));
    let mut few: BTreeMap<i64, Vec<Vec<i64>>> = BTreeMap::new();
    many.into_iter().for_each(|(k, ids)| few.entry(k % GROUPS).or_default().push(ids));
    let row = |(group, all): (i64, Vec<Vec<i64>>)| {
        let distinct =
            |ids: &Vec<i64>| ids.iter().map(|id| id % 7).collect::<std::collections::BTreeSet<_>>().len();
        // A text of n digits has n - 1 commas.
        let sum: usize = all.iter().map(|ids| ids.len() + 2 * ids.len() - 1).sum();
        let most = all.iter().map(distinct).max().unwrap();
        let (least, greatest) = (all.iter().flatten().min().unwrap(), all.iter().flatten().max().unwrap());
        format!("{group},{},{sum},{most},{least},{greatest}", all.len())
    };
    let mut rows: Vec<String> = few.into_iter().map(row).collect();
    rows.sort();
    rows
}

/// What the changes add up to, in whatever order.
fn results(folder: &Path) -> Vec<String> {
    let mut counts: BTreeMap<String, i64> = BTreeMap::new();
    let files = folder.join("out").read_dir().unwrap().flatten();
    for file in files.filter(|file| !file.file_name().to_string_lossy().starts_with(['.', '_'])) {
        for line in read_to_string(file.path()).unwrap().lines() {
            let (op, row) = line.split_once(',').unwrap();
            *counts.entry(row.to_owned()).or_default() += match op {
                "INSERT" | "UPDATE_AFTER" => 1,
                _ => -1,
            };
        }
    }
    assert!(counts.values().all(|count| [0, 1].contains(count)), "{counts:?}");
    counts.into_iter().filter(|(_, count)| *count == 1).map(|(row, _)| row).collect()
}

/// Rows of each side that find their only partner late.
fn prepare_join(folder: &Path) {
    let last = JOINED - 1;
    let table = |name: &str| {
        format!(
            "CREATE TABLE {name} (id BIGINT) WITH ('connector' = 'datagen', 'rows-per-second' = '2000',
                'fields.id.kind' = 'sequence', 'fields.id.start' = '0', 'fields.id.end' = '{last}');"
        )
    };
    let script = format!(
        "{} {}
        CREATE TABLE o (op STRING, a BIGINT, b BIGINT) WITH ('connector' = 'filesystem', 'path' = 'out', 'format' = 'csv');
        SET 'execution.checkpointing.interval' = '100 ms';
        INSERT INTO o SELECT 'INSERT', a.id, b.id FROM a JOIN b ON a.id = {last} - b.id;",
        table("a"),
        table("b")
    );
    write(folder.join("job.sql"), script).unwrap();
    create_dir(folder.join("tmp")).unwrap();
}

/// Windows that overlap, of many keys.
fn prepare_windows(folder: &Path) {
    let last = ROWS - 1;
    let script = format!(
        "CREATE TABLE u (id BIGINT, ts AS CAST(TO_TIMESTAMP_LTZ(id, 3) AS TIMESTAMP(3)), WATERMARK FOR ts AS ts)
            WITH ('connector' = 'datagen', 'rows-per-second' = '2000',
            'fields.id.kind' = 'sequence', 'fields.id.start' = '0', 'fields.id.end' = '{last}');
        CREATE TABLE o (op STRING, k BIGINT, w BIGINT, c BIGINT, s BIGINT)
            WITH ('connector' = 'filesystem', 'path' = 'out', 'format' = 'csv');
        CREATE VIEW keyed AS SELECT MOD(id * 7919, {KEYS}) AS k, id, ts FROM u;
        SET 'execution.checkpointing.interval' = '100 ms';
        INSERT INTO o SELECT 'INSERT', k, TIMESTAMPDIFF(SECOND, TIMESTAMP '1970-01-01 00:00:00', window_end), COUNT(*), SUM(id)
            FROM HOP(TABLE keyed, DESCRIPTOR(ts), INTERVAL '{SLIDE}' SECOND, INTERVAL '{}' SECOND)
            GROUP BY k, window_start, window_end;",
        2 * SLIDE
    );
    write(folder.join("job.sql"), script).unwrap();
    create_dir(folder.join("tmp")).unwrap();
}

#[test]
fn windows_that_do_not_fit_into_memory_are_right_also_across_kills() {
    let folder = tempfile::tempdir().unwrap();
    prepare_windows(folder.path());
    let mut windows: BTreeMap<(i64, i64), (i64, i64)> = BTreeMap::new();
    for id in 0..ROWS {
        let first = id / (SLIDE * 1_000) + 1;
        for window in [first, first + 1] {
            let (count, sum) = windows.entry((id * 7919 % KEYS, window * SLIDE)).or_default();
            (*count, *sum) = (*count + 1, *sum + id);
        }
    }
    let row = |((key, end), (count, sum))| format!("{key},{end},{count},{sum}");
    let mut rows: Vec<String> = windows.into_iter().map(row).collect();
    rows.sort();
    // A reader that is given the rest of two ranges would find the rows of one of them late.
    is_right_across_kills(folder.path(), ["1"; 4], &rows);
}

#[test]
fn groups_that_do_not_fit_into_memory_are_counted_also_across_kills() {
    let folder = tempfile::tempdir().unwrap();
    prepare(folder.path());
    is_right_across_kills(folder.path(), ["2", "1", "2", "1"], &expected());
}

#[test]
fn rows_that_do_not_fit_into_memory_are_joined_also_across_kills() {
    let folder = tempfile::tempdir().unwrap();
    prepare_join(folder.path());
    let mut rows: Vec<String> = (0..JOINED).map(|id| format!("{id},{}", JOINED - 1 - id)).collect();
    rows.sort();
    is_right_across_kills(folder.path(), ["2", "1", "2", "1"], &rows);
}

/// At these parallelisms, one after the other.
fn is_right_across_kills(folder: &Path, parallelisms: [&str; 4], expected: &[String]) {
    let (mut known, [killed @ .., last]) = (Vec::new(), parallelisms);
    for (parallelism, memory) in killed.into_iter().zip(["32 kb", "100 kb", "1 kb"]) {
        let child = start(folder, parallelism, memory);
        wait_until_spilled(folder, &child);
        known = wait_for_checkpoint(folder, &known);
        signal(&child, "KILL");
        wait(child);
        let left = folder.join("tmp").read_dir().unwrap().count();
        assert_eq!(left, 0, "files of a process that was killed are gone with it");
    }
    // What was spilled fits into memory now.
    let run = wait(start(folder, last, "1 gb"));
    assert_eq!(run.code, 0, "{run:?}");
    assert_eq!(results(folder), expected);
}

#[test]
fn state_that_may_not_be_spilled_is_told_when_it_does_not_fit() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    prepare(folder);
    let options =
        ["state.backend.type=hashmap", "taskmanager.memory.managed.size=32 kb", "restart-strategy.type=none"];
    let mut args = vec!["sql", "-f", "job.sql"];
    options.iter().for_each(|option| args.extend(["-D", option]));
    let run = run_in(folder, &args);
    assert_ne!(run.code, 0, "{run:?}");
    for expected in
        ["state 'groups' holds", "'taskmanager.memory.managed.size'", "'state.backend.type' to 'rocksdb'"]
    {
        assert!(run.err.contains(expected), "{expected}: {run:?}");
    }
}
